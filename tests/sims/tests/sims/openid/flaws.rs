//! Each lie once, and what an honest application makes of it.

use postroom_sims::openid::{Action, Algorithm, Fire, Flaw, Mint, Rule};
use serde_json::json;

use super::support::World;
use super::verifier::{Expected, wrong};
use crate::browser::text;

#[tokio::test]
async fn every_flaw_of_an_id_token_is_that_flaw_and_no_other() {
    let cases: &[(Option<Flaw>, &[&str])] = &[
        (None, &[]),
        (Some(Flaw::AlgNone), &["unsigned"]),
        (Some(Flaw::HmacWithPublicKey), &["signed by HMAC"]),
        (Some(Flaw::HmacWithClientSecret), &["signed by HMAC"]),
        (Some(Flaw::BadSignature), &["signature"]),
        (Some(Flaw::Altered), &["signature"]),
        (Some(Flaw::UnknownKid), &["unknown key"]),
        (Some(Flaw::NoKid), &["no key named"]),
        (Some(Flaw::WrongAudience), &["audience"]),
        (Some(Flaw::TwoAudiences), &["audience"]),
        (Some(Flaw::WrongIssuer), &["issuer"]),
        (Some(Flaw::ForeignTenant), &["issuer"]),
        (Some(Flaw::WrongNonce), &["nonce"]),
        (Some(Flaw::NoNonce), &["nonce"]),
        (Some(Flaw::Expired), &["expired"]),
        (Some(Flaw::NotYetValid), &["not yet valid"]),
        (Some(Flaw::NoSubject), &["no subject"]),
        (Some(Flaw::Garbage), &["no token"]),
    ];
    for tenant in [false, true] {
        let mut world = World::new();
        world.tenant = tenant;
        let keys = world.keys().await;
        let issuer = world.issuer();
        for (flaw, expected) in cases {
            if let Some(flaw) = flaw {
                world.flaw("token", *flaw);
            }
            let tokens = world.sign_in("m.patel@firm.example").await;
            let expectation =
                Expected { keys: &keys, issuer: &issuer, audience: world.app().0, nonce: Some("n-1") };
            assert_eq!(wrong(&text(&tokens["id_token"]), &expectation), *expected, "{flaw:?}");
        }
    }
}

#[tokio::test]
async fn minted_tokens_can_lie_too_and_with_other_keys() {
    let mut world = World::new();
    world.tenant = true;
    let issuer = world.issuer();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        world.control.update_switches(|s| s.algorithm = algorithm);
        let keys = world.keys().await;
        let expected = Expected { keys: &keys, issuer: &issuer, audience: world.app().0, nonce: None };
        let cases: &[(&[Flaw], &[&str])] = &[
            (&[], &[]),
            (&[Flaw::AlgNone], &["unsigned"]),
            (&[Flaw::HmacWithPublicKey], &["signed by HMAC"]),
            (&[Flaw::BadSignature, Flaw::Expired], &["signature", "expired"]),
            (&[Flaw::UnknownKid], &["unknown key"]),
            (&[Flaw::ForeignTenant], &["issuer"]),
            (&[Flaw::WrongAudience], &["audience"]),
        ];
        for (flaws, words) in cases {
            let mint = Mint { flaws: flaws.to_vec(), ..Mint::default() };
            let token = world.control.mint(&mint).unwrap();
            assert_eq!(wrong(&token, &expected), *words, "{algorithm:?} {flaws:?}");
        }
    }
    assert_eq!(world.control.mint(&Mint { person: "nobody".into(), ..Mint::default() }), None);
}

#[tokio::test]
async fn answers_without_what_belongs_in_them() {
    let world = World::new();
    for (flaw, key) in [
        (Flaw::NoIdToken, "id_token"),
        (Flaw::NoAccessToken, "access_token"),
        (Flaw::NoRefreshToken, "refresh_token"),
        (Flaw::NoExpiry, "expires_in"),
    ] {
        let whole = world.sign_in("m.patel@firm.example").await;
        world.flaw("token", flaw);
        let less = world.sign_in("m.patel@firm.example").await;
        let mut missing: Vec<_> = whole.as_object().unwrap().keys().collect();
        missing.retain(|key| less.get(key.as_str()).is_none());
        assert_eq!(missing, [key], "{flaw:?}");
    }
    world.flaw("token", Flaw::NumbersAsText);
    assert_eq!(world.sign_in("m.patel@firm.example").await["expires_in"], "3600");
    world.flaw("userinfo", Flaw::OtherSubject);
    let tokens = world.sign_in("m.patel@firm.example").await;
    assert_eq!(world.userinfo(&text(&tokens["access_token"])).await.1["sub"], "somebody-else");
}

