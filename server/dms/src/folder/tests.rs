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
        onto: None,
    })
    .await
}

async fn ask(dms: &Folder, filing: u128) -> Found {
    let actor = Actor::system("test", None);
    let mark = Mark::of(FilingId::from_u128(filing));
    dms.probe(Probe {
        actor: &actor,
        library: "",
        container: "Harrow/In",
        name: "letter.pdf",
        mark,
        onto: None,
    })
    .await
    .unwrap()
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
