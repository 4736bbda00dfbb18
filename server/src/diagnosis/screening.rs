//! Whether malware would be found: the scanner is asked for a sign of life, for its signatures, and for its verdict on the test file that
//! every scanner knows.

use std::time::Duration;

use bytes::Bytes;
use postroom_domain::capability::{Finding, Level};
use postroom_domain::cause::Fixer;
use postroom_domain::dms::ByteStream;
use postroom_domain::screening::{Mode, Screening as _, Unscreened, Verdict};
use postroom_domain::time::{Clock, age};
use postroom_inbound::screen::{Clamd, Signatures};

use super::finding;
use crate::settings::Settings;

const ABOUT: &str = "malware scanner";

/// The scanner of the settings.
pub(crate) struct ScannerDoor {
    scanner: Clamd,
    mode: Mode,
    largest: u64,
    signatures: Duration,
}

impl ScannerDoor {
    /// None where nothing is scanned.
    pub(crate) fn of(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let it = &settings.screening;
        let door = |scanner| Self {
            scanner,
            mode: it.mode,
            largest: it.largest_bytes,
            signatures: Duration::from_hours(24 * it.signatures_days),
        };
        Ok(it.scanner()?.map(door))
    }

    /// What is known of it; asked for live, it is tried.
    pub(crate) async fn findings(&self, live: bool, clock: &dyn Clock) -> Vec<Finding> {
        let strict = match self.mode {
            Mode::Required => "what it cannot look through is set aside",
            _ => "what it cannot look through is filed all the same, with a line in its trace",
        };
        let detail = format!("{}; {strict}", self.scanner.address());
        let mut all = vec![finding(ABOUT, "settings", Level::Good, detail, "", Fixer::Nobody)];
        if !live {
            return all;
        }
        if let Err(why) = self.scanner.ping().await {
            let advice = "start clamd, or correct screening.clamd; until it answers everything waits";
            all.push(finding(ABOUT, "connection", Level::Bad, why.to_string(), advice, Fixer::Administrator));
            return all;
        }
        all.push(self.signatures(clock).await);
        all.push(told_of_test(&self.scanner.screen(stream(test_file()), None).await));
        all.push(self.size().await);
        all
    }

    async fn signatures(&self, clock: &dyn Clock) -> Finding {
        let subject = "signatures";
        let version = match self.scanner.version().await {
            Ok(version) => version,
            Err(why) => {
                let advice = "look into the scanner's log";
                return finding(ABOUT, subject, Level::Bad, why.to_string(), advice, Fixer::Administrator);
            }
        };
        let Some(signatures) = Signatures::of(&version) else {
            let detail = format!("{version} names no published signatures: only a firm's own may be loaded");
            let advice = "let freshclam fetch the published ones";
            return finding(ABOUT, subject, Level::Warning, detail, advice, Fixer::Administrator);
        };
        let old = age(clock.now(), signatures.made);
        let detail = format!("{} of {:.0}", signatures.number, signatures.made);
        if old > self.signatures {
            let detail = format!("{detail}, {} days old", old.as_secs() / 86_400);
            let advice = "see that freshclam runs and reaches its server";
            return finding(ABOUT, subject, Level::Warning, detail, advice, Fixer::Administrator);
        }
        finding(ABOUT, subject, Level::Good, detail, "", Fixer::Nobody)
    }

    /// Whether it takes as much of one document as it would be sent.
    async fn size(&self) -> Finding {
        let subject = "largest document";
        let said = self.scanner.screen(zeros(self.largest), Some(self.largest)).await;
        let (level, detail, advice) = match said {
            Ok(Verdict::Clean) => (Level::Good, format!("{} bytes", self.largest), ""),
            Ok(Verdict::NotScanned { why }) => (
                Level::Warning,
                format!("of {} bytes it says: {why}", self.largest),
                "raise clamd's StreamMaxLength, MaxFileSize and MaxScanSize, or lower screening.largest_bytes",
            ),
            Ok(Verdict::Infected { name }) => {
                (Level::Bad, format!("it finds {name} in nothing but zeros"), "look into its own signatures")
            }
            Err(why) => (Level::Warning, why.to_string(), "look into the scanner's log"),
        };
        let fixer = if level == Level::Good { Fixer::Nobody } else { Fixer::Administrator };
        finding(ABOUT, subject, level, detail, advice, fixer)
    }
}

