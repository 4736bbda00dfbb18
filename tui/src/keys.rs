//! The one table of what the console can do: keys, names for the command line, words for key bar and help. Letters and arrows alike;
//! nothing needs `AltGr`, nothing important sits on Ctrl or on function keys alone.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::action::Action;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    /// The keys, unless the person's settings name others.
    pub(crate) keys: &'static [KeyCode],
    /// What they do.
    pub(crate) action: Action,
    /// The name of the first keys on the screen.
    pub(crate) name: &'static str,
    /// Its name on the command line of the console.
    pub(crate) command: &'static str,
    /// A word or two for the key bar; empty when it is not in it.
    pub(crate) short: &'static str,
    /// For the help.
    pub(crate) help: &'static str,
    /// The subcommand of `postroom` that does the same; empty for what only a screen needs.
    pub(crate) cli: &'static str,
}

const fn row(
    keys: &'static [KeyCode],
    name: &'static str,
    action: Action,
    command: &'static str,
    short: &'static str,
    help: &'static str,
    cli: &'static str,
) -> Binding {
    Binding { keys, action, name, command, short, help, cli }
}

use KeyCode::{BackTab, Char, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab, Up};

/// Everything, in the order of the key bar. Ctrl-C is handled before the table. A key may stand in several rows of which at most one is
/// there in any place.
#[rustfmt::skip]
pub(crate) const TABLE: &[Binding] = &[
    row(&[Enter, Right],      "Enter", Action::Open,         "open",        "open",      "open what is under the cursor", "filings show"),
    row(&[Esc, Left],         "Esc",   Action::Back,         "back",        "back",      "one step back; never leaves the console", ""),
    row(&[Char('u')],         "u",     Action::Undo,         "undo",        "UNDO",      "take back the set that is about to run", "bulk undo"),
    row(&[Char('x')],         "x",     Action::Stop,         "stop",        "STOP",      "stop the set that runs: what is not done stays as it is", "bulk stop"),
    row(&[Char('/')],         "/",     Action::Filter,       "filter",      "filter",    "change the filter; it runs on the server over everything", "filings list"),
    row(&[Char(' ')],         "Space", Action::Mark,         "mark",        "mark",      "mark or unmark, and go down", ""),
    row(&[Char('v')],         "v",     Action::MarkRange,    "mark-range",  "",          "mark everything from the last mark to here", ""),
    row(&[Char('*')],         "*",     Action::MarkAll,      "mark-all",    "all",       "mark all that match the filter", ""),
    row(&[Char('-')],         "-",     Action::ClearMarks,   "unmark",      "unmark",    "take all marks away", ""),
    row(&[Char('r')],         "r",     Action::Retry,        "retry",       "retry",     "try again: what is under the cursor, all marked, or the whole group", "filings retry"),
    row(&[Char('R')],         "R",     Action::RetryNow,     "retry-now",   "",          "try again at once; asks how fast when there are several", "filings retry"),
    row(&[Char('e')],         "e",     Action::Edit,         "edit",        "edit",      "another target or name, and try again", "filings edit"),
    row(&[Char('e')],         "e",     Action::Assign,       "assign",      "assign",    "give the arrival a work item", "intakes assign"),
    row(&[Char('h')],         "h",     Action::Hold,         "hold",        "hold",      "hold: take it out of automatic work", "filings hold"),
    row(&[Char('H')],         "H",     Action::Release,      "release",     "release",   "release what is held", "filings release"),
    row(&[Char('H')],         "H",     Action::ReleaseArrival, "release-arrival", "release", "let the arrival out of quarantine; asks for the reason", "intakes release"),
    row(&[Char('l')],         "l",     Action::Link,         "link",        "link",      "link to the document that is in the DMS already; asks for the reason", "filings link"),
    row(&[Char('D')],         "D",     Action::FileAnyway,   "file-anyway", "anyway",    "file a duplicate anyway; asks for the reason", "filings file-anyway"),
    row(&[Char('X')],         "X",     Action::Cancel,       "cancel",      "cancel",    "cancel for good; asks for the reason", "filings cancel"),
    row(&[Char('X')],         "X",     Action::Dismiss,      "dismiss",     "dismiss",   "close the arrival without filing it; asks for the reason", "intakes dismiss"),
    row(&[Char('a')],         "a",     Action::Take,         "take",        "take",      "take it to work on, or give it back", "filings take"),
    row(&[Char('n')],         "n",     Action::Note,         "note",        "note",      "write a note for colleagues", "filings note"),
    row(&[Char('p')],         "p",     Action::Pause,        "pause",       "pause",     "pause the source, destination or account; asks for the reason and for how long", "doors pause"),
    row(&[Char('P')],         "P",     Action::Resume,       "resume",      "resume",    "let the paused source, destination or account go on", "doors resume"),
    row(&[Char('T')],         "T",     Action::Trace,        "trace",       "trace",     "why this matter: each rule that was tried, and its answer", "intakes show"),
    row(&[Char('i')],         "i",     Action::Preview,      "preview",     "inside",    "what is in the document, as text", "intakes preview"),
    row(&[Char('o')],         "o",     Action::Original,     "original",    "save",      "save a copy of the untouched original", "intakes original"),
    row(&[Char('y')],         "y",     Action::Copy,         "copy",        "copy",      "copy id, link, cause or a report", ""),
    row(&[Char('E')],         "E",     Action::Export,       "export",      "export",    "save all that match the filter as CSV or JSON", "filings export"),
    row(&[Tab],               "Tab",   Action::NextPane,     "next-pane",   "next pane", "next pane", ""),
    row(&[BackTab],           "⇧Tab",  Action::PreviousPane, "previous-pane", "",        "previous pane", ""),
    row(&[Char('1')],         "1",     Action::GoHome,       "home",        "home",      "home: is anything stuck?", ""),
    row(&[Char('2')],         "2",     Action::GoMail,       "mail",        "",          "letters that came in", "intakes list"),
    row(&[Char('3')],         "3",     Action::GoScanning,   "scanning",    "",          "scans that came in", "intakes list"),
    row(&[Char('4')],         "4",     Action::GoUploads,    "uploads",     "",          "uploads, and tables of data", "intakes list"),
    row(&[Char('5')],         "5",     Action::GoFilings,    "filings",     "filings",   "all filings", "filings list"),
    row(&[Char('6')],         "6",     Action::GoCauses,     "causes",      "failed",    "failed, by cause", "filings causes"),
    row(&[Char('7')],         "7",     Action::GoPersons,    "persons",     "decide",    "arrivals that need a person", "intakes list"),
    row(&[Char('8')],         "8",     Action::GoDoors,      "destinations", "",         "destinations, accounts, and how long what waits has waited", "doors list"),
    row(&[Char('9')],         "9",     Action::GoEvents,     "events",      "",          "what happens, as it happens", "filings watch"),
    row(&[Char('?'), F(1)],   "?",     Action::Help,         "help",        "help",      "this help; / searches in it", ""),
    row(&[Char(':'), F(2)],   ":",     Action::Palette,      "command",     "",          "everything by its name", ""),
    row(&[F(3), Char('V')],   "F3 V",  Action::Views,        "views",       "",          "saved views", "views list"),
    row(&[F(4)],              "F4",    Action::SaveView,     "save-view",   "",          "save this screen and filter under a name", "views save"),
    row(&[Char('q')],         "q",     Action::Quit,         "quit",        "quit",      "back; at the top level: leave", ""),
    row(&[Up, Char('k')],     "↑ k",   Action::Up,           "up",          "",          "up", ""),
    row(&[Down, Char('j')],   "↓ j",   Action::Down,         "down",        "",          "down", ""),
    row(&[PageUp],            "PgUp",  Action::PageUp,       "page-up",     "",          "a page up", ""),
    row(&[PageDown],          "PgDn",  Action::PageDown,     "page-down",   "",          "a page down", ""),
    row(&[Home, Char('g')],   "Home g", Action::Top,         "top",         "",          "to the top", ""),
    row(&[End, Char('G')],    "End G", Action::Bottom,       "bottom",      "",          "to the end of what is loaded; again loads more", ""),
    row(&[F(5)],              "F5",    Action::Refresh,      "refresh",     "",          "fetch everything on the screen again", ""),
    row(&[Char('f')],         "f",     Action::Freeze,       "freeze",      "",          "freeze the screen, or follow again", ""),
    row(&[Char('s')],         "s",     Action::Sort,         "sort",        "",          "sort the groups by count, age or destination", ""),
    row(&[Char('t')],         "t",     Action::Times,        "times",       "",          "times as ages or as clock times", ""),
    row(&[Char('w')],         "w",     Action::Wide,         "wide",        "",          "other columns: source, reference and tries instead of the reason", ""),
    row(&[Char('m')],         "m",     Action::Mouse,        "mouse",       "",          "mouse on or off; off leaves it to the terminal", ""),
    row(&[F(10)],             "F10",   Action::Settings,     "settings",    "",          "colours, times, columns, mouse; kept for the next time", ""),
];

