//! Following the event stream across lost connections.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;

use super::sse::{Message, Reader};
use super::{Client, ClientError, of_reqwest, refusal};
use crate::event::EventView;

/// The server sends a line at least every 15 seconds; after this long without one the connection is taken for dead.
const SILENCE: Duration = Duration::from_secs(40);
/// Pauses before connecting again, in milliseconds; the last one for ever.
const PAUSES: [u64; 6] = [250, 500, 1000, 2000, 5000, 10_000];

/// What the stream has to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// It is connected (again). What happened meanwhile follows.
    Connected,
    /// Something happened.
    Event(Box<EventView>),
    /// The connection is lost; it is tried again after the pause.
    Lost {
        /// Why.
        error: ClientError,
        /// How long it waits.
        pause: Duration,
    },
}

/// The event stream; see [`Client::events`].
pub struct EventStream {
    client: Client,
    last: Option<u64>,
    connection: Option<(Response, Reader)>,
    ready: VecDeque<EventView>,
    failures: usize,
    pause: Option<Duration>,
}

impl EventStream {
    pub(super) const fn new(client: Client, after: Option<u64>) -> Self {
        Self { client, last: after, connection: None, ready: VecDeque::new(), failures: 0, pause: None }
    }

    /// The number of the last event that was told.
    pub const fn last(&self) -> Option<u64> {
        self.last
    }

    /// Waits for the next piece of news. Never ends. Dropping the future between two calls loses nothing.
    pub async fn next(&mut self) -> News {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return News::Event(Box::new(event));
            }
            if let Some(pause) = self.pause {
                tokio::time::sleep(pause).await;
                self.pause = None;
            }
            match &mut self.connection {
                None => match self.connect().await {
                    Ok(()) => return News::Connected,
                    Err(error) => return self.lost(error),
                },
                Some((response, reader)) => {
                    let messages = match tokio::time::timeout(SILENCE, response.chunk()).await {
                        Ok(Ok(Some(chunk))) => reader.push(&chunk).map_err(ClientError::Protocol),
                        Ok(Ok(None)) => {
                            Err(ClientError::Unreachable("the server ended the stream".to_owned()))
                        }
                        Ok(Err(error)) => Err(of_reqwest(&error)),
                        Err(_) => Err(ClientError::Unreachable("the stream went silent".to_owned())),
                    };
                    match messages {
                        Ok(messages) => {
                            self.failures = 0;
                            for message in messages {
                                self.take(&message);
                            }
                        }
                        Err(error) => return self.lost(error),
                    }
                }
            }
        }
    }

    fn take(&mut self, message: &Message) {
        if let Some(seq) = message.id.as_deref().and_then(|id| id.parse().ok()) {
            self.last = Some(seq);
        }
        // What cannot be read comes from another version: its number is kept, so that the stream goes on behind it.
        if let Ok(event) = serde_json::from_str::<EventView>(&message.data) {
            self.ready.push_back(event);
        }
    }

    fn lost(&mut self, error: ClientError) -> News {
        let pause = Duration::from_millis(PAUSES[self.failures.min(PAUSES.len() - 1)]);
        self.failures += 1;
        self.connection = None;
        self.pause = Some(pause);
        News::Lost { error, pause }
    }

    async fn connect(&mut self) -> Result<(), ClientError> {
        let answer = tokio::time::timeout(SILENCE, self.client.open_events(self.last).send()).await;
        let response = answer
            .map_err(|_| ClientError::Unreachable("it does not answer in time".to_owned()))?
            .map_err(|error| of_reqwest(&error))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let streams = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|media| media.starts_with("text/event-stream"));
        if !streams {
            return Err(ClientError::Protocol("the answer is not a stream of events".to_owned()));
        }
        self.connection = Some((response, Reader::default()));
        Ok(())
    }
}
