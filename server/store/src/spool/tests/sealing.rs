//! The spool with sealed content: a toy that seals like the real one, with keys that come and go.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use postroom_domain::sealing::{ContentSeals, Reseal, Resealed, SealError, SegmentOpen, SegmentSeal};

use super::super::CHUNK;
use super::super::disk::Disk;
use super::super::form::Measures;
use super::*;

const HEADER: usize = 24;
/// No part of a chunk fits it evenly.
const SEGMENT: usize = 5_000;
const TAG: usize = 16;

/// Seals with a keystream and a keyed hash. Every file has a key of its own, and the number of each segment is bound to it.
struct Toy {
    keys: Mutex<(u32, BTreeSet<u32>)>,
    files: AtomicU64,
}

impl Toy {
    fn new() -> Arc<Self> {
        Arc::new(Self { keys: Mutex::new((1, BTreeSet::from([1]))), files: AtomicU64::new(0) })
    }

    fn next_key(&self) -> u32 {
        let mut keys = self.keys.lock().unwrap();
        keys.0 += 1;
        let number = keys.0;
        keys.1.insert(number);
        number
    }

    fn forget(&self, number: u32) {
        self.keys.lock().unwrap().1.remove(&number);
    }

    fn header(number: u32, file: u64) -> Vec<u8> {
        [b"TOYTOYTOYTOY".as_slice(), &number.to_be_bytes(), &file.to_be_bytes()].concat()
    }
}

/// One file being sealed or opened.
struct ToyFile {
    key: [u8; 32],
    next: u64,
    ended: bool,
}

impl ToyFile {
    fn new(header: &[u8]) -> Self {
        Self { key: *blake3::hash(header).as_bytes(), next: 0, ended: false }
    }

    /// The keystream of the next segment, and its tag over the plain bytes.
    fn step(&mut self, plain: Option<&[u8]>, length: usize, last: bool) -> (Vec<u8>, Vec<u8>) {
        let place = [self.next.to_be_bytes().as_slice(), &[u8::from(last)]].concat();
        let mut stream = vec![0; length];
        blake3::Hasher::new_keyed(&self.key).update(&place).finalize_xof().fill(&mut stream);
        let tag = plain.map_or_else(Vec::new, |plain| {
            let tag =
                blake3::Hasher::new_keyed(&self.key).update(b"tag").update(&place).update(plain).finalize();
            tag.as_bytes()[..TAG].to_vec()
        });
        (stream, tag)
    }
}

impl SegmentSeal for ToyFile {
    fn seal(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), SealError> {
        assert!(!self.ended && (last || segment.len() == SEGMENT) && segment.len() <= SEGMENT);
        let (stream, tag) = self.step(Some(segment), segment.len(), last);
        segment.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
        segment.extend(tag);
        (self.next, self.ended) = (self.next + 1, last);
        Ok(())
    }
}

impl SegmentOpen for ToyFile {
    fn open(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), SealError> {
        assert!(!self.ended);
        let given = segment.split_off(segment.len().checked_sub(TAG).ok_or(SealError::DoesNotOpen)?);
        let (stream, _) = self.step(None, segment.len(), last);
        segment.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
        let (_, tag) = self.step(Some(segment), segment.len(), last);
        (self.next, self.ended) = (self.next + 1, last);
        if tag == given { Ok(()) } else { Err(SealError::DoesNotOpen) }
    }
}

impl ContentSeals for Toy {
    fn begin(&self) -> Result<(Bytes, Box<dyn SegmentSeal>), SealError> {
        let header = Self::header(self.current_key(), self.files.fetch_add(1, Ordering::Relaxed));
        let file = ToyFile::new(&header);
        Ok((header.into(), Box::new(file)))
    }
    fn open(&self, header: &[u8]) -> Result<Box<dyn SegmentOpen>, SealError> {
        let number = self.key_of(header).ok_or(SealError::DoesNotOpen)?;
        if !self.keys.lock().unwrap().1.contains(&number) {
            return Err(SealError::UnknownKey(number));
        }
        Ok(Box::new(ToyFile::new(header)))
    }
    fn key_of(&self, header: &[u8]) -> Option<u32> {
        let number = header.strip_prefix(b"TOYTOYTOYTOY")?.first_chunk::<4>()?;
        (header.len() == HEADER).then(|| u32::from_be_bytes(*number))
    }
    fn current_key(&self) -> u32 {
        self.keys.lock().unwrap().0
    }
    fn header_len(&self) -> usize {
        HEADER
    }
    fn segment_len(&self) -> usize {
        SEGMENT
    }
    fn overhead(&self) -> usize {
        TAG
    }
}

