//! From a key to decisions, and from their answers to what the person reads.

use std::collections::BTreeMap;

use postroom_api::client::{ClientError, ClientResult};
use postroom_api::decision::DecisionKind;
use postroom_api::filing::FilingItem;
use postroom_api::pause::DoorAnswer;
use postroom_api::problem::Code;
use postroom_api::{FilingId, State as FilingState};

use super::batch::{Batch, Report, past};
use super::prompt::{Job, Prompt};
use super::{Effect, State};
use crate::action::refusal;
use crate::text::clip;
use crate::theme::Tone;

/// What a filing is called in a message.
pub(super) fn name_of(item: &FilingItem) -> String {
    let name = if item.subject.trim().is_empty() { &item.file_name } else { &item.subject };
    clip(name, 40)
}

/// The key for a decision was pressed, and it is possible.
pub(super) fn begin(state: &mut State, kind: DecisionKind) -> Vec<Effect> {
    let targets = state.targets();
    let in_doubt = matches!(&targets[..], [item] if item.state == FilingState::Undecided);
    if kind == DecisionKind::Cancel || (kind == DecisionKind::Retry && in_doubt) {
        let able = targets.iter().filter(|item| refusal(kind, item, targets.len() == 1).is_none()).count();
        let what = match &targets[..] {
            [item] => format!("\"{}\"", name_of(item)),
            several if able == several.len() => format!("the {able} marked filings"),
            several => format!("{able} of the {} marked filings (the others do not allow it)", several.len()),
        };
        let question = if kind == DecisionKind::Cancel {
            format!("Cancel {what}? This cannot be taken back.")
        } else {
            format!("Send {what} again? It may be in the DMS already; then it will be there twice.")
        };
        state.prompt = Some(Prompt::reason(question, Job::Decide { kind, targets }));
        return Vec::new();
    }
    run(state, kind, targets, "")
}

/// File a duplicate anyway.
pub(super) fn begin_anyway(state: &mut State) {
    let targets = state.targets();
    if let Some(item) = targets.first() {
        let question = format!(
            "File \"{}\" although the same document is there? It will be there twice.",
            name_of(item)
        );
        state.prompt = Some(Prompt::reason(question, Job::Decide { kind: DecisionKind::Retry, targets }));
    }
}

/// Sends a decision for each of the filings that allow it, in the version that was on the screen.
pub(super) fn run(
    state: &mut State,
    kind: DecisionKind,
    targets: Vec<FilingItem>,
    reason: &str,
) -> Vec<Effect> {
    let alone = targets.len() == 1;
    let mut batch =
        Batch { kind, total: targets.len(), open: BTreeMap::new(), went_well: 0, lost: Vec::new() };
    let mut effects = Vec::new();
    for item in targets {
        let name = name_of(&item);
        // A person who gave a reason has seen the question about doubles.
        let asked = alone && !reason.is_empty();
        if let Some(why) = refusal(kind, &item, alone).filter(|_| !(asked && kind == DecisionKind::Retry)) {
            batch.lost.push((name, why.to_owned()));
        } else {
            batch.open.insert(item.id, name);
            effects.push(Effect::Decide {
                kind,
                id: item.id,
                version: item.version,
                reason: reason.to_owned(),
            });
        }
    }
    state.batch = Some(batch);
    finish(state);
    effects
}

/// The answer to one decision.
pub(super) fn answered(state: &mut State, id: FilingId, result: ClientResult<Box<FilingItem>>) {
    let Some(batch) = &mut state.batch else { return };
    let Some(name) = batch.open.remove(&id) else { return };
    match result {
        Ok(item) => {
            batch.went_well += 1;
            state.marks.remove(&id);
            if let Some(detail) =
                state.looked.as_mut().filter(|looked| looked.id == id).and_then(|l| l.detail.as_mut())
            {
                detail.item = (*item).clone();
            }
            state.window.renew(*item);
        }
        Err(error) => batch.lost.push((name, in_words(&error))),
    }
    state.refresh.wanted = true;
    finish(state);
}

fn in_words(error: &ClientError) -> String {
    match error {
        ClientError::Problem(problem) if problem.is(Code::Changed) => {
            "it changed meanwhile; look at it again".to_owned()
        }
        ClientError::Problem(problem) => problem.detail.clone(),
        ClientError::Unreachable(why) => format!("no answer ({why}); it may have been done all the same"),
        other => other.to_string(),
    }
}

/// Tells the result once nothing is open any more.
fn finish(state: &mut State) {
    let Some(batch) = state.batch.take_if(|batch| batch.open.is_empty()) else { return };
    let done = past(batch.kind);
    match (&batch.lost[..], batch.total) {
        ([], 1) => state.say(Tone::Good, format!("✔ {done}")),
        ([], total) => state.say(Tone::Good, format!("✔ {total} {done}")),
        ([(_, why)], 1) => state.say(Tone::Bad, format!("✖ not {done}: {why}")),
        (lost, _) => {
            let title = format!("{} {done}, {} not", batch.went_well, lost.len());
            state.say(Tone::Bad, format!("✖ {title}"));
            state.report = Some(Report { title, lines: batch.lost, scroll: 0 });
        }
    }
}

/// The answer to a pause.
pub(super) fn door_answered(state: &mut State, result: ClientResult<DoorAnswer>) {
    state.refresh.wanted = true;
    match result {
        Ok(answer) => {
            let what = if answer.pause.is_some() { "is paused" } else { "goes on" };
            state.say(Tone::Good, format!("✔ {} {what}", answer.door));
        }
        Err(error) => state.say(Tone::Bad, format!("✖ {}", in_words(&error))),
    }
}
