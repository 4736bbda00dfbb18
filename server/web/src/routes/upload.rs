//! `POST /intakes`: documents come in as streams. Each is durable in the spool before anything names it; one transaction then
//! names them all; only then the 202 leaves. Whatever goes wrong on the way leaves no row and no draft behind.

use std::collections::VecDeque;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};
use bytes::BytesMut;
use postroom_api::filing::FilingItem;
use postroom_api::intake::{IntakeAnswer, IntakeItem, IntakeMeta};
use postroom_api::pause::DoorKind;
use postroom_api::problem::{Code, FieldError, Problem};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{BlobHash, SiteName, SourceName};
use postroom_domain::intake::{Document, Intake};
use postroom_domain::person::{Actor, Principal};
use postroom_domain::reception::Arrival;
use postroom_domain::repository::Area;
use postroom_domain::spool::Draft;
use postroom_domain::store::{Accepted, IdempotencyKey};
use postroom_domain::target::SaveMode;
use postroom_domain::uploads::Upload;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;

use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Body;
use crate::body::multipart::{Multipart, PartHead, boundary};
use crate::fault::{Answer, Fault};

/// Documents of one request that are made durable at once.
const SEALING: usize = 4;
/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 200;
/// When a client comes back to a door that a person stopped, in seconds.
const COME_BACK: u64 = 60;

/// What the description says of the body.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only described: the body is read as a stream")]
pub(crate) struct UploadForm {
    /// Comes first.
    meta: IntakeMeta,
    /// One part for each document, with its file name and media type.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

/// Takes documents in. The answer comes when they and their filings are durable. Where what comes in is screened for malware first, and
/// for batches of scanned pages, the intake is `stored` then and has no filings yet: they are planned when it was opened. Ask for the
/// intake, or follow the events, until its state is another one.
#[utoipa::path(tag = "intakes", operation_id = "take_in", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters. The same key with the same content is taken in once.")),
    request_body(content = UploadForm, content_type = "multipart/form-data"), responses(
    (status = 202, description = "Taken in, durably; Location is the intake. It has no filings while it is `stored`. With Idempotent-Replayed: true when it had been before.", body = IntakeAnswer),
    (status = "default", description = "A problem; nothing was taken in.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/intakes")]
pub(crate) async fn take_in(
    caller: Allowed<File>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    let key = idempotency_key(&request)?;
    let (_turn, mut multipart) = begin(&app, &request, payload)?;
    let meta = read_meta(&app, &mut multipart).await?;
    let source = door(&app, meta.source.as_ref()).await?;
    let documents = read_documents(&app, &mut multipart).await?;
    if !meta.document.is_empty() && documents.len() != 1 {
        return Err(Fault::value("document", format!("names one document, and {} came", documents.len())));
    }
    let (intake, filings, again) = take(&app, caller.principal(), meta, source, documents, key).await?;
    let mut answer = HttpResponse::Accepted();
    answer.insert_header((header::LOCATION, format!("/api/v1/intakes/{}", intake.id)));
    if again {
        answer.insert_header(("idempotent-replayed", "true"));
    }
    let filings = filings.iter().map(FilingItem::from).collect();
    Ok(answer.json(IntakeAnswer { intake: IntakeItem::from(&intake), filings, again }))
}

/// Begins to read a body of parts, if there is a turn and room for it.
pub(super) fn begin<'a>(
    app: &'a Shared,
    request: &HttpRequest,
    payload: web::Payload,
) -> Answer<(SemaphorePermit<'a>, Multipart<Body>)> {
    let boundary = match request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
        None => None,
        Some(text) => boundary(text),
    }
    .ok_or_else(|| Fault::new(Code::WrongMediaType, "This route takes multipart/form-data."))?
    .map_err(|why| Fault::new(Code::BadUpload, format!("{why}.")))?;
    let turn = app
        .uploads
        .try_acquire()
        .map_err(|_| Fault::new(Code::Busy, "Too many uploads are under way.").after(1))?;
    // What the client says of its length only ever refuses early; the bytes are counted all the same.
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if told.is_some_and(|told: u64| told > app.limits.request) {
        return Err(request_too_large(app));
    }
    app.spool.door(told.unwrap_or(0))?;
    let limits = &app.limits;
    let body = Body::new(payload, limits.request, limits.body_idle, limits.body_total);
    Ok((turn, Multipart::new(body, &boundary)))
}

