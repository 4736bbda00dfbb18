//! Microsoft Graph tells of changes without a token, HighQ with one: what they prove themselves by, what they are answered, and what bounds
//! whoever pretends.

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
        (b"7".to_vec(), 400),
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

/// The sites that were told, call by call.
type Told<'a> = &'a [&'a [&'a str]];

const HIGHQ: &str = "/api/v1/notifications/highq";

#[tokio::test(flavor = "multi_thread")]
async fn only_the_token_of_the_webhook_tells_of_news() {
    let world = World::new().await;
    let good = "Bearer a-token-of-highq-alone";
    let added = json!({"siteId": 101, "moduleAlias": "SITE_MODULE_DOCUMENTS",
        "operation": "ACTIVITY_DOCUMENT_ADDED", "contentID": 868, "parentFolderId": "1011"});
    let bytes = |body: &Value| body.to_string().into_bytes();
    let cases: [(&str, Vec<u8>, u16, Told<'_>); 13] = [
        (good, bytes(&added), 202, &[&["101"]]),
        ("bearer  a-token-of-highq-alone", bytes(&added), 202, &[&["101"]]),
        (good, bytes(&json!([{"siteId": "7"}, {"siteId": 8}])), 202, &[&["7", "8"]]),
        // Without a site it may be any.
        (good, bytes(&json!({"operation": "ADD_ITEM"})), 202, &[&[]]),
        (good, bytes(&json!([])), 202, &[]),
        (good, b"7".to_vec(), 400, &[]),
        (good, b"".to_vec(), 400, &[]),
        (good, vec![b' '; (1 << 20) + 1], 413, &[]),
        ("Bearer a-token-of-highq-alonf", bytes(&added), 401, &[]),
        ("Bearer ", bytes(&added), 401, &[]),
        ("Basic a-token-of-highq-alone", bytes(&added), 401, &[]),
        ("a-token-of-highq-alone", bytes(&added), 401, &[]),
        ("", bytes(&added), 401, &[]),
    ];
    for (token, body, status, told) in cases {
        let case = format!("{token} {:.60}", String::from_utf8_lossy(&body));
        let mut request = world.request("", Method::POST, HIGHQ).body(body);
        if !token.is_empty() {
            request = request.header("authorization", token);
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{case}");
        let news = std::mem::take(&mut *world.control.news.lock().unwrap());
        let news: Vec<Vec<String>> = news
            .into_iter()
            .map(|(service, sites)| {
                assert_eq!(service, "collab");
                sites
            })
            .collect();
        assert_eq!(news, told, "{case}");
    }
    world.stop().await;
}
