//! `audit …`: verifying and exporting the history.

use std::io::BufReader;
use std::process::ExitCode;

use anyhow::Context as _;
use postroom_api::audit::{ExportFormat, ExportList, VerifyList, VerifyView};
use postroom_api::client::Client;
use postroom_domain::audit::{Anchor, verify_export};

use super::connection::{connect, explained};
use super::data::store_file;
use super::desk::deliver;
use super::lines;
use crate::cli::{AuditCommand, ExportArgs, ExportFormatArg, VerifyAuditArgs};

/// Runs the subcommand.
pub(super) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(args) => {
            let found = verify(&args).await.map_err(|error| explained(error, &args.server))?;
            lines(std::slice::from_ref(&found), args.server.json, verdict)?;
            Ok(if found.intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        AuditCommand::Export(args) => {
            let client = connect(&args.server)?;
            export(&client, &args).await.map_err(|error| explained(error, &args.server))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn verify(args: &VerifyAuditArgs) -> anyhow::Result<VerifyView> {
    let known: Option<Anchor> = args.known.as_deref().map(str::parse).transpose().context("--known")?;
    if let Some(path) = &args.file {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let found = verify_export(BufReader::new(file), known)
            .with_context(|| format!("cannot verify {}", path.display()))?;
        return Ok(VerifyView::from(&found));
    }
    if let Some(data) = &args.data {
        let found = postroom_store::verify_with(&store_file(data), known)?;
        let chain = found
            .chain
            .context("this data folder is from before there was a chain; start the server once")?;
        return Ok(VerifyView::from(&chain));
    }
    let client = connect(&args.server)?;
    Ok(client.verify_audit(&VerifyList { known: args.known.clone() }).await?)
}

fn verdict(found: &VerifyView) -> String {
    match &found.fault {
        None => format!(
            "The history is whole: {} events, each fits the one before it.\nKeep this to find a cut end later: --known {}\n",
            found.checked, found.head
        ),
        Some(fault) => {
            format!("The history was tampered with: {fault}.\nUp to {} everything fits.\n", found.head)
        }
    }
}

async fn export(client: &Client, args: &ExportArgs) -> anyhow::Result<()> {
    let format = match args.format {
        ExportFormatArg::Jsonl => ExportFormat::Jsonl,
        ExportFormatArg::Csv => ExportFormat::Csv,
    };
    let list = ExportList { format, after: Some(args.after).filter(|after| *after > 0) };
    let json = args.server.json;
    deliver(client.export_audit(&list), args.output.as_deref(), ("the history", json)).await
}
