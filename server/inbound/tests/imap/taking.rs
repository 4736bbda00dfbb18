//! Every message is taken once, byte for byte, whatever happens in between.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::person::Actor;
use postroom_domain::record::{Commit, Kind, Registry as _, Write};
use postroom_domain::store::{Pause, Store as _};
use postroom_domain::time::Clock as _;
use postroom_inbound::imap::{After, ImapOptions, SkippedMessage};

use crate::dovecot::Dovecot;
use crate::person::Person;
use crate::world::{World, letter, looked_again, options, until};

fn once<'a>(subjects: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, usize> {
    subjects.into_iter().map(|subject| (subject.to_owned(), 1)).collect()
}

#[tokio::test]
async fn three_hundred_messages_of_two_folders_are_taken_once_each() {
    let (server, world) = (Dovecot::start(None), World::new());
    let mut person = Person::at(&server).await;
    person.ask("CREATE \"&ANw-bergabe &- Erledigt\"").await;
    let mut sent = Vec::new();
    for number in 0..300_u32 {
        let folder = if number % 3 == 0 { "&ANw-bergabe &- Erledigt" } else { "" };
        // Of many sizes, one of them of more than one part, with all bytes that a message may have.
        let body = if number == 7 { 1_300_000 } else { number as usize * 13 };
        let bytes =
            (0..body).map(|at| if at % 70 == 69 { b'\n' } else { 32 + u8::try_from(at % 200).unwrap() });
        let text: Vec<u8> =
            bytes.flat_map(|byte| if byte == b'\n' { vec![b'\r', b'\n'] } else { vec![byte] }).collect();
        let message = [letter(&number.to_string()), text].concat();
        server.drop_in(folder, &format!("{number}.test"), &message);
        sent.push(message);
    }
    let wanted = || ImapOptions {
        folders: vec!["INBOX".to_owned(), "Übergabe & Erledigt".to_owned()],
        ..options(server.port)
    };
    let mailbox = world.open(wanted());
    until(&mailbox, |status| status.taken == 300).await;
    let status = looked_again(&mailbox).await;
    assert_eq!((status.taken, status.skipped.len(), status.unreachable), (300, 0, None));
    mailbox.stop().await;
    let sorted = |mut all: Vec<Vec<u8>>| {
        all.sort_unstable();
        all
    };
    let held = sorted(world.held().await);
    assert!(held == sorted(sent), "what was taken is what was sent");
    let lying = [server.messages(""), server.messages("&ANw-bergabe &- Erledigt")].concat();
    assert!(held == sorted(lying), "what was taken is what lies there");
    assert_eq!(world.records(Kind::Cursor).await.len(), 2);
    assert_eq!(world.records(Kind::Fetched).await.len(), 300);
    // Nobody has read them, as far as people see.
    assert!(person.sees("INBOX").await.iter().all(|(_, flags)| flags.is_empty()));
    // A start later nothing comes again.
    let mailbox = world.open(wanted());
    looked_again(&mailbox).await;
    assert_eq!(mailbox.status().taken, 0);
    mailbox.stop().await;
    assert_eq!(world.intakes().await.len(), 300);
}

#[tokio::test]
async fn news_is_noticed_without_waiting_for_the_next_look() {
    let (server, world) = (Dovecot::start(None), World::new());
    let mut person = Person::at(&server).await;
    let mailbox =
        world.open(ImapOptions { idle: true, poll: Duration::from_hours(1), ..options(server.port) });
    for number in 1..=5 {
        until(&mailbox, |status| status.idling).await;
        person.append("INBOX", &letter(&number.to_string())).await;
        until(&mailbox, |status| status.taken == number).await;
    }
    // It is stopped in the middle of waiting.
    until(&mailbox, |status| status.idling).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2", "3", "4", "5"]));
}

