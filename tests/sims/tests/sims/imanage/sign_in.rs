//! Sign-in: what the authorize page does, and refresh tokens that went stale.

use postroom_sims::imanage::Reuse;
use serde_json::{Value, json};

use crate::browser::{BACK, Browser, client, text};
use crate::imanage::support::World;

const CLIENT: [(&str, &str); 2] = [("client_id", "postroom"), ("client_secret", "postroom-client-secret")];

async fn tokens(world: &World) -> Value {
    let address = format!(
        "{}/auth/oauth2/authorize?response_type=code&client_id=postroom&redirect_uri={BACK}&scope=user&state=s",
        world.sim.url()
    );
    let arrived =
        Browser::new(&client(), &world.sim.url()).get(&format!("{address}&sim_person=MPATEL")).await;
    let code = arrived.parameter("code").unwrap();
    let mut form = vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    form.extend(CLIENT);
    world.form("/auth/oauth2/token", &form).await.1
}

async fn refresh(world: &World, token: &str) -> u16 {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend(CLIENT);
    world.form("/auth/oauth2/token", &form).await.0.as_u16()
}

#[tokio::test]
async fn the_way_back_is_as_the_switches_say() {
    let world = World::new();
    let address = format!(
        "{}/auth/oauth2/authorize?response_type=code&client_id=postroom&redirect_uri={BACK}&state=s%26t",
        world.sim.url()
    );
    let cases = [
        (json!({}), "", "page"),
        (json!({}), "&cancel=1", "access_denied, s&t"),
        (json!({}), "&login_hint=KOLD", "access_denied, s&t"),
        (json!({}), "&login_hint=m.patel@firm.example", "code, s&t"),
        (json!({ "approve_as": "j.reed@firm.example" }), "", "code, s&t"),
        (json!({ "state": "drop" }), "", "code, -"),
        (json!({ "state": "wrong" }), "", "code, not-the-state-you-sent"),
        (json!({ "deny": true, "state": "echo" }), "", "access_denied, s&t"),
    ];
    let client = client();
    for (patch, more, expected) in cases {
        world.control.patch_switches(&patch).unwrap();
        let shown = Browser::new(&client, &world.sim.url()).get(&format!("{address}{more}")).await;
        let outcome = match (shown.parameter("error"), shown.parameter("code")) {
            (None, None) => "page".to_owned(),
            (error, _) => {
                let state = shown.parameter("state").unwrap_or_else(|| "-".to_owned());
                format!("{}, {state}", error.unwrap_or_else(|| "code".to_owned()))
            }
        };
        assert_eq!(outcome, expected, "{patch} {more}");
    }
}

#[tokio::test]
async fn replaced_tokens_are_forgiven_for_a_while_where_that_is_set() {
    let world = World::with(|s| {
        s.rotate_refresh = true;
        s.refresh_grace_ms = 60_000;
        s.numbers_as_text = true;
        s.refresh_idle_days = Some(7);
    });
    let first = tokens(&world).await;
    assert_eq!(first["expires_in"], "1800");
    let old = text(&first["refresh_token"]);
    assert_eq!([refresh(&world, &old).await, refresh(&world, &old).await], [200, 200]);
    world.advance(60_000);
    assert_eq!(refresh(&world, &old).await, 400);
    let grant = world.control.grants().into_iter().find(|g| g.person == "MPATEL").unwrap();
    assert_eq!((grant.refreshes, grant.stale, grant.forgiven, grant.revoked), (2, 2, 1, false));
    world.control.update_switches(|s| s.refresh_reuse = Reuse::Revoke);
    assert_eq!(refresh(&world, &old).await, 400);
    assert!(world.control.grants().iter().any(|g| g.person == "MPATEL" && g.revoked));

    let idle = text(&tokens(&world).await["refresh_token"]);
    world.advance(8 * 86_400_000);
    assert_eq!(refresh(&world, &idle).await, 400);
    let revoked = text(&tokens(&world).await["refresh_token"]);
    // the grant whose tokens only idled away counts too
    assert_eq!(world.control.revoke("mpatel"), 2);
    assert_eq!(refresh(&world, &revoked).await, 400);
    assert_eq!(world.control.stats().tokens.revoked_uses, 1);
}
