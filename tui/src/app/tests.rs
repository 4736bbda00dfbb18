use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use postroom_api::Role;
use postroom_api::bulk::{BulkAction, BulkState, Pace, RunBody};
use postroom_api::client::{ClientError, News};
use postroom_api::decision::{DecisionKind, EditBody, WorkspaceBody};
use postroom_api::intake::AssignBody;
use postroom_api::pause::PauseBody;
use postroom_api::problem::{Code, Problem};
use postroom_api::view::ViewBody;

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
        let state = State::new(
            "http://127.0.0.1:8440".to_owned(),
            Config::default(),
            KeyMap::default(),
            TimeZone::UTC,
            size,
            now,
        );
        Self { state, now, asked: Vec::new() }
    }

    /// Connected as somebody, with the planted data.
    pub(crate) fn of(role: Role, size: (u16, u16)) -> Self {
        let mut desk = Self::cold(size);
        desk.send(Message::Stream(News::Connected));
        let mut summary = planted::summary();
        summary.you = planted::you(role);
        desk.serve_with(&summary);
        for event in planted::detail(planted::failed(18)).events {
            desk.send(Message::Stream(News::Event(Box::new(event))));
        }
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
                if let Some(reply) = reply(effect, summary) {
                    self.send(Message::Reply(reply));
                }
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
                '→' => KeyCode::Right,
                '⌫' => KeyCode::Backspace,
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

/// The answer of a server that does everything that is asked of it.
fn reply(effect: Effect, summary: &Summary) -> Option<Reply> {
    let filing = |id| {
        planted::filings()
            .into_iter()
            .find(|item| item.id == id)
            .unwrap_or_else(|| planted::filing(id.as_u128()))
    };
    let arrival = |id| {
        planted::arrivals()
            .into_iter()
            .find(|item| item.id == id)
            .unwrap_or_else(|| planted::arrival(id.as_u128()))
    };
    Some(match effect {
        Effect::Summary => Reply::Summary(Ok(Box::new(summary.clone()))),
        Effect::Causes => Reply::Causes(Ok(planted::causes())),
        Effect::Ages => Reply::Ages(Ok(planted::ages())),
        Effect::Links => Reply::Links(Ok(planted::links())),
        Effect::Tables => Reply::Tables(Ok(planted::tables())),
        Effect::Views => Reply::Views(Ok(planted::views())),
        Effect::Filings { list, from, filter } => {
            let items = if filter.contains("nothing") { Vec::new() } else { planted::filings() };
            Reply::Filings { list, from, result: Ok(Page { items, next: None }) }
        }
        Effect::Filing(id) => Reply::Filing(id, Ok(Box::new(planted::detail(filing(id))))),
        Effect::Arrivals { list, from, query } => {
            let items = if query.q.contains("nothing") { Vec::new() } else { planted::arrivals() };
            Reply::Arrivals { list, from, result: Ok(Page { items, next: None }) }
        }
        Effect::Arrival(id) => Reply::Arrival(id, Ok(Box::new(planted::arrival_detail(arrival(id))))),
        Effect::Preview(..) => Reply::Preview(Ok(Box::new(planted::preview()))),
        Effect::Original(..) | Effect::Export { .. } => Reply::Saved(Ok("./file".into())),
        Effect::Freeze(body) => Reply::Frozen(Ok(Box::new(planted::bulk(body.action, 38)))),
        Effect::LiveBulks => Reply::LiveBulks(Ok(Vec::new())),
        Effect::Losers(_) => Reply::Losers(Ok((planted::losers(), false))),
        Effect::Change(change) => {
            let after = match &change {
                Change::Decide { id, .. } | Change::Edit { id, .. } | Change::Link { id, .. } => {
                    let item = filing(*id);
                    After::Filing(Box::new(FilingItem { version: item.version + 1, ..item }))
                }
                Change::Assign { id, .. }
                | Change::Give { id, .. }
                | Change::Dismiss { id, .. }
                | Change::ReleaseArrival { id, .. } => {
                    let item = arrival(*id);
                    let item = IntakeItem { version: item.version + 1, ..item };
                    After::Arrival(Box::new(planted::arrival_detail(item)))
                }
                Change::RunBulk { .. } => After::Bulk(Box::new(begun(BulkAction::Retry))),
                Change::StopBulk(_) => After::Bulk(Box::new(BulkView {
                    state: BulkState::Stopped,
                    version: 9,
                    ..begun(BulkAction::Retry)
                })),
                Change::UndoBulk(_) => After::Bulk(Box::new(BulkView {
                    state: BulkState::Undone,
                    version: 9,
                    ..begun(BulkAction::Retry)
                })),
                _ => After::Nothing,
            };
            Reply::Changed(change, Ok(after))
        }
        Effect::Copy(_) => Reply::Copied(Ok(", also saved as ./copied.txt".into())),
        Effect::Keep(_) => Reply::Kept(Ok(())),
        // A set is told of when a test wants it.
        Effect::Bulk(_) | Effect::Follow(_) | Effect::Mouse(_) | Effect::Quit => return None,
    })
}

/// A set that begins in ten seconds.
fn begun(action: BulkAction) -> BulkView {
    let begins = planted::NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(10);
    BulkView { state: BulkState::AboutToRun, version: 2, begins: Some(begins), ..planted::bulk(action, 38) }
}

fn decisions(effects: &[Effect]) -> Vec<(DecisionKind, u128, u64, &str)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Change(Change::Decide { kind, id, version, reason }) => {
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
        Availability::Off("another action is under way (retried)".into())
    );
    desk.serve();
    assert_eq!(desk.status(), "✔ retried");
    assert_eq!(desk.state.window.current().unwrap().version, 5);
}

