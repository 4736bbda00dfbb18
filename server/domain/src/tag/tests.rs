use std::collections::BTreeMap;

use super::*;
use crate::ids::WorkItemId;
use crate::work_item::{Client, Participant};

pub(crate) fn matter() -> WorkItem {
    let participant = |role: &str, name: &str, email: &str| Participant {
        role: role.into(),
        name: name.into(),
        reference: String::new(),
        email: email.into(),
    };
    WorkItem {
        id: WorkItemId::from_u128(1),
        reference: "0007".into(),
        title: "Harrow v Teal".into(),
        work_type: "matter/litigation".into(),
        site: "main".parse().unwrap(),
        open: true,
        phase: String::new(),
        client: Client { reference: "10442".into(), name: "Harrow, Pike & Co [UK]".into() },
        attributes: BTreeMap::from([
            ("opened".into(), "2026-03-04".into()),
            ("court".into(), String::new()),
            ("tricky".into(), "[workitem.title]".into()),
        ]),
        participants: vec![
            participant("fee-earner", "Mina Patel", "m.patel@firm.example"),
            participant("opponent", "Teal Ltd", "a@teal.example"),
            participant("opponent", "Teal Holdings", "b@teal.example"),
        ],
        version: 1,
        changed: "2026-11-23T09:00:00Z".parse().unwrap(),
    }
}

#[test]
fn tags_give_a_value_empty_or_unknown() {
    use TagErrorKind::{Empty, Many, Unknown};
    let table: &[(&str, Result<&str, TagErrorKind>)] = &[
        ("plain", Ok("plain")),
        ("", Ok("")),
        ("[[literal] [workitem.title]", Ok("[literal] Harrow v Teal")),
        ("[workitem.client.reference]-[workitem.reference]", Ok("10442-0007")),
        ("[workitem.roles.client.reference]", Ok("10442")),
        ("[WorkItem.Client.Name]", Ok("Harrow, Pike & Co [UK]")),
        ("[workitem.attributes.tricky]", Ok("[workitem.title]")),
        ("[workitem.phase]", Err(Empty)),
        ("[workitem.phase|default:\"open\"]", Ok("open")),
        ("[workitem.phase|default:\"\"]", Ok("")),
        ("[workitem.attributes.court]", Err(Empty)),
        ("[workitem.attributes.judge]", Err(Unknown)),
        ("[workitem.attributes.judge|default:\"x\"]", Err(Unknown)),
        ("[workitem.nonsense]", Err(Unknown)),
        ("[matter.reference]", Err(Unknown)),
        ("[workitem.title.x]", Err(Unknown)),
        ("[workitem.client]", Err(Empty)),
        ("[workitem.roles.judge.name]", Err(Empty)),
        ("[workitem.roles.judge.name|default:\"none\"]", Ok("none")),
        ("[workitem.roles.fee-earner.name]", Ok("Mina Patel")),
        ("[workitem.roles.opponent.name]", Err(Many)),
        ("[workitem.roles.opponent.name|first]", Ok("Teal Ltd")),
        ("[workitem.roles.opponent.!2.name]", Ok("Teal Holdings")),
        ("[workitem.roles.opponent.!3.name]", Err(Empty)),
        ("[workitem.roles.opponent.name|join:\", \"]", Ok("Teal Ltd, Teal Holdings")),
        ("[workitem.participants.?email=\"B@teal.example\".name]", Ok("Teal Holdings")),
        ("[workitem.participants.?role=\"judge\".name|default:\"-\"]", Ok("-")),
        ("[workitem.title|upper]", Ok("HARROW V TEAL")),
        ("[workitem.title|lower]", Ok("harrow v teal")),
        ("[workitem.reference|pad:6]", Ok("000007")),
        ("[workitem.attributes.opened|format:\"dd MMM yyyy\"]", Ok("04 Mar 2026")),
        ("[workitem.attributes.opened|format:\"yyyy/MM\"]", Ok("2026/03")),
        ("[workitem.title|format:\"yyyy\"]", Ok("Harrow v Teal")),
    ];
    for (text, wanted) in table {
        let template: Template = text.parse().unwrap_or_else(|error| panic!("{error}"));
        let got = template.fill(&matter()).map_err(|error| error.kind);
        assert_eq!(got.as_deref().map_err(|kind| *kind), *wanted, "{text}");
        assert_eq!(template.source(), *text);
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, position) in [
        ("[", 1),
        ("[]", 1),
        ("a [9x]", 3),
        ("[workitem", 9),
        ("[workitem.]", 10),
        ("[workitem.!0]", 12),
        ("[workitem.!x]", 11),
        ("[workitem.!99999999999999999999999]", 34),
        ("[workitem.?role]", 15),
        ("[workitem.?role=x]", 16),
        ("[workitem.title|shout]", 16),
        ("[workitem.title|default]", 23),
        ("[workitem.title|default:\"x]", 27),
        ("[workitem.title|pad:0]", 21),
    ] {
        let error = text.parse::<Template>().unwrap_err();
        assert_eq!(error.position, position, "{error}");
    }
}

#[test]
fn separators_inside_tags_do_not_split() {
    let split = |text: &'static str| split_outside_tags(text, ',');
    assert_eq!(split("a=[x|join:\", \"],b=2"), ["a=[x|join:\", \"]", "b=2"]);
    assert_eq!(split("a=[[,b=[y]"), ["a=[[", "b=[y]"]);
    assert_eq!(split("a=[x|default:\"],\"],b"), ["a=[x|default:\"],\"]", "b"]);
    assert_eq!(split(""), [""]);
}
