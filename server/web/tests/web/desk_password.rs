//! Coming in with a password.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use postroom_domain::desk::{Browser, DeskError, NotLetIn};
use postroom_domain::people::{Refusals, Status};
use postroom_domain::time::Clock as _;
use secrecy::ExposeSecret as _;
use tokio::sync::Barrier;

use crate::desk_world::{Desk, browser, secret};

/// Whoever is asked for, it costs one comparison and one event, and the answer is the same.
#[tokio::test]
async fn nobody_learns_which_persons_there_are() {
    let desk = Desk::new();
    let root = desk.root();
    desk.member("mary@harrow.example", "user", "london").await;
    let pending = desk.member("pia@harrow.example", "user", "london").await;
    let gone = desk.member("gus@harrow.example", "user", "london").await;
    for (person, status) in [(&pending, Status::Pending), (&gone, Status::Disabled)] {
        let change = postroom_domain::desk::PersonChange { status: Some(status), ..Default::default() };
        desk.people.change_person(&root, person.person.id, None, change).await.unwrap();
    }
    desk.add("ida@harrow.example", "user", "london", Status::Active).await;
    let locked = desk.member("lou@harrow.example", "user", "london").await;
    for _ in 0..5 {
        let _wrong = desk.people.sign_in_with_password("lou@harrow.example", secret("x"), browser("b")).await;
    }
    assert!(desk.person(&locked.person).await.refusals.until.is_some());
    let table = [
        ("nobody@harrow.example", "right", NotLetIn::Wrong),
        ("no address at all", "right", NotLetIn::Wrong),
        ("mary@harrow.example", "wrong", NotLetIn::Wrong),
        ("pia@harrow.example", "wrong", NotLetIn::Wrong),
        ("pia@harrow.example", "right", NotLetIn::Pending),
        ("gus@harrow.example", "right", NotLetIn::Wrong),
        ("ida@harrow.example", "", NotLetIn::Wrong),
        ("lou@harrow.example", "right", NotLetIn::Wrong),
        ("lou@harrow.example", "wrong", NotLetIn::Wrong),
    ];
    for (email, password, wanted) in table {
        let (compared, told) = (desk.passwords.compared.load(Ordering::Relaxed), desk.count().await);
        let answer = desk.people.sign_in_with_password(email, secret(password), browser("b")).await;
        assert_eq!(answer.unwrap_err(), wanted, "{email}");
        let now = desk.passwords.compared.load(Ordering::Relaxed);
        assert_eq!((now - compared, desk.count().await - told), (1, 1), "{email}");
    }
    let in_again =
        desk.people.sign_in_with_password(" MARY@Harrow.example", secret("right"), browser("b")).await;
    assert_eq!(in_again.unwrap().person.name, "mary@harrow.example");
}

#[tokio::test]
async fn wrong_passwords_lock_for_longer_and_longer() {
    let desk = Desk::new();
    let mary = desk.member("mary@harrow.example", "user", "london").await;
    let told = desk.count().await;
    let attempt = |password: &'static str| {
        desk.people.sign_in_with_password("mary@harrow.example", secret(password), browser("b"))
    };
    for _ in 0..5 {
        assert_eq!(attempt("wrong").await.unwrap_err(), NotLetIn::Wrong);
    }
    // While it is locked none is looked at, nothing counts, and the right one is refused.
    let looked_at = desk.passwords.looked_at.load(Ordering::Relaxed);
    for password in ["right", "wrong", "right"] {
        assert_eq!(attempt(password).await.unwrap_err(), NotLetIn::Wrong);
    }
    assert_eq!(desk.passwords.looked_at.load(Ordering::Relaxed), looked_at);
    assert_eq!(desk.person(&mary.person).await.refusals.count, 5);
    let mut minutes = Vec::new();
    for _ in 0..8 {
        let until = desk.person(&mary.person).await.refusals.until.unwrap();
        let wait = Duration::try_from(until.duration_since(desk.clock.now())).unwrap();
        minutes.push(wait.as_secs() / 60);
        desk.clock.advance(wait);
        assert_eq!(attempt("wrong").await.unwrap_err(), NotLetIn::Wrong);
    }
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
    desk.clock.advance(Duration::from_hours(1));
    attempt("right").await.unwrap();
    assert_eq!(desk.person(&mary.person).await.refusals, Refusals::default());
    let locks = desk.told(told).await.iter().filter(|it| it.contains("locked for a while")).count();
    assert_eq!(locks, 9);
    for _ in 0..5 {
        let _wrong = attempt("wrong").await;
    }
    desk.people.unlock(&desk.root(), mary.person.id).await.unwrap();
    attempt("right").await.unwrap();
}

