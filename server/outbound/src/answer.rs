//! Answers, read with a bound.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use jiff::Timestamp;
use postroom_domain::cause::{Sent, Symptom};
use postroom_domain::dms::{ByteStream, RetryAfter};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::{Failure, chain};
use crate::pace::Word;
use crate::sending::Progress;
use crate::settings::Limits;

/// An answer whose body is still to come.
pub struct Answer {
    pub(crate) response: reqwest::Response,
    pub(crate) operation: &'static str,
    pub(crate) progress: Arc<Progress>,
    pub(crate) limits: Limits,
    pub(crate) deadline: Instant,
    /// The call counts as running until its answer is read.
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        self.response.status().is_success()
    }

    /// Whether the answer says that it is a web page.
    pub fn says_html(&self) -> bool {
        says_html(self.response.headers())
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.response.headers(), name)
    }

    /// Length of the body, where the answer tells.
    pub fn length(&self) -> Option<u64> {
        header(self.response.headers(), CONTENT_LENGTH.as_str())?.parse().ok()
    }

    /// Reads the whole body, up to the destination's limit.
    ///
    /// The body of an error answer may end early or be cut: the status is what counts. That of a success may not.
    pub async fn read(mut self) -> Result<Reply, Failure> {
        let (status, success) = (self.status(), self.is_success());
        let headers = std::mem::take(self.response.headers_mut());
        let mut body = BytesMut::new();
        let trouble = loop {
            let at = self.deadline.min(Instant::now() + self.limits.idle);
            match timeout_at(at, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) if body.len() + chunk.len() > self.limits.answer => {
                    body.extend_from_slice(&chunk[..self.limits.answer - body.len()]);
                    break Some(format!("an answer of more than {} bytes", self.limits.answer));
                }
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => break None,
                Ok(Err(e)) => break Some(format!("the answer broke off: {}", chain(&e.without_url()))),
                Err(_) => break Some("the answer did not end in time".to_owned()),
            }
        };
        let reply = Reply {
            status,
            headers,
            body: body.freeze(),
            sent: self.progress.sent(),
            operation: self.operation,
        };
        match trouble {
            Some(detail) if success => Err(reply.unreadable(&detail)),
            _ => Ok(reply),
        }
    }

    /// The body as a stream, for downloads. A pause longer than the idle limit ends it with an error.
    pub fn stream(self) -> ByteStream {
        let (idle, permit) = (self.limits.idle, self.permit);
        let stream = Box::pin(self.response.bytes_stream());
        Box::pin(futures_util::stream::unfold(Some((stream, permit)), move |state| async move {
            let (mut stream, permit) = state?;
            match timeout(idle, stream.next()).await {
                Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some((stream, permit)))),
                Ok(Some(Err(e))) => Some((Err(std::io::Error::other(chain(&e.without_url()))), None)),
                Ok(None) => None,
                Err(_) => {
                    let error =
                        std::io::Error::new(std::io::ErrorKind::TimedOut, "the download stands still");
                    Some((Err(error), None))
                }
            }
        }))
    }
}

/// An answer that was read whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, at most as long as the destination's limit.
    pub body: Bytes,
    headers: HeaderMap,
    sent: Sent,
    operation: &'static str,
}

impl Reply {
    /// Whether the status is a success.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// How much of the document had been sent when the answer had been read.
    pub const fn sent(&self) -> Sent {
        self.sent
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// How long the server asks to wait: `Retry-After`, or else `X-Ratelimit-Reset` of one that says "too many".
    pub fn retry_after(&self) -> Option<RetryAfter> {
        asked_wait(self.status, &self.headers)
    }

    /// Whether the body is a web page, by what it says or by how it begins.
    pub fn is_web_page(&self) -> bool {
        let start = self.body.trim_ascii_start();
        let begins = |with: &str| {
            start.len() >= with.len() && start[..with.len()].eq_ignore_ascii_case(with.as_bytes())
        };
        says_html(&self.headers)
            || begins("<!doctype html")
            || begins("<html")
            || begins("\u{feff}<!doctype html")
    }

    /// A success as JSON. A web page, or what cannot be read, is a [`Failure`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if self.is_web_page() {
            let detail =
                format!("{}: status {} with a web page instead of JSON", self.operation, self.status);
            return Err(Failure::Symptom { symptom: Symptom::WebPage, sent: self.sent, detail });
        }
        serde_json::from_slice(&self.body).map_err(|e| {
            // The position helps, the text around it may be a client's.
            let what = if e.is_data() { "JSON of another shape" } else { "no JSON" };
            self.unreadable(&format!("{what}, at byte {} of {}", e.column(), self.body.len()))
        })
    }

    /// The failure of a success that cannot be used.
    pub fn unreadable(&self, why: &str) -> Failure {
        // A server that says "done" may have stored what it got, even if some was still on its way.
        let sent = if self.sent == Sent::Partly { Sent::Fully } else { self.sent };
        let detail = format!("{}: status {}, but {why}", self.operation, self.status);
        Failure::Symptom { symptom: Symptom::UnreadableSuccess, sent, detail }
    }
}

/// How long an answer asks to wait. A reset is only believed with the server's own time beside it, which every server with a clock
/// sends (RFC 9110, 6.6.1).
fn asked_wait(status: u16, headers: &HeaderMap) -> Option<RetryAfter> {
    let said = header(headers, RETRY_AFTER.as_str()).and_then(crate::retry_after::parse);
    said.or_else(|| (status == 429).then(|| reset(headers).map(RetryAfter::At)).flatten())
}

fn reset(headers: &HeaderMap) -> Option<Timestamp> {
    let now = header(headers, DATE.as_str()).and_then(crate::retry_after::date)?;
    crate::retry_after::reset(header(headers, "x-ratelimit-reset")?, now)
}

/// What an answer's head says about the pace of the account.
pub(crate) fn word(status: u16, headers: &HeaderMap) -> Word {
    let now = header(headers, DATE.as_str()).and_then(crate::retry_after::date);
    let wait = |asked| crate::retry_after::from_now(asked, now);
    let asked = asked_wait(status, headers);
    let used_up = header(headers, "x-ratelimit-remaining").is_some_and(|left| left.trim() == "0");
    match status {
        429 => Word::TooMany(asked.and_then(wait)),
        503 if asked.is_some() => Word::TooMany(asked.and_then(wait)),
        200..=499 => match reset(headers).filter(|_| used_up).map(RetryAfter::At).and_then(wait) {
            Some(wait) => Word::UsedUp(wait),
            None => Word::Good,
        },
        _ => Word::Neither,
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn says_html(headers: &HeaderMap) -> bool {
    let html = |value: &str| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
    };
    header(headers, CONTENT_TYPE.as_str()).is_some_and(html)
}
