//! The real binary on free ports, simulators beside it; after each act the whole world is asked: what the DMS holds, what the
//! API says, what the history holds.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::similar_names,
    clippy::type_complexity,
    reason = "tests: what fails here fails the test; a filed and a failed one stand side by side, in tables"
)]

mod administration;
mod backups;
mod bad_uploads;
mod bulk;
mod clamd;
mod command_line;
mod console;
mod corpora;
mod data_loads;
mod decisions;
mod demo;
mod desk;
mod dms_accounts;
mod events;
mod graph_mailboxes;
mod highq_links;
mod hot_folder;
mod keys;
mod letters;
mod lifecycle;
mod linked;
mod mailboxes;
mod matrix;
mod outlook;
mod paused_accounts;
mod people;
mod post;
mod problems;
mod resolve;
mod resumable;
mod roles;
mod rules;
mod save_modes;
mod scans;
mod screening;
mod secrets;
mod send_to;
mod settings;
mod statuses;
mod targets;
mod uploads;

/// A small document that is like no other of its number.
fn document(number: u64) -> Vec<u8> {
    format!("%PDF-1.7\n% document {number}\n%%EOF\n").into_bytes()
}