fn told_of_test(said: &Result<Verdict, Unscreened>) -> Finding {
    let told = |level, detail: String, advice: &str| {
        let fixer = if level == Level::Good { Fixer::Nobody } else { Fixer::Administrator };
        finding(ABOUT, "test file", level, detail, advice, fixer)
    };
    match said {
        Ok(Verdict::Infected { name }) => told(Level::Good, format!("it finds {name} in it"), ""),
        Ok(Verdict::Clean) => told(
            Level::Bad,
            "it finds nothing in the EICAR test file, which every scanner knows".to_owned(),
            "its signatures are not loaded: see that freshclam has fetched them",
        ),
        Ok(Verdict::NotScanned { why }) => told(Level::Bad, why.clone(), "look into the scanner's log"),
        Err(why) => told(Level::Bad, why.to_string(), "look into the scanner's log"),
    }
}

/// The EICAR test file, put together here: written out, it would set off whoever scans this program.
fn test_file() -> Bytes {
    let parts = ["X5O!P%@AP[4", "\\PZX54(P^)7CC)7}$EICAR-STAND", "ARD-ANTIVIRUS-TEST", "-FILE!$H+H*"];
    Bytes::from(parts.concat())
}

fn stream(bytes: Bytes) -> ByteStream {
    Box::pin(futures_util::stream::iter([Ok(bytes)]))
}

fn zeros(count: u64) -> ByteStream {
    const PIECE: u64 = 64 * 1024;
    let piece = Bytes::from(vec![0; 64 * 1024]);
    let pieces = (0..count.div_ceil(PIECE)).map(move |number| {
        let length = PIECE.min(count - number * PIECE);
        Ok(piece.slice(..usize::try_from(length).unwrap_or(0)))
    });
    Box::pin(futures_util::stream::iter(pieces))
}

#[cfg(test)]
mod tests {
    use postroom_domain::testing::ManualClock;
    use postroom_inbound::screen::{Address, ClamdOptions, Patience};
    use sha2::{Digest as _, Sha256};
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn old_signatures_are_warned_of() {
        let clock = ManualClock::at("2026-11-27T09:00:00Z");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let second = Duration::from_secs(1);
        let patience = Patience { connect: second, idle: second, answer: second, total: second };
        let address = Address::Tcp(listener.local_addr().unwrap().to_string());
        let scanner = Clamd::new(ClamdOptions { address, largest: 1000, patience, at_once: 1 });
        let signatures = Duration::from_hours(7 * 24);
        let door = ScannerDoor { scanner, mode: Mode::On, largest: 1000, signatures };
        for (version, level, wanted) in [
            ("ClamAV 1.4.3/27500/Thu Nov 26 09:00:00 2026", Level::Good, "27500 of 2026-11-26"),
            ("ClamAV 1.4.3/27400/Mon Nov  2 09:00:00 2026", Level::Warning, "25 days old"),
            ("ClamAV 1.4.3", Level::Warning, "names no published signatures"),
            ("something else", Level::Bad, "it says of itself"),
        ] {
            let answer = async {
                let (mut line, _) = listener.accept().await.unwrap();
                line.write_all(format!("{version}\0").as_bytes()).await.unwrap();
                line
            };
            let (found, _line) = tokio::join!(door.signatures(&clock), answer);
            assert_eq!(found.level, level, "{version}: {}", found.detail);
            assert!(found.detail.contains(wanted), "{version}: {}", found.detail);
        }
    }

    /// By its check sum, for the file itself must not stand here.
    #[test]
    fn the_test_file_is_the_one_that_every_scanner_knows() {
        let sum = Sha256::digest(test_file());
        let sum = postroom_domain::ids::BlobHash::new(sum.into()).to_string();
        assert_eq!(sum, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
    }
}
