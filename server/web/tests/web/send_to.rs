//! Coming from a DMS, as a browser and as a program: what is taken from an address, to whom a ticket belongs, and what each refusal says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use postroom_domain::Fut;
use postroom_domain::dms::ContainerKind;
use postroom_domain::handed::{Purpose, Vendor};
use postroom_domain::ids::{ServiceName, TicketId, WorkItemId};
use postroom_domain::link::Refusal;
use postroom_domain::person::Principal;
use postroom_domain::places::PlacesError;
use postroom_domain::repository::Area;
use postroom_domain::send_to::{
    Because, Choice, Matching, Seen, SeenPlace, SeenThing, SendError, SendResult, SendTo, Told, Workflow,
};
use postroom_domain::store::StoreError;
use postroom_domain::ticket::{Captured, NewTicket, Order, Ticket};
use postroom_domain::work_item::{Client, WorkItem};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::world::{Answer, World};

/// What hostile people call things.
const HOSTILE: &str = "<script>alert(1)</script>\"onload=x {id} \u{202e}fdp.exe";

/// A hatch between a DMS and here that keeps tickets and asks nobody. What it finds stands in the id: `ACTIVE!404` is hidden, `ACTIVE!500`
/// fails, `ACTIVE!403` needs a link.
#[derive(Default)]
pub(crate) struct Hatch(Mutex<BTreeMap<TicketId, Ticket>>);

fn moment() -> Timestamp {
    "2026-11-27T10:00:00Z".parse().unwrap()
}

fn item(number: u128, open: bool) -> WorkItem {
    WorkItem {
        id: WorkItemId::from_u128(number),
        reference: format!("0007.{number:04}"),
        title: HOSTILE.to_owned(),
        work_type: "matter".to_owned(),
        site: "london".parse().unwrap(),
        open,
        phase: String::new(),
        client: Client { reference: "0007".to_owned(), name: "Harrow & Sons".to_owned() },
        attributes: BTreeMap::new(),
        participants: Vec::new(),
        origin: None,
        zone: String::new(),
        version: 1,
        changed: moment(),
    }
}

impl Hatch {
    /// A ticket of somebody whom nobody is.
    pub(crate) fn strange(&self) -> TicketId {
        let new =
            NewTicket { service: "dms-eu".parse().unwrap(), purpose: Purpose::SendTo, things: Vec::new() };
        self.keep("somebody else", "session/x", new).id
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn keep(&self, owner: &str, holder: &str, new: NewTicket) -> Ticket {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = Ticket {
            id: TicketId::from_u128(0x0192_f0c1_5b7e_7000_8000_0000_0001_0000 + all.len() as u128),
            version: 1,
            owner: owner.to_owned(),
            holder: holder.to_owned(),
            service: new.service,
            purpose: new.purpose,
            things: new.things,
            opened: false,
            captured: Vec::new(),
            order: None,
            created: moment(),
            expires: moment(),
        };
        all.insert(ticket.id, ticket.clone());
        ticket
    }

    fn find(&self, by: &Principal, holder: &str, id: TicketId) -> SendResult<Ticket> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.get(&id).filter(|it| it.owner == by.name && it.holder == holder);
        found.cloned().ok_or(SendError::NoTicket)
    }

