//! Control for other processes: JSON under `/_control`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::control::Control;
use super::faults::{Action, Rule};
use super::model::Access;
use super::seed::Seed;
use super::server::Shared;
use crate::common::params::Params;

/// A change of a user; absent fields stay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    id: String,
    allow_logon: Option<bool>,
    is_locked: Option<bool>,
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RightsChange {
    workspace: u64,
    user: Option<String>,
    access: Access,
}

/// A user's lists of workspaces, by number; an absent one stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shelves {
    user: String,
    favourites: Option<Vec<u64>>,
    recent: Option<Vec<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForUser {
    user: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

/// Answer a control request.
pub(super) fn handle(req: &HttpRequest, body: &[u8], shared: &Data<Shared>) -> HttpResponse {
    let control = Control::new(shared.clone().into_inner());
    let path = req.path().strip_prefix("/_control").unwrap_or_default().trim_matches('/');
    match answer(req.method().as_str(), path, &Params::from_query(req.query_string()), body, &control) {
        Ok(value) => HttpResponse::Ok().json(value),
        Err(message) => HttpResponse::BadRequest().json(json!({ "error": message })),
    }
}

fn answer(method: &str, path: &str, query: &Params, body: &[u8], control: &Control) -> Result<Value, String> {
    match (method, path) {
        ("GET", "" | "health") => Ok(json!({ "ok": true })),
        ("GET", "ledger") => ledger(query, control),
        ("GET", "stats") => show(control.stats()),
        ("POST", "stats/reset") => Ok(done(|| control.reset_stats())),
        ("GET", "switches") => show(control.switches()),
        ("POST" | "PATCH", "switches") => {
            control.patch_switches(&parse(body)?).map_err(|e| e.to_string())?;
            show(control.switches())
        }
        ("GET", "faults") => {
            let list: Vec<Value> = control
                .faults()
                .into_iter()
                .map(|(rule, matches, fired)| json!({ "rule": rule, "matches": matches, "fired": fired }))
                .collect();
            Ok(Value::Array(list))
        }
        ("POST", "faults") => Ok(json!({ "id": control.add_fault(parse::<Rule>(body)?) })),
        ("DELETE", "faults") | ("POST", "faults/clear") => Ok(done(|| control.clear_faults())),
        ("POST", "do") => sure(control.apply(&parse::<Action>(body)?)),
        ("GET", "secrets") => show(control.secrets()),
        ("GET", "grants") => show(control.grants()),
        ("GET", "tokens") => show(control.token_events()),
        ("POST", "revoke") => Ok(json!({ "revoked": control.revoke(&parse::<ForUser>(body)?.user) })),
        ("POST", "clock") => {
            let change: Advance = parse(body)?;
            Ok(done(|| control.advance(change.advance_ms)))
        }
        ("POST", "release") => Ok(done(|| control.release())),
        ("POST", "seed") => {
            let seed: Seed = parse(body)?;
            Ok(done(|| control.seed(&seed)))
        }
        ("GET", "users") => show(control.users()),
        ("POST", "users") => {
            let change: UserChange = parse(body)?;
            sure(control.update_user(&change.id, |user| {
                user.allow_logon = change.allow_logon.unwrap_or(user.allow_logon);
                user.is_locked = change.is_locked.unwrap_or(user.is_locked);
                user.password = change.password.clone().or(user.password.take());
            }))
        }
        ("POST", "rights") => {
            let change: RightsChange = parse(body)?;
            sure(control.set_access(change.workspace, change.user.as_deref(), change.access))
        }
        ("GET", "workspaces") => show(control.workspaces()),
        ("GET", "documents") => show(control.documents()),
        ("POST", "shelves") => {
            let change: Shelves = parse(body)?;
            Ok(done(|| {
                if let Some(workspaces) = &change.favourites {
                    control.set_favourites(&change.user, workspaces);
                }
                if let Some(workspaces) = &change.recent {
                    control.set_recent(&change.user, workspaces);
                }
            }))
        }
        ("POST", "token") => {
            let token = control.issue_token(&parse::<ForUser>(body)?.user).ok_or("no such user")?;
            Ok(json!({ "access_token": token }))
        }
        ("POST", "dialog-token") => {
            let token = control.issue_dialog_token(&parse::<ForUser>(body)?.user).ok_or("no such user")?;
            Ok(json!({ "dialog_token": token }))
        }
        _ => match (method, path.strip_prefix("faults/").and_then(|id| id.parse().ok())) {
            ("DELETE", Some(id)) => Ok(done(|| control.remove_fault(id))),
            _ => Err(format!("no such control route: {method} {path}")),
        },
    }
}

/// `?after=&limit=`, or `?mark=`, or `?container=`.
fn ledger(query: &Params, control: &Control) -> Result<Value, String> {
    let number = |name: &str, default: usize| {
        query.number(name).map(|n| n.unwrap_or(default)).map_err(|e| format!("{}: not a number", e.name))
    };
    let entries = if let Some(mark) = query.get("mark") {
        control.by_mark(mark)
    } else if let Some(container) = query.get("container") {
        control.in_container(container)
    } else {
        control.ledger_after(number("after", 0)? as u64, number("limit", 1000)?)
    };
    let last = entries.last().map(|e| e.seq);
    Ok(json!({ "entries": entries, "last": last, "total": control.stats().committed }))
}

fn show(value: impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|e| e.to_string())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

fn done(act: impl FnOnce()) -> Value {
    act();
    json!({ "ok": true })
}

fn sure(found: bool) -> Result<Value, String> {
    if found { Ok(json!({ "ok": true })) } else { Err("nothing there to change".to_owned()) }
}
