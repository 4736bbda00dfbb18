//! Sending from a DMS and starting from its folders: [`SendTo`] over the destinations, with the account of the person who asks.
//!
//! What a page shows and what is sent are read with the same account, so a document that a person may not read there is not there here
//! either. The version that was shown is the version that is sent.

mod gather;
mod matches;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::handed::Vendor;
use postroom_domain::ids::{ServiceName, TicketId};
use postroom_domain::mailroom::Mailroom;
use postroom_domain::person::Principal;
use postroom_domain::places::PlacesError;
use postroom_domain::reception::Reception;
use postroom_domain::send_to::{Choice, Collection, Seen, SendError, SendResult, SendTo, Workflow};
use postroom_domain::store::StoreError;
use postroom_domain::ticket::{NewTicket, Order, Ticket, Tickets};

use crate::places::{DestinationPlaces, PATIENCE};

/// What it is made of.
#[derive(Clone)]
pub struct SendToParts {
    /// Who looks into the DMSs.
    pub places: Arc<DestinationPlaces>,
    /// Where work items are saved and documents are taken in.
    pub mailroom: Arc<Mailroom>,
    /// Whose ids each destination has, where they can be recognised.
    pub vendors: BTreeMap<ServiceName, Vendor>,
    /// What can be started.
    pub workflows: Vec<Workflow>,
    /// What knowledge can be added to.
    pub collections: Vec<Collection>,
    /// The largest document, in bytes.
    pub largest: u64,
}

/// [`SendTo`] of the engine's destinations.
pub struct SendToDesk(SendToParts);

impl SendToDesk {
    /// Over these.
    pub const fn new(parts: SendToParts) -> Self {
        Self(parts)
    }

    fn reception(&self) -> &Reception {
        &self.0.mailroom.reception
    }

    fn tickets(&self) -> Tickets<'_> {
        let reception = self.reception();
        Tickets {
            registry: &*reception.store,
            clock: &*reception.clock,
            entropy: &*reception.entropy,
            mint: &reception.mint,
        }
    }

    fn vendor(&self, service: &ServiceName) -> SendResult<Vendor> {
        let vendor = self.0.vendors.get(service).copied();
        vendor.ok_or_else(|| PlacesError::NoDestination(service.clone()).into())
    }

    async fn opened(&self, by: &Principal, holder: &str, id: TicketId) -> SendResult<Ticket> {
        self.tickets().open(by, holder, id).await?.ok_or(SendError::NoTicket)
    }

    async fn begun(&self, by: &Principal, holder: &str, new: NewTicket) -> SendResult<Ticket> {
        if by.person.is_none() {
            return Err(SendError::NotAPerson);
        }
        self.vendor(&new.service)?;
        if new.things.is_empty() {
            return Err(SendError::NoIds);
        }
        Ok(self.tickets().make(by, holder, new).await?)
    }

    async fn looked(&self, by: &Principal, holder: &str, id: TicketId, words: &str) -> SendResult<Seen> {
        let ticket = self.opened(by, holder, id).await?;
        let gathering = tokio::time::timeout(PATIENCE, self.gathered(by, &ticket));
        let mut seen = gathering.await.unwrap_or(Err(SendError::Places(PlacesError::Slow)))?;
        let captured = seen.documents().cloned().collect();
        seen.ticket = self.tickets().capture(ticket, captured).await?;
        seen.found = self.searched(by, words).await?;
        Ok(seen)
    }
}

impl SendTo for SendToDesk {
    fn services(&self) -> Vec<(ServiceName, Vendor)> {
        self.0.vendors.iter().map(|(name, vendor)| (name.clone(), *vendor)).collect()
    }

    fn begin<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        new: NewTicket,
    ) -> Fut<'a, SendResult<Ticket>> {
        Box::pin(self.begun(by, holder, new))
    }

    fn look<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        id: TicketId,
        words: &'a str,
    ) -> Fut<'a, SendResult<Seen>> {
        Box::pin(self.looked(by, holder, id, words))
    }

    fn ticket<'a>(&'a self, by: &'a Principal, holder: &'a str, id: TicketId) -> Fut<'a, SendResult<Ticket>> {
        Box::pin(async move { self.tickets().find(by, holder, id).await?.ok_or(SendError::NoTicket) })
    }

    fn send<'a>(
        &'a self,
        by: &'a Principal,
        holder: &'a str,
        id: TicketId,
        choice: Choice,
    ) -> Fut<'a, SendResult<Order>> {
        Box::pin(self.sent(by, holder, id, choice))
    }

    fn sweep(&self) -> Fut<'_, Result<u64, StoreError>> {
        Box::pin(async move { self.tickets().sweep().await })
    }
}
