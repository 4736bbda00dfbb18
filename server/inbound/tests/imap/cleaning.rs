//! Nothing happens to a message before its intake is through, and then what is wanted, once.

use postroom_domain::intake::IntakeState;
use postroom_domain::record::Kind;
use postroom_inbound::imap::{After, ImapOptions};

use crate::dovecot::Dovecot;
use crate::person::Person;
use crate::world::{World, letter, looked_again, options, until};

fn seen(them: &[(&str, &str)]) -> Vec<(String, String)> {
    them.iter().map(|(subject, flags)| ((*subject).to_owned(), (*flags).to_owned())).collect()
}

#[tokio::test]
async fn messages_are_cleaned_up_when_they_are_through() {
    let untouched = [("1", ""), ("2", "\\Flagged"), ("3", ""), ("4", "\\Seen")];
    // What is wanted, what is in the folder afterwards, and in the one for what is filed.
    let table: [(After, &[(&str, &str)], &[(&str, &str)]); 3] = [
        (
            After::Flag,
            &[("1", "$PostroomFiled"), ("2", "\\Flagged $PostroomFiled"), ("3", ""), ("4", "\\Seen")],
            &[],
        ),
        (
            After::Move("Erledigt – Übergabe 2026".to_owned()),
            &[("3", ""), ("4", "\\Seen")],
            &[("1", ""), ("2", "\\Flagged")],
        ),
        (After::Delete, &[("3", ""), ("4", "\\Seen")], &[]),
    ];
    for (after, left, moved) in table {
        let (server, world) = (Dovecot::start(None), World::new());
        let mut person = Person::at(&server).await;
        for name in ["1", "2", "3", "4"] {
            person.append("INBOX", &letter(name)).await;
        }
        person.ask("SELECT INBOX").await;
        person.ask("STORE 2 +FLAGS.SILENT (\\Flagged)").await;
        let mailbox = world.open(ImapOptions { after: after.clone(), ..options(server.port) });
        until(&mailbox, |status| status.taken == 4).await;
        person.ask("STORE 4 +FLAGS.SILENT (\\Seen)").await;
        looked_again(&mailbox).await;
        assert_eq!(person.sees("INBOX").await, seen(&untouched), "{after:?}");
        world.end("1", IntakeState::Settled).await;
        world.end("2", IntakeState::Dismissed).await;
        world.end("3", IntakeState::NeedsPerson).await;
        until(&mailbox, |status| status.cleaned == 2).await;
        let status = looked_again(&mailbox).await;
        assert_eq!((status.cleaned, status.taken), (2, 4), "{after:?}");
        mailbox.stop().await;
        assert_eq!(person.sees("INBOX").await, seen(left), "{after:?}");
        if let After::Move(_) = after {
            assert_eq!(person.sees("Erledigt &IBM- &ANw-bergabe 2026").await, seen(moved));
        }
        assert_eq!(world.records(Kind::Fetched).await.len(), 2, "{after:?}");
        // Once: what a person does with it afterwards stays.
        if let After::Flag = after {
            person.ask("SELECT INBOX").await;
            person.ask("STORE 1 -FLAGS.SILENT ($PostroomFiled)").await;
            let mailbox = world.open(options(server.port));
            looked_again(&mailbox).await;
            mailbox.stop().await;
            assert_eq!(person.sees("INBOX").await[0], ("1".to_owned(), String::new()));
        }
    }
}

#[tokio::test]
async fn a_message_that_is_gone_by_then_is_done() {
    let (server, world) = (Dovecot::start(None), World::new());
    let mut person = Person::at(&server).await;
    person.ask("CREATE Elsewhere").await;
    person.ask("CREATE Akten").await;
    for name in ["1", "2", "3"] {
        person.append("INBOX", &letter(name)).await;
    }
    person.append("Akten", &letter("4")).await;
    let mailbox = world.open(ImapOptions {
        folders: vec!["INBOX".to_owned(), "Akten".to_owned()],
        after: After::Move("Filed".to_owned()),
        ..options(server.port)
    });
    until(&mailbox, |status| status.taken == 4).await;
    person.ask("SELECT INBOX").await;
    person.ask("UID MOVE 1 Elsewhere").await;
    person.ask("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    person.ask("EXPUNGE").await;
    person.ask("DELETE Akten").await;
    for name in ["1", "2", "3", "4"] {
        world.end(name, IntakeState::Settled).await;
    }
    until(&mailbox, |status| status.cleaned == 4).await;
    mailbox.stop().await;
    assert_eq!(person.sees("Elsewhere").await, seen(&[("1", "")]));
    assert_eq!(person.sees("INBOX").await, []);
    assert_eq!(person.sees("Filed").await, seen(&[("3", "")]));
    assert_eq!(world.records(Kind::Fetched).await, []);
}