    fn seen(ticket: Ticket) -> SendResult<Seen> {
        let place = |id: &str, kind| SeenPlace {
            id: id.to_owned(),
            name: HOSTILE.to_owned(),
            kind,
            open: !id.ends_with("423"),
            link: None,
        };
        let mut things = Vec::new();
        for thing in &ticket.things {
            let fails = |error| Err(SendError::Places(error));
            things.push(match thing.id.rsplit_once('!').map_or("", |(_, number)| number) {
                "403" => return fails(PlacesError::Refused(Refusal::LinkNeeded)),
                "407" => return fails(PlacesError::Refused(Refusal::NoSystemAccount)),
                "429" => return fails(PlacesError::Busy { seconds: Some(7) }),
                "504" => return fails(PlacesError::Slow),
                "500" => return fails(PlacesError::Failed("reset by 10.0.0.7".to_owned())),
                "404" => SeenThing::Hidden { id: thing.id.clone() },
                _ if ticket.purpose == Purpose::Launch => {
                    SeenThing::Container(place(&thing.id, ContainerKind::Folder))
                }
                _ => {
                    let document = Captured {
                        id: thing.id.clone(),
                        version: Some("2".to_owned()),
                        name: HOSTILE.to_owned(),
                        size: Some(7),
                    };
                    SeenThing::Document { document, link: None }
                }
            });
        }
        let folder = ticket.things.first().map(|it| place(&it.id, ContainerKind::Folder));
        let folder = folder.filter(|_| !things.iter().all(|it| matches!(it, SeenThing::Hidden { .. })));
        Ok(Seen {
            ticket,
            things,
            folder,
            workspace: None,
            saves_back: true,
            several_workspaces: false,
            told: Told { client: Some("0007".to_owned()), ..Told::default() },
            matches: vec![
                Matching { item: item(1, true), because: Because::Fields },
                Matching { item: item(2, false), because: Because::Origin },
            ],
            found: Vec::new(),
            workflows: vec![Workflow {
                name: "requests".to_owned(),
                title: "Service request".to_owned(),
                work_type: "service-request".to_owned(),
                area: Area::MatterDocuments,
                reference_prefix: "SR-".to_owned(),
                teams: Vec::new(),
            }],
            collections: Vec::new(),
        })
    }
}

impl SendTo for Hatch {
    fn services(&self) -> Vec<(ServiceName, Vendor)> {
        [
            ("dms-eu", Vendor::Imanage),
            ("nd", Vendor::Netdocuments),
            ("hq1", Vendor::Highq),
            ("hq2", Vendor::Highq),
        ]
        .into_iter()
        .map(|(name, vendor)| (name.parse().unwrap(), vendor))
        .collect()
    }
    fn begin<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        new: NewTicket,
    ) -> Fut<'a, SendResult<Ticket>> {
        Box::pin(async move {
            if new.things.is_empty() { Err(SendError::NoIds) } else { Ok(self.keep(&by.name, holder, new)) }
        })
    }
    fn look<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        id: TicketId,
        words: &'a str,
    ) -> Fut<'a, SendResult<Seen>> {
        Box::pin(async move {
            let mut seen = Self::seen(self.find(by, holder, id)?)?;
            if words == "lease" {
                seen.found = vec![item(3, true)];
            }
            Ok(seen)
        })
    }
    fn ticket<'a>(&'a self, by: &'a Principal, holder: &'a str, id: TicketId) -> Fut<'a, SendResult<Ticket>> {
        Box::pin(async move { self.find(by, holder, id) })
    }
    fn send<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        id: TicketId,
        choice: Choice,
    ) -> Fut<'a, SendResult<Order>> {
        Box::pin(async move {
            let ticket = self.find(by, holder, id)?;
            if let Some(order) = ticket.order {
                return Ok(order);
            }
            let workflow = match choice {
                Choice::Workflow { name, .. } => Some(name),
                Choice::WorkItem(given) if given == "gone" => {
                    return Err(SendError::Gone("a.pdf".to_owned()));
                }
                Choice::WorkItem(given) if given == "closed" => {
                    return Err(SendError::Choose("closed".to_owned()));
                }
                Choice::WorkItem(_) | Choice::Collection(_) => None,
            };
            let order = Order {
                work_item: WorkItemId::from_u128(1),
                reference: "SR-000001".to_owned(),
                title: HOSTILE.to_owned(),
                area: String::new(),
                workflow,
                intake: None,
                done: true,
            };
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(id).and_modify(|it| it.order = Some(order.clone()));
            Ok(order)
        })
    }
    fn sweep(&self) -> Fut<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}

