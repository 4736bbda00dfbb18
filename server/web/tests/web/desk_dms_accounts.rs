//! Accounts of persons in the DMSs: found, or made, and never twice.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::desk::{AccountSeen, DeskError, DmsAccounts, Ensured, PersonChange};
use postroom_domain::dms::{DmsError, RetryAfter};
use postroom_domain::ids::ServiceName;
use postroom_domain::people::{Person, Status};
use postroom_domain::person::Permission;
use postroom_domain::time::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::desk_world::{Desk, service};
use crate::directory::{Fault, accounts, trouble, user};
use crate::world::{Answer, World};

const LAG: Duration = Duration::from_mins(2);

fn eu() -> ServiceName {
    service("dms-eu")
}

async fn mary(desk: &Desk) -> Person {
    desk.add("mary.harrow@harrow.example", "user", "london", Status::Active).await
}

async fn ensure(desk: &Desk, person: &Person) -> Ensured {
    desk.accounts.ensure(&eu(), person.id).await.unwrap()
}

async fn request(desk: &Desk, person: &Person) -> AccountSeen {
    desk.accounts.request(&desk.root(), person.id, &eu()).await.unwrap()
}

async fn seen(desk: &Desk, person: &Person) -> AccountSeen {
    desk.accounts.of(&desk.root(), person.id).await.unwrap().swap_remove(0)
}

fn state(seen: &AccountSeen) -> &'static str {
    seen.known.as_ref().map_or("none", |it| it.state.name())
}

fn lost() -> DmsError {
    DmsError::UnknownOutcome(trouble(Cause::AnswerLost, "the connection broke"))
}

#[tokio::test]
async fn an_account_is_made_once_and_told() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    let tess = desk.add("t.teal@teal.example", "user", "leeds", Status::Active).await;
    let before = desk.count().await;
    assert_eq!(seen(&desk, &mary).await.words(), "nobody looked yet; one is made automatically");
    for person in [&mary, &tess] {
        assert_eq!(ensure(&desk, person).await, Ensured::Asked);
        assert_eq!(ensure(&desk, person).await, Ensured::Nothing);
    }
    assert_eq!(
        desk.directory.calls(),
        [
            "find mary.harrow@harrow.example",
            "make mary.harrow@harrow.example Mary/Harrow external=false invite=false library=ACTIVE by postroom \
             for mary.harrow@harrow.example",
            "find t.teal@teal.example",
            "make t.teal@teal.example T/Teal external=true invite=false library=ACTIVE by postroom \
             for t.teal@teal.example",
        ]
    );
    assert_eq!(
        desk.told(before).await,
        [
            "postroom: account in a DMS made [mary.harrow@harrow.example at dms-eu: account U1]",
            "postroom: account in a DMS made [t.teal@teal.example at dms-eu: account U2]",
        ]
    );
    let seen = seen(&desk, &tess).await;
    assert_eq!((state(&seen), seen.usable()), ("made", Some(true)));
    assert_eq!(seen.words(), "it was made: u2 (U2), as an external user");
    // Asked again, it is looked at and stays what it was; nothing is told.
    let before = desk.count().await;
    assert_eq!(state(&request(&desk, &mary).await), "made");
    assert_eq!(desk.directory.calls(), ["find mary.harrow@harrow.example"]);
    assert_eq!(desk.count().await, before);
}

