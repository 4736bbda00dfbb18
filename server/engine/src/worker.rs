//! One filing, once: ask if an earlier attempt may have got through, find the place, send, verify what came back.
//!
//! The answer is an event for the filing machine. Nothing here writes to the store (but remembered workspaces); a worker
//! that is cut off at any point leaves a filing whose attempt row says so.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use postroom_domain::backoff::TARGET_LAG;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{Content, Dms, DmsError, Found, Gauge, Probe, Receipt, Trouble, Upload};
use postroom_domain::filing::{Filing, State};
use postroom_domain::ids::{FilingId, Mark};
use postroom_domain::link::{AccountsAt, Refusal, Rights};
use postroom_domain::linked::{self, Save};
use postroom_domain::machine::{Event, is_read_back, proves_absence};
use postroom_domain::person::Actor;
use postroom_domain::spool::{Blob, Spool, SpoolError};
use postroom_domain::store::{Store, StoreError};
use postroom_domain::target::SaveMode;
use postroom_domain::time::Clock;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Errand, trouble};
use crate::contact::Contact;
use crate::options::DestinationSettings;
use crate::read_back::read_back;
use crate::resolver::{Lost, Place, Resolver};
use crate::watcher::News;

/// What all workers of one destination share.
pub(crate) struct Bench {
    pub(crate) dms: Arc<dyn Dms>,
    pub(crate) settings: DestinationSettings,
    pub(crate) resolver: Resolver,
    /// Other saves of a linked document are read from it.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The present pauses: looked at once more right before sending.
    pub(crate) news: News,
    /// Cancelled when running attempts must end now.
    pub(crate) hurry: CancellationToken,
}

/// How an attempt went, for the machine and for whoever shares its disk.
pub(crate) struct Report {
    /// What the machine is told; none when nothing is to change (a question that was cut off, a failing store).
    pub(crate) event: Option<Event>,
    /// Our own disk failed: the engine stops.
    pub(crate) own_fault: Option<String>,
    /// Something an operator should know.
    pub(crate) alert: Option<String>,
    /// Bytes that left.
    pub(crate) bytes: u64,
    /// What it says about the other side, where that is not what the event says.
    pub(crate) contact: Option<Contact>,
}

impl Report {
    pub(crate) fn of(event: Event) -> Self {
        Self { event: Some(event), own_fault: None, alert: None, bytes: 0, contact: None }
    }

    fn own_fault(why: String) -> Self {
        Self { event: None, own_fault: Some(why), alert: None, bytes: 0, contact: None }
    }
}

/// What can be seen of a running attempt from outside, and remains when it is cut off.
#[derive(Default)]
pub(crate) struct Pulse {
    gauge: Gauge,
    steps: AtomicU64,
    sending: AtomicBool,
    container: Mutex<Option<String>>,
}

impl Pulse {
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::AcqRel);
    }

    fn progress(&self) -> (u64, u64) {
        (self.steps.load(Ordering::Acquire), self.gauge.bytes())
    }

    fn set_container(&self, container: &str) {
        *self.container.lock().unwrap_or_else(PoisonError::into_inner) = Some(container.to_owned());
    }

    fn container(&self) -> Option<String> {
        self.container.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sent(&self, size: u64) -> Sent {
        self.gauge.sent(size, self.sending.load(Ordering::Acquire))
    }
}

/// Why an attempt was cut off.
enum Cut {
    Idle(Duration),
    TooLong(Duration),
    Stop,
}

/// Works on a filing that is running or checking. Never panics, never hangs.
pub(crate) async fn work(bench: &Bench, errand: &Errand) -> Report {
    let filing = &errand.filing;
    let pulse = Pulse::default();
    let size = filing.request.blob.size;
    let checking = filing.progress.state == State::Checking;
    let attempt = async {
        if is_read_back(&filing.progress) {
            read_back(bench, errand, &pulse).await
        } else if checking {
            check(bench, errand, &pulse).await
        } else {
            attempt(bench, errand, &pulse).await
        }
    };
    let outcome = AssertUnwindSafe(guard(bench, filing, &pulse, attempt)).catch_unwind().await;
    let mut report = match outcome {
        Ok(Ok(report)) => report,
        Ok(Err(cut)) => cut_off(&cut, &pulse, size, checking),
        Err(panic) => {
            let said = panic_text(panic.as_ref());
            tracing::error!(
                filing.id = %filing.id, service = %filing.request.target.service, panic = %said,
                "A worker panicked; others go on"
            );
            Report::of(if checking {
                let trouble =
                    Trouble::new(Cause::ServerFault, format!("the worker panicked while asking: {said}"));
                Event::ProbeFailed(DmsError::Unavailable(trouble))
            } else {
                Event::Interrupted
            })
        }
    };
    report.bytes = pulse.gauge.bytes();
    report
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").chars().take(200).collect()
}

