//! The sample firm: enough clients, matters and awkward cases for tests and the demo.

use std::collections::BTreeMap;

use super::model::Access;
use super::seed::{Seed, SeedAlias, SeedApp, SeedClass, SeedContainer, SeedLibrary, SeedUser, SeedWorkspace};
use crate::common::firm::{ADMIN, Human, LEFT, OUTSIDE, PEOPLE};

/// Clients: alias and name. One name holds a comma.
const CLIENTS: [(&str, &str); 3] =
    [("10442", "Harrow Ltd"), ("10517", "Teal, Brook & Sons"), ("10630", "Okafor Holdings plc")];

/// Matters: number, client, matter, name, closed. "General advice" exists twice, under different clients.
const MATTERS: [(u64, &str, &str, &str, bool); 8] = [
    (3650, "10442", "0007", "Harrow v Teal", false),
    (3660, "10442", "0012", "Lease of 14 Mill Lane", false),
    (3670, "10442", "0003", "Harrow share purchase 2019", true),
    (3680, "10517", "0001", "Boundary dispute, Brook Farm", false),
    (3690, "10517", "0002", "General advice", false),
    (3700, "10630", "0001", "General advice", false),
    (3710, "10630", "0004", "Project Larch", false),
    (3720, "10630", "0009", "Okafor v Harrow", false),
];

pub(super) fn seed() -> Seed {
    Seed {
        libraries: vec![library()],
        users: PEOPLE.iter().map(user).collect(),
        apps: vec![SeedApp {
            id: "postroom".into(),
            secret: "postroom-client-secret".into(),
            redirect_uris: vec![
                "http://127.0.0.1:*".into(),
                "http://localhost:*".into(),
                "https://postroom.example/*".into(),
            ],
            disabled: false,
            service_user: Some("POSTROOM".into()),
        }],
        workspaces: MATTERS.iter().map(workspace).collect(),
    }
}

fn library() -> SeedLibrary {
    let class = |id: &str, description: &str, required: &[&str]| SeedClass {
        id: id.into(),
        description: description.into(),
        required: required.iter().map(ToString::to_string).collect(),
    };
    let mut aliases: Vec<SeedAlias> =
        CLIENTS.iter().map(|(id, name)| alias("custom1", id, name, None)).collect();
    aliases.extend(
        MATTERS.iter().map(|(_, client, matter, name, _)| alias("custom2", matter, name, Some(client))),
    );
    aliases.push(alias("custom3", "LIT", "Litigation", None));
    aliases.push(alias("custom3", "PROP", "Property", None));
    SeedLibrary {
        name: "ACTIVE".into(),
        display_name: "Active matters".into(),
        classes: vec![
            class("DOC", "Document", &[]),
            class("E-MAIL", "Email", &[]),
            class("PLEADING", "Pleading", &["custom3"]),
        ],
        aliases,
    }
}

fn alias(field: &str, id: &str, description: &str, parent: Option<&str>) -> SeedAlias {
    SeedAlias {
        field: field.into(),
        id: id.into(),
        description: description.into(),
        parent: parent.map(Into::into),
    }
}

/// The password of `MPATEL` is `mpatel-pass`, and so on.
fn user(human: &Human) -> SeedUser {
    SeedUser {
        id: human.id.into(),
        full_name: human.name.into(),
        email: human.email.into(),
        password: Some(format!("{}-pass", human.id.to_lowercase())),
        allow_logon: human.id != LEFT,
        is_external: human.id == OUTSIDE,
        is_admin: human.id == ADMIN,
        ..SeedUser::default()
    }
}

/// Numbers are fixed: the tab is the workspace's plus 1, Correspondence plus 2, Emails plus 3, Scans plus 4 and
/// the saved search plus 5.
fn workspace(&(id, client, matter, name, closed): &(u64, &str, &str, &str, bool)) -> SeedWorkspace {
    let folder = |offset: u64, name: &str| SeedContainer {
        id: Some(id + offset),
        name: name.into(),
        ..SeedContainer::default()
    };
    let emails =
        SeedContainer { email: Some(format!("m{client}-{matter}@work.example")), ..folder(3, "Emails") };
    let tab = SeedContainer {
        kind: "tab".into(),
        children: vec![folder(2, "Correspondence"), emails, folder(4, "Scans")],
        ..folder(1, "Documents")
    };
    let search = SeedContainer { kind: "search".into(), ..folder(5, "Recent documents") };
    let (everyone, rights) = match id {
        // Project Larch is behind a wall
        3710 => (Access::NoAccess, vec![("MPATEL", Access::FullAccess)]),
        _ => (Access::FullAccess, vec![("TCHEN", Access::Read)]),
    };
    SeedWorkspace {
        id: Some(id),
        library: "ACTIVE".into(),
        name: name.into(),
        description: format!("Matter {client}/{matter}"),
        owner: "MPATEL".into(),
        customs: BTreeMap::from([("custom1".into(), client.into()), ("custom2".into(), matter.into())]),
        subclass: None,
        closed,
        everyone,
        rights: rights.into_iter().map(|(user, access)| (user.to_owned(), access)).collect(),
        folders: vec![tab, search],
    }
}
