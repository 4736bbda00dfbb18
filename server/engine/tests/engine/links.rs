//! Who has linked what, as a test says it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use postroom_domain::Fut;
use postroom_domain::ids::{PersonId, ServiceName};
use postroom_domain::link::{Accounts, AccountsAt, Fallback, Standing, WhenUnsure};
use postroom_domain::store::StoreResult;

/// What is linked at every service.
pub(crate) struct Links {
    /// Persons and how their links stand. Names that are not here belong to doors and programs.
    pub(crate) persons: HashMap<String, (PersonId, Standing)>,
    pub(crate) required: bool,
    pub(crate) fallback: Fallback,
    pub(crate) when_unsure: WhenUnsure,
    pub(crate) system: Standing,
}

#[derive(Default)]
pub(crate) struct Register(Mutex<Links>);

impl Default for Links {
    fn default() -> Self {
        Self {
            persons: HashMap::new(),
            required: false,
            fallback: Fallback::BackgroundOnly,
            when_unsure: WhenUnsure::Refuse,
            system: Standing::Works,
        }
    }
}

impl Register {
    pub(crate) fn set(&self) -> MutexGuard<'_, Links> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn link(&self, person: &str, standing: Standing) {
        let mut links = self.set();
        let number = links.persons.len() as u128 + 1;
        links.persons.entry(person.to_owned()).or_insert((PersonId::from_u128(number), standing)).1 =
            standing;
    }

    pub(crate) fn id(&self, person: &str) -> PersonId {
        self.set().persons[person].0
    }
}

impl Accounts for Register {
    fn at<'a>(&'a self, _: &'a ServiceName, name: &'a str) -> Fut<'a, StoreResult<AccountsAt>> {
        Box::pin(async move {
            let links = self.set();
            let own = links.persons.get(name).copied();
            Ok(AccountsAt {
                person: own.map(|(id, _)| id),
                own: own.map_or(Standing::None, |(_, standing)| standing),
                required: links.required,
                links: true,
                fallback: links.fallback,
                when_unsure: links.when_unsure,
                system: links.system,
            })
        })
    }
}
