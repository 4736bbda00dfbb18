//! Microsoft SQL Server.
//!
//! It has no transactions that only read. What keeps it safe besides the parsed statement: the connection asks for a read-only replica
//! where there is one, the transaction is never committed, waiting for locks and the number of rows are limited on the server, and who
//! takes too long is hung up on, which ends the statement.
//!
//! The driver makes TLS inside of its own protocol, so the certificates it trusts are the system's or those of `ca_file`.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use postroom_domain::lists::{ListRow, ListRows};
use postroom_outbound::SecretString;
use tiberius::{AuthMethod, Client, ColumnData, Config, EncryptionLevel, Query, QueryItem, Row};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use super::settings::{Settings, SetupError, Tls};
use super::statement::Statement;
use super::{MOST_BYTES, Trouble};
use crate::doctor::{Finding, Level};

/// Connections to one database at once. Each question has one of its own: what a search costs is the query, not the greeting.
const CONNECTIONS: usize = 4;
/// The server's codes for a value that is none of the type it is compared with: arithmetic overflow, and failed conversions.
const BAD_VALUES: [u32; 6] = [220, 241, 245, 8114, 8115, 8169];
/// A lock was not given in time.
const LOCK_TIME_OUT: u32 = 1222;

type Connection = Client<Compat<TcpStream>>;

/// One list's database.
pub(super) struct SqlServer {
    config: Config,
    password: SecretString,
    user: String,
    room: Semaphore,
    text: String,
    /// Columns in the order of [`Settings::column_names`].
    columns: Vec<String>,
    fields: Vec<String>,
    has_subtitle: bool,
    has_workspace: bool,
    time: Duration,
}

impl SqlServer {
    pub(super) fn new(settings: &Settings, statement: &Statement) -> Result<Self, SetupError> {
        let password = postroom_outbound::read_secret(
            "password",
            settings.password.as_ref(),
            settings.password_file.as_deref(),
        );
        let password = password.map_err(|error| settings.wrong("password", error.to_string()))?;
        let mut config = Config::new();
        config.host(&settings.host);
        config.port(settings.port.unwrap_or(1433));
        config.database(&settings.database);
        config.application_name("postroom");
        config.readonly(true);
        config.encryption(match settings.tls {
            Tls::Verify => EncryptionLevel::Required,
            Tls::Off => EncryptionLevel::NotSupported,
        });
        if let Some(file) = &settings.ca_file {
            let read = std::fs::metadata(file);
            read.map_err(|error| settings.wrong("ca_file", format!("{}: {error}", file.display())))?;
            config.trust_cert_ca(file.display().to_string());
        }
        Ok(Self {
            config,
            password,
            user: settings.user.clone(),
            room: Semaphore::new(CONNECTIONS),
            text: statement.text.clone(),
            columns: settings.column_names().into_iter().map(str::to_owned).collect(),
            fields: settings.columns.fields.keys().cloned().collect(),
            has_subtitle: settings.columns.subtitle.is_some(),
            has_workspace: settings.columns.workspace.is_some(),
            time: settings.time(),
        })
    }

    /// The first rows, as many as are asked for.
    pub(super) async fn rows(&self, values: &[Option<String>], most: usize) -> Result<ListRows, Trouble> {
        let asking = async {
            let Ok(_room) = self.room.acquire().await else { return Err(Trouble::Slow) };
            let mut client = self.connect().await?;
            self.read(&mut client, values, most).await.map_err(|error| shape(&error))?
        };
        // Giving up closes the connection, and that ends the statement.
        tokio::time::timeout(self.time, asking).await.unwrap_or(Err(Trouble::Slow))
    }

    async fn connect(&self) -> Result<Connection, Trouble> {
        let mut config = self.config.clone();
        config.authentication(AuthMethod::sql_server(&self.user, postroom_outbound::expose(&self.password)));
        let unreachable = |error: std::io::Error| Trouble::Failed(format!("cannot be reached: {error}"));
        let stream = TcpStream::connect(config.get_addr()).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        // The driver's future is large.
        Box::pin(Client::connect(config, stream.compat_write())).await.map_err(|error| shape(&error))
    }

    async fn read(
        &self,
        client: &mut Connection,
        values: &[Option<String>],
        most: usize,
    ) -> tiberius::Result<Result<ListRows, Trouble>> {
        let limits = format!(
            "SET LOCK_TIMEOUT {}; SET ROWCOUNT {}; SET XACT_ABORT ON; BEGIN TRANSACTION",
            self.time.as_millis(),
            most + 1
        );
        client.simple_query(limits).await?.into_results().await?;
        let mut query = Query::new(&self.text);
        for value in values {
            query.bind(value.as_deref());
        }
        let mut stream = query.query(client).await?;
        let (mut found, mut bytes) = (ListRows::default(), 0);
        while let Some(item) = stream.try_next().await? {
            let QueryItem::Row(row) = item else { continue };
            if found.rows.len() == most || bytes > MOST_BYTES {
                found.more = true;
                break;
            }
            match self.row(&row, &mut bytes) {
                Ok(row) => found.rows.push(row),
                Err(why) => return Ok(Err(Trouble::Failed(why))),
            }
        }
        Ok(Ok(found))
    }

