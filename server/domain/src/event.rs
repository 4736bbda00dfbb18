//! The history of every intake and filing: append-only, written in the same transaction as what it tells of. It is the audit,
//! the timeline on the screen and the stream that consoles follow.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bulk;
use crate::cause::Cause;
use crate::filing::State;
use crate::ids::{
    BulkId, FilingId, IntakeId, LinkId, PersonId, ServiceName, SessionId, SiteName, TokenId, WorkItemId,
};
use crate::intake::IntakeState;
use crate::person::Actor;

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An intake.
    Intake(IntakeId),
    /// A filing.
    Filing(FilingId),
    /// A work item.
    WorkItem(WorkItemId),
    /// A source or destination, by `source/name` or `destination/name`.
    Door(String),
    /// The program itself.
    System,
    /// A person.
    Person(PersonId),
    /// A session.
    Session(SessionId),
    /// A bearer token.
    Token(TokenId),
    /// A link.
    Link(LinkId),
    /// A linked service.
    Service(ServiceName),
    /// A set of filings that are decided over together.
    Bulk(BulkId),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Happening {
    /// An intake changed its state.
    Intake {
        /// Before; absent when it was just taken in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<IntakeState>,
        /// After.
        to: IntakeState,
    },
    /// A filing changed its state, or stayed in it with news (a later due time).
    Filing {
        /// Before; absent when it was just planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<State>,
        /// After.
        to: State,
        /// Why, where something went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// The document in the DMS, when it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        document: Option<String>,
        /// The set that it was decided over with, where it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bulk: Option<BulkId>,
    },
    /// A filing's request was edited by a person.
    Edited,
    /// A person wrote a note, which stands in the event's.
    Noted,
    /// A person took it to work on.
    Taken {
        /// The colleague who had it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// A person gave it back.
    GivenBack,
    /// A work item was created or changed.
    WorkItemSaved,
    /// A source or destination was stopped.
    Paused,
    /// A source or destination goes on.
    Resumed,
    /// The program started and tells what it repaired.
    Started {
        /// Filings that were running when it ended.
        recovered: u64,
    },
    /// The program stopped in an orderly way.
    Stopped,
    /// Something an operator should know that belongs to no state.
    Alert,
    /// A set of filings was told to run, is taken back, stopped, or through.
    Bulk {
        /// Which of these.
        what: BulkNews,
        /// What is decided over its filings.
        action: bulk::Action,
        /// How far it is at that moment.
        counts: bulk::Counts,
        /// The sites of its filings: who does not see all of them does not see this.
        sites: BTreeSet<SiteName>,
        /// When it is told to run: the filings that it is to be done to. Kept here once, and not told to whoever follows.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<FilingId>,
    },
    /// Something that the audit keeps about persons, sessions, tokens, links, keys and settings. Only who may read the audit sees it.
    Security {
        /// What.
        what: Security,
    },
}

/// What happened to a set of filings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkNews {
    /// A person told it to run.
    Told,
    /// A person took it back before anything was touched.
    Undone,
    /// A person stopped it.
    Stopped,
    /// Nothing more comes.
    Ended,
}

impl BulkNews {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Undone => "undone",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
        }
    }
}

/// What the audit keeps about who may come in and act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// A person came in.
    SignedIn,
    /// Somebody was not let in. The note tells why, never what was typed.
    SignInRefused,
    /// A person left.
    SignedOut,
    /// A session was ended by another hand, or by its limits.
    SessionEnded,
    /// A person was made.
    PersonMade,
    /// A person was changed: the note names the fields.
    PersonChanged,
    /// An account of an outside system was recognised as a person's.
    IdentityAdded,
    /// A one-time link was made.
    InvitationMade,
    /// A password was set.
    PasswordSet,
    /// Too many wrong passwords: none is looked at for a while.
    LockedOut,
    /// A lock-out was ended by an administrator.
    Unlocked,
    /// A bearer token was made.
    TokenMade,
    /// A bearer token was revoked.
    TokenRevoked,
    /// An account was linked.
    Linked,
    /// The owner said that the linked account is theirs although its e-mail is not.
    LinkConfirmed,
    /// A link was removed.
    Unlinked,
    /// A link's tokens were renewed.
    LinkRenewed,
    /// A service takes a link's tokens no more.
    LinkBroken,
    /// A link will end soon.
    LinkEnding,
    /// The system account stood in for a person.
    SystemAccountUsed,
    /// A new key began to be used, or an old one went.
    KeysRotated,
    /// The program started with other settings than the last time: the note names the keys, never their values.
    SettingsChanged,
    /// The audit was exported.
    AuditExported,
    /// A list of filings was exported: the note says by which filter.
    FilingsExported,
    /// A person's account in a DMS was found by their e-mail.
    DmsAccountFound,
    /// An account in a DMS was made for a person.
    DmsAccountMade,
    /// A person has no account in a DMS, or none that is known: the note tells why.
    DmsAccountNotMade,
    /// A person said which workspace a work item's documents go to.
    WorkspaceChosen,
    /// The workspace that was remembered for a work item was forgotten.
    WorkspaceForgotten,
}

