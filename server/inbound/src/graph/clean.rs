//! Does with messages what is wanted once their intakes are through. Each step may be done twice, and a message that is gone is done.

use futures_util::{StreamExt as _, stream};
use postroom_domain::filing::State;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::IntakeState;
use postroom_domain::mailbox::{Delta, Fetched};
use postroom_domain::record::{self, Commit, Kept as _};
use postroom_domain::store::StoreResult;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::take::{Halt, Places};
use super::talk::{Talk, Trouble};
use super::{GraphAfter, GraphMailbox};

/// How many intakes are asked about in one look.
const PAGE: usize = 500;
/// How many are forgotten in one transaction.
const TOGETHER: usize = 24;
/// Messages that are changed at once.
const ABREAST: usize = 3;

/// What is remembered from one look to the next.
#[derive(Default)]
pub(super) struct Cleaning {
    /// Where asking goes on.
    asked: Option<IntakeId>,
    /// The id of the folder that messages go to.
    to: Option<String>,
}

/// A message that is through.
struct Through {
    fetched: Fetched,
    /// How its intake ended.
    state: IntakeState,
    /// Whether something of it is filed.
    filed: bool,
}

impl GraphMailbox {
    /// Asks what became of what was taken, a page at a time, and cleans up what is through. What is in the way of that is added to the
    /// troubles: letters go on coming in.
    pub(super) async fn clean(
        &self,
        talk: &Talk<'_>,
        places: &Places,
        cleaning: &mut Cleaning,
        troubles: &mut Vec<String>,
        stop: &CancellationToken,
    ) -> Result<(), Halt> {
        let through = self.through(cleaning).await?;
        if through.is_empty() {
            return Ok(());
        }
        if let (GraphAfter::Move(to), None) = (&self.options.after, &cleaning.to) {
            match talk.folder_made(to).await {
                Ok(id) => cleaning.to = Some(id),
                Err(trouble) => return in_the_way(trouble, troubles),
            }
        }
        for some in through.chunks(TOGETHER) {
            if stop.is_cancelled() {
                break;
            }
            let to = cleaning.to.as_deref();
            let all: Vec<_> = some.iter().map(|it| self.finish(talk, places, to, it)).collect();
            let all: Vec<Result<(), Halt>> = stream::iter(all).buffered(ABREAST).collect().await;
            let mut halt = None;
            let mut done = Vec::new();
            for (it, outcome) in some.iter().zip(all) {
                match outcome {
                    Ok(()) => done.push(&it.fetched),
                    Err(why) => halt = Some(why),
                }
            }
            self.forget(&done).await?;
            match halt {
                None => {}
                Some(Halt::Server(trouble)) => return in_the_way(trouble, troubles),
                Some(Halt::Folder(why)) => {
                    // The folder may have been made anew.
                    cleaning.to = None;
                    let trouble = format!("what is filed cannot be marked: {why}");
                    if !troubles.contains(&trouble) {
                        troubles.push(trouble);
                    }
                }
                Some(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    async fn through(&self, cleaning: &mut Cleaning) -> StoreResult<Vec<Through>> {
        let store = &self.reception.store;
        let group = Fetched::identified_of(&self.options.source);
        let after = cleaning.asked.take().map(IntakeId::as_u128);
        let page: Vec<Fetched> = record::page(&**store, Some(&group), after, PAGE).await?;
        if page.len() == PAGE {
            cleaning.asked = page.last().map(|last| last.intake);
        }
        let mut through = Vec::new();
        for fetched in page {
            let Some(intake) = store.intake(fetched.intake).await? else { continue };
            if matches!(intake.state, IntakeState::Settled | IntakeState::Dismissed) {
                let filings = store.intake_filings(fetched.intake).await?;
                let filed =
                    filings.iter().any(|it| matches!(it.progress.state, State::Filed | State::Duplicate));
                through.push(Through { fetched, state: intake.state, filed });
            }
        }
        Ok(through)
    }

    async fn finish(
        &self,
        talk: &Talk<'_>,
        places: &Places,
        to: Option<&str>,
        it: &Through,
    ) -> Result<(), Halt> {
        let item = &it.fetched.item;
        let done = async {
            let message = match talk.message(item, "id,categories,parentFolderId").await {
                Err(Trouble::Gone(_)) => return Ok(()),
                message => message?,
            };
            let is_there = async || match self.place_of(places, &it.fetched.folder).await {
                Ok(place) => Ok(place.is_none_or(|place| message["parentFolderId"] == place.as_str())),
                Err(halt) => Err(halt),
            };
            if self.options.after != GraphAfter::Delete
                && let Some(marks) = self.marks(it, &message)
            {
                gone_is_done(talk.change(item, &marks).await)?;
            }
            match (&self.options.after, to) {
                (GraphAfter::Delete, _) if is_there().await? => gone_is_done(talk.delete(item).await)?,
                // A folder that is gone is another thing than a message that is gone.
                (GraphAfter::Move(_), Some(to)) if is_there().await? => match talk.relocate(item, to).await {
                    Err(Trouble::Gone(why)) if talk.message(item, "id").await.is_ok() => {
                        return Err(Halt::Folder(why));
                    }
                    moved => gone_is_done(moved)?,
                },
                _ => {}
            }
            Ok(())
        };
        done.await
    }

    /// What of the marks is missing. The categories are written as a whole: those that are there stay.
    fn marks(&self, it: &Through, message: &Value) -> Option<Value> {
        let (marks, mut change) = (&self.options.marks, json!({}));
        let mut categories: Vec<&str> =
            message["categories"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(own) = marks.category.as_deref().filter(|own| it.filed && !categories.contains(own)) {
            categories.push(own);
            change["categories"] = json!(categories);
        }
        if let Some(id) = &marks.property {
            let state = if it.state == IntakeState::Dismissed { "dismissed" } else { "settled" };
            let value = json!({"intake": it.fetched.intake.to_string(), "state": state, "filed": it.filed});
            change["singleValueExtendedProperties"] = json!([{"id": id, "value": value.to_string()}]);
        }
        change.as_object().is_some_and(|it| !it.is_empty()).then_some(change)
    }

    /// What the server knew the folder by that a message was taken from.
    async fn place_of(&self, places: &Places, folder: &str) -> Result<Option<String>, Halt> {
        if let Some(place) = places.place(folder) {
            return Ok(Some(place.to_owned()));
        }
        let key = Delta::key(&self.options.source, folder);
        let known = record::by_key::<Delta>(&*self.reception.store, &key).await?;
        Ok(known.map(|delta| delta.place))
    }

    /// Nothing more is to be done with them; that they were here is known for good.
    async fn forget(&self, messages: &[&Fetched]) -> Result<(), Halt> {
        if messages.is_empty() {
            return Ok(());
        }
        let over = |it: &Fetched| Fetched { done: true, version: it.version + 1, ..it.clone() }.put();
        let writes = messages.iter().map(|it| over(it)).collect::<StoreResult<_>>()?;
        self.reception.store.commit(Commit { writes, events: Vec::new() }).await?;
        let count = messages.len() as u64;
        self.status.send_modify(|status| status.cleaned += count);
        Ok(())
    }
}

fn gone_is_done(outcome: Result<(), Trouble>) -> Result<(), Trouble> {
    match outcome {
        Err(Trouble::Gone(_)) => Ok(()),
        other => other,
    }
}

/// Reading goes on where only changing is refused.
fn in_the_way(trouble: Trouble, troubles: &mut Vec<String>) -> Result<(), Halt> {
    match trouble {
        Trouble::Refused(why) | Trouble::No(why) | Trouble::Gone(why) => {
            troubles.push(format!("what is filed cannot be marked: {why}"));
            Ok(())
        }
        other => Err(Halt::Server(other)),
    }
}
