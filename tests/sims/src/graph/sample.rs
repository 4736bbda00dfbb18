//! The sample firm's mailboxes.

use super::model::Graph;
use super::switches::{Owner, Standing};
use super::{App, Options};

/// The sample tenant.
pub const TENANT: &str = "7d3f0c52-6a1b-4e0e-9a54-2f5b1f6f0a11";
/// Client id of the application that reads mailboxes.
pub const APP: &str = "c2f1a7d0-3b5e-4c8f-9d21-7e6a5b4c3d44";
/// Its secret.
pub const SECRET: &str = "postroom-graph-secret+/&=";

pub(super) fn options() -> Options {
    let owners = [
        ("Post Room", "post@firm.example", Standing::Open),
        ("Clerks", "clerks@firm.example", Standing::Open),
        ("Private", "private@firm.example", Standing::OutsidePolicy),
        ("Old", "old@firm.example", Standing::NotInCloud),
    ];
    let owners = owners.into_iter().zip(1..).map(|((name, email, standing), number)| Owner {
        id: format!("9b1d6c3e-0000-4000-8000-{number:012}"),
        name: name.into(),
        email: email.into(),
        standing,
    });
    let app = App { id: APP.into(), secret: Some(SECRET.into()), redirect_uris: Vec::new(), disabled: false };
    Options::of(owners.collect(), vec![app], Graph::default())
}
