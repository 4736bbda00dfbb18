//! What every connector must do, as cases that run in every world.

mod bytes;
mod documents;
mod lost;
mod offers;
mod people;
mod places;
mod refusals;
mod search;
mod versions;
