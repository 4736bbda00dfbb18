//! Tickets over a real store: to whom they belong, when they end, and that what is decided is decided once.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::handed::{Purpose, Vendor, recognise};
use postroom_domain::ids::{IdMint, IntakeId, WorkItemId};
use postroom_domain::person::{Principal, Role};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::ticket::{Captured, LIFE, NewTicket, Order, TO_OPEN, Tickets};
use postroom_store::MemoryStore;

struct Desk {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    entropy: SeededEntropy,
    mint: IdMint,
}

impl Desk {
    fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            clock: ManualClock::at("2026-11-27T09:00:00Z"),
            entropy: SeededEntropy::new(1),
            mint: IdMint::after(0),
        }
    }

    fn tickets(&self) -> Tickets<'_> {
        Tickets { registry: &*self.store, clock: &self.clock, entropy: &self.entropy, mint: &self.mint }
    }
}

fn person(name: &str) -> Principal {
    Principal::program(name, Role::User, "main".parse().unwrap())
}

fn new() -> NewTicket {
    let things = recognise(Vendor::Imanage, [("doc", "ACTIVE!1.1")]).things;
    NewTicket { service: "dms".parse().unwrap(), purpose: Purpose::SendTo, things }
}

fn order(number: u128) -> Order {
    Order {
        work_item: WorkItemId::from_u128(number),
        reference: format!("SR-{number}"),
        title: String::new(),
        area: String::new(),
        workflow: None,
        intake: None,
        done: false,
    }
}

fn captured(version: &str) -> Captured {
    Captured { id: "ACTIVE!1.1".into(), version: Some(version.into()), name: "a.pdf".into(), size: None }
}

#[tokio::test]
async fn a_ticket_is_opened_in_time_by_its_session_and_swept_afterwards() {
    let desk = Desk::new();
    let tickets = desk.tickets();
    let (mina, tao) = (person("mina"), person("tao"));
    let late = tickets.make(&mina, "session/1", new()).await.unwrap();
    let kept = tickets.make(&mina, "session/1", new()).await.unwrap();
    for (by, holder) in [(&tao, "session/1"), (&mina, "session/2"), (&mina, "")] {
        assert_eq!(tickets.open(by, holder, kept.id).await.unwrap(), None, "{} {holder}", by.name);
    }
    assert!(tickets.open(&mina, "session/1", kept.id).await.unwrap().unwrap().opened);
    desk.clock.advance(TO_OPEN);
    assert_eq!(tickets.open(&mina, "session/1", late.id).await.unwrap(), None, "a minute is over");
    assert_eq!(tickets.sweep().await.unwrap(), 1);
    desk.clock.advance(LIFE.saturating_sub(TO_OPEN + Duration::from_secs(1)));
    assert!(
        tickets.open(&mina, "session/1", kept.id).await.unwrap().is_some(),
        "looking again does not end it"
    );
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(tickets.find(&mina, "session/1", kept.id).await.unwrap(), None);
    assert_eq!(tickets.sweep().await.unwrap(), 1);
    assert_eq!(tickets.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_decided_first_stands_and_versions_stay() {
    let desk = Desk::new();
    let tickets = desk.tickets();
    let mina = person("mina");
    let made = tickets.make(&mina, "s", new()).await.unwrap();
    let opened = tickets.open(&mina, "s", made.id).await.unwrap().unwrap();
    let seen = tickets.capture(opened.clone(), vec![captured("1")]).await.unwrap();
    // Two requests at the same moment, both over what they read before.
    let first = tickets.decide(&seen, order(1)).await.unwrap();
    let second = tickets.decide(&seen, order(2)).await.unwrap();
    assert_eq!((first.order, second.order.clone()), (Some(order(1)), Some(order(1))));
    let later = tickets.capture(opened, vec![captured("2")]).await.unwrap();
    assert_eq!(later.captured, [captured("1")], "what is being sent does not change any more");
    let intake = Some(IntakeId::from_u128(7));
    let done = tickets.finish(&second, intake).await.unwrap();
    let wanted = Order { intake, done: true, ..order(1) };
    assert_eq!(done.order.as_ref(), Some(&wanted));
    assert_eq!(tickets.finish(&second, Some(IntakeId::from_u128(8))).await.unwrap().order, Some(wanted));
}

#[tokio::test]
async fn nobody_fills_the_store_with_tickets_and_no_number_is_given_twice() {
    let desk = Desk::new();
    let tickets = desk.tickets();
    let mina = person("mina");
    let sent = tickets.make(&mina, "s", new()).await.unwrap();
    let sent = tickets.open(&mina, "s", sent.id).await.unwrap().unwrap();
    tickets.decide(&sent, order(1)).await.unwrap();
    let other = tickets.make(&person("tao"), "s", new()).await.unwrap();
    let mut last = sent.id;
    for _ in 0..200 {
        last = tickets.make(&mina, "s", new()).await.unwrap().id;
    }
    desk.clock.advance(LIFE);
    assert_eq!(tickets.sweep().await.unwrap(), 51, "fifty of hers, and the other's");
    let _ = (last, other);
    let numbers = async |name| {
        let (a, b, c) = tokio::join!(tickets.count(name), tickets.count(name), tickets.count(name));
        let mut all = [a.unwrap(), b.unwrap(), c.unwrap()];
        all.sort_unstable();
        all
    };
    assert_eq!(numbers("reference/main/SR-").await, [1, 2, 3]);
    assert_eq!(numbers("reference/leeds/SR-").await, [1, 2, 3]);
    assert_eq!(numbers("reference/main/SR-").await, [4, 5, 6]);
}
