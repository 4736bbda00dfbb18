//! What every store promises, one case per promise.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::filing::{Lane, Outcome, State};
use postroom_domain::ids::{BlobHash, FilingId, IntakeId, WorkItemId};
use postroom_domain::intake::{IntakeState, NeedsPerson};
use postroom_domain::machine::Event;
use postroom_domain::person::Scope;
use postroom_domain::query::{FilingQuery, IntakeQuery, Predicate, Term, Window};
use postroom_domain::record::{Kind, Record, Write};
use postroom_domain::store::{
    Accepted, Binding, FilingChange, IdempotencyKey, IntakeChange, Pause, Ready, Store, StoreError,
};
use postroom_store::{MemoryStore, OpenOptions, RedbStore};

use crate::chain::{the_history_is_a_chain, the_history_is_exported};
use crate::divisions::{
    a_batch_follows_its_sections, a_batch_of_duplicates_is_through_at_once,
    it_is_divided_once_and_as_a_whole_or_not_at_all,
};
use crate::records::{
    a_commit_is_all_or_nothing, content_that_records_name_is_needed, every_kind_is_kept_apart,
    keys_are_unique_among_records_of_a_kind, of_commits_at_once_one_wins, records_are_compare_and_set,
    ten_thousand_records_are_read_in_pages,
};
use crate::world::{
    accept, acceptance, actor, all, at, blob, change, filing, filing_as, fresh, happen, key, receipt,
    refused, request, scope, scopes, work_item,
};

macro_rules! for_every_store {
    ($($case:ident)*) => {
        mod memory {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                super::$case(&MemoryStore::new()).await;
            })*
        }
        mod redb {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let home = tempfile::tempdir().unwrap();
                let (store, report) = RedbStore::open(&home.path().join("store.redb"), OpenOptions::default()).unwrap();
                assert!(report.created && report.corrected.is_empty(), "{report:?}");
                super::$case(&store).await;
                if let Ok(check) = store.self_check().await {
                    assert_eq!(check.wrong, Vec::<String>::new());
                }
                assert_eq!(store.failed(), None);
            })*
        }
    };
}

for_every_store! {
    what_is_accepted_comes_back_whole
    a_key_means_one_request
    nothing_is_accepted_twice
    the_same_content_at_the_same_place_is_a_duplicate
    saves_of_a_linked_document_are_found_and_compared_with_the_last
    a_source_that_was_given_up_needs_its_content_no_more
    what_is_withheld_claims_no_place
    changes_are_compare_and_set
    attempts_begin_and_end
    an_intake_follows_its_filings
    a_decision_adds_filings_to_an_intake
    a_batch_follows_its_sections
    a_batch_of_duplicates_is_through_at_once
    it_is_divided_once_and_as_a_whole_or_not_at_all
    records_are_written_with_an_intake_or_not_at_all
    queues_are_by_destination_lane_and_source
    lists_answer_every_kind_of_term
    lists_of_intakes_answer_every_term
    portions_of_a_state_are_oldest_first
    totals_are_by_site_destination_and_source
    causes_are_grouped_while_they_are_open
    open_filings_are_counted_by_age
    an_edit_moves_a_filing_to_where_it_belongs
    events_are_numbered_without_gaps
    doors_are_paused_and_resumed
    work_items_have_one_owner_of_a_reference
    workspaces_are_remembered_per_repository
    a_closed_store_says_so
    records_are_compare_and_set
    keys_are_unique_among_records_of_a_kind
    a_commit_is_all_or_nothing
    every_kind_is_kept_apart
    content_that_records_name_is_needed
    of_commits_at_once_one_wins
    ten_thousand_records_are_read_in_pages
    the_history_is_a_chain
    the_history_is_exported
}

async fn what_is_accepted_comes_back_whole(store: &dyn Store) {
    assert_eq!(store.greatest_id(), 0);
    let given = acceptance(vec![filing(request(1, "dms-eu", "in")), filing(request(2, "dms-us", "in"))]);
    let Accepted::Fresh(intake, filings) = store.accept(given.clone()).await.unwrap() else {
        panic!("it is new")
    };

    let mut wanted = given.intake.clone();
    (wanted.filings, wanted.open_filings) = (2, 2);
    assert_eq!(intake, wanted);
    assert_eq!(filings, given.filings);
    assert_eq!(store.intake(intake.id).await.unwrap(), Some(wanted));
    assert_eq!(store.intake_filings(intake.id).await.unwrap(), given.filings);
    assert_eq!(store.filing(filings[1].id).await.unwrap().as_ref(), Some(&given.filings[1]));
    let asked = [filings[1].id, FilingId::from_u128(5), filings[0].id];
    assert_eq!(
        store.filings_by_id(&asked).await.unwrap(),
        [given.filings[1].clone(), given.filings[0].clone()]
    );
    assert_eq!(store.filing(FilingId::from_u128(5)).await.unwrap(), None);
    assert_eq!(store.intake(IntakeId::from_u128(5)).await.unwrap(), None);
    assert_eq!(store.greatest_id(), intake.id.as_u128().max(filings[1].id.as_u128()));
    for (content, named) in [(1, true), (2, true), (3, false)] {
        assert_eq!(store.names_blob(blob(content).hash).await.unwrap(), named, "content {content}");
    }
    let planned = |number: usize| Happening::Filing {
        from: None,
        to: filings[number].progress.state,
        cause: None,
        document: None,
        bulk: None,
    };
    let happened: Vec<_> =
        store.events_after(0, 10).await.unwrap().into_iter().map(|e| (e.seq, e.event.happening)).collect();
    assert_eq!(
        happened,
        [(1, Happening::Intake { from: None, to: IntakeState::Split }), (2, planned(0)), (3, planned(1))]
    );
    store.prove().await.unwrap();
}

async fn a_key_means_one_request(store: &dyn Store) {
    let with_key = |content, fingerprint| {
        let mut given = acceptance(vec![filing(request(content, "dms-eu", "in"))]);
        given.key = Some(key("user/upload/1", fingerprint));
        given
    };
    let first = with_key(1, 1);
    assert!(matches!(store.accept(first.clone()).await.unwrap(), Accepted::Fresh(..)));
    assert_eq!(store.accept(with_key(1, 1)).await, Ok(Accepted::Again(first.intake.id)));
    assert_eq!(store.accept(with_key(2, 2)).await, Err(StoreError::KeyReused));
    assert_eq!(store.summary(&Scope::All).await.unwrap().filings.by_state.iter().sum::<u64>(), 1);
    assert_eq!(store.summary(&Scope::All).await.unwrap().last_event, 2);
}

