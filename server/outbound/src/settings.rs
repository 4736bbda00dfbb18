//! Settings of one destination's connection.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::pace::Rate;

/// How to reach a destination. All keys are optional; times are in seconds and may have fractions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Longest wait for a connection, name look-up and TLS included.
    pub connect_seconds: f64,
    /// Longest wait for an answer to begin once everything was sent.
    pub first_byte_seconds: f64,
    /// Longest pause while sending or receiving.
    pub idle_seconds: f64,
    /// Longest whole call, a document's bytes not counted.
    pub total_seconds: f64,
    /// What the whole call may take longer per document: its size at this rate, in bytes per second.
    pub slowest_bytes_per_second: u64,
    /// Most calls at once, of all accounts together; further ones wait. After the server said "too many" an account makes fewer.
    pub parallel: usize,
    /// Most calls of one account per second, on average; absent means as fast as the server answers. No vendor states a number for
    /// everybody, and a guess would slow firms whose server bears more, so nothing is set: what a server says is heeded anyway.
    pub per_second: Option<f64>,
    /// So many calls of one account may come together after a rest, where `per_second` is set; absent means those of one second.
    pub burst: Option<u32>,
    /// Longest wait before a call is sent: for the rate, for a free place, for the time that the server asked to wait. A longer one is
    /// not waited for but told. Shorter than the time after which an attempt that stands still is given up.
    pub longest_wait_seconds: f64,
    /// Largest answer that is read as a whole, in bytes. Downloads are streamed and not limited by it.
    pub largest_answer_bytes: usize,
    /// `none`, or a proxy's address. Without it the system's proxy settings count.
    pub proxy: Option<String>,
    /// The user at the proxy.
    pub proxy_user: Option<String>,
    /// The password at the proxy.
    pub proxy_password: Option<SecretString>,
    /// A file with further certificate authorities to trust, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Never HTTP/2, for servers or proxies whose HTTP/2 is broken.
    pub http1_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_seconds: 10.0,
            first_byte_seconds: 120.0,
            idle_seconds: 60.0,
            total_seconds: 300.0,
            slowest_bytes_per_second: 64 * 1024,
            parallel: 8,
            per_second: None,
            burst: None,
            longest_wait_seconds: 30.0,
            largest_answer_bytes: 4 * 1024 * 1024,
            proxy: None,
            proxy_user: None,
            proxy_password: None,
            ca_file: None,
            http1_only: false,
        }
    }
}

/// Why no client can be made from the settings. The text names the key.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A value is out of range.
    #[error("{key}: {value} {wanted}")]
    Value {
        /// The key in the settings.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        wanted: &'static str,
    },
    /// A file cannot be read or holds something else.
    #[error("{key}: {path}: {problem}")]
    File {
        /// The key in the settings.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The system gives no TLS or no certificates.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The settings' times, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Duration,
    pub(crate) rate: u64,
    pub(crate) answer: usize,
    pub(crate) wait: Duration,
    pub(crate) parallel: usize,
    pub(crate) pace: Option<Rate>,
}

impl Limits {
    /// How long a call with a document of `size` bytes may take.
    pub(crate) fn total(&self, size: u64) -> Duration {
        self.total + Duration::from_secs(size / self.rate)
    }
}

impl Settings {
    pub(crate) fn limits(&self) -> Result<Limits, SetupError> {
        let time = |key, seconds: f64| match Duration::try_from_secs_f64(seconds) {
            Ok(time) if !time.is_zero() && time <= Duration::from_hours(24) => Ok(time),
            _ => {
                let wanted = "is not a time between 0 seconds and a day";
                Err(SetupError::Value { key, value: seconds.to_string(), wanted })
            }
        };
        if self.parallel == 0 || self.parallel > 1000 {
            let wanted = "is not a number between 1 and 1000";
            return Err(SetupError::Value { key: "parallel", value: self.parallel.to_string(), wanted });
        }
        let total = time("total_seconds", self.total_seconds)?;
        Ok(Limits {
            connect: time("connect_seconds", self.connect_seconds)?,
            first_byte: time("first_byte_seconds", self.first_byte_seconds)?,
            idle: time("idle_seconds", self.idle_seconds)?,
            total,
            wait: time("longest_wait_seconds", self.longest_wait_seconds)?.min(total),
            parallel: self.parallel,
            pace: self.pace()?,
            rate: self.slowest_bytes_per_second.max(1),
            answer: self.largest_answer_bytes,
        })
    }

    /// The rate of one account, where one is set.
    fn pace(&self) -> Result<Option<Rate>, SetupError> {
        let Some(per_second) = self.per_second else {
            return match self.burst {
                Some(burst) => {
                    let wanted = "says nothing without per_second";
                    Err(SetupError::Value { key: "burst", value: burst.to_string(), wanted })
                }
                None => Ok(None),
            };
        };
        if !(0.01..=10_000.0).contains(&per_second) {
            let wanted = "is not a number between 0.01 and 10000";
            return Err(SetupError::Value { key: "per_second", value: per_second.to_string(), wanted });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 10000")]
        let usual = per_second.ceil() as u32;
        let Some(burst) = NonZeroU32::new(self.burst.unwrap_or(usual)) else {
            let wanted = "is not at least 1";
            return Err(SetupError::Value { key: "burst", value: "0".to_owned(), wanted });
        };
        Ok(Some(Rate { period: Duration::from_secs_f64(1.0 / per_second), burst }))
    }

    /// The client behind the settings.
    pub(crate) fn client(&self, base: &Url, limits: &Limits) -> Result<reqwest::Client, SetupError> {
        if !matches!(base.scheme(), "https" | "http") || base.host_str().is_none() {
            let wanted = "is not an https:// or http:// address";
            return Err(SetupError::Value { key: "base_url", value: base.scheme().to_owned(), wanted });
        }
        if !base.username().is_empty() || base.password().is_some() {
            let wanted = "carries a user or password, which would show in places where addresses are shown";
            return Err(SetupError::Value { key: "base_url", value: crate::Shown(base).to_string(), wanted });
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("postroom/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(limits.connect)
            // Shorter than usual keep-alives, so that a document is rarely sent into a connection that is being closed.
            .pool_idle_timeout(Duration::from_secs(20))
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true);
        if self.http1_only {
            builder = builder.http1_only();
        }
        match self.proxy.as_deref() {
            None => {}
            Some("none") => builder = builder.no_proxy(),
            Some(address) => builder = builder.proxy(self.proxy(address)?),
        }
        if let Some(path) = &self.ca_file {
            let problem = |problem: String| SetupError::File {
                key: "ca_file",
                path: path.display().to_string(),
                problem,
            };
            let pem = std::fs::read(path).map_err(|e| problem(e.to_string()))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| problem(e.to_string()))?;
            if certificates.is_empty() {
                return Err(problem("holds no certificate in PEM form".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        builder.build().map_err(|e| SetupError::Tls(crate::failure::chain(&e)))
    }

    fn proxy(&self, address: &str) -> Result<reqwest::Proxy, SetupError> {
        let wrong = |wanted| SetupError::Value { key: "proxy", value: "the address".to_owned(), wanted };
        let url: Url = address.parse().map_err(|_| wrong("is not an address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("carries a user or password; use proxy_user and proxy_password"));
        }
        let proxy = reqwest::Proxy::all(url).map_err(|_| wrong("is not a proxy's address"))?;
        Ok(match (&self.proxy_user, &self.proxy_password) {
            (Some(user), password) => {
                proxy.basic_auth(user, password.as_ref().map_or("", |p| p.expose_secret()))
            }
            (None, _) => proxy,
        })
    }
}
