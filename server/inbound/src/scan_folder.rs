//! A folder in a DMS that scanners file into. It is looked through again and again; each new document is downloaded into the spool and taken
//! in under a key made of its id and version, and what it has become is written in the same transaction. So a document is collected once,
//! also over restarts and lost answers. Once its intake is through it is left, moved or marked, as the settings say; a DMS that cannot do
//! that leaves it, and it is remembered for as long as it lies there.
//!
//! One document that goes wrong waits for longer and longer, and keeps no other waiting.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::control::SourceStatus;
use postroom_domain::dms::{Dms, DmsError, Document};
use postroom_domain::ids::{IntakeId, ServiceName, SiteName, SourceName};
use postroom_domain::intake;
use postroom_domain::person::Actor;
use postroom_domain::reception::{Arrival, Reception};
use postroom_domain::record::{self, Commit, Kept as _, Write};
use postroom_domain::scan_folder::Collected;
use postroom_domain::spool::{Blob, Spool};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError, StoreResult};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::hot_folder::naming;

#[cfg(test)]
mod tests;

/// Who collects, for the audit.
const PART: &str = "scan-folder";
/// So many documents of a folder are looked at; more of them are told, and wait for the others to go.
const MOST: usize = 20_000;
/// Records that are read together.
const PAGE: usize = 500;
/// After so long a document that is new is looked at once more: only one that has not changed meanwhile is collected.
const SETTLE: Duration = Duration::from_secs(5);
/// The longest that a document which went wrong waits for its next try.
const LONGEST: Duration = Duration::from_hours(1);
/// How long one call into the DMS, or a pause in a download, may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// What becomes of a document whose intake is through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Afterwards {
    /// Nothing.
    Leave,
    /// It goes to another folder.
    Move {
        /// Which one.
        to: String,
    },
    /// Fields of its profile are set.
    Mark {
        /// Field by field, by the DMS's own names.
        fields: std::collections::BTreeMap<String, String>,
    },
}

/// How a scan folder behaves.
#[derive(Debug, Clone)]
pub struct ScanFolderOptions {
    /// The source's name.
    pub source: SourceName,
    /// The site its arrivals belong to.
    pub site: SiteName,
    /// The destination that it lies in.
    pub service: ServiceName,
    /// Library, cabinet or site; empty where the DMS has none.
    pub library: String,
    /// The folder's id.
    pub container: String,
    /// How often it is looked through.
    pub poll: Duration,
    /// The largest document that is taken, in bytes.
    pub largest: u64,
    /// Whether its PDF and TIFF documents are batches of pages, which are divided.
    pub batches: bool,
    /// The reference of the work item, made of fields of the workspace that a document lies in; none: only its name tells.
    pub work_item: Option<WorkItemRule>,
    /// What becomes of documents that are through.
    pub afterwards: Afterwards,
}

/// How fields of a workspace make a reference: text with names of fields in braces, such as `{clientno}-{matterno}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItemRule {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl WorkItemRule {
    /// Reads a rule; what is wrong with it otherwise.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (field, behind) = after.split_once('}').ok_or("a brace is not closed")?;
            if before.contains('}') || field.contains('{') || field.trim().is_empty() {
                return Err("names of fields stand in braces, such as {matterno}");
            }
            parts.extend([Part::Text(before.to_owned()), Part::Field(field.trim().to_owned())]);
            rest = behind;
        }
        if rest.contains('}') || parts.is_empty() {
            return Err("names of fields stand in braces, such as {matterno}");
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { parts })
    }

    /// The reference; none where a field is not there or empty.
    fn reference(&self, fields: &std::collections::BTreeMap<String, String>) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Field(field) => {
                fields.get(field).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
            }
        };
        self.parts.iter().map(part).collect()
    }
}

/// How a scan folder is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanFolderStatus {
    /// Why the folder cannot be looked through, while that is so.
    pub unreachable: Option<String>,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Why nothing is taken at present although documents are there.
    pub refusing: Option<String>,
    /// Documents that are not taken, by name, and why.
    pub waiting: Vec<(String, String)>,
    /// Collected documents whose intakes are under way.
    pub under_way: usize,
    /// What could not be done with a document that is through.
    pub trouble: Option<String>,
}

