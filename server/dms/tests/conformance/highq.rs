//! What is HighQ's own: both formats, sign-in, sites that serve nothing, versions, people, what an upload answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom_dms::Connector as _;
use postroom_dms::doctor::Level::{Bad, Good, Warning};
use postroom_dms::highq::{Auth, HighQ};
use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Dms, DmsError, Found, Made as MadeUser, NewUser, RetryAfter, Thing};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{Access, AccessError, AccessTokens, Rights, Whose};
use postroom_domain::person::{Actor, Credential};
use postroom_domain::target::WorkspaceQuery;
use postroom_sims::highq::{
    APP, Action, CORRESPONDENCE, Duplicate, Fire, Flaw, HARROW, Level, Organisation, Rule, SMART, SiteStatus,
    Throttle, UploadAnswer,
};

use crate::content::Made;
use crate::world::{World, actor, ask, ask_onto, fetch, send, send_onto, send_with};
use crate::worlds::highq::{FOLDER, SERVICE, Simulated, settings};

fn fields(pairs: &[(&str, &str)]) -> WorkspaceQuery {
    WorkspaceQuery::Fields(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_carries_its_keys_and_costs_one_call() {
    let world = Simulated::new();
    let profile = [("Reference", "HT/17"), ("Pages", "12"), ("Kind", "Contract"), ("Received", "2026-11-23")];
    let profile = BTreeMap::from(profile.map(|(k, v)| (k.to_owned(), v.to_owned())));
    let (result, _) =
        send_with(&world.dms, FOLDER, "Brief an Müller.docx", 1, &Made::new(10, 1), &profile).await;
    let receipt = result.unwrap();
    let entry = world.control.ledger().remove(0);
    let mark = crate::world::mark(1).to_string();
    assert_eq!((entry.name.as_str(), entry.mark.as_str()), ("Brief an Müller.docx", mark.as_str()));
    assert_eq!(
        (entry.folder, entry.user.as_str(), entry.client.as_str()),
        (CORRESPONDENCE, SERVICE, "postroom")
    );
    assert_eq!(entry.dms["dmsdatabasename"], "postroom");
    assert_eq!(entry.dms["dmseditdate"], "2026-11-23T09:00:00.000+0000");
    assert_eq!(entry.note, mark);
    let record: Vec<String> = entry.record.values().map(ToString::to_string).collect();
    let wanted = [
        r#"{"value":"HT/17"}"#,
        r#"{"value":"12"}"#,
        r#"{"choices":{"choice":[{"id":"2"}]}}"#,
        r#"{"date":"23/11/2026"}"#,
    ];
    assert_eq!(record, wanted);
    let told = world.dms.document(&actor(), "", &receipt.document).await.unwrap();
    for (key, value) in &profile {
        assert_eq!(told.fields.get(key), Some(value), "{key}");
    }
    assert_eq!((told.workspace.as_deref(), told.container.as_deref()), (Some("site:101"), Some(FOLDER)));
    let link = format!(
        "{}/documentHome.action?metaData.siteID=101&metaData.parentFolderID=1011&metaData.documentID={}",
        world.sim.url(),
        receipt.document
    );
    assert_eq!(receipt.link.as_ref(), Some(&link));
    assert_eq!(world.dms.permalink(Thing::Document(&receipt.document)), Some(link));

    // Once the folder is known an upload is one call.
    let before = world.all_calls();
    send(&world.dms, FOLDER, "second.pdf", 2, &Made::new(10, 1)).await.0.unwrap();
    assert_eq!(world.all_calls() - before, 1);

    // A field that cannot be set is noticed before a byte has left.
    for (field, value) in
        [("Colour", "red"), ("Kind", "Poem"), ("Received", "23.11.2026"), ("Reference", &"x".repeat(256))]
    {
        let profile = BTreeMap::from([(field.to_owned(), value.to_owned())]);
        let (result, sent) =
            send_with(&world.dms, FOLDER, "letter.pdf", 3, &Made::new(10, 1), &profile).await;
        let error = result.unwrap_err();
        assert!(
            matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == field),
            "{field}: {error:?}"
        );
        assert_eq!(sent, 0, "{field}");
    }
    // One that HighQ refuses after the upload leaves the document filed.
    world.fault("put_item", Action::Status { status: 500, headers: BTreeMap::new(), body: None });
    let profile = BTreeMap::from([("Reference".to_owned(), "x".to_owned())]);
    send_with(&world.dms, FOLDER, "third.pdf", 4, &Made::new(10, 1), &profile).await.0.unwrap();
    assert_eq!(world.control.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_and_all_shapes_come_to_the_same() {
    for format in ["json", "xml"] {
        for (collapse, cdata, texts, extensions) in
            [(true, true, true, false), (false, false, false, true), (true, false, false, false)]
        {
            let world = Simulated::with(&format!("format = \"{format}\""));
            world.control.update_switches(|switches| {
                switches.collapse = collapse;
                switches.cdata = cdata;
                switches.numbers_as_text = texts;
                switches.names_with_extension = extensions;
            });
            let case = format!("{format} {collapse} {cdata} {texts} {extensions}");
            let found = world.dms.find_workspaces(&actor(), "", &fields(&[("clientno", "C-100")]), 5).await;
            assert_eq!(found.unwrap()[0].id, "site:12", "{case}");
            let receipt =
                send(&world.dms, FOLDER, "Ärger & <Streit>.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
            let listed = world.dms.documents(&actor(), "", FOLDER, None).await.unwrap();
            assert_eq!(listed.items.len(), 1, "{case}: a list of one");
            assert_eq!(listed.items[0].name, world.dms.safe_name("Ärger & <Streit>.pdf"), "{case}");
            assert_eq!(listed.items[0].id, receipt.document, "{case}");
            let made = world.dms.create_folder(&actor(), "", FOLDER, "Fußnoten & mehr").await.unwrap();
            let folders = world.dms.folders(&actor(), "", FOLDER, None).await.unwrap();
            assert_eq!(folders.items.iter().map(|it| &it.id).collect::<Vec<_>>(), [&made.id], "{case}");
            assert_eq!(folders.items[0].name, "Fußnoten & mehr", "{case}");
            assert!(matches!(ask(&world.dms, FOLDER, "x.pdf", 1).await.unwrap(), Found::Yes(_)), "{case}");
            assert_eq!(fetch(&world.dms, &receipt.document, None).await.unwrap().1, 10, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_upload_answers_the_document_is_told_or_the_outcome_is_not_known() {
    let answers = [
        UploadAnswer::File,
        UploadAnswer::Wrapped,
        UploadAnswer::DocumentId,
        UploadAnswer::Message,
        UploadAnswer::Empty,
    ];
    for listing in [true, false] {
        for block in ["dms", ""] {
            for (n, answer) in answers.into_iter().enumerate() {
                let world = Simulated::new();
                world.control.update_switches(|switches| {
                    switches.upload_answer = answer;
                    switches.upload_status = if n % 2 == 0 { 200 } else { 201 };
                    switches.listing_dms = listing;
                    block.clone_into(&mut switches.dms_block);
                });
                send(&world.dms, FOLDER, "letter.pdf", 0, &Made::new(5, 1)).await.0.unwrap();
                let receipt = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0;
                let receipt = receipt.unwrap_or_else(|e| panic!("{answer:?} {listing} {block}: {e}"));
                let held = world.control.ledger();
                let ours = held.iter().find(|it| it.mark == crate::world::mark(1).to_string()).unwrap();
                assert_eq!(receipt.document, ours.file.to_string(), "{answer:?} {listing} {block}");
                assert_eq!((receipt.size, held.len()), (Some(10), 2), "{answer:?} {listing} {block}");
            }
        }
    }
    // An id of something else is noticed where files are read back; it is never believed without the mark.
    let world = Simulated::with("read_back = true");
    world.fault("upload", Action::Flaw { flaw: Flaw::WrongId {} });
    let receipt = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    assert_eq!(receipt.document, world.held()[0].id);
    for flaw in [Flaw::WrongSize { delta: 1 }, Flaw::WrongSize { delta: -1 }] {
        world.control.clear_faults();
        world.fault("upload", Action::Flaw { flaw });
        let error = send(&world.dms, FOLDER, "letter.pdf", 2, &Made::new(10, 1)).await.0.unwrap_err();
        assert_eq!(error.trouble().cause, Cause::WrongCopy, "{error:?}");
    }
    world.control.clear_faults();
    world.fault("upload", Action::Html {});
    let error = send(&world.dms, FOLDER, "letter.pdf", 3, &Made::new(10, 1)).await.0.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::LoginPage, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_names_are_numbered_where_the_instance_takes_them_otherwise() {
    // Left to the instance: a refusal is told, and nothing is sent again.
    let world = Simulated::new();
    world.control.update_switches(|switches| switches.duplicate = Duplicate::Refuse);
    send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let error = send(&world.dms, FOLDER, "letter.pdf", 2, &Made::new(10, 2)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::Conflict { .. }), "{error:?}");
    assert_eq!((world.calls("upload"), world.control.count()), (2, 1));

    for duplicate in [Duplicate::Refuse, Duplicate::Version, Duplicate::Keep] {
        let world = Simulated::with("equal_names = \"number\"");
        world.control.update_switches(|switches| switches.duplicate = duplicate);
        let contents: Vec<Made> = (0..8).map(|n| Made::new(1_000, n)).collect();
        let uploads =
            contents.iter().enumerate().map(|(n, it)| send(&world.dms, FOLDER, "letter.pdf", n as u128, it));
        for (result, _) in futures_util::future::join_all(uploads).await {
            result.unwrap();
        }
        let mut names: Vec<String> = world.held().into_iter().map(|it| it.name).collect();
        names.sort();
        let mut wanted: Vec<String> = (2..=8).map(|n| format!("letter ({n}).pdf")).collect();
        wanted.push("letter.pdf".to_owned());
        wanted.sort();
        assert_eq!(names, wanted, "{duplicate:?}");
        assert_eq!(world.control.count(), 8, "{duplicate:?}: none became a version of another");
    }
    // One that became a version of another file is found by its mark all the same, and the other's mark too.
    let world = Simulated::new();
    world.control.update_switches(|switches| switches.duplicate = Duplicate::Version);
    for n in 1..=2 {
        send(&world.dms, FOLDER, "letter.pdf", n, &Made::new(10, 1)).await.0.unwrap();
    }
    for n in 1..=2_u128 {
        let found = ask(&world.dms, FOLDER, "letter.pdf", n).await.unwrap();
        assert!(matches!(&found, Found::Yes(it) if it.version == Some(n.to_string())), "{n}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_never_says_no_when_it_has_not_seen_all() {
    let world = Simulated::with("probe_reads = 3");
    world.control.update_switches(|switches| switches.listing_dms = false);
    for n in 0..4 {
        send(&world.dms, FOLDER, "letter.pdf", n, &Made::new(1, 1)).await.0.unwrap();
    }
    let error = ask(&world.dms, FOLDER, "letter.pdf", 99).await.unwrap_err();
    assert!(matches!(error, DmsError::UnknownOutcome(_)), "{error:?}");
    assert_eq!(ask(&world.dms, FOLDER, "other.pdf", 99).await.unwrap(), Found::No);
    for page in [1, 2, 100] {
        let pages = world.another(&format!("probe_page = {page}\nlisting_has_marks = true"));
        world.control.update_switches(|switches| switches.listing_dms = true);
        for n in 0..4 {
            let found = ask(&pages, FOLDER, "letter.pdf", n).await.unwrap();
            assert!(matches!(found, Found::Yes(_)), "{page} {n}: {found:?}");
        }
        assert_eq!(ask(&pages, FOLDER, "letter.pdf", 99).await.unwrap(), Found::No, "{page}");
    }
    // A person's own version on top takes our key away; the note of ours still tells.
    let first = send(&world.dms, FOLDER, "draft.docx", 50, &Made::new(10, 1)).await.0.unwrap();
    send_onto(&world.dms, FOLDER, &first.document, "draft.docx", 51, &Made::new(11, 1)).await.0.unwrap();
    for (n, version) in [(50, "1"), (51, "2")] {
        let found = ask(&world.dms, FOLDER, "draft.docx", n).await.unwrap();
        assert!(matches!(&found, Found::Yes(it) if it.version.as_deref() == Some(version)), "{n}: {found:?}");
    }
    assert_eq!(ask_onto(&world.dms, FOLDER, &first.document, "draft.docx", 52).await.unwrap(), Found::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_the_mark() {
    let world = Simulated::new();
    world.control.update_switches(|switches| switches.drop_after_upload = true);
    let error = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(100_000, 1)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::UnknownOutcome(_)), "{error:?}");
    assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::Yes(_)));
    assert_eq!((world.calls("upload"), world.control.count()), (1, 1));
    for status in [500, 502, 503, 504] {
        world.control.clear_faults();
        world.control.update_switches(|switches| switches.drop_after_upload = false);
        world.fault("upload", Action::CommitThenStatus { status });
        let n = 10 + u128::from(status);
        let error = send(&world.dms, FOLDER, "letter.pdf", n, &Made::new(10, 1)).await.0.unwrap_err();
        assert!(matches!(error, DmsError::UnknownOutcome(_)), "{status}: {error:?}");
        assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", n).await.unwrap(), Found::Yes(_)), "{status}");
    }
    // Cut in the middle of its answer.
    world.control.clear_faults();
    world.fault("upload", Action::CutAnswer { after: 5 });
    let error = send(&world.dms, FOLDER, "letter.pdf", 99, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::UnknownOutcome(_)), "{error:?}");
    assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 99).await.unwrap(), Found::Yes(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_access_denied_means_is_found_out() {
    let world = Simulated::new();
    let content = Made::new(10, 1);
    // A smart folder is not offered, and says what it is when something is sent to it.
    let folders = world.dms.folders(&actor(), "", "site:101", None).await.unwrap();
    let names: Vec<&str> = folders.items.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Correspondence", "Pleadings"]);
    let smart = format!("folder:{SMART}");
    let error = send(&world.dms, &smart, "letter.pdf", 1, &content).await.0.unwrap_err();
    assert!(matches!(error, DmsError::Forbidden(_)), "{error:?}");
    assert_eq!(error.trouble().status, Some(403));
    assert!(error.trouble().request_id.as_ref().is_some_and(|id| id.starts_with("ref 130")), "{error:?}");

    // A site with a password is a fault of the settings, but other sites work, so its cause is this filing's own.
    for error in [
        send(&world.dms, "folder:1061", "letter.pdf", 1, &content).await.0.unwrap_err(),
        world.dms.documents(&actor(), "", "site:106", None).await.unwrap_err(),
    ] {
        assert!(matches!(error, DmsError::Misconfigured(_)), "{error:?}");
        assert_eq!(error.trouble().cause, Cause::NoRight, "{error:?}");
        assert!(error.to_string().contains("Sealed bid"), "{error}");
    }

    // An archived site is closed whatever words the instance has for it.
    for (status, summary) in [(403, "The site is archived"), (403, "Access denied"), (409, "Site closed")] {
        world.control.update_switches(|switches| {
            switches.closed_status = status;
            summary.clone_into(&mut switches.closed_summary);
        });
        for closed in ["folder:1031", "folder:1071", "site:103"] {
            let error = send(&world.dms, closed, "letter.pdf", 1, &content).await.0.unwrap_err();
            assert_eq!(error.trouble().cause, Cause::TargetClosed, "{status} {summary} {closed}: {error:?}");
        }
    }
    assert_eq!(world.held(), []);

    // What is hidden may be denied rather than absent.
    world.control.update_switches(|switches| switches.hidden_status = 403);
    let level = Level::None;
    world.control.change(&Flaw::SetLevel { site: HARROW, person: SERVICE.to_owned(), level });
    let error = send(&world.dms, FOLDER, "letter.pdf", 1, &content).await.0.unwrap_err();
    assert!(matches!(error, DmsError::Forbidden(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_of_sites_is_read_again_when_it_is_old_or_does_not_know() {
    let world = Simulated::with("index_seconds = 3600\nindex_miss_seconds = 60");
    let find = async |matter: &str| {
        let query = fields(&[("clientno", "10442"), ("matterno", matter)]);
        let found = world.dms.find_workspaces(&actor(), "", &query, 5).await.unwrap();
        found.into_iter().map(|it| (it.id, it.open)).collect::<Vec<_>>()
    };
    assert_eq!(find("0007").await, [("site:101".to_owned(), true)]);
    let lists = world.calls("sites");
    assert_eq!(lists, 4, "a list for each state");
    assert_eq!(find("0007").await.len(), 1);
    assert_eq!(find("no such matter").await, []);
    assert_eq!(world.calls("sites"), lists, "nothing is read again while it is young");

    // A site that was made since is found as soon as the index may be read again.
    world.control.update_site(102, |site| site.matter = "0500".to_owned());
    assert_eq!(find("0500").await, []);
    world.advance(Duration::from_secs(61));
    assert_eq!(find("0500").await, [("site:102".to_owned(), true)]);
    assert_eq!(find("0099").await, [], "the number it had is nobody's now");

    // What an older index tells is asked again: closed, renumbered, gone.
    world.advance(Duration::from_secs(61));
    world.control.change(&Flaw::SetStatus { site: HARROW, status: SiteStatus::Archived });
    assert_eq!(find("0007").await, [("site:101".to_owned(), false)]);
    world.advance(Duration::from_secs(61));
    world.control.update_site(HARROW, |site| site.matter = "0008".to_owned());
    assert_eq!(find("0007").await, []);
    assert_eq!(find("0008").await, [("site:101".to_owned(), false)]);

    // A state that the account may not list is left out, but for the first one.
    let world = Simulated::new();
    let refuse = Action::Status { status: 403, headers: BTreeMap::new(), body: None };
    world.control.add_fault(Rule::on("sites", refuse).fire(Fire::Nth(2)));
    let query = fields(&[("matterno", "0007")]);
    assert_eq!(world.dms.find_workspaces(&actor(), "", &query, 5).await.unwrap().len(), 1);
    // In one site only, where a target names it.
    assert_eq!(world.dms.find_workspaces(&actor(), "101", &query, 5).await.unwrap().len(), 1);
    assert_eq!(world.dms.find_workspaces(&actor(), "12", &query, 5).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_is_renewed_written_down_and_its_loss_told() {
    let world = Simulated::new();
    let first = std::fs::read_to_string(&world.token_file).unwrap();
    assert_eq!(world.dms.whoami().await.unwrap().id, "postroom@firm.example");
    let second = std::fs::read_to_string(&world.token_file).unwrap();
    assert_ne!(first, second, "each refresh gives a new pair");
    // Ahead of its end by our clock, and at once when it ends earlier.
    world.advance(Duration::from_secs(17_000));
    send(&world.dms, FOLDER, "a.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    assert_eq!(world.calls("token"), 2);
    world.control.expire_access_tokens();
    world.dms.whoami().await.unwrap();
    assert_eq!(world.calls("token"), 3);
    // In the middle of an upload: nothing is sent twice, and the sign-in is fresh for the next try.
    world.control.expire_access_tokens();
    let error = send(&world.dms, FOLDER, "b.pdf", 2, &Made::new(200_000, 1)).await.0.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::SessionGone, "{error:?}");
    assert_eq!((world.calls("upload"), world.calls("token")), (2, 4));
    send(&world.dms, FOLDER, "b.pdf", 2, &Made::new(10, 1)).await.0.unwrap();
    // Many at once renew once.
    world.control.expire_access_tokens();
    let asks = (0..20).map(|_| world.dms.whoami());
    for result in futures_util::future::join_all(asks).await {
        result.unwrap();
    }
    assert_eq!((world.calls("token"), world.control.stats().tokens.stale_refresh_uses), (5, 0));
    world.control.revoke_all();
    let error = world.dms.whoami().await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::LinkBroken, "{error:?}");
    assert!(!format!("{error:?}").contains(second.trim()), "no token in an error");

    // Another status means that a token has run out, where the settings say so; 403 never does.
    let world = Simulated::with("expired_status = 419");
    world.control.update_switches(|switches| switches.expired_status = 419);
    world.dms.whoami().await.unwrap();
    world.control.expire_access_tokens();
    world.dms.whoami().await.unwrap();
    let world = Simulated::new();
    world.fault("sites", Action::Status { status: 403, headers: BTreeMap::new(), body: None });
    let error = world.dms.whoami().await.unwrap_err();
    assert!(matches!(error, DmsError::Forbidden(_)), "{error:?}");
    assert_eq!(world.calls("token"), 1, "a refusal is no reason to refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_cannot_be_written_down_is_not_lost() {
    let world = Simulated::new();
    let home = world.token_file.parent().unwrap().to_owned();
    let aside = home.with_extension("aside");
    std::fs::rename(&home, &aside).unwrap();
    let error = world.dms.whoami().await.unwrap_err();
    assert!(matches!(error, DmsError::Misconfigured(_)), "{error:?}");
    assert_eq!(world.calls("token"), 1);
    assert_eq!(world.calls("sites"), 0, "the access token that came with it is not used");
    std::fs::rename(&aside, &home).unwrap();
    world.dms.whoami().await.unwrap();
    let stats = world.control.stats().tokens;
    assert_eq!((stats.refresh_used, stats.stale_refresh_uses), (2, 0), "the new one was kept meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_tells_until_when() {
    let world = Simulated::new();
    send(&world.dms, FOLDER, "a.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    world.control.update_switches(|switches| {
        switches.throttle = Some(Throttle { calls: 1, seconds: 300, reset: true });
    });
    world.dms.whoami().await.unwrap();
    // Uploads name their source client, which has a window of its own.
    send(&world.dms, FOLDER, "b.pdf", 2, &Made::new(10, 1)).await.0.unwrap();
    let until = Some(RetryAfter::At("2026-11-23T09:05:00Z".parse().unwrap()));
    let error = world.dms.whoami().await.unwrap_err();
    assert!(matches!(&error, DmsError::Throttled { until: told, .. } if *told == until), "{error:?}");
    // The account was told to wait, so nothing more is even sent.
    let calls = world.all_calls();
    let (result, sent) = send(&world.dms, FOLDER, "c.pdf", 3, &Made::new(10, 1)).await;
    let error = result.unwrap_err();
    assert!(matches!(&error, DmsError::Throttled { until: Some(_), .. }), "{error:?}");
    assert_eq!((sent, world.all_calls(), world.control.count()), (0, calls, 2));
    let another = world.another("");
    world.control.update_switches(|switches| {
        switches.throttle = Some(Throttle { calls: 1, seconds: 300, reset: false });
    });
    another.whoami().await.unwrap();
    let error = another.whoami().await.unwrap_err();
    assert!(matches!(&error, DmsError::Throttled { until: None, .. }), "{error:?}");
    world.advance(Duration::from_secs(301));
    world.another("page = 50").whoami().await.unwrap();
}

fn person<'a>(email: &'a str, library: &'a str) -> NewUser<'a> {
    NewUser {
        email,
        given_name: "Carl",
        family_name: "Client & Söhne",
        external: true,
        invite: false,
        library,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_added_by_the_domain_of_their_address() {
    let world = Simulated::new();
    let add = async |email: &str| world.dms.create_user(&actor(), person(email, "101")).await;
    let made = add("carl@client.example").await.unwrap();
    let MadeUser::New(user) = &made else { panic!("{made:?}") };
    assert_eq!((user.email.as_str(), user.name.as_str()), ("carl@client.example", "Carl Client & Söhne"));
    assert_eq!(
        world.control.invited(),
        Vec::<String>::new(),
        "nobody is written to unless somebody asked for it"
    );
    let before = world.calls("add_users");
    assert!(matches!(add("CARL@client.example").await.unwrap(), MadeUser::Present(_)));
    assert_eq!(world.calls("add_users"), before, "asked for first");
    let invited = NewUser { invite: true, ..person("dora@client.example", "101") };
    world.dms.create_user(&actor(), invited).await.unwrap();
    assert_eq!(world.control.invited(), ["dora@client.example"]);

    // A domain that nobody has.
    for bad in ["eve@unknown.example", "nonsense", "@client.example", "x@y", "a@b@client.example"] {
        let error = add(bad).await.unwrap_err();
        assert!(
            matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == "email"),
            "{bad}: {error:?}"
        );
    }
    // One that two have: an administrator must settle it.
    let twin = Organisation { id: 46, name: "Client again".into(), domains: vec!["client.example".into()] };
    world.control.seed(&postroom_sims::highq::Seed { organisations: vec![twin], ..Default::default() });
    assert!(matches!(add("emil@client.example").await, Err(DmsError::Rejected { .. })));
    // Added to a site several at once, or by the instance's own choice, people take a while.
    let world = Simulated::new();
    world.control.update_switches(|switches| switches.always_progressive = true);
    let made = world.dms.create_user(&actor(), person("carl@client.example", "101")).await.unwrap();
    assert!(matches!(made, MadeUser::New(_)), "{made:?}");
    assert_eq!(world.calls("progress"), 2, "asked until it was done");
    world.control.update_switches(|switches| switches.progress_polls = 1000);
    let error = world.dms.create_user(&actor(), person("dora@client.example", "101")).await.unwrap_err();
    assert!(matches!(error, DmsError::Unavailable(_)), "{error:?}");
    assert_eq!(world.calls("progress"), 2 + 30, "but not for ever");

    // Success outside, failure inside.
    world.control.update_switches(|switches| switches.always_progressive = false);
    let body = r#"{"user":{"email":"frida@client.example","status":"Failed","statuscode":"400","message":"Licence used up"}}"#;
    let action = Action::Status { status: 200, headers: BTreeMap::new(), body: Some(body.to_owned()) };
    world.fault("add_users", action);
    let error = world.dms.create_user(&actor(), person("frida@client.example", "101")).await.unwrap_err();
    assert!(
        matches!(&error, DmsError::Rejected { message, .. } if message == "Licence used up"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_rights_tell_only_what_is_certain() {
    let world = Simulated::new();
    world.dms.whoami().await.unwrap();
    let rights = async |person: &str| world.dms.rights(&actor(), "", FOLDER, person).await.unwrap();
    assert_eq!(rights("postroom@firm.example").await, Rights::Allowed);
    assert_eq!(rights("m.patel@firm.example").await, Rights::Unknown, "HighQ tells of nobody else");
    world.forbid();
    assert_eq!(rights("postroom@firm.example").await, Rights::Denied);
    let base = world.sim.url();
    let link = |thing| world.dms.permalink(thing);
    assert_eq!(
        link(Thing::Workspace("site:12")),
        Some(format!("{base}/siteHomePage.action?metaData.siteID=12"))
    );
    assert_eq!(
        link(Thing::Folder(FOLDER)),
        Some(format!("{base}/documentHome.action?metaData.siteID=101&metaData.parentFolderID=1011"))
    );
    for unknown in [Thing::Folder("folder:77"), Thing::Document("868"), Thing::Workspace("x")] {
        assert_eq!(link(unknown), None, "{unknown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_once_and_take_their_rights_from_above() {
    let (world, actor) = (Simulated::new(), actor());
    let many = (0..6).map(|_| world.dms.create_folder(&actor, "", FOLDER, "From the client"));
    let results = futures_util::future::join_all(many).await;
    assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 1);
    assert!(results.iter().all(|it| matches!(it, Ok(_) | Err(DmsError::Conflict { .. }))), "{results:?}");
    let folders = world.control.folders();
    let made: Vec<_> = folders.iter().filter(|it| it.name == "From the client").collect();
    assert_eq!(made.len(), 1);
    assert!(made[0].inherited, "others may see it too");
    assert_eq!(made[0].dms["dmsdatabasename"], "postroom");
    // The fake takes XML only here, as HighQ does; moved and renamed folders keep their id.
    let id = made[0].id;
    world.control.change(&Flaw::MoveFolder { folder: id, to: 345 });
    world.control.change(&Flaw::RenameFolder { folder: id, name: "Renamed".to_owned() });
    let told = world.dms.container(&actor, "", &format!("folder:{id}")).await.unwrap();
    assert_eq!((told.name.as_str(), told.workspace.as_deref()), ("Renamed", Some("site:12")));
    assert_eq!(told.parent.as_deref(), Some("site:12"), "a root is its site");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_what_is_wrong() {
    let levels = |findings: &[postroom_dms::doctor::Finding]| {
        findings.iter().map(|it| (it.subject, it.level)).collect::<Vec<_>>()
    };
    let world = Simulated::new();
    let findings = world.dms.doctor().await;
    let text = findings.iter().map(|it| it.detail.as_str()).collect::<Vec<_>>().join("\n");
    let wanted = [
        ("address", Warning),
        ("sign-in", Good),
        ("account", Good),
        ("sites", Good),
        ("matters", Good),
        ("restricted sites", Warning),
        ("metadata", Warning),
    ];
    assert_eq!(levels(&findings), wanted, "{text}");
    assert!(text.contains("postroom@firm.example") && text.contains("Sealed bid (106)"), "{text}");
    world.control.update_site(106, |site| site.restricted = false);
    for id in [12, 101, 102, 104, 105, 106] {
        world.control.update_site(id, |site| site.matter.clear());
    }
    let findings = world.dms.doctor().await;
    assert!(levels(&findings).contains(&("matters", Bad)), "{findings:?}");
    assert!(levels(&findings).contains(&("restricted sites", Good)), "{findings:?}");
    world.control.revoke_all();
    let findings = world.dms.doctor().await;
    assert_eq!(levels(&findings).last(), Some(&("sites", Bad)), "{findings:?}");
    assert_eq!(world.held(), [], "nothing is written");
}

/// Linked accounts, as the fake grants them; a token that was refused is replaced once.
struct Links(postroom_sims::highq::Control);

impl Links {
    fn grant(&self, whose: Whose<'_>, generation: u64) -> Result<Access, AccessError> {
        let person = match whose {
            Whose::System => "postroom@firm.example",
            Whose::Own("j.reed") => "j.reed@firm.example",
            Whose::Own(_) => return Err(AccessError::NoLink),
        };
        Ok(Access { token: self.0.tokens_of(person, APP).0.into(), generation })
    }
}

impl AccessTokens for Links {
    fn access<'a>(&'a self, _: &'a ServiceName, whose: Whose<'a>) -> Fut<'a, Result<Access, AccessError>> {
        Box::pin(async move { self.grant(whose, 1) })
    }
    fn after_refusal<'a>(
        &'a self,
        _: &'a ServiceName,
        whose: Whose<'a>,
        generation: u64,
    ) -> Fut<'a, Result<Access, AccessError>> {
        Box::pin(async move { self.grant(whose, generation + 1) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_files_with_their_own_account_and_sees_what_it_sees() {
    let world = Simulated::new();
    let file = world.token_file.to_str().unwrap();
    let mut linked = settings(world.sim.url(), file, "");
    linked.auth = Auth::Link;
    let nobody = HighQ::new("dms-test", linked.clone(), Arc::clone(&world.clock) as _).unwrap();
    assert!(matches!(nobody.whoami().await, Err(DmsError::NeedsLogin(_))), "nobody keeps links here");
    let service: ServiceName = "highq".parse().unwrap();
    let dms = HighQ::new("dms-test", linked, Arc::clone(&world.clock) as _).unwrap();
    let dms = dms.with_links(service, Arc::new(Links(world.control.clone())));
    dms.whoami().await.unwrap();

    let own = |name: &str| Actor { credential: Some(Credential::Own), ..Actor::system("suite", Some(name)) };
    let (reed, chen) = (own("j.reed"), own("t.chen"));
    let level = Level::None;
    world.control.change(&Flaw::SetLevel { site: HARROW, person: SERVICE.to_owned(), level });
    assert!(matches!(dms.container(&actor(), "", FOLDER).await, Err(DmsError::NotFound(_))));
    assert_eq!(dms.container(&reed, "", FOLDER).await.unwrap().name, "Correspondence");
    assert!(matches!(dms.container(&chen, "", FOLDER).await, Err(DmsError::NeedsLogin(_))));
    // HighQ tells a person what they may do, and that alone is certain.
    assert_eq!(dms.rights(&reed, "", FOLDER, "j.reed").await.unwrap(), Rights::Allowed);
    assert_eq!(dms.rights(&reed, "", FOLDER, "m.patel").await.unwrap(), Rights::Unknown);
    // A token that has run out is replaced once, by the link's keeper.
    world.control.expire_access_tokens();
    assert_eq!(dms.container(&reed, "", FOLDER).await.unwrap().name, "Correspondence");
    assert_eq!(world.calls("token"), 0, "the settings' account was not asked");
}
