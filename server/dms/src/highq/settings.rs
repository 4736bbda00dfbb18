//! Settings of a HighQ destination. What no public source of HighQ's settles is a key here, with the best guess as its default.

use std::collections::BTreeSet;
use std::path::PathBuf;

use postroom_outbound::SecretString;
use serde::Deserialize;
use url::Url;

/// How to sign in. There is no grant for programs: a person allows it once.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// A refresh token from a link that a person made once.
    RefreshToken {
        /// Client id of the registered application: an integer.
        client_id: u64,
        /// Its secret.
        client_secret: Option<SecretString>,
        /// A file with its secret.
        client_secret_file: Option<PathBuf>,
        /// The file with the token. It is rewritten whenever HighQ replaces the token, so it must be writable.
        refresh_token_file: PathBuf,
    },
    /// An account that an administrator links in Postroom; its tokens are kept sealed there.
    Link,
}

/// Which format is asked for. Answers are read in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `Accept: application/json`.
    #[default]
    Json,
    /// HighQ's own default.
    Xml,
}

/// What becomes of a name that a file in the folder has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EqualNames {
    /// It is sent as it is; HighQ decides.
    #[default]
    Send,
    /// The folder is read before, and the name numbered: `letter (2).pdf`. For instances that refuse equal names or make versions
    /// of them. Costs a call per document.
    Number,
}

/// Versions of the API per resource: an integer in the path. New fields appear with new ones, old ones stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Versions {
    /// Of `sites`.
    pub sites: u32,
    /// Of `folders`.
    pub folders: u32,
    /// Of `files`.
    pub files: u32,
    /// Of `files/{id}/versions`, which there is from 12 on.
    pub file_versions: u32,
    /// Of `isheets` and `isheet`.
    pub isheets: u32,
    /// Of users of sites.
    pub users: u32,
    /// Of `organisations` and `domains`.
    pub organisations: u32,
}

impl Default for Versions {
    fn default() -> Self {
        Self { sites: 6, folders: 1, files: 1, file_versions: 12, isheets: 3, users: 3, organisations: 4 }
    }
}

/// The iSheet that holds the profile of documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metadata {
    /// Whether documents have a profile at all.
    pub on: bool,
    /// Id of the iSheet, where all sites have one and the same; otherwise each site tells, or its iSheets are asked.
    pub sheet: Option<u64>,
    /// Id of its view; otherwise the site tells, or the first one counts.
    pub view: Option<u64>,
    /// Whether the record is read whenever a document is looked at. Costs two calls.
    pub read: bool,
}

/// How people are added to sites.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// Path below the API's version that lists a site's users, with `{site}` in it. No public source names one; without it users cannot
    /// be looked up.
    pub list: Option<String>,
    /// Site that a person is added to where nothing else says one.
    pub site: Option<u64>,
    /// Whether an organisation and its domain are made where no organisation has a person's domain. The account must be a system
    /// administrator then.
    pub create_organisations: bool,
    /// Inner status codes that mean: was in the site already.
    pub present_codes: BTreeSet<u16>,
    /// Inner status codes that mean: added.
    pub made_codes: BTreeSet<u16>,
    /// How often an addition that goes on is asked after.
    pub polls: u32,
    /// The pause between, in seconds.
    pub poll_seconds: f64,
}

impl Default for People {
    fn default() -> Self {
        Self {
            list: None,
            site: None,
            create_organisations: false,
            present_codes: BTreeSet::from([200, 409]),
            made_codes: BTreeSet::from([201]),
            polls: 30,
            poll_seconds: 1.0,
        }
    }
}

