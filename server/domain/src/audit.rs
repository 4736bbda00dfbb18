//! The chain of the history: how it is made, whether it holds, and how it leaves the house as a file.
//!
//! What a chain proves: with the hash of one event, kept elsewhere (an export, a log line, a note on paper), nobody can change, take
//! out, put in or reorder anything up to that event without being found. Without such an [`Anchor`], who can write to the store's file can
//! recompute all hashes, or cut off the latest events; so tell the head somewhere else from time to time.

use std::fmt;
use std::io::BufRead;
use std::str::FromStr;
use std::task::Poll;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ids::BlobHash;
use crate::store::{Chained, Store, StoreError, StoreResult};

/// A hash of the chain.
pub type Hash = [u8; 32];

/// What the first event is tied to.
pub const START: Hash = [0; 32];

/// How many events are read at a time.
const PAGE: usize = 500;

/// The hash of an event: it ties what was written to its number and to all before it. See [`Chained`].
pub fn link(previous: &Hash, seq: u64, written: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous).update(&seq.to_be_bytes()).update(written);
    *hasher.finalize().as_bytes()
}

/// An event's number and hash, known from elsewhere: `17:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The event; 0 for the beginning.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Anchor {
    /// Before the first event.
    pub const START: Self = Self { seq: 0, hash: START };
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, BlobHash::new(self.hash))
    }
}

/// A text that is no anchor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a number of an event, a colon and 64 hexadecimal digits")]
pub struct NoAnchor(String);

impl FromStr for Anchor {
    type Err = NoAnchor;

    fn from_str(text: &str) -> Result<Self, NoAnchor> {
        let parts = || {
            let (seq, hash) = text.trim().split_once(':')?;
            let hash: BlobHash = hash.parse().ok()?;
            Some(Self { seq: seq.parse().ok()?, hash: *hash.as_bytes() })
        };
        parts().ok_or_else(|| NoAnchor(text.to_owned()))
    }
}

/// What is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// Its text or its hash is not what was written.
    Changed,
    /// It is not there.
    Missing,
    /// It was put in later.
    Inserted,
    /// It stands where another one belongs.
    Reordered,
    /// It and all after it are not there, although a later one is known.
    CutOff,
    /// It has another hash than the one that is known: this history, consistent or not, is not the one the hash was noted from.
    OtherHistory,
}

/// The first thing that is wrong in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The number of the event.
    pub seq: u64,
    /// What is wrong with it.
    pub breach: Breach,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match self.breach {
            Breach::Changed => write!(f, "event {seq} was changed after it was written"),
            Breach::Missing => write!(f, "event {seq} was taken out"),
            Breach::Inserted => write!(f, "event {seq} was put in afterwards"),
            Breach::Reordered => write!(f, "event {seq} has changed places with another one"),
            Breach::CutOff => write!(f, "event {seq} and those after it were cut off"),
            Breach::OtherHistory => write!(
                f,
                "event {seq} has another hash than the known one: the history up to it is not the one that hash was noted from"
            ),
        }
    }
}

/// What looking through a history has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What was taken for granted: the beginning, or what was known.
    pub from: Anchor,
    /// The last event up to which everything is right: worth keeping elsewhere.
    pub head: Anchor,
    /// How many events were looked at and found right.
    pub checked: u64,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// Looks through a history, event by event.
#[derive(Debug)]
pub struct Verifier {
    from: Anchor,
    /// The last event that is right, and the one before it.
    last: Anchor,
    before: Option<Anchor>,
    known: Option<Anchor>,
    /// The event that is judged next, when it is seen what follows it.
    pending: Option<Chained>,
    checked: u64,
    fault: Option<Fault>,
}

impl Verifier {
    /// Begins after `from`, which is taken for granted. `known` must be met on the way.
    pub const fn new(from: Anchor, known: Option<Anchor>) -> Self {
        Self { from, last: from, before: None, known, pending: None, checked: 0, fault: None }
    }

