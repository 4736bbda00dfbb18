//! Tokens, users and rights.

use postroom_sims::imanage::{AuthHeader, ErrorBody, RefreshTokens};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::imanage::support::{EMAILS, World, body, upload};

const CLIENT: [(&str, &str); 2] = [("client_id", "postroom"), ("client_secret", "postroom-client-secret")];

fn password() -> Vec<(&'static str, &'static str)> {
    let mut form = vec![("grant_type", "password"), ("username", "postroom"), ("password", "postroom-pass")];
    form.extend(CLIENT);
    form
}

#[tokio::test]
async fn a_code_works_once_and_with_its_redirect_only() {
    let world = World::new();
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let back = "http://127.0.0.1:9/callback";
    let url = format!(
        "{}/auth/oauth2/authorize?response_type=code&client_id=postroom&redirect_uri={back}&scope=user&state=a%26b",
        world.sim.url()
    );
    let page = browser.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Mina Patel"), "{page}");
    let answer = browser.get(format!("{url}&login_hint=m.patel@firm.example")).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let target = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(target.starts_with(back) && target.ends_with("&state=a%26b"), "{target}");
    let code = target.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", back)];
    form.extend(CLIENT);
    let (status, token) = world.form("/auth/oauth2/token", &form).await;
    assert_eq!(status, 200);
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(1800)));
    assert_eq!(world.form("/auth/oauth2/token", &form).await.1["error"], "invalid_grant");

    let who = world.client.get(format!("{}/api", world.sim.url()));
    let who = who.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    let (_, who) = body(who).await;
    assert_eq!(
        (&who["data"]["user"]["id"], &who["data"]["user"]["customer_id"]),
        (&json!("MPATEL"), &json!(1))
    );
    assert_eq!(who["data"]["versions"][0]["url"], format!("{}/work/api/v2", world.sim.url()));
}

#[tokio::test]
async fn idle_tokens_expire_and_used_ones_do_not() {
    let mut world = World::new();
    let (_, token) = world.form("/auth/oauth2/token", &password()).await;
    world.token = token["access_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        world.advance(29 * 60_000);
        assert_eq!(world.get("operations").await.0, 200);
    }
    world.advance(31 * 60_000);
    let (status, answer) = world.get("operations").await;
    assert_eq!(
        (status.as_u16(), &answer["error"]["code_message"]),
        (401, &json!("X-Auth-Token is invalid or missing"))
    );

    let refresh = token["refresh_token"].as_str().unwrap();
    let (status, fresh) = world
        .form("/auth/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh)])
        .await;
    assert_eq!((status.as_u16(), &fresh["refresh_token"]), (200, &token["refresh_token"]));
    world.token = fresh["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("operations").await.0, 200);
    world.form("/auth/oauth2/revoke-token", &[("access_token", &world.token)]).await;
    assert_eq!(world.get("operations").await.0, 401);
}

#[tokio::test]
async fn token_switches() {
    let world = World::with(|s| {
        s.rotate_refresh = true;
        s.lockout_after = 2;
    });
    let token = |form: Vec<(&'static str, &'static str)>| {
        let world = &world;
        async move { world.form("/auth/oauth2/token", &form).await }
    };
    let (_, first) = token(password()).await;
    let old = first["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", old)];
    let (_, second) = world.form("/auth/oauth2/token", &form).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(world.form("/auth/oauth2/token", &form).await.0, 400, "a rotated token is used up");
    world.control.update_switches(|s| s.refresh_tokens = RefreshTokens::Null);
    assert_eq!(token(password()).await.1.get("refresh_token"), Some(&Value::Null));
    world.control.update_switches(|s| s.refresh_tokens = RefreshTokens::Absent);
    assert_eq!(token(password()).await.1.get("refresh_token"), None);

    let mut machine = vec![("grant_type", "client_credentials")];
    machine.extend(CLIENT);
    assert_eq!(token(machine.clone()).await.1["error"], "unsupported_grant_type");
    world.control.update_switches(|s| s.client_credentials = true);
    assert_eq!(token(machine).await.0, 200);

    let mut wrong = password();
    wrong[2].1 = "guess";
    for _ in 0..2 {
        assert_eq!(token(wrong.clone()).await.0, 400);
    }
    assert_eq!(token(password()).await.0, 400, "locked");

    world.control.update_switches(|s| s.auth_header = AuthHeader::Bearer);
    assert_eq!(world.get("operations").await.0, 401);
    world.control.update_switches(|s| s.error_body = ErrorBody::Html);
    assert_eq!(world.get("operations").await, (reqwest::StatusCode::UNAUTHORIZED, Value::Null));
}

#[tokio::test]
async fn hidden_answers_404_and_readable_answers_403() {
    let mut world = World::new();
    // behind a wall
    assert_eq!(world.get("workspaces/ACTIVE!3710").await.0, 404);
    assert_eq!(world.send("ACTIVE!3713", upload("m", b"x")).await.unwrap().status(), 404);
    assert_eq!(world.get("workspaces?name=larch").await.1["data"]["results"], json!([]));
    // closed
    assert_eq!(world.send("ACTIVE!3673", upload("m", b"x")).await.unwrap().status(), 403);
    world.become_user("TCHEN");
    assert_eq!(world.get("workspaces/ACTIVE!3650").await.1["data"]["access"], "read");
    assert_eq!(world.send(EMAILS, upload("m", b"x")).await.unwrap().status(), 403);
    world.become_user("XGUEST");
    assert_eq!(world.send(EMAILS, upload("m", b"x")).await.unwrap().status(), 404);
    world.become_user("MPATEL");
    assert_eq!(world.send("ACTIVE!3713", upload("m", b"x")).await.unwrap().status(), 201);
    world.control.update_user("MPATEL", |u| u.allow_logon = false);
    assert_eq!(world.get("operations").await.0, 401);
}

#[tokio::test]
async fn users_are_found_by_mail_and_lookups_by_alias() {
    let world = World::new();
    let url = format!("{}/api/v2/customers/1/users?email=M.Patel@firm.example&total=true", world.sim.url());
    let (_, found) =
        body(world.client.get(url).header("X-Auth-Token", &world.token).send().await.unwrap()).await;
    assert_eq!((&found["data"][0]["id"], &found["total_count"]), (&json!("MPATEL"), &json!(1)));
    let (_, alias) = world.get("customs/custom2/0001?parent_alias=10517").await;
    assert_eq!(alias["data"]["description"], "Boundary dispute, Brook Farm");
    assert_eq!(world.get("customs/custom2/0001").await.0, 404);
    let (_, found) = world.get("customs/custom1/search?query=teal").await;
    assert_eq!(found["data"]["results"][0]["id"], "10517");
}
