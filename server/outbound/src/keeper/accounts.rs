//! Whose accounts are linked.

use postroom_domain::Fut;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{Accounts, AccountsAt, Link, LinkState, Standing, SystemOnly};
use postroom_domain::people::Person;
use postroom_domain::record::by_key;
use postroom_domain::store::StoreResult;

use super::TokenKeeper;
use crate::service_settings::SystemAccount;

fn standing(link: Option<&Link>) -> Standing {
    match link.map(|it| &it.state) {
        None => Standing::None,
        Some(LinkState::Active) => Standing::Works,
        Some(LinkState::Unconfirmed | LinkState::Broken { .. }) => Standing::Broken,
    }
}

impl Accounts for TokenKeeper {
    /// A service that is no linked one has only the account of its destination's settings.
    fn at<'a>(&'a self, service: &'a ServiceName, name: &'a str) -> Fut<'a, StoreResult<AccountsAt>> {
        Box::pin(async move {
            let Some(known) = self.0.services.get(service) else {
                return SystemOnly.at(service, name).await;
            };
            let registry = self.0.registry.as_ref();
            let person = by_key::<Person>(registry, &Person::name_key(name)).await?;
            let own: Option<Link> = match &person {
                Some(person) => by_key(registry, &Link::key(service, Some(person.id))).await?,
                None => None,
            };
            let system = match known.system_account {
                SystemAccount::Linked => {
                    standing(by_key(registry, &Link::key(service, None)).await?.as_ref())
                }
                SystemAccount::Application | SystemAccount::Destination => Standing::Works,
            };
            let teams = person.as_ref().map_or(&[][..], |it| &it.teams);
            Ok(AccountsAt {
                person: person.as_ref().map(|it| it.id),
                own: standing(own.as_ref()),
                required: known.linked.asked_of(teams) == Some(true),
                links: known.linked.links,
                fallback: known.linked.fallback,
                when_unsure: known.linked.when_unsure,
                system,
            })
        })
    }
}
