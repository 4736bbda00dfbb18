use std::collections::BTreeMap;

use super::*;
use crate::target::SaveMode;

fn container(id: &str, name: &str) -> Container {
    Container {
        id: id.into(),
        name: name.into(),
        open: true,
        kind: ContainerKind::Workspace,
        ..Container::default()
    }
}

fn with(fields: &[(&str, &str)], container: Container) -> Container {
    let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Container { fields, ..container }
}

fn target(workspace: WorkspaceQuery) -> Target {
    Target {
        service: "dms-eu".parse().unwrap(),
        repository: None,
        library: String::new(),
        workspace,
        folder: Vec::new(),
        create_folders: false,
        when_ambiguous: WhenAmbiguous::Ask,
        profile: BTreeMap::new(),
        create_workspace: false,
        save_mode: SaveMode::Copy,
    }
}

fn title() -> Target {
    target(WorkspaceQuery::Title("Harrow v Teal".into()))
}

fn fields() -> Target {
    let fields = [("custom1", "10442"), ("custom2", "0007")];
    target(WorkspaceQuery::Fields(fields.map(|(k, v)| (k.to_owned(), v.to_owned())).into()))
}

fn told(chosen: &Chosen) -> String {
    match chosen {
        Chosen::Use(container) => container.id.clone(),
        Chosen::Create => "create".into(),
        Chosen::Stop(stop) => stop.cause.to_string(),
    }
}

#[test]
fn what_a_search_found_is_compared_again_and_never_guessed() {
    let (creating, first) = (
        |target| Target { create_workspace: true, ..target },
        |target| Target { when_ambiguous: WhenAmbiguous::FirstMatch, ..target },
    );
    let ws = |id| container(id, "Harrow v Teal");
    let other = container("ws-9", "Harrow v Teal (closed file)");
    let closed = Container { open: false, ..ws("ws-1") };
    let search = Container { kind: ContainerKind::Search, ..ws("ws-1") };
    let right = with(&[("custom1", "10442"), ("CUSTOM2", " 0007 ")], container("ws-1", "any name"));
    let stranger = with(&[("custom1", "10442"), ("custom2", "0008")], container("ws-2", "any name"));
    let untold = container("ws-3", "any name");
    // Target, what was found, what was remembered and is gone, whether the DMS makes workspaces, and what follows.
    let table: Vec<(Target, Vec<Container>, Option<&str>, bool, &str)> = vec![
        (title(), vec![ws("ws-1")], None, false, "ws-1"),
        (title(), vec![container("ws-1", "harrow V teal ")], None, false, "ws-1"),
        (title(), vec![], None, false, "target_not_found"),
        (title(), vec![other.clone()], None, false, "target_not_found"),
        (title(), vec![other, ws("ws-1")], None, false, "ws-1"),
        (title(), vec![ws("ws-1"), ws("ws-2")], None, false, "target_ambiguous"),
        (first(title()), vec![ws("ws-1"), ws("ws-2")], None, false, "ws-1"),
        (title(), vec![closed.clone()], None, false, "target_closed"),
        (first(title()), vec![closed, ws("ws-2")], None, false, "target_closed"),
        (title(), vec![search], None, false, "rejected"),
        // A namesake of what is gone is a person's decision; what answers the full query is the same matter.
        (title(), vec![ws("ws-1")], Some("ws-0"), false, "target_ambiguous"),
        (title(), vec![ws("ws-1")], Some("ws-1"), false, "ws-1"),
        (first(title()), vec![ws("ws-1")], Some("ws-0"), false, "target_ambiguous"),
        (fields(), vec![right.clone()], Some("ws-0"), false, "ws-1"),
        (fields(), vec![stranger.clone()], Some("ws-0"), false, "target_not_found"),
        (fields(), vec![right.clone()], None, false, "ws-1"),
        (fields(), vec![stranger.clone(), right.clone()], None, false, "ws-1"),
        (fields(), vec![untold.clone()], None, false, "ws-3"),
        (fields(), vec![untold, right], None, false, "target_ambiguous"),
        (fields(), vec![stranger], None, false, "target_not_found"),
        // Made only where the fields name it, the DMS can, and nothing was there before.
        (creating(fields()), vec![], None, true, "create"),
        (creating(fields()), vec![], None, false, "target_not_found"),
        (creating(title()), vec![], None, true, "target_not_found"),
        (creating(fields()), vec![], Some("ws-0"), true, "target_not_found"),
        (fields(), vec![], None, true, "target_not_found"),
    ];
    for (number, (target, found, stale, creates, wanted)) in table.into_iter().enumerate() {
        let mut trace = Vec::new();
        let chosen = by_search(&target, found, stale, creates, &mut trace);
        assert_eq!(told(&chosen), wanted, "row {number}: {trace:?}");
        assert_eq!(trace.len(), 2, "row {number}");
    }
}

#[test]
fn a_remembered_workspace_is_checked_and_a_persons_choice_is_kept() {
    let binding = |chosen_by: Option<&str>| Binding {
        work_item: WorkItemId::from_u128(7),
        repository: "matters".parse().unwrap(),
        workspace: "ws-1".into(),
        chosen_by: chosen_by.map(str::to_owned),
        at: "2026-11-23T09:00:00Z".parse().unwrap(),
    };
    let there = || Some(Looked::There(container("ws-1", "renamed since")));
    let closed = || Some(Looked::There(Container { open: false, ..container("ws-1", "x") }));
    let gone = || Some(Looked::Gone("said 404".into()));
    let (found, person) = (binding(None), binding(Some("a.pike")));
    // Binding, what looking brought, what follows, and a word of the trace.
    let table = [
        (None, None, "search", "no workspace is remembered"),
        (Some(&found), there(), "use", "is used"),
        (Some(&person), there(), "use", "chosen by a.pike"),
        (Some(&found), closed(), "target_closed", "closed"),
        (Some(&person), closed(), "target_closed", "closed"),
        (Some(&found), gone(), "search after ws-1", "searched again"),
        (Some(&person), gone(), "target_not_found", "a.pike"),
    ];
    for (binding, looked, wanted, word) in table {
        let mut trace = Vec::new();
        let told = match by_binding(binding, looked, &mut trace) {
            Bound::Use(container) => {
                assert_eq!(container.id, "ws-1");
                "use".to_owned()
            }
            Bound::Search { stale: None } => "search".to_owned(),
            Bound::Search { stale: Some(id) } => format!("search after {id}"),
            Bound::Stop(stop) => stop.cause.to_string(),
        };
        assert_eq!(told, wanted);
        assert!(trace.len() == 1 && trace[0].contains(word), "{trace:?}");
    }
}

#[test]
fn what_stops_it_is_an_error_of_its_cause() {
    for cause in [Cause::TargetNotFound, Cause::TargetAmbiguous, Cause::TargetClosed, Cause::Rejected] {
        let error = DmsError::from(Stop::new(cause, "why"));
        assert_eq!((error.trouble().cause, error.trouble().detail.as_str()), (cause, "why"));
    }
}
