//! Whose account files a document, and what waits when nobody's may.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::event::{Happening, Security, Subject};
use postroom_domain::filing::{Blocker, Filing, State};
use postroom_domain::ids::FilingId;
use postroom_domain::link::{Fallback, Link, LinkListener, Refusal, Rights, Standing, WhenUnsure, Whose};
use postroom_domain::person::Credential;

use crate::double::Fault;
use crate::world::World;

impl World {
    async fn by(&self, person: &str) -> FilingId {
        self.clock.attach();
        self.accept_as("scans", Self::target("dms"), Credential::System, person).await
    }

    /// Lets the engine do what it can without a person.
    async fn rest(&self, id: FilingId) -> Filing {
        let left = [State::Filed, State::Failed, State::Blocked, State::Undecided];
        self.until(&[id], "at rest", |it| left.contains(&it.progress.state)).await.remove(0)
    }

    /// Waits until the first question after a lost answer was asked in vain: what is chosen for the next one is chosen anew.
    async fn asked_in_vain(&self, id: FilingId) {
        self.until_state(&[id], State::Checking).await;
        while self.dms().state().probes == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// With which account each upload of a filing was made, by its attempt rows.
    async fn attempts_of(&self, id: FilingId) -> Vec<Option<Credential>> {
        self.store.attempts(id).await.unwrap().into_iter().map(|it| it.credential).collect()
    }

    /// Who stood in for whom, by the audit.
    async fn stood_in(&self, id: FilingId) -> Vec<String> {
        let events = self.store.events_about(&Subject::Filing(id), 100).await.unwrap();
        let used = Happening::Security { what: Security::SystemAccountUsed };
        events.into_iter().filter(|it| it.event.happening == used).map(|it| it.event.note).collect()
    }
}

/// Standing of the own link, required, policy, system account, rights there → state, account of the upload, words.
#[tokio::test(start_paused = true)]
async fn one_function_decides_whose_account_files() {
    use Credential::{Own, System};
    use Fallback::{Always, BackgroundOnly, Never, ReadOnly};
    use Rights::{Allowed, Denied, Unknown};
    use Standing::{Broken, None as Nothing, Works};
    type Row = (Standing, bool, Fallback, Standing, Rights, Result<Credential, Refusal>);
    let mut table: Vec<Row> = Vec::new();
    for fallback in [Never, ReadOnly, BackgroundOnly, Always] {
        for rights in [Allowed, Denied, Unknown] {
            for required in [false, true] {
                // What the person has themself comes before every policy.
                table.push((Works, required, fallback, Nothing, rights, Ok(Own)));
                table.push((Broken, required, fallback, Works, rights, Err(Refusal::LinkBroken)));
            }
            table.push((Nothing, true, fallback, Works, rights, Err(Refusal::LinkRequired)));
        }
        let stands_in = matches!(fallback, BackgroundOnly | Always);
        let or = |refusal| if stands_in { Err(refusal) } else { Err(Refusal::LinkNeeded) };
        let system = if stands_in { Ok(System) } else { Err(Refusal::LinkNeeded) };
        table.extend([
            (Nothing, false, fallback, Works, Allowed, system),
            (Nothing, false, fallback, Works, Unknown, or(Refusal::Unsure)),
            (Nothing, false, fallback, Works, Denied, or(Refusal::Denied)),
            (Nothing, false, fallback, Nothing, Allowed, or(Refusal::NoSystemAccount)),
            (Nothing, false, fallback, Broken, Allowed, or(Refusal::SystemLinkBroken)),
        ]);
    }
    for (own, required, fallback, system, rights, wanted) in table {
        let case = format!("own {own:?} required {required} {fallback:?} system {system:?} {rights:?}");
        let world = World::new();
        world.links.link("ada", own);
        (world.links.set().required, world.links.set().fallback) = (required, fallback);
        world.links.set().system = system;
        world.dms().state().rights = Some(rights);
        let id = world.by("ada").await;
        let engine = world.start().await;
        let filing = world.rest(id).await;
        let progress = &filing.progress;
        let uploads = world.dms().state().uploads_as.clone();
        match wanted {
            Ok(credential) => {
                world.assert_filed_once(std::slice::from_ref(&filing));
                assert_eq!(uploads, [("ada".to_owned(), Some(credential))], "{case}");
                assert_eq!(world.attempts_of(id).await, [Some(credential)], "{case}");
                let stood_in = usize::from(credential == System);
                assert_eq!(world.stood_in(id).await.len(), stood_in, "{case}");
                assert_eq!(world.dms().state().rights_asked, stood_in, "{case}");
            }
            Err(refusal) => {
                assert_eq!(uploads, [], "{case}");
                assert!(progress.trouble.as_ref().unwrap().detail.contains(refusal.words()), "{case}");
                if matches!(refusal, Refusal::Denied | Refusal::Unsure) {
                    assert_eq!((progress.state, progress.cause()), (State::Failed, Some(Cause::NoRight)));
                } else {
                    assert_eq!(progress.state, State::Blocked, "{case}");
                    assert_eq!(progress.blocker, Some(Blocker::Account), "{case}");
                    assert!(progress.hint.contains(refusal.words()), "{case}: {}", progress.hint);
                    assert_eq!(world.dms().state().calls, 0, "{case}: the DMS is left alone");
                    assert_eq!(world.attempts_of(id).await, [], "{case}");
                }
            }
        }
        engine.stop(Duration::ZERO).await;
    }
}

/// Where the firm lets doubt pass, the system account files; the audit says for whom.
#[tokio::test(start_paused = true)]
async fn doubt_passes_where_the_firm_says_so() {
    let world = World::new();
    world.links.link("ada", Standing::None);
    world.links.set().when_unsure = WhenUnsure::File;
    world.dms().state().rights = Some(Rights::Unknown);
    let id = world.by("ada").await;
    let _engine = world.start().await;
    world.assert_filed_once(&[world.rest(id).await]);
    assert_eq!(world.stood_in(id).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_door_files_with_the_system_account_without_a_note() {
    let world = World::new();
    let id = world.by("scanner").await;
    let _engine = world.start().await;
    world.rest(id).await;
    assert_eq!(world.dms().state().uploads_as, [("scanner".to_owned(), Some(Credential::System))]);
    assert_eq!((world.stood_in(id).await.len(), world.dms().state().rights_asked), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_broken_link_holds_up_its_own_filings_only_and_linking_again_lets_them_go() {
    let world = World::new();
    world.links.link("ada", Standing::Broken);
    world.links.link("bob", Standing::Works);
    world.links.link("cas", Standing::Broken);
    let (mut hers, mut others, mut cas) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..300 {
        hers.push(world.by("ada").await);
        others.push(world.by("bob").await);
    }
    others.push(world.by("scanner").await);
    cas.push(world.by("cas").await);
    let engine = world.start().await;
    let filed = world.until_state(&others, State::Filed).await;
    world.until_state(&hers, State::Blocked).await;
    world.assert_filed_once(&filed);
    tokio::time::sleep(Duration::from_hours(12)).await;
    assert_eq!(world.dms().state().uploads.len(), 301, "nothing of hers is tried");
    world.links.link("ada", Standing::Works);
    let linked = tokio::time::Instant::now();
    engine.account_changed(&"dms".parse().unwrap(), Whose::Own("ada"));
    let filed = world.until_state(&hers, State::Filed).await;
    assert!(linked.elapsed() < Duration::from_mins(2), "{:?}", linked.elapsed());
    world.assert_filed_once(&filed);
    assert_eq!(world.filing(cas[0]).await.progress.state, State::Blocked, "another person's still waits");
    assert!(filed.iter().all(|it| it.progress.hint.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn what_was_linked_while_postroom_was_away_goes_on_at_the_start() {
    let world = World::new();
    world.links.link("ada", Standing::Broken);
    let id = world.by("ada").await;
    let engine = world.start().await;
    world.until_state(&[id], State::Blocked).await;
    engine.stop(Duration::ZERO).await;
    world.links.link("ada", Standing::Works);
    let _engine = world.start().await;
    world.assert_filed_once(&world.until_state(&[id], State::Filed).await);
    assert_eq!(world.dms().state().uploads_as, [("ada".to_owned(), Some(Credential::Own))]);
}

/// Her attempt was stored and the answer lost; then her link broke. The system account sees it: filed, once.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_after_by_whichever_account_there_is() {
    let world = World::new();
    world.links.link("ada", Standing::Works);
    world.dms().state().script = [Fault::LostAnswer].into();
    world.dms().state().probe_fault = Some(503);
    let id = world.by("ada").await;
    let _engine = world.start().await;
    world.asked_in_vain(id).await;
    world.links.link("ada", Standing::Broken);
    world.dms().state().probe_fault = None;
    world.assert_filed_once(&world.until_state(&[id], State::Filed).await);
    assert_eq!(world.dms().state().probes_as.last().unwrap().1, Some(Credential::System));
    assert_eq!(world.dms().state().uploads.len(), 1);
}

/// The same, but the system account does not see her workspace: its "not there" proves nothing, and nothing is sent again until
/// she can be asked.
#[tokio::test(start_paused = true)]
async fn another_accounts_not_there_never_sends_twice() {
    for gone in [Standing::Broken, Standing::None] {
        let world = World::new();
        world.links.link("ada", Standing::Works);
        world.dms().state().script = [Fault::LostAnswer].into();
        world.dms().state().probe_fault = Some(503);
        world.dms().state().hidden_from = Some(Credential::System);
        let id = world.by("ada").await;
        let engine = world.start().await;
        world.asked_in_vain(id).await;
        world.links.link("ada", gone);
        world.dms().state().probe_fault = None;
        tokio::time::sleep(Duration::from_hours(6)).await;
        let filing = world.filing(id).await;
        assert_eq!((filing.progress.state, world.dms().state().uploads.len()), (State::Checking, 1));
        assert!(filing.progress.unsure);
        world.links.link("ada", Standing::Works);
        engine.account_changed(&"dms".parse().unwrap(), Whose::Own("ada"));
        world.assert_filed_once(&world.until_state(&[id], State::Filed).await);
        assert_eq!(world.dms().state().uploads.len(), 1, "found, not sent again");
        engine.stop(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_folder_is_made_where_the_person_may_not_be() {
    let world = World::new();
    world.links.link("ada", Standing::None);
    world.dms().state().rights = Some(Rights::Denied);
    let mut target = World::target("dms");
    (target.folder, target.create_folders) = (vec!["Letters".to_owned()], true);
    world.clock.attach();
    let ids = [world.accept_as("scans", target, Credential::System, "ada").await];
    // Twenty more at other places: the system account itself is not to blame for any of it.
    let other = world.by("scanner").await;
    let _engine = world.start().await;
    world.until_state(&ids, State::Failed).await;
    world.until_state(&[other], State::Filed).await;
    let dms = world.dms();
    let seen = dms.state();
    assert_eq!((seen.created, seen.uploads.len()), (0, 1));
}

impl World {
    /// The door of an account at the destination; none for the system account.
    fn account_door(&self, person: Option<&str>) -> String {
        Link::door(&"dms".parse().unwrap(), person.map(|person| self.links.id(person)))
    }

    async fn many_by(&self, person: &str, count: usize) -> Vec<FilingId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.by(person).await);
        }
        ids
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_account_waits_while_others_go_on_and_is_let_go_little_by_little() {
    for paused in [Some("ada"), None] {
        let world = World::new();
        world.links.link("ada", Standing::Works);
        world.links.link("bob", Standing::Works);
        let door = world.account_door(paused);
        world.pause(&door, None).await;
        // More in a row than a claim looks at.
        let (hers, its) = (world.many_by("ada", 300).await, world.many_by("scanner", 300).await);
        let mut others = world.many_by("bob", 20).await;
        let stays = if paused.is_some() { hers } else { its.clone() };
        if paused.is_some() {
            others.extend(its);
        }
        let engine = world.start().await;
        world.assert_filed_once(&world.until_state(&others, State::Filed).await);
        for filing in world.until_state(&stays, State::Blocked).await {
            let progress = &filing.progress;
            assert_eq!((progress.cause(), &progress.blocker), (Some(Cause::Paused), &Some(Blocker::Account)));
            assert_eq!(progress.hint, "the account is paused by operator: test");
            assert_eq!((progress.generation, progress.tries), (0, 0), "nothing was begun");
        }
        // It survives a restart, and nobody tries what is stopped.
        engine.stop(Duration::ZERO).await;
        let engine = world.start().await;
        tokio::time::sleep(Duration::from_hours(12)).await;
        assert_eq!(world.count(&stays).await[&State::Blocked], 300, "{paused:?}");
        let late = world.by(if paused.is_some() { "ada" } else { "scanner" }).await;
        let other = world.by("bob").await;
        world.assert_filed_once(&world.until_state(&[other], State::Filed).await);
        world.until_state(&[late], State::Blocked).await;

        let (resumed, before) = (tokio::time::Instant::now(), world.dms().state().uploads.len());
        world.resume(&door).await;
        let filed = world.until_state(&stays, State::Filed).await;
        assert!(resumed.elapsed() < Duration::from_mins(2), "{:?}", resumed.elapsed());
        world.assert_filed_once(&filed);
        world.assert_filed_once(&world.until_state(&[late], State::Filed).await);
        assert!(filed.iter().all(|it| it.progress.hint.is_empty()));
        let most = world.dms().state().uploads[before..].iter().map(|(_, _, n)| *n).max();
        assert!(most <= Some(4), "{most:?} at once");
        engine.stop(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_an_account_ends_by_itself_also_while_postroom_is_away() {
    for away in [false, true] {
        let world = World::new();
        world.links.link("ada", Standing::Works);
        let id = world.by("ada").await;
        world.pause(&world.account_door(Some("ada")), Some(90)).await;
        let mut engine = world.start().await;
        world.until_state(&[id], State::Blocked).await;
        if away {
            engine.stop(Duration::ZERO).await;
            tokio::time::sleep(Duration::from_hours(2)).await;
            engine = world.start().await;
        }
        let filed = world.until_state(&[id], State::Filed).await;
        world.assert_filed_once(&filed);
        let wanted = if away { 7_200..7_260 } else { 5_400..5_460 };
        assert!(wanted.contains(&world.since(&filed[0])), "{}", world.since(&filed[0]));
        assert_eq!(world.store.pauses().await.unwrap(), []);
        engine.stop(Duration::ZERO).await;
    }
}

/// Stopped in the middle: what is under way ends, what was claimed ahead is given back.
#[tokio::test(start_paused = true)]
async fn an_account_that_is_paused_in_the_middle_leaves_nothing_running() {
    let world = World::new();
    world.links.link("ada", Standing::Works);
    let ids = world.many_by("ada", 100).await;
    let _engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let door = world.account_door(Some("ada"));
    world.pause(&door, None).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let sent = world.dms().state().uploads.len();
    let counts = world.count(&ids).await;
    assert!(sent > 0 && sent < 100, "{sent}");
    assert_eq!(counts[&State::Filed] + counts[&State::Blocked], 100, "{counts:?}");
    tokio::time::sleep(Duration::from_hours(30)).await;
    assert_eq!(world.dms().state().uploads.len(), sent);
    world.resume(&door).await;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    assert_eq!(world.dms().state().uploads.len(), 100);
}

/// A lost answer of a paused account is asked after; only what would be sent again waits.
#[tokio::test(start_paused = true)]
async fn what_a_paused_account_may_have_sent_is_still_asked_after() {
    let world = World::new();
    world.links.link("ada", Standing::Works);
    world.dms().state().script = [Fault::LostAnswer].into();
    world.dms().state().probe_fault = Some(503);
    let id = world.by("ada").await;
    let _engine = world.start().await;
    world.asked_in_vain(id).await;
    world.pause(&world.account_door(Some("ada")), None).await;
    world.dms().state().probe_fault = None;
    world.assert_filed_once(&world.until_state(&[id], State::Filed).await);
    assert_eq!(world.dms().state().uploads.len(), 1);
}
