//! Signals: the first asks for a clean stop, the second ends the process at once. Both are safe, because `kill -9` is.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// Returns with the first of SIGINT and SIGTERM, by name; from then on, another one exits at once. From the call on, not only from the first
/// look at what it returns, a signal asks for a clean stop: call it before anybody is told that the process is ready.
pub(crate) fn stop_wanted() -> impl Future<Output = &'static str> {
    let watched = signal(SignalKind::interrupt()).and_then(|it| Ok((it, signal(SignalKind::terminate())?)));
    async move {
        match watched {
            Ok((interrupt, terminate)) => first_of(interrupt, terminate).await,
            Err(error) => {
                tracing::error!(%error, "Signals cannot be watched; only kill -9 stops this process.");
                std::future::pending().await
            }
        }
    }
}

async fn first_of(mut interrupt: Signal, mut terminate: Signal) -> &'static str {
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
