//! `postroom filings …`: what the console does, for scripts and screen readers, over the same API and filter language.

use std::process::ExitCode;

use anyhow::bail;
use postroom_api::bulk::BulkAction;
use postroom_api::client::{Client, News};
use postroom_api::decision::{CancelBody, HoldBody, ReleaseBody, RetryBody};
use postroom_api::filing::FilingItem;
use postroom_api::page::FilingList;
use postroom_domain::ids::FilingId;
use serde::Serialize;

use super::{bulk, desk, one_filing, plain, print};
use crate::cli::{DecideArgs, FilingsArgs, FilingsCommand};

/// Runs the subcommand.
pub(super) async fn run(args: FilingsArgs) -> anyhow::Result<ExitCode> {
    let server = args.reach.server.clone();
    let done = carry_out(args).await;
    done.map_err(|error| desk::unanswered(error, &server))
}

async fn carry_out(args: FilingsArgs) -> anyhow::Result<ExitCode> {
    let (client, json) = (args.reach.client()?, args.reach.json);
    match args.command {
        FilingsCommand::List { filter, limit } => {
            let items = list(&client, &filter.join(" "), limit).await?;
            for item in &items {
                show(item, json, line)?;
            }
            if items.is_empty() && !json {
                print("No filing matches.\n")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        FilingsCommand::Show { id } => {
            let detail = client.filing(parse(&id)?).await?;
            show(&detail, json, |detail| serde_json::to_string_pretty(detail).unwrap_or_default() + "\n")?;
            Ok(ExitCode::SUCCESS)
        }
        FilingsCommand::Retry(args) => {
            decide(&client, args, BulkAction::Retry, json, async |item, reason| {
                client.retry(item.id, item.version, &RetryBody { reason }).await
            })
            .await
        }
        FilingsCommand::Hold(args) => {
            decide(&client, args, BulkAction::Hold, json, async |item, reason| {
                client.hold(item.id, item.version, &HoldBody { reason }).await
            })
            .await
        }
        FilingsCommand::Release(args) => {
            decide(&client, args, BulkAction::Release, json, async |item, reason| {
                client.release(item.id, item.version, &ReleaseBody { reason }).await
            })
            .await
        }
        FilingsCommand::Cancel(args) => {
            if args.reason.trim().is_empty() {
                bail!("a reason is needed to cancel: --reason \"…\"");
            }
            decide(&client, args, BulkAction::Cancel, json, async |item, reason| {
                client.cancel(item.id, item.version, &CancelBody { reason }).await
            })
            .await
        }
        FilingsCommand::Desk(command) => {
            one_filing::run(&client, command, json).await?;
            Ok(ExitCode::SUCCESS)
        }
        FilingsCommand::FileAnyway(args) => {
            if args.reason.trim().is_empty() {
                bail!("a reason is needed to file a duplicate: --reason \"…\"");
            }
            decide(&client, args, BulkAction::FileAnyway, json, async |item, reason| {
                client.file_anyway(item.id, item.version, &CancelBody { reason }).await
            })
            .await
        }
        FilingsCommand::Watch => watch(&client, json).await,
    }
}

fn parse(id: &str) -> anyhow::Result<FilingId> {
    Ok(id.parse::<FilingId>()?)
}

/// One line for people: id, state, age-sorting time, destination, reference, name, cause.
pub(super) fn line(item: &FilingItem) -> String {
    let cause = item.cause.as_ref().map(|cause| format!("  {}", cause.short)).unwrap_or_default();
    let name = if item.subject.is_empty() { &item.file_name } else { &item.subject };
    format!(
        "{}  {:<9}  {}  {:<10}  {:<12}  {}{cause}\n",
        item.id,
        item.state,
        item.received.strftime("%Y-%m-%d %H:%M"),
        item.destination,
        item.reference,
        plain(name),
    )
}

fn show<T: Serialize>(item: &T, json: bool, words: impl Fn(&T) -> String) -> anyhow::Result<()> {
    let text = if json { format!("{}\n", serde_json::to_string(item)?) } else { words(item) };
    print(&text)?;
    Ok(())
}

async fn list(client: &Client, filter: &str, limit: usize) -> anyhow::Result<Vec<FilingItem>> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let wanted = (limit - items.len()).min(500);
        let page = client
            .filings(&FilingList {
                q: filter.to_owned(),
                limit: Some(wanted),
                cursor,
                ..FilingList::default()
            })
            .await?;
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || items.len() >= limit {
            return Ok(items);
        }
    }
}

/// Decides over filings, those that match a filter together, those that are named one by one, and tells what became of each; ends with a failure when one was not done.
async fn decide(
    client: &Client,
    args: DecideArgs,
    action: BulkAction,
    json: bool,
    act: impl AsyncFn(&FilingItem, String) -> Result<FilingItem, postroom_api::client::ClientError>,
) -> anyhow::Result<ExitCode> {
    if let Some(filter) = &args.filter {
        return bulk::decide(client, action, filter, &args, json).await;
    }
    let mut items = Vec::new();
    for id in &args.ids {
        items.push(client.filing(parse(id)?).await?.item);
    }
    let mut refused = 0;
    for item in &items {
        match act(item, args.reason.clone()).await {
            Ok(after) => show(&after, json, line)?,
            Err(error) => {
                refused += 1;
                let words = serde_json::json!({ "id": item.id, "refused": error.to_string() });
                show(&words, json, |_| format!("{}  not done: {error}\n", item.id))?;
            }
        }
    }
    if !json {
        print(&format!("{} done, {refused} not done.\n", items.len() - refused))?;
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn watch(client: &Client, json: bool) -> anyhow::Result<ExitCode> {
    let mut events = client.events(None);
    loop {
        let news = tokio::select! {
            news = events.next() => news,
            _ = crate::signals::stop_wanted() => return Ok(ExitCode::SUCCESS),
        };
        match news {
            News::Connected => {}
            News::Event(event) => show(event.as_ref(), json, |event| {
                let what = serde_json::to_string(&event.happening).unwrap_or_default();
                format!("{}  {what}  {}\n", event.at.strftime("%H:%M:%S"), plain(&event.note))
            })?,
            News::Lost { error, pause } => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "The server is lost; trying again.");
                if matches!(error, postroom_api::client::ClientError::Unauthorized) {
                    bail!("the server does not accept the token");
                }
            }
        }
    }
}
