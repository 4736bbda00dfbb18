//! The fake Microsoft Graph as a program.

use std::process::ExitCode;

use postroom_sims::graph::{APP, Graph, SECRET, TENANT};

fn main() -> ExitCode {
    postroom_sims::program::run::<Graph>("sim-graph", |_| {
        vec![("tenant", TENANT.to_owned()), ("app", APP.to_owned()), ("secret", SECRET.to_owned())]
    })
}
