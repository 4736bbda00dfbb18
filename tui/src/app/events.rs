//! What happened, newest first: the console keeps the last part of the stream.

use std::collections::VecDeque;

use postroom_api::event::EventView;

/// How many events are kept.
const KEPT: usize = 2000;
/// How many events before the console started are asked for.
pub(crate) const BEFORE: u64 = 300;

/// The events that are kept, and the cursor among them.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Oldest first.
    all: VecDeque<EventView>,
    /// Words that must stand in an event; all events when empty.
    pub(crate) filter: String,
    /// The event under the cursor; none follows the newest.
    at: Option<u64>,
    /// The newest event that is shown while the screen is frozen.
    still: Option<u64>,
}

impl Events {
    /// One more.
    pub(super) fn push(&mut self, event: EventView) {
        // After a lost connection the stream may repeat itself.
        if self.all.back().is_some_and(|last| last.seq >= event.seq) {
            return;
        }
        self.all.push_back(event);
        if self.all.len() > KEPT {
            self.all.pop_front();
        }
    }

    /// Keeps what is shown as it is, or goes on.
    pub(super) fn freeze(&mut self, still: bool) {
        self.still = if still { Some(self.all.back().map_or(0, |event| event.seq)) } else { None };
    }

    /// What is shown, newest first.
    pub(crate) fn shown(&self) -> Vec<&EventView> {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let limit = self.still.unwrap_or(u64::MAX);
        self.all
            .iter()
            .rev()
            .filter(|event| event.seq <= limit && words.iter().all(|word| has(event, word)))
            .collect()
    }

    /// The row of the cursor.
    pub(crate) fn row(&self) -> usize {
        let Some(at) = self.at else { return 0 };
        let shown = self.shown();
        // Gone: the next older one takes its place.
        shown.iter().position(|event| event.seq <= at).unwrap_or_else(|| shown.len().saturating_sub(1))
    }

    /// The event under the cursor.
    pub(crate) fn current(&self) -> Option<&EventView> {
        self.shown().get(self.row()).copied()
    }

    /// Whether the newest are followed.
    pub(crate) const fn follows(&self) -> bool {
        self.at.is_none()
    }

    /// Moves the cursor; at the top it follows what comes.
    pub(super) fn go(&mut self, row: usize) {
        let shown = self.shown();
        let row = row.min(shown.len().saturating_sub(1));
        self.at = if row == 0 { None } else { shown.get(row).map(|event| event.seq) };
    }
}

fn has(event: &EventView, word: &str) -> bool {
    let fields = [
        event.subject.kind.as_str(),
        event.subject.id.as_str(),
        event.happening.kind.as_str(),
        event.happening.words.as_str(),
        event.actor.name.as_str(),
        event.note.as_str(),
    ];
    fields.into_iter().any(|field| field.to_lowercase().contains(word))
}

#[cfg(test)]
mod tests {
    use postroom_api::event::{ActorView, HappeningView, SubjectView};

    use super::*;

    fn event(seq: u64, words: &str) -> EventView {
        EventView {
            seq,
            at: crate::planted::NOW.parse().unwrap(),
            site: None,
            subject: SubjectView { kind: "filing".into(), id: seq.to_string() },
            happening: HappeningView {
                kind: "filing".into(),
                words: words.into(),
                ..HappeningView::default()
            },
            actor: ActorView { name: "engine".into(), on_behalf_of: None, credential: None },
            note: String::new(),
        }
    }

    fn seqs(events: &Events) -> Vec<u64> {
        events.shown().iter().map(|event| event.seq).collect()
    }

    #[test]
    fn the_cursor_stays_on_its_event_and_follows_at_the_top() {
        let mut events = Events::default();
        for seq in 1..=5 {
            events.push(event(seq, if seq % 2 == 0 { "even" } else { "odd" }));
        }
        events.push(event(5, "again"));
        assert_eq!(seqs(&events), [5, 4, 3, 2, 1]);
        assert!(events.follows());
        events.go(2);
        assert_eq!(events.current().unwrap().seq, 3);
        events.push(event(6, "even"));
        assert_eq!((events.current().unwrap().seq, events.row()), (3, 3));
        events.filter = "EVEN".into();
        assert_eq!(seqs(&events), [6, 4, 2]);
        assert_eq!(events.current().unwrap().seq, 2, "the next older one");
        events.go(0);
        events.freeze(true);
        events.push(event(8, "even"));
        assert_eq!(seqs(&events), [6, 4, 2]);
        events.freeze(false);
        assert_eq!(seqs(&events), [8, 6, 4, 2]);
        for seq in 9..=3000 {
            events.push(event(seq, "odd"));
        }
        assert_eq!(events.all.len(), KEPT);
    }
}
