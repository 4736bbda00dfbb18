//! Links in a DMS's own lists, through which people come here from a folder or document. Site by site the list is read, then the folders
//! or documents; where one's record has no link, or another one, it is written. What is right is left alone, and no other column is
//! touched. Nothing is remembered over a restart: the DMS itself tells what is done.
//!
//! One record that goes wrong waits for longer and longer, and keeps no other waiting; neither does one site.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::control::SourceStatus;
use postroom_domain::dms::{Dms, DmsError, DmsResult, Page, Trouble};
use postroom_domain::ids::{ServiceName, SourceName};
use postroom_domain::link_columns::{LinkColumn, LinkColumns, LinkRecord, ShownLink, Subject, Wish};
use postroom_domain::person::Actor;
use postroom_domain::store::Store;
use postroom_domain::time::Clock;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::Checked;

#[cfg(test)]
mod tests;

/// Who writes, for the DMS's calls.
const PART: &str = "link-columns";
/// So many folders, documents and records of a site are looked at; of more of them it is told that there are.
const MOST: usize = 200_000;
/// So many sites are looked at by a check.
const MOST_CHECKED: usize = 20;
/// After so many faults of the server in a row a site is left alone for a while.
const MOST_FAULTS: u32 = 5;
/// The first pause of what went wrong: a DMS makes the record of a new document a moment after it.
const FIRST: Duration = Duration::from_secs(5);
/// The longest pause of what went wrong.
const LONGEST: Duration = Duration::from_hours(1);
/// How long one call into the DMS may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Which links are kept where.
#[derive(Debug, Clone)]
pub struct LinkColumnsOptions {
    /// What they are called among the sources.
    pub source: SourceName,
    /// The destination.
    pub service: ServiceName,
    /// Ids of the sites as containers; none: all that are open.
    pub sites: Vec<String>,
    /// The column.
    pub wish: Wish,
    /// The links' text.
    pub text: String,
    /// Postroom's own address.
    pub base: Url,
    /// How often all is looked through.
    pub poll: Duration,
}

/// How the links are doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkColumnsStatus {
    /// Why the DMS cannot be asked, while that is so.
    pub unreachable: Option<String>,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Sites that cannot be looked through, and why.
    pub sites: Vec<(String, String)>,
    /// Folders or documents without their link, and why.
    pub waiting: Vec<(String, String)>,
}

/// A folder or document whose link is not right yet.
struct Later {
    tries: u32,
    not_before: Duration,
    /// What went wrong; none where it was written and not seen again since.
    why: Option<String>,
}

#[derive(Default)]
struct Memory {
    /// When each site is looked at next, by its id.
    due: BTreeMap<String, Duration>,
    /// When the list of sites is read next.
    list: Duration,
    /// What went wrong, by site.
    later: HashMap<String, HashMap<String, Later>>,
    /// Sites that went wrong as a whole: how often, and why.
    troubles: BTreeMap<String, (u32, String)>,
}

/// A destination that may tell of news. Of its token only the hash is kept.
pub struct Teller {
    /// Which one.
    pub service: ServiceName,
    hash: blake3::Hash,
}

impl Teller {
    /// One with this token.
    pub fn new(service: ServiceName, token: &SecretString) -> Self {
        Self { service, hash: blake3::hash(token.expose_secret().as_bytes()) }
    }

    /// Whether the token is this one's. Hashes are compared, in constant time.
    pub fn has(&self, token: &SecretString) -> bool {
        blake3::hash(token.expose_secret().as_bytes()) == self.hash
    }
}

/// Links that are kept. [`LinkKeeper::start`] lets it run; [`LinkKeeper::look`] is one look at what is due.
pub struct LinkKeeper {
    options: LinkColumnsOptions,
    dms: Arc<dyn Dms>,
    columns: Arc<dyn LinkColumns>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    actor: Actor,
    memory: tokio::sync::Mutex<Memory>,
    status: Mutex<LinkColumnsStatus>,
    /// Sites of which somebody said that something is new in them; none for "somewhere".
    news: Mutex<HashSet<Option<String>>>,
    bell: Notify,
}

/// A running keeper of links.
pub struct LinkKeeperHandle {
    keeper: Arc<LinkKeeper>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl LinkKeeperHandle {
    /// The destination whose links it keeps.
    pub fn service(&self) -> &ServiceName {
        &self.keeper.options.service
    }

    /// Somebody says that something is new in a site, or somewhere.
    pub fn wake(&self, site: Option<&str>) {
        self.keeper.hear(site);
    }

    /// What an operator should read about it, the gravest thing first.
    pub fn source_status(&self) -> SourceStatus {
        let status = self.keeper.status();
        let several = |what: &str, all: &[(String, String)]| {
            let (first, why) = all.first()?;
            let more = all.len().checked_sub(1).filter(|more| *more > 0);
            let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
            Some(format!("{what} {first}{more}: {why}"))
        };
        let plural = self.keeper.options.wish.subject.plural();
        let notes = [
            status.unreachable.clone(),
            several("site", &status.sites),
            several(&format!("{plural} without a link:"), &status.waiting),
        ];
        SourceStatus {
            name: self.keeper.options.source.clone(),
            reachable: status.unreachable.is_none(),
            note: notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
        }
    }

    /// Ends the call that is under way, and returns.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(source.error = %error, "what keeps links in a DMS ended by itself");
        }
    }
}

