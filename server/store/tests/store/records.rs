//! What every store promises of records: persons, sessions, tokens, links.

use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::ids::PersonId;
use postroom_domain::person::Scope;
use postroom_domain::record::{self, Commit, Kind, Record, Write};
use postroom_domain::store::{Store, StoreError, StoreResult};

use crate::world::{actor, at, blob};

/// A new record.
pub(crate) fn record(kind: Kind, id: u128, keys: &[&str], groups: &[&str]) -> Record {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Record {
        kind,
        id,
        version: 1,
        keys: texts(keys),
        groups: texts(groups),
        body: format!("body {id}").into(),
    }
}

fn person(id: u128, keys: &[&str], groups: &[&str]) -> Record {
    record(Kind::Person, id, keys, groups)
}

fn changed(record: &Record, version: u64) -> Record {
    Record { version, body: format!("version {version}").into(), ..record.clone() }
}

/// The event that a commit tells.
pub(crate) fn told(id: u128) -> NewEvent {
    NewEvent {
        at: at(1),
        site: None,
        subject: Subject::Person(PersonId::from_u128(id)),
        happening: Happening::Security { what: Security::PersonChanged },
        actor: actor(),
        note: "=1+1".to_owned(),
    }
}

pub(crate) async fn commit(store: &dyn Store, writes: Vec<Write>) -> StoreResult<()> {
    store.commit(Commit { writes, events: vec![told(1)] }).await
}

async fn put(store: &dyn Store, record: &Record) -> StoreResult<()> {
    commit(store, vec![Write::Put(record.clone())]).await
}

async fn remove(store: &dyn Store, id: u128, version: u64) -> StoreResult<()> {
    commit(store, vec![Write::Remove { kind: Kind::Person, id, version }]).await
}

async fn events(store: &dyn Store) -> u64 {
    store.summary(&Scope::All).await.unwrap().last_event
}

fn exists() -> StoreResult<()> {
    Err(StoreError::Exists("a person with the same key".to_owned()))
}

const fn conflict(found: u64) -> StoreResult<()> {
    Err(StoreError::Conflict { found })
}

pub(crate) async fn records_are_compare_and_set(store: &dyn Store) {
    let ada = person(7 << 80, &["name/ada", "mail/ada@x"], &["site/london"]);
    let by_key = async |key| store.record_by_key(Kind::Person, key).await.unwrap();
    assert_eq!(store.record_by_id(Kind::Person, ada.id).await, Ok(None));
    assert_eq!(put(store, &changed(&ada, 0)).await, conflict(0));
    assert_eq!(put(store, &changed(&ada, 2)).await, conflict(0));
    assert_eq!(remove(store, ada.id, 0).await, conflict(0));
    assert_eq!(remove(store, ada.id, 1).await, conflict(0));
    assert_eq!((events(store).await, store.greatest_id()), (0, 0));

    assert_eq!(put(store, &ada).await, Ok(()));
    assert_eq!(store.record_by_id(Kind::Person, ada.id).await, Ok(Some(ada.clone())));
    assert_eq!(store.record_by_id(Kind::Token, ada.id).await, Ok(None));
    assert_eq!(
        (by_key("name/ada").await, by_key("mail/ada@x").await),
        (Some(ada.clone()), Some(ada.clone()))
    );
    assert_eq!(store.record_by_key(Kind::Session, "name/ada").await, Ok(None));
    assert_eq!((events(store).await, store.greatest_id()), (1, ada.id));
    assert_eq!(put(store, &ada).await, conflict(1));
    assert_eq!(put(store, &changed(&ada, 3)).await, conflict(1));

    // Keys and groups go with the change; what is given twice counts once.
    let keys = ["mail/ada@y", "mail/ada@y"].map(str::to_owned).into();
    let next = Record { keys, groups: vec!["site/paris".to_owned()], ..changed(&ada, 2) };
    assert_eq!(put(store, &next).await, Ok(()));
    let next = Record { keys: vec!["mail/ada@y".to_owned()], ..next };
    assert_eq!((by_key("name/ada").await, by_key("mail/ada@y").await), (None, Some(next.clone())));
    let group = async |group| store.records(Kind::Person, Some(group), None, 9).await.unwrap();
    assert_eq!((group("site/london").await, group("site/paris").await), (Vec::new(), vec![next]));

    assert_eq!(remove(store, ada.id, 1).await, conflict(2));
    assert_eq!(remove(store, ada.id, 2).await, Ok(()));
    assert_eq!(remove(store, ada.id, 2).await, conflict(0));
    assert_eq!((by_key("mail/ada@y").await, group("site/paris").await), (None, Vec::new()));
    // An id that was there once is not given out again.
    assert_eq!((events(store).await, store.greatest_id()), (3, ada.id));
    assert_eq!(put(store, &ada).await, Ok(()));
    assert_eq!(by_key("name/ada").await, Some(ada));
}

