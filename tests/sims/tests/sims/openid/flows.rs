//! The way of a code, with each thing that must not be accepted.

use postroom_sims::openid::{ADDIN_APP, Algorithm, ClientAuth, Mint, Person, RefreshTokens, Replay};
use serde_json::{Value, json};

use super::support::{SCOPE, World};
use super::verifier::{Expected, part, wrong};
use crate::browser::{BACK, Shown, VERIFIER, json as send, text};

type Parameters<'a> = Vec<(&'a str, &'a str)>;

#[tokio::test]
async fn a_person_signs_in_at_either_side_with_either_signature() {
    for (tenant, algorithm) in [
        (false, Algorithm::Rs256),
        (false, Algorithm::Es256),
        (true, Algorithm::Rs256),
        (true, Algorithm::Es256),
    ] {
        let mut world = World::new();
        world.tenant = tenant;
        world.control.update_switches(|s| s.algorithm = algorithm);
        let document = world.discovery().await;
        assert_eq!(document["issuer"], world.issuer());
        assert_eq!(document["id_token_signing_alg_values_supported"], json!([algorithm]));
        let arrived = world.arrive(&[("sim_person", "m.patel@firm.example")]).await;
        assert_eq!(arrived.parameter("state").as_deref(), Some("st/ate&1"));
        let tokens = world.redeem(&arrived.parameter("code").unwrap()).await.1;
        let (keys, issuer) = (world.keys().await, world.issuer());
        let expected = Expected { keys: &keys, issuer: &issuer, audience: world.app().0, nonce: Some("n-1") };
        let id_token = text(&tokens["id_token"]);
        assert_eq!(wrong(&id_token, &expected), Vec::<&str>::new());
        let claims = part(&id_token, 1).unwrap();
        let told: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        if tenant {
            assert_eq!(
                told,
                [
                    "at_hash",
                    "aud",
                    "email",
                    "exp",
                    "iat",
                    "iss",
                    "name",
                    "nbf",
                    "nonce",
                    "oid",
                    "preferred_username",
                    "sub",
                    "tid",
                    "ver"
                ]
            );
            assert_eq!(
                (&claims["tid"], claims["oid"].is_string()),
                (&json!(world.control.switches().tenant), true)
            );
        } else {
            assert_eq!(
                told,
                [
                    "at_hash",
                    "aud",
                    "email",
                    "email_verified",
                    "exp",
                    "iat",
                    "iss",
                    "name",
                    "nonce",
                    "preferred_username",
                    "sub"
                ]
            );
            assert_eq!((&claims["sub"], &claims["email_verified"]), (&json!("sub-mpatel"), &json!(true)));
        }
        let (status, who) = world.userinfo(&text(&tokens["access_token"])).await;
        assert_eq!(
            (status.as_u16(), &who["sub"], &who["email"]),
            (200, &claims["sub"], &json!("m.patel@firm.example"))
        );
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
        world.hand.minutes(61);
        assert_eq!(world.userinfo(&text(&tokens["access_token"])).await.0, 401);
    }
}

