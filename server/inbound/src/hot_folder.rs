//! A folder that people and scanners put files into.
//!
//! ```text
//! <hot>/letter.pdf                       waits until it has settled
//! <hot>/M-1042/letter.pdf                the same, for the work item M-1042
//! <hot>/.postroom/taken/<claim>/…        claimed: out of everybody's hands, under its own path
//! <hot>/.postroom/taken/<claim>.intake   which intake it has become
//! <hot>/.postroom/refused/<claim>/…      three times in vain, with <claim>.why.txt beside it
//! ```
//!
//! The folder is looked through again and again. Where the file system tells of changes the next look comes at once, but nothing relies on
//! that: network shares tell nothing. A file that
//! has looked the same for the settle time, and whose end fits its type, is claimed by a rename, read into the spool and
//! accepted under a key made of the claim's name, so that accepting it once more after a crash is recognised. The claimed file
//! stays until its intake is settled or dismissed; removing it is a step of its own.
//!
//! Whatever happens in between, a file is in the hot folder, or in `taken`, or in `refused`, or filed.

mod claims;
mod ending;
mod events;
mod looks;
pub(crate) mod naming;
mod take;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::intake::IntakeState;
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::claims::{Claim, Claims, Listed, Stage};
use self::events::{Events, Told};
use self::looks::Look;
use self::take::{Outcome, Taker};
use self::walk::{FileMark, Kind, Seen, Walked};

/// How many files are read at the same time. Disks flush many small files in the time of one, where they are asked together.
const ABREAST: usize = 64;
/// How many files are taken before it is asked again whether somebody wants it to stop, and how many intakes are asked about and unfinished
/// files opened in one look through the folder.
const PORTION: usize = 500;
/// For how long files are taken before the folder is looked through again: others may have come that are older or more urgent.
const TURN: Duration = Duration::from_secs(10);
/// The shortest rest between two looks, where files have to settle.
const SHORTEST: Duration = Duration::from_millis(20);
/// A file that waits longer than this is worth a warning.
const WARN_AFTER: Duration = Duration::from_mins(10);
/// How often a claimed file may go wrong before it is set aside.
const TRIES: u32 = 3;
/// How many waiting files the status names.
const SHOWN: usize = 100;

/// How a hot folder behaves.
#[derive(Debug, Clone)]
pub struct HotFolderOptions {
    /// The source's name.
    pub source: SourceName,
    /// The site its arrivals belong to.
    pub site: SiteName,
    /// The folder.
    pub path: PathBuf,
    /// How long a file must look the same before it is taken.
    pub settle: Duration,
    /// How often the folder is looked through, at least.
    pub poll: Duration,
    /// Whether it is looked through at once when the file system tells of a change.
    pub events: bool,
    /// The largest file that is taken, in bytes.
    pub largest: u64,
    /// Whether PDF and TIFF files are batches of pages, which are divided.
    pub batches: bool,
}

/// A file that is not taken yet, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingFile {
    /// Its path below the folder, as well as it can be shown.
    pub name: String,
    /// Why it is not taken, in words.
    pub reason: String,
    /// How long it has been there, as far as this process has seen.
    pub waiting: Duration,
}

/// How a hot folder is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HotFolderStatus {
    /// Why the folder cannot be looked through, while that is so.
    pub unreachable: Option<String>,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Why nothing is taken at present although files are ready: no room, the store is busy.
    pub refusing: Option<String>,
    /// Files that wait, the longest first; at most a hundred.
    pub waiting: Vec<WaitingFile>,
    /// How many files wait.
    pub waiting_count: usize,
    /// Claimed files that have no intake yet.
    pub claimed: usize,
    /// Claimed files whose intakes are under way.
    pub under_way: usize,
    /// Files that were set aside since the start.
    pub refused: u64,
    /// Why the file system does not tell of every change, while that is so: files are seen as often as the folder is looked through.
    pub unwatched: Option<String>,
    /// How often the file system had more to tell than it could keep. Nothing is lost by that.
    pub overflows: u64,
}

