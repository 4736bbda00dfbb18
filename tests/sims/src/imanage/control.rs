//! Control from the same process: look into the tenant, change it, break it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::faults::{Action, Rule};
use super::ledger::Entry;
use super::model::{Access, Customs, Document, Kind, User, Version};
use super::seed::Seed;
use super::server::Shared;
use super::stats::Stats;
use super::switches::Switches;
use crate::common::secrets::{Secret, SecretKind};
use crate::common::token_stats::{GrantStats, TokenEvent};

/// Access to a running simulator's state. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// A workspace as control shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceInfo {
    /// Number.
    pub number: u64,
    /// Id with library.
    pub id: String,
    /// Name.
    pub name: String,
    /// Custom fields.
    pub customs: Customs,
    /// Nothing can be filed any more.
    pub closed: bool,
    /// Tabs and folders below it, in order.
    pub folders: Vec<FolderInfo>,
}

/// A folder as control shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderInfo {
    /// Number.
    pub number: u64,
    /// Id with library.
    pub id: String,
    /// Name.
    pub name: String,
    /// `tab`, `folder` or `search`.
    pub kind: String,
    /// Documents in it.
    pub documents: usize,
}

/// A version of a document as it is there now: what was deleted is not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentInfo {
    /// Id with library and version.
    pub id: String,
    /// Name without extension.
    pub name: String,
    /// Upper-case extension.
    pub extension: String,
    /// Bytes stored.
    pub size: u64,
    /// BLAKE3 of what is stored, lower-case hex.
    pub blake3: String,
    /// Comment of the version.
    pub comment: String,
    /// Ids of the folders it lies in.
    pub folders: Vec<String>,
}

impl Control {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The switches in force.
    pub fn switches(&self) -> Switches {
        Switches::clone(&self.shared.switches())
    }

    /// Replace all switches.
    pub fn set_switches(&self, switches: Switches) {
        self.shared.set_switches(switches);
    }

    /// Change some switches.
    pub fn update_switches(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = self.switches();
        change(&mut switches);
        self.set_switches(switches);
    }

    /// Change the switches named in a JSON object.
    pub fn patch_switches(&self, patch: &Value) -> Result<(), serde_json::Error> {
        let mut whole = serde_json::to_value(self.switches())?;
        if let (Value::Object(whole), Value::Object(patch)) = (&mut whole, patch) {
            whole.extend(patch.clone());
        }
        self.set_switches(serde_json::from_value(whole)?);
        Ok(())
    }

    /// Add content.
    pub fn seed(&self, seed: &Seed) {
        let now = self.shared.now();
        self.shared.state().sow(seed, now);
    }

    /// Add a fault; gives its id.
    pub fn add_fault(&self, rule: Rule) -> u64 {
        self.shared.rules.add(rule)
    }

    /// The faults, each with how often it matched and fired.
    pub fn faults(&self) -> Vec<(Rule, u64, u64)> {
        self.shared.rules.list()
    }

    /// Remove one fault.
    pub fn remove_fault(&self, id: u64) {
        self.shared.rules.remove(Some(id));
    }

    /// Remove all faults.
    pub fn clear_faults(&self) {
        self.shared.rules.remove(None);
    }

    /// Let everything that hangs continue.
    pub fn release(&self) {
        self.shared.release();
    }

    /// Perform an action that changes the tenant, now. False if it is of another kind or names nothing.
    pub fn apply(&self, action: &Action) -> bool {
        action.changes_state() && self.shared.apply(action, None)
    }

    /// The whole ledger.
    pub fn ledger(&self) -> Vec<Entry> {
        self.ledger_after(0, usize::MAX)
    }

    /// Up to `limit` entries after a sequence number.
    pub fn ledger_after(&self, after: u64, limit: usize) -> Vec<Entry> {
        self.shared.state().ledger.after(after, limit)
    }

    /// Entries whose comment or mark field equals `mark`.
    pub fn by_mark(&self, mark: &str) -> Vec<Entry> {
        self.shared.state().ledger.by_mark(mark)
    }

    /// Entries of a folder, by id as the ledger shows it.
    pub fn in_container(&self, container: &str) -> Vec<Entry> {
        self.shared.state().ledger.in_container(container)
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let committed = self.shared.state().ledger.len();
        self.shared.stats.read(committed as u64, self.shared.auth().bank.stats())
    }

    /// Set the call counters back.
    pub fn reset_stats(&self) {
        self.shared.stats.reset();
        self.shared.auth().bank.reset_stats();
    }

    /// What happened to codes and tokens, in order.
    pub fn token_events(&self) -> Vec<TokenEvent> {
        self.shared.auth().bank.events()
    }

