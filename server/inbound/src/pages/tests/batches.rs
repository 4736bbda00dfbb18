//! Whole batches: read, looked at, planned, and written as pieces that hold what they should and nothing else.

use std::sync::Arc;

use hayro::hayro_syntax::Pdf;
use tiff::encoder::Compression;

use super::files::{TIFFS, pdf_of, pdf_of_pictures, pdf_of_texts, stream, tiff_fax, tiff_of, tiff_packed};
use super::sheets::{Kind, Sheet, code_128, sheet};
use super::{Dice, cover, key};
use crate::pages::{
    BlankRule, CannotWrite, CoverSheet, Gray, PageLimits, Scan, ScanKind, SplitRules, Unreadable,
    cover_sheet, examine, examine_all, parse, payload, plan, write_piece, write_pieces,
};

fn opened(bytes: Vec<u8>) -> Scan {
    Scan::open(Arc::new(bytes), PageLimits::default()).unwrap()
}

fn contains(bytes: &[u8], text: impl AsRef<[u8]>) -> bool {
    let text = text.as_ref();
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn a_printed_cover_sheet_is_read_again() {
    for (reference, client, title) in [
        ("M-1042", "Baker & Sons", "Sale of the mill"),
        ("acme/2026.7", "Müller GmbH", "Größe – \"Vertrag\""),
        ("契約-7", "株式会社", "Договор \u{202e}x"),
        (&"LONG-".repeat(12), &"client ".repeat(60), &"X".repeat(500)),
    ] {
        let cover = cover(reference);
        let pdf = cover_sheet(&CoverSheet { cover: &cover, client, title }, &key()).unwrap();
        let scan = opened(pdf);
        assert_eq!((scan.kind(), scan.pages()), (ScanKind::Pdf, 1));
        let page = scan.page(0).unwrap();
        let marks = examine(&page, &key(), BlankRule::default());
        assert_eq!(marks.covers, [cover].into(), "{reference}: {marks:?}");
        assert!(marks.doubtful.is_empty() && !marks.separator, "{marks:?}");
    }
}

/// A batch at 150 dots per inch: a page, a sheet, two pages with a blank one, a separator, a page, a separator.
fn pictures() -> Vec<Gray> {
    let mut dice = Dice::new(7);
    let mut made = |kind, reference: &str| sheet(kind, reference, 150, &mut dice).done();
    vec![
        made(Kind::Text, "-"),
        made(Kind::Qr, "M-1"),
        made(Kind::Text, "-"),
        Sheet::blank(150).done(),
        made(Kind::Foreign, "-"),
        made(Kind::PatchT, "-"),
        made(Kind::Text, "-"),
        made(Kind::PatchT, "-"),
    ]
}

#[test]
fn a_batch_is_split_and_written() {
    let pictures = pictures();
    for (name, bytes) in [
        ("PDF", pdf_of_pictures(&pictures)),
        ("LZW", tiff_packed(&pictures, Compression::Lzw)),
        ("group 4", tiff_fax(&pictures, 4)),
    ] {
        let scan = opened(bytes);
        assert_eq!(scan.pages(), pictures.len(), "{name}");
        let marks = examine_all(&scan, &key(), BlankRule::default(), || true);
        let plan = plan(&marks, &SplitRules::default(), |cover| Some(cover.reference.clone()));
        let pieces: Vec<(Vec<usize>, Option<&str>)> =
            plan.pieces.iter().map(|piece| (piece.pages.clone(), piece.work_item_key.as_deref())).collect();
        let wanted = [(vec![0], None), (vec![2, 3, 4], Some("M-1")), (vec![6], Some("M-1"))];
        assert_eq!(pieces, wanted, "{name}: {:#?}", plan.trace);
        assert_eq!(plan.problems, [], "{name}");
        for (piece, bytes) in plan.pieces.iter().zip(write_pieces(&scan, &plan).unwrap()) {
            let written = opened(bytes);
            assert_eq!((written.kind(), written.pages()), (scan.kind(), piece.pages.len()), "{name}");
            for (index, &page) in piece.pages.iter().enumerate() {
                assert_eq!(written.page(index).unwrap(), scan.page(page).unwrap(), "{name}, page {page}");
            }
        }
    }
}

#[test]
fn two_work_items_on_one_page_are_a_contradiction() {
    let text = |reference| payload(&cover(reference), &key()).unwrap();
    let mut dice = Dice::new(1);
    let mut both = Sheet::blank(200);
    both.qr(&text("M-1"), (30.0, 20.0), 40.0);
    both.bars(&code_128(&text("M-2")), (30.0, 80.0), 0.42, 18.0);
    both.text((20.0, 120.0), 10, &mut dice);
    let mut same = Sheet::blank(200);
    same.qr(&text("M-1"), (30.0, 20.0), 40.0);
    same.bars(&code_128(&text("M-1")), (30.0, 80.0), 0.42, 18.0);
    let mut two = Sheet::blank(200);
    two.qr(&text("M-1"), (30.0, 20.0), 40.0);
    two.qr(&text("M-2"), (120.0, 20.0), 40.0);
    let mut across = Sheet::blank(200);
    across.bars(&code_128(&text("M-1")), (15.0, 20.0), 0.25, 15.0);
    across.bars(&code_128(&text("M-2")), (115.0, 20.0), 0.25, 15.0);
    for (name, sheet, items) in [("both", both, 2), ("same", same, 1), ("two", two, 2), ("across", across, 2)]
    {
        let marks = examine(&sheet.done(), &key(), BlankRule::default());
        assert_eq!(marks.covers.len(), items, "{name}: {marks:?}");
    }
}

#[test]
fn pages_that_nobody_came_to_go_to_a_person() {
    let scan = opened(pdf_of_texts(&["one", "two", "three"]));
    let mut times = 0;
    let marks = examine_all(&scan, &key(), BlankRule::default(), || {
        times += 1;
        times < 2
    });
    let seen: Vec<bool> = marks.iter().map(|marks| marks.unreadable.is_none()).collect();
    assert_eq!((seen, times), (vec![true, false, false], 2));
    assert!(plan(&marks, &SplitRules::default(), |_| None).needs_person());
}

#[test]
fn a_piece_of_a_pdf_holds_nothing_of_other_pages() {
    let scan = opened(pdf_of_texts(&["alpha", "beta", "gamma"]));
    for (pages, inside, outside) in [
        (vec![1], vec!["beta"], vec!["alpha", "gamma", "bookmark"]),
        (vec![2, 0], vec!["gamma", "alpha"], vec!["beta", "bookmark"]),
    ] {
        let piece = write_piece(&scan, &pages).unwrap();
        // Notes are written as hexadecimal digits, contents as they were.
        let hex = |text: &str| {
            text.bytes().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect::<Vec<u8>>()
        };
        for text in inside {
            assert!(contains(&piece, format!("(page {text})")), "{text} is missing in {pages:?}");
            assert!(contains(&piece, hex(&format!("note on {text}"))), "the note on {text} is missing");
        }
        for text in outside {
            assert!(!contains(&piece, text) && !contains(&piece, hex(text)), "{text} is in {pages:?}");
        }
        let written = Pdf::new(piece).unwrap();
        for page in written.pages().iter() {
            assert_eq!(page.render_dimensions(), (400.5, 300.0), "size and turn come from the tree");
            assert!(
                page.resources().get_font(&hayro::hayro_syntax::object::Name::new_unescaped(b"F1")).is_some()
            );
        }
    }
    assert_eq!(write_piece(&scan, &[0, 1, 2]).unwrap(), scan.bytes(), "all of it is itself");
    for pages in [vec![], vec![3], vec![0, 0]] {
        assert_eq!(write_piece(&scan, &pages), Err(CannotWrite::NoSuchPages), "{pages:?}");
    }
}

#[test]
fn a_piece_has_only_the_pictures_that_it_draws() {
    let picture = |shade: u8| {
        let about =
            "/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8";
        stream(about, &[shade; 64])
    };
    let form = |resources: &str| {
        stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] {resources}"), b"/B Do")
    };
    let page =
        |content: usize| format!("<< /Type /Page /Parent 2 0 R /Contents {content} 0 R >>").into_bytes();
    let batch = |form_resources: &str| {
        pdf_of(&[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Count 3 /Kids [3 0 R 4 0 R 5 0 R] /MediaBox [0 0 99 99] /Resources << /XObject \
              << /A 9 0 R /B 10 0 R /F 11 0 R >> >> >>"
                .to_vec(),
            page(6),
            page(7),
            page(8),
            stream("", b"99 0 0 99 0 0 cm /A Do"),
            stream("", b"99 0 0 99 0 0 cm /B Do"),
            stream("", b"99 0 0 99 0 0 cm /F Do"),
            picture(b'a'),
            picture(b'b'),
            form(form_resources),
        ])
    };
    let scan = opened(batch("/Resources << /XObject << /B 10 0 R >> >>"));
    for (page, inside, outside) in
        [(0, "aaaaaaaa", "bbbbbbbb"), (1, "bbbbbbbb", "aaaaaaaa"), (2, "bbbbbbbb", "aaaaaaaa")]
    {
        let piece = write_piece(&scan, &[page]).unwrap();
        assert!(contains(&piece, inside) && !contains(&piece, outside), "page {page}");
    }
    // A form without a list of its own goes by the page's, of which the piece has only a part: seen, and not taken apart.
    let written = write_piece(&opened(batch("")), &[2]);
    assert!(matches!(written, Err(CannotWrite::NotTheSame(_))), "{written:?}");
}

