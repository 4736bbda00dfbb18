//! Every secret a simulator ever gave away, so that a test can look for them where none may be.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// What kind of secret it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An authorization code.
    Code,
    /// An id token.
    IdToken,
    /// The secret of an application.
    ClientSecret,
    /// A person's password.
    Password,
    /// A one-time token for a dialog.
    DialogToken,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Secret {
    /// Its kind.
    pub kind: SecretKind,
    /// The text itself.
    pub text: String,
}

/// All of them, in order of appearance, each once.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    list: Vec<Secret>,
    known: HashSet<Secret>,
}

impl Secrets {
    pub(crate) fn note(&mut self, kind: SecretKind, text: &str) {
        let secret = Secret { kind, text: text.to_owned() };
        if !text.is_empty() && self.known.insert(secret.clone()) {
            self.list.push(secret);
        }
    }

    pub(crate) fn list(&self) -> Vec<Secret> {
        self.list.clone()
    }
}