/// Settings of a HighQ destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of one section of the settings")]
pub struct Settings {
    /// Address of the instance, whole: `https://collab.firm.example/collab`. It is never put together from a name.
    pub base_url: Url,
    /// How to sign in.
    pub auth: Auth,
    /// Versions of the API.
    #[serde(default)]
    pub versions: Versions,
    /// Which format is asked for.
    #[serde(default)]
    pub format: Format,
    /// Status of a call whose token has run out. Nothing is renewed on any other one: 403 is a real refusal.
    #[serde(default = "unauthorised")]
    pub expired_status: u16,
    /// `dmsdatabasename` of files and folders: tells whose keys they are.
    #[serde(default = "postroom")]
    pub database_name: String,
    /// `sourceclient` of uploads, by which they can be told from others' changes; empty leaves it out.
    #[serde(default = "postroom")]
    pub source_client: String,
    /// Note of each version; `{mark}` is filled in. With the mark in it a version can be found after a newer one has replaced its keys.
    /// Empty leaves it out.
    #[serde(default = "note")]
    pub version_note: String,
    /// What is done about equal names.
    #[serde(default)]
    pub equal_names: EqualNames,
    /// `overrideduplicate` of uploads; without it the parameter is left out.
    #[serde(default = "no")]
    pub override_duplicate: Option<bool>,
    /// `notification` of uploads: 1 as the user's settings say, 2 always, 3 never.
    #[serde(default = "never")]
    pub notification: u8,
    /// Whether each new file is read back by its id. It is anyway where the answer does not show the mark.
    #[serde(default)]
    pub read_back: bool,
    /// Whether listings of files surely hold the integrator's keys. Where that is not certain, files of the wanted name that show no
    /// mark are read one by one.
    #[serde(default)]
    pub listing_has_marks: bool,
    /// Files per call of a probe; -1 reads a folder at once, which is the only way to see it at one moment.
    #[serde(default = "all")]
    pub probe_page: i64,
    /// Most files that a probe reads one by one.
    #[serde(default = "fifty")]
    pub probe_reads: usize,
    /// How long after an upload a probe may still miss it, in seconds.
    #[serde(default)]
    pub probe_lag_seconds: u64,
    /// Entries per page.
    #[serde(default = "hundred")]
    pub page: usize,
    /// Whether a page with fewer entries than asked for is the last one. Otherwise only an empty one is, which costs a call.
    #[serde(default = "yes")]
    pub short_page_ends: bool,
    /// Which sites are read for the index of clients and matters, by `status`. What is refused is left out, but for the first one.
    #[serde(default = "statuses")]
    pub index_statuses: Vec<String>,
    /// How old the index may be, in seconds.
    #[serde(default = "day")]
    pub index_seconds: u64,
    /// How old the index may be when it does not know what is asked for, in seconds; and what it says of a site before that is asked.
    #[serde(default = "minute")]
    pub index_miss_seconds: u64,
    /// States of a site in which documents may be put in; letters' case does not count.
    #[serde(default = "open_statuses")]
    pub open_statuses: BTreeSet<String>,
    /// Words in a refusal (403, 409, 423) that tell that the site is closed. Empty switches it off.
    #[serde(default = "closed_words")]
    pub closed_words: BTreeSet<String>,
    /// Words in a refusal (403, 409) that tell that somebody holds a lock. Empty switches it off.
    #[serde(default = "locked_words")]
    pub locked_words: BTreeSet<String>,
    /// Field of a listed folder that tells that it is a smart folder, if it holds `smart`, `true` or 1.
    #[serde(default = "smart_fields")]
    pub smart_fields: BTreeSet<String>,
    /// Words for a folder's permission that allow to put documents in.
    #[serde(default = "update_words")]
    pub update_words: BTreeSet<String>,
    /// Words for a folder's permission that do not.
    #[serde(default = "view_words")]
    pub view_words: BTreeSet<String>,
    /// Field of a file that tells who has it checked out.
    #[serde(default = "lock_field")]
    pub lock_field: String,
    /// Parameter that names the version to download. Empty where there is none: then only the newest can be read.
    #[serde(default = "version_parameter")]
    pub version_parameter: String,
    /// Whether new folders take their permissions from above. HighQ's own default is that they do not.
    #[serde(default = "yes")]
    pub folders_inherit: bool,
    /// The iSheet that holds the profile of documents.
    #[serde(default)]
    pub metadata: Metadata,
    /// Path below the version of `folders` that tells the record of a folder in the site's iSheet about folders, with `{folder}` in it.
    #[serde(default = "folder_record")]
    pub folder_record: String,
    /// How people are added to sites.
    #[serde(default)]
    pub people: People,
    /// The largest document in bytes, where the firm knows it.
    #[serde(default)]
    pub largest_bytes: Option<u64>,
    /// The longest name with its extension, in bytes.
    #[serde(default = "name_length")]
    pub longest_name: usize,
    /// How to reach the server. HighQ tells all sites in one answer, so `largest_answer_bytes` is at least 64 MiB here.
    #[serde(default)]
    pub connection: postroom_outbound::Settings,
}

