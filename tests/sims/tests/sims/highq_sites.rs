//! Sites, folders, files and people at the fake HighQ, asked as its public clients ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use postroom_sims::highq::{
    APP, Action, CORRESPONDENCE, Column, ColumnKind, Control, Duplicate, Flaw, HARROW, Level, Options, Rule,
    SMART, Seed, SeedFile, Sheet, Sim, SimHandle, SiteStatus, Throttle, UploadAnswer, Webhook,
};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::browser::{START, client, json as send};

struct World {
    sim: SimHandle,
    control: Control,
    http: Client,
    token: String,
    time: Arc<AtomicI64>,
}

impl World {
    fn new() -> Self {
        let time = Arc::new(AtomicI64::new(START));
        let hand = Arc::clone(&time);
        let sim = Sim::start(Options::sample().with_clock(move || hand.load(Ordering::SeqCst))).unwrap();
        let control = sim.control();
        let token = control.tokens_of("1801", APP).0;
        Self { sim, control, http: client(), token, time }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/{path}", self.sim.url())).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = send(self.call(Method::GET, path).header("Accept", "application/json")).await;
        (status.as_u16(), body)
    }

    async fn xml(&self, path: &str) -> String {
        self.call(Method::GET, path).send().await.unwrap().text().await.unwrap()
    }

    async fn post_xml(&self, path: &str, body: &str) -> (u16, Value) {
        let call = self.call(Method::POST, path).header("Accept", "application/json");
        let (status, body) = send(call.header("Content-Type", "application/xml").body(body.to_owned())).await;
        (status.as_u16(), body)
    }

    async fn upload(&self, path: &str, name: &str, mark: &str, text: &str) -> (u16, Value) {
        let form = Form::new()
            .text("filename", name.to_owned())
            .text("dmsdocid", mark.to_owned())
            .part("file", Part::text(text.to_owned()).file_name("x"));
        let call = self.call(Method::POST, path).header("Accept", "application/json");
        let (status, body) = send(call.multipart(form)).await;
        (status.as_u16(), body)
    }
}

