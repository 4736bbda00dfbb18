//! How a figure is told.

use std::io::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::Scale;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

/// Prints a figure: its value, what was measured for it, the aim and whether it was met.
pub(crate) fn tell(
    scale: Scale,
    figure: &str,
    value: f64,
    unit: &str,
    aim: Aim,
    measured: &serde_json::Value,
) {
    let (aim, met) = match aim {
        Aim::AtLeast(aim) => (format!("≥ {aim}"), value >= aim),
        Aim::AtMost(aim) => (format!("≤ {aim}"), value <= aim),
    };
    let value = (value * 1000.0).round() / 1000.0;
    let line = json!({
        "figure": figure, "value": value, "unit": unit, "aim": aim, "met": met, "measured": measured, "quick": scale.quick,
    });
    say(&line.to_string());
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be left who reads; the measuring goes on for the log's sake.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// Tells what is wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "bench: {text}");
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that 99 of 100 do not exceed, in milliseconds.
pub(crate) fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort();
    let place = (times.len() * 99 / 100).min(times.len().saturating_sub(1));
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

/// A rate.
#[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// MiB.
#[expect(clippy::cast_precision_loss, reason = "a memory figure for people")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
