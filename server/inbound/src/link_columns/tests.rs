//! A keeper of links over a DMS that is played, with time by hand.
#![expect(clippy::result_large_err, reason = "the error is the contract's")]

use std::collections::BTreeMap;

use postroom_domain::Fut;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Document, Found, Probe, Receipt, Upload,
};
use postroom_domain::store::{Pause, Store as _};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::testing::ManualClock;
use postroom_store::MemoryStore;

use super::*;

const POLL: Duration = Duration::from_hours(1);

#[derive(Default)]
struct Shelf {
    /// Folders under a container.
    folders: BTreeMap<String, Vec<String>>,
    /// Documents in a container.
    documents: BTreeMap<String, Vec<String>>,
    closed: HashSet<String>,
    /// Records by id: what each is about, and its link.
    records: BTreeMap<String, (String, Option<ShownLink>)>,
    /// What goes wrong at a record, by what it is about, or at a site.
    wrong: BTreeMap<String, DmsError>,
    /// Writes that the DMS takes and forgets.
    forgets: bool,
    /// Records that listings do not show.
    hidden: HashSet<String>,
    writes: Vec<String>,
    lists: usize,
}

struct Played(Mutex<Shelf>);

impl Played {
    fn with<R>(&self, act: impl FnOnce(&mut Shelf) -> R) -> R {
        act(&mut self.0.lock().unwrap())
    }
}

fn trouble(cause: Cause, status: Option<u16>) -> DmsError {
    let mut trouble = Trouble::new(cause, "it went wrong");
    trouble.status = status;
    DmsError::from_trouble(trouble)
}

fn never<'a, T: Send + 'a>() -> Fut<'a, DmsResult<T>> {
    Box::pin(async { Err(trouble(Cause::Unsupported, None)) })
}

/// Two on a page.
fn piece<T: Clone>(all: &[T], page: Option<&str>) -> Page<T> {
    let from = page.map_or(0, |page| page.parse().unwrap());
    let next = (from + 2 < all.len()).then(|| (from + 2).to_string());
    Page { items: all.iter().skip(from).take(2).cloned().collect(), next }
}

impl Dms for Played {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        never()
    }
    fn find_workspaces<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a WorkspaceQuery,
        _: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        never()
    }
    fn container<'a>(&'a self, _: &'a Actor, _: &'a str, _: &'a str) -> Fut<'a, DmsResult<Container>> {
        never()
    }
    fn folders<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            self.with(|shelf| {
                if let Some(error) = shelf.wrong.get(container) {
                    return Err(error.clone());
                }
                let all = shelf.folders.get(container).cloned().unwrap_or_default();
                let all: Vec<Container> =
                    all.into_iter().map(|id| Container { id, ..Container::default() }).collect();
                Ok(piece(&all, page))
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
        never()
    }
    fn safe_name(&self, name: &str) -> String {
        name.to_owned()
    }
    fn upload<'a>(&'a self, _: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        never()
    }
    fn probe<'a>(&'a self, _: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        never()
    }
    fn document<'a>(&'a self, _: &'a Actor, _: &'a str, _: &'a str) -> Fut<'a, DmsResult<Document>> {
        never()
    }
    fn download<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a str,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        never()
    }
    fn documents<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move {
            self.with(|shelf| {
                let all = shelf.documents.get(container).cloned().unwrap_or_default();
                let all: Vec<Document> =
                    all.into_iter().map(|id| Document { id, ..Document::default() }).collect();
                Ok(piece(&all, page))
            })
        })
    }
    fn search_workspaces<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move {
            self.with(|shelf| {
                shelf.lists += 1;
                let sites = shelf.folders.keys().filter(|id| id.starts_with("site:"));
                let site = |id: &String| Container {
                    id: id.clone(),
                    open: !shelf.closed.contains(id),
                    ..Container::default()
                };
                Ok(piece(&sites.map(site).collect::<Vec<_>>(), page))
            })
        })
    }
}

