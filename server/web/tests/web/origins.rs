//! A cookie alone changes nothing: requests that change something say that a page of ours made them. A bearer token needs no such proof,
//! since no browser sends one by itself.

use postroom_domain::store::Store as _;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::world::World;

/// The public address of the world's desk.
const OURS: &str = "https://postroom.example";

type Headers<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_needs_a_page_of_ours_and_a_token_does_not() {
    let world = World::new().await;
    let session = world.desk.member("op@harrow.example", "operator", "london").await;
    let cookie = format!("__Host-postroom={}", session.secret.expose_secret());
    let table: [(Headers<'_>, bool); 11] = [
        (&[], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "same-origin"), ("origin", OURS)], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", OURS)], false),
        (&[("origin", OURS)], true),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("referer", "https://postroom.example/")], false),
    ];
    let pause = |token: bool, headers: Headers<'_>| {
        let request =
            world.request(if token { "operator" } else { "" }, Method::POST, "/api/v1/sources/scans/pause");
        let request = if token { request } else { request.header("cookie", &cookie) };
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.json(&json!({"reason": "x"})).send()
    };
    for (headers, lets_in) in table {
        let before = world.store.events_after(0, 10_000).await.unwrap().len();
        let answer = pause(false, headers).await.unwrap();
        assert_eq!(answer.status(), if lets_in { 200 } else { 403 }, "{headers:?}");
        let after = world.store.events_after(0, 10_000).await.unwrap().len();
        assert_eq!(after - before, usize::from(lets_in), "{headers:?}");
        assert_eq!(pause(true, headers).await.unwrap().status(), 200, "{headers:?} with a token");
        // Reading needs no proof: no other site can read the answer.
        let request = world.request("", Method::GET, "/api/v1/summary").header("cookie", &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        assert_eq!(request.send().await.unwrap().status(), 200, "{headers:?}");
    }
    world.stop().await;
}
