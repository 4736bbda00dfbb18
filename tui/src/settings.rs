//! The command line and the environment.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Parser;

use crate::config::Config;
use crate::theme::Kind;

/// The console of Postroom.
#[derive(Parser)]
#[command(name = "postroom-tui", version, about = "The operators' console of Postroom", max_term_width = 100)]
pub struct Settings {
    /// Address of the server
    #[arg(long, env = "POSTROOM_URL", value_name = "URL", default_value = "http://127.0.0.1:8440")]
    pub(crate) server: String,

    /// File that holds the token; without it, the variable `POSTROOM_TOKEN` is used
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// Colours: those of the settings when not said; mono when `NO_COLOR` is set
    #[arg(long, value_enum, value_name = "THEME")]
    theme: Option<Kind>,

    /// The person's settings (colours, mouse, keys) [default: postroom/console.toml in the folder for settings]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where copies of originals and exports are saved
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) save_to: PathBuf,

    /// Line by line instead of a screen: for screen readers and for scripts. Commands are read from the input; "help" lists them
    #[arg(long)]
    pub(crate) plain: bool,

    /// Prints what the console can do, one JSON object a line, and ends
    #[arg(long, hide = true)]
    pub(crate) list_actions: bool,

    /// Writes a log into this file; nothing is logged without it
    #[arg(long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

impl Settings {
    /// The token, from its file or from the environment.
    pub(crate) fn token(&self) -> anyhow::Result<String> {
        let token = match &self.token_file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("the token file {} cannot be read", path.display()))?,
            // By the environment only: a command line is seen by everybody.
            None => std::env::var_os("POSTROOM_TOKEN").unwrap_or_default().to_string_lossy().into_owned(),
        };
        let token = token.trim().to_owned();
        if token.is_empty() {
            bail!("no token: name a file with --token-file, or set POSTROOM_TOKEN");
        }
        Ok(token)
    }

    /// Where the person's settings are kept.
    pub(crate) fn config_path(&self) -> Option<PathBuf> {
        self.config.clone().or_else(Config::usual_place)
    }

    /// The person's settings, with what the command line and the environment say instead.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let mut config = match self.config_path() {
            Some(path) => Config::read(&path)?,
            None => Config::default(),
        };
        if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            config.theme = Kind::Mono;
        }
        if let Some(theme) = self.theme {
            config.theme = theme;
        }
        Ok(config)
    }
}
