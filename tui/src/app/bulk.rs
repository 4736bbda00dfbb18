//! Sets of filings: frozen by the server, looked at, run after a grace, and followed until they are over.

use std::time::Duration;

use postroom_api::bulk::{BulkAction, BulkBody, BulkState, BulkView, COUNTED, CountLine, RunBody};
use postroom_api::client::ClientResult;
use postroom_api::decision::DecisionKind;

use super::change::{Change, Job, in_words};
use super::form::{Field, Form};
use super::over::{Body, Over};
use super::prompt::Prompt;
use super::{Changing, Effect, Scope, State, refresh};
use crate::text::grouped;
use crate::theme::Tone;

/// The set that is followed.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// As the server last told.
    pub(crate) view: BulkView,
}

impl Live {
    /// Whether all of it can be taken back.
    pub(crate) fn can_undo(&self) -> bool {
        self.view.state == BulkState::AboutToRun
    }

    /// Whether there is something to stop.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.view.state, BulkState::AboutToRun | BulkState::Running)
    }

    /// How it is going, in words.
    pub(crate) fn words(&self, now: jiff::Timestamp) -> String {
        let view = &self.view;
        let done = view.action.done();
        match view.state {
            BulkState::AboutToRun => {
                let left = view.begins.map_or(0, |begins| crate::when::seconds_between(now, begins));
                format!("{} will be {done} in {left} s · u takes it back", grouped(view.will))
            }
            _ => {
                let through = view.done + view.skipped + view.failed;
                let rest = if view.skipped + view.failed > 0 {
                    format!(", {} not", view.skipped + view.failed)
                } else {
                    String::new()
                };
                format!(
                    "{} of {}: {} {done}{rest} · x stops the rest",
                    grouped(through),
                    grouped(view.total),
                    grouped(view.done)
                )
            }
        }
    }
}

const fn action(kind: DecisionKind) -> Option<BulkAction> {
    Some(match kind {
        DecisionKind::Retry => BulkAction::Retry,
        DecisionKind::Hold => BulkAction::Hold,
        DecisionKind::Release => BulkAction::Release,
        DecisionKind::Cancel => BulkAction::Cancel,
        DecisionKind::FileAnyway => BulkAction::FileAnyway,
        DecisionKind::Edit | DecisionKind::Link => return None,
    })
}

/// Asks the server to freeze what the decision is about.
pub(super) fn freeze(state: &mut State, kind: DecisionKind, scope: Scope, hurry: bool) -> Vec<Effect> {
    let Some(action) = action(kind) else { return Vec::new() };
    let body = match scope {
        Scope::Matching(q) => BulkBody { action, q: Some(q), ids: Vec::new() },
        Scope::Marked(items) => BulkBody { action, q: None, ids: items.iter().map(|item| item.id).collect() },
        Scope::One(item) => BulkBody { action, q: None, ids: vec![item.id] },
        Scope::Nothing => return Vec::new(),
    };
    state.changing = Some(Changing { what: "the server looks what that is".to_owned(), hurry });
    vec![Effect::Freeze(body)]
}

/// The set is frozen: the question about it.
pub(super) fn frozen(state: &mut State, result: ClientResult<Box<BulkView>>) {
    let hurry = state.changing.take().is_some_and(|changing| changing.hurry);
    match result {
        Err(error) => state.say(Tone::Bad, format!("✖ {}", in_words(&error))),
        Ok(view) if view.will == 0 => {
            let why = lines(&view.will_not);
            let total = grouped(view.total);
            state.say(Tone::Warn, format!("none of the {total} can be {}: {why}", view.action.done()));
        }
        Ok(view) => state.prompt = Some(Prompt::Form(Box::new(question(*view, hurry)))),
    }
}

fn lines(counts: &[CountLine]) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|line| {
            let words = if line.words.is_empty() { &line.name } else { &line.words };
            format!("{} {words}", grouped(line.count))
        })
        .collect();
    parts.join(" · ")
}

