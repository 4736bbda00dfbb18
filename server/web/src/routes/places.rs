//! Choosing a place in a DMS. No DMS is called here: [`postroom_domain::places::Places`] looks.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, dev, get, put, web};
use percent_encoding::percent_decode_str;
use postroom_api::page::Page;
use postroom_api::place::{
    DestinationView, Destinations, DocumentView, LibraryView, PartList, PlaceKey, PlaceList, PlaceView,
    ValueList, ValueView,
};
use postroom_api::problem::{Code, Problem};
use postroom_domain::dms;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::Refusal;
use postroom_domain::places::{Lookup, PlaceId, PlacesError, Wanted};

use super::asked::{Asked, Named};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault, sentence};

/// The longest words, names and cursors that are passed on to a DMS, in bytes.
const LONGEST: usize = 2048;

/// A place of the address: `{name}` and `{id}`.
pub(crate) struct At(ServiceName, PlaceId);

/// A profile field of the address: `{name}` and `{field}`.
pub(crate) struct Field(ServiceName, String);

fn part<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    request.match_info().get(name).unwrap_or_default()
}

fn service(request: &HttpRequest) -> Answer<ServiceName> {
    part(request, "name")
        .parse()
        .map_err(|error| Fault::new(Code::BadValue, format!("The address: {error}.")))
}

impl FromRequest for At {
    type Error = Fault;
    type Future = Ready<Answer<Self>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(service(request).and_then(|name| {
            let id: PlaceKey = part(request, "id")
                .parse()
                .map_err(|error| Fault::new(Code::BadValue, sentence(&format!("the address: {error}"))))?;
            Ok(Self(name, id.0))
        }))
    }
}

impl FromRequest for Field {
    type Error = Fault;
    type Future = Ready<Answer<Self>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(service(request).and_then(|name| {
            // The router leaves `%2F`, `%25` and `%2B` as they are.
            let field = percent_decode_str(part(request, "field"))
                .decode_utf8()
                .map_err(|_| Fault::new(Code::BadValue, "The address: the field's name is not UTF-8."))?;
            passable("field", &field)?;
            Ok(Self(name, field.into_owned()))
        }))
    }
}

/// What may be passed on.
fn passable(name: &str, text: &str) -> Answer<()> {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(Fault::value(
            name,
            format!("is longer than {LONGEST} bytes, or holds a control character"),
        ));
    }
    Ok(())
}

fn cursor(cursor: Option<&String>) -> Answer<Option<&str>> {
    let given = cursor.map(String::as_str).filter(|text| !text.is_empty());
    match given {
        Some(text) if text.len() > LONGEST * 4 => {
            Err(Fault::new(Code::BadCursor, "The cursor is not the `next` of a page."))
        }
        given => Ok(given),
    }
}

fn page<T, V: From<T>>(found: dms::Page<T>) -> Page<V> {
    Page { items: found.items.into_iter().map(V::from).collect(), next: found.next }
}

impl From<PlacesError> for Fault {
    fn from(error: PlacesError) -> Self {
        let words = sentence(&error.to_string());
        match error {
            PlacesError::NoDestination(name) => Self::not_found(format_args!("destination \"{name}\"")),
            PlacesError::NotFound => Self::not_found("such place"),
            PlacesError::Refused(refusal) => Self::new(Code::LinkNeeded, words).hint(match refusal {
                Refusal::NoSystemAccount | Refusal::SystemLinkBroken => {
                    "Ask an administrator to link the system account."
                }
                Refusal::Denied => "",
                Refusal::LinkBroken | Refusal::LinkRequired | Refusal::LinkNeeded | Refusal::Unsure => {
                    "Link your own account on the page of linked accounts: /links"
                }
            }),
            PlacesError::Unsupported(_) => Self::new(Code::NotOffered, words),
            PlacesError::Rejected(said) => {
                Self::new(Code::BadValue, format!("The DMS does not accept what was asked: {said}"))
            }
            PlacesError::Busy { seconds } => {
                // No client should plan for longer than this on a server's word.
                let wait = seconds.unwrap_or(5).clamp(1, 3600);
                Self::new(Code::DmsBusy, words).after(wait)
            }
            PlacesError::Slow => Self::new(Code::DmsSlow, words),
            PlacesError::Failed(why) => Self::new(Code::DmsFailed, words).log(why),
            PlacesError::NotAPerson => Self::new(Code::Forbidden, words)
                .hint("Sign in as a person; a program passes the id of a place itself."),
            PlacesError::TooMany(_) => Self::new(Code::NotAllowedNow, words),
            PlacesError::Store(error) => error.into(),
        }
    }
}

