//! From a key to a change of something on the server, and from its answer to what the person reads. One change is under way at a time.

use postroom_api::bulk::{BulkState, BulkView, RunBody};
use postroom_api::client::ClientError;
use postroom_api::decision::{DecisionKind, EditBody, LinkBody, WorkspaceBody};
use postroom_api::filing::FilingItem;
use postroom_api::intake::{AssignBody, GiveBody, IntakeDetail, IntakeItem};
use postroom_api::pause::{DoorKind, PauseBody};
use postroom_api::problem::Code;
use postroom_api::view::ViewBody;
use postroom_api::{BulkId, FilingId, IntakeId, State as FilingState};

use super::form::{Field, Form};
use super::prompt::Prompt;
use super::{Changing, Effect, Scope, State, bulk};
use crate::text::clip;
use crate::theme::Tone;

/// A change of something on the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// A decision about one filing in the version that was looked at.
    Decide { kind: DecisionKind, id: FilingId, version: u64, reason: String },
    /// Another place or name.
    Edit { id: FilingId, version: u64, body: Box<EditBody> },
    /// It is in the DMS as this document.
    Link { id: FilingId, version: u64, body: Box<LinkBody> },
    /// A note on a filing.
    NoteFiling { id: FilingId, text: String },
    /// Takes a filing to work on, or gives it back.
    TakeFiling { id: FilingId, take: bool },
    /// A note on an arrival.
    NoteArrival { id: IntakeId, text: String },
    /// Gives an arrival a work item.
    Assign { id: IntakeId, version: u64, body: AssignBody },
    /// Takes an arrival to work on.
    Give { id: IntakeId, version: u64, body: GiveBody },
    /// Closes an arrival.
    Dismiss { id: IntakeId, version: u64, reason: String },
    /// Lets an arrival out of quarantine.
    ReleaseArrival { id: IntakeId, version: u64, reason: String },
    /// Stops a door, or lets it go on.
    Door { kind: DoorKind, name: String, shown: String, pause: Option<PauseBody> },
    /// Saves a view under a name.
    SaveView { name: String, body: ViewBody },
    /// Forgets a view.
    RemoveView { name: String },
    /// Runs a set that was frozen.
    RunBulk { id: BulkId, body: RunBody },
    /// Leaves what of a set has not been done.
    StopBulk(BulkId),
    /// Takes a set back.
    UndoBulk(BulkId),
}

/// What a change left behind.
#[derive(Debug)]
pub(crate) enum After {
    Filing(Box<FilingItem>),
    Arrival(Box<IntakeDetail>),
    Bulk(Box<BulkView>),
    Nothing,
}

/// What is done once a question is answered.
#[derive(Debug)]
pub(crate) enum Job {
    /// A decision over a filing as it was on the screen.
    Decide { kind: DecisionKind, item: Box<FilingItem> },
    /// Another place or name.
    Edit(Box<FilingItem>),
    /// The document was found.
    Link(Box<FilingItem>),
    /// A note on a filing.
    NoteFiling(FilingId),
    /// A note on an arrival.
    NoteArrival(IntakeId),
    /// A work item for an arrival.
    Assign(Box<IntakeItem>),
    /// The end of an arrival.
    Dismiss(Box<IntakeItem>),
    /// Out of quarantine.
    ReleaseArrival(Box<IntakeItem>),
    /// A pause.
    Pause { kind: DoorKind, name: String, shown: String },
    /// A set.
    Bulk(Box<BulkView>),
    /// A name for the present screen and filter.
    SaveView(ViewBody),
    /// Everything that matches, into a file.
    Export(String),
}

/// What was done to a filing, in words: `retried`.
const fn past(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Retry => "retried",
        DecisionKind::Hold => "held",
        DecisionKind::Release => "released",
        DecisionKind::Cancel => "cancelled",
        DecisionKind::Edit => "edited; it is tried again",
        DecisionKind::Link => "linked",
        DecisionKind::FileAnyway => "filed anyway",
    }
}

