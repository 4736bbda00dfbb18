//! The capability report: which function will not work, why, and who can mend it. Computed from the settings and what is kept; asked
//! for live, it looks at every connection too.

mod screening;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use postroom_dms::doctor as dms;
use postroom_dms::lists::SqlLists;
use postroom_domain::Fut;
use postroom_domain::capability::{Diagnosis, Finding, Level};
use postroom_domain::cause::Fixer;
use postroom_domain::desk::{DmsAccounts, People};
use postroom_domain::ids::{ListName, ServiceName, SourceName};
use postroom_domain::link::{
    Accounts, Decision, Fallback, LinkedService, Offer, Operation, Refusal, WhenUnsure, whose_account,
};
use postroom_domain::link_columns::LinkColumns;
use postroom_domain::plan::Rules;
use postroom_domain::repository::Area;
use postroom_domain::time::Clock;
use postroom_inbound::Checked;
use postroom_inbound::graph::{GraphApp, GraphMailbox, GraphOptions};
use postroom_inbound::imap::{ImapMailbox, ImapOptions};
use postroom_inbound::link_columns::{LinkColumnsOptions, LinkKeeper};
use postroom_inbound::smtp::{self, SmtpOptions};
use postroom_outbound::Doctor;

pub(crate) use self::screening::ScannerDoor;
use crate::connectors::Connector;
use crate::dms_accounts;
use crate::foundation::Foundation;
use crate::mail_doors::graph_mailboxes;
use crate::settings::Settings;

/// Looks at everything that the settings name.
pub(crate) struct HouseDoctor {
    /// Persons, and how they come in.
    pub(crate) people: Arc<People>,
    /// Whose accounts are linked.
    pub(crate) accounts: Arc<dyn Accounts>,
    /// Accounts of persons in the DMSs.
    pub(crate) dms_accounts: Arc<DmsAccounts>,
    /// The linked services.
    pub(crate) services: Doctor,
    /// The DMSs.
    pub(crate) connectors: Vec<Connector>,
    /// Lists of targets.
    pub(crate) lists: Arc<SqlLists>,
    /// Which repository serves what.
    pub(crate) rules: Arc<Rules>,
    /// The doors that no person stands behind.
    pub(crate) doors: Vec<Door>,
    /// Links in lists of DMSs.
    pub(crate) links: Vec<Links>,
    /// The malware scanner, where there is one.
    pub(crate) scanner: Option<ScannerDoor>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Links that are kept in a list of a DMS.
pub(crate) type Links = (LinkColumnsOptions, Arc<dyn LinkColumns>);

/// A door that no person stands behind.
pub(crate) struct Door {
    name: SourceName,
    area: Area,
    way: Way,
}

/// How documents come in through a door.
enum Way {
    Folder(PathBuf),
    Imap(Box<ImapOptions>),
    Graph(Box<GraphOptions>, Arc<GraphApp>),
    /// Letters are delivered to it; the one door of all its mailboxes is looked at beside the first of them.
    Smtp(Option<Arc<SmtpOptions>>),
}

impl Door {
    /// Those of the settings.
    pub(crate) fn all(settings: &Settings, foundation: &Foundation) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for it in settings.hot_folders.iter().map(toml::Spanned::get_ref) {
            all.push(Self { name: it.name.clone(), area: it.area, way: Way::Folder(it.path.clone()) });
        }
        if let Some(smtp) = &settings.smtp {
            let mut options = Some(Arc::new(smtp.options()?));
            for it in smtp.mailboxes.iter().map(toml::Spanned::get_ref) {
                all.push(Self { name: it.name.clone(), area: it.area, way: Way::Smtp(options.take()) });
            }
        }
        for it in settings.imap.iter().map(toml::Spanned::get_ref) {
            let way = Way::Imap(Box::new(it.options()?));
            all.push(Self { name: it.name.clone(), area: it.area, way });
        }
        let graph = graph_mailboxes(settings, &foundation.clock, &foundation.entropy)?;
        for (it, (options, app)) in settings.graph.iter().map(toml::Spanned::get_ref).zip(graph) {
            let way = Way::Graph(Box::new(options), app);
            all.push(Self { name: it.name.clone(), area: it.area, way });
        }
        Ok(all)
    }

    /// What is to be said of the way in. Only folders are looked at without reaching out.
    async fn looked_at(&self, live: bool) -> Vec<Finding> {
        let checked = match &self.way {
            Way::Folder(path) => return vec![folder(&self.name, path, live)],
            _ if !live => return Vec::new(),
            Way::Imap(options) => ImapMailbox::check(options).await,
            Way::Graph(options, app) => GraphMailbox::check(options, app).await,
            Way::Smtp(None) => return Vec::new(),
            Way::Smtp(Some(options)) => smtp::check(options).await,
        };
        checked.into_iter().map(|it| found(&self.name, it)).collect()
    }
}

