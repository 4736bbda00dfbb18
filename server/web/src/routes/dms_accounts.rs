//! Accounts of persons in the DMSs. What is asked of a DMS is the desk's matter.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, get, post, web};
use postroom_api::dms_account::{DmsAccountView, DmsAccounts};
use postroom_api::problem::{Code, Problem};
use postroom_domain::desk::{self, AccountSeen, DeskError};
use postroom_domain::ids::{PersonId, ServiceName};
use postroom_domain::person::Principal;

use super::asked::Named;
use crate::app::Shared;
use crate::auth::{Allowed, ManagePersons};
use crate::fault::{Answer, Fault};

/// A person and a destination, as the address names them.
pub(crate) struct Pair(PersonId, ServiceName);

impl FromRequest for Pair {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let part = |name: &str| request.match_info().get(name).unwrap_or_default();
        let wrong =
            |error: &dyn std::fmt::Display| Fault::new(Code::BadValue, format!("The address: {error}."));
        ready(match (part("id").parse(), part("service").parse()) {
            (Ok(id), Ok(service)) => Ok(Self(id, service)),
            (Err(error), _) | (_, Err(error)) => Err(wrong(&error)),
        })
    }
}

/// Where nobody looks after accounts there is no destination either.
fn accounts(app: &Shared) -> Answer<&Arc<desk::DmsAccounts>> {
    app.identity.accounts.as_ref().ok_or_else(|| Fault::not_found("such destination"))
}

/// How it stands with a person's account in every DMS. No DMS is asked.
#[utoipa::path(tag = "people", operation_id = "list_dms_accounts", security(("token" = [])),
    params(("id" = String, Path, description = "The person's id.")), responses(
    (status = 200, description = "One entry for each destination.", body = DmsAccounts),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/persons/{id}/accounts")]
pub(crate) async fn list_dms_accounts(
    caller: Allowed<ManagePersons>,
    Named(id): Named<PersonId>,
    app: web::Data<Shared>,
) -> Answer {
    let seen = accounts(&app)?.of(caller.principal(), id).await?;
    Ok(HttpResponse::Ok().json(DmsAccounts { items: seen.iter().map(DmsAccountView::from).collect() }))
}

/// Finds a person's account in a DMS by their e-mail, or makes one where the settings allow it. An account that is there is never
/// changed. The answer tells how it stands afterwards, also where the DMS said no or cannot be reached.
#[utoipa::path(tag = "people", operation_id = "make_dms_account", security(("token" = [])),
    params(("id" = String, Path, description = "The person's id."),
        ("service" = String, Path, description = "The destination.")), responses(
    (status = 200, description = "How it stands now.", body = DmsAccountView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/persons/{id}/accounts/{service}")]
pub(crate) async fn make_dms_account(
    caller: Allowed<ManagePersons>,
    Pair(id, service): Pair,
    app: web::Data<Shared>,
) -> Answer {
    let by = (**caller.principal()).clone();
    let seen = request_account(accounts(&app)?.clone(), by, id, service).await??;
    Ok(HttpResponse::Ok().json(DmsAccountView::from(&seen)))
}

/// Asks for an account by itself, so that a client that leaves does not end it in the middle.
pub(crate) async fn request_account(
    accounts: Arc<desk::DmsAccounts>,
    by: Principal,
    id: PersonId,
    service: ServiceName,
) -> Answer<Result<AccountSeen, DeskError>> {
    let asked = tokio::spawn(async move { accounts.request(&by, id, &service).await });
    asked.await.map_err(|error| Fault::internal(error.to_string()))
}
