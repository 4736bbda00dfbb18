//! `GET /summary`: what the first screen shows, and who is asking.

use jiff::Timestamp;
use postroom_domain::control::{DestinationStatus, Gate, SourceStatus};
use postroom_domain::filing::State;
use postroom_domain::ids::{RoleName, ServiceName, SiteName, SourceName};
use postroom_domain::intake::IntakeState;
use postroom_domain::person::{Permission, Principal};
use postroom_domain::store::Tally;
use postroom_domain::time::age;
use serde::{Deserialize, Serialize};

use crate::cause::CauseView;
use crate::pause::PauseView;

/// One thing that may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Hand in documents and see what became of one's own.
    File,
    /// See every intake and filing of the site.
    SeeAll,
    /// Decide over filings and intakes.
    Decide,
    /// Pause and resume.
    Pause,
    /// Create and change work items.
    EditWorkItems,
    /// Look after persons, their sessions and tokens.
    ManagePersons,
    /// Link system accounts, see everybody's links.
    ManageLinks,
    /// Read and export the audit.
    ReadAudit,
    /// Everything about the machine itself.
    Administer,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

impl From<Permission> for Right {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::File => Self::File,
            Permission::SeeAll => Self::SeeAll,
            Permission::Decide => Self::Decide,
            Permission::Pause => Self::Pause,
            Permission::EditWorkItems => Self::EditWorkItems,
            Permission::ManagePersons => Self::ManagePersons,
            Permission::ManageLinks => Self::ManageLinks,
            Permission::ReadAudit => Self::ReadAudit,
            Permission::Administer => Self::Administer,
        }
    }
}

/// Who is asking, as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct You {
    /// The name that the history shows.
    pub name: String,
    /// The roles: `user`, `operator`, `support`, `admin` and the firm's own.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub roles: Vec<RoleName>,
    /// The site that what is handed in belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub site: SiteName,
    /// Sites besides whose records are seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub also_sites: Vec<SiteName>,
    /// Whether the records of every site are seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_sites: bool,
    /// What is allowed.
    pub permissions: Vec<Right>,
}

impl You {
    /// Whether it is allowed.
    pub fn may(&self, right: Right) -> bool {
        self.permissions.contains(&right)
    }
}

impl From<&Principal> for You {
    fn from(principal: &Principal) -> Self {
        Self {
            name: principal.name.clone(),
            roles: principal.roles.clone(),
            site: principal.sites.home.clone(),
            also_sites: principal.sites.also.iter().cloned().collect(),
            all_sites: principal.sites.all,
            permissions: principal.permissions.list().into_iter().map(Right::from).collect(),
        }
    }
}

macro_rules! counts {
    ($(#[$doc:meta])* $name:ident over $state:ident: $($field:ident $variant:ident),*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(default)]
        pub struct $name {
            $(#[doc = concat!("How many are `", stringify!($field), "`.")] pub $field: u64),*
        }

        impl $name {
            /// How many are in a state.
            pub const fn get(&self, state: $state) -> u64 {
                match state { $($state::$variant => self.$field),* }
            }

            /// From numbers in the order of the states.
            pub const fn from_numbers(numbers: &[u64; $state::ALL.len()]) -> Self {
                Self { $($field: numbers[$state::$variant as usize]),* }
            }

            /// All together.
            pub const fn total(&self) -> u64 {
                0 $(+ self.$field)*
            }
        }
    };
}

counts! {
    /// How many filings are in each state.
    FilingCounts over State:
    waiting Waiting, blocked Blocked, running Running, checking Checking, undecided Undecided, held Held, failed Failed,
    filed Filed, duplicate Duplicate, cancelled Cancelled
}

counts! {
    /// How many intakes are in each state.
    IntakeCounts over IntakeState:
    stored Stored, split Split, needs_person NeedsPerson, quarantined Quarantined, settled Settled, dismissed Dismissed
}

/// The state of a source or destination.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorState {
    /// It works.
    #[default]
    Ok,
    /// A person stopped it.
    Paused,
    /// It asked to slow down.
    Throttled,
    /// Its breaker is open: too much went wrong, it is tried again by itself.
    Open,
    /// It has just come back and is given more bit by bit.
    SlowStart,
    /// An account must sign in again.
    Login,
    /// It waits until its settings are right.
    Settings,
    /// It is not there: a share that is down.
    Away,
    /// It takes nothing in: the server's disk has too little room.
    Full,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

impl DoorState {
    /// In one word, for lists.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Paused => "paused",
            Self::Throttled => "throttled",
            Self::Open => "OPEN",
            Self::SlowStart => "slow start",
            Self::Login => "LOGIN",
            Self::Settings => "SETTINGS",
            Self::Away => "AWAY",
            Self::Full => "FULL",
            Self::Unknown => "?",
        }
    }
}

