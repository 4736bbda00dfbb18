//! The few operations that durability hangs on, behind a trait, so that tests can record their order and make the Nth one fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What the spool does to a disk.
pub(super) trait Disk: Send + Sync {
    /// Makes a new file that only we may read.
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    /// Appends bytes.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Makes a file's bytes and length durable.
    fn flush(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Gives a file its name, in place of what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// Makes the names in a folder durable.
    fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

/// The disk as it is.
pub(super) struct PlainDisk;

impl Disk for PlainDisk {}
