//! Control of what the instance holds: looked into, seeded, changed, in process and for other processes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::flaws::Flaw;
use super::model::{File, Folder, Organisation, Sheet, Site, Stored, Version, Webhook};
use super::serve::HighQ;
use crate::common::control::Control;
use crate::common::control_http::{parse, show};
use crate::common::core::Core;
use crate::common::post::Delivered;

/// One version of a file that is held, and not in the recycle bin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Id of the file.
    pub file: u64,
    /// Number of the version, from 1.
    pub version: u64,
    /// Whether it is the newest.
    pub newest: bool,
    /// File name with its extension.
    pub name: String,
    /// Bytes stored.
    pub size: u64,
    /// BLAKE3 of what was stored, lower-case hex.
    pub blake3: String,
    /// Folder.
    pub folder: u64,
    /// Site.
    pub site: u64,
    /// Id of who put it there.
    pub user: String,
    /// `dmsdocid`.
    pub mark: String,
    /// All of an integrator's keys.
    pub dms: BTreeMap<String, String>,
    /// Note of the version.
    pub note: String,
    /// `sourceclient` of the call.
    pub client: String,
    /// Record in the metadata iSheet, as raw data by column.
    pub record: BTreeMap<u64, Value>,
}

/// A file to begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedFile {
    /// Id.
    pub id: u64,
    /// Folder.
    pub folder: u64,
    /// Name with its extension.
    pub name: String,
    /// Content.
    pub text: String,
    /// Id of who put it there.
    pub user: String,
}

/// What is added to the instance; what has a known id replaces that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Sites.
    pub sites: Vec<Site>,
    /// Folders, parents first.
    pub folders: Vec<Folder>,
    /// Files.
    pub files: Vec<SeedFile>,
    /// iSheets.
    pub sheets: Vec<Sheet>,
    /// Organisations.
    pub organisations: Vec<Organisation>,
}

impl Control<HighQ> {
    /// Every version held, by file and number.
    pub fn ledger(&self) -> Vec<Entry> {
        let world = self.core.world();
        let tenant = &world.vendor.tenant;
        let mut entries = Vec::new();
        for file in tenant.files.values().filter(|it| !it.deleted) {
            let site = tenant.folders.get(&file.folder).map_or(0, |it| it.site);
            let sheet = tenant.sheets.values().find(|it| it.site == site && it.kind == "documentmetadata");
            let record = file.record.and_then(|id| sheet?.records.get(&id).cloned()).unwrap_or_default();
            for (at, version) in file.versions.iter().enumerate() {
                entries.push(Entry {
                    file: file.id,
                    version: at as u64 + 1,
                    newest: at + 1 == file.versions.len(),
                    name: version.name.clone(),
                    size: version.stored.size,
                    blake3: version.stored.blake3.clone(),
                    folder: file.folder,
                    site,
                    user: version.user.clone(),
                    mark: version.dms.get("dmsdocid").cloned().unwrap_or_default(),
                    dms: version.dms.clone(),
                    note: version.note.clone(),
                    client: version.client.clone(),
                    record: record.clone(),
                });
            }
        }
        entries
    }

    /// How many files there are, those in the recycle bin not counted.
    pub fn count(&self) -> usize {
        self.core.world().vendor.tenant.files.values().filter(|it| !it.deleted).count()
    }

    /// Ids of files in the recycle bin.
    pub fn recycled(&self) -> Vec<u64> {
        let world = self.core.world();
        world.vendor.tenant.files.values().filter(|it| it.deleted).map(|it| it.id).collect()
    }

    /// The sites.
    pub fn sites(&self) -> Vec<Site> {
        self.core.world().vendor.tenant.sites.values().cloned().collect()
    }

    /// The folders.
    pub fn folders(&self) -> Vec<Folder> {
        self.core.world().vendor.tenant.folders.values().cloned().collect()
    }

    /// Organisations with their domains.
    pub fn organisations(&self) -> Vec<Organisation> {
        self.core.world().vendor.tenant.organisations.clone()
    }

    /// Addresses that were invited, in order.
    pub fn invited(&self) -> Vec<String> {
        self.core.world().vendor.tenant.invited.clone()
    }

    /// Most uploads that were received at once.
    pub fn most_uploads(&self) -> usize {
        self.core.world().vendor.tenant.most_in_flight
    }

    /// Changes the instance; false if there was nothing to change.
    pub fn change(&self, flaw: &Flaw) -> bool {
        flaw.apply(&mut self.core.world().vendor.tenant)
    }

    /// Changes a folder; false if there is none.
    pub fn update_folder(&self, id: u64, change: impl FnOnce(&mut Folder)) -> bool {
        self.core.world().vendor.tenant.folders.get_mut(&id).map(change).is_some()
    }

    /// Changes a site; false if there is none.
    pub fn update_site(&self, id: u64, change: impl FnOnce(&mut Site)) -> bool {
        self.core.world().vendor.tenant.sites.get_mut(&id).map(change).is_some()
    }

