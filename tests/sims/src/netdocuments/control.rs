//! Control of what is the repository's own: seeding, the ledger, changes, tokens without the dance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::flaws::Flaw;
use super::ids;
use super::ledger::Entry;
use super::model::{Attributes, Kind, Row};
use super::seed::Seed;
use super::serve::{APP, NetDocuments};
use crate::common::bank::Grant;
use crate::common::control::Control;
use crate::common::control_http::{parse, show};
use crate::common::core::Core;

/// A version of a document that is held and not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Document id in twelve digits.
    pub document: String,
    /// Version number.
    pub version: u32,
    /// Whether it is the official one.
    pub official: bool,
    /// Name without extension.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Bytes.
    pub size: u64,
    /// BLAKE3, lower-case hex.
    pub blake3: String,
    /// Description of the version.
    pub description: String,
    /// Values of the profile.
    pub attributes: Attributes,
    /// Folders it lies in, in twelve digits.
    pub folders: Vec<String>,
    /// Workspace, in twelve digits; empty if none.
    pub workspace: String,
    /// User id of whoever sent the version.
    pub user: String,
}

/// A container as control shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Id in twelve digits.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it lies in; empty for a workspace.
    pub parent: String,
    /// Values of its own attributes.
    pub attributes: Attributes,
}

impl Control<NetDocuments> {
    /// Add content.
    pub fn seed(&self, seed: &Seed) {
        let now = self.core.now();
        self.core.world().vendor.tenant.sow(seed, now);
    }

    /// Perform a change now. False if it is of another kind or names nothing.
    pub fn apply(&self, change: &Flaw) -> bool {
        change.apply(&mut self.core.world().vendor.tenant)
    }

    /// Everything that was ever stored, in order.
    pub fn ledger(&self) -> Vec<Entry> {
        self.ledger_after(0, usize::MAX)
    }

    /// Up to `limit` entries after a sequence number.
    pub fn ledger_after(&self, after: u64, limit: usize) -> Vec<Entry> {
        self.core.world().vendor.tenant.ledger.after(after, limit)
    }

    /// Every version of every document that is there, in order of the documents.
    pub fn holdings(&self) -> Vec<Holding> {
        let world = self.core.world();
        let tenant = &world.vendor.tenant;
        let docs = tenant.doc_order.iter().filter_map(|it| tenant.docs.get(it)).filter(|it| !it.deleted);
        docs.flat_map(|doc| {
            doc.versions.iter().map(|version| Holding {
                document: doc.id(),
                version: version.number,
                official: version.number == doc.official,
                name: doc.name.clone(),
                extension: version.extension.clone(),
                size: version.stored.size,
                blake3: version.stored.blake3.clone(),
                description: version.description.clone(),
                attributes: doc.attributes.clone(),
                folders: doc.folders.iter().map(|it| ids::digits(*it)).collect(),
                workspace: doc.workspace.map(ids::digits).unwrap_or_default(),
                user: version.user.clone(),
            })
        })
        .collect()
    }

    /// Workspaces and folders that are there, in order of creation.
    pub fn places(&self) -> Vec<Place> {
        let world = self.core.world();
        let tenant = &world.vendor.tenant;
        let nodes = tenant.node_order.iter().filter_map(|it| tenant.nodes.get(it)).filter(|it| !it.deleted);
        nodes
            .map(|node| Place {
                id: node.id(),
                name: node.name.clone(),
                kind: node.kind,
                parent: node.parent.map(ids::digits).unwrap_or_default(),
                attributes: node.attributes.clone(),
            })
            .collect()
    }

    /// All rows of the lookup tables.
    pub fn rows(&self) -> Vec<Row> {
        self.core.world().vendor.tenant.rows.clone()
    }

    /// Members of a group, by id.
    pub fn group_members(&self, group: &str) -> Vec<String> {
        let world = self.core.world();
        let found = world.vendor.tenant.groups.iter().find(|it| it.id == group);
        found.map(|it| it.members.iter().cloned().collect()).unwrap_or_default()
    }

    /// Changes the definition of a cabinet; false if there is none.
    pub fn update_cabinet(&self, id: &str, change: impl FnOnce(&mut super::Cabinet)) -> bool {
        let mut world = self.core.world();
        world.vendor.tenant.cabinets.iter_mut().find(|it| it.id == id).map(change).is_some()
    }

    /// Marks a workspace for a user; false if there is none.
    pub fn mark_favourite(&self, user: &str, workspace: &str) -> bool {
        let mut world = self.core.world();
        let tenant = &mut world.vendor.tenant;
        let Some(number) = tenant.node(workspace).map(|it| it.number) else { return false };
        tenant.favourites.entry(user.to_owned()).or_default().push(number);
        true
    }

    /// An access token of a person (id or mail address) with a scope, without OAuth.
    pub fn issue_token(&self, person: &str, scope: &str) -> Option<String> {
        let id = self.core.world().find(person).map(|it| it.id.clone())?;
        let scope = scope.split([' ', ',']).map(str::to_owned).collect();
        let now = self.core.now();
        let mut bank = self.core.bank();
        let grant = bank.grant(Grant { person: id, client: APP.into(), scope, more: Value::Null });
        Some(bank.access(grant, now))
    }

    /// A refresh token of a person with full scope, without OAuth.
    pub fn issue_refresh_token(&self, person: &str) -> Option<String> {
        let id = self.core.world().find(person).map(|it| it.id.clone())?;
        let now = self.core.now();
        let mut bank = self.core.bank();
        let scope = vec!["full".to_owned()];
        let grant = bank.grant(Grant { person: id, client: APP.into(), scope, more: Value::Null });
        Some(bank.refresh(grant, now))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    person: String,
    #[serde(default = "full")]
    scope: String,
}

fn full() -> String {
    "full".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    #[serde(default)]
    after: u64,
    #[serde(default = "thousand")]
    limit: usize,
}

const fn thousand() -> usize {
    1000
}

/// `ledger` (posted with `after` and `limit`), `holdings`, `places`, `rows`, `seed`, `do`, `token`.
pub(super) fn http(
    core: &Arc<Core<NetDocuments>>,
    method: &str,
    path: &str,
    body: &[u8],
) -> Option<Result<Value, String>> {
    let control = Control { core: Arc::clone(core) };
    Some(match (method, path) {
        ("GET" | "POST", "ledger") => parse::<From>(body).map(|it| {
            let entries = control.ledger_after(it.after, it.limit);
            json!({ "last": entries.last().map(|it| it.seq), "entries": entries })
        }),
        ("GET", "holdings") => show(control.holdings()),
        ("GET", "places") => show(control.places()),
        ("GET", "rows") => show(control.rows()),
        ("POST", "seed") => parse::<Seed>(body).map(|seed| {
            control.seed(&seed);
            json!({ "ok": true })
        }),
        ("POST", "do") => parse::<Flaw>(body).and_then(|change| {
            if control.apply(&change) {
                Ok(json!({ "ok": true }))
            } else {
                Err("nothing there to change".to_owned())
            }
        }),
        ("POST", "token") => parse::<Issue>(body).and_then(|it| {
            let token = control.issue_token(&it.person, &it.scope).ok_or("no such person")?;
            Ok(json!({ "access_token": token }))
        }),
        _ => return None,
    })
}
