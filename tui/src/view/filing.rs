//! One filing: why it is where it is, who can put it right, what happens next, and all that happened.

use postroom_api::State as FilingState;
use postroom_api::cause::fixer_words;
use postroom_api::filing::{AttemptView, FilingDetail, FilingItem};
use ratatui::style::Style;
use ratatui::text::Line;

use super::page::Page;
use crate::app::State;
use crate::text::{clip, size};
use crate::theme::{self, Tone, sign, tone};
use crate::when;

/// All lines, for a width.
pub(super) fn lines(state: &State, columns: u16) -> Vec<Line<'static>> {
    let Some(looked) = &state.looked else { return Vec::new() };
    let mut page = Page { state, columns: usize::from(columns), lines: Vec::new() };
    if let Some(trouble) = &looked.trouble {
        page.wrapped(trouble, 0, state.theme().of(Tone::Bad));
    }
    if let Some(detail) = &looked.detail {
        page.detail(detail);
    } else {
        // What the list knew, until the rest comes.
        if let Some(item) = state.window.items().iter().find(|item| item.id == looked.id) {
            page.head(item);
        }
        page.lines.push(Line::styled("…", state.theme().of(Tone::Faint)));
    }
    page.lines
}

impl Page<'_> {
    /// State, cause, who, next.
    fn head(&mut self, item: &FilingItem) {
        let (state, theme, plain) = (self.state, self.state.theme(), Style::new());
        let now = state.server_now();
        let name = if item.subject.trim().is_empty() { &item.file_name } else { &item.subject };
        self.lines.push(Line::styled(clip(name, self.columns), theme::heading()));
        let age = when::ago(item.received, now, state.times, &state.zone);
        let text = format!(
            "{} {} · received {age}{} · tries {}",
            sign(item.state),
            item.state,
            self.ago(),
            item.tries
        );
        self.wrapped(&text, 0, theme.of(tone(item.state)));
        if let Some(cause) = &item.cause {
            self.lines.push(Line::default());
            self.wrapped(&format!("{} ({})", cause.short, cause.code), 0, theme.of(Tone::Bad));
            self.wrapped(&cause.sentence, 0, plain);
            self.value("Hint", &cause.hint, theme.of(Tone::Warn));
            self.value("Who", fixer_words(cause.fixer), plain);
        } else {
            self.lines.push(Line::default());
        }
        if item.state == FilingState::Duplicate {
            self.value("Who", "nobody needs to; D files it a second time, with a reason", plain);
        }
        let mut next = item.next_step.clone();
        if let Some(due) = item.due {
            next = format!("{next} Due {}.", when::ahead(due, now, state.times, &state.zone));
        }
        self.value("Next", &next, theme::heading());
        if let Some(cause) = &item.cause {
            let technical = &cause.technical;
            let mut parts = Vec::new();
            parts.extend(technical.status.map(|status| status.to_string()));
            parts.extend(technical.request_id.as_ref().map(|id| format!("request {id}")));
            parts.extend(Some(technical.detail.clone()).filter(|detail| !detail.is_empty()));
            self.value("Technical", &parts.join(" · "), theme.of(Tone::Faint));
        }
    }

    pub(super) fn ago(&self) -> &'static str {
        if self.state.times == when::Times::Relative { " ago" } else { "" }
    }

    fn detail(&mut self, detail: &FilingDetail) {
        let (theme, zone, plain) = (self.state.theme(), self.state.zone.clone(), Style::new());
        let item = &detail.item;
        self.head(item);
        self.lines.push(Line::default());
        self.value("Target", &format!("{} · {}", item.destination, item.target), plain);
        if let Some(receipt) = &item.receipt {
            let version =
                receipt.version.as_ref().map(|version| format!(" version {version}")).unwrap_or_default();
            self.value(
                "In the DMS",
                &format!("{}{version} in {}", receipt.document, receipt.container),
                theme.of(Tone::Good),
            );
            self.value("Link", receipt.link.as_deref().unwrap_or_default(), plain);
        }
        if let Some(of) = item.duplicate_of {
            self.value("Repeats", &of.to_string(), plain);
        }

        self.remarks(&detail.remarks);

        self.heading("Attempts");
        if detail.attempts.is_empty() {
            self.lines.push(Line::styled("none yet", theme.of(Tone::Faint)));
        }
        for attempt in &detail.attempts {
            self.attempt(attempt, item.size);
        }

        self.history(&detail.events);

        self.heading("Document");
        self.value("File", &format!("{} · {} · {}", item.file_name, size(item.size), item.media_type), plain);
        self.value("From", &format!("{} by {}", item.sender, item.source), plain);
        self.value(
            "Handed in",
            &format!("{} {}", item.submitted_by, when::full(item.received, &zone)),
            plain,
        );
        self.value("Reference", &item.reference, plain);
        let place = &detail.place;
        self.value("Library", &place.library, plain);
        self.value("Workspace", &place.workspace, plain);
        self.value("Folder", &place.folder.join(" / "), plain);
        for (name, value) in &place.profile {
            self.value("Profile", &format!("{name} = {value}"), plain);
        }
        self.value("Repository", place.repository.as_deref().unwrap_or_default(), plain);
        self.value("BLAKE3", &item.hash.to_string(), theme.of(Tone::Faint));
        self.value("Filing", &format!("{} version {}", item.id, item.version), theme.of(Tone::Faint));
        self.value("Intake", &item.intake.to_string(), theme.of(Tone::Faint));
    }

    fn attempt(&mut self, attempt: &AttemptView, whole: u64) {
        let theme = self.state.theme();
        let when = when::seconds(attempt.started, self.state.server_now(), &self.state.zone);
        let (sign, tone) = match attempt.outcome.as_str() {
            "filed" => ("✔", Tone::Good),
            "failed" => ("✖", Tone::Bad),
            "running" => ("▶", Tone::Busy),
            _ => ("–", Tone::Warn),
        };
        let mut text = format!("{sign} {} {}", attempt.number, attempt.outcome);
        if let Some(ended) = attempt.ended {
            let millis = ended.duration_since(attempt.started).as_millis().max(0);
            text = format!("{text} after {}.{} s", millis / 1000, millis % 1000 / 100);
        }
        if let Some(cause) = &attempt.cause {
            let status = cause.technical.status.map(|status| format!("{status} ")).unwrap_or_default();
            text = format!("{text} · {status}{}", cause.short);
        }
        let sent = match attempt.bytes_sent {
            0 if whole > 0 => " · nothing was sent".to_owned(),
            sent if sent >= whole => " · sent whole".to_owned(),
            sent => format!(" · {} of {} sent", size(sent), size(whole)),
        };
        text.push_str(&sent);
        if attempt.probed {
            text += " · asked first";
        }
        self.value(&when, &text, theme.of(tone));
    }
}
