//! The settings: one TOML file, overridden key by key from the environment (`POSTROOM__SECTION__KEY`). Mistakes are told with the
//! line, the key and, where one is near, the key that was meant; all of them at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use postroom_domain::allocation::{self, AllocationSettings};
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::block_list::BlockList;
use postroom_domain::data_upload::Mapping;
use postroom_domain::ids::{RepositoryName, RoleName, ServiceName, SiteName, SourceName};
use postroom_domain::person::{Roles, Sites};
use postroom_domain::plan::Rules;
use postroom_domain::reception::Allocator;
use postroom_domain::repository::{Area, DuplicateRule, Repository, ResolverConfig, parse_folder_path};
use postroom_domain::send_to::{Collection, Workflow};
use postroom_domain::target::{SaveMode, WhenAmbiguous};
use postroom_inbound::reader::BatchRules;
use postroom_outbound::ServiceSettings;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use toml::Spanned;
use url::Url;

mod address;
mod destination;
mod graph;
mod highq;
mod imap;
mod mail;
mod outlook;
mod overlay;
mod pages;
mod people;
mod report;
mod scan_folder;
mod screening;
mod seen;
mod send_to;
mod vault;

pub(crate) use destination::{Destination, DestinationKind};
pub(crate) use graph::Graph;
pub(crate) use highq::{HighqLinks, HighqWebhook};
pub(crate) use imap::Imap;
pub(crate) use mail::{MailSettings, Smtp};
pub(crate) use report::SettingsError;
pub(crate) use scan_folder::ScanFolder;
pub(crate) use seen::{Remembered, Seen};
pub(crate) use vault::Vault;

/// Everything that can be set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The door for programs and people.
    #[serde(default)]
    pub(crate) server: Server,
    /// Where everything is kept.
    pub(crate) data: Data,
    /// What opens the keys of everything that is sealed. Nothing starts without it.
    pub(crate) vault: Option<Vault>,
    /// What is taken in.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// When what failed is tried again.
    #[serde(default)]
    pub(crate) retry: RetryPolicy,
    /// What is logged, and where.
    #[serde(default)]
    pub(crate) log: Log,
    /// How people come in.
    #[serde(default)]
    pub(crate) people: people::People,
    /// Roles of the firm's own.
    #[serde(default)]
    pub(crate) roles: Vec<Spanned<people::RoleSettings>>,
    /// Programs that may come in.
    #[serde(default)]
    pub(crate) tokens: Vec<Spanned<Token>>,
    /// Where people sign in and link accounts.
    #[serde(default)]
    pub(crate) services: Vec<Spanned<ServiceSettings>>,
    /// The document management systems.
    #[serde(default)]
    pub(crate) destinations: Vec<Spanned<Destination>>,
    /// Which place in them serves what.
    #[serde(default)]
    pub(crate) repositories: Vec<Spanned<RepositorySettings>>,
    /// Lists of targets from the firm's own databases.
    #[serde(default)]
    pub(crate) lists: Vec<postroom_dms::lists::Settings>,
    /// Folders that scanners and people drop files into.
    #[serde(default)]
    pub(crate) hot_folders: Vec<Spanned<HotFolderSettings>>,
    /// Folders in a DMS that scanners file into.
    #[serde(default)]
    pub(crate) scan_folders: Vec<Spanned<ScanFolder>>,
    /// Links to Postroom in columns of HighQ's metadata sheets.
    #[serde(default)]
    pub(crate) highq_links: Vec<Spanned<HighqLinks>>,
    /// Who at HighQ may tell of news.
    #[serde(default)]
    pub(crate) highq_webhooks: Vec<Spanned<HighqWebhook>>,
    /// The door that letters are delivered to.
    pub(crate) smtp: Option<Smtp>,
    /// Mailboxes elsewhere that are read.
    #[serde(default)]
    pub(crate) imap: Vec<Spanned<Imap>>,
    /// Mailboxes at Microsoft 365 that are read.
    #[serde(default)]
    pub(crate) graph: Vec<Spanned<Graph>>,
    /// What becomes of letters.
    #[serde(default)]
    pub(crate) mail: MailSettings,
    /// How people hand letters in out of their mail program.
    #[serde(default)]
    pub(crate) outlook: outlook::Outlook,
    /// Whether what comes in is scanned for malware.
    #[serde(default)]
    pub(crate) screening: screening::Screening,
    /// Who looks after what arrived; nobody in particular where it is not set.
    pub(crate) allocation: Option<AllocationSettings>,
    /// How tables of data are read.
    #[serde(default)]
    pub(crate) data_uploads: Vec<Spanned<Mapping>>,
    /// What people start from a DMS.
    #[serde(default)]
    pub(crate) workflows: Vec<Spanned<Workflow>>,
    /// What knowledge people add to from a DMS.
    #[serde(default)]
    pub(crate) collections: Vec<Spanned<Collection>>,
    /// How a DMS's own pages may show ours.
    #[serde(default)]
    pub(crate) send_to: send_to::SendTo,
    /// What was set, as it is remembered: for telling at the next start what changed.
    #[serde(skip)]
    pub(crate) seen: Seen,
}

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port; port 0 picks one.
    pub(crate) listen: String,
    /// Threads that answer requests.
    pub(crate) workers: usize,
    /// How long a clean stop waits for what is under way, in seconds.
    pub(crate) grace_seconds: u64,
    /// The address by which browsers reach the server, such as `https://postroom.firm.example`. Where it is absent it is the one that
    /// the server listens on, which must be of this machine only.
    pub(crate) public_url: Option<Url>,
    /// The socket by which the command line reaches the server; `postroom.sock` in the data folder if absent.
    pub(crate) socket: Option<PathBuf>,
    /// The firm's time zone by its IANA name: dates of work items that name none are told in it.
    pub(crate) time_zone: String,
    /// Who may show the add-in's pages in a frame: the addresses at which Outlook, Word and Excel run in a browser, such as
    /// `https://outlook.office.com` or `https://*.sharepoint.com`.
    pub(crate) frame_hosts: Vec<String>,
}

