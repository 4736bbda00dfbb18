use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use postroom_api::client::{ClientError, News};
use postroom_api::problem::{Code, Problem};
use postroom_api::{Role, State as FilingState};

use super::*;
use crate::action::{Action, Availability, availability};
use crate::keys::TABLE;
use crate::planted;

/// A console at work: messages go in, what is to be done comes out.
pub(crate) struct Desk {
    pub(crate) state: State,
    pub(crate) now: Moment,
    /// Effects that have not been answered.
    pub(crate) asked: Vec<Effect>,
}

impl Desk {
    /// Just started, nothing answered.
    pub(crate) fn cold(size: (u16, u16)) -> Self {
        let now = Moment { at: planted::NOW.parse().unwrap(), since_start: Duration::from_secs(100) };
        let state =
            State::new("http://127.0.0.1:8440".to_owned(), theme::Kind::Dark, TimeZone::UTC, size, now);
        Self { state, now, asked: Vec::new() }
    }

    /// Connected as somebody, with the planted data.
    pub(crate) fn of(role: Role, size: (u16, u16)) -> Self {
        let mut desk = Self::cold(size);
        desk.send(Message::Stream(News::Connected));
        let mut summary = planted::summary();
        summary.you = planted::you(role);
        desk.serve_with(&summary);
        desk
    }

    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self::of(Role::Operator, size)
    }

    pub(crate) fn send(&mut self, message: Message) -> Vec<Effect> {
        let effects = update(&mut self.state, message, self.now);
        self.asked.extend(effects.iter().cloned());
        effects
    }

    /// Answers everything that was asked, from the planted data, until nothing more is asked.
    pub(crate) fn serve(&mut self) {
        let mut summary = planted::summary();
        if let Some(known) = &self.state.summary {
            summary.you = known.you.clone();
        }
        self.serve_with(&summary);
    }

    fn serve_with(&mut self, summary: &Summary) {
        for _ in 0..50 {
            if self.asked.is_empty() {
                return;
            }
            for effect in std::mem::take(&mut self.asked) {
                let reply = match effect {
                    Effect::Summary => Reply::Summary(Ok(Box::new(summary.clone()))),
                    Effect::Causes => Reply::Causes(Ok(planted::causes())),
                    Effect::Filings { list, from, filter } => {
                        let items = if filter.contains("nothing") { Vec::new() } else { planted::filings() };
                        Reply::Filings { list, from, result: Ok(Page { items, next: None }) }
                    }
                    Effect::Filing(id) => {
                        let item = planted::filings().into_iter().find(|item| item.id == id).unwrap();
                        Reply::Filing(id, Ok(Box::new(planted::detail(item))))
                    }
                    Effect::Decide { id, .. } => {
                        let item = planted::filings().into_iter().find(|item| item.id == id).unwrap();
                        Reply::Decided(id, Ok(Box::new(FilingItem { version: item.version + 1, ..item })))
                    }
                    Effect::Door { kind, name, .. } => {
                        Reply::Door(Ok(DoorAnswer { door: kind.door(&name), pause: None }))
                    }
                    Effect::Copy(_) => Reply::Copied(Ok(())),
                    Effect::Quit => continue,
                };
                self.send(Message::Reply(reply));
            }
        }
        panic!("it asks for ever: {:?}", self.asked);
    }

    pub(crate) fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.send(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    /// Types letters; `⏎`, `⎋`, `⇥`, `↓`, `↑`, `␣` are the keys they look like. Everything is answered in between.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for c in keys.chars() {
            self.key(match c {
                '⏎' => KeyCode::Enter,
                '⎋' => KeyCode::Esc,
                '⇥' => KeyCode::Tab,
                '↓' => KeyCode::Down,
                '↑' => KeyCode::Up,
                '⇟' => KeyCode::PageDown,
                '␣' => KeyCode::Char(' '),
                c => KeyCode::Char(c),
            });
            self.serve();
        }
        self
    }

    pub(crate) fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.now.since_start += time;
        self.now.at += SignedDuration::try_from(time).unwrap();
        self.send(Message::Tick)
    }

    fn status(&self) -> &str {
        self.state.status.as_ref().map_or("", |status| status.text.as_str())
    }

    fn current(&self) -> u128 {
        self.state.window.current().unwrap().id.as_u128()
    }

    /// Goes to the filing with this number in the list of all.
    fn at_filing(&mut self, number: u128) -> &mut Self {
        self.keys("5g");
        for _ in 0..40 {
            if self.current() == number {
                return self;
            }
            self.keys("↓");
        }
        panic!("no filing {number}");
    }
}

