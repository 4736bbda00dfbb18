//! Real files, and damaged ones: each ends in a stated way, and nothing panics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::files::{pdf_of_texts, tiff_of};
use super::{cover, key};
use crate::pages::{BlankRule, CoverSheet, PageLimits, Scan, cover_sheet, examine, write_piece};

/// Small limits: what damaged files ask for is told and not done.
fn limits() -> PageLimits {
    PageLimits { pages: 50, pixels: 4_000_000, memory: 64 << 20, dots: 72 }
}

/// Reads all of a file and writes its last page; what became of it, in words.
fn ending(bytes: Vec<u8>, limits: PageLimits) -> String {
    let scan = match Scan::open(Arc::new(bytes), limits) {
        Ok(scan) => scan,
        Err(why) => return format!("not opened: {why}"),
    };
    let mut unread = BTreeMap::new();
    let mut seen = 0;
    for index in 0..scan.pages() {
        match scan.page(index) {
            Ok(page) => {
                let marks = examine(&page, &key(), BlankRule::default());
                assert!(
                    marks.covers.is_empty() || marks.covers.iter().all(|found| *found == cover("M-1042"))
                );
                assert_eq!(marks.unreadable, None, "looking for barcodes failed");
                seen += 1;
            }
            Err(why) => *unread.entry(why.to_string()).or_insert(0) += 1,
        }
    }
    let piece = match write_piece(&scan, &[scan.pages() - 1]) {
        Ok(bytes) => format!("its last page is a file of {} bytes", bytes.len()),
        Err(why) => format!("not split: {why}"),
    };
    format!("{} pages, {seen} read, {unread:?}; {piece}", scan.pages())
}

#[test]
fn files_from_the_wild_end_in_a_stated_way() {
    let folder = std::env::var_os("POSTROOM_CORPORA").map(|folder| PathBuf::from(folder).join("pdf"));
    let Some(folder) = folder else {
        eprintln!("SKIPPED: POSTROOM_CORPORA names no folder, so no file from the wild was read");
        return;
    };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut files = 0;
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "pdf")) {
        let limits = PageLimits { dots: 150, ..PageLimits::default() };
        let ending = ending(std::fs::read(path).unwrap(), limits);
        println!("{}: {ending}", path.file_name().unwrap().to_string_lossy());
        assert!(!ending.contains("gave up"), "{}: a reader panicked", path.display());
        files += 1;
    }
    println!("{files} files read");
    assert!(files > 0, "no PDF in {}", folder.display());
}

/// A file with some of its bytes changed and its end cut off.
fn damaged(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)], keep: prop::sample::Index) -> Vec<u8> {
    for (place, byte) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *byte;
    }
    let whole = bytes.len();
    bytes.truncate(whole - keep.index(whole) / 8);
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn damaged_pdfs(changes in changes(), keep in any::<prop::sample::Index>(), texts in any::<bool>()) {
        let sheet = CoverSheet { cover: &cover("M-1042"), client: "Client", title: "Title" };
        let whole = if texts { pdf_of_texts(&["one", "two", "three"]) } else { cover_sheet(&sheet, &key()).unwrap() };
        ending(damaged(whole, &changes, keep), limits());
    }

    #[test]
    fn damaged_tiffs(changes in changes(), keep in any::<prop::sample::Index>(), kind in 0..5_usize) {
        ending(damaged(tiff_of(kind, 3), &changes, keep), limits());
    }

    #[test]
    fn any_bytes(start in 0..6_usize, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let starts: [&[u8]; 6] = [
            b"%PDF-1.7\n",
            b"II*\0\x08\0\0\0",
            b"MM\0*\0\0\0\x08",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            b"",
        ];
        ending([starts[start], &bytes].concat(), limits());
    }
}
