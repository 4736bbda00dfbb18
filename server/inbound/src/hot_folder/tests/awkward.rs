//! Files as scanners, shares, people and attackers make them: what becomes of each.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n";

#[tokio::test]
async fn what_is_not_ready_waits_with_its_reason() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.pdf"), PDF).unwrap();
    symlink(outside.path().join("secret.pdf"), world.path("link.pdf")).unwrap();
    symlink(outside.path(), world.path("folder")).unwrap();
    symlink("nowhere", world.path("dangling.pdf")).unwrap();
    let _listener = UnixListener::bind(world.path("socket.pdf")).unwrap();
    let hot = File::open(world.hot.path()).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(&hot, "pipe.pdf", rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::create_dir(world.path("folder.pdf")).unwrap();
    world.put("empty.pdf", b"");
    world.put("half.pdf", &PDF[..15]);
    world.put("half.tif", b"II*\0\x10\x27\0\0 and more");
    world.put("half.docx", b"PK\x03\x04 and more");
    world.put("reserved.tif", &[0; 4_000]);
    world.put("big.bin", &vec![1; (1 << 20) + 1]);
    for name in [".hidden.pdf", "a.pdf.part", "b.tmp", "c.crdownload", "~$d.docx", "e.pdf~"] {
        world.put(name, PDF);
    }
    world.put("locked.pdf", PDF);
    let lock = File::open(world.path("locked.pdf")).unwrap();
    lock.lock().unwrap();
    world.put("good.pdf", PDF);

    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(world.taken_in().await, [("good.pdf".to_owned(), PDF.to_vec())]);
    let special = "it is not a plain file (a link, a pipe, a socket or a device)";
    let partial = "its name says that it is still being written";
    let wanted = [
        ("link.pdf", special),
        ("folder", special),
        ("dangling.pdf", special),
        ("socket.pdf", special),
        ("pipe.pdf", special),
        ("empty.pdf", "it is empty"),
        ("half.pdf", "it is not complete: the end mark of the PDF is missing"),
        ("half.tif", "it is not complete: the directory of the TIFF image is missing"),
        ("half.docx", "it is not complete: the directory of the ZIP or Office file is missing"),
        ("reserved.tif", "it is not complete: it begins with nothing but zeros"),
        ("big.bin", "it is larger than the 1048576 bytes that are taken here"),
        (".hidden.pdf", partial),
        ("a.pdf.part", partial),
        ("b.tmp", partial),
        ("c.crdownload", partial),
        ("~$d.docx", partial),
        ("e.pdf~", partial),
        ("locked.pdf", "another program has locked it"),
    ];
    for (name, reason) in wanted {
        assert_eq!(world.reason(name), reason, "{name}");
        assert!(world.path(name).symlink_metadata().is_ok(), "{name} stays where it is");
    }
    assert_eq!(world.folder.status().waiting_count, wanted.len());

    // They are taken once they are ready.
    drop(lock);
    world.put("half.pdf", PDF);
    world.put("empty.pdf", PDF);
    fs::rename(world.path("a.pdf.part"), world.path("a.pdf")).unwrap();
    world.settle().await;
    let mut names: Vec<_> = world.taken_in().await.into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["a.pdf", "empty.pdf", "good.pdf", "half.pdf", "locked.pdf"]);
}

/// More unfinished files than are looked into at a time, all older than the good one.
#[tokio::test]
async fn unfinished_files_do_not_crowd_out_the_others() {
    let world = World::new();
    for number in 0..PORTION + 10 {
        world.put(format!("half{number}.pdf"), &PDF[..15]);
    }
    world.settle().await;
    world.put("good.pdf", PDF);
    world.settle().await;
    assert_eq!(world.taken_in().await, [("good.pdf".to_owned(), PDF.to_vec())]);
    let status = world.folder.status();
    assert_eq!((status.waiting_count, status.waiting.len()), (PORTION + 10, SHOWN));
}

#[tokio::test]
async fn a_scanner_that_pauses_between_pages() {
    let world = World::new();
    let mut file = File::create(world.path("scan.pdf")).unwrap();
    for page in [&PDF[..9], &PDF[9..17], &PDF[17..24]] {
        file.write_all(page).unwrap();
        // Longer than the settle time, each time.
        world.settle().await;
        world.settle().await;
        assert_eq!(world.taken_in().await, []);
    }
    file.write_all(&PDF[24..]).unwrap();
    world.scan().await;
    assert_eq!(world.taken_in().await, [], "it has changed");
    world.settle().await;
    assert_eq!(world.taken_in().await, [("scan.pdf".to_owned(), PDF.to_vec())]);
}

#[tokio::test]
async fn a_file_that_is_replaced_has_to_settle_again() {
    let world = World::new();
    world.put("letter.txt", b"first");
    world.scan().await;
    world.clock.advance(SETTLE);
    world.put("new", b"other");
    fs::rename(world.path("new"), world.path("letter.txt")).unwrap();
    world.scan().await;
    assert_eq!(world.taken_in().await, []);
    world.clock.advance(SETTLE);
    world.scan().await;
    assert_eq!(world.taken_in().await, [("letter.txt".to_owned(), b"other".to_vec())]);
}

