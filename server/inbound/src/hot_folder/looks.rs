//! The settle rule: a file is taken when it has looked the same for a while, and nothing about it says "not yet".

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use super::walk::{FileMark, Kind};

/// Why a file is not taken yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiting {
    /// It has not looked the same for long enough.
    Settling,
    /// 0 bytes: a scanner's placeholder.
    Empty,
    /// The name says that somebody is still writing.
    Partial,
    /// A link, FIFO, socket or device.
    Special,
    /// Larger than is taken.
    TooLarge(u64),
    /// Its end is not that of a whole file.
    HalfWritten(&'static str),
    /// Another program holds a lock.
    Locked,
    /// It cannot be opened or claimed.
    Unreadable(String),
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settling => f.write_str("it has to stay as it is for a while first"),
            Self::Empty => f.write_str("it is empty"),
            Self::Partial => f.write_str("its name says that it is still being written"),
            Self::Special => f.write_str("it is not a plain file (a link, a pipe, a socket or a device)"),
            Self::TooLarge(limit) => write!(f, "it is larger than the {limit} bytes that are taken here"),
            Self::HalfWritten(what) => write!(f, "it is not complete: {what}"),
            Self::Locked => f.write_str("another program has locked it"),
            Self::Unreadable(why) => write!(f, "it cannot be taken: {why}"),
        }
    }
}

/// What has been seen of a file.
#[derive(Debug)]
pub(super) struct Look {
    kind: Option<Kind>,
    /// Since when it looks like this.
    since: Duration,
    /// How often it has looked like this.
    times: u32,
    pub(super) first_seen: Duration,
    pub(super) warned: bool,
    pub(super) waiting: Waiting,
    /// How often it was opened in vain since it looks like this. Those that were not come first.
    pub(super) in_vain: u32,
}

impl Look {
    /// A file that comes into view; times are those of the monotonic clock.
    pub(super) fn first(now: Duration) -> Self {
        Self {
            kind: None,
            since: now,
            times: 0,
            first_seen: now,
            warned: false,
            waiting: Waiting::Settling,
            in_vain: 0,
        }
    }

    /// Looks at it once more.
    pub(super) fn see(&mut self, kind: Kind, path: &Path, largest: u64, now: Duration) {
        if self.kind == Some(kind) {
            self.times += 1;
        } else {
            (self.kind, self.since, self.times, self.in_vain) = (Some(kind), now, 1, 0);
        }
        self.waiting = match kind {
            Kind::Special => Waiting::Special,
            Kind::Plain(_) if is_partial(path) => Waiting::Partial,
            Kind::Plain(FileMark { size: 0, .. }) => Waiting::Empty,
            Kind::Plain(mark) if mark.size > largest => Waiting::TooLarge(largest),
            // What was found on opening it holds until it looks different or is opened again.
            Kind::Plain(_) if self.in_vain > 0 => return,
            Kind::Plain(_) => Waiting::Settling,
        };
    }

    /// Whether it may be taken, as far as looking from outside tells.
    pub(super) fn settled(&self, settle: Duration, now: Duration) -> bool {
        let ready = self.waiting == Waiting::Settling || self.in_vain > 0;
        ready && self.times >= 2 && now.saturating_sub(self.since) >= settle
    }

    /// How long it takes until it has settled, where only time or a second look is missing.
    pub(super) fn settles_in(&self, settle: Duration, now: Duration) -> Option<Duration> {
        let left = self.since.saturating_add(settle).saturating_sub(now);
        let only_time = self.waiting == Waiting::Settling && self.in_vain == 0;
        (only_time && (self.times < 2 || !left.is_zero())).then_some(left)
    }

    /// It was opened and found not to be ready.
    pub(super) fn hold(&mut self, waiting: Waiting) {
        self.waiting = waiting;
        self.in_vain = self.in_vain.saturating_add(1);
    }
}

/// Names that programs give to what they have not finished: hidden files, Office's owner files, downloads, `rsync`, editors.
fn is_partial(path: &Path) -> bool {
    const ENDINGS: [&[u8]; 10] = [
        b"~",
        b".tmp",
        b".temp",
        b".part",
        b".partial",
        b".crdownload",
        b".download",
        b".filepart",
        b".swp",
        b".lock",
    ];
    let Some(name) = path.file_name() else { return true };
    let name = name.as_bytes().to_ascii_lowercase();
    name.starts_with(b".") || name.starts_with(b"~") || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_names() {
        for name in
            [".a.pdf", "~$letter.docx", "a.tmp", "A.TMP", "a.pdf.part", "x.crdownload", "a.pdf~", "d/.hidden"]
        {
            assert!(is_partial(Path::new(name)), "{name}");
        }
        for name in ["a.pdf", "a~b.pdf", "part.pdf", "tmp", "no extension", ".d/a.pdf", "a.pdf. "] {
            assert!(!is_partial(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn two_looks_and_the_settle_time_are_needed() {
        let mark = |size| Kind::Plain(FileMark { inode: 2, size, modified: (3, 4) });
        let second = Duration::from_secs;
        let path = Path::new("a.pdf");
        let mut look = Look::first(second(100));
        look.see(mark(5), path, 1_000, second(100));
        assert!(!look.settled(second(0), second(500)), "seen once only");
        look.see(mark(5), path, 1_000, second(102));
        assert!(!look.settled(second(5), second(104)));
        assert!(look.settled(second(5), second(105)));
        look.see(mark(6), path, 1_000, second(106));
        assert!(!look.settled(second(5), second(120)), "it has grown");
        look.see(mark(6), path, 5, second(130));
        assert_eq!((look.settled(second(5), second(130)), &look.waiting), (false, &Waiting::TooLarge(5)));
    }
}
