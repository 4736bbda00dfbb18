//! What looks after accounts by itself, over a real desk and a directory in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::capability::Level;
use postroom_domain::cause::Cause;
use postroom_domain::desk::{DmsAccounts, DmsAccountsAt, NewPerson, People, PersonChange};
use postroom_domain::dms::{DmsError, DmsResult, DmsUser, Made, NewUser, Trouble};
use postroom_domain::dms_account::{AccountPolicy, CreateAccounts, Directory, Offers};
use postroom_domain::link::Refusal;
use postroom_domain::people::{Person, Status};
use postroom_domain::person::{Actor, Principal, Sites};
use tokio::sync::{Notify, Semaphore};

use super::{Caretaker, News, finding};
use crate::foundation::Foundation;
use crate::settings::{Settings, main_site};

/// A server's settings with nothing in them. The key protects nothing.
const SETTINGS: &str = r#"
[data]
dir = "/nowhere"
[vault]
passphrase = "a passphrase of these tests, which has more than a hundred characters so that a keyring is made of it, and no secret"
private_key = """
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMX4UTUL0yGCQPx88
9HVsE8qBzgk/0t7d7QmLTJi1KIWhRANCAARIzvyyuB4J59wv5UwM0uLGY6uXecXJ
BQUX1umqilfE6XPhNSkehou4rw5XAu3JdUtK7G0OAbmgzKZALZwxpV5l
-----END PRIVATE KEY-----
"""
"#;

/// A directory that makes accounts when it is let.
struct Played {
    offers: Offers,
    users: Mutex<Vec<DmsUser>>,
    /// What goes wrong with the next calls.
    errors: Mutex<VecDeque<DmsError>>,
    /// Each answer takes one of these.
    permits: Semaphore,
    /// A call has come, or an answer has gone.
    moved: Notify,
    calls: Mutex<usize>,
}

impl Played {
    fn new(permits: usize) -> Arc<Self> {
        Self::offering(Offers { find: true, make: true }, permits)
    }

    fn offering(offers: Offers, permits: usize) -> Arc<Self> {
        Arc::new(Self {
            offers,
            users: Mutex::default(),
            errors: Mutex::default(),
            permits: Semaphore::new(permits),
            moved: Notify::new(),
            calls: Mutex::new(0),
        })
    }

    fn emails(&self) -> Vec<String> {
        self.users.lock().unwrap().iter().map(|user| user.email.clone()).collect()
    }

    async fn until(&self, fits: impl Fn(&Self) -> bool) {
        let waiting = async {
            loop {
                let moved = self.moved.notified();
                if fits(self) {
                    return;
                }
                moved.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it comes to that");
    }
}

impl Directory for Played {
    fn offers(&self) -> Offers {
        self.offers
    }

    fn find<'a>(&'a self, _: &'a Actor, email: &'a str) -> Fut<'a, DmsResult<Vec<DmsUser>>> {
        Box::pin(async move {
            let error = self.errors.lock().unwrap().pop_front();
            *self.calls.lock().unwrap() += 1;
            self.moved.notify_waiters();
            match error {
                Some(error) => Err(error),
                None => {
                    Ok(self.users.lock().unwrap().iter().filter(|it| it.email == email).cloned().collect())
                }
            }
        })
    }

    fn make<'a>(&'a self, _: &'a Actor, new: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        Box::pin(async move {
            *self.calls.lock().unwrap() += 1;
            self.moved.notify_waiters();
            self.permits.acquire().await.unwrap().forget();
            let (id, email) = (new.email.to_uppercase(), new.email.to_owned());
            let user = DmsUser { id, name: new.given_name.to_owned(), email, external: false, active: true };
            self.users.lock().unwrap().push(user.clone());
            self.moved.notify_waiters();
            Ok(Made::New(user))
        })
    }
}

struct World {
    foundation: Foundation,
    people: Arc<People>,
    news: News,
}

