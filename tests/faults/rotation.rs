//! K1: SIGKILL while keys change. Everything that was sealed opens afterwards, with exactly the passphrase and private key that are in
//! force; documents, links and filings are what they were. Rounds: `POSTROOM_ROTATIONS`; seed: `POSTROOM_SEED`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postroom_sims::netdocuments;
use postroom_tests::browser::{Browser, command, imanage_service, netdocuments_service};
use postroom_tests::crowd::Crowd;
use postroom_tests::outcome::sized;
use postroom_tests::process::{NotReady, run};
use postroom_tests::wait;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Chance, Upload, World, outcome};
use serde_json::{Value, json};

/// Documents that are there before the first round. Every second one waits for a destination that is paused.
const STORED: u64 = 200;
/// Persons with an account at both services.
const PERSONS: [&str; 3] = ["m.patel@firm.example", "j.reed@firm.example", "w.admin@firm.example"];
/// Every so many rounds the master key changes too.
const MASTER_EVERY: u64 = 4;
/// What the crowd hands in besides, each round.
const MEANWHILE: u64 = 6;
const MATTERS: &[&str] = &["10442-0007", "10442-0012", "10517-0001", "10630-0009"];

/// Where passphrase and private key lie.
#[derive(Clone, PartialEq)]
struct Pair {
    passphrase: PathBuf,
    key: PathBuf,
}

impl Pair {
    /// Puts them where the settings say that they are.
    fn put(&self, world: &World) {
        std::fs::copy(&self.passphrase, world.settings.passphrase()).unwrap();
        std::fs::copy(&self.key, world.settings.private_key()).unwrap();
    }
}

/// How often what happened.
#[derive(Default)]
struct Counts {
    /// Killed before the change was in force, while the old key was on its way out, and when it was gone already.
    moments: [u64; 3],
    /// Killed again while it started or went on.
    again: u64,
    masters: u64,
    /// Of these, in force after the kill.
    masters_new: u64,
    /// Linked anew while the keys changed.
    linked: u64,
    /// Starts with the pair that is not in force, each refused.
    refused: u64,
    slowest: Duration,
}

