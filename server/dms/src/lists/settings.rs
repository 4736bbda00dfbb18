//! Settings of a list of targets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use postroom_domain::ids::ListName;
use postroom_outbound::SecretString;
use serde::Deserialize;

use super::statement::Statement;

/// Which kind of database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// Microsoft SQL Server, where the program was built with it.
    SqlServer,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// By TLS; certificate and name are verified. There is no half of it.
    #[default]
    Verify,
    /// Not at all: for a database on the same machine.
    Off,
}

/// What the query's columns mean, each by the column's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// What tells a row from the others.
    pub key: String,
    /// What people read.
    pub title: String,
    /// A second line.
    pub subtitle: Option<String>,
    /// The DMS's id of the workspace.
    pub workspace: Option<String>,
    /// Further values: the name that answers have, and the column.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// A list, one `[[lists]]` of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name in addresses.
    pub name: ListName,
    /// As people call it; its name if absent.
    pub title: Option<String>,
    /// Which kind of database.
    pub kind: Kind,
    /// The server.
    pub host: String,
    /// Its port; the kind's usual one if absent.
    pub port: Option<u16>,
    /// The database.
    pub database: String,
    /// The account, which should be allowed to read what the query reads and nothing else.
    pub user: String,
    /// Its password.
    pub password: Option<SecretString>,
    /// A file with it.
    pub password_file: Option<PathBuf>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: Tls,
    /// The only certificate authorities that are trusted, in PEM; those of the system if absent.
    pub ca_file: Option<PathBuf>,
    /// One SELECT, with parameters such as `:text`.
    pub query: String,
    /// What its columns mean.
    pub columns: Columns,
    /// Most rows of an answer.
    #[serde(default = "two_hundred")]
    pub rows: usize,
    /// Longest time for an answer, in seconds.
    #[serde(default = "five")]
    pub seconds: u64,
}

const fn two_hundred() -> usize {
    200
}
const fn five() -> u64 {
    5
}

/// Why no list can be made from the settings. The text names list and key.
#[derive(Debug, thiserror::Error)]
#[error("lists \"{list}\": {key}: {problem}")]
pub struct SetupError {
    /// The list.
    pub list: ListName,
    /// The key in the settings.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Settings {
    pub(super) fn wrong(&self, key: &'static str, problem: impl Into<String>) -> SetupError {
        SetupError { list: self.name.clone(), key, problem: problem.into() }
    }

    /// Checks what needs no server; the query, read.
    pub(super) fn check(&self) -> Result<Statement, SetupError> {
        for (key, text) in [
            ("host", &self.host),
            ("database", &self.database),
            ("user", &self.user),
            ("columns.key", &self.columns.key),
            ("columns.title", &self.columns.title),
        ] {
            if text.trim().is_empty() {
                return Err(self.wrong(key, "is empty"));
            }
        }
        if !(1..=1000).contains(&self.rows) {
            return Err(self.wrong("rows", "is not between 1 and 1000"));
        }
        // Shorter than clients wait, so that they are told.
        if !(1..=15).contains(&self.seconds) {
            return Err(self.wrong("seconds", "is not between 1 and 15"));
        }
        if self.tls == Tls::Off && self.ca_file.is_some() {
            return Err(self.wrong("ca_file", "says nothing with tls = \"off\""));
        }
        Statement::read(&self.query, self.kind).map_err(|problem| self.wrong("query", problem))
    }

    pub(super) const fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The columns in one order, which the source keeps: key, title, subtitle, workspace, fields.
    pub(super) fn column_names(&self) -> Vec<&str> {
        let Columns { key, title, subtitle, workspace, fields } = &self.columns;
        let optional = subtitle.iter().chain(workspace).chain(fields.values());
        [key, title].into_iter().chain(optional).map(String::as_str).collect()
    }
}