impl Server {
    /// The firm's time zone.
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// Whether a text is a host as a content policy names it, and nothing that would end the list of them.
fn is_frame_host(text: &str) -> bool {
    let host = text.strip_prefix("https://").unwrap_or_default();
    let host = host.strip_prefix("*.").unwrap_or(host);
    !host.is_empty() && host.bytes().all(|it| it.is_ascii_alphanumeric() || b".-:".contains(&it))
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8440".to_owned(),
            workers: 2,
            grace_seconds: 20,
            public_url: None,
            socket: None,
            time_zone: "UTC".to_owned(),
            frame_hosts: postroom_web::OFFICE_HOSTS.map(str::to_owned).to_vec(),
        }
    }
}

/// `[data]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// The folder of store and spool.
    pub(crate) dir: PathBuf,
    /// Free bytes below which nothing is taken in; 0 is the safe default.
    #[serde(default)]
    pub(crate) reserve_bytes: u64,
    /// Memory for the store's pages, in MiB.
    #[serde(default = "cache_mib")]
    pub(crate) cache_mib: usize,
}

const fn cache_mib() -> usize {
    64
}

/// `[limits]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// The largest document, in bytes.
    pub(crate) largest_document_bytes: u64,
    /// The most documents in one intake.
    pub(crate) documents_per_intake: usize,
    /// How long a sender may pause while uploading, in seconds.
    pub(crate) upload_idle_seconds: u64,
    /// How long content that no row names is kept, in hours.
    pub(crate) sweep_grace_hours: u64,
    /// Unfinished uploads of one person at once.
    pub(crate) unfinished_uploads: usize,
    /// All unfinished uploads of one person together, in bytes.
    pub(crate) unfinished_bytes: u64,
    /// How long an unfinished upload waits for its next byte, in hours.
    pub(crate) unfinished_hours: u64,
    /// How long a set of filings that was told to run may be taken back before it begins, in seconds.
    pub(crate) undo_bulk_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            largest_document_bytes: 4 << 30,
            documents_per_intake: 1000,
            upload_idle_seconds: 60,
            sweep_grace_hours: 24,
            unfinished_uploads: 50,
            unfinished_bytes: 32 << 30,
            unfinished_hours: 72,
            undo_bulk_seconds: 10,
        }
    }
}

