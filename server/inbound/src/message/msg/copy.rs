//! A storage as a compound file of its own: a message inside becomes a `.msg`, an embedded object what its program can open.
//!
//! The same storage gives the same bytes at any time, so that a copy of it is known again: times are set, not taken from the clock.

use std::io::{Cursor, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use cfb::CompoundFile;

use super::storage::{Container, join};

/// Storages within each other.
const DEEPEST: usize = 40;
/// Entries in all.
const MOST_ENTRIES: usize = 5_000;
/// The names of properties stand once in a file, at its root.
const NAMES: &str = "__nameid_version1.0";
/// Where the outermost message has eight bytes more.
const LONGER_AT: usize = 24;

/// Copies a storage out; none where it cannot be done.
pub(super) fn out_of(
    container: &mut Container<'_>,
    path: &str,
    is_message: bool,
    most: usize,
) -> Option<Vec<u8>> {
    let copied = catch_unwind(AssertUnwindSafe(|| {
        let file = CompoundFile::create(Cursor::new(Vec::new())).ok()?;
        let mut copy = Copy { container, file, is_message, left: most, entries: MOST_ENTRIES };
        copy.storage(path, "/", 0)?;
        if is_message && !copy.file.exists(join("/", NAMES)) {
            copy.names()?;
        }
        copy.file.set_modified_time("/", SystemTime::UNIX_EPOCH).ok()?;
        copy.file.flush().ok()?;
        Some(copy.file.into_inner().into_inner())
    }));
    let copied = copied.ok().flatten();
    container.damaged |= copied.is_none();
    copied
}

struct Copy<'c, 'a> {
    container: &'c mut Container<'a>,
    file: CompoundFile<Cursor<Vec<u8>>>,
    is_message: bool,
    left: usize,
    entries: usize,
}

impl Copy<'_, '_> {
    fn storage(&mut self, from: &str, to: &str, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        for entry in self.container.entries(from) {
            self.entries = self.entries.checked_sub(1)?;
            let (from, to) = (join(from, &entry.name), join(to, &entry.name));
            if entry.is_storage {
                self.make(&to)?;
                self.storage(&from, &to, depth + 1)?;
            } else {
                self.stream(&from, &to)?;
            }
        }
        Some(())
    }

    fn make(&mut self, to: &str) -> Option<()> {
        self.file.create_storage(to).ok()?;
        self.file.set_created_time(to, SystemTime::UNIX_EPOCH).ok()?;
        self.file.set_modified_time(to, SystemTime::UNIX_EPOCH).ok()
    }

    fn stream(&mut self, from: &str, to: &str) -> Option<()> {
        let mut bytes = self.container.stream(from)?;
        if self.is_message && to == "/__properties_version1.0" && bytes.len() >= LONGER_AT {
            bytes.splice(LONGER_AT..LONGER_AT, [0; 8]);
        }
        self.left = self.left.checked_sub(bytes.len())?;
        self.file.create_stream(to).ok()?.write_all(&bytes).ok()
    }

    fn names(&mut self) -> Option<()> {
        let (from, to) = (join("/", NAMES), join("/", NAMES));
        if !self.container.is_storage(&from) {
            return Some(());
        }
        self.make(&to)?;
        self.storage(&from, &to, 1)
    }
}