    /// Takes the next event. Nothing more is looked at after the first fault.
    pub fn take(&mut self, link: Chained) {
        if self.fault.is_some() {
            return;
        }
        if let Some(judged) = self.pending.take() {
            self.judge(&judged, Some(&link));
        }
        self.pending = Some(link);
    }

    /// Whether something wrong was found already.
    pub const fn is_done(&self) -> bool {
        self.fault.is_some()
    }

    /// There is nothing more.
    pub fn finish(mut self) -> Verdict {
        if self.fault.is_none()
            && let Some(judged) = self.pending.take()
        {
            self.judge(&judged, None);
        }
        if self.fault.is_none() && self.known.is_some_and(|known| known.seq > self.last.seq) {
            self.fault = Some(Fault { seq: self.last.seq.saturating_add(1), breach: Breach::CutOff });
        }
        Verdict { from: self.from, head: self.last, checked: self.checked, fault: self.fault }
    }

    fn judge(&mut self, judged: &Chained, then: Option<&Chained>) {
        let seq = self.last.seq.saturating_add(1);
        if judged.seq != seq || link(&self.last.hash, seq, &judged.written) != judged.hash {
            self.fault = Some(self.name(judged, then, seq));
            return;
        }
        if self.known.is_some_and(|known| known.seq == seq && known.hash != judged.hash) {
            self.fault = Some(Fault { seq, breach: Breach::OtherHistory });
            return;
        }
        self.before = Some(self.last);
        self.last = Anchor { seq, hash: judged.hash };
        self.checked += 1;
    }

    /// What happened to an event that does not fit, as far as its neighbours tell: numbers may have been put right afterwards.
    fn name(&self, judged: &Chained, then: Option<&Chained>, seq: u64) -> Fault {
        let fault = |breach| Fault { seq, breach };
        if judged.seq < seq {
            return fault(Breach::Inserted);
        }
        if judged.seq > seq {
            let later = then.is_some_and(|then| then.seq == seq);
            return fault(if later { Breach::Reordered } else { Breach::Missing });
        }
        if let Some(before) = self.before
            && link(&before.hash, self.last.seq, &judged.written) == judged.hash
        {
            // It fits in the place of the one before it, which was chained in its turn.
            return Fault { seq: self.last.seq, breach: Breach::Inserted };
        }
        let Some(then) = then else { return fault(Breach::Changed) };
        let belongs_here = link(&self.last.hash, seq, &then.written);
        if belongs_here == judged.hash {
            return fault(Breach::Reordered);
        }
        if belongs_here == then.hash {
            let swapped = link(&then.hash, seq.saturating_add(1), &judged.written) == judged.hash;
            return fault(if swapped { Breach::Reordered } else { Breach::Inserted });
        }
        if link(&judged.hash, seq.saturating_add(2), &then.written) == then.hash {
            return fault(Breach::Missing);
        }
        fault(Breach::Changed)
    }
}

/// Verifies the whole history, and that a known event is in it with its hash.
pub async fn verify(store: &dyn Store, known: Option<Anchor>) -> StoreResult<Verdict> {
    let known = known.filter(|known| known.seq > 0);
    walk(store, Verifier::new(Anchor::START, known)).await
}

/// Verifies what came after a known event, and that the event is there with its hash. What was before it is taken for granted: it was
/// verified when the hash was noted.
pub async fn verify_after(store: &dyn Store, known: Anchor) -> StoreResult<Verdict> {
    let Some(before) = known.seq.checked_sub(1) else { return verify(store, None).await };
    let at = store.chain_after(before, 1).await?.into_iter().find(|at| at.seq == known.seq);
    let breach = match at {
        Some(at) if at.hash == known.hash => return walk(store, Verifier::new(known, None)).await,
        Some(_) => Breach::OtherHistory,
        None if store.chain_after(known.seq, 1).await?.is_empty() => Breach::CutOff,
        None => Breach::Missing,
    };
    let fault = Some(Fault { seq: known.seq, breach });
    Ok(Verdict { from: known, head: known, checked: 0, fault })
}

