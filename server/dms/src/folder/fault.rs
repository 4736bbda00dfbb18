//! File errors in the words of the contract.

use std::io;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, Trouble};

/// Which cause a file error has while `doing` something, when surely nothing was stored.
pub(super) fn cause(error: &io::Error) -> Cause {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound | K::NotADirectory => Cause::TargetNotFound,
        K::PermissionDenied => Cause::NoRight,
        K::StorageFull => Cause::DmsFull,
        K::QuotaExceeded => Cause::Quota,
        K::FileTooLarge => Cause::TooLarge,
        K::ReadOnlyFilesystem => Cause::Misconfigured,
        K::InvalidFilename => Cause::Rejected,
        K::TimedOut | K::StaleNetworkFileHandle | K::NetworkDown | K::HostUnreachable => Cause::Unreachable,
        _ => Cause::ServerFault,
    }
}

/// A file error as a DMS error; `doing` says at what, with the object's name.
pub(super) fn error(doing: &str, error: &io::Error) -> DmsError {
    DmsError::from_trouble(Trouble::new(cause(error), format!("{doing}: {error}")))
}

/// Something that is not there.
pub(super) fn missing(what: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, format!("{what} is not there")))
}
