//! Choosing a place and reading lists, as clients meet them: what is passed on, what comes back, and what each refusal is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use postroom_api::place::PlaceKey;
use postroom_domain::Fut;
use postroom_domain::dms::{Capabilities, ContainerKind, Document, Library, LookupRow, Page, Shelf};
use postroom_domain::ids::{ListName, ServiceName};
use postroom_domain::link::Refusal;
use postroom_domain::lists::{Asker, ListError, ListOffered, ListRow, ListRows, TargetLists};
use postroom_domain::person::Principal;
use postroom_domain::places::{
    Lookup, MayFile, Offered, Origin, Place, PlaceId, Places, PlacesError, PlacesResult, Step, Wanted,
};
use reqwest::Method;
use serde_json::json;

use crate::world::{Answer, World};

/// A place's id as addresses carry it.
pub(crate) fn key(library: &str, container: &str) -> String {
    PlaceKey(PlaceId { library: library.to_owned(), container: container.to_owned() }).to_string()
}

/// Shows what it was asked; fails as the asked text says.
#[derive(Default)]
pub(crate) struct Cabinet {
    marked: Mutex<BTreeSet<(String, PlaceId)>>,
}

fn place(id: &PlaceId, name: &str) -> Place {
    Place {
        id: id.clone(),
        name: name.to_owned(),
        kind: ContainerKind::Folder,
        open: true,
        may_file: MayFile::Unknown,
        parent: Some(PlaceId { container: "up".to_owned(), ..id.clone() }),
        workspace: None,
        path: Vec::new(),
        origins: Vec::new(),
        link: None,
    }
}

fn failure(word: &str) -> Option<PlacesError> {
    Some(match word {
        "gone" => PlacesError::NotFound,
        "unlinked" => PlacesError::Refused(Refusal::LinkNeeded),
        "systemless" => PlacesError::Refused(Refusal::NoSystemAccount),
        "unsupported" => PlacesError::Unsupported("dms-eu".parse().unwrap()),
        "rejected" => PlacesError::Rejected("a wildcard is not allowed".to_owned()),
        "busy" => PlacesError::Busy { seconds: Some(7) },
        "absurd" => PlacesError::Busy { seconds: Some(u64::MAX) },
        "bare" => PlacesError::Busy { seconds: None },
        "slow" => PlacesError::Slow,
        "failed" => PlacesError::Failed("reset by 10.0.0.7".to_owned()),
        "program" => PlacesError::NotAPerson,
        "full" => PlacesError::TooMany(200),
        _ => return None,
    })
}

fn known(at: &ServiceName) -> PlacesResult<()> {
    if at.as_str() == "dms-eu" { Ok(()) } else { Err(PlacesError::NoDestination(at.clone())) }
}

impl Places for Cabinet {
    fn destinations(&self) -> Vec<Offered> {
        let capabilities = Capabilities { libraries: true, recent: true, ..Capabilities::default() };
        vec![Offered { name: "dms-eu".parse().unwrap(), capabilities }]
    }

