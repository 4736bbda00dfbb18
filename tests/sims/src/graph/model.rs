//! Mailboxes, folders, messages, links and subscriptions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::common::post::Postman;
use crate::common::throttle::Bucket;

/// Folders that every mailbox has: their well-known names, and how people see them.
const FOLDERS: [(&str, &str); 6] = [
    ("msgfolderroot", "Top of Information Store"),
    ("inbox", "Inbox"),
    ("archive", "Archive"),
    ("sentitems", "Sent Items"),
    ("deleteditems", "Deleted Items"),
    ("drafts", "Drafts"),
];

/// Everything the server holds.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// By the owner's id.
    pub(super) mailboxes: BTreeMap<String, Mailbox>,
    pub(super) links: HashMap<String, Link>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    /// Public keys of applications: by id, the certificate's print and the key.
    pub(super) keys: BTreeMap<String, (String, Vec<u8>)>,
    pub(super) postman: Postman,
    gates: Arc<Mutex<HashMap<String, Gate>>>,
}

/// How a mailbox is being called.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) inside: usize,
    /// Most at once.
    pub(super) peak: usize,
    pub(super) bucket: Bucket,
    /// Until when a client was told to wait, in milliseconds.
    pub(super) until: i64,
    /// Calls that came before that.
    pub(super) impatient: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) well_known: Option<&'static str>,
    pub(super) parent: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) number: u64,
    pub(super) folder: String,
    pub(super) mime: Bytes,
    pub(super) received: i64,
    pub(super) is_read: bool,
    pub(super) is_draft: bool,
    pub(super) categories: Vec<String>,
    pub(super) properties: BTreeMap<String, String>,
    /// How often it was moved: its plain id changes each time.
    pub(super) moves: u32,
    /// The mailbox's count at its last change.
    pub(super) seq: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    pub(super) folders: Vec<Folder>,
    pub(super) messages: BTreeMap<u64, Message>,
    /// What left which folder, and at which count.
    pub(super) gone: Vec<(u64, String, Message)>,
    pub(super) seq: u64,
    made: u64,
}

/// Where a link leads.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) user: String,
    pub(super) folder: String,
    pub(super) select: String,
    /// What is still to come on further pages; none: look at what changed since.
    pub(super) rest: Option<Vec<Change>>,
    pub(super) since: u64,
    pub(super) made: i64,
}

/// One entry of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) number: u64,
    pub(super) removed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) app: String,
    pub(super) user: String,
    pub(super) folder: String,
    pub(super) resource: String,
    pub(super) kinds: String,
    pub(super) url: String,
    pub(super) lifecycle: Option<String>,
    pub(super) secret: String,
    pub(super) ends: i64,
    pub(super) immutable: bool,
}

impl Graph {
    pub(super) fn gates(&self) -> MutexGuard<'_, HashMap<String, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn shared_gates(&self) -> Arc<Mutex<HashMap<String, Gate>>> {
        Arc::clone(&self.gates)
    }

    pub(super) fn mailbox(&mut self, user: &str) -> &mut Mailbox {
        self.mailboxes.entry(user.to_owned()).or_insert_with(Mailbox::new)
    }
}

impl Message {
    /// The id that stays. A message and the hundredth after it have ids that differ only in case.
    pub(super) fn immutable(&self) -> String {
        format!("AAkALgAAAAAAHYQDEapmEc2by+CqAC/EWg0A{}", ending(self.number))
    }

    /// The id that changes.
    pub(super) fn plain(&self) -> String {
        format!("AAMkAGI2TG93AAA+{:04}/{}", self.moves, ending(self.number))
    }

    pub(super) fn id(&self, immutable: bool) -> String {
        if immutable { self.immutable() } else { self.plain() }
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        id == self.immutable() || id == self.plain()
    }

    /// A header field of it, as far as its lines tell.
    pub(super) fn field(&self, name: &str) -> String {
        let text = String::from_utf8_lossy(&self.mime[..self.mime.len().min(16 << 10)]).into_owned();
        let mut lines = text.lines().take_while(|line| !line.is_empty());
        let field = |line: &str| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        lines.find_map(field).unwrap_or_default()
    }

    /// Its header fields, as far as each stands on one line.
    pub(super) fn headers(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8_lossy(&self.mime[..self.mime.len().min(16 << 10)]).into_owned();
        let lines = text.lines().take_while(|line| !line.is_empty());
        let fields = lines.filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| serde_json::json!({"name": name, "value": value.trim()})).collect()
    }
}

