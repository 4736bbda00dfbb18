//! The rules themselves: what each finds, and why it finds nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Known, Place, Read, Rules};
use crate::ids::WorkItemId;
use crate::mail::{Mail, MailKind, MessageId};
use crate::ranking::{self, Evidence};

/// References that one line of a trace names.
const MOST_TOLD: usize = 12;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The message that a report or receipt is about.
    Report,
    /// Our own header.
    Header,
    /// A message of the thread is filed.
    Thread,
    /// A luggage tag in the subject.
    Luggage,
    /// A reference that a pattern finds.
    Reference,
    /// The sender takes part in one work item only.
    Participant,
}

impl Rule {
    /// In the order in which they are tried.
    pub const ALL: [Self; 6] =
        [Self::Report, Self::Header, Self::Thread, Self::Luggage, Self::Reference, Self::Participant];

    /// The name in traces and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Header => "header",
            Self::Thread => "thread",
            Self::Luggage => "luggage",
            Self::Reference => "reference",
            Self::Participant => "participant",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rule finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// One work item.
    One(WorkItemId, String),
    /// Several, each as certain as the other: a person decides, and no weaker rule does.
    Several(Vec<WorkItemId>, String),
    /// Nothing decisive, but these are worth to be suggested.
    Hints(Vec<WorkItemId>, String),
    /// Nothing.
    Nothing(String),
}

impl Outcome {
    pub(super) fn why(&self) -> &str {
        match self {
            Self::One(_, why) | Self::Several(_, why) | Self::Hints(_, why) | Self::Nothing(why) => why,
        }
    }

    pub(super) fn items(&self) -> &[WorkItemId] {
        match self {
            Self::One(item, _) => std::slice::from_ref(item),
            Self::Several(items, _) | Self::Hints(items, _) => items,
            Self::Nothing(_) => &[],
        }
    }

    fn nothing(why: impl Into<String>) -> Self {
        Self::Nothing(why.into())
    }
}

/// The messages before it, the nearest first: what it answers, then the rest of the thread from its end.
pub(super) fn thread(mail: &Mail) -> impl Iterator<Item = &MessageId> {
    mail.in_reply_to.iter().chain(mail.references.iter().rev())
}

/// One mail and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) rules: &'a Rules,
    pub(super) mail: &'a Mail,
    pub(super) known: &'a Known,
    pub(super) read: &'a Read,
}

