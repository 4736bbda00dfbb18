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
            ("heard".into(), "2026-07-01T23:30:00Z".into()),
            ("blank".into(), "  ".into()),
            ("formula".into(), "=1+1, <b>".into()),
        ]),
        participants: vec![
            participant("fee-earner", "Mina Patel", "m.patel@firm.example"),
            participant("opponent", "Teal Ltd", "a@teal.example"),
            participant("opponent", "Teal Holdings", "b@teal.example"),
        ],
        origin: None,
        zone: String::new(),
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
        // Lists, one by one, by what they hold, and joined.
        ("[workitem.participants.!1.name]", Ok("Mina Patel")),
        ("[workitem.participants.!4.name|default:\"-\"]", Ok("-")),
        ("[workitem.participants.name|join:\"/\"]", Ok("Mina Patel/Teal Ltd/Teal Holdings")),
        ("[workitem.participants.?role=\"opponent\".name]", Err(Many)),
        ("[workitem.participants.?role=\"opponent\".!2.name]", Ok("Teal Holdings")),
        ("[workitem.participants.?role=\"opponent\".name|first|upper]", Ok("TEAL LTD")),
        ("[workitem.participants.?role=\"opponent\".name|upper|join:\"+\"]", Ok("TEAL LTD+TEAL HOLDINGS")),
        ("[workitem.participants.?name=\"Teal\".email]", Err(Empty)),
        ("[workitem.participants.reference]", Err(Empty)),
        ("[workitem.participants.reference|join:\",\"]", Err(Empty)),
        ("[workitem.participants.nonsense]", Err(Unknown)),
        ("[workitem.roles.opponent.!1.nonsense]", Err(Unknown)),
        ("[workitem.title.!1]", Ok("Harrow v Teal")),
        ("[workitem.title.!2]", Err(Empty)),
        ("[workitem.participants]", Err(Empty)),
        ("[workitem.roles.Fee-Earner.email]", Ok("m.patel@firm.example")),
        ("[workitem.roles.client.name]", Ok("Harrow, Pike & Co [UK]")),
        // Filters work from left to right, and a default stands for what is empty wherever it is written.
        ("[workitem.attributes.blank]", Err(Empty)),
        ("[workitem.attributes.blank|default:\"x\"|upper]", Ok("x")),
        ("[workitem.phase|upper|default:\"x\"]", Ok("x")),
        ("[workitem.reference|pad:2]", Ok("0007")),
        ("[workitem.title|lower|upper|trim]", Ok("HARROW V TEAL")),
        ("[workitem.attributes.opened|format:\"d/M/yy\"]", Ok("4/3/26")),
        ("[workitem.attributes.opened|format:\"MMMM\"]", Ok("March")),
        ("[workitem.attributes.heard|format:\"yyyy-MM-dd HH:mm\"]", Ok("2026-07-01 23:30")),
        ("[workitem.attributes.court|format:\"yyyy\"]", Err(Empty)),
        ("[workitem.zone]", Err(Empty)),
        ("a [[b] [[[workitem.reference]]", Ok("a [b] [0007]")),
    ];
    for (text, wanted) in table {
        let template: Template = text.parse().unwrap_or_else(|error| panic!("{error}"));
        let got = template.fill(&matter(), Use::Resolver, &TimeZone::UTC).map_err(|error| error.kind);
        assert_eq!(got.as_deref().map_err(|kind| *kind), *wanted, "{text}");
        assert_eq!(template.source(), *text);
    }
}

#[test]
fn dates_are_told_in_the_work_items_zone_or_else_in_the_firms() {
    let london = TimeZone::get("Europe/London").unwrap();
    let in_zone = |zone: &str| WorkItem { zone: zone.into(), ..matter() };
    let tag = "[workitem.attributes.heard|format:\"yyyy-MM-dd HH:mm\"]".parse::<Template>().unwrap();
    // The work item's zone, the firm's, and what is read.
    for (own, firm, wanted) in [
        ("", &TimeZone::UTC, "2026-07-01 23:30"),
        ("", &london, "2026-07-02 00:30"),
        ("America/New_York", &london, "2026-07-01 19:30"),
        ("Asia/Kolkata", &TimeZone::UTC, "2026-07-02 05:00"),
        ("Not/AZone", &london, "2026-07-02 00:30"),
    ] {
        assert_eq!(tag.fill(&in_zone(own), Use::Email, firm).unwrap(), wanted, "{own}");
    }
    let day = "[workitem.attributes.opened|format:\"dd\"]".parse::<Template>().unwrap();
    assert_eq!(
        day.fill(&in_zone("America/New_York"), Use::Email, &london).unwrap(),
        "04",
        "a day has no zone"
    );
}

