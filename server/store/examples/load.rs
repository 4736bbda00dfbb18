//! Fills a store with made-up filings, and measures it: one JSON line per figure. A filled folder can be served by `postroom serve`
//! when its settings name the same site, source and destination. (Without `--content` no document has bytes in the
//! spool.)
//!
//! ```text
//! load --data DIR [--filings N] [--per-intake N] [--state-mix waiting=90,filed=8,failed=2]
//!      [--site main] [--source upload] [--service dms] [--changes SECONDS] [--lists]
//!      [--quick-repair-above-mib MIB]
//!      [--content FILE] [--fields custom1=10442,custom2=0007] [--folder Documents/Correspondence]
//! ```
//!
//! The store is opened (and created) first. `--changes` lets 64 callers claim filings and give them back, until the time is over or
//! the process is killed: what a start after that costs shows in the next run. With `--content`, every filing carries that file, which is
//! put into the spool; `--fields` and `--folder` say where all of them go.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Receipt, Trouble};
use postroom_domain::filing::{Filing, Progress, Request, State};
use postroom_domain::ids::{BlobHash, FilingId, IdMint, IntakeId};
use postroom_domain::intake::{Document, Intake, IntakeState};
use postroom_domain::machine::{Context, Event, step};
use postroom_domain::person::Scope;
use postroom_domain::person::{Actor, Credential};
use postroom_domain::query::{FilingQuery, Predicate, Term, Window};
use postroom_domain::spool::{Blob, Spool as _};
use postroom_domain::store::{Acceptance, Accepted, FilingChange, Store};
use postroom_domain::target::{Target, WhenAmbiguous, WorkspaceQuery};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_store::spool::{FileSpool, SpoolOptions};
use postroom_store::{OpenOptions, RedbStore};

/// Callers that wait for an answer at the same time.
const CALLERS: usize = 64;

struct Arguments {
    data: PathBuf,
    filings: u64,
    per_intake: u64,
    mix: Vec<(State, u64)>,
    site: String,
    source: String,
    service: String,
    changes: Option<Duration>,
    lists: bool,
    quick_repair_above_mib: Option<u64>,
    content: Option<PathBuf>,
    fields: Vec<(String, String)>,
    folder: Vec<String>,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut given = Arguments {
        data: PathBuf::new(),
        filings: 0,
        per_intake: 50,
        mix: vec![(State::Waiting, 1)],
        site: "main".to_owned(),
        source: "upload".to_owned(),
        service: "dms".to_owned(),
        changes: None,
        lists: false,
        quick_repair_above_mib: None,
        content: None,
        fields: Vec::new(),
        folder: vec!["Correspondence".to_owned()],
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--lists" {
            given.lists = true;
            continue;
        }
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--data" => given.data = value.into(),
            "--filings" => given.filings = value.parse()?,
            "--per-intake" => given.per_intake = value.parse::<u64>()?.max(1),
            "--state-mix" => {
                given.mix = value
                    .split(',')
                    .map(|part| {
                        let (state, share) =
                            part.split_once('=').context("a mix is state=share,state=share")?;
                        Ok((state.parse().map_err(anyhow::Error::msg)?, share.parse()?))
                    })
                    .collect::<anyhow::Result<_>>()?;
            }
            "--content" => given.content = Some(value.into()),
            "--fields" => {
                given.fields = value
                    .split(',')
                    .map(|part| part.split_once('=').context("fields are name=value,name=value"))
                    .map(|part| part.map(|(name, value)| (name.to_owned(), value.to_owned())))
                    .collect::<anyhow::Result<_>>()?;
            }
            "--folder" => given.folder = value.split('/').map(str::to_owned).collect(),
            "--site" => given.site = value,
            "--source" => given.source = value,
            "--service" => given.service = value,
            "--quick-repair-above-mib" => given.quick_repair_above_mib = Some(value.parse()?),
            "--changes" => given.changes = Some(Duration::from_secs(value.parse()?)),
            other => bail!("{other} is not known; see the top of load.rs"),
        }
    }
    if given.data.as_os_str().is_empty() {
        bail!("--data DIR is needed");
    }
    Ok(given)
}

