use proptest::prelude::*;

use super::*;

/// The things as texts: `d`, `c` or `?`, the id, and the version.
fn said(vendor: Vendor, parameters: &[(&str, &str)]) -> Vec<String> {
    let found = recognise(vendor, parameters.iter().copied());
    let sign = |sort| match sort {
        Sort::Document => "d",
        Sort::Container => "c",
        Sort::Either => "?",
    };
    found
        .things
        .iter()
        .map(|it| {
            format!(
                "{} {}{}",
                sign(it.sort),
                it.id,
                it.version.as_ref().map_or(String::new(), |v| format!(" v{v}"))
            )
        })
        .collect()
}

#[test]
fn ids_are_recognised_by_their_shape() {
    use Vendor::{Highq, Imanage, Netdocuments};
    type Case<'a> = (Vendor, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let table: &[Case<'_>] = &[
        // iManage: documents have a version, containers none.
        (Imanage, &[("doc", "ACTIVE!4711.2")], &["d ACTIVE!4711.2 v2"]),
        (Imanage, &[("doc", "ACTIVE!4711")], &["d ACTIVE!4711"]),
        (Imanage, &[("folder", "ACTIVE!987")], &["c ACTIVE!987"]),
        (Imanage, &[("x", "ACTIVE!987")], &["? ACTIVE!987"]),
        (Imanage, &[("folder", "ACTIVE!987.1")], &["d ACTIVE!987.1 v1"]),
        (
            Imanage,
            &[("ids", "A!1.1,B-US!2.1;C_3!3.1|D!4")],
            &["d A!1.1 v1", "d B-US!2.1 v1", "d C_3!3.1 v1", "d D!4"],
        ),
        (Imanage, &[("doc", "A!1.1"), ("doc", "a!1.1"), ("x", "A!1.1")], &["d A!1.1 v1"]),
        (Imanage, &[("u", "https://work.example/work/link/d/ACTIVE!7.1")], &["d ACTIVE!7.1 v1"]),
        (Imanage, &[("u", "https%3A%2F%2Fwork.example%2Fwork%2Flink%2Ff%2FACTIVE%21987")], &["c ACTIVE!987"]),
        (Imanage, &[("u", "https%253A%252F%252Fx%252Flink%252Fw%252FACTIVE%2521987")], &["c ACTIVE!987"]),
        (Imanage, &[("u", "iwl:dms=h.example&&lib=Active&&num=4711&&ver=3")], &["d Active!4711.3 v3"]),
        (Imanage, &[("u", "!nrtdms:0:!session:h:!database:ACTIVE:!document:55,2:")], &["d ACTIVE!55.2 v2"]),
        (
            Imanage,
            &[("context", r#"{"documents":[{"docId":"A!1.1"},{"docId":"A!2.1"}],"folder":"A!9"}"#)],
            &["d A!1.1 v1", "d A!2.1 v1", "c A!9"],
        ),
        (
            Imanage,
            &[("doc", "A!1.1.1"), ("doc", "A!1!2"), ("doc", "!1"), ("doc", "A!x"), ("doc", "A/../B")],
            &[],
        ),
        (Imanage, &[("doc", "ACTIVE!1<script>")], &["d ACTIVE!1"]),
        (Imanage, &[("doc", "ACTIVE!1234567890123456789012")], &[]),
        // NetDocuments: twelve digits say nothing of what they are, the inner form does.
        (Netdocuments, &[("doc", "4812-3456-7890")], &["d 4812-3456-7890"]),
        (Netdocuments, &[("ws", "4812-3456-7890")], &["c 4812-3456-7890"]),
        (
            Netdocuments,
            &[("docids", "4812-3456-7890|4812-3456-7891")],
            &["d 4812-3456-7890", "d 4812-3456-7891"],
        ),
        (Netdocuments, &[("q", "4812-3456-7890")], &["? 4812-3456-7890"]),
        (
            Netdocuments,
            &[("q", ":Q24:o:9:m:6:^W231005101112345.nev")],
            &["c :Q24:o:9:m:6:^W231005101112345.nev"],
        ),
        (
            Netdocuments,
            &[("q", ":Q24:a:b:c:d:~231005101112345.nev")],
            &["d :Q24:a:b:c:d:~231005101112345.nev"],
        ),
        (
            Netdocuments,
            &[("u", "https://vault.example/neWeb2/goid.aspx?id=4812-3456-7890&open=Y")],
            &["? 4812-3456-7890"],
        ),
        (
            Netdocuments,
            &[("u", "https%3A%2F%2Fvault.example%2FQ24%2Fo%2F9%2Fm%2F6%2F%5EF231005101112345.nev")],
            &["c :Q24:o:9:m:6:^F231005101112345.nev"],
        ),
        (
            Netdocuments,
            &[
                ("d", "14812-3456-7890"),
                ("d", "4812-3456-78901"),
                ("d", "4812-3456-7890-1"),
                ("d", "NG-1A2B3C4D"),
                ("d", "481234567890"),
            ],
            &[],
        ),
        // HighQ: a number is what its name says.
        (Highq, &[("doc", "868")], &["d 868"]),
        (Highq, &[("doc", "868,869;870|871")], &["d 868", "d 869", "d 870", "d 871"]),
        (Highq, &[("folder", "345"), ("f", "346")], &["c folder:345", "c folder:346"]),
        (
            Highq,
            &[("metaData.siteID", "12"), ("metaData.parentFolderID", "345"), ("metaData.documentID", "868")],
            &["c site:12", "c folder:345", "d 868"],
        ),
        (
            Highq,
            &[("u", "https://h.example/documentHome.action?metaData.siteID=12&metaData.parentFolderID=345")],
            &["c site:12", "c folder:345"],
        ),
        (Highq, &[("u", "docid_868 docid_869")], &["d 868", "d 869"]),
        (
            Highq,
            &[("body", r#"{"contentID":868,"parentFolderId":345,"workflowId":9}"#)],
            &["d 868", "c folder:345"],
        ),
        (Highq, &[("folder", "folder:345"), ("x", "site:12")], &["c folder:345", "c site:12"]),
        (Highq, &[("id", "868")], &["? 868"]),
        (
            Highq,
            &[
                ("t", "1764259200"),
                ("userId", "868"),
                ("versionid", "3"),
                ("doc", "0868"),
                ("doc", "-1"),
                ("doc", "1e5"),
                ("doc", "12345678901234567890"),
            ],
            &[],
        ),
    ];
    for (vendor, parameters, wanted) in table {
        assert_eq!(said(*vendor, parameters), *wanted, "{vendor:?} {parameters:?}");
    }
}

#[test]
fn what_is_meant_depends_on_what_is_wanted() {
    let page =
        [("metaData.siteID", "12"), ("metaData.parentFolderID", "345"), ("metaData.documentID", "868")];
    let wanted = |purpose| recognise(Vendor::Highq, page).wanted(purpose);
    let ids = |things: Vec<Handed>| things.into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(wanted(Purpose::SendTo)), ["868"]);
    assert_eq!(ids(wanted(Purpose::Launch)), ["folder:345"]);
    let site = recognise(Vendor::Highq, [("site", "12")]).wanted(Purpose::Launch);
    assert_eq!(ids(site), ["site:12"]);
    assert_eq!(recognise(Vendor::Highq, [("x", "y")]).wanted(Purpose::SendTo), []);
}

#[test]
fn an_id_is_asked_for_as_what_it_may_be() {
    let table = [
        (Vendor::Imanage, Handed::new("A!7", Sort::Either), Some("A!7.1"), Some("A!7")),
        (Vendor::Imanage, Handed::new("A!7", Sort::Container), None, Some("A!7")),
        (
            Vendor::Netdocuments,
            Handed::new("4812-3456-7890", Sort::Either),
            Some("4812-3456-7890"),
            Some("4812-3456-7890"),
        ),
        (Vendor::Highq, Handed::new("7", Sort::Either), Some("7"), Some("folder:7")),
        (Vendor::Highq, Handed::new("7", Sort::Document), Some("7"), None),
    ];
    for (vendor, thing, document, container) in table {
        assert_eq!(thing.as_document(vendor).as_deref(), document, "{thing:?}");
        assert_eq!(thing.as_container(vendor).as_deref(), container, "{thing:?}");
    }
}

#[test]
fn strangers_are_named_and_there_is_an_end_to_everything() {
    let many: Vec<String> = (1..=50).map(|n| format!("A!{n}.1")).collect();
    let found = recognise(Vendor::Imanage, [("user\n", "MPATEL"), ("doc", many.join(",").as_str())]);
    assert_eq!((found.things.len(), found.more), (MOST, true));
    assert_eq!(found.strangers, ["user"], "without its line end, and without its value");
    let names: Vec<String> = (0..500).map(|n| format!("p{n}{}", "x".repeat(500))).collect();
    let found = recognise(Vendor::Imanage, names.iter().map(|name| (name.as_str(), "?")));
    assert_eq!(found.strangers.len(), MOST_STRANGERS);
    assert!(found.strangers.iter().all(|name| name.len() <= 60));
    let long = format!("{}ä A!1.1", "ä".repeat(MOST_BYTES));
    assert_eq!(recognise(Vendor::Imanage, [("doc", long.as_str())]).things, []);
}

fn vendors() -> impl Strategy<Value = Vendor> {
    prop_oneof![Just(Vendor::Imanage), Just(Vendor::Netdocuments), Just(Vendor::Highq)]
}

/// An address's parameters, as a server reads them.
fn read(address: &str) -> Vec<(String, String)> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8().unwrap().into_owned()))
        .collect()
}

