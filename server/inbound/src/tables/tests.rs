//! Files of all kinds, as they come out of other people's programs.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::data_upload::{Row, Table, TableError, Tables as _};
use postroom_domain::dms::{ByteStream, Content};
use postroom_domain::ids::BlobHash;

use super::FileTables;

/// Bytes in pieces of an awkward size.
struct Pieces(Vec<u8>, usize);

impl Content for Pieces {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn hash(&self) -> BlobHash {
        BlobHash::new([0; 32])
    }
    fn open(&self) -> Fut<'_, std::io::Result<ByteStream>> {
        let pieces: Vec<std::io::Result<Bytes>> =
            self.0.chunks(self.1).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Box::pin(async move { Ok(Box::pin(futures_util::stream::iter(pieces)) as ByteStream) })
    }
}

async fn open(bytes: &[u8], piece: usize, sheet: &str) -> Result<Box<dyn Table>, TableError> {
    FileTables.open(Arc::new(Pieces(bytes.to_vec(), piece)), sheet).await
}

async fn all(table: &mut dyn Table) -> Result<Vec<Row>, TableError> {
    let mut rows = Vec::new();
    loop {
        let portion = table.next(3).await?;
        if portion.is_empty() {
            return Ok(rows);
        }
        rows.extend(portion);
    }
}

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    text.encode_utf16()
        .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
        .collect()
}

/// The same table in every dress it comes in.
#[tokio::test]
async fn csv_is_read_whatever_wrote_it() {
    let plain = "No,Title\r\n1,\"Müller, \"\"M\"\"\"\r\n2,=1+1\r\n";
    let western: Vec<u8> = plain.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("plain", plain.into(), "CSV, UTF-8, commas"),
        ("mark", format!("\u{feff}{plain}").into(), "CSV, UTF-8, commas"),
        ("UTF-16 LE", utf16(plain, true, true), "CSV, UTF-16LE, commas"),
        ("UTF-16 BE", utf16(plain, false, true), "CSV, UTF-16BE, commas"),
        ("UTF-16 LE without mark", utf16(plain, true, false), "CSV, UTF-16LE, commas"),
        ("UTF-16 BE without mark", utf16(plain, false, false), "CSV, UTF-16BE, commas"),
        ("Windows", western, "CSV, windows-1252, commas"),
        ("line feeds", plain.replace("\r\n", "\n").into(), "CSV, UTF-8, commas"),
        ("carriage returns", plain.replace("\r\n", "\r").into(), "CSV, UTF-8, commas"),
        ("mixed", plain.replacen("\r\n", "\n", 1).replacen("\r\n", "\r", 1).into(), "CSV, UTF-8, commas"),
        ("no end", plain.trim_end().into(), "CSV, UTF-8, commas"),
        ("semicolons", "No;Title\n1;\"Müller, \"\"M\"\"\"\n2;=1+1\n".into(), "CSV, UTF-8, semicolons"),
        ("tabs", "No\tTitle\n1\t\"Müller, \"\"M\"\"\"\n2\t=1+1\n".into(), "CSV, UTF-8, tabs"),
        (
            "said",
            "sep=;\r\nNo;Title\r\n1;\"Müller, \"\"M\"\"\"\r\n2;=1+1\r\n".into(),
            "CSV, UTF-8, semicolons",
        ),
        ("spaces", " No , Title \n1,\"Müller, \"\"M\"\"\"\n2,=1+1\n".into(), "CSV, UTF-8, commas"),
    ];
    for (what, bytes, format) in table {
        for piece in [1, 2, 3, 7, 1 << 20] {
            let mut table = open(&bytes, piece, "").await.unwrap();
            assert_eq!(table.header(), ["No", "Title"], "{what}");
            assert_eq!(table.format(), format, "{what}");
            let rows = all(table.as_mut()).await.unwrap();
            let row = |number, cells: [&str; 2]| Row {
                number,
                cells: cells.map(str::to_owned).to_vec(),
                unreadable: None,
            };
            assert_eq!(rows, [row(2, ["1", "Müller, \"M\""]), row(3, ["2", "=1+1"])], "{what}, {piece}");
        }
    }
}

