use super::*;

fn settings(text: &str) -> AllocationSettings {
    serde_json::from_str(text).unwrap()
}

/// The rules of these tests: one of each sort.
fn rules() -> Rules {
    let text = r#"{
        "default": "post-room",
        "mailboxes": { "mail.crime": "crime" },
        "rules": [
            { "name": "harrow", "to": { "person": "dora" },
              "all": [{ "field": "client", "is": ["c-1"] }], "none": [{ "field": "phase", "is": ["closing"] }] },
            { "name": "supervised", "to": "supervisor",
              "all": [{ "field": "work_type", "under": ["matter/litigation"] }] },
            { "name": "paris", "to": { "least_busy": "paris" },
              "any": [{ "field": "office", "is": ["Paris", "Lyon"] }, { "field": "attributes.desk", "starts_with": ["fr-"] }] },
            { "name": "fee earner", "to": { "role": "fee-earner" }, "all": [{ "field": "phase", "filled": false }] },
            { "name": "scans", "to": { "team": "scan" }, "all": [{ "field": "source", "is": ["scanner"] }] }
        ]
    }"#;
    Rules::new(settings(text)).unwrap()
}

fn worker(name: &str, team: &str, open: u32, present: bool) -> Worker {
    let email = format!("{name}@firm.example");
    Worker { name: name.into(), email, teams: vec![team.parse().unwrap()], present, open, last_given: None }
}

fn staff() -> Staff {
    Staff(vec![
        worker("dora", "crime", 5, true),
        worker("sue", "litigation", 0, true),
        worker("away", "paris", 0, false),
        worker("pia", "paris", 3, true),
        worker("pol", "paris", 2, true),
    ])
}

/// A work item from `field=value` pairs.
fn item(fields: &str) -> WorkItem {
    let mut item = WorkItem {
        work_type: "knowledge".into(),
        phase: "open".into(),
        participants: Vec::new(),
        client: crate::work_item::Client::default(),
        ..crate::tag::tests::matter()
    };
    item.attributes.clear();
    for (field, value) in fields.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        let value = value.to_owned();
        match field {
            "client" => item.client.reference = value,
            "type" => item.work_type = value,
            "phase" => item.phase = value,
            "supervisor" | "fee-earner" => item.participants.push(crate::work_item::Participant {
                role: field.into(),
                name: String::new(),
                reference: String::new(),
                email: value,
            }),
            _ => {
                item.attributes.insert(field.into(), value);
            }
        }
    }
    item
}

fn short(to: &Assignee) -> String {
    match to {
        Assignee::Person(name) => name.clone(),
        Assignee::Team(team) => format!("team {team}"),
    }
}

#[test]
fn the_first_rule_that_gives_somebody_wins() {
    for (fields, source, wanted, rule) in [
        ("client=C-1", "mail", "dora", Some("harrow")),
        ("client=C-1 phase=closing", "mail", "team post-room", None),
        ("client=C-2", "mail", "team post-room", None),
        ("client=C-2", "mail.crime", "team crime", None),
        ("type=matter/litigation supervisor=SUE@firm.example", "mail", "sue", Some("supervised")),
        ("type=matter/litigation/court supervisor=sue@firm.example", "mail", "sue", Some("supervised")),
        ("type=matter/litigations supervisor=sue@firm.example", "mail", "team post-room", None),
        ("type=matter supervisor=sue@firm.example", "mail", "team post-room", None),
        ("type=matter/litigation", "mail", "team post-room", None),
        ("type=matter/litigation supervisor=x@else.example", "mail", "team post-room", None),
        ("type=matter/litigation supervisor=away@firm.example office=paris", "mail", "pol", Some("paris")),
        (
            "type=matter/litigation supervisor=away@firm.example supervisor=sue@firm.example",
            "mail",
            "sue",
            Some("supervised"),
        ),
        ("office=lyon", "mail", "pol", Some("paris")),
        ("desk=FR-7", "mail", "pol", Some("paris")),
        ("office=London desk=uk-1", "mail", "team post-room", None),
        ("phase= fee-earner=pia@firm.example", "mail", "pia", Some("fee earner")),
        ("office=London", "scanner", "team scan", Some("scans")),
    ] {
        let (item, source) = (item(fields), source.parse().unwrap());
        let allocation = rules().allocate(Facts { item: Some(&item), source: &source }, &staff());
        let told = format!("{fields}: {:#?}", allocation.trace);
        assert_eq!((short(&allocation.to).as_str(), allocation.rule.as_deref()), (wanted, rule), "{told}");
        assert!(allocation.trace.len() <= 6 && !allocation.trace.is_empty(), "{told}");
    }
}

