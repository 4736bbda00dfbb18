//! NetDocuments, simulated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postroom_dms::netdocuments::{self, NetDocuments};
use postroom_domain::dms::{Dms, Shelf};
use postroom_domain::testing::ManualClock;
use postroom_sims::netdocuments::{
    Action, CABINET, Control, Fire, Flaw, Options, Rights, Rule, Seed, SeedDocument, SeedFolder,
    SeedWorkspace, Sim, SimHandle, Switches,
};

use crate::world::{Held, Looked, Moment, Sending, Traits, World};

/// A fresh one.
#[expect(clippy::unnecessary_wraps, reason = "a world may be absent")]
pub(crate) fn world() -> Option<Box<dyn World>> {
    Some(Box::new(Repository::with("create_workspaces = true\n[users]\ncreate = true")))
}

/// The fake NetDocuments, its time moved by hand.
pub(crate) struct Repository {
    pub(crate) dms: NetDocuments,
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) clock: Arc<ManualClock>,
    server_ms: Arc<AtomicI64>,
}

/// Workspace "Harrow v Teal".
pub(crate) const WORKSPACE: &str = "4800-0000-3650";
/// Its folder Correspondence.
pub(crate) const FOLDER: &str = "4800-0000-3652";
/// Its folder Scans.
pub(crate) const SCANS: &str = "4800-0000-3654";
/// Correspondence of the closed matter.
pub(crate) const CLOSED: &str = "4800-0000-3672";
/// 2026-11-23T09:00:00Z
const START_MS: i64 = 1_795_424_400_000;

/// Settings for a simulator, with short time limits. `more` goes before the tables; tables of its own end it.
pub(crate) fn settings(url: &str, more: &str) -> netdocuments::Settings {
    settings_with(url, more, "")
}

pub(crate) fn settings_with(url: &str, more: &str, auth: &str) -> netdocuments::Settings {
    let auth = if auth.is_empty() {
        "grant = \"client_credentials\"\nclient_id = \"AP-P0STR00M\"\nclient_secret = \"postroom-netdocuments-secret\"\n\
         repository = \"CA-9Z8Y7X6W\""
    } else {
        auth
    };
    let text = format!(
        r#"
        base_url = "{url}"
        cabinet = "{CABINET}"
        mark_attribute = "postroom"
        {more}
        [attributes]
        client = 1
        matter = 2
        type = 3
        author = 4
        postroom = 9
        [auth]
        {auth}
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

impl Repository {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With further settings, as lines of TOML.
    pub(crate) fn with(more: &str) -> Self {
        postroom_outbound::install_crypto();
        let server_ms = Arc::new(AtomicI64::new(START_MS));
        let time = Arc::clone(&server_ms);
        let mut options = Options::sample().with_clock(move || time.load(Ordering::SeqCst));
        options.vendor.keep_bytes(64 << 20);
        let sim = Sim::start(options).unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let dms = NetDocuments::new("dms-test", settings(sim.url(), more), Arc::clone(&clock) as _).unwrap();
        Self { dms, control: sim.control(), sim, clock, server_ms }
    }

    /// A second connector to the same server.
    pub(crate) fn another(&self, more: &str) -> NetDocuments {
        self.made_of(settings(self.sim.url(), more))
    }

    pub(crate) fn made_of(&self, settings: netdocuments::Settings) -> NetDocuments {
        NetDocuments::new("dms-test", settings, Arc::clone(&self.clock) as _).unwrap()
    }

    /// Lets time pass on both sides.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.server_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        self.control.update_switches(change);
    }

    pub(crate) fn fault(&self, operation: &str, action: Action) {
        self.control.add_fault(Rule::on(operation, action));
    }

    pub(crate) fn flaw(&self, operation: &str, flaw: Flaw) {
        self.fault(operation, Action::Flaw { flaw });
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.control.stats().total(operation)
    }
}

fn operation(sending: Sending) -> &'static str {
    match sending {
        Sending::New => "upload",
        Sending::Version => "new_version",
    }
}