impl World {
    async fn new() -> Self {
        let settings = Settings::parse("test.toml", SETTINGS, std::iter::empty()).unwrap();
        let foundation = Foundation::lay_in_the_air(&settings).await.unwrap();
        let news = News::default();
        let registry = news.over(foundation.store.clone());
        let people = crate::house::people(&settings, &foundation, "http://127.0.0.1:1", registry).unwrap();
        Self { foundation, people, news }
    }

    fn accounts(&self, create: CreateAccounts, directory: &Arc<Played>) -> Arc<DmsAccounts> {
        let at = DmsAccountsAt {
            service: "dms".parse().unwrap(),
            policy: AccountPolicy { create, ..AccountPolicy::default() },
            directory: directory.clone(),
        };
        let retry = RetryPolicy { first_seconds: 1, cap_seconds: 1, jitter: 0.0, ..RetryPolicy::default() };
        Arc::new(DmsAccounts::new(self.people.clone(), vec![at], retry))
    }

    fn caretaker(&self, create: CreateAccounts, directory: &Arc<Played>) -> Caretaker {
        Caretaker::start(&self.accounts(create, directory), &self.news, &self.foundation.clock)
    }

    fn root() -> Principal {
        People::local_administrator(main_site())
    }

    async fn add(&self, email: &str, status: Status) -> Person {
        let new = NewPerson {
            email: email.to_owned(),
            display_name: String::new(),
            roles: vec!["user".parse().unwrap()],
            sites: Sites::one(main_site()),
            teams: Vec::new(),
            status,
        };
        self.people.add_person(&Self::root(), new).await.unwrap()
    }

