//! Where every door hands in what arrived: the one place that turns stored bytes into an intake with its filings.
//!
//! The caller has sealed the bytes in the spool before it comes here (bytes before rows) and acknowledges its source only after
//! [`Reception::accept`] returned `Ok` (rows before acknowledgement). On an error the bytes stay in the spool unnamed and a later
//! sweep takes them; the source still has the document.

mod allocating;
pub mod letters;
mod undoing;

use std::sync::Arc;

use jiff::Timestamp;

pub use self::allocating::Allocator;
pub use self::undoing::{UndoError, Undone};
use crate::block_list;
use crate::cause::Cause;
use crate::dms::Trouble;
use crate::filing::{Filing, Progress, Request, State};
use crate::ids::{FilingId, IdMint, IntakeId, SiteName, SourceName, WorkItemId};
use crate::intake::{self, Document, Intake, IntakeEvent, IntakeState, NeedsPerson};
use crate::link::Accounts;
use crate::mailroom::Noted;
use crate::person::Actor;
use crate::plan::{Plan, Planned, Rules};
use crate::real_type;
use crate::record::{self, Kept as _, Write};
use crate::repository::DuplicateRule;
use crate::screening::{self, Screened};
use crate::spool::Spool;
use crate::store::{Acceptance, Accepted, IdempotencyKey, IntakeChange, Store, StoreError};
use crate::target::SaveMode;
use crate::time::{Clock, Entropy};
use crate::work_item::WorkItem;

/// Something that arrived, with its bytes already durable.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The site of the door or of the person.
    pub site: SiteName,
    /// The door.
    pub source: SourceName,
    /// Who hands it in.
    pub submitted_by: String,
    /// Subject or title.
    pub subject: String,
    /// Sender or scanner.
    pub sender: String,
    /// A person's note.
    pub note: String,
    /// The work item as it was named: a reference or an id.
    pub work_item: Option<String>,
    /// The area whose repository is used; none means the door's usual one.
    pub area: Option<String>,
    /// Its documents, in order; at least one.
    pub documents: Vec<Document>,
    /// The door's promise that it will say the same again.
    pub key: Option<IdempotencyKey>,
    /// File even what is there already.
    pub forced: bool,
    /// Pages that came through a feeder together: separators and cover sheets between them are looked for.
    pub batch: bool,
    /// What becomes of the source, where the sender says so; else the repository says.
    pub save_mode: Option<SaveMode>,
    /// The sender's own id of the document, by which a later save is recognised; empty where there is none.
    pub document_key: String,
    /// What the door noticed, in words: the beginning of the trace.
    pub remarks: Vec<String>,
}

/// Why a person's decision over an intake was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// There is no such intake.
    #[error("there is no intake {0}")]
    NotFound(IntakeId),
    /// It changed since it was looked at.
    #[error("the intake changed meanwhile: it is {state} now (version {version})")]
    Stale {
        /// Its state now.
        state: IntakeState,
        /// Its version now.
        version: u64,
    },
    /// Its state does not allow this.
    #[error("an intake that is {0} cannot be decided on this way")]
    NotAllowed(IntakeState),
    /// The reason is missing.
    #[error("a reason is needed for this")]
    ReasonMissing,
    /// It was set aside because it could not be read, so nothing is known of where it belongs.
    #[error("nobody could read it ({0}), so nothing is known of where it belongs")]
    WorkItemNeeded(String),
    /// Nobody of that name can be given anything.
    #[error("there is no person \"{0}\" who may come in")]
    Nobody(String),
    /// The place given does not work either.
    #[error("{}", .0.text)]
    NoPlace(NeedsPerson),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lines of a trace beyond which no more is told of odd names.
const MOST_LINES: usize = 300;

