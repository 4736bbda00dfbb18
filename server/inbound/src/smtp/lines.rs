//! Bytes of a connection: lines of commands, each of bounded length and waited for a bounded time, and answers.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest command with its line end; RFC 5321 asks for 512, extensions make them longer.
const LONGEST: usize = 4096;
/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;
/// For how long an answer may take to leave.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no further line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The other side is gone.
    Gone,
    /// It was silent for too long.
    Idle,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A whole one, with its line end.
    Whole(Vec<u8>),
    /// One that was too long; it was read to its end and is gone.
    TooLong,
}

/// A connection.
pub(super) struct Wire<S> {
    pub(super) stream: S,
    buffer: Vec<u8>,
    idle: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, idle: Duration) -> Self {
        Self { stream, buffer: Vec::new(), idle }
    }

    /// Whether something came that nobody has read yet.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next line.
    pub(super) async fn line(&mut self) -> Result<Line, Ended> {
        let (mut looked, mut too_long) = (0, false);
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[looked..]) {
                let rest = self.buffer.split_off(looked + at + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Ok(if too_long || line.len() > LONGEST { Line::TooLong } else { Line::Whole(line) });
            }
            looked = self.buffer.len();
            if looked > LONGEST {
                too_long = true;
                self.buffer.clear();
                looked = 0;
            }
            let chunk = self.read().await?;
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// Whatever comes next.
    pub(super) async fn chunk(&mut self) -> Result<Vec<u8>, Ended> {
        if self.buffer.is_empty() { self.read().await } else { Ok(std::mem::take(&mut self.buffer)) }
    }

    /// Gives back what was read too much.
    pub(super) fn give_back(&mut self, rest: &[u8]) {
        self.buffer.splice(0..0, rest.iter().copied());
    }

    async fn read(&mut self) -> Result<Vec<u8>, Ended> {
        let mut chunk = vec![0; CHUNK];
        match tokio::time::timeout(self.idle, self.stream.read(&mut chunk)).await {
            Err(_) => Err(Ended::Idle),
            Ok(Ok(0) | Err(_)) => Err(Ended::Gone),
            Ok(Ok(read)) => {
                chunk.truncate(read);
                Ok(chunk)
            }
        }
    }

    /// Sends an answer, each line with its end.
    pub(super) async fn say(&mut self, answer: &str) -> Result<(), Ended> {
        let sending = async {
            self.stream.write_all(answer.as_bytes()).await?;
            self.stream.write_all(b"\r\n").await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(PATIENCE, sending).await {
            Err(_) => Err(Ended::Idle),
            Ok(Err(_)) => Err(Ended::Gone),
            Ok(Ok(())) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_told_apart_however_they_come() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let mut wire = Wire::new(ours, Duration::from_secs(5));
        let long = format!("{}\r\n", "x".repeat(LONGEST + 10));
        let huge = format!("{}\r\n", "y".repeat(5 * CHUNK));
        for part in ["EHLO a", "\r\nNOOP\r\n", &long, &huge, "QUIT\n"] {
            theirs.write_all(part.as_bytes()).await.unwrap();
        }
        drop(theirs);
        let whole = |text: &str| Ok(Line::Whole(text.as_bytes().to_vec()));
        assert_eq!(wire.line().await, whole("EHLO a\r\n"));
        assert_eq!(wire.line().await, whole("NOOP\r\n"));
        assert_eq!(wire.line().await, Ok(Line::TooLong));
        assert_eq!(wire.line().await, Ok(Line::TooLong));
        assert_eq!(wire.line().await, whole("QUIT\n"));
        assert_eq!(wire.line().await, Err(Ended::Gone));
    }
}