const fn yes() -> bool {
    true
}
#[expect(clippy::unnecessary_wraps, reason = "the default of an optional key")]
const fn no() -> Option<bool> {
    Some(false)
}
const fn unauthorised() -> u16 {
    401
}
const fn never() -> u8 {
    3
}
const fn all() -> i64 {
    -1
}
const fn fifty() -> usize {
    50
}
const fn hundred() -> usize {
    100
}
const fn day() -> u64 {
    86_400
}
const fn minute() -> u64 {
    60
}
const fn name_length() -> usize {
    240
}
fn postroom() -> String {
    "postroom".to_owned()
}
fn note() -> String {
    "{mark}".to_owned()
}
/// As the one of files is called.
fn folder_record() -> String {
    "folders/{folder}/isheetRecordID".to_owned()
}
fn lock_field() -> String {
    "checkedoutby".to_owned()
}
fn version_parameter() -> String {
    "versionid".to_owned()
}
fn statuses() -> Vec<String> {
    ["active", "archived", "readonly", "preparation"].map(str::to_owned).to_vec()
}
fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
fn open_statuses() -> BTreeSet<String> {
    words(&["active"])
}
fn closed_words() -> BTreeSet<String> {
    words(&["archived", "closed", "read only", "read-only", "readonly"])
}
fn locked_words() -> BTreeSet<String> {
    words(&["checked out", "locked", "in use"])
}
fn smart_fields() -> BTreeSet<String> {
    words(&["smart", "issmart", "isSmartFolder", "smartfolder", "foldertype", "type"])
}
fn update_words() -> BTreeSet<String> {
    words(&["UPDATE", "EDIT", "ADMIN"])
}
fn view_words() -> BTreeSet<String> {
    words(&["VIEW", "READ", "NONE"])
}

/// Why no connector can be made from the settings. The text names the key.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A secret is missing or unreadable.
    #[error("auth: {0}")]
    Secret(#[from] postroom_outbound::ReadSecretError),
    /// The connection's settings are wrong.
    #[error(transparent)]
    Connection(#[from] postroom_outbound::SetupError),
    /// A key has a value that cannot work.
    #[error("{key}: {value:?} {wanted}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        wanted: &'static str,
    },
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), SetupError> {
        let wrong = |key, value: String, wanted| Err(SetupError::Value { key, value, wanted });
        let versions = self.versions;
        let all = [
            versions.sites,
            versions.folders,
            versions.files,
            versions.file_versions,
            versions.isheets,
            versions.users,
            versions.organisations,
        ];
        if all.contains(&0) {
            return wrong("versions", "0".to_owned(), "is no version of the API");
        }
        if !(400..500).contains(&self.expired_status) || self.expired_status == 403 {
            let wanted = "is not a status between 400 and 499, or is 403, which is a real refusal";
            return wrong("expired_status", self.expired_status.to_string(), wanted);
        }
        if !(1..=1000).contains(&self.page) {
            return wrong("page", self.page.to_string(), "is not between 1 and 1000");
        }
        if self.probe_page != -1 && self.probe_page < 1 {
            return wrong("probe_page", self.probe_page.to_string(), "is neither -1 nor above 0");
        }
        if !(1..=3).contains(&self.notification) {
            return wrong("notification", self.notification.to_string(), "is not 1, 2 or 3");
        }
        if !(32..=1000).contains(&self.longest_name) {
            return wrong("longest_name", self.longest_name.to_string(), "is not between 32 and 1000");
        }
        if self.index_statuses.is_empty() {
            return wrong("index_statuses", String::new(), "names no state");
        }
        if self.people.list.as_ref().is_some_and(|path| !path.contains("{site}") || path.starts_with('/')) {
            let given = self.people.list.clone().unwrap_or_default();
            return wrong("people.list", given, "has no {site} in it, or begins with a slash");
        }
        if !self.folder_record.contains("{folder}") || self.folder_record.starts_with('/') {
            let wanted = "has no {folder} in it, or begins with a slash";
            return wrong("folder_record", self.folder_record.clone(), wanted);
        }
        if !self.people.poll_seconds.is_finite() || !(0.0..=60.0).contains(&self.people.poll_seconds) {
            return wrong(
                "people.poll_seconds",
                self.people.poll_seconds.to_string(),
                "is not between 0 and 60",
            );
        }
        if self.people.polls > 600 {
            return wrong("people.polls", self.people.polls.to_string(), "is above 600");
        }
        Ok(())
    }

    /// The note of a version.
    pub(super) fn note(&self, mark: &str) -> Option<String> {
        Some(self.version_note.replace("{mark}", mark)).filter(|note| !note.is_empty())
    }
}
