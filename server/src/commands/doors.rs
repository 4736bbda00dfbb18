//! `postroom doors …`: sources, destinations and accounts, stopped and let go on.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use postroom_api::client::Client;
use postroom_api::link::{LinkList, LinkView};
use postroom_api::pause::{DoorAnswer, DoorKind, PauseBody, PauseView, ResumeBody};
use postroom_api::summary::{DoorState, Right};
use postroom_domain::time::Clock as _;
use serde::Serialize;

use super::{lines, plain, when};
use crate::cli::{DoorsArgs, DoorsCommand};
use crate::system::SystemClock;

/// A source, a destination or a paused account.
#[derive(Serialize)]
struct Line {
    door: String,
    kind: String,
    state: DoorState,
    note: String,
    /// None for an account: filings are not counted by it.
    waiting: Option<u64>,
    failed: Option<u64>,
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
        Some(("account", name)) if name.split_once('/').is_some_and(|(_, who)| !who.contains('/')) => {
            Ok((DoorKind::Account, name))
        }
        _ => bail!("\"{}\" is none of source/NAME, destination/NAME and account/SERVICE/WHO", plain(door)),
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
    // Who does not see everything sees no accounts of others.
    let accounts = if summary.you.may(Right::SeeAll) { paused_accounts(client).await? } else { Vec::new() };
    let sources = summary.sources.into_iter().map(|it| Line {
        door: DoorKind::Source.door(it.name.as_str()),
        kind: it.kind,
        state: it.state,
        note: it.note,
        waiting: Some(it.filings.waiting),
        failed: Some(it.filings.failed),
        oldest_seconds: it.oldest_seconds,
        pause: it.pause,
    });
    let destinations = summary.destinations.into_iter().map(|it| Line {
        door: DoorKind::Destination.door(it.name.as_str()),
        kind: it.kind,
        state: it.state,
        note: it.note,
        waiting: Some(it.filings.waiting),
        failed: Some(it.filings.failed),
        oldest_seconds: it.oldest_seconds,
        pause: it.pause,
    });
    Ok(sources.chain(destinations).chain(accounts).collect())
}

async fn paused_accounts(client: &Client) -> anyhow::Result<Vec<Line>> {
    let links = client.links(&LinkList { all: true }).await?.items;
    let line = |link: LinkView| Line {
        door: DoorKind::Account.door(&link.door_name()),
        kind: "account".to_owned(),
        state: DoorState::Paused,
        note: link.pause.as_ref().map_or_else(String::new, |pause| {
            format!("{} at {}, by {}: {}", link.whose(), link.service, pause.by, pause.reason)
        }),
        waiting: None,
        failed: None,
        oldest_seconds: None,
        pause: link.pause,
    };
    Ok(links.into_iter().filter(|link| link.pause.is_some()).map(line).collect())
}

fn line(line: &Line) -> String {
    let state = serde_json::to_value(line.state).ok().and_then(|it| it.as_str().map(str::to_owned));
    let counts = match (line.waiting, line.failed) {
        (Some(waiting), Some(failed)) => format!("{waiting} waiting, {failed} failed  "),
        _ => String::new(),
    };
    format!(
        "{:<28}  {:<12}  {:<10}  {counts}{}\n",
        line.door,
        line.kind,
        state.unwrap_or_default(),
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
