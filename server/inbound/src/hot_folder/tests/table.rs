//! The table of what writers, shares and people do to a hot folder, and what becomes of it.
//!
//! | what happens | what becomes of it | test |
//! |---|---|---|
//! | a writer pauses for longer than the settle time | waits until its end mark is there; one document | `awkward::a_scanner_that_pauses_between_pages` |
//! | a writer appends pages to a file that was whole | what was whole is an intake, what it has become is another; nothing is half | [`pages_are_appended_to_a_whole_file`], `crashes::a_writer_that_goes_on_after_the_acceptance` |
//! | copied under a name for unfinished files, then renamed | waits under the first name, is taken under the second | `awkward::what_is_not_ready_waits_with_its_reason` |
//! | renamed over a name that is there | what is there now has to settle; it alone is taken | `awkward::a_file_that_is_replaced_has_to_settle_again` |
//! | deleted before it is claimed | nothing | [`deleted_at_every_moment`] |
//! | deleted after it was claimed | nothing, with a warning | [`deleted_at_every_moment`] |
//! | deleted while it is read | taken whole: an open file stays as it is | [`deleted_at_every_moment`] |
//! | the same name again within a second | another intake | `awkward::the_same_name_used_again_at_once_is_another_intake` |
//! | locked | waits, and says so | `awkward::what_is_not_ready_waits_with_its_reason` |
//! | 0 bytes, half, zeros, too large | waits, and says so | the same |
//! | symbolic link, FIFO, socket | waits, and says so; never followed | the same |
//! | a folder named `x.pdf` | is a folder, looked into | the same |
//! | no permission | waits, and says so | [`without_permission_it_waits`] |
//! | not UTF-8, 255 bytes, dot or space at the end, other case, NFC and NFD | each its own intake under its own name | `awkward::every_name_becomes_its_own_intake` |
//! | the folder goes and comes back | not made anew; files settle again and are taken | `the_folder_goes_and_comes_back`, [`a_folder_that_comes_back_is_watched_again`] |
//! | events are lost | everything is looked through | [`lost_events_cost_nothing`], `events::an_overflow_wakes_and_is_counted` |
//! | no events come at all | found by the look that comes anyway | `it_runs_and_stops` |
//! | many at once | all are taken, one after the other | `many_files_are_taken_in_one_go`, `bulk` |

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use postroom_domain::Fut;
use postroom_domain::dms::Content;
use postroom_domain::spool::{Draft, Spool, SpoolError};
use rustix::thread::{Uid, set_thread_res_uid};

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n";

#[tokio::test]
async fn pages_are_appended_to_a_whole_file() {
    let world = World::new();
    let mut file = File::create(world.path("scan.pdf")).unwrap();
    file.write_all(PDF).unwrap();
    world.settle().await;
    // The scanner adds a page to what it takes to be its own file still.
    file.write_all(PDF).unwrap();
    drop(file);
    world.dismiss_all().await;
    world.settle().await;
    world.settle().await;
    let got: Vec<usize> = world.taken_in().await.into_iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(got, [PDF.len(), 2 * PDF.len()]);
    world.dismiss_all().await;
    world.scan().await;
    assert_eq!(world.files(), Vec::<String>::new());
}

/// A spool in front of which the file that is being read is taken away.
struct Snatched {
    spool: FileSpool,
    hot: PathBuf,
    gone: Mutex<Vec<PathBuf>>,
}

impl Spool for Snatched {
    fn door(&self, size: u64) -> Result<(), SpoolError> {
        self.spool.door(size)
    }

    fn draft(&self) -> Fut<'_, Result<Box<dyn Draft>, SpoolError>> {
        let mut folders = vec![self.hot.join(".postroom/taken")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    fs::remove_file(entry.path()).unwrap();
                    self.gone.lock().unwrap().push(entry.path());
                }
            }
        }
        self.spool.draft()
    }

    fn content(&self, blob: Blob) -> Fut<'_, Result<Arc<dyn Content>, SpoolError>> {
        self.spool.content(blob)
    }

    fn old_content(
        &self,
        grace: Duration,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Fut<'_, Result<Vec<Blob>, SpoolError>> {
        self.spool.old_content(grace, after, limit)
    }

    fn remove(&self, blob: Blob, grace: Duration) -> Fut<'_, Result<bool, SpoolError>> {
        self.spool.remove(blob, grace)
    }

    fn failed(&self) -> Option<String> {
        self.spool.failed()
    }
}