    /// What became of each approval: refreshes, most at once, tokens presented after revocation.
    pub fn grants(&self) -> Vec<GrantStats> {
        self.shared.auth().bank.grants()
    }

    /// Every code, token, password and client secret there ever was.
    pub fn secrets(&self) -> Vec<Secret> {
        let state = self.shared.state();
        let mut auth = self.shared.auth();
        for app in &state.apps {
            auth.bank.secrets.note(SecretKind::ClientSecret, &app.secret);
        }
        for password in state.users.values().filter_map(|u| u.password.as_deref()) {
            auth.bank.secrets.note(SecretKind::Password, password);
        }
        auth.bank.secrets()
    }

    /// End everything a person has granted, as an administrator would; gives how many grants that were.
    pub fn revoke(&self, user: &str) -> usize {
        self.shared.auth().bank.revoke_of(Some(&user.to_uppercase()), self.shared.now())
    }

    /// Move the simulator's time on; a negative number moves it back.
    pub fn advance(&self, ms: i64) {
        self.shared.advance(ms);
    }

    /// All users.
    pub fn users(&self) -> Vec<User> {
        self.shared.state().users.values().cloned().collect()
    }

    /// Change a user; false if there is none of that id.
    pub fn update_user(&self, id: &str, change: impl FnOnce(&mut User)) -> bool {
        self.shared.state().users.get_mut(&id.to_uppercase()).map(change).is_some()
    }

    /// Set what a user may do in a workspace; `None` sets it for everyone without an entry.
    pub fn set_access(&self, workspace: u64, user: Option<&str>, access: Access) -> bool {
        let mut state = self.shared.state();
        let Some(container) = state.containers.get_mut(&workspace) else { return false };
        match user {
            Some(user) => {
                container.rights.insert(user.to_uppercase(), access);
            }
            None => container.everyone = access,
        }
        true
    }

    /// All workspaces with their folders.
    pub fn workspaces(&self) -> Vec<WorkspaceInfo> {
        let switches = self.shared.switches();
        let state = self.shared.state();
        let info = |number: &u64| {
            let c = state.containers.get(number)?;
            let folders = state.subtree(*number).into_iter().skip(1).filter_map(|n| state.containers.get(&n));
            let folders = folders
                .map(|f| FolderInfo {
                    number: f.number,
                    id: state.container_id(f, &switches),
                    name: f.name.clone(),
                    kind: match f.kind {
                        Kind::Tab => "tab",
                        Kind::SearchFolder => "search",
                        Kind::Folder | Kind::Workspace => "folder",
                    }
                    .to_owned(),
                    documents: f.docs.len(),
                })
                .collect();
            Some(WorkspaceInfo {
                number: c.number,
                id: state.container_id(c, &switches),
                name: c.name.clone(),
                customs: c.customs.clone(),
                closed: c.closed,
                folders,
            })
        };
        state.workspaces.iter().filter_map(info).collect()
    }

    /// Every version of every document that is there, oldest documents first.
    pub fn documents(&self) -> Vec<DocumentInfo> {
        let switches = self.shared.switches();
        let state = self.shared.state();
        let info = |doc: &Document, v: &Version| DocumentInfo {
            id: state.document_id(doc, v.number, &switches),
            name: v.name.clone(),
            extension: v.extension.clone(),
            size: v.stored.size,
            blake3: v.stored.blake3.clone(),
            comment: v.comment.clone(),
            folders: doc
                .folders
                .iter()
                .map(|f| format!("{}!{f}", state.prefix(doc.library, &switches)))
                .collect(),
        };
        let versions = state.docs.iter().flat_map(|doc| doc.versions.iter().map(move |v| (doc, v)));
        versions.filter(|(_, v)| !v.deleted).map(|(doc, v)| info(doc, v)).collect()
    }

    /// Set the workspaces that a user marked, by number.
    pub fn set_favourites(&self, user: &str, workspaces: &[u64]) {
        self.shared.state().favourites.insert(user.to_uppercase(), workspaces.to_vec());
    }

    /// Set the workspaces that a user used lately, newest first. Without it the list follows creation.
    pub fn set_recent(&self, user: &str, workspaces: &[u64]) {
        self.shared.state().recent.insert(user.to_uppercase(), workspaces.to_vec());
    }

    /// An access token for a user, without OAuth.
    pub fn issue_token(&self, user: &str) -> Option<String> {
        self.shared.issue(user)
    }

    /// A dialog token for a user, as the host would hand it to a page.
    pub fn issue_dialog_token(&self, user: &str) -> Option<String> {
        self.shared.issue_dialog(user)
    }
}
