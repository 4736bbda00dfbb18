//! Workspaces that are not there, not the only ones, or not open: never a wrong matter, always a stated reason.

use postroom_sims::imanage::Access;
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use serde_json::json;

use crate::document;

#[tokio::test]
async fn targets_that_cannot_be_used_have_their_state_and_cause() {
    let mut world = World::new("targets").with_imanage(sample()).start().await;
    let op = world.op();
    // Matter, state, cause.
    let table = [
        ("10442-0003", "failed", "target_closed"),
        ("10442-0777", "failed", "target_ambiguous"),
        // Not there, or behind a wall, which looks the same: indexes may be late, so it waits before it asks a person.
        ("10442-0999", "waiting", "target_not_found"),
        ("10630-0004", "waiting", "target_not_found"),
    ];
    for (number, (matter, state, cause)) in table.into_iter().enumerate() {
        let accepted = world.deposit(Upload::to(matter).file("a.pdf", document(number as u64))).await;
        let id = accepted.filing().to_owned();
        let filing = until(&format!("{matter} is {state} with {cause}"), PATIENCE, || async {
            let filing = op.filing(&id).await;
            let there =
                filing["state"] == state && filing["cause"]["code"] == cause && filing["why"] != "first_try";
            (there && (state != "waiting" || filing["tries"].as_u64() >= Some(2))).then_some(filing)
        })
        .await;
        assert!(!filing["cause"]["sentence"].as_str().unwrap().is_empty());
        assert!(!filing["next_step"].as_str().unwrap().is_empty());
    }
    assert_eq!(world.deposits(), [], "something was filed somewhere");
    let causes = op.ok("/api/v1/causes").await;
    let named: Vec<&str> = causes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["cause"]["code"].as_str().unwrap())
        .collect();
    for cause in ["target_closed", "target_ambiguous", "target_not_found"] {
        assert!(named.contains(&cause), "{causes:#}");
    }
}

#[tokio::test]
async fn a_person_chooses_between_twins() {
    let mut world = World::new("twins").with_imanage(sample()).start().await;
    let accepted = world.deposit(Upload::to("10442-0777").file("a.pdf", document(1))).await;
    let id = accepted.filing().to_owned();
    world.in_state(&id, &["failed"]).await;
    let workspaces = world.sim("dms").control().workspaces();
    let twin = workspaces.iter().find(|workspace| workspace.name == "Twin 3787").unwrap();
    let edit = json!({"reason": "the newer one", "workspace": {"id": twin.id}});
    world.op().decide(&id, "edit", &edit).await.expect(200);
    world.in_state(&id, &["filed"]).await;
    let entry = world.sim("dms").control().ledger().remove(0);
    assert_eq!(entry.workspace, twin.id, "{entry:?}");
    world.assert_exactly_once(&[accepted]).await;
}

#[tokio::test]
async fn a_right_that_is_taken_away_is_seen_and_given_back() {
    let mut world = World::new("rights").with_imanage(sample()).start().await;
    let control = world.sim("dms").control();
    assert!(control.set_access(3650, Some("POSTROOM"), Access::Read));
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let id = accepted.filing().to_owned();
    let filing = world.in_state(&id, &["failed"]).await;
    assert_eq!(filing["cause"]["code"], "no_right", "{filing:#}");
    assert!(control.set_access(3650, Some("POSTROOM"), Access::FullAccess));
    world.op().decide(&id, "retry", &json!({"reason": "rights are back"})).await.expect(200);
    world.in_state(&id, &["filed"]).await;
    world.assert_exactly_once(&[accepted]).await;
}
