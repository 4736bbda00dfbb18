//! Persons: who there is, what they may do, and how they come in the first time.

use actix_web::http::header;
use actix_web::{HttpResponse, get, post, put, web};
use postroom_api::decision::etag;
use postroom_api::page::Page;
use postroom_api::person::{InvitationView, Me, NewPersonBody, PersonBody, PersonList, PersonView};
use postroom_api::problem::Problem;
use postroom_api::secret::Secret;
use postroom_api::summary::You;
use postroom_domain::ids::PersonId;
use postroom_domain::people::Person;
use secrecy::ExposeSecret as _;

use super::asked::{Asked, Named, Seen, window};
use crate::app::Shared;
use crate::auth::{Allowed, File, ManagePersons};
use crate::body::Json;
use crate::fault::Answer;

fn shown(person: &Person) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag(person.version))).json(PersonView::from(person))
}

/// Who is asking, and what they may do.
#[utoipa::path(tag = "people", operation_id = "me", security(("token" = [])), responses(
    (status = 200, description = "Who is asking.", body = Me),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/me")]
pub(crate) async fn me(caller: Allowed<File>) -> Answer {
    let principal = caller.principal();
    let by = if caller.is_local() {
        "local"
    } else if caller.signed_in().is_some() {
        "session"
    } else {
        "token"
    };
    Ok(HttpResponse::Ok().json(Me {
        you: You::from(principal.as_ref()),
        person: principal.person,
        teams: principal.teams.clone(),
        by: by.to_owned(),
    }))
}

/// Persons of one's sites, oldest first.
#[utoipa::path(tag = "people", operation_id = "list_persons", security(("token" = [])), params(PersonList), responses(
    (status = 200, description = "A page.", body = Page<PersonView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/persons")]
pub(crate) async fn list_persons(
    caller: Allowed<ManagePersons>,
    Asked(asked): Asked<PersonList>,
    app: web::Data<Shared>,
) -> Answer {
    let window = window::<PersonId>(asked.limit, asked.cursor.as_deref())?;
    let people = &app.identity.people;
    let (persons, next) =
        people.persons(caller.principal(), &asked.search, window.before, window.limit).await?;
    let items = persons.iter().map(PersonView::from).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: next.map(|id| id.to_string()) }))
}

/// A new person. They come in by a one-time link, or by a provider that vouches for their e-mail.
#[utoipa::path(tag = "people", operation_id = "add_person", security(("token" = [])), request_body = NewPersonBody, responses(
    (status = 201, description = "The person; ETag is the version.", body = PersonView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/persons")]
pub(crate) async fn add_person(
    caller: Allowed<ManagePersons>,
    Json(body): Json<NewPersonBody>,
    app: web::Data<Shared>,
) -> Answer {
    let person = app.identity.people.add_person(caller.principal(), body.into()).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/persons/{}", person.id)))
        .insert_header((header::ETAG, etag(person.version)))
        .json(PersonView::from(&person)))
}

/// One person.
#[utoipa::path(tag = "people", operation_id = "show_person", security(("token" = [])),
    params(("id" = String, Path, description = "The person's id.")), responses(
    (status = 200, description = "The person; ETag is the version.", body = PersonView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/persons/{id}")]
pub(crate) async fn show_person(
    caller: Allowed<ManagePersons>,
    Named(id): Named<PersonId>,
    app: web::Data<Shared>,
) -> Answer {
    Ok(shown(&app.identity.people.person(caller.principal(), id).await?))
}

/// Changes a person; what the body does not name stays.
#[utoipa::path(tag = "people", operation_id = "change_person", security(("token" = [])), request_body = PersonBody,
    params(("id" = String, Path, description = "The person's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The person as it is now.", body = PersonView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/persons/{id}")]
pub(crate) async fn change_person(
    caller: Allowed<ManagePersons>,
    Named(id): Named<PersonId>,
    Seen(version): Seen,
    Json(body): Json<PersonBody>,
    app: web::Data<Shared>,
) -> Answer {
    let people = &app.identity.people;
    Ok(shown(&people.change_person(caller.principal(), id, version, body.into()).await?))
}

/// A one-time link by which the person sets a password. The one before it ends.
#[utoipa::path(tag = "people", operation_id = "invite_person", security(("token" = [])),
    params(("id" = String, Path, description = "The person's id.")), responses(
    (status = 201, description = "The link, shown this once.", body = InvitationView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/persons/{id}/invitation")]
pub(crate) async fn invite_person(
    caller: Allowed<ManagePersons>,
    Named(id): Named<PersonId>,
    app: web::Data<Shared>,
) -> Answer {
    let made = app.identity.people.invite(caller.principal(), id).await?;
    let url = Secret::new(made.url.expose_secret());
    Ok(HttpResponse::Created().json(InvitationView { url, expires: made.invitation.expires }))
}

/// Ends a lock-out after wrong passwords.
#[utoipa::path(tag = "people", operation_id = "unlock_person", security(("token" = [])),
    params(("id" = String, Path, description = "The person's id.")), responses(
    (status = 200, description = "The person as it is now.", body = PersonView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/persons/{id}/unlock")]
pub(crate) async fn unlock_person(
    caller: Allowed<ManagePersons>,
    Named(id): Named<PersonId>,
    app: web::Data<Shared>,
) -> Answer {
    Ok(shown(&app.identity.people.unlock(caller.principal(), id).await?))
}
