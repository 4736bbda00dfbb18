//! HighQ has no menu for others: links in metadata sheets, a webhook and a drop folder lead from there to Postroom. By the real binary.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use postroom_sims::highq::{
    CORRESPONDENCE, Column, ColumnKind, Control, Folder, HARROW, Seed, SeedFile, Sheet, Webhook,
};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::MATTER;
use postroom_tests::{World, dms};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-highq-alone";
const BASE: &str = "https://postroom.firm.example";
/// Where people drop files, and where those go.
const DROP: u64 = 1012;
const DONE: u64 = 1020;

fn column(id: u64, title: &str, kind: ColumnKind) -> Column {
    Column { id, title: title.to_owned(), kind, ..Column::default() }
}

/// The site of the matter with a sheet about folders beside the one about documents, and three files.
fn seed(control: &Control) {
    let sheet = Sheet {
        id: 72,
        site: HARROW,
        title: "Folders".to_owned(),
        kind: "foldermetadata".to_owned(),
        view: 7201,
        columns: vec![column(301, "Owner", ColumnKind::Text), column(303, "Postroom", ColumnKind::Link)],
        records: BTreeMap::new(),
    };
    let folder = Folder {
        id: DONE,
        site: HARROW,
        parent: Some(1010),
        name: "Done".to_owned(),
        inherited: true,
        user: "1807".to_owned(),
        ..Folder::default()
    };
    let file = |n: u64| SeedFile {
        id: 5000 + n,
        folder: CORRESPONDENCE,
        name: format!("letter {n}.pdf"),
        text: format!("letter {n}"),
        user: "1802".to_owned(),
    };
    control.seed(&Seed {
        sheets: vec![sheet],
        folders: vec![folder],
        files: (0..3).map(file).collect(),
        ..Seed::default()
    });
}

fn links(poll: u64) -> String {
    let one = |name: &str, kind: &str, column: &str| {
        format!(
            "\n[[highq_links]]\nname = \"{name}\"\nservice = \"dms\"\nsites = [{HARROW}]\nkind = \"{kind}\"\ncolumn = \"{column}\"\n\
             text = \"Postroom\"\nbase_url = \"{BASE}\"\npoll_seconds = {poll}\n"
        )
    };
    one("folder-links", "folder", "Postroom") + &one("document-links", "document", "Send to")
}

fn webhook() -> String {
    format!("\n[[highq_webhooks]]\nservice = \"dms\"\nsecret = \"{TOKEN}\"\n")
}

fn drop_folder() -> String {
    format!(
        "\n[[scan_folders]]\nname = \"drop\"\nservice = \"dms\"\ncontainer = \"folder:{DROP}\"\narea = \"matter_documents\"\n\
         work_item = \"{{clientno}}-{{matterno}}\"\npoll_seconds = 3600\nwhen_done = \"move\"\nmove_to = \"folder:{DONE}\"\n"
    )
}

/// The cells of all records of a sheet in a column.
fn cells(control: &Control, sheet: u64, column: u64) -> Vec<Value> {
    let sheets = control.sheets();
    let sheet = sheets.iter().find(|it| it.id == sheet).unwrap();
    sheet.records.values().map(|it| it.get(&column).cloned().unwrap_or_default()).collect()
}

fn link(page: &str, id: u64) -> Value {
    json!({ "linkdisplayname": "Postroom", "linkdisplayurl": format!("{BASE}/{page}{id}") })
}

fn of_file(id: u64) -> Value {
    link("send-to/dms?doc=", id)
}

/// The cell of a file's link.
fn cell(control: &Control, file: u64) -> Value {
    let record = control.record_of_file(file);
    let sheets = control.sheets();
    let sheet = sheets.iter().find(|it| it.id == 71).unwrap();
    record.and_then(|it| sheet.records.get(&it)?.get(&205).cloned()).unwrap_or_default()
}

async fn linked(control: &Control, file: u64) {
    until("the file has its link", PATIENCE, || async {
        (cell(control, file) == of_file(file)).then_some(())
    })
    .await;
}

/// Waits for further looks.
async fn looks(control: &Control, count: u64) {
    let before = control.stats().total("items");
    until("it looks again", PATIENCE, || async {
        (control.stats().total("items") >= before + count).then_some(())
    })
    .await;
}

