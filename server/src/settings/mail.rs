//! Sections `[smtp]` and `[mail]`: where letters are delivered, and how they are read, matched and split.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::luggage::{Luggage, LuggageSecret};
use postroom_domain::matching::{self, MatchingSettings};
use postroom_domain::mistake::Mistake;
use postroom_domain::repository::Area;
use postroom_domain::sealing::Seals;
use postroom_domain::split::{self, SplitSettings};
use postroom_inbound::message::{Limits, Trusted};
use postroom_inbound::reader::ReaderOptions;
use postroom_inbound::smtp::{Certificate, Network, SmtpMailbox, SmtpOptions};
use serde::Deserialize;
use toml::Spanned;

/// `[smtp]`: a door that scanners, forwarding rules and mail servers deliver to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Smtp {
    /// Address and port; port 0 picks one.
    pub(crate) listen: String,
    /// The name it greets with.
    #[serde(default = "hostname")]
    pub(crate) hostname: String,
    /// Machines that may deliver; this one only where nothing is said.
    #[serde(default = "this_machine")]
    pub(crate) networks: Vec<String>,
    /// The largest letter, in bytes.
    #[serde(default = "largest")]
    pub(crate) largest_bytes: u64,
    /// The certificate chain that STARTTLS is offered with, in PEM.
    pub(crate) certificate_file: Option<PathBuf>,
    /// Its private key, in PEM.
    pub(crate) key_file: Option<PathBuf>,
    /// Whether letters are taken only over TLS.
    #[serde(default)]
    pub(crate) require_tls: bool,
    /// Connections at once.
    #[serde(default = "connections")]
    pub(crate) connections: usize,
    /// For how long a silent client is waited for, in seconds.
    #[serde(default = "idle_seconds")]
    pub(crate) idle_seconds: u64,
    /// Its mailboxes.
    pub(crate) mailboxes: Vec<Spanned<Mailbox>>,
}

/// `[[smtp.mailboxes]]`: where letters to some addresses belong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mailbox {
    /// The source's name.
    pub(crate) name: SourceName,
    /// Its addresses.
    pub(crate) addresses: Vec<String>,
    /// The site its letters belong to.
    #[serde(default = "super::main_site")]
    pub(crate) site: SiteName,
    /// The area its letters belong to.
    #[serde(default = "inbound_email")]
    pub(crate) area: Area,
    /// Whether the PDF and TIFF files that letters carry are batches of pages: a scanner's mailbox.
    #[serde(default)]
    pub(crate) batches: bool,
    /// How batches are divided.
    #[serde(default)]
    pub(crate) pages: super::pages::Pages,
}

/// `[mail]`: what becomes of letters, whichever way they came.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailSettings {
    /// The names under which the firm's own receiving servers write what they found out about a sender's domain.
    pub(crate) trusted_servers: Vec<String>,
    /// Whether findings without such a name count too: right only where all mail comes through Exchange Online.
    pub(crate) trust_unnamed: bool,
    /// The largest letter that is taken apart, in bytes; 0 is 150 MiB.
    pub(crate) take_apart_bytes: u64,
    /// Which work item a letter belongs to.
    pub(crate) matching: MatchingSettings,
    /// Which documents of a letter are filed.
    pub(crate) split: SplitSettings,
}

fn hostname() -> String {
    "postroom".to_owned()
}
fn this_machine() -> Vec<String> {
    vec!["127.0.0.0/8".to_owned(), "::1".to_owned()]
}
pub(super) const fn largest() -> u64 {
    150 * 1024 * 1024
}
const fn connections() -> usize {
    100
}
const fn idle_seconds() -> u64 {
    300
}
pub(super) const fn inbound_email() -> Area {
    Area::InboundEmail
}