async fn nothing_is_accepted_twice(store: &dyn Store) {
    let given = acceptance(vec![filing(request(1, "dms-eu", "in"))]);
    store.accept(given.clone()).await.unwrap();
    assert_eq!(
        store.accept(given.clone()).await,
        Err(StoreError::Exists(format!("intake {}", given.intake.id)))
    );
    let taken = given.filings[0].clone();
    let exists = Err(StoreError::Exists(format!("filing {}", taken.id)));
    assert_eq!(store.accept(acceptance(vec![filing(request(2, "dms-eu", "in")), taken])).await, exists);
    let twice = filing(request(3, "dms-eu", "in"));
    let exists = Err(StoreError::Exists(format!("filing {}", twice.id)));
    assert_eq!(store.accept(acceptance(vec![twice.clone(), twice])).await, exists);
    assert_eq!(store.summary(&Scope::All).await.unwrap().last_event, 2);
    assert!(!store.names_blob(blob(2).hash).await.unwrap());
}

async fn the_same_content_at_the_same_place_is_a_duplicate(store: &dyn Store) {
    // Within one acceptance, and an intake of duplicates only settles at once.
    let (_, made) =
        accept(store, vec![filing(request(1, "dms-eu", "in")), filing(request(1, "dms-eu", "in"))]).await;
    let first = made[0].id;
    assert_eq!(made[0].progress.state, State::Waiting);
    assert_eq!((made[1].progress.state, made[1].progress.duplicate_of), (State::Duplicate, Some(first)));
    assert_eq!((made[1].progress.due, made[1].progress.receipt.clone()), (None, None));

    // Another place, another content, or a person's word: none of them is one.
    let forced = postroom_domain::filing::Request { forced: true, ..request(1, "dms-eu", "in") };
    let (_, others) = accept(
        store,
        vec![
            filing(request(1, "dms-eu", "out")),
            filing(request(1, "dms-us", "in")),
            filing(request(2, "dms-eu", "in")),
            filing(forced),
        ],
    )
    .await;
    assert!(others.iter().all(|filing| filing.progress.state == State::Waiting));

    // Once the first is filed, the link shows where.
    happen(store, first, Event::Claim, at(1)).await;
    happen(store, first, Event::Uploaded(receipt("doc-1")), at(2)).await;
    let (intake, later) = accept(store, vec![filing(request(1, "dms-eu", "in"))]).await;
    assert_eq!(later[0].progress.duplicate_of, Some(first));
    assert_eq!(later[0].progress.receipt, Some(receipt("doc-1")));
    assert_eq!((intake.state, intake.open_filings, intake.filings), (IntakeState::Settled, 0, 1));
    assert_eq!(store.intake(intake.id).await.unwrap(), Some(intake.clone()));
    let told: Vec<_> = store.events_about(&Subject::Intake(intake.id), 9).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|event| event.event.happening).collect();
    assert_eq!(
        told,
        [
            Happening::Intake { from: None, to: IntakeState::Split },
            Happening::Intake { from: Some(IntakeState::Split), to: IntakeState::Settled },
        ]
    );

    // "File anyway" opens the intake again; a cancelled filing is in nobody's way.
    happen(store, later[0].id, Event::FileAnyway, at(3)).await;
    let again = store.intake(intake.id).await.unwrap().unwrap();
    assert_eq!((again.state, again.open_filings, again.version), (IntakeState::Split, 1, intake.version + 1));
    let (_, lone) = accept(store, vec![filing(request(9, "dms-eu", "in"))]).await;
    happen(store, lone[0].id, Event::Cancel, at(4)).await;
    let (_, next) = accept(store, vec![filing(request(9, "dms-eu", "in"))]).await;
    assert_eq!(next[0].progress.state, State::Waiting);
}

/// A save of the linked document `key`.
fn save(content: u64, document_key: &str) -> postroom_domain::filing::Request {
    let mut save = request(content, "dms-eu", "in");
    save.target.save_mode = postroom_domain::target::SaveMode::KeepLinked;
    document_key.clone_into(&mut save.document_key);
    save
}

async fn saves_of_a_linked_document_are_found_and_compared_with_the_last(store: &dyn Store) {
    let deed = save(1, "deed").linked().unwrap();
    assert!(store.linked(&deed).await.unwrap().is_empty());
    // A copy of the same content at the same place is another matter, in both directions of time.
    let (_, copy) = accept(store, vec![filing(request(1, "dms-eu", "in"))]).await;
    let (_, first) = accept(store, vec![filing(save(1, "deed")), filing(save(1, "will"))]).await;
    assert!(first.iter().all(|filing| filing.progress.state == State::Waiting));
    // The same again repeats it, filed or not; other content is a save of its own, and then the old content is one too.
    let (_, again) = accept(store, vec![filing(save(1, "deed"))]).await;
    assert_eq!(again[0].progress.duplicate_of, Some(first[0].id));
    let (_, next) =
        accept(store, vec![filing(save(2, "deed")), filing(save(2, "deed")), filing(save(1, "deed"))]).await;
    let states: Vec<_> =
        next.iter().map(|filing| (filing.progress.state, filing.progress.duplicate_of)).collect();
    assert_eq!(
        states,
        [(State::Waiting, None), (State::Duplicate, Some(next[0].id)), (State::Waiting, None)]
    );
    happen(store, next[2].id, Event::Claim, at(1)).await;
    happen(store, next[2].id, Event::Uploaded(receipt("doc-3")), at(2)).await;
    let (_, last) = accept(store, vec![filing(save(1, "deed"))]).await;
    assert_eq!(
        (last[0].progress.duplicate_of, last[0].progress.receipt.clone()),
        (Some(next[2].id), Some(receipt("doc-3")))
    );
    // A cancelled one is in nobody's way; a forced one is not compared.
    let (_, cancelled) = accept(store, vec![filing(save(5, "deed"))]).await;
    happen(store, cancelled[0].id, Event::Cancel, at(3)).await;
    let forced = postroom_domain::filing::Request { forced: true, ..save(1, "deed") };
    let (_, more) = accept(store, vec![filing(save(1, "deed")), filing(forced)]).await;
    assert_eq!(more[0].progress.duplicate_of, Some(next[2].id));
    assert_eq!(more[1].progress.state, State::Waiting);
    let ids: Vec<FilingId> = store.linked(&deed).await.unwrap().iter().map(|save| save.id).collect();
    let all = [&first[..1], &again, &next, &last, &cancelled, &more].concat();
    assert_eq!(ids, all.iter().map(|save| save.id).collect::<Vec<_>>());
    assert!(!ids.contains(&copy[0].id));
    // An edit that sends it elsewhere makes it a document of its own.
    let mut elsewhere = more[1].request.as_ref().clone();
    elsewhere.target.service = "dms-us".parse().unwrap();
    let edit = FilingChange { request: Some(elsewhere.clone()), ..change(&more[1], Event::Retry, at(4)) };
    store.change_filings(vec![edit]).await.unwrap().remove(0).unwrap();
    let moved = store.linked(&elsewhere.linked().unwrap()).await.unwrap();
    assert_eq!(moved.iter().map(|save| save.id).collect::<Vec<_>>(), [more[1].id]);
    assert_eq!(store.linked(&deed).await.unwrap().len(), all.len() - 1);
}

