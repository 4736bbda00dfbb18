//! Links: renewed once at a time, never lost, broken only by the service's own word.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use postroom_domain::capability::{Diagnosis as _, Level};
use postroom_domain::link::{
    AccessError, AccessTokens as _, Accounts as _, LinkError, LinkKeeper as _, LinkState, Standing, Whose,
};
use postroom_outbound::{Doctor, Round, expose};
use postroom_sims::openid::{Action, Fire, Rule};

use crate::world::World;

const MINA: &str = "m.patel@firm.example";
const REED: &str = "j.reed@firm.example";

#[tokio::test]
async fn callers_at_the_same_time_share_one_renewal() {
    let world = World::new();
    world.linked(1, MINA).await;
    world.control.add_fault(Rule::on("token", Action::Delay { ms: 150 }));
    world.clock.advance(Duration::from_mins(56));
    let calls = (0..20).map(|_| world.keeper.access(&world.service, Whose::Own(MINA)));
    let all = futures_util::future::join_all(calls).await;
    let first = all[0].as_ref().unwrap();
    for it in &all {
        let it = it.as_ref().unwrap();
        assert_eq!((it.generation, expose(&it.token)), (2, expose(&first.token)));
    }
    let stats = world.control.stats().tokens;
    assert_eq!((stats.count("refresh_token", "ok"), stats.refreshes_peak_per_grant), (1, 1));
    assert_eq!(world.happened("LinkRenewed"), 1);
}

#[tokio::test]
async fn a_refusal_of_an_old_token_gets_the_newer_one() {
    let world = World::new();
    world.linked(1, MINA).await;
    let (keeper, service, own) = (&world.keeper, &world.service, Whose::Own(MINA));
    assert_eq!(keeper.access(service, own).await.unwrap().generation, 1);
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(keeper.after_refusal(service, own, 1).await.unwrap().generation, 2);
    assert_eq!(keeper.after_refusal(service, own, 1).await.unwrap().generation, 2);
    let again = keeper.after_refusal(service, own, 2).await;
    assert!(matches!(again, Err(AccessError::Unavailable { until: Some(_), .. })), "{again:?}");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(keeper.after_refusal(service, own, 2).await.unwrap().generation, 3);
    assert_eq!(world.control.stats().tokens.total("refresh_token"), 2);
}

#[tokio::test]
async fn what_passes_breaks_no_link() {
    let world = World::new();
    let link = world.linked(1, MINA).await;
    let status = |status, headers: BTreeMap<String, String>| Action::Status { status, headers, body: None };
    let wait = BTreeMap::from([("Retry-After".to_owned(), "120".to_owned())]);
    for action in [
        Action::Html {},
        status(503, BTreeMap::new()),
        status(429, wait),
        status(400, BTreeMap::new()),
        Action::Close {},
        Action::Refuse {
            error: "temporarily_unavailable".into(),
            description: String::new(),
            form: postroom_sims::openid::TokenError::default(),
        },
    ] {
        world.clock.advance(Duration::from_mins(57));
        let shown = format!("{action:?}");
        world.control.add_fault(Rule::on("token", action));
        world.keeper.access(&world.service, Whose::Own(MINA)).await.expect("the present token still lasts");
        world.clock.advance(Duration::from_mins(10));
        let given = world.keeper.access(&world.service, Whose::Own(MINA)).await;
        assert!(matches!(given, Err(AccessError::Unavailable { until: Some(_), .. })), "{shown}: {given:?}");
        world.control.clear_faults();
        world.clock.advance(Duration::from_mins(3));
        world.keeper.access(&world.service, Whose::Own(MINA)).await.expect(&shown);
    }
    assert_eq!(world.link(&link).await.state, LinkState::Active);
    assert_eq!(world.happened("LinkBroken"), 0);
}

