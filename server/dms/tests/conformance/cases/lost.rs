//! Connections that break while a document is on its way: the DMS is asked before anything is sent again, and tells the truth.

use postroom_domain::dms::{DmsError, DmsResult, Found, Receipt};

use crate::content::Made;
use crate::table::Outcome;
use crate::world::{Moment, Sending, World, ask, ask_onto, send, send_onto};

crate::worlds::cases![
    a_lost_answer_to_a_new_document_is_settled_by_a_probe,
    a_lost_answer_to_a_new_version_is_settled_by_a_probe,
];

const MOMENTS: [Moment; 3] = [Moment::First, Moment::Middle, Moment::Last];

/// Whether a broken upload says nothing more than is known.
fn fits(result: DmsResult<Receipt>, moment: Moment) {
    let error = result.expect_err("a broken connection");
    match moment {
        // The document may be there: only a probe tells.
        Moment::Last => assert!(matches!(error, DmsError::UnknownOutcome(_)), "{error:?}"),
        Moment::First | Moment::Middle => {
            let fits = matches!(error, DmsError::UnknownOutcome(_) | DmsError::Unavailable(_));
            assert!(fits, "{moment:?}: {error:?}");
        }
    }
}

async fn a_lost_answer_to_a_new_document_is_settled_by_a_probe(world: &dyn World) -> Outcome {
    let (folder, name) = (world.folder(), "letter.pdf");
    // Sign-in and discovery are over before.
    send(world.dms(), &folder, "first.pdf", 0, &Made::new(10, 1)).await.0.unwrap();
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        let (before, content) = (world.held().len(), Made::new(1 << 20, u8::try_from(n).unwrap()));
        let n = 10 + n as u128;
        if !world.lose_next_answer(Sending::New, moment) {
            return Outcome::NotHere("no connection breaks");
        }
        fits(send(world.dms(), &folder, name, n, &content).await.0, moment);
        world.calm();
        let found = ask(world.dms(), &folder, name, n).await.unwrap();
        if moment == Moment::Last {
            let Found::Yes(receipt) = found else { panic!("{found:?}") };
            let held = world.held();
            let ours = held.iter().find(|held| held.id == receipt.document).unwrap();
            assert_eq!((ours.size, &ours.blake3), (content.size, &content.hex()));
            assert!(receipt.size.is_none_or(|size| size == content.size), "{receipt:?}");
        } else {
            assert_eq!(found, Found::No, "{moment:?}");
            assert_eq!(world.held().len(), before, "{moment:?}");
            send(world.dms(), &folder, name, n, &content).await.0.unwrap();
        }
        assert_eq!(world.held().len(), before + 1, "{moment:?}: once, and once only");
    }
    Outcome::Held
}

async fn a_lost_answer_to_a_new_version_is_settled_by_a_probe(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().versions {
        return Outcome::Off("versions");
    }
    let (folder, name) = (world.folder(), "letter.pdf");
    let first = send(world.dms(), &folder, name, 0, &Made::new(10, 1)).await.0.unwrap().document;
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        let (before, content) = (world.held().len(), Made::new(1 << 20, u8::try_from(n).unwrap()));
        let n = 10 + n as u128;
        if !world.lose_next_answer(Sending::Version, moment) {
            return Outcome::NotHere("no connection breaks");
        }
        fits(send_onto(world.dms(), &folder, &first, name, n, &content).await.0, moment);
        world.calm();
        let found = ask_onto(world.dms(), &folder, &first, name, n).await.unwrap();
        if moment == Moment::Last {
            let Found::Yes(receipt) = found else { panic!("{found:?}") };
            assert!(receipt.size.is_none_or(|size| size == content.size), "{receipt:?}");
            assert!(receipt.version.is_some(), "{receipt:?}");
        } else {
            assert_eq!(found, Found::No, "{moment:?}");
            assert_eq!(world.held().len(), before, "{moment:?}");
            send_onto(world.dms(), &folder, &first, name, n, &content).await.0.unwrap();
        }
        let held = world.held();
        assert_eq!(held.len(), before + 1, "{moment:?}: once, and once only");
        assert_eq!(held.iter().filter(|held| held.blake3 == content.hex()).count(), 1, "{moment:?}");
    }
    Outcome::Held
}
