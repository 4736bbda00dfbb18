//! Reaching a server for administration: on this machine by the socket of its settings, elsewhere by address and token.

use std::path::Path;

use anyhow::{Context as _, bail};
use postroom_api::client::{Client, ClientError};

use crate::cli::ServerArgs;
use crate::settings::Settings;

/// A connection to the server that the arguments name.
#[expect(clippy::disallowed_methods, reason = "the token of a client, not a setting of the server")]
pub(super) fn connect(args: &ServerArgs) -> anyhow::Result<Client> {
    let Some(server) = &args.server else {
        let settings = Settings::load(&args.config, std::env::vars())?;
        return Ok(Client::local(&settings.socket())?);
    };
    let token = match (&args.token_file, std::env::var("POSTROOM_TOKEN")) {
        (Some(path), _) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the token file {}", path.display()))?,
        (None, Ok(token)) => token,
        (None, Err(_)) => bail!("no token for {server}; give --token-file FILE or set POSTROOM_TOKEN"),
    };
    Ok(Client::new(server, token.trim())?)
}

/// What went wrong, with what to do about a server that does not answer.
pub(super) fn explained(error: anyhow::Error, args: &ServerArgs) -> anyhow::Error {
    match error.downcast_ref() {
        Some(ClientError::Unreachable(_)) => error.context(match &args.server {
            Some(server) => format!("no answer from {server}"),
            None => format!(
                "no server runs with the settings {}; start it with `postroom serve`, then ask again",
                args.config.display()
            ),
        }),
        _ => error,
    }
}

/// Whether a server listens on a socket.
pub(super) async fn listens(socket: &Path) -> Option<Client> {
    let client = Client::local(socket).ok()?;
    client.me().await.ok().map(|_| client)
}
