//! Paging: `standard` with `offset` and `total`, or `standard_cursor` with an opaque `cursor`.

use serde_json::{Map, Value, json};

use super::error::{ApiError, Result};
use super::reply::{Reply, envelope};
use super::switches::{EmptySearch, Switches};
use crate::common::params::Params;

/// Mixed into cursors so that nobody mistakes them for offsets.
const SALT: usize = 0x5EED_C0DE;

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) cursor_mode: bool,
    offset: usize,
    limit: usize,
    total: bool,
}

/// One page of a listing.
#[derive(Debug)]
pub(super) struct Paged<T> {
    pub(super) items: Vec<T>,
    total: Option<usize>,
    /// Set in cursor mode when more follows.
    cursor: Option<String>,
    /// More matches exist than are here.
    pub(super) more: bool,
    first_page: bool,
}

impl Page {
    pub(super) fn from(params: &Params, switches: &Switches) -> Result<Self> {
        let cursor_mode = params.get("paging_mode") == Some("standard_cursor");
        let limit = params.number("limit")?.unwrap_or(switches.default_limit).min(switches.max_limit);
        // in cursor mode `offset` and `total` are ignored
        let offset = match params.get("cursor") {
            Some(cursor) if cursor_mode => {
                decode(cursor).ok_or_else(|| ApiError::invalid("cursor", "Bad cursor"))?
            }
            _ if cursor_mode => 0,
            _ => params.number("offset")?.unwrap_or(0),
        };
        Ok(Self { cursor_mode, offset, limit, total: !cursor_mode && params.flag("total") })
    }

    /// Cut the page out of everything that matches; stops as soon as it knows enough.
    pub(super) fn cut<T>(&self, all: impl IntoIterator<Item = T>, switches: &Switches) -> Paged<T> {
        let mut all = all.into_iter();
        let skipped = all.by_ref().take(self.offset).count();
        let items: Vec<T> = all.by_ref().take(self.limit).collect();
        let count_all = self.total || (self.cursor_mode && !switches.cursor_drops_total);
        let rest = if count_all { all.count() } else { usize::from(all.next().is_some()) };
        let end = self.offset + items.len();
        Paged {
            total: count_all.then_some(skipped + items.len() + rest),
            cursor: (self.cursor_mode && rest > 0 && !items.is_empty()).then(|| format!("c{:x}", end ^ SALT)),
            more: rest > 0,
            first_page: self.offset == 0,
            items,
        }
    }
}

fn decode(cursor: &str) -> Option<usize> {
    Some(usize::from_str_radix(cursor.strip_prefix('c')?, 16).ok()? ^ SALT)
}

impl Paged<Value> {
    /// `{"data": […]}`, the form of listings.
    pub(super) fn listing(self) -> Reply {
        let (items, rest) = self.split();
        Reply::Json(200, merge(Value::Array(items), rest))
    }

    /// `{"data": {"results": […]}}`, the form of GET searches; an empty one may be a 404.
    pub(super) fn results(self, switches: &Switches) -> Result<Reply> {
        self.not_empty(switches)?;
        let (items, rest) = self.split();
        let results = Map::from_iter([("results".to_owned(), Value::Array(items))]);
        Ok(Reply::Json(200, merge(Value::Object(results), rest)))
    }

    pub(super) fn not_empty(&self, switches: &Switches) -> Result<()> {
        if self.items.is_empty() && self.first_page && switches.empty_search == EmptySearch::NotFound {
            return Err(ApiError::no_record());
        }
        Ok(())
    }

    fn split(self) -> (Vec<Value>, Map<String, Value>) {
        let mut rest = Map::new();
        if let Some(total) = self.total {
            rest.insert("total_count".into(), json!(total));
        }
        if let Some(cursor) = self.cursor {
            rest.insert("cursor".into(), json!(cursor));
        }
        (self.items, rest)
    }
}

fn merge(data: Value, rest: Map<String, Value>) -> Value {
    let mut body = envelope(data);
    body.extend(rest);
    Value::Object(body)
}

impl<T> Paged<T> {
    /// Render the items.
    pub(super) fn map<U>(self, render: impl FnMut(T) -> U) -> Paged<U> {
        let Self { items, total, cursor, more, first_page } = self;
        Paged { items: items.into_iter().map(render).collect(), total, cursor, more, first_page }
    }
}
