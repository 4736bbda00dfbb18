//! The tenant's records and their indexes. One lock guards it; nothing slow happens while it is held.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ledger::Ledger;
use super::model::{Access, Alias, App, Container, Customs, Document, Kind, Library, Lock, User, Version};
use super::words::{ValueIndex, WordIndex};

/// Number of the first document.
pub(super) const FIRST_DOCUMENT: u64 = 4711;
/// Number of the first container that is not seeded with one.
const FIRST_CONTAINER: u64 = 10_000;

/// Everything but tokens, faults and statistics.
#[derive(Debug)]
pub(super) struct State {
    pub(super) customer_id: u64,
    pub(super) libraries: Vec<Library>,
    pub(super) users: BTreeMap<String, User>,
    pub(super) apps: Vec<App>,
    pub(super) containers: HashMap<u64, Container>,
    /// Workspaces and folders in order of creation.
    pub(super) workspaces: Vec<u64>,
    pub(super) folders: Vec<u64>,
    pub(super) docs: Vec<Document>,
    pub(super) comments: WordIndex,
    pub(super) marks: ValueIndex,
    pub(super) mark_field: String,
    /// Mails filed, by workspace and identity.
    pub(super) mails: HashSet<(u64, String)>,
    pub(super) ledger: Ledger,
    /// Workspaces by the user who marked them.
    pub(super) favourites: HashMap<String, Vec<u64>>,
    /// Workspaces by the user who used them lately, where control said so.
    pub(super) recent: HashMap<String, Vec<u64>>,
    next_container: u64,
}

impl State {
    pub(super) fn new(customer_id: u64, mark_field: &str) -> Self {
        Self {
            customer_id,
            libraries: Vec::new(),
            users: BTreeMap::new(),
            apps: Vec::new(),
            containers: HashMap::new(),
            workspaces: Vec::new(),
            folders: Vec::new(),
            docs: Vec::new(),
            comments: WordIndex::default(),
            marks: ValueIndex::default(),
            mark_field: mark_field.to_owned(),
            mails: HashSet::new(),
            ledger: Ledger::default(),
            favourites: HashMap::new(),
            recent: HashMap::new(),
            next_container: FIRST_CONTAINER,
        }
    }

    /// Position of a library by name, letters ignored.
    pub(super) fn library(&self, name: &str) -> Option<usize> {
        self.libraries.iter().position(|l| l.name.eq_ignore_ascii_case(name))
    }

    /// A free container number, or the wanted one.
    pub(super) fn take_number(&mut self, wanted: Option<u64>) -> u64 {
        if let Some(number) = wanted.filter(|n| !self.containers.contains_key(n)) {
            self.next_container = self.next_container.max(number + 1);
            return number;
        }
        let number = self.next_container;
        self.next_container += 1;
        number
    }

    pub(super) fn add_container(&mut self, container: Container) {
        match container.kind {
            Kind::Workspace => self.workspaces.push(container.number),
            Kind::Tab | Kind::Folder | Kind::SearchFolder => self.folders.push(container.number),
        }
        if let Some(parent) = container.parent.and_then(|p| self.containers.get_mut(&p)) {
            parent.children.push(container.number);
        }
        self.containers.insert(container.number, container);
    }

    pub(super) fn doc_position(&self, number: u64) -> Option<usize> {
        let at = usize::try_from(number.checked_sub(FIRST_DOCUMENT)?).ok()?;
        (at < self.docs.len()).then_some(at)
    }

    /// Add a document with its first version, with its indexes; gives its position.
    pub(super) fn add_document(
        &mut self,
        library: usize,
        workspace: u64,
        folder: u64,
        version: Version,
    ) -> usize {
        let at = self.docs.len();
        self.comments.add(&version.comment, at);
        if let Some(mark) = version.customs.get(&self.mark_field) {
            self.marks.add(mark, at);
        }
        self.docs.push(Document {
            number: FIRST_DOCUMENT + at as u64,
            library,
            workspace,
            folders: vec![folder],
            versions: vec![version],
            lock: None,
            history: Vec::new(),
        });
        if let Some(folder) = self.containers.get_mut(&folder) {
            folder.docs.push(at);
        }
        at
    }

    /// Whether `container` is `ancestor` or lies below it.
    pub(super) fn is_within(&self, container: u64, ancestor: u64) -> bool {
        let mut at = Some(container);
        while let Some(number) = at {
            if number == ancestor {
                return true;
            }
            at = self.containers.get(&number).and_then(|c| c.parent);
        }
        false
    }

