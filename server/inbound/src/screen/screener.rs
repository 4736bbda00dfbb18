//! What is asked of the scanner, and what is remembered of its verdicts: the same content needs no second look with the same signatures.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{counter, gauge};
use postroom_domain::dms::ByteStream;
use postroom_domain::ids::BlobHash;
use postroom_domain::screening::{Mode, Screening, Unscreened, Verdict};
use postroom_domain::spool::{Blob, Spool, SpoolError};
use tokio::time::Instant;

/// Verdicts that are remembered. With more, all of them are forgotten.
const MOST_VERDICTS: usize = 10_000;
/// How old the scanner's word on its signatures may be.
const FRESH: Duration = Duration::from_secs(30);
/// So often a scanner that is up may break off over one content; then it counts as one that cannot be scanned.
const MOST_TRIES: u32 = 3;

/// Screens contents of the spool.
pub struct Screener {
    mode: Mode,
    scanner: Arc<dyn Screening>,
    spool: Arc<dyn Spool>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What the scanner said of itself, and when.
    version: Option<(String, Instant)>,
    verdicts: HashMap<BlobHash, Verdict>,
    /// Over which contents it broke off, and how often.
    broke_off: HashMap<BlobHash, u32>,
}

impl fmt::Debug for Screener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screener").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum NoVerdict {
    /// The scanner does not answer.
    Unavailable(String),
    /// The scanner broke off over this one.
    BrokeOff(String),
    /// The content cannot be read.
    Content(String),
    /// The spool does not give it out.
    Spool(SpoolError),
}

impl From<Unscreened> for NoVerdict {
    fn from(why: Unscreened) -> Self {
        match why {
            Unscreened::Unavailable(why) => Self::Unavailable(why),
            Unscreened::BrokeOff(why) => Self::BrokeOff(why),
            Unscreened::Content(why) => Self::Content(why),
        }
    }
}

impl Screener {
    /// Asks this scanner, as strictly as that.
    pub fn new(mode: Mode, scanner: Arc<dyn Screening>, spool: Arc<dyn Spool>) -> Self {
        Self { mode, scanner, spool, known: Mutex::default() }
    }

    /// How strict the firm is.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether the scanner answers.
    pub(crate) async fn is_there(&self) -> bool {
        self.ask_version().await.is_ok()
    }

    /// The verdict on a content.
    pub(crate) async fn content(&self, blob: Blob) -> Result<Verdict, NoVerdict> {
        if blob.size == 0 {
            return Ok(Verdict::Clean);
        }
        self.renew(blob.hash).await?;
        if let Some(known) = self.known().verdicts.get(&blob.hash) {
            return Ok(known.clone());
        }
        let content = self.spool.content(blob).await.map_err(NoVerdict::Spool)?;
        let stream = content.open().await.map_err(|error| NoVerdict::Content(error.to_string()))?;
        let verdict = self.ask(stream, Some(blob.size), blob.hash).await?;
        if !matches!(verdict, Verdict::NotScanned { .. }) {
            let mut known = self.known();
            if known.verdicts.len() >= MOST_VERDICTS {
                known.verdicts.clear();
            }
            known.verdicts.insert(blob.hash, verdict.clone());
        }
        Ok(verdict)
    }

    /// The verdict on something that comes out of a content, such as a file in an archive.
    pub(crate) async fn within(&self, content: BlobHash, stream: ByteStream) -> Result<Verdict, NoVerdict> {
        self.ask(stream, None, content).await
    }

    /// Makes sure that the scanner is there and that what is remembered is of its present signatures. Before a content that it broke off
    /// over is tried again, it has to show that it is up: else whoever stands in front of a scanner that is down would use up the tries.
    async fn renew(&self, hash: BlobHash) -> Result<(), NoVerdict> {
        let fresh = {
            let known = self.known();
            let young = known.version.as_ref().is_some_and(|(_, at)| at.elapsed() < FRESH);
            young && !known.broke_off.contains_key(&hash)
        };
        if !fresh {
            self.ask_version().await?;
        }
        Ok(())
    }

    async fn ask_version(&self) -> Result<(), Unscreened> {
        let version = match self.scanner.version().await {
            Ok(version) => version,
            Err(why) => {
                self.failed("unavailable");
                return Err(why);
            }
        };
        gauge!("postroom_scanner_up").set(1);
        let mut known = self.known();
        if known.version.as_ref().is_none_or(|(before, _)| *before != version) {
            tracing::info!(scanner.version = version, "the malware scanner answers");
            known.verdicts.clear();
        }
        known.version = Some((version, Instant::now()));
        Ok(())
    }

    fn failed(&self, why: &'static str) {
        counter!("postroom_screening_failures_total", "why" => why).increment(1);
        if why == "unavailable" {
            gauge!("postroom_scanner_up").set(0);
            self.known().version = None;
        }
    }

    async fn ask(&self, stream: ByteStream, size: Option<u64>, hash: BlobHash) -> Result<Verdict, NoVerdict> {
        let said = self.scanner.screen(stream, size).await;
        let verdict = match said {
            Ok(verdict) => {
                self.known().broke_off.remove(&hash);
                verdict
            }
            Err(Unscreened::BrokeOff(why)) => {
                self.failed("broke_off");
                if !self.is_last_try(hash) {
                    return Err(NoVerdict::BrokeOff(why));
                }
                Verdict::NotScanned { why: format!("the scanner was tried {MOST_TRIES} times: {why}") }
            }
            Err(why) => {
                self.failed(if matches!(why, Unscreened::Unavailable(_)) {
                    "unavailable"
                } else {
                    "content"
                });
                return Err(why.into());
            }
        };
        let told = match verdict {
            Verdict::Clean => "clean",
            Verdict::Infected { .. } => "infected",
            Verdict::NotScanned { .. } => "not_scanned",
        };
        counter!("postroom_screened_total", "verdict" => told).increment(1);
        Ok(verdict)
    }

    fn is_last_try(&self, hash: BlobHash) -> bool {
        let mut known = self.known();
        if known.broke_off.len() >= MOST_VERDICTS {
            known.broke_off.clear();
        }
        let tries = known.broke_off.entry(hash).or_default();
        *tries += 1;
        *tries >= MOST_TRIES
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
