//! Bodies that carry a document: multipart for new ones, the bytes alone for versions.

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::HttpRequest;
use actix_web::web::Payload;
use futures_util::StreamExt;

use super::flaws::Flaw;
use super::model::Stored;
use super::reply::{Fail, Reply, Result};
use super::route::{self, Route};
use super::serve::NetDocuments;
use super::sink::Sink;
use super::{access, commit, people, reply};
use crate::common::answer::Answer;
use crate::common::conn::Kill;
use crate::common::core::{Call, Core};
use crate::common::dispatch::drain;
use crate::common::params::Params;

/// A field of a form larger than this is a mistake.
const MOST_FIELD: usize = 1 << 20;

/// What a multipart body held.
pub(super) struct Form {
    pub(super) fields: Params,
    pub(super) file_name: String,
    pub(super) file: Option<Arc<Stored>>,
}

struct Limits {
    keep: u64,
    most: Option<u64>,
    truncate: Option<u64>,
    /// The connection ends after so many bytes.
    reset: Option<u64>,
}

/// Why a body came to no end.
enum Broken {
    /// The connection is to end without an answer.
    Gone,
    Refused(Fail),
}

/// Answers a call whose body is a document.
pub(super) async fn receive(
    core: &Core<NetDocuments>,
    call: Call<'_, NetDocuments>,
    req: &HttpRequest,
    mut payload: Payload,
) -> Option<Answer> {
    let route = route::route(call.request);
    let caller = match access::admit(core, &call, &route) {
        Ok(caller) => caller,
        Err(fail) => {
            drain(&mut payload).await;
            return Some(reply::answer(&call, Err(fail)));
        }
    };
    let flaw = |get: fn(&Flaw) -> Option<u64>| call.flaws.iter().find_map(get);
    let limits = Limits {
        keep: core.world().vendor.tenant.keep_bytes,
        most: call.switches.max_upload_bytes,
        truncate: flaw(|it| if let Flaw::Truncate { bytes } = it { Some(*bytes) } else { None }),
        reset: flaw(|it| if let Flaw::ResetAfterRead { bytes } = it { Some(*bytes) } else { None }),
    };
    let multipart = matches!(route.op, "upload" | "create_user");
    let received =
        if multipart { form(req, payload, &limits).await } else { plain(&mut payload, &limits).await };
    let form = match received {
        Ok(form) => form,
        Err(Broken::Refused(fail)) => return Some(reply::answer(&call, Err(fail))),
        Err(Broken::Gone) => {
            if let Some(kill) = req.conn_data::<Kill>() {
                kill.now();
            }
            return None;
        }
    };
    // the work happens when the body is there
    let call = Call { now: core.now(), ..call };
    let result = act(core, &call, &route, &caller, &form);
    let lose = call.switches.drop_after_upload && route.op != "create_user" && result.is_ok();
    if lose { None } else { Some(reply::answer(&call, result)) }
}

fn act(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &access::Caller,
    form: &Form,
) -> Result<Reply> {
    if route.op == "create_user" {
        return people::create(core, call, &form.fields);
    }
    let file = form.file.clone().ok_or_else(|| Fail::parameter("file", "is missing"))?;
    match route.op {
        "new_version" => commit::version(core, call, caller, route.id(0), &call.request.query, file),
        "replace" => commit::replace(core, call, caller, route.id(0), file),
        _ if form.fields.get("action").or(route.ids.first().map(String::as_str)) == Some("checkin") => {
            let id = form.fields.get("id").unwrap_or_default().to_owned();
            commit::version(core, call, caller, &id, &form.fields, file)
        }
        _ => commit::create(core, call, caller, form, file),
    }
}

async fn form(req: &HttpRequest, payload: Payload, limits: &Limits) -> std::result::Result<Form, Broken> {
    let broken = |e: actix_multipart::MultipartError| Broken::Refused(Fail::new(400, e.to_string()));
    let mut multipart = Multipart::new(req.headers(), payload);
    let mut form = Form { fields: Params::default(), file_name: String::new(), file: None };
    while let Some(field) = multipart.next().await {
        let mut field = field.map_err(broken)?;
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let disposition = field.content_disposition();
            form.file_name = disposition.and_then(|it| it.get_filename()).unwrap_or_default().to_owned();
            let mut sink = Sink::new(limits.keep, limits.truncate);
            let mut total = 0;
            while let Some(chunk) = field.next().await {
                let chunk = chunk.map_err(broken)?;
                total += chunk.len() as u64;
                check(total, limits)?;
                sink.write(&chunk);
            }
            form.file = Some(sink.finish());
            continue;
        }
        let mut text = Vec::new();
        while let Some(chunk) = field.next().await {
            text.extend_from_slice(&chunk.map_err(broken)?);
            if text.len() > MOST_FIELD {
                return Err(Broken::Refused(Fail::parameter(&name, "is too large")));
            }
        }
        form.fields.set(&name, &String::from_utf8_lossy(&text));
    }
    Ok(form)
}

async fn plain(payload: &mut Payload, limits: &Limits) -> std::result::Result<Form, Broken> {
    let (mut sink, mut total) = (Sink::new(limits.keep, limits.truncate), 0);
    while let Some(chunk) = payload.next().await {
        let Ok(chunk) = chunk else { return Err(Broken::Gone) };
        total += chunk.len() as u64;
        if let Err(broken) = check(total, limits) {
            drain(payload).await;
            return Err(broken);
        }
        sink.write(&chunk);
    }
    Ok(Form { fields: Params::default(), file_name: String::new(), file: Some(sink.finish()) })
}

fn check(total: u64, limits: &Limits) -> std::result::Result<(), Broken> {
    if limits.reset.is_some_and(|reset| total >= reset) {
        return Err(Broken::Gone);
    }
    if limits.most.is_some_and(|most| total > most) {
        return Err(Broken::Refused(Fail::new(413, "The document is too large")));
    }
    Ok(())
}
