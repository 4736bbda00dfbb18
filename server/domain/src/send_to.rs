//! Sending documents from a DMS, and starting workflows from its folders: what is shown to a person who comes from there, and what they
//! can do with it.
//!
//! Only ids come in ([`crate::handed`]); everything else is read from the DMS with the person's own account. Rooms that show it meet the
//! DMSs only through [`SendTo`].

mod reverse;
mod settings;

use crate::Fut;
use crate::dms::ContainerKind;
use crate::handed::Vendor;
use crate::ids::{ServiceName, TicketId};
use crate::person::Principal;
use crate::places::PlacesError;
use crate::spool::SpoolError;
use crate::store::StoreError;
use crate::ticket::{Captured, NewTicket, Order, Ticket};
use crate::work_item::WorkItem;

pub use self::reverse::{Told, leads_to, told};
pub use self::settings::{Collection, Workflow};

/// The door of what comes this way, as sources go.
pub const SOURCE: &str = "send-to";

/// Why it does not go on, by what the person can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no such ticket, it is not this person's or of another session, or its time is over: begin again in the DMS.
    #[error("there is no such hand-over any more")]
    NoTicket,
    /// There was no id in what was handed over.
    #[error("nothing that was handed over is an id of a document or folder")]
    NoIds,
    /// Hand-overs are for persons: a DMS shows each what is theirs.
    #[error("only persons send documents from a DMS")]
    NotAPerson,
    /// Nothing of what was handed over may be sent.
    #[error("none of it can be read with this account")]
    NothingToSend,
    /// A choice is missing, or is not open to this person.
    #[error("{0}")]
    Choose(String),
    /// An operator stopped this door.
    #[error("sending from the DMS is stopped at the moment: {0}")]
    Paused(String),
    /// What could be read before cannot be read any more.
    #[error("\"{0}\" cannot be read with this account any more")]
    Gone(String),
    /// A document is larger than may be taken in.
    #[error("\"{name}\" is larger than the {limit} bytes that a document may have")]
    TooLarge {
        /// The document.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// The DMS does not show it, or cannot be used.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// The spool did not take it.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of it.
pub type SendResult<T> = Result<T, SendError>;

/// A container as it is shown to who comes from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPlace {
    /// The DMS's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ContainerKind,
    /// Whether it takes documents.
    pub open: bool,
    /// Where it opens in the DMS's own pages.
    pub link: Option<String>,
}

/// One thing that was handed over, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenThing {
    /// A document that can be sent.
    Document {
        /// It, in the version that would be sent.
        document: Captured,
        /// Where it opens in the DMS's own pages.
        link: Option<String>,
    },
    /// A container.
    Container(SeenPlace),
    /// It is not there, or this account does not see it: the same, as far as is told.
    Hidden {
        /// The id that was handed over.
        id: String,
    },
    /// It could not be looked at now.
    Trouble {
        /// The id that was handed over.
        id: String,
        /// Why.
        why: PlacesError,
    },
}

/// Why a work item is thought to be the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// It was started from this place.
    Origin,
    /// Its documents went to this workspace before, or a person said so.
    Remembered,
    /// Its own fields name this workspace.
    Fields,
}

/// A work item that belongs to the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// It.
    pub item: WorkItem,
    /// Why.
    pub because: Because,
}

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The ticket, as it is now.
    pub ticket: Ticket,
    /// What was handed over.
    pub things: Vec<SeenThing>,
    /// The folder that it lies in, or that it is; none where nothing told.
    pub folder: Option<SeenPlace>,
    /// The workspace of that.
    pub workspace: Option<SeenPlace>,
    /// Later documents can be saved back there: a folder is known, or the DMS takes documents without one.
    pub saves_back: bool,
    /// There are documents of other workspaces, too.
    pub several_workspaces: bool,
    /// What the workspace says of client and matter.
    pub told: Told,
    /// Work items that belong there, the likeliest first; closed ones last.
    pub matches: Vec<Matching>,
    /// Work items that were searched for.
    pub found: Vec<WorkItem>,
    /// Workflows that the person may start.
    pub workflows: Vec<Workflow>,
    /// Knowledge collections that the person may add to.
    pub collections: Vec<Collection>,
}

impl Seen {
    /// The documents that would be sent.
    pub fn documents(&self) -> impl Iterator<Item = &Captured> {
        self.things.iter().filter_map(|thing| match thing {
            SeenThing::Document { document, .. } => Some(document),
            _ => None,
        })
    }
}

/// Where a person wants it to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// To a work item, by its id or reference.
    WorkItem(String),
    /// Into a new work item.
    Workflow {
        /// The workflow's name.
        name: String,
        /// The title of the work item; what was handed over gives one where it is blank.
        title: String,
    },
    /// Into a knowledge collection, by its name.
    Collection(String),
}

/// Whoever shows and sends.
pub trait SendTo: Send + Sync {
    /// The DMSs whose ids can be recognised.
    fn services(&self) -> Vec<(ServiceName, Vendor)>;

    /// Makes a ticket. `holder` is the session or token that it is bound to.
    fn begin<'a>(&'a self, by: &'a Principal, holder: &'a str, new: NewTicket)
    -> Fut<'a, SendResult<Ticket>>;

    /// Looks at what was handed over, and keeps which versions were seen. `words` searches further work items.
    fn look<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        id: TicketId,
        words: &'a str,
    ) -> Fut<'a, SendResult<Seen>>;

    /// A ticket as it is now, without asking the DMS.
    fn ticket<'a>(&'a self, by: &'a Principal, holder: &'a str, id: TicketId) -> Fut<'a, SendResult<Ticket>>;

    /// Sends it. Doing it again is told what came of the first time.
    fn send<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        id: TicketId,
        choice: Choice,
    ) -> Fut<'a, SendResult<Order>>;

    /// Removes what is over. How many.
    fn sweep(&self) -> Fut<'_, Result<u64, StoreError>>;
}

/// The group of the work items that were started from a place, for the register.
pub fn started_from(service: &ServiceName, container: &str) -> String {
    format!("origin/{service}/{}", crate::mailroom::hashed(&container.to_lowercase()))
}
