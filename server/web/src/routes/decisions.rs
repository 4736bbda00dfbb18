//! A person's decisions over one filing. `If-Match` carries the version that was looked at, so that of two people who decide
//! at once one is told.

use actix_web::http::header;
use actix_web::{HttpResponse, post, web};
use postroom_api::decision::{
    CancelBody, Decided, EditBody, HoldBody, LinkBody, ReleaseBody, RetryBody, etag,
};
use postroom_api::filing::FilingItem;
use postroom_api::problem::{Code, Problem};
use postroom_domain::decide::{Decision, Grounds, decide};
use postroom_domain::filing::State;
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::person::Permission;

use super::asked::{Named, Seen};
use super::filings::seen;
use super::remarks;
use crate::app::Shared;
use crate::auth::{Allowed, Decide, File};
use crate::body::{Json, JsonOrNothing};
use crate::fault::{Answer, Fault};

async fn carry_out<P>(
    app: &Shared,
    caller: &Allowed<P>,
    id: FilingId,
    version: Option<u64>,
    decision: Decision,
    reason: String,
) -> Answer<FilingItem> {
    let grounds = Grounds { actor: caller.actor(), reason, version, bulk: None };
    let (store, clock, entropy) = (app.store.as_ref(), app.clock.as_ref(), app.entropy.as_ref());
    let filing = decide(store, clock, entropy, &app.policy, id, decision, grounds).await?;
    app.control.wake();
    Ok(remarks::item(app, &filing).await?)
}

fn decided(filing: FilingItem) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag(filing.version))).json(Decided { filing })
}

/// Another try. An undecided filing is sent again, a duplicate one is filed anyway, which needs a reason. Who handed a document in may
/// have it tried again when it failed; all else is for those who decide.
#[utoipa::path(tag = "decisions", operation_id = "retry_filing", security(("token" = [])), request_body = RetryBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/retry")]
pub(crate) async fn retry(
    caller: Allowed<File>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    JsonOrNothing(body): JsonOrNothing<RetryBody>,
    app: web::Data<Shared>,
) -> Answer {
    let filing = seen(&app, &caller, id).await?;
    let own = filing.request.submitted_by == caller.principal().name;
    let failed = filing.progress.state == State::Failed;
    if !(caller.may(Permission::Decide) || (own && failed)) {
        return Err(Fault::forbidden(&caller.principal().roles, Permission::Decide));
    }
    let decision = RetryBody::decision(filing.progress.state);
    // The version that was just read guards the state that was just looked at.
    let version = version.or(Some(filing.progress.version));
    carry_out(&app, &caller, id, version, decision, body.reason).await.map(decided)
}

/// Out of automatic work.
#[utoipa::path(tag = "decisions", operation_id = "hold_filing", security(("token" = [])), request_body = HoldBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/hold")]
pub(crate) async fn hold(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    JsonOrNothing(body): JsonOrNothing<HoldBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    carry_out(&app, &caller, id, version, Decision::Hold, body.reason).await.map(decided)
}

/// Back into automatic work.
#[utoipa::path(tag = "decisions", operation_id = "release_filing", security(("token" = [])), request_body = ReleaseBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/release")]
pub(crate) async fn release(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    JsonOrNothing(body): JsonOrNothing<ReleaseBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    carry_out(&app, &caller, id, version, Decision::Release, body.reason).await.map(decided)
}

/// The end of it, with a reason.
#[utoipa::path(tag = "decisions", operation_id = "cancel_filing", security(("token" = [])), request_body = CancelBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/cancel")]
pub(crate) async fn cancel(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    Json(body): Json<CancelBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    carry_out(&app, &caller, id, version, Decision::Cancel, body.reason).await.map(decided)
}

/// Another place or name; it is tried again at once, unless it is held.
#[utoipa::path(tag = "decisions", operation_id = "edit_filing", security(("token" = [])), request_body = EditBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/edit")]
pub(crate) async fn edit(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    Json(body): Json<EditBody>,
    app: web::Data<Shared>,
) -> Answer {
    if body.reason.trim().is_empty() {
        return Err(Fault::value("reason", "must not be blank for this"));
    }
    if let Some(name) = &body.file_name
        && (name.trim().is_empty() || name.len() > app.limits.file_name)
    {
        let limit = app.limits.file_name;
        return Err(Fault::value("file_name", format!("must not be blank, nor longer than {limit} bytes")));
    }
    let service_known =
        |name: &ServiceName| app.control.destinations().iter().any(|known| known.name == *name);
    if let Some(service) = &body.service
        && !service_known(service)
    {
        return Err(Fault::value("service", format!("there is no destination \"{service}\"")));
    }
    if body.is_empty() {
        return Err(Fault::new(Code::BadValue, "The edit changes nothing."));
    }
    let filing = seen(&app, &caller, id).await?;
    let decision = body.decision(&filing.request.target);
    // The edit was computed from the request that was just read.
    let version = version.or(Some(filing.progress.version));
    carry_out(&app, &caller, id, version, decision, body.reason).await.map(decided)
}

/// A person found the document in the DMS.
#[utoipa::path(tag = "decisions", operation_id = "link_filing", security(("token" = [])), request_body = LinkBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/link")]
pub(crate) async fn link(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    Json(body): Json<LinkBody>,
    app: web::Data<Shared>,
) -> Answer {
    if body.document.trim().is_empty() {
        return Err(Fault::value("document", "must not be blank"));
    }
    seen(&app, &caller, id).await?;
    let decision = Decision::Link(body.receipt());
    carry_out(&app, &caller, id, version, decision, body.reason).await.map(decided)
}

/// Files a duplicate although the same content is there, with a reason.
#[utoipa::path(tag = "decisions", operation_id = "file_anyway", security(("token" = [])), request_body = CancelBody,
    params(("id" = String, Path, description = "The filing's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The filing as it is now.", body = Decided),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/file-anyway")]
pub(crate) async fn file_anyway(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Seen(version): Seen,
    Json(body): Json<CancelBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    let decision = Decision::FileAnyway;
    carry_out(&app, &caller, id, version, decision, body.reason).await.map(decided)
}
