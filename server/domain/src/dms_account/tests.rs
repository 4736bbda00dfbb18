//! What is decided without a DMS: names, domains, whether it is asked, and what its answers come down to. The sequences are tested in
//! `server/web/tests/web/desk_dms_accounts.rs`, over a real store.

use std::time::Duration;

use jiff::Timestamp;

use super::AccountState::{Asking, Failed, Found, Made, NotAvailable, Refused};
use super::Decision::{Find, Known, Later, Make};
use super::*;
use crate::backoff::RetryPolicy;
use crate::cause::Cause;
use crate::dms::{DmsError, RetryAfter, Trouble};
use crate::people::{Person, Refusals, Status};
use crate::person::Sites;

const FIND_AND_MAKE: Offers = Offers { find: true, make: true };
const LAG: Duration = Duration::from_mins(2);

fn at(text: &str) -> Timestamp {
    format!("2026-11-24T{text}:00Z").parse().unwrap()
}

fn person(email: &str, status: Status) -> Person {
    Person {
        id: PersonId::from_u128(1),
        version: 1,
        name: "mary@harrow.example".to_owned(),
        display_name: "Mary Harrow".to_owned(),
        email: email.to_owned(),
        status,
        roles: Vec::new(),
        sites: Sites::one("main".parse().unwrap()),
        teams: Vec::new(),
        identities: Vec::new(),
        password: None,
        refusals: Refusals::default(),
        created: at("08:00"),
        last_sign_in: None,
    }
}

fn user(id: &str) -> DmsUser {
    let email = "mary@harrow.example".to_owned();
    DmsUser { id: id.to_owned(), name: "Mary".to_owned(), email, external: false, active: true }
}

fn known(state: AccountState, since: &str) -> DmsAccount {
    DmsAccount {
        id: DmsAccountId::from_u128(9),
        version: 3,
        person: PersonId::from_u128(1),
        service: "dms".parse().unwrap(),
        email: "mary@harrow.example".to_owned(),
        state,
        at: at(since),
        by: "postroom".to_owned(),
    }
}

fn policy(create: CreateAccounts) -> AccountPolicy {
    AccountPolicy { create, ..AccountPolicy::default() }
}

/// It is 10:00; the process began at 09:00.
fn decided(
    person: &Person,
    create: CreateAccounts,
    offers: Offers,
    known: Option<&DmsAccount>,
    trigger: Trigger,
) -> Decision {
    let policy = policy(create);
    let (now, started) = (at("10:00"), at("09:00"));
    decide(Situation { person, policy: &policy, offers, known, trigger, now, started, lag: LAG })
}

#[test]
fn a_name_is_split_by_its_rule() {
    for (display, email, given, family) in [
        ("Mary Harrow", "", "Mary", "Harrow"),
        ("  Mary   Jane  Harrow ", "", "Mary Jane", "Harrow"),
        ("Harrow, Mary Jane", "", "Mary Jane", "Harrow"),
        ("Harrow, Mary (Conveyancing)", "", "Mary", "Harrow"),
        ("Mary Harrow (London)", "", "Mary", "Harrow"),
        ("(London)", "", "(London)", ""),
        ("Anna van der Berg", "", "Anna", "van der Berg"),
        ("van der Berg", "", "van", "der Berg"),
        ("Ludwig von Mises", "", "Ludwig", "von Mises"),
        ("María José de la Cruz", "", "María José", "de la Cruz"),
        ("Madonna", "", "Madonna", ""),
        ("Harrow,", "", "Harrow", ""),
        ("李 小龍", "", "李", "小龍"),
        ("", "mary.harrow@harrow.example", "Mary", "Harrow"),
        ("mary.jane_harrow@harrow.example", "x@y.example", "Mary Jane", "Harrow"),
        ("  ", "mary@harrow.example", "Mary", ""),
        ("", "...@harrow.example", "...@harrow.example", ""),
    ] {
        let wanted = Name { given: given.to_owned(), family: family.to_owned() };
        assert_eq!(split_name(display, email), wanted, "{display:?} {email:?}");
        assert!(!split_name(display, email).given.is_empty());
    }
}

