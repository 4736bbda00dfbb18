//! Addresses as logs and error texts may show them.

use std::fmt;

use url::Url;

/// An address without user, password, query and fragment: any of these may carry a token or a client's name.
pub struct Shown<'a>(pub &'a Url);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or("?"))?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())?;
        if self.0.query().is_some() { f.write_str("?…") } else { Ok(()) }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_shows() {
        let url: Url = "https://me:pw@dms.example:8443/work/api?token=abc#frag".parse().unwrap();
        assert_eq!(Shown(&url).to_string(), "https://dms.example:8443/work/api?…");
        assert_eq!(format!("{:?}", Shown(&"http://a/b".parse().unwrap())), "http://a/b");
    }
}