#[tokio::test]
async fn deleted_at_every_moment() {
    // Before the claim.
    let mut world = World::new();
    world.put("a.txt", b"gone before");
    world.scan().await;
    fs::remove_file(world.path("a.txt")).unwrap();
    world.settle().await;
    assert_eq!((world.taken_in().await, world.folder.status().waiting_count), (Vec::new(), 0));

    // Between the claim and the reading.
    world.put("b.txt", b"gone in between");
    world.scan().await;
    let mark = FileMark::of(&fs::metadata(world.path("b.txt")).unwrap());
    let (name, claim) = world.folder.taker.claim(Path::new("b.txt"), mark).await.unwrap();
    fs::remove_file(world.path(".postroom/taken").join(&name).join("b.txt")).unwrap();
    assert!(matches!(world.folder.taker.take(&name, &claim).await, take::Outcome::Gone));
    assert_eq!(world.taken_in().await, []);
    world.restart();
    world.settle().await;
    assert_eq!(world.files(), Vec::<String>::new());

    // While it is read.
    let spool = Arc::new(Snatched {
        spool: world.spool.clone(),
        hot: world.hot.path().to_owned(),
        gone: Mutex::default(),
    });
    world.folder = HotFolder::new(options(world.hot.path()), world.reception.clone(), spool.clone());
    world.put("c.txt", b"Dear Madam");
    world.settle().await;
    assert_eq!(spool.gone.lock().unwrap().len(), 1);
    assert_eq!(world.taken_in().await, [("c.txt".to_owned(), b"Dear Madam".to_vec())]);
    world.dismiss_all().await;
    world.scan().await;
    assert_eq!(world.files(), Vec::<String>::new());
}

/// Permissions mean nothing to root, so that the thread that claims is nobody's where the tests run as root.
#[tokio::test]
async fn without_permission_it_waits() {
    let world = World::new();
    world.put("closed.pdf", PDF);
    world.put("open.pdf", PDF);
    world.scan().await;
    fs::set_permissions(world.path("closed.pdf"), Permissions::from_mode(0o000)).unwrap();
    for folder in ["", ".postroom", ".postroom/taken"] {
        fs::set_permissions(world.path(folder), Permissions::from_mode(0o777)).unwrap();
    }
    let claims = world.folder.taker.claims.clone();
    let mark = |name: &str| FileMark::of(&fs::metadata(world.path(name)).unwrap());
    let marks = [mark("closed.pdf"), mark("open.pdf")];
    let claimed = std::thread::spawn(move || {
        let nobody = Uid::from_raw(65_534);
        if rustix::process::geteuid().is_root() {
            set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        [
            claims.claim(Path::new("closed.pdf"), marks[0], "claim-1"),
            claims.claim(Path::new("open.pdf"), marks[1], "claim-2"),
        ]
    });
    let [closed, open] = claimed.join().unwrap();
    let reason = closed.unwrap_err().to_string();
    assert!(reason.contains("it cannot be taken: Permission denied"), "{reason}");
    assert_eq!(open, Ok(()), "its neighbour goes on");
    assert!(world.path("closed.pdf").exists());
}

/// A folder that runs, is told of changes, and looks by itself once in an hour only.
fn told(world: &World) -> HotFolderHandle {
    let options = HotFolderOptions {
        settle: Duration::ZERO,
        poll: Duration::from_hours(1),
        events: true,
        ..options(world.hot.path())
    };
    HotFolder::new(options, world.reception.clone(), Arc::new(world.spool.clone())).start()
}

/// Waits until so many intakes are there.
async fn wait_for(world: &World, count: usize) {
    let mut seen = 0;
    while world.intakes().await.len() < count {
        seen = world.store.wait_beyond(seen, Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn what_is_told_is_looked_at_at_once() {
    let world = World::new();
    let handle = told(&world);
    // Into the folder, a new folder in it, and by a rename from elsewhere.
    world.put("a.txt", b"one");
    wait_for(&world, 1).await;
    world.put("M-1/b.txt", b"two");
    wait_for(&world, 2).await;
    let outside = tempfile::tempdir_in(world.hot.path().parent().unwrap()).unwrap();
    fs::write(outside.path().join("c.txt"), b"three").unwrap();
    fs::rename(outside.path().join("c.txt"), world.path("M-1/c.txt")).unwrap();
    wait_for(&world, 3).await;
    assert_eq!(handle.status().unwatched, None);
    handle.stop().await;
}

#[tokio::test]
async fn a_folder_that_comes_back_is_watched_again() {
    let world = World::new();
    let options = HotFolderOptions { events: true, ..options(world.hot.path()) };
    let folder = HotFolder::new(options, world.reception.clone(), Arc::new(world.spool.clone()));
    let stop = CancellationToken::new();
    let watched = || async { folder.memory.lock().await.events.as_ref().unwrap().watched() };
    folder.scan(&stop).await;
    assert_eq!(watched().await, 1);
    let away = world.hot.path().with_extension("away");
    fs::rename(world.hot.path(), &away).unwrap();
    folder.scan(&stop).await;
    assert_eq!(watched().await, 0);
    fs::rename(&away, world.hot.path()).unwrap();
    folder.scan(&stop).await;
    assert_eq!(watched().await, 1);
    world.put("a.txt", b"one");
    folder.told.something().await;
}

/// Nothing is told of a file, and then that something was lost: it is found.
#[tokio::test]
async fn lost_events_cost_nothing() {
    let world = World::new();
    let options = HotFolderOptions {
        settle: Duration::ZERO,
        poll: Duration::from_hours(1),
        ..options(world.hot.path())
    };
    let folder = HotFolder::new(options, world.reception.clone(), Arc::new(world.spool.clone()));
    let told = folder.told.clone();
    let handle = folder.start();
    world.put("a.txt", b"one");
    told.overflow();
    wait_for(&world, 1).await;
    handle.stop().await;
}