    fn libraries<'a>(
        &'a self,
        _: &'a Principal,
        at: &'a ServiceName,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Library>>> {
        Box::pin(async move {
            known(at)?;
            let name = format!("after {page:?}");
            let library = Library { id: "ACTIVE".to_owned(), name, fields: BTreeMap::new() };
            Ok(Page { items: vec![library], next: Some("p 2&".to_owned()) })
        })
    }

    fn places<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        library: &'a str,
        wanted: Wanted<'a>,
        _: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Place>>> {
        Box::pin(async move {
            known(at)?;
            let word = match wanted {
                Wanted::Search(text) => text.to_owned(),
                Wanted::Shelf(Shelf::Recent) => "recent".to_owned(),
                Wanted::Shelf(Shelf::Favourites) => {
                    let marked = self.marked.lock().unwrap();
                    let own = marked.iter().filter(|(name, _)| *name == by.name);
                    let items =
                        own.map(|(_, id)| Place { origins: vec![Origin::Postroom], ..place(id, "marked") });
                    return Ok(Page { items: items.collect(), next: None });
                }
            };
            if let Some(error) = failure(&word) {
                return Err(error);
            }
            let id = PlaceId { library: library.to_owned(), container: "ACTIVE!12".to_owned() };
            Ok(Page { items: vec![place(&id, &word)], next: None })
        })
    }

    fn place<'a>(
        &'a self,
        _: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
    ) -> Fut<'a, PlacesResult<Place>> {
        Box::pin(async move {
            known(at)?;
            let above =
                Step { id: PlaceId { container: "up".to_owned(), ..id.clone() }, name: "Up".to_owned() };
            Ok(Place { path: vec![above], may_file: MayFile::Yes, ..place(id, "It") })
        })
    }

    fn folders<'a>(
        &'a self,
        _: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        page: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Place>>> {
        Box::pin(async move {
            known(at)?;
            let name = format!("in {} after {page:?}", id.container);
            Ok(Page { items: vec![place(id, &name)], next: None })
        })
    }

    fn documents<'a>(
        &'a self,
        _: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        _: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<Document>>> {
        Box::pin(async move {
            known(at)?;
            let document =
                Document { id: id.container.clone(), name: "a.pdf".to_owned(), ..Document::default() };
            Ok(Page { items: vec![document], next: None })
        })
    }

    fn lookup<'a>(
        &'a self,
        _: &'a Principal,
        at: &'a ServiceName,
        query: Lookup<'a>,
        _: Option<&'a str>,
    ) -> Fut<'a, PlacesResult<Page<LookupRow>>> {
        Box::pin(async move {
            known(at)?;
            let description = format!("{query:?}");
            Ok(Page {
                items: vec![LookupRow { key: "0007".to_owned(), description, open: true }],
                next: None,
            })
        })
    }

    fn favour<'a>(
        &'a self,
        by: &'a Principal,
        at: &'a ServiceName,
        id: &'a PlaceId,
        keep: bool,
    ) -> Fut<'a, PlacesResult<()>> {
        Box::pin(async move {
            known(at)?;
            if let Some(error) = failure(&id.container) {
                return Err(error);
            }
            let mut marked = self.marked.lock().unwrap();
            let entry = (by.name.clone(), id.clone());
            if keep {
                marked.insert(entry);
            } else {
                marked.remove(&entry);
            }
            Ok(())
        })
    }
}

/// A list that tells what it was asked, and by whom.
pub(crate) struct Matters;

impl TargetLists for Matters {
    fn lists(&self) -> Vec<ListOffered> {
        let parameters = vec!["client".to_owned(), "text".to_owned()];
        vec![ListOffered { name: "matters".parse().unwrap(), title: "Matters".to_owned(), parameters }]
    }

