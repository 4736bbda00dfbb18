//! The engine with a store in memory and a DMS that does as it is told.

#![expect(clippy::result_large_err, reason = "the error is the contract's, and only failures carry it")]

mod clock;
mod double;
mod shelf;
mod world;

mod breakers;
mod crashes;
mod doors;
mod fairness;
mod filing;
mod pace;
mod reactions;
mod stopping;
mod targets;
