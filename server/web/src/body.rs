//! Reading request bodies: bounded in bytes and in time, whatever the client does.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use postroom_api::problem::Code;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::app::Shared;
use crate::fault::Fault;

pub(crate) mod multipart;

/// Why a body could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// The client stopped sending for this long.
    Stalled(Duration),
    /// The whole request took longer than this.
    TooSlow(Duration),
    /// More bytes than this.
    TooLarge(u64),
    /// The body ended before it was complete, or the connection broke.
    Truncated,
    /// It cannot be decoded.
    Malformed(String),
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Stalled(wait) => {
                Self::new(Code::Stalled, format!("No byte came for {} s.", wait.as_secs_f32()))
            }
            BodyError::TooSlow(limit) => Self::new(
                Code::Stalled,
                format!("The request was not complete after {} s.", limit.as_secs_f32()),
            ),
            BodyError::TooLarge(limit) => {
                Self::new(Code::TooLarge, format!("The body has more than {limit} bytes."))
            }
            BodyError::Truncated => Self::new(Code::BadUpload, "The body ended before it was complete."),
            BodyError::Malformed(what) => Self::new(Code::BadUpload, what),
        }
    }
}

/// A body as it comes in, with its limits.
pub(crate) struct Body {
    payload: web::Payload,
    left: u64,
    limit: u64,
    idle: Duration,
    total: Duration,
    deadline: Instant,
}

impl Body {
    /// A body of at most `limit` bytes, with at most `idle` between two pieces and `total` for all of them.
    pub(crate) fn new(payload: web::Payload, limit: u64, idle: Duration, total: Duration) -> Self {
        Self { payload, left: limit, limit, idle, total, deadline: Instant::now() + total }
    }

    /// The next piece; none at the end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        let until = self.deadline.min(Instant::now() + self.idle);
        let piece = tokio::time::timeout_at(until, self.payload.next()).await.map_err(|_| {
            if until == self.deadline {
                BodyError::TooSlow(self.total)
            } else {
                BodyError::Stalled(self.idle)
            }
        })?;
        match piece {
            None => Ok(None),
            Some(Ok(bytes)) => {
                let length = bytes.len() as u64;
                self.left = self.left.checked_sub(length).ok_or(BodyError::TooLarge(self.limit))?;
                Ok(Some(bytes))
            }
            Some(Err(PayloadError::Overflow)) => Err(BodyError::TooLarge(self.limit)),
            Some(Err(PayloadError::Incomplete(_) | PayloadError::Io(_))) => Err(BodyError::Truncated),
            Some(Err(other)) => Err(BodyError::Malformed(format!("the body cannot be read: {other}"))),
        }
    }
}

/// A JSON body, every mistake in it named.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body that may be long: a list of ids.
pub(crate) struct LongJson<T>(pub(crate) T);

/// How long such a body may be, in bytes: all the ids of the largest set.
const LONG: u64 = 3 << 20;

/// A JSON body that may be left out altogether.
pub(crate) struct JsonOrNothing<T>(pub(crate) T);

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, Fault>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Fault;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = json_bytes(request, payload, 0);
        Box::pin(async move { Ok(Self(postroom_api::body::parse(&bytes.await?)?)) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for LongJson<T> {
    type Error = Fault;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = json_bytes(request, payload, LONG);
        Box::pin(async move { Ok(Self(postroom_api::body::parse(&bytes.await?)?)) })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for JsonOrNothing<T> {
    type Error = Fault;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = json_bytes(request, payload, 0);
        Box::pin(async move {
            let bytes = bytes.await?;
            Ok(Self(if bytes.is_empty() { T::default() } else { postroom_api::body::parse(&bytes)? }))
        })
    }
}

/// The body, of at most the usual length, or of `at_least` where that is more.
fn json_bytes(
    request: &HttpRequest,
    payload: &mut dev::Payload,
    at_least: u64,
) -> impl Future<Output = Result<BytesMut, Fault>> + use<> {
    let request = request.clone();
    let payload = web::Payload::from_request(&request, payload);
    async move {
        let app = request.app_data::<web::Data<Shared>>().ok_or_else(|| Fault::internal("no app data"))?;
        let payload = payload.await.map_err(|error| Fault::internal(error.to_string()))?;
        let limits = &app.limits;
        let mut body = Body::new(payload, limits.json.max(at_least), limits.body_idle, limits.body_total);
        let mut bytes = BytesMut::new();
        while let Some(piece) = body.piece().await.map_err(json_fault)? {
            bytes.extend_from_slice(&piece);
        }
        if !bytes.is_empty() && !request.content_type().eq_ignore_ascii_case("application/json") {
            return Err(Fault::new(Code::WrongMediaType, "This route takes application/json."));
        }
        Ok(bytes)
    }
}

fn json_fault(error: BodyError) -> Fault {
    match error {
        BodyError::Truncated => Fault::new(Code::BadBody, "The body ended before it was complete."),
        BodyError::Malformed(what) => Fault::new(Code::BadBody, what),
        other => other.into(),
    }
}
