//! The address of the firm's server.

use std::fmt;

use url::{Host, Url};

use crate::Mistake;

/// Where the firm's Postroom is: an origin, without a slash at its end. Office and browsers load nothing that is not encrypted, so it
/// begins with `https://`; only on the machine itself `http://` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads one.
    pub fn new(given: &str) -> Result<Self, Mistake> {
        let wrong = |problem, hint| Mistake::Address { given: given.to_owned(), problem, hint };
        let example =
            "give the address by which browsers reach the server, such as https://postroom.firm.example";
        let url = Url::parse(given).map_err(|_| wrong("it cannot be read", example))?;
        if !encrypted(&url) {
            return Err(wrong(
                "it must begin with https://",
                "Office and browsers load nothing else; only http://localhost is enough, on the machine itself",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it holds a name or a password", example));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "it goes on after the host",
                "the pages stand at the root of a host: leave the rest out",
            ));
        }
        Ok(Self(url))
    }

    /// The address of a page below it; `path` begins with a slash.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Host and port, as where a scheme has no place.
    pub(crate) fn authority(&self) -> String {
        let host = self.host();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The host alone.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

/// A page that people may be sent to: encrypted, or on this machine.
pub(crate) fn page(given: &str) -> Result<Url, Mistake> {
    let wrong = |problem| Mistake::Address {
        given: given.to_owned(),
        problem,
        hint: "give the address of a page where people find help, such as https://intranet.firm.example/postroom",
    };
    let url = Url::parse(given).map_err(|_| wrong("it cannot be read"))?;
    if !encrypted(&url) {
        return Err(wrong("it must begin with https://"));
    }
    if url.as_str().len() > 2048 {
        return Err(wrong("it is longer than 2048 characters"));
    }
    Ok(url)
}

fn encrypted(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin_and_encrypted() {
        let good = [
            ("https://postroom.firm.example", "https://postroom.firm.example"),
            ("https://Postroom.Firm.Example:8443/", "https://postroom.firm.example:8443"),
            ("https://postroom.firm.example:443", "https://postroom.firm.example"),
            ("https://kanzlei-müller.example", "https://xn--kanzlei-mller-4ob.example"),
            ("http://localhost:8440", "http://localhost:8440"),
            ("http://127.0.0.1:8440", "http://127.0.0.1:8440"),
        ];
        for (given, wanted) in good {
            assert_eq!(BaseUrl::new(given).unwrap().to_string(), wanted);
        }
        let bad = [
            ("http://postroom.firm.example", "must begin with https://"),
            ("ftp://localhost", "must begin with https://"),
            ("javascript:alert(1)", "must begin with https://"),
            ("http://localhost.evil.example", "must begin with https://"),
            ("postroom.firm.example", "cannot be read"),
            ("", "cannot be read"),
            ("https://a:b@postroom.firm.example", "name or a password"),
            ("https://postroom.firm.example/app", "goes on after the host"),
            ("https://postroom.firm.example/?a=b", "goes on after the host"),
            ("https://postroom.firm.example/#a", "goes on after the host"),
        ];
        for (given, wanted) in bad {
            let told = BaseUrl::new(given).unwrap_err().to_string();
            assert!(told.contains(wanted) && told.contains("\nhint: "), "{given}: {told}");
        }
    }
}
