//! The listening server: its threads, its time-outs, and how it stops.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use utoipa_actix_web::AppExt;

use crate::app::{App, Shared};
use crate::auth::LocalDoor;
use crate::auth::guesses::{self, Guesses};
use crate::events::Listeners;
use crate::{pages, request, routes};

/// How the server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Worker threads.
    pub workers: usize,
    /// How long requests under way may go on when it stops.
    pub grace: Duration,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long a client may take for the head of a request.
    pub head: Duration,
    /// Connections per worker at once; more wait in the listening socket.
    pub connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            workers: 2,
            grace: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            head: Duration::from_secs(10),
            connections: 4096,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct ServerHandle {
    address: Option<SocketAddr>,
    /// The socket in the data folder, where it listens there.
    socket: Option<PathBuf>,
    server: actix_web::dev::ServerHandle,
    stopping: watch::Sender<bool>,
    done: JoinHandle<io::Result<()>>,
}

impl ServerHandle {
    /// Where it listens; `0.0.0.0:0` for a socket in a folder.
    pub fn address(&self) -> SocketAddr {
        self.address.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    /// Stops: no new connections, followers of events are sent away, requests under way end or are cut off after the grace.
    pub async fn stop(self) -> io::Result<()> {
        // Nobody may be left who listens; then there is nobody to send away.
        let _ = self.stopping.send(true);
        self.server.stop(true).await;
        if let Some(socket) = &self.socket {
            // Who looks for a server there is told at once that there is none.
            let _gone = std::fs::remove_file(socket);
        }
        self.done.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Cuts everything off at once. What was acknowledged is durable all the same.
    pub async fn abort(self) {
        let _ = self.stopping.send(true);
        self.server.stop(false).await;
    }

    /// Returns when the server has ended although nobody stopped it.
    pub async fn ended(&mut self) -> io::Result<()> {
        (&mut self.done).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// Serves `app` on a listening socket. Must be called within a tokio runtime; the requests run on threads of their own.
/// Signals are left to the caller.
pub fn serve(app: App, listener: TcpListener, options: &ServeOptions) -> io::Result<ServerHandle> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let (stopping, stops) = watch::channel(false);
    let shared = shared(app, stops)?;
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(shared.clone())
            .into_utoipa_app()
            .map(|app| app.wrap(from_fn(request::around)))
            .configure(routes::configure)
            .into_app()
            .configure(pages::configure)
            .default_service(web::route().to(routes::nothing_here))
    })
    .workers(options.workers)
    .max_connections(options.connections)
    .backlog(1024)
    .keep_alive(options.keep_alive)
    .client_request_timeout(options.head)
    .client_disconnect_timeout(Duration::from_secs(2))
    .tcp_nodelay(true)
    .shutdown_timeout(options.grace.as_secs().max(1))
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    Ok(ServerHandle {
        address: Some(address),
        socket: None,
        server: handle,
        stopping,
        done: tokio::spawn(server),
    })
}

/// Serves the same on a Unix socket, where every caller without a token is the local administrator: only who may open the socket
/// comes in, so it stands in the data folder and lets nobody else in. A socket that a killed process left behind is replaced; that
/// no living one listens on it, the caller knows by the data folder's lock.
#[cfg(unix)]
pub fn serve_local(app: App, path: &Path, options: &ServeOptions) -> io::Result<ServerHandle> {
    let listener = listen_privately(path)?;
    let (stopping, stops) = watch::channel(false);
    let shared = shared(app, stops)?;
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(shared.clone())
            // Told by the listener, not by the request: no other server has this.
            .app_data(LocalDoor)
            .into_utoipa_app()
            .map(|app| app.wrap(from_fn(request::around)))
            .configure(routes::configure)
            .into_app()
            .default_service(web::route().to(routes::nothing_here))
    })
    .workers(1)
    .max_connections(64)
    .keep_alive(options.keep_alive)
    .client_request_timeout(options.head)
    .client_disconnect_timeout(Duration::from_secs(2))
    .shutdown_timeout(options.grace.as_secs().max(1))
    .disable_signals()
    .listen_uds(listener)?
    .run();
    let handle = server.handle();
    Ok(ServerHandle {
        address: None,
        socket: Some(path.to_owned()),
        server: handle,
        stopping,
        done: tokio::spawn(server),
    })
}

/// A socket that is at no moment open to others: it is made under another name in a folder of its own that only the owner enters,
/// narrowed, and then moved to its place.
#[cfg(unix)]
fn listen_privately(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let aside = path.with_extension("aside");
    let _none_left = std::fs::remove_dir_all(&aside);
    std::fs::DirBuilder::new().mode(0o700).create(&aside)?;
    let made = aside.join("s");
    let listener = std::os::unix::net::UnixListener::bind(&made)?;
    std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&made, path)?;
    std::fs::remove_dir(&aside)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn shared(app: App, stopping: watch::Receiver<bool>) -> io::Result<web::Data<Shared>> {
    let document = routes::openapi(&app.version);
    let table = routes::Table::of(&document);
    let written = document.to_json().map_err(io::Error::other)?;
    Ok(web::Data::from(Arc::new(Shared {
        uploads: Semaphore::new(app.limits.uploads),
        beginning: tokio::sync::Mutex::default(),
        listeners: Arc::new(Listeners::new(app.limits.listeners, app.limits.listeners_each)),
        guesses: Guesses::new(guesses::TOKENS),
        tries: Guesses::new(guesses::SIGN_INS),
        stopping,
        open: AtomicUsize::new(0),
        proof: tokio::sync::Mutex::default(),
        ages: routes::ages::Counted::default(),
        openapi: written.into(),
        table,
        app,
    })))
}
