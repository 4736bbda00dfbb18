//! Letters read for a trial of rules: nothing of them is kept.

use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::mail::Mail;
use postroom_domain::mailroom::ReadsLetters;

use super::ReaderOptions;
use super::letter::PATIENCE;
use crate::message;

/// Reads as the [reader](super) does, and keeps nothing.
#[derive(Debug, Clone)]
pub struct LetterEyes(pub ReaderOptions);

impl ReadsLetters for LetterEyes {
    fn read(&self, raw: Bytes) -> Fut<'_, Result<Mail, String>> {
        Box::pin(async move {
            let (limits, trusted) = (self.0.limits, self.0.trusted.clone());
            let reading = tokio::task::spawn_blocking(move || message::read(&raw, &limits, &trusted));
            match tokio::time::timeout(PATIENCE, reading).await {
                Ok(Ok(Ok(message))) => Ok(message.mail),
                Ok(Ok(Err(refused))) => Err(refused.to_string()),
                Ok(Err(error)) => Err(format!("its reader ended early: {error}")),
                Err(_) => Err(format!("it was not read within {} s", PATIENCE.as_secs())),
            }
        })
    }
}
