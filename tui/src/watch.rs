//! Watches over the loop. When a terminal goes away (a window that is closed, a connection that is cut), crossterm's reader of keys can turn
//! in circles at the end of its input and never give control back; seen with crossterm 0.29 on Linux. Nobody would end such a console, and
//! it would use up a processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::signals::{Signal, Signals};
use crate::terminal;

/// How long the loop has for an orderly end once it was told to.
const GRACE: Duration = Duration::from_secs(2);
/// How often is looked whether the loop still turns. It does so once a second without any news.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// So many looks in a row that find nothing are no accident. A process that was stopped and goes on has missed one at most.
const LOOKS: u32 = 3;

/// How often the loop has turned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<AtomicU64>);

impl Turns {
    /// It turns.
    pub(crate) fn turn(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins to watch: ends the process where the loop cannot.
    pub(crate) fn watch(&self) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let turns = self.clone();
        tokio::spawn(async move {
            let (mut seen, mut still) = (0, 0);
            loop {
                tokio::select! {
                    signal = signals.next() => if matches!(signal, Signal::End) {
                        tokio::time::sleep(GRACE).await;
                        end("it was told to end and did not");
                    },
                    () = tokio::time::sleep(LOOK_EVERY) => {
                        let now = turns.0.load(Ordering::Relaxed);
                        still = if now == seen { still + 1 } else { 0 };
                        seen = now;
                        if still >= LOOKS {
                            end("it stood still; its terminal may be gone");
                        }
                    }
                }
            }
        });
        Ok(())
    }
}

fn end(why: &str) {
    tracing::error!("the console is ended: {why}");
    terminal::give_back();
    std::process::exit(1);
}
