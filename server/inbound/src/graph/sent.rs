//! File on send: looks among people's sent items for the letters that they chose a place for while they wrote them.
//!
//! A letter is known by the id in its header `X-Postroom-Send`, which is known to its writer and those it is to. It counts only in the mailbox
//! that was named with the choice, and once. What was chosen and never sent is given up after some days, and its writer is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::ids::{BlobHash, SourceName};
use postroom_domain::letter::Envelope;
use postroom_domain::person::Actor;
use postroom_domain::reception::Reception;
use postroom_domain::reception::letters::{Chosen, Delivery};
use postroom_domain::record::{self, Commit, Kept as _};
use postroom_domain::sending::{HEADER, SendIntent, SendState, id_in};
use postroom_domain::spool::{Blob, Spool};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError, StoreResult};
use postroom_domain::time::age;
use postroom_outbound::Method;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::GraphApp;
use super::content::{Unkept, keep};
use super::talk::{Talk, Trouble};

/// Who hands in, for the audit.
const PART: &str = "sent items";
/// Choices that are looked after at a time.
const MOST: usize = 1000;
/// Pages of sent items that are looked through for one mailbox.
const PAGES: usize = 20;
/// The mail server's clock may go wrong by so much.
const SKEW: Duration = Duration::from_mins(10);
/// How often a mailbox is looked into whose choices are older than an hour, and than a day.
const SLOWER: Duration = Duration::from_mins(5);
const SLOWEST: Duration = Duration::from_hours(1);
/// A mailbox that lets nobody in for so long is given up, and its owner told.
const REFUSED: Duration = Duration::from_hours(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How sent items are looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentOptions {
    /// The door that letters from mail programs come through.
    pub source: SourceName,
    /// How often.
    pub poll: Duration,
    /// After so long a letter that was not found is given up.
    pub give_up: Duration,
    /// The largest letter that is taken, in bytes.
    pub largest: u64,
}

/// Looks through sent items until it is stopped.
pub struct SentHandle {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl SentHandle {
    /// Begins with no further mailbox, ends the present one, and returns.
    pub async fn stop(mut self) {
        self.stop.cancel();
        match tokio::time::timeout(super::GRACE, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "looking through sent items ended by itself; they are looked through after the next start");
            }
            Err(_) => {
                // A letter is in with its row or not at all; what is not is found again after the next start.
                self.task.abort();
                tracing::warn!("a letter was still being fetched from the sent items when they were stopped");
            }
        }
    }
}

struct Sent {
    options: SentOptions,
    app: Arc<GraphApp>,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
}

/// Starts looking.
pub fn look_after_sent(
    options: SentOptions,
    app: Arc<GraphApp>,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
) -> SentHandle {
    let stop = CancellationToken::new();
    let sent = Sent { options, app, reception, spool };
    let until = stop.clone();
    let task = tokio::spawn(async move { sent.run(&until).await });
    SentHandle { stop, task }
}

