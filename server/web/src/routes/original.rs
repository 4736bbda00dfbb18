//! The untouched bytes of an intake's documents. They are foreign: never shown by a browser in our name, only saved.

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use postroom_api::problem::{Code, Problem};
use postroom_domain::filing::Filing;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Document, Intake};
use serde::Deserialize;

use super::asked::{Asked, Named};
use super::intakes::seen;
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Which document, from 1; the first when not said.
    document: Option<usize>,
}

/// The untouched bytes of one document.
#[utoipa::path(tag = "intakes", operation_id = "original", security(("token" = [])),
    params(("id" = String, Path, description = "The intake's id."), Which), responses(
    (status = 410, description = "Its source was given up for a link; Link is where the document is.", body = Problem, content_type = "application/problem+json"),
    (status = 200, description = "The bytes.", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/intakes/{id}/original")]
pub(crate) async fn original_bytes(
    caller: Allowed<File>,
    Named(id): Named<IntakeId>,
    Asked(which): Asked<Which>,
    app: web::Data<Shared>,
) -> Answer {
    let intake = seen(&app, &caller, id).await?;
    let number = which.document.unwrap_or(1);
    let document = number.checked_sub(1).and_then(|at| intake.documents.get(at)).ok_or_else(|| {
        Fault::not_found(format_args!("document {number}: the intake has {}", intake.documents.len()))
    })?;
    if let Some(gone) = released(&app, &intake, document).await? {
        return Err(gone);
    }
    let content = app.spool.content(document.blob).await?;
    let stream = content
        .open()
        .await
        .map_err(|error| Fault::internal(format!("content {}: {error}", document.blob.hash)))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, document.media_type.as_str()))
        .insert_header((header::CONTENT_DISPOSITION, disposition(&document.file_name)))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((header::ETAG, format!("\"{}\"", document.blob.hash)))
        .body(SizedStream::new(document.blob.size, stream)))
}

/// The answer for a document whose source was given up: where it is now. None while it is kept.
pub(super) async fn released(app: &Shared, intake: &Intake, document: &Document) -> Answer<Option<Fault>> {
    let filings = app.store.intake_filings(intake.id).await?;
    let own: Vec<&Filing> =
        filings.iter().filter(|filing| filing.request.blob.hash == document.blob.hash).collect();
    if own.is_empty() || own.iter().any(|filing| filing.progress.released.is_none()) {
        return Ok(None);
    }
    let mut places = Vec::new();
    let mut link = None;
    for filing in own {
        let Some(receipt) = &filing.progress.receipt else { continue };
        places.push(format!("document {} at {}", receipt.document, filing.request.target.service));
        link = link.or_else(|| receipt.link.clone());
    }
    let (size, hash) = (document.blob.size, document.blob.hash);
    let detail = format!(
        "It is in the DMS, which gave it back unchanged ({size} bytes, hash {hash}): {}.",
        places.join(", ")
    );
    let fault = Fault::new(Code::Released, detail);
    Ok(Some(match link {
        Some(link) => fault.hint(format!("Open it there: {link}")).link(link),
        None => fault,
    }))
}

/// What RFC 8187 leaves unescaped in `filename*`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A header that saves the document under its name, without what would lead out of a folder or turn the text around.
fn disposition(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| match c {
            // Characters that change the direction of text make `exe.pdf` of `fdp.exe`.
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '/'
            | '\\'
            | ':'
            | '*'
            | '?'
            | '"'
            | '<'
            | '>'
            | '|' => '_',
            c if c.is_control() => '_',
            c => c,
        })
        .take(150)
        .collect();
    let safe = safe.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let safe = if safe.is_empty() { "document" } else { safe };
    let plain: String =
        safe.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(safe, KEPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_to_save() {
        let table = [
            ("a.pdf", "a.pdf", "a.pdf"),
            ("../../etc/passwd", "_.._etc_passwd", "_.._etc_passwd"),
            ("a\"b\r\nX: y.pdf", "a_b__X_ y.pdf", "a_b__X_%20y.pdf"),
            ("naïve.pdf", "na_ve.pdf", "na%C3%AFve.pdf"),
            ("\u{202e}fdp.exe", "_fdp.exe", "_fdp.exe"),
            ("...", "document", "document"),
            ("", "document", "document"),
        ];
        for (name, plain, extended) in table {
            let wanted = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}");
            assert_eq!(disposition(name), wanted, "{name}");
        }
    }
}
