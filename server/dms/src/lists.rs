//! Lists of targets by SQL: a firm's own database tells which clients, matters or workspaces there are. Nothing is ever written there.
//!
//! ```toml
//! [[lists]]
//! name = "matters"
//! title = "Matters"
//! kind = "postgres"
//! host = "db.firm.example"
//! database = "practice"
//! user = "postroom"                # may read what the query reads, and nothing else
//! password_file = "/run/secrets/practice-db"
//! ca_file = "/etc/postroom/firm-ca.pem"
//! query = """
//!   SELECT number, name, client, workspace FROM matters
//!   WHERE open AND (name ILIKE '%' || :text || '%' OR number LIKE :text || '%')
//!     AND EXISTS (SELECT 1 FROM team WHERE team.matter = matters.number AND team.email = :person_email)
//!   ORDER BY number"""
//!
//! [lists.columns]
//! key = "number"
//! title = "name"
//! subtitle = "client"
//! workspace = "workspace"
//! ```
//!
//! Parameters are `:name`; they become positional ones of the database's own protocol and are texts, so a number is compared with
//! `:client::int`. `:person` and `:person_email` are filled in with who asks and can be given by nobody. What is not given is
//! empty.
//!
//! `kind = "sql_server"` asks Microsoft SQL Server in the same words, in its own SQL and with `CAST(:client AS int)`, in a program that was
//! built with the cargo feature `sql-server`. The feature is off by itself: the driver brings a second library of ciphers with it.
//!
//! What keeps the database safe, each for itself: the statement must be one query (parsed, not searched for words); on PostgreSQL it
//! runs in a transaction that is read-only and has a time limit on the server, on SQL Server in one that is never committed; the account should have no right to write, which the
//! doctor looks at.

mod postgres;
mod settings;
mod source;
#[cfg(feature = "sql-server")]
mod sql_server;
mod statement;

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::ids::ListName;
use postroom_domain::lists::{Asker, ListError, ListOffered, ListRows, TargetLists};
use tokio::time::timeout;

pub use self::settings::{Columns, Kind, Settings, SetupError, Tls};
use self::source::Source;
use self::statement::Statement;
use crate::doctor::{Finding, Level};

/// The longest value of a parameter, in bytes.
const LONGEST_VALUE: usize = 1000;
/// Who asks.
const PERSON: &str = "person";
/// Their e-mail.
const PERSON_EMAIL: &str = "person_email";
/// All texts of an answer together, in bytes; reading stops there.
const MOST_BYTES: usize = 4 << 20;
/// The server ends a statement by itself; this much later its answer is not waited for any more.
const GRACE: Duration = Duration::from_secs(1);

/// What went wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// It took too long.
    Slow,
    /// The database cannot make sense of a value, such as a number that is none.
    BadValue,
    /// Anything else, for logs: no values, no secrets.
    Failed(String),
}

/// All lists of the settings.
pub struct SqlLists(Vec<List>);

struct List {
    name: ListName,
    title: String,
    statement: Statement,
    rows: usize,
    time: Duration,
    source: Source,
}

impl SqlLists {
    /// The lists of these settings. Files are read and statements checked now; nothing is sent yet.
    pub fn new<'a>(settings: impl IntoIterator<Item = &'a Settings>) -> Result<Self, SetupError> {
        let mut lists: Vec<List> = Vec::new();
        for one in settings {
            if lists.iter().any(|it| it.name == one.name) {
                return Err(one.wrong("name", "stands twice"));
            }
            let statement = one.check()?;
            let source = Source::new(one, &statement)?;
            lists.push(List {
                name: one.name.clone(),
                title: one.title.clone().unwrap_or_else(|| one.name.to_string()),
                statement,
                rows: one.rows,
                time: one.time(),
                source,
            });
        }
        Ok(Self(lists))
    }

    /// Asks each list for one row, with no value for any parameter, and tells what will not work.
    pub async fn doctor(&self) -> Vec<(ListName, Finding)> {
        let mut all = Vec::new();
        for list in &self.0 {
            all.extend(list.doctor().await.into_iter().map(|finding| (list.name.clone(), finding)));
        }
        all
    }
}

impl List {
    /// The values in the order of the statement's parameters.
    fn values(&self, by: &Asker, given: &BTreeMap<String, String>) -> Result<Vec<Option<String>>, ListError> {
        let wanted = &self.statement.parameters;
        for (name, value) in given {
            if !wanted.contains(name) || is_ours(name) {
                return Err(ListError::NoParameter(name.clone()));
            }
            if value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
                return Err(ListError::BadValue(name.clone()));
            }
        }
        let value = |name: &String| match name.as_str() {
            PERSON => Ok(Some(by.name.clone())),
            PERSON_EMAIL => by.email.clone().map(Some).ok_or(ListError::NotAPerson),
            _ => Ok(Some(given.get(name).cloned().unwrap_or_default())),
        };
        wanted.iter().map(value).collect()
    }

    async fn ask(&self, values: &[Option<String>], most: usize) -> Result<ListRows, Trouble> {
        timeout(self.time + GRACE, self.source.rows(values, most)).await.unwrap_or(Err(Trouble::Slow))
    }

    async fn doctor(&self) -> Vec<Finding> {
        let nothing = vec![None; self.statement.parameters.len()];
        let mut all = Vec::new();
        all.push(match self.ask(&nothing, 1).await {
            Ok(_) => Finding::good("query", format!("answers within {} seconds", self.time.as_secs())),
            Err(trouble) => {
                let (detail, advice) = match trouble {
                    Trouble::Slow => (
                        format!("gave no answer within {} seconds", self.time.as_secs()),
                        "give the query an index, or the list more seconds",
                    ),
                    Trouble::BadValue => (
                        "the database makes nothing of an empty parameter".to_owned(),
                        "let the query bear parameters without a value",
                    ),
                    Trouble::Failed(why) => (why, "look at host, account, query and columns of the list"),
                };
                Finding { level: Level::Bad, subject: "query", detail, advice }
            }
        });
        if all.iter().all(|it| it.level == Level::Good) {
            all.extend(timeout(self.time + GRACE, self.source.power()).await.ok().flatten());
        }
        all
    }
}

/// Whether a parameter is filled in here and never taken from a request.
fn is_ours(name: &str) -> bool {
    name == PERSON || name == PERSON_EMAIL
}

impl TargetLists for SqlLists {
    fn lists(&self) -> Vec<ListOffered> {
        let offered = |list: &List| {
            let parameters = list.statement.parameters.iter().filter(|name| !is_ours(name)).cloned();
            ListOffered {
                name: list.name.clone(),
                title: list.title.clone(),
                parameters: parameters.collect(),
            }
        };
        self.0.iter().map(offered).collect()
    }

    fn rows<'a>(
        &'a self,
        by: &'a Asker,
        list: &'a ListName,
        given: &'a BTreeMap<String, String>,
    ) -> Fut<'a, Result<ListRows, ListError>> {
        Box::pin(async move {
            let found = self.0.iter().find(|it| it.name == *list);
            let found = found.ok_or_else(|| ListError::NoList(list.clone()))?;
            let values = found.values(by, given)?;
            found.ask(&values, found.rows).await.map_err(|trouble| {
                tracing::warn!(list = %list, ?trouble, "A list of targets gave no rows.");
                match trouble {
                    Trouble::Slow => ListError::Slow,
                    Trouble::BadValue => {
                        ListError::BadValue(given.keys().cloned().collect::<Vec<_>>().join(", "))
                    }
                    Trouble::Failed(why) => ListError::Failed(why),
                }
            })
        })
    }
}
