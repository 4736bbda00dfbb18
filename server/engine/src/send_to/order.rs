//! Carrying it out: documents into the spool, the work item where one is made, and an intake like any other.
//!
//! The order that does everything once: bytes, then the decision (with the ids of what is made), then the work item, then the intake
//! under the ticket's key, then that it is done. Whatever is cut off in between goes on when the person sends again.

use futures_util::StreamExt as _;
use postroom_domain::dms::{ByteStream, DmsError};
use postroom_domain::handed::{Purpose, Vendor};
use postroom_domain::ids::{BlobHash, IntakeId, TicketId, WorkItemId};
use postroom_domain::intake::Document;
use postroom_domain::media_type;
use postroom_domain::person::{Actor, Principal};
use postroom_domain::places::PlacesError;
use postroom_domain::reception::Arrival;
use postroom_domain::send_to::{Choice, SOURCE, Seen, SendError, SendResult, Workflow};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError};
use postroom_domain::ticket::{Captured, Order, Ticket};
use postroom_domain::work_item::{self, Client, Origin, WorkItem};

use super::SendToDesk;
use crate::places::{PATIENCE, View};

/// How long a pause in a download may be.
const PAUSE: std::time::Duration = std::time::Duration::from_mins(1);
/// The longest title that is made of a file's name, in characters.
const LONGEST_TITLE: usize = 150;
/// The longest file name, in characters.
const LONGEST_NAME: usize = 250;
/// So many references are tried for a work item: some may have been given by hand.
const MOST_REFERENCES: usize = 1_000;

/// A document with its bytes, and where it came from.
struct Fetched {
    document: Document,
    remark: String,
}

impl SendToDesk {
    pub(super) async fn sent(
        &self,
        by: &Principal,
        holder: &str,
        id: TicketId,
        choice: Choice,
    ) -> SendResult<Order> {
        let mut ticket = self.opened(by, holder, id).await?;
        if let Some(order) = ticket.order.as_ref().filter(|order| order.done) {
            return Ok(order.clone());
        }
        self.not_paused().await?;
        if ticket.purpose == Purpose::SendTo && ticket.captured.is_empty() {
            // A program that does not look first takes what there is now.
            ticket = self.looked(by, holder, id, "").await?.ticket;
        }
        if ticket.purpose == Purpose::SendTo && ticket.captured.is_empty() {
            return Err(SendError::NothingToSend);
        }
        let (order, new) = match &ticket.order {
            Some(order) => (order.clone(), self.renewed(by, &ticket, order, &choice).await?),
            None => self.decided(by, &ticket, &choice).await?,
        };
        let fetched = self.fetched(by, &ticket).await?;
        let ticket = self.tickets().decide(&ticket, order).await?;
        let order = ticket.order.clone().ok_or(SendError::NoTicket)?;
        let actor = Actor::person(&by.name);
        if let Some(new) = new.filter(|_| order.workflow.is_some()) {
            self.make(new, &order, &actor).await?;
        }
        let intake = self.take_in(by, &ticket, &order, fetched, &actor).await?;
        let ticket = self.tickets().finish(&ticket, intake).await?;
        tracing::info!(service = %ticket.service, work_item = %order.work_item, documents = ticket.captured.len(),
            "what was handed over from the DMS was taken in");
        ticket.order.ok_or(SendError::NoTicket)
    }

    async fn not_paused(&self) -> SendResult<()> {
        let reception = self.reception();
        let door = format!("source/{SOURCE}");
        let pauses = reception.store.pauses().await?;
        let now = reception.clock.now();
        let stopped = |until: Option<jiff::Timestamp>| until.is_none_or(|until| until > now);
        match pauses.into_iter().find(|pause| pause.door == door && stopped(pause.until)) {
            Some(pause) => Err(SendError::Paused(pause.reason)),
            None => Ok(()),
        }
    }

