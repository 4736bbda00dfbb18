//! Records to put into stores, made with as few words as a case needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, Receipt, Trouble};
use postroom_domain::filing::{Filing, Progress, Request};
use postroom_domain::ids::{BlobHash, FilingId, IntakeId, WorkItemId};
use postroom_domain::intake::{Document, Intake, IntakeState};
use postroom_domain::machine::{Context, Event, step};
use postroom_domain::person::{Actor, Credential, Scope};
use postroom_domain::query::{FilingQuery, Window};
use postroom_domain::spool::Blob;
use postroom_domain::store::{Acceptance, Accepted, FilingChange, IdempotencyKey, Store, StoreResult};
use postroom_domain::target::{Target, WhenAmbiguous, WorkspaceQuery};
use postroom_domain::work_item::{Client, WorkItem};

/// A time of day, so many seconds after nine o'clock.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let nine: Timestamp = "2026-11-23T09:00:00.000000007Z".parse().unwrap();
    nine.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// The content with this number.
pub(crate) fn blob(number: u64) -> Blob {
    let mut hash = [0xab; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    Blob { hash: BlobHash::new(hash), size: 1000 + number }
}

/// Somebody.
pub(crate) fn actor() -> Actor {
    Actor::person("ada")
}

/// A request for content to go to `service`/`folder`.
pub(crate) fn request(content: u64, service: &str, folder: &str) -> Request {
    Request {
        blob: blob(content),
        file_name: format!("Letter {content}.pdf"),
        media_type: "application/pdf".to_owned(),
        target: Target {
            service: service.parse().unwrap(),
            repository: Some("matters".parse().unwrap()),
            library: "ACTIVE".to_owned(),
            workspace: WorkspaceQuery::Title("Harrow v Teal".to_owned()),
            folder: vec![folder.to_owned()],
            create_folders: true,
            when_ambiguous: WhenAmbiguous::Ask,
            create_workspace: false,
            save_mode: postroom_domain::target::SaveMode::default(),
            profile: BTreeMap::from([("custom3".to_owned(), "LIT".to_owned())]),
        },
        work_item: Some(WorkItemId::from_u128(77)),
        reference: format!("REF-{}", content % 7),
        subject: format!("About \"{content}\" & Käse"),
        sender: format!("sender{}@example.com", content % 3),
        submitted_by: ["ada", "grace"][usize::try_from(content % 2).unwrap()].to_owned(),
        credential: Credential::System,
        forced: false,
        document_key: String::new(),
        withheld: String::new(),
    }
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that nobody else has, greater than all before.
pub(crate) fn fresh() -> u128 {
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64
}

/// A filing that waits for its first try.
pub(crate) fn filing(request: Request) -> Filing {
    filing_as(fresh(), "london", "scans", request)
}

/// A filing with an id, at a site, from a source.
pub(crate) fn filing_as(id: u128, site: &str, source: &str, request: Request) -> Filing {
    Filing {
        id: FilingId::from_u128(id),
        intake: IntakeId::from_u128(0),
        site: site.parse().unwrap(),
        source: source.parse().unwrap(),
        received: at(0),
        request: Arc::new(request),
        progress: Progress::new(at(0)),
    }
}

/// An intake that holds the contents of its filings.
pub(crate) fn acceptance(filings: Vec<Filing>) -> Acceptance {
    acceptance_as(fresh(), filings)
}

/// An intake with an id.
pub(crate) fn acceptance_as(id: u128, mut filings: Vec<Filing>) -> Acceptance {
    let id = IntakeId::from_u128(id);
    for filing in &mut filings {
        filing.intake = id;
    }
    let documents = filings.iter().map(|filing| Document {
        file_name: filing.request.file_name.clone(),
        media_type: filing.request.media_type.clone(),
        blob: filing.request.blob,
    });
    let first = filings.first();
    Acceptance {
        intake: Intake {
            id,
            site: first.map_or_else(|| "london".parse().unwrap(), |filing| filing.site.clone()),
            source: first.map_or_else(|| "scans".parse().unwrap(), |filing| filing.source.clone()),
            received: at(0),
            state: IntakeState::Split,
            version: 1,
            submitted_by: first.map_or("ada".to_owned(), |filing| filing.request.submitted_by.clone()),
            subject: "Post".to_owned(),
            sender: String::new(),
            note: String::new(),
            work_item_given: String::new(),
            work_item: None,
            area: "matters".to_owned(),
            save_mode: None,
            document_key: String::new(),
            documents: documents.collect(),
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
            trace: vec!["by reference".to_owned()],
        },
        filings,
        key: None,
        records: Vec::new(),
        actor: actor(),
        note: "handed in".to_owned(),
    }
}

/// Accepts filings; the intake and the filings as they were stored.
pub(crate) async fn accept(store: &dyn Store, filings: Vec<Filing>) -> (Intake, Vec<Filing>) {
    match store.accept(acceptance(filings)).await.unwrap() {
        Accepted::Fresh(intake, filings) => (intake, filings),
        Accepted::Again(id) => panic!("{id} was there"),
    }
}

/// A key of a caller.
pub(crate) fn key(key: &str, content: u64) -> IdempotencyKey {
    IdempotencyKey { key: key.to_owned(), fingerprint: blob(content).hash }
}

/// What the machine makes of an event, as a change.
pub(crate) fn change(filing: &Filing, event: Event, now: Timestamp) -> FilingChange {
    let policy = RetryPolicy::default();
    let step = step(&filing.progress, event, Context { now, chance: 0.5, policy: &policy }).unwrap();
    FilingChange {
        id: filing.id,
        expect: filing.progress.version,
        next: step.next,
        attempt: step.attempt,
        request: None,
        actor: actor(),
        note: "because".to_owned(),
        at: now,
        also: Vec::new(),
        bulk: None,
    }
}

/// Lets an event happen to a filing, and gives back what it is then.
pub(crate) async fn happen(store: &dyn Store, id: FilingId, event: Event, now: Timestamp) -> Filing {
    let filing = store.filing(id).await.unwrap().unwrap();
    let changes = vec![change(&filing, event, now)];
    assert_eq!(store.change_filings(changes).await.unwrap(), [Ok(())]);
    store.filing(id).await.unwrap().unwrap()
}

/// A document in the DMS.
pub(crate) fn receipt(document: &str) -> Receipt {
    Receipt {
        document: document.to_owned(),
        version: Some("1".to_owned()),
        container: "folder-1".to_owned(),
        size: Some(10),
        hash: None,
        link: None,
    }
}

/// A refusal with a status.
pub(crate) fn refused(cause: Cause, status: Option<u16>) -> Event {
    let error = DmsError::from_trouble(Trouble { status, ..Trouble::new(cause, "the DMS said so") });
    Event::Refused { error, bytes_sent: 7, container: Some("folder-1".to_owned()) }
}

/// A work item.
pub(crate) fn work_item(id: u128, reference: &str, title: &str) -> WorkItem {
    WorkItem {
        id: WorkItemId::from_u128(id),
        reference: reference.to_owned(),
        title: title.to_owned(),
        work_type: "matter/litigation".to_owned(),
        site: "london".parse().unwrap(),
        open: true,
        phase: String::new(),
        client: Client { reference: "C100".to_owned(), name: "Harrow plc".to_owned() },
        attributes: BTreeMap::new(),
        participants: Vec::new(),
        origin: None,
        zone: String::new(),
        version: 1,
        changed: at(0),
    }
}

/// The records of these sites.
pub(crate) fn scope(sites: &[&str]) -> Scope {
    Scope::Only(sites.iter().map(|site| site.parse().unwrap()).collect())
}

/// Everything, every site of the tests, several, one that no record has, none.
pub(crate) fn scopes() -> Vec<Scope> {
    let sites: [&[&str]; 6] =
        [&["london"], &["paris"], &["london", "paris"], &["paris", "rome"], &["rome"], &[]];
    sites.into_iter().map(scope).chain([Scope::All]).collect()
}

/// A whole list of filings, page by page.
pub(crate) async fn all(
    store: &dyn Store,
    query: &FilingQuery,
    limit: usize,
    now: Timestamp,
) -> StoreResult<Vec<Filing>> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let slice = store.list_filings(query, Window { before, limit }, now).await?;
        assert!(slice.items.len() <= limit);
        found.extend(slice.items);
        match slice.next {
            Some(next) => before = Some(next),
            None => return Ok(found),
        }
    }
}
