//! The demo's people: an administrator with a one-time link. Everybody else comes in by the firm's own sign-in, and is made a person by
//! the rule for its domain.

use anyhow::Context as _;
use postroom_domain::desk::{DeskError, NewPerson, People};
use postroom_domain::people::Status;
use postroom_domain::person::{Role, Sites};
use secrecy::SecretString;

use crate::house::House;
use crate::settings::main_site;

/// The administrator.
pub(super) const ADMINISTRATOR: &str = "boss@firm.example";

/// Adds the administrator, unless an earlier start did, and makes a one-time link for them.
pub(super) async fn add(house: &House) -> anyhow::Result<SecretString> {
    let people = house.people();
    let by = People::local_administrator(main_site());
    let new = NewPerson {
        email: ADMINISTRATOR.to_owned(),
        display_name: "The boss".to_owned(),
        roles: vec![Role::Admin.name()],
        sites: Sites::all(main_site()),
        teams: Vec::new(),
        status: Status::Active,
    };
    match people.add_person(&by, new).await {
        Ok(_) | Err(DeskError::EmailTaken) => {}
        Err(error) => return Err(error.into()),
    }
    let (found, _) = people.persons(&by, ADMINISTRATOR, None, 1).await?;
    let person = found.first().context("the demo's administrator is gone")?;
    Ok(people.invite(&by, person.id).await?.url)
}
