//! Linking, confirming, unlinking.

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::event::Security;
use postroom_domain::ids::{LinkId, PersonId, ServiceName};
use postroom_domain::link::{Link, LinkError, LinkKeeper, LinkState, LinkedAccount, NewLink, Sealed};
use postroom_domain::person::Actor;
use postroom_domain::record::{Commit, Kept as _, Write, by_id, by_key, page};
use postroom_domain::store::StoreError;
use tracing::warn;

use super::{Inner, TokenKeeper, locked};
use crate::services::Service;

/// Links looked at together.
const PAGE: usize = 200;

impl LinkKeeper for TokenKeeper {
    fn link(&self, new: NewLink) -> Fut<'_, Result<Link, LinkError>> {
        Box::pin(async move { self.0.link(new).await })
    }

    fn confirm<'a>(&'a self, link: LinkId, version: u64, by: &'a str) -> Fut<'a, Result<Link, LinkError>> {
        Box::pin(async move {
            let _one_at_a_time = self.0.linking.lock().await;
            let mut it = self.0.existing(link).await?;
            if it.version != version || it.state != LinkState::Unconfirmed {
                return Err(LinkError::Changed);
            }
            // Nobody's word was waited for: whose account it is may have linked it meanwhile.
            self.0.is_free(&it.service, &it.account, it.person).await?;
            it.state = LinkState::Active;
            it.version += 1;
            self.0.written(&it, it.put()?, Security::LinkConfirmed, by).await?;
            self.0.changed(&it).await;
            Ok(it)
        })
    }

    fn unlink<'a>(&'a self, link: LinkId, by: &'a str) -> Fut<'a, Result<(), LinkError>> {
        Box::pin(async move {
            let it = self.0.existing(link).await?;
            self.0.written(&it, it.remove(), Security::Unlinked, by).await?;
            let number = it.id.as_u128();
            locked(&self.0.unsaved).remove(&number);
            locked(&self.0.resting).remove(&number);
            self.0.changed(&it).await;
            if let Some(service) = self.0.services.get(&it.service) {
                self.0.revoke(service, &it);
            }
            Ok(())
        })
    }
}

impl Inner {
    async fn existing(&self, link: LinkId) -> Result<Link, LinkError> {
        by_id(self.registry.as_ref(), link.as_u128()).await?.ok_or(LinkError::NotFound)
    }

    async fn written(&self, link: &Link, write: Write, what: Security, by: &str) -> Result<(), LinkError> {
        let event = self.event(link, what, &Actor::person(by), "").await?;
        match self.registry.commit(Commit { writes: vec![write], events: vec![event] }).await {
            Ok(()) => Ok(()),
            Err(StoreError::Conflict { .. } | StoreError::Exists(_)) => Err(LinkError::Changed),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses an outside account that is linked to another person already. A link that waits for its owner's word holds nothing: it
    /// may well be a mistake, and must not keep the account from whose it is.
    async fn is_free(
        &self,
        service: &ServiceName,
        account: &LinkedAccount,
        person: Option<PersonId>,
    ) -> Result<(), LinkError> {
        let Some(person) = person else { return Ok(()) };
        let group = Link::group_of_service(service);
        let mut after = None;
        loop {
            let links: Vec<Link> = page(self.registry.as_ref(), Some(&group), after, PAGE).await?;
            let holds = |it: &Link| {
                it.account.id == account.id
                    && it.person.is_some_and(|of| of != person)
                    && it.state != LinkState::Unconfirmed
            };
            if links.iter().any(holds) {
                return Err(LinkError::Taken { account: account.name.clone() });
            }
            match links.last() {
                Some(last) if links.len() == PAGE => after = Some(last.number()),
                _ => return Ok(()),
            }
        }
    }

    async fn link(&self, new: NewLink) -> Result<Link, LinkError> {
        let Some(service) = self.services.get(&new.service).filter(|it| it.linked.links) else {
            return Err(LinkError::NotOffered(new.service));
        };
        let _one_at_a_time = self.linking.lock().await;
        self.is_free(&new.service, &new.account, new.person).await?;
        let key = Link::key(&new.service, new.person);
        let before: Option<Link> = by_key(self.registry.as_ref(), &key).await?;
        let now = self.now();
        let fresh = || LinkId::from_u128(self.mint.next(self.clock.as_ref(), self.entropy.as_ref()));
        let mut link = Link {
            id: before.as_ref().map_or_else(fresh, |it| it.id),
            version: before.as_ref().map_or(1, |it| it.version + 1),
            service: new.service,
            person: new.person,
            made_by: new.made_by,
            account: new.account,
            state: if new.ask { LinkState::Unconfirmed } else { LinkState::Active },
            access: Sealed::default(),
            access_ends: None,
            refresh: None,
            refresh_ends: None,
            // Goes on counting, so that a refusal of the old link's token is not taken for one of the new one's.
            generation: before.as_ref().map_or(0, |it| it.generation),
            scope: String::new(),
            linked: now,
            renewed: now,
        };
        self.fill(&mut link, &new.grant)
            .map_err(|e| StoreError::Fatal(format!("tokens cannot be sealed: {e}")))?;
        self.written(&link, link.put()?, Security::Linked, &link.made_by).await?;
        let number = link.id.as_u128();
        locked(&self.unsaved).remove(&number);
        locked(&self.resting).remove(&number);
        locked(&self.warned).remove(&number);
        self.changed(&link).await;
        if let Some(before) = before.filter(|it| it.account.id != link.account.id) {
            self.revoke(service, &before);
        }
        Ok(link)
    }

    /// Tells the service that a link is over, without waiting for it.
    fn revoke(&self, service: &Arc<Service>, link: &Link) {
        let grant = match self.grant_of(link) {
            Ok(grant) => grant,
            Err(error) => {
                warn!(link.id = %link.id, error = %error, "The service is not told that a link is over.");
                return;
            }
        };
        let (service, id) = (Arc::clone(service), link.id);
        tokio::spawn(async move {
            if let Err(error) = service.renewing.revoke(&grant).await {
                warn!(link.id = %id, error = %error, "The service was not told that a link is over.");
            }
        });
    }
}
