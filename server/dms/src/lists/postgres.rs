//! PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use futures_util::{TryStreamExt as _, pin_mut};
use postroom_domain::lists::{ListRow, ListRows};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Config, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{Settings, SetupError, Tls};
use super::statement::Statement;
use super::{GRACE, MOST_BYTES, Trouble};
use crate::doctor::{Finding, Level};

/// Connections to one database at once; people who search wait for each other rather than fill the server.
const CONNECTIONS: usize = 4;

/// One list's database.
pub(super) struct Postgres {
    pool: Pool,
    /// The query within one that makes texts of its columns. `{limit}` is for the number of rows.
    text: String,
    parameters: usize,
    /// The names of further values, in the order of their columns.
    fields: Vec<String>,
    has_subtitle: bool,
    has_workspace: bool,
    time: Duration,
}

impl Postgres {
    pub(super) fn new(settings: &Settings, statement: &Statement) -> Result<Self, SetupError> {
        let columns: Vec<String> = settings.column_names().into_iter().map(as_text).collect();
        // On lines of its own, so that a comment at its end ends there.
        let text = format!("SELECT {} FROM (\n{}\n) AS rows", columns.join(", "), statement.text);
        Ok(Self {
            pool: pool(settings)?,
            text,
            parameters: statement.parameters.len(),
            fields: settings.columns.fields.keys().cloned().collect(),
            has_subtitle: settings.columns.subtitle.is_some(),
            has_workspace: settings.columns.workspace.is_some(),
            time: settings.time(),
        })
    }

    /// The first rows, as many as are asked for.
    pub(super) async fn rows(&self, values: &[Option<String>], most: usize) -> Result<ListRows, Trouble> {
        // A server that was started anew has left dead connections behind; asking again is harmless.
        for _ in 0..CONNECTIONS {
            let mut client = self.client().await?;
            let read =
                tokio::time::timeout(self.time + GRACE / 2, self.read(&mut client, values, most)).await;
            match read {
                Ok(Err(error)) if is_gone(&error) => drop(Object::take(client)),
                Ok(read) => return read.map_err(|error| shape(&error)),
                Err(_) => {
                    // What still runs on it is nobody's any more.
                    drop(Object::take(client));
                    return Err(Trouble::Slow);
                }
            }
        }
        self.read(&mut self.client().await?, values, most).await.map_err(|error| shape(&error))
    }

    async fn client(&self) -> Result<Client, Trouble> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => Trouble::Slow,
            PoolError::Timeout(_) => Trouble::Failed("the database takes no connection in time".to_owned()),
            PoolError::Backend(error) => shape(&error),
            other => Trouble::Failed(other.to_string()),
        })
    }

    async fn read(
        &self,
        client: &mut Client,
        values: &[Option<String>],
        most: usize,
    ) -> Result<ListRows, tokio_postgres::Error> {
        let transaction = client.build_transaction().read_only(true).start().await?;
        let time = format!("SET LOCAL statement_timeout = {}", self.time.as_millis());
        transaction.batch_execute(&time).await?;
        let text = format!("{} LIMIT {}", self.text, most + 1);
        // Every parameter is a text, so that its type is not guessed from where it stands.
        let statement = transaction.prepare_typed(&text, &vec![Type::TEXT; self.parameters]).await?;
        let stream = transaction.query_raw(&statement, values.iter().cloned()).await?;
        let (mut found, mut bytes) = (ListRows::default(), 0);
        pin_mut!(stream);
        while let Some(row) = stream.try_next().await? {
            if found.rows.len() == most || bytes > MOST_BYTES {
                found.more = true;
                break;
            }
            found.rows.push(self.row(&row, &mut bytes)?);
        }
        Ok(found)
    }

    fn row(&self, row: &Row, bytes: &mut usize) -> Result<ListRow, tokio_postgres::Error> {
        let mut at = 0;
        let mut next = || -> Result<Option<String>, tokio_postgres::Error> {
            let value: Option<String> = row.try_get(at)?;
            at += 1;
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
        let client = self.client().await.ok()?;
        let row = client.query_one("SELECT current_setting('is_superuser') = 'on'", &[]).await.ok()?;
        let superuser: bool = row.try_get(0).ok()?;
        Some(if superuser {
            Finding {
                level: Level::Warning,
                subject: "account",
                detail: "the account may do everything in this database server".to_owned(),
                advice: "use one that may only read what the query reads",
            }
        } else {
            Finding::good("account", "is no superuser")
        })
    }
}

/// A column as a text, whatever its type.
fn as_text(column: &str) -> String {
    format!("(rows.\"{}\")::text", column.replace('"', "\"\""))
}

fn pool(settings: &Settings) -> Result<Pool, SetupError> {
    let password = postroom_outbound::read_secret(
        "password",
        settings.password.as_ref(),
        settings.password_file.as_deref(),
    );
    let password = password.map_err(|error| settings.wrong("password", error.to_string()))?;
    let mut config = Config::new();
    config
        .host(&settings.host)
        .port(settings.port.unwrap_or(5432))
        .dbname(&settings.database)
        .user(&settings.user)
        .password(postroom_outbound::expose(&password))
        .application_name("postroom")
        .connect_timeout(settings.time());
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match settings.tls {
        Tls::Off => Manager::from_config(config.ssl_mode(SslMode::Disable).clone(), NoTls, recycling),
        Tls::Verify => {
            let tls = MakeRustlsConnect::new(tls(settings)?);
            Manager::from_config(config.ssl_mode(SslMode::Require).clone(), tls, recycling)
        }
    };
    let time = Some(settings.time());
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(time)
        .create_timeout(time)
        .build()
        .map_err(|error| settings.wrong("host", error.to_string()))
}

fn tls(settings: &Settings) -> Result<rustls::ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| settings.wrong("tls", error.to_string()))?;
    let Some(path) = &settings.ca_file else {
        let builder = builder.with_platform_verifier();
        return Ok(builder.map_err(|error| settings.wrong("tls", error.to_string()))?.with_no_client_auth());
    };
    let wrong = |problem: String| settings.wrong("ca_file", format!("{}: {problem}", path.display()));
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate in PEM form".to_owned()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Whether the connection had ended before the question.
fn is_gone(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.code().is_some_and(|code| code.code().starts_with("57P"))
}

/// What an error means. Its text is left out where it repeats values.
fn shape(error: &tokio_postgres::Error) -> Trouble {
    let Some(said) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(error);
        while let Some(inner) = next {
            text = format!("{text}: {inner}");
            next = inner.source();
        }
        return Trouble::Failed(text);
    };
    match said.code() {
        code if *code == SqlState::QUERY_CANCELED => Trouble::Slow,
        // Class 22: what a value holds is not what its place wants.
        code if code.code().starts_with("22") => Trouble::BadValue,
        code => Trouble::Failed(format!("{} ({})", said.message(), code.code())),
    }
}
