//! Who may see, confirm and remove which links. The keeper of links does it; here is proved who asks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{DeskError, People};
use crate::ids::{LinkId, PersonId, ServiceName, SiteName};
use crate::link::{Link, LinkState};
use crate::people::{Person, group_of};
use crate::person::{Permission, Principal};
use crate::record;
use crate::store::StoreResult;

/// An account at a service that somebody may stop and let go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedAccount {
    /// The site of its person; none for the system account.
    pub site: Option<SiteName>,
    /// Whether there is a link of it now.
    pub linked: bool,
}

impl People {
    /// One's own links.
    pub async fn own_links(&self, by: &Principal) -> StoreResult<Vec<Link>> {
        match by.person {
            Some(person) => self.all_of(Some(&group_of(person))).await,
            None => Ok(Vec::new()),
        }
    }

    /// Everybody's links at a service, as far as one looks after them: the system account's, and those of persons of one's sites.
    pub async fn links_at(&self, by: &Principal, service: &ServiceName) -> Result<Vec<Link>, DeskError> {
        if !by.may(Permission::ManageLinks) {
            return Err(DeskError::NotAllowed(Permission::ManageLinks));
        }
        let mut seen = Vec::new();
        for link in self.all_of::<Link>(Some(&Link::group_of_service(service))).await? {
            if self.sees_link(by, &link).await? {
                seen.push(link);
            }
        }
        Ok(seen)
    }

    /// The links at a service that an operator has to know of: the system account's, and of persons of their sites those that are broken,
    /// unconfirmed, stopped (`stopped` has their [`Link::door`]), or end within a time. They are seen and not touched.
    pub async fn watched_links(
        &self,
        by: &Principal,
        service: &ServiceName,
        within: Duration,
        stopped: &BTreeSet<String>,
    ) -> Result<Vec<Link>, DeskError> {
        if !by.may(Permission::SeeAll) {
            return Err(DeskError::NotAllowed(Permission::SeeAll));
        }
        let limit = self.clock.now() + within;
        let mut seen = Vec::new();
        for link in self.all_of::<Link>(Some(&Link::group_of_service(service))).await? {
            let trouble = !matches!(link.state, LinkState::Active)
                || link.ends().is_some_and(|ends| ends < limit)
                || stopped.contains(&Link::door(service, link.person));
            let Some(person) = link.person else {
                seen.push(link);
                continue;
            };
            if trouble {
                let person = record::by_id::<Person>(self.store.as_ref(), person.as_u128()).await?;
                if person.is_some_and(|it| by.sites.has(&it.sites.home)) {
                    seen.push(link);
                }
            }
        }
        Ok(seen)
    }

    /// The account at a service of a person, or the system account: one's own, and with the right to see everything the system account
    /// and those of persons of one's sites. [`DeskError::NotFound`] for all others.
    pub async fn watched_account(
        &self,
        by: &Principal,
        service: &ServiceName,
        whose: Option<PersonId>,
    ) -> Result<WatchedAccount, DeskError> {
        let own = whose.is_some() && by.person == whose;
        if !own && !by.may(Permission::SeeAll) {
            return Err(DeskError::NotFound);
        }
        let registry = self.store.as_ref();
        let site = match whose {
            None => None,
            Some(person) => {
                let person = record::by_id::<Person>(registry, person.as_u128()).await?;
                let site = person.map(|it| it.sites.home).ok_or(DeskError::NotFound)?;
                if !own && !by.sites.has(&site) {
                    return Err(DeskError::NotFound);
                }
                Some(site)
            }
        };
        let link: Option<Link> = record::by_key(registry, &Link::key(service, whose)).await?;
        Ok(WatchedAccount { site, linked: link.is_some() })
    }

    /// A link that one may see.
    pub async fn link_seen(&self, by: &Principal, id: LinkId) -> Result<Link, DeskError> {
        let link = record::by_id::<Link>(self.store.as_ref(), id.as_u128()).await?;
        let link = link.ok_or(DeskError::NotFound)?;
        if self.sees_link(by, &link).await? { Ok(link) } else { Err(DeskError::NotFound) }
    }

    async fn sees_link(&self, by: &Principal, link: &Link) -> StoreResult<bool> {
        let Some(person) = link.person else { return Ok(by.may(Permission::ManageLinks)) };
        if by.person == Some(person) {
            return Ok(true);
        }
        if !by.may(Permission::ManageLinks) {
            return Ok(false);
        }
        let person = record::by_id::<Person>(self.store.as_ref(), person.as_u128()).await?;
        Ok(person.is_some_and(|it| by.sites.has(&it.sites.home)))
    }

    /// The owner says that the linked account is the right one; for the system account an administrator says so. Nobody says it for
    /// another person.
    pub async fn confirm_link(&self, by: &Principal, id: LinkId, version: u64) -> Result<Link, DeskError> {
        let link = self.link_seen(by, id).await?;
        if link.person.is_some() && link.person != by.person {
            return Err(DeskError::Beyond("only the person whose link it is can confirm it".to_owned()));
        }
        Ok(self.links.confirm(id, version, &by.name).await?)
    }

    /// Removes a link: one's own, or one that an administrator looks after.
    pub async fn unlink(&self, by: &Principal, id: LinkId) -> Result<(), DeskError> {
        self.link_seen(by, id).await?;
        Ok(self.links.unlink(id, &by.name).await?)
    }
}
