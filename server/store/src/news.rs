//! The number of the last event that is durable, for whoever waits for the next one.

use std::time::Duration;

use tokio::sync::watch;

/// Waits until there is an event beyond `seq`, or for `patience`, and answers the last event's number.
///
/// What waiting answers is a guard on the number. It is dropped before the number is looked at: who holds one guard and asks for a second
/// waits for the writer, and the writer, when it came in between, waits for the first.
pub(crate) async fn beyond(last: &watch::Sender<u64>, seq: u64, patience: Duration) -> u64 {
    let mut seen = last.subscribe();
    drop(tokio::time::timeout(patience, seen.wait_for(|number| *number > seq)).await);
    *last.borrow()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};
    use std::thread;

    use super::*;

    /// Readers that find their event there already, beside a writer that never rests: each gets on. With a guard held over the second look
    /// this stood still within a few hundred rounds.
    #[test]
    fn readers_and_the_writer_never_wait_for_each_other() {
        let last = Arc::new(watch::Sender::new(1_u64));
        let done = Arc::new(AtomicBool::new(false));
        let (ended, all) = mpsc::channel();
        for _ in 0..3 {
            let (last, done, ended) = (last.clone(), done.clone(), ended.clone());
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async {
                    while !done.load(Ordering::Relaxed) {
                        let number = beyond(&last, 0, Duration::ZERO).await;
                        assert!(number > 0);
                    }
                });
                ended.send("reader").unwrap();
            });
        }
        thread::spawn(move || {
            for number in 2..=300_000 {
                last.send_if_modified(|seen| std::mem::replace(seen, number) != number);
            }
            done.store(true, Ordering::Relaxed);
            ended.send("writer").unwrap();
        });
        for _ in 0..4 {
            all.recv_timeout(Duration::from_mins(1)).expect("readers and the writer wait for each other");
        }
    }
}
