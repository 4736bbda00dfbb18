//! Intakes: handing documents in, and deciding over what needs a person.

use jiff::Timestamp;
use postroom_domain::allocation::{Allocated, Assignee};
use postroom_domain::event::Event;
use postroom_domain::filing::Filing;
use postroom_domain::ids::{BlobHash, IntakeId, SiteName, SourceName, TeamName, WorkItemId};
use postroom_domain::intake::{Document, Intake, IntakeState, NeedsPerson};
use postroom_domain::letter::Letter;
use postroom_domain::mail::{Dmarc, MailKind, Protection};
use postroom_domain::screening::may_be_vouched_for;
use postroom_domain::target::SaveMode;
use serde::{Deserialize, Serialize};

use crate::event::EventView;
use crate::filing::FilingItem;
use crate::remark::Remarks;

/// The part `meta` of `POST /intakes`, before the parts `file`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntakeMeta {
    /// The door; `upload` when not said. A token may be bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub source: Option<SourceName>,
    /// The work item: its reference, or its id. Empty or unknown: kept, and a person decides.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub work_item: String,
    /// The area whose repository is used; the door's own when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// Subject or title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// A note for the people who see it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// File it although the same content is at the same place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub file_anyway: bool,
    /// What becomes of the source: `copy`, `replace_with_link` or `keep_linked`; the repository's own when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "keep_linked"))]
    pub save_mode: Option<SaveMode>,
    /// The caller's own id of the document, for `keep_linked`, which it stands for when no mode is said: saved again under the same id it
    /// becomes a version of the document in the DMS. With exactly one part `file`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document: String,
}

/// The answer of `POST /intakes`: everything in it is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeAnswer {
    /// The intake.
    pub intake: IntakeItem,
    /// Its filings; none while the intake is `stored`, which it is until it was screened and opened.
    pub filings: Vec<FilingItem>,
    /// The idempotency key was used before with the same content: this is what it made then.
    pub again: bool,
}

/// Why an intake needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NeedsView {
    /// Stable code: `no_work_item`, `unknown_work_item`, …; of what is quarantined `malware`, `not_scanned`, `archive_bomb`, `poison`,
    /// `too_deep`, `unreadable`, `too_slow`.
    pub code: String,
    /// In plain words.
    pub text: String,
}

impl From<&NeedsPerson> for NeedsView {
    fn from(needs: &NeedsPerson) -> Self {
        Self { code: needs.code.clone(), text: needs.text.clone() }
    }
}

/// One document of an intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentView {
    /// The file name as it came.
    pub file_name: String,
    /// Media type, as told.
    pub media_type: String,
    /// Length in bytes.
    pub size: u64,
    /// BLAKE3 of the bytes, in hexadecimal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub hash: BlobHash,
}

impl From<&Document> for DocumentView {
    fn from(document: &Document) -> Self {
        Self {
            file_name: document.file_name.clone(),
            media_type: document.media_type.clone(),
            size: document.blob.size,
            hash: document.blob.hash,
        }
    }
}

/// An intake in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeItem {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub id: IntakeId,
    /// The site it belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub site: SiteName,
    /// Its version; the `ETag` is this in quotes. Decisions send it in `If-Match`.
    pub version: u64,
    /// `stored`, `split`, `needs_person`, `quarantined`, `settled` or `dismissed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "split"))]
    pub state: IntakeState,
    /// The door it came through.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub source: SourceName,
    /// When it was accepted.
    pub received: Timestamp,
    /// Who handed it in.
    pub submitted_by: String,
    /// Subject or title.
    #[serde(default)]
    pub subject: String,
    /// Sender or scanner.
    #[serde(default)]
    pub sender: String,
    /// The work item as it was named.
    #[serde(default)]
    pub work_item_given: String,
    /// The work item that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub work_item: Option<WorkItemId>,
    /// Work items that a person gave it to besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub also_in: Vec<WorkItemId>,
    /// The area.
    pub area: String,
    /// Its documents.
    pub documents: Vec<DocumentView>,
    /// The batch that it was a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub part_of: Option<IntakeId>,
    /// How many parts a batch was divided into; then `filings` and `open_filings` are numbers of these.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: usize,
    /// Why it needs a person, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<NeedsView>,
    /// Who looks after it, where somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated: Option<AllocatedView>,
    /// How many filings it has.
    pub filings: u32,
    /// How many of them are not done yet.
    pub open_filings: u32,
}

