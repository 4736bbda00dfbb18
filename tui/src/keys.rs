//! The one table of keys: what they do, and the words for key bar and help. Letters and arrows alike; nothing needs `AltGr`,
//! nothing important sits on Ctrl or on function keys alone.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::action::Action;

/// One row of the table.
pub(crate) struct Binding {
    /// The keys.
    pub(crate) keys: &'static [KeyCode],
    /// What they do.
    pub(crate) action: Action,
    /// Their name on the screen.
    pub(crate) name: &'static str,
    /// A word or two for the key bar; empty when it is not in it.
    pub(crate) short: &'static str,
    /// For the help.
    pub(crate) help: &'static str,
}

const fn row(
    keys: &'static [KeyCode],
    name: &'static str,
    action: Action,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding { keys, action, name, short, help }
}

use KeyCode::{BackTab, Char, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab, Up};

/// All keys, in the order of the key bar. Ctrl-C is handled before the table.
#[rustfmt::skip]
pub(crate) const TABLE: &[Binding] = &[
    row(&[Enter, Right],      "Enter", Action::Open,         "open",      "open what is under the cursor"),
    row(&[Esc, Left],         "Esc",   Action::Back,         "back",      "one step back; never leaves the console"),
    row(&[Char('/')],         "/",     Action::Filter,       "filter",    "change the filter; it runs on the server over all filings"),
    row(&[Char(' ')],         "Space", Action::Mark,         "mark",      "mark or unmark, and go down"),
    row(&[Char('-')],         "-",     Action::ClearMarks,   "unmark",    "take all marks away"),
    row(&[Char('r')],         "r",     Action::Retry,        "retry",     "try again: what is under the cursor, or all marked"),
    row(&[Char('h')],         "h",     Action::Hold,         "hold",      "hold: take it out of automatic work"),
    row(&[Char('H')],         "H",     Action::Release,      "release",   "release what is held"),
    row(&[Char('X')],         "X",     Action::Cancel,       "cancel",    "cancel for good; asks for the reason"),
    row(&[Char('D')],         "D",     Action::FileAnyway,   "anyway",    "file a duplicate anyway; asks for the reason"),
    row(&[Char('p')],         "p",     Action::Pause,        "pause",     "pause the source or destination; asks for the reason"),
    row(&[Char('P')],         "P",     Action::Resume,       "resume",    "let the paused source or destination go on"),
    row(&[Char('y')],         "y",     Action::Copy,         "copy",      "copy id, link, cause or a report"),
    row(&[Tab],               "Tab",   Action::NextPane,     "next pane", "next pane"),
    row(&[BackTab],           "⇧Tab",  Action::PreviousPane, "",          "previous pane"),
    row(&[Char('1')],         "1",     Action::GoHome,       "home",      "home"),
    row(&[Char('5')],         "5",     Action::GoFilings,    "filings",   "all filings"),
    row(&[Char('6')],         "6",     Action::GoCauses,     "failed",    "failed, by cause"),
    row(&[Char('?'), F(1)],   "?",     Action::Help,         "help",      "this help"),
    row(&[Char('q')],         "q",     Action::Quit,         "quit",      "back; at the top level: leave"),
    row(&[Up, Char('k')],     "↑ k",   Action::Up,           "",          "up"),
    row(&[Down, Char('j')],   "↓ j",   Action::Down,         "",          "down"),
    row(&[PageUp],            "PgUp",  Action::PageUp,       "",          "a page up"),
    row(&[PageDown],          "PgDn",  Action::PageDown,     "",          "a page down"),
    row(&[Home, Char('g')],   "Home g",   Action::Top,          "",          "to the top"),
    row(&[End, Char('G')],    "End G",   Action::Bottom,       "",          "to the end of what is loaded; again loads more"),
    row(&[F(5)],              "F5",    Action::Refresh,      "",          "fetch everything on the screen again"),
    row(&[Char('f')],         "f",     Action::Freeze,       "",          "freeze the screen, or follow again"),
    row(&[Char('t')],         "t",     Action::Times,        "",          "times as ages or as clock times"),
];

/// The action of a key.
pub(crate) fn action(key: KeyEvent) -> Option<Action> {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER) {
        let leave = key.modifiers == KeyModifiers::CONTROL && key.code == Char('c');
        return leave.then_some(Action::Leave);
    }
    TABLE.iter().find(|row| row.keys.contains(&key.code)).map(|row| row.action)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_and_every_row_has_words() {
        let mut seen = HashSet::new();
        for row in TABLE {
            assert!(!row.help.is_empty() && !row.name.is_empty());
            for key in row.keys {
                assert!(seen.insert(*key), "{key} twice");
                assert_eq!(action(KeyEvent::new(*key, KeyModifiers::NONE)), Some(row.action));
                assert_eq!(action(KeyEvent::new(*key, KeyModifiers::ALT)), None);
            }
        }
        assert_eq!(action(KeyEvent::new(Char('c'), KeyModifiers::CONTROL)), Some(Action::Leave));
        assert_eq!(action(KeyEvent::new(Char('c'), KeyModifiers::NONE)), None);
    }
}
