//! Batches of pages that were divided at their cover sheets and separators: each part becomes an intake of its own, so that one that needs
//! a person keeps nobody else waiting. Whoever brought the batch keeps it until the last of them is through.

use super::{Mailroom, Opened};
use crate::ids::{IntakeId, WorkItemId};
use crate::intake::{self, Document, Intake, IntakeEvent, IntakeState, NeedsPerson};
use crate::person::Actor;
use crate::store::{Division, IntakeChange, Section, StoreError, StoreResult};

/// A part of a batch whose bytes are in the spool.
#[derive(Debug, Clone)]
pub struct ReadSection {
    /// Its pages, as a document of their own.
    pub document: Document,
    /// Where it belongs, or why a person has to say it.
    pub belongs: Result<WorkItemId, NeedsPerson>,
    /// What led to it, in words.
    pub trace: Vec<String>,
}

/// What was read from a batch.
#[derive(Debug, Clone)]
pub enum ReadBatch {
    /// It is divided.
    Divided {
        /// Its parts, in order; at least one.
        sections: Vec<ReadSection>,
        /// What was found on its pages, in words.
        trace: Vec<String>,
    },
    /// It stays as it came, for a person or for the place that it was named for.
    Whole {
        /// Why a person has to look; none where it goes where it was named for.
        needs: Option<NeedsPerson>,
        /// What was found, in words.
        trace: Vec<String>,
    },
}

impl Mailroom {
    /// Decides over a batch that was read.
    pub async fn divide(&self, mut intake: Intake, read: ReadBatch, actor: &Actor) -> StoreResult<Opened> {
        if intake.state != IntakeState::Stored {
            return Ok(Opened::Overtaken);
        }
        match read {
            ReadBatch::Whole { needs, trace } => {
                intake.trace.extend(trace);
                self.whole(intake, needs, actor).await
            }
            ReadBatch::Divided { sections, trace } => {
                intake.trace.extend(trace);
                self.apart(intake, sections, actor).await
            }
        }
    }

    async fn whole(
        &self,
        mut intake: Intake,
        needs: Option<NeedsPerson>,
        actor: &Actor,
    ) -> StoreResult<Opened> {
        let Some(needs) = needs else { return self.plan(intake, actor).await };
        let Some(state) = intake::next(intake.state, IntakeEvent::NoPlace) else {
            return Ok(Opened::Overtaken);
        };
        let code = needs.code.clone();
        intake.state = state;
        intake.trace.push(format!("a person decides: {}", needs.text));
        intake.needs = Some(needs);
        self.reception.allocate(&mut intake, None).await?;
        let done = self.change(intake, Vec::new(), Vec::new(), actor, "its pages were looked at").await?;
        Ok(if done { Opened::NeedsPerson(code) } else { Opened::Overtaken })
    }

    async fn apart(&self, mut intake: Intake, read: Vec<ReadSection>, actor: &Actor) -> StoreResult<Opened> {
        let Some(state) = intake::next(intake.state, IntakeEvent::Planned) else {
            return Ok(Opened::Overtaken);
        };
        let reception = &self.reception;
        let mut sections = Vec::with_capacity(read.len());
        for part in read {
            let id = IntakeId::from_u128(reception.next_id());
            let mut section = section_of(&intake, id, part.document, part.trace);
            let filings = match part.belongs {
                Ok(item) => {
                    section.work_item_given = item.to_string();
                    let filings = reception.plan_filings(&mut section).await?;
                    self.by_reference(&mut section).await?;
                    filings
                }
                Err(needs) => {
                    section.state =
                        intake::next(section.state, IntakeEvent::NoPlace).unwrap_or(section.state);
                    section.trace.push(format!("a person decides: {}", needs.text));
                    section.needs = Some(needs);
                    reception.allocate(&mut section, None).await?;
                    Vec::new()
                }
            };
            sections.push(Section { intake: section, filings });
        }
        let parts = sections.len();
        intake.state = state;
        intake.version += 1;
        let note = format!("divided into {parts} at cover sheets and separators");
        let at = reception.clock.now();
        let change = IntakeChange {
            next: intake,
            filings: Vec::new(),
            records: Vec::new(),
            actor: actor.clone(),
            note,
            at,
        };
        match reception.store.divide(Division { change, sections }).await {
            Ok(()) => Ok(Opened::Divided(parts)),
            Err(StoreError::Conflict { .. }) => Ok(Opened::Overtaken),
            Err(error) => Err(error),
        }
    }

    /// Names the work item as people name it.
    async fn by_reference(&self, section: &mut Intake) -> StoreResult<()> {
        if let Some(item) = section.work_item
            && let Some(item) = self.reception.store.work_item(item).await?
        {
            section.work_item_given = item.reference;
        }
        Ok(())
    }
}

/// A part of a batch, before it is known where it belongs.
fn section_of(batch: &Intake, id: IntakeId, document: Document, trace: Vec<String>) -> Intake {
    Intake {
        id,
        state: IntakeState::Stored,
        version: 1,
        work_item_given: String::new(),
        work_item: None,
        document_key: String::new(),
        documents: vec![document],
        batch: false,
        part_of: Some(batch.id),
        sections: Vec::new(),
        choices: Vec::new(),
        undo_until: None,
        begun: 0,
        letter: None,
        needs: None,
        open_filings: 0,
        filings: 0,
        trace,
        ..batch.clone()
    }
}
