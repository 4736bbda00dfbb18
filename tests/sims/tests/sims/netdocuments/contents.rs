//! What the fake repository holds: places, documents, versions, tables, people, and the forms they are told in.

use postroom_sims::netdocuments::{
    Action, CABINET, Control, ErrorBody, Fire, Flaw, MissingRow, Options, REPOSITORY, RetryAfter, Rights,
    Rule, Sim, SimHandle, Throttle,
};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::browser::{Hand, client, json as send, text};

const WORKSPACE: &str = "4800-0000-3650";
const FOLDER: &str = "4800-0000-3652";

struct World {
    sim: SimHandle,
    control: Control,
    hand: Hand,
    http: Client,
    token: String,
}

impl World {
    fn new() -> Self {
        let hand = Hand::new();
        let sim = Sim::start(Options::sample().with_clock(hand.clock())).unwrap();
        let control = sim.control();
        let token = control.issue_token("DUCOT-POSTROOM", "full").unwrap();
        Self { control, sim, hand, http: client(), token }
    }

    fn become_person(&mut self, person: &str, scope: &str) {
        self.token = self.control.issue_token(person, scope).unwrap();
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.sim.url()));
        request.bearer_auth(&self.token).header("Accept", "application/json")
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        send(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
        send(self.request(Method::POST, path).form(form)).await
    }

    async fn upload(&self, fields: &[(&'static str, &str)], bytes: &[u8]) -> (StatusCode, Value) {
        let form =
            fields.iter().fold(Form::new(), |form, (name, value)| form.text(*name, (*value).to_owned()));
        let form = form.part("file", Part::bytes(bytes.to_vec()).file_name("letter.txt"));
        send(self.request(Method::POST, "/v1/Document").multipart(form)).await
    }

    async fn file(&self, name: &str) -> String {
        let fields = [("action", "upload"), ("destination", FOLDER), ("name", name)];
        text(&self.upload(&fields, b"hello").await.1["id"])
    }
}

#[tokio::test]
async fn an_upload_takes_its_folders_attributes_and_is_in_the_ledger() {
    let world = World::new();
    let profile = r#"[{"id":4,"value":"Ada"},{"id":9,"value":"mark-1"}]"#;
    let fields = [("action", "upload"), ("destination", FOLDER), ("profile", profile), ("return", "full")];
    let (status, made) = world.upload(&fields, b"hello").await;
    assert_eq!((status.as_u16(), &made["standardAttributes"]["name"]), (200, &json!("letter")));
    assert_eq!(made["standardAttributes"]["size"], 1, "kilobytes");
    let entry = world.control.ledger().remove(0);
    assert_eq!((entry.size, entry.container.as_str(), entry.workspace.as_str()), (5, FOLDER, WORKSPACE));
    assert_eq!(entry.blake3, blake3::hash(b"hello").to_hex().to_string());
    let values: Vec<_> = entry.attributes.values().map(String::as_str).collect();
    assert_eq!(values, ["10442", "0007", "Ada", "mark-1"]);
    let id = text(&made["standardAttributes"]["id"]);
    // by its other id, and in any letters
    let inner = text(&made["standardAttributes"]["envId"]).replace(':', "%3A").replace('^', "%5E");
    for path in [format!("/v1/document/{inner}/INFO"), format!("/V1/Document/{id}/info")] {
        assert_eq!(world.get(&path).await.1["standardAttributes"]["id"], json!(id), "{path}");
    }
    // dates come with their slashes escaped
    let raw = world.request(Method::GET, &format!("/v1/Document/{id}/info")).send().await.unwrap();
    assert!(raw.text().await.unwrap().contains(r#""created":"\/Date(1772000000000)\/""#));
    let bytes = world.request(Method::GET, &format!("/v1/Document/{id}")).send().await.unwrap();
    assert_eq!(bytes.headers()["content-disposition"], "attachment; filename=\"letter.txt\"");
    assert_eq!(bytes.bytes().await.unwrap().as_ref(), b"hello");
}

#[tokio::test]
async fn what_an_upload_may_not_hold() {
    let world = World::new();
    let closed = "4800-0000-3672";
    for (fields, status) in [
        (vec![("destination", FOLDER), ("profile", r#"[{"id":2,"value":"0012"}]"#)], 400),
        (vec![("destination", FOLDER), ("profile", r#"[{"id":77,"value":"x"}]"#)], 400),
        (vec![("destination", FOLDER), ("profile", r#"[{"id":3,"value":"SONG"}]"#)], 400),
        (vec![("destination", FOLDER), ("name", "a/b")], 400),
        (vec![("destination", "4899-0000-0000")], 404),
        (vec![("destination", "4800-0000-3656")], 400),
        (vec![("destination", closed)], 403),
        (vec![], 400),
    ] {
        assert_eq!(world.upload(&fields, b"x").await.0.as_u16(), status, "{fields:?}");
    }
    world.control.update_cabinet(CABINET, |it| it.attributes[2].required = true);
    let fields = [("destination", FOLDER)];
    let (status, said) = world.upload(&fields, b"x").await;
    assert_eq!(
        (status.as_u16(), &said["message"]),
        (400, &json!("The required attribute Document Type is missing"))
    );
    let fields = [("destination", FOLDER), ("partialProfiling", "true")];
    assert_eq!(world.upload(&fields, b"x").await.0, 200);
    world.control.update_switches(|it| it.max_upload_bytes = Some(10));
    assert_eq!(world.upload(&fields, &[0; 11]).await.0, 413);
    assert_eq!(world.control.holdings().len(), 1);
}

#[tokio::test]
async fn a_new_document_is_seen_by_id_at_once_and_by_search_later() {
    let world = World::new();
    world.control.update_switches(|it| it.index_delay_ms = 60_000);
    let id = world.file("Notice of claim").await;
    let search = format!("/v1/Search/{CABINET}?q=%3D3(%7BNotice%20of%20claim%7D)&$select=standardAttributes");
    assert_eq!(world.get(&format!("/v1/Document/{id}/info")).await.0, 200);
    assert_eq!(world.get(&format!("/v1/Folder/{FOLDER}")).await.1["list"][0]["type"], "doc");
    assert_eq!(world.get(&search).await.1["standardList"], json!([]));
    world.hand.minutes(2);
    assert_eq!(world.get(&search).await.1["standardList"][0]["id"], json!(id));
    let deleted = send(world.request(Method::DELETE, &format!("/v1/Document/{id}"))).await;
    assert_eq!(deleted.0, 200);
    assert_eq!(world.get(&search).await.1["standardList"], json!([]));
    assert_eq!(world.get(&format!("/v1/Document/{id}/info")).await.0, 404);
    assert_eq!((world.control.ledger().len(), world.control.holdings().len()), (1, 0));
}

#[tokio::test]
async fn lists_have_two_forms_and_go_on_at_an_address() {
    let world = World::new();
    for n in 0..5 {
        world.file(&format!("letter {n}")).await;
    }
    world.control.update_switches(|it| it.list_page = 2);
    let (mut address, mut names) = (format!("/v1/Folder/{FOLDER}?$select=standardAttributes"), Vec::new());
    loop {
        let (_, page) = world.get(&address).await;
        names.extend(page["standardList"].as_array().unwrap().iter().map(|it| text(&it["name"])));
        match page.get("next") {
            Some(next) => address = text(next).replace(world.sim.url(), ""),
            None => break,
        }
    }
    assert_eq!(names, (0..5).map(|n| format!("letter {n}")).collect::<Vec<_>>());
    let (_, bare) = world.get(&format!("/v1/Folder/{FOLDER}")).await;
    assert!(bare.get("standardList").is_none() && bare["list"].as_array().unwrap().len() == 2, "{bare}");
    let xml = world.http.get(format!("{}/v1/Folder/{FOLDER}?$select=standardAttributes", world.sim.url()));
    let xml = xml.bearer_auth(&world.token).send().await.unwrap().text().await.unwrap();
    assert!(xml.contains("<standardList><ndProfile.DocumentStat>"), "{xml}");
    assert_eq!(world.get(&format!("/v2/container/{FOLDER}?top=1")).await.0, 400, "select is required");
    assert_eq!(
        world.get(&format!("/v2/container/{FOLDER}?select=x&top=1")).await.1["standardList"][0]["name"],
        "letter 0"
    );
}

#[tokio::test]
async fn a_new_version_is_not_official_unless_told() {
    let world = World::new();
    let id = world.file("letter").await;
    let put = |query: &str, bytes: &'static [u8]| {
        send(world.request(Method::PUT, &format!("/v1/Document/{id}/new?extension=txt{query}")).body(bytes))
    };
    let (_, second) = put("&version_description=mark-2", b"two").await;
    assert_eq!(
        second,
        json!({
            "latestVersionNumber": 2, "newVer": 2, "newVersionLabel": "2", "officialVer": 1, "officialVerName": "1",
            "versions": 2,
        })
    );
    assert_eq!(put("&official=true", b"three").await.1["officialVer"], 3);
    let content =
        async |path: String| world.request(Method::GET, &path).send().await.unwrap().text().await.unwrap();
    assert_eq!(content(format!("/v1/Document/{id}")).await, "three");
    assert_eq!(content(format!("/v1/Document/{id}/2")).await, "two");
    let (_, list) = world.get(&format!("/v1/Document/{id}/versionList")).await;
    assert_eq!(list["versions"][1]["description"], "mark-2");
    // somebody has it checked out
    assert!(world.control.apply(&Flaw::Lock { document: id.clone(), user: Some("DUCOT-TCHEN".into()) }));
    let (status, said) = put("", b"four").await;
    assert_eq!(
        (status.as_u16(), &said["message"]),
        (403, &json!("The document is checked out by DUCOT-TCHEN"))
    );
    assert_eq!(
        world.get(&format!("/v1/Document/{id}/info")).await.1["standardAttributes"]["checkedOutState"],
        true
    );
    assert!(world.control.apply(&Flaw::Lock { document: id.clone(), user: None }));
    assert_eq!(put("", b"four").await.1["newVer"], 4);
    assert_eq!(world.control.holdings().iter().map(|it| it.size).collect::<Vec<_>>(), [5, 3, 5, 4]);
}

#[tokio::test]
async fn workspaces_are_got_or_made_by_their_keys() {
    let world = World::new();
    let by = |client: &str, matter: &str| format!("/v1/Workspace/{CABINET}/{client}/{matter}/info");
    assert_eq!(world.get(&by("10442", "0007")).await.1["standardAttributes"]["id"], WORKSPACE);
    let before = world.control.places().len();
    let made = world.get(&by("10517", "0033")).await.1;
    assert_eq!(made["standardAttributes"]["name"], "Tenancy of the mill");
    assert_eq!(
        world.get(&by("10517", "0033")).await.1["standardAttributes"]["id"],
        made["standardAttributes"]["id"]
    );
    assert_eq!(world.control.places().len(), before + 1);
    assert_eq!(world.get(&by("10517", "9999")).await.0, 404);
    // rows
    let row = format!("/v1/attributes/{REPOSITORY}/2/10517/9999");
    assert_eq!(world.get(&row).await.0, 404);
    world.control.update_switches(|it| it.missing_row = MissingRow::NoRows);
    assert_eq!(world.get(&row).await.1, json!({ "rows": [] }));
    let put = send(world.request(Method::PUT, &row).json(&json!({ "description": "New" }))).await;
    assert_eq!(put, (StatusCode::OK, json!({ "count": 1 })));
    assert_eq!(world.get(&row).await.1["rows"][0]["description"], "New");
    assert_eq!(world.get(&by("10517", "9999")).await.0, 200);
    let orphan =
        send(world.request(Method::PUT, &format!("/v1/attributes/{REPOSITORY}/2/1/1")).json(&json!({})))
            .await;
    assert_eq!(orphan.0, 400);
    let (_, matters) =
        world.get(&format!("/v1/attributes/{REPOSITORY}/2/10442?$filter=substringof('teal',keyfirst)")).await;
    assert_eq!(matters["rows"].as_array().unwrap().len(), 1);
    let gone = send(world.request(Method::DELETE, &row)).await;
    assert_eq!(gone.0, 204);
}

#[tokio::test]
async fn folders_are_unique_by_name_and_documents_can_lie_in_several() {
    let world = World::new();
    let (_, made) = world.post("/v1/Folder", &[("name", "Bundle"), ("parent", WORKSPACE)]).await;
    let folder = text(&made["standardAttributes"]["id"]);
    let (status, said) = world.post("/v1/Folder", &[("name", "bundle"), ("parent", WORKSPACE)]).await;
    assert_eq!(status, 400);
    assert!(text(&said["message"]).contains("already contains a folder with this name"), "{said}");
    let doc = world.file("letter").await;
    for (place, action, status) in
        [(&folder, "file", 204), (&FOLDER.to_owned(), "unfile", 204), (&FOLDER.to_owned(), "unfile", 400)]
    {
        let done = world.post(&format!("/v1/Folder/{place}"), &[("item", &doc), ("action", action)]).await;
        assert_eq!(done.0.as_u16(), status, "{place} {action}");
    }
    assert_eq!(world.control.holdings()[0].folders, std::slice::from_ref(&folder));
    let (_, copy) =
        world.post("/v1/Document", &[("action", "copy"), ("id", &doc), ("destination", FOLDER)]).await;
    assert_ne!(copy["id"], json!(doc));
    let rename = send(
        world
            .request(Method::PUT, &format!("/v1/Folder/{folder}/info"))
            .json(&json!({ "standardAttributes": { "name": "B" } })),
    );
    assert_eq!(rename.await.0, 204);
    assert!(world.control.apply(&Flaw::MoveFolder { folder: folder.clone(), to: FOLDER.into() }));
    let (_, above) = world.get(&format!("/v1/Folder/{folder}/ancestry")).await;
    assert_eq!(above["standardList"][0]["id"], FOLDER);
    assert_eq!(
        send(world.request(Method::DELETE, &format!("/v1/Folder/{folder}"))).await.0,
        400,
        "not empty"
    );
    let emptied =
        send(world.request(Method::DELETE, &format!("/v1/Folder/{folder}?deleteContents=true"))).await;
    assert_eq!(emptied.0, 204);
    assert_eq!(world.control.holdings().len(), 1);
}

#[tokio::test]
async fn scopes_walls_and_rights_hold() {
    let mut world = World::new();
    let doc = world.file("letter").await;
    world.become_person("DUCOT-MPATEL", "read");
    assert_eq!(world.get(&format!("/v1/Document/{doc}/info")).await.0, 200);
    assert_eq!(world.post("/v1/Folder", &[("name", "x"), ("parent", WORKSPACE)]).await.0, 403);
    assert_eq!(world.upload(&[("destination", FOLDER)], b"x").await.0, 403);
    world.become_person("DUCOT-MPATEL", "read,edit");
    assert_eq!(world.upload(&[("destination", FOLDER)], b"x").await.0, 200);
    assert_eq!(send(world.request(Method::DELETE, &format!("/v1/Document/{doc}"))).await.0, 403);
    // Project Larch is behind a wall for others, and a guest sees nothing
    assert_eq!(world.get("/v1/Workspace/4800-0000-3710/info").await.0, 200);
    for person in ["DUCOT-JREED", "DUCOT-TCHEN", "DUCOT-POSTROOM"] {
        world.become_person(person, "full");
        assert_eq!(world.get("/v1/Workspace/4800-0000-3710/info").await.0, 404, "{person}");
    }
    world.become_person("DUCOT-XGUEST", "full");
    assert_eq!(world.get("/v1/User/cabinets").await.1, json!([]));
    assert_eq!(world.get(&format!("/v1/Folder/{FOLDER}/info")).await.0, 404);
    // may look, may not change
    world.become_person("DUCOT-TCHEN", "full");
    assert_eq!(world.upload(&[("destination", FOLDER)], b"x").await.0, 403);
    let (container, principal) = (WORKSPACE.to_owned(), "DUCOT-TCHEN".to_owned());
    assert!(world.control.apply(&Flaw::SetRights { container, principal, rights: Rights::EDIT }));
    assert_eq!(world.upload(&[("destination", FOLDER)], b"x").await.0, 200);
    assert_eq!(world.control.holdings().len(), 3);
}

#[tokio::test]
async fn people_and_groups_are_administered() {
    let world = World::new();
    let form = [
        ("username", "z@client.example"),
        ("displayFirstName", "Zoë"),
        ("displayLastName", "Client"),
        ("email", "z@client.example"),
        ("external", "true"),
        ("sendWelcome", "false"),
        ("repository", REPOSITORY),
    ];
    let parts = || form.iter().fold(Form::new(), |form, (name, value)| form.text(*name, *value));
    let (status, made) = send(world.request(Method::POST, "/v1/User").multipart(parts())).await;
    assert_eq!(
        (status.as_u16(), &made["displayName"], &made["external"]),
        (200, &json!("Zoë Client"), &json!(true))
    );
    assert_eq!(send(world.request(Method::POST, "/v1/User").multipart(parts())).await.0, 400);
    let id = text(&made["id"]);
    let add = [("action", "add"), ("member", id.as_str())];
    assert_eq!(world.post("/v1/Group/UG-55T4S3R2/members", &add).await.0, 204);
    assert!(world.control.group_members("UG-55T4S3R2").contains(&id));
    let rights = [("action", "add"), ("id", id.as_str()), ("view", "true"), ("edit", "false")];
    assert_eq!(world.post(&format!("/v1/Cabinet/{CABINET}/membership"), &rights).await.0, 204);
    let (_, users) = world.get(&format!("/v1/Repository/{REPOSITORY}/users")).await;
    assert!(users.as_array().unwrap().iter().any(|it| it["email"] == "z@client.example"));
    assert!(
        !users.as_array().unwrap().iter().any(|it| it["id"] == "DUCOT-KOLD"),
        "who has left is not listed"
    );
    assert_eq!(world.get("/v2/cabinet/NG-1A2B3C4D/groups").await.1, json!([]), "no group has an entry yet");
    world.file("letter").await;
    let log = world.request(Method::GET, &format!("/v1/Repository/{REPOSITORY}/log?format=json"));
    let log = log.send().await.unwrap().bytes().await.unwrap();
    assert!(log.starts_with(b"\xef\xbb\xbf[{\"activity\""), "a byte order mark comes first");
}

#[tokio::test]
async fn faults_and_forms_of_refusals() {
    let world = World::new();
    world.control.add_fault(Rule::on("upload", Action::LoseAnswer {}).fire(Fire::First(1)));
    let form = || {
        Form::new().text("destination", FOLDER).part("file", Part::bytes(vec![7; 4000]).file_name("a.txt"))
    };
    let upload = || world.request(Method::POST, "/v1/Document").multipart(form());
    upload().send().await.unwrap_err();
    assert_eq!(world.control.holdings().len(), 1, "done, and not told");
    for flaw in [Flaw::ResetAfterRead { bytes: 1000 }, Flaw::Truncate { bytes: 10 }] {
        world.control.clear_faults();
        world.control.add_fault(Rule::on("upload", Action::Flaw { flaw }));
        let _ = upload().send().await;
    }
    assert_eq!(world.control.holdings().iter().map(|it| it.size).collect::<Vec<_>>(), [4000, 10]);
    world.control.clear_faults();
    for (form, body) in [
        (ErrorBody::ErrorAndMessage, r#"{"error":"Not Found","message":"The container was not found"}"#),
        (ErrorBody::Capitals, r#"{"ErrorCode":404,"Message":"The container was not found"}"#),
        (ErrorBody::Text, "The container was not found"),
        (ErrorBody::Empty, ""),
    ] {
        world.control.update_switches(|it| it.error_body = form);
        let answer = world.request(Method::GET, "/v1/Folder/4899-0000-0000/info").send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
            (404, body),
            "{form:?}"
        );
    }
    let limit = Throttle { per_second: 0.1, burst: 1.0, retry_after: RetryAfter::Seconds };
    world.control.update_switches(|it| it.throttle = Some(limit));
    assert_eq!(world.get("/v1/User/info").await.0, 200);
    let answer = world.request(Method::GET, "/v1/User/info").send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "10");
}

#[tokio::test]
async fn other_processes_have_the_same_control() {
    let world = World::new();
    world.file("letter").await;
    let at = |path: &str| format!("{}/{path}", world.sim.control_url());
    let (_, ledger) = send(world.http.get(at("ledger"))).await;
    assert_eq!(ledger["entries"][0]["name"], "letter");
    assert_eq!(send(world.http.get(at("holdings"))).await.1[0]["size"], 5);
    let seed = json!({ "workspaces": [{ "name": "More", "folders": [{ "name": "A" }, { "name": "B" }] }] });
    assert_eq!(send(world.http.post(at("seed")).json(&seed)).await.0, 200);
    let (_, places) = send(world.http.get(at("places"))).await;
    assert!(places.as_array().unwrap().iter().any(|it| it["name"] == "More" && it["kind"] == "workspace"));
    let change =
        json!({ "kind": "close_row", "attribute": 2, "parent": "10442", "key": "0007", "closed": true });
    assert_eq!(send(world.http.post(at("do")).json(&change)).await.0, 200);
    assert_eq!(world.upload(&[("destination", FOLDER)], b"x").await.0, 403);
    let (_, token) =
        send(world.http.post(at("token")).json(&json!({ "person": "m.patel@firm.example" }))).await;
    assert!(text(&token["access_token"]).starts_with("nd-at-"));
    assert_eq!(
        send(world.http.post(at("do")).json(&json!({ "kind": "xml" }))).await.0,
        400,
        "changes nothing"
    );
}
