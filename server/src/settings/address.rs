//! The address by which browsers reach the server.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::Server;

impl Server {
    /// What is wrong with `public_url`, or that it is missing. Cookies and providers need an encrypted address; on one machine a plain
    /// one does.
    pub(super) fn address_mistake(&self) -> Option<String> {
        let told = |problem: &str| Some(format!("server.public_url: {problem}"));
        match &self.public_url {
            Some(url) if !(url.scheme() == "https" || (url.scheme() == "http" && is_here(url))) => {
                told("must begin with https:// (only on this machine is http:// enough)")
            }
            Some(url)
                if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() =>
            {
                told("must end with the host or port: the pages stand at the root of a host")
            }
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                told("must not hold a name or password")
            }
            Some(_) => None,
            None => match self.listen.parse::<SocketAddr>() {
                Ok(listen) if !listen.ip().is_loopback() => told(
                    "is needed where the server listens for other machines, such as \"https://postroom.firm.example\"",
                ),
                // What is no address is told of by `server.listen`.
                _ => None,
            },
        }
    }

    /// The address by which browsers reach a server that listens there, without a slash at its end.
    pub(crate) fn public_url_at(&self, listening: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{listening}"),
        }
    }

    /// The same before it listens; a port that is picked at the start is not known then.
    pub(crate) fn public_url_planned(&self) -> String {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        self.public_url_at(self.listen.parse().unwrap_or(here))
    }
}

/// Whether an address is of this machine.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