#[test]
fn what_is_signed_or_tied_together_is_not_taken_apart() {
    let signed = |extra: &str| {
        let page =
            |content: usize| format!("<< /Type /Page /Parent 2 0 R /Contents {content} 0 R >>").into_bytes();
        pdf_of(&[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] /MediaBox [0 0 99 99] >>".to_vec(),
            page(5),
            page(6),
            stream("", b""),
            stream("", b""),
            extra.as_bytes().to_vec(),
        ])
    };
    for (extra, wanted) in [
        ("<< /Type /Sig /ByteRange [0 1 2 3] >>", Some(CannotWrite::Signed)),
        ("<< /Encrypt true >>", Some(CannotWrite::Protected)),
        ("<< /Something /Else >>", None),
    ] {
        let written = write_piece(&opened(signed(extra)), &[1]);
        assert_eq!(written.err(), wanted, "{extra}");
    }
}

#[test]
fn tiffs_of_all_kinds_are_read_and_taken_apart() {
    for kind in 0..TIFFS {
        let scan = opened(tiff_of(kind, 3));
        assert_eq!(scan.pages(), 3);
        let piece = opened(write_piece(&scan, &[2, 0]).unwrap());
        for (after, before) in [(0, 2), (1, 0)] {
            assert_eq!(piece.page(after).unwrap(), scan.page(before).unwrap(), "kind {kind}");
        }
    }
}

