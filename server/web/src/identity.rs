//! What the routes know of persons, links and keys, handed in by the binary.

use std::sync::Arc;

use postroom_domain::capability::Diagnosis;
use postroom_domain::desk::{DmsAccounts, People};
use postroom_domain::ids::SiteName;
use postroom_domain::keys::Keys;
use postroom_domain::link::LinkedService;

/// Persons, their links, and the keys.
#[derive(Clone)]
pub struct Identity {
    /// The desk: persons, sessions, tokens, sign-in, links.
    pub people: Arc<People>,
    /// Finds and makes accounts of persons in the DMSs, where there are any.
    pub accounts: Option<Arc<DmsAccounts>>,
    /// Changes the vault's keys, where there are any.
    pub keys: Option<Arc<dyn Keys>>,
    /// Computes the report of what will not work.
    pub diagnosis: Option<Arc<dyn Diagnosis>>,
    /// The site that the local administrator's own records belong to.
    pub home: SiteName,
}

impl Identity {
    /// The linked services, in the order in which they are shown.
    pub fn services(&self) -> &[LinkedService] {
        &self.people.services
    }

    /// The address by which browsers reach this server, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.people.public_url
    }

    /// Whether browsers reach it encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }

    /// The scheme, host and port of the public address, as browsers send it in `Origin`.
    pub(crate) fn origin(&self) -> &str {
        origin_of(self.public_url())
    }
}

fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (url, origin) in [
            ("https://postroom.example", "https://postroom.example"),
            ("https://postroom.example/", "https://postroom.example"),
            ("http://localhost:8440/postroom/x", "http://localhost:8440"),
            ("https://[::1]:8440", "https://[::1]:8440"),
        ] {
            assert_eq!(origin_of(url), origin);
        }
    }
}