/// What keeps more than one record from its link.
enum Stuck {
    /// This site.
    Site(String),
    /// The whole destination.
    Destination(String),
}

/// Whether an error says something about the destination or its account, and nothing about what was asked for. A server's own fault may be
/// about that one thing.
const fn is_everywhere(error: &DmsError) -> bool {
    match error {
        DmsError::Throttled { .. } | DmsError::NeedsLogin(_) => true,
        DmsError::Unavailable(trouble) => trouble.status.is_none(),
        _ => false,
    }
}

impl From<DmsError> for Stuck {
    fn from(error: DmsError) -> Self {
        if is_everywhere(&error) {
            Self::Destination(error.to_string())
        } else {
            Self::Site(error.to_string())
        }
    }
}

/// A site's list, read.
struct List {
    /// Links by record.
    records: HashMap<String, Option<ShownLink>>,
    /// Shown texts by address.
    texts: HashMap<String, String>,
    /// Ids of records by what they are about.
    ids: HashMap<String, String>,
}

impl List {
    fn add(&mut self, record: LinkRecord) {
        if let Some(link) = &record.link {
            self.texts.insert(link.url.clone(), link.text.clone());
        }
        if let Some(about) = record.about {
            self.ids.insert(about, record.id.clone());
        }
        self.records.insert(record.id, record.link);
    }
}

impl LinkKeeper {
    /// A keeper of links. `dms` and `columns` are the same destination.
    pub fn new(
        options: LinkColumnsOptions,
        dms: Arc<dyn Dms>,
        columns: Arc<dyn LinkColumns>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            options,
            dms,
            columns,
            store,
            clock,
            actor: Actor::system(PART, None),
            memory: tokio::sync::Mutex::default(),
            status: Mutex::default(),
            news: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// Looks at the settings against the live DMS: whether the column is there. Nothing is written.
    pub async fn check(options: &LinkColumnsOptions, columns: &dyn LinkColumns) -> Vec<Checked> {
        if options.sites.is_empty() {
            let detail = "all open sites; which of them have the column is told while it runs";
            return vec![Checked::good("link column", detail)];
        }
        let mut all = Vec::new();
        for site in options.sites.iter().take(MOST_CHECKED) {
            all.push(match asked(columns.column(site, &options.wish)).await {
                Ok(_) => Checked::good("link column", format!("{site} has \"{}\"", options.wish.column)),
                Err(error) => {
                    let advice = "make the metadata iSheet and its hyperlink column in the site, by the titles of the settings";
                    Checked::bad("link column", format!("{site}: {error}"), advice)
                }
            });
        }
        all
    }

    /// Lets it run until it is stopped.
    pub fn start(self) -> LinkKeeperHandle {
        let (keeper, stop) = (Arc::new(self), CancellationToken::new());
        let task = tokio::spawn({
            let (keeper, stop) = (keeper.clone(), stop.clone());
            async move {
                while !stop.is_cancelled() {
                    let rest = keeper.look(&stop).await;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = keeper.bell.notified() => {}
                        () = tokio::time::sleep(rest) => {}
                    }
                }
            }
        });
        LinkKeeperHandle { keeper, stop, task }
    }