#[tokio::test]
async fn discovery_and_keys_that_lie() {
    let world = World::new();
    let whole = world.discovery().await;
    world.flaw("discovery", Flaw::OtherIssuer);
    assert_eq!(world.discovery().await["issuer"], "https://elsewhere.example");
    world.flaw("discovery", Flaw::NoKeysAddress);
    assert_eq!(world.discovery().await.get("jwks_uri"), None);
    world.flaw("discovery", Flaw::OtherHost);
    assert_eq!(world.discovery().await["token_endpoint"], "http://elsewhere.invalid/token");
    assert_eq!(world.discovery().await, whole);

    let names = |keys: serde_json::Value| -> Vec<String> {
        keys["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(names(world.keys().await), ["rsa-1", "ec-1", "rsa-2", "ec-2"]);
    for (flaw, expected) in [
        (Flaw::NoKeys, vec![]),
        (Flaw::OldKeys, vec!["rsa-1", "ec-1"]),
        (Flaw::KeysWithoutKid, vec!["-", "-", "-", "-"]),
    ] {
        world.flaw("keys", flaw);
        assert_eq!(names(world.keys().await), expected, "{flaw:?}");
    }
    world.control.rotate_keys();
    assert_eq!(names(world.keys().await), ["rsa-2", "ec-2", "rsa-3", "ec-3"]);
    world.control.retire_keys();
    assert_eq!(names(world.keys().await), ["rsa-3", "ec-3"]);
}

#[tokio::test]
async fn a_token_signed_before_a_rotation_verifies_until_its_key_is_retired() {
    let world = World::new();
    let issuer = world.issuer();
    let old = text(&world.sign_in("m.patel@firm.example").await["id_token"]);
    let mut seen = Vec::new();
    for act in [|_: &World| {}, |w: &World| w.control.rotate_keys(), |w: &World| w.control.retire_keys()] {
        act(&world);
        let keys = world.keys().await;
        let expected = Expected { keys: &keys, issuer: &issuer, audience: "postroom", nonce: Some("n-1") };
        let new = text(&world.sign_in("m.patel@firm.example").await["id_token"]);
        seen.push((wrong(&old, &expected), wrong(&new, &expected)));
    }
    assert_eq!(seen, [(vec![], vec![]), (vec![], vec![]), (vec!["unknown key"], vec![])]);
}

#[tokio::test]
async fn endpoints_that_are_down_or_answer_with_pages() {
    let world = World::new();
    let url = world.sim.url().to_owned();
    for (operation, path) in
        [("discovery", "/.well-known/openid-configuration"), ("keys", "/keys"), ("token", "/token")]
    {
        let call = || {
            let address = format!("{url}{path}");
            let call = if operation == "token" { world.http.post(address) } else { world.http.get(address) };
            call.send()
        };
        let mut seen = Vec::new();
        for action in [
            Action::Html {},
            Action::Status { status: 500, headers: [].into(), body: None },
            Action::Status {
                status: 503,
                headers: [("Retry-After".to_owned(), "7".to_owned())].into(),
                body: None,
            },
            Action::Redirect { status: 307, to: None },
            Action::Huge { bytes: 100_000 },
            Action::Close {},
            Action::LoseAnswer {},
            Action::CutAnswer { after: 3 },
        ] {
            world.control.add_fault(Rule::on(operation, action).fire(Fire::First(1)));
            seen.push(match call().await {
                Ok(answer) => {
                    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
                    let status = answer.status().as_u16();
                    match answer.bytes().await {
                        Ok(body) => format!("{status} {kind} {}", body.len() > 100_000),
                        Err(_) => format!("{status} cut"),
                    }
                }
                Err(_) => "no answer".to_owned(),
            });
        }
        let cut = if operation == "token" { "401 cut" } else { "200 cut" };
        assert_eq!(
            seen,
            [
                "200 text/html; charset=utf-8 false",
                "500 application/json false",
                "503 application/json false",
                "307 text/plain false",
                "200 application/json true",
                "no answer",
                "no answer",
                cut,
            ]
            .map(|line| if operation == "token" {
                line.replace("200 application/json true", "401 application/json true")
            } else {
                line.to_owned()
            }),
            "{operation}"
        );
    }
    world.control.add_fault(Rule::on("keys", Action::Hang {}).fire(Fire::First(1)));
    let hanging = tokio::spawn(world.http.get(format!("{url}/keys")).send());
    // a call of the same sort that comes later is answered before it
    while world.control.faults().last().is_none_or(|(_, _, fired)| *fired == 0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.keys().await["keys"].as_array().unwrap().len(), 4);
    assert!(!hanging.is_finished());
    world.control.release();
    assert_eq!(hanging.await.unwrap().unwrap().status(), 200);
    assert_eq!(world.control.stats().calls["keys"]["dropped"], json!(2));
}
