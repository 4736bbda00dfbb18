//! Control that only mailboxes have.

use std::collections::BTreeMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model::{Graph, Mailbox, Message};
use super::switches::Owner;
use super::{Control, Delivered, subscriptions};
use crate::common::control_http::show;
use crate::common::core::Core;

/// A message as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// Its immutable id.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// Its categories.
    pub categories: Vec<String>,
    /// Its extended properties by their ids.
    pub properties: BTreeMap<String, String>,
    /// Whether somebody has read it.
    pub is_read: bool,
    /// BLAKE3 of its bytes, in hexadecimal digits.
    pub blake3: String,
}

/// A subscription as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionView {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub resource: String,
    /// Where it tells.
    pub url: String,
    /// When it ends, in milliseconds since 1970.
    pub ends: i64,
}

fn view(message: &Message) -> MessageView {
    MessageView {
        id: message.immutable(),
        subject: message.field("Subject"),
        categories: message.categories.clone(),
        properties: message.properties.clone(),
        is_read: message.is_read,
        blake3: blake3::hash(&message.mime).to_hex().to_string(),
    }
}

/// A mailbox by its address, as a test names it, with a folder by its well-known name or path.
impl Control {
    fn within<R>(&self, address: &str, act: impl FnOnce(&mut Mailbox) -> R) -> Option<(Owner, R)> {
        let mut world = self.core.world();
        let owner = world.find(address)?.clone();
        let done = act(world.vendor.mailbox(&owner.id));
        Some((owner, done))
    }

    /// Delivers a message; gives its immutable id, empty where there is no such mailbox or folder.
    pub fn deliver(&self, address: &str, folder: &str, mime: &[u8]) -> String {
        let now = self.core.now();
        let made = self.within(address, |mailbox| {
            let folder = mailbox.find(folder)?;
            let number = mailbox.add(&folder, mime, now);
            Some((number, mailbox.messages.get(&number)?.immutable()))
        });
        let Some((owner, Some((number, id)))) = made else { return String::new() };
        subscriptions::tell(&self.core, &owner, number, "created", now);
        id
    }

    /// The messages of a folder, in the order in which they came.
    pub fn messages(&self, address: &str, folder: &str) -> Vec<MessageView> {
        let found = self.within(address, |mailbox| {
            let folder = mailbox.find(folder)?;
            Some(mailbox.messages.values().filter(|it| it.folder == folder).map(view).collect())
        });
        found.and_then(|(_, list)| list).unwrap_or_default()
    }

    /// Moves a message as its owner would; false when it or the folder is not there.
    pub fn move_message(&self, address: &str, id: &str, to: &str) -> bool {
        let moved = self.within(address, |mailbox| {
            let (number, to) = (mailbox.by_id(id)?, mailbox.find(to)?);
            mailbox.relocate(number, Some(&to)).map(|_| number)
        });
        let Some((owner, Some(number))) = moved else { return false };
        subscriptions::tell(&self.core, &owner, number, "created", self.core.now());
        true
    }

    /// Removes a message for good.
    pub fn remove_message(&self, address: &str, id: &str) -> bool {
        let gone = self.within(address, |mailbox| {
            let number = mailbox.by_id(id)?;
            mailbox.relocate(number, None)
        });
        gone.is_some_and(|(_, gone)| gone.is_some())
    }

    /// Reads a message, which changes it.
    pub fn read_message(&self, address: &str, id: &str) -> bool {
        self.change(address, id, |message| message.is_read = true)
    }

    /// Gives a message categories.
    pub fn categorise(&self, address: &str, id: &str, categories: &[&str]) -> bool {
        let categories = categories.iter().map(|it| (*it).to_owned()).collect();
        self.change(address, id, |message| message.categories = categories)
    }

    /// Makes a message a draft, or sends it.
    pub fn set_draft(&self, address: &str, id: &str, draft: bool) -> bool {
        self.change(address, id, |message| message.is_draft = draft)
    }

    fn change(&self, address: &str, id: &str, change: impl FnOnce(&mut Message)) -> bool {
        let changed = self.within(address, |mailbox| {
            let number = mailbox.by_id(id)?;
            mailbox.touch(number, change);
            Some(number)
        });
        let Some((owner, Some(number))) = changed else { return false };
        subscriptions::tell(&self.core, &owner, number, "updated", self.core.now());
        true
    }

