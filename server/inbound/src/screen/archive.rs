//! Looks into archives: what lies in them is screened, and which kinds of files they hold is remembered for block lists. What is filed is
//! the archive itself, and nothing is ever unpacked onto a disk under a name of its own.
//!
//! An archive is a stranger's. Its bytes go by twice, from the first to the last: once for the list at its end, once for what the list
//! says. What comes out is counted as it comes out, whatever the list claims, and memory does not grow with it. ZIP is opened (the list is
//! read by a kept crate, files are inflated by another); other kinds, what is encrypted and what is damaged "cannot be looked into".

mod forward;
mod inflate;
mod list;
#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use postroom_domain::block_list::HEAD;
use postroom_domain::dms::ByteStream;
use postroom_domain::mailroom::Unread;
use postroom_domain::screening::{ARCHIVE_BOMB, Inside, Judgement, NOT_SCANNED, Verdict, judge, shown};
use postroom_domain::spool::{Blob, Draft, Spool};
use serde::Deserialize;
use tokio::sync::mpsc;

use self::forward::Forward;
use self::inflate::Coming;
use self::list::{Entry, Listed};
use super::{NoVerdict, Screener};

/// What becomes of an archive that cannot be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenClosed {
    /// It is set aside for a person.
    #[default]
    Ask,
    /// It is filed closed, with a line in its trace.
    File,
}

/// How far archives are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes that come out, of everything together.
    pub bytes: u64,
    /// Files, of everything together.
    pub entries: usize,
    /// How many times as large as the archive what comes out may be, beyond [`Bounds::ratio_after`].
    pub ratio: u64,
    /// Bytes that may come out of the smallest archive.
    pub ratio_after: u64,
    /// Archives within each other, the outermost counted.
    pub depth: usize,
    /// Bytes of the list at an archive's end.
    pub list: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 1 << 30, entries: 10_000, ratio: 100, ratio_after: 64 << 20, depth: 3, list: 8 << 20 }
    }
}

/// How archives are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArchiveOptions {
    /// What becomes of one that cannot be looked into.
    pub when_closed: WhenClosed,
    /// How far.
    pub bounds: Bounds,
}

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// One that is opened.
    Zip,
    /// A document of an Office program, which is a ZIP inside. It is opened like one, except where it lies too deep.
    Office,
    /// One that is not opened.
    Other(&'static str),
}

/// What content is, as far as archives go.
fn sort(head: &[u8]) -> Option<Sort> {
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|mark| head.starts_with(*mark)) {
        // The name of the first file, behind the fixed part of its header.
        let first = head.get(30..).unwrap_or_default();
        return Some(if OFFICE.iter().any(|name| first.starts_with(name)) {
            Sort::Office
        } else {
            Sort::Zip
        });
    }
    match infer::get(head).map(|kind| kind.extension()) {
        Some(
            kind @ ("7z" | "rar" | "gz" | "bz2" | "xz" | "zst" | "lz" | "lz4" | "tar" | "cab" | "ar" | "Z"),
        ) => Some(Sort::Other(kind)),
        _ => None,
    }
}

/// How the first file of an Office document is called.
const OFFICE: [&[u8]; 7] =
    [b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/", b"mimetype"];

/// What came of looking into something.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It is no archive.
    NoArchive,
    /// It may be filed; lines for the trace, and what lies in it.
    Through(Vec<String>, Inside),
    /// It is set aside.
    SetAside(Unread),
}

/// Why looking ended.
enum Stop {
    /// It unpacks to more than is looked at.
    Bomb(String),
    /// It cannot be looked into.
    Closed(String),
    /// Something in it is set aside.
    SetAside(Unread),
    /// There is no verdict.
    NoVerdict(NoVerdict),
}

impl From<NoVerdict> for Stop {
    fn from(why: NoVerdict) -> Self {
        Self::NoVerdict(why)
    }
}

/// Looks into archives of the spool.
#[derive(Clone)]
pub(crate) struct Archives {
    options: ArchiveOptions,
    spool: Arc<dyn Spool>,
}

/// One look.
struct Look<'a> {
    archives: &'a Archives,
    /// Who screens what comes out, if anybody.
    screener: Option<&'a Screener>,
    /// A person vouches for it: nothing in it stops it any more.
    vouched: bool,
    /// The outermost archive.
    outermost: Blob,
    /// Its name in words.
    name: &'a str,
    bytes: u64,
    entries: usize,
    inside: Inside,
    lines: Vec<String>,
    /// Whether the archive that is being looked into is an Office document.
    office: bool,
}

