//! New versions of documents.

use postroom_domain::dms::Found;

use crate::content::Made;
use crate::table::Outcome;
use crate::world::{World, actor, ask, ask_onto, fetch, send, send_onto};

crate::worlds::cases![every_version_keeps_its_content_and_its_mark, a_version_of_nothing_is_refused];

async fn every_version_keeps_its_content_and_its_mark(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().versions {
        return Outcome::Off("versions");
    }
    let (dms, folder, name) = (world.dms(), world.folder(), "letter.pdf");
    let contents: Vec<Made> = (0..4).map(|n| Made::new(70_000 + u64::from(n), n)).collect();
    let first = send(dms, &folder, name, 0, &contents[0]).await.0.unwrap();
    let mut receipts = vec![first.clone()];
    for (n, content) in contents.iter().enumerate().skip(1) {
        // Onto the id as it was told last, as onto the first one.
        let onto = if n == 2 { &receipts[n - 1].document } else { &first.document };
        let receipt = send_onto(dms, &folder, onto, name, n as u128, content).await.0.unwrap();
        assert!(receipt.size.is_none_or(|size| size == content.size), "{receipt:?}");
        receipts.push(receipt);
    }
    let versions: Vec<&str> = receipts.iter().map(|receipt| receipt.version.as_deref().unwrap()).collect();
    let mut different = versions.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), contents.len(), "{versions:?}");
    // Each comes back as it was sent, the newest one where none is named.
    for (version, content) in versions.iter().zip(&contents) {
        let back = fetch(dms, &first.document, Some(version)).await.unwrap();
        assert_eq!(back, (content.hex(), content.size), "{version}");
    }
    let newest = (contents[3].hex(), contents[3].size);
    for receipt in [&receipts[0], &receipts[3]] {
        assert_eq!(fetch(dms, &receipt.document, None).await.unwrap(), newest, "{receipt:?}");
    }
    let told = dms.document(&actor(), "", &first.document).await.unwrap();
    assert_eq!(told.version.as_deref(), Some(versions[3]), "{told:?}");
    assert!(told.size.is_none_or(|size| size == contents[3].size), "{told:?}");
    // Each mark is found among the versions, with the version that bears it; and the first one as before.
    for (n, receipt) in receipts.iter().enumerate() {
        let found = ask_onto(dms, &folder, &first.document, name, n as u128).await.unwrap();
        let Found::Yes(found) = found else { panic!("{n}: {found:?}") };
        assert_eq!(found.version, receipt.version, "{n}");
        assert!(found.size.is_none_or(|size| size == contents[n].size), "{n}: {found:?}");
    }
    assert_eq!(ask_onto(dms, &folder, &first.document, name, 99).await.unwrap(), Found::No);
    let found = ask(dms, &folder, name, 0).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!((found.document, found.version, found.size), (first.document, first.version, first.size));
    // The same mark sent to another document is not among these versions.
    send(dms, &folder, "other.pdf", 50, &Made::new(10, 9)).await.0.unwrap();
    assert_eq!(ask_onto(dms, &folder, &receipts[0].document, name, 50).await.unwrap(), Found::No);
    let mut held: Vec<String> = world.held().into_iter().map(|held| held.blake3).collect();
    let mut wanted: Vec<String> = contents.iter().map(Made::hex).chain([Made::new(10, 9).hex()]).collect();
    held.sort();
    wanted.sort();
    assert_eq!(held, wanted);
    Outcome::Held
}

async fn a_version_of_nothing_is_refused(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().versions {
        return Outcome::Off("versions");
    }
    for onto in [&world.missing_folder(), "", "ACTIVE!1.1/../../x", "ACTIVE!99999.1"] {
        let (result, _) =
            send_onto(world.dms(), &world.folder(), onto, "letter.pdf", 1, &Made::new(10, 1)).await;
        let error = result.expect_err("no document");
        assert!(matches!(error, postroom_domain::dms::DmsError::NotFound(_)), "{onto}: {error:?}");
    }
    assert_eq!(world.held(), []);
    Outcome::Held
}
