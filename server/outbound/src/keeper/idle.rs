//! Links that nobody uses: renewed before the service forgets them, and warned about before they end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::event::Security;
use postroom_domain::link::{AccessError, Link, LinkState};
use postroom_domain::person::Actor;
use postroom_domain::record::{Commit, Kept as _, page};
use postroom_domain::store::StoreResult;
use postroom_domain::time::later;
use tracing::warn;

use super::{Inner, TokenKeeper, locked};
use crate::services::Service;

/// Between two rounds; up to a quarter more by chance.
const EVERY: Duration = Duration::from_mins(15);
/// Links looked at together.
const PAGE: usize = 100;
/// Renewals of idle links at once, for each service.
const AT_ONCE: usize = 2;

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Links looked at.
    pub seen: usize,
    /// Idle links that were renewed.
    pub renewed: usize,
    /// Links that could not be renewed now.
    pub put_off: usize,
    /// Links that are broken since.
    pub broken: usize,
    /// Links that were warned about because they will end.
    pub warned: usize,
}

impl TokenKeeper {
    /// Looks after idle links until `shutdown` is ready. A renewal under way ends on its own.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let rest = EVERY.mul_f64(1.0 + self.0.entropy.unit() / 4.0);
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(rest) => {}
            }
            if let Err(error) = self.look_after().await {
                warn!(error = %error, "Idle links could not be looked at.");
            }
        }
    }

    /// Looks once at all links.
    pub async fn look_after(&self) -> StoreResult<Round> {
        let mut round = Round::default();
        for service in self.0.services.iter() {
            let group = Link::group_of_service(&service.linked.name);
            let mut after = None;
            loop {
                let links: Vec<Link> = page(self.0.registry.as_ref(), Some(&group), after, PAGE).await?;
                after = links.last().map(Link::number);
                let full = links.len() == PAGE;
                self.look_at(service, links, &mut round).await?;
                if !full {
                    break;
                }
            }
        }
        Ok(round)
    }

    async fn look_at(&self, service: &Arc<Service>, links: Vec<Link>, round: &mut Round) -> StoreResult<()> {
        round.seen += links.len();
        let active: Vec<Link> = links.into_iter().filter(|it| it.state == LinkState::Active).collect();
        for link in &active {
            round.warned += usize::from(self.0.warn(service, link).await?);
        }
        let now = self.0.now();
        let idle = |link: &Link| {
            let keep = service.linked.keep_alive.filter(|_| link.refresh.is_some());
            keep.is_some_and(|keep| later(link.renewed, keep) <= now)
        };
        let due: Vec<(u128, u64)> =
            active.iter().filter(|it| idle(it)).map(|it| (it.id.as_u128(), it.generation)).collect();
        let (inner, service) = (Arc::clone(&self.0), Arc::clone(service));
        let renewals = futures_util::stream::iter(due).map(move |(id, generation)| {
            let (inner, service) = (Arc::clone(&inner), Arc::clone(&service));
            // On a task of its own: a shutdown does not cut a renewal off.
            tokio::spawn(async move { inner.renew(&service, id, Some(generation)).await })
        });
        let mut renewals = renewals.buffer_unordered(AT_ONCE);
        while let Some(renewal) = renewals.next().await {
            match renewal {
                Ok(Ok(_)) => round.renewed += 1,
                Ok(Err(AccessError::Broken(_))) => round.broken += 1,
                Ok(Err(_)) | Err(_) => round.put_off += 1,
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Warns once about a link that will end, for each end.
    async fn warn(&self, service: &Service, link: &Link) -> StoreResult<bool> {
        // What renews itself ends only with its refresh token; an access token alone ends soon by nature.
        let Some(ends) = link.refresh_ends.filter(|_| link.refresh.is_some()) else { return Ok(false) };
        let number = link.id.as_u128();
        let near = later(self.now(), service.linked.warn_before) >= ends;
        if !near || locked(&self.warned).get(&number) == Some(&ends) {
            return Ok(false);
        }
        let note = format!("ends {ends} unless it is linked again");
        let event = self.event(link, Security::LinkEnding, &Actor::system("links", None), &note).await?;
        self.registry.commit(Commit { writes: Vec::new(), events: vec![event] }).await?;
        locked(&self.warned).insert(number, ends);
        Ok(true)
    }
}