#[tokio::test]
async fn every_name_becomes_its_own_intake() {
    let world = World::new();
    let long = format!("{}.pdf", "x".repeat(251));
    let names: Vec<OsString> = [
        "letter.pdf",
        "Letter.pdf",
        "LETTER.PDF",
        "caf\u{e9}.pdf",
        "cafe\u{301}.pdf",
        "dots...",
        "space ",
        " space",
        "new\nline",
        "-rf",
        "a;b&c.pdf",
        "con.pdf",
        "\u{202e}fdp.exe",
        "no extension",
        long.as_str(),
        "deep/er/letter.pdf",
    ]
    .into_iter()
    .map(OsString::from)
    .chain([OsString::from_vec(b"Stra\xdfe.pdf".to_vec())])
    .collect();
    for (number, name) in names.iter().enumerate() {
        world.put(name, &[PDF, number.to_string().as_bytes()].concat());
    }
    world.settle().await;
    let got = world.taken_in().await;
    assert_eq!(got.len(), names.len());
    for (number, name) in names.iter().enumerate() {
        let bytes = [PDF, number.to_string().as_bytes()].concat();
        let wanted = Path::new(name).file_name().unwrap().to_string_lossy().into_owned();
        assert!(got.contains(&(wanted, bytes)), "{name:?}");
    }
    let notes: Vec<String> =
        world.intakes().await.into_iter().map(|intake| intake.note).filter(|note| !note.is_empty()).collect();
    assert_eq!(notes, ["The file's name is not UTF-8; its bytes are \"Stra\\xdfe.pdf\"."]);
    world.dismiss_all().await;
    world.scan().await;
    assert_eq!(world.files(), Vec::<String>::new());
}

#[tokio::test]
async fn the_same_name_used_again_at_once_is_another_intake() {
    let world = World::new();
    for text in ["one", "two", "two"] {
        world.put("scan.txt", text.as_bytes());
        world.settle().await;
    }
    let got: Vec<_> =
        world.taken_in().await.into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect();
    assert_eq!(got, ["one", "two", "two"]);
}

#[tokio::test]
async fn a_file_that_goes_wrong_three_times_is_set_aside_and_the_others_go_on() {
    let mut world = World::new();
    world.put("bad.txt", b"bad");
    world.scan().await;
    world.clock.advance(SETTLE);
    let mark = FileMark::of(&fs::metadata(world.path("bad.txt")).unwrap());
    let (name, _) = world.folder.taker.claim(Path::new("bad.txt"), mark).await.unwrap();
    world.restart();
    world.scan().await;
    // Something that opens but cannot be read takes its place.
    let claimed = world.path(".postroom/taken").join(&name);
    fs::remove_file(claimed.join("bad.txt")).unwrap();
    let parent = File::open(&claimed).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(&parent, "bad.txt", rustix::fs::FileType::Fifo, mode, 0).unwrap();
    world.put("good.txt", b"good");
    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(world.taken_in().await, [("good.txt".to_owned(), b"good".to_vec())]);
    let refused = world.path(".postroom/refused");
    assert!(refused.join(&name).join("bad.txt").symlink_metadata().is_ok());
    let why = fs::read_to_string(refused.join(format!("{name}.why.txt"))).unwrap();
    assert!(why.contains("not a plain file"), "{why}");
    assert_eq!(world.folder.status().refused, 1);
}

#[tokio::test]
async fn our_own_folders_may_not_be_links() {
    let elsewhere = tempfile::tempdir().unwrap();
    let world = World::new();
    symlink(elsewhere.path(), world.path(".postroom")).unwrap();
    world.put("letter.txt", b"Dear Madam");
    world.settle().await;
    assert!(world.folder.status().unreachable.unwrap().contains("not a link"));
    assert!(world.path("letter.txt").exists());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// Between the look and the claim, a folder is swapped for a link that leads outside.
#[tokio::test]
async fn nothing_outside_is_claimed_through_a_swapped_folder() {
    let world = World::new();
    let outside = tempfile::tempdir_in(world.hot.path().parent().unwrap()).unwrap();
    world.put("inside/letter.txt", b"Dear Madam");
    fs::rename(world.path("inside/letter.txt"), outside.path().join("letter.txt")).unwrap();
    let mark = FileMark::of(&fs::metadata(outside.path().join("letter.txt")).unwrap());
    fs::remove_dir(world.path("inside")).unwrap();
    symlink(outside.path(), world.path("inside")).unwrap();
    world.scan().await;
    assert!(world.folder.taker.claim(Path::new("inside/letter.txt"), mark).await.is_err());
    assert!(outside.path().join("letter.txt").exists());
}
