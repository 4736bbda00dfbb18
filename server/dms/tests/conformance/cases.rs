//! What every connector must do, as cases that run in every world.

mod bytes;
pub(crate) mod documents;
mod lost;
mod offers;
pub(crate) mod people;
pub(crate) mod places;
mod refusals;
mod search;
mod versions;