async fn a_source_that_was_given_up_needs_its_content_no_more(store: &dyn Store) {
    let release = async |id| {
        happen(store, id, Event::Claim, at(1)).await;
        happen(store, id, Event::Stored(receipt("doc-1")), at(2)).await;
        assert!(store.names_blob(blob(1).hash).await.unwrap(), "it was not read back yet");
        happen(store, id, Event::ReadBack(receipt("doc-1")), at(3)).await;
    };
    let needed = async |content| store.names_blob(blob(content).hash).await.unwrap();
    let (intake, made) =
        accept(store, vec![filing(request(1, "dms-eu", "in")), filing(request(2, "dms-eu", "in"))]).await;
    release(made[0].id).await;
    let filed = store.filing(made[0].id).await.unwrap().unwrap();
    assert_eq!((filed.progress.state, filed.progress.released), (State::Filed, Some(at(3))));
    assert_eq!((needed(1).await, needed(2).await), (false, true));
    assert_eq!(
        store.intake(intake.id).await.unwrap().unwrap().documents.len(),
        2,
        "the intake still tells of both"
    );
    // Anybody else who needs it keeps it: another filing of the same intake, or another intake.
    let (_, both) =
        accept(store, vec![filing(request(1, "dms-eu", "out")), filing(request(1, "dms-us", "in"))]).await;
    release(both[0].id).await;
    assert!(needed(1).await);
    release(both[1].id).await;
    assert!(!needed(1).await);
    let (_, repeats) = accept(store, vec![filing(request(1, "dms-eu", "in"))]).await;
    assert_eq!(repeats[0].progress.state, State::Duplicate);
    assert!(needed(1).await, "a person may have it filed anyway");
}

async fn what_is_withheld_claims_no_place(store: &dyn Store) {
    let mut withheld = filing(postroom_domain::filing::Request {
        withheld: "no programs".to_owned(),
        ..request(1, "dms-eu", "in")
    });
    withheld.progress.state = State::Failed;
    withheld.progress.due = None;
    withheld.progress.trouble = Some(postroom_domain::dms::Trouble::new(Cause::Withheld, "no programs"));
    let (intake, made) = accept(store, vec![withheld, filing(request(1, "dms-eu", "in"))]).await;
    assert_eq!(
        made.iter().map(|made| made.progress.state).collect::<Vec<_>>(),
        [State::Failed, State::Waiting]
    );
    assert_eq!((intake.state, intake.open_filings), (IntakeState::Split, 2));
    let causes = store.causes(&Scope::All).await.unwrap();
    assert_eq!((causes.len(), causes[0].cause, causes[0].need_person), (1, Cause::Withheld, 1));
}

async fn changes_are_compare_and_set(store: &dyn Store) {
    let (_, made) =
        accept(store, vec![filing(request(1, "dms-eu", "in")), filing(request(2, "dms-eu", "in"))]).await;
    let claim = change(&made[0], Event::Claim, at(1));
    let stale = change(&made[0], Event::Hold, at(1));
    let unknown = FilingChange { id: FilingId::from_u128(5), ..claim.clone() };
    let mut claimed = made[0].clone();
    claimed.progress = claim.next.clone();
    let filed = change(&claimed, Event::Uploaded(receipt("doc")), at(2));
    let answers = store
        .change_filings(vec![claim, stale, unknown, filed, change(&made[1], Event::Hold, at(3))])
        .await
        .unwrap();
    assert_eq!(
        answers,
        [
            Ok(()),
            Err(StoreError::Conflict { found: 2 }),
            Err(StoreError::Conflict { found: 0 }),
            Ok(()),
            Ok(())
        ]
    );
    let states: Vec<State> = store
        .intake_filings(made[0].intake)
        .await
        .unwrap()
        .iter()
        .map(|filing| filing.progress.state)
        .collect();
    assert_eq!(states, [State::Filed, State::Held]);
    let told = store.events_about(&Subject::Filing(made[0].id), 1).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].event,
        NewEvent {
            at: at(2),
            site: Some("london".parse().unwrap()),
            subject: Subject::Filing(made[0].id),
            happening: Happening::Filing {
                from: Some(State::Running),
                to: State::Filed,
                cause: None,
                document: Some("doc".to_owned()),
                bulk: None,
            },
            actor: actor(),
            note: "because".to_owned(),
        }
    );
    assert_eq!(store.change_filings(Vec::new()).await.unwrap(), []);
}

async fn attempts_begin_and_end(store: &dyn Store) {
    let (_, made) = accept(store, vec![filing(request(1, "dms-eu", "in"))]).await;
    let id = made[0].id;
    assert_eq!(store.attempts(id).await.unwrap(), []);
    happen(store, id, Event::Claim, at(1)).await;
    assert_eq!(store.attempts(id).await.unwrap()[0].ended, None);
    let waits = happen(store, id, refused(Cause::ServerFault, Some(503)), at(2)).await;
    assert_eq!((waits.progress.state, waits.progress.lane()), (State::Waiting, Some(Lane::Deferred)));
    assert_eq!(waits.progress.container.as_deref(), Some("folder-1"));
    happen(store, id, Event::Claim, at(100)).await;
    happen(store, id, Event::Interrupted, at(101)).await;
    let attempts = store.attempts(id).await.unwrap();
    let short: Vec<_> = attempts.iter().map(|a| (a.generation, a.started, a.ended, a.bytes_sent)).collect();
    assert_eq!(short, [(1, at(1), Some(at(2)), 7), (2, at(100), Some(at(101)), 0)]);
    assert!(matches!(&attempts[0].outcome, Some(Outcome::Failed(trouble)) if trouble.status == Some(503)));
    assert_eq!(attempts[1].outcome, Some(Outcome::Interrupted));
    let found = happen(store, id, Event::ProbeFound(receipt("doc")), at(102)).await;
    assert_eq!((found.progress.state, found.progress.trouble), (State::Filed, None));
}