    fn row(&self, row: &Row, bytes: &mut usize) -> Result<ListRow, String> {
        let mut names = self.columns.iter();
        let mut next = || -> Result<Option<String>, String> {
            let name = names.next().ok_or("a column too few")?;
            let data = row.get_column_data(name.as_str());
            let value = text(data.map_err(|_| format!("the query gives no column {name:?}"))?)
                .map_err(|kind| format!("the column {name:?} is of the type {kind}: CAST it to nvarchar"))?;
            *bytes += value.as_ref().map_or(0, String::len);
            Ok(value)
        };
        let mut found = ListRow {
            key: next()?.unwrap_or_default(),
            title: next()?.unwrap_or_default(),
            ..ListRow::default()
        };
        if self.has_subtitle {
            found.subtitle = next()?;
        }
        if self.has_workspace {
            found.workspace = next()?;
        }
        for name in &self.fields {
            if let Some(value) = next()? {
                found.fields.insert(name.clone(), value);
            }
        }
        Ok(found)
    }

    /// Whether the account can do more than it should.
    pub(super) async fn power(&self) -> Option<Finding> {
        let mut client = self.connect().await.ok()?;
        let stream = client.simple_query("SELECT IS_SRVROLEMEMBER('sysadmin')").await.ok()?;
        let row = stream.into_row().await.ok()??;
        Some(if row.try_get::<i32, _>(0).ok()? == Some(1) {
            Finding {
                level: Level::Warning,
                subject: "account",
                detail: "the account may do everything in this database server".to_owned(),
                advice: "use one that may only read what the query reads",
            }
        } else {
            Finding::good("account", "is no system administrator")
        })
    }
}

/// A value as people write it. Dates are written in many ways, so the query says in which; the name of the type otherwise.
fn text(data: &ColumnData<'_>) -> Result<Option<String>, &'static str> {
    Ok(match data {
        ColumnData::U8(it) => it.map(|it| it.to_string()),
        ColumnData::I16(it) => it.map(|it| it.to_string()),
        ColumnData::I32(it) => it.map(|it| it.to_string()),
        ColumnData::I64(it) => it.map(|it| it.to_string()),
        ColumnData::F32(it) => it.map(|it| it.to_string()),
        ColumnData::F64(it) => it.map(|it| it.to_string()),
        ColumnData::Bit(it) => it.map(|it| u8::from(it).to_string()),
        ColumnData::String(it) => it.as_ref().map(|it| it.clone().into_owned()),
        ColumnData::Guid(it) => it.map(|it| it.to_string()),
        ColumnData::Numeric(it) => it.map(|it| it.to_string()),
        ColumnData::Binary(_) => return Err("binary"),
        ColumnData::Xml(_) => return Err("xml"),
        _ => return Err("date or time"),
    })
}

/// For logs. What the server says of a statement may quote its values, so only its number is told then.
fn shape(error: &tiberius::error::Error) -> Trouble {
    match error.code() {
        Some(LOCK_TIME_OUT) => Trouble::Slow,
        Some(code) if BAD_VALUES.contains(&code) => Trouble::BadValue,
        Some(code) => Trouble::Failed(format!("the database refuses it: error {code}")),
        None => Trouble::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use tiberius::numeric::Numeric;

    use super::*;

    #[test]
    fn values_are_written_as_people_write_them() {
        let shown = |data: ColumnData<'_>| text(&data).map(|it| it.unwrap_or_else(|| "-".to_owned()));
        for (data, wanted) in [
            (ColumnData::I32(Some(-7)), Ok("-7")),
            (ColumnData::U8(Some(255)), Ok("255")),
            (ColumnData::I64(None), Ok("-")),
            (ColumnData::Bit(Some(true)), Ok("1")),
            (ColumnData::String(Some("Harrow v Teal".into())), Ok("Harrow v Teal")),
            (ColumnData::String(None), Ok("-")),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(57_705, 2))), Ok("577.05")),
            (ColumnData::Binary(None), Err("binary")),
            (ColumnData::SmallDateTime(None), Err("date or time")),
        ] {
            let about = format!("{data:?}");
            assert_eq!(shown(data), wanted.map(str::to_owned), "{about}");
        }
    }
}
