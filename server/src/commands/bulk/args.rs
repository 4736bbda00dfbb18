//! What can be said about sets of filings.

use clap::{Args, Subcommand};
use postroom_api::bulk::Pace;
use postroom_domain::ids::BulkId;

use crate::cli::ReachArgs;

#[derive(Debug, Args)]
pub(crate) struct BulkArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(subcommand)]
    pub(crate) command: BulkCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BulkCommand {
    /// List sets, newest first
    List {
        /// Only those that are about to run or running
        #[arg(long)]
        live: bool,
    },
    /// Show one, and how far it is
    Show {
        /// Its id
        id: BulkId,
    },
    /// List the filings of one, with what became of each
    Items {
        /// Its id
        id: BulkId,
        /// Only with this outcome: waiting, done, skipped or failed
        #[arg(long)]
        outcome: Option<String>,
    },
    /// Leave what has not been done
    Stop {
        /// Its id
        id: BulkId,
    },
    /// Take all of it back, before it begins
    Undo {
        /// Its id
        id: BulkId,
    },
}

/// How a set is run that is made by `--filter`.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Run it without asking
    #[arg(long, conflicts_with_all = ["ids", "dry_run"])]
    pub(crate) yes: bool,
    /// Only tell what it would be done to, and to what not
    #[arg(long, conflicts_with = "ids")]
    pub(crate) dry_run: bool,
    /// How fast: `limit` (as many at once as the destinations bear), `now`, or a number a minute such as 10/min
    #[arg(long, conflicts_with = "ids", default_value = "limit")]
    pub(crate) pace: Pace,
}
