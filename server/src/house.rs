//! The house: introduces the rooms to each other, in the order in which they may start, and stops them in the reverse order.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::PrometheusBuilder;
use postroom_domain::Fut;
use postroom_domain::control::{Control, DestinationStatus, SourceStatus};
use postroom_domain::desk::People;
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::ids::{ServiceName, SourceName};
use postroom_domain::link::Accounts;
use postroom_domain::mailbox::MailNotice;
use postroom_domain::mailroom::Mailroom;
use postroom_domain::person::{Actor, Permissions, Principal};
use postroom_domain::plan::Rules;
use postroom_domain::reception::Reception;
use postroom_domain::record::Registry;
use postroom_domain::resolve::{Look, LookAt, Looks};
use postroom_domain::sealing::Passwords;
use postroom_domain::spool::Spool;
use postroom_domain::store::Store;
use postroom_domain::uploads::{UploadLimits, Uploads};
use postroom_engine::{
    BulksHandle, Destination, DestinationPlaces, Engine, EngineHandle, EngineOptions, EngineParts, LoadParts,
    LoadsHandle, SendToDesk, SendToParts,
};
use postroom_inbound::PreviewDesk;
use postroom_inbound::link_columns::{LinkKeeper, LinkKeeperHandle, Teller};
use postroom_inbound::pages::{CoverKey, PageDesk, PageLimits};
use postroom_inbound::reader::LetterEyes;
use postroom_inbound::scan_folder::{ScanFolder, ScanFolderHandle};
use postroom_inbound::{FileTables, HotFolder, HotFolderHandle, HotFolderOptions, HotFolderStatus};
use postroom_outbound::{Doctor, SecretString};
use postroom_vault::HashCost;
use postroom_web::{App, DataTables, Identity, ServeOptions, ServerHandle, Source, TokenHash, TokenTable};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

use crate::bulks;
use crate::diagnosis::{Door, HouseDoctor, Links as LinkLists, ScannerDoor};
use crate::dms_accounts::{self, Caretaker, News};
use crate::foundation::{Cellar, Foundation};
use crate::housekeeping;
use crate::keyring::{DeskOptions, DeskParts, KeyDesk};
use crate::mail_doors::{MailDoors, mailroom};
use crate::sealing::PasswordHashes;
use crate::settings::{self, Remembered, Seen, Settings};
use crate::signals;
use crate::tokens;

/// The exit status after the store or the spool failed: a supervisor starts the process again.
const EXIT_FAIL_STOP: u8 = 70;

/// The door for programs and people, as sources go.
const UPLOAD: &str = "upload";

/// What was set at the last start, beside the data.
const REMEMBERED: &str = "settings.seen.json";

/// A running Postroom.
pub(crate) struct House {
    url: String,
    grace: Duration,
    store: Arc<dyn Store>,
    spool: Arc<dyn Spool>,
    reception: Arc<Reception>,
    #[cfg(feature = "demo")]
    mailroom: Arc<Mailroom>,
    people: Arc<People>,
    engine: Arc<EngineHandle>,
    server: ServerHandle,
    local: ServerHandle,
    doors: Arc<Doors>,
    keys: Arc<KeyDesk>,
    links: Links,
    caretaker: Caretaker,
    loads: Arc<LoadsHandle>,
    bulks: Arc<BulksHandle>,
    housekeeping: JoinHandle<()>,
}

