//! To a provider and back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::desk::{CameBack, DeskError, Errand, NotLetIn, PersonChange, Return, SettingOut};
use postroom_domain::link::{Link, LinkError, LinkState, LinkedAccount};
use postroom_domain::people::{Flow, Status};
use postroom_domain::record::{self, Kind, Registry as _};
use postroom_domain::sign_in::{Claims, ProviderError};
use secrecy::ExposeSecret as _;
use tokio::sync::Barrier;

use crate::desk_world::{Desk, browser, claims, secret, service};

fn account(id: &str, email: &str) -> LinkedAccount {
    LinkedAccount { id: id.to_owned(), name: id.to_uppercase(), email: email.to_owned() }
}

#[tokio::test]
async fn somebody_comes_in_and_goes_where_they_wanted() {
    let desk = Desk::new();
    desk.entra.claims.lock().unwrap().insert("c1".to_owned(), Ok(claims("s1", "new@harrow.example")));
    let (begun, state) = desk.leave("entra", Errand::SignIn, "/links?a=b").await;
    let (sent, nonce, verifier) = desk.entra.last.lock().unwrap().clone();
    assert_eq!(state, sent);
    // What is kept of the journey opens nothing.
    let kept = desk.store.records(Kind::Flow, None, None, 10).await.unwrap();
    let text = String::from_utf8(kept[0].body.clone()).unwrap() + &kept[0].keys.join(" ");
    for hidden in [&state, &nonce, &verifier, begun.browser_secret.expose_secret()] {
        assert!(!text.contains(hidden), "{text}");
    }
    let told = desk.count().await;
    let CameBack::SignedIn { session, then, dialog } =
        desk.back("entra", &begun, &state, "c1", None).await.unwrap()
    else {
        panic!("it was a sign-in")
    };
    assert_eq!((then.as_str(), dialog), ("/links?a=b", false));
    let who = desk.who(&session).await;
    assert_eq!((who.person.name.as_str(), who.session.by.as_str()), ("new@harrow.example", "entra"));
    assert_eq!(
        desk.told(told).await,
        [
            "new@harrow.example: person added [by the rule for harrow.example, at entra]",
            "new@harrow.example: outside account recognised [at entra]",
            "new@harrow.example: signed in [by entra]",
        ]
    );
    for line in desk.told(0).await {
        assert!(!line.contains("c1") && !line.contains(&state), "{line}");
    }
}

/// Whoever brings back what is not theirs, or brings it twice, or too late.
#[tokio::test]
async fn a_state_works_once_in_its_browser_and_in_time() {
    let desk = Desk::new();
    let known = || Ok(claims("s1", "new@harrow.example"));
    for code in ["c1", "c2", "c3", "c4", "c5"] {
        desk.entra.claims.lock().unwrap().insert(code.to_owned(), known());
    }
    let refused = |answer: Result<CameBack, NotLetIn>| answer.map(|_| ()).unwrap_err();
    let (begun, state) = desk.leave("entra", Errand::SignIn, "/").await;
    let (other, _) = desk.leave("entra", Errand::SignIn, "/").await;
    assert_eq!(refused(desk.back("entra", &begun, "forged", "c1", None).await), NotLetIn::Stale);
    assert_eq!(refused(desk.back("dms", &begun, &state, "c1", None).await), NotLetIn::Stale);
    assert_eq!(refused(desk.back("entra", &other, &state, "c1", None).await), NotLetIn::OtherBrowser);
    let code = secret("c1");
    let none = Return {
        state: &state,
        code: Ok(&code),
        browser_secret: None,
        browser: browser("x"),
        signed_in: None,
    };
    assert_eq!(refused(desk.people.come_back(&service("entra"), none).await), NotLetIn::OtherBrowser);
    // The rightful one still comes in: none of these used the state or the code up.
    desk.back("entra", &begun, &state, "c1", None).await.unwrap();
    assert_eq!(refused(desk.back("entra", &begun, &state, "c2", None).await), NotLetIn::Stale, "a replay");
    // Too late.
    let (begun, state) = desk.leave("entra", Errand::SignIn, "/").await;
    desk.clock.advance(Duration::from_mins(15));
    assert_eq!(refused(desk.back("entra", &begun, &state, "c3", None).await), NotLetIn::Stale);
    // Twice at once: one comes in.
    let (begun, state) = desk.leave("entra", Errand::SignIn, "/").await;
    let (one, two) = tokio::join!(
        desk.back("entra", &begun, &state, "c4", None),
        desk.back("entra", &begun, &state, "c5", None)
    );
    assert_eq!([one, two].iter().filter(|it| it.is_ok()).count(), 1);
    let refusals = desk.told(0).await.iter().filter(|it| it.contains("was not let in")).count();
    assert_eq!(refusals, 7);
    assert_eq!(desk.people.sweep().await.unwrap(), 2, "the late one and the one never brought back");
}

