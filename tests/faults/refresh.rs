//! K2: SIGKILL while tokens of linked accounts are renewed, at providers that replace a refresh token with each use. Rounds:
//! `POSTROOM_REFRESHES`; seed: `POSTROOM_SEED`. K3: what cannot be helped, a provider that forgives nothing.

use std::time::{Duration, Instant};

use postroom_sims::imanage::{Action, Control, Fire, Options, Reuse, Rule};
use postroom_tests::browser::{Browser, command, imanage_service};
use postroom_tests::kernel::Injection;
use postroom_tests::outcome::sized;
use postroom_tests::process::NotReady;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Api, Chance, Upload, World, outcome, wait};
use serde_json::{Value, json};

use crate::document;

const PERSONS: [&str; 3] = ["m.patel@firm.example", "j.reed@firm.example", "w.admin@firm.example"];
/// The services, each with what it does when a replaced refresh token comes back after its grace.
const SERVICES: [(&str, Reuse); 2] = [("dms", Reuse::Refuse), ("dms2", Reuse::Revoke)];
/// For so long a replaced refresh token still works. Providers that replace them have such a grace because answers get lost; half a
/// minute is usual.
const GRACE_MS: u32 = 30_000;
/// Life of access tokens: short, so that each round renews some.
const LIFE: u32 = 3;
/// System calls on the way: the request and its answer, then what makes the new tokens durable. With the most calls of one thread that
/// a second of work brings.
const CALLS: &[(&str, u64)] =
    &[("sendto", 20), ("recvfrom", 30), ("writev", 20), ("write", 20), ("pwrite64", 40), ("fdatasync", 20)];

/// A firm whose DMS replaces refresh tokens.
fn replacing(reuse: Reuse, grace_ms: u32, life: u32) -> Options {
    let mut options = sample();
    options.switches.absolute_seconds = Some(life);
    options.switches.rotate_refresh = true;
    options.switches.refresh_reuse = reuse;
    options.switches.refresh_grace_ms = grace_ms;
    options
}

/// What a person hands in at a service, and what became of the request.
struct Sent {
    api: Api,
    upload: Upload,
    accepted: Option<Accepted>,
}

impl Sent {
    fn new(api: &Api, service: &str, number: u64) -> Self {
        let upload =
            Upload::to(MATTER).file("letter.pdf", document(number)).key(&format!("refresh-{number}"));
        let upload = if service == "dms2" { upload.meta("area", "instructions") } else { upload };
        Self { api: api.clone(), upload, accepted: None }
    }

    /// Sends it, unless it is known to have arrived. No answer is fine while the server is killed.
    async fn send(&mut self) {
        if self.accepted.is_some() {
            return;
        }
        if let Ok(answer) = self.api.try_upload(&self.upload).await {
            self.accepted = Some(Accepted::of(&answer.expect(202)));
        }
    }
}

