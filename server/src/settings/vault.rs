//! `[vault]`: what opens the keyring.

use std::path::PathBuf;

use postroom_outbound::{ReadSecretError, SecretString, read_secret};
use serde::Deserialize;

/// What is said where the section is missing.
pub(super) const MISSING: &str = "vault: the section [vault] is missing: nothing is kept unsealed\n\
    hint: `postroom keys init` makes a passphrase and a private key and prints the section";

/// Where passphrase and private key are. Both are needed, so that who finds one of them cannot open anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vault {
    /// The administrator's passphrase, of more than 100 characters.
    passphrase: Option<SecretString>,
    /// A file with it.
    passphrase_file: Option<PathBuf>,
    /// The certificate's private key, as PEM.
    private_key: Option<SecretString>,
    /// A file with it.
    private_key_file: Option<PathBuf>,
}

impl Vault {
    /// Passphrase and private key.
    pub(crate) fn read(&self) -> Result<(SecretString, SecretString), ReadSecretError> {
        let passphrase =
            read_secret("vault.passphrase", self.passphrase.as_ref(), self.passphrase_file.as_deref())?;
        let key =
            read_secret("vault.private_key", self.private_key.as_ref(), self.private_key_file.as_deref())?;
        Ok((passphrase, key))
    }
}
