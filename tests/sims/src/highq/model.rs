//! The records of the fake instance.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::common::post::Postman;

/// What somebody may do at a site or folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It is not shown.
    None,
    /// Read.
    View,
    /// Put in and change.
    #[default]
    Update,
    /// Everything.
    Admin,
}

/// State of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteStatus {
    /// In use.
    #[default]
    Active,
    /// Closed; hidden, but nobody loses access.
    Archived,
    /// Looked at only.
    ReadOnly,
    /// Being made.
    Preparation,
}

impl SiteStatus {
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Archived => "Archived",
            Self::ReadOnly => "ReadOnly",
            Self::Preparation => "Preparation",
        }
    }
}

/// A site: what belongs to one matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    /// Id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// `clientno`; left out where empty.
    pub client: String,
    /// `matterno`; left out where empty.
    pub matter: String,
    /// State.
    pub status: SiteStatus,
    /// Id of its root folder.
    pub root: u64,
    /// Needs a password, a second factor or DRM: documents are not served by the API.
    pub restricted: bool,
    /// What those do who have no entry in `rights`.
    pub everyone: Level,
    /// By id of a person.
    pub rights: BTreeMap<String, Level>,
    /// Who used it lately.
    pub recent_of: BTreeSet<String>,
    /// Who has marked it.
    pub favourite_of: BTreeSet<String>,
    /// Milliseconds since 1970.
    pub created: i64,
}

/// A folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Folder {
    /// Id.
    pub id: u64,
    /// Id of its site.
    pub site: u64,
    /// Id of the folder above; none for a root.
    pub parent: Option<u64>,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// A saved filter that looks like a folder.
    pub smart: bool,
    /// Takes its permissions from above.
    pub inherited: bool,
    /// By id of a person; counts where permissions are not inherited.
    pub rights: BTreeMap<String, Level>,
    /// Keys that an integrator put on it.
    pub dms: BTreeMap<String, String>,
    /// Id of who made it.
    pub user: String,
    /// Milliseconds since 1970.
    pub created: i64,
    /// In the recycle bin.
    pub deleted: bool,
    /// Record in the site's iSheet about folders, where it has one.
    pub record: Option<u64>,
}

/// A file: versions that share an id.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) id: u64,
    pub(super) folder: u64,
    pub(super) versions: Vec<Version>,
    /// Id of who has it checked out.
    pub(super) lock: Option<String>,
    pub(super) deleted: bool,
    /// Record in the site's metadata sheet.
    pub(super) record: Option<u64>,
}

/// One version.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) name: String,
    /// What answers say; differs from what is stored only by a flaw.
    pub(super) size: u64,
    pub(super) stored: Stored,
    pub(super) note: String,
    pub(super) dms: BTreeMap<String, String>,
    pub(super) user: String,
    pub(super) client: String,
    pub(super) at: i64,
}

/// What was kept of an upload.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    pub(super) size: u64,
    pub(super) blake3: String,
    /// `None` where it was larger than the limit.
    pub(super) bytes: Option<Bytes>,
}

impl File {
    pub(super) fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }
}

/// Kinds of column, by the form of their `rawdata`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// `value`.
    #[default]
    Text,
    /// `value`, digits.
    Number,
    /// `choices.choice[].id`.
    Choice,
    /// `date`, in the column's own format.
    Date,
    /// `linkdisplayname` and `linkdisplayurl`.
    Link,
}

/// A column of an iSheet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Id.
    pub id: u64,
    /// Title.
    pub title: String,
    /// Kind.
    pub kind: ColumnKind,
    /// Such as `DD/MM/YYYY`; dates only.
    pub date_format: String,
    /// Id and label; choices only.
    pub choices: Vec<(u64, String)>,
}

/// An iSheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sheet {
    /// Id.
    pub id: u64,
    /// Id of its site.
    pub site: u64,
    /// Title.
    pub title: String,
    /// `normal`, `documentmetadata`, `foldermetadata`, `taskmetadata`.
    pub kind: String,
    /// Its one view.
    pub view: u64,
    /// Columns.
    pub columns: Vec<Column>,
    /// Raw data by record, then by column.
    pub records: BTreeMap<u64, BTreeMap<u64, Value>>,
}

/// An organisation; users belong to one, and it owns domains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Organisation {
    /// Id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Domains of its users' addresses.
    pub domains: Vec<String>,
}

/// Something that happened, for `changes`.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) site: u64,
    pub(super) kind: &'static str,
    pub(super) file: u64,
    pub(super) client: String,
}

/// A task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) list: u64,
    pub(super) body: Value,
}

/// An addition of several users that is still going on.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) polls_left: u32,
    pub(super) users: Vec<Value>,
}

/// A window of the rate limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) began: i64,
    pub(super) calls: u32,
}

/// A workflow that tells of files and records by a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Webhook {
    /// Where to: `http://` only.
    pub url: String,
    /// Sent as `Authorization: Bearer`.
    pub token: String,
}

