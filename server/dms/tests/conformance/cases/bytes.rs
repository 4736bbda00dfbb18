//! Documents of all sizes and names, on their way in and back.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Content, DmsError, Found, Gauge, Upload};

use crate::content::{Damage, Made};
use crate::table::Outcome;
use crate::world::{World, actor, ask, fetch, mark, send};

crate::worlds::cases![
    documents_of_any_size_arrive_whole_are_found_by_mark_and_come_back,
    a_large_document_never_is_in_memory,
    hostile_and_long_names_are_taken_under_a_safe_name,
    equal_names_overwrite_nothing_and_parallel_uploads_do_not_mix,
    a_mark_that_is_there_twice_is_told,
    damaged_content_never_becomes_a_document,
    an_upload_that_is_given_up_leaves_nothing,
];

async fn documents_of_any_size_arrive_whole_are_found_by_mark_and_come_back(world: &dyn World) -> Outcome {
    for (n, size) in [0, 1, 65_536, (5 << 20) + 7].into_iter().enumerate() {
        let content = Made::new(size, u8::try_from(n).unwrap());
        let (result, sent) =
            send(world.dms(), &world.folder(), &format!("size {size}.pdf"), n as u128, &content).await;
        let receipt = result.unwrap_or_else(|e| panic!("{size}: {e}"));
        assert_eq!(sent, size);
        assert!(receipt.size.is_none_or(|told| told == size), "{receipt:?}");
        assert_eq!(receipt.container, world.folder());
        assert!(receipt.link.is_some());
        assert!(receipt.hash.is_none_or(|hash| hash == content.hash()));
        let held = world.held();
        assert_eq!(held.len(), n + 1);
        let ours = held.iter().find(|held| held.id == receipt.document).unwrap();
        assert_eq!((ours.size, &ours.blake3), (size, &content.hex()));
        let found = ask(world.dms(), &world.folder(), &format!("size {size}.pdf"), n as u128).await.unwrap();
        let Found::Yes(found) = found else { panic!("{size}: {found:?}") };
        assert_eq!((&found.document, found.size), (&receipt.document, receipt.size));
        assert_eq!(fetch(world.dms(), &receipt.document, None).await.unwrap(), (content.hex(), size));
    }
    assert_eq!(ask(world.dms(), &world.folder(), "size 0.pdf", 99).await.unwrap(), Found::No);
    Outcome::Held
}

async fn a_large_document_never_is_in_memory(world: &dyn World) -> Outcome {
    let content = Made::new(50 << 20, 7);
    let (result, sent) = send(world.dms(), &world.folder(), "large.pdf", 1, &content).await;
    let receipt = result.unwrap();
    assert_eq!(sent, 50 << 20);
    assert!(content.most_in_memory() <= 4 << 20, "{} bytes at once", content.most_in_memory());
    let held = world.held();
    assert_eq!(
        held.iter().map(|h| (h.size, h.blake3.clone())).collect::<Vec<_>>(),
        [(50 << 20, content.hex())]
    );
    assert_eq!(fetch(world.dms(), &receipt.document, None).await.unwrap(), (content.hex(), 50 << 20));
    Outcome::Held
}

async fn hostile_and_long_names_are_taken_under_a_safe_name(world: &dyn World) -> Outcome {
    let long = format!("{}.docx", "x".repeat(300));
    let wide = format!("{}.pdf", "契".repeat(300));
    let hostile = [
        "a/b\\c:d*e?f\"g<h>i|j.pdf",
        "../../etc/passwd",
        "line\r\nbreak\u{0}.txt",
        "invoice\u{202e}fdp.exe",
        "🗂 bundle.pdf",
        &long,
        &wide,
        "CON",
        "nul.txt",
        "LPT1.pdf",
        ".hidden",
        ".pdf",
        "trailing. . .",
        "  spaced.pdf  ",
        "",
        "workspace",
        "no extension",
        "quote's \"double\" & <tag>.pdf",
        "%2e%2e%2f.pdf",
        "tab\there.txt",
        "ünïcödé.pdf",
        "a\u{301}.pdf",
    ];
    for (n, name) in hostile.into_iter().enumerate() {
        let safe = world.dms().safe_name(name);
        assert_eq!(world.dms().safe_name(&safe), safe, "{name:?}");
        let content = Made::new(10, 3);
        let (result, _) = send(world.dms(), &world.folder(), &safe, n as u128, &content).await;
        result.unwrap_or_else(|e| panic!("{name:?}: {e}"));
        let found = ask(world.dms(), &world.folder(), &safe, n as u128).await.unwrap();
        assert!(matches!(found, Found::Yes(_)), "{name:?}");
    }
    let held = world.held();
    assert_eq!(held.len(), hostile.len());
    for held in held {
        let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | '\u{202e}');
        assert!(!held.name.is_empty() && !held.name.contains(bad) && !held.name.starts_with('.'), "{held:?}");
    }
    Outcome::Held
}

