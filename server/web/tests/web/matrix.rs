//! Who may call what: every route of the description, by everyone, on what is theirs to see and on what is another site's. The
//! description is walked, so that a new route without a line in the table fails, and a line without a route too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use postroom_domain::desk::{NewToken, PersonChange};
use postroom_domain::link::LinkState;
use postroom_domain::people::Status;
use postroom_domain::person::Permission::{
    self, Administer, Decide, EditWorkItems, File, ManageLinks, ManagePersons, Pause, ReadAudit, SeeAll,
};
use postroom_domain::person::{Permissions, Role};
use postroom_domain::store::Store as _;
use postroom_domain::uploads::{self, NewUpload};
use postroom_web::Limits;
use reqwest::{Client, Method, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::world::{World, small, text};

/// What a route is about, as to who sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    /// Nothing of a site: lists, and what is the program's own.
    Nothing,
    /// The whole history, which is of all sites.
    AllSites,
    /// What only the socket in the data folder may ask.
    Machine,
    /// A door; it has no site.
    Door(&'static str),
    /// What a DMS shows; whose it is the DMS knows.
    Place,
    /// A list of targets.
    List,
    /// Records that belong to whoever handed them in, and to those who see everything of their site.
    Intake,
    Filing,
    /// A set of such filings that was frozen and is not running.
    Bulk,
    /// An upload under way: nobody's but who began it, and that is none of these.
    Upload,
    /// A hand-over from a DMS: the same.
    Ticket,
    /// A record of a site.
    WorkItem,
    DataUpload,
    Person,
    /// What belongs to a person, and to those who look after persons of the site.
    Session,
    Token,
    /// What belongs to a person, and to those who look after links of the site.
    Link,
    /// The same, but only its owner may do it.
    OwnLink,
    /// The linked account of a person, for those who see everything of the site.
    Account,
    /// A filing that somebody else handed in: for those who decide.
    OthersFiling,
    /// A work item that a person marks.
    MarkedItem,
    /// What persons have, and programs do not; it is nobody's yet.
    Persons,
}

/// What a route needs, what it is about, and what who may do it is answered.
type Row = (&'static str, Option<Permission>, About, u16);

/// The table. 409 is the answer of one who may, to what a waiting filing or an intake on its way does not allow.
const TABLE: &[Row] = &[
    ("health", None, About::Nothing, 200),
    ("ready", None, About::Nothing, 200),
    ("openapi", None, About::Nothing, 200),
    ("metrics", Some(Administer), About::Nothing, 200),
    ("list_intakes", Some(File), About::Nothing, 200),
    ("take_in", Some(File), About::Nothing, 202),
    ("create_data_upload", Some(EditWorkItems), About::Nothing, 201),
    ("list_data_uploads", Some(EditWorkItems), About::Nothing, 200),
    ("export_work_items", Some(EditWorkItems), About::Nothing, 200),
    ("show_data_upload", Some(EditWorkItems), About::DataUpload, 200),
    ("list_data_rows", Some(EditWorkItems), About::DataUpload, 200),
    ("data_results", Some(EditWorkItems), About::DataUpload, 200),
    ("check_data_upload", Some(EditWorkItems), About::DataUpload, 202),
    ("run_data_upload", Some(EditWorkItems), About::DataUpload, 202),
    ("stop_data_upload", Some(EditWorkItems), About::DataUpload, 409),
    ("tell_uploads", Some(File), About::Nothing, 204),
    ("begin_upload", Some(File), About::Nothing, 201),
    ("show_upload", Some(File), About::Upload, 200),
    ("append_to_upload", Some(File), About::Upload, 204),
    ("end_upload", Some(File), About::Upload, 204),
    ("upload_by_post", Some(File), About::Upload, 204),
    ("show_intake", Some(File), About::Intake, 200),
    ("original", Some(File), About::Intake, 200),
    ("preview", Some(File), About::Intake, 200),
    ("show_page", Some(File), About::Intake, 200),
    ("assign_intake", Some(Decide), About::Intake, 409),
    ("try_rules", Some(Decide), About::Nothing, 409),
    ("give_intake", Some(Decide), About::Intake, 200),
    ("dismiss_intake", Some(Decide), About::Intake, 409),
    ("release_intake", Some(Decide), About::Intake, 409),
    ("known_letters", Some(File), About::Nothing, 200),
    ("hand_in_letter", Some(File), About::Nothing, 202),
    // Nobody but whoever handed it in.
    ("undo_intake", Some(File), About::Intake, 403),
    ("list_send_intents", Some(File), About::Nothing, 200),
    ("set_send_intent", Some(File), About::Persons, 400),
    ("remove_send_intent", Some(File), About::Persons, 204),
    ("list_filings", Some(File), About::Nothing, 200),
    ("show_filing", Some(File), About::Filing, 200),
    // Who handed it in may too, when it failed; these filings are somebody else's.
    ("retry_filing", Some(File), About::OthersFiling, 200),
    ("hold_filing", Some(Decide), About::Filing, 200),
    ("release_filing", Some(Decide), About::Filing, 409),
    ("cancel_filing", Some(Decide), About::Filing, 200),
    ("edit_filing", Some(Decide), About::Filing, 200),
    ("link_filing", Some(Decide), About::Filing, 409),
    ("file_anyway", Some(Decide), About::Filing, 409),
    ("export_filings", Some(File), About::Nothing, 200),
    ("note_filing", Some(Decide), About::Filing, 204),
    ("take_filing", Some(Decide), About::Filing, 204),
    ("give_back_filing", Some(Decide), About::Filing, 409),
    ("note_intake", Some(Decide), About::Intake, 204),
    ("ages", Some(SeeAll), About::Nothing, 200),
    ("list_views", Some(File), About::Persons, 200),
    ("save_view", Some(File), About::Persons, 200),
    ("remove_view", Some(File), About::Persons, 204),
    ("freeze_bulk", Some(Decide), About::Nothing, 201),
    ("list_bulk", Some(Decide), About::Nothing, 200),
    ("show_bulk", Some(Decide), About::Bulk, 200),
    ("list_bulk_items", Some(Decide), About::Bulk, 200),
    ("run_bulk", Some(Decide), About::Bulk, 200),
    ("stop_bulk", Some(Decide), About::Bulk, 409),
    ("undo_bulk", Some(Decide), About::Bulk, 409),
    ("summary", Some(File), About::Nothing, 200),
    ("causes", Some(SeeAll), About::Nothing, 200),
    ("events", Some(File), About::Nothing, 200),
    ("pause_source", Some(Pause), About::Door("scans"), 200),
    ("resume_source", Some(Pause), About::Door("scans"), 200),
    ("pause_destination", Some(Pause), About::Door("dms-eu"), 200),
    ("resume_destination", Some(Pause), About::Door("dms-eu"), 200),
    ("pause_account", Some(Pause), About::Account, 200),
    ("resume_account", Some(Pause), About::Account, 200),
    ("list_work_items", Some(File), About::Nothing, 200),
    ("create_work_item", Some(EditWorkItems), About::Nothing, 201),
    ("show_work_item", Some(File), About::WorkItem, 200),
    ("change_work_item", Some(EditWorkItems), About::WorkItem, 200),
    ("cover_sheet", Some(File), About::WorkItem, 200),
    ("cover_sheets", Some(File), About::WorkItem, 200),
    ("add_bookmark", Some(File), About::MarkedItem, 204),
    ("remove_bookmark", Some(File), About::Persons, 204),
    ("list_bindings", Some(SeeAll), About::WorkItem, 200),
    ("set_binding", Some(Decide), About::WorkItem, 200),
    ("clear_binding", Some(Decide), About::WorkItem, 204),
    ("resolve", Some(SeeAll), About::WorkItem, 200),
    ("me", Some(File), About::Nothing, 200),
    ("list_persons", Some(ManagePersons), About::Nothing, 200),
    ("add_person", Some(ManagePersons), About::Nothing, 201),
    ("show_person", Some(ManagePersons), About::Person, 200),
    ("change_person", Some(ManagePersons), About::Person, 200),
    ("invite_person", Some(ManagePersons), About::Person, 201),
    ("unlock_person", Some(ManagePersons), About::Person, 200),
    ("list_dms_accounts", Some(ManagePersons), About::Person, 200),
    ("make_dms_account", Some(ManagePersons), About::Person, 200),
    ("list_sessions", Some(File), About::Nothing, 200),
    ("end_session", Some(File), About::Session, 204),
    ("list_tokens", Some(File), About::Nothing, 200),
    ("make_token", Some(File), About::Nothing, 201),
    ("revoke_token", Some(File), About::Token, 204),
    ("list_services", Some(File), About::Nothing, 200),
    ("list_links", Some(File), About::Nothing, 200),
    ("remove_link", Some(File), About::Link, 204),
    ("confirm_link", Some(File), About::OwnLink, 403),
    ("read_audit", Some(ReadAudit), About::Nothing, 200),
    ("verify_audit", Some(ReadAudit), About::AllSites, 200),
    ("export_audit", Some(ReadAudit), About::AllSites, 200),
    ("show_keys", Some(Administer), About::Nothing, 200),
    ("rotate_keys", Some(Administer), About::Machine, 202),
    ("capabilities", Some(Administer), About::Nothing, 200),
    // Who sends it proves itself by each entry's secret.
    ("graph_notifications", None, About::Nothing, 202),
    // Only HighQ has the token of its webhooks, which is nobody's own.
    ("highq_notifications", None, About::Nothing, 401),
    ("list_destinations", Some(File), About::Nothing, 200),
    ("list_libraries", Some(File), About::Place, 200),
    ("list_places", Some(File), About::Place, 200),
    ("show_place", Some(File), About::Place, 200),
    ("list_folders", Some(File), About::Place, 200),
    ("list_documents", Some(File), About::Place, 200),
    ("list_values", Some(File), About::Place, 200),
    ("add_favourite", Some(File), About::Place, 204),
    ("remove_favourite", Some(File), About::Place, 204),
    ("list_lists", Some(File), About::Nothing, 200),
    ("read_list", Some(File), About::List, 200),
    ("make_ticket", Some(File), About::Nothing, 201),
    ("show_ticket", Some(File), About::Ticket, 200),
    ("send_ticket", Some(File), About::Ticket, 202),
];

/// Somebody who calls; of London, unless it is the machine's own.
struct Caller {
    name: &'static str,
    /// None for who is nobody (any more).
    may: Option<Permissions>,
    local: bool,
    person: bool,
    header: Option<(&'static str, String)>,
}

impl Caller {
    /// What the table says of it.
    fn expects(&self, row: &Row, own_site: bool) -> u16 {
        let (_, needs, about, done) = *row;
        let Some(needs) = needs else { return done };
        let Some(may) = self.may else { return 401 };
        if !may.has(needs) {
            return 403;
        }
        let site = own_site || self.local;
        let seen = match about {
            About::AllSites | About::Machine => return if self.local { done } else { 403 },
            About::Upload | About::Ticket => false,
            About::Session | About::Token => site && may.has(ManagePersons),
            About::Link | About::OwnLink => site && may.has(ManageLinks),
            About::OthersFiling if site && may.has(SeeAll) && !may.has(Decide) => return 403,
            About::OthersFiling | About::Intake | About::Filing | About::Bulk | About::Account => {
                site && may.has(SeeAll)
            }
            About::MarkedItem | About::Persons if !self.person => return 403,
            About::MarkedItem | About::WorkItem | About::DataUpload | About::Person => site,
            About::Persons | About::Nothing | About::Door(_) | About::Place | About::List => true,
        };
        if seen { done } else { 404 }
    }
}

/// A route of the description.
struct Route {
    operation: String,
    method: Method,
    path: String,
}

fn described(document: &Value) -> Vec<Route> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !["get", "post", "put", "delete", "patch", "head", "options"].contains(&method.as_str()) {
                continue;
            }
            found.push(Route {
                operation: text(&operation["operationId"]),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
            });
        }
    }
    found
}

