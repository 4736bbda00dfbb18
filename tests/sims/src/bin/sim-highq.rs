//! The fake HighQ as a program.

use std::process::ExitCode;

use postroom_sims::highq::HighQ;

fn main() -> ExitCode {
    postroom_sims::program::run::<HighQ>("sim-highq", |_| Vec::new())
}