proptest! {
    /// Whatever comes: no panic, bounds hold, and the page's own address says the same again.
    #[test]
    fn anything_is_read_and_written_anew(
        vendor in vendors(),
        parameters in prop::collection::vec(("[a-zA-Z.]{0,12}", ".{0,80}"), 0..8),
        ids in prop::collection::vec(prop_oneof![
            "[A-Z]{1,5}![0-9]{1,6}(\\.[0-9])?", "[0-9]{4}-[0-9]{4}-[0-9]{4}", "[1-9][0-9]{0,7}",
            ":Q24:a:b:c:d:[~^][WF]?[0-9]{15}\\.nev",
        ], 0..30),
        name in "(doc|folder|id|site|x)",
    ) {
        let joined = ids.join(",");
        let all = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([(name.as_str(), joined.as_str())]);
        let found = recognise(vendor, all);
        prop_assert!(found.things.len() <= MOST);
        let address = address(Purpose::SendTo, "dms", &found.things);
        prop_assert!(address.bytes().all(|b| (0x21..0x7f).contains(&b)), "{address}");
        let pairs = read(&address);
        let again = recognise(vendor, pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let sorted = |mut things: Vec<Handed>| { things.sort_by(|a, b| (a.sort, &a.id).cmp(&(b.sort, &b.id))); things };
        prop_assert_eq!(sorted(again.things), sorted(found.things));
    }
}
