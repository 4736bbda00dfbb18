//! Content of a tenant as JSON, for the start and for adding more while the server runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lookups::type_of;
use super::model::{Access, Alias, App, Class, Container, Kind, Library, User, Version};
use super::sink::Sink;
use super::state::State;

/// Libraries, people, applications and workspaces to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Libraries; one of the same name gets the new classes and aliases added.
    pub libraries: Vec<SeedLibrary>,
    /// Users; one of the same id is replaced.
    pub users: Vec<SeedUser>,
    /// Registered applications.
    pub apps: Vec<SeedApp>,
    /// Workspaces with their folders.
    pub workspaces: Vec<SeedWorkspace>,
}

/// A library.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedLibrary {
    /// Upper-case short name.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Document classes.
    pub classes: Vec<SeedClass>,
    /// Custom lookups.
    pub aliases: Vec<SeedAlias>,
}

/// A document class.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedClass {
    /// Alias.
    pub id: String,
    /// Name for people.
    pub description: String,
    /// Profile fields a document of the class must have.
    pub required: Vec<String>,
}

/// An entry of a custom lookup.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedAlias {
    /// `custom1` to `custom12`, `custom29` or `custom30`.
    pub field: String,
    /// Alias.
    pub id: String,
    /// Name for people.
    pub description: String,
    /// Alias of the parent, for `custom2` and `custom30`.
    pub parent: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedUser {
    /// Short id.
    pub id: String,
    /// Display name.
    pub full_name: String,
    /// Mail address.
    pub email: String,
    /// Password; none means single sign-on only.
    pub password: Option<String>,
    /// Whether the user may sign in.
    pub allow_logon: bool,
    /// External to the firm.
    pub is_external: bool,
    /// Administrator.
    pub is_admin: bool,
    /// Office.
    pub location: String,
    /// Preferred library; the first one if empty.
    pub preferred_library: String,
}

impl Default for SeedUser {
    fn default() -> Self {
        Self {
            id: String::new(),
            full_name: String::new(),
            email: String::new(),
            password: None,
            allow_logon: true,
            is_external: false,
            is_admin: false,
            location: "LONDON".into(),
            preferred_library: String::new(),
        }
    }
}

/// A registered application.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedApp {
    /// Client id.
    pub id: String,
    /// Client secret.
    pub secret: String,
    /// Redirect URLs; a trailing `*` accepts every continuation, which the real server does not.
    pub redirect_uris: Vec<String>,
    /// Switched off in Control Center.
    pub disabled: bool,
    /// User behind `client_credentials`.
    pub service_user: Option<String>,
}

/// A workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedWorkspace {
    /// Number; a free one if none.
    pub id: Option<u64>,
    /// Library; the first one if empty.
    pub library: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Owner's user id.
    pub owner: String,
    /// `custom1`, `custom2`, …
    pub customs: BTreeMap<String, String>,
    /// Sub-class, such as `LIT`.
    pub subclass: Option<String>,
    /// Nothing can be filed any more.
    pub closed: bool,
    /// Rights of users without an entry.
    pub everyone: Access,
    /// Rights by user id.
    pub rights: BTreeMap<String, Access>,
    /// Tabs and top folders.
    pub folders: Vec<SeedContainer>,
}

/// A tab or folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedContainer {
    /// Number; a free one if none.
    pub id: Option<u64>,
    /// Name.
    pub name: String,
    /// `folder` (also if empty), `tab` or `search`.
    pub kind: String,
    /// Address of a mail-enabled folder.
    pub email: Option<String>,
    /// Folders inside.
    pub children: Vec<SeedContainer>,
    /// Documents inside.
    pub documents: Vec<SeedDocument>,
}

/// A document that is there from the start. It is not in the ledger, which tells what clients stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    /// Name without extension.
    pub name: String,
    /// Extension without dot.
    pub extension: String,
    /// Comment.
    pub comment: String,
    /// Content.
    pub text: String,
}

