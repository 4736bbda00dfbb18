//! Waiting for something to become so, with a deadline.

use std::time::{Duration, Instant};

/// How long tests wait for what should happen at once, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer; fails the test with what was waited for when the deadline passes.
pub async fn until<T, F>(what: &str, patience: Duration, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let begin = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begin.elapsed() < patience, "waited {patience:?} for this: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}
