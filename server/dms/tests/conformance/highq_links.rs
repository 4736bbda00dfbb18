//! Links in HighQ's metadata sheets: found, read and written, in both formats, whatever shape a list of one has.

use std::collections::BTreeMap;

use postroom_domain::dms::DmsError;
use postroom_domain::link_columns::{LinkColumn, LinkColumns as _, LinkRecord, ShownLink, Subject, Wish};
use postroom_sims::highq::{Action, Column, ColumnKind, Control, HARROW, Seed, SeedFile, Sheet};
use serde_json::json;

use crate::worlds::highq::Simulated;

fn column(id: u64, title: &str, kind: ColumnKind) -> Column {
    Column { id, title: title.to_owned(), kind, ..Column::default() }
}

/// A sheet about folders beside the one about documents, which the sample has.
fn folders() -> Sheet {
    Sheet {
        id: 72,
        site: HARROW,
        title: "Folders".to_owned(),
        kind: "foldermetadata".to_owned(),
        view: 7201,
        columns: vec![
            column(301, "Folder ID", ColumnKind::Text),
            Column { date_format: "MM/DD/YYYY".to_owned(), ..column(302, "Opened", ColumnKind::Date) },
            column(303, "Postroom", ColumnKind::Link),
        ],
        records: BTreeMap::new(),
    }
}

fn wish(subject: Subject, column: &str) -> Wish {
    Wish { subject, list: String::new(), column: column.to_owned(), ids: String::new() }
}

fn link(url: &str) -> ShownLink {
    ShownLink { text: "Öffnen & <los>".to_owned(), url: url.to_owned() }
}

fn seed(control: &Control, files: u64) {
    let file = |n: u64| SeedFile {
        id: 5_000 + n,
        folder: 1011,
        name: format!("letter {n:04}.pdf"),
        text: "x".to_owned(),
        user: "1802".to_owned(),
    };
    control.seed(&Seed { sheets: vec![folders()], files: (0..files).map(file).collect(), ..Seed::default() });
}

fn cell(control: &Control, sheet: u64, record: u64) -> BTreeMap<u64, serde_json::Value> {
    control.sheets().into_iter().find(|it| it.id == sheet).unwrap().records[&record].clone()
}

