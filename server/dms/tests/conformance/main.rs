//! One suite for every connector. What differs between them is told by the world each test runs in, not by other tests:
//! `common` holds what all must do, `statuses` and `imanage` what a server's answers mean.
//!
//! Every test looks at what the DMS holds afterwards, not only at what the call returned.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;
mod content;
mod imanage;
mod statuses;
mod world;
