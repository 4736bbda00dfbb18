//! News makes a look come sooner, and nothing depends on it.

use std::time::Duration;

use postroom_inbound::graph::{GraphHandle, GraphOptions, GraphStatus, Notifications};

use crate::receiver::Receiver;
use crate::world::{POST, World, once, options, until};

const LIFE: Duration = Duration::from_mins(4230);

fn wanted(receiver: &Receiver) -> GraphOptions {
    let notifications = Notifications::At { url: receiver.url.clone(), life: LIFE };
    // The clock alone would take an hour.
    GraphOptions { notifications, poll: Duration::from_hours(1), ..options() }
}

/// Waits for a status of the mailbox that hears.
async fn hears(receiver: &Receiver, wanted: impl FnMut(&GraphStatus) -> bool) -> GraphStatus {
    let mut watch = receiver.hearer.lock().unwrap().as_ref().unwrap().watch();
    let waiting = tokio::time::timeout(Duration::from_secs(30), watch.wait_for(wanted)).await;
    let Ok(status) = waiting else { panic!("it did not come to that") };
    status.unwrap().clone()
}

fn put(receiver: &Receiver, mailbox: GraphHandle) {
    *receiver.hearer.lock().unwrap() = Some(mailbox);
}

async fn stop(receiver: &Receiver) {
    let mailbox = receiver.hearer.lock().unwrap().take().unwrap();
    mailbox.stop().await;
}

/// Waits until something outside of the mailbox is so.
async fn eventually(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap();
}

#[tokio::test]
async fn news_is_noticed_without_waiting_for_the_next_look() {
    let (world, receiver) = (World::new(), Receiver::start().await);
    world.control.update_switches(|it| {
        it.notify_strangers = true;
        it.notify_twice = true;
    });
    put(&receiver, world.open(wanted(&receiver)));
    hears(&receiver, |it| it.looks >= 2).await;
    for number in 1..=5 {
        world.deliver(&number.to_string());
        hears(&receiver, |it| it.taken == number).await;
    }
    let status = hears(&receiver, |it| it.woken >= 1).await;
    assert_eq!(status.by_the_clock, None);
    // Two addresses were asked before, and gave back what they were given.
    assert_eq!(receiver.with(|it| it.validations), 2);
    eventually(|| world.control.notifications().len() >= 10).await;
    eventually(|| receiver.with(|it| it.ours) >= 10).await;
    assert!(receiver.with(|it| it.strange) >= 20);
    stop(&receiver).await;
    assert_eq!(world.subjects().await, once(["1", "2", "3", "4", "5"]));
    // The secret is not shown anywhere.
    assert_eq!(world.control.subscriptions().len(), 1);
}

#[tokio::test]
async fn a_subscription_is_renewed_before_its_end() {
    let (world, receiver) = (World::new(), Receiver::start().await);
    put(&receiver, world.open(GraphOptions { poll: Duration::from_millis(30), ..wanted(&receiver) }));
    hears(&receiver, |it| it.looks >= 2).await;
    let first = world.control.subscriptions();
    for _ in 0..3 {
        world.clock.advance(LIFE.mul_f64(0.6));
        let before = world.control.subscriptions()[0].ends;
        eventually(|| world.control.subscriptions().first().is_some_and(|it| it.ends > before)).await;
    }
    assert_eq!(world.control.subscriptions()[0].id, first[0].id, "the same one");
    assert_eq!((world.calls("renew"), world.calls("subscribe")), (3, 1));
    // The server wants it earlier.
    assert_eq!(world.control.lifecycle("reauthorizationRequired"), 1);
    eventually(|| world.calls("renew") == 4).await;
    // Something that nobody knows yet.
    assert_eq!(world.control.lifecycle("somethingNew"), 1);
    stop(&receiver).await;
}

