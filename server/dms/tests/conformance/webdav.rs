//! What is WebDAV's own: real servers, what they do differently, and answers that are lost at every step.

pub(crate) mod proxy;
pub(crate) mod servers;
pub(crate) mod world;
