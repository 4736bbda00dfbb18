//! `data …`: tables of work items, loaded and unloaded.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use postroom_api::client::Client;
use postroom_api::data_upload::{DataUploadView, PassView, RowList};

use super::connection::{connect, explained};
use super::{plain, print};
use crate::cli::{DataArgs, DataCommand};

/// How often is looked how far a table is.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Rejected rows that are told; the rest is in the table of results.
const TOLD: usize = 20;

/// Runs the subcommand. Rejected rows, or a file that cannot be read to its end, are an exit status of their own: 1.
pub(super) async fn run(args: DataArgs) -> anyhow::Result<ExitCode> {
    let client = connect(&args.server)?;
    carry_out(&client, &args).await.map_err(|error| explained(error, &args.server))
}

async fn carry_out(client: &Client, args: &DataArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        DataCommand::Load { file, mapping, dry_run } => {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let opened = tokio::fs::File::open(file)
                .await
                .with_context(|| format!("cannot read {}", file.display()))?;
            let table = client.hand_in_table(&name, opened, mapping).await?;
            let begun = if *dry_run {
                client.check_table(table.id).await?
            } else {
                client.load_table(table.id).await?
            };
            let ended = through(client, begun).await?;
            told(client, &ended, args.server.json).await
        }
        DataCommand::Unload { mapping } => {
            let mut download = client.unload_table(mapping).await?;
            while let Some(piece) = download.piece().await? {
                use std::io::Write as _;
                std::io::stdout().lock().write_all(&piece)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn through(client: &Client, mut table: DataUploadView) -> anyhow::Result<DataUploadView> {
    while table.state.is_working() {
        tokio::time::sleep(LOOK_EVERY).await;
        table = client.data_upload(table.id).await?;
    }
    Ok(table)
}

async fn told(client: &Client, table: &DataUploadView, json: bool) -> anyhow::Result<ExitCode> {
    let pass = table.load.as_ref().or(table.check.as_ref());
    let rejected = pass.map_or(0, |pass| pass.counts.rejected);
    let good = rejected == 0 && table.problem.is_empty();
    if json {
        print(&(serde_json::to_string(table)? + "\n"))?;
    } else {
        print(&summary(table, pass))?;
        if rejected > 0 {
            let list = RowList { result: Some("rejected".to_owned()), limit: Some(TOLD), cursor: None };
            let page = client.data_rows(table.id, &list).await?;
            for row in &page.items {
                let column =
                    if row.column.is_empty() { String::new() } else { format!("{}: ", plain(&row.column)) };
                print(&format!(
                    "row {}  {}  {column}{}\n",
                    row.row,
                    plain(&row.reference),
                    plain(&row.reason)
                ))?;
            }
            if page.next.is_some() {
                print(&format!(
                    "There are more: GET /api/v1/data-uploads/{}/result.csv has them all.\n",
                    table.id
                ))?;
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(table: &DataUploadView, pass: Option<&PassView>) -> String {
    let counts = pass.map(|pass| pass.counts).unwrap_or_default();
    let (made, changed) =
        if table.load.is_some() { ("made", "changed") } else { ("would be made", "would be changed") };
    let problem =
        if table.problem.is_empty() { String::new() } else { format!("{}\n", plain(&table.problem)) };
    format!(
        "{} ({}): {}. {} {made}, {} {changed}, {} change nothing, {} rejected.\n{problem}",
        plain(&table.file_name),
        table.format,
        table.state,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.rejected
    )
}
