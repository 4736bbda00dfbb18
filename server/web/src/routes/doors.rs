//! Stop and go for sources, destinations and accounts.

use actix_web::{HttpResponse, post, web};
use postroom_api::pause::{DoorAnswer, DoorKind, PauseBody, PauseView, ResumeBody};
use postroom_api::problem::Problem;
use postroom_domain::desk::{DeskError, WatchedAccount};
use postroom_domain::ids::{PersonId, ServiceName, SiteName, SourceName};
use postroom_domain::link::Link;
use postroom_domain::store;

use super::asked::Named;
use crate::app::Shared;
use crate::auth::{Allowed, Pause};
use crate::body::{Json, JsonOrNothing};
use crate::fault::{Answer, Fault};

fn source(app: &Shared, name: &SourceName) -> Answer<String> {
    let known = app.sources.iter().any(|source| source.name == *name);
    known
        .then(|| DoorKind::Source.door(name.as_str()))
        .ok_or_else(|| Fault::not_found(format_args!("source \"{name}\"")))
}

fn destination(app: &Shared, name: &ServiceName) -> Answer<String> {
    let known = app.control.destinations().iter().any(|destination| destination.name == *name);
    known
        .then(|| DoorKind::Destination.door(name.as_str()))
        .ok_or_else(|| Fault::not_found(format_args!("destination \"{name}\"")))
}

/// An account that the caller may stop, as a door.
async fn account(
    app: &Shared,
    caller: &Allowed<Pause>,
    (service, who): (String, String),
) -> Answer<(String, WatchedAccount)> {
    let unknown = || Fault::not_found(format_args!("account \"{service}/{who}\""));
    let at: ServiceName = service.parse().map_err(|_| unknown())?;
    let whose: Option<PersonId> = match who.as_str() {
        "system" => None,
        id => Some(id.parse().map_err(|_| unknown())?),
    };
    let found = app.identity.people.watched_account(caller.principal(), &at, whose).await;
    match found {
        Ok(account) => Ok((Link::door(&at, whose), account)),
        Err(DeskError::NotFound) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

async fn stop(
    app: &Shared,
    caller: &Allowed<Pause>,
    door: String,
    site: Option<SiteName>,
    body: PauseBody,
) -> Answer {
    if body.reason.trim().is_empty() {
        return Err(Fault::value("reason", "must not be blank for this"));
    }
    let since = app.clock.now();
    if body.until.is_some_and(|until| until <= since) {
        return Err(Fault::value("until", format!("is not in the future; the server's time is {since}")));
    }
    let pause = store::Pause {
        door,
        site,
        by: caller.principal().name.clone(),
        reason: body.reason,
        since,
        until: body.until,
    };
    app.store.pause(pause.clone()).await?;
    app.control.wake();
    let answer = DoorAnswer { pause: Some(PauseView::from(&pause)), door: pause.door };
    Ok(HttpResponse::Ok().json(answer))
}

async fn go(app: &Shared, caller: &Allowed<Pause>, door: String) -> Answer {
    // A door that was not stopped goes on: that is what was asked.
    app.store.resume(&door, &caller.actor(), app.clock.now()).await?;
    app.control.wake();
    Ok(HttpResponse::Ok().json(DoorAnswer { door, pause: None }))
}

/// Stops a source: it takes nothing in.
#[utoipa::path(tag = "doors", operation_id = "pause_source", security(("token" = [])), request_body = PauseBody,
    params(("name" = String, Path, description = "The source.")), responses(
    (status = 200, description = "It is stopped.", body = DoorAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/sources/{name}/pause")]
pub(crate) async fn pause_source(
    caller: Allowed<Pause>,
    Named(name): Named<SourceName>,
    Json(body): Json<PauseBody>,
    app: web::Data<Shared>,
) -> Answer {
    let door = source(&app, &name)?;
    stop(&app, &caller, door, None, body).await
}

/// Lets a source go on.
#[utoipa::path(tag = "doors", operation_id = "resume_source", security(("token" = [])), request_body = ResumeBody,
    params(("name" = String, Path, description = "The source.")), responses(
    (status = 200, description = "It goes on.", body = DoorAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/sources/{name}/resume")]
pub(crate) async fn resume_source(
    caller: Allowed<Pause>,
    Named(name): Named<SourceName>,
    _: JsonOrNothing<ResumeBody>,
    app: web::Data<Shared>,
) -> Answer {
    let door = source(&app, &name)?;
    go(&app, &caller, door).await
}

/// Stops a destination: nothing is sent there.
#[utoipa::path(tag = "doors", operation_id = "pause_destination", security(("token" = [])), request_body = PauseBody,
    params(("name" = String, Path, description = "The destination.")), responses(
    (status = 200, description = "It is stopped.", body = DoorAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/destinations/{name}/pause")]
pub(crate) async fn pause_destination(
    caller: Allowed<Pause>,
    Named(name): Named<ServiceName>,
    Json(body): Json<PauseBody>,
    app: web::Data<Shared>,
) -> Answer {
    let door = destination(&app, &name)?;
    stop(&app, &caller, door, None, body).await
}

/// Lets a destination go on.
#[utoipa::path(tag = "doors", operation_id = "resume_destination", security(("token" = [])), request_body = ResumeBody,
    params(("name" = String, Path, description = "The destination.")), responses(
    (status = 200, description = "It goes on.", body = DoorAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/destinations/{name}/resume")]
pub(crate) async fn resume_destination(
    caller: Allowed<Pause>,
    Named(name): Named<ServiceName>,
    _: JsonOrNothing<ResumeBody>,
    app: web::Data<Shared>,
) -> Answer {
    let door = destination(&app, &name)?;
    go(&app, &caller, door).await
}

/// Stops an account at a destination: nothing is sent with it, and what is begun ends by itself.
#[utoipa::path(tag = "doors", operation_id = "pause_account", security(("token" = [])), request_body = PauseBody,
    params(("service" = String, Path, description = "The destination."),
        ("who" = String, Path, description = "The id of the person whose account it is, or `system`.")), responses(
    (status = 200, description = "It is stopped.", body = DoorAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/accounts/{service}/{who}/pause")]
pub(crate) async fn pause_account(
    caller: Allowed<Pause>,
    path: web::Path<(String, String)>,
    Json(body): Json<PauseBody>,
    app: web::Data<Shared>,
) -> Answer {
    let (door, account) = account(&app, &caller, path.into_inner()).await?;
    if !account.linked {
        return Err(Fault::not_found(format_args!("linked account \"{door}\"")));
    }
    stop(&app, &caller, door, account.site, body).await
}

/// Lets an account go on. One that is not linked any more is not held by its pause for good.
#[utoipa::path(tag = "doors", operation_id = "resume_account", security(("token" = [])), request_body = ResumeBody,
    params(("service" = String, Path, description = "The destination."),
        ("who" = String, Path, description = "The id of the person whose account it is, or `system`.")), responses(
    (status = 200, description = "It goes on.", body = DoorAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/accounts/{service}/{who}/resume")]
pub(crate) async fn resume_account(
    caller: Allowed<Pause>,
    path: web::Path<(String, String)>,
    _: JsonOrNothing<ResumeBody>,
    app: web::Data<Shared>,
) -> Answer {
    let (door, account) = account(&app, &caller, path.into_inner()).await?;
    if !account.linked && !app.store.pauses().await?.iter().any(|pause| pause.door == door) {
        return Err(Fault::not_found(format_args!("linked account \"{door}\"")));
    }
    go(&app, &caller, door).await
}
