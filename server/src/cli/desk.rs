//! What operators do besides deciding over many filings: single filings, intakes, doors, saved views.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use postroom_domain::ids::{ServiceName, TeamName};

/// Which server an operator talks to, and as whom.
#[derive(Debug, Args)]
pub(crate) struct ReachArgs {
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
}

/// What is done with one filing, or tells of all.
#[derive(Debug, Subcommand)]
pub(crate) enum DeskCommand {
    /// Write a note on one; it stays with its history
    Note {
        /// Its id
        id: String,
        /// The text
        text: String,
    },
    /// Take one to work on, so that colleagues see it
    Take {
        /// Its id
        id: String,
    },
    /// Give one back
    GiveBack {
        /// Its id
        id: String,
    },
    /// Send one elsewhere, or under another name; it is tried again at once
    Edit(EditArgs),
    /// Tell that one is in the DMS already
    Link {
        /// Its id
        id: String,
        /// The document's id in the DMS
        #[arg(long)]
        document: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Write all that match a filter as a table
    Export {
        /// The filter, in the filter language; everything when not given
        #[arg(long, default_value = "")]
        filter: String,
        /// The format
        #[arg(long, value_enum, default_value = "csv")]
        format: TableArg,
        /// The file to make [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Group open filings by cause and destination, most first
    Causes,
}

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableArg {
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// Its id
    pub(crate) id: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Another destination
    #[arg(long)]
    pub(crate) service: Option<ServiceName>,
    /// Another library, cabinet or site
    #[arg(long)]
    pub(crate) library: Option<String>,
    /// The workspace with this title
    #[arg(long, conflicts_with = "workspace_id")]
    pub(crate) workspace_title: Option<String>,
    /// The workspace with this id
    #[arg(long)]
    pub(crate) workspace_id: Option<String>,
    /// Other folders, from the workspace downwards: a/b; empty for the workspace itself
    #[arg(long)]
    pub(crate) folder: Option<String>,
    /// Another file name
    #[arg(long)]
    pub(crate) file_name: Option<String>,
    /// A profile field and its value, key=value; an empty value takes it away; can be given more than once
    #[arg(long, value_parser = pair)]
    pub(crate) profile: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("is not key=value")?;
    if key.is_empty() { Err("has no key".to_owned()) } else { Ok((key.to_owned(), value.to_owned())) }
}

#[derive(Debug, Args)]
pub(crate) struct IntakesArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(subcommand)]
    pub(crate) command: IntakesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IntakesCommand {
    /// List what arrived, newest first
    List(ListIntakesArgs),
    /// Show one with its filings and history
    Show {
        /// Its id
        id: String,
    },
    /// Show what is in one of its documents, as text
    Preview {
        /// Its id
        id: String,
        /// Which document, from 0
        #[arg(long, default_value_t = 0)]
        document: usize,
    },
    /// Write its untouched bytes to a file
    Original {
        /// Its id
        id: String,
        /// The file to make [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say where it belongs
    Assign {
        /// Its id
        id: String,
        /// The work item: its reference, or its id
        work_item: String,
        /// A further work item; can be given more than once
        #[arg(long)]
        also: Vec<String>,
        /// Another area than the door's
        #[arg(long)]
        area: Option<String>,
        /// Why; needed for what is quarantined
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Close it; its documents stay
    Dismiss {
        /// Its id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let it out of quarantine
    Release {
        /// Its id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Take it, or give it to somebody
    Give {
        /// Its id
        id: String,
        /// The person's name; "me" takes it
        #[arg(long, required_unless_present = "team", conflicts_with = "team")]
        person: Option<String>,
        /// A team
        #[arg(long)]
        team: Option<TeamName>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Write a note on it; it stays with its history
    Note {
        /// Its id
        id: String,
        /// The text
        text: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListIntakesArgs {
    /// In subject, sender, a file name or the work item as it was named
    pub(crate) text: Vec<String>,
    /// Only in these states: stored, split, `needs_person`, quarantined, settled, dismissed; separated by commas
    #[arg(long, default_value = "")]
    pub(crate) state: String,
    /// Only from these sources, separated by commas
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only what this person looks after ("me": you and your teams), or this team ("team:" and its name)
    #[arg(long)]
    pub(crate) allocated: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct DoorsArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(subcommand)]
    pub(crate) command: DoorsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DoorsCommand {
    /// List sources, destinations and paused accounts, with what there is to say of them
    List,
    /// Stop one: `postroom doors pause destination/dms-eu --for 2h --reason "maintenance"`
    Pause {
        /// source/NAME, destination/NAME or account/SERVICE/WHO; WHO is a person's id or system
        door: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// For how long, such as 2h or 90m; until it is resumed when not given
        #[arg(long = "for", value_name = "TIME")]
        time: Option<jiff::SignedDuration>,
    },
    /// Let one go on
    Resume {
        /// source/NAME, destination/NAME or account/SERVICE/WHO; WHO is a person's id or system
        door: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ViewsArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(subcommand)]
    pub(crate) command: ViewsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ViewsCommand {
    /// List your saved views
    List,
    /// Save one, or replace the one of that name
    Save {
        /// Its name
        name: String,
        /// The console's screen: home, mail, scanning, uploads, filings, causes, persons, destinations or events
        screen: String,
        /// The filter
        filter: Vec<String>,
    },
    /// Forget one
    Remove {
        /// Its name
        name: String,
    },
}