fn decisions(effects: &[Effect]) -> Vec<(DecisionKind, u128, u64, &str)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Decide { kind, id, version, reason } => {
                Some((*kind, id.as_u128(), *version, reason.as_str()))
            }
            _ => None,
        })
        .collect()
}

const SIZE: (u16, u16) = (80, 24);

#[test]
fn the_first_thing_asked_is_what_home_shows() {
    let mut desk = Desk::cold(SIZE);
    assert_eq!(desk.send(Message::Tick), [Effect::Summary, Effect::Causes]);
    assert!(desk.state.link.is_lost());
    desk.serve();
    assert!(!desk.state.link.is_lost());
}

#[test]
fn one_filing_is_retried_in_the_version_on_the_screen() {
    let mut desk = Desk::new(SIZE);
    desk.at_filing(18);
    let effects = desk.key(KeyCode::Char('r'));
    assert_eq!(decisions(&effects), [(DecisionKind::Retry, 18, 4, "")]);
    assert_eq!(
        availability(&desk.state, Action::Retry),
        Availability::Off("another action is under way (0 of 1)".into())
    );
    desk.serve();
    assert_eq!(desk.status(), "✔ retried");
    assert_eq!(desk.state.window.current().unwrap().version, 5);
}

#[test]
fn marks_are_retried_each_with_its_version_and_losers_are_listed() {
    let mut desk = Desk::new(SIZE);
    // 24 is in doubt, 23 held, 18 and 17 failed.
    desk.at_filing(24).keys("␣␣");
    while desk.current() != 18 {
        desk.keys("↓");
    }
    desk.keys("␣␣");
    assert_eq!((desk.state.marks.len(), desk.current()), (4, 16));
    let effects = desk.key(KeyCode::Char('r'));
    assert_eq!(decisions(&effects), [(DecisionKind::Retry, 18, 4, ""), (DecisionKind::Retry, 17, 4, "")]);
    desk.asked.clear();
    let stale = ClientError::Problem(Box::new(Problem::new(Code::Changed, "it is filed now")));
    desk.send(Message::Reply(Reply::Decided(FilingId::from_u128(17), Err(stale))));
    let item = Box::new(FilingItem { version: 5, state: FilingState::Waiting, ..planted::failed(18) });
    desk.send(Message::Reply(Reply::Decided(FilingId::from_u128(18), Ok(item))));
    let report = desk.state.report.clone().unwrap();
    assert_eq!(report.title, "1 retried, 3 not");
    let lines: Vec<_> = report.lines.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    assert_eq!(
        lines,
        [
            ("Share purchase agreement 24", "it may be in the DMS already: decide over it alone"),
            ("Share purchase agreement 23", "it is held: release it instead"),
            ("Share purchase agreement 17", "it changed meanwhile; look at it again"),
        ]
    );
    // What went through is no longer marked; the rest still is.
    let marked: Vec<u128> = desk.state.marks.keys().map(|id| id.as_u128()).collect();
    assert_eq!(marked, [17, 23, 24]);
    desk.keys("⎋");
    assert_eq!((desk.state.report.is_none(), desk.state.place()), (true, Place::Filings));
}