#[tokio::test]
async fn bad_rows_stop_nobody_and_bad_files_say_why() {
    let mut bytes = b"No,Title\n1\n2,b,c\n,,\n\n3,\xff\n4,\"a\nb\"\n5,e\n".to_vec();
    // Longer than what is looked at before the encoding is known.
    let fill = b"6,f\n".repeat(20_000);
    bytes.splice(9..9, fill);
    let mut table = open(&bytes, 1000, "").await.unwrap();
    let rows = all(table.as_mut()).await.unwrap();
    assert_eq!(rows.len(), 20_000 + 5);
    let told: Vec<(&str, Option<&str>)> =
        rows[20_000..].iter().map(|row| (row.cells[0].as_str(), row.unreadable.as_deref())).collect();
    let short = Some("it has 1 cells where the header has 2: is a line broken?");
    let bytes = Some("it holds bytes that are no text in the file's encoding");
    assert_eq!(told, [("1", short), ("2", None), ("3", bytes), ("4", None), ("5", None)]);
    assert_eq!(rows[20_003].cells[1], "a\nb");

    let endless = [b"No,Title\n1,\"".as_slice(), &b"x".repeat(5 << 20)].concat();
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "empty"),
        ("blank", b"\n\n".to_vec(), "no header"),
        ("no headings", b",,\n1,2,3\n".to_vec(), "first row is empty"),
        ("something else", vec![0, 1, 2, 3, 0xff, 7, 9, 8], "neither CSV nor"),
        ("an old workbook", vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1], "save it as .xlsx"),
        ("a broken zip", b"PK\x03\x04 no zip at all".to_vec(), "cannot be read"),
        (
            "columns",
            "c,".repeat(1001).into_bytes().into_iter().chain(*b"c\n").collect(),
            "more than 1000 columns",
        ),
    ];
    for (what, bytes, why) in table {
        let Err(TableError::Unfit(told)) = open(&bytes, 1000, "").await else { panic!("{what} was opened") };
        assert!(told.contains(why), "{what}: {told}");
    }
    let mut table = open(&endless, 65_536, "").await.unwrap();
    let Err(TableError::Unfit(told)) = all(table.as_mut()).await else {
        panic!("a row without an end was read")
    };
    assert!(told.contains("is a quote missing?"), "{told}");
}

/// A workbook with one sheet.
fn workbook(sheet: &str, more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "{head}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{head}<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "{head}<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"{office}/sharedStrings\" Target=\"sharedStrings.xml\"/><Relationship Id=\"r3\" Type=\"{office}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "{head}<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"Matters\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                "{head}<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
            ),
        ),
        (
            "xl/sharedStrings.xml",
            format!("{head}<sst xmlns=\"{main}\"><si><t>No</t></si><si><t>Title</t></si></sst>"),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("{head}<worksheet xmlns=\"{main}\"><sheetData>{sheet}</sheetData></worksheet>"),
        ),
    ];
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in parts {
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    for (name, content) in more {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const HEADER: &str = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>";

#[tokio::test]
async fn workbooks_are_read_cell_by_cell() {
    let sheet = format!(
        "{HEADER}<row r=\"2\"><c r=\"A2\"><v>7</v></c><c r=\"B2\" t=\"inlineStr\"><is><t>Harrow v Teal</t></is></c></row>\
         <row r=\"4\"><c r=\"A4\"><v>7.5</v></c></row>\
         <row r=\"5\"><c r=\"A5\" s=\"1\"><v>46353</v></c><c r=\"B5\" t=\"b\"><v>1</v></c></row>\
         <row r=\"6\"><c r=\"A6\"><f>1/0</f><v>#DIV/0!</v></c><c r=\"B6\" t=\"e\"><v>#DIV/0!</v></c></row>\
         <row r=\"7\"><c r=\"A7\" t=\"str\"><f>\"=1+1\"</f><v>=1+1</v></c></row>"
    );
    let bytes = workbook(&sheet, &[]);
    let mut table = open(&bytes, 100, "matters").await.unwrap();
    assert_eq!(
        (table.header(), table.format().as_str()),
        (["No", "Title"].map(str::to_owned).as_slice(), "Excel, sheet \"Matters\"")
    );
    let rows = all(table.as_mut()).await.unwrap();
    let told: Vec<(u64, String, Option<&str>)> =
        rows.iter().map(|row| (row.number, row.cells.join("|"), row.unreadable.as_deref())).collect();
    assert_eq!(
        told[..3],
        [(2, "7|Harrow v Teal".into(), None), (4, "7.5|".into(), None), (5, "2026-11-27|true".into(), None)]
    );
    assert_eq!((told[3].0, told[3].2), (6, Some("a cell holds the error #DIV/0!")));
    assert_eq!(told[4], (7, "=1+1|".into(), None));

    let Err(TableError::Unfit(why)) = open(&bytes, 100, "Clients").await else {
        panic!("a sheet that is not there")
    };
    assert!(why.contains("\"Clients\"") && why.contains("\"Matters\""), "{why}");
}

#[tokio::test]
async fn a_workbook_that_unpacks_to_more_than_is_taken_is_refused() {
    // A few hundred kilobytes that want to be 200 MB, and many parts.
    let huge = workbook(HEADER, &[("xl/media/huge.xml", vec![b' '; 200 << 20])]);
    assert!(huge.len() < 1 << 20, "{}", huge.len());
    let many: Vec<(String, Vec<u8>)> =
        (0..10_000).map(|number| (format!("x/{number}"), Vec::new())).collect();
    let many: Vec<(&str, Vec<u8>)> =
        many.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    for bytes in [huge, workbook(HEADER, &many)] {
        let Err(TableError::Unfit(why)) = open(&bytes, 65_536, "").await else { panic!("a bomb was opened") };
        assert!(why.contains("unpacks to more"), "{why}");
    }
}
