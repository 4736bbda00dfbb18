//! Which decision a state allows, and in plain words why not: what screens grey out, and what sets of filings leave out.

use crate::filing::State;

/// A decision over a filing, without what it needs besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Another try.
    Retry,
    /// Out of automatic work.
    Hold,
    /// Back into automatic work.
    Release,
    /// The end.
    Cancel,
    /// Another target or name.
    Edit,
    /// The document was found in the DMS.
    Link,
    /// A duplicate is filed although the same content is there.
    FileAnyway,
}

impl Wish {
    /// Why a filing in this state cannot have this decision; none when it can.
    pub const fn refusal(self, state: State) -> Option<&'static str> {
        use State as S;
        let (allowed, reason) = match self {
            Self::Retry => (
                matches!(state, S::Failed | S::Undecided | S::Waiting | S::Blocked | S::Duplicate),
                match state {
                    S::Running | S::Checking => "it is being worked on right now",
                    S::Held => "it is held: release it instead",
                    S::Filed => "it is in the DMS already",
                    _ => "it was cancelled",
                },
            ),
            Self::Hold => (
                matches!(state, S::Waiting | S::Blocked),
                match state {
                    S::Running | S::Checking => "it is being worked on right now",
                    S::Held => "it is held already",
                    S::Failed | S::Undecided => "it waits for a person anyway",
                    _ => "it is done",
                },
            ),
            Self::Release => (matches!(state, S::Held), "it is not held"),
            Self::Cancel => (
                matches!(state, S::Waiting | S::Blocked | S::Undecided | S::Held | S::Failed),
                match state {
                    S::Running | S::Checking => "it is being worked on right now",
                    _ => "it is done",
                },
            ),
            Self::Edit => (
                matches!(state, S::Waiting | S::Blocked | S::Held | S::Failed),
                match state {
                    S::Running | S::Checking => "it is being worked on right now",
                    S::Undecided => "it may be in the DMS already: link it or send it again",
                    _ => "it is done",
                },
            ),
            Self::Link => (matches!(state, S::Undecided), "its outcome is not in doubt"),
            Self::FileAnyway => (matches!(state, S::Duplicate), "it is no duplicate"),
        };
        if allowed { None } else { Some(reason) }
    }
}
