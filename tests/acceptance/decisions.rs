//! A person's decisions, each with the version that was looked at, and stops that survive a restart.

use std::time::Duration;

use postroom_sims::imanage::{Action, Rule};
use postroom_tests::wait::PATIENCE;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use reqwest::Method;
use serde_json::json;

use crate::document;

#[tokio::test]
async fn every_decision_asks_for_the_version_and_the_state() {
    let mut world = World::new("decisions").with_imanage(sample()).start().await;
    let op = world.op();
    let filed = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&filed)).await;
    // The workspace is closed: this one fails.
    let failed = world.deposit(Upload::to("10442-0003").file("b.pdf", document(2))).await;
    let failed = failed.filing().to_owned();
    let filing = world.in_state(&failed, &["failed"]).await;
    assert_eq!(filing["cause"]["code"], "target_closed", "{filing:#}");
    assert_eq!(filing["owner"], "person");

    // Filing, decision, body, version, status.
    let reason = json!({"reason": "test"});
    let table = [
        (filed.filing(), "retry", json!({}), Some(0), 409),
        (filed.filing(), "hold", json!({}), Some(0), 409),
        (filed.filing(), "release", json!({}), Some(0), 409),
        (filed.filing(), "cancel", reason.clone(), Some(0), 409),
        (filed.filing(), "link", json!({"reason": "x", "document": "ACTIVE!1.1"}), Some(0), 409),
        (&failed, "hold", json!({}), Some(0), 409),
        (&failed, "release", json!({}), Some(0), 409),
        (&failed, "cancel", json!({}), Some(0), 400),
        (&failed, "cancel", json!({"reason": ""}), Some(0), 400),
        (&failed, "cancel", json!({"reason": "x", "resaon": "y"}), Some(0), 400),
        (&failed, "edit", json!({"reason": "x"}), Some(0), 400),
        (&failed, "edit", json!({"reason": "x", "service": "nowhere"}), Some(0), 400),
        (&failed, "retry", json!({}), None, 428),
        (&failed, "retry", json!({}), Some(1), 412),
        ("0192f0c1-5b7e-7000-8000-000000000001", "retry", json!({}), Some(1), 404),
        ("not-an-id", "retry", json!({}), Some(1), 404),
    ];
    for (id, decision, body, version, status) in table {
        let path = format!("/api/v1/filings/{id}/{decision}");
        let version = match version {
            Some(0) => op.filing(id).await["version"].as_u64(),
            other => other,
        };
        let answer = op.call(Method::POST, &path, &body, version).await;
        let same = answer.status == status || (id == "not-an-id" && answer.status == 400);
        assert!(same, "{decision} {body} with version {version:?}: {} {}", answer.status, answer.text());
        assert!(!answer.code().is_empty(), "{}", answer.text());
    }
    assert_eq!(
        op.filing(&failed).await["version"],
        filing["version"],
        "a refused decision changed something"
    );

    // Two people at once: one wins, the other is told.
    let path = format!("/api/v1/filings/{failed}/cancel");
    let version = filing["version"].as_u64();
    let (one, two) = tokio::join!(
        op.call(Method::POST, &path, &reason, version),
        op.call(Method::POST, &path, &reason, version)
    );
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 412], "{} {}", one.text(), two.text());
    let filing = world.in_state(&failed, &["cancelled"]).await;
    let history = filing["events"].to_string();
    assert!(history.contains("\"operator\"") && history.contains("test"), "{history}");
    assert_eq!(world.deposits().len(), 1);
}