    /// Where it goes, and the work item that is made for it.
    async fn decided(
        &self,
        by: &Principal,
        ticket: &Ticket,
        choice: &Choice,
    ) -> SendResult<(Order, Option<WorkItem>)> {
        let (item, area) = match choice {
            Choice::Workflow { name, title } => {
                let workflow = self.workflow(name)?;
                let id = WorkItemId::from_u128(self.reception().next_intake().as_u128());
                let mut item = self.item(by, ticket, workflow, title, id, String::new()).await?;
                // Only now that nothing stands in the way any more: numbers have no gaps without need.
                item.reference = self.reference(by, workflow).await?;
                work_item::check_loaded(&item)
                    .map_err(|(field, why)| SendError::Choose(format!("{field} {why}")))?;
                let order = order(&item, workflow.area.as_str(), Some(workflow.name.clone()));
                return Ok((order, Some(item)));
            }
            Choice::WorkItem(_) | Choice::Collection(_) if ticket.purpose == Purpose::Launch => {
                return Err(SendError::Choose("choose a workflow to start from this folder".to_owned()));
            }
            Choice::WorkItem(given) if given.trim().is_empty() => {
                return Err(SendError::Choose("choose where it goes".to_owned()));
            }
            Choice::WorkItem(given) => (self.visible(by, given.trim()).await?, String::new()),
            Choice::Collection(name) => {
                let open = self.open_collections(by).await?;
                let collection = open.into_iter().find(|it| it.name == *name);
                let collection = collection
                    .ok_or_else(|| SendError::Choose(format!("there is no collection \"{name}\" here")))?;
                (self.visible(by, &collection.work_item).await?, collection.area.as_str().to_owned())
            }
        };
        let item = item.ok_or_else(|| SendError::Choose("there is no such work item here".to_owned()))?;
        if !item.open {
            return Err(SendError::Choose(format!("{} is closed", item.reference)));
        }
        Ok((order(&item, &area, None), None))
    }

    /// The work item of an order that was cut off, once more.
    async fn renewed(
        &self,
        by: &Principal,
        ticket: &Ticket,
        order: &Order,
        choice: &Choice,
    ) -> SendResult<Option<WorkItem>> {
        let Some(name) = &order.workflow else { return Ok(None) };
        if self.reception().store.work_item(order.work_item).await?.is_some() {
            return Ok(None);
        }
        let workflow = self.workflow(name)?;
        let title = match choice {
            Choice::Workflow { title, .. } => title.as_str(),
            _ => "",
        };
        let item = self.item(by, ticket, workflow, title, order.work_item, order.reference.clone()).await?;
        Ok(Some(item))
    }

    /// A workflow of the firm's; whether this person may start it from there is told by what they see.
    fn workflow(&self, name: &str) -> SendResult<&Workflow> {
        let found = self.0.workflows.iter().find(|it| it.name == name);
        found.ok_or_else(|| no_workflow(name))
    }

    /// A reference that no work item has.
    async fn reference(&self, by: &Principal, workflow: &Workflow) -> SendResult<String> {
        let site = &by.sites.home;
        let counter = format!("reference/{site}/{}", workflow.reference_prefix);
        for _ in 0..MOST_REFERENCES {
            let number = self.tickets().count(&counter).await?;
            let reference = format!("{}{number:06}", workflow.reference_prefix);
            if self.reception().store.work_item_by_reference(site, &reference).await?.is_none() {
                return Ok(reference);
            }
        }
        Err(StoreError::Exists(format!("{MOST_REFERENCES} references in a row")).into())
    }

