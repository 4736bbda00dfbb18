//! The audit: read page by page, verified, and exported.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use bytes::Bytes;
use postroom_api::audit::{AuditList, AuditPage, ExportFormat, ExportList, VerifyList, VerifyView};
use postroom_api::event::{EventView, HappeningView};
use postroom_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use postroom_api::problem::Problem;
use postroom_domain::audit::{self, Anchor, Export, Format};
use postroom_domain::event::{Event, Happening, NewEvent, Security, Subject};

use super::asked::Asked;
use crate::app::Shared;
use crate::auth::{Allowed, ReadAudit};
use crate::events::View;
use crate::fault::{Answer, Fault};

/// Events looked at for one page, so that a rare filter does not read the whole history at once.
const LOOKED_AT: usize = 5000;

fn fits(asked: &AuditList, event: &Event) -> bool {
    let Event { event, .. } = event;
    let by = |name: &str| name.eq_ignore_ascii_case(asked.person.trim());
    let kind = || HappeningView::from(&event.happening).kind;
    asked.from.is_none_or(|from| event.at >= from)
        && asked.until.is_none_or(|until| event.at < until)
        && (asked.person.trim().is_empty()
            || by(&event.actor.principal)
            || event.actor.on_behalf_of.as_deref().is_some_and(by))
        && (asked.kind.is_empty() || asked.kind.split(',').any(|it| it.trim() == kind()))
}

/// The history of one's sites with everything that the audit keeps, oldest first.
#[utoipa::path(tag = "audit", operation_id = "read_audit", security(("token" = [])), params(AuditList), responses(
    (status = 200, description = "A page.", body = AuditPage),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/audit")]
pub(crate) async fn read_audit(
    caller: Allowed<ReadAudit>,
    Asked(asked): Asked<AuditList>,
    app: web::Data<Shared>,
) -> Answer {
    let limit = asked.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Fault::value("limit", format!("is {limit}, not 1 to {MAX_LIMIT}")));
    }
    let view = View::of(caller.principal());
    let (mut items, mut after, mut looked_at) = (Vec::new(), asked.after.unwrap_or(0), 0);
    loop {
        let events = app.store.events_after(after, MAX_LIMIT).await?;
        if events.is_empty() {
            return Ok(HttpResponse::Ok().json(AuditPage { items, next: None }));
        }
        looked_at += events.len();
        for event in events {
            after = event.seq;
            if view.shows(&event.event) && fits(&asked, &event) {
                items.push(EventView::from(&event));
                if items.len() == limit {
                    return Ok(HttpResponse::Ok().json(AuditPage { items, next: Some(after) }));
                }
            }
        }
        if looked_at >= LOOKED_AT {
            return Ok(HttpResponse::Ok().json(AuditPage { items, next: Some(after) }));
        }
    }
}

/// Looks through the whole history: whether anything was changed, taken out, put in or reordered.
#[utoipa::path(tag = "audit", operation_id = "verify_audit", security(("token" = [])), params(VerifyList), responses(
    (status = 200, description = "What was found.", body = VerifyView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/audit/verify")]
pub(crate) async fn verify_audit(
    caller: Allowed<ReadAudit>,
    Asked(asked): Asked<VerifyList>,
    app: web::Data<Shared>,
) -> Answer {
    all_sites(&caller)?;
    let known: Option<Anchor> = match asked.known.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|why| Fault::value("known", format!("{why}")))?),
    };
    let verdict = audit::verify(app.store.as_ref(), known).await?;
    Ok(HttpResponse::Ok().json(VerifyView::from(&verdict)))
}

/// The chain ties the events of all sites together, so it is for those who see all of them.
fn all_sites(caller: &Allowed<ReadAudit>) -> Answer<()> {
    if caller.principal().sites.all {
        return Ok(());
    }
    let detail = "The whole history holds the events of every site, and you do not see every site.";
    Err(Fault::new(postroom_api::problem::Code::Forbidden, detail)
        .hint("GET /api/v1/audit shows what belongs to your sites."))
}

/// The whole history as a file, up to the event that tells of this export. JSON Lines verify on their own.
#[utoipa::path(tag = "audit", operation_id = "export_audit", security(("token" = [])), params(ExportList), responses(
    (status = 200, description = "The file.", body = String, content_type = "application/jsonl"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/audit/export")]
pub(crate) async fn export_audit(
    caller: Allowed<ReadAudit>,
    Asked(asked): Asked<ExportList>,
    app: web::Data<Shared>,
) -> Answer {
    all_sites(&caller)?;
    let (format, media, name) = match asked.format {
        ExportFormat::Jsonl => (Format::JsonLines, "application/jsonl", "audit.jsonl"),
        ExportFormat::Csv => (Format::Csv, "text/csv; charset=utf-8", "audit.csv"),
    };
    let after = asked.after.unwrap_or(0);
    // Told before the first byte leaves: an export that nobody was told of does not exist.
    let event = NewEvent {
        at: app.clock.now(),
        site: None,
        subject: Subject::System,
        happening: Happening::Security { what: Security::AuditExported },
        actor: caller.actor(),
        note: format!("{name}, after event {after}"),
    };
    let until = app.store.record(event).await?;
    let export = Export::new(format, after, until);
    let pieces = futures_util::stream::try_unfold((app, export), |(app, mut export)| async move {
        match export.next(app.store.as_ref()).await {
            Ok(piece) => Ok(piece.map(|piece| (Bytes::from(piece), (app, export)))),
            Err(error) => {
                tracing::warn!(error = %error, "an export of the audit ends because the history cannot be read");
                // The connection breaks: half a file is not taken for a whole one.
                Err(error)
            }
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(pieces))
}
