//! The fake NetDocuments as a program.

use std::process::ExitCode;

use postroom_sims::netdocuments::NetDocuments;

fn main() -> ExitCode {
    postroom_sims::program::run::<NetDocuments>("sim-netdocuments", |_| Vec::new())
}
