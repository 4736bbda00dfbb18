//! A content that goes by once, from its first byte to its last.

use std::io;

use bytes::Bytes;
use futures_util::StreamExt as _;
use postroom_domain::dms::ByteStream;

/// Bytes of a local header without its name and extra fields, by APPNOTE 4.3.7.
const LOCAL_HEADER: usize = 30;

/// A content, and how far it has gone by.
pub(super) struct Forward {
    stream: ByteStream,
    /// What has come and was not taken yet.
    rest: Bytes,
    at: u64,
}

/// The end of a content.
pub(super) struct Tail {
    /// Where it begins.
    pub(super) begin: u64,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl Forward {
    pub(super) fn new(stream: ByteStream) -> Self {
        Self { stream, rest: Bytes::new(), at: 0 }
    }

    /// The next bytes, at most so many; none at the end.
    pub(super) async fn piece(&mut self, most: u64) -> io::Result<Option<Bytes>> {
        while self.rest.is_empty() {
            match self.stream.next().await {
                Some(chunk) => self.rest = chunk?,
                None => return Ok(None),
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        self.at += most as u64;
        Ok(Some(self.rest.split_to(most)))
    }

    /// Lets everything in front of a place go by; false where that place is behind, or beyond the end.
    async fn skip_to(&mut self, place: u64) -> io::Result<bool> {
        while self.at < place {
            if self.piece(place - self.at).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(self.at == place)
    }

    async fn exactly<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let (mut all, mut filled) = ([0; N], 0);
        while filled < N {
            let Some(piece) = self.piece((N - filled) as u64).await? else { return Ok(None) };
            all[filled..filled + piece.len()].copy_from_slice(&piece);
            filled += piece.len();
        }
        Ok(Some(all))
    }

    /// Goes to a local header and over it; where the file's data begins, or none where there is no such header.
    pub(super) async fn local_header(&mut self, place: u64) -> io::Result<Option<u64>> {
        if !self.skip_to(place).await? {
            return Ok(None);
        }
        let Some(header) = self.exactly::<LOCAL_HEADER>().await? else { return Ok(None) };
        if !header.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let begin = self.at + length(26) + length(28);
        Ok(self.skip_to(begin).await?.then_some(begin))
    }

    /// The last bytes of a content of this size, at most so many.
    pub(super) async fn tail(&mut self, size: u64, most: u64) -> io::Result<Tail> {
        let begin = size.saturating_sub(most);
        self.skip_to(begin).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(u64::MAX).await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(Tail { begin, bytes })
    }
}
