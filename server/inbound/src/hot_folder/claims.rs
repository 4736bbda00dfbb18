//! Claimed files: out of everybody's hands, each in a folder named by its claim, under the path it had in the hot folder.
//!
//! Paths are walked with one descriptor per folder and never through a symbolic link, so that nothing outside the hot folder
//! is read or moved, even by somebody who swaps folders for links at the right moment.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::ids::IntakeId;
use rustix::fs::{Mode, OFlags};

use super::ending;
use super::looks::Waiting;
use super::walk::{FileMark, Kind, walk};

/// How far a claimed file is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// It has no intake that we know of.
    Open {
        /// Monotonic time before which it is left alone.
        not_before: Duration,
    },
    /// It is an intake.
    Accepted {
        /// Which one.
        intake: IntakeId,
        /// The file as it was read.
        mark: FileMark,
    },
}

/// A claimed file.
#[derive(Debug)]
pub(super) struct Claim {
    /// Its path below the hot folder, before; now below the claim's folder.
    pub(super) path: PathBuf,
    pub(super) stage: Stage,
    /// How often it went wrong.
    pub(super) tries: u32,
    /// Since when it has had no intake, on the monotonic clock.
    pub(super) since: Duration,
}

/// A claim as it is found on the disk.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) accepted: Option<(IntakeId, FileMark)>,
}

/// The folders of one hot folder.
#[derive(Clone)]
pub(super) struct Claims {
    hot: Arc<Path>,
}

impl Claims {
    pub(super) fn new(hot: PathBuf) -> Self {
        Self { hot: hot.into() }
    }

    pub(super) fn hot(&self) -> &Path {
        &self.hot
    }

    fn ours(&self) -> PathBuf {
        self.hot.join(".postroom")
    }

    fn taken(&self) -> PathBuf {
        self.ours().join("taken")
    }

    fn refused(&self) -> PathBuf {
        self.ours().join("refused")
    }

    fn note_path(&self, name: &str) -> PathBuf {
        self.taken().join(format!("{name}.intake"))
    }

