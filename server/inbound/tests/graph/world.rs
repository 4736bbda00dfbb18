//! A house with one mailbox at a fake Microsoft Graph: the memory store, a real spool, one clock for all, and what the tests ask of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::filing::{Filing, Progress, Request, State};
use postroom_domain::ids::{FilingId, IdMint};
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::person::Actor;
use postroom_domain::person::Credential;
use postroom_domain::plan::Rules;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::reception::Reception;
use postroom_domain::record::{Kind, Record, Registry as _};
use postroom_domain::spool::Spool as _;
use postroom_domain::store::{IntakeChange, Store as _};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::target::{SaveMode, Target, WhenAmbiguous};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_inbound::graph::{
    GraphAfter, GraphApp, GraphAppOptions, GraphHandle, GraphMailbox, GraphOptions, GraphPatience,
    GraphSetupError, GraphStatus, Marks, Notifications,
};
use postroom_outbound::{AppProof, Settings};
use postroom_sims::graph::{APP, Control, Options, SECRET, Sim, SimHandle, TENANT};
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};

pub(crate) const POST: &str = "post@firm.example";
pub(crate) const PROPERTY: &str = "String {7d3c2f10-0000-4000-8000-3d1b7c5a9e01} Name PostroomFiled";

pub(crate) struct World {
    _data: tempfile::TempDir,
    spool: FileSpool,
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) reception: Arc<Reception>,
}

/// A mailbox that is looked through all the time.
pub(crate) fn options() -> GraphOptions {
    GraphOptions {
        source: "post".parse().unwrap(),
        site: "london".parse().unwrap(),
        mailbox: POST.to_owned(),
        user: POST.to_owned(),
        folders: vec!["inbox".to_owned()],
        marks: Marks { category: Some("Filed".to_owned()), property: Some(PROPERTY.to_owned()) },
        after: GraphAfter::Stay,
        poll: Duration::from_millis(20),
        sweep: Duration::from_hours(24 * 365),
        notifications: Notifications::Off("there is no public address".to_owned()),
        pages: 4,
        largest: 2_000_000,
        patience: GraphPatience {
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(100),
            breath: Duration::from_millis(5),
        },
    }
}

/// The status once it is as wanted.
pub(crate) async fn until(mailbox: &GraphHandle, wanted: impl FnMut(&GraphStatus) -> bool) -> GraphStatus {
    let mut watch = mailbox.watch();
    let waiting = tokio::time::timeout(Duration::from_mins(1), watch.wait_for(wanted)).await;
    let Ok(status) = waiting else { panic!("it did not come to that: {:#?}", mailbox.status()) };
    status.unwrap().clone()
}

