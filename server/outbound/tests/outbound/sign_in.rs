//! Signing in: what is believed, and what never is.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::sign_in::{Arrival, Departure, ProviderError};
use postroom_domain::testing::ManualClock;
use postroom_outbound::{SecretString, Services};
use postroom_sims::openid::{Action, Fire, Flaw, Mint, Rule};
use serde_json::{Value, json};

use crate::world::{BACK, NOW, World, code_at, service};

const MINA: &str = "m.patel@firm.example";

#[tokio::test]
async fn an_honest_provider_is_believed_in_all_its_ways() {
    let world = World::new();
    let ways: [(Value, bool); 4] = [
        (json!({}), true),
        (json!({ "algorithm": "ES256" }), true),
        (json!({ "verified_as_text": true }), true),
        (json!({ "claims_in_userinfo_only": true }), true),
    ];
    for (switches, verified) in ways {
        world.control.patch_switches(&switches).unwrap();
        let claims = world.sign_in(MINA).await.unwrap();
        assert_eq!(claims.issuer, world.sim.issuer(), "{switches}");
        assert_eq!(claims.email.as_deref(), Some(MINA), "{switches}");
        assert_eq!(
            (claims.email_verified, claims.name.as_deref()),
            (verified, Some("Mina Patel")),
            "{switches}"
        );
    }
    let unsure = world.sign_in("u.sure@firm.example").await.unwrap();
    assert!(!unsure.email_verified);
}