impl World for Repository {
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
        CLOSED.to_owned()
    }
    fn missing_folder(&self) -> String {
        "4899-9999-9999".to_owned()
    }
    fn forbid(&self) {
        let (container, principal) = (WORKSPACE.to_owned(), "DUCOT-POSTROOM".to_owned());
        assert!(self.control.apply(&Flaw::SetRights { container, principal, rights: Rights::VIEW }));
    }
    fn held(&self) -> Vec<Held> {
        let held = self.control.holdings().into_iter();
        held.map(|it| Held {
            id: it.document,
            name: format!("{}.{}", it.name, it.extension),
            size: it.size,
            blake3: it.blake3,
        })
        .collect()
    }
    fn with_folders(&self, count: usize) -> String {
        let folders =
            (0..count).map(|n| SeedFolder { name: format!("folder-{n:04}"), ..SeedFolder::default() });
        let workspace = SeedWorkspace {
            number: Some(500_000),
            name: "Large".into(),
            folders: folders.collect(),
            ..SeedWorkspace::default()
        };
        self.control.seed(&Seed { workspaces: vec![workspace], ..Seed::default() });
        "4800-0050-0000".to_owned()
    }
    fn key_fields(&self) -> [&'static str; 2] {
        ["client", "matter"]
    }
    fn other_folder(&self) -> Option<String> {
        Some(SCANS.to_owned())
    }
    fn with_documents(&self, count: usize) -> Option<String> {
        let document = |n| SeedDocument {
            container: SCANS.into(),
            name: format!("document-{n:04}"),
            extension: "txt".into(),
            text: "x".into(),
            user: "DUCOT-MPATEL".into(),
            ..SeedDocument::default()
        };
        self.control.seed(&Seed { documents: (0..count).map(document).collect(), ..Seed::default() });
        Some(SCANS.to_owned())
    }
    fn lose_next_answer(&self, sending: Sending, moment: Moment) -> bool {
        let action = match moment {
            Moment::First => Action::Close {},
            Moment::Middle => Action::Flaw { flaw: Flaw::ResetAfterRead { bytes: 300_000 } },
            Moment::Last => Action::LoseAnswer {},
        };
        self.control.add_fault(Rule::on(operation(sending), action).fire(Fire::First(1)));
        true
    }
    fn throttle_next(&self, seconds: u64) -> bool {
        let headers = BTreeMap::from([("Retry-After".to_owned(), seconds.to_string())]);
        for sending in [Sending::New, Sending::Version] {
            let action = Action::Status { status: 429, headers: headers.clone(), body: None };
            self.control.add_fault(Rule::on(operation(sending), action).fire(Fire::First(1)));
        }
        true
    }
    fn calm(&self) {
        self.control.clear_faults();
    }
    fn vanish_folder(&self) -> bool {
        self.control.apply(&Flaw::DeleteFolder { folder: FOLDER.to_owned() })
    }
    fn close_workspace(&self) -> bool {
        let (parent, key) = ("10442".to_owned(), "0007".to_owned());
        self.control.apply(&Flaw::CloseRow { attribute: 2, parent, key, closed: true })
    }
    fn lock(&self, document: &str) -> Option<String> {
        let user = Some("DUCOT-TCHEN".to_owned());
        let lock = Flaw::Lock { document: document.to_owned(), user: user.clone() };
        self.control.apply(&lock).then_some(user).flatten()
    }
    fn shelve(&self, shelf: Shelf, workspace: &str) -> bool {
        match shelf {
            // Whoever reads a workspace has used it.
            Shelf::Recent => true,
            Shelf::Favourites => self.control.mark_favourite("DUCOT-POSTROOM", workspace),
        }
    }
    fn looked(&self) -> Option<Looked> {
        Some(Looked {
            field: "matter",
            parent: Some("10442"),
            text: "0007",
            key: "0007",
            description: "Harrow v Teal",
        })
    }
    fn profile_change(&self) -> Option<(&'static str, &'static str)> {
        Some(("author", "Mina Patel"))
    }
    fn new_workspace(&self) -> Option<Vec<(String, String)>> {
        Some(vec![("client".to_owned(), "10517".to_owned()), ("matter".to_owned(), "0033".to_owned())])
    }
    fn user_email(&self) -> Option<String> {
        Some("m.patel@firm.example".to_owned())
    }
    fn new_user_email(&self) -> Option<String> {
        Some("z.oneill@client.example".to_owned())
    }
    fn accounts(&self, email: &str) -> Option<usize> {
        Some(self.control.people().iter().filter(|it| it.email.eq_ignore_ascii_case(email)).count())
    }
}
