//! Heads: the small records that lists, claims and counters read, in fixed little-endian layouts with a version in front. What is
//! too long for them stands beside, as JSON: the request (`bodies`) and the rest of the progress (`details`).

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Receipt, Trouble};
use postroom_domain::filing::{Blocker, Lane, Progress, State, Why};
use postroom_domain::ids::FilingId;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::person::Credential;
use serde::{Deserialize, Serialize};

use super::{Stop, keys};
use crate::rules;

/// The layout below.
const LAYOUT: u8 = 1;
/// Bytes of a filing's head.
const FILING: usize = 105;
/// Bytes of an intake's head.
const INTAKE: usize = 22;

const HAS_DUE: u8 = 1;
const HAS_LAST_END: u8 = 1 << 1;
const UNSURE: u8 = 1 << 2;
const HAS_DETAIL: u8 = 1 << 3;
const BLOCKED_DESTINATION: u8 = 1 << 4;
const BLOCKED_ACCOUNT: u8 = 1 << 5;
const HAS_STATUS: u8 = 1 << 6;
const HAS_CAUSE_SINCE: u8 = 1 << 7;

/// The accounts that may have sent a document, as bits of a byte that was 0 before they were kept.
const ACCOUNTS: [(Credential, u8); 2] = [(Credential::Own, 1), (Credential::System, 1 << 1)];

/// A filing's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) site: u16,
    pub(super) service: u16,
    pub(super) source: u16,
    pub(super) intake: u128,
    pub(super) received: Timestamp,
    pub(super) state: State,
    pub(super) why: Why,
    pub(super) version: u64,
    pub(super) generation: u32,
    pub(super) due: Option<Timestamp>,
    pub(super) tries: u32,
    pub(super) deferrals: u32,
    pub(super) interruptions: u8,
    pub(super) same_cause: u32,
    pub(super) unsure: bool,
    pub(super) since: Timestamp,
    pub(super) cause_since: Option<Timestamp>,
    pub(super) last_end: Option<Timestamp>,
    pub(super) cause: Option<Cause>,
    pub(super) status: Option<u16>,
    pub(super) blocker: Option<u8>,
    pub(super) tried_as: u8,
    pub(super) has_detail: bool,
}

/// The rest of a filing's progress.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Detail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trouble: Option<Trouble>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    hint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) receipt: Option<Receipt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<FilingId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    container: Option<String>,
}

/// The numbers that a filing's names have in this file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) site: u16,
    pub(super) service: u16,
    pub(super) source: u16,
}

impl Head {
    /// Head and rest of a progress.
    pub(super) fn split(
        place: Place,
        intake: u128,
        received: Timestamp,
        progress: &Progress,
    ) -> (Self, Detail) {
        let detail = Detail {
            trouble: progress.trouble.clone(),
            hint: progress.hint.clone(),
            receipt: progress.receipt.clone(),
            released: progress.released,
            duplicate_of: progress.duplicate_of,
            container: progress.container.clone(),
        };
        let head = Self {
            site: place.site,
            service: place.service,
            source: place.source,
            intake,
            received,
            state: progress.state,
            why: progress.why,
            version: progress.version,
            generation: progress.generation,
            due: progress.due,
            tries: progress.tries,
            deferrals: progress.deferrals,
            interruptions: progress.interruptions,
            same_cause: progress.same_cause,
            unsure: progress.unsure,
            since: progress.since,
            cause_since: progress.cause_since,
            last_end: progress.last_end,
            cause: progress.cause(),
            status: progress.trouble.as_ref().and_then(|trouble| trouble.status),
            blocker: progress.blocker.as_ref().map(|blocker| match blocker {
                Blocker::Destination => BLOCKED_DESTINATION,
                Blocker::Account => BLOCKED_ACCOUNT,
            }),
            tried_as: ACCOUNTS
                .iter()
                .filter(|(account, _)| progress.tried_as.contains(account))
                .fold(0, |bits, (_, bit)| bits | bit),
            has_detail: detail != Detail::default(),
        };
        (head, detail)
    }

    /// The whole progress again.
    pub(super) fn progress(&self, detail: Detail) -> Progress {
        Progress {
            state: self.state,
            version: self.version,
            generation: self.generation,
            due: self.due,
            why: self.why,
            tries: self.tries,
            deferrals: self.deferrals,
            interruptions: self.interruptions,
            same_cause: self.same_cause,
            unsure: self.unsure,
            since: self.since,
            cause_since: self.cause_since,
            last_end: self.last_end,
            trouble: detail.trouble,
            blocker: self
                .blocker
                .map(|bit| if bit == BLOCKED_DESTINATION { Blocker::Destination } else { Blocker::Account }),
            hint: detail.hint,
            receipt: detail.receipt,
            released: detail.released,
            duplicate_of: detail.duplicate_of,
            container: detail.container,
            tried_as: ACCOUNTS
                .iter()
                .filter(|(_, bit)| self.tried_as & bit != 0)
                .map(|(account, _)| *account)
                .collect(),
        }
    }