/// What a look at a door showed, as it is told.
fn found(name: &SourceName, it: Checked) -> Finding {
    let (level, fixer) = match (it.works, &it.advice) {
        (false, _) => (Level::Bad, Fixer::Administrator),
        (true, Some(_)) => (Level::Warning, Fixer::Administrator),
        (true, None) => (Level::Good, Fixer::Nobody),
    };
    finding(name.as_str(), it.subject, level, it.detail, it.advice.as_deref().unwrap_or_default(), fixer)
}

impl Diagnosis for HouseDoctor {
    fn findings(&self, live: bool) -> Fut<'_, Vec<Finding>> {
        Box::pin(async move {
            let mut all = self.ways_in().await;
            for door in &self.doors {
                all.extend(self.door(door, live).await);
            }
            for (options, columns) in self.links.iter().filter(|_| live) {
                let checked = LinkKeeper::check(options, &**columns).await;
                all.extend(checked.into_iter().map(|it| found(&options.source, it)));
            }
            if let Some(scanner) = &self.scanner {
                all.extend(scanner.findings(live, &*self.clock).await);
            }
            for connector in &self.connectors {
                all.extend(self.persons_at(&connector.name));
                all.extend(self.system_at(connector).await);
                let refusal = self.refusal(&connector.name).await.ok().flatten();
                all.extend(dms_accounts::finding(&self.dms_accounts, &connector.name, refusal, live).await);
                if live {
                    all.extend(connector.doctor().await.into_iter().map(|it| told(connector, it)));
                }
            }
            if live {
                all.extend(self.lists.doctor().await.into_iter().map(|(list, it)| told_of_list(&list, it)));
            }
            all.extend(self.services.findings(live).await);
            together(all)
        })
    }
}

/// What is about one thing stands together, in the order in which the things were first met.
fn together(all: Vec<Finding>) -> Vec<Finding> {
    let mut order: Vec<String> = Vec::new();
    for one in &all {
        if !order.contains(&one.about) {
            order.push(one.about.clone());
        }
    }
    let mut all = all;
    all.sort_by_key(|one| order.iter().position(|about| *about == one.about));
    all
}

fn finding(about: &str, subject: &str, level: Level, detail: String, advice: &str, fixer: Fixer) -> Finding {
    Finding {
        about: about.to_owned(),
        subject: subject.to_owned(),
        level,
        detail,
        advice: advice.to_owned(),
        fixer,
    }
}

impl HouseDoctor {
    async fn ways_in(&self) -> Vec<Finding> {
        let about = "people";
        let nobody = match self.people.is_nobody_here().await {
            Ok(nobody) => nobody,
            Err(error) => {
                let advice = "look at the store";
                let fixer = Fixer::Administrator;
                return vec![finding(about, "store", Level::Bad, error.to_string(), advice, fixer)];
            }
        };
        let visible = self.people.services.iter().filter(|it| it.sign_in == Offer::Visible).count();
        let detail = format!("by password, and with {visible} provider(s)");
        let mut all = vec![finding(about, "ways to sign in", Level::Good, detail, "", Fixer::Nobody)];
        if nobody {
            let detail = "there is nobody yet who may sign in".to_owned();
            let advice = "postroom person add E-MAIL --admin prints a one-time link";
            all.push(finding(about, "persons", Level::Warning, detail, advice, Fixer::Administrator));
        }
        all
    }

    /// Whether what comes in through a door is filed without anybody's help.
    async fn door(&self, door: &Door, live: bool) -> Vec<Finding> {
        let about = door.name.as_str();
        let subject = "filing without a person";
        let mut all = door.looked_at(live).await;
        let serving: BTreeSet<&ServiceName> =
            self.rules.repositories.iter().filter(|it| it.area == door.area).map(|it| &it.service).collect();
        if serving.is_empty() {
            let detail = format!("no repository serves the area {}", door.area.as_str());
            let advice = "add one to the settings; until then everything waits for a person";
            all.push(finding(about, subject, Level::Bad, detail, advice, Fixer::Administrator));
        }
        for service in serving {
            all.push(match self.refusal(service).await {
                Ok(None) => {
                    let detail = format!("at {service} with the system account");
                    finding(about, subject, Level::Good, detail, "", Fixer::Nobody)
                }
                Ok(Some(refusal)) => {
                    let detail = format!("it does not work at {service}: {}", refusal.words());
                    let advice = "link the system account on the page of services; what waits goes on then";
                    finding(about, subject, Level::Bad, detail, advice, Fixer::Administrator)
                }
                Err(error) => {
                    finding(about, subject, Level::Bad, error, "look at the store", Fixer::Administrator)
                }
            });
        }
        all
    }

