//! Who is let in where.

use postroom_sims::graph::{APP, Fire, Rule, SECRET, TENANT, Throttle};
use postroom_sims::graph::{Action, RetryAfter};
use reqwest::Method;
use serde_json::json;

use super::support::{POST, World, at, mime};

#[tokio::test]
async fn the_token_endpoint_says_what_is_wrong() {
    let world = World::new().await;
    let table = [
        ("elsewhere.example", APP, SECRET, None, 400, "invalid_request", 90_002),
        (TENANT, "nobody", SECRET, None, 400, "unauthorized_client", 700_016),
        (TENANT, APP, "wrong", None, 401, "invalid_client", 7_000_215),
        (TENANT, APP, SECRET, Some("Mail.Read"), 400, "invalid_scope", 70_011),
    ];
    for (tenant, id, secret, scope, status, error, number) in table {
        let (got, said) = world.ask_token(tenant, id, secret, scope).await;
        assert_eq!(
            (got, &said["error"], &said["error_codes"]),
            (status, &json!(error), &json!([number])),
            "{said}"
        );
    }
    // It ends, and is withdrawn.
    assert_eq!(world.get(&format!("users/{POST}")).await.0, 200);
    world.hand.minutes(61);
    let refused = world.refusal(Method::GET, &format!("users/{POST}"), None).await;
    assert_eq!(refused, (401, "InvalidAuthenticationToken".to_owned()));
}

#[tokio::test]
async fn mailboxes_are_open_outside_the_policy_or_not_there() {
    let world = World::new().await;
    let table = [
        ("post@firm.example", 200, ""),
        ("9b1d6c3e-0000-4000-8000-000000000001", 200, ""),
        ("private@firm.example", 403, "ErrorAccessDenied"),
        ("old@firm.example", 404, "MailboxNotEnabledForRESTAPI"),
        ("nobody@firm.example", 404, "ErrorInvalidUser"),
    ];
    for (user, status, code) in table {
        let at = format!("users/{user}/mailFolders/inbox");
        assert_eq!(world.refusal(Method::GET, &at, None).await, (status, code.to_owned()), "{user}");
    }
    world.control.update_switches(|it| it.consent = false);
    let refused = world.refusal(Method::GET, &format!("users/{POST}/mailFolders"), None).await;
    assert_eq!(refused, (403, "Authorization_RequestDenied".to_owned()));
}

#[tokio::test]
async fn too_many_calls_are_refused_and_counted() {
    let world = World::new().await;
    let inbox = format!("users/{POST}/mailFolders/inbox");
    let throttle = Throttle { per_second: 0.1, burst: 2.0, retry_after: RetryAfter::Seconds };
    world.control.update_switches(|it| it.throttle = Some(throttle));
    for status in [200, 200] {
        assert_eq!(world.get(&inbox).await.0, status);
    }
    let answer = world.send(Method::GET, &inbox, None).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"10".parse().unwrap()));
    assert_eq!(world.control.impatient(POST), 0);
    assert_eq!(world.get(&inbox).await.0, 429);
    assert_eq!(world.control.impatient(POST), 1);
    world.control.update_switches(|it| it.throttle = None);
    // The fifth at once.
    let id = world.control.deliver(POST, "inbox", &mime("1"));
    world.control.add_fault(Rule::on("value", Action::Delay { ms: 300 }).fire(Fire::Always));
    let value = format!("{}/$value", at(&id));
    let five = futures_util::future::join_all((0..5).map(|_| world.get(&value))).await;
    let mut statuses: Vec<u16> = five.iter().map(|it| it.0).collect();
    statuses.sort_unstable();
    assert_eq!((statuses, world.control.most_abreast(POST)), (vec![200, 200, 200, 200, 429], 5));
}
