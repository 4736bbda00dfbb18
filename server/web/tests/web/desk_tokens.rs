//! Bearer tokens.

use std::time::Duration;

use postroom_domain::desk::{DeskError, NewProgram, NewToken, NotLetIn, PersonChange};
use postroom_domain::ids::RoleName;
use postroom_domain::people::Status;
use postroom_domain::person::{Permission, Sites};
use postroom_domain::record::{Kind, Registry as _};
use postroom_domain::sign_in::ProviderError;
use secrecy::ExposeSecret as _;

use crate::desk_world::{Desk, claims, secret};

const DAY: Duration = Duration::from_hours(24);

fn new(name: &str, scope: Option<&[Permission]>) -> NewToken {
    NewToken { name: name.to_owned(), scope: scope.map(<[_]>::to_vec), life: DAY, at_most: None }
}

fn program(name: &str, role: &str, site: &str) -> NewProgram {
    NewProgram {
        name: name.to_owned(),
        roles: vec![role.parse::<RoleName>().unwrap()],
        sites: Sites::one(site.parse().unwrap()),
        scope: None,
        life: DAY,
        at_most: None,
    }
}

#[tokio::test]
async fn a_token_is_within_its_scope_and_within_what_its_holder_may_now() {
    let desk = Desk::new();
    let otto = desk.who(&desk.member("otto@harrow.example", "operator", "london").await).await;
    let made = desk.people.make_token(&otto.principal, new("script", Some(&[Permission::Decide]))).await;
    let made = made.unwrap();
    let token = made.secret.expose_secret();
    assert_eq!((token.len(), &token[..3]), (67, "pr_"));
    let kept = desk.store.records(Kind::Token, None, None, 10).await.unwrap();
    assert!(!String::from_utf8(kept[0].body.clone()).unwrap().contains(&token[3..]));
    let may = async || desk.people.token(token).await.unwrap().map(|it| it.principal.permissions.list());
    assert_eq!(may().await, Some(vec![Permission::Decide]));
    let change = async |change: PersonChange| {
        desk.people.change_person(&desk.root(), otto.person.id, None, change).await.unwrap();
    };
    change(PersonChange { roles: Some(vec!["user".parse().unwrap()]), ..Default::default() }).await;
    assert_eq!(may().await, Some(vec![]));
    change(PersonChange { roles: Some(vec!["support".parse().unwrap()]), ..Default::default() }).await;
    assert_eq!(may().await, Some(vec![Permission::Decide]));
    change(PersonChange { status: Some(Status::Disabled), ..Default::default() }).await;
    assert_eq!(may().await, None);
    assert_eq!(desk.people.token_again(made.token.id).await.unwrap(), None);
    change(PersonChange { status: Some(Status::Active), ..Default::default() }).await;
    assert!(may().await.is_some());
    desk.clock.advance(DAY);
    assert_eq!(may().await, None);
    assert_eq!(desk.people.sweep().await.unwrap(), 1, "the token; the session ended with the roles");
}

#[tokio::test]
async fn nobody_gets_more_by_a_token() {
    let desk = Desk::new();
    let otto = desk.who(&desk.member("otto@harrow.example", "operator", "london").await).await.principal;
    let beyond = desk.people.make_token(&otto, new("x", Some(&[Permission::ReadAudit]))).await;
    assert!(matches!(beyond.unwrap_err(), DeskError::Beyond(_)));
    let table = [
        ("name", new("  ", None)),
        ("name", new("a\u{7}b", None)),
        ("name", new(&"x".repeat(81), None)),
        ("scope", new("x", Some(&[]))),
        ("expires", NewToken { life: Duration::ZERO, ..new("x", None) }),
        ("expires", NewToken { life: DAY * 366, ..new("x", None) }),
    ];
    for (wanted, token) in table {
        match desk.people.make_token(&otto, token).await.unwrap_err() {
            DeskError::Bad { field, .. } => assert_eq!(field, wanted),
            other => panic!("{other:?}"),
        }
    }
    // A narrow token makes no wide one, and none that outlives it.
    let narrow = desk.people.make_token(&otto, new("narrow", Some(&[Permission::File]))).await.unwrap();
    let narrow = desk.people.token(narrow.secret.expose_secret()).await.unwrap().unwrap();
    let ends = narrow.token.expires;
    let wide = NewToken { life: DAY * 300, at_most: Some(ends), ..new("wide", None) };
    let wide = desk.people.make_token(&narrow.principal, wide).await.unwrap();
    assert_eq!((wide.token.scope, wide.token.expires), (Some(vec![Permission::File]), ends));
    let program_by_user = desk.people.make_program_token(&otto, program("scan", "user", "london")).await;
    assert_eq!(program_by_user.unwrap_err(), DeskError::NotAllowed(Permission::ManagePersons));
}