/// Twelve guesses whose hashes are all being computed when the first one counts, the right one in each place among them: it comes in
/// only if fewer than five wrong ones were counted before it.
#[tokio::test]
async fn many_guesses_at_once_are_not_more_than_five() {
    let (mut in_all, mut out_all) = (0, 0);
    for place in 0..12 {
        let desk = Arc::new(Desk::new());
        desk.member("mary@harrow.example", "user", "london").await;
        *desk.passwords.gate.lock().unwrap() = Some(Arc::new(Barrier::new(12)));
        let told = desk.count().await;
        let guesses = (0..12).map(|at| {
            let password = if at == place { "right" } else { "wrong" };
            desk.people.sign_in_with_password("mary@harrow.example", secret(password), browser("b"))
        });
        let answers = futures_util::future::join_all(guesses).await;
        let came_in = answers.iter().filter(|it| it.is_ok()).count();
        assert_eq!(answers.iter().filter(|it| matches!(it, Err(NotLetIn::Wrong))).count(), 12 - came_in);
        let told = desk.told(told).await;
        let wrong = |it: &&String| it.contains("it was wrong") || it.contains("wrong passwords: none");
        let before: Vec<_> = told.iter().take_while(|it| !it.contains("signed in [by password]")).collect();
        let counted = before.iter().copied().filter(wrong).count();
        assert!(counted <= 5 && (came_in == 0 || counted < 5), "{place}: {told:?}");
        in_all += came_in;
        out_all += 1 - came_in;
    }
    assert!(in_all > 0 && out_all > 0, "both were met: {in_all} {out_all}");
}

/// The session changes at each sign-in, and what the browser had before is worth nothing.
#[tokio::test]
async fn a_sign_in_begins_a_new_session_and_ends_the_old_one() {
    let desk = Desk::new();
    let first = desk.member("mary@harrow.example", "user", "london").await;
    let old = first.secret.expose_secret();
    let told = desk.count().await;
    let browser = Browser { agent: "Firefox\n140", session: Some(old) };
    let second = desk.people.sign_in_with_password("mary@harrow.example", secret("right"), browser).await;
    let second = second.unwrap();
    assert_ne!(second.secret.expose_secret(), old);
    assert_eq!((second.secret.expose_secret().len(), second.session.agent.as_str()), (64, "Firefox140"));
    assert!(desk.people.session(old).await.unwrap().is_none());
    assert_eq!(desk.who(&second).await.person.name, "mary@harrow.example");
    assert_eq!(
        desk.told(told).await,
        [
            "mary@harrow.example: signed in [by password]",
            "mary@harrow.example: session ended [signed in anew in the same browser]",
        ]
    );
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let desk = Desk::new();
    let here = desk.member("mary@harrow.example", "user", "london").await;
    let there = desk.people.sign_in_with_password("mary@harrow.example", secret("right"), browser("b")).await;
    let there = there.unwrap();
    let who = desk.who(&here).await;
    let change = |old: &'static str, new: &'static str| {
        desk.people.set_password(&who.principal, Some(who.session.id), secret(old), secret(new))
    };
    assert_eq!(change("wrong", "newer").await.unwrap_err(), DeskError::WrongPassword);
    assert!(matches!(change("right", "x").await.unwrap_err(), DeskError::Bad { field: "new", .. }));
    assert_eq!(desk.person(&here.person).await.refusals.count, 1);
    change("right", "newer").await.unwrap();
    assert!(desk.people.session(there.secret.expose_secret()).await.unwrap().is_none());
    desk.who(&here).await;
    let again = |password: &'static str| {
        desk.people.sign_in_with_password("mary@harrow.example", secret(password), browser("b"))
    };
    assert_eq!(again("right").await.unwrap_err(), NotLetIn::Wrong);
    again("newer").await.unwrap();
    // Guessing it from a browser that was left open locks like a sign-in.
    for _ in 0..5 {
        assert_eq!(change("guess", "mine").await.unwrap_err(), DeskError::WrongPassword);
    }
    assert_eq!(change("newer", "mine").await.unwrap_err(), DeskError::WrongPassword);
}