/// A document that is not taken yet.
struct Waiting {
    state: String,
    name: String,
    why: String,
    tries: u32,
    not_before: Duration,
}

#[derive(Default)]
struct Memory {
    /// What was collected, by the document's id; none while that is not read.
    collected: Option<HashMap<String, Collected>>,
    waiting: HashMap<String, Waiting>,
    /// Documents that are through and could not be moved or marked: when that is tried again, and how often it was.
    later: HashMap<IntakeId, (Duration, u32)>,
}

/// A scan folder. [`ScanFolder::start`] lets it run; [`ScanFolder::look`] is one look through it.
pub struct ScanFolder {
    options: ScanFolderOptions,
    dms: Arc<dyn Dms>,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
    actor: Actor,
    memory: tokio::sync::Mutex<Memory>,
    status: Mutex<ScanFolderStatus>,
    bell: Notify,
}

/// A running scan folder.
pub struct ScanFolderHandle {
    folder: Arc<ScanFolder>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl ScanFolderHandle {
    /// How it is doing.
    pub fn status(&self) -> ScanFolderStatus {
        self.folder.status()
    }

    /// The destination that it lies in.
    pub fn service(&self) -> &ServiceName {
        &self.folder.options.service
    }

    /// Somebody says that something may be new: it is looked through now.
    pub fn wake(&self) {
        self.folder.bell.notify_one();
    }

    /// What an operator should read about it, the gravest thing first.
    pub fn source_status(&self) -> SourceStatus {
        let status = self.status();
        let waiting = status.waiting.first().map(|(name, why)| {
            let others = match status.waiting.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!("\"{name}\"{others} wait: {why}")
        });
        let notes = [status.unreachable.clone(), status.refusing, status.trouble, waiting];
        SourceStatus {
            name: self.folder.options.source.clone(),
            reachable: status.unreachable.is_none(),
            note: notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
        }
    }

    /// Takes no further document, ends the one that is being taken, and returns.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(source.error = %error, "a scan folder ended by itself; its documents are where they were");
        }
    }
}

/// Why a document was not taken.
enum NotTaken {
    /// The house does not take anything at present.
    House(String),
    /// Something is with this one.
    Document(String),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Closed | StoreError::Fatal(_) => Self::House(error.to_string()),
            other => Self::Document(format!("the store does not take it: {other}")),
        }
    }
}

fn of_dms(error: &DmsError) -> NotTaken {
    NotTaken::Document(error.to_string())
}

