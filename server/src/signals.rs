//! Signals: the first asks for a clean stop, the second ends the process at once. Both are safe, because `kill -9` is.

use tokio::signal::unix::{SignalKind, signal};

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
