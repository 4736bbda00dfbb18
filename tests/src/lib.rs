//! What acceptance tests, fault tests and benches share: a world in which the real binary runs on free ports, with
//! simulators beside it, and questions to ask that world afterwards.
//!
//! ```no_run
//! # async fn test() {
//! use postroom_tests::{Upload, World};
//! let mut world = World::new("upload").with_folder_dms().start().await;
//! let accepted = world.deposit(Upload::to("0007").file("a.pdf", b"%PDF-1.7")).await;
//! world.all_filed(&[accepted.clone()]).await;
//! world.assert_exactly_once(&[accepted]).await;
//! # }
//! ```
//!
//! Nothing here sleeps for a while and hopes: what is waited for is asked for until a deadline. Chance is seeded, and the seed
//! is printed when a test fails, with the end of the server's log.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test's support: what fails here fails the test, and tests read the real clock and environment"
)]

pub mod browser;
pub mod chance;
pub mod client;
pub mod console;
pub mod crowd;
pub mod dms;
pub mod folder;
pub mod kernel;
pub mod oracle;
pub mod outcome;
pub mod process;
pub mod settings;
pub mod upload;
pub mod wait;
pub mod wire;
pub mod world;

pub use chance::Chance;
pub use client::{Answer, Api};
pub use oracle::Accepted;
pub use outcome::outcome;
pub use process::{Launch, Server, program};
pub use upload::Upload;
pub use world::{Builder, World};
