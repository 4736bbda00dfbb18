//! A person's saved views of the console.

use actix_web::{HttpResponse, delete, get, put, web};
use postroom_api::filter;
use postroom_api::problem::{Code, Problem};
use postroom_api::view::{ViewBody, ViewItem, Views};
use postroom_domain::ids::PersonId;
use postroom_domain::own::{self, OwnError};
use postroom_domain::plain;
use postroom_domain::views::{SCREENS, SavedView, SavedViews};

use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Json;
use crate::fault::{Answer, Fault, sentence};

/// Screens that take the filter language.
const FILTERED: [&str; 2] = ["filings", "causes"];

impl From<OwnError> for Fault {
    fn from(error: OwnError) -> Self {
        match error {
            OwnError::TooMany(error) => Self::new(Code::NotAllowedNow, sentence(&error.to_string())),
            OwnError::Store(error) => error.into(),
        }
    }
}

fn person(caller: &Allowed<File>) -> Answer<PersonId> {
    let person = caller.principal().person;
    person.ok_or_else(|| Fault::new(Code::Forbidden, "Only persons have saved views."))
}

/// A view as it may be kept.
fn checked(name: String, body: ViewBody) -> Answer<SavedView> {
    let ViewBody { screen, q } = body;
    let fits = |text: &str| plain::line(text) == text && text.trim() == text;
    if name.is_empty() || !fits(&name) || name.chars().count() > SavedView::LONGEST_NAME {
        let most = SavedView::LONGEST_NAME;
        return Err(Fault::value("name", format!("has 1 to {most} characters, without blanks around them")));
    }
    if !SCREENS.contains(&screen.as_str()) {
        return Err(Fault::value("screen", format!("is none of {}", SCREENS.join(", "))));
    }
    if q.len() > filter::LONGEST || plain::line(&q) != q {
        return Err(Fault::value("q", format!("has at most {} bytes, in one line", filter::LONGEST)));
    }
    if FILTERED.contains(&screen.as_str()) {
        filter::parse(&q).map_err(|errors| filter::problem(&errors))?;
    }
    Ok(SavedView { name, screen, q })
}

/// The caller's saved views, by name.
#[utoipa::path(tag = "watching", operation_id = "list_views", security(("token" = [])), responses(
    (status = 200, description = "The views.", body = Views),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/views")]
pub(crate) async fn list_views(caller: Allowed<File>, app: web::Data<Shared>) -> Answer {
    let list: SavedViews = own::of(app.store.as_ref(), person(&caller)?).await?;
    let mut items: Vec<ViewItem> = list.items.into_iter().map(ViewItem::from).collect();
    items.sort_by_cached_key(|view| view.name.to_lowercase());
    Ok(HttpResponse::Ok().json(Views { items }))
}

/// Saves a view, or replaces the one of that name.
#[utoipa::path(tag = "watching", operation_id = "save_view", security(("token" = [])), request_body = ViewBody,
    params(("name" = String, Path, description = "The view's name.")), responses(
    (status = 200, description = "The view.", body = ViewItem),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/views/{name}")]
pub(crate) async fn save_view(
    caller: Allowed<File>,
    name: web::Path<String>,
    Json(body): Json<ViewBody>,
    app: web::Data<Shared>,
) -> Answer {
    let person = person(&caller)?;
    let view = checked(name.into_inner(), body)?;
    own::change(app.store.as_ref(), person, |list: &SavedViews| list.with(view.clone())).await?;
    Ok(HttpResponse::Ok().json(ViewItem::from(view)))
}

/// Forgets a view, whether it was there or not.
#[utoipa::path(tag = "watching", operation_id = "remove_view", security(("token" = [])),
    params(("name" = String, Path, description = "The view's name.")), responses(
    (status = 204, description = "It is not there."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/views/{name}")]
pub(crate) async fn remove_view(
    caller: Allowed<File>,
    name: web::Path<String>,
    app: web::Data<Shared>,
) -> Answer {
    let person = person(&caller)?;
    let gone = |list: &SavedViews| Ok(list.without(|view| view.is_called(&name)));
    own::change(app.store.as_ref(), person, gone).await?;
    Ok(HttpResponse::NoContent().finish())
}