/// Everything an instance holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenant {
    pub(super) next: u64,
    pub(super) sites: BTreeMap<u64, Site>,
    pub(super) folders: BTreeMap<u64, Folder>,
    pub(super) children: HashMap<u64, Vec<u64>>,
    pub(super) files: BTreeMap<u64, File>,
    pub(super) in_folder: HashMap<u64, Vec<u64>>,
    pub(super) sheets: BTreeMap<u64, Sheet>,
    pub(super) organisations: Vec<Organisation>,
    /// Site and person.
    pub(super) members: BTreeSet<(u64, String)>,
    /// Addresses that were written to.
    pub(super) invited: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) tasks: Vec<Task>,
    pub(super) changes: Vec<Change>,
    pub(super) progress: BTreeMap<String, Progress>,
    pub(super) windows: HashMap<String, Window>,
    /// Uploads that are being received.
    pub(super) in_flight: usize,
    pub(super) most_in_flight: usize,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) postman: Postman,
}

impl Tenant {
    pub(super) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn put_folder(&mut self, folder: Folder) {
        if let Some(parent) = folder.parent {
            let children = self.children.entry(parent).or_default();
            if !children.contains(&folder.id) {
                children.push(folder.id);
            }
        }
        self.folders.insert(folder.id, folder);
    }

    /// What a person may do at a folder.
    pub(super) fn level(&self, person: &str, folder: &Folder) -> Level {
        let Some(site) = self.sites.get(&folder.site) else { return Level::None };
        let of_site = site.rights.get(person).copied().unwrap_or(site.everyone);
        if of_site == Level::None {
            return Level::None;
        }
        let mut at = folder;
        loop {
            if !at.inherited {
                let own = if at.user == person { Level::Admin } else { Level::None };
                return at.rights.get(person).copied().unwrap_or(own);
            }
            match at.parent.and_then(|id| self.folders.get(&id)) {
                Some(above) => at = above,
                None => return at.rights.get(person).copied().unwrap_or(of_site),
            }
        }
    }

    /// Path of a folder, as answers show it.
    pub(super) fn location(&self, folder: &Folder) -> String {
        if folder.deleted {
            return "Deleted Items".to_owned();
        }
        let mut path = vec![folder.name.as_str()];
        let mut at = folder.parent;
        while let Some(above) = at.and_then(|id| self.folders.get(&id)) {
            path.push(&above.name);
            at = above.parent;
        }
        path.reverse();
        path.join("/")
    }

    /// A new record in the site's sheet of a kind, where it has one.
    fn new_record(&mut self, site: u64, kind: &str) -> Option<u64> {
        let sheet = self.sheets.values_mut().find(|sheet| sheet.site == site && sheet.kind == kind)?;
        let record = sheet.records.keys().last().copied().unwrap_or(0) + 1;
        sheet.records.insert(record, BTreeMap::new());
        Some(record)
    }

    /// Makes the records that are missing. The root of a site has none.
    pub(super) fn make_records(&mut self) {
        let without = |it: &&Folder| it.record.is_none() && it.parent.is_some() && !it.smart;
        let folders: Vec<(u64, u64)> =
            self.folders.values().filter(without).map(|it| (it.id, it.site)).collect();
        for (id, site) in folders {
            let record = self.new_record(site, "foldermetadata");
            if let Some(folder) = self.folders.get_mut(&id) {
                folder.record = record;
            }
        }
        let site_of = |folder: u64| self.folders.get(&folder).map_or(0, |it| it.site);
        let files = self.files.values().filter(|it| it.record.is_none());
        let files: Vec<(u64, u64)> = files.map(|it| (it.id, site_of(it.folder))).collect();
        for (id, site) in files {
            let record = self.new_record(site, "documentmetadata");
            if let Some(file) = self.files.get_mut(&id) {
                file.record = record;
            }
        }
    }

    /// Tells of something by all webhooks.
    pub(super) fn tell(&self, site: u64, what: &Value) {
        for webhook in &self.webhooks {
            let mut body = json!({
                "instanceId": "firm", "instanceBaseUrl": "https://collab.firm.example/firm", "timezone": "UTC",
                "siteId": site, "workflowVersion": 1, "workflowId": 9, "ruleId": 2, "author": "Carl Client",
            });
            if let (Some(body), Some(what)) = (body.as_object_mut(), what.as_object()) {
                body.extend(what.clone());
            }
            self.postman.send(&webhook.url, Some(&webhook.token), body.to_string());
        }
    }

    /// Tells of a file.
    pub(super) fn tell_of_file(&self, id: u64, operation: &str) {
        let Some(file) = self.files.get(&id) else { return };
        let site = self.folders.get(&file.folder).map_or(0, |it| it.site);
        let kind = file.latest().and_then(|it| it.name.rsplit_once('.')).map_or("", |it| it.1);
        let what = json!({
            "moduleAlias": "SITE_MODULE_DOCUMENTS", "operation": operation, "contentID": id,
            "parentFolderId": file.folder, "documentExtension": kind,
        });
        self.tell(site, &what);
    }
}