#[test]
fn what_hurts_asks_for_a_reason_first() {
    let mut desk = Desk::new(SIZE);
    desk.at_filing(18);
    assert_eq!(decisions(&desk.key(KeyCode::Char('X'))), []);
    assert_eq!(decisions(&desk.key(KeyCode::Enter)), [], "no reason, nothing done");
    desk.keys("wrong");
    let effects = desk.key(KeyCode::Enter);
    assert_eq!(decisions(&effects), [(DecisionKind::Cancel, 18, 4, "wrong")]);
    desk.serve();

    // Keys in the question are text, not actions.
    desk.keys("Xrq⎋");
    assert!(desk.state.prompt.is_none() && desk.asked.is_empty());

    desk.at_filing(24).keys("r");
    assert!(
        matches!(&desk.state.prompt, Some(Prompt::Reason { question, .. }) if question.contains("there twice"))
    );
    desk.keys("looked");
    assert_eq!(decisions(&desk.key(KeyCode::Enter)), [(DecisionKind::Retry, 24, 1, "looked")]);
    desk.serve();

    desk.at_filing(21).keys("r");
    assert_eq!(desk.status(), "not now: it is a duplicate: D files it anyway");
    desk.keys("Dnew");
    assert_eq!(decisions(&desk.key(KeyCode::Enter)), [(DecisionKind::Retry, 21, 1, "new")]);
}

#[test]
fn doors_are_paused_with_a_reason_and_resumed_without() {
    let mut desk = Desk::new(SIZE);
    desk.keys("pbroken");
    assert_eq!(
        desk.key(KeyCode::Enter)[0],
        Effect::Door { kind: DoorKind::Source, name: "mail-litigation".into(), stop: Some("broken".into()) }
    );
    desk.serve();
    desk.keys("↓p");
    assert_eq!(desk.status(), "not now: it is paused already; P lets it go on");
    assert_eq!(
        desk.key(KeyCode::Char('P'))[0],
        Effect::Door { kind: DoorKind::Source, name: "scanner3".into(), stop: None }
    );
    desk.keys("⇥P");
    assert_eq!(desk.status(), "not now: it is not paused");
}

#[test]
fn the_trail_goes_back_step_by_step_and_esc_never_leaves() {
    let mut desk = Desk::new((120, 40));
    desk.keys("⇥⇥↓⏎");
    assert_eq!(desk.state.trail, [Place::Home, Place::Filings]);
    assert_eq!(desk.state.filter, "cause:no_right dest:dms-eu -state:cancelled");
    desk.keys("↓↓⏎");
    assert_eq!(desk.state.trail, [Place::Home, Place::Filings, Place::Detail]);
    assert_eq!(desk.state.looked.as_ref().unwrap().id.as_u128(), 28);
    // Beside the list, the detail follows the cursor.
    desk.keys("⇥↓↓");
    assert_eq!(desk.state.looked.as_ref().unwrap().id.as_u128(), 26);
    desk.keys("⎋");
    assert_eq!((desk.state.place(), desk.current()), (Place::Filings, 26));
    desk.keys("⎋⎋⎋⎋");
    assert_eq!(desk.state.trail, [Place::Home]);
    desk.keys("6⏎q");
    assert_eq!(desk.state.trail, [Place::Home, Place::Causes]);
    assert!(!desk.key(KeyCode::Char('q')).contains(&Effect::Quit));
    assert!(desk.key(KeyCode::Char('q')).contains(&Effect::Quit));
}

#[test]
fn the_filter_is_checked_while_it_is_typed_and_tab_mends_it() {
    let mut desk = Desk::new(SIZE);
    desk.keys("5/stat:failed");
    let Some(Prompt::Filter { errors, .. }) = &desk.state.prompt else { panic!("no prompt") };
    assert_eq!((errors[0].position, errors[0].length), (0, 5));
    desk.keys("⏎");
    assert!(desk.state.prompt.is_some(), "a wrong filter is not sent");
    desk.keys("⇥");
    let effects = desk.key(KeyCode::Enter);
    assert!(matches!(&effects[0], Effect::Filings { filter, .. } if filter == "state:failed"), "{effects:?}");
    desk.serve();
    // Changed, taken back from history, given up.
    desk.keys("/ref:x⏎/↑↑");
    let Some(Prompt::Filter { input, .. }) = &desk.state.prompt else { panic!("no prompt") };
    assert_eq!(input.value(), "state:failed");
    desk.keys("⎋");
    assert_eq!(desk.state.filter, "state:failed ref:x");

    desk.keys("/");
    desk.send(Message::Paste("by:\u{1b}[31mann\n".into()));
    let Some(Prompt::Filter { input, .. }) = &desk.state.prompt else { panic!("no prompt") };
    assert_eq!(input.value(), "state:failed ref:x by:[31mann");
    desk.keys("⎋");
    desk.send(Message::Paste("qqq".into()));
    assert_eq!(desk.state.place(), Place::Filings, "pasted text is no keys");
}

