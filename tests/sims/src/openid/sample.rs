//! The sample firm's people at the provider.

use super::keys::OpenId;
use super::switches::Person;
use super::{App, Options};
use crate::common::firm::{LEFT, PEOPLE};
use crate::common::options::sample_redirects;

/// The sample tenant.
pub const TENANT: &str = "7d3f0c52-6a1b-4e0e-9a54-2f5b1f6f0a11";
/// Client id of Postroom in the sample tenant.
pub const ENTRA_APP: &str = "b51c2e0a-94d7-4d5e-8a3f-0c9e5d1b7a22";
/// Client id of the add-in in the sample tenant: a public client.
pub const ADDIN_APP: &str = "e80a7c44-1f2d-4b6a-b0c3-6d4f2a9e8c33";

/// The firm, somebody new to it, somebody whose e-mail nobody vouches for, and somebody with a free-mail address.
pub(super) fn options() -> Options {
    let mut people: Vec<(&str, &str, &str)> = PEOPLE.iter().map(|p| (p.id, p.name, p.email)).collect();
    people.push(("LNEW", "Lea New", "l.new@firm.example"));
    people.push(("UNSURE", "Una Sure", "u.sure@firm.example"));
    people.push(("FREE", "Frida Free", "frida.free@gmail.com"));
    let people = people.iter().zip(1..).map(|(&(id, name, email), number)| Person {
        id: format!("sub-{}", id.to_lowercase()),
        oid: format!("4f0a6c1e-0000-4000-8000-{number:012}"),
        name: name.into(),
        email: email.into(),
        email_verified: Some(id != "UNSURE"),
        disabled: id == LEFT,
    });
    let app = |id: &str, secret: Option<&str>| App {
        id: id.into(),
        secret: secret.map(Into::into),
        redirect_uris: sample_redirects(),
        disabled: false,
    };
    let apps = vec![
        app("postroom", Some("postroom-openid-secret")),
        app(ENTRA_APP, Some("postroom-entra-secret")),
        app(ADDIN_APP, None),
    ];
    Options::of(people.collect(), apps, OpenId::new())
}
