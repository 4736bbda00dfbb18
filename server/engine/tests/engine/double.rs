//! A DMS that does as it is told, and keeps a ledger of every document it holds.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::StreamExt;
use postroom_domain::Fut;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, Document, Found, Page, Probe,
    Receipt, RetryAfter, Trouble, Upload,
};
use postroom_domain::ids::{BlobHash, FilingId};
use postroom_domain::link::Rights;
use postroom_domain::person::{Actor, Credential};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock;
use tokio::time::Instant;

use crate::clock::TokioClock;

/// What an upload meets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// A status, before anything was stored.
    Status(u16),
    /// "Too many requests", with the seconds it asks for.
    Throttle(Option<u64>),
    /// No connection.
    Unreachable,
    /// A certificate that does not hold.
    Certificate,
    /// The connection breaks after half of the document.
    Half,
    /// Stored, but the answer is lost.
    LostAnswer,
    /// Sent whole, not stored, and no answer.
    LostDocument,
    /// Stored cut short.
    ShortCopy,
    /// The document that is there already is named.
    AlreadyThere,
    /// Never answers, having taken nothing.
    HangAtOnce,
    /// Never answers, having stored the document.
    HangAfter,
    /// The connector panics.
    Panic,
}

/// One document that the DMS holds.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) filing: FilingId,
    pub(crate) hash: BlobHash,
    pub(crate) size: u64,
    pub(crate) container: String,
    /// Which version of the document it is, from 1.
    pub(crate) version: u32,
    /// What the DMS gives back.
    pub(crate) bytes: Vec<u8>,
    /// On the steady clock of the world.
    at: Duration,
}

/// What happens without a fault, and what was seen.
pub(crate) struct State {
    pub(crate) capabilities: Capabilities,
    pub(crate) workspaces: Vec<Container>,
    pub(crate) folders: HashMap<String, Vec<Container>>,
    pub(crate) ledger: Vec<Held>,
    /// Faults of the next uploads, in order.
    pub(crate) script: VecDeque<Fault>,
    /// The fault of every upload, after the script.
    pub(crate) always: Option<Fault>,
    /// Faults by filing, each time.
    pub(crate) by_filing: HashMap<FilingId, Fault>,
    /// A fault in so many of a hundred uploads, drawn from the seed.
    pub(crate) chance: Option<(u64, Vec<Fault>)>,
    /// The fault of every probe.
    pub(crate) probe_fault: Option<u16>,
    pub(crate) takes: Duration,
    pub(crate) index_lag: Duration,
    /// How long the answer to a probe is on its way, after it was found out.
    pub(crate) probe_answer_takes: Duration,
    pub(crate) seed: u64,
    /// When each upload began, and how many were under way then, itself among them.
    pub(crate) uploads: Vec<(Instant, FilingId, usize)>,
    pub(crate) under_way: usize,
    pub(crate) probes: usize,
    pub(crate) searches: usize,
    pub(crate) listings: usize,
    pub(crate) created: usize,
    /// What persons may do; none when the DMS cannot be asked.
    pub(crate) rights: Option<Rights>,
    pub(crate) rights_asked: usize,
    /// What a download meets; none gives the bytes back.
    pub(crate) download_fault: Option<u16>,
    pub(crate) downloads: usize,
    pub(crate) workspaces_made: usize,
    /// Workspaces that are there and hidden: 403.
    pub(crate) hidden: Vec<String>,
    /// Calls of any kind but of its capabilities.
    pub(crate) calls: usize,
    /// For whom and with which account each upload and probe was made.
    pub(crate) uploads_as: Vec<(String, Option<Credential>)>,
    pub(crate) probes_as: Vec<(String, Option<Credential>)>,
    /// An account whose probes find nothing.
    pub(crate) hidden_from: Option<Credential>,
}

#[derive(Clone)]
pub(crate) struct Double(Arc<Mutex<State>>, Arc<TokioClock>);

pub(crate) fn container(id: &str, name: &str) -> Container {
    Container { id: id.to_owned(), name: name.to_owned(), open: true, ..Container::default() }
}