impl Archives {
    pub(crate) fn new(options: ArchiveOptions, spool: Arc<dyn Spool>) -> Self {
        Self { options, spool }
    }

    /// Looks into a content, if it is an archive. Its name is told in words. Where a person vouches for it, it is looked into for what block
    /// lists ask, and nothing that is found there stops it.
    pub(crate) async fn look(
        &self,
        name: &str,
        blob: Blob,
        screener: Option<&Screener>,
        vouched: bool,
    ) -> Result<Looked, NoVerdict> {
        let mut head = Vec::new();
        let mut forward = self.open(blob).await?;
        while head.len() < HEAD {
            let Some(piece) = forward.piece(HEAD as u64).await.map_err(content)? else { break };
            head.extend_from_slice(&piece);
        }
        drop(forward);
        let Some(sort) = sort(&head) else { return Ok(Looked::NoArchive) };
        let mut look = Look {
            archives: self,
            screener,
            vouched,
            outermost: blob,
            name,
            bytes: 0,
            entries: 0,
            inside: Inside::of(blob.hash),
            lines: Vec::new(),
            office: false,
        };
        // A reader of foreign bytes that panics in spite of everything costs one archive.
        let looked = AssertUnwindSafe(look.archive(blob, sort, "", 1)).catch_unwind().await;
        let stop = match looked {
            Ok(Ok(())) => None,
            Ok(Err(Stop::NoVerdict(why))) => return Err(why),
            Ok(Err(stop)) => Some(stop),
            Err(_) => Some(Stop::Closed("its reader gave up on it".to_owned())),
        };
        Ok(look.end(stop))
    }

    async fn open(&self, blob: Blob) -> Result<Forward, NoVerdict> {
        let opened = self.spool.content(blob).await.map_err(NoVerdict::Spool)?;
        Ok(Forward::new(opened.open().await.map_err(content)?))
    }
}

fn content(error: impl std::fmt::Display) -> NoVerdict {
    NoVerdict::Content(error.to_string())
}

