//! All that the console knows, and the one function that changes it.
//!
//! [`update`] takes a message and the time and answers with effects; it does no input or output. Whoever runs it draws
//! the state and performs the effects elsewhere, so that a key never waits for the network.

mod act;
mod arrivals;
mod bulk;
mod change;
mod command;
mod events;
mod form;
mod go;
mod moves;
mod over;
mod prompt;
mod refresh;
mod remark;
mod settings_menu;
#[cfg(test)]
pub(crate) mod tests;
mod update;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use postroom_api::ages::Ages;
use postroom_api::bulk::{BulkBody, BulkItem, BulkView};
use postroom_api::cause::{CauseLine, Causes};
use postroom_api::client::{ClientError, ClientResult, News};
use postroom_api::data_upload::DataUploadView;
use postroom_api::event::EventView;
use postroom_api::filing::{FilingDetail, FilingItem};
use postroom_api::intake::{IntakeDetail, IntakeItem};
use postroom_api::link::LinkView;
use postroom_api::page::{IntakeList, Page};
use postroom_api::pause::DoorKind;
use postroom_api::preview::Preview;
use postroom_api::summary::{Right, Summary};
use postroom_api::view::ViewItem;
use postroom_api::{BulkId, FilingId, IntakeId};

use crate::config::Config;
use crate::keys::KeyMap;
use crate::layout;
use crate::place::Place;
use crate::theme;
use crate::when::Times;
use crate::window::{From, Window};

pub(crate) use arrivals::{Arrivals, KEYS as ARRIVAL_KEYS};
pub(crate) use bulk::Live;
pub(crate) use change::{After, Change, Job};
pub(crate) use command::{Offer, offers};
pub(crate) use events::Events;
pub(crate) use form::{Entry, Form};
pub(crate) use over::{Body, Over};
pub(crate) use prompt::{Prompt, submit};
pub(crate) use settings_menu::Setting;
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
    /// The mouse.
    Mouse(crossterm::event::MouseEvent),
    /// A line of the console's command line, from whoever has no screen.
    Command(String),
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
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// `GET /summary`.
    Summary,
    /// `GET /causes`.
    Causes,
    /// `GET /ages`.
    Ages,
    /// `GET /links?all=true`.
    Links,
    /// `GET /data-uploads`.
    Tables,
    /// `GET /views`.
    Views,
    /// `GET /filings`.
    Filings {
        /// Which list it is for; the answer to an older one is dropped.
        list: u64,
        /// The filter.
        filter: String,
        /// Where the page begins.
        from: From<FilingId>,
    },
    /// `GET /filings/{id}`.
    Filing(FilingId),
    /// `GET /intakes`.
    Arrivals {
        /// Which list it is for; the answer to an older one is dropped.
        list: u64,
        /// What is asked for.
        query: Box<IntakeList>,
        /// Where the page begins.
        from: From<IntakeId>,
    },
    /// `GET /intakes/{id}`.
    Arrival(IntakeId),
    /// `GET /intakes/{id}/preview`.
    Preview(IntakeId, usize),
    /// `GET /intakes/{id}/original`, into a file.
    Original(IntakeId, String),
    /// `GET /filings/export`, into a file.
    Export {
        /// The filter.
        filter: String,
        /// `csv` or `json`.
        format: String,
    },
    /// `POST /bulk`.
    Freeze(BulkBody),
    /// `GET /bulk/{id}`.
    Bulk(BulkId),
    /// `GET /bulk?live=true`.
    LiveBulks,
    /// `GET /bulk/{id}/items`: what was not done.
    Losers(BulkId),
    /// A change of something.
    Change(Change),
    /// Text for the clipboard.
    Copy(String),
    /// Follows the events after a number.
    Follow(u64),
    /// Takes the mouse, or leaves it to the terminal.
    Mouse(bool),
    /// Keeps the person's settings for the next time.
    Keep(Config),
    /// The end.
    Quit,
}

