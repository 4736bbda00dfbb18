//! The console in a terminal of a given size, through tmux.

use std::process::Command;
use std::time::Duration;

use crate::kernel::require;
use crate::wait;

/// A tmux server of its own with one window.
pub struct Console {
    socket: String,
}

impl Console {
    /// Starts a command line in a terminal of that size.
    pub fn start(command: &str, columns: u16, rows: u16) -> Self {
        require("tmux");
        let socket = format!("postroom-test-{}-{}", std::process::id(), command.len());
        let console = Self { socket };
        console.tmux(&[
            "-f",
            "/dev/null",
            // What programs put on the clipboard is kept, and the keyboard's Esc is not held back.
            "start-server",
            ";",
            "set-option",
            "-g",
            "set-clipboard",
            "on",
            ";",
            "set-option",
            "-sg",
            "escape-time",
            "0",
            ";",
            "new-session",
            "-d",
            "-s",
            "console",
            "-x",
            &columns.to_string(),
            "-y",
            &rows.to_string(),
            command,
        ]);
        console
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .output()
            .expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Presses keys, by tmux's names (`r`, `Enter`, `Escape`).
    pub fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", "console"], keys].concat());
    }

    /// Types a text.
    pub fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-t", "console", "-l", text]);
    }

    /// Gives the window another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-t", "console", "-x", &columns, "-y", &rows]);
    }

    /// What tmux knows of the terminal, by its own names: `#{alternate_on}`.
    pub fn knows(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", "-t", "console", format]).trim_end().to_owned()
    }

    /// What was copied last, as tmux kept it.
    pub fn clipboard(&self) -> String {
        self.tmux(&["show-buffer"])
    }

    /// What the screen shows.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "console"])
    }

    /// Waits until the screen holds a text.
    pub async fn shows(&self, text: &str) -> String {
        self.until(&format!("shows {text:?}"), |screen| screen.contains(text)).await
    }

    /// Waits until the screen is as wanted.
    pub async fn until(&self, what: &str, good: impl Fn(&str) -> bool) -> String {
        let begin = std::time::Instant::now();
        loop {
            let screen = self.screen();
            if good(&screen) {
                return screen;
            }
            assert!(begin.elapsed() < wait::PATIENCE, "the console never {what}:\n{screen}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
