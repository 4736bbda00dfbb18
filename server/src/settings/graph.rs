//! Sections `[[graph]]`: mailboxes at Microsoft 365 that the application itself reads.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::repository::Area;
use postroom_inbound::graph::{
    GraphAfter, GraphAppOptions, GraphOptions, GraphPatience, Marks, Notifications,
};
use postroom_outbound::{AppCertificate, AppProof, SecretString};
use serde::Deserialize;
use url::Url;

use super::address::is_here;

/// What happens to a message once its documents are through, besides being marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AfterGraph {
    /// It stays.
    #[default]
    Stay,
    /// It goes into another folder.
    Move,
    /// It is deleted.
    Delete,
}

/// `[[graph]]`: a mailbox that is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Graph {
    /// The source's name.
    pub(crate) name: SourceName,
    /// The tenant: its id, or one of its domains.
    pub(crate) tenant: String,
    /// The application's id.
    pub(crate) client_id: String,
    /// The application's secret.
    pub(crate) client_secret: Option<SecretString>,
    /// A file with it.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A file with a certificate that is registered for the application, and its private key, in PEM; instead of a secret.
    pub(crate) certificate_file: Option<PathBuf>,
    /// The mailbox's address.
    pub(crate) mailbox: String,
    /// What Microsoft knows the mailbox by where that is not the address: the object id of its user.
    pub(crate) user: Option<String>,
    /// Further addresses it has: they stand on everything that arrives, and so for nobody.
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    /// The folders that are read.
    #[serde(default = "inbox")]
    pub(crate) folders: Vec<String>,
    /// The category of what is filed; an empty one is none.
    #[serde(default = "category")]
    pub(crate) category: String,
    /// The extended property that names the intake of what is through; an empty one is none.
    #[serde(default = "property")]
    pub(crate) property: String,
    /// What happens to a message that is through.
    #[serde(default)]
    pub(crate) after: AfterGraph,
    /// Where it goes, with `after = "move"`.
    #[serde(default)]
    pub(crate) after_folder: String,
    /// How often all is looked through, in seconds.
    #[serde(default = "minute")]
    pub(crate) poll_seconds: u64,
    /// How often folders are read from their beginning, in hours; nothing is read or taken twice by that.
    #[serde(default = "day")]
    pub(crate) sweep_hours: u64,
    /// Whether Microsoft is asked to tell of changes.
    #[serde(default = "yes")]
    pub(crate) notifications: bool,
    /// Where it tells, if that is not below `server.public_url`: the address at which it reaches `/api/v1/notifications/graph`.
    pub(crate) notification_url: Option<Url>,
    /// For how long it is asked each time, in minutes.
    #[serde(default = "longest_promise")]
    pub(crate) notification_minutes: u64,
    /// Where tokens come from; another one in national clouds.
    #[serde(default = "authority")]
    pub(crate) authority: Url,
    /// Where Microsoft Graph is; another one in national clouds.
    #[serde(default = "endpoint")]
    pub(crate) endpoint: Url,
    /// How both are reached.
    #[serde(default)]
    pub(crate) connection: postroom_outbound::Settings,
    /// The largest letter that is taken, in bytes.
    #[serde(default = "super::mail::largest")]
    pub(crate) largest_bytes: u64,
    /// The site its letters belong to.
    #[serde(default = "super::main_site")]
    pub(crate) site: SiteName,
    /// The area its letters belong to.
    #[serde(default = "super::mail::inbound_email")]
    pub(crate) area: Area,
}

/// Pages of a folder that are taken before the next one has its turn.
const PAGES: usize = 4;
/// The route that notifications come to.
const ROUTE: &str = "api/v1/notifications/graph";

fn inbox() -> Vec<String> {
    vec!["inbox".to_owned()]
}
fn category() -> String {
    "Filed".to_owned()
}
/// Postroom's own set of properties.
fn property() -> String {
    "String {7d3c2f10-5b1e-4c53-9f0a-3d1b7c5a9e01} Name PostroomFiled".to_owned()
}
const fn minute() -> u64 {
    60
}
const fn day() -> u64 {
    24
}
const fn yes() -> bool {
    true
}
/// The longest that Microsoft grants for messages.
const fn longest_promise() -> u64 {
    4230
}
#[expect(clippy::expect_used, reason = "the text is an address, which a test holds")]
fn authority() -> Url {
    "https://login.microsoftonline.com".parse().expect("an address")
}
#[expect(clippy::expect_used, reason = "the text is an address, which a test holds")]
fn endpoint() -> Url {
    "https://graph.microsoft.com".parse().expect("an address")
}

impl Graph {
    /// What Microsoft knows the mailbox by.
    fn known_as(&self) -> &str {
        self.user.as_deref().unwrap_or(&self.mailbox)
    }

