use std::time::Duration;

use crossterm::event::KeyCode;
use postroom_api::Role;
use postroom_api::client::{ClientError, News};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

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

const SIZES: [(u16, u16); 7] = [(80, 24), (120, 40), (60, 15), (40, 10), (20, 5), (1, 1), (250, 80)];

/// Every screen and what opens from it, by the keys that lead there.
const SCREENS: [(&str, &str); 17] = [
    ("home", ""),
    ("mail", "2↓"),
    ("scanning", "3↓↓"),
    ("uploads", "4"),
    ("filings", "5↓␣␣"),
    ("causes", "6↓"),
    ("persons", "7↓"),
    ("doors", "8⇥↓"),
    ("events", "9↓"),
    ("detail", "5⏎"),
    ("arrival", "7↓⏎"),
    ("help", "5?"),
    ("bulk", "6↓r"),
    ("bulk-cancel", "6↓X"),
    ("edit", "5↓e"),
    ("assign", "7↓e"),
    ("palette", "5:re"),
];

#[test]
fn every_screen_at_every_size() {
    for (name, keys) in SCREENS {
        for size in SIZES {
            let mut desk = Desk::new((120, 40));
            desk.keys(keys);
            insta::assert_snapshot!(format!("{name}-{}x{}", size.0, size.1), picture(&mut desk, size));
        }
    }
}

/// The words are the same in all colours; what cannot show a colour is given none.
#[test]
fn every_screen_in_every_theme() {
    for (name, keys) in SCREENS {
        let mut texts = Vec::new();
        for theme in Kind::ALL {
            let mut desk = Desk::new((120, 40));
            desk.keys(keys);
            desk.state.config.theme = theme;
            texts.push(picture(&mut desk, (120, 40)));
            let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
            terminal.draw(|frame| super::draw(&desk.state, frame)).unwrap();
            for cell in terminal.backend().buffer().content() {
                for colour in [cell.fg, cell.bg] {
                    let fits = match (theme, colour) {
                        (Kind::Rich, _) | (_, Color::Reset) => true,
                        (Kind::Mono, _) => false,
                        (_, colour) => !matches!(colour, Color::Rgb(..) | Color::Indexed(_)),
                    };
                    assert!(fits, "{name} in {theme:?}: {colour:?} for {}", cell.symbol());
                }
            }
        }
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{name} differs in words");
    }
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
    show("filings-wide", "5w");
    show("about-to-run", "6↓r⏎");
    show("trace", "5T");
    show("inside", "7↓i");
    show("settings", "5:settings⏎");
    show("views", "5V");
    show("help-search", "5?/retry");
    show("everything", "5/state:failed⏎*");
    show("causes-by-age", "6s");
    show("pause", "↓↓p");
    show("account-pause", "8⇥↓↓↓p");
    show("arrival-scrolled", "7↓⏎⇟");
    show("mail-mistake", "2/state:open");
    show("nobody", "7/nothing⏎");
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
    desk.keys("6↓r⏎");
    desk.send(Message::Reply(Reply::Losers(Ok((crate::planted::losers(), true)))));
    insta::assert_snapshot!("losers", picture(&mut desk, size));
}

/// Any size, in any place, with anything open: nothing panics and no control character reaches the terminal.
#[test]
fn a_resize_storm_is_survived() {
    let mut seed = 7_u64;
    let mut chance = move |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let keys = "1⇥⇥5678923⏎⎋↓↑⇟/x:\"é件⏎⎋?␣␣r⎋X⎋y⎋tfGgkewvnli*-RTVsmu:";
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
