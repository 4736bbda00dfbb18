//! What is in a document, as plain text, so that a person can tell where it belongs. It is read by who reads foreign bytes anyway, within
//! bounds and a time, and nothing of it is kept.

use crate::Fut;
use crate::event::{Event, Happening};
use crate::intake::{Document, IntakeState};
use crate::mail::Carried;

/// So many bytes of text are shown at most.
pub const MOST_TEXT: usize = 64 * 1024;

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// An e-mail's body.
    Mail,
    /// The beginning of a text.
    Text,
    /// The first pages of a PDF.
    Pdf,
}

impl Shown {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Text => "text",
            Self::Pdf => "pdf",
        }
    }
}

/// What can be read of a document. Every text in it is clean: see [`crate::plain`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What kind it is.
    pub shown: Shown,
    /// Head lines of an e-mail, as far as it has them.
    pub head: Vec<(String, String)>,
    /// The text, of at most [`MOST_TEXT`] bytes.
    pub text: String,
    /// There is more than is shown.
    pub more: bool,
    /// The files inside.
    pub parts: Vec<Carried>,
    /// How many pages it has, where that is known.
    pub pages: Option<u32>,
}

/// Why there is no preview.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPreview {
    /// Nothing of it can be shown; the text says why.
    #[error("{0}")]
    Nothing(String),
    /// The bytes cannot be read at present: ask again.
    #[error("it cannot be read at present: {0}")]
    Later(String),
}

/// Who reads documents for people who look.
pub trait Previews: Send + Sync {
    /// What can be read of a document.
    fn preview<'a>(&'a self, document: &'a Document) -> Fut<'a, Result<Preview, NoPreview>>;
}

/// A house that reads nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPreviews;

impl Previews for NoPreviews {
    fn preview<'a>(&'a self, _: &'a Document) -> Fut<'a, Result<Preview, NoPreview>> {
        Box::pin(async { Err(NoPreview::Nothing("Nothing is read here.".to_owned())) })
    }
}

/// Why nothing of an intake in this state, with this history (first to last), is opened for anybody; none where it may be. What was once set
/// aside stays closed until the reader itself has opened it, also when a person filed it unread or dismissed it.
pub fn closed(state: IntakeState, history: &[Event]) -> Option<&'static str> {
    if state == IntakeState::Stored {
        return Some("It has not been screened and read yet.");
    }
    let set_aside = history.iter().fold(state == IntakeState::Quarantined, |set_aside, event| {
        match event.event.happening {
            Happening::Intake { to: IntakeState::Quarantined, .. } => true,
            Happening::Intake { from: Some(IntakeState::Stored), .. } => false,
            _ => set_aside,
        }
    });
    (set_aside || state == IntakeState::Quarantined)
        .then_some("It is or was in quarantine, and nobody has read it since: nothing of it is opened.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{NewEvent, Subject};
    use crate::ids::IntakeId;
    use crate::person::Actor;

    #[test]
    fn what_was_set_aside_stays_closed_until_it_is_read() {
        use IntakeState::{Dismissed, NeedsPerson, Quarantined, Settled, Split, Stored};
        let history = |states: &[IntakeState]| -> Vec<Event> {
            let mut from = None;
            let step = |to: &IntakeState| Event {
                seq: 1,
                event: NewEvent {
                    at: jiff::Timestamp::UNIX_EPOCH,
                    site: None,
                    subject: Subject::Intake(IntakeId::from_u128(1)),
                    happening: Happening::Intake { from: from.replace(*to), to: *to },
                    actor: Actor::person("ada"),
                    note: String::new(),
                },
            };
            states.iter().map(step).collect()
        };
        let table: [(&[IntakeState], bool); 10] = [
            (&[Split], true),
            (&[Split, Settled], true),
            (&[Stored], false),
            (&[Stored, NeedsPerson, Split], true),
            (&[Stored, Quarantined], false),
            (&[Stored, Quarantined, Split, Settled], false),
            (&[Stored, Quarantined, Dismissed], false),
            (&[Stored, Quarantined, Stored], false),
            (&[Stored, Quarantined, Stored, NeedsPerson, Split], true),
            (&[Stored, Quarantined, Stored, Quarantined], false),
        ];
        for (states, open) in table {
            let state = *states.last().unwrap();
            assert_eq!(closed(state, &history(states)).is_none(), open, "{states:?}");
        }
        assert!(closed(Quarantined, &[]).is_some());
    }
}