struct Round<'a> {
    world: &'a mut World,
    persons: &'a mut [Browser],
    chance: &'a mut Chance,
    counts: &'a mut Counts,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k1_keys_change_under_kills() {
    let rounds = sized("POSTROOM_ROTATIONS", 8);
    let seed = sized("POSTROOM_SEED", 20_261_127);
    let begin = Instant::now();
    let mut chance = Chance::new(seed);
    let cabinets = netdocuments::Sim::start(netdocuments::Options::sample()).unwrap();
    let mut world = World::new("rotation")
        .with_folder_dms()
        .with_imanage(sample())
        .with_seed(seed)
        .with_log("warn")
        .build();
    let services =
        [imanage_service("dms", &world.sim("dms").url()), netdocuments_service("cabinets", cabinets.url())];
    world.settings.more = services.concat();
    world.write_settings();
    let mut pair = Pair { passphrase: world.root().join("first"), key: world.root().join("first.pem") };
    std::fs::copy(world.settings.passphrase(), &pair.passphrase).unwrap();
    std::fs::copy(world.settings.private_key(), &pair.key).unwrap();
    world.start().await;
    world.create_matters().await;
    let mut persons = Vec::new();
    for email in PERSONS {
        let mut person = Browser::of_new_person(&world, email).await;
        person.link("dms", email).await;
        person.link("cabinets", email).await;
        persons.push(person);
    }
    world
        .op()
        .post("/api/v1/destinations/files/pause", &json!({"reason": "kept in the spool"}))
        .await
        .expect(200);
    let stored = deposit(&mut world).await;

    // How long a change takes when nobody disturbs it. A fresh process has sealed no secret yet, after which it would wait a minute.
    world.stop().await;
    world.start().await;
    let undisturbed = Instant::now();
    command(&world, &["keys", "rotate", "--data"]).await;
    let usual = u64::try_from(undisturbed.elapsed().as_micros()).unwrap();

    let crowd = Crowd::start(&world.op(), 3, MATTERS, 20_000, u64::MAX, seed);
    let mut counts = Counts::default();
    for number in 1..=rounds {
        crowd.tally.allow(MEANWHILE * number);
        let mut round =
            Round { world: &mut world, persons: &mut persons, chance: &mut chance, counts: &mut counts };
        let master = number.is_multiple_of(MASTER_EVERY);
        pair = round.play(number, pair, master, usual).await;
        // A few of them each time, all of them at the end.
        for _ in 0..10 {
            let one = usize::try_from(chance.below(stored.len() as u64)).unwrap();
            assert_original(&world, &stored[one]).await;
        }
        if number.is_multiple_of(25) {
            println!("{number} of {rounds} rounds after {:?}, moments {:?}", begin.elapsed(), counts.moments);
        }
    }
    crowd.tally.stop();
    let tally = crowd.finish().await;
    assert!(tally.strange.lock().unwrap().is_empty(), "{:?}", tally.strange.lock().unwrap());
    world.handed_in.extend(tally.handed_in.lock().unwrap().iter().cloned());

    // Nothing is left of old keys; everything opens.
    gone(&world).await;
    for one in &stored {
        assert_original(&world, one).await;
    }
    let links = command(&world, &["links", "list"]).await;
    assert_eq!(links.len(), 2 * PERSONS.len());
    assert!(links.iter().all(|link| link["state"] == "active"), "{links:#?}");
    let mut all = tally.accepted();
    all.extend(stored.iter().map(|(accepted, _)| accepted.clone()));
    for (person, email) in persons.iter_mut().zip(PERSONS) {
        let upload = Upload::to(MATTER).file("own.pdf", format!("%PDF-1.7\n% of {email}\n"));
        world.handed_in.extend(upload.hashes());
        let accepted = Accepted::of(&person.api().await.upload(&upload).await.expect(202));
        let filing = world.in_state(accepted.filing(), &["filed"]).await;
        assert!(filing.to_string().contains("\"credential\":\"own\""), "{filing:#}");
        all.push(accepted);
    }
    world.op().post("/api/v1/destinations/files/resume", &json!({})).await.expect(200);
    settled(&world).await;
    let verdict = world.verdict(&all).await;
    world.stop().await;
    let said = verify(&world).await;
    let secrets: u64 = said.split(" secrets").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();

    let Counts { moments: [before, during, after], again, masters, masters_new, linked, refused, slowest } =
        counts;
    let summary = json!({
        "test": "rotation", "seed": seed, "rounds": rounds, "killed_before": before, "killed_during": during,
        "killed_after": after, "killed_again": again, "masters": masters, "masters_new_in_force": masters_new,
        "wrong_pairs_refused": refused, "linked_meanwhile": linked, "accepted": verdict.accepted, "filed": verdict.filed, "lost": verdict.lost.len(),
        "duplicates": verdict.duplicates.len(), "damaged": verdict.damaged.len(), "links_active": links.len(),
        "secrets": secrets, "requests_repeated": tally.repeated.load(std::sync::atomic::Ordering::Relaxed),
        "undisturbed_change_ms": usual / 1000, "slowest_start_ms": slowest.as_millis(),
        "seconds": begin.elapsed().as_secs(),
    });
    println!("{summary}");
    outcome(
        "K1",
        "kill -9 while data and master keys change",
        &format!(
            "{} kills ({before} before, {during} during, {after} after, {again} at the next start), {masters} new masters: \
             {} documents and {secrets} secrets open, {} links active, lost {}, duplicates {}",
            rounds + again,
            verdict.filed,
            links.len(),
            verdict.lost.len(),
            verdict.duplicates.len()
        ),
    );
    assert!(verdict.is_clean() && verdict.filed == verdict.accepted, "seed {seed}: {verdict:#?}");
    assert!(secrets >= 4 * PERSONS.len() as u64, "{said}");
}