impl Change {
    /// What was done, in words.
    fn done(&self) -> String {
        match self {
            Self::Decide { kind, .. } => past(*kind).to_owned(),
            Self::Edit { .. } => past(DecisionKind::Edit).to_owned(),
            Self::Link { .. } => past(DecisionKind::Link).to_owned(),
            Self::NoteFiling { .. } | Self::NoteArrival { .. } => "noted".to_owned(),
            Self::TakeFiling { take: true, .. } | Self::Give { .. } => {
                "taken: colleagues see that it is yours".to_owned()
            }
            Self::TakeFiling { take: false, .. } => "given back".to_owned(),
            Self::Assign { body, .. } => format!("assigned to {}", clip(&body.work_item, 40)),
            Self::Dismiss { .. } => "dismissed".to_owned(),
            Self::ReleaseArrival { .. } => "released; it is read like any other".to_owned(),
            Self::Door { shown, pause, .. } if pause.is_some() => format!("{shown} is paused"),
            Self::Door { shown, .. } => format!("{shown} goes on"),
            Self::SaveView { name, .. } => format!("saved as \"{}\"", clip(name, 40)),
            Self::RemoveView { name } => format!("\"{}\" is forgotten", clip(name, 40)),
            Self::RunBulk { .. } => "it begins".to_owned(),
            Self::StopBulk(_) => "stopped".to_owned(),
            Self::UndoBulk(_) => "taken back".to_owned(),
        }
    }
}

/// What a filing is called in a message.
pub(super) fn name_of(item: &FilingItem) -> String {
    let name = if item.subject.trim().is_empty() { &item.file_name } else { &item.subject };
    clip(name, 40)
}

/// What an arrival is called in a message.
pub(super) fn arrival_name(item: &IntakeItem) -> String {
    let file = item.documents.first().map(|document| document.file_name.as_str()).unwrap_or_default();
    clip(if item.subject.trim().is_empty() { file } else { &item.subject }, 40)
}

/// Sends a change, unless one is under way.
pub(super) fn send(state: &mut State, change: Change) -> Vec<Effect> {
    state.changing = Some(Changing { what: change.done(), hurry: false });
    vec![Effect::Change(change)]
}

fn ask(state: &mut State, form: Form) -> Vec<Effect> {
    state.prompt = Some(Prompt::Form(Box::new(form)));
    Vec::new()
}

/// The key for a decision was pressed, and it is possible.
pub(super) fn begin(state: &mut State, kind: DecisionKind, hurry: bool) -> Vec<Effect> {
    let item = match state.scope() {
        Scope::One(item) => item,
        several => return bulk::freeze(state, kind, several, hurry),
    };
    let name = name_of(&item);
    let question = match kind {
        DecisionKind::Cancel => format!("Cancel \"{name}\"? This cannot be taken back."),
        DecisionKind::FileAnyway => {
            format!("File \"{name}\" although the same document is there? It will be there twice.")
        }
        DecisionKind::Retry if item.state == FilingState::Undecided => {
            format!("Send \"{name}\" again? It may be in the DMS already; then it will be there twice.")
        }
        _ => {
            let (id, version) = (item.id, item.version);
            return send(state, Change::Decide { kind, id, version, reason: String::new() });
        }
    };
    let form = Form::new("Are you sure?", Job::Decide { kind, item })
        .say(Tone::Bad, question)
        .field(Field::text("Reason", "", true, "why; kept in its history"));
    ask(state, form)
}

/// Another place or name for a filing.
pub(super) fn begin_edit(state: &mut State) -> Vec<Effect> {
    let Some(item) = state.looked_at().cloned() else { return Vec::new() };
    let detail = state.looked.as_ref().and_then(|looked| looked.detail.as_ref());
    let place = detail.filter(|detail| detail.item.id == item.id).map(|detail| detail.place.clone());
    let now = |text: Option<String>| {
        text.filter(|it| !it.is_empty()).map_or_else(|| "as it is".to_owned(), |it| format!("now: {it}"))
    };
    let (library, workspace, folder) = match place {
        Some(place) => (Some(place.library), Some(place.workspace), Some(place.folder.join(" / "))),
        None => (None, Some(item.target.clone()), None),
    };
    let by = ["title", "id"].map(|it| (it.to_owned(), it.to_owned())).to_vec();
    let form = Form::new(format!("Edit and retry \"{}\"", name_of(&item)), Job::Edit(Box::new(item.clone())))
        .say(Tone::Faint, "What is left empty stays as it is.")
        .field(Field::text("File name", "", false, &now(Some(item.file_name.clone()))))
        .field(Field::text("Destination", "", false, &now(Some(item.destination.to_string()))))
        .field(Field::text("Library", "", false, &now(library)))
        .field(Field::text("Workspace", "", false, &now(workspace)))
        .field(Field::choice("… by its", by, 0))
        .field(Field::text("Folder", "", false, &now(folder)))
        .field(Field::text("Profile", "", false, "field=value, field=value; an empty value takes one away"))
        .field(Field::text("Reason", "", true, "why; kept in its history"));
    ask(state, form)
}