/// Lets an attempt run as long as it makes progress, its time is not up and nobody hurries it.
async fn guard(
    bench: &Bench,
    filing: &Filing,
    pulse: &Pulse,
    attempt: impl Future<Output = Report>,
) -> Result<Report, Cut> {
    let settings = &bench.settings;
    let limit = settings.attempt_limit(filing.request.blob.size);
    let tick = (settings.idle_timeout.min(settings.warn_after) / 4)
        .clamp(Duration::from_millis(10), Duration::from_secs(5));
    let started = Instant::now();
    let (mut last, mut moved, mut warned) = (pulse.progress(), started, false);
    let mut attempt = std::pin::pin!(attempt);
    let mut look = std::pin::pin!(tokio::time::sleep(tick));
    loop {
        tokio::select! {
            biased;
            report = &mut attempt => return Ok(report),
            () = bench.hurry.cancelled() => return Err(Cut::Stop),
            () = &mut look => {
                let now = Instant::now();
                if pulse.progress() != last {
                    (last, moved, warned) = (pulse.progress(), now, false);
                }
                let idle = now - moved;
                if idle >= settings.idle_timeout {
                    return Err(Cut::Idle(idle));
                }
                if now - started >= limit {
                    return Err(Cut::TooLong(limit));
                }
                if idle >= settings.warn_after && !warned {
                    warned = true;
                    tracing::warn!(
                        filing.id = %filing.id, service = %filing.request.target.service,
                        sent_bytes = last.1, idle_seconds = idle.as_secs(), "An attempt makes no progress"
                    );
                }
                look.as_mut().reset(now + tick);
            }
        }
    }
}

/// What a cut-off attempt leaves behind.
fn cut_off(cut: &Cut, pulse: &Pulse, size: u64, checking: bool) -> Report {
    let sent = pulse.sent(size);
    let why = match cut {
        Cut::Idle(idle) => format!("no progress for {} s", idle.as_secs()),
        Cut::TooLong(limit) => format!("not done within {} s", limit.as_secs()),
        Cut::Stop => "Postroom was stopped while the document was on its way".to_owned(),
    };
    let refused =
        |error| Event::Refused { error, bytes_sent: pulse.gauge.bytes(), container: pulse.container() };
    match (cut, checking) {
        // A question may be cut off at any time: it is simply asked again.
        (Cut::Stop, true) => Report { event: None, own_fault: None, alert: None, bytes: 0, contact: None },
        (_, true) => {
            Report::of(Event::ProbeFailed(DmsError::from_symptom(Symptom::TimedOut, Sent::Nothing, why)))
        }
        (Cut::Stop, false) if sent == Sent::Nothing => Report::of(Event::Abandoned),
        (Cut::Stop, false) => {
            Report::of(refused(DmsError::UnknownOutcome(Trouble::new(Cause::AnswerLost, why))))
        }
        (_, false) => Report::of(refused(DmsError::from_symptom(Symptom::TimedOut, sent, why))),
    }
}

