//! HighQ, simulated.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postroom_dms::highq::{self, HighQ};
use postroom_domain::dms::{Dms, Shelf};
use postroom_domain::testing::ManualClock;
use postroom_sims::highq::{
    APP, Action, CORRESPONDENCE, Control, Fire, Flaw, Folder, HARROW, Level, Options, Rule, Seed, SeedFile,
    Sim, SimHandle, SiteStatus,
};

use crate::world::{Held, Looked, Moment, Sending, Traits, World};

/// A fresh one.
#[expect(clippy::unnecessary_wraps, reason = "other DMSs may be missing on a machine")]
pub(crate) fn world() -> Option<Box<dyn World>> {
    Some(Box::new(Simulated::new()))
}

/// The fake HighQ, its time moved by hand.
pub(crate) struct Simulated {
    pub(crate) dms: HighQ,
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) clock: Arc<ManualClock>,
    /// Where the refresh token is kept.
    pub(crate) token_file: PathBuf,
    server_ms: Arc<AtomicI64>,
    _home: tempfile::TempDir,
}

/// Correspondence of "Harrow v Teal".
pub(crate) const FOLDER: &str = "folder:1011";
/// The service account.
pub(crate) const SERVICE: &str = "1801";
/// 2026-11-23T09:00:00Z
const START_MS: i64 = 1_795_424_400_000;

/// Settings for a simulator, with short time limits.
pub(crate) fn settings(url: &str, token_file: &str, more: &str) -> highq::Settings {
    let text = format!(
        r#"
        base_url = "{url}"
        {more}
        [auth]
        grant = "refresh_token"
        client_id = {APP}
        client_secret = "postroom-highq-secret"
        refresh_token_file = "{token_file}"
        [metadata]
        on = true
        read = true
        [people]
        list = "sites/{{site}}/users"
        site = {HARROW}
        poll_seconds = 0
        [connection]
        proxy = "none"
        connect_seconds = 1
        first_byte_seconds = 1.0
        idle_seconds = 1.0
        total_seconds = 20
        parallel = 32
        "#
    );
    toml::from_str(&text).unwrap()
}

impl Simulated {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With further settings, as lines of TOML.
    pub(crate) fn with(more: &str) -> Self {
        postroom_outbound::install_crypto();
        let server_ms = Arc::new(AtomicI64::new(START_MS));
        let time = Arc::clone(&server_ms);
        let mut options = Options::sample().with_clock(move || time.load(Ordering::SeqCst));
        options.vendor.keep_bytes = 64 << 20;
        let sim = Sim::start(options).unwrap();
        let home = tempfile::tempdir().unwrap();
        let token_file = home.path().join("refresh-token");
        std::fs::write(&token_file, sim.control().tokens_of(SERVICE, APP).1).unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let settings = settings(sim.url(), token_file.to_str().unwrap(), more);
        let dms = HighQ::new("dms-test", settings, Arc::clone(&clock) as _).unwrap();
        Self { dms, control: sim.control(), sim, clock, token_file, server_ms, _home: home }
    }

    /// A second connector to the same server, with a sign-in of its own.
    pub(crate) fn another(&self, more: &str) -> HighQ {
        let file = self.token_file.with_extension(format!("{}", more.len()));
        std::fs::write(&file, self.control.tokens_of(SERVICE, APP).1).unwrap();
        let settings = settings(self.sim.url(), file.to_str().unwrap(), more);
        HighQ::new("dms-test", settings, Arc::clone(&self.clock) as _).unwrap()
    }

    /// Lets time pass on both sides.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.server_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn fault(&self, operation: &str, action: Action) {
        self.control.add_fault(Rule::on(operation, action));
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.control.stats().total(operation)
    }

    /// All calls so far.
    pub(crate) fn all_calls(&self) -> u64 {
        self.control.stats().calls.values().flat_map(BTreeMap::values).sum()
    }
}

