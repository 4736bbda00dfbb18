//! A house with one mailbox: the memory store, a real spool, and what the tests ask of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::ids::{IdMint, IntakeId};
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::person::Actor;
use postroom_domain::plan::Rules;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::reception::Reception;
use postroom_domain::record::Registry as _;
use postroom_domain::record::{Kind, Record};
use postroom_domain::spool::Spool as _;
use postroom_domain::store::{IntakeChange, Store as _};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_inbound::imap::{
    After, ImapHandle, ImapMailbox, ImapOptions, ImapPatience, ImapSetupError, ImapStatus, Security, SignIn,
};
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};

use crate::dovecot::{PASSWORD, USER};

pub(crate) struct World {
    _data: tempfile::TempDir,
    spool: FileSpool,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    reception: Arc<Reception>,
}

/// A mailbox that is looked through all the time.
pub(crate) fn options(port: u16) -> ImapOptions {
    ImapOptions {
        source: "post".parse().unwrap(),
        site: "london".parse().unwrap(),
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        user: USER.to_owned(),
        sign_in: SignIn::Password(PASSWORD.into()),
        folders: vec!["INBOX".to_owned()],
        after: After::Flag,
        poll: Duration::from_millis(30),
        idle: false,
        batch: 50,
        largest: 2_000_000,
        patience: ImapPatience {
            connect: Duration::from_secs(20),
            answer: Duration::from_secs(20),
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(100),
        },
    }
}

/// The status once it is as wanted.
pub(crate) async fn until(mailbox: &ImapHandle, wanted: impl FnMut(&ImapStatus) -> bool) -> ImapStatus {
    let mut watch = mailbox.watch();
    let waiting = tokio::time::timeout(Duration::from_mins(1), watch.wait_for(wanted)).await;
    let Ok(status) = waiting else { panic!("it did not come to that: {:#?}", mailbox.status()) };
    status.unwrap().clone()
}

/// Two more whole looks, so that whatever was there when this was called has been seen.
pub(crate) async fn looked_again(mailbox: &ImapHandle) -> ImapStatus {
    let looks = mailbox.status().looks;
    until(mailbox, |status| status.looks >= looks + 2).await
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_reserve(0)
    }

    /// A house that keeps so many bytes of its disk free.
    pub(crate) fn with_reserve(reserve: u64) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
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
        Self { _data: data, spool, store, clock, reception }
    }

    pub(crate) fn open(&self, options: ImapOptions) -> ImapHandle {
        ImapMailbox::new(options, self.reception.clone(), Arc::new(self.spool.clone())).unwrap().start()
    }

    pub(crate) fn refused(&self, options: ImapOptions) -> ImapSetupError {
        let refused = ImapMailbox::new(options, self.reception.clone(), Arc::new(self.spool.clone()));
        refused.err().expect("a refusal")
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

    pub(crate) async fn intake_of(&self, wanted: &str) -> Intake {
        for intake in self.intakes().await {
            if subject(&self.bytes(&intake).await) == wanted {
                return intake;
            }
        }
        panic!("{wanted} was not taken in");
    }

    /// Ends an intake: by its filings, or by a person.
    pub(crate) async fn end(&self, wanted: &str, state: IntakeState) {
        let mut intake = self.intake_of(wanted).await;
        let id = intake.id;
        intake.version += 1;
        intake.state = if state == IntakeState::Dismissed { IntakeState::NeedsPerson } else { state };
        let change = IntakeChange {
            next: intake,
            filings: Vec::new(),
            records: Vec::new(),
            actor: Actor::system("test", None),
            note: String::new(),
            at: self.clock.now(),
        };
        self.store.change_intake(change).await.unwrap();
        if state == IntakeState::Dismissed {
            self.reception.dismiss(id, None, &Actor::person("ada"), "advertising").await.unwrap();
        }
        assert_eq!(self.state(id).await, state);
    }

    async fn state(&self, id: IntakeId) -> IntakeState {
        self.store.intake(id).await.unwrap().unwrap().state
    }

    pub(crate) async fn records(&self, kind: Kind) -> Vec<Record> {
        self.store.records(kind, None, None, 1_000).await.unwrap()
    }
}

pub(crate) fn letter(subject: &str) -> Vec<u8> {
    format!("Subject: {subject}\r\nFrom: ada@client.example\r\n\r\nDear Sirs,\r\n.\r\nyours\r\n").into_bytes()
}

pub(crate) fn subject(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().to_owned()
}
