//! The ledger of letters: each one that was read, by what it is recognised by, and where it went.

use serde::{Deserialize, Serialize};

use super::hashed;
use crate::ids::{IntakeId, SiteName, WorkItemId};
use crate::ledger::LedgerKey;
use crate::mail::Mail;
use crate::record::{Kept, Kind};

/// So many people of a letter are remembered with its work item.
const MOST_PEOPLE: usize = 100;

/// A letter in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The intake that it came as.
    pub intake: IntakeId,
    /// Its site: letters of other sites are not met.
    pub site: SiteName,
    /// What it is recognised by.
    pub key: LedgerKey,
    /// Who wrote it, in small letters.
    pub from: String,
    /// Whom it names, in small letters.
    pub people: Vec<String>,
    /// Where it is filed; none while a person is asked.
    pub work_item: Option<WorkItemId>,
    /// Where a person put it besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_in: Vec<WorkItemId>,
    /// Grows by one with every change.
    #[serde(skip)]
    pub version: u64,
}

impl Noted {
    /// The entry of a letter that was just read.
    pub fn of(
        intake: IntakeId,
        site: &SiteName,
        mail: &Mail,
        key: LedgerKey,
        work_item: Option<WorkItemId>,
    ) -> Self {
        let people = mail.people().into_iter().map(|one| one.address.to_lowercase());
        Self {
            intake,
            site: site.clone(),
            key,
            from: mail.from.as_ref().map_or_else(String::new, |from| from.address.to_lowercase()),
            people: people.take(MOST_PEOPLE).collect(),
            work_item,
            also_in: Vec::new(),
            version: 1,
        }
    }

    /// Every work item that it is filed in.
    pub fn work_items(&self) -> impl Iterator<Item = WorkItemId> {
        self.work_item.into_iter().chain(self.also_in.iter().copied())
    }

    /// The group of the letters of a site under one of [`LedgerKey::lookups`].
    pub fn under(site: &SiteName, lookup: &str) -> String {
        format!("{site}/{lookup}")
    }

    /// The group of the letters of a work item that name somebody.
    pub fn meeting(item: WorkItemId, email: &str) -> String {
        format!("met/{item}/{}", hashed(&email.to_lowercase()))
    }
}

impl Kept for Noted {
    const KIND: Kind = Kind::Noted;
    fn number(&self) -> u128 {
        self.intake.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        let lookups = self.key.lookups();
        let known = lookups.iter().map(|lookup| Self::under(&self.site, lookup));
        let met = self
            .work_items()
            .flat_map(|item| self.people.iter().map(move |email| Self::meeting(item, email)));
        known.chain(met).collect()
    }
}
