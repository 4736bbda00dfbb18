//! Rows of CSV.

use std::cell::Cell;
use std::rc::Rc;

use csv::{ReaderBuilder, StringRecord};
use postroom_domain::data_upload::{Row, TableError};

use super::decode::{Decoded, beginning, encoding};
use super::feed::Feed;
use super::{Hand, headings};

/// What separates cells, with its name.
const SEPARATORS: [(u8, &str); 3] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs")];

pub(super) fn read(feed: Feed, sample: &[u8], mut hand: Hand) {
    let encoding = encoding(sample);
    let beginning = beginning(sample, encoding);
    let (separator, said) = separator(&beginning);
    let since_row = Rc::new(Cell::new(0));
    let decoded = Decoded::new(feed, encoding, Rc::clone(&since_row));
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(decoded);
    let mut record = StringRecord::new();
    if said && let Err(error) = reader.read_record(&mut record) {
        return hand.fail(unfit(error));
    }
    let header = match reader.read_record(&mut record) {
        Ok(true) => headings(cells(&record)),
        Ok(false) => Err(TableError::Unfit("the file has no header".to_owned())),
        Err(error) => Err(unfit(error)),
    };
    let header = match header {
        Ok(header) => header,
        Err(error) => return hand.fail(error),
    };
    let name = SEPARATORS.iter().find(|(byte, _)| *byte == separator).map_or("", |(_, name)| name);
    let width = header.len();
    if hand.head(header, format!("CSV, {}, {name}", encoding.name())).is_err() {
        return;
    }
    let mut number = 1;
    loop {
        since_row.set(0);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return hand.fail(unfit(error)),
        }
        number += 1;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let row = Row { number, cells: cells(&record), unreadable: misread(&record, width) };
        if hand.row(row).is_err() {
            return;
        }
    }
    let _nobody_waits = hand.flush();
}

/// Why a row is not to be believed.
fn misread(record: &StringRecord, width: usize) -> Option<String> {
    if record.len() < width {
        let has = record.len();
        return Some(format!("it has {has} cells where the header has {width}: is a line broken?"));
    }
    let broken = record.iter().any(|cell| cell.contains('\u{fffd}'));
    broken.then(|| "it holds bytes that are no text in the file's encoding".to_owned())
}

fn cells(record: &StringRecord) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}

/// What separates cells: what the first line says of it (`sep=;`, true then), or what stands in it most often outside of quotes.
fn separator(beginning: &str) -> (u8, bool) {
    let line = beginning.trim_start_matches('\u{feff}').lines().next().unwrap_or("");
    let said = line.trim_end_matches('\r').strip_prefix("sep=").map(str::as_bytes);
    if let Some([byte]) = said
        && SEPARATORS.iter().any(|(known, _)| known == byte)
    {
        return (*byte, true);
    }
    let mut quoted = false;
    let mut counts = [0_usize; 3];
    for byte in beginning.trim_start_matches('\u{feff}').bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = SEPARATORS.iter().position(|(known, _)| *known == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..3).rev().max_by_key(|at| counts[*at]).unwrap_or(0);
    (SEPARATORS[most].0, false)
}

fn unfit(error: csv::Error) -> TableError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match error.downcast::<TableError>() {
            Ok(own) => own,
            Err(other) => TableError::Spool(other.to_string()),
        },
        other => TableError::Unfit(format!("the file cannot be read as CSV: {other:?}")),
    }
}
