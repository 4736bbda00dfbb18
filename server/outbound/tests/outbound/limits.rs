//! One account's pace: what a server asks of it is kept before the next byte, and no other account waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, Gauge, RetryAfter};
use postroom_outbound::{Failure, Outbound, Settings};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use crate::{client, document, head, pieces, quick, server};

/// The server's own time in every answer.
const DATE: &str = "Mon, 23 Nov 2026 09:00:00 GMT";
/// The same in seconds.
const NOW: i64 = 1_795_424_400;

/// A server that answers by the path: `/ok`, or what `answer` says.
async fn paths(answer: String) -> (u16, Arc<AtomicUsize>) {
    let script = move |mut stream: TcpStream| {
        let answer = answer.clone();
        async move {
            let asked = crate::whole(&mut stream).await;
            let said = if asked.starts_with("GET /ok ") { "HTTP/1.1 200 OK\r\n" } else { &answer };
            let text = format!("{said}date: {DATE}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    };
    server(script).await
}

async fn get(account: &Outbound, path: &str) -> Result<postroom_outbound::Reply, Failure> {
    account.get("get", account.base().join(path).unwrap()).fetch().await
}

#[tokio::test]
async fn what_a_server_asks_of_one_account_holds_up_no_other() {
    let until = |text: &str| Some(RetryAfter::At(text.parse().unwrap()));
    let reset = |ahead: i64| format!("X-Ratelimit-Reset: {}\r\n", NOW + ahead);
    let table = [
        // head lines, what the reply tells, whether the account's next call is held back
        (429, "Retry-After: 300\r\n".to_owned(), Some(RetryAfter::Seconds(300)), true),
        (
            429,
            "Retry-After: Mon, 23 Nov 2026 09:05:00 GMT\r\n".to_owned(),
            until("2026-11-23T09:05:00Z"),
            true,
        ),
        (
            429,
            "Retry-After: Monday, 23-Nov-26 09:05:00 GMT\r\n".to_owned(),
            until("2026-11-23T09:05:00Z"),
            true,
        ),
        (429, "Retry-After: Mon Nov 23 09:05:00 2026\r\n".to_owned(), until("2026-11-23T09:05:00Z"), true),
        (429, reset(300), until("2026-11-23T09:05:00Z"), true),
        (429, format!("Retry-After: 0\r\n{}", reset(300)), Some(RetryAfter::Seconds(0)), false),
        (503, "Retry-After: 300\r\n".to_owned(), Some(RetryAfter::Seconds(300)), true),
        (200, format!("X-Ratelimit-Remaining: 0\r\n{}", reset(300)), None, true),
        (200, format!("X-Ratelimit-Remaining: 7\r\n{}", reset(300)), None, false),
        // What is past or absurd holds nothing back.
        (
            429,
            "Retry-After: Mon, 23 Nov 2026 08:59:00 GMT\r\n".to_owned(),
            until("2026-11-23T08:59:00Z"),
            false,
        ),
        (429, reset(-5), None, false),
        (429, reset(90_000), None, false),
        (429, format!("X-Ratelimit-Reset: {}000\r\n", NOW + 300), None, false),
        (429, "X-Ratelimit-Reset: 300\r\n".to_owned(), None, false),
        (429, String::new(), None, false),
        (503, String::new(), None, false),
    ];
    for (status, lines, told, held) in table {
        let (port, count) = paths(format!("HTTP/1.1 {status} X\r\n{lines}")).await;
        let client = client(port, &quick());
        let (throttled, other) = (client.for_account("one"), client.for_account("other"));
        let reply = get(&throttled, "/busy").await.unwrap();
        assert_eq!((reply.status, reply.retry_after()), (status, told), "{status} {lines:?}");
        assert_eq!(get(&other, "/ok").await.unwrap().status, 200, "{lines:?}");
        assert_eq!(get(&client, "/ok").await.unwrap().status, 200, "{lines:?}");
        let next = get(&throttled, "/ok").await;
        let seen = count.load(Ordering::SeqCst);
        if !held {
            assert_eq!((next.unwrap().status, seen), (200, 4), "{lines:?}");
            continue;
        }
        // A wait that no call can last is told, and nothing is sent.
        let error = DmsError::from(next.unwrap_err());
        assert_eq!(seen, 3, "{lines:?}");
        assert_eq!(error.trouble().cause, Cause::Throttled);
        let DmsError::Throttled { until: Some(RetryAfter::Seconds(seconds)), .. } = error else {
            panic!("{lines:?}: {error:?}")
        };
        assert!((295..=300).contains(&seconds), "{lines:?}: {seconds}");
        // Another handle of the same account is no way round.
        assert!(get(&client.for_account("one"), "/ok").await.is_err());
        // A document is not touched either.
        let gauge = Gauge::default();
        let url = throttled.base().join("/up").unwrap();
        let call = throttled.post("up", url).document(vec![], document(6, pieces(2, 3), &gauge));
        assert!(matches!(call.fetch().await, Err(Failure::Throttled { .. })));
        assert_eq!((gauge.bytes(), count.load(Ordering::SeqCst)), (0, 3));
    }
}

/// A server whose answers are let go one by one, and which notes how many calls it has at once.
struct Gatekeeper {
    inside: AtomicUsize,
    came: Notify,
    go: Semaphore,
    status: AtomicUsize,
}

async fn gatekeeper() -> (u16, Arc<Gatekeeper>) {
    let keeper = Arc::new(Gatekeeper {
        inside: AtomicUsize::new(0),
        came: Notify::new(),
        go: Semaphore::new(0),
        status: AtomicUsize::new(200),
    });
    let at_the_door = Arc::clone(&keeper);
    let script = move |mut stream: TcpStream| {
        let keeper = Arc::clone(&at_the_door);
        async move {
            head(&mut stream).await;
            keeper.inside.fetch_add(1, Ordering::SeqCst);
            keeper.came.notify_one();
            keeper.go.acquire().await.unwrap().forget();
            keeper.inside.fetch_sub(1, Ordering::SeqCst);
            let status = keeper.status.load(Ordering::SeqCst);
            let text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    };
    (server(script).await.0, keeper)
}

impl Gatekeeper {
    async fn has(&self, wanted: usize) {
        while self.inside.load(Ordering::SeqCst) != wanted {
            self.came.notified().await;
        }
    }
}

#[tokio::test]
async fn a_refused_account_makes_fewer_calls_at_once_and_all_together_no_more_than_set() {
    let (port, keeper) = gatekeeper().await;
    let settings = Settings { parallel: 4, first_byte_seconds: 20.0, total_seconds: 20.0, ..quick() };
    let client = client(port, &settings);
    let (one, other) = (client.for_account("one"), client.for_account("other"));
    let spawn = |account: &Outbound, count: usize| {
        let account = account.clone();
        tokio::spawn(async move { join_all((0..count).map(|_| get(&account, "/"))).await })
    };
    keeper.status.store(429, Ordering::SeqCst);
    let first = spawn(&one, 4);
    keeper.has(4).await;
    keeper.go.add_permits(4);
    assert!(first.await.unwrap().iter().all(|it| it.as_ref().unwrap().status == 429));
    // Half of them now, and the other account takes what that leaves free.
    keeper.status.store(200, Ordering::SeqCst);
    let (fewer, rest) = (spawn(&one, 3), spawn(&other, 5));
    keeper.has(4).await;
    keeper.go.add_permits(8);
    let (fewer, rest) = (fewer.await.unwrap(), rest.await.unwrap());
    assert!(fewer.iter().chain(&rest).all(|it| it.as_ref().unwrap().status == 200));
    let alone = spawn(&one, 3);
    keeper.has(2).await;
    keeper.go.add_permits(3);
    assert!(alone.await.unwrap().iter().all(Result::is_ok));
}

#[tokio::test]
async fn who_finds_no_place_is_told_and_sends_nothing() {
    let (port, keeper) = gatekeeper().await;
    let settings = Settings { parallel: 1, longest_wait_seconds: 0.05, first_byte_seconds: 20.0, ..quick() };
    let client = client(port, &settings);
    for account in [client.clone(), client.for_account("one")] {
        let first = tokio::spawn({
            let account = account.clone();
            async move { get(&account, "/").await }
        });
        keeper.has(1).await;
        let second = get(&account, "/").await.unwrap_err();
        assert!(matches!(second, Failure::Throttled { until: None, .. }), "{second:?}");
        keeper.go.add_permits(1);
        assert_eq!(first.await.unwrap().unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_set_rate_is_kept_by_each_account_for_itself() {
    let (port, count) = paths("HTTP/1.1 200 OK\r\n".to_owned()).await;
    let slow = Settings { per_second: Some(0.01), burst: Some(2), longest_wait_seconds: 1.0, ..quick() };
    let client = client(port, &slow);
    for name in ["one", "other"] {
        let account = client.for_account(name);
        let sent = join_all((0..4).map(|_| get(&account, "/ok"))).await;
        assert_eq!(sent.iter().filter(|it| it.is_ok()).count(), 2, "{name}");
        for refused in sent.into_iter().filter_map(Result::err) {
            let Failure::Throttled { until: Some(RetryAfter::Seconds(seconds)), .. } = refused else {
                panic!("{refused:?}")
            };
            assert!((90..=200).contains(&seconds), "{seconds}");
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 4);
}
