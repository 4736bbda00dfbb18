//! Settings of a NetDocuments destination. What no public source of NetDocuments' settles is a key here, with the best guess as
//! its default.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use postroom_outbound::SecretString;
use serde::Deserialize;
use url::Url;

/// Where the firm's repository lives. A token of one region is refused by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// `vault.netvoyage.com`.
    Us,
    /// `eu.netdocuments.com`.
    Eu,
    /// `de.netdocuments.com`.
    De,
    /// `au.netdocuments.com`.
    Au,
    /// `can.netdocuments.com`.
    Can,
    /// `ducot.netdocuments.com`, for tests.
    Ducot,
}

impl Region {
    /// Host of the pages that people open; the API is at `api.` before it.
    pub const fn web_host(self) -> &'static str {
        match self {
            Self::Us => "vault.netvoyage.com",
            Self::Eu => "eu.netdocuments.com",
            Self::De => "de.netdocuments.com",
            Self::Au => "au.netdocuments.com",
            Self::Can => "can.netdocuments.com",
            Self::Ducot => "ducot.netdocuments.com",
        }
    }
}

/// How to sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// A service account that the repository's administrator has mapped to the application.
    ClientCredentials {
        /// Client id of the registered application, `AP-…`.
        client_id: String,
        /// Its secret.
        client_secret: Option<SecretString>,
        /// A file with its secret.
        client_secret_file: Option<PathBuf>,
        /// The repository, `CA-…`.
        repository: String,
    },
    /// A refresh token from a link that a person made once.
    RefreshToken {
        /// Client id of the registered application.
        client_id: String,
        /// Its secret.
        client_secret: Option<SecretString>,
        /// A file with its secret.
        client_secret_file: Option<PathBuf>,
        /// The file with the token. It is rewritten whenever NetDocuments replaces the token, so it must be writable.
        refresh_token_file: PathBuf,
    },
    /// An account that an administrator links in Postroom; its tokens are kept sealed there.
    Link,
}

/// How the application says who it is at the token endpoint. Both work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// `Authorization: Basic`. A service account's name with its bar is documented for this form only.
    #[default]
    Basic,
    /// Fields of the form.
    Form,
}

/// How a document is looked for by its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeMode {
    /// The index by the mark's attribute: finds it under any name, but may be late.
    Search,
    /// The folder's listing, and the profile of each document of that name: up to date.
    Listing,
    /// The index, then the listing.
    #[default]
    Both,
}

/// Where the mark of a new version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionMark {
    /// In the version's description.
    #[default]
    Description,
    /// In the version's name, which people see as its label.
    Name,
    /// Nowhere: a lost answer of a new version stays undecided.
    None,
}

/// What the `size` of an answer counts. NetDocuments does not say; one public sample looks like kilobytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeUnit {
    /// Not known: sizes are not compared.
    #[default]
    Unknown,
    /// Bytes.
    Bytes,
}

/// What is read back after a document was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBack {
    /// Nothing.
    #[default]
    None,
    /// Its profile by its id, or the list of versions: notices an answer with the id of another document. Costs a call per document.
    Profile,
    /// Its content, hashed. Costs a download per document; NetDocuments tells no checksum.
    Content,
}

/// Which call lists what a container holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// `GET /v1/Folder/{id}` and `GET /v1/Workspace/{id}`.
    #[default]
    V1,
    /// `GET /v2/container/{id}`.
    V2,
}

/// What becomes of documents of 0 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// They are sent; NetDocuments decides.
    #[default]
    Send,
    /// They are refused before anything is sent.
    Refuse,
}

/// Codes of the query language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// Code of a name.
    pub name: u32,
    /// Code of an extension.
    pub extension: u32,
    /// What is added to the number of a profile attribute.
    pub attribute: u32,
}

impl Default for Codes {
    fn default() -> Self {
        Self { name: 3, extension: 11, attribute: 1000 }
    }
}