impl LinkColumns for Played {
    fn column<'a>(&'a self, site: &'a str, wish: &'a Wish) -> Fut<'a, DmsResult<LinkColumn>> {
        Box::pin(async move {
            if let Some(error) = self.with(|shelf| shelf.wrong.get(site).cloned()) {
                return Err(error);
            }
            Ok(LinkColumn {
                subject: wish.subject,
                list: site.to_owned(),
                column: wish.column.clone(),
                ids: Some(wish.ids.clone()).filter(|it| !it.is_empty()),
                view: None,
            })
        })
    }
    fn records<'a>(
        &'a self,
        column: &'a LinkColumn,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LinkRecord>>> {
        Box::pin(async move {
            self.with(|shelf| {
                let shown = shelf.records.iter().filter(|(id, _)| !shelf.hidden.contains(*id));
                let record = |(id, (about, link)): (&String, &(String, Option<ShownLink>))| LinkRecord {
                    id: id.clone(),
                    link: link.clone(),
                    about: column.ids.as_ref().map(|_| about.clone()),
                };
                Ok(piece(&shown.map(record).collect::<Vec<_>>(), page))
            })
        })
    }
    fn record<'a>(&'a self, _: &'a LinkColumn, record: &'a str) -> Fut<'a, DmsResult<LinkRecord>> {
        Box::pin(async move {
            let link = self.with(|shelf| shelf.records[record].1.clone());
            Ok(LinkRecord { id: record.to_owned(), link, about: None })
        })
    }
    fn record_of<'a>(&'a self, _: &'a LinkColumn, thing: &'a str) -> Fut<'a, DmsResult<String>> {
        Box::pin(async move {
            self.with(|shelf| {
                let found = shelf.records.iter().find(|(_, (about, _))| about == thing);
                found.map(|(id, _)| id.clone()).ok_or_else(|| trouble(Cause::TargetNotFound, Some(404)))
            })
        })
    }
    fn write<'a>(
        &'a self,
        _: &'a LinkColumn,
        record: &'a str,
        link: &'a ShownLink,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move {
            self.with(|shelf| {
                let about = shelf.records[record].0.clone();
                shelf.writes.push(about.clone());
                if let Some(error) = shelf.wrong.get(&about) {
                    return Err(error.clone());
                }
                if !shelf.forgets {
                    shelf.records.get_mut(record).unwrap().1 = Some(link.clone());
                }
                Ok(())
            })
        })
    }
}

struct World {
    dms: Arc<Played>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    keeper: LinkKeeper,
}

impl World {
    /// Site 1 with the folders 11, 12 and 13 (in 12), documents a, b, c and d, each with a record; site 2 is empty.
    fn new(subject: Subject, change: impl FnOnce(&mut LinkColumnsOptions)) -> Self {
        let mut shelf = Shelf::default();
        let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        shelf.folders.insert("site:1".to_owned(), texts(&["folder:11", "folder:12"]));
        // One that names a folder above again must not lead around for ever.
        shelf.folders.insert("folder:12".to_owned(), texts(&["folder:13", "folder:11", "site:1"]));
        shelf.folders.insert("site:2".to_owned(), Vec::new());
        shelf.documents.insert("site:1".to_owned(), texts(&["a"]));
        shelf.documents.insert("folder:13".to_owned(), texts(&["b", "c", "d"]));
        let things: &[&str] = match subject {
            Subject::Folder => &["11", "12", "13"],
            Subject::Document => &["a", "b", "c", "d"],
        };
        for (n, thing) in things.iter().enumerate() {
            shelf.records.insert(format!("r{n}"), ((*thing).to_owned(), None));
        }
        let dms = Arc::new(Played(Mutex::new(shelf)));
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let store = Arc::new(MemoryStore::new());
        let mut options = LinkColumnsOptions {
            source: "links".parse().unwrap(),
            service: "collab".parse().unwrap(),
            sites: vec!["site:1".to_owned()],
            wish: Wish { subject, list: String::new(), column: "Postroom".to_owned(), ids: String::new() },
            text: "Open".to_owned(),
            base: "https://postroom.firm.example/".parse().unwrap(),
            poll: POLL,
        };
        change(&mut options);
        let keeper = LinkKeeper::new(options, dms.clone(), dms.clone(), store.clone(), clock.clone());
        Self { dms, clock, store, keeper }
    }