/// `[log]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// Which messages, as `tracing` filters: `info`, `postroom_engine=debug,info`.
    pub(crate) filter: String,
    /// A file instead of standard error.
    pub(crate) file: Option<PathBuf>,
    /// `text` or `json`.
    pub(crate) format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), file: None, format: LogFormat::Text }
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// `[[tokens]]`: a program that may come in. Tokens that end, and that are listed and revoked, are made while the server runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// The name that audit and screens show.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: RoleName,
    /// The site whose records it sees.
    #[serde(default = "main_site")]
    pub(crate) site: SiteName,
    /// Further sites whose records it sees.
    #[serde(default)]
    also_sites: BTreeSet<SiteName>,
    /// Whether it sees every site's.
    #[serde(default)]
    all_sites: bool,
    /// SHA-256 of the token, in hexadecimal digits: the token itself is kept nowhere.
    pub(crate) sha256: String,
}

impl Token {
    /// The sites whose records it sees.
    pub(crate) fn sites(&self) -> Sites {
        Sites { home: self.site.clone(), also: self.also_sites.clone(), all: self.all_sites }
    }
}

/// The site of a firm that has only one.
#[expect(clippy::expect_used, reason = "the text is a site name, which a test holds")]
pub(crate) fn main_site() -> SiteName {
    "main".parse().expect("a site name")
}

/// `[[repositories]]`: a named pointer to a place in a DMS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepositorySettings {
    name: RepositoryName,
    area: Area,
    work_type: Option<String>,
    service: ServiceName,
    #[serde(default)]
    library: String,
    resolver: String,
    #[serde(default)]
    resolver_config: String,
    #[serde(default)]
    folder: String,
    #[serde(default)]
    create_folders: bool,
    #[serde(default)]
    profile: BTreeMap<String, String>,
    #[serde(default)]
    when_ambiguous: WhenAmbiguous,
    #[serde(default)]
    create_workspace: bool,
    required: Option<BTreeSet<String>>,
    #[serde(default)]
    blocked_extensions: Vec<String>,
    #[serde(default)]
    save_mode: SaveMode,
    #[serde(default)]
    duplicate: DuplicateRule,
}

/// `[[hot_folders]]`: a folder that is watched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HotFolderSettings {
    /// The source's name.
    pub(crate) name: SourceName,
    /// The folder.
    pub(crate) path: PathBuf,
    /// The site its arrivals belong to.
    #[serde(default = "main_site")]
    pub(crate) site: SiteName,
    /// The area its arrivals belong to.
    #[serde(default = "scanning")]
    pub(crate) area: Area,
    /// How long a file must stay as it is, in seconds.
    #[serde(default = "settle_seconds")]
    pub(crate) settle_seconds: u64,
    /// How often the folder is looked through, at least, in milliseconds.
    #[serde(default = "scan_millis")]
    pub(crate) scan_millis: u64,
    /// Whether it is looked through at once when the file system tells of a change.
    #[serde(default = "yes")]
    pub(crate) events: bool,
    /// Whether its PDF and TIFF files are batches of pages, with cover sheets and separators between them.
    #[serde(default)]
    pub(crate) batches: bool,
    /// How batches are divided.
    #[serde(default)]
    pub(crate) pages: pages::Pages,
}

const fn yes() -> bool {
    true
}

const fn scanning() -> Area {
    Area::Scanning
}
const fn settle_seconds() -> u64 {
    5
}
const fn scan_millis() -> u64 {
    1000
}

