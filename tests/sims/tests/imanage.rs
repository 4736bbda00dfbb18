//! The fake iManage Work server, asked over HTTP as a client would.

#![expect(clippy::unwrap_used, reason = "all of this is test code, also outside the test functions")]

#[path = "imanage/faults.rs"]
mod faults;
#[path = "imanage/files.rs"]
mod files;
#[path = "imanage/people.rs"]
mod people;
#[path = "imanage/searches.rs"]
mod searches;
#[path = "imanage/support.rs"]
mod support;