/// The form that is open.
fn form(desk: &Desk) -> &Form {
    match &desk.state.prompt {
        Some(Prompt::Form(form)) => form,
        other => panic!("no form: {other:?}"),
    }
}

#[test]
fn several_are_frozen_looked_at_and_run_after_a_grace() {
    let mut desk = Desk::new(SIZE);
    desk.at_filing(18).keys("␣␣");
    let effects = desk.key(KeyCode::Char('r'));
    let ids = [18, 17].map(FilingId::from_u128).to_vec();
    assert_eq!(effects[0], Effect::Freeze(BulkBody { action: BulkAction::Retry, q: None, ids }));
    desk.serve();
    assert!(form(&desk).title.contains("all 38 that match"), "{}", form(&desk).title);
    let said: Vec<&str> = form(&desk).text.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(said[..2], ["36 will be retried.", "Not: 2 it is being worked on right now"]);
    // It is harmless: the cursor stands on yes. The pace is two fields above.
    desk.key(KeyCode::Up);
    desk.key(KeyCode::Up);
    desk.key(KeyCode::Right);
    desk.key(KeyCode::Enter);
    desk.keys("mended⏎");
    let effects = desk.key(KeyCode::Enter);
    let body = RunBody { reason: "mended".into(), pace: Pace::PerMinute(10), count: None };
    assert_eq!(effects, [Effect::Change(Change::RunBulk { id: BulkId::from_u128(77), body })]);
    desk.serve();
    assert!(desk.state.marks.is_empty());
    let live = desk.state.bulk.clone().unwrap();
    assert_eq!(live.words(desk.state.server_now()), "36 will be retried in 10 s · u takes it back");

    // Followed until it is over; what was left out is listed.
    desk.pass(Duration::from_secs(11));
    assert!(desk.asked.contains(&Effect::Bulk(BulkId::from_u128(77))), "{:?}", desk.asked);
    desk.serve();
    let over = BulkView {
        state: BulkState::Done,
        version: 5,
        done: 36,
        skipped: 2,
        waiting: 0,
        ..begun(BulkAction::Retry)
    };
    desk.send(Message::Reply(Reply::Bulk(Ok(Box::new(over)))));
    assert_eq!(desk.status(), "✖ 36 retried, 2 not");
    desk.serve();
    assert!(
        matches!(&desk.state.over, Some(Over { body: Body::Losers { items, .. }, .. }) if items.len() == 2)
    );
    desk.keys("*");
    assert!(desk.state.filter.starts_with("id:00000000-"), "{}", desk.state.filter);
    assert!(desk.state.bulk.is_none());
}

