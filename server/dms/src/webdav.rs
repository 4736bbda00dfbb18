//! Any WebDAV server (RFC 4918, classes 1 and 2): documents are resources under `base_url/workspace/folder/…`, and what a DMS knows
//! besides lies in dead properties or hidden beside them, in the layout of the folder connector.
//!
//! Ids are paths below the collection of the workspaces, decoded. Nothing is overwritten but what gets a new version. Names are given one
//! after the other, under a lock of the server's where it has locks, so that several Postrooms may file into one collection; on a server
//! without locks **one Postroom at a time files into a collection**.
//!
//! ```toml
//! base_url = "https://dav.firm.example/matters/"
//! workspaces = ""                  # path from there to the collection that holds one collection per workspace
//! mark = "auto"                    # property, sidecar; auto tries the server out before the first document
//! versions = "none"                # copies: the old content goes to .postroom/versions/<name>/<n>
//! destination = "absolute"         # path, behind proxies that change scheme or host
//! read_back = false                # download and compare each document before it gets its name
//! largest_bytes = 2147483648       # optional
//! page = 500                       # entries per page of a listing
//! largest_listing_bytes = 67108864
//! longest_name = 200
//! lock_seconds = 120
//! lock_names = true                # off where nobody else files here: two calls less for each document
//! probe_lag_seconds = 10           # more for servers that answer from several machines
//! fields_cache_seconds = 300
//! link = "{url}"                   # or an address of the server's own pages, with {path}
//!
//! [auth]
//! kind = "basic"                   # bearer with token_file, none
//! username = "postroom"
//! password_file = "/run/secrets/webdav"
//!
//! [connection]
//! parallel = 8
//! ```
//!
//! A workspace's fields lie in `<workspace>/.postroom/workspace.json`: `{"client": "10442", "matter": "0007", "closed": false}`.
//!
#![doc = include_str!("webdav/pilot.md")]

mod abilities;
mod doctor;
mod documents;
mod errors;
mod find;
mod home;
mod lock;
mod multistatus;
mod place;
mod replace;
mod settings;
mod turn;
mod upload;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, Document, Found, Page, Probe,
    Receipt, Thing, Trouble, Upload,
};
use postroom_domain::person::{Actor, Credential};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock;
use tokio::sync::{Mutex, MutexGuard};

use self::abilities::Abilities;
use self::place::Listing;
pub use self::settings::{Auth, Destination, MarkPlace, Settings, SetupError, Versions};
use self::turn::Usable;
use self::wire::Wire;
use crate::doctor::Finding;
use crate::share::ids;
use crate::share::profile::Profile;
use crate::{Connector, names};

/// Turns for naming things in one container. Two containers may share one, which costs a wait and nothing else.
const TURNS: usize = 64;

/// Tells the attempts of this process apart.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The connector of one WebDAV destination.
pub struct WebDav {
    name: String,
    settings: Settings,
    wire: Wire,
    clock: Arc<dyn Clock>,
    abilities: Mutex<Option<Abilities>>,
    profiles: Mutex<HashMap<String, (Duration, Profile)>>,
    listings: Mutex<Vec<Listing>>,
    turns: Vec<Mutex<()>>,
    usable: Usable,
    /// One call at a time makes collections of ours; it may have a turn besides.
    making: Mutex<()>,
}

impl WebDav {
    /// A connector. Nothing is sent yet; secrets in files are read now.
    pub fn new(name: &str, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        settings.check()?;
        let wire = Wire::new(name, &settings)?;
        let usable = Usable::new(settings.lock_names);
        Ok(Self {
            name: name.to_owned(),
            settings,
            wire,
            clock,
            abilities: Mutex::default(),
            profiles: Mutex::default(),
            listings: Mutex::default(),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            usable,
            making: Mutex::default(),
        })
    }

