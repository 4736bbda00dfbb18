//! Showing places in DMSs to people who choose: [`Places`] over the destinations and their accounts.
//!
//! Nothing is remembered of what a DMS said: what one account sees another may not, and rights change. Everything a person waits for has
//! one bound of time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use postroom_domain::Fut;
use postroom_domain::dms::{
    Capabilities, Container, ContainerKind, Dms, DmsError, Document, Library, LookupQuery, LookupRow, Page,
    RetryAfter, Shelf, Thing,
};
use postroom_domain::filing::State;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{Accounts, AccountsAt, Decision, Operation, Refusal, Rights, whose_account};
use postroom_domain::own;
use postroom_domain::person::{Actor, Credential, Principal};
use postroom_domain::places::{
    Favourite, Favourites, Lookup, MayFile, Offered, Origin, Place, PlaceId, Places, PlacesError,
    PlacesResult, Step, Wanted,
};
use postroom_domain::query::{FilingQuery, Predicate, Term, Window};
use postroom_domain::store::Store;
use postroom_domain::time::{Clock, age};

use crate::options::Destination;

/// How long a person waits before they are told that the DMS is slow. Shorter than clients wait for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// So many questions about single containers are under way at once for one person.
pub(crate) const AT_ONCE: usize = 8;
/// So many of a person's newest filings are looked through for the places they went to.
const LOOKED_THROUGH: usize = 200;
/// So many recent places are shown of those.
const MOST_RECENT: usize = 20;
/// A place is not shown as lying deeper than this.
const DEEPEST: usize = 32;

/// [`Places`] of the engine's destinations.
pub struct DestinationPlaces {
    destinations: Vec<Destination>,
    accounts: Arc<dyn Accounts>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

/// What one person sees of one destination.
pub(crate) struct View<'a> {
    service: &'a ServiceName,
    pub(crate) dms: &'a dyn Dms,
    by: &'a Principal,
    pub(crate) actor: Actor,
    /// Whether the system account looks for a person, so that each container is asked about first.
    stands_in: Option<AccountsAt>,
    can: Capabilities,
    clock: &'a dyn Clock,
}

impl DestinationPlaces {
    /// The places of these destinations.
    pub fn new(
        destinations: Vec<Destination>,
        accounts: Arc<dyn Accounts>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { destinations, accounts, store, clock }
    }

    fn destination(&self, name: &ServiceName) -> PlacesResult<&Destination> {
        let found = self.destinations.iter().find(|it| it.name == *name);
        found.ok_or_else(|| PlacesError::NoDestination(name.clone()))
    }

