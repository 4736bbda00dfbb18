//! The bytes of a connection, plain or over TLS, of which no more are read than were allowed: whoever is on the other side must not decide
//! how much of our memory an answer takes. A literal that is announced to be larger is not even heard of.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::literals::Literals;

/// A stream in both directions.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Duplex for S {}

/// A connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Box<dyn Duplex>,
    allowed: u64,
    literals: Literals,
}

impl Wire {
    pub(super) fn new(stream: impl Duplex + 'static, allowed: u64) -> Self {
        Self { stream: Box::new(stream), allowed, literals: Literals::default() }
    }

    /// How many bytes may come from now on.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.allowed = bytes;
    }

    pub(super) fn into_inner(self) -> Box<dyn Duplex> {
        self.stream
    }
}

fn too_much() -> io::Error {
    io::Error::other("the server says more than it was asked for")
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.allowed == 0 {
            return Poll::Ready(Err(too_much()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let (this, read) = (&mut *self, &buffer.filled()[before..]);
        this.literals.follow(read, this.allowed).map_err(|_| too_much())?;
        this.allowed = this.allowed.saturating_sub(read.len() as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn no_more_is_read_than_was_allowed() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let mut wire = Wire::new(ours, 4);
        theirs.write_all(b"12345678").await.unwrap();
        let mut some = [0; 4];
        wire.read_exact(&mut some).await.unwrap();
        assert!(wire.read_exact(&mut some).await.is_err());
        wire.allow(4);
        wire.read_exact(&mut some).await.unwrap();
        assert_eq!(&some, b"5678");
    }
}
