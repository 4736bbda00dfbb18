//! Mailboxes at a real server (Dovecot), and at one that misbehaves on purpose.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says where")]
#![expect(clippy::print_stderr, reason = "what the server says of a test that failed")]

mod cleaning;
mod connection;
mod double;
mod dovecot;
mod misbehaviour;
mod person;
mod taking;
mod world;