    /// How it is doing, as of the last look.
    pub fn status(&self) -> LinkColumnsStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Somebody says that something is new in a site (by its bare id), or somewhere.
    pub fn hear(&self, site: Option<&str>) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).insert(site.map(str::to_owned));
        self.bell.notify_one();
    }

    /// One look at what is due. Answers how long nothing needs to be done.
    pub async fn look(&self, stop: &CancellationToken) -> Duration {
        let mut memory = self.memory.lock().await;
        let mut status = LinkColumnsStatus { paused: self.paused().await, ..LinkColumnsStatus::default() };
        if !status.paused
            && let Err(why) = self.look_at_due(&mut memory, stop).await
        {
            if self.status().unreachable.is_none() {
                tracing::warn!(source.name = %self.options.source, source.service = %self.options.service, source.error = why,
                    "links cannot be kept in a DMS; it is tried again and again");
            }
            status.unreachable = Some(why);
        }
        status.sites = memory.troubles.iter().map(|(site, (_, why))| (site.clone(), why.clone())).collect();
        let things = memory.later.values().flatten();
        let waiting = things.filter_map(|(thing, it)| Some((thing.clone(), it.why.clone()?)));
        status.waiting = waiting.collect();
        status.waiting.sort();
        let rest = if status.unreachable.is_some() || status.paused {
            FIRST.max(self.options.poll).min(Duration::from_mins(1))
        } else {
            self.rest(&memory)
        };
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        rest
    }

    fn rest(&self, memory: &Memory) -> Duration {
        let next = memory.due.values().copied().chain([memory.list]).min();
        next.map_or(self.options.poll, |next| next.saturating_sub(self.now())).min(self.options.poll)
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    async fn paused(&self) -> bool {
        let doors =
            [format!("source/{}", self.options.source), format!("destination/{}", self.options.service)];
        match self.store.pauses().await {
            Ok(pauses) => {
                let now = self.clock.now();
                pauses.iter().any(|it| doors.contains(&it.door) && it.until.is_none_or(|until| until > now))
            }
            // What a person stopped stays stopped while the store cannot be asked.
            Err(_) => true,
        }
    }

    async fn look_at_due(&self, memory: &mut Memory, stop: &CancellationToken) -> Result<(), String> {
        let now = self.now();
        if memory.list <= now {
            let sites = self.sites().await.map_err(|error| error.to_string())?;
            memory.due.retain(|site, _| sites.contains(site));
            memory.later.retain(|site, _| sites.contains(site));
            memory.troubles.retain(|site, _| sites.contains(site));
            for site in sites {
                memory.due.entry(site).or_insert(now);
            }
            memory.list = now.saturating_add(self.options.poll);
        }
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        // What is said is believed in no more than this: which site is looked at first.
        let told = |site: &str| news.contains(&None) || news.contains(&Some(bare(site).to_owned()));
        for (site, due) in &mut memory.due {
            if told(site) {
                *due = now;
            }
        }
        let due: Vec<String> =
            memory.due.iter().filter(|(_, due)| **due <= now).map(|(site, _)| site.clone()).collect();
        for site in due {
            if stop.is_cancelled() {
                return Ok(());
            }
            let mut later = memory.later.remove(&site).unwrap_or_default();
            let looked = self.look_through(&site, &mut later, stop).await;
            let retry = later.values().filter(|it| it.why.is_some()).map(|it| it.not_before).min();
            memory.later.insert(site.clone(), later);
            let mut next = self.now().saturating_add(self.options.poll);
            match looked {
                Ok(()) => drop(memory.troubles.remove(&site)),
                Err(Stuck::Site(why)) => {
                    let tries = memory.troubles.get(&site).map_or(0, |(tries, _)| *tries) + 1;
                    tracing::warn!(source.name = %self.options.source, dms.site = site, source.error = why,
                        "a site's links cannot be kept; it is tried again, and others go on");
                    memory.troubles.insert(site.clone(), (tries, why));
                    next = self.now().saturating_add(backoff(tries).max(self.options.poll));
                }
                // It stays due.
                Err(Stuck::Destination(why)) => return Err(why),
            }
            memory.due.insert(site, retry.map_or(next, |retry| retry.min(next)));
        }
        Ok(())
    }

    /// The sites, as containers.
    async fn sites(&self) -> DmsResult<Vec<String>> {
        if !self.options.sites.is_empty() {
            return Ok(self.options.sites.clone());
        }
        let (mut all, mut page) = (Vec::new(), None::<String>);
        loop {
            let found = asked(self.dms.search_workspaces(&self.actor, "", "", page.as_deref())).await?;
            all.extend(found.items.into_iter().filter(|it| it.open).map(|it| it.id));
            page = found.next;
            if page.is_none() || all.len() >= MOST {
                return Ok(all);
            }
        }
    }

    async fn look_through(
        &self,
        site: &str,
        later: &mut HashMap<String, Later>,
        stop: &CancellationToken,
    ) -> Result<(), Stuck> {
        let column = asked(self.columns.column(site, &self.options.wish)).await?;
        let list = self.list(&column).await?;
        let things = self.things(site).await?;
        let known: HashSet<&String> = things.iter().collect();
        later.retain(|thing, _| known.contains(thing));
        let (mut written, mut faults) = (0_u64, 0_u32);
        for thing in &things {
            if stop.is_cancelled() {
                break;
            }
            let wanted = self.link(thing);
            if list.texts.get(&wanted.url) == Some(&wanted.text) {
                later.remove(thing);
                continue;
            }
            if let Some(known) = later.get_mut(thing)
                && known.not_before > self.now()
            {
                let lost = || "its link was written, and the DMS shows something else".to_owned();
                known.why.get_or_insert_with(lost);
                continue;
            }
            let tries = later.get(thing).map_or(0, |it| it.tries) + 1;
            let not_before = self.now().saturating_add(backoff(tries));
            match self.set(&column, &list, thing, &wanted).await {
                Ok(false) => {
                    faults = 0;
                    later.remove(thing);
                }
                Ok(true) => {
                    faults = 0;
                    written += 1;
                    later.insert(thing.clone(), Later { tries, not_before, why: None });
                }
                Err(error) if is_everywhere(&error) => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(source.name = %self.options.source, dms.thing = thing, source.error = %error,
                        "a link was not written; it is tried again, and others go on");
                    later.insert(thing.clone(), Later { tries, not_before, why: Some(error.to_string()) });
                    faults = if matches!(error, DmsError::Unavailable(_)) { faults + 1 } else { 0 };
                    if faults >= MOST_FAULTS {
                        return Err(error.into());
                    }
                }
            }
        }
        if written > 0 {
            tracing::info!(source.name = %self.options.source, dms.site = site, links.written = written,
                "links were written into a list of a DMS");
        }
        if things.len() >= MOST {
            return Err(Stuck::Site(format!("only its first {MOST} {} have links", column.subject.plural())));
        }
        Ok(())
    }

    async fn list(&self, column: &LinkColumn) -> DmsResult<List> {
        let mut list = List { records: HashMap::new(), texts: HashMap::new(), ids: HashMap::new() };
        let mut page = None::<String>;
        loop {
            let Page { items, next } = asked(self.columns.records(column, page.as_deref())).await?;
            for record in items {
                list.add(record);
            }
            page = next;
            if page.is_none() || list.records.len() >= MOST {
                return Ok(list);
            }
        }
    }

    /// Ids of the site's folders or documents, as links carry them.
    async fn things(&self, site: &str) -> DmsResult<Vec<String>> {
        let subject = self.options.wish.subject;
        let (mut found, mut seen) = (Vec::new(), HashSet::from([site.to_owned()]));
        let mut open = VecDeque::from([site.to_owned()]);
        while let Some(at) = open.pop_front() {
            let mut page = None::<String>;
            loop {
                let asked_for = self.dms.folders(&self.actor, "", &at, page.as_deref());
                let Page { items, next } = asked(asked_for).await?;
                for folder in items {
                    if seen.len() < MOST && seen.insert(folder.id.clone()) {
                        if subject == Subject::Folder {
                            found.push(bare(&folder.id).to_owned());
                        }
                        open.push_back(folder.id);
                    }
                }
                page = next;
                if page.is_none() {
                    break;
                }
            }
            let mut page = None::<String>;
            while subject == Subject::Document && found.len() < MOST {
                let asked_for = self.dms.documents(&self.actor, "", &at, page.as_deref());
                let Page { items, next } = asked(asked_for).await?;
                found.extend(items.into_iter().map(|it| it.id));
                page = next;
                if page.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Sees to it that a record has its link. Whether it was written now.
    async fn set(
        &self,
        column: &LinkColumn,
        list: &List,
        thing: &str,
        wanted: &ShownLink,
    ) -> DmsResult<bool> {
        let record = match &column.ids {
            Some(_) => list.ids.get(thing).cloned().ok_or_else(|| no_record(thing))?,
            None => asked(self.columns.record_of(column, thing)).await?,
        };
        // A record that was made since, or that the view does not show, is looked at: nothing is written blindly.
        let present = match list.records.get(&record) {
            Some(link) => link.clone(),
            None => asked(self.columns.record(column, &record)).await?.link,
        };
        if present.as_ref() == Some(wanted) {
            return Ok(false);
        }
        asked(self.columns.write(column, &record, wanted)).await?;
        Ok(true)
    }

    /// The link of a folder or document.
    fn link(&self, thing: &str) -> ShownLink {
        let (page, key) = match self.options.wish.subject {
            Subject::Folder => ("launch", "folder"),
            Subject::Document => ("send-to", "doc"),
        };
        let mut url = self.options.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([page, self.options.service.as_str()]);
        }
        url.query_pairs_mut().append_pair(key, thing);
        ShownLink { text: self.options.text.clone(), url: url.into() }
    }
}

fn no_record(thing: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(
        Cause::TargetNotFound,
        format!("no record of the list is about {thing}"),
    ))
}

/// A call's answer, or that none came.
async fn asked<T>(call: impl Future<Output = DmsResult<T>>) -> DmsResult<T> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer,
        Err(_) => {
            let trouble = Trouble::new(Cause::Interrupted, "the DMS does not answer");
            Err(DmsError::from_trouble(trouble))
        }
    }
}

/// An id without the word in front that says of what it is.
fn bare(id: &str) -> &str {
    id.rsplit_once(':').map_or(id, |(_, bare)| bare)
}

/// How long what went wrong so often waits.
fn backoff(tries: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(tries.min(12).saturating_sub(1))).min(LONGEST)
}
