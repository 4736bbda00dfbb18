//! The loop: a message, the state, a picture.

use std::time::Instant;

use anyhow::Context;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use jiff::tz::TimeZone;
use postroom_api::client::Client;
use tokio::sync::mpsc;

use crate::app::{Effect, Message, Moment, Reply, State, update};
use crate::net::Net;
use crate::settings::Settings;
use crate::signals::{self, Signal, Signals};
use crate::terminal::{self, Screen};
use crate::view;

/// Runs the console until the person leaves. The terminal is given back in every case.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
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

async fn console(settings: &Settings, client: Client) -> anyhow::Result<()> {
    let started = Instant::now();
    let now = || Moment { at: time_of_day(), since_start: started.elapsed() };
    let in_tmux = std::env::var_os("TMUX").is_some();

    let mut signals = Signals::new().context("signals cannot be received")?;
    let mut screen = Screen::take().context("this is not a terminal that can be drawn on")?;
    let size = screen.terminal.size()?;
    let server = client.server().to_owned();
    let mut state =
        State::new(server, settings.theme(), TimeZone::system(), (size.width, size.height), now());

    let (sender, mut messages) = mpsc::channel(64);
    let net = Net::new(client, sender);
    net.follow();
    let mut keys = EventStream::new();
    let mut message = Message::Tick;
    loop {
        for effect in update(&mut state, message, now()) {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Copy(text) => {
                    let result = terminal::copy(&text, in_tmux).map_err(|error| error.to_string());
                    update(&mut state, Message::Reply(Reply::Copied(result)), now());
                }
                effect => net.start(effect),
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
                    Message::Tick
                }
            },
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) => Message::Key(key),
                Some(Ok(Event::Paste(text))) => Message::Paste(text),
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

#[expect(clippy::disallowed_methods, reason = "the one place of the console that reads the clock")]
fn time_of_day() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
