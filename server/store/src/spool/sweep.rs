//! Mark and sweep: content that no row names, and that has not been written for a while, goes.
//!
//! Such content is what an intake leaves that was cut off between its bytes and its row. The store is asked about every
//! candidate; there are no reference counts that could be wrong.

use std::time::Duration;

use postroom_domain::spool::{Spool, SpoolError, Sweep};
use postroom_domain::store::{Store, StoreError};

/// How many files are looked at in one go.
const PAGE: usize = 500;

/// Why a sweep stopped. What it removed until then stays removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The spool did not answer.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Removes content older than `grace` that no row names, and logs each removal. `grace` must be longer than any door takes from
/// sealing bytes to committing their row; a day is.
///
/// Left-over drafts are not its business: they go when the spool is opened.
pub async fn sweep(spool: &dyn Spool, store: &dyn Store, grace: Duration) -> Result<Sweep, SweepError> {
    let mut done = Sweep::default();
    let mut after = None;
    loop {
        let page = spool.old_content(grace, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.hash);
        done.seen += page.len() as u64;
        for blob in page {
            if !store.names_blob(blob.hash).await? && spool.remove(blob, grace).await? {
                tracing::info!(spool.content = %blob.hash, spool.bytes = blob.size, "removed content that no row names");
                done.removed.push(blob);
            }
        }
    }
    Ok(done)
}
