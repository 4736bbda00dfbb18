//! Sets of filings: what runs them, and what removes those that are over.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::bulk::Bulks;
use postroom_domain::control::Control;
use postroom_domain::reception::Reception;
use postroom_engine::{BulkParts, BulksHandle};

use crate::foundation::Foundation;
use crate::settings::Settings;

/// How often is looked for sets that are over.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// Begins to run sets; those that were under way go on.
pub(crate) fn start(
    settings: &Settings,
    foundation: &Foundation,
    control: Arc<dyn Control>,
) -> Arc<BulksHandle> {
    Arc::new(BulksHandle::start(BulkParts {
        store: foundation.store.clone(),
        clock: foundation.clock.clone(),
        entropy: foundation.entropy.clone(),
        policy: settings.retry.clone(),
        control,
        grace: Duration::from_secs(settings.limits.undo_bulk_seconds),
    }))
}

/// Removes sets that nobody ran, and those that have been over for long, for as long as the house stands.
pub(crate) async fn sweep(reception: Arc<Reception>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        let bulks = Bulks {
            store: &*reception.store,
            clock: &*reception.clock,
            entropy: &*reception.entropy,
            mint: &reception.mint,
        };
        match bulks.sweep().await {
            Ok(0) => {}
            Ok(gone) => tracing::debug!(bulks.gone = gone, "Sets of filings were over and went."),
            Err(error) => {
                tracing::warn!(%error, "Sets of filings that are over could not be removed; it is tried again.");
            }
        }
    }
}
