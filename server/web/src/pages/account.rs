//! One's own sessions, tokens and password.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_domain::desk::{DeskError, NewToken};
use postroom_domain::person::Permission;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::{Fields, Form, Visit, go, part, show, signed_in};
use crate::fault::{Answer, sentence};

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/account", web::get().to(account))
        .route("/account/sessions/{id}/end", web::post().to(end_session))
        .route("/account/tokens", web::post().to(make_token))
        .route("/account/tokens/{id}/revoke", web::post().to(revoke_token))
        .route("/account/password", web::post().to(set_password));
}

#[derive(Deserialize)]
struct Told {
    done: Option<String>,
}

async fn account(request: HttpRequest, told: web::Query<Told>) -> Answer {
    let visit = signed_in!(&request);
    let notice = match told.done.as_deref() {
        Some("session") => Some("The session is ended."),
        Some("token") => Some("The token is revoked."),
        Some("password") => Some("The password is changed."),
        _ => None,
    };
    show_account(&visit, StatusCode::OK, context! { notice }).await
}

async fn show_account(visit: &Visit, status: StatusCode, more: Value) -> Answer {
    let people = visit.people();
    let sessions = people.sessions(visit.by()).await?;
    let tokens = people.own_tokens(visit.by()).await?;
    let permissions: Vec<Value> = visit
        .by()
        .permissions
        .list()
        .into_iter()
        .map(|it| context! { name => it.as_str(), text => show::permission(it) })
        .collect();
    let about = context! {
        session_list => show::sessions(&sessions, Some(visit.who.session.id)), token_list => show::tokens(&tokens),
        permissions, max_days => people.limits.token_max.as_secs() / 86_400,
        has_password => visit.who.person.password.is_some(),
    };
    let untyped = context! { typed => context! { days => 30 } };
    visit.page_as(status, "account.html", "Your sessions and tokens", merge_maps([untyped, more, about]))
}

/// A mistake in a form is shown beside it; everything else is an error of its own.
pub(super) fn mistake(error: DeskError) -> Answer<(String, &'static str)> {
    match error {
        DeskError::Bad { field, message } => Ok((told(field, &message), field)),
        DeskError::Beyond(why) => Ok((sentence(&why), "")),
        DeskError::WrongPassword => Ok(("The present password is not right.".to_owned(), "old")),
        DeskError::EmailTaken => Ok(("Another person has this e-mail.".to_owned(), "email")),
        DeskError::LastAdministrator => Ok((
            "Nobody would be left who may administer. Make somebody else an administrator first.".to_owned(),
            "roles",
        )),
        DeskError::NotActive => {
            Ok(("The person may not come in now. Let them in first.".to_owned(), "status"))
        }
        DeskError::Changed { .. } => {
            Ok(("Somebody else changed this meanwhile. Below is how it is now.".to_owned(), ""))
        }
        other => Err(other.into()),
    }
}

/// What is wrong with a field, under the name that the page gives it.
fn told(field: &str, message: &str) -> String {
    let named = match field {
        "new" => return message.to_owned(),
        "scope" => return "Tick at least one thing that it may do.".to_owned(),
        "email" => "The e-mail",
        "expires" => "The end",
        "display_name" => "How they are called:",
        "name" => "What it is for:",
        "roles" => "Roles:",
        "site" => "Home site:",
        "also" => "Other sites:",
        "teams" => "Teams:",
        other => return sentence(&format!("{other}: {message}")),
    };
    sentence(&format!("{named} {message}"))
}

async fn end_session(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    visit.people().end_session(visit.by(), part(&id)?).await?;
    Ok(go("/account?done=session"))
}

async fn revoke_token(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    visit.people().revoke_token(visit.by(), part(&id)?).await?;
    Ok(go("/account?done=token"))
}

async fn make_token(request: HttpRequest, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    let fields = Fields::checked(&request, sent)?;
    let scope: Vec<Permission> = fields.all("scope").filter_map(|it| it.parse().ok()).collect();
    let days: u64 = fields.get("days").trim().parse().unwrap_or(0);
    let new = NewToken {
        name: fields.get("name").to_owned(),
        scope: Some(scope),
        life: Duration::from_secs(days.saturating_mul(86_400)),
        at_most: None,
    };
    match visit.people().make_token(visit.by(), new).await {
        Ok(made) => {
            let more = context! { secret => made.secret.expose_secret() };
            show_account(&visit, StatusCode::OK, more).await
        }
        Err(error) => {
            let (error, field) = mistake(error)?;
            let typed = context! { name => fields.get("name"), days => fields.get("days") };
            show_account(&visit, StatusCode::BAD_REQUEST, context! { error, field, typed }).await
        }
    }
}

async fn set_password(request: HttpRequest, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    let fields = Fields::checked(&request, sent)?;
    crate::auth::may_try(&visit.app, &request)?;
    let session = Some(visit.who.session.id);
    let (old, new) = (fields.secret("old"), fields.secret("new"));
    match visit.people().set_password(visit.by(), session, old, new).await {
        Ok(()) => Ok(go("/account?done=password")),
        Err(error) => {
            crate::auth::tried(&visit.app, &request);
            let (error, field) = mistake(error)?;
            show_account(&visit, StatusCode::BAD_REQUEST, context! { error, field }).await
        }
    }
}
