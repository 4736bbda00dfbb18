//! The demo: one command, everything on this machine, its own documents arrive, one fails on purpose.

use std::path::Path;
use std::time::Duration;

use postroom_tests::process::{Launch, Server};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::{Api, Upload, folder};
use serde_json::Value;

use crate::document;

fn launch(data: &Path) -> Launch {
    Launch {
        prefix: Vec::new(),
        environment: Vec::new(),
        arguments: ["demo", "--port", "0", "--json", "--data", &data.display().to_string()]
            .map(str::to_owned)
            .to_vec(),
        log: data.join("demo.log"),
        patience: Duration::from_mins(1),
    }
}

fn log(data: &Path) -> String {
    std::fs::read_to_string(data.join("demo.log")).unwrap_or_default()
}

fn client(ready: &Value) -> Api {
    Api::new(ready["url"].as_str().unwrap(), ready["tokens"]["operator"].as_str().unwrap())
}

#[tokio::test]
async fn the_demo_shows_itself_and_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&launch(home.path())).await.expect("the demo starts");
    let ready = server.ready.clone();
    for key in ["url", "tokens", "hot_folder", "dms_folder", "data", "console"] {
        assert!(!ready[key].is_null(), "{key} is missing: {ready:#}");
    }
    for role in ["user", "operator", "support", "admin"] {
        let api = Api::new(ready["url"].as_str().unwrap(), ready["tokens"][role].as_str().unwrap());
        assert_eq!(api.ok("/api/v1/summary").await["you"]["roles"][0], role);
    }
    let api = client(&ready);
    let dms = Path::new(ready["dms_folder"].as_str().unwrap()).to_owned();
    until("its documents are in the DMS, and one failed", PATIENCE, || async {
        let summary = api.ok("/api/v1/summary").await;
        let count = |state: &str| summary["filings"][state].as_u64().unwrap_or_default();
        let open = count("waiting") + count("running") + count("checking") + count("blocked");
        (count("failed") >= 1 && count("filed") >= 2 && open == 0 && !folder::deposits(&dms).is_empty())
            .then_some(())
    })
    .await;
    let causes = api.ok("/api/v1/causes").await;
    assert!(!causes["items"].as_array().unwrap().is_empty(), "{causes:#}");

    // A visitor's own document.
    let matters = api.ok("/api/v1/work-items").await;
    let reference = matters["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["reference"].as_str().unwrap())
        .find(|reference| reference.starts_with("10517"))
        .expect("a matter that files into the folder")
        .to_owned();
    let upload = Upload::to(&reference).file("mine.pdf", document(1)).key("visitor-1");
    let answer = api.upload(&upload).await.expect(202);
    let hash = upload.hashes().remove(0);
    until("the visitor's document is in the DMS folder", PATIENCE, || async {
        folder::deposits(&dms).iter().any(|deposit| deposit.hash == hash).then_some(())
    })
    .await;
    // And one through the hot folder.
    let drop = Path::new(ready["hot_folder"].as_str().unwrap()).join(&reference);
    std::fs::create_dir_all(&drop).unwrap();
    std::fs::write(drop.join("scan.pdf"), document(2)).unwrap();
    let scanned = blake3::hash(&document(2)).to_hex().to_string();
    until("the scan is in the DMS folder", PATIENCE, || async {
        folder::deposits(&dms).iter().any(|deposit| deposit.hash == scanned).then_some(())
    })
    .await;

    let before = api.ok("/api/v1/summary").await["filings"].clone();
    let status = server.stop(PATIENCE).await;
    assert!(status.success(), "the clean stop ended with {status}:\n{}", log(home.path()));
    let server = Server::start(&launch(home.path())).await.expect("the demo starts again");
    let api = client(&server.ready);
    assert_eq!(server.ready["tokens"], ready["tokens"], "a second start knows its tokens");
    let again = api.upload(&upload).await.expect(202);
    assert_eq!(again.body["intake"]["id"], answer.body["intake"]["id"], "a second start knows its keys");
    let after = api.ok("/api/v1/summary").await["filings"].clone();
    for state in ["filed", "failed"] {
        assert!(after[state].as_u64() >= before[state].as_u64(), "{before} → {after}");
    }
    let marks: Vec<String> = folder::deposits(&dms).into_iter().map(|deposit| deposit.mark).collect();
    let different: std::collections::BTreeSet<&String> = marks.iter().collect();
    assert_eq!(different.len(), marks.len(), "a mark stands twice in the DMS folder");
    let status = server.stop(PATIENCE).await;
    assert!(status.success(), "the second clean stop ended with {status}:\n{}", log(home.path()));
}
