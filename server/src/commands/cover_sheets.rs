//! `cover-sheets`: sheets to print, which tell where what is scanned behind them belongs.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use postroom_api::sheets::SheetsBody;

use super::connection::{connect, explained};
use super::print;
use crate::cli::CoverSheetsArgs;

/// Runs the subcommand.
pub(super) async fn run(args: CoverSheetsArgs) -> anyhow::Result<ExitCode> {
    if args.work_item.is_empty() && !args.separator {
        bail!(
            "nothing to print\nhint: name a work item with --work-item, or ask for a separator with --separator"
        );
    }
    let client = connect(&args.server)?;
    let body = SheetsBody { work_items: args.work_item, separators: usize::from(args.separator) };
    let pdf = client.cover_sheets(&body).await.map_err(|error| explained(error.into(), &args.server))?;
    write(&args.out, &pdf)?;
    let sheets = body.work_items.len() + body.separators;
    let shown = args.out.display().to_string();
    print(&if args.server.json {
        format!("{}\n", serde_json::json!({ "file": shown, "sheets": sheets }))
    } else {
        format!("{sheets} sheet(s) are in {shown}.\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a new file; one that is there stays as it is.
fn write(path: &Path, pdf: &[u8]) -> anyhow::Result<()> {
    let mut file = std::fs::File::create_new(path)
        .with_context(|| format!("cannot write {} (a file that is there is not replaced)", path.display()))?;
    file.write_all(pdf).with_context(|| format!("cannot write {}", path.display()))
}
