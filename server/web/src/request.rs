//! What happens around every request: its id, the answer's common headers, the one log line, the counters, and a net under
//! handlers that panic.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};
use futures_util::FutureExt;
use postroom_api::problem::Code;

use crate::app::Shared;
use crate::auth::CallerName;
use crate::fault::Fault;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps every request.
pub(crate) async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(app) = request.app_data::<web::Data<Shared>>().map(|app| Arc::clone(&**app)) else {
        return Err(Fault::internal("no app data").into());
    };
    let trace_id = new_id(&app);
    let began = app.clock.monotonic();
    let method = request.method().clone();
    app.open.fetch_add(1, Ordering::Relaxed);
    // The future is dropped when the client leaves; the count must not stay up.
    let _open = Open(&app);
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let took = app.clock.monotonic().saturating_sub(began);
    match answer {
        Ok(Ok(answer)) => Ok(finish(&app, answer.map_into_boxed_body(), &trace_id, &method, took)),
        Ok(Err(error)) => {
            let mut fault = fault_of(&error);
            fault.trace(&trace_id);
            log(&method, "-", fault.status_code(), took, "-", &trace_id, fault.for_log());
            Err(fault.into())
        }
        Err(_) => {
            // The panic's own text is in the log by the panic hook.
            let mut fault = Fault::internal("the handler panicked");
            fault.trace(&trace_id);
            log(&method, "-", fault.status_code(), took, "-", &trace_id, fault.for_log());
            Err(fault.into())
        }
    }
}

struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn new_id(app: &Shared) -> String {
    let mut bytes = [0; 8];
    app.entropy.fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// The fault behind an error, also of those that actix makes itself.
pub(crate) fn fault_of(error: &Error) -> Fault {
    if let Some(fault) = error.as_error::<Fault>() {
        return fault.clone();
    }
    let status = error.as_response_error().status_code();
    let code = match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::WrongMediaType,
        StatusCode::REQUEST_TIMEOUT => Code::Stalled,
        status if status.is_client_error() => Code::BadBody,
        _ => return Fault::internal(error.to_string()),
    };
    Fault::new(code, error.to_string())
}

fn finish(
    app: &Shared,
    answer: ServiceResponse<BoxBody>,
    trace_id: &str,
    method: &Method,
    took: Duration,
) -> ServiceResponse<BoxBody> {
    let route = answer.request().match_pattern().unwrap_or_else(|| "-".to_owned());
    let caller = answer.request().extensions().get::<CallerName>().map(|caller| Arc::clone(&caller.0));
    let caller = caller.as_ref().map_or("-", |principal| principal.name.as_str());
    let fault = answer.response().error().map(fault_of);
    log(method, &route, answer.status(), took, caller, trace_id, fault.as_ref().and_then(Fault::for_log));
    let mut answer = match fault {
        Some(mut fault) => {
            fault.trace(trace_id);
            let (request, _) = answer.into_parts();
            ServiceResponse::new(request, fault.error_response())
        }
        None => answer,
    };
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::from_str(trace_id) {
        headers.insert(REQUEST_ID, id);
    }
    if crate::routes::is_tus(&route) {
        for name in ["tus-resumable", "tus-version"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(crate::routes::PROTOCOL));
        }
    }
    crate::headers::bound(headers, app.identity.is_https());
    answer
}

/// One line per request: never the address's parameters, a body or a token.
fn log(
    method: &Method,
    route: &str,
    status: StatusCode,
    took: Duration,
    caller: &str,
    trace_id: &str,
    for_log: Option<&str>,
) {
    metrics::counter!(
        "postroom_http_requests_total",
        "method" => method_name(method),
        "route" => route.to_owned(),
        "status" => status.as_u16().to_string()
    )
    .increment(1);
    metrics::histogram!("postroom_http_seconds", "route" => route.to_owned()).record(took.as_secs_f64());
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    match for_log {
        Some(why) if status >= 500 => tracing::error!(
            http.method = %method, http.route = route, http.status = status, http.ms = millis, principal = caller,
            trace_id, error = why, "a request failed"
        ),
        _ => tracing::info!(
            http.method = %method, http.route = route, http.status = status, http.ms = millis, principal = caller,
            trace_id, "a request was answered"
        ),
    }
}

/// Methods that clients make up must not become labels.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        _ => "other",
    }
}
