//! The engine: claims filings that are due, files each in its DMS exactly once, and feeds what happened back to the filing
//! machine. It knows neither which store it has nor which DMS: both are traits of `postroom-domain`.
//!
//! ```text
//!  store ──news──► watcher ──snapshot──► desk (one per destination) ──► workers ──► DMS
//!    ▲                                    │ picker, breakers, ramp        │
//!    └────────── claims, releases ◄───────┘ ◄───── words ─────────────────┤
//!    └────────── results ◄────────────────────────────────────────────────┘
//! ```
//!
//! What holds, and where:
//! - an attempt's row is durable before its worker starts ([`claim`](mod@claim), then [`desk`](mod@desk) spawns);
//! - a result is compare-and-set on the version it was claimed with: a late one changes nothing ([`commit`](mod@commit));
//! - after a crash what ran is asked about before it is sent again ([`Engine::start`], [`worker`](mod@worker));
//! - picking reads a handful from the front of each queue, whatever stands behind ([`picker`](mod@picker));
//! - no transaction is open while a DMS is asked, and nothing here sleeps where it could wait for news.

#![expect(clippy::result_large_err, reason = "the error is the contract's, and only failures carry it")]

mod accounts;
mod breaker;
mod bulks;
mod claim;
mod commit;
mod contact;
mod desk;
mod fatal;
mod handle;
mod loads;
mod look;
mod options;
mod picker;
mod places;
mod ramp;
mod read_back;
mod release;
mod resolver;
mod send_to;
mod single_flight;
mod standing;
mod telemetry;
mod watcher;
mod worker;

pub use bulks::{BulkParts, BulksHandle};
pub use handle::{Engine, EngineHandle, EngineParts, StartError};
pub use loads::{LoadParts, LoadsHandle};
pub use options::{BreakerSettings, Destination, DestinationSettings, EngineOptions};
pub use places::DestinationPlaces;
pub use send_to::{SendToDesk, SendToParts};
pub use telemetry::names as metric_names;
