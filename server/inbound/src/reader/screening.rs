//! Screening in the reader: what an intake is made of goes by the scanner before anybody looks into it, and what comes out of a letter
//! goes by it too, for a scanner does not open everything that we do.

use std::sync::PoisonError;

use jiff::Timestamp;
use postroom_domain::intake::Intake;
use postroom_domain::mailroom::{ReadBatch, Unread};
use postroom_domain::screening::{Inside, Judgement, Mode, judge, shown};
use postroom_domain::spool::Blob;

use super::{Content, Lane, Reader, Unable, Waiting};
use crate::screen::{Looked, NoVerdict, Screener};

/// Lines on what was not scanned, in one trace.
const MOST_LINES: usize = 20;

/// A scanner that does not answer.
#[derive(Debug, Clone)]
pub(super) struct Down {
    since: Timestamp,
    why: String,
    /// Nobody else asks it in the present pass.
    pub(super) now: bool,
}

impl Down {
    pub(super) fn in_words(&self) -> String {
        format!(
            "the malware scanner does not answer since {:.0}, and what it has to see waits: {}",
            self.since, self.why
        )
    }
}

impl From<NoVerdict> for Unable {
    fn from(why: NoVerdict) -> Self {
        match why {
            NoVerdict::Unavailable(why) => Self::Unscreened(why),
            NoVerdict::BrokeOff(why) => Self::Tripped(why),
            NoVerdict::Content(why) => Self::Broken(why),
            NoVerdict::Spool(error) => error.into(),
        }
    }
}

impl Reader {
    /// Who screens this intake; nobody where a person vouches for it.
    fn screener(&self, intake: &Intake) -> Option<&Screener> {
        let screener = self.options.screener.as_deref()?;
        (screener.mode() != Mode::Off && !intake.screened.vouched).then_some(screener)
    }

    /// Screens an intake as it came; lines for its trace, or why it is set aside.
    pub(super) async fn screen(&self, intake: &Intake) -> Result<Result<Vec<String>, Unread>, Unable> {
        let Some(screener) = self.screener(intake) else { return Ok(Ok(Vec::new())) };
        self.unless_down()?;
        let judged = screen_all(screener, &documents(intake)).await;
        self.heard(&judged);
        let mut judged = judged?;
        if let Ok(lines) = &mut judged
            && lines.is_empty()
        {
            lines.push("the malware scanner found nothing in it".to_owned());
        }
        Ok(judged)
    }

    /// Screens what came out of an intake, and looks into archives: lines for its trace and what lies in them, or why it is set aside.
    pub(super) async fn screen_within(
        &self,
        intake: &Intake,
        content: &Content,
    ) -> Result<Result<(Vec<String>, Vec<Inside>), Unread>, Unable> {
        let parts = named(intake, content);
        let screener = self.screener(intake);
        let mut lines = Vec::new();
        // Documents have gone by the scanner as they are; what comes out of a letter has not.
        if let Some(screener) = screener.filter(|_| intake.letter.is_some()) {
            let judged = screen_all(screener, &parts).await;
            self.heard(&judged);
            match judged? {
                Ok(more) => lines.extend(more),
                Err(why) => return Ok(Err(why)),
            }
        }
        let mut inside: Vec<Inside> = Vec::new();
        let Some(archives) = &self.archives else { return Ok(Ok((lines, inside))) };
        for (name, blob) in &parts {
            if inside.iter().any(|it| it.archive == blob.hash) {
                continue;
            }
            let looked = archives.look(name, *blob, screener, intake.screened.vouched).await;
            let looked = looked.map_err(Unable::from);
            if screener.is_some() && looked.is_err() {
                self.heard(&looked);
            }
            match looked? {
                Looked::NoArchive => {}
                Looked::Through(more, found) => {
                    lines.extend(more.into_iter().take(MOST_LINES));
                    inside.push(found);
                }
                Looked::SetAside(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok((lines, inside)))
    }

    /// A scanner that was found to be down is not asked again by everything that waits for it.
    fn unless_down(&self) -> Result<(), Unable> {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        match &*down {
            Some(down) if down.now => Err(Unable::Unscreened(down.why.clone())),
            _ => Ok(()),
        }
    }

    /// Remembers whether the scanner answered.
    fn heard<T>(&self, answer: &Result<T, Unable>) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(Unable::Unscreened(why)) => {
                let since =
                    down.as_ref().map_or_else(|| self.mailroom.reception.clock.now(), |down| down.since);
                if down.is_none() {
                    tracing::warn!(error = %why, "the malware scanner does not answer; what it has to see waits, nothing else does");
                }
                *down = Some(Down { since, why: why.clone(), now: true });
            }
            Ok(_) => {
                if down.take().is_some() {
                    tracing::info!("the malware scanner answers again, and what waited for it goes on");
                }
            }
            Err(_) => {}
        }
    }

