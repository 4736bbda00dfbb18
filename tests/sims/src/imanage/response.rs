//! Responses: a handler's result, an answer made by a fault, or the end of the connection.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use super::error::{Result, render};
use super::reply::Reply;
use super::rules::{Forced, Plan};
use super::server::Shared;
use super::switches::Switches;
use crate::common::conn::{CutBody, Kill};

/// Marks the stand-in for an answer that never reaches the client.
struct Dropped;

/// End the connection. The response only tells the statistics.
pub(super) fn dropped(req: &HttpRequest) -> HttpResponse {
    if let Some(kill) = req.conn_data::<Kill>() {
        kill.now();
    }
    let mut stand_in = HttpResponse::ServiceUnavailable().force_close().finish();
    stand_in.extensions_mut().insert(Dropped);
    stand_in
}

pub(super) fn is_dropped(response: &HttpResponse) -> bool {
    response.extensions().get::<Dropped>().is_some()
}

/// The answer a fault prescribes.
pub(super) fn force(forced: &Forced, switches: &Switches, shared: &Shared) -> HttpResponse {
    let kind = forced.body.unwrap_or(switches.error_body);
    let text = format!("Simulated {}", forced.status);
    let (content_type, body) =
        render(kind, forced.status, "SIM_FAULT", &text, None, switches, shared.transaction());
    let mut response = HttpResponse::build(status(forced.status));
    response.insert_header((CONTENT_TYPE, content_type));
    for (name, value) in &forced.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            response.insert_header((name, value));
        }
    }
    response.body(body)
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to the work.
pub(super) fn respond(
    req: &HttpRequest,
    result: Result<Reply>,
    switches: &Switches,
    shared: &Shared,
    plan: &Plan,
) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::OK);
    let (content_type, body) = match result {
        Ok(Reply::Json(code, value)) => {
            response.status(status(code));
            ("application/json", Bytes::from(value.to_string()))
        }
        Ok(Reply::Bytes { name, bytes }) => {
            let name: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' })
                .collect();
            response.insert_header(("Content-Disposition", format!("attachment; filename=\"{name}\"")));
            ("application/octet-stream", bytes)
        }
        Ok(Reply::Html(page)) => ("text/html; charset=utf-8", Bytes::from(page)),
        Ok(Reply::Redirect(target)) => {
            response.status(StatusCode::FOUND).insert_header((LOCATION, target));
            ("text/plain", Bytes::new())
        }
        Err(error) => {
            response.status(status(error.status));
            if let Some(wait) = (error.status == 429).then(|| shared.retry_after()).flatten() {
                response.insert_header(("Retry-After", wait));
            }
            let (content_type, text) = error.body(switches, shared.transaction());
            (content_type, Bytes::from(text))
        }
    };
    response.insert_header((CONTENT_TYPE, content_type));
    match plan.cut_answer {
        Some(after) => response.force_close().body(CutBody::new(&body, after, req.conn_data::<Kill>())),
        None => response.body(body),
    }
}
