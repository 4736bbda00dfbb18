//! Which operation a call is, and the server's place among the simulators.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::web::Payload;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::flaws::Flaw;
use super::model::{Gate, Graph};
use super::switches::{Owner, Standing, Switches};
use super::{control, delta, messages, sample, subscriptions, tokens};
use crate::common::answer::Answer;
use crate::common::authorize::Policy;
use crate::common::bank::Limits;
use crate::common::core::{Call, Core, Serve, Vendor};
use crate::common::options::Options;
use crate::common::request::Request;
use crate::common::throttle::retry_after;

/// Largest body of a subscription.
const LARGEST: usize = 64 << 10;

/// The parts of a path, decoded; `users('a')` is `users/a`.
pub(super) fn parts(path: &str) -> Vec<String> {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let mut all = Vec::new();
    for part in path.trim_matches('/').split('/') {
        match part.split_once("('").or_else(|| part.split_once("(%27")) {
            Some((name, rest)) => {
                let rest = rest.strip_suffix("')").or_else(|| rest.strip_suffix("%27)")).unwrap_or(rest);
                all.push(decoded(name));
                all.push(decoded(rest).replace("''", "'"));
            }
            None => all.push(decoded(part)),
        }
    }
    all
}

/// The operation that a path asks for.
fn operation(method: &str, parts: &[&str]) -> &'static str {
    match (method, parts) {
        ("POST", [_, "oauth2", "v2.0", "token"]) => "token",
        ("GET", ["v1.0", "users", _]) => "user",
        (
            "GET" | "POST",
            ["v1.0", "users", _, "mailFolders"] | ["v1.0", "users", _, "mailFolders", _, "childFolders"],
        ) => "folders",
        ("GET", ["v1.0", "users", _, "mailFolders", _]) => "folder",
        ("GET", ["v1.0", "users", _, "mailFolders", _, "messages"]) => "list",
        ("GET", ["v1.0", "users", _, "mailFolders", _, "messages", "delta"]) => "delta",
        ("GET", ["v1.0", "users", _, "messages", _, "$value"]) => "value",
        ("GET", ["v1.0", "users", _, "messages"]) => "messages",
        ("GET", ["v1.0", "users", _, "messages", _]) => "message",
        ("PATCH", ["v1.0", "users", _, "messages", _]) => "patch",
        ("DELETE", ["v1.0", "users", _, "messages", _]) => "delete",
        ("POST", ["v1.0", "users", _, "messages", _, "move"]) => "move",
        ("POST", ["v1.0", "users", _, "messages", _, "copy"]) => "copy",
        ("GET", ["v1.0", "subscriptions"] | ["v1.0", "subscriptions", _]) => "subscriptions",
        ("POST", ["v1.0", "subscriptions"]) => "subscribe",
        ("PATCH", ["v1.0", "subscriptions", _]) => "renew",
        ("DELETE", ["v1.0", "subscriptions", _]) => "unsubscribe",
        ("POST", ["v1.0", "subscriptions", _, "reauthorize"]) => "reauthorize",
        _ => "unknown",
    }
}

/// An error as Graph writes it.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    let inner = json!({"date": "2026-03-02T09:14:55", "request-id": "5d0e", "client-request-id": "6f1a"});
    let body = json!({"error": {"code": code, "message": message, "innerError": inner}});
    Answer::json(status, &body).header("request-id", "5d0e")
}

pub(super) fn not_there() -> Answer {
    error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
}

/// Whether ids are wanted that stay.
pub(super) fn immutable(request: &Request) -> bool {
    request.header("Prefer").is_some_and(|it| it.to_ascii_lowercase().contains("idtype=\"immutableid\""))
}

/// The most entries of a page that the client wants.
pub(super) fn page_size(request: &Request) -> Option<usize> {
    let prefer = request.header("Prefer")?.to_ascii_lowercase();
    let (_, rest) = prefer.split_once("odata.maxpagesize=")?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Leaves a mailbox again.
struct Inside {
    gates: Arc<Mutex<HashMap<String, Gate>>>,
    user: String,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get_mut(&self.user) {
            gate.inside = gate.inside.saturating_sub(1);
        }
    }
}

impl Vendor for Graph {
    type Switches = Switches;
    type Flaw = Flaw;
    type Person = Owner;
}

impl Serve for Graph {
    const NAME: &'static str = "sim-graph";
    const PREFIX: &'static str = "gr";

    fn sample() -> Options<Self> {
        sample::options()
    }