/// The world with everyone who calls.
struct Stage {
    world: World,
    local: Client,
    made: u32,
}

impl Stage {
    async fn new() -> Self {
        let limits = Limits { listeners: 4096, listeners_each: 4096, ..small() };
        let world = World::with(limits, 0).await;
        let local = Client::builder().no_proxy().unix_socket(world.socket.clone()).build().unwrap();
        let stage = Self { world, local, made: 0 };
        let item = json!({"reference": "0007.0001", "title": "Teal", "work_type": "matter/litigation"});
        let request = stage.world.request("other", Method::POST, "/api/v1/work-items").json(&item);
        assert_eq!(request.send().await.unwrap().status(), 201);
        stage
    }

    /// Everyone, by name.
    async fn callers(&self) -> Vec<Caller> {
        let people = &self.world.desk.people;
        let caller = |name, may, header| Caller { name, may, local: false, person: true, header };
        let bearer = |token: &str| Some(("authorization", format!("Bearer {token}")));
        let mut all = vec![caller("nobody", None, None)];
        for role in ["user", "operator", "support", "admin", "desk"] {
            let session = self.world.desk.member(&format!("{role}@harrow.example"), role, "london").await;
            let signed_in = self.world.desk.who(&session).await;
            let may = signed_in.principal.permissions;
            if let Ok(known) = role.parse::<Role>() {
                assert_eq!(may, Permissions::of(known.permissions()));
            }
            let cookie = format!("__Host-postroom={}", session.secret.expose_secret());
            let name = signed_in.person.name.clone().leak();
            all.push(caller(name, Some(may), Some(("cookie", cookie))));
            if role == "admin" {
                let new = NewToken {
                    name: "narrow".to_owned(),
                    scope: Some(vec![File, SeeAll]),
                    life: Duration::from_hours(1),
                    at_most: None,
                };
                let made = people.make_token(&signed_in.principal, new).await.unwrap();
                let may = Permissions::of(&[File, SeeAll]);
                all.push(caller("narrow token", Some(may), bearer(made.secret.expose_secret())));
            }
        }
        let gone = self.world.desk.member("gone@harrow.example", "admin", "london").await;
        let new =
            NewToken { name: "t".to_owned(), scope: None, life: Duration::from_hours(1), at_most: None };
        let principal = self.world.desk.who(&gone).await.principal;
        let token = people.make_token(&principal, new).await.unwrap();
        let change = PersonChange { status: Some(Status::Disabled), ..PersonChange::default() };
        people.change_person(&self.world.desk.root(), gone.person.id, None, change).await.unwrap();
        all.push(caller("disabled person", None, bearer(token.secret.expose_secret())));
        let left = self.world.desk.member("left@harrow.example", "admin", "london").await;
        people.sign_out(left.secret.expose_secret()).await.unwrap();
        let cookie = format!("__Host-postroom={}", left.secret.expose_secret());
        all.push(caller("ended session", None, Some(("cookie", cookie))));
        let everything = Some(Permissions::of(&Permission::ALL));
        all.push(Caller {
            name: "local administrator",
            may: everything,
            local: true,
            person: false,
            header: None,
        });
        all
    }