    /// Remembers which lane waits for the scanner. Once nobody does any more, what waited was seen to by somebody.
    pub(super) fn note_waiting(&self, lane: Lane, for_what: Waiting) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if for_what == Waiting::ForTheScanner {
            waiting.insert(lane);
        } else if waiting.remove(&lane) && waiting.is_empty() {
            *self.down.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Before a pass over everything that waits: the scanner may be asked again.
    pub(super) fn ask_scanner_again(&self) {
        if let Some(down) = &mut *self.down.lock().unwrap_or_else(PoisonError::into_inner) {
            down.now = false;
        }
    }

    /// Whether a scanner that was down answers again.
    pub(super) async fn scanner_is_back(&self) -> bool {
        match &self.options.screener {
            Some(screener) => screener.is_there().await,
            None => true,
        }
    }

    /// What operators should know about the scanner.
    pub(super) fn scanner_trouble(&self) -> Option<String> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Down::in_words)
    }
}

/// The documents of an intake as it came, with their names in words.
fn documents(intake: &Intake) -> Vec<(String, Blob)> {
    let whole = intake.letter.is_some();
    let named = intake.documents.iter().map(|document| {
        let name =
            if whole { "the letter".to_owned() } else { format!("\"{}\"", shown(&document.file_name)) };
        (name, document.blob)
    });
    named.collect()
}

/// What an intake is made of, with its names in words.
fn named(intake: &Intake, content: &Content) -> Vec<(String, Blob)> {
    let letter = match content {
        Content::Letter(letter) => letter,
        Content::Batch(ReadBatch::Divided { sections, .. }) => {
            let named = sections.iter().map(|section| {
                (format!("\"{}\"", shown(&section.document.file_name)), section.document.blob)
            });
            return named.collect();
        }
        Content::Batch(ReadBatch::Whole { .. }) | Content::Documents => return documents(intake),
    };
    let parts = letter.parts.iter().enumerate().map(|(number, sealed)| {
        let name = &sealed.part.carried.name;
        let name =
            if name.is_empty() { format!("part {}", number + 1) } else { format!("\"{}\"", shown(name)) };
        (format!("{name} in the letter"), sealed.blob)
    });
    parts.collect()
}

/// Screens contents with their names in words; one that is set aside ends it.
async fn screen_all(
    screener: &Screener,
    contents: &[(String, Blob)],
) -> Result<Result<Vec<String>, Unread>, Unable> {
    let mut lines = Lines::default();
    for (name, blob) in contents {
        let verdict = screener.content(*blob).await?;
        match judge(screener.mode(), name, &verdict) {
            Judgement::Pass => {}
            Judgement::Noted(line) => lines.add(line),
            Judgement::SetAside(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(lines.told()))
}

/// Lines for a trace, of which there are not too many.
#[derive(Debug, Default)]
pub(super) struct Lines {
    told: Vec<String>,
    more: usize,
}

impl Lines {
    pub(super) fn add(&mut self, line: String) {
        if self.told.len() < MOST_LINES {
            self.told.push(line);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more of this kind", self.more));
        }
        self.told
    }
}
