//! What went wrong, as a symptom.

use std::error::Error;
use std::io;

use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, RetryAfter, Trouble};

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Our own stored bytes could not be read as announced. The request was broken off, so the other side has no whole
    /// document.
    #[error("the stored bytes could not be read: {0}")]
    Content(String),
    /// The call would leave the destination's host, or cannot be built from what the settings say.
    #[error("{0}")]
    NotAllowed(String),
    /// It was not sent: the account would have to wait for longer than a call may.
    #[error("{detail}")]
    Throttled {
        /// When to come back, where that is known.
        until: Option<RetryAfter>,
        /// One line for logs.
        detail: String,
    },
    /// Something on the way or on the other side.
    #[error("{detail}")]
    Symptom {
        /// What was met.
        symptom: Symptom,
        /// How much of a document had been sent.
        sent: Sent,
        /// One line for logs, without address parameters, tokens or content.
        detail: String,
    },
}

impl From<Failure> for DmsError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Content(why) => Self::from_trouble(Trouble::new(Cause::StoreDamage, why)),
            Failure::NotAllowed(why) => Self::from_trouble(Trouble::new(Cause::Misconfigured, why)),
            Failure::Throttled { until, detail } => {
                Self::Throttled { until, trouble: Trouble::new(Cause::Throttled, detail) }
            }
            Failure::Symptom { symptom, sent, detail } => Self::from_symptom(symptom, sent, detail),
        }
    }
}

/// An error with everything beneath it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        let inner_text = inner.to_string();
        // Many wrappers repeat what they wrap.
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        next = inner.source();
    }
    text
}

/// Looks through an error and everything beneath it, also inside of I/O errors, which hide what they carry.
fn any(error: &(dyn Error + 'static), is: &mut dyn FnMut(&(dyn Error + 'static)) -> bool) -> bool {
    if is(error) {
        return true;
    }
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
        && any(inner, is)
    {
        return true;
    }
    error.source().is_some_and(|inner| any(inner, is))
}

fn is_bad_certificate(error: &(dyn Error + 'static)) -> bool {
    use rustls::Error as T;
    matches!(
        error.downcast_ref::<T>(),
        Some(T::InvalidCertificate(_) | T::NoCertificatesPresented | T::InvalidCertRevocationList(_))
    )
}

/// What a client's error comes down to.
pub(crate) fn symptom(error: &reqwest::Error) -> Symptom {
    if any(error, &mut |e| is_bad_certificate(e)) {
        Symptom::BadCertificate
    } else if error.is_connect() {
        Symptom::NoConnection
    } else if error.is_timeout() {
        Symptom::TimedOut
    } else if error.is_decode() || any(error, &mut |e| e.to_string().starts_with("invalid HTTP")) {
        Symptom::UnreadableSuccess
    } else {
        Symptom::Reset
    }
}
