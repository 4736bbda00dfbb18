//! Persons as administrators look after them, and one-time links.

use postroom_domain::desk::{Browser, DeskError, NewPerson, NotLetIn, People, PersonChange};
use postroom_domain::people::{Person, Status};
use postroom_domain::person::{Permission, Principal, Sites};
use secrecy::{ExposeSecret as _, SecretString};

use crate::desk_world::{Desk, browser, secret};

fn new(email: &str, role: &str, sites: Sites) -> NewPerson {
    NewPerson {
        email: email.to_owned(),
        display_name: "Somebody".to_owned(),
        roles: vec![role.parse().unwrap()],
        sites,
        teams: Vec::new(),
        status: Status::Active,
    }
}

fn site(name: &str) -> Sites {
    Sites::one(name.parse().unwrap())
}

fn roles(role: &str) -> PersonChange {
    PersonChange { roles: Some(vec![role.parse().unwrap()]), ..Default::default() }
}

fn status(status: Status) -> PersonChange {
    PersonChange { status: Some(status), ..Default::default() }
}

fn key(url: &SecretString) -> &str {
    url.expose_secret().rsplit_once('/').unwrap().1
}

async fn principal(desk: &Desk, email: &str, role: &str, site: &str) -> Principal {
    desk.who(&desk.member(email, role, site).await).await.principal
}

#[tokio::test]
async fn persons_of_another_site_do_not_exist() {
    let desk = Desk::new();
    let people = &desk.people;
    let london = principal(&desk, "ada@harrow.example", "admin", "london").await;
    let lee = desk.add("lee@harrow.example", "user", "leeds", Status::Active).await;
    assert_eq!(people.person(&london, lee.id).await.unwrap_err(), DeskError::NotFound);
    assert_eq!(people.invite(&london, lee.id).await.map(|_| ()).unwrap_err(), DeskError::NotFound);
    assert_eq!(people.unlock(&london, lee.id).await.unwrap_err(), DeskError::NotFound);
    let change = people.change_person(&london, lee.id, None, status(Status::Disabled)).await;
    assert_eq!(change.unwrap_err(), DeskError::NotFound);
    assert_eq!(people.sessions_of(&london, &lee).await.map(|_| ()).unwrap_err(), DeskError::NotFound);
    let names = async |by: &Principal, text: &str| {
        let (found, next) = people.persons(by, text, None, 100).await.unwrap();
        assert_eq!(next, None);
        found.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&london, "").await, ["ada@harrow.example"]);
    assert!(names(&london, "lee").await.is_empty());
    assert_eq!(names(&desk.root(), "LEE").await, ["lee@harrow.example"]);
    let user = principal(&desk, "mary@harrow.example", "user", "london").await;
    let refused = people.persons(&user, "", None, 10).await.map(|_| ());
    assert_eq!(refused.unwrap_err(), DeskError::NotAllowed(Permission::ManagePersons));
    assert_eq!(people.person(&user, user.person.unwrap()).await.unwrap().name, "mary@harrow.example");
    assert_eq!(people.person(&user, london.person.unwrap()).await.unwrap_err(), DeskError::NotFound);
    // A taken e-mail of another site is refused like any: two persons with one would be worse.
    let taken = people.add_person(&london, new("lee@harrow.example", "user", site("london"))).await;
    assert_eq!(taken.unwrap_err(), DeskError::EmailTaken);
}

#[tokio::test]
async fn lists_go_on_where_they_stopped() {
    let desk = Desk::new();
    for at in 0..450 {
        let place = if at % 2 == 0 { "london" } else { "leeds" };
        desk.add(&format!("p{at:03}@harrow.example"), "user", place, Status::Active).await;
    }
    let london = principal(&desk, "ada@harrow.example", "admin", "london").await;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = desk.people.persons(&london, "p", after, 60).await.unwrap();
        assert!(page.len() <= 60);
        all.extend(page.into_iter().map(|it| it.name));
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let wanted: Vec<_> = (0..450).step_by(2).map(|at| format!("p{at:03}@harrow.example")).collect();
    all.retain(|it| it != "ada@harrow.example");
    assert_eq!(all, wanted);
}