/// Two more whole looks, so that whatever was there when this was called has been seen.
pub(crate) async fn looked_again(mailbox: &GraphHandle) -> GraphStatus {
    let looks = mailbox.status().looks;
    until(mailbox, |status| status.looks >= looks + 2).await
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_reserve(0)
    }

    /// A house that keeps so many bytes of its disk free.
    pub(crate) fn with_reserve(reserve: u64) -> Self {
        postroom_outbound::install_crypto();
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let theirs = clock.clone();
        let sim = Sim::start(Options::sample().with_clock(move || theirs.now().as_millisecond())).unwrap();
        let spool_options = SpoolOptions { reserve_bytes: Some(reserve), ..SpoolOptions::default() };
        let spool = FileSpool::open(data.path(), &spool_options, clock.clone()).unwrap();
        let store = Arc::new(MemoryStore::new());
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            mint: Arc::new(IdMint::after(0)),
            rules: Arc::new(Rules::default()),
            accounts: Arc::new(postroom_domain::link::SystemOnly),
            spool: Arc::new(spool.clone()),
            opens_all: false,
            allocator: None,
        });
        Self { _data: data, spool, control: sim.control(), sim, store, clock, reception }
    }

    pub(crate) fn app_with(&self, client_id: &str, proof: AppProof) -> Arc<GraphApp> {
        let connection = Settings {
            connect_seconds: 10.0,
            first_byte_seconds: 20.0,
            longest_wait_seconds: 0.05,
            proxy: Some("none".to_owned()),
            ..Settings::default()
        };
        let options = GraphAppOptions {
            name: "graph".to_owned(),
            authority: self.sim.url().parse().unwrap(),
            tenant: TENANT.to_owned(),
            client_id: client_id.to_owned(),
            proof,
            endpoint: self.sim.url().parse().unwrap(),
            connection,
        };
        Arc::new(GraphApp::new(options, self.clock.clone(), self.reception.entropy.clone()).unwrap())
    }

    pub(crate) fn app(&self) -> Arc<GraphApp> {
        self.app_with(APP, AppProof::Secret(SECRET.into()))
    }

    fn mailbox(&self, options: GraphOptions, app: Arc<GraphApp>) -> Result<GraphMailbox, GraphSetupError> {
        GraphMailbox::new(options, app, self.reception.clone(), Arc::new(self.spool.clone()))
    }

    pub(crate) fn open(&self, options: GraphOptions) -> GraphHandle {
        self.open_by(options, self.app())
    }

    pub(crate) fn open_by(&self, options: GraphOptions, app: Arc<GraphApp>) -> GraphHandle {
        self.mailbox(options, app).unwrap().start()
    }

    pub(crate) fn refused(&self, options: GraphOptions) -> String {
        self.mailbox(options, self.app()).err().unwrap().to_string()
    }

    /// Delivers a letter of that subject into the inbox; its id.
    pub(crate) fn deliver(&self, subject: &str) -> String {
        self.control.deliver(POST, "inbox", &letter(subject))
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.control.stats().total(operation)
    }

    pub(crate) async fn intakes(&self) -> Vec<Intake> {
        let window = Window { before: None, limit: 1_000 };
        let mut items = self.store.list_intakes(&IntakeQuery::default(), window).await.unwrap().items;
        items.reverse();
        items
    }

    pub(crate) async fn bytes(&self, intake: &Intake) -> Vec<u8> {
        let content = self.spool.content(intake.documents[0].blob).await.unwrap();
        let chunks: Vec<bytes::Bytes> =
            futures_util::TryStreamExt::try_collect(content.open().await.unwrap()).await.unwrap();
        chunks.concat()
    }

    /// Everything that was taken in, byte for byte, in the order of acceptance.
    pub(crate) async fn held(&self) -> Vec<Vec<u8>> {
        let mut held = Vec::new();
        for intake in self.intakes().await {
            held.push(self.bytes(&intake).await);
        }
        held
    }

    /// The subjects of everything that was taken in, with how often each was.
    pub(crate) async fn subjects(&self) -> BTreeMap<String, usize> {
        let mut subjects = BTreeMap::new();
        for bytes in self.held().await {
            *subjects.entry(subject(&bytes)).or_default() += 1;
        }
        subjects
    }

    async fn intake_of(&self, wanted: &str) -> Intake {
        for intake in self.intakes().await {
            if subject(&self.bytes(&intake).await) == wanted {
                return intake;
            }
        }
        panic!("{wanted} was not taken in");
    }

    /// Ends an intake: by its filing, which is filed, or by a person.
    pub(crate) async fn end(&self, wanted: &str, state: IntakeState) -> String {
        let mut intake = self.intake_of(wanted).await;
        let id = intake.id;
        intake.version += 1;
        intake.state = if state == IntakeState::Dismissed { IntakeState::NeedsPerson } else { state };
        let filings = if state == IntakeState::Settled { vec![filed(&intake)] } else { Vec::new() };
        let change = IntakeChange {
            next: intake,
            filings,
            records: Vec::new(),
            actor: Actor::system("test", None),
            note: String::new(),
            at: self.clock.now(),
        };
        self.store.change_intake(change).await.unwrap();
        if state == IntakeState::Dismissed {
            self.reception.dismiss(id, None, &Actor::person("ada"), "advertising").await.unwrap();
        }
        assert_eq!(self.store.intake(id).await.unwrap().unwrap().state, state);
        id.to_string()
    }

    pub(crate) async fn records(&self, kind: Kind) -> Vec<Record> {
        self.store.records(kind, None, None, 1_000).await.unwrap()
    }
}

fn filed(intake: &Intake) -> Filing {
    let document = &intake.documents[0];
    let target = Target {
        service: "dms".parse().unwrap(),
        repository: None,
        library: String::new(),
        workspace: WorkspaceQuery::Title("Harrow v Teal".to_owned()),
        folder: Vec::new(),
        create_folders: false,
        when_ambiguous: WhenAmbiguous::Ask,
        create_workspace: false,
        save_mode: SaveMode::default(),
        profile: BTreeMap::new(),
    };
    let request = Request {
        blob: document.blob,
        file_name: document.file_name.clone(),
        media_type: document.media_type.clone(),
        target,
        work_item: None,
        reference: String::new(),
        subject: String::new(),
        sender: String::new(),
        submitted_by: String::new(),
        credential: Credential::System,
        forced: false,
        document_key: String::new(),
        withheld: String::new(),
    };
    let mut progress = Progress::new(intake.received);
    progress.state = State::Filed;
    Filing {
        id: FilingId::from_u128(intake.id.as_u128() + 1),
        intake: intake.id,
        site: intake.site.clone(),
        source: intake.source.clone(),
        received: intake.received,
        request: Arc::new(request),
        progress,
    }
}

pub(crate) fn letter(subject: &str) -> Vec<u8> {
    format!(
        "Subject: {subject}\r\nFrom: ada@client.example\r\nMessage-ID: <{subject}@client.example>\r\n\r\nDear Sirs,\r\n.\r\nyours\r\n"
    )
    .into_bytes()
}

pub(crate) fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().to_owned()
}

/// Each of these, once.
pub(crate) fn once<'a>(subjects: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, usize> {
    subjects.into_iter().map(|subject| (subject.to_owned(), 1)).collect()
}

/// Only the calls that are about one message's content.
pub(crate) fn content_of(id: &str) -> postroom_sims::graph::Pattern {
    let encoded = id.replace('%', "%25").replace('/', "%2F");
    postroom_sims::graph::Pattern { path: Some(format!("*/messages/{encoded}/$value")), ..Default::default() }
}