    async fn set(&self, person: &Person, status: Status) {
        let change = PersonChange { status: Some(status), ..PersonChange::default() };
        self.people.change_person(&Self::root(), person.id, None, change).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_come_in_gets_one_account() {
    let world = World::new().await;
    world.add("before@firm.example", Status::Active).await;
    world.add("left@firm.example", Status::Disabled).await;
    let waiting = world.add("waiting@firm.example", Status::Pending).await;
    let directory = Played::new(100);
    let caretaker = world.caretaker(CreateAccounts::Automatic, &directory);
    directory.until(|it| it.emails() == ["before@firm.example"]).await;
    world.add("after@firm.example", Status::Active).await;
    directory.until(|it| it.emails().len() == 2).await;
    world.set(&waiting, Status::Active).await;
    directory.until(|it| it.emails().len() == 3).await;
    caretaker.stop(Duration::from_secs(30)).await;
    // Another start makes nobody a second one, and finds who came meanwhile.
    world.add("meanwhile@firm.example", Status::Active).await;
    let caretaker = world.caretaker(CreateAccounts::Automatic, &directory);
    directory.until(|it| it.emails().len() == 4).await;
    caretaker.stop(Duration::from_secs(30)).await;
    assert_eq!(
        directory.emails(),
        ["before@firm.example", "after@firm.example", "waiting@firm.example", "meanwhile@firm.example"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_what_is_being_made_and_begins_nothing_more() {
    let world = World::new().await;
    for number in 0..5 {
        world.add(&format!("p{number}@firm.example"), Status::Active).await;
    }
    let directory = Played::new(0);
    let caretaker = world.caretaker(CreateAccounts::Automatic, &directory);
    directory.until(|it| *it.calls.lock().unwrap() == 2).await;
    let mut stopping = std::pin::pin!(caretaker.stop(Duration::from_secs(30)));
    tokio::select! {
        biased;
        () = &mut stopping => panic!("it did not wait"),
        () = tokio::task::yield_now() => {}
    }
    directory.permits.add_permits(100);
    stopping.await;
    assert_eq!(directory.emails(), ["p0@firm.example"]);
    // The next start goes on.
    let caretaker = world.caretaker(CreateAccounts::Automatic, &directory);
    directory.until(|it| it.emails().len() == 5).await;
    caretaker.stop(Duration::from_secs(30)).await;
    assert_eq!(
        directory.emails(),
        (0..5).map(|number| format!("p{number}@firm.example")).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dms_that_cannot_be_asked_is_left_alone_and_asked_again() {
    let world = World::new().await;
    for number in 0..5 {
        world.add(&format!("p{number}@firm.example"), Status::Active).await;
    }
    let directory = Played::new(100);
    let down = || DmsError::Unavailable(Trouble::new(Cause::Unreachable, "refused"));
    *directory.errors.lock().unwrap() = VecDeque::from([down(), down()]);
    let caretaker = world.caretaker(CreateAccounts::Automatic, &directory);
    directory.until(|it| it.emails().len() == 5).await;
    caretaker.stop(Duration::from_secs(30)).await;
    // Two looks in vain, then a look and an account for each of the five.
    assert_eq!(*directory.calls.lock().unwrap(), 2 + 5 * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_by_itself_where_that_is_not_set() {
    let world = World::new().await;
    let mary = world.add("mary@firm.example", Status::Active).await;
    let directory = Played::new(100);
    for create in [CreateAccounts::Never, CreateAccounts::OnRequest] {
        let caretaker = world.caretaker(create, &directory);
        world.add(&format!("{}@firm.example", create.as_str().replace('_', "-")), Status::Active).await;
        caretaker.stop(Duration::from_secs(30)).await;
    }
    assert_eq!(*directory.calls.lock().unwrap(), 0);
    let accounts = world.accounts(CreateAccounts::OnRequest, &directory);
    accounts.request(&World::root(), mary.id, &"dms".parse().unwrap()).await.unwrap();
    assert_eq!(directory.emails(), ["mary@firm.example"]);
}

#[tokio::test]
async fn the_report_tells_whether_accounts_are_made() {
    let world = World::new().await;
    let offers = |find, make| Played::offering(Offers { find, make }, 0);
    let refused = || Some(DmsError::Forbidden(Trouble::new(Cause::NoRight, "administrators only")));
    for (create, directory, refusal, error, level, wanted) in [
        (CreateAccounts::Never, offers(false, false), None, None, Level::Good, "never made from here"),
        (
            CreateAccounts::Automatic,
            offers(true, true),
            None,
            None,
            Level::Good,
            "made automatically, if there is none",
        ),
        (
            CreateAccounts::OnRequest,
            offers(false, true),
            None,
            None,
            Level::Good,
            "made on request, if there is none",
        ),
        (
            CreateAccounts::Automatic,
            offers(false, false),
            None,
            None,
            Level::Bad,
            "made automatically, but it will not work: not available here",
        ),
        (
            CreateAccounts::OnRequest,
            offers(true, false),
            None,
            None,
            Level::Warning,
            "found by e-mail on request",
        ),
        (
            CreateAccounts::Automatic,
            offers(true, true),
            Some(Refusal::NoSystemAccount),
            None,
            Level::Bad,
            "it will not work: no system account is linked",
        ),
        (
            CreateAccounts::Automatic,
            offers(true, true),
            None,
            refused(),
            Level::Bad,
            "it will not work: administrators only",
        ),
    ] {
        directory.errors.lock().unwrap().extend(error);
        let accounts = world.accounts(create, &directory);
        let service = "dms".parse().unwrap();
        let found = finding(&accounts, &service, refusal, true).await.unwrap();
        assert_eq!(found.level, level, "{found:?}");
        assert!(found.detail.contains(wanted), "{wanted:?} is not in {found:?}");
        assert_eq!(found.advice.is_empty(), level == Level::Good, "{found:?}");
        assert_eq!(directory.emails(), Vec::<String>::new());
        // The settings alone ask nobody.
        let before = *directory.calls.lock().unwrap();
        assert!(finding(&accounts, &service, refusal, false).await.is_some());
        assert_eq!(*directory.calls.lock().unwrap(), before);
    }
}
