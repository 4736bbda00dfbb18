//! Sign-in at the fake HighQ.

use postroom_sims::highq::{APP, App, Control, Options, Sim, SimHandle};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::browser::{BACK, Browser, Hand, Shown, client, json as send, text};

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

    fn departure(&self, app: &str, back: &str, more: &str) -> String {
        let base = format!("{}/authorize.action", self.sim.url());
        format!("{base}?response_type=code&client_id={app}&redirect_uri={back}&state=s{more}")
    }

    async fn arrive(&self, app: &str, back: &str) -> Shown {
        Browser::new(&self.http, self.sim.url())
            .get(&self.departure(app, back, "&sim_person=m.patel@firm.example"))
            .await
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let usual = [("client_id", APP), ("client_secret", "postroom-highq-secret")];
        let form: Vec<_> = usual.into_iter().chain(form.iter().copied()).collect();
        send(self.http.post(format!("{}/api/oauth2/token", self.sim.url())).form(&form)).await
    }

    async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "authorization_code"), ("code", code)]).await
    }

    async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn sign_in(&self) -> Value {
        self.redeem(&self.arrive(APP, BACK).await.parameter("code").unwrap()).await.1
    }

    async fn sites(&self, token: &str) -> (StatusCode, Value) {
        let request =
            self.http.get(format!("{}/api/6/sites?returncount=1", self.sim.url())).bearer_auth(token);
        send(request.header("Accept", "application/json")).await
    }
}

#[tokio::test]
async fn a_person_signs_in_and_the_token_says_who_it_is() {
    let world = World::new();
    let tokens = world.sign_in().await;
    let told = json!({
        "access_token": tokens["access_token"], "refresh_token": tokens["refresh_token"],
        "token_type": "bearer", "expires_in": "18000", "refresh_token_expires_in": "31536000",
        "useremail": "m.patel@firm.example",
    });
    assert_eq!(tokens, told);
    let access = text(&tokens["access_token"]);
    assert_eq!(world.sites(&access).await.1["site"]["id"], "12", "a list of one is an object");
    let url = format!("{}/api/6/sites", world.sim.url());
    let xml = world.http.get(url).bearer_auth(&access).send().await.unwrap().text().await.unwrap();
    assert!(xml.starts_with("<sites><site>") && xml.contains("<sitename>Project Falcon</sitename>"), "{xml}");
    world.hand.minutes(301);
    assert_eq!(world.sites(&access).await.0, 401);
    world.control.patch_switches(&json!({ "user_email": false, "numbers_as_text": false })).unwrap();
    let tokens = world.sign_in().await;
    assert_eq!((tokens.get("useremail"), &tokens["expires_in"]), (None, &json!(18000)));
}

#[tokio::test]
async fn the_browsers_session_decides_silently() {
    let world = World::new();
    let mut browser = Browser::new(&world.http, world.sim.url());
    let address = world.departure(APP, BACK, "&login_hint=j.reed@firm.example&prompt=login");
    let page = browser.get(&address).await;
    let consent = browser.click(page.page(), "person", "1802").await;
    assert!(consent.page().contains("Mina Patel"));
    assert!(browser.click(consent.page(), "decision", "allow").await.parameter("code").is_some());
    let silent = browser.get(&address).await;
    let tokens = world.redeem(&silent.parameter("code").unwrap()).await.1;
    assert_eq!(tokens["useremail"], "m.patel@firm.example", "whoever was meant");
    world.control.update_switches(|s| s.session_wins = false);
    assert!(browser.get(&address).await.page().contains("Sign in to"));
}

#[tokio::test]
async fn redirect_addresses_and_codes() {
    let world = World::new();
    world.control.put_app(App {
        id: "18".into(),
        secret: Some("other-secret".into()),
        redirect_uris: Vec::new(),
        disabled: false,
    });
    assert!(world.arrive("18", "http://anywhere.example/x").await.parameter("code").is_some());
    assert!(matches!(world.arrive(APP, "http://anywhere.example/x").await, Shown::Page(400, _)));
    assert!(matches!(world.arrive("18", "javascript:alert(1)").await, Shown::Page(400, _)));
    let code = world.arrive(APP, BACK).await.parameter("code").unwrap();
    assert_eq!(world.redeem(&code).await.0, 200);
    assert_eq!(world.redeem(&code).await.1["error"], "invalid_grant", "used");
    let other = world.arrive("18", BACK).await.parameter("code").unwrap();
    assert_eq!(world.redeem(&other).await.1["error"], "invalid_grant", "another application's");
    let late = world.arrive(APP, BACK).await.parameter("code").unwrap();
    world.hand.minutes(31);
    assert_eq!(world.redeem(&late).await.1["error"], "invalid_grant", "after half an hour");
    let machine = world.token(&[("grant_type", "client_credentials")]).await.1;
    assert_eq!(machine["error"], "unsupported_grant_type");
    world.control.patch_switches(&json!({ "state": "drop" })).unwrap();
    assert_eq!(world.arrive(APP, BACK).await.parameter("state"), None);
}

#[tokio::test]
async fn each_refresh_gives_a_new_pair_and_idleness_ends_it() {
    let world = World::new();
    let first = world.sign_in().await;
    let old = text(&first["refresh_token"]);
    let (status, second) = world.refresh(&old).await;
    assert_eq!((status.as_u16(), &second["useremail"]), (200, &json!("m.patel@firm.example")));
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(world.refresh(&old).await.1["error"], "invalid_grant");
    let newer = text(&second["refresh_token"]);
    world.control.update_switches(|s| s.refresh_grace_ms = 60_000);
    assert_eq!(world.refresh(&newer).await.0, 200);
    assert_eq!(world.refresh(&newer).await.0, 200, "within the grace");
    world.hand.minutes(2);
    assert_eq!(world.refresh(&newer).await.0, 400);
    let grant = &world.control.grants()[0];
    assert_eq!((grant.refreshes, grant.stale, grant.forgiven), (3, 3, 1));

    world.control.update_switches(|s| {
        s.refresh_idle_days = Some(30);
        s.idle_minutes = Some(20);
    });
    let tokens = world.sign_in().await;
    world.hand.minutes(21);
    assert_eq!(world.sites(&text(&tokens["access_token"])).await.0, 401);
    world.hand.minutes(30 * 24 * 60);
    assert_eq!(world.refresh(&text(&tokens["refresh_token"])).await.1["error"], "invalid_grant");
}
