//! Which work item an e-mail belongs to. Pure: what must be known is asked for first, as a value ([`Questions`]); whoever has the store
//! fetches it ([`Known`]); then the rules decide. So a set of rules can be tried on past mail, and a decision explained or repeated.
//!
//! The rules, in this order; the first decisive one wins:
//!
//! 0. a delivery report or receipt belongs where the message is that it is about;
//! 1. our own header or extended property, with its proof;
//! 2. `In-Reply-To` and `References` to a message that is filed already, the nearest first;
//! 3. luggage tags in the subject, all of them: two different work items are a person's matter;
//! 4. the firm's own patterns for references, which together must name exactly one open work item;
//! 5. a sender who takes part in exactly one open work item, which is a suggestion only.
//!
//! What rules 0 to 4 find is filed unless there is a [`Doubt`]: a header, a thread and a tag travel with a message wherever it is sent
//! on to, so they prove where a message comes from and not that this one belongs there. A rule that found something and is in doubt
//! still ends the search: a weaker rule must not file what a stronger one would not.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::luggage::{Found, Luggage};
use crate::mail::{Mail, Mailbox};
use crate::mistake::Mistake;
use crate::ranking;

mod change;
mod decision;
mod doubt;
mod known;
mod pattern;
mod questions;
mod rule;
mod settings;

pub use change::{Change, compare};
pub use decision::{Decision, Suggestion, Verdict};
pub use doubt::Doubt;
pub use known::{FiledMessage, Known, KnownItem};
pub use pattern::{Place, Referred, reference_key};
pub use questions::Questions;
pub use rule::Rule;
pub use settings::{MatchingSettings, PatternSettings};

use pattern::Pattern;
use rule::{Case, Outcome};

/// The rules as they are in force.
#[derive(Debug, Clone)]
pub struct Rules {
    luggage: Luggage,
    patterns: Vec<Pattern>,
    own_domains: Vec<String>,
    own_mailboxes: BTreeSet<String>,
}

/// What can be read from the mail itself, before anything is looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Read {
    subject_tags: Found,
    text_tags: Found,
    referred: Vec<Referred>,
    /// There are more references than are looked up.
    more_referred: bool,
}

impl Rules {
    /// The rules that settings describe, or everything that is wrong with them. The keys are told below `matching`.
    pub fn new(settings: &MatchingSettings, luggage: Luggage) -> Result<Self, Vec<Mistake>> {
        let mistakes = settings.check("matching");
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Self {
            luggage,
            patterns: settings.patterns.iter().filter_map(|pattern| Pattern::new(pattern).ok()).collect(),
            own_domains: settings.own_domains.iter().map(|domain| domain.to_lowercase()).collect(),
            own_mailboxes: settings.own_mailboxes.iter().map(|address| address.to_lowercase()).collect(),
        })
    }

    /// The same rules in a house that reads the mailboxes of others besides its own.
    #[must_use]
    pub fn reading_too(mut self, other: &Self) -> Self {
        self.own_mailboxes.extend(other.own_mailboxes.iter().cloned());
        self
    }

    /// What must be known about a mail to decide. See [`Known`] for how it is answered.
    pub fn questions(&self, mail: &Mail) -> Questions {
        Questions::of(self, mail, &self.read(mail))
    }

    /// Decides. `now` is when it arrived: what was filed long ago counts for less in the suggestions.
    pub fn decide(&self, mail: &Mail, known: &Known, now: Timestamp) -> Decision {
        let read = self.read(mail);
        let case = Case { rules: self, mail, known, read: &read };
        let outcomes: Vec<(Rule, Outcome)> = Rule::ALL.map(|rule| (rule, case.outcome(rule))).into();
        let (mut verdict, mut trace) = (None, Vec::new());
        for (rule, outcome) in &outcomes {
            let late = if verdict.is_some() { "not needed any more: " } else { "" };
            trace.push(format!("{rule}: {late}{}", outcome.why()));
            if verdict.is_none() {
                verdict = decision::by_rule(&case, *rule, outcome, &mut trace);
            }
        }
        let suggestions = ranking::rank(&self.evidence(&case, &outcomes), mail, known, now);
        let verdict = verdict.unwrap_or_else(|| decision::by_nobody(&outcomes, known));
        trace.push(verdict.in_words(known));
        for suggestion in &suggestions {
            trace.push(format!("suggested: {}", suggestion.in_words(known)));
        }
        Decision { verdict, suggestions, quiet: mail.is_automatic(), trace }
    }

    fn read(&self, mail: &Mail) -> Read {
        let (referred, more_referred) = pattern::find(&self.patterns, mail);
        Read {
            subject_tags: self.luggage.find(&mail.subject),
            text_tags: self.luggage.find(&mail.text),
            referred,
            more_referred,
        }
    }

    /// Whether an address is one of our own people's or mailboxes.
    fn is_inside(&self, one: &Mailbox) -> bool {
        self.is_own_mailbox(&one.address) || self.own_domains.iter().any(|domain| one.domain() == domain)
    }

    /// Whether it is a mailbox that Postroom reads. It is named on everything that arrives there, so it stands for nobody.
    fn is_own_mailbox(&self, address: &str) -> bool {
        self.own_mailboxes.contains(address)
    }

    /// What speaks for work items, for the ranking: what the rules found, and tags in the text, which a quotation carries along.
    fn evidence(&self, case: &Case<'_>, outcomes: &[(Rule, Outcome)]) -> Vec<ranking::Evidence> {
        let mut all: Vec<ranking::Evidence> =
            outcomes.iter().flat_map(|(rule, outcome)| case.evidence(*rule, outcome)).collect();
        for key in &case.read.text_tags.keys {
            let quoted = case.known.luggage.get(key).map(|item| ranking::Evidence {
                work_item: *item,
                points: ranking::TAG_IN_TEXT,
                reason: format!("the tag {} stands in the text", self.luggage.tag(*key)),
            });
            all.extend(quoted);
        }
        all
    }
}

#[cfg(test)]
mod tests;
