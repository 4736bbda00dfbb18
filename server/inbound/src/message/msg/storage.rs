//! The compound file under a `.msg`, with bounds: what the container's crate says is checked against the size of the file.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cfb::CompoundFile;

use super::super::mapi::{Props, Value};
use super::super::tnef::wide;

/// Entries of one storage that are looked at.
const MOST_ENTRIES: usize = 10_000;
/// How often a file may be read in all: a message inside is read again with each message around it.
const MOST_READS: u64 = 16;
/// The stream with the values that have a fixed length.
const FIXED: &str = "__properties_version1.0";

/// What stands before the values of fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// Of the outermost message.
    Message,
    /// Of a message inside.
    Inner,
    /// Of an attachment or a recipient.
    Part,
}

impl Head {
    fn length(self) -> usize {
        match self {
            Self::Message => 32,
            Self::Inner => 24,
            Self::Part => 8,
        }
    }
}

/// An entry of a storage.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_storage: bool,
}

/// An open compound file.
pub(super) struct Container<'a> {
    file: CompoundFile<Cursor<&'a [u8]>>,
    size: u64,
    /// Bytes that may still be read: chains of sectors can overlap, so that a small file holds large streams.
    left: u64,
    /// Something in it could not be read.
    pub(super) damaged: bool,
}

impl<'a> Container<'a> {
    /// Opens one; why not, in words.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let opened = catch_unwind(AssertUnwindSafe(|| CompoundFile::open(Cursor::new(bytes))));
        let file = match opened {
            Ok(Ok(file)) => file,
            Ok(Err(error)) => return Err(format!("its container is damaged ({error})")),
            Err(_) => return Err("its container is damaged".to_owned()),
        };
        let size = bytes.len() as u64;
        Ok(Self { file, size, left: size.saturating_mul(MOST_READS), damaged: false })
    }

    /// What lies in a storage.
    pub(super) fn entries(&mut self, path: &str) -> Vec<Entry> {
        let read = catch_unwind(AssertUnwindSafe(|| {
            let entries = self.file.read_storage(path).into_iter().flatten().take(MOST_ENTRIES);
            entries.map(|it| Entry { name: it.name().to_owned(), is_storage: it.is_storage() }).collect()
        }));
        read.unwrap_or_else(|_| {
            self.damaged = true;
            Vec::new()
        })
    }

    pub(super) fn is_storage(&self, path: &str) -> bool {
        self.file.is_storage(path)
    }

    /// The paths of storages whose names begin so, in the order of their names.
    pub(super) fn children(&mut self, path: &str, prefix: &str) -> Vec<String> {
        let entries =
            self.entries(path).into_iter().filter(|it| it.is_storage && it.name.starts_with(prefix));
        let mut paths: Vec<String> = entries.map(|it| join(path, &it.name)).collect();
        paths.sort();
        paths
    }

    /// The bytes of a stream, as far as they can be read.
    pub(super) fn stream(&mut self, path: &str) -> Option<Vec<u8>> {
        let most = self.size.min(self.left);
        let read = catch_unwind(AssertUnwindSafe(|| {
            let stream = self.file.open_stream(path).ok()?;
            let promised = stream.len();
            let mut bytes = Vec::new();
            let well = stream.take(most).read_to_end(&mut bytes).is_ok() && promised <= most;
            Some((bytes, well))
        }));
        let (bytes, well) = read.ok().flatten().unwrap_or((Vec::new(), false));
        self.left = self.left.saturating_sub(bytes.len() as u64);
        self.damaged |= !well;
        (well || !bytes.is_empty()).then_some(bytes)
    }

    /// The properties of the storage at a path; none where there are none.
    pub(super) fn props(&mut self, path: &str, head: Head) -> Option<Props> {
        let entries = self.entries(path);
        if !entries.iter().any(|it| !it.is_storage && it.name == FIXED) {
            return None;
        }
        let mut props = Props::default();
        let fixed = self.stream(&join(path, FIXED)).unwrap_or_default();
        for value in fixed.get(head.length()..).unwrap_or_default().chunks_exact(16) {
            put_fixed(value, &mut props);
        }
        for entry in entries.iter().filter(|it| !it.is_storage) {
            let Some((id, kind)) = tag(&entry.name) else { continue };
            let Some(bytes) = self.stream(&join(path, &entry.name)) else { continue };
            match kind {
                0x1f => props.put(id, Value::Text(wide(&bytes))),
                0x1e => props.put(id, Value::Narrow(bytes)),
                _ => props.put(id, Value::Bytes(bytes)),
            }
        }
        Some(props)
    }
}

/// The number and type in the name of a stream, of those types that are looked at.
fn tag(name: &str) -> Option<(u16, u16)> {
    let digits = name.strip_prefix("__substg1.0_").filter(|digits| digits.len() == 8 && digits.is_ascii())?;
    let id = u16::from_str_radix(&digits[..4], 16).ok()?;
    let kind = u16::from_str_radix(&digits[4..], 16).ok()?;
    // Named properties have other numbers in every file.
    (id < 0x8000 && matches!(kind, 0x1e | 0x1f | 0x102)).then_some((id, kind))
}

fn put_fixed(value: &[u8], props: &mut Props) {
    let short = |at: usize| u16::from(value[at]) | u16::from(value[at + 1]) << 8;
    let (kind, id) = (short(0), short(2));
    let Ok(bytes) = <[u8; 8]>::try_from(&value[8..16]) else { return };
    let whole = i64::from_le_bytes(bytes);
    match kind {
        0x02 | 0x0b => props.put(id, Value::Number(whole & 0xffff)),
        0x03 => props.put(id, Value::Number(whole & 0xffff_ffff)),
        0x40 => props.put(id, Value::Time(whole)),
        _ => {}
    }
}

pub(super) fn join(path: &str, name: &str) -> String {
    format!("{}/{name}", path.trim_end_matches('/'))
}
