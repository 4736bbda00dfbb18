//! What everything is measured against: the same bytes, written and flushed to plain files with the same concurrency, nothing else.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The size of a document in the benches of the door.
pub(crate) const DOCUMENT: usize = 50 << 10;

/// Writes files for some time; how many, and how long each took.
pub(crate) fn write(folder: &Path, writers: usize, time: Duration) -> (u64, Vec<Duration>) {
    std::fs::create_dir_all(folder).expect("a folder for plain files");
    let count = AtomicU64::new(0);
    let end = Instant::now() + time;
    let times = std::thread::scope(|scope| {
        let writer = |number: usize| {
            let count = &count;
            move || {
                let mut bytes = vec![b'x'; DOCUMENT];
                let mut times = Vec::new();
                while Instant::now() < end {
                    let name = format!("{number}-{}", count.fetch_add(1, Ordering::Relaxed));
                    bytes[..8].copy_from_slice(&times.len().to_le_bytes());
                    let begin = Instant::now();
                    let mut file = File::create(folder.join(name)).expect("a plain file");
                    file.write_all(&bytes).expect("bytes into a plain file");
                    file.sync_all().expect("a flush of a plain file");
                    times.push(begin.elapsed());
                }
                times
            }
        };
        let writers: Vec<_> = (0..writers).map(|number| scope.spawn(writer(number))).collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect::<Vec<_>>()
    });
    // They stay until the bench's folder goes: ext4 is slow to make files right after many were removed.
    (count.into_inner(), times)
}
