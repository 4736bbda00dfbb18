//! What colleagues tell each other about a filing or an intake: notes, and who is at work on it. It decides nothing: whoever may decide
//! may still do so, whoever has taken it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Happening, NewEvent, Subject};
use crate::ids::{FilingId, IntakeId, SiteName};
use crate::person::Actor;
use crate::plain;
use crate::record::{Commit, Kept, Kind, by_id};
use crate::store::{Store, StoreError, StoreResult};

/// How often remarks are changed again after somebody else changed them at the same moment.
const TRIES: usize = 5;

/// What remarks are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A filing.
    Filing(FilingId),
    /// An intake.
    Intake(IntakeId),
}

impl About {
    /// The number of its record. Ids are of one mint, so that no filing has an intake's.
    const fn number(self) -> u128 {
        match self {
            Self::Filing(id) => id.as_u128(),
            Self::Intake(id) => id.as_u128(),
        }
    }

    const fn subject(self) -> Subject {
        match self {
            Self::Filing(id) => Subject::Filing(id),
            Self::Intake(id) => Subject::Intake(id),
        }
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
    /// The text, in one line.
    pub text: String,
}

/// Who is at work on something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Who.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

/// Notes, and who is at work on it. They stay when it is done, as the history does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    /// What they are about.
    pub about: About,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Who is at work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// The notes, first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Writes a note.
    Note(String),
    /// Takes it to work on, also from a colleague.
    Take,
    /// Gives it back.
    GiveBack,
}

/// Why a remark was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemarkError {
    /// The note says nothing.
    #[error("must not be blank")]
    Blank,
    /// The note is too long.
    #[error("has {0} characters; a note has at most {most}", most = Remarks::LONGEST)]
    TooLong(usize),
    /// There are as many notes as there may be.
    #[error("there are {most} notes already", most = Remarks::MOST)]
    Full,
    /// Who gives it back has not taken it.
    #[error("{}", not_yours(.0.as_deref()))]
    NotYours(
        /// Who has.
        Option<String>,
    ),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn not_yours(taken_by: Option<&str>) -> String {
    taken_by.map_or_else(|| "nobody has taken it".to_owned(), |by| format!("{by} has taken it, not you"))
}

impl Remarks {
    /// So many notes are kept.
    pub const MOST: usize = 200;
    /// So many characters a note may have.
    pub const LONGEST: usize = 2000;

    /// Of something that nobody remarked on yet.
    pub const fn none(about: About) -> Self {
        Self { about, version: 0, taken: None, notes: Vec::new() }
    }

