//! NetDocuments, by its REST API (versions 1 and 2), in all its regions.
//!
//! A library is a cabinet. Workspaces are defined by one or two profile attributes (client and matter), whose values stand in lookup
//! tables; a document belongs to a workspace by its profile. Every answer is asked for as JSON, and read as XML where that comes. An
//! upload is one call that is never repeated here. The index is late and the listing is not, so a probe reads the folder first.
//!
//! ```toml
//! region = "eu"                    # us, eu, de, au, can, ducot; or base_url and web_url
//! cabinet = "NG-1A2B3C4D"
//! mark_attribute = "postroom"      # a free text attribute: without one, a lost answer waits for a person
//!
//! [attributes]                     # names for the numbers of profile attributes
//! client = 1
//! matter = 2
//! postroom = 9
//!
//! [auth]
//! grant = "client_credentials"     # or "refresh_token" with refresh_token_file, or "link": an administrator links it
//! client_id = "AP-XXXXXXXX"
//! client_secret_file = "/run/secrets/netdocuments-client"
//! repository = "CA-9Z8Y7X6W"
//!
//! [connection]
//! parallel = 8
//! ```
//!
//! Sources: the connector that NetDocuments publishes (`microsoft/PowerPlatformConnectors`), support.netdocuments.com, and open-source
//! clients (`practiceevolve/prime-netdocuments-integration`, `CrossRealms/Splunk-Integration-for-NetDocuments`,
//! `ankit8898/netdocuments`).
#![doc = include_str!("netdocuments/pilot.md")]

mod attributes;
mod auth;
mod doctor;
mod documents;
mod errors;
mod ids;
mod lookups;
mod marks;
mod places;
mod probe;
mod rights;
mod search;
mod seat;
mod settings;
mod upload;
mod users;
mod wire;
mod workspaces;
mod xml;

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsResult, DmsUser, Document, Found, Library,
    LookupQuery, LookupRow, Made, NewUser, Page, Probe, Receipt, Shelf, Thing, Upload,
};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{AccessTokens, Rights};
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock;
use postroom_outbound::Outbound;
use url::Url;

use self::seat::Seat;
pub use self::settings::{
    Auth, ClientAuth, Codes, Empty, Listing, ProbeMode, ReadBack, Region, Settings, SetupError, SizeUnit,
    Users, VersionMark,
};
use crate::account::Seats;
use crate::doctor::Finding;
use crate::{Connector, names};

/// The connector of one NetDocuments destination. Each account has its own seat: what one may see, another does not.
pub struct NetDocuments {
    settings: Arc<Settings>,
    web: Url,
    seats: Seats<Seat>,
}

impl NetDocuments {
    /// A connector with the system account of the settings. Nothing is sent yet; secrets in files are read now.
    pub fn new(name: &str, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        settings.check()?;
        let (api, web) = settings.addresses()?;
        let http = Outbound::new(name, &api, &settings.connection)?;
        let system = auth::own_account(&settings, Arc::clone(&clock))?;
        let settings = Arc::new(settings);
        let (of, pages, named) = (Arc::clone(&settings), web.clone(), name.to_owned());
        let seats =
            Seats::new(name, system, move |tokens| Seat::new(&named, &of, &http, &pages, &clock, tokens));
        Ok(Self { settings, web, seats })
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
}

impl Connector for NetDocuments {
    fn doctor(&self) -> Fut<'_, Vec<Finding>> {
        Box::pin(async { self.seats.system().doctor().await })
    }
}

impl Dms for NetDocuments {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: self.settings.mark().is_some(),
            probe_lag_seconds: self.settings.probe_lag_seconds,
            search_by_fields: true,
            files_in_workspace: true,
            create_folders: true,
            versions: true,
            largest: self.settings.largest_bytes,
            rights: self.settings.person_rights,
            persons: true,
            create_workspaces: self.settings.create_workspaces,
            libraries: true,
            search_workspaces: true,
            recent: self.settings.shelves,
            favourites: self.settings.shelves,
            lookups: true,
            list_documents: true,
            set_profile: true,
            rename: true,
            move_documents: true,
            copy_documents: true,
            delete_documents: true,
            find_users: true,
            create_users: self.settings.users.create,
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move { Ok(self.seats.system().arrive().await?.account.clone()) })
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
        library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move { self.seat(actor).await?.by_id(library, id).await })
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
        Box::pin(async move { self.seat(probe.actor).await?.look(probe).await })
    }

    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        Box::pin(async move { self.seat(actor).await?.rights_of(library, container, person).await })
    }

    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move { self.seat(actor).await?.content(document, version).await })
    }

    fn document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.told(document).await })
    }

    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let (Thing::Document(id) | Thing::Workspace(id) | Thing::Folder(id)) = thing;
        Some(seat::link(&self.settings, &self.web, id))
    }

    fn libraries<'a>(
        &'a self,
        actor: &'a Actor,
        _page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Library>>> {
        Box::pin(async move { Ok(Page { items: self.seat(actor).await?.libraries().await?, next: None }) })
    }

    fn search_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move { self.seat(actor).await?.by_words(library, text, page).await })
    }

    fn shelf<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        shelf: Shelf,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move {
            if !self.settings.shelves {
                let text =
                    "lists of recent and favourite workspaces are switched off in the settings (shelves)";
                return Err(errors::trouble(postroom_domain::cause::Cause::Unsupported, text));
            }
            self.seat(actor).await?.on_shelf(library, shelf).await
        })
    }

    fn lookup<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: LookupQuery<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LookupRow>>> {
        Box::pin(async move { self.seat(actor).await?.values(library, query, page).await })
    }

    fn create_workspace<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        fields: &'a [(String, String)],
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            if !self.settings.create_workspaces {
                let text = "making workspaces is switched off in the settings (create_workspaces)";
                return Err(errors::trouble(postroom_domain::cause::Cause::Unsupported, text));
            }
            self.seat(actor).await?.make_workspace(library, fields).await
        })
    }

    fn documents<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move { self.seat(actor).await?.documents_in(container, page).await })
    }

    fn set_profile<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move { self.seat(actor).await?.change_profile(document, fields).await })
    }

    fn rename<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.call_it(document, name).await })
    }

    fn move_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        from: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.relocate(document, from, to).await })
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
        Box::pin(async move { self.seat(actor).await?.people(library, text).await })
    }

    fn create_user<'a>(&'a self, actor: &'a Actor, user: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        Box::pin(async move { self.seat(actor).await?.make_user(user).await })
    }
}