impl Effect {
    /// Whether it asks the server to change something.
    pub(crate) const fn changes(&self) -> bool {
        matches!(self, Self::Change(_) | Self::Freeze(_))
    }
}

/// What became of an effect.
#[derive(Debug)]
pub(crate) enum Reply {
    Summary(ClientResult<Box<Summary>>),
    Causes(ClientResult<Causes>),
    Ages(ClientResult<Ages>),
    Links(ClientResult<Vec<LinkView>>),
    Tables(ClientResult<Vec<DataUploadView>>),
    Views(ClientResult<Vec<ViewItem>>),
    Filings {
        list: u64,
        from: From<FilingId>,
        result: ClientResult<Page<FilingItem>>,
    },
    Filing(FilingId, ClientResult<Box<FilingDetail>>),
    Arrivals {
        list: u64,
        from: From<IntakeId>,
        result: ClientResult<Page<IntakeItem>>,
    },
    Arrival(IntakeId, ClientResult<Box<IntakeDetail>>),
    Preview(ClientResult<Box<Preview>>),
    Saved(Result<String, String>),
    Frozen(ClientResult<Box<BulkView>>),
    Bulk(ClientResult<Box<BulkView>>),
    LiveBulks(ClientResult<Vec<BulkView>>),
    /// What was not done, and whether there is more of it.
    Losers(ClientResult<(Vec<BulkItem>, bool)>),
    Changed(Change, ClientResult<After>),
    /// Where it went besides the clipboard, in words.
    Copied(Result<String, String>),
    Kept(Result<(), String>),
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

/// How groups of failures are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// Those that need a person, most first.
    #[default]
    Count,
    /// The oldest first.
    Age,
    /// By destination.
    Destination,
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

/// The screen of destinations and accounts.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// The cursor is among the accounts.
    pub(crate) on_accounts: bool,
    pub(crate) accounts: Picked,
    /// The accounts, what is broken first; none before they were told.
    pub(crate) links: Option<Vec<LinkView>>,
    /// Why they are not told.
    pub(crate) trouble: String,
    pub(crate) ages: Option<Ages>,
}

/// A source, destination or account under the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) kind: DoorKind,
    pub(crate) name: String,
    /// What people are shown for the name.
    pub(crate) shown: String,
    pub(crate) paused: bool,
}

/// What is looked at in full.
#[derive(Debug)]
pub(crate) struct Looked<Id, T> {
    pub(crate) id: Id,
    pub(crate) detail: Option<Box<T>>,
    pub(crate) trouble: Option<String>,
    pub(crate) scroll: usize,
}

impl<Id, T> Looked<Id, T> {
    const fn at(id: Id) -> Self {
        Self { id, detail: None, trouble: None, scroll: 0 }
    }
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scope {
    /// Nothing is under the cursor.
    Nothing,
    /// One filing, as it is on the screen.
    One(Box<FilingItem>),
    /// Those that were marked.
    Marked(Vec<FilingItem>),
    /// All that match a filter, now, on the server.
    Matching(String),
}

/// A change that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changing {
    /// In words.
    pub(crate) what: String,
    /// The pace that the question about a set offers first is the fastest.
    pub(crate) hurry: bool,
}

impl std::fmt::Display for Changing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
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
    /// The event stream is followed.
    pub(crate) following: bool,
    /// Where and when what stands beside the lists was last fetched.
    pub(crate) beside: Option<(Place, Duration)>,
}