/// A running filing: send the document.
async fn attempt(bench: &Bench, errand: &Errand, pulse: &Pulse) -> Report {
    let filing = &errand.filing;
    let refused = |error, container| Event::Refused { error, bytes_sent: pulse.gauge.bytes(), container };
    if !filing.request.withheld.is_empty() {
        let error = DmsError::from_trouble(Trouble::new(Cause::Withheld, filing.request.withheld.clone()));
        return Report { contact: Some(Contact::Nothing), ..Report::of(refused(error, None)) };
    }
    let mut alert = None;
    if filing.progress.unsure {
        let asked = bench.clock.now();
        match ask(bench, errand, pulse).await {
            Asked::Found(receipt) => return Report::of(found(filing, receipt, true)),
            Asked::Several(receipts) => return Report::of(Event::ProbeSeveral(receipts)),
            Asked::Impossible => return Report::of(Event::ProbeImpossible),
            Asked::Failed(error) => return Report::of(refused(error, None)),
            Asked::OwnFault(why) => return Report::own_fault(why),
            Asked::WrongCopy(text) => alert = Some(text),
            Asked::Closed(refusal) => return closed(filing, refusal, Some(asked)),
            Asked::Absent(lag) => {
                if !proves_absence(&filing.progress, lag, asked) {
                    return Report::of(Event::ProbeAbsent { lag, asked });
                }
            }
        }
        pulse.step();
    }
    let mut report = match send(bench, errand, pulse).await {
        Ok(receipt) => Report::of(found(filing, receipt, false)),
        Err(Halt::Same { of, receipt }) => {
            Report::of(Event::FoundDuplicate { of: Some(of), receipt: Some(receipt) })
        }
        Err(Halt::Denied(refusal)) => {
            let error = DmsError::Forbidden(trouble(filing, refusal));
            // The account that asked has the right to ask; the person has not the right to file.
            Report { contact: Some(Contact::Works), ..Report::of(refused(error, None)) }
        }
        Err(Halt::Paused) => Report::of(Event::Abandoned),
        Err(Halt::Dms(error)) => Report::of(refused(error, pulse.container())),
        Err(Halt::OwnFault(why)) => Report::own_fault(why),
        Err(Halt::Damaged(detail)) => {
            alert = Some(format!("the stored bytes of filing {} are damaged: {detail}", filing.id));
            Report::of(refused(DmsError::Damaged(Trouble::new(Cause::StoreDamage, detail)), None))
        }
    };
    report.alert = alert;
    report
}

/// What it means that the document is in the DMS: the end, or, where its source is to be given up, that it is read back.
fn found(filing: &Filing, receipt: Receipt, probed: bool) -> Event {
    match filing.request.target.save_mode {
        SaveMode::ReplaceWithLink => Event::Stored(receipt),
        _ if probed => Event::ProbeFound(receipt),
        _ => Event::Uploaded(receipt),
    }
}

/// Why nothing was filed.
enum Halt {
    Paused,
    /// The linked document holds the same already.
    Same {
        of: FilingId,
        receipt: Receipt,
    },
    /// The person may not file there themself.
    Denied(Refusal),
    Dms(DmsError),
    Damaged(String),
    OwnFault(String),
}

impl From<Lost> for Halt {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Dms(error) | Lost::NoFolder(error) => Self::Dms(error),
            Lost::Store(StoreError::Fatal(why)) => Self::OwnFault(why),
            Lost::Store(error) => Self::Dms(not_asked(&error)),
        }
    }
}

/// Our own store could not tell the place: nothing was sent, and the DMS is not to blame.
fn not_asked(error: &StoreError) -> DmsError {
    DmsError::Unavailable(Trouble::new(
        Cause::SessionGone,
        format!("the place could not be looked up: {error}"),
    ))
}

async fn send(bench: &Bench, errand: &Errand, pulse: &Pulse) -> Result<Receipt, Halt> {
    let (filing, actor) = (&errand.filing, &errand.actor);
    let blob = filing.request.blob;
    let content = match bench.spool.content(blob).await {
        Ok(content) => content,
        Err(error @ (SpoolError::Missing(_) | SpoolError::Damaged(_))) => {
            return Err(Halt::Damaged(error.to_string()));
        }
        Err(error @ (SpoolError::Disk(_) | SpoolError::NoRoom { .. })) => {
            return Err(Halt::OwnFault(error.to_string()));
        }
    };
    if let Some(largest) = bench.dms.capabilities().largest
        && blob.size > largest
    {
        let detail = format!("{} bytes, the DMS takes {largest}", blob.size);
        let trouble = Trouble::new(Cause::TooLarge, detail);
        return Err(Halt::Dms(DmsError::TooLarge { limit: Some(largest), trouble }));
    }
    pulse.step();
    if let Some(base) = base(bench, filing).await? {
        return version(bench, errand, &*content, base, pulse).await;
    }
    let place = self::place(bench, errand, pulse).await?;
    pulse.step();
    let first = upload(bench, errand, &*content, &place, None, pulse).await;
    let Err(Halt::Dms(DmsError::NotFound(_) | DmsError::Forbidden(_))) = &first else { return first };
    // A clear "no" stored nothing. If the place was a remembered one it may just be out of date: it is looked up once more.
    if !place.remembered {
        return first;
    }
    bench.resolver.forget(actor, filing, bench.clock.now()).await;
    pulse.step();
    let fresh = self::place(bench, errand, pulse).await?;
    if fresh.container == place.container {
        return first;
    }
    pulse.step();
    upload(bench, errand, &*content, &fresh, None, pulse).await
}

