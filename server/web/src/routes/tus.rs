//! Uploads that go on where they broke off, by the protocol of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): its core, and the
//! extensions creation, creation-with-upload, expiration, checksum and termination.
//!
//! The protocol is spoken here and not by a crate. What there is for Rust was a program of its own (rustus), a client (tus), or one
//! first release for another web server (tus-server, tus-axum); all of them keep parts as plain files that grow in place. Here parts go
//! through the spool, sealed, each durable before its offset is told, and named by a record that the sweep and the backup know
//! ([`postroom_domain::uploads`]). What is left of the protocol are these six routes.
//!
//! Only who began an upload may see it or go on with it. What has come when a connection breaks is kept; what comes with a checksum is kept
//! as a whole or not at all. The last `PATCH` is answered when the intake is durable; who missed the answer learns of it by `HEAD`.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, delete, head, options, patch, post, web};
use postroom_api::problem::{Code, Problem};
use postroom_domain::ids::UploadId;
use postroom_domain::uploads::{Append, NewUpload, Turn, Upload, UploadError, UploadState};

use self::checksum::Checksum;
use self::metadata::Metadata;
use super::asked::Named;
use super::upload::{door, idempotency_key, scoped};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Body;
use crate::fault::{Answer, Fault};

mod checksum;
mod metadata;

/// The version of the protocol.
pub(crate) const PROTOCOL: &str = "1.0.0";
/// The media type of pieces.
const PIECES: &str = "application/offset+octet-stream";
const EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";
const ADDRESS: &str = "/api/v1/uploads";

