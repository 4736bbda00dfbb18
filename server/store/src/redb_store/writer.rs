//! The one thread that writes. Whoever wants to write queues a command; the thread takes one, then whatever waits, runs all in one
//! transaction, commits, and only then answers all. Nothing waits on purpose: while one commit is being flushed, the next group
//! gathers by itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;

use postroom_domain::store::{StoreError, StoreResult};
use redb::{Database, Durability, ReadableDatabase};
use tokio::sync::{oneshot, watch};

use super::batch::{Batch, Ledger};
use super::names::Names;
use super::schema::{Shelf, Tables};
use super::{Stop, WriterOptions};

/// What readers and the writer share.
pub(super) struct Shared {
    /// The file; none once it is closed.
    pub(super) database: RwLock<Option<Database>>,
    pub(super) names: Arc<RwLock<Names>>,
    /// Why no more is written.
    failed: OnceLock<String>,
    /// The number of the last event that is durable.
    pub(super) last_event: watch::Sender<u64>,
    /// The greatest id of any record that is durable.
    pub(super) greatest_id: Mutex<u128>,
    /// Rows that lists have looked at.
    pub(super) looked_at: AtomicU64,
    /// Groups committed since the start.
    pub(super) commits: AtomicU64,
}

impl Shared {
    pub(super) fn new(database: Database, ledger: &Ledger) -> Self {
        Self {
            database: RwLock::new(Some(database)),
            names: Arc::clone(&ledger.names),
            failed: OnceLock::new(),
            last_event: watch::Sender::new(ledger.last_event),
            greatest_id: Mutex::new(ledger.greatest_id),
            looked_at: AtomicU64::new(0),
            commits: AtomicU64::new(0),
        }
    }

    /// Why no more is written, once it failed.
    pub(super) fn failed(&self) -> Option<String> {
        self.failed.get().cloned()
    }

    /// Latches a failure: the first one stays.
    pub(super) fn fail(&self, why: String) {
        if self.failed.set(why).is_ok()
            && let Some(why) = self.failed.get()
        {
            tracing::error!(store.error = %why, "the store failed and takes no more writes until it is opened again");
        }
    }

    fn fatal(&self) -> StoreError {
        match self.failed() {
            Some(why) => StoreError::Fatal(why),
            None => StoreError::Closed,
        }
    }

    /// Runs a short read in one read transaction. The file cannot be closed meanwhile, so the reads must stay short.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Shelf) -> Result<T, Stop>) -> StoreResult<T> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = guard.as_ref() else { return Err(StoreError::Closed) };
        let result =
            database.begin_read().map_err(Stop::from).and_then(|transaction| work(&Shelf(transaction)));
        match result {
            Ok(value) => Ok(value),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Broken(why)) => {
                self.fail(why.clone());
                Err(StoreError::Fatal(why))
            }
        }
    }
}

/// How a command's caller learns what became of it, once it is known whether the transaction is durable.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A command.
type Run = Box<dyn FnOnce(&mut Batch<'_>) -> Ran + Send>;

/// A command after it ran.
struct Ran {
    answer: Answer,
    broken: Option<String>,
}

enum Task {
    Write { bytes: usize, run: Run },
    Close(oneshot::Sender<StoreResult<()>>),
}

/// The callers' end of the queue.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Task>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        shared: Arc<Shared>,
        ledger: Ledger,
        options: WriterOptions,
    ) -> std::io::Result<Self> {
        let (queue, tasks) = sync_channel(options.queue);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || Loop { shared, ledger, options, unsealed: false }.run(&tasks))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    fn send(&self, shared: &Shared, task: Task) -> StoreResult<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(queue) = queue else { return Err(StoreError::Closed) };
        queue.try_send(task).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => shared.fatal(),
        })
    }

    /// Queues a command and waits until it is durable. `bytes` is about what it writes.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        shared: &Shared,
        bytes: usize,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, Stop> + Send + 'static,
    ) -> StoreResult<T> {
        if let Some(why) = shared.failed() {
            return Err(StoreError::Fatal(why));
        }
        let (sender, answer) = oneshot::channel();
        // A caller that has gone away is not waiting for its answer: `send` may fail.
        let run = Box::new(move |batch: &mut Batch<'_>| match batch.command(work) {
            Ok(value) => Ran {
                answer: Box::new(move |durable| drop(sender.send(durable.map(|()| value)))),
                broken: None,
            },
            Err(Stop::Refused(error)) => {
                // What it was refused for may have been written by the same transaction.
                let answer: Answer = Box::new(move |durable| drop(sender.send(durable.and(Err(error)))));
                Ran { answer, broken: None }
            }
            Err(Stop::Broken(why)) => {
                let answer: Answer = Box::new(move |durable| {
                    let never = || StoreError::Fatal("a broken transaction was committed".to_owned());
                    drop(sender.send(Err(durable.err().unwrap_or_else(never))));
                });
                Ran { answer, broken: Some(why) }
            }
        });
        self.send(shared, Task::Write { bytes, run })?;
        answer.await.unwrap_or_else(|_| Err(shared.fatal()))
    }

    /// Finishes what waits and closes the file.
    pub(super) async fn close(&self, shared: &Shared) -> StoreResult<()> {
        let (sender, answer) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(queue) = queue else { return Err(StoreError::Closed) };
        // The queue may be full: then closing waits its turn, on a thread that may block.
        let sent = std::thread::Builder::new()
            .name("store-close".to_owned())
            .spawn(move || drop(queue.send(Task::Close(sender))));
        if let Err(error) = sent {
            return Err(StoreError::Fatal(format!("no thread to close with: {error}")));
        }
        let result = answer.await.unwrap_or_else(|_| Err(shared.fatal()));
        self.join();
        result
    }

    /// Waits for the end of the thread.
    fn join(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.join();
    }
}