impl Settings {
    /// Reads a file and the environment's overrides.
    pub(crate) fn load(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        // Wiped afterwards: secrets may stand in it.
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| SettingsError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(&path.display().to_string(), &text, environment)
    }

    /// Reads a text.
    pub(crate) fn parse(
        name: &str,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let merged = overlay::apply(name, text, environment)?.map(Zeroizing::new);
        let text = merged.as_deref().map_or(text, String::as_str);
        let mut settings: Self = toml::from_str(text)
            .map_err(|error| SettingsError::Syntax(report::explain(name, text, &error)))?;
        settings.seen = Seen::of(text);
        let mistakes = settings.mistakes();
        if mistakes.is_empty() {
            return Ok(settings);
        }
        let lines = mistakes.into_iter().map(|(at, problem)| {
            let line = 1 + text.get(..at).map_or(0, |before| before.matches('\n').count());
            format!("{name}:{line}: {problem}")
        });
        Err(SettingsError::Mistakes(lines.collect()))
    }

    /// What is well-formed but wrong, with its place in the text.
    fn mistakes(&self) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        if self.server.listen.parse::<std::net::SocketAddr>().is_err() {
            wrong.push((
                0,
                format!(
                    "server.listen: \"{}\" is not an address and port such as 127.0.0.1:8440",
                    self.server.listen
                ),
            ));
        }
        if !(1..=64).contains(&self.server.workers) {
            wrong.push((0, "server.workers: 1 to 64".to_owned()));
        }
        if TimeZone::get(&self.server.time_zone).is_err() {
            let zone = &self.server.time_zone;
            wrong.push((0, format!("server.time_zone: \"{zone}\" is not a time zone such as Europe/London")));
        }
        for host in self.server.frame_hosts.iter().filter(|it| !is_frame_host(it)) {
            let wanted = "https:// and a host, such as https://outlook.office.com";
            wrong.push((0, format!("server.frame_hosts: \"{host}\" is not {wanted}")));
        }
        wrong.extend(self.server.address_mistake().map(|problem| (0, problem)));
        if self.vault.is_none() {
            wrong.push((0, vault::MISSING.to_owned()));
        }
        let (roles, mistakes) = people::roles(&self.roles);
        wrong.extend(mistakes);
        wrong.extend(self.people.mistakes(&roles).into_iter().map(|problem| (0, problem)));
        wrong.extend(self.service_mistakes());
        let mut services = HashSet::new();
        for destination in &self.destinations {
            let at = destination.span().start;
            let it = destination.get_ref();
            let key = format!("destinations \"{}\"", it.name);
            if !services.insert(&it.name) {
                wrong.push((at, format!("{key}: the name stands twice")));
            }
            wrong.extend(it.mistakes().into_iter().map(|problem| (at, format!("{key}: {problem}"))));
        }
        let mut repositories = HashSet::new();
        for repository in &self.repositories {
            let at = repository.span().start;
            let it = repository.get_ref();
            let key = format!("repositories \"{}\"", it.name);
            if !repositories.insert(&it.name) {
                wrong.push((at, format!("{key}: the name stands twice")));
            }
            if !services.contains(&it.service) {
                let near = report::nearest(it.service.as_str(), services.iter().map(|name| name.as_str()));
                wrong.push((at, format!("{key}: service: there is no destination \"{}\"{near}", it.service)));
            }
            let at_kind =
                self.destinations.iter().map(Spanned::get_ref).find(|other| other.name == it.service);
            if let Some(problem) = at_kind.and_then(|other| it.unfit_for(other.kind)) {
                wrong.push((at, format!("{key}: {problem}")));
            }
            wrong.extend(
                it.read()
                    .err()
                    .unwrap_or_default()
                    .into_iter()
                    .map(|problem| (at, format!("{key}: {problem}"))),
            );
        }
        let mut sources = HashSet::new();
        for folder in &self.hot_folders {
            let it = folder.get_ref();
            if !sources.insert(&it.name) {
                wrong.push((
                    folder.span().start,
                    format!("hot_folders \"{}\": the name stands twice", it.name),
                ));
            }
            if it.scan_millis < 50 {
                wrong.push((
                    folder.span().start,
                    format!("hot_folders \"{}\": scan_millis: 50 or more", it.name),
                ));
            }
        }
        for folder in &self.hot_folders {
            let problem = folder.get_ref().pages.mistakes();
            let key = format!("hot_folders \"{}\"", folder.get_ref().name);
            wrong.extend(problem.map(|problem| (folder.span().start, format!("{key}: {problem}"))));
        }
        for folder in &self.scan_folders {
            let (at, it) = (folder.span().start, folder.get_ref());
            if !sources.insert(&it.name) {
                wrong.push((at, format!("scan_folders \"{}\": the name stands twice", it.name)));
            }
            if !services.contains(&it.service) {
                let near = report::nearest(it.service.as_str(), services.iter().map(|name| name.as_str()));
                let key = format!("scan_folders \"{}\": service", it.name);
                wrong.push((at, format!("{key}: there is no destination \"{}\"{near}", it.service)));
            }
            wrong.extend(it.mistakes().into_iter().map(|problem| (at, problem)));
        }
        wrong.extend(self.highq_mistakes());
        for links in &self.highq_links {
            if !sources.insert(&links.get_ref().name) {
                let name = &links.get_ref().name;
                wrong.push((links.span().start, format!("highq_links \"{name}\": the name stands twice")));
            }
        }
        for mailbox in self.smtp.iter().flat_map(|smtp| &smtp.mailboxes) {
            let (at, it) = (mailbox.span().start, mailbox.get_ref());
            if !sources.insert(&it.name) {
                wrong.push((at, format!("smtp.mailboxes \"{}\": the name stands twice", it.name)));
            }
            let problem = it.pages.mistakes();
            wrong.extend(problem.map(|problem| (at, format!("smtp.mailboxes \"{}\": {problem}", it.name))));
        }
        for mailbox in &self.imap {
            let (at, it) = (mailbox.span().start, mailbox.get_ref());
            if !sources.insert(&it.name) {
                wrong.push((at, format!("imap \"{}\": the name stands twice", it.name)));
            }
            wrong.extend(it.mistakes().into_iter().map(|problem| (at, problem)));
        }
        for mailbox in &self.graph {
            let (at, it) = (mailbox.span().start, mailbox.get_ref());
            if !sources.insert(&it.name) {
                wrong.push((at, format!("graph \"{}\": the name stands twice", it.name)));
            }
            wrong.extend(it.mistakes().into_iter().map(|problem| (at, problem)));
        }
        wrong.extend(self.mail_mistakes());
        wrong.extend(self.screening.mistakes().into_iter().map(|problem| (0, problem)));
        wrong.extend(self.allocation_mistakes());
        wrong.extend(self.mapping_mistakes());
        wrong.extend(self.send_to_mistakes());
        wrong.extend(self.outlook_mistakes());
        let mut hashes = HashSet::new();
        for token in &self.tokens {
            let it = token.get_ref();
            let key = format!("tokens \"{}\"", it.name);
            if roles.get(&it.role).is_none() {
                let near = report::nearest(it.role.as_str(), roles.names().map(RoleName::as_str));
                let at = token.span().start;
                wrong.push((at, format!("{key}: role: there is no role \"{}\"{near}", it.role)));
            }
            if it.sha256.len() != 64 || !it.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
                wrong.push((
                    token.span().start,
                    format!("{key}: sha256: 64 hexadecimal digits; `postroom token new --for-settings` prints them"),
                ));
            } else if !hashes.insert(it.sha256.to_ascii_lowercase()) {
                wrong.push((token.span().start, format!("{key}: the same token stands twice")));
            }
        }
        wrong
    }

    /// What is wrong with the doors of letters. How letters are matched matters only where some come in.
    fn mail_mistakes(&self) -> Vec<(usize, String)> {
        if !self.takes_letters() {
            return Vec::new();
        }
        let smtp = self.smtp.iter().flat_map(Smtp::mistakes);
        let mut wrong: Vec<(usize, String)> = smtp.map(|(at, problem)| (at.unwrap_or(0), problem)).collect();
        wrong.extend(self.mail.mistakes().into_iter().map(|mistake| (0, mistake.to_string())));
        wrong
    }

    /// Services that are wrong in themselves, stand twice, or do not fit the destination of their name.
    fn service_mistakes(&self) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        let mut names = HashSet::new();
        for service in &self.services {
            let (at, it) = (service.span().start, service.get_ref());
            let key = format!("services \"{}\"", it.name);
            if !names.insert(&it.name) {
                wrong.push((at, format!("{key}: the name stands twice")));
            }
            if let Some((what, problem)) = it.problem() {
                wrong.push((at, format!("{key}: {what} {problem}")));
            }
            let destination = self.destinations.iter().find(|other| other.get_ref().name == it.name);
            if let Some(destination) = destination
                && destination.get_ref().kind.as_str() != it.kind.as_str()
            {
                let kind = destination.get_ref().kind.as_str();
                wrong.push((at, format!("{key}: the destination of that name is of kind \"{kind}\"")));
            }
        }
        for destination in &self.destinations {
            let (at, it) = (destination.span().start, destination.get_ref());
            let service = self.services.iter().find(|other| other.get_ref().name == it.name);
            if it.system_is_linked() && !service.is_some_and(|it| it.get_ref().links) {
                let name = &it.name;
                wrong.push((at, format!("destinations \"{name}\": auth: grant \"link\" needs [[services]] of that name with links = true")));
            }
        }
        wrong
    }

    /// What cannot work about HighQ's links and webhooks.
    fn highq_mistakes(&self) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        let not_highq = |service: &ServiceName| {
            let known = self.destinations.iter().map(Spanned::get_ref).find(|it| it.name == *service);
            match known {
                Some(it) if it.kind == DestinationKind::Highq => None,
                Some(it) => Some(format!("service: \"{service}\" is of kind \"{}\"", it.kind.as_str())),
                None => {
                    let names = self.destinations.iter().map(|it| it.get_ref().name.as_str());
                    let near = report::nearest(service.as_str(), names);
                    Some(format!("service: there is no destination \"{service}\"{near}"))
                }
            }
        };
        for links in &self.highq_links {
            let (at, it) = (links.span().start, links.get_ref());
            let problem = not_highq(&it.service).map(|it| format!("{it}; it must be one of kind \"highq\""));
            wrong.extend(problem.map(|problem| (at, format!("highq_links \"{}\": {problem}", it.name))));
            let mistakes = it.mistakes(self.server.public_url.as_ref());
            wrong.extend(mistakes.into_iter().map(|problem| (at, problem)));
        }
        let mut known = HashSet::new();
        for webhook in &self.highq_webhooks {
            let (at, it) = (webhook.span().start, webhook.get_ref());
            if !known.insert(&it.service) {
                wrong.push((at, format!("highq_webhooks \"{}\": it stands twice", it.service)));
            }
            let problem = not_highq(&it.service).map(|it| format!("{it}; it must be one of kind \"highq\""));
            wrong.extend(problem.map(|problem| (at, format!("highq_webhooks: {problem}"))));
            wrong.extend(it.mistakes().into_iter().map(|problem| (at, problem)));
        }
        wrong
    }

    /// What cannot work about letters from mail programs.
    fn outlook_mistakes(&self) -> Vec<(usize, String)> {
        let graph: Vec<&SourceName> = self.graph.iter().map(|it| &it.get_ref().name).collect();
        let mut wrong = self.outlook.mistakes(&graph);
        let name = &self.outlook.name;
        let folders = self.hot_folders.iter().map(|it| &it.get_ref().name);
        let scans = self.scan_folders.iter().map(|it| &it.get_ref().name);
        let smtp = self.smtp.iter().flat_map(|smtp| &smtp.mailboxes).map(|it| &it.get_ref().name);
        let imap = self.imap.iter().map(|it| &it.get_ref().name);
        let links = self.highq_links.iter().map(|it| &it.get_ref().name);
        if folders.chain(scans).chain(links).chain(smtp).chain(imap).chain(graph).any(|it| it == name) {
            wrong.push(format!(
                "outlook.name: another source is called \"{name}\" already; give this one another name"
            ));
        }
        wrong.into_iter().map(|problem| (0, problem)).collect()
    }

    /// Mappings of tables that cannot work, or stand twice.
    fn mapping_mistakes(&self) -> Vec<(usize, String)> {
        let (mut wrong, mut names) = (Vec::new(), HashSet::new());
        for mapping in &self.data_uploads {
            let (at, it) = (mapping.span().start, mapping.get_ref());
            let key = format!("data_uploads \"{}\"", it.name);
            if it.name.trim().is_empty() || it.name.contains(|c: char| c.is_control() || "/\\\"{".contains(c))
            {
                wrong.push((at, format!("{key}: name: it needs one, without slashes, quotes or braces")));
            }
            if !names.insert(&it.name) {
                wrong.push((at, format!("{key}: the name stands twice")));
            }
            wrong.extend(it.mistakes().into_iter().map(|problem| (at, format!("{key}: {problem}"))));
        }
        wrong
    }

    /// The built-in roles and the firm's own.
    pub(crate) fn all_roles(&self) -> Roles {
        people::roles(&self.roles).0
    }

    /// The linked services' own settings.
    pub(crate) fn service_settings(&self) -> Vec<ServiceSettings> {
        self.services.iter().map(|it| it.get_ref().clone()).collect()
    }

    /// The socket by which the command line reaches the server.
    pub(crate) fn socket(&self) -> PathBuf {
        self.server.socket.clone().unwrap_or_else(|| socket_in(&self.data.dir))
    }

    fn areas(&self) -> BTreeMap<SourceName, Area> {
        let folders = self.hot_folders.iter().map(|it| (it.get_ref().name.clone(), it.get_ref().area));
        let mailboxes = self.smtp.iter().flat_map(|smtp| &smtp.mailboxes);
        let imap = self.imap.iter().map(|it| (it.get_ref().name.clone(), it.get_ref().area));
        let scans = self.scan_folders.iter().map(|it| (it.get_ref().name.clone(), it.get_ref().area));
        let graph = self.graph.iter().map(|it| (it.get_ref().name.clone(), it.get_ref().area));
        folders
            .chain(scans)
            .chain([(self.outlook.name.clone(), self.outlook.area)])
            .chain(mailboxes.map(|it| (it.get_ref().name.clone(), it.get_ref().area)))
            .chain(imap)
            .chain(graph)
            .collect()
    }

    /// How batches are divided, by the source that they come from.
    pub(crate) fn batch_rules(&self) -> BTreeMap<SourceName, BatchRules> {
        let folders = self.hot_folders.iter().map(Spanned::get_ref).filter(|it| it.batches);
        let scans = self.scan_folders.iter().map(Spanned::get_ref).filter(|it| it.batches);
        let mailboxes = self.smtp.iter().flat_map(|smtp| &smtp.mailboxes).map(Spanned::get_ref);
        let mailboxes = mailboxes.filter(|it| it.batches);
        folders
            .map(|it| (it.name.clone(), it.pages.rules()))
            .chain(mailboxes.map(|it| (it.name.clone(), it.pages.rules())))
            .chain(scans.map(|it| (it.name.clone(), it.pages.rules())))
            .collect()
    }

    /// Whether letters come in at all.
    pub(crate) fn takes_letters(&self) -> bool {
        self.smtp.is_some() || !self.imap.is_empty() || !self.graph.is_empty()
    }

    /// The addresses of all mailboxes that are read.
    pub(crate) fn own_mailboxes(&self) -> Vec<String> {
        let smtp = self.smtp.iter().flat_map(|smtp| &smtp.mailboxes).flat_map(|it| &it.get_ref().addresses);
        let imap = self.imap.iter().flat_map(|it| &it.get_ref().addresses);
        let graph = self.graph.iter().flat_map(|it| it.get_ref().all_addresses());
        smtp.chain(imap).chain(graph).cloned().collect()
    }

    /// Who gives arrivals to whom.
    pub(crate) fn allocator(&self) -> anyhow::Result<Option<Allocator>> {
        let Some(settings) = &self.allocation else { return Ok(None) };
        let rules = allocation::Rules::new(settings.clone()).map_err(|wrong| {
            anyhow::anyhow!(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        Ok(Some(Allocator::new(rules)))
    }

    /// What is wrong with the rules by which arrivals are given to people.
    fn allocation_mistakes(&self) -> Vec<(usize, String)> {
        let Some(settings) = &self.allocation else { return Vec::new() };
        let mut wrong: Vec<String> = settings.check("allocation").iter().map(ToString::to_string).collect();
        let doors = self.areas();
        let unknown = settings.mailboxes.keys().filter(|name| !doors.contains_key(*name));
        wrong.extend(unknown.map(|name| {
            let near = report::nearest(name.as_str(), doors.keys().map(SourceName::as_str));
            format!("allocation.mailboxes: there is no mailbox or hot folder \"{name}\"{near}")
        }));
        wrong.into_iter().map(|problem| (0, problem)).collect()
    }

    /// The repositories and the doors' areas, read.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            repositories: self.repositories.iter().filter_map(|it| it.get_ref().read().ok()).collect(),
            zone: self.server.zone(),
            areas: self.areas(),
        }
    }
}

