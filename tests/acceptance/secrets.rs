//! Nothing readable at rest: every secret of a run is looked for in everything that the server wrote.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};

use memchr::memmem;
use postroom_sims::{netdocuments, openid};
use postroom_tests::browser::{
    Browser, PASSWORD, command, imanage_service, netdocuments_service, openid_service,
};
use postroom_tests::settings::{PASSPHRASE, PRIVATE_KEY, token};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Upload, World, outcome};
use reqwest::Method;
use serde_json::json;

use crate::backups::files;

/// Privileged words that stand in the documents.
const WORDS: &str = "the settlement figure is nine hundred thousand and not a penny less";

/// What must not be found, by what it is.
#[derive(Default)]
struct Known(BTreeMap<String, Vec<Vec<u8>>>);

impl Known {
    fn add(&mut self, what: &str, text: &str) {
        // Shorter texts are found anywhere by chance.
        if text.len() >= 12 {
            let forms = [text.as_bytes().to_vec(), base64(text.as_bytes()), hex(text.as_bytes())];
            self.0.entry(what.to_owned()).or_default().extend(forms);
        }
    }

    /// Which of them stand in these bytes, by what they are, with how many different ones.
    fn found_in(&self, bytes: &[u8]) -> BTreeMap<&str, usize> {
        let stands = |form: &&Vec<u8>| memmem::find(bytes, form).is_some();
        self.0
            .iter()
            .map(|(what, forms)| (what.as_str(), forms.iter().filter(stands).count()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect()
}

/// The part of its Base64 that does not depend on what stands behind.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks_exact(3).flat_map(|group| {
        let number = group.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| ALPHABET[number >> shift & 63])
    });
    groups.collect()
}

/// What a core dump of the process would hold: its writable memory.
fn memory(pid: i32) -> Vec<u8> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut image = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines() {
        let mut parts = line.split_whitespace();
        let (Some(range), Some(rights)) = (parts.next(), parts.next()) else { continue };
        let (Some((from, to)), true) = (range.split_once('-'), rights.starts_with("rw")) else { continue };
        let at = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (at(from), at(to));
        if to - from > 1 << 30 || image.seek(SeekFrom::Start(from)).is_err() {
            continue;
        }
        // Reserved addresses that hold nothing cannot be read.
        let _read = (&mut image).take(to - from).read_to_end(&mut all);
    }
    all
}

