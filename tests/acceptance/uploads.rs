//! Documents go in and come out byte for byte, once.

use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Chance, Upload, World};
use serde_json::json;

use crate::document;

/// An empty world but for one DMS: sizes from one byte to more than a buffer, several files in one intake.
async fn goes_through(mut world: World) -> (World, Vec<Accepted>) {
    let mut chance = Chance::new(1);
    let upload = Upload::to(MATTER)
        .meta("subject", "Disclosure")
        .file("one.pdf", b"1".to_vec())
        .file("some.pdf", chance.bytes(64 * 1024 + 1))
        .file("more.pdf", chance.bytes(3 << 20));
    let bytes = upload.files[2].2.clone();
    let many = world.deposit(upload).await;
    assert_eq!(many.filings.len(), 3);
    let one = world.deposit(Upload::to(MATTER).file("letter.pdf", bytes[..4096].to_vec())).await;
    let all = vec![many, one];
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;

    let op = world.op();
    for accepted in &all {
        let intake = op.intake(&accepted.intake).await;
        assert_eq!((&intake["state"], &intake["open_filings"]), (&json!("settled"), &json!(0)), "{intake:#}");
        for (id, hash) in &accepted.filings {
            let filing = op.filing(id).await;
            assert_eq!(filing["hash"], json!(hash));
            assert!(filing["receipt"]["document"].is_string(), "filed without the DMS's id: {filing:#}");
            assert_eq!(filing["attempts"].as_array().unwrap().len(), 1, "{filing:#}");
            assert_eq!(filing["attempts"][0]["outcome"], "filed");
        }
    }
    let original = op.get(&format!("/api/v1/intakes/{}/original", all[1].intake)).await.expect(200);
    assert!(original.bytes == bytes[..4096], "the original differs from what was handed in");
    (world, all)
}

#[tokio::test]
async fn folder_dms_takes_documents_byte_for_byte() {
    let (mut world, all) = goes_through(World::new("folder").with_folder_dms().start().await).await;
    for deposit in world.deposits() {
        assert_eq!(deposit.place, format!("{MATTER}/Correspondence"));
    }
    world.stop().await;
    assert_eq!(world.deposits().len(), all.iter().map(|accepted| accepted.filings.len()).sum::<usize>());
}

#[tokio::test]
async fn imanage_takes_documents_byte_for_byte() {
    let (world, _) = goes_through(World::new("imanage").with_imanage(sample()).start().await).await;
    for entry in world.sim("dms").control().ledger() {
        assert_eq!((entry.library.as_str(), entry.user.as_str()), ("ACTIVE", "POSTROOM"), "{entry:?}");
        assert_eq!(entry.extension, "PDF");
    }
}

#[tokio::test]
async fn one_key_means_one_request() {
    let mut world = World::new("keys").with_folder_dms().start().await;
    let upload = Upload::to(MATTER).file("a.pdf", document(1)).key("k-1");
    let first = world.deposit(upload.clone()).await;
    let again = world.deposit(upload.clone()).await;
    assert!(!first.again && again.again);
    assert_eq!((&first.intake, &first.filings), (&again.intake, &again.filings));

    // Other content, other words, another name: all of them are another request.
    for other in [
        Upload::to(MATTER).file("a.pdf", document(2)).key("k-1"),
        Upload::to("10442-0012").file("a.pdf", document(1)).key("k-1"),
        Upload::to(MATTER).file("b.pdf", document(1)).key("k-1"),
    ] {
        let answer = world.op().upload(&other).await.expect(409);
        assert_eq!(answer.code(), "key_reused", "{}", answer.text());
    }
    // Another caller's key is another key: the same content at the same place is then a duplicate.
    let stranger = world.api("user").upload(&upload).await.expect(202);
    assert_ne!(Accepted::of(&stranger).intake, first.intake);
    world.all_filed(std::slice::from_ref(&first)).await;
    assert_eq!(world.deposits().len(), 1);

    // Sixteen at once with one key make one intake.
    let op = world.op();
    let upload = Upload::to(MATTER).file("race.pdf", document(3)).key("k-2");
    world.handed_in.extend(upload.hashes());
    let answers = futures_util::future::join_all((0..16).map(|_| op.upload(&upload))).await;
    let intakes: std::collections::BTreeSet<String> =
        answers.into_iter().map(|answer| Accepted::of(&answer.expect(202)).intake).collect();
    assert_eq!(intakes.len(), 1, "{intakes:?}");
    world.quiet(postroom_tests::wait::PATIENCE).await;
    assert_eq!(world.deposits().len(), 2);
}

#[tokio::test]
async fn duplicates_are_linked_and_can_be_filed_anyway() {
    let mut world = World::new("duplicates").with_imanage(sample()).start().await;
    let first = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&first)).await;

    let second = world.deposit(Upload::to(MATTER).file("renamed.pdf", document(1))).await;
    let filing = world.in_state(second.filing(), &["duplicate"]).await;
    assert_eq!(filing["duplicate_of"], json!(first.filing()), "{filing:#}");
    let intake = world.op().intake(&second.intake).await;
    assert_eq!(intake["state"], "settled", "{intake:#}");
    assert_eq!(world.deposits().len(), 1);

    // Elsewhere it is no duplicate.
    let elsewhere = world.deposit(Upload::to("10442-0012").file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&elsewhere)).await;

    // A person may want a second copy, with a reason, or say so at once.
    let answer = world.op().decide(second.filing(), "retry", &json!({})).await;
    assert_eq!(answer.status, 400, "filing a duplicate anyway needs a reason: {}", answer.text());
    world.op().decide(second.filing(), "retry", &json!({"reason": "wanted twice"})).await.expect(200);
    world.in_state(second.filing(), &["filed"]).await;
    let forced = world.deposit(Upload::to(MATTER).meta("file_anyway", true).file("c.pdf", document(1))).await;
    world.in_state(forced.filing(), &["filed"]).await;
    world.assert_exactly_once(&[first, second, elsewhere, forced]).await;
}
