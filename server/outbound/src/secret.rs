//! Texts that never show: passwords, client secrets, tokens.

use std::path::Path;

use secrecy::ExposeSecret;
pub use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// Why a secret is not there.
#[derive(Debug, thiserror::Error)]
pub enum ReadSecretError {
    /// Neither the value nor its file is set.
    #[error("neither {name} nor {name}_file is set")]
    Missing {
        /// The key in the settings.
        name: &'static str,
    },
    /// Both are set, so it is not clear which one counts.
    #[error("both {name} and {name}_file are set; keep one")]
    Both {
        /// The key in the settings.
        name: &'static str,
    },
    /// The file cannot be read.
    #[error("{name}_file {path}: {error}")]
    File {
        /// The key in the settings.
        name: &'static str,
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file or value is empty.
    #[error("{name} is empty")]
    Empty {
        /// The key in the settings.
        name: &'static str,
    },
}

/// A secret that is given as a value or as a file. Line ends after the file's text do not belong to it.
pub fn read_secret(
    name: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<SecretString, ReadSecretError> {
    let secret = match (value, file) {
        (Some(_), Some(_)) => return Err(ReadSecretError::Both { name }),
        (None, None) => return Err(ReadSecretError::Missing { name }),
        (Some(value), None) => value.clone(),
        (None, Some(path)) => match std::fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) => SecretString::from(text.trim_end_matches(['\r', '\n'])),
            Err(error) => {
                return Err(ReadSecretError::File { name, path: path.display().to_string(), error });
            }
        },
    };
    if secret.expose_secret().is_empty() { Err(ReadSecretError::Empty { name }) } else { Ok(secret) }
}

/// The text of a secret, for the one place that sends it.
pub fn expose(secret: &SecretString) -> &str {
    secret.expose_secret()
}
