//! Files of scans, written here byte for byte.

use std::fmt::Write as _;
use std::io::Cursor;

use tiff::encoder::{Compression, TiffEncoder, colortype};

use crate::pages::Gray;

/// A PDF of these objects, numbered from 1; the first is the catalogue.
pub(super) fn pdf_of(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = String::new();
    for (number, object) in (1..).zip(objects) {
        writeln!(table, "{:010} 00000 n ", out.len()).unwrap();
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let (at, size) = (out.len(), objects.len() + 1);
    out.extend(format!("xref\n0 {size}\n0000000000 65535 f \n{table}").bytes());
    out.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").bytes());
    out
}

pub(super) fn stream(about: &str, data: &[u8]) -> Vec<u8> {
    [format!("<< {about} /Length {} >>\nstream\n", data.len()).as_bytes(), data, b"\nendstream"].concat()
}

/// A PDF with a page for each text. Font, size and turn are inherited from the tree; each page has a note that leads to the next
/// page, and one that only it has.
pub(super) fn pdf_of_texts(texts: &[&str]) -> Vec<u8> {
    const FIRST: usize = 4;
    const EACH: usize = 4;
    let page = |index: usize| FIRST + index * EACH;
    let kids: Vec<String> = (0..texts.len()).map(|index| format!("{} 0 R", page(index))).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R /Outlines << /First << /Title (bookmark) >> >> >>".to_vec(),
        format!(
            "<< /Type /Pages /Count {} /Kids [ {} ] /MediaBox [0 0 300 400.5] /Rotate 90 \
             /Resources << /Font << /F1 3 0 R >> >> >>",
            texts.len(),
            kids.join(" ")
        )
        .into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    for (index, text) in texts.iter().enumerate() {
        let (own, next) = (page(index), page((index + 1) % texts.len()));
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /Contents {} 0 R /Annots [ {} 0 R {} 0 R ] >>",
                own + 1,
                own + 2,
                own + 3
            )
            .into_bytes(),
        );
        objects.push(stream("", format!("BT /F1 20 Tf 20 200 Td (page {text}) Tj ET").as_bytes()));
        objects.push(
            format!(
                "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Dest [ {next} 0 R /Fit ] /P {own} 0 R >>"
            )
            .into_bytes(),
        );
        objects.push(
            format!(
                "<< /Type /Annot /Subtype /Text /Rect [9 9 18 18] /Contents (note on {text}) /P {own} 0 R >>"
            )
            .into_bytes(),
        );
    }
    pdf_of(&objects)
}

/// A PDF with a page of A4 for each picture.
pub(super) fn pdf_of_pictures(pages: &[Gray]) -> Vec<u8> {
    let page = |index: usize| 3 + index * 3;
    let kids: Vec<String> = (0..pages.len()).map(|index| format!("{} 0 R", page(index))).collect();
    let tree = format!(
        "<< /Type /Pages /Count {} /Kids [ {} ] /MediaBox [0 0 595 842] >>",
        pages.len(),
        kids.join(" ")
    );
    let mut objects = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), tree.into_bytes()];
    for (index, picture) in pages.iter().enumerate() {
        let own = page(index);
        let about = format!(
            "/Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace /DeviceGray /BitsPerComponent 8",
            picture.width(),
            picture.height()
        );
        let (content, image) = (own + 1, own + 2);
        let resources = format!("<< /XObject << /I {image} 0 R >> >>");
        objects.push(
            format!("<< /Type /Page /Parent 2 0 R /Contents {content} 0 R /Resources {resources} >>")
                .into_bytes(),
        );
        objects.push(stream("", b"595 0 0 842 0 0 cm /I Do"));
        objects.push(stream(&about, picture.pixels()));
    }
    pdf_of(&objects)
}

/// How many kinds [`tiff_of`] knows.
pub(super) const TIFFS: usize = 5;

/// A TIFF of small pages, packed in one of five ways.
pub(super) fn tiff_of(kind: usize, pages: usize) -> Vec<u8> {
    let picture = |page: usize| {
        let pixels = (0..64 * 48).map(|at| u8::try_from((at * (page + 3) / 7) % 256).unwrap()).collect();
        Gray::new(64, 48, pixels).unwrap()
    };
    let pages: Vec<Gray> = (0..pages).map(picture).collect();
    match kind {
        0 => tiff_packed(&pages, Compression::Uncompressed),
        1 => tiff_packed(&pages, Compression::Lzw),
        2 => tiff_packed(&pages, Compression::Deflate(tiff::encoder::DeflateLevel::Balanced)),
        3 => tiff_packed(&pages, Compression::Packbits),
        _ => tiff_fax(&pages, 4),
    }
}