impl Look<'_> {
    fn end(self, stop: Option<Stop>) -> Looked {
        let (mut lines, name) = (self.lines, self.name);
        let vouched = self.vouched;
        let set_aside = |code, text| Looked::SetAside(Unread { code, text });
        match stop {
            Some(Stop::Bomb(why)) if !vouched => {
                return set_aside(ARCHIVE_BOMB, format!("{name} unpacks to more than is looked at: {why}"));
            }
            Some(Stop::Closed(why)) if !vouched && self.archives.options.when_closed == WhenClosed::Ask => {
                return set_aside(NOT_SCANNED, format!("{name} cannot be looked into: {why}"));
            }
            Some(Stop::SetAside(why)) => return Looked::SetAside(why),
            Some(Stop::Bomb(why) | Stop::Closed(why)) => {
                lines.push(format!("{name} was not looked through to its end, and is filed closed: {why}"));
            }
            Some(Stop::NoVerdict(_)) | None => {
                lines.push(format!("{name} was looked into: {} file(s) lie in it", self.entries));
            }
        }
        Looked::Through(lines, self.inside)
    }

    /// Looks into one archive; `path` is what stands in front of its files' names.
    fn archive<'s>(
        &'s mut self,
        blob: Blob,
        sort: Sort,
        path: &'s str,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 's>> {
        Box::pin(async move {
            if let Sort::Other(kind) = sort {
                return Err(Stop::Closed(format!("{}.{kind} archives are not opened", within(path))));
            }
            let bounds = self.archives.options.bounds;
            let mut first = self.archives.open(blob).await?;
            let tail = first.tail(blob.size, bounds.list).await.map_err(content)?;
            drop(first);
            let room = bounds.entries - self.entries.min(bounds.entries);
            let (entries, list_begins) = match list::read(&tail, blob.size, room) {
                Ok(Listed::All(entries, list_begins)) => (entries, list_begins),
                Ok(Listed::TooMany) => {
                    return Err(Stop::Bomb(format!(
                        "{}more than {} files lie in it",
                        within(path),
                        bounds.entries
                    )));
                }
                Ok(Listed::Overlapping) => {
                    return Err(Stop::Bomb(format!("{}files in it lie on top of each other", within(path))));
                }
                Err(why) => return Err(Stop::Closed(format!("{}{why}", within(path)))),
            };
            self.entries += entries.len();
            self.office =
                entries.iter().any(|it| matches!(it.name.as_str(), "[Content_Types].xml" | "mimetype"));
            let mut forward = self.archives.open(blob).await?;
            let mut nested = Vec::new();
            for (number, entry) in entries.iter().enumerate() {
                let end = entries.get(number + 1).map_or(list_begins, |next| next.offset);
                let name = format!("{path}{}", entry.name);
                nested.extend(self.file(&mut forward, entry, end, &name, depth).await?);
            }
            drop(forward);
            for (blob, sort, name) in nested {
                self.archive(blob, sort, &format!("{name}/"), depth + 1).await?;
            }
            Ok(())
        })
    }

    /// Looks through one file; answers it where it is an archive that has to be looked into in its turn.
    async fn file(
        &mut self,
        forward: &mut Forward,
        entry: &Entry,
        end: u64,
        name: &str,
        depth: usize,
    ) -> Result<Option<(Blob, Sort, String)>, Stop> {
        let shown_name = shown(name);
        let damaged = |why: &str| Stop::Closed(format!("\"{shown_name}\" in it {why}"));
        if entry.encrypted {
            // Its name can be read all the same.
            self.remember(name, &[])?;
            return Err(damaged("is encrypted"));
        }
        let begin = forward.local_header(entry.offset).await.map_err(content)?;
        let Some(begin) = begin else { return Err(damaged("is not where the list says")) };
        if begin.saturating_add(entry.packed) > end {
            return Err(Stop::Bomb(format!(
                "\"{shown_name}\" and another file in it lie on top of each other"
            )));
        }
        let Some(coming) = Coming::new(entry) else {
            self.remember(name, &[])?;
            return Err(damaged(&format!("is packed in a way that is not opened (method {})", entry.method)));
        };
        let (to_scanner, from_file) = mpsc::channel(4);
        let screener = self.screener.filter(|_| entry.packed > 0);
        let hash = self.outermost.hash;
        let scanning = async {
            match screener {
                Some(screener) => screener.within(hash, stream_of(from_file)).await.map(Some),
                None => Ok(None),
            }
        };
        let to_scanner = screener.is_some().then_some(to_scanner);
        let (verdict, pumped) = tokio::join!(scanning, self.pump(forward, coming, depth, to_scanner));
        let pumped = match pumped {
            Err(Ended::TooMuch(why)) => return Err(Stop::Bomb(why)),
            Err(Ended::Damaged(why)) => return Err(damaged(&why)),
            Err(Ended::NoVerdict(why)) => return Err(why.into()),
            Ok(pumped) => pumped,
        };
        if pumped.bytes > entry.declared {
            return Err(Stop::Bomb(format!(
                "\"{shown_name}\" in it says that it has {} bytes, and {} come out",
                entry.declared, pumped.bytes
            )));
        }
        if pumped.bytes < entry.declared || pumped.crc != entry.crc {
            return Err(damaged("is damaged"));
        }
        self.remember(name, &pumped.head)?;
        if let Some(verdict) = verdict? {
            self.judged(&shown_name, &verdict)?;
        }
        let Some(inner) = sort(&pumped.head) else { return Ok(None) };
        match (pumped.draft, inner) {
            (Some(draft), inner) => {
                let blob = draft.seal().await.map_err(NoVerdict::Spool)?;
                Ok(Some((blob, inner, name.to_owned())))
            }
            // A document of an Office program that lies too deep is as it is; the scanner has seen it.
            (None, Sort::Office) => Ok(None),
            (None, Sort::Other(kind)) => Err(damaged(&format!("is a .{kind} archive, which is not opened"))),
            (None, Sort::Zip) => {
                let most = self.archives.options.bounds.depth;
                Err(Stop::Bomb(format!("more than {most} archives lie within each other (\"{shown_name}\")")))
            }
        }
    }

    fn judged(&mut self, name: &str, verdict: &Verdict) -> Result<(), Stop> {
        let Some(screener) = self.screener else { return Ok(()) };
        match judge(screener.mode(), &format!("\"{name}\" in {}", self.name), verdict) {
            Judgement::Pass => {}
            Judgement::Noted(line) => self.lines.push(line),
            Judgement::SetAside(why) => return Err(Stop::SetAside(why)),
        }
        Ok(())
    }

    fn remember(&mut self, name: &str, head: &[u8]) -> Result<(), Stop> {
        let room = if self.office { self.inside.add_part(name, head) } else { self.inside.add(name, head) };
        if room {
            return Ok(());
        }
        Err(Stop::Closed("more kinds of files lie in it than can be remembered".to_owned()))
    }

    /// Lets one file come out: into the scanner, and into the spool where it is an archive itself.
    async fn pump(
        &mut self,
        forward: &mut Forward,
        mut coming: Coming,
        depth: usize,
        mut to_scanner: Option<mpsc::Sender<std::io::Result<Bytes>>>,
    ) -> Result<Pumped, Ended> {
        let mut pumped = Pumped::default();
        let done = self.pump_into(forward, &mut coming, depth, &mut to_scanner, &mut pumped).await;
        if done.is_err()
            && let Some(scanner) = to_scanner
        {
            // The scanner must not take the beginning for the whole; whether it still listens is its own matter.
            let _gone = scanner.send(Err(std::io::Error::other("it ends early"))).await;
        }
        done?;
        pumped.crc = coming.crc();
        Ok(pumped)
    }

    async fn pump_into(
        &mut self,
        forward: &mut Forward,
        coming: &mut Coming,
        depth: usize,
        to_scanner: &mut Option<mpsc::Sender<std::io::Result<Bytes>>>,
        pumped: &mut Pumped,
    ) -> Result<(), Ended> {
        let mut decided = false;
        loop {
            let piece = coming.next(forward).await?;
            if let Some(piece) = &piece {
                pumped.bytes += piece.len() as u64;
                self.count(piece.len() as u64)?;
                let room = HEAD.saturating_sub(pumped.head.len());
                pumped.head.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            // Whether it is an archive is seen at its first bytes.
            let seen = pumped.head.len() >= HEAD.min(4096) || piece.is_none();
            if !decided && seen {
                decided = true;
                if self.goes_deeper(sort(&pumped.head), depth) {
                    let mut draft = self.archives.spool.draft().await.map_err(NoVerdict::Spool)?;
                    let held = std::mem::take(&mut pumped.held);
                    for held in held {
                        draft.write(held).await.map_err(NoVerdict::Spool)?;
                    }
                    pumped.draft = Some(draft);
                }
                pumped.held.clear();
            }
            let Some(piece) = piece else {
                return Ok(());
            };
            match &mut pumped.draft {
                Some(draft) => draft.write(piece.clone()).await.map_err(NoVerdict::Spool)?,
                None if !decided => pumped.held.push(piece.clone()),
                None => {}
            }
            if let Some(scanner) = to_scanner
                && scanner.send(Ok(piece)).await.is_err()
            {
                // It has said all that it will say; what is left is counted all the same.
                *to_scanner = None;
            }
        }
    }

    fn goes_deeper(&self, sort: Option<Sort>, depth: usize) -> bool {
        matches!(sort, Some(Sort::Zip | Sort::Office)) && depth < self.archives.options.bounds.depth
    }

    /// Counts what comes out.
    fn count(&mut self, bytes: u64) -> Result<(), Ended> {
        let bounds = self.archives.options.bounds;
        self.bytes += bytes;
        if self.bytes > bounds.bytes {
            return Err(Ended::TooMuch(format!("more than {} bytes come out of it", bounds.bytes)));
        }
        if self.bytes > bounds.ratio_after && self.bytes > self.outermost.size.saturating_mul(bounds.ratio) {
            return Err(Ended::TooMuch(format!("more than {} times its size comes out of it", bounds.ratio)));
        }
        Ok(())
    }
}

/// One file that came out.
#[derive(Default)]
struct Pumped {
    bytes: u64,
    crc: u32,
    head: Vec<u8>,
    /// What came before it was known whether it is an archive.
    held: Vec<Bytes>,
    draft: Option<Box<dyn Draft>>,
}

/// Why a file did not come out.
enum Ended {
    /// More than is looked at.
    TooMuch(String),
    /// It is damaged; how, in words.
    Damaged(String),
    /// The house cannot.
    NoVerdict(NoVerdict),
}

impl From<NoVerdict> for Ended {
    fn from(why: NoVerdict) -> Self {
        Self::NoVerdict(why)
    }
}

/// Where in an archive something lies, in front of what is said of it.
fn within(path: &str) -> String {
    match path.strip_suffix('/') {
        Some(path) => format!("of \"{}\" in it: ", shown(path)),
        None => String::new(),
    }
}

fn stream_of(mut from: mpsc::Receiver<std::io::Result<Bytes>>) -> ByteStream {
    Box::pin(futures_util::stream::poll_fn(move |context| from.poll_recv(context)))
}
