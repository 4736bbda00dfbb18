//! Intakes: lists, one with its trace, and a person's decisions over them.

use std::str::FromStr;

use actix_web::http::header;
use actix_web::{HttpResponse, get, post, web};
use postroom_api::decision::etag;
use postroom_api::intake::{
    AssignBody, DismissBody, GiveBody, IntakeDetail, IntakeItem, ReleaseIntakeBody, SuggestionView,
};
use postroom_api::page::{IntakeList, Page};
use postroom_api::problem::Problem;
use postroom_domain::allocation::Assignee;
use postroom_domain::event::Subject;
use postroom_domain::ids::{IntakeId, SourceName};
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::query::IntakeQuery;
use postroom_domain::remark::About;

use super::asked::{Asked, Named, Seen, window};
use super::remarks;
use crate::app::Shared;
use crate::auth::{Allowed, Decide, File};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// More work items than this are not given one arrival by one decision.
const MOST_WORK_ITEMS: usize = 20;

/// Events shown with one record.
pub(super) const EVENTS: usize = 200;

/// An intake that the caller may see.
pub(super) async fn seen<P>(app: &Shared, caller: &Allowed<P>, id: IntakeId) -> Answer<Intake> {
    let intake = app.store.intake(id).await?.filter(|intake| {
        caller.principal().sites.has(&intake.site)
            && caller.only_own().is_none_or(|name| name == intake.submitted_by)
    });
    intake.ok_or_else(|| Fault::not_found(format_args!("intake {id}")))
}

/// The intakes, newest first.
#[utoipa::path(tag = "intakes", operation_id = "list_intakes", security(("token" = [])), params(IntakeList), responses(
    (status = 200, description = "A page.", body = Page<IntakeItem>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/intakes")]
pub(crate) async fn list_intakes(
    caller: Allowed<File>,
    Asked(asked): Asked<IntakeList>,
    app: web::Data<Shared>,
) -> Answer {
    let states: Result<Vec<IntakeState>, String> = listed(&asked.state).collect();
    let sources: Result<Vec<SourceName>, _> = listed(asked.source.as_deref().unwrap_or_default()).collect();
    let query = IntakeQuery {
        sites: caller.scope(),
        submitted_by: caller.only_own(),
        states: states.map_err(|why| Fault::value("state", why))?,
        sources: sources.map_err(|error| Fault::value("source", format!("{error}")))?,
        text: asked.q.trim().to_owned(),
        allocated: match asked.allocated.as_deref() {
            None | Some("") => Vec::new(),
            Some(text) => looked_after_by(&caller, text)?,
        },
    };
    let slice = app.store.list_intakes(&query, window(asked.limit, asked.cursor.as_deref())?).await?;
    Ok(HttpResponse::Ok().json(Page::of(slice, |intake| IntakeItem::from(&intake))))
}

/// Values that commas separate.
fn listed<T: FromStr>(text: &str) -> impl Iterator<Item = Result<T, T::Err>> {
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::parse)
}

/// Whose work is asked for.
fn looked_after_by<P>(caller: &Allowed<P>, text: &str) -> Answer<Vec<Assignee>> {
    let principal = caller.principal();
    if text == "me" {
        let teams = principal.teams.iter().cloned().map(Assignee::Team);
        return Ok(std::iter::once(Assignee::Person(principal.name.clone())).chain(teams).collect());
    }
    Ok(vec![match text.strip_prefix("team:") {
        Some(team) => {
            Assignee::Team(team.parse().map_err(|error| Fault::value("allocated", format!("{error}")))?)
        }
        None => Assignee::Person(text.to_lowercase()),
    }])
}

/// One intake with its trace, filings and history.
#[utoipa::path(tag = "intakes", operation_id = "show_intake", security(("token" = [])),
    params(("id" = String, Path, description = "The intake's id.")), responses(
    (status = 200, description = "The intake; ETag is its version.", body = IntakeDetail),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/intakes/{id}")]
pub(crate) async fn show_intake(
    caller: Allowed<File>,
    Named(id): Named<IntakeId>,
    app: web::Data<Shared>,
) -> Answer {
    let intake = seen(&app, &caller, id).await?;
    show(&app, &caller, &intake).await
}

async fn show<P>(app: &Shared, caller: &Allowed<P>, intake: &Intake) -> Answer {
    let filings = app.store.intake_filings(intake.id).await?;
    let events = app.store.events_about(&Subject::Intake(intake.id), EVENTS).await?;
    let events = super::filings::told(caller, events);
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(intake.version))).json(IntakeDetail {
        suggestions: suggestions(app, intake).await?,
        filing_items: remarks::items(app, &filings).await?,
        remarks: remarks::of(app, About::Intake(intake.id)).await?,
        ..IntakeDetail::of(intake, &filings, &events)
    }))
}

