//! A letter on its way into the spool. The end is CR LF `.` CR LF and nothing else: a bare line feed before or after the dot is content,
//! as whoever let the letter through took it (no smuggling).

use bytes::Bytes;
use postroom_domain::spool::{Blob, Draft, Spool, SpoolError};
use smtp_proto::request::receiver::DataReceiver;
use tokio::io::{AsyncRead, AsyncWrite};

use super::lines::{Ended, Wire};

/// Why there is no letter.
#[derive(Debug)]
pub(super) enum NoLetter {
    /// The other side is gone, or silent: nothing was acknowledged, so it sends again.
    Ended(Ended),
    /// It is larger than is taken here. It was read to its end, so the answer is heard.
    TooLarge,
    /// The spool does not take it. It was read to its end.
    Spool(SpoolError),
}

/// What is read after a letter turned out too large, in multiples of the limit; then the connection is worth no more.
const PATIENCE: u64 = 4;

/// Takes a letter into the spool. `Ok` means durable.
pub(super) async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    spool: &dyn Spool,
    largest: u64,
) -> Result<Blob, NoLetter> {
    let mut draft = spool.draft().await;
    let mut receiver = DataReceiver::new();
    // The line before the first one has ended: a letter may begin with a dot, or with the end itself.
    receiver.ingest(&mut b"\r\n".iter(), &mut Vec::new());
    let (mut held, mut size, mut whole) = (Vec::new(), 0_u64, false);
    while !whole {
        let chunk = wire.chunk().await.map_err(NoLetter::Ended)?;
        let mut rest = chunk.iter();
        whole = receiver.ingest(&mut rest, &mut held);
        if whole {
            wire.give_back(rest.as_slice());
        }
        // The last byte may be the CR that turns out to belong to the end.
        let keep = usize::from(!whole).min(held.len());
        let ready: Vec<u8> = held.drain(..held.len() - keep).collect();
        size += ready.len() as u64;
        if size > largest.saturating_mul(PATIENCE) {
            return Err(NoLetter::Ended(Ended::Gone));
        }
        draft = match draft {
            _ if size > largest => Err(SpoolError::NoRoom { free: 0, wanted: size }),
            Ok(draft) => write(draft, ready).await,
            Err(error) => Err(error),
        };
    }
    if size > largest {
        return Err(NoLetter::TooLarge);
    }
    draft.map_err(NoLetter::Spool)?.seal().await.map_err(NoLetter::Spool)
}

async fn write(mut draft: Box<dyn Draft>, bytes: Vec<u8>) -> Result<Box<dyn Draft>, SpoolError> {
    if !bytes.is_empty() {
        draft.write(Bytes::from(bytes)).await?;
    }
    Ok(draft)
}
