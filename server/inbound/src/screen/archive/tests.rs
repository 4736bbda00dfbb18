//! Archives that are made here, byte by byte: honest ones, bombs, and liars.

use std::io::Write as _;
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use futures_util::StreamExt as _;
use postroom_domain::Fut;
use postroom_domain::screening::{Mode, Screening, Unscreened};
use postroom_domain::testing::ManualClock;
use postroom_store::{FileSpool, SpoolOptions};

use super::*;

const BAD: &[u8] = b"this is what our scanner looks for";

/// A file of an archive, with what is said of it.
#[derive(Clone)]
struct Packed {
    name: Vec<u8>,
    bytes: Vec<u8>,
    method: u16,
    declared: u32,
    crc: u32,
    flags: u16,
    mode: u32,
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn stored(name: &str, bytes: &[u8]) -> Packed {
    let declared = u32::try_from(bytes.len()).unwrap();
    Packed {
        name: name.into(),
        bytes: bytes.to_vec(),
        method: 0,
        declared,
        crc: crc(bytes),
        flags: 0,
        mode: 0o100_644,
    }
}

fn deflated(name: &str, bytes: &[u8]) -> Packed {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    Packed { bytes: encoder.finish().unwrap(), method: 8, ..stored(name, bytes) }
}

/// So many zeros, deflated without ever having been in memory.
fn zeros(name: &str, count: u32) -> Packed {
    let (mut encoder, mut sum) = (DeflateEncoder::new(Vec::new(), Compression::best()), flate2::Crc::new());
    let piece = vec![0; 1 << 20];
    let mut left = count as usize;
    while left > 0 {
        let some = left.min(piece.len());
        encoder.write_all(&piece[..some]).unwrap();
        sum.update(&piece[..some]);
        left -= some;
    }
    Packed {
        bytes: encoder.finish().unwrap(),
        method: 8,
        declared: count,
        crc: sum.sum(),
        ..stored(name, b"")
    }
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap().to_le_bytes()
}

fn local(file: &Packed) -> Vec<u8> {
    let size = u32::try_from(file.bytes.len()).unwrap();
    [
        b"PK\x03\x04\x14\0".as_slice(),
        &file.flags.to_le_bytes(),
        &file.method.to_le_bytes(),
        &[0; 4],
        &file.crc.to_le_bytes(),
        &size.to_le_bytes(),
        &file.declared.to_le_bytes(),
        &short(file.name.len()),
        &[0; 2],
        &file.name,
        &file.bytes,
    ]
    .concat()
}

fn central(file: &Packed, offset: usize) -> Vec<u8> {
    let size = u32::try_from(file.bytes.len()).unwrap();
    [
        b"PK\x01\x02\x14\x03\x14\0".as_slice(),
        &file.flags.to_le_bytes(),
        &file.method.to_le_bytes(),
        &[0; 4],
        &file.crc.to_le_bytes(),
        &size.to_le_bytes(),
        &file.declared.to_le_bytes(),
        &short(file.name.len()),
        &[0; 8],
        &(file.mode << 16).to_le_bytes(),
        &u32::try_from(offset).unwrap().to_le_bytes(),
        &file.name,
    ]
    .concat()
}

fn end(entries: usize, size: usize, offset: usize) -> Vec<u8> {
    let count = short(entries.min(0xffff));
    let long = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &long(size), &long(offset), &[0; 2]].concat()
}

fn zip(files: &[Packed]) -> Vec<u8> {
    let (mut body, mut list) = (Vec::new(), Vec::new());
    for file in files {
        list.extend(central(file, body.len()));
        body.extend(local(file));
    }
    let tail = end(files.len(), list.len(), body.len());
    [body, list, tail].concat()
}

/// A scanner that reads everything, and remembers how much.
#[derive(Default)]
struct Scanner {
    seen: Mutex<Vec<usize>>,
}

impl Screening for Scanner {
    fn screen(&self, mut content: ByteStream, _size: Option<u64>) -> Fut<'_, Result<Verdict, Unscreened>> {
        Box::pin(async move {
            let (mut bad, mut count) = (false, 0);
            while let Some(chunk) = content.next().await {
                let chunk = chunk.map_err(|error| Unscreened::Content(error.to_string()))?;
                count += chunk.len();
                bad |= chunk.windows(BAD.len()).any(|part| part == BAD);
            }
            self.seen.lock().unwrap().push(count);
            Ok(if bad { Verdict::Infected { name: "Test.Bad".to_owned() } } else { Verdict::Clean })
        })
    }
    fn version(&self) -> Fut<'_, Result<String, Unscreened>> {
        Box::pin(async { Ok("ClamAV 1".to_owned()) })
    }
}

