//! Signals: the first asks for a clean stop, the second ends the process at once. Both are safe, because `kill -9` is.

use tokio::signal::unix::{SignalKind, signal};

/// A file that reaches a size limit must give an error to whoever writes it. Left alone, SIGXFSZ ends the process instead.
pub(crate) fn survive_size_limits() {
    match signal(SignalKind::from_raw(SIGXFSZ)) {
        Ok(mut limits) => drop(tokio::spawn(async move {
            while limits.recv().await.is_some() {
                tracing::warn!("A file reached the size that this process may write.");
            }
        })),
        Err(error) => tracing::warn!(%error, "A file size limit would end this process."),
    }
}

/// Its number on Linux (signal(7)).
const SIGXFSZ: i32 = 25;

/// Returns with the first of SIGINT and SIGTERM, by name; from then on, another one exits at once.
pub(crate) async fn stop_wanted() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::error!("Signals cannot be watched; only kill -9 stops this process.");
        return std::future::pending().await;
    };
    let first = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::warn!("A second signal came: exiting at once.");
        std::process::exit(130);
    });
    first
}
