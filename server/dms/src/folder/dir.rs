//! A folder by its handle. Every step goes from an open folder to a name in it and follows no link, so nothing that
//! happens to a path meanwhile leads out of the root.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    /// A link, pipe, socket or device: never touched.
    Other,
}

/// An open folder.
#[derive(Debug)]
pub(super) struct Dir(OwnedFd);

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Dir {
    /// Opens the root. The operator named it, so it may itself be a link.
    pub(super) fn root(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, FOLDER, Mode::empty())?))
    }

    /// Opens a folder in this one.
    pub(super) fn sub(&self, name: &str) -> io::Result<Self> {
        match rustix::fs::openat(&self.0, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => Ok(Self(fd)),
            // A link or a file where a folder is wanted is no folder.
            Err(Errno::LOOP | Errno::NOTDIR) => Err(io::ErrorKind::NotFound.into()),
            Err(e) => Err(e.into()),
        }
    }

    /// Opens a folder in this one and makes it first where it is missing.
    pub(super) fn ensure(&self, name: &str) -> io::Result<Self> {
        match self.sub(name) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                match self.make(name) {
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                    other => other?,
                }
                self.sub(name)
            }
            other => other,
        }
    }

    /// Makes a folder, durably.
    pub(super) fn make(&self, name: &str) -> io::Result<()> {
        rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777))?;
        self.flush()
    }

    /// What a name stands for here; `None` when there is no such name.
    pub(super) fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Kind::Folder,
                FileType::RegularFile => Kind::File,
                _ => Kind::Other,
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Opens a file to read. A pipe does not make us wait for a writer.
    pub(super) fn read(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Err(Errno::LOOP) => return Err(io::ErrorKind::NotFound.into()),
            other => other?,
        };
        let file = File::from(fd);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Creates a file that must not exist yet.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o666))?))
    }

    /// Takes the lock file of this folder for as long as the result lives.
    pub(super) fn lock(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o666))?);
        loop {
            match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(file),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Moves a file to a name, over whatever has it.
    pub(super) fn replace(&self, from: &str, to: &Self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &to.0, name)?)
    }

    /// Moves a file to a name that nothing has yet; [`io::ErrorKind::AlreadyExists`] when something has.
    pub(super) fn give(&self, from: &str, to: &Self, name: &str) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.0, from, &to.0, name, RenameFlags::NOREPLACE) {
            // Not every file system can (NFS cannot): a second name does not replace anything either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::linkat(&self.0, from, &to.0, name, AtFlags::empty())?;
                self.remove(from)
            }
            other => Ok(other?),
        }
    }

    /// Gives a file a second name, which nothing has yet. File systems without such links get a copy, flushed before it is named.
    pub(super) fn keep(&self, from: &str, to: &Self, name: &str, aside: (&Self, &str)) -> io::Result<()> {
        match rustix::fs::linkat(&self.0, from, &to.0, name, AtFlags::empty()) {
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::XDEV | Errno::MLINK | Errno::INVAL) => {
                self.duplicate(from, to, name, aside)
            }
            other => Ok(other?),
        }
    }

    /// Copies a file to a name that nothing has yet, by way of a place aside.
    pub(super) fn duplicate(
        &self,
        from: &str,
        to: &Self,
        name: &str,
        aside: (&Self, &str),
    ) -> io::Result<()> {
        let (tmp, other) = aside;
        let copied = (|| {
            let mut copy = tmp.create(other)?;
            io::copy(&mut self.read(from)?, &mut copy)?;
            copy.sync_all()?;
            tmp.give(other, to, name)
        })();
        if copied.is_err() {
            let _ = tmp.remove(other);
        }
        copied
    }

    /// Whether two names stand for one file.
    pub(super) fn is_same(&self, name: &str, other: &Self, its: &str) -> io::Result<bool> {
        let stat = |dir: &Self, name| rustix::fs::statat(&dir.0, name, AtFlags::SYMLINK_NOFOLLOW);
        match (stat(self, name), stat(other, its)) {
            (Ok(a), Ok(b)) => Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)),
            (Err(Errno::NOENT), _) | (_, Err(Errno::NOENT)) => Ok(false),
            (Err(e), _) | (_, Err(e)) => Err(e.into()),
        }
    }

    /// Removes an empty folder; a missing one is as good as removed.
    pub(super) fn remove_folder(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes a file; a missing one is as good as removed.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Makes the folder's names durable.
    pub(super) fn flush(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    /// The names in the folder, sorted, as far as they are text.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if let Some(name) = name.to_str().filter(|name| *name != "." && *name != "..") {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}