/// Making accounts of persons. Each may cost a licence, so it is off unless somebody chose it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Users {
    /// Whether accounts may be made at all. Wants the scope `admin`.
    pub create: bool,
    /// Groups (`UG-…`) that a new account is put into.
    pub groups: Vec<String>,
}

/// Settings of a NetDocuments destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of one section of the settings")]
pub struct Settings {
    /// Where the repository lives; either this, or `base_url` and `web_url`.
    #[serde(default)]
    pub region: Option<Region>,
    /// Address of the API, such as `https://api.eu.netdocuments.com`.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// Address of the pages that people open, such as `https://eu.netdocuments.com`.
    #[serde(default)]
    pub web_url: Option<Url>,
    /// How to sign in.
    pub auth: Auth,
    /// How the application says who it is.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// What the service account asks for.
    #[serde(default = "full")]
    pub scopes: Vec<String>,
    /// What stands between scopes: sources say comma and space.
    #[serde(default = "comma")]
    pub scope_separator: String,
    /// Cabinet (`NG-…`) of targets that name none.
    #[serde(default)]
    pub cabinet: String,
    /// Names for profile attributes, such as `client = 1`. Without a name an attribute is called by its number.
    #[serde(default)]
    pub attributes: BTreeMap<String, u32>,
    /// The attributes that define workspaces, the upper one first, by name or number. Empty takes what the cabinet tells.
    #[serde(default)]
    pub workspace_attributes: Vec<String>,
    /// Whether workspaces may be made by asking for them by their keys.
    #[serde(default)]
    pub create_workspaces: bool,
    /// Whether missing rows of lookup tables are made, before a workspace is. Wants the scope `lookup`.
    #[serde(default)]
    pub create_lookup_rows: bool,
    /// What stands for a slash in keys, which cannot hold one. Empty refuses such a value.
    #[serde(default = "dash")]
    pub slash_in_keys: String,
    /// Whether keys are compared with regard to upper and lower case.
    #[serde(default)]
    pub fields_match_case: bool,
    /// The profile attribute that holds the mark, by name or number: free text, not a lookup, hidden from people where that
    /// is possible. Empty keeps no mark; then a lost answer stays undecided until a person looks.
    #[serde(default)]
    pub mark_attribute: String,
    /// Where the mark of a new version is kept.
    #[serde(default)]
    pub version_mark: VersionMark,
    /// Keys by which a list of versions may tell a description.
    #[serde(default = "description_keys")]
    pub version_description_keys: Vec<String>,
    /// How a document is looked for by its mark.
    #[serde(default)]
    pub probe: ProbeMode,
    /// How long after an upload a probe may still miss it, in seconds.
    #[serde(default = "two_minutes")]
    pub probe_lag_seconds: u64,
    /// Most pages of a listing that a probe reads, where the index is asked as well.
    #[serde(default = "twenty")]
    pub probe_pages: usize,
    /// Whether a new version becomes the official one, which is what people open.
    #[serde(default = "yes")]
    pub official_versions: bool,
    /// What is read back after a document was sent.
    #[serde(default)]
    pub read_back: ReadBack,
    /// What `size` counts.
    #[serde(default)]
    pub size_unit: SizeUnit,
    /// Whether the answer to an upload is asked for with the whole profile (`return=full`).
    #[serde(default = "yes")]
    pub return_full: bool,
    /// Whether missing required attributes are let pass (`partialProfiling=true`).
    #[serde(default)]
    pub partial_profiling: bool,
    /// Whether required attributes are looked at before a document is sent.
    #[serde(default = "yes")]
    pub check_required: bool,
    /// How long the definitions of attributes are remembered, in seconds.
    #[serde(default = "ten_minutes")]
    pub definitions_seconds: u64,
    /// What becomes of documents of 0 bytes.
    #[serde(default)]
    pub empty_documents: Empty,
    /// Whether rows of the lookup tables are asked whether a workspace is closed.
    #[serde(default = "yes")]
    pub closed_by_lookup: bool,
    /// Which call lists what a container holds.
    #[serde(default)]
    pub listing: Listing,
    /// Entries per page of searches and lookups, and of listings with `listing = "v2"`; at most 500.
    #[serde(default = "hundred")]
    pub page: usize,
    /// Codes of the query language.
    #[serde(default)]
    pub codes: Codes,
    /// Whether the lists of recent and favourite workspaces are offered.
    #[serde(default = "yes")]
    pub shelves: bool,
    /// Whether a person's rights are read before the system account files for them.
    #[serde(default = "yes")]
    pub person_rights: bool,
    /// Making accounts of persons.
    #[serde(default)]
    pub users: Users,
    /// Words in a refusal (400, 403, 409, 423) that tell that the workspace is closed. Empty switches it off.
    #[serde(default = "closed_words")]
    pub closed_words: BTreeSet<String>,
    /// Words in a refusal (400, 403, 409) that tell that somebody holds the document. Empty switches it off.
    #[serde(default = "locked_words")]
    pub locked_words: BTreeSet<String>,
    /// Words in a refusal (400) that tell that something is there already.
    #[serde(default = "duplicate_words")]
    pub duplicate_words: BTreeSet<String>,
    /// Words in a refusal (400) that tell that something is not there.
    #[serde(default = "missing_words")]
    pub missing_words: BTreeSet<String>,
    /// The largest document in bytes, where the firm knows it.
    #[serde(default)]
    pub largest_bytes: Option<u64>,
    /// The longest name with its extension, in bytes.
    #[serde(default = "name_length")]
    pub longest_name: usize,
    /// Where a person opens something: `{web}` and `{id}` are filled in.
    #[serde(default = "link")]
    pub link: String,
    /// How to reach the server.
    #[serde(default)]
    pub connection: postroom_outbound::Settings,
}

