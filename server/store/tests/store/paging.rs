//! A page of a long list looks at about as many rows as it shows, and one that no index serves at a bounded number.

use postroom_domain::cause::Cause;
use postroom_domain::filing::State;
use postroom_domain::ids::FilingId;
use postroom_domain::machine::Event;
use postroom_domain::person::Scope;
use postroom_domain::query::{FilingQuery, Predicate, Term, Window};
use postroom_domain::store::Store;
use postroom_store::{OpenOptions, RedbStore};

use crate::world::{accept, actor, at, filing_as, fresh, happen, refused, request, scope, work_item};

const FILINGS: u64 = 100_000;

#[tokio::test]
async fn pages_of_a_hundred_thousand_filings_do_not_scan() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = RedbStore::open(&home.path().join("store.redb"), OpenOptions::default()).unwrap();
    let mut first: Option<FilingId> = None;
    for portion in 0..FILINGS / 1000 {
        let numbers = portion * 1000..(portion + 1) * 1000;
        let filings = numbers.map(|number| {
            let mut request = request(number, ["dms-eu", "dms-us"][usize::from(number % 1000 == 0)], "in");
            request.submitted_by = if number == 10 { "rare".to_owned() } else { "common".to_owned() };
            filing_as(fresh(), if number % 10_000 == 0 { "paris" } else { "london" }, "scans", request)
        });
        let (_, made) = accept(&store, filings.collect()).await;
        first.get_or_insert(made[0].id);
    }
    let oldest = first.unwrap();
    happen(&store, oldest, Event::Claim, at(1)).await;
    let failed = happen(&store, oldest, refused(Cause::Rejected, Some(422)), at(2)).await;
    assert_eq!(failed.progress.state, State::Failed);

    let is = |predicate| Term { negated: false, any: vec![predicate] };
    let not = |predicate| Term { negated: true, any: vec![predicate] };
    let query = |terms| FilingQuery { terms, ..FilingQuery::default() };
    let paris = FilingQuery { sites: Scope::one("paris".parse().unwrap()), ..FilingQuery::default() };
    let of = |sites: &[&str]| FilingQuery { sites: scope(sites), ..FilingQuery::default() };
    let rare = FilingQuery { submitted_by: Some("rare".to_owned()), ..FilingQuery::default() };
    // Query, page size, items on the first page, rows looked at at most.
    let cases = [
        ("all", query(vec![]), 50, 50, 51),
        ("waiting", query(vec![is(Predicate::State(State::Waiting))]), 50, 50, 51),
        ("the one that failed", query(vec![is(Predicate::State(State::Failed))]), 50, 1, 1),
        ("not waiting", query(vec![not(Predicate::State(State::Waiting))]), 50, 1, 1),
        ("its cause", query(vec![is(Predicate::Cause(Cause::Rejected))]), 50, 1, 1),
        ("its status", query(vec![is(Predicate::Status(422))]), 50, 1, 1),
        ("a destination", query(vec![is(Predicate::Destination("dms-us".parse().unwrap()))]), 50, 50, 51),
        ("a site", paris, 50, 10, 10),
        ("some sites", of(&["paris", "rome"]), 50, 10, 10),
        ("two sites", of(&["paris", "london"]), 50, 50, 51),
        ("no site", of(&["rome"]), 50, 0, 0),
        ("a person", rare, 50, 1, 1),
        ("by", query(vec![is(Predicate::By("rare".to_owned()))]), 50, 1, 1),
        ("an id", query(vec![is(Predicate::Id(oldest))]), 50, 1, 1),
        ("a reference", query(vec![is(Predicate::Reference("ref-3".to_owned()))]), 50, 50, 51),
        ("a text in all", query(vec![is(Predicate::Text("letter".to_owned()))]), 50, 50, 51),
        ("a text in none", query(vec![is(Predicate::Text("nowhere".to_owned()))]), 50, 0, 2500),
        ("no door", query(vec![is(Predicate::From("nobody".to_owned()))]), 50, 0, 2500),
        (
            "older than the oldest",
            query(vec![is(Predicate::OlderThan(std::time::Duration::from_hours(1)))]),
            50,
            0,
            25_000,
        ),
    ];
    for (name, query, limit, items, most) in cases {
        let before = store.rows_looked_at();
        let page = store.list_filings(&query, Window { before: None, limit }, at(5)).await.unwrap();
        let looked_at = store.rows_looked_at() - before;
        assert_eq!(page.items.len(), items, "{name}");
        assert!(looked_at <= most, "{name}: {looked_at} rows were looked at");
        assert_eq!(page.next.is_some(), items == limit || most > 1000, "{name}: {:?}", page.next);
    }
    // A search that is cut off comes to its end by its cursors.
    let none = query(vec![is(Predicate::OlderThan(std::time::Duration::from_hours(1)))]);
    let (mut before, mut calls) = (None, 0);
    loop {
        let page = store.list_filings(&none, Window { before, limit: 50 }, at(5)).await.unwrap();
        assert_eq!(page.items, []);
        calls += 1;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(calls, 5);
    // Of what is open each key is read once.
    let began = std::time::Instant::now();
    let bounds = [std::time::Duration::from_mins(5)];
    let ages = store.ages(&Scope::All, &bounds, at(5)).await.unwrap();
    println!("{FILINGS} open filings were counted by age in {:?}", began.elapsed());
    assert_eq!(ages.iter().flat_map(|line| &line.counts).sum::<u64>(), FILINGS);
    assert_eq!(store.self_check().await.unwrap().wrong, Vec::<String>::new());
}

#[tokio::test]
async fn work_items_of_other_sites_are_not_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let (store, _) = RedbStore::open(&home.path().join("store.redb"), OpenOptions::default()).unwrap();
    for number in 1..=300 {
        let mut item = work_item(number, &format!("R-{number}"), "Harrow v Teal");
        item.site = if number % 100 == 0 { "paris" } else { "london" }.parse().unwrap();
        store.save_work_item(item, Vec::new(), &actor(), at(1)).await.unwrap();
    }
    for (sites, text, items, most) in [
        (&["paris"][..], "", 3, 3),
        (&["paris", "rome"], "teal", 3, 3),
        (&["paris", "rome"], "nothing", 0, 3),
        (&["rome"], "", 0, 0),
        (&["paris", "london"], "", 10, 11),
    ] {
        let before = store.rows_looked_at();
        let window = Window { before: None, limit: 10 };
        let page = store.list_work_items(&scope(sites), text, window).await.unwrap();
        assert_eq!(page.items.len(), items, "{sites:?}");
        let looked_at = store.rows_looked_at() - before;
        assert!(looked_at <= most, "{sites:?}: {looked_at} rows were looked at");
    }
}
