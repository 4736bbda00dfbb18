//! `[[highq_links]]` and `[[highq_webhooks]]`: how people at HighQ get here, and how HighQ tells of news.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::ids::{ServiceName, SourceName};
use postroom_domain::link_columns::{Subject, Wish};
use postroom_inbound::link_columns::LinkColumnsOptions;
use postroom_outbound::SecretString;
use serde::Deserialize;
use url::Url;

use super::address::is_here;

/// `[[highq_links]]`: links to Postroom in a column of a metadata sheet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HighqLinks {
    /// What they are called among the sources.
    pub(crate) name: SourceName,
    /// The destination.
    pub(crate) service: ServiceName,
    /// Numbers of the sites.
    #[serde(default)]
    sites: Vec<u64>,
    /// Whether it is all sites that are open.
    #[serde(default)]
    all_sites: bool,
    /// What the sheet is about.
    pub(crate) kind: Kind,
    /// The sheet's title, where a site has several of the kind.
    #[serde(default)]
    sheet: String,
    /// The title of the column of hyperlinks.
    column: String,
    /// The title of the column that holds the folder's number; where it is absent HighQ is asked for the record of each folder.
    #[serde(default)]
    folder_id_column: String,
    /// The links' text.
    #[serde(default)]
    text: String,
    /// How often all is looked through, in seconds.
    #[serde(default = "hour")]
    poll_seconds: u64,
    /// Postroom's address as the links have it, if that is not `server.public_url`.
    base_url: Option<Url>,
}

/// What a sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// `foldermetadata`: links launch.
    Folder,
    /// `documentmetadata`: links hand the document over.
    Document,
}

/// `[[highq_webhooks]]`: HighQ tells of news at `/api/v1/notifications/highq`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HighqWebhook {
    /// The destination.
    pub(crate) service: ServiceName,
    /// The token that HighQ sends as `Authorization: Bearer`.
    secret: Option<SecretString>,
    /// A file with it.
    secret_file: Option<PathBuf>,
}

const fn hour() -> u64 {
    3600
}

/// A column's or sheet's title longer than this is a mistake.
const LONGEST: usize = 200;

impl HighqLinks {
    /// What is well-formed but wrong. `public` is Postroom's own address, where one is set.
    pub(super) fn mistakes(&self, public: Option<&Url>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut add = |problem: &str| wrong.push(format!("highq_links \"{}\": {problem}", self.name));
        if self.sites.is_empty() != self.all_sites {
            add("sites: name them, or say all_sites = true");
        }
        if self.sites.contains(&0) {
            add("sites: 0 is no site; `postroom discover` lists their numbers");
        }
        if self.column.trim().is_empty() {
            add("column: must not be blank: it is the title of the column of hyperlinks");
        }
        let texts = [&self.column, &self.sheet, &self.folder_id_column, &self.text];
        if texts.iter().any(|it| it.chars().count() > LONGEST || it.contains(char::is_control)) {
            add("column, sheet, folder_id_column and text: one line of at most 200 characters");
        }
        if !self.folder_id_column.is_empty() && self.kind != Kind::Folder {
            add(
                "folder_id_column: belongs to kind = \"folder\"; HighQ tells the records of documents itself",
            );
        }
        if !self.folder_id_column.is_empty() && self.folder_id_column == self.column {
            add("folder_id_column: is the column of the links itself");
        }
        if !(1..=86_400).contains(&self.poll_seconds) {
            add("poll_seconds: 1 to 86400");
        }
        match self.base_url.as_ref().or(public) {
            None => add("base_url: needed where server.public_url is not set: people follow the links"),
            Some(url) if !is_base(url) => {
                add("base_url: must be an https:// address without a question mark");
            }
            Some(_) => {}
        }
        wrong
    }

    /// As the keeper of links reads it. `public` is Postroom's own address.
    pub(crate) fn options(&self, public: &Url) -> LinkColumnsOptions {
        let (subject, text) = match self.kind {
            Kind::Folder => (Subject::Folder, "Open in Postroom"),
            Kind::Document => (Subject::Document, "Send to\u{2026}"),
        };
        LinkColumnsOptions {
            source: self.name.clone(),
            service: self.service.clone(),
            sites: self.sites.iter().map(|site| format!("site:{site}")).collect(),
            wish: Wish {
                subject,
                list: self.sheet.clone(),
                column: self.column.clone(),
                ids: self.folder_id_column.clone(),
            },
            text: if self.text.is_empty() { text.to_owned() } else { self.text.clone() },
            base: self.base_url.clone().unwrap_or_else(|| public.clone()),
            poll: Duration::from_secs(self.poll_seconds),
        }
    }
}

impl HighqWebhook {
    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let key = format!("highq_webhooks \"{}\"", self.service);
        if self.secret.is_some() == self.secret_file.is_some() {
            wrong.push(format!("{key}: secret_file: name the file with the token, or the token as secret"));
        }
        let short = |it: &SecretString| postroom_outbound::expose(it).len() < SHORTEST;
        if self.secret.as_ref().is_some_and(short) {
            wrong.push(format!("{key}: secret: at least {SHORTEST} characters, which nobody can guess"));
        }
        wrong
    }

    /// The token, read now.
    pub(crate) fn token(&self) -> anyhow::Result<SecretString> {
        let named = || format!("highq_webhooks \"{}\"", self.service);
        let read =
            postroom_outbound::read_secret("secret", self.secret.as_ref(), self.secret_file.as_deref());
        let token = read.with_context(named)?;
        if postroom_outbound::expose(&token).len() < SHORTEST {
            anyhow::bail!("{}: secret: at least {SHORTEST} characters, which nobody can guess", named());
        }
        Ok(token)
    }
}

/// The shortest token of a webhook.
const SHORTEST: usize = 20;

/// People follow it out of HighQ.
fn is_base(url: &Url) -> bool {
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    plain && bare && (url.scheme() == "https" || (url.scheme() == "http" && is_here(url)))
}
