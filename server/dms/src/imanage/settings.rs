//! Settings of an iManage destination. What no public source of iManage's settles is a key here, with the best guess as
//! its default.

use std::collections::BTreeSet;
use std::path::PathBuf;

use postroom_outbound::SecretString;
use serde::Deserialize;
use url::Url;

/// How to sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// A virtual (not single sign-on) user's name and password.
    Password {
        /// Client id of the registered application.
        client_id: String,
        /// Its secret.
        client_secret: Option<SecretString>,
        /// A file with its secret.
        client_secret_file: Option<PathBuf>,
        /// The user.
        username: String,
        /// The password.
        password: Option<SecretString>,
        /// A file with the password.
        password_file: Option<PathBuf>,
    },
    /// A refresh token from a link that a person made once.
    RefreshToken {
        /// Client id of the registered application.
        client_id: String,
        /// Its secret.
        client_secret: Option<SecretString>,
        /// A file with its secret.
        client_secret_file: Option<PathBuf>,
        /// The file with the token. It is rewritten whenever iManage replaces the token, so it must be writable.
        refresh_token_file: PathBuf,
    },
    /// A user's name and password at the session login of servers without OAuth. Only with `allow_session_login`.
    Session {
        /// The user.
        username: String,
        /// The password.
        password: Option<SecretString>,
        /// A file with the password.
        password_file: Option<PathBuf>,
    },
    /// An account that an administrator links in Postroom; its tokens are kept sealed there.
    Link,
}

/// Which header carries the access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthHeader {
    /// `X-Auth-Token`.
    #[default]
    XAuthToken,
    /// `Authorization: Bearer`.
    Bearer,
    /// Both.
    Both,
}

/// How a document is looked for by its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeMode {
    /// The index, which may lag behind.
    Search,
    /// The folder's listing.
    Listing,
    /// The index, then the listing.
    #[default]
    Both,
}

/// How workspaces are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchForm {
    /// `GET workspaces?…`.
    #[default]
    Get,
    /// `POST workspaces/search`.
    Post,
}

/// How searches are paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// By cursor.
    #[default]
    StandardCursor,
    /// By offset.
    Standard,
}

/// By which parameter workspaces are searched for the words that a person types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordSearch {
    /// Anywhere in name or description.
    #[default]
    NameOrDescription,
    /// Whole words of the name, and client and matter.
    FileTarget,
    /// The full text, for which the account's role needs the right.
    Anywhere,
}

/// What the id of a new user is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserIds {
    /// What stands before the `@` of the address, in capitals.
    #[default]
    LocalPart,
    /// The whole address, in capitals.
    Email,
}

/// A field that tells that a workspace is closed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedField {
    /// Its name, such as `custom25` or `subclass`.
    pub field: String,
    /// The value that means closed; letters' case does not count.
    pub value: String,
}

