//! Thomson Reuters HighQ (Collaborate), by its REST API.
//!
//! A workspace is a site; a library is a site too, and need not be named. HighQ numbers sites, folders and files each on their own, so
//! ids of containers are written `site:12` and `folder:345`; files are the bare number. A site stands for its root folder where
//! documents are put in or folders are listed.
//!
//! The public sources leave much open (what an upload answers, what becomes of equal names, the error table); such points are settings,
//! and answers are read tolerantly in both of HighQ's formats. What is certain: an upload carries keys of an integrator, and `dmsdocid`
//! is the mark; a client and a matter stand on the site, but nothing searches for them, so all sites are read once and indexed.
//!
//! ```toml
//! base_url = "https://collab.firm.example/collab"   # whole, with the application's name
//!
//! [auth]
//! grant = "link"                    # an administrator links it; or "refresh_token":
//! # client_id = 17                  # an integer, registered per instance
//! # client_secret_file = "/run/secrets/highq-client"
//! # refresh_token_file = "/var/lib/postroom/highq-token"
//!
//! [versions]                        # of the API, per resource
//! sites = 6
//! files = 1
//!
//! [metadata]                        # profiles of documents in a metadata iSheet
//! on = true
//! ```
//!
//! Sources: the developer portal of Thomson Reuters, the connector it publishes with Microsoft, HighQ's help pages, and open-source
//! clients (`pj-simpson/HighQ-API-Consumer`, `LexPredict/lexpredict-contraxsuite`).
#![doc = include_str!("highq/pilot.md")]

mod auth;
mod doctor;
mod errors;
mod files;
mod folders;
mod ids;
mod link_columns;
mod links;
mod people;
mod probe;
mod rights;
mod seat;
mod settings;
mod sheets;
mod sites;
mod upload;
mod wire;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use postroom_domain::Fut;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsResult, DmsUser, Document, Found, Library,
    LookupQuery, LookupRow, Made, NewUser, Page, Probe, Receipt, Shelf, Thing, Upload,
};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{AccessTokens, Rights};
use postroom_domain::link_columns::LinkColumns;
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock;
use postroom_outbound::Outbound;

use self::auth::Email;
use self::ids::Place;
use self::seat::{Places, Seat};
pub use self::settings::{Auth, EqualNames, Format, Metadata, People, Settings, SetupError, Versions};
use crate::account::{Seats, Tokens};
use crate::doctor::Finding;
use crate::{Connector, names};

/// The connector of one HighQ destination. Each account has its own seat: what one may see, another does not.
pub struct HighQ {
    settings: Arc<Settings>,
    http: Outbound,
    seats: Seats<Seat>,
    email: Email,
    places: Arc<Places>,
}

/// HighQ tells all sites in one answer.
const ROOM_FOR_SITES: usize = 64 << 20;

impl HighQ {
    /// A connector with the system account of the settings. Nothing is sent yet; secrets in files are read now.
    pub fn new(name: &str, mut settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        settings.check()?;
        let room = &mut settings.connection.largest_answer_bytes;
        *room = (*room).max(ROOM_FOR_SITES);
        let http = Outbound::new(name, &settings.base_url, &settings.connection)?;
        let email = Email::default();
        let system = auth::own_account(&settings, Arc::clone(&clock), &email)?;
        let settings = Arc::new(settings);
        let places = Arc::new(Places::default());
        let (of, at, known, named) =
            (Arc::clone(&settings), http.clone(), Arc::clone(&places), name.to_owned());
        let make = move |tokens: Tokens| Seat {
            name: named.clone(),
            settings: Arc::clone(&of),
            http: at.for_account(tokens.account()),
            tokens,
            clock: Arc::clone(&clock),
            places: Arc::clone(&known),
            index: tokio::sync::Mutex::new(None),
            making: tokio::sync::Mutex::new(()),
            sending: Mutex::new(HashSet::new()),
            sheets: tokio::sync::Mutex::new(HashMap::new()),
        };
        let seats = Seats::new(name, system, make);
        Ok(Self { settings, http, seats, email, places })
    }

    /// The same with linked accounts: persons' own ones, and the system account where the settings say `grant = "link"`.
    #[must_use]
    pub fn with_links(mut self, service: ServiceName, tokens: Arc<dyn AccessTokens>) -> Self {
        self.seats.link(service, tokens, matches!(self.settings.auth, Auth::Link));
        self
    }

