//! The threads of a server: bound, started, stopped.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};

use super::conn;

/// A running server.
#[derive(Debug)]
pub(crate) struct Threads {
    address: SocketAddr,
    server: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Threads {
    /// Serve on threads of its own; works with or without a runtime around it.
    pub(crate) fn start(
        name: &str,
        listener: TcpListener,
        workers: usize,
        configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let workers = workers.max(1);
        let (ready, started) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || actix_web::rt::System::new().block_on(run(listener, workers, configure, ready)))?;
        let server = started.recv().map_err(|_| io::Error::other("the server did not start"))??;
        Ok(Self { address, server, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stop and wait for the threads; open connections are cut. `release` lets go what hangs. Does nothing the
    /// second time.
    pub(crate) fn stop(&mut self, release: impl FnOnce()) {
        if let Some(thread) = self.thread.take() {
            release();
            // the command is sent at once; the future only waits for its completion
            drop(self.server.stop(false));
            let _ = thread.join();
        }
    }

    /// Wait until the server ends by itself.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(io::Error::other("the server panicked")),
            None => Ok(()),
        }
    }
}

async fn run(
    listener: TcpListener,
    workers: usize,
    configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ready: mpsc::Sender<io::Result<ServerHandle>>,
) -> io::Result<()> {
    let server = HttpServer::new(move || App::new().configure(configure.clone()))
        .workers(workers)
        .backlog(4096)
        .keep_alive(Duration::from_secs(75))
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::ZERO)
        .disable_signals()
        .on_connect(conn::on_connect)
        .listen(listener);
    match server {
        Err(error) => {
            let _ = ready.send(Err(error));
            Ok(())
        }
        Ok(server) => {
            let running = server.run();
            // nobody waits any more if `start` gave up
            let _ = ready.send(Ok(running.handle()));
            running.await
        }
    }
}
