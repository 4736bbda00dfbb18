//! The end of everything: after a failed disk nothing more is known, so the engine stops itself.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by all parts: the first reason counts.
#[derive(Clone)]
pub(crate) struct Fatal(Arc<watch::Sender<Option<String>>>);

impl Fatal {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Stops the engine.
    pub(crate) fn declare(&self, why: String) {
        self.0.send_if_modified(|reason| {
            if reason.is_some() {
                return false;
            }
            tracing::error!(reason = %why, "Postroom's own disk failed; nothing more is claimed");
            *reason = Some(why);
            true
        });
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Returns when there is a reason.
    pub(crate) async fn declared(&self) -> String {
        let mut seen = self.0.subscribe();
        loop {
            if let Some(reason) = seen.borrow_and_update().clone() {
                return reason;
            }
            if seen.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