const fn yes() -> bool {
    true
}
const fn twenty() -> usize {
    20
}
const fn hundred() -> usize {
    100
}
const fn two_minutes() -> u64 {
    120
}
const fn ten_minutes() -> u64 {
    600
}
const fn name_length() -> usize {
    200
}
fn full() -> Vec<String> {
    vec!["full".to_owned()]
}
fn comma() -> String {
    ",".to_owned()
}
fn dash() -> String {
    "-".to_owned()
}
fn description_keys() -> Vec<String> {
    ["description", "versionDescription", "version_description", "verDescription", "comment"]
        .map(str::to_owned)
        .into()
}
fn closed_words() -> BTreeSet<String> {
    ["closed", "read-only", "read only", "archived"].map(str::to_owned).into()
}
fn locked_words() -> BTreeSet<String> {
    ["locked", "checked out", "in use"].map(str::to_owned).into()
}
fn duplicate_words() -> BTreeSet<String> {
    BTreeSet::from(["already contains".to_owned()])
}
fn missing_words() -> BTreeSet<String> {
    ["not found", "does not exist", "no such"].map(str::to_owned).into()
}
fn link() -> String {
    "{web}/neWeb2/goid.aspx?id={id}".to_owned()
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

fn wrong(key: &'static str, value: &str, wanted: &'static str) -> SetupError {
    SetupError::Value { key, value: value.to_owned(), wanted }
}

impl Settings {
    /// Addresses of the API and of the pages that people open.
    pub(super) fn addresses(&self) -> Result<(Url, Url), SetupError> {
        let of_host = |host: &str| Url::parse(&format!("https://{host}"));
        let region = self.region.map(Region::web_host);
        let api = match (&self.base_url, region) {
            (Some(url), _) => url.clone(),
            (None, Some(host)) => {
                of_host(&format!("api.{host}")).map_err(|_| wrong("region", host, "gives no address"))?
            }
            (None, None) => return Err(wrong("region", "", "is missing, and so is base_url")),
        };
        let web = match (&self.web_url, region) {
            (Some(url), _) => url.clone(),
            (None, Some(host)) => of_host(host).map_err(|_| wrong("region", host, "gives no address"))?,
            // The API's host is always the web host with `api.` before it.
            (None, None) => {
                let mut url = api.clone();
                let host = api.host_str().unwrap_or_default();
                let web = host.strip_prefix("api.").unwrap_or(host).to_owned();
                url.set_host(Some(&web)).map_err(|_| wrong("base_url", host, "has no host"))?;
                url
            }
        };
        Ok((api, web))
    }

    /// The host on which people see its pages, where the settings tell it.
    pub fn pages_host(&self) -> Option<String> {
        let (_, web) = self.addresses().ok()?;
        web.host_str().map(str::to_owned)
    }

    /// The number of an attribute that is called by name or number.
    pub(super) fn number(&self, field: &str) -> Option<u32> {
        let named = self.attributes.get(field).copied();
        named.or_else(|| field.parse().ok()).filter(|number| (1..10_000).contains(number))
    }

    /// What an attribute is called: its name, or its number.
    pub(super) fn field(&self, number: u32) -> String {
        let named = self.attributes.iter().find(|(_, it)| **it == number).map(|(name, _)| name.clone());
        named.unwrap_or_else(|| number.to_string())
    }

    /// The attribute that holds the mark.
    pub(super) fn mark(&self) -> Option<u32> {
        self.number(&self.mark_attribute)
    }

    pub(super) fn check(&self) -> Result<(), SetupError> {
        for (name, number) in &self.attributes {
            if name.is_empty() || name.parse::<u32>().is_ok() || !(1..10_000).contains(number) {
                return Err(wrong("attributes", name, "is no name for the number of an attribute"));
            }
        }
        for field in &self.workspace_attributes {
            if self.number(field).is_none() {
                return Err(wrong(
                    "workspace_attributes",
                    field,
                    "is neither a number nor a name of attributes",
                ));
            }
        }
        if self.workspace_attributes.len() > 2 {
            let all = self.workspace_attributes.join(", ");
            return Err(wrong("workspace_attributes", &all, "are more than two"));
        }
        if !self.mark_attribute.is_empty() && self.mark().is_none() {
            let given = &self.mark_attribute;
            return Err(wrong("mark_attribute", given, "is neither a number nor a name of attributes"));
        }
        if self.workspace_attributes.iter().any(|it| self.number(it) == self.mark()) && self.mark().is_some()
        {
            return Err(wrong("mark_attribute", &self.mark_attribute, "defines workspaces"));
        }
        if !(1..=500).contains(&self.page) {
            return Err(wrong("page", &self.page.to_string(), "is not between 1 and 500"));
        }
        if self.probe_pages == 0 {
            return Err(wrong("probe_pages", "0", "reads nothing"));
        }
        if !(32..=1000).contains(&self.longest_name) {
            return Err(wrong("longest_name", &self.longest_name.to_string(), "is not between 32 and 1000"));
        }
        if self.slash_in_keys.contains('/') {
            return Err(wrong("slash_in_keys", &self.slash_in_keys, "holds a slash itself"));
        }
        if !self.link.contains("{id}") {
            return Err(wrong("link", &self.link, "does not contain {id}"));
        }
        let cabinet = |id: &str| id.starts_with("NG-") && id[3..].bytes().all(|b| b.is_ascii_alphanumeric());
        if !self.cabinet.is_empty() && !cabinet(&self.cabinet) {
            return Err(wrong("cabinet", &self.cabinet, "is not the id of a cabinet, such as NG-1A2B3C4D"));
        }
        if let Auth::ClientCredentials { repository, .. } = &self.auth
            && !repository.starts_with("CA-")
        {
            return Err(wrong(
                "auth.repository",
                repository,
                "is not the id of a repository, such as CA-9Z8Y7X6W",
            ));
        }
        let (api, _) = self.addresses()?;
        if let (Some(region), Some(host)) = (self.region, api.host_str())
            && (host.ends_with(".netdocuments.com") || host.ends_with(".netvoyage.com"))
            && host != format!("api.{}", region.web_host())
        {
            return Err(wrong("base_url", host, "is of another region than region says"));
        }
        Ok(())
    }
}