#[test]
fn a_set_is_taken_back_within_the_grace_and_stopped_after_it() {
    for (key, change, said) in [
        ('u', Change::UndoBulk(BulkId::from_u128(77)), "✔ taken back: nothing was retried"),
        ('x', Change::StopBulk(BulkId::from_u128(77)), "stopped: 0 retried, 38 not touched"),
    ] {
        let mut desk = Desk::new(SIZE);
        assert_eq!(availability(&desk.state, Action::Undo), Availability::Hidden);
        desk.keys("6↓r⏎");
        let effects = desk.key(KeyCode::Char(key));
        assert_eq!(effects[0], Effect::Change(change));
        desk.serve();
        assert_eq!(desk.status(), said);
        assert!(desk.state.bulk.is_none());
    }
}

#[test]
fn a_set_that_hurts_begins_with_no_and_a_large_one_wants_its_number() {
    let mut desk = Desk::new(SIZE);
    desk.keys("6↓X");
    assert_eq!(form(&desk).at, 0, "the reason comes first");
    desk.keys("wrong client⏎");
    let effects = desk.key(KeyCode::Enter);
    assert!(!effects.iter().any(Effect::changes) && desk.state.prompt.is_none(), "Enter means no");

    let frozen = Box::new(planted::bulk(BulkAction::Cancel, 802));
    desk.send(Message::Reply(Reply::Frozen(Ok(frozen))));
    desk.keys("wrong client⏎799⏎→");
    assert_eq!(desk.key(KeyCode::Enter), []);
    assert_eq!(form(&desk).trouble, "that is not 800");
    desk.keys("⌫⌫⌫800⏎");
    let effects = desk.key(KeyCode::Enter);
    let body = RunBody { reason: "wrong client".into(), pace: Pace::Limit, count: Some(800) };
    assert_eq!(effects, [Effect::Change(Change::RunBulk { id: BulkId::from_u128(77), body })]);
}

#[test]
fn all_that_match_are_meant_only_with_a_filter() {
    let mut desk = Desk::new(SIZE);
    desk.keys("5*");
    assert!(desk.status().contains("every filing there is"), "{}", desk.status());
    desk.keys("/state:failed⏎*");
    assert!(desk.status().contains("all that match are meant: 30"), "{}", desk.status());
    let effects = desk.key(KeyCode::Char('h'));
    let body = BulkBody { action: BulkAction::Hold, q: Some("state:failed".into()), ids: Vec::new() };
    assert_eq!(effects[0], Effect::Freeze(body));
    desk.serve();
    desk.keys("⎋-");
    assert!(!desk.state.everything);
    // A range: from the last mark to here.
    desk.keys("g␣↓↓v");
    assert_eq!(desk.state.marks.len(), 4);
}

#[test]
fn a_filing_is_edited_and_linked_by_what_is_typed() {
    let mut desk = Desk::new(SIZE);
    desk.at_filing(18).keys("e");
    assert!(form(&desk).fields[0].hint.contains("spa.docx"));
    desk.keys("⇥⇥⇥EU!77⇥");
    desk.key(KeyCode::Right);
    desk.keys("⇥ Letters / 2026 ⇥custom1=X,custom2=⏎");
    desk.keys("wrong one");
    let effects = desk.key(KeyCode::Enter);
    let body = EditBody {
        reason: "wrong one".into(),
        service: None,
        library: None,
        workspace: Some(WorkspaceBody::Id("EU!77".into())),
        folder: Some(vec!["Letters".into(), "2026".into()]),
        create_folders: None,
        profile: [("custom1".into(), "X".into()), ("custom2".into(), String::new())].into(),
        file_name: None,
    };
    let id = FilingId::from_u128(18);
    assert_eq!(effects[0], Effect::Change(Change::Edit { id, version: 4, body: Box::new(body) }));
    desk.serve();

    desk.keys("e⇥⇥⇥⇥⇥⇥⇥nothing⏎");
    assert_eq!(form(&desk).trouble, "nothing is changed yet");
    desk.keys("⎋l");
    assert!(desk.state.prompt.is_none() && desk.status().contains("its outcome is not in doubt"));
    desk.at_filing(24).keys("lEU!4711⏎2⏎⏎⏎seen");
    let effects = desk.key(KeyCode::Enter);
    assert!(
        matches!(&effects[0], Effect::Change(Change::Link { body, .. }) if body.document == "EU!4711" && body.version.as_deref() == Some("2")),
        "{effects:?}"
    );
}