/// Two tabs of one browser are under way at once, and both come back.
#[tokio::test]
async fn two_tabs_share_the_browsers_secret() {
    let desk = Desk::new();
    let (first, state) = desk.leave("entra", Errand::SignIn, "/").await;
    let kept = first.browser_secret.expose_secret();
    let out = SettingOut { browser_secret: Some(kept), ..SettingOut::default() };
    let second = desk.people.begin(&service("entra"), Errand::SignIn, out).await.unwrap();
    assert_eq!(second.browser_secret.expose_secret(), kept);
    desk.entra.claims.lock().unwrap().insert("c".to_owned(), Ok(claims("s1", "new@harrow.example")));
    desk.back("entra", &second, &state, "c", None).await.unwrap();
    // One that has not the form of ours is replaced.
    let out = SettingOut { browser_secret: Some("chosen"), ..SettingOut::default() };
    let third = desk.people.begin(&service("entra"), Errand::SignIn, out).await.unwrap();
    assert_eq!(third.browser_secret.expose_secret().len(), 64);
}

#[tokio::test]
async fn nobody_is_sent_to_another_server() {
    let desk = Desk::new();
    for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"] {
        desk.leave("entra", Errand::SignIn, bad).await;
    }
    let flows = record::page::<Flow>(desk.store.as_ref(), None, None, 10).await.unwrap();
    assert_eq!(flows.iter().map(|it| it.then.as_str()).collect::<Vec<_>>(), ["/"; 4]);
    let out = SettingOut::default();
    for (name, wanted) in [("dms", "dms"), ("gone", "gone")] {
        let answer = desk.people.begin(&service(name), Errand::SignIn, out).await;
        assert_eq!(answer.unwrap_err(), NotLetIn::NotOffered(service(wanted)));
    }
}

#[tokio::test]
async fn what_the_provider_says_instead_of_a_code_is_told_without_its_words() {
    let desk = Desk::new();
    let table = [
        ("access_denied", ProviderError::Refused("access_denied".to_owned())),
        ("temporarily_unavailable", ProviderError::Unavailable("temporarily_unavailable".to_owned())),
        ("invalid_scope", ProviderError::Misconfigured("invalid_scope".to_owned())),
        ("<script>", ProviderError::Misconfigured("an unknown error".to_owned())),
    ];
    for (error, wanted) in table {
        let (begun, state) = desk.leave("entra", Errand::SignIn, "/").await;
        let back = Return {
            state: &state,
            code: Err(error),
            browser_secret: Some(begun.browser_secret.expose_secret()),
            browser: browser("x"),
            signed_in: None,
        };
        let answer = desk.people.come_back(&service("entra"), back).await.map(|_| ());
        assert_eq!(answer.unwrap_err(), NotLetIn::Provider(wanted), "{error}");
    }
    let forged = ProviderError::Forged("nonce".to_owned());
    desk.entra.claims.lock().unwrap().insert("c".to_owned(), Err(forged.clone()));
    let (begun, state) = desk.leave("entra", Errand::SignIn, "/").await;
    let answer = desk.back("entra", &begun, &state, "c", None).await.map(|_| ());
    assert_eq!(answer.unwrap_err(), NotLetIn::Provider(forged));
    assert!(desk.names().await.is_empty());
}

