//! Whether what arrived may be filed as far as malware goes: what a scanner said of it, and what the firm wants done about that. The
//! decision is a pure function; who asks a scanner implements [`Screening`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::block_list;
use crate::dms::ByteStream;
use crate::ids::BlobHash;
use crate::mailroom::Unread;

/// The code of an intake in which malware was found.
pub const MALWARE: &str = "malware";
/// The code of an intake that could not be scanned, where it has to be.
pub const NOT_SCANNED: &str = "not_scanned";
/// The code of an intake with an archive that unpacks to more than anybody sends in earnest.
pub const ARCHIVE_BOMB: &str = "archive_bomb";

/// Whether an intake that was set aside with this code may be vouched for by a person, and then goes its normal way: nobody doubts that
/// it can be read.
pub fn may_be_vouched_for(code: &str) -> bool {
    [MALWARE, NOT_SCANNED, ARCHIVE_BOMB].contains(&code)
}

/// How strict the firm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is scanned.
    #[default]
    Off,
    /// Everything is scanned; what the scanner cannot look through goes on, and its trace says so.
    On,
    /// Everything is scanned; what the scanner cannot look through is set aside.
    Required,
}

/// What a scanner said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It looked through all of it and found nothing.
    Clean,
    /// It found something.
    Infected {
        /// The signature's name.
        name: String,
    },
    /// It did not look through all of it. That is not clean.
    NotScanned {
        /// In plain words, what keeps it from doing so.
        why: String,
    },
}

/// Why there is no verdict. Nothing is decided then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unscreened {
    /// The scanner does not answer. Everything that has to be scanned waits.
    #[error("{0}")]
    Unavailable(String),
    /// The scanner took the document and gave no verdict on it. This one is tried again, others go on.
    #[error("{0}")]
    BrokeOff(String),
    /// The document's own bytes could not be read.
    #[error("{0}")]
    Content(String),
}

/// A malware scanner.
pub trait Screening: Send + Sync {
    /// Looks through a document as it streams by. `size` is its length in bytes where that is known beforehand.
    fn screen(&self, content: ByteStream, size: Option<u64>) -> Fut<'_, Result<Verdict, Unscreened>>;
    /// What the scanner says of itself and its signatures; verdicts are good for as long as that stays the same.
    fn version(&self) -> Fut<'_, Result<String, Unscreened>>;
}

/// What follows from a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It goes on.
    Pass,
    /// It goes on, with this line in its trace.
    Noted(String),
    /// It is set aside.
    SetAside(Unread),
}

/// Decides over a document or a part of one, which is named in words.
pub fn judge(mode: Mode, what: &str, verdict: &Verdict) -> Judgement {
    match (mode, verdict) {
        (Mode::Off, _) | (_, Verdict::Clean) => Judgement::Pass,
        (_, Verdict::Infected { name }) => Judgement::SetAside(Unread {
            code: MALWARE,
            text: format!("malware was found in {what}: {name}"),
        }),
        (Mode::On, Verdict::NotScanned { why }) => {
            Judgement::Noted(format!("{what} was not scanned, which does not mean that it is clean: {why}"))
        }
        (Mode::Required, Verdict::NotScanned { why }) => Judgement::SetAside(Unread {
            code: NOT_SCANNED,
            text: format!("{what} was not scanned, and everything has to be: {why}"),
        }),
    }
}

/// What is known of an intake by looking through it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Screened {
    /// A person released it from quarantine, with a reason that the audit has: it is not scanned again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vouched: bool,
    /// What lies in its archives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Inside>,
}

impl Screened {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What lies in the archive with this content.
    pub fn inside(&self, hash: BlobHash) -> Option<&Inside> {
        self.inside.iter().find(|it| it.archive == hash)
    }
}

/// Different kinds of files in one archive that are remembered. Nobody has so many.
pub const MOST_KINDS: usize = 500;
/// Characters of a name that are remembered.
const LONGEST_NAME: usize = 120;

/// Which kinds of files lie in an archive, for the block lists of repositories: it is known once, however often a place is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The archive's content.
    pub archive: BlobHash,
    /// Extensions, as [`block_list::extensions`] gives them, each with the first file that has it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// What contents really are, as the extension that this usually has, each with the first such file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contents: BTreeMap<String, String>,
}

impl Inside {
    /// Nothing yet.
    pub const fn of(archive: BlobHash) -> Self {
        Self { archive, names: BTreeMap::new(), contents: BTreeMap::new() }
    }

    /// Adds a file by its name and its first bytes. False when there are too many kinds of files to remember.
    #[must_use]
    pub fn add(&mut self, name: &str, head: &[u8]) -> bool {
        let shown = shown(name);
        for extension in block_list::extensions(name).filter(|it| is_plausible(it)) {
            self.names.entry(extension).or_insert_with(|| shown.clone());
        }
        if let Some(kind) = block_list::kind_of(head) {
            self.contents.entry(kind.to_owned()).or_insert(shown);
        }
        self.names.len() <= MOST_KINDS && self.contents.len() <= MOST_KINDS
    }

