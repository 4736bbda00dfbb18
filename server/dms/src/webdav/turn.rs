//! Whose turn it is to name things in a container.
//!
//! A server is told to move over nothing, but Apache's `mod_dav` looks whether the name is free and gives it in two steps, so two who
//! choose one name in the same moment could replace each other's document. Among the calls of this process a turn is a mutex. Among several
//! Postrooms it is a lock of the server's on `.postroom/turn`, where the server has locks (class 2) that end by themselves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use tokio::sync::MutexGuard;
use tracing::{debug, warn};

use super::home::Home;
use super::lock::{Lock, Locking};
use super::{WebDav, errors};

/// What is locked. It is empty, or not there at all: some servers keep locks without a document.
const FILE: &str = "turn";
/// A turn lasts some calls; so soon after a crash it ends by itself.
const SECONDS: u32 = 20;
/// A server that gives a lock for longer, or without end, would after a crash keep everybody out for as long.
const LONGEST: Duration = Duration::from_mins(10);
/// For so long the lock is asked for again while somebody else has it: longer than one lasts that a crash left behind.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two askings.
const PAUSE: Duration = Duration::from_millis(100);

/// A length of time that differs from lock to lock, so that two who step back do not come again in the same moment.
fn apart(lock: &Lock) -> Duration {
    let number =
        lock.token.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(number % 150)
}

/// Whether the server's locks serve for turns; true until it shows otherwise.
#[derive(Debug)]
pub(super) struct Usable(AtomicBool);

impl Usable {
    pub(super) const fn new(wanted: bool) -> Self {
        Self(AtomicBool::new(wanted))
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn never_again(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// A turn. [`WebDav::end_turn`] gives the lock back; a turn that is dropped leaves it to end by its time.
pub(super) struct Turn<'a> {
    _own: (MutexGuard<'a, ()>, Option<MutexGuard<'a, ()>>),
    names: Vec<String>,
    held: Option<(Lock, Duration)>,
}

impl Turn<'_> {
    fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }
}

impl WebDav {
    /// Waits for the turn to name things in `to`, and to take them from `from` where that is another container.
    pub(super) async fn take_turn<'a>(
        &'a self,
        to: &Home<'_>,
        from: Option<&Home<'_>>,
    ) -> DmsResult<Turn<'a>> {
        let own = self.both_turns(to.id, from.map_or(to.id, |from| from.id)).await;
        let names = to.ours(&[FILE]);
        let held = if self.usable.get() { self.lock_turn(to, &names).await? } else { None };
        let names = names.into_iter().map(str::to_owned).collect();
        Ok(Turn { _own: own, names, held })
    }

    async fn lock_turn(&self, home: &Home<'_>, names: &[&str]) -> DmsResult<Option<(Lock, Duration)>> {
        let (asked, mut placed) = (tokio::time::Instant::now(), false);
        loop {
            let since = self.clock.monotonic();
            let locking = match self.ask_lock(names, SECONDS, "Postroom (naming a document)").await {
                // Go's WebDAV library says so of a place that is not there (known: `handleLock` in golang.org/x/net/webdav).
                Err(error) if error.trouble().status == Some(500) && !placed => Locking::NoPlace,
                other => other?,
            };
            match locking {
                Locking::Done { lock, lasts, .. } if lasts.is_some_and(|lasts| lasts <= LONGEST) => {
                    if self.has_it_alone(names, &lock).await? {
                        return Ok(Some((lock, since)));
                    }
                    if asked.elapsed() >= PATIENCE {
                        return Err(self.locked(names, &format!("naming a document in {:?}", home.id)).await);
                    }
                    debug!(dms.service = %self.name, "Two were given the turn at once; both give it back.");
                    tokio::time::sleep(PAUSE + apart(&lock)).await;
                }
                Locking::Done { lock, .. } => {
                    self.unlock(names, &lock).await;
                    self.usable.never_again();
                    warn!(dms.service = %self.name, "The server's locks do not end in time; several Postrooms must not file into one folder of it.");
                    return Ok(None);
                }
                Locking::None => {
                    self.usable.never_again();
                    return Ok(None);
                }
                Locking::NoPlace if placed => {
                    let detail =
                        format!("{:?} cannot be locked: its collection is not there", names.join("/"));
                    return Err(DmsError::from_trouble(Trouble::new(Cause::ServerFault, detail)));
                }
                Locking::NoPlace => {
                    self.ensure(home, &["tmp"]).await?;
                    placed = true;
                }
                Locking::Taken if asked.elapsed() < PATIENCE => {
                    debug!(dms.service = %self.name, "Another Postroom names a document in this folder.");
                    tokio::time::sleep(PAUSE).await;
                }
                Locking::Taken => {
                    return Err(self.locked(names, &format!("naming a document in {:?}", home.id)).await);
                }
            }
        }
    }

    /// Whether nobody else was given the lock too; otherwise it is given back. A server that looks for locks and adds one in two steps may
    /// give it twice. Whoever sees the other's steps back: of two, the one whose lock was written last sees both.
    async fn has_it_alone(&self, names: &[&str], lock: &Lock) -> DmsResult<bool> {
        let others = self.entry(names, false).await.map(|entry| {
            let locks = entry.map(|entry| entry.props.locks).unwrap_or_default();
            // A server that shows no tokens is asked how many locks there are.
            let unknown = locks.iter().filter(|held| held.token.is_none()).count();
            let foreign = locks.iter().filter_map(|held| held.token.as_ref()).any(|it| *it != lock.token);
            foreign || unknown > 1
        });
        if !matches!(others, Ok(false)) {
            self.unlock(names, lock).await;
        }
        others.map(|others| !others)
    }

    /// To be called before a name is given: a turn that was long, because the server or this machine stood still, is made sure of.
    pub(super) async fn keep_turn(&self, turn: &mut Turn<'_>) -> DmsResult<()> {
        let now = self.clock.monotonic();
        let names = turn.names.iter().map(String::as_str).collect::<Vec<_>>();
        let Some((lock, since)) = &mut turn.held else { return Ok(()) };
        if now.saturating_sub(*since) * 3 < Duration::from_secs(SECONDS.into()) {
            return Ok(());
        }
        self.refresh(&names, lock, SECONDS).await.map_err(|error| {
            // Nothing was named yet: another attempt takes another turn.
            let detail = format!("the turn to name a document was lost: {}", error.trouble().detail);
            errors::aside(DmsError::from_trouble(Trouble::new(Cause::Interrupted, detail)))
        })?;
        *since = now;
        Ok(())
    }

    /// Ends a turn.
    pub(super) async fn end_turn(&self, turn: Turn<'_>) {
        if let Some((lock, _)) = &turn.held {
            self.unlock(&turn.names(), lock).await;
        }
    }
}
