//! Forms of token answers that differ between servers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Refresh tokens in token answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// A string.
    #[default]
    On,
    /// `null`.
    Null,
    /// The key is missing.
    Absent,
}

/// Keys of an error answer of the token endpoint. RFC 6749 knows only the first form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// `error` and `error_description`.
    #[default]
    Rfc,
    /// `error` only.
    ErrorOnly,
    /// `error_description` only.
    DescriptionOnly,
    /// `message`, with the text and no code.
    Message,
    /// `error` with the text where a code should be.
    Text,
}

/// The body in the wanted form.
pub(crate) fn error_body(form: TokenError, code: &str, text: &str) -> Value {
    match form {
        TokenError::Rfc => json!({ "error": code, "error_description": text }),
        TokenError::ErrorOnly => json!({ "error": code }),
        TokenError::DescriptionOnly => json!({ "error_description": text }),
        TokenError::Message => json!({ "message": text }),
        TokenError::Text => json!({ "error": text }),
    }
}