    /// The iSheets.
    pub fn sheets(&self) -> Vec<Sheet> {
        self.core.world().vendor.tenant.sheets.values().cloned().collect()
    }

    /// Changes an iSheet; false if there is none.
    pub fn update_sheet(&self, id: u64, change: impl FnOnce(&mut Sheet)) -> bool {
        self.core.world().vendor.tenant.sheets.get_mut(&id).map(change).is_some()
    }

    /// The record of a file in the site's iSheet about documents.
    pub fn record_of_file(&self, id: u64) -> Option<u64> {
        self.core.world().vendor.tenant.files.get(&id)?.record
    }

    /// Makes the records of files and folders that have none yet, where their site has an iSheet for them.
    pub fn make_records(&self) {
        self.core.world().vendor.tenant.make_records();
    }

    /// Tells of files and records from now on.
    pub fn add_webhook(&self, webhook: Webhook) {
        self.core.world().vendor.tenant.webhooks.push(webhook);
    }

    /// What webhooks told, and how that was answered.
    pub fn notifications(&self) -> Vec<Delivered> {
        self.core.world().vendor.tenant.postman.delivered()
    }

    /// Lets a person put a file into a folder by hand. Gives its id.
    pub fn drop_file(&self, folder: u64, name: &str, text: &str, user: &str) -> u64 {
        let id = self.core.world().vendor.tenant.id();
        let file =
            SeedFile { id, folder, name: name.to_owned(), text: text.to_owned(), user: user.to_owned() };
        self.seed(&Seed { files: vec![file], ..Seed::default() });
        self.core.world().vendor.tenant.tell_of_file(id, "ACTIVITY_DOCUMENT_ADDED");
        id
    }

    /// Adds to the instance; files and folders have their records.
    pub fn seed(&self, seed: &Seed) {
        let (now, late) = (self.core.now(), self.core.switches().late_records);
        let mut world = self.core.world();
        let tenant = &mut world.vendor.tenant;
        let ids = seed.sites.iter().map(|it| it.id).chain(seed.folders.iter().map(|it| it.id));
        let highest = ids.chain(seed.files.iter().map(|it| it.id)).max().unwrap_or(0);
        tenant.next = tenant.next.max(highest);
        tenant.sites.extend(seed.sites.iter().map(|it| (it.id, it.clone())));
        for folder in &seed.folders {
            tenant.put_folder(folder.clone());
        }
        tenant.sheets.extend(seed.sheets.iter().map(|it| (it.id, it.clone())));
        tenant.organisations.extend(seed.organisations.iter().cloned());
        for file in &seed.files {
            let bytes = bytes::Bytes::from(file.text.clone());
            let stored = Stored {
                size: bytes.len() as u64,
                blake3: blake3::hash(&bytes).to_hex().to_string(),
                bytes: Some(bytes),
            };
            let version = Version {
                name: file.name.clone(),
                size: stored.size,
                stored,
                note: String::new(),
                dms: BTreeMap::new(),
                user: file.user.clone(),
                client: String::new(),
                at: now,
            };
            tenant.in_folder.entry(file.folder).or_default().push(file.id);
            let versions = vec![version];
            let file =
                File { id: file.id, folder: file.folder, versions, lock: None, deleted: false, record: None };
            tenant.files.insert(file.id, file);
        }
        if !late {
            tenant.make_records();
        }
    }

    /// A token of a person (id or mail address), as if they had signed in with an application: access and refresh.
    pub fn tokens_of(&self, person: &str, client: &str) -> (String, String) {
        let person = self.core.world().find(person).map_or_else(|| person.to_owned(), |it| it.id.clone());
        let now = self.core.now();
        let mut bank = self.core.bank();
        let grant = crate::common::bank::Grant { person, client: client.to_owned(), ..Default::default() };
        let grant = bank.grant(grant);
        (bank.access(grant, now), bank.refresh(grant, now))
    }
}

/// Control routes of this simulator.
pub(super) fn http(
    core: &Arc<Core<HighQ>>,
    method: &str,
    path: &str,
    body: &[u8],
) -> Option<Result<Value, String>> {
    let control = Control { core: Arc::clone(core) };
    Some(match (method, path) {
        ("GET", "ledger") => show(control.ledger()),
        ("GET", "sites") => show(control.sites()),
        ("GET", "folders") => show(control.folders()),
        ("GET", "invited") => show(control.invited()),
        ("GET", "sheets") => show(control.sheets()),
        ("GET", "notifications") => show(control.notifications()),
        ("POST", "webhook") => parse::<Webhook>(body).map(|webhook| {
            control.add_webhook(webhook);
            json!({ "ok": true })
        }),
        ("POST", "seed") => parse::<Seed>(body).map(|seed| {
            control.seed(&seed);
            json!({ "ok": true })
        }),
        ("POST", "flaw") => parse::<Flaw>(body).map(|flaw| json!({ "changed": control.change(&flaw) })),
        _ => return None,
    })
}
