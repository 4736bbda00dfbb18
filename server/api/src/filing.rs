//! Filings, as lists and details show them.

use jiff::Timestamp;
use postroom_domain::dms::Receipt;
use postroom_domain::event::Event;
use postroom_domain::filing::{Attempt, Blocker, Filing, Outcome, Owner, Progress, State, Why};
use postroom_domain::ids::{BlobHash, FilingId, IntakeId, ServiceName, SiteName, SourceName, WorkItemId};
use postroom_domain::machine::is_read_back;
use postroom_domain::target::{SaveMode, Target};
use serde::{Deserialize, Serialize};

use crate::cause::CauseView;
use crate::event::EventView;
use crate::remark::Remarks;

/// The document in the DMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptView {
    /// Its id there.
    pub document: String,
    /// Its version there, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The workspace or folder it lies in.
    pub container: String,
    /// Where a person can open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<&Receipt> for ReceiptView {
    fn from(receipt: &Receipt) -> Self {
        Self {
            document: receipt.document.clone(),
            version: receipt.version.clone(),
            container: receipt.container.clone(),
            link: receipt.link.clone(),
        }
    }
}

/// A filing in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilingItem {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub id: FilingId,
    /// The intake it comes from.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub intake: IntakeId,
    /// The site it belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub site: SiteName,
    /// Its version; the `ETag` of the detail is this in quotes. Decisions send it in `If-Match`.
    pub version: u64,
    /// `waiting`, `blocked`, `running`, `checking`, `undecided`, `held`, `failed`, `filed`, `duplicate` or `cancelled`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "failed"))]
    pub state: State,
    /// Who moves it on: `scheduler`, `worker`, `person` or `nobody`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub owner: Owner,
    /// Why it waits, when `waiting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub why: Option<Why>,
    /// When it is due, when it has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What happens next, in words.
    pub next_step: String,
    /// What went wrong, while something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseView>,
    /// How often it was tried.
    pub tries: u32,
    /// The destination.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub destination: ServiceName,
    /// The place there, in words: `"Harrow v Teal" / Correspondence`.
    pub target: String,
    /// The door it came through.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub source: SourceName,
    /// The work item, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub work_item: Option<WorkItemId>,
    /// The work item's reference.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Sender, scanner or the person who handed it in.
    #[serde(default)]
    pub sender: String,
    /// Subject or title.
    #[serde(default)]
    pub subject: String,
    /// The file name as it came.
    pub file_name: String,
    /// Media type.
    pub media_type: String,
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the bytes, in hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub hash: BlobHash,
    /// When it was accepted.
    pub received: Timestamp,
    /// Who asked for it.
    pub submitted_by: String,
    /// The document in the DMS, when `filed`; the one that was there before, when `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptView>,
    /// The filing that this one repeats, when `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub duplicate_of: Option<FilingId>,
    /// What becomes of the source: `copy`, `replace_with_link` or `keep_linked`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub save_mode: SaveMode,
    /// When the source was given up for the link, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Timestamp>,
    /// Who took it to work on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
}

impl From<&Filing> for FilingItem {
    fn from(filing: &Filing) -> Self {
        let (request, progress) = (&filing.request, &filing.progress);
        Self {
            id: filing.id,
            intake: filing.intake,
            site: filing.site.clone(),
            version: progress.version,
            state: progress.state,
            owner: progress.state.owner(),
            why: (progress.state == State::Waiting).then_some(progress.why),
            due: progress.due,
            next_step: next_step(progress).to_owned(),
            cause: CauseView::of_progress(progress),
            tries: progress.generation,
            destination: request.target.service.clone(),
            target: request.target.in_words(),
            source: filing.source.clone(),
            work_item: request.work_item,
            reference: request.reference.clone(),
            sender: request.sender.clone(),
            subject: request.subject.clone(),
            file_name: request.file_name.clone(),
            media_type: request.media_type.clone(),
            size: request.blob.size,
            hash: request.blob.hash,
            received: filing.received,
            submitted_by: request.submitted_by.clone(),
            receipt: progress.receipt.as_ref().map(ReceiptView::from),
            duplicate_of: progress.duplicate_of,
            save_mode: request.target.save_mode,
            released: progress.released,
            taken_by: None,
        }
    }
}

