//! Accounts of persons in the DMSs: the connectors as directories, what looks after accounts that are made by themselves, and the
//! report's line about them.

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::desk::{DmsAccounts, DmsAccountsAt, People};
use postroom_domain::dms::{Dms, DmsResult, DmsUser, Made, NewUser};
use postroom_domain::dms_account::{Directory, Offers};
use postroom_domain::person::Actor;

use crate::foundation::Foundation;
use crate::settings::Settings;

mod caretaker;
mod news;
mod report;

pub(crate) use caretaker::Caretaker;
pub(crate) use news::News;
pub(crate) use report::finding;

/// A connector as a directory.
struct Connected {
    dms: Arc<dyn Dms>,
    library: String,
}

impl Directory for Connected {
    fn offers(&self) -> Offers {
        let offered = self.dms.capabilities();
        Offers { find: offered.find_users, make: offered.create_users }
    }

    fn find<'a>(&'a self, actor: &'a Actor, email: &'a str) -> Fut<'a, DmsResult<Vec<DmsUser>>> {
        self.dms.find_users(actor, &self.library, email)
    }

    fn make<'a>(&'a self, actor: &'a Actor, user: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        self.dms.create_user(actor, user)
    }
}

/// Accounts at every destination of the settings.
pub(crate) fn accounts(
    settings: &Settings,
    foundation: &Foundation,
    people: Arc<People>,
) -> Arc<DmsAccounts> {
    let policy = |name| settings.destinations.iter().map(toml::Spanned::get_ref).find(|it| it.name == name);
    let at = |connector: &crate::connectors::Connector| {
        let policy = policy(connector.name.clone()).map(|it| it.accounts.clone()).unwrap_or_default();
        let library = policy.library.clone();
        let directory = Arc::new(Connected { dms: connector.dms(), library });
        DmsAccountsAt { service: connector.name.clone(), policy, directory }
    };
    let destinations = foundation.connectors.iter().map(at).collect();
    Arc::new(DmsAccounts::new(people, destinations, settings.retry.clone()))
}

#[cfg(test)]
mod tests;
