//! Files as tables: CSV in whatever encoding and with whatever separator, and workbooks of Excel.
//!
//! Files are foreign: everything here is bounded by what really comes, not by what a file says of itself. Rows are read by a thread of
//! their own and handed over in portions, so that memory does not grow with the file and nobody else waits for a parser.

mod csv_rows;
mod decode;
mod feed;
mod workbook;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::StreamExt as _;
use postroom_domain::Fut;
use postroom_domain::data_upload::{Row, Table, TableError, Tables};
use postroom_domain::dms::Content;
use tokio::sync::mpsc;

use self::feed::Feed;

/// Rows that a thread hands over at once.
const PORTION: usize = 500;
/// The most headings a table may have.
pub(crate) const COLUMNS: usize = 1000;
/// The longest row, in bytes: what a missing quote would otherwise make of the rest of the file.
pub(crate) const LONGEST_ROW: usize = 4 << 20;

/// Reads CSV files and workbooks (`.xlsx`).
#[derive(Debug, Clone, Copy, Default)]
pub struct FileTables;

impl Tables for FileTables {
    fn open<'a>(
        &'a self,
        content: Arc<dyn Content>,
        sheet: &'a str,
    ) -> Fut<'a, Result<Box<dyn Table>, TableError>> {
        Box::pin(async move {
            let (feed, bytes) = mpsc::channel(4);
            tokio::spawn(pump(content, feed));
            let (out, mut rows) = mpsc::channel(4);
            let sheet = sheet.to_owned();
            tokio::task::spawn_blocking(move || {
                let hand = Hand { out, portion: Vec::new() };
                read(Feed::new(bytes), &sheet, hand);
            });
            match rows.recv().await {
                Some(Ok(Handed::Head { header, format })) => {
                    Ok(Box::new(FileTable { header, format, rows, ready: Vec::new().into_iter() })
                        as Box<dyn Table>)
                }
                Some(Err(error)) => Err(error),
                Some(Ok(Handed::Rows(_))) | None => Err(ended()),
            }
        })
    }
}

/// What a thread hands over: first the head, then rows.
enum Handed {
    Head { header: Vec<String>, format: String },
    Rows(Vec<Row>),
}

/// The end of a thread that hands rows over.
struct Hand {
    out: mpsc::Sender<Result<Handed, TableError>>,
    portion: Vec<Row>,
}

/// Nobody wants more rows.
struct Gone;

impl Hand {
    fn head(&mut self, header: Vec<String>, format: String) -> Result<(), Gone> {
        self.out.blocking_send(Ok(Handed::Head { header, format })).map_err(|_| Gone)
    }

    fn row(&mut self, row: Row) -> Result<(), Gone> {
        self.portion.push(row);
        if self.portion.len() < PORTION { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Gone> {
        if self.portion.is_empty() {
            return Ok(());
        }
        self.out.blocking_send(Ok(Handed::Rows(std::mem::take(&mut self.portion)))).map_err(|_| Gone)
    }

    /// The rows that were read before come before the error.
    fn fail(mut self, error: TableError) {
        if self.flush().is_ok() {
            let _nobody_waits = self.out.blocking_send(Err(error));
        }
    }
}

/// Hands a content's bytes to the thread that reads them.
async fn pump(content: Arc<dyn Content>, feed: mpsc::Sender<std::io::Result<bytes::Bytes>>) {
    match content.open().await {
        Err(error) => drop(feed.send(Err(error)).await),
        Ok(mut stream) => {
            while let Some(piece) = stream.next().await {
                if feed.send(piece).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn read(mut feed: Feed, sheet: &str, hand: Hand) {
    let sample = match feed.sample() {
        Ok(sample) => sample,
        Err(error) => return hand.fail(error),
    };
    if sample.is_empty() {
        return hand.fail(TableError::Unfit("the file is empty".to_owned()));
    }
    if sample.starts_with(b"PK\x03\x04") {
        return workbook::read(feed, sheet, hand);
    }
    if sample.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let why = "the file is a workbook of an old Excel, or one with a password; save it as .xlsx or CSV";
        return hand.fail(TableError::Unfit(why.to_owned()));
    }
    csv_rows::read(feed, &sample, hand);
}

/// Trims headings and refuses what cannot be any.
fn headings(cells: Vec<String>) -> Result<Vec<String>, TableError> {
    let mut header: Vec<String> = cells.into_iter().map(|cell| cell.trim().to_owned()).collect();
    while header.last().is_some_and(String::is_empty) {
        header.pop();
    }
    if header.is_empty() {
        return Err(TableError::Unfit("the first row is empty, where the headings belong".to_owned()));
    }
    if header.len() > COLUMNS {
        return Err(TableError::Unfit(format!("the table has more than {COLUMNS} columns")));
    }
    if header.iter().any(|heading| heading.contains(char::is_control)) {
        return Err(TableError::Unfit("the file is neither CSV nor a workbook (.xlsx)".to_owned()));
    }
    Ok(header)
}

fn ended() -> TableError {
    TableError::Unfit("the file cannot be read: what reads it ended".to_owned())
}

/// A file that is being read.
struct FileTable {
    header: Vec<String>,
    format: String,
    rows: mpsc::Receiver<Result<Handed, TableError>>,
    ready: std::vec::IntoIter<Row>,
}

impl Table for FileTable {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn format(&self) -> String {
        self.format.clone()
    }

    fn next(&mut self, most: usize) -> Fut<'_, Result<Vec<Row>, TableError>> {
        Box::pin(async move {
            let mut portion = Vec::new();
            while portion.len() < most {
                if let Some(row) = self.ready.next() {
                    portion.push(row);
                    continue;
                }
                match self.rows.recv().await {
                    Some(Ok(Handed::Rows(rows))) => self.ready = rows.into_iter(),
                    Some(Ok(Handed::Head { .. })) => {}
                    // What was read before it is handed over first; asked again, the error stands.
                    Some(Err(error)) if portion.is_empty() => return Err(error),
                    Some(Err(error)) => {
                        self.rows = failing(error).await;
                        break;
                    }
                    None => break,
                }
            }
            Ok(portion)
        })
    }
}

/// A receiver that has nothing but this error.
async fn failing(error: TableError) -> mpsc::Receiver<Result<Handed, TableError>> {
    let (send, receive) = mpsc::channel(1);
    let _there_is_room = send.send(Err(error)).await;
    receive
}