/// The place where intakes are taken in and decided over.
pub struct Reception {
    /// Where rows are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Where ids come from: one mint for the whole process.
    pub mint: Arc<IdMint>,
    /// Which repository serves what.
    pub rules: Arc<Rules>,
    /// Whose account files what.
    pub accounts: Arc<dyn Accounts>,
    /// Where the bytes are: what a document really is stands in them.
    pub spool: Arc<dyn Spool>,
    /// Whether everything is opened before its filings are planned, because it is screened first.
    pub opens_all: bool,
    /// Who looks after what needs a person; none where the firm has no rules for that.
    pub allocator: Option<Allocator>,
}

impl Reception {
    /// Takes an arrival in, in one transaction. `Ok` means durable. Its filings are planned at once, unless it has to be opened first.
    pub async fn accept(&self, arrival: Arrival, actor: &Actor) -> Result<Accepted, StoreError> {
        self.accept_as(self.next_intake(), arrival, Vec::new(), actor).await
    }

    /// The id of an intake that is about to be taken in, for records that are written with it and name it.
    pub fn next_intake(&self) -> IntakeId {
        IntakeId::from_u128(self.next_id())
    }

    /// The same under an id of [`Self::next_intake`], with records. What was here before keeps the id it has, and no record is written.
    pub async fn accept_as(
        &self,
        id: IntakeId,
        arrival: Arrival,
        records: Vec<Write>,
        actor: &Actor,
    ) -> Result<Accepted, StoreError> {
        let area = arrival.area.unwrap_or_else(|| self.rules.usual_area(&arrival.source).to_owned());
        let mut intake = Intake {
            id,
            site: arrival.site,
            source: arrival.source,
            received: self.clock.now(),
            state: IntakeState::Stored,
            version: 1,
            submitted_by: arrival.submitted_by,
            subject: arrival.subject,
            sender: arrival.sender,
            note: arrival.note,
            work_item_given: arrival.work_item.unwrap_or_default(),
            work_item: None,
            area,
            save_mode: arrival.save_mode,
            document_key: arrival.document_key,
            documents: arrival.documents,
            batch: arrival.batch,
            part_of: None,
            sections: Vec::new(),
            forced: arrival.forced,
            allocated: None,
            also_in: Vec::new(),
            choices: Vec::new(),
            undo_until: None,
            begun: 0,
            screened: Screened::default(),
            letter: None,
            needs: None,
            open_filings: 0,
            filings: 0,
            trace: arrival.remarks,
        };
        // Where nothing is opened, `stored` is not worth a commit of its own.
        let filings =
            if self.opens_all || intake.batch { Vec::new() } else { self.plan_filings(&mut intake).await? };
        let acceptance = Acceptance {
            intake,
            filings,
            key: arrival.key,
            records,
            actor: actor.clone(),
            note: String::new(),
        };
        self.store.accept(acceptance).await
    }

    /// Plans the filings of a stored intake as it was named when it was handed in; where that does not work, it needs a person.
    pub(crate) async fn plan_filings(&self, intake: &mut Intake) -> Result<Vec<Filing>, StoreError> {
        let given = intake.work_item_given.clone();
        let item = self.find_work_item(&intake.site, &given).await?;
        let planned = self.rules.plan(&given, item.as_ref(), &intake.area, intake.documents.len());
        let event = if planned.plan.is_ok() { IntakeEvent::Planned } else { IntakeEvent::NoPlace };
        // Both are allowed from `stored` by the machine's table.
        intake.state = intake::next(intake.state, event).unwrap_or(intake.state);
        intake.work_item = item.as_ref().map(|item| item.id);
        intake.trace.extend(planned.trace);
        match planned.plan {
            Ok(plan) => self.filings_of(intake, plan, item.as_ref(), self.clock.now()).await,
            Err(needs) => {
                intake.needs = Some(needs);
                self.allocate(intake, item.as_ref()).await?;
                Ok(Vec::new())
            }
        }
    }