#[test]
fn external_domains_count_with_those_below_them() {
    let policy = AccountPolicy {
        external_domains: vec!["client.example".to_owned()],
        ..policy(CreateAccounts::Automatic)
    };
    for (email, external) in [
        ("a@client.example", true),
        ("A@Client.Example", true),
        ("a@eu.client.example", true),
        ("a@notclient.example", false),
        ("a@client.example.evil.example", false),
        ("a@harrow.example", false),
        ("nobody", false),
    ] {
        assert_eq!(policy.is_external(email), external, "{email}");
    }
}

#[test]
fn what_is_set_is_checked() {
    for (create, domain, wanted) in [
        (CreateAccounts::Automatic, "client.example", None),
        (CreateAccounts::OnRequest, "gmail.com", None),
        (CreateAccounts::Automatic, "gmail.com", Some("anybody gets an e-mail of gmail.com")),
        (CreateAccounts::Automatic, "eu.outlook.com", Some("anybody gets")),
        (CreateAccounts::OnRequest, "Client.example", Some("is not a domain")),
        (CreateAccounts::Never, "*.client.example", Some("is not a domain")),
    ] {
        let policy = AccountPolicy { external_domains: vec![domain.to_owned()], ..policy(create) };
        let wrong = policy.mistakes().join("\n");
        assert_eq!(wrong.is_empty(), wanted.is_none(), "{domain}: {wrong}");
        assert!(wrong.contains(wanted.unwrap_or_default()), "{domain}: {wrong}");
    }
    let policy = AccountPolicy { library: " ACTIVE".to_owned(), ..AccountPolicy::default() };
    assert!(policy.mistakes()[0].starts_with("accounts.library"));
}

#[test]
fn nobody_is_asked_for_who_is_to_have_no_account() {
    use CreateAccounts::{Automatic, Never, OnRequest};
    let mary = "mary@harrow.example";
    let nothing = Offers { find: false, make: false };
    for (email, status, create, offers, automatic, request) in [
        (mary, Status::Active, Automatic, FIND_AND_MAKE, Make, Make),
        (mary, Status::Active, OnRequest, FIND_AND_MAKE, Decision::Skip(Skip::OnRequest), Make),
        (
            mary,
            Status::Active,
            Never,
            FIND_AND_MAKE,
            Decision::Skip(Skip::Never),
            Decision::Skip(Skip::Never),
        ),
        (
            mary,
            Status::Pending,
            Automatic,
            FIND_AND_MAKE,
            Decision::Skip(Skip::NotActive),
            Decision::Skip(Skip::NotActive),
        ),
        (
            mary,
            Status::Disabled,
            Automatic,
            FIND_AND_MAKE,
            Decision::Skip(Skip::NotActive),
            Decision::Skip(Skip::NotActive),
        ),
        (
            "",
            Status::Active,
            Automatic,
            FIND_AND_MAKE,
            Decision::Skip(Skip::NoEmail),
            Decision::Skip(Skip::NoEmail),
        ),
        ("mary@gmail.com", Status::Active, Automatic, FIND_AND_MAKE, Decision::Skip(Skip::FreeMail), Make),
        (
            mary,
            Status::Active,
            Automatic,
            nothing,
            Decision::Skip(Skip::NotOffered),
            Decision::Skip(Skip::NotOffered),
        ),
        (mary, Status::Active, Automatic, Offers { find: true, make: false }, Find, Find),
        (mary, Status::Active, Automatic, Offers { find: false, make: true }, Make, Make),
    ] {
        let person = person(email, status);
        let case = format!("{email} {status:?} {create:?} {offers:?}");
        assert_eq!(decided(&person, create, offers, None, Trigger::Automatic), automatic, "{case}");
        assert_eq!(decided(&person, create, offers, None, Trigger::Request), request, "{case}");
    }
}

