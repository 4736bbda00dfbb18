//! Control of an OAuth simulator for other processes: JSON under `/_control`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::control::Control;
use super::core::{Account, Core, Serve};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    /// Id or mail address; everybody if none.
    #[serde(default)]
    person: Option<String>,
}

/// Answer a control request.
pub(crate) fn handle<V: Serve>(req: &HttpRequest, body: &[u8], core: &Data<Core<V>>) -> HttpResponse {
    let control = Control { core: core.clone().into_inner() };
    let path = req.path().strip_prefix("/_control").unwrap_or_default().trim_matches('/');
    match answer(req.method().as_str(), path, body, &control) {
        Ok(value) => HttpResponse::Ok().json(value),
        Err(message) => HttpResponse::BadRequest().json(json!({ "error": message })),
    }
}

fn answer<V: Serve>(method: &str, path: &str, body: &[u8], control: &Control<V>) -> Result<Value, String> {
    match (method, path) {
        ("GET", "" | "health") => Ok(json!({ "ok": true })),
        ("GET", "stats") => show(control.stats()),
        ("POST", "stats/reset") => Ok(done(|| control.reset_stats())),
        ("GET", "tokens") => show(control.token_events()),
        ("GET", "grants") => show(control.grants()),
        ("GET", "secrets") => show(control.secrets()),
        ("GET", "switches") => show(control.switches()),
        ("POST" | "PATCH", "switches") => {
            control.patch_switches(&parse(body)?).map_err(|e| e.to_string())?;
            show(control.switches())
        }
        ("GET", "faults") => {
            let list = control.faults().into_iter();
            let list = list
                .map(|(rule, matches, fired)| json!({ "rule": rule, "matches": matches, "fired": fired }));
            Ok(list.collect())
        }
        ("POST", "faults") => Ok(json!({ "id": control.add_fault(parse(body)?) })),
        ("DELETE", "faults") | ("POST", "faults/clear") => Ok(done(|| control.clear_faults())),
        ("GET", "people") => show(control.people()),
        ("POST", "people") => change_person(&parse(body)?, control),
        ("GET", "apps") => show(control.apps()),
        ("POST", "apps") => {
            let app = parse(body)?;
            Ok(done(|| control.put_app(app)))
        }
        ("GET", "clock") => Ok(json!({ "now": control.now() })),
        ("POST", "clock") => {
            control.advance(parse::<Advance>(body)?.advance_ms);
            Ok(json!({ "now": control.now() }))
        }
        ("POST", "expire") => Ok(done(|| control.expire_access_tokens())),
        ("POST", "revoke") => {
            let revoked = match parse::<Revoke>(body)?.person {
                Some(person) => control.revoke(&person),
                None => control.revoke_all(),
            };
            Ok(json!({ "revoked": revoked }))
        }
        ("POST", "release") => Ok(done(|| control.release())),
        _ => match (method, path.strip_prefix("faults/").and_then(|id| id.parse().ok())) {
            ("DELETE", Some(id)) => Ok(done(|| control.remove_fault(id))),
            _ => V::control(&control.core, method, path, body)
                .unwrap_or_else(|| Err(format!("no such control route: {method} {path}"))),
        },
    }
}

/// Change the fields named, of the person whose `id` is named; add the person if there is none.
fn change_person<V: Serve>(patch: &Value, control: &Control<V>) -> Result<Value, String> {
    let id = patch.get("id").and_then(Value::as_str).ok_or("id is missing")?;
    let known = control.people().into_iter().find(|p| p.id() == id);
    let mut whole = known.map_or_else(|| Ok(json!({})), show)?;
    if let (Value::Object(whole), Value::Object(patch)) = (&mut whole, patch) {
        whole.extend(patch.clone());
    }
    let person: V::Person = serde_json::from_value(whole).map_err(|e| e.to_string())?;
    control.put_person(person.clone());
    show(person)
}

pub(crate) fn show(value: impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|e| e.to_string())
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // no body means no wishes
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

fn done(act: impl FnOnce()) -> Value {
    act();
    json!({ "ok": true })
}
