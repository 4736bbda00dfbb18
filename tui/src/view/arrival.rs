//! One arrival: what it needs, who it may be for and why, what became of it.

use postroom_api::intake::{IntakeDetail, IntakeItem, LetterView};
use ratatui::style::Style;
use ratatui::text::Line;

use super::arrivals::{ARRIVAL_NEXT, arrival_fixer, news};
use super::page::Page;
use crate::app::State;
use crate::text::{clip, sentence, size};
use crate::theme::{self, Tone, arrival_sign, arrival_tone, arrival_word};
use crate::when;

/// All lines, for a width.
pub(super) fn lines(state: &State, columns: u16) -> Vec<Line<'static>> {
    let Some(looked) = &state.arrival else { return Vec::new() };
    let mut page = Page { state, columns: usize::from(columns), lines: Vec::new() };
    if let Some(trouble) = &looked.trouble {
        page.wrapped(trouble, 0, state.theme().of(Tone::Bad));
    }
    if let Some(detail) = &looked.detail {
        page.arrival(detail);
    } else {
        // What the list knew, until the rest comes.
        if let Some(item) = state.arrivals.window.items().iter().find(|item| item.id == looked.id) {
            page.arrival_head(item);
        }
        page.lines.push(Line::styled("…", state.theme().of(Tone::Faint)));
    }
    page.lines
}

impl Page<'_> {
    fn arrival_head(&mut self, item: &IntakeItem) {
        let (state, theme) = (self.state, self.state.theme());
        let file = item.documents.first().map(|document| document.file_name.as_str()).unwrap_or_default();
        let name = if item.subject.trim().is_empty() { file } else { &item.subject };
        self.lines.push(Line::styled(clip(name, self.columns), theme::heading()));
        let age = when::ago(item.received, state.server_now(), state.times, &state.zone);
        let text = format!(
            "{} {} · received {age}{} · {}",
            arrival_sign(item.state),
            arrival_word(item.state),
            self.ago(),
            item.source
        );
        self.wrapped(&text, 0, theme.of(arrival_tone(item.state)));
        self.lines.push(Line::default());
        match &item.needs {
            Some(needs) => {
                self.wrapped(&sentence(&needs.text), 0, theme.of(Tone::Bad));
                self.value("Who", arrival_fixer(item), Style::new());
                self.value("Next", &sentence(ARRIVAL_NEXT), theme::heading());
                self.value("Cause", &needs.code, theme.of(Tone::Faint));
            }
            None => self.wrapped(&news(item), 0, Style::new()),
        }
    }

    fn arrival(&mut self, detail: &IntakeDetail) {
        let (theme, plain) = (self.state.theme(), Style::new());
        let item = &detail.item;
        self.arrival_head(item);
        if let Some(allocated) = &item.allocated {
            let team = allocated.team.as_ref().map(|team| format!("team {team}"));
            let who = allocated.person.clone().or(team).unwrap_or_default();
            self.value("With", &who, theme.of(Tone::Warn));
        }
        self.suggestions(detail);
        self.remarks(&detail.remarks);
        self.value("Note", &detail.note, plain);
        self.heading("What came");
        self.value("From", &item.sender, plain);
        if let Some(letter) = &detail.letter {
            self.letter(letter);
        }
        self.value("Named", &item.work_item_given, plain);
        self.value("Area", &item.area, plain);
        for document in &item.documents {
            let text = format!("{} · {} · {}", document.file_name, size(document.size), document.media_type);
            self.value("Document", &text, plain);
        }
        if let Some(whole) = item.part_of {
            self.value("Part of", &whole.to_string(), theme.of(Tone::Faint));
        }
        for (number, section) in detail.sections.iter().enumerate() {
            self.value("Part", &format!("{} {section}", number + 1), theme.of(Tone::Faint));
        }
        self.filings(detail);
        self.heading("Why this matter");
        for (number, step) in detail.trace.iter().enumerate() {
            self.value(&format!("{:>3}", number + 1), step, plain);
        }
        self.history(&detail.events);
        self.value("Arrival", &format!("{} version {}", item.id, item.version), theme.of(Tone::Faint));
    }

    fn suggestions(&mut self, detail: &IntakeDetail) {
        if detail.suggestions.is_empty() {
            return;
        }
        self.heading("It may belong to");
        let theme = self.state.theme();
        for suggestion in &detail.suggestions {
            let closed = if suggestion.open { "" } else { " (closed)" };
            let text = format!("{} {}{closed}", suggestion.reference, suggestion.title);
            self.wrapped(&text, 1, if suggestion.open { theme::heading() } else { theme.of(Tone::Faint) });
            self.wrapped(&suggestion.reasons.join("; "), 3, theme.of(Tone::Faint));
        }
    }

    fn letter(&mut self, letter: &LetterView) {
        let plain = Style::new();
        self.value("For", &letter.envelope_to.join(", "), plain);
        if let Some(date) = letter.date {
            self.value("Written", &when::full(date, &self.state.zone), plain);
        }
        let mut parts = Vec::new();
        parts.extend(letter.kind.map(|kind| serde_word(&kind)));
        parts.extend(letter.dmarc.map(|dmarc| format!("sender's domain {}", serde_word(&dmarc))));
        parts.extend(letter.protection.map(|it| serde_word(&it)).filter(|it| it != "none"));
        self.value("Letter", &parts.join(" · "), plain);
        self.value(
            "Message",
            letter.message_id.as_deref().unwrap_or_default(),
            self.state.theme().of(Tone::Faint),
        );
    }

    fn filings(&mut self, detail: &IntakeDetail) {
        if detail.filing_items.is_empty() {
            return;
        }
        self.heading("Filings; Enter lists them");
        for filing in &detail.filing_items {
            let cause = filing.cause.as_ref().map(|cause| format!(": {}", cause.short)).unwrap_or_default();
            let text = format!(
                "{} {} · {} → {} {}{cause}",
                theme::sign(filing.state),
                filing.state,
                filing.file_name,
                filing.destination,
                filing.target
            );
            self.wrapped(&text, 1, self.state.theme().of(theme::tone(filing.state)));
        }
    }
}

/// The server's own word for a value.
fn serde_word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}