#[test]
fn news_are_fetched_at_most_four_times_a_second() {
    let mut desk = Desk::new(SIZE);
    desk.pass(Duration::from_secs(1));
    desk.serve();
    let event =
        || Message::Stream(News::Event(Box::new(planted::detail(planted::filing(1)).events[0].clone())));
    let mut fetches = 0;
    for _ in 0..40 {
        let effects = desk.send(event());
        fetches += effects.iter().filter(|effect| **effect == Effect::Summary).count();
        desk.serve();
        fetches +=
            desk.pass(Duration::from_millis(25)).iter().filter(|effect| **effect == Effect::Summary).count();
        desk.serve();
    }
    assert!((3..=5).contains(&fetches), "{fetches} in one second");

    // Quiet: only the heartbeat.
    desk.pass(Duration::from_secs(1));
    desk.serve();
    let mut fetches = 0;
    for _ in 0..30 {
        fetches +=
            desk.pass(Duration::from_secs(1)).iter().filter(|effect| **effect == Effect::Summary).count();
        desk.serve();
    }
    assert_eq!(fetches, 3);
}

#[test]
fn a_frozen_screen_stands_still_and_counts() {
    let mut desk = Desk::new(SIZE);
    desk.keys("5f");
    for _ in 0..37 {
        desk.send(Message::Stream(News::Event(Box::new(
            planted::detail(planted::filing(1)).events[0].clone(),
        ))));
        assert_eq!(desk.pass(Duration::from_secs(1)), []);
    }
    assert_eq!(desk.state.frozen, Some(37));
    assert!(!desk.key(KeyCode::Char('f')).is_empty(), "it catches up at once");
}

#[test]
fn without_the_server_nothing_is_sent_and_everything_stays() {
    let mut desk = Desk::new(SIZE);
    desk.at_filing(18).keys("␣↑");
    let lost = || ClientError::Unreachable("refused".into());
    desk.asked.clear();
    desk.send(Message::Stream(News::Lost { error: lost(), pause: Duration::from_secs(2) }));
    assert_eq!(desk.asked, [Effect::Summary], "is it really lost?");
    desk.asked.clear();
    desk.send(Message::Reply(Reply::Summary(Err(lost()))));
    assert!(desk.state.link.is_lost());
    for key in ['r', 'h', 'H', 'X', 'D'] {
        let effects = desk.key(KeyCode::Char(key));
        assert!(!effects.iter().any(Effect::changes) && desk.state.prompt.is_none(), "{key}");
    }
    assert!(desk.status().is_empty() || desk.status().contains("cannot be reached"), "{}", desk.status());
    assert_eq!((desk.current(), desk.state.marks.len()), (18, 1));

    desk.send(Message::Stream(News::Connected));
    desk.pass(Duration::from_secs(1));
    desk.serve();
    assert!(!desk.state.link.is_lost());
    assert_eq!((desk.current(), desk.state.marks.len()), (18, 1));
}

#[test]
fn an_error_of_the_list_is_shown_and_not_asked_again_at_once() {
    let mut desk = Desk::new(SIZE);
    let effects = desk.key(KeyCode::Char('5'));
    let Some(Effect::Filings { list, from, .. }) =
        effects.iter().find(|e| matches!(e, Effect::Filings { .. }))
    else {
        panic!("{effects:?}")
    };
    let refused = ClientError::Problem(Box::new(Problem::new(Code::Busy, "too much at once")));
    let reply = Reply::Filings { list: *list, from: from.clone(), result: Err(refused) };
    assert_eq!(desk.send(Message::Reply(reply)), []);
    assert!(desk.state.list_trouble.as_ref().unwrap().contains("too much at once"));
}