async fn an_intake_follows_its_filings(store: &dyn Store) {
    let (intake, made) =
        accept(store, vec![filing(request(1, "dms-eu", "in")), filing(request(2, "dms-eu", "in"))]).await;
    let now = async || {
        let intake = store.intake(intake.id).await.unwrap().unwrap();
        (intake.state, intake.open_filings, intake.version)
    };
    assert_eq!(now().await, (IntakeState::Split, 2, 1));
    happen(store, made[0].id, Event::Cancel, at(1)).await;
    assert_eq!(now().await, (IntakeState::Split, 1, 1));
    happen(store, made[1].id, Event::Claim, at(1)).await;
    happen(store, made[1].id, Event::FoundDuplicate { of: None, receipt: Some(receipt("x")) }, at(2)).await;
    assert_eq!(now().await, (IntakeState::Settled, 0, 2));
    happen(store, made[1].id, Event::FileAnyway, at(3)).await;
    assert_eq!(now().await, (IntakeState::Split, 1, 3));
    assert_eq!(store.summary(&Scope::All).await.unwrap().intakes[IntakeState::Split as usize], 1);
    assert_eq!(store.summary(&Scope::All).await.unwrap().intakes[IntakeState::Settled as usize], 0);
}

/// A letter's entry and a mailbox's cursor come to be with the intake, or nothing does.
async fn records_are_written_with_an_intake_or_not_at_all(store: &dyn Store) {
    let record = |id: u128, version: u64, key: &str| Record {
        kind: Kind::Favourites,
        id,
        version,
        keys: vec![key.to_owned()],
        groups: vec!["letters".to_owned()],
        body: b"{}".to_vec(),
    };
    let there =
        |id| async move { store.record_by_id(Kind::Favourites, id).await.unwrap().map(|it| it.version) };
    let (cursor, letter) = (fresh(), fresh());
    let mut given = acceptance(vec![filing(request(1, "dms-eu", "in"))]);
    given.key = Some(IdempotencyKey { key: "mail/7/1".to_owned(), fingerprint: BlobHash::new([1; 32]) });
    given.records = vec![Write::Put(record(cursor, 1, "cursor")), Write::Put(record(letter, 1, "letter"))];
    let Accepted::Fresh(intake, _) = store.accept(given.clone()).await.unwrap() else { panic!("it is new") };
    assert_eq!((there(cursor).await, there(letter).await), (Some(1), Some(1)));
    // Handed in once more it is what it was, and the records of the second time are not written.
    given.records = vec![Write::Put(record(cursor, 2, "cursor"))];
    assert_eq!(store.accept(given).await.unwrap(), Accepted::Again(intake.id));
    assert_eq!(there(cursor).await, Some(1));
    // A cursor that somebody else moved: nothing of the whole is written.
    let mut late = acceptance(vec![filing(request(2, "dms-eu", "in"))]);
    let lost = (late.intake.id, late.filings[0].id, fresh());
    late.records = vec![Write::Put(record(lost.2, 1, "other")), Write::Put(record(cursor, 3, "cursor"))];
    assert_eq!(store.accept(late).await, Err(StoreError::Conflict { found: 1 }));
    assert_eq!(store.intake(lost.0).await.unwrap(), None);
    assert_eq!((store.filing(lost.1).await.unwrap(), there(lost.2).await), (None, None));
    // The same with a change of the intake.
    let change = |version: u64, records| {
        let next = postroom_domain::intake::Intake { version, note: "read".to_owned(), ..intake.clone() };
        IntakeChange { next, filings: Vec::new(), records, actor: actor(), note: String::new(), at: at(9) }
    };
    let taken = vec![Write::Put(record(fresh(), 1, "letter"))];
    let refused = store.change_intake(change(2, taken)).await;
    assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
    assert_eq!(store.intake(intake.id).await.unwrap().unwrap().version, 1);
    let moved = vec![Write::Put(record(cursor, 2, "cursor"))];
    store.change_intake(change(2, moved)).await.unwrap();
    assert_eq!(store.intake(intake.id).await.unwrap().unwrap().note, "read");
    assert_eq!(there(cursor).await, Some(2));
}

async fn a_decision_adds_filings_to_an_intake(store: &dyn Store) {
    let mut given = acceptance(Vec::new());
    given.intake.state = IntakeState::NeedsPerson;
    given.intake.needs =
        Some(NeedsPerson { code: "no_work_item".to_owned(), text: "no work item".to_owned() });
    let Accepted::Fresh(intake, _) = store.accept(given).await.unwrap() else { panic!("it is new") };
    assert_eq!((intake.state, intake.filings), (IntakeState::NeedsPerson, 0));
    let mut next = intake.clone();
    (next.state, next.version, next.needs) = (IntakeState::Split, 2, None);
    "grace".clone_into(&mut next.submitted_by);
    let mut stray = filing(request(1, "dms-eu", "in"));
    stray.intake = IntakeId::from_u128(4711);
    let decision = |next: &postroom_domain::intake::Intake, filings| IntakeChange {
        next: next.clone(),
        filings,
        records: Vec::new(),
        actor: actor(),
        note: "it is Harrow's".to_owned(),
        at: at(5),
    };
    store
        .change_intake(decision(&next, vec![stray.clone(), filing(request(1, "dms-eu", "in"))]))
        .await
        .unwrap();
    let now = store.intake(intake.id).await.unwrap().unwrap();
    (next.filings, next.open_filings) = (2, 1);
    assert_eq!(now, next);
    let filings = store.intake_filings(intake.id).await.unwrap();
    assert_eq!(
        filings.iter().map(|f| f.progress.state).collect::<Vec<_>>(),
        [State::Waiting, State::Duplicate]
    );
    assert_eq!(filings[0].intake, intake.id);

    let conflict = |found| Err(StoreError::Conflict { found });
    assert_eq!(store.change_intake(decision(&next, Vec::new())).await, conflict(2));
    next.version = 3;
    let exists = Err(StoreError::Exists(format!("filing {}", stray.id)));
    assert_eq!(store.change_intake(decision(&next, vec![stray])).await, exists);
    let lost = postroom_domain::intake::Intake { id: IntakeId::from_u128(5), ..next };
    assert_eq!(store.change_intake(decision(&lost, Vec::new())).await, conflict(0));
}

