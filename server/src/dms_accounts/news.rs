//! Who hears of new and changed persons: what goes into the registry tells, so that whoever makes persons need not think of it.

use std::sync::{Arc, Mutex, PoisonError};

use postroom_domain::Fut;
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::ids::PersonId;
use postroom_domain::record::{Commit, Kind, Record, Registry};
use postroom_domain::store::StoreResult;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Persons who were made or changed, as soon as that is durable. They come one by one and by hand, so they are not bounded.
#[derive(Clone, Default)]
pub(crate) struct News(Arc<Mutex<Vec<UnboundedSender<PersonId>>>>);

impl News {
    /// From now on.
    pub(crate) fn follow(&self) -> UnboundedReceiver<PersonId> {
        let (sender, receiver) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// A registry that tells.
    pub(crate) fn over(&self, registry: Arc<dyn Registry>) -> Arc<dyn Registry> {
        Arc::new(Telling { registry, news: self.clone() })
    }

    fn tell(&self, person: PersonId) {
        let mut followers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|follower| follower.send(person).is_ok());
    }
}

struct Telling {
    registry: Arc<dyn Registry>,
    news: News,
}

/// The person whom an event tells of as new or changed.
fn changed(event: &NewEvent) -> Option<PersonId> {
    match (&event.subject, &event.happening) {
        (
            Subject::Person(person),
            Happening::Security { what: Security::PersonMade | Security::PersonChanged },
        ) => Some(*person),
        _ => None,
    }
}

impl Registry for Telling {
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>> {
        Box::pin(async move {
            let persons: Vec<_> = commit.events.iter().filter_map(changed).collect();
            self.registry.commit(commit).await?;
            for person in persons {
                self.news.tell(person);
            }
            Ok(())
        })
    }

    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>> {
        self.registry.record_by_id(kind, id)
    }

    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>> {
        self.registry.record_by_key(kind, key)
    }

    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>> {
        self.registry.records(kind, group, after, limit)
    }
}
