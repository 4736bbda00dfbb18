//! Sets of filings on the command line: `postroom bulk …`, and `postroom filings retry --filter …`, which goes through one.

mod args;
mod decide;

use std::process::ExitCode;

use postroom_api::bulk::{BulkItem, BulkItemList, BulkList, BulkOutcome, BulkView, CountLine};
use postroom_api::client::Client;
use postroom_domain::ids::BulkId;

pub(crate) use self::args::{BulkArgs, BulkCommand, SetArgs};
pub(super) use self::decide::decide;
use super::{desk, lines, plain, print, when};

/// Filings that were not done and are told; the rest is told by `bulk items`.
const TOLD: usize = 20;
/// Entries of a page.
const PAGE: usize = 500;

/// Runs the subcommand.
pub(super) async fn run(args: BulkArgs) -> anyhow::Result<ExitCode> {
    let server = args.reach.server.clone();
    carry_out(args).await.map_err(|error| desk::unanswered(error, &server))
}

async fn carry_out(args: BulkArgs) -> anyhow::Result<ExitCode> {
    let (client, json) = (args.reach.client()?, args.reach.json);
    match args.command {
        BulkCommand::List { live } => {
            let list = BulkList { live, limit: Some(PAGE), cursor: None };
            let page = client.bulks(&list).await?;
            lines(&page.items, json, line)?;
            if page.items.is_empty() && !json {
                print("There is no set.\n")?;
            }
        }
        BulkCommand::Show { id } => show(&client.bulk(id).await?, json)?,
        BulkCommand::Items { id, outcome } => {
            items(&client, id, outcome.as_deref(), usize::MAX, json).await?;
        }
        BulkCommand::Stop { id } => show(&client.stop_bulk(id).await?, json)?,
        BulkCommand::Undo { id } => show(&client.undo_bulk(id).await?, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(set: &BulkView, json: bool) -> anyhow::Result<()> {
    lines(std::slice::from_ref(set), json, |set| line(set) + &summary(set))
}

/// One line for people: id, when, how far, what.
fn line(set: &BulkView) -> String {
    format!(
        "{}  {}  {:<12}  {} {}  ({})\n",
        set.id,
        when(set.created),
        set.state,
        set.action,
        plain(&set.scope),
        plain(&set.by)
    )
}

/// What is in a set, what it can be done to, and to what not and why.
fn summary(set: &BulkView) -> String {
    let kinds = [("state", &set.by_state), ("destination", &set.by_destination), ("cause", &set.by_cause)];
    let by = |(what, counted): (&str, &Vec<CountLine>)| match counted.as_slice() {
        [] => String::new(),
        counted => format!("  by {what}: {}\n", counts(counted)),
    };
    let not = match set.will_not.as_slice() {
        [] => String::new(),
        refused => format!("; not: {}", counts(refused)),
    };
    let by: String = kinds.into_iter().map(by).collect();
    format!("{by}  {} of {} will be {}{not}.\n", set.will, set.total, set.action.done())
}

fn counts(lines: &[CountLine]) -> String {
    let one = |line: &CountLine| {
        let words = if line.words.is_empty() { &line.name } else { &line.words };
        format!("{} {}", line.count, plain(words))
    };
    lines.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How far it is, in a line.
fn progress(set: &BulkView) -> String {
    format!(
        "{}: {} {}, {} left as they are, {} failed, {} to come.\n",
        set.state,
        set.done,
        set.action.done(),
        set.skipped,
        set.failed,
        set.waiting
    )
}

/// Filings of a set, at most so many.
async fn items(
    client: &Client,
    id: BulkId,
    outcome: Option<&str>,
    most: usize,
    json: bool,
) -> anyhow::Result<()> {
    let mut list =
        BulkItemList { outcome: outcome.map(str::to_owned), limit: Some(PAGE.min(most)), cursor: None };
    let mut left = most;
    loop {
        let page = client.bulk_items(id, &list).await?;
        left = left.saturating_sub(page.items.len());
        lines(&page.items, json, item)?;
        list.cursor = page.next;
        if list.cursor.is_none() {
            return Ok(());
        }
        if left == 0 {
            return Ok(print(&format!("There are more: postroom bulk items {id}\n"))?);
        }
    }
}

fn item(item: &BulkItem) -> String {
    let why = if item.why.is_empty() { String::new() } else { format!(": {}", plain(&item.why)) };
    format!("{}  {:<7}  {}{why}\n", item.id, item.outcome.as_str(), plain(&item.name))
}

/// The filings of a set that were not done, with the reason: a few for people, all for programs.
async fn not_done(client: &Client, set: &BulkView, json: bool) -> anyhow::Result<()> {
    let most = if json { usize::MAX } else { TOLD };
    for (outcome, count) in [(BulkOutcome::Failed, set.failed), (BulkOutcome::Skipped, set.skipped)] {
        if count > 0 {
            items(client, set.id, Some(outcome.as_str()), most, json).await?;
        }
    }
    Ok(())
}