/// Rights come from the server; who may not decide sends nothing but questions, whatever is pressed.
#[test]
fn a_viewer_sends_nothing_that_changes_anything() {
    for size in [(80, 24), (140, 40)] {
        let mut desk = Desk::of(Role::User, size);
        for place in ["1", "⇥", "⇥", "5", "5↓⏎", "6", "1⇥⇥⏎"] {
            for row in TABLE.iter().filter(|row| row.action != Action::Quit) {
                for key in row.keys {
                    desk.keys(place);
                    desk.key(*key);
                    for more in [KeyCode::Char('x'), KeyCode::Enter, KeyCode::Esc] {
                        desk.key(more);
                    }
                    assert!(!desk.asked.iter().any(Effect::changes), "{} in {place}", row.name);
                    desk.serve();
                }
            }
        }
    }
}

/// Walks the table: in every place, each key that the help shows as working does something, and each one that it does not
/// show does nothing.
#[test]
fn every_key_works_where_the_help_says_so() {
    let mut worked = std::collections::HashSet::new();
    for (place, size) in [
        ("1", SIZE),
        ("1↓", SIZE),
        ("1⇥", SIZE),
        ("1⇥⇥", SIZE),
        ("5↓", SIZE),
        ("5␣␣", SIZE),
        ("5↓↓↓↓↓↓↓", SIZE),
        ("5↓↓↓↓↓↓↓↓↓", SIZE),
        ("5⏎", SIZE),
        ("5⏎↓", SIZE),
        ("5⏎", (140, 40)),
        ("5⏎⇥↓", (140, 40)),
        ("6↓", SIZE),
    ] {
        for row in TABLE {
            for key in row.keys {
                let mut desk = Desk::new(size);
                desk.keys(place);
                let before = format!("{:?}", desk.state);
                let can = availability(&desk.state, row.action);
                let effects = desk.key(*key);
                let said = desk.status().to_owned();
                desk.state.status = None;
                let changed = format!("{:?}", desk.state) != before || !effects.is_empty();
                match can {
                    Availability::On => {
                        // A move at the end of a list has nowhere to go.
                        if changed {
                            worked.insert(row.action);
                        } else {
                            let moves = [
                                Action::Up,
                                Action::Down,
                                Action::PageUp,
                                Action::PageDown,
                                Action::Top,
                                Action::Bottom,
                            ];
                            assert!(moves.contains(&row.action), "{} does nothing in {place}", row.name);
                        }
                    }
                    Availability::Off(reason) => {
                        assert_eq!(said, format!("not now: {reason}"), "{} in {place}", row.name);
                        assert!(!changed);
                    }
                    Availability::Hidden => assert!(!changed && said.is_empty(), "{} in {place}", row.name),
                }
            }
        }
    }
    for row in TABLE {
        assert!(worked.contains(&row.action), "{} worked nowhere", row.name);
    }
}

#[test]
fn a_window_too_small_takes_no_keys_but_leaving() {
    let mut desk = Desk::new((20, 5));
    for row in TABLE.iter().filter(|row| row.action != Action::Quit) {
        for key in row.keys {
            assert_eq!(desk.key(*key), [], "{}", row.name);
        }
    }
    assert_eq!(desk.key(KeyCode::Char('q')), [Effect::Quit]);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(desk.send(Message::Key(ctrl_c)), [Effect::Quit]);
}

#[test]
fn what_is_copied_is_harmless_and_told() {
    let mut desk = Desk::new(SIZE);
    desk.keys("5y");
    let effects = desk.key(KeyCode::Char('r'));
    let Some(Effect::Copy(text)) = effects.first() else { panic!("{effects:?}") };
    assert!(text.contains("no right") || text.contains("may not write"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    assert!(desk.status().contains("the whole report sent to the clipboard"));
}

#[test]
fn who_sees_only_the_own_filings_is_not_asked_about_all() {
    let mut desk = Desk::cold(SIZE);
    desk.send(Message::Tick);
    desk.asked.clear();
    let forbidden = ClientError::Problem(Box::new(Problem::new(Code::Forbidden, "not yours")));
    let mut summary = planted::summary();
    summary.you = planted::you(Role::User);
    desk.send(Message::Reply(Reply::Causes(Err(forbidden))));
    desk.send(Message::Reply(Reply::Summary(Ok(Box::new(summary)))));
    assert_eq!((desk.status(), desk.state.refresh.waiting), ("", 0));
    assert_eq!(desk.pass(Duration::from_secs(20)), [Effect::Summary]);
}
