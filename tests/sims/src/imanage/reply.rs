//! What a handler gives back, before it becomes an HTTP response.

use bytes::Bytes;
use serde_json::{Map, Value};

/// A successful answer.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Json(u16, Value),
    Bytes { name: String, bytes: Bytes },
    Html(String),
    Redirect(String),
}

impl Reply {
    /// `{"data": …}` with 200.
    pub(super) fn data(data: Value) -> Self {
        Self::Json(200, Value::Object(envelope(data)))
    }
}

/// `{"data": …}`, to which paging and warnings are added.
pub(super) fn envelope(data: Value) -> Map<String, Value> {
    Map::from_iter([("data".to_owned(), data)])
}