#[tokio::test]
async fn an_account_that_is_there_is_left_as_it_is_and_a_locked_one_is_told() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    desk.directory.with(|it| it.users.push(user("MHARROW", "Mary.Harrow@Harrow.example", false)));
    let before = desk.count().await;
    let seen = request(&desk, &mary).await;
    assert_eq!((state(&seen), seen.usable()), ("found", Some(false)));
    assert_eq!(
        seen.words(),
        "there was one already: mharrow (MHARROW); it is locked or may not log in there, which only those who run the DMS change"
    );
    assert_eq!(
        desk.told(before).await,
        [
            "local administrator: account in a DMS found [mary.harrow@harrow.example at dms-eu: account MHARROW, \
          which is locked or may not log in there]"
        ]
    );
    // Unlocked there, it is so here when somebody looks; gone there, nothing is made before somebody asks again.
    desk.directory.with(|it| it.users[0].active = true);
    assert_eq!(request(&desk, &mary).await.usable(), Some(true));
    desk.directory.with(|it| it.users.clear());
    assert_eq!(ensure(&desk, &mary).await, Ensured::Nothing);
    let gone = request(&desk, &mary).await;
    assert_eq!(state(&gone), "refused");
    assert!(gone.words().contains("MHARROW is not found by this e-mail any more"), "{}", gone.words());
    assert_eq!(ensure(&desk, &mary).await, Ensured::Nothing);
    assert_eq!(desk.directory.emails(), Vec::<String>::new());
    assert_eq!(state(&request(&desk, &mary).await), "made");
}

#[tokio::test]
async fn many_who_ask_at_once_make_one() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    let root = desk.root();
    let service = eu();
    let asked = (0..12).map(|_| desk.accounts.request(&root, mary.id, &service));
    let by_itself = (0..4).map(|_| desk.accounts.ensure(&service, mary.id));
    let (asked, by_itself) =
        tokio::join!(futures_util::future::join_all(asked), futures_util::future::join_all(by_itself));
    for seen in asked {
        assert!(["asking", "made"].contains(&state(&seen.unwrap())));
    }
    for ensured in by_itself {
        ensured.unwrap();
    }
    assert_eq!(desk.directory.emails(), ["mary.harrow@harrow.example"]);
    assert_eq!(state(&seen(&desk, &mary).await), "made");
    let told = desk.told(0).await;
    assert_eq!(told.iter().filter(|it| it.contains("account in a DMS")).count(), 1, "{told:#?}");
}

/// The answer is lost; the DMS has made the account, or has not; and it finds it at once, late, or never.
#[tokio::test]
async fn a_lost_answer_makes_no_second_account() {
    for (made, found_at_once) in [(true, true), (true, false), (false, true)] {
        let desk = Desk::new();
        let mary = mary(&desk).await;
        desk.directory.fails(if made { Fault::Lost(lost()) } else { Fault::Make(lost()) });
        if !found_at_once {
            desk.directory.with(|it| it.found = Some(0));
        }
        let until = desk.clock.now() + jiff::SignedDuration::try_from(LAG).unwrap();
        assert_eq!(ensure(&desk, &mary).await, Ensured::Stopped(until));
        assert_eq!(desk.directory.calls().len(), 2);
        let case = format!("made {made}, found at once {found_at_once}");
        // At once nothing but a look is of use; who asks gets that.
        assert_eq!(ensure(&desk, &mary).await, Ensured::Later(until), "{case}");
        let answer = request(&desk, &mary).await;
        assert_eq!(desk.directory.calls(), ["find mary.harrow@harrow.example"], "{case}");
        if made && found_at_once {
            assert_eq!(state(&answer), "found", "{case}");
        } else {
            assert_eq!(state(&answer), "failed", "{case}");
            assert!(answer.words().contains("the answer was lost"), "{}", answer.words());
            desk.directory.with(|it| it.found = None);
            desk.clock.advance(LAG);
            assert_eq!(ensure(&desk, &mary).await, Ensured::Asked, "{case}");
        }
        let end = seen(&desk, &mary).await;
        assert_eq!(state(&end), if made { "found" } else { "made" }, "{case}");
        assert_eq!(desk.directory.emails(), ["mary.harrow@harrow.example"], "{case}");
    }
}

