//! `links …`: linked accounts, for whoever supports their owners.

use std::process::ExitCode;

use postroom_api::client::Client;
use postroom_api::link::{LinkList, LinkView};

use super::connection::{connect, explained};
use super::{lines, print, when};
use crate::cli::{LinksArgs, LinksCommand};

/// Runs the subcommand.
pub(super) async fn run(args: LinksArgs) -> anyhow::Result<ExitCode> {
    let client = connect(&args.server)?;
    let json = args.server.json;
    carry_out(&client, args.command, json).await.map_err(|error| explained(error, &args.server))?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(client: &Client, command: LinksCommand, json: bool) -> anyhow::Result<()> {
    match command {
        LinksCommand::List => {
            let mut all = client.links(&LinkList { all: true }).await?.items;
            all.sort_by_key(|it| (it.state == "active", it.service.clone(), it.person));
            lines(&all, json, line)?;
            if all.is_empty() && !json {
                print("No account is linked.\n")?;
            }
        }
        LinksCommand::Remove { id } => {
            client.remove_link(id).await?;
            if !json {
                print("Removed. What waits to be filed with it waits until an account is linked again.\n")?;
            }
        }
    }
    Ok(())
}

fn line(link: &LinkView) -> String {
    let whose = if link.person.is_some() { link.made_by.as_str() } else { "system account" };
    let account = if link.account.is_empty() { &link.account_email } else { &link.account };
    let ends = link.ends.map(|at| format!(", ends {}", when(at))).unwrap_or_default();
    let reason = link.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}  {:<12}  {whose:<30}  {account}  {}{reason}{ends}\n", link.id, link.service, link.state)
}