/// The destinations, and what each offers to people who choose a place.
#[utoipa::path(tag = "places", operation_id = "list_destinations", security(("token" = [])), responses(
    (status = 200, description = "The destinations.", body = Destinations),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations")]
pub(crate) async fn list_destinations(_: Allowed<File>, app: web::Data<Shared>) -> Answer {
    let items = app.places.destinations().into_iter().map(DestinationView::from).collect();
    Ok(HttpResponse::Ok().json(Destinations { items }))
}

/// The libraries, cabinets or sites that one sees at a destination.
#[utoipa::path(tag = "places", operation_id = "list_libraries", security(("token" = [])),
    params(PartList, ("name" = String, Path, description = "The destination.")), responses(
    (status = 200, description = "A page.", body = Page<LibraryView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations/{name}/libraries")]
pub(crate) async fn list_libraries(
    caller: Allowed<File>,
    Named(name): Named<ServiceName>,
    Asked(asked): Asked<PartList>,
    app: web::Data<Shared>,
) -> Answer {
    let found = app.places.libraries(caller.principal(), &name, cursor(asked.cursor.as_ref())?).await?;
    Ok(HttpResponse::Ok().json(page::<_, LibraryView>(found)))
}

/// Workspaces by words (`text`), or recent or favourite places (`shelf`): the DMS's own list of one's account and Postroom's together.
#[utoipa::path(tag = "places", operation_id = "list_places", security(("token" = [])),
    params(PlaceList, ("name" = String, Path, description = "The destination.")), responses(
    (status = 200, description = "A page. May hold fewer places than the DMS has: what one may not see is left out.", body = Page<PlaceView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations/{name}/places")]
pub(crate) async fn list_places(
    caller: Allowed<File>,
    Named(name): Named<ServiceName>,
    Asked(asked): Asked<PlaceList>,
    app: web::Data<Shared>,
) -> Answer {
    let wanted = match (&asked.text, asked.shelf) {
        (Some(text), None) => Wanted::Search(text.trim()),
        (None, Some(shelf)) => Wanted::Shelf(shelf),
        _ => return Err(Fault::value("text", "is needed, or shelf in place of it")),
    };
    if let Wanted::Search(text) = wanted {
        if text.is_empty() {
            return Err(Fault::value("text", "must not be blank"));
        }
        passable("text", text)?;
    }
    passable("library", &asked.library)?;
    let cursor = cursor(asked.cursor.as_ref())?;
    let found = app.places.places(caller.principal(), &name, &asked.library, wanted, cursor).await?;
    Ok(HttpResponse::Ok().json(page::<_, PlaceView>(found)))
}

/// One place, with the way down to it and whether one may file there.
#[utoipa::path(tag = "places", operation_id = "show_place", security(("token" = [])),
    params(("name" = String, Path, description = "The destination."), ("id" = String, Path, description = "The place's id.")), responses(
    (status = 200, description = "The place.", body = PlaceView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations/{name}/places/{id}")]
pub(crate) async fn show_place(caller: Allowed<File>, At(name, id): At, app: web::Data<Shared>) -> Answer {
    let found = app.places.place(caller.principal(), &name, &id).await?;
    Ok(HttpResponse::Ok().json(PlaceView::from(found)))
}

/// The folders directly in a place.
#[utoipa::path(tag = "places", operation_id = "list_folders", security(("token" = [])),
    params(PartList, ("name" = String, Path, description = "The destination."), ("id" = String, Path, description = "The place's id.")), responses(
    (status = 200, description = "A page.", body = Page<PlaceView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations/{name}/places/{id}/folders")]
pub(crate) async fn list_folders(
    caller: Allowed<File>,
    At(name, id): At,
    Asked(asked): Asked<PartList>,
    app: web::Data<Shared>,
) -> Answer {
    let cursor = cursor(asked.cursor.as_ref())?;
    let found = app.places.folders(caller.principal(), &name, &id, cursor).await?;
    Ok(HttpResponse::Ok().json(page::<_, PlaceView>(found)))
}

/// The documents directly in a place, for persons with an account of their own there.
#[utoipa::path(tag = "places", operation_id = "list_documents", security(("token" = [])),
    params(PartList, ("name" = String, Path, description = "The destination."), ("id" = String, Path, description = "The place's id.")), responses(
    (status = 200, description = "A page.", body = Page<DocumentView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations/{name}/places/{id}/documents")]
pub(crate) async fn list_documents(
    caller: Allowed<File>,
    At(name, id): At,
    Asked(asked): Asked<PartList>,
    app: web::Data<Shared>,
) -> Answer {
    let cursor = cursor(asked.cursor.as_ref())?;
    let found = app.places.documents(caller.principal(), &name, &id, cursor).await?;
    Ok(HttpResponse::Ok().json(page::<_, DocumentView>(found)))
}

/// Values of a profile field, such as a DMS's clients, or the matters of one client.
#[utoipa::path(tag = "places", operation_id = "list_values", security(("token" = [])),
    params(ValueList, ("name" = String, Path, description = "The destination."),
        ("field" = String, Path, description = "The profile field, by the DMS's own name.")), responses(
    (status = 200, description = "A page.", body = Page<ValueView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/destinations/{name}/lookups/{field}")]
pub(crate) async fn list_values(
    caller: Allowed<File>,
    Field(name, field): Field,
    Asked(asked): Asked<ValueList>,
    app: web::Data<Shared>,
) -> Answer {
    let parent = asked.parent.as_deref();
    for (key, text) in
        [("text", asked.text.as_str()), ("library", &asked.library), ("parent", parent.unwrap_or_default())]
    {
        passable(key, text)?;
    }
    let query = Lookup { library: &asked.library, field: &field, parent, text: &asked.text };
    let cursor = cursor(asked.cursor.as_ref())?;
    let found = app.places.lookup(caller.principal(), &name, query, cursor).await?;
    Ok(HttpResponse::Ok().json(page::<_, ValueView>(found)))
}

/// Puts a place on one's list of favourites. Doing it twice is doing it once.
#[utoipa::path(tag = "places", operation_id = "add_favourite", security(("token" = [])),
    params(("name" = String, Path, description = "The destination."), ("id" = String, Path, description = "The place's id.")), responses(
    (status = 204, description = "It is on the list."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/destinations/{name}/places/{id}/favourite")]
pub(crate) async fn add_favourite(caller: Allowed<File>, At(name, id): At, app: web::Data<Shared>) -> Answer {
    app.places.favour(caller.principal(), &name, &id, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes a place off one's list of favourites, whether it was on it or not.
#[utoipa::path(tag = "places", operation_id = "remove_favourite", security(("token" = [])),
    params(("name" = String, Path, description = "The destination."), ("id" = String, Path, description = "The place's id.")), responses(
    (status = 204, description = "It is not on the list."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/destinations/{name}/places/{id}/favourite")]
pub(crate) async fn remove_favourite(
    caller: Allowed<File>,
    At(name, id): At,
    app: web::Data<Shared>,
) -> Answer {
    app.places.favour(caller.principal(), &name, &id, false).await?;
    Ok(HttpResponse::NoContent().finish())
}