impl Round<'_> {
    /// Changes keys and kills meanwhile; then starts with what is in force, which it returns.
    async fn play(&mut self, number: u64, old: Pair, master: bool, usual: u64) -> Pair {
        let new = if master { Some(self.new_pair(number, &old).await) } else { None };
        let config = self.world.config().display().to_string();
        let mut arguments: Vec<String> =
            ["keys", "rotate", "--no-wait", "--json", "--config", &config].map(str::to_owned).to_vec();
        if !master || self.chance.below(2) == 0 {
            arguments.push("--data".into());
        }
        if let Some(new) = &new {
            let paths = [new.passphrase.display().to_string(), new.key.display().to_string()];
            let [passphrase, key] = paths;
            arguments.extend([
                "--passphrase-file".to_owned(),
                passphrase,
                "--private-key-file".to_owned(),
                key,
            ]);
        }
        let before = keyring(&self.world.data());
        let asked = tokio::spawn(async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run("postroom", &arguments).await
        });
        // Some link anew meanwhile: a secret is sealed right beside the change, with the one key or the other.
        if self.chance.below(3) == 0 {
            let who = usize::try_from(self.chance.below(PERSONS.len() as u64)).unwrap();
            let service = if self.chance.below(2) == 0 { "dms" } else { "cabinets" };
            self.persons[who].link(service, PERSONS[who]).await;
            self.counts.linked += 1;
        }
        // Half of them close to the moment at which the change comes into force, half until after its end.
        let most = if self.chance.below(2) == 0 { 400_000 } else { usual * 5 / 4 };
        tokio::time::sleep(Duration::from_micros(self.chance.below(most))).await;
        self.world.kill().await;
        let output = asked.await.unwrap();
        let told = output.status.success();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told || cut_off(&said), "the change was refused: {said}");

        let after = keyring(&self.world.data());
        let changed = after["current"] != before["current"] || after["master"] != before["master"];
        let moment = match (changed, after["keys"].as_array().unwrap().len()) {
            (false, _) => 0,
            (true, 1) => 2,
            (true, _) => 1,
        };
        self.counts.moments[moment] += 1;
        // What was told is durable.
        assert!(changed || !told, "the command said that the change is in force, and it is not: {after:#}");
        let in_force = match new {
            Some(new) => self.of_two(old, new, after["master"] != before["master"], told).await,
            None => old,
        };
        if self.chance.below(4) == 0 {
            self.killed_again().await;
        }
        self.start().await;
        if self.chance.below(4) > 0 {
            gone(self.world).await;
        } else {
            // The next change would be refused while this one is under way.
            self.world.kill().await;
            self.counts.again += 1;
            self.start().await;
            gone(self.world).await;
        }
        in_force
    }

    /// A new passphrase, a new private key, or both.
    async fn new_pair(&mut self, number: u64, old: &Pair) -> Pair {
        let folder = self.world.root().join(format!("keys-{number}"));
        let output = run("postroom", &["keys", "init", "--to", &folder.display().to_string()]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let new =
            Pair { passphrase: folder.join("postroom-passphrase"), key: folder.join("postroom-key.pem") };
        match self.chance.below(3) {
            0 => Pair { key: old.key.clone(), ..new },
            1 => Pair { passphrase: old.passphrase.clone(), ..new },
            _ => new,
        }
    }

    /// Exactly one of the two opens, and the start says what is wrong with the other.
    async fn of_two(&mut self, old: Pair, new: Pair, is_new: bool, told: bool) -> Pair {
        self.counts.masters += 1;
        self.counts.masters_new += u64::from(is_new);
        assert!(is_new || !told);
        let (right, wrong) = if is_new { (new, old) } else { (old, new) };
        wrong.put(self.world);
        let log = self.world.root().join("server.log");
        let _ = std::fs::remove_file(&log);
        match self.world.try_start().await {
            Err(NotReady::Ended(status)) if !status.success() => {}
            Err(why) => panic!("with the wrong pair: {why:?}"),
            Ok(()) => panic!("the server started with a passphrase and key that are not in force"),
        }
        let said = self.world.log_tail();
        let words = match (right.passphrase == wrong.passphrase, right.key == wrong.key) {
            (false, true) => "the passphrase is wrong",
            (true, false) => "the certificate's private key is another one",
            _ => "neither passphrase nor private key belong to this keyring",
        };
        assert!(said.contains(words), "not told as \"{words}\": {said}");
        self.counts.refused += 1;
        right.put(self.world);
        right
    }

    /// Starts and kills it while it starts or just has.
    async fn killed_again(&mut self) {
        let mut launch = self.world.launch();
        launch.patience = Duration::from_micros(self.chance.between(1_000, 1_500_000));
        match postroom_tests::Server::start(&launch).await {
            Ok(server) => {
                tokio::time::sleep(Duration::from_micros(self.chance.below(300_000))).await;
                server.kill().await;
            }
            Err(NotReady::Silent) => {}
            Err(NotReady::Ended(status)) => panic!("a start ended by itself with {status}"),
        }
        self.counts.again += 1;
    }

    async fn start(&mut self) {
        self.world.start().await;
        self.counts.slowest = self.counts.slowest.max(self.world.server().took);
    }
}