async fn note(world: &World, source: &str) -> String {
    let summary = world.op().ok("/api/v1/summary").await;
    let all = summary["sources"].as_array().unwrap();
    let found = all.iter().find(|it| it["name"] == source).unwrap_or_else(|| panic!("{summary:#}"));
    found["note"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn links_appear_for_folders_and_files_and_what_is_right_is_left_alone() {
    let dms = dms::Highq::start(20);
    let control = dms.control();
    seed(&control);
    // A person's own words, and a link that leads elsewhere in our column.
    let record = control.record_of_file(5001).unwrap();
    assert!(control.update_sheet(71, |it| {
        let cells = it.records.get_mut(&record).unwrap();
        cells.insert(201, json!({"value": "HT/17"}));
        cells.insert(205, json!({"linkdisplayname": "x", "linkdisplayurl": "https://elsewhere.example/"}));
    }));
    let mut world = World::new("highq-links").with_dms(dms).with_settings(&links(1)).start().await;
    for file in 5000..5003 {
        linked(&control, file).await;
    }
    let folders = [CORRESPONDENCE, DROP, DONE].map(|id| link("launch/dms?folder=", id));
    until("the folders have theirs", PATIENCE, || async {
        (cells(&control, 72, 303) == folders).then_some(())
    })
    .await;
    // Looked at again and again, nothing is written.
    let writes = control.stats().total("put_item");
    assert_eq!(writes, 6);
    looks(&control, 6).await;
    assert_eq!(control.stats().total("put_item"), writes);
    assert_eq!(
        cells(&control, 71, 201).into_iter().filter(|it| !it.is_null()).collect::<Vec<_>>(),
        [json!({"value": "HT/17"})]
    );

    // A record that is late is told of, keeps nobody, and is written once it is there.
    control.update_switches(|it| it.late_records = true);
    let late = control.drop_file(DROP, "late.pdf", "late", "1802");
    until("it is told", PATIENCE, || async {
        let note = note(&world, "document-links").await;
        note.contains(&format!("documents without a link: {late}")).then_some(())
    })
    .await;
    control.update_switches(|it| it.late_records = false);
    control.make_records();
    linked(&control, late).await;
    until("nothing waits", PATIENCE, || async {
        note(&world, "document-links").await.is_empty().then_some(())
    })
    .await;
    // A restart finds all of it done.
    let writes = control.stats().total("put_item");
    world.stop().await;
    world.start().await;
    looks(&control, 6).await;
    assert_eq!(control.stats().total("put_item"), writes);
    world.stop().await;
}

#[tokio::test]
async fn a_webhook_brings_the_link_at_once_and_a_wrong_token_nothing() {
    let dms = dms::Highq::start(21);
    let control = dms.control();
    seed(&control);
    let settings = links(3600) + &webhook();
    let mut world = World::new("highq-webhook").with_dms(dms).with_settings(&settings).start().await;
    linked(&control, 5002).await;
    until("the first look is over", PATIENCE, || async {
        (cells(&control, 72, 303).iter().filter(|it| !it.is_null()).count() == 3).then_some(())
    })
    .await;
    let url = format!("{}/api/v1/notifications/highq", world.url());
    control.add_webhook(Webhook { url: url.clone(), token: "a-token-of-highq-alonf".to_owned() });
    let calls = control.stats().total("items");
    let first = control.drop_file(CORRESPONDENCE, "first.pdf", "first", "1802");
    until("the wrong one is answered", PATIENCE, || async { control.notifications().pop() }).await;
    assert_eq!(control.notifications()[0].status, 401);
    assert_eq!((control.stats().total("items"), cell(&control, first)), (calls, Value::Null));

    control.add_webhook(Webhook { url, token: TOKEN.to_owned() });
    let second = control.drop_file(CORRESPONDENCE, "second.pdf", "second", "1802");
    linked(&control, second).await;
    linked(&control, first).await;
    // Our own writes are told of too, and end by themselves.
    let statuses = || {
        let mut all: Vec<u16> = control.notifications().into_iter().map(|it| it.status).collect();
        all.sort_unstable();
        all
    };
    until("all is told", PATIENCE, || async {
        (statuses() == [202, 202, 202, 401, 401, 401, 401]).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn what_is_dropped_is_filed_into_the_sites_matter_once_through_a_kill() {
    let dms = dms::Highq::start(22);
    let control = dms.control();
    seed(&control);
    let settings = webhook() + &drop_folder();
    let mut world = World::new("highq-drop").with_dms(dms).with_settings(&settings).start().await;
    world.create_matters().await;
    let url = format!("{}/api/v1/notifications/highq", world.url());
    control.add_webhook(Webhook { url, token: TOKEN.to_owned() });
    let dropped = control.drop_file(DROP, "statement of claim.pdf", "We claim.", "1802");
    until("it is taken in", Duration::from_mins(1), || async {
        let page = world.op().ok("/api/v1/intakes?limit=10").await;
        page["items"].as_array().unwrap().first().cloned()
    })
    .await;
    world.kill().await;
    world.start().await;
    let lies_in = |file: u64| control.ledger().into_iter().find(|it| it.file == file).map(|it| it.folder);
    until("it has moved", Duration::from_mins(1), || async {
        (lies_in(dropped) == Some(DONE)).then_some(())
    })
    .await;
    world.quiet(PATIENCE).await;
    let filed: Vec<_> = control.ledger().into_iter().filter(|it| it.name.starts_with("statement")).collect();
    let mut told = String::new();
    for entry in &filed {
        let _ = write!(told, "{} in {} mark {}; ", entry.file, entry.folder, entry.mark);
    }
    assert_eq!(filed.len(), 2, "{told}");
    let ours: Vec<_> = filed.iter().filter(|it| it.folder == CORRESPONDENCE && !it.mark.is_empty()).collect();
    assert_eq!(ours.len(), 1, "{told}");
    assert!(filed.iter().all(|it| it.blake3 == ours[0].blake3), "{told}");
    let page = world.op().ok("/api/v1/intakes?limit=10").await;
    let intakes = page["items"].as_array().unwrap();
    assert_eq!(intakes.len(), 1, "{page:#}");
    let id = intakes[0]["id"].as_str().unwrap();
    let intake = world.op().ok(&format!("/api/v1/intakes/{id}")).await;
    assert!(intake.to_string().contains(MATTER), "{intake:#}");
    world.stop().await;
}