    /// A person says where an intake belongs: to one work item, or to several, each of which gets every document. Nothing changes when one
    /// of the places does not work either. What is in quarantine is filed as it is, unread and unscanned, and that needs a reason.
    pub async fn assign(
        &self,
        id: IntakeId,
        version: Option<u64>,
        work_items: &[&str],
        area: Option<&str>,
        actor: &Actor,
        reason: &str,
    ) -> Result<Intake, AssignError> {
        let mut intake = self.read(id, version).await?;
        let quarantined = intake.state == IntakeState::Quarantined;
        if quarantined && reason.trim().is_empty() {
            return Err(AssignError::ReasonMissing);
        }
        intake.screened.vouched |= quarantined;
        intake.state =
            intake::next(intake.state, IntakeEvent::Assigned).ok_or(AssignError::NotAllowed(intake.state))?;
        if let Some(area) = area {
            area.clone_into(&mut intake.area);
        }
        let places = self.places(&intake, work_items).await?;
        let items: Vec<WorkItemId> = places.iter().filter_map(|(item, _)| Some(item.as_ref()?.id)).collect();
        intake.work_item = items.first().copied();
        intake.also_in = items.get(1..).unwrap_or_default().to_vec();
        intake.work_item_given = work_items.join(", ");
        intake.needs = None;
        intake.trace.push(format!("{} assigned it to {}", actor.principal, intake.work_item_given));
        let mut filings = Vec::new();
        for (item, planned) in places {
            intake.trace.extend(planned.trace);
            let plan = planned.plan.map_err(AssignError::NoPlace)?;
            filings.extend(self.filings_of(&mut intake, plan, item.as_ref(), self.clock.now()).await?);
        }
        if intake.allocated.is_some() {
            // Now that the work item is known, another rule may apply.
            let item = self.find_work_item(&intake.site, work_items.first().unwrap_or(&"")).await?;
            self.allocate(&mut intake, item.as_ref()).await?;
        }
        let records = if intake.letter.is_some() && !items.is_empty() {
            self.noted_in(intake.id, &items).await?
        } else {
            Vec::new()
        };
        self.change(intake, filings, records, actor, reason).await
    }

    /// A person lets an intake out of quarantine, with a reason. What was set aside for what is in it is vouched for, and opened like any
    /// other. What nobody could read goes to the work item that was named for it; where none was, the person has to assign it.
    pub async fn release(
        &self,
        id: IntakeId,
        version: Option<u64>,
        actor: &Actor,
        reason: &str,
    ) -> Result<Intake, AssignError> {
        if reason.trim().is_empty() {
            return Err(AssignError::ReasonMissing);
        }
        let mut intake = self.read(id, version).await?;
        intake.state =
            intake::next(intake.state, IntakeEvent::Released).ok_or(AssignError::NotAllowed(intake.state))?;
        let code = intake.needs.as_ref().map(|needs| needs.code.as_str()).unwrap_or_default();
        if !screening::may_be_vouched_for(code) {
            let given = std::mem::take(&mut intake.work_item_given);
            if given.is_empty() {
                return Err(AssignError::WorkItemNeeded(code.to_owned()));
            }
            // The version that was just read guards the state that was just looked at.
            return self.assign(id, Some(intake.version), &[given.as_str()], None, actor, reason).await;
        }
        intake.trace.push(format!("{} released it from quarantine", actor.principal));
        intake.needs = None;
        intake.begun = 0;
        intake.screened.vouched = true;
        self.change(intake, Vec::new(), Vec::new(), actor, reason).await
    }

    /// Where an intake would go in each of some work items, each once.
    async fn places(
        &self,
        intake: &Intake,
        work_items: &[&str],
    ) -> Result<Vec<(Option<WorkItem>, Planned)>, StoreError> {
        let mut places: Vec<(Option<WorkItem>, Planned)> = Vec::with_capacity(work_items.len());
        for given in work_items {
            let item = self.find_work_item(&intake.site, given).await?;
            let known = |it: &WorkItem| {
                places.iter().any(|(other, _)| other.as_ref().is_some_and(|other| other.id == it.id))
            };
            if item.as_ref().is_some_and(known) {
                continue;
            }
            let planned = self.rules.plan(given, item.as_ref(), &intake.area, intake.documents.len());
            places.push((item, planned));
        }
        Ok(places)
    }