#[tokio::test]
async fn what_the_authorize_endpoint_refuses() {
    let world = World::new();
    world.control.put_app(postroom_sims::openid::App {
        id: "exact".into(),
        secret: None,
        redirect_uris: vec!["https://ours.example/auth/callback".into()],
        disabled: false,
    });
    let exact = |uri: &'static str| vec![("client_id", "exact"), ("redirect_uri", uri)];
    // what is not sent back is a page; what is carries an error
    let cases: Vec<(&str, Parameters<'_>, Result<&str, u16>)> = vec![
        ("no PKCE", vec![("code_challenge", "")], Ok("invalid_request")),
        ("plain PKCE", vec![("code_challenge_method", "plain")], Ok("invalid_request")),
        ("no PKCE method", vec![("code_challenge_method", "")], Ok("invalid_request")),
        ("implicit", vec![("response_type", "token")], Ok("unsupported_response_type")),
        ("no scope", vec![("scope", "")], Ok("invalid_scope")),
        ("nobody there", vec![("prompt", "none")], Ok("login_required")),
        ("has left", vec![("sim_person", "k.old@firm.example")], Ok("access_denied")),
        ("unknown client", vec![("client_id", "stranger")], Err(400)),
        ("a slash more", exact("https://ours.example/auth/callback/"), Err(400)),
        ("other letters", exact("https://ours.example/auth/Callback"), Err(400)),
        ("a parameter more", exact("https://ours.example/auth/callback?a=b"), Err(400)),
        ("a port more", exact("https://ours.example:443/auth/callback"), Err(400)),
        ("without TLS", exact("http://ours.example/auth/callback"), Err(400)),
        ("nowhere", exact(""), Err(400)),
    ];
    for (name, more, expected) in cases {
        match (world.arrive(&more).await, expected) {
            (Shown::Page(status, _), Err(expected)) => assert_eq!(status, expected, "{name}"),
            (away @ Shown::Away(_), Ok(error)) => {
                assert_eq!(away.parameter("error").as_deref(), Some(error), "{name}");
                assert_eq!(away.parameter("state").as_deref(), Some("st/ate&1"), "{name}");
                assert_eq!(away.parameter("code"), None, "{name}");
            }
            (shown, expected) => panic!("{name}: {shown:?}, not {expected:?}"),
        }
    }
    let mut good = exact("https://ours.example/auth/callback");
    good.push(("sim_person", "m.patel@firm.example"));
    assert!(world.arrive(&good).await.parameter("code").is_some());
    world.control.update_switches(|s| s.deny = true);
    assert_eq!(world.arrive(&[]).await.parameter("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn state_can_be_forged_or_lost_and_the_issuer_named() {
    let world = World::new();
    let mut seen = Vec::new();
    for patch in [
        json!({}),
        json!({ "state": "drop" }),
        json!({ "state": "wrong" }),
        json!({ "iss_parameter": true, "state": "echo" }),
    ] {
        world.control.patch_switches(&patch).unwrap();
        let arrived = world.arrive(&[("sim_person", "m.patel@firm.example")]).await;
        seen.push((arrived.parameter("state"), arrived.parameter("iss")));
    }
    let some = |text: &str| Some(text.to_owned());
    let expected = [
        (some("st/ate&1"), None),
        (None, None),
        (some("not-the-state-you-sent"), None),
        (some("st/ate&1"), Some(world.issuer())),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_the_token_endpoint_refuses() {
    let world = World::new();
    let usual = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
        ("client_id", "postroom"),
        ("client_secret", "postroom-openid-secret"),
    ];
    let cases: Vec<(&str, Parameters<'_>, i64, &str)> = vec![
        ("good", vec![], 0, "200"),
        ("another verifier", vec![("code_verifier", "another")], 0, "400 invalid_grant"),
        ("no verifier", vec![("code_verifier", "")], 0, "400 invalid_grant"),
        ("another address", vec![("redirect_uri", "http://localhost:9/")], 0, "400 invalid_grant"),
        ("no address", vec![("redirect_uri", "")], 0, "400 invalid_grant"),
        ("wrong secret", vec![("client_secret", "guess")], 0, "401 invalid_client"),
        ("no secret", vec![("client_secret", "")], 0, "401 invalid_client"),
        ("unknown client", vec![("client_id", "stranger")], 0, "401 invalid_client"),
        (
            "another client's code",
            vec![("client_id", ADDIN_APP), ("client_secret", "")],
            0,
            "400 invalid_grant",
        ),
        ("unknown code", vec![("code", "guess")], 0, "400 invalid_grant"),
        ("too late", vec![], 2, "400 invalid_grant"),
        ("strange grant", vec![("grant_type", "password")], 0, "400 unsupported_grant_type"),
    ];
    for (name, changes, minutes, expected) in cases {
        let code = world.code("m.patel@firm.example").await;
        world.hand.minutes(minutes);
        let mut form = vec![("code", code.as_str())];
        form.extend(usual);
        form.retain(|(key, _)| changes.iter().all(|(other, _)| other != key));
        form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let (status, body) = world.token(&form).await;
        let error = body["error"].as_str().map(|error| format!(" {error}")).unwrap_or_default();
        assert_eq!(format!("{}{error}", status.as_u16()), expected, "{name}");
    }
}

#[tokio::test]
async fn a_secret_may_come_by_header_or_form_as_the_provider_likes() {
    let world = World::new();
    let mut seen = Vec::new();
    for allowed in [ClientAuth::Both, ClientAuth::Post, ClientAuth::Basic] {
        world.control.update_switches(|s| s.client_auth = allowed);
        let form = world.redeem(&world.code("m.patel@firm.example").await).await.0.as_u16();
        let code = world.code("m.patel@firm.example").await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        let request = world.http.post(format!("{}/token", world.sim.url()));
        let header =
            send(request.basic_auth("postroom", Some("postroom-openid-secret")).form(&fields)).await.0;
        seen.push((form, header.as_u16()));
    }
    assert_eq!(seen, [(200, 200), (200, 401), (401, 200)]);
}

#[tokio::test]
async fn a_replayed_code_ends_what_it_gave() {
    let world = World::new();
    for (replay, again, after) in
        [(Replay::Refuse, 400, 200), (Replay::Accept, 200, 200), (Replay::Revoke, 400, 401)]
    {
        world.control.update_switches(|s| s.code_replay = replay);
        let code = world.code("m.patel@firm.example").await;
        let access = text(&world.redeem(&code).await.1["access_token"]);
        assert_eq!(world.userinfo(&access).await.0, 200);
        assert_eq!(world.redeem(&code).await.0.as_u16(), again, "{replay:?}");
        assert_eq!(world.userinfo(&access).await.0.as_u16(), after, "{replay:?}");
    }
    let stats = world.control.stats().tokens;
    assert_eq!((stats.codes_replayed, stats.revoked_uses), (3, 1));
    assert_eq!(
        (stats.count("authorization_code", "ok"), stats.count("authorization_code", "invalid_grant")),
        (4, 2)
    );
}

#[tokio::test]
async fn a_changed_mail_keeps_its_subject_and_a_reused_one_does_not() {
    let world = World::new();
    let claims = |tokens: Value| part(&text(&tokens["id_token"]), 1).unwrap();
    let told = |c: &Value| (text(&c["sub"]), text(&c["email"]));
    let before = claims(world.sign_in("sub-mpatel").await);
    assert!(world.control.update_person("sub-mpatel", |p| p.email = "mina.patel@firm.example".into()));
    let changed = claims(world.sign_in("sub-mpatel").await);
    world.control.put_person(Person {
        id: "sub-other".into(),
        oid: "other".into(),
        name: "Mo Patel".into(),
        email: "m.patel@firm.example".into(),
        email_verified: Some(true),
        disabled: false,
    });
    let reused = claims(world.sign_in("sub-other").await);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        [told(&before), told(&changed), told(&reused)],
        [
            pair("sub-mpatel", "m.patel@firm.example"),
            pair("sub-mpatel", "mina.patel@firm.example"),
            pair("sub-other", "m.patel@firm.example"),
        ]
    );
    let unsure = claims(world.sign_in("sub-unsure").await);
    assert_eq!(unsure["email_verified"], false);
    world.control.update_switches(|s| s.verified_as_text = true);
    assert_eq!(claims(world.sign_in("sub-unsure").await)["email_verified"], "false");
}

#[tokio::test]
async fn a_person_has_another_subject_in_each_application_of_the_tenant() {
    let mut world = World::new();
    world.tenant = true;
    let tokens = world.sign_in("m.patel@firm.example").await;
    let own = part(&text(&tokens["id_token"]), 1).unwrap();
    let minted = part(&world.control.mint(&Mint::default()).unwrap(), 1).unwrap();
    assert_eq!(own["oid"], minted["oid"]);
    assert_ne!(own["sub"], minted["sub"]);
    assert_eq!(
        (&minted["scp"], &minted["azp"], &minted["aud"], &minted["ver"]),
        (&json!("Filing.ReadWrite"), &json!(ADDIN_APP), &json!(world.app().0), &json!("2.0"))
    );
    let program = Mint { app_only: true, ..Mint::default() };
    let program = part(&world.control.mint(&program).unwrap(), 1).unwrap();
    assert_eq!((program.get("scp"), &program["roles"]), (None, &json!(["Filing.All"])));
    // asked for by its name, an application's own token comes from the token endpoint too
    let scope = format!("{SCOPE} api://{}/Filing.ReadWrite", world.app().0);
    let arrived = world.arrive(&[("scope", &scope), ("sim_person", "m.patel@firm.example")]).await;
    let tokens = world.redeem(&arrived.parameter("code").unwrap()).await.1;
    let access = part(&text(&tokens["access_token"]), 1).unwrap();
    assert_eq!((&access["aud"], &access["scp"]), (&json!(world.app().0), &json!("Filing.ReadWrite")));
    let strange = format!("{}/nobody/v2.0/.well-known/openid-configuration", world.sim.url());
    assert_eq!(send(world.http.get(strange)).await.1["error"], "invalid_tenant");
    let common = format!("{}/common/v2.0/.well-known/openid-configuration", world.sim.url());
    let issuer = text(&send(world.http.get(common)).await.1["issuer"]);
    assert!(issuer.ends_with("/{tenantid}/v2.0"), "{issuer}");
}

#[tokio::test]
async fn refresh_tokens_are_there_as_the_switches_say() {
    let world = World::new();
    let asked = world.sign_in("m.patel@firm.example").await;
    assert!(asked["refresh_token"].is_string());
    let plain = world.arrive(&[("scope", "openid"), ("sim_person", "m.patel@firm.example")]).await;
    let plain = world.redeem(&plain.parameter("code").unwrap()).await.1;
    assert_eq!(plain.get("refresh_token"), None);
    world.control.update_switches(|s| s.refresh_tokens = RefreshTokens::Null);
    assert_eq!(world.sign_in("m.patel@firm.example").await.get("refresh_token"), Some(&Value::Null));
    world.control.update_switches(|s| s.refresh_tokens = RefreshTokens::Absent);
    assert_eq!(world.sign_in("m.patel@firm.example").await.get("refresh_token"), None);
}
