//! Letters that people have open in their mail program: what is known of them, and handing them in.

use jiff::Timestamp;
use postroom_domain::choice::{Choice, Named};
use postroom_domain::ids::{FilingId, IntakeId, WorkItemId};
use postroom_domain::reception::Undone;
use postroom_domain::sending::{SendIntent, SendState};
use postroom_domain::work_item::WorkItem;
use serde::{Deserialize, Serialize};

use crate::filing::FilingItem;
use crate::intake::{IntakeItem, SuggestionView};

/// Body of `POST /letters/known`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct KnownBody {
    /// The letters that are open or selected, at most 100; none asks for one's recent and bookmarked work items alone.
    pub letters: Vec<LetterBody>,
}

/// A letter as a mail program knows it. Everything may be missing; what is told by `headers` goes before the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LetterBody {
    /// The mailbox it lies in.
    pub mailbox: String,
    /// Its Message-ID.
    pub message_id: String,
    /// What it answers.
    pub in_reply_to: String,
    /// The thread before it.
    pub references: Vec<String>,
    /// Its header lines as they came.
    pub headers: String,
    /// Its subject.
    pub subject: String,
    /// Who wrote it.
    pub from: Option<AddressBody>,
    /// To whom.
    pub to: Vec<AddressBody>,
    /// To whom besides.
    pub cc: Vec<AddressBody>,
    /// What it carries.
    pub attachments: Vec<AttachmentBody>,
}

/// Somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AddressBody {
    /// The name.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Something that a letter carries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentBody {
    /// Its file name.
    pub name: String,
    /// Bytes, as the mail program says.
    pub size: u64,
    /// Whether the text shows it.
    pub inline: bool,
}

/// The answer of `POST /letters/known`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownAnswer {
    /// What is known of each letter, in the order asked.
    pub letters: Vec<KnownLetter>,
    /// The work items that one filed to lately, newest first.
    pub recent: Vec<WorkItemBrief>,
    /// The work items that one bookmarked, newest first.
    pub bookmarked: Vec<WorkItemBrief>,
    /// The category that filed letters get in the mailbox; empty where they get none.
    pub category: String,
    /// For how many seconds what is handed in may be taken back.
    pub undo_seconds: u64,
    /// Whether the server reads the letters of this mailbox itself: then they need not be sent.
    pub fetches: bool,
}

/// What is known of a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownLetter {
    /// Where it is filed already, as far as the caller may see those places.
    pub filed: Vec<FiledIn>,
    /// The work items that it may belong to, the best first.
    pub suggestions: Vec<LetterSuggestion>,
    /// Whether Postroom itself would file it to the first of them.
    pub decided: bool,
}

/// A place where a letter is filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiledIn {
    /// The intake it came as.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub intake: IntakeId,
    /// The work item.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub work_item: WorkItemId,
    /// Its reference.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Who handed it in: a person's name, or the part of Postroom that brought it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// `filed`; `on_its_way`; `failed` where a person has to decide.
    pub state: String,
}

/// A work item that a letter may belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterSuggestion {
    /// What is suggested, and why.
    #[serde(flatten)]
    pub suggestion: SuggestionView,
    /// The client's name, or its number where it has none.
    pub client: String,
}

/// A work item in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkItemBrief {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub work_item: WorkItemId,
    /// Its reference.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// The client's name, or its number where it has none.
    pub client: String,
    /// Whether documents may be filed to it.
    pub open: bool,
    /// Whether the caller bookmarked it.
    pub bookmarked: bool,
}

impl WorkItemBrief {
    /// A work item as it is shown to somebody who did or did not bookmark it.
    pub fn of(item: &WorkItem, bookmarked: bool) -> Self {
        Self {
            work_item: item.id,
            reference: item.reference.clone(),
            title: item.title.clone(),
            client: client(item),
            open: item.open,
            bookmarked,
        }
    }
}

/// The client of a work item as people call it.
pub fn client(item: &WorkItem) -> String {
    let client = &item.client;
    if client.name.is_empty() { client.reference.clone() } else { client.name.clone() }
}

