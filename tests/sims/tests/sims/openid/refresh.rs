//! Refresh tokens: rotation, reuse, grace, races, and what is counted of them.

use postroom_sims::openid::TokenEventKind::{
    AccessIssued, CodeIssued, CodeUsed, RefreshForgiven, RefreshIssued, RefreshUsed,
};
use postroom_sims::openid::{Action, Fire, GrantStats, Reuse, Rule};

use super::support::World;
use crate::browser::text;

#[tokio::test]
async fn an_old_refresh_token_meets_the_reuse_that_is_set() {
    for (reuse, grace, minutes, old, newer) in [
        (Reuse::Revoke, 0, 0, 400, 400),
        (Reuse::Refuse, 0, 0, 400, 200),
        (Reuse::Accept, 0, 0, 200, 200),
        (Reuse::Revoke, 120_000, 1, 200, 200),
        (Reuse::Revoke, 120_000, 3, 400, 400),
    ] {
        let world = World::new();
        world.control.update_switches(|s| {
            s.refresh_reuse = reuse;
            s.refresh_grace_ms = grace;
        });
        let first = text(&world.sign_in("m.patel@firm.example").await["refresh_token"]);
        let second = text(&world.refresh(&first).await.1["refresh_token"]);
        assert_ne!(first, second);
        world.hand.minutes(minutes);
        let case = format!("{reuse:?}, grace {grace} ms, after {minutes} min");
        assert_eq!(world.refresh(&first).await.0.as_u16(), old, "{case}");
        assert_eq!(world.refresh(&second).await.0.as_u16(), newer, "{case}");
        let stats = world.control.stats().tokens;
        let forgiven = u64::from(old == 200);
        assert_eq!((stats.stale_refresh_uses, stats.forgiven_refresh_uses), (1, forgiven), "{case}");
        let grants = world.control.grants();
        let expected = GrantStats {
            grant: 1,
            person: "sub-mpatel".into(),
            client: "postroom".into(),
            refreshes: 1 + forgiven + u64::from(newer == 200),
            peak: 1,
            stale: 1,
            forgiven,
            revoked_uses: u64::from(newer == 400),
            revoked: newer == 400,
        };
        assert_eq!(grants, [expected], "{case}");
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_old_token_behind() {
    let world = World::new();
    world.control.update_switches(|s| s.refresh_grace_ms = 60_000);
    let first = text(&world.sign_in("m.patel@firm.example").await["refresh_token"]);
    world.control.add_fault(Rule::on("token", Action::LoseAnswer {}).fire(Fire::First(1)));
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", first.as_str()),
        ("client_id", "postroom"),
        ("client_secret", "postroom-openid-secret"),
    ];
    let lost = world.http.post(format!("{}/token", world.sim.url())).form(&form).send().await;
    assert!(lost.is_err());
    assert_eq!(world.refresh(&first).await.0, 200);
    let kinds: Vec<_> = world.control.token_events().into_iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [
            CodeIssued,
            CodeUsed,
            AccessIssued,
            RefreshIssued,
            RefreshUsed,
            AccessIssued,
            RefreshIssued,
            RefreshForgiven,
            AccessIssued,
            RefreshIssued
        ]
    );
}

#[tokio::test]
async fn two_refreshes_at_once_are_seen() {
    let world = World::new();
    let first = text(&world.sign_in("m.patel@firm.example").await["refresh_token"]);
    let other = text(&world.sign_in("j.reed@firm.example").await["refresh_token"]);
    let rule = world.control.add_fault(Rule::on("token", Action::Hang {}));
    let calls = async { tokio::join!(world.refresh(&first), world.refresh(&first), world.refresh(&other)) };
    let release = async {
        while world.control.stats().tokens.refreshes_in_flight < 3 {
            tokio::task::yield_now().await;
        }
        while world.control.faults().iter().any(|(_, _, fired)| *fired < 3) {
            tokio::task::yield_now().await;
        }
        world.control.remove_fault(rule);
        world.control.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    let mut statuses = [answers.0.0.as_u16(), answers.1.0.as_u16(), answers.2.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 400]);
    let stats = world.control.stats().tokens;
    assert_eq!((stats.refreshes_peak, stats.refreshes_peak_per_grant, stats.refreshes_in_flight), (3, 2, 0));
    let peaks: Vec<_> = world.control.grants().iter().map(|g| (g.person.clone(), g.peak)).collect();
    assert_eq!(peaks, [("sub-mpatel".to_owned(), 2), ("sub-jreed".to_owned(), 1)]);
}

#[tokio::test]
async fn refresh_tokens_end_by_age_by_idleness_and_by_hand() {
    let world = World::new();
    let day = 24 * 60;
    world.control.update_switches(|s| {
        s.refresh_days = 10;
        s.refresh_idle_days = Some(3);
        s.rotate_refresh = false;
    });
    let refresh = text(&world.sign_in("m.patel@firm.example").await["refresh_token"]);
    for _ in 0..3 {
        world.hand.minutes(3 * day - 1);
        let (status, tokens) = world.refresh(&refresh).await;
        assert_eq!((status.as_u16(), text(&tokens["refresh_token"])), (200, refresh.clone()));
    }
    world.hand.minutes(2 * day);
    assert_eq!(world.refresh(&refresh).await.1["error_description"], "The refresh token has expired");
    let refresh = text(&world.sign_in("m.patel@firm.example").await["refresh_token"]);
    world.hand.minutes(3 * day + 1);
    assert_eq!(world.refresh(&refresh).await.1["error"], "invalid_grant");

    let tokens = world.sign_in("m.patel@firm.example").await;
    assert_eq!(world.control.revoke("m.patel@firm.example"), 3);
    assert_eq!(world.refresh(&text(&tokens["refresh_token"])).await.1["error"], "invalid_grant");
    assert_eq!(world.userinfo(&text(&tokens["access_token"])).await.0, 401);
    assert_eq!(world.control.grants()[2].revoked_uses, 2);

    let tokens = world.sign_in("m.patel@firm.example").await;
    let form = [
        ("token", text(&tokens["refresh_token"])),
        ("client_id", "postroom".to_owned()),
        ("client_secret", "postroom-openid-secret".to_owned()),
    ];
    let revoked = world.http.post(format!("{}/revoke", world.sim.url())).form(&form).send().await.unwrap();
    assert_eq!(revoked.status(), 200);
    assert_eq!(world.userinfo(&text(&tokens["access_token"])).await.0, 401);

    let tokens = world.sign_in("m.patel@firm.example").await;
    world.control.update_person("m.patel@firm.example", |p| p.disabled = true);
    assert_eq!(world.refresh(&text(&tokens["refresh_token"])).await.1["error"], "invalid_grant");
}
