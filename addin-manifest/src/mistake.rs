//! What is wrong with what was given.

use thiserror::Error;

/// Why nothing was written. Each says what was given, and what would do.
#[derive(Debug, Error)]
pub enum Mistake {
    /// The address of the server does not do.
    #[error("\"{given}\" is no address for this: {problem}\nhint: {hint}")]
    Address {
        /// What was given.
        given: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What would do.
        hint: &'static str,
    },
    /// The provider's name does not do.
    #[error("the provider's name {0}\nhint: name the firm as people know it, such as \"Harrow & Finch LLP\"")]
    Provider(&'static str),
    /// A service of the extension does not do.
    #[error(
        "service \"{given}\": {problem}\nhint: KIND=NAME=HOST[,HOST], such as imanage=dms=firm.imanage.work"
    )]
    Service {
        /// What was given.
        given: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The key does not do.
    #[error(
        "the key {0}\nhint: openssl genrsa -out extension.pem 2048 makes one; keep it, for the extension's id comes from it"
    )]
    Key(&'static str),
    /// A file could not be put together.
    #[error("cannot put {what} together: {why}")]
    Written {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
}

impl Mistake {
    pub(crate) fn written(what: &'static str, why: &impl ToString) -> Self {
        Self::Written { what, why: why.to_string() }
    }
}