/// The document is in the DMS already.
pub(super) fn begin_link(state: &mut State) -> Vec<Effect> {
    let Some(item) = state.looked_at().cloned() else { return Vec::new() };
    let form = Form::new(format!("Link \"{}\"", name_of(&item)), Job::Link(Box::new(item)))
        .say(Tone::Plain, "It is in the DMS already: which document is it? Nothing more is sent.")
        .field(Field::text("Document", "", true, "its id in the DMS"))
        .field(Field::text("Version", "", false, "where the DMS has versions"))
        .field(Field::text("Container", "", false, "the workspace or folder that it lies in"))
        .field(Field::text("Address", "", false, "where a person can open it"))
        .field(Field::text("Reason", "", true, "how you know; kept in its history"));
    ask(state, form)
}

/// A pause of the door under the cursor.
pub(super) fn begin_pause(state: &mut State) -> Vec<Effect> {
    let Some(door) = state.door() else { return Vec::new() };
    let effect = match door.kind {
        DoorKind::Source => "It takes in nothing more until it is resumed.",
        DoorKind::Destination => "Its filings wait until it is resumed.",
        DoorKind::Account => "Nothing is sent with it until it is resumed; what is under way ends by itself.",
    };
    let title = match door.kind {
        DoorKind::Account => format!("Pause {}?", door.shown),
        kind => format!("Pause the {} {}?", kind.as_str(), door.shown),
    };
    let job = Job::Pause { kind: door.kind, name: door.name, shown: door.shown };
    let form = Form::new(title, job)
        .say(Tone::Warn, effect)
        .field(Field::text("Reason", "", true, "why; everybody sees it"))
        .field(Field::text("For", "", false, "how long: 30m, 2h, 1d; empty until somebody resumes it"));
    ask(state, form)
}

