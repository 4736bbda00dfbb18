//! What was collected from a folder in a DMS: so that a document is collected once, also over a restart, and let go of once it is through.

use serde::{Deserialize, Serialize};

use crate::ids::{IntakeId, SourceName};
use crate::mailroom::hashed;
use crate::record::{Kept, Kind};

/// A document of a scan folder that was taken in. Written in the transaction of its intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// What it has become.
    pub intake: IntakeId,
    /// The source that the folder is.
    pub source: SourceName,
    /// The document's id in the DMS.
    pub document: String,
    /// Which state of it was taken: its version, or else when it was changed and how large it was.
    pub state: String,
    /// Whether nothing more is to be done with it. It is remembered for as long as it lies in the folder.
    pub done: bool,
    /// Grows by one with every change.
    #[serde(skip)]
    pub version: u64,
}

impl Collected {
    /// The group of all that was collected from a source.
    pub fn of(source: &SourceName) -> String {
        format!("scan/{source}")
    }

    /// What makes a state of a document the same arrival when it is collected again.
    pub fn key(source: &SourceName, document: &str, state: &str) -> String {
        format!("scan/{source}/{}", hashed(&format!("{document}\0{state}")))
    }
}

impl Kept for Collected {
    const KIND: Kind = Kind::Collected;
    fn number(&self) -> u128 {
        self.intake.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![format!("scan/{}/{}", self.source, hashed(&self.document))]
    }
    fn groups(&self) -> Vec<String> {
        vec![Self::of(&self.source)]
    }
}
