//! What can be said about sets of filings.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use postroom_api::bulk::Pace;
use postroom_domain::ids::BulkId;

#[derive(Debug, Args)]
pub(crate) struct BulkArgs {
    /// The server's address
    #[arg(long, env = "POSTROOM_URL", default_value = "http://127.0.0.1:8440", global = true)]
    pub(crate) server: String,
    /// A file with the token
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// The token
    #[arg(long, env = "POSTROOM_TOKEN", hide_env_values = true, hide = true, global = true)]
    pub(crate) token: Option<String>,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
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
