//! The fake NetDocuments: sign-in here, what it holds in a file of its own.

mod contents;

use postroom_sims::netdocuments::{APP, Control, Options, REPOSITORY, Reuse, Sim, SimHandle};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::browser::{BACK, Browser, Hand, client, json as send, text};

const SECRET: &str = "postroom-netdocuments-secret";

struct World {
    sim: SimHandle,
    control: Control,
    hand: Hand,
    http: Client,
}

impl World {
    fn new() -> Self {
        let hand = Hand::new();
        let sim = Sim::start(Options::sample().with_clock(hand.clock())).unwrap();
        Self { control: sim.control(), sim, hand, http: client() }
    }

    fn departure(&self, scope: &str, person: &str) -> String {
        let base = format!("{}/neWeb2/OAuth.aspx?smallDisplay=Y&client_id={APP}", self.sim.url());
        let who = if person.is_empty() { String::new() } else { format!("&sim_person={person}") };
        format!("{base}&response_type=code&redirect_uri={BACK}&scope={scope}&state=s{who}")
    }

    async fn code(&self) -> String {
        let address = self.departure("full", "m.patel@firm.example");
        Browser::new(&self.http, self.sim.url()).get(&address).await.parameter("code").unwrap()
    }

    fn token(&self, form: &[(&str, &str)]) -> RequestBuilder {
        let request = self.http.post(format!("{}/v1/OAuth", self.sim.url()));
        request.header("Accept", "application/json").form(form)
    }

    async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
        send(self.token(&form).basic_auth(APP, Some(SECRET))).await
    }

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        let request = self.http.get(format!("{}{path}", self.sim.url())).bearer_auth(token);
        send(request.header("Accept", "application/json")).await
    }
}

#[tokio::test]
async fn a_person_signs_in_by_page() {
    let world = World::new();
    let mut browser = Browser::new(&world.http, world.sim.url());
    let page = browser.get(&world.departure("read,edit", "")).await;
    let consent = browser.click(page.page(), "person", "DUCOT-MPATEL").await;
    let arrived = browser.click(consent.page(), "decision", "allow").await;
    assert_eq!(arrived.parameter("state").as_deref(), Some("s"));
    let (status, tokens) = world.redeem(&arrived.parameter("code").unwrap()).await;
    assert_eq!((status.as_u16(), &tokens["expires_in"]), (200, &json!("3600")), "a text");
    let (_, who) = world.get("/v1/user/INFO", &text(&tokens["access_token"])).await;
    assert_eq!(
        who,
        json!({
            "id": "DUCOT-MPATEL", "displayName": "Mina Patel", "email": "m.patel@firm.example",
            "organization": "Firm LLP", "isRepositoryMember": true, "primaryCabinet": "NG-1A2B3C4D",
            "sortLookupBy": "key", "external": false,
        })
    );
}

#[tokio::test]
async fn answers_are_xml_unless_json_is_asked_for() {
    let world = World::new();
    let code = world.code().await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", BACK),
        ("client_id", APP),
        ("client_secret", SECRET),
    ];
    let request = world.http.post(format!("{}/v1/OAuth", world.sim.url())).form(&form);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/xml");
    let body = answer.text().await.unwrap();
    assert!(body.starts_with("<OAuthToken><access_token>nd-at-"), "{body}");
    assert!(body.contains("<expires_in>3600</expires_in>"), "{body}");
    let token = body.split("<access_token>").nth(1).unwrap().split('<').next().unwrap();
    let who = world.http.get(format!("{}/v1/User/info", world.sim.url())).bearer_auth(token);
    let who = who.send().await.unwrap().text().await.unwrap();
    assert!(who.contains("<email>m.patel@firm.example</email>"), "{who}");
}

