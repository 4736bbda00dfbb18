//! The terminal: taken over at the start, given back at every end (leaving, an error, a panic, a signal).

use std::io::{self, Stdout, Write};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// Whether the terminal is ours at the moment: it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The screen. Dropped, it gives the terminal back.
pub(crate) struct Screen {
    /// What is drawn on.
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal over.
    pub(crate) fn take() -> io::Result<Self> {
        let before = std::panic::take_hook();
        let here = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == here {
                give_back();
                before(info);
            } else {
                // A call ends, the console goes on: its screen must not be written over.
                tracing::error!("a task panicked: {info}");
            }
        }));
        enter()?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))? })
    }

    /// Takes it over again.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        enter()?;
        // A new one draws everything. Its `clear` would ask the terminal where the cursor is, and the answer would go to
        // whoever reads the keys.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, SetTitle("Postroom"))
}

/// Takes the mouse, or leaves it to the terminal.
pub(crate) fn mouse(taken: bool) -> io::Result<()> {
    if taken {
        execute!(io::stdout(), EnableMouseCapture)
    } else {
        execute!(io::stdout(), DisableMouseCapture)
    }
}

/// Gives the terminal back, if it is ours. What fails here cannot be told to anybody.
pub(crate) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
    }
}

/// Puts a text on the clipboard of the terminal, also of one that sits behind tmux.
pub(crate) fn copy(text: &str, in_tmux: bool) -> io::Result<()> {
    let mut sequence = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence).map_err(io::Error::other)?;
    let mut out = io::stdout();
    out.write_all(sequence.as_bytes())?;
    if in_tmux {
        // Handed through: tmux takes one of the two, depending on its settings.
        let inner = sequence.replace('\u{1b}', "\u{1b}\u{1b}");
        write!(out, "\u{1b}Ptmux;{inner}\u{1b}\\")?;
    }
    out.flush()
}

/// Programs of the machine that put text on its clipboard, with what tells that they have one to put it on.
const TOOLS: [(&str, &[&str], &str); 3] = [
    ("wl-copy", &[], "WAYLAND_DISPLAY"),
    ("xclip", &["-selection", "clipboard"], "DISPLAY"),
    ("pbcopy", &[], "TERM_PROGRAM"),
];

/// Hands a text to a program of this machine besides, where there is a screen here: over SSH there is none. Answers its name.
pub(crate) fn copy_by_tool(text: &str) -> Option<&'static str> {
    let here = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if here("SSH_CONNECTION") {
        return None;
    }
    let (program, arguments, _) = TOOLS.iter().find(|(.., screen)| here(screen))?;
    let mut child = Process::new(program)
        .args(*arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    input.write_all(text.as_bytes()).ok()?;
    drop(input);
    child.wait().ok()?.success().then_some(*program)
}