struct Loop {
    shared: Arc<Shared>,
    ledger: Ledger,
    options: WriterOptions,
    /// Whether something was committed since the last seal.
    unsealed: bool,
}

/// Latches a failure when the thread ends by a panic, so that later callers are told.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the store's writer ended by a panic".to_owned());
        }
    }
}

impl Loop {
    fn run(mut self, tasks: &Receiver<Task>) {
        let _alarm = Alarm(Arc::clone(&self.shared));
        let closed = loop {
            let task = if self.unsealed {
                match tasks.recv_timeout(self.options.idle_seal) {
                    Err(RecvTimeoutError::Timeout) => {
                        self.seal();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break None,
                    Ok(task) => task,
                }
            } else {
                match tasks.recv() {
                    Err(_) => break None,
                    Ok(task) => task,
                }
            };
            if let Some(closed) = self.group(task, tasks) {
                break Some(closed);
            }
        };
        self.seal();
        let database = self.shared.database.write().unwrap_or_else(PoisonError::into_inner).take();
        let result = match database.map(Database::close) {
            Some(Err(error)) => Err(StoreError::Fatal(error.to_string())),
            _ => self.shared.failed().map_or(Ok(()), |why| Err(StoreError::Fatal(why))),
        };
        if let Some(closed) = closed {
            drop(closed.send(result));
        }
    }

    /// Runs one group. Returns whom to tell when the store is to be closed after it.
    fn group(&mut self, first: Task, tasks: &Receiver<Task>) -> Option<oneshot::Sender<StoreResult<()>>> {
        let mut closing = None;
        let mut waiting = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(task) = next.take() {
            match task {
                Task::Write { bytes: more, run } => {
                    bytes += more;
                    waiting.push(run);
                }
                Task::Close(sender) => {
                    closing = Some(sender);
                    break;
                }
            }
            if waiting.len() < self.options.group_commands && bytes < self.options.group_bytes {
                next = tasks.try_recv().ok();
            }
        }
        // After a failure the commands are dropped unrun, and their callers told by that.
        if self.shared.failed().is_none() && !waiting.is_empty() {
            let (answers, result) = self.transact(waiting);
            let result = result.map_err(|why| {
                self.shared.fail(why.clone());
                StoreError::Fatal(why)
            });
            if result.is_ok() {
                self.unsealed = true;
                *self.shared.greatest_id.lock().unwrap_or_else(PoisonError::into_inner) =
                    self.ledger.greatest_id;
                let last = self.ledger.last_event;
                self.shared.last_event.send_if_modified(|seen| std::mem::replace(seen, last) != last);
            }
            for answer in answers {
                answer(result.clone());
            }
        }
        closing
    }

    fn transact(&mut self, waiting: Vec<Run>) -> (Vec<Answer>, Result<(), String>) {
        let mut answers = Vec::with_capacity(waiting.len());
        let result = (|| {
            let guard = self.shared.database.read().unwrap_or_else(PoisonError::into_inner);
            let database = guard.as_ref().ok_or("the file is closed")?;
            let mut transaction = database.begin_write().map_err(|error| error.to_string())?;
            transaction.set_durability(Durability::Immediate).map_err(|error| error.to_string())?;
            let quick = self.options.quick_repair.applies();
            transaction.set_quick_repair(quick);
            {
                let mut batch = Batch::new(Tables::new(&transaction), &mut self.ledger);
                for run in waiting {
                    let ran = run(&mut batch);
                    answers.push(ran.answer);
                    if let Some(why) = ran.broken {
                        return Err(why);
                    }
                }
                let Batch { mut tables, ledger, .. } = batch;
                ledger.counters.flush(&mut tables).map_err(|stop| stop.to_string())?;
            }
            transaction.commit().map_err(|error| error.to_string())?;
            self.shared.commits.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })();
        (answers, result)
    }

    /// Commits nothing but redb's own table of free pages, so that a kill from now on opens at once.
    fn seal(&mut self) {
        if !std::mem::take(&mut self.unsealed) || self.shared.failed().is_some() {
            return;
        }
        let sealed = (|| {
            let guard = self.shared.database.read().unwrap_or_else(PoisonError::into_inner);
            let Some(database) = guard.as_ref() else { return Ok(()) };
            let mut transaction = database.begin_write().map_err(|error| error.to_string())?;
            transaction.set_quick_repair(true);
            transaction.commit().map_err(|error| error.to_string())
        })();
        if let Err(why) = sealed {
            self.shared.fail(why);
        }
    }
}