/// Takes documents in whose bytes are durable. The intake, its filings, and whether the key was used before.
pub(crate) async fn take(
    app: &Shared,
    principal: &Principal,
    meta: IntakeMeta,
    source: SourceName,
    documents: Vec<Document>,
    key: Option<String>,
) -> Answer<(Intake, Vec<Filing>, bool)> {
    let bytes: u64 = documents.iter().map(|document| document.blob.size).sum();
    let key = key.map(|key| IdempotencyKey {
        key: scoped(&principal.sites.home, &principal.name, &key),
        fingerprint: fingerprint(&meta, &source, &documents),
    });
    let save_mode = mode(&meta);
    let arrival = Arrival {
        site: principal.sites.home.clone(),
        source,
        submitted_by: principal.name.clone(),
        subject: meta.subject,
        sender: principal.name.clone(),
        note: meta.note,
        work_item: Some(meta.work_item).filter(|given| !given.is_empty()),
        area: Some(meta.area).filter(|area| !area.is_empty()),
        documents,
        key,
        forced: meta.file_anyway,
        batch: false,
        save_mode,
        document_key: meta.document,
        remarks: Vec::new(),
    };
    match app.reception.accept(arrival, &Actor::person(&principal.name)).await? {
        Accepted::Fresh(intake, filings) => {
            metrics::counter!("postroom_intakes_accepted_total", "door" => "http").increment(1);
            metrics::counter!("postroom_intake_bytes_total", "door" => "http").increment(bytes);
            app.control.wake();
            Ok((intake, filings, false))
        }
        Accepted::Again(id) => {
            metrics::counter!("postroom_intakes_replayed_total", "door" => "http").increment(1);
            let intake =
                app.store.intake(id).await?.ok_or_else(|| {
                    Fault::internal(format!("the key names intake {id}, which is not there"))
                })?;
            Ok((intake, app.store.intake_filings(id).await?, true))
        }
    }
}

/// What becomes of the source. A document with an id of its own is kept linked: as a copy, its next save would be a second document.
fn mode(meta: &IntakeMeta) -> Option<SaveMode> {
    meta.save_mode.or_else(|| (!meta.document.is_empty()).then_some(SaveMode::KeepLinked))
}

/// Whether what is said of the source fits together.
fn check_mode(meta: &IntakeMeta) -> Answer<()> {
    match (meta.save_mode, meta.document.is_empty()) {
        (Some(SaveMode::KeepLinked), true) => {
            Err(Fault::value("document", "must name the document when save_mode is keep_linked"))
        }
        (Some(SaveMode::Copy | SaveMode::ReplaceWithLink), false) => {
            Err(Fault::value("document", "is only for save_mode keep_linked"))
        }
        (_, false)
            if meta.document.trim() != meta.document || meta.document.chars().any(char::is_control) =>
        {
            Err(Fault::value("document", "begins or ends with a space, or holds a control character"))
        }
        (_, false) if meta.work_item.is_empty() => {
            Err(Fault::value("document", "needs work_item: a document is known by its work item and this id"))
        }
        _ => Ok(()),
    }
}

fn request_too_large(app: &Shared) -> Fault {
    Fault::new(Code::TooLarge, format!("One request may have at most {} bytes.", app.limits.request))
}