/// Who is recognised, made, or turned away.
#[tokio::test]
async fn persons_are_matched_by_subject_then_by_vouched_e_mail_then_by_rules() {
    let desk = Desk::new();
    let mary = desk.add("mary@elsewhere.example", "operator", "leeds", Status::Active).await;
    desk.add("pia@elsewhere.example", "user", "london", Status::Pending).await;
    let gus = desk.add("gus@harrow.example", "user", "london", Status::Active).await;
    let out = PersonChange { status: Some(Status::Disabled), ..Default::default() };
    desk.people.change_person(&desk.root(), gus.id, None, out).await.unwrap();
    let unvouched = |claims: Claims| Claims { email_verified: false, ..claims };
    let other = |claims: Claims| Claims { issuer: "https://other.example".to_owned(), ..claims };
    let mary_at = "mary@elsewhere.example";
    let table: Vec<(&str, Claims, Result<&str, NotLetIn>)> = vec![
        ("by e-mail", claims("s-mary", "Mary@Elsewhere.example"), Ok(mary_at)),
        ("by subject, unvouched", unvouched(claims("s-mary", "x@x.example")), Ok(mary_at)),
        ("the address was given to another", claims("s-late", mary_at), Err(NotLetIn::EmailReused)),
        ("another issuer, unvouched", unvouched(other(claims("s-mary", mary_at))), Err(NotLetIn::Unvouched)),
        ("another issuer, vouched", other(claims("s-mary", mary_at)), Ok(mary_at)),
        ("no e-mail", Claims { email: None, ..claims("s-none", "") }, Err(NotLetIn::Unvouched)),
        ("waits", claims("s-pia", "pia@elsewhere.example"), Err(NotLetIn::Pending)),
        ("waits still", claims("s-pia", "pia@elsewhere.example"), Err(NotLetIn::Pending)),
        ("disabled, with a new account", claims("s-gus", "gus@harrow.example"), Err(NotLetIn::Disabled)),
        ("no rule", claims("s-no", "a@nowhere.example"), Err(NotLetIn::Unknown)),
        ("no sub-domain", claims("s-sub", "a@x.harrow.example"), Err(NotLetIn::Unknown)),
        ("free mail, whatever the rules say", claims("s-free", "a@gmail.com"), Err(NotLetIn::Unknown)),
        ("a rule that lets wait", claims("s-teal", "t@teal.example"), Err(NotLetIn::Pending)),
        ("a rule that lets in", claims("s-new", "n@harrow.example"), Ok("n@harrow.example")),
    ];
    for (at, (what, claims, wanted)) in table.into_iter().enumerate() {
        let answer = desk.round(&format!("code-{at}"), claims).await.map(|it| it.person.name);
        assert_eq!(
            answer.as_deref().map_err(Clone::clone),
            wanted.as_ref().map(|it| *it).map_err(Clone::clone),
            "{what}"
        );
    }
    let kept = desk.person(&mary).await;
    assert_eq!(kept.identities.len(), 2);
    assert_eq!((kept.sites.home.as_str(), kept.email.as_str()), ("leeds", mary_at));
    assert_eq!(
        desk.names().await,
        [mary_at, "pia@elsewhere.example", "gus@harrow.example", "t@teal.example", "n@harrow.example"]
    );
}

/// Disabled under one e-mail, back with another account of an e-mail that they went by in between: still disabled.
#[tokio::test]
async fn who_was_shut_out_does_not_come_back_as_somebody_new() {
    let desk = Desk::new();
    let gus = desk.add("gus@elsewhere.example", "user", "london", Status::Active).await;
    let change = PersonChange {
        email: Some("gus@harrow.example".to_owned()),
        status: Some(Status::Disabled),
        ..Default::default()
    };
    desk.people.change_person(&desk.root(), gus.id, None, change).await.unwrap();
    let answer = desk.round("c", claims("s", "gus@harrow.example")).await.map(|_| ());
    assert_eq!(answer.unwrap_err(), NotLetIn::Disabled);
    assert_eq!(desk.names().await.len(), 1);
}

