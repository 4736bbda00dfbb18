//! A disk that writes down what it is asked and fails on demand: nothing that was acknowledged may be missing afterwards.

use std::fs::File;
use std::sync::Mutex;

use super::super::CHUNK;
use super::super::disk::Disk;
use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Create,
    Write,
    Flush,
    Rename,
    FlushFolder,
    Remove,
}

/// What the disk is told to fail with, and when.
#[derive(Default)]
struct Orders {
    done: Vec<Op>,
    /// The number of the operation that fails, and the system's error number.
    fail: Option<(usize, i32)>,
}

#[derive(Clone, Default)]
struct FaultyDisk(Arc<Mutex<Orders>>);

impl FaultyDisk {
    fn failing(at: usize, errno: i32) -> Self {
        Self(Arc::new(Mutex::new(Orders { done: Vec::new(), fail: Some((at, errno)) })))
    }

    fn done(&self) -> Vec<Op> {
        self.0.lock().unwrap().done.clone()
    }

    fn ask(&self, op: Op) -> io::Result<()> {
        let mut orders = self.0.lock().unwrap();
        orders.done.push(op);
        match orders.fail {
            Some((at, errno)) if orders.done.len() == at => Err(io::Error::from_raw_os_error(errno)),
            _ => Ok(()),
        }
    }
}

struct Plain;
impl Disk for Plain {}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.ask(Op::Create)?;
        Plain.create(path)
    }
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.ask(Op::Write) {
            // The worst kind: half of it is there.
            Plain.write(file, &bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        Plain.write(file, bytes)
    }
    fn flush(&self, file: &File) -> io::Result<()> {
        self.ask(Op::Flush)?;
        Plain.flush(file)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Op::Rename)?;
        Plain.rename(from, to)
    }
    fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        self.ask(Op::FlushFolder)?;
        Plain.flush_folder(folder)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(Op::Remove)?;
        Plain.remove(path)
    }
}

fn on(disk: &FaultyDisk, data: &Path) -> FileSpool {
    FileSpool::on(Box::new(disk.clone()), data, &options(), clock_of_the_disk(data), None).unwrap()
}

const EIO: i32 = 5;
const EMFILE: i32 = 24;
const EFBIG: i32 = 27;
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

#[tokio::test]
async fn bytes_are_flushed_before_the_name_and_the_folder_before_the_answer() {
    use Op::{Create, Flush, FlushFolder, Rename, Write};
    let cases: [(usize, &[Op]); 4] = [
        (0, &[Create, Write, Flush, Rename, FlushFolder]),
        (50 * 1024, &[Create, Write, Flush, Rename, FlushFolder]),
        (CHUNK, &[Create, Write, Flush, Rename, FlushFolder]),
        (2 * CHUNK + 1, &[Create, Write, Write, Write, Flush, Rename, FlushFolder]),
    ];
    for (length, wanted) in cases {
        let data = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::default();
        put(&on(&disk, data.path()), &noise(1, length), 10_000).await.unwrap();
        assert_eq!(disk.done(), wanted, "{length} bytes");
    }
}

