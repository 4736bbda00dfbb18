//! Tables of data: a file is handed in, looked at, and loaded into work items; each row has its result.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use postroom_api::data_upload::{
    DataUploadList, DataUploadView, ExportList, RowList, RowView, Wanted, read_mapping,
};
use postroom_api::nearest::nearest;
use postroom_api::page::Page;
use postroom_api::problem::{Code, FieldError, Problem};
use postroom_domain::data_upload::{
    self, DataState, DataUpload, Field, Mapping, MissingColumn, Pass, RowResult, TableError, Verdict, bind,
    csv_line,
};
use postroom_domain::ids::{DataUploadId, WorkItemId};
use postroom_domain::person::{Principal, Scope};
use postroom_domain::query::Window;
use postroom_domain::record::{self, Commit, Kept as _};
use postroom_domain::spool::Blob;
use postroom_domain::store::StoreError;

use super::asked::{Asked, Named, window};
use super::upload::shortened;
use crate::app::Shared;
use crate::auth::{Allowed, EditWorkItems};
use crate::body::Body;
use crate::body::multipart::{Multipart, PartHead, boundary};
use crate::fault::{Answer, Fault};

/// Work items that are unloaded together.
const PORTION: usize = 200;
/// So often a record is read again when somebody else was faster.
const TRIES: usize = 5;

/// What the description says of the body.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only described: the body is read as a stream")]
pub(crate) struct DataForm {
    /// The name of a mapping of the settings, or one as JSON. Comes first.
    mapping: String,
    /// A CSV file or a workbook (.xlsx).
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes a table in and reads its header. Nothing is loaded yet.
#[utoipa::path(tag = "data uploads", operation_id = "create_data_upload", security(("token" = [])),
    request_body(content = DataForm, content_type = "multipart/form-data"), responses(
    (status = 201, description = "Staged. POST …/dry-run shows what it would do, …/run does it.", body = DataUploadView),
    (status = "default", description = "A problem; a column that is missing is named.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/data-uploads")]
pub(crate) async fn create_data_upload(
    caller: Allowed<EditWorkItems>,
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<Shared>,
) -> Answer {
    let boundary = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(boundary)
        .ok_or_else(|| Fault::new(Code::WrongMediaType, "This route takes multipart/form-data."))?
        .map_err(|why| Fault::new(Code::BadUpload, format!("{why}.")))?;
    let _turn = app
        .uploads
        .try_acquire()
        .map_err(|_| Fault::new(Code::Busy, "Too many uploads are under way.").after(1))?;
    app.spool.door(0)?;
    let limits = &app.limits;
    let body = Body::new(payload, limits.request, limits.body_idle, limits.body_total);
    let mut multipart = Multipart::new(body, &boundary);
    let mapping = read_part(&app, &mut multipart, "mapping").await?;
    let mapping = wanted(&app, &mapping)?;
    let head = multipart
        .part()
        .await?
        .filter(|head| head.name == "file")
        .ok_or_else(|| Fault::new(Code::BadUpload, "The part \"file\" is missing after \"mapping\"."))?;
    let (file_name, file) = read_file(&app, &mut multipart, head).await?;
    let upload = stage(&app, caller.principal(), mapping, file_name, file).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/data-uploads/{}", upload.id)))
        .json(DataUploadView::from(&upload)))
}

/// Reads the header of a file that is in the spool, and makes its record.
pub(crate) async fn stage(
    app: &Shared,
    by: &Principal,
    mapping: Mapping,
    file_name: String,
    file: Blob,
) -> Answer<DataUpload> {
    let content = app.spool.content(file).await?;
    let table = app.data.tables.open(content, &mapping.sheet).await.map_err(table_fault)?;
    bind(table.header(), &mapping).map_err(|missing| missing_columns(&missing, table.header()))?;
    let id = app.reception.mint.next(app.clock.as_ref(), app.entropy.as_ref());
    let upload = DataUpload {
        id: DataUploadId::from_u128(id),
        version: 1,
        site: by.sites.home.clone(),
        owner: by.name.clone(),
        run_by: by.name.clone(),
        sites: by.sites.clone(),
        file_name,
        file,
        format: table.format(),
        mapping,
        state: DataState::Staged,
        problem: String::new(),
        check: None,
        load: None,
        created: app.clock.now(),
    };
    write(app, &upload).await?;
    Ok(upload)
}

