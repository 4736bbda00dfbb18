//! Performs what the state asks of the server, beside the drawing, and follows the event stream.

use std::sync::Arc;

use postroom_api::client::{Client, ClientError, ClientResult};
use postroom_api::decision::{CancelBody, DecisionKind, HoldBody, ReleaseBody, RetryBody};
use postroom_api::filing::FilingItem;
use postroom_api::page::FilingList;
use postroom_api::pause::{PauseBody, ResumeBody};
use tokio::sync::{Semaphore, mpsc};

use crate::app::{Effect, Message, Reply};
use crate::window::PAGE;

/// How many calls are under way at once.
const AT_ONCE: usize = 4;

/// The task's end of the channels.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    client: Client,
    messages: mpsc::Sender<Message>,
    turns: Arc<Semaphore>,
}

impl Net {
    /// Answers go into `messages`.
    pub(crate) fn new(client: Client, messages: mpsc::Sender<Message>) -> Self {
        Self { client, messages, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Follows the event stream until nobody listens any more.
    pub(crate) fn follow(&self) {
        let mut stream = self.client.events(None);
        let messages = self.messages.clone();
        tokio::spawn(
            async move { while messages.send(Message::Stream(stream.next().await)).await.is_ok() {} },
        );
    }

    /// Starts a call; its answer comes as a message, whatever happens.
    pub(crate) fn start(&self, effect: Effect) {
        if effect.changes() {
            tracing::info!("asks the server for a change: {effect:?}");
        }
        let net = self.clone();
        tokio::spawn(async move {
            let turn = net.turns.acquire().await;
            let work = tokio::spawn({
                let client = net.client.clone();
                let effect = effect.clone();
                async move { perform(&client, effect).await }
            });
            let reply = match work.await {
                Ok(reply) => reply,
                Err(error) => {
                    failed(effect, &ClientError::Protocol(format!("the call ended early: {error}")))
                }
            };
            drop(turn);
            if let Some(reply) = reply {
                // Nobody listens when the console ends.
                let _ = net.messages.send(Message::Reply(reply)).await;
            }
        });
    }
}

async fn perform(client: &Client, effect: Effect) -> Option<Reply> {
    Some(match effect {
        Effect::Summary => Reply::Summary(client.summary().await.map(Box::new)),
        Effect::Causes => Reply::Causes(client.causes().await),
        Effect::Filings { list, filter, from } => {
            let asked = FilingList {
                q: filter,
                limit: Some(PAGE),
                cursor: from.cursor.clone(),
                ..FilingList::default()
            };
            Reply::Filings { list, result: client.filings(&asked).await, from }
        }
        Effect::Filing(id) => Reply::Filing(id, client.filing(id).await.map(Box::new)),
        Effect::Decide { kind, id, version, reason } => {
            Reply::Decided(id, decide(client, kind, id, version, reason).await.map(Box::new))
        }
        Effect::Door { kind, name, stop: Some(reason) } => {
            Reply::Door(client.pause(kind, &name, &PauseBody { reason, until: None }).await)
        }
        Effect::Door { kind, name, stop: None } => {
            Reply::Door(client.resume(kind, &name, &ResumeBody::default()).await)
        }
        // The terminal's, not the server's.
        Effect::Copy(_) | Effect::Quit => return None,
    })
}

async fn decide(
    client: &Client,
    kind: DecisionKind,
    id: postroom_api::FilingId,
    version: u64,
    reason: String,
) -> ClientResult<FilingItem> {
    match kind {
        DecisionKind::Retry => client.retry(id, version, &RetryBody { reason }).await,
        DecisionKind::Hold => client.hold(id, version, &HoldBody { reason }).await,
        DecisionKind::Release => client.release(id, version, &ReleaseBody { reason }).await,
        DecisionKind::Cancel => client.cancel(id, version, &CancelBody { reason }).await,
        DecisionKind::FileAnyway => client.file_anyway(id, version, &CancelBody { reason }).await,
        DecisionKind::Edit | DecisionKind::Link => {
            Err(ClientError::Setup(format!("this console does not {kind} yet")))
        }
    }
}

fn failed(effect: Effect, error: &ClientError) -> Option<Reply> {
    let error = error.clone();
    Some(match effect {
        Effect::Summary => Reply::Summary(Err(error)),
        Effect::Causes => Reply::Causes(Err(error)),
        Effect::Filings { list, from, .. } => Reply::Filings { list, from, result: Err(error) },
        Effect::Filing(id) => Reply::Filing(id, Err(error)),
        Effect::Decide { id, .. } => Reply::Decided(id, Err(error)),
        Effect::Door { .. } => Reply::Door(Err(error)),
        Effect::Copy(_) | Effect::Quit => return None,
    })
}