    fn slot(container: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        container.hash(&mut hasher);
        usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0)
    }

    /// Whose turn it is to name things in a container, among the calls of this process.
    fn turn(&self, container: &str) -> &Mutex<()> {
        &self.turns[Self::slot(container)]
    }

    /// The turns of two containers, always taken in one order.
    async fn both_turns(&self, a: &str, b: &str) -> (MutexGuard<'_, ()>, Option<MutexGuard<'_, ()>>) {
        let (a, b) = (Self::slot(a), Self::slot(b));
        let first = self.turns[a.min(b)].lock().await;
        let second = if a == b { None } else { Some(self.turns[a.max(b)].lock().await) };
        (first, second)
    }

    /// A name that no other attempt has: the time tells processes apart, the counter the calls of this one.
    fn nonce(&self) -> String {
        let nanos = self.clock.now().as_nanosecond();
        format!("{nanos:x}-{:x}-{}", COUNTER.fetch_add(1, Ordering::Relaxed), std::process::id())
    }

    fn safe(&self, name: &str) -> String {
        let name = names::safe(name, self.settings.longest_name);
        // A document "workspace" would have its sidecar where the workspace's own profile lies.
        if name.eq_ignore_ascii_case("workspace") { name + "_" } else { name }
    }

    fn link(&self, id: &str) -> Option<String> {
        let names = ids::parse(id).ok()?;
        let url = self.wire.url(&names);
        let root = self.wire.collection(&[]);
        let path = url.path().strip_prefix(root.path())?;
        Some(self.settings.link.replace("{url}", url.as_str()).replace("{path}", path))
    }

    /// Whether a call may use the account of the settings. There is no other one: accounts of persons are not linked here.
    fn may(&self, actor: &Actor) -> DmsResult<()> {
        if actor.credential != Some(Credential::Own) {
            return Ok(());
        }
        let detail = format!(
            "{} has no account at {}: accounts are not linked here",
            actor.account_owner(),
            self.name
        );
        Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)))
    }
}

fn no_library(library: &str) -> DmsResult<()> {
    if library.is_empty() {
        return Ok(());
    }
    Err(errors::rejected("library", format!("this DMS has no libraries, so {library:?} cannot be one")))
}

impl Connector for WebDav {
    fn doctor(&self) -> Fut<'_, Vec<Finding>> {
        Box::pin(self.examine())
    }
}

impl Dms for WebDav {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: true,
            probe_lag_seconds: self.settings.probe_lag_seconds,
            search_by_fields: true,
            files_in_workspace: true,
            create_folders: true,
            versions: self.settings.versions == Versions::Copies,
            largest: self.settings.largest_bytes,
            search_workspaces: true,
            list_documents: true,
            set_profile: true,
            rename: true,
            move_documents: true,
            copy_documents: true,
            delete_documents: true,
            ..Capabilities::default()
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move {
            let said = self.options().await?;
            if !said.has("1") {
                let detail = "the address answers, but not as a WebDAV server";
                return Err(DmsError::from_trouble(Trouble::new(Cause::Misconfigured, detail)));
            }
            // Only what needs the sign-in shows whether it is accepted.
            let root = self.entry(&[], true).await?;
            if root.is_none_or(|root| !root.props.collection) {
                return Err(errors::missing("the collection of the workspaces"));
            }
            let (id, name) = match &self.settings.auth {
                Auth::Basic { username, .. } => (username.clone(), username.clone()),
                Auth::Bearer { .. } => ("token".to_owned(), "the owner of the token".to_owned()),
                Auth::None => ("anonymous".to_owned(), "nobody in particular".to_owned()),
            };
            Ok(Account { id, name, dms_version: said.server })
        })
    }

    fn find_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.find(query, limit).await
        })
    }

    fn container<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            Ok(self.place(id).await?.0)
        })
    }

    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.folders_in(container, page).await
        })
    }

    fn create_folder<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.make_folder(parent, name).await
        })
    }

    fn safe_name(&self, name: &str) -> String {
        self.safe(name)
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(self.file(upload))
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(async move {
            no_library(probe.library)?;
            self.may(probe.actor)?;
            self.look(probe).await
        })
    }

    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.fetch(document, version).await
        })
    }

    fn document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.profile(document).await
        })
    }

    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let (Thing::Document(id) | Thing::Workspace(id) | Thing::Folder(id)) = thing;
        self.link(id)
    }

    fn search_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.search(text, page).await
        })
    }

    fn documents<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.documents_in(container, page).await
        })
    }

    fn set_profile<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.change(document, fields).await
        })
    }

    fn rename<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.rename_to(document, name).await
        })
    }

    fn move_document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        from: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.move_to(document, from, to).await
        })
    }

    fn copy_document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.copy_to(document, to).await
        })
    }

    fn delete_document<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move {
            no_library(library)?;
            self.may(actor)?;
            self.delete(document).await
        })
    }
}
