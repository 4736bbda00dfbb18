//! Every message is taken once, byte for byte, whatever happens in between.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::mailbox::Delta;
use postroom_domain::person::Actor;
use postroom_domain::record::{self, Commit, Kept as _, Kind, Registry as _, Write};
use postroom_domain::store::{Pause, Store as _};
use postroom_domain::time::Clock as _;
use postroom_inbound::graph::{GraphAfter, GraphOptions};
use postroom_sims::graph::{Action, Fire, Flaw, Rule};

use crate::world::{POST, World, content_of, letter, looked_again, once, options, until};

#[tokio::test]
async fn three_hundred_messages_of_two_folders_are_taken_once_each() {
    let world = World::new();
    world.control.update_switches(|it| it.page = 7);
    world.control.add_folder(POST, "inbox", "Übergabe & Erledigt");
    let mut sent = Vec::new();
    for number in 0..300_u32 {
        let folder = if number % 3 == 0 { "Inbox/Übergabe & Erledigt" } else { "inbox" };
        let body = if number == 7 { 1_300_000 } else { number as usize * 13 };
        let bytes: Vec<u8> = (0..body).map(|at| 32 + u8::try_from(at % 200).unwrap()).collect();
        let message = [letter(&number.to_string()), bytes].concat();
        assert_ne!(world.control.deliver(POST, folder, &message), "");
        sent.push(message);
    }
    let wanted = || GraphOptions {
        folders: vec!["inbox".to_owned(), "Inbox/Übergabe & Erledigt".to_owned()],
        ..options()
    };
    let mailbox = world.open(wanted());
    until(&mailbox, |status| status.taken == 300).await;
    let status = looked_again(&mailbox).await;
    assert_eq!((status.taken, status.left.len(), status.unreachable), (300, 0, None));
    mailbox.stop().await;
    let sorted = |mut all: Vec<Vec<u8>>| {
        all.sort_unstable();
        all
    };
    assert!(sorted(world.held().await) == sorted(sent), "what was taken is what was sent");
    assert_eq!(world.records(Kind::Delta).await.len(), 2);
    assert_eq!(world.records(Kind::Fetched).await.len(), 300);
    // Each was read once, at most three at once, and nobody has read them, as far as people see.
    assert_eq!(world.calls("value"), 300);
    assert!(world.control.most_abreast(POST) <= 4, "{}", world.control.most_abreast(POST));
    let lying = world.control.messages(POST, "inbox");
    assert!(lying.iter().all(|it| !it.is_read && it.categories.is_empty() && it.properties.is_empty()));
    // A start later nothing comes again, nor when people change something.
    world.control.read_message(POST, &lying[0].id);
    let mailbox = world.open(wanted());
    looked_again(&mailbox).await;
    assert_eq!((mailbox.status().taken, mailbox.status().begun), (0, 0));
    mailbox.stop().await;
    assert_eq!((world.intakes().await.len(), world.calls("value")), (300, 300));
}

/// The process may end at any moment.
#[test]
fn a_reader_that_is_killed_takes_nothing_twice_and_misses_nothing() {
    let world = World::new();
    world.control.update_switches(|it| it.page = 9);
    let names: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    for name in &names {
        world.deliver(name);
    }
    for kills in 1..=5 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mailbox = {
            let _inside = runtime.enter();
            world.open(options())
        };
        let taken = runtime.block_on(until(&mailbox, |status| status.taken >= 5 + kills));
        assert!(taken.taken < 60);
        runtime.shutdown_timeout(Duration::from_secs(20));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mailbox = world.open(options());
        looked_again(&mailbox).await;
        looked_again(&mailbox).await;
        mailbox.stop().await;
        assert_eq!(world.subjects().await, once(names.iter().map(String::as_str)));
        assert_eq!(world.records(Kind::Fetched).await.len(), 60);
    });
}

/// F30.
#[tokio::test]
async fn a_link_that_is_too_old_brings_nothing_in_twice() {
    let world = World::new();
    world.control.update_switches(|it| it.page = 2);
    for name in ["1", "2", "3", "4", "5"] {
        world.deliver(name);
    }
    let mailbox = world.open(options());
    until(&mailbox, |status| status.taken == 5).await;
    world.control.forget_links();
    world.deliver("6");
    let status = until(&mailbox, |status| status.taken == 6).await;
    assert_eq!((status.begun, status.unreachable), (2, None));
    // When each came into its mailbox is known.
    let arrived = world.intakes().await.into_iter().map(|it| it.letter.unwrap().envelope.arrived);
    assert!(arrived.into_iter().all(|it| it == Some(world.clock.now())));
    looked_again(&mailbox).await;
    // While nobody looks, too; and in the middle of the pages.
    mailbox.stop().await;
    world.control.forget_links();
    let code = r#"{"error":{"code":"syncStateNotFound","message":""}}"#.to_owned();
    let gone = Action::Status { status: 410, headers: BTreeMap::default(), body: Some(code) };
    world.control.add_fault(Rule::on("delta", gone).fire(Fire::Nth(3)));
    world.deliver("7");
    let mailbox = world.open(options());
    let status = until(&mailbox, |status| status.taken == 1).await;
    assert!(status.begun >= 1, "{status:?}");
    looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2", "3", "4", "5", "6", "7"]));
    assert_eq!(world.calls("value"), 7, "what is known is not read again");
}