    /// The work item of a workflow: client and matter as the DMS tells them, and the folder as its origin.
    async fn item(
        &self,
        by: &Principal,
        ticket: &Ticket,
        workflow: &Workflow,
        title: &str,
        id: WorkItemId,
        reference: String,
    ) -> SendResult<WorkItem> {
        let seen = self.gathered(by, ticket).await?;
        if !seen.workflows.contains(workflow) {
            return Err(no_workflow(&workflow.name));
        }
        if ticket.purpose == Purpose::Launch && seen.folder.is_none() {
            return Err(SendError::NothingToSend);
        }
        let usual = || {
            ticket
                .captured
                .first()
                .map(|it| stem(&it.name))
                .or(seen.folder.as_ref().map(|it| it.name.as_str()))
        };
        let title = if title.trim().is_empty() { usual().unwrap_or(&workflow.title) } else { title };
        let item = WorkItem {
            id,
            reference,
            title: tidy(title, LONGEST_TITLE, &workflow.title),
            work_type: workflow.work_type.clone(),
            site: by.sites.home.clone(),
            open: true,
            phase: String::new(),
            client: client(&seen),
            attributes: seen.told.attributes.clone(),
            participants: Vec::new(),
            origin: seen.folder.as_ref().filter(|_| seen.saves_back).map(|folder| Origin {
                service: ticket.service.clone(),
                library: self.library_of_id(ticket, &folder.id),
                container: folder.id.clone(),
            }),
            zone: String::new(),
            version: 1,
            changed: self.reception().clock.now(),
        };
        Ok(item)
    }

    fn library_of_id(&self, ticket: &Ticket, id: &str) -> String {
        let own = id.split_once('!').map(|(library, _)| library);
        let own = own.filter(|_| self.0.vendors.get(&ticket.service) == Some(&Vendor::Imanage));
        own.unwrap_or_else(|| self.library_of(&ticket.service)).to_owned()
    }

    async fn make(&self, new: WorkItem, order: &Order, actor: &Actor) -> SendResult<()> {
        // Where another request decided first, this is what it makes too.
        let new = WorkItem { id: order.work_item, reference: order.reference.clone(), ..new };
        let at = self.reception().clock.now();
        match self.0.mailroom.save_work_item(new, actor, at).await {
            // It was made before the last time was cut off.
            Err(StoreError::Conflict { .. }) => Ok(()),
            done => Ok(done?),
        }
    }

    /// The documents, in the versions that were seen, durable.
    async fn fetched(&self, by: &Principal, ticket: &Ticket) -> SendResult<Vec<Fetched>> {
        if ticket.captured.is_empty() {
            return Ok(Vec::new());
        }
        let view = self.0.places.own_view(by, &ticket.service).await?;
        let mut fetched = Vec::with_capacity(ticket.captured.len());
        for captured in &ticket.captured {
            let stream = self.stream(&view, ticket, captured).await?;
            let blob = self.spooled(captured, stream).await?;
            let file_name = tidy(&captured.name, LONGEST_NAME, "document");
            let media_type = media_type::of_name(&file_name).to_owned();
            let version = captured.version.as_ref().map_or(String::new(), |it| format!(", version {it}"));
            let remark = format!(
                "\"{file_name}\" is the document {}{version} of {}, read by {}",
                captured.id, ticket.service, by.name
            );
            fetched.push(Fetched { document: Document { file_name, media_type, blob }, remark });
        }
        Ok(fetched)
    }

    async fn stream(&self, view: &View<'_>, ticket: &Ticket, captured: &Captured) -> SendResult<ByteStream> {
        let library = self.library_of(&ticket.service);
        let id = captured.id.as_str();
        let asked =
            |version| tokio::time::timeout(PATIENCE, view.dms.download(&view.actor, library, id, version));
        let slow = |_| SendError::Places(PlacesError::Slow);
        let mut answer = asked(captured.version.as_deref()).await.map_err(slow)?;
        if let Err(DmsError::Unsupported(_)) = &answer {
            // This DMS gives only the newest version: that will do as long as it is the one that was seen.
            let now = view.dms.document(&view.actor, library, id).await;
            if now.is_ok_and(|now| now.version == captured.version) {
                answer = asked(None).await.map_err(slow)?;
            }
        }
        answer.map_err(|error| match view.shape(&error) {
            PlacesError::NotFound | PlacesError::Rejected(_) | PlacesError::Unsupported(_) => {
                SendError::Gone(captured.name.clone())
            }
            other => SendError::Places(other),
        })
    }

