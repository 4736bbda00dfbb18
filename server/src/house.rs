//! The house: introduces the rooms to each other, in the order in which they may start, and stops them in the reverse order.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::PrometheusBuilder;
use postroom_dms::folder::Folder;
use postroom_dms::imanage::Imanage;
use postroom_domain::control::{Control, DestinationStatus, SourceStatus};
use postroom_domain::dms::Dms;
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::ids::{IdMint, SourceName};
use postroom_domain::person::{Actor, Principal};
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use postroom_domain::store::Store;
use postroom_domain::time::{Clock, Entropy};
use postroom_engine::{Destination, DestinationSettings, Engine, EngineHandle, EngineOptions, EngineParts};
use postroom_inbound::{HotFolder, HotFolderHandle, HotFolderOptions, HotFolderStatus};
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_store::{OpenOptions, RedbStore};
use postroom_web::{App, ServeOptions, ServerHandle, Source, TokenHash, TokenTable};
use tokio::task::JoinHandle;

use crate::housekeeping;
use crate::settings::{self, DestinationKind, Settings};
use crate::signals;
use crate::system::{SystemClock, SystemEntropy};
use crate::tokens;

/// The exit status after the store or the spool failed: a supervisor starts the process again.
const EXIT_FAIL_STOP: u8 = 70;

/// The door for programs and people, as sources go.
const UPLOAD: &str = "upload";

/// A running Postroom.
pub(crate) struct House {
    url: String,
    grace: Duration,
    store: Arc<dyn Store>,
    spool: Arc<dyn Spool>,
    reception: Arc<Reception>,
    engine: Arc<EngineHandle>,
    server: ServerHandle,
    doors: Arc<Doors>,
    housekeeping: JoinHandle<()>,
}

impl House {
    /// Starts everything: store, spool, engine, then the doors. When it returns, the doors are open.
    pub(crate) async fn start(settings: Settings) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        signals::survive_size_limits();
        // Before anything is made on disk: settings that only a connector knows to be wrong.
        let destinations = destinations(&settings, &clock)?;
        let (store, spool) = open_data(&settings, &clock)?;
        // After the data, so that a second instance on the same folder is told of the first and not of its port.
        let listener = TcpListener::bind(&settings.server.listen)
            .with_context(|| format!("server.listen: cannot listen on {}", settings.server.listen))?;
        let mint = Arc::new(IdMint::after(store.greatest_id()));
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            mint,
            rules: Arc::new(settings.rules()),
        });
        let engine = Engine::start(EngineParts {
            store: store.clone(),
            spool: spool.clone(),
            destinations,
            clock: clock.clone(),
            entropy: entropy.clone(),
            policy: settings.retry.clone(),
            options: EngineOptions::default(),
        })
        .await
        .context("cannot start the engine")?;
        let engine = Arc::new(engine);
        let doors = Arc::new(Doors {
            engine: engine.clone(),
            hot_folders: Mutex::new(hot_folders(&settings, &reception, &spool)),
        });
        let app = App {
            store: store.clone(),
            spool: spool.clone(),
            reception: reception.clone(),
            control: doors.clone(),
            clock: clock.clone(),
            entropy,
            tokens: Arc::new(token_table(&settings)),
            policy: settings.retry.clone(),
            sources: sources(&settings)?,
            destination_kinds: destination_kinds(&settings),
            limits: limits(&settings.limits),
            name: "Postroom".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            metrics: metrics()?,
        };
        let grace = Duration::from_secs(settings.server.grace_seconds);
        let options = ServeOptions { workers: settings.server.workers, grace, ..ServeOptions::default() };
        let server = postroom_web::serve(app, listener, &options).context("cannot start the HTTP server")?;
        let url = format!("http://{}", server.address());
        tracing::info!(server.url = %url, "Postroom is ready.");
        let grace_of_blobs = Duration::from_secs(settings.limits.sweep_grace_hours * 3600);
        let housekeeping = tokio::spawn(housekeeping::run(store.clone(), spool.clone(), grace_of_blobs));
        Ok(Self { url, grace, store, spool, reception, engine, server, doors, housekeeping })
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

    /// Where arrivals are handed in.
    #[cfg(feature = "demo")]
    pub(crate) fn reception(&self) -> Arc<Reception> {
        self.reception.clone()
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
        if let Err(error) = self.server.stop().await {
            tracing::warn!(%error, "The HTTP server did not stop cleanly.");
        }
        self.engine.stop(self.grace).await;
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
}

