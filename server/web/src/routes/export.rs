//! Filings as a file: all that a filter asks for, page by page from the store, so that its length costs no memory.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use bytes::Bytes;
use futures_util::StreamExt as _;
use postroom_api::filing::FilingItem;
use postroom_api::filter;
use postroom_api::page::{FilingExport, MAX_LIMIT};
use postroom_api::problem::Problem;
use postroom_domain::data_upload::csv_line;
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::ids::FilingId;
use postroom_domain::query::{FilingQuery, Window};
use postroom_domain::store::StoreResult;

use super::asked::Asked;
use super::remarks;
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault};

const COLUMNS: [&str; 19] = [
    "id",
    "state",
    "received",
    "source",
    "sender",
    "subject",
    "file_name",
    "size",
    "destination",
    "target",
    "reference",
    "tries",
    "cause",
    "cause_in_words",
    "next_step",
    "due",
    "document",
    "link",
    "taken_by",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

impl Format {
    fn of(text: &str) -> Answer<Self> {
        match text {
            "" | "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(Fault::value("format", "is neither csv nor json")),
        }
    }

    /// Media type and name of the file.
    const fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("text/csv; charset=utf-8", "filings.csv"),
            Self::Json => ("application/jsonl", "filings.jsonl"),
        }
    }

    fn head(self) -> String {
        match self {
            // Spreadsheets know by the mark that it is UTF-8.
            Self::Csv => format!("\u{feff}{}", csv_line(&COLUMNS)),
            Self::Json => String::new(),
        }
    }

    fn line(self, item: &FilingItem) -> Result<String, serde_json::Error> {
        Ok(match self {
            Self::Csv => csv_line(&cells(item)),
            Self::Json => serde_json::to_string(item)? + "\n",
        })
    }
}

fn cells(item: &FilingItem) -> [String; COLUMNS.len()] {
    let receipt = item.receipt.as_ref();
    let cause = item.cause.as_ref();
    [
        item.id.to_string(),
        item.state.to_string(),
        item.received.to_string(),
        item.source.to_string(),
        item.sender.clone(),
        item.subject.clone(),
        item.file_name.clone(),
        item.size.to_string(),
        item.destination.to_string(),
        item.target.clone(),
        item.reference.clone(),
        item.tries.to_string(),
        cause.map(|cause| cause.code.clone()).unwrap_or_default(),
        cause.map(|cause| cause.short.clone()).unwrap_or_default(),
        item.next_step.clone(),
        item.due.map(|due| due.to_string()).unwrap_or_default(),
        receipt.map(|receipt| receipt.document.clone()).unwrap_or_default(),
        receipt.and_then(|receipt| receipt.link.clone()).unwrap_or_default(),
        item.taken_by.clone().unwrap_or_default(),
    ]
}

/// What is still to be written.
struct Rest {
    app: web::Data<Shared>,
    query: FilingQuery,
    format: Format,
    before: Option<FilingId>,
}

impl Rest {
    /// The next lines, and what comes after them.
    async fn next(mut self) -> StoreResult<(Bytes, Option<Self>)> {
        let window = Window { before: self.before, limit: MAX_LIMIT };
        let page = self.app.store.list_filings(&self.query, window, self.app.clock.now()).await?;
        let mut lines = String::new();
        for item in remarks::items(&self.app, &page.items).await? {
            let line = self.format.line(&item);
            lines += &line.map_err(|error| postroom_domain::store::StoreError::Damaged(error.to_string()))?;
        }
        self.before = page.next;
        let more = page.next.is_some();
        Ok((Bytes::from(lines), more.then_some(self)))
    }
}

/// All filings that the filter asks for, newest first, as CSV or as one JSON object a line. The audit keeps that it was asked for.
#[utoipa::path(tag = "filings", operation_id = "export_filings", security(("token" = [])), params(FilingExport), responses(
    (status = 200, description = "The file; no cell of it is a formula. One that breaks off is not whole.", body = String, content_type = "text/csv"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/filings/export")]
pub(crate) async fn export_filings(
    caller: Allowed<File>,
    Asked(asked): Asked<FilingExport>,
    app: web::Data<Shared>,
) -> Answer {
    let format = Format::of(&asked.format)?;
    let (media, name) = format.file();
    let filter = filter::parse(&asked.q).map_err(|errors| filter::problem(&errors))?;
    let query = filter.into_query(caller.scope(), caller.only_own());
    // Told before the first byte leaves: an export that nobody was told of does not exist.
    app.store
        .record(NewEvent {
            at: app.clock.now(),
            site: Some(caller.principal().sites.home.clone()),
            subject: Subject::System,
            happening: Happening::Security { what: Security::FilingsExported },
            actor: caller.actor(),
            note: if asked.q.is_empty() { format!("{name}, all") } else { format!("{name}: {}", asked.q) },
        })
        .await?;
    let head = futures_util::stream::iter([Ok(Bytes::from(format.head()))]);
    let rest = Some(Rest { app, query, format, before: None });
    let lines = futures_util::stream::try_unfold(rest, |rest| async move {
        let Some(rest) = rest else { return Ok(None) };
        match rest.next().await {
            Ok(piece) => Ok(Some(piece)),
            Err(error) => {
                tracing::warn!(error = %error, "an export of filings ends because they cannot be read");
                // The connection breaks: half a file is not taken for a whole one.
                Err(error)
            }
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .streaming(head.chain(lines)))
}
