//! Starting and stopping an OAuth simulator.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web;

use super::control::Control;
use super::core::{Core, Serve, Vendor};
use super::dispatch;
use super::options::Options;
use super::secrets::Secret;
use super::threads::Threads;

/// A running simulator; dropping it stops the server.
#[derive(Debug)]
pub struct SimHandle<V: Vendor> {
    control: Control<V>,
    threads: Threads,
    url: String,
    control_url: String,
    release: fn(&Core<V>),
}

/// Bind 127.0.0.1 and serve on threads of its own; works with or without a runtime around it.
pub(crate) fn start<V: Serve>(options: Options<V>) -> io::Result<SimHandle<V>> {
    let listener = TcpListener::bind(("127.0.0.1", options.port))?;
    let own = format!("http://{}", listener.local_addr()?);
    let workers = options.workers;
    let core = Arc::new(Core::new(options, own.clone()));
    let url = format!("{}{}", core.base, V::ROOT);
    let data = web::Data::from(Arc::clone(&core));
    let threads = Threads::start(V::NAME, listener, workers, move |app| {
        app.app_data(data.clone()).default_service(web::to(dispatch::handle::<V>));
    })?;
    let control_url = format!("{own}/_control");
    Ok(SimHandle { control: Control { core }, threads, url, control_url, release: Core::release })
}

impl<V: Vendor> SimHandle<V> {
    /// Base URL, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Base URL of the control routes.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.threads.address().port()
    }

    /// The state, in process.
    pub fn control(&self) -> Control<V> {
        self.control.clone()
    }

    /// Stop and wait for the threads; open connections are cut.
    pub fn stop(mut self) {
        self.end();
    }

    /// Wait until the server ends by itself.
    pub fn wait(mut self) -> io::Result<()> {
        self.threads.wait()
    }

    fn end(&mut self) {
        let Self { control, threads, release, .. } = self;
        threads.stop(|| release(&control.core));
    }
}

#[expect(private_bounds, reason = "only this crate makes simulators")]
impl<V: Serve> SimHandle<V> {
    /// Every code, token and client secret there ever was.
    pub fn secrets(&self) -> Vec<Secret> {
        self.control.secrets()
    }
}

impl<V: Vendor> Drop for SimHandle<V> {
    fn drop(&mut self) {
        self.end();
    }
}
