//! Subscriptions, and what is told to their addresses.

use std::time::Duration;

use serde_json::{Value, json};

use super::model::{Graph, Subscription};
use super::serve::{error, immutable, not_there, parts};
use super::switches::Owner;
use crate::common::answer::{Answer, with_query};
use crate::common::core::{Call, Core};
use crate::common::post::post;

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default()
}

fn shown(it: &Subscription) -> Value {
    json!({
        "id": it.id, "applicationId": it.app, "creatorId": it.app, "resource": it.resource, "changeType": it.kinds,
        "notificationUrl": it.url, "lifecycleNotificationUrl": it.lifecycle, "clientState": null,
        "expirationDateTime": time(it.ends),
    })
}

/// All but making one.
pub(super) fn answer(core: &Core<Graph>, call: &Call<'_, Graph>, app: &str, rest: &[&str]) -> Answer {
    let mut world = core.world();
    let all = &mut world.vendor.subscriptions;
    all.retain(|_, it| it.ends > call.now);
    match (call.request.method.as_str(), rest) {
        ("GET", []) => {
            let list: Vec<Value> = all.values().filter(|it| it.app == app).map(shown).collect();
            Answer::json(200, &json!({ "value": list }))
        }
        (method, [id, rest @ ..]) => {
            let Some(known) = all.get_mut(*id).filter(|it| it.app == app) else { return not_there() };
            match (method, rest) {
                ("GET", []) => Answer::json(200, &shown(known)),
                ("DELETE", []) => {
                    all.remove(*id);
                    Answer::new(204, "text/plain", "")
                }
                ("POST", ["reauthorize"]) => Answer::new(204, "text/plain", ""),
                ("PATCH", []) => {
                    let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
                    match ends(&body, call) {
                        Ok(ends) => {
                            known.ends = ends;
                            Answer::json(200, &shown(known))
                        }
                        Err(answer) => answer,
                    }
                }
                _ => error(405, "MethodNotAllowed", "The method is not allowed."),
            }
        }
        _ => error(405, "MethodNotAllowed", "The method is not allowed."),
    }
}

fn ends(body: &Value, call: &Call<'_, Graph>) -> Result<i64, Answer> {
    let wrong = |text: &str| error(400, "InvalidRequest", text);
    let ends: Option<jiff::Timestamp> = body["expirationDateTime"].as_str().and_then(|it| it.parse().ok());
    let ends = ends.ok_or_else(|| wrong("expirationDateTime is not a time."))?.as_millisecond();
    let longest = i64::from(call.switches.subscription_minutes) * 60_000;
    if ends <= call.now || ends > call.now + longest {
        return Err(wrong("Subscription expiration can only be 4230 minutes in the future."));
    }
    Ok(ends)
}

/// `POST /subscriptions`: each address has to give the validation token back first.
pub(super) async fn make(core: &Core<Graph>, call: &Call<'_, Graph>, app: &str) -> Answer {
    let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
    let subscription = match read(core, call, app, &body) {
        Ok(subscription) => subscription,
        Err(answer) => return answer,
    };
    for url in std::iter::once(&subscription.url).chain(&subscription.lifecycle) {
        let token = format!(
            "Validation: Testing client application reachability & 100% \u{e4}=+/ {}",
            subscription.id
        );
        let at = with_query(url, &[("validationToken", &token)]);
        let patience = Duration::from_millis(call.switches.validation_ms);
        let answered =
            actix_web::web::block(move || post(&at, "text/plain; charset=utf-8", None, b"", patience)).await;
        let right = matches!(&answered, Ok(Ok((200, media, said))) if media.starts_with("text/plain") && *said == token);
        if !right {
            let text = "Subscription validation request failed. Must respond with 200 OK to this request.";
            return error(400, "InvalidRequest", text);
        }
    }
    let answer = Answer::json(201, &shown(&subscription));
    core.world().vendor.subscriptions.insert(subscription.id.clone(), subscription);
    answer
}

