//! What a decision needs to know.

use super::rule::thread;
use super::{Read, Rules};
use crate::ids::WorkItemId;
use crate::luggage::LuggageKey;
use crate::mail::{Mail, MessageId};
use crate::ranking::{self, HabitKey};

/// A thread has no more messages than this, as far as we look.
const MOST_MESSAGES: usize = 64;
/// No more people of a mail are asked after: the first are those who wrote it and those it is to.
const MOST_PEOPLE: usize = 200;

/// What has to be looked up. Everything is bounded, each thing stands once, and the order is the same for the same mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// The work item that our own header proves.
    pub marked: Option<WorkItemId>,
    /// Messages that may be filed already: the nearest first.
    pub messages: Vec<MessageId>,
    /// Tags, of subject and text.
    pub luggage: Vec<LuggageKey>,
    /// References that the patterns found, in the form of [`super::reference_key`].
    pub references: Vec<String>,
    /// The sender's address: in which work items do they take part?
    pub sender: Option<String>,
    /// Everybody named, without our own mailboxes: which of them stand on messages of a work item?
    pub people: Vec<String>,
    /// What was learned from past decisions.
    pub habits: Vec<HabitKey>,
}

impl Questions {
    pub(super) fn of(rules: &Rules, mail: &Mail, read: &Read) -> Self {
        let people = mail.people().into_iter().map(|one| one.address.to_lowercase());
        Self {
            marked: mail.marked.as_deref().and_then(|text| rules.luggage.read_header(text).ok()),
            messages: once(mail.about.iter().chain(thread(mail)).cloned(), MOST_MESSAGES),
            luggage: once(read.subject_tags.keys.iter().chain(&read.text_tags.keys).copied(), usize::MAX),
            references: once(read.referred.iter().map(|it| it.key.clone()), usize::MAX),
            sender: mail.from.as_ref().map(|from| from.address.to_lowercase()).filter(|it| !it.is_empty()),
            people: once(people.filter(|it| !rules.is_own_mailbox(it)), MOST_PEOPLE),
            habits: ranking::keys(mail, &rules.own_domains),
        }
    }
}

fn once<T: PartialEq>(all: impl Iterator<Item = T>, most: usize) -> Vec<T> {
    let mut list = Vec::new();
    for one in all {
        if list.len() == most {
            break;
        }
        if !list.contains(&one) {
            list.push(one);
        }
    }
    list
}