/// The row of an action.
#[cfg(test)]
pub(crate) fn binding(action: Action) -> Option<&'static Binding> {
    TABLE.iter().find(|row| row.action == action)
}

/// The keys of a person: those of the table, unless their settings name others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyMap {
    own: BTreeMap<&'static str, Vec<KeyCode>>,
}

impl KeyMap {
    /// With other keys for some commands. An error names what is wrong with them.
    pub(crate) fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let mut map = Self::default();
        for (command, keys) in own {
            let row = TABLE
                .iter()
                .find(|row| row.command == command)
                .ok_or_else(|| format!("[keys]: there is no command \"{command}\"; :help lists them"))?;
            let keys = keys.iter().map(|key| read(key)).collect::<Result<Vec<_>, _>>()?;
            if keys.is_empty() {
                return Err(format!("[keys] {command}: no key is named"));
            }
            map.own.insert(row.command, keys);
        }
        Ok(map)
    }

    fn keys<'a>(&'a self, row: &'a Binding) -> &'a [KeyCode] {
        self.own.get(row.command).map_or(row.keys, Vec::as_slice)
    }

    /// How the keys of a row are called on the screen.
    pub(crate) fn name(&self, row: &Binding) -> String {
        match self.own.get(row.command).and_then(|keys| keys.first()) {
            Some(key) => written(*key),
            None => row.name.to_owned(),
        }
    }

    /// The actions of a key; at most one of them is there in any place.
    pub(crate) fn actions(&self, key: KeyEvent) -> Vec<Action> {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER) {
            let leave = key.modifiers == KeyModifiers::CONTROL && key.code == Char('c');
            return if leave { vec![Action::Leave] } else { Vec::new() };
        }
        TABLE.iter().filter(|row| self.keys(row).contains(&key.code)).map(|row| row.action).collect()
    }
}