#[test]
fn faxes_are_read_as_they_were_sent() {
    // Runs short enough for the table of codes in the test; a row begins white.
    let pixel = |at: usize| if (at % 13 > 4) ^ (at / 40).is_multiple_of(3) { 0 } else { 255 };
    let sent = Gray::new(40, 24, (0..40 * 24).map(pixel).collect()).unwrap();
    for compression in [1, 2, 3, 4] {
        let scan = opened(tiff_fax(std::slice::from_ref(&sent), compression));
        assert_eq!(scan.page(0).unwrap(), sent, "compression {compression}");
    }
}

#[test]
fn what_is_nested_without_end_is_told() {
    for deep in [600, 100_000] {
        let nest = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        let dicts = format!("{}{}", "<< /A ".repeat(deep), " >>".repeat(deep));
        for (name, nested) in [("array", &nest), ("dictionary", &dicts)] {
            let bytes = pdf_of(&[
                b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
                b"<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] /MediaBox [0 0 99 99] >>".to_vec(),
                format!("<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Nested {nested} >>").into_bytes(),
                b"<< /Type /Page /Parent 2 0 R /Nested 6 0 R >>".to_vec(),
                stream("", format!("q {nested} Q").as_bytes()),
                nested.clone().into_bytes(),
            ]);
            // The page is skipped, and so the file is one whose pages are not all there.
            let opened = Scan::open(Arc::new(bytes), PageLimits::default());
            assert!(
                matches!(&opened, Err(Unreadable::Broken(why)) if why.contains("pages")),
                "{deep} {name}: {opened:?}"
            );
        }
    }
}