/// What happens next, in words; the time stands in `due`.
pub const fn next_step(progress: &Progress) -> &'static str {
    match (progress.state, progress.why, &progress.blocker) {
        (State::Waiting, Why::FirstTry, _) => "Is filed when its turn comes.",
        (State::Waiting, Why::BackOff, _) => "Tries again by itself.",
        (State::Waiting, Why::Throttled, _) => "Tries again by itself when the DMS allows it.",
        (State::Waiting, Why::Locked, _) => "Looks again by itself whether the lock is gone.",
        (State::Waiting, Why::TargetLag, _) => "Looks for the workspace again by itself.",
        (State::Waiting, Why::Retried, _) => "A person asked for another try; it is next in its queue.",
        (State::Waiting, Why::Released, _) => "Goes on by itself: its way is free again.",
        (State::Waiting, Why::NotThere, _) => "The DMS does not have it; it is sent again by itself.",
        (State::Waiting, Why::Behind, _) => {
            "Goes on by itself when the earlier save of the same document is through."
        }
        (State::Blocked, _, Some(Blocker::Account)) => "Goes on by itself when the account works again.",
        (State::Blocked, ..) => "Goes on by itself when the destination is open again.",
        (State::Running, ..) => "A worker is filing it now.",
        (State::Checking, ..) if is_read_back(progress) => {
            "It is in the DMS, which is asked to give it back before its source is given up."
        }
        (State::Checking, ..) => {
            "The DMS is asked whether it has the document before anything is sent again."
        }
        (State::Undecided, ..) => {
            "You decide: link it to the document in the DMS, send it again, or cancel it."
        }
        (State::Held, ..) => "Nothing until you release or cancel it.",
        (State::Failed, ..) => "Nothing until you put the cause right and retry, or cancel it.",
        (State::Filed, ..) => "Nothing: it is in the DMS.",
        (State::Duplicate, ..) => "Nothing: the same document is there already.",
        (State::Cancelled, ..) => "Nothing: a person ended it.",
    }
}

/// Where a filing goes, in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TargetView {
    /// The linked service.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: ServiceName,
    /// The repository whose rules gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Library, cabinet or site; empty where the DMS has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// How the workspace is found, in words.
    pub workspace: String,
    /// Folders from the workspace downwards.
    #[serde(default)]
    pub folder: Vec<String>,
    /// Profile attributes by the DMS's own field names.
    #[serde(default)]
    pub profile: std::collections::BTreeMap<String, String>,
}

impl From<&Target> for TargetView {
    fn from(target: &Target) -> Self {
        let workspace = Target { folder: Vec::new(), ..target.clone() }.in_words();
        Self {
            service: target.service.clone(),
            repository: target.repository.as_ref().map(ToString::to_string),
            library: target.library.clone(),
            workspace,
            folder: target.folder.clone(),
            profile: target.profile.clone(),
        }
    }
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; absent while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// `running`, `filed`, `failed`, `interrupted` or `abandoned`.
    pub outcome: String,
    /// What went wrong, when `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseView>,
    /// Bytes of the document that had left when it ended.
    pub bytes_sent: u64,
    /// Whether the DMS was asked for the document before anything was sent.
    pub probed: bool,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        let (outcome, cause) = match &attempt.outcome {
            None => ("running", None),
            Some(Outcome::Filed) => ("filed", None),
            Some(Outcome::Failed(trouble)) => ("failed", Some(CauseView::of_trouble(trouble))),
            Some(Outcome::Interrupted) => ("interrupted", None),
            Some(Outcome::Abandoned) => ("abandoned", None),
        };
        Self {
            number: attempt.generation,
            started: attempt.started,
            ended: attempt.ended,
            outcome: outcome.to_owned(),
            cause,
            bytes_sent: attempt.bytes_sent,
            probed: attempt.probed,
        }
    }
}

/// A filing with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilingDetail {
    /// What lists show.
    #[serde(flatten)]
    pub item: FilingItem,
    /// Where it goes, in full.
    pub place: TargetView,
    /// Its tries, first to last.
    pub attempts: Vec<AttemptView>,
    /// Its history, first to last.
    pub events: Vec<EventView>,
    /// What colleagues noted on it.
    #[serde(default)]
    pub remarks: Remarks,
}

impl FilingDetail {
    /// From what the store knows.
    pub fn of(filing: &Filing, attempts: &[Attempt], events: &[Event]) -> Self {
        Self {
            item: FilingItem::from(filing),
            place: TargetView::from(&filing.request.target),
            attempts: attempts.iter().map(AttemptView::from).collect(),
            events: events.iter().map(EventView::from).collect(),
            remarks: Remarks::default(),
        }
    }
}