async fn queues_are_by_destination_lane_and_source(store: &dyn Store) {
    let eu = "dms-eu".parse().unwrap();
    let (scans, mail) = ("scans".parse().unwrap(), "mail".parse().unwrap());
    let mut late = filing(request(1, "dms-eu", "in"));
    late.progress.due = Some(at(50));
    let (_, made) =
        accept(store, vec![late, filing(request(2, "dms-eu", "in")), filing(request(3, "dms-eu", "in"))])
            .await;
    accept(store, vec![filing_as(fresh(), "london", "mail", request(4, "dms-eu", "in"))]).await;
    let ready = async |source, lane, now, limit| -> Vec<FilingId> {
        store.ready(&eu, source, lane, now, limit).await.unwrap().iter().map(|ready| ready.id).collect()
    };
    let (one, two, three) = (made[0].id, made[1].id, made[2].id);
    assert_eq!(ready(&scans, Lane::New, at(0), 9).await, [two, three]);
    assert_eq!(ready(&scans, Lane::New, at(-1), 9).await, []);
    assert_eq!(ready(&scans, Lane::New, at(49), 9).await, [two, three]);
    assert_eq!(ready(&scans, Lane::New, at(50), 9).await, [two, three, one]);
    assert_eq!(ready(&scans, Lane::New, at(50), 2).await, [two, three]);
    assert_eq!(store.ready(&eu, &mail, Lane::New, at(9), 9).await.unwrap().len(), 1);
    assert_eq!(store.ready(&"nowhere".parse().unwrap(), &mail, Lane::New, at(9), 9).await.unwrap(), []);

    happen(store, two, Event::Claim, at(1)).await;
    happen(store, two, refused(Cause::ServerFault, Some(500)), at(1)).await;
    happen(store, three, Event::Claim, at(1)).await;
    let checking = happen(store, three, refused(Cause::AnswerLost, None), at(2)).await;
    assert_eq!(checking.progress.state, State::Checking);
    let mut queues: Vec<_> = store
        .queues()
        .await
        .unwrap()
        .into_iter()
        .map(|queue| (queue.source.to_string(), queue.lane, queue.first_due))
        .collect();
    queues.sort();
    assert_eq!(
        queues,
        [
            ("mail".to_owned(), Lane::New, at(0)),
            ("scans".to_owned(), Lane::New, at(50)),
            ("scans".to_owned(), Lane::Deferred, at(16)),
            ("scans".to_owned(), Lane::Checking, at(2)),
        ]
    );
    let due = store.ready(&eu, &scans, Lane::Checking, at(2), 9).await.unwrap();
    assert_eq!(due, [Ready { id: three, lane: Lane::Checking, due: at(2) }]);
    assert_eq!(store.due_beyond(at(49), 9).await.unwrap(), [one]);
    assert_eq!(store.due_beyond(at(50), 9).await.unwrap(), []);
    assert_eq!(store.due_beyond(at(15), 9).await.unwrap().len(), 2);
    assert_eq!(store.due_beyond(at(15), 1).await.unwrap().len(), 1);
}

/// Filings in different states, at two sites, two destinations, three sources.
pub(crate) async fn a_mixed_lot(store: &dyn Store) -> Vec<FilingId> {
    let mut ids = Vec::new();
    for number in 0..30_u64 {
        let service = ["dms-eu", "dms-us"][usize::from(number % 3 == 0)];
        let site = ["london", "paris"][usize::from(number % 5 == 0)];
        let source = ["scans", "mail", "upload"][usize::try_from(number % 3).unwrap()];
        let mut one = filing_as(fresh(), site, source, request(number, service, "in"));
        one.received = at(i64::try_from(number).unwrap());
        if number == 8 {
            let mut odd = request(number, service, "in");
            odd.reference = String::new();
            "Mail Room".clone_into(&mut odd.sender);
            one.request = Arc::new(odd);
        }
        let id = accept(store, vec![one]).await.1[0].id;
        ids.push(id);
        match number % 6 {
            1 => {
                happen(store, id, Event::Claim, at(1)).await;
                happen(store, id, Event::Uploaded(receipt("d")), at(2)).await;
            }
            2 => {
                happen(store, id, Event::Claim, at(1)).await;
                happen(store, id, refused(Cause::Rejected, Some(422)), at(2)).await;
            }
            3 => {
                happen(store, id, Event::Claim, at(1)).await;
                happen(store, id, refused(Cause::ServerFault, Some(503)), at(2)).await;
            }
            4 => {
                happen(store, id, Event::Claim, at(1)).await;
                happen(store, id, refused(Cause::Rejected, Some(422)), at(2)).await;
                happen(store, id, Event::Cancel, at(3)).await;
            }
            _ => {}
        }
    }
    ids
}

async fn lists_answer_every_kind_of_term(store: &dyn Store) {
    let ids = a_mixed_lot(store).await;
    let intake = store.filing(ids[4]).await.unwrap().unwrap().intake;
    let everything = all(store, &FilingQuery::default(), 100, at(60)).await.unwrap();
    assert_eq!(everything.iter().map(|filing| filing.id).rev().collect::<Vec<_>>(), ids);

    let is = |any: Vec<Predicate>| Term { negated: false, any };
    let not = |any: Vec<Predicate>| Term { negated: true, any };
    let text = |text: &str| Predicate::Text(text.to_owned());
    let (eu, us) = (
        Predicate::Destination("dms-eu".parse().unwrap()),
        Predicate::Destination("dms-us".parse().unwrap()),
    );
    let cases: Vec<Vec<Term>> = vec![
        vec![is(vec![Predicate::State(State::Failed)])],
        vec![is(vec![Predicate::State(State::Failed), Predicate::State(State::Filed)]), is(vec![eu.clone()])],
        vec![not(vec![Predicate::State(State::Filed), us.clone()])],
        vec![is(vec![us.clone()]), is(vec![eu.clone()])],
        vec![is(vec![Predicate::Destination("dms-none".parse().unwrap())])],
        vec![is(vec![Predicate::State(State::Filed), us.clone()])],
        vec![is(vec![Predicate::Cause(Cause::Rejected)])],
        vec![is(vec![Predicate::Cause(Cause::Rejected)]), not(vec![Predicate::State(State::Cancelled)])],
        vec![is(vec![Predicate::Status(503), Predicate::Cause(Cause::Rejected)])],
        vec![is(vec![Predicate::Status(404)])],
        vec![not(vec![Predicate::Status(422)])],
        vec![is(vec![Predicate::OlderThan(Duration::from_secs(40))])],
        vec![is(vec![Predicate::YoungerThan(Duration::from_secs(40))]), not(vec![text("SENDER1")])],
        vec![is(vec![Predicate::From("mail".to_owned())])],
        vec![is(vec![Predicate::From("Sender2".to_owned())])],
        vec![is(vec![Predicate::Intake(intake)])],
        vec![is(vec![Predicate::Id(ids[3]), Predicate::Id(ids[9]), Predicate::Id(FilingId::from_u128(5))])],
        vec![not(vec![Predicate::Id(ids[3])]), is(vec![Predicate::Id(ids[3]), Predicate::Id(ids[9])])],
        vec![is(vec![Predicate::Reference("ref-3".to_owned())])],
        vec![is(vec![Predicate::Reference(String::new())])],
        vec![is(vec![Predicate::Reference("ref-3".to_owned()), text("letter 7")])],
        vec![is(vec![Predicate::By("grace".to_owned())])],
        vec![is(vec![text("\"7\" & KÄSE")])],
        vec![is(vec![text("ref-2")]), is(vec![Predicate::By("ada".to_owned())]), not(vec![eu])],
        vec![is(Vec::new())],
        vec![not(Vec::new())],
    ];
    for terms in cases {
        for sites in scopes() {
            for submitted_by in [None, Some("ada".to_owned())] {
                let query = FilingQuery { sites: sites.clone(), submitted_by, terms: terms.clone() };
                let wanted: Vec<_> =
                    everything.iter().filter(|f| query.matches(f, at(60))).map(|f| f.id).collect();
                for limit in [1, 3, 100] {
                    let found: Vec<_> = all(store, &query, limit, at(60))
                        .await
                        .unwrap()
                        .iter()
                        .map(|filing| filing.id)
                        .collect();
                    assert_eq!(found, wanted, "{query:?}, {limit} at a time");
                }
            }
        }
    }
}