    fn operation(request: &Request) -> &'static str {
        let parts = parts(&request.path);
        operation(&request.method, &parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn enter(core: &Core<Self>, request: &Request) -> Result<Box<dyn Any>, Answer> {
        let parts = parts(&request.path);
        let [first, second, user, ..] = parts.as_slice() else { return Ok(Box::new(())) };
        if first != "v1.0" || second != "users" {
            return Ok(Box::new(()));
        }
        let (switches, now) = (core.switches(), core.now());
        let world = core.world();
        let user = world.find(user).map_or_else(|| user.clone(), |owner| owner.id.clone());
        let gates = world.vendor.shared_gates();
        drop(world);
        let mut all = gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = all.entry(user.clone()).or_default();
        if gate.until > now {
            gate.impatient += 1;
        }
        if let Some(limit) = &switches.throttle
            && let Err(seconds) = gate.bucket.take(limit, now)
        {
            gate.until = gate.until.max(now + i64::from(seconds) * 1000);
            let answer = error(429, "TooManyRequests", "Too many requests.");
            return Err(match retry_after(limit.retry_after, seconds, now) {
                Some(value) => answer.header("Retry-After", &value),
                None => answer,
            });
        }
        gate.peak = gate.peak.max(gate.inside + 1);
        if gate.inside >= switches.abreast {
            return Err(error(
                429,
                "ApplicationThrottled",
                "Application is over its MailboxConcurrency limit.",
            ));
        }
        gate.inside += 1;
        drop(all);
        Ok(Box::new(Inside { gates, user }))
    }

    fn answer(core: &Core<Self>, call: &Call<'_, Self>) -> Answer {
        let parts = parts(&call.request.path);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if let [tenant, "oauth2", "v2.0", "token"] = parts.as_slice() {
            return tokens::token(core, call, tenant);
        }
        let app = match tokens::caller(core, call) {
            Ok(app) => app,
            Err(answer) => return answer,
        };
        match parts.as_slice() {
            ["v1.0", "users", user, rest @ ..] => match owner(core, user) {
                Ok(owner) => within(core, call, &owner, rest),
                Err(answer) => answer,
            },
            ["v1.0", "subscriptions", rest @ ..] => subscriptions::answer(core, call, &app, rest),
            _ => error(400, "BadRequest", "Resource not found for the segment."),
        }
    }

    /// Subscriptions: the address is called before they are made.
    fn streams(request: &Request) -> bool {
        Self::operation(request) == "subscribe"
    }

    fn receive<'a>(
        core: &'a Core<Self>,
        call: Call<'a, Self>,
        req: &'a HttpRequest,
        mut payload: Payload,
    ) -> LocalBoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            let mut body = BytesMut::new();
            while let Some(Ok(chunk)) = payload.next().await {
                if body.len() + chunk.len() > LARGEST {
                    return Some(error(413, "RequestEntityTooLarge", "Too large."));
                }
                body.extend_from_slice(&chunk);
            }
            let request = Request::new(req, &body.freeze());
            let Call { switches, flaws, now, .. } = call;
            let call = Call::<Self> { request: &request, switches, flaws, now };
            Some(match tokens::caller(core, &call) {
                Ok(app) => subscriptions::make(core, &call, &app).await,
                Err(answer) => answer,
            })
        })
    }

    fn limits(switches: &Switches) -> Limits {
        Limits { access_life_ms: Some(i64::from(switches.access_seconds) * 1000), ..Limits::default() }
    }

    fn policy(_switches: &Switches) -> Policy {
        Policy {
            title: "the simulated Microsoft Graph",
            session_wins: false,
            consent: crate::common::authorize::Consent::Once,
            state: crate::common::authorize::StateEcho::Echo,
            hint_signs_in: false,
            deny: true,
        }
    }

    fn control(
        core: &Arc<Core<Self>>,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Option<Result<Value, String>> {
        control::answer(core, method, path, body)
    }
}

/// Whose mailbox it is, if it may be read.
fn owner(core: &Core<Graph>, user: &str) -> Result<Owner, Answer> {
    let Some(owner) = core.world().find(user).cloned() else {
        return Err(error(404, "ErrorInvalidUser", "The requested user is invalid."));
    };
    match owner.standing {
        Standing::Open => Ok(owner),
        Standing::OutsidePolicy => Err(error(403, "ErrorAccessDenied", "Access to OData is disabled.")),
        Standing::NotInCloud => Err(error(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        )),
    }
}

fn within(core: &Core<Graph>, call: &Call<'_, Graph>, owner: &Owner, rest: &[&str]) -> Answer {
    match (call.request.method.as_str(), rest) {
        ("GET", []) => {
            let name = &owner.email;
            Answer::json(
                200,
                &json!({"id": owner.id, "displayName": owner.name, "mail": name, "userPrincipalName": name}),
            )
        }
        ("GET", ["mailFolders"]) => messages::folders(core, call, owner, None),
        ("POST", ["mailFolders"]) => messages::make_folder(core, call, owner, None),
        ("GET", ["mailFolders", folder]) => messages::folder(core, owner, folder),
        ("GET", ["mailFolders", folder, "childFolders"]) => {
            messages::folders(core, call, owner, Some(folder))
        }
        ("POST", ["mailFolders", folder, "childFolders"]) => {
            messages::make_folder(core, call, owner, Some(folder))
        }
        ("GET", ["mailFolders", folder, "messages"]) => messages::list(core, call, owner, folder),
        ("GET", ["mailFolders", folder, "messages", "delta"]) => delta::answer(core, call, owner, folder),
        ("GET", ["messages"]) => messages::find(core, call, owner),
        (_, ["messages", item, rest @ ..]) => messages::answer(core, call, owner, item, rest),
        _ => error(400, "BadRequest", "Resource not found for the segment."),
    }
}