    /// Decides whose account looks.
    async fn view<'a>(&'a self, by: &'a Principal, name: &'a ServiceName) -> PlacesResult<View<'a>> {
        let destination = self.destination(name)?;
        let mut at = self.accounts.at(name, &by.name).await?;
        // A program is nobody's, whatever it calls itself.
        at.person = at.person.filter(|_| by.person.is_some());
        let can = destination.dms.capabilities();
        let (credential, stands_in) = match whose_account(at.question(Operation::InteractiveRead, None)) {
            Decision::Use(Credential::Own) => (Credential::Own, false),
            // Where nobody links, the account of the settings looks for everybody; walls are walls all the same.
            Decision::Use(Credential::System) => (Credential::System, by.person.is_some() && can.persons),
            Decision::AskRights => (Credential::System, true),
            Decision::Refuse(refusal) => return Err(PlacesError::Refused(refusal)),
        };
        if stands_in && !can.rights {
            return Err(PlacesError::Refused(Refusal::Unsure));
        }
        Ok(View {
            service: name,
            dms: destination.dms.as_ref(),
            by,
            actor: Actor {
                principal: by.name.clone(),
                on_behalf_of: Some(by.name.clone()),
                credential: Some(credential),
            },
            stands_in: stands_in.then_some(at),
            can,
            clock: self.clock.as_ref(),
        })
    }

    /// What a person sees by themself: documents may have walls of their own, so nothing of them is shown through the system account.
    pub(crate) async fn own_view<'a>(
        &'a self,
        by: &'a Principal,
        name: &'a ServiceName,
    ) -> PlacesResult<View<'a>> {
        let view = self.view(by, name).await?;
        view.own_eyes()?;
        Ok(view)
    }

    /// Where the person's documents went lately, newest first, each place once.
    async fn filed_lately(&self, view: &View<'_>) -> PlacesResult<Vec<PlaceId>> {
        let only = |predicate| Term { negated: false, any: vec![predicate] };
        let query = FilingQuery {
            sites: view.by.sites.scope(),
            submitted_by: Some(view.by.name.clone()),
            terms: vec![
                only(Predicate::State(State::Filed)),
                only(Predicate::Destination(view.service.clone())),
            ],
        };
        let window = Window { before: None, limit: LOOKED_THROUGH };
        let filings = self.store.list_filings(&query, window, self.clock.now()).await?;
        let mut places: Vec<PlaceId> = Vec::new();
        for filing in filings.items {
            let Some(receipt) = filing.progress.receipt else { continue };
            let library = filing.request.target.library.clone();
            let place = PlaceId { library, container: receipt.container };
            if !places.contains(&place) && places.len() < MOST_RECENT {
                places.push(place);
            }
        }
        Ok(places)
    }

    async fn marked(&self, view: &View<'_>) -> PlacesResult<Vec<PlaceId>> {
        let Some(person) = view.by.person else { return Ok(Vec::new()) };
        let list: Favourites = own::of(&*self.store, person).await?;
        let here = |it: &Favourite| it.service == *view.service;
        Ok(list.items.into_iter().filter(here).map(|favourite| favourite.place).collect())
    }

    /// A list of the person's: the DMS's own, then what Postroom knows besides.
    async fn shelf(&self, view: &View<'_>, library: &str, which: Shelf) -> PlacesResult<Vec<Place>> {
        let (offered, ours) = match which {
            Shelf::Recent => (view.can.recent, self.filed_lately(view).await?),
            Shelf::Favourites => (view.can.favourites, self.marked(view).await?),
        };
        // The DMS's lists are the account's own: those of the system account are nobody's.
        let mut all = if offered && view.actor.credential == Some(Credential::Own) {
            let found = view.dms.shelf(&view.actor, library, which).await.map_err(|e| view.shape(&e))?;
            view.places(library, found).await?
        } else {
            Vec::new()
        };
        for place in &mut all {
            place.origins = vec![Origin::Dms];
        }
        let mut others = Vec::new();
        for id in ours {
            match all.iter_mut().find(|place| same(&place.id, &id)) {
                Some(place) => place.origins.push(Origin::Postroom),
                None if library.is_empty() || id.library.is_empty() || id.library == library => {
                    others.push(id);
                }
                None => {}
            }
        }
        let looks = others.iter().map(|id| view.find(id));
        let found: Vec<Option<Place>> =
            futures_util::stream::iter(looks.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        all.extend(
            found.into_iter().flatten().map(|place| Place { origins: vec![Origin::Postroom], ..place }),
        );
        Ok(all)
    }

    async fn change(&self, by: &Principal, at: &ServiceName, id: &PlaceId, keep: bool) -> PlacesResult<()> {
        let person = by.person.ok_or(PlacesError::NotAPerson)?;
        if keep {
            let view = self.view(by, at).await?;
            view.find(id).await?.ok_or(PlacesError::NotFound)?;
        } else {
            self.destination(at)?;
        }
        let favourite = Favourite { service: at.clone(), place: id.clone() };
        let change = |list: &Favourites| {
            if keep { list.with(favourite.clone()) } else { Ok(list.without(|it| *it == favourite)) }
        };
        Ok(own::change(&*self.store, person, change).await?)
    }
}

/// Whether two ids are of one container; one of them may not name the library.
fn same(one: &PlaceId, other: &PlaceId) -> bool {
    one.container == other.container
        && (one.library == other.library || one.library.is_empty() || other.library.is_empty())
}