    async fn look(&self) -> Duration {
        self.keeper.look(&CancellationToken::new()).await
    }

    /// What was tried to be written since the last time, sorted.
    fn writes(&self) -> Vec<String> {
        let mut writes = self.dms.with(|shelf| std::mem::take(&mut shelf.writes));
        writes.sort();
        writes
    }

    fn links(&self) -> Vec<String> {
        let of = |shelf: &mut Shelf| {
            let links = shelf.records.values().map(|(_, link)| link.clone().unwrap_or_default().url);
            links.collect()
        };
        self.dms.with(of)
    }

    fn waiting(&self) -> Vec<String> {
        self.keeper.status().waiting.into_iter().map(|(thing, _)| thing).collect()
    }
}

#[tokio::test]
async fn every_folder_and_document_gets_its_link_once() {
    let at = "https://postroom.firm.example";
    for (subject, wanted) in [
        (Subject::Folder, ["11", "12", "13"].map(|id| format!("{at}/launch/collab?folder={id}")).to_vec()),
        (Subject::Document, ["a", "b", "c", "d"].map(|id| format!("{at}/send-to/collab?doc={id}")).to_vec()),
    ] {
        let world = World::new(subject, |_| {});
        assert_eq!(world.look().await, POLL);
        assert_eq!(world.links(), wanted);
        assert_eq!(world.writes().len(), wanted.len());
        assert_eq!(world.keeper.status(), LinkColumnsStatus::default());
        for _ in 0..3 {
            world.clock.advance(POLL);
            world.look().await;
        }
        assert_eq!(world.writes(), Vec::<String>::new(), "what is right is left alone");
        // Missing, leading elsewhere, called otherwise: each is mended.
        world.dms.with(|shelf| {
            let all: Vec<String> = shelf.records.keys().cloned().collect();
            shelf.records.get_mut(&all[0]).unwrap().1 = None;
            shelf.records.get_mut(&all[1]).unwrap().1.as_mut().unwrap().url.push('9');
            shelf.records.get_mut(&all[2]).unwrap().1.as_mut().unwrap().text.clear();
        });
        world.clock.advance(POLL);
        world.look().await;
        assert_eq!((world.writes().len(), world.links()), (3, wanted));
    }
}

#[tokio::test]
async fn ids_cannot_lead_elsewhere() {
    let world = World::new(Subject::Document, |options| {
        options.base = "https://firm.example/post".parse().unwrap();
    });
    assert_eq!(
        world.keeper.link("7&doc=8#x y").url,
        "https://firm.example/post/send-to/collab?doc=7%26doc%3D8%23x+y"
    );
}

#[tokio::test]
async fn one_bad_record_waits_and_never_stops_the_others() {
    let world = World::new(Subject::Document, |_| {});
    world.dms.with(|shelf| {
        shelf.wrong.insert("b".to_owned(), trouble(Cause::ServerFault, Some(500)));
        shelf.wrong.insert("c".to_owned(), trouble(Cause::Rejected, Some(400)));
        // The record of d is not made yet.
        shelf.records.remove("r3");
    });
    let mut pause = world.look().await;
    assert_eq!(
        (world.writes(), world.waiting()),
        (vec!["a".into(), "b".into(), "c".into()], vec!["b".into(), "c".into(), "d".into()])
    );
    assert_eq!(pause, FIRST);
    assert_eq!(world.keeper.status().unreachable, None);
    // Looked at again before its time nothing is tried.
    world.keeper.hear(Some("1"));
    world.look().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.dms.with(|shelf| drop(shelf.records.insert("r3".to_owned(), ("d".to_owned(), None))));
    let mut pauses = Vec::new();
    for _ in 0..12 {
        world.clock.advance(pause);
        pause = world.look().await;
        pauses.push(pause.as_secs());
    }
    assert_eq!(pauses[..4], [10, 20, 40, 80]);
    assert!(pauses.iter().all(|pause| *pause <= LONGEST.as_secs()), "{pauses:?}");
    assert_eq!(world.waiting(), ["b", "c"]);
    world.dms.with(|shelf| shelf.wrong.clear());
    world.clock.advance(LONGEST);
    world.look().await;
    assert_eq!((world.waiting(), world.links().len()), (Vec::<String>::new(), 4));
}