impl Security {
    /// Everything there is.
    pub const ALL: [Self; 29] = [
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::SessionEnded,
        Self::PersonMade,
        Self::PersonChanged,
        Self::IdentityAdded,
        Self::InvitationMade,
        Self::PasswordSet,
        Self::LockedOut,
        Self::Unlocked,
        Self::TokenMade,
        Self::TokenRevoked,
        Self::Linked,
        Self::LinkConfirmed,
        Self::Unlinked,
        Self::LinkRenewed,
        Self::LinkBroken,
        Self::LinkEnding,
        Self::SystemAccountUsed,
        Self::KeysRotated,
        Self::SettingsChanged,
        Self::AuditExported,
        Self::FilingsExported,
        Self::DmsAccountFound,
        Self::DmsAccountMade,
        Self::DmsAccountNotMade,
        Self::WorkspaceChosen,
        Self::WorkspaceForgotten,
    ];

    /// The name in the API and in exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::SignedOut => "signed_out",
            Self::SessionEnded => "session_ended",
            Self::PersonMade => "person_made",
            Self::PersonChanged => "person_changed",
            Self::IdentityAdded => "identity_added",
            Self::InvitationMade => "invitation_made",
            Self::PasswordSet => "password_set",
            Self::LockedOut => "locked_out",
            Self::Unlocked => "unlocked",
            Self::TokenMade => "token_made",
            Self::TokenRevoked => "token_revoked",
            Self::Linked => "linked",
            Self::LinkConfirmed => "link_confirmed",
            Self::Unlinked => "unlinked",
            Self::LinkRenewed => "link_renewed",
            Self::LinkBroken => "link_broken",
            Self::LinkEnding => "link_ending",
            Self::SystemAccountUsed => "system_account_used",
            Self::KeysRotated => "keys_rotated",
            Self::SettingsChanged => "settings_changed",
            Self::AuditExported => "audit_exported",
            Self::FilingsExported => "filings_exported",
            Self::DmsAccountFound => "dms_account_found",
            Self::DmsAccountMade => "dms_account_made",
            Self::DmsAccountNotMade => "dms_account_not_made",
            Self::WorkspaceChosen => "workspace_chosen",
            Self::WorkspaceForgotten => "workspace_forgotten",
        }
    }

    /// In plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SignedIn => "signed in",
            Self::SignInRefused => "was not let in",
            Self::SignedOut => "signed out",
            Self::SessionEnded => "session ended",
            Self::PersonMade => "person added",
            Self::PersonChanged => "person changed",
            Self::IdentityAdded => "outside account recognised",
            Self::InvitationMade => "one-time link made",
            Self::PasswordSet => "password set",
            Self::LockedOut => "locked for a while after wrong passwords",
            Self::Unlocked => "unlocked",
            Self::TokenMade => "token made",
            Self::TokenRevoked => "token revoked",
            Self::Linked => "account linked",
            Self::LinkConfirmed => "linked account confirmed",
            Self::Unlinked => "account unlinked",
            Self::LinkRenewed => "link renewed",
            Self::LinkBroken => "link broken",
            Self::LinkEnding => "link ends soon",
            Self::SystemAccountUsed => "the system account stood in",
            Self::KeysRotated => "keys changed",
            Self::SettingsChanged => "settings changed",
            Self::AuditExported => "audit exported",
            Self::FilingsExported => "list of filings exported",
            Self::DmsAccountFound => "account in a DMS found",
            Self::DmsAccountMade => "account in a DMS made",
            Self::DmsAccountNotMade => "account in a DMS not made",
            Self::WorkspaceChosen => "workspace chosen",
            Self::WorkspaceForgotten => "remembered workspace forgotten",
        }
    }
}

impl Happening {
    /// Whether only those who may read the audit see it.
    pub const fn is_security(&self) -> bool {
        matches!(self, Self::Security { .. })
    }
}

/// An event before it has its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// The site it belongs to; none for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteName>,
    /// What it is about.
    pub subject: Subject,
    /// What happened.
    pub happening: Happening,
    /// Who did it.
    pub actor: Actor,
    /// In plain words, with the reason a person gave; never document content.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// An event as it stands in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number: the order of all that happened, without gaps.
    pub seq: u64,
    /// The event.
    #[serde(flatten)]
    pub event: NewEvent,
}