    /// The ledger tells answers to a letter where it went.
    async fn noted_in(&self, intake: IntakeId, items: &[WorkItemId]) -> Result<Vec<Write>, StoreError> {
        let Some(noted) = record::by_id::<Noted>(&*self.store, intake.as_u128()).await? else {
            return Ok(Vec::new());
        };
        let (work_item, also_in) = (items.first().copied(), items.get(1..).unwrap_or_default().to_vec());
        let noted = Noted { work_item, also_in, version: noted.version + 1, ..noted };
        Ok(vec![noted.put()?])
    }

    /// A person closes an intake with a reason; its documents stay.
    pub async fn dismiss(
        &self,
        id: IntakeId,
        version: Option<u64>,
        actor: &Actor,
        reason: &str,
    ) -> Result<Intake, AssignError> {
        if reason.trim().is_empty() {
            return Err(AssignError::ReasonMissing);
        }
        let mut intake = self.read(id, version).await?;
        intake.state = intake::next(intake.state, IntakeEvent::Dismissed)
            .ok_or(AssignError::NotAllowed(intake.state))?;
        self.change(intake, Vec::new(), Vec::new(), actor, reason).await
    }

    async fn read(&self, id: IntakeId, version: Option<u64>) -> Result<Intake, AssignError> {
        let intake = self.store.intake(id).await?.ok_or(AssignError::NotFound(id))?;
        if version.is_some_and(|version| version != intake.version) {
            return Err(AssignError::Stale { state: intake.state, version: intake.version });
        }
        Ok(intake)
    }

    async fn change(
        &self,
        mut intake: Intake,
        filings: Vec<Filing>,
        records: Vec<Write>,
        actor: &Actor,
        reason: &str,
    ) -> Result<Intake, AssignError> {
        let id = intake.id;
        intake.version += 1;
        let change = IntakeChange {
            next: intake,
            filings,
            records,
            actor: actor.clone(),
            note: reason.to_owned(),
            at: self.clock.now(),
        };
        let answer = self.store.change_intake(change).await;
        let after = self.store.intake(id).await?.ok_or(AssignError::NotFound(id))?;
        match answer {
            Ok(()) => Ok(after),
            Err(StoreError::Conflict { .. }) => {
                Err(AssignError::Stale { state: after.state, version: after.version })
            }
            Err(other) => Err(other.into()),
        }
    }

    /// A work item by its id, or else by its reference.
    pub async fn find_work_item(&self, site: &SiteName, given: &str) -> Result<Option<WorkItem>, StoreError> {
        if given.is_empty() {
            return Ok(None);
        }
        if let Ok(id) = given.parse() {
            // Another site's work item does not exist for this one.
            return Ok(self.store.work_item(id).await?.filter(|item| item.site == *site));
        }
        self.store.work_item_by_reference(site, given).await
    }

    /// A filing of each of its documents.
    pub(crate) async fn filings_of(
        &self,
        intake: &mut Intake,
        plan: Plan,
        item: Option<&WorkItem>,
        now: Timestamp,
    ) -> Result<Vec<Filing>, StoreError> {
        let documents = intake.documents.clone();
        self.filings_for(intake, &documents, plan, item, now).await
    }