/// Whether the command only lost its server.
fn cut_off(said: &str) -> bool {
    ["no server runs with the settings", "error sending request", "connection closed", "no answer"]
        .iter()
        .any(|words| said.to_lowercase().contains(words))
}

/// Waits until no old key is on its way out. A minute is waited for after the last secret that an old key sealed.
async fn gone(world: &World) {
    wait::until("no data key is on its way out", Duration::from_mins(3), || async {
        let keys = command(world, &["keys", "status"]).await;
        assert_eq!(keys[0]["trouble"], Value::Null, "{keys:?}");
        (keys[0]["retiring"] == json!([])).then_some(())
    })
    .await;
}

fn keyring(data: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(data.join("keyring.json")).unwrap()).unwrap()
}

/// Documents of many sizes, some longer than one sealed segment. Each with its bytes.
async fn deposit(world: &mut World) -> Vec<(Accepted, Vec<u8>)> {
    let op = world.op();
    let mut stored = Vec::new();
    for from in (0..STORED).step_by(8) {
        let uploads: Vec<Upload> = (from..STORED.min(from + 8))
            .map(|number| {
                let mut chance = Chance::new(number);
                let size =
                    if number % 10 == 9 { chance.between(65_000, 300_000) } else { chance.between(1, 9_000) };
                let bytes =
                    [number.to_be_bytes().to_vec(), chance.bytes(usize::try_from(size).unwrap())].concat();
                let upload = Upload::to(MATTER).file(&format!("stored {number}.pdf"), bytes);
                if number % 2 == 0 { upload.meta("area", "client_documents") } else { upload }
            })
            .collect();
        let answers = futures_util::future::join_all(uploads.iter().map(|upload| op.upload(upload))).await;
        for (upload, answer) in uploads.into_iter().zip(answers) {
            world.handed_in.extend(upload.hashes());
            let (_, _, bytes) = upload.files.into_iter().next().unwrap();
            stored.push((Accepted::of(&answer.expect(202)), bytes));
        }
    }
    stored
}

/// Waits until nothing is under way by itself; what is left then is worth more than that something was.
async fn settled(world: &World) {
    let quiet = tokio::time::timeout(Duration::from_mins(2), world.quiet(Duration::from_mins(3)));
    if quiet.await.is_ok() {
        return;
    }
    let left = world.op().filings("state:waiting,blocked,running,checking").await;
    let mut shown = Vec::new();
    for filing in left.iter().take(2) {
        shown.push(world.op().filing(filing["id"].as_str().unwrap()).await);
    }
    let summary = world.op().ok("/api/v1/summary").await;
    panic!("{} filings are not settled after two minutes: {shown:#?}\n{summary:#}", left.len());
}

async fn assert_original(world: &World, (accepted, bytes): &(Accepted, Vec<u8>)) {
    let answer = world.op().get(&format!("/api/v1/intakes/{}/original", accepted.intake)).await.expect(200);
    assert!(answer.bytes == *bytes, "the original of {} is another one", accepted.intake);
}

/// What `postroom verify` says of the stopped server's data.
async fn verify(world: &World) -> String {
    let (data, config) = (world.data().display().to_string(), world.config().display().to_string());
    let output = run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("everything is sound"), "{said}{error}");
    said
}
