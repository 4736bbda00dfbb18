//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use postroom_domain::person::Role;

/// The post room of a law firm: documents come in, are safe at once, and are filed in the right workspace, once.
#[derive(Debug, Parser)]
#[command(name = "postroom", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine, with sample matters, to look around
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Read the settings and tell every mistake in them
    CheckConfig(ConfigArgs),
    /// Try every connection and tell what will not work
    Doctor(ConfigArgs),
    /// Make bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Copy a stopped server's data to a new folder
    Backup(BackupArgs),
    /// Put a backup back into an empty folder
    Restore(RestoreArgs),
    /// Check a stopped server's data, or a backup, row by row and byte by byte
    Verify(VerifyArgs),
    /// See and decide over filings of a running server
    Filings(FilingsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Print one line of JSON when ready
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The settings
    #[arg(long, value_name = "FILE", default_value = "postroom.toml")]
    pub(crate) config: PathBuf,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Port to listen on; 0 picks one
    #[arg(long, default_value_t = 8440)]
    pub(crate) port: u16,
    /// Folder for everything the demo keeps; a second start with the same one goes on where it was [default: a fresh
    /// temporary folder, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print nothing but what is asked for
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print one line of JSON instead of the tour
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, print it once, with the lines for the settings
    New {
        /// What it may do: user, operator, support or admin
        #[arg(long)]
        role: Role,
        /// The name that audit and screens show
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The new folder; it must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The data folder; it must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The data folder, or a backup
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct FilingsArgs {
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
    pub(crate) command: FilingsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FilingsCommand {
    /// List filings, newest first: `postroom filings list state:failed dest:dms-eu`
    List {
        /// The filter, in the filter language
        filter: Vec<String>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show one with its attempts and history
    Show {
        /// Its id
        id: String,
    },
    /// Try failed ones again
    Retry(DecideArgs),
    /// Take them out of automatic work
    Hold(DecideArgs),
    /// Give held ones back
    Release(DecideArgs),
    /// End them; needs --reason
    Cancel(DecideArgs),
    /// Follow what happens, until Ctrl-C
    Watch,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Ids
    #[arg(required_unless_present = "filter")]
    pub(crate) ids: Vec<String>,
    /// All that match this filter now, at most 500
    #[arg(long, conflicts_with = "ids")]
    pub(crate) filter: Option<String>,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}
