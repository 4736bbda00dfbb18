//! Freezing: which filings, in which versions.

use std::collections::BTreeSet;

use super::MOST;
use super::action::Action;
use super::desk::{BulkError, Bulks};
use super::part::{BulkPart, Counts, PART, Row};
use super::set::{Bulk, BulkState, Lines};
use crate::audit::give_way;
use crate::filing::Filing;
use crate::ids::{BulkId, FilingId};
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

impl Bulks<'_> {
    /// Freezes a set. Nothing is changed by it.
    pub async fn freeze(&self, by: &Principal, new: NewBulk) -> Result<Bulk, BulkError> {
        let filings = match &new.scope {
            Scope::Matching(_) => self.matching(&new.query).await?,
            Scope::Named(ids) => self.named(&new.query, ids).await?,
        };
        let mut sites: BTreeSet<_> = filings.iter().map(|filing| filing.site.clone()).collect();
        if sites.is_empty() {
            sites.insert(by.sites.home.clone());
        }
        let rows: Vec<Row> = filings.iter().map(|filing| Row::of(filing, new.action)).collect();
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
            lines: Lines::of(&filings, new.action),
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
    async fn matching(&self, query: &FilingQuery) -> Result<Vec<Filing>, BulkError> {
        let (mut found, mut before, now) = (Vec::new(), None, self.clock.now());
        loop {
            let slice = self.store.list_filings(query, Window { before, limit: PAGE }, now).await?;
            found.extend(slice.items);
            if found.len() > MOST {
                return Err(BulkError::TooMany);
            }
            before = slice.next;
            if before.is_none() {
                found.reverse();
                return Ok(found);
            }
            give_way().await;
        }
    }

    async fn named(&self, query: &FilingQuery, ids: &[FilingId]) -> Result<Vec<Filing>, BulkError> {
        let ids: Vec<FilingId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        if ids.len() > MOST {
            return Err(BulkError::TooMany);
        }
        let (mut found, now) = (Vec::new(), self.clock.now());
        for portion in ids.chunks(PAGE) {
            found.extend(self.store.filings_by_id(portion).await?);
            give_way().await;
        }
        found.retain(|filing| query.matches(filing, now));
        Ok(found)
    }
}