/// The process may end at any moment.
#[test]
fn a_reader_that_is_killed_takes_nothing_twice_and_misses_nothing() {
    let (server, world) = (Dovecot::start(None), World::new());
    let names: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    for name in &names {
        server.drop_in("", name, &letter(name));
    }
    for kills in 1..=5 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mailbox = {
            let _inside = runtime.enter();
            world.open(options(server.port))
        };
        let taken = runtime.block_on(until(&mailbox, |status| status.taken >= 5 + kills));
        assert!(taken.taken < 60);
        runtime.shutdown_timeout(Duration::from_secs(20));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mailbox = world.open(options(server.port));
        looked_again(&mailbox).await;
        looked_again(&mailbox).await;
        mailbox.stop().await;
        assert_eq!(world.subjects().await, once(names.iter().map(String::as_str)));
        assert_eq!(world.records(Kind::Fetched).await.len(), 60);
    });
}

/// As if the intakes had been written and the cursor had not: a restored copy, a store of an earlier version.
#[tokio::test]
async fn what_the_cursor_does_not_know_is_recognised_by_its_key() {
    let (server, world) = (Dovecot::start(None), World::new());
    for name in ["1", "2", "3"] {
        server.drop_in("", name, &letter(name));
    }
    let mailbox = world.open(options(server.port));
    until(&mailbox, |status| status.taken == 3).await;
    mailbox.stop().await;
    let writes = [world.records(Kind::Cursor).await, world.records(Kind::Fetched).await[..1].to_vec()];
    let writes = writes.into_iter().flatten();
    let writes = writes.map(|it| Write::Remove { kind: it.kind, id: it.id, version: it.version }).collect();
    world.store.commit(Commit { writes, events: Vec::new() }).await.unwrap();
    server.drop_in("", "4", &letter("4"));
    let mailbox = world.open(options(server.port));
    until(&mailbox, |status| status.taken == 1).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2", "3", "4"]));
    assert_eq!((world.records(Kind::Cursor).await.len(), world.records(Kind::Fetched).await.len()), (1, 4));
}

/// A mailbox that was full before it was connected: its letters came on the days when they came.
#[tokio::test]
async fn a_letter_has_come_when_it_came_into_the_mailbox() {
    let (server, world) = (Dovecot::start(None), World::new());
    server.drop_in("", "1", &letter("1"));
    let file = std::fs::File::options().write(true).open(server.maildir("").join("new").join("1")).unwrap();
    let arrived: jiff::Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
    file.set_modified(arrived.into()).unwrap();
    let mailbox = world.open(options(server.port));
    until(&mailbox, |status| status.taken == 1).await;
    mailbox.stop().await;
    assert_eq!(world.intake_of("1").await.arrived(), arrived);
}

#[tokio::test]
async fn a_folder_that_becomes_another_one_loses_nothing() {
    let (mut server, world) = (Dovecot::start(None), World::new());
    let mut person = Person::at(&server).await;
    person.ask("CREATE Akten").await;
    for name in ["1", "2", "3"] {
        person.append("Akten", &letter(name)).await;
    }
    let port = server.port;
    let wanted = || ImapOptions { folders: vec!["Akten".to_owned()], ..options(port) };
    let mailbox = world.open(wanted());
    until(&mailbox, |status| status.taken == 3).await;
    // Made anew while it is being looked at: the numbers begin at one again.
    person.ask("DELETE Akten").await;
    until(&mailbox, |status| !status.troubles.is_empty()).await;
    person.ask("CREATE Akten").await;
    for name in ["4", "5"] {
        person.append("Akten", &letter(name)).await;
    }
    until(&mailbox, |status| status.taken == 5).await;
    let status = looked_again(&mailbox).await;
    assert_eq!(status.troubles, [] as [String; 0]);
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2", "3", "4", "5"]));
    // Another validity for the same messages, as after a move to another server: they come again, and the ledger knows them.
    server.halt();
    let list = server.maildir("Akten").join("dovecot-uidlist");
    let text = std::fs::read_to_string(&list).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let head: Vec<String> = head
        .split(' ')
        .map(|word| match word.strip_prefix('V') {
            Some(validity) => format!("V{}", validity.parse::<u32>().unwrap() + 1_000),
            None => word.to_owned(),
        })
        .collect();
    std::fs::write(&list, format!("{}\n{rest}", head.join(" "))).unwrap();
    for file in std::fs::read_dir(server.maildir("Akten")).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("dovecot.index") {
            std::fs::remove_file(path).unwrap();
        }
    }
    server.resume();
    let mailbox = world.open(wanted());
    until(&mailbox, |status| status.taken == 2).await;
    mailbox.stop().await;
    let twice = [("4".to_owned(), 2), ("5".to_owned(), 2)];
    assert_eq!(world.subjects().await, once(["1", "2", "3"]).into_iter().chain(twice).collect());
}

