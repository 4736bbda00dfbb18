//! Figures and log lines about what the engine does. Labels are names from the settings, never from documents.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use postroom_domain::cause::Cause;
use postroom_domain::filing::{Filing, State};
use postroom_domain::ids::ServiceName;

/// Names of the figures, with what they count.
pub mod names {
    /// Filings that came into the DMS, by `service`.
    pub const FILED: &str = "postroom_engine_filed_total";
    /// Attempts and questions that did not end well, by `service` and `cause`.
    pub const FAILED: &str = "postroom_engine_failures_total";
    /// Attempts to send, by `service`.
    pub const ATTEMPTS: &str = "postroom_engine_attempts_total";
    /// Questions for a mark, by `service`.
    pub const PROBES: &str = "postroom_engine_probes_total";
    /// Filings claimed, by `service`.
    pub const CLAIMED: &str = "postroom_engine_claimed_total";
    /// Bytes of documents sent, by `service`.
    pub const SENT_BYTES: &str = "postroom_engine_sent_bytes_total";
    /// How long an attempt took, in seconds, by `service`.
    pub const ATTEMPT_SECONDS: &str = "postroom_engine_attempt_seconds";
    /// Filings being sent or asked about, by `service`.
    pub const IN_FLIGHT: &str = "postroom_engine_in_flight";
    /// How many may be in flight, by `service`.
    pub const LIMIT: &str = "postroom_engine_limit";
    /// 1 while the breaker is open, by `service`.
    pub const BREAKER_OPEN: &str = "postroom_engine_breaker_open";
    /// How often a breaker opened, by `service` and `cause`.
    pub const BREAKER_OPENED: &str = "postroom_engine_breaker_opened_total";
    /// How often a destination asked to slow down, by `service`.
    pub const THROTTLED: &str = "postroom_engine_throttled_total";
}

pub(crate) fn claimed(service: &ServiceName, count: usize) {
    counter!(names::CLAIMED, "service" => service.to_string()).increment(count as u64);
}

pub(crate) fn attempt(service: &ServiceName, checking: bool, took: Duration, bytes: u64) {
    let service = service.to_string();
    if checking {
        counter!(names::PROBES, "service" => service).increment(1);
        return;
    }
    counter!(names::ATTEMPTS, "service" => service.clone()).increment(1);
    counter!(names::SENT_BYTES, "service" => service.clone()).increment(bytes);
    histogram!(names::ATTEMPT_SECONDS, "service" => service).record(took.as_secs_f64());
}

/// One line for every result that is durable.
pub(crate) fn outcome(service: &ServiceName, before: State, after: &Filing, took: Duration) {
    let progress = &after.progress;
    let took_millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if progress.state == State::Filed {
        counter!(names::FILED, "service" => service.to_string()).increment(1);
        let document = progress.receipt.as_ref().map_or("", |receipt| receipt.document.as_str());
        tracing::info!(
            filing.id = %after.id, service = %service, dms.document = document,
            attempt = progress.generation, took_millis, "Filed"
        );
        return;
    }
    let Some(trouble) = &progress.trouble else {
        tracing::info!(
            filing.id = %after.id, service = %service, from = %before, to = %progress.state,
            attempt = progress.generation, took_millis, "A filing moved on"
        );
        return;
    };
    counter!(names::FAILED, "service" => service.to_string(), "cause" => trouble.cause.name()).increment(1);
    tracing::warn!(
        filing.id = %after.id, service = %service, from = %before, to = %progress.state, cause = %trouble.cause,
        http.status = trouble.status, dms.request = trouble.request_id, due = progress.due.map(tracing::field::display),
        attempt = progress.generation, took_millis, detail = %trouble.detail, "A filing did not go through"
    );
}

pub(crate) fn breaker_opened(service: &ServiceName, cause: Cause) {
    counter!(names::BREAKER_OPENED, "service" => service.to_string(), "cause" => cause.name()).increment(1);
}

pub(crate) fn throttled(service: &ServiceName) {
    counter!(names::THROTTLED, "service" => service.to_string()).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and these are small numbers")]
pub(crate) fn desk(service: &ServiceName, in_flight: usize, limit: usize, open: bool) {
    gauge!(names::IN_FLIGHT, "service" => service.to_string()).set(in_flight as f64);
    gauge!(names::LIMIT, "service" => service.to_string()).set(limit as f64);
    gauge!(names::BREAKER_OPEN, "service" => service.to_string()).set(if open { 1.0 } else { 0.0 });
}
