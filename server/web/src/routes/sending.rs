//! File on send: what people choose for letters that they are still writing. The letters themselves come by the sent items.

use actix_web::{HttpResponse, delete, get, put, web};
use postroom_api::letter::{SendIntentBody, SendIntentView, SendIntents};
use postroom_api::problem::{Code, Problem};
use postroom_domain::ids::PersonId;
use postroom_domain::record::{self, Commit, Kept as _, by_id};
use postroom_domain::sending::{SendIntent, SendState, id_in};
use postroom_domain::store::StoreError;

use super::letters::{choices, reads};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// So many of one's own are listed.
const LISTED: usize = 500;
/// How often one is changed again after somebody else changed it at the same moment.
const TRIES: usize = 5;

fn id_of(text: &str) -> Answer<u128> {
    id_in(text).ok_or_else(|| Fault::value("id", "must be a UUID"))
}

fn person(caller: &Allowed<File>) -> Answer<PersonId> {
    let only = || Fault::new(Code::Forbidden, "Only persons write letters; a program hands them in.");
    caller.principal().person.ok_or_else(only)
}

/// One's own with an id. That of somebody else does not exist.
async fn own(app: &Shared, person: PersonId, id: u128) -> Answer<Result<Option<SendIntent>, Fault>> {
    let found = by_id::<SendIntent>(&*app.store, id).await?;
    Ok(match found {
        Some(intent) if intent.person != person => Err(Fault::not_found("such letter")),
        found => Ok(found),
    })
}

/// Says where a letter goes once it is sent. The id is a new UUID of the mail program's; it travels with the letter in the header
/// `X-Postroom-Send`. Saying it again under the same id replaces what was said.
#[utoipa::path(tag = "letters", operation_id = "set_send_intent", security(("token" = [])), request_body = SendIntentBody,
    params(("id" = String, Path, description = "A UUID.")), responses(
    (status = 204, description = "It is kept."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/send-intents/{id}")]
pub(crate) async fn set_send_intent(
    caller: Allowed<File>,
    id: web::Path<String>,
    Json(body): Json<SendIntentBody>,
    app: web::Data<Shared>,
) -> Answer {
    let (id, person) = (id_of(&id)?, person(&caller)?);
    let mailbox = body.mailbox.trim().to_lowercase();
    if !reads(&app, &caller, &mailbox).await? {
        let why = format!("\"{mailbox}\" is not a mailbox whose sent items are read for you");
        return Err(Fault::value("mailbox", why).hint("File the letter from the sent items once it is sent."));
    }
    let longest = app.limits.text;
    let choices = choices(&app, body.matters)?;
    let subject: String = body.subject.chars().filter(|it| !it.is_control()).take(longest.min(500)).collect();
    let mut tries = 0;
    loop {
        let before = own(&app, person, id).await??;
        if before.as_ref().is_some_and(|it| it.state != SendState::Waiting) {
            return Err(Fault::new(Code::NotAllowedNow, "The letter was sent already."));
        }
        if before.is_none() && waiting(&app, person).await? >= SendIntent::MOST_WAITING {
            let why = format!("{} letters wait to be sent already", SendIntent::MOST_WAITING);
            return Err(Fault::new(Code::TooManyUploads, format!("{why}.")));
        }
        let principal = caller.principal();
        let intent = SendIntent {
            id,
            person,
            principal: principal.name.clone(),
            site: principal.sites.home.clone(),
            mailbox: mailbox.clone(),
            subject: subject.clone(),
            choices: choices.clone(),
            made: app.clock.now(),
            state: SendState::Waiting,
            trouble: None,
            version: before.map_or(0, |it| it.version) + 1,
        };
        match app.store.commit(Commit { writes: vec![intent.put()?], events: Vec::new() }).await {
            Ok(()) => return Ok(HttpResponse::NoContent().finish()),
            Err(StoreError::Conflict { .. } | StoreError::Exists(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn waiting(app: &Shared, person: PersonId) -> Answer<usize> {
    let all = list(app, person).await?;
    Ok(all.iter().filter(|it| it.state == SendState::Waiting).count())
}

async fn list(app: &Shared, person: PersonId) -> Answer<Vec<SendIntent>> {
    Ok(record::page(&*app.store, Some(&SendIntent::of(person)), None, LISTED).await?)
}

/// Takes back what was said. A letter that was taken in already stays.
#[utoipa::path(tag = "letters", operation_id = "remove_send_intent", security(("token" = [])),
    params(("id" = String, Path, description = "A UUID.")), responses(
    (status = 204, description = "Nothing is chosen under that id."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/send-intents/{id}")]
pub(crate) async fn remove_send_intent(
    caller: Allowed<File>,
    id: web::Path<String>,
    app: web::Data<Shared>,
) -> Answer {
    let (id, person) = (id_of(&id)?, person(&caller)?);
    let Some(intent) = own(&app, person, id).await?? else { return Ok(HttpResponse::NoContent().finish()) };
    if let SendState::Taken(intake) = intent.state {
        let why = format!("The letter was sent and taken in as {intake}.");
        return Err(Fault::new(Code::NotAllowedNow, why));
    }
    match app.store.commit(Commit { writes: vec![intent.remove()], events: Vec::new() }).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(StoreError::Conflict { .. }) => {
            Err(Fault::new(Code::NotAllowedNow, "It changed at this moment: the letter may have been sent."))
        }
        Err(error) => Err(error.into()),
    }
}

/// One's letters that are to be filed when they are sent, newest first, and how it stands with them.
#[utoipa::path(tag = "letters", operation_id = "list_send_intents", security(("token" = [])), responses(
    (status = 200, description = "One's own.", body = SendIntents),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/send-intents")]
pub(crate) async fn list_send_intents(caller: Allowed<File>, app: web::Data<Shared>) -> Answer {
    let mut all = match caller.principal().person {
        Some(person) => list(&app, person).await?,
        None => Vec::new(),
    };
    all.sort_by_key(|it| std::cmp::Reverse(it.made));
    Ok(HttpResponse::Ok().json(SendIntents { items: all.iter().map(SendIntentView::from).collect() }))
}