impl Doors {
    fn take_hot_folders(&self) -> Vec<HotFolderHandle> {
        std::mem::take(&mut *self.hot_folders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Control for Doors {
    fn destinations(&self) -> Vec<DestinationStatus> {
        self.engine.destinations()
    }

    fn sources(&self) -> Vec<SourceStatus> {
        let folders = self.hot_folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.iter().map(|folder| source_status(folder.source(), &folder.status())).collect()
    }

    fn wake(&self) {
        self.engine.wake();
    }
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
    let notes = [status.unreachable.clone(), status.refusing.clone(), set_aside, waiting];
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

fn open_data(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Arc<dyn Store>, Arc<dyn Spool>)> {
    let dir = &settings.data.dir;
    std::fs::create_dir_all(dir)
        .with_context(|| format!("data.dir: cannot make the folder {}", dir.display()))?;
    let options = OpenOptions {
        cache_bytes: settings.data.cache_mib << 20,
        on_repair: Some(Box::new(|done| {
            tracing::info!(store.repair = done, "The store is repaired after an unclean end.");
        })),
        ..OpenOptions::default()
    };
    let (store, report) = RedbStore::open(&dir.join("store.redb"), options)?;
    tracing::info!(store.report = ?report, "The store is open.");
    let options = SpoolOptions {
        largest: settings.limits.largest_document_bytes,
        reserve_bytes: Some(settings.data.reserve_bytes).filter(|bytes| *bytes > 0),
        ..SpoolOptions::default()
    };
    let spool = FileSpool::open(dir, &options, clock.clone())?;
    Ok((Arc::new(store), Arc::new(spool)))
}

/// The connectors, as the settings have them.
pub(crate) fn destinations(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Vec<Destination>> {
    let connect = |it: &settings::Destination| -> anyhow::Result<Destination> {
        let dms: Arc<dyn Dms> = match (&it.folder, &it.imanage) {
            (Some(folder), _) => Arc::new(Folder::new(folder.clone())),
            (_, Some(imanage)) => Arc::new(
                Imanage::new(it.name.as_str(), imanage.clone(), clock.clone())
                    .with_context(|| format!("destinations \"{}\"", it.name))?,
            ),
            (None, None) => return Err(anyhow!("destinations \"{}\" has no section of its kind", it.name)),
        };
        let settings = DestinationSettings { concurrency: it.concurrency, ..DestinationSettings::default() };
        Ok(Destination { name: it.name.clone(), dms, settings })
    };
    settings.destinations.iter().map(|it| connect(it.get_ref())).collect()
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
            largest: settings.limits.largest_document_bytes,
        };
        HotFolder::new(options, reception.clone(), spool.clone()).start()
    };
    settings.hot_folders.iter().map(|it| start(it.get_ref())).collect()
}

fn token_table(settings: &Settings) -> TokenTable {
    let token = |token: &settings::Token| {
        let digest = tokens::parse_digest(&token.sha256)?;
        let principal = Principal { name: token.name.clone(), role: token.role, site: token.site.clone() };
        Some((TokenHash::new(digest), principal))
    };
    settings.tokens.iter().filter_map(|it| token(it.get_ref())).collect()
}

fn sources(settings: &Settings) -> anyhow::Result<Vec<Source>> {
    let upload = Source { name: UPLOAD.parse()?, kind: "upload".to_owned(), uploads: true };
    let folder = |name| Source { name, kind: "hot folder".to_owned(), uploads: false };
    let folders = settings.hot_folders.iter().map(|it| folder(it.get_ref().name.clone()));
    Ok(std::iter::once(upload).chain(folders).collect())
}

fn destination_kinds(settings: &Settings) -> BTreeMap<postroom_domain::ids::ServiceName, String> {
    let kind = |kind| match kind {
        DestinationKind::Folder => "folder",
        DestinationKind::Imanage => "imanage",
    };
    settings
        .destinations
        .iter()
        .map(|it| (it.get_ref().name.clone(), kind(it.get_ref().kind).to_owned()))
        .collect()
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

/// The process's metrics; a second house in one process (tests) shares the first one's.
fn metrics() -> anyhow::Result<postroom_web::RenderMetrics> {
    let handle = PrometheusBuilder::new().install_recorder().context("cannot start the metrics")?;
    Ok(Arc::new(move || handle.render()))
}
