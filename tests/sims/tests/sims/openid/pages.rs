//! What a person sees and clicks.

use postroom_sims::openid::Consent;

use super::support::World;
use crate::browser::{Browser, Shown, json, text};

#[tokio::test]
async fn a_person_chooses_and_allows_and_is_remembered() {
    let world = World::new();
    let mut browser = Browser::new(&world.http, world.sim.url());
    let departure = world.departure(&[]).await;
    let shown = browser.get(&departure).await;
    let page = shown.page();
    assert!(page.contains("<h1>Sign in to the simulated OpenID provider</h1>"), "{page}");
    assert!(
        page.contains(">Mina Patel (m.patel@firm.example)</button>") && !page.contains("Kim Old"),
        "{page}"
    );
    let consent = browser.click(page, "person", "sub-mpatel").await;
    let page = consent.page();
    assert!(
        page.contains("Signed in as Mina Patel (m.patel@firm.example).") && page.contains("<li>email</li>")
    );
    let arrived = browser.click(page, "decision", "allow").await;
    let code = arrived.parameter("code").unwrap();
    assert_eq!(arrived.parameter("state").as_deref(), Some("st/ate&1"));
    let tokens = world.redeem(&code).await.1;
    assert_eq!(world.userinfo(&text(&tokens["access_token"])).await.1["sub"], "sub-mpatel");

    // the browser's session and the consent are remembered
    assert!(browser.get(&departure).await.parameter("code").is_some());
    assert!(browser.get(&world.departure(&[("prompt", "none")]).await).await.parameter("code").is_some());
    // unless the request wants otherwise
    let page = browser.get(&world.departure(&[("prompt", "login")]).await).await;
    assert!(page.page().contains("Sign in to"));
    let page = browser.get(&world.departure(&[("prompt", "select_account")]).await).await;
    assert!(page.page().contains("Sign in to"));
    let page = browser.get(&world.departure(&[("prompt", "consent")]).await).await;
    assert!(page.page().contains("Allow access"));
    world.control.update_switches(|s| s.consent = Consent::Always);
    let silent = browser.get(&world.departure(&[("prompt", "none")]).await).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("consent_required"));

    // until it signs out
    let end = text(&world.discovery().await["end_session_endpoint"]);
    let end = format!("{end}?post_logout_redirect_uri=http://localhost:9/bye&state=s");
    assert_eq!(browser.get(&end).await, Shown::Away("http://localhost:9/bye?state=s".into()));
    let silent = browser.get(&world.departure(&[("prompt", "none")]).await).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_person_can_say_no_on_both_pages_and_a_page_works_once() {
    let world = World::new();
    let mut browser = Browser::new(&world.http, world.sim.url());
    let departure = world.departure(&[]).await;
    let first = browser.get(&departure).await;
    let denied = browser.click(first.page(), "decision", "deny").await;
    assert_eq!(
        (denied.parameter("error").as_deref(), denied.parameter("state").as_deref()),
        (Some("access_denied"), Some("st/ate&1"))
    );
    assert!(matches!(browser.click(first.page(), "person", "sub-mpatel").await, Shown::Page(400, _)));
    let page = browser.get(&departure).await;
    let consent = browser.click(page.page(), "person", "sub-mpatel").await;
    let denied = browser.click(consent.page(), "decision", "deny").await;
    assert_eq!(denied.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(world.control.stats().tokens.codes_issued, 0);
}

#[tokio::test]
async fn a_hint_comes_first_or_signs_in_and_control_clicks_for_everybody() {
    let world = World::new();
    let hint = [("login_hint", "J.Reed@firm.example")];
    let shown = world.arrive(&hint).await;
    let first = shown.page().split("name=\"person\" value=\"").nth(1).unwrap().to_owned();
    assert!(first.starts_with("sub-jreed\""), "{first}");
    world.control.update_switches(|s| {
        s.hint_signs_in = true;
        s.consent = Consent::Never;
    });
    assert!(world.arrive(&hint).await.parameter("code").is_some());
    let patch = serde_json::json!({ "approve_as": "t.chen@firm.example", "hint_signs_in": false, "consent": "always" });
    let switches = format!("{}/switches", world.sim.control_url());
    assert_eq!(json(world.http.patch(switches).json(&patch)).await.0, 200);
    let arrived = world.arrive(&hint).await;
    let tokens = world.redeem(&arrived.parameter("code").unwrap()).await.1;
    assert_eq!(world.userinfo(&text(&tokens["access_token"])).await.1["sub"], "sub-tchen");
}
