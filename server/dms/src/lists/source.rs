//! The database behind a list, of whichever kind.

use postroom_domain::lists::ListRows;

use super::Trouble;
use super::postgres::Postgres;
use super::settings::{Kind, Settings, SetupError};
#[cfg(feature = "sql-server")]
use super::sql_server::SqlServer;
use super::statement::Statement;
use crate::doctor::Finding;

pub(super) enum Source {
    Postgres(Postgres),
    #[cfg(feature = "sql-server")]
    SqlServer(Box<SqlServer>),
}

impl Source {
    pub(super) fn new(settings: &Settings, statement: &Statement) -> Result<Self, SetupError> {
        match settings.kind {
            Kind::Postgres => Postgres::new(settings, statement).map(Self::Postgres),
            #[cfg(feature = "sql-server")]
            Kind::SqlServer => SqlServer::new(settings, statement).map(Box::new).map(Self::SqlServer),
            #[cfg(not(feature = "sql-server"))]
            Kind::SqlServer => Err(settings
                .wrong("kind", "this program is built without SQL Server (cargo feature \"sql-server\")")),
        }
    }

    /// The first rows, as many as are asked for.
    pub(super) async fn rows(&self, values: &[Option<String>], most: usize) -> Result<ListRows, Trouble> {
        match self {
            Self::Postgres(it) => it.rows(values, most).await,
            #[cfg(feature = "sql-server")]
            Self::SqlServer(it) => it.rows(values, most).await,
        }
    }

    /// Whether the account can do more than it should.
    pub(super) async fn power(&self) -> Option<Finding> {
        match self {
            Self::Postgres(it) => it.power().await,
            #[cfg(feature = "sql-server")]
            Self::SqlServer(it) => it.power().await,
        }
    }
}
