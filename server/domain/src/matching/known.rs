//! The answers to [`Questions`], as whoever has the store fetched them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Questions;
use crate::ids::WorkItemId;
use crate::luggage::LuggageKey;
use crate::mail::MessageId;
use crate::ranking::{Habit, HabitKey};
use crate::work_item::WorkItem;

/// What is known. Two rounds fetch it: first everything but `items` by the questions, then the items that [`Known::missing`] names.
/// What the mailbox's site may not see is simply not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Where messages are filed; a message may be in several work items.
    pub messages: BTreeMap<MessageId, Vec<FiledMessage>>,
    /// Whose luggage keys are whose.
    pub luggage: BTreeMap<LuggageKey, WorkItemId>,
    /// Which work items have a reference.
    pub references: BTreeMap<String, Vec<WorkItemId>>,
    /// Work items, open ones at least, that the sender takes part in.
    pub sender_in: Vec<WorkItemId>,
    /// What was learned.
    pub habits: BTreeMap<HabitKey, Habit>,
    /// The work items that are named in all this, and by the header.
    pub items: BTreeMap<WorkItemId, KnownItem>,
}

/// A message that was filed, in one of its work items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiledMessage {
    /// Where it is.
    pub work_item: WorkItemId,
    /// Who wrote it, in small letters.
    pub from: String,
    /// Everybody whom it names, in small letters.
    pub people: Vec<String>,
}

/// A work item, and whom of the mail's people it has met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownItem {
    /// The work item.
    pub item: WorkItem,
    /// Of the people asked after, those who stand on messages that were filed there before, in small letters.
    #[serde(default)]
    pub met: BTreeSet<String>,
}

impl KnownItem {
    /// Whether the work item knows an address: somebody takes part with it, or was on a message that is filed there.
    pub fn knows(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let takes_part = || self.item.participants.iter().any(|it| it.email.to_lowercase() == address);
        !address.is_empty() && (self.met.contains(&address) || takes_part())
    }
}

impl Known {
    /// The work items that are named and not fetched yet, each once.
    pub fn missing(&self, questions: &Questions) -> BTreeSet<WorkItemId> {
        let filed = self.messages.values().flatten().map(|filed| filed.work_item);
        let learned = self.habits.values().flat_map(Habit::work_items);
        (filed.chain(self.luggage.values().copied()))
            .chain(self.references.values().flatten().copied())
            .chain(self.sender_in.iter().copied())
            .chain(learned)
            .chain(questions.marked)
            .filter(|id| !self.items.contains_key(id))
            .collect()
    }

    pub(crate) fn item(&self, id: WorkItemId) -> Option<&WorkItem> {
        self.items.get(&id).map(|known| &known.item)
    }

    pub(crate) fn is_open(&self, id: WorkItemId) -> bool {
        self.item(id).is_some_and(|item| item.open)
    }

    /// A work item as a person knows it.
    pub(crate) fn name(&self, id: WorkItemId) -> String {
        self.item(id).map_or_else(|| id.to_string(), |item| item.reference.clone())
    }

    /// Several of them.
    pub(crate) fn names<'a>(&self, ids: impl IntoIterator<Item = &'a WorkItemId>) -> String {
        ids.into_iter().map(|id| self.name(*id)).collect::<Vec<_>>().join(", ")
    }
}
