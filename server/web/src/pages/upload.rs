//! Handing documents in. With scripts they come piece by piece, by the routes of resumable uploads; without, this page takes them whole.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_api::intake::IntakeMeta;
use postroom_api::problem::Code;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::person::Permission;

use super::sent::Sent;
use super::{Visit, signed_in};
use crate::fault::{Answer, Fault};
use crate::routes::upload;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.route("/upload", web::get().to(show)).route("/upload", web::post().to(hand_in));
}

async fn show(request: HttpRequest) -> Answer {
    let visit = signed_in!(&request);
    shown(&visit, StatusCode::OK, context! {})
}

fn shown(visit: &Visit, status: StatusCode, more: Value) -> Answer {
    visit.needs(Permission::File)?;
    let largest = visit.app.limits.document;
    // What a browser remembers of unfinished uploads is told apart by person.
    let owner = visit.who.person.id.to_string();
    let about = context! { owner, largest, largest_text => size(largest) };
    visit.page_as(status, "upload.html", "Hand in documents", merge_maps([more, about]))
}

/// Bytes as people say them, rounded down.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{} {name}", bytes / unit))
}

async fn hand_in(request: HttpRequest, payload: web::Payload) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::File)?;
    let mut sent = Sent::read(&request, payload).await?;
    let text = |name: &str| sent.fields.get(name).trim().to_owned();
    let meta = IntakeMeta {
        work_item: text("work_item"),
        subject: text("subject"),
        note: text("note"),
        ..IntakeMeta::default()
    };
    let typed = context! {
        work_item => meta.work_item.as_str(), subject => meta.subject.as_str(), note => meta.note.as_str(),
    };
    match taken(&visit, &mut sent, meta).await {
        Ok(intake) => {
            let documents: Vec<String> = intake.documents.iter().map(|it| it.file_name.clone()).collect();
            let taken = context! { documents, state => words(&intake) };
            shown(&visit, StatusCode::OK, context! { taken })
        }
        Err(fault) if is_mistake(&fault) => {
            let error = fault.problem().detail.clone();
            shown(&visit, StatusCode::BAD_REQUEST, context! { error, field => "file", typed })
        }
        Err(fault) => Err(fault),
    }
}

/// What a person can mend in the form.
fn is_mistake(fault: &Fault) -> bool {
    [Code::EmptyDocument, Code::TooLarge, Code::TooManyParts, Code::BadValue]
        .into_iter()
        .any(|code| fault.problem().is(code))
}

async fn taken(visit: &Visit, sent: &mut Sent, meta: IntakeMeta) -> Answer<Intake> {
    let app = &visit.app;
    let _turn = app
        .uploads
        .try_acquire()
        .map_err(|_| Fault::new(Code::Busy, "Too many uploads are under way.").after(1))?;
    app.spool.door(0)?;
    let source = upload::door(app, None).await?;
    let first =
        sent.file.take().ok_or_else(|| Fault::new(Code::EmptyDocument, "Choose a document first."))?;
    if first.file_name.as_ref().is_none_or(String::is_empty) {
        return Err(Fault::new(Code::EmptyDocument, "Choose a document first."));
    }
    let documents = upload::read_documents_from(app, &mut sent.multipart, Some(first)).await?;
    Ok(upload::take(app, visit.by(), meta, source, documents, None).await?.0)
}

fn words(intake: &Intake) -> String {
    match (&intake.needs, intake.state) {
        (Some(needs), _) => format!("A person decides where it goes: {}", needs.text),
        (None, IntakeState::Stored) => "It is being looked at.".to_owned(),
        (None, _) => format!("On its way to {}.", intake.work_item_given),
    }
}