/// The part `meta` of `POST /letters`, before the letter itself as part `file`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LetterMeta {
    /// The mailbox it lies in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mailbox: String,
    /// Its Message-ID.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message_id: String,
    /// The id of its place in the mailbox, where the server is to fetch it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub item_id: String,
    /// Where it goes: at least one.
    pub matters: Vec<MatterBody>,
    /// A note for the people who see it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A work item, and what of a letter goes there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MatterBody {
    /// The work item: its id, or its reference.
    pub work_item: String,
    /// Whether the message itself goes there.
    #[serde(default = "yes")]
    pub message: bool,
    /// Which attachments go there as documents of their own, exactly; null leaves that to the firm's rules.
    #[serde(default)]
    pub attachments: Option<Vec<NamedBody>>,
}

const fn yes() -> bool {
    true
}
const fn first() -> u32 {
    1
}

/// An attachment by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NamedBody {
    /// Its file name, as the mail program shows it.
    pub name: String,
    /// Which of several with that name, from 1.
    #[serde(default = "first")]
    pub nth: u32,
}

impl From<MatterBody> for Choice {
    fn from(matter: MatterBody) -> Self {
        let named = |it: NamedBody| Named { name: it.name, nth: it.nth };
        Self {
            work_item: matter.work_item,
            message: matter.message,
            attachments: matter.attachments.map(|all| all.into_iter().map(named).collect()),
        }
    }
}

/// The answer of `POST /letters`: the letter is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LetterAnswer {
    /// The intake; `stored` until the letter was opened.
    pub intake: IntakeItem,
    /// Its filings; none while it is `stored`.
    pub filings: Vec<FilingItem>,
    /// The idempotency key was used before with the same content: this is what it made then.
    pub again: bool,
    /// Until when it may be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

/// The answer of `POST /intakes/{id}/undo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UndoneView {
    /// Filings that are cancelled; none where it was taken back before it was opened.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub undone: Vec<FilingId>,
    /// Filings that go on: they had begun.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub kept: Vec<FilingId>,
}

impl From<Undone> for UndoneView {
    fn from(done: Undone) -> Self {
        Self { undone: done.undone, kept: done.kept }
    }
}

/// Body of `PUT /send-intents/{id}`: where a letter goes once it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendIntentBody {
    /// The mailbox it is sent from.
    pub mailbox: String,
    /// Its subject, for one's list.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Where it goes: at least one.
    pub matters: Vec<MatterBody>,
}

/// A letter that is to be filed when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendIntentView {
    /// The id that travels with it.
    pub id: String,
    /// The mailbox it is sent from.
    pub mailbox: String,
    /// Its subject when the choice was made.
    pub subject: String,
    /// The work items, as they were named.
    pub work_items: Vec<String>,
    /// When the choice was made.
    pub made: Timestamp,
    /// `waiting` until it is found among the sent items, `taken`, or `failed`: then it has to be filed by hand.
    pub state: String,
    /// The intake that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub intake: Option<IntakeId>,
    /// Why it failed, or cannot be looked for at present.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl From<&SendIntent> for SendIntentView {
    fn from(intent: &SendIntent) -> Self {
        let trouble = || intent.trouble.clone().unwrap_or_default();
        let (state, intake, why) = match &intent.state {
            SendState::Waiting => ("waiting", None, trouble()),
            SendState::Taken(intake) => ("taken", Some(*intake), String::new()),
            SendState::Failed(why) => ("failed", None, why.clone()),
        };
        let hex = format!("{:032x}", intent.id);
        Self {
            id: [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"),
            mailbox: intent.mailbox.clone(),
            subject: intent.subject.clone(),
            work_items: intent.choices.iter().map(|it| it.work_item.clone()).collect(),
            made: intent.made,
            state: state.to_owned(),
            intake,
            why,
        }
    }
}

/// The answer of `GET /send-intents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendIntents {
    /// One's own, newest first.
    pub items: Vec<SendIntentView>,
}