#[tokio::test]
async fn what_others_remove_costs_nobody_anything() {
    let (server, world) = (Dovecot::start(None), World::new());
    let mut person = Person::at(&server).await;
    person.ask("CREATE Elsewhere").await;
    for name in ["1", "2", "3", "4"] {
        person.append("INBOX", &letter(name)).await;
    }
    person.ask("SELECT INBOX").await;
    person.ask("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    person.ask("EXPUNGE").await;
    person.ask("UID MOVE 4 Elsewhere").await;
    let mailbox = world.open(options(server.port));
    until(&mailbox, |status| status.taken == 2).await;
    // The folder is emptied, and numbers go on.
    person.ask("UID MOVE 2:3 Elsewhere").await;
    looked_again(&mailbox).await;
    person.append("INBOX", &letter("5")).await;
    until(&mailbox, |status| status.taken == 3).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["2", "3", "5"]));
}

#[tokio::test]
async fn a_message_that_is_too_large_stays_where_it_is_and_is_named() {
    let (server, world) = (Dovecot::start(None), World::new());
    let large = [letter("2"), b"x".repeat(70_000)].concat();
    for (name, message) in [("1", letter("1")), ("2", large.clone()), ("3", letter("3"))] {
        server.drop_in("", name, &message);
    }
    let mailbox = world.open(ImapOptions { largest: 60_000, ..options(server.port) });
    until(&mailbox, |status| status.taken == 2).await;
    let status = until(&mailbox, |status| !status.skipped.is_empty()).await;
    let why = format!("it has {} bytes, and at most 60000 are taken", large.len());
    let skipped = [SkippedMessage { folder: "INBOX".to_owned(), uid: 2, why }];
    assert_eq!(status.skipped, skipped);
    // Looking again and again does not write again and again.
    let version = world.records(Kind::Cursor).await[0].version;
    world.clock.advance(Duration::from_hours(1));
    looked_again(&mailbox).await;
    assert_eq!(world.records(Kind::Cursor).await[0].version, version);
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "3"]));
    // With another limit it is taken, however far the cursor is.
    let mailbox = world.open(options(server.port));
    until(&mailbox, |status| status.taken == 1).await;
    let status = looked_again(&mailbox).await;
    assert_eq!(status.skipped, []);
    mailbox.stop().await;
    assert!(world.held().await[2] == large);
}

#[tokio::test]
async fn a_mailbox_that_is_stopped_by_a_person_is_left_alone() {
    let (server, world) = (Dovecot::start(None), World::new());
    let pause = Pause {
        door: "source/post".to_owned(),
        site: None,
        by: "ada".to_owned(),
        reason: "moving".to_owned(),
        since: world.clock.now(),
        until: None,
    };
    world.store.pause(pause).await.unwrap();
    server.drop_in("", "1", &letter("1"));
    let mailbox = world.open(ImapOptions { after: After::Delete, ..options(server.port) });
    until(&mailbox, |status| status.paused).await;
    let status = looked_again(&mailbox).await;
    assert_eq!((status.taken, status.paused), (0, true));
    world.store.resume("source/post", &Actor::person("ada"), world.clock.now()).await.unwrap();
    let status = until(&mailbox, |status| status.taken == 1).await;
    assert!(!looked_again(&mailbox).await.paused, "{status:?}");
    mailbox.stop().await;
}