struct World {
    _data: tempfile::TempDir,
    spool: Arc<dyn Spool>,
    scanner: Arc<Scanner>,
    screener: Screener,
}

impl World {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let spool: Arc<dyn Spool> = Arc::new(FileSpool::open(data.path(), &options, clock).unwrap());
        let scanner = Arc::new(Scanner::default());
        let screener = Screener::new(Mode::Required, scanner.clone(), spool.clone());
        Self { _data: data, spool, scanner, screener }
    }

    async fn look_as(&self, bytes: &[u8], options: ArchiveOptions, vouched: bool) -> Looked {
        let mut draft = self.spool.draft().await.unwrap();
        draft.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        let blob = draft.seal().await.unwrap();
        let archives = Archives::new(options, self.spool.clone());
        let screener = (!vouched).then_some(&self.screener);
        archives.look("\"a.zip\"", blob, screener, vouched).await.unwrap()
    }

    async fn look(&self, bytes: &[u8]) -> Looked {
        self.look_as(bytes, ArchiveOptions::default(), false).await
    }
}

/// The code of what is set aside, and its text.
fn set_aside(looked: Looked) -> (&'static str, String) {
    match looked {
        Looked::SetAside(why) => (why.code, why.text),
        other => panic!("{other:?}"),
    }
}

