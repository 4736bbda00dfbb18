//! All that the console knows, and the one function that changes it.
//!
//! [`update`] takes a message and the time and answers with effects; it does no input or output. Whoever runs it draws
//! the state and performs the effects elsewhere, so that a key never waits for the network.

mod act;
mod batch;
mod decide;
mod prompt;
mod refresh;
#[cfg(test)]
pub(crate) mod tests;
mod update;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use postroom_api::FilingId;
use postroom_api::cause::{CauseLine, Causes};
use postroom_api::client::{ClientError, ClientResult, News};
use postroom_api::decision::DecisionKind;
use postroom_api::filing::{FilingDetail, FilingItem};
use postroom_api::page::Page;
use postroom_api::pause::{DoorAnswer, DoorKind};
use postroom_api::summary::{Right, Summary};

use crate::layout;
use crate::theme;
use crate::when::Times;
use crate::window::{From, Window};

pub(crate) use batch::{Batch, Report};
pub(crate) use prompt::Prompt;
pub(crate) use update::update;

/// A moment: the time of day, and a clock that only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The time of day.
    pub(crate) at: Timestamp,
    /// Time since the console started.
    pub(crate) since_start: Duration,
}

/// Something that happened to the console.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key.
    Key(crossterm::event::KeyEvent),
    /// Pasted text.
    Paste(String),
    /// The window has another size.
    Resize(u16, u16),
    /// Time passed.
    Tick,
    /// News from the event stream.
    Stream(News),
    /// An effect is done.
    Reply(Reply),
}

/// Something to be done elsewhere. Each of those that ask the server is answered by one [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// `GET /summary`.
    Summary,
    /// `GET /causes`.
    Causes,
    /// `GET /filings`.
    Filings {
        /// Which list it is for; the answer to an older one is dropped.
        list: u64,
        /// The filter.
        filter: String,
        /// Where the page begins.
        from: From,
    },
    /// `GET /filings/{id}`.
    Filing(FilingId),
    /// A decision about one filing in the version that was looked at.
    Decide {
        /// Which decision.
        kind: DecisionKind,
        /// Which filing.
        id: FilingId,
        /// The version that was on the screen.
        version: u64,
        /// Why.
        reason: String,
    },
    /// Stops (with a reason) or resumes a door.
    Door {
        /// Its kind.
        kind: DoorKind,
        /// Its name.
        name: String,
        /// Why it is stopped; none lets it go on.
        stop: Option<String>,
    },
    /// Text for the clipboard.
    Copy(String),
    /// The end.
    Quit,
}

impl Effect {
    /// Whether it asks the server to change something.
    pub(crate) const fn changes(&self) -> bool {
        matches!(self, Self::Decide { .. } | Self::Door { .. })
    }
}

/// What became of an effect.
#[derive(Debug)]
pub(crate) enum Reply {
    Summary(ClientResult<Box<Summary>>),
    Causes(ClientResult<Causes>),
    Filings { list: u64, from: From, result: ClientResult<Page<FilingItem>> },
    Filing(FilingId, ClientResult<Box<FilingDetail>>),
    Decided(FilingId, ClientResult<Box<FilingItem>>),
    Door(ClientResult<DoorAnswer>),
    Copied(Result<(), String>),
}

/// A place on the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Home,
    Filings,
    Causes,
    Detail,
}

/// A pane of the home screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pane {
    #[default]
    Sources,
    Destinations,
    Causes,
}

impl Pane {
    pub(crate) const ALL: [Self; 3] = [Self::Sources, Self::Destinations, Self::Causes];
}

/// A row of a short list, kept by its name so that it stays when others come and go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Picked {
    name: Option<String>,
    row: usize,
}

impl Picked {
    /// The row in the present list.
    pub(crate) const fn row(&self) -> usize {
        self.row
    }

    fn settle(&mut self, names: &[String]) {
        let found = self.name.as_ref().and_then(|name| names.iter().position(|other| other == name));
        self.go(found.unwrap_or(self.row), names);
    }

    fn go(&mut self, row: usize, names: &[String]) {
        self.row = row.min(names.len().saturating_sub(1));
        self.name = names.get(self.row).cloned();
    }
}

/// The home screen.
#[derive(Debug, Default)]
pub(crate) struct Home {
    pub(crate) focus: Pane,
    pub(crate) sources: Picked,
    pub(crate) destinations: Picked,
}

/// A source or destination under the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) kind: DoorKind,
    pub(crate) name: String,
    pub(crate) paused: bool,
}

/// The filing that is looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) id: FilingId,
    pub(crate) detail: Option<Box<FilingDetail>>,
    pub(crate) trouble: Option<String>,
    pub(crate) scroll: usize,
}

/// The connection to the server.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The event stream is connected.
    pub(crate) live: bool,
    /// Why the last call got no answer; none when it got one.
    pub(crate) trouble: Option<ClientError>,
    /// When the last answer came.
    pub(crate) answered: Option<Duration>,
    /// When the stream is tried again.
    pub(crate) again: Option<Duration>,
}

impl Link {
    /// Whether the server cannot be worked with.
    pub(crate) fn is_lost(&self) -> bool {
        self.trouble.is_some() || self.answered.is_none()
    }
}

/// A line for the person, until it is old or a key is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) text: String,
    pub(crate) tone: theme::Tone,
    pub(crate) until: Duration,
}