impl Double {
    pub(crate) fn new(clock: Arc<TokioClock>) -> Self {
        let capabilities = Capabilities {
            probe: true,
            probe_lag_seconds: 0,
            search_by_fields: true,
            files_in_workspace: true,
            create_folders: true,
            ..Capabilities::default()
        };
        Self(
            Arc::new(Mutex::new(State {
                capabilities,
                workspaces: vec![container("ws-1", "Harrow v Teal")],
                folders: HashMap::new(),
                ledger: Vec::new(),
                script: VecDeque::new(),
                always: None,
                by_filing: HashMap::new(),
                chance: None,
                probe_fault: None,
                takes: Duration::from_millis(100),
                index_lag: Duration::ZERO,
                probe_answer_takes: Duration::ZERO,
                seed: 1,
                uploads: Vec::new(),
                under_way: 0,
                probes: 0,
                searches: 0,
                listings: 0,
                created: 0,
                rights: None,
                rights_asked: 0,
                download_fault: None,
                downloads: 0,
                workspaces_made: 0,
                hidden: Vec::new(),
                calls: 0,
                uploads_as: Vec::new(),
                probes_as: Vec::new(),
                hidden_from: None,
            })),
            clock,
        )
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Documents that carry a filing's mark.
    pub(crate) fn held(&self, filing: FilingId) -> Vec<Held> {
        self.state().ledger.iter().filter(|held| held.filing == filing).cloned().collect()
    }

    /// What a probe finds now, and how long the answer is on its way.
    fn answer_to(&self, probe: &Probe<'_>) -> (DmsResult<Found>, Duration) {
        let mut state = self.state();
        state.probes += 1;
        state.calls += 1;
        state.probes_as.push(who(probe.actor));
        if let Some(status) = state.probe_fault {
            let error = DmsError::from_symptom(Symptom::Status(status), Sent::Nothing, "the question failed");
            return (Err(error), state.probe_answer_takes);
        }
        let (lag, now) = (state.index_lag, self.1.monotonic());
        let hidden = state.hidden_from.is_some() && state.hidden_from == probe.actor.credential;
        let found = |held: &&Held| {
            held.filing == probe.mark.filing()
                && !hidden
                && probe.onto.is_none_or(|document| document == held.id)
                && held.container == probe.container
                && held.at + lag <= now
        };
        let mut found: Vec<Receipt> = state.ledger.iter().filter(found).map(receipt).collect();
        let answer = match found.len() {
            0 => Found::No,
            1 => Found::Yes(found.remove(0)),
            _ => Found::Several(found),
        };
        (Ok(answer), state.probe_answer_takes)
    }

    fn store(&self, upload: &Upload<'_>, bytes: &[u8]) -> Receipt {
        let mut state = self.state();
        let size = bytes.len() as u64;
        let new = format!("doc-{}", state.ledger.len() + 1);
        let id = upload.onto.map_or(new, str::to_owned);
        let version = 1 + state.ledger.iter().filter(|held| held.id == id).count();
        let held = Held {
            id: id.clone(),
            filing: upload.mark.filing(),
            hash: upload.content.hash(),
            size,
            container: upload.container.to_owned(),
            version: u32::try_from(version).unwrap(),
            bytes: bytes.to_vec(),
            at: self.1.monotonic(),
        };
        let receipt = receipt(&held);
        state.ledger.push(held);
        receipt
    }

    async fn run(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        let size = upload.content.size();
        let (fault, takes) = {
            let mut state = self.state();
            let id = upload.mark.filing();
            let under_way = state.under_way;
            state.uploads.push((Instant::now(), id, under_way));
            let known = state.workspaces.iter().chain(state.folders.values().flatten());
            if !known.clone().any(|c| c.id == upload.container) {
                return Err(DmsError::from_symptom(Symptom::Status(404), Sent::Nothing, "no such container"));
            }
            let by_filing = state.by_filing.get(&id).copied();
            let scripted = by_filing.or_else(|| state.script.pop_front()).or(state.always);
            (scripted.or_else(|| state.draw()), state.takes)
        };
        let status =
            |status| DmsError::from_symptom(Symptom::Status(status), Sent::Nothing, format!("said {status}"));
        match fault {
            Some(Fault::Status(code)) => return Err(status(code)),
            Some(Fault::Throttle(seconds)) => {
                let trouble = Trouble { status: Some(429), ..Trouble::new(Cause::Throttled, "said 429") };
                return Err(DmsError::Throttled { until: seconds.map(RetryAfter::Seconds), trouble });
            }
            Some(Fault::Unreachable) => {
                return Err(DmsError::from_symptom(Symptom::NoConnection, Sent::Nothing, "refused"));
            }
            Some(Fault::Certificate) => {
                return Err(DmsError::from_symptom(Symptom::BadCertificate, Sent::Nothing, "expired"));
            }
            Some(Fault::AlreadyThere) => {
                let existing = Receipt { document: "doc-old".to_owned(), ..example_receipt() };
                let trouble = Trouble::new(Cause::Conflict, "said 409");
                return Err(DmsError::Conflict { existing: Some(existing), trouble });
            }
            Some(Fault::HangAtOnce) => std::future::pending().await,
            Some(Fault::Panic) => panic!("the connector has a fault"),
            _ => {}
        }
        let mut bytes = Vec::new();
        let mut stream = upload.content.open().await.map_err(|error| damaged(&error))?;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| damaged(&error))?;
            if fault == Some(Fault::Half) && (bytes.len() + chunk.len()) as u64 > size / 2 {
                return Err(DmsError::from_symptom(Symptom::Reset, Sent::Partly, "reset"));
            }
            bytes.extend_from_slice(&chunk);
            upload.gauge.add(chunk.len() as u64);
        }
        tokio::time::sleep(takes).await;
        let lost = || DmsError::from_symptom(Symptom::TimedOut, Sent::Fully, "no answer");
        match fault {
            Some(Fault::LostDocument) => Err(lost()),
            Some(Fault::LostAnswer) => {
                self.store(&upload, &bytes);
                Err(lost())
            }
            Some(Fault::ShortCopy) => Ok(self.store(&upload, &bytes[..bytes.len() / 2])),
            Some(Fault::HangAfter) => {
                self.store(&upload, &bytes);
                std::future::pending().await
            }
            _ => Ok(self.store(&upload, &bytes)),
        }
    }
}

