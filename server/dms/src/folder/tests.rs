//! A process that ends at any step leaves nothing half done; links lead nowhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use postroom_domain::dms::{Content, Gauge};
use postroom_domain::ids::{BlobHash, FilingId, Mark};

use super::*;

struct Text(Vec<u8>);

impl Content for Text {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn hash(&self) -> BlobHash {
        BlobHash::new(*blake3::hash(&self.0).as_bytes())
    }
    fn open(&self) -> Fut<'_, io::Result<ByteStream>> {
        let pieces: Vec<_> = self.0.chunks(1000).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        Box::pin(async move { Ok(Box::pin(futures_util::stream::iter(pieces)) as ByteStream) })
    }
}

async fn send(dms: &Folder, filing: u128, text: &Text) -> DmsResult<Receipt> {
    put(dms, filing, text, None).await
}

async fn put(dms: &Folder, filing: u128, text: &Text, onto: Option<&str>) -> DmsResult<Receipt> {
    let (actor, gauge, profile) = (Actor::system("test", None), Gauge::default(), BTreeMap::new());
    dms.upload(Upload {
        actor: &actor,
        library: "",
        container: "Harrow/In",
        name: "letter.pdf",
        media_type: "application/pdf",
        profile: &profile,
        received: jiff::Timestamp::UNIX_EPOCH,
        mark: Mark::of(FilingId::from_u128(filing)),
        content: text,
        gauge: &gauge,
        onto,
    })
    .await
}

async fn ask(dms: &Folder, filing: u128) -> Found {
    ask_in(dms, "Harrow/In", filing, None).await
}

async fn ask_in(dms: &Folder, container: &str, filing: u128, onto: Option<&str>) -> Found {
    let actor = Actor::system("test", None);
    let mark = Mark::of(FilingId::from_u128(filing));
    dms.probe(Probe { actor: &actor, library: "", container, name: "letter.pdf", mark, onto }).await.unwrap()
}

async fn read(dms: &Folder, document: &str, version: Option<&str>) -> Vec<u8> {
    let actor = Actor::system("test", None);
    let mut stream = dms.download(&actor, "", document, version).await.unwrap();
    let mut all = Vec::new();
    while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
        all.extend_from_slice(&chunk.unwrap());
    }
    all
}

fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("Harrow/In")).unwrap();
    root
}

fn visible(root: &tempfile::TempDir) -> Vec<String> {
    let dir = Dir::root(&root.path().join("Harrow/In")).unwrap();
    dir.names().unwrap().into_iter().filter(|name| !name.starts_with('.')).collect()
}

#[tokio::test]
async fn the_end_of_the_process_at_any_step_loses_and_doubles_nothing() {
    let text = Text(vec![7; 2500]);
    for end in 1.. {
        let root = root();
        // A neighbour of the same name is there already, and stays as it is.
        std::fs::write(root.path().join("Harrow/In/letter.pdf"), "by hand").unwrap();
        let seen = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&seen);
        let seam: Seam = Arc::new(move |step| {
            counter.store(step, Ordering::Relaxed);
            step == end
        });
        let first = send(&Folder::ending_at(Settings::at(root.path()), seam), 1, &text).await;
        let finished = seen.load(Ordering::Relaxed) < end;
        let dms = Folder::new(Settings::at(root.path()));
        // The new process asks before it sends again, as the machine does.
        let found = ask(&dms, 1).await;
        let there = visible(&root).len() == 2;
        assert_eq!(matches!(found, Found::Yes(_)), there, "step {end}: {found:?}, {:?}", visible(&root));
        let receipt = match found {
            Found::Yes(receipt) => receipt,
            _ => send(&dms, 1, &text).await.unwrap(),
        };
        assert_eq!(receipt.document, "Harrow/In/letter (2).pdf", "step {end}");
        assert_eq!((receipt.size, receipt.hash), (Some(2500), Some(text.hash())), "step {end}");
        assert_eq!(visible(&root), ["letter (2).pdf", "letter.pdf"], "step {end}");
        assert_eq!(std::fs::read(root.path().join("Harrow/In/letter (2).pdf")).unwrap(), text.0);
        assert_eq!(std::fs::read(root.path().join("Harrow/In/letter.pdf")).unwrap(), b"by hand");
        assert_eq!(ask(&dms, 1).await, Found::Yes(receipt), "step {end}");
        if finished {
            assert!(first.is_ok(), "{first:?}");
            assert!(end > 10, "only {end} steps");
            break;
        }
        // Another filing of the same name is not confused by what was left behind.
        assert_eq!(send(&dms, 2, &text).await.unwrap().document, "Harrow/In/letter (3).pdf");
    }
}

