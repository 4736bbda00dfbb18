//! Content for a backup: a second name for the same file where that is possible, a checked copy where not.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt as _};
use std::path::Path;

use postroom_domain::spool::{Blob, SpoolError};

use super::CHUNK;
use super::reading::Reading;
use super::reseal::header_of;
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
        Ok(found) if found.is_file() && is_same(shelves, &from, &to, &found).map_err(trouble)? => {
            return Ok(());
        }
        // A copy that was cut off, or sealed with another key than ours is now.
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

/// Whether the file there is ours, or as good: as long, and begun with the same bytes where it is sealed. A copy that names a data key of
/// before would open with the keyring of before only.
fn is_same(shelves: &Shelves, from: &Path, to: &Path, found: &fs::Metadata) -> io::Result<bool> {
    let ours = fs::metadata(from)?;
    if (ours.dev(), ours.ino()) == (found.dev(), found.ino()) {
        return Ok(true);
    }
    let length = shelves.seals.as_ref().map_or(0, |seals| seals.header_len());
    let header = |path: &Path| header_of(&mut File::open(path)?, length);
    Ok(ours.len() == found.len() && header(from)? == header(to)?)
}

/// Copies aside, checks the copy, flushes, names.
fn copy(shelves: &Shelves, from: &Path, to: &Path, blob: Blob) -> Result<(), SpoolError> {
    let aside = to.with_extension("part");
    let trouble =
        |error: io::Error| SpoolError::Disk(format!("copying {} to {}: {error}", blob.hash, to.display()));
    let _ = fs::remove_file(&aside);
    let mut source = File::open(from).map_err(trouble)?;
    let mut target = shelves.disk.create(&aside).map_err(trouble)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = source.read(&mut buffer).map_err(trouble)?;
        if length == 0 {
            break;
        }
        shelves.disk.write(&mut target, &buffer[..length]).map_err(trouble)?;
    }
    if let Err(error) = read_through(shelves, &aside, blob) {
        let _ = fs::remove_file(&aside);
        return Err(match error.kind() {
            ErrorKind::InvalidData => SpoolError::Damaged(blob.hash),
            _ => trouble(error),
        });
    }
    shelves.disk.flush(&target).map_err(trouble)?;
    shelves.disk.rename(&aside, to).map_err(trouble)
}

/// Reads a copy to its end, so that its plain bytes are compared with its name.
fn read_through(shelves: &Shelves, path: &Path, blob: Blob) -> io::Result<()> {
    let mut reading = Reading::begin(shelves, path, blob)?;
    loop {
        reading.next()?;
        if reading.ended() {
            return Ok(());
        }
    }
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
