//! The HTTP door as clients meet it: a real server on a free port, a store in memory, a spool on disk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asked;
mod decisions;
mod doors;
mod events;
mod intakes;
mod rights;
mod uploads;
mod world;
