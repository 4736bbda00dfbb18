//! A set, and how it goes from frozen to done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::{Action, Pace};
use super::part::Counts;
use crate::cause::Cause;
use crate::event::{BulkNews, Happening, NewEvent, Subject};
use crate::filing::{Filing, State};
use crate::ids::{BulkId, FilingId, ServiceName, SiteName};
use crate::person::{Actor, Permission, Principal};
use crate::record::{Kept, Kind};

/// How far a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkState {
    /// It is there to be looked at; nothing happens.
    Frozen,
    /// It begins when the grace is over.
    AboutToRun,
    /// Under way.
    Running,
    /// Each filing was done, skipped or failed.
    Done,
    /// A person stopped it; what is waiting was not touched.
    Stopped,
    /// It was taken back before anything was touched.
    Undone,
}

impl BulkState {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Frozen => "not running yet",
            Self::AboutToRun => "about to run",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Undone => "taken back",
        }
    }

    /// Whether nothing more comes.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Undone)
    }
}

impl fmt::Display for BulkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// The state of a set does not allow what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a set that is {state} cannot {wish}")]
pub struct NotNow {
    /// Its state.
    pub state: BulkState,
    /// What was wanted, in words.
    pub wish: &'static str,
}

/// How a set was told to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who said so: its decisions are theirs.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How fast.
    pub pace: Pace,
    /// When.
    pub at: Timestamp,
    /// When the first filing may be touched.
    pub begins: Timestamp,
}

/// How many filings of a set share something, most first, as they were frozen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// By state.
    pub states: Vec<(State, u64)>,
    /// By destination.
    pub destinations: Vec<(ServiceName, u64)>,
    /// By cause.
    pub causes: Vec<(Option<Cause>, u64)>,
    /// Why it cannot be done to some.
    pub refusals: Vec<(String, u64)>,
}

impl Lines {
    /// Counts filings.
    pub fn of<'a>(filings: impl IntoIterator<Item = &'a Filing>, action: Action) -> Self {
        let (mut states, mut destinations) = (BTreeMap::new(), BTreeMap::new());
        let (mut causes, mut refusals) = (BTreeMap::new(), BTreeMap::new());
        for filing in filings {
            let state = filing.progress.state;
            *states.entry(state).or_default() += 1;
            *destinations.entry(filing.request.target.service.clone()).or_default() += 1;
            *causes.entry(filing.progress.cause().filter(|_| !state.is_settled())).or_default() += 1;
            if let Some(refusal) = action.refusal(state) {
                *refusals.entry(refusal.to_owned()).or_default() += 1;
            }
        }
        Self {
            states: most_first(states),
            destinations: most_first(destinations),
            causes: most_first(causes),
            refusals: most_first(refusals),
        }
    }
}

fn most_first<T>(counts: BTreeMap<T, u64>) -> Vec<(T, u64)> {
    let mut lines: Vec<(T, u64)> = counts.into_iter().collect();
    lines.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    lines
}

/// A set of filings. Its rows are in [`super::BulkPart`]s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulk {
    /// Its id.
    pub id: BulkId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// What is decided.
    pub action: Action,
    /// How far it is.
    pub state: BulkState,
    /// The filter, where it was made by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Who froze it.
    pub by: String,
    /// The sites of its filings; never empty.
    pub sites: BTreeSet<SiteName>,
    /// When it was frozen.
    pub created: Timestamp,
    /// How it was told to run, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// To how many of its filings it can be done, as they were frozen.
    pub will: u64,
    /// What they share.
    pub lines: Lines,
    /// What became of them.
    pub counts: Counts,
    /// It was stopped while it ran, and what was under way then is not written down yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
}

impl Bulk {
    /// The group of all.
    pub const ALL: &str = "all";
    /// The group of those that are being worked on.
    pub const WORKING: &str = "working";

    /// Whether somebody may see it, and do with it what they may do with filings: who froze it, and who sees all that is in it. Who lost
    /// a site loses its sets.
    pub fn is_seen_by(&self, by: &Principal) -> bool {
        let own = self.by == by.name || by.may(Permission::SeeAll);
        own && self.sites.iter().all(|site| by.sites.has(site))
    }

    /// Whether there is something to do for whoever runs it.
    pub const fn is_working(&self) -> bool {
        matches!(self.state, BulkState::AboutToRun | BulkState::Running) || self.unsettled
    }

    /// Tells it to run.
    pub fn run(&mut self, told: Told) -> Result<(), NotNow> {
        self.expect(&[BulkState::Frozen], "be told to run")?;
        self.told = Some(told);
        self.go(BulkState::AboutToRun, None);
        Ok(())
    }

    /// The grace is over: from here on filings are touched.
    pub fn begin(&mut self) -> Result<(), NotNow> {
        self.expect(&[BulkState::AboutToRun], "begin")?;
        self.go(BulkState::Running, None);
        Ok(())
    }

    /// Takes it back, as long as nothing was touched.
    pub fn undo(&mut self, now: Timestamp) -> Result<(), NotNow> {
        self.expect(&[BulkState::AboutToRun], "be taken back")?;
        self.go(BulkState::Undone, Some(now));
        Ok(())
    }

    /// Leaves what has not been done.
    pub fn stop(&mut self, now: Timestamp) -> Result<(), NotNow> {
        self.expect(&[BulkState::AboutToRun, BulkState::Running], "be stopped")?;
        self.unsettled = self.state == BulkState::Running;
        self.go(BulkState::Stopped, Some(now));
        Ok(())
    }

    /// Nothing is left to be done or written down.
    pub fn end(&mut self, now: Timestamp) {
        self.unsettled = false;
        match self.state {
            BulkState::Stopped => self.version += 1,
            _ => self.go(BulkState::Done, Some(now)),
        }
    }

    /// What the history keeps of it. `ids` only when it is told to run.
    pub fn news(&self, what: BulkNews, actor: Actor, at: Timestamp, ids: Vec<FilingId>) -> NewEvent {
        let mut sites = self.sites.iter();
        let site = sites.next().filter(|_| sites.next().is_none()).cloned();
        let reason = self.told.as_ref().map(|told| told.reason.clone());
        let happening = Happening::Bulk {
            what,
            action: self.action,
            counts: self.counts,
            sites: self.sites.clone(),
            ids,
        };
        NewEvent {
            at,
            site,
            subject: Subject::Bulk(self.id),
            happening,
            actor,
            note: reason.filter(|_| what == BulkNews::Told).unwrap_or_default(),
        }
    }

    fn expect(&self, states: &[BulkState], wish: &'static str) -> Result<(), NotNow> {
        if states.contains(&self.state) { Ok(()) } else { Err(NotNow { state: self.state, wish }) }
    }

    const fn go(&mut self, state: BulkState, ended: Option<Timestamp>) {
        self.state = state;
        self.ended = ended;
        self.version += 1;
    }
}

impl Kept for Bulk {
    const KIND: Kind = Kind::Bulk;
    fn number(&self) -> u128 {
        self.id.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        let working = self.is_working().then(|| Self::WORKING.to_owned());
        std::iter::once(Self::ALL.to_owned()).chain(working).collect()
    }
}
