use std::time::Duration;

use crossterm::event::KeyCode;
use postroom_api::Role;
use postroom_api::client::{ClientError, News};
use postroom_api::problem::{Code, Problem};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::app::tests::Desk;
use crate::app::{Message, Reply};
use crate::theme::Kind;

/// The screen as text.
fn picture(desk: &mut Desk, (width, height): (u16, u16)) -> String {
    desk.send(Message::Resize(width, height));
    desk.serve();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| super::draw(&desk.state, frame)).unwrap();
    terminal.backend().to_string()
}

const SIZES: [(u16, u16); 5] = [(80, 24), (120, 40), (60, 15), (20, 5), (1, 1)];

fn at_all_sizes(name: &str, keys: &str) {
    for size in SIZES {
        let mut desk = Desk::new((120, 40));
        desk.keys(keys);
        insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), picture(&mut desk, size));
    }
}

#[test]
fn home() {
    at_all_sizes("home", "");
}

#[test]
fn filings() {
    at_all_sizes("filings", "5↓␣␣");
}

#[test]
fn causes() {
    at_all_sizes("causes", "6↓");
}

#[test]
fn detail() {
    at_all_sizes("detail", "5⏎");
}

#[test]
fn help() {
    at_all_sizes("help", "5?");
}

#[test]
fn single_pictures() {
    let size = (80, 24);
    let show = |name: &str, keys: &str| {
        let mut desk = Desk::new(size);
        desk.keys(keys);
        insta::assert_snapshot!(name, picture(&mut desk, size));
    };
    show("home-destination", "⇥↓");
    show("home-cause", "⇥⇥↓");
    show("home-pause", "↓Ppscanner jammed");
    show("filter-mistake", "5/dest:dms-eu stat:failed age>2");
    show("filter-nothing-found", "5/nothing⏎");
    show("filings-absolute", "5t");
    show("detail-filed", "5↓↓↓↓↓↓↓↓⏎");
    show("detail-scrolled", "5⏎⇟");
    show("cancel-asks", "5X");
    show("copy-menu", "5y");
    show("frozen", "5f");
}

#[test]
fn trouble() {
    let size = (80, 24);
    let mut desk = Desk::cold(size);
    insta::assert_snapshot!("cold", {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        desk.send(Message::Tick);
        terminal.draw(|frame| super::draw(&desk.state, frame)).unwrap();
        terminal.backend().to_string()
    });

    let mut desk = Desk::new(size);
    desk.keys("5");
    let lost = ClientError::Unreachable("connection refused".into());
    desk.send(Message::Stream(News::Lost { error: lost.clone(), pause: Duration::from_secs(5) }));
    desk.asked.clear();
    desk.send(Message::Reply(Reply::Summary(Err(lost))));
    desk.now.since_start += Duration::from_secs(3);
    desk.key(KeyCode::Char('r'));
    desk.asked.clear();
    insta::assert_snapshot!("lost", picture(&mut desk, size));

    let mut desk = Desk::new(size);
    desk.asked.clear();
    desk.send(Message::Reply(Reply::Summary(Err(ClientError::Unauthorized))));
    insta::assert_snapshot!("unauthorized", picture(&mut desk, size));

    let mut desk = Desk::of(Role::User, size);
    desk.keys("5");
    insta::assert_snapshot!("read-only", picture(&mut desk, size));

    let mut desk = Desk::new(size);
    desk.keys("5⇟␣␣");
    desk.key(KeyCode::Char('r'));
    desk.asked.clear();
    let ids: Vec<_> = desk.state.batch.as_ref().unwrap().open.keys().copied().collect();
    for id in ids {
        let problem =
            Problem::new(Code::NotAllowedNow, "a filing that is \u{1b}[2Jrunning cannot be retried");
        desk.send(Message::Reply(Reply::Decided(id, Err(ClientError::Problem(Box::new(problem))))));
    }
    insta::assert_snapshot!("losers", picture(&mut desk, size));
}

/// Without any colour each state can still be told: the text alone, as snapshots have it, and modifiers only.
#[test]
fn mono_uses_no_colour() {
    let mut desk = Desk::new((120, 40));
    desk.state.theme = Kind::Mono;
    for keys in ["1", "5␣", "5⏎", "6", "5?", "5/x:"] {
        desk.keys(keys);
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
        terminal.draw(|frame| super::draw(&desk.state, frame)).unwrap();
        for cell in terminal.backend().buffer().content() {
            let plain = ratatui::style::Color::Reset;
            assert_eq!((cell.fg, cell.bg), (plain, plain), "{keys}: {}", cell.symbol());
        }
        desk.keys("⎋");
    }
}

/// Any size, in any place, with anything open: nothing panics and no control character reaches the terminal.
#[test]
fn a_resize_storm_is_survived() {
    let mut seed = 7_u64;
    let mut chance = move |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let keys = "1⇥⇥56⏎⎋↓↑⇟/x:\"é件⏎⎋?␣␣r⎋X⎋y⎋tfGgk";
    let keys: Vec<char> = keys.chars().collect();
    let mut desk = Desk::new((80, 24));
    for round in 0..1500 {
        let (width, height) = match chance(4) {
            0 => (chance(8), chance(8)),
            1 => (chance(70), chance(20)),
            _ => (60 + chance(200), 15 + chance(70)),
        };
        let (width, height) = (u16::try_from(width).unwrap(), u16::try_from(height).unwrap());
        desk.send(Message::Resize(width, height));
        let key = keys[usize::try_from(chance(keys.len() as u64)).unwrap()];
        desk.keys(&key.to_string());
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| super::draw(&desk.state, frame)).unwrap();
        for cell in terminal.backend().buffer().content() {
            assert!(!cell.symbol().chars().any(char::is_control), "round {round}");
        }
    }
}