#[tokio::test]
async fn a_changed_email_does_not_hide_what_a_lost_answer_made() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    desk.directory.fails(Fault::Lost(lost()));
    ensure(&desk, &mary).await;
    let change =
        PersonChange { email: Some("mary.teal@harrow.example".to_owned()), ..PersonChange::default() };
    desk.people.change_person(&desk.root(), mary.id, None, change).await.unwrap();
    desk.clock.advance(LAG);
    desk.directory.calls();
    assert_eq!(ensure(&desk, &mary).await, Ensured::Asked);
    assert_eq!(desk.directory.calls(), ["find mary.harrow@harrow.example"]);
    assert_eq!(desk.directory.emails(), ["mary.harrow@harrow.example"]);
    assert_eq!(ensure(&desk, &mary).await, Ensured::Nothing);
}

/// Their e-mail changes here and not there: the account is still theirs.
#[tokio::test]
async fn a_known_account_is_found_by_the_email_that_it_was_known_by() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    ensure(&desk, &mary).await;
    let change =
        PersonChange { email: Some("mary.teal@harrow.example".to_owned()), ..PersonChange::default() };
    desk.people.change_person(&desk.root(), mary.id, None, change).await.unwrap();
    assert_eq!(ensure(&desk, &mary).await, Ensured::Nothing);
    for _ in 0..3 {
        assert_eq!(state(&request(&desk, &mary).await), "made");
    }
    assert_eq!(desk.directory.emails(), ["mary.harrow@harrow.example"]);
}

/// The process ends while the DMS makes the account.
#[tokio::test]
async fn what_was_interrupted_is_looked_for_first() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    desk.directory.fails(Fault::Hangs);
    {
        let service = eu();
        let made = async {
            while desk.directory.emails().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ensured = desk.accounts.ensure(&service, mary.id) => panic!("it came back: {ensured:?}"),
            () = made => {}
        }
    }
    assert_eq!(state(&seen(&desk, &mary).await), "asking");
    assert!(matches!(ensure(&desk, &mary).await, Ensured::Later(_)));
    desk.directory.calls();
    desk.clock.advance(Duration::from_secs(1));
    let next: std::sync::Arc<DmsAccounts> = accounts(&desk.people, &desk.directory, &desk.directory);
    assert!(matches!(next.ensure(&eu(), mary.id).await.unwrap(), Ensured::Later(_)));
    desk.clock.advance(LAG);
    assert_eq!(next.ensure(&eu(), mary.id).await.unwrap(), Ensured::Asked);
    assert_eq!(desk.directory.calls(), ["find mary.harrow@harrow.example"]);
    assert_eq!(desk.directory.emails(), ["mary.harrow@harrow.example"]);
    assert_eq!(state(&seen(&desk, &mary).await), "found");
}

#[tokio::test]
async fn what_fails_is_tried_again_and_told_once() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    let in_seconds = |seconds: i64| desk.clock.now() + jiff::SignedDuration::from_secs(seconds);
    let before = desk.count().await;
    let forbidden = || DmsError::Forbidden(trouble(Cause::NoRight, "administrators only"));
    for pause in [60, 120, 240] {
        desk.directory.fails(Fault::Make(forbidden()));
        assert_eq!(ensure(&desk, &mary).await, Ensured::Stopped(in_seconds(pause)));
        assert_eq!(ensure(&desk, &mary).await, Ensured::Later(in_seconds(pause)));
        desk.clock.advance(Duration::from_secs(pause.unsigned_abs()));
    }
    let until = Some(RetryAfter::Seconds(900));
    let throttled = DmsError::Throttled { until, trouble: trouble(Cause::Throttled, "slow down") };
    desk.directory.fails(Fault::Find(throttled));
    assert_eq!(ensure(&desk, &mary).await, Ensured::Stopped(in_seconds(900)));
    assert_eq!(
        desk.told(before).await,
        ["administrators only", "slow down"].map(|why| format!(
            "postroom: account in a DMS not made [mary.harrow@harrow.example at dms-eu: {why}]"
        ))
    );
    // What the DMS says no to is a person's: it is not asked again by itself.
    desk.clock.advance(Duration::from_mins(15));
    desk.directory.fails(Fault::Make(DmsError::Rejected {
        field: Some("email".to_owned()),
        message: "the address is in use".to_owned(),
        trouble: trouble(Cause::Rejected, "400"),
    }));
    assert_eq!(ensure(&desk, &mary).await, Ensured::Asked);
    desk.clock.advance(Duration::from_hours(24 * 30));
    assert_eq!(ensure(&desk, &mary).await, Ensured::Nothing);
    assert_eq!(seen(&desk, &mary).await.words(), "refused: email: the address is in use");
    assert_eq!(desk.directory.emails(), Vec::<String>::new());
    desk.directory.with(|it| {
        it.users = vec![
            user("A", "mary.harrow@harrow.example", true),
            user("B", "mary.harrow@harrow.example", true),
        ];
    });
    assert!(request(&desk, &mary).await.words().starts_with("refused: 2 accounts have this e-mail"));
}