#[test]
fn without_a_work_item_only_the_door_counts() {
    for (source, wanted) in
        [("mail", "team post-room"), ("mail.crime", "team crime"), ("scanner", "team scan")]
    {
        let source = source.parse().unwrap();
        let allocation = rules().allocate(Facts { item: None, source: &source }, &staff());
        assert_eq!(short(&allocation.to), wanted);
        assert_eq!(allocation.trace[0], "harrow: passed over: no work item is known yet");
    }
}

#[test]
fn of_those_who_have_as_much_the_one_who_waited_longer_is_next() {
    let early = "2026-11-01T00:00:00Z".parse().ok();
    let late = "2026-11-02T00:00:00Z".parse().ok();
    let team = "t".parse().unwrap();
    for (a, b, wanted) in [
        ((1, None), (2, None), Some("a")),
        ((1, late), (1, early), Some("b")),
        ((1, early), (1, None), Some("b")),
        ((1, None), (1, None), Some("a")),
    ] {
        let one = |name: &str, (open, last_given)| Worker { last_given, ..worker(name, "t", open, true) };
        let staff = Staff(vec![one("b", b), one("a", a)]);
        assert_eq!(staff.least_busy(&team).map(|it| it.name.as_str()), wanted);
    }
    let nobody = Staff(vec![worker("a", "t", 0, false), worker("b", "u", 0, true)]);
    assert_eq!(nobody.least_busy(&team), None);
}

#[test]
fn a_late_match_moves_what_nobody_took() {
    let (source, paris) = ("mail".parse().unwrap(), item("office=Paris"));
    let facts = Facts { item: Some(&paris), source: &source };
    let person = |name: &str| Assignee::Person(name.into());
    let team = |name: &str| Assignee::Team(name.parse().unwrap());
    for (to, by_hand, wanted) in [
        (team("post-room"), false, Some("pol")),
        (team("post-room"), true, None),
        (person("dora"), false, Some("pol")),
        (person("dora"), true, None),
        (person("pol"), false, None),
        // Of the same team and there, though busier: it stays with them.
        (person("pia"), false, None),
        (person("away"), false, Some("pol")),
    ] {
        let told = format!("{to:?} {by_hand}");
        let moved = match rules().again(&Before { to, by_hand }, facts, &staff()) {
            Again::Stays(_) => None,
            Again::Moves(allocation) => Some(short(&allocation.to)),
        };
        assert_eq!(moved.as_deref(), wanted, "{told}");
    }
}

#[test]
fn a_team_of_which_nobody_is_there_has_it_itself() {
    let (source, paris) = ("mail".parse().unwrap(), item("office=Paris"));
    let allocation = rules().allocate(Facts { item: Some(&paris), source: &source }, &Staff::default());
    assert_eq!(short(&allocation.to), "team paris");
}

#[test]
fn settings_name_the_key_that_is_wrong() {
    let rule = |rule: &str| format!(r#"{{"default": "a", "rules": [{rule}]}}"#);
    for (text, key) in [
        (r#"{"default": "a", "supervisor_role": ""}"#.to_owned(), "a.supervisor_role"),
        (rule(r#"{"name": "", "to": "supervisor"}"#), "a.rules[1].name"),
        (rule(r#"{"name": "x", "to": "supervisor"}, {"name": "x", "to": "supervisor"}"#), "a.rules[2].name"),
        (rule(r#"{"name": "x", "to": {"person": " "}}"#), "a.rules[1].to.person"),
        (rule(r#"{"name": "x", "to": {"role": ""}}"#), "a.rules[1].to.role"),
        (rule(r#"{"name": "x", "to": "supervisor", "any": [{"field": "site"}]}"#), "a.rules[1].any[1]"),
        (
            rule(
                r#"{"name": "x", "to": "supervisor", "none": [{"field": "site", "is": ["a"], "filled": true}]}"#,
            ),
            "a.rules[1].none[1]",
        ),
        (
            rule(r#"{"name": "x", "to": "supervisor", "all": [{"field": "site", "is": [""]}]}"#),
            "a.rules[1].all[1]",
        ),
        (rule(r#"{"name": "x", "to": {"team": "t"}}, {"name": "y", "to": "supervisor"}"#), "a.rules[1]"),
    ] {
        let mistakes = settings(&text).check("a");
        assert_eq!(
            mistakes.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(),
            [key],
            "{text}: {mistakes:?}"
        );
    }
    for bad in [
        "{}".to_owned(),
        r#"{"default": "a", "x": 1}"#.to_owned(),
        r#"{"default": "A b"}"#.to_owned(),
        rule(r#"{"name": "x", "to": "somebody"}"#),
        rule(r#"{"name": "x", "to": "supervisor", "all": [{"field": "weather", "is": ["a"]}]}"#),
    ] {
        assert!(serde_json::from_str::<AllocationSettings>(&bad).is_err(), "{bad}");
    }
}
