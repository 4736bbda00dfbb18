//! A world: one folder with settings and data, the server over it, and the simulators it files into.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use postroom_sims::imanage::{self, Options, Rule, SeedAlias, SeedContainer, SeedWorkspace, Sim, SimHandle};
use serde_json::{Value, json};

use crate::client::Api;
use crate::dms::Dms;
use crate::folder::{self, Deposit};
use crate::oracle::{self, Accepted, Verdict};
use crate::process::{Launch, NotReady, Server, free_port};
use crate::settings::{self, Settings};
use crate::upload::Upload;
use crate::wait::{self, PATIENCE};

/// Reference, client, the sample firm's number of the matter, title.
pub const MATTERS: &[(&str, &str, &str, &str)] = &[
    ("10442-0007", "10442", "0007", "Harrow v Teal"),
    ("10442-0012", "10442", "0012", "Lease of 14 Mill Lane"),
    ("10517-0001", "10517", "0001", "Boundary dispute, Brook Farm"),
    ("10630-0009", "10630", "0009", "Okafor v Harrow"),
    // Its workspace is closed.
    ("10442-0003", "10442", "0003", "Harrow share purchase 2019"),
    // Behind a wall: the account cannot see its workspace.
    ("10630-0004", "10630", "0004", "Project Larch"),
    // Two workspaces match.
    ("10442-0777", "10442", "0777", "Twins"),
    // No workspace at all.
    ("10442-0999", "10442", "0999", "Not yet opened"),
];

/// The matter whose workspace is open in every DMS.
pub const MATTER: &str = "10442-0007";

/// Puts a world together.
pub struct Builder {
    name: &'static str,
    seed: u64,
    folder: bool,
    imanage: Vec<(String, Options)>,
    outside: Vec<(String, String)>,
    hot: bool,
    concurrency: usize,
    retry: String,
    limits: String,
    server: String,
    imanage_extra: String,
    reserve_bytes: u64,
    log: String,
    more: String,
    prefix: Vec<String>,
    environment: Vec<(String, String)>,
    dms: Option<Box<dyn Dms>>,
}

/// A firm's content for the simulator: the sample, and two workspaces that match the same fields.
pub fn sample() -> Options {
    let mut options = Options::sample();
    // Documents take the fields of their workspace, and the server knows the values.
    options.seed.libraries[0].aliases.push(SeedAlias {
        field: "custom2".into(),
        id: "0777".into(),
        description: "Twins".into(),
        parent: Some("10442".into()),
    });
    for number in [3777, 3787] {
        options.seed.workspaces.push(SeedWorkspace {
            id: Some(number),
            library: "ACTIVE".into(),
            name: format!("Twin {number}"),
            owner: "MPATEL".into(),
            customs: [("custom1".to_owned(), "10442".to_owned()), ("custom2".to_owned(), "0777".to_owned())]
                .into(),
            everyone: imanage::Access::FullAccess,
            folders: vec![SeedContainer {
                id: Some(number + 1),
                name: "Documents".into(),
                kind: "tab".into(),
                children: vec![SeedContainer {
                    id: Some(number + 2),
                    name: "Correspondence".into(),
                    ..SeedContainer::default()
                }],
                ..SeedContainer::default()
            }],
            ..SeedWorkspace::default()
        });
    }
    options
}

impl Builder {
    /// With a folder DMS (`files`), which has a workspace for each of [`MATTERS`] but the last.
    #[must_use]
    pub fn with_folder_dms(mut self) -> Self {
        self.folder = true;
        self
    }

    /// With a fake iManage in this process. The first is `dms` and takes matter documents, the second `dms2` and takes
    /// instructions.
    #[must_use]
    pub fn with_imanage(mut self, options: Options) -> Self {
        let name = if self.imanage.is_empty() { "dms" } else { "dms2" };
        self.imanage.push((name.into(), options));
        self
    }

    /// With an iManage at an address that is somebody else's: a refused port, a black hole, another process.
    #[must_use]
    pub fn with_imanage_at(mut self, url: &str) -> Self {
        let name = if self.imanage.is_empty() && self.outside.is_empty() { "dms" } else { "dms2" };
        self.outside.push((name.into(), url.to_owned()));
        self
    }