/// For whom and with which account.
fn who(actor: &Actor) -> (String, Option<Credential>) {
    assert_eq!(actor.principal, "engine");
    (actor.account_owner().to_owned(), actor.credential)
}

fn example_receipt() -> Receipt {
    Receipt {
        document: String::new(),
        version: None,
        container: "ws-1".to_owned(),
        size: None,
        hash: None,
        link: None,
    }
}

fn receipt(held: &Held) -> Receipt {
    Receipt {
        document: held.id.clone(),
        version: Some(held.version.to_string()),
        container: held.container.clone(),
        size: Some(held.size),
        ..example_receipt()
    }
}

fn damaged(error: &std::io::Error) -> DmsError {
    DmsError::Damaged(Trouble::new(Cause::StoreDamage, error.to_string()))
}

impl State {
    fn next(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    fn draw(&mut self) -> Option<Fault> {
        let (percent, faults) = self.chance.clone()?;
        let (hit, which) = (self.next() % 100 < percent, self.next());
        hit.then(|| faults[usize::try_from(which).unwrap() % faults.len()])
    }
}

/// Counts an upload as under way until it ends, however it ends.
struct UnderWay(Double);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

impl Dms for Double {
    fn capabilities(&self) -> Capabilities {
        let state = self.state();
        Capabilities { rights: state.rights.is_some(), ..state.capabilities }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async { Ok(Account { id: "1".to_owned(), name: "double".to_owned(), dms_version: None }) })
    }

