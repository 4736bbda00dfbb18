//! What the DMS knows about a document, kept beside it as `.postroom/<file name>.json`.

use std::collections::BTreeMap;
use std::io::{self, Read};

use jiff::Timestamp;
use postroom_domain::ids::{BlobHash, FilingId};
use postroom_domain::person::Actor;
use serde::{Deserialize, Serialize};

use super::dir::Dir;

/// The profile of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sidecar {
    /// Format of this file.
    pub(super) version: u32,
    /// The mark: which filing put the document here.
    pub(super) mark: String,
    /// Size in bytes when it was filed.
    pub(super) size: u64,
    /// BLAKE3 when it was filed.
    pub(super) hash: BlobHash,
    /// Media type.
    pub(super) media_type: String,
    /// When the document was received.
    pub(super) received: Timestamp,
    /// Who filed it.
    pub(super) actor: Actor,
    /// The name it was sent under; the file may have a number more.
    pub(super) sent_as: String,
    /// Profile attributes.
    #[serde(default)]
    pub(super) profile: BTreeMap<String, String>,
}

/// The name of a document's sidecar.
pub(super) fn of(document: &str) -> String {
    format!("{document}.json")
}

/// Where a mark points: one small file per filing, so that a probe opens two files however many documents there are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pointer {
    /// The name of the document, if it got that far.
    pub(super) document: String,
}

/// Our files in [`super::ids::HIDDEN`]: sidecars, `marks/`, `tmp/` and the lock.
pub(super) struct Ledger {
    /// The hidden folder.
    pub(super) home: Dir,
    /// `marks/<filing>`.
    pub(super) marks: Dir,
    /// Files that have no name yet.
    pub(super) tmp: Dir,
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

    /// The document that a filing's mark points to, with its sidecar, if that sidecar carries the mark.
    pub(super) fn find(&self, filing: FilingId) -> io::Result<Option<(String, Sidecar)>> {
        let Some(pointer) = load::<Pointer>(&self.marks, &filing.to_string())? else { return Ok(None) };
        if !super::ids::is_plain(&pointer.document) {
            return Ok(None);
        }
        let Some(sidecar) = load::<Sidecar>(&self.home, &of(&pointer.document))? else { return Ok(None) };
        let ours = sidecar.mark == postroom_domain::ids::Mark::of(filing).to_string();
        Ok(ours.then_some((pointer.document, sidecar)))
    }
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
