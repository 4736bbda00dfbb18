//! Sections `[[imap]]`: mailboxes elsewhere that are read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::Fut;
use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::repository::Area;
use postroom_inbound::imap::{After, ImapOptions, ImapPatience, MailboxTokens, Security, SignIn, Trust};
use postroom_outbound::SecretString;
use serde::Deserialize;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImapSecurity {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after a word in plain; without it nothing else is said.
    Starttls,
    /// None, for a server on this machine.
    Plain,
}

/// What happens to a message once its documents are through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImapAfter {
    /// It stays, with a keyword.
    #[default]
    Flag,
    /// It goes into another folder.
    Move,
    /// It is removed.
    Delete,
}

/// `[[imap]]`: a mailbox that is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Imap {
    /// The source's name.
    pub(crate) name: SourceName,
    /// The server.
    pub(crate) host: String,
    /// Its port; the usual one of the protection if absent.
    pub(crate) port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub(crate) security: ImapSecurity,
    /// The only certificate authorities that are trusted, in PEM; those of the system if absent.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whose mailbox it is.
    pub(crate) user: String,
    /// The password.
    pub(crate) password: Option<SecretString>,
    /// A file with it.
    pub(crate) password_file: Option<PathBuf>,
    /// A file with an access token (XOAUTH2) instead; it is read again whenever the server wants another one.
    pub(crate) token_file: Option<PathBuf>,
    /// The addresses it has: they stand on everything that arrives, and so for nobody.
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    /// The folders that are read.
    #[serde(default = "inbox")]
    pub(crate) folders: Vec<String>,
    /// What happens to a message that is through.
    #[serde(default)]
    pub(crate) after: ImapAfter,
    /// Where it goes, with `after = "move"`.
    #[serde(default)]
    pub(crate) after_folder: String,
    /// How often all is looked through, in seconds.
    #[serde(default = "minute")]
    pub(crate) poll_seconds: u64,
    /// Whether news is waited for in between.
    #[serde(default = "yes")]
    pub(crate) idle: bool,
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

/// Messages of a folder that are taken before the next one has its turn.
const BATCH: usize = 100;

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}
const fn minute() -> u64 {
    60
}
const fn yes() -> bool {
    true
}

impl Imap {
    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut add = |what: &str| wrong.push(format!("imap \"{}\": {what}", self.name));
        if self.host.trim().is_empty() || self.user.trim().is_empty() {
            add("host and user: neither may be empty");
        }
        let ways = [self.password.is_some(), self.password_file.is_some(), self.token_file.is_some()];
        if ways.into_iter().filter(|given| *given).count() != 1 {
            add("password, password_file, token_file: one of them is needed, and one only");
        }
        if self.folders.is_empty() {
            add("folders: names none");
        }
        if (self.after == ImapAfter::Move) == self.after_folder.trim().is_empty() {
            add("after_folder: is needed with after = \"move\", and with nothing else");
        }
        if self.poll_seconds == 0 {
            add("poll_seconds: 1 or more");
        }
        if self.security == ImapSecurity::Plain && self.ca_file.is_some() {
            add("ca_file: says nothing with security = \"plain\"");
        }
        wrong
    }

    /// The mailbox's options; secrets are read now.
    pub(crate) fn options(&self) -> anyhow::Result<ImapOptions> {
        let trust = self.ca_file.clone().map_or(Trust::System, Trust::File);
        let (security, usual) = match self.security {
            ImapSecurity::Tls => (Security::Tls(trust), 993),
            ImapSecurity::Starttls => (Security::StartTls(trust), 143),
            ImapSecurity::Plain => (Security::Plain, 143),
        };
        let sign_in = match &self.token_file {
            Some(file) => SignIn::Tokens(Arc::new(TokenFile(file.clone()))),
            None => SignIn::Password(
                postroom_outbound::read_secret(
                    "password",
                    self.password.as_ref(),
                    self.password_file.as_deref(),
                )
                .with_context(|| format!("imap \"{}\"", self.name))?,
            ),
        };
        Ok(ImapOptions {
            source: self.name.clone(),
            site: self.site.clone(),
            host: self.host.clone(),
            port: self.port.unwrap_or(usual),
            security,
            user: self.user.clone(),
            sign_in,
            folders: self.folders.clone(),
            after: match self.after {
                ImapAfter::Flag => After::Flag,
                ImapAfter::Move => After::Move(self.after_folder.clone()),
                ImapAfter::Delete => After::Delete,
            },
            poll: Duration::from_secs(self.poll_seconds),
            idle: self.idle,
            batch: BATCH,
            largest: self.largest_bytes,
            patience: ImapPatience::default(),
        })
    }
}

/// Access tokens that somebody else renews.
struct TokenFile(PathBuf);

impl MailboxTokens for TokenFile {
    fn token(&self, _renew: bool) -> Fut<'_, Result<SecretString, String>> {
        let file = self.0.clone();
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || {
                postroom_outbound::read_secret("token", None, Some(&file))
            });
            let read = read.await.map_err(|error| error.to_string())?;
            read.map_err(|error| error.to_string())
        })
    }
}