#[tokio::test]
async fn a_link_that_the_dms_forgets_is_not_written_again_and_again() {
    let world = World::new(Subject::Folder, |_| {});
    world.dms.with(|shelf| shelf.forgets = true);
    world.look().await;
    assert_eq!(world.writes().len(), 3);
    world.keeper.hear(None);
    world.look().await;
    assert_eq!((world.writes().len(), world.waiting().len()), (0, 3));
    let why = world.keeper.status().waiting[0].1.clone();
    assert!(why.contains("the DMS shows something else"), "{why}");
    let before = world.clock.monotonic();
    while world.clock.monotonic() < before + Duration::from_hours(2) {
        let pause = world.look().await;
        world.clock.advance(pause.max(Duration::from_secs(1)));
    }
    assert!(world.writes().len() < 40, "pauses grow");
}

#[tokio::test]
async fn records_that_a_view_hides_are_looked_at_and_not_written_blindly() {
    let world = World::new(Subject::Folder, |_| {});
    assert!(world.dms.with(|shelf| shelf.hidden.insert("r1".to_owned())));
    world.look().await;
    assert_eq!(world.writes().len(), 3);
    for _ in 0..3 {
        world.clock.advance(POLL);
        world.look().await;
    }
    assert_eq!((world.writes().len(), world.waiting()), (0, Vec::<String>::new()));
}

#[tokio::test]
async fn records_are_found_by_a_column_of_ids() {
    let world = World::new(Subject::Folder, |options| options.wish.ids = "Folder ID".to_owned());
    world.dms.with(|shelf| shelf.records.get_mut("r2").unwrap().0 = "somebody's note".to_owned());
    world.look().await;
    assert_eq!((world.writes(), world.waiting()), (vec!["11".into(), "12".into()], vec!["13".into()]));
}