#[tokio::test]
async fn an_ended_grant_breaks_its_own_link_only_and_linking_again_mends_it() {
    let world = World::new();
    let mina = world.linked(1, MINA).await;
    let reed = world.linked(2, REED).await;
    let heard = world.ear.0.load(Ordering::SeqCst);
    world.control.revoke(MINA);
    world.clock.advance(Duration::from_hours(2));
    let given = world.keeper.access(&world.service, Whose::Own(MINA)).await;
    assert!(matches!(given, Err(AccessError::Broken(_))), "{given:?}");
    world.keeper.access(&world.service, Whose::Own(REED)).await.unwrap();
    assert!(matches!(world.link(&mina).await.state, LinkState::Broken { .. }));
    assert_eq!(world.link(&reed).await.state, LinkState::Active);
    assert_eq!(world.keeper.at(&world.service, MINA).await.unwrap().own, Standing::Broken);
    assert_eq!((world.happened("LinkBroken"), world.ear.0.load(Ordering::SeqCst)), (1, heard + 1));
    let again = world.keeper.link(world.new_link(mina.person, MINA).await).await.unwrap();
    assert_eq!((again.id, again.state.clone()), (mina.id, LinkState::Active));
    let access = world.keeper.access(&world.service, Whose::Own(MINA)).await.unwrap();
    assert!(access.generation > mina.generation);
    assert_eq!(world.ear.0.load(Ordering::SeqCst), heard + 2);
}

#[tokio::test]
async fn a_new_refresh_token_is_kept_before_its_access_token_is_used() {
    let world = World::new();
    let link = world.linked(1, MINA).await;
    world.clock.advance(Duration::from_hours(2));
    world.store.fails.store(true, Ordering::SeqCst);
    let given = world.keeper.access(&world.service, Whose::Own(MINA)).await;
    assert!(matches!(given, Err(AccessError::Store(_))), "{given:?}");
    assert_eq!(world.link(&link).await.generation, 1);
    world.store.fails.store(false, Ordering::SeqCst);
    // The same process still has what the provider gave, and asks for nothing.
    assert_eq!(world.keeper.access(&world.service, Whose::Own(MINA)).await.unwrap().generation, 2);
    assert_eq!(world.control.stats().tokens.total("refresh_token"), 1);
    assert_eq!(world.control.stats().tokens.stale_refresh_uses, 0);
}

#[tokio::test]
async fn a_kill_between_answer_and_commit_is_forgiven_within_the_grace() {
    let world = World::new();
    world.control.update_switches(|s| s.refresh_grace_ms = 60_000);
    let link = world.linked(1, MINA).await;
    world.clock.advance(Duration::from_hours(2));
    world.store.fails.store(true, Ordering::SeqCst);
    assert!(world.keeper.access(&world.service, Whose::Own(MINA)).await.is_err());
    world.store.fails.store(false, Ordering::SeqCst);
    let keeper = world.restarted();
    assert_eq!(keeper.access(&world.service, Whose::Own(MINA)).await.unwrap().generation, 2);
    assert_eq!(world.control.stats().tokens.forgiven_refresh_uses, 1);
    assert_eq!(world.link(&link).await.state, LinkState::Active);
}

#[tokio::test]
async fn a_link_made_anew_during_a_renewal_wins() {
    let world = World::new();
    let link = world.linked(1, MINA).await;
    world.clock.advance(Duration::from_hours(2));
    let new = world.new_link(link.person, MINA).await;
    world.control.add_fault(Rule::on("token", Action::Hang {}).fire(Fire::First(1)));
    let (keeper, service) = (world.keeper.clone(), world.service.clone());
    let waiting = tokio::spawn(async move { keeper.access(&service, Whose::Own(MINA)).await });
    while world.control.faults()[0].2 == 0 {
        tokio::task::yield_now().await;
    }
    let made = world.keeper.link(new).await.unwrap();
    world.control.release();
    let access = waiting.await.unwrap().unwrap();
    let now = world.link(&link).await;
    assert_eq!(
        (now.access.clone(), now.refresh.clone(), now.generation),
        (made.access, made.refresh, made.generation)
    );
    assert_eq!(access.generation, made.generation);
    assert_eq!(world.happened("LinkRenewed"), 0);
}

