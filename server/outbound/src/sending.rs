//! A document on its way: the stream that the connection pulls, counted, compared with what was announced, and watched.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use postroom_domain::cause::Sent;
use postroom_domain::dms::{ByteStream, Gauge};
use tokio::time::Instant;

/// The document part of an upload.
pub struct Document {
    /// Name of the part.
    pub field: &'static str,
    /// File name in the part's head; plain ASCII, as older servers cannot read anything else.
    pub file_name: String,
    /// Media type; one that cannot be sent becomes `application/octet-stream`.
    pub media_type: String,
    /// Length in bytes.
    pub size: u64,
    /// The bytes.
    pub stream: ByteStream,
    /// Where each piece is counted as the connection takes it.
    pub gauge: Gauge,
}

/// A field of a multipart form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub value: String,
    /// Whether the part says that it is JSON; otherwise it says nothing.
    pub is_json: bool,
}

/// What is known about a body while it is being sent.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    /// Microseconds after `begun` at which something last moved.
    moved: AtomicU64,
    /// The connection has asked for the first piece of the document.
    started: AtomicBool,
    /// The document's stream has come to its end.
    ended: AtomicBool,
    /// Why our own bytes could not be read.
    broken: Mutex<Option<String>>,
    document: Option<(Gauge, u64)>,
}

impl Progress {
    pub(crate) fn new(document: Option<(Gauge, u64)>) -> Arc<Self> {
        let ended = AtomicBool::new(document.is_none());
        Arc::new(Self {
            begun: Instant::now(),
            moved: AtomicU64::new(0),
            started: AtomicBool::new(false),
            ended,
            broken: Mutex::new(None),
            document,
        })
    }

    fn touch(&self) {
        let micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.moved.store(micros, Ordering::Release);
    }

    /// When something last moved, and whether all of the document is out.
    pub(crate) fn last(&self) -> (Instant, bool) {
        let moved = Duration::from_micros(self.moved.load(Ordering::Acquire));
        (self.begun + moved, self.ended.load(Ordering::Acquire))
    }

    /// Whether the connection has asked for anything of a document yet.
    pub(crate) fn has_moved(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// How much of the document has been sent.
    pub(crate) fn sent(&self) -> Sent {
        match &self.document {
            Some((gauge, size)) => gauge.sent(*size, self.started.load(Ordering::Acquire)),
            None => Sent::Nothing,
        }
    }

    /// Why our own bytes could not be read, if that is what happened.
    pub(crate) fn broken(&self) -> Option<String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fail(&self, why: String) -> io::Error {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
        io::Error::new(io::ErrorKind::InvalidData, why)
    }
}

/// The stream handed to the connection: exactly `size` bytes, or an error, which breaks the request off.
pub(crate) fn watched(
    stream: ByteStream,
    size: u64,
    gauge: Gauge,
    progress: Arc<Progress>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    // `None` after an error, so that nothing follows it.
    futures_util::stream::unfold(Some((stream, 0_u64)), move |state| {
        let (gauge, progress) = (gauge.clone(), Arc::clone(&progress));
        async move {
            let (mut stream, given) = state?;
            progress.started.store(true, Ordering::Release);
            progress.touch();
            let next = stream.next().await;
            progress.touch();
            match next {
                Some(Ok(bytes)) => {
                    let given = given + bytes.len() as u64;
                    if given > size {
                        let why = format!("the stored document has more than its {size} bytes");
                        return Some((Err(progress.fail(why)), None));
                    }
                    gauge.add(bytes.len() as u64);
                    Some((Ok(bytes), Some((stream, given))))
                }
                Some(Err(e)) => Some((Err(progress.fail(e.to_string())), None)),
                None if given < size => {
                    let why = format!("the stored document ended after {given} of {size} bytes");
                    Some((Err(progress.fail(why)), None))
                }
                None => {
                    progress.ended.store(true, Ordering::Release);
                    None
                }
            }
        }
    })
}

/// The same stream, but what completes `size` bytes is held until the end was seen.
pub(crate) fn closed(
    stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    size: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(Some((Box::pin(stream), size)), |state| async move {
        let (mut stream, left) = state?;
        let bytes = match stream.next().await? {
            Ok(bytes) => bytes,
            Err(e) => return Some((Err(e), None)),
        };
        let left = left.saturating_sub(bytes.len() as u64);
        if left > 0 {
            return Some((Ok(bytes), Some((stream, left))));
        }
        loop {
            match stream.next().await {
                None => return Some((Ok(bytes), None)),
                Some(Ok(more)) if more.is_empty() => {}
                // More than the announced length is an error of the watched stream already.
                Some(Ok(_)) => {
                    let why = "the stored document goes on after its end";
                    return Some((Err(io::Error::new(io::ErrorKind::InvalidData, why)), None));
                }
                Some(Err(e)) => return Some((Err(e), None)),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Given = Vec<Result<&'static str, &'static str>>;

    #[tokio::test]
    async fn the_last_bytes_are_given_only_when_the_end_was_seen() {
        let table: [(Given, &str); 6] = [
            (vec![Ok("abc"), Ok("de")], "abc de"),
            (vec![Ok("abc"), Ok("de"), Ok("")], "abc de"),
            (vec![Ok("abcde")], "abcde"),
            (vec![Ok("abc"), Ok("de"), Err("damaged")], "abc !damaged"),
            (vec![Ok("abcde"), Err("damaged")], "!damaged"),
            (vec![Ok("ab"), Ok("cdef")], "ab !the stored document has more than its 5 bytes"),
        ];
        for (given, wanted) in table {
            let items: Vec<io::Result<Bytes>> = given
                .iter()
                .map(|item| item.map(|text| Bytes::from_static(text.as_bytes())).map_err(io::Error::other))
                .collect();
            let (gauge, progress) = (Gauge::default(), Progress::new(Some((Gauge::default(), 5))));
            let inner: ByteStream = Box::pin(futures_util::stream::iter(items));
            let out: Vec<String> = closed(watched(inner, 5, gauge, progress), 5)
                .map(|item| match item {
                    Ok(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                    Err(e) => format!("!{e}"),
                })
                .collect()
                .await;
            assert_eq!(out.join(" "), wanted, "{given:?}");
        }
    }
}