#[tokio::test]
async fn what_is_refused() {
    let world = World::new();
    for (scope, error) in [("everything", "invalid_scope"), ("", "invalid_scope")] {
        let arrived = Browser::new(&world.http, world.sim.url())
            .get(&world.departure(scope, "m.patel@firm.example"))
            .await;
        assert_eq!(arrived.parameter("error").as_deref(), Some(error));
    }
    let code = world.code().await;
    let usual = [("grant_type", "authorization_code"), ("code", &code)];
    let wrong = world.token(&usual).basic_auth(APP, Some("guess"));
    assert_eq!(send(wrong).await.1["error"], "invalid_client");
    // the address must come again
    assert_eq!(send(world.token(&usual).basic_auth(APP, Some(SECRET))).await.1["error"], "invalid_grant");
    assert_eq!(world.redeem(&code).await.1["error_description"], "The code was used before");
    let late = world.code().await;
    world.hand.minutes(3);
    assert_eq!(world.redeem(&late).await.1["error_description"], "The code has expired");
    world.control.update_switches(|s| s.refuse_encoded_redirect = true);
    let encoded =
        world.departure("full", "m.patel@firm.example").replace("://localhost", "%3A%2F%2Flocalhost");
    assert!(Browser::new(&world.http, world.sim.url()).get(&encoded).await.page().contains("not valid"));
    // a token that may not read
    let edit = Browser::new(&world.http, world.sim.url())
        .get(&world.departure("edit", "m.patel@firm.example"))
        .await;
    let token = text(&world.redeem(&edit.parameter("code").unwrap()).await.1["access_token"]);
    assert_eq!(world.get("/v1/User/info", &token).await.0, 403);
}

#[tokio::test]
async fn access_ends_by_idleness_and_by_age_and_a_refresh_may_bring_no_new_refresh_token() {
    let world = World::new();
    let tokens = world.redeem(&world.code().await).await.1;
    let access = text(&tokens["access_token"]);
    for _ in 0..24 {
        world.hand.minutes(59);
        assert_eq!(world.get("/v1/User/info", &access).await.0, 200);
    }
    world.hand.minutes(59);
    assert_eq!(world.get("/v1/User/info", &access).await.0, 401, "used all the time, but a day old");
    let refresh = text(&tokens["refresh_token"]);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let again = || send(world.token(&form).basic_auth(APP, Some(SECRET)));
    let (status, fresh) = again().await;
    assert_eq!((status.as_u16(), fresh.get("refresh_token")), (200, None));
    world.hand.minutes(61);
    assert_eq!(world.get("/v1/User/info", &text(&fresh["access_token"])).await.0, 401, "idle");

    world
        .control
        .patch_switches(
            &json!({ "refresh_tokens_again": "on", "rotate_refresh": true, "numbers_as_text": false }),
        )
        .unwrap();
    let (_, fresh) = again().await;
    assert_ne!(text(&fresh["refresh_token"]), refresh);
    assert_eq!(fresh["expires_in"], 3600);
    assert_eq!(again().await.1["error"], "invalid_grant", "replaced");
    world.control.update_switches(|s| s.refresh_reuse = Reuse::Accept);
    assert_eq!(again().await.0, 200);
    assert_eq!(world.control.stats().tokens.forgiven_refresh_uses, 1);
}

#[tokio::test]
async fn a_service_account_needs_its_repository_and_its_mapping() {
    let world = World::new();
    let service = |user: String, secret: &'static str| {
        let request = world.token(&[("grant_type", "client_credentials"), ("scope", "full")]);
        send(request.basic_auth(user, Some(secret)))
    };
    let good = format!("{APP}|{REPOSITORY}");
    let cases = [
        (good.clone(), SECRET, 200),
        (good.clone(), "guess", 401),
        (APP.to_owned(), SECRET, 401),
        (format!("{APP}|CA-OTHER"), SECRET, 401),
        (format!("AP-OTHER|{REPOSITORY}"), SECRET, 401),
    ];
    for (user, secret, status) in cases {
        assert_eq!(service(user.clone(), secret).await.0.as_u16(), status, "{user}");
    }
    let (_, tokens) = service(good.clone(), SECRET).await;
    assert_eq!(tokens.get("refresh_token"), None);
    let token = text(&tokens["access_token"]);
    assert_eq!(world.get("/v1/User/info", &token).await.1["email"], "postroom@firm.example");
    assert_eq!(world.get("/v1/User/cabinets", &token).await.1[0]["repositoryId"], REPOSITORY);
    world.control.update_switches(|s| s.service_account = None);
    let token = text(&service(good, SECRET).await.1["access_token"]);
    assert_eq!(world.get("/v1/User/cabinets", &token).await, (StatusCode::OK, json!([])));
    assert_eq!(world.get("/v1/User/info", &token).await, (StatusCode::OK, json!({})));
}