#[test]
fn an_arrival_is_assigned_from_its_suggestions_or_by_what_is_typed() {
    let mut desk = Desk::new(SIZE);
    desk.keys("7↓e");
    assert_eq!(form(&desk).fields[0].value(), postroom_api::WorkItemId::from_u128(1).to_string());
    let effects = desk.key(KeyCode::Enter);
    let (id, version) = (IntakeId::from_u128(8), 2);
    let of = |work_item: &str, also: &[&str]| AssignBody {
        work_item: work_item.into(),
        also: also.iter().map(|it| (*it).to_owned()).collect(),
        area: None,
        reason: String::new(),
    };
    let first = of("00000000-0000-0000-0000-000000000001", &[]);
    assert_eq!(effects[0], Effect::Change(Change::Assign { id, version, body: first }));
    desk.serve();
    desk.keys("⏎e⇥⇥M-7⏎M-8, M-9⏎⏎");
    let effects = desk.key(KeyCode::Enter);
    let typed = of("M-7", &["M-8", "M-9"]);
    assert_eq!(effects[0], Effect::Change(Change::Assign { id, version: 3, body: typed }));
    desk.serve();

    // What was set aside wants a reason, and says what it is.
    desk.keys("7H");
    assert!(form(&desk).text[0].0.contains("Eicar"), "{:?}", form(&desk).text);
    desk.keys("⎋Xspam");
    let effects = desk.key(KeyCode::Enter);
    let dismissed = Change::Dismiss { id: IntakeId::from_u128(9), version: 2, reason: "spam".into() };
    assert_eq!(effects[0], Effect::Change(dismissed));
}

#[test]
fn notes_are_written_and_things_are_taken_and_given_back() {
    let mut desk = Desk::new(SIZE);
    desk.at_filing(18).keys("nasked them");
    let id = FilingId::from_u128(18);
    assert_eq!(
        desk.key(KeyCode::Enter)[0],
        Effect::Change(Change::NoteFiling { id, text: "asked them".into() })
    );
    desk.serve();
    assert_eq!(desk.key(KeyCode::Char('a'))[0], Effect::Change(Change::TakeFiling { id, take: true }));
    desk.serve();
    let taken = FilingItem { taken_by: Some("ann".into()), version: 6, ..planted::failed(18) };
    desk.state.window.renew(taken);
    assert_eq!(desk.key(KeyCode::Char('a'))[0], Effect::Change(Change::TakeFiling { id, take: false }));
}

#[test]
fn everything_has_a_name_on_the_command_line() {
    let mut desk = Desk::new(SIZE);
    desk.keys(":fil");
    let names: Vec<&str> = offers(&desk.state, "fil").iter().map(|offer| offer.row.command).collect();
    assert_eq!(names[..2], ["filter", "filings"]);
    desk.keys("⇥state:failed");
    let effects = desk.key(KeyCode::Enter);
    assert!(matches!(&effects[0], Effect::Filings { filter, .. } if filter == "state:failed"), "{effects:?}");
    desk.serve();
    desk.keys(":filter stat:x⏎");
    assert!(desk.status().starts_with("✖ at 1:"), "{}", desk.status());
    desk.keys(":pause⏎");
    assert!(desk.status().contains("does not belong here"), "{}", desk.status());
    desk.keys(":nonsense⏎");
    assert!(desk.status().contains("there is no command"), "{}", desk.status());
    desk.at_filing(18).keys(":note asked the partner⏎");
    assert_eq!(form(&desk).value("Note"), "asked the partner");
    desk.keys("⎋:settings theme light⏎");
    assert_eq!(desk.state.config.theme, theme::Kind::Light);
    desk.keys(":views us failures⏎");
    assert_eq!(desk.state.filter, "state:failed dest:dms-us");
}

