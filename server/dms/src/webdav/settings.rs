//! Settings of a WebDAV destination.

use std::path::PathBuf;

use postroom_outbound::SecretString;
use serde::Deserialize;
use url::Url;

/// How to sign in. Digest is not offered: it protects a password on unencrypted ways only, and there documents could be read anyway.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nothing is sent.
    #[default]
    None,
    /// User and password with every call.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Option<SecretString>,
        /// A file with the password.
        password_file: Option<PathBuf>,
    },
    /// A token with every call.
    Bearer {
        /// The file with the token. It is read again when the server refuses the token, so that others may renew it.
        token_file: PathBuf,
    },
}

/// Where the mark of a document is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkPlace {
    /// As a property where the server keeps them, else in a file. Tried out before the first document.
    #[default]
    Auto,
    /// As a property of the document; it goes where the document goes.
    Property,
    /// In a file beside the document, below `.postroom`.
    Sidecar,
}

/// What becomes of the old content when a document gets a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Versions {
    /// Documents have no versions; what would be one is refused.
    #[default]
    None,
    /// The old content is copied to `.postroom/versions/<name>/<n>` first.
    Copies,
}

/// How the target of a move or copy is told to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// As a whole address.
    #[default]
    Absolute,
    /// As a path, for servers behind a proxy that changes scheme or host: they take a whole address for another server's.
    Path,
}

/// Settings of a WebDAV destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address of the collection that is the root.
    pub base_url: Url,
    /// How to sign in.
    #[serde(default)]
    pub auth: Auth,
    /// Path from the root to the collection that holds the workspaces; empty means the root.
    #[serde(default)]
    pub workspaces: String,
    /// Where the mark of a document is kept.
    #[serde(default)]
    pub mark: MarkPlace,
    /// Whether documents have versions.
    #[serde(default)]
    pub versions: Versions,
    /// How the target of a move or copy is told.
    #[serde(default)]
    pub destination: Destination,
    /// Whether each document is downloaded and compared before it gets its name. Its size is compared always.
    #[serde(default)]
    pub read_back: bool,
    /// The largest document in bytes, where the firm knows it.
    #[serde(default)]
    pub largest_bytes: Option<u64>,
    /// Entries per page of a listing; the server gives all of them at once.
    #[serde(default = "page")]
    pub page: usize,
    /// The largest listing that is read, in bytes. A document takes about 700.
    #[serde(default = "largest_listing")]
    pub largest_listing_bytes: usize,
    /// The longest name with its extension, in bytes. Sidecars add five.
    #[serde(default = "longest_name")]
    pub longest_name: usize,
    /// For how long a document is locked at most while it is being replaced, in seconds.
    #[serde(default = "lock_seconds")]
    pub lock_seconds: u32,
    /// Whether names are given under a lock of the server's, so that several Postrooms may file into one collection.
    #[serde(default = "yes")]
    pub lock_names: bool,
    /// How long after an upload a listing may still miss a document, in seconds. A server may give a moved document its name a moment
    /// before its properties; one that answers from several machines needs more.
    #[serde(default = "ten")]
    pub probe_lag_seconds: u64,
    /// How long the fields of workspaces are remembered for searching, in seconds. What was found is always read anew.
    #[serde(default = "five_minutes")]
    pub fields_cache_seconds: u64,
    /// Where a person opens something: `{url}` is its address here, `{path}` its encoded path below the workspaces.
    #[serde(default = "link")]
    pub link: String,
    /// How to reach the server.
    #[serde(default)]
    pub connection: postroom_outbound::Settings,
}

const fn page() -> usize {
    500
}
const fn largest_listing() -> usize {
    64 * 1024 * 1024
}
const fn longest_name() -> usize {
    200
}
const fn lock_seconds() -> u32 {
    120
}
const fn yes() -> bool {
    true
}
const fn ten() -> u64 {
    10
}
const fn five_minutes() -> u64 {
    300
}
fn link() -> String {
    "{url}".to_owned()
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
    /// The names of [`Settings::workspaces`], from the root downwards.
    pub(super) fn workspace_path(&self) -> Vec<&str> {
        self.workspaces.split('/').filter(|name| !name.is_empty()).collect()
    }

    pub(super) fn check(&self) -> Result<(), SetupError> {
        let wrong = |key, value: String, wanted| Err(SetupError::Value { key, value, wanted });
        if self.base_url.query().is_some() || self.base_url.fragment().is_some() {
            let shown = postroom_outbound::Shown(&self.base_url).to_string();
            return wrong("base_url", shown, "has a query or fragment");
        }
        if !self.workspace_path().iter().all(|name| crate::share::ids::is_plain(name)) {
            return wrong("workspaces", self.workspaces.clone(), "is not a path of plain names");
        }
        if !(1..=10_000).contains(&self.page) {
            return wrong("page", self.page.to_string(), "is not between 1 and 10000");
        }
        if !(32..=240).contains(&self.longest_name) {
            return wrong("longest_name", self.longest_name.to_string(), "is not between 32 and 240");
        }
        if !(10..=3600).contains(&self.lock_seconds) {
            return wrong("lock_seconds", self.lock_seconds.to_string(), "is not between 10 and 3600");
        }
        if self.largest_listing_bytes < 64 * 1024 {
            let given = self.largest_listing_bytes.to_string();
            return wrong("largest_listing_bytes", given, "is less than 65536");
        }
        if !self.link.contains("{url}") && !self.link.contains("{path}") {
            return wrong("link", self.link.clone(), "contains neither {url} nor {path}");
        }
        Ok(())
    }
}
