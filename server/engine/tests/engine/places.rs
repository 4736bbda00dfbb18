//! Choosing a place: whose account looks, what a wall hides, and what Postroom adds from what it knows.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, ContainerKind, Dms, DmsError, DmsResult, Document, Found,
    Library, LookupQuery, LookupRow, Page, Probe, Receipt, RetryAfter, Shelf, Trouble, Upload,
};
use postroom_domain::ids::{PersonId, ServiceName};
use postroom_domain::link::{Fallback, Refusal, Rights, Standing};
use postroom_domain::person::{Actor, Credential, Principal, Role};
use postroom_domain::places::{
    Favourites, Lookup, MayFile, Origin, Place, PlaceId, Places, PlacesError, Wanted,
};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock as _;
use postroom_engine::{Destination, DestinationPlaces, DestinationSettings};

use crate::world::World;

/// Containers, each with who may use it, and who asked for what.
#[derive(Default)]
struct Drawers {
    can: Capabilities,
    all: Vec<Container>,
    /// Rights by container and person; unknown where nothing stands.
    rights: HashMap<(String, String), Rights>,
    shelf: Vec<String>,
    trouble: Option<DmsError>,
    slow: bool,
    asked: Vec<(&'static str, Credential)>,
}

#[derive(Clone, Default)]
struct Cabinet(Arc<Mutex<Drawers>>);

impl Cabinet {
    fn set(&self) -> MutexGuard<'_, Drawers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn note(&self, what: &'static str, actor: &Actor) -> DmsResult<()> {
        let (trouble, slow) = {
            let mut drawers = self.set();
            drawers.asked.push((what, actor.credential.unwrap()));
            (drawers.trouble.clone(), drawers.slow)
        };
        if slow {
            std::future::pending::<()>().await;
        }
        trouble.map_or(Ok(()), Err)
    }

    fn by_id(&self, id: &str) -> DmsResult<Container> {
        let found = self.set().all.iter().find(|it| it.id == id).cloned();
        found.ok_or_else(|| DmsError::from_symptom(Symptom::Status(404), Sent::Nothing, "no such container"))
    }
}

fn nothing<'a, T: Send + 'a>() -> Fut<'a, DmsResult<T>> {
    Box::pin(async { Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, "not here"))) })
}

impl Dms for Cabinet {
    fn capabilities(&self) -> Capabilities {
        self.set().can
    }
    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        nothing()
    }
    fn find_workspaces<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a WorkspaceQuery,
        _: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        nothing()
    }
    fn container<'a>(&'a self, actor: &'a Actor, _: &'a str, id: &'a str) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            self.note("container", actor).await?;
            self.by_id(id)
        })
    }
    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            self.note("folders", actor).await?;
            let drawers = self.set();
            let inside = drawers.all.iter().filter(|it| it.parent.as_deref() == Some(container));
            let from: usize = page.map_or(0, |page| page.parse().unwrap());
            let items: Vec<_> = inside.skip(from).take(3).cloned().collect();
            let next = (items.len() == 3).then(|| (from + 3).to_string());
            Ok(Page {
                items: items.into_iter().take(2).collect(),
                next: next.map(|_| (from + 2).to_string()),
            })
        })
    }
    fn create_folder<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        nothing()
    }
    fn safe_name(&self, name: &str) -> String {
        name.to_owned()
    }
    fn upload<'a>(&'a self, _: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        nothing()
    }
    fn probe<'a>(&'a self, _: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        nothing()
    }
    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        Box::pin(async move {
            self.note("rights", actor).await?;
            let key = (container.to_owned(), person.to_owned());
            Ok(self.set().rights.get(&key).copied().unwrap_or(Rights::Unknown))
        })
    }
    fn download<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a str,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        nothing()
    }
    fn document<'a>(&'a self, _: &'a Actor, _: &'a str, _: &'a str) -> Fut<'a, DmsResult<Document>> {
        nothing()
    }
    fn libraries<'a>(&'a self, actor: &'a Actor, _: Option<&'a str>) -> Fut<'a, DmsResult<Page<Library>>> {
        Box::pin(async move {
            self.note("libraries", actor).await?;
            let library = Library { id: "A".to_owned(), name: "Active".to_owned(), fields: BTreeMap::new() };
            Ok(Page { items: vec![library], next: None })
        })
    }
    fn search_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        text: &'a str,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            self.note("search", actor).await?;
            let drawers = self.set();
            let fits = |it: &&Container| it.kind == ContainerKind::Workspace && it.name.contains(text);
            Ok(Page { items: drawers.all.iter().filter(fits).cloned().collect(), next: Some("2".to_owned()) })
        })
    }
    fn shelf<'a>(&'a self, actor: &'a Actor, _: &'a str, _: Shelf) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move {
            self.note("shelf", actor).await?;
            let ids = self.set().shelf.clone();
            ids.iter().map(|id| self.by_id(id)).collect()
        })
    }
    fn lookup<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        query: LookupQuery<'a>,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LookupRow>>> {
        Box::pin(async move {
            self.note("lookup", actor).await?;
            let row =
                LookupRow { key: query.text.to_owned(), description: query.field.to_owned(), open: true };
            Ok(Page { items: vec![row], next: None })
        })
    }
    fn documents<'a>(
        &'a self,
        actor: &'a Actor,
        _: &'a str,
        _: &'a str,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move {
            self.note("documents", actor).await?;
            Ok(Page { items: vec![Document::default()], next: None })
        })
    }
}

