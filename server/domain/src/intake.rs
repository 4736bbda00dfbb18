//! What arrived: one e-mail, one scan, one upload. The machine of its states is a pure function.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::allocation::Allocated;
use crate::choice::Choice;
use crate::ids::{IntakeId, SiteName, SourceName, WorkItemId};
use crate::letter::Letter;
use crate::screening::Screened;
use crate::spool::Blob;
use crate::target::SaveMode;

/// The state of an intake that has a row. (`receiving` has none: its bytes are a draft in the spool until they are stored.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum IntakeState {
    /// Bytes and record are durable; it is not yet opened.
    Stored = 0,
    /// Read, and its filings are planned.
    Split = 1,
    /// No rule matched, or the target is closed or ambiguous.
    NeedsPerson = 2,
    /// Unsafe to read, or unsafe to file.
    Quarantined = 3,
    /// Every filing is filed, a duplicate, or cancelled.
    Settled = 4,
    /// A person closed it with a reason.
    Dismissed = 5,
}

impl IntakeState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Stored, Self::Split, Self::NeedsPerson, Self::Quarantined, Self::Settled, Self::Dismissed];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Split => "split",
            Self::NeedsPerson => "needs_person",
            Self::Quarantined => "quarantined",
            Self::Settled => "settled",
            Self::Dismissed => "dismissed",
        }
    }

    /// Whether nothing more is to be done: whoever brought it may let go of its source.
    pub const fn is_through(self) -> bool {
        matches!(self, Self::Settled | Self::Dismissed)
    }

    /// The state with that number, as stored.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for IntakeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for IntakeState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("\"{text}\" is not a state of an intake"))
    }
}

/// What can happen to an intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntakeEvent {
    /// It was read, and filings were planned.
    Planned,
    /// No place was found for it.
    NoPlace,
    /// Reading it, or filing it, is unsafe.
    Unsafe,
    /// A person gave it a place; out of quarantine it is filed unread.
    Assigned,
    /// A person vouches for it: it is opened like any other.
    Released,
    /// A person closed it.
    Dismissed,
    /// Whoever handed it in took it back before it was opened.
    Withdrawn,
    /// The last of its filings is done.
    FilingsDone,
    /// A filing that was done is under way again (file anyway).
    FilingReopened,
}

impl IntakeEvent {
    /// All events.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::NoPlace,
        Self::Unsafe,
        Self::Assigned,
        Self::Released,
        Self::Dismissed,
        Self::Withdrawn,
        Self::FilingsDone,
        Self::FilingReopened,
    ];
}

/// The machine: the next state, or none when the event is not allowed in this state.
pub const fn next(state: IntakeState, event: IntakeEvent) -> Option<IntakeState> {
    use IntakeEvent as E;
    use IntakeState as S;
    match (state, event) {
        (S::Stored, E::Planned)
        | (S::NeedsPerson | S::Quarantined, E::Assigned)
        | (S::Settled, E::FilingReopened) => Some(S::Split),
        (S::Quarantined, E::Released) => Some(S::Stored),
        (S::Stored | S::Split, E::NoPlace) => Some(S::NeedsPerson),
        (S::Stored, E::Unsafe) => Some(S::Quarantined),
        (S::NeedsPerson | S::Quarantined, E::Dismissed) | (S::Stored, E::Withdrawn) => Some(S::Dismissed),
        (S::Split, E::FilingsDone) => Some(S::Settled),
        _ => None,
    }
}

/// Why an intake needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsPerson {
    /// Stable code: `no_work_item`, `unknown_work_item`, `closed_work_item`, `no_repository`, `empty_tag`, …
    pub code: String,
    /// In plain words.
    pub text: String,
}

/// One document of an intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The file name as it came, untouched.
    pub file_name: String,
    /// Media type, as told.
    pub media_type: String,
    /// The content.
    pub blob: Blob,
}