impl View<'_> {
    /// What a DMS's error means for the person who looks.
    pub(crate) fn shape(&self, error: &DmsError) -> PlacesError {
        let detail = &error.trouble().detail;
        match error {
            DmsError::Throttled { until, .. } => PlacesError::Busy {
                seconds: until.map(|until| match until {
                    RetryAfter::Seconds(seconds) => seconds,
                    RetryAfter::At(at) => age(at, self.clock.now()).as_secs(),
                }),
            },
            DmsError::NeedsLogin(_) => PlacesError::Refused(match self.actor.credential {
                Some(Credential::Own) => Refusal::LinkBroken,
                _ => Refusal::SystemLinkBroken,
            }),
            DmsError::Forbidden(_) | DmsError::NotFound(_) => PlacesError::NotFound,
            DmsError::Unsupported(_) => PlacesError::Unsupported(self.service.clone()),
            DmsError::Rejected { message, .. } => PlacesError::Rejected(message.clone()),
            _ => PlacesError::Failed(detail.clone()),
        }
    }

    /// What cannot be checked container by container is not shown through the system account.
    fn own_eyes(&self) -> PlacesResult<()> {
        match self.stands_in {
            Some(_) => Err(PlacesError::Refused(Refusal::Unsure)),
            None => Ok(()),
        }
    }

    async fn ask_rights(&self, library: &str, container: &str) -> PlacesResult<Rights> {
        let asked = self.dms.rights(&self.actor, library, container, &self.by.name).await;
        asked.or_else(|error| match self.shape(&error) {
            PlacesError::NotFound | PlacesError::Unsupported(_) | PlacesError::Rejected(_) => {
                Ok(Rights::Unknown)
            }
            trouble => Err(trouble),
        })
    }

    /// The rights with which a container is shown; none when it is not.
    async fn rights(&self, library: &str, container: &str) -> PlacesResult<Option<Option<Rights>>> {
        let Some(at) = self.stands_in else { return Ok(Some(None)) };
        let rights = self.ask_rights(library, container).await?;
        let decision = whose_account(at.question(Operation::InteractiveRead, Some(rights)));
        let shown = rights == Rights::Allowed && matches!(decision, Decision::Use(_));
        Ok(shown.then_some(Some(rights)))
    }

    /// A container as it is shown, if it is.
    async fn place(&self, library: &str, container: Container) -> PlacesResult<Option<Place>> {
        let rights = self.rights(library, &container.id).await?;
        Ok(rights.map(|rights| self.shown(library, container, rights)))
    }

    /// Those of the containers that are shown.
    async fn places(&self, library: &str, containers: Vec<Container>) -> PlacesResult<Vec<Place>> {
        let looks: Vec<_> = containers.into_iter().map(|it| self.place(library, it)).collect();
        let shown: Vec<Option<Place>> =
            futures_util::stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        Ok(shown.into_iter().flatten().collect())
    }

    /// A container by its id; none when it is not there or not shown.
    async fn find(&self, id: &PlaceId) -> PlacesResult<Option<Place>> {
        match self.dms.container(&self.actor, &id.library, &id.container).await {
            Ok(container) => self.place(&id.library, container).await,
            Err(error) => match self.shape(&error) {
                PlacesError::NotFound | PlacesError::Rejected(_) => Ok(None),
                trouble => Err(trouble),
            },
        }
    }

    fn shown(&self, library: &str, container: Container, rights: Option<Rights>) -> Place {
        let of = |container: String| PlaceId { library: library.to_owned(), container };
        let thing = match container.kind {
            ContainerKind::Workspace => Thing::Workspace(&container.id),
            ContainerKind::Folder | ContainerKind::Search => Thing::Folder(&container.id),
        };
        let link = self.dms.permalink(thing);
        Place {
            may_file: self.may_file(&container, rights),
            name: container.name,
            kind: container.kind,
            open: container.open,
            parent: container.parent.map(of),
            workspace: container.workspace.map(of),
            path: Vec::new(),
            origins: Vec::new(),
            link,
            id: of(container.id),
        }
    }

    fn may_file(&self, container: &Container, rights: Option<Rights>) -> MayFile {
        let takes = match container.kind {
            ContainerKind::Folder => true,
            ContainerKind::Workspace => self.can.files_in_workspace,
            ContainerKind::Search => false,
        };
        match rights {
            _ if !container.open || !takes => MayFile::No,
            Some(Rights::Denied) => MayFile::No,
            Some(Rights::Allowed) => MayFile::Yes,
            // A DMS that knows no persons keeps none out.
            None if !self.can.persons => MayFile::Yes,
            None | Some(Rights::Unknown) => MayFile::Unknown,
        }
    }

    /// The containers above one, uppermost first. What the DMS does not tell, or the person may not see, ends it.
    async fn way_down(&self, place: &Place) -> PlacesResult<Vec<Step>> {
        let mut path: Vec<Step> = Vec::new();
        let mut above = place.parent.clone();
        while let Some(id) = above {
            let round = id == place.id || path.iter().any(|step| step.id == id);
            if round || path.len() >= DEEPEST {
                break;
            }
            let Some(found) = self.find(&id).await? else { break };
            path.push(Step { id: found.id, name: found.name });
            above = found.parent;
        }
        path.reverse();
        Ok(path)
    }

    /// The container must be one that is shown before what lies in it is asked for.
    async fn must_be_shown(&self, id: &PlaceId) -> PlacesResult<()> {
        match self.rights(&id.library, &id.container).await? {
            Some(_) => Ok(()),
            None => Err(PlacesError::NotFound),
        }
    }
}