    /// With a remark by somebody, and what the history tells of it; none where it changes nothing.
    pub fn with(
        &self,
        remark: Remark,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<(Self, Happening, String)>, RemarkError> {
        let mut after = Self { version: self.version + 1, ..self.clone() };
        let before = self.taken.as_ref().map(|taken| taken.by.clone());
        let (happening, note) = match remark {
            Remark::Note(text) => {
                let text = self.fit(&text)?;
                after.notes.push(Note { at, by: by.to_owned(), text: text.clone() });
                (Happening::Noted, text)
            }
            Remark::Take if before.as_deref() == Some(by) => return Ok(None),
            Remark::Take => {
                after.taken = Some(Taken { by: by.to_owned(), since: at });
                (Happening::Taken { from: before }, String::new())
            }
            Remark::GiveBack if before.as_deref() != Some(by) => return Err(RemarkError::NotYours(before)),
            Remark::GiveBack => {
                after.taken = None;
                (Happening::GivenBack, String::new())
            }
        };
        Ok(Some((after, happening, note)))
    }

    /// A note's text as it is kept.
    fn fit(&self, text: &str) -> Result<String, RemarkError> {
        let text = plain::line(text).trim().to_owned();
        let length = text.chars().count();
        if text.is_empty() {
            return Err(RemarkError::Blank);
        }
        if length > Self::LONGEST {
            return Err(RemarkError::TooLong(length));
        }
        if self.notes.len() >= Self::MOST { Err(RemarkError::Full) } else { Ok(text) }
    }
}

/// What was remarked on something.
pub async fn remarks(store: &dyn Store, about: About) -> StoreResult<Remarks> {
    Ok(by_id(store, about.number()).await?.unwrap_or_else(|| Remarks::none(about)))
}

/// Who is at work on something.
pub async fn taken_by(store: &dyn Store, about: About) -> StoreResult<Option<String>> {
    Ok(remarks(store, about).await?.taken.map(|taken| taken.by))
}

/// Makes a remark on something of a site, with its event in one commit. Where somebody else was quicker, it is looked at anew.
pub async fn remark(
    store: &dyn Store,
    (about, site): (About, &SiteName),
    remark: Remark,
    actor: &Actor,
    at: Timestamp,
) -> Result<(), RemarkError> {
    let mut tries = 0;
    loop {
        let before = remarks(store, about).await?;
        let Some((after, happening, note)) = before.with(remark.clone(), &actor.principal, at)? else {
            return Ok(());
        };
        let event = NewEvent {
            at,
            site: Some(site.clone()),
            subject: about.subject(),
            happening,
            actor: actor.clone(),
            note,
        };
        match store.commit(Commit { writes: vec![after.put()?], events: vec![event] }).await {
            Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
            written => return Ok(written?),
        }
    }
}

impl Kept for Remarks {
    const KIND: Kind = Kind::Remarks;
    fn number(&self) -> u128 {
        self.about.number()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn none() -> Remarks {
        Remarks::none(About::Filing(FilingId::from_u128(7)))
    }

    fn after(before: &Remarks, remark: Remark, by: &str) -> (Remarks, Happening, String) {
        before.with(remark, by, at(1)).unwrap().unwrap()
    }

    #[test]
    fn it_is_taken_by_one_at_a_time_and_the_event_says_from_whom() {
        let (ada, told, _) = after(&none(), Remark::Take, "ada");
        assert_eq!(told, Happening::Taken { from: None });
        assert_eq!(ada.with(Remark::Take, "ada", at(2)), Ok(None), "hers already");
        let mine = ada.with(Remark::GiveBack, "grace", at(2));
        assert_eq!(mine, Err(RemarkError::NotYours(Some("ada".to_owned()))));
        let (grace, told, _) = after(&ada, Remark::Take, "grace");
        assert_eq!(told, Happening::Taken { from: Some("ada".to_owned()) });
        assert_eq!(grace.taken, Some(Taken { by: "grace".to_owned(), since: at(1) }));
        assert!(grace.with(Remark::GiveBack, "ada", at(2)).is_err());
        let (nobody, told, _) = after(&grace, Remark::GiveBack, "grace");
        assert_eq!((nobody.taken, nobody.version, told), (None, 3, Happening::GivenBack));
    }

    #[test]
    fn notes_are_short_say_something_and_do_nothing() {
        let (one, told, text) =
            after(&none(), Remark::Note(" called\u{1b}[2J\r\nthem \u{202e}".into()), "ada");
        assert_eq!((told, text.as_str()), (Happening::Noted, "called[2J them"));
        assert_eq!(one.notes, [Note { at: at(1), by: "ada".to_owned(), text }]);
        let note = |text: String| one.with(Remark::Note(text), "ada", at(2)).map(|it| it.is_some());
        assert_eq!(note(" \u{7}\n".to_owned()), Err(RemarkError::Blank));
        assert_eq!(note("ä".repeat(2000)), Ok(true));
        assert_eq!(note("ä".repeat(2001)), Err(RemarkError::TooLong(2001)));
        let mut full = one.clone();
        full.notes = vec![one.notes[0].clone(); Remarks::MOST];
        assert_eq!(full.with(Remark::Note("x".to_owned()), "ada", at(2)), Err(RemarkError::Full));
        assert!(full.with(Remark::Take, "ada", at(2)).is_ok());
    }
}
