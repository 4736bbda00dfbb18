//! What is iManage's own: sign-in, the forms its answers come in, the lagging index, rules of its profile.

mod choices;
mod documents;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom_dms::Connector as _;
use postroom_dms::doctor::Level::{self, Bad, Good, Warning};
use postroom_dms::imanage::Imanage;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Dms, DmsError, Found};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::testing::ManualClock;
use postroom_sims::imanage::{
    Action, AuthHeader, EmailDuplicate, EmptySearch, ErrorBody, Fire, IdCase, RefreshTokens, RequiredFields,
    Rule, SearchShape,
};

use crate::content::Made;
use crate::world::{FOLDER, Simulated, World, actor, ask, mark, send, send_with, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_document_carries_its_profile_and_mark_where_they_belong() {
    let world = Simulated::new();
    let profile = BTreeMap::from(
        [("custom1", "10442"), ("custom2", "0007"), ("custom17", "12.5"), ("comment", "from the client")]
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
    );
    let (result, _) =
        send_with(&world.dms, FOLDER, "Brief an Müller.docx", 1, &Made::new(10, 1), &profile).await;
    let receipt = result.unwrap();
    let entry = world.control.ledger().remove(0);
    assert_eq!((entry.name.as_str(), entry.extension.as_str()), ("Brief an Müller", "DOCX"));
    assert_eq!(entry.comment, format!("{}\nfrom the client", mark(1)));
    assert_eq!((entry.document.as_str(), entry.user.as_str()), (receipt.document.as_str(), "POSTROOM"));
    assert_eq!(receipt.version.as_deref(), Some("1"));
    assert_eq!(receipt.link, Some(format!("{}/work/link/d/{}", world.sim.url(), receipt.document)));
    assert!(matches!(ask(&world.dms, FOLDER, "Brief an Müller.docx", 1).await.unwrap(), Found::Yes(_)));
    // One call per upload, once the sign-in and the server are known.
    let before = world.control.stats();
    send(&world.dms, FOLDER, "second.pdf", 2, &Made::new(10, 1)).await.0.unwrap();
    let calls =
        |stats: &postroom_sims::imanage::Stats| stats.calls.values().flat_map(|c| c.values()).sum::<u64>();
    assert_eq!(calls(&world.control.stats()) - calls(&before), 1);

    for (field, value) in
        [("custom2", "0007"), ("custom17", "many"), ("custom25", "yes"), ("name", "x"), ("size", "1")]
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
    // What only the server knows comes back with its field.
    let profile = BTreeMap::from([("custom1".to_owned(), "99999".to_owned())]);
    let error =
        send_with(&world.dms, FOLDER, "letter.pdf", 4, &Made::new(10, 1), &profile).await.0.unwrap_err();
    assert!(matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == "custom1"), "{error:?}");
    assert!(error.trouble().request_id.as_ref().is_some_and(|id| id.starts_with("NRC_")), "{error:?}");
    assert_eq!(world.held().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_can_be_kept_in_a_field() {
    for probe in ["search", "listing", "both"] {
        let world = Simulated::with(&format!("mark_field = \"custom13\"\nprobe = \"{probe}\""));
        send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
        let entry = world.control.ledger().remove(0);
        assert_eq!((entry.field, entry.comment.as_str()), (Some(mark(1).to_string()), ""), "{probe}");
        assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::Yes(_)), "{probe}");
        assert_eq!(ask(&world.dms, FOLDER, "letter.pdf", 2).await.unwrap(), Found::No, "{probe}");
        let profile = BTreeMap::from([("custom13".to_owned(), "mine".to_owned())]);
        let error =
            send_with(&world.dms, FOLDER, "x.pdf", 3, &Made::new(10, 1), &profile).await.0.unwrap_err();
        assert!(matches!(error, DmsError::Rejected { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_lags_the_listing_does_not() {
    let world = Simulated::with("probe = \"search\"");
    world.control.update_switches(|switches| switches.index_delay_ms = 60_000);
    let (listing, both) = (world.another("probe = \"listing\""), world.another("probe = \"both\""));
    world.fault("upload", Action::LoseAnswer {});
    send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
    assert_eq!(ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::No, "not indexed yet");
    for dms in [&listing, &both] {
        assert!(matches!(ask(dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::Yes(_)));
    }
    world.advance(Duration::from_secs(61));
    assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::Yes(_)));
    assert!(world.dms.capabilities().probe_lag_seconds >= 60);
    // The other way about: a listing that lags is made up for by the index.
    world
        .control
        .update_switches(|switches| (switches.index_delay_ms, switches.listing_delay_ms) = (0, 60_000));
    send(&world.dms, FOLDER, "letter.pdf", 2, &Made::new(10, 1)).await.0.unwrap_err();
    assert_eq!(ask(&listing, FOLDER, "letter.pdf", 2).await.unwrap(), Found::No);
    assert!(matches!(ask(&both, FOLDER, "letter.pdf", 2).await.unwrap(), Found::Yes(_)));
    assert_eq!(world.held().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_asks_the_index_first_and_reads_both_ends_of_a_full_folder_while_that_is_late() {
    let world = Simulated::with("page = 10\nprobe_pages = 4");
    let contents = Made::new(1, 1);
    for n in 0..100 {
        send(&world.dms, FOLDER, "letter.pdf", n, &contents).await.0.unwrap();
    }
    world.control.reset_stats();
    for n in [0, 50, 99] {
        assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", n).await.unwrap(), Found::Yes(_)), "{n}");
    }
    let calls = (world.calls("search_documents"), world.calls("folder_documents"));
    assert_eq!(calls, (3, 0), "one call finds it in a folder of any size");
    assert_eq!(ask(&world.dms, FOLDER, "letter.pdf", 1000).await.unwrap(), Found::No);
    assert_eq!(
        ask(&world.dms, "ACTIVE!3654", "letter.pdf", 50).await.unwrap(),
        Found::No,
        "only in its own folder"
    );

    world.control.update_switches(|switches| switches.index_delay_ms = 3_600_000);
    for n in 100..200 {
        send(&world.dms, FOLDER, "letter.pdf", n, &contents).await.0.unwrap();
    }
    world.control.reset_stats();
    for n in [180, 199] {
        assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", n).await.unwrap(), Found::Yes(_)), "{n}");
    }
    assert!(world.calls("folder_documents") <= 8, "no more than the pages allowed");
    // In the middle of a long folder, and not yet in the index: not to be seen for now, which is what the lag is for.
    assert_eq!(ask(&world.dms, FOLDER, "letter.pdf", 140).await.unwrap(), Found::No);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_forms_of_searches_and_answers_come_to_the_same() {
    let lines = [
        "",
        "paging = \"standard\"",
        "page = 1",
        "page = 1\npaging = \"standard\"",
        "workspace_search = \"post\"",
        "auth_header = \"bearer\"",
        "auth_header = \"both\"",
        "api_root = \"/work/api/v2\"\ncustomer_id = 1",
        "customer_id = 1",
    ];
    let title = |t: &str| WorkspaceQuery::Title(t.to_owned());
    let fields =
        WorkspaceQuery::Fields(vec![("custom1".into(), "10442".into()), ("custom2".into(), "0007".into())]);
    for line in lines {
        let world = Simulated::with(line);
        for change in 0..7 {
            world.control.update_switches(|switches| match change {
                0 => {}
                1 => switches.workspace_search_shape = SearchShape::Array,
                2 => switches.empty_search = EmptySearch::NotFound,
                3 => switches.id_case = IdCase::Mixed,
                4 => switches.upload_status = 200,
                5 => switches.error_body = ErrorBody::Empty,
                _ => switches.cursor_drops_total = false,
            });
            let find =
                async |query: &WorkspaceQuery| world.dms.find_workspaces(&actor(), "", query, 10).await;
            let context = format!("{line:?} {change}");
            let found = find(&title("Harrow v Teal")).await.unwrap_or_else(|e| panic!("{context}: {e}"));
            assert_eq!(found.len(), 1, "{context}");
            assert!(found[0].id.eq_ignore_ascii_case("ACTIVE!3650"), "{context}: {found:?}");
            assert_eq!(find(&fields).await.unwrap(), found, "{context}");
            assert_eq!(find(&title("General advice")).await.unwrap().len(), 2, "{context}");
            assert_eq!(find(&title("No such matter")).await.unwrap(), [], "{context}");
            assert_eq!(find(&title("Project Larch")).await.unwrap(), [], "{context}: behind a wall");
            // Down to the folder by ids as the server tells them.
            let tabs = world.dms.folders(&actor(), "", &found[0].id, None).await.unwrap().items;
            let tab = tabs.iter().find(|tab| tab.name == "Documents").expect("the tab");
            assert!(!tabs.iter().any(|tab| tab.name == "Recent documents"), "a saved search is no folder");
            let (mut folders, mut page) = (Vec::new(), None::<String>);
            loop {
                let listed = world.dms.folders(&actor(), "", &tab.id, page.as_deref()).await.unwrap();
                folders.extend(listed.items);
                page = listed.next;
                if page.is_none() {
                    break;
                }
            }
            assert_eq!(
                folders.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
                ["Correspondence", "Emails", "Scans"]
            );
            let filed = send(&world.dms, &folders[0].id, "letter.pdf", change, &Made::new(10, 1)).await.0;
            let filed = filed.unwrap_or_else(|e| panic!("{context}: {e}"));
            let found = ask(&world.dms, &folders[0].id, "letter.pdf", change).await.unwrap();
            let Found::Yes(found) = found else { panic!("{context}: {found:?}") };
            assert!(found.document.eq_ignore_ascii_case(&filed.document), "{context}");
            // A tab and a workspace take no documents.
            for place in [&tab.id, &"ACTIVE!3650".to_owned()] {
                let error = send(&world.dms, place, "letter.pdf", 77, &Made::new(10, 1)).await.0.unwrap_err();
                assert!(
                    matches!(error, DmsError::Rejected { .. } | DmsError::NotFound(_)),
                    "{context} {place}: {error:?}"
                );
            }
        }
        assert_eq!(world.held().len(), 7, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_ends_is_renewed_once_for_all() {
    let world = Simulated::new();
    let query = WorkspaceQuery::Title("Harrow v Teal".into());
    world.dms.whoami().await.unwrap();
    assert_eq!(world.calls("token"), 1);
    // Calls without a document do not notice.
    assert!(world.control.apply(&Action::ExpireTokens {}));
    let who = actor();
    let finds = (0..16).map(|_| world.dms.find_workspaces(&who, "", &query, 5));
    let finds = futures_util::future::join_all(finds).await;
    assert!(finds.iter().all(|found| found.as_ref().is_ok_and(|f| f.len() == 1)), "{finds:?}");
    assert_eq!(world.calls("token"), 2, "one renewal serves all");
    // An upload that has sent its bytes is not repeated, but the next try needs no person.
    assert!(world.control.apply(&Action::ExpireTokens {}));
    let uploads = futures_util::future::join_all((0..8).map(|n| {
        let dms = &world.dms;
        async move {
            let content = Made::new(1000, 1);
            send(dms, FOLDER, "letter.pdf", n, &content).await.0
        }
    }))
    .await;
    for result in &uploads {
        let ended = result.as_ref().is_err_and(|e| e.trouble().cause == Cause::SessionGone);
        assert!(ended || result.is_ok(), "{result:?}");
    }
    assert!(uploads.iter().any(Result::is_err));
    assert_eq!(world.calls("token"), 3);
    assert_eq!(world.held().len(), uploads.iter().filter(|r| r.is_ok()).count());
    send(&world.dms, FOLDER, "letter.pdf", 100, &Made::new(1000, 1)).await.0.unwrap();
    assert_eq!(world.calls("token"), 3);
    // What has surely run out is renewed before it is used.
    world.advance(Duration::from_mins(29));
    send(&world.dms, FOLDER, "letter.pdf", 101, &Made::new(1000, 1)).await.0.unwrap();
    assert_eq!(world.calls("token"), 4);
    world.advance(Duration::from_hours(24));
    send(&world.dms, FOLDER, "letter.pdf", 102, &Made::new(1000, 1)).await.0.unwrap();
    // Used every 20 minutes it slides, and nothing is fetched.
    for n in 0..6 {
        world.advance(Duration::from_mins(20));
        send(&world.dms, FOLDER, "letter.pdf", 200 + n, &Made::new(10, 1)).await.0.unwrap();
    }
    assert_eq!(world.calls("token"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_is_the_account_owners_and_does_not_lock_the_account() {
    for refresh in [RefreshTokens::On, RefreshTokens::Null, RefreshTokens::Absent] {
        let world = Simulated::new();
        world.control.update_switches(|switches| switches.refresh_tokens = refresh);
        world.dms.whoami().await.unwrap();
        world.control.update_user("POSTROOM", |user| user.password = Some("changed".into()));
        world.control.apply(&Action::RevokeTokens {});
        world.control.reset_stats();
        for n in 0..10 {
            let error = send(&world.dms, FOLDER, "letter.pdf", n, &Made::new(10, 1)).await.0.unwrap_err();
            assert!(matches!(error, DmsError::NeedsLogin(_)), "{error:?}");
            assert_eq!(error.trouble().cause, Cause::LinkBroken, "{error}");
            assert!(!error.to_string().contains("postroom-pass"), "{error}");
        }
        let failed = |world: &Simulated| {
            world.control.users().iter().find(|u| u.id == "POSTROOM").unwrap().failed_logins
        };
        assert_eq!(failed(&world), 1, "{refresh:?}: a password is not tried again and again");
        // After the pause it is; and a person who asks the doctor does not wait.
        world.advance(Duration::from_hours(1));
        send(&world.dms, FOLDER, "letter.pdf", 50, &Made::new(10, 1)).await.0.unwrap_err();
        assert_eq!(failed(&world), 2);
        world.control.update_user("POSTROOM", |user| user.password = Some("postroom-pass".into()));
        assert!(world.dms.doctor().await.iter().all(|finding| finding.level < Level::Bad));
        send(&world.dms, FOLDER, "letter.pdf", 51, &Made::new(10, 1)).await.0.unwrap();
        assert_eq!(world.held().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_written_down_each_time_it_is_replaced() {
    let world = Simulated::new();
    world.control.update_switches(|switches| switches.rotate_refresh = true);
    let url = world.sim.url();
    let first = reqwest::Client::new()
        .post(format!("{url}/auth/oauth2/token"))
        .form(&[
            ("grant_type", "password"),
            ("username", "MPATEL"),
            ("password", "mpatel-pass"),
            ("client_id", "postroom"),
            ("client_secret", "postroom-client-secret"),
        ])
        .send()
        .await
        .unwrap();
    let first: serde_json::Value = first.json().await.unwrap();
    let first = first["refresh_token"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let (file, secret) = (home.path().join("refresh"), home.path().join("secret"));
    std::fs::write(&file, format!("{first}\n")).unwrap();
    std::fs::write(&secret, "postroom-client-secret\n").unwrap();
    let text = format!(
        "base_url = \"{url}\"\n[auth]\ngrant = \"refresh_token\"\nclient_id = \"postroom\"\n\
         client_secret_file = {secret:?}\nrefresh_token_file = {file:?}\n[connection]\nproxy = \"none\"\n"
    );
    let make = || {
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        Imanage::new("linked", toml::from_str(&text).unwrap(), clock).unwrap()
    };
    let mut seen = vec![first];
    for _ in 0..3 {
        // A new process each time: what is in the file must be enough.
        assert_eq!(make().whoami().await.unwrap().id, "MPATEL");
        let now = std::fs::read_to_string(&file).unwrap();
        assert!(!seen.contains(&now), "the token was replaced");
        seen.push(now);
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2, "nothing is left aside");
    // Consent taken back.
    let dms = make();
    world.control.add_fault(Rule::on("token", Action::RefuseRefresh {}).fire(Fire::First(1)));
    let error = dms.whoami().await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::LinkBroken, "{error}");
    assert!(!error.to_string().contains(seen.last().unwrap()), "{error}");
    // A file that cannot be written stops the destination, and loses nothing once it can.
    let parked = home.path().join("refresh.new");
    std::fs::create_dir(&parked).unwrap();
    let error = dms.whoami().await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::Misconfigured, "{error}");
    std::fs::remove_dir(&parked).unwrap();
    dms.whoami().await.unwrap();
    make().whoami().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_and_old_servers_are_told_before_anything_is_sent() {
    let world = Simulated::new();
    world.control.update_switches(|switches| switches.dms_version = "10.1.2".into());
    let error = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::Misconfigured, "{error}");
    assert!(error.to_string().contains("10.1.2") && error.to_string().contains("10.2"), "{error}");
    world.control.update_switches(|switches| switches.dms_version = "10.4.1.77".into());
    send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();

    // The client is not known.
    let mut wrong = settings(&world.sim.url(), "");
    if let postroom_dms::imanage::Auth::Password { client_id, .. } = &mut wrong.auth {
        *client_id = "nobody".into();
    }
    let dms = Imanage::new("wrong", wrong, Arc::clone(&world.clock) as _).unwrap();
    let error = dms.whoami().await.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::Misconfigured, "{error}");
    // The token does not get through.
    world.control.update_switches(|switches| switches.auth_header = AuthHeader::Bearer);
    let error = world.another("").whoami().await.unwrap_err();
    assert!(matches!(error, DmsError::NeedsLogin(_)), "{error:?}");
    world.control.update_switches(|switches| switches.auth_header = AuthHeader::Both);
    // Nobody listens.
    let away =
        Imanage::new("away", settings("http://127.0.0.1:9", ""), Arc::clone(&world.clock) as _).unwrap();
    assert_eq!(away.whoami().await.unwrap_err().trouble().cause, Cause::Unreachable);
    assert_eq!(away.doctor().await.last().unwrap().level, Level::Bad);

    for (line, key) in [
        ("mark_field = \"name\"", "mark_field"),
        ("page = 0", "page"),
        ("api_root = \"work/api/v2\"", "api_root"),
        ("link = \"{base}/x\"", "link"),
        ("longest_name = 5", "longest_name"),
    ] {
        let error =
            Imanage::new("x", settings(&world.sim.url(), line), Arc::clone(&world.clock) as _).err().unwrap();
        assert!(error.to_string().contains(key), "{line}: {error}");
    }
    let unknown =
        toml::from_str::<postroom_dms::imanage::Settings>("base_url = \"https://x\"\nlibary = \"A\"");
    assert!(unknown.unwrap_err().to_string().contains("libary"));
    let shown = format!("{:?}", settings(&world.sim.url(), ""));
    assert!(!shown.contains("postroom-pass") && !shown.contains("postroom-client-secret"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_wrong() {
    let world = Simulated::new();
    let levels = |findings: Vec<postroom_dms::doctor::Finding>| {
        findings.into_iter().map(|f| (f.subject, f.level)).collect::<Vec<_>>()
    };
    let good = levels(world.dms.doctor().await);
    // Plain http on this machine is worth a warning.
    assert_eq!(
        good,
        [
            ("address", Warning),
            ("sign-in", Good),
            ("server", Good),
            ("library", Good),
            ("rights", Good),
            ("classes", Good)
        ]
    );
    let unclassed = world.another("class = \"NO-SUCH\"").doctor().await;
    assert_eq!(levels(unclassed).last(), Some(&("classes", Bad)));
    world.control.update_switches(|switches| switches.refresh_tokens = RefreshTokens::Null);
    assert!(levels(world.another("").doctor().await).contains(&("refresh token", Warning)));
    let mut lost = settings(&world.sim.url(), "");
    lost.library = "ARCHIVE".into();
    let dms = Imanage::new("lost", lost, Arc::clone(&world.clock) as _).unwrap();
    assert_eq!(levels(dms.doctor().await).last(), Some(&("library", Bad)));
    assert_eq!(world.held(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn required_fields_warn_or_refuse() {
    let world = Simulated::with("class = \"PLEADING\"");
    assert!(
        send(&world.dms, FOLDER, "a.pdf", 1, &Made::new(10, 1)).await.0.is_ok(),
        "a warning does not stop it"
    );
    let strict = world.another("class = \"PLEADING\"\nrefuse_missing_fields = true");
    let error = send(&strict, FOLDER, "a.pdf", 9, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == "custom3"), "{error:?}");
    world.control.update_switches(|switches| switches.required_fields = RequiredFields::Reject);
    let error = send(&world.dms, FOLDER, "a.pdf", 2, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(&error, DmsError::Rejected { field: Some(f), .. } if f == "custom3"), "{error:?}");
    assert_eq!(world.held().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_workspace_is_known_by_field_and_by_words_and_both_can_be_switched_off() {
    let world = Simulated::new();
    let silent =
        world.another("closed_words = []\nclosed_field = { field = \"subclass\", value = \"CLOSED\" }");
    let closed = WorkspaceQuery::Title("Harrow share purchase 2019".into());
    for (dms, open, cause) in [(&world.dms, false, Cause::TargetClosed), (&silent, true, Cause::NoRight)] {
        let found = dms.find_workspaces(&actor(), "", &closed, 5).await.unwrap();
        assert_eq!(found[0].open, open);
        let error = send(dms, "ACTIVE!3672", "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
        assert_eq!(error.trouble().cause, cause, "{error}");
    }
    for status in [409, 423] {
        world.control.update_switches(|switches| switches.not_writable_status = status);
        let error = send(&world.dms, "ACTIVE!3672", "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
        assert_eq!(error.trouble().cause, Cause::TargetClosed, "{status}: {error}");
    }
    // Opened again, it takes documents.
    assert!(world.control.apply(&Action::OpenWorkspace { workspace: 3670 }));
    send(&world.dms, "ACTIVE!3672", "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_refused_while_fresh_needs_a_person() {
    let world = Simulated::new();
    send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    world.fault("upload", Action::Status { status: 401, headers: BTreeMap::new(), body: None });
    // The first refusal may mean that the sign-in has run out; the second one, of a fresh one, does not.
    for (n, cause) in [(2, Cause::SessionGone), (3, Cause::LoginNeeded), (4, Cause::LoginNeeded)] {
        let error = send(&world.dms, FOLDER, "letter.pdf", n, &Made::new(10, 1)).await.0.unwrap_err();
        assert_eq!(error.trouble().cause, cause, "{n}: {error}");
    }
    assert_eq!(
        (world.calls("token"), world.held().len()),
        (4, 1),
        "each refusal leaves a fresh sign-in behind"
    );
    world.control.clear_faults();
    send(&world.dms, FOLDER, "letter.pdf", 5, &Made::new(10, 1)).await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_is_there_already_is_a_conflict() {
    let world = Simulated::new();
    let mail = BTreeMap::from(
        [
            ("class", "E-MAIL"),
            ("subject", "RE: disclosure"),
            ("sent_date", "2026-11-20T10:00:00Z"),
            ("message_id", "<a@b>"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned())),
    );
    let file =
        async |n| send_with(&world.dms, FOLDER, "RE disclosure.eml", n, &Made::new(100, 1), &mail).await.0;
    let first = file(1).await.unwrap();
    let error = file(2).await.unwrap_err();
    let DmsError::Conflict { existing: Some(there), .. } = &error else { panic!("{error:?}") };
    assert_eq!((&there.document, there.size), (&first.document, Some(100)));
    // One whose index lags, or that is not seen, is a conflict with something unknown.
    world.control.update_switches(|switches| switches.index_delay_ms = 60_000);
    let error = file(3).await.unwrap_err();
    assert!(matches!(error, DmsError::Conflict { existing: None, .. }), "{error:?}");
    assert_eq!(world.held().len(), 1);
    world.control.update_switches(|switches| switches.email_duplicate = EmailDuplicate::Accept);
    file(4).await.unwrap();
    assert_eq!(world.held().len(), 2);
}

/// The lines of a module's example settings.
fn example(source: &str) -> String {
    let lines = source.lines().skip_while(|line| *line != "//! ```toml").skip(1);
    lines
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!").to_owned() + "\n")
        .collect()
}

#[test]
fn the_example_settings_are_settings() {
    let imanage =
        toml::from_str::<postroom_dms::imanage::Settings>(&example(include_str!("../../src/imanage.rs")))
            .unwrap();
    assert_eq!((imanage.library.as_str(), imanage.connection.parallel), ("ACTIVE", 8));
    let folder =
        toml::from_str::<postroom_dms::folder::Settings>(&example(include_str!("../../src/folder.rs")))
            .unwrap();
    assert_eq!((folder.page, folder.read_back), (500, true));
}
