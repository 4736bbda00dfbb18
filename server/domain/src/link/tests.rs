use super::*;
use Fallback::{Always, BackgroundOnly, Never, ReadOnly};
use Operation::{Background, InteractiveRead, InteractiveWrite};
use Standing::{Broken, None as Missing, Works};

const OWN: Decision = Decision::Use(Credential::Own);
const SYSTEM: Decision = Decision::Use(Credential::System);
const ASK: Decision = Decision::AskRights;

const fn no(refusal: Refusal) -> Decision {
    Decision::Refuse(refusal)
}

fn question(operation: Operation, own: Standing, fallback: Fallback) -> Question {
    Question {
        person: true,
        operation,
        own,
        required: false,
        links: true,
        fallback,
        when_unsure: WhenUnsure::Refuse,
        system: Works,
        rights: None,
    }
}

#[test]
fn the_policy_decides_who_has_no_link() {
    let needed = no(Refusal::LinkNeeded);
    #[rustfmt::skip]
    let table = [
        // fallback, interactive read, interactive write, background
        (Never,          needed, needed, needed),
        (ReadOnly,       ASK,    needed, needed),
        (BackgroundOnly, needed, needed, ASK),
        (Always,         ASK,    ASK,    ASK),
    ];
    for (fallback, read, write, background) in table {
        for (operation, wanted) in
            [(InteractiveRead, read), (InteractiveWrite, write), (Background, background)]
        {
            let asked = question(operation, Missing, fallback);
            assert_eq!(whose_account(asked), wanted, "{asked:?}");
            // Whatever the policy: an own link is used, a broken one is not stood in for, a required one is waited for.
            for rights in [None, Some(Rights::Allowed), Some(Rights::Denied), Some(Rights::Unknown)] {
                let own = Question { own: Works, rights, ..asked };
                assert_eq!(whose_account(own), OWN, "{own:?}");
                let broken = Question { own: Broken, rights, ..asked };
                assert_eq!(whose_account(broken), no(Refusal::LinkBroken), "{broken:?}");
                let required = Question { required: true, rights, ..asked };
                assert_eq!(whose_account(required), no(Refusal::LinkRequired), "{required:?}");
            }
            // Doors, and destinations without accounts of persons, use the system account.
            for (person, links) in [(false, true), (false, false), (true, false)] {
                let door = Question { person, links, ..asked };
                assert_eq!(whose_account(door), SYSTEM, "{door:?}");
                let none = Question { system: Missing, ..door };
                assert_eq!(whose_account(none), no(Refusal::NoSystemAccount), "{none:?}");
                let broken = Question { system: Broken, ..door };
                assert_eq!(whose_account(broken), no(Refusal::SystemLinkBroken), "{broken:?}");
            }
        }
    }
}

#[test]
fn a_wall_is_never_crossed_and_doubt_stops_too() {
    #[rustfmt::skip]
    let table = [
        (InteractiveRead,  ReadOnly,       Rights::Allowed, SYSTEM),
        (InteractiveRead,  ReadOnly,       Rights::Denied,  no(Refusal::Denied)),
        (InteractiveRead,  ReadOnly,       Rights::Unknown, no(Refusal::Unsure)),
        (InteractiveRead,  Always,         Rights::Allowed, SYSTEM),
        (InteractiveRead,  Always,         Rights::Denied,  no(Refusal::Denied)),
        (InteractiveRead,  Always,         Rights::Unknown, no(Refusal::Unsure)),
        (InteractiveWrite, Always,         Rights::Allowed, SYSTEM),
        (InteractiveWrite, Always,         Rights::Denied,  no(Refusal::Denied)),
        (InteractiveWrite, Always,         Rights::Unknown, no(Refusal::Unsure)),
        (Background,       Always,         Rights::Allowed, SYSTEM),
        (Background,       Always,         Rights::Denied,  no(Refusal::Denied)),
        (Background,       Always,         Rights::Unknown, no(Refusal::Unsure)),
        (Background,       BackgroundOnly, Rights::Allowed, SYSTEM),
        (Background,       BackgroundOnly, Rights::Denied,  no(Refusal::Denied)),
        (Background,       BackgroundOnly, Rights::Unknown, no(Refusal::Unsure)),
        // A right does not help where the policy says no.
        (InteractiveWrite, ReadOnly,       Rights::Allowed, no(Refusal::LinkNeeded)),
        (Background,       Never,          Rights::Allowed, no(Refusal::LinkNeeded)),
    ];
    for (operation, fallback, rights, wanted) in table {
        let asked = Question { rights: Some(rights), ..question(operation, Missing, fallback) };
        assert_eq!(whose_account(asked), wanted, "{asked:?}");
        // A firm may let doubt pass, in the background only.
        let lenient = Question { when_unsure: WhenUnsure::File, ..asked };
        let passes = operation == Background && rights == Rights::Unknown && fallback != Never;
        assert_eq!(whose_account(lenient), if passes { SYSTEM } else { wanted }, "{lenient:?}");
        // Rights do not conjure up a system account.
        let without = Question { system: Missing, ..asked };
        assert!(matches!(whose_account(without), Decision::Refuse(_)), "{without:?}");
    }
}

#[test]
fn services_are_asked_of_teams() {
    let team = |name: &str| name.parse::<TeamName>().unwrap();
    let to = |name: &str, required| AvailableTo { team: team(name), required };
    let service = |links, available_to| LinkedService {
        name: "dms".parse().unwrap(),
        title: String::new(),
        kind: "imanage".to_owned(),
        sign_in: Offer::Disabled,
        links,
        fallback: BackgroundOnly,
        when_unsure: WhenUnsure::Refuse,
        available_to,
        keep_alive: None,
        warn_before: Duration::ZERO,
    };
    let litigation = [team("litigation")];
    for (service, teams, wanted) in [
        (service(false, vec![to("everyone", true)]), &litigation[..], None),
        (service(true, vec![]), &litigation[..], Some(false)),
        (service(true, vec![to("tax", true)]), &litigation[..], None),
        (service(true, vec![to("litigation", false)]), &litigation[..], Some(false)),
        (service(true, vec![to("everyone", false), to("litigation", true)]), &litigation[..], Some(true)),
        (service(true, vec![to("everyone", false), to("litigation", true)]), &[], Some(false)),
    ] {
        assert_eq!(service.asked_of(teams), wanted, "{service:?} {teams:?}");
    }
}
