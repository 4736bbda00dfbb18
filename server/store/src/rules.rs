//! What follows from a change, for every store alike: events, duplicates, the intake that follows its filings, whether a commit of
//! records may be. Pure functions;
//! how rows are found and kept is each store's own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::filing::{Progress, Request, State};
use postroom_domain::ids::{BulkId, FilingId, IntakeId, SiteName};
use postroom_domain::intake::{self, IntakeEvent, IntakeState};
use postroom_domain::machine::AttemptChange;
use postroom_domain::person::Actor;
use postroom_domain::record::{Kind, Record, Write};
use postroom_domain::store::{Pause, Section, StoreError};
use postroom_domain::work_item::WorkItem;

/// Who, when, and in which words: what a change's events share.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) note: &'a str,
    pub(crate) at: Timestamp,
}

impl Told<'_> {
    fn event(self, site: Option<&SiteName>, subject: Subject, happening: Happening) -> NewEvent {
        NewEvent {
            at: self.at,
            site: site.cloned(),
            subject,
            happening,
            actor: self.actor.clone(),
            note: self.note.to_owned(),
        }
    }

    /// A filing changed (with a set, where one is named), or was planned.
    pub(crate) fn filing(
        self,
        id: FilingId,
        site: &SiteName,
        from: Option<State>,
        next: &Progress,
        bulk: Option<BulkId>,
    ) -> NewEvent {
        let happening = Happening::Filing {
            from,
            to: next.state,
            cause: next.cause().filter(|_| !next.state.is_settled()),
            document: next.receipt.as_ref().map(|receipt| receipt.document.clone()),
            bulk,
        };
        self.event(Some(site), Subject::Filing(id), happening)
    }

    /// A person replaced a filing's request.
    pub(crate) fn edited(self, id: FilingId, site: &SiteName) -> NewEvent {
        self.event(Some(site), Subject::Filing(id), Happening::Edited)
    }

    /// An intake changed its state, or was taken in.
    pub(crate) fn intake(
        self,
        id: IntakeId,
        site: &SiteName,
        from: Option<IntakeState>,
        to: IntakeState,
    ) -> NewEvent {
        self.event(Some(site), Subject::Intake(id), Happening::Intake { from, to })
    }

    /// An intake followed its filings: the reason stands with the filing.
    pub(crate) fn followed(
        self,
        id: IntakeId,
        site: &SiteName,
        from: IntakeState,
        to: IntakeState,
    ) -> NewEvent {
        Told { note: "", ..self }.intake(id, site, Some(from), to)
    }

    /// A work item was saved.
    pub(crate) fn work_item(self, item: &WorkItem) -> NewEvent {
        self.event(Some(&item.site), Subject::WorkItem(item.id), Happening::WorkItemSaved)
    }

    /// A door goes on.
    pub(crate) fn resumed(self, pause: &Pause) -> NewEvent {
        self.event(pause.site.as_ref(), Subject::Door(pause.door.clone()), Happening::Resumed)
    }
}

/// The event of a pause.
pub(crate) fn paused(pause: &Pause) -> NewEvent {
    let actor = Actor::person(&pause.by);
    let told = Told { actor: &actor, note: &pause.reason, at: pause.since };
    told.event(pause.site.as_ref(), Subject::Door(pause.door.clone()), Happening::Paused)
}

/// Whether a filing that is handed in may turn out to be a duplicate: nobody forced it, and it is not through already.
pub(crate) fn may_repeat(request: &Request, state: State) -> bool {
    !request.forced && !state.is_settled()
}

/// Whether an intake needs a content, by whether each of its filings of that content has given its source up.
pub(crate) fn intake_needs(released: &[bool]) -> bool {
    released.is_empty() || !released.iter().all(|released| *released)
}

/// The state that an intake goes over to when the number of its open filings changes.
pub(crate) fn follow(state: IntakeState, filings: u32, open: u32) -> Option<IntakeState> {
    if filings == 0 {
        return None;
    }
    intake::next(state, if open == 0 { IntakeEvent::FilingsDone } else { IntakeEvent::FilingReopened })
}

/// Whether an intake may be divided so. One that is a part itself, or has parts, is not: then nobody would know what its numbers count.
pub(crate) fn may_divide(divided: bool, sections: &[Section]) -> Result<(), StoreError> {
    let mut ids = BTreeSet::new();
    let wrong = if divided {
        Some("an intake is divided once, and its sections are not")
    } else if sections.is_empty() {
        Some("an intake is divided into nothing")
    } else if sections.iter().any(|section| !ids.insert(section.intake.id)) {
        Some("two sections have the same id")
    } else {
        None
    };
    wrong.map_or(Ok(()), |wrong| Err(StoreError::Damaged(wrong.to_owned())))
}

