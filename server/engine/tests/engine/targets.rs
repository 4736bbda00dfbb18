//! Where a document goes, and where it never does.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::filing::State;
use postroom_domain::store::Binding;
use postroom_domain::target::{Target, WhenAmbiguous, WorkspaceQuery};
use postroom_domain::time::Clock;

use crate::double::{Fault, container};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_place_is_found_exactly_or_not_at_all() {
    let world = World::new();
    {
        let dms = world.dms();
        let mut state = dms.state();
        state.workspaces.push(container("ws-2", "Twins"));
        state.workspaces.push(container("ws-3", "Twins"));
        state.workspaces.push(postroom_domain::dms::Container { open: false, ..container("ws-4", "Closed") });
        let folders =
            ["In", "Out", "in-tray", "Post", "POST"].map(|name| container(&format!("f-{name}"), name));
        state.folders.insert("ws-1".to_owned(), folders.into());
    }
    let title = |title: &str| WorkspaceQuery::Title(title.to_owned());
    let folder = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let base = World::target("dms");
    let to = |names: &[&str]| Target { folder: folder(names), ..base.clone() };
    let create = |target| Target { create_folders: true, ..target };
    let first = |target| Target { when_ambiguous: WhenAmbiguous::FirstMatch, ..target };
    let named = |name: &str| Target { workspace: title(name), ..base.clone() };
    // Target, and the container it leads to or the cause it fails with.
    let table: &[(Target, Result<&str, Cause>)] = &[
        (base.clone(), Ok("ws-1")),
        (named("harrow v teal"), Err(Cause::TargetNotFound)),
        (named("Twins"), Err(Cause::TargetAmbiguous)),
        (first(named("Twins")), Ok("ws-2")),
        (named("Closed"), Err(Cause::TargetClosed)),
        (Target { workspace: WorkspaceQuery::Pinned("ws-3".to_owned()), ..base.clone() }, Ok("ws-3")),
        (
            Target { workspace: WorkspaceQuery::Pinned("ws-9".to_owned()), ..base.clone() },
            Err(Cause::TargetNotFound),
        ),
        (to(&["Out"]), Ok("f-Out")),
        (to(&["IN-TRAY"]), Ok("f-in-tray")),
        (to(&["Post"]), Ok("f-Post")),
        (to(&["post"]), Err(Cause::TargetAmbiguous)),
        (to(&["Nowhere"]), Err(Cause::TargetNotFound)),
        (to(&["Out", "2025"]), Err(Cause::TargetNotFound)),
        (create(to(&["Out", "2026", "May"])), Ok("f-Out/2026/May")),
    ];
    world.clock.attach();
    let mut ids = Vec::new();
    for (target, _) in table {
        ids.push(world.accept_to("scans", target.clone()).await);
    }
    let _engine = world.start().await;
    for (filing, (target, wanted)) in world.settle(&ids).await.into_iter().zip(table) {
        let words = target.in_words();
        match wanted {
            Ok(container) => {
                assert_eq!(filing.progress.state, State::Filed, "{words}: {:?}", filing.progress);
                assert_eq!(world.dms().held(filing.id)[0].container, *container, "{words}");
            }
            Err(cause) => {
                assert_eq!(
                    (filing.progress.state, filing.progress.cause()),
                    (State::Failed, Some(*cause)),
                    "{words}"
                );
                assert!(world.dms().held(filing.id).is_empty());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_search_and_one_new_folder_serve_everybody() {
    let mut world = World::new();
    world.settings.concurrency = 16;
    let path = vec!["Correspondence".to_owned(), "2026".to_owned()];
    let target = Target { folder: path, create_folders: true, ..World::target("dms") };
    world.clock.attach();
    let mut ids = Vec::new();
    for _ in 0..64 {
        ids.push(world.accept_to("scans", target.clone()).await);
    }
    let _engine = world.start().await;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    let dms = world.dms();
    let state = dms.state();
    assert_eq!((state.searches, state.created, state.listings), (1, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_workspace_that_moved_is_found_again_and_a_persons_choice_is_not_replaced() {
    // The remembered place is gone: it is looked up once more within the same attempt.
    let world = World::new();
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    world.until_state(&ids, State::Filed).await;
    world.dms().state().workspaces = vec![container("ws-7", "Harrow v Teal")];
    let ids = world.accept("scans", "dms", 1).await;
    let filings = world.until_state(&ids, State::Filed).await;
    assert_eq!(world.dms().held(ids[0])[0].container, "ws-7");
    assert_eq!(filings[0].progress.generation, 1);

    // A person chose between two of that name; their choice was deleted, and the other one is not taken for it.
    let world = World::new();
    world.clock.attach();
    world.dms().state().workspaces = vec![container("ws-2", "Harrow v Teal")];
    let work_item = postroom_domain::ids::WorkItemId::from_u128(7);
    let repository: postroom_domain::ids::RepositoryName = "matters".parse().unwrap();
    let bind = |workspace: &str, chosen_by: Option<&str>| Binding {
        work_item,
        repository: repository.clone(),
        workspace: workspace.to_owned(),
        chosen_by: chosen_by.map(str::to_owned),
        at: world.clock.now(),
    };
    world.store.bind(work_item, &repository, Some(bind("ws-gone", Some("a.pike"))), None).await.unwrap();
    let target = Target { repository: Some(repository.clone()), ..World::target("dms") };
    let ids = vec![world.accept_for("scans", target.clone(), work_item).await];
    let _engine = world.start().await;
    let filing = world.settle(&ids).await.remove(0);
    assert_eq!(
        (filing.progress.state, filing.progress.cause()),
        (State::Failed, Some(Cause::TargetNotFound))
    );
    assert!(filing.progress.trouble.unwrap().detail.contains("a.pike"));
    // What a search had found is searched again; one that has only the title in common is for a person, who then chooses it.
    world.store.bind(work_item, &repository, Some(bind("ws-gone", None)), None).await.unwrap();
    let ids = vec![world.accept_for("scans", target.clone(), work_item).await];
    let filing = world.settle(&ids).await.remove(0);
    assert_eq!(
        (filing.progress.state, filing.progress.cause()),
        (State::Failed, Some(Cause::TargetAmbiguous))
    );
    assert!(filing.progress.trouble.unwrap().detail.contains("only the title in common"));
    world.store.bind(work_item, &repository, Some(bind("ws-2", Some("a.pike"))), None).await.unwrap();
    let ids = vec![world.accept_for("scans", target, work_item).await];
    world.until_state(&ids, State::Filed).await;
    let binding = world.store.binding(work_item, &repository).await.unwrap().unwrap();
    assert_eq!((binding.workspace.as_str(), binding.chosen_by.as_deref()), ("ws-2", Some("a.pike")));
}

/// Client and matter of a workspace.
fn fields(client: &str, matter: &str) -> std::collections::BTreeMap<String, String> {
    [("custom1", client), ("custom2", matter)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

fn by_fields() -> Target {
    let query = WorkspaceQuery::Fields(fields("10442", "0007").into_iter().collect());
    Target { workspace: query, repository: Some("matters".parse().unwrap()), ..World::target("dms") }
}

/// 404 and 403 are the same: hidden is as good as gone. What answers to every field is the same matter, and the history keeps it.
#[tokio::test(start_paused = true)]
async fn a_stale_workspace_is_replaced_only_by_one_that_answers_to_every_field() {
    for hidden in [false, true] {
        let world = World::new();
        world.clock.attach();
        let workspace = |id: &str, matter: &str| postroom_domain::dms::Container {
            fields: fields("10442", matter),
            ..container(id, "Harrow v Teal")
        };
        let work_item = postroom_domain::ids::WorkItemId::from_u128(7);
        let repository: postroom_domain::ids::RepositoryName = "matters".parse().unwrap();
        world.dms().state().workspaces = vec![workspace("ws-1", "0007"), workspace("ws-8", "0008")];
        let _engine = world.start().await;
        let ids = vec![world.accept_for("scans", by_fields(), work_item).await];
        world.until_state(&ids, State::Filed).await;
        assert_eq!(world.dms().held(ids[0])[0].container, "ws-1");
        // It goes away, and nothing else answers: a stranger's workspace with the same title does not count.
        if hidden {
            world.dms().state().hidden = vec!["ws-1".to_owned()];
        } else {
            world.dms().state().workspaces.remove(0);
        }
        tokio::time::sleep(Duration::from_mins(2)).await;
        let ids = vec![world.accept_for("scans", by_fields(), work_item).await];
        let filing = world.settle(&ids).await.remove(0);
        assert_eq!(
            (filing.progress.state, filing.progress.cause()),
            (State::Failed, Some(Cause::TargetNotFound))
        );
        // Another one answers.
        world.dms().state().workspaces.push(workspace("ws-9", "0007"));
        tokio::time::sleep(Duration::from_mins(2)).await;
        let ids = vec![world.accept_for("scans", by_fields(), work_item).await];
        world.until_state(&ids, State::Filed).await;
        assert_eq!(world.dms().held(ids[0])[0].container, "ws-9");
        let binding = world.store.binding(work_item, &repository).await.unwrap().unwrap();
        assert_eq!((binding.workspace.as_str(), binding.chosen_by), ("ws-9", None));
        let about = postroom_domain::event::Subject::WorkItem(work_item);
        let told = world.store.events_about(&about, 9).await.unwrap();
        assert_eq!(told.len(), 1, "hidden: {hidden}");
        assert!(
            told[0].event.note.contains("ws-1") && told[0].event.note.contains("ws-9"),
            "{:?}",
            told[0].event.note
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_workspace_is_made_once_where_the_fields_name_it_and_the_dms_can() {
    for (wanted, can) in [(true, true), (true, false), (false, true)] {
        let mut world = World::new();
        world.settings.concurrency = 8;
        world.dms().state().capabilities.create_workspaces = can;
        world.clock.attach();
        let target = Target { create_workspace: wanted, ..by_fields() };
        let mut ids = Vec::new();
        for number in 0..8 {
            // Several work items, so that it is not one search that serves all.
            let item = postroom_domain::ids::WorkItemId::from_u128(number % 3);
            ids.push(world.accept_for("scans", target.clone(), item).await);
        }
        let _engine = world.start().await;
        let filings = world.settle(&ids).await;
        let made = world.dms().state().workspaces_made;
        if wanted && can {
            world.assert_filed_once(&filings);
            assert_eq!(made, 1);
        } else {
            assert!(filings.iter().all(|filing| filing.progress.cause() == Some(Cause::TargetNotFound)));
            assert_eq!(made, 0);
        }
    }
}

/// A work item that was started from a folder: its documents go back there, also where the DMS takes none in bare workspaces.
#[tokio::test(start_paused = true)]
async fn a_folder_named_by_its_id_takes_documents_a_saved_search_does_not() {
    use postroom_domain::dms::{Container, ContainerKind};
    let world = World::new();
    {
        let dms = world.dms();
        let mut state = dms.state();
        state.capabilities.files_in_workspace = false;
        let kind =
            |id: &str, kind| Container { kind, workspace: Some("ws-1".to_owned()), ..container(id, id) };
        let folders = [
            kind("f-1", ContainerKind::Folder),
            kind("s-1", ContainerKind::Search),
            Container { open: false, ..kind("f-2", ContainerKind::Folder) },
        ];
        state.folders.insert("ws-1".to_owned(), folders.into());
        state.workspaces[0].kind = ContainerKind::Workspace;
    }
    let pinned =
        |id: &str| Target { workspace: WorkspaceQuery::Pinned(id.to_owned()), ..World::target("dms") };
    let below = Target { folder: vec!["New".to_owned()], create_folders: true, ..pinned("f-1") };
    let table = [
        (pinned("f-1"), Ok("f-1")),
        (below, Ok("f-1/New")),
        (pinned("f-2"), Err(Cause::TargetClosed)),
        (pinned("s-1"), Err(Cause::Rejected)),
        (pinned("ws-1"), Err(Cause::Unsupported)),
        (pinned("f-9"), Err(Cause::TargetNotFound)),
    ];
    world.clock.attach();
    let _engine = world.start().await;
    for (target, wanted) in table {
        let ids = vec![world.accept_to("scans", target.clone()).await];
        let filing = world.settle(&ids).await.remove(0);
        match wanted {
            Ok(container) => {
                assert_eq!(world.dms().held(ids[0])[0].container, container, "{:?}", filing.progress);
            }
            Err(cause) => assert_eq!(filing.progress.cause(), Some(cause), "{}", target.in_words()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_before_the_place_was_known_the_place_is_found_to_ask_there() {
    let world = World::new();
    world.dms().state().script = [Fault::HangAfter].into();
    let target = Target { folder: vec!["New".to_owned()], create_folders: true, ..World::target("dms") };
    world.clock.attach();
    let ids = vec![world.accept_to("scans", target).await];
    let engine = world.start().await;
    world.until_state(&ids, State::Running).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.dms().held(ids[0]).len(), 1);
    // The process ends here without a word; a second engine on the same store stands for its successor.
    drop(engine);
    let _engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    world.assert_filed_once(&filings);
    assert_eq!(world.dms().state().uploads.len(), 1);
}