    /// The container and everything below it, in order.
    pub(super) fn subtree(&self, root: u64) -> Vec<u64> {
        let mut found = vec![root];
        let mut at = 0;
        while let Some(container) = found.get(at).and_then(|n| self.containers.get(n)) {
            found.extend(&container.children);
            at += 1;
        }
        found
    }

    /// Custom values a folder passes on: the nearest set value going up to the workspace.
    pub(super) fn inherited(&self, container: u64) -> (Option<String>, Customs) {
        let (mut class, mut customs) = (None, Customs::new());
        let mut at = Some(container);
        while let Some(current) = at.and_then(|n| self.containers.get(&n)) {
            class = class.or_else(|| current.class.clone());
            for (field, value) in &current.customs {
                customs.entry(field.clone()).or_insert_with(|| value.clone());
            }
            at = current.parent;
        }
        (class, customs)
    }

    /// Move a folder under another container.
    pub(super) fn move_folder(&mut self, folder: u64, to: u64) -> bool {
        let Some(target) = self.containers.get(&to).map(|c| (c.workspace, c.library)) else { return false };
        let Some(old) = self.containers.get(&folder).and_then(|c| c.parent) else { return false };
        if self.is_within(to, folder) {
            return false;
        }
        if let Some(parent) = self.containers.get_mut(&old) {
            parent.children.retain(|n| *n != folder);
        }
        if let Some(parent) = self.containers.get_mut(&to) {
            parent.children.push(folder);
        }
        for number in self.subtree(folder) {
            let Some(container) = self.containers.get_mut(&number) else { continue };
            (container.workspace, container.library) = target;
            if number == folder {
                container.parent = Some(to);
            }
            for at in container.docs.clone() {
                self.docs[at].workspace = target.0;
            }
        }
        true
    }

    /// Take a folder out of the tree, and with it everything below it.
    pub(super) fn remove_folder(&mut self, folder: u64) -> bool {
        let Some(parent) = self.containers.get(&folder).and_then(|c| c.parent) else { return false };
        if let Some(parent) = self.containers.get_mut(&parent) {
            parent.children.retain(|n| *n != folder);
        }
        for number in self.subtree(folder) {
            for at in self.containers.remove(&number).map(|c| c.docs).unwrap_or_default() {
                let doc = &mut self.docs[at];
                doc.folders.retain(|f| *f != number);
                if doc.folders.is_empty() {
                    doc.versions.iter_mut().for_each(|v| v.deleted = true);
                }
            }
            self.folders.retain(|n| *n != number);
        }
        true
    }

    pub(super) fn lock_document(&mut self, number: u64, user: &str, now: i64) -> bool {
        let Some(at) = self.doc_position(number) else { return false };
        self.docs[at].lock = Some(Lock {
            user: user.to_uppercase(),
            comment: String::new(),
            due_date: None,
            checked_out: true,
            at: now,
        });
        true
    }
}

impl Container {
    pub(super) fn new(
        number: u64,
        library: usize,
        kind: Kind,
        parent: Option<u64>,
        workspace: u64,
        name: &str,
        now: i64,
    ) -> Self {
        Self {
            number,
            library,
            kind,
            parent,
            workspace,
            name: name.to_owned(),
            description: String::new(),
            owner: String::new(),
            email: None,
            class: None,
            subclass: None,
            default_security: if kind == Kind::Workspace { "public" } else { "inherit" }.to_owned(),
            customs: Customs::new(),
            closed: false,
            everyone: Access::FullAccess,
            rights: BTreeMap::new(),
            children: Vec::new(),
            docs: Vec::new(),
            created: now,
            edited: now,
        }
    }
}

impl Library {
    pub(super) fn add_alias(&mut self, field: &str, alias: Alias) {
        let parent = alias.parent.as_deref().unwrap_or_default().to_lowercase();
        self.lookups.insert((field.to_owned(), parent, alias.id.to_lowercase()), alias);
    }

    /// A lookup entry; `parent` is empty for fields without a parent.
    pub(super) fn alias(&self, field: &str, parent: &str, id: &str) -> Option<&Alias> {
        self.lookups.get(&(field.to_owned(), parent.to_lowercase(), id.to_lowercase()))
    }

    pub(super) fn class(&self, id: &str) -> Option<&super::model::Class> {
        self.classes.iter().find(|c| c.id.eq_ignore_ascii_case(id))
    }
}