/// Prints the table, one JSON object a line: what tests and documentation are made from.
pub(crate) fn print_table() -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    for row in TABLE {
        let line = serde_json::json!({
            "command": row.command, "keys": row.name, "help": row.help, "cli": row.cli,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// A key as settings write it: a character, `F5`, `Enter`, `Space`, `Up`, …
fn read(text: &str) -> Result<KeyCode, String> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Ok(Char(c));
    }
    let number = text.strip_prefix(['F', 'f']).and_then(|number| number.parse().ok());
    if let Some(number) = number.filter(|number| (1..=12).contains(number)) {
        return Ok(F(number));
    }
    NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, key)| *key).ok_or_else(|| {
        format!("[keys]: \"{text}\" is no key; a character, F1 to F12, or one of: {}", names())
    })
}

const NAMED: [(&str, KeyCode); 13] = [
    ("Enter", Enter),
    ("Esc", Esc),
    ("Space", Char(' ')),
    ("Tab", Tab),
    ("BackTab", BackTab),
    ("Up", Up),
    ("Down", Down),
    ("Left", Left),
    ("Right", Right),
    ("Home", Home),
    ("End", End),
    ("PageUp", PageUp),
    ("PageDown", PageDown),
];

fn names() -> String {
    NAMED.map(|(name, _)| name).join(", ")
}

fn written(key: KeyCode) -> String {
    match (NAMED.iter().find(|(_, named)| *named == key), key) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, Char(c)) => c.to_string(),
        (None, F(number)) => format!("F{number}"),
        (None, other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn press(map: &KeyMap, code: KeyCode) -> Vec<Action> {
        map.actions(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn every_row_has_words_and_a_command_of_its_own() {
        let (mut commands, mut actions) = (HashSet::new(), HashSet::new());
        for row in TABLE {
            assert!(!row.help.is_empty() && !row.name.is_empty());
            assert!(commands.insert(row.command), "{} twice", row.command);
            assert!(actions.insert(row.action), "{:?} twice", row.action);
            for key in row.keys {
                let map = KeyMap::default();
                assert!(press(&map, *key).contains(&row.action));
                assert_eq!(map.actions(KeyEvent::new(*key, KeyModifiers::ALT)), []);
            }
        }
        let leave = KeyEvent::new(Char('c'), KeyModifiers::CONTROL);
        assert_eq!(KeyMap::default().actions(leave), [Action::Leave]);
    }

    #[test]
    fn keys_can_be_named_by_the_person() {
        let own = |command: &str, keys: &[&str]| {
            KeyMap::new(&[(command.to_owned(), keys.iter().map(|it| (*it).to_owned()).collect())].into())
        };
        let map = own("retry", &["F6", "z"]).unwrap();
        assert_eq!(press(&map, F(6)), [Action::Retry]);
        assert_eq!(press(&map, Char('z')), [Action::Retry]);
        assert_eq!(press(&map, Char('r')), []);
        assert_eq!(map.name(binding(Action::Retry).unwrap()), "F6");
        for (command, keys, says) in [
            ("retri", &["z"][..], "there is no command \"retri\""),
            ("retry", &["F13"], "\"F13\" is no key"),
            ("retry", &["Hyper"], "\"Hyper\" is no key"),
            ("retry", &[], "no key is named"),
        ] {
            let error = own(command, keys).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