/// The question is answered: what is asked of the server. None when the answer cannot be taken; the form says why.
pub(super) fn answer(state: &State, form: &mut Form) -> Option<Effect> {
    let reason = form.value("Reason");
    let change = match &form.job {
        Job::Decide { kind, item } => {
            Change::Decide { kind: *kind, id: item.id, version: item.version, reason }
        }
        Job::Edit(item) => {
            let (id, version) = (item.id, item.version);
            match edit_of(form, reason) {
                Ok(body) => Change::Edit { id, version, body: Box::new(body) },
                Err((label, why)) => {
                    let at = form.fields.iter().position(|field| field.label == label).unwrap_or(0);
                    form.refuse(at, why);
                    return None;
                }
            }
        }
        Job::Link(item) => {
            Change::Link { id: item.id, version: item.version, body: Box::new(link_of(form, reason)) }
        }
        Job::NoteFiling(id) => Change::NoteFiling { id: *id, text: form.value("Note") },
        Job::NoteArrival(id) => Change::NoteArrival { id: *id, text: form.value("Note") },
        Job::Assign(item) => {
            let (id, version) = (item.id, item.version);
            let Some(body) = super::remark::assign_of(form, reason) else {
                form.refuse(0, "no work item is named");
                return None;
            };
            Change::Assign { id, version, body }
        }
        Job::Dismiss(item) => Change::Dismiss { id: item.id, version: item.version, reason },
        Job::ReleaseArrival(item) => Change::ReleaseArrival { id: item.id, version: item.version, reason },
        Job::Pause { kind, name, shown } => {
            let (kind, name, shown, length) = (*kind, name.clone(), shown.clone(), form.value("For"));
            let until = if length.is_empty() {
                None
            } else {
                match crate::when::until(&length, state.server_now()) {
                    Ok(end) => Some(end),
                    Err(why) => {
                        form.refuse(1, why);
                        return None;
                    }
                }
            };
            Change::Door { kind, name, shown, pause: Some(PauseBody { reason, until }) }
        }
        Job::Bulk(view) => {
            let view = view.clone();
            bulk::run(&view, form).ok()?
        }
        Job::SaveView(body) => Change::SaveView { name: form.value("Name"), body: body.clone() },
        Job::Export(filter) => {
            return Some(Effect::Export { filter: filter.clone(), format: form.value("Format") });
        }
    };
    Some(Effect::Change(change))
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn edit_of(form: &Form, reason: String) -> Result<EditBody, (&'static str, String)> {
    let workspace = some(form.value("Workspace")).map(|it| {
        if form.value("… by its") == "id" { WorkspaceBody::Id(it) } else { WorkspaceBody::Title(it) }
    });
    let folder = some(form.value("Folder"))
        .map(|it| it.split('/').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect());
    let service = some(form.value("Destination"))
        .map(|name| name.parse().map_err(|error| ("Destination", format!("{error}"))))
        .transpose()?;
    let mut profile = std::collections::BTreeMap::new();
    for pair in form.value("Profile").split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| ("Profile", format!("\"{}\" has no = in it", pair.trim())))?;
        profile.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    let body = EditBody {
        reason,
        service,
        library: some(form.value("Library")),
        workspace,
        folder,
        create_folders: None,
        profile,
        file_name: some(form.value("File name")),
    };
    if body.is_empty() { Err(("File name", "nothing is changed yet".to_owned())) } else { Ok(body) }
}

fn link_of(form: &Form, reason: String) -> LinkBody {
    LinkBody {
        reason,
        document: form.value("Document"),
        version: some(form.value("Version")),
        container: form.value("Container"),
        link: some(form.value("Address")),
    }
}

/// An error as a person reads it.
pub(super) fn in_words(error: &ClientError) -> String {
    match error {
        ClientError::Problem(problem) if problem.is(Code::Changed) => {
            "it changed meanwhile; look at it again".to_owned()
        }
        ClientError::Problem(problem) if problem.detail.is_empty() => problem.title.clone(),
        ClientError::Problem(problem) => problem.detail.clone(),
        ClientError::Unreachable(why) => format!("no answer ({why}); it may have been done all the same"),
        other => other.to_string(),
    }
}

/// The answer to a change.
pub(super) fn answered(
    state: &mut State,
    change: &Change,
    result: Result<After, ClientError>,
) -> Vec<Effect> {
    state.changing = None;
    state.refresh.wanted = true;
    let after = match result {
        Ok(after) => after,
        Err(error) => {
            let what = change.done();
            state.say(Tone::Bad, format!("✖ not {what}: {}", in_words(&error)));
            return Vec::new();
        }
    };
    match after {
        After::Bulk(view) => {
            let begun = view.state == BulkState::AboutToRun;
            if begun {
                state.marks.clear();
                state.everything = false;
                // It is told of from here on, until it is over.
                state.bulk = None;
            }
            return bulk::noted(state, *view);
        }
        After::Filing(item) => {
            state.marks.remove(&item.id);
            let looked = state.looked.as_mut().filter(|looked| looked.id == item.id);
            if let Some(detail) = looked.and_then(|looked| looked.detail.as_mut()) {
                detail.item = (*item).clone();
            }
            state.window.renew(*item);
        }
        After::Arrival(detail) => {
            state.arrivals.window.renew(detail.item.clone());
            if let Some(looked) = state.arrival.as_mut().filter(|looked| looked.id == detail.item.id) {
                looked.detail = Some(detail);
            }
        }
        After::Nothing => {}
    }
    state.say(Tone::Good, format!("✔ {}", change.done()));
    if matches!(change, Change::SaveView { .. } | Change::RemoveView { .. }) {
        return super::refresh::asked(state, vec![Effect::Views]);
    }
    Vec::new()
}
