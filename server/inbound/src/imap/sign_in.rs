//! Who we are to the server.

use std::fmt;
use std::sync::Arc;

use async_imap::Authenticator;
use postroom_domain::Fut;
use secrecy::{ExposeSecret as _, SecretString};

/// The client writes what it sends into traces, secrets and all. Whoever turns them on must not see any: they are not built.
const _: () = assert!(log::STATIC_MAX_LEVEL as usize <= log::LevelFilter::Debug as usize);

/// Whoever has access tokens for a mailbox.
pub trait MailboxTokens: Send + Sync {
    /// A token that lasts for a while, or why there is none. `renew` after the server refused the last one: then another one is wanted.
    fn token(&self, renew: bool) -> Fut<'_, Result<SecretString, String>>;
}

/// How we sign in.
#[derive(Clone)]
pub enum SignIn {
    /// With a password: AUTHENTICATE PLAIN where the server says that it knows it, else LOGIN.
    Password(SecretString),
    /// With OAuth (XOAUTH2).
    Tokens(Arc<dyn MailboxTokens>),
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password",
            Self::Tokens(_) => "Tokens",
        })
    }
}

/// One answer to the server's first question; whatever it asks after that is told nothing, so that it gives its verdict.
pub(super) struct Answer(Option<SecretString>);

impl Answer {
    /// RFC 4616.
    pub(super) fn plain(user: &str, password: &SecretString) -> Self {
        Self(Some(format!("\0{user}\0{}", password.expose_secret()).into()))
    }

    /// Google's and Microsoft's way.
    pub(super) fn oauth(user: &str, token: &SecretString) -> Self {
        let token = token.expose_secret();
        Self(Some(format!("user={user}\x01auth=Bearer {token}\x01\x01").into()))
    }
}

impl Authenticator for Answer {
    type Response = Vec<u8>;

    fn process(&mut self, _challenge: &[u8]) -> Vec<u8> {
        self.0.take().map_or_else(Vec::new, |answer| answer.expose_secret().as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_once_and_never_shown() {
        let secret = SecretString::from("tok en");
        let mut answer = Answer::oauth("post@firm.example", &secret);
        assert_eq!(answer.process(b""), b"user=post@firm.example\x01auth=Bearer tok en\x01\x01");
        assert_eq!(answer.process(b"{\"status\":\"401\"}"), b"");
        assert_eq!(Answer::plain("ada", &secret).process(b""), b"\0ada\0tok en");
        assert_eq!(format!("{:?}", SignIn::Password(secret)), "Password");
    }
}
