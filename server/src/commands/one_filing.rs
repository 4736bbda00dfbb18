//! `postroom filings note`, `take`, `edit` and the like: what is done with one filing, and what tells of all.

use anyhow::bail;
use postroom_api::cause::CauseLine;
use postroom_api::client::Client;
use postroom_api::decision::{EditBody, LinkBody, WorkspaceBody};
use postroom_api::filing::FilingItem;
use postroom_api::page::FilingExport;
use postroom_api::remark::NoteBody;
use postroom_domain::ids::FilingId;

use super::desk::{deliver, done};
use super::{filings, lines, print};
use crate::cli::{DeskCommand, EditArgs, TableArg};

/// Runs the subcommand.
pub(super) async fn run(client: &Client, command: DeskCommand, json: bool) -> anyhow::Result<()> {
    match command {
        DeskCommand::Note { id, text } => {
            client.note_filing(id.parse()?, &NoteBody { text }).await?;
            done(&id, "noted", json)
        }
        DeskCommand::Take { id } => {
            client.take_filing(id.parse()?, true).await?;
            done(&id, "taken", json)
        }
        DeskCommand::GiveBack { id } => {
            client.take_filing(id.parse()?, false).await?;
            done(&id, "given back", json)
        }
        DeskCommand::Edit(args) => {
            let (id, version) = looked_at(client, &args.id).await?;
            shown(&client.edit(id, version, &edit(args)?).await?, json)
        }
        DeskCommand::Link { id, document, reason } => {
            let (id, version) = looked_at(client, &id).await?;
            let body = LinkBody { reason, document, version: None, container: String::new(), link: None };
            shown(&client.link(id, version, &body).await?, json)
        }
        DeskCommand::Export { filter, format, out } => {
            let format = match format {
                TableArg::Csv => "csv",
                TableArg::Json => "json",
            };
            let list = FilingExport { q: filter, format: format.to_owned() };
            deliver(client.export_filings(&list), out.as_deref(), ("the filings", json)).await
        }
        DeskCommand::Causes => {
            let groups = client.causes().await?.items;
            lines(&groups, json, group)?;
            if groups.is_empty() && !json {
                print("No filing is held up.\n")?;
            }
            Ok(())
        }
    }
}

/// A filing's id, and the version that it has now.
async fn looked_at(client: &Client, id: &str) -> anyhow::Result<(FilingId, u64)> {
    let item = client.filing(id.parse()?).await?.item;
    Ok((item.id, item.version))
}

fn shown(item: &FilingItem, json: bool) -> anyhow::Result<()> {
    lines(std::slice::from_ref(item), json, filings::line)
}

fn edit(args: EditArgs) -> anyhow::Result<EditBody> {
    let workspace = match (args.workspace_title, args.workspace_id) {
        (Some(title), _) => Some(WorkspaceBody::Title(title)),
        (None, id) => id.map(WorkspaceBody::Id),
    };
    let folders = |path: String| path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let body = EditBody {
        reason: args.reason,
        service: args.service,
        library: args.library,
        workspace,
        folder: args.folder.map(folders),
        create_folders: None,
        profile: args.profile.into_iter().collect(),
        file_name: args.file_name,
    };
    if body.is_empty() {
        bail!("the edit changes nothing; say what, for example --workspace-title or --file-name");
    }
    Ok(body)
}

fn group(group: &CauseLine) -> String {
    format!(
        "{:>6}  {:<40}  {:<12}  {} of them for a person\n",
        group.count, group.cause.short, group.destination, group.need_person
    )
}
