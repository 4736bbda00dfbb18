//! Our files beside documents, as files.

use std::io::{self, Read, Write};

use postroom_domain::ids::{FilingId, Mark};

use super::dir::Dir;
pub(super) use crate::share::sidecar::{Pointer, Sidecar, of};

/// Our files in [`super::ids::HIDDEN`]: sidecars, `marks/`, `tmp/`, `versions/` and the lock.
pub(super) struct Ledger {
    /// The hidden folder.
    pub(super) home: Dir,
    /// `marks/<filing>`.
    pub(super) marks: Dir,
    /// Files that have no name yet.
    pub(super) tmp: Dir,
}

/// What a mark on a document's files means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bears {
    /// The document as it is now.
    Now,
    /// An older version, by its number.
    Older(u32),
    /// The version of that number, if the document has its content: the sidecar came first.
    Perhaps(u32),
}

/// Where the document of a mark may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The name of the document.
    pub(super) document: String,
    /// What bears the mark.
    pub(super) bears: Bears,
    /// Its sidecar.
    pub(super) sidecar: Sidecar,
}

impl Ledger {
    /// Opens them, and makes what is missing.
    pub(super) fn make(container: &Dir) -> io::Result<Self> {
        let home = container.ensure(super::ids::HIDDEN)?;
        Ok(Self { marks: home.ensure("marks")?, tmp: home.ensure("tmp")?, home })
    }

    /// Opens them to read; `None` where no document was ever filed.
    pub(super) fn open(container: &Dir) -> io::Result<Option<Self>> {
        let found: io::Result<Self> = (|| {
            let home = container.sub(super::ids::HIDDEN)?;
            Ok(Self { marks: home.sub("marks")?, tmp: home.sub("tmp")?, home })
        })();
        match found {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Places where the document of a filing may be, best first.
    pub(super) fn find(&self, filing: FilingId) -> io::Result<Vec<Place>> {
        let Some(pointer) = load::<Pointer>(&self.marks, &filing.to_string())? else { return Ok(Vec::new()) };
        let mark = Mark::of(filing).to_string();
        let mut places = Vec::new();
        for document in pointer.names() {
            if let Some(sidecar) = load::<Sidecar>(&self.home, &of(&document))?.filter(|it| it.mark == mark) {
                places.push(Place { document: document.clone(), bears: Bears::Now, sidecar });
            }
            let Some(versions) = self.versions(&document)? else { continue };
            for name in versions.names()? {
                let Some(number) = name.strip_suffix(".json").and_then(|n| n.parse::<u32>().ok()) else {
                    continue;
                };
                let Some(sidecar) = load::<Sidecar>(&versions, &name)?.filter(|it| it.mark == mark) else {
                    continue;
                };
                let there = versions.kind(&number.to_string())?.is_some();
                let bears = if there { Bears::Older(number) } else { Bears::Perhaps(number) };
                places.push(Place { document: document.clone(), bears, sidecar });
            }
        }
        Ok(places)
    }

    /// The folder of a document's older versions, if it has any.
    pub(super) fn versions(&self, document: &str) -> io::Result<Option<Dir>> {
        match self.home.sub("versions").and_then(|versions| versions.sub(document)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }
}

/// The number of a document's version as it is now.
pub(super) fn current(ledger: Option<&Ledger>, document: &str) -> io::Result<u32> {
    let versions = match ledger {
        Some(ledger) => ledger.versions(document)?,
        None => None,
    };
    versions.map_or(Ok(1), |versions| Ok(newest(&versions)? + 1))
}

/// The greatest number of an older version; 0 when there is none.
pub(super) fn newest(versions: &Dir) -> io::Result<u32> {
    let numbers = versions.names()?.into_iter().filter_map(|name| name.parse::<u32>().ok());
    Ok(numbers.max().unwrap_or(0))
}

/// Our files are small; what is larger is not ours.
const LARGEST: u64 = 1024 * 1024;

/// Reads a small JSON file; `None` when it is missing or, as a crash may leave it, empty.
pub(super) fn load<T: serde::de::DeserializeOwned>(dir: &Dir, name: &str) -> io::Result<Option<T>> {
    let file = match dir.read(name) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    let broken = |e| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {e}"));
    serde_json::from_slice(&text).map(Some).map_err(broken)
}

/// Writes a small JSON file that must not exist yet, flushed.
pub(super) fn write<T: serde::Serialize>(dir: &Dir, name: &str, value: &T) -> io::Result<()> {
    let text = serde_json::to_vec(value).map_err(io::Error::other)?;
    let mut file = dir.create(name)?;
    file.write_all(&text)?;
    file.sync_all()
}
