//! The simulators, asked over HTTP as a client would.

#![expect(clippy::unwrap_used, reason = "all of this is test code, also outside the test functions")]

mod browser;
mod graph;
mod highq;
mod highq_sites;
mod imanage;
mod netdocuments;
mod openid;
mod programs;