/// The document that a save of a linked document is a version of; none for the first save.
async fn base(bench: &Bench, filing: &Filing) -> Result<Option<Receipt>, Halt> {
    match linked::decide(filing, &saves(&*bench.store, filing).await?) {
        Save::New => Ok(None),
        Save::Onto(receipt) => Ok(Some(receipt)),
        Save::Same { of, receipt } => Err(Halt::Same { of, receipt }),
        // It was looked at before it was claimed; who came in between is met again then.
        Save::Behind(_) => Err(Halt::Paused),
    }
}

/// All saves of the document that a filing is a save of; none where it is not kept linked.
pub(crate) async fn saves(store: &dyn Store, filing: &Filing) -> Result<Vec<Filing>, Lost> {
    match filing.request.linked() {
        Some(key) => Ok(store.linked(&key).await?),
        None => Ok(Vec::new()),
    }
}

/// Puts a version onto the document that earlier saves made. Where that cannot be, it is refused: a second document would be taken for
/// the first one's successor by nobody.
async fn version(
    bench: &Bench,
    errand: &Errand,
    content: &dyn Content,
    base: Receipt,
    pulse: &Pulse,
) -> Result<Receipt, Halt> {
    if !bench.dms.capabilities().versions {
        let detail = format!(
            "it was saved before as {}, and this DMS keeps no versions: a second document is not made of it",
            base.document
        );
        return Err(Halt::Dms(DmsError::Unsupported(Trouble::new(Cause::Unsupported, detail))));
    }
    if let Some(at) = errand.ask_rights {
        allowed(bench, errand, at, &base.container).await?;
    }
    pulse.step();
    let place = Place { container: base.container, remembered: false };
    upload(bench, errand, content, &place, Some(&base.document), pulse).await
}

/// Where the document goes. Before a folder is created or a byte is sent with the system account in place of a person, the
/// person's own rights are read: at the workspace, and at the folder that takes it.
async fn place(bench: &Bench, errand: &Errand, pulse: &Pulse) -> Result<Place, Halt> {
    let (filing, actor) = (&errand.filing, &errand.actor);
    let now = bench.clock.now();
    let Some(at) = errand.ask_rights else {
        return Ok(bench.resolver.place(actor, filing, true, now).await?);
    };
    let workspace = bench.resolver.workspace_of(actor, filing, now).await?;
    allowed(bench, errand, at, &workspace).await?;
    pulse.step();
    let place = bench.resolver.place(actor, filing, true, now).await?;
    if place.container != workspace {
        allowed(bench, errand, at, &place.container).await?;
        pulse.step();
    }
    Ok(place)
}

async fn allowed(bench: &Bench, errand: &Errand, at: AccountsAt, container: &str) -> Result<(), Halt> {
    let request = &errand.filing.request;
    let rights = if bench.dms.capabilities().rights {
        let library = &request.target.library;
        match bench.dms.rights(&errand.actor, library, container, &request.submitted_by).await {
            Ok(rights) => rights,
            Err(DmsError::Unsupported(_)) => Rights::Unknown,
            Err(error) => return Err(Halt::Dms(error)),
        }
    } else {
        Rights::Unknown
    };
    accounts::refused(at, rights).map_or(Ok(()), |refusal| Err(Halt::Denied(refusal)))
}

