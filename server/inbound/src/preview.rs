//! Reads documents for people who look, as the reader does: in a thread of its own, within bounds and a time, and nothing of it is kept.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use postroom_domain::Fut;
use postroom_domain::intake::Document;
use postroom_domain::mail::{Carried, Mail, Mailbox};
use postroom_domain::plain;
use postroom_domain::preview::{MOST_TEXT, NoPreview, Preview, Previews, Shown};
use postroom_domain::spool::Spool;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::message::{self, Limits, Trusted};

/// Documents that are read at the same time: each is in memory whole.
const ABREAST: usize = 2;
/// For how long a document may be waited for, and read.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest document that is read whole, in bytes.
const LARGEST: u64 = 64 << 20;
/// Bytes that may come out of a letter's encodings; with more its parts are not listed.
const MOST_DECODED: usize = 128 << 20;
/// So many bytes of a text are read.
const BEGINNING: usize = 4 * MOST_TEXT;
/// So many pages of a PDF are read.
#[cfg(feature = "pages")]
const PAGES: usize = 5;
/// People named in one head line.
const MOST_PEOPLE: usize = 50;
/// Files inside that are listed.
const MOST_PARTS: usize = 200;

/// Media types of letters.
const LETTERS: [&str; 5] = [
    "message/rfc822",
    "message/global",
    "application/vnd.ms-outlook",
    "application/ms-tnef",
    "application/vnd.ms-tnef",
];

/// Extensions of files that are text, whatever media type they were sent with.
const TEXTS: [&str; 10] = ["txt", "csv", "tsv", "md", "log", "json", "xml", "ics", "vcf", "yaml"];

/// What a document is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Mail,
    Text,
    Html,
    Pdf,
}

impl As {
    /// By what it calls itself: what it is besides, its reader finds out.
    fn told(document: &Document) -> Option<Self> {
        let extension = document.file_name.rsplit_once('.').map(|(_, it)| it.trim().to_lowercase());
        let extension = extension.unwrap_or_default();
        let media_type = document.media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        Some(match (media_type.as_str(), extension.as_str()) {
            ("application/pdf", _) | (_, "pdf") => Self::Pdf,
            (media_type, extension)
                if LETTERS.contains(&media_type) || ["eml", "msg"].contains(&extension) =>
            {
                Self::Mail
            }
            (_, "dat") if document.file_name.eq_ignore_ascii_case("winmail.dat") => Self::Mail,
            ("text/html", _) | (_, "html" | "htm") => Self::Html,
            (kind, _) if kind.starts_with("text/") => Self::Text,
            (_, extension) if TEXTS.contains(&extension) => Self::Text,
            _ => return None,
        })
    }
}

/// Reads documents of a spool.
pub struct PreviewDesk {
    spool: Arc<dyn Spool>,
    limits: Limits,
    places: Arc<Semaphore>,
}

impl PreviewDesk {
    /// One that reads messages within the limits that the reader has, and less of what is large.
    pub fn new(spool: Arc<dyn Spool>, limits: Limits) -> Self {
        let limits = Limits { decoded: limits.decoded.min(MOST_DECODED), ..limits };
        Self { spool, limits, places: Arc::new(Semaphore::new(ABREAST)) }
    }

    async fn look(&self, document: &Document) -> Result<Preview, NoPreview> {
        let nothing = |why: &str| NoPreview::Nothing(why.to_owned());
        let Some(kind) = As::told(document) else {
            return Err(nothing("Files of this kind are not shown as text."));
        };
        let whole = !matches!(kind, As::Text | As::Html);
        if whole && document.blob.size > LARGEST {
            return Err(NoPreview::Nothing(format!("It is larger than {} MiB.", LARGEST >> 20)));
        }
        let place = timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(NoPreview::Later("others are being read".to_owned()));
        };
        let most = if whole { usize::MAX } else { BEGINNING };
        let bytes = self.bytes(document, most).await.map_err(NoPreview::Later)?;
        let (limits, all) = (self.limits, bytes.len() as u64 >= document.blob.size);
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the reading has really ended, whoever still waits for it.
            let _place = place;
            read(kind, bytes, all, &limits)
        });
        match timeout(PATIENCE, reading).await {
            Ok(Ok(read)) => read.map_err(NoPreview::Nothing),
            Ok(Err(_)) => Err(nothing("Its reader gave up on it.")),
            Err(_) => Err(NoPreview::Nothing(format!("It was not read within {} s.", PATIENCE.as_secs()))),
        }
    }

    /// The beginning of a document, of at least `most` bytes where it has so many.
    async fn bytes(&self, document: &Document, most: usize) -> Result<Vec<u8>, String> {
        let content = self.spool.content(document.blob).await.map_err(|error| error.to_string())?;
        let mut stream = content.open().await.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while bytes.len() < most
            && let Some(chunk) = stream.next().await
        {
            bytes.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
        }
        Ok(bytes)
    }
}

