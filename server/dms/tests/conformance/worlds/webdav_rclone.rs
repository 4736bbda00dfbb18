//! The WebDAV connector with `rclone serve webdav` behind it: locks that are not told of, and no properties.

use crate::webdav::servers::Kind;
use crate::world::World;

/// A fresh one.
pub(crate) fn world() -> Option<Box<dyn World>> {
    crate::webdav::world::world(Kind::Rclone)
}
