//! What the file system tells of changes makes the next look come sooner. Nothing relies on it: network shares tell nothing, queues of
//! events overflow, and there are only so many watches; whatever is not told is found by the look that comes anyway.
//!
//! Each folder is watched by itself and not with all that is below it: what lies below ours are claims, a hundred thousand of them on a
//! bad day.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How many folders are watched. Others are looked through as often as if nothing told of them.
const MOST_WATCHED: usize = 512;
/// How long it must be quiet before what was told is looked at, and for how long it may go on.
const QUIET: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_millis(400);

/// Waits for what the file system tells; shared with the watcher's thread.
#[derive(Default)]
pub(super) struct Told {
    woken: Notify,
    folders: Mutex<Folders>,
}

#[derive(Default)]
struct Folders {
    watched: BTreeSet<PathBuf>,
    /// Watched folders of which it was told that they went: what has their name now is another one.
    gone: BTreeSet<PathBuf>,
    /// How often events were lost.
    lost: u64,
}

impl Told {
    fn folders(&self) -> std::sync::MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when something was told and it has been quiet since.
    pub(super) async fn something(&self) {
        self.woken.notified().await;
        let again = async { while timeout(QUIET, self.woken.notified()).await.is_ok() {} };
        // A folder in which something always happens is looked at all the same.
        let _ = timeout(LONGEST, again).await;
    }

    /// How often the file system had more to tell than it could keep.
    pub(super) fn lost(&self) -> u64 {
        self.folders().lost
    }

    #[cfg(test)]
    pub(super) fn overflow(&self) {
        self.take(&Ok(Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan)));
    }

    /// Takes an event, on the watcher's thread.
    fn take(&self, event: &notify::Result<Event>) {
        let worth_a_look = match event {
            Ok(event) => {
                self.went(event);
                event.need_rescan() || worth_a_look(event.kind)
            }
            Err(_) => true,
        };
        if worth_a_look {
            self.woken.notify_one();
        }
    }

    fn went(&self, event: &Event) {
        let mut folders = self.folders();
        folders.lost += u64::from(event.need_rescan());
        if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
            for path in &event.paths {
                if folders.watched.contains(path) {
                    folders.gone.insert(path.clone());
                }
            }
        }
    }
}

/// Whether there may be something new to take. That files are opened and go is mostly our own doing.
fn worth_a_look(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => matches!(kind, AccessKind::Close(AccessMode::Write)),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => false,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => true,
    }
}

/// The watches of one hot folder.
pub(super) struct Events {
    hot: PathBuf,
    /// Whether anything is watched at all.
    wanted: bool,
    told: Arc<Told>,
    watcher: Option<RecommendedWatcher>,
    /// The folder that is watched, by device and inode: another one may have been put in its place.
    root: Option<(u64, u64)>,
    trouble: Option<String>,
}

impl Events {
    pub(super) fn new(hot: &Path, wanted: bool) -> Self {
        Self { hot: hot.to_owned(), wanted, told: Arc::default(), watcher: None, root: None, trouble: None }
    }

    /// Where to wait.
    pub(super) fn told(&self) -> Arc<Told> {
        self.told.clone()
    }

