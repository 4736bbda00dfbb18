//! What was learned from past decisions: how often mail of a sender, of a domain, or with a word in its subject went to a work item.
//!
//! One [`Habit`] is one row of a store under its [`HabitKey`]; [`learn`] changes those that a mail touches and no others. Counts halve
//! in half a year, so that a sender's new matter overtakes the old one.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Evidence, words};
use crate::desk::domains::is_free_mail;
use crate::ids::WorkItemId;
use crate::mail::Mail;

/// What a habit is about: `sender/anna@x.example`, `domain/x.example`, `word/lease`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HabitKey(String);

const SENDER: &str = "sender/";
const DOMAIN: &str = "domain/";
const WORD: &str = "word/";

impl HabitKey {
    /// The key as a store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is worth at most, and what to call it.
    fn weight(&self) -> (u32, String) {
        if let Some(address) = self.0.strip_prefix(SENDER) {
            (250, format!("mail from {address}"))
        } else if let Some(domain) = self.0.strip_prefix(DOMAIN) {
            (80, format!("mail from {domain}"))
        } else {
            (60, format!("mail with \"{}\" in its subject", self.0.strip_prefix(WORD).unwrap_or(&self.0)))
        }
    }
}

impl fmt::Display for HabitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a habit counts for one work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The work item.
    pub work_item: WorkItemId,
    /// A thousand for each decision of a person, less with age, as it was at `last`.
    pub points: u32,
    /// How many times in all.
    pub times: u32,
    /// The last time.
    pub last: Timestamp,
}

/// Where mail with something in common went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habit {
    /// By work item; never more than 32.
    pub counts: Vec<Count>,
}

/// What there is to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// A person said that the mail belongs there.
    Chosen,
    /// A rule filed it there, and nobody has objected.
    Filed,
    /// A person said that it does not belong there: a suggestion was refused, or a filing taken back.
    Refused,
}

/// Points of one decision of a person.
const ONCE: u32 = 1000;
/// Days in which points halve.
const HALF_LIFE: u32 = 180;
/// Work items of one habit: a word that goes everywhere says nothing anyway.
const MOST: usize = 32;

/// The habits that a mail touches. Own domains and those where anybody gets an address say nothing about a work item.
pub fn keys(mail: &Mail, own_domains: &[String]) -> Vec<HabitKey> {
    let mut keys = Vec::new();
    if let Some(from) = mail.from.as_ref().filter(|from| !from.address.is_empty()) {
        keys.push(HabitKey(format!("{SENDER}{}", from.address.to_lowercase())));
        let domain = from.domain().to_lowercase();
        if !domain.is_empty() && !own_domains.contains(&domain) && !is_free_mail(&domain) {
            keys.push(HabitKey(format!("{DOMAIN}{domain}")));
        }
    }
    keys.extend(words::of_subject(&mail.subject).into_iter().map(|word| HabitKey(format!("{WORD}{word}"))));
    keys
}

/// Learns from one decision about a mail with these [`keys`]. `habits` holds what is known under them. Afterwards those of `keys` that are
/// still there are written again, and those that are not are deleted: nothing is left of them.
pub fn learn(
    habits: &mut BTreeMap<HabitKey, Habit>,
    keys: &[HabitKey],
    work_item: WorkItemId,
    lesson: Lesson,
    now: Timestamp,
) {
    for key in keys {
        let habit = habits.entry(key.clone()).or_default();
        habit.learn(work_item, lesson, now);
        if habit.counts.is_empty() {
            habits.remove(key);
        }
    }
}

impl Habit {
    /// The work items that it knows.
    pub fn work_items(&self) -> impl Iterator<Item = WorkItemId> {
        self.counts.iter().map(|count| count.work_item)
    }

    fn learn(&mut self, work_item: WorkItemId, lesson: Lesson, now: Timestamp) {
        let at = self.counts.iter().position(|count| count.work_item == work_item);
        let (before, times) = at.map_or((0, 0), |at| {
            let count = self.counts.swap_remove(at);
            (count.points_at(now), count.times)
        });
        let (points, times) = match lesson {
            Lesson::Chosen => (before.saturating_add(ONCE), times.saturating_add(1)),
            Lesson::Filed => (before.saturating_add(ONCE / 4), times.saturating_add(1)),
            // Weighs as much as what it takes back, and half of what was there: one "no" is soon felt.
            Lesson::Refused => ((before / 2).saturating_sub(ONCE), times.saturating_sub(1)),
        };
        if points > 0 {
            self.counts.push(Count { work_item, points, times: times.max(1), last: now });
        }
        // The order is of no meaning but the same whatever order it was learned in, as far as that goes.
        self.counts.sort_by(|a, b| {
            b.points_at(now).cmp(&a.points_at(now)).then_with(|| b.work_item.cmp(&a.work_item))
        });
        self.counts.truncate(MOST);
    }
}

impl Count {
    /// What is left of the points: they halve in each half-life, in a straight line between.
    fn points_at(&self, now: Timestamp) -> u32 {
        let days = now.duration_since(self.last).as_hours().max(0) / 24;
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        let halved = self.points.checked_shr(days / HALF_LIFE).unwrap_or(0);
        let rest = u64::from(halved) * u64::from(days % HALF_LIFE) / u64::from(2 * HALF_LIFE);
        halved - u32::try_from(rest).unwrap_or(halved)
    }
}

/// What the habits say. A habit is worth its weight where it is old enough (three decisions make three fifths) and goes one way only: a
/// sender who writes about ten matters says a tenth for each.
pub(super) fn evidence(habits: &BTreeMap<HabitKey, Habit>, now: Timestamp) -> Vec<Evidence> {
    let mut all = Vec::new();
    for (key, habit) in habits {
        let (weight, what) = key.weight();
        let total: u64 = habit.counts.iter().map(|count| u64::from(count.points_at(now))).sum();
        for count in habit.counts.iter().take(MOST) {
            let points = u64::from(count.points_at(now));
            let sure = u64::from(weight) * points / (points + u64::from(2 * ONCE));
            let share = (sure * points).checked_div(total).unwrap_or(0);
            let last = count.last.strftime("%Y-%m-%d");
            all.push(Evidence {
                work_item: count.work_item,
                points: u32::try_from(share).unwrap_or(weight),
                reason: match count.times {
                    1 => format!("{what} went there once, on {last}"),
                    times => format!("{what} went there {times} times, the last on {last}"),
                },
            });
        }
    }
    all
}
