//! One suite for every connector. What differs between them is told by their capabilities and by the world each case runs in,
//! not by other tests: `cases` holds what all must do, `statuses` and `imanage` what a server's answers mean.
//!
//! Every case looks at what the DMS holds afterwards, not only at what the call returned. `table` makes a table of the outcomes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod cases;
mod content;
mod highq;
mod highq_links;
mod imanage;
mod netdocuments;
mod statuses;
mod table;
mod webdav;
mod world;
mod worlds;
