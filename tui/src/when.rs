//! Times, as people read them: how long ago, or the local time of day.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Times {
    /// `3 m`, `2 h`.
    #[default]
    Relative,
    /// `Mon 09:12`, with the zone in the header.
    Absolute,
}

/// A length of time in at most four columns and one unit: `5 s`, `12 m`, `3 h`, `4 d`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} m", seconds / 60),
        3600..=86_399 => format!("{} h", seconds / 3600),
        86_400..=863_999 => format!("{} d", seconds / 86_400),
        _ => format!("{}d", (seconds / 86_400).min(9999)),
    }
}

/// Whole seconds from `since` to `now`; zero when it lies ahead.
pub(crate) fn seconds_between(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(since).as_secs()).unwrap_or(0)
}

/// How long ago, or when.
pub(crate) fn ago(at: Timestamp, now: Timestamp, times: Times, zone: &TimeZone) -> String {
    match times {
        Times::Relative => span(seconds_between(at, now)),
        Times::Absolute => clock(at, now, zone),
    }
}

/// In how long, or when; `now` when it is due.
pub(crate) fn ahead(at: Timestamp, now: Timestamp, times: Times, zone: &TimeZone) -> String {
    match (times, seconds_between(now, at)) {
        (_, 0) => "now".to_owned(),
        (Times::Relative, seconds) => format!("in {}", span(seconds)),
        (Times::Absolute, _) => clock(at, now, zone),
    }
}

/// The local time: today `09:12`, this week `Mon 09:12`, else the date.
pub(crate) fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    if local.date() == today.date() {
        local.strftime("%H:%M").to_string()
    } else if seconds_between(at, now) < 6 * 86_400 && at <= now {
        local.strftime("%a %H:%M").to_string()
    } else {
        local.strftime("%Y-%m-%d").to_string()
    }
}

/// The local time in full, with weekday and seconds.
pub(crate) fn full(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The local time of day with seconds, and the date when it is another day.
pub(crate) fn seconds(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = if local.date() == today.date() { "%H:%M:%S" } else { "%m-%d %H:%M:%S" };
    local.strftime(form).to_string()
}

/// A length of time as people write it: `30m`, `2h`, `1d 12h`; the end of it from `now` on. A day has 24 hours.
pub(crate) fn until(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let length = |text: &str| {
        let span: jiff::Span = text.trim().parse().ok()?;
        span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .ok()
            .filter(jiff::SignedDuration::is_positive)
    };
    length(text)
        .and_then(|length| now.checked_add(length).ok())
        .ok_or_else(|| format!("\"{text}\" is no length of time such as 30m, 2h or 1d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (text, end) in [
            ("30m", "2026-11-23T09:30:00Z"),
            ("2h", "2026-11-23T11:00:00Z"),
            ("1d 12h", "2026-11-24T21:00:00Z"),
        ] {
            assert_eq!(until(text, now), Ok(end.parse().unwrap()), "{text}");
        }
        for text in ["", "2", "h", "0h", "2x", "-1h", "999999999999999999h"] {
            assert!(until(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn times_read_well_in_both_ways() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (at, relative, absolute) in [
            ("2026-11-23T08:59:58Z", "2 s", "09:59"),
            ("2026-11-23T08:30:00Z", "30 m", "09:30"),
            ("2026-11-22T23:30:00Z", "9 h", "00:30"),
            ("2026-11-22T22:30:00Z", "10 h", "Sun 23:30"),
            ("2026-11-13T08:00:00Z", "10d", "2026-11-13"),
            ("2026-11-23T09:00:05Z", "0 s", "10:00"),
        ] {
            let at = at.parse().unwrap();
            assert_eq!(ago(at, now, Times::Relative, &zone), relative);
            assert_eq!(ago(at, now, Times::Absolute, &zone), absolute);
        }
        let soon = "2026-11-23T09:00:45Z".parse().unwrap();
        assert_eq!(ahead(soon, now, Times::Relative, &zone), "in 45 s");
        assert_eq!(ahead(now, now, Times::Relative, &zone), "now");
        assert_eq!(full(now, &zone), "Mon 2026-11-23 10:00:00 +01");
    }
}
