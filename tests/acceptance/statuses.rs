//! Each answer that a DMS may give, once and for ever, leads to the state that the table of causes states; a lost answer
//! leads to exactly one document.

use std::collections::BTreeMap;

use postroom_sims::imanage::{Action, Fire, Rule};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};

use crate::document;

fn status(status: u16) -> Action {
    Action::Status { status, headers: BTreeMap::new(), body: None }
}

#[tokio::test]
async fn statuses_that_stay_lead_to_their_state() {
    // The upload is answered so every time: status, state, cause.
    let table = [
        (400, "failed", "rejected"),
        (403, "failed", "no_right"),
        (409, "failed", "conflict"),
        (413, "failed", "too_large"),
        (415, "failed", "wrong_type"),
        (422, "failed", "rejected"),
        (423, "waiting", "locked"),
        (451, "failed", "legal"),
        (501, "failed", "unsupported"),
    ];
    let mut world = World::new("statuses").with_imanage(sample()).start().await;
    let op = world.op();
    for (number, (code, state, cause)) in table.into_iter().enumerate() {
        world.fault(Rule::on("upload", status(code)));
        let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(number as u64))).await;
        let id = accepted.filing().to_owned();
        until(&format!("a filing answered with {code} is {state} with {cause}"), PATIENCE, || async {
            let filing = op.filing(&id).await;
            (filing["state"] == state && filing["cause"]["code"] == cause).then_some(())
        })
        .await;
        world.no_faults();
        // Mended and retried, each goes through: nothing is stuck behind it.
        op.decide(&id, "retry", &serde_json::json!({"reason": "mended"})).await.expect(200);
        world.in_state(&id, &["filed"]).await;
    }
    assert_eq!(world.deposits().len(), table.len());
}

#[tokio::test]
async fn statuses_that_pass_lead_to_one_document() {
    let mut world = World::new("passing")
        .with_imanage(sample())
        .with_retry("first_seconds = 1\ncap_seconds = 1\nlag_window_seconds = 1")
        .start()
        .await;
    let seconds = |code: u16, after: &str| Action::Status {
        status: code,
        headers: [("Retry-After".to_owned(), after.to_owned())].into(),
        body: None,
    };
    let lost = |code: u16| Action::CommitThenStatus { status: code, headers: BTreeMap::new(), body: None };
    // What happens to the first uploads of a document; in the end it is there once.
    let table: Vec<(&str, Action, u64)> = vec![
        ("401 once", status(401), 1),
        ("403 once", status(403), 1),
        ("408", status(408), 1),
        ("429 with seconds", seconds(429, "1"), 2),
        ("429 without", status(429), 2),
        ("429 with 0", seconds(429, "0"), 2),
        ("500 twice", status(500), 2),
        ("502 twice", status(502), 2),
        ("503 with seconds", seconds(503, "1"), 1),
        ("504", status(504), 1),
        ("closed before the body", Action::Close {}, 2),
        ("reset in the body", Action::ResetAfterRead { bytes: 10 }, 2),
        ("the answer cut in its head", Action::CutAnswer { after: 0 }, 1),
        ("the answer cut in its body", Action::CutAnswer { after: 20 }, 1),
        ("stored, answer lost", Action::LoseAnswer {}, 1),
        ("stored, 502 from a gateway", lost(502), 1),
        ("stored, 504 from a gateway", lost(504), 1),
        ("tokens expired", Action::ExpireTokens {}, 1),
        ("tokens revoked", Action::RevokeTokens {}, 1),
    ];
    let mut all = Vec::new();
    for (number, (what, action, times)) in table.into_iter().enumerate() {
        world.fault(Rule::on("upload", action).fire(Fire::First(times)));
        let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(number as u64))).await;
        let id = accepted.filing().to_owned();
        let filing = world.in_state(&id, &["filed", "failed", "undecided"]).await;
        assert_eq!(filing["state"], "filed", "{what}: {filing:#}");
        let copies = world.sim("dms").control().ledger();
        let mark = format!("postroom:{id}");
        let copies =
            copies.iter().filter(|e| e.comment.contains(&mark) || e.field.as_deref() == Some(&mark)).count();
        assert_eq!(copies, 1, "{what}: {filing:#}");
        world.no_faults();
        all.push(accepted);
    }
    world.assert_exactly_once(&all).await;
}

/// The search index is late: the document that answered nothing is found when the index has it, not sent again.
#[tokio::test]
async fn lost_answers_with_a_late_index_lead_to_one_document() {
    let mut world = World::new("late-index")
        .with_imanage(sample())
        .with_retry("first_seconds = 1\ncap_seconds = 1\nlag_window_seconds = 8")
        .with_imanage_settings("probe_lag_seconds = 8")
        .start()
        .await;
    let control = world.sim("dms").control();
    control.update_switches(|switches| {
        switches.index_delay_ms = 4_000;
        switches.listing_delay_ms = 4_000;
    });
    // Four: with five in a row the breaker would rightly open, and the rest would wait half a minute for it.
    world.fault(Rule::on("upload", Action::LoseAnswer {}).fire(Fire::First(4)));
    let mut all = Vec::new();
    for number in 0..8 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;
    assert_eq!(control.stats().committed, 8, "something was sent twice");
}

/// What was stored is not what was sent: noticed, and never called filed with the wrong bytes.
#[tokio::test]
async fn a_wrong_copy_is_noticed() {
    for (what, action) in [
        ("a truncated copy", Action::Truncate { bytes: 7 }),
        ("another size", Action::WrongSize { delta: 3 }),
    ] {
        let mut world = World::new("wrong-copy").with_imanage(sample()).start().await;
        world.fault(Rule::on("upload", action).fire(Fire::First(1)));
        let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
        let filing = world.in_state(accepted.filing(), &["filed", "undecided", "failed"]).await;
        let attempts = filing["attempts"].to_string();
        assert!(
            attempts.contains("wrong_copy") || attempts.contains("answer_lost"),
            "{what} went unseen: {filing:#}"
        );
        if filing["state"] == "filed" {
            let right = world.deposits().into_iter().filter(|d| d.hash == accepted.filings[0].1).count();
            assert!(right >= 1, "{what}: called filed, but the DMS has no right copy");
        }
    }
}