async fn equal_names_overwrite_nothing_and_parallel_uploads_do_not_mix(world: &dyn World) -> Outcome {
    let contents: Vec<Made> = (0..24).map(|n| Made::new(100_000, n)).collect();
    let folder = world.folder();
    let uploads =
        contents.iter().enumerate().map(|(n, c)| send(world.dms(), &folder, "letter.pdf", n as u128, c));
    let results = futures_util::future::join_all(uploads).await;
    let held = world.held();
    assert_eq!(held.len(), contents.len());
    for (n, (result, _)) in results.into_iter().enumerate() {
        let receipt = result.unwrap_or_else(|e| panic!("{n}: {e}"));
        let ours: Vec<_> = held.iter().filter(|held| held.id == receipt.document).collect();
        assert_eq!(ours.len(), 1);
        assert_eq!(ours[0].blake3, contents[n].hex());
    }
    Outcome::Held
}

async fn a_mark_that_is_there_twice_is_told(world: &dyn World) -> Outcome {
    let (content, folder) = (Made::new(10, 1), world.folder());
    let (first, _) = send(world.dms(), &folder, "letter.pdf", 1, &content).await;
    let (second, _) = send(world.dms(), &folder, "letter.pdf", 1, &content).await;
    let found = ask(world.dms(), &folder, "letter.pdf", 1).await.unwrap();
    if world.traits().stores_twice {
        assert!(matches!(&found, Found::Several(all) if all.len() == 2), "{found:?}");
        assert_eq!(world.held().len(), 2);
    } else {
        let first = first.unwrap();
        assert!(matches!(second, Err(DmsError::Conflict { existing: Some(there), .. }) if there == first));
        assert_eq!(found, Found::Yes(first));
        assert_eq!(world.held().len(), 1);
    }
    Outcome::Held
}

async fn damaged_content_never_becomes_a_document(world: &dyn World) -> Outcome {
    let size = 3 * 65_536;
    let damages = [
        Damage::Closed,
        Damage::ErrorAfter(0),
        Damage::ErrorAfter(65_536),
        Damage::ErrorAfter(size - 1),
        Damage::ErrorAfter(size),
        Damage::ShortBy(1),
        Damage::ShortBy(size),
        Damage::LongBy(1),
        Damage::LongBy(size),
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        // An error after all the bytes still is an error: the hash was found to differ only then.
        let content = Made::damaged(size, damage);
        let (result, _) = send(world.dms(), &world.folder(), "letter.pdf", n as u128, &content).await;
        let error = result.expect_err("a damaged document");
        assert!(matches!(error, DmsError::Damaged(_)), "{damage:?}: {error:?}");
        assert_eq!(error.trouble().cause, Cause::StoreDamage, "{damage:?}");
        assert_eq!(world.held(), [], "{damage:?}");
        assert_eq!(ask(world.dms(), &world.folder(), "letter.pdf", n as u128).await.unwrap(), Found::No);
    }
    let (good, _) = send(world.dms(), &world.folder(), "letter.pdf", 0, &Made::new(size, 1)).await;
    assert!(good.is_ok(), "{good:?}");
    Outcome::Held
}

async fn an_upload_that_is_given_up_leaves_nothing(world: &dyn World) -> Outcome {
    let (content, actor, gauge, profile) =
        (Made::new(32 << 20, 1), actor(), Gauge::default(), BTreeMap::default());
    let folder = world.folder();
    let upload = world.dms().upload(Upload {
        actor: &actor,
        library: "",
        container: &folder,
        name: "large.pdf",
        media_type: "application/pdf",
        profile: &profile,
        received: jiff::Timestamp::UNIX_EPOCH,
        mark: mark(1),
        content: &content,
        gauge: &gauge,
        onto: None,
    });
    let moving = async {
        while gauge.bytes() < 1 << 20 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = upload => panic!("{result:?}"),
        () = moving => {}
    }
    // The other side may need a moment to notice, and say until then that it cannot tell; what it must not do is store.
    let (after, _) = send(world.dms(), &folder, "after.pdf", 2, &Made::new(10, 1)).await;
    after.unwrap();
    assert_eq!(world.held().iter().map(|h| h.size).collect::<Vec<_>>(), [10]);
    let told = async {
        loop {
            match ask(world.dms(), &folder, "large.pdf", 1).await {
                Err(DmsError::Unavailable(trouble)) if trouble.cause == Cause::ServerFault => {}
                other => break other,
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await.expect("the probe never tells");
    assert_eq!(told.unwrap(), Found::No);
    assert_eq!(world.held().iter().map(|h| h.size).collect::<Vec<_>>(), [10]);
    Outcome::Held
}