async fn lists_of_intakes_answer_every_term(store: &dyn Store) {
    a_mixed_lot(store).await;
    let list = async |query: &IntakeQuery, limit| {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let slice = store.list_intakes(query, Window { before, limit }).await.unwrap();
            found.extend(slice.items);
            match slice.next {
                Some(next) => before = Some(next),
                None => return found,
            }
        }
    };
    let everything = list(&IntakeQuery::default(), 100).await;
    assert_eq!(everything.len(), 30);
    assert!(everything.is_sorted_by(|a, b| a.id > b.id));
    for sites in scopes() {
        for submitted_by in [None, Some("grace".to_owned())] {
            for states in [vec![], vec![IntakeState::Settled], vec![IntakeState::Settled, IntakeState::Split]]
            {
                for (sources, text) in [
                    (&[][..], ""),
                    (&["mail"], ""),
                    (&["none"], ""),
                    (&["mail", "upload", "none"], ""),
                    (&[], "LETTER 1"),
                    (&["mail", "scans"], "ter 2"),
                    (&[], "pOST"),
                    (&[], "nowhere"),
                ] {
                    let query = IntakeQuery {
                        sites: sites.clone(),
                        submitted_by: submitted_by.clone(),
                        states: states.clone(),
                        sources: sources.iter().map(|source| source.parse().unwrap()).collect(),
                        text: text.to_owned(),
                        allocated: Vec::new(),
                    };
                    let wanted: Vec<_> =
                        everything.iter().filter(|intake| query.matches(intake)).cloned().collect();
                    assert_eq!(list(&query, 4).await, wanted, "{query:?}");
                }
            }
        }
    }
}

async fn portions_of_a_state_are_oldest_first(store: &dyn Store) {
    let ids = a_mixed_lot(store).await;
    let us = "dms-us".parse().unwrap();
    let of = async |service, state, after, limit| -> Vec<FilingId> {
        store.in_state(service, state, after, limit).await.unwrap().iter().map(|filing| filing.id).collect()
    };
    assert_eq!(of(None, State::Filed, None, 9).await, [ids[1], ids[7], ids[13], ids[19], ids[25]]);
    assert_eq!(of(None, State::Filed, Some(ids[7]), 2).await, [ids[13], ids[19]]);
    assert_eq!(of(None, State::Filed, Some(ids[25]), 2).await, []);
    assert_eq!(of(Some(&us), State::Filed, None, 9).await, []);
    let waiting = of(Some(&us), State::Waiting, None, 99).await;
    assert_eq!(waiting, (0..30).step_by(3).map(|number| ids[number]).collect::<Vec<_>>());
    assert_eq!(of(Some(&"none".parse().unwrap()), State::Waiting, None, 9).await, []);
}

async fn totals_are_by_site_destination_and_source(store: &dyn Store) {
    a_mixed_lot(store).await;
    let whole = store.summary(&Scope::All).await.unwrap();
    assert_eq!(whole.filings.by_state, [15, 0, 0, 0, 0, 0, 5, 5, 0, 5]);
    assert_eq!(whole.filings.oldest_open, Some(at(0)));
    assert_eq!(whole.filings.count(State::Failed), 5);
    assert_eq!(whole.intakes, [0, 20, 0, 0, 10, 0]);
    assert_eq!(whole.last_event, store.events_after(0, 1000).await.unwrap().len() as u64);
    let names: Vec<_> =
        whole.destinations.iter().map(|(name, tally)| (name.as_str(), tally.by_state.iter().sum())).collect();
    assert_eq!(names, [("dms-eu", 20_u64), ("dms-us", 10)]);
    let names: Vec<_> =
        whole.sources.iter().map(|(name, tally)| (name.as_str(), tally.oldest_open)).collect();
    assert_eq!(names, [("mail", None), ("scans", Some(at(0))), ("upload", Some(at(5)))]);
    let paris = store.summary(&scope(&["paris"])).await.unwrap();
    assert_eq!(paris.filings.by_state.iter().sum::<u64>(), 6);
    assert_eq!(paris.intakes.iter().sum::<u64>(), 6);
    assert_eq!(paris.last_event, whole.last_event);
    let both = store.summary(&scope(&["paris", "rome", "london"])).await.unwrap();
    assert_eq!(both, whole);
    let rome = store.summary(&scope(&["rome"])).await.unwrap();
    assert_eq!((rome.filings.by_state, rome.destinations.len(), rome.sources.len()), ([0; 10], 0, 0));
}

/// Filings that are a minute old, two minutes, and so on: at two destinations, every fifth one in Paris.
async fn a_lot_of_ages(store: &dyn Store, now: Timestamp) -> Vec<FilingId> {
    let mut ids = Vec::new();
    for minutes in (1..=30_u64).rev() {
        let millis = u64::try_from(now.as_millisecond()).unwrap() - minutes * 60_000;
        let id = (u128::from(millis) << 80) | (fresh() >> 64);
        let site = ["london", "paris"][usize::from(minutes % 5 == 0)];
        let service = ["dms-eu", "dms-us"][usize::from(minutes % 3 == 0)];
        let one = filing_as(id, site, "scans", request(minutes, service, "in"));
        ids.push(accept(store, vec![one]).await.1[0].id);
    }
    ids
}

