use super::*;
use crate::repository::parse_folder_path;
use crate::target::{SaveMode, WhenAmbiguous};

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
        create_workspace: false,
        required: None,
        blocked: BlockList::default(),
        save_mode: SaveMode::Copy,
        duplicate: DuplicateRule::Skip,
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
        zone: TimeZone::UTC,
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
    use crate::repository::ResolverError as E;
    use crate::tag::escape::folder_name;
    let bad: Vec<E> = [
        ("default", ""),
        ("search", " , "),
        ("search", "custom1"),
        ("search", "custom1="),
        ("search", "a=1,A=2"),
        ("search", "[x]=1"),
        ("fuzzy", "x"),
        ("origin", "x"),
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
            "\"fuzzy\" is not a resolver mode (default, search, pinned or origin)",
            "the resolver \"origin\" takes no configuration: the work item says where it was started from",
            "at character 3 of \"[x\": expected \".\", \"|\" or \"]\"",
        ]
    );
    for (name, safe) in [("a/b", "a-b"), (" . ", "_"), ("Harrow: v. Teal?", "Harrow- v. Teal_"), ("x\n", "x")]
    {
        assert_eq!(folder_name(name), safe);
    }
}

#[test]
fn the_trace_says_which_work_type_gave_the_repository() {
    let rules = rules();
    for (work_type, by) in [
        ("matter/litigation/high-court", Some("matter")),
        ("matter", Some("matter")),
        ("matter/crime/fraud", Some("matter/crime")),
        ("instruction", None),
    ] {
        let served = rules.served(Area::MatterDocuments, work_type).unwrap();
        assert_eq!(served.by, by, "{work_type}");
    }
    let planned = rules.plan("0007", Some(&matter()), "matter_documents", 1);
    assert!(planned.trace[1].ends_with("from the work type matter"), "{:?}", planned.trace);
    let named = |name: &str| {
        let name = name.parse().unwrap();
        rules.plan_in("0007", Some(&matter()), "matter_documents", Some(&name), 1).plan
    };
    assert_eq!(named("crime").unwrap().target.workspace, WorkspaceQuery::Pinned("ACTIVE!1".into()));
    assert_eq!(named("none").unwrap_err().code, "no_repository");
}

#[test]
fn the_origin_is_the_place_the_work_item_was_started_from() {
    let repository =
        repository("back", Area::MatterDocuments, None, "origin", "", "Out/[workitem.reference]");
    let origin = |service: &str| {
        Some(crate::work_item::Origin {
            service: service.parse().unwrap(),
            library: "OTHER".into(),
            container: "OTHER!77".into(),
        })
    };
    let target = |item: WorkItem| target(&repository, &item, &TimeZone::UTC);
    let found = target(WorkItem { origin: origin("dms-eu"), ..matter() }).unwrap();
    assert_eq!(found.workspace, WorkspaceQuery::Pinned("OTHER!77".into()));
    assert_eq!(
        (found.library.as_str(), found.folder.as_slice()),
        ("OTHER", ["Out".into(), "0007".into()].as_slice())
    );
    assert_eq!(target(matter()).unwrap_err().code, "no_origin");
    assert_eq!(
        target(WorkItem { origin: origin("dms-us"), ..matter() }).unwrap_err().code,
        "origin_elsewhere"
    );
}

#[test]
fn required_profile_attributes_are_named_before_anything_is_sent() {
    let profile = |required: Option<&[&str]>| {
        let texts = [
            ("class", "LETTER"),
            ("court", "[workitem.attributes.court]"),
            ("judge", "[workitem.attributes.judge]"),
            ("phase", "[workitem.phase|default:\"\"]"),
            ("blank", "[workitem.roles.judge.name]"),
        ];
        let mut repository = repository("r", Area::MatterDocuments, None, "default", "x", "");
        repository.profile = texts.iter().map(|(k, v)| ((*k).to_owned(), v.parse().unwrap())).collect();
        repository.profile.remove("judge");
        repository.required = required.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        target(&repository, &matter(), &TimeZone::UTC).map(|target| target.profile)
    };
    // What the settings require; what is named as missing, or which attributes are set.
    let table: &[(Option<&[&str]>, Result<&[&str], &[&str]>)] = &[
        (None, Err(&["court", "blank"])),
        (Some(&[]), Ok(&["class", "phase"])),
        (Some(&["class"]), Ok(&["class", "phase"])),
        (Some(&["class", "court"]), Err(&["court"])),
        (Some(&["phase"]), Err(&["phase"])),
        (Some(&["blank", "court", "phase"]), Err(&["blank", "court", "phase"])),
    ];
    for (required, wanted) in table {
        match (profile(*required), wanted) {
            (Ok(set), Ok(wanted)) => assert_eq!(set.keys().collect::<Vec<_>>(), *wanted, "{required:?}"),
            (Err(needs), Err(wanted)) => {
                assert_eq!(needs.code, "profile_missing");
                for field in ["class", "court", "phase", "blank"] {
                    assert_eq!(
                        needs.text.contains(&format!("{field} (")),
                        wanted.contains(&field),
                        "{}",
                        needs.text
                    );
                }
            }
            (got, wanted) => panic!("{required:?}: {got:?}, not {wanted:?}"),
        }
    }
}

#[test]
fn what_is_wrong_whatever_the_work_item_is_told_by_its_key() {
    let base =
        || repository("r", Area::MatterDocuments, None, "search", "custom1=[workitem.client.reference]", "");
    let first = |area| Repository { area, when_ambiguous: WhenAmbiguous::FirstMatch, ..base() };
    let resolver = |mode: &str, config: &str| ResolverConfig::parse(mode, config).unwrap();
    let title = || resolver("default", "[workitem.title]");
    let profile = BTreeMap::from([("class".to_owned(), "[workitem.nonsense]".parse().unwrap())]);
    let required = Some(["class".to_owned(), "subclass".to_owned()].into());
    let table: Vec<(Repository, &[&str])> = vec![
        (base(), &[]),
        (first(Area::DocumentTemplates), &[]),
        (first(Area::InboundEmail), &[]),
        (first(Area::MatterDocuments), &["when_ambiguous"]),
        (first(Area::Scanning), &["when_ambiguous"]),
        (first(Area::ClientDocuments), &["when_ambiguous"]),
        (Repository { create_workspace: true, ..base() }, &[]),
        (Repository { create_workspace: true, resolver: title(), ..base() }, &["create_workspace"]),
        (Repository { resolver: resolver("default", "[matter.title]"), ..base() }, &["resolver_config"]),
        (
            Repository { resolver: resolver("search", "a=[workitem.x],b=[workitem.y]"), ..base() },
            &["resolver_config", "resolver_config"],
        ),
        (Repository { folder: parse_folder_path("a/[workitem.client]").unwrap(), ..base() }, &["folder"]),
        (Repository { profile: profile.clone(), ..base() }, &["profile.class"]),
        (Repository { profile, required, ..base() }, &["profile.class", "required"]),
    ];
    for (repository, wanted) in table {
        let mistakes = repository.mistakes();
        let keys: Vec<&str> = mistakes.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, wanted, "{mistakes:?}");
    }
}