    /// Something of a site that the caller has nothing to do with; its id.
    async fn target(&mut self, about: About, site: &str) -> String {
        self.made += 1;
        let number = self.made;
        let desk = &self.world.desk;
        let role = if site == "london" { "admin" } else { "other" };
        match about {
            About::Nothing | About::AllSites | About::Machine => String::new(),
            About::Door(name) => name.to_owned(),
            About::Place => crate::places::key("", "folder/1"),
            About::List => "matters".to_owned(),
            About::Intake => self.world.one(role, format!("document {number}").as_bytes()).await.0,
            About::Filing | About::OthersFiling => {
                self.world.one(role, format!("document {number}").as_bytes()).await.1
            }
            About::Bulk => {
                let filing = self.world.one(role, format!("document {number}").as_bytes()).await.1;
                let body = json!({"action": "hold", "ids": [filing]});
                let request = self.world.request(role, Method::POST, "/api/v1/bulk").json(&body);
                let made: Value = request.send().await.unwrap().json().await.unwrap();
                text(&made["id"])
            }
            About::Persons => format!("01890a5d-ac96-774b-bcce-{number:012x}"),
            About::Upload => {
                // Each of somebody else, who has nothing else under way.
                let owner =
                    desk.who(&desk.member(&format!("u{number}@harrow.example"), "user", site).await).await;
                let new = NewUpload {
                    source: "upload".parse().unwrap(),
                    length: 5,
                    about: uploads::About::default(),
                    key: None,
                };
                self.world.resumable.begin(&owner.principal, new).await.unwrap().0.id.to_string()
            }
            About::Ticket => self.world.hatch.strange().to_string(),
            About::DataUpload => {
                let request = self.world.request(role, Method::POST, "/api/v1/data-uploads");
                let form = crate::data_uploads::form("matters", "No,Title\n1,One\n");
                let made: Value = request.multipart(form).send().await.unwrap().json().await.unwrap();
                text(&made["id"])
            }
            About::WorkItem | About::MarkedItem => {
                let body = work_item(number);
                let request = self.world.request(role, Method::POST, "/api/v1/work-items").json(&body);
                let made: Value = request.send().await.unwrap().json().await.unwrap();
                text(&made["id"])
            }
            About::Person => {
                let email = format!("p{number}@harrow.example");
                desk.add(&email, "user", site, Status::Active).await.id.to_string()
            }
            About::Session => {
                let email = format!("p{number}@harrow.example");
                desk.member(&email, "user", site).await.session.id.to_string()
            }
            About::Token => {
                let session = desk.member(&format!("p{number}@harrow.example"), "user", site).await;
                let principal = desk.who(&session).await.principal;
                let life = Duration::from_hours(1);
                let new = NewToken { name: "t".to_owned(), scope: None, life, at_most: None };
                desk.people.make_token(&principal, new).await.unwrap().token.id.to_string()
            }
            About::Link | About::OwnLink | About::Account => {
                let email = format!("p{number}@harrow.example");
                let person = desk.add(&email, "user", site, Status::Active).await;
                let link = desk.linked(u128::from(number), Some(&person), LinkState::Unconfirmed).await;
                if about == About::Account { person.id.to_string() } else { link.id.to_string() }
            }
        }
    }