#[test]
fn what_is_known_decides_whether_it_is_asked_again() {
    let mary = person("mary@harrow.example", Status::Active);
    let words = || "no".to_owned();
    let failed = |again: &str, unsure: Option<&str>| Failed {
        words: words(),
        again: at(again),
        tries: 2,
        unsure: unsure.map(at),
    };
    let asking = || Asking { tries: 0, words: String::new() };
    for (state, since, automatic, request) in [
        (Found { user: user("MH") }, "09:30", Known, Find),
        (Made { user: user("MH") }, "09:30", Known, Find),
        (NotAvailable { words: words() }, "09:30", Later("2026-11-25T09:30:00Z".parse().unwrap()), Make),
        (Refused { words: words() }, "09:30", Decision::Skip(Skip::Refused), Make),
        (failed("10:30", None), "09:30", Later(at("10:30")), Make),
        (failed("10:00", None), "09:30", Make, Make),
        // The answer was lost: it is looked for, and not made before the DMS had time to know of it.
        (failed("10:02", Some("10:02")), "09:59", Later(at("10:02")), Find),
        (failed("09:58", Some("10:01")), "09:58", Find, Find),
        (failed("10:00", Some("09:59")), "09:57", Make, Make),
        // This process asks at this moment; or it has for so long that it was given up.
        (asking(), "09:59", Later(at("10:14")), Later(at("10:14"))),
        (asking(), "09:40", Make, Make),
        // An earlier process was interrupted, long ago.
        (asking(), "08:59", Make, Make),
    ] {
        let known = known(state, since);
        let case = format!("{known:?}");
        let create = CreateAccounts::Automatic;
        assert_eq!(
            decided(&mary, create, FIND_AND_MAKE, Some(&known), Trigger::Automatic),
            automatic,
            "{case}"
        );
        assert_eq!(decided(&mary, create, FIND_AND_MAKE, Some(&known), Trigger::Request), request, "{case}");
    }
    // A moment ago: whoever was interrupted is looked for first.
    let policy = policy(CreateAccounts::Automatic);
    let interrupted = known(asking(), "09:58");
    for (now, find, trigger, wanted) in [
        ("09:59", true, Trigger::Automatic, Later(at("10:00"))),
        ("09:59", true, Trigger::Request, Find),
        ("09:59", false, Trigger::Request, Later(at("10:00"))),
        ("10:00", true, Trigger::Automatic, Make),
    ] {
        let situation = Situation {
            person: &mary,
            policy: &policy,
            offers: Offers { find, make: true },
            known: Some(&interrupted),
            trigger,
            now: at(now),
            started: at("09:59"),
            lag: LAG,
        };
        assert_eq!(decide(situation), wanted, "{now} {find} {trigger:?}");
    }
}

#[test]
fn another_email_is_asked_for_anew_unless_the_old_one_may_have_an_account() {
    let mary = person("mary@teal.example", Status::Active);
    let words = || "no".to_owned();
    let failed = |unsure: Option<&str>| Failed {
        words: words(),
        again: at("10:30"),
        tries: 1,
        unsure: unsure.map(at),
    };
    for (state, wanted) in [
        (Found { user: user("MH") }, Known),
        (Refused { words: words() }, Make),
        (NotAvailable { words: words() }, Make),
        (failed(None), Make),
        (failed(Some("10:30")), Later(at("10:30"))),
    ] {
        let known = known(state, "09:30");
        let create = CreateAccounts::Automatic;
        assert_eq!(
            decided(&mary, create, FIND_AND_MAKE, Some(&known), Trigger::Automatic),
            wanted,
            "{known:?}"
        );
    }
}

