//! Subscriptions call back before they are made, and end.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::{POST, World, mime};
use crate::browser::text;

/// An address that answers validations as it is told to, and keeps what it is told.
struct Address {
    url: String,
    told: Arc<Mutex<Vec<Value>>>,
}

fn address(echo: impl Fn(&str) -> String + Send + 'static, mut faults: usize) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/graph", listener.local_addr().unwrap());
    let told: Arc<Mutex<Vec<Value>>> = Arc::default();
    let heard = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let text = loop {
                let mut some = [0; 4096];
                let read = stream.read(&mut some).unwrap();
                request.extend_from_slice(&some[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
                if body.len() >= length.parse::<usize>().unwrap() {
                    break text;
                }
            };
            let (status, said) = match text.lines().next().unwrap().split_once("validationToken=") {
                Some((_, token)) => {
                    let token = percent_decode_str(token.split(' ').next().unwrap())
                        .decode_utf8()
                        .unwrap()
                        .into_owned();
                    (200, echo(&token))
                }
                None if faults > 0 => {
                    faults -= 1;
                    (503, String::new())
                }
                None => {
                    let body = text.split_once("\r\n\r\n").unwrap().1;
                    heard.lock().unwrap().push(serde_json::from_str(body).unwrap());
                    (202, String::new())
                }
            };
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
                said.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Address { url, told }
}

fn body(world: &World, address: &Address, minutes: i64) -> Value {
    let ends = time(world.control.now() + minutes * 60_000);
    json!({
        "changeType": "created,updated", "notificationUrl": address.url, "lifecycleNotificationUrl": address.url,
        "resource": format!("/users/{POST}/mailFolders('inbox')/messages"), "expirationDateTime": ends, "clientState": "s3cret",
    })
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

async fn told(address: &Address, count: usize) -> Vec<Value> {
    for _ in 0..1000 {
        let told = address.told.lock().unwrap().clone();
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it was told {:?}", address.told.lock().unwrap());
}

#[tokio::test]
async fn a_subscription_is_made_only_when_its_address_proves_itself() {
    let world = World::new().await;
    let good = address(str::to_owned, 0);
    let raw = address(|token| token.replace(' ', "+"), 0);
    assert_eq!(
        world.refusal(Method::POST, "subscriptions", Some(&body(&world, &raw, 60))).await,
        (400, "InvalidRequest".to_owned())
    );
    let nobody = Address { url: "http://127.0.0.1:9/".to_owned(), told: Arc::default() };
    assert_eq!(world.ask(Method::POST, "subscriptions", Some(&body(&world, &nobody, 60))).await.0, 400);
    assert_eq!(world.ask(Method::POST, "subscriptions", Some(&body(&world, &good, 4231))).await.0, 400);
    for (key, value) in [
        ("clientState", json!(null)),
        ("resource", json!("/users/x/events")),
        ("expirationDateTime", json!("soon")),
    ] {
        let mut wrong = body(&world, &good, 60);
        wrong[key] = value;
        assert_eq!(world.ask(Method::POST, "subscriptions", Some(&wrong)).await.0, 400, "{key}");
    }
    assert_eq!(world.control.subscriptions(), []);
    let (status, made) = world.ask(Method::POST, "subscriptions", Some(&body(&world, &good, 4230))).await;
    assert_eq!((status, &made["clientState"]), (201, &Value::Null), "{made}");
    let at = format!("subscriptions/{}", text(&made["id"]));
    // It is renewed, and ends.
    world.hand.minutes(30);
    let later = json!({"expirationDateTime": time(world.control.now() + 60 * 60_000)});
    let (status, renewed) = world.ask(Method::PATCH, &at, Some(&later)).await;
    assert_eq!((status, &renewed["id"]), (200, &made["id"]));
    let (_, list) = world.get("subscriptions").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(world.ask(Method::POST, &format!("{at}/reauthorize"), None).await.0, 204);
    assert_eq!(world.ask(Method::DELETE, &at, None).await.0, 204);
    assert_eq!(world.ask(Method::PATCH, &at, Some(&later)).await.0, 404);
}

#[tokio::test]
async fn what_changes_is_told_with_the_secret_again_after_a_fault() {
    let world = World::new().await;
    let address = address(str::to_owned, 2);
    let (status, made) = world.ask(Method::POST, "subscriptions", Some(&body(&world, &address, 60))).await;
    assert_eq!(status, 201, "{made}");
    let id = world.control.deliver(POST, "inbox", &mime("1"));
    world.control.deliver(POST, "archive", &mime("elsewhere"));
    let first = told(&address, 1).await.remove(0);
    let one = &first["value"][0];
    assert_eq!(
        (&one["clientState"], &one["changeType"], &one["subscriptionId"]),
        (&json!("s3cret"), &json!("created"), &made["id"])
    );
    assert_eq!(one["resourceData"]["id"], json!(id));
    while world.control.notifications().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(world.control.notifications()[0].tries, 3);
    world.control.update_switches(|it| {
        it.notify_twice = true;
        it.notify_strangers = true;
    });
    world.control.read_message(POST, &id);
    let more = told(&address, 3).await;
    assert_eq!(more[1]["value"].as_array().unwrap().len(), 3);
    assert_eq!(more[1]["value"][1]["changeType"], "updated");
    assert_eq!(world.control.lifecycle("missed"), 1);
    assert_eq!(told(&address, 4).await[3]["value"][0]["lifecycleEvent"], "missed");
    // Its end is the clock's.
    world.hand.minutes(61);
    assert_eq!(world.control.subscriptions(), []);
    world.control.deliver(POST, "inbox", &mime("2"));
    assert_eq!(address.told.lock().unwrap().len(), 4);
}