    /// With a DMS of any kind (`dms`), which takes matter documents.
    #[must_use]
    pub fn with_dms(mut self, dms: Box<dyn Dms>) -> Self {
        self.dms = Some(dms);
        self
    }

    /// With a hot folder (`scans`).
    #[must_use]
    pub fn with_hot_folder(mut self) -> Self {
        self.hot = true;
        self
    }

    /// With lines of `[retry]` instead of quick ones.
    #[must_use]
    pub fn with_retry(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.retry);
        self
    }

    /// With lines of `[limits]`.
    #[must_use]
    pub fn with_limits(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.limits);
        self
    }

    /// With lines of `[server]`.
    #[must_use]
    pub fn with_server(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.server);
        self
    }

    /// With lines of `[destinations.imanage]`.
    #[must_use]
    pub fn with_imanage_settings(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.imanage_extra);
        self
    }

    /// With that many filings at once per destination.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// With that much free space kept in reserve.
    #[must_use]
    pub fn with_reserve(mut self, bytes: u64) -> Self {
        self.reserve_bytes = bytes;
        self
    }

    /// With a log filter.
    #[must_use]
    pub fn with_log(mut self, filter: &str) -> Self {
        filter.clone_into(&mut self.log);
        self
    }

    /// With further sections of the settings.
    #[must_use]
    pub fn with_settings(mut self, sections: &str) -> Self {
        self.more.push_str(sections);
        self
    }

    /// With a command in front of the server at every start (see [`crate::strace`]).
    #[must_use]
    pub fn under(mut self, prefix: Vec<String>) -> Self {
        self.prefix = prefix;
        self
    }

    /// With a variable in the server's environment.
    #[must_use]
    pub fn with_environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Starts the simulators and writes the settings, but does not start the server.
    pub fn build(self) -> World {
        let home = tempfile::Builder::new()
            .prefix(&format!("postroom-{}-", self.name))
            .tempdir()
            .expect("a temporary folder");
        let root = home.path().to_owned();
        let mut sims = Vec::new();
        for (name, mut options) in self.imanage {
            options.random_seed = self.seed;
            let sim = Sim::start(options).expect("the fake iManage starts");
            sims.push((name, sim));
        }
        let mut imanage: Vec<(String, String)> =
            sims.iter().map(|(name, sim)| (name.clone(), sim.url())).collect();
        imanage.extend(self.outside);
        let of_dms = self.dms.as_ref().map(|dms| dms.settings(&root, self.concurrency)).unwrap_or_default();
        let settings = Settings {
            root: root.clone(),
            port: free_port(self.seed),
            folder: self.folder,
            imanage,
            hot: self.hot,
            concurrency: self.concurrency,
            retry: self.retry,
            limits: self.limits,
            server: self.server,
            imanage_extra: self.imanage_extra,
            reserve_bytes: self.reserve_bytes,
            log: self.log,
            more: self.more + &of_dms,
        };
        settings.write_secrets().expect("the vault's secrets can be written");
        if self.folder {
            for (reference, ..) in &MATTERS[..MATTERS.len() - 1] {
                std::fs::create_dir_all(settings.dms().join(reference)).expect("the folder DMS");
            }
            let closed = settings.dms().join("10442-0003/.postroom");
            std::fs::create_dir_all(&closed).expect("the folder DMS");
            std::fs::write(closed.join("workspace.json"), "{\"closed\": true}").expect("the folder DMS");
        }
        if self.hot {
            std::fs::create_dir_all(settings.hot()).expect("the hot folder");
        }
        let world = World {
            name: self.name,
            seed: self.seed,
            root,
            _home: home,
            settings,
            sims,
            dms: self.dms,
            server: None,
            prefix: self.prefix,
            environment: self.environment,
            handed_in: BTreeSet::new(),
        };
        world.write_settings();
        world
    }

    /// Builds it, starts the server and creates the [`MATTERS`].
    pub async fn start(self) -> World {
        let mut world = self.build();
        world.start().await;
        world.create_matters().await;
        world
    }
}

