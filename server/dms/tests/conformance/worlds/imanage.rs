//! iManage, simulated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postroom_dms::imanage::{self, Imanage};
use postroom_domain::dms::{Dms, Shelf};
use postroom_domain::testing::ManualClock;
use postroom_sims::imanage::{
    Access, Action, Control, Fire, Options, Rule, Seed, SeedAlias, SeedContainer, SeedDocument, SeedLibrary,
    SeedWorkspace, Sim, SimHandle,
};

use crate::world::{Held, Looked, Moment, Sending, Traits, World};

/// A fresh one.
#[expect(clippy::unnecessary_wraps, reason = "other DMSs may be missing on a machine")]
pub(crate) fn world() -> Option<Box<dyn World>> {
    Some(Box::new(Simulated::new()))
}

/// The fake iManage, its time moved by hand.
pub(crate) struct Simulated {
    pub(crate) dms: Imanage,
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) clock: Arc<ManualClock>,
    server_ms: Arc<AtomicI64>,
}

/// Correspondence of "Harrow v Teal".
pub(crate) const FOLDER: &str = "ACTIVE!3652";
/// 2026-11-23T09:00:00Z
const START_MS: i64 = 1_795_424_400_000;

/// Settings for a simulator, with short time limits.
pub(crate) fn settings(url: &str, more: &str) -> imanage::Settings {
    let text = format!(
        r#"
        base_url = "{url}"
        library = "ACTIVE"
        {more}
        [auth]
        grant = "password"
        client_id = "postroom"
        client_secret = "postroom-client-secret"
        username = "POSTROOM"
        password = "postroom-pass"
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
        options.keep_bytes = 64 << 20;
        let sim = Sim::start(options).unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let dms = Imanage::new("dms-test", settings(&sim.url(), more), Arc::clone(&clock) as _).unwrap();
        Self { dms, control: sim.control(), sim, clock, server_ms }
    }

    /// A second connector to the same server.
    pub(crate) fn another(&self, more: &str) -> Imanage {
        Imanage::new("dms-test", settings(&self.sim.url(), more), Arc::clone(&self.clock) as _).unwrap()
    }

    /// Lets time pass on both sides.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.advance_server(by);
    }

    pub(crate) fn advance_server(&self, by: Duration) {
        self.server_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn fault(&self, operation: &str, action: Action) {
        self.control.add_fault(Rule::on(operation, action));
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.control.stats().total(operation)
    }
}

impl World for Simulated {
    fn dms(&self) -> &dyn Dms {
        &self.dms
    }
    fn traits(&self) -> Traits {
        Traits { unique_folders: false, equal_titles: true, stores_twice: true, rights: true }
    }
    fn folder(&self) -> String {
        FOLDER.to_owned()
    }
    fn closed_folder(&self) -> String {
        "ACTIVE!3672".to_owned()
    }
    fn missing_folder(&self) -> String {
        "ACTIVE!99999".to_owned()
    }
    fn forbid(&self) {
        assert!(self.control.set_access(3650, Some("POSTROOM"), Access::Read));
    }
    fn held(&self) -> Vec<Held> {
        let there = self.control.documents().into_iter();
        there.map(|it| Held { id: it.id, name: it.name, size: it.size, blake3: it.blake3 }).collect()
    }
    fn with_folders(&self, count: usize) -> String {
        let folders =
            (0..count).map(|n| SeedContainer { name: format!("folder-{n:04}"), ..SeedContainer::default() });
        let workspace = SeedWorkspace {
            id: Some(500_000),
            library: "ACTIVE".into(),
            name: "Large".into(),
            folders: folders.collect(),
            ..SeedWorkspace::default()
        };
        self.control.seed(&Seed { workspaces: vec![workspace], ..Seed::default() });
        "ACTIVE!500000".to_owned()
    }
    fn other_folder(&self) -> Option<String> {
        Some("ACTIVE!3654".to_owned())
    }
    fn with_documents(&self, count: usize) -> Option<String> {
        let document = |n| SeedDocument {
            name: format!("document-{n:04}"),
            extension: "txt".into(),
            text: "x".into(),
            ..SeedDocument::default()
        };
        let folder = SeedContainer {
            id: Some(500_101),
            name: "Many".into(),
            documents: (0..count).map(document).collect(),
            ..SeedContainer::default()
        };
        let workspace = SeedWorkspace {
            id: Some(500_100),
            library: "ACTIVE".into(),
            name: "Full".into(),
            folders: vec![folder],
            ..SeedWorkspace::default()
        };
        self.control.seed(&Seed { workspaces: vec![workspace], ..Seed::default() });
        Some("ACTIVE!500101".to_owned())
    }
    fn lose_next_answer(&self, sending: Sending, moment: Moment) -> bool {
        let operation = match sending {
            Sending::New => "upload",
            Sending::Version => "new_version",
        };
        let action = match moment {
            Moment::First => Action::Close {},
            Moment::Middle => Action::ResetAfterRead { bytes: 300_000 },
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
        self.control.apply(&Action::RemoveFolder { folder: 3652 })
    }
    fn close_workspace(&self) -> bool {
        self.control.apply(&Action::CloseWorkspace { workspace: 3650 })
    }
    fn lock(&self, document: &str) -> Option<String> {
        let number = document.split(['!', '.']).nth(1)?.parse().ok()?;
        let action = Action::LockDocument { document: Some(number), user: "TCHEN".to_owned() };
        self.control.apply(&action).then(|| "TCHEN".to_owned())
    }
    fn shelve(&self, shelf: Shelf, workspace: &str) -> bool {
        let Some(number) = workspace.split('!').nth(1).and_then(|number| number.parse().ok()) else {
            return false;
        };
        match shelf {
            Shelf::Recent => self.control.set_recent("POSTROOM", &[number]),
            Shelf::Favourites => self.control.set_favourites("POSTROOM", &[number]),
        }
        true
    }
    fn looked(&self) -> Option<Looked> {
        let (key, description) = ("0007", "Harrow v Teal");
        Some(Looked { field: "custom2", parent: Some("10442"), text: "harrow v", key, description })
    }
    fn profile_change(&self) -> Option<(&'static str, &'static str)> {
        Some(("custom3", "LIT"))
    }
    fn new_workspace(&self) -> Option<Vec<(String, String)>> {
        let alias = SeedAlias {
            field: "custom2".into(),
            id: "0099".into(),
            description: "New matter".into(),
            parent: Some("10442".into()),
        };
        let library = SeedLibrary { name: "ACTIVE".into(), aliases: vec![alias], ..SeedLibrary::default() };
        self.control.seed(&Seed { libraries: vec![library], ..Seed::default() });
        let fields = [("custom1", "10442"), ("custom2", "0099"), ("name", "New matter")];
        Some(fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into())
    }
    fn user_email(&self) -> Option<String> {
        self.control.users().into_iter().find(|user| user.id == "MPATEL").map(|user| user.email)
    }
    fn new_user_email(&self) -> Option<String> {
        Some("z.oneill@client.example".to_owned())
    }
    fn accounts(&self, email: &str) -> Option<usize> {
        Some(self.control.users().iter().filter(|user| user.email.eq_ignore_ascii_case(email)).count())
    }
}
