//! What the rest of the house may know of the running engine: how each destination is doing, and a nudge.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::ids::{ServiceName, SourceName};
use crate::mailbox::MailNotice;

/// Whether a destination takes documents at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "gate")]
pub enum Gate {
    /// It works.
    Open,
    /// It asked to slow down until then.
    Throttled {
        /// When it is met again.
        until: Timestamp,
    },
    /// Its breaker is open: nothing is sent but a probe at the time given.
    Closed {
        /// What opened the breaker.
        cause: Cause,
        /// Since when.
        since: Timestamp,
        /// When one filing is tried.
        retest: Timestamp,
    },
    /// One filing is being tried, or the number in flight is growing again.
    Recovering,
    /// A person stopped it.
    Paused,
}

/// How a destination is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// Which one.
    pub name: ServiceName,
    /// Whether it takes documents.
    #[serde(flatten)]
    pub gate: Gate,
    /// Filings being sent or checked right now.
    pub in_flight: usize,
    /// How many may be at once at this moment.
    pub limit: usize,
}

/// What a source has to say of itself: files that wait, a folder that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// Which one.
    pub name: SourceName,
    /// Whether documents can come in through it at this moment.
    pub reachable: bool,
    /// In plain words; empty when all is well.
    pub note: String,
}

/// The running engine and doors, as seen from other rooms.
pub trait Control: crate::resolve::Looks {
    /// Every configured destination.
    fn destinations(&self) -> Vec<DestinationStatus>;
    /// What the sources that have something to say, say.
    fn sources(&self) -> Vec<SourceStatus> {
        Vec::new()
    }
    /// Something changed that the engine should look at: a pause, a decision, an intake.
    fn wake(&self);
    /// A mail server says that something is new. Whether that was for a mailbox here; what nobody knows the secret of is nothing.
    fn mail_notice(&self, _notice: &MailNotice) -> bool {
        false
    }
    /// The destination whose news this token may tell of.
    fn teller_of_news(&self, _token: &SecretString) -> Option<ServiceName> {
        None
    }
    /// Something may be new in sites of a destination, by their ids; with none, anywhere in it. Nothing else is believed.
    fn news(&self, _service: &ServiceName, _sites: &[String]) {}
}
