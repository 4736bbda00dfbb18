//! Ending connections the hard way.
//!
//! actix offers no way to answer nothing at all, so every connection keeps a second handle to its socket.
//! Shutting that down makes whatever the server still writes fail: the client sees the connection end
//! without a status line, and with a reset if anything it sent is still unread.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Extensions;
use bytes::Bytes;

/// Second handle to a connection's socket.
#[derive(Debug)]
pub(crate) struct Kill(TcpStream);

impl Kill {
    /// End the connection now.
    pub(crate) fn now(&self) {
        // an already closed socket is just as dead
        let _ = self.0.shutdown(Shutdown::Both);
    }

    fn another(&self) -> Option<Self> {
        self.0.try_clone().ok().map(Self)
    }
}

/// The server's hook for new connections.
pub(crate) fn on_connect(io: &dyn Any, data: &mut Extensions) {
    if let Some(stream) = io.downcast_ref::<actix_web::rt::net::TcpStream>() {
        // small answers must not wait for the client's acknowledgement
        let _ = stream.set_nodelay(true);
        if let Some(socket) = second_handle(stream) {
            data.insert(Kill(socket));
        }
    }
}

#[cfg(unix)]
fn second_handle(stream: &actix_web::rt::net::TcpStream) -> Option<TcpStream> {
    use std::os::fd::AsFd;
    stream.as_fd().try_clone_to_owned().ok().map(TcpStream::from)
}

#[cfg(windows)]
fn second_handle(stream: &actix_web::rt::net::TcpStream) -> Option<TcpStream> {
    use std::os::windows::io::AsSocket;
    stream.as_socket().try_clone_to_owned().ok().map(TcpStream::from)
}

/// A body that promises its whole length, sends a part and then ends the connection.
pub(crate) struct CutBody {
    total: u64,
    part: Option<Bytes>,
    kill: Option<Kill>,
    /// Gives the server time to flush the part.
    pause: Pin<Box<tokio::time::Sleep>>,
}

impl CutBody {
    pub(crate) fn new(body: &Bytes, after: u64, kill: Option<&Kill>) -> Self {
        let part = body.slice(..usize::try_from(after).unwrap_or(usize::MAX).min(body.len()));
        Self {
            // at least one byte is always missing
            total: (body.len() as u64).max(part.len() as u64 + 1),
            part: Some(part).filter(|p| !p.is_empty()),
            kill: kill.and_then(Kill::another),
            pause: Box::pin(tokio::time::sleep(Duration::from_millis(50))),
        }
    }
}

impl MessageBody for CutBody {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.total)
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(part)));
        }
        match self.pause.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                if let Some(kill) = &self.kill {
                    kill.now();
                }
                Poll::Ready(Some(Err(std::io::Error::other("cut by a fault"))))
            }
        }
    }
}