#[tokio::test]
async fn a_changed_e_mail_makes_no_second_person() {
    let desk = Desk::new();
    let mary = desk.round("1", claims("s-mary", "mary@harrow.example")).await.unwrap().person;
    desk.round("2", claims("s-otto", "otto@harrow.example")).await.unwrap();
    let table = [
        // The new address is free: the person's follows, the name stays.
        ("mary.smith@harrow.example", "mary.smith@harrow.example"),
        // Somebody else has it: nothing is taken from them.
        ("otto@harrow.example", "mary.smith@harrow.example"),
        // Back to one of her own: the identity went by otto's in between, so hers does not follow it any more.
        ("mary.smith@harrow.example", "mary.smith@harrow.example"),
        ("mary.jones@harrow.example", "mary.jones@harrow.example"),
    ];
    for (at, (told, kept)) in table.into_iter().enumerate() {
        let person = desk.round(&format!("m{at}"), claims("s-mary", told)).await.unwrap().person;
        assert_eq!((person.id, person.name.as_str()), (mary.id, "mary@harrow.example"));
        assert_eq!(person.email, kept, "{told}");
    }
    // Her first address, given to somebody new: not her, and not a person of that name again.
    let answer = desk.round("late", claims("s-late", "mary@harrow.example")).await.map(|_| ());
    assert_eq!(answer.unwrap_err(), NotLetIn::EmailReused);
    assert_eq!(desk.names().await, ["mary@harrow.example", "otto@harrow.example"]);
    // An administrator finds out that it is the same human with a new account.
    let forget = PersonChange { forget: vec![service("entra")], ..Default::default() };
    desk.people.change_person(&desk.root(), mary.id, None, forget).await.unwrap();
    let again = desk.round("again", claims("s-late", "mary.jones@harrow.example")).await.unwrap();
    assert_eq!(again.person.id, mary.id);
}

/// Two browsers of somebody new come back at the same moment: one person is made, both are in.
#[tokio::test]
async fn two_first_sign_ins_at_once_make_one_person() {
    let desk = Desk::new();
    for code in ["a", "b"] {
        desk.entra.claims.lock().unwrap().insert(code.to_owned(), Ok(claims("s", "new@harrow.example")));
    }
    *desk.entra.gate.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
    let (one, first) = desk.leave("entra", Errand::SignIn, "/").await;
    let (two, second) = desk.leave("entra", Errand::SignIn, "/").await;
    let (a, b) = tokio::join!(
        desk.back("entra", &one, &first, "a", None),
        desk.back("entra", &two, &second, "b", None)
    );
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    assert_eq!(desk.names().await, ["new@harrow.example"]);
}

/// Disabled between the provider's answer and the session: no session.
#[tokio::test]
async fn who_is_disabled_at_the_last_moment_does_not_come_in() {
    let desk = Desk::new();
    let mary = desk.round("1", claims("s", "mary@harrow.example")).await.unwrap().person;
    desk.entra.claims.lock().unwrap().insert("2".to_owned(), Ok(claims("s", "mary@harrow.example")));
    let gate = Arc::new(Barrier::new(2));
    *desk.entra.gate.lock().unwrap() = Some(gate.clone());
    let (begun, state) = desk.leave("entra", Errand::SignIn, "/").await;
    let out = PersonChange { status: Some(Status::Disabled), ..Default::default() };
    let (answer, ()) = tokio::join!(desk.back("entra", &begun, &state, "2", None), async {
        desk.people.change_person(&desk.root(), mary.id, None, out).await.unwrap();
        gate.wait().await;
    });
    assert_eq!(answer.map(|_| ()).unwrap_err(), NotLetIn::Disabled);
    assert!(desk.people.sessions_of(&desk.root(), &desk.person(&mary).await).await.unwrap().is_empty());
}

