//! Everything an engine needs, in memory, under a clock that runs through a night in no time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postroom_domain::backoff::RetryPolicy;
use postroom_domain::dms::Receipt;
use postroom_domain::filing::{Filing, Progress, Request, State};
use postroom_domain::ids::{FilingId, IdMint, IntakeId, WorkItemId};
use postroom_domain::intake::{Document, Intake, IntakeState};
use postroom_domain::person::{Actor, Credential};
use postroom_domain::spool::Blob;
use postroom_domain::store::{Acceptance, Accepted, FilingChange, Pause, Store};
use postroom_domain::target::{Target, WhenAmbiguous, WorkspaceQuery};
use postroom_domain::testing::SeededEntropy;
use postroom_domain::time::{Clock, age};
use postroom_engine::{Destination, DestinationSettings, Engine, EngineHandle, EngineOptions, EngineParts};
use postroom_store::MemoryStore;

use crate::clock::TokioClock;
use crate::double::Double;
use crate::links::Register;
use crate::shelf::Shelf;

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) links: Arc<Register>,
    pub(crate) clock: Arc<TokioClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
    pub(crate) policy: RetryPolicy,
    pub(crate) options: EngineOptions,
    pub(crate) settings: DestinationSettings,
    pub(crate) destinations: BTreeMap<String, Double>,
    mint: IdMint,
    count: AtomicU64,
}

impl World {
    /// One destination, `dms`, four at a time.
    pub(crate) fn new() -> Self {
        Self::seeded(1)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        let clock = Arc::new(TokioClock::at("2026-11-23T09:00:00Z"));
        let double = Double::new(clock.clone());
        double.state().seed = seed;
        Self {
            store: Arc::new(MemoryStore::new()),
            shelf: Arc::default(),
            links: Arc::default(),
            clock,
            entropy: Arc::new(SeededEntropy::new(seed)),
            policy: RetryPolicy::default(),
            options: EngineOptions::default(),
            settings: DestinationSettings::default(),
            destinations: BTreeMap::from([("dms".to_owned(), double)]),
            mint: IdMint::after(0),
            count: AtomicU64::new(0),
        }
    }

    pub(crate) fn dms(&self) -> Double {
        self.destinations["dms"].clone()
    }

    pub(crate) fn add(&mut self, name: &str) -> Double {
        let double = Double::new(self.clock.clone());
        self.destinations.insert(name.to_owned(), double.clone());
        double
    }

    pub(crate) async fn start(&self) -> EngineHandle {
        self.clock.attach();
        let destinations = self.destinations.iter().map(|(name, double)| Destination {
            name: name.parse().unwrap(),
            dms: Arc::new(double.clone()),
            settings: self.settings.clone(),
        });
        Engine::start(EngineParts {
            store: self.store.clone(),
            spool: self.shelf.clone(),
            destinations: destinations.collect(),
            accounts: self.links.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            policy: self.policy.clone(),
            options: self.options.clone(),
        })
        .await
        .unwrap()
    }

    pub(crate) fn target(service: &str) -> Target {
        Target {
            service: service.parse().unwrap(),
            repository: None,
            library: String::new(),
            workspace: WorkspaceQuery::Title("Harrow v Teal".to_owned()),
            folder: Vec::new(),
            create_folders: false,
            when_ambiguous: WhenAmbiguous::Ask,
            profile: BTreeMap::new(),
            create_workspace: false,
            save_mode: postroom_domain::target::SaveMode::default(),
        }
    }

    fn id(&self) -> u128 {
        self.mint.next(&*self.clock, &*self.entropy)
    }

    /// Accepts one document.
    pub(crate) async fn accept_to(&self, source: &str, target: Target) -> FilingId {
        self.accept_as(source, target, Credential::System, "clerk").await
    }

    pub(crate) async fn accept_as(
        &self,
        source: &str,
        target: Target,
        credential: Credential,
        by: &str,
    ) -> FilingId {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let blob = self.shelf.put(format!("document {number}"));
        self.accept_blob(source, target, credential, by, blob, None).await
    }