#[tokio::test]
async fn what_a_dms_cannot_do_reads_not_available_here() {
    let desk = Desk::new();
    let mary = mary(&desk).await;
    let all = desk.accounts.of(&desk.root(), mary.id).await.unwrap();
    assert_eq!(all.iter().map(|it| it.service.as_str()).collect::<Vec<_>>(), ["dms-eu", "dms-us", "files"]);
    assert!(all[2].words().contains("create = \"never\""), "{}", all[2].words());
    // It finds, and makes none.
    let us = service("dms-us");
    let seen = desk.accounts.request(&desk.root(), mary.id, &us).await.unwrap();
    assert_eq!(state(&seen), "not_available");
    assert!(
        seen.words().starts_with("not available here: nobody has an account with this e-mail"),
        "{}",
        seen.words()
    );
    assert_eq!(desk.us.calls(), ["find mary.harrow@harrow.example"]);
    // It says so only when it is asked; asked again by itself a day later.
    let unsupported = || DmsError::Unsupported(trouble(Cause::Unsupported, "no such operation in 10.1"));
    desk.directory.fails(Fault::Make(unsupported()));
    assert_eq!(ensure(&desk, &mary).await, Ensured::Asked);
    let seen = desk.accounts.of(&desk.root(), mary.id).await.unwrap().swap_remove(0);
    assert_eq!(seen.words(), "not available here: no such operation in 10.1");
    assert!(matches!(ensure(&desk, &mary).await, Ensured::Later(_)));
    desk.clock.advance(Duration::from_hours(24));
    assert_eq!(ensure(&desk, &mary).await, Ensured::Asked);
    assert_eq!(desk.directory.emails(), ["mary.harrow@harrow.example"]);
    // Neither: nobody is asked, and nothing is kept.
    *desk.directory.offers.lock().unwrap() =
        postroom_domain::dms_account::Offers { find: false, make: false };
    let tess = desk.add("tess@harrow.example", "user", "london", Status::Active).await;
    desk.directory.calls();
    assert_eq!(ensure(&desk, &tess).await, Ensured::Nothing);
    let seen = request(&desk, &tess).await;
    assert_eq!((state(&seen), desk.directory.calls()), ("none", Vec::new()));
    assert_eq!(seen.words(), "not available here: this DMS neither finds nor makes accounts of persons");
}

