//! Rows of a sheet of a workbook (`.xlsx`).
//!
//! A workbook is a zip, and its reader unpacks what it wants to. So everything in it is unpacked once before, to nowhere, and counted: what
//! is more than is taken is told by its real size.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};
use postroom_domain::data_upload::{Row, TableError};
use zip::ZipArchive;

use super::feed::Feed;
use super::{COLUMNS, Gone, Hand, LONGEST_ROW, headings};

/// The largest workbook, packed, in bytes.
const PACKED: usize = 64 << 20;
/// The most that all of it together may unpack to, in bytes.
const UNPACKED: u64 = 512 << 20;
/// The same for any one part but the sheets, which are read cell by cell: texts and styles are held in memory.
const HELD: u64 = 128 << 20;
/// The most parts.
const PARTS: usize = 10_000;
/// From here on a part may not unpack to more than a hundred times its size.
const SUSPICIOUS: u64 = 64 << 20;

pub(super) fn read(mut feed: Feed, sheet: &str, mut hand: Hand) {
    let bytes = match feed.all(PACKED) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let why = format!("a workbook may have at most {} MiB; save it as CSV", PACKED >> 20);
            return hand.fail(TableError::Unfit(why));
        }
        Err(error) => return hand.fail(error),
    };
    if let Err(error) = count(&bytes) {
        return hand.fail(error);
    }
    if let Err(Some(error)) = rows(bytes, sheet, &mut hand) {
        return hand.fail(error);
    }
    let _nobody_waits = hand.flush();
}

/// Unpacks everything to nowhere.
fn count(bytes: &[u8]) -> Result<(), TableError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > PARTS {
        return Err(bomb());
    }
    let mut all = 0;
    for number in 0..archive.len() {
        let part = archive.by_index(number).map_err(|error| damaged(&error))?;
        let (packed, sheet) =
            (part.compressed_size(), part.name().map_err(|error| damaged(&error))?.contains("worksheets/"));
        let most = if sheet { UNPACKED } else { HELD };
        let size =
            std::io::copy(&mut part.take(most + 1), &mut std::io::sink()).map_err(|error| damaged(&error))?;
        all += size;
        let blown_up = size > SUSPICIOUS && size / 100 > packed;
        if size > most || all > UNPACKED || blown_up {
            return Err(bomb());
        }
    }
    Ok(())
}

/// Hands the rows over. `Err(None)` when nobody wants more.
fn rows(bytes: Vec<u8>, sheet: &str, hand: &mut Hand) -> Result<(), Option<TableError>> {
    let gone = |_: Gone| None;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let sheets = book.sheet_names();
    let name = match sheets.iter().find(|name| sheet.is_empty() || name.eq_ignore_ascii_case(sheet)) {
        Some(name) => name.clone(),
        None => {
            let known = sheets.join("\", \"");
            return Err(Some(TableError::Unfit(format!(
                "there is no sheet \"{sheet}\" (there are: \"{known}\")"
            ))));
        }
    };
    let mut cells = book.worksheet_cells_reader(&name).map_err(|error| damaged(&error))?;
    let mut width = None;
    let mut row = Gathering::default();
    loop {
        let cell = cells.next_cell().map_err(|error| damaged(&error))?;
        let ended = cell.as_ref().is_none_or(|cell| u64::from(cell.get_position().0) + 1 != row.number);
        if ended && !row.is_blank() {
            let done = std::mem::take(&mut row);
            match width {
                None => {
                    let header = headings(done.cells)?;
                    width = Some(header.len());
                    hand.head(header, format!("Excel, sheet \"{name}\"")).map_err(gone)?;
                }
                Some(width) => hand.row(done.finish(width)).map_err(gone)?,
            }
        }
        let Some(cell) = cell else { break };
        let (at, column) = cell.get_position();
        if ended {
            row = Gathering { number: u64::from(at) + 1, ..Gathering::default() };
        }
        row.take(usize::try_from(column).unwrap_or(usize::MAX), cell.get_value());
    }
    match width {
        Some(_) => Ok(()),
        None => Err(Some(TableError::Unfit(format!("the sheet \"{name}\" is empty")))),
    }
}

/// A row whose cells are coming.
#[derive(Default)]
struct Gathering {
    number: u64,
    cells: Vec<String>,
    bytes: usize,
    unreadable: Option<String>,
}

impl Gathering {
    fn is_blank(&self) -> bool {
        self.unreadable.is_none() && self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    fn take(&mut self, column: usize, value: &DataRef<'_>) {
        let text = match text(value) {
            Ok(text) => text,
            Err(why) => {
                self.unreadable.get_or_insert(why);
                return;
            }
        };
        if text.is_empty() {
            return;
        }
        self.bytes += text.len();
        if column >= COLUMNS || self.bytes > LONGEST_ROW {
            let why = format!("it has more than {COLUMNS} columns or {LONGEST_ROW} bytes");
            self.unreadable.get_or_insert(why);
            return;
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        self.cells[column] = text;
    }

    /// Spreadsheets leave the end of a row away.
    fn finish(mut self, width: usize) -> Row {
        if self.cells.len() < width {
            self.cells.resize(width, String::new());
        }
        Row { number: self.number, cells: self.cells, unreadable: self.unreadable }
    }
}

/// A cell as text: numbers as they are shown without a format, dates as ISO 8601.
fn text(value: &DataRef<'_>) -> Result<String, String> {
    Ok(match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(time) if time.is_duration() => time.as_f64().to_string(),
        DataRef::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::Error(error) => return Err(format!("a cell holds the error {error}")),
    })
}

fn damaged(error: &dyn std::fmt::Display) -> TableError {
    TableError::Unfit(format!("the workbook cannot be read: {error}"))
}

fn bomb() -> TableError {
    TableError::Unfit("the workbook unpacks to more than is taken; save it as CSV".to_owned())
}
