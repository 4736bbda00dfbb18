//! What is done now and then: content that no row names is removed after its grace.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::spool::Spool;
use postroom_domain::store::Store;

/// How often the spool is swept.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// Sweeps the spool every hour, for as long as the house stands.
pub(crate) async fn run(store: Arc<dyn Store>, spool: Arc<dyn Spool>, grace: Duration) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        match postroom_store::spool::sweep(spool.as_ref(), store.as_ref(), grace).await {
            Ok(swept) if swept.removed.is_empty() => {}
            Ok(swept) => tracing::info!(
                spool.seen = swept.seen,
                spool.removed = swept.removed.len(),
                "Content that no row names was removed."
            ),
            Err(error) => {
                tracing::warn!(%error, "The spool could not be swept; it is tried again in an hour.");
            }
        }
    }
}