/// Disabled at any moment of coming in: no session stays.
#[tokio::test]
async fn no_session_stays_of_who_is_disabled_meanwhile() {
    let mut in_first = 0;
    for moment in 0..24 {
        let desk = Desk::new();
        let mary = desk.round("1", claims("s", "mary@harrow.example")).await.unwrap().person;
        let out = PersonChange { status: Some(Status::Disabled), ..Default::default() };
        let (answer, ()) = tokio::join!(desk.round("2", claims("s", "mary@harrow.example")), async {
            for _ in 0..moment {
                tokio::task::yield_now().await;
            }
            desk.people.change_person(&desk.root(), mary.id, None, out).await.unwrap();
        });
        in_first += usize::from(answer.is_ok());
        let left = desk.store.records(Kind::Session, None, None, 10).await.unwrap();
        assert!(left.is_empty(), "moment {moment}: {left:?}");
    }
    assert!((1..24).contains(&in_first), "both orders were met: {in_first}");
}

#[tokio::test]
async fn an_account_is_linked_to_who_began_it() {
    let desk = Desk::new();
    let mary = desk.who(&desk.member("mary@harrow.example", "user", "london").await).await;
    let otto = desk.who(&desk.member("otto@harrow.example", "user", "london").await).await;
    {
        let mut accounts = desk.dms.accounts.lock().unwrap();
        for code in ["1", "2", "3", "4"] {
            accounts.insert(code.to_owned(), account("mary", "mary@harrow.example"));
        }
        accounts.insert("5".to_owned(), account("mj", "m.jones@home.example"));
        accounts.insert("6".to_owned(), account("quiet", ""));
    }
    let set_out = async || desk.leave("dms", Errand::Link(&mary), "/links").await;
    // Another person is signed in by now, or nobody.
    for (code, who) in [("1", Some(&otto)), ("2", None)] {
        let (begun, state) = set_out().await;
        let answer = desk.back("dms", &begun, &state, code, who).await.map(|_| ());
        assert_eq!(answer.unwrap_err(), NotLetIn::SignedOut);
    }
    let linked = async |code: &str| {
        let (begun, state) = set_out().await;
        match desk.back("dms", &begun, &state, code, Some(&mary)).await.unwrap() {
            CameBack::Linked { link, then, ask } => {
                assert_eq!((link.person, then.as_str()), (Some(mary.person.id), "/links"));
                (link, ask)
            }
            CameBack::SignedIn { .. } => panic!("it was to link"),
        }
    };
    let (first, ask) = linked("3").await;
    assert_eq!((ask, &first.state), (false, &LinkState::Active));
    // An e-mail that is not hers, or none: she is asked first.
    for code in ["5", "6"] {
        let (link, ask) = linked(code).await;
        assert_eq!((link.id, ask, &link.state), (first.id, true, &LinkState::Unconfirmed));
    }
    let link = desk.people.own_links(&mary.principal).await.unwrap().remove(0);
    let others = desk.people.confirm_link(&otto.principal, link.id, link.version).await;
    assert_eq!(others.unwrap_err(), DeskError::NotFound);
    let administrator = desk.people.confirm_link(&desk.root(), link.id, link.version).await;
    assert!(matches!(administrator.unwrap_err(), DeskError::Beyond(_)));
    let stale = desk.people.confirm_link(&mary.principal, link.id, link.version - 1).await;
    assert_eq!(stale.unwrap_err(), DeskError::Link(LinkError::Changed));
    let link = desk.people.confirm_link(&mary.principal, link.id, link.version).await.unwrap();
    assert_eq!(link.state, LinkState::Active);
    assert_eq!(desk.people.unlink(&otto.principal, link.id).await.unwrap_err(), DeskError::NotFound);
    desk.people.unlink(&mary.principal, link.id).await.unwrap();
    assert!(desk.people.own_links(&mary.principal).await.unwrap().is_empty());
}

