//! What can be set about the engine, with its defaults.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::dms::Dms;
use postroom_domain::ids::ServiceName;

/// One destination: a configured connection to a DMS, and how it is treated.
#[derive(Clone)]
pub struct Destination {
    /// Its name, by which filings are addressed to it.
    pub name: ServiceName,
    /// The connector.
    pub dms: Arc<dyn Dms>,
    /// How it is treated.
    pub settings: DestinationSettings,
}

/// How a destination is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationSettings {
    /// How many filings may be sent or checked at once. At least 1. Default 4.
    pub concurrency: usize,
    /// How many filings are claimed before a slot is free for them, so that the way to the DMS never runs dry while the
    /// store writes. After a crash these are asked about although nothing was sent. Default: as many as go through while
    /// one claim is written, as measured, at most 64; none where the DMS cannot be asked for marks.
    pub claim_ahead: Option<usize>,
    /// After how long without progress an attempt is warned about. Default 1 minute.
    pub warn_after: Duration,
    /// After how long without progress an attempt is given up. Default 2 minutes.
    pub idle_timeout: Duration,
    /// How long an attempt may take besides the time its size allows. Default 10 minutes.
    pub attempt_base: Duration,
    /// The slowest pace at which a document may leave before its attempt is given up, in bytes per second. Default 100 KiB.
    pub slowest_pace: u64,
    /// How long the DMS's search may be late with a new document. Default: as the connector states.
    pub probe_lag: Option<Duration>,
    /// When its breaker opens and how it closes again.
    pub breaker: BreakerSettings,
}

impl Default for DestinationSettings {
    fn default() -> Self {
        Self {
            concurrency: 4,
            claim_ahead: None,
            warn_after: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(2),
            attempt_base: Duration::from_mins(10),
            slowest_pace: 100 * 1024,
            probe_lag: None,
            breaker: BreakerSettings::default(),
        }
    }
}

impl DestinationSettings {
    /// The longest that an attempt with so many bytes may take.
    pub(crate) fn attempt_limit(&self, size: u64) -> Duration {
        self.attempt_base + Duration::from_secs(size / self.slowest_pace.max(1))
    }
}

/// When a breaker opens and how it closes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row, over at least two filings, that open it. Default 5.
    pub failures: u32,
    /// The first pause before one filing is tried. It doubles with every further failure. Default 30 seconds.
    pub first_pause: Duration,
    /// The longest pause. Default 10 minutes.
    pub longest_pause: Duration,
    /// The pause after a cause that a person has to mend (certificate, sign-in, settings). Default 5 minutes.
    pub retest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            first_pause: Duration::from_secs(30),
            longest_pause: Duration::from_mins(10),
            retest: Duration::from_mins(5),
        }
    }
}

/// What can be set about the engine as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// The longest sleep: due times are looked at again at least this often, because the time of day jumps. Default 30
    /// seconds.
    pub poll: Duration,
    /// The least time between two looks at the queues while there is news all the time. Default 50 milliseconds.
    pub refresh: Duration,
    /// How long a resolved target is remembered. Default 60 seconds.
    pub target_memory: Duration,
    /// How many resolved targets are remembered per destination. Default 10,000.
    pub targets_remembered: usize,
    /// How long running uploads may go on after the store or the spool failed. Default 30 seconds.
    pub last_words: Duration,
    /// A jump of the time of day further ahead than this is met with a slow start. Default 10 minutes.
    pub jump: Duration,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(30),
            refresh: Duration::from_millis(50),
            target_memory: Duration::from_mins(1),
            targets_remembered: 10_000,
            last_words: Duration::from_secs(30),
            jump: Duration::from_mins(10),
        }
    }
}
