//! The stream of events: in order, without gaps, and it goes on where the reader left off.

use std::time::Duration;

use futures_util::StreamExt;
use postroom_tests::wait::PATIENCE;
use postroom_tests::world::MATTER;
use postroom_tests::{Upload, World};
use serde_json::Value;

use crate::document;

/// Reads the stream from after an event until `enough`.
async fn read(
    world: &World,
    after: Option<u64>,
    enough: impl Fn(&[(u64, Value)]) -> bool,
) -> Vec<(u64, Value)> {
    let op = world.op();
    let mut request = op.http().get(format!("{}/api/v1/events", op.base())).bearer_auth(op.token());
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after.to_string());
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.bytes_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    let reading = async {
        while let Some(chunk) = stream.next().await {
            text += std::str::from_utf8(&chunk.unwrap()).unwrap();
            while let Some(end) = text.find("\n\n") {
                let block: String = text.drain(..end + 2).collect();
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                if let (Some(id), Some(data)) = (field("id:"), field("data:")) {
                    events.push((id.parse().unwrap(), serde_json::from_str(&data).unwrap()));
                }
            }
            if enough(&events) {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the stream says in time what happened");
    events
}

fn filed(events: &[(u64, Value)], id: &str) -> bool {
    events.iter().any(|(_, event)| event["subject"]["id"] == id && event["happening"]["to"] == "filed")
}

#[tokio::test]
async fn the_stream_goes_on_where_it_was_left() {
    let mut world = World::new("events").with_folder_dms().start().await;
    let first = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let id = first.filing().to_owned();
    let seen = read(&world, Some(0), |events| filed(events, &id)).await;
    let last = seen.last().unwrap().0;
    assert!(seen.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "gaps: {seen:?}");

    // What happens while nobody listens, also over a restart, comes when the reader is back.
    let second = world.deposit(Upload::to(MATTER).file("b.pdf", document(2))).await;
    let id = second.filing().to_owned();
    world.in_state(&id, &["filed"]).await;
    world.stop().await;
    world.start().await;
    let missed = read(&world, Some(last), |events| filed(events, &id)).await;
    assert_eq!(missed[0].0, last + 1, "the stream did not go on where it was left");
    assert!(missed.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "gaps: {missed:?}");

    // A reader without a number hears only what happens from now on.
    let url = world.url();
    let (events, third) = tokio::join!(
        read(&world, None, |events| events.iter().any(|(_, event)| event["happening"]["to"] == "filed")),
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let api = postroom_tests::Api::new(&url, &postroom_tests::settings::token("operator"));
            postroom_tests::Accepted::of(
                &api.upload(&Upload::to(MATTER).file("c.pdf", document(3))).await.expect(202),
            )
        }
    );
    assert!(filed(&events, third.filing()) && !filed(&events, second.filing()), "{events:?}");
}