    fn rows<'a>(
        &'a self,
        by: &'a Asker,
        list: &'a ListName,
        given: &'a BTreeMap<String, String>,
    ) -> Fut<'a, Result<ListRows, ListError>> {
        Box::pin(async move {
            if list.as_str() != "matters" {
                return Err(ListError::NoList(list.clone()));
            }
            if let Some(name) = given.keys().find(|name| !["client", "text"].contains(&name.as_str())) {
                return Err(ListError::NoParameter(name.clone()));
            }
            match given.get("text").map(String::as_str) {
                Some("slow") => Err(ListError::Slow),
                Some("failed") => Err(ListError::Failed("password authentication failed".to_owned())),
                Some("long") => Err(ListError::BadValue("text".to_owned())),
                Some("mine") if by.email.is_none() => Err(ListError::NotAPerson),
                _ => {
                    let title = format!("{given:?} by {}", by.email.as_deref().unwrap_or("a program"));
                    let row = ListRow { key: "7".to_owned(), title, ..ListRow::default() };
                    Ok(ListRows { rows: vec![row], more: true })
                }
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_found_opened_and_marked() {
    let world = World::new().await;
    let at = "/api/v1/destinations";
    let answer = world.get("user", at).await;
    assert_eq!(answer.body, json!({"items": [{"name": "dms-eu", "can": ["libraries", "recent"]}]}));
    let answer = world.get("user", &format!("{at}/dms-eu/libraries?cursor=p%202%26")).await;
    assert_eq!(answer.body["items"][0]["name"], "after Some(\"p 2&\")");
    assert_eq!(answer.body["next"], "p 2&");

    let answer = world.get("user", &format!("{at}/dms-eu/places?text=%20harrow%20&library=NG-1")).await;
    let id = key("NG-1", "ACTIVE!12");
    let found = json!({
        "id": id, "library": "NG-1", "dms_id": "ACTIVE!12", "name": "harrow", "kind": "folder", "open": true,
        "may_file": "unknown", "parent": key("NG-1", "up"),
    });
    assert_eq!(answer.body, json!({"items": [found], "next": null}));
    // Whatever a DMS calls its places comes back to it unchanged.
    for (library, container) in [
        ("ACTIVE", "ACTIVE!12"),
        ("NG-A", ":Q12:q^F21.nev"),
        ("", "Harrow & Söhne/100 %/a+b?c#d"),
        ("", "../.."),
    ] {
        let id = key(library, container);
        let answer = world.get("user", &format!("{at}/dms-eu/places/{id}")).await;
        assert_eq!((&answer.body["dms_id"], &answer.body["id"]), (&json!(container), &json!(id)));
        assert_eq!(answer.body["path"], json!([{"id": key(library, "up"), "name": "Up"}]));
        assert_eq!(answer.body["may_file"], "yes");
        let answer = world.get("user", &format!("{at}/dms-eu/places/{id}/folders?cursor=2")).await;
        assert_eq!(answer.body["items"][0]["name"], format!("in {container} after Some(\"2\")"));
        let answer = world.get("user", &format!("{at}/dms-eu/places/{id}/documents")).await;
        assert_eq!(answer.body["items"][0]["id"], container);
    }
    let answer = world.get("user", &format!("{at}/dms-eu/lookups/a%2Fb%25+c?text=x&parent=7")).await;
    let told = answer.body["items"][0]["description"].as_str().unwrap();
    assert!(told.contains("field: \"a/b%+c\"") && told.contains("parent: Some(\"7\")"), "{told}");

    // Each has their own favourites, and saying it twice is saying it once.
    let mark = async |who: &str, method: Method| {
        let request = world.request(who, method, &format!("{at}/dms-eu/places/{id}/favourite"));
        assert_eq!(request.send().await.unwrap().status(), 204);
        let mut counts = Vec::new();
        for who in ["user", "user2"] {
            let answer = world.get(who, &format!("{at}/dms-eu/places?shelf=favourites")).await;
            let items = answer.body["items"].as_array().unwrap();
            assert!(items.iter().all(|it| it["origins"] == json!(["postroom"]) && it["id"] == id));
            counts.push(items.len());
        }
        counts
    };
    assert_eq!(mark("user", Method::PUT).await, [1, 0]);
    assert_eq!(mark("user", Method::PUT).await, [1, 0]);
    assert_eq!(mark("user2", Method::PUT).await, [1, 1]);
    assert_eq!(mark("user", Method::DELETE).await, [0, 1]);
    assert_eq!(mark("user", Method::DELETE).await, [0, 1]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_finding_nothing_has_a_name_and_advice() {
    let world = World::new().await;
    let at = "/api/v1/destinations/dms-eu";
    let id = key("", "x");
    let table = [
        (format!("{at}/places?text=gone"), 404, "not_found"),
        (format!("{at}/places?text=unlinked"), 403, "link_needed"),
        (format!("{at}/places?text=systemless"), 403, "link_needed"),
        (format!("{at}/places?text=unsupported"), 501, "not_offered"),
        (format!("{at}/places?text=rejected"), 400, "bad_value"),
        (format!("{at}/places?text=busy"), 503, "dms_busy"),
        (format!("{at}/places?text=absurd"), 503, "dms_busy"),
        (format!("{at}/places?text=bare"), 503, "dms_busy"),
        (format!("{at}/places?text=slow"), 504, "dms_slow"),
        (format!("{at}/places?text=failed"), 502, "dms_failed"),
        (format!("{at}/places?text=%20"), 400, "bad_value"),
        (format!("{at}/places?text=a%00b"), 400, "bad_value"),
        (format!("{at}/places?text={}", "x".repeat(3000)), 400, "bad_value"),
        (format!("{at}/places"), 400, "bad_value"),
        (format!("{at}/places?text=x&shelf=recent"), 400, "bad_value"),
        (format!("{at}/places?text=x&size=3"), 400, "unknown_field"),
        (format!("{at}/places/ACTIVE!12"), 400, "bad_value"),
        (format!("{at}/places/{id}/folders?cursor={}", "x".repeat(9000)), 400, "bad_cursor"),
        ("/api/v1/destinations/elsewhere/libraries".to_owned(), 404, "not_found"),
        (format!("/api/v1/destinations/elsewhere/places/{id}"), 404, "not_found"),
        (format!("/api/v1/destinations/Not%20A%20Name/places/{id}"), 400, "bad_value"),
    ];
    for (path, status, code) in table {
        let answer = world.get("user", &path).await;
        answer.assert_problem(status, code, &path);
        assert!(!answer.body.to_string().contains("10.0.0.7"), "{path}: what is for the log is told");
        let wait = match path.rsplit('=').next() {
            Some("busy") => "7",
            Some("absurd") => "3600",
            Some("bare") => "5",
            _ => "",
        };
        assert_eq!(answer.header("retry-after"), wait, "{path}");
        let advised = ["link_needed", "dms_slow", "dms_failed", "dms_busy", "not_offered"].contains(&code);
        assert!(!advised || answer.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{path}");
    }
    for (word, status, code) in
        [("program", 403, "forbidden"), ("full", 409, "not_allowed_now"), ("gone", 404, "not_found")]
    {
        let path = format!("{at}/places/{}/favourite", key("", word));
        let request = world.request("user", Method::PUT, &path);
        Answer::of(request.send().await.unwrap()).await.assert_problem(status, code, word);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_gets_its_parameters_and_who_asks() {
    let world = World::new().await;
    let answer = world.get("user", "/api/v1/lists").await;
    let list = json!({"name": "matters", "title": "Matters", "parameters": ["client", "text"]});
    assert_eq!(answer.body, json!({"items": [list]}));
    let answer = world.get("user", "/api/v1/lists/matters?text=a%27b&client=7").await;
    let title = "{\"client\": \"7\", \"text\": \"a'b\"} by a program";
    assert_eq!(answer.body, json!({"items": [{"key": "7", "title": title}], "more": true}));
    // A person is asked for by the e-mail of today, whatever the request says.
    let session = world.desk.member("ann@harrow.example", "user", "london").await;
    let cookie = format!("__Host-postroom={}", secrecy::ExposeSecret::expose_secret(&session.secret));
    let request = world.request("", Method::GET, "/api/v1/lists/matters?text=mine").header("cookie", cookie);
    let answer = Answer::of(request.header("sec-fetch-site", "same-origin").send().await.unwrap()).await;
    assert_eq!(answer.body["items"][0]["title"], "{\"text\": \"mine\"} by ann@harrow.example");
    for (path, status, code) in [
        ("matters?person_email=x", 400, "unknown_field"),
        ("matters?text=long", 400, "bad_value"),
        ("matters?text=mine", 403, "forbidden"),
        ("matters?text=slow", 504, "dms_slow"),
        ("matters?text=failed", 502, "dms_failed"),
        ("clients", 404, "not_found"),
    ] {
        let answer = world.get("user", &format!("/api/v1/lists/{path}")).await;
        answer.assert_problem(status, code, path);
        assert!(!answer.body.to_string().contains("authentication"), "{path}");
    }
    world.stop().await;
}