    /// Makes our folders where they are missing; tells which `taken` it is, as another disk may have been put in its place.
    pub(super) fn identity(&self) -> io::Result<(u64, u64)> {
        for folder in [self.ours(), self.taken(), self.refused()] {
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => flush_folder(&File::open(folder.parent().unwrap_or(&self.hot))?)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !fs::symlink_metadata(&folder)?.is_dir() {
                        let text = format!("{} must be a folder, not a link or a file", folder.display());
                        return Err(io::Error::new(ErrorKind::NotADirectory, text));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let found = fs::symlink_metadata(self.taken())?;
        Ok((found.dev(), found.ino()))
    }

    /// The claims on the disk. What a crash left half-made or half-removed is tidied up.
    pub(super) fn list(&self) -> io::Result<Vec<Listed>> {
        let mut found = Vec::new();
        let mut notes = Vec::new();
        for entry in fs::read_dir(self.taken())? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if let Some(name) = name.strip_suffix(".intake") {
                notes.push(name.to_owned());
            } else if entry.file_type()?.is_dir() {
                let walked = walk(&entry.path())?;
                match walked.seen.into_iter().find(|seen| matches!(seen.kind, Kind::Plain(_))) {
                    Some(seen) => {
                        let accepted = self.read_note(&name);
                        found.push(Listed { name, path: seen.path, accepted });
                    }
                    None => remove_empty(&entry.path(), 0),
                }
            }
        }
        for name in notes {
            if !self.taken().join(&name).exists() {
                remove_if_there(&self.note_path(&name))?;
            }
        }
        Ok(found)
    }

    /// Takes a file out of the hot folder, if it still is what was seen, is whole, and nobody has locked it.
    pub(super) fn claim(&self, path: &Path, mark: FileMark, name: &str) -> Result<(), Waiting> {
        let unreadable = |error: io::Error| match error.kind() {
            // It has gone, or has become something else: the next look tells.
            ErrorKind::NotFound | ErrorKind::NotADirectory => Waiting::Settling,
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Waiting::Settling,
            _ => Waiting::Unreadable(error.to_string()),
        };
        let (from, file_name) = folder_of(&self.hot, path).map_err(unreadable)?;
        let mut file = open_in(&from, &file_name).map_err(unreadable)?;
        if mark_of(&file).map_err(unreadable)? != mark {
            return Err(Waiting::Settling);
        }
        if matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)) {
            return Err(Waiting::Locked);
        }
        if let Some(what) = ending::missing(&mut file, mark.size, path).map_err(unreadable)? {
            return Err(Waiting::HalfWritten(what));
        }
        let claim = self.taken().join(name);
        let into = claim.join(path.parent().unwrap_or(Path::new("")));
        DirBuilder::new().recursive(true).mode(0o700).create(&into).map_err(unreadable)?;
        let moved = File::open(&into)
            .and_then(|to| rustix::fs::renameat(&from, &file_name, &to, &file_name).map_err(io::Error::from));
        if let Err(error) = moved {
            remove_empty(&claim, 0);
            return Err(unreadable(error));
        }
        if let Err(error) = flush_own(&claim, &into) {
            not_durable(&error);
        }
        Ok(())
    }

    /// Keeps a power cut from bringing claimed files back under their old names after they were accepted. These are the paths that they
    /// had: what claims share is flushed once for all of them.
    pub(super) fn flush(&self, claimed: &[PathBuf]) {
        let mut from: Vec<&Path> = claimed.iter().filter_map(|path| path.parent()).collect();
        from.sort_unstable();
        from.dedup();
        let all = std::iter::once(File::open(self.taken()).and_then(|taken| flush_folder(&taken)));
        let all = all.chain(from.into_iter().map(|folder| {
            let (fd, _) = folder_of(&self.hot, &folder.join("any name"))?;
            flush_folder(&File::from(rustix::fs::openat(&fd, ".", folder_flags(), Mode::empty())?))
        }));
        for error in all.filter_map(Result::err) {
            // Folders that went with their files need no flush.
            if error.kind() != ErrorKind::NotFound {
                not_durable(&error);
            }
        }
    }

    /// Opens a claimed file.
    pub(super) fn open(&self, name: &str, path: &Path) -> io::Result<(File, FileMark)> {
        let (folder, file_name) = folder_of(&self.taken().join(name), path)?;
        let file = open_in(&folder, &file_name)?;
        let mark = mark_of(&file)?;
        Ok((file, mark))
    }

    /// Notes beside a claim which intake it has become.
    pub(super) fn note(&self, name: &str, intake: IntakeId, mark: FileMark) -> io::Result<()> {
        let FileMark { inode, size, modified: (seconds, nanos) } = mark;
        fs::write(self.note_path(name), format!("{intake} {inode} {size} {seconds} {nanos} .\n"))
    }

    /// What was noted; nothing when it is missing or torn.
    fn read_note(&self, name: &str) -> Option<(IntakeId, FileMark)> {
        let text = fs::read_to_string(self.note_path(name)).ok()?;
        let mut words = text.split_whitespace();
        let intake = words.next()?.parse().ok()?;
        let inode = words.next()?.parse().ok()?;
        let size = words.next()?.parse().ok()?;
        let modified = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (words.next() == Some(".")).then_some((intake, FileMark { inode, size, modified }))
    }

    /// Removes a claimed file that is filed. False, and nothing is removed, when it is not the file that was read.
    pub(super) fn remove(&self, name: &str, path: &Path, mark: FileMark) -> io::Result<bool> {
        match self.open(name, path) {
            Ok((_, found)) if found != mark => return Ok(false),
            Ok(_) => {
                let (folder, file_name) = folder_of(&self.taken().join(name), path)?;
                rustix::fs::unlinkat(&folder, &file_name, rustix::fs::AtFlags::empty())?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        remove_empty(&self.taken().join(name), 0);
        remove_if_there(&self.note_path(name))?;
        Ok(true)
    }

    /// Gives a claim another name, under which it is a new arrival.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.taken().join(from), self.taken().join(to))?;
        flush_folder(&File::open(self.taken())?)?;
        remove_if_there(&self.note_path(from))
    }

    /// Sets a claim aside for a person, with the reason beside it.
    pub(super) fn refuse(&self, name: &str, why: &str) -> io::Result<()> {
        fs::write(self.refused().join(format!("{name}.why.txt")), format!("{why}\n"))?;
        fs::rename(self.taken().join(name), self.refused().join(name))?;
        flush_folder(&File::open(self.refused())?)?;
        flush_folder(&File::open(self.taken())?)?;
        remove_if_there(&self.note_path(name))
    }
}

/// The identity of an open file, which must be a plain one.
pub(super) fn mark_of(file: &File) -> io::Result<FileMark> {
    let found = file.metadata()?;
    if found.is_file() { Ok(FileMark::of(&found)) } else { Err(io::Error::other("it is not a plain file")) }
}

/// The folder that a path below a root lies in, and its last part.
fn folder_of(root: &Path, path: &Path) -> io::Result<(OwnedFd, PathBuf)> {
    let mut folder =
        rustix::fs::open(root, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())?;
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(part) = part else { break };
        if parts.peek().is_none() {
            return Ok((folder, PathBuf::from(part)));
        }
        folder = rustix::fs::openat(&folder, part, folder_flags(), Mode::empty())?;
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "not a path below the folder"))
}

const fn folder_flags() -> OFlags {
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY)
}

/// Opens without following a link and without waiting for the other end of a pipe.
fn open_in(folder: &OwnedFd, name: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?))
}

/// The folders of one claim.
fn flush_own(claim: &Path, into: &Path) -> io::Result<()> {
    let mut folder = into;
    while folder != claim {
        flush_folder(&File::open(folder)?)?;
        folder = folder.parent().unwrap_or(claim);
    }
    flush_folder(&File::open(claim)?)
}

fn not_durable(error: &io::Error) {
    // The files are ours; at worst a power cut brings them back under their old names, and they are filed as duplicates.
    tracing::warn!(source.error = %error, "claims of files could not be made durable");
}

/// Flushes a folder; network shares that cannot do that say so, and are believed.
fn flush_folder(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        answer => answer,
    }
}

/// Removes folders that are empty, from the innermost. Others stay.
fn remove_empty(folder: &Path, depth: usize) {
    if depth > 16 {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path(), depth + 1);
        }
    }
    let _ = fs::remove_dir(folder);
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
