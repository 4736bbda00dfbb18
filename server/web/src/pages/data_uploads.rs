//! Tables of data: handing one in, looking at what it would do, loading it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_api::problem::Code;
use postroom_domain::data_upload::{DataState, DataUpload, Mapping, Pass, Verdict};
use postroom_domain::ids::DataUploadId;
use postroom_domain::person::Permission;

use super::sent::Sent;
use super::{Fields, Form, Visit, go, part, show, signed_in};
use crate::fault::{Answer, Fault};
use crate::routes::data_uploads::{self, Change};

/// Tables, and rejected rows, on one page.
const SHOWN: usize = 100;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/admin/data-uploads", web::get().to(list))
        .route("/admin/data-uploads", web::post().to(hand_in))
        .route("/admin/data-uploads/{id}", web::get().to(one))
        .route("/admin/data-uploads/{id}/{what}", web::post().to(change));
}

async fn list(request: HttpRequest) -> Answer {
    let visit = signed_in!(&request);
    listed(&visit, StatusCode::OK, context! {}).await
}

async fn listed(visit: &Visit, status: StatusCode, more: Value) -> Answer {
    visit.needs(Permission::EditWorkItems)?;
    let (uploads, _) = data_uploads::latest(&visit.app, visit.by(), None, SHOWN).await?;
    let uploads: Vec<Value> = uploads.iter().map(row).collect();
    let mapping = |it: &Mapping| {
        let unload = format!("/api/v1/data-uploads/export?mapping={}", show::encoded(&it.name));
        context! { name => it.name.as_str(), unload }
    };
    let mappings: Vec<Value> = visit.app.data.mappings.iter().map(mapping).collect();
    visit.page_as(
        status,
        "data_uploads.html",
        "Data uploads",
        merge_maps([more, context! { uploads, mappings }]),
    )
}

fn row(upload: &DataUpload) -> Value {
    let pass = upload.pass();
    context! {
        id => upload.id.to_string(), file => upload.file_name.as_str(), owner => upload.owner.as_str(),
        created => show::time(upload.created), state => upload.state.as_str(), rows => pass.map(Pass::rows),
        rejected => pass.map(|pass| pass.counts().rejected),
    }
}

async fn hand_in(request: HttpRequest, payload: web::Payload) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::EditWorkItems)?;
    let mut sent = Sent::read(&request, payload).await?;
    let name = sent.fields.get("mapping").to_owned();
    match staged(&visit, &mut sent, &name).await {
        Ok(upload) => Ok(go(&format!("/admin/data-uploads/{}", upload.id))),
        Err(fault) if fault.problem().status < 500 => {
            let error = fault.problem().detail.clone();
            let typed = context! { mapping => name };
            listed(&visit, StatusCode::BAD_REQUEST, context! { error, field => "file", typed }).await
        }
        Err(fault) => Err(fault),
    }
}

async fn staged(visit: &Visit, sent: &mut Sent, mapping: &str) -> Answer<DataUpload> {
    let app = &visit.app;
    let _turn = app
        .uploads
        .try_acquire()
        .map_err(|_| Fault::new(Code::Busy, "Too many uploads are under way.").after(1))?;
    app.spool.door(0)?;
    let mapping = data_uploads::wanted(app, mapping)?;
    let head = sent.file.take().filter(|head| head.file_name.as_ref().is_some_and(|name| !name.is_empty()));
    let head = head.ok_or_else(|| Fault::new(Code::BadUpload, "Choose a table first."))?;
    let (file_name, file) = data_uploads::read_file(app, &mut sent.multipart, head).await?;
    data_uploads::stage(app, visit.by(), mapping, file_name, file).await
}

async fn one(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::EditWorkItems)?;
    let upload = data_uploads::seen(&visit.app, visit.by(), part::<DataUploadId>(&id)?).await?;
    let (rows, more) = data_uploads::rows(&visit.app, &upload, Some(Verdict::Rejected), 0, SHOWN).await?;
    let rejected: Vec<Value> = rows
        .into_iter()
        .map(|row| context! { row => row.row, reference => row.reference, column => row.column, reason => row.reason })
        .collect();
    let about = context! { it => shown(&upload), rejected, more => more.is_some() };
    visit.page("data_upload.html", &upload.file_name, about)
}

fn shown(upload: &DataUpload) -> Value {
    let pass = upload.pass();
    let counts = pass.map(Pass::counts).unwrap_or_default();
    let dry = upload.load.is_none() || matches!(upload.state, DataState::Checking | DataState::Checked);
    let words = if dry {
        context! { created => "Would be made", updated => "Would be changed" }
    } else {
        context! { created => "Made", updated => "Changed" }
    };
    let action = |path: &str, text: &str, quiet: bool| context! { path, text, quiet };
    let actions = match upload.state {
        DataState::Checking | DataState::Loading => vec![action("stop", "Stop", false)],
        DataState::Staged => {
            vec![action("dry-run", "Show what it would do", false), action("run", "Load it", true)]
        }
        DataState::Stopped => {
            vec![action("run", "Load it", false), action("dry-run", "Show what it would do", true)]
        }
        DataState::Checked | DataState::Loaded | DataState::Failed => {
            let load = if upload.load.is_none() { "Load it" } else { "Load it again" };
            vec![action("run", load, false), action("dry-run", "Look at it again", true)]
        }
    };
    let headline = match upload.state {
        DataState::Staged => "Handed in. Nothing is changed yet.",
        DataState::Checking => "Its rows are being looked at. Nothing is changed.",
        DataState::Checked => "All rows were looked at. Nothing is changed yet.",
        DataState::Loading => "Its rows are being loaded.",
        DataState::Loaded => "Loaded.",
        DataState::Stopped => "Stopped. It goes on where it was when you load it.",
        DataState::Failed => "It cannot be read any further.",
    };
    context! {
        id => upload.id.to_string(), headline, problem => upload.problem.as_str(), mapping => upload.mapping.name.as_str(),
        format => upload.format.as_str(), created => show::time(upload.created), owner => upload.owner.as_str(),
        pass => pass.is_some(), rows => pass.map(Pass::rows), words, actions, working => upload.state.is_working(),
        counts => context! {
            created => counts.created, updated => counts.updated, unchanged => counts.unchanged,
            rejected => counts.rejected,
        },
    }
}

async fn change(request: HttpRequest, path: web::Path<(String, String)>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::EditWorkItems)?;
    Fields::checked(&request, sent)?;
    let (id, what) = path.into_inner();
    let what = match what.as_str() {
        "dry-run" => Change::Check,
        "run" => Change::Load,
        "stop" => Change::Stop,
        _ => return Err(Fault::not_found("such page")),
    };
    let changed = data_uploads::change(&visit.app, visit.by(), part::<DataUploadId>(&id)?, what).await;
    match changed {
        // It went on by itself meanwhile: the page shows how it is now.
        Err(fault) if fault.problem().is(Code::NotAllowedNow) => {}
        other => drop(other?),
    }
    Ok(go(&format!("/admin/data-uploads/{id}")))
}
