//! One bad message costs nobody else anything.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::record::Kind;
use postroom_inbound::graph::GraphOptions;
use postroom_sims::graph::{Action, Fire, Flaw, Rule};

use crate::world::{POST, World, content_of, letter, looked_again, once, options, until};

fn status(status: u16, code: &str) -> Action {
    let body = format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"\"}}}}");
    Action::Status { status, headers: BTreeMap::new(), body: Some(body) }
}

#[tokio::test]
async fn one_bad_message_is_named_and_its_neighbours_are_taken() {
    // What is wrong, and what is said of it.
    let table = [
        (status(504, ""), "Microsoft Graph does not do its work at present (504)"),
        (status(500, "ErrorInternalServerError"), "(500, InternalServerError)"),
        (status(400, "ErrorMimeContentInvalid"), "Microsoft Graph refuses it (400, MimeContentInvalid)"),
        (status(507, ""), "Microsoft Graph refuses it (507)"),
        (Action::Html {}, "a web page came instead of the message"),
        (Action::CutAnswer { after: 20 }, "its content broke off"),
        (Action::Close {}, "Microsoft Graph cannot be asked: "),
        (Action::Flaw { flaw: Flaw::Empty }, "the server gives no content"),
    ];
    for (action, why) in table {
        let world = World::new();
        world.control.update_switches(|it| it.page = 2);
        for name in ["1", "2", "3"] {
            world.deliver(name);
        }
        let bad = world.deliver("bad");
        for name in ["4", "5"] {
            world.deliver(name);
        }
        let rule = Rule { when: content_of(&bad), ..Rule::on("value", action.clone()) };
        world.control.add_fault(rule);
        let mailbox = world.open(options());
        let status = until(&mailbox, |it| it.taken == 5 && !it.left.is_empty()).await;
        assert_eq!(
            (&status.left[0].item, status.left.len(), &status.unreachable),
            (&bad, 1, &None),
            "{action:?}"
        );
        assert!(status.left[0].why.contains(why), "{action:?}: {status:?}");
        // It is not asked for again and again.
        let asked = world.calls("value");
        assert_eq!(asked, 5 + 3, "{action:?}");
        looked_again(&mailbox).await;
        assert_eq!(world.calls("value"), asked, "{action:?}");
        // Later it is well again.
        world.control.clear_faults();
        world.clock.advance(Duration::from_mins(16));
        let status = until(&mailbox, |it| it.taken == 6 && it.left.is_empty()).await;
        assert_eq!(status.troubles, [] as [String; 0], "{action:?}");
        mailbox.stop().await;
        assert_eq!(world.subjects().await, once(["1", "2", "3", "4", "5", "bad"]), "{action:?}");
    }
}

#[tokio::test]
async fn many_bad_messages_in_a_row_stop_the_look_and_not_the_mailbox() {
    let world = World::new();
    let bad: Vec<String> = (0..7).map(|it| world.deliver(&format!("bad {it}"))).collect();
    for id in &bad {
        world.control.add_fault(Rule { when: content_of(id), ..Rule::on("value", status(504, "")) });
    }
    world.deliver("good");
    let mailbox = world.open(options());
    until(&mailbox, |it| it.taken == 1 && it.left.len() == 7).await;
    let status = looked_again(&mailbox).await;
    assert_eq!((status.unreachable, status.left.len()), (None, 7));
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["good"]));
}

#[tokio::test]
async fn a_message_that_is_gone_by_then_is_no_trouble() {
    let world = World::new();
    for (name, action) in [
        ("1", status(404, "ErrorItemNotFound")),
        // A stale id may be answered so, before any look.
        ("2", status(400, "ErrorInvalidIdMalformed")),
    ] {
        let id = world.deliver(name);
        world.control.add_fault(Rule { when: content_of(&id), ..Rule::on("value", action) });
    }
    world.deliver("3");
    let mailbox = world.open(options());
    until(&mailbox, |it| it.taken == 1).await;
    let status = looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!((status.left, status.troubles, status.unreachable), (vec![], vec![], None));
}

#[tokio::test]
async fn a_message_that_is_too_large_stays_where_it_is_and_is_named() {
    let world = World::new();
    world.deliver("1");
    let large = [letter("2"), b"x".repeat(70_000)].concat();
    let id = world.control.deliver(POST, "inbox", &large);
    world.deliver("3");
    let mailbox = world.open(GraphOptions { largest: 60_000, ..options() });
    until(&mailbox, |it| it.taken == 2).await;
    let status = until(&mailbox, |it| !it.left.is_empty()).await;
    let why = format!("it has {} bytes, and at most 60000 are taken", large.len());
    assert_eq!((&status.left[0].item, &status.left[0].why, status.left.len()), (&id, &why, 1));
    // Looking again and again does not write again and again.
    let version = world.records(Kind::Delta).await[0].version;
    looked_again(&mailbox).await;
    assert_eq!(world.records(Kind::Delta).await[0].version, version);
    mailbox.stop().await;
    // With another limit it is taken, however far the link is.
    let mailbox = world.open(options());
    until(&mailbox, |it| it.taken == 1).await;
    assert_eq!(looked_again(&mailbox).await.left, []);
    // One that is left and then removed by a person is forgotten.
    mailbox.stop().await;
    assert!(world.held().await[2] == large);
}

#[tokio::test]
async fn a_message_that_is_left_and_then_removed_is_forgotten() {
    let world = World::new();
    let id = world.deliver("1");
    world.control.add_fault(Rule { when: content_of(&id), ..Rule::on("value", status(400, "")) });
    let mailbox = world.open(options());
    until(&mailbox, |it| it.left.len() == 1).await;
    world.control.remove_message(POST, &id);
    until(&mailbox, |it| it.left.is_empty()).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await.len(), 0);
}

#[tokio::test]
async fn the_server_is_away_and_comes_back() {
    let world = World::new();
    for (operation, action) in [
        ("token", status(503, "")),
        ("folder", status(503, "")),
        ("delta", status(502, "")),
        ("delta", Action::Html {}),
        ("delta", Action::Close {}),
    ] {
        let name = format!("after {operation} {action:?}");
        world.control.add_fault(Rule::on(operation, action).fire(Fire::First(2)));
        world.deliver(&name);
        // A look at the beginning, so that all of them are asked.
        world.control.expire_access_tokens();
        let mailbox = world.open(options());
        until(&mailbox, |it| it.unreachable.is_some()).await;
        until(&mailbox, |it| it.unreachable.is_none() && it.taken == 1).await;
        mailbox.stop().await;
        world.control.clear_faults();
    }
    assert_eq!(world.intakes().await.len(), 5);
}
