//! What needs no store: paths, e-mails, domains. The sequences are tested in `server/web/tests/web/desk_*.rs`, over a real one.

use super::domains::{check, is_free_mail, rule_for};
use super::{email_of, own_path};
use crate::people::{DomainRule, Status};

#[test]
fn only_paths_of_ours_are_gone_to() {
    for good in ["/", "/links", "/admin/persons/1?tab=a&b=c#d", "/a%20b", "/~x:y@z"] {
        assert_eq!(own_path(good), good);
    }
    for bad in [
        "",
        "links",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a//b",
        "/%2Fevil.example",
        "/%2f%2fevil.example",
        "/a%5cb",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a%0d%0aSet-Cookie:x",
        " /links",
        "/ü",
        "/a b",
        &format!("/{}", "x".repeat(1024)),
    ] {
        assert_eq!(own_path(bad), "/", "{bad:?}");
    }
}

#[test]
fn e_mails_are_lower_case_and_plain() {
    for (given, kept) in [
        (" Mary@Harrow.Example ", "mary@harrow.example"),
        ("o'neill+x@a.b-c.de", "o'neill+x@a.b-c.de"),
        ("jörg@harrow.example", "jörg@harrow.example"),
    ] {
        assert_eq!(email_of(given).as_deref(), Some(kept));
    }
    for bad in [
        "",
        "mary",
        "@a.de",
        "mary@",
        "mary@localhost",
        "a@b@c.de",
        "a b@c.de",
        "a@c..de",
        "a@-c.de",
        "a@c.de\n",
        "<a@c.de>",
        "a,b@c.de",
        "a@ü.de",
    ] {
        // A line end at the edge is trimmed like a blank; inside it is not.
        if bad.ends_with('\n') {
            assert_eq!(email_of(bad).as_deref(), Some("a@c.de"));
        } else {
            assert_eq!(email_of(bad), None, "{bad:?}");
        }
    }
    assert_eq!(email_of("a\n@c.de"), None);
    assert_eq!(email_of(&format!("{}@c.de", "x".repeat(250))), None);
}

#[test]
fn rules_fit_their_domain_and_no_free_mail() {
    let rule = |domain: &str, sub_domains| DomainRule {
        domain: domain.to_owned(),
        sub_domains,
        site: "main".parse().unwrap(),
        role: "user".parse().unwrap(),
        status: Status::Active,
    };
    let rules = [rule("harrow.example", false), rule("teal.example", true), rule("gmail.com", true)];
    let fits = |email: &str| rule_for(&rules, email).map(|it| it.domain.as_str());
    for (email, wanted) in [
        ("a@harrow.example", Some("harrow.example")),
        ("a@sub.harrow.example", None),
        ("a@notharrow.example", None),
        ("a@teal.example", Some("teal.example")),
        ("a@x.y.teal.example", Some("teal.example")),
        ("a@evilteal.example", None),
        ("a@gmail.com", None),
        ("a@x.gmail.com", None),
        ("a", None),
    ] {
        assert_eq!(fits(email), wanted, "{email}");
    }
}

#[test]
fn free_mail_is_refused_when_rules_are_made() {
    for free in ["gmail.com", "outlook.com", "gmx.de", "eu.hotmail.com", "yahoo.co.uk", "proton.me"] {
        assert!(is_free_mail(free), "{free}");
        assert!(check(free).unwrap_err().contains("anybody"), "{free}");
    }
    for wrong in ["", "harrow", "Harrow.example", "@harrow.example", "*.harrow.example", "harrow.example."] {
        assert!(check(wrong).unwrap_err().contains("is not a domain"), "{wrong}");
    }
    for good in ["harrow.example", "xn--mller-kva.example", "mail.com.harrow.example", "notgmail.com"] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
}
