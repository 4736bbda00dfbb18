//! The console line by line: for screen readers, and for whoever has no screen. The same state and the same commands; what is on the
//! screen is told as lines instead of drawn.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};

use crate::app::{Body, Effect, Entry, Form, Message, Moment, Prompt, Reply, State, update};
use crate::keys::TABLE;
use crate::text::{clean, clip};
use crate::view;

/// How long an answer is waited for before what there is is told.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many rows of a list are told at once.
const ROWS: usize = 20;

/// Runs until the input ends or the person leaves.
pub(crate) async fn run(
    state: &mut State,
    messages: &mut Receiver<Message>,
    now: impl Fn() -> Moment,
    perform: impl Fn(Effect) -> Option<Reply>,
) -> anyhow::Result<()> {
    let mut desk = Desk { state, messages, now, perform, ended: false };
    let mut lines = input();
    desk.send(Message::Tick);
    desk.settle().await;
    desk.tell()?;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => desk.line(line.trim()),
                None => return Ok(()),
            },
            Some(message) = desk.messages.recv() => {
                desk.send(message);
                continue;
            }
        }
        if desk.ended {
            return Ok(());
        }
        desk.settle().await;
        desk.tell()?;
    }
}

/// The lines of the input, read by a thread of its own: reading waits, and nothing else shall.
fn input() -> Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

struct Desk<'a, N, P> {
    state: &'a mut State,
    messages: &'a mut Receiver<Message>,
    now: N,
    perform: P,
    ended: bool,
}

impl<N: Fn() -> Moment, P: Fn(Effect) -> Option<Reply>> Desk<'_, N, P> {
    fn send(&mut self, message: Message) {
        let mut waiting = vec![message];
        while let Some(message) = waiting.pop() {
            for effect in update(self.state, message, (self.now)()) {
                if effect == Effect::Quit {
                    self.ended = true;
                } else {
                    waiting.extend((self.perform)(effect).map(Message::Reply));
                }
            }
        }
    }

    /// Until everything that was asked is answered, or the patience is over.
    async fn settle(&mut self) {
        let end = (self.now)().since_start + PATIENCE;
        while self.state.refresh.waiting > 0 || self.state.changing.is_some() {
            let left = end.saturating_sub((self.now)().since_start);
            match tokio::time::timeout(left, self.messages.recv()).await {
                Ok(Some(message)) => self.send(message),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// A line of the input: an answer to the open question, else a command. An empty one looks again.
    fn line(&mut self, line: &str) {
        self.state.status = None;
        if self.state.over.take().is_some() && line.is_empty() {
            return;
        }
        if let Some(Prompt::Form(mut form)) = self.state.prompt.take() {
            if let Some(effects) = fill(self.state, &mut form, line) {
                for effect in effects {
                    if let Some(reply) = (self.perform)(effect) {
                        self.send(Message::Reply(reply));
                    }
                }
            } else {
                self.state.prompt = Some(Prompt::Form(form));
            }
            return;
        }
        let message = if line.is_empty() { "refresh".to_owned() } else { line.to_owned() };
        if message == "quit" {
            self.ended = true;
            return;
        }
        if message == "help" {
            self.state.say(crate::theme::Tone::Plain, commands());
            return;
        }
        self.send(Message::Command(message));
    }

    /// Tells what is on the screen.
    fn tell(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        for line in lines(self.state) {
            writeln!(out, "{}", line.trim_end())?;
        }
        write!(out, "> ")?;
        out.flush()
    }
}

fn commands() -> String {
    let names: Vec<String> = TABLE.iter().map(|row| format!("  {:<16} {}", row.command, row.help)).collect();
    format!("commands:\n{}", names.join("\n"))
}

/// An answer to the field of a form under the cursor: `no` takes it back, `yes` or an empty line goes on. Some once it is over.
fn fill(state: &mut State, form: &mut Form, line: &str) -> Option<Vec<Effect>> {
    if matches!(line, "no" | "esc") {
        state.say(crate::theme::Tone::Plain, "left as it is");
        return Some(Vec::new());
    }
    let fields = form.fields.len();
    if let Some(field) = form.fields.get_mut(form.at) {
        match &mut field.entry {
            Entry::Text(input) if !line.is_empty() => *input = tui_input::Input::new(clean(line)),
            Entry::Choice(options, at) if !line.is_empty() => {
                let found = options.iter().position(|(shown, value)| shown == line || value == line);
                let number = line.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
                match found.or(number).filter(|row| *row < options.len()) {
                    Some(row) => *at = row,
                    None => {
                        form.trouble = format!("there is no \"{}\"", clip(line, 40));
                        return None;
                    }
                }
            }
            Entry::Text(_) | Entry::Choice(..) => {}
        }
        if field.needed && field.value().is_empty() {
            form.trouble = format!("{} is needed; \"no\" leaves everything as it is", field.label);
            return None;
        }
        form.trouble.clear();
        form.at += 1;
        if form.at < fields || form.buttons.is_some() {
            return None;
        }
    } else if line != "yes" {
        "answer yes or no".clone_into(&mut form.trouble);
        return None;
    }
    crate::app::submit(state, form).ok()
}

/// What is on the screen, as lines.
pub(crate) fn lines(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(over) = &state.over {
        lines.push(over.title.clone());
        if matches!(over.body, Body::Help) {
            lines.push(commands());
        } else {
            lines.extend(view::over_text(state));
        }
    } else {
        lines.push(view::header_text(state));
        lines.extend(view::body_text(state, ROWS));
    }
    match &state.prompt {
        Some(Prompt::Form(form)) => lines.extend(question(form)),
        Some(Prompt::Menu(menu)) => {
            lines.extend(
                menu.choices.iter().map(|choice| format!("{}: {}", choice.what, clean(&choice.sample))),
            );
        }
        _ => {}
    }
    if let Some(banner) = view::banner_text(state) {
        lines.push(banner);
    }
    if let Some(text) = view::status_text(state) {
        // Help has several lines; all else is one.
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

fn question(form: &Form) -> Vec<String> {
    let mut lines = vec![form.title.clone()];
    lines.extend(form.text.iter().map(|(text, _)| clean(text)));
    match form.fields.get(form.at) {
        Some(field) => {
            let hint = match &field.entry {
                Entry::Text(_) if field.hint.is_empty() => String::new(),
                Entry::Text(_) => format!(" ({})", field.hint),
                Entry::Choice(options, at) => {
                    let options: Vec<String> = options
                        .iter()
                        .enumerate()
                        .map(|(row, (shown, _))| {
                            format!("{}{} {shown}", if row == *at { "*" } else { "" }, row + 1)
                        })
                        .collect();
                    format!(" ({})", options.join(", "))
                }
            };
            lines.push(format!("{}{hint}? \"no\" leaves everything as it is.", field.label));
        }
        None => lines.push(match &form.buttons {
            Some(buttons) => format!("{}? yes or no", buttons.yes.trim_start_matches("Yes, ")),
            None => String::new(),
        }),
    }
    if !form.trouble.is_empty() {
        lines.push(form.trouble.clone());
    }
    lines
}