    async fn spooled(
        &self,
        captured: &Captured,
        mut stream: ByteStream,
    ) -> SendResult<postroom_domain::spool::Blob> {
        let spool = &self.reception().spool;
        let broken = |why: String| SendError::Places(PlacesError::Failed(format!("{}: {why}", captured.id)));
        spool.door(captured.size.unwrap_or(0))?;
        let mut draft = spool.draft().await?;
        loop {
            let chunk = tokio::time::timeout(PAUSE, stream.next()).await;
            let Some(chunk) = chunk.map_err(|_| SendError::Places(PlacesError::Slow))? else { break };
            draft.write(chunk.map_err(|error| broken(format!("the download broke off: {error}")))?).await?;
            if draft.size() > self.0.largest {
                return Err(SendError::TooLarge { name: captured.name.clone(), limit: self.0.largest });
            }
        }
        let size = draft.size();
        if captured.size.is_some_and(|told| told != size) {
            return Err(broken(format!("{size} bytes came, which is not what the DMS tells of it")));
        }
        Ok(draft.seal().await?)
    }

    async fn take_in(
        &self,
        by: &Principal,
        ticket: &Ticket,
        order: &Order,
        fetched: Vec<Fetched>,
        actor: &Actor,
    ) -> SendResult<Option<IntakeId>> {
        let Some(first) = fetched.first() else { return Ok(None) };
        let reception = self.reception();
        let item = reception.store.work_item(order.work_item).await?;
        let site = item.map_or_else(|| by.sites.home.clone(), |item| item.site);
        let more = match fetched.len() {
            1 => String::new(),
            number => format!(" and {} more", number - 1),
        };
        let mut remarks = vec![format!("sent from {} by {}", ticket.service, by.name)];
        remarks.extend(fetched.iter().map(|it| it.remark.clone()));
        let arrival = Arrival {
            site,
            source: SOURCE.parse().map_err(|_| SendError::NoTicket)?,
            submitted_by: by.name.clone(),
            subject: format!("{}{more}", first.document.file_name),
            sender: by.name.clone(),
            note: String::new(),
            work_item: Some(order.work_item.to_string()),
            area: Some(order.area.clone()).filter(|area| !area.is_empty()),
            documents: fetched.into_iter().map(|it| it.document).collect(),
            key: Some(IdempotencyKey {
                key: format!("{SOURCE}/{}", ticket.id),
                // The ticket is the promise: what it says was decided before.
                fingerprint: BlobHash::new(*blake3::hash(ticket.id.to_string().as_bytes()).as_bytes()),
            }),
            forced: false,
            batch: false,
            save_mode: None,
            document_key: String::new(),
            remarks,
        };
        Ok(Some(match reception.accept(arrival, actor).await? {
            Accepted::Fresh(intake, _) => intake.id,
            Accepted::Again(intake) => intake,
        }))
    }
}

fn no_workflow(name: &str) -> SendError {
    SendError::Choose(format!("there is no workflow \"{name}\" here"))
}

fn order(item: &WorkItem, area: &str, workflow: Option<String>) -> Order {
    Order {
        work_item: item.id,
        reference: item.reference.clone(),
        title: item.title.clone(),
        area: area.to_owned(),
        workflow,
        intake: None,
        done: false,
    }
}

/// The client, as a work item of the place has it, else as the DMS tells it.
fn client(seen: &Seen) -> Client {
    let told = Client {
        reference: seen.told.client.clone().unwrap_or_default(),
        name: seen.told.client_name.clone().unwrap_or_default(),
    };
    let known = seen.matches.iter().map(|it| &it.item.client);
    let mut fits = known.filter(|it| told.reference.is_empty() || it.reference == told.reference);
    let client = if told.name.is_empty() { fits.next().cloned().unwrap_or(told) } else { told };
    Client {
        reference: tidy(&client.reference, LONGEST_TITLE, ""),
        name: tidy(&client.name, LONGEST_TITLE, ""),
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A text of a line, without control characters and not too long.
fn tidy(text: &str, most: usize, otherwise: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    let text = text.trim();
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}