/// All that the console knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) server: String,
    pub(crate) config: Config,
    pub(crate) keys: KeyMap,
    pub(crate) zone: TimeZone,
    pub(crate) size: (u16, u16),
    pub(crate) moment: Moment,
    /// How far the server's clock is ahead of ours.
    pub(crate) clock_ahead: SignedDuration,
    pub(crate) link: Link,
    pub(crate) trail: Vec<Place>,
    pub(crate) home: Home,
    pub(crate) doors: Doors,
    pub(crate) summary: Option<Box<Summary>>,
    pub(crate) causes: Option<Causes>,
    pub(crate) cause_at: Picked,
    pub(crate) sort: Sort,
    pub(crate) filter: String,
    pub(crate) filters: Vec<String>,
    pub(crate) list: u64,
    pub(crate) list_trouble: Option<String>,
    pub(crate) window: Window<FilingItem>,
    pub(crate) loading: bool,
    pub(crate) marks: BTreeMap<FilingId, FilingItem>,
    /// Where a range of marks begins.
    pub(crate) last_mark: Option<FilingId>,
    /// All that match the filter are meant.
    pub(crate) everything: bool,
    pub(crate) looked: Option<Looked<FilingId, FilingDetail>>,
    pub(crate) arrivals: Arrivals,
    pub(crate) arrival: Option<Looked<IntakeId, IntakeDetail>>,
    /// An arrival that is to be given a work item as soon as its suggestions are there.
    pub(crate) assigning: Option<IntakeId>,
    /// Tables of data that were uploaded; none before they were told.
    pub(crate) tables: Option<Vec<DataUploadView>>,
    pub(crate) events: Events,
    pub(crate) views: Vec<ViewItem>,
    pub(crate) detail_focused: bool,
    pub(crate) times: Times,
    /// How many changes came while the screen is frozen.
    pub(crate) frozen: Option<u64>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) over: Option<Over>,
    pub(crate) changing: Option<Changing>,
    pub(crate) bulk: Option<Live>,
    pub(crate) status: Option<Status>,
    pub(crate) refresh: Refresh,
}

impl State {
    /// A console that has just started.
    pub(crate) fn new(
        server: String,
        config: Config,
        keys: KeyMap,
        zone: TimeZone,
        size: (u16, u16),
        moment: Moment,
    ) -> Self {
        Self {
            server,
            times: config.times,
            config,
            keys,
            zone,
            size,
            moment,
            clock_ahead: SignedDuration::ZERO,
            link: Link::default(),
            trail: vec![Place::Home],
            home: Home::default(),
            doors: Doors::default(),
            summary: None,
            causes: None,
            cause_at: Picked::default(),
            sort: Sort::default(),
            filter: String::new(),
            filters: Vec::new(),
            list: 0,
            list_trouble: None,
            window: Window::default(),
            loading: false,
            marks: BTreeMap::new(),
            last_mark: None,
            everything: false,
            looked: None,
            arrivals: Arrivals::default(),
            arrival: None,
            assigning: None,
            tables: None,
            events: Events::default(),
            views: Vec::new(),
            detail_focused: true,
            frozen: None,
            prompt: None,
            over: None,
            changing: None,
            bulk: None,
            status: None,
            refresh: Refresh { wanted: true, ..Refresh::default() },
        }
    }

    /// The colours.
    pub(crate) const fn theme(&self) -> theme::Kind {
        self.config.theme
    }

    /// Where the person is.
    pub(crate) fn place(&self) -> Place {
        self.trail.last().copied().unwrap_or(Place::Home)
    }

    /// The list that the present place belongs to: itself, or the one that a detail was opened from.
    pub(crate) fn list_place(&self) -> Place {
        let behind = self.trail.len().checked_sub(2).and_then(|at| self.trail.get(at)).copied();
        match (self.place(), behind) {
            (Place::Filing, Some(Place::Filings)) => Place::Filings,
            (Place::Arrival, Some(list)) if list.is_arrivals() => list,
            (place, _) => place,
        }
    }

    /// Whether list and detail stand side by side.
    pub(crate) fn is_split(&self) -> bool {
        self.list_place() != self.place() && layout::can_split(self.size)
    }

