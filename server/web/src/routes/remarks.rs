//! What colleagues tell each other about filings and intakes: notes, and who is at work on what. Whoever may see a thing sees them;
//! whoever may decide over it makes them.

use actix_web::{HttpResponse, post, web};
use postroom_api::filing::FilingItem;
use postroom_api::problem::{Code, Problem};
use postroom_api::remark::{NoteBody, Remarks};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{FilingId, IntakeId, SiteName};
use postroom_domain::remark::{self, About, Remark, RemarkError};
use postroom_domain::store::StoreResult;

use super::asked::Named;
use crate::app::Shared;
use crate::auth::{Allowed, Decide};
use crate::body::Json;
use crate::fault::{Answer, Fault, sentence};
use crate::routes::{filings, intakes};

impl From<RemarkError> for Fault {
    fn from(error: RemarkError) -> Self {
        match error {
            RemarkError::Blank | RemarkError::TooLong(_) => Self::value("text", error.to_string()),
            RemarkError::Full | RemarkError::NotYours(_) => {
                Self::new(Code::NotAllowedNow, sentence(&error.to_string()))
            }
            RemarkError::Store(error) => error.into(),
        }
    }
}

/// What was remarked on something.
pub(super) async fn of(app: &Shared, about: About) -> StoreResult<Remarks> {
    Ok(remark::remarks(app.store.as_ref(), about).await?.into())
}

/// A filing as lists show it, with who is at work on it.
pub(super) async fn item(app: &Shared, filing: &Filing) -> StoreResult<FilingItem> {
    let taken_by = remark::taken_by(app.store.as_ref(), About::Filing(filing.id)).await?;
    Ok(FilingItem { taken_by, ..FilingItem::from(filing) })
}

/// Filings as lists show them.
pub(super) async fn items(app: &Shared, filings: &[Filing]) -> StoreResult<Vec<FilingItem>> {
    let mut shown = Vec::with_capacity(filings.len());
    for filing in filings {
        shown.push(item(app, filing).await?);
    }
    Ok(shown)
}

async fn make(app: &Shared, caller: &Allowed<Decide>, about: (About, &SiteName), what: Remark) -> Answer {
    remark::remark(app.store.as_ref(), about, what, &caller.actor(), app.clock.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn on_filing(app: &Shared, caller: &Allowed<Decide>, id: FilingId, what: Remark) -> Answer {
    let filing = filings::seen(app, caller, id).await?;
    make(app, caller, (About::Filing(id), &filing.site), what).await
}

/// Writes a note on a filing; it stays with its history.
#[utoipa::path(tag = "decisions", operation_id = "note_filing", security(("token" = [])), request_body = NoteBody,
    params(("id" = String, Path, description = "The filing's id.")), responses(
    (status = 204, description = "It is written."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/note")]
pub(crate) async fn note_filing(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    Json(body): Json<NoteBody>,
    app: web::Data<Shared>,
) -> Answer {
    on_filing(&app, &caller, id, Remark::Note(body.text)).await
}

/// Takes a filing to work on, also from a colleague; the history says from whom. It keeps nobody from deciding.
#[utoipa::path(tag = "decisions", operation_id = "take_filing", security(("token" = [])),
    params(("id" = String, Path, description = "The filing's id.")), responses(
    (status = 204, description = "It is the caller's."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/take")]
pub(crate) async fn take_filing(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    app: web::Data<Shared>,
) -> Answer {
    on_filing(&app, &caller, id, Remark::Take).await
}

/// Gives a filing back that one has taken.
#[utoipa::path(tag = "decisions", operation_id = "give_back_filing", security(("token" = [])),
    params(("id" = String, Path, description = "The filing's id.")), responses(
    (status = 204, description = "It is nobody's."),
    (status = 409, description = "The caller has not taken it.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/filings/{id}/give-back")]
pub(crate) async fn give_back_filing(
    caller: Allowed<Decide>,
    Named(id): Named<FilingId>,
    app: web::Data<Shared>,
) -> Answer {
    on_filing(&app, &caller, id, Remark::GiveBack).await
}

/// Writes a note on an intake; it stays with its history.
#[utoipa::path(tag = "intakes", operation_id = "note_intake", security(("token" = [])), request_body = NoteBody,
    params(("id" = String, Path, description = "The intake's id.")), responses(
    (status = 204, description = "It is written."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes/{id}/note")]
pub(crate) async fn note_intake(
    caller: Allowed<Decide>,
    Named(id): Named<IntakeId>,
    Json(body): Json<NoteBody>,
    app: web::Data<Shared>,
) -> Answer {
    let intake = intakes::seen(&app, &caller, id).await?;
    make(&app, &caller, (About::Intake(id), &intake.site), Remark::Note(body.text)).await
}
