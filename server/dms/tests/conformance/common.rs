//! What every connector must do.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Content, Dms, DmsError, Found, Gauge, Upload};
use postroom_domain::target::WorkspaceQuery;

use crate::content::{Damage, Made};
use crate::world::{actor, ask, mark, send, worlds};

async fn bytes(dms: &dyn Dms, document: &str) -> Vec<u8> {
    let mut stream = dms.download(&actor(), "", document, None).await.unwrap();
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await {
        all.extend_from_slice(&chunk.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_any_size_arrive_whole_are_found_by_mark_and_come_back() {
    for (name, world) in worlds() {
        for (n, size) in [0, 1, 65_536, (5 << 20) + 7].into_iter().enumerate() {
            let content = Made::new(size, u8::try_from(n).unwrap());
            let (result, sent) =
                send(world.dms(), &world.folder(), &format!("size {size}.pdf"), n as u128, &content).await;
            let receipt = result.unwrap_or_else(|e| panic!("{name} {size}: {e}"));
            assert_eq!((receipt.size, sent), (Some(size), size), "{name}");
            assert_eq!(receipt.container, world.folder(), "{name}");
            assert!(receipt.link.is_some(), "{name}");
            assert!(receipt.hash.is_none_or(|hash| hash == content.hash()), "{name}");
            let held = world.held();
            assert_eq!(held.len(), n + 1, "{name}");
            let ours = held.iter().find(|held| held.id == receipt.document).unwrap();
            assert_eq!((ours.size, &ours.blake3), (size, &content.hex()), "{name}");
            let found =
                ask(world.dms(), &world.folder(), &format!("size {size}.pdf"), n as u128).await.unwrap();
            let Found::Yes(found) = found else { panic!("{name} {size}: {found:?}") };
            assert_eq!((found.document, found.size), (receipt.document.clone(), Some(size)), "{name}");
            let back = bytes(world.dms(), &receipt.document).await;
            assert_eq!(blake3::hash(&back).to_hex().as_str(), content.hex(), "{name} {size}");
        }
        assert_eq!(ask(world.dms(), &world.folder(), "size 0.pdf", 99).await.unwrap(), Found::No, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_and_long_names_are_taken_under_a_safe_name() {
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
    for (which, world) in worlds() {
        for (n, name) in hostile.into_iter().enumerate() {
            let safe = world.dms().safe_name(name);
            assert_eq!(world.dms().safe_name(&safe), safe, "{which} {name:?}");
            let content = Made::new(10, 3);
            let (result, _) = send(world.dms(), &world.folder(), &safe, n as u128, &content).await;
            result.unwrap_or_else(|e| panic!("{which} {name:?}: {e}"));
            let found = ask(world.dms(), &world.folder(), &safe, n as u128).await.unwrap();
            assert!(matches!(found, Found::Yes(_)), "{which} {name:?}");
        }
        let held = world.held();
        assert_eq!(held.len(), hostile.len(), "{which}");
        for held in held {
            let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | '\u{202e}');
            assert!(
                !held.name.is_empty() && !held.name.contains(bad) && !held.name.starts_with('.'),
                "{which} {held:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_names_overwrite_nothing_and_parallel_uploads_do_not_mix() {
    for (which, world) in worlds() {
        let contents: Vec<Made> = (0..24).map(|n| Made::new(100_000, n)).collect();
        let folder = world.folder();
        let uploads =
            contents.iter().enumerate().map(|(n, c)| send(world.dms(), &folder, "letter.pdf", n as u128, c));
        let results = futures_util::future::join_all(uploads).await;
        let held = world.held();
        assert_eq!(held.len(), contents.len(), "{which}");
        for (n, (result, _)) in results.into_iter().enumerate() {
            let receipt = result.unwrap_or_else(|e| panic!("{which} {n}: {e}"));
            let ours: Vec<_> = held.iter().filter(|held| held.id == receipt.document).collect();
            assert_eq!(ours.len(), 1, "{which}");
            assert_eq!(ours[0].blake3, contents[n].hex(), "{which}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_is_there_twice_is_told() {
    for (which, world) in worlds() {
        let (content, folder) = (Made::new(10, 1), world.folder());
        let (first, _) = send(world.dms(), &folder, "letter.pdf", 1, &content).await;
        let (second, _) = send(world.dms(), &folder, "letter.pdf", 1, &content).await;
        let found = ask(world.dms(), &folder, "letter.pdf", 1).await.unwrap();
        if world.traits().stores_twice {
            assert!(matches!(&found, Found::Several(all) if all.len() == 2), "{which}: {found:?}");
            assert_eq!(world.held().len(), 2, "{which}");
        } else {
            let first = first.unwrap();
            assert!(
                matches!(second, Err(DmsError::Conflict { existing: Some(there), .. }) if there == first),
                "{which}"
            );
            assert_eq!(found, Found::Yes(first), "{which}");
            assert_eq!(world.held().len(), 1, "{which}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_content_never_becomes_a_document() {
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
    for (which, world) in worlds() {
        for (n, damage) in damages.into_iter().enumerate() {
            // An error after all the bytes still is an error: the hash was found to differ only then.
            let content = Made::damaged(size, damage);
            let (result, _) = send(world.dms(), &world.folder(), "letter.pdf", n as u128, &content).await;
            let error = result.expect_err("a damaged document");
            assert!(matches!(error, DmsError::Damaged(_)), "{which} {damage:?}: {error:?}");
            assert_eq!(error.trouble().cause, Cause::StoreDamage, "{which} {damage:?}");
            assert_eq!(world.held(), [], "{which} {damage:?}");
            assert_eq!(
                ask(world.dms(), &world.folder(), "letter.pdf", n as u128).await.unwrap(),
                Found::No,
                "{which}"
            );
        }
        let (good, _) = send(world.dms(), &world.folder(), "letter.pdf", 0, &Made::new(size, 1)).await;
        assert!(good.is_ok(), "{which}: {good:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_given_up_leaves_nothing() {
    for (which, world) in worlds() {
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
            result = upload => panic!("{which}: {result:?}"),
            () = moving => {}
        }
        // The other side may need a moment to notice; what it must not do is store.
        let (after, _) = send(world.dms(), &folder, "after.pdf", 2, &Made::new(10, 1)).await;
        after.unwrap();
        assert_eq!(world.held().iter().map(|h| h.size).collect::<Vec<_>>(), [10], "{which}");
        assert_eq!(ask(world.dms(), &folder, "large.pdf", 1).await.unwrap(), Found::No, "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_closed_or_forbidden_has_its_cause() {
    for (which, world) in worlds() {
        let content = Made::new(10, 1);
        let cases = [
            (world.missing_folder(), Cause::TargetNotFound),
            ("../../etc".to_owned(), Cause::TargetNotFound),
            ("ACTIVE!1/../../x".to_owned(), Cause::TargetNotFound),
            (world.closed_folder(), Cause::TargetClosed),
        ];
        for (folder, cause) in cases {
            let (result, _) = send(world.dms(), &folder, "letter.pdf", 1, &content).await;
            let error = result.expect_err("a folder that takes nothing");
            assert_eq!(error.trouble().cause, cause, "{which} {folder}: {error}");
            assert!(matches!(error, DmsError::NotFound(_)), "{which} {folder}: {error:?}");
        }
        for id in [world.missing_folder(), "x".repeat(300), String::new()] {
            let error = world.dms().container(&actor(), "", &id).await.unwrap_err();
            assert!(matches!(error, DmsError::NotFound(_)), "{which} {id}: {error:?}");
            let error = world.dms().download(&actor(), "", &id, None).await.map(drop).unwrap_err();
            assert!(matches!(error, DmsError::NotFound(_)), "{which} {id}: {error:?}");
        }
        if world.traits().rights {
            world.forbid();
            let (result, _) = send(world.dms(), &world.folder(), "letter.pdf", 1, &content).await;
            let error = result.expect_err("a folder without the right");
            assert!(matches!(error, DmsError::Forbidden(_)), "{which}: {error:?}");
            let made = world.dms().create_folder(&actor(), "", &world.folder(), "New").await.unwrap_err();
            assert!(matches!(made, DmsError::Forbidden(_)), "{which}: {made:?}");
        }
        assert_eq!(world.held(), [], "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_are_found_by_what_equals_exactly() {
    let title = |t: &str| WorkspaceQuery::Title(t.to_owned());
    let fields = |f: &[(&str, &str)]| {
        WorkspaceQuery::Fields(f.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    };
    for (which, world) in worlds() {
        let find = async |query: WorkspaceQuery| {
            let found = world.dms().find_workspaces(&actor(), "", &query, 10).await;
            let found = found.unwrap_or_else(|e| panic!("{which} {query:?}: {e}"));
            found.into_iter().map(|c| (c.name, c.open)).collect::<Vec<_>>()
        };
        let harrow = [("Harrow v Teal".to_owned(), true)];
        assert_eq!(find(title("Harrow v Teal")).await, harrow, "{which}");
        for other in
            ["harrow v teal", "Harrow v", "Teal", "Harrow v Teal ", "", "\"Harrow v Teal\"", "*", "x/y"]
        {
            assert_eq!(find(title(other)).await, [], "{which} {other:?}");
        }
        assert_eq!(find(fields(&[("custom1", "10442"), ("custom2", "0007")])).await, harrow, "{which}");
        assert_eq!(find(fields(&[("custom1", "1044"), ("custom2", "0007")])).await, [], "{which}");
        assert_eq!(find(fields(&[("custom1", "10442"), ("custom2", "7")])).await, [], "{which}");
        let closed = find(fields(&[("custom1", "10442"), ("custom2", "0003")])).await;
        assert_eq!(closed, [("Harrow share purchase 2019".to_owned(), false)], "{which}");
        assert!(find(fields(&[("custom1", "10442")])).await.len() >= 3, "{which}");
        if world.traits().equal_titles {
            assert_eq!(
                find(title("General advice")).await.len(),
                2,
                "{which}: both, so that a person can choose"
            );
        }
        let all =
            world.dms().find_workspaces(&actor(), "", &fields(&[("custom1", "10442")]), 2).await.unwrap();
        assert_eq!(all.len(), 2, "{which}: no more than asked for");
        let id =
            world.dms().find_workspaces(&actor(), "", &title("Harrow v Teal"), 1).await.unwrap().remove(0).id;
        assert_eq!(find(WorkspaceQuery::Pinned(id.clone())).await, harrow, "{which}");
        assert_eq!(find(WorkspaceQuery::Pinned("ACTIVE!424242".into())).await, [], "{which}");
        assert_eq!(world.dms().container(&actor(), "", &id).await.unwrap().id, id, "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_listings_are_read_page_by_page_without_gaps_or_repeats() {
    for (which, world) in worlds() {
        let large = world.with_folders(1_200);
        let (mut names, mut page, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let listed = world.dms().folders(&actor(), "", &large, page.as_deref()).await.unwrap();
            names.extend(listed.items.into_iter().map(|folder| folder.name));
            pages += 1;
            assert!(pages < 50, "{which}: no end");
            match listed.next {
                Some(next) => page = Some(next),
                None => break,
            }
        }
        let wanted: Vec<String> = (0..1_200).map(|n| format!("folder-{n:04}")).collect();
        assert_eq!(names, wanted, "{which}");
        assert!(pages >= 12, "{which}: {pages} pages of 100");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_and_then_found() {
    for (which, world) in worlds() {
        let parent = world.folder();
        let made = world.dms().create_folder(&actor(), "", &parent, "From the client").await.unwrap();
        assert_eq!((made.name.as_str(), made.open), ("From the client", true), "{which}");
        let listed = world.dms().folders(&actor(), "", &parent, None).await.unwrap();
        assert_eq!(listed.items.iter().map(|f| &f.id).collect::<Vec<_>>(), [&made.id], "{which}");
        let (filed, _) = send(world.dms(), &made.id, "letter.pdf", 1, &Made::new(5, 1)).await;
        assert_eq!(filed.unwrap().container, made.id, "{which}");
        let again = world.dms().create_folder(&actor(), "", &parent, "From the client").await;
        if world.traits().unique_folders {
            assert!(matches!(again, Err(DmsError::Conflict { .. })), "{which}: {again:?}");
        }
        for bad in ["", "line\nbreak", &"x".repeat(300)] {
            let error = world.dms().create_folder(&actor(), "", &parent, bad).await.unwrap_err();
            assert!(
                matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == "folder"),
                "{which} {bad:?}: {error:?}"
            );
        }
        let error =
            world.dms().create_folder(&actor(), "", &world.missing_folder(), "New").await.unwrap_err();
        assert!(matches!(error, DmsError::NotFound(_)), "{which}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_tells_who_it_is_and_what_it_can_do() {
    for (which, world) in worlds() {
        let account = world.dms().whoami().await.unwrap();
        assert!(!account.id.is_empty() && !account.name.is_empty(), "{which}");
        assert!(world.dms().capabilities().probe, "{which}: without it no lost answer could be settled");
    }
}