/// When what is on the screen is fetched again.
#[derive(Debug, Default)]
pub(crate) struct Refresh {
    /// Calls that have not been answered.
    pub(crate) waiting: usize,
    /// Something changed.
    pub(crate) wanted: bool,
    /// When it was last fetched.
    pub(crate) last: Option<Duration>,
}

/// All that the console knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) server: String,
    pub(crate) theme: theme::Kind,
    pub(crate) zone: TimeZone,
    pub(crate) size: (u16, u16),
    pub(crate) moment: Moment,
    /// How far the server's clock is ahead of ours.
    pub(crate) clock_ahead: SignedDuration,
    pub(crate) link: Link,
    pub(crate) trail: Vec<Place>,
    pub(crate) home: Home,
    pub(crate) summary: Option<Box<Summary>>,
    pub(crate) causes: Option<Causes>,
    pub(crate) cause_at: Picked,
    pub(crate) filter: String,
    pub(crate) filters: Vec<String>,
    pub(crate) list: u64,
    pub(crate) list_trouble: Option<String>,
    pub(crate) window: Window,
    pub(crate) loading: bool,
    pub(crate) marks: BTreeMap<FilingId, FilingItem>,
    pub(crate) looked: Option<Looked>,
    pub(crate) detail_focused: bool,
    pub(crate) times: Times,
    /// How many changes came while the screen is frozen.
    pub(crate) frozen: Option<u64>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) help: Option<usize>,
    pub(crate) batch: Option<Batch>,
    pub(crate) report: Option<Report>,
    pub(crate) status: Option<Status>,
    pub(crate) refresh: Refresh,
    pub(crate) leaving: bool,
}

impl State {
    /// A console that has just started.
    pub(crate) fn new(
        server: String,
        theme: theme::Kind,
        zone: TimeZone,
        size: (u16, u16),
        moment: Moment,
    ) -> Self {
        Self {
            server,
            theme,
            zone,
            size,
            moment,
            clock_ahead: SignedDuration::ZERO,
            link: Link::default(),
            trail: vec![Place::Home],
            home: Home::default(),
            summary: None,
            causes: None,
            cause_at: Picked::default(),
            filter: String::new(),
            filters: Vec::new(),
            list: 0,
            list_trouble: None,
            window: Window::default(),
            loading: false,
            marks: BTreeMap::new(),
            looked: None,
            detail_focused: true,
            times: Times::default(),
            frozen: None,
            prompt: None,
            help: None,
            batch: None,
            report: None,
            status: None,
            refresh: Refresh { wanted: true, ..Refresh::default() },
            leaving: false,
        }
    }

    /// Where the person is.
    pub(crate) fn place(&self) -> Place {
        self.trail.last().copied().unwrap_or(Place::Home)
    }

    /// Whether list and detail stand side by side.
    pub(crate) fn is_split(&self) -> bool {
        self.place() == Place::Detail && self.trail.contains(&Place::Filings) && layout::can_split(self.size)
    }

    /// The server's time, which ages are counted from.
    pub(crate) fn server_now(&self) -> Timestamp {
        self.moment.at.checked_add(self.clock_ahead).unwrap_or(self.moment.at)
    }

    /// Whether the role may change nothing at all.
    pub(crate) fn is_read_only(&self) -> bool {
        self.summary
            .as_ref()
            .is_some_and(|summary| !summary.you.may(Right::Decide) && !summary.you.may(Right::Pause))
    }

    /// The door under the cursor of the home screen.
    pub(crate) fn door(&self) -> Option<Door> {
        let summary = self.summary.as_ref()?;
        match self.home.focus {
            Pane::Sources => summary.sources.get(self.home.sources.row()).map(|line| Door {
                kind: DoorKind::Source,
                name: line.name.to_string(),
                paused: line.pause.is_some(),
            }),
            Pane::Destinations => summary.destinations.get(self.home.destinations.row()).map(|line| Door {
                kind: DoorKind::Destination,
                name: line.name.to_string(),
                paused: line.pause.is_some(),
            }),
            Pane::Causes => None,
        }
    }

    /// The group of failures under the cursor.
    pub(crate) fn cause(&self) -> Option<&CauseLine> {
        self.causes.as_ref()?.items.get(self.cause_at.row())
    }

    /// The filing that the person looks at.
    pub(crate) fn looked_at(&self) -> Option<&FilingItem> {
        match self.place() {
            Place::Filings => self.window.current(),
            Place::Detail if self.is_split() && !self.detail_focused => self.window.current(),
            Place::Detail => self.looked.as_ref()?.detail.as_ref().map(|detail| &detail.item),
            Place::Home | Place::Causes => None,
        }
    }

    /// The filings that a decision is about: all marked, else the one that is looked at. In the detail always the latter.
    pub(crate) fn targets(&self) -> Vec<FilingItem> {
        match self.place() {
            Place::Filings if !self.marks.is_empty() => self.marks.values().rev().cloned().collect(),
            _ => self.looked_at().cloned().into_iter().collect(),
        }
    }

    pub(crate) fn say(&mut self, tone: theme::Tone, text: impl Into<String>) {
        let until = self.moment.since_start + Duration::from_secs(8);
        self.status = Some(Status { text: text.into(), tone, until });
    }

    /// How long nothing needs to be done, unless something happens.
    pub(crate) fn patience(&self) -> Duration {
        let second = Duration::from_secs(1);
        if self.refresh.wanted && self.refresh.waiting == 0 && self.frozen.is_none() {
            let due = self.refresh.last.map_or(Duration::ZERO, |last| last + refresh::PACE);
            return due.saturating_sub(self.moment.since_start).min(second);
        }
        second
    }
}
