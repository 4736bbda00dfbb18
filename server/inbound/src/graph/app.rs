//! The application that reads mailboxes: its tokens, and its one connection to Microsoft Graph.

use std::sync::Arc;

use postroom_domain::time::{Clock, Entropy};
use postroom_outbound::{AppProof, AppTokens, Outbound, Settings, SetupError};
use url::Url;

/// So many calls of one application at once are borne. Texts differ on whether that is per mailbox or for all of them together; what is right
/// for all together is right for each.
const ABREAST: usize = 4;

/// An application, and where it is known.
pub struct GraphAppOptions {
    /// Its name in logs.
    pub name: String,
    /// The token endpoint's host, such as `https://login.microsoftonline.com`.
    pub authority: Url,
    /// The tenant: its id or one of its domains.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// How it proves who it is.
    pub proof: AppProof,
    /// Microsoft Graph's host, such as `https://graph.microsoft.com`.
    pub endpoint: Url,
    /// How it is reached. More than four calls at once are never made.
    pub connection: Settings,
}

/// Why a mailbox cannot be read as it is wanted.
#[derive(Debug, thiserror::Error)]
pub enum GraphSetupError {
    /// There is nothing to read.
    #[error("no folder is named")]
    NoFolders,
    /// What was filed would come in again.
    #[error("{0:?} is read and cannot be where messages go once they are filed")]
    Circle(String),
    /// An address that nothing can be added to.
    #[error("{0} is no address of a server")]
    Address(&'static str),
    /// The connection cannot be made from its settings.
    #[error(transparent)]
    Connection(#[from] SetupError),
}

/// An application at Microsoft Graph, shared by all mailboxes that it reads.
pub struct GraphApp {
    pub(super) outbound: Outbound,
    pub(super) tokens: AppTokens,
    /// `{endpoint}/v1.0`
    pub(super) base: Url,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl GraphApp {
    /// Reaches out to nobody.
    pub fn new(
        options: GraphAppOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, GraphSetupError> {
        let GraphAppOptions { name, authority, tenant, client_id, proof, endpoint, mut connection } = options;
        connection.parallel = connection.parallel.min(ABREAST);
        let token_endpoint = below(&authority, "authority", &[&tenant, "oauth2", "v2.0", "token"])?;
        let base = below(&endpoint, "endpoint", &["v1.0"])?;
        let door = Outbound::new(&name, &token_endpoint, &connection)?;
        let scope = format!("{}/.default", endpoint.as_str().trim_end_matches('/'));
        Ok(Self {
            outbound: Outbound::new(&name, &base, &connection)?,
            tokens: AppTokens::new(
                door,
                token_endpoint,
                &client_id,
                proof,
                &scope,
                clock.clone(),
                entropy.clone(),
            ),
            base,
            clock,
            entropy,
        })
    }

    /// An address below the base, each part of which is escaped: ids hold characters that a path cannot carry as they are.
    pub(super) fn at<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        url
    }
}

fn below(url: &Url, key: &'static str, parts: &[&str]) -> Result<Url, GraphSetupError> {
    let mut url = url.clone();
    url.path_segments_mut().map_err(|()| GraphSetupError::Address(key))?.pop_if_empty().extend(parts);
    Ok(url)
}