/// An intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    /// Its id; ids grow in the order of acceptance.
    pub id: IntakeId,
    /// The site it belongs to.
    pub site: SiteName,
    /// The door it came through.
    pub source: SourceName,
    /// When it was accepted.
    pub received: Timestamp,
    /// Its state.
    pub state: IntakeState,
    /// Grows by one with every change.
    pub version: u64,
    /// Who handed it in.
    pub submitted_by: String,
    /// Subject or title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Sender or scanner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sender: String,
    /// A person's note.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The work item as it was named: a reference or an id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub work_item_given: String,
    /// The work item that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item: Option<WorkItemId>,
    /// Work items that a person gave it to besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_in: Vec<WorkItemId>,
    /// The area whose repository is used.
    pub area: String,
    /// What becomes of the source, where whoever handed it in said so; else the repository says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_mode: Option<SaveMode>,
    /// The caller's own id of the one document, by which a later save is recognised; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document_key: String,
    /// Its documents, in order.
    pub documents: Vec<Document>,
    /// Its pages came through a feeder together: separators and cover sheets between them tell where one document ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub batch: bool,
    /// The batch that it was a part of: its documents are some of that one's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<IntakeId>,
    /// What became of its pages where it was divided: an intake for each part, in order. It settles with the last of them that is settled or
    /// dismissed, and its numbers of filings are numbers of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<IntakeId>,
    /// It is filed even where the same content is already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Who looks after it; none where the firm has no rules for that, or nobody needs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated: Option<Allocated>,
    /// What a person chose for it when they handed it in, where it is a letter; then no rule is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Until when whoever handed it in may take it back. Nothing of it is filed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
    /// How often opening it was begun by a process that then ended. Only counted for what was already there when a process started:
    /// whatever ends the process is met again then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begun: u32,
    /// What screening found out, and whether a person vouches for it.
    #[serde(default, skip_serializing_if = "Screened::is_empty")]
    pub screened: Screened,
    /// What is known of it as an e-mail; none when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<Box<Letter>>,
    /// Why it needs a person, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<NeedsPerson>,
    /// How many of its filings (of a divided one: of its sections) are not done yet. Kept by the store with every change of one.
    #[serde(default)]
    pub open_filings: u32,
    /// How many filings (of a divided one: sections) it has.
    #[serde(default)]
    pub filings: u32,
    /// Which steps and rules gave which answer, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
}

impl Intake {
    /// When it arrived, as far as anybody knows: a letter may have lain in its mailbox before it came here. Never later than it did.
    pub fn arrived(&self) -> Timestamp {
        let arrived = self.letter.as_ref().and_then(|letter| letter.envelope.arrived);
        arrived.map_or(self.received, |arrived| arrived.min(self.received))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use IntakeEvent as E;
    use IntakeState as S;

    /// Every state × event: what is not listed is refused.
    #[test]
    fn the_machine_is_this_table() {
        let allowed = [
            (S::Stored, E::Planned, S::Split),
            (S::Stored, E::NoPlace, S::NeedsPerson),
            (S::Stored, E::Unsafe, S::Quarantined),
            (S::Stored, E::Withdrawn, S::Dismissed),
            (S::Split, E::NoPlace, S::NeedsPerson),
            (S::Split, E::FilingsDone, S::Settled),
            (S::NeedsPerson, E::Assigned, S::Split),
            (S::NeedsPerson, E::Dismissed, S::Dismissed),
            (S::Quarantined, E::Assigned, S::Split),
            (S::Quarantined, E::Released, S::Stored),
            (S::Quarantined, E::Dismissed, S::Dismissed),
            (S::Settled, E::FilingReopened, S::Split),
        ];
        for state in S::ALL {
            for event in E::ALL {
                let wanted = allowed.iter().find(|(s, e, _)| *s == state && *e == event).map(|(.., to)| *to);
                assert_eq!(next(state, event), wanted, "{state} × {event:?}");
            }
            assert_eq!(S::from_number(state as u8), Some(state));
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
