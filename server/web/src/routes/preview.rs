//! What is in a document, as plain text. The bytes are foreign; they are read where the house reads them anyway.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use postroom_api::intake::DocumentView;
use postroom_api::preview::{Preview, PreviewList, PreviewPart};
use postroom_api::problem::{Code, Problem};
use postroom_domain::event::Subject;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Document, Intake};
use postroom_domain::preview::{self as domain, NoPreview, closed};

use super::asked::{Asked, Named};
use super::{intakes, original};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault};

/// So much of an intake's history is looked through: more than any has.
const HISTORY: usize = 2000;

/// A document of which nothing is shown, and why.
fn nothing(document: &Document, why: impl Into<String>) -> Preview {
    Preview {
        document: DocumentView::from(document),
        kind: "none".to_owned(),
        head: Vec::new(),
        text: String::new(),
        more: false,
        parts: Vec::new(),
        pages: None,
        why_not: why.into(),
    }
}

fn view(document: &Document, preview: domain::Preview) -> Preview {
    let part = |part: postroom_domain::mail::Carried| PreviewPart {
        file_name: part.name,
        media_type: part.media_type,
        size: part.size,
    };
    Preview {
        kind: preview.shown.name().to_owned(),
        head: preview.head,
        text: preview.text,
        more: preview.more,
        parts: preview.parts.into_iter().map(part).collect(),
        pages: preview.pages,
        ..nothing(document, "")
    }
}

async fn look(app: &Shared, intake: &Intake, document: &Document) -> Answer<Preview> {
    let history = app.store.events_about(&Subject::Intake(intake.id), HISTORY).await?;
    if let Some(why) = closed(intake.state, &history) {
        return Ok(nothing(document, why));
    }
    if let Some(gone) = original::released(app, intake, document).await? {
        return Ok(nothing(document, gone.problem().detail.clone()));
    }
    match app.previews.preview(document).await {
        Ok(preview) => Ok(view(document, preview)),
        Err(NoPreview::Nothing(why)) => Ok(nothing(document, why)),
        Err(error @ NoPreview::Later(_)) => {
            Err(Fault::new(Code::Busy, "It cannot be read at present.").after(5).log(error.to_string()))
        }
    }
}

/// What is in a document, as plain text: an e-mail's body with its head and attachments, a text, a PDF's first pages. Never active
/// content; of what is or was in quarantine nothing is opened.
#[utoipa::path(tag = "intakes", operation_id = "preview", security(("token" = [])),
    params(("id" = String, Path, description = "The intake's id."), PreviewList), responses(
    (status = 200, description = "What can be read of it, or why nothing can.", body = Preview),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/intakes/{id}/preview")]
pub(crate) async fn show_preview(
    caller: Allowed<File>,
    Named(id): Named<IntakeId>,
    Asked(asked): Asked<PreviewList>,
    app: web::Data<Shared>,
) -> Answer {
    let intake = intakes::seen(&app, &caller, id).await?;
    let number = asked.document.unwrap_or(0);
    let document = intake.documents.get(number).ok_or_else(|| {
        Fault::not_found(format_args!("document {number}: the intake has {}", intake.documents.len()))
    })?;
    let preview = look(&app, &intake, document).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-store")).json(preview))
}
