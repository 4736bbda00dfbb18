//! Postroom's console for operators: what waits, what runs, what failed and why, and what to do about it.
//!
//! Three parts that know little of each other: [`app`] holds all state and changes it in one pure function, [`view`] draws
//! a state, [`net`] talks to the server. [`run`] ties them together; drawing never waits for the network.

mod action;
mod app;
mod config;
mod keys;
mod layout;
mod net;
mod place;
mod plain;
#[cfg(test)]
mod planted;
mod report;
mod run;
mod save;
mod settings;
mod signals;
mod terminal;
mod text;
mod theme;
mod view;
mod watch;
mod when;
mod window;

pub use run::run;
pub use settings::Settings;