/// Prints a figure.
fn tell(figure: &str, value: &serde_json::Value) -> anyhow::Result<()> {
    let line = serde_json::json!({ "figure": figure, "value": value, "resident_mib": resident_mib() });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Resident memory of this process, in MiB; 0 where the system does not tell.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(count: u64, time: Duration) -> f64 {
    (count as f64 / time.as_secs_f64()).round()
}

struct Maker {
    arguments: Arguments,
    /// What every filing carries, when it has bytes.
    content: Option<Blob>,
    mint: IdMint,
    clock: ManualClock,
    entropy: SeededEntropy,
    now: Timestamp,
    number: AtomicU64,
}

impl Maker {
    fn id(&self) -> u128 {
        self.mint.next(&self.clock, &self.entropy)
    }

    fn progress(&self, number: u64) -> Progress {
        let shares: u64 = self.arguments.mix.iter().map(|(_, share)| share).sum();
        let mut place = number % shares.max(1);
        let mut state = State::Waiting;
        for (candidate, share) in &self.arguments.mix {
            if place < *share {
                state = *candidate;
                break;
            }
            place -= share;
        }
        let mut progress = Progress { state, ..Progress::new(self.now) };
        match state {
            State::Waiting | State::Checking => {}
            State::Filed | State::Duplicate => {
                progress.due = None;
                progress.receipt = Some(Receipt {
                    document: format!("ACTIVE!{number}.1"),
                    version: Some("1".to_owned()),
                    container: "ACTIVE!100".to_owned(),
                    size: Some(50 * 1024),
                    hash: None,
                    link: None,
                });
            }
            _ => {
                progress.due = None;
                let status = Some(422);
                progress.trouble =
                    Some(Trouble { status, ..Trouble::new(Cause::Rejected, "custom3 is not a known value") });
            }
        }
        progress
    }

    fn acceptance(&self) -> anyhow::Result<Acceptance> {
        let Arguments { per_intake, site, source, service, fields, folder, .. } = &self.arguments;
        let intake = IntakeId::from_u128(self.id());
        let mut filings = Vec::new();
        for _ in 0..*per_intake {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let blob = self.content.unwrap_or_else(|| Blob {
                hash: BlobHash::new(*blake3::hash(&number.to_le_bytes()).as_bytes()),
                size: 50 * 1024,
            });
            let workspace = if fields.is_empty() {
                WorkspaceQuery::Title(format!("Matter {}", number % 5000))
            } else {
                WorkspaceQuery::Fields(fields.clone())
            };
            let request = Request {
                blob,
                file_name: format!("Letter to counsel {number}.pdf"),
                media_type: "application/pdf".to_owned(),
                target: Target {
                    service: service.parse()?,
                    repository: Some("matters".parse()?),
                    library: "ACTIVE".to_owned(),
                    workspace,
                    folder: folder.clone(),
                    create_folders: true,
                    when_ambiguous: WhenAmbiguous::Ask,
                    create_workspace: false,
                    save_mode: postroom_domain::target::SaveMode::default(),
                    profile: BTreeMap::new(),
                },
                work_item: None,
                reference: format!("M-{:06}", number % 5000),
                subject: format!("Re: share purchase agreement, draft {number}"),
                sender: format!("clerk{}@example.com", number % 97),
                submitted_by: format!("person{}", number % 300),
                credential: Credential::System,
                // The same content many times over is what was asked for.
                forced: self.content.is_some(),
                document_key: String::new(),
                withheld: String::new(),
            };
            filings.push(Filing {
                id: FilingId::from_u128(self.id()),
                intake,
                site: site.parse()?,
                source: source.parse()?,
                received: self.now,
                request: Arc::new(request),
                progress: self.progress(number),
            });
        }
        let document = |filing: &Filing| Document {
            file_name: filing.request.file_name.clone(),
            media_type: filing.request.media_type.clone(),
            blob: filing.request.blob,
        };
        let intake = Intake {
            id: intake,
            site: site.parse()?,
            source: source.parse()?,
            received: self.now,
            state: IntakeState::Split,
            version: 1,
            submitted_by: "load".to_owned(),
            subject: "Post".to_owned(),
            sender: String::new(),
            note: String::new(),
            work_item_given: String::new(),
            work_item: None,
            area: "matters".to_owned(),
            save_mode: None,
            document_key: String::new(),
            documents: filings.iter().map(document).collect(),
            batch: false,
            part_of: None,
            sections: Vec::new(),
            forced: false,
            allocated: None,
            also_in: Vec::new(),
            choices: Vec::new(),
            undo_until: None,
            begun: 0,
            screened: postroom_domain::screening::Screened::default(),
            letter: None,
            needs: None,
            open_filings: 0,
            filings: 0,
            trace: Vec::new(),
        };
        Ok(Acceptance {
            intake,
            filings,
            key: None,
            records: Vec::new(),
            actor: Actor::person("load"),
            note: String::new(),
        })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = arguments()?;
    std::fs::create_dir_all(&arguments.data)?;
    let file = arguments.data.join("store.redb");
    let start = Instant::now();
    let mut options = OpenOptions::default();
    if let Some(mib) = arguments.quick_repair_above_mib {
        options.quick_repair_above = mib << 20;
    }
    let (store, report) = RedbStore::open(&file, options)?;
    tell(
        "open_seconds",
        &serde_json::json!({
            "total": start.elapsed().as_secs_f64(), "repaired": report.repaired, "filings": report.filings,
        }),
    )?;
    let store = Arc::new(store);
    #[expect(clippy::disallowed_methods, reason = "the clock of a program is read where it starts")]
    let now = Timestamp::now();
    let content = match &arguments.content {
        Some(path) => Some(put_into_spool(&arguments.data, path).await?),
        None => None,
    };
    let maker = Arc::new(Maker {
        content,
        mint: IdMint::after(store.greatest_id()),
        clock: ManualClock::at(&now.to_string()),
        entropy: SeededEntropy::new(7),
        now,
        number: AtomicU64::new(report.filings),
        arguments,
    });
    fill(&store, &maker).await?;
    if maker.arguments.lists {
        lists(&*store, now).await?;
    }
    if let Some(time) = maker.arguments.changes {
        changes(&store, &maker, time).await?;
    }
    tell("file_mib", &(std::fs::metadata(&file)?.len() >> 20).into())?;
    store.close().await?;
    Ok(())
}

/// Puts a file's bytes into the spool beside the store.
async fn put_into_spool(data: &Path, file: &Path) -> anyhow::Result<Blob> {
    let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
    let options = SpoolOptions { reserve_bytes: Some(1), ..SpoolOptions::default() };
    let spool = FileSpool::open(data, &options, clock)?;
    let mut draft = spool.draft().await?;
    draft.write(std::fs::read(file)?.into()).await?;
    Ok(draft.seal().await?)
}

/// Accepts intakes, 16 at a time.
async fn fill(store: &Arc<RedbStore>, maker: &Arc<Maker>) -> anyhow::Result<()> {
    let intakes = maker.arguments.filings.div_ceil(maker.arguments.per_intake);
    if intakes == 0 {
        return Ok(());
    }
    let start = Instant::now();
    let left = Arc::new(AtomicU64::new(intakes));
    let mut callers = Vec::new();
    for _ in 0..16 {
        let (store, maker, left) = (Arc::clone(store), Arc::clone(maker), Arc::clone(&left));
        callers.push(tokio::spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            {
                let accepted = store.accept(maker.acceptance()?).await?;
                if matches!(accepted, Accepted::Again(_)) {
                    bail!("an intake without a key was there before");
                }
            }
            Ok(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    let rate = per_second(intakes * maker.arguments.per_intake, start.elapsed());
    tell("filings_accepted_per_second", &rate.into())
}

/// How long the first page and filtered pages take, at best and at worst of 20.
async fn lists(store: &dyn Store, now: Timestamp) -> anyhow::Result<()> {
    let with = |predicate| FilingQuery {
        terms: vec![Term { negated: false, any: vec![predicate] }],
        ..FilingQuery::default()
    };
    let cases = [
        ("first page", FilingQuery::default()),
        ("state:failed", with(Predicate::State(State::Failed))),
        ("state:waiting", with(Predicate::State(State::Waiting))),
        ("cause:rejected", with(Predicate::Cause(Cause::Rejected))),
        ("reference", with(Predicate::Reference("m-000007".to_owned()))),
        ("by", with(Predicate::By("person7".to_owned()))),
        ("text found", with(Predicate::Text("counsel".to_owned()))),
        ("text not found", with(Predicate::Text("nowhere to be found".to_owned()))),
        ("from", with(Predicate::From("clerk13@".to_owned()))),
    ];
    for (name, query) in cases {
        let mut times = Vec::new();
        let mut items = 0;
        for _ in 0..20 {
            let start = Instant::now();
            items = store.list_filings(&query, Window { before: None, limit: 50 }, now).await?.items.len();
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        tell(
            "page_ms",
            &serde_json::json!({ "list": name, "items": items, "best": times[0], "worst": times[19] }),
        )?;
    }
    let start = Instant::now();
    store.summary(&Scope::All).await?;
    store.causes(&Scope::All).await?;
    store.queues().await?;
    tell("summary_causes_queues_ms", &(start.elapsed().as_secs_f64() * 1000.0).into())
}

/// Claims and gives back, by 64 callers who each wait for their answer.
async fn changes(store: &Arc<RedbStore>, maker: &Arc<Maker>, time: Duration) -> anyhow::Result<()> {
    let (service, source) = (maker.arguments.service.parse()?, maker.arguments.source.parse()?);
    let lane = postroom_domain::filing::Lane::New;
    let ready = store.ready(&service, &source, lane, Timestamp::MAX, CALLERS * 200).await?;
    let done = Arc::new(AtomicU64::new(0));
    let (start, commits) = (Instant::now(), store.commits());
    let mut callers = Vec::new();
    for part in ready.chunks(ready.len().div_ceil(CALLERS).max(1)) {
        let (store, maker, done) = (Arc::clone(store), Arc::clone(maker), Arc::clone(&done));
        let ids: Vec<FilingId> = part.iter().map(|ready| ready.id).collect();
        callers.push(tokio::spawn(async move {
            let policy = RetryPolicy::default();
            for id in ids.iter().cycle() {
                let mut filing = store.filing(*id).await?.context("a filing that was ready is gone")?;
                for event in [Event::Claim, Event::Abandoned] {
                    let context = Context { now: maker.now, chance: 0.5, policy: &policy };
                    let step = step(&filing.progress, event, context)?;
                    let change = FilingChange {
                        id: *id,
                        expect: filing.progress.version,
                        next: step.next.clone(),
                        attempt: step.attempt,
                        request: None,
                        actor: Actor::system("load", None),
                        note: String::new(),
                        at: maker.now,
                        also: Vec::new(),
                        bulk: None,
                    };
                    for answer in store.change_filings(vec![change]).await? {
                        answer?;
                    }
                    filing.progress = step.next;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                if start.elapsed() > time {
                    break;
                }
            }
            anyhow::Ok(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    let (done, elapsed) = (done.load(Ordering::Relaxed), start.elapsed());
    let commits = store.commits() - commits;
    let rate = per_second(done, elapsed);
    tell(
        "changes_per_second_64_callers",
        &serde_json::json!({ "rate": rate, "commits": commits, "changes": done }),
    )
}