fn container(id: &str, name: &str, kind: ContainerKind, parent: Option<&str>) -> Container {
    Container {
        id: id.to_owned(),
        name: name.to_owned(),
        open: true,
        kind,
        parent: parent.map(str::to_owned),
        ..Container::default()
    }
}

struct Stage {
    world: World,
    cabinet: Cabinet,
    places: Arc<DestinationPlaces>,
    dms: ServiceName,
}

impl Stage {
    fn new() -> Self {
        use ContainerKind::{Folder, Search, Workspace};
        let (world, cabinet) = (World::new(), Cabinet::default());
        {
            let mut drawers = cabinet.set();
            drawers.can = Capabilities {
                persons: true,
                rights: true,
                recent: true,
                favourites: true,
                search_workspaces: true,
                ..Capabilities::default()
            };
            drawers.all = vec![
                container("w1", "Harrow v Teal", Workspace, None),
                container("w2", "Harrow lease", Workspace, None),
                container("w3", "Harrow merger", Workspace, None),
                container("f1", "Correspondence", Folder, Some("w1")),
                container("f2", "2026", Folder, Some("f1")),
                Container { open: false, ..container("f3", "Closed", Folder, Some("w1")) },
                container("f4", "All mail", Search, Some("w1")),
            ];
            for (id, person, right) in [
                ("w1", "ann", Rights::Allowed),
                ("f1", "ann", Rights::Allowed),
                ("f2", "ann", Rights::Allowed),
                ("w2", "ann", Rights::Denied),
            ] {
                drawers.rights.insert((id.to_owned(), person.to_owned()), right);
            }
        }
        let dms: ServiceName = "dms".parse().unwrap();
        let destination = Destination {
            name: dms.clone(),
            dms: Arc::new(cabinet.clone()),
            settings: DestinationSettings::default(),
        };
        let places = DestinationPlaces::new(
            vec![destination],
            world.links.clone(),
            world.store.clone(),
            world.clock.clone(),
        );
        Self { world, cabinet, places: Arc::new(places), dms }
    }

    async fn search(&self, by: &Principal, text: &str) -> Result<Vec<Place>, PlacesError> {
        let wanted = Wanted::Search(text);
        Ok(self.places.places(by, &self.dms, "", wanted, None).await?.items)
    }

    async fn shelf(&self, by: &Principal, library: &str, which: Shelf) -> Vec<(String, Vec<Origin>)> {
        let found = self.places.places(by, &self.dms, library, Wanted::Shelf(which), None).await.unwrap();
        found.items.into_iter().map(|place| (place.id.container, place.origins)).collect()
    }

    fn asked(&self) -> Vec<(&'static str, Credential)> {
        std::mem::take(&mut self.cabinet.set().asked)
    }
}

fn ann() -> Principal {
    Principal {
        person: Some(PersonId::from_u128(7)),
        ..Principal::program("ann", Role::User, "main".parse().unwrap())
    }
}

fn id(container: &str) -> PlaceId {
    PlaceId { library: String::new(), container: container.to_owned() }
}

