//! Postroom's console for operators: what waits, what runs, what failed and why, and what to do about it.
//!
//! Three parts that know little of each other: [`app`] holds all state and changes it in one pure function, [`view`] draws
//! a state, [`net`] talks to the server. [`run`] ties them together; drawing never waits for the network.

mod action;
mod app;
mod keys;
mod layout;
mod net;
#[cfg(test)]
mod planted;
mod report;
mod run;
mod settings;
mod signals;
mod terminal;
mod text;
mod theme;
mod view;
mod when;
mod window;

pub use run::run;
pub use settings::Settings;
