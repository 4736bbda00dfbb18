//! A person's accounts in the DMSs, on the page of the person.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use minijinja::{Value, context};
use postroom_domain::desk::AccountSeen;
use postroom_domain::dms_account::CreateAccounts;
use postroom_domain::ids::{PersonId, ServiceName};
use postroom_domain::person::Permission;

use super::account::mistake;
use super::admin::one;
use super::{Fields, Form, Visit, part, show, signed_in};
use crate::fault::{Answer, Fault, sentence};
use crate::routes::request_account;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.route("/admin/persons/{id}/accounts/{service}", web::post().to(ask));
}

/// How it stands at each destination where accounts are made, or where one is known.
pub(super) async fn rows(visit: &Visit, id: PersonId) -> Answer<Vec<Value>> {
    let Some(accounts) = &visit.app.identity.accounts else { return Ok(Vec::new()) };
    let seen = accounts.of(visit.by(), id).await?;
    let shown = |it: &&AccountSeen| it.policy.create != CreateAccounts::Never || it.known.is_some();
    Ok(seen.iter().filter(shown).map(row).collect())
}

fn row(seen: &AccountSeen) -> Value {
    context! {
        service => seen.service.as_str(), text => sentence(&seen.words()),
        at => seen.known.as_ref().map_or_else(String::new, |it| show::time(it.at)),
        // What the DMS cannot do, or the settings forbid, has no button.
        can_ask => seen.skip.is_none(),
        locked => seen.usable() == Some(false),
    }
}

async fn ask(request: HttpRequest, ids: web::Path<(String, String)>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    Fields::checked(&request, sent)?;
    let (id, service): (PersonId, ServiceName) = (part(&ids.0)?, part(&ids.1)?);
    let accounts = visit.app.identity.accounts.clone().ok_or_else(|| Fault::not_found("such destination"))?;
    match request_account(accounts, visit.by().clone(), id, service).await? {
        Ok(seen) => {
            let notice = format!("{}: {}", seen.service, sentence(&seen.words()));
            one(&visit, id, StatusCode::OK, context! { notice }).await
        }
        Err(error) => {
            let (error, field) = mistake(error)?;
            one(&visit, id, StatusCode::BAD_REQUEST, context! { error, field }).await
        }
    }
}