#[test]
fn views_are_saved_and_opened() {
    let mut desk = Desk::new(SIZE);
    desk.keys("3/for:me⏎");
    desk.key(KeyCode::F(4));
    desk.keys("mine");
    let body = ViewBody { screen: "scanning".into(), q: "for:me".into() };
    assert_eq!(desk.key(KeyCode::Enter)[0], Effect::Change(Change::SaveView { name: "mine".into(), body }));
    desk.serve();
    desk.key(KeyCode::F(3));
    desk.keys("b");
    assert_eq!((desk.state.place(), desk.state.arrivals.filter.as_str()), (Place::Scanning, "for:me"));
}

#[test]
fn the_mouse_chooses_opens_scrolls_and_presses_keys() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut desk = Desk::new((120, 40));
    let mouse = |desk: &mut Desk, kind, column, row| {
        let effects =
            desk.send(Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        desk.serve();
        effects
    };
    let left = MouseEventKind::Down(MouseButton::Left);
    desk.keys("5");
    mouse(&mut desk, left, 20, 7);
    assert_eq!(desk.state.window.row(), 4);
    mouse(&mut desk, MouseEventKind::ScrollDown, 20, 7);
    assert_eq!(desk.state.window.row(), 7);
    mouse(&mut desk, left, 20, 10);
    assert_eq!(desk.state.place(), Place::Filing, "a click on the chosen row opens it");
    mouse(&mut desk, left, 20, 4);
    assert_eq!(desk.state.looked.as_ref().unwrap().id.as_u128(), 29);
    desk.keys("1");
    mouse(&mut desk, left, 3, 39);
    assert!(matches!(&desk.state.over, Some(Over { body: Body::Help, .. })), "the key bar is pressed");
    desk.keys("⎋m");
    assert!(!desk.state.config.mouse);
}

#[test]
fn help_is_searched() {
    let mut desk = Desk::new(SIZE);
    desk.keys("5?/retry");
    let text = crate::view::over_text(&desk.state);
    assert!((2..5).contains(&text.len()), "{text:?}");
    assert!(text.iter().all(|line| line.contains("retry")), "{text:?}");
    desk.keys("⎋⎋");
    assert!(desk.state.over.is_none());
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
    assert!(form(&desk).text[0].0.contains("there twice"));
    desk.keys("looked");
    assert_eq!(decisions(&desk.key(KeyCode::Enter)), [(DecisionKind::Retry, 24, 1, "looked")]);
    desk.serve();

    desk.at_filing(21).keys("r");
    assert_eq!(desk.status(), "not now: it is a duplicate: D files it anyway");
    desk.keys("Dnew");
    assert_eq!(decisions(&desk.key(KeyCode::Enter)), [(DecisionKind::FileAnyway, 21, 1, "new")]);
}

#[test]
fn doors_are_paused_with_a_reason_and_resumed_without() {
    let mut desk = Desk::new(SIZE);
    let door = |name: &str, pause| {
        let (kind, shown) = (DoorKind::Source, name.into());
        Effect::Change(Change::Door { kind, name: name.into(), shown, pause })
    };
    desk.keys("pbroken⏎2x⏎");
    assert!(form(&desk).trouble.contains("no length of time"), "{}", form(&desk).trouble);
    desk.keys("⌫h");
    let until = Some(desk.state.server_now() + SignedDuration::from_hours(2));
    let pause = Some(PauseBody { reason: "broken".into(), until });
    assert_eq!(desk.key(KeyCode::Enter)[0], door("mail-litigation", pause));
    desk.serve();
    desk.keys("↓p");
    assert_eq!(desk.status(), "not now: it is paused already; P lets it go on");
    assert_eq!(desk.key(KeyCode::Char('P'))[0], door("scanner3", None));
    desk.serve();
    desk.keys("⇥P");
    assert_eq!(desk.status(), "not now: it is not paused");
}