pub(super) fn tiff_packed(pages: &[Gray], compression: Compression) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out).unwrap().with_compression(compression);
    for page in pages {
        let size = |side: usize| u32::try_from(side).unwrap();
        let mut image =
            encoder.new_image::<colortype::Gray8>(size(page.width()), size(page.height())).unwrap();
        image.rows_per_strip(20).unwrap();
        image.write_data(page.pixels()).unwrap();
    }
    out.into_inner()
}

/// A TIFF of black and white: plain bits (1), group 3 of one dimension without (2) and with ends of lines (3), or group 4 (4), in
/// which 0 is white. Big-endian, as fax servers write them.
pub(super) fn tiff_fax(pages: &[Gray], compression: u16) -> Vec<u8> {
    let mut out = b"MM\0*\0\0\0\0".to_vec();
    let mut link = 4;
    for page in pages {
        let strip = match compression {
            1 => bits(page),
            4 => group_4(page),
            _ => group_3(page, compression == 3),
        };
        let at = out.len();
        out.extend(&strip);
        out.resize(out.len().next_multiple_of(2), 0);
        let directory = u32::try_from(out.len()).unwrap();
        out[link..link + 4].copy_from_slice(&directory.to_be_bytes());
        let size = |side: usize| u32::try_from(side).unwrap();
        let entries: [(u16, u32); 8] = [
            (256, size(page.width())),
            (257, size(page.height())),
            (258, 1),
            (259, u32::from(compression)),
            (262, 0),
            (273, size(at)),
            (278, size(page.height())),
            (279, size(strip.len())),
        ];
        out.extend(u16::try_from(entries.len()).unwrap().to_be_bytes());
        for (tag, value) in entries {
            out.extend(tag.to_be_bytes());
            out.extend(4_u16.to_be_bytes());
            out.extend(1_u32.to_be_bytes());
            out.extend(value.to_be_bytes());
        }
        link = out.len();
        out.extend([0; 4]);
    }
    out
}

fn bits(page: &Gray) -> Vec<u8> {
    let byte = |eight: &[u8]| {
        (0..8).fold(0, |byte, at| byte << 1 | u8::from(eight.get(at).is_some_and(|&pixel| pixel < 128)))
    };
    (0..page.height()).flat_map(|y| page.row(y).chunks(8).map(byte)).collect()
}

fn group_4(page: &Gray) -> Vec<u8> {
    let mut encoder = fax::encoder::Encoder::new(fax::VecWriter::new());
    let width = u16::try_from(page.width()).unwrap();
    for y in 0..page.height() {
        let row = page.row(y).iter();
        let colours = row.map(|&pixel| if pixel < 128 { fax::Color::Black } else { fax::Color::White });
        encoder.encode_line(colours, width).unwrap();
    }
    encoder.finish().unwrap().finish()
}

/// Group 3 of one dimension: each row by its runs.
fn group_3(page: &Gray, ends_of_lines: bool) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let push = |bits: &mut Vec<bool>, code: &str| bits.extend(code.bytes().map(|bit| bit == b'1'));
    for y in 0..page.height() {
        if ends_of_lines {
            push(&mut bits, "000000000001");
        }
        let mut black = false;
        let mut row: Vec<bool> = page.row(y).iter().map(|&pixel| pixel < 128).collect();
        row.push(!row.last().unwrap());
        let mut run = 0;
        for pixel in row {
            if pixel != black {
                push(&mut bits, &run_code(run, black));
                (black, run) = (pixel, 0);
            }
            run += 1;
        }
        if !ends_of_lines {
            bits.resize(bits.len().next_multiple_of(8), false);
        }
    }
    let byte = |eight: &[bool]| (0..8).fold(0, |byte, at| byte << 1 | u8::from(eight.get(at) == Some(&true)));
    bits.chunks(8).map(byte).collect()
}

/// The codes of T.4 for the runs that the test has.
fn run_code(run: usize, black: bool) -> String {
    let white = [
        "00110101", "000111", "0111", "1000", "1011", "1100", "1110", "1111", "10011", "10100", "00111",
        "01000", "001000", "000011", "110100", "110101",
    ];
    let ink = [
        "0000110111",
        "010",
        "11",
        "10",
        "011",
        "0011",
        "0010",
        "00011",
        "000101",
        "000100",
        "0000100",
        "0000101",
        "0000111",
        "00000100",
        "00000111",
        "000011000",
    ];
    if black { ink[run] } else { white[run] }.to_owned()
}
