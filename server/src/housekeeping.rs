//! What is done now and then: content that no row names is removed after its grace, and what is over of sessions, tokens and links of
//! one use goes; uploads whose time is over go, and those that were cut off at their end are taken in.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::control::Control;
use postroom_domain::desk::People;
use postroom_domain::send_to::SendTo;
use postroom_domain::spool::Spool;
use postroom_domain::store::Store;
use postroom_domain::uploads::{Swept, Uploads};

/// How often the spool is swept.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// How often what is over is looked for.
const PEOPLE_EVERY: Duration = Duration::from_mins(5);

/// Keeps the house in order for as long as it stands.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    spool: Arc<dyn Spool>,
    people: Arc<People>,
    uploads: Arc<Uploads>,
    send_to: Arc<dyn SendTo>,
    control: Arc<dyn Control>,
    grace: Duration,
) {
    let mut contents = tokio::time::interval(SWEEP_EVERY);
    let mut over = tokio::time::interval(PEOPLE_EVERY);
    loop {
        tokio::select! {
            _ = contents.tick() => sweep_contents(store.as_ref(), spool.as_ref(), grace).await,
            _ = over.tick() => {
                sweep_people(&people).await;
                sweep_uploads(&uploads, control.as_ref()).await;
                sweep_tickets(send_to.as_ref()).await;
            }
        }
    }
}

async fn sweep_contents(store: &dyn Store, spool: &dyn Spool, grace: Duration) {
    match postroom_store::spool::sweep(spool, store, grace).await {
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

async fn sweep_people(people: &People) {
    match people.sweep().await {
        Ok(0) => {}
        Ok(gone) => {
            tracing::info!(people.gone = gone, "Sessions, tokens and links of one use were over and went.");
        }
        Err(error) => {
            tracing::warn!(%error, "What is over of sessions and tokens could not be removed; it works no more all the same.");
        }
    }
}

async fn sweep_uploads(uploads: &Uploads, control: &dyn Control) {
    match uploads.sweep().await {
        Ok(swept) if swept == Swept::default() => {}
        Ok(Swept { expired, completed }) => {
            tracing::info!(
                uploads.expired = expired,
                uploads.completed = completed,
                "Unfinished uploads were removed, or taken in where all had come."
            );
            control.wake();
        }
        Err(error) => {
            tracing::warn!(%error, "Unfinished uploads could not be looked through; it is tried again.");
        }
    }
}

async fn sweep_tickets(send_to: &dyn SendTo) {
    match send_to.sweep().await {
        Ok(0) => {}
        Ok(gone) => tracing::debug!(tickets.gone = gone, "Hand-overs from DMSs were over and went."),
        Err(error) => {
            tracing::warn!(%error, "What is over of hand-overs could not be removed; it works no more all the same.");
        }
    }
}
