//! Content sealed anew, when a data key goes or content is from before it was sealed.
//!
//! A file is read through and compared with its name, written aside under the present key, flushed, and only then given the name, in one
//! step. Until that step the old file is there, afterwards the new one; who reads the old one reads it to its end. What was written aside
//! when the process ends is removed at the next start like any draft.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use postroom_domain::ids::BlobHash;
use postroom_domain::sealing::{ContentSeals, Resealed};
use postroom_domain::spool::{Blob, SpoolError};

use super::form::{Form, Measures};
use super::reading::Reading;
use super::shelves::Shelves;
use super::writing::Aside;

/// What became of one file.
enum Outcome {
    /// It is sealed with the present key, or gone, or was replaced by somebody else meanwhile.
    Nothing,
    /// It is sealed anew.
    Changed,
    /// It names an old key and cannot be read.
    Damaged,
}

/// Looks at a page of content and seals anew what is not sealed with the present key. When it returns, the changes are durable.
pub(super) fn reseal(
    shelves: &Arc<Shelves>,
    after: Option<BlobHash>,
    limit: usize,
) -> Result<Resealed, SpoolError> {
    let mut done = Resealed::default();
    let Some(seals) = shelves.seals.clone() else { return Ok(done) };
    shelves.healthy()?;
    let mut folders = Vec::new();
    for hash in shelves.page(after, limit)? {
        done.last = Some(hash);
        done.seen += 1;
        match anew(shelves, seals.as_ref(), hash)? {
            Outcome::Nothing => {}
            Outcome::Changed => {
                done.changed += 1;
                folders.push(hash);
            }
            Outcome::Damaged => done.damaged.push(hash),
        }
    }
    folders.dedup_by_key(|hash| hash.as_bytes()[0]);
    for hash in folders {
        shelves.flush_folder_of(hash)?;
    }
    Ok(done)
}

fn anew(shelves: &Arc<Shelves>, seals: &dyn ContentSeals, hash: BlobHash) -> Result<Outcome, SpoolError> {
    let path = shelves.path(hash);
    let reading = |error: &io::Error| SpoolError::Disk(format!("{}: {error}", path.display()));
    let (mut file, found) = match open(&path) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(Outcome::Nothing),
        Err(error) => return Err(reading(&error)),
    };
    let header = header_of(&mut file, seals.header_len()).map_err(|error| reading(&error))?;
    let key = seals.key_of(&header);
    let sealed = key.and_then(|_| Measures::of(seals).plain_len(found.len()));
    if sealed.is_some() && key == Some(seals.current_key()) {
        return Ok(Outcome::Nothing);
    }
    // A document may look sealed and be none: then its plain bytes have its name.
    let forms = [sealed.map(|size| (size, Form::Sealed)), Some((found.len(), Form::Plain))];
    let mut holds_back = false;
    for (size, form) in forms.into_iter().flatten() {
        file.rewind().map_err(|error| reading(&error))?;
        let source = file.try_clone().map_err(|error| reading(&error))?;
        let copied = match Reading::of(shelves, source, Blob { hash, size }, form) {
            Ok(source) => copy(shelves, source, &found)?,
            Err(error) if error.kind() == ErrorKind::InvalidData => None,
            // Sealed with a key that the keyring does not hold: it keeps none of those that it holds from going.
            Err(error) if error.kind() == ErrorKind::Other => continue,
            Err(error) => return Err(reading(&error)),
        };
        match copied {
            Some(aside) => return replace(shelves, aside, hash, &found),
            None => holds_back |= form == Form::Sealed,
        }
    }
    Ok(if holds_back { Outcome::Damaged } else { Outcome::Nothing })
}

/// The file with what is known of it; none when it is gone or no plain file.
fn open(path: &std::path::Path) -> io::Result<Option<(File, Metadata)>> {
    let opened = fs::symlink_metadata(path).and_then(|found| {
        if !found.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        let found = file.metadata()?;
        Ok(Some((file, found)))
    });
    match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened,
    }
}

/// The first bytes of a file, fewer when it has not as many.
pub(super) fn header_of(file: &mut File, length: usize) -> io::Result<Vec<u8>> {
    let mut header = Vec::with_capacity(length);
    file.take(length as u64).read_to_end(&mut header)?;
    Ok(header)
}

/// Writes it aside, sealed and flushed; none when it is damaged. Keeps the time of writing: a sweep sees the same age as before.
fn copy(shelves: &Arc<Shelves>, mut source: Reading, found: &Metadata) -> Result<Option<Aside>, SpoolError> {
    let mut aside = Aside::create(shelves)?;
    loop {
        match source.next() {
            Ok(chunk) => aside.write(&chunk, source.ended())?,
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(None),
            Err(error) => return Err(SpoolError::Disk(format!("reading content: {error}"))),
        }
        if source.ended() {
            break;
        }
    }
    let written = found.modified().and_then(|written| aside.file().set_modified(written));
    written.map_err(|error| shelves.trouble("dating content", &error))?;
    aside.flush()?;
    Ok(Some(aside))
}

/// Gives it the name, unless the file that has it is not the one that was read: then somebody accepted the same content again, or it was
/// swept, and neither is undone.
fn replace(
    shelves: &Shelves,
    mut aside: Aside,
    hash: BlobHash,
    read: &Metadata,
) -> Result<Outcome, SpoolError> {
    let same = |found: &Metadata| {
        (found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec())
            == (read.dev(), read.ino(), read.len(), read.mtime(), read.mtime_nsec())
    };
    let replaced = shelves.replace(aside.path(), hash, same)?;
    aside.named = replaced;
    Ok(if replaced { Outcome::Changed } else { Outcome::Nothing })
}
