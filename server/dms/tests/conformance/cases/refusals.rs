//! What a DMS refuses, and why: nothing is stored then.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, Found, RetryAfter};

use crate::content::Made;
use crate::table::Outcome;
use crate::world::{Held, Sending, World, actor, ask, send, send_onto};

crate::worlds::cases![
    what_is_missing_has_its_cause,
    a_closed_workspace_takes_nothing,
    a_workspace_that_closes_takes_nothing_more,
    a_folder_that_vanishes_takes_nothing_more,
    a_missing_right_is_told,
    a_locked_document_takes_no_version,
    a_wait_that_is_asked_for_is_told_and_nothing_is_stored,
];

async fn what_is_missing_has_its_cause(world: &dyn World) -> Outcome {
    let content = Made::new(10, 1);
    for folder in [&world.missing_folder(), "../../etc", "ACTIVE!1/../../x"] {
        let (result, _) = send(world.dms(), folder, "letter.pdf", 1, &content).await;
        let error = result.expect_err("a folder that takes nothing");
        assert_eq!(error.trouble().cause, Cause::TargetNotFound, "{folder}: {error}");
        assert!(matches!(error, DmsError::NotFound(_)), "{folder}: {error:?}");
    }
    for id in [world.missing_folder(), "x".repeat(300), String::new()] {
        let error = world.dms().container(&actor(), "", &id).await.unwrap_err();
        assert!(matches!(error, DmsError::NotFound(_)), "{id}: {error:?}");
        let error = world.dms().document(&actor(), "", &id).await.unwrap_err();
        assert!(matches!(error, DmsError::NotFound(_)), "{id}: {error:?}");
        let error = world.dms().download(&actor(), "", &id, None).await.map(drop).unwrap_err();
        assert!(matches!(error, DmsError::NotFound(_)), "{id}: {error:?}");
    }
    assert_eq!(world.held(), []);
    Outcome::Held
}

async fn a_closed_workspace_takes_nothing(world: &dyn World) -> Outcome {
    let (result, _) = send(world.dms(), &world.closed_folder(), "letter.pdf", 1, &Made::new(10, 1)).await;
    closed(&result.expect_err("a closed folder"));
    assert_eq!(world.held(), []);
    Outcome::Held
}

async fn a_workspace_that_closes_takes_nothing_more(world: &dyn World) -> Outcome {
    let folder = world.folder();
    send(world.dms(), &folder, "before.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let before = world.held();
    if !world.close_workspace() {
        return Outcome::NotHere("workspaces do not close");
    }
    let (result, _) = send(world.dms(), &folder, "after.pdf", 2, &Made::new(10, 1)).await;
    closed(&result.expect_err("a closed folder"));
    assert_eq!(world.held(), before);
    // What was filed before still is found: a lost answer can be settled after the workspace has closed.
    assert!(matches!(ask(world.dms(), &folder, "before.pdf", 1).await.unwrap(), Found::Yes(_)));
    Outcome::Held
}

fn closed(error: &DmsError) {
    assert_eq!(error.trouble().cause, Cause::TargetClosed, "{error}");
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
}

async fn a_folder_that_vanishes_takes_nothing_more(world: &dyn World) -> Outcome {
    let folder = world.folder();
    // The connector has seen it, and may remember what it is.
    world.dms().container(&actor(), "", &folder).await.unwrap();
    if !world.vanish_folder() {
        return Outcome::NotHere("folders do not vanish");
    }
    let (result, _) = send(world.dms(), &folder, "letter.pdf", 1, &Made::new(10, 1)).await;
    let error = result.expect_err("a folder that is gone");
    assert_eq!(error.trouble().cause, Cause::TargetNotFound, "{error}");
    assert_eq!(world.held(), []);
    match ask(world.dms(), &folder, "letter.pdf", 1).await {
        Ok(found) => assert_eq!(found, Found::No),
        Err(error) => assert!(matches!(error, DmsError::NotFound(_)), "{error:?}"),
    }
    Outcome::Held
}

async fn a_missing_right_is_told(world: &dyn World) -> Outcome {
    if !world.traits().rights {
        return Outcome::NotHere("rights cannot be taken away");
    }
    world.forbid();
    let (result, _) = send(world.dms(), &world.folder(), "letter.pdf", 1, &Made::new(10, 1)).await;
    let error = result.expect_err("a folder without the right");
    assert!(matches!(error, DmsError::Forbidden(_)), "{error:?}");
    if world.dms().capabilities().create_folders {
        let made = world.dms().create_folder(&actor(), "", &world.folder(), "New").await.unwrap_err();
        assert!(matches!(made, DmsError::Forbidden(_)), "{made:?}");
    }
    assert_eq!(world.held(), []);
    Outcome::Held
}

async fn a_locked_document_takes_no_version(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().versions {
        return Outcome::Off("versions");
    }
    let folder = world.folder();
    let receipt = send(world.dms(), &folder, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let Some(holder) = world.lock(&receipt.document) else { return Outcome::NotHere("nobody locks") };
    let before = world.held();
    let (result, _) =
        send_onto(world.dms(), &folder, &receipt.document, "letter.pdf", 2, &Made::new(11, 2)).await;
    let error = result.expect_err("a locked document");
    let DmsError::Locked { by, .. } = &error else { panic!("{error:?}") };
    assert!(by.as_ref().is_none_or(|by| *by == holder), "{by:?}, not {holder}");
    let told = world.dms().document(&actor(), "", &receipt.document).await.unwrap();
    assert!(told.locked_by.is_some(), "{told:?}");
    assert_eq!(world.held(), before);
    Outcome::Held
}

async fn a_wait_that_is_asked_for_is_told_and_nothing_is_stored(world: &dyn World) -> Outcome {
    let folder = world.folder();
    // Sign-in and discovery are over before.
    let first = send(world.dms(), &folder, "first.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let before = world.held();
    for sending in [Sending::New, Sending::Version] {
        if sending == Sending::Version && !world.dms().capabilities().versions {
            continue;
        }
        if !world.throttle_next(1) {
            return Outcome::NotHere("nothing throttles");
        }
        let content = Made::new(100_000, 3);
        let error = match sending {
            Sending::New => send(world.dms(), &folder, "second.pdf", 2, &content).await,
            Sending::Version => {
                send_onto(world.dms(), &folder, &first.document, "first.pdf", 2, &content).await
            }
        };
        let error = error.0.expect_err("a DMS that wants to be left alone");
        assert!(
            matches!(&error, DmsError::Throttled { until: Some(RetryAfter::Seconds(1)), .. }),
            "{sending:?}: {error:?}"
        );
        assert_eq!(world.held(), before, "{sending:?}");
    }
    world.calm();
    send(world.dms(), &folder, "second.pdf", 2, &Made::new(10, 3)).await.0.unwrap();
    let sizes: Vec<Held> = world.held();
    assert_eq!(sizes.len(), before.len() + 1);
    Outcome::Held
}
