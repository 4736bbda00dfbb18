//! Meeting an identity provider or a DMS's own sign-in: what Postroom asks of it, and what it hears back. Performed elsewhere.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::Fut;
use crate::ids::ServiceName;
use crate::link::LinkedAccount;

/// What the browser is sent away with.
#[derive(Debug, Clone)]
pub struct Departure<'a> {
    /// The address of ours that the provider sends the browser back to: registered there, spelled exactly so.
    pub redirect: &'a str,
    /// Comes back unchanged; ties the answer to the browser.
    pub state: &'a str,
    /// Ties the identity token to this sign-in, where the provider speaks OpenID Connect.
    pub nonce: &'a str,
    /// The verifier of PKCE, where the provider knows it; only its hash is sent.
    pub verifier: &'a SecretString,
    /// Who probably signs in.
    pub hint: Option<&'a str>,
    /// The window is small.
    pub small: bool,
    /// The account is to be linked: tokens that last are asked for.
    pub link: bool,
}

/// What the browser came back with, after its state was found right.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// The one-time code.
    pub code: &'a SecretString,
    /// As in [`Departure::redirect`].
    pub redirect: &'a str,
    /// As in [`Departure::nonce`].
    pub nonce: &'a str,
    /// As in [`Departure::verifier`].
    pub verifier: &'a SecretString,
}

/// Who signed in, as the provider vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who vouches.
    pub issuer: String,
    /// The issuer's unchanging id of the human.
    pub subject: String,
    /// Their e-mail, lower case, where told.
    pub email: Option<String>,
    /// Whether the provider vouches for the e-mail too. One that it does not is never matched with a person.
    pub email_verified: bool,
    /// How they are called, where told.
    pub name: Option<String>,
}

/// Tokens as a provider hands them out.
#[derive(Debug, Clone)]
pub struct Grant {
    /// For calls.
    pub access: SecretString,
    /// When that ends, by our clock.
    pub access_ends: Option<Timestamp>,
    /// For getting new ones.
    pub refresh: Option<SecretString>,
    /// When that ends, where told.
    pub refresh_ends: Option<Timestamp>,
    /// What was granted, as told.
    pub scope: String,
}

/// Why a provider did not vouch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The human said no, or may not.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The code is used up, too old, or not for us.
    #[error("the provider does not accept the code: {0}")]
    BadCode(String),
    /// The answer is not to be believed: signature, issuer, audience, nonce, time. Said for logs; people are told to try again.
    #[error("the provider's answer is not to be believed: {0}")]
    Forged(String),
    /// It could not be reached, or has a fault of its own.
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// The settings here or the registration there are wrong: an administrator's matter.
    #[error("the sign-in is not set up right: {0}")]
    Misconfigured(String),
}

/// An identity provider, or a DMS with a sign-in of its own.
pub trait Provider: Send + Sync {
    /// The linked service.
    fn service(&self) -> &ServiceName;

    /// Where to send the browser.
    fn departure<'a>(&'a self, departure: Departure<'a>) -> Fut<'a, Result<String, ProviderError>>;

    /// Who came back, for signing in.
    fn claims<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<Claims, ProviderError>>;

    /// The account that came back, with its tokens, for linking.
    fn grant<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<(LinkedAccount, Grant), ProviderError>>;

    /// Tells the service that a link is over, as far as it has a way. Best effort: the link is removed here whatever it says.
    fn revoke<'a>(&'a self, grant: &'a Grant) -> Fut<'a, Result<(), ProviderError>> {
        let _ = grant;
        Box::pin(async { Ok(()) })
    }
}

/// Checks access tokens that a client got for us elsewhere: the add-in's, by nested app authentication at Microsoft.
pub trait BearerCheck: Send + Sync {
    /// The linked service that vouches.
    fn service(&self) -> &ServiceName;
    /// Who stands behind a token. [`ProviderError::Forged`] for every one that is not to be believed.
    fn claims<'a>(&'a self, token: &'a SecretString) -> Fut<'a, Result<Claims, ProviderError>>;
}
