//! Section `[screening]`: whether what comes in is scanned for malware, and whether archives are opened.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use postroom_domain::screening::Mode;
use postroom_domain::spool::Spool;
use postroom_inbound::screen::{
    Address, ArchiveOptions, Clamd, ClamdOptions, Patience, Screener, WhenClosed,
};
use serde::Deserialize;

/// `[screening]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Screening {
    /// `off`; `on`: what cannot be scanned goes on, and its trace says so; `required`: it is set aside.
    pub(crate) mode: Mode,
    /// Where clamd listens: `unix:/run/clamav/clamd.ctl` or `tcp:127.0.0.1:3310`.
    pub(crate) clamd: String,
    /// The most bytes that it is sent of one document. Its own limits (`StreamMaxLength`, `MaxFileSize`, `MaxScanSize`) must not be below.
    pub(crate) largest_bytes: u64,
    /// Documents that it has at the same time.
    pub(crate) at_once: usize,
    /// How long a connection, or a word about itself, is waited for, in seconds.
    pub(crate) connect_seconds: u64,
    /// How long it may take nothing of a document, in seconds.
    pub(crate) idle_seconds: u64,
    /// How long its verdict is waited for, in seconds.
    pub(crate) answer_seconds: u64,
    /// How long one document may take in all, in seconds.
    pub(crate) total_seconds: u64,
    /// Signatures that are older than so many days are warned of.
    pub(crate) signatures_days: u64,
    /// What becomes of archives.
    pub(crate) archives: Archives,
}

/// `[screening.archives]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Archives {
    /// Whether they are looked into. What is filed is the archive itself in any case.
    pub(crate) open: bool,
    /// What becomes of one that cannot be looked into: encrypted, damaged, of another kind.
    pub(crate) when_closed: WhenClosed,
}

impl Default for Screening {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            clamd: "unix:/run/clamav/clamd.ctl".to_owned(),
            // What Debian sets clamd to.
            largest_bytes: 25_000_000,
            at_once: 4,
            connect_seconds: 5,
            idle_seconds: 30,
            answer_seconds: 180,
            total_seconds: 600,
            signatures_days: 7,
            archives: Archives::default(),
        }
    }
}

impl Screening {
    /// What is well-formed but wrong.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Err(error) = self.clamd.parse::<Address>() {
            wrong.push(format!("screening.clamd: {error}"));
        }
        let at_least_one = [
            ("largest_bytes", self.largest_bytes),
            ("connect_seconds", self.connect_seconds),
            ("idle_seconds", self.idle_seconds),
            ("answer_seconds", self.answer_seconds),
            ("signatures_days", self.signatures_days),
        ];
        for (key, value) in at_least_one {
            if value == 0 {
                wrong.push(format!("screening.{key}: 1 or more"));
            }
        }
        if !(1..=64).contains(&self.at_once) {
            wrong.push("screening.at_once: 1 to 64".to_owned());
        }
        if self.total_seconds < self.answer_seconds || self.total_seconds < self.idle_seconds {
            wrong.push("screening.total_seconds: not less than idle_seconds and answer_seconds".to_owned());
        }
        if self.largest_bytes > u64::from(u32::MAX) {
            // The length of a piece has 32 bits, and so have clamd's limits.
            wrong.push("screening.largest_bytes: clamd takes less than 4 GiB of one document".to_owned());
        }
        wrong
    }

    /// Whether everything is opened before its filings are planned.
    pub(crate) fn opens_all(&self) -> bool {
        self.mode != Mode::Off || self.archives.open
    }

    /// The scanner; none where nothing is scanned.
    pub(crate) fn scanner(&self) -> anyhow::Result<Option<Clamd>> {
        if self.mode == Mode::Off {
            return Ok(None);
        }
        let patience = Patience {
            connect: Duration::from_secs(self.connect_seconds),
            idle: Duration::from_secs(self.idle_seconds),
            answer: Duration::from_secs(self.answer_seconds),
            total: Duration::from_secs(self.total_seconds),
        };
        let address = self.clamd.parse().context("screening.clamd")?;
        let options = ClamdOptions { address, largest: self.largest_bytes, patience, at_once: self.at_once };
        Ok(Some(Clamd::new(options)))
    }

    /// Who screens what comes in; nobody where nothing is scanned.
    pub(crate) fn screener(&self, spool: &Arc<dyn Spool>) -> anyhow::Result<Option<Arc<Screener>>> {
        let scanner = self.scanner()?;
        Ok(scanner.map(|scanner| Arc::new(Screener::new(self.mode, Arc::new(scanner), spool.clone()))))
    }

    /// Whether archives are looked into, and how.
    pub(crate) fn archives(&self) -> Option<ArchiveOptions> {
        self.archives
            .open
            .then(|| ArchiveOptions { when_closed: self.archives.when_closed, ..ArchiveOptions::default() })
    }
}
