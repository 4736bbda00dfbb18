//! Nothing happens to a message before its intake is through, and then what is wanted, once.

use std::collections::BTreeMap;

use postroom_domain::intake::IntakeState;
use postroom_domain::record::Kind;
use postroom_inbound::graph::{GraphAfter, GraphOptions, Marks};
use postroom_sims::graph::{Action, Fire, MessageView, Rule};
use serde_json::{Value, json};

use crate::world::{POST, PROPERTY, World, looked_again, options, until};

/// Subjects with their categories and what the property says of the state.
fn seen(them: &[MessageView]) -> Vec<(&str, String, String)> {
    let property = |it: &MessageView| {
        let value: Value =
            serde_json::from_str(it.properties.get(PROPERTY).map_or("{}", String::as_str)).unwrap();
        value["state"].as_str().unwrap_or_default().to_owned()
    };
    them.iter().map(|it| (it.subject.as_str(), it.categories.join(" "), property(it))).collect()
}

fn rows(them: &[(&'static str, &str, &str)]) -> Vec<(&'static str, String, String)> {
    them.iter()
        .map(|(subject, categories, state)| (*subject, (*categories).to_owned(), (*state).to_owned()))
        .collect()
}

/// Subjects, categories and the property's state.
type Seen<'a> = &'a [(&'static str, &'a str, &'a str)];
/// What is wanted, what is in the folder afterwards, another folder, and what is there.
type Row<'a> = (GraphAfter, Seen<'a>, &'a str, Seen<'a>);

#[tokio::test]
async fn messages_are_cleaned_up_when_they_are_through() {
    let marked =
        [("1", "Filed", "settled"), ("2", "", "dismissed"), ("3", "", ""), ("4", "Red Filed", "settled")];
    let (left, gone) = ([("3", "", "")], [marked[0], marked[1], marked[3]]);
    let bare = [("1", "", ""), ("2", "", ""), ("4", "Red", "")];
    let table: [Row<'_>; 4] = [
        (GraphAfter::Stay, &marked, "archive", &[]),
        (GraphAfter::Move("archive".to_owned()), &left, "archive", &gone),
        (GraphAfter::Move("Erledigt/2026 – Übergabe".to_owned()), &left, "Erledigt/2026 – Übergabe", &gone),
        (GraphAfter::Delete, &left, "deleteditems", &bare),
    ];
    for (after, left, elsewhere, moved) in table {
        let world = World::new();
        let ids: Vec<String> = ["1", "2", "3", "4"].iter().map(|it| world.deliver(it)).collect();
        let mailbox = world.open(GraphOptions { after: after.clone(), ..options() });
        until(&mailbox, |status| status.taken == 4).await;
        looked_again(&mailbox).await;
        assert_eq!(["patch", "move", "delete"].map(|it| world.calls(it)), [0, 0, 0], "{after:?}");
        // A person's category stays.
        world.control.categorise(POST, &ids[3], &["Red"]);
        let intake = world.end("1", IntakeState::Settled).await;
        world.end("2", IntakeState::Dismissed).await;
        world.end("3", IntakeState::NeedsPerson).await;
        world.end("4", IntakeState::Settled).await;
        until(&mailbox, |status| status.cleaned == 3).await;
        let status = looked_again(&mailbox).await;
        assert_eq!((status.cleaned, status.taken, status.troubles), (3, 4, vec![]), "{after:?}");
        mailbox.stop().await;
        let lying = world.control.messages(POST, "inbox");
        assert_eq!(seen(&lying), rows(left), "{after:?}");
        let others = world.control.messages(POST, elsewhere);
        assert_eq!(seen(&others), rows(moved), "{after:?}");
        if after == GraphAfter::Stay {
            let value: Value = serde_json::from_str(&lying[0].properties[PROPERTY]).unwrap();
            assert_eq!(value, json!({"intake": intake, "state": "settled", "filed": true}));
        }
        // Once: what a person does with it afterwards stays, and it is known for good.
        world.control.categorise(POST, &ids[0], &[]);
        let mailbox = world.open(GraphOptions { after: after.clone(), ..options() });
        looked_again(&mailbox).await;
        mailbox.stop().await;
        let all = [world.control.messages(POST, "inbox"), world.control.messages(POST, elsewhere)].concat();
        assert_eq!(all.iter().find(|it| it.id == ids[0]).unwrap().categories, [] as [&str; 0]);
        assert_eq!((world.records(Kind::Fetched).await.len(), world.calls("value")), (4, 4), "{after:?}");
    }
}

#[tokio::test]
async fn what_a_person_moved_meanwhile_is_marked_where_it_is() {
    for after in [GraphAfter::Move("archive".to_owned()), GraphAfter::Delete] {
        let world = World::new();
        world.control.add_folder(POST, "msgfolderroot", "Mine");
        let (moved, gone) = (world.deliver("1"), world.deliver("2"));
        let mailbox = world.open(GraphOptions { after: after.clone(), ..options() });
        until(&mailbox, |status| status.taken == 2).await;
        world.control.move_message(POST, &moved, "Mine");
        world.control.remove_message(POST, &gone);
        world.end("1", IntakeState::Settled).await;
        world.end("2", IntakeState::Settled).await;
        until(&mailbox, |status| status.cleaned == 2).await;
        mailbox.stop().await;
        let mine = world.control.messages(POST, "Mine");
        let category = if after == GraphAfter::Delete { "" } else { "Filed" };
        assert_eq!((mine.len(), mine[0].categories.join(" ").as_str()), (1, category), "{after:?}");
    }
}

#[tokio::test]
async fn what_is_in_the_way_of_marking_is_told_and_letters_come_in() {
    let conflict = Action::Status { status: 409, headers: BTreeMap::new(), body: None };
    let lost = Action::LoseAnswer {};
    for (operation, action) in [
        ("patch", conflict.clone()),
        ("patch", lost.clone()),
        ("move", conflict),
        ("move", lost),
        ("patch", Action::CommitThenStatus { status: 503 }),
    ] {
        let world = World::new();
        world.deliver("1");
        let rule = Rule::on(operation, action.clone());
        world.control.add_fault(rule.fire(Fire::First(2)));
        let after = GraphAfter::Move("Filed".to_owned());
        let mailbox = world.open(GraphOptions { after, ..options() });
        until(&mailbox, |status| status.taken == 1).await;
        world.end("1", IntakeState::Settled).await;
        until(&mailbox, |status| status.cleaned == 1).await;
        world.deliver("2");
        until(&mailbox, |status| status.taken == 2 && status.unreachable.is_none()).await;
        let status = looked_again(&mailbox).await;
        assert_eq!((status.cleaned, status.troubles), (1, vec![]), "{operation} {action:?}");
        mailbox.stop().await;
        let filed = world.control.messages(POST, "Filed");
        assert_eq!(seen(&filed), rows(&[("1", "Filed", "settled")]), "{operation} {action:?}");
    }
}

#[tokio::test]
async fn without_the_right_to_change_messages_are_read_all_the_same() {
    let world = World::new();
    world.control.update_switches(|it| it.may_write = false);
    world.deliver("1");
    let mailbox = world.open(options());
    until(&mailbox, |status| status.taken == 1).await;
    world.end("1", IntakeState::Settled).await;
    let status = until(&mailbox, |status| !status.troubles.is_empty()).await;
    let why =
        "what is filed cannot be marked: the application may not do that in this mailbox (403, AccessDenied)";
    assert_eq!((status.troubles, status.unreachable), (vec![why.to_owned()], None));
    world.deliver("2");
    until(&mailbox, |status| status.taken == 2).await;
    world.control.update_switches(|it| it.may_write = true);
    until(&mailbox, |status| status.cleaned == 1 && status.troubles.is_empty()).await;
    mailbox.stop().await;
}

#[tokio::test]
async fn without_marks_nothing_is_written() {
    let world = World::new();
    world.deliver("1");
    let mailbox = world.open(GraphOptions { marks: Marks::default(), ..options() });
    until(&mailbox, |status| status.taken == 1).await;
    world.end("1", IntakeState::Settled).await;
    until(&mailbox, |status| status.cleaned == 1).await;
    mailbox.stop().await;
    assert_eq!(["patch", "move", "delete"].map(|it| world.calls(it)), [0, 0, 0]);
}
