//! `GET /events`: the stream of events.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use postroom_api::event::EventView;
use postroom_api::page::EventList;
use postroom_api::problem::Problem;

use super::asked::Asked;
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::events::follow;
use crate::fault::{Answer, Fault};

/// What happens, as server-sent events: `id` is the number, `event` is `change`, `data` is an event as JSON.
#[utoipa::path(tag = "watching", operation_id = "events", security(("token" = [])),
    params(EventList, ("Last-Event-ID" = Option<u64>, Header, description = "The last event seen; wins over `after`.")), responses(
    (status = 200, description = "A stream of server-sent events.", body = EventView, content_type = "text/event-stream"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/events")]
pub(crate) async fn follow_events(
    caller: Allowed<File>,
    Asked(asked): Asked<EventList>,
    request: HttpRequest,
    app: web::Data<Shared>,
) -> Answer {
    let after = match request.headers().get("last-event-id").map(|value| value.to_str().unwrap_or("?")) {
        None | Some("") => asked.after,
        Some(text) => {
            Some(text.parse().map_err(|_| Fault::value("Last-Event-ID", "is not the number of an event"))?)
        }
    };
    let principal = caller.principal();
    let seat = app
        .listeners
        .seat(&principal.name)
        .ok_or_else(|| Fault::too_many("Too many follow the events already.", Duration::from_secs(10)))?;
    let last = app.store.wait_beyond(0, Duration::ZERO).await;
    // A number that was never given (a store brought back from a backup) would wait for ever.
    let after = after.unwrap_or(last).min(last);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(follow(app.clone(), caller.caller().clone(), after, seat)))
}
