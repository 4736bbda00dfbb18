//! Intakes that are divided: all of it or nothing, and the batch follows its sections.

use postroom_domain::filing::State;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Intake, IntakeState, NeedsPerson};
use postroom_domain::machine::Event;
use postroom_domain::store::{Accepted, Division, IntakeChange, Section, Store, StoreError};

use crate::world::{acceptance, actor, at, filing, happen, receipt, request};

fn change(next: Intake, note: &str) -> IntakeChange {
    IntakeChange {
        next,
        filings: Vec::new(),
        records: Vec::new(),
        actor: actor(),
        note: note.to_owned(),
        at: at(5),
    }
}

fn division(batch: &Intake, sections: Vec<Section>) -> Division {
    let next = Intake { state: IntakeState::Split, version: batch.version + 1, ..batch.clone() };
    Division { change: change(next, "divided at its cover sheets"), sections }
}

/// A section with filings of these contents; one without any needs a person.
fn section(contents: &[u64]) -> Section {
    let filings = contents.iter().map(|content| filing(request(*content, "dms-eu", "in"))).collect();
    let given = acceptance(filings);
    let mut intake = given.intake;
    if contents.is_empty() {
        intake.state = IntakeState::NeedsPerson;
        intake.needs = Some(NeedsPerson { code: "unread_code".to_owned(), text: "a code".to_owned() });
    }
    Section { intake, filings: given.filings }
}

async fn stored(store: &dyn Store) -> Intake {
    let mut given = acceptance(Vec::new());
    given.intake.state = IntakeState::Stored;
    given.intake.batch = true;
    let Accepted::Fresh(intake, _) = store.accept(given).await.unwrap() else { panic!("it is new") };
    intake
}

async fn now(store: &dyn Store, id: IntakeId) -> (IntakeState, u32, u32, u64) {
    let intake = store.intake(id).await.unwrap().unwrap();
    (intake.state, intake.filings, intake.open_filings, intake.version)
}

pub(crate) async fn a_batch_follows_its_sections(store: &dyn Store) {
    let batch = stored(store).await;
    // The third is the same document for the same place as the first: a duplicate, and through at once.
    let sections = vec![section(&[1]), section(&[]), section(&[1])];
    let ids: Vec<IntakeId> = sections.iter().map(|section| section.intake.id).collect();
    let first = sections[0].filings[0].id;
    let third = sections[2].filings[0].id;
    store.divide(division(&batch, sections)).await.unwrap();
    assert_eq!(now(store, batch.id).await, (IntakeState::Split, 3, 2, 2));
    let divided = store.intake(batch.id).await.unwrap().unwrap();
    assert_eq!((divided.sections.clone(), divided.part_of), (ids.clone(), None));
    for id in &ids {
        let section = store.intake(*id).await.unwrap().unwrap();
        assert_eq!((section.part_of, section.sections), (Some(batch.id), Vec::new()));
    }
    assert_eq!(now(store, ids[0]).await, (IntakeState::Split, 1, 1, 1));
    assert_eq!(now(store, ids[1]).await, (IntakeState::NeedsPerson, 0, 0, 1));
    assert_eq!(now(store, ids[2]).await, (IntakeState::Settled, 1, 0, 1));
    assert_eq!(store.filing(third).await.unwrap().unwrap().progress.duplicate_of, Some(first));
    assert_eq!(store.intake_filings(batch.id).await.unwrap(), []);

    happen(store, first, Event::Cancel, at(6)).await;
    assert_eq!(now(store, ids[0]).await, (IntakeState::Settled, 1, 0, 2));
    assert_eq!(now(store, batch.id).await, (IntakeState::Split, 3, 1, 2));
    let asked = store.intake(ids[1]).await.unwrap().unwrap();
    let dismissed = Intake { state: IntakeState::Dismissed, version: 2, ..asked };
    store.change_intake(change(dismissed, "a sheet of paper")).await.unwrap();
    assert_eq!(now(store, batch.id).await, (IntakeState::Settled, 3, 0, 3), "with the last of them");

    happen(store, third, Event::FileAnyway, at(7)).await;
    assert_eq!(now(store, ids[2]).await, (IntakeState::Split, 1, 1, 2));
    assert_eq!(now(store, batch.id).await, (IntakeState::Split, 3, 1, 4));
    happen(store, third, Event::Claim, at(8)).await;
    happen(store, third, Event::FoundDuplicate { of: None, receipt: Some(receipt("x")) }, at(9)).await;
    assert_eq!(now(store, batch.id).await, (IntakeState::Settled, 3, 0, 5));
}

pub(crate) async fn a_batch_of_duplicates_is_through_at_once(store: &dyn Store) {
    let batch = stored(store).await;
    let other = acceptance(vec![filing(request(1, "dms-eu", "in"))]);
    store.accept(other).await.unwrap();
    store.divide(division(&batch, vec![section(&[1])])).await.unwrap();
    assert_eq!(now(store, batch.id).await, (IntakeState::Settled, 1, 0, 2));
}

pub(crate) async fn it_is_divided_once_and_as_a_whole_or_not_at_all(store: &dyn Store) {
    let batch = stored(store).await;
    let known = section(&[3]);
    let other = acceptance(vec![filing(request(9, "dms-eu", "in"))]);
    store.accept(other.clone()).await.unwrap();
    let before = store.events_after(0, 100).await.unwrap().len();

    let stale = Intake { version: 4, ..batch.clone() };
    let refused = store.divide(division(&stale, vec![section(&[1])])).await;
    assert_eq!(refused, Err(StoreError::Conflict { found: 1 }));
    let nowhere = Intake { id: IntakeId::from_u128(4711), ..batch.clone() };
    let refused = store.divide(division(&nowhere, vec![section(&[1])])).await;
    assert_eq!(refused, Err(StoreError::Conflict { found: 0 }));
    assert!(matches!(store.divide(division(&batch, Vec::new())).await, Err(StoreError::Damaged(_))));
    let twice = vec![known.clone(), known.clone()];
    assert!(matches!(store.divide(division(&batch, twice)).await, Err(StoreError::Damaged(_))));
    let there = Section { intake: other.intake.clone(), filings: Vec::new() };
    let refused = store.divide(division(&batch, vec![section(&[1]), there])).await;
    assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
    let taken = Section { filings: other.filings.clone(), ..section(&[]) };
    let refused = store.divide(division(&batch, vec![section(&[1]), taken])).await;
    assert!(matches!(refused, Err(StoreError::Exists(_))), "{refused:?}");
    assert_eq!(store.events_after(0, 100).await.unwrap().len(), before, "nothing was written");
    assert_eq!(store.intake(batch.id).await.unwrap(), Some(batch.clone()));

    store.divide(division(&batch, vec![known.clone()])).await.unwrap();
    let divided = store.intake(batch.id).await.unwrap().unwrap();
    let again = store.divide(division(&divided, vec![section(&[4])])).await;
    assert!(matches!(again, Err(StoreError::Damaged(_))), "{again:?}");
    let part = store.intake(known.intake.id).await.unwrap().unwrap();
    let again = store.divide(division(&part, vec![section(&[5])])).await;
    assert!(matches!(again, Err(StoreError::Damaged(_))), "{again:?}");
    assert_eq!(store.filing(known.filings[0].id).await.unwrap().unwrap().progress.state, State::Waiting);
}
