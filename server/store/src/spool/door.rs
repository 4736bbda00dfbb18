//! The free-space door: documents are refused while there is still room for the queue to drain.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postroom_domain::spool::SpoolError;
use postroom_domain::time::Clock;

use super::SpoolOptions;

/// How long a reading of the free space is used.
const FRESH: Duration = Duration::from_secs(1);
const GIB: u64 = 1 << 30;

/// Free bytes and all bytes of the file system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    pub(super) free: u64,
    pub(super) total: u64,
}

/// Reads the free space at most every second, and decides.
pub(super) struct Door {
    folder: PathBuf,
    largest: u64,
    reserve: Option<u64>,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<(Duration, Space)>>,
}

impl Door {
    pub(super) fn new(folder: PathBuf, options: &SpoolOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            folder,
            largest: options.largest,
            reserve: options.reserve_bytes,
            clock,
            last: Mutex::new(None),
        }
    }

    /// Whether a document of `size` bytes leaves the reserve untouched.
    pub(super) fn admit(&self, size: u64) -> Result<(), SpoolError> {
        let space = self.space()?;
        let wanted = self.reserve(space.total).saturating_add(size);
        if space.free < wanted { Err(SpoolError::NoRoom { free: space.free, wanted }) } else { Ok(()) }
    }

    /// The answer to a disk that turned out to be full although the door was open. The next one asks anew.
    pub(super) fn full(&self) -> SpoolError {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match self.space() {
            Ok(space) => SpoolError::NoRoom { free: space.free, wanted: self.reserve(space.total) },
            Err(error) => error,
        }
    }

    fn reserve(&self, total: u64) -> u64 {
        self.reserve.unwrap_or_else(|| (self.largest.saturating_mul(2)).max(total / 20).max(GIB))
    }

    fn space(&self) -> Result<Space, SpoolError> {
        let now = self.clock.monotonic();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, space)) = *last
            && now.saturating_sub(at) < FRESH
        {
            return Ok(space);
        }
        let stat = rustix::fs::statvfs(&self.folder).map_err(|error| {
            SpoolError::Disk(format!("reading the free space of {}: {error}", self.folder.display()))
        })?;
        let space = Space {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        };
        *last = Some((now, space));
        Ok(space)
    }

    /// For tests: what the next second believes.
    #[cfg(test)]
    pub(super) fn pretend(&self, space: Space) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.clock.monotonic(), space));
    }
}
