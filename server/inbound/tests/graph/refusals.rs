//! What the server asks of everybody who calls, and what it refuses to this application or in this mailbox.

use std::time::Duration;

use postroom_domain::record::Kind;
use postroom_inbound::graph::{GraphMailbox, GraphOptions};
use postroom_outbound::{AppCertificate, AppProof};
use postroom_sims::graph::{APP, Action, Fire, RetryAfter, Rule, Throttle};

use crate::world::{POST, World, looked_again, once, options, until};

/// A key pair of RSA with its certificate, made for this test alone and of use nowhere else.
const CERTIFICATE: &str = include_str!("certificate.pem");

#[tokio::test]
async fn a_throttled_mailbox_waits_as_long_as_it_is_asked_to() {
    let world = World::new();
    world.control.update_switches(|it| {
        it.page = 3;
        it.throttle = Some(Throttle { per_second: 0.5, burst: 8.0, retry_after: RetryAfter::Seconds });
    });
    let names: Vec<String> = (0..6).map(|it| it.to_string()).collect();
    for name in &names {
        world.deliver(name);
    }
    let mailbox = world.open(options());
    let status = until(&mailbox, |it| it.refusing.is_some()).await;
    assert!(status.refusing.as_ref().unwrap().starts_with("Microsoft asks to wait "), "{status:?}");
    assert_eq!(status.unreachable, None);
    // The waits are real ones, so the server's time has to pass beside them.
    while mailbox.status().taken < 6 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.clock.advance(Duration::from_millis(100));
    }
    world.control.update_switches(|it| it.throttle = None);
    until(&mailbox, |it| it.refusing.is_none()).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(names.iter().map(String::as_str)));
    // A page is read side by side: what came while its neighbour was refused is read once more, and taken once.
    let refused = world.control.stats().calls["value"].get("429").copied().unwrap_or(0);
    assert!(world.calls("value") - refused >= 6);
}

/// F30: the server bears four calls at once in a mailbox.
#[tokio::test]
async fn no_more_calls_at_once_than_the_server_bears() {
    let world = World::new();
    for name in 0..40 {
        world.deliver(&name.to_string());
    }
    world.control.add_fault(Rule::on("value", Action::Delay { ms: 30 }));
    // Two sources on one mailbox, by one application.
    let app = world.app();
    let one = world.open_by(options(), app.clone());
    let other = world.open_by(GraphOptions { source: "copies".parse().unwrap(), ..options() }, app);
    until(&one, |it| it.taken == 40).await;
    until(&other, |it| it.taken == 40).await;
    one.stop().await;
    other.stop().await;
    let most = world.control.most_abreast(POST);
    assert!((2..=4).contains(&most), "{most}");
    assert_eq!(world.control.stats().calls["value"].get("429"), None);
}

#[tokio::test]
async fn tokens_that_end_or_are_withdrawn_are_asked_for_anew() {
    let world = World::new();
    let grants = || world.control.stats().tokens.count("client_credentials", "ok");
    let mailbox = world.open(options());
    looked_again(&mailbox).await;
    assert_eq!(grants(), 1);
    // Shortly before its end.
    world.clock.advance(Duration::from_secs(3599 - 200));
    looked_again(&mailbox).await;
    assert_eq!(grants(), 2);
    // Before its time.
    world.control.revoke_all();
    world.deliver("1");
    let status = until(&mailbox, |it| it.taken == 1).await;
    assert_eq!((status.unreachable, grants()), (None, 3));
    assert_eq!(world.control.stats().tokens.revoked_uses, 1);
    mailbox.stop().await;
}

