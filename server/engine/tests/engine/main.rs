//! The engine with a store in memory and a DMS that does as it is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]
#![expect(clippy::result_large_err, reason = "the error is the contract's, and only failures carry it")]

mod clock;
mod double;
mod links;
mod saving;
mod shelf;
mod world;

mod accounts;
mod breakers;
mod bulks;
mod crashes;
mod doors;
mod fairness;
mod filing;
mod loads;
mod pace;
mod places;
mod reactions;
mod stopping;
mod targets;
mod tickets;
