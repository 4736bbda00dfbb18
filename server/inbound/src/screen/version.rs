//! What clamd says of itself: `ClamAV 1.4.3/27500/Thu Nov 26 09:23:14 2026`, the middle and the end only where the published signatures
//! are loaded.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The published signatures that a scanner has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    /// Their number, which grows every day.
    pub number: String,
    /// When they were made. The scanner tells its local time without saying of which zone; it is read as UTC, which is right to within a
    /// day.
    pub made: Timestamp,
}

impl Signatures {
    /// Reads them from what the scanner says of itself; none where it names none.
    pub fn of(version: &str) -> Option<Self> {
        let mut parts = version.split('/');
        let (_program, number, made) = (parts.next()?, parts.next()?, parts.next()?);
        let made = DateTime::strptime("%a %b %d %H:%M:%S %Y", made.trim()).ok()?;
        Some(Self { number: number.to_owned(), made: made.to_zoned(TimeZone::UTC).ok()?.timestamp() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_have_a_date_or_are_none() {
        let made = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (version, wanted) in [
            ("ClamAV 1.4.3/27500/Thu Nov 26 09:23:14 2026", made("2026-11-26T09:23:14Z")),
            ("ClamAV 0.103.8/26850/Fri Mar  3 08:29:27 2023", made("2023-03-03T08:29:27Z")),
            ("ClamAV 1.4.3", None),
            ("ClamAV 1.4.3/27500", None),
            ("ClamAV 1.4.3/27500/yesterday", None),
            ("", None),
        ] {
            assert_eq!(Signatures::of(version).map(|it| it.made), wanted, "{version}");
        }
    }
}