async fn walk(store: &dyn Store, mut verifier: Verifier) -> StoreResult<Verdict> {
    let mut after = verifier.last.seq;
    while !verifier.is_done() {
        let page = store.chain_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for link in page {
            verifier.take(link);
        }
        give_way().await;
    }
    Ok(verifier.finish())
}

/// Lets others have their turn: stores answer reads at once, so that a long walk would never.
pub(crate) async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line, with its number, its hash and what was written, unchanged: it can be verified on its own by
    /// [`verify_export`].
    JsonLines,
    /// A table for spreadsheets, as RFC 4180 has it. No cell is taken for a formula: a text that begins like one has an apostrophe
    /// before it.
    Csv,
}

/// An export, piece by piece.
#[derive(Debug)]
pub struct Export {
    format: Format,
    after: u64,
    until: u64,
    begun: bool,
}

impl Export {
    /// Events after one number up to another, that one too. Give the number of the last event that there is, and the export does not run after
    /// those that are written meanwhile.
    pub const fn new(format: Format, after: u64, until: u64) -> Self {
        Self { format, after, until, begun: false }
    }

    /// The next piece; none at the end. Pieces end at the ends of lines.
    pub async fn next(&mut self, store: &dyn Store) -> StoreResult<Option<Vec<u8>>> {
        let first = !std::mem::replace(&mut self.begun, true);
        let mut page =
            if self.after < self.until { store.chain_after(self.after, PAGE).await? } else { Vec::new() };
        page.retain(|link| link.seq <= self.until);
        self.after = page.last().map_or(self.until, |last| last.seq);
        if page.is_empty() && !(first && self.format == Format::Csv) {
            return Ok(None);
        }
        match self.format {
            Format::JsonLines => lines(&page),
            Format::Csv => table(&page, first),
        }
        .map(Some)
    }
}

#[derive(Serialize)]
struct LineOut<'a> {
    seq: u64,
    hash: String,
    event: Out<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Out<'a> {
    AsWritten(&'a RawValue),
    /// What was written is no JSON any more: it is shown, and does not verify.
    Unreadable(String),
}

fn lines(page: &[Chained]) -> StoreResult<Vec<u8>> {
    let failed = |error: serde_json::Error| StoreError::Damaged(format!("cannot be exported: {error}"));
    let mut out = Vec::new();
    for Chained { seq, written, hash } in page {
        let raw = serde_json::from_slice::<&RawValue>(written).ok();
        let event = match raw.filter(|raw| raw.get().len() == written.len() && !written.contains(&b'\n')) {
            Some(raw) => Out::AsWritten(raw),
            None => Out::Unreadable(String::from_utf8_lossy(written).into_owned()),
        };
        let line = LineOut { seq: *seq, hash: BlobHash::new(*hash).to_string(), event };
        serde_json::to_writer(&mut out, &line).map_err(failed)?;
        out.push(b'\n');
    }
    Ok(out)
}

const COLUMNS: [&str; 16] = [
    "seq",
    "at",
    "site",
    "subject",
    "subject_id",
    "kind",
    "what",
    "from",
    "to",
    "cause",
    "document",
    "principal",
    "on_behalf_of",
    "credential",
    "note",
    "hash",
];

