//! `[[scan_folders]]`: folders in a DMS that scanners file into.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::ids::{ServiceName, SiteName, SourceName};
use postroom_domain::repository::Area;
use postroom_inbound::scan_folder::{Afterwards, ScanFolderOptions, WorkItemRule};
use serde::Deserialize;

use super::pages::Pages;

/// `[[scan_folders]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanFolder {
    /// The source's name.
    pub(crate) name: SourceName,
    /// The destination whose folder it is.
    pub(crate) service: ServiceName,
    /// Library, cabinet or site, where the DMS has them.
    #[serde(default)]
    library: String,
    /// The id of the folder or workspace.
    container: String,
    /// The site its arrivals belong to.
    #[serde(default = "super::main_site")]
    pub(crate) site: SiteName,
    /// The area its arrivals belong to.
    #[serde(default = "super::scanning")]
    pub(crate) area: Area,
    /// How often it is looked through, in seconds.
    #[serde(default = "poll_seconds")]
    poll_seconds: u64,
    /// Whether its documents are batches of pages.
    #[serde(default)]
    pub(crate) batches: bool,
    /// How batches are divided.
    #[serde(default)]
    pub(crate) pages: Pages,
    /// The reference of the work item, made of fields of the workspace that a document lies in: `{clientno}-{matterno}`.
    #[serde(default)]
    work_item: String,
    /// What becomes of a document once what came of it is through.
    #[serde(default)]
    when_done: WhenDone,
    /// The folder that it is moved to.
    #[serde(default)]
    move_to: String,
    /// The fields of its profile that are set.
    #[serde(default)]
    mark: BTreeMap<String, String>,
}

/// What becomes of a document that is through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhenDone {
    #[default]
    Leave,
    Move,
    Mark,
}

const fn poll_seconds() -> u64 {
    60
}

impl ScanFolder {
    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let key = format!("scan_folders \"{}\"", self.name);
        if self.container.trim().is_empty() {
            wrong.push(format!("{key}: container: must not be blank; `postroom places` lists ids"));
        }
        if let Err(problem) = self.rule() {
            wrong.push(format!("{key}: work_item: {problem}"));
        }
        if !(1..=86_400).contains(&self.poll_seconds) {
            wrong.push(format!("{key}: poll_seconds: 1 to 86400"));
        }
        if (self.when_done == WhenDone::Move) == self.move_to.trim().is_empty() {
            wrong.push(format!("{key}: move_to: belongs to when_done = \"move\", and is needed there"));
        }
        if self.move_to == self.container {
            wrong.push(format!("{key}: move_to: is the folder itself"));
        }
        if (self.when_done == WhenDone::Mark) == self.mark.is_empty() {
            wrong.push(format!("{key}: mark: belongs to when_done = \"mark\", and is needed there"));
        }
        wrong.extend(self.pages.mistakes().map(|problem| format!("{key}: {problem}")));
        wrong
    }

    /// How the workspace gives the work item.
    fn rule(&self) -> Result<Option<WorkItemRule>, &'static str> {
        if self.work_item.is_empty() { Ok(None) } else { WorkItemRule::read(&self.work_item).map(Some) }
    }

    /// As the door reads it.
    pub(crate) fn options(&self, largest: u64) -> ScanFolderOptions {
        ScanFolderOptions {
            source: self.name.clone(),
            site: self.site.clone(),
            service: self.service.clone(),
            library: self.library.clone(),
            container: self.container.clone(),
            poll: Duration::from_secs(self.poll_seconds),
            largest,
            batches: self.batches,
            work_item: self.rule().ok().flatten(),
            afterwards: match self.when_done {
                WhenDone::Leave => Afterwards::Leave,
                WhenDone::Move => Afterwards::Move { to: self.move_to.clone() },
                WhenDone::Mark => Afterwards::Mark { fields: self.mark.clone() },
            },
        }
    }
}