    /// Why the system account cannot be used at a service.
    async fn refusal(&self, service: &ServiceName) -> Result<Option<Refusal>, String> {
        let mut at = self.accounts.at(service, "").await.map_err(|error| error.to_string())?;
        at.person = None;
        Ok(match whose_account(at.question(Operation::Background, None)) {
            Decision::Refuse(refusal) => Some(refusal),
            Decision::Use(_) | Decision::AskRights => None,
        })
    }

    /// Whether there is a system account, at a destination that no door leads to: programs file there too.
    async fn system_at(&self, connector: &Connector) -> Option<Finding> {
        if !connector.system_is_linked {
            return None;
        }
        let about = connector.name.as_str();
        let refusal = self.refusal(&connector.name).await.ok()??;
        let detail = format!("programs cannot file here: {}", refusal.words());
        let advice = "link the system account on the page of services";
        Some(finding(about, "system account", Level::Bad, detail, advice, Fixer::Administrator))
    }

    /// What becomes of the documents of persons who have linked no account.
    fn persons_at(&self, name: &ServiceName) -> Option<Finding> {
        let service = self.people.service(name).filter(|it| it.links)?;
        let subject = "persons without a link";
        let all_must = !service.available_to.is_empty() && service.available_to.iter().all(|it| it.required);
        let (level, detail) = without_link(service, all_must);
        let (advice, fixer) = match level {
            Level::Good => ("", Fixer::Nobody),
            _ => ("they link their account on the page of linked accounts", Fixer::AccountOwner),
        };
        Some(finding(name.as_str(), subject, level, detail.to_owned(), advice, fixer))
    }
}

const fn without_link(service: &LinkedService, all_must: bool) -> (Level, &'static str) {
    match (service.fallback, all_must, service.when_unsure) {
        (_, true, _) => (Level::Warning, "their documents wait: every team here has to link"),
        (Fallback::Never | Fallback::ReadOnly, ..) => {
            (Level::Warning, "their documents wait: the system account does not stand in for filing")
        }
        (Fallback::BackgroundOnly | Fallback::Always, _, WhenUnsure::Refuse) => (
            Level::Good,
            "the system account files for them where the DMS says for certain that they may themselves",
        ),
        (Fallback::BackgroundOnly | Fallback::Always, _, WhenUnsure::File) => (
            Level::Good,
            "the system account files for them unless the DMS says that they may not themselves",
        ),
    }
}

const fn level(found: dms::Level) -> Level {
    match found {
        dms::Level::Good => Level::Good,
        dms::Level::Warning => Level::Warning,
        dms::Level::Bad => Level::Bad,
    }
}

/// What was found about a list of targets.
fn told_of_list(list: &ListName, found: dms::Finding) -> Finding {
    let level = level(found.level);
    let fixer = if level == Level::Good { Fixer::Nobody } else { Fixer::Administrator };
    finding(&format!("list {list}"), found.subject, level, found.detail, found.advice, fixer)
}

/// A connector's own finding, with who can mend it.
fn told(connector: &Connector, found: dms::Finding) -> Finding {
    let level = level(found.level);
    let ours = matches!(found.subject, "settings" | "address" | "library" | "root" | "writing");
    let fixer = match (level, connector.kind.is_service()) {
        (Level::Good, _) => Fixer::Nobody,
        (_, true) if !ours => Fixer::DmsTeam,
        _ => Fixer::Administrator,
    };
    finding(connector.name.as_str(), found.subject, level, found.detail, found.advice, fixer)
}

/// Whether the folder is there and, looked at live, files can be claimed in it by renaming.
fn folder(name: &SourceName, path: &Path, live: bool) -> Finding {
    let told = |level, detail, advice, fixer| finding(name.as_str(), "folder", level, detail, advice, fixer);
    let shown = path.display();
    if !path.is_dir() {
        let advice = "make the folder, or mount the share that it lies on";
        return told(Level::Bad, format!("{shown} is not there"), advice, Fixer::Administrator);
    }
    if !live {
        return told(Level::Good, format!("{shown} is there"), "", Fixer::Nobody);
    }
    match tempfile::Builder::new().prefix(".postroom-doctor-").tempfile_in(path) {
        Ok(_) => told(Level::Good, format!("{shown} can be written"), "", Fixer::Nobody),
        Err(error) => {
            let advice = "files are claimed by renaming them: give Postroom's user the right to write there";
            told(Level::Bad, format!("{shown} cannot be written: {error}"), advice, Fixer::Administrator)
        }
    }
}