/// The key, if one is sent: 1 to 200 visible ASCII characters.
pub(super) fn idempotency_key(request: &HttpRequest) -> Answer<Option<String>> {
    let mut keys = request.headers().get_all("idempotency-key");
    let Some(key) = keys.next() else { return Ok(None) };
    let text = key.to_str().unwrap_or("");
    let good = (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if !good || keys.next().is_some() {
        let why = format!("must be one key of 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(Fault::value("Idempotency-Key", why));
    }
    Ok(Some(text.to_owned()))
}

/// A key that two callers cannot share: the length tells where the name ends.
pub(super) fn scoped(home: &SiteName, name: &str, key: &str) -> String {
    format!("{home}/{}:{name}/upload/{key}", name.len())
}

/// The key under which a document is taken in that came piece by piece. One that its sender named is the same as that of a whole
/// upload: whichever way it comes, it is taken in once.
pub fn upload_key(upload: &Upload, document: &Document) -> IdempotencyKey {
    let about = &upload.about;
    let meta = IntakeMeta {
        work_item: about.work_item.clone(),
        area: about.area.clone(),
        subject: about.subject.clone(),
        note: about.note.clone(),
        file_anyway: about.forced,
        ..IntakeMeta::default()
    };
    let told = Document { media_type: about.media_type.clone(), ..document.clone() };
    let own = || format!("{}/{}:{}/upload-id/{}", upload.site, upload.owner.len(), upload.owner, upload.id);
    IdempotencyKey {
        key: upload.key.clone().unwrap_or_else(own),
        fingerprint: fingerprint(&meta, &upload.source, &[told]),
    }
}

/// What was asked, as a hash: every text with its length before it.
fn fingerprint(meta: &IntakeMeta, source: &SourceName, documents: &[Document]) -> BlobHash {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for text in [source.as_str(), &meta.work_item, &meta.area, &meta.subject, &meta.note] {
        add(text.as_bytes());
    }
    add(&[u8::from(meta.file_anyway)]);
    // What was not said before these could be said leaves the fingerprint as it was: keys of then are still known.
    if meta.save_mode.is_some() || !meta.document.is_empty() {
        add(meta.save_mode.map_or("", SaveMode::as_str).as_bytes());
        add(meta.document.as_bytes());
    }
    for document in documents {
        add(document.file_name.as_bytes());
        add(document.media_type.as_bytes());
        add(document.blob.hash.as_bytes());
    }
    BlobHash::new(hash.finalize().into())
}

/// The first part.
pub(super) async fn read_meta_as<T: DeserializeOwned>(
    app: &Shared,
    multipart: &mut Multipart<Body>,
) -> Answer<T> {
    let head = multipart.part().await.map_err(|error| upload_fault(app, error))?;
    let head = head.ok_or_else(|| Fault::new(Code::BadUpload, "The body has no parts."))?;
    if head.name != "meta" {
        let name = shortened(&head.name);
        let detail =
            format!("The first part is \"{name}\"; it must be \"meta\", then come the parts \"file\".");
        return Err(Fault::new(Code::BadUpload, detail));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = multipart.chunk().await.map_err(|error| upload_fault(app, error))? {
        if bytes.len() + chunk.len() > app.limits.meta {
            let detail = format!("The part \"meta\" may have at most {} bytes.", app.limits.meta);
            return Err(Fault::new(Code::TooLarge, detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(postroom_api::body::parse(&bytes)?)
}

async fn read_meta(app: &Shared, multipart: &mut Multipart<Body>) -> Answer<IntakeMeta> {
    let meta: IntakeMeta = read_meta_as(app, multipart).await?;
    let limit = app.limits.text;
    for (field, text) in [
        ("work_item", &meta.work_item),
        ("area", &meta.area),
        ("subject", &meta.subject),
        ("note", &meta.note),
        ("document", &meta.document),
    ] {
        if text.len() > limit {
            return Err(Fault::value(field, format!("is longer than {limit} bytes")));
        }
    }
    if !meta.area.is_empty()
        && let Err(why) = meta.area.parse::<Area>()
    {
        return Err(Fault::value("area", why));
    }
    check_mode(&meta)?;
    Ok(meta)
}

/// The door that the upload comes through, when it is open.
pub(crate) async fn door(app: &Shared, named: Option<&SourceName>) -> Answer<SourceName> {
    let mut doors = app.sources.iter().filter(|source| source.uploads);
    let found = match named {
        None => doors.next(),
        Some(name) => doors.find(|source| source.name == *name),
    };
    let Some(source) = found else {
        let known: Vec<&str> =
            app.sources.iter().filter(|s| s.uploads).map(|source| source.name.as_str()).collect();
        let why = format!("is not a source that takes uploads (known: {})", known.join(", "));
        return Err(Fault::value("source", why));
    };
    let door = DoorKind::Source.door(source.name.as_str());
    if let Some(pause) = app.store.pauses().await?.into_iter().find(|pause| pause.door == door) {
        let open_again = pause.until.is_some_and(|until| until <= app.clock.now());
        if !open_again {
            let detail = format!("The source \"{}\" is stopped: {}", source.name, pause.reason);
            return Err(Fault::new(Code::Busy, detail).after(COME_BACK));
        }
    }
    Ok(source.name.clone())
}

/// A document whose bytes have come, but are not sealed yet.
struct Unsealed {
    draft: Box<dyn Draft>,
    file_name: String,
    media_type: String,
}

impl Unsealed {
    async fn seal(self) -> Answer<Document> {
        let blob = self.draft.seal().await?;
        Ok(Document { file_name: self.file_name, media_type: self.media_type, blob })
    }
}

/// Documents of one request that are being made durable while the next ones come in.
#[derive(Default)]
struct Sealing {
    under_way: VecDeque<tokio::task::JoinHandle<Answer<Document>>>,
    done: Vec<Document>,
}

impl Sealing {
    /// Takes one more, waiting for the oldest when too many are under way: the disk merges their flushes, memory stays bounded.
    async fn add(&mut self, document: Unsealed) -> Answer<()> {
        if self.under_way.len() >= SEALING {
            self.settle().await?;
        }
        self.under_way.push_back(tokio::spawn(document.seal()));
        Ok(())
    }

    async fn settle(&mut self) -> Answer<()> {
        if let Some(oldest) = self.under_way.pop_front() {
            let sealed = oldest.await.map_err(|error| Fault::internal(format!("sealing: {error}")))?;
            self.done.push(sealed?);
        }
        Ok(())
    }

    /// All of them, in order, when the last one is durable too.
    async fn finish(mut self, last: Unsealed) -> Answer<Vec<Document>> {
        let last = last.seal().await?;
        while !self.under_way.is_empty() {
            self.settle().await?;
        }
        self.done.push(last);
        Ok(self.done)
    }
}

/// The parts after the first. A document is sealed once what follows it has come, so that a body that breaks off leaves
/// as little as possible for the sweep.
async fn read_documents(app: &Shared, multipart: &mut Multipart<Body>) -> Answer<Vec<Document>> {
    let first = multipart.part().await.map_err(|error| upload_fault(app, error))?;
    read_documents_from(app, multipart, first).await
}

/// The one document of a body, where there is one.
pub(super) async fn one_document(app: &Shared, multipart: &mut Multipart<Body>) -> Answer<Option<Document>> {
    let first = multipart.part().await.map_err(|error| upload_fault(app, error))?;
    let Some(first) = first else { return Ok(None) };
    let mut documents = read_documents_from(app, multipart, Some(first)).await?;
    match (documents.pop(), documents.is_empty()) {
        (Some(one), true) => Ok(Some(one)),
        _ => Err(Fault::new(Code::TooManyParts, "One request hands in one letter, as one part \"file\".")),
    }
}

/// The same from a part on whose head was read.
pub(crate) async fn read_documents_from(
    app: &Shared,
    multipart: &mut Multipart<Body>,
    first: Option<PartHead>,
) -> Answer<Vec<Document>> {
    let mut sealing = Sealing::default();
    let mut last: Option<Unsealed> = None;
    let mut number = 0;
    let mut next = first;
    while let Some(head) = next {
        number += 1;
        if number > app.limits.documents {
            let limit = app.limits.documents;
            let detail = format!("One request may have at most {limit} parts \"file\".");
            return Err(Fault::new(Code::TooManyParts, detail));
        }
        if let Some(last) = last.take() {
            sealing.add(last).await?;
        }
        last = Some(read_document(app, multipart, head, number).await?);
        next = multipart.part().await.map_err(|error| upload_fault(app, error))?;
    }
    match last {
        Some(last) => sealing.finish(last).await,
        None => Err(Fault::new(Code::BadUpload, "The body has no part \"file\".")),
    }
}

async fn read_document(
    app: &Shared,
    multipart: &mut Multipart<Body>,
    head: PartHead,
    number: usize,
) -> Answer<Unsealed> {
    if head.name == "meta" {
        return Err(Fault::new(Code::BadUpload, "The part \"meta\" stands there twice."));
    }
    if head.name != "file" {
        let name = shortened(&head.name);
        let problem = Problem::new(
            Code::UnknownField,
            format!("The part \"{name}\" is not known; known are meta, file."),
        )
        .error(FieldError {
            field: Some(name),
            message: "not a part here".to_owned(),
            ..FieldError::default()
        });
        return Err(problem.into());
    }
    let file_name =
        head.file_name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("document-{number}"));
    if file_name.len() > app.limits.file_name {
        let (limit, name) = (app.limits.file_name, shortened(&file_name));
        return Err(Fault::value(
            "file",
            format!("the name of part {number} (\"{name}\") is longer than {limit} bytes"),
        ));
    }
    let mut draft = app.spool.draft().await?;
    while let Some(chunk) = multipart.chunk().await.map_err(|error| upload_fault(app, error))? {
        if draft.size() + chunk.len() as u64 > app.limits.document {
            let (limit, name) = (app.limits.document, shortened(&file_name));
            let detail =
                format!("\"{name}\" has more than {limit} bytes, the most that one document may have.");
            return Err(Fault::new(Code::TooLarge, detail));
        }
        draft.write(chunk).await?;
    }
    if draft.size() == 0 {
        let detail = format!("Part {number}, \"{}\", has no bytes.", shortened(&file_name));
        return Err(Fault::new(Code::EmptyDocument, detail));
    }
    Ok(Unsealed { draft, file_name, media_type: media_type(head.media_type) })
}

fn upload_fault(app: &Shared, error: crate::body::BodyError) -> Fault {
    match error {
        crate::body::BodyError::TooLarge(_) => request_too_large(app),
        other => other.into(),
    }
}

/// The media type as told, when it can be one.
pub(super) fn media_type(told: Option<String>) -> String {
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    told.filter(|told| {
        let essence = told.split(';').next().unwrap_or("").trim();
        told.len() <= 200
            && told.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
            && essence.split_once('/').is_some_and(|(kind, sort)| token(kind) && token(sort))
    })
    .unwrap_or_else(|| "application/octet-stream".to_owned())
}

/// A name for an answer: a hostile one must not fill it.
pub(super) fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}