async fn upload(
    bench: &Bench,
    errand: &Errand,
    content: &dyn Content,
    place: &Place,
    onto: Option<&str>,
    pulse: &Pulse,
) -> Result<Receipt, Halt> {
    let (filing, actor) = (&errand.filing, &errand.actor);
    let request = &filing.request;
    if bench.news.is_paused(&request.target.service, &filing.source, errand.owner, bench.clock.now()) {
        return Err(Halt::Paused);
    }
    let name = bench.dms.safe_name(&request.file_name);
    pulse.set_container(&place.container);
    pulse.sending.store(true, Ordering::Release);
    let answer = bench.dms.upload(Upload {
        actor,
        library: &request.target.library,
        container: &place.container,
        name: &name,
        media_type: &request.media_type,
        profile: &request.target.profile,
        received: filing.received,
        mark: Mark::of(filing.id),
        content,
        gauge: &pulse.gauge,
        onto,
    });
    let answer = answer.await;
    match answer {
        Ok(receipt) => verify(receipt, request.blob).map_err(Halt::Dms),
        Err(DmsError::Damaged(trouble)) if trouble.cause == Cause::OwnFault => {
            Err(Halt::OwnFault(trouble.detail))
        }
        Err(DmsError::Damaged(trouble)) => Err(Halt::Damaged(trouble.detail)),
        Err(error) => {
            // A clear refusal is an answer: whatever had left was not stored.
            if !matches!(error, DmsError::UnknownOutcome(_)) {
                pulse.sending.store(false, Ordering::Release);
            }
            Err(Halt::Dms(error))
        }
    }
}

/// Whether what the DMS says it stored is what was sent.
fn verify(receipt: Receipt, blob: Blob) -> Result<Receipt, DmsError> {
    if receipt.document.is_empty() {
        let detail = "the DMS reports success without a document id";
        return Err(DmsError::UnknownOutcome(Trouble::new(Cause::AnswerLost, detail)));
    }
    match wrong_copy(&receipt, blob) {
        None => Ok(receipt),
        Some(detail) => Err(DmsError::UnknownOutcome(Trouble::new(Cause::WrongCopy, detail))),
    }
}

fn wrong_copy(receipt: &Receipt, blob: Blob) -> Option<String> {
    if let Some(size) = receipt.size.filter(|size| *size != blob.size) {
        return Some(format!("document {} has {size} bytes, {} were sent", receipt.document, blob.size));
    }
    let hash = receipt.hash.filter(|hash| *hash != blob.hash)?;
    Some(format!("document {} has the content {hash}, {} was sent", receipt.document, blob.hash))
}

/// What the DMS says about the mark.
enum Asked {
    Found(Receipt),
    Several(Vec<Receipt>),
    Absent(Duration),
    /// One copy is there and is not what was sent: it is sent again, and somebody must remove the wrong one.
    WrongCopy(String),
    Impossible,
    /// Nothing was found, which proves nothing: an account that may have sent it cannot be asked now.
    Closed(Refusal),
    Failed(DmsError),
    OwnFault(String),
}

/// What is reported when only an account that is closed could tell. Never that nothing is there. `running` is when it was asked by an
/// attempt that would have sent it.
pub(crate) fn closed(filing: &Filing, refusal: Refusal, running: Option<Timestamp>) -> Report {
    let event = match running {
        None => Event::ProbeFailed(DmsError::NeedsLogin(trouble(filing, refusal))),
        Some(asked) => Event::ProbeAbsent { lag: FOR_GOOD, asked },
    };
    Report { contact: Some(Contact::Nothing), ..Report::of(event) }
}

/// Longer than any filing is tried: "not found" never comes to prove anything.
const FOR_GOOD: Duration = Duration::from_hours(24 * 365 * 10);

/// Asks with every account that may have sent the document, until one finds it.
async fn ask(bench: &Bench, errand: &Errand, pulse: &Pulse) -> Asked {
    let filing = &errand.filing;
    let (mut lag, mut wrong) = (Duration::ZERO, None);
    for credential in &errand.questions.with {
        let actor = accounts::actor(filing, Some(*credential));
        match ask_with(bench, &actor, filing).await {
            Asked::Absent(late) => lag = lag.max(late),
            Asked::WrongCopy(text) => wrong = Some(text),
            told => return told,
        }
        pulse.step();
    }
    match (errand.questions.unproven, wrong) {
        (Some(refusal), _) => Asked::Closed(refusal),
        (None, Some(text)) => Asked::WrongCopy(text),
        (None, None) => Asked::Absent(lag),
    }
}