/// A hot folder. [`HotFolder::start`] lets it run; [`HotFolder::scan`] is one look through it.
pub struct HotFolder {
    options: HotFolderOptions,
    taker: Taker,
    told: Arc<Told>,
    memory: tokio::sync::Mutex<Memory>,
    status: Mutex<HotFolderStatus>,
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Memory {
    /// The watches; away while they are changed.
    events: Option<Events>,
    looks: HashMap<PathBuf, Look>,
    claims: BTreeMap<String, Claim>,
    /// The identity of `taken` when its claims were listed.
    taken: Option<(u64, u64)>,
    /// Where asking about intakes goes on.
    asked: Option<String>,
    unreachable: Option<String>,
    unwatched: Option<String>,
    refused: u64,
}

/// What became of everything that could be taken.
enum Taken {
    /// It is taken, or waits for something of its own.
    All,
    /// Time was up, and there is more.
    Some,
    /// The house does not take anything at present.
    Refused(String),
    /// A person stopped it meanwhile.
    Paused,
}

/// A running hot folder.
pub struct HotFolderHandle {
    folder: Arc<HotFolder>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl HotFolderHandle {
    /// How it is doing.
    pub fn status(&self) -> HotFolderStatus {
        self.folder.status()
    }

    /// The source's name.
    pub fn source(&self) -> &SourceName {
        &self.folder.options.source
    }

    /// Takes no further file, finishes those that are being read, and returns.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(source.error = %error, "a hot folder ended by itself; its files are where they were");
        }
    }
}

impl HotFolder {
    /// A hot folder that hands in at the reception.
    pub fn new(options: HotFolderOptions, reception: Arc<Reception>, spool: Arc<dyn Spool>) -> Self {
        let claims = Claims::new(options.path.clone());
        let events = Events::new(&options.path, options.events);
        let told = events.told();
        let taker = Taker { options: options.clone(), claims, reception, spool };
        Self {
            options,
            taker,
            told,
            memory: tokio::sync::Mutex::new(Memory { events: Some(events), ..Memory::default() }),
            status: Mutex::new(HotFolderStatus::default()),
        }
    }

    /// Lets it run until it is stopped.
    pub fn start(self) -> HotFolderHandle {
        let (folder, stop) = (Arc::new(self), CancellationToken::new());
        let task = tokio::spawn({
            let (folder, stop) = (folder.clone(), stop.clone());
            async move { folder.run(&stop).await }
        });
        HotFolderHandle { folder, stop, task }
    }

