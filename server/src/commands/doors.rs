//! `postroom doors …`: sources and destinations, stopped and let go on.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use postroom_api::client::Client;
use postroom_api::pause::{DoorAnswer, DoorKind, PauseBody, PauseView, ResumeBody};
use postroom_domain::time::Clock as _;
use serde::Serialize;

use super::{lines, plain, when};
use crate::cli::{DoorsArgs, DoorsCommand};
use crate::system::SystemClock;

/// A source or destination.
#[derive(Serialize)]
struct Line {
    door: String,
    kind: String,
    state: postroom_api::summary::DoorState,
    note: String,
    waiting: u64,
    failed: u64,
    oldest_seconds: Option<u64>,
    pause: Option<PauseView>,
}

/// Runs the subcommand.
pub(super) async fn run(args: DoorsArgs) -> anyhow::Result<ExitCode> {
    let client = args.reach.client()?;
    carry_out(&client, args.command, args.reach.json).await.map_err(|error| args.reach.explained(error))?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(client: &Client, command: DoorsCommand, json: bool) -> anyhow::Result<()> {
    match command {
        DoorsCommand::List => lines(&all(client).await?, json, line),
        DoorsCommand::Pause { door, reason, time } => {
            let (kind, name) = parse(&door)?;
            let body = PauseBody { reason, until: time.map(until).transpose()? };
            lines(&[client.pause(kind, name, &body).await?], json, answer)
        }
        DoorsCommand::Resume { door, reason } => {
            let (kind, name) = parse(&door)?;
            lines(&[client.resume(kind, name, &ResumeBody { reason }).await?], json, answer)
        }
    }
}

fn parse(door: &str) -> anyhow::Result<(DoorKind, &str)> {
    match door.split_once('/') {
        Some(("source", name)) => Ok((DoorKind::Source, name)),
        Some(("destination", name)) => Ok((DoorKind::Destination, name)),
        _ => bail!("\"{}\" is neither source/NAME nor destination/NAME", plain(door)),
    }
}

fn until(time: SignedDuration) -> anyhow::Result<jiff::Timestamp> {
    if time <= SignedDuration::ZERO {
        bail!("--for is no time to come");
    }
    SystemClock::new().now().checked_add(time).context("--for is too long")
}

async fn all(client: &Client) -> anyhow::Result<Vec<Line>> {
    let summary = client.summary().await?;
    let sources = summary.sources.into_iter().map(|it| Line {
        door: DoorKind::Source.door(it.name.as_str()),
        kind: it.kind,
        state: it.state,
        note: it.note,
        waiting: it.filings.waiting,
        failed: it.filings.failed,
        oldest_seconds: it.oldest_seconds,
        pause: it.pause,
    });
    let destinations = summary.destinations.into_iter().map(|it| Line {
        door: DoorKind::Destination.door(it.name.as_str()),
        kind: it.kind,
        state: it.state,
        note: it.note,
        waiting: it.filings.waiting,
        failed: it.filings.failed,
        oldest_seconds: it.oldest_seconds,
        pause: it.pause,
    });
    Ok(sources.chain(destinations).collect())
}

fn line(line: &Line) -> String {
    let state = serde_json::to_value(line.state).ok().and_then(|it| it.as_str().map(str::to_owned));
    format!(
        "{:<28}  {:<12}  {:<10}  {} waiting, {} failed  {}\n",
        line.door,
        line.kind,
        state.unwrap_or_default(),
        line.waiting,
        line.failed,
        plain(&line.note),
    )
}

fn answer(answer: &DoorAnswer) -> String {
    match &answer.pause {
        None => format!("{} goes on.\n", answer.door),
        Some(PauseView { until: Some(until), .. }) => {
            format!("{} stands still until {}.\n", answer.door, when(*until))
        }
        Some(_) => format!("{} stands still until it is resumed.\n", answer.door),
    }
}
