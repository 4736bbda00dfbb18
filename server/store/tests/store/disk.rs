//! A disk in memory that forgets what was not flushed, and fails when it is told to.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex};

use postroom_domain::testing::SeededEntropy;
use redb::StorageBackend;

/// What is torn is torn at sectors.
const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => {
                if image.len() < at + bytes.len() {
                    image.resize(at + bytes.len(), 0);
                }
                image[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Self::Length(length) => image.resize(*length, 0),
        }
    }
}

/// When operations fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Never.
    None,
    /// The operation with this number, and no other.
    Once(u64),
    /// That operation and all after it.
    From(u64),
    /// The next flush and everything after it.
    Flush,
}

#[derive(Debug)]
struct State {
    /// What a power cut leaves for certain.
    flushed: Vec<u8>,
    /// What has been written since.
    unflushed: Vec<Change>,
    /// What is read.
    seen: Vec<u8>,
    /// Operations so far that change or flush.
    operations: u64,
    fault: Fault,
    /// The power is off: nothing reaches the disk any more.
    off: bool,
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// An empty disk that works.
    pub(crate) fn new() -> Self {
        Self::of(Vec::new())
    }

    fn of(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State {
            flushed: image.clone(),
            unflushed: Vec::new(),
            seen: image,
            operations: 0,
            fault: Fault::None,
            off: false,
        })))
    }

    /// The disk as a backend of a store.
    pub(crate) fn backend(&self) -> Box<dyn StorageBackend> {
        Box::new(self.clone())
    }

    /// Lets operations fail; counted from now on.
    pub(crate) fn fail(&self, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        (state.fault, state.operations) = (fault, 0);
    }

    /// How many operations there were since [`Disk::fail`].
    pub(crate) fn operations(&self) -> u64 {
        self.0.lock().unwrap().operations
    }

    /// The power goes: a new disk with what was flushed and, by chance, some of the rest, whole or torn, in any order of sectors. The
    /// old one takes nothing more.
    pub(crate) fn power_cut(&self, chance: &SeededEntropy) -> Self {
        let mut state = self.0.lock().unwrap();
        state.off = true;
        let mut image = state.flushed.clone();
        for change in &state.unflushed {
            match (chance.next() % 4, change) {
                (0, _) => {}
                (1, Change::Write(at, bytes)) => {
                    for (sector, part) in bytes.chunks(SECTOR).enumerate() {
                        if chance.next().is_multiple_of(2) {
                            Change::Write(at + sector * SECTOR, part.to_vec()).apply(&mut image);
                        }
                    }
                }
                _ => change.apply(&mut image),
            }
        }
        Self::of(image)
    }

    /// The process is killed: the system still has everything that was written.
    pub(crate) fn kill(&self) -> Self {
        let mut state = self.0.lock().unwrap();
        state.off = true;
        Self::of(state.seen.clone())
    }

    fn change(&self, change: Change) -> Result<(), Error> {
        let mut state = self.0.lock().unwrap();
        state.operation()?;
        if !state.off {
            change.apply(&mut state.seen);
            state.unflushed.push(change);
        }
        Ok(())
    }
}

impl State {
    fn operation(&mut self) -> Result<(), Error> {
        self.operations += 1;
        let fails = match self.fault {
            Fault::None | Fault::Flush => false,
            Fault::Once(number) => self.operations == number,
            Fault::From(number) => self.operations >= number,
        };
        if fails { Err(Error::other("the disk failed on purpose")) } else { Ok(()) }
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.0.lock().unwrap().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let state = self.0.lock().unwrap();
        let bytes = state.seen.get(size(offset)..size(offset) + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        self.change(Change::Length(size(length)))
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut state = self.0.lock().unwrap();
        if state.fault == Fault::Flush {
            state.fault = Fault::From(0);
        }
        state.operation()?;
        if !state.off {
            for change in std::mem::take(&mut state.unflushed) {
                change.apply(&mut state.flushed);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.change(Change::Write(size(offset), data.to_vec()))
    }
}
