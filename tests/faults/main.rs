//! Kills, starves and cuts the real binary, and asks the oracle afterwards. Each test prints one line for the table of
//! outcomes; what a fault is called (F1 to F38) stands in front of it.
#![expect(clippy::unwrap_used, reason = "tests: what fails here fails the test")]

mod backlog;
mod bytes;
mod disk;
mod dms;
mod first_start;
mod flush;
mod frozen;
mod kill_loop;
mod limits;
mod poison;
mod refresh;
mod rotation;
mod store_file;
mod storm;

/// A small document that is like no other of its number.
fn document(number: u64) -> Vec<u8> {
    format!("%PDF-1.7\n% document {number}\n%%EOF\n").into_bytes()
}