/// Whether a route speaks this protocol: then each of its answers says so.
pub(crate) fn is_tus(route: &str) -> bool {
    route.strip_prefix(ADDRESS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is spoken here.
#[utoipa::path(tag = "uploads", operation_id = "tell_uploads", security(("token" = [])), responses(
    (status = 204, description = "Version, extensions and limits, in headers."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[options("/api/v1/uploads")]
pub(crate) async fn tell_uploads(_caller: Allowed<File>, app: web::Data<Shared>) -> Answer {
    Ok(HttpResponse::NoContent()
        .insert_header(("tus-extension", EXTENSIONS))
        .insert_header(("tus-max-size", app.resumable.limits.document))
        .insert_header(("tus-checksum-algorithm", checksum::ALGORITHMS))
        .finish())
}

/// Begins an upload; its first bytes may come along.
#[utoipa::path(tag = "uploads", operation_id = "begin_upload", security(("token" = [])),
    params(("Upload-Length" = u64, Header, description = "How many bytes will come."),
        ("Upload-Metadata" = Option<String>, Header, description = "Pairs of a name and a value in Base64, with commas between: filename, filetype, work_item, area, subject, note, source, file_anyway."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same words names the same upload.")), responses(
    (status = 201, description = "Location is the upload."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/uploads")]
pub(crate) async fn begin_upload(
    caller: Allowed<File>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    speaks(&request)?;
    for unknown in ["upload-defer-length", "upload-concat"] {
        if request.headers().contains_key(unknown) {
            return Err(Fault::value(unknown, "is of an extension that is not spoken here"));
        }
    }
    let length: u64 = wanted(&request, "upload-length")?;
    if length == 0 {
        return Err(Fault::new(Code::EmptyDocument, "A document of no bytes is not taken in."));
    }
    let metadata = Metadata::of(&request, &app.limits)?;
    let source = door(&app, metadata.source.as_ref()).await?;
    let principal = caller.principal();
    let key = idempotency_key(&request)?.map(|key| scoped(&principal.sites.home, &principal.name, &key));
    let new = NewUpload { source, length, about: metadata.about, key };
    let (upload, again) = {
        let _alone = app.beginning.lock().await;
        app.resumable.begin(principal, new).await?
    };
    let id = upload.id;
    let upload = if !again && has_pieces(&request) {
        receive(&app, &caller, id, 0, &request, payload).await?
    } else {
        upload
    };
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("{ADDRESS}/{id}")));
    if again {
        answer.insert_header(("idempotent-replayed", "true"));
    }
    Ok(told(&mut answer, &upload).finish())
}

/// Where an upload goes on.
#[utoipa::path(tag = "uploads", operation_id = "show_upload", security(("token" = [])),
    params(("id" = String, Path, description = "The upload's id.")), responses(
    (status = 200, description = "Upload-Offset is where it goes on; Upload-Intake the intake that it became."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[head("/api/v1/uploads/{id}")]
pub(crate) async fn show_upload(
    caller: Allowed<File>,
    Named(id): Named<UploadId>,
    request: HttpRequest,
    app: web::Data<Shared>,
) -> Answer {
    speaks(&request)?;
    shown(&app, &caller, id).await
}

async fn shown(app: &Shared, caller: &Allowed<File>, id: UploadId) -> Answer {
    let upload = app.resumable.find(caller.principal(), id).await?;
    if let UploadState::Refused(refused) = upload.state {
        return Err(UploadError::Refused(refused).into());
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("upload-length", upload.length));
    if !upload.about.as_sent.is_empty() {
        answer.insert_header(("upload-metadata", upload.about.as_sent.as_str()));
    }
    Ok(told(&mut answer, &upload).finish())
}

/// Takes bytes in, from where the upload is.
#[utoipa::path(tag = "uploads", operation_id = "append_to_upload", security(("token" = [])),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    params(("id" = String, Path, description = "The upload's id."),
        ("Upload-Offset" = u64, Header, description = "Where the bytes belong."),
        ("Upload-Checksum" = Option<String>, Header, description = "sha1 or sha256, and the checksum in Base64: the bytes are kept as a whole or not at all.")), responses(
    (status = 204, description = "Durable up to Upload-Offset. With the last byte: taken in, and Upload-Intake names the intake."),
    (status = 409, description = "The upload goes on elsewhere.", body = Problem, content_type = "application/problem+json"),
    (status = 423, description = "Another request is writing to it.", body = Problem, content_type = "application/problem+json"),
    (status = 460, description = "The bytes are not those of the checksum.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[patch("/api/v1/uploads/{id}")]
pub(crate) async fn append_to_upload(
    caller: Allowed<File>,
    Named(id): Named<UploadId>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    speaks(&request)?;
    appended(&app, &caller, id, &request, payload).await
}

async fn appended(
    app: &web::Data<Shared>,
    caller: &Allowed<File>,
    id: UploadId,
    request: &HttpRequest,
    payload: web::Payload,
) -> Answer {
    if !has_pieces(request) {
        return Err(Fault::new(Code::WrongMediaType, format!("This route takes {PIECES}.")));
    }
    let at = wanted(request, "upload-offset")?;
    let upload = receive(app, caller, id, at, request, payload).await?;
    Ok(told(&mut HttpResponse::NoContent(), &upload).finish())
}

/// Gives an upload up.
#[utoipa::path(tag = "uploads", operation_id = "end_upload", security(("token" = [])),
    params(("id" = String, Path, description = "The upload's id.")), responses(
    (status = 204, description = "It is not there any more. An intake that it became stays."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/uploads/{id}")]
pub(crate) async fn end_upload(
    caller: Allowed<File>,
    Named(id): Named<UploadId>,
    request: HttpRequest,
    app: web::Data<Shared>,
) -> Answer {
    speaks(&request)?;
    ended(&app, &caller, id).await
}

async fn ended(app: &Shared, caller: &Allowed<File>, id: UploadId) -> Answer {
    app.resumable.end(caller.principal(), id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The same for clients behind something that lets only POST through.
#[utoipa::path(tag = "uploads", operation_id = "upload_by_post", security(("token" = [])),
    params(("id" = String, Path, description = "The upload's id."),
        ("X-HTTP-Method-Override" = String, Header, description = "HEAD, PATCH or DELETE.")), responses(
    (status = 204, description = "As the method that is named."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/uploads/{id}")]
pub(crate) async fn upload_by_post(
    caller: Allowed<File>,
    Named(id): Named<UploadId>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    speaks(&request)?;
    match text(&request, "x-http-method-override").unwrap_or("") {
        "PATCH" => appended(&app, &caller, id, &request, payload).await,
        "DELETE" => ended(&app, &caller, id).await,
        "HEAD" => shown(&app, &caller, id).await,
        _ => {
            let why = "must name HEAD, PATCH or DELETE where an upload is sent a POST";
            Err(Fault::value("X-HTTP-Method-Override", why))
        }
    }
}

/// Reads the body into the upload and, with its last byte, takes the whole in. That is a task of its own: when the client goes, what has
/// come is kept all the same, and a complete upload becomes an intake.
async fn receive(
    app: &web::Data<Shared>,
    caller: &Allowed<File>,
    id: UploadId,
    at: u64,
    request: &HttpRequest,
    payload: web::Payload,
) -> Answer<Upload> {
    let checksum = text(request, "upload-checksum").map(Checksum::begin).transpose()?;
    let announced = text(request, "content-length").and_then(|text| text.parse().ok());
    let _turn = app
        .uploads
        .try_acquire()
        .map_err(|_| Fault::new(Code::Busy, "Too many uploads are under way.").after(1))?;
    let append = app.resumable.append(caller.principal(), id, at, announced, checksum.is_some()).await?;
    let limits = &app.limits;
    let body = Body::new(payload, app.resumable.limits.document, limits.body_idle, limits.body_total);
    let app = app.clone();
    let work = actix_web::rt::spawn(async move {
        let (upload, turn) = keep(append, body, checksum).await?;
        let upload = app.resumable.complete(turn, upload).await?;
        if upload.intake().is_some() {
            metrics::counter!("postroom_uploads_completed_total").increment(1);
            app.control.wake();
        }
        Answer::Ok(upload)
    });
    let upload: Upload = work.await.map_err(|error| Fault::internal(format!("an upload: {error}")))??;
    match upload.state {
        UploadState::Refused(refused) => Err(UploadError::Refused(refused).into()),
        _ => Ok(upload),
    }
}

/// Keeps what comes: all of it where the body is whole, what came where it broke off, nothing where its checksum is wrong.
async fn keep(mut append: Append, mut body: Body, mut checksum: Option<Checksum>) -> Answer<(Upload, Turn)> {
    loop {
        match body.piece().await {
            Ok(Some(bytes)) => {
                if let Some(checksum) = &mut checksum {
                    checksum.add(&bytes);
                }
                if let Err(error) = append.write(bytes).await {
                    append.give_up().await;
                    return Err(error.into());
                }
            }
            Ok(None) => break,
            Err(error) if checksum.is_some() => {
                append.give_up().await;
                return Err(error.into());
            }
            Err(error) => {
                let _kept = append.keep().await?;
                let fault: Fault = error.into();
                return Err(fault.hint("What came is kept. Ask with HEAD where it goes on."));
            }
        }
    }
    if checksum.is_some_and(|checksum| !checksum.fits()) {
        append.give_up().await;
        return Err(Fault::new(Code::BadChecksum, "The bytes that came are not those that were sent."));
    }
    Ok(append.keep().await?)
}

/// What every answer says of an upload.
fn told<'a>(answer: &'a mut HttpResponseBuilder, upload: &Upload) -> &'a mut HttpResponseBuilder {
    let since = Duration::try_from(upload.expires.as_duration()).unwrap_or_default();
    answer
        .insert_header(("upload-offset", upload.offset()))
        .insert_header(("upload-expires", httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)));
    if let Some(intake) = upload.intake() {
        answer.insert_header(("upload-intake", intake.to_string()));
    }
    answer
}

/// Whether the client speaks our version.
fn speaks(request: &HttpRequest) -> Answer<()> {
    match text(request, "tus-resumable") {
        Some(PROTOCOL) => Ok(()),
        _ => Err(Fault::new(Code::OtherVersion, "The request does not say Tus-Resumable: 1.0.0.")),
    }
}

fn has_pieces(request: &HttpRequest) -> bool {
    text(request, "content-type").is_some_and(|it| it.trim().eq_ignore_ascii_case(PIECES))
}

fn text<'a>(request: &'a HttpRequest, name: &'static str) -> Option<&'a str> {
    request.headers().get(HeaderName::from_static(name)).map(|value| value.to_str().unwrap_or("?"))
}

/// A header that must be there.
fn wanted<T: FromStr>(request: &HttpRequest, name: &'static str) -> Answer<T> {
    let given = text(request, name).ok_or_else(|| Fault::value(name, "is missing"))?;
    // No sign: "+5" and "-0" are not numbers of bytes.
    let digits = !given.is_empty() && given.bytes().all(|b| b.is_ascii_digit());
    given.parse().ok().filter(|_| digits).ok_or_else(|| Fault::value(name, "is not a number of bytes"))
}
