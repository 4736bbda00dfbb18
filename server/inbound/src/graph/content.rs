//! A message's bytes, from the server into the spool.

use futures_util::StreamExt as _;
use postroom_domain::spool::{Blob, Spool, SpoolError};
use postroom_outbound::Answer;

/// Why a message's bytes are not in the spool.
pub(super) enum Unkept {
    /// More than is taken: in words.
    TooLarge(String),
    /// The server gives none.
    Empty,
    /// The answer broke off, or was none.
    Lost(String),
    /// The spool does not take it.
    Spool(SpoolError),
}

impl From<SpoolError> for Unkept {
    fn from(error: SpoolError) -> Self {
        Self::Spool(error)
    }
}

/// Reads an answer into the spool, piece by piece. `Ok` means durable.
pub(super) async fn keep(spool: &dyn Spool, answer: Answer, largest: u64) -> Result<Blob, Unkept> {
    if answer.says_html() {
        return Err(Unkept::Lost("a web page came instead of the message".to_owned()));
    }
    if let Some(length) = answer.length() {
        if length > largest {
            return Err(Unkept::TooLarge(format!("it has {length} bytes, and at most {largest} are taken")));
        }
        spool.door(length)?;
    }
    let mut draft = spool.draft().await?;
    let mut pieces = answer.stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Unkept::Lost(format!("its content broke off: {error}")))?;
        draft.write(piece).await?;
        if draft.size() > largest {
            let why = format!("it is larger than the {largest} bytes that are taken at most");
            return Err(Unkept::TooLarge(why));
        }
    }
    if draft.size() == 0 {
        return Err(Unkept::Empty);
    }
    Ok(draft.seal().await?)
}
