//! Screening for malware: a [scanner](clamd) behind a socket, what is remembered of its verdicts, and a look into archives.

mod answer;
mod archive;
mod clamd;
mod screener;
#[cfg(test)]
mod tests;
mod version;

pub use self::archive::{ArchiveOptions, Bounds, WhenClosed};
pub(crate) use self::archive::{Archives, Looked};
pub use self::clamd::{Address, Clamd, ClamdOptions, NotAnAddress, Patience};
pub(crate) use self::screener::NoVerdict;
pub use self::screener::Screener;
pub use self::version::Signatures;
