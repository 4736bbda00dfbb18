//! A connector with the DMS behind it, and a look into that DMS.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use postroom_domain::dms::{Content, Dms, DmsResult, Found, Gauge, Probe, Receipt, Shelf, Upload};
use postroom_domain::ids::{FilingId, Mark};
use postroom_domain::person::Actor;

pub(crate) use crate::worlds::imanage::{FOLDER, Simulated, settings};

/// A document as the DMS holds it. A DMS with versions has an entry for each version, all of them together the whole truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) blake3: String,
}

/// What differs between the DMSs of the suite, beyond what their capabilities tell.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one flag per difference")]
pub(crate) struct Traits {
    /// Two folders of one name cannot be in one place.
    pub(crate) unique_folders: bool,
    /// Two workspaces can have one title.
    pub(crate) equal_titles: bool,
    /// The same mark sent twice is stored twice; otherwise the second one is refused.
    pub(crate) stores_twice: bool,
    /// Rights can be taken away (root on a disk keeps all of them).
    pub(crate) rights: bool,
}

/// What carries a document's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// A new document.
    New,
    /// A new version of one.
    Version,
}

/// When a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before a byte of the document was taken.
    First,
    /// When a part of it was taken.
    Middle,
    /// When it was taken and stored, before the answer.
    Last,
}

/// A value that [`Dms::lookup`] must find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looked {
    pub(crate) field: &'static str,
    pub(crate) parent: Option<&'static str>,
    /// What is typed.
    pub(crate) text: &'static str,
    /// The key that is found by it, alone.
    pub(crate) key: &'static str,
    pub(crate) description: &'static str,
}

/// One DMS of the suite.
///
/// What a method with a default answers by it means "this world cannot do that": the case then says so in the table. A default
/// never excuses a capability that is on: those cases panic when the world does not help.
pub(crate) trait World: Send + Sync {
    fn dms(&self) -> &dyn Dms;
    fn traits(&self) -> Traits;
    /// An open folder of matter "Harrow v Teal".
    fn folder(&self) -> String;
    /// A folder of a closed workspace.
    fn closed_folder(&self) -> String;
    /// A folder that was there and is gone, or never was.
    fn missing_folder(&self) -> String;
    /// Takes away the right to write to [`World::folder`].
    fn forbid(&self);
    /// All documents.
    fn held(&self) -> Vec<Held>;
    /// A new container with so many folders named `folder-0000` and on.
    fn with_folders(&self, count: usize) -> String;

    /// The fields that hold client and matter of a workspace.
    fn key_fields(&self) -> [&'static str; 2] {
        ["custom1", "custom2"]
    }
    /// Whether a search tells that a workspace is closed; elsewhere that shows when something is filed.
    fn tells_closed(&self) -> bool {
        true
    }
    /// Another open folder of the same workspace.
    fn other_folder(&self) -> Option<String> {
        None
    }
    /// A new folder with so many documents of one byte, named `document-0000.txt` and on. Wanted where documents can be listed.
    fn with_documents(&self, count: usize) -> Option<String> {
        let _ = count;
        None
    }
    /// Breaks the connection of the next call that sends a document.
    fn lose_next_answer(&self, sending: Sending, moment: Moment) -> bool {
        let _ = (sending, moment);
        false
    }
    /// Answers the next call that sends a document with "wait so many seconds", and stores nothing.
    fn throttle_next(&self, seconds: u64) -> bool {
        let _ = seconds;
        false
    }
    /// Takes back what [`World::lose_next_answer`] and [`World::throttle_next`] set up.
    fn calm(&self) {}
    /// Removes [`World::folder`] behind the connector's back.
    fn vanish_folder(&self) -> bool {
        false
    }
    /// Closes the workspace of [`World::folder`].
    fn close_workspace(&self) -> bool {
        false
    }
    /// Lets somebody else lock a document; who holds it, as the DMS tells.
    fn lock(&self, document: &str) -> Option<String> {
        let _ = document;
        None
    }
    /// Puts a workspace on the account's shelf. Wanted where shelves are.
    fn shelve(&self, shelf: Shelf, workspace: &str) -> bool {
        let _ = (shelf, workspace);
        false
    }
    /// A value that is found in a list of values. Wanted where lookups are.
    fn looked(&self) -> Option<Looked> {
        None
    }
    /// A field of a document's profile and a value it takes. Wanted where profiles can be changed.
    fn profile_change(&self) -> Option<(&'static str, &'static str)> {
        None
    }
    /// Fields that name a workspace which is not there yet. Wanted where workspaces can be made.
    fn new_workspace(&self) -> Option<Vec<(String, String)>> {
        None
    }
    /// The address of an account that is there. Wanted where accounts can be looked up.
    fn user_email(&self) -> Option<String> {
        None
    }
    /// An address that has no account yet. Wanted where accounts can be made.
    fn new_user_email(&self) -> Option<String> {
        None
    }
    /// How many accounts have an address.
    fn accounts(&self, email: &str) -> Option<usize> {
        let _ = email;
        None
    }
}

