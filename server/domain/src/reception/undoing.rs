//! Taking back what one handed in, while nothing of it has left for a DMS.

use super::{AssignError, Reception};
use crate::backoff::RetryPolicy;
use crate::decide::{Decision, Grounds, decide};
use crate::filing::{Filing, State};
use crate::ids::{FilingId, IntakeId};
use crate::intake::{self, IntakeEvent, IntakeState};
use crate::person::Actor;
use crate::store::StoreError;

/// What was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Filings that are cancelled.
    pub undone: Vec<FilingId>,
    /// Filings that go on: they had begun.
    pub kept: Vec<FilingId>,
}

/// Why nothing was taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// There is no such intake.
    #[error("there is no intake {0}")]
    NotFound(IntakeId),
    /// It was never to be taken back, the time for it is over, or all of it had begun.
    #[error("it is too late to take it back: {0}")]
    TooLate(&'static str),
    /// Somebody else changed it at the same moment.
    #[error("it changed meanwhile")]
    Stale,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const WHY: &str = "taken back by whoever handed it in";

impl Reception {
    /// Takes an intake back. What had begun to leave for a DMS goes on, and is told.
    pub async fn undo(&self, id: IntakeId, policy: &RetryPolicy, actor: &Actor) -> Result<Undone, UndoError> {
        let mut intake = self.store.intake(id).await?.ok_or(UndoError::NotFound(id))?;
        let until = intake.undo_until.ok_or(UndoError::TooLate("it cannot be taken back at all"))?;
        if self.clock.now() >= until {
            return Err(UndoError::TooLate("the time for it is over"));
        }
        let event = match intake.state {
            IntakeState::Split => return self.undo_filings(id, policy, actor).await,
            IntakeState::Stored => IntakeEvent::Withdrawn,
            _ => IntakeEvent::Dismissed,
        };
        let state = intake::next(intake.state, event).ok_or(UndoError::TooLate("it is through"))?;
        intake.state = state;
        intake.trace.push(format!("{} took it back", actor.principal));
        match self.change(intake, Vec::new(), Vec::new(), actor, WHY).await {
            Ok(_) => Ok(Undone::default()),
            Err(AssignError::Store(error)) => Err(error.into()),
            Err(_) => Err(UndoError::Stale),
        }
    }

    async fn undo_filings(
        &self,
        id: IntakeId,
        policy: &RetryPolicy,
        actor: &Actor,
    ) -> Result<Undone, UndoError> {
        let mut done = Undone::default();
        for filing in self.store.intake_filings(id).await? {
            if has_begun(&filing) {
                done.kept.push(filing.id);
                continue;
            }
            // The version that was looked at: a worker may take it at this very moment.
            let grounds = Grounds {
                actor: actor.clone(),
                reason: WHY.to_owned(),
                version: Some(filing.progress.version),
                bulk: None,
            };
            let (store, clock, entropy) = (&*self.store, &*self.clock, &*self.entropy);
            let answer = decide(store, clock, entropy, policy, filing.id, Decision::Cancel, grounds).await;
            match answer {
                Ok(_) => done.undone.push(filing.id),
                Err(crate::decide::DecideError::Store(error)) => return Err(error.into()),
                Err(_) => done.kept.push(filing.id),
            }
        }
        if done.undone.is_empty() {
            return Err(UndoError::TooLate("all of it has begun to be filed"));
        }
        Ok(done)
    }
}

/// Whether anything of it may have left. One that waits for a person, because its kind is not taken, has not.
fn has_begun(filing: &Filing) -> bool {
    let progress = &filing.progress;
    let before = matches!(progress.state, State::Waiting | State::Blocked | State::Held | State::Failed);
    progress.generation > 0 || progress.unsure || !before
}
