//! Mailboxes at a Microsoft Graph that misbehaves as the real one does, and on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cleaning;
mod notices;
mod receiver;
mod refusals;
mod taking;
mod trouble;
mod world;