fn table_fault(error: TableError) -> Fault {
    match error {
        TableError::Unfit(why) => Fault::value("file", why),
        TableError::Spool(why) => Fault::internal(why),
    }
}

/// Every column that is missing, with what was probably meant, and what there is.
fn missing_columns(missing: &[MissingColumn], header: &[String]) -> Fault {
    let lower: Vec<String> = header.iter().map(|heading| heading.to_lowercase()).collect();
    let errors = missing.iter().map(|it| {
        let near = nearest(&it.column, lower.iter().map(String::as_str));
        let place = near.and_then(|near| lower.iter().position(|heading| heading == near));
        let message = if it.twice { "stands there more than once" } else { "is missing" };
        FieldError {
            field: Some(it.column.clone()),
            message: message.to_owned(),
            suggestion: place.filter(|_| !it.twice).map(|place| header[place].clone()),
            ..FieldError::default()
        }
    });
    let errors: Vec<FieldError> = errors.collect();
    let told: Vec<String> = errors
        .iter()
        .map(|error| format!("\"{}\" {}", error.field.as_deref().unwrap_or(""), error.message))
        .collect();
    let there: Vec<String> =
        header.iter().take(50).map(|heading| format!("\"{}\"", shortened(heading))).collect();
    let detail = format!("Columns of the mapping: {}. The file has: {}.", told.join(", "), there.join(", "));
    let problem = Problem::new(Code::BadValue, detail)
        .hint("Nothing was loaded. Name the columns as the mapping does, or change it.");
    errors.into_iter().fold(problem, Problem::error).into()
}

/// The mapping that is asked for: one of the settings by its name, or the caller's own.
pub(crate) fn wanted(app: &Shared, text: &str) -> Answer<Mapping> {
    match read_mapping(text)? {
        Wanted::Named(name) => named(app, &name),
        Wanted::Own(mapping) => match mapping.mistakes().first() {
            Some(mistake) => Err(Fault::value("mapping", mistake.clone())),
            None if mapping.name.is_empty() => Ok(Mapping { name: "own".to_owned(), ..mapping }),
            None => Ok(mapping),
        },
    }
}

fn named(app: &Shared, name: &str) -> Answer<Mapping> {
    let found = app.data.mappings.iter().find(|mapping| mapping.name == name).cloned();
    found.ok_or_else(|| {
        let known: Vec<&str> = app.data.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
        let why =
            format!("there is no [[data_uploads]] \"{}\" (known: {})", shortened(name), known.join(", "));
        Fault::value("mapping", why)
    })
}

