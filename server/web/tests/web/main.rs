//! The HTTP door as clients meet it: a real server on a free port, a store in memory, a spool on disk.

mod asked;
mod decisions;
mod doors;
mod events;
mod intakes;
mod rights;
mod uploads;
mod world;