fn table(page: &[Chained], heading: bool) -> StoreResult<Vec<u8>> {
    let failed = |error: csv::Error| StoreError::Damaged(format!("cannot be exported: {error}"));
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if heading {
        writer.write_record(COLUMNS).map_err(failed)?;
    }
    for link in page {
        writer.write_record(cells(link).map(harmless)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| StoreError::Damaged(format!("cannot be exported: {error}")))
}

/// The cells of an event, by its JSON: an event of another version has them as far as it goes.
fn cells(link: &Chained) -> [String; 16] {
    let hash = BlobHash::new(link.hash).to_string();
    let Ok(event) = serde_json::from_slice::<Value>(&link.written) else {
        let mut cells = <[String; 16]>::default();
        cells[0] = link.seq.to_string();
        "unreadable".clone_into(&mut cells[5]);
        cells[14] = String::from_utf8_lossy(&link.written).into_owned();
        cells[15] = hash;
        return cells;
    };
    let (subject, id) = match &event["subject"] {
        Value::Object(one) => one.iter().next().map_or_else(Default::default, |(k, v)| (k.clone(), text(v))),
        other => (text(other), String::new()),
    };
    let happening = |name: &str| text(&event["happening"][name]);
    let what = match &event["happening"]["recovered"] {
        Value::Null => happening("what"),
        number => format!("{number} recovered"),
    };
    // Of a set, with what; its ids would burst a cell and stand in JSON Lines.
    let what = match &event["happening"]["action"] {
        Value::String(action) => format!("{what}: {action}"),
        _ => what,
    };
    [
        link.seq.to_string(),
        text(&event["at"]),
        text(&event["site"]),
        subject,
        id,
        happening("kind"),
        what,
        happening("from"),
        happening("to"),
        happening("cause"),
        happening("document"),
        text(&event["actor"]["principal"]),
        text(&event["actor"]["on_behalf_of"]),
        text(&event["actor"]["credential"]),
        text(&event["note"]),
        hash,
    ]
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A cell that no spreadsheet takes for a formula (OWASP, "CSV injection").
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

/// Why an export cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It cannot be read.
    #[error("the export cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is something else.
    #[error("line {line} is not a line of an audit export: {detail}")]
    NotALine {
        /// Which one, from 1.
        line: u64,
        /// What is wrong with it.
        detail: String,
    },
}

#[derive(Deserialize)]
struct LineIn<'a> {
    seq: u64,
    hash: BlobHash,
    #[serde(borrow)]
    event: &'a RawValue,
}

/// Verifies an export in JSON Lines on its own. One that does not begin with the first event is verified from `known`, when that is the
/// event before its first one; otherwise its first line is taken for granted.
pub fn verify_export(mut export: impl BufRead, known: Option<Anchor>) -> Result<Verdict, ExportError> {
    let known = known.filter(|known| known.seq > 0);
    let mut verifier: Option<Verifier> = None;
    let (mut text, mut line) = (Vec::new(), 0);
    loop {
        text.clear();
        if export.read_until(b'\n', &mut text)? == 0 {
            break;
        }
        line += 1;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let read: LineIn<'_> = serde_json::from_slice(&text)
            .map_err(|error| ExportError::NotALine { line, detail: error.to_string() })?;
        let chained = Chained {
            seq: read.seq,
            written: read.event.get().as_bytes().to_vec(),
            hash: *read.hash.as_bytes(),
        };
        match &mut verifier {
            Some(verifier) => verifier.take(chained),
            None => verifier = Some(beginning(chained, known)),
        }
        if verifier.as_ref().is_some_and(Verifier::is_done) {
            break;
        }
    }
    Ok(verifier.unwrap_or_else(|| Verifier::new(Anchor::START, known)).finish())
}

