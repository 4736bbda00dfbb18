//! The loop: a message, the state, a picture.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use jiff::tz::TimeZone;
use postroom_api::client::Client;
use tokio::sync::mpsc;

use crate::app::{Effect, Message, Moment, Reply, State, update};
use crate::config::Config;
use crate::keys::KeyMap;
use crate::net::Net;
use crate::settings::Settings;
use crate::signals::{self, Signal, Signals};
use crate::terminal::{self, Screen};
use crate::watch::Turns;
use crate::{keys, plain, save, view};

/// Runs the console until the person leaves. The terminal is given back in every case.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    if settings.list_actions {
        return keys::print_table();
    }
    let client = Client::new(&settings.server, &settings.token()?)?;
    if let Some(path) = &settings.log_file {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("the log file {} cannot be written", path.display()))?;
        tracing_subscriber::fmt().with_ansi(false).with_writer(std::sync::Mutex::new(file)).init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    let ended = runtime.block_on(console(settings, client));
    // A call that is still waiting must not hold up leaving.
    runtime.shutdown_background();
    ended
}

/// What stands between the state and the world: the terminal's side of effects.
struct Hands {
    net: Net,
    in_tmux: bool,
    config: Option<PathBuf>,
    save_to: PathBuf,
}

impl Hands {
    /// Performs an effect. Answers what came of it at once; none when an answer comes later, or none at all.
    fn perform(&self, effect: Effect) -> Option<Reply> {
        match effect {
            Effect::Copy(text) => Some(Reply::Copied(self.copy(&text))),
            Effect::Keep(config) => {
                let kept = self.config.as_ref().map_or(Ok(()), |path| config.write(path));
                Some(Reply::Kept(kept.map_err(|error| format!("they cannot be kept: {error}"))))
            }
            Effect::Mouse(taken) => {
                // A terminal that cannot be written to is told of by the next picture.
                let _ = terminal::mouse(taken);
                None
            }
            effect => {
                self.net.start(effect);
                None
            }
        }
    }

    /// On the clipboard by every way there is, and into a file. Answers in words where it went besides.
    fn copy(&self, text: &str) -> Result<String, String> {
        let clipboard = terminal::copy(text, self.in_tmux).map_err(|error| error.to_string());
        let tool = terminal::copy_by_tool(text).map(|name| format!(", by {name}")).unwrap_or_default();
        let name = save::Name { stem: "copied".to_owned(), told: "copied.txt".to_owned() };
        let saved = (|| {
            let mut file = save::File::create(&self.save_to.join("postroom-copied"), &name)?;
            file.write(text.as_bytes())?;
            file.finish()
        })();
        match (clipboard, saved) {
            (Ok(()), Ok(path)) => Ok(format!("{tool}, also saved as {path}")),
            (Ok(()), Err(_)) => Ok(format!("{tool}; some terminals must allow that")),
            (Err(error), Ok(path)) => Err(format!("{error}; but saved as {path}")),
            (Err(error), Err(_)) => Err(error),
        }
    }
}

async fn console(settings: &Settings, client: Client) -> anyhow::Result<()> {
    let started = Instant::now();
    let now = || Moment { at: time_of_day(), since_start: started.elapsed() };
    let config = settings.config()?;
    let keys = KeyMap::new(&config.keys).map_err(anyhow::Error::msg)?;
    let server = client.server().to_owned();
    let (sender, mut messages) = mpsc::channel(64);
    let hands = Hands {
        net: Net::new(client, sender, settings.save_to.clone()),
        in_tmux: std::env::var_os("TMUX").is_some(),
        config: settings.config_path(),
        save_to: settings.save_to.clone(),
    };
    let new = |config: Config, size| State::new(server, config, keys, TimeZone::system(), size, now());
    if settings.plain {
        let mut state = new(Config { mouse: false, ..config }, (100, 60));
        return plain::run(&mut state, &mut messages, now, |effect| hands.perform(effect)).await;
    }

    let mut signals = Signals::new().context("signals cannot be received")?;
    let turns = Turns::default();
    turns.watch().context("signals cannot be received")?;
    let mut screen = Screen::take().context("this is not a terminal that can be drawn on")?;
    let size = screen.terminal.size()?;
    let mut state = new(config, (size.width, size.height));
    if state.config.mouse {
        terminal::mouse(true)?;
    }
    let mut events = EventStream::new();
    let mut message = Message::Tick;
    loop {
        turns.turn();
        for effect in update(&mut state, message, now()) {
            if effect == Effect::Quit {
                return Ok(());
            }
            if let Some(reply) = hands.perform(effect) {
                update(&mut state, Message::Reply(reply), now());
            }
        }
        // Messages that are there already share a picture: a burst of keys or answers is drawn once.
        if let Ok(waiting) = messages.try_recv() {
            message = waiting;
            continue;
        }
        screen.terminal.draw(|frame| {
            let area = frame.area();
            state.size = (area.width, area.height);
            view::draw(&state, frame);
        })?;
        message = tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::End => return Ok(()),
                Signal::Pause => {
                    terminal::give_back();
                    signals::stop_this_process()?;
                    screen.resume()?;
                    if state.config.mouse {
                        terminal::mouse(true)?;
                    }
                    Message::Tick
                }
            },
            event = events.next() => match event {
                Some(Ok(Event::Key(key))) => {
                    break_down_if_told(key);
                    Message::Key(key)
                }
                Some(Ok(Event::Paste(text))) => Message::Paste(text),
                Some(Ok(Event::Mouse(event))) => Message::Mouse(event),
                Some(Ok(Event::Resize(width, height))) => Message::Resize(width, height),
                Some(Ok(_)) => Message::Tick,
                // The terminal is gone.
                Some(Err(error)) => return Err(error).context("the terminal cannot be read"),
                None => return Ok(()),
            },
            Some(waiting) = messages.recv() => waiting,
            () = tokio::time::sleep(state.patience()) => Message::Tick,
        };
    }
}

/// A way for tests to see that a panic, too, leaves the terminal as it was: F12, where the variable asks for it, in builds for tests.
fn break_down_if_told(key: crossterm::event::KeyEvent) {
    let told = cfg!(debug_assertions) && std::env::var_os("POSTROOM_TUI_F12_PANICS").is_some();
    assert!(!(told && key.code == crossterm::event::KeyCode::F(12)), "F12 was pressed, and asked to panic");
}

#[expect(clippy::disallowed_methods, reason = "the one place of the console that reads the clock")]
fn time_of_day() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