impl Sent {
    async fn run(&self, stop: &CancellationToken) {
        let mut looked: BTreeMap<String, Timestamp> = BTreeMap::new();
        loop {
            if let Err(error) = self.round(&mut looked, stop).await {
                tracing::warn!(%error, "sent items are not looked through at present; it is tried again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.options.poll) => {}
            }
        }
    }

    async fn round(
        &self,
        looked: &mut BTreeMap<String, Timestamp>,
        stop: &CancellationToken,
    ) -> StoreResult<()> {
        let store = &*self.reception.store;
        let waiting: Vec<SendIntent> = record::page(store, Some(SendIntent::WAITING), None, MOST).await?;
        let mut mailboxes: BTreeMap<String, Vec<SendIntent>> = BTreeMap::new();
        for intent in waiting {
            mailboxes.entry(intent.mailbox.clone()).or_default().push(intent);
        }
        looked.retain(|mailbox, _| mailboxes.contains_key(mailbox));
        for (mailbox, intents) in mailboxes {
            if stop.is_cancelled() {
                return Ok(());
            }
            let now = self.reception.clock.now();
            if looked.get(&mailbox).is_some_and(|at| age(*at, now) < rest(&intents, now)) {
                continue;
            }
            looked.insert(mailbox.clone(), now);
            self.mailbox(&mailbox, intents, now).await?;
        }
        Ok(())
    }

    /// Looks into one mailbox, and settles what can be.
    async fn mailbox(&self, mailbox: &str, mut waiting: Vec<SendIntent>, now: Timestamp) -> StoreResult<()> {
        let talk = Talk::new(&self.app, mailbox);
        let trouble = match self.look(&talk, &mut waiting).await {
            Ok(()) => None,
            Err(Halt::Store(error)) => return Err(error),
            Err(Halt::Server(Trouble::Refused(why))) => Some((why, true)),
            Err(Halt::Server(trouble)) => Some((trouble.words().to_owned(), false)),
            Err(Halt::House(why)) => Some((why, false)),
        };
        for intent in waiting {
            let waited = age(intent.made, now);
            let next = match &trouble {
                Some((why, true)) if waited >= REFUSED => {
                    let why = format!(
                        "the mailbox {mailbox} cannot be read: {why}; file the letter from the sent items"
                    );
                    SendIntent { state: SendState::Failed(why), ..intent.clone() }
                }
                _ if waited >= self.options.give_up => {
                    let hours = self.options.give_up.as_secs() / 3600;
                    let why = format!(
                        "it was not found among the sent items for {hours} hours; if it was sent, file it from there"
                    );
                    SendIntent { state: SendState::Failed(why), ..intent.clone() }
                }
                trouble => {
                    SendIntent { trouble: trouble.as_ref().map(|(why, _)| why.clone()), ..intent.clone() }
                }
            };
            if next != intent {
                self.write(SendIntent { version: intent.version + 1, ..next }).await?;
            }
        }
        Ok(())
    }

    /// Whoever changed it meanwhile is right.
    async fn write(&self, intent: SendIntent) -> StoreResult<()> {
        if let SendState::Failed(why) = &intent.state {
            tracing::warn!(mailbox = %intent.mailbox, person = %intent.principal, why, "a letter that was to be filed on sending is given up");
        }
        match self.reception.store.commit(Commit { writes: vec![intent.put()?], events: Vec::new() }).await {
            Err(StoreError::Conflict { .. } | StoreError::Exists(_)) => Ok(()),
            done => done,
        }
    }

    /// Takes what is found out of what waits.
    async fn look(&self, talk: &Talk<'_>, waiting: &mut Vec<SendIntent>) -> Result<(), Halt> {
        let Some(since) = waiting.iter().map(|it| it.made).min() else { return Ok(()) };
        let mut next = Some(talk.sent_since(since.saturating_sub(SKEW).unwrap_or(since)));
        for _ in 0..PAGES {
            let Some(url) = next.take() else { break };
            let page = talk.json("sent", Method::GET, &url, None).await.map_err(Halt::Server)?;
            for message in page["value"].as_array().into_iter().flatten() {
                let Some(at) = wanted(message, waiting) else { continue };
                let Some(item) = message["id"].as_str() else { continue };
                match self.take(talk, item, &waiting[at]).await {
                    Ok(true) => drop(waiting.remove(at)),
                    Ok(false) => {}
                    // This one will not do; the others have nothing to do with that.
                    Err(Halt::Server(Trouble::No(why))) => {
                        let intent = waiting.remove(at);
                        let why = format!("{why}; file it from the sent items");
                        let version = intent.version + 1;
                        self.write(SendIntent { state: SendState::Failed(why), version, ..intent }).await?;
                    }
                    Err(halt) => return Err(halt),
                }
            }
            if waiting.is_empty() {
                break;
            }
            let link = page["@odata.nextLink"].as_str();
            next = link.map(|link| talk.link(link)).transpose().map_err(Halt::Server)?;
        }
        Ok(())
    }

    /// Takes one letter in as it was chosen. False when it is not there any more.
    async fn take(&self, talk: &Talk<'_>, item: &str, intent: &SendIntent) -> Result<bool, Halt> {
        self.spool.door(0).map_err(|error| Halt::House(error.to_string()))?;
        let answer = match talk.content(item).await {
            Ok(answer) => answer,
            Err(Trouble::Gone(_)) => return Ok(false),
            Err(trouble) => return Err(Halt::Server(trouble)),
        };
        let blob = keep(&*self.spool, answer, self.options.largest).await.map_err(Halt::from)?;
        self.hand_in(intent, blob).await?;
        Ok(true)
    }

    async fn hand_in(&self, intent: &SendIntent, blob: Blob) -> Result<(), Halt> {
        let id = self.reception.next_letter();
        let taken = |id| SendIntent {
            state: SendState::Taken(id),
            trouble: None,
            version: intent.version + 1,
            ..intent.clone()
        };
        let delivery = Delivery {
            site: intent.site.clone(),
            source: self.options.source.clone(),
            submitted_by: intent.principal.clone(),
            envelope: Envelope { to: vec![intent.mailbox.clone()], ..Envelope::default() },
            blob,
            key: IdempotencyKey {
                key: format!("{}/sent/{:032x}", intent.site, intent.id),
                // The same letter, however the server writes it today.
                fingerprint: BlobHash::new(*blake3::hash(&intent.id.to_be_bytes()).as_bytes()),
            },
            records: vec![taken(id).put()?],
        };
        let chosen = Chosen {
            choices: intent.choices.clone(),
            remarks: vec![format!("it was sent from {}, and found among the sent items", intent.mailbox)],
            ..Chosen::default()
        };
        let actor = Actor { on_behalf_of: Some(intent.principal.clone()), ..Actor::system(PART, None) };
        match self.reception.deliver_chosen(id, delivery, chosen, &actor).await {
            Ok(Accepted::Fresh(..)) | Err(StoreError::Conflict { .. }) => Ok(()),
            // It was taken in, and the choice does not say so yet.
            Ok(Accepted::Again(id)) => Ok(self.write(taken(id)).await?),
            Err(error) => Err(error.into()),
        }
    }
}

/// Why a look at a mailbox ended before its end.
enum Halt {
    Server(Trouble),
    House(String),
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unkept> for Halt {
    fn from(unkept: Unkept) -> Self {
        match unkept {
            Unkept::TooLarge(why) => Self::Server(Trouble::No(why)),
            Unkept::Empty => Self::Server(Trouble::Lost("the server gives no content".to_owned())),
            Unkept::Lost(why) => Self::Server(Trouble::Lost(why)),
            Unkept::Spool(error) => Self::House(error.to_string()),
        }
    }
}

/// How long a mailbox rests between two looks: drafts may lie for days.
fn rest(waiting: &[SendIntent], now: Timestamp) -> Duration {
    let youngest = waiting.iter().map(|it| age(it.made, now)).min().unwrap_or_default();
    match youngest {
        it if it < HOUR => Duration::ZERO,
        it if it < DAY => SLOWER,
        _ => SLOWEST,
    }
}

/// The choice that a message's header names.
fn wanted(message: &Value, waiting: &[SendIntent]) -> Option<usize> {
    let headers = message["internetMessageHeaders"].as_array()?;
    let ours =
        headers.iter().filter(|it| it["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(HEADER)));
    let ids: Vec<u128> = ours.filter_map(|it| id_in(it["value"].as_str()?)).collect();
    waiting.iter().position(|intent| ids.contains(&intent.id))
}

impl Talk<'_> {
    /// Where the messages are listed that were sent since, the newest first.
    fn sent_since(&self, since: Timestamp) -> Url {
        let mut url = self.at(["mailFolders", "sentitems", "messages"]);
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        url.query_pairs_mut()
            .append_pair("$filter", &format!("sentDateTime ge {since}"))
            .append_pair("$orderby", "sentDateTime desc")
            .append_pair("$select", "id,internetMessageHeaders")
            .append_pair("$top", "50");
        url
    }
}