    /// Accepts one document for a work item.
    pub(crate) async fn accept_for(&self, source: &str, target: Target, work_item: WorkItemId) -> FilingId {
        let blob = self.shelf.put(format!("document {}", self.count.fetch_add(1, Ordering::Relaxed)));
        self.accept_blob(source, target, Credential::System, "clerk", blob, Some(work_item)).await
    }

    /// Accepts a save of the linked document `key` of work item 7; as it stands afterwards.
    pub(crate) async fn save(&self, content: &str, key: &str) -> Filing {
        let target =
            Target { save_mode: postroom_domain::target::SaveMode::KeepLinked, ..Self::target("dms") };
        let (blob, item) = (self.shelf.put(content.to_owned()), Some(WorkItemId::from_u128(7)));
        let id = self.accept_request("upload", target, Credential::System, "clerk", blob, item, key).await;
        self.filing(id).await
    }

    async fn accept_blob(
        &self,
        source: &str,
        target: Target,
        credential: Credential,
        by: &str,
        blob: Blob,
        work_item: Option<WorkItemId>,
    ) -> FilingId {
        self.accept_request(source, target, credential, by, blob, work_item, "").await
    }

    #[expect(clippy::too_many_arguments, reason = "what a request is made of")]
    async fn accept_request(
        &self,
        source: &str,
        target: Target,
        credential: Credential,
        by: &str,
        blob: Blob,
        work_item: Option<WorkItemId>,
        document_key: &str,
    ) -> FilingId {
        let now = self.clock.now();
        let (intake, id) = (IntakeId::from_u128(self.id()), FilingId::from_u128(self.id()));
        let document =
            Document { file_name: "letter.pdf".to_owned(), media_type: "application/pdf".to_owned(), blob };
        let filing = Filing {
            id,
            intake,
            site: "main".parse().unwrap(),
            source: source.parse().unwrap(),
            received: now,
            request: Arc::new(Request {
                blob,
                file_name: document.file_name.clone(),
                media_type: document.media_type.clone(),
                target,
                work_item,
                reference: String::new(),
                subject: String::new(),
                sender: String::new(),
                submitted_by: by.to_owned(),
                credential,
                forced: false,
                document_key: document_key.to_owned(),
                withheld: String::new(),
            }),
            progress: Progress::new(now),
        };
        let intake = Intake {
            id: intake,
            site: filing.site.clone(),
            source: filing.source.clone(),
            received: now,
            state: IntakeState::Split,
            version: 1,
            submitted_by: by.to_owned(),
            subject: String::new(),
            sender: String::new(),
            note: String::new(),
            work_item_given: String::new(),
            work_item: None,
            area: String::new(),
            save_mode: None,
            document_key: String::new(),
            documents: vec![document],
            batch: false,
            part_of: None,
            sections: Vec::new(),
            forced: false,
            allocated: None,
            also_in: Vec::new(),
            choices: Vec::new(),
            undo_until: None,
            begun: 0,
            screened: postroom_domain::screening::Screened::default(),
            letter: None,
            needs: None,
            open_filings: 0,
            filings: 0,
            trace: Vec::new(),
        };
        let acceptance = Acceptance {
            intake,
            filings: vec![filing],
            key: None,
            records: Vec::new(),
            actor: Actor::person(by),
            note: String::new(),
        };
        let accepted = self.store.accept(acceptance).await.unwrap();
        assert!(matches!(accepted, Accepted::Fresh(..)));
        id
    }

    /// Makes a filing one that is done, in a container.
    pub(crate) async fn file_by_hand(&self, id: FilingId, container: &str) {
        let before = self.filing(id).await.progress;
        let receipt = Receipt {
            document: format!("doc-{id}"),
            version: None,
            container: container.to_owned(),
            size: None,
            hash: None,
            link: None,
        };
        let change = FilingChange {
            id,
            expect: before.version,
            next: Progress {
                state: State::Filed,
                version: before.version + 1,
                due: None,
                receipt: Some(receipt),
                ..before
            },
            attempt: None,
            request: None,
            actor: Actor::person("test"),
            note: String::new(),
            at: self.clock.now(),
            also: Vec::new(),
            bulk: None,
        };
        let written = self.store.change_filings(vec![change]).await.unwrap();
        assert_eq!(written, [Ok(())]);
    }