#[tokio::test]
async fn sites_are_listed_filtered_and_shaped_as_their_clients_know_them() {
    let world = World::new();
    let names = async |query: &str| {
        let (status, body) = world.get(&format!("6/sites?{query}")).await;
        assert_eq!(status, 200, "{query}");
        let list = match body.get("site").cloned().unwrap_or(json!([])) {
            Value::Array(list) => list,
            one => vec![one],
        };
        list.iter().map(|it| it["sitename"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("filterby=all").await.len(), 6, "those that are active");
    assert_eq!(names("filterby=all&status=archived").await, ["Harrow share purchase 2019"]);
    assert_eq!(names("filterby=all&name=harrow").await, ["Harrow", "Harrow v Teal"], "contains, ascending");
    assert!(!names("filterby=all&callFrom=HIGHQDRIVE").await.contains(&"Sealed bid".to_owned()));
    assert_eq!(names("").await, Vec::<String>::new(), "recent is the default");
    assert_eq!(world.get("6/sites?filterby=mine").await.0, 400);
    for n in 0..30 {
        let site = postroom_sims::highq::Site {
            id: 900 + n,
            name: format!("Many {n:02}"),
            recent_of: ["1801".to_owned()].into(),
            ..Default::default()
        };
        world.control.seed(&Seed { sites: vec![site], ..Seed::default() });
    }
    assert_eq!(names("").await.len(), 20, "returncount is 20 unless told otherwise");
    assert_eq!(names("returncount=25").await.len(), 25);
    assert_eq!(names("filterby=all&returncount=3").await.len(), 36, "and ignored for all");
    let site = world.get("6/sites/101").await.1;
    assert_eq!(
        (&site["id"], &site["clientno"], &site["sitefolderID"]),
        (&json!("101"), &json!("10442"), &json!("1010"))
    );
    assert_eq!(site.get("adminnote"), None, "what is empty is left out");
    assert_eq!(world.get("6/sites/107").await.1.get("clientno"), None);
    let xml = world.xml("6/sites/101").await;
    assert!(xml.starts_with("<site>") && xml.contains("<document enable=\"1\">"), "{xml}");
    world.control.change(&Flaw::SetLevel { site: HARROW, person: "1801".into(), level: Level::None });
    assert_eq!(world.get("6/sites/101").await.0, 404);
}

#[tokio::test]
async fn folders_are_read_and_made_with_xml_alone() {
    let world = World::new();
    let (_, body) = world.get("1/folders/1010/items").await;
    let names: Vec<&str> =
        body["folder"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["All letters", "Correspondence", "Pleadings"], "smart folders too, and no files");
    let body = "<folder><name>A &amp; B</name><dms><dmsfolderid>ours</dmsfolderid></dms></folder>";
    let (status, made) = world.post_xml("1/folders?parentfolderid=1010", body).await;
    assert_eq!((status, &made["name"], &made["accessInherited"]), (200, &json!("A & B"), &json!("0")));
    let id = made["id"].as_str().unwrap().to_owned();
    let (_, told) = world.get(&format!("1/folders/{id}")).await;
    assert_eq!((&told["dms"]["dmsfolderid"], &told["siteid"]), (&json!("ours"), &json!("101")));
    assert_eq!(told["location"], "Harrow v Teal/A & B");
    // Without inheritance it is its maker's own.
    let other = world.control.tokens_of("1802", APP).0;
    let asked = world.http.get(format!("{}/api/1/folders/{id}", world.sim.url())).bearer_auth(&other);
    assert_eq!(send(asked).await.0, 404);
    let json = world.call(Method::POST, "1/folders?parentfolderid=1010").json(&json!({ "name": "x" }));
    assert_eq!(send(json).await.0, 415);
    for bad in ["<folder/>", "<folder><name></name></folder>", "<folder>"] {
        assert_eq!(world.post_xml("1/folders?parentfolderid=1010", bad).await.0, 400, "{bad}");
    }
    world.control.update_switches(|switches| switches.duplicate_folders = false);
    let twin = "<folder><name>pleadings</name></folder>";
    assert_eq!(world.post_xml("1/folders?parentfolderid=1010", twin).await.0, 409);
}

#[tokio::test]
async fn files_are_put_listed_versioned_moved_and_deleted() {
    let world = World::new();
    let to = format!("1/files/content?parentfolderid={CORRESPONDENCE}&sourceclient=test");
    let (status, file) = world.upload(&to, "Letter.pdf", "m-1", "hello").await;
    assert_eq!(
        (status, &file["name"], &file["type"], &file["size"]),
        (200, &json!("Letter"), &json!("pdf"), &json!("5"))
    );
    let id: u64 = file["id"].as_str().unwrap().parse().unwrap();
    let list = |q: &str| format!("1/files?q={q}&limit=10");
    let (_, listed) = world.get(&list("%22folderid%3D1011%22")).await;
    assert_eq!(
        (&listed["filetotal"], &listed["file"]["dms"]["dmsdocid"]),
        (&json!("1"), &json!("m-1")),
        "{listed}"
    );
    for bad in ["folderid%3D1011", "%22siteid%3D1011%22", ""] {
        assert_eq!(world.get(&list(bad)).await.0, 400, "{bad}: the quotes are part of the value");
    }
    assert_eq!(world.get("1/folders/1011/items").await.1, json!({}), "folders only");
    assert_eq!(
        world.upload(&format!("1/files/{id}/content"), "Letter.pdf", "m-2", "hello again").await.0,
        200
    );
    let (_, info) = world.get(&format!("1/files/{id}?lastdmsinfo=true")).await;
    assert_eq!((&info["versionid"], &info["dms"]["dmsdocid"]), (&json!("2"), &json!("m-2")));
    assert_eq!(world.get(&format!("1/files/{id}")).await.1.get("dms"), None);
    let (_, versions) = world.get(&format!("12/files/{id}/versions")).await;
    assert_eq!(versions["version"].as_array().unwrap().len(), 2);
    let content = world.call(Method::GET, &format!("1/files/{id}/content?versionid=1")).send().await.unwrap();
    assert_eq!(content.headers()["content-disposition"], "attachment; filename=\"Letter.pdf\"");
    assert_eq!(content.text().await.unwrap(), "hello");
    let moved = world.call(Method::PUT, &format!("1/files/{id}/parent?targetfolderid=1012"));
    assert_eq!(send(moved).await.0, 200);
    let copied = world.call(Method::POST, &format!("1/files/{id}/parent?targetfolderid=1011"));
    assert_eq!(send(copied).await.0, 200);
    let ledger = world.control.ledger();
    let places: Vec<(u64, u64)> = ledger.iter().map(|it| (it.folder, it.version)).collect();
    assert_eq!(places, [(1012, 1), (1012, 2), (1011, 1)]);
    assert_eq!(ledger[0].blake3, blake3_of("hello"));
    for _ in 0..2 {
        assert_eq!(send(world.call(Method::DELETE, &format!("1/files/{id}"))).await.0, 200, "also again");
    }
    assert_eq!((world.control.recycled(), world.control.count()), (vec![id], 1));
    let (_, changes) = world.get("1/changes?siteid=101&syncpositionid=0").await;
    assert_eq!(changes["change"][0]["sourceclient"], "test");
    let next = changes["syncpositionid"].as_str().unwrap();
    assert_eq!(world.get(&format!("1/changes?siteid=101&syncpositionid={next}")).await.1.get("change"), None);
}

fn blake3_of(text: &str) -> String {
    // as the ledger of another simulator would write it
    let world = World::new();
    let file = SeedFile { id: 1, folder: 345, name: "x".into(), text: text.into(), user: "1801".into() };
    world.control.seed(&Seed { files: vec![file], ..Seed::default() });
    world.control.ledger()[0].blake3.clone()
}

#[tokio::test]
async fn what_refuses_a_document_keeps_nothing() {
    let world = World::new();
    let put = async |folder: u64| {
        world.upload(&format!("1/files/content?parentfolderid={folder}"), "x.pdf", "m", "text").await
    };
    let (status, body) = put(SMART).await;
    assert_eq!((status, &body["ref"], &body["summary"]), (403, &json!("130"), &json!("Access denied")));
    assert_eq!(put(1061).await.0, 403, "a site with a password");
    assert_eq!(put(1031).await.0, 403, "an archived site");
    assert_eq!(put(99_999).await.0, 404);
    // Names of the form's fields are case-sensitive.
    let form = Form::new().text("fileName", "x.pdf").part("file", Part::text("x").file_name("x"));
    let call = world.call(Method::POST, "1/files/content?parentfolderid=1011").multipart(form);
    assert_eq!(send(call).await.0, 400);
    world.control.update_switches(|switches| switches.max_upload_bytes = Some(3));
    assert_eq!(put(CORRESPONDENCE).await.0, 413);
    world.control.update_switches(|switches| switches.max_upload_bytes = None);
    world.control.add_fault(Rule::on(
        "upload",
        Action::Flaw { flaw: Flaw::SetStatus { site: HARROW, status: SiteStatus::ReadOnly } },
    ));
    assert_eq!(put(CORRESPONDENCE).await.0, 403, "closed while the document was on its way");
    assert_eq!(world.control.ledger(), []);
}

#[tokio::test]
async fn equal_names_do_what_the_switches_say() {
    for (duplicate, names) in [
        (Duplicate::Keep, vec!["a.pdf 1", "a.pdf 1"]),
        (Duplicate::Number, vec!["a (2).pdf 1", "a.pdf 1"]),
        (Duplicate::Version, vec!["a.pdf 1", "a.pdf 2"]),
        (Duplicate::Refuse, vec!["a.pdf 1"]),
    ] {
        let world = World::new();
        world.control.update_switches(|switches| switches.duplicate = duplicate);
        for _ in 0..2 {
            world.upload("1/files/content?parentfolderid=1011", "a.pdf", "m", "text").await;
        }
        let held = world.control.ledger();
        let mut held: Vec<String> = held.iter().map(|it| format!("{} {}", it.name, it.version)).collect();
        held.sort();
        assert_eq!(held, names, "{duplicate:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_counts_in_windows_of_a_token() {
    let world = World::new();
    let throttle = Throttle { calls: 2, seconds: 60, reset: true };
    world.control.update_switches(|switches| switches.throttle = Some(throttle));
    for wanted in [200, 200, 429] {
        assert_eq!(world.get("6/sites").await.0, wanted);
    }
    let answer = world.call(Method::GET, "6/sites").send().await.unwrap();
    let reset: i64 = answer.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    assert_eq!(reset, START / 1000 + 60, "the end of the window that the first call began");
    assert!(answer.text().await.unwrap().starts_with("<error>"));
    let other = world.control.tokens_of("1802", APP).0;
    let asked = world.http.get(format!("{}/api/6/sites", world.sim.url())).bearer_auth(other);
    assert_eq!(send(asked).await.0, 200, "another token has its own");
    world.time.store(reset * 1000, Ordering::SeqCst);
    assert_eq!(world.get("6/sites").await.0, 200);
}

#[tokio::test]
async fn people_are_added_one_by_one_or_over_time() {
    let world = World::new();
    let user = |email: &str, org: u64| {
        format!("<user><firstname>Carl</firstname><email>{email}</email><orgid>{org}</orgid></user>")
    };
    let one = format!("<users>{}</users>", user("carl@client.example", 44));
    let (status, body) = world.post_xml("3/sites/101/users", &one).await;
    assert_eq!((status, &body["user"]["statuscode"]), (200, &json!("201")), "{body}");
    assert_eq!(world.control.invited(), ["carl@client.example"], "unless it is told not to");
    assert_eq!(world.post_xml("3/sites/101/users", &one).await.1["user"]["statuscode"], "200");
    for (bad, code) in [(user("x@client.example", 99), "404"), (user("x@other.example", 44), "400")] {
        let (status, body) = world.post_xml("3/sites/101/users", &format!("<users>{bad}</users>")).await;
        assert_eq!((status, &body["user"]["statuscode"]), (200, &json!(code)), "200 outside");
    }
    let two = format!("<users>{}{}</users>", user("a@client.example", 44), user("b@client.example", 44));
    let (_, body) = world.post_xml("3/sites/101/users?sendinvitation=false", &two).await;
    let key = body["progressivekey"].as_str().unwrap().to_owned();
    let poll = async || world.post_xml(&format!("3/progressivekeystatus/{key}"), "").await.1;
    assert_eq!(poll().await["progressivekeystatus"], "INPROGRESS");
    let done = poll().await;
    assert_eq!(
        (&done["progressivekeystatus"], &done["users"]["user"][1]["statuscode"]),
        (&json!("COMPLETED"), &json!("201"))
    );
    assert_eq!(world.control.invited().len(), 1);
    let json = world.call(Method::POST, "3/sites/101/users").json(&json!({ "user": {} }));
    assert_eq!(send(json).await.0, 415);
    let (_, found) = world.get("4/organisations?domain=CLIENT.example").await;
    assert_eq!(found["organisation"]["orgid"], "44");
    let made = world.call(Method::POST, "4/organisations").json(&json!({ "name": "New" }));
    assert_eq!(send(made).await.0, 403, "administrators only");
}

#[tokio::test]
async fn records_of_documents_are_made_by_uploads_and_check_what_they_are_given() {
    let world = World::new();
    let (_, file) = world.upload("1/files/content?parentfolderid=1011", "a.pdf", "m", "text").await;
    let id = file["id"].as_str().unwrap();
    let (_, record) = world.get(&format!("1/files/{id}/isheetRecordID")).await;
    assert_eq!(record["isheetRecordID"], "1");
    let put = async |column: u64, raw: Value| {
        let column = json!({ "attributecolumnid": column.to_string(), "rawdata": raw });
        let body = json!({ "data": { "item": [{ "itemid": "1", "column": [column] }] } });
        send(world.call(Method::PUT, "3/isheet/71/items/1").json(&body)).await.0.as_u16()
    };
    for (column, raw, wanted) in [
        (201, json!({ "value": "HT/17" }), 200),
        (201, json!({ "value": "x".repeat(256) }), 400),
        (202, json!({ "value": "many" }), 400),
        (203, json!({ "choices": { "choice": [{ "id": "2" }] } }), 200),
        (203, json!({ "choices": { "choice": { "id": "9" } } }), 400),
        (204, json!({ "date": "23/11/2026" }), 200),
        (204, json!({ "date": "2026-11-23" }), 400),
        (999, json!({ "value": "x" }), 400),
    ] {
        assert_eq!(put(column, raw.clone()).await, wanted, "{column} {raw}");
    }
    let (_, items) = world.get("3/isheet/71/items?limit=100").await;
    let item = &items["isheet"]["data"]["item"];
    assert_eq!(
        (&item["itemid"], &items["isheet"]["totalrecordcount"]),
        (&json!("1"), &json!("1")),
        "{items}"
    );
    assert_eq!(item["column"].as_array().unwrap().len(), 3);
    let (_, columns) = world.get("3/isheets/admin/71/columns?sheetviewid=7101").await;
    let detail = &columns["column"][3]["columnspecificdetail"];
    assert_eq!(detail["dateformat"], "<![CDATA[DD/MM/YYYY]]>", "in JSON some texts keep their marks");
    assert_eq!(world.get("3/isheets?siteid=101").await.1["isheet"]["name"], "Documents");
}

#[tokio::test]
async fn answers_to_uploads_and_other_guesses_are_switches() {
    let world = World::new();
    let mut shapes = Vec::new();
    for answer in [UploadAnswer::File, UploadAnswer::Wrapped, UploadAnswer::DocumentId, UploadAnswer::Message]
    {
        world.control.update_switches(|switches| switches.upload_answer = answer);
        let (_, body) = world.upload("1/files/content?parentfolderid=1011", "a.pdf", "m", "text").await;
        shapes.push(body.as_object().unwrap().keys().next().unwrap().clone());
    }
    assert_eq!(shapes[1..], ["file", "documentid", "message"]);
    world.control.patch_switches(&json!({ "expired_status": 419, "missing_status": 400 })).unwrap();
    assert_eq!(world.get("6/sites/424242").await.0, 400);
    world.control.expire_access_tokens();
    assert_eq!(world.get("6/sites").await.0, 419);
    let tasks = world.control.tokens_of("1801", APP).0;
    let url = |path: &str| format!("{}/api/{path}", world.sim.url());
    let made = world
        .http
        .post(url("3/tasks?tasklistid=101"))
        .bearer_auth(&tasks)
        .header("Accept", "application/json");
    let made = made.json(&json!({ "title": "Look", "priority": { "priorityid": 1 } }));
    assert_eq!(send(made).await.1["title"], "Look");
}

/// A server that answers every call with 202, and gives the head and body of each.
fn listener() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut text = String::new();
            let mut piece = [0; 4096];
            while !text.ends_with('}') {
                let size = stream.read(&mut piece).unwrap();
                text.push_str(std::str::from_utf8(&piece[..size]).unwrap());
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
            if tell.send(text).is_err() {
                return;
            }
        }
    });
    (url, told)
}

#[tokio::test]
async fn webhooks_tell_of_files_and_records_and_records_of_folders_are_made_by_themselves() {
    let world = World::new();
    let link = Column { id: 303, title: "Postroom".to_owned(), kind: ColumnKind::Link, ..Column::default() };
    let sheet = Sheet {
        id: 72,
        site: HARROW,
        kind: "foldermetadata".to_owned(),
        view: 7201,
        columns: vec![link],
        ..Sheet::default()
    };
    world.control.update_switches(|it| it.late_records = true);
    world.control.seed(&Seed { sheets: vec![sheet], ..Seed::default() });
    let record = async |folder: u64| world.get(&format!("1/folders/{folder}/isheetRecordID")).await;
    assert_eq!(record(CORRESPONDENCE).await.0, 404, "not yet");
    world.control.update_switches(|it| it.late_records = false);
    world.control.make_records();
    assert_eq!(record(CORRESPONDENCE).await.1["isheetRecordID"], "1");
    for without in [1010, SMART] {
        assert_eq!(record(without).await.0, 404, "{without}");
    }
    let made = world.post_xml("1/folders?parentfolderid=1010", "<folder><name>New</name></folder>").await.1;
    let made: u64 = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(record(made).await.1["isheetRecordID"], "3");
    world.control.update_switches(|it| it.folder_records = false);
    assert_eq!(record(made).await.0, 404, "an instance without that call");

    let (url, told) = listener();
    world.control.add_webhook(Webhook { url, token: "t0ken".to_owned() });
    let heard = || {
        let text = told.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Authorization: Bearer t0ken\r\n"), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        (body["operation"].as_str().unwrap().to_owned(), body)
    };
    let (_, file) = world.upload("1/files/content?parentfolderid=1011", "a.pdf", "m", "text").await;
    let (operation, body) = heard();
    assert_eq!(operation, "ACTIVITY_DOCUMENT_ADDED");
    assert_eq!(body["contentID"].to_string(), file["id"].as_str().unwrap());
    assert_eq!(
        (&body["siteId"], &body["parentFolderId"], &body["documentExtension"]),
        (&json!(101), &json!(1011), &json!("pdf"))
    );
    let path = format!("1/files/{}/content", file["id"].as_str().unwrap());
    world.upload(&path, "a.pdf", "m", "more").await;
    assert_eq!(heard().0, "ACTIVITY_VERSION_UPLOADED");
    let raw = json!({ "linkdisplayname": "x", "linkdisplayurl": "https://x.example/?a=1" });
    let body = json!({ "data": { "item": [{ "itemid": "1", "column": [{ "attributecolumnid": "303", "rawdata": raw }] }] } });
    assert_eq!(send(world.call(Method::PUT, "3/isheet/72/items/1").json(&body)).await.0, 200);
    let (operation, body) = heard();
    assert_eq!(
        (operation.as_str(), &body["isheetID"], &body["columnIds"]),
        ("EDIT_ITEM", &json!(72), &json!(["303"]))
    );
    world.control.drop_file(CORRESPONDENCE, "b.pdf", "by hand", "1802");
    assert_eq!(heard().0, "ACTIVITY_DOCUMENT_ADDED");
}
