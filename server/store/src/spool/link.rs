//! Content for a backup: a second name for the same file where that is possible, a checked copy where not.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use postroom_domain::spool::{Blob, SpoolError};

use super::CHUNK;
use super::shelves::{Shelves, place_in};

pub(super) fn link_into(shelves: &Shelves, other: &Path, blob: Blob) -> Result<(), SpoolError> {
    shelves.check(blob)?;
    let (from, to) = (shelves.path(blob.hash), place_in(other, blob.hash));
    let trouble =
        |error: io::Error| SpoolError::Disk(format!("linking {} to {}: {error}", blob.hash, to.display()));
    if let Some(folder) = to.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(trouble)?;
    }
    match fs::symlink_metadata(&to) {
        Ok(found) if found.is_file() && found.len() == blob.size => return Ok(()),
        // A copy that was cut off.
        Ok(_) => fs::remove_file(&to).map_err(trouble)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(trouble(error)),
    }
    match fs::hard_link(&from, &to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(SpoolError::Missing(blob.hash)),
        // Another file system, or one without hard links.
        Err(_) => copy(shelves, &from, &to, blob),
    }
}

/// Copies aside, checks, flushes, names.
fn copy(shelves: &Shelves, from: &Path, to: &Path, blob: Blob) -> Result<(), SpoolError> {
    let aside = to.with_extension("part");
    let trouble =
        |error: io::Error| SpoolError::Disk(format!("copying {} to {}: {error}", blob.hash, to.display()));
    let _ = fs::remove_file(&aside);
    let mut source = File::open(from).map_err(trouble)?;
    let mut target = shelves.disk.create(&aside).map_err(trouble)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = source.read(&mut buffer).map_err(trouble)?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
        shelves.disk.write(&mut target, &buffer[..length]).map_err(trouble)?;
    }
    if hasher.finalize().as_bytes() != blob.hash.as_bytes() {
        let _ = fs::remove_file(&aside);
        return Err(SpoolError::Damaged(blob.hash));
    }
    shelves.disk.flush(&target).map_err(trouble)?;
    shelves.disk.rename(&aside, to).map_err(trouble)
}

pub(super) fn flush_links(shelves: &Shelves, other: &Path) -> Result<(), SpoolError> {
    let trouble = |error: io::Error| SpoolError::Disk(format!("flushing {}: {error}", other.display()));
    for number in 0..=u8::MAX {
        match shelves.disk.flush_folder(&other.join(format!("{number:02x}"))) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(trouble(error)),
            _ => {}
        }
    }
    match shelves.disk.flush_folder(other) {
        // Nothing was linked.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        answer => answer.map_err(trouble),
    }
}