/// Settings of an iManage destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of one section of the settings")]
pub struct Settings {
    /// Address of the server, such as `https://cloudimanage.com`.
    pub base_url: Url,
    /// How to sign in.
    pub auth: Auth,
    /// Whether the old session login may be used at all (`auth.grant = "session"`). It is for servers on which OAuth is not set up;
    /// the password goes over the wire at each sign-in, and nobody can take back a grant.
    #[serde(default)]
    pub allow_session_login: bool,
    /// Path of the session login; some servers have it below `/imanage`.
    #[serde(default = "session_login")]
    pub session_login_path: String,
    /// Tenant number; without it the server tells.
    #[serde(default)]
    pub customer_id: Option<u64>,
    /// Path of the API, such as `/work/api/v2`; without it the server tells.
    #[serde(default)]
    pub api_root: Option<String>,
    /// Library of targets that name none.
    #[serde(default)]
    pub library: String,
    /// Which header carries the access token.
    #[serde(default)]
    pub auth_header: AuthHeader,
    /// How long a refused password is not sent again, so that no account gets locked, in seconds.
    #[serde(default = "an_hour")]
    pub refused_password_pause_seconds: u64,
    /// Where the mark is kept: `comment`, or a text field (`custom13` to `custom16`).
    #[serde(default = "comment")]
    pub mark_field: String,
    /// How a document is looked for by its mark.
    #[serde(default)]
    pub probe: ProbeMode,
    /// How long after an upload a probe may still miss it, in seconds.
    #[serde(default = "two_minutes")]
    pub probe_lag_seconds: u64,
    /// Most pages of a folder's listing that a probe reads: the first half from its start, the rest from its end.
    #[serde(default = "ten")]
    pub probe_pages: usize,
    /// Whether each new document's profile is read back by its id. Costs a call per document, and notices a server that
    /// answers with the id of another document.
    #[serde(default)]
    pub read_back: bool,
    /// Whether documents may be filed directly into a tab.
    #[serde(default)]
    pub file_into_tabs: bool,
    /// Whether documents take class and fields from their folder.
    #[serde(default = "yes")]
    pub inherit_profile: bool,
    /// Class of documents; without it the folder's or the library's own rule counts.
    #[serde(default)]
    pub class: Option<String>,
    /// Class of e-mails.
    #[serde(default = "email_class")]
    pub email_class: Option<String>,
    /// Whether a document that lacks a field its class requires is refused; otherwise the server takes it with a warning, which is
    /// logged.
    #[serde(default)]
    pub refuse_missing_fields: bool,
    /// `default_security` of new documents and folders.
    #[serde(default)]
    pub default_security: Option<String>,
    /// How workspaces are searched.
    #[serde(default)]
    pub workspace_search: SearchForm,
    /// By which parameter workspaces are searched for words.
    #[serde(default)]
    pub word_search: WordSearch,
    /// The parameter that holds the words of a search in a list of values; its name is not documented. Values are compared again.
    #[serde(default = "lookup_parameter")]
    pub lookup_parameter: String,
    /// How searches are paged.
    #[serde(default)]
    pub paging: Paging,
    /// Entries per page.
    #[serde(default = "hundred")]
    pub page: usize,
    /// Whether field values are compared with regard to upper and lower case. iManage's look-ups are not.
    #[serde(default)]
    pub fields_match_case: bool,
    /// A field that tells that a workspace is closed; one that the server does not have says nothing.
    #[serde(default = "closed_field")]
    pub closed_field: ClosedField,
    /// Words in a refusal (403, 409, 423) that tell that the workspace is closed. Empty switches it off.
    #[serde(default = "closed_words")]
    pub closed_words: BTreeSet<String>,
    /// Words in a refusal (403, 409) that tell that somebody holds a lock. Empty switches it off.
    #[serde(default = "locked_words")]
    pub locked_words: BTreeSet<String>,
    /// Whether a person's rights are read before the system account files for them. That the server answers `security` below
    /// folders and workspaces is not documented; one that does not gives no certain answer, at the cost of a call.
    #[serde(default = "yes")]
    pub person_rights: bool,
    /// The path below a folder or workspace that tells who has access.
    #[serde(default = "security")]
    pub rights_path: String,
    /// Whether a moved document takes the profile of its new folder.
    #[serde(default = "yes")]
    pub move_updates_profile: bool,
    /// Whether a moved document takes the security of its new folder, so that nobody of the old matter keeps access.
    #[serde(default = "yes")]
    pub move_updates_security: bool,
    /// The path below the library that copies a document, with `{id}` for the document, such as `documents/{id}/copy`. No source
    /// tells it, so without this key documents are not copied.
    #[serde(default)]
    pub copy_path: Option<String>,
    /// Whether workspaces may be made. A firm whose accounting system makes them leaves this off; two requests at once can make two.
    #[serde(default)]
    pub create_workspaces: bool,
    /// Whether accounts of users may be made. That `POST users` does it is not documented, and it wants an administrator's account.
    #[serde(default)]
    pub create_users: bool,
    /// What the id of a new user is made of.
    #[serde(default)]
    pub user_ids: UserIds,
    /// The largest document in bytes, where the firm knows it.
    #[serde(default)]
    pub largest_bytes: Option<u64>,
    /// The longest name with its extension, in bytes.
    #[serde(default = "name_length")]
    pub longest_name: usize,
    /// Where a person opens a document: `{base}` and `{id}` are filled in.
    #[serde(default = "link")]
    pub link: String,
    /// How to reach the server.
    #[serde(default)]
    pub connection: postroom_outbound::Settings,
}

