//! A connector with the DMS behind it, and a look into that DMS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postroom_dms::folder::{self, Folder};
use postroom_dms::imanage::{self, Imanage};
use postroom_domain::dms::{Content, Dms, DmsResult, Found, Gauge, Probe, Receipt, Upload};
use postroom_domain::ids::{FilingId, Mark};
use postroom_domain::person::Actor;
use postroom_domain::testing::ManualClock;
use postroom_sims::imanage::{
    Access, Action, Control, Options, Rule, Seed, SeedContainer, SeedWorkspace, Sim, SimHandle,
};

/// A document as the DMS holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) blake3: String,
}

/// What differs between the DMSs of the suite.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one flag per difference")]
pub(crate) struct Traits {
    /// Two folders of one name cannot be in one place.
    pub(crate) unique_folders: bool,
    /// Two workspaces can have one title.
    pub(crate) equal_titles: bool,
    /// The same mark sent twice is stored twice; otherwise the second one is refused.
    pub(crate) stores_twice: bool,
    /// Rights can be taken away (root on a disk keeps all of them).
    pub(crate) rights: bool,
}

/// One DMS of the suite.
pub(crate) trait World: Send + Sync {
    fn dms(&self) -> &dyn Dms;
    fn traits(&self) -> Traits;
    /// An open folder of matter "Harrow v Teal".
    fn folder(&self) -> String;
    /// A folder of a closed workspace.
    fn closed_folder(&self) -> String;
    /// A folder that was there and is gone, or never was.
    fn missing_folder(&self) -> String;
    /// Takes away the right to write to [`World::folder`].
    fn forbid(&self);
    /// All documents.
    fn held(&self) -> Vec<Held>;
    /// A new container with so many folders named `folder-0000` and on.
    fn with_folders(&self, count: usize) -> String;
}

pub(crate) fn actor() -> Actor {
    Actor::system("suite", Some("m.patel"))
}

pub(crate) fn mark(n: u128) -> Mark {
    Mark::of(FilingId::from_u128(0x0192_f0c1_5b7e_7000_8000_0000_0000_0000 + n))
}

/// An upload with the usual profile.
pub(crate) async fn send(
    dms: &dyn Dms,
    container: &str,
    name: &str,
    n: u128,
    content: &dyn Content,
) -> (DmsResult<Receipt>, u64) {
    let profile = BTreeMap::new();
    send_with(dms, container, name, n, content, &profile).await
}

pub(crate) async fn send_with(
    dms: &dyn Dms,
    container: &str,
    name: &str,
    n: u128,
    content: &dyn Content,
    profile: &BTreeMap<String, String>,
) -> (DmsResult<Receipt>, u64) {
    let (actor, gauge) = (actor(), Gauge::default());
    let upload = Upload {
        actor: &actor,
        library: "",
        container,
        name,
        media_type: "application/pdf",
        profile,
        received: "2026-11-23T09:00:00Z".parse().unwrap(),
        mark: mark(n),
        content,
        gauge: &gauge,
        onto: None,
    };
    (dms.upload(upload).await, gauge.bytes())
}

pub(crate) async fn ask(dms: &dyn Dms, container: &str, name: &str, n: u128) -> DmsResult<Found> {
    dms.probe(Probe { actor: &actor(), library: "", container, name, mark: mark(n), onto: None }).await
}

/// Every DMS of the suite, fresh.
pub(crate) fn worlds() -> Vec<(&'static str, Box<dyn World>)> {
    vec![("folder", Box::new(OnDisk::new())), ("imanage", Box::new(Simulated::new()))]
}

/// The folder DMS in a temporary folder.
pub(crate) struct OnDisk {
    root: tempfile::TempDir,
    dms: Folder,
}

impl OnDisk {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let workspace = |name: &str, json: &str| {
            let home = root.path().join(name).join(".postroom");
            std::fs::create_dir_all(&home).unwrap();
            std::fs::create_dir_all(root.path().join(name).join("Correspondence")).unwrap();
            std::fs::write(home.join("workspace.json"), json).unwrap();
        };
        workspace("Harrow v Teal", r#"{"custom1":"10442","custom2":"0007"}"#);
        workspace("Harrow", r#"{"custom1":"10442","custom2":"0099"}"#);
        workspace("Harrow share purchase 2019", r#"{"custom1":"10442","custom2":"0003","closed":true}"#);
        let dms = Folder::new(folder::Settings { page: 100, ..folder::Settings::at(root.path()) });
        Self { root, dms }
    }
}

fn walk(root: &Path, dir: &Path, held: &mut Vec<Held>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            walk(root, &entry.path(), held);
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            held.push(Held {
                id: entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
                name,
                size: bytes.len() as u64,
                blake3: blake3::hash(&bytes).to_hex().to_string(),
            });
        }
    }
}

impl World for OnDisk {
    fn dms(&self) -> &dyn Dms {
        &self.dms
    }
    fn traits(&self) -> Traits {
        Traits { unique_folders: true, equal_titles: false, stores_twice: false, rights: false }
    }
    fn folder(&self) -> String {
        "Harrow v Teal/Correspondence".to_owned()
    }
    fn closed_folder(&self) -> String {
        "Harrow share purchase 2019/Correspondence".to_owned()
    }
    fn missing_folder(&self) -> String {
        "Harrow v Teal/Nowhere".to_owned()
    }
    fn forbid(&self) {}
    fn held(&self) -> Vec<Held> {
        let mut held = Vec::new();
        walk(self.root.path(), self.root.path(), &mut held);
        held
    }
    fn with_folders(&self, count: usize) -> String {
        for n in 0..count {
            std::fs::create_dir_all(self.root.path().join(format!("Large/folder-{n:04}"))).unwrap();
        }
        "Large".to_owned()
    }
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
        options.keep_bytes = 8 << 20;
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
        let entries = self.control.ledger().into_iter();
        let entries = entries.map(|e| Held { id: e.document, name: e.name, size: e.size, blake3: e.blake3 });
        entries.collect()
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
}
