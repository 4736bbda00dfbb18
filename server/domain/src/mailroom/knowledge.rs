//! What the house knows of what the rules of matching ask.

use std::collections::BTreeSet;

use super::{Entry, Mailroom, Noted};
use crate::ids::{IntakeId, SiteName, WorkItemId};
use crate::mail::{Mail, MessageId};
use crate::matching::{FiledMessage, Known, KnownItem, Questions};
use crate::record;
use crate::store::StoreResult;

/// Letters under one key that are compared; more than that have the same id or content for no good reason.
pub(super) const MOST_ALIKE: usize = 50;
/// Work items of one person, or of one reference, that are looked at.
const MOST_ITEMS: usize = 50;

impl Mailroom {
    /// What the store knows of what the rules ask. What belongs to other sites is not known.
    ///
    /// With `before`, only letters older than that one are known: what is asked about a letter of the past must not be answered by itself.
    pub(super) async fn known(
        &self,
        site: &SiteName,
        questions: &Questions,
        before: Option<IntakeId>,
    ) -> StoreResult<Known> {
        let store = &*self.reception.store;
        let mut known = Known::default();
        for id in &questions.messages {
            let filed = self.filed(site, id, before).await?;
            if !filed.is_empty() {
                known.messages.insert(id.clone(), filed);
            }
        }
        for key in &questions.luggage {
            let entry: Option<Entry> = record::by_key(store, &Entry::by_luggage(*key)).await?;
            if let Some(entry) = entry.filter(|entry| entry.site == *site) {
                known.luggage.insert(*key, entry.work_item);
            }
        }
        for reference in &questions.references {
            let group = Entry::by_reference(site, reference);
            let entries: Vec<Entry> = record::page(store, Some(&group), None, MOST_ITEMS).await?;
            if !entries.is_empty() {
                known
                    .references
                    .insert(reference.clone(), entries.into_iter().map(|it| it.work_item).collect());
            }
        }
        if let Some(sender) = &questions.sender {
            let group = Entry::by_person(site, sender);
            let entries: Vec<Entry> = record::page(store, Some(&group), None, MOST_ITEMS).await?;
            for entry in entries {
                // Closed ones speak for nothing.
                if store.work_item(entry.work_item).await?.is_some_and(|item| item.open) {
                    known.sender_in.push(entry.work_item);
                }
            }
        }
        let learned = self.learned(site, &questions.habits).await?;
        known.habits = learned.into_iter().map(|(key, it)| (key, it.into_habit())).collect();
        for id in known.missing(questions) {
            let Some(item) = store.work_item(id).await?.filter(|item| item.site == *site) else { continue };
            let met = self.met(id, &questions.people, before).await?;
            known.items.insert(id, KnownItem { item, met });
        }
        Ok(known)
    }

    /// Where a message is filed.
    async fn filed(
        &self,
        site: &SiteName,
        id: &MessageId,
        before: Option<IntakeId>,
    ) -> StoreResult<Vec<FiledMessage>> {
        let letters = self.with_its_id(site, &Mail { id: Some(id.clone()), ..Mail::default() }).await?;
        let mut filed: Vec<FiledMessage> = Vec::new();
        for letter in letters.into_iter().filter(|letter| is_older(letter, before)) {
            for work_item in letter.work_items() {
                if !filed.iter().any(|it| it.work_item == work_item) {
                    let (from, people) = (letter.from.clone(), letter.people.clone());
                    filed.push(FiledMessage { work_item, from, people });
                }
            }
        }
        Ok(filed)
    }

    /// Of some people those who stand on letters of a work item.
    async fn met(
        &self,
        item: WorkItemId,
        people: &[String],
        before: Option<IntakeId>,
    ) -> StoreResult<BTreeSet<String>> {
        let mut met = BTreeSet::new();
        for email in people {
            let group = Noted::meeting(item, email);
            let found: Vec<Noted> = record::page(&*self.reception.store, Some(&group), None, 1).await?;
            // They are listed by age.
            if found.first().is_some_and(|letter| is_older(letter, before)) {
                met.insert(email.clone());
            }
        }
        Ok(met)
    }
}

/// Whether a letter was taken in before another one; ids grow with the order.
fn is_older(letter: &Noted, before: Option<IntakeId>) -> bool {
    before.is_none_or(|before| letter.intake < before)
}