#[tokio::test]
async fn only_who_looks_after_a_person_asks_for_them() {
    let desk = Desk::new();
    let london = desk.who(&desk.member("ada@harrow.example", "desk", "london").await).await.principal;
    let lee = desk.add("lee@harrow.example", "user", "leeds", Status::Active).await;
    let boss = desk.add("boss@harrow.example", "admin", "london", Status::Active).await;
    let user = desk.member("u@harrow.example", "user", "london").await;
    let asked = async |person: &Person, service: ServiceName| {
        desk.accounts.request(&london, person.id, &service).await.map(|_| ())
    };
    assert_eq!(asked(&lee, eu()).await, Err(DeskError::NotFound));
    assert!(matches!(asked(&boss, eu()).await, Err(DeskError::Beyond(_))));
    assert_eq!(asked(&user.person, service("no-such")).await, Err(DeskError::NotFound));
    let files = service("files");
    assert_eq!(asked(&user.person, files.clone()).await, Err(DeskError::NotMadeHere(files)));
    let own = desk.who(&user).await.principal;
    let refused = desk.accounts.request(&own, user.person.id, &eu()).await.map(|_| ());
    assert_eq!(refused, Err(DeskError::NotAllowed(Permission::ManagePersons)));
    assert_eq!(desk.accounts.of(&london, lee.id).await.unwrap_err(), DeskError::NotFound);
    let pending = desk.add("pen@harrow.example", "user", "london", Status::Pending).await;
    assert_eq!(asked(&pending, eu()).await, Err(DeskError::NotActive));
    assert_eq!(desk.accounts.ensure(&eu(), pending.id).await, Ok(Ensured::Nothing));
    assert_eq!(asked(&user.person, eu()).await, Ok(()));
    assert_eq!(desk.directory.emails(), ["u@harrow.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_told_and_asked_for_by_http() {
    let world = World::new().await;
    let mary = mary(&world.desk).await;
    let list = format!("/api/v1/persons/{}/accounts", mary.id);
    let before = world.get("admin", &list).await;
    let shown = |body: &Value| {
        let items = body["items"].as_array().unwrap();
        items
            .iter()
            .map(|it| (it["service"].clone(), it["create"].clone(), it["state"].clone()))
            .collect::<Vec<_>>()
    };
    let row = |service: &str, create: &str, state: &str| (json!(service), json!(create), json!(state));
    let others = [row("dms-us", "on_request", "none"), row("files", "never", "none")];
    let wanted = |state| [&[row("dms-eu", "automatic", state)], others.as_slice()].concat();
    assert_eq!(shown(&before.body), wanted("none"), "{}", before.body);
    let ask = async |who: &str, service: &str| {
        let path = format!("{list}/{service}");
        Answer::of(world.request(who, Method::POST, &path).send().await.unwrap()).await
    };
    let made = ask("admin", "dms-eu").await;
    assert_eq!(made.status, 200, "{}", made.body);
    for (key, value) in [
        ("state", json!("made")),
        ("account", json!("U1")),
        ("usable", json!(true)),
        ("external", json!(false)),
        ("by", json!("admin")),
        ("email", json!("mary.harrow@harrow.example")),
        ("text", json!("it was made: u1 (U1)")),
    ] {
        assert_eq!(made.body[key], value, "{key}: {}", made.body);
    }
    assert_eq!(shown(&world.get("admin", &list).await.body), wanted("made"));
    for (who, service, status, code) in [
        ("admin", "no-such", 404, "not_found"),
        ("admin", "Not%20a%20name", 400, "bad_value"),
        ("admin", "files", 409, "not_allowed_now"),
        ("other", "dms-eu", 404, "not_found"),
        ("operator", "dms-eu", 403, "forbidden"),
        ("", "dms-eu", 401, "unauthorized"),
    ] {
        ask(who, service).await.assert_problem(status, code, &format!("{who} at {service}"));
    }
    assert_eq!(world.desk.directory.emails(), ["mary.harrow@harrow.example"]);
    world.stop().await;
}

/// A client that leaves does not end it in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_although_the_client_left() {
    let world = World::new().await;
    let mary = mary(&world.desk).await;
    let gate = &world.desk.directory.gate;
    let closed = gate.acquire_many(1000).await.unwrap();
    let path = format!("/api/v1/persons/{}/accounts/dms-eu", mary.id);
    let asked = tokio::spawn(world.request("admin", Method::POST, &path).send());
    while state(&seen(&world.desk, &mary).await) != "asking" {
        tokio::task::yield_now().await;
    }
    asked.abort();
    let _left = asked.await;
    drop(closed);
    while state(&seen(&world.desk, &mary).await) != "made" {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.desk.directory.emails(), ["mary.harrow@harrow.example"]);
    world.stop().await;
}