#[tokio::test]
async fn a_folder_is_read_from_its_beginning_now_and_then() {
    let world = World::new();
    world.deliver("1");
    let mailbox = world.open(GraphOptions { sweep: Duration::from_hours(24), ..options() });
    until(&mailbox, |status| status.taken == 1).await;
    looked_again(&mailbox).await;
    assert_eq!(mailbox.status().begun, 1);
    world.clock.advance(Duration::from_hours(25));
    until(&mailbox, |status| status.begun == 2).await;
    looked_again(&mailbox).await;
    let status = mailbox.status();
    mailbox.stop().await;
    assert_eq!((status.begun, status.taken, world.calls("value")), (2, 1, 1));
}

#[tokio::test]
async fn pages_may_be_empty_doubled_or_nonsense() {
    for flaw in
        [Flaw::EmptyPage, Flaw::Twice, Flaw::Nonsense, Flaw::ForeignLink, Flaw::NoLink, Flaw::SameLink]
    {
        let world = World::new();
        world.control.update_switches(|it| it.page = 2);
        for name in ["1", "2", "3", "4", "5"] {
            world.deliver(name);
        }
        for at in [1, 2, 4] {
            world.control.add_fault(Rule::on("delta", Action::Flaw { flaw }).fire(Fire::Nth(at)));
        }
        let mailbox = world.open(options());
        until(&mailbox, |status| status.taken == 5 && status.unreachable.is_none()).await;
        let status = looked_again(&mailbox).await;
        mailbox.stop().await;
        assert_eq!((status.left, status.troubles, status.unreachable), (vec![], vec![], None), "{flaw:?}");
        assert_eq!(world.subjects().await, once(["1", "2", "3", "4", "5"]), "{flaw:?}");
        assert_eq!(world.control.stats().calls.get("elsewhere"), None, "{flaw:?}");
    }
}

