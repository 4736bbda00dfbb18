//! What is in the folder at this moment. Symbolic links are seen and never followed.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How deep folders are looked into.
const DEPTH: usize = 8;

/// What tells one state of a file from another. Without the device, whose number may differ after a restart of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileMark {
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds.
    pub(super) modified: (i64, i64),
}

impl FileMark {
    pub(super) fn of(found: &Metadata) -> Self {
        Self { inode: found.ino(), size: found.len(), modified: (found.mtime(), found.mtime_nsec()) }
    }
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plain file.
    Plain(FileMark),
    /// A symbolic link, FIFO, socket or device.
    Special,
}

/// A name in the folder.
#[derive(Debug)]
pub(super) struct Seen {
    /// Below the folder.
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

/// What a look through a folder has seen.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Which folder it was, by device and inode.
    pub(super) root: (u64, u64),
    /// Plain files and special ones.
    pub(super) seen: Vec<Seen>,
    /// The folders in it that were looked into, below it.
    pub(super) folders: Vec<PathBuf>,
}

/// Everything in a folder and the folders in it, but not what is ours or hidden.
pub(super) fn walk(root: &Path) -> io::Result<Walked> {
    let metadata = fs::metadata(root)?;
    let mut walked = Walked { root: (metadata.dev(), metadata.ino()), ..Walked::default() };
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            // The folder itself must be there; one in it may have gone, or be closed to us, without harm to the others.
            Err(error) if depth == 0 => return Err(error),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::debug!(source.folder = ?folder, source.error = %error, "a folder in a hot folder cannot be read");
                }
                continue;
            }
        };
        for entry in entries {
            let Ok(entry) = entry else { continue };
            let path = folder.join(entry.file_name());
            // Gone since it was listed: it is not there.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                if depth < DEPTH && !entry.file_name().as_bytes().starts_with(b".") {
                    walked.folders.push(path.clone());
                    folders.push((path, depth + 1));
                }
            } else {
                let kind =
                    if metadata.is_file() { Kind::Plain(FileMark::of(&metadata)) } else { Kind::Special };
                walked.seen.push(Seen { path, kind });
            }
        }
    }
    Ok(walked)
}