    /// Why not everything is told, in words.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How many folders are watched.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.told.folders().watched.len()
    }

    /// Ends all watches: the folder is not there, or is another one.
    pub(super) fn end(&mut self) {
        self.watcher = None;
        self.root = None;
        let mut folders = self.told.folders();
        folders.watched.clear();
        folders.gone.clear();
    }

    /// Watches these folders, given by their paths below the hot folder, and no others. Blocks.
    pub(super) fn follow(&mut self, root: (u64, u64), folders: &[PathBuf]) {
        if !self.wanted {
            return;
        }
        if self.root != Some(root) {
            self.end();
            self.root = Some(root);
        }
        self.trouble = self.watch(folders).err().map(|error| error.to_string());
    }

    fn watch(&mut self, folders: &[PathBuf]) -> notify::Result<()> {
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            None => {
                let told = self.told.clone();
                self.watcher.insert(notify::recommended_watcher(move |event| told.take(&event))?)
            }
        };
        let all = std::iter::once(Path::new("")).chain(folders.iter().map(PathBuf::as_path));
        let wanted: BTreeSet<PathBuf> = all
            .take(MOST_WATCHED)
            .map(
                |folder| if folder.as_os_str().is_empty() { self.hot.clone() } else { self.hot.join(folder) },
            )
            .collect();
        let (over, new): (Vec<PathBuf>, Vec<PathBuf>) = {
            let mut state = self.told.folders();
            let gone = std::mem::take(&mut state.gone);
            let over = state.watched.iter().filter(|it| !wanted.contains(*it) || gone.contains(*it));
            let over: Vec<PathBuf> = over.cloned().collect();
            for folder in &over {
                state.watched.remove(folder);
            }
            (over, wanted.difference(&state.watched).cloned().collect())
        };
        for folder in over {
            // It may be gone with its folder.
            let _ = watcher.unwatch(&folder);
        }
        let mut trouble = Ok(());
        for folder in new {
            // Noted before: what happens between the two is told of a folder that is known.
            self.told.folders().watched.insert(folder.clone());
            if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
                self.told.folders().watched.remove(&folder);
                // A folder may go between the look and this.
                if !matches!(error.kind, notify::ErrorKind::PathNotFound) {
                    trouble = Err(error);
                }
            }
        }
        trouble
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, MetadataKind, RemoveKind};

    use super::*;

    #[test]
    fn which_events_are_worth_a_look() {
        let cases = [
            (EventKind::Create(CreateKind::File), true),
            (EventKind::Create(CreateKind::Folder), true),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), true),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), true),
            (EventKind::Modify(ModifyKind::Name(RenameMode::To)), true),
            (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), true),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), true),
            (EventKind::Other, true),
            // What we do ourselves.
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), false),
            (EventKind::Access(AccessKind::Close(AccessMode::Read)), false),
            (EventKind::Modify(ModifyKind::Name(RenameMode::From)), false),
            (EventKind::Remove(RemoveKind::File), false),
        ];
        for (kind, wanted) in cases {
            assert_eq!(worth_a_look(kind), wanted, "{kind:?}");
        }
    }

    /// The kernel's queue is full: nobody knows what was not told, so everything is looked at.
    #[tokio::test]
    async fn an_overflow_wakes_and_is_counted() {
        let told = Told::default();
        told.overflow();
        told.something().await;
        assert_eq!(told.lost(), 1);
        told.take(&Err(notify::Error::generic("the watcher broke")));
        told.something().await;
        assert_eq!(told.lost(), 1);
    }

    #[tokio::test]
    async fn folders_are_watched_that_are_there_and_no_others() {
        let hot = tempfile::tempdir().unwrap();
        let mut events = Events::new(hot.path(), true);
        let told = events.told();
        let watched = || told.folders().watched.len();
        std::fs::create_dir(hot.path().join("a")).unwrap();
        events.follow((1, 1), &[PathBuf::from("a"), PathBuf::from("not there")]);
        assert_eq!((watched(), events.trouble()), (2, None));
        std::fs::write(hot.path().join("a/x"), b"x").unwrap();
        told.something().await;
        // It goes and comes back under the same name between two looks: it is watched anew.
        std::fs::remove_dir_all(hot.path().join("a")).unwrap();
        std::fs::create_dir(hot.path().join("a")).unwrap();
        told.something().await;
        events.follow((1, 1), &[PathBuf::from("a")]);
        std::fs::write(hot.path().join("a/y"), b"y").unwrap();
        told.something().await;
        events.follow((1, 1), &[]);
        assert_eq!(watched(), 1);
        let many: Vec<PathBuf> = (0..MOST_WATCHED).map(|number| PathBuf::from(number.to_string())).collect();
        for folder in &many {
            std::fs::create_dir(hot.path().join(folder)).unwrap();
        }
        events.follow((1, 1), &many);
        assert_eq!(watched(), MOST_WATCHED);
        events.end();
        assert_eq!(watched(), 0);
        let mut unwanted = Events::new(hot.path(), false);
        unwanted.follow((1, 1), &[]);
        assert!(unwanted.watcher.is_none());
    }
}