fn ending(number: u64) -> String {
    let (block, within) = (number / 200, number % 200);
    format!("{:012}{}", block * 100 + within % 100, if within < 100 { "aB=" } else { "Ab=" })
}

impl Mailbox {
    fn new() -> Self {
        let mut this =
            Self { folders: Vec::new(), messages: BTreeMap::new(), gone: Vec::new(), seq: 0, made: 0 };
        for (known, name) in FOLDERS {
            let root = this.folders.first().map(|it| it.id.clone());
            let id = this.add_folder(name, root);
            if let Some(folder) = this.folders.iter_mut().find(|it| it.id == id) {
                folder.well_known = Some(known);
            }
        }
        this
    }

    /// Makes a folder; gives its id.
    pub(super) fn add_folder(&mut self, name: &str, parent: Option<String>) -> String {
        self.made += 1;
        let id = format!("AQMkADAwATM0MDAAMS1iNTcALWVhNmMtMDACLTAwCgAuAAADqLwTVnDqE0mV{:016}=", self.made);
        self.folders.push(Folder { id: id.clone(), name: name.to_owned(), well_known: None, parent });
        id
    }

    /// A folder by its id or a well-known name.
    pub(super) fn folder(&self, name: &str) -> Option<&Folder> {
        let known = |it: &&Folder| it.well_known.is_some_and(|known| known.eq_ignore_ascii_case(name));
        self.folders.iter().find(|it| it.id == name).or_else(|| self.folders.iter().find(known))
    }

    /// A folder by its id, a well-known name, or a path of names.
    pub(super) fn find(&self, path: &str) -> Option<String> {
        if let Some(folder) = self.folder(path) {
            return Some(folder.id.clone());
        }
        let mut at = self.folders.first()?.id.clone();
        for step in path.split('/') {
            let parent = Some(at.clone());
            let found = self.folders.iter().find(|it| it.parent == parent && it.name == step)?;
            at.clone_from(&found.id);
        }
        Some(at)
    }

    /// Puts a message in; gives its number.
    pub(super) fn add(&mut self, folder: &str, mime: &[u8], now: i64) -> u64 {
        self.made += 1;
        self.seq += 1;
        let message = Message {
            number: self.made,
            folder: folder.to_owned(),
            mime: Bytes::copy_from_slice(mime),
            received: now,
            is_read: false,
            is_draft: false,
            categories: Vec::new(),
            properties: BTreeMap::new(),
            moves: 0,
            seq: self.seq,
        };
        self.messages.insert(self.made, message);
        self.made
    }

    pub(super) fn by_id(&self, id: &str) -> Option<u64> {
        self.messages.values().find(|it| it.has_id(id)).map(|it| it.number)
    }

    /// Changes a message.
    pub(super) fn touch(&mut self, number: u64, change: impl FnOnce(&mut Message)) {
        self.seq += 1;
        if let Some(message) = self.messages.get_mut(&number) {
            change(message);
            message.seq = self.seq;
        }
    }

    /// Moves a message; none of the target means for good. Gives the folder it left.
    pub(super) fn relocate(&mut self, number: u64, to: Option<&str>) -> Option<String> {
        self.seq += 1;
        let left = self.messages.get(&number)?.clone();
        self.gone.push((self.seq, left.folder.clone(), left.clone()));
        match to {
            None => drop(self.messages.remove(&number)),
            Some(to) => {
                if let Some(message) = self.messages.get_mut(&number) {
                    to.clone_into(&mut message.folder);
                    message.moves += 1;
                    message.seq = self.seq;
                }
            }
        }
        Some(left.folder)
    }

    /// What changed in a folder since a count.
    pub(super) fn changes(&self, folder: &str, since: u64) -> Vec<Change> {
        let here = self.messages.values().filter(|it| it.folder == folder && it.seq > since);
        let mut all: Vec<(u64, Change)> =
            here.map(|it| (it.seq, Change { number: it.number, removed: false })).collect();
        let away = |number: u64| self.messages.get(&number).is_none_or(|it| it.folder != folder);
        let gone =
            self.gone.iter().filter(|(seq, from, it)| *seq > since && from == folder && away(it.number));
        all.extend(gone.map(|(seq, _, it)| (*seq, Change { number: it.number, removed: true })));
        all.sort_by_key(|(seq, _)| *seq);
        all.into_iter().map(|(_, change)| change).collect()
    }

    /// A message that is here, or was.
    pub(super) fn any(&self, number: u64) -> Option<&Message> {
        let gone = || self.gone.iter().rev().map(|(_, _, it)| it).find(|it| it.number == number);
        self.messages.get(&number).or_else(gone)
    }
}