impl Smtp {
    /// What is well-formed but wrong, with its key and, where it stands in a mailbox, its place in the text.
    pub(super) fn mistakes(&self) -> Vec<(Option<usize>, String)> {
        let mut wrong = Vec::new();
        let mut add = |key: &str, problem: String| wrong.push((None, format!("smtp.{key}: {problem}")));
        if self.listen.parse::<SocketAddr>().is_err() {
            add("listen", format!("\"{}\" is no address with a port, such as 0.0.0.0:25", self.listen));
        }
        if self.hostname.is_empty() || self.hostname.contains(|c: char| c.is_whitespace() || c.is_control()) {
            add("hostname", format!("\"{}\" is no name of a machine", self.hostname));
        }
        for network in &self.networks {
            if let Err(error) = network.parse::<Network>() {
                add("networks", error.to_string());
            }
        }
        if self.certificate_file.is_some() != self.key_file.is_some() {
            add("certificate_file", "and smtp.key_file belong together".to_owned());
        }
        if self.require_tls && self.certificate_file.is_none() {
            add("require_tls", "needs smtp.certificate_file".to_owned());
        }
        if self.connections == 0 || self.idle_seconds == 0 {
            add("connections", "and smtp.idle_seconds: 1 or more".to_owned());
        }
        if self.mailboxes.is_empty() {
            add("mailboxes", "names none, so nothing could be delivered".to_owned());
        }
        let mut addresses = HashSet::new();
        for mailbox in &self.mailboxes {
            let (at, it) = (Some(mailbox.span().start), mailbox.get_ref());
            let key = format!("smtp.mailboxes \"{}\": addresses", it.name);
            if it.addresses.is_empty() {
                wrong.push((at, format!("{key}: names none")));
            }
            for address in &it.addresses {
                let parts =
                    address.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
                if parts.is_none() || address.contains(|c: char| c.is_whitespace() || "<>,".contains(c)) {
                    wrong.push((at, format!("{key}: \"{address}\" is no address")));
                } else if !addresses.insert(address.to_lowercase()) {
                    wrong.push((at, format!("{key}: \"{address}\" stands twice")));
                }
            }
        }
        wrong
    }

    /// The door's options; files are read now.
    pub(crate) fn options(&self) -> anyhow::Result<SmtpOptions> {
        let certificate = match (&self.certificate_file, &self.key_file) {
            (Some(chain), Some(key)) => Some(Certificate::read(chain, key).context("smtp.certificate_file")?),
            _ => None,
        };
        let networks = self.networks.iter().map(|it| it.parse()).collect::<Result<_, _>>();
        Ok(SmtpOptions {
            listen: self.listen.parse().context("smtp.listen")?,
            hostname: self.hostname.clone(),
            mailboxes: self.mailboxes.iter().map(|it| it.get_ref().mailbox()).collect(),
            networks: networks.context("smtp.networks")?,
            largest: self.largest_bytes,
            certificate,
            require_tls: self.require_tls,
            connections: self.connections,
            idle: Duration::from_secs(self.idle_seconds),
        })
    }
}

impl Mailbox {
    fn mailbox(&self) -> SmtpMailbox {
        SmtpMailbox { source: self.name.clone(), site: self.site.clone(), addresses: self.addresses.clone() }
    }
}

impl MailSettings {
    /// What is wrong, where letters come in at all.
    pub(super) fn mistakes(&self) -> Vec<Mistake> {
        let mut wrong = self.matching.check("mail.matching");
        wrong.extend(self.split.check("mail.split"));
        wrong
    }

    /// How letters are read.
    pub(crate) fn reader(&self) -> ReaderOptions {
        ReaderOptions {
            limits: Limits::default(),
            trusted: Trusted { servers: self.trusted_servers.clone(), unnamed: self.trust_unnamed },
            largest: if self.take_apart_bytes == 0 { largest() } else { self.take_apart_bytes },
            ..ReaderOptions::default()
        }
    }

    /// What makes and reads luggage tags, under a secret that no rotation of keys changes.
    pub(crate) fn luggage(&self, seals: &dyn Seals) -> Luggage {
        let secret = LuggageSecret::new(seals.code(LuggageSecret::PURPOSE, ""));
        Luggage::new(secret, &self.matching.luggage)
    }

    /// The rules of matching; the addresses of mailboxes that are read belong to them.
    pub(crate) fn matching(
        &self,
        luggage: Luggage,
        own_mailboxes: Vec<String>,
    ) -> anyhow::Result<matching::Rules> {
        let mut settings = self.matching.clone();
        settings.own_mailboxes.extend(own_mailboxes);
        matching::Rules::new(&settings, luggage).map_err(|wrong| in_words("mail", &wrong))
    }

    /// The rules of splitting.
    pub(crate) fn split(&self) -> anyhow::Result<split::Rules> {
        split::Rules::new(self.split.clone()).map_err(|wrong| in_words("mail", &wrong))
    }
}

fn in_words(at: &str, wrong: &[Mistake]) -> anyhow::Error {
    let all: Vec<String> = wrong.iter().map(|mistake| format!("{at}.{mistake}")).collect();
    anyhow::anyhow!(all.join("\n"))
}
