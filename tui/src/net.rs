//! Performs what the state asks of the server, beside the drawing, and follows the event stream.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use postroom_api::bulk::{BulkItemList, BulkList};
use postroom_api::client::{Client, ClientError, ClientResult, Download};
use postroom_api::data_upload::DataUploadList;
use postroom_api::decision::{CancelBody, DecisionKind, HoldBody, ReleaseBody, RetryBody};
use postroom_api::intake::{DismissBody, ReleaseIntakeBody};
use postroom_api::link::LinkList;
use postroom_api::page::{FilingExport, FilingList, IntakeList};
use postroom_api::pause::ResumeBody;
use postroom_api::preview::PreviewList;
use postroom_api::remark::NoteBody;
use tokio::sync::{Semaphore, mpsc};

use crate::app::{After, Change, Effect, Message, Reply};
use crate::save;
use crate::window::PAGE;

/// How many calls are under way at once.
const AT_ONCE: usize = 4;
/// How many of a set's filings to which it was not done are shown.
const LOSERS: usize = 200;

/// The task's end of the channels.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    client: Client,
    messages: mpsc::Sender<Message>,
    turns: Arc<Semaphore>,
    /// Where files are saved.
    folder: PathBuf,
}

impl Net {
    /// Answers go into `messages`, files into the folder.
    pub(crate) fn new(client: Client, messages: mpsc::Sender<Message>, folder: PathBuf) -> Self {
        Self { client, messages, turns: Arc::new(Semaphore::new(AT_ONCE)), folder }
    }

    /// Follows the events after a number until nobody listens any more.
    fn follow(&self, after: u64) {
        let mut stream = self.client.events(Some(after));
        let messages = self.messages.clone();
        tokio::spawn(
            async move { while messages.send(Message::Stream(stream.next().await)).await.is_ok() {} },
        );
    }