async fn open_filings_are_counted_by_age(store: &dyn Store) {
    let now = at(0);
    let ids = a_lot_of_ages(store, now).await;
    let of = async |sites: &Scope| -> Vec<_> {
        let bounds = [Duration::from_mins(5), Duration::from_mins(20)];
        let lines = store.ages(sites, &bounds, now).await.unwrap();
        assert!(lines.iter().all(|line| !line.more));
        lines.into_iter().map(|line| (line.service.to_string(), line.counts)).collect()
    };
    let eu = |counts: [u64; 3]| ("dms-eu".to_owned(), counts.to_vec());
    let us = |counts: [u64; 3]| ("dms-us".to_owned(), counts.to_vec());
    // An age that is a bound lies beyond it.
    assert_eq!(of(&Scope::All).await, [eu([3, 10, 7]), us([1, 5, 4])]);
    assert_eq!(of(&scope(&["paris", "rome"])).await, [eu([0, 2, 2]), us([0, 1, 1])]);
    assert_eq!(of(&scope(&["rome"])).await, []);

    // What came lately, by door. The ids of intakes are those of this machine's time, so all of them are later than any planted time.
    let late = async |sites: &Scope, since: Timestamp| store.arrivals_since(sites, since).await.unwrap();
    let scans = |count| vec![("scans".parse().unwrap(), count)];
    assert_eq!(late(&Scope::All, Timestamp::UNIX_EPOCH).await, scans(30));
    assert_eq!(late(&scope(&["paris"]), Timestamp::UNIX_EPOCH).await, scans(6));
    assert_eq!(late(&scope(&["rome"]), Timestamp::UNIX_EPOCH).await, []);
    assert_eq!(late(&Scope::All, Timestamp::MAX).await, []);

    // Whatever is open counts, and nothing else does: minutes 30, 29, 28, 27 and 26.
    happen(store, ids[0], Event::Cancel, at(1)).await;
    happen(store, ids[1], Event::Hold, at(1)).await;
    for id in [ids[2], ids[3], ids[4]] {
        happen(store, id, Event::Claim, at(1)).await;
    }
    happen(store, ids[2], refused(Cause::Rejected, Some(422)), at(2)).await;
    happen(store, ids[4], Event::Uploaded(receipt("d")), at(2)).await;
    assert_eq!(of(&Scope::All).await, [eu([3, 10, 6]), us([1, 5, 3])]);
}

async fn causes_are_grouped_while_they_are_open(store: &dyn Store) {
    let ids = a_mixed_lot(store).await;
    let of = async |sites: &[&str]| -> Vec<_> {
        let sites = if sites.is_empty() { Scope::All } else { scope(sites) };
        let groups = store.causes(&sites).await.unwrap();
        groups
            .into_iter()
            .map(|g| (g.cause, g.service.to_string(), g.count, g.need_person, g.first, g.last))
            .collect()
    };
    let eu = |count, first, last| (Cause::Rejected, "dms-eu".to_owned(), count, count, first, last);
    let us = |count, first| (Cause::ServerFault, "dms-us".to_owned(), count, 0, first, at(2));
    assert_eq!(of(&[]).await, [eu(5, at(2), at(2)), us(5, at(3))], "by count, then by cause");
    assert_eq!(of(&["london", "paris"]).await, of(&[]).await);
    assert_eq!(of(&["paris", "rome"]).await, [eu(1, at(20), at(2)), us(1, at(15))]);

    // Another try is still under that cause, until it is through.
    happen(store, ids[2], Event::Retry, at(70)).await;
    assert_eq!(of(&[]).await[0], (Cause::Rejected, "dms-eu".to_owned(), 5, 4, at(2), at(2)));
    happen(store, ids[2], Event::Claim, at(71)).await;
    happen(store, ids[2], refused(Cause::Rejected, Some(422)), at(72)).await;
    assert_eq!(of(&[]).await[0], eu(5, at(2), at(72)));
    happen(store, ids[2], Event::Retry, at(73)).await;
    happen(store, ids[2], Event::Claim, at(74)).await;
    happen(store, ids[2], Event::Uploaded(receipt("d")), at(75)).await;
    assert_eq!(of(&[]).await[1], eu(4, at(8), at(72)));
    for number in [8, 14, 20, 26] {
        happen(store, ids[number], Event::Cancel, at(80)).await;
    }
    assert_eq!(of(&[]).await, [us(5, at(3))]);
}

async fn an_edit_moves_a_filing_to_where_it_belongs(store: &dyn Store) {
    let (_, made) =
        accept(store, vec![filing(request(1, "dms-eu", "in")), filing(request(2, "dms-eu", "in"))]).await;
    happen(store, made[0].id, Event::Claim, at(1)).await;
    let failed = happen(store, made[0].id, refused(Cause::Rejected, Some(422)), at(2)).await;
    let edited = postroom_domain::filing::Request {
        reference: "NEW-1".to_owned(),
        submitted_by: "linus".to_owned(),
        ..request(50, "dms-us", "elsewhere")
    };
    let mut edit = change(&failed, Event::Retry, at(3));
    edit.request = Some(edited.clone());
    assert_eq!(store.change_filings(vec![edit]).await.unwrap(), [Ok(())]);
    let now = store.filing(made[0].id).await.unwrap().unwrap();
    assert_eq!((*now.request).clone(), edited);
    let told: Vec<_> = store.events_about(&Subject::Filing(now.id), 2).await.unwrap();
    assert_eq!(told[0].event.happening, Happening::Edited);
    assert!(matches!(told[1].event.happening, Happening::Filing { to: State::Waiting, .. }));
    let term = |predicate| FilingQuery {
        terms: vec![Term { negated: false, any: vec![predicate] }],
        ..FilingQuery::default()
    };
    for (predicate, found) in [
        (Predicate::Reference("new-1".to_owned()), 1),
        (Predicate::Reference("ref-1".to_owned()), 0),
        (Predicate::By("linus".to_owned()), 1),
        (Predicate::By("grace".to_owned()), 0),
        (Predicate::Destination("dms-us".parse().unwrap()), 1),
        (Predicate::Destination("dms-eu".parse().unwrap()), 1),
    ] {
        assert_eq!(
            all(store, &term(predicate.clone()), 9, at(9)).await.unwrap().len(),
            found,
            "{predicate:?}"
        );
    }
    assert_eq!(store.causes(&Scope::All).await.unwrap()[0].service.as_str(), "dms-us");
    let destinations: Vec<_> =
        store.summary(&Scope::All).await.unwrap().destinations.into_iter().map(|d| d.0.to_string()).collect();
    assert_eq!(destinations, ["dms-eu", "dms-us"]);
    assert_eq!(store.queues().await.unwrap().len(), 2);
    // The content it had is free again at the old place; the intake still names it.
    let (_, again) = accept(store, vec![filing(request(1, "dms-eu", "in"))]).await;
    assert_eq!(again[0].progress.state, State::Waiting);
    let (_, taken) = accept(store, vec![filing(request(50, "dms-us", "elsewhere"))]).await;
    assert_eq!(taken[0].progress.duplicate_of, Some(now.id));
}