#[tokio::test]
async fn word_of_a_site_has_only_that_one_looked_at() {
    let world = World::new(Subject::Document, |options| options.sites = Vec::new());
    world.look().await;
    world.writes();
    world.dms.with(|shelf| {
        shelf.documents.get_mut("folder:13").unwrap().push("e".to_owned());
        shelf.records.insert("r4".to_owned(), ("e".to_owned(), None));
    });
    // Another site, one that nobody knows, nonsense.
    for site in ["2", "3", "../1", ""] {
        world.keeper.hear(Some(site));
        world.look().await;
        assert_eq!(world.writes(), Vec::<String>::new(), "{site}");
    }
    world.keeper.hear(Some("1"));
    world.look().await;
    assert_eq!(world.writes(), ["e"]);
    world.dms.with(|shelf| shelf.records.get_mut("r4").unwrap().1 = None);
    world.clock.advance(FIRST);
    world.keeper.hear(None);
    world.look().await;
    assert_eq!(world.writes(), ["e"]);
    // The list of sites was read once; closed ones are left out of the next.
    assert_eq!(world.dms.with(|shelf| shelf.lists), 1);
    world.dms.with(|shelf| {
        shelf.closed.insert("site:1".to_owned());
        shelf.records.get_mut("r4").unwrap().1 = None;
    });
    world.clock.advance(POLL);
    world.look().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_site_that_goes_wrong_stops_no_other_and_a_dms_that_is_down_is_told() {
    let world =
        World::new(Subject::Folder, |options| options.sites = vec!["site:0".to_owned(), "site:1".to_owned()]);
    world.dms.with(|shelf| drop(shelf.wrong.insert("site:0".to_owned(), trouble(Cause::NoRight, Some(403)))));
    assert_eq!(world.look().await, POLL);
    assert_eq!(world.writes().len(), 3);
    let status = world.keeper.status();
    assert_eq!((status.unreachable, status.sites.len(), status.sites[0].0.as_str()), (None, 1, "site:0"));
    // Down: nothing is forgotten, and it is asked again soon.
    world.dms.with(|shelf| {
        shelf.records.get_mut("r0").unwrap().1 = None;
        shelf.wrong.insert("site:1".to_owned(), trouble(Cause::Unreachable, None));
    });
    world.clock.advance(POLL);
    assert_eq!(world.look().await, Duration::from_mins(1));
    assert!(world.keeper.status().unreachable.is_some());
    world.dms.with(|shelf| shelf.wrong.clear());
    world.clock.advance(Duration::from_mins(1));
    world.look().await;
    assert_eq!(world.writes(), ["11"]);
    // A server that answers with faults alone is left alone.
    world.dms.with(|shelf| {
        let many = 100..120;
        shelf.folders.insert("folder:11".to_owned(), many.clone().map(|n| format!("folder:{n}")).collect());
        for n in many {
            shelf.records.insert(format!("r{n}"), (n.to_string(), None));
            shelf.wrong.insert(n.to_string(), trouble(Cause::ServerFault, Some(503)));
        }
    });
    world.clock.advance(POLL);
    world.look().await;
    assert_eq!(world.writes().len(), usize::try_from(MOST_FAULTS).unwrap());
}

#[tokio::test]
async fn a_check_names_the_sites_without_the_column() {
    let world = World::new(Subject::Folder, |options| options.sites.push("site:2".to_owned()));
    world.dms.with(|shelf| drop(shelf.wrong.insert("site:2".to_owned(), trouble(Cause::Rejected, None))));
    let told = LinkKeeper::check(&world.keeper.options, &*world.dms).await;
    let told: Vec<(bool, bool)> =
        told.iter().map(|it| (it.works, it.detail.starts_with("site:2: "))).collect();
    assert_eq!(told, [(true, false), (false, true)]);
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_person_paused_writes_nothing() {
    for door in ["source/links", "destination/collab"] {
        let world = World::new(Subject::Folder, |_| {});
        let pause = Pause {
            door: door.to_owned(),
            site: None,
            reason: "new sheet".to_owned(),
            by: "ann".to_owned(),
            since: world.clock.now(),
            until: None,
        };
        world.store.pause(pause).await.unwrap();
        world.look().await;
        assert_eq!((world.writes().len(), world.keeper.status().paused), (0, true), "{door}");
    }
}

#[tokio::test]
async fn it_wakes_at_the_word_and_stops() {
    let world = World::new(Subject::Folder, |_| {});
    let dms = world.dms.clone();
    let handle = world.keeper.start();
    while dms.with(|shelf| shelf.writes.len()) < 3 {
        tokio::task::yield_now().await;
    }
    dms.with(|shelf| {
        shelf.folders.get_mut("site:1").unwrap().push("folder:14".to_owned());
        shelf.records.insert("r9".to_owned(), ("14".to_owned(), None));
    });
    handle.wake(Some("1"));
    while dms.with(|shelf| shelf.writes.len()) < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.service().as_str(), "collab");
    assert!(handle.source_status().reachable);
    handle.stop().await;
}

#[test]
fn only_the_token_itself_is_the_token() {
    let teller = Teller::new("collab".parse().unwrap(), &"a-token-of-highq-alone".to_owned().into());
    for (token, wanted) in [
        ("a-token-of-highq-alone", true),
        ("a-token-of-highq-alon", false),
        ("A-token-of-highq-alone", false),
        ("", false),
    ] {
        assert_eq!(teller.has(&token.to_owned().into()), wanted, "{token}");
    }
}