/// Fails the Nth operation, for every N until a run is clean: everything acknowledged is there after a start, and nothing else.
#[tokio::test]
async fn whichever_operation_fails_what_was_acknowledged_is_there() {
    let documents: Vec<Vec<u8>> = [0, 50_000, 2 * CHUNK + 9, 50_000]
        .into_iter()
        .zip(1..)
        .map(|(length, seed)| noise(seed, length))
        .collect();
    let mut at = 0;
    loop {
        at += 1;
        let data = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::failing(at, EIO);
        let spool = on(&disk, data.path());
        let mut acknowledged = Vec::new();
        let mut refused = 0;
        for bytes in &documents {
            match put(&spool, bytes, CHUNK).await {
                Ok(blob) => {
                    assert_eq!(refused, 0, "operation {at}: taken in after the disk had failed");
                    acknowledged.push((blob, bytes));
                }
                Err(SpoolError::Disk(text)) => {
                    refused += 1;
                    assert_eq!(spool.failed(), Some(text), "operation {at}");
                    assert!(spool.door(0).is_err(), "operation {at}");
                }
                Err(other) => panic!("operation {at}: {other}"),
            }
        }
        // After the failure, removing the draft is all that is asked of the disk.
        let after: Vec<Op> = disk.done().into_iter().skip(at).filter(|op| *op != Op::Remove).collect();
        assert!(refused == 0 || after.is_empty(), "operation {at}: {after:?}");
        drop(spool);

        let spool = FileSpool::open(data.path(), &options(), clock_of_the_disk(data.path())).unwrap();
        for (blob, bytes) in &acknowledged {
            assert_eq!(&read_back(&spool, *blob).await, *bytes, "operation {at}");
        }
        assert_eq!(spool.failed(), None);
        // A folder flush that failed leaves a name that nobody was told of.
        let files = files_below(&data.path().join("spool"));
        assert!(files.len() <= acknowledged.len() + 1, "operation {at}: {files:?}");
        if refused == 0 {
            assert_eq!(at, 5 + 5 + 7 + 5 + 1, "one more than there are operations");
            return;
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_the_document_and_the_next_one_goes_through() {
    // Operation 1 creates, 2 writes, 3 flushes, 4 renames, 5 flushes the folder. Whether the answer is "no room", and whether
    // that is the end.
    let cases = [
        (1, ENOSPC, true, false),
        (1, EMFILE, false, false),
        (2, ENOSPC, true, false),
        (2, EDQUOT, true, false),
        (2, EFBIG, true, false),
        (4, ENOSPC, true, false),
        // The folder could not be opened to be flushed: its next flush makes up for it.
        (5, EMFILE, false, false),
        // The flush is where a promise could break: whatever it says, that is the end.
        (3, ENOSPC, false, true),
        (2, EIO, false, true),
        (5, EIO, false, true),
    ];
    for (at, errno, no_room, latched) in cases {
        let data = tempfile::tempdir().unwrap();
        let spool = on(&FaultyDisk::failing(at, errno), data.path());
        let answer = put(&spool, b"letter", 10).await.unwrap_err();
        assert_eq!(
            matches!(answer, SpoolError::NoRoom { .. }),
            no_room,
            "operation {at}, error {errno}: {answer}"
        );
        assert_eq!(
            matches!(answer, SpoolError::Disk(_)),
            !no_room,
            "operation {at}, error {errno}: {answer}"
        );
        assert_eq!(spool.failed().is_some(), latched, "operation {at}, error {errno}");
        // A name that nobody was told of is left to the sweep.
        if !latched && at < 5 {
            assert_eq!(
                files_below(&data.path().join("spool")),
                Vec::<String>::new(),
                "operation {at}, error {errno}"
            );
        }
        assert_eq!(put(&spool, b"letter", 10).await.is_ok(), !latched, "operation {at}, error {errno}");
    }
}

#[tokio::test]
async fn a_draft_is_not_sealed_after_one_of_its_writes_failed() {
    let data = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::failing(3, ENOSPC);
    let spool = on(&disk, data.path());
    let mut draft = spool.draft().await.unwrap();
    draft.write(noise(1, CHUNK + 1).into()).await.unwrap();
    assert!(matches!(draft.write(noise(2, CHUNK).into()).await, Err(SpoolError::NoRoom { .. })));
    assert!(matches!(draft.write(noise(3, 1).into()).await, Err(SpoolError::Disk(_))));
    assert!(matches!(draft.seal().await, Err(SpoolError::Disk(_))));
    assert_eq!(spool.failed(), None);
    assert_eq!(files_below(&data.path().join("spool")), Vec::<String>::new());
}

/// Many at once on a disk that fails in the middle: acknowledged means there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_seals_around_a_failure() {
    for at in [7, 60, 111, 250] {
        let data = tempfile::tempdir().unwrap();
        let spool = on(&FaultyDisk::failing(at, EIO), data.path());
        let jobs: Vec<_> = (0..64)
            .map(|seed| {
                let spool = spool.clone();
                tokio::spawn(async move { put(&spool, &noise(seed, 3_000), 3_000).await })
            })
            .collect();
        let mut acknowledged = Vec::new();
        for job in jobs {
            acknowledged.extend(job.await.unwrap());
        }
        assert!(spool.failed().is_some() && acknowledged.len() < 64, "operation {at}");
        drop(spool);
        let spool = FileSpool::open(data.path(), &options(), clock_of_the_disk(data.path())).unwrap();
        for blob in acknowledged {
            assert_eq!(hash_of(&read_back(&spool, blob).await), blob.hash, "operation {at}");
        }
    }
}