impl World for Simulated {
    fn dms(&self) -> &dyn Dms {
        &self.dms
    }
    fn traits(&self) -> Traits {
        Traits { unique_folders: true, equal_titles: true, stores_twice: true, rights: true }
    }
    fn folder(&self) -> String {
        FOLDER.to_owned()
    }
    fn closed_folder(&self) -> String {
        "folder:1031".to_owned()
    }
    fn missing_folder(&self) -> String {
        "folder:99999".to_owned()
    }
    fn forbid(&self) {
        let level = Level::View;
        assert!(self.control.change(&Flaw::SetLevel { site: HARROW, person: SERVICE.to_owned(), level }));
    }
    fn held(&self) -> Vec<Held> {
        let entries = self.control.ledger().into_iter();
        let held =
            entries.map(|e| Held { id: e.file.to_string(), name: e.name, size: e.size, blake3: e.blake3 });
        held.collect()
    }
    fn with_folders(&self, count: usize) -> String {
        let folder = |n: u64, parent: u64, name: String| Folder {
            id: n,
            site: HARROW,
            parent: Some(parent),
            name,
            inherited: true,
            ..Folder::default()
        };
        let mut folders = vec![folder(500_000, 1010, "Large".to_owned())];
        folders.extend((0..count as u64).map(|n| folder(500_001 + n, 500_000, format!("folder-{n:04}"))));
        self.control.seed(&Seed { folders, ..Seed::default() });
        "folder:500000".to_owned()
    }
    fn key_fields(&self) -> [&'static str; 2] {
        ["clientno", "matterno"]
    }
    fn other_folder(&self) -> Option<String> {
        Some("folder:1012".to_owned())
    }
    fn with_documents(&self, count: usize) -> Option<String> {
        let file = |n: u64| SeedFile {
            id: 600_000 + n,
            folder: 1012,
            name: format!("document-{n:04}.txt"),
            text: "x".to_owned(),
            user: SERVICE.to_owned(),
        };
        self.control.seed(&Seed { files: (0..count as u64).map(file).collect(), ..Seed::default() });
        Some("folder:1012".to_owned())
    }
    fn lose_next_answer(&self, sending: Sending, moment: Moment) -> bool {
        let operation = match sending {
            Sending::New => "upload",
            Sending::Version => "new_version",
        };
        let action = match moment {
            Moment::First => Action::Close {},
            Moment::Middle => Action::Flaw { flaw: Flaw::ResetAfterRead { bytes: 300_000 } },
            Moment::Last => Action::LoseAnswer {},
        };
        self.control.add_fault(Rule::on(operation, action).fire(Fire::First(1)));
        true
    }
    fn throttle_next(&self, seconds: u64) -> bool {
        let headers = BTreeMap::from([("Retry-After".to_owned(), seconds.to_string())]);
        for operation in ["upload", "new_version"] {
            let action = Action::Status { status: 429, headers: headers.clone(), body: None };
            self.control.add_fault(Rule::on(operation, action).fire(Fire::First(1)));
        }
        true
    }
    fn calm(&self) {
        self.control.clear_faults();
    }
    fn vanish_folder(&self) -> bool {
        self.control.change(&Flaw::DeleteFolder { folder: CORRESPONDENCE })
    }
    fn close_workspace(&self) -> bool {
        self.control.change(&Flaw::SetStatus { site: HARROW, status: SiteStatus::Archived })
    }
    fn lock(&self, document: &str) -> Option<String> {
        let flaw = Flaw::Lock { file: document.parse().ok()?, person: "1804".to_owned() };
        self.control.change(&flaw).then(|| "Tao Chen".to_owned())
    }
    fn shelve(&self, shelf: Shelf, workspace: &str) -> bool {
        let id = workspace.strip_prefix("site:").and_then(|id| id.parse().ok()).unwrap_or(0);
        self.control.update_site(id, |site| {
            let list = match shelf {
                Shelf::Recent => &mut site.recent_of,
                Shelf::Favourites => &mut site.favourite_of,
            };
            list.insert(SERVICE.to_owned());
        })
    }
    fn looked(&self) -> Option<Looked> {
        Some(Looked {
            field: "matterno",
            parent: Some("10442"),
            text: "harrow v",
            key: "0007",
            description: "Harrow v Teal",
        })
    }
    fn profile_change(&self) -> Option<(&'static str, &'static str)> {
        Some(("Reference", "HT/2026/17"))
    }
    fn user_email(&self) -> Option<String> {
        Some("m.patel@firm.example".to_owned())
    }
    fn new_user_email(&self) -> Option<String> {
        Some("zoe@client.example".to_owned())
    }
    fn accounts(&self, email: &str) -> Option<usize> {
        Some(self.control.people().iter().filter(|it| it.email == email).count())
    }
}
