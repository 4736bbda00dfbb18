//! The matrix that users judge by, its last two columns: documents are sent from each DMS with client and matter known, and workflows are
//! started from a folder of each, whose later documents go back into that folder.

use std::path::Path;

use postroom_tests::browser::{Browser, PASSWORD, Page};
use postroom_tests::dms::{self, Dms};
use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::document;

const MINA: &str = "m.patel@firm.example";

/// A workflow whose documents go back to where it was started, and a collection in the folder DMS.
fn settings(service: &str, shelf: &Path) -> String {
    let shelf = shelf.display();
    format!(
        "{service}\n[[destinations]]\nname = \"files\"\nkind = \"folder\"\n[destinations.folder]\nroot = \"{shelf}\"\n[[repositories]]\nname = \"requests\"\narea = \"matter_documents\"\nwork_type = \"service-request\"\nservice = \"dms\"\n\
         resolver = \"origin\"\n\
         [[repositories]]\nname = \"knowledge\"\narea = \"matter_documents\"\nwork_type = \"knowledge\"\nservice = \"files\"\n\
         resolver = \"default\"\nresolver_config = \"[workitem.reference]\"\n\
         [[workflows]]\nname = \"requests\"\ntitle = \"Service request\"\nwork_type = \"service-request\"\nreference_prefix = \"SR-\"\n\
         [[workflows]]\nname = \"secret\"\ntitle = \"Not for everybody\"\nwork_type = \"service-request\"\nreference_prefix = \"X-\"\n\
         teams = [\"partners\"]\n\
         [[collections]]\nname = \"precedents\"\ntitle = \"Precedents\"\nwork_item = \"K-0001\"\n"
    )
}

/// A workflow whose documents have a place of their own.
const REVIEWS: &str = "
[[workflows]]
name = \"reviews\"
title = \"Contract review\"
work_type = \"review\"
reference_prefix = \"CR-\"
[[repositories]]
name = \"reviews\"
area = \"matter_documents\"
work_type = \"review\"
service = \"files\"
resolver = \"pinned\"
resolver_config = \"K-0001\"
";

async fn world(name: &'static str, dms: Box<dyn Dms>) -> World {
    let mut service = dms.service();
    if !service.contains("system_account") {
        service.push_str("system_account = \"destination\"\n");
    }
    let mut world = World::new(name).with_dms(dms).build();
    let shelf = world.root().join("shelf");
    std::fs::create_dir_all(shelf.join("K-0001")).unwrap();
    world.settings.more += &settings(&service, &shelf);
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let knowledge = json!({"reference": "K-0001", "title": "Precedents", "work_type": "knowledge"});
    world.op().post("/api/v1/work-items", &knowledge).await.expect(201);
    world
}