/// Where the command line reaches a server whose settings name no other place.
pub(crate) fn socket_in(data: &Path) -> PathBuf {
    data.join("postroom.sock")
}

impl RepositorySettings {
    /// What a destination of this kind can never do; none when it may.
    fn unfit_for(&self, kind: DestinationKind) -> Option<String> {
        let word = kind.as_str();
        if self.create_workspace && !kind.makes_workspaces() {
            return Some(format!(
                "create_workspace: a destination of kind \"{word}\" does not make workspaces"
            ));
        }
        None
    }

    fn read(&self) -> Result<Repository, Vec<String>> {
        let mut wrong = Vec::new();
        let mut note = |key: &str, problem: String| wrong.push(format!("{key}: {problem}"));
        let resolver = ResolverConfig::parse(&self.resolver, &self.resolver_config)
            .map_err(|error| note("resolver_config", error.to_string()))
            .ok();
        let folder = parse_folder_path(&self.folder).map_err(|error| note("folder", error.to_string())).ok();
        let mut profile = BTreeMap::new();
        for (field, value) in &self.profile {
            match value.parse() {
                Ok(template) => drop(profile.insert(field.clone(), template)),
                Err(error) => note(&format!("profile.{field}"), format!("{error}")),
            }
        }
        let blocked = BlockList::parse(&self.blocked_extensions)
            .map_err(|entry| {
                note("blocked_extensions", format!("\"{entry}\" is not an extension such as \"exe\""));
            })
            .ok();
        let (Some(resolver), Some(folder), Some(blocked), true) =
            (resolver, folder, blocked, wrong.is_empty())
        else {
            return Err(wrong);
        };
        let repository = Repository {
            name: self.name.clone(),
            area: self.area,
            work_type: self.work_type.clone(),
            service: self.service.clone(),
            library: self.library.clone(),
            resolver,
            folder,
            create_folders: self.create_folders,
            profile,
            when_ambiguous: self.when_ambiguous,
            create_workspace: self.create_workspace,
            required: self.required.clone(),
            blocked,
            save_mode: self.save_mode,
            duplicate: self.duplicate,
        };
        let mistakes: Vec<String> =
            repository.mistakes().into_iter().map(|(key, problem)| format!("{key}: {problem}")).collect();
        if mistakes.is_empty() { Ok(repository) } else { Err(mistakes) }
    }
}

#[cfg(test)]
mod tests;
