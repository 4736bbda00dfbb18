//! The engine with a store in memory and a DMS that does as it is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod clock;
mod double;
mod links;
mod saving;
mod shelf;
mod world;

mod accounts;
mod breakers;
mod crashes;
mod doors;
mod fairness;
mod filing;
mod pace;
mod reactions;
mod stopping;
mod targets;
