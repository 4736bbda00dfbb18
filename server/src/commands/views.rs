//! `postroom views …`: a person's saved views of the console.

use std::process::ExitCode;

use postroom_api::client::Client;
use postroom_api::view::{ViewBody, ViewItem};

use super::desk::done;
use super::{lines, plain, print};
use crate::cli::{ViewsArgs, ViewsCommand};

/// Runs the subcommand.
pub(super) async fn run(args: ViewsArgs) -> anyhow::Result<ExitCode> {
    let client = args.reach.client()?;
    carry_out(&client, args.command, args.reach.json).await.map_err(|error| args.reach.explained(error))?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(client: &Client, command: ViewsCommand, json: bool) -> anyhow::Result<()> {
    match command {
        ViewsCommand::List => {
            let views = client.views().await?.items;
            lines(&views, json, line)?;
            if views.is_empty() && !json {
                print("There are no saved views.\n")?;
            }
            Ok(())
        }
        ViewsCommand::Save { name, screen, filter } => {
            let body = ViewBody { screen, q: filter.join(" ") };
            lines(&[client.save_view(&name, &body).await?], json, line)
        }
        ViewsCommand::Remove { name } => {
            client.remove_view(&name).await?;
            done(&name, "forgotten", json)
        }
    }
}

fn line(view: &ViewItem) -> String {
    format!("{:<24}  {:<12}  {}\n", plain(&view.name), view.screen, plain(&view.q))
}
