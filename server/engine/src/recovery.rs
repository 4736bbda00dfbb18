//! Stand-in until the domain has it.
use jiff::Timestamp;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::filing::State;
use postroom_domain::machine::{Context, Event, step};
use postroom_domain::person::Actor;
use postroom_domain::store::{FilingChange, Store, StoreResult};

pub(crate) async fn recover(
    store: &dyn Store,
    policy: &RetryPolicy,
    now: Timestamp,
    actor: &Actor,
) -> StoreResult<u64> {
    let mut count = 0;
    loop {
        let page = store.in_state(None, State::Running, None, 512).await?;
        if page.is_empty() {
            return Ok(count);
        }
        let changes: Vec<FilingChange> = page
            .into_iter()
            .filter_map(|filing| {
                let step =
                    step(&filing.progress, Event::Interrupted, Context { now, chance: 0.5, policy }).ok()?;
                Some(FilingChange {
                    id: filing.id,
                    expect: filing.progress.version,
                    next: step.next,
                    attempt: step.attempt,
                    request: None,
                    actor: actor.clone(),
                    note: String::new(),
                    at: now,
                })
            })
            .collect();
        count += changes.len() as u64;
        for answer in store.change_filings(changes).await? {
            answer?;
        }
    }
}
