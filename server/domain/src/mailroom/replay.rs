//! Rules tried on letters without consequences: on those that are here, and on those that a person holds out.
//!
//! Of the letters that came before the one in question everything is known as it was then. Work items, and what was learned from decisions,
//! are known as they are now: a matter that was closed since is closed in the replay too.

use bytes::Bytes;
use jiff::Timestamp;

use super::Mailroom;
use crate::Fut;
use crate::ids::{IntakeId, SiteName};
use crate::mail::Mail;
use crate::matching::{Change, Decision, MatchingSettings, Rules, compare};
use crate::mistake::Mistake;
use crate::store::StoreResult;

/// Reads a letter's bytes within bounds.
pub trait ReadsLetters: Send + Sync {
    /// The letter, with its text; or why it cannot be read, in plain words.
    fn read(&self, raw: Bytes) -> Fut<'_, Result<Mail, String>>;
}

/// A letter that rules are tried on.
#[derive(Debug, Clone, Copy)]
pub struct Exhibit<'a> {
    /// The letter, with its text.
    pub mail: &'a Mail,
    /// The site whose work items it may belong to.
    pub site: &'a SiteName,
    /// When it arrived.
    pub received: Timestamp,
    /// Which intake it is; none for one that is not here.
    pub intake: Option<IntakeId>,
}

/// What two sets of rules make of one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// By the rules in force.
    pub before: Decision,
    /// By the others.
    pub after: Decision,
    /// How they differ.
    pub change: Change,
}

impl Mailroom {
    /// The rules that settings describe, as they would be in force here: the house's own mailboxes belong to them.
    pub fn candidate(&self, settings: &MatchingSettings) -> Result<Rules, Vec<Mistake>> {
        let rules = Rules::new(settings, self.luggage.with(&settings.luggage))?;
        Ok(match &self.matching {
            Some(in_force) => rules.reading_too(in_force),
            None => rules,
        })
    }

    /// Decides twice over a letter: by the rules in force, and by others. Without others both are the same.
    pub async fn replay(
        &self,
        exhibit: Exhibit<'_>,
        in_force: &Rules,
        other: Option<&Rules>,
    ) -> StoreResult<Replayed> {
        let before = self.would(exhibit, in_force).await?;
        let after = match other {
            Some(rules) => self.would(exhibit, rules).await?,
            None => before.clone(),
        };
        let change = compare(&before, &after);
        Ok(Replayed { before, after, change })
    }

    async fn would(&self, exhibit: Exhibit<'_>, rules: &Rules) -> StoreResult<Decision> {
        let questions = rules.questions(exhibit.mail);
        let known = self.known(exhibit.site, &questions, exhibit.intake).await?;
        Ok(rules.decide(exhibit.mail, &known, exhibit.received))
    }
}
