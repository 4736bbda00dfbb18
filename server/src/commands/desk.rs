//! What the operators' subcommands have in common: reaching the server, telling what was done, and files that are whole or not there.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use postroom_api::client::{Client, ClientError, ClientResult, Download};

use super::print;
use crate::cli::ReachArgs;

/// A connection with a token out of a file, or as it is.
pub(super) fn reach(server: &str, token_file: Option<&Path>, token: Option<&str>) -> anyhow::Result<Client> {
    let token = match (token_file, token) {
        (Some(path), _) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the token file {}", path.display()))?,
        (None, Some(token)) => token.to_owned(),
        (None, None) => bail!("no token; give --token-file FILE or set POSTROOM_TOKEN"),
    };
    Ok(Client::new(server, token.trim())?)
}

impl ReachArgs {
    /// A connection to the server that the arguments name.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        reach(&self.server, self.token_file.as_deref(), self.token.as_deref())
    }

    /// What went wrong, with the address of a server that does not answer.
    pub(super) fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        unanswered(error, &self.server)
    }
}

/// What went wrong, with the address of a server that does not answer.
pub(super) fn unanswered(error: anyhow::Error, server: &str) -> anyhow::Error {
    match error.downcast_ref() {
        Some(ClientError::Unreachable(_)) => error.context(format!("no answer from {server}")),
        _ => error,
    }
}

/// Tells that something was done which has no answer of its own.
pub(super) fn done(id: &str, what: &str, json: bool) -> anyhow::Result<()> {
    let line = serde_json::json!({ "id": id, "done": what });
    Ok(print(&if json { format!("{line}\n") } else { format!("{id}  {what}\n") })?)
}

/// Writes what is downloaded to a file that is made for it, or to standard output. What breaks off is no file.
pub(super) async fn deliver(
    download: impl Future<Output = ClientResult<Download>>,
    out: Option<&Path>,
    (noun, json): (&str, bool),
) -> anyhow::Result<()> {
    let Some(path) = out else {
        let mut download = download.await?;
        while let Some(piece) = download.piece().await? {
            std::io::stdout().lock().write_all(&piece)?;
        }
        return Ok(std::io::stdout().lock().flush()?);
    };
    // Before it is asked for: exports are told in the history, and one that cannot be written should not be.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    let written = async {
        let mut download = download.await?;
        let mut bytes = 0;
        while let Some(piece) = download.piece().await? {
            file.write_all(&piece).with_context(|| format!("cannot write {}", path.display()))?;
            bytes += piece.len();
        }
        file.sync_all().with_context(|| format!("cannot write {}", path.display()))?;
        anyhow::Ok(bytes)
    };
    match written.await {
        Ok(bytes) if json => Ok(print(&format!("{}\n", serde_json::json!({"file": path, "bytes": bytes})))?),
        Ok(bytes) => Ok(print(&format!("{} holds {noun} ({bytes} bytes).\n", path.display()))?),
        Err(error) => {
            // Half of it must not be taken for all of it.
            let _gone = std::fs::remove_file(path);
            bail!(error.context("the export is not whole; its file was removed"));
        }
    }
}