    /// Accepts documents for a destination.
    pub(crate) async fn accept(&self, source: &str, service: &str, count: usize) -> Vec<FilingId> {
        self.clock.attach();
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.accept_to(source, Self::target(service)).await);
        }
        ids
    }

    pub(crate) async fn filings(&self, ids: &[FilingId]) -> Vec<Filing> {
        self.store.filings_by_id(ids).await.unwrap()
    }

    pub(crate) async fn filing(&self, id: FilingId) -> Filing {
        self.store.filing(id).await.unwrap().unwrap()
    }

    pub(crate) async fn count(&self, ids: &[FilingId]) -> HashMap<State, usize> {
        let mut count = HashMap::new();
        for filing in self.filings(ids).await {
            *count.entry(filing.progress.state).or_default() += 1;
        }
        count
    }

    /// Waits until something holds of all filings; fails after eight days of the clock.
    pub(crate) async fn until(
        &self,
        ids: &[FilingId],
        what: &str,
        holds: impl Fn(&Filing) -> bool,
    ) -> Vec<Filing> {
        let start = self.clock.monotonic();
        let mut seq = 0;
        loop {
            let filings = self.filings(ids).await;
            if filings.iter().all(&holds) {
                return filings;
            }
            if self.clock.monotonic() > start + Duration::from_hours(8 * 24) {
                let left: Vec<_> =
                    filings.iter().filter(|f| !holds(f)).take(3).map(|f| &f.progress).collect();
                panic!("not all are {what} after eight days: {left:#?}");
            }
            tokio::select! {
                last = self.store.wait_beyond(seq, Duration::from_mins(1)) => seq = last,
                () = tokio::time::sleep(Duration::from_mins(1)) => {}
            }
        }
    }

    pub(crate) async fn until_state(&self, ids: &[FilingId], state: State) -> Vec<Filing> {
        self.until(ids, state.as_str(), |filing| filing.progress.state == state).await
    }

    /// Waits until nothing is left to do without a person.
    pub(crate) async fn settle(&self, ids: &[FilingId]) -> Vec<Filing> {
        self.until(ids, "settled", |filing| {
            let state = filing.progress.state;
            state.is_settled() || matches!(state, State::Failed | State::Held | State::Undecided)
        })
        .await
    }

    /// All are filed, and the destination holds each exactly once with its bytes.
    pub(crate) fn assert_filed_once(&self, filings: &[Filing]) {
        for filing in filings {
            assert_eq!(filing.progress.state, State::Filed, "{:#?}", filing.progress);
            let held = self.destinations[filing.request.target.service.as_str()].held(filing.id);
            assert_eq!(held.len(), 1, "{}: {held:?}", filing.id);
            assert_eq!(held[0].hash, filing.request.blob.hash);
            assert_eq!(held[0].size, filing.request.blob.size);
            assert_eq!(filing.progress.receipt.as_ref().unwrap().document, held[0].id);
        }
    }

    pub(crate) async fn pause(&self, door: &str, minutes: Option<u64>) {
        let since = self.clock.now();
        let until = minutes.map(|minutes| postroom_domain::time::later(since, Duration::from_mins(minutes)));
        let pause = Pause {
            door: door.to_owned(),
            site: None,
            by: "operator".to_owned(),
            reason: "test".to_owned(),
            since,
            until,
        };
        self.store.pause(pause).await.unwrap();
    }

    pub(crate) async fn resume(&self, door: &str) {
        assert!(self.store.resume(door, &Actor::person("operator"), self.clock.now()).await.unwrap());
    }

    /// Seconds on the steady clock.
    pub(crate) fn clock_seconds(&self) -> u64 {
        self.clock.monotonic().as_secs()
    }

    /// Seconds since a filing was accepted.
    pub(crate) fn since(&self, filing: &Filing) -> u64 {
        age(self.clock.now(), filing.received).as_secs()
    }
}