    /// Makes a folder in another one (a well-known name or a path; the root is `msgfolderroot`); gives its id.
    pub fn add_folder(&self, address: &str, within: &str, name: &str) -> String {
        let made = self.within(address, |mailbox| {
            let parent = mailbox.find(within)?;
            Some(mailbox.add_folder(name, Some(parent)))
        });
        made.and_then(|(_, id)| id).unwrap_or_default()
    }

    /// Names a folder anew.
    pub fn rename_folder(&self, address: &str, path: &str, name: &str) -> bool {
        let done = self.within(address, |mailbox| {
            let id = mailbox.find(path)?;
            let folder = mailbox.folders.iter_mut().find(|it| it.id == id)?;
            name.clone_into(&mut folder.name);
            Some(())
        });
        done.is_some_and(|(_, done)| done.is_some())
    }

    /// Removes a folder with its messages.
    pub fn remove_folder(&self, address: &str, path: &str) -> bool {
        let done = self.within(address, |mailbox| {
            let id = mailbox.find(path)?;
            mailbox.folders.retain(|it| it.id != id);
            mailbox.messages.retain(|_, it| it.folder != id);
            Some(())
        });
        done.is_some_and(|(_, done)| done.is_some())
    }

    /// Forgets every link there is: whoever follows one begins anew.
    pub fn forget_links(&self) {
        self.core.world().vendor.links.clear();
    }

    /// The subscriptions that there are.
    pub fn subscriptions(&self) -> Vec<SubscriptionView> {
        let now = self.core.now();
        let world = self.core.world();
        let all = world.vendor.subscriptions.values().filter(|it| it.ends > now);
        let view = |it: &super::model::Subscription| SubscriptionView {
            id: it.id.clone(),
            resource: it.resource.clone(),
            url: it.url.clone(),
            ends: it.ends,
        };
        all.map(view).collect()
    }

    /// Ends all subscriptions without a word.
    pub fn end_subscriptions(&self) {
        self.core.world().vendor.subscriptions.clear();
    }

    /// Tells every subscription's lifecycle address something, such as `missed`; gives how many.
    pub fn lifecycle(&self, kind: &str) -> usize {
        subscriptions::lifecycle(&self.core, kind)
    }

    /// The notifications that were sent, and how they were answered.
    pub fn notifications(&self) -> Vec<Delivered> {
        self.core.world().vendor.postman.delivered()
    }

    /// Most calls at once in a mailbox.
    pub fn most_abreast(&self, address: &str) -> usize {
        self.gate(address, |gate| gate.peak)
    }

    /// Calls that came while their caller had been told to wait.
    pub fn impatient(&self, address: &str) -> u64 {
        self.gate(address, |gate| gate.impatient)
    }

    fn gate<R: Default>(&self, address: &str, read: impl FnOnce(&super::model::Gate) -> R) -> R {
        let world = self.core.world();
        let Some(owner) = world.find(address) else { return R::default() };
        world.vendor.gates().get(&owner.id).map(read).unwrap_or_default()
    }

    /// Registers the certificate of an application: the SHA-256 of it in base64url, and its RSA public key (PKCS #1).
    pub fn register_key(&self, app: &str, print: &str, key: &[u8]) {
        self.core.world().vendor.keys.insert(app.to_owned(), (print.to_owned(), key.to_vec()));
    }
}

/// Control routes of the server's own.
pub(super) fn answer(
    core: &Arc<Core<Graph>>,
    method: &str,
    path: &str,
    body: &[u8],
) -> Option<Result<Value, String>> {
    let control = Control { core: Arc::clone(core) };
    let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
    Some(match (method, path) {
        ("POST", "links/forget") => {
            control.forget_links();
            Ok(json!({ "ok": true }))
        }
        ("GET", "subscriptions") => show(control.subscriptions()),
        ("GET", "notifications") => show(control.notifications()),
        _ => {
            let (address, folder) = decoded.strip_prefix("mailboxes/")?.split_once('/')?;
            match method {
                "GET" => show(control.messages(address, folder)),
                "POST" => match control.deliver(address, folder, body) {
                    id if id.is_empty() => Err("no such mailbox or folder".to_owned()),
                    id => Ok(json!({ "id": id })),
                },
                _ => return None,
            }
        }
    })
}