#[tokio::test]
async fn the_same_filing_is_not_stored_twice_even_when_nobody_asked() {
    let (root, text) = (root(), Text(vec![1; 10]));
    let dms = Folder::new(Settings::at(root.path()));
    let first = send(&dms, 1, &text).await.unwrap();
    let second = send(&dms, 1, &text).await;
    assert!(
        matches!(&second, Err(DmsError::Conflict { existing: Some(there), .. }) if *there == first),
        "{second:?}"
    );
    assert_eq!(visible(&root), ["letter.pdf"]);
    std::fs::remove_file(root.path().join("Harrow/In/letter.pdf")).unwrap();
    assert_eq!(ask(&dms, 1).await, Found::No, "a sidecar without its document means not there");
    assert_eq!(send(&dms, 1, &text).await.unwrap(), first);
}

#[tokio::test]
async fn many_at_once_get_names_of_their_own() {
    let (root, text) = (root(), Text(vec![3; 10]));
    let dms = Folder::new(Settings::at(root.path()));
    let results = futures_util::future::join_all((0..20).map(|n| send(&dms, n, &text))).await;
    let mut names: Vec<_> = results.into_iter().map(|r| r.unwrap().document).collect();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), visible(&root).len()), (20, 20));
}

#[tokio::test]
async fn links_and_dots_lead_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("In")).unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let root = root();
    std::os::unix::fs::symlink(outside.path(), root.path().join("Linked")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("Harrow/Linked")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("Harrow/secret")).unwrap();
    let (dms, actor) = (Folder::new(Settings::at(root.path())), Actor::system("test", None));
    for id in [
        "Linked",
        "Harrow/Linked",
        "..",
        "Harrow/..",
        "../x",
        "/etc",
        "Harrow//In",
        "",
        ".postroom",
        "Harrow/.postroom",
    ] {
        let result = dms.container(&actor, "", id).await;
        assert!(matches!(result, Err(DmsError::NotFound(_))), "{id}: {result:?}");
    }
    for id in ["Harrow/secret", "Linked/secret", "Harrow/../Harrow/x", "Harrow/In"] {
        let result = dms.download(&actor, "", id, None).await.map(drop);
        assert!(matches!(result, Err(DmsError::NotFound(_))), "{id}: {result:?}");
    }
    // A mark folder that is a link is not written through.
    std::os::unix::fs::symlink(outside.path(), root.path().join("Harrow/In/.postroom")).unwrap();
    assert!(send(&dms, 1, &Text(vec![1])).await.is_err());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_root_that_is_away_is_unreachable_and_the_doctor_says_so() {
    let dms = Folder::new(Settings::at("/nonexistent/postroom"));
    assert_eq!(dms.whoami().await.unwrap_err().trouble().cause, Cause::Unreachable);
    assert_eq!(dms.doctor().await[0].level, crate::doctor::Level::Bad);
    let root = root();
    let levels: Vec<_> =
        Folder::new(Settings::at(root.path())).doctor().await.iter().map(|f| f.level).collect();
    assert_eq!(levels, [crate::doctor::Level::Good; 3]);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "the doctor leaves nothing behind");
}

/// A connector that ends at a step, and the greatest step it came to.
fn ending(root: &tempfile::TempDir, end: u32) -> (Folder, Arc<AtomicU32>) {
    let seen = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&seen);
    let seam: Seam = Arc::new(move |step| {
        counter.store(step, Ordering::Relaxed);
        step == end
    });
    (Folder::ending_at(Settings::at(root.path()), seam), seen)
}