    /// Adds a part of an Office document, which is an archive inside: of what such documents are made of, nobody's block list speaks.
    #[must_use]
    pub fn add_part(&mut self, name: &str, head: &[u8]) -> bool {
        let program = block_list::kind_of(head).is_some_and(block_list::is_program);
        let foreign = block_list::extensions(name).any(|it| !PARTS.contains(&it.as_str()));
        (!program && !foreign) || self.add(name, head)
    }
}

/// Extensions of what Office documents are made of.
const PARTS: [&str; 34] = [
    "bin", "bmp", "doc", "docx", "emf", "emz", "fntdata", "gif", "jpeg", "jpg", "mp3", "mp4", "odttf", "opf",
    "pdf", "png", "ppt", "pptx", "rdf", "rels", "svg", "thmx", "tif", "tiff", "ttf", "txt", "vml", "wav",
    "wdp", "wmf", "xhtml", "xls", "xlsx", "xml",
];

/// Whether a part of a name between two dots may be meant as an extension: dates and numbers are not, and nobody lists them.
fn is_plausible(extension: &str) -> bool {
    let short = extension.len() <= 16 && !extension.contains(char::is_whitespace);
    short && (extension.len() <= 3 || !extension.bytes().all(|b| b.is_ascii_digit()))
}

/// A stranger's name as it may stand in a line: without characters that cannot be seen or that turn the line around, and not long.
pub fn shown(name: &str) -> String {
    let seen = name.chars().filter(|c| !block_list::is_unseen(*c));
    let mut text: String = seen.clone().take(LONGEST_NAME).collect();
    if seen.count() > LONGEST_NAME {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_a_verdict_is_this_table() {
        let infected = Verdict::Infected { name: "Win.Test.A".to_owned() };
        let large = Verdict::NotScanned { why: "it is too large".to_owned() };
        let malware =
            Unread { code: "malware", text: "malware was found in \"a.pdf\": Win.Test.A".to_owned() };
        let unscanned = Unread {
            code: "not_scanned",
            text: "\"a.pdf\" was not scanned, and everything has to be: it is too large".to_owned(),
        };
        let line = "\"a.pdf\" was not scanned, which does not mean that it is clean: it is too large";
        let table = [
            (Mode::Off, &Verdict::Clean, Judgement::Pass),
            (Mode::Off, &infected, Judgement::Pass),
            (Mode::Off, &large, Judgement::Pass),
            (Mode::On, &Verdict::Clean, Judgement::Pass),
            (Mode::On, &infected, Judgement::SetAside(malware.clone())),
            (Mode::On, &large, Judgement::Noted(line.to_owned())),
            (Mode::Required, &Verdict::Clean, Judgement::Pass),
            (Mode::Required, &infected, Judgement::SetAside(malware)),
            (Mode::Required, &large, Judgement::SetAside(unscanned)),
        ];
        for (mode, verdict, wanted) in table {
            assert_eq!(judge(mode, "\"a.pdf\"", verdict), wanted, "{mode:?} {verdict:?}");
        }
    }

    #[test]
    fn who_can_be_vouched_for() {
        for (code, wanted) in [
            ("malware", true),
            ("not_scanned", true),
            ("archive_bomb", true),
            ("poison", false),
            ("too_deep", false),
            ("unreadable", false),
            ("too_slow", false),
            ("", false),
        ] {
            assert_eq!(may_be_vouched_for(code), wanted, "{code}");
        }
    }

    #[test]
    fn what_lies_in_an_archive_is_remembered_by_kinds_and_within_bounds() {
        let mut inside = Inside::of(BlobHash::new([1; 32]));
        assert!(inside.add("../a/b.pdf.EXE", b"plain"));
        assert!(inside.add("c\u{202e}.txt", b"MZ\x90\0"));
        assert!(inside.add("second.exe", b""));
        let names: Vec<(&str, &str)> = inside.names.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(names, [("exe", "../a/b.pdf.EXE"), ("pdf", "../a/b.pdf.EXE"), ("txt", "c.txt")]);
        assert_eq!(inside.contents.into_iter().collect::<Vec<_>>(), [("exe".to_owned(), "c.txt".to_owned())]);
        let mut many = Inside::of(BlobHash::new([1; 32]));
        let all: Vec<bool> = (0..=MOST_KINDS).map(|n| many.add(&format!("a.x{n}"), b"")).collect();
        assert_eq!(all.iter().filter(|room| **room).count(), MOST_KINDS);
        assert_eq!(shown(&"x".repeat(300)).chars().count(), LONGEST_NAME + 1);
    }
}