    pub(super) fn encode(&self) -> [u8; FILING] {
        let mut flags = self.blocker.unwrap_or(0);
        for (set, bit) in [
            (self.due.is_some(), HAS_DUE),
            (self.last_end.is_some(), HAS_LAST_END),
            (self.unsure, UNSURE),
            (self.has_detail, HAS_DETAIL),
            (self.status.is_some(), HAS_STATUS),
            (self.cause_since.is_some(), HAS_CAUSE_SINCE),
        ] {
            flags |= if set { bit } else { 0 };
        }
        let time = |at: Option<Timestamp>| at.map_or([0; 10], keys::time);
        keys::join(&[
            &[LAYOUT, self.state as u8, self.why as u8, flags, self.cause.map_or(0, |cause| cause as u8)],
            &[self.interruptions],
            &self.status.unwrap_or(0).to_le_bytes(),
            &self.site.to_le_bytes(),
            &self.service.to_le_bytes(),
            &self.source.to_le_bytes(),
            &[self.tried_as],
            &self.version.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &self.tries.to_le_bytes(),
            &self.deferrals.to_le_bytes(),
            &self.same_cause.to_le_bytes(),
            &self.intake.to_be_bytes(),
            &time(Some(self.received)),
            &time(Some(self.since)),
            &time(self.due),
            &time(self.last_end),
            &time(self.cause_since),
        ])
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Stop> {
        Self::read(bytes).ok_or_else(|| Stop::damaged("head of a filing"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != FILING || bytes[0] != LAYOUT {
            return None;
        }
        let flags = bytes[3];
        let has = |bit: u8| flags & bit != 0;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let due = if has(HAS_DUE) { Some(keys::time_of(&bytes[75..])?) } else { None };
        let last_end = if has(HAS_LAST_END) { Some(keys::time_of(&bytes[85..])?) } else { None };
        let cause_since = if has(HAS_CAUSE_SINCE) { Some(keys::time_of(&bytes[95..])?) } else { None };
        let cause = if bytes[4] == 0 { None } else { Some(Cause::from_number(bytes[4])?) };
        Some(Self {
            state: State::from_number(bytes[1])?,
            why: Why::from_number(bytes[2])?,
            cause,
            interruptions: bytes[5],
            status: has(HAS_STATUS).then(|| short(6)),
            site: short(8),
            service: short(10),
            source: short(12),
            tried_as: bytes[14],
            version: u64::from(word(15)) | u64::from(word(19)) << 32,
            generation: word(23),
            tries: word(27),
            deferrals: word(31),
            same_cause: word(35),
            intake: keys::id_of(&bytes[39..55]),
            received: keys::time_of(&bytes[55..])?,
            since: keys::time_of(&bytes[65..])?,
            cause_since,
            due,
            last_end,
            unsure: has(UNSURE),
            has_detail: has(HAS_DETAIL),
            blocker: [BLOCKED_DESTINATION, BLOCKED_ACCOUNT].into_iter().find(|bit| has(*bit)),
        })
    }

    /// The queue it waits in.
    pub(super) const fn lane(&self) -> Option<Lane> {
        match (self.state, self.why) {
            (State::Checking, _) => Some(Lane::Checking),
            (State::Waiting, Why::FirstTry | Why::Retried) => Some(Lane::New),
            (State::Waiting, _) => Some(Lane::Deferred),
            _ => None,
        }
    }

    pub(super) fn state_key(&self, id: u128) -> [u8; 21] {
        keys::join(&[
            &self.site.to_be_bytes(),
            &self.service.to_be_bytes(),
            &[self.state as u8],
            &id.to_be_bytes(),
        ])
    }

    pub(super) fn cause_key(&self, id: u128) -> Option<[u8; 22]> {
        self.cause.map(|cause| {
            keys::join(&[
                &[cause as u8],
                &self.site.to_be_bytes(),
                &self.service.to_be_bytes(),
                &[u8::from(self.state.is_settled())],
                &id.to_be_bytes(),
            ])
        })
    }

    /// The key of its queue: destination, lane, source.
    pub(super) fn queue_key(&self) -> Option<[u8; 5]> {
        self.lane().map(|lane| queue(self.service, lane, self.source))
    }

    pub(super) fn ready_key(&self, id: u128) -> Option<[u8; 31]> {
        // A filing that waits without a due time would never be met: it counts as due since ever.
        let due = keys::time(self.due.unwrap_or(Timestamp::MIN));
        self.queue_key().map(|queue| keys::join(&[&queue, &due, &id.to_be_bytes()]))
    }

    pub(super) fn under_way_key(&self, id: u128) -> Option<[u8; 20]> {
        rules::is_under_way(self.state)
            .then(|| keys::join(&[&self.site.to_be_bytes(), &self.source.to_be_bytes(), &id.to_be_bytes()]))
    }
}

/// The key of a queue: destination, lane, source.
pub(super) fn queue(service: u16, lane: Lane, source: u16) -> [u8; 5] {
    keys::join(&[&service.to_be_bytes(), &[lane as u8], &source.to_be_bytes()])
}

/// What an intake is to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Role {
    /// Nothing: it is counted by its filings.
    Alone = 0,
    /// It was divided: it is counted by its sections.
    Batch = 1,
    /// It is a part of a batch, which follows it.
    Section = 2,
}

impl Role {
    /// That of an intake.
    pub(super) fn of(intake: &Intake) -> Self {
        match (intake.part_of, intake.sections.is_empty()) {
            (Some(_), _) => Self::Section,
            (None, false) => Self::Batch,
            (None, true) => Self::Alone,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Self::Alone, Self::Batch, Self::Section].get(usize::from(number)).copied()
    }
}

/// Above the bits of the state, in the same byte.
const ROLE: u8 = 6;

/// An intake's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IntakeHead {
    pub(super) role: Role,
    pub(super) site: u16,
    pub(super) source: u16,
    pub(super) state: IntakeState,
    pub(super) version: u64,
    pub(super) filings: u32,
    pub(super) open_filings: u32,
}

impl IntakeHead {
    pub(super) fn encode(&self) -> [u8; INTAKE] {
        keys::join(&[
            &[LAYOUT, self.state as u8 | (self.role as u8) << ROLE],
            &self.site.to_le_bytes(),
            &self.source.to_le_bytes(),
            &self.version.to_le_bytes(),
            &self.filings.to_le_bytes(),
            &self.open_filings.to_le_bytes(),
        ])
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Stop> {
        Self::read(bytes).ok_or_else(|| Stop::damaged("head of an intake"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != INTAKE || bytes[0] != LAYOUT {
            return None;
        }
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Some(Self {
            role: Role::from_number(bytes[1] >> ROLE)?,
            state: IntakeState::from_number(bytes[1] & ((1 << ROLE) - 1))?,
            site: u16::from_le_bytes([bytes[2], bytes[3]]),
            source: u16::from_le_bytes([bytes[4], bytes[5]]),
            version: u64::from(word(6)) | u64::from(word(10)) << 32,
            filings: word(14),
            open_filings: word(18),
        })
    }

    pub(super) fn state_key(&self, id: u128) -> [u8; 19] {
        keys::join(&[&self.site.to_be_bytes(), &[self.state as u8], &id.to_be_bytes()])
    }

    pub(super) fn source_key(&self, id: u128) -> [u8; 20] {
        keys::join(&[&self.site.to_be_bytes(), &self.source.to_be_bytes(), &id.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_full_head_and_a_bare_one_come_back() {
        let now: Timestamp = "2026-11-23T09:00:00.123456789Z".parse().unwrap();
        let place = Place { site: 1, service: 0x1234, source: 65_535 };
        let bare = Progress::new(now);
        let full = Progress {
            state: State::Blocked,
            version: u64::MAX - 1,
            generation: 7,
            due: Some(Timestamp::MAX),
            why: Why::NotThere,
            tries: 1,
            deferrals: u32::MAX,
            interruptions: 255,
            same_cause: 3,
            unsure: true,
            since: Timestamp::MIN,
            cause_since: Some(now),
            last_end: Some(now),
            trouble: Some(Trouble { status: Some(0), ..Trouble::new(Cause::TooOld, "x") }),
            blocker: Some(Blocker::Account),
            hint: "h".to_owned(),
            receipt: None,
            released: Some(now),
            duplicate_of: Some(FilingId::from_u128(9)),
            container: Some("c".to_owned()),
            tried_as: BTreeSet::from([Credential::System]),
        };
        for progress in [bare, full] {
            let (head, detail) = Head::split(place, u128::MAX - 5, now, &progress);
            let again = Head::decode(&head.encode()).unwrap();
            assert_eq!(again, head);
            assert_eq!(head.has_detail, progress.trouble.is_some());
            assert_eq!(again.lane(), progress.lane());
            assert_eq!(again.progress(detail), progress);
        }
        for role in [Role::Alone, Role::Batch, Role::Section] {
            let intake = IntakeHead {
                role,
                site: 3,
                source: 4,
                state: IntakeState::Dismissed,
                version: 1 << 40,
                filings: 7,
                open_filings: 6,
            };
            assert_eq!(IntakeHead::decode(&intake.encode()).unwrap(), intake);
        }
        for bytes in [&[][..], &[0; FILING], &[1; FILING - 1]] {
            assert!(Head::decode(bytes).is_err());
            assert!(IntakeHead::decode(bytes).is_err());
        }
    }
}
