//! `postroom intakes …`: what arrived, what is in it, and where it belongs.

use std::process::ExitCode;

use postroom_api::client::Client;
use postroom_api::intake::{AssignBody, DismissBody, GiveBody, IntakeDetail, IntakeItem, ReleaseIntakeBody};
use postroom_api::page::IntakeList;
use postroom_api::preview::{Preview, PreviewList, PreviewPart};
use postroom_api::remark::NoteBody;
use postroom_domain::ids::IntakeId;

use super::desk::{deliver, done};
use super::{lines, plain, print};
use crate::cli::{IntakesArgs, IntakesCommand, ListIntakesArgs};

/// Runs the subcommand.
pub(super) async fn run(args: IntakesArgs) -> anyhow::Result<ExitCode> {
    let client = args.reach.client()?;
    carry_out(&client, args.command, args.reach.json).await.map_err(|error| args.reach.explained(error))?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(client: &Client, command: IntakesCommand, json: bool) -> anyhow::Result<()> {
    match command {
        IntakesCommand::List(args) => list(client, args, json).await,
        IntakesCommand::Show { id } => {
            let detail = client.intake(id.parse()?).await?;
            lines(&[detail], json, |it| serde_json::to_string_pretty(it).unwrap_or_default() + "\n")
        }
        IntakesCommand::Preview { id, document } => {
            let preview = client.preview(id.parse()?, &PreviewList { document: Some(document) }).await?;
            lines(&[preview], json, read)
        }
        IntakesCommand::Original { id, out } => {
            deliver(client.original(id.parse()?), out.as_deref(), ("the document", json)).await
        }
        IntakesCommand::Assign { id, work_item, also, area, reason } => {
            let (id, version) = looked_at(client, &id).await?;
            shown(&client.assign(id, version, &AssignBody { work_item, also, area, reason }).await?, json)
        }
        IntakesCommand::Dismiss { id, reason } => {
            let (id, version) = looked_at(client, &id).await?;
            shown(&client.dismiss(id, version, &DismissBody { reason }).await?, json)
        }
        IntakesCommand::Release { id, reason } => {
            let (id, version) = looked_at(client, &id).await?;
            shown(&client.release_intake(id, version, &ReleaseIntakeBody { reason }).await?, json)
        }
        IntakesCommand::Give { id, person, team, reason } => {
            let (id, version) = looked_at(client, &id).await?;
            shown(&client.give(id, version, &GiveBody { person, team, reason }).await?, json)
        }
        IntakesCommand::Note { id, text } => {
            client.note_intake(id.parse()?, &NoteBody { text }).await?;
            done(&id, "noted", json)
        }
    }
}

async fn list(client: &Client, args: ListIntakesArgs, json: bool) -> anyhow::Result<()> {
    let mut wanted = IntakeList {
        state: args.state,
        source: args.source,
        q: args.text.join(" "),
        allocated: args.allocated,
        ..IntakeList::default()
    };
    let mut found = 0;
    while found < args.limit {
        wanted.limit = Some((args.limit - found).min(500));
        let page = client.intakes(&wanted).await?;
        lines(&page.items, json, line)?;
        found += page.items.len();
        wanted.cursor = page.next;
        if wanted.cursor.is_none() {
            break;
        }
    }
    if found == 0 && !json {
        print("No intake matches.\n")?;
    }
    Ok(())
}

/// An intake's id, and the version that it has now.
async fn looked_at(client: &Client, id: &str) -> anyhow::Result<(IntakeId, u64)> {
    let item = client.intake(id.parse()?).await?.item;
    Ok((item.id, item.version))
}

fn shown(detail: &IntakeDetail, json: bool) -> anyhow::Result<()> {
    lines(std::slice::from_ref(&detail.item), json, line)
}

/// One line for people: id, state, time, source, sender, name, what it needs.
fn line(item: &IntakeItem) -> String {
    let needs = item.needs.as_ref().map(|needs| format!("  {}", plain(&needs.text))).unwrap_or_default();
    let first = item.documents.first().map_or("", |document| document.file_name.as_str());
    let name = if item.subject.is_empty() { first } else { item.subject.as_str() };
    format!(
        "{}  {:<12}  {}  {:<12}  {}  {}{needs}\n",
        item.id,
        item.state,
        item.received.strftime("%Y-%m-%d %H:%M"),
        item.source,
        plain(&item.sender),
        plain(name),
    )
}

/// A preview for people.
fn read(preview: &Preview) -> String {
    if !preview.why_not.is_empty() {
        return format!("Nothing can be shown: {}\n", plain(&preview.why_not));
    }
    let mut text: String = preview.head.iter().map(head).collect();
    if !preview.head.is_empty() {
        text.push('\n');
    }
    text += &postroom_domain::plain::lines(&preview.text);
    text.push('\n');
    text.extend(preview.parts.iter().map(part));
    if preview.more {
        text += "There is more than is shown.\n";
    }
    text
}

fn head((name, value): &(String, String)) -> String {
    format!("{name}: {}\n", plain(value))
}

fn part(part: &PreviewPart) -> String {
    format!("+ {} ({}, {} bytes)\n", plain(&part.file_name), plain(&part.media_type), part.size)
}