impl ScanFolder {
    /// A scan folder that hands in at the reception.
    pub fn new(
        options: ScanFolderOptions,
        dms: Arc<dyn Dms>,
        reception: Arc<Reception>,
        spool: Arc<dyn Spool>,
    ) -> Self {
        Self {
            options,
            dms,
            reception,
            spool,
            actor: Actor::system(PART, None),
            memory: tokio::sync::Mutex::default(),
            status: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// Lets it run until it is stopped.
    pub fn start(self) -> ScanFolderHandle {
        let (folder, stop) = (Arc::new(self), CancellationToken::new());
        let task = tokio::spawn({
            let (folder, stop) = (folder.clone(), stop.clone());
            async move {
                while !stop.is_cancelled() {
                    let rest = folder.look(&stop).await;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = folder.bell.notified() => {}
                        () = tokio::time::sleep(rest) => {}
                    }
                }
            }
        });
        ScanFolderHandle { folder, stop, task }
    }

    /// How it is doing, as of the last look.
    pub fn status(&self) -> ScanFolderStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One look through the folder. Answers how long nothing needs to be done.
    pub async fn look(&self, stop: &CancellationToken) -> Duration {
        let mut memory = self.memory.lock().await;
        let mut status = ScanFolderStatus { paused: self.paused().await, ..ScanFolderStatus::default() };
        let mut rest = self.options.poll;
        if let Err(error) = self.remember(&mut memory).await {
            status.refusing = Some(error.to_string());
        } else {
            match self.listed().await {
                Err(why) => {
                    self.tell_unreachable(&why);
                    status.unreachable = Some(why);
                }
                Ok((documents, whole)) => {
                    if !status.paused {
                        let settling = self.collect(&mut memory, &documents, &mut status, stop).await;
                        if settling {
                            rest = rest.min(SETTLE);
                        }
                    }
                    self.let_go(&mut memory, &documents, whole, &mut status, stop).await;
                    if !whole {
                        let text = format!("only the first {MOST} of its documents are looked at");
                        status.trouble.get_or_insert(text);
                    }
                }
            }
        }
        let mut waiting: Vec<&Waiting> = memory.waiting.values().filter(|it| it.tries > 0).collect();
        waiting.sort_by(|a, b| a.name.cmp(&b.name));
        status.waiting = waiting.into_iter().map(|it| (it.name.clone(), it.why.clone())).collect();
        let collected = memory.collected.iter().flat_map(HashMap::values);
        status.under_way = collected.filter(|it| !it.done).count();
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        rest
    }

    fn tell_unreachable(&self, why: &str) {
        if self.status().unreachable.is_none() {
            tracing::warn!(source.name = %self.options.source, source.service = %self.options.service, source.error = why,
                "a scan folder cannot be looked through; it is tried again and again");
        }
    }

    fn now(&self) -> Duration {
        self.reception.clock.monotonic()
    }

    async fn paused(&self) -> bool {
        let door = format!("source/{}", self.options.source);
        match self.reception.store.pauses().await {
            Ok(pauses) => {
                let now = self.reception.clock.now();
                pauses.iter().any(|pause| pause.door == door && pause.until.is_none_or(|until| until > now))
            }
            // What a person stopped stays stopped while the store cannot be asked.
            Err(_) => true,
        }
    }

    /// Reads what was collected before, once.
    async fn remember(&self, memory: &mut Memory) -> StoreResult<()> {
        if memory.collected.is_some() {
            return Ok(());
        }
        let group = Collected::of(&self.options.source);
        let (mut all, mut after) = (HashMap::new(), None);
        loop {
            let page: Vec<Collected> =
                record::page(&*self.reception.store, Some(&group), after, PAGE).await?;
            after = page.last().map(|it| it.intake.as_u128());
            let full = page.len() == PAGE;
            all.extend(page.into_iter().map(|it| (it.document.clone(), it)));
            if !full {
                break;
            }
        }
        memory.collected = Some(all);
        Ok(())
    }

    /// The documents in the folder, and whether these are all of them.
    async fn listed(&self) -> Result<(Vec<Document>, bool), String> {
        let ScanFolderOptions { library, container, .. } = &self.options;
        let (mut all, mut page) = (Vec::new(), None::<String>);
        loop {
            let asked = self.dms.documents(&self.actor, library, container, page.as_deref());
            let answer = tokio::time::timeout(PATIENCE, asked).await;
            let answer = answer.map_err(|_| "the DMS does not answer".to_owned())?;
            let answer = answer.map_err(|error| error.to_string())?;
            all.extend(answer.items);
            page = answer.next;
            if page.is_none() {
                return Ok((all, true));
            }
            if all.len() >= MOST {
                return Ok((all, false));
            }
        }
    }

    /// Collects what is new. Whether there is something that has to settle first.
    async fn collect(
        &self,
        memory: &mut Memory,
        documents: &[Document],
        status: &mut ScanFolderStatus,
        stop: &CancellationToken,
    ) -> bool {
        let there: HashSet<&str> = documents.iter().map(|document| document.id.as_str()).collect();
        memory.waiting.retain(|id, _| there.contains(id.as_str()));
        let mut settling = false;
        for document in documents {
            if stop.is_cancelled() {
                return false;
            }
            let state = state(document);
            let known = memory.collected.as_ref().and_then(|all| all.get(&document.id));
            if known.is_some_and(|known| known.state == state) {
                continue;
            }
            let now = self.now();
            let seen = memory.waiting.get(&document.id).filter(|it| it.state == state);
            let ready = seen.is_some_and(|it| it.not_before <= now);
            if seen.is_none() {
                // It has to look the same once more: scanners write to shares, too.
                settling = true;
                self.wait(memory, document, &state, String::new(), false);
            }
            if !ready {
                settling |= seen_settling(memory, document);
                continue;
            }
            match self.take(memory, document, &state).await {
                Ok(()) => drop(memory.waiting.remove(&document.id)),
                Err(NotTaken::House(why)) => {
                    status.refusing = Some(why);
                    return false;
                }
                Err(NotTaken::Document(why)) => {
                    tracing::warn!(source.name = %self.options.source, document.id = document.id, source.error = why,
                        "a document of a scan folder was not taken; it is tried again, and others go on");
                    self.wait(memory, document, &state, why, true);
                }
            }
        }
        settling
    }

    /// Notes that a document is not taken yet.
    fn wait(&self, memory: &mut Memory, document: &Document, state: &str, why: String, tried: bool) {
        let before = memory.waiting.get(&document.id).filter(|it| it.state == state);
        let tries = before.map_or(0, |it| it.tries) + u32::from(tried);
        let pause = if tried { backoff(self.options.poll, tries) } else { SETTLE.min(self.options.poll) };
        let waiting = Waiting {
            state: state.to_owned(),
            name: document.name.clone(),
            why,
            tries,
            not_before: self.now().saturating_add(pause),
        };
        memory.waiting.insert(document.id.clone(), waiting);
    }

    async fn take(&self, memory: &mut Memory, document: &Document, state: &str) -> Result<(), NotTaken> {
        let options = &self.options;
        let wrong = |why: String| NotTaken::Document(why);
        if let Some(by) = &document.locked_by {
            return Err(wrong(format!("it is checked out or locked by {by}")));
        }
        if document.size == Some(0) {
            return Err(wrong("it is empty".to_owned()));
        }
        if document.size.is_some_and(|size| size > options.largest) {
            return Err(wrong(format!(
                "it is larger than the {} bytes that are taken here",
                options.largest
            )));
        }
        self.spool.door(document.size.unwrap_or(0)).map_err(|error| NotTaken::House(error.to_string()))?;
        let blob = self.download(document).await?;
        let id = self.reception.next_intake();
        let before = memory.collected.as_ref().and_then(|all| all.get(&document.id)).cloned();
        let collected = |intake| Collected {
            intake,
            source: options.source.clone(),
            document: document.id.clone(),
            state: state.to_owned(),
            done: false,
            version: 1,
        };
        let mut records: Vec<Write> = before.iter().map(Collected::remove).collect();
        records.push(collected(id).put()?);
        let arrival = self.arrival(document, state, blob).await?;
        let intake = match self.reception.accept_as(id, arrival, records.clone(), &self.actor).await {
            Ok(Accepted::Fresh(intake, _)) => {
                tracing::info!(source.name = %options.source, document.id = document.id, intake.id = %intake.id,
                    "a document of a scan folder was taken in");
                intake.id
            }
            Ok(Accepted::Again(intake)) => {
                // It was forgotten here, and not by the store.
                records.pop();
                records.push(collected(intake).put()?);
                self.reception.store.commit(Commit { writes: records, events: Vec::new() }).await?;
                intake
            }
            Err(StoreError::Conflict { .. } | StoreError::Exists(_)) => {
                // What is remembered is not what is kept: it is read anew.
                memory.collected = None;
                return Err(wrong("it was collected at the same time by somebody else".to_owned()));
            }
            Err(StoreError::KeyReused) => {
                return Err(wrong("its content is another one under the same version".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(all) = &mut memory.collected {
            all.insert(document.id.clone(), collected(intake));
        }
        Ok(())
    }

    /// The bytes, durable.
    async fn download(&self, document: &Document) -> Result<Blob, NotTaken> {
        let slow = |_| NotTaken::Document("the DMS does not answer".to_owned());
        let (library, version) = (&self.options.library, document.version.as_deref());
        let asked = self.dms.download(&self.actor, library, &document.id, version);
        let mut stream =
            tokio::time::timeout(PATIENCE, asked).await.map_err(slow)?.map_err(|e| of_dms(&e))?;
        let house = |error: postroom_domain::spool::SpoolError| NotTaken::House(error.to_string());
        let mut draft = self.spool.draft().await.map_err(house)?;
        while let Some(chunk) = tokio::time::timeout(PATIENCE, stream.next()).await.map_err(slow)? {
            let chunk =
                chunk.map_err(|error| NotTaken::Document(format!("the download broke off: {error}")))?;
            draft.write(chunk).await.map_err(house)?;
            if draft.size() > self.options.largest {
                let limit = self.options.largest;
                let text = format!("it is larger than the {limit} bytes that are taken here");
                return Err(NotTaken::Document(text));
            }
        }
        let size = draft.size();
        if size == 0 || document.size.is_some_and(|told| told != size) {
            return Err(NotTaken::Document(format!(
                "{size} bytes came, which is not what the DMS tells of it"
            )));
        }
        draft.seal().await.map_err(house)
    }

    async fn arrival(&self, document: &Document, state: &str, blob: Blob) -> Result<Arrival, NotTaken> {
        let options = &self.options;
        let path = Path::new(&document.name);
        let media_type = naming::media_type(path);
        let mut note = format!("Document {} at {}.", document.id, options.service);
        let told = match &options.work_item {
            Some(rule) => self.reference(rule, document).await?,
            None => None,
        };
        // Where a document lies says more than how it is called.
        let references = told.clone().map_or_else(|| naming::references(path), |told| vec![told]);
        let mut work_item = None;
        for reference in references {
            let found = self.reception.store.work_item_by_reference(&options.site, &reference).await?;
            if let Some(item) = found {
                work_item = Some(item.reference);
                break;
            }
        }
        match told {
            Some(told) if work_item.is_none() => {
                note = format!("{note} Its workspace is that of {told}, which is no work item here.");
            }
            None if options.work_item.is_some() => note.push_str(" Its workspace names no work item."),
            _ => {}
        }
        Ok(Arrival {
            site: options.site.clone(),
            source: options.source.clone(),
            submitted_by: PART.to_owned(),
            subject: String::new(),
            sender: options.source.to_string(),
            note,
            work_item,
            area: None,
            documents: vec![intake::Document {
                file_name: document.name.clone(),
                media_type: media_type.to_owned(),
                blob,
            }],
            key: Some(IdempotencyKey {
                key: Collected::key(&options.source, &document.id, state),
                fingerprint: blob.hash,
            }),
            forced: false,
            batch: options.batches && matches!(media_type, "application/pdf" | "image/tiff"),
            save_mode: None,
            document_key: String::new(),
            remarks: Vec::new(),
        })
    }

    /// The reference that the workspace of a document gives.
    async fn reference(&self, rule: &WorkItemRule, document: &Document) -> Result<Option<String>, NotTaken> {
        let ScanFolderOptions { library, container, .. } = &self.options;
        let workspace = document.workspace.clone();
        let asked = async {
            let workspace = match workspace {
                Some(workspace) => workspace,
                None => {
                    let folder = self.dms.container(&self.actor, library, container).await?;
                    folder.workspace.unwrap_or(folder.id)
                }
            };
            self.dms.container(&self.actor, library, &workspace).await
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let answer = answer.map_err(|_| NotTaken::Document("the DMS does not answer".to_owned()))?;
        Ok(rule.reference(&answer.map_err(|error| of_dms(&error))?.fields))
    }

    /// Does with documents that are through what the settings say, and forgets those that are gone.
    async fn let_go(
        &self,
        memory: &mut Memory,
        documents: &[Document],
        whole: bool,
        status: &mut ScanFolderStatus,
        stop: &CancellationToken,
    ) {
        let there: HashSet<&str> = documents.iter().map(|document| document.id.as_str()).collect();
        let all: Vec<Collected> = memory.collected.iter().flat_map(HashMap::values).cloned().collect();
        for one in all {
            if stop.is_cancelled() {
                return;
            }
            let gone = whole && !there.contains(one.document.as_str());
            let done = match (one.done, gone) {
                (true, true) => self.forget(memory, &one).await,
                (true, false) => Ok(()),
                (false, gone) => self.finish(memory, &one, gone, status).await,
            };
            if let Err(error) = done {
                memory.collected = None;
                status.refusing = Some(error.to_string());
                return;
            }
        }
    }

    async fn forget(&self, memory: &mut Memory, one: &Collected) -> StoreResult<()> {
        let commit = Commit { writes: vec![one.remove()], events: Vec::new() };
        self.reception.store.commit(commit).await?;
        if let Some(all) = &mut memory.collected {
            all.remove(&one.document);
        }
        Ok(())
    }

    /// A document whose intake may be through.
    async fn finish(
        &self,
        memory: &mut Memory,
        one: &Collected,
        gone: bool,
        status: &mut ScanFolderStatus,
    ) -> StoreResult<()> {
        let intake = self.reception.store.intake(one.intake).await?;
        if intake.is_some_and(|intake| !intake.state.is_through()) {
            return Ok(());
        }
        if memory.later.get(&one.intake).is_some_and(|(not_before, _)| *not_before > self.now()) {
            return Ok(());
        }
        if !gone && let Err(why) = self.afterwards(one).await {
            let tries = memory.later.get(&one.intake).map_or(0, |(_, tries)| *tries) + 1;
            let again = self.now().saturating_add(backoff(self.options.poll, tries));
            memory.later.insert(one.intake, (again, tries));
            tracing::warn!(source.name = %self.options.source, document.id = one.document, source.error = why,
                "a document that is through could not be moved or marked; it is tried again");
            status.trouble = Some(format!("a document that is through could not be moved or marked: {why}"));
            return Ok(());
        }
        memory.later.remove(&one.intake);
        let done = Collected { done: true, version: one.version + 1, ..one.clone() };
        let commit = Commit { writes: vec![done.put()?], events: Vec::new() };
        self.reception.store.commit(commit).await?;
        if let Some(all) = &mut memory.collected {
            all.insert(one.document.clone(), done);
        }
        Ok(())
    }

    /// What the settings say, where the DMS can. One that is not there any more needs nothing.
    async fn afterwards(&self, one: &Collected) -> Result<(), String> {
        let ScanFolderOptions { library, container, .. } = &self.options;
        let able = self.dms.capabilities();
        let call = async {
            match &self.options.afterwards {
                Afterwards::Move { to } if able.move_documents => {
                    self.dms.move_document(&self.actor, library, &one.document, container, to).await.map(drop)
                }
                Afterwards::Mark { fields } if able.set_profile => {
                    self.dms.set_profile(&self.actor, library, &one.document, fields).await
                }
                // Left, and remembered.
                Afterwards::Leave | Afterwards::Move { .. } | Afterwards::Mark { .. } => Ok(()),
            }
        };
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(Ok(()) | Err(DmsError::NotFound(_) | DmsError::Unsupported(_))) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the DMS does not answer".to_owned()),
        }
    }
}

/// Whether a document waits only for its second look.
fn seen_settling(memory: &Memory, document: &Document) -> bool {
    memory.waiting.get(&document.id).is_some_and(|it| it.tries == 0)
}

/// Which state of a document it is.
fn state(document: &Document) -> String {
    let changed = document.changed.map(|at| at.to_string()).unwrap_or_default();
    let size = document.size.map(|size| size.to_string()).unwrap_or_default();
    match &document.version {
        Some(version) => format!("version {version}"),
        None => format!("{changed} {size}"),
    }
}

/// How long what went wrong so often waits.
fn backoff(poll: Duration, tries: u32) -> Duration {
    poll.saturating_mul(2_u32.saturating_pow(tries.min(12).saturating_sub(1)))
        .min(LONGEST)
        .max(poll.min(LONGEST))
}