#[tokio::test]
async fn nothing_forged_is_believed() {
    let world = World::new();
    world.sign_in(MINA).await.unwrap();
    let flaws = [
        Flaw::AlgNone,
        Flaw::HmacWithPublicKey,
        Flaw::HmacWithClientSecret,
        Flaw::BadSignature,
        Flaw::Altered,
        Flaw::UnknownKid,
        Flaw::WrongAudience,
        Flaw::TwoAudiences,
        Flaw::WrongIssuer,
        Flaw::WrongNonce,
        Flaw::NoNonce,
        Flaw::Expired,
        Flaw::NotYetValid,
        Flaw::NoSubject,
        Flaw::NoIdToken,
        Flaw::Garbage,
    ];
    for flaw in flaws {
        world.control.add_fault(Rule::on("token", Action::Flaw { flaw }).fire(Fire::First(1)));
        let given = world.sign_in(MINA).await;
        assert!(matches!(given, Err(ProviderError::Forged(_))), "{flaw:?}: {given:?}");
        world.control.clear_faults();
        world.clock.advance(Duration::from_mins(2));
    }
    world.sign_in(MINA).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_lies_about_itself_gets_no_secret() {
    for flaw in [Flaw::OtherIssuer, Flaw::OtherHost, Flaw::NoKeysAddress] {
        let world = World::new();
        world.control.add_fault(Rule::on("discovery", Action::Flaw { flaw }));
        let verifier = SecretString::from("v");
        let departure = Departure {
            redirect: BACK,
            state: "s",
            nonce: "n",
            verifier: &verifier,
            hint: None,
            small: false,
            link: false,
        };
        let given = world.provider().departure(departure).await;
        let right = matches!(&given, Err(ProviderError::Forged(_) | ProviderError::Misconfigured(_)));
        assert!(right, "{flaw:?}: {given:?}");
    }
}

#[tokio::test]
async fn keys_rotate_and_may_be_out_of_reach_for_a_while() {
    let world = World::new();
    world.sign_in(MINA).await.unwrap();
    world.control.rotate_keys();
    world.sign_in(MINA).await.unwrap();
    world.control.add_fault(Rule::on("keys", Action::Html {}));
    world.clock.advance(Duration::from_hours(2));
    world.sign_in(MINA).await.unwrap();
    world.clock.advance(Duration::from_hours(30));
    let given = world.sign_in(MINA).await;
    assert!(matches!(given, Err(ProviderError::Unavailable(_))), "{given:?}");
}

#[tokio::test]
async fn web_pages_replays_and_refusals_are_told_apart() {
    let world = World::new();
    world.control.add_fault(Rule::on("token", Action::Html {}).fire(Fire::First(1)));
    let page = world.sign_in(MINA).await;
    assert!(matches!(page, Err(ProviderError::Unavailable(_))), "{page:?}");
    let refuse = Action::Refuse {
        error: "invalid_client".into(),
        description: String::new(),
        form: postroom_sims::openid::TokenError::default(),
    };
    world.control.add_fault(Rule::on("token", refuse).fire(Fire::First(1)));
    let refused = world.sign_in(MINA).await;
    assert!(matches!(refused, Err(ProviderError::Misconfigured(_))), "{refused:?}");
    let code = world.code(MINA).await;
    let verifier = SecretString::from("another verifier than the one that was hashed, and long enough");
    let arrival = Arrival { code: &code, redirect: BACK, nonce: "n", verifier: &verifier };
    let given = world.provider().claims(arrival).await;
    assert!(matches!(given, Err(ProviderError::BadCode(_))), "{given:?}");
}

#[tokio::test]
async fn microsofts_tokens_are_bound_to_tenant_scope_and_audience() {
    let world = World::entra();
    let claims = world.sign_in(MINA).await.unwrap();
    assert!(
        claims.subject.starts_with(&format!("{}/4f0a6c1e-", postroom_sims::openid::TENANT)),
        "{claims:?}"
    );
    assert!(!claims.email_verified, "not vouched for unless the settings say so");
    let check = world.services.bearer_checks().remove(0);
    let ask = async |mint: Mint| check.claims(&world.control.mint(&mint).unwrap().into()).await;
    assert_eq!(ask(Mint::default()).await.unwrap().subject, claims.subject);
    let bad = |flaw| Mint { flaws: vec![flaw], ..Mint::default() };
    let table = [
        Mint { audience: "another".into(), ..Mint::default() },
        Mint { scope: "Mail.Read".into(), ..Mint::default() },
        Mint { scope: String::new(), ..Mint::default() },
        Mint { app_only: true, ..Mint::default() },
        bad(Flaw::ForeignTenant),
        bad(Flaw::WrongIssuer),
        bad(Flaw::Expired),
        bad(Flaw::NotYetValid),
        bad(Flaw::AlgNone),
        bad(Flaw::HmacWithPublicKey),
        bad(Flaw::BadSignature),
    ];
    for mint in table {
        let given = ask(mint.clone()).await;
        assert!(matches!(given, Err(ProviderError::Forged(_))), "{mint:?}: {given:?}");
    }
    world.control.rotate_keys();
    ask(Mint::default()).await.unwrap();
}

async fn grant_of(services: &Services, approve: &str) -> (String, bool, bool) {
    let (verifier, provider) = (SecretString::from("v"), services.providers().remove(0));
    let departure = Departure {
        redirect: BACK,
        state: "s",
        nonce: "n",
        verifier: &verifier,
        hint: None,
        small: true,
        link: true,
    };
    let address = provider.departure(departure).await.unwrap();
    let code = code_at(&format!("{address}&sim_person={approve}")).await;
    let arrival = Arrival { code: &code, redirect: BACK, nonce: "n", verifier: &verifier };
    let (account, grant) = provider.grant(arrival).await.unwrap();
    (account.email, grant.access_ends.is_some(), grant.refresh.is_some())
}

#[tokio::test]
async fn the_dmss_own_sign_ins_tell_whose_account_it_is() {
    let clock = Arc::new(ManualClock::at(NOW));
    let connection = json!({ "proxy": "none" });
    let sim =
        postroom_sims::netdocuments::Sim::start(postroom_sims::netdocuments::Options::sample()).unwrap();
    let netdocuments = service(
        json!({
            "name": "nd", "kind": "netdocuments", "base_url": sim.url(), "web_url": sim.url(), "links": true,
            "client_id": postroom_sims::netdocuments::APP, "client_secret": "postroom-netdocuments-secret",
            "connection": connection,
        }),
        &clock,
    );
    assert_eq!(grant_of(&netdocuments, MINA).await, (MINA.to_owned(), true, true));
    let sim = postroom_sims::highq::Sim::start(postroom_sims::highq::Options::sample()).unwrap();
    let highq = service(
        json!({
            "name": "hq", "kind": "highq", "base_url": sim.url(), "client_id": postroom_sims::highq::APP,
            "client_secret": "postroom-highq-secret", "links": true, "connection": connection,
        }),
        &clock,
    );
    assert_eq!(grant_of(&highq, MINA).await, (MINA.to_owned(), true, true));
}