    /// Starts a call; its answer comes as a message, whatever happens.
    pub(crate) fn start(&self, effect: Effect) {
        if let Effect::Follow(after) = effect {
            self.follow(after);
            return;
        }
        if effect.changes() {
            // What is typed into a note or a reason stays out of the log.
            tracing::info!("the server is asked for a change: {}", kind_of(&effect));
        }
        let net = self.clone();
        tokio::spawn(async move {
            let turn = net.turns.acquire().await;
            let work = tokio::spawn({
                let (client, folder, effect) = (net.client.clone(), net.folder.clone(), effect.clone());
                async move { perform(&client, &folder, effect).await }
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

fn kind_of(effect: &Effect) -> String {
    let text = format!("{effect:?}");
    text.split([' ', '{']).take(2).collect::<Vec<_>>().join(" ")
}

async fn perform(client: &Client, folder: &Path, effect: Effect) -> Option<Reply> {
    Some(match effect {
        Effect::Summary => Reply::Summary(client.summary().await.map(Box::new)),
        Effect::Causes => Reply::Causes(client.causes().await),
        Effect::Ages => Reply::Ages(client.ages().await),
        Effect::Links => Reply::Links(client.links(&LinkList { all: true }).await.map(|it| it.items)),
        Effect::Tables => {
            let list = DataUploadList { limit: Some(50), ..DataUploadList::default() };
            Reply::Tables(client.data_uploads(&list).await.map(|page| page.items))
        }
        Effect::Views => Reply::Views(client.views().await.map(|it| it.items)),
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
        Effect::Arrivals { list, query, from } => {
            let asked = IntakeList { limit: Some(PAGE), cursor: from.cursor.clone(), ..*query };
            Reply::Arrivals { list, result: client.intakes(&asked).await, from }
        }
        Effect::Arrival(id) => Reply::Arrival(id, client.intake(id).await.map(Box::new)),
        Effect::Preview(id, document) => {
            let list = PreviewList { document: Some(document) };
            Reply::Preview(client.preview(id, &list).await.map(Box::new))
        }
        Effect::Original(id, name) => {
            let file = save::Name { stem: id.to_string(), told: name };
            Reply::Saved(into_file(client.original(id).await, folder, &file).await)
        }
        Effect::Export { filter, format } => {
            let file = save::Name { stem: "filings".to_owned(), told: format!("filings.{format}") };
            let list = FilingExport { q: filter, format };
            Reply::Saved(into_file(client.export_filings(&list).await, folder, &file).await)
        }
        Effect::Freeze(body) => Reply::Frozen(client.freeze(&body).await.map(Box::new)),
        Effect::Bulk(id) => Reply::Bulk(client.bulk(id).await.map(Box::new)),
        Effect::LiveBulks => {
            let list = BulkList { live: true, ..BulkList::default() };
            Reply::LiveBulks(client.bulks(&list).await.map(|page| page.items))
        }
        Effect::Losers(id) => Reply::Losers(losers(client, id).await),
        Effect::Change(change) => {
            let result = carry_out(client, change.clone()).await;
            Reply::Changed(change, result)
        }
        // The terminal's, not the server's.
        Effect::Copy(_) | Effect::Follow(_) | Effect::Mouse(_) | Effect::Keep(_) | Effect::Quit => {
            return None;
        }
    })
}

async fn into_file(
    answer: ClientResult<Download>,
    folder: &Path,
    name: &save::Name,
) -> Result<String, String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let mut file = save::File::create(folder, name).map_err(|error| error.to_string())?;
    while let Some(piece) = answer.piece().await.map_err(|error| error.to_string())? {
        file.write(&piece).map_err(|error| error.to_string())?;
    }
    file.finish().map_err(|error| error.to_string())
}

async fn losers(
    client: &Client,
    id: postroom_api::BulkId,
) -> ClientResult<(Vec<postroom_api::bulk::BulkItem>, bool)> {
    let list =
        |outcome: &str| BulkItemList { outcome: Some(outcome.to_owned()), limit: Some(LOSERS), cursor: None };
    let mut failed = client.bulk_items(id, &list("failed")).await?;
    let skipped = client.bulk_items(id, &list("skipped")).await?;
    let more = failed.next.is_some() || skipped.next.is_some();
    failed.items.extend(skipped.items);
    Ok((failed.items, more))
}

async fn carry_out(client: &Client, change: Change) -> ClientResult<After> {
    let filing = |item| After::Filing(Box::new(item));
    let arrival = |detail| After::Arrival(Box::new(detail));
    Ok(match change {
        Change::Decide { kind, id, version, reason } => {
            let item = match kind {
                DecisionKind::Retry => client.retry(id, version, &RetryBody { reason }).await?,
                DecisionKind::Hold => client.hold(id, version, &HoldBody { reason }).await?,
                DecisionKind::Release => client.release(id, version, &ReleaseBody { reason }).await?,
                DecisionKind::Cancel => client.cancel(id, version, &CancelBody { reason }).await?,
                DecisionKind::FileAnyway => client.file_anyway(id, version, &CancelBody { reason }).await?,
                // Those carry more than a reason.
                DecisionKind::Edit | DecisionKind::Link => {
                    return Err(ClientError::Setup(format!("{kind} needs more than a reason")));
                }
            };
            filing(item)
        }
        Change::Edit { id, version, body } => filing(client.edit(id, version, &body).await?),
        Change::Link { id, version, body } => filing(client.link(id, version, &body).await?),
        Change::NoteFiling { id, text } => {
            client.note_filing(id, &NoteBody { text }).await?;
            After::Nothing
        }
        Change::TakeFiling { id, take } => {
            client.take_filing(id, take).await?;
            After::Nothing
        }
        Change::NoteArrival { id, text } => {
            client.note_intake(id, &NoteBody { text }).await?;
            After::Nothing
        }
        Change::Assign { id, version, body } => arrival(client.assign(id, version, &body).await?),
        Change::Give { id, version, body } => arrival(client.give(id, version, &body).await?),
        Change::Dismiss { id, version, reason } => {
            arrival(client.dismiss(id, version, &DismissBody { reason }).await?)
        }
        Change::ReleaseArrival { id, version, reason } => {
            arrival(client.release_intake(id, version, &ReleaseIntakeBody { reason }).await?)
        }
        Change::Door { kind, name, pause: Some(body), .. } => {
            client.pause(kind, &name, &body).await?;
            After::Nothing
        }
        Change::Door { kind, name, pause: None, .. } => {
            client.resume(kind, &name, &ResumeBody::default()).await?;
            After::Nothing
        }
        Change::SaveView { name, body } => {
            client.save_view(&name, &body).await?;
            After::Nothing
        }
        Change::RemoveView { name } => {
            client.remove_view(&name).await?;
            After::Nothing
        }
        Change::RunBulk { id, body } => After::Bulk(Box::new(client.run_bulk(id, &body).await?)),
        Change::StopBulk(id) => After::Bulk(Box::new(client.stop_bulk(id).await?)),
        Change::UndoBulk(id) => After::Bulk(Box::new(client.undo_bulk(id).await?)),
    })
}

fn failed(effect: Effect, error: &ClientError) -> Option<Reply> {
    let error = error.clone();
    Some(match effect {
        Effect::Summary => Reply::Summary(Err(error)),
        Effect::Causes => Reply::Causes(Err(error)),
        Effect::Ages => Reply::Ages(Err(error)),
        Effect::Links => Reply::Links(Err(error)),
        Effect::Tables => Reply::Tables(Err(error)),
        Effect::Views => Reply::Views(Err(error)),
        Effect::Filings { list, from, .. } => Reply::Filings { list, from, result: Err(error) },
        Effect::Filing(id) => Reply::Filing(id, Err(error)),
        Effect::Arrivals { list, from, .. } => Reply::Arrivals { list, from, result: Err(error) },
        Effect::Arrival(id) => Reply::Arrival(id, Err(error)),
        Effect::Preview(..) => Reply::Preview(Err(error)),
        Effect::Original(..) | Effect::Export { .. } => Reply::Saved(Err(error.to_string())),
        Effect::Freeze(_) => Reply::Frozen(Err(error)),
        Effect::Bulk(_) => Reply::Bulk(Err(error)),
        Effect::LiveBulks => Reply::LiveBulks(Err(error)),
        Effect::Losers(_) => Reply::Losers(Err(error)),
        Effect::Change(change) => Reply::Changed(change, Err(error)),
        Effect::Copy(_) | Effect::Follow(_) | Effect::Mouse(_) | Effect::Keep(_) | Effect::Quit => {
            return None;
        }
    })
}
