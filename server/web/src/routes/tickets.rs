//! Hand-overs from DMSs: tickets, what was found, and sending. No DMS is called here: [`postroom_domain::send_to::SendTo`] looks.

use actix_web::http::header;
use actix_web::{HttpResponse, get, post, web};
use postroom_api::problem::{Code, Problem};
use postroom_api::ticket::{SeenView, SendBody, SentView, TicketBody, TicketQuery, TicketView};
use postroom_domain::handed::{self, Purpose, Vendor};
use postroom_domain::ids::{ServiceName, TicketId};
use postroom_domain::send_to::SendError;
use postroom_domain::ticket::NewTicket;

use super::asked::{Asked, Named};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Json;
use crate::fault::{Answer, Fault, sentence};

/// How long a client waits while the door is stopped, in seconds.
const COME_BACK: u64 = 60;

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        let words = sentence(&error.to_string());
        match error {
            SendError::NoTicket => Self::not_found("such hand-over").hint("Begin again in the DMS."),
            SendError::NoIds => Self::value("ids", "hold no id of a document or folder of this DMS"),
            SendError::NotAPerson => {
                Self::new(Code::Forbidden, words).hint("Use a token that a person made for themself.")
            }
            SendError::NothingToSend | SendError::Gone(_) => Self::new(Code::NotAllowedNow, words),
            SendError::Choose(_) => Self::new(Code::BadValue, words),
            SendError::Paused(_) => Self::new(Code::Busy, words).after(COME_BACK),
            SendError::TooLarge { .. } => Self::new(Code::TooLarge, words),
            SendError::Places(error) => error.into(),
            SendError::Spool(error) => error.into(),
            SendError::Store(error) => error.into(),
        }
    }
}

/// The DMS of a name, or the only one of a kind.
pub(crate) fn service(app: &Shared, given: &str) -> Option<(ServiceName, Vendor)> {
    let all = app.send_to.services();
    if let Some(found) = all.iter().find(|(name, _)| name.as_str() == given) {
        return Some(found.clone());
    }
    let kind = Vendor::of_kind(given)?;
    let mut of_kind = all.into_iter().filter(|(_, vendor)| *vendor == kind);
    of_kind.next().filter(|_| of_kind.next().is_none())
}

/// Names of parameters that held no id go into the log, so that a firm's mapping can be pinned down; their values never do.
pub(crate) fn tell_strangers(service: &ServiceName, strangers: &[String]) {
    if !strangers.is_empty() {
        tracing::info!(%service, names = ?strangers, "The DMS handed over parameters in which there is no id.");
    }
}

/// A ticket for what a DMS handed over.
#[utoipa::path(tag = "tickets", operation_id = "make_ticket", security(("token" = [])), request_body = TicketBody, responses(
    (status = 201, description = "The ticket, to be opened within a minute by who made it.", body = TicketView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/tickets")]
pub(crate) async fn make_ticket(
    caller: Allowed<File>,
    Json(body): Json<TicketBody>,
    app: web::Data<Shared>,
) -> Answer {
    let Some((service, vendor)) = service(&app, &body.service) else {
        return Err(Fault::value("service", "is not a DMS from which documents are sent"));
    };
    let purpose = Purpose::from(body.kind);
    // HighQ's ids are bare numbers, which mean something only by a name.
    let name = match (vendor, purpose) {
        (Vendor::Imanage | Vendor::Netdocuments, _) => "id",
        (Vendor::Highq, Purpose::SendTo) => "doc",
        (Vendor::Highq, Purpose::Launch) => "folder",
    };
    let ids = body.ids.iter().map(|id| (name, id.as_str()));
    let given = body.given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let found = handed::recognise(vendor, ids.chain(given));
    tell_strangers(&service, &found.strangers);
    let more = found.more;
    let new = NewTicket { service, purpose, things: found.wanted(purpose) };
    let ticket = app.send_to.begin(caller.principal(), &caller.caller().holder(), new).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/tickets/{}", ticket.id)))
        .json(TicketView::of(&ticket, more)))
}

/// What was found of what was handed over: read from the DMS with the person's own account. The versions told of are those that are sent.
#[utoipa::path(tag = "tickets", operation_id = "show_ticket", security(("token" = [])),
    params(("id" = String, Path, description = "The ticket's id."), TicketQuery), responses(
    (status = 200, description = "What was found.", body = SeenView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/tickets/{id}")]
pub(crate) async fn show_ticket(
    caller: Allowed<File>,
    Named(id): Named<TicketId>,
    Asked(asked): Asked<TicketQuery>,
    app: web::Data<Shared>,
) -> Answer {
    let holder = caller.caller().holder();
    let seen = app.send_to.look(caller.principal(), &holder, id, &asked.search).await?;
    Ok(HttpResponse::Ok().json(SeenView::from(seen)))
}

/// Sends it. Sending again is answered with what came of the first time.
#[utoipa::path(tag = "tickets", operation_id = "send_ticket", security(("token" = [])), request_body = SendBody,
    params(("id" = String, Path, description = "The ticket's id.")), responses(
    (status = 202, description = "It is here, safely, and on its way.", body = SentView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/tickets/{id}/send")]
pub(crate) async fn send_ticket(
    caller: Allowed<File>,
    Named(id): Named<TicketId>,
    Json(body): Json<SendBody>,
    app: web::Data<Shared>,
) -> Answer {
    let choice = body.choice().ok_or_else(|| {
        Fault::new(Code::BadValue, "Name exactly one of work_item, workflow and collection.")
    })?;
    let holder = caller.caller().holder();
    let order = app.send_to.send(caller.principal(), &holder, id, choice).await?;
    app.control.wake();
    Ok(HttpResponse::Accepted().json(SentView::from(order)))
}
