//! The spool on a real disk, on one that fails, and beside a sweep.

mod bytes;
mod faults;
mod folders;
mod sealing;
mod sweeping;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::bytes::Bytes;
use futures_util::TryStreamExt;
use postroom_domain::dms::Content;
use postroom_domain::ids::BlobHash;
use postroom_domain::spool::{Blob, Spool, SpoolError};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Entropy;

use super::shelves::place_in;
use super::{FileSpool, SpoolOptions};

/// A spool in a folder of its own, with a clock by hand.
struct Bench {
    data: tempfile::TempDir,
    clock: Arc<ManualClock>,
    spool: FileSpool,
}

/// No reserve: the machine that runs the tests may be full.
fn options() -> SpoolOptions {
    SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() }
}

/// The clock stands at the time of day that the file system writes into its files.
fn clock_of_the_disk(data: &Path) -> Arc<ManualClock> {
    let modified = std::fs::metadata(data).unwrap().modified().unwrap();
    Arc::new(ManualClock::at(&jiff::Timestamp::try_from(modified).unwrap().to_string()))
}

impl Bench {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = clock_of_the_disk(data.path());
        let spool = FileSpool::open(data.path(), &options(), clock.clone()).unwrap();
        Self { data, clock, spool }
    }

    fn path(&self, hash: BlobHash) -> PathBuf {
        place_in(&self.data.path().join("spool"), hash)
    }

    /// Every file of the spool but the lock, below its root.
    fn files(&self) -> Vec<String> {
        files_below(&self.data.path().join("spool"))
    }
}

fn files_below(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() != "lock" {
                found.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SeededEntropy::new(seed).fill(&mut bytes);
    bytes
}

fn hash_of(bytes: &[u8]) -> BlobHash {
    BlobHash::new(*blake3::hash(bytes).as_bytes())
}

/// Takes bytes in, in pieces.
async fn put(spool: &FileSpool, bytes: &[u8], piece: usize) -> Result<Blob, SpoolError> {
    let mut draft = spool.draft().await?;
    for piece in bytes.chunks(piece) {
        draft.write(Bytes::copy_from_slice(piece)).await?;
    }
    assert_eq!(draft.size(), bytes.len() as u64);
    draft.seal().await
}

/// Reads content to its end: what came, and how it ended.
async fn read(content: &dyn Content) -> (Vec<u8>, io::Result<()>) {
    let mut stream = match content.open().await {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut got = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(chunk)) => {
                assert!(chunk.len() <= super::CHUNK);
                got.extend_from_slice(&chunk);
            }
            Ok(None) => return (got, Ok(())),
            Err(error) => {
                assert!(stream.try_next().await.unwrap().is_none(), "an error is the end");
                return (got, Err(error));
            }
        }
    }
}

async fn read_back(spool: &FileSpool, blob: Blob) -> Vec<u8> {
    let content = spool.content(blob).await.unwrap();
    assert_eq!((content.size(), content.hash()), (blob.size, blob.hash));
    let (bytes, end) = read(content.as_ref()).await;
    end.unwrap();
    bytes
}
