//! A form with files, as browsers send it: first its fields, then the files.

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use postroom_api::problem::Code;

use super::{Fields, app};
use crate::app::Shared;
use crate::body::Body;
use crate::body::multipart::{Multipart, PartHead, boundary};
use crate::csrf;
use crate::fault::{Answer, Fault};

/// Fields before the files at most.
const FIELDS: usize = 20;

/// A form whose fields were read, and whose files come next.
pub(super) struct Sent {
    pub(super) fields: Fields,
    /// The first file's head; none where there is no file.
    pub(super) file: Option<PartHead>,
    pub(super) multipart: Multipart<Body>,
}

impl Sent {
    /// Reads the fields, if it is a form of ours. Not one byte of a file is taken before that is known.
    pub(super) async fn read(request: &HttpRequest, payload: web::Payload) -> Answer<Self> {
        let app = app(request)?;
        let boundary = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(boundary)
            .ok_or_else(|| Fault::new(Code::WrongMediaType, "This page takes a form with files."))?
            .map_err(|why| Fault::new(Code::BadUpload, format!("{why}.")))?;
        let limits = &app.limits;
        let body = Body::new(payload, limits.request, limits.body_idle, limits.body_total);
        let mut multipart = Multipart::new(body, &boundary);
        let mut fields = Vec::new();
        let file = loop {
            match multipart.part().await? {
                None => break None,
                Some(head) if head.name == "file" => break Some(head),
                Some(_) if fields.len() == FIELDS => {
                    return Err(Fault::new(Code::TooManyParts, "The form has too many fields."));
                }
                Some(head) => fields.push((head.name, field(&app, &mut multipart).await?)),
            }
        };
        let fields = Fields(fields);
        csrf::check_form(app.get_ref(), request, fields.get(csrf::FIELD))?;
        Ok(Self { fields, file, multipart })
    }
}

async fn field(app: &Shared, multipart: &mut Multipart<Body>) -> Answer<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = multipart.chunk().await? {
        if bytes.len() + chunk.len() > app.limits.text {
            let limit = app.limits.text;
            return Err(Fault::new(Code::TooLarge, format!("A field may have at most {limit} bytes.")));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Fault::new(Code::BadValue, "A field is not UTF-8."))
}