/// The same outside account is not two persons'; its tokens are given back.
#[tokio::test]
async fn an_account_of_somebody_else_is_not_linked() {
    let desk = Desk::new();
    let mary = desk.who(&desk.member("mary@harrow.example", "user", "london").await).await;
    let otto = desk.who(&desk.member("otto@harrow.example", "user", "london").await).await;
    for code in ["1", "2"] {
        let theirs = account("shared", "mary@harrow.example");
        desk.dms.accounts.lock().unwrap().insert(code.to_owned(), theirs);
    }
    let (begun, state) = desk.leave("dms", Errand::Link(&mary), "/").await;
    desk.back("dms", &begun, &state, "1", Some(&mary)).await.unwrap();
    let (begun, state) = desk.leave("dms", Errand::Link(&otto), "/").await;
    let answer = desk.back("dms", &begun, &state, "2", Some(&otto)).await.map(|_| ());
    let taken = LinkError::Taken { account: "SHARED".to_owned() };
    assert_eq!(answer.unwrap_err(), NotLetIn::Link(taken));
    assert_eq!(desk.dms.revoked.load(std::sync::atomic::Ordering::Relaxed), 1);
}

/// Two browsers of one person link different accounts at the same moment: one link, whole, and the other is told or came after.
#[tokio::test]
async fn two_browsers_linking_at_once_leave_one_whole_link() {
    let desk = Desk::new();
    let mary = desk.who(&desk.member("mary@harrow.example", "user", "london").await).await;
    for code in ["a", "b"] {
        desk.dms.accounts.lock().unwrap().insert(code.to_owned(), account(code, "mary@harrow.example"));
    }
    *desk.dms.gate.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
    let (one, first) = desk.leave("dms", Errand::Link(&mary), "/").await;
    let (two, second) = desk.leave("dms", Errand::Link(&mary), "/").await;
    let (a, b) = tokio::join!(
        desk.back("dms", &one, &first, "a", Some(&mary)),
        desk.back("dms", &two, &second, "b", Some(&mary))
    );
    let links: Vec<Link> = desk.people.own_links(&mary.principal).await.unwrap();
    assert_eq!(links.len(), 1);
    let told = [("a", &a), ("b", &b)].into_iter().filter(|(_, it)| it.is_ok()).map(|(code, _)| code);
    assert!(told.clone().any(|it| it == links[0].account.id), "{a:?} {b:?}");
    let lost = [&a, &b].into_iter().filter(|it| it.is_err()).count();
    assert_eq!(desk.dms.revoked.load(std::sync::atomic::Ordering::Relaxed), lost);
}

#[tokio::test]
async fn the_system_account_is_linked_by_who_may_and_always_asked_about() {
    let desk = Desk::new();
    let ada = desk.who(&desk.member("ada@harrow.example", "admin", "london").await).await;
    let mary = desk.who(&desk.member("mary@harrow.example", "user", "london").await).await;
    let out = SettingOut::default();
    let refused = desk.people.begin(&service("dms"), Errand::LinkSystem(&mary), out).await;
    assert_eq!(refused.unwrap_err(), NotLetIn::NotOffered(service("dms")));
    desk.dms.accounts.lock().unwrap().insert("1".to_owned(), account("svc", "ada@harrow.example"));
    let (begun, state) = desk.leave("dms", Errand::LinkSystem(&ada), "/admin/links").await;
    let back = desk.back("dms", &begun, &state, "1", Some(&ada)).await.unwrap();
    let CameBack::Linked { link, ask: true, .. } = back else { panic!("{back:?}") };
    assert_eq!((link.person, &link.state), (None, &LinkState::Unconfirmed));
    let unseen = desk.people.link_seen(&mary.principal, link.id).await;
    assert_eq!(unseen.unwrap_err(), DeskError::NotFound);
    assert_eq!(desk.people.links_at(&ada.principal, &service("dms")).await.unwrap().len(), 1);
    // Who watches sees it too, and cannot touch it.
    let otto = desk.who(&desk.member("otto@harrow.example", "operator", "london").await).await;
    let (soon, none) = (Duration::from_hours(14 * 24), BTreeSet::new());
    assert_eq!(
        desk.people.watched_links(&otto.principal, &service("dms"), soon, &none).await.unwrap().len(),
        1
    );
    let touched = desk.people.unlink(&otto.principal, link.id).await;
    assert_eq!(touched.unwrap_err(), DeskError::NotFound);
    let watched = desk.people.watched_links(&mary.principal, &service("dms"), soon, &none).await;
    assert!(watched.is_err());
    desk.people.confirm_link(&ada.principal, link.id, link.version).await.unwrap();
}