    /// The addresses it has.
    pub(crate) fn all_addresses(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.mailbox).chain(&self.addresses)
    }

    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut add = |what: &str| wrong.push(format!("graph \"{}\": {what}", self.name));
        if self.tenant.trim().is_empty() || self.client_id.trim().is_empty() {
            add("tenant and client_id: neither may be empty");
        }
        let ways = [
            self.client_secret.is_some(),
            self.client_secret_file.is_some(),
            self.certificate_file.is_some(),
        ];
        if ways.into_iter().filter(|given| *given).count() != 1 {
            add("client_secret, client_secret_file, certificate_file: one of them is needed, and one only");
        }
        if !is_address(&self.mailbox) {
            add(&format!("mailbox: \"{}\" is no address", self.mailbox));
        }
        if self.user.as_ref().is_some_and(|user| user.trim().is_empty()) {
            add("user: the object id of the mailbox's user, or nothing at all");
        }
        if self.notifications && self.known_as().contains('\'') {
            add(
                "mailbox: an address with an apostrophe gets no notifications; give the object id of its user in user",
            );
        }
        if self.folders.is_empty() || self.folders.iter().any(|folder| folder.trim().is_empty()) {
            add("folders: names none, or one without a name");
        }
        if (self.after == AfterGraph::Move) == self.after_folder.trim().is_empty() {
            add("after_folder: is needed with after = \"move\", and with nothing else");
        } else if self.folders.iter().any(|folder| folder.eq_ignore_ascii_case(&self.after_folder)) {
            add("after_folder: is read, and what was filed would come in again");
        }
        if self.category.contains([',', ';']) {
            add("category: the name of a category holds neither commas nor semicolons");
        }
        if !self.property.is_empty() && !is_property(&self.property) {
            add(
                "property: must look like \"String {7d3c2f10-5b1e-4c53-9f0a-3d1b7c5a9e01} Name PostroomFiled\"",
            );
        }
        if self.poll_seconds == 0 || self.sweep_hours == 0 {
            add("poll_seconds and sweep_hours: 1 or more");
        }
        if !(60..=10_080).contains(&self.notification_minutes) {
            add("notification_minutes: 60 to 10080; Microsoft grants at most 4230 for messages");
        }
        for (key, url) in [("authority", &self.authority), ("endpoint", &self.endpoint)] {
            if !is_safe(url) || !matches!(url.path(), "" | "/") {
                add(&format!("{key}: must be an address such as https://graph.microsoft.com"));
            }
        }
        if self.notification_url.as_ref().is_some_and(|url| !is_safe(url)) {
            add("notification_url: must begin with https://");
        }
        wrong
    }

    /// What makes the application that reads it another one than that of another mailbox.
    pub(crate) fn app(&self) -> (&str, &str, &Url, &Url) {
        (&self.tenant, &self.client_id, &self.authority, &self.endpoint)
    }

    /// The application's options; secrets are read now.
    pub(crate) fn app_options(&self) -> anyhow::Result<GraphAppOptions> {
        let named = || format!("graph \"{}\"", self.name);
        let proof = match &self.certificate_file {
            Some(file) => {
                let pem =
                    postroom_outbound::read_secret("certificate", None, Some(file)).with_context(named)?;
                let certificate = AppCertificate::read(&pem);
                let shown = || format!("graph \"{}\": certificate_file {}", self.name, file.display());
                AppProof::Certificate(Box::new(certificate.with_context(shown)?))
            }
            None => AppProof::Secret(
                postroom_outbound::read_secret(
                    "client_secret",
                    self.client_secret.as_ref(),
                    self.client_secret_file.as_deref(),
                )
                .with_context(named)?,
            ),
        };
        Ok(GraphAppOptions {
            name: self.name.to_string(),
            authority: self.authority.clone(),
            tenant: self.tenant.clone(),
            client_id: self.client_id.clone(),
            proof,
            endpoint: self.endpoint.clone(),
            connection: self.connection.clone(),
        })
    }

    /// The mailbox's options. `public_url` is Postroom's own address, where one is set.
    pub(crate) fn options(&self, public_url: Option<&Url>) -> GraphOptions {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        GraphOptions {
            source: self.name.clone(),
            site: self.site.clone(),
            mailbox: self.mailbox.clone(),
            user: self.known_as().to_owned(),
            folders: self.folders.clone(),
            marks: Marks { category: some(&self.category), property: some(&self.property) },
            after: match self.after {
                AfterGraph::Stay => GraphAfter::Stay,
                AfterGraph::Move => GraphAfter::Move(self.after_folder.clone()),
                AfterGraph::Delete => GraphAfter::Delete,
            },
            poll: Duration::from_secs(self.poll_seconds),
            sweep: Duration::from_hours(self.sweep_hours),
            notifications: self.promise(public_url),
            pages: PAGES,
            largest: self.largest_bytes,
            patience: GraphPatience::default(),
        }
    }

    fn promise(&self, public_url: Option<&Url>) -> Notifications {
        if !self.notifications {
            return Notifications::Off("notifications are turned off".to_owned());
        }
        let life = Duration::from_mins(self.notification_minutes);
        let below = |url: &Url| url.join(ROUTE).ok().filter(|_| url.scheme() == "https");
        match self.notification_url.clone().or_else(|| public_url.and_then(below)) {
            Some(url) => Notifications::At { url, life },
            None => Notifications::Off(
                "there is no public address that Microsoft could tell of changes".to_owned(),
            ),
        }
    }
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    parts.is_some() && !text.contains(|c: char| c.is_whitespace() || "<>,".contains(c))
}

/// Secrets go there, and letters come from there.
fn is_safe(url: &Url) -> bool {
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && is_here(url)))
}

/// `String {a GUID} Name a-name`
fn is_property(text: &str) -> bool {
    let holds = || {
        let (guid, name) = text.strip_prefix("String {")?.split_once("} Name ")?;
        let lengths: Vec<usize> = guid.split('-').map(str::len).collect();
        let hex = guid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        Some(lengths == [8, 4, 4, 4, 12] && hex && !name.trim().is_empty() && !name.contains(['\'', '"']))
    };
    holds().unwrap_or(false)
}