async fn read_part(app: &Shared, multipart: &mut Multipart<Body>, name: &str) -> Answer<String> {
    let head =
        multipart.part().await?.ok_or_else(|| Fault::new(Code::BadUpload, "The body has no parts."))?;
    if head.name != name {
        let detail = format!("The part \"{}\" comes where \"{name}\" belongs.", shortened(&head.name));
        return Err(Fault::new(Code::BadUpload, detail));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = multipart.chunk().await? {
        if bytes.len() + chunk.len() > app.limits.meta {
            let detail = format!("The part \"{name}\" may have at most {} bytes.", app.limits.meta);
            return Err(Fault::new(Code::TooLarge, detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| Fault::value(name, "is not UTF-8"))
}

/// The one file, durable in the spool; and that nothing follows it.
pub(crate) async fn read_file(
    app: &Shared,
    multipart: &mut Multipart<Body>,
    head: PartHead,
) -> Answer<(String, Blob)> {
    let file_name = shortened(&head.file_name.unwrap_or_else(|| "table".to_owned()));
    let mut draft = app.spool.draft().await?;
    while let Some(chunk) = multipart.chunk().await? {
        if draft.size() + chunk.len() as u64 > app.limits.document {
            let detail = format!("A table may have at most {} bytes.", app.limits.document);
            return Err(Fault::new(Code::TooLarge, detail));
        }
        draft.write(chunk).await?;
    }
    if multipart.part().await?.is_some() {
        return Err(Fault::new(
            Code::TooManyParts,
            "One table at a time: nothing may follow the part \"file\".",
        ));
    }
    Ok((file_name, draft.seal().await?))
}

async fn write(app: &Shared, upload: &DataUpload) -> Answer<()> {
    let commit = Commit { writes: vec![upload.put()?], events: Vec::new() };
    Ok(app.store.commit(commit).await?)
}

/// One that the caller may see.
pub(crate) async fn seen(app: &Shared, by: &Principal, id: DataUploadId) -> Answer<DataUpload> {
    let found: Option<DataUpload> = record::by_id(app.store.as_ref(), id.as_u128()).await?;
    found
        .filter(|upload| by.sites.has(&upload.site))
        .ok_or_else(|| Fault::not_found(format_args!("data upload {id}")))
}

/// Those that the caller may see, newest first, after one of them; and whether there are more.
pub(crate) async fn latest(
    app: &Shared,
    by: &Principal,
    before: Option<DataUploadId>,
    limit: usize,
) -> Answer<(Vec<DataUpload>, Option<DataUploadId>)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        // There are some hundreds of them in a house, not millions: records are listed by growing id.
        let page: Vec<DataUpload> =
            record::page(app.store.as_ref(), Some(DataUpload::ALL), after, 500).await?;
        after = page.last().map(|upload| upload.id.as_u128());
        let full = page.len() == 500;
        let fits = |upload: &DataUpload| {
            by.sites.has(&upload.site) && before.is_none_or(|before| upload.id < before)
        };
        all.extend(page.into_iter().filter(fits));
        if !full {
            break;
        }
    }
    all.reverse();
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|upload| upload.id);
    Ok((all, next))
}

/// Tables that were handed in, newest first.
#[utoipa::path(tag = "data uploads", operation_id = "list_data_uploads", security(("token" = [])), params(DataUploadList), responses(
    (status = 200, description = "A page.", body = Page<DataUploadView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/data-uploads")]
pub(crate) async fn list_data_uploads(
    caller: Allowed<EditWorkItems>,
    Asked(asked): Asked<DataUploadList>,
    app: web::Data<Shared>,
) -> Answer {
    let Window { before, limit } = window(asked.limit, asked.cursor.as_deref())?;
    let (uploads, next) = latest(&app, caller.principal(), before, limit).await?;
    let items: Vec<DataUploadView> = uploads.iter().map(DataUploadView::from).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: next.map(|id| id.to_string()) }))
}