/// The world. Its folder and its server end with it.
pub struct World {
    name: &'static str,
    seed: u64,
    root: PathBuf,
    _home: tempfile::TempDir,
    /// What the settings file says; write it anew with [`World::write_settings`].
    pub settings: Settings,
    sims: Vec<(String, SimHandle)>,
    dms: Option<Box<dyn Dms>>,
    /// The server, while it runs.
    pub server: Option<Server>,
    /// What stands before the server's command line.
    pub prefix: Vec<String>,
    /// The server's environment.
    pub environment: Vec<(String, String)>,
    /// Hashes of everything that was ever sent.
    pub handed_in: BTreeSet<String>,
}

impl World {
    /// A world with quick retries and nothing else.
    #[expect(clippy::new_ret_no_self, reason = "a world is built")]
    pub fn new(name: &'static str) -> Builder {
        Builder {
            name,
            seed: 0x5eed_0000 + name.bytes().map(u64::from).sum::<u64>(),
            folder: false,
            imanage: Vec::new(),
            outside: Vec::new(),
            hot: false,
            concurrency: 8,
            retry: "first_seconds = 1\ncap_seconds = 2\nlag_window_seconds = 1".into(),
            limits: String::new(),
            server: "grace_seconds = 5".into(),
            // The simulator's index is never late unless a test makes it so.
            imanage_extra: "probe_lag_seconds = 1".into(),
            reserve_bytes: 1 << 20,
            log: "info".into(),
            more: String::new(),
            prefix: Vec::new(),
            environment: Vec::new(),
            dms: None,
        }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.settings.data()
    }

    /// The settings file.
    pub fn config(&self) -> PathBuf {
        self.root.join("postroom.toml")
    }

    /// Writes the settings file.
    pub fn write_settings(&self) {
        std::fs::write(self.config(), self.settings.text()).expect("the settings can be written");
    }