    fn request(&self, caller: &Caller, route: &Route, id: &str) -> RequestBuilder {
        // A place has two variable parts: where, and which.
        let path = match route.path.split_once("/destinations/{name}/") {
            Some((before, after)) if !after.starts_with("pause") && !after.starts_with("resume") => {
                format!("{before}/destinations/dms-eu/{after}").replace("{field}", "client")
            }
            _ => route.path.replace("{name}", id),
        };
        let path = path.replace("/accounts/{service}/{who}/", &format!("/accounts/dms/{id}/"));
        let path = path.replace("{id}", id).replace("{service}", "dms-eu").replace("{repository}", "matters");
        let request = if caller.local {
            self.local.request(route.method.clone(), format!("http://localhost{path}"))
        } else {
            self.world.request("", route.method.clone(), &path)
        };
        let request = request
            .header("if-match", "*")
            .header("sec-fetch-site", "same-origin")
            .header("tus-resumable", "1.0.0");
        let request = match &caller.header {
            Some((name, value)) => request.header(*name, value),
            None => request,
        };
        let program = json!({"roles": ["user"], "sites": {"home": "london"}});
        match route.operation.as_str() {
            "create_data_upload" => request.multipart(crate::data_uploads::form("matters", "No,Title\n1,One\n")),
            "export_work_items" => request.query(&[("mapping", "matters")]),
            // Whole, so that nobody has too much unfinished.
            "begin_upload" => request
                .header("upload-length", "5")
                .header("content-type", "application/offset+octet-stream")
                .body("hello"),
            "append_to_upload" => request
                .header("upload-offset", "0")
                .header("content-type", "application/offset+octet-stream")
                .body("hello"),
            "upload_by_post" => request.header("x-http-method-override", "DELETE"),
            "list_places" => request.query(&[("text", "teal")]),
            "take_in" => {
                let form = reqwest::multipart::Form::new().text("meta", json!({"subject": "x"}).to_string());
                let part = reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a.pdf");
                request.multipart(form.part("file", part))
            }
            "hand_in_letter" => {
                let meta = json!({"matters": [{"work_item": "0007.0001"}]}).to_string();
                let part = reqwest::multipart::Part::bytes(b"Subject: x\r\n\r\ny".to_vec()).file_name("m.eml");
                let form = reqwest::multipart::Form::new().text("meta", meta).part("file", part);
                request.header("idempotency-key", format!("letter-{}", self.made)).multipart(form)
            }
            // No mailbox is read here, so there is nothing that it could be found by.
            "set_send_intent" => {
                request.json(&json!({"mailbox": "a@x.example", "matters": [{"work_item": "0007.0001"}]}))
            }
            "freeze_bulk" => request.json(&json!({"action": "hold", "q": "state:failed"})),
            "create_work_item" | "change_work_item" => request.json(&work_item(self.made + 100_000)),
            "add_person" => request.json(&json!({
                "email": format!("new{}@harrow.example", self.made), "roles": ["user"], "sites": {"home": "london"},
            })),
            "change_person" => request.json(&json!({"display_name": "Anybody"})),
            "make_token" if caller.person => request.json(&json!({"name": "mine", "days": 1})),
            "make_token" => request.json(&json!({"name": "scan", "days": 1, "program": program})),
            "make_ticket" => request.json(&json!({"service": "dms-eu", "ids": ["ACTIVE!1.1"]})),
            "send_ticket" => request.json(&json!({"work_item": "1"})),
            "set_binding" => request.json(&json!({"workspace": "ws-1", "reason": "x"})),
            "cover_sheets" => request.json(&json!({"work_items": [id]})),
            "resolve" => request.json(&json!({"work_item": id})),
            "rotate_keys" => request.json(&json!({"data": true})),
            "graph_notifications" => request.json(&json!({"value": []})),
            "highq_notifications" => request.json(&json!({"siteId": 101})),
            "assign_intake" => request.json(&json!({"work_item": "0007.0001", "reason": "x"})),
            "known_letters" | "try_rules" => request.json(&json!({})),
            "give_intake" => request.json(&json!({"team": "post-room", "reason": "x"})),
            "note_filing" | "note_intake" => request.json(&json!({"text": "x"})),
            "save_view" => request.json(&json!({"screen": "filings", "q": "state:failed"})),
            "edit_filing" => request.json(&json!({"file_name": "b.pdf", "reason": "x"})),
            "link_filing" => request.json(&json!({"document": "ACTIVE!1.1", "reason": "x"})),
            "cancel_filing" | "file_anyway" | "dismiss_intake" | "release_intake" | "pause_source"
            | "pause_destination" | "pause_account" => request.json(&json!({"reason": "x"})),
            _ => request,
        }
    }