fn session_login() -> String {
    "api/v1/session/login".to_owned()
}
fn lookup_parameter() -> String {
    "query".to_owned()
}
const fn yes() -> bool {
    true
}
const fn ten() -> usize {
    10
}
const fn hundred() -> usize {
    100
}
const fn two_minutes() -> u64 {
    120
}
const fn an_hour() -> u64 {
    3600
}
const fn name_length() -> usize {
    240
}
fn comment() -> String {
    "comment".to_owned()
}
#[expect(clippy::unnecessary_wraps, reason = "the default of an optional key")]
fn email_class() -> Option<String> {
    Some("E-MAIL".to_owned())
}
fn closed_field() -> ClosedField {
    ClosedField { field: "is_closed".to_owned(), value: "true".to_owned() }
}
fn closed_words() -> BTreeSet<String> {
    BTreeSet::from(["closed".to_owned()])
}
fn locked_words() -> BTreeSet<String> {
    ["locked", "in use", "checked out"].map(str::to_owned).into()
}
fn security() -> String {
    "security".to_owned()
}
fn link() -> String {
    "{base}/work/link/d/{id}".to_owned()
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
        let wrong =
            |key, value: &str, wanted| Err(SetupError::Value { key, value: value.to_owned(), wanted });
        let custom = |field: &str| {
            field
                .strip_prefix("custom")
                .and_then(|n| n.parse::<u8>().ok())
                .is_some_and(|n| (1..=31).contains(&n))
        };
        if self.mark_field != "comment" && !custom(&self.mark_field) {
            return wrong("mark_field", &self.mark_field, "is neither comment nor a custom field");
        }
        if !(1..=1000).contains(&self.page) {
            return wrong("page", &self.page.to_string(), "is not between 1 and 1000");
        }
        if self.probe_pages < 2 {
            return wrong("probe_pages", &self.probe_pages.to_string(), "is less than 2");
        }
        if !(32..=1000).contains(&self.longest_name) {
            return wrong("longest_name", &self.longest_name.to_string(), "is not between 32 and 1000");
        }
        if self.api_root.as_ref().is_some_and(|root| !root.starts_with('/')) {
            let given = self.api_root.as_deref().unwrap_or_default();
            return wrong("api_root", given, "does not begin with a slash; only the path is given");
        }
        if self.rights_path.is_empty() || self.rights_path.contains(['/', '?', '#']) {
            return wrong("rights_path", &self.rights_path, "is not one segment of a path");
        }
        if matches!(self.auth, Auth::Session { .. }) && !self.allow_session_login {
            return wrong("auth.grant", "session", "works only with allow_session_login = true");
        }
        if self.copy_path.as_ref().is_some_and(|path| !path.contains("{id}") || path.contains(['?', '#'])) {
            let given = self.copy_path.as_deref().unwrap_or_default();
            return wrong("copy_path", given, "is not a path with {id}");
        }
        let key = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.lookup_parameter.is_empty() || !self.lookup_parameter.chars().all(key) {
            return wrong("lookup_parameter", &self.lookup_parameter, "is not the name of a parameter");
        }
        if !self.link.contains("{id}") {
            return wrong("link", &self.link, "does not contain {id}");
        }
        Ok(())
    }
}
