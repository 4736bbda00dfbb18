//! Screening for malware: a [scanner](clamd) behind a socket, and what is remembered of its verdicts.

mod answer;
mod clamd;
mod screener;
#[cfg(test)]
mod tests;
mod version;

pub use self::clamd::{Address, Clamd, ClamdOptions, NotAnAddress, Patience};
pub(crate) use self::screener::NoVerdict;
pub use self::screener::Screener;
pub use self::version::Signatures;
