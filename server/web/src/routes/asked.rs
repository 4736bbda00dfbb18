//! Reading what the address and the headers ask: parameters, ids, cursors, versions.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev, web};
use postroom_api::decision::if_match;
use postroom_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use postroom_api::problem::Code;
use postroom_domain::query::Window;
use serde::de::DeserializeOwned;

use crate::fault::{Answer, Fault};

/// The parameters of the address; unknown ones are refused by name.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Asked<T> {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(match web::Query::<T>::from_query(request.query_string()) {
            Ok(query) => Ok(Self(query.into_inner())),
            Err(error) => Err(error.into()),
        })
    }
}

/// The one variable part of the address, as an id or name.
pub(crate) struct Named<T>(pub(crate) T);

impl<T> FromRequest for Named<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let text = request.match_info().iter().next().map_or("", |(_, text)| text);
        ready(match text.parse() {
            Ok(id) => Ok(Self(id)),
            Err(error) => Err(Fault::new(Code::BadValue, format!("The address: {error}."))),
        })
    }
}

/// What `If-Match` says: the version that the caller looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(
    /// None for `*`: whatever it is now.
    pub(crate) Option<u64>,
);

impl FromRequest for Seen {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(match request.headers().get(header::IF_MATCH).map(|value| value.to_str().unwrap_or("")) {
            None => Err(Fault::new(Code::VersionNeeded, "The request has no If-Match header.")),
            Some("*") => Ok(Self(None)),
            Some(text) => match if_match(text) {
                Some(version) => Ok(Self(Some(version))),
                None => Err(Fault::value("If-Match", "is not a version in quotes, such as \"3\", nor *")),
            },
        })
    }
}

/// The part of a list that is asked for.
pub(crate) fn window<Id: FromStr>(limit: Option<usize>, cursor: Option<&str>) -> Answer<Window<Id>> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Fault::value("limit", format!("is {limit}, not 1 to {MAX_LIMIT}")));
    }
    let before = match cursor {
        None | Some("") => None,
        Some(text) => match text.parse() {
            Ok(id) => Some(id),
            Err(_) => return Err(Fault::new(Code::BadCursor, "The cursor is not the `next` of a page.")),
        },
    };
    Ok(Window { before, limit })
}