#[tokio::test]
async fn hold_release_and_pause_win_over_the_scheduler_and_survive_restarts() {
    let mut world = World::new("pause").with_imanage(sample()).start().await;
    let op = world.op();
    let answer = op.post("/api/v1/destinations/dms/pause", &json!({})).await;
    assert_eq!(answer.status, 400, "a pause needs a reason: {}", answer.text());
    op.post("/api/v1/destinations/nowhere/pause", &json!({"reason": "x"})).await.expect(404);
    op.post("/api/v1/destinations/dms/pause", &json!({"reason": "maintenance window"})).await.expect(200);

    let mut all = Vec::new();
    for number in 0..6 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    let held = all[0].filing().to_owned();
    world.in_state(&held, &["waiting", "blocked"]).await;
    // Held while it waits or is blocked, whichever the pause makes of it just now.
    let answer = op
        .call(Method::POST, &format!("/api/v1/filings/{held}/hold"), &json!({"reason": "ask first"}), None)
        .await;
    assert_eq!(answer.status, 428);
    let mut tries = 0;
    while op.decide(&held, "hold", &json!({"reason": "ask first"})).await.status != 200 {
        tries += 1;
        assert!(tries < 20, "{:#}", op.filing(&held).await);
    }
    let cancelled = all[1].filing().to_owned();
    while op.decide(&cancelled, "cancel", &json!({"reason": "sent by mistake"})).await.status != 200 {
        tries += 1;
        assert!(tries < 40, "{:#}", op.filing(&cancelled).await);
    }

    world.stop().await;
    world.start().await;
    world.kill().await;
    world.start().await;
    let summary = op.ok("/api/v1/summary").await;
    let door = &summary["destinations"][0];
    assert!(door["state"] == "paused" && door.to_string().contains("maintenance window"), "{door:#}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.sim("dms").control().stats().total("upload"), 0, "a paused destination was written to");
    assert_eq!(op.filing(&held).await["state"], "held");

    op.post("/api/v1/destinations/dms/resume", &json!({})).await.expect(200);
    world.all_filed(&all[2..]).await;
    assert_eq!(op.filing(&held).await["state"], "held");
    assert_eq!(op.filing(&cancelled).await["state"], "cancelled");
    op.decide(&held, "release", &json!({})).await.expect(200);
    world.in_state(&held, &["filed"]).await;
    all.remove(1);
    world.assert_exactly_once(&all).await;
}

#[tokio::test]
async fn an_edit_sends_a_failed_filing_elsewhere() {
    let mut world = World::new("edit").with_imanage(sample()).start().await;
    let op = world.op();
    let accepted = world.deposit(Upload::to("10442-0003").file("b.pdf", document(1))).await;
    let id = accepted.filing().to_owned();
    world.in_state(&id, &["failed"]).await;
    let edit = json!({
        "reason": "it belongs to the lease",
        "workspace": {"fields": {"custom1": "10442", "custom2": "0012"}},
        "file_name": "Lease, signed.pdf",
    });
    op.decide(&id, "edit", &edit).await.expect(200);
    let filing = world.in_state(&id, &["filed"]).await;
    assert_eq!(filing["file_name"], "Lease, signed.pdf");
    assert!(filing["events"].to_string().contains("it belongs to the lease"), "{filing:#}");
    let entry = world.sim("dms").control().ledger().remove(0);
    assert!(entry.workspace.ends_with("3660") || entry.workspace.contains("3660"), "{entry:?}");
    assert_eq!(entry.name, "Lease, signed");
    world.assert_exactly_once(&[accepted]).await;
}

/// Two copies with one mark: the DMS cannot tell which is right, so a person links one.
#[tokio::test]
async fn an_undecided_filing_is_linked_by_a_person() {
    let mut world = World::new("link").with_imanage(sample()).start().await;
    let op = world.op();
    let control = world.sim("dms").control();
    // The answers get lost and the index is far behind, for longer than the settings believe possible.
    control.update_switches(|switches| {
        switches.drop_after_commit = true;
        switches.index_delay_ms = 3_600_000;
        switches.listing_delay_ms = 3_600_000;
    });
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let id = accepted.filing().to_owned();
    postroom_tests::wait::until("two copies in the DMS", PATIENCE, || async {
        (control.ledger().len() >= 2).then_some(())
    })
    .await;
    control.update_switches(|switches| {
        switches.drop_after_commit = false;
        switches.index_delay_ms = 0;
        switches.listing_delay_ms = 0;
    });
    let filing = world.in_state(&id, &["undecided"]).await;
    assert_eq!(filing["owner"], "person");
    let entry = control.ledger().remove(0);
    let link = json!({"reason": "seen in Work", "document": entry.document, "container": entry.container});
    op.decide(&id, "link", &json!({"reason": "", "document": entry.document})).await.expect(400);
    op.decide(&id, "link", &link).await.expect(200);
    let filing = world.in_state(&id, &["filed"]).await;
    assert_eq!(filing["receipt"]["document"], json!(entry.document), "{filing:#}");
    let intake = op.intake(&accepted.intake).await;
    assert_eq!(intake["state"], "settled");
}

#[tokio::test]
async fn retry_now_cuts_a_pause_short() {
    let mut world = World::new("retry-now")
        .with_imanage(sample())
        .with_retry("first_seconds = 600\nlag_window_seconds = 1")
        .start()
        .await;
    world
        .fault(Rule::on("search_workspaces", Action::Status { status: 503, headers: [].into(), body: None }));
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let id = accepted.filing().to_owned();
    let op = world.op();
    postroom_tests::wait::until("a first try that failed", PATIENCE, || async {
        let filing = op.filing(&id).await;
        (filing["state"] == "waiting" && filing["cause"]["code"] == "server_fault").then_some(())
    })
    .await;
    world.no_faults();
    op.decide(&id, "retry", &json!({})).await.expect(200);
    world.in_state(&id, &["filed"]).await;
    world.assert_exactly_once(&[accepted]).await;
}