/// What looks after idle links.
struct Links {
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl House {
    /// Starts everything: keyring, store, spool, engine, then the doors. When it returns, the doors are open.
    pub(crate) async fn start(settings: Settings) -> anyhow::Result<Self> {
        signals::survive_size_limits();
        let (foundation, cellar) = Foundation::lay(&settings).await?;
        let Foundation { clock, entropy, store, mint, keeper, .. } = &foundation;
        // After the data, so that a second instance on the same folder is told of the first and not of its port.
        let listener = TcpListener::bind(&settings.server.listen)
            .with_context(|| format!("server.listen: cannot listen on {}", settings.server.listen))?;
        let public_url = settings.server.public_url_at(listener.local_addr()?);
        remember(&settings, &foundation).await?;
        let news = News::default();
        let people = people(&settings, &foundation, &public_url, news.over(store.clone()))?;
        let rules = Arc::new(settings.rules());
        let accounts: Arc<dyn Accounts> = Arc::new(keeper.clone());
        let Cellar { file, keyring, spool } = cellar;
        let spool = Arc::new(spool);
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            mint: mint.clone(),
            rules: rules.clone(),
            accounts: accounts.clone(),
            spool: spool.clone(),
            opens_all: settings.screening.opens_all(),
            allocator: settings.allocator()?,
        });
        let mailroom = Arc::new(mailroom(&settings, &foundation, &reception)?);
        let loads = Arc::new(LoadsHandle::start(LoadParts::new(mailroom.clone(), Arc::new(FileTables))));
        let key_of = Box::new(postroom_web::upload_key);
        let uploads = Arc::new(Uploads::new(reception.clone(), upload_limits(&settings.limits), key_of));
        let destinations: Vec<Destination> =
            foundation.connectors.iter().map(crate::connectors::Connector::destination).collect();
        let places = Arc::new(DestinationPlaces::new(
            destinations.clone(),
            accounts.clone(),
            store.clone(),
            clock.clone(),
        ));
        let send_to = Arc::new(SendToDesk::new(SendToParts {
            places: places.clone(),
            mailroom: mailroom.clone(),
            vendors: settings.vendors(),
            workflows: settings.workflows.iter().map(|it| it.get_ref().clone()).collect(),
            collections: settings.collections.iter().map(|it| it.get_ref().clone()).collect(),
            largest: settings.limits.largest_document_bytes,
        }));
        let engine = Engine::start(EngineParts {
            store: store.clone(),
            spool: spool.clone(),
            destinations,
            accounts: accounts.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            policy: settings.retry.clone(),
            options: EngineOptions::default(),
        })
        .await
        .context("cannot start the engine")?;
        let engine = Arc::new(engine);
        keeper.tell(engine.clone());
        let bulks = bulks::start(&settings, &foundation, engine.clone());
        let keys = Arc::new(KeyDesk::start(DeskParts {
            file,
            keyring,
            vault: foundation.vault.clone(),
            registry: store.clone(),
            spool: spool.clone(),
            reseal: spool.clone(),
            clock: clock.clone(),
            chance: foundation.chance.clone(),
            options: DeskOptions::default(),
        }));
        let spool: Arc<dyn Spool> = spool;
        let covers = CoverKey::new(foundation.seals.code("cover sheets", ""));
        let sheets = PageDesk::new(spool.clone(), covers.clone(), PageLimits::default());
        let (mail, post) = MailDoors::open(&settings, &mailroom, &spool, covers.clone()).await?;
        let doors = Arc::new(Doors {
            engine: engine.clone(),
            hot_folders: Mutex::new(hot_folders(&settings, &reception, &spool)),
            scan_folders: Mutex::new(scan_folders(&settings, &foundation, &reception, &spool)),
            links: Mutex::new(link_keepers(&settings, &foundation, &public_url)?),
            tellers: tellers(&settings)?,
            mail: Mutex::new(mail),
        });
        let diagnosis = diagnosis(&settings, &foundation, people.clone(), rules, &public_url)?;
        let dms_accounts = dms_accounts::accounts(&settings, &foundation, people.clone());
        let app = App {
            store: store.clone(),
            spool: spool.clone(),
            reception: reception.clone(),
            mailroom: mailroom.clone(),
            resumable: uploads.clone(),
            data: data_tables(&settings, loads.clone()),
            bulk: bulks.clone(),
            letters: Arc::new(LetterEyes(settings.mail.reader())),
            outlook: settings.outlook.web(),
            post,
            control: doors.clone(),
            places,
            send_to: send_to.clone(),
            frames: settings.send_to.frames(),
            sheets: Arc::new(sheets),
            previews: Arc::new(PreviewDesk::new(spool.clone(), settings.mail.reader().limits)),
            lists: foundation.lists.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens: Arc::new(token_table(&settings)),
            identity: Identity {
                people: people.clone(),
                accounts: Some(dms_accounts.clone()),
                keys: Some(keys.clone()),
                diagnosis: Some(Arc::new(diagnosis)),
                home: settings::main_site(),
            },
            policy: settings.retry.clone(),
            sources: sources(&settings)?,
            destination_kinds: destination_kinds(&settings),
            limits: limits(&settings.limits),
            frame_hosts: settings.server.frame_hosts.clone(),
            name: "Postroom".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            metrics: metrics()?,
        };
        let grace = Duration::from_secs(settings.server.grace_seconds);
        let options = ServeOptions { workers: settings.server.workers, grace, ..ServeOptions::default() };
        let local = serve_local(app.clone(), &settings.socket(), &options)?;
        let server = postroom_web::serve(app, listener, &options).context("cannot start the HTTP server")?;
        let url = format!("http://{}", server.address());
        tracing::info!(server.url = %url, "Postroom is ready.");
        let grace_of_blobs = Duration::from_secs(settings.limits.sweep_grace_hours * 3600);
        let keeping = housekeeping::run(
            store.clone(),
            spool.clone(),
            people.clone(),
            uploads,
            send_to,
            engine.clone(),
            grace_of_blobs,
        );
        let (register, sets) = (mailroom.clone(), bulks::sweep(reception.clone()));
        let housekeeping = tokio::spawn(async move {
            // Behind the start: a house has a hundred thousand of them, and all but the first time none is missing.
            match register.enter_all().await {
                Ok(0) => {}
                Ok(entered) => {
                    tracing::info!(work_items = entered, "Work items from before have luggage tags now.");
                }
                Err(error) => tracing::warn!(%error, "Work items from before have no luggage tags yet."),
            }
            tokio::join!(keeping, sets);
        });
        let links = look_after_links(keeper.clone());
        let caretaker = Caretaker::start(&dms_accounts, &news, clock);
        let store = store.clone();
        Ok(Self {
            url,
            grace,
            store,
            spool,
            reception,
            #[cfg(feature = "demo")]
            mailroom,
            people,
            engine,
            server,
            local,
            doors,
            keys,
            links,
            caretaker,
            loads,
            bulks,
            housekeeping,
        })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where rows are kept.
    #[cfg(feature = "demo")]
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Where bytes are kept.
    #[cfg(feature = "demo")]
    pub(crate) fn spool(&self) -> Arc<dyn Spool> {
        self.spool.clone()
    }