/// A bench whose spool is sealed.
struct Sealed {
    bench: Bench,
    toy: Arc<Toy>,
}

impl std::ops::Deref for Sealed {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Sealed {
    fn new() -> Self {
        let (data, toy) = (tempfile::tempdir().unwrap(), Toy::new());
        let clock = clock_of_the_disk(data.path());
        let spool = FileSpool::open_sealed(data.path(), &options(), clock.clone(), toy.clone()).unwrap();
        Self { bench: Bench { data, clock, spool }, toy }
    }

    /// Content as it was kept before it was sealed.
    fn put_plain(&self, bytes: &[u8]) -> Blob {
        let blob = Blob { hash: hash_of(bytes), size: bytes.len() as u64 };
        fs::write(self.path(blob.hash), bytes).unwrap();
        blob
    }

    fn key_of(&self, blob: Blob) -> Option<u32> {
        let file = fs::read(self.path(blob.hash)).unwrap();
        self.toy.key_of(&file[..HEADER.min(file.len())])
    }

    /// Seals everything anew, in pages.
    async fn reseal_all(&self, limit: usize) -> Result<Resealed, SpoolError> {
        let mut all = Resealed::default();
        loop {
            let page = self.spool.reseal(all.last, limit).await?;
            assert!(page.seen <= limit as u64);
            let Some(last) = page.last else { return Ok(all) };
            assert!(all.last < Some(last));
            all = Resealed {
                last: Some(last),
                seen: all.seen + page.seen,
                changed: all.changed + page.changed,
                damaged: [all.damaged, page.damaged].concat(),
            };
        }
    }
}

/// Around every edge: of segments, of chunks, and of both.
const LENGTHS: [usize; 13] = [
    0,
    1,
    SEGMENT - 1,
    SEGMENT,
    SEGMENT + 1,
    7 * SEGMENT,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    2 * CHUNK + 1,
    60 * SEGMENT,
    3 * CHUNK + 17,
];

#[test]
fn lengths_lead_back_and_forth() {
    let measures = Measures { header: HEADER, segment: SEGMENT, overhead: TAG };
    let mut before = 0;
    for plain in 0..3 * SEGMENT as u64 {
        let sealed = measures.sealed_len(plain);
        assert_eq!(measures.plain_len(sealed), Some(plain), "{plain}");
        // Lengths in between are nobody's.
        let gap = (before + 1..sealed).take(50);
        assert!(gap.into_iter().all(|length| measures.plain_len(length).is_none()), "before {plain}");
        before = sealed;
    }
    for plain in [u64::MAX / 2, u64::MAX / 2 + 1] {
        assert_eq!(measures.plain_len(measures.sealed_len(plain)), Some(plain));
    }
    for impossible in [0, HEADER as u64, HEADER as u64 + 1, (HEADER + SEGMENT + 2 * TAG) as u64] {
        assert_eq!(measures.plain_len(impossible), None, "{impossible}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_in_comes_out_and_lies_there_sealed() {
    let bench = Sealed::new();
    for (seed, length) in LENGTHS.into_iter().enumerate() {
        let bytes = noise(seed as u64 + 100, length);
        for piece in [SEGMENT + 1, 5 * CHUNK] {
            let blob = put(&bench.spool, &bytes, piece).await.unwrap();
            assert_eq!(blob, Blob { hash: hash_of(&bytes), size: length as u64 }, "{length} in {piece}");
            assert!(read_back(&bench.spool, blob).await == bytes, "{length} in {piece}");
            let file = fs::read(bench.path(blob.hash)).unwrap();
            assert_eq!(
                file.len(),
                HEADER + length + TAG * length.div_ceil(SEGMENT).max(1),
                "{length} in {piece}"
            );
            for part in bytes.chunks_exact(32).step_by(500) {
                assert!(!file.windows(32).any(|it| it == part), "{length} in {piece}: plain bytes lie there");
            }
        }
    }
    assert_eq!(bench.files().len(), LENGTHS.len(), "one file each and no draft");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_changed_never_comes_out_whole() {
    let bench = Sealed::new();
    for length in [0, 10, SEGMENT + 3, CHUNK, 2 * CHUNK + 5] {
        let bytes = noise(99, length);
        let blob = put(&bench.spool, &bytes, CHUNK).await.unwrap();
        let file = fs::read(bench.path(blob.hash)).unwrap();
        let flipped = |at: usize| {
            let mut bad = file.clone();
            bad[at] ^= 1;
            bad
        };
        let mut bad = vec![
            ("the salt", flipped(HEADER - 1)),
            ("the first mark", flipped(0)),
            ("the first segment", flipped(HEADER)),
            ("the middle", flipped(HEADER + (file.len() - HEADER) / 2)),
            ("the end", flipped(file.len() - 1)),
            ("cut", file[..file.len() - 1].to_vec()),
            (
                "cut at a segment's end",
                file[..file.len().min(HEADER + SEGMENT + TAG) - usize::from(length < SEGMENT)].to_vec(),
            ),
            ("longer", [file.as_slice(), b"x"].concat()),
            ("nothing", Vec::new()),
        ];
        if length > 2 * SEGMENT {
            let mut swapped = file.clone();
            let (one, two) = (HEADER, HEADER + SEGMENT + TAG);
            swapped[one..two].copy_from_slice(&file[two..two + SEGMENT + TAG]);
            swapped[two..two + SEGMENT + TAG].copy_from_slice(&file[one..two]);
            bad.push(("two segments swapped", swapped));
        }
        for (what, bad) in bad {
            if length == 0 && what == "nothing" {
                continue; // That is the plain form of content without bytes.
            }
            fs::write(bench.path(blob.hash), &bad).unwrap();
            match bench.spool.content(blob).await {
                Err(error) => assert_eq!(error, SpoolError::Damaged(blob.hash), "{what} of {length}"),
                Ok(content) => {
                    let (got, end) = read(content.as_ref()).await;
                    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData, "{what} of {length}");
                    assert!(got.len() < length && bytes.starts_with(&got), "{what} of {length}");
                }
            }
        }
        // Taking the same document in again mends it.
        assert_eq!(put(&bench.spool, &bytes, CHUNK).await.unwrap(), blob);
        assert!(read_back(&bench.spool, blob).await == bytes);
    }
}

#[tokio::test]
async fn a_missing_key_is_told_and_is_no_damage() {
    let bench = Sealed::new();
    let small = put(&bench.spool, b"letter", 6).await.unwrap();
    let large = put(&bench.spool, &noise(1, 2 * CHUNK), CHUNK).await.unwrap();
    bench.toy.next_key();
    bench.toy.forget(1);
    let Err(SpoolError::Disk(text)) = bench.spool.content(small).await else { panic!() };
    assert!(text.contains("data key 1, which the keyring does not hold"), "{text}");
    let content = bench.spool.content(large).await.unwrap();
    let (got, end) = read(content.as_ref()).await;
    let end = end.unwrap_err();
    assert!(got.is_empty() && end.to_string().contains("data key 1"), "{end}");
    assert_eq!(bench.spool.failed(), None, "nothing is wrong with the disk");
    // It keeps no key from going that is still there.
    let done = bench.reseal_all(10).await.unwrap();
    assert_eq!((done.seen, done.changed, done.damaged), (2, 0, vec![]));
}

#[tokio::test]
async fn content_from_before_is_read_and_sizes_stay_plain() {
    let bench = Sealed::new();
    let mut blobs = Vec::new();
    for (seed, length) in LENGTHS.into_iter().enumerate() {
        let plain = noise(seed as u64, length);
        let blob = bench.put_plain(&plain);
        assert!(read_back(&bench.spool, blob).await == plain, "{length}");
        blobs.push(blob);
        blobs.push(put(&bench.spool, &noise(seed as u64 + 500, length + 1), CHUNK).await.unwrap());
    }
    blobs.sort_by_key(|blob| blob.hash);
    bench.clock.advance(Duration::from_hours(1));
    assert_eq!(bench.spool.old_content(Duration::ZERO, None, 1_000).await.unwrap(), blobs);

    // A spool without seals takes what is sealed for damaged, and never hands sealed bytes out.
    let Sealed { bench: Bench { data, clock, spool }, .. } = bench;
    drop(spool);
    let plain = FileSpool::open(data.path(), &options(), clock).unwrap();
    for blob in blobs {
        let form = fs::metadata(place_in(&data.path().join("spool"), blob.hash)).unwrap().len() == blob.size;
        match plain.content(blob).await {
            Ok(_) => assert!(form),
            Err(error) => assert!(!form && error == SpoolError::Damaged(blob.hash)),
        }
    }
    assert_eq!(plain.reseal(None, 10).await.unwrap(), Resealed::default(), "nothing to seal with");
}

/// A document may begin like a sealed file. Its size, which the row knows, tells it apart; where only the file is known, its name does.
#[tokio::test]
async fn a_document_that_looks_sealed_is_a_document() {
    let bench = Sealed::new();
    let mut disguised = Toy::header(1, 0);
    disguised.extend(noise(4, 3 * SEGMENT));
    let before = bench.put_plain(&disguised);
    assert!(read_back(&bench.spool, before).await == disguised);
    let done = bench.reseal_all(10).await.unwrap();
    assert_eq!((done.seen, done.changed), (1, 0), "it names the present key and is left alone");
    bench.toy.next_key();
    let done = bench.reseal_all(10).await.unwrap();
    assert_eq!((done.seen, done.changed, done.damaged), (1, 1, vec![]));
    assert_eq!(bench.key_of(before), Some(2));
    assert!(read_back(&bench.spool, before).await == disguised);
    assert_eq!(put(&bench.spool, &disguised, 999).await.unwrap(), before);
    assert!(read_back(&bench.spool, before).await == disguised);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_sealed_anew_in_pages_from_wherever_it_stopped() {
    for limit in [1, 4, 100] {
        let bench = Sealed::new();
        let mut documents = Vec::new();
        for (seed, length) in LENGTHS.into_iter().enumerate() {
            let bytes = noise(seed as u64, length);
            documents.push((put(&bench.spool, &bytes, CHUNK).await.unwrap(), bytes));
            let bytes = noise(seed as u64 + 900, length + 3);
            documents.push((bench.put_plain(&bytes), bytes));
        }
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(300_000);
        for (blob, _) in &documents {
            File::options().write(true).open(bench.path(blob.hash)).unwrap().set_modified(long_ago).unwrap();
        }
        assert_eq!(bench.toy.next_key(), 2);
        fs::write(bench.data.path().join("spool/ab/notes.txt"), b"not ours").unwrap();

        // Half of it, and then as after a restart: what is done is looked at again and left.
        let half = bench.spool.reseal(None, documents.len() / 2).await.unwrap();
        assert_eq!((half.seen, half.changed), (13, 13));
        let done = bench.reseal_all(limit).await.unwrap();
        assert_eq!((done.seen, done.changed, done.damaged), (26, 13, vec![]));
        assert_eq!(bench.reseal_all(limit).await.unwrap().changed, 0);

        bench.toy.forget(1);
        for (blob, bytes) in &documents {
            assert_eq!(
                (bench.key_of(*blob), hash_of(&read_back(&bench.spool, *blob).await)),
                (Some(2), hash_of(bytes))
            );
            let modified = fs::metadata(bench.path(blob.hash)).unwrap().modified().unwrap();
            assert_eq!(modified, long_ago, "a sweep sees the age that it had");
        }
        assert_eq!(bench.files().len(), documents.len() + 1, "no draft is left");
    }
}

#[tokio::test]
async fn damaged_content_is_named_and_the_rest_goes_on() {
    let bench = Sealed::new();
    let mut blobs = Vec::new();
    for seed in 0..6 {
        blobs.push(put(&bench.spool, &noise(seed, 2 * SEGMENT), CHUNK).await.unwrap());
    }
    let (hurt, plain) = (blobs[2], bench.put_plain(&noise(50, 100)));
    for blob in [hurt, plain] {
        let mut bytes = fs::read(bench.path(blob.hash)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(bench.path(blob.hash), bytes).unwrap();
    }
    bench.toy.next_key();
    for _again in 0..2 {
        let before = fs::read(bench.path(hurt.hash)).unwrap();
        let done = bench.reseal_all(3).await.unwrap();
        // Plain bytes that are damaged keep no key from going.
        assert_eq!((done.seen, done.damaged), (7, vec![hurt.hash]));
        assert_eq!(fs::read(bench.path(hurt.hash)).unwrap(), before, "what is damaged is left as it is");
    }
    assert_eq!(bench.spool.content(plain).await.err(), Some(SpoolError::Damaged(plain.hash)));
    // Accepted again, it is whole, and nothing names the old key.
    put(&bench.spool, &noise(2, 2 * SEGMENT), CHUNK).await.unwrap();
    assert_eq!(bench.reseal_all(3).await.unwrap().damaged, vec![]);
    assert!(blobs.iter().all(|blob| bench.key_of(*blob) == Some(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_and_writers_are_not_disturbed() {
    let bench = Sealed::new();
    let bytes = noise(7, 3 * CHUNK);
    let blob = put(&bench.spool, &bytes, CHUNK).await.unwrap();
    let (spool, toy) = (bench.spool.clone(), bench.toy.clone());
    let writers = (0..3).map(|seed| {
        let spool = spool.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                let same = noise(7, 3 * CHUNK);
                assert_eq!(put(&spool, &same, CHUNK).await.unwrap(), blob, "{seed} {round}");
            }
        })
    });
    let readers = (0..3).map(|_| {
        let (spool, bytes) = (spool.clone(), bytes.clone());
        tokio::spawn(async move {
            for _round in 0..20 {
                assert!(read_back(&spool, blob).await == bytes);
            }
        })
    });
    let jobs: Vec<_> = writers.chain(readers).collect();
    while !jobs.iter().all(tokio::task::JoinHandle::is_finished) {
        toy.next_key();
        spool.reseal(None, 10).await.unwrap();
    }
    for job in jobs {
        job.await.unwrap();
    }
    bench.toy.next_key();
    assert_eq!(bench.reseal_all(10).await.unwrap().changed, 1);
    assert_eq!((bench.files().len(), hash_of(&read_back(&bench.spool, blob).await)), (1, blob.hash));
    assert_eq!(hash_of(&bytes), blob.hash);
}

/// A disk that does half of one operation and then nothing more, as if the process had been killed there.
struct DyingDisk {
    left: AtomicU64,
}

impl DyingDisk {
    fn ask(&self) -> io::Result<()> {
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 0 { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }
}

struct Plain;
impl Disk for Plain {}

impl Disk for DyingDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.ask()?;
        Plain.create(path)
    }
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.ask() {
            Plain.write(file, &bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        Plain.write(file, bytes)
    }
    fn flush(&self, file: &File) -> io::Result<()> {
        self.ask()?;
        Plain.flush(file)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask()?;
        Plain.rename(from, to)
    }
    fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        self.ask()?;
        Plain.flush_folder(folder)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask()?;
        Plain.remove(path)
    }
}

#[tokio::test]
async fn wherever_it_is_killed_every_document_opens_and_it_goes_on() {
    let mut at = 0;
    loop {
        let bench = Sealed::new();
        let mut documents = Vec::new();
        for (seed, length) in [0, 40, SEGMENT + 9, CHUNK + 9].into_iter().enumerate() {
            let bytes = noise(seed as u64, length);
            documents.push((put(&bench.spool, &bytes, CHUNK).await.unwrap(), bytes));
        }
        let bytes = noise(30, 2 * CHUNK);
        documents.push((bench.put_plain(&bytes), bytes));
        bench.toy.next_key();
        let Sealed { bench: Bench { data, clock, spool }, toy } = bench;
        drop(spool);

        let disk = Box::new(DyingDisk { left: AtomicU64::new(at) });
        let spool = FileSpool::on(disk, data.path(), &options(), clock.clone(), Some(toy.clone())).unwrap();
        let first = spool.reseal(None, 100).await;
        drop(spool);

        let spool = FileSpool::open_sealed(data.path(), &options(), clock.clone(), toy.clone()).unwrap();
        let bench = Sealed { bench: Bench { data, clock, spool }, toy };
        assert_eq!(bench.files().len(), documents.len(), "operation {at}: leftovers are swept");
        for (blob, bytes) in &documents {
            assert!(&read_back(&bench.spool, *blob).await == bytes, "operation {at}");
        }
        let again = bench.reseal_all(2).await.unwrap();
        assert_eq!((again.seen, again.damaged), (5, vec![]), "operation {at}");
        bench.toy.forget(1);
        for (blob, bytes) in &documents {
            assert_eq!(
                &read_back(&bench.spool, *blob).await,
                bytes,
                "operation {at}, after the old key went"
            );
        }
        if let Ok(first) = first {
            assert_eq!((first.changed, again.changed), (5, 0));
            assert!(at > 20, "{at} operations are too few");
            return;
        }
        at += 1;
    }
}

#[tokio::test]
async fn a_failing_disk_latches_and_a_full_one_does_not() {
    for (errno, latched) in [(28, false), (5, true)] {
        /// Writes nothing.
        struct Stuck(i32);
        impl Disk for Stuck {
            fn write(&self, _: &mut File, _: &[u8]) -> io::Result<()> {
                Err(io::Error::from_raw_os_error(self.0))
            }
        }
        let bench = Sealed::new();
        let blob = put(&bench.spool, b"letter", 6).await.unwrap();
        bench.toy.next_key();
        let Sealed { bench: Bench { data, clock, spool }, toy } = bench;
        drop(spool);
        let spool = FileSpool::on(Box::new(Stuck(errno)), data.path(), &options(), clock, Some(toy)).unwrap();
        let answer = spool.reseal(None, 10).await.unwrap_err();
        assert_eq!(matches!(answer, SpoolError::NoRoom { .. }), !latched, "{answer}");
        assert_eq!(spool.failed().is_some(), latched);
        assert_eq!(read_back(&spool, blob).await, b"letter");
        assert_eq!(files_below(&data.path().join("spool")).len(), 1);
    }
}

/// A backup opens with the keyring of its own time: content that is sealed with another key is brought in again.
#[tokio::test]
async fn a_backup_follows_the_present_key() {
    let bench = Sealed::new();
    let bytes = noise(8, 2 * CHUNK);
    let blob = put(&bench.spool, &bytes, CHUNK).await.unwrap();
    let here = bench.data.path().join("backup/spool");
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    for number in [1, 2] {
        for other in [here.as_path(), elsewhere.path()] {
            for _again in 0..2 {
                bench.spool.link_into(other, blob).await.unwrap();
                let copy = fs::read(place_in(other, blob.hash)).unwrap();
                assert_eq!(bench.toy.key_of(&copy[..HEADER]), Some(number), "{}", other.display());
                assert_eq!(copy, fs::read(bench.path(blob.hash)).unwrap());
            }
            bench.spool.flush_links(other).await.unwrap();
        }
        bench.toy.next_key();
        assert_eq!(bench.reseal_all(5).await.unwrap().changed, 1);
    }
    // Damage is not copied.
    let mut file = fs::read(bench.path(blob.hash)).unwrap();
    file[HEADER + 20] ^= 1;
    fs::write(bench.path(blob.hash), file).unwrap();
    fs::remove_file(place_in(elsewhere.path(), blob.hash)).unwrap();
    let answer = bench.spool.link_into(elsewhere.path(), blob).await;
    assert_eq!(answer, Err(SpoolError::Damaged(blob.hash)));
    assert!(files_below(elsewhere.path()).is_empty());
}
