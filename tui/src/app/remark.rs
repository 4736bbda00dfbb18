//! What people do to arrivals, and what colleagues tell each other.

use postroom_api::IntakeState;
use postroom_api::intake::{AssignBody, GiveBody, IntakeDetail, IntakeItem};

use super::change::{self, Change, Job, arrival_name, name_of};
use super::form::{Field, Form};
use super::prompt::Prompt;
use super::{Effect, State, refresh};
use crate::text::clip;
use crate::theme::Tone;

fn ask(state: &mut State, form: Form) -> Vec<Effect> {
    state.prompt = Some(Prompt::Form(Box::new(form)));
    Vec::new()
}

/// A note on what is looked at.
pub(super) fn begin_note(state: &mut State) -> Vec<Effect> {
    let (name, job) = if let Some(item) = state.looked_at() {
        (name_of(item), Job::NoteFiling(item.id))
    } else if let Some(item) = state.arrival_at() {
        (arrival_name(item), Job::NoteArrival(item.id))
    } else {
        return Vec::new();
    };
    let field = Field::text("Note", "", true, "for colleagues; it stays in the history");
    ask(state, Form::new(format!("A note on \"{name}\""), job).field(field))
}

/// Takes what is looked at, or gives it back.
pub(super) fn take(state: &mut State) -> Vec<Effect> {
    let me = state.summary.as_ref().map(|summary| summary.you.name.clone()).unwrap_or_default();
    if let Some(item) = state.looked_at() {
        let (id, take) = (item.id, item.taken_by.as_deref() != Some(me.as_str()));
        return change::send(state, Change::TakeFiling { id, take });
    }
    let Some(item) = state.arrival_at().cloned() else { return Vec::new() };
    let holder = item.allocated.as_ref().and_then(|it| it.person.as_deref());
    if holder == Some(me.as_str()) {
        state.say(Tone::Plain, "it is yours already");
        return Vec::new();
    }
    let body = GiveBody { person: Some("me".to_owned()), ..GiveBody::default() };
    change::send(state, Change::Give { id: item.id, version: item.version, body })
}

/// The end of an arrival, or its way out of quarantine.
pub(super) fn begin_end(state: &mut State, dismiss: bool) -> Vec<Effect> {
    let Some(item) = state.arrival_at().cloned() else { return Vec::new() };
    let name = arrival_name(&item);
    let (question, job) = if dismiss {
        (
            format!(
                "Close \"{name}\" without filing it? Its bytes are kept; it is on nobody's list any more."
            ),
            Job::Dismiss(Box::new(item)),
        )
    } else {
        let why = item.needs.as_ref().map(|needs| needs.text.clone()).unwrap_or_default();
        (
            format!("Let \"{name}\" out of quarantine? {why} You vouch for it."),
            Job::ReleaseArrival(Box::new(item)),
        )
    };
    let form = Form::new("Are you sure?", job).say(Tone::Bad, question).field(Field::text(
        "Reason",
        "",
        true,
        "why; kept in its history",
    ));
    ask(state, form)
}

/// A work item for the arrival that is looked at: with its suggestions, which are fetched where they are not known yet.
pub(super) fn begin_assign(state: &mut State) -> Vec<Effect> {
    let Some(item) = state.arrival_at().cloned() else { return Vec::new() };
    let detail = state.arrival.as_ref().and_then(|looked| looked.detail.clone());
    if let Some(detail) = detail.filter(|detail| detail.item.id == item.id) {
        return ask(state, question(&detail));
    }
    state.assigning = Some(item.id);
    refresh::asked(state, vec![Effect::Arrival(item.id)])
}

/// The suggestions of an arrival are there; somebody waited for them.
pub(super) fn suggested(state: &mut State, detail: &IntakeDetail) {
    if state.prompt.is_none() {
        state.prompt = Some(Prompt::Form(Box::new(question(detail))));
    }
}

fn question(detail: &IntakeDetail) -> Form {
    let item: &IntakeItem = &detail.item;
    let mut form =
        Form::new(format!("Assign \"{}\"", arrival_name(item)), Job::Assign(Box::new(item.clone())));
    if let Some(needs) = &item.needs {
        form = form.say(Tone::Warn, needs.text.clone());
    }
    let open: Vec<_> = detail.suggestions.iter().filter(|it| it.open).take(9).collect();
    for suggestion in &open {
        let reasons = suggestion.reasons.join("; ");
        form = form
            .say(Tone::Faint, format!("{} {}: {reasons}", suggestion.reference, clip(&suggestion.title, 40)));
    }
    if !open.is_empty() {
        let mut options: Vec<(String, String)> = open
            .iter()
            .map(|it| (format!("{} {}", it.reference, clip(&it.title, 40)), it.work_item.to_string()))
            .collect();
        options.push(("another one".to_owned(), String::new()));
        form = form.field(Field::choice("Suggested", options, 0));
    }
    let quarantined = item.state == IntakeState::Quarantined;
    form.field(Field::text("Work item", "", open.is_empty(), "its reference; wins over what is suggested"))
        .field(Field::text("Also", "", false, "further references, with commas: each gets every document"))
        .field(Field::text("Reason", "", quarantined, "why; kept in its history"))
        .ask("Yes, assign it", false)
}

/// What the form about a work item says; none where it names none.
pub(super) fn assign_of(form: &Form, reason: String) -> Option<AssignBody> {
    let typed = form.value("Work item");
    let work_item = if typed.is_empty() { form.value("Suggested") } else { typed };
    let also = form.value("Also");
    let also = also.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect();
    (!work_item.is_empty()).then_some(AssignBody { work_item, also, area: None, reason })
}
