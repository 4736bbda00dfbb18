//! Access tokens of an application itself (`client_credentials`), held until shortly before they end, for connections in which no person
//! stands behind the calls.

use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jiff::Timestamp;
use postroom_domain::dms::RetryAfter;
use postroom_domain::time::{Clock, Entropy, age, later};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use url::Url;

use crate::oauth::{Client, TokenFailure};
use crate::{ClientAuth, Outbound};

/// A token is renewed so long before its end, or after half of its life where that is shorter.
const MARGIN: Duration = Duration::from_mins(5);
/// How long a signed proof counts.
const PROOF: Duration = Duration::from_mins(10);
/// What proof by a signature is called (RFC 7523).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How an application proves who it is.
pub enum AppProof {
    /// By a secret.
    Secret(SecretString),
    /// By a signature with the key of a certificate that is registered for it.
    Certificate(Box<AppCertificate>),
}

/// A registered certificate with its private key.
pub struct AppCertificate {
    key: RsaKeyPair,
    print: String,
}

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppCertificateError {
    /// The text holds no certificate in PEM.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// The text holds no private key in PEM.
    #[error("holds no private key in PEM form")]
    NoKey,
    /// The key is of another kind, or too short.
    #[error("its private key is not an RSA key of 2048 bits or more ({0})")]
    Key(String),
}

impl AppCertificate {
    /// From one PEM text that holds both.
    pub fn read(pem: &SecretString) -> Result<Self, AppCertificateError> {
        let text = pem.expose_secret().as_bytes();
        let certificate =
            CertificateDer::from_pem_slice(text).map_err(|_| AppCertificateError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(text).map_err(|_| AppCertificateError::NoKey)?;
        let wrong = |error: ring::error::KeyRejected| AppCertificateError::Key(error.to_string());
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(wrong)?,
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).map_err(wrong)?,
            _ => return Err(AppCertificateError::Key("another kind".to_owned())),
        };
        Ok(Self { key, print: Base64UrlUnpadded::encode_string(&Sha256::digest(&certificate)) })
    }

    /// SHA-256 of the certificate, in base64url: by this the other side finds it.
    pub fn print(&self) -> &str {
        &self.print
    }

    /// The public key (PKCS #1), which is no secret.
    pub fn public_key(&self) -> &[u8] {
        self.key.public().as_ref()
    }

    /// A signed proof for a token endpoint; none when the machine gives no random numbers.
    fn proof(&self, id: &str, endpoint: &Url, now: Timestamp, nonce: &str) -> Option<SecretString> {
        let head = json!({"alg": "RS256", "typ": "JWT", "x5t#S256": self.print});
        let said = json!({
            "aud": endpoint.as_str(), "iss": id, "sub": id, "jti": nonce,
            "nbf": now.as_second(), "exp": later(now, PROOF).as_second(),
        });
        let encode = |it: &serde_json::Value| Base64UrlUnpadded::encode_string(it.to_string().as_bytes());
        let text = format!("{}.{}", encode(&head), encode(&said));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
        Some(format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature)).into())
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppTokenError {
    /// The other side does not let the application in: asking again soon changes nothing.
    #[error("{0}")]
    Refused(String),
    /// It cannot be asked at present.
    #[error("{reason}")]
    Unavailable {
        /// One line for people.
        reason: String,
        /// How long it asks to wait.
        wait: Option<RetryAfter>,
    },
}

impl From<TokenFailure> for AppTokenError {
    fn from(failure: TokenFailure) -> Self {
        match failure {
            TokenFailure::Refused { code, words } if words.is_empty() => Self::Refused(code),
            TokenFailure::Refused { code, words } => Self::Refused(format!("{code}: {words}")),
            TokenFailure::Vague(why) | TokenFailure::Misconfigured(why) => Self::Refused(why),
            TokenFailure::Unavailable { reason, wait } => Self::Unavailable { reason, wait },
        }
    }
}

/// An application at a token endpoint.
pub struct AppTokens {
    door: Outbound,
    endpoint: Url,
    id: String,
    proof: AppProof,
    scope: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: SecretString,
    /// From then on another one is asked for.
    until: Option<Timestamp>,
}

impl AppTokens {
    /// `door` is the client of the endpoint's host, `scope` what is asked for.
    pub fn new(
        door: Outbound,
        endpoint: Url,
        id: &str,
        proof: AppProof,
        scope: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (id, scope) = (id.to_owned(), scope.to_owned());
        Self { door, endpoint, id, proof, scope, clock, entropy, held: Mutex::default() }
    }

    /// A token that lasts for a while. Of many who ask at once, one asks the endpoint.
    pub async fn token(&self) -> Result<SecretString, AppTokenError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Some(it) = &*held
            && it.until.is_none_or(|until| until > now)
        {
            return Ok(it.token.clone());
        }
        let fresh = self.ask(now).await?;
        let token = fresh.token.clone();
        *held = Some(fresh);
        Ok(token)
    }

    /// Forgets a token that was refused before its end, unless another one is held by now.
    pub async fn refused(&self, token: &SecretString) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|it| it.token.expose_secret() == token.expose_secret()) {
            *held = None;
        }
    }

    async fn ask(&self, now: Timestamp) -> Result<Held, AppTokenError> {
        let mut form = vec![("grant_type", "client_credentials"), ("scope", self.scope.as_str())];
        let (secret, assertion) = match &self.proof {
            AppProof::Secret(secret) => (Some(secret.clone()), None),
            AppProof::Certificate(certificate) => {
                let mut nonce = [0; 16];
                self.entropy.fill(&mut nonce);
                let nonce = Base64UrlUnpadded::encode_string(&nonce);
                let proof = certificate.proof(&self.id, &self.endpoint, now, &nonce);
                let none = || AppTokenError::Refused("the application's key does not sign".to_owned());
                (None, Some(proof.ok_or_else(none)?))
            }
        };
        if let Some(assertion) = &assertion {
            form.push(("client_assertion_type", ASSERTION));
            form.push(("client_assertion", assertion.expose_secret()));
        }
        let client = Client { id: self.id.clone(), secret, auth: ClientAuth::Post, bare: false };
        let grant = client.ask(&self.door, &self.endpoint, &form, now).await?.grant;
        let usable = |ends| {
            let life = age(ends, now);
            later(now, life.saturating_sub(MARGIN).max(life / 2))
        };
        Ok(Held { token: grant.access, until: grant.access_ends.map(usable) })
    }
}
