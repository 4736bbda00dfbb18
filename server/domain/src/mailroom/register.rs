//! Work items come to be and change through here, so that each has its luggage tag from its first day.

use jiff::Timestamp;

use super::{Entry, Mailroom};
use crate::ids::WorkItemId;
use crate::person::{Actor, Scope};
use crate::query::Window;
use crate::record::{self, Commit, Kept as _};
use crate::store::{StoreError, StoreResult};
use crate::work_item::WorkItem;

/// So many keys are tried for a work item. In a house of a million every thousandth needs a second one.
const MOST_PROPOSALS: u32 = 16;
/// Work items that are looked at together.
const PAGE: usize = 200;

impl Mailroom {
    /// Creates or changes a work item, with its entry in the register. Errors as of [`crate::store::Store::save_work_item`].
    pub async fn save_work_item(&self, item: WorkItem, actor: &Actor, at: Timestamp) -> StoreResult<()> {
        let store = &self.reception.store;
        let before: Option<Entry> = record::by_id(&**store, item.id.as_u128()).await?;
        for proposal in 0..MOST_PROPOSALS {
            let entry = self.entry(&item, before.as_ref(), proposal);
            let unchanged = before.as_ref().is_some_and(|before| before.says_the_same(&entry));
            let records = if unchanged { Vec::new() } else { vec![entry.put()?] };
            match store.save_work_item(item.clone(), records, actor, at).await {
                Err(StoreError::Exists(_)) if before.is_none() && self.is_taken(&entry).await? => {}
                done => return done,
            }
        }
        Err(StoreError::Exists(format!("every luggage key of {}", item.reference)))
    }

    fn entry(&self, item: &WorkItem, before: Option<&Entry>, proposal: u32) -> Entry {
        match before {
            Some(before) => Entry::of(item, before.luggage, before.version + 1),
            None => Entry::of(item, self.luggage.key_for(item.id, proposal), 1),
        }
    }

    async fn is_taken(&self, entry: &Entry) -> StoreResult<bool> {
        let key = Entry::by_luggage(entry.luggage);
        let owner: Option<Entry> = record::by_key(&*self.reception.store, &key).await?;
        Ok(owner.is_some_and(|owner| owner.work_item != entry.work_item))
    }

    /// The tag that goes into the subjects of a work item's letters; none where the register does not have it.
    pub async fn tag(&self, item: WorkItemId) -> StoreResult<Option<String>> {
        let entry: Option<Entry> = record::by_id(&*self.reception.store, item.as_u128()).await?;
        Ok(entry.map(|entry| self.luggage.tag(entry.luggage)))
    }

    /// Enters work items that were made before there was a register. How many.
    pub async fn enter_all(&self) -> StoreResult<u64> {
        let store = &self.reception.store;
        let (mut before, mut entered) = (None, 0);
        loop {
            let window = Window { before, limit: PAGE };
            let page = store.list_work_items(&Scope::All, "", window).await?;
            for item in &page.items {
                match record::by_id::<Entry>(&**store, item.id.as_u128()).await? {
                    None => {
                        self.enter(item).await?;
                        entered += 1;
                    }
                    // From before entries told where a work item was started from.
                    Some(entry) if entry.origin.is_none() && item.origin.is_some() => {
                        self.renew(item, &entry).await?;
                    }
                    Some(_) => {}
                }
            }
            before = page.next;
            if before.is_none() {
                return Ok(entered);
            }
        }
    }

    async fn renew(&self, item: &WorkItem, before: &Entry) -> StoreResult<()> {
        let commit = Commit { writes: vec![self.entry(item, Some(before), 0).put()?], events: Vec::new() };
        match self.reception.store.commit(commit).await {
            // Somebody saved it in between, and that renewed it.
            Err(StoreError::Conflict { .. }) => Ok(()),
            done => done,
        }
    }

    async fn enter(&self, item: &WorkItem) -> StoreResult<()> {
        for proposal in 0..MOST_PROPOSALS {
            let entry = self.entry(item, None, proposal);
            let commit = Commit { writes: vec![entry.put()?], events: Vec::new() };
            match self.reception.store.commit(commit).await {
                Err(StoreError::Exists(_)) => {}
                // Somebody saved it in between, and entered it.
                Err(StoreError::Conflict { .. }) => return Ok(()),
                done => return done,
            }
        }
        Err(StoreError::Exists(format!("every luggage key of {}", item.reference)))
    }
}