fn through(looked: Looked) -> (Vec<String>, Inside) {
    match looked {
        Looked::Through(lines, inside) => (lines, inside),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_honest_archive_is_looked_through_and_its_kinds_are_known() {
    let world = World::new();
    let inner = zip(&[deflated("setup.EXE", b"MZ and more"), stored("../../etc/passwd", b"root")]);
    let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let archive = zip(&[
        stored("letters/", b""),
        deflated("letters/large.bin", &large),
        stored("letter.txt", b"plain"),
        stored("program.txt", &[b"MZ".as_slice(), &[0; 300]].concat()),
        deflated("inner.zip", &inner),
        Packed { mode: 0o120_777, ..stored("link", b"/etc/shadow") },
        stored("/absolute\u{202e}.doc", b"words"),
        stored("empty.txt", b""),
    ]);
    let (lines, inside) = through(world.look(&archive).await);
    assert_eq!(lines, ["\"a.zip\" was looked into: 9 file(s) lie in it"]);
    let names: Vec<&str> = inside.names.keys().map(String::as_str).collect();
    assert_eq!(names, ["bin", "doc", "exe", "txt", "zip"]);
    assert_eq!(inside.names["exe"], "inner.zip/setup.EXE");
    assert_eq!(inside.names["doc"], "/absolute.doc");
    assert_eq!(inside.contents["exe"], "program.txt");
    assert_eq!(inside.contents["zip"], "inner.zip");
    let mut seen = world.scanner.seen.lock().unwrap().clone();
    seen.sort_unstable();
    let mut wanted = [large.len(), 5, 302, inner.len(), 11, 5, 11, 4];
    wanted.sort_unstable();
    assert_eq!(seen, wanted, "every file once, and all of it");
}

#[tokio::test]
async fn malware_in_an_archive_is_found_however_deep() {
    let world = World::new();
    // Packed so that nobody sees it who does not unpack it.
    let mut archive = zip(&[deflated("bad.txt", &[BAD, &[b'a'; 1000]].concat())]);
    for (depth, wanted) in [(1, "bad.txt"), (2, "inner.zip/bad.txt"), (3, "inner.zip/inner.zip/bad.txt")] {
        let told = set_aside(world.look(&archive).await);
        let text = format!("malware was found in \"{wanted}\" in \"a.zip\": Test.Bad");
        assert_eq!(told, ("malware", text), "depth {depth}");
        archive = zip(&[deflated("inner.zip", &archive), stored("clean.txt", b"clean")]);
    }
    // One too many, whatever lies in it.
    let mut deep = zip(&[stored("clean.txt", b"clean")]);
    for _ in 0..3 {
        deep = zip(&[deflated("inner.zip", &deep)]);
    }
    let (code, text) = set_aside(world.look(&deep).await);
    assert!(code == "archive_bomb" && text.contains("more than 3 archives lie within each other"), "{text}");
}

#[tokio::test]
async fn bombs_are_known_by_what_comes_out_of_them() {
    let world = World::new();
    let nested = zip(&[deflated("in.zip", &zip(&[zeros("a", 2 << 20)]))]);
    // The same bounds a good deal lower, so that they are reached in no time.
    let low = Bounds { bytes: 4 << 20, ratio_after: 1 << 20, ..Bounds::default() };
    let low = ArchiveOptions { bounds: low, ..ArchiveOptions::default() };
    let many: Vec<Packed> = (0..10_001).map(|n| stored(&format!("{n}"), b"")).collect();
    let half: Vec<Packed> = (0..6_000).map(|n| stored(&format!("{n}"), b"")).collect();
    let halves = zip(&[stored("a.zip", &zip(&half)), stored("b.zip", &zip(&half))]);
    let honest = deflated("a", &vec![7; 100_000]);
    let liar = Packed { declared: 10, ..honest.clone() };
    let several: Vec<Packed> = (0..9).map(|n| zeros(&format!("{n}"), 1 << 18)).collect();
    let table: &[(&str, Vec<u8>, &str)] = &[
        ("more than 100:1", zip(&[zeros("a", 2 << 20)]), "more than 100 times its size"),
        ("in several files", zip(&several), "more than 100 times its size"),
        ("in an archive within", nested, "more than 100 times its size"),
        ("too many files", zip(&many), "more than 10000 files"),
        ("too many files in all", halves, "more than 10000 files"),
        ("a size that is a lie", zip(&[liar]), "says that it has 10 bytes, and 100000 come out"),
    ];
    for (case, archive, wanted) in table {
        let (code, text) = set_aside(world.look_as(archive, low, false).await);
        assert!(code == "archive_bomb" && text.contains(wanted), "{case}: {code} {text}");
    }
    // The bounds as they are.
    let (code, text) = set_aside(world.look(&zip(&[zeros("a", 66 << 20)])).await);
    assert!(code == "archive_bomb" && text.contains("more than 100 times its size"), "{text}");
    through(world.look(&zip(&[zeros("a", 20 << 20)])).await);
    // A person vouches: it is filed, and the trace says that nobody saw all of it.
    let (lines, _) = through(world.look_as(&table[0].1, low, true).await);
    assert!(lines[0].contains("filed closed"), "{lines:?}");
    // What does not shrink is measured by its bytes.
    let random: Vec<u8> =
        (0..1_200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let (code, text) = set_aside(world.look_as(&zip(&[stored("a", &random)]), low, false).await);
    assert!(code == "archive_bomb" && text.contains("more than 4194304 bytes"), "{text}");
}

#[tokio::test]
async fn a_million_files_and_files_on_top_of_each_other_are_not_begun() {
    let world = World::new();
    let one = stored("abcdefgh", b"");
    let (body, mut list) = (local(&one), Vec::new());
    for _ in 0..1_000_000 {
        list.extend(central(&one, 0));
    }
    let many = [body.clone(), list.clone(), end(0xffff, list.len(), body.len())].concat();
    let (code, text) = set_aside(world.look(&many).await);
    assert!(code == "archive_bomb" && text.contains("more than 10000 files"), "{text}");
    // Two files share their place; one lies in the other's data; the last runs into the list.
    let honest = stored("a", &[7; 1000]);
    let body = local(&honest);
    let same = [central(&honest, 0), central(&honest, 0)].concat();
    let shared = [body.clone(), same.clone(), end(2, same.len(), body.len())].concat();
    let inner = stored("b", b"x");
    let outer = stored("a", &[local(&inner), vec![7; 100]].concat());
    let body = local(&outer);
    let crossing = [central(&outer, 0), central(&inner, 31)].concat();
    let quine = [body.clone(), crossing.clone(), end(2, crossing.len(), body.len())].concat();
    let long = Packed { bytes: vec![7; 1100], declared: 1100, ..honest.clone() };
    let body = local(&honest);
    let list = central(&long, 0);
    let into_list = [body.clone(), list.clone(), end(1, list.len(), body.len())].concat();
    for (case, archive) in [("shared", shared), ("quine", quine), ("into the list", into_list)] {
        let (code, text) = set_aside(world.look(&archive).await);
        assert!(code == "archive_bomb" && text.contains("on top of each other"), "{case}: {text}");
    }
    assert_eq!(world.scanner.seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_looked_into_goes_by_the_settings() {
    let world = World::new();
    let encrypted = Packed { flags: 1, ..stored("secret.exe", b"xxxxxxxxxxxxxxxx") };
    let other = Packed { method: 14, ..stored("a.txt", b"lzma") };
    let wrong_sum = Packed { crc: 1, ..stored("a.txt", b"plain") };
    let short = Packed { declared: 100, ..stored("a.txt", b"plain") };
    let broken = Packed { method: 8, ..stored("a.txt", &[0xff; 100]) };
    let cut = Packed {
        bytes: deflated("", &vec![7; 100_000]).bytes[..20].to_vec(),
        ..deflated("a.txt", &vec![7; 100_000])
    };
    let seven = stored("in.7z", b"7z\xbc\xaf\x27\x1c\0\x04 and more");
    let good = zip(&[stored("a.txt", b"plain")]);
    let truncated = good[..good.len() - 10].to_vec();
    let mut misplaced = good.clone();
    misplaced[0] = b'X';
    let misplaced = [b"PK\x03\x04".as_slice(), &misplaced].concat();
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("encrypted", zip(&[stored("b.txt", b"b"), encrypted]), "\"secret.exe\" in it is encrypted"),
        ("another way of packing", zip(&[other]), "method 14"),
        ("wrong check sum", zip(&[wrong_sum]), "\"a.txt\" in it is damaged"),
        ("less than it says", zip(&[short]), "\"a.txt\" in it is damaged"),
        ("no deflate stream", zip(&[broken]), "\"a.txt\" in it is damaged"),
        ("a stream that is cut", zip(&[cut]), "ends before its end"),
        ("another kind of archive in it", zip(&[seven]), "is a .7z archive"),
        (
            "another kind of archive",
            b"7z\xbc\xaf\x27\x1c\0\x04 and more".to_vec(),
            ".7z archives are not opened",
        ),
        ("no list", truncated, "its list of files cannot be read"),
        ("no local header", misplaced, "is not where the list says"),
        ("nothing but a mark", b"PK\x03\x04".to_vec(), "its list of files cannot be read"),
    ];
    let filed = ArchiveOptions { when_closed: WhenClosed::File, ..ArchiveOptions::default() };
    for (case, archive, wanted) in table {
        let (code, text) = set_aside(world.look(&archive).await);
        assert!(code == "not_scanned" && text.contains("cannot be looked into"), "{case}: {code} {text}");
        assert!(text.contains(wanted), "{case}: {text}");
        let (lines, inside) = through(world.look_as(&archive, filed, false).await);
        assert!(lines[0].contains("filed closed") && lines[0].contains(wanted), "{case}: {lines:?}");
        if case == "encrypted" {
            // What is inside cannot be seen; what it is called can, and block lists go by that.
            assert_eq!(inside.names.keys().collect::<Vec<_>>(), ["exe", "txt"]);
        }
    }
    assert!(matches!(world.look(b"plain words").await, Looked::NoArchive));
    assert!(matches!(world.look(b"").await, Looked::NoArchive));
}

#[tokio::test]
async fn office_documents_are_held_to_the_bounds_and_their_parts_have_no_names() {
    let world = World::new();
    let types = stored("[Content_Types].xml", b"<Types/>");
    let honest =
        [types.clone(), stored("word/document.xml", b"<w/>"), stored("word/vbaProject.bin", b"macro")];
    assert_eq!(sort(&zip(&honest)), Some(Sort::Office));
    let (_, inside) = through(world.look(&zip(&honest)).await);
    assert!(inside.names.is_empty() && inside.contents.is_empty(), "{inside:?}");
    // An archive that only poses as one hides nothing.
    let program = [b"MZ".as_slice(), &[0; 300]].concat();
    let posing = [types.clone(), stored("setup.exe", b"x"), stored("word/a.bin", &program)];
    let (_, inside) = through(world.look(&zip(&posing)).await);
    assert!(inside.names.contains_key("exe") && inside.contents.contains_key("exe"), "{inside:?}");
    let low = Bounds { ratio_after: 1 << 20, ..Bounds::default() };
    let low = ArchiveOptions { bounds: low, ..ArchiveOptions::default() };
    let bomb = [types.clone(), stored("word/document.xml", b"<w/>"), zeros("word/media/a.bin", 2 << 20)];
    assert_eq!(set_aside(world.look_as(&zip(&bomb), low, false).await).0, "archive_bomb");
    let bad = [types, stored("word/document.xml", b"<w/>"), deflated("word/media/a.bin", BAD)];
    assert_eq!(set_aside(world.look(&zip(&bad)).await).0, "malware");
    // A document in a document in a document lies too deep to be opened, and that alone is no harm.
    let mut nested = zip(&honest);
    for _ in 0..4 {
        nested = zip(&[
            stored("[Content_Types].xml", b"<Types/>"),
            stored("word/document.xml", b"<w/>"),
            deflated("word/embeddings/a.docx", &nested),
        ]);
    }
    through(world.look(&nested).await);
}
