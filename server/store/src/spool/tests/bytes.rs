//! What goes in comes out, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ::bytes::Bytes;
use futures_util::future::join_all;

use super::super::CHUNK;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_length_comes_back_whatever_the_pieces() {
    let bench = Bench::new();
    let lengths = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5];
    for (seed, length) in lengths.into_iter().enumerate() {
        let bytes = noise(seed as u64, length);
        for piece in [7_000, CHUNK, 5 * CHUNK] {
            let blob = put(&bench.spool, &bytes, piece).await.unwrap();
            assert_eq!(blob, Blob { hash: hash_of(&bytes), size: length as u64 }, "{length} in {piece}");
            assert_eq!(read_back(&bench.spool, blob).await, bytes, "{length} in {piece}");
        }
    }
    let names = bench.files();
    assert_eq!(names.len(), lengths.len(), "one file each and no draft: {names:?}");
    for name in names {
        assert_eq!(name.replace('/', "").len(), 64, "{name}");
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = bench.data.path().join("spool").join(&name);
        assert_eq!((mode(file.clone()), mode(file.parent().unwrap().to_owned())), (0o600, 0o700), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_ends_the_stream_before_its_last_byte() {
    let bench = Bench::new();
    for length in [10, CHUNK, 3 * CHUNK + 5] {
        for at in [0, length / 2, length - 1] {
            let bytes = noise(99, length);
            let blob = put(&bench.spool, &bytes, CHUNK).await.unwrap();
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            fs::write(bench.path(blob.hash), &bad).unwrap();
            match bench.spool.content(blob).await {
                // A small document is read when it is asked for.
                Err(error) => {
                    assert!(length <= CHUNK, "{length} is not small");
                    assert_eq!(error, SpoolError::Damaged(blob.hash), "byte {at} of {length}");
                }
                Ok(content) => {
                    let (got, end) = read(content.as_ref()).await;
                    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::InvalidData, "byte {at} of {length}");
                    assert!(got.len() < length, "byte {at} of {length}: all {} bytes came out", got.len());
                }
            }

            // Taking the same document in again mends it.
            assert_eq!(put(&bench.spool, &bytes, CHUNK).await.unwrap(), blob);
            assert_eq!(read_back(&bench.spool, blob).await, bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_lengths_and_missing_files_are_told() {
    let bench = Bench::new();
    let bytes = noise(3, 2 * CHUNK);
    let blob = put(&bench.spool, &bytes, CHUNK).await.unwrap();
    let path = bench.path(blob.hash);
    let content = bench.spool.content(blob).await.unwrap();

    for damaged in [&bytes[..=CHUNK], &[], &[bytes.as_slice(), b"more"].concat()] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(bench.spool.content(blob).await.err(), Some(SpoolError::Damaged(blob.hash)));
    }
    // Cut off after somebody had asked for it.
    fs::write(&path, &bytes[..=CHUNK]).unwrap();
    let (got, end) = read(content.as_ref()).await;
    assert_eq!((got.len(), end.unwrap_err().kind()), (0, io::ErrorKind::InvalidData));

    fs::remove_file(&path).unwrap();
    assert_eq!(bench.spool.content(blob).await.err(), Some(SpoolError::Missing(blob.hash)));
    assert_eq!(read(content.as_ref()).await.1.unwrap_err().kind(), io::ErrorKind::NotFound);

    fs::create_dir(&path).unwrap();
    assert_eq!(bench.spool.content(blob).await.err(), Some(SpoolError::Damaged(blob.hash)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_content_at_once_is_one_file() {
    let bench = Bench::new();
    let bytes = noise(4, 40_000);
    let blobs = join_all((0..64).map(|_| {
        let (spool, bytes) = (bench.spool.clone(), bytes.clone());
        tokio::spawn(async move { put(&spool, &bytes, 9_000).await.unwrap() })
    }))
    .await;
    for blob in blobs {
        assert_eq!(blob.unwrap().hash, hash_of(&bytes));
    }
    assert_eq!(bench.files().len(), 1);
    assert_eq!(read_back(&bench.spool, Blob { hash: hash_of(&bytes), size: 40_000 }).await, bytes);
}

#[tokio::test]
async fn a_dropped_draft_leaves_nothing() {
    let bench = Bench::new();
    for length in [0, 10, CHUNK + 10, 3 * CHUNK] {
        let mut draft = bench.spool.draft().await.unwrap();
        draft.write(Bytes::from(noise(5, length))).await.unwrap();
        drop(draft);
    }
    // Removing is done off the async threads: each removal is over when the file is gone.
    while !bench.files().is_empty() {
        tokio::task::yield_now().await;
    }
}
