//! Reading what was handed over, and the place it lies in.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use postroom_domain::dms::{Container, ContainerKind, Document, Thing};
use postroom_domain::handed::{Handed, Vendor};
use postroom_domain::ids::ServiceName;
use postroom_domain::person::Principal;
use postroom_domain::places::{PlacesError, PlacesResult};
use postroom_domain::repository::ResolverConfig;
use postroom_domain::send_to::{Seen, SeenPlace, SeenThing, SendError, SendResult, Workflow, told};
use postroom_domain::ticket::{Captured, Ticket};

use super::SendToDesk;
use crate::places::{AT_ONCE, View};

/// What one id turned out to be.
enum Found {
    Document(Handed, Document),
    Container(Container),
    Nothing(Handed),
    Trouble(Handed, PlacesError),
}

/// The place that everything lies in.
#[derive(Default)]
pub(super) struct Around {
    pub(super) folder: Option<Container>,
    pub(super) workspace: Option<Container>,
    several: bool,
}

impl SendToDesk {
    /// Everything that is shown, read anew. Nothing is kept of it.
    pub(super) async fn gathered(&self, by: &Principal, ticket: &Ticket) -> SendResult<Seen> {
        let vendor = self.vendor(&ticket.service)?;
        let view = self.0.places.own_view(by, &ticket.service).await?;
        let library = self.library_of(&ticket.service);
        let looks: Vec<_> = ticket.things.iter().map(|thing| look(&view, vendor, library, thing)).collect();
        let found: Vec<Found> = futures_util::stream::iter(looks).buffered(AT_ONCE).collect().await;
        // Where the account does not work, nothing will.
        let refused = found.iter().find_map(|it| match it {
            Found::Trouble(_, why @ PlacesError::Refused(_)) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = refused {
            return Err(SendError::Places(why));
        }
        let around = around(&view, library, &found).await?;
        let told = around.workspace.as_ref().map_or_else(Default::default, |workspace| {
            told(&ticket.service, &self.reception().rules.repositories, workspace)
        });
        let (matches, told) = self.matching(by, &ticket.service, &around, told).await?;
        let saves_back = around.folder.as_ref().is_some_and(|folder| match folder.kind {
            ContainerKind::Folder => true,
            ContainerKind::Workspace => view.dms.capabilities().files_in_workspace,
            ContainerKind::Search => false,
        });
        let place = |container: &Option<Container>| container.as_ref().map(|it| place(&view, it));
        Ok(Seen {
            ticket: ticket.clone(),
            folder: place(&around.folder),
            workspace: place(&around.workspace),
            several_workspaces: around.several,
            told,
            matches,
            found: Vec::new(),
            workflows: self.offered(by, &ticket.service, saves_back).cloned().collect(),
            saves_back,
            collections: self.open_collections(by).await?,
            things: found.into_iter().map(|it| shown(&view, it)).collect(),
        })
    }

    /// The workflows that a person may start from a place in a DMS. One whose documents go back to where it was started is none in another
    /// DMS, nor where no such place is known.
    fn offered<'a>(
        &'a self,
        by: &'a Principal,
        service: &'a ServiceName,
        saves_back: bool,
    ) -> impl Iterator<Item = &'a Workflow> {
        let rules = &self.reception().rules;
        let fits = move |it: &&Workflow| {
            let repository = rules.repository(it.area, &it.work_type);
            let goes_back = repository.filter(|it| it.resolver == ResolverConfig::Origin);
            goes_back.is_none_or(|it| it.service == *service && saves_back)
        };
        self.0.workflows.iter().filter(|it| it.is_for(by)).filter(fits)
    }

    /// The library that containers of a service are looked for in, where ids do not tell.
    pub(super) fn library_of(&self, service: &ServiceName) -> &str {
        let mut repositories = self.reception().rules.repositories.iter();
        let with = repositories.find(|it| it.service == *service && !it.library.is_empty());
        with.map_or("", |it| it.library.as_str())
    }
}