/// The work items that a person may mean, as they are now; one that is gone is not shown.
async fn suggestions(app: &Shared, intake: &Intake) -> Result<Vec<SuggestionView>, Fault> {
    let mut shown = Vec::new();
    for it in intake.letter.iter().flat_map(|letter| &letter.suggestions) {
        let item = app.store.work_item(it.work_item).await?.filter(|item| item.site == intake.site);
        shown.extend(item.map(|item| SuggestionView {
            work_item: item.id,
            reference: item.reference,
            title: item.title,
            open: item.open,
            score: it.score,
            reasons: it.reasons.clone(),
        }));
    }
    Ok(shown)
}

/// A person says where it belongs. What is in quarantine is filed as it is then, unread and unscanned, and that needs a reason.
#[utoipa::path(tag = "intakes", operation_id = "assign_intake", security(("token" = [])), request_body = AssignBody,
    params(("id" = String, Path, description = "The intake's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The intake as it is now.", body = IntakeDetail),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes/{id}/assign")]
pub(crate) async fn assign(
    caller: Allowed<Decide>,
    Named(id): Named<IntakeId>,
    Seen(version): Seen,
    Json(body): Json<AssignBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    let area = body.area.as_deref().filter(|area| !area.is_empty());
    if body.also.len() >= MOST_WORK_ITEMS {
        return Err(Fault::value(
            "also",
            format!("one decision gives to at most {MOST_WORK_ITEMS} work items"),
        ));
    }
    let places: Vec<&str> = std::iter::once(&body.work_item).chain(&body.also).map(String::as_str).collect();
    let intake = app.mailroom.assign(id, version, &places, area, &caller.actor(), &body.reason).await?;
    app.control.wake();
    show(&app, &caller, &intake).await
}

/// A person takes it, or gives it to somebody: no rule takes it away again.
#[utoipa::path(tag = "intakes", operation_id = "give_intake", security(("token" = [])), request_body = GiveBody,
    params(("id" = String, Path, description = "The intake's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The intake as it is now.", body = IntakeDetail),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes/{id}/give")]
pub(crate) async fn give(
    caller: Allowed<Decide>,
    Named(id): Named<IntakeId>,
    Seen(version): Seen,
    Json(body): Json<GiveBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    let to = match (body.person, body.team) {
        (Some(person), None) if person == "me" => Assignee::Person(caller.principal().name.clone()),
        (Some(person), None) => Assignee::Person(person.to_lowercase()),
        (None, Some(team)) => Assignee::Team(team),
        _ => return Err(Fault::value("person", "name either a person or a team")),
    };
    let intake = app.reception.give(id, version, to, &caller.actor(), &body.reason).await?;
    show(&app, &caller, &intake).await
}

/// A person closes it; its documents stay.
#[utoipa::path(tag = "intakes", operation_id = "dismiss_intake", security(("token" = [])), request_body = DismissBody,
    params(("id" = String, Path, description = "The intake's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The intake as it is now.", body = IntakeDetail),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes/{id}/dismiss")]
pub(crate) async fn dismiss(
    caller: Allowed<Decide>,
    Named(id): Named<IntakeId>,
    Seen(version): Seen,
    Json(body): Json<DismissBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    let intake = app.reception.dismiss(id, version, &caller.actor(), &body.reason).await?;
    show(&app, &caller, &intake).await
}

/// Out of quarantine, with a reason that the audit keeps. What was set aside for what is in it (`malware`, `not_scanned`, `archive_bomb`)
/// is vouched for and goes its normal way again: `stored` first, then as it is read and planned. What could not be read (`poison`,
/// `too_deep`, `unreadable`, `too_slow`) goes to the work item that was named for it; where none was named, it has to be assigned.
#[utoipa::path(tag = "intakes", operation_id = "release_intake", security(("token" = [])), request_body = ReleaseIntakeBody,
    params(("id" = String, Path, description = "The intake's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The intake as it is now.", body = IntakeDetail),
    (status = 409, description = "It is not in quarantine, or it needs a work item: assign it.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes/{id}/release")]
pub(crate) async fn release(
    caller: Allowed<Decide>,
    Named(id): Named<IntakeId>,
    Seen(version): Seen,
    Json(body): Json<ReleaseIntakeBody>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    let intake = app.reception.release(id, version, &caller.actor(), &body.reason).await?;
    app.control.wake();
    show(&app, &caller, &intake).await
}