pub(crate) fn actor() -> Actor {
    Actor::system("suite", Some("m.patel"))
}

pub(crate) fn mark(n: u128) -> Mark {
    Mark::of(FilingId::from_u128(0x0192_f0c1_5b7e_7000_8000_0000_0000_0000 + n))
}

/// An upload with the usual profile.
pub(crate) async fn send(
    dms: &dyn Dms,
    container: &str,
    name: &str,
    n: u128,
    content: &dyn Content,
) -> (DmsResult<Receipt>, u64) {
    put(dms, container, name, n, content, &BTreeMap::new(), None).await
}

pub(crate) async fn send_with(
    dms: &dyn Dms,
    container: &str,
    name: &str,
    n: u128,
    content: &dyn Content,
    profile: &BTreeMap<String, String>,
) -> (DmsResult<Receipt>, u64) {
    put(dms, container, name, n, content, profile, None).await
}

/// A new version of a document.
pub(crate) async fn send_onto(
    dms: &dyn Dms,
    container: &str,
    onto: &str,
    name: &str,
    n: u128,
    content: &dyn Content,
) -> (DmsResult<Receipt>, u64) {
    put(dms, container, name, n, content, &BTreeMap::new(), Some(onto)).await
}

async fn put(
    dms: &dyn Dms,
    container: &str,
    name: &str,
    n: u128,
    content: &dyn Content,
    profile: &BTreeMap<String, String>,
    onto: Option<&str>,
) -> (DmsResult<Receipt>, u64) {
    let (actor, gauge) = (actor(), Gauge::default());
    let upload = Upload {
        actor: &actor,
        library: "",
        container,
        name,
        media_type: "application/pdf",
        profile,
        received: "2026-11-23T09:00:00Z".parse().unwrap(),
        mark: mark(n),
        content,
        gauge: &gauge,
        onto,
    };
    (dms.upload(upload).await, gauge.bytes())
}

pub(crate) async fn ask(dms: &dyn Dms, container: &str, name: &str, n: u128) -> DmsResult<Found> {
    dms.probe(Probe { actor: &actor(), library: "", container, name, mark: mark(n), onto: None }).await
}

/// Looks for a mark among the versions of a document.
pub(crate) async fn ask_onto(
    dms: &dyn Dms,
    container: &str,
    onto: &str,
    name: &str,
    n: u128,
) -> DmsResult<Found> {
    dms.probe(Probe { actor: &actor(), library: "", container, name, mark: mark(n), onto: Some(onto) }).await
}

/// BLAKE3 and length of a document, or of one of its versions, as it comes back. It is never held whole.
pub(crate) async fn fetch(dms: &dyn Dms, document: &str, version: Option<&str>) -> DmsResult<(String, u64)> {
    let mut stream = dms.download(&actor(), "", document, version).await?;
    let (mut hasher, mut size) = (blake3::Hasher::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.unwrap();
        hasher.update(&chunk);
        size += chunk.len() as u64;
    }
    Ok((hasher.finalize().to_hex().to_string(), size))
}