/// Asks what an id is: a document first, where it may be one.
async fn look(view: &View<'_>, vendor: Vendor, library: &str, thing: &Handed) -> Found {
    if let Some(id) = thing.as_document(vendor) {
        match view.dms.document(&view.actor, library, &id).await.map_err(|error| view.shape(&error)) {
            Ok(document) => return Found::Document(thing.clone(), document),
            Err(PlacesError::NotFound | PlacesError::Rejected(_)) => {}
            Err(why) => return Found::Trouble(thing.clone(), why),
        }
    }
    if let Some(id) = thing.as_container(vendor) {
        match container(view, library, &id).await {
            Ok(Some(container)) => return Found::Container(container),
            Ok(None) => {}
            Err(why) => return Found::Trouble(thing.clone(), why),
        }
    }
    Found::Nothing(thing.clone())
}

/// A container; none where it is not there or hidden.
async fn container(view: &View<'_>, library: &str, id: &str) -> PlacesResult<Option<Container>> {
    match view.dms.container(&view.actor, library, id).await.map_err(|error| view.shape(&error)) {
        Ok(container) => Ok(Some(container)),
        Err(PlacesError::NotFound | PlacesError::Rejected(_)) => Ok(None),
        Err(why) => Err(why),
    }
}

/// The folder and workspace of the first thing, and whether others lie elsewhere.
async fn around(view: &View<'_>, library: &str, found: &[Found]) -> PlacesResult<Around> {
    let workspaces: BTreeSet<&str> = found
        .iter()
        .filter_map(|it| match it {
            Found::Document(_, document) => document.workspace.as_deref(),
            Found::Container(container) => container.workspace.as_deref(),
            Found::Nothing(_) | Found::Trouble(..) => None,
        })
        .collect();
    let several = workspaces.len() > 1;
    let (folder, workspace) =
        match found.iter().find(|it| matches!(it, Found::Document(..) | Found::Container(_))) {
            Some(Found::Document(_, document)) => {
                let folder = match &document.container {
                    Some(id) => container(view, library, id).await?,
                    None => None,
                };
                let told = folder.as_ref().and_then(|it| it.workspace.clone());
                (folder, document.workspace.clone().or(told))
            }
            Some(Found::Container(it)) => (Some(it.clone()), it.workspace.clone()),
            _ => return Ok(Around::default()),
        };
    let workspace = match (&folder, workspace) {
        (Some(folder), _) if folder.kind == ContainerKind::Workspace => Some(folder.clone()),
        (_, Some(id)) => container(view, library, &id).await?,
        (_, None) => None,
    };
    Ok(Around { folder: folder.or_else(|| workspace.clone()), workspace, several })
}

fn place(view: &View<'_>, container: &Container) -> SeenPlace {
    let thing = match container.kind {
        ContainerKind::Workspace => Thing::Workspace(&container.id),
        ContainerKind::Folder | ContainerKind::Search => Thing::Folder(&container.id),
    };
    SeenPlace {
        id: container.id.clone(),
        name: container.name.clone(),
        kind: container.kind,
        open: container.open,
        link: view.dms.permalink(thing),
    }
}

fn shown(view: &View<'_>, found: Found) -> SeenThing {
    match found {
        Found::Container(container) => SeenThing::Container(place(view, &container)),
        Found::Nothing(thing) => SeenThing::Hidden { id: thing.id },
        Found::Trouble(thing, why) => SeenThing::Trouble { id: thing.id, why },
        Found::Document(thing, document) => {
            let link = view.dms.permalink(Thing::Document(&document.id));
            SeenThing::Document { document: captured(thing, document), link }
        }
    }
}

/// The version that was named, else the newest one as it is now.
fn captured(thing: Handed, document: Document) -> Captured {
    match thing.version {
        Some(version) if document.version.as_ref() != Some(&version) => {
            // The DMS told of the newest one: name and size may be others.
            Captured { id: thing.id, version: Some(version), name: document.name, size: None }
        }
        _ => {
            Captured { id: document.id, version: document.version, name: document.name, size: document.size }
        }
    }
}
