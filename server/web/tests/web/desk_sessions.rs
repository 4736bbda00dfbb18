//! Sessions: how long they last, and what ends them.

use std::time::Duration;

use postroom_domain::desk::{DeskError, PersonChange};
use postroom_domain::people::Status;
use postroom_domain::record::Kept as _;
use secrecy::ExposeSecret as _;

use crate::desk_world::{Desk, browser, secret};

#[tokio::test]
async fn a_session_ends_by_idleness_and_by_age() {
    let desk = Desk::new();
    let hour = Duration::from_hours(1);
    // How long passes before each use, and after how many uses it is over.
    let table: [(&str, Duration, usize); 4] = [
        ("idle@harrow.example", hour * 2, 0),
        ("just@harrow.example", Duration::from_mins(119), 6),
        ("busy@harrow.example", hour, 11),
        ("long@harrow.example", hour * 13, 0),
    ];
    for (email, pause, wanted) in table {
        let session = desk.member(email, "user", "london").await;
        let mut uses = 0;
        loop {
            desk.clock.advance(pause);
            if desk.people.session(session.secret.expose_secret()).await.unwrap().is_none() {
                break;
            }
            uses += 1;
        }
        assert_eq!(uses, wanted, "{email}");
    }
    let told = desk.count().await;
    assert_eq!(desk.people.sweep().await.unwrap(), 4);
    let told = desk.told(told).await;
    assert_eq!(told, vec!["postroom: session ended [its time was over]"; 4]);
    assert_eq!(desk.people.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute() {
    let desk = Desk::new();
    let session = desk.member("mary@harrow.example", "user", "london").await;
    let mut versions = Vec::new();
    for _ in 0..5 {
        desk.clock.advance(Duration::from_secs(25));
        versions.push(desk.who(&session).await.session.version());
    }
    assert_eq!(versions, [1, 1, 2, 2, 2]);
    desk.clock.advance(Duration::from_mins(2));
    // Two at once: one notes it, both are let in.
    let key = session.secret.expose_secret();
    let (one, two) = tokio::join!(desk.people.session(key), desk.people.session(key));
    assert!(one.unwrap().is_some() && two.unwrap().is_some());
}

#[tokio::test]
async fn what_ends_a_session_is_ended_at_once() {
    let desk = Desk::new();
    let root = desk.root();
    let change = |change: PersonChange| change;
    let table = [
        ("a", change(PersonChange { status: Some(Status::Disabled), ..Default::default() }), false),
        ("b", change(PersonChange { status: Some(Status::Pending), ..Default::default() }), false),
        (
            "c",
            change(PersonChange { roles: Some(vec!["user".parse().unwrap()]), ..Default::default() }),
            false,
        ),
        (
            "d",
            change(PersonChange { roles: Some(vec!["admin".parse().unwrap()]), ..Default::default() }),
            true,
        ),
        ("e", change(PersonChange { display_name: Some("Em".to_owned()), ..Default::default() }), true),
        (
            "f",
            change(PersonChange {
                sites: Some(postroom_domain::person::Sites::one("leeds".parse().unwrap())),
                ..Default::default()
            }),
            false,
        ),
    ];
    for (name, change, stays) in table {
        let session = desk.member(&format!("{name}@harrow.example"), "operator", "london").await;
        desk.people.change_person(&root, session.person.id, None, change).await.unwrap();
        let found = desk.people.session(session.secret.expose_secret()).await.unwrap();
        assert_eq!(found.is_some(), stays, "{name}");
        let kept = desk.people.sessions_of(&root, &desk.person(&session.person).await).await.unwrap();
        assert_eq!(kept.len(), usize::from(stays), "{name}");
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_and_by_who_looks_after_them() {
    let desk = Desk::new();
    let one = desk.member("mary@harrow.example", "user", "london").await;
    let two =
        desk.people.sign_in_with_password("mary@harrow.example", secret("right"), browser("phone")).await;
    let two = two.unwrap();
    let other = desk.who(&desk.member("otto@harrow.example", "user", "london").await).await.principal;
    let leeds = desk.who(&desk.member("lee@harrow.example", "admin", "leeds").await).await.principal;
    let london = desk.who(&desk.member("ada@harrow.example", "admin", "london").await).await.principal;
    let mary = desk.who(&one).await.principal;
    let listed = desk.people.sessions(&mary).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.agent.as_str()).collect::<Vec<_>>(), ["first", "phone"]);
    for stranger in [&other, &leeds] {
        let answer = desk.people.end_session(stranger, two.session.id).await;
        assert_eq!(answer.unwrap_err(), DeskError::NotFound);
    }
    desk.people.end_session(&mary, two.session.id).await.unwrap();
    assert_eq!(desk.people.end_session(&mary, two.session.id).await.unwrap_err(), DeskError::NotFound);
    assert_eq!(desk.people.sessions(&mary).await.unwrap().len(), 1);
    desk.people.end_session(&london, one.session.id).await.unwrap();
    assert!(desk.people.session(one.secret.expose_secret()).await.unwrap().is_none());
    // Leaving twice is no mistake.
    let three = desk.people.sign_in_with_password("mary@harrow.example", secret("right"), browser("x")).await;
    let three = three.unwrap();
    let told = desk.count().await;
    desk.people.sign_out(three.secret.expose_secret()).await.unwrap();
    desk.people.sign_out(three.secret.expose_secret()).await.unwrap();
    assert_eq!(desk.told(told).await, ["mary@harrow.example: signed out []"]);
    assert!(desk.people.session(three.secret.expose_secret()).await.unwrap().is_none());
}

/// A required link is asked for once per sign-in, not on each page, and by one of two pages that load at once.
#[tokio::test]
async fn a_required_link_is_asked_for_once_a_sign_in() {
    let desk = Desk::new();
    let session = desk.member("mary@harrow.example", "user", "london").await;
    let who = desk.who(&session).await;
    assert!(desk.people.to_be_linked(&who).await.unwrap().is_empty(), "her team need not");
    let teams = PersonChange { teams: Some(vec!["litigation".parse().unwrap()]), ..Default::default() };
    desk.people.change_person(&desk.root(), session.person.id, None, teams).await.unwrap();
    let who = desk.who(&session).await;
    let (one, two) = tokio::join!(desk.people.to_be_linked(&who), desk.people.to_be_linked(&who));
    assert_eq!(one.unwrap().len() + two.unwrap().len(), 1);
    let who = desk.who(&session).await;
    assert!(desk.people.to_be_linked(&who).await.unwrap().is_empty());
    let anew = desk.people.sign_in_with_password("mary@harrow.example", secret("right"), browser("b")).await;
    let who = desk.who(&anew.unwrap()).await;
    assert_eq!(desk.people.to_be_linked(&who).await.unwrap(), [crate::desk_world::service("dms")]);
}