impl IntakeItem {
    /// Whether a person may let it out of quarantine by vouching for it. What nobody could read is assigned instead.
    pub fn may_be_released(&self) -> bool {
        let code = self.needs.as_ref().map(|needs| needs.code.as_str()).unwrap_or_default();
        self.state == IntakeState::Quarantined && may_be_vouched_for(code)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Who looks after an intake: a person or a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AllocatedView {
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The team: whoever of it takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub team: Option<TeamName>,
    /// A person took it or gave it to somebody: no rule takes it away again.
    pub by_hand: bool,
    /// Since when.
    pub since: Timestamp,
}

impl From<&Allocated> for AllocatedView {
    fn from(allocated: &Allocated) -> Self {
        let (person, team) = match allocated.to.clone() {
            Assignee::Person(name) => (Some(name), None),
            Assignee::Team(team) => (None, Some(team)),
        };
        Self { person, team, by_hand: allocated.by_hand, since: allocated.since }
    }
}

impl From<&Intake> for IntakeItem {
    fn from(intake: &Intake) -> Self {
        Self {
            id: intake.id,
            site: intake.site.clone(),
            version: intake.version,
            state: intake.state,
            source: intake.source.clone(),
            received: intake.received,
            submitted_by: intake.submitted_by.clone(),
            subject: intake.subject.clone(),
            sender: intake.sender.clone(),
            work_item_given: intake.work_item_given.clone(),
            work_item: intake.work_item,
            also_in: intake.also_in.clone(),
            area: intake.area.clone(),
            documents: intake.documents.iter().map(DocumentView::from).collect(),
            part_of: intake.part_of,
            parts: intake.sections.len(),
            needs: intake.needs.as_ref().map(NeedsView::from),
            allocated: intake.allocated.as_ref().map(AllocatedView::from),
            filings: intake.filings,
            open_filings: intake.open_filings,
        }
    }
}

/// An intake with its trace, filings and history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeDetail {
    /// What lists show.
    #[serde(flatten)]
    pub item: IntakeItem,
    /// A person's note.
    #[serde(default)]
    pub note: String,
    /// Which steps and rules gave which answer, in order.
    pub trace: Vec<String>,
    /// What is known of it as an e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<LetterView>,
    /// The intakes that a batch was divided into, in the order of its pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub sections: Vec<IntakeId>,
    /// The work items that a person may mean, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<SuggestionView>,
    /// Its filings, first to last. (`filings` is their number.)
    pub filing_items: Vec<FilingItem>,
    /// Its history, first to last.
    pub events: Vec<EventView>,
    /// What colleagues noted on it.
    #[serde(default)]
    pub remarks: Remarks,
}

impl IntakeDetail {
    /// From what the store knows.
    pub fn of(intake: &Intake, filings: &[Filing], events: &[Event]) -> Self {
        Self {
            item: IntakeItem::from(intake),
            note: intake.note.clone(),
            trace: intake.trace.clone(),
            letter: intake.letter.as_deref().map(LetterView::from),
            sections: intake.sections.clone(),
            suggestions: Vec::new(),
            filing_items: filings.iter().map(FilingItem::from).collect(),
            events: events.iter().map(EventView::from).collect(),
            remarks: Remarks::default(),
        }
    }
}

/// An e-mail, as far as it is no document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterView {
    /// The return path that its server told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub envelope_from: String,
    /// The addresses here that it was for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub envelope_to: Vec<String>,
    /// Whether it has been read.
    pub read: bool,
    /// Its own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When it was written, by its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// `letter`, `auto_reply`, `delivery_report`, `read_receipt`, `list` or `calendar`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub kind: Option<MailKind>,
    /// What is known of the sender's domain: `unknown`, `pass` or `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub dmarc: Option<Dmarc>,
    /// `none`, `signed`, `signed_wrapped` or `encrypted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub protection: Option<Protection>,
}

impl From<&Letter> for LetterView {
    fn from(letter: &Letter) -> Self {
        let mail = letter.mail.as_ref();
        Self {
            envelope_from: letter.envelope.from.clone(),
            envelope_to: letter.envelope.to.clone(),
            read: mail.is_some(),
            message_id: mail.and_then(|mail| mail.id.as_ref()).map(ToString::to_string),
            date: mail.and_then(|mail| mail.date),
            kind: mail.map(|mail| mail.kind),
            dmarc: mail.map(|mail| mail.dmarc),
            protection: mail.map(|mail| mail.protection),
        }
    }
}

/// A work item that a person may mean, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuggestionView {
    /// The work item.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub work_item: WorkItemId,
    /// Its reference.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Whether documents may be filed to it.
    pub open: bool,
    /// Only good for comparing suggestions for one arrival.
    pub score: u32,
    /// What speaks for it, in plain words, the strongest first.
    pub reasons: Vec<String>,
}

/// Body of `POST /intakes/{id}/assign`: a person gives it a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// The work item: its reference, or its id.
    pub work_item: String,
    /// Further work items: each gets every document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Another area than the door's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Why; kept in the history. Must not be blank for what is quarantined.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Body of `POST /intakes/{id}/give`: a person takes it, or gives it to somebody. Exactly one of `person` and `team`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GiveBody {
    /// The person's name; `me` for whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// A team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub team: Option<TeamName>,
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Body of `POST /intakes/{id}/dismiss`: a person closes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DismissBody {
    /// Why; must not be blank.
    pub reason: String,
}

/// Body of `POST /intakes/{id}/release`: out of quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseIntakeBody {
    /// Why; must not be blank.
    pub reason: String,
}