#[tokio::test]
async fn no_secret_of_a_run_is_readable_at_rest() {
    let cabinets = netdocuments::Sim::start(netdocuments::Options::sample()).unwrap();
    let firm = openid::Sim::start(openid::Options::sample()).unwrap();
    let mut world = World::new("secrets").with_imanage(sample()).with_log("debug").build();
    let imanage = world.sim("dms").url();
    world.settings.more = [
        "\n[[people.domain_rules]]\ndomain = \"firm.example\"\nsite = \"main\"\nrole = \"user\"\nstatus = \"active\"\n",
        &openid_service("firm", &firm.issuer()),
        &imanage_service("dms", &imanage),
        &netdocuments_service("cabinets", cabinets.url()),
    ]
    .concat();
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let mut known = Known::default();
    known.add("the vault's passphrase", PASSPHRASE);
    known.add("the vault's private key", PRIVATE_KEY.lines().nth(1).unwrap());
    known.add("the vault's private key", PRIVATE_KEY.lines().nth(2).unwrap());
    known.add("a password", PASSWORD);
    known.add("a token of the settings", &token("operator"));

    // Persons come in by all ways, link, and file; also what is refused leaves nothing.
    let added = command(&world, &["person", "add", "m.patel@firm.example"]).await;
    let link = added[0]["invitation"]["url"].as_str().unwrap().to_owned();
    known.add("a one-time link", link.rsplit('/').next().unwrap());
    let mut mina = Browser::new(&world.url());
    mina.accept(&link, PASSWORD).await;
    mina.link("dms", "m.patel@firm.example").await;
    mina.link("cabinets", "m.patel@firm.example").await;
    let mut jonah = Browser::new(&world.url());
    jonah.sign_in_with("firm", "j.reed@firm.example").await.expect(200);
    jonah.link("dms", "j.reed@firm.example").await;
    let wrong = "a password that nobody has, typed by mistake";
    known.add("a wrong password", wrong);
    let mut stranger = Browser::new(&world.url());
    let page = stranger.get("/auth/sign-in").await;
    let form = [("email", "m.patel@firm.example"), ("password", wrong)];
    stranger.submit(&page, "/auth/password", &form).await.expect(403);
    let new = "eleven lamps beside a quiet harbour";
    known.add("a password", new);
    let page = mina.get("/account").await;
    mina.submit(&page, "/account/password", &[("old", PASSWORD), ("new", new)]).await.expect(200);
    for browser in [&mina, &jonah, &stranger] {
        for (_, value) in browser.secrets() {
            known.add("a cookie", &value);
        }
    }
    let page = mina.get("/account").await;
    known.add("a form's code", &page.field("form_token").unwrap());
    let made =
        mina.call(Method::POST, "/api/v1/tokens", &json!({"name": "x", "days": 3, "scope": ["file"]})).await;
    let bearer = made.expect(201).body["secret"].as_str().unwrap().to_owned();
    known.add("a bearer token", &bearer);
    known.add("an unknown token", "pr_this-one-was-never-made-by-anybody-here");
    postroom_tests::Api::new(&world.url(), "pr_this-one-was-never-made-by-anybody-here")
        .get("/api/v1/summary")
        .await
        .expect(401);
    let program = command(&world, &["token", "new", "--role", "support", "--name", "helpdesk"]).await;
    known.add("a bearer token", program[0]["secret"].as_str().unwrap());

    let mut all = Vec::new();
    let api = postroom_tests::Api::new(&world.url(), &bearer);
    for round in 0..3 {
        if round == 1 {
            // Tokens are renewed between the documents, so that there are old and new ones.
            world.sim("dms").control().advance(45 * 60 * 1000);
        }
        for number in 0..5 {
            let text = format!("%PDF-1.7\n% {WORDS} {round}/{number}\n{}", "x".repeat(100_000 * number));
            known.add("a document", &format!("{WORDS} {round}/{number}"));
            let upload = Upload::to(MATTER).file("terms.pdf", text.as_bytes());
            all.push(Accepted::of(&api.upload(&upload).await.expect(202)));
            world.handed_in.extend(upload.hashes());
        }
        world.all_filed(&all).await;
    }
    let waiting = Upload::to("nobody").file("waits.pdf", format!("%PDF-1.7\n% {WORDS} waits\n").as_bytes());
    api.upload(&waiting).await.expect(202);
    world.assert_exactly_once(&all).await;

    // What the simulators ever gave out or took.
    for secret in world.sim("dms").control().secrets() {
        known.add(&format!("iManage: {:?}", secret.kind), &secret.text);
    }
    for secret in cabinets.control().secrets() {
        known.add(&format!("NetDocuments: {:?}", secret.kind), &secret.text);
    }
    for secret in firm.control().secrets() {
        known.add(&format!("the provider: {:?}", secret.kind), &secret.text);
    }
    let distinct: usize = known.0.values().map(Vec::len).sum::<usize>() / 3;
    assert!(distinct > 40, "{distinct} secrets are too few to prove anything");
    let renewed = known.0.keys().any(|what| what.contains("RefreshToken"));
    assert!(renewed, "{:?}", known.0.keys());

    let image = memory(world.server().pid());
    let in_memory = known.found_in(&image);
    world.stop().await;
    let mut searched = 0;
    let mut leaks = Vec::new();
    for path in files(&world.data()).into_iter().chain([world.root().join("server.log")]) {
        let bytes = std::fs::read(&path).unwrap();
        searched += 1;
        for (what, count) in known.found_in(&bytes) {
            leaks.push(format!("{count} × {what} in {}", path.strip_prefix(world.root()).unwrap().display()));
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
    let held: Vec<String> = in_memory.iter().map(|(what, count)| format!("{count} × {what}")).collect();
    outcome(
        "S1",
        "secrets at rest",
        &format!("{distinct} secrets, 3 spellings each, {searched} files and the log: none found"),
    );
    let size = image.len() >> 20;
    outcome("S2", "secrets in memory", &format!("{size} MiB of a running server hold: {}", held.join(", ")));
    // What opens everything else is needed for a moment at the start, and gone afterwards.
    for gone in ["the vault's passphrase", "the vault's private key", "a wrong password"] {
        assert!(!in_memory.contains_key(gone), "{gone} is still in memory");
    }
}
