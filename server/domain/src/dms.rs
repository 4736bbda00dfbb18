//! What Postroom needs of a document management system. A connector is small; what its DMS cannot do is a capability
//! that is off, and screens hide it.
//!
//! Rules for connectors:
//! - no call is repeated inside a connector after a document's bytes were sent, except a refresh of the sign-in before the
//!   first byte: repeating is decided by the filing machine;
//! - an upload carries the [`Mark`]; [`Dms::probe`] finds it again;
//! - errors say what the caller can do ([`DmsError`]); the text for logs never holds tokens or content.

use std::collections::BTreeMap;

use crate::Fut;
use crate::cause::Cause;
use crate::link::Rights;
use crate::person::Actor;
use crate::target::WorkspaceQuery;

mod capabilities;
mod content;
mod document;
mod error;
mod place;
mod user;

pub use capabilities::Capabilities;
pub use content::{ByteStream, Content, Gauge};
pub use document::{Document, Found, Probe, Receipt, Upload};
pub use error::{DmsError, DmsResult, RetryAfter, Trouble};
pub use place::{Container, ContainerKind, Library, LookupQuery, LookupRow, Page, Shelf};
pub use user::{Account, DmsUser, Made, NewUser};

/// One connection to one DMS.
pub trait Dms: Send + Sync {
    /// What it offers.
    fn capabilities(&self) -> Capabilities;

    /// Connects and tells who we are there.
    fn whoami(&self) -> Fut<'_, DmsResult<Account>>;

    /// Workspaces that match **exactly**: the connector compares again after the DMS's fuzzy search. At most `limit`.
    fn find_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>>;

    /// A workspace or folder by its id, to check that a remembered place still is what it was.
    fn container<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>>;

    /// The folders directly in a container, page by page.
    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>>;

    /// Creates a folder. [`DmsError::Conflict`] when one by that name is there already.
    fn create_folder<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>>;

    /// A file name as this DMS takes it, by its stated rule; the original name stays in the filing.
    fn safe_name(&self, name: &str) -> String;

    /// Puts a new document into a container.
    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>>;

    /// Looks for a document by its mark.
    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>>;

    /// Whether a person may put documents into a container, asked with the account of `actor`. `person` is the name or e-mail of
    /// the person. A DMS that gives no certain answer says [`Rights::Unknown`]; so does one that has no persons.
    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        let _ = (actor, library, container, person);
        Box::pin(async { Ok(Rights::Unknown) })
    }

    /// The bytes of a document, of its newest version or of the one named.
    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>>;

    /// What the DMS tells of a document.
    fn document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>>;

    /// Where a person opens a document, workspace or folder in the DMS's own pages; none where it has no such address. Nothing is
    /// asked: the address is made from the id.
    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let _ = thing;
        None
    }

    /// The libraries, cabinets or sites that the account sees.
    fn libraries<'a>(&'a self, actor: &'a Actor, page: Option<&'a str>) -> Fut<'a, DmsResult<Page<Library>>> {
        let _ = (actor, page);
        unsupported("listing libraries")
    }

    /// Workspaces whose name, description or keys hold words, for a person who chooses; as fuzzy as the DMS is.
    fn search_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        let _ = (actor, library, text, page);
        unsupported("searching workspaces by words")
    }

    /// The account's own list of workspaces.
    fn shelf<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        shelf: Shelf,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        let _ = (actor, library, shelf);
        unsupported("lists of recent and favourite workspaces")
    }

    /// Values of a profile field, page by page.
    fn lookup<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: LookupQuery<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LookupRow>>> {
        let _ = (actor, library, query, page);
        unsupported("searching the values of profile fields")
    }

    /// The workspace that the fields name, made if there is none. Asking twice makes one: that is what the DMS must promise for
    /// [`Capabilities::create_workspaces`] to be on.
    fn create_workspace<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        fields: &'a [(String, String)],
    ) -> Fut<'a, DmsResult<Container>> {
        let _ = (actor, library, fields);
        unsupported("making workspaces")
    }

    /// The documents directly in a container, page by page.
    fn documents<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        let _ = (actor, library, container, page);
        unsupported("listing documents")
    }

    /// Changes fields of a document's profile; fields that are not named stay as they are. The mark cannot be changed by it.
    fn set_profile<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        let _ = (actor, library, document, fields);
        unsupported("changing a document's profile")
    }

    /// Gives a document another file name (with its extension; made safe by [`Dms::safe_name`] before). Where ids are made of names
    /// the document gets another id; the one it has afterwards is told.
    fn rename<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        let _ = (actor, library, document, name);
        unsupported("renaming documents")
    }

    /// Moves a document from the container it lies in to another. The id it has afterwards is told.
    fn move_document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        from: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        let _ = (actor, library, document, from, to);
        unsupported("moving documents")
    }

    /// Copies a document's newest version into another container, inside the DMS. Not to be repeated blindly: a copy carries the
    /// original's mark.
    fn copy_document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        let _ = (actor, library, document, to);
        unsupported("copying documents")
    }

    /// Deletes a document with all its versions, into the DMS's trash where it has one. Deleting what is not there is
    /// [`DmsError::NotFound`], or a success where the DMS cannot tell.
    fn delete_document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<()>> {
        let _ = (actor, library, document);
        unsupported("deleting documents")
    }

    /// Accounts of persons by e-mail or, where the text holds no `@`, by name. An e-mail must equal, without case.
    fn find_users<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
    ) -> Fut<'a, DmsResult<Vec<DmsUser>>> {
        let _ = (actor, library, text);
        unsupported("looking up accounts of persons")
    }

    /// Makes an account for a person, or finds the one that is there: it is asked for by e-mail first, and never changed.
    fn create_user<'a>(&'a self, actor: &'a Actor, user: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        let _ = (actor, user);
        unsupported("making accounts of persons")
    }
}

/// Something that a person can open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing<'a> {
    /// A document by its id.
    Document(&'a str),
    /// A workspace by its id.
    Workspace(&'a str),
    /// A folder by its id.
    Folder(&'a str),
}

/// The answer of a DMS that has no such thing. `what` goes on "…is not available here".
fn unsupported<'a, T: Send + 'a>(what: &'static str) -> Fut<'a, DmsResult<T>> {
    Box::pin(async move {
        let detail = format!("{what} is not available in this DMS");
        Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, detail)))
    })
}