#[test]
fn an_answer_comes_down_to_what_can_be_done() {
    let retry = RetryPolicy { first_seconds: 60, cap_seconds: 3600, jitter: 0.0, ..RetryPolicy::default() };
    let timing = Timing { now: at("10:00"), retry: &retry, chance: 0.5, lag: LAG };
    let trouble = |cause| Trouble::new(cause, "said so");
    let failed = |again: &str, tries, unsure: Option<&str>| Failed {
        words: "said so".to_owned(),
        again: at(again),
        tries,
        unsure: unsure.map(at),
    };
    let throttled = |until| DmsError::Throttled { until, trouble: trouble(Cause::Throttled) };
    let rejected = |field: Option<&str>| DmsError::Rejected {
        field: field.map(str::to_owned),
        message: "is in use".to_owned(),
        trouble: trouble(Cause::Rejected),
    };
    let refused = |words: &str| Refused { words: words.to_owned() };
    let unsupported = || DmsError::Unsupported(trouble(Cause::Unsupported));
    let conflict = || DmsError::Conflict { existing: None, trouble: trouble(Cause::Conflict) };
    let once = failed("09:00", 1, None);
    let lost = || failed("10:02", 1, Some("10:02"));
    let made = Made { user: user("MH") };
    let unsure = Some(at("10:02"));
    for (answer, before, unsure, wanted) in [
        (Answer::Found(user("MH")), None, None, Found { user: user("MH") }),
        (Answer::Found(user("MH")), Some(&made), None, made.clone()),
        (Answer::Found(user("MH2")), Some(&made), None, Found { user: user("MH2") }),
        (Answer::Made(user("MH")), Some(&once), None, made.clone()),
        (
            Answer::Several(2),
            None,
            None,
            refused("2 accounts have this e-mail there: which one is the person's is not known"),
        ),
        (
            Answer::NotThere,
            Some(&made),
            None,
            refused("the account MH is not found by this e-mail any more; nothing was made"),
        ),
        (
            Answer::NotMade(unsupported()),
            None,
            None,
            NotAvailable { words: "not available here: said so".into() },
        ),
        (Answer::NotMade(rejected(None)), None, None, refused("is in use")),
        (Answer::NotMade(rejected(Some("email"))), None, None, refused("email: is in use")),
        (Answer::NotMade(conflict()), None, None, refused("said so")),
        (Answer::NotMade(DmsError::Forbidden(trouble(Cause::NoRight))), None, None, failed("10:01", 1, None)),
        (
            Answer::NotMade(DmsError::Forbidden(trouble(Cause::NoRight))),
            Some(&once),
            None,
            failed("10:02", 2, None),
        ),
        (Answer::NotMade(throttled(Some(RetryAfter::Seconds(300)))), None, None, failed("10:05", 1, None)),
        (Answer::NotMade(throttled(Some(RetryAfter::At(at("11:00"))))), None, None, failed("11:00", 1, None)),
        // It may be there all the same.
        (Answer::NotMade(DmsError::UnknownOutcome(trouble(Cause::AnswerLost))), None, None, lost()),
        (Answer::NotMade(DmsError::Unavailable(trouble(Cause::Unreachable))), None, None, lost()),
        // Looking changes nothing, so it leaves no doubt, and takes none away.
        (
            Answer::NotLooked(DmsError::Unavailable(trouble(Cause::Unreachable))),
            None,
            None,
            failed("10:01", 1, None),
        ),
        (Answer::NotLooked(conflict()), Some(&once), unsure, failed("10:02", 2, Some("10:02"))),
        (Answer::NotLooked(throttled(None)), Some(&made), None, made.clone()),
    ] {
        let case = format!("{answer:?} after {before:?}");
        assert_eq!(settled(answer, before, unsure, timing), wanted, "{case}");
    }
    let state = settled(Answer::NotThere, None, unsure, timing);
    assert!(matches!(state, Failed { again, unsure: Some(proven), .. } if again == proven), "{state:?}");
    let state = settled(Answer::NotThere, None, None, timing);
    assert!(matches!(state, NotAvailable { .. }), "{state:?}");
}
