//! Servers do what they should not: one message, one token, one missing command costs nobody else anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::intake::IntakeState;
use postroom_domain::record::Kind;
use postroom_inbound::imap::{After, ImapOptions, MailboxTokens, SignIn};
use secrecy::SecretString;

use crate::double::{Double, Quirk, Shared};
use crate::world::{World, letter, looked_again, options, until};

fn three() -> Shared {
    let messages = [1, 2, 3].map(|uid: u32| (uid, letter(&uid.to_string())));
    Shared { messages: BTreeMap::from(messages), ..Shared::default() }
}

#[tokio::test]
async fn one_bad_message_is_named_and_its_neighbours_are_taken() {
    // What is wrong, and what is said of it.
    let table = [
        (Quirk::No, "it is broken"),
        (Quirk::Bye, "the server closed the connection: I am going down"),
        (Quirk::Cut, "bytes remaining in stream"),
        (Quirk::Nothing, "the server does not give its content"),
        (Quirk::Nonsense, "during parsing"),
        (Quirk::Endless, "the server says more than it was asked for"),
        (Quirk::Told(5_000_000), "it has 50000"),
    ];
    for (quirk, why) in table {
        let world = World::new();
        let mut shared = three();
        shared.quirks.insert(2, quirk);
        let server = Double::start(shared).await;
        let mailbox = world.open(options(server.port));
        let status = until(&mailbox, |it| it.taken == 2 && !it.skipped.is_empty()).await;
        assert_eq!((status.skipped[0].uid, status.skipped.len()), (2, 1), "{quirk:?}");
        assert!(status.skipped[0].why.contains(why), "{quirk:?}: {status:?}");
        // It is not asked for again and again.
        looked_again(&mailbox).await;
        let bodies = |server: &Double| {
            let shared = server.shared.lock().unwrap();
            shared.asked.iter().filter(|it| it.contains("UID FETCH 2 (UID BODY")).count()
        };
        let asked = bodies(&server);
        looked_again(&mailbox).await;
        assert_eq!(bodies(&server), asked, "{quirk:?}");
        // Later it is well again.
        server.shared.lock().unwrap().quirks.clear();
        world.clock.advance(Duration::from_mins(16));
        let status = until(&mailbox, |it| it.taken == 3 && it.skipped.is_empty()).await;
        assert_eq!(status.troubles, [] as [String; 0], "{quirk:?}");
        mailbox.stop().await;
        let subjects: Vec<(String, usize)> = world.subjects().await.into_iter().collect();
        assert_eq!(subjects, [1, 2, 3].map(|it| (it.to_string(), 1)), "{quirk:?}");
    }
}

#[tokio::test]
async fn a_message_that_goes_while_it_is_asked_for_is_gone_and_no_trouble() {
    let mut shared = three();
    shared.quirks.insert(2, Quirk::Removed);
    let server = Double::start(shared).await;
    let world = World::new();
    let mailbox = world.open(options(server.port));
    until(&mailbox, |it| it.taken == 2).await;
    let status = looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!((status.skipped, status.troubles, status.unreachable), (vec![], vec![], None));
}

#[tokio::test]
async fn sizes_are_only_what_the_server_believes() {
    let world = World::new();
    let part = 512 * 1024;
    let mut shared = Shared::default();
    let mut sent = Vec::new();
    // How large it is, and by how much it is told wrong.
    for (length, wrong) in [(100, -60), (100, 60), (part, 0), (part + 1, -2), (2 * part, 7), (1, 5), (0, 0)] {
        let mut message = letter(&sent.len().to_string());
        message.resize(length, b'x');
        let uid = u32::try_from(sent.len()).unwrap() * 3 + 1;
        shared.messages.insert(uid, message.clone());
        shared.quirks.insert(uid, Quirk::Told(wrong));
        sent.push(message);
    }
    let server = Double::start(shared).await;
    let mailbox = world.open(options(server.port));
    until(&mailbox, |it| it.taken == 7).await;
    assert_eq!(looked_again(&mailbox).await.skipped, []);
    mailbox.stop().await;
    assert!(world.held().await == sent);
}