/// The breaker of a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakerView {
    /// `closed` (works), `open` (nothing is sent) or `half_open` (one filing is tried).
    pub state: String,
    /// Since when it is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// What opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseView>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceLine {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: SourceName,
    /// What it is, in a word or two: `hot folder`, `upload`.
    #[serde(default)]
    pub kind: String,
    /// Its filings.
    pub filings: FilingCounts,
    /// How much came through it during the last 60 minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_hour: Option<u64>,
    /// Seconds since the oldest of its filings that is waiting, blocked, running or checking was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
    /// Its state.
    #[serde(default)]
    pub state: DoorState,
    /// What there is to say about the state, in plain words.
    #[serde(default)]
    pub note: String,
    /// The pause, when paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseView>,
}

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DestinationLine {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: ServiceName,
    /// What it is: `imanage`, `folder`.
    #[serde(default)]
    pub kind: String,
    /// Its filings.
    pub filings: FilingCounts,
    /// Seconds since the oldest of its filings that is waiting, blocked, running or checking was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
    /// Its state.
    #[serde(default)]
    pub state: DoorState,
    /// What there is to say about the state, in plain words.
    #[serde(default)]
    pub note: String,
    /// The pause, when paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseView>,
    /// The breaker.
    #[serde(default)]
    pub breaker: BreakerView,
    /// How many filings may run at once, as things are.
    #[serde(default)]
    pub limit: u32,
    /// How many run.
    #[serde(default)]
    pub in_flight: u32,
}

impl DestinationLine {
    /// From what the store counts, what the engine knows and whether it is paused. A destination that the engine does not
    /// have (any more) is `settings`.
    pub fn of(
        name: ServiceName,
        kind: &str,
        tally: &Tally,
        status: Option<&DestinationStatus>,
        pause: Option<PauseView>,
        now: Timestamp,
    ) -> Self {
        let mut breaker = BreakerView { state: "closed".to_owned(), ..BreakerView::default() };
        let (mut state, mut note) = match status.map(|status| &status.gate) {
            None => (DoorState::Settings, "no longer in the settings; its filings wait".to_owned()),
            Some(Gate::Open) => (DoorState::Ok, String::new()),
            Some(Gate::Throttled { until }) => {
                breaker.retry_at = Some(*until);
                (DoorState::Throttled, "the DMS asked to slow down".to_owned())
            }
            Some(Gate::Closed { cause, since, retest }) => {
                breaker = BreakerView {
                    state: "open".to_owned(),
                    since: Some(*since),
                    retry_at: Some(*retest),
                    cause: Some(CauseView::of(*cause)),
                };
                (DoorState::Open, cause.row().short.to_owned())
            }
            Some(Gate::Recovering) => {
                "half_open".clone_into(&mut breaker.state);
                (DoorState::SlowStart, "it is back and is given more bit by bit".to_owned())
            }
            Some(Gate::Paused) => (DoorState::Paused, String::new()),
        };
        if let Some(pause) = &pause {
            state = DoorState::Paused;
            note = format!("by {}: {}", pause.by, pause.reason);
        }
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            name,
            kind: kind.to_owned(),
            filings: tally.into(),
            oldest_seconds: oldest_seconds(tally, now),
            state,
            note,
            pause,
            breaker,
            limit: status.map_or(0, |status| narrow(status.limit)),
            in_flight: status.map_or(0, |status| narrow(status.in_flight)),
        }
    }
}

impl SourceLine {
    /// While the server's disk has too little room, whatever else there is to say of a source that is not paused.
    #[must_use]
    pub fn without_room(mut self) -> Self {
        if self.pause.is_none() {
            self.state = DoorState::Full;
            "nothing is taken in: the server's disk has too little room. Postroom's administrator frees some; then it goes on by itself"
                .clone_into(&mut self.note);
        }
        self
    }

    /// From what the store counts, what the source says of itself and whether it is paused.
    pub fn of(
        name: SourceName,
        kind: &str,
        tally: &Tally,
        status: Option<&SourceStatus>,
        pause: Option<PauseView>,
        now: Timestamp,
    ) -> Self {
        let (state, note) = match (&pause, status) {
            (Some(pause), _) => (DoorState::Paused, format!("by {}: {}", pause.by, pause.reason)),
            (None, Some(status)) if status.reachable => (DoorState::Ok, status.note.clone()),
            (None, Some(status)) => (DoorState::Away, status.note.clone()),
            (None, None) => (DoorState::Ok, String::new()),
        };
        Self {
            name,
            kind: kind.to_owned(),
            filings: tally.into(),
            last_hour: None,
            oldest_seconds: oldest_seconds(tally, now),
            state,
            note,
            pause,
        }
    }
}

/// The answer of `GET /summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary {
    /// Who is asking.
    pub you: You,
    /// The name of the installation.
    #[serde(default)]
    pub name: String,
    /// The server's version.
    #[serde(default)]
    pub version: String,
    /// The server's time: ages are counted from it, so that a console with a wrong clock shows right ones.
    pub now: Timestamp,
    /// All filings.
    pub filings: FilingCounts,
    /// All intakes.
    pub intakes: IntakeCounts,
    /// Seconds since the oldest open filing was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
    /// The sources, by name.
    pub sources: Vec<SourceLine>,
    /// The destinations, by name.
    pub destinations: Vec<DestinationLine>,
    /// The number of the last event: where following the stream begins.
    pub last_event: u64,
}

/// Seconds since the oldest open filing of a tally was received.
pub fn oldest_seconds(tally: &Tally, now: Timestamp) -> Option<u64> {
    tally.oldest_open.map(|since| age(now, since).as_secs())
}

impl From<&Tally> for FilingCounts {
    fn from(tally: &Tally) -> Self {
        Self::from_numbers(&tally.by_state)
    }
}