#[tokio::test]
async fn one_outside_account_belongs_to_one_person_and_waits_for_their_word() {
    let world = World::new();
    world.linked(1, MINA).await;
    let reed = world.person(2, REED).await;
    let taken = world.keeper.link(world.new_link(Some(reed), MINA).await).await;
    assert_eq!(taken.unwrap_err(), LinkError::Taken { account: "Mina Patel".into() });
    let mut new = world.new_link(Some(reed), REED).await;
    new.ask = true;
    let link = world.keeper.link(new).await.unwrap();
    let given = world.keeper.access(&world.service, Whose::Own(REED)).await;
    assert!(matches!(given, Err(AccessError::Broken(_))), "{given:?}");
    assert_eq!(world.keeper.confirm(link.id, 9, REED).await.unwrap_err(), LinkError::Changed);
    world.keeper.confirm(link.id, link.version, REED).await.unwrap();
    world.keeper.access(&world.service, Whose::Own(REED)).await.unwrap();
    world.keeper.unlink(link.id, REED).await.unwrap();
    assert_eq!(world.keeper.unlink(link.id, REED).await.unwrap_err(), LinkError::NotFound);
    let gone = world.keeper.access(&world.service, Whose::Own(REED)).await;
    assert_eq!(gone.unwrap_err(), AccessError::NoLink);
    assert_eq!(
        (world.happened("Linked"), world.happened("LinkConfirmed"), world.happened("Unlinked")),
        (2, 1, 1)
    );
}

/// What was linked by mistake and never confirmed keeps nobody from their own account, and cannot be confirmed afterwards.
#[tokio::test]
async fn a_mistake_that_waits_for_a_word_holds_no_account() {
    let world = World::new();
    let reed = world.person(2, REED).await;
    let mut mistaken = world.new_link(Some(reed), MINA).await;
    mistaken.ask = true;
    let mistaken = world.keeper.link(mistaken).await.unwrap();
    world.linked(1, MINA).await;
    world.keeper.access(&world.service, Whose::Own(MINA)).await.unwrap();
    let late = world.keeper.confirm(mistaken.id, mistaken.version, REED).await;
    assert_eq!(late.unwrap_err(), LinkError::Taken { account: "Mina Patel".into() });
    let still = world.keeper.access(&world.service, Whose::Own(REED)).await;
    assert!(matches!(still, Err(AccessError::Broken(_))), "{still:?}");
}

#[tokio::test]
async fn idle_links_are_kept_alive() {
    let world = World::new();
    world.linked(1, MINA).await;
    assert_eq!(world.keeper.look_after().await.unwrap(), Round { seen: 1, ..Round::default() });
    world.clock.advance(Duration::from_hours(24 * 8));
    let round = world.keeper.look_after().await.unwrap();
    assert_eq!(round, Round { seen: 1, renewed: 1, ..Round::default() });
    assert_eq!(world.keeper.look_after().await.unwrap().renewed, 0);
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong() {
    let world = World::new();
    let url = "http://localhost:8080/".parse().unwrap();
    let doctor = Doctor::new(
        world.services.clone(),
        world.keeper.clone(),
        Arc::<crate::world::Frail>::clone(&world.store),
        Arc::<postroom_domain::testing::ManualClock>::clone(&world.clock),
        url,
    );
    let level = |all: &[postroom_domain::capability::Finding], subject: &str| {
        all.iter().find(|it| it.subject == subject).map(|it| it.level)
    };
    let all = doctor.findings(true).await;
    assert_eq!(level(&all, "discovery"), Some(Level::Good), "{all:?}");
    assert_eq!(level(&all, "system account"), Some(Level::Warning), "{all:?}");
    world.keeper.link(world.new_link(None, REED).await).await.unwrap();
    assert_eq!(level(&doctor.findings(true).await, "system account"), Some(Level::Good));
    world.control.add_fault(Rule::on("discovery", Action::Html {}));
    assert_eq!(level(&doctor.findings(true).await, "discovery"), Some(Level::Bad));
}
