//! Choosing a place in a DMS: a tree that is loaded as it is opened, the same for every DMS.
//!
//! Rooms that show it meet the DMSs only through [`Places`]. Whose account looks is decided by
//! [`whose_account`](crate::link::whose_account). Where the system account looks for a person, each container is shown only if the DMS
//! says for certain that the person may use it themself; what cannot be checked so, such as the names of libraries, is not shown.

use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::dms::{Capabilities, ContainerKind, Document, Library, LookupRow, Page, Shelf};
use crate::ids::ServiceName;
use crate::link::Refusal;
use crate::own::{Listed, Own, OwnError, TooMany};
use crate::person::Principal;
use crate::record::Kind;
use crate::store::StoreError;

/// A container of a destination, by the DMS's own names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlaceId {
    /// The library, cabinet or site; empty where the DMS has none, or needs none to find the container.
    pub library: String,
    /// The DMS's id of the container.
    pub container: String,
}

/// Whether documents may be filed into a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MayFile {
    /// They may.
    Yes,
    /// They may not: it is closed, takes no documents of its own, or the person has no right.
    No,
    /// The DMS was not asked, or gave no certain answer. Filing tells.
    Unknown,
}

/// Who put a place on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The DMS's own list for the account.
    Dms,
    /// What Postroom knows: where the person's documents went, or what they marked here.
    Postroom,
}

/// A step on the way down to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which container.
    pub id: PlaceId,
    /// Its name.
    pub name: String,
}

/// A place as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which container.
    pub id: PlaceId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ContainerKind,
    /// Whether it is open to new documents, as the DMS says.
    pub open: bool,
    /// Whether the person may file into it.
    pub may_file: MayFile,
    /// The container it lies in, where known; a workspace has none.
    pub parent: Option<PlaceId>,
    /// The workspace it belongs to, where known.
    pub workspace: Option<PlaceId>,
    /// The containers above it, uppermost first, as far as the person may see them. Only of a place that was asked for by itself.
    pub path: Vec<Step>,
    /// Who put it on the list, on lists of recent and favourite places.
    pub origins: Vec<Origin>,
    /// Where it opens in the DMS's own pages.
    pub link: Option<String>,
}

/// What a list of places is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Workspaces whose name, description or keys hold these words.
    Search(&'a str),
    /// A list of the person's own: that of the DMS and Postroom's together.
    Shelf(Shelf),
}

/// A destination with what it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Which one.
    pub name: ServiceName,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// Why there is nothing to show, by what the person can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacesError {
    /// There is no such destination.
    #[error("there is no destination {0}")]
    NoDestination(ServiceName),
    /// No account may be used for it.
    #[error("{}", .0.words())]
    Refused(Refusal),
    /// There is no such container, or the account does not see it.
    #[error("it is not there, or not visible")]
    NotFound,
    /// This DMS has no such list.
    #[error("this is not available at {0}")]
    Unsupported(ServiceName),
    /// The DMS does not accept what was asked.
    #[error("{0}")]
    Rejected(String),
    /// The DMS, or a limit of ours, asks to wait.
    #[error("the DMS is asked too much at the moment")]
    Busy {
        /// For how many seconds, where known.
        seconds: Option<u64>,
    },
    /// It did not answer in the time that a person waits.
    #[error("the DMS took too long")]
    Slow,
    /// It cannot be used now; the text is for logs.
    #[error("the DMS cannot be used now")]
    Failed(String),
    /// Favourites belong to persons, and a program is none.
    #[error("only persons have favourites")]
    NotAPerson,
    /// There are as many favourites as there may be.
    #[error("there are {0} favourites already; remove some first")]
    TooMany(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OwnError> for PlacesError {
    fn from(error: OwnError) -> Self {
        match error {
            OwnError::TooMany(TooMany { most, .. }) => Self::TooMany(most),
            OwnError::Store(error) => Self::Store(error),
        }
    }
}

/// The result of looking.
pub type PlacesResult<T> = Result<T, PlacesError>;

/// Whoever shows the places of all destinations. Cursors are the DMS's own and mean nothing to others.
pub trait Places: Send + Sync {
    /// Every destination and what it offers.
    fn destinations(&self) -> Vec<Offered>;

    /// The libraries, cabinets or sites that the person sees.
    fn libraries<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Library>>>;

    /// Places by words, or on a list of the person's.
    fn places<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        library: &'a str,
        wanted: Wanted<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Place>>>;

    /// One place, with the way down to it.
    fn place<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
    ) -> Fut<'a, PlacesResult<Place>>;

    /// The folders directly in a place.
    fn folders<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Place>>>;

    /// The documents directly in a place.
    fn documents<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Document>>>;

    /// Values of a profile field.
    fn lookup<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        query: Lookup<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<LookupRow>>>;

    /// Puts a place that the person sees on their list of favourites, or takes it off. Doing it twice is doing it once.
    fn favour<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        keep: bool,
    ) -> Fut<'a, PlacesResult<()>>;
}

/// What is asked of a list of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookup<'a> {
    /// The library; empty where the DMS has none.
    pub library: &'a str,
    /// The profile field, by the DMS's own name.
    pub field: &'a str,
    /// The value of the field above, where this one depends on it.
    pub parent: Option<&'a str>,
    /// What key or description begin with or hold; empty lists all.
    pub text: &'a str,
}

/// A place that a person marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Favourite {
    /// The destination.
    pub service: ServiceName,
    /// The container.
    #[serde(flatten)]
    pub place: PlaceId,
}

impl Listed for Favourite {
    const KIND: Kind = Kind::Favourites;
    const NOUN: &'static str = "favourites";
    const FIELD: &'static str = "places";
    const MOST: usize = 200;
}

/// The places that one person marked.
pub type Favourites = Own<Favourite>;