    /// Looks through the folder again and again until it is stopped.
    pub async fn run(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let began = Instant::now();
            let rest = self.scan(stop).await;
            if rest.is_zero() {
                tokio::task::yield_now().await;
                continue;
            }
            // Where a look takes long, what is told does not make it the only thing that is done here.
            let least = began.elapsed().min(self.options.poll);
            let told = async {
                tokio::time::sleep(least).await;
                self.told.something().await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(rest) => {}
                () = told => {}
            }
        }
    }

    /// How it is doing, as of the last look.
    pub fn status(&self) -> HotFolderStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One look through the folder: sees what is there, takes what has settled, and removes what is filed. Answers how long nothing needs
    /// to be done; nothing at all when there is more to do at once.
    pub async fn scan(&self, stop: &CancellationToken) -> Duration {
        let mut memory = self.memory.lock().await;
        let mut status = HotFolderStatus { paused: self.paused().await, ..HotFolderStatus::default() };
        let mut rest = self.options.poll;
        match self.look(&mut memory).await {
            Err(why) => status.unreachable = Some(why),
            Ok(ready) => {
                let mut more = false;
                if !status.paused && !stop.is_cancelled() {
                    match self.take_all(&mut memory, ready, stop).await {
                        Taken::All => {}
                        Taken::Some => more = true,
                        Taken::Refused(why) => status.refusing = Some(why),
                        Taken::Paused => status.paused = true,
                    }
                }
                more |= self.let_go(&mut memory, stop).await;
                rest = if more { Duration::ZERO } else { self.rest(&memory) };
            }
        }
        if let Some(events) = &memory.events {
            status.unwatched = events.trouble().map(str::to_owned);
        }
        self.report(&mut memory, status);
        rest
    }

    /// How long nothing needs to be done, where nothing is told: until the next file has settled, and no longer than a poll.
    fn rest(&self, memory: &Memory) -> Duration {
        let now = self.now();
        let looks = memory.looks.values().filter_map(|look| look.settles_in(self.options.settle, now));
        let claims = memory.claims.values().filter_map(|claim| match claim.stage {
            Stage::Open { not_before } => not_before.checked_sub(now).filter(|left| !left.is_zero()),
            Stage::Accepted { .. } => None,
        });
        let rest = looks.chain(claims).min().map_or(self.options.poll, |left| left.max(SHORTEST));
        rest.min(self.options.poll)
    }

    /// Goes on with what is claimed, and claims what has settled, portion by portion.
    async fn take_all(
        &self,
        memory: &mut Memory,
        ready: Vec<(PathBuf, FileMark)>,
        stop: &CancellationToken,
    ) -> Taken {
        let began = Instant::now();
        let claimed = self.open_claims(memory);
        let (mut portions, mut files) = (claimed.chunks(PORTION), ready.chunks(PORTION));
        let mut first = true;
        loop {
            let claimed = portions.next();
            let some = if claimed.is_none() { files.next() } else { None };
            if claimed.is_none() && some.is_none() {
                return Taken::All;
            }
            if !first && self.paused().await {
                return Taken::Paused;
            }
            if began.elapsed() > TURN || stop.is_cancelled() {
                return Taken::Some;
            }
            first = false;
            let refusal = match (claimed, some) {
                (Some(names), _) => self.resume_claims(memory, names, stop).await,
                (None, Some(some)) => self.claim(memory, some, stop).await,
                (None, None) => None,
            };
            if let Some(why) = refusal {
                return Taken::Refused(why);
            }
        }
    }

    fn now(&self) -> Duration {
        self.taker.reception.clock.monotonic()
    }

    /// When a file that is left alone for the settle time is looked at again.
    fn later(&self) -> Duration {
        self.now().saturating_add(self.options.settle)
    }

    /// A claim of an earlier run. One without an intake has to settle again: its writer may have lived on.
    fn found(&self, listed: Listed) -> (String, Claim) {
        let stage = match listed.accepted {
            Some((intake, mark)) => Stage::Accepted { intake, mark },
            None => Stage::Open { not_before: self.later() },
        };
        (listed.name, Claim { path: listed.path, stage, tries: 0, since: self.now() })
    }

    async fn paused(&self) -> bool {
        let door = format!("source/{}", self.options.source);
        match self.taker.reception.store.pauses().await {
            Ok(pauses) => {
                let now = self.taker.reception.clock.now();
                pauses.iter().any(|pause| pause.door == door && pause.until.is_none_or(|until| until > now))
            }
            // What a person stopped stays stopped while the store cannot be asked.
            Err(_) => true,
        }
    }

    /// Sees what is in the folder, and which files have settled.
    async fn look(&self, memory: &mut Memory) -> Result<Vec<(PathBuf, FileMark)>, String> {
        let claims = self.taker.claims.clone();
        let known = memory.taken;
        let events = memory.events.take().unwrap_or_else(|| Events::new(&self.options.path, false));
        let answer = off_thread(move || Ok(looked(&claims, known, events))).await;
        let answer = answer.and_then(|(answer, events)| {
            memory.events = Some(events);
            answer
        });
        let source = &self.options.source;
        let (seen, taken, listed) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let why = error.to_string();
                if memory.unreachable.is_none() {
                    tracing::warn!(source.name = %source, source.path = %self.options.path.display(), source.error = why,
                        "a hot folder cannot be looked through; it is tried again and again");
                }
                memory.unreachable = Some(why.clone());
                // What comes back may be another disk.
                memory.looks.clear();
                memory.taken = None;
                return Err(why);
            }
        };
        if memory.unreachable.take().is_some() {
            tracing::info!(source.name = %source, "a hot folder is back");
        }
        self.tell_of_watches(memory);
        if let Some(listed) = listed {
            memory.claims = listed.into_iter().map(|listed| self.found(listed)).collect();
            memory.taken = Some(taken);
        }
        Ok(self.settled(memory, seen))
    }

    /// Logs once that the file system does not tell everything.
    fn tell_of_watches(&self, memory: &mut Memory) {
        let trouble = memory.events.as_ref().and_then(Events::trouble).map(str::to_owned);
        if trouble.is_some() && memory.unwatched.is_none() {
            tracing::warn!(source.name = %self.options.source, source.error = trouble, source.poll_millis = self.options.poll.as_millis(),
                "a hot folder cannot be watched as a whole; it is looked through as often as the settings say");
        }
        memory.unwatched = trouble;
    }

    /// Compares with the last look. Those that were not whole at the last try come last, and only some of them.
    fn settled(&self, memory: &mut Memory, seen: Vec<Seen>) -> Vec<(PathBuf, FileMark)> {
        let now = self.now();
        let mut before = std::mem::take(&mut memory.looks);
        let mut ready = Vec::new();
        for Seen { path, kind } in seen {
            let mut look = before.remove(&path).unwrap_or_else(|| Look::first(now));
            look.see(kind, &path, self.options.largest, now);
            if let (Kind::Plain(mark), true) = (kind, look.settled(self.options.settle, now)) {
                ready.push((look.in_vain, path.clone(), mark));
            }
            memory.looks.insert(path, look);
        }
        // Those that are not whole must not crowd out the others; then the oldest first.
        ready.sort_by(|a, b| (a.0, a.2.modified, &a.1).cmp(&(b.0, b.2.modified, &b.1)));
        let fresh = ready.partition_point(|(in_vain, ..)| *in_vain == 0);
        ready.truncate(fresh + PORTION);
        ready.into_iter().map(|(_, path, mark)| (path, mark)).collect()
    }

    /// Claims what has settled and takes it in. Answers why it stopped, when the house does not take anything at present.
    async fn claim(
        &self,
        memory: &mut Memory,
        ready: &[(PathBuf, FileMark)],
        stop: &CancellationToken,
    ) -> Option<String> {
        for some in ready.chunks(ABREAST) {
            if stop.is_cancelled() {
                return None;
            }
            let largest = some.iter().map(|(_, mark)| mark.size).max().unwrap_or(0);
            if let Err(refusal) = self.taker.spool.door(largest) {
                return Some(refusal.to_string());
            }
            let answers = join_all(some.iter().map(|(path, mark)| self.taker.claim(path, *mark))).await;
            let mut claimed = Vec::new();
            for ((path, _), answer) in some.iter().zip(answers) {
                match answer {
                    Ok((name, claim)) => {
                        memory.looks.remove(path);
                        memory.claims.insert(name.clone(), claim);
                        claimed.push(name);
                    }
                    Err(waiting) => {
                        if let Some(look) = memory.looks.get_mut(path) {
                            look.hold(waiting);
                        }
                    }
                }
            }
            self.flush(memory, &claimed).await;
            if let Some(refusal) = self.take(memory, &claimed).await {
                return Some(refusal);
            }
        }
        None
    }

    /// Makes claims durable.
    async fn flush(&self, memory: &Memory, names: &[String]) {
        let paths = names.iter().filter_map(|name| memory.claims.get(name)).map(|claim| claim.path.clone());
        let (paths, claims): (Vec<PathBuf>, _) = (paths.collect(), self.taker.claims.clone());
        if !paths.is_empty() {
            // Its troubles are told where they happen.
            let _ = off_thread(move || {
                claims.flush(&paths);
                Ok(())
            })
            .await;
        }
    }

    /// Claims that have no intake yet and may be handed in: left by an earlier run, or by a refusal.
    fn open_claims(&self, memory: &Memory) -> Vec<String> {
        let now = self.now();
        let ready = |claim: &Claim| matches!(claim.stage, Stage::Open { not_before } if not_before <= now);
        memory.claims.iter().filter(|(_, claim)| ready(claim)).map(|(name, _)| name.clone()).collect()
    }

    async fn resume_claims(
        &self,
        memory: &mut Memory,
        names: &[String],
        stop: &CancellationToken,
    ) -> Option<String> {
        for some in names.chunks(ABREAST) {
            if stop.is_cancelled() {
                return None;
            }
            if let Err(refusal) = self.taker.spool.door(0) {
                return Some(refusal.to_string());
            }
            if let Some(refusal) = self.take(memory, some).await {
                return Some(refusal);
            }
        }
        None
    }

    /// Reads claimed files into the spool and hands them in.
    async fn take(&self, memory: &mut Memory, names: &[String]) -> Option<String> {
        let work =
            names.iter().filter_map(|name| memory.claims.get(name).map(|claim| self.taker.take(name, claim)));
        let outcomes = join_all(work).await;
        let mut refusal = None;
        for (name, outcome) in names.iter().zip(outcomes) {
            match outcome {
                Outcome::Accepted { intake, mark } => {
                    if let Some(claim) = memory.claims.get_mut(name) {
                        claim.stage = Stage::Accepted { intake, mark };
                    }
                }
                Outcome::Later(why) => refusal = Some(why),
                Outcome::Changing => self.changing(memory, name).await,
                Outcome::Gone => {
                    tracing::warn!(source.name = %self.options.source, source.claim = name,
                        "a claimed file has been taken away before it was handed in");
                    memory.claims.remove(name);
                }
                Outcome::OtherContent => self.claim_anew(memory, name).await,
                Outcome::Wrong(why) => self.wrong(memory, name, &why).await,
            }
        }
        refusal
    }

    /// Somebody still writes into a claimed file: it gets its time, but not for ever.
    async fn changing(&self, memory: &mut Memory, name: &str) {
        let not_before = self.later();
        let Some(claim) = memory.claims.get_mut(name) else { return };
        claim.stage = Stage::Open { not_before };
        if self.now().saturating_sub(claim.since) >= WARN_AFTER {
            self.wrong(memory, name, "the file is not complete, or somebody keeps writing into it").await;
        }
    }

    /// A claimed file goes wrong: after the third time it is set aside, and its neighbours go on.
    async fn wrong(&self, memory: &mut Memory, name: &str, why: &str) {
        let Some(claim) = memory.claims.get_mut(name) else { return };
        claim.tries += 1;
        let source = &self.options.source;
        tracing::warn!(source.name = %source, source.claim = name, source.tries = claim.tries, source.error = why,
            "a claimed file could not be taken in");
        if claim.tries < TRIES {
            return;
        }
        let (claims, own, text) = (self.taker.claims.clone(), name.to_owned(), why.to_owned());
        match off_thread(move || claims.refuse(&own, &text)).await {
            Ok(()) => {
                tracing::error!(source.name = %source, source.claim = name, source.error = why,
                    "a file was set aside in .postroom/refused; a person has to look at it");
                memory.claims.remove(name);
                memory.refused += 1;
            }
            // It stays claimed and is tried again: better than losing sight of it.
            Err(error) => tracing::error!(source.name = %source, source.claim = name, source.error = %error,
                "a file could not be set aside"),
        }
    }

    /// The claim's key belongs to other content: somebody went on writing into the file. It is a new arrival then.
    async fn claim_anew(&self, memory: &mut Memory, name: &str) {
        let (claims, from, to) = (self.taker.claims.clone(), name.to_owned(), self.taker.claim_name());
        let new = to.clone();
        match off_thread(move || claims.rename(&from, &new)).await {
            Ok(()) => {
                tracing::warn!(source.name = %self.options.source, source.claim = name, source.new_claim = to,
                    "a file was written to after it had been accepted; what it is now is taken in as well");
                if let Some(mut claim) = memory.claims.remove(name) {
                    claim.stage = Stage::Open { not_before: self.later() };
                    claim.since = self.now();
                    memory.claims.insert(to, claim);
                }
            }
            Err(error) => self.wrong(memory, name, &format!("renaming the claim: {error}")).await,
        }
    }

    /// Asks what became of accepted files, some at a time, and removes those that are through. Whether there may be more of these.
    async fn let_go(&self, memory: &mut Memory, stop: &CancellationToken) -> bool {
        let accepted = |(name, claim): (&String, &Claim)| match claim.stage {
            Stage::Accepted { intake, mark } => Some((name.clone(), intake, mark)),
            Stage::Open { .. } => None,
        };
        let from = memory.asked.take();
        // Round and round: from where it was left to the end, and from the beginning on.
        let rest = memory.claims.range::<String, _>((from.clone().map_or(Unbounded, Excluded), Unbounded));
        let again = from.into_iter().flat_map(|from| memory.claims.range(..=from));
        let some: Vec<_> = rest.chain(again).filter_map(accepted).take(PORTION).collect();
        if some.len() == PORTION {
            memory.asked = some.last().map(|(name, ..)| name.clone());
        }
        let (asked, mut through) = (some.len(), Vec::new());
        for (name, intake, mark) in some {
            if stop.is_cancelled() {
                return false;
            }
            match self.taker.reception.store.intake(intake).await {
                Ok(Some(found)) if matches!(found.state, IntakeState::Settled | IntakeState::Dismissed) => {
                    through.push((name, mark));
                }
                Ok(Some(found)) if found.source == self.options.source => {}
                Ok(_) => {
                    tracing::warn!(source.name = %self.options.source, source.claim = name, intake.id = %intake,
                        "the store does not know the intake of a claimed file; it is handed in again");
                    if let Some(claim) = memory.claims.get_mut(&name) {
                        claim.stage = Stage::Open { not_before: self.now() };
                    }
                }
                Err(_) => return false,
            }
        }
        for some in through.chunks(ABREAST) {
            self.remove(memory, some).await;
        }
        // One here and there does not hurry; where many are through, there are more.
        !through.is_empty() && through.len() * 4 >= asked && !memory.claims.is_empty()
    }

    /// Removes claimed files that are through.
    async fn remove(&self, memory: &mut Memory, some: &[(String, FileMark)]) {
        let work = some.iter().filter_map(|(name, mark)| {
            let path = memory.claims.get(name)?.path.clone();
            let (claims, own, mark) = (self.taker.claims.clone(), name.clone(), *mark);
            Some(async move { (name, off_thread(move || claims.remove(&own, &path, mark)).await) })
        });
        for (name, removed) in join_all(work).await {
            match removed {
                Ok(true) => {
                    memory.claims.remove(name);
                }
                Ok(false) => self.claim_anew(memory, name).await,
                Err(error) => {
                    tracing::warn!(source.name = %self.options.source, source.claim = name, source.error = %error,
                        "a filed document could not be removed from the hot folder; it is tried again");
                }
            }
        }
    }

    /// Shows how things are, and warns of files that wait too long.
    fn report(&self, memory: &mut Memory, mut status: HotFolderStatus) {
        let now = self.now();
        let mut waiting = Vec::with_capacity(memory.looks.len().min(SHOWN));
        let mut looks: Vec<_> = memory.looks.iter_mut().collect();
        looks.sort_by(|a, b| (a.1.first_seen, a.0).cmp(&(b.1.first_seen, b.0)));
        for (path, look) in looks {
            let age = now.saturating_sub(look.first_seen);
            if age >= WARN_AFTER && !look.warned && !status.paused && status.refusing.is_none() {
                look.warned = true;
                tracing::warn!(source.name = %self.options.source, source.file = ?path, source.reason = %look.waiting,
                    source.waiting_seconds = age.as_secs(), "a file in a hot folder has not been taken for long");
            }
            if waiting.len() < SHOWN {
                let name = path.to_string_lossy().into_owned();
                waiting.push(WaitingFile { name, reason: look.waiting.to_string(), waiting: age });
            }
        }
        let open = memory.claims.values().filter(|claim| matches!(claim.stage, Stage::Open { .. })).count();
        status.waiting = waiting;
        status.waiting_count = memory.looks.len();
        status.claimed = open;
        status.under_way = memory.claims.len() - open;
        status.refused = memory.refused;
        status.overflows = self.told.lost();
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

/// What a look has seen, which `taken` there is, and its claims where it is another one than before.
type Looked = (Vec<Seen>, (u64, u64), Option<Vec<Listed>>);

/// Looks through the folder, and has the file system tell of it from then on. Blocks.
fn looked(
    claims: &Claims,
    known: Option<(u64, u64)>,
    mut events: Events,
) -> (std::io::Result<Looked>, Events) {
    let look = || {
        let walked = walk::walk(claims.hot())?;
        let taken = claims.identity()?;
        let listed = if known == Some(taken) { None } else { Some(claims.list()?) };
        Ok((walked, taken, listed))
    };
    match look() {
        Ok((Walked { root, seen, folders }, taken, listed)) => {
            events.follow(root, &folders);
            (Ok((seen, taken, listed)), events)
        }
        Err(error) => {
            events.end();
            (Err(error), events)
        }
    }
}

/// Runs a job on files off the async threads.
async fn off_thread<T: Send + 'static>(
    job: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(job).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}
