//! What a work item is found by besides its reference: its luggage tag, who takes part, and its reference as patterns find it.

use serde::{Deserialize, Serialize};

use super::hashed;
use crate::ids::{SiteName, WorkItemId};
use crate::luggage::LuggageKey;
use crate::matching::reference_key;
use crate::record::{Kept, Kind};
use crate::send_to::started_from;
use crate::work_item::WorkItem;

/// So many people of a work item are found by their address.
const MOST_PEOPLE: usize = 500;

/// An entry of the register of work items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The work item.
    pub work_item: WorkItemId,
    /// Its site.
    pub site: SiteName,
    /// Its key on luggage tags: no other work item has it, and it stays for as long as the work item does.
    pub luggage: LuggageKey,
    /// Its reference, as [`reference_key`] writes it.
    pub reference: String,
    /// The addresses of those who take part, in small letters.
    pub people: Vec<String>,
    /// The group of its origin ([`started_from`]), where it was started from a place in a DMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Grows by one with every change.
    #[serde(skip)]
    pub version: u64,
}

impl Entry {
    /// The entry of a work item under a key.
    pub fn of(item: &WorkItem, luggage: LuggageKey, version: u64) -> Self {
        let people = item.participants.iter().map(|one| one.email.trim().to_lowercase());
        let mut people: Vec<String> = people.filter(|email| !email.is_empty()).collect();
        people.sort_unstable();
        people.dedup();
        people.truncate(MOST_PEOPLE);
        Self {
            work_item: item.id,
            site: item.site.clone(),
            luggage,
            reference: reference_key(&item.reference),
            people,
            origin: item.origin.as_ref().map(|it| started_from(&it.service, &it.container)),
            version,
        }
    }

    /// Whether it says the same of its work item as another one.
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { version: 0, ..self.clone() } == Self { version: 0, ..other.clone() }
    }

    /// The unique key of a luggage key.
    pub fn by_luggage(key: LuggageKey) -> String {
        format!("luggage/{key}")
    }

    /// The group of the work items of a site that somebody takes part in.
    pub fn by_person(site: &SiteName, email: &str) -> String {
        format!("person/{site}/{}", hashed(&email.to_lowercase()))
    }

    /// The group of the work items of a site with a reference.
    pub fn by_reference(site: &SiteName, reference: &str) -> String {
        format!("reference/{site}/{}", hashed(reference))
    }
}

impl Kept for Entry {
    const KIND: Kind = Kind::WorkItemEntry;
    fn number(&self) -> u128 {
        self.work_item.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![Self::by_luggage(self.luggage)]
    }
    fn groups(&self) -> Vec<String> {
        let people = self.people.iter().map(|email| Self::by_person(&self.site, email));
        people.chain([Self::by_reference(&self.site, &self.reference)]).chain(self.origin.clone()).collect()
    }
}