#[tokio::test]
async fn what_is_refused_is_said_in_words_and_goes_on_when_it_is_not() {
    let world = World::new();
    world.deliver("1");
    // Consent is taken back after something was taken, which goes on.
    let mailbox = world.open(options());
    until(&mailbox, |it| it.taken == 1).await;
    world.control.update_switches(|it| it.consent = false);
    let status = until(&mailbox, |it| it.unreachable.is_some()).await;
    let why = "the application may not do that in this mailbox (403, AuthorizationRequestDenied)";
    assert_eq!(status.unreachable.as_deref(), Some(why));
    world.deliver("2");
    world.control.update_switches(|it| it.consent = true);
    until(&mailbox, |it| it.taken == 2 && it.unreachable.is_none()).await;
    mailbox.stop().await;
    // Mailboxes that cannot be read stop no other one.
    let table = [
        ("private@firm.example", "the application may not do that in this mailbox (403, AccessDenied)"),
        (
            "old@firm.example",
            "the mailbox is not in the cloud, or is not active (404, MailboxNotEnabledForRESTAPI)",
        ),
        ("nobody@firm.example", "Microsoft knows no such mailbox (404, InvalidUser)"),
    ];
    for (user, why) in table {
        let app = world.app();
        let good = world.open_by(options(), app.clone());
        let source = "other".parse().unwrap();
        let bad = world.open_by(GraphOptions { user: user.to_owned(), source, ..options() }, app.clone());
        let status = until(&bad, |it| it.unreachable.is_some()).await;
        assert_eq!(status.unreachable.as_deref(), Some(why), "{user}");
        looked_again(&good).await;
        good.stop().await;
        bad.stop().await;
        let options = GraphOptions { user: user.to_owned(), ..options() };
        let checked = GraphMailbox::check(&options, &app).await;
        assert!(checked.len() == 1 && !checked[0].works && checked[0].advice.is_some(), "{checked:?}");
        assert_eq!(checked[0].detail, why);
    }
    assert_eq!(world.records(Kind::Fetched).await.len(), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_said_and_tried_seldom() {
    let world = World::new();
    world.deliver("1");
    let table = [
        (
            APP,
            "wrong",
            "Microsoft gives the application no access token: invalid_client: AADSTS7000215: Invalid client secret",
        ),
        (
            "nobody",
            "wrong",
            "Microsoft gives the application no access token: unauthorized_client: AADSTS700016: Application was not",
        ),
    ];
    for (id, secret, why) in table {
        let app = world.app_with(id, AppProof::Secret(secret.into()));
        let mailbox = world.open_by(options(), app.clone());
        let status = until(&mailbox, |it| it.unreachable.is_some()).await;
        assert!(status.unreachable.as_ref().unwrap().starts_with(why), "{status:?}");
        mailbox.stop().await;
        let checked = GraphMailbox::check(&options(), &app).await;
        assert!(
            checked.len() == 1 && !checked[0].works && checked[0].subject == "access token",
            "{checked:?}"
        );
    }
    assert_eq!(world.calls("delta"), 0);
    // Where all is well the look says so, and changes nothing.
    let checked = GraphMailbox::check(&options(), &world.app()).await;
    assert!(checked.iter().all(|it| it.works) && checked.len() == 2, "{checked:?}");
    assert_eq!(world.calls("value"), 0);
}

#[tokio::test]
async fn a_certificate_does_instead_of_a_secret() {
    let world = World::new();
    world.deliver("1");
    let certificate = || AppCertificate::read(&CERTIFICATE.into()).unwrap();
    let app = |proof| world.app_with(APP, proof);
    let mailbox = world.open_by(options(), app(AppProof::Certificate(Box::new(certificate()))));
    let status = until(&mailbox, |it| it.unreachable.is_some()).await;
    assert!(status.unreachable.as_ref().unwrap().contains("AADSTS700027"), "{status:?}");
    mailbox.stop().await;
    // Registered, it lets the application in.
    world.control.register_key(APP, certificate().print(), certificate().public_key());
    let mailbox = world.open_by(options(), app(AppProof::Certificate(Box::new(certificate()))));
    until(&mailbox, |it| it.taken == 1).await;
    mailbox.stop().await;
    assert_eq!(world.subjects().await, once(["1"]));
    // What is none is told.
    for (text, why) in [
        ("", "holds no certificate in PEM form"),
        (&CERTIFICATE[..CERTIFICATE.find("-----BEGIN PRIVATE").unwrap()], "holds no private key in PEM form"),
    ] {
        assert_eq!(AppCertificate::read(&text.into()).err().unwrap().to_string(), why);
    }
}

#[tokio::test]
async fn one_answer_that_says_too_many_is_not_the_messages_fault() {
    let world = World::new();
    for name in ["1", "2", "3"] {
        world.deliver(name);
    }
    let headers = [("Retry-After".to_owned(), "1".to_owned())].into();
    let action = Action::Status { status: 429, headers, body: None };
    world.control.add_fault(Rule::on("value", action).fire(Fire::First(2)));
    let mailbox = world.open(options());
    until(&mailbox, |it| it.taken == 3).await;
    let status = looked_again(&mailbox).await;
    mailbox.stop().await;
    assert_eq!((status.left, status.unreachable), (vec![], None));
}
