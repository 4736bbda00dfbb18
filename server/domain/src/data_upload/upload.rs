//! The record of a table that was handed in.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mapping::Mapping;
use super::results::Counts;
use crate::ids::{DataUploadId, SiteName};
use crate::person::Sites;
use crate::record::{Kept, Kind, naming};
use crate::spool::Blob;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataState {
    /// Its header was read; nothing is done until somebody says so.
    Staged,
    /// Its rows are being looked at, and nothing is changed.
    Checking,
    /// All rows were looked at.
    Checked,
    /// Its rows are being loaded.
    Loading,
    /// All rows were loaded or rejected.
    Loaded,
    /// Somebody stopped it; it goes on where it was when it is run again.
    Stopped,
    /// The file cannot be read any further.
    Failed,
}

impl DataState {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Loading => "loading",
            Self::Loaded => "loaded",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether it is being worked on.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Checking | Self::Loading)
    }
}

impl fmt::Display for DataState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The results of a portion of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How many rows.
    pub rows: u64,
    /// How many had which result.
    pub counts: Counts,
    /// The results ([`super::read_results`]).
    pub results: Blob,
}

/// One way through the rows, looking or loading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What is done.
    pub batches: Vec<Batch>,
    /// What is being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<UnderWay>,
}

/// A portion whose rows may be saved already, all, some or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// What was to become of its rows ([`super::read_results`]).
    pub plan: Blob,
    /// Since when: what was saved for it was saved after that.
    pub since: Timestamp,
}

impl Pass {
    /// At the beginning.
    pub const fn new(began: Timestamp) -> Self {
        Self { began, ended: None, batches: Vec::new(), under_way: None }
    }

    /// Rows that are done.
    pub fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.rows).sum()
    }

    /// How many had which result.
    pub fn counts(&self) -> Counts {
        self.batches.iter().fold(Counts::default(), |sum, batch| sum.and(batch.counts))
    }
}

/// A table that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataUpload {
    /// Its id.
    pub id: DataUploadId,
    /// Grows by one with every change.
    #[serde(skip)]
    pub version: u64,
    /// The site of work items that name none.
    pub site: SiteName,
    /// Who handed it in.
    pub owner: String,
    /// Who said last that it be looked at or loaded.
    pub run_by: String,
    /// The sites that its rows may name: those of whoever said so.
    pub sites: Sites,
    /// The file's name.
    pub file_name: String,
    /// The file.
    pub file: Blob,
    /// What the file is, in words.
    pub format: String,
    /// How it is read, as it was when it was handed in.
    pub mapping: Mapping,
    /// How far it is.
    pub state: DataState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// The last look at all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Pass>,
    /// The last loading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Pass>,
    /// When it was handed in.
    pub created: Timestamp,
}

impl DataUpload {
    /// The group of all.
    pub const ALL: &str = "all";
    /// The group of those that are being worked on.
    pub const WORKING: &str = "working";

    /// The pass that is under way, or was last: what its results are shown from.
    pub const fn pass(&self) -> Option<&Pass> {
        match (self.state, &self.load) {
            (DataState::Checking | DataState::Checked, _) | (_, None) => self.check.as_ref(),
            (_, Some(load)) => Some(load),
        }
    }

    /// The pass that is being worked on.
    pub const fn working(&mut self) -> Option<&mut Pass> {
        match self.state {
            DataState::Checking => self.check.as_mut(),
            DataState::Loading => self.load.as_mut(),
            _ => None,
        }
    }

    /// Begins to look at all rows, or goes on with it where it was stopped; nothing is changed by it. False when it is being worked on.
    pub fn begin_check(&mut self, now: Timestamp) -> bool {
        if self.state.is_working() {
            return false;
        }
        let on =
            self.state == DataState::Stopped && self.check.as_ref().is_some_and(|pass| pass.ended.is_none());
        if !on {
            self.check = Some(Pass::new(now));
        }
        self.begin(DataState::Checking)
    }

    /// Begins to load all rows, or goes on where it was stopped or cut off. False when it is being worked on.
    pub fn begin_load(&mut self, now: Timestamp) -> bool {
        if self.state.is_working() {
            return false;
        }
        if self.load.as_ref().is_none_or(|pass| pass.ended.is_some()) {
            self.load = Some(Pass::new(now));
        }
        self.begin(DataState::Loading)
    }

    fn begin(&mut self, state: DataState) -> bool {
        self.state = state;
        self.problem.clear();
        self.version += 1;
        true
    }

    /// Stops it between two portions. False when it is not being worked on.
    pub fn stop(&mut self) -> bool {
        let working = self.state.is_working();
        if working {
            self.state = DataState::Stopped;
            self.version += 1;
        }
        working
    }

    /// How many rows there are, once somebody has been through all.
    pub fn total(&self) -> Option<u64> {
        let ended = |pass: &Option<Pass>| pass.as_ref().filter(|pass| pass.ended.is_some()).map(Pass::rows);
        ended(&self.check).or_else(|| ended(&self.load))
    }
}

impl Kept for DataUpload {
    const KIND: Kind = Kind::DataUpload;
    fn number(&self) -> u128 {
        self.id.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        let passes = self.check.iter().chain(&self.load);
        let results = passes.flat_map(|pass| {
            pass.batches.iter().map(|batch| batch.results).chain(pass.under_way.map(|it| it.plan))
        });
        let working = self.state.is_working().then(|| Self::WORKING.to_owned());
        let mut groups: Vec<String> = std::iter::once(self.file).chain(results).map(naming).collect();
        groups.push(Self::ALL.to_owned());
        groups.extend(working);
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}
