//! A person's decision over a filing: one function for the routes, the command line and bulk work.

use crate::backoff::RetryPolicy;
use crate::dms::Receipt;
use crate::filing::{Filing, Request, State};
use crate::ids::{BulkId, FilingId};
use crate::linked;
use crate::machine::{Context, Event, NotAllowed, step};
use crate::person::Actor;
use crate::store::{FilingChange, Store, StoreError};
use crate::target::Target;
use crate::time::{Clock, Entropy};

mod refusal;

pub use self::refusal::Wish;

/// What a person wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Try again (for `undecided`: send again, accepting the risk of a second copy).
    Retry,
    /// Take it out of automatic work.
    Hold,
    /// Give it back.
    Release,
    /// End it.
    Cancel,
    /// It is in the DMS as this document.
    Link(Receipt),
    /// File it although the same content is there.
    FileAnyway,
    /// Change where or under which name it goes, and try again if it had failed.
    Edit(Edit),
}

/// What of a filing's request is changed; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// Another place.
    pub target: Option<Target>,
    /// Another name.
    pub file_name: Option<String>,
}

impl Decision {
    /// Whether a reason is compulsory: what cannot be taken back, or vouches for something.
    pub const fn needs_reason(&self) -> bool {
        matches!(self, Self::Cancel | Self::Link(_) | Self::FileAnyway)
    }
}

/// Why a decision was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// There is no such filing.
    #[error("there is no filing {0}")]
    NotFound(FilingId),
    /// It changed since it was looked at.
    #[error("the filing changed meanwhile: it is {} now (version {})", .0.progress.state, .0.progress.version)]
    Stale(Box<Filing>),
    /// Its state does not allow this.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The reason is missing.
    #[error("a reason is needed for this")]
    ReasonMissing,
    /// It may already lie at its old place: moving it now could file it twice.
    #[error(
        "an earlier attempt may have filed it at its present target; find that out before another target is set"
    )]
    Unsure,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who decides, on what grounds.
#[derive(Debug, Clone)]
pub struct Grounds {
    /// The person.
    pub actor: Actor,
    /// Their reason.
    pub reason: String,
    /// The version they looked at; `None` means whatever it is now.
    pub version: Option<u64>,
    /// The set that it is decided over with, where it is one.
    pub bulk: Option<BulkId>,
}

/// Carries a decision out and returns the filing as it is afterwards.
pub async fn decide(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    policy: &RetryPolicy,
    id: FilingId,
    decision: Decision,
    grounds: Grounds,
) -> Result<Filing, DecideError> {
    if decision.needs_reason() && grounds.reason.trim().is_empty() {
        return Err(DecideError::ReasonMissing);
    }
    let filing = store.filing(id).await?.ok_or(DecideError::NotFound(id))?;
    if grounds.version.is_some_and(|version| version != filing.progress.version) {
        return Err(DecideError::Stale(Box::new(filing)));
    }
    let now = clock.now();
    let actor = grounds.actor;
    let context = Context { now, chance: entropy.unit(), policy };
    let (event, request) = event_of(decision, &filing)?;
    let (next, attempt) = if let Some(event) = event {
        let step = step(&filing.progress, event, context)?;
        (step.next, step.attempt)
    } else {
        let mut next = filing.progress.clone();
        next.version += 1;
        (next, None)
    };
    let change = FilingChange {
        id,
        expect: filing.progress.version,
        next,
        attempt,
        request,
        actor: actor.clone(),
        note: grounds.reason,
        at: now,
        also: Vec::new(),
        bulk: grounds.bulk,
    };
    let answer = store.change_filings(vec![change]).await?.into_iter().next();
    let after = store.filing(id).await?.ok_or(DecideError::NotFound(id))?;
    if let Some(Ok(())) = answer {
        linked::wake(store, policy, &after, now, &actor).await?;
    }
    match answer {
        Some(Ok(())) => Ok(after),
        Some(Err(StoreError::Conflict { .. })) | None => Err(DecideError::Stale(Box::new(after))),
        Some(Err(other)) => Err(other.into()),
    }
}

fn event_of(decision: Decision, filing: &Filing) -> Result<(Option<Event>, Option<Request>), DecideError> {
    let forced = || Some(Request { forced: true, ..filing.request.as_ref().clone() });
    Ok(match decision {
        Decision::Retry => (Some(Event::Retry), None),
        Decision::Hold => (Some(Event::Hold), None),
        Decision::Release => (Some(Event::Release), None),
        Decision::Cancel => (Some(Event::Cancel), None),
        Decision::Link(receipt) => (Some(Event::Link(receipt)), None),
        Decision::FileAnyway => (Some(Event::FileAnyway), forced()),
        Decision::Edit(edit) => {
            let progress = &filing.progress;
            if !matches!(progress.state, State::Waiting | State::Blocked | State::Held | State::Failed) {
                return Err(NotAllowed { state: progress.state, wish: "be edited" }.into());
            }
            if progress.unsure && edit.target.is_some() {
                return Err(DecideError::Unsure);
            }
            let mut request = filing.request.as_ref().clone();
            if let Some(target) = edit.target {
                // What another place takes is not what this one withholds; the person who sends it there answers for it.
                request.withheld = String::new();
                request.target = target;
            }
            if let Some(file_name) = edit.file_name {
                request.file_name = file_name;
            }
            // Held stays held: its release is another decision.
            let event = (progress.state != State::Held).then_some(Event::Retry);
            (event, Some(request))
        }
    })
}