/// The cause under which an open filing is counted.
pub(crate) fn counted_cause(progress: &Progress) -> Option<Cause> {
    progress.cause().filter(|_| !progress.state.is_settled())
}

/// Whether a change means that its cause was met now, rather than kept: then the group's "last met" moves.
pub(crate) fn meets(before: &Progress, next: &Progress, attempt: Option<&AttemptChange>) -> bool {
    next.trouble.is_some()
        && (before.trouble != next.trouble
            || counted_cause(before) != counted_cause(next)
            || matches!(attempt, Some(AttemptChange::End { .. })))
}

/// Whether a filing in this state counts for "how old is the oldest open one".
pub(crate) const fn is_under_way(state: State) -> bool {
    matches!(state, State::Waiting | State::Blocked | State::Running | State::Checking)
}

/// The column of an age: the first bound that it stays below, or the one after the last.
pub(crate) fn age_column(id: FilingId, bounds: &[Duration], now: Timestamp) -> usize {
    let millis = u64::try_from(now.as_millisecond().saturating_sub(id.millis())).unwrap_or(0);
    bounds.partition_point(|bound| *bound <= Duration::from_millis(millis))
}

/// Whether a filing in this state needs a person.
pub(crate) const fn needs_person(state: State) -> bool {
    matches!(state, State::Failed | State::Undecided | State::Held)
}

/// What a work item is searched by.
pub(crate) struct WorkLine {
    /// The reference, lower-cased.
    pub(crate) reference: String,
    /// Title, client reference and client name, lower-cased, separated by line ends that no search text holds.
    pub(crate) words: String,
}

impl WorkLine {
    pub(crate) fn of(item: &WorkItem) -> Self {
        let words = [item.title.as_str(), &item.client.reference, &item.client.name].join("\n");
        Self { reference: item.reference.to_lowercase(), words: words.to_lowercase() }
    }
}

/// Whether a work item is found by a text that is lower-cased already.
pub(crate) fn found(reference: &str, words: &str, text: &str) -> bool {
    reference.starts_with(text) || words.contains(text)
}

/// Keys and groups of records are no longer than this, in bytes.
const LONGEST: usize = 512;

/// A change of a record that may be carried out.
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    pub(crate) id: u128,
    pub(crate) before: Option<Record>,
    /// None when it is removed.
    pub(crate) after: Option<Record>,
}

/// Whether the writes of a commit may be carried out, by the records that are there: all of them or none. What counts is how it is
/// after all of them: a key that one record gives up is free for another.
pub(crate) fn plan<E: From<StoreError>>(
    writes: Vec<Write>,
    mut record: impl FnMut(Kind, u128) -> Result<Option<Record>, E>,
    mut owner: impl FnMut(Kind, &str) -> Result<Option<u128>, E>,
) -> Result<Vec<Planned>, E> {
    let mut planned = BTreeMap::new();
    for write in writes {
        let (kind, id, expected, after) = match write {
            Write::Put(record) => {
                (record.kind, record.id, record.version.checked_sub(1), Some(tidy(record)?))
            }
            Write::Remove { kind, id, version } => (kind, id, Some(version).filter(|v| *v > 0), None),
        };
        let before = record(kind, id)?;
        let found = before.as_ref().map_or(0, |before| before.version);
        if expected != Some(found) {
            return Err(StoreError::Conflict { found }.into());
        }
        if planned.insert((kind, id), Planned { kind, id, before, after }).is_some() {
            return Err(StoreError::Damaged(format!("a commit changes a {} twice", kind.noun())).into());
        }
    }
    let mut taken = BTreeSet::new();
    for Planned { kind, id, after, .. } in planned.values() {
        for key in after.iter().flat_map(|after| &after.keys) {
            let gives_up = |owner: u128| {
                let other = planned.get(&(*kind, owner)).map(|other| other.after.as_ref());
                other.is_some_and(|after| after.is_none_or(|after| !after.keys.contains(key)))
            };
            let others = owner(*kind, key)?.filter(|owner| owner != id && !gives_up(*owner));
            if others.is_some() || !taken.insert((*kind, key)) {
                return Err(StoreError::Exists(format!("a {} with the same key", kind.noun())).into());
            }
        }
    }
    Ok(planned.into_values().collect())
}

/// A record with each of its keys and groups once. None may be too long.
fn tidy(mut record: Record) -> Result<Record, StoreError> {
    for texts in [&mut record.keys, &mut record.groups] {
        let mut seen = BTreeSet::new();
        texts.retain(|text| seen.insert(text.clone()));
        if texts.iter().any(|text| text.len() > LONGEST) {
            let noun = record.kind.noun();
            return Err(StoreError::Damaged(format!("a {noun} has a key of more than {LONGEST} bytes")));
        }
    }
    Ok(record)
}
