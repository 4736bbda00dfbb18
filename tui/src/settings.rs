//! The command line and the environment.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Parser;

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

    /// Colours: dark, light or mono; mono when `NO_COLOR` is set
    #[arg(long, value_enum, value_name = "THEME")]
    theme: Option<Kind>,

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

    /// The colours.
    pub(crate) fn theme(&self) -> Kind {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        self.theme.unwrap_or(if no_color { Kind::Mono } else { Kind::Dark })
    }
}
