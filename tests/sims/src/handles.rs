//! What the handles of the sign-in simulators ([`crate::openid`], [`crate::netdocuments`], [`crate::highq`]) can do,
//! whichever simulator it is; each names them with its own types filled in.

pub use crate::common::control::Control;
pub use crate::common::core::{Account, Vendor};
pub use crate::common::faults::Rule;
pub use crate::common::mischief::Action;
pub use crate::common::options::Options;
pub use crate::common::sim::SimHandle;
