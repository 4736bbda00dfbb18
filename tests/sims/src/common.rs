//! What the simulators share: server threads, time moved by hand, scripted faults, and the tokens of OAuth.

pub(crate) mod answer;
pub(crate) mod authorize;
pub(crate) mod bank;
pub(crate) mod clock;
pub(crate) mod conn;
pub(crate) mod control;
pub(crate) mod control_http;
pub(crate) mod core;
pub(crate) mod dispatch;
pub(crate) mod faults;
pub(crate) mod firm;
pub(crate) mod mischief;
pub(crate) mod options;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod request;
pub(crate) mod rng;
pub(crate) mod secrets;
pub(crate) mod sim;
pub(crate) mod stats;
pub(crate) mod threads;
pub(crate) mod throttle;
pub(crate) mod token_stats;
pub(crate) mod wildcard;
pub(crate) mod wire;