#[test]
fn each_use_has_its_own_way_with_what_is_empty_and_with_values() {
    use TagErrorKind::{Empty, Many, Unknown};
    let fill = |text: &str, for_use| {
        let template: Template = text.parse().unwrap();
        template.fill(&matter(), for_use, &TimeZone::UTC).map_err(|error| error.kind)
    };
    // Use, what becomes of an empty tag, what becomes of a value.
    let table: [(Use, Result<&str, TagErrorKind>, &str); 9] = [
        (Use::Resolver, Err(Empty), "[=1+1, <b>]"),
        (Use::Profile, Err(Empty), "[=1+1, <b>]"),
        (Use::FolderName, Err(Empty), "[=1+1, _b_]"),
        (Use::DmsQuery, Err(Empty), "[1 1 b]"),
        (Use::Url, Err(Empty), "[%3D1%2B1%2C%20%3Cb%3E]"),
        (Use::Email, Ok("[]"), "[=1+1, <b>]"),
        (Use::Html, Ok("[]"), "[=1+1, &lt;b&gt;]"),
        (Use::Csv, Ok("[]"), "[\"'=1+1, <b>\"]"),
        (Use::Word, Ok("[[workitem.phase]]"), "[=1+1, <b>]"),
    ];
    assert_eq!(table.len(), Use::ALL.len());
    for (for_use, empty, value) in table {
        let got = fill("[[[workitem.phase]]", for_use);
        assert_eq!(got.as_deref().map_err(|kind| *kind), empty, "{for_use:?}");
        assert_eq!(fill("[[[workitem.attributes.formula]]", for_use).unwrap(), value, "{for_use:?}");
        assert_eq!(fill("[workitem.phase|default:\"x\"]", for_use).unwrap(), "x", "{for_use:?}");
        // Neither is a matter of taste.
        assert_eq!(fill("[workitem.nonsense]", for_use), Err(Unknown), "{for_use:?}");
        assert_eq!(fill("[workitem.participants.name]", for_use), Err(Many), "{for_use:?}");
    }
}

#[test]
fn paths_that_no_work_item_has_are_mistakes_of_the_settings() {
    // What is wrong; an empty text when nothing is.
    let table = [
        ("plain [[text]", ""),
        ("[workitem.reference]", ""),
        ("[WORKITEM.Client.Name]", ""),
        ("[workitem.attributes.anything]", ""),
        ("[workitem.attributes.anything.more]", "has nothing below it called more"),
        ("[workitem.roles.judge.name]", ""),
        ("[workitem.roles.judge.!1.email]", ""),
        ("[workitem.participants.?role=\"judge\".name]", ""),
        ("[workitem.participants.?rank=\"judge\".name]", "there is no \"rank\""),
        ("[matter.reference]", "there is no \"matter\""),
        ("[workitem.nonsense|default:\"x\"]", "there is no \"nonsense\""),
        ("[workitem.client.nonsense]", "there is no \"nonsense\""),
        ("[workitem.client]", "names no single value"),
        ("[workitem]", "names no single value"),
        ("[workitem.roles]", "names no single value"),
        ("[workitem.roles.judge]", "names no single value"),
        ("[workitem.roles.judge.rank]", "there is no \"rank\""),
        ("[workitem.title.x]", "has nothing below it called x"),
    ];
    for (text, wanted) in table {
        let mistakes = text.parse::<Template>().unwrap().mistakes();
        assert_eq!(mistakes.is_empty(), wanted.is_empty(), "{text}: {mistakes:?}");
        assert!(mistakes.iter().all(|mistake| mistake.contains(wanted)), "{text}: {mistakes:?}");
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
