//! A letter taken apart, with the bytes of each part durable.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use postroom_domain::ids::BlobHash;
use postroom_domain::intake::Intake;
use postroom_domain::mailroom::{ReadLetter, Sealed, Unread};
use postroom_domain::split;
use postroom_domain::spool::Blob;

use super::{Reader, Unable};
use crate::message::{self, Message, Refused};

/// For how long a letter may be read.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

impl Reader {
    /// What is in a letter, with the bytes of each part durable.
    pub(super) async fn take_apart(&self, intake: &Intake) -> Result<Result<ReadLetter, Unread>, Unable> {
        let Some(document) = intake.documents.first() else {
            return Err(Unable::Broken("it has no bytes".to_owned()));
        };
        if document.blob.size > self.options.largest {
            let odd = format!(
                "it is larger than the {} bytes that are taken apart; it is as it came",
                self.options.largest
            );
            return Ok(Ok(ReadLetter {
                odd: vec![odd],
                contents: vec![document.blob.hash],
                ..ReadLetter::default()
            }));
        }
        let raw = Bytes::from(self.bytes(document.blob).await?);
        let (limits, trusted, shared) = (self.options.limits, self.options.trusted.clone(), raw.clone());
        let reading = tokio::task::spawn_blocking(move || message::read(&shared, &limits, &trusted));
        let read = match tokio::time::timeout(PATIENCE, reading).await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => Err(Refused::Unreadable(format!("its reader ended early: {error}"))),
            // The thread goes on to its end; nobody waits for it.
            Err(_) => {
                let text = format!("it was not read within {} s", PATIENCE.as_secs());
                return Ok(Err(Unread { code: "too_slow", text }));
            }
        };
        match read {
            Ok(message) => self.seal(&raw, message).await.map(Ok),
            // Nothing is known of it, but a person may still want it: it is filed as the file that it is.
            Err(refused) if refused.as_file() => {
                let odd = vec![refused.to_string()];
                Ok(Ok(ReadLetter { odd, contents: vec![document.blob.hash], ..ReadLetter::default() }))
            }
            Err(refused @ Refused::TooDeep(_)) => {
                Ok(Err(Unread { code: "too_deep", text: refused.to_string() }))
            }
            Err(refused) => Ok(Err(Unread { code: "unreadable", text: refused.to_string() })),
        }
    }

    pub(super) async fn bytes(&self, blob: Blob) -> Result<Vec<u8>, Unable> {
        let content = self.spool.content(blob).await?;
        let mut stream = content.open().await.map_err(|error| Unable::Broken(error.to_string()))?;
        let mut raw = Vec::with_capacity(usize::try_from(blob.size).unwrap_or(0));
        while let Some(chunk) = stream.next().await {
            raw.extend_from_slice(&chunk.map_err(|error| Unable::Broken(error.to_string()))?);
        }
        Ok(raw)
    }

    async fn seal(&self, raw: &Bytes, message: Message) -> Result<ReadLetter, Unable> {
        let mut letter = ReadLetter {
            odd: message.warnings.iter().map(ToString::to_string).collect(),
            ..ReadLetter::default()
        };
        letter.odd.extend(message.not_expanded.map(|why| format!("it is not taken apart: {why}")));
        letter.contents.push(BlobHash::new(*blake3::hash(message.mail.text.as_bytes()).as_bytes()));
        for part in &message.parts {
            let content = Bytes::copy_from_slice(part.content.of(raw));
            let mut draft = self.spool.draft().await?;
            draft.write(content).await?;
            let blob = draft.seal().await?;
            letter.contents.push(blob.hash);
            let mut carried = part.carried();
            if carried.name.is_empty() {
                carried.name.clone_from(&part.title);
            }
            letter.parts.push(Sealed {
                part: split::Part {
                    carried,
                    hash: blob.hash,
                    message: part.media_type().eq_ignore_ascii_case("message/rfc822"),
                    within: carrier(&message.parts, part),
                },
                blob,
            });
        }
        letter.mail = message.mail;
        Ok(letter)
    }
}

/// The message within that a part belongs to. What lies in another container, such as a `winmail.dat`, belongs to the message that has it.
fn carrier(parts: &[message::Part], part: &message::Part) -> Option<usize> {
    let mut inside = part.inside;
    while let Some(number) = inside {
        let container = parts.get(number)?;
        if container.media_type().eq_ignore_ascii_case("message/rfc822") {
            return Some(number);
        }
        // A container stands before what is in it.
        inside = container.inside.filter(|outer| *outer < number);
    }
    None
}
