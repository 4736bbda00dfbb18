//! What a start puts right, on every store.

use std::time::Duration;

use postroom_domain::backoff::RetryPolicy;
use postroom_domain::cause::Cause;
use postroom_domain::event::{Happening, Subject};
use postroom_domain::filing::{Outcome, State};
use postroom_domain::machine::Event;
use postroom_domain::person::Scope;
use postroom_domain::recovery::{Recovered, recover};
use postroom_domain::store::Store;
use postroom_domain::time::later;
use postroom_store::{MemoryStore, OpenOptions, RedbStore};

use crate::world::{accept, actor, at, filing, happen, request};

async fn puts_right(store: &dyn Store) {
    let policy = RetryPolicy::default();
    // More than one portion is running, one of them for the third time.
    let filings = (0..1200).map(|content| filing(request(content, "dms-eu", "in"))).collect();
    let (_, made) = accept(store, filings).await;
    for filing in &made[..1100] {
        happen(store, filing.id, Event::Claim, at(1)).await;
    }
    for _ in 0..2 {
        happen(store, made[7].id, Event::Interrupted, at(2)).await;
        happen(store, made[7].id, Event::ProbeAbsent { lag: Duration::ZERO, asked: at(3) }, at(3)).await;
        happen(store, made[7].id, Event::Claim, at(4)).await;
    }
    // The clock was a year ahead when these were put off.
    let year = later(at(0), Duration::from_hours(24 * 365));
    let mut far: Vec<_> = (5000..5600).map(|content| filing(request(content, "dms-us", "in"))).collect();
    for filing in &mut far {
        filing.progress.due = Some(year);
    }
    let (_, far) = accept(store, far).await;

    let recovered = recover(store, &policy, at(10), &actor()).await.unwrap();
    assert_eq!(recovered, Recovered { interrupted: 1100, pulled_in: 600 });
    let poisoned = store.filing(made[7].id).await.unwrap().unwrap();
    assert_eq!((poisoned.progress.state, poisoned.progress.cause()), (State::Failed, Some(Cause::Poison)));
    let states = store.summary(&Scope::All).await.unwrap().filings.by_state;
    assert_eq!((states[State::Waiting as usize], states[State::Checking as usize]), (100 + 600, 1099));
    assert_eq!(states[State::Running as usize], 0);
    let attempts = store.attempts(made[0].id).await.unwrap();
    assert_eq!(
        (attempts.len(), attempts[0].outcome.clone(), attempts[0].ended),
        (1, Some(Outcome::Interrupted), Some(at(10)))
    );
    let near = store.filing(far[0].id).await.unwrap().unwrap();
    assert_eq!(near.progress.due, Some(at(25)));
    let told = store.events_about(&Subject::System, 9).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|event| event.event.happening).collect();
    assert_eq!(told, [Happening::Started { recovered: 1100 }]);

    // A second start finds nothing to do.
    assert_eq!(recover(store, &policy, at(11), &actor()).await.unwrap(), Recovered::default());
}

#[tokio::test]
async fn a_start_puts_the_memory_store_right() {
    puts_right(&MemoryStore::new()).await;
}

#[tokio::test]
async fn a_start_puts_the_redb_store_right() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = RedbStore::open(&home.path().join("store.redb"), OpenOptions::default()).unwrap();
    puts_right(&store).await;
    assert_eq!(store.self_check().await.unwrap().wrong, Vec::<String>::new());
}
