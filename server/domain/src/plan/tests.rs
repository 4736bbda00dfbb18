use super::*;
use crate::repository::parse_folder_path;
use crate::target::WhenAmbiguous;

fn matter() -> WorkItem {
    crate::tag::tests::matter()
}

fn repository(
    name: &str,
    area: Area,
    work_type: Option<&str>,
    mode: &str,
    config: &str,
    folder: &str,
) -> Repository {
    Repository {
        name: name.parse().unwrap(),
        area,
        work_type: work_type.map(str::to_owned),
        service: "dms-eu".parse().unwrap(),
        library: "ACTIVE".into(),
        resolver: ResolverConfig::parse(mode, config).unwrap(),
        folder: parse_folder_path(folder).unwrap(),
        create_folders: true,
        profile: BTreeMap::new(),
        when_ambiguous: WhenAmbiguous::Ask,
    }
}

fn rules() -> Rules {
    let matters = Area::MatterDocuments;
    Rules {
        repositories: vec![
            repository("all", matters, None, "default", "[workitem.title]", ""),
            repository(
                "matters",
                matters,
                Some("matter"),
                "search",
                "custom1=[workitem.client.name], custom2=[workitem.reference]",
                "Correspondence/[workitem.attributes.opened|format:\"yyyy\"]",
            ),
            repository("crime", matters, Some("matter/crime"), "pinned", "ACTIVE!1", ""),
            repository("scans", Area::Scanning, None, "search", "custom1=[workitem.phase]", ""),
            repository("mail", Area::InboundEmail, None, "default", "[workitem.attributes.nonsense]", ""),
        ],
        areas: BTreeMap::new(),
    }
}

#[test]
fn the_nearest_ancestor_with_a_repository_serves() {
    let rules = rules();
    for (work_type, wanted) in [
        ("matter/litigation/high-court", "matters"),
        ("matter", "matters"),
        ("matter/crime", "crime"),
        ("matter/crime/fraud", "crime"),
        ("matterless", "all"),
        ("instruction", "all"),
    ] {
        let found = rules.repository(Area::MatterDocuments, work_type).unwrap();
        assert_eq!(found.name.as_str(), wanted, "{work_type}");
    }
}

#[test]
fn values_with_commas_and_brackets_stay_values() {
    let planned = rules().plan("0007", Some(&matter()), "matter_documents", 1);
    let target = planned.plan.unwrap().target;
    let fields = vec![
        ("custom1".to_owned(), "Harrow, Pike & Co [UK]".to_owned()),
        ("custom2".to_owned(), "0007".to_owned()),
    ];
    assert_eq!(target.workspace, WorkspaceQuery::Fields(fields));
    assert_eq!(target.folder, ["Correspondence", "2026"]);
    assert_eq!(planned.trace.len(), 3);
}

#[test]
fn what_has_no_place_goes_to_a_person_with_the_reason() {
    let closed = WorkItem { open: false, ..matter() };
    let other = WorkItem { work_type: "knowledge".into(), ..matter() };
    let open = matter();
    for (given, item, area, code) in [
        ("", None, "matter_documents", "no_work_item"),
        ("M-1", None, "matter_documents", "unknown_work_item"),
        ("0007", Some(&closed), "matter_documents", "closed_work_item"),
        ("0007", Some(&open), "cupboard", "unknown_area"),
        ("0007", Some(&other), "data_uploads", "no_repository"),
        ("0007", Some(&open), "scanning", "empty_tag"),
        ("0007", Some(&open), "inbound_email", "unknown_tag"),
    ] {
        let planned = rules().plan(given, item, area, 1);
        let needs = planned.plan.unwrap_err();
        assert_eq!(needs.code, code, "{}", needs.text);
        assert!(planned.trace.last().unwrap().ends_with(&needs.text));
    }
}

#[test]
fn resolver_configurations_are_checked() {
    use crate::repository::{ResolverError as E, folder_name};
    let bad: Vec<E> = [
        ("default", ""),
        ("search", " , "),
        ("search", "custom1"),
        ("search", "custom1="),
        ("search", "a=1,A=2"),
        ("search", "[x]=1"),
        ("fuzzy", "x"),
        ("default", "[x"),
    ]
    .into_iter()
    .map(|(mode, config)| ResolverConfig::parse(mode, config).unwrap_err())
    .collect();
    let texts: Vec<String> = bad.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "the resolver's configuration is empty",
            "a search needs at least one field=value",
            "\"custom1\" is not field=value",
            "the field \"custom1\" has no value, which would match every workspace",
            "the field \"A\" stands twice",
            "\"[x]=1\" is not field=value",
            "\"fuzzy\" is not a resolver mode (default, search or pinned)",
            "at character 3 of \"[x\": expected \".\", \"|\" or \"]\"",
        ]
    );
    for (name, safe) in [("a/b", "a-b"), (" . ", "_"), ("Harrow: v. Teal?", "Harrow- v. Teal_"), ("x\n", "x")]
    {
        assert_eq!(folder_name(name), safe);
    }
}
