//! The WebDAV connector with Apache's `mod_dav` behind it: locks, and properties that are kept.

use crate::webdav::servers::Kind;
use crate::world::World;

/// A fresh one.
pub(crate) fn world() -> Option<Box<dyn World>> {
    crate::webdav::world::world(Kind::Apache)
}
