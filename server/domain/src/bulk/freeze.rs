//! Freezing: which filings, in which versions.

use std::collections::BTreeSet;

use super::MOST;
use super::action::Action;
use super::desk::{BulkError, Bulks};
use super::part::{BulkPart, Counts, PART, Row};
use super::set::{Bulk, BulkState, Tally};
use crate::audit::give_way;
use crate::filing::Filing;
use crate::ids::{BulkId, FilingId, SiteName};
use crate::person::Principal;
use crate::query::{FilingQuery, Window};
use crate::record::{Commit, Kept as _};

/// Filings that are read together.
const PAGE: usize = 500;

/// Which filings are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All that match, with the filter as it was written.
    Matching(String),
    /// These; what of them the query does not match is left out without a word.
    Named(Vec<FilingId>),
}

/// A set that is to be frozen.
#[derive(Debug, Clone)]
pub struct NewBulk {
    /// What is decided.
    pub action: Action,
    /// Which filings.
    pub scope: Scope,
    /// The same as a query, with what the caller may see.
    pub query: FilingQuery,
}

/// What is left of filings once they are frozen.
struct Frozen {
    action: Action,
    rows: Vec<Row>,
    sites: BTreeSet<SiteName>,
    tally: Tally,
}

impl Frozen {
    fn new(action: Action) -> Self {
        Self { action, rows: Vec::new(), sites: BTreeSet::new(), tally: Tally::default() }
    }

    fn take(&mut self, filing: &Filing) {
        self.rows.push(Row::of(filing, self.action));
        self.tally.add(filing, self.action);
        if !self.sites.contains(&filing.site) {
            self.sites.insert(filing.site.clone());
        }
    }
}

impl Bulks<'_> {
    /// Freezes a set. Nothing is changed by it.
    pub async fn freeze(&self, by: &Principal, new: NewBulk) -> Result<Bulk, BulkError> {
        let mut frozen = Frozen::new(new.action);
        match &new.scope {
            Scope::Matching(_) => self.matching(&new.query, &mut frozen).await?,
            Scope::Named(ids) => self.named(&new.query, ids, &mut frozen).await?,
        }
        let Frozen { rows, mut sites, tally, .. } = frozen;
        if sites.is_empty() {
            sites.insert(by.sites.home.clone());
        }
        let counts = Counts::of(&rows);
        let bulk = Bulk {
            id: BulkId::from_u128(self.next_id()),
            version: 1,
            action: new.action,
            state: BulkState::Frozen,
            q: match new.scope {
                Scope::Matching(q) => Some(q),
                Scope::Named(_) => None,
            },
            by: by.name.clone(),
            sites,
            created: self.clock.now(),
            told: None,
            ended: None,
            will: counts.waiting,
            lines: tally.lines(),
            counts,
            unsettled: false,
        };
        let mut writes = vec![bulk.put()?];
        for (number, rows) in rows.chunks(PART).enumerate() {
            let rows = rows.to_vec();
            let part = BulkPart { id: self.next_id(), version: 1, bulk: bulk.id, number, rows };
            writes.push(part.put()?);
        }
        self.store.commit(Commit { writes, events: Vec::new() }).await?;
        Ok(bulk)
    }

    /// All that match, in the order of acceptance.
    async fn matching(&self, query: &FilingQuery, frozen: &mut Frozen) -> Result<(), BulkError> {
        let (mut before, now) = (None, self.clock.now());
        loop {
            let slice = self.store.list_filings(query, Window { before, limit: PAGE }, now).await?;
            slice.items.iter().for_each(|filing| frozen.take(filing));
            if frozen.rows.len() > MOST {
                return Err(BulkError::TooMany);
            }
            before = slice.next;
            if before.is_none() {
                // Lists are newest first.
                frozen.rows.reverse();
                return Ok(());
            }
            give_way().await;
        }
    }

    async fn named(
        &self,
        query: &FilingQuery,
        ids: &[FilingId],
        frozen: &mut Frozen,
    ) -> Result<(), BulkError> {
        let ids: Vec<FilingId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        if ids.len() > MOST {
            return Err(BulkError::TooMany);
        }
        let now = self.clock.now();
        for portion in ids.chunks(PAGE) {
            let found = self.store.filings_by_id(portion).await?;
            found.iter().filter(|filing| query.matches(filing, now)).for_each(|filing| frozen.take(filing));
            give_way().await;
        }
        Ok(())
    }
}
