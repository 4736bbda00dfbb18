//! Our own header on mail that leaves through Postroom, and the same text as an extended property in Exchange: the work item's id with a
//! proof that it was this installation which wrote it.

use super::Luggage;
use crate::ids::WorkItemId;

/// Why the text of our header proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not an id and a proof.
    #[error("it is not a work item's id and a proof")]
    Malformed,
    /// The proof is not ours: made up, or from another installation.
    #[error("its proof is not ours")]
    NotOurs,
}

impl Luggage {
    /// The text of the header for a work item: its id, a semicolon, the proof in hexadecimal digits.
    pub fn header(&self, item: WorkItemId) -> String {
        format!("{item}; {}", self.proof(item))
    }

    /// The work item that such a text proves. It is proved that we wrote it, and not who sends it on now.
    pub fn read_header(&self, text: &str) -> Result<WorkItemId, HeaderError> {
        let (id, proof) = text.split_once(';').ok_or(HeaderError::Malformed)?;
        let id: WorkItemId = id.trim().parse().map_err(|_| HeaderError::Malformed)?;
        // Compared as hashes, so that the time it takes tells nothing about the characters that fit.
        let same = blake3::hash(self.proof(id).as_bytes())
            == blake3::hash(proof.trim().to_ascii_lowercase().as_bytes());
        if same { Ok(id) } else { Err(HeaderError::NotOurs) }
    }

    fn proof(&self, item: WorkItemId) -> String {
        let code = self.secret.code("header", &item.as_u128().to_be_bytes());
        code[..16].iter().fold(String::with_capacity(32), |mut text, byte| {
            for half in [byte >> 4, byte & 0xf] {
                text.extend(char::from_digit(u32::from(half), 16));
            }
            text
        })
    }
}