impl Previews for PreviewDesk {
    fn preview<'a>(&'a self, document: &'a Document) -> Fut<'a, Result<Preview, NoPreview>> {
        Box::pin(self.look(document))
    }
}

/// What a document's bytes say; or why they say nothing, in words.
fn read(kind: As, bytes: Vec<u8>, all: bool, limits: &Limits) -> Result<Preview, String> {
    match kind {
        As::Mail => letter(&bytes, limits),
        As::Text | As::Html
            if bytes.contains(&0) && !bytes.starts_with(b"\xff\xfe") && !bytes.starts_with(b"\xfe\xff") =>
        {
            Err("It calls itself a text, and is none.".to_owned())
        }
        As::Text => Ok(shown(Shown::Text, &message::guessed(&bytes), !all)),
        As::Html => Ok(shown(Shown::Text, &message::of_html(&message::guessed(&bytes)), !all)),
        As::Pdf => pages(bytes),
    }
}

/// A text, clean and of no more than may be shown.
fn shown(kind: Shown, text: &str, more: bool) -> Preview {
    let clean = plain::lines(text);
    let end = (0..=clean.len().min(MOST_TEXT)).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
    Preview {
        shown: kind,
        head: Vec::new(),
        text: clean[..end].trim().to_owned(),
        more: more || end < clean.len(),
        parts: Vec::new(),
        pages: None,
    }
}

fn letter(bytes: &[u8], limits: &Limits) -> Result<Preview, String> {
    let message =
        message::read(bytes, limits, &Trusted::default()).map_err(|why| sentence(&why.to_string()))?;
    let mut parts: Vec<Carried> = message
        .parts
        .iter()
        .filter(|part| part.inside.is_none())
        .map(|part| Carried {
            name: plain::line(&part.title),
            media_type: plain::line(part.media_type()),
            size: part.size,
            inline: part.inline,
        })
        .collect();
    let listed = parts.len().min(MOST_PARTS);
    let more = parts.len() > listed || message.mail.text.len() >= limits.text;
    parts.truncate(listed);
    Ok(Preview { head: head(&message.mail), parts, ..shown(Shown::Mail, &message.mail.text, more) })
}

/// Head lines, as far as a letter has them.
fn head(mail: &Mail) -> Vec<(String, String)> {
    let from: Vec<Mailbox> = mail.from.iter().cloned().collect();
    let lines = [
        ("from", people(&from)),
        ("to", people(&mail.to)),
        ("cc", people(&mail.cc)),
        ("date", mail.date.as_ref().map(Timestamp::to_string).unwrap_or_default()),
        ("subject", plain::line(&mail.subject)),
    ];
    let there = lines.into_iter().filter(|(_, value)| !value.is_empty());
    there.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn people(people: &[Mailbox]) -> String {
    let one = |mailbox: &Mailbox| match (mailbox.name.as_str(), mailbox.address.as_str()) {
        ("", address) => address.to_owned(),
        (name, "") => name.to_owned(),
        (name, address) => format!("{name} <{address}>"),
    };
    let mut named: Vec<String> = people.iter().take(MOST_PEOPLE).map(one).collect();
    if people.len() > MOST_PEOPLE {
        named.push("…".to_owned());
    }
    plain::line(&named.join(", "))
}

#[cfg(feature = "pages")]
fn pages(bytes: Vec<u8>) -> Result<Preview, String> {
    use crate::pages::{PageLimits, Scan, ScanKind, text};
    if ScanKind::of(&bytes) != Some(ScanKind::Pdf) {
        return Err("It calls itself a PDF, and is none.".to_owned());
    }
    let words = |why: crate::pages::Unreadable| sentence(&why.to_string());
    let scan = Scan::open(Arc::new(bytes), PageLimits::default()).map_err(words)?;
    let found = text(&scan, PAGES, 2 * MOST_TEXT).map_err(words)?;
    let found = found.filter(|found| !found.text.is_empty());
    let found = found.ok_or("There is no text on its first pages; they may be pictures.")?;
    let pages = u32::try_from(scan.pages()).ok();
    Ok(Preview { pages, ..shown(Shown::Pdf, &found.text, found.more) })
}

#[cfg(not(feature = "pages"))]
fn pages(_: Vec<u8>) -> Result<Preview, String> {
    Err("The text of a PDF is not read here.".to_owned())
}

/// Words of a reader as a sentence.
fn sentence(words: &str) -> String {
    let words = plain::line(words);
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