/// A verifier that has met the first line of an export.
fn beginning(first: Chained, known: Option<Anchor>) -> Verifier {
    let own = Anchor { seq: first.seq, hash: first.hash };
    let (from, rest) = match known {
        _ if first.seq <= 1 => (Anchor::START, Some(first)),
        // Also when lines are missing between it and the first one: then that is found.
        Some(known) if known.seq < first.seq => (known, Some(first)),
        _ => (own, None),
    };
    let mut verifier = Verifier::new(from, known.filter(|known| known.seq > from.seq));
    if let Some(other) = known.filter(|known| known.seq == from.seq && known.hash != from.hash) {
        verifier.fault = Some(Fault { seq: other.seq, breach: Breach::OtherHistory });
    }
    if let Some(first) = rest {
        verifier.take(first);
    }
    verifier
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seq: u64) -> Vec<u8> {
        format!(r#"{{"subject":"system","note":"number {seq}"}}"#).into_bytes()
    }

    /// A sound history of so many events.
    fn history(events: u64) -> Vec<Chained> {
        let mut hash = START;
        (1..=events)
            .map(|seq| {
                hash = link(&hash, seq, &written(seq));
                Chained { seq, written: written(seq), hash }
            })
            .collect()
    }

    fn renumber(links: &mut [Chained]) {
        for (seq, link) in (1..).zip(links) {
            link.seq = seq;
        }
    }

    /// Makes all hashes fit again, as an intruder who knows how.
    fn forge(links: &mut [Chained]) {
        renumber(links);
        let mut hash = START;
        for one in links {
            hash = link(&hash, one.seq, &one.written);
            one.hash = hash;
        }
    }

    fn verdict(links: Vec<Chained>, from: Anchor, known: Option<Anchor>) -> Verdict {
        let mut verifier = Verifier::new(from, known);
        links.into_iter().filter(|link| link.seq > from.seq).for_each(|link| verifier.take(link));
        verifier.finish()
    }

    fn anchor(link: &Chained) -> Anchor {
        Anchor { seq: link.seq, hash: link.hash }
    }

    /// What it is called, what is found by somebody who knows the head, and what is done.
    type Tampering = (&'static str, Option<(u64, Breach)>, fn(&mut Vec<Chained>));

    /// What is done to a history of eight.
    const TAMPERINGS: [Tampering; 23] = [
        ("nothing", None, |_| {}),
        ("a bit of a text", Some((3, Breach::Changed)), |all| all[2].written[5] ^= 1),
        ("a bit of a hash", Some((3, Breach::Changed)), |all| all[2].hash[31] ^= 1),
        ("the first text", Some((1, Breach::Changed)), |all| all[0].written.push(b' ')),
        ("the last text", Some((8, Breach::Changed)), |all| all[7].written.clear()),
        ("a lost hash", Some((4, Breach::Changed)), |all| all[3].hash = START),
        ("text changed, own hash made to fit", Some((5, Breach::Changed)), |all| {
            all[3].written.push(b' ');
            all[3].hash = link(&all[2].hash, 4, &all[3].written);
        }),
        ("one out", Some((3, Breach::Missing)), |all| drop(all.remove(2))),
        ("the first out", Some((1, Breach::Missing)), |all| drop(all.remove(0))),
        ("two out", Some((3, Breach::Missing)), |all| drop(all.drain(2..4))),
        ("one out, renumbered", Some((3, Breach::Missing)), |all| {
            all.remove(2);
            renumber(all);
        }),
        ("one twice", Some((4, Breach::Inserted)), |all| all.insert(3, all[2].clone())),
        ("one in, renumbered", Some((3, Breach::Inserted)), |all| {
            all.insert(2, Chained { seq: 3, written: written(99), hash: [7; 32] });
            renumber(all);
        }),
        ("one in with a hash that fits, renumbered", Some((3, Breach::Inserted)), |all| {
            let hash = link(&all[1].hash, 3, &written(99));
            all.insert(2, Chained { seq: 3, written: written(99), hash });
            renumber(all);
        }),
        ("two swapped", Some((3, Breach::Reordered)), |all| all.swap(2, 3)),
        ("two swapped, renumbered", Some((3, Breach::Reordered)), |all| {
            all.swap(2, 3);
            renumber(all);
        }),
        ("two texts swapped", Some((3, Breach::Reordered)), |all| {
            let text = std::mem::replace(&mut all[3].written, written(3));
            all[2].written = text;
        }),
        ("cut off", Some((7, Breach::CutOff)), |all| all.truncate(6)),
        ("all gone", Some((1, Breach::CutOff)), Vec::clear),
        ("the last written anew", Some((8, Breach::OtherHistory)), |all| {
            all[7].written.push(b' ');
            forge(all);
        }),
        ("all written anew", Some((8, Breach::OtherHistory)), |all| {
            all[2].written.push(b' ');
            forge(all);
        }),
        ("one out, all written anew", Some((8, Breach::CutOff)), |all| {
            all.remove(2);
            forge(all);
        }),
        ("one in, all written anew", Some((8, Breach::OtherHistory)), |all| {
            all.insert(2, Chained { seq: 0, written: written(99), hash: START });
            forge(all);
        }),
    ];

    #[test]
    fn every_tampering_is_found_where_it_begins() {
        let sound = history(8);
        let head = anchor(&sound[7]);
        for (name, wanted, tamper) in TAMPERINGS {
            let mut links = sound.clone();
            tamper(&mut links);
            let found = verdict(links.clone(), Anchor::START, Some(head));
            let fault = found.fault.map(|fault| (fault.seq, fault.breach));
            assert_eq!(fault, wanted, "{name}");
            // What was put in with a hash that fits is found by what follows it.
            let right = wanted.map_or(8, |(seq, _)| seq - u64::from(!name.contains("fits")));
            assert_eq!((found.head.seq, found.checked), (right, right), "{name}");

            // Without what is known from elsewhere, a history that fits in itself is right; nothing else is.
            let alone = verdict(links, Anchor::START, None).fault.map(|fault| (fault.seq, fault.breach));
            let fits = matches!(wanted, None | Some((_, Breach::CutOff | Breach::OtherHistory)));
            assert_eq!(alone, wanted.filter(|_| !fits), "{name}, alone");
        }
    }

    #[test]
    fn what_is_known_is_a_place_to_begin() {
        let sound = history(6);
        let from = anchor(&sound[3]);
        let mut early = sound.clone();
        early[1].written.clear();
        let found = verdict(early, from, None);
        assert_eq!(found, Verdict { from, head: anchor(&sound[5]), checked: 2, fault: None });
        let wrong = Anchor { hash: [9; 32], ..from };
        let found = verdict(sound, wrong, None);
        assert_eq!(found.fault, Some(Fault { seq: 5, breach: Breach::Changed }));
    }

    #[test]
    fn anchors_are_texts() {
        let one = Anchor { seq: 17, hash: link(&START, 1, b"x") };
        let text = one.to_string();
        assert_eq!((text.parse(), format!(" {text}\n").parse()), (Ok(one), Ok(one)));
        for wrong in ["", "17", "17:", ":00", "x:y", &text[1..3], &text[..text.len() - 1]] {
            assert_eq!(wrong.parse::<Anchor>(), Err(NoAnchor(wrong.to_owned())));
        }
    }

    fn check(text: &[u8], known: Option<Anchor>) -> Verdict {
        verify_export(text, known).unwrap()
    }

    #[test]
    fn an_export_is_verified_on_its_own() {
        let sound = history(5);
        let whole = lines(&sound).unwrap();
        let head = anchor(&sound[4]);
        let right = Verdict { from: Anchor::START, head, checked: 5, fault: None };
        let fault = |seq, breach| Some(Fault { seq, breach });
        assert_eq!(check(&whole, None), right);
        assert_eq!(check(&whole, Some(head)), right);
        let other = Anchor { hash: START, ..head };
        assert_eq!(check(&whole, Some(other)).fault, fault(5, Breach::OtherHistory));
        assert_eq!(check(b"", None), Verdict { head: Anchor::START, checked: 0, ..right });
        assert_eq!(check(b"", Some(head)).fault, fault(1, Breach::CutOff));

        // Each line in its turn: changed, twice, taken out.
        let split: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(split.len(), 5);
        for (number, seq) in (0..5).zip(1..) {
            let text = String::from_utf8(split[number].to_vec()).unwrap();
            let changed = text.replace(&format!("number {seq}"), "number X").into_bytes();
            let mut lines = split.clone();
            lines[number] = &changed;
            assert_eq!(check(&lines.concat(), None).fault, fault(seq, Breach::Changed));

            let mut lines = split.clone();
            lines.insert(number, split[number]);
            assert_eq!(check(&lines.concat(), None).fault, fault(seq + 1, Breach::Inserted));

            let mut lines = split.clone();
            lines.remove(number);
            let wanted = match seq {
                // An export that begins with the second event: its first line is taken for granted.
                1 => None,
                5 => fault(seq, Breach::CutOff),
                _ => fault(seq, Breach::Missing),
            };
            assert_eq!(check(&lines.concat(), Some(head)).fault, wanted);
        }
        // A part: its first line is taken for granted, unless what is before it is known.
        let part = split[2..].concat();
        let from = anchor(&sound[1]);
        assert_eq!(check(&part, None), Verdict { from: anchor(&sound[2]), head, checked: 2, fault: None });
        assert_eq!(check(&part, Some(from)), Verdict { from, head, checked: 3, fault: None });
        assert_eq!(check(&part, Some(anchor(&sound[0]))).fault, fault(2, Breach::Missing));
        let other = Anchor { hash: START, ..anchor(&sound[2]) };
        assert_eq!(check(&part, Some(other)).fault, fault(3, Breach::OtherHistory));

        for text in ["{}\n", "not JSON", r#"{"seq":1,"hash":"00","event":{}}"#] {
            let error = verify_export(text.as_bytes(), None).unwrap_err();
            assert!(matches!(error, ExportError::NotALine { line: 1, .. }), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_exported_and_does_not_verify() {
        for spoilt in [&b"{\"note\":"[..], b"{\n}", b"\xff\xfe", b""] {
            let mut links = history(3);
            links[1].written = spoilt.to_vec();
            let out = lines(&links).unwrap();
            assert_eq!(out.split_inclusive(|byte| *byte == b'\n').count(), 3);
            let fault = verify_export(out.as_slice(), None).unwrap().fault;
            assert_eq!(fault, Some(Fault { seq: 2, breach: Breach::Changed }));
            let table = table(&links, true).unwrap();
            assert_eq!(csv::Reader::from_reader(table.as_slice()).into_records().count(), 3);
        }
    }

    #[test]
    fn no_cell_of_a_table_is_a_formula() {
        let cases = [
            ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("a \"b\", c\r\nd", "a \"b\", c\r\nd"),
            ("'=1", "'=1"),
            ("Käse = gut", "Käse = gut"),
            ("", ""),
        ];
        for (given, safe) in cases {
            let event = serde_json::json!({
                "at": "2026-11-24T09:00:00Z", "site": given, "subject": {"door": given},
                "happening": {"kind": "filing", "from": given, "to": "filed", "cause": given, "document": given},
                "actor": {"principal": given, "on_behalf_of": given, "credential": "system"}, "note": given,
            });
            let written = serde_json::to_vec(&event).unwrap();
            let out = table(&[Chained { seq: 7, written, hash: [1; 32] }], true).unwrap();
            assert!(out.ends_with(b"\r\n"));
            let mut reader = csv::Reader::from_reader(out.as_slice());
            assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
            let row: Vec<String> =
                reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
            let at = "2026-11-24T09:00:00Z";
            let hash = "01".repeat(32);
            assert_eq!(row[..6], ["7", at, safe, "door", safe, "filing"]);
            assert_eq!(row[6..11], ["", safe, "filed", safe, safe]);
            assert_eq!(row[11..], [safe, safe, "system", safe, &hash]);
        }
    }
}
