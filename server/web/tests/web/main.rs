//! The HTTP door as clients meet it: a real server on a free port, a store in memory, a spool on disk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addin;
mod asked;
mod audit;
mod bulk;
mod data_uploads;
mod decisions;
mod desk_dms_accounts;
mod desk_doors;
mod desk_journey;
mod desk_password;
mod desk_persons;
mod desk_sessions;
mod desk_tokens;
mod desk_world;
mod directory;
mod doors;
mod events;
mod intakes;
mod letters;
mod matrix;
mod notifications;
mod operators;
mod origins;
mod pages;
mod places;
mod resolve;
mod resumable;
mod rights;
mod send_to;
mod uploads;
mod world;
