//! The fake OpenID provider, and fake Entra ID, as a program.

use std::process::ExitCode;

use postroom_sims::openid::{ADDIN_APP, ENTRA_APP, OpenId};

fn main() -> ExitCode {
    postroom_sims::program::run::<OpenId>("sim-openid", |sim| {
        vec![
            ("issuer", sim.issuer()),
            ("entra_issuer", sim.entra_issuer()),
            ("entra_app", ENTRA_APP.to_owned()),
            ("addin_app", ADDIN_APP.to_owned()),
        ]
    })
}
