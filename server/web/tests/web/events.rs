//! Following the events: in order, from where one was, only what one may see, and not for ever.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

/// A stream being read.
pub(crate) struct Following {
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
    text: String,
}

impl Following {
    pub(crate) async fn start(world: &World, who: &str, query: &str, last: Option<&str>) -> Self {
        let mut request = world.request(who, Method::GET, &format!("/api/v1/events{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response: Response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { chunks: response.bytes_stream().boxed(), text: String::new() }
    }

    /// The next block; none at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.chunks.next()).await.unwrap()?;
            self.text += std::str::from_utf8(&chunk.ok()?).unwrap();
        }
    }

    /// The next event, with its number; signs of life are passed over.
    pub(crate) async fn event(&mut self) -> Option<(u64, Value)> {
        loop {
            let block = self.block().await?;
            let line = |key: &str| block.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
            if let Some(data) = line("data: ") {
                assert_eq!(line("event: ").as_deref(), Some("change"));
                return Some((line("id: ").unwrap().parse().unwrap(), serde_json::from_str(&data).unwrap()));
            }
        }
    }
}

fn subject(event: &Value) -> (String, String) {
    (text(&event["subject"]["kind"]), text(&event["subject"]["id"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_in_order_and_go_on_where_one_was() {
    let world = World::new().await;
    let mut live = Following::start(&world, "operator", "", None).await;
    assert!(live.block().await.unwrap().starts_with("retry: 2000\nid: "));
    let (intake, filing) = world.one("user", b"one").await;
    let (first, event) = live.event().await.unwrap();
    assert_eq!(subject(&event), ("intake".to_owned(), intake));
    let (second, event) = live.event().await.unwrap();
    assert_eq!((second, subject(&event)), (first + 1, ("filing".to_owned(), filing.clone())));
    assert_eq!(event["happening"]["to"], "waiting");

    world
        .decide("support", &format!("/api/v1/filings/{filing}/hold"), "\"1\"", &json!({"reason": "r"}))
        .await;
    let (third, event) = live.event().await.unwrap();
    assert_eq!((third, &event["note"]), (second + 1, &json!("r")));

    // Back after a broken connection: the header wins over the parameter, and nothing is missed or repeated.
    for (query, last, wanted) in [
        (String::new(), Some(first.to_string()), second),
        (format!("?after={first}"), None, second),
        (format!("?after={first}"), Some(second.to_string()), third),
    ] {
        let mut again = Following::start(&world, "support", &query, last.as_deref()).await;
        assert_eq!(again.event().await.unwrap().0, wanted, "{query} {last:?}");
        if wanted == second {
            assert_eq!(again.event().await.unwrap().0, third, "{query} {last:?}");
        }
    }
    // A number from the future (a store that came back from a backup) does not wait for ever.
    let mut ahead = Following::start(&world, "admin", "?after=999999", None).await;
    ahead.block().await.unwrap();
    world.one("user", b"two").await;
    assert_eq!(ahead.event().await.unwrap().0, third + 1);
    let request = world.request("operator", Method::GET, "/api/v1/events").header("last-event-id", "x");
    Answer::of(request.send().await.unwrap()).await.assert_problem(400, "bad_value", "Last-Event-ID");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_sees_only_what_they_may() {
    let world = World::new().await;
    let mut own = Following::start(&world, "user", "?after=0", None).await;
    let mut other = Following::start(&world, "other", "?after=0", None).await;
    let (theirs, _) = world.one("user2", b"theirs").await;
    let (mine, filing) = world.one("user", b"mine").await;
    world.decide("support", &format!("/api/v1/filings/{filing}/hold"), "\"1\"", &json!({})).await;
    for wanted in [mine, filing.clone(), filing] {
        let (_, event) = own.event().await.unwrap();
        assert_eq!(subject(&event).1, wanted, "not {theirs}");
    }
    // The other site's administrator hears nothing but signs of life, which move the number on.
    other.block().await.unwrap();
    let mut numbers = Vec::new();
    while numbers.last().is_none_or(|last| *last < 5) {
        let block = other.block().await.unwrap();
        assert!(block.starts_with(": still here\nid: "), "{block}");
        numbers.push(block.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_are_bounded_and_leave_when_the_server_stops() {
    let mut world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Following::start(&world, "operator", "", None).await);
    }
    let refused = world.get("operator", "/api/v1/events").await;
    refused.assert_problem(429, "too_many_requests", "a fourth of the same name");
    assert_eq!(refused.header("retry-after"), "10");
    for who in ["user", "user2", "support", "admin", "other"] {
        open.push(Following::start(&world, who, "", None).await);
    }
    world.get("user", "/api/v1/events").await.assert_problem(429, "too_many_requests", "a ninth of all");
    // One that leaves makes room, once the server has noticed.
    drop(open.remove(0));
    let mut back = loop {
        let request = world.request("operator", Method::GET, "/api/v1/events");
        let response = request.send().await.unwrap();
        if response.status() == 200 {
            break Following { chunks: response.bytes_stream().boxed(), text: String::new() };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // Nobody reads the others while much happens; the one who reads gets all of it.
    for i in 0..100 {
        world.one("user", format!("content {i}").as_bytes()).await;
    }
    for _ in 0..200 {
        back.event().await.unwrap();
    }
    let began = std::time::Instant::now();
    world.server.take().unwrap().stop().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "followers do not use up the grace");
    assert_eq!(back.event().await, None);
}