/// Patterns that look like codes all over have to end as well as others; how long it takes is not asserted.
#[test]
fn pages_full_of_almost_codes_end() {
    let square = |x: usize, y: usize| {
        let (x, y) = (x / 3 % 9, y / 3 % 9);
        let inside = |low, high| (low..high).contains(&x) && (low..high).contains(&y);
        if inside(0, 7) && (!inside(1, 6) || inside(2, 5)) { 0 } else { 255 }
    };
    let bars = |x: usize, _: usize| if (x * x / 7 + x / 3) % 5 < 2 { 0 } else { 255 };
    let noise = |x: usize, y: usize| u8::try_from((x * 7_919 + y * 104_729 + x * y * 31) % 256).unwrap();
    let (wide, high) = (2_480, 3_508);
    let page = |shade: &dyn Fn(usize, usize) -> u8| {
        let pixels = (0..wide * high).map(|at| shade(at % wide, at / wide)).collect();
        Gray::new(wide, high, pixels).unwrap().at_dots(300)
    };
    for (name, page) in [("squares", page(&square)), ("bars", page(&bars)), ("noise", page(&noise))] {
        let marks = examine(&page, &key(), BlankRule::default());
        println!("{name}: {marks:?}");
        assert!(marks.covers.is_empty() && !marks.separator && !marks.blank, "{name}: {marks:?}");
        assert_eq!((marks.unreadable, marks.unread_code), (None, name != "noise"), "{name}");
    }
}

#[test]
fn too_much_is_told_and_not_done() {
    let small = PageLimits { pages: 2, pixels: 2_000, memory: 1 << 20, dots: 72 };
    let open = |bytes: Vec<u8>| Scan::open(Arc::new(bytes), small);
    assert_eq!(open(pdf_of_texts(&["a", "b", "c"])).err(), Some(Unreadable::TooManyPages(3)));
    assert_eq!(open(tiff_of(0, 3)).err(), Some(Unreadable::TooManyPages(3)));
    assert_eq!(open(tiff_of(1, 1)).unwrap().page(0), Err(Unreadable::TooLarge), "64 × 48 pixels");
    let picture = Gray::blank(100, 100, 255);
    assert_eq!(open(pdf_of_pictures(&[picture])).unwrap().page(0), Err(Unreadable::TooLarge));
    assert_eq!(open(b"PK\x03\x04".to_vec()).err(), Some(Unreadable::NotAScan));
    assert_eq!(open(tiff_of(0, 1)).unwrap().page(1), Err(Unreadable::NoSuchPage));
}

#[test]
fn a_lost_picture_on_a_page_is_not_a_blank_page() {
    let about =
        "/Type /XObject /Subtype /Image /Width 9 /Height 9 /ColorSpace /DeviceGray /BitsPerComponent 8";
    let broken = pdf_of(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] /MediaBox [0 0 99 99] >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>".to_vec(),
        stream("", b"99 0 0 99 0 0 cm /I Do"),
        stream(&format!("{about} /Filter /JPXDecode"), b"no picture"),
    ]);
    let read = opened(broken).page(0);
    assert!(matches!(read, Err(Unreadable::NotSupported(_))), "{read:?}");
}

#[test]
fn a_payload_that_was_printed_elsewhere_is_not_ours() {
    let other = payload(&cover("M-1"), &crate::pages::CoverKey::new([1; 32])).unwrap();
    assert!(matches!(parse(&other, &key()), crate::pages::Payload::Doubtful(_)));
}