/// One table, and how far it is.
#[utoipa::path(tag = "data uploads", operation_id = "show_data_upload", security(("token" = [])),
    params(("id" = String, Path, description = "The data upload's id.")), responses(
    (status = 200, description = "The table.", body = DataUploadView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/data-uploads/{id}")]
pub(crate) async fn show_data_upload(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<DataUploadId>,
    app: web::Data<Shared>,
) -> Answer {
    let upload = seen(&app, caller.principal(), id).await?;
    Ok(HttpResponse::Ok().json(DataUploadView::from(&upload)))
}

/// Shows what every row would do. Nothing is changed.
#[utoipa::path(tag = "data uploads", operation_id = "check_data_upload", security(("token" = [])),
    params(("id" = String, Path, description = "The data upload's id.")), responses(
    (status = 202, description = "Begun: GET shows how far it is, …/rows what it found.", body = DataUploadView),
    (status = 409, description = "It is being worked on.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/data-uploads/{id}/dry-run")]
pub(crate) async fn check_data_upload(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<DataUploadId>,
    app: web::Data<Shared>,
) -> Answer {
    let upload = change(&app, caller.principal(), id, Change::Check).await?;
    Ok(HttpResponse::Accepted().json(DataUploadView::from(&upload)))
}

/// Loads every row, from where it was stopped or cut off.
#[utoipa::path(tag = "data uploads", operation_id = "run_data_upload", security(("token" = [])),
    params(("id" = String, Path, description = "The data upload's id.")), responses(
    (status = 202, description = "Begun: GET shows how far it is, …/rows what became of each row.", body = DataUploadView),
    (status = 409, description = "It is being worked on.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/data-uploads/{id}/run")]
pub(crate) async fn run_data_upload(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<DataUploadId>,
    app: web::Data<Shared>,
) -> Answer {
    let upload = change(&app, caller.principal(), id, Change::Load).await?;
    Ok(HttpResponse::Accepted().json(DataUploadView::from(&upload)))
}

/// Stops it between two portions of rows.
#[utoipa::path(tag = "data uploads", operation_id = "stop_data_upload", security(("token" = [])),
    params(("id" = String, Path, description = "The data upload's id.")), responses(
    (status = 200, description = "Stopped. What is loaded stays; …/run goes on.", body = DataUploadView),
    (status = 409, description = "It is not being worked on.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/data-uploads/{id}/stop")]
pub(crate) async fn stop_data_upload(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<DataUploadId>,
    app: web::Data<Shared>,
) -> Answer {
    let upload = change(&app, caller.principal(), id, Change::Stop).await?;
    Ok(HttpResponse::Ok().json(DataUploadView::from(&upload)))
}

/// What a person says to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Check,
    Load,
    Stop,
}

/// Changes a record that is being written to by others: who is late looks again.
pub(crate) async fn change(
    app: &Shared,
    by: &Principal,
    id: DataUploadId,
    what: Change,
) -> Answer<DataUpload> {
    for _ in 0..TRIES {
        let mut upload = seen(app, by, id).await?;
        let now = app.clock.now();
        let done = match what {
            Change::Check => upload.begin_check(now),
            Change::Load => upload.begin_load(now),
            Change::Stop => upload.stop(),
        };
        if !done {
            let detail = format!("It is {} now.", upload.state);
            return Err(Fault::new(Code::NotAllowedNow, detail));
        }
        if what != Change::Stop {
            by.name.clone_into(&mut upload.run_by);
            upload.sites = by.sites.clone();
        }
        let commit = Commit { writes: vec![upload.put()?], events: Vec::new() };
        match app.store.commit(commit).await {
            Ok(()) => {
                app.data.loads.wake();
                return Ok(upload);
            }
            Err(StoreError::Conflict { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// The results of a portion.
pub(crate) async fn results(app: &Shared, blob: Blob) -> Answer<Vec<RowResult>> {
    let damaged = |why: String| Fault::internal(format!("results {}: {why}", blob.hash));
    let content = app.spool.content(blob).await?;
    let mut stream = content.open().await.map_err(|error| damaged(error.to_string()))?;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| damaged(error.to_string()))?);
    }
    data_upload::read_results(&bytes).map_err(|error| damaged(error.to_string()))
}

/// Rows with their results, of the dry run or the run that was last.
#[utoipa::path(tag = "data uploads", operation_id = "list_data_rows", security(("token" = [])),
    params(("id" = String, Path, description = "The data upload's id."), RowList), responses(
    (status = 200, description = "A page, in the order of the rows.", body = Page<RowView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/data-uploads/{id}/rows")]
pub(crate) async fn list_data_rows(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<DataUploadId>,
    Asked(asked): Asked<RowList>,
    app: web::Data<Shared>,
) -> Answer {
    let upload = seen(&app, caller.principal(), id).await?;
    let Window::<WorkItemId> { limit, .. } = window(asked.limit, None)?;
    let verdict: Option<Verdict> = match asked.result.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|why: String| Fault::value("result", why))?),
    };
    let after: u64 = match asked.cursor.as_deref() {
        None | Some("") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Fault::new(Code::BadCursor, "The cursor is not the `next` of a page."))?,
    };
    let (rows, next) = rows(&app, &upload, verdict, after, limit).await?;
    let dry = is_dry(&upload);
    let items: Vec<RowView> = rows.into_iter().map(|row| RowView::of(row, dry)).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: next.map(|row| row.to_string()) }))
}

fn is_dry(upload: &DataUpload) -> bool {
    match (upload.pass(), &upload.load) {
        (Some(shown), Some(load)) => shown != load,
        _ => true,
    }
}