#[tokio::test]
async fn a_subscription_that_is_lost_is_asked_for_anew() {
    let (world, receiver) = (World::new(), Receiver::start().await);
    put(&receiver, world.open(wanted(&receiver)));
    hears(&receiver, |it| it.looks >= 2).await;
    // The server says so.
    world.control.lifecycle("subscriptionRemoved");
    world.control.end_subscriptions();
    eventually(|| world.calls("subscribe") == 2).await;
    hears(&receiver, |it| it.looks >= 4).await;
    world.deliver("1");
    hears(&receiver, |it| it.taken == 1).await;
    // It lost some words.
    world.control.update_switches(|it| it.notifications = false);
    world.deliver("2");
    world.control.lifecycle("missed");
    hears(&receiver, |it| it.taken == 2).await;
    // It says nothing, and the renewal tells.
    world.control.end_subscriptions();
    world.clock.advance(LIFE.mul_f64(0.6));
    receiver.hearer.lock().unwrap().as_ref().unwrap();
    stop(&receiver).await;
    put(&receiver, world.open(GraphOptions { poll: Duration::from_millis(30), ..wanted(&receiver) }));
    hears(&receiver, |it| it.looks >= 2).await;
    world.control.end_subscriptions();
    world.clock.advance(LIFE.mul_f64(0.6));
    eventually(|| world.control.subscriptions().len() == 1).await;
    stop(&receiver).await;
}

#[tokio::test]
async fn what_an_earlier_start_left_is_taken_back_and_nothing_of_others() {
    let (world, receiver) = (World::new(), Receiver::start().await);
    let elsewhere = Receiver::start().await;
    put(&elsewhere, world.open(GraphOptions { source: "copies".parse().unwrap(), ..wanted(&elsewhere) }));
    hears(&elsewhere, |it| it.looks >= 2).await;
    for starts in 1..=3 {
        put(&receiver, world.open(wanted(&receiver)));
        hears(&receiver, |it| it.looks >= 2).await;
        assert_eq!(world.control.subscriptions().len(), 2, "after {starts} starts");
        assert_eq!(world.calls("unsubscribe"), starts - 1);
        stop(&receiver).await;
    }
    stop(&elsewhere).await;
}

#[tokio::test]
async fn without_notifications_the_clock_does_it() {
    let world = World::new();
    world.deliver("1");
    let mailbox = world.open(options());
    let status = until(&mailbox, |it| it.taken == 1 && it.by_the_clock.is_some()).await;
    assert_eq!(status.by_the_clock.as_deref(), Some("there is no public address"));
    mailbox.stop().await;
    assert_eq!(world.calls("subscribe"), 0);
    // An address that does not answer as it should, and one that comes to its senses.
    let receiver = Receiver::start().await;
    receiver.with(|it| it.deaf = true);
    put(&receiver, world.open(GraphOptions { poll: Duration::from_millis(30), ..wanted(&receiver) }));
    let why =
        "Microsoft does not promise to tell of changes: Microsoft Graph refuses it (400, InvalidRequest)";
    hears(&receiver, |it| it.by_the_clock.as_deref() == Some(why)).await;
    world.deliver("2");
    hears(&receiver, |it| it.taken == 1).await;
    assert_eq!(world.calls("subscribe"), 1, "it is not tried at each look");
    receiver.with(|it| it.deaf = false);
    world.clock.advance(Duration::from_mins(2));
    hears(&receiver, |it| it.by_the_clock.is_none()).await;
    stop(&receiver).await;
    assert_eq!(world.subjects().await, once(["1", "2"]));
}

#[tokio::test]
async fn a_notification_that_was_not_taken_comes_again() {
    let (world, receiver) = (World::new(), Receiver::start().await);
    put(&receiver, world.open(wanted(&receiver)));
    hears(&receiver, |it| it.looks >= 2).await;
    receiver.with(|it| it.faults = 2);
    world.control.deliver(POST, "inbox", &crate::world::letter("1"));
    hears(&receiver, |it| it.taken == 1).await;
    eventually(|| world.control.notifications().iter().any(|it| it.tries == 3 && it.status == 202)).await;
    stop(&receiver).await;
}