    /// Persons, and how they come in.
    #[cfg(feature = "demo")]
    pub(crate) fn people(&self) -> Arc<People> {
        self.people.clone()
    }

    /// Where arrivals are handed in.
    #[cfg(feature = "demo")]
    pub(crate) fn reception(&self) -> Arc<Reception> {
        self.reception.clone()
    }

    /// Where work items have their tags.
    #[cfg(feature = "demo")]
    pub(crate) fn mailroom(&self) -> Arc<Mailroom> {
        self.mailroom.clone()
    }

    /// Where letters are delivered.
    #[cfg(feature = "demo")]
    pub(crate) fn smtp(&self) -> Option<std::net::SocketAddr> {
        self.doors.mail.lock().unwrap_or_else(PoisonError::into_inner).smtp()
    }

    /// Runs until a stop is wanted or the store or spool fails; then stops everything. A failure exits with another status, for
    /// the supervisor.
    pub(crate) async fn until_stopped(
        mut self,
        wanted: impl Future<Output = &'static str>,
    ) -> anyhow::Result<ExitCode> {
        let failure = tokio::select! {
            signal = wanted => {
                tracing::info!(signal, "Stopping: no new work is begun, what is under way may end.");
                None
            }
            failure = self.engine.fatal() => Some(failure),
            failure = watch_disk(self.store.clone(), self.spool.clone()) => Some(failure),
            ended = self.server.ended() => Some(match ended {
                Ok(()) => "the HTTP server ended by itself".to_owned(),
                Err(error) => format!("the HTTP server ended: {error}"),
            }),
        };
        if let Some(failure) = &failure {
            tracing::error!(failure, "Stopping: nothing more can be promised on this disk.");
        }
        self.stop().await;
        match failure {
            None => Ok(ExitCode::SUCCESS),
            Some(failure) => {
                let _told = crate::commands::complain(&anyhow!(
                    "{failure}\nhint: check the disk; start again, and what was accepted goes on where it was"
                ));
                Ok(ExitCode::from(EXIT_FAIL_STOP))
            }
        }
    }