    async fn seat(&self, actor: &Actor) -> DmsResult<Arc<Seat>> {
        self.seats.of(actor).await
    }

    fn own_email(&self) -> Option<String> {
        self.email.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Connector for HighQ {
    fn doctor(&self) -> Fut<'_, Vec<Finding>> {
        Box::pin(async {
            let seat = self.seats.system();
            // A token answer is what tells whose it is.
            let _ = seat.tokens.get(&self.http).await;
            seat.doctor(self.own_email()).await
        })
    }

    fn link_columns(self: Arc<Self>) -> Option<Arc<dyn LinkColumns>> {
        Some(self)
    }
}

impl Dms for HighQ {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: true,
            probe_lag_seconds: self.settings.probe_lag_seconds,
            search_by_fields: true,
            files_in_workspace: true,
            create_folders: true,
            versions: true,
            largest: self.settings.largest_bytes,
            // HighQ tells what the asking account may do, and nobody else.
            rights: false,
            persons: true,
            libraries: true,
            search_workspaces: true,
            recent: true,
            favourites: true,
            lookups: true,
            list_documents: true,
            set_profile: self.settings.metadata.on,
            move_documents: true,
            copy_documents: true,
            delete_documents: true,
            find_users: self.settings.people.list.is_some(),
            create_users: true,
            ..Capabilities::default()
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move {
            let seat = self.seats.system();
            seat.list_sites(&[("returncount", "1")], "asking whether the sign-in works").await?;
            // No call tells who one is; the token answer did, where it was asked for here.
            let name = self.own_email().unwrap_or_else(|| "the linked account".to_owned());
            Ok(Account { id: name.clone(), name, dms_version: None })
        })
    }

    fn find_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move { self.seat(actor).await?.find(library, query, limit).await })
    }

    fn container<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move { self.seat(actor).await?.container(id).await })
    }

    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move { self.seat(actor).await?.children(container, page).await })
    }

    fn create_folder<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move { self.seat(actor).await?.make_folder(parent, name).await })
    }

    fn safe_name(&self, name: &str) -> String {
        names::safe(name, self.settings.longest_name)
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(async move { self.seat(upload.actor).await?.put(upload).await })
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(async move { self.seat(probe.actor).await?.look_for(probe).await })
    }

    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        Box::pin(async move {
            let own = self.own_email();
            self.seat(actor).await?.rights_of(actor, container, person, own).await
        })
    }

    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move { self.seat(actor).await?.fetch(document, version).await })
    }

    fn document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.document(document).await })
    }

    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let base = self.http.base();
        match thing {
            Thing::Document(id) => {
                let file = ids::file(id).ok()?;
                let (site, folder) = self.places.of_file(file)?;
                Some(links::file(base, site, folder, file))
            }
            Thing::Workspace(id) | Thing::Folder(id) => match ids::place(id).ok()? {
                Place::Site(site) => Some(links::site(base, site)),
                // The address names the site too, which the id does not tell until the folder was seen.
                Place::Folder(folder) => Some(links::folder(base, self.places.site_of(folder)?, folder)),
            },
        }
    }

    fn libraries<'a>(&'a self, actor: &'a Actor, page: Option<&'a str>) -> Fut<'a, DmsResult<Page<Library>>> {
        Box::pin(async move { self.seat(actor).await?.libraries(page).await })
    }

    fn search_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move { self.seat(actor).await?.search(library, text, page).await })
    }

    fn shelf<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        shelf: Shelf,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move { self.seat(actor).await?.shelf(library, shelf).await })
    }

    fn lookup<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        query: LookupQuery<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LookupRow>>> {
        Box::pin(async move { self.seat(actor).await?.values(query, page).await })
    }

    fn documents<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move { self.seat(actor).await?.documents(container, page).await })
    }

    fn set_profile<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move { self.seat(actor).await?.set_profile(document, fields).await })
    }

    fn move_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        _from: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.carry(document, to).await })
    }

    fn copy_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.duplicate(document, to).await })
    }

    fn delete_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move { self.seat(actor).await?.remove(document).await })
    }

    fn find_users<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
    ) -> Fut<'a, DmsResult<Vec<DmsUser>>> {
        Box::pin(async move { self.seat(actor).await?.find_users(library, text).await })
    }

    fn create_user<'a>(&'a self, actor: &'a Actor, user: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        Box::pin(async move { self.seat(actor).await?.create_user(user).await })
    }
}