#[tokio::test]
async fn nobody_gives_or_rules_over_more_than_they_have() {
    let desk = Desk::new();
    let people = &desk.people;
    let dora = principal(&desk, "dora@harrow.example", "desk", "london").await;
    let admin = desk.add("ada@harrow.example", "admin", "london", Status::Active).await;
    let user = desk.add("mary@harrow.example", "user", "london", Status::Active).await;
    let wide = NewPerson {
        sites: Sites::all("london".parse().unwrap()),
        ..new("w@harrow.example", "user", site("london"))
    };
    let wide_person = people.add_person(&desk.root(), wide.clone()).await.unwrap();
    let is_beyond =
        |answer: Result<(), DeskError>| assert!(matches!(answer, Err(DeskError::Beyond(_))), "{answer:?}");
    // A one-time link for somebody who may do more would be a way to become them.
    for above in [&admin, &wide_person] {
        is_beyond(people.invite(&dora, above.id).await.map(|_| ()));
        is_beyond(people.change_person(&dora, above.id, None, status(Status::Disabled)).await.map(|_| ()));
        is_beyond(people.unlock(&dora, above.id).await.map(|_| ()));
        is_beyond(people.tokens_of(&dora, above).await.map(|_| ()));
    }
    is_beyond(people.change_person(&dora, user.id, None, roles("admin")).await.map(|_| ()));
    is_beyond(people.change_person(&dora, dora.person.unwrap(), None, roles("operator")).await.map(|_| ()));
    let leeds = PersonChange { sites: Some(site("leeds")), ..Default::default() };
    is_beyond(people.change_person(&dora, user.id, None, leeds).await.map(|_| ()));
    is_beyond(people.add_person(&dora, new("x@harrow.example", "support", site("london"))).await.map(|_| ()));
    is_beyond(
        people
            .add_person(&dora, NewPerson { email: "y@harrow.example".to_owned(), ..wide })
            .await
            .map(|_| ()),
    );
    people.change_person(&dora, user.id, None, roles("desk")).await.unwrap();
    people.invite(&dora, user.id).await.unwrap();
    let table = [
        ("roles", roles("wizard")),
        ("roles", PersonChange { roles: Some(Vec::new()), ..Default::default() }),
        ("email", PersonChange { email: Some("nonsense".to_owned()), ..Default::default() }),
        ("display_name", PersonChange { display_name: Some(" ".to_owned()), ..Default::default() }),
    ];
    for (wanted, change) in table {
        match people.change_person(&dora, user.id, None, change).await.unwrap_err() {
            DeskError::Bad { field, .. } => assert_eq!(field, wanted),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_change_says_what_it_looked_at_and_is_told() {
    let desk = Desk::new();
    let root = desk.root();
    let mary = desk.add("mary@harrow.example", "user", "london", Status::Active).await;
    desk.add("otto@harrow.example", "user", "london", Status::Active).await;
    let told = desk.count().await;
    let email = |email: &str| PersonChange { email: Some(email.to_owned()), ..Default::default() };
    let next =
        desk.people.change_person(&root, mary.id, Some(1), email("M.Smith@harrow.example")).await.unwrap();
    assert_eq!(
        (next.version, next.name.as_str(), next.email.as_str()),
        (2, "mary@harrow.example", "m.smith@harrow.example")
    );
    let stale = desk.people.change_person(&root, mary.id, Some(1), email("x@harrow.example")).await;
    assert_eq!(stale.unwrap_err(), DeskError::Changed { version: 2 });
    for taken in ["otto@harrow.example", "OTTO@harrow.example"] {
        let answer = desk.people.change_person(&root, mary.id, None, email(taken)).await;
        assert_eq!(answer.unwrap_err(), DeskError::EmailTaken);
    }
    // What changes nothing writes nothing.
    let same =
        desk.people.change_person(&root, mary.id, None, email("m.smith@harrow.example")).await.unwrap();
    assert_eq!(same.version, 2);
    assert_eq!(
        desk.told(told).await,
        ["local administrator: person changed [mary@harrow.example: email (status active)]"]
    );
}

#[tokio::test]
async fn the_last_administrator_stays_also_when_two_put_each_other_out() {
    let desk = Desk::new();
    let root = desk.root();
    let people = &desk.people;
    let one = desk.add("one@harrow.example", "admin", "london", Status::Active).await;
    for change in [status(Status::Disabled), status(Status::Pending), roles("operator")] {
        let answer = people.change_person(&root, one.id, None, change).await;
        assert_eq!(answer.unwrap_err(), DeskError::LastAdministrator);
    }
    desk.add("waits@harrow.example", "admin", "london", Status::Pending).await;
    let answer = people.change_person(&root, one.id, None, status(Status::Disabled)).await;
    assert_eq!(answer.unwrap_err(), DeskError::LastAdministrator, "who waits does not count");
    let two = desk.add("two@harrow.example", "admin", "leeds", Status::Active).await;
    let administrators = async || {
        let (all, _) = people.persons(&root, "", None, 100).await.unwrap();
        let active =
            |it: &&Person| it.status == Status::Active && people.principal(it).may(Permission::Administer);
        all.iter().filter(active).count()
    };
    let (a, b) = tokio::join!(
        people.change_person(&root, one.id, None, status(Status::Disabled)),
        people.change_person(&root, two.id, None, roles("user"))
    );
    assert_eq!([a.is_ok(), b.is_ok()].into_iter().filter(|it| *it).count(), 1, "{a:?} {b:?}");
    assert_eq!(administrators().await, 1);
}

#[tokio::test]
async fn a_one_time_link_works_once_and_the_newest_only() {
    let desk = Desk::new();
    let root = desk.root();
    let people = &desk.people;
    let mary = desk.add("mary@harrow.example", "user", "london", Status::Active).await;
    let first = people.invite(&root, mary.id).await.unwrap().url;
    let second = people.invite(&root, mary.id).await.unwrap().url;
    let accept = async |url: &SecretString, password: &str| {
        people.accept_invitation(key(url), secret(password), browser("b")).await
    };
    assert_eq!(accept(&first, "right").await.unwrap_err(), NotLetIn::LinkUsed);
    assert_eq!(people.invited(key(&second)).await.unwrap().unwrap().id, mary.id);
    assert!(matches!(accept(&second, "x").await.unwrap_err(), NotLetIn::Objection(_)));
    let session = accept(&second, "right").await.unwrap();
    assert_eq!(accept(&second, "other").await.unwrap_err(), NotLetIn::LinkUsed);
    assert!(people.invited(key(&second)).await.unwrap().is_none());
    // Used in a browser where the same person, or another one, was signed in: that session ends too.
    let otto = desk.member("otto@harrow.example", "user", "london").await;
    for before in [&session, &otto] {
        let url = people.invite(&root, mary.id).await.unwrap().url;
        let old = before.secret.expose_secret();
        let browser = Browser { agent: "b", session: Some(old) };
        people.accept_invitation(key(&url), secret("right"), browser).await.unwrap();
        assert!(people.session(old).await.unwrap().is_none());
    }
    // Forgotten: a new one ends the lock and all sessions.
    for _ in 0..5 {
        let _wrong = people.sign_in_with_password("mary@harrow.example", secret("no"), browser("b")).await;
    }
    let third = people.invite(&root, mary.id).await.unwrap().url;
    accept(&third, "newer").await.unwrap();
    assert!(people.session(session.secret.expose_secret()).await.unwrap().is_none());
    people.sign_in_with_password("mary@harrow.example", secret("newer"), browser("b")).await.unwrap();
    // Too late, or shut out.
    let late = people.invite(&root, mary.id).await.unwrap().url;
    desk.clock.advance(std::time::Duration::from_hours(72));
    assert_eq!(accept(&late, "later").await.unwrap_err(), NotLetIn::LinkUsed);
    let out = people.invite(&root, mary.id).await.unwrap().url;
    people.change_person(&root, mary.id, None, status(Status::Disabled)).await.unwrap();
    assert_eq!(accept(&out, "later").await.unwrap_err(), NotLetIn::LinkUsed);
    assert_eq!(people.invite(&root, mary.id).await.map(|_| ()).unwrap_err(), DeskError::NotActive);
    // Let in again, the old link stays dead.
    people.change_person(&root, mary.id, None, status(Status::Active)).await.unwrap();
    assert_eq!(accept(&out, "later").await.unwrap_err(), NotLetIn::LinkUsed);
    for line in desk.told(0).await {
        assert!(!line.contains(key(&third)), "{line}");
    }
}

/// Two administrators invite at once: one link works, whichever it is.
#[tokio::test]
async fn of_two_one_time_links_made_at_once_one_works() {
    let desk = Desk::new();
    let root = desk.root();
    let mary = desk.add("mary@harrow.example", "user", "london", Status::Active).await;
    let (a, b) = tokio::join!(desk.people.invite(&root, mary.id), desk.people.invite(&root, mary.id));
    let mut working = 0;
    for link in [a.unwrap(), b.unwrap()] {
        working += usize::from(desk.people.invited(key(&link.url)).await.unwrap().is_some());
    }
    assert_eq!(working, 1);
}

#[tokio::test]
async fn one_of_many_who_use_a_one_time_link_at_once_comes_in() {
    let desk = Desk::new();
    let mary = desk.add("mary@harrow.example", "user", "london", Status::Active).await;
    let url = desk.people.invite(&desk.root(), mary.id).await.unwrap().url;
    let uses = (0..8).map(|at| {
        let (people, url) = (desk.people.clone(), url.clone());
        async move {
            people.accept_invitation(key(&url), secret(&format!("password {at}")), browser("b")).await.is_ok()
        }
    });
    let answers = futures_util::future::join_all(uses).await;
    let told = desk.told(0).await;
    assert_eq!(told.iter().filter(|it| it.contains("password set")).count(), 1, "{told:?}");
    assert_eq!(answers.into_iter().filter(|it| *it).count(), 1);
}

#[tokio::test]
async fn the_first_administrator_is_added_from_the_machine_itself() {
    let desk = Desk::new();
    assert!(desk.people.is_nobody_here().await.unwrap());
    let root = People::local_administrator("london".parse().unwrap());
    let all = Sites::all("london".parse().unwrap());
    desk.people.add_person(&root, new("Ada@Harrow.example", "admin", all)).await.unwrap();
    assert!(!desk.people.is_nobody_here().await.unwrap());
    assert_eq!(desk.names().await, ["ada@harrow.example"]);
}