impl SeedDocument {
    fn version(&self, now: i64) -> Version {
        let mut sink = Sink::new(u64::MAX, None);
        sink.write(self.text.as_bytes());
        let stored = sink.finish().0;
        Version {
            number: 1,
            name: self.name.clone(),
            extension: self.extension.to_uppercase(),
            type_id: type_of(&self.extension).to_owned(),
            class: "DOC".to_owned(),
            subclass: None,
            author: String::new(),
            operator: String::new(),
            comment: self.comment.clone(),
            default_security: "inherit".to_owned(),
            customs: BTreeMap::new(),
            email: None,
            size: stored.size,
            stored,
            created: now,
            edited: now,
            file_create_date: None,
            file_edit_date: None,
            deleted: false,
        }
    }
}

impl State {
    /// Add a seed to what is there.
    pub(super) fn sow(&mut self, seed: &Seed, now: i64) {
        for library in &seed.libraries {
            self.sow_library(library);
        }
        for user in &seed.users {
            let id = user.id.to_uppercase();
            let preferred = Some(user.preferred_library.clone()).filter(|l| !l.is_empty());
            let record = User {
                id: id.clone(),
                full_name: user.full_name.clone(),
                email: user.email.clone(),
                password: user.password.clone(),
                allow_logon: user.allow_logon,
                is_external: user.is_external,
                is_admin: user.is_admin,
                is_locked: false,
                failed_logins: 0,
                location: user.location.clone(),
                preferred_library: preferred
                    .or_else(|| self.libraries.first().map(|l| l.name.clone()))
                    .unwrap_or_default(),
            };
            self.users.insert(id, record);
        }
        for app in &seed.apps {
            self.apps.retain(|a| a.id != app.id);
            self.apps.push(App {
                id: app.id.clone(),
                secret: app.secret.clone(),
                redirect_uris: app.redirect_uris.clone(),
                enabled: !app.disabled,
                service_user: app.service_user.as_ref().map(|u| u.to_uppercase()),
            });
        }
        for workspace in &seed.workspaces {
            self.sow_workspace(workspace, now);
        }
    }

    fn sow_library(&mut self, seed: &SeedLibrary) {
        let at = self.library(&seed.name).unwrap_or_else(|| {
            self.libraries.push(Library {
                name: seed.name.clone(),
                display_name: seed.display_name.clone(),
                classes: Vec::new(),
                lookups: BTreeMap::new(),
            });
            self.libraries.len() - 1
        });
        let library = &mut self.libraries[at];
        library.classes.extend(seed.classes.iter().map(|c| Class {
            id: c.id.clone(),
            description: c.description.clone(),
            required: c.required.clone(),
        }));
        for alias in &seed.aliases {
            library.add_alias(
                &alias.field,
                Alias {
                    id: alias.id.clone(),
                    description: alias.description.clone(),
                    parent: alias.parent.clone(),
                    enabled: true,
                },
            );
        }
    }

    fn sow_workspace(&mut self, seed: &SeedWorkspace, now: i64) {
        let library = self.library(&seed.library).unwrap_or(0);
        let number = self.take_number(seed.id);
        let mut container = Container::new(number, library, Kind::Workspace, None, number, &seed.name, now);
        container.description.clone_from(&seed.description);
        container.owner.clone_from(&seed.owner);
        container.customs.clone_from(&seed.customs);
        container.subclass.clone_from(&seed.subclass);
        container.closed = seed.closed;
        container.everyone = seed.everyone;
        container.rights = seed.rights.iter().map(|(user, access)| (user.to_uppercase(), *access)).collect();
        self.add_container(container);
        for child in &seed.folders {
            self.sow_folder(child, library, number, number, now);
        }
    }

    fn sow_folder(&mut self, seed: &SeedContainer, library: usize, workspace: u64, parent: u64, now: i64) {
        let kind = match seed.kind.as_str() {
            "tab" => Kind::Tab,
            "search" => Kind::SearchFolder,
            _ => Kind::Folder,
        };
        let number = self.take_number(seed.id);
        let mut container = Container::new(number, library, kind, Some(parent), workspace, &seed.name, now);
        container.email.clone_from(&seed.email);
        self.add_container(container);
        for document in &seed.documents {
            let version = document.version(now);
            self.add_document(library, workspace, number, version);
        }
        for child in &seed.children {
            self.sow_folder(child, library, workspace, number, now);
        }
    }
}
