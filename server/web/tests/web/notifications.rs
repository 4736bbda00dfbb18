//! Microsoft Graph tells of changes without a token: what it proves itself by, what it is answered, and what bounds whoever pretends.

use postroom_domain::mailbox::NoticeKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::World;

const ROUTE: &str = "/api/v1/notifications/graph";

async fn told(world: &World, body: &Value) -> u16 {
    world.request("", Method::POST, ROUTE).json(body).send().await.unwrap().status().as_u16()
}

fn heard(world: &World) -> Vec<(String, NoticeKind)> {
    std::mem::take(&mut *world.control.notices.lock().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validation_token_is_given_back_as_it_is() {
    let world = World::new().await;
    for token in ["plain", "Validation: a&b=c+d 100% ä /?#", "<script>alert(1)</script>"] {
        let request = world.request("", Method::POST, ROUTE).query(&[("validationToken", token)]);
        let answer = request.header("content-type", "text/plain; charset=utf-8").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.text().await.unwrap(), token);
    }
    let long = "x".repeat(5000);
    let request = world.request("", Method::POST, ROUTE).query(&[("validationToken", long)]);
    assert_eq!(request.send().await.unwrap().status(), 413);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_entries_with_the_secret_wake_a_mailbox() {
    let world = World::new().await;
    let entry = |id: &str, secret: &str, event: Option<&str>| json!({"subscriptionId": id, "clientState": secret, "lifecycleEvent": event, "resource": "Users/x", "resourceData": {}});
    let body = json!({"value": [
        entry("s1", "s3cret", None), entry("s2", "wrong", None), entry("s3", "", None), 7, {"subscriptionId": "s4"},
        entry("s5", "s3cret", Some("missed")), entry("s6", "s3cret", Some("reauthorizationRequired")),
        entry("s7", "s3cret", Some("subscriptionRemoved")), entry("s8", "s3cret", Some("somethingNew")),
    ]});
    assert_eq!(told(&world, &body).await, 202);
    let wanted = [
        ("s1", NoticeKind::Look),
        ("s5", NoticeKind::Look),
        ("s6", NoticeKind::Renew),
        ("s7", NoticeKind::Ended),
    ];
    assert_eq!(heard(&world), wanted.map(|(id, kind)| (id.to_owned(), kind)));
    // Whether a secret was right, nobody is told.
    assert_eq!(told(&world, &json!({"value": [entry("s2", "wrong", None)]})).await, 202);
    assert_eq!(heard(&world), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_notification_is_refused_and_bounded() {
    let world = World::new().await;
    let post = |body: Vec<u8>| world.request("", Method::POST, ROUTE).body(body);
    for (body, wanted) in [
        (b"".to_vec(), 400),
        (b"[]".to_vec(), 400),
        (b"{\"value\":3}".to_vec(), 400),
        (vec![b' '; (1 << 20) + 1], 413),
    ] {
        assert_eq!(post(body).send().await.unwrap().status().as_u16(), wanted);
    }
    let many = json!({"value": vec![json!({"subscriptionId": "s", "clientState": "s3cret"}); 2000]});
    assert_eq!(told(&world, &many).await, 202);
    assert_eq!(heard(&world).len(), 1000);
    assert_eq!(world.request("", Method::GET, ROUTE).send().await.unwrap().status(), 405);
    world.stop().await;
}
