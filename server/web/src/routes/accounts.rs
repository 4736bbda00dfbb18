//! Sessions and bearer tokens: one's own, and those of persons whom one looks after.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, delete, get, post, web};
use postroom_api::account::{
    MadeToken, SessionList, SessionView, Sessions, TokenBody, TokenList, TokenView, Tokens,
};
use postroom_api::problem::Problem;
use postroom_api::secret::Secret;
use postroom_domain::desk::{NewProgram, NewToken};
use postroom_domain::ids::{SessionId, TokenId};
use secrecy::ExposeSecret as _;

use super::asked::{Asked, Named};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// One's own sessions, or those of a person whom one looks after.
#[utoipa::path(tag = "people", operation_id = "list_sessions", security(("token" = [])), params(SessionList), responses(
    (status = 200, description = "The sessions.", body = Sessions),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/sessions")]
pub(crate) async fn list_sessions(
    caller: Allowed<File>,
    Asked(asked): Asked<SessionList>,
    app: web::Data<Shared>,
) -> Answer {
    let (people, by) = (&app.identity.people, caller.principal());
    let sessions = match asked.person {
        None => people.sessions(by).await?,
        Some(id) => people.sessions_of(by, &people.person(by, id).await?).await?,
    };
    let asking = caller.signed_in().map(|it| it.session.id);
    let items = sessions.iter().map(|it| SessionView::of(it, asking)).collect();
    Ok(HttpResponse::Ok().json(Sessions { items }))
}

/// Ends a session.
#[utoipa::path(tag = "people", operation_id = "end_session", security(("token" = [])),
    params(("id" = String, Path, description = "The session's id.")), responses(
    (status = 204, description = "It has ended."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/sessions/{id}")]
pub(crate) async fn end_session(
    caller: Allowed<File>,
    Named(id): Named<SessionId>,
    app: web::Data<Shared>,
) -> Answer {
    app.identity.people.end_session(caller.principal(), id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One's own tokens, those of a person whom one looks after, or those of programs.
#[utoipa::path(tag = "people", operation_id = "list_tokens", security(("token" = [])), params(TokenList), responses(
    (status = 200, description = "The tokens, without what they are presented as.", body = Tokens),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/tokens")]
pub(crate) async fn list_tokens(
    caller: Allowed<File>,
    Asked(asked): Asked<TokenList>,
    app: web::Data<Shared>,
) -> Answer {
    let (people, by) = (&app.identity.people, caller.principal());
    let tokens = match (asked.programs, asked.person) {
        (true, Some(_)) => {
            return Err(Fault::value("programs", "ask for a person's tokens, or for those of programs"));
        }
        (true, None) => people.program_tokens(by).await?,
        (false, None) => people.own_tokens(by).await?,
        (false, Some(id)) => people.tokens_of(by, &people.person(by, id).await?).await?,
    };
    Ok(HttpResponse::Ok().json(Tokens { items: tokens.iter().map(TokenView::from).collect() }))
}

/// A new token: one's own, or a program's. It is shown in this answer and never again.
#[utoipa::path(tag = "people", operation_id = "make_token", security(("token" = [])), request_body = TokenBody, responses(
    (status = 201, description = "The token.", body = MadeToken),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/tokens")]
pub(crate) async fn make_token(
    caller: Allowed<File>,
    Json(body): Json<TokenBody>,
    app: web::Data<Shared>,
) -> Answer {
    let (people, by) = (&app.identity.people, caller.principal());
    let life = match body.days {
        Some(days) => Duration::from_hours(24 * u64::from(days)),
        None => people.limits.token_max,
    };
    let (name, scope, at_most) = (body.name, body.scope, caller.ends());
    let made = match body.program {
        None if by.person.is_none() => {
            return Err(Fault::value("program", "is needed: who asks is no person")
                .hint("Say which roles and sites the program has."));
        }
        None => people.make_token(by, NewToken { name, scope, life, at_most }).await?,
        Some(program) => {
            let (roles, sites) = (program.roles, program.sites.into());
            let new = NewProgram { name, roles, sites, scope, life, at_most };
            people.make_program_token(by, new).await?
        }
    };
    let secret = Secret::new(made.secret.expose_secret());
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/tokens/{}", made.token.id)))
        .json(MadeToken { secret, token: TokenView::from(&made.token) }))
}

/// Revokes a token.
#[utoipa::path(tag = "people", operation_id = "revoke_token", security(("token" = [])),
    params(("id" = String, Path, description = "The token's id.")), responses(
    (status = 204, description = "It is not accepted any more."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/tokens/{id}")]
pub(crate) async fn revoke_token(
    caller: Allowed<File>,
    Named(id): Named<TokenId>,
    app: web::Data<Shared>,
) -> Answer {
    app.identity.people.revoke_token(caller.principal(), id).await?;
    Ok(HttpResponse::NoContent().finish())
}