fn names(places: &[Place]) -> Vec<&str> {
    places.iter().map(|place| place.id.container.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_own_account_sees_what_it_sees() {
    let stage = Stage::new();
    stage.world.links.link("ann", Standing::Works);
    let found = stage.search(&ann(), "Harrow").await.unwrap();
    assert_eq!(names(&found), ["w1", "w2", "w3"]);
    assert!(found.iter().all(|it| it.may_file == MayFile::No), "workspaces take no documents here");
    assert_eq!(stage.asked(), [("search", Credential::Own)], "nothing is checked besides");
    let page = stage.places.folders(&ann(), &stage.dms, &id("w1"), None).await.unwrap();
    assert_eq!((names(&page.items), page.next.as_deref()), (vec!["f1", "f3"], Some("2")));
    let may: Vec<_> = page.items.iter().map(|it| it.may_file).collect();
    assert_eq!(may, [MayFile::Unknown, MayFile::No]);
    let page = stage.places.folders(&ann(), &stage.dms, &id("w1"), page.next.as_deref()).await.unwrap();
    assert_eq!((names(&page.items), page.items[0].may_file, page.next), (vec!["f4"], MayFile::No, None));

    let place = stage.places.place(&ann(), &stage.dms, &id("f2")).await.unwrap();
    let path: Vec<_> = place.path.iter().map(|step| step.name.as_str()).collect();
    assert_eq!((path, place.may_file), (vec!["Harrow v Teal", "Correspondence"], MayFile::Yes));
    stage.cabinet.set().rights.insert(("f2".to_owned(), "ann".to_owned()), Rights::Denied);
    let place = stage.places.place(&ann(), &stage.dms, &id("f2")).await.unwrap();
    assert_eq!(place.may_file, MayFile::No);
    // Lists that no container stands behind are the account's own as well.
    assert_eq!(stage.places.libraries(&ann(), &stage.dms, None).await.unwrap().items.len(), 1);
    let query = Lookup { library: "", field: "client", parent: None, text: "0007" };
    assert_eq!(stage.places.lookup(&ann(), &stage.dms, query, None).await.unwrap().items[0].key, "0007");
    assert_eq!(stage.places.documents(&ann(), &stage.dms, &id("f1"), None).await.unwrap().items.len(), 1);
    assert!(stage.asked().iter().all(|(_, credential)| *credential == Credential::Own));
}

#[tokio::test(start_paused = true)]
async fn who_may_look_is_decided_by_the_policy() {
    let refused = |refusal| Err(PlacesError::Refused(refusal));
    let shown = || Ok(vec!["w1".to_owned()]);
    let table = [
        (Fallback::Never, Standing::None, refused(Refusal::LinkNeeded)),
        (Fallback::BackgroundOnly, Standing::None, refused(Refusal::LinkNeeded)),
        (Fallback::ReadOnly, Standing::None, shown()),
        (Fallback::Always, Standing::None, shown()),
        (Fallback::Always, Standing::Broken, refused(Refusal::LinkBroken)),
    ];
    for (fallback, own, wanted) in table {
        let stage = Stage::new();
        stage.world.links.link("ann", own);
        stage.world.links.set().fallback = fallback;
        let found = stage.search(&ann(), "Harrow").await;
        let found = found.map(|it| names(&it).into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(found, wanted, "{fallback:?} {own:?}");
        if wanted.is_err() {
            assert_eq!(stage.asked(), [], "{fallback:?} {own:?}: the DMS hears nothing");
        }
    }
    let stage = Stage::new();
    let elsewhere = "elsewhere".parse().unwrap();
    let found = stage.places.libraries(&ann(), &elsewhere, None).await;
    assert_eq!(found, Err(PlacesError::NoDestination(elsewhere.clone())));
}

/// The system account stands in: `w1` and what is in it is allowed for certain, `w2` is behind a wall, of `w3` nobody knows.
#[tokio::test(start_paused = true)]
async fn a_wall_hides_and_so_does_doubt() {
    let stage = Stage::new();
    stage.world.links.link("ann", Standing::None);
    stage.world.links.set().fallback = Fallback::ReadOnly;
    let found = stage.search(&ann(), "Harrow").await.unwrap();
    assert_eq!(names(&found), ["w1"]);
    let page = stage.places.folders(&ann(), &stage.dms, &id("w1"), None).await.unwrap();
    assert_eq!((names(&page.items), page.items[0].may_file), (vec!["f1"], MayFile::Yes));
    assert_eq!(page.next.as_deref(), Some("2"), "the list goes on behind what is hidden");
    let place = stage.places.place(&ann(), &stage.dms, &id("f2")).await.unwrap();
    assert_eq!(place.path.len(), 2);
    stage.asked();
    for hidden in ["w2", "w3", "f3", "nowhere"] {
        let wanted = Err(PlacesError::NotFound);
        assert_eq!(stage.places.place(&ann(), &stage.dms, &id(hidden)).await, wanted, "{hidden}");
        assert_eq!(
            stage.places.favour(&ann(), &stage.dms, &id(hidden), true).await,
            Err(PlacesError::NotFound)
        );
        let inside = stage.places.folders(&ann(), &stage.dms, &id(hidden), None).await.map(|_| ());
        assert_eq!(inside, Err(PlacesError::NotFound), "{hidden}");
    }
    assert!(stage.asked().iter().all(|(what, _)| *what != "folders"), "behind a wall nothing is listed");
    // Above a place that is shown there may be one that is not.
    stage.cabinet.set().rights.remove(&("w1".to_owned(), "ann".to_owned()));
    let place = stage.places.place(&ann(), &stage.dms, &id("f2")).await.unwrap();
    assert_eq!(place.path.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Correspondence"]);
    stage.asked();

    // Names that cannot be checked one by one are not asked for at all.
    let unsure = || PlacesError::Refused(Refusal::Unsure);
    assert_eq!(stage.places.libraries(&ann(), &stage.dms, None).await, Err(unsure()));
    let query = Lookup { library: "", field: "client", parent: None, text: "" };
    assert_eq!(stage.places.lookup(&ann(), &stage.dms, query, None).await, Err(unsure()));
    assert_eq!(stage.places.documents(&ann(), &stage.dms, &id("f1"), None).await, Err(unsure()));
    assert_eq!(stage.asked(), []);
    // Nor is anything where the DMS tells no rights.
    stage.cabinet.set().can.rights = false;
    assert_eq!(stage.search(&ann(), "Harrow").await, Err(unsure()));
    assert_eq!(stage.asked(), []);
    // A question about rights that fails is no answer.
    stage.cabinet.set().can.rights = true;
    stage.cabinet.set().trouble = Some(DmsError::Unavailable(Trouble::new(Cause::ServerFault, "down")));
    assert_eq!(stage.search(&ann(), "Harrow").await, Err(PlacesError::Failed("down".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_program_and_a_dms_without_persons_use_the_system_account() {
    let stage = Stage::new();
    // A program that calls itself like a person is none.
    stage.world.links.link("ann", Standing::Works);
    let program = Principal::program("ann", Role::User, "main".parse().unwrap());
    assert_eq!(names(&stage.search(&program, "Harrow").await.unwrap()), ["w1", "w2", "w3"]);
    assert_eq!(stage.asked(), [("search", Credential::System)]);
    assert_eq!(
        stage.places.favour(&program, &stage.dms, &id("w1"), true).await,
        Err(PlacesError::NotAPerson)
    );
}

#[tokio::test(start_paused = true)]
async fn what_postroom_knows_stands_beside_the_dmss_own_lists() {
    let stage = Stage::new();
    let world = &stage.world;
    world.clock.attach();
    world.links.link("ann", Standing::Works);
    // Where ann's documents went, oldest first; the same place twice, one that is gone, and one of somebody else's.
    for (by, place) in
        [("ann", "f2"), ("ann", "gone"), ("ann", "f1"), ("bea", "w3"), ("ann", "f1"), ("ann", "w2")]
    {
        let filing = world.accept_as("upload", World::target("dms"), Credential::Own, by).await;
        world.file_by_hand(filing, place).await;
    }
    let elsewhere = world.accept_as("upload", World::target("other"), Credential::Own, "ann").await;
    world.file_by_hand(elsewhere, "w3").await;
    world.accept_as("upload", World::target("dms"), Credential::Own, "ann").await;
    stage.cabinet.set().shelf = vec!["w1".to_owned(), "w2".to_owned()];
    let (dms, ours) = (vec![Origin::Dms], vec![Origin::Postroom]);
    let both = vec![Origin::Dms, Origin::Postroom];
    let entry = |id: &str, origins: &Vec<Origin>| (id.to_owned(), origins.clone());
    let wanted = [entry("w1", &dms), entry("w2", &both), entry("f1", &ours), entry("f2", &ours)];
    assert_eq!(stage.shelf(&ann(), "", Shelf::Recent).await, wanted);

    // Favourites, kept over a restart because they are in the store.
    stage.cabinet.set().shelf = vec!["w1".to_owned()];
    for (place, keep) in
        [("f1", true), ("w1", true), ("f2", true), ("f2", true), ("f1", false), ("w3", false)]
    {
        stage.places.favour(&ann(), &stage.dms, &id(place), keep).await.unwrap();
    }
    let wanted = [entry("w1", &both), entry("f2", &ours)];
    assert_eq!(stage.shelf(&ann(), "", Shelf::Favourites).await, wanted);
    let kept: Favourites = postroom_domain::record::by_id(&*world.store, 7).await.unwrap().unwrap();
    assert_eq!((kept.items.len(), kept.version), (2, 4), "what changed nothing wrote nothing");
    // Of another library only what belongs there, or to none in particular.
    let there = PlaceId { library: "B".to_owned(), container: "w2".to_owned() };
    stage.places.favour(&ann(), &stage.dms, &there, true).await.unwrap();
    let ids = async |library| {
        stage.shelf(&ann(), library, Shelf::Favourites).await.into_iter().map(|it| it.0).collect::<Vec<_>>()
    };
    assert_eq!(ids("A").await, ["w1", "f2"]);
    assert_eq!(ids("B").await, ["w1", "w2", "f2"]);

    // Somebody whose account the system's stands in for has Postroom's lists, behind the same walls, and not the system's own.
    world.links.link("ann", Standing::None);
    world.links.set().fallback = Fallback::ReadOnly;
    assert_eq!(stage.shelf(&ann(), "", Shelf::Recent).await, [entry("f1", &ours), entry("f2", &ours)]);
    assert_eq!(stage.shelf(&ann(), "", Shelf::Favourites).await, [entry("f2", &ours), entry("w1", &ours)]);
}

#[tokio::test(start_paused = true)]
async fn two_who_mark_at_once_both_keep_their_marks() {
    let stage = Stage::new();
    stage.world.links.link("ann", Standing::Works);
    let marks = ["w1", "w2", "w3", "f1"].map(|place| {
        let (places, dms) = (stage.places.clone(), stage.dms.clone());
        async move { places.favour(&ann(), &dms, &id(place), true).await }
    });
    let done = futures_util::future::join_all(marks).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let mut kept = stage.shelf(&ann(), "", Shelf::Favourites).await;
    kept.sort();
    assert_eq!(kept.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn trouble_is_told_by_what_can_be_done_and_never_waited_for_long() {
    let stage = Stage::new();
    stage.world.links.link("ann", Standing::Works);
    let trouble = || Trouble::new(Cause::ServerFault, "for the log");
    let throttled = |until| DmsError::Throttled { until, trouble: trouble() };
    let in_a_minute = stage.world.clock.now() + jiff::SignedDuration::from_secs(60);
    let rejected = DmsError::Rejected { field: None, message: "too short".to_owned(), trouble: trouble() };
    let table = [
        (throttled(Some(RetryAfter::Seconds(9))), PlacesError::Busy { seconds: Some(9) }),
        (throttled(Some(RetryAfter::At(in_a_minute))), PlacesError::Busy { seconds: Some(60) }),
        (throttled(None), PlacesError::Busy { seconds: None }),
        (DmsError::NeedsLogin(trouble()), PlacesError::Refused(Refusal::LinkBroken)),
        (DmsError::Forbidden(trouble()), PlacesError::NotFound),
        (DmsError::Unsupported(trouble()), PlacesError::Unsupported(stage.dms.clone())),
        (rejected, PlacesError::Rejected("too short".to_owned())),
        (DmsError::Unavailable(trouble()), PlacesError::Failed("for the log".to_owned())),
    ];
    for (met, wanted) in table {
        stage.cabinet.set().trouble = Some(met.clone());
        assert_eq!(stage.search(&ann(), "x").await, Err(wanted), "{met:?}");
    }
    stage.cabinet.set().slow = true;
    let begun = tokio::time::Instant::now();
    assert_eq!(stage.search(&ann(), "x").await, Err(PlacesError::Slow));
    assert!(begun.elapsed() <= Duration::from_secs(16), "clients wait for twenty seconds");
}
