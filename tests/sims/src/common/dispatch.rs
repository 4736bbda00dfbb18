//! One call from request to response, with what the faults do to it.

use std::time::Duration;

use actix_web::body::BodyStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

use super::answer::Answer;
use super::authorize;
use super::conn::{CutBody, Kill};
use super::control_http;
use super::core::{Call, Core, Serve};
use super::mischief::{Plan, Whose};
use super::request::Request;

/// Largest request body.
const MAX_BODY: usize = 2 << 20;
/// Piece of a huge answer.
const CHUNK: u64 = 64 << 10;

/// A refresh that waits for its answer.
struct Refreshing<'a, V: Serve> {
    core: &'a Core<V>,
    grant: u64,
}

impl<V: Serve> Drop for Refreshing<'_, V> {
    fn drop(&mut self) {
        self.core.bank().leave(self.grant);
    }
}

/// Every request comes through here.
pub(crate) async fn handle<V: Serve>(
    req: HttpRequest,
    mut payload: Payload,
    core: Data<Core<V>>,
) -> HttpResponse {
    let streams = !req.path().starts_with("/_") && V::streams(&Request::new(&req, &Bytes::new()));
    let body = if streams { Bytes::new() } else { read(&mut payload).await };
    if req.path().starts_with("/_control") {
        return control_http::handle(&req, &body, &core);
    }
    let request = Request::new(&req, &body);
    let op = operation::<V>(&request);
    let _inside = match V::enter(&core, &request) {
        Ok(inside) => inside,
        Err(answer) => {
            core.calls.count(op, answer.status);
            return respond(&req, &core, answer, &Plan::default());
        }
    };
    let _refreshing = (request.form.get("grant_type") == Some("refresh_token")).then(|| {
        let token = request.form.get("refresh_token").unwrap_or_default();
        Refreshing { core: &core, grant: core.bank().enter(token) }
    });
    let mut plan = Plan::default();
    let fired = core.rules.hit(op, &request.method, &request.path, |action, _| {
        plan.note(action, &core.base);
        true
    });
    core.fault(fired);
    let document = streams.then_some((&req, payload));
    let answer = serve(&core, &request, op, &plan, document).await;
    core.calls.count(op, answer.as_ref().map_or(0, |a| a.status));
    match answer {
        Some(answer) => respond(&req, &core, answer, &plan),
        None => dropped(&req),
    }
}

fn operation<V: Serve>(request: &Request) -> &'static str {
    if request.path.starts_with("/_page/") {
        "page"
    } else if request.path.starts_with("/_elsewhere") {
        "elsewhere"
    } else {
        V::operation(request)
    }
}

/// The answer; `None` if the connection is to end without one.
async fn serve<V: Serve>(
    core: &Core<V>,
    request: &Request,
    op: &'static str,
    plan: &Plan<V::Flaw>,
    document: Option<(&HttpRequest, Payload)>,
) -> Option<Answer> {
    if plan.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(plan.delay_ms)).await;
    }
    if plan.hang {
        core.released().await;
    }
    if plan.close {
        return None;
    }
    if plan.expire {
        core.bank().expire_access();
    }
    match &plan.revoke {
        Whose::Nobodys => {}
        Whose::Everybodys => {
            core.revoke(None);
        }
        Whose::Of(person) => {
            core.revoke(Some(person));
        }
    }
    if let Some(forced) = &plan.answer {
        if let Some((_, mut payload)) = document {
            drain(&mut payload).await;
        }
        return Some(forced.clone());
    }
    let answer = match op {
        "page" => {
            let id = request.path.trim_start_matches("/_page/");
            authorize::decide(core, id, request, &plan.flaws)
        }
        "elsewhere" => Answer::new(200, "text/plain", "Nobody should be here\n"),
        _ => {
            let switches = core.switches();
            let call = Call::<V> { request, switches: &switches, flaws: &plan.flaws, now: core.now() };
            match document {
                Some((req, payload)) => V::receive(core, call, req, payload).await?,
                None => V::answer(core, &call),
            }
        }
    };
    if plan.lose_answer {
        return None;
    }
    Some(plan.after_commit.map_or(answer, |status| Answer::new(status, "text/plain", "")))
}

/// End the connection without a status.
fn dropped(req: &HttpRequest) -> HttpResponse {
    if let Some(kill) = req.conn_data::<Kill>() {
        kill.now();
    }
    HttpResponse::ServiceUnavailable().force_close().finish()
}

fn respond<V: Serve>(
    req: &HttpRequest,
    core: &Core<V>,
    answer: Answer,
    plan: &Plan<V::Flaw>,
) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, answer.content_type));
    if let Ok(at) = jiff::Timestamp::from_millisecond(core.now()) {
        // clients measure the skew of clocks by this
        response.insert_header(("Date", at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    }
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            response.append_header((name, value));
        }
    }
    if let Some(bytes) = plan.huge {
        return response.body(BodyStream::new(huge(bytes)));
    }
    match plan.cut_answer {
        Some(after) => {
            response.force_close().body(CutBody::new(&answer.body, after, req.conn_data::<Kill>()))
        }
        None => response.body(answer.body),
    }
}

/// A JSON object of about so many bytes.
fn huge(bytes: u64) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    static FILLER: [u8; 64 << 10] = [b'x'; 64 << 10];
    let pieces = stream::iter(0..bytes.div_ceil(CHUNK)).map(|_| Ok(Bytes::from_static(&FILLER)));
    let piece = |text: &'static str| stream::iter([Ok(Bytes::from_static(text.as_bytes()))]);
    piece("{\"filler\":\"").chain(pieces).chain(piece("\"}"))
}

async fn read(payload: &mut Payload) -> Bytes {
    let mut body = BytesMut::new();
    while let Some(Ok(chunk)) = payload.next().await {
        if body.len() + chunk.len() > MAX_BODY {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

/// How much of an unwanted document is read so that the client gets to see the answer.
const MAX_DRAIN: usize = 8 << 20;

/// Read the rest of a body nobody wants.
pub(crate) async fn drain(payload: &mut Payload) {
    let mut read = 0;
    while let Some(Ok(chunk)) = payload.next().await {
        read += chunk.len();
        if read > MAX_DRAIN {
            break;
        }
    }
}