/// Rows after one of them, at most so many; and the last one where there may be more.
pub(crate) async fn rows(
    app: &Shared,
    upload: &DataUpload,
    verdict: Option<Verdict>,
    after: u64,
    limit: usize,
) -> Answer<(Vec<RowResult>, Option<u64>)> {
    let mut found = Vec::new();
    for batch in upload.pass().map(|pass| pass.batches.as_slice()).unwrap_or_default() {
        // Portions that hold none are not opened.
        if verdict.is_some_and(|verdict| batch.counts.count(verdict) == 0) {
            continue;
        }
        for row in results(app, batch.results).await? {
            if row.row <= after || verdict.is_some_and(|verdict| row.result != verdict) {
                continue;
            }
            if found.len() == limit {
                let last = found.last().map(|row: &RowResult| row.row);
                return Ok((found, last));
            }
            found.push(row);
        }
    }
    Ok((found, None))
}

const RESULT_COLUMNS: [&str; 7] = ["row", "result", "reference", "work_item", "changed", "column", "reason"];

/// The result of every row as a file for spreadsheets.
#[utoipa::path(tag = "data uploads", operation_id = "data_results", security(("token" = [])),
    params(("id" = String, Path, description = "The data upload's id.")), responses(
    (status = 200, description = "The file; no cell of it is a formula.", body = String, content_type = "text/csv"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/data-uploads/{id}/result.csv")]
pub(crate) async fn data_results(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<DataUploadId>,
    app: web::Data<Shared>,
) -> Answer {
    let upload = seen(&app, caller.principal(), id).await?;
    let dry = is_dry(&upload);
    let batches = upload.pass().map(|Pass { batches, .. }| batches.clone()).unwrap_or_default();
    let head =
        futures_util::stream::iter([Ok(Bytes::from(format!("\u{feff}{}", csv_line(&RESULT_COLUMNS))))]);
    let lines = futures_util::stream::iter(batches).then(move |batch| {
        let app = app.clone();
        async move {
            let rows = results(&app, batch.results).await?;
            let text: String = rows.into_iter().map(|row| result_line(RowView::of(row, dry))).collect();
            Ok::<_, Fault>(Bytes::from(text))
        }
    });
    Ok(csv(&format!("result-{id}.csv"))
        .streaming(head.chain(lines).map(|piece| piece.map_err(actix_web::Error::from))))
}

fn result_line(row: RowView) -> String {
    let id = row.work_item.map(|id| id.to_string()).unwrap_or_default();
    csv_line(&[
        row.row.to_string(),
        row.result.as_str().to_owned(),
        row.reference,
        id,
        row.changed.join(", "),
        row.column,
        row.reason,
    ])
}

fn csv(name: &str) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    answer
}

/// The work items as a table, by a mapping of the settings: loaded again, it changes nothing.
#[utoipa::path(tag = "data uploads", operation_id = "export_work_items", security(("token" = [])), params(ExportList), responses(
    (status = 200, description = "The file. Without a column for the site: the work items of the caller's home site.", body = String, content_type = "text/csv"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/data-uploads/export")]
pub(crate) async fn export_work_items(
    caller: Allowed<EditWorkItems>,
    Asked(asked): Asked<ExportList>,
    app: web::Data<Shared>,
) -> Answer {
    let mapping = named(&app, &asked.mapping)?;
    // Rows without a site are loaded into the home site.
    let scope = match mapping.column(&Field::Site) {
        Some(_) => caller.scope(),
        None => Scope::one(caller.principal().sites.home.clone()),
    };
    let name = format!("{}.csv", mapping.name);
    let head = Bytes::from(format!("\u{feff}{}", csv_line(&data_upload::header(&mapping))));
    let head = futures_util::stream::iter([Ok(head)]);
    let state = (app, mapping, scope, Some(None::<WorkItemId>));
    let lines = futures_util::stream::try_unfold(state, |(app, mapping, scope, at)| async move {
        let Some(before) = at else { return Ok(None) };
        let window = Window { before, limit: PORTION };
        let page = app.store.list_work_items(&scope, "", window).await.map_err(Fault::from)?;
        let lines: String =
            page.items.iter().map(|item| csv_line(&data_upload::line(&mapping, item))).collect();
        let next = page.next.map(Some);
        Ok::<_, Fault>(Some((Bytes::from(lines), (app, mapping, scope, next))))
    });
    Ok(csv(&name).streaming(head.chain(lines).map(|piece| piece.map_err(actix_web::Error::from))))
}
