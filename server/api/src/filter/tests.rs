use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::filing::State;
use postroom_domain::query::{Predicate, Term};
use proptest::prelude::*;

use super::parse;

fn yes(any: impl Into<Vec<Predicate>>) -> Term {
    Term { negated: false, any: any.into() }
}

fn no(any: impl Into<Vec<Predicate>>) -> Term {
    Term { negated: true, any: any.into() }
}

fn text(text: &str) -> Predicate {
    Predicate::Text(text.to_owned())
}

#[test]
fn filters_mean_what_they_say_and_print_back() {
    let id = "0192f0c1-5b7e-7000-8000-000000000001";
    let table: &[(&str, Vec<Term>, &str)] = &[
        ("", vec![], ""),
        ("  \t ", vec![], ""),
        ("state:failed", vec![yes([Predicate::State(State::Failed)])], "state:failed"),
        ("State:FAILED", vec![yes([Predicate::State(State::Failed)])], "state:failed"),
        (
            "state:failed,held -dest:dms-eu",
            vec![
                yes([Predicate::State(State::Failed), Predicate::State(State::Held)]),
                no([Predicate::Destination("dms-eu".parse().unwrap())]),
            ],
            "state:failed,held -dest:dms-eu",
        ),
        (
            "cause:403,no_right",
            vec![yes([Predicate::Status(403), Predicate::Cause(Cause::NoRight)])],
            "cause:403,no_right",
        ),
        ("age>2h", vec![yes([Predicate::OlderThan(Duration::from_hours(2))])], "age>2h"),
        ("age<90m", vec![yes([Predicate::YoungerThan(Duration::from_mins(90))])], "age<90m"),
        ("-age>1d12h", vec![no([Predicate::OlderThan(Duration::from_hours(36))])], "-age>36h"),
        ("age>7d", vec![yes([Predicate::OlderThan(Duration::from_hours(168))])], "age>1w"),
        ("from:scanner3", vec![yes([Predicate::From("scanner3".into())])], "from:scanner3"),
        (
            "from:\"Ann Lee\",bob",
            vec![yes([Predicate::From("Ann Lee".into()), Predicate::From("bob".into())])],
            "from:\"Ann Lee\",bob",
        ),
        ("ref:M-1042", vec![yes([Predicate::Reference("M-1042".into())])], "ref:M-1042"),
        ("by:ann", vec![yes([Predicate::By("ann".into())])], "by:ann"),
        (&format!("id:{id}"), vec![yes([Predicate::Id(id.parse().unwrap())])], &format!("id:{id}")),
        (
            &format!("intake:{id}"),
            vec![yes([Predicate::Intake(id.parse().unwrap())])],
            &format!("intake:{id}"),
        ),
        ("\"share purchase\"", vec![yes([text("share purchase")])], "\"share purchase\""),
        (
            "“share purchase” „x”",
            vec![yes([text("share purchase")]), yes([text("x")])],
            "\"share purchase\" x",
        ),
        ("harrow,teal", vec![yes([text("harrow"), text("teal")])], "harrow,teal"),
        ("-draft", vec![no([text("draft")])], "-draft"),
        ("\"-draft\"", vec![yes([text("-draft")])], "\"-draft\""),
        (r#""say \"no\" \\ twice""#, vec![yes([text(r#"say "no" \ twice"#)])], r#""say \"no\" \\ twice""#),
        (r"C:\temp\ö", vec![], "error"),
        (r#""C:\temp""#, vec![yes([text(r"C:\temp")])], r#""C:\\temp""#),
        ("12:30 M-10:42", vec![yes([text("12:30")]), yes([text("M-10:42")])], "\"12:30\" \"M-10:42\""),
        ("Änderung", vec![yes([text("Änderung")])], "Änderung"),
    ];
    for (given, terms, printed) in table {
        match parse(given) {
            Ok(filter) => {
                assert_eq!(filter.terms(), terms, "{given}");
                assert_eq!(filter.to_string(), *printed, "{given}");
                assert_eq!(parse(printed).unwrap(), filter, "{given}");
            }
            Err(errors) => assert_eq!(*printed, "error", "{given}: {errors:?}"),
        }
    }
}

#[test]
fn every_mistake_has_its_place() {
    // given, then for each mistake: position, length, beginning of the message, suggestion
    type Mistake = (usize, usize, &'static str, Option<&'static str>);
    let table: &[(&str, &[Mistake])] = &[
        ("stat:failed", &[(0, 5, "\"stat\" is not a key", Some("state:"))]),
        ("STATUS:failed", &[(0, 7, "\"status\" is not a key", Some("state:"))]),
        ("Re:hello", &[(0, 3, "\"re\" is not a key", Some("ref:"))]),
        ("https://x", &[(0, 6, "\"https\" is not a key", None)]),
        ("state:faild", &[(6, 5, "\"faild\" is not a state", Some("failed"))]),
        ("state:failed,hold", &[(13, 4, "\"hold\" is not a state", Some("held"))]),
        ("ä state:xyz", &[(8, 3, "\"xyz\" is not a state", None)]),
        ("state:", &[(6, 0, "a value is missing after state:", None)]),
        ("state: failed", &[(6, 0, "a value is missing after state:", None)]),
        ("state:failed,", &[(13, 0, "a value is missing after the comma", None)]),
        ("a,,b", &[(2, 0, "a value is missing after the comma", None)]),
        (",a", &[(0, 0, "a word is missing before the comma", None)]),
        ("-", &[(0, 1, "nothing follows the minus", None)]),
        ("a - b", &[(2, 1, "nothing follows the minus", None)]),
        ("\"share", &[(0, 6, "the quote is not closed", None)]),
        ("from:\"share", &[(5, 6, "the quote is not closed", None)]),
        ("\"\"", &[(0, 2, "there is nothing between the quotes", None)]),
        ("\"a\"b", &[(3, 1, "a space is missing after the closing quote", None)]),
        ("a\"b", &[(1, 1, "a quote in the middle of a word", None)]),
        ("age:2h", &[(0, 4, "age is compared with > or <", Some("age>"))]),
        ("age:<2h", &[(0, 5, "age is compared with > or <", Some("age<"))]),
        ("age>2", &[(4, 1, "the unit is missing: 2s, 2m", None)]),
        ("age>h", &[(4, 1, "\"h\" is not a length of time", None)]),
        ("age>2y", &[(4, 2, "\"2y\" is not a length of time", None)]),
        ("age>99999999999999999999h", &[(4, 21, "\"99999999999999999999h\" is not", None)]),
        ("age>9999999w", &[(4, 8, "longer than a hundred years", None)]),
        ("state>failed", &[(0, 6, "only age is compared", Some("state:"))]),
        ("cause:4", &[(6, 1, "\"4\" is neither a cause nor a status", None)]),
        ("cause:no_rigth", &[(6, 8, "\"no_rigth\" is neither", Some("no_right"))]),
        ("dest:\"a b\"", &[(5, 5, "\"a b\" is not the name of a destination", None)]),
        ("id:7", &[(3, 1, "\"7\" is not a filing id", None)]),
        (
            "stat:x dest:, age>2 -",
            &[
                (0, 5, "\"stat\" is not a key", Some("state:")),
                (12, 0, "a value is missing after dest:", None),
                (13, 0, "a value is missing after the comma", None),
                (18, 1, "the unit is missing", None),
                (20, 1, "nothing follows the minus", None),
            ],
        ),
    ];
    for (given, wanted) in table {
        let errors = parse(given).expect_err(given);
        let found: Vec<_> = errors
            .iter()
            .map(|e| (e.position, e.length, e.message.as_str(), e.suggestion.as_deref()))
            .collect();
        assert_eq!(found.len(), wanted.len(), "{given}: {found:?}");
        for (found, wanted) in found.iter().zip(*wanted) {
            assert_eq!((found.0, found.1, found.3), (wanted.0, wanted.1, wanted.3), "{given}: {found:?}");
            assert!(found.2.starts_with(wanted.2), "{given}: {found:?}");
        }
        let problem = super::problem(&errors);
        assert_eq!(problem.errors.len(), wanted.len());
        assert_eq!(problem.status, 400);
    }
}

#[test]
fn an_endless_filter_is_refused() {
    assert_eq!(parse(&"x".repeat(2000)).unwrap().terms().len(), 1);
    assert_eq!(parse(&"x ".repeat(200_000)).unwrap_err().len(), 1);
}

proptest! {
    /// Whatever is typed, nothing panics, every mistake lies within the text, and what reads prints back as itself.
    #[test]
    fn anything_typed_is_answered(given in prop_oneof![
        any::<String>(),
        "[-a-z:,\"<>\\\\ 0-9“”]{0,40}",
        "((-?(state:(failed|held|x)|dest:[a-z]{1,3}|cause:(403|no_right)|age[<>][0-9]{1,4}[smhdwx]|from:[a-z,]{1,5}|\"[^\"]{0,6}\"|[a-z:]{1,5})) ?){0,6}",
    ]) {
        let length = given.chars().count();
        match parse(&given) {
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(error.position + error.length <= length, "{error:?}");
                }
            }
            Ok(filter) => {
                let printed = filter.to_string();
                prop_assert_eq!(parse(&printed), Ok(filter), "{}", printed);
            }
        }
    }
}