async fn ask_with(bench: &Bench, actor: &Actor, filing: &Filing) -> Asked {
    let capabilities = bench.dms.capabilities();
    if !capabilities.probe {
        return Asked::Impossible;
    }
    let mut lag = bench.settings.probe_lag.unwrap_or(Duration::from_secs(capabilities.probe_lag_seconds));
    let base = match saves(&*bench.store, filing).await {
        Ok(saves) => linked::onto(filing, &saves),
        Err(lost) => return lost_asked(lost),
    };
    let known =
        filing.progress.container.clone().or_else(|| base.as_ref().map(|base| base.container.clone()));
    let container = match known {
        Some(container) => container,
        // The attempt was cut off before its container was recorded: it went to where the target leads.
        None => match bench.resolver.place(actor, filing, false, bench.clock.now()).await {
            Ok(place) => place.container,
            // A workspace that cannot be found proves nothing; a folder that is not in its workspace holds nothing, once
            // listings have had time to show it.
            Err(Lost::NoFolder(_)) => {
                lag = lag.max(TARGET_LAG);
                return Asked::Absent(lag);
            }
            Err(lost) => return lost_asked(lost),
        },
    };
    let request = &filing.request;
    let name = bench.dms.safe_name(&request.file_name);
    let probe = Probe {
        actor,
        library: &request.target.library,
        container: &container,
        name: &name,
        mark: Mark::of(filing.id),
        onto: base.as_ref().map(|base| base.document.as_str()),
    };
    let receipts = match bench.dms.probe(probe).await {
        Ok(Found::No) => return Asked::Absent(lag),
        Ok(Found::Yes(receipt)) => vec![receipt],
        Ok(Found::Several(receipts)) => receipts,
        Err(error) => return Asked::Failed(error),
    };
    let (wrong, mut right): (Vec<_>, Vec<_>) =
        receipts.into_iter().partition(|receipt| wrong_copy(receipt, request.blob).is_some());
    match (right.pop(), right.is_empty(), wrong.as_slice()) {
        (Some(receipt), true, _) => Asked::Found(receipt),
        (Some(receipt), false, _) => {
            right.push(receipt);
            Asked::Several(right)
        }
        (None, _, []) => Asked::Absent(lag),
        (None, _, [one]) => Asked::WrongCopy(format!(
            "the copy of filing {} in the DMS is wrong and should be removed: {}. It is sent again",
            filing.id,
            wrong_copy(one, request.blob).unwrap_or_default()
        )),
        // A second correction would come out wrong too.
        (None, _, _) => Asked::Several(wrong),
    }
}

/// Why the DMS was not asked.
fn lost_asked(lost: Lost) -> Asked {
    match lost {
        Lost::Dms(error) | Lost::NoFolder(error) => Asked::Failed(error),
        Lost::Store(StoreError::Fatal(why)) => Asked::OwnFault(why),
        Lost::Store(error) => Asked::Failed(not_asked(&error)),
    }
}

/// A checking filing: ask whether the document is there.
async fn check(bench: &Bench, errand: &Errand, pulse: &Pulse) -> Report {
    let asked = bench.clock.now();
    let answer = ask(bench, errand, pulse).await;
    pulse.step();
    Report::of(match answer {
        Asked::Found(receipt) => found(&errand.filing, receipt, true),
        Asked::Several(receipts) => Event::ProbeSeveral(receipts),
        Asked::Absent(lag) => Event::ProbeAbsent { lag, asked },
        Asked::Impossible => Event::ProbeImpossible,
        Asked::Failed(error) => Event::ProbeFailed(error),
        Asked::Closed(refusal) => return closed(&errand.filing, refusal, None),
        Asked::OwnFault(why) => return Report::own_fault(why),
        Asked::WrongCopy(alert) => {
            let absent = Event::ProbeAbsent { lag: Duration::ZERO, asked };
            return Report { alert: Some(alert), ..Report::of(absent) };
        }
    })
}