/// A browser: a session's cookie, or none.
struct Visitor<'w> {
    world: &'w World,
    cookie: Option<String>,
}

impl<'w> Visitor<'w> {
    async fn signed_in(world: &'w World, email: &str) -> Self {
        let session = world.desk.member(email, "user", "london").await;
        Self { world, cookie: Some(format!("__Host-postroom={}", session.secret.expose_secret())) }
    }

    fn asks(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let request = http.request(method, self.world.url(path)).header("accept", "text/html");
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> (u16, String, String) {
        read(self.asks(Method::GET, path)).await
    }

    /// Sends a form of a page of ours.
    async fn submit(&self, path: &str, page: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let code = page
            .split("name=\"form_token\" value=\"")
            .nth(1)
            .and_then(|it| it.split('"').next())
            .unwrap_or_default();
        let fields: Vec<(&str, &str)> =
            [("form_token", code)].into_iter().chain(fields.iter().copied()).collect();
        read(self.asks(Method::POST, path).header("sec-fetch-site", "same-origin").form(&fields)).await
    }
}

/// Status, where it goes on, and the text.
async fn read(request: reqwest::RequestBuilder) -> (u16, String, String) {
    let answer = request.send().await.unwrap();
    let location = answer.headers().get("location").map_or("", |it| it.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), location, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ids_are_taken_from_a_form_of_anywhere() {
    let world = World::new().await;
    let stranger = Visitor { world: &world, cookie: None };
    let mina = Visitor::signed_in(&world, "m.patel@harrow.example").await;
    let form = |fields: &[(&str, &str)]| {
        let all: Vec<(String, String)> =
            fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all
    };
    let table = [
        (
            "/send-to/imanage",
            form(&[("sel", "ACTIVE!1.2;ACTIVE!2.1"), ("user", "MPATEL"), ("then", "//evil.example")]),
            "/send-to/dms-eu?doc=ACTIVE!1.2,ACTIVE!2.1",
        ),
        (
            "/send-to/dms-eu?x=1",
            form(&[("url", "https://w.example/work/link/d/ACTIVE!7.1?a=b")]),
            "/send-to/dms-eu?doc=ACTIVE!7.1",
        ),
        ("/launch/netdocuments", form(&[("id", "4812-3456-7890")]), "/launch/nd?id=4812-3456-7890"),
        ("/launch/hq1/345", form(&[("siteID", "12")]), "/launch/hq1?folder=345"),
        (
            "/send-to/hq2",
            form(&[("metaData.documentID", "868"), ("metaData.siteID", "12")]),
            "/send-to/hq2?doc=868",
        ),
        ("/launch/dms-eu/ACTIVE!987", form(&[]), "/launch/dms-eu?folder=ACTIVE!987"),
    ];
    for (path, fields, wanted) in table {
        for visitor in [&stranger, &mina] {
            let request = visitor
                .asks(Method::POST, path)
                .header("sec-fetch-site", "cross-site")
                .header("origin", "https://dms.example");
            let (status, location, _) = read(request.form(&fields)).await;
            assert_eq!((status, location.as_str()), (303, wanted), "{path}");
        }
    }
    // Bodies of any kind are looked through, by shape alone.
    for body in [
        r#"{"documents":["ACTIVE!1.2"]}"#,
        "ACTIVE!1.2",
        "--b\r\ncontent-disposition: form-data; name=\"d\"\r\n\r\nACTIVE!1.2\r\n--b--",
    ] {
        let request = stranger
            .asks(Method::POST, "/send-to/imanage")
            .header("content-type", "application/json")
            .body(body);
        assert_eq!(read(request).await.1, "/send-to/dms-eu?doc=ACTIVE!1.2", "{body}");
    }
    let many: Vec<String> = (1..=30).map(|number| format!("A!{number}.1")).collect();
    let request = stranger.asks(Method::POST, "/send-to/imanage").form(&[("d", many.join("|"))]);
    assert!(read(request).await.1.ends_with("A!20.1&more=yes"));
    for (path, status) in [
        ("/send-to/imanage", 400),
        ("/send-to/imanage?doc=%3Cscript%3E", 400),
        ("/launch/hq1/abc", 400),
        ("/send-to/highq", 404),
        ("/send-to/files", 404),
        ("/send-to/", 404),
        ("/launch/x/1/2/3", 404),
    ] {
        let (got, _, text) = stranger.get(path).await;
        assert_eq!(got, status, "{path}");
        assert!(!text.contains("<script>"), "{text}");
    }
    assert_eq!(world.hatch.count(), 0, "nobody who is not signed in makes anything, and no form does");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_belongs_to_one_session() {
    let world = World::new().await;
    let stranger = Visitor { world: &world, cookie: None };
    let asked = "/send-to/imanage?doc=ACTIVE!1.2&user=MPATEL&lang=de";
    let (status, location, _) = stranger.get(asked).await;
    let back = "/auth/sign-in?then=%2Fsend%2Dto%2Fdms%2Deu%3Fdoc%3DACTIVE%211%2E2%26lang%3Dde";
    assert_eq!((status, location.as_str()), (303, back), "back here with the ids and nothing else");

    let mina = Visitor::signed_in(&world, "m.patel@harrow.example").await;
    let other = Visitor::signed_in(&world, "t.chen@harrow.example").await;
    let framed =
        read(mina.asks(Method::GET, "/send-to/imanage?doc=ACTIVE!1.2").header("sec-fetch-dest", "iframe"))
            .await;
    assert_eq!(framed.0, 200);
    assert!(
        framed.2.contains("href=\"&#x2f;send-to&#x2f;dms-eu?doc=ACTIVE!1.2\" target=\"_blank\""),
        "{}",
        framed.2
    );
    assert_eq!(world.hatch.count(), 0, "nothing is made for a frame");

    let (status, ticket, _) = mina.get("/send-to/imanage?doc=ACTIVE!1.2&x=y").await;
    assert_eq!(status, 303);
    let (status, _, page) = mina.get(&ticket).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{page}");
    assert!(
        page.contains("value=\"item&#x2f;00000000-0000-0000-0000-000000000001\" required checked"),
        "{page}"
    );
    assert!(
        page.contains("0007.0002")
            && !page.contains("value=\"item&#x2f;00000000-0000-0000-0000-000000000002\""),
        "closed ones are told, and not offered"
    );
    for (who, status) in [(&other, 404), (&stranger, 303)] {
        assert_eq!(who.get(&ticket).await.0, status);
        assert_ne!(who.submit(&ticket, &page, &[("to", "item/1")]).await.0, 200);
    }
    // A form from elsewhere, without the page's code, or with another browser's.
    let forged =
        mina.asks(Method::POST, &ticket).header("sec-fetch-site", "cross-site").form(&[("to", "item/1")]);
    assert_eq!(read(forged).await.0, 403);
    assert_eq!(mina.submit(&ticket, "", &[("to", "item/1")]).await.0, 403);

    let (_, _, found) = mina.get(&format!("{ticket}?search=lease")).await;
    assert!(found.contains("0007.0003") && found.contains("000000000003\" required checked"), "{found}");
    let (_, _, none) = mina.get(&format!("{ticket}?search=none&lang=de")).await;
    assert!(none.contains("lang=\"de\"") && none.contains("kein offener Vorgang gefunden"), "{none}");

    for (to, status) in [("", 400), ("nonsense", 400), ("item/closed", 400), ("item/gone", 404)] {
        let (got, _, text) = mina.submit(&ticket, &page, &[("to", to), ("title", HOSTILE)]).await;
        assert_eq!(got, status, "{to}: {text}");
        assert!(!text.contains("<script>alert"), "{text}");
    }
    for _ in 0..2 {
        let (status, location, text) =
            mina.submit(&ticket, &page, &[("to", "workflow/requests"), ("title", "T")]).await;
        assert_eq!((status, location), (303, format!("{ticket}?lang=en")), "{text}");
        let (status, _, text) = mina.get(&ticket).await;
        assert!(status == 200 && text.contains("SR-000001") && !text.contains("<script>alert"), "{text}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_says_what_can_be_done() {
    let world = World::new().await;
    let mina = Visitor::signed_in(&world, "m.patel@harrow.example").await;
    let table = [
        ("/send-to/imanage?doc=ACTIVE!404", 404, "you may not see it", false),
        ("/send-to/imanage?doc=ACTIVE!403", 409, "Link your account first", true),
        ("/send-to/imanage?doc=ACTIVE!407", 409, "Ask an administrator", false),
        ("/send-to/imanage?doc=ACTIVE!429", 503, "Try again", false),
        ("/send-to/imanage?doc=ACTIVE!504", 504, "took too long", false),
        ("/send-to/imanage?doc=ACTIVE!500", 502, "cannot be used", false),
        ("/launch/imanage?folder=ACTIVE!404", 404, "you may not see it", false),
        ("/launch/imanage?folder=ACTIVE!423", 200, "closed to new documents", false),
        ("/launch/imanage?folder=ACTIVE!1", 200, "value=\"workflow&#x2f;requests\" required checked", false),
        ("/send-to/imanage?doc=ACTIVE!1,ACTIVE!404", 200, "ACTIVE!404 is not there", false),
    ];
    for (path, status, words, links) in table {
        let (_, ticket, _) = mina.get(path).await;
        let (got, _, page) = mina.get(&ticket).await;
        assert_eq!(got, status, "{path}: {page}");
        assert!(page.contains(words), "{path}: {page}");
        assert_eq!(page.contains("/link\""), links, "{path}");
        assert!(!page.contains("10.0.0.7") && !page.contains("<script>alert"), "{path}: {page}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_use_tickets_too() {
    let world = World::new().await;
    let ask = async |method: Method, path: &str, body: serde_json::Value| {
        Answer::of(world.request("user", method, path).json(&body).send().await.unwrap()).await
    };
    let bodies = [
        json!({"service": "imanage", "ids": []}),
        json!({"service": "imanage", "ids": ["<script>"]}),
        json!({"service": "highq", "ids": ["868"]}),
        json!({"service": "none", "ids": ["ACTIVE!1.1"]}),
    ];
    for body in bodies {
        ask(Method::POST, "/api/v1/tickets", body.clone()).await.assert_problem(
            400,
            "bad_value",
            &body.to_string(),
        );
    }
    let made = ask(
        Method::POST,
        "/api/v1/tickets",
        json!({"service": "dms-eu", "ids": ["ACTIVE!1.2"], "given": {"x": "y"}}),
    )
    .await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let path = format!("/api/v1/tickets/{}", made.body["id"].as_str().unwrap());
    assert_eq!(made.header("location"), path);
    let seen = world.get("user", &path).await;
    assert_eq!(
        (seen.status, &seen.body["things"][0]["version"], &seen.body["matches"][0]["because"]),
        (200, &json!("2"), &json!("fields"))
    );
    assert_eq!(world.get("user2", &path).await.status, 404, "another person's");
    let send = format!("{path}/send");
    for body in [json!({}), json!({"work_item": "1", "workflow": "requests"})] {
        assert_eq!(ask(Method::POST, &send, body).await.status, 400);
    }
    for _ in 0..2 {
        let sent = ask(Method::POST, &send, json!({"workflow": "requests"})).await;
        assert_eq!((sent.status, &sent.body["reference"]), (202, &json!("SR-000001")));
    }
    world.stop().await;
}