    fn find_workspaces<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut state = self.state();
            state.searches += 1;
            state.calls += 1;
            let fits = |workspace: &&Container| match query {
                WorkspaceQuery::Title(title) => workspace.name == *title,
                WorkspaceQuery::Pinned(id) => workspace.id == *id,
                WorkspaceQuery::Fields(fields) => {
                    fields.iter().all(|(field, value)| workspace.fields.get(field) == Some(value))
                }
            };
            let seen = |workspace: &&Container| !state.hidden.contains(&workspace.id);
            Ok(state.workspaces.iter().filter(seen).filter(fits).take(limit).cloned().collect())
        })
    }

    fn container<'a>(&'a self, _: &'a Actor, _: &'a str, id: &'a str) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            let state = self.state();
            if state.hidden.iter().any(|hidden| hidden == id) {
                return Err(DmsError::from_symptom(
                    Symptom::Status(403),
                    Sent::Nothing,
                    format!("hides {id}"),
                ));
            }
            let known = state.workspaces.iter().chain(state.folders.values().flatten());
            let found = known.clone().find(|w| w.id == id).cloned();
            found.ok_or_else(|| {
                DmsError::from_symptom(Symptom::Status(404), Sent::Nothing, format!("no {id}"))
            })
        })
    }

    fn folders<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut state = self.state();
            state.listings += 1;
            state.calls += 1;
            let all = state.folders.get(container).cloned().unwrap_or_default();
            let from: usize = page.map_or(0, |page| page.parse().unwrap());
            let next = (from + 2 < all.len()).then(|| (from + 2).to_string());
            Ok(Page { items: all.into_iter().skip(from).take(2).collect(), next })
        })
    }

    fn create_folder<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut state = self.state();
            let siblings = state.folders.entry(parent.to_owned()).or_default();
            if siblings.iter().any(|folder| folder.name == name) {
                return Err(DmsError::from_symptom(Symptom::Status(409), Sent::Nothing, "there already"));
            }
            let folder = container(&format!("{parent}/{name}"), name);
            siblings.push(folder.clone());
            state.created += 1;
            Ok(folder)
        })
    }

    fn safe_name(&self, name: &str) -> String {
        name.replace('/', "_")
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(async move {
            let by = who(upload.actor);
            {
                let mut state = self.state();
                state.under_way += 1;
                state.calls += 1;
                state.uploads_as.push(by);
            }
            let _under_way = UnderWay(self.clone());
            self.run(upload).await
        })
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let (answer, takes) = self.answer_to(&probe);
            tokio::time::sleep(takes).await;
            answer
        })
    }

    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        _: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        Box::pin(async move {
            assert_eq!(who(actor), (person.to_owned(), Some(Credential::System)), "who is asked about");
            let mut state = self.state();
            state.rights_asked += 1;
            state.calls += 1;
            Ok(state.rights.unwrap_or(Rights::Unknown))
        })
    }

    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move {
            who(actor);
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut state = self.state();
            state.downloads += 1;
            if let Some(status) = state.download_fault {
                return Err(DmsError::from_symptom(
                    Symptom::Status(status),
                    Sent::Nothing,
                    "gives nothing back",
                ));
            }
            let wanted = |held: &&Held| {
                held.id == document && version.is_none_or(|version| version == held.version.to_string())
            };
            let held = state.ledger.iter().rfind(wanted).ok_or_else(|| {
                DmsError::from_symptom(Symptom::Status(404), Sent::Nothing, "no such document")
            })?;
            let chunks: Vec<_> =
                held.bytes.chunks(5).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect();
            Ok(Box::pin(futures_util::stream::iter(chunks)) as ByteStream)
        })
    }

    fn create_workspace<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        fields: &'a [(String, String)],
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut state = self.state();
            let fields: std::collections::BTreeMap<String, String> = fields.iter().cloned().collect();
            if let Some(there) = state.workspaces.iter().find(|workspace| workspace.fields == fields) {
                return Ok(there.clone());
            }
            state.workspaces_made += 1;
            let made = Container { fields, ..container(&format!("made-{}", state.workspaces_made), "made") };
            state.workspaces.push(made.clone());
            Ok(made)
        })
    }

    fn document<'a>(&'a self, _: &'a Actor, _: &'a str, _: &'a str) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async { Err(no_gift()) })
    }
}

fn no_gift() -> DmsError {
    DmsError::Unsupported(Trouble::new(Cause::Unsupported, "the double gives nothing back"))
}