    /// A filing of each of some documents of it.
    pub(crate) async fn filings_for(
        &self,
        intake: &mut Intake,
        documents: &[Document],
        mut plan: Plan,
        item: Option<&WorkItem>,
        now: Timestamp,
    ) -> Result<Vec<Filing>, StoreError> {
        let credential = self.accounts.files_as(&plan.target.service, &intake.submitted_by).await?;
        plan.target.save_mode = intake.save_mode.unwrap_or(plan.target.save_mode);
        let linked = plan.target.save_mode == SaveMode::KeepLinked;
        if linked && intake.document_key.is_empty() {
            let line = "no id of the document was given: it is filed as one of its own, and a later save makes another";
            intake.trace.push(line.to_owned());
        }
        let mut filings = Vec::with_capacity(documents.len());
        for document in documents {
            let head = self.head(document).await;
            let withheld = withheld(&plan, &intake.screened, document, &head)?;
            if let Some(odd) = head.ok().and_then(|head| real_type::oddity(&document.file_name, &head))
                && intake.trace.len() < MOST_LINES
                && !intake.trace.contains(&odd)
            {
                intake.trace.push(odd);
            }
            // What may be taken back waits for as long as it may.
            let mut progress = Progress {
                due: Some(intake.undo_until.map_or(now, |until| until.max(now))),
                ..Progress::new(now)
            };
            if let Some(why) = &withheld {
                intake.trace.push(format!("\"{}\" is withheld: {why}", document.file_name));
                progress = withhold(progress, why);
            }
            let request = Request {
                blob: document.blob,
                file_name: document.file_name.clone(),
                media_type: document.media_type.clone(),
                target: plan.target.clone(),
                work_item: item.map(|item| item.id),
                reference: item.map(|item| item.reference.clone()).unwrap_or_default(),
                subject: intake.subject.clone(),
                sender: intake.sender.clone(),
                submitted_by: intake.submitted_by.clone(),
                credential,
                forced: intake.forced || plan.duplicate == DuplicateRule::File,
                document_key: if linked { intake.document_key.clone() } else { String::new() },
                withheld: withheld.unwrap_or_default(),
            };
            filings.push(Filing {
                id: FilingId::from_u128(self.next_id()),
                intake: intake.id,
                site: intake.site.clone(),
                source: intake.source.clone(),
                received: intake.received,
                request: Arc::new(request),
                progress,
            });
        }
        Ok(filings)
    }

    /// The first bytes of a document.
    async fn head(&self, document: &Document) -> Result<Vec<u8>, String> {
        let content = self.spool.content(document.blob).await.map_err(|error| error.to_string())?;
        let mut stream = content.open().await.map_err(|error| error.to_string())?;
        let mut head = Vec::new();
        while head.len() < block_list::HEAD {
            match std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
                Some(Ok(bytes)) => head.extend_from_slice(&bytes),
                Some(Err(error)) => return Err(error.to_string()),
                None => break,
            }
        }
        Ok(head)
    }

    pub(crate) fn next_id(&self) -> u128 {
        self.mint.next(self.clock.as_ref(), self.entropy.as_ref())
    }
}

/// Why a document is not filed there, where the repository does not take its kind, or that of something in it.
fn withheld(
    plan: &Plan,
    screened: &Screened,
    document: &Document,
    head: &Result<Vec<u8>, String>,
) -> Result<Option<String>, StoreError> {
    if plan.blocked.is_empty() {
        return Ok(None);
    }
    let hash = document.blob.hash;
    let head = head
        .as_ref()
        .map_err(|why| StoreError::Damaged(format!("content {hash} cannot be looked at: {why}")))?;
    let blocked = plan.blocked.blocks(&document.file_name, head);
    let inside = || screened.inside(hash).and_then(|inside| plan.blocked.blocks_inside(inside));
    Ok(blocked.or_else(inside).map(|blocked| blocked.to_string()))
}

/// A filing that a person decides over, before anything was tried.
fn withhold(progress: Progress, why: &str) -> Progress {
    Progress {
        state: State::Failed,
        due: None,
        trouble: Some(Trouble::new(Cause::Withheld, why)),
        hint: why.to_owned(),
        ..progress
    }
}