async fn all(world: &Simulated, column: &LinkColumn) -> Vec<LinkRecord> {
    let (mut all, mut page) = (Vec::new(), None::<String>);
    loop {
        let answer = world.dms.records(column, page.as_deref()).await.unwrap();
        all.extend(answer.items);
        page = answer.next;
        if page.is_none() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_written_and_read_in_both_formats_and_touches_no_other_column() {
    for format in ["json", "xml"] {
        for (collapse, cdata, texts) in [(true, true, true), (false, false, false)] {
            let case = format!("{format} {collapse} {cdata} {texts}");
            let world = Simulated::with(&format!("format = \"{format}\""));
            world.control.update_switches(|it| {
                (it.collapse, it.cdata, it.numbers_as_text) = (collapse, cdata, texts);
            });
            // One file: lists of one.
            seed(&world.control, 1);
            let record = world.control.record_of_file(5_000).unwrap();
            assert!(world.control.update_sheet(71, |it| {
                it.records.get_mut(&record).unwrap().insert(201, json!({"value": "HT/17"}));
            }));
            let found = world.dms.column("site:101", &wish(Subject::Document, "Send to")).await.unwrap();
            assert_eq!((found.list.as_str(), found.column.as_str()), ("71", "205"), "{case}");
            let told = world.dms.record_of(&found, "5000").await.unwrap();
            assert_eq!(told, record.to_string(), "{case}");
            let empty = LinkRecord { id: told.clone(), link: None, about: None };
            assert_eq!(all(&world, &found).await, std::slice::from_ref(&empty), "{case}");
            let ours = link("https://postroom.firm.example/send-to/collab?doc=5000");
            world.dms.write(&found, &told, &ours).await.unwrap();
            let full = LinkRecord { link: Some(ours.clone()), ..empty };
            assert_eq!(all(&world, &found).await, std::slice::from_ref(&full), "{case}");
            assert_eq!(world.dms.record(&found, &told).await.unwrap(), full, "{case}");
            let kept = json!({"linkdisplayname": ours.text, "linkdisplayurl": ours.url});
            let wanted = BTreeMap::from([(201, json!({"value": "HT/17"})), (205, kept)]);
            assert_eq!(cell(&world.control, 71, record), wanted, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_folders_are_told_or_found_by_a_column() {
    let world = Simulated::new();
    seed(&world.control, 0);
    let told = world.dms.column("101", &wish(Subject::Folder, "Postroom")).await.unwrap();
    let wanted = LinkColumn {
        subject: Subject::Folder,
        list: "72".to_owned(),
        column: "303".to_owned(),
        ids: None,
        view: Some("7201".to_owned()),
    };
    assert_eq!(told, wanted);
    // Neither the root nor the smart folder has one.
    let record = world.dms.record_of(&told, "1011").await.unwrap();
    assert_eq!(all(&world, &told).await.len(), 2);
    for folder in ["1010", "1013", "99999"] {
        let error = world.dms.record_of(&told, folder).await.unwrap_err();
        assert!(matches!(error, DmsError::NotFound(_)), "{folder}: {error:?}");
    }
    // An instance without that call has a column.
    world.control.update_switches(|it| it.folder_records = false);
    assert!(matches!(world.dms.record_of(&told, "1011").await.unwrap_err(), DmsError::NotFound(_)));
    let number: u64 = record.parse().unwrap();
    assert!(world.control.update_sheet(72, |it| {
        it.records.get_mut(&number).unwrap().insert(301, json!({"value": "1011"}));
    }));
    let by_column = Wish { ids: "Folder ID".to_owned(), ..wish(Subject::Folder, "Postroom") };
    let column = world.dms.column("101", &by_column).await.unwrap();
    assert_eq!(column.ids.as_deref(), Some("301"));
    let about: Vec<_> = all(&world, &column).await.into_iter().filter_map(|it| it.about).collect();
    assert_eq!(about, ["1011"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_sheet_is_read_to_its_end_and_faults_are_told_apart() {
    let world = Simulated::with("page = 7");
    seed(&world.control, 40);
    let column = world.dms.column("101", &wish(Subject::Document, "Send to")).await.unwrap();
    let records = all(&world, &column).await;
    assert_eq!(records.len(), 40);
    let status = |status: u16| Action::Status { status, headers: BTreeMap::new(), body: None };
    let ours = link("https://postroom.firm.example/send-to/collab?doc=5000");
    for (code, wanted) in [(500, "unavailable"), (429, "throttled"), (403, "forbidden"), (404, "not found")] {
        world.fault("put_item", status(code));
        let error = world.dms.write(&column, &records[0].id, &ours).await.unwrap_err();
        assert!(error.to_string().starts_with(wanted), "{code}: {error}");
        // Throttling is heeded by what comes next.
        world.advance(std::time::Duration::from_secs(61));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named() {
    let world = Simulated::new();
    seed(&world.control, 0);
    let named = |list: &str, column: &str, ids: &str| Wish {
        list: list.to_owned(),
        ids: ids.to_owned(),
        ..wish(Subject::Folder, column)
    };
    for (site, wish, wanted) in [
        ("101", named("", "Postrom", ""), "iSheet 72 has no column \"Postrom\""),
        ("101", named("", "Opened", ""), "column \"Opened\" of iSheet 72 holds no hyperlinks"),
        ("101", named("", "Postroom", "Folder"), "iSheet 72 has no column \"Folder\""),
        (
            "101",
            named("Orders", "Postroom", ""),
            "site 101 has no iSheet of kind foldermetadata called \"Orders\"",
        ),
        ("12", named("", "Postroom", ""), "site 12 has no iSheet of kind foldermetadata"),
        ("999", named("", "Postroom", ""), "status 404"),
        ("x", named("", "Postroom", ""), "\"x\" is no id of a site"),
    ] {
        let error = world.dms.column(site, &wish).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
    }
    assert!(world.dms.column("101", &named("Folders", "Postroom", "")).await.is_ok());
}