/// Another id wherever it goes, if one asks the wrong way.
#[tokio::test]
async fn a_message_that_is_moved_while_it_is_asked_for_is_taken_once() {
    let world = World::new();
    world.control.add_folder(POST, "msgfolderroot", "Akten");
    let (moved, gone) = (world.deliver("1"), world.deliver("2"));
    world.deliver("3");
    for id in [&moved, &gone] {
        let rule = Rule { when: content_of(id), ..Rule::on("value", Action::Hang {}) };
        world.control.add_fault(rule.fire(Fire::First(1)));
    }
    let folders = vec!["inbox".to_owned(), "Akten".to_owned()];
    let mailbox = world.open(GraphOptions { folders, ..options() });
    tokio::time::timeout(Duration::from_secs(30), async {
        while world.control.faults().iter().map(|it| it.2).sum::<u64>() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert!(world.control.move_message(POST, &moved, "Akten"));
    assert!(world.control.remove_message(POST, &gone));
    world.control.release();
    until(&mailbox, |status| status.taken == 2).await;
    let status = looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!((status.left, status.troubles, status.unreachable), (vec![], vec![], None));
    assert_eq!(world.subjects().await, once(["1", "3"]));
}

/// F28 with names instead of numbers.
#[tokio::test]
async fn a_folder_that_becomes_another_one_loses_nothing() {
    let world = World::new();
    world.control.add_folder(POST, "msgfolderroot", "Akten");
    for name in ["1", "2"] {
        world.control.deliver(POST, "Akten", &letter(name));
    }
    let mailbox =
        world.open(GraphOptions { folders: vec!["Akten".to_owned(), "inbox".to_owned()], ..options() });
    until(&mailbox, |status| status.taken == 2).await;
    // Removed, and one of that name is made anew, while others go on.
    world.control.remove_folder(POST, "Akten");
    world.deliver("inbox");
    let why = "Akten: there is no folder \"Akten\"";
    until(&mailbox, |status| status.troubles == [why] && status.taken == 3).await;
    world.control.add_folder(POST, "msgfolderroot", "Akten");
    for name in ["3", "4"] {
        world.control.deliver(POST, "Akten", &letter(name));
    }
    let status = until(&mailbox, |status| status.taken == 5 && status.troubles.is_empty()).await;
    assert_eq!(status.unreachable, None);
    // Renamed: it is read on, until it is looked what the name stands for.
    world.control.rename_folder(POST, "Akten", "Ablage");
    world.control.deliver(POST, "Ablage", &letter("5"));
    until(&mailbox, |status| status.taken == 6).await;
    world.clock.advance(Duration::from_hours(2));
    until(&mailbox, |status| !status.troubles.is_empty()).await;
    world.control.rename_folder(POST, "Ablage", "Akten");
    world.control.deliver(POST, "Akten", &letter("6"));
    until(&mailbox, |status| status.taken == 7 && status.troubles.is_empty()).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2", "inbox", "3", "4", "5", "6"]));
    assert_eq!(world.calls("value"), 7);
}

/// As if the intakes had been written and nothing else: a restored copy, a store of an earlier version.
#[tokio::test]
async fn what_no_record_knows_is_recognised_by_its_key() {
    let world = World::new();
    for name in ["1", "2", "3"] {
        world.deliver(name);
    }
    let mailbox = world.open(options());
    until(&mailbox, |status| status.taken == 3).await;
    mailbox.stop().await;
    let writes = [world.records(Kind::Delta).await, world.records(Kind::Fetched).await].concat();
    let writes = writes.into_iter().map(|it| Write::Remove { kind: it.kind, id: it.id, version: it.version });
    world.store.commit(Commit { writes: writes.collect(), events: Vec::new() }).await.unwrap();
    world.deliver("4");
    let mailbox = world.open(options());
    until(&mailbox, |status| status.taken == 1).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2", "3", "4"]));
    assert_eq!((world.records(Kind::Delta).await.len(), world.records(Kind::Fetched).await.len()), (1, 4));
}

#[tokio::test]
async fn what_somebody_still_writes_is_no_letter() {
    let world = World::new();
    let draft = world.deliver("1");
    world.control.set_draft(POST, &draft, true);
    world.deliver("2");
    let mailbox = world.open(options());
    until(&mailbox, |status| status.taken == 1).await;
    looked_again(&mailbox).await;
    assert_eq!(world.subjects().await, once(["2"]));
    world.control.set_draft(POST, &draft, false);
    until(&mailbox, |status| status.taken == 2).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1", "2"]));
}

#[tokio::test]
async fn a_mailbox_that_is_stopped_by_a_person_is_left_alone() {
    let world = World::new();
    let pause = Pause {
        door: "source/post".to_owned(),
        site: None,
        by: "ada".to_owned(),
        reason: "moving".to_owned(),
        since: world.clock.now(),
        until: None,
    };
    world.store.pause(pause).await.unwrap();
    world.deliver("1");
    let mailbox = world.open(options());
    until(&mailbox, |status| status.paused).await;
    let status = looked_again(&mailbox).await;
    assert_eq!((status.taken, status.paused, world.calls("delta")), (0, true, 0));
    world.store.resume("source/post", &Actor::person("ada"), world.clock.now()).await.unwrap();
    until(&mailbox, |status| status.taken == 1).await;
    assert!(!looked_again(&mailbox).await.paused);
    mailbox.stop().await;
}

#[tokio::test]
async fn without_room_nothing_is_asked_for_and_nothing_passed() {
    let world = World::with_reserve(u64::MAX / 4);
    world.deliver("1");
    let mailbox = world.open(options());
    let status = until(&mailbox, |status| status.refusing.is_some()).await;
    assert!(status.refusing.as_ref().unwrap().contains("bytes are free"), "{status:?}");
    let status = looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!((status.taken, status.left.len(), status.unreachable), (0, 0, None));
    assert_eq!((world.records(Kind::Delta).await, world.calls("value")), (vec![], 0));
}

#[tokio::test]
async fn what_cannot_be_wanted_is_refused_before_anything_is_asked() {
    let world = World::new();
    let no_folder = GraphOptions { folders: Vec::new(), ..options() };
    assert_eq!(world.refused(no_folder), "no folder is named");
    let circle = GraphOptions { after: GraphAfter::Move("Inbox".to_owned()), ..options() };
    assert_eq!(
        world.refused(circle),
        "\"Inbox\" is read and cannot be where messages go once they are filed"
    );
    assert_eq!(world.control.stats().calls.len(), 0);
}

/// The mailbox is at another address now: a national cloud, a proxy.
#[tokio::test]
async fn a_kept_link_of_another_endpoint_is_as_good_as_too_old() {
    let world = World::new();
    for name in ["1", "2"] {
        world.deliver(name);
    }
    let mailbox = world.open(options());
    until(&mailbox, |status| status.taken == 2).await;
    mailbox.stop().await;
    let mut delta: Delta = record::page(&*world.store, None, None, 10).await.unwrap().remove(0);
    delta.link =
        "https://graph.elsewhere.example/v1.0/users/x/mailFolders/y/messages/delta?$deltatoken=z".to_owned();
    delta.version += 1;
    let writes = vec![delta.put().unwrap()];
    world.store.commit(Commit { writes, events: Vec::new() }).await.unwrap();
    world.deliver("3");
    let mailbox = world.open(options());
    let status = until(&mailbox, |status| status.taken == 1).await;
    mailbox.stop().await;
    assert_eq!((status.begun, world.calls("value")), (1, 3));
    assert_eq!(world.subjects().await, once(["1", "2", "3"]));
}
