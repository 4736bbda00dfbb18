//! The one HTTP client of Postroom. Every call to somebody else's server goes through an [`Outbound`], which belongs to one
//! destination and keeps the rules that no connector should have to remember:
//!
//! - time runs out: for connecting, for progress while sending, for the first byte of the answer, for the whole call;
//! - nothing is read without a bound;
//! - tokens and documents go to the configured host and nowhere else; a redirect is followed for GET on the same host only;
//! - nothing is repeated;
//! - an account calls no faster than its server bears, and waits before the first byte ([`Outbound::for_account`]);
//! - what went wrong comes back as a [`Symptom`](postroom_domain::cause::Symptom) together with how much of a document had
//!   been sent, for the classification;
//! - one log line per call, without query, token or content.
//!
//! It knows nothing about what a DMS's answers mean. What it does know is how people sign in elsewhere ([`Services`]), how the
//! tokens of linked accounts are kept ([`TokenKeeper`]) and looked after ([`Doctor`]), and how a program gets its own ([`AppTokens`]).

mod answer;
mod app_tokens;
mod call;
mod doctor;
mod failure;
mod keeper;
mod oauth;
mod oidc;
mod pace;
mod retry_after;
mod secret;
mod sending;
mod service_settings;
mod services;
mod settings;
mod shown;
mod vendors;

pub use answer::{Answer, Reply};
pub use app_tokens::{AppCertificate, AppCertificateError, AppProof, AppTokenError, AppTokens};
pub use call::{Call, Outbound};
pub use doctor::Doctor;
pub use failure::Failure;
pub use keeper::{Round, TokenKeeper};
pub use oauth::ClientAuth;
pub use reqwest::Method;
pub use retry_after::parse as parse_retry_after;
pub use secret::{ReadSecretError, SecretString, expose, read_secret};
pub use sending::{Document, Field};
pub use service_settings::{ServiceError, ServiceKind, ServiceSettings, SystemAccount};
pub use services::{Service, Services};
pub use settings::{Settings, SetupError};
pub use shown::Shown;

/// Makes ring the provider of TLS for the process. Every binary, and every test that makes an [`Outbound`], calls it first;
/// calling it again does nothing.
pub fn install_crypto() {
    // An error only says that a provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