    /// The server's address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.settings.port)
    }

    /// A client with a role's token.
    pub fn api(&self, role: &str) -> Api {
        Api::new(&self.url(), &settings::token(role))
    }

    /// The operator's client, which may do everything that tests do most.
    pub fn op(&self) -> Api {
        self.api("operator")
    }

    /// How the server is started here.
    pub fn launch(&self) -> Launch {
        Launch {
            prefix: self.prefix.clone(),
            environment: self.environment.clone(),
            arguments: vec![
                "serve".into(),
                "--config".into(),
                self.config().display().to_string(),
                "--json".into(),
            ],
            log: self.root.join("server.log"),
            patience: Duration::from_mins(1),
        }
    }

    /// Starts the server; fails the test when it does not come up.
    pub async fn start(&mut self) {
        if let Err(why) = self.try_start().await {
            panic!("the server did not start: {why:?}\n{}", self.log_tail());
        }
    }

    /// Starts the server.
    pub async fn try_start(&mut self) -> Result<(), NotReady> {
        assert!(self.server.is_none(), "the server runs already");
        self.server = Some(Server::start(&self.launch()).await?);
        Ok(())
    }

    /// SIGKILL.
    pub async fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill().await;
        }
    }

    /// SIGTERM; fails the test unless it ends well.
    pub async fn stop(&mut self) -> ExitStatus {
        let status = self.server.take().expect("a running server").stop(PATIENCE).await;
        assert!(status.success(), "the clean stop ended with {status}\n{}", self.log_tail());
        status
    }

    /// Waits until the server ends by itself.
    pub async fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        let status = self.server.as_mut().expect("a running server").ended(patience).await;
        if status.is_some() {
            self.server = None;
        }
        status
    }

    /// The running server.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a running server")
    }

    /// A simulator by its destination's name.
    pub fn sim(&self, name: &str) -> &SimHandle {
        &self.sims.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no simulator {name}")).1
    }

    /// The DMS of [`Builder::with_dms`].
    pub fn dms(&self) -> &dyn Dms {
        self.dms.as_deref().expect("a world with a DMS of any kind")
    }

    /// Sets a fault at the first simulator.
    pub fn fault(&self, rule: Rule) {
        self.sims[0].1.control().add_fault(rule);
    }

    /// Takes all faults away.
    pub fn no_faults(&self) {
        for (_, sim) in &self.sims {
            sim.control().clear_faults();
        }
    }

    /// Creates the matters that are not there yet.
    pub async fn create_matters(&self) {
        let op = self.op();
        for (reference, client, matter, title) in MATTERS {
            let body = json!({
                "reference": reference, "title": title, "work_type": "matter/litigation",
                "client": {"reference": client, "name": "Harrow Ltd"}, "attributes": {"matter": matter},
            });
            let answer = op.post("/api/v1/work-items", &body).await;
            assert!([200, 201, 409].contains(&answer.status), "{}", answer.text());
        }
    }

    /// Hands documents in as the operator; fails the test unless they are accepted.
    pub async fn deposit(&mut self, upload: Upload) -> Accepted {
        self.handed_in.extend(upload.hashes());
        let answer = self.op().upload(&upload).await.expect(202);
        Accepted::of(&answer)
    }

    /// Waits until a filing is in one of these states.
    pub async fn in_state(&self, id: &str, states: &[&str]) -> Value {
        self.in_state_within(id, states, PATIENCE).await
    }

    /// The same with another deadline.
    pub async fn in_state_within(&self, id: &str, states: &[&str], patience: Duration) -> Value {
        let op = self.op();
        let begin = std::time::Instant::now();
        loop {
            let filing = op.filing(id).await;
            if states.iter().any(|state| filing["state"] == *state) {
                return filing;
            }
            // What it was instead is worth more than that it was not.
            assert!(begin.elapsed() < patience, "no {} within {patience:?}: {filing:#}", states.join(" or "));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until every accepted filing is filed.
    pub async fn all_filed(&self, accepted: &[Accepted]) {
        for (id, _) in accepted.iter().flat_map(|accepted| &accepted.filings) {
            self.in_state(id, &["filed"]).await;
        }
    }

    /// Waits until nothing is under way by itself any more.
    pub async fn quiet(&self, patience: Duration) {
        let op = self.op();
        wait::until("no filing is waiting, blocked, running or checking", patience, || async {
            let summary = op.try_get("/api/v1/summary").await.ok()?.body;
            let open: u64 = ["waiting", "blocked", "running", "checking"]
                .iter()
                .filter_map(|state| summary["filings"][state].as_u64())
                .sum();
            (open == 0 && summary["filings"].is_object()).then_some(())
        })
        .await;
    }

    /// Every document in every DMS of this world.
    pub fn deposits(&self) -> Vec<Deposit> {
        let mut all = if self.settings.folder { folder::deposits(&self.settings.dms()) } else { Vec::new() };
        all.extend(self.dms.iter().flat_map(|dms| dms.deposits()));
        for (_, sim) in &self.sims {
            all.extend(sim.control().ledger().into_iter().map(|entry| Deposit {
                mark: find_mark(&[entry.field.as_deref().unwrap_or_default(), &entry.comment]),
                hash: entry.blake3,
                place: entry.container,
                name: entry.name,
            }));
        }
        all
    }

    /// Compares what was accepted with the API and with what the DMS holds.
    pub async fn verdict(&self, accepted: &[Accepted]) -> Verdict {
        let filings = self.op().filings("").await;
        oracle::compare(accepted, &filings, &self.deposits(), &self.handed_in)
    }

    /// Fails the test unless everything accepted is in the DMS exactly once, with equal bytes, and nothing else is.
    pub async fn assert_exactly_once(&self, accepted: &[Accepted]) -> Verdict {
        let verdict = self.verdict(accepted).await;
        assert!(
            verdict.is_clean() && verdict.with_person.is_empty() && verdict.filed == verdict.accepted,
            "{verdict:#?}"
        );
        verdict
    }

    /// The end of the server's log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read(self.root.join("server.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// The mark in the first text that holds one.
pub(crate) fn find_mark(texts: &[&str]) -> String {
    texts
        .iter()
        .find_map(|text| {
            let at = text.find("postroom:")?;
            let mark: String = text[at..].chars().take("postroom:".len() + 36).collect();
            Some(mark)
        })
        .unwrap_or_default()
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "world {} with seed {:#x}; the end of the server's log:\n{}",
                self.name,
                self.seed,
                self.log_tail()
            );
        }
    }
}
