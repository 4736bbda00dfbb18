//! Accounts of persons.

use postroom_domain::dms::{Made, NewUser};

use crate::table::Outcome;
use crate::world::{World, actor};

crate::worlds::cases![accounts_are_found_by_address, an_account_is_made_once];

async fn accounts_are_found_by_address(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().find_users {
        return Outcome::Off("find_users");
    }
    let email = world.user_email().expect("a world with persons knows one");
    for text in [email.clone(), email.to_uppercase()] {
        let found = world.dms().find_users(&actor(), "", &text).await.unwrap();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].email.eq_ignore_ascii_case(&email), "{found:?}");
        assert!(!found[0].id.is_empty() && !found[0].name.is_empty() && found[0].active, "{found:?}");
    }
    // An address must equal: a part of one, or a pattern, is another address.
    let part = email.replacen('@', "@x", 1);
    for text in [part.as_str(), &email[1..], "*@*", &email.replacen('.', "?", 1)] {
        assert_eq!(world.dms().find_users(&actor(), "", text).await.unwrap(), [], "{text}");
    }
    Outcome::Held
}

pub(crate) async fn an_account_is_made_once(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().create_users {
        return Outcome::Off("create_users");
    }
    let email = world.new_user_email().expect("a world that makes accounts knows an address");
    assert_eq!(world.accounts(&email), Some(0));
    let made = world.dms().create_user(&actor(), new(&email)).await.unwrap();
    let Made::New(user) = made else { panic!("{made:?}") };
    assert!(user.email.eq_ignore_ascii_case(&email) && user.external, "{user:?}");
    assert_eq!(world.accounts(&email), Some(1));
    for again in [email.clone(), email.to_uppercase()] {
        let found = world.dms().create_user(&actor(), new(&again)).await.unwrap();
        assert!(matches!(&found, Made::Present(known) if known.id == user.id), "{again}: {found:?}");
        assert_eq!(world.accounts(&email), Some(1));
    }
    if world.dms().capabilities().find_users {
        let found = world.dms().find_users(&actor(), "", &email).await.unwrap();
        assert_eq!(found.iter().map(|found| &found.id).collect::<Vec<_>>(), [&user.id]);
    }
    Outcome::Held
}

fn new(email: &str) -> NewUser<'_> {
    NewUser { email, given_name: "Zoë", family_name: "O'Neill", external: true, invite: false, library: "" }
}