#[test]
fn accounts_are_paused_where_they_are_listed() {
    let mut desk = Desk::new(SIZE);
    let door = |name: &str, shown: &str, pause| {
        let (kind, name, shown) = (DoorKind::Account, name.into(), shown.into());
        Effect::Change(Change::Door { kind, name, shown, pause })
    };
    desk.keys("8⇥↓↓↓p");
    assert_eq!(form(&desk).title, "Pause system account at dms-eu?");
    desk.keys("a rest⏎");
    let pause = Some(PauseBody { reason: "a rest".into(), until: None });
    assert_eq!(desk.key(KeyCode::Enter)[0], door("dms-eu/system", "system account at dms-eu", pause));
    desk.serve();
    desk.keys("P");
    assert_eq!(desk.status(), "not now: it is not paused");
    desk.keys("↑↑p");
    assert_eq!(desk.status(), "not now: it is paused already; P lets it go on");
    let name = format!("dms-eu/{}", postroom_api::PersonId::from_u128(4));
    assert_eq!(desk.key(KeyCode::Char('P'))[0], door(&name, "dora@firm.example at dms-eu", None));
}

#[test]
fn the_trail_goes_back_step_by_step_and_esc_never_leaves() {
    let mut desk = Desk::new((120, 40));
    desk.keys("⇥⇥⏎");
    assert_eq!(desk.state.trail, [Place::Home, Place::Filings]);
    assert_eq!(desk.state.filter, "cause:no_right dest:dms-eu -state:cancelled");
    desk.keys("↓↓⏎");
    assert_eq!(desk.state.trail, [Place::Home, Place::Filings, Place::Filing]);
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
        for place in ["1", "⇥", "⇥", "2", "3⏎", "4", "5", "5↓⏎", "6", "7", "7⏎", "8⇥", "9", "1⇥⇥⏎"]
        {
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
    let places = [
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
        ("5↓↓↓↓↓↓", SIZE),
        ("6↓r⏎", SIZE),
        ("5/state:failed⏎", SIZE),
        ("5/state:failed⏎*", SIZE),
        ("2↓", SIZE),
        ("3", (140, 40)),
        ("4↓", (140, 40)),
        ("7", SIZE),
        ("7↓⏎", SIZE),
        ("7↓↓↓↓⏎⇥", (140, 40)),
        ("8", SIZE),
        ("8⇥", SIZE),
        ("9↓", SIZE),
    ];
    for (place, size) in places {
        let mut desk = Desk::new(size);
        let state = &desk.keys(place).state;
        for row in TABLE {
            let there = TABLE.iter().filter(|other| other.keys.first() == row.keys.first());
            let there = there.filter(|other| availability(state, other.action) != Availability::Hidden);
            assert!(there.count() < 2, "{} means two things in {place}", row.name);
        }
        for row in TABLE {
            for key in row.keys {
                let mut desk = Desk::new(size);
                desk.keys(place);
                desk.state.status = None;
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
                    Availability::Hidden => {
                        // Another row of the same key may be there instead.
                        let others = TABLE.iter().filter(|other| other.keys.contains(key));
                        let hidden = |other: &&crate::keys::Binding| {
                            availability(&Desk::new(size).keys(place).state, other.action)
                                == Availability::Hidden
                        };
                        if others.filter(|other| other.action != row.action).all(|other| hidden(&other)) {
                            assert!(!changed && said.is_empty(), "{} in {place}", row.name);
                        }
                    }
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
    desk.serve();
    assert!(desk.status().contains("sent to the clipboard"), "{}", desk.status());
    assert!(desk.status().contains("also saved as"), "{}", desk.status());
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
    desk.serve();
    assert_eq!((desk.status(), desk.state.refresh.waiting), ("", 0));
    assert_eq!(desk.pass(Duration::from_secs(20)), [Effect::Summary]);
}