    /// Whether the list has the cursor, where list and detail stand side by side.
    pub(crate) fn on_list(&self) -> bool {
        !self.place().is_detail() || (self.is_split() && !self.detail_focused)
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

    /// The door under the cursor.
    pub(crate) fn door(&self) -> Option<Door> {
        let summary = self.summary.as_ref()?;
        let destination = |row: usize| {
            summary.destinations.get(row).map(|line| Door {
                kind: DoorKind::Destination,
                name: line.name.to_string(),
                shown: line.name.to_string(),
                paused: line.pause.is_some(),
            })
        };
        let source = |found: Option<&postroom_api::summary::SourceLine>| {
            found.map(|line| Door {
                kind: DoorKind::Source,
                name: line.name.to_string(),
                shown: line.name.to_string(),
                paused: line.pause.is_some(),
            })
        };
        let account = |link: &LinkView| Door {
            kind: DoorKind::Account,
            name: link.door_name(),
            shown: format!("{} at {}", link.whose(), link.service),
            paused: link.pause.is_some(),
        };
        match self.place() {
            Place::Home => match self.home.focus {
                Pane::Sources => source(summary.sources.get(self.home.sources.row())),
                Pane::Destinations => destination(self.home.destinations.row()),
                Pane::Causes => None,
            },
            Place::Doors if !self.doors.on_accounts => destination(self.home.destinations.row()),
            Place::Doors => self.account().map(account),
            place if place.is_arrivals() => {
                let name = &self.arrival_at()?.source;
                source(summary.sources.iter().find(|line| line.name == *name))
            }
            _ => None,
        }
    }

    /// The account under the cursor.
    pub(crate) fn account(&self) -> Option<&LinkView> {
        if self.place() != Place::Doors || !self.doors.on_accounts {
            return None;
        }
        self.doors.links.as_ref()?.get(self.doors.accounts.row())
    }

    /// The group of failures under the cursor.
    pub(crate) fn cause(&self) -> Option<&CauseLine> {
        self.causes.as_ref()?.items.get(self.cause_at.row())
    }

    /// The event under the cursor.
    pub(crate) fn event(&self) -> Option<&EventView> {
        self.events.current()
    }

    /// The filing that the person looks at.
    pub(crate) fn looked_at(&self) -> Option<&FilingItem> {
        match self.place() {
            Place::Filings => self.window.current(),
            Place::Filing if self.on_list() => self.window.current(),
            Place::Filing => self.looked.as_ref()?.detail.as_ref().map(|detail| &detail.item),
            _ => None,
        }
    }

    /// The arrival that the person looks at.
    pub(crate) fn arrival_at(&self) -> Option<&IntakeItem> {
        match self.place() {
            Place::Arrival if self.on_list() => self.arrivals.window.current(),
            Place::Arrival => {
                let looked = self.arrival.as_ref()?;
                match &looked.detail {
                    Some(detail) => Some(&detail.item),
                    None => self.arrivals.window.items().iter().find(|item| item.id == looked.id),
                }
            }
            place if place.is_arrivals() => self.arrivals.window.current(),
            _ => None,
        }
    }

    /// The intake behind what the person looks at.
    pub(crate) fn intake_at(&self) -> Option<IntakeId> {
        self.looked_at().map(|item| item.intake).or_else(|| self.arrival_at().map(|item| item.id))
    }

    /// What a decision is about: all that match, or all marked, else the one that is looked at; a group among the causes. In the
    /// detail always the one that it shows.
    pub(crate) fn scope(&self) -> Scope {
        match self.place() {
            Place::Causes | Place::Home => {
                self.cause().map_or(Scope::Nothing, |line| Scope::Matching(line.filter.clone()))
            }
            Place::Filings if self.everything => Scope::Matching(self.filter.clone()),
            Place::Filings if self.marks.len() > 1 => {
                Scope::Marked(self.marks.values().rev().cloned().collect())
            }
            Place::Filings if self.marks.len() == 1 => {
                self.marks.values().next().map_or(Scope::Nothing, |item| Scope::One(Box::new(item.clone())))
            }
            _ => self.looked_at().map_or(Scope::Nothing, |item| Scope::One(Box::new(item.clone()))),
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
