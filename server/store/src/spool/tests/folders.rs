//! Opening, the door, links for a backup.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::super::OpenSpoolError;
use super::super::door::Space;
use super::*;

const GIB: u64 = 1 << 30;

#[tokio::test]
async fn a_start_removes_drafts_and_keeps_content() {
    let bench = Bench::new();
    let blob = put(&bench.spool, b"kept", 4).await.unwrap();
    let Bench { data, clock, spool } = bench;
    drop(spool);
    fs::write(data.path().join("spool/tmp/07/12"), b"half a document").unwrap();
    let spool = FileSpool::open(data.path(), &options(), clock).unwrap();
    assert_eq!(read_back(&spool, blob).await, b"kept");
    assert_eq!(files_below(&data.path().join("spool")).len(), 1);
}

#[test]
fn a_second_owner_is_refused_until_the_first_has_gone() {
    let bench = Bench::new();
    let open = || FileSpool::open(bench.data.path(), &options(), bench.clock.clone());
    assert!(matches!(open(), Err(OpenSpoolError::InUse(_))));
    let draft = bench.data.path().join("spool/tmp/00/0");
    fs::write(&draft, b"another process's draft").unwrap();
    assert!(open().is_err());
    assert!(draft.exists(), "who is refused must not clean up");
}

#[test]
fn links_and_files_in_the_way_are_refused() {
    for name in ["spool", "spool/tmp", "spool/tmp/03", "spool/ab"] {
        for link in [true, false] {
            let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let way = data.path().join(name);
            fs::create_dir_all(way.parent().unwrap()).unwrap();
            if link {
                symlink(elsewhere.path(), &way).unwrap();
            } else {
                fs::write(&way, b"").unwrap();
            }
            let answer = FileSpool::open(data.path(), &options(), clock_of_the_disk(data.path()));
            assert!(matches!(answer, Err(OpenSpoolError::NotAFolder(_))), "{name}, link {link}");
            assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        }
    }
}

#[tokio::test]
async fn content_that_is_a_link_is_damaged() {
    let bench = Bench::new();
    let blob = put(&bench.spool, b"letter", 6).await.unwrap();
    fs::rename(bench.path(blob.hash), bench.data.path().join("elsewhere")).unwrap();
    symlink(bench.data.path().join("elsewhere"), bench.path(blob.hash)).unwrap();
    assert_eq!(bench.spool.content(blob).await.err(), Some(SpoolError::Damaged(blob.hash)));
}

#[test]
fn the_door_keeps_the_greatest_reserve() {
    // largest, reserve given, total, free, size → bytes wanted when refused
    let cases = [
        (0, None, 10 * GIB, GIB, 0, None),
        (0, None, 10 * GIB, GIB - 1, 0, Some(GIB)),
        (0, None, 10 * GIB, GIB + 5, 6, Some(GIB + 6)),
        (2 * GIB, None, 10 * GIB, 4 * GIB, 0, None),
        (2 * GIB, None, 10 * GIB, 4 * GIB - 1, 0, Some(4 * GIB)),
        (2 * GIB, None, 200 * GIB, 10 * GIB - 1, 0, Some(10 * GIB)),
        (2 * GIB, Some(7), 200 * GIB, 7, 0, None),
        (2 * GIB, Some(7), 200 * GIB, 7, u64::MAX, Some(u64::MAX)),
    ];
    for (largest, reserve_bytes, total, free, size, refused) in cases {
        let data = tempfile::tempdir().unwrap();
        let options = SpoolOptions { largest, reserve_bytes, ..SpoolOptions::default() };
        let spool = FileSpool::open(data.path(), &options, clock_of_the_disk(data.path())).unwrap();
        spool.shelves.door.pretend(Space { free, total });
        let wanted = refused.map_or(Ok(()), |wanted| Err(SpoolError::NoRoom { free, wanted }));
        assert_eq!(spool.door(size), wanted, "{largest} {reserve_bytes:?} {total} {free} {size}");
    }
}

#[test]
fn the_free_space_is_read_again_after_a_second() {
    let bench = Bench::new();
    bench.spool.shelves.door.pretend(Space { free: 0, total: 1 });
    let no_room = Err(SpoolError::NoRoom { free: 0, wanted: 1 });
    assert_eq!(bench.spool.door(1), no_room);
    bench.clock.advance(std::time::Duration::from_millis(999));
    assert_eq!(bench.spool.door(1), no_room);
    bench.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(bench.spool.door(1), Ok(()));
}

#[tokio::test]
async fn a_backup_gets_links_or_checked_copies() {
    let bench = Bench::new();
    let bytes = noise(8, 600_000);
    let blob = put(&bench.spool, &bytes, 600_000).await.unwrap();
    let here = bench.data.path().join("backup/spool");
    // Memory is another file system wherever there is one.
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    for (other, linked) in [(here.as_path(), true), (elsewhere.path(), false)] {
        let to = place_in(other, blob.hash);
        for cut_off in [false, true] {
            if cut_off {
                fs::remove_file(&to).unwrap();
                fs::write(&to, b"half").unwrap();
            }
            for _again in 0..2 {
                bench.spool.link_into(other, blob).await.unwrap();
                assert_eq!(fs::read(&to).unwrap(), bytes);
            }
        }
        bench.spool.flush_links(other).await.unwrap();
        let same = fs::metadata(&to).unwrap().ino() == fs::metadata(bench.path(blob.hash)).unwrap().ino();
        assert_eq!(same, linked, "{}", other.display());
        assert_eq!(files_below(other).len(), 1);
    }
    let missing = Blob { hash: hash_of(b"never seen"), size: 3 };
    assert_eq!(bench.spool.link_into(&here, missing).await, Err(SpoolError::Missing(missing.hash)));

    let damaged = vec![0; bytes.len()];
    fs::write(bench.path(blob.hash), damaged).unwrap();
    fs::remove_file(place_in(elsewhere.path(), blob.hash)).unwrap();
    let answer = bench.spool.link_into(elsewhere.path(), blob).await;
    assert_eq!(answer, Err(SpoolError::Damaged(blob.hash)), "damage is not copied");
    assert!(files_below(elsewhere.path()).is_empty());
}