pub(crate) async fn keys_are_unique_among_records_of_a_kind(store: &dyn Store) {
    let (ada, grace) = (person(1, &["a"], &[]), person(2, &["g"], &[]));
    commit(store, vec![Write::Put(ada.clone()), Write::Put(grace.clone())]).await.unwrap();
    assert_eq!(put(store, &person(3, &["new", "g"], &[])).await, exists());
    assert_eq!(put(store, &person(3, &["G", "a "], &[])).await, Ok(()), "keys are what they are");
    assert_eq!(commit(store, vec![Write::Put(record(Kind::Link, 1, &["a"], &[]))]).await, Ok(()));
    assert_eq!(store.record_by_key(Kind::Person, "new").await, Ok(None));

    let with = |record: &Record, version, key: &str| {
        Write::Put(Record { keys: vec![key.to_owned()], ..changed(record, version) })
    };
    assert_eq!(commit(store, vec![with(&ada, 2, "g")]).await, exists());
    assert_eq!(commit(store, vec![with(&ada, 2, "both"), with(&grace, 2, "both")]).await, exists());
    // They change keys, in one commit; then one takes the other's, who goes.
    assert_eq!(commit(store, vec![with(&ada, 2, "g"), with(&grace, 2, "a")]).await, Ok(()));
    let owner = async |key| store.record_by_key(Kind::Person, key).await.unwrap().map(|record| record.id);
    assert_eq!((owner("a").await, owner("g").await), (Some(2), Some(1)));
    let gone = Write::Remove { kind: Kind::Person, id: 2, version: 2 };
    assert_eq!(commit(store, vec![with(&ada, 3, "a"), gone]).await, Ok(()));
    assert_eq!((owner("a").await, owner("g").await), (Some(1), None));
}

/// The same id, key and group in each kind: none sees another's, and each is listed, replaced and removed by itself.
pub(crate) async fn every_kind_is_kept_apart(store: &dyn Store) {
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        let number = at + 1;
        assert_eq!(usize::from(kind as u8), number, "numbers of kinds are kept in stores");
        let mut mine = record(kind, 7, &["key"], &["group"]);
        mine.body = kind.noun().into();
        put(store, &mine).await.unwrap();
        assert_eq!(
            put(store, &record(kind, 8, &["key"], &[])).await,
            Err(StoreError::Exists(format!("a {} with the same key", kind.noun())))
        );
    }
    let body = |record: Option<Record>| record.map(|it| String::from_utf8(it.body).unwrap());
    for kind in Kind::ALL {
        let noun = Some(kind.noun().to_owned());
        assert_eq!(body(store.record_by_id(kind, 7).await.unwrap()), noun);
        assert_eq!(body(store.record_by_key(kind, "key").await.unwrap()), noun);
        let mut listed = store.records(kind, Some("group"), None, 9).await.unwrap();
        assert_eq!((listed.len(), body(listed.pop())), (1, noun));
    }
    for kind in Kind::ALL {
        commit(store, vec![Write::Remove { kind, id: 7, version: 1 }]).await.unwrap();
        assert_eq!(store.record_by_key(kind, "key").await, Ok(None));
    }
}

/// A sweep asks for content by its hash: what a record names stays for as long as the record does.
pub(crate) async fn content_that_records_name_is_needed(store: &dyn Store) {
    let needed = async |content| store.names_blob(blob(content).hash).await.unwrap();
    let naming = |content| record::naming(blob(content));
    let upload = record(Kind::Upload, 1, &[], &[&naming(1), "owner/x", &naming(2)]);
    commit(store, vec![Write::Put(upload.clone())]).await.unwrap();
    // Other kinds name nothing, whatever their groups are called.
    commit(store, vec![Write::Put(person(2, &[], &[&naming(3)]))]).await.unwrap();
    commit(store, vec![Write::Put(record(Kind::DataUpload, 3, &[], &[&naming(2), &naming(4)]))])
        .await
        .unwrap();
    let all = async || [needed(1).await, needed(2).await, needed(3).await, needed(4).await, needed(5).await];
    assert_eq!(all().await, [true, true, false, true, false]);
    let fewer = Record { groups: vec![naming(5)], ..changed(&upload, 2) };
    commit(store, vec![Write::Put(fewer)]).await.unwrap();
    assert_eq!(all().await, [false, true, false, true, true]);
    commit(store, vec![Write::Remove { kind: Kind::DataUpload, id: 3, version: 1 }]).await.unwrap();
    assert_eq!(all().await, [false, false, false, false, true]);
    assert_eq!(record::named(&naming(7)), Some(blob(7)));
    assert_eq!(record::named("owner/x"), None);
}