    /// Doors first, then the engine, then the store.
    async fn stop(self) {
        self.housekeeping.abort();
        for folder in self.doors.take_hot_folders() {
            folder.stop().await;
        }
        for folder in self.doors.take_scan_folders() {
            folder.stop().await;
        }
        for keeper in self.doors.take_link_keepers() {
            keeper.stop().await;
        }
        let mail = self.doors.take_mail();
        mail.stop(self.grace).await;
        for server in [self.server, self.local] {
            if let Err(error) = server.stop().await {
                tracing::warn!(%error, "The HTTP server did not stop cleanly.");
            }
        }
        self.loads.stop(self.grace).await;
        self.bulks.stop(self.grace).await;
        self.caretaker.stop(self.grace).await;
        self.engine.stop(self.grace).await;
        // Nobody asks for tokens any more; what is being sealed anew goes on at the next start.
        self.keys.stop().await;
        // Nobody may be left who looks after links; then there is nobody to tell.
        let _ = self.links.stop.send(());
        let _ended = self.links.done.await;
        let farewell = NewEvent {
            at: self.reception.clock.now(),
            site: None,
            subject: Subject::System,
            happening: Happening::Stopped,
            actor: Actor::person("postroom"),
            note: String::new(),
        };
        if let Err(error) = self.store.record(farewell).await {
            tracing::warn!(%error, "The stop could not be recorded.");
        }
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "The store did not close cleanly; the next start repairs it.");
        }
        tracing::info!("Stopped.");
    }
}

/// Everything that other rooms may know of what runs: the engine's destinations, and the sources.
struct Doors {
    engine: Arc<EngineHandle>,
    hot_folders: Mutex<Vec<HotFolderHandle>>,
    scan_folders: Mutex<Vec<ScanFolderHandle>>,
    links: Mutex<Vec<LinkKeeperHandle>>,
    /// Destinations that may tell of news.
    tellers: Vec<Teller>,
    mail: Mutex<MailDoors>,
}