    async fn head(&self) -> u64 {
        self.world.store.wait_beyond(0, Duration::ZERO).await
    }
}

fn work_item(number: u32) -> Value {
    json!({"reference": format!("W.{number}"), "title": "Title", "work_type": "matter/litigation"})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_by_everyone_on_both_sites() {
    let mut stage = Stage::new().await;
    let document = stage.world.get("", "/api/openapi.json").await.body;
    let routes = described(&document);
    let table: BTreeMap<&str, &Row> = TABLE.iter().map(|row| (row.0, row)).collect();
    assert_eq!(table.len(), TABLE.len(), "each operation stands in the table once");
    let found: BTreeSet<&str> = routes.iter().map(|route| route.operation.as_str()).collect();
    assert_eq!(found.len(), routes.len(), "each operation has a name of its own");
    assert_eq!(
        found,
        table.keys().copied().collect(),
        "each route of the description has its line in the table"
    );

    let callers = stage.callers().await;
    let (mut cells, mut wrong) = (0, Vec::new());
    for route in &routes {
        let row = table[route.operation.as_str()];
        for caller in &callers {
            for site in ["london", "paris"] {
                let id = stage.target(row.2, site).await;
                let wanted = caller.expects(row, site == "london");
                let before = stage.head().await;
                let answer = stage.request(caller, route, &id).send().await.unwrap();
                let got = answer.status().as_u16();
                let after = stage.head().await;
                let case = format!("{} by {} on {site}", route.operation, caller.name);
                if got != wanted {
                    wrong.push(format!("{case}: {got}, not {wanted}: {}", answer.text().await.unwrap()));
                }
                if wanted >= 400 && after != before {
                    wrong.push(format!("{case}: it was refused, and changed something"));
                }
                cells += 1;
                // Tokens that nobody has are counted by address; that is another test's matter.
                stage.world.clock.advance(Duration::from_secs(10));
            }
        }
    }
    println!("{cells} cells: {} routes, {} callers, 2 sites", routes.len(), callers.len());
    assert_eq!(wrong, Vec::<String>::new(), "{} of {cells} cells", wrong.len());
    assert_eq!(cells, TABLE.len() * callers.len() * 2);
    stage.world.stop().await;
}