#[tokio::test]
async fn a_new_version_that_ends_at_any_step_leaves_the_old_or_the_new_whole_and_each_found() {
    let (old, new, third) = (Text(vec![7; 2500]), Text(vec![8; 2600]), Text(vec![9; 10]));
    for by_hand in [false, true] {
        for end in 1.. {
            let root = root();
            let dms = Folder::new(Settings::at(root.path()));
            let id = "Harrow/In/letter.pdf";
            if by_hand {
                // A document that Postroom did not file has neither sidecar nor mark.
                std::fs::write(root.path().join(id), &old.0).unwrap();
            } else {
                send(&dms, 1, &old).await.unwrap();
            }
            let (first, seen) = ending(&root, end);
            let result = put(&first, 2, &new, Some(id)).await;
            let finished = seen.load(Ordering::Relaxed) < end;
            assert_eq!(
                visible(&root),
                ["letter.pdf"],
                "step {end}: the document has its name at every instant"
            );
            let now = read(&dms, id, None).await;
            let there = now == new.0;
            assert!(there || now == old.0, "step {end}: neither old nor new");
            if !by_hand {
                let Found::Yes(found) = ask(&dms, 1).await else {
                    panic!("step {end}: the old mark is lost")
                };
                assert_eq!((found.size, found.hash), (Some(2500), Some(old.hash())), "step {end}");
                assert_eq!(read(&dms, id, found.version.as_deref()).await, old.0, "step {end}: {found:?}");
            }
            let found = ask_in(&dms, "Harrow/In", 2, Some(id)).await;
            assert_eq!(matches!(found, Found::Yes(_)), there, "step {end}: {found:?}");
            let receipt = match found {
                Found::Yes(receipt) => receipt,
                _ => put(&dms, 2, &new, Some(id)).await.unwrap(),
            };
            assert_eq!(
                (receipt.version.as_deref(), receipt.hash),
                (Some("2"), Some(new.hash())),
                "step {end}"
            );
            // Whatever was left behind, versions are counted without gaps and nothing is there twice.
            let last = put(&dms, 3, &third, Some(id)).await.unwrap();
            assert_eq!(last.version.as_deref(), Some("3"), "step {end}");
            for (version, text) in [("1", &old), ("2", &new), ("3", &third)] {
                assert_eq!(read(&dms, id, Some(version)).await, text.0, "step {end}");
            }
            let versions = Dir::root(&root.path().join("Harrow/In/.postroom/versions/letter.pdf")).unwrap();
            let contents: Vec<String> =
                versions.names().unwrap().into_iter().filter(|name| !name.contains('.')).collect();
            assert_eq!(contents, ["1", "2"], "step {end}");
            for (filing, version) in [(1, "1"), (2, "2"), (3, "3")] {
                if by_hand && filing == 1 {
                    continue;
                }
                let Found::Yes(found) = ask(&dms, filing).await else {
                    panic!("step {end}: {filing} is lost")
                };
                assert_eq!(found.version.as_deref(), Some(version), "step {end}");
            }
            if finished {
                assert!(result.is_ok(), "{result:?}");
                assert!(end > 15, "only {end} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_move_that_ends_at_any_step_loses_neither_document_nor_versions() {
    let (old, new, actor) = (Text(vec![7; 2500]), Text(vec![8; 2600]), Actor::system("test", None));
    for (container, name) in [("Harrow/In", "reply.pdf"), ("Harrow/Out", "letter.pdf")] {
        for end in 1.. {
            let root = root();
            std::fs::create_dir_all(root.path().join("Harrow/Out")).unwrap();
            let dms = Folder::new(Settings::at(root.path()));
            let id = "Harrow/In/letter.pdf";
            send(&dms, 1, &old).await.unwrap();
            put(&dms, 2, &new, Some(id)).await.unwrap();
            let (first, seen) = ending(&root, end);
            let go = async |dms: &Folder| match container {
                "Harrow/In" => dms.rename(&actor, "", id, name).await,
                to => dms.move_document(&actor, "", id, "Harrow/In", to).await,
            };
            let result = go(&first).await;
            let finished = seen.load(Ordering::Relaxed) < end;
            let target = format!("{container}/{name}");
            let places = [id, target.as_str()].map(|id| root.path().join(id).is_file());
            assert_eq!(places.iter().filter(|there| **there).count(), 1, "step {end}: one, and one only");
            let at = if places[0] { id } else { target.as_str() };
            assert_eq!(read(&dms, at, None).await, new.0, "step {end}");
            assert_eq!(read(&dms, at, Some("1")).await, old.0, "step {end}");
            let around = at.rsplit_once('/').unwrap().0;
            for (filing, version) in [(1, "1"), (2, "2")] {
                let found = ask_in(&dms, around, filing, None).await;
                // The older mark's pointer stays with the container it was filed into.
                if filing == 1 && at != id {
                    continue;
                }
                let Found::Yes(found) = found else { panic!("step {end}: {filing} is lost") };
                assert_eq!(
                    (found.document.as_str(), found.version.as_deref()),
                    (at, Some(version)),
                    "step {end}"
                );
            }
            if places[0] {
                assert_eq!(
                    go(&dms).await.unwrap().id,
                    target,
                    "step {end}: what was left behind is in nobody's way"
                );
            }
            assert_eq!(read(&dms, &target, Some("1")).await, old.0, "step {end}");
            if finished {
                assert_eq!(result.unwrap().id, target);
                assert!(end > 6, "only {end} steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_is_deleted_lies_in_the_trash_and_its_name_is_free() {
    let (root, actor) = (root(), Actor::system("test", None));
    let dms = Folder::new(Settings::at(root.path()));
    let id = "Harrow/In/letter.pdf";
    for round in 1..=3_u8 {
        let (old, new) = (Text(vec![round; 100]), Text(vec![round; 200]));
        let filing = u128::from(round) * 10;
        assert_eq!(send(&dms, filing, &old).await.unwrap().document, id, "the name is free again");
        put(&dms, filing + 1, &new, Some(id)).await.unwrap();
        dms.delete_document(&actor, "", id).await.unwrap();
        assert_eq!(visible(&root), Vec::<String>::new());
        assert_eq!((ask(&dms, filing).await, ask(&dms, filing + 1).await), (Found::No, Found::No));
        let grave = crate::names::numbered("letter.pdf", round.into());
        let grave = root.path().join("Harrow/In/.postroom/trash").join(grave);
        assert_eq!(std::fs::read(grave.join("letter.pdf")).unwrap(), new.0);
        assert_eq!(std::fs::read(grave.join("versions/1")).unwrap(), old.0);
        assert!(grave.join("letter.pdf.json").is_file());
    }
}

#[tokio::test]
async fn what_was_filed_before_there_were_versions_is_found_and_gets_versions() {
    let (root, old, new) = (root(), Text(vec![1; 10]), Text(vec![2; 20]));
    let dms = Folder::new(Settings::at(root.path()));
    send(&dms, 1, &old).await.unwrap();
    // A pointer as it was written before it could name two documents.
    let marks = root.path().join("Harrow/In/.postroom/marks").join(FilingId::from_u128(1).to_string());
    std::fs::write(marks, r#"{"document":"letter.pdf"}"#).unwrap();
    let Found::Yes(found) = ask(&dms, 1).await else { panic!() };
    assert_eq!(found.version.as_deref(), Some("1"));
    put(&dms, 2, &new, Some("Harrow/In/letter.pdf")).await.unwrap();
    assert_eq!(read(&dms, "Harrow/In/letter.pdf", Some("1")).await, old.0);
    for version in ["0", "3", "01", "x", "", "../letter.pdf"] {
        let actor = Actor::system("test", None);
        let result = dms.download(&actor, "", "Harrow/In/letter.pdf", Some(version)).await.map(drop);
        assert!(matches!(result, Err(DmsError::NotFound(_))), "{version:?}: {result:?}");
    }
}