fn read(core: &Core<Graph>, call: &Call<'_, Graph>, app: &str, body: &Value) -> Result<Subscription, Answer> {
    let wrong = |text: &str| error(400, "InvalidRequest", text);
    let text = |key: &str| body[key].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let url = text("notificationUrl").ok_or_else(|| wrong("notificationUrl is missing."))?;
    let secret = text("clientState").ok_or_else(|| wrong("clientState is missing."))?;
    if secret.len() > 128 {
        return Err(wrong("clientState is too long."));
    }
    let lifecycle = text("lifecycleNotificationUrl");
    let host = |url: &str| url.split('/').nth(2).unwrap_or_default().to_owned();
    if lifecycle.as_ref().is_some_and(|it| host(it) != host(&url)) {
        return Err(wrong("lifecycleNotificationUrl must be on the host of notificationUrl."));
    }
    let ends = ends(body, call)?;
    let resource = text("resource").ok_or_else(|| wrong("resource is missing."))?;
    let path = parts(&resource);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let ["users" | "Users", user, "mailFolders", folder, "messages"] = path.as_slice() else {
        return Err(wrong("The resource is not supported."));
    };
    let mut world = core.world();
    let user = world.find(user).map(|owner| owner.id.clone());
    let user = user.ok_or_else(|| wrong("The user is not known."))?;
    let folder = world.vendor.mailbox(&user).folder(folder).map(|it| it.id.clone());
    let folder = folder.ok_or_else(|| wrong("The folder is not known."))?;
    if world.vendor.subscriptions.len() >= call.switches.subscriptions {
        return Err(error(403, "ExtensionError", "Number of subscriptions is over the limit."));
    }
    drop(world);
    let id = core.bank().random();
    Ok(Subscription {
        id,
        app: app.to_owned(),
        user,
        folder,
        resource,
        kinds: text("changeType").unwrap_or_default(),
        url,
        lifecycle,
        secret,
        ends,
        immutable: immutable(call.request),
    })
}

/// Tells whoever subscribed to the folder that a message is in.
pub(super) fn tell(core: &Core<Graph>, owner: &Owner, number: u64, kind: &str, now: i64) {
    let switches = core.switches();
    if !switches.notifications {
        return;
    }
    let mut world = core.world();
    let Some(message) = world.vendor.mailbox(&owner.id).messages.get(&number).cloned() else { return };
    let postman = world.vendor.postman.clone();
    let wants = |it: &&Subscription| {
        let same = it.user == owner.id && it.folder == message.folder;
        same && it.ends > now && it.kinds.split(',').any(|it| it.trim() == kind)
    };
    let all: Vec<Subscription> = world.vendor.subscriptions.values().filter(wants).cloned().collect();
    drop(world);
    for it in all {
        let id = message.id(it.immutable);
        let one = |subscription: &str, secret: &str| {
            json!({
                "id": format!("n-{number}"), "subscriptionId": subscription, "subscriptionExpirationDateTime": time(it.ends),
                "clientState": secret, "changeType": kind, "tenantId": switches.tenant,
                "resource": format!("Users/{}/Messages/{id}", owner.id),
                "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "id": id},
            })
        };
        let mut list = vec![one(&it.id, &it.secret)];
        if switches.notify_strangers {
            list.insert(0, one("a-strangers", "nobody knows this"));
            list.push(one(&it.id, "wrong"));
        }
        let body = json!({ "value": list }).to_string();
        for _ in 0..=usize::from(switches.notify_twice) {
            postman.send(&it.url, None, body.clone());
        }
    }
}

/// Tells every subscription's own address what becomes of it.
pub(super) fn lifecycle(core: &Core<Graph>, kind: &str) -> usize {
    let world = core.world();
    let (postman, tenant) = (world.vendor.postman.clone(), core.switches().tenant.clone());
    let mut told = 0;
    for it in world.vendor.subscriptions.values() {
        let Some(url) = &it.lifecycle else { continue };
        let one = json!({
            "subscriptionId": it.id, "subscriptionExpirationDateTime": time(it.ends), "tenantId": tenant,
            "clientState": it.secret, "lifecycleEvent": kind,
        });
        postman.send(url, None, json!({ "value": [one] }).to_string());
        told += 1;
    }
    told
}