/// How often what happened.
#[derive(Default)]
struct Counts {
    random: u64,
    /// Right after a provider had replaced a refresh token.
    rotated: u64,
    cut: u64,
    /// The moment aimed at did not come; killed all the same.
    missed: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k2_tokens_are_renewed_under_kills() {
    let rounds = sized("POSTROOM_REFRESHES", 8);
    let seed = sized("POSTROOM_SEED", 20_261_128);
    let begin = Instant::now();
    let mut chance = Chance::new(seed);
    let mut world = World::new("refresh")
        .with_seed(seed)
        .with_log("warn")
        .with_retry("first_seconds = 1\ncap_seconds = 1\nlag_window_seconds = 1\ninterruption_limit = 255");
    for (_, reuse) in SERVICES {
        world = world.with_imanage(replacing(reuse, GRACE_MS, LIFE));
    }
    let mut world = world.build();
    for (name, _) in SERVICES {
        let service = imanage_service(name, &world.sim(name).url());
        world.settings.more.push_str(&service);
    }
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let mut apis = Vec::new();
    for email in PERSONS {
        let mut person = Browser::of_new_person(&world, email).await;
        for (service, _) in SERVICES {
            person.link(service, email).await;
        }
        apis.push(person.api().await);
    }

    let mut counts = Counts::default();
    let mut sent = Vec::new();
    let mut number = 0;
    for round in 1..=rounds {
        let mut now = Vec::new();
        for api in &apis {
            for (service, _) in SERVICES {
                number += 1;
                now.push(Sent::new(api, service, number));
            }
        }
        let used = used(&world);
        let sending = tokio::spawn(async move {
            futures_util::future::join_all(now.iter_mut().map(Sent::send)).await;
            now
        });
        kill(&mut world, &mut chance, &mut counts, used).await;
        sent.extend(sending.await.unwrap());
        // One in six is killed again while it starts or asks for the tokens that it lost.
        if chance.below(6) == 0 {
            let mut launch = world.launch();
            launch.patience = Duration::from_micros(chance.between(1_000, 1_500_000));
            match postroom_tests::Server::start(&launch).await {
                Ok(server) => {
                    tokio::time::sleep(Duration::from_micros(chance.below(300_000))).await;
                    server.kill().await;
                }
                Err(NotReady::Silent) => {}
                Err(NotReady::Ended(status)) => panic!("a start ended by itself with {status}"),
            }
            counts.random += 1;
        }
        world.start().await;
        futures_util::future::join_all(sent.iter_mut().map(Sent::send)).await;
        assert_links(&world, |_| "active").await;
        if round.is_multiple_of(25) {
            println!("{round} of {rounds} rounds after {:?}", begin.elapsed());
        }
    }
    world.quiet(Duration::from_mins(3)).await;
    // And once more, with tokens that have to be renewed.
    tokio::time::sleep(Duration::from_secs(u64::from(LIFE))).await;
    for api in &apis {
        for (service, _) in SERVICES {
            number += 1;
            let mut last = Sent::new(api, service, number);
            last.send().await;
            sent.push(last);
        }
    }
    world.quiet(Duration::from_mins(3)).await;
    assert_links(&world, |_| "active").await;
    let accepted: Vec<Accepted> = sent.iter().map(|sent| sent.accepted.clone().unwrap()).collect();
    world.handed_in.extend(sent.iter().flat_map(|sent| sent.upload.hashes()));
    let verdict = world.verdict(&accepted).await;
    let mut own = 0;
    for (id, _) in accepted.iter().flat_map(|accepted| &accepted.filings) {
        own += u64::from(filed_with(&world.op().filing(id).await) == "own");
    }
    world.stop().await;

    let stats: Vec<_> = SERVICES.iter().map(|(name, _)| world.sim(name).control().stats().tokens).collect();
    let sum = |of: fn(&postroom_sims::imanage::TokenStats) -> u64| stats.iter().map(of).sum::<u64>();
    let (refreshed, forgiven) = (sum(|it| it.refresh_used), sum(|it| it.forgiven_refresh_uses));
    let raced = sum(|it| it.refreshes_peak_per_grant.saturating_sub(1));
    let refused = sum(|it| it.count("refresh_token", "invalid_grant"));
    let Counts { random, rotated, cut, missed } = counts;
    let summary = json!({
        "test": "refresh", "seed": seed, "rounds": rounds, "kills_random": random, "kills_right_after_rotation": rotated,
        "kills_exact": cut, "not_reached": missed, "refreshes": refreshed, "lost_answers_forgiven": forgiven,
        "refused": refused, "raced": raced, "accepted": verdict.accepted, "filed": verdict.filed, "filed_as_own": own,
        "lost": verdict.lost.len(), "duplicates": verdict.duplicates.len(), "links_active": PERSONS.len() * SERVICES.len(),
        "seconds": begin.elapsed().as_secs(),
    });
    println!("{summary}");
    outcome(
        "K2",
        "kill -9 while tokens are renewed",
        &format!(
            "{} kills, {refreshed} renewals of which {forgiven} again after a lost answer: {} links active, \
             {} of {} filed as the person, lost {}, duplicates {}",
            random + rotated + cut + missed,
            PERSONS.len() * SERVICES.len(),
            own,
            verdict.accepted,
            verdict.lost.len(),
            verdict.duplicates.len()
        ),
    );
    assert!(verdict.is_clean() && verdict.filed == verdict.accepted, "seed {seed}: {verdict:#?}");
    assert_eq!((own, raced, refused), (verdict.accepted as u64, 0, 0), "seed {seed}");
    assert!(refreshed >= rounds, "hardly anything was renewed");
}

/// Kills the server in one of three ways.
async fn kill(world: &mut World, chance: &mut Chance, counts: &mut Counts, used: u64) {
    let patience = Duration::from_secs(3);
    match chance.below(4) {
        0 => {
            tokio::time::sleep(Duration::from_micros(chance.between(500, 700_000))).await;
            counts.random += 1;
        }
        1 | 2 => {
            let controls: Vec<Control> = SERVICES.iter().map(|(name, _)| world.sim(name).control()).collect();
            // Half of them at once, half within the time that a commit takes.
            let after = if chance.below(2) == 0 { 0 } else { chance.below(8_000) };
            let begin = Instant::now();
            let mut came = false;
            while !came && begin.elapsed() < patience {
                tokio::time::sleep(Duration::from_micros(200)).await;
                came = total(&controls) > used;
            }
            tokio::time::sleep(Duration::from_micros(after)).await;
            *(if came { &mut counts.rotated } else { &mut counts.missed }) += 1;
        }
        _ => {
            let (call, most) = CALLS[usize::try_from(chance.below(CALLS.len() as u64)).unwrap()];
            let rule = format!("{call}:signal=KILL:when={}", chance.between(1, most));
            let log = world.root().join("strace.log");
            let injection = Injection::attach(world.server().pid(), &[&rule], &log);
            let died = world.ended(patience).await.is_some();
            drop(injection);
            *(if died { &mut counts.cut } else { &mut counts.missed }) += 1;
        }
    }
    world.kill().await;
}

/// Successful uses of refresh tokens so far.
fn used(world: &World) -> u64 {
    let controls: Vec<Control> = SERVICES.iter().map(|(name, _)| world.sim(name).control()).collect();
    total(&controls)
}

fn total(controls: &[Control]) -> u64 {
    controls.iter().map(|control| control.stats().tokens.refresh_used).sum()
}

/// Compares the state of each link with what it is to be, by its owner.
async fn assert_links(world: &World, wanted: impl Fn(&str) -> &'static str) -> Vec<Value> {
    let links = command(world, &["links", "list"]).await;
    for link in &links {
        assert_eq!(link["state"], wanted(link["made_by"].as_str().unwrap()), "{link:#}");
    }
    links
}

/// Whose account a filing was filed with.
fn filed_with(filing: &Value) -> String {
    let events = filing["events"].as_array().unwrap();
    let filed = events.iter().find(|event| event["happening"]["to"] == "filed");
    filed.map_or(String::new(), |event| event["actor"]["credential"].as_str().unwrap_or_default().to_owned())
}

/// A provider that replaces refresh tokens at once and forgives nothing: when the process ends between its answer and our commit, the
/// only token that works is lost. Nobody can help that; what can be helped is what follows from it.
#[tokio::test]
async fn k3_a_token_lost_at_a_strict_provider_breaks_one_link_only() {
    const SHORT: u32 = 2;
    let mut world = World::new("strict").with_imanage(replacing(Reuse::Refuse, 0, SHORT)).build();
    world.settings.more = imanage_service("dms", &world.sim("dms").url());
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let mut persons = Vec::new();
    for email in PERSONS {
        let mut person = Browser::of_new_person(&world, email).await;
        person.link("dms", email).await;
        let api = person.api().await;
        persons.push((person, api));
    }
    let control = world.sim("dms").control();
    let mut all = Vec::new();
    let (others, victims) = persons.split_at_mut(1);
    for (at, reuse) in [Reuse::Refuse, Reuse::Revoke].into_iter().enumerate() {
        let (victim, api) = &mut victims[at];
        let email = PERSONS[at + 1];
        control.update_switches(|it| it.refresh_reuse = reuse);
        tokio::time::sleep(Duration::from_secs(u64::from(SHORT))).await;
        // The provider replaces the token; the process ends before it has the answer.
        control.add_fault(Rule::on("token", Action::LoseAnswer {}).fire(Fire::First(1)));
        let used = control.stats().tokens.refresh_used;
        let mut lost = Sent::new(api, "dms", 10 + at as u64);
        lost.send().await;
        wait::until("the provider replaces the token", Duration::from_secs(20), || async {
            (control.stats().tokens.refresh_used > used).then_some(())
        })
        .await;
        world.kill().await;
        control.clear_faults();
        world.start().await;

        // What comes later is blocked; so is what was under way, unless it was cut off in the middle: then it is asked after as that
        // person, once that is possible again.
        let lost = lost.accepted.unwrap();
        let mut later = Sent::new(api, "dms", 30 + at as u64);
        later.send().await;
        let later = later.accepted.unwrap();
        for (accepted, state) in [(&lost, "blocked or checking"), (&later, "blocked")] {
            let filing = wait::until("the filing's cause is the link", Duration::from_secs(30), || async {
                let filing = world.op().filing(accepted.filing()).await;
                (filing["cause"]["code"] == "link_broken").then_some(filing)
            })
            .await;
            assert!(state.contains(filing["state"].as_str().unwrap()), "{filing:#}");
        }
        let links = assert_links(&world, |owner| if owner == email { "broken" } else { "active" }).await;
        let broken = links.iter().find(|link| link["made_by"] == email).unwrap();
        assert_eq!(broken["reason"], "The refresh token is invalid", "{broken:#}");
        let page = victim.get("/links").await.expect(200);
        assert!(page.text.contains("The refresh token is invalid"), "{}", page.text);
        // Somebody else's go on.
        let mut other = Sent::new(&others[0].1, "dms", 20 + at as u64);
        other.send().await;
        let other = other.accepted.unwrap();
        let filing = world.in_state(other.filing(), &["filed"]).await;
        assert_eq!(filed_with(&filing), "own", "{filing:#}");
        // Linked again, it goes on by itself.
        let link = victim.link("dms", email).await;
        assert_eq!(link["state"], "active");
        for accepted in [&lost, &later] {
            let filing = world.in_state(accepted.filing(), &["filed"]).await;
            assert_eq!(filed_with(&filing), "own", "{filing:#}");
        }
        all.extend([lost, later, other]);
    }
    assert_links(&world, |_| "active").await;
    world
        .handed_in
        .extend([10, 11, 20, 21, 30, 31].map(|it| blake3::hash(&document(it)).to_hex().to_string()));
    world.assert_exactly_once(&all).await;
    world.stop().await;
    outcome(
        "K3",
        "the answer to a renewal lost, strict provider",
        "2 of 2 links broken with the provider's reason, their filings wait, others' filed; linked again they go on",
    );
}