impl Doors {
    fn take_hot_folders(&self) -> Vec<HotFolderHandle> {
        std::mem::take(&mut *self.hot_folders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Doors {
    fn take_scan_folders(&self) -> Vec<ScanFolderHandle> {
        std::mem::take(&mut *self.scan_folders.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_link_keepers(&self) -> Vec<LinkKeeperHandle> {
        std::mem::take(&mut *self.links.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_mail(&self) -> MailDoors {
        std::mem::take(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Looks for Doors {
    fn look(&self, at: LookAt) -> Fut<'_, Option<Look>> {
        self.engine.look(at)
    }
}

impl Control for Doors {
    fn destinations(&self) -> Vec<DestinationStatus> {
        self.engine.destinations()
    }

    fn sources(&self) -> Vec<SourceStatus> {
        let folders = self.hot_folders.lock().unwrap_or_else(PoisonError::into_inner);
        let folders = folders.iter().map(|folder| source_status(folder.source(), &folder.status()));
        let mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        let scans = self.scan_folders.lock().unwrap_or_else(PoisonError::into_inner);
        let scans = scans.iter().map(ScanFolderHandle::source_status);
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let links = links.iter().map(LinkKeeperHandle::source_status);
        let all: Vec<SourceStatus> = folders.chain(scans).chain(links).chain(mail.sources()).collect();
        match mail.unscreened() {
            Some(why) => unscreened(all, &why),
            None => all,
        }
    }

    fn wake(&self) {
        self.engine.wake();
    }

    fn mail_notice(&self, notice: &MailNotice) -> bool {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).notice(notice)
    }

    fn teller_of_news(&self, token: &SecretString) -> Option<ServiceName> {
        self.tellers.iter().find(|it| it.has(token)).map(|it| it.service.clone())
    }

    fn news(&self, service: &ServiceName, sites: &[String]) {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        for keeper in links.iter().filter(|it| it.service() == service) {
            if sites.is_empty() {
                keeper.wake(None);
            }
            for site in sites {
                keeper.wake(Some(site));
            }
        }
        let folders = self.scan_folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.iter().filter(|it| it.service() == service).for_each(ScanFolderHandle::wake);
    }
}

/// That the malware scanner does not answer stands at every source, uploads included.
fn unscreened(mut all: Vec<SourceStatus>, why: &str) -> Vec<SourceStatus> {
    if let Ok(name) = UPLOAD.parse() {
        all.push(SourceStatus { name, reachable: true, note: String::new() });
    }
    for source in &mut all {
        let own = std::mem::take(&mut source.note);
        source.note = if own.is_empty() { why.to_owned() } else { format!("{why}; {own}") };
    }
    all
}

/// What an operator should read about a hot folder, the gravest thing first.
fn source_status(name: &SourceName, status: &HotFolderStatus) -> SourceStatus {
    let waiting = status.waiting.first().map(|file| {
        let others = match status.waiting_count {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!("\"{}\"{others} wait: {}", file.name, file.reason)
    });
    let set_aside =
        (status.refused > 0).then(|| format!("{} set aside in .postroom/refused", status.refused));
    let unwatched = status.unwatched.as_ref().map(|why| format!("not every change is told of: {why}"));
    let notes = [status.unreachable.clone(), status.refusing.clone(), set_aside, waiting, unwatched];
    SourceStatus {
        name: name.clone(),
        reachable: status.unreachable.is_none(),
        note: notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
    }
}

/// Returns when store or spool have failed.
async fn watch_disk(store: Arc<dyn Store>, spool: Arc<dyn Spool>) -> String {
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        if let Some(failure) = store.failed().or_else(|| spool.failed()) {
            return failure;
        }
    }
}

/// Tells the audit which settings changed since the last start, by their keys. What is remembered is written after that was told: a
/// kill in between tells it once more.
async fn remember(settings: &Settings, foundation: &Foundation) -> anyhow::Result<()> {
    let path = settings.data.dir.join(REMEMBERED);
    let now = settings.seen.remembered(foundation.seals.as_ref());
    let before: Option<Remembered> = match std::fs::read(&path) {
        // What cannot be read is told as if everything were new.
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    if let Some(before) = &before {
        let changed = Seen::changes(before, &now);
        let named = changed.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = changed.len().checked_sub(20).filter(|more| *more > 0);
        let note = named + &more.map(|more| format!(" and {more} more")).unwrap_or_default();
        let happening = Happening::Security { what: Security::SettingsChanged };
        let event = NewEvent {
            at: foundation.clock.now(),
            site: None,
            subject: Subject::System,
            happening,
            actor: Actor::person("postroom"),
            note,
        };
        foundation.store.record(event).await.context("the change of settings cannot be told in the audit")?;
    }
    write_aside(&path, &serde_json::to_vec(&now)?).with_context(|| format!("cannot write {}", path.display()))
}

fn write_aside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

/// What looks at everything that the settings name.
pub(crate) fn diagnosis(
    settings: &Settings,
    foundation: &Foundation,
    people: Arc<People>,
    rules: Arc<Rules>,
    public_url: &str,
) -> anyhow::Result<HouseDoctor> {
    Ok(HouseDoctor {
        dms_accounts: dms_accounts::accounts(settings, foundation, people.clone()),
        people,
        accounts: Arc::new(foundation.keeper.clone()),
        services: Doctor::new(
            foundation.services.clone(),
            foundation.keeper.clone(),
            foundation.store.clone(),
            foundation.clock.clone(),
            public_url.parse().context("server.public_url")?,
        ),
        connectors: foundation.connectors.clone(),
        lists: foundation.lists.clone(),
        rules,
        doors: Door::all(settings, foundation)?,
        links: link_columns(settings, foundation, public_url)?,
        scanner: ScannerDoor::of(settings)?,
        clock: foundation.clock.clone(),
    })
}

/// Persons, and how they come in; `registry` is where they are kept.
pub(crate) fn people(
    settings: &Settings,
    foundation: &Foundation,
    public_url: &str,
    registry: Arc<dyn Registry>,
) -> anyhow::Result<Arc<People>> {
    let services = &foundation.services;
    let hashes = PasswordHashes::new(HashCost::DEFAULT, foundation.chance.clone())?;
    let passwords: Arc<dyn Passwords> = Arc::new(hashes);
    Ok(Arc::new(People {
        store: registry,
        clock: foundation.clock.clone(),
        entropy: foundation.entropy.clone(),
        mint: foundation.mint.clone(),
        roles: settings.all_roles(),
        rules: settings.people.domain_rules.clone(),
        services: services.linked(),
        providers: services.providers().into_iter().map(|it| (it.service().clone(), it)).collect(),
        links: Arc::new(foundation.keeper.clone()),
        bearer: services.bearer_checks(),
        seals: foundation.seals.clone(),
        passwords,
        limits: settings.people.limits(),
        public_url: public_url.to_owned(),
    }))
}

fn look_after_links(keeper: postroom_outbound::TokenKeeper) -> Links {
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(async move {
        keeper
            .run(async {
                // An end of the sender is a stop, too.
                let _ = stopped.await;
            })
            .await;
    });
    Links { stop, done }
}

fn serve_local(app: App, socket: &Path, options: &ServeOptions) -> anyhow::Result<ServerHandle> {
    postroom_web::serve_local(app, socket, options).map_err(|error| {
        let hint =
            "hint: a socket's path has at most some 100 characters; name a shorter one with server.socket";
        anyhow!("cannot listen on the socket {}: {error}\n{hint}", socket.display())
    })
}

fn hot_folders(
    settings: &Settings,
    reception: &Arc<Reception>,
    spool: &Arc<dyn Spool>,
) -> Vec<HotFolderHandle> {
    let start = |it: &settings::HotFolderSettings| {
        let options = HotFolderOptions {
            source: it.name.clone(),
            site: it.site.clone(),
            path: it.path.clone(),
            settle: Duration::from_secs(it.settle_seconds),
            poll: Duration::from_millis(it.scan_millis),
            events: it.events,
            batches: it.batches,
            largest: settings.limits.largest_document_bytes,
        };
        HotFolder::new(options, reception.clone(), spool.clone()).start()
    };
    settings.hot_folders.iter().map(|it| start(it.get_ref())).collect()
}

fn scan_folders(
    settings: &Settings,
    foundation: &Foundation,
    reception: &Arc<Reception>,
    spool: &Arc<dyn Spool>,
) -> Vec<ScanFolderHandle> {
    let start = |it: &settings::ScanFolder| {
        let connector = foundation.connectors.iter().find(|connector| connector.name == it.service)?;
        let options = it.options(settings.limits.largest_document_bytes);
        Some(ScanFolder::new(options, connector.dms(), reception.clone(), spool.clone()).start())
    };
    settings.scan_folders.iter().filter_map(|it| start(it.get_ref())).collect()
}

/// What keeps links in lists of DMSs.
fn link_keepers(
    settings: &Settings,
    foundation: &Foundation,
    public_url: &str,
) -> anyhow::Result<Vec<LinkKeeperHandle>> {
    let (store, clock) = (&foundation.store, &foundation.clock);
    let start = |(options, columns): LinkLists| {
        let connector = foundation.connectors.iter().find(|connector| connector.name == options.service)?;
        Some(LinkKeeper::new(options, connector.dms(), columns, store.clone(), clock.clone()).start())
    };
    Ok(link_columns(settings, foundation, public_url)?.into_iter().filter_map(start).collect())
}

/// The links of the settings, each with its DMS.
fn link_columns(
    settings: &Settings,
    foundation: &Foundation,
    public_url: &str,
) -> anyhow::Result<Vec<LinkLists>> {
    let public: Url = public_url.parse().context("server.public_url")?;
    let find = |it: &settings::HighqLinks| {
        let connector = foundation.connectors.iter().find(|connector| connector.name == it.service)?;
        Some((it.options(&public), connector.link_columns()?))
    };
    Ok(settings.highq_links.iter().filter_map(|it| find(it.get_ref())).collect())
}

/// Who may tell of news.
fn tellers(settings: &Settings) -> anyhow::Result<Vec<Teller>> {
    let webhooks = settings.highq_webhooks.iter().map(toml::Spanned::get_ref);
    webhooks.map(|it| Ok(Teller::new(it.service.clone(), &it.token()?))).collect()
}

fn token_table(settings: &Settings) -> TokenTable {
    let roles = settings.all_roles();
    let token = |token: &settings::Token| {
        let digest = tokens::parse_digest(&token.sha256)?;
        let principal = Principal {
            name: token.name.clone(),
            person: None,
            roles: vec![token.role.clone()],
            permissions: roles.get(&token.role).unwrap_or(Permissions::NONE),
            sites: token.sites(),
            teams: Vec::new(),
        };
        Some((TokenHash::new(digest), principal))
    };
    settings.tokens.iter().filter_map(|it| token(it.get_ref())).collect()
}

fn sources(settings: &Settings) -> anyhow::Result<Vec<Source>> {
    let upload = Source { name: UPLOAD.parse()?, kind: "upload".to_owned(), uploads: true };
    let folder = |name| Source { name, kind: "hot folder".to_owned(), uploads: false };
    let folders = settings.hot_folders.iter().map(|it| folder(it.get_ref().name.clone()));
    let scans = |name| Source { name, kind: "scan folder".to_owned(), uploads: false };
    let scans = settings.scan_folders.iter().map(|it| scans(it.get_ref().name.clone()));
    let links = |name| Source { name, kind: "link column".to_owned(), uploads: false };
    let links = settings.highq_links.iter().map(|it| links(it.get_ref().name.clone()));
    let mailbox = |name| Source { name, kind: "mailbox".to_owned(), uploads: false };
    let mailboxes = settings.smtp.iter().flat_map(|smtp| &smtp.mailboxes);
    let mailboxes = mailboxes.map(|it| it.get_ref().name.clone());
    let mailboxes = mailboxes.chain(settings.imap.iter().map(|it| it.get_ref().name.clone()));
    let mailboxes = mailboxes.chain(settings.graph.iter().map(|it| it.get_ref().name.clone())).map(mailbox);
    let send_to = settings.vendors().into_keys().next().map(|_| postroom_domain::send_to::SOURCE.parse());
    let send_to =
        send_to.transpose()?.map(|name| Source { name, kind: "send to".to_owned(), uploads: false });
    let outlook =
        Source { name: settings.outlook.name.clone(), kind: "mail programs".to_owned(), uploads: false };
    let own = [upload, outlook].into_iter().chain(send_to);
    Ok(own.chain(folders).chain(scans).chain(links).chain(mailboxes).collect())
}

fn destination_kinds(settings: &Settings) -> BTreeMap<ServiceName, String> {
    let destinations = settings.destinations.iter().map(toml::Spanned::get_ref);
    destinations.map(|it| (it.name.clone(), it.kind.as_str().to_owned())).collect()
}

fn limits(limits: &settings::Limits) -> postroom_web::Limits {
    postroom_web::Limits {
        document: limits.largest_document_bytes,
        request: limits.largest_document_bytes.saturating_mul(2),
        documents: limits.documents_per_intake,
        body_idle: Duration::from_secs(limits.upload_idle_seconds),
        ..postroom_web::Limits::default()
    }
}

fn data_tables(settings: &Settings, loads: Arc<LoadsHandle>) -> DataTables {
    let mappings = settings.data_uploads.iter().map(|it| it.get_ref().clone()).collect();
    DataTables { tables: Arc::new(FileTables), loads, mappings }
}

fn upload_limits(limits: &settings::Limits) -> UploadLimits {
    UploadLimits {
        document: limits.largest_document_bytes,
        each: limits.unfinished_uploads,
        each_bytes: limits.unfinished_bytes,
        life: Duration::from_secs(limits.unfinished_hours.saturating_mul(3600)),
    }
}

/// The process's metrics; a second house in one process (tests) shares the first one's.
fn metrics() -> anyhow::Result<postroom_web::RenderMetrics> {
    let handle = PrometheusBuilder::new().install_recorder().context("cannot start the metrics")?;
    Ok(Arc::new(move || handle.render()))
}