async fn events_are_numbered_without_gaps(store: &dyn Store) {
    let alert = |note: &str| NewEvent {
        at: at(1),
        site: None,
        subject: Subject::System,
        happening: Happening::Alert,
        actor: actor(),
        note: note.to_owned(),
    };
    for number in 1..=5_u64 {
        assert_eq!(store.record(alert(&number.to_string())).await, Ok(number));
    }
    let seqs = async |seq, limit| -> Vec<u64> {
        store.events_after(seq, limit).await.unwrap().iter().map(|event| event.seq).collect()
    };
    assert_eq!(seqs(0, 2).await, [1, 2]);
    assert_eq!(seqs(3, 9).await, [4, 5]);
    assert_eq!(seqs(5, 9).await, Vec::<u64>::new());
    assert_eq!(seqs(u64::MAX, 9).await, Vec::<u64>::new());
    let about: Vec<_> = store.events_about(&Subject::System, 2).await.unwrap();
    assert_eq!(about.iter().map(|event| event.event.note.as_str()).collect::<Vec<_>>(), ["4", "5"]);
    assert_eq!(store.events_about(&Subject::Door("source/scans".to_owned()), 2).await.unwrap(), []);

    assert_eq!(store.wait_beyond(4, Duration::from_mins(1)).await, 5);
    assert_eq!(store.wait_beyond(5, Duration::from_millis(1)).await, 5);
    let (seen, written) =
        tokio::join!(store.wait_beyond(5, Duration::from_mins(1)), store.record(alert("6")));
    assert_eq!((seen, written), (6, Ok(6)));
}

async fn doors_are_paused_and_resumed(store: &dyn Store) {
    let pause = |reason: &str| Pause {
        door: "source/scans".to_owned(),
        site: Some("london".parse().unwrap()),
        by: "ada".to_owned(),
        reason: reason.to_owned(),
        since: at(1),
        until: Some(at(100)),
    };
    store.pause(pause("maintenance")).await.unwrap();
    store.pause(pause("longer maintenance")).await.unwrap();
    assert_eq!(store.pauses().await.unwrap(), [pause("longer maintenance")]);
    assert_eq!(store.resume("source/scans", &actor(), at(2)).await, Ok(true));
    assert_eq!(store.resume("source/scans", &actor(), at(2)).await, Ok(false));
    assert_eq!(store.pauses().await.unwrap(), []);
    let told = store.events_about(&Subject::Door("source/scans".to_owned()), 9).await.unwrap();
    assert!(told.iter().all(|event| event.event.site == Some("london".parse().unwrap())), "{told:?}");
    let told: Vec<_> = told.into_iter().map(|event| (event.event.happening, event.event.note)).collect();
    assert_eq!(
        told,
        [
            (Happening::Paused, "maintenance".to_owned()),
            (Happening::Paused, "longer maintenance".to_owned()),
            (Happening::Resumed, String::new())
        ]
    );
}

async fn work_items_have_one_owner_of_a_reference(store: &dyn Store) {
    let (first, second) = (fresh(), fresh());
    let by = actor();
    let save = async |item| store.save_work_item(item, Vec::new(), &by, at(1)).await;
    save(work_item(first, "ABC-1", "Harrow v Teal")).await.unwrap();
    assert_eq!(
        save(work_item(second, "abc-1", "Other")).await,
        Err(StoreError::Exists("a work item with the reference abc-1".to_owned()))
    );
    let elsewhere = postroom_domain::work_item::WorkItem {
        site: "paris".parse().unwrap(),
        ..work_item(second, "abc-1", "Vente de l'ÉTUDE")
    };
    save(elsewhere.clone()).await.unwrap();
    assert_eq!(save(work_item(first, "ABC-1", "x")).await, Err(StoreError::Conflict { found: 1 }));
    let mut renamed = work_item(first, "XYZ-9", "Harrow v Teal");
    renamed.version = 2;
    save(renamed.clone()).await.unwrap();
    save(work_item(fresh(), "ABC-1", "A new one")).await.unwrap();

    let london = "london".parse().unwrap();
    assert_eq!(store.work_item(WorkItemId::from_u128(first)).await.unwrap(), Some(renamed.clone()));
    assert_eq!(store.work_item_by_reference(&london, "xyz-9").await.unwrap(), Some(renamed));
    assert_eq!(
        store.work_item_by_reference(&"paris".parse().unwrap(), "ABC-1").await.unwrap(),
        Some(elsewhere)
    );
    assert_eq!(store.work_item_by_reference(&london, "none").await.unwrap(), None);
    let list = async |sites: &Scope, text: &str, limit| -> Vec<String> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let slice = store.list_work_items(sites, text, Window { before, limit }).await.unwrap();
            found.extend(slice.items.into_iter().map(|item| item.reference));
            match slice.next {
                Some(next) => before = Some(next),
                None => return found,
            }
        }
    };
    assert_eq!(list(&Scope::All, "", 2).await, ["ABC-1", "abc-1", "XYZ-9"]);
    assert_eq!(list(&scope(&["london", "rome"]), "", 9).await, ["ABC-1", "XYZ-9"]);
    assert_eq!(list(&scope(&["london", "paris"]), "", 1).await, ["ABC-1", "abc-1", "XYZ-9"]);
    assert_eq!(list(&Scope::Only(BTreeSet::new()), "", 1).await, Vec::<String>::new());
    assert_eq!(list(&Scope::All, "ABC", 1).await, ["ABC-1", "abc-1"]);
    assert_eq!(list(&Scope::All, "étude", 9).await, ["abc-1"]);
    assert_eq!(list(&Scope::All, "c100", 9).await.len(), 3);
    assert_eq!(list(&scope(&["london", "rome"]), "teal", 9).await, ["XYZ-9"]);
    assert_eq!(list(&Scope::All, "bc-1", 9).await, Vec::<String>::new());
    let told = store.events_about(&Subject::WorkItem(WorkItemId::from_u128(first)), 9).await.unwrap();
    assert_eq!(told.len(), 2);
    assert!(store.greatest_id() > second);
}

async fn workspaces_are_remembered_per_repository(store: &dyn Store) {
    let (item, matters) = (WorkItemId::from_u128(77), "matters".parse().unwrap());
    let binding = Binding {
        work_item: item,
        repository: "matters".parse().unwrap(),
        workspace: "ws-1".to_owned(),
        chosen_by: Some("ada".to_owned()),
        at: at(1),
    };
    assert_eq!(store.binding(item, &matters).await.unwrap(), None);
    store.bind(item, &matters, Some(binding.clone()), None).await.unwrap();
    assert_eq!(store.binding(item, &matters).await.unwrap(), Some(binding));
    assert_eq!(store.binding(item, &"other".parse().unwrap()).await.unwrap(), None);
    store.bind(item, &matters, None, None).await.unwrap();
    assert_eq!(store.binding(item, &matters).await.unwrap(), None);
}

async fn a_closed_store_says_so(store: &dyn Store) {
    let (_, made) = accept(store, vec![filing(request(1, "dms-eu", "in"))]).await;
    store.close().await.unwrap();
    assert_eq!(store.accept(acceptance(Vec::new())).await, Err(StoreError::Closed));
    assert_eq!(store.filing(made[0].id).await, Err(StoreError::Closed));
    assert_eq!(store.summary(&Scope::All).await, Err(StoreError::Closed));
    assert_eq!(store.prove().await.map(drop), Err(StoreError::Closed));
    assert_eq!(store.close().await, Err(StoreError::Closed));
}
