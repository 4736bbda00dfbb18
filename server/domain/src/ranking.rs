//! Which work items a person is shown first for a mail, and why: what the rules found, names in the text, and what persons decided about
//! like mail before.
//!
//! Sums of whole numbers, each with its reason in words: the same mail over the same data gives the same list, and a person can be told
//! why. Nothing here files anything.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::WorkItemId;
use crate::mail::Mail;
use crate::matching::{Known, Rule, Suggestion};

mod habit;
mod names;
mod words;

pub use habit::{Count, Habit, HabitKey, Lesson, keys, learn};

/// What speaks for a work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The work item.
    pub work_item: WorkItemId,
    /// How much.
    pub points: u32,
    /// In plain words.
    pub reason: String,
}

/// How many are suggested.
pub const MOST: usize = 8;

/// What a rule's find is worth. The rules' order is kept: all that was learned together is worth less than a reference in the subject.
pub(crate) const fn points(rule: Rule) -> u32 {
    match rule {
        Rule::Report | Rule::Header => 2000,
        Rule::Thread => 1600,
        Rule::Luggage => 1400,
        Rule::Reference => 1000,
        Rule::Participant => 300,
    }
}

/// A tag in the text: a quotation carries it along.
pub(crate) const TAG_IN_TEXT: u32 = 500;

/// The best work items for a mail.
pub(crate) fn rank(found: &[Evidence], mail: &Mail, known: &Known, now: Timestamp) -> Vec<Suggestion> {
    let learned = habit::evidence(&known.habits, now);
    let named = names::evidence(mail, known);
    let mut by_item: BTreeMap<WorkItemId, Vec<&Evidence>> = BTreeMap::new();
    for one in found.iter().chain(&learned).chain(&named).filter(|one| one.points > 0) {
        // What is not known any more, or not to be seen from here, is not shown.
        if known.item(one.work_item).is_some() {
            by_item.entry(one.work_item).or_default().push(one);
        }
    }
    let mut all: Vec<Suggestion> =
        by_item.into_iter().map(|(id, list)| suggestion(id, list, known)).collect();
    // The newest work item first where nothing else tells them apart.
    all.sort_by(|a, b| b.score.cmp(&a.score).then(b.work_item.cmp(&a.work_item)));
    all.truncate(MOST);
    all
}

fn suggestion(work_item: WorkItemId, mut list: Vec<&Evidence>, known: &Known) -> Suggestion {
    list.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.reason.cmp(&b.reason)));
    list.dedup_by(|a, b| a.reason == b.reason);
    let score = list.iter().fold(0, |sum: u32, one| sum.saturating_add(one.points));
    let mut reasons: Vec<String> = list.into_iter().map(|one| one.reason.clone()).collect();
    if known.is_open(work_item) {
        return Suggestion { work_item, score, reasons };
    }
    reasons.push("it is closed, so it counts half".to_owned());
    Suggestion { work_item, score: score / 2, reasons }
}

#[cfg(test)]
mod tests;