#[tokio::test]
async fn programs_have_tokens_of_their_own() {
    let desk = Desk::new();
    // May look after persons of London, but may not decide.
    let dora = desk.who(&desk.member("dora@harrow.example", "desk", "london").await).await.principal;
    let lee = desk.who(&desk.member("lee@harrow.example", "admin", "leeds").await).await.principal;
    let ask_for = async |new| desk.people.make_program_token(&dora, new).await;
    assert!(matches!(
        ask_for(program("scan", "operator", "london")).await.unwrap_err(),
        DeskError::Beyond(_)
    ));
    assert!(matches!(ask_for(program("scan", "user", "leeds")).await.unwrap_err(), DeskError::Beyond(_)));
    let all =
        NewProgram { sites: Sites::all("london".parse().unwrap()), ..program("scan", "user", "london") };
    assert!(matches!(ask_for(all).await.unwrap_err(), DeskError::Beyond(_)));
    for (field, new) in [
        ("roles", program("scan", "wizard", "london")),
        ("name", program("mary@harrow.example", "user", "london")),
    ] {
        assert!(matches!(ask_for(new).await.unwrap_err(), DeskError::Bad { field: it, .. } if it == field));
    }
    let made = ask_for(program("scan", "user", "london")).await.unwrap();
    let found = desk.people.token(made.secret.expose_secret()).await.unwrap().unwrap();
    assert_eq!((found.principal.name.as_str(), found.principal.person), ("scan", None));
    assert_eq!(found.principal.permissions.list(), [Permission::File]);
    // Another site's does not exist.
    assert!(desk.people.program_tokens(&lee).await.unwrap().is_empty());
    assert_eq!(desk.people.revoke_token(&lee, made.token.id).await.unwrap_err(), DeskError::NotFound);
    assert_eq!(desk.people.program_tokens(&dora).await.unwrap().len(), 1);
    let told = desk.count().await;
    desk.people.revoke_token(&dora, made.token.id).await.unwrap();
    assert_eq!(desk.told(told).await, ["dora@harrow.example: token revoked [\"scan\"]"]);
    assert!(desk.people.token(made.secret.expose_secret()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_use_of_a_token_is_noted_once_a_minute_and_its_owner_revokes_it() {
    let desk = Desk::new();
    let mary = desk.who(&desk.member("mary@harrow.example", "user", "london").await).await;
    let made = desk.people.dialog_token(&mary.person).await.unwrap();
    assert_eq!(made.token.scope, Some(vec![Permission::File]));
    assert_eq!(made.token.expires, postroom_domain::time::later(made.token.created, DAY / 2));
    let mut versions = Vec::new();
    for _ in 0..5 {
        desk.clock.advance(Duration::from_secs(25));
        let found = desk.people.token(made.secret.expose_secret()).await.unwrap().unwrap();
        versions.push(found.token.version);
    }
    assert_eq!(versions, [2, 2, 2, 3, 3]);
    let other = desk.who(&desk.member("otto@harrow.example", "user", "london").await).await.principal;
    assert_eq!(desk.people.revoke_token(&other, made.token.id).await.unwrap_err(), DeskError::NotFound);
    assert_eq!(desk.people.own_tokens(&mary.principal).await.unwrap().len(), 1);
    desk.people.revoke_token(&mary.principal, made.token.id).await.unwrap();
    for wrong in [made.secret.expose_secret(), "pr_", "", "pr_x", &made.secret.expose_secret()[3..]] {
        assert!(desk.people.token(wrong).await.unwrap().is_none());
    }
}

/// Tokens that a client got elsewhere: the same matching as at a sign-in.
#[tokio::test]
async fn vouched_tokens_are_recognised_like_sign_ins() {
    let desk = Desk::new();
    desk.add("mary@elsewhere.example", "operator", "leeds", Status::Active).await;
    let unavailable = ProviderError::Unavailable("keys".to_owned());
    {
        let mut tokens = desk.check.tokens.lock().unwrap();
        tokens.insert("mary".to_owned(), Ok(claims("m", "mary@elsewhere.example")));
        tokens.insert("new".to_owned(), Ok(claims("n", "n@harrow.example")));
        tokens.insert("waits".to_owned(), Ok(claims("t", "t@teal.example")));
        tokens.insert("nobody".to_owned(), Ok(claims("x", "x@nowhere.example")));
        tokens.insert("later".to_owned(), Err(unavailable.clone()));
    }
    let table = [
        ("mary", Ok(Some("mary@elsewhere.example"))),
        ("new", Ok(Some("n@harrow.example"))),
        ("waits", Err(NotLetIn::Unknown)),
        ("nobody", Err(NotLetIn::Unknown)),
        ("later", Err(NotLetIn::Provider(unavailable))),
        ("forged", Ok(None)),
    ];
    for (token, wanted) in table {
        // The second time nothing is written: it is known.
        for _ in 0..2 {
            let found = desk.people.vouched(&secret(token)).await.map(|it| it.map(|it| it.name));
            let found = found.as_ref().map(Option::as_deref).map_err(Clone::clone);
            assert_eq!(found, wanted, "{token}");
        }
    }
    assert_eq!(desk.names().await, ["mary@elsewhere.example", "n@harrow.example"]);
    let told = desk.count().await;
    desk.people.vouched(&secret("mary")).await.unwrap();
    assert_eq!(desk.count().await, told);
}