/// What a person waits for, as long as a person waits.
fn bounded<'a, T: Send + 'a>(
    looking: impl Future<Output = PlacesResult<T>> + Send + 'a,
) -> Fut<'a, PlacesResult<T>> {
    Box::pin(async move { tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Err(PlacesError::Slow)) })
}

impl Places for DestinationPlaces {
    fn destinations(&self) -> Vec<Offered> {
        let offered =
            |it: &Destination| Offered { name: it.name.clone(), capabilities: it.dms.capabilities() };
        self.destinations.iter().map(offered).collect()
    }

    fn libraries<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Library>>> {
        bounded(async move {
            let view = self.view(by, at).await?;
            view.own_eyes()?;
            view.dms.libraries(&view.actor, page).await.map_err(|error| view.shape(&error))
        })
    }

    fn places<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        library: &'a str,
        wanted: Wanted<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Place>>> {
        bounded(async move {
            let view = self.view(by, at).await?;
            match wanted {
                Wanted::Shelf(which) => {
                    Ok(Page { items: self.shelf(&view, library, which).await?, next: None })
                }
                Wanted::Search(text) => {
                    let found = view.dms.search_workspaces(&view.actor, library, text, page).await;
                    let found = found.map_err(|error| view.shape(&error))?;
                    Ok(Page { items: view.places(library, found.items).await?, next: found.next })
                }
            }
        })
    }

    fn place<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
    ) -> Fut<'a, PlacesResult<Place>> {
        bounded(async move {
            let view = self.view(by, at).await?;
            let mut place = view.find(id).await?.ok_or(PlacesError::NotFound)?;
            place.path = view.way_down(&place).await?;
            if place.may_file == MayFile::Unknown && view.can.rights {
                // For the one place that a person looks at it is worth a question.
                place.may_file = match view.ask_rights(&id.library, &id.container).await? {
                    Rights::Allowed => MayFile::Yes,
                    Rights::Denied => MayFile::No,
                    Rights::Unknown => MayFile::Unknown,
                };
            }
            Ok(place)
        })
    }

    fn folders<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Place>>> {
        bounded(async move {
            let view = self.view(by, at).await?;
            view.must_be_shown(id).await?;
            let found = view.dms.folders(&view.actor, &id.library, &id.container, page).await;
            let found = found.map_err(|error| view.shape(&error))?;
            Ok(Page { items: view.places(&id.library, found.items).await?, next: found.next })
        })
    }

    fn documents<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Document>>> {
        bounded(async move {
            let view = self.view(by, at).await?;
            // A document may have a wall of its own.
            view.own_eyes()?;
            let found = view.dms.documents(&view.actor, &id.library, &id.container, page).await;
            found.map_err(|error| view.shape(&error))
        })
    }

    fn lookup<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        query: Lookup<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<LookupRow>>> {
        bounded(async move {
            let view = self.view(by, at).await?;
            // Clients and matters are names that a wall may hide.
            view.own_eyes()?;
            let asked = LookupQuery { field: query.field, parent: query.parent, text: query.text };
            let found = view.dms.lookup(&view.actor, query.library, asked, page).await;
            found.map_err(|error| view.shape(&error))
        })
    }

    fn favour<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        keep: bool,
    ) -> Fut<'a, PlacesResult<()>> {
        bounded(self.change(by, at, id, keep))
    }
}
