//! Fake vendor servers for tests, benches and the demo.
//!
//! Each simulator is a library (start it, look into it, break it) and a small program, so that conformance
//! suites, browser tests and people share one fake. A simulator knows nothing of Postroom's own crates.

mod common;
pub mod graph;
pub mod handles;
pub mod highq;
pub mod imanage;
pub mod netdocuments;
pub mod openid;
pub mod program;