/// Files documents into the DMS; their ids there.
async fn filed(world: &mut World, upload: Upload) -> Vec<String> {
    let accepted = world.deposit(upload).await;
    let mut ids = Vec::new();
    for (id, _) in &accepted.filings {
        let filing = world.in_state(id, &["filed"]).await;
        ids.push(filing["receipt"]["document"].as_str().unwrap().to_owned());
    }
    ids
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Presses the button, with something chosen.
async fn press(browser: &mut Browser, page: &Page, to: &str) -> Page {
    let path = page.url.path().to_owned();
    browser.submit(page, &path, &[("to", to), ("title", "")]).await
}

/// The value of the choice that is made already.
fn chosen(page: &Page) -> String {
    let until =
        page.text.find("required checked").unwrap_or_else(|| panic!("nothing is chosen: {}", page.text));
    let tag = &page.text[page.text[..until].rfind("<input").unwrap()..until];
    tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#x2f;", "/")
}

async fn sent_to(dms: Box<dyn Dms>) {
    let kind = dms.kind();
    let mut world = world("send-to", dms).await;
    let first = Upload::to(MATTER)
        .meta("save_mode", "keep_linked")
        .meta("document", "plan")
        .file("The plan.pdf", document(1));
    let mut ids = filed(&mut world, first.clone()).await;
    ids.extend(filed(&mut world, Upload::to(MATTER).file("Brief an Müller.pdf", document(2))).await);
    let handed = format!("/send-to/{kind}?doc={}&doc={}&user=MPATEL", ids[0], ids[1]);

    // Nobody has to say who they are to be asked to sign in; then they are where they wanted to go.
    let mut stranger = Browser::new(&world.url());
    let page = stranger.get(&handed).await.expect(200);
    assert_eq!(page.url.path(), "/auth/sign-in", "{kind}");
    assert!(!page.url.as_str().contains("MPATEL"), "{kind}: {}", page.url);

    // Without an account of one's own nothing is shown, and the way to link it comes back here.
    let mut mina = Browser::of_new_person(&world, MINA).await;
    let page = mina.get(&handed).await.expect(409);
    assert!(
        page.text.contains("Link your account first") && !page.text.contains("The plan"),
        "{kind}: {}",
        page.text
    );
    mina.link("dms", MINA).await;
    let page = mina.get(page.url.path()).await.expect(200);
    for text in
        ["The plan.pdf", "Brief an Müller.pdf", "Send 2 documents", "10442", "Harrow v Teal", "Precedents"]
    {
        assert!(page.text.contains(text), "{kind}: no {text}: {}", page.text);
    }
    assert!(!page.text.contains("Not for everybody"), "{kind}: a team's workflow is not everybody's");
    let items = world.op().ok(&format!("/api/v1/work-items?search={MATTER}")).await;
    let matter = items["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(chosen(&page), format!("item/{matter}"), "{kind}: the matter is chosen already");

    // It is the version that was seen that goes, though a newer one comes meanwhile.
    let second = Upload { files: Vec::new(), ..first }.file("The plan.pdf", document(3));
    filed(&mut world, second).await;
    let done = press(&mut mina, &page, "collection/precedents").await.expect(200);
    assert!(done.text.contains("K-0001") && done.text.contains("Sent to"), "{kind}: {}", done.text);
    let intakes = async || {
        let all = world.op().ok("/api/v1/intakes?source=send-to").await;
        all["items"].as_array().cloned().unwrap_or_default()
    };
    let intake = intakes().await.remove(0);
    let filings = world.op().filings(&format!("intake:{}", intake["id"].as_str().unwrap())).await;
    for filing in &filings {
        world.in_state(filing["id"].as_str().unwrap(), &["filed"]).await;
    }
    let hashes: Vec<&str> = filings.iter().map(|it| it["hash"].as_str().unwrap()).collect();
    let mut wanted = [hash(&document(1)), hash(&document(2))];
    let mut hashes: Vec<String> = hashes.into_iter().map(str::to_owned).collect();
    hashes.sort();
    wanted.sort();
    assert_eq!(hashes, wanted, "{kind}");
    let whole = world.op().intake(intake["id"].as_str().unwrap()).await;
    assert_eq!((&whole["sender"], &whole["submitted_by"]), (&json!(MINA), &json!(MINA)), "{kind}");
    let trace = whole["trace"].to_string();
    for id in &ids {
        let bare = id.split('.').next().unwrap();
        assert!(
            trace.contains(bare) && trace.contains("version") && trace.contains("dms"),
            "{kind}: {trace}"
        );
    }
    // Sending again, with another choice even, is told what came of the first time.
    let again = press(&mut mina, &page, &format!("item/{matter}")).await.expect(200);
    assert!(again.text.contains("K-0001") && again.text.contains("is filed"), "{kind}: {}", again.text);
    assert_eq!(intakes().await.len(), 1, "{kind}");
    // A ticket belongs to its session: another one of the same person finds nothing.
    let mut elsewhere = Browser::new(&world.url());
    elsewhere.sign_in(MINA, PASSWORD).await;
    elsewhere.get(page.url.path()).await.expect(404);

    // One click with what is chosen already files into the matter.
    let page = mina.get(&format!("/send-to/dms?doc={}", ids[1])).await.expect(200);
    let to = chosen(&page);
    let done = press(&mut mina, &page, &to).await.expect(200);
    assert!(done.text.contains(MATTER), "{kind}: {}", done.text);
    assert_eq!(intakes().await.len(), 2, "{kind}");

    // What the DMS does not show is not there here either, whether it was shown before or not.
    let page = mina.get(&handed).await.expect(200);
    world.dms().hide_matter();
    let refused = press(&mut mina, &page, &to).await;
    assert!((400..500).contains(&refused.status), "{kind}: {} {}", refused.status, refused.text);
    let page = mina.get(&handed).await.expect(404);
    assert!(
        page.text.contains("you may not see it") && !page.text.contains("The plan"),
        "{kind}: {}",
        page.text
    );
    assert_eq!(intakes().await.len(), 2, "{kind}: nothing was taken in");
    world.stop().await;
}

#[tokio::test]
async fn send_to_from_imanage() {
    sent_to(dms::Imanage::start(1)).await;
}

#[tokio::test]
async fn send_to_from_netdocuments() {
    sent_to(dms::Netdocuments::start(2)).await;
}

#[tokio::test]
async fn send_to_from_highq() {
    sent_to(dms::Highq::start(3)).await;
}

async fn launched(dms: Box<dyn Dms>) {
    let kind = dms.kind();
    let mut world = world("launch", dms).await;
    let mut mina = Browser::of_new_person(&world, MINA).await;
    mina.link("dms", MINA).await;
    let place = world.dms().place();
    // A static link with nothing but an id is enough.
    let page = mina.get(&format!("/launch/{kind}/{place}")).await.expect(200);
    for text in ["Start from this folder", "Correspondence", "10442", "Harrow v Teal", "Service request"] {
        assert!(page.text.contains(text), "{kind}: no {text}: {}", page.text);
    }
    assert_eq!(chosen(&page), "workflow/requests", "{kind}");
    let done = press(&mut mina, &page, "workflow/requests").await.expect(200);
    assert!(done.text.contains("SR-000001"), "{kind}: {}", done.text);
    press(&mut mina, &page, "workflow/requests").await.expect(200);
    let items = world.op().ok("/api/v1/work-items?search=SR-").await;
    let items = items["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{kind}: it is started once");
    let item = &items[0];
    assert_eq!(item["client"], json!({"reference": "10442", "name": "Harrow Ltd"}), "{kind}: {item:#}");
    assert_eq!(
        (&item["attributes"]["matter"], &item["title"]),
        (&json!("0007"), &json!("Correspondence")),
        "{kind}"
    );
    let origin = item["origin"]["container"].as_str().unwrap();
    assert!(origin.ends_with(&place), "{kind}: {item:#}");

    // Its later documents go back to that folder, also when it lies elsewhere and has another name.
    let api = mina.api().await;
    for (number, moved) in [(11, false), (12, true)] {
        if moved {
            world.dms().move_place();
        }
        let upload = Upload::to("SR-000001").file(&format!("result {number}.pdf"), document(number));
        let accepted = Accepted::of(&api.upload(&upload).await.expect(202));
        world.in_state(accepted.filing(), &["filed"]).await;
        let there = world.deposits().into_iter().find(|it| it.hash == hash(&document(number)));
        assert_eq!(there.unwrap().place, place, "{kind}: moved: {moved}");
    }
    // Who comes from there again is shown what was started, and the folder's name of now.
    let page = mina.get(&format!("/launch/{kind}?folder={place}")).await.expect(200);
    for text in ["Post", "Started here before: SR-000001 Correspondence", "Harrow v Teal"] {
        assert!(page.text.contains(text), "{kind}: no {text}: {}", page.text);
    }

    // A closed folder takes nothing: a person is asked, in words.
    world.dms().close_matter();
    let upload = Upload::to("SR-000001").file("late.pdf", document(13));
    let accepted = Accepted::of(&api.upload(&upload).await.expect(202));
    let filing = world.in_state(accepted.filing(), &["failed"]).await;
    assert_eq!(filing["cause"]["code"], "target_closed", "{kind}: {filing:#}");
    assert_eq!(filing["owner"], "person", "{kind}: {filing:#}");
    let page = mina.get(&format!("/launch/{kind}?folder={place}")).await.expect(200);
    assert!(page.text.contains("closed to new documents"), "{kind}: {}", page.text);

    // And what the DMS hides is not there.
    world.dms().hide_matter();
    let page = mina.get(&format!("/launch/{kind}?folder={place}")).await.expect(404);
    assert!(!page.text.contains("Harrow"), "{kind}: {}", page.text);
    world.stop().await;
}

#[tokio::test]
async fn send_to_launch_from_imanage() {
    launched(dms::Imanage::start(11)).await;
}

#[tokio::test]
async fn send_to_launch_from_netdocuments() {
    launched(dms::Netdocuments::start(12)).await;
}

#[tokio::test]
async fn send_to_launch_from_highq() {
    launched(dms::Highq::start(13)).await;
}

/// Programs, the DMS's own hook by POST, many ids, folders among documents, and what a kill in between leaves.
#[tokio::test]
async fn send_to_by_programs_and_forms() {
    let mut world = world("send-to-api", dms::Imanage::start(21)).await;
    world.stop().await;
    world.settings.more += REVIEWS;
    world.write_settings();
    world.start().await;
    let ids =
        filed(&mut world, Upload::to(MATTER).file("a.pdf", document(1)).file("b.pdf", document(2))).await;
    // A program is nobody, and sends nothing.
    let body = json!({"service": "dms", "ids": ids});
    world.op().post("/api/v1/tickets", &body).await.expect(403);
    let mut mina = Browser::of_new_person(&world, MINA).await;
    mina.link("dms", MINA).await;
    let api = mina.api().await;
    let given = json!({"service": "imanage", "given": {"url": format!("https://x.example/work/link/d/{}", ids[0]), "who": "me"}});
    let ticket = api.post("/api/v1/tickets", &given).await.expect(201).body;
    let path = format!("/api/v1/tickets/{}", ticket["id"].as_str().unwrap());
    let seen = api.ok(&path).await;
    assert_eq!(
        (&seen["things"][0]["name"], &seen["client"], &seen["matches"][0]["because"]),
        (&json!("a.pdf"), &json!("10442"), &json!("remembered")),
        "{seen:#}"
    );
    // The session of the same person did not make it.
    assert_eq!(mina.call(Method::GET, &path, &Value::Null).await.status, 404);
    let send = format!("{path}/send");
    for _ in 0..2 {
        let sent =
            api.post(&send, &json!({"workflow": "reviews", "title": "Look at it"})).await.expect(202).body;
        assert_eq!(sent["reference"], "CR-000001", "{sent:#}");
        let intake = sent["intake"].as_str().unwrap().to_owned();
        let filings = world.op().filings(&format!("intake:{intake}")).await;
        assert_eq!(filings.len(), 1);
        world.in_state(filings[0]["id"].as_str().unwrap(), &["filed", "duplicate"]).await;
    }
    // A reference that somebody gave by hand is passed over.
    let taken = json!({"reference": "CR-000002", "title": "By hand", "work_type": "review"});
    world.op().post("/api/v1/work-items", &taken).await.expect(201);
    let form = mina.post("/send-to/imanage", &[("docs", &ids.join(";")), ("token", "x")]).await.expect(200);
    assert!(form.text.contains("a.pdf") && form.text.contains("b.pdf"), "{}", form.text);
    // iManage does not tell in which folder a document lies, so there is nothing to save back to from here.
    assert!(!form.text.contains("Service request"), "{}", form.text);
    press(&mut mina, &form, "workflow/requests").await.expect(400);
    let done = press(&mut mina, &form, "workflow/reviews").await.expect(200);
    assert!(done.text.contains("CR-000003"), "{}", done.text);
    // A kill forgets no ticket.
    let page = mina.get(&format!("/send-to/dms?doc={},ACTIVE!3652,ACTIVE!999999", ids[0])).await.expect(200);
    assert!(page.text.contains("ACTIVE!999999 is not there"), "{}", page.text);
    world.kill().await;
    world.start().await;
    let done = press(&mut mina, &page, "collection/precedents").await.expect(200);
    assert!(done.text.contains("K-0001"), "{}", done.text);
    world.stop().await;
}