fn question(view: BulkView, hurry: bool) -> Form {
    let (action, done) = (view.action, view.action.done());
    let hurts = action.needs_reason();
    let verb = match action {
        BulkAction::Retry => "Retry",
        BulkAction::Hold => "Hold",
        BulkAction::Release => "Release",
        BulkAction::Cancel => "Cancel",
        BulkAction::FileAnyway => "File anyway",
    };
    let title = format!("{verb}: {}", view.scope);
    let will = grouped(view.will);
    let tone = if hurts { Tone::Bad } else { Tone::Plain };
    let mut head = format!("{will} will be {done}.");
    match action {
        BulkAction::Cancel => head += " This cannot be taken back once it has begun.",
        BulkAction::FileAnyway => head += " They will be in the DMS twice.",
        _ => {}
    }
    let (will_not, states, places, causes) =
        (lines(&view.will_not), lines(&view.by_state), lines(&view.by_destination), lines(&view.by_cause));
    let count = view.will;
    let mut form = Form::new(title, Job::Bulk(Box::new(view))).say(tone, head);
    if !will_not.is_empty() {
        form = form.say(Tone::Warn, format!("Not: {will_not}"));
    }
    form = form.say(Tone::Faint, format!("State: {states}")).say(Tone::Faint, format!("To: {places}"));
    if !causes.is_empty() {
        form = form.say(Tone::Faint, format!("Cause: {causes}"));
    }
    if action == BulkAction::Retry {
        let paces = [
            ("as the destination bears it", "limit"),
            ("10 a minute", "10/min"),
            ("60 a minute", "60/min"),
            ("all at once", "now"),
        ];
        let options = paces.map(|(shown, value)| (shown.to_owned(), value.to_owned())).to_vec();
        form = form.field(Field::choice("Pace", options, if hurry { 3 } else { 0 }));
    }
    form = form.field(Field::text("Reason", "", hurts, "why; kept in the history of each"));
    if count > COUNTED {
        form = form.field(Field::text("Number", "", true, &format!("type {count} to show that you mean it")));
    }
    form.ask(format!("Yes, {} {will}", verb.to_lowercase()), hurts)
}

/// The question is answered with yes. What is wrong with the answer is told in the form.
pub(super) fn run(view: &BulkView, form: &mut Form) -> Result<Change, ()> {
    let mut count = None;
    if view.will > COUNTED {
        let typed: String = form.value("Number").chars().filter(char::is_ascii_digit).collect();
        count = typed.parse().ok();
        if count != Some(view.will) {
            let at = form.fields.iter().position(|field| field.label == "Number").unwrap_or(0);
            form.refuse(at, format!("that is not {}", view.will));
            return Err(());
        }
    }
    let pace = form.value("Pace").parse().unwrap_or_default();
    Ok(Change::RunBulk { id: view.id, body: RunBody { reason: form.value("Reason"), pace, count } })
}

/// News of the set that is followed.
pub(super) fn noted(state: &mut State, view: BulkView) -> Vec<Effect> {
    let (was_over, known) = match &state.bulk {
        Some(live) if live.view.id == view.id && live.view.version > view.version => return Vec::new(),
        Some(live) => (live.view.state.is_over(), live.view.id == view.id),
        None => (false, false),
    };
    let over = view.state.is_over();
    state.bulk = Some(Live { view });
    state.refresh.wanted = true;
    if over && known && !was_over { ended(state) } else { Vec::new() }
}

fn ended(state: &mut State) -> Vec<Effect> {
    let Some(Live { view }) = &state.bulk else { return Vec::new() };
    let (done, id) = (view.action.done(), view.id);
    let left = view.skipped + view.failed;
    let (tone, text) = match view.state {
        BulkState::Undone => (Tone::Good, format!("✔ taken back: nothing was {done}")),
        BulkState::Stopped => (
            Tone::Warn,
            format!("stopped: {} {done}, {} not touched", grouped(view.done), grouped(view.waiting)),
        ),
        _ if left == 0 => (Tone::Good, format!("✔ {} {done}", grouped(view.done))),
        _ => (Tone::Bad, format!("✖ {} {done}, {} not", grouped(view.done), grouped(left))),
    };
    state.say(tone, text);
    state.bulk = None;
    if left == 0 { Vec::new() } else { refresh::asked(state, vec![Effect::Losers(id)]) }
}

/// What was left out, as a list over the screen.
pub(super) fn losers(state: &mut State, items: Vec<postroom_api::bulk::BulkItem>, more: bool) {
    if !items.is_empty() {
        state.over = Some(Over::new("Not done; * lists them", Body::Losers { items, more }));
    }
}

/// How often a set that runs is asked how far it is.
pub(super) const ASKED: Duration = Duration::from_millis(500);
