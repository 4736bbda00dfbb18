//! `discover`: what a DMS calls its libraries, cabinets or sites, so that their ids need not be looked for in its own pages. A running
//! server is asked, because it holds the accounts' tokens (two that renew one refresh token could lose it); without one the connection
//! is made here.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use postroom_api::client::Client;
use postroom_api::place::{LibraryView, PartList};
use postroom_domain::dms::DmsError;
use postroom_domain::ids::ServiceName;
use postroom_domain::person::Actor;
use postroom_domain::time::Clock;

use super::{connection, lines, plain, print};
use crate::cli::DiscoverArgs;
use crate::connectors::connectors;
use crate::foundation::Foundation;
use crate::settings::{DestinationKind, Settings};
use crate::system::SystemClock;

/// Listing goes page by page, each with the connection's own time-outs.
const PATIENCE: Duration = Duration::from_mins(2);

/// Lists them.
pub(super) async fn run(args: DiscoverArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.config.config, std::env::vars())?;
    let (name, kind) = destination(&settings, &args.destination)?;
    let found = async {
        match connection::listens(&settings.socket()).await {
            Some(server) => ask(&server, &name).await,
            None => look(&settings, &name).await,
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    let found =
        found.with_context(|| format!("{name} does not answer within {} s", PATIENCE.as_secs()))??;
    lines(&found, args.json, line)?;
    if !args.json {
        print(&match (found.is_empty(), kind) {
            (true, _) => format!("The account at {name} sees none; `postroom doctor` tells why.\n"),
            (false, DestinationKind::Highq) => {
                "\nA site's id goes into `library` of [[repositories]] where one site serves all.\n"
                    .to_owned()
            }
            (false, _) => {
                "\nAn id goes into `library` of [[repositories]], or into the destination's own settings.\n"
                    .to_owned()
            }
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The destination by its name, or the only one of a kind.
fn destination(settings: &Settings, wanted: &str) -> anyhow::Result<(ServiceName, DestinationKind)> {
    let all: Vec<_> = settings.destinations.iter().map(toml::Spanned::get_ref).collect();
    let of_kind: Vec<_> = all.iter().filter(|it| it.kind.as_str() == wanted).collect();
    match (all.iter().find(|it| it.name.as_str() == wanted), of_kind.as_slice()) {
        (Some(it), _) => Ok((it.name.clone(), it.kind)),
        (None, [only]) => Ok((only.name.clone(), only.kind)),
        (None, []) => {
            let names: Vec<_> = all.iter().map(|it| it.name.to_string()).collect();
            bail!("there is no destination \"{wanted}\" (the settings have: {})", names.join(", "))
        }
        (None, several) => {
            let names: Vec<_> = several.iter().map(|it| it.name.to_string()).collect();
            bail!("several destinations are of kind \"{wanted}\"; name one of {}", names.join(", "))
        }
    }
}

async fn ask(server: &Client, name: &ServiceName) -> anyhow::Result<Vec<LibraryView>> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = server.libraries(name, &PartList { cursor }).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Without a server. The data folder is opened only where the system account's tokens lie in it.
async fn look(settings: &Settings, name: &ServiceName) -> anyhow::Result<Vec<LibraryView>> {
    let linked =
        settings.destinations.iter().any(|it| it.get_ref().name == *name && it.get_ref().system_is_linked());
    if !linked {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        return list(&connectors(settings, &clock, None)?, name).await;
    }
    if !settings.data.dir.join("store.redb").is_file() {
        bail!(
            "the system account of {name} is to be linked: start the server, sign in as an administrator and link it"
        );
    }
    let (foundation, _cellar) = Foundation::lay(settings).await?;
    let found = list(&foundation.connectors, name).await;
    foundation.store.close().await?;
    found
}

async fn list(
    connectors: &[crate::connectors::Connector],
    name: &ServiceName,
) -> anyhow::Result<Vec<LibraryView>> {
    let connector =
        connectors.iter().find(|it| it.name == *name).context("the destination has no connector")?;
    let (dms, actor) = (connector.dms(), Actor::system("postroom", None));
    let (mut all, mut page) = (Vec::new(), None::<String>);
    loop {
        let listed = match dms.libraries(&actor, page.as_deref()).await {
            Err(DmsError::Unsupported(_)) => bail!(
                "{name} is of kind \"{}\", which has no libraries: repositories name workspaces only",
                connector.kind.as_str()
            ),
            other => other.with_context(|| format!("{name} did not tell its libraries"))?,
        };
        all.extend(listed.items.into_iter().map(LibraryView::from));
        page = listed.next;
        if page.is_none() {
            return Ok(all);
        }
    }
}

fn line(library: &LibraryView) -> String {
    let fields: Vec<String> =
        library.fields.iter().map(|(key, value)| format!("{}={}", plain(key), plain(value))).collect();
    let fields = if fields.is_empty() { String::new() } else { format!("  {}", fields.join(" ")) };
    format!("{:<20}  {}{fields}\n", plain(&library.id), plain(&library.name))
}
