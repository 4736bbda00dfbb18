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
    world.store.bind(work_item, &repository, Some(bind("ws-gone", Some("a.pike")))).await.unwrap();
    let target = Target { repository: Some(repository.clone()), ..World::target("dms") };
    let ids = vec![world.accept_for("scans", target.clone(), work_item).await];
    let _engine = world.start().await;
    let filing = world.settle(&ids).await.remove(0);
    assert_eq!(
        (filing.progress.state, filing.progress.cause()),
        (State::Failed, Some(Cause::TargetNotFound))
    );
    assert!(filing.progress.trouble.unwrap().detail.contains("a.pike"));
    // What a search had found is searched again, and remembered.
    world.store.bind(work_item, &repository, Some(bind("ws-gone", None))).await.unwrap();
    let ids = vec![world.accept_for("scans", target, work_item).await];
    world.until_state(&ids, State::Filed).await;
    let binding = world.store.binding(work_item, &repository).await.unwrap().unwrap();
    assert_eq!((binding.workspace.as_str(), binding.chosen_by), ("ws-2", None));
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