impl Case<'_> {
    pub(super) fn outcome(&self, rule: Rule) -> Outcome {
        match rule {
            Rule::Report => self.report(),
            Rule::Header => self.header(),
            Rule::Thread => self.thread(),
            Rule::Luggage => self.luggage(),
            Rule::Reference => self.reference(),
            Rule::Participant => self.participant(),
        }
    }

    pub(super) const fn is_report(&self) -> bool {
        matches!(self.mail.kind, MailKind::DeliveryReport | MailKind::ReadReceipt)
    }

    fn report(&self) -> Outcome {
        if !self.is_report() {
            return Outcome::nothing("it is no delivery report and no receipt");
        }
        if self.mail.about.is_empty() {
            return Outcome::nothing("the report does not tell which message it is about");
        }
        let ids: Vec<&MessageId> = self.mail.about.iter().collect();
        self.filed(&ids, "it is about").unwrap_or_else(|| {
            Outcome::nothing(format!("{}, which it is about, is not filed", self.mail.about[0]))
        })
    }

    fn header(&self) -> Outcome {
        let Some(text) = &self.mail.marked else { return Outcome::nothing("our header is not on it") };
        match self.rules.luggage.read_header(text) {
            Err(error) => Outcome::nothing(format!("our header counts for nothing: {error}")),
            Ok(id) if self.known.item(id).is_none() => {
                Outcome::nothing(format!("our header names {id}, which is no work item here"))
            }
            Ok(id) => Outcome::One(id, format!("our header names {}", self.known.name(id))),
        }
    }

    fn thread(&self) -> Outcome {
        if self.mail.in_reply_to.is_empty() && self.mail.references.is_empty() {
            return Outcome::nothing("it answers nothing");
        }
        // What it answers is one step, whichever of several it answers; then one message after the other.
        let answered: Vec<&MessageId> = self.mail.in_reply_to.iter().collect();
        let before = self.mail.references.iter().rev().map(|id| vec![id]);
        let found =
            std::iter::once(answered).chain(before).find_map(|ids| self.filed(&ids, "it goes on from"));
        found.unwrap_or_else(|| Outcome::nothing("no message of its thread is filed"))
    }

    /// Where the first of some messages that are filed lie; none where none is.
    fn filed(&self, ids: &[&MessageId], words: &str) -> Option<Outcome> {
        let (mut items, mut first) = (Vec::new(), None);
        for id in ids {
            for filed in self.known.messages.get(*id).into_iter().flatten() {
                if self.known.item(filed.work_item).is_some() && !items.contains(&filed.work_item) {
                    first = first.or(Some(*id));
                    items.push(filed.work_item);
                }
            }
        }
        let names = self.known.names(&items);
        let why = format!("{words} {}, which is filed in {names}", first?);
        Some(match items.as_slice() {
            [one] => Outcome::One(*one, why),
            _ => Outcome::Several(items, why),
        })
    }

    fn luggage(&self) -> Outcome {
        let tags = &self.read.subject_tags;
        let mut told: Vec<String> =
            tags.wrong.iter().map(|tag| format!("{tag} has check characters that are not ours")).collect();
        let mut items = Vec::new();
        for key in &tags.keys {
            let tag = self.rules.luggage.tag(*key);
            match self.known.luggage.get(key) {
                Some(item) if self.known.item(*item).is_some() => {
                    told.push(format!("{tag} is {}", self.known.name(*item)));
                    if !items.contains(item) {
                        items.push(*item);
                    }
                }
                _ => told.push(format!("{tag} belongs to no work item")),
            }
        }
        let why = if told.is_empty() { "the subject holds no tag".to_owned() } else { told.join("; ") };
        match items.as_slice() {
            [] => Outcome::Nothing(why),
            [one] => Outcome::One(*one, why),
            _ => Outcome::Several(items, format!("the subject holds tags of different work items: {why}")),
        }
    }

    fn reference(&self) -> Outcome {
        let (mut open, mut closed, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for found in &self.read.referred {
            let (key, place, pattern) = (&found.key, found.place, &found.pattern);
            let named = self.known.references.get(key).into_iter().flatten();
            let named: Vec<WorkItemId> = named.copied().filter(|it| self.known.item(*it).is_some()).collect();
            if named.is_empty() {
                told.push(format!("\"{key}\" in {place} ({pattern}) is no work item's reference"));
            }
            for item in named {
                let is_open = self.known.is_open(item);
                let list = if is_open { &mut open } else { &mut closed };
                let closed = if is_open { "" } else { ", which is closed" };
                told.push(format!("\"{key}\" in {place} ({pattern}) is {}{closed}", self.known.name(item)));
                if !list.contains(&item) {
                    list.push(item);
                }
            }
        }
        let rest = told.len().saturating_sub(MOST_TOLD);
        told.truncate(MOST_TOLD);
        if rest > 0 {
            told.push(format!("and {rest} more"));
        }
        let why = told.join("; ");
        match (open.as_slice(), closed.as_slice()) {
            _ if self.read.referred.is_empty() => Outcome::nothing("no pattern finds a reference"),
            // What was not looked up might name another.
            ([_], _) if self.read.more_referred => {
                Outcome::Hints(open, format!("there are more references than are looked up: {why}"))
            }
            ([one], _) => Outcome::One(*one, why),
            ([], []) => Outcome::Nothing(why),
            ([], _) => Outcome::Hints(closed, why),
            _ => Outcome::Hints(
                open.into_iter().chain(closed).collect(),
                format!("references of several open work items: {why}"),
            ),
        }
    }

    fn participant(&self) -> Outcome {
        let Some(from) = self.mail.from.as_ref().filter(|from| !from.address.is_empty()) else {
            return Outcome::nothing("it tells no sender");
        };
        let mut open: Vec<WorkItemId> = Vec::new();
        for item in &self.known.sender_in {
            if self.known.is_open(*item) && !open.contains(item) {
                open.push(*item);
            }
        }
        let address = &from.address;
        match open.as_slice() {
            [] => Outcome::nothing(format!("{address} takes part in no open work item")),
            [one] => Outcome::One(
                *one,
                format!("{address} takes part in {} and in no other open work item", self.known.name(*one)),
            ),
            _ => {
                let why = format!("{address} takes part in {} open work items", open.len());
                Outcome::Hints(open, why)
            }
        }
    }

    /// What an outcome says for the ranking.
    pub(super) fn evidence(&self, rule: Rule, outcome: &Outcome) -> Vec<Evidence> {
        if rule == Rule::Reference {
            return self.references_as_evidence();
        }
        let points = ranking::points(rule);
        let one = |item: &WorkItemId| Evidence {
            work_item: *item,
            points,
            reason: match rule {
                Rule::Report => "the report is about a message that is filed there".to_owned(),
                Rule::Header => "our header names it".to_owned(),
                Rule::Thread => "the message that it goes on from is filed there".to_owned(),
                Rule::Luggage => "its tag stands in the subject".to_owned(),
                Rule::Reference | Rule::Participant => "the sender takes part in it".to_owned(),
            },
        };
        outcome.items().iter().map(one).collect()
    }

    fn references_as_evidence(&self) -> Vec<Evidence> {
        let mut all = Vec::new();
        for found in &self.read.referred {
            let points = match found.place {
                Place::Subject => ranking::points(Rule::Reference),
                Place::Attachments => ranking::points(Rule::Reference) * 4 / 5,
                Place::Text => ranking::points(Rule::Reference) * 3 / 5,
            };
            for item in self.known.references.get(&found.key).into_iter().flatten() {
                let reason = format!("its reference stands in {}", found.place);
                all.push(Evidence { work_item: *item, points, reason });
            }
        }
        all
    }
}