pub(crate) async fn a_commit_is_all_or_nothing(store: &dyn Store) {
    put(store, &person(1, &["a"], &["all"])).await.unwrap();
    let before = events(store).await;
    let fine = Write::Put(person(2, &["b"], &["all"]));
    let too_long = "x".repeat(513);
    let wrong = [
        (vec![Write::Put(person(1, &[], &[]))], conflict(1)),
        (vec![Write::Put(person(3, &["a"], &[]))], exists()),
        (vec![Write::Put(person(3, &["b"], &[]))], exists()),
        (vec![Write::Remove { kind: Kind::Person, id: 1, version: 9 }], conflict(1)),
        (vec![fine.clone()], Err(StoreError::Damaged("a commit changes a person twice".to_owned()))),
        (
            vec![Write::Put(person(3, &[], &[&too_long]))],
            Err(StoreError::Damaged("a person has a key of more than 512 bytes".to_owned())),
        ),
    ];
    for (with, wanted) in wrong {
        let writes: Vec<Write> = [fine.clone()].into_iter().chain(with.clone()).collect();
        assert_eq!(commit(store, writes).await, wanted, "{with:?}");
        assert_eq!(store.record_by_id(Kind::Person, 2).await, Ok(None));
        assert_eq!(store.record_by_key(Kind::Person, "b").await, Ok(None));
        assert_eq!(store.records(Kind::Person, Some("all"), None, 9).await.unwrap().len(), 1);
        assert_eq!(events(store).await, before);
    }
    let longest = "x".repeat(512);
    put(store, &person(3, &[&longest, ""], &[&longest, ""])).await.unwrap();
    assert_eq!(store.record_by_key(Kind::Person, &longest).await.unwrap().map(|record| record.id), Some(3));
    // Events alone, and nothing at all.
    store.commit(Commit { writes: Vec::new(), events: vec![told(1), told(2)] }).await.unwrap();
    store.commit(Commit::default()).await.unwrap();
    assert_eq!(events(store).await, before + 3);
    let about = Subject::Person(PersonId::from_u128(2));
    assert_eq!(store.events_about(&about, 9).await.unwrap().len(), 1);
}

pub(crate) async fn of_commits_at_once_one_wins(store: &dyn Store) {
    let count = |answers: &[StoreResult<()>], wanted: &StoreResult<()>| {
        answers.iter().filter(|answer| *answer == wanted).count()
    };
    let one_key: Vec<_> = (1..=20).map(|id| person(id, &["the key"], &[])).collect();
    let answers = futures_util::future::join_all(one_key.iter().map(|record| put(store, record))).await;
    assert_eq!((count(&answers, &Ok(())), count(&answers, &exists())), (1, 19));
    let winner = store.record_by_key(Kind::Person, "the key").await.unwrap().unwrap();
    assert_eq!(store.records(Kind::Person, None, None, 99).await.unwrap(), std::slice::from_ref(&winner));

    let next = changed(&winner, 2);
    let answers = futures_util::future::join_all((0..20).map(|_| put(store, &next))).await;
    assert_eq!((count(&answers, &Ok(())), count(&answers, &conflict(2))), (1, 19));
    let answers = futures_util::future::join_all((0..20).map(|_| remove(store, winner.id, 2))).await;
    assert_eq!((count(&answers, &Ok(())), count(&answers, &conflict(0))), (1, 19));
    assert_eq!(events(store).await, 3);
}

pub(crate) async fn ten_thousand_records_are_read_in_pages(store: &dyn Store) {
    const RECORDS: u128 = 10_000;
    for portion in 0..RECORDS / 500 {
        let writes = (portion * 500..(portion + 1) * 500).map(|id| {
            let group = ["a", "ab", ""][usize::try_from(id % 3).unwrap()];
            Write::Put(person(id, &[&format!("key {id}")], &[group, "all"]))
        });
        store.commit(Commit { writes: writes.collect(), events: Vec::new() }).await.unwrap();
    }
    put(store, &record(Kind::Session, 5, &[], &["a"])).await.unwrap();
    put(store, &record(Kind::Session, u128::MAX, &[], &["a"])).await.unwrap();
    let pages = async |kind, group, limit| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.records(kind, group, after, limit).await.unwrap();
            let Some(last) = page.last() else { return found };
            assert!(page.len() <= limit);
            after = Some(last.id);
            found.extend(page.into_iter().map(|record| record.id));
        }
    };
    let every = |start: usize| (0..RECORDS).skip(start).step_by(3).collect::<Vec<_>>();
    assert_eq!(pages(Kind::Person, None, 999).await, (0..RECORDS).collect::<Vec<_>>());
    assert_eq!(pages(Kind::Person, Some("all"), 1000).await, (0..RECORDS).collect::<Vec<_>>());
    assert_eq!(pages(Kind::Person, Some("a"), 700).await, every(0));
    assert_eq!(pages(Kind::Person, Some("ab"), 700).await, every(1));
    assert_eq!(pages(Kind::Person, Some(""), 5000).await, every(2));
    assert_eq!(pages(Kind::Person, Some("none"), 9).await, []);
    assert_eq!(pages(Kind::Session, Some("a"), 1).await, [5, u128::MAX]);
    assert_eq!(pages(Kind::Link, None, 9).await, []);
}