#[tokio::test]
async fn what_the_server_cannot_do_is_done_another_way_or_not() {
    let to = || After::Move("Erledigt".to_owned());
    let copied = ["UID COPY 2 \"Erledigt\"", "UID STORE 2 +FLAGS.SILENT (\\Deleted)"];
    let table: [(&str, After, Vec<&str>); 6] = [
        ("MOVE UIDPLUS", to(), vec!["UID MOVE 2 \"Erledigt\""]),
        ("UIDPLUS", to(), [&copied[..], &["UID EXPUNGE 2"]].concat()),
        // What others have flagged would go as well.
        ("", to(), copied.to_vec()),
        ("UIDPLUS", After::Delete, vec![copied[1], "UID EXPUNGE 2"]),
        ("", After::Delete, vec![copied[1]]),
        ("", After::Flag, vec!["UID STORE 2 +FLAGS.SILENT ($PostroomFiled)"]),
    ];
    for (can, after, commands) in table {
        let world = World::new();
        let server = Double::start(Shared { can: can.to_owned(), ..three() }).await;
        let mailbox = world.open(ImapOptions { after: after.clone(), ..options(server.port) });
        until(&mailbox, |it| it.taken == 3).await;
        looked_again(&mailbox).await;
        assert_eq!(server.changes(), [] as [&str; 0]);
        world.end("2", IntakeState::Settled).await;
        until(&mailbox, |it| it.cleaned == 1).await;
        looked_again(&mailbox).await;
        mailbox.stop().await;
        assert_eq!(server.changes(), commands, "{can} {after:?}");
    }
}

/// Hands out one token after the other, and remembers what it was asked.
struct Purse(Mutex<Vec<bool>>);

impl MailboxTokens for Purse {
    fn token(&self, renew: bool) -> Fut<'_, Result<SecretString, String>> {
        self.0.lock().unwrap().push(renew);
        let token = if renew { "fresh" } else { "stale" };
        Box::pin(async move { Ok(token.into()) })
    }
}

/// Has none.
struct Empty;

impl MailboxTokens for Empty {
    fn token(&self, _renew: bool) -> Fut<'_, Result<SecretString, String>> {
        Box::pin(async { Err("somebody has to sign in again".to_owned()) })
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    // user=post@firm.example, auth=Bearer fresh
    let token = "dXNlcj1wb3N0QGZpcm0uZXhhbXBsZQFhdXRoPUJlYXJlciBmcmVzaAEB".to_owned();
    let server = Double::start(Shared { token, ..three() }).await;
    let world = World::new();
    let purse = Arc::new(Purse(Mutex::default()));
    let mailbox = world.open(ImapOptions { sign_in: SignIn::Tokens(purse.clone()), ..options(server.port) });
    until(&mailbox, |it| it.taken == 3).await;
    mailbox.stop().await;
    assert_eq!(*purse.0.lock().unwrap(), [false, true]);
    // One that nothing helps.
    "another".clone_into(&mut server.shared.lock().unwrap().token);
    for (sign_in, why) in [
        (SignIn::Tokens(purse.clone()), "the server refuses the sign-in: "),
        (SignIn::Tokens(Arc::new(Empty)), "there is no access token: somebody has to sign in again"),
    ] {
        let mailbox = world.open(ImapOptions { sign_in, ..options(server.port) });
        let status = until(&mailbox, |it| it.unreachable.is_some()).await;
        assert!(status.unreachable.as_ref().unwrap().starts_with(why), "{status:?}");
        mailbox.stop().await;
    }
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let server = Double::start(Shared { silent: true, ..three() }).await;
    let world = World::new();
    let mut options = options(server.port);
    options.patience.answer = Duration::from_millis(50);
    let mailbox = world.open(options);
    let status = until(&mailbox, |it| it.unreachable.is_some()).await;
    assert!(
        status.unreachable.as_ref().unwrap().starts_with("the server did not answer within"),
        "{status:?}"
    );
    server.shared.lock().unwrap().silent = false;
    until(&mailbox, |it| it.taken == 3).await;
    mailbox.stop().await;
}

#[tokio::test]
async fn a_stop_ends_what_is_being_taken_and_begins_nothing() {
    let mut shared = three();
    shared.quirks.insert(2, Quirk::Held);
    let gate = shared.gate.clone();
    let server = Double::start(shared).await;
    let world = World::new();
    let mailbox = world.open(options(server.port));
    until(&mailbox, |it| it.taken == 1).await;
    let mut stopping = Box::pin(mailbox.stop());
    // It waits for the message.
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut stopping).await.is_err());
    gate.add_permits(1);
    stopping.await;
    let subjects: Vec<String> = world.subjects().await.into_keys().collect();
    assert_eq!(subjects, ["1", "2"]);
}

#[tokio::test]
async fn without_room_nothing_is_taken_and_nothing_passed() {
    let world = World::with_reserve(u64::MAX / 4);
    let server = Double::start(three()).await;
    let mailbox = world.open(options(server.port));
    let status = until(&mailbox, |it| it.refusing.is_some()).await;
    assert!(status.refusing.as_ref().unwrap().contains("bytes are free"), "{status:?}");
    let status = looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!((status.taken, status.skipped.len(), status.unreachable), (0, 0, None));
    assert_eq!(world.records(Kind::Cursor).await, []);
}
