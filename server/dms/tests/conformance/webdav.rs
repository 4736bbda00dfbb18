//! What is WebDAV's own: real servers, what they do differently, and answers that are lost at every step.

pub(crate) mod proxy;
pub(crate) mod servers;
pub(crate) mod world;

use std::collections::BTreeSet;

use postroom_dms::Connector;
use postroom_dms::doctor::Level;
use postroom_dms::webdav::{Settings, SetupError, WebDav};
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Content, Dms, DmsError, Found, RetryAfter};
use postroom_domain::target::WorkspaceQuery;

use self::proxy::{Harm, Which};
use self::servers::{Kind, USER};
use self::world::{Dav, FOLDER};
use crate::content::Made;
use crate::world::{Held, World, actor, ask, ask_onto, fetch, send, send_onto};

/// Both servers, and Apache with marks in files.
const WAYS: [(Kind, &str); 3] =
    [(Kind::Apache, ""), (Kind::Apache, "mark = \"sidecar\""), (Kind::Rclone, "")];

fn hashes(held: &[Held]) -> Vec<String> {
    let mut all: Vec<String> = held.iter().map(|held| held.blake3.clone()).collect();
    all.sort();
    all
}

/// Whatever is cut off wherever: after `n` requests the network is gone, as it is for a process that ends.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_at_any_step_loses_and_doubles_nothing() {
    for (kind, more) in WAYS {
        let world = Dav::with(kind, more).await;
        // A neighbour of the same name is there already, and stays as it is.
        world.server.ask("PUT", &format!("{FOLDER}/letter.pdf"), &[], "by hand").await;
        let mut wanted = vec![blake3::hash(b"by hand").to_hex().to_string()];
        let mut finished = false;
        for n in 0..60 {
            let (content, id) = (Made::new(5_000 + n, u8::try_from(n).unwrap()), u128::from(n) + 1);
            // Each a fresh process, which has to try the server out.
            let first = world.another(more);
            world.proxy.end_after(usize::try_from(n).unwrap());
            let (result, _) = send(&first, FOLDER, "letter.pdf", id, &content).await;
            world.proxy.heal();
            // Who ended with the turn to name things would keep others waiting for a while.
            world.end_lock(&format!("{FOLDER}/.postroom/turn")).await;
            let second = world.another(more);
            let there = hashes(&world.held()).contains(&content.hex());
            let found = ask(&second, FOLDER, "letter.pdf", id).await.unwrap();
            assert_eq!(
                matches!(found, Found::Yes(_)),
                there,
                "{kind:?} {more} step {n}: {found:?} {result:?}"
            );
            if there {
                let told = matches!(result, Ok(_) | Err(DmsError::UnknownOutcome(_)));
                assert!(told, "{kind:?} {more} step {n}: it is there, and {result:?}");
            }
            let receipt = match found {
                Found::Yes(receipt) => receipt,
                _ => send(&second, FOLDER, "letter.pdf", id, &content).await.0.unwrap(),
            };
            assert_eq!(receipt.size, Some(content.size), "{kind:?} {more} step {n}");
            assert_eq!(fetch(&second, &receipt.document, None).await.unwrap().0, content.hex());
            wanted.push(content.hex());
            wanted.sort();
            assert_eq!(hashes(&world.held()), wanted, "{kind:?} {more} step {n}: once, and once only");
            assert_eq!(ask(&second, FOLDER, "letter.pdf", id).await.unwrap(), Found::Yes(receipt));
            let aside = world.files(&format!("{FOLDER}/.postroom/tmp"));
            assert_eq!(aside, Vec::<String>::new(), "{kind:?} {more} step {n}: nothing stays aside");
            if result.is_ok() {
                finished = true;
                assert!(n > 10, "{kind:?} {more}: only {n} steps");
                break;
            }
        }
        assert!(finished, "{kind:?} {more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_ends_at_any_step_keeps_the_old_and_the_new() {
    for (kind, more) in WAYS {
        let more = format!("versions = \"copies\"\n{more}");
        let world = Dav::with(kind, &more).await;
        let (mut steps, mut done) = (0, false);
        while !done {
            let (old, new) = (Made::new(4_000, 200), Made::new(5_000, 201));
            let (name, one, two) = (format!("letter-{steps}.pdf"), 1_000 + steps * 2, 1_001 + steps * 2);
            let document = send(&world.another(&more), FOLDER, &name, one, &old).await.0.unwrap().document;
            let first = world.another(&more);
            world.proxy.end_after(usize::try_from(steps).unwrap());
            let (result, _) = send_onto(&first, FOLDER, &document, &name, two, &new).await;
            world.proxy.heal();
            let second = world.another(&more);
            // The old content is there whatever happened, under its own mark.
            let Found::Yes(before) = ask(&second, FOLDER, &name, one).await.unwrap() else {
                panic!("{kind:?} {more} step {steps}: the old mark is lost");
            };
            let back = fetch(&second, &before.document, before.version.as_deref()).await.unwrap();
            assert_eq!(back.0, old.hex(), "{kind:?} {more} step {steps}: {before:?}");
            let found = match ask_onto(&second, FOLDER, &document, &name, two).await {
                // The process before had locked it; nobody says "not there" as long as the server may be busy with it.
                Err(DmsError::Locked { .. }) => {
                    world.end_lock(&document).await;
                    ask_onto(&second, FOLDER, &document, &name, two).await.unwrap()
                }
                other => other.unwrap(),
            };
            let now = fetch(&second, &document, None).await.unwrap().0;
            let there = now == new.hex();
            assert!(there || now == old.hex(), "{kind:?} {more} step {steps}: neither old nor new");
            assert_eq!(
                matches!(found, Found::Yes(_)),
                there,
                "{kind:?} {more} step {steps}: {found:?} {result:?}"
            );
            let receipt = match found {
                Found::Yes(receipt) => receipt,
                _ => send_onto(&second, FOLDER, &document, &name, two, &new).await.0.unwrap(),
            };
            assert_eq!(fetch(&second, &document, receipt.version.as_deref()).await.unwrap().0, new.hex());
            assert_eq!(fetch(&second, &document, None).await.unwrap().0, new.hex(), "{kind:?} step {steps}");
            let Found::Yes(before) = ask_onto(&second, FOLDER, &document, &name, one).await.unwrap() else {
                panic!()
            };
            let back = fetch(&second, &document, before.version.as_deref()).await.unwrap();
            assert_eq!(back.0, old.hex(), "{kind:?} {more} step {steps}: {before:?}");
            done = result.is_ok();
            steps += 1;
            assert!(steps < 80, "{kind:?} {more}: no end");
            world.end_lock(&document).await;
        }
        assert!(steps > 15, "{kind:?} {more}: only {steps} steps");
    }
}

/// Processes that know nothing of each other, and want the same name for everything.
#[tokio::test(flavor = "multi_thread")]
async fn several_postrooms_name_things_in_one_folder() {
    for (kind, more) in WAYS {
        let world = Dav::with(kind, more).await;
        let all: Vec<WebDav> = (0..8).map(|_| world.another(more)).collect();
        let contents: Vec<Made> = (0..64).map(|n| Made::new(3_000 + n, u8::try_from(n).unwrap())).collect();
        let sent = contents.iter().enumerate().map(|(n, content)| {
            let dms = &all[n % 8];
            async move { send(dms, FOLDER, "letter.pdf", n as u128, content).await.0 }
        });
        let sent = futures_util::future::join_all(sent).await;
        let told: BTreeSet<String> = sent.into_iter().map(|it| it.unwrap().document).collect();
        assert_eq!(told.len(), contents.len(), "{kind:?} {more}: a name was given twice");
        let mut wanted: Vec<String> = contents.iter().map(Made::hex).collect();
        wanted.sort();
        assert_eq!(hashes(&world.held()), wanted, "{kind:?} {more}");
        // Nobody keeps a turn.
        let last = send(&world.dms, FOLDER, "letter.pdf", 99, &Made::new(5, 99)).await.0.unwrap();
        assert_eq!(last.size, Some(5), "{kind:?} {more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_file_into_one_folder() {
    for (kind, more) in WAYS {
        let world = Dav::with(kind, more).await;
        let contents: Vec<Made> = (0..24).map(|n| Made::new(2_000, n)).collect();
        let sent = contents.iter().enumerate().map(|(n, content)| {
            let dms = &world.dms;
            async move { send(dms, FOLDER, "letter.pdf", n as u128, content).await.0 }
        });
        let results = futures_util::future::join_all(sent).await;
        let mut wanted = Vec::new();
        for (n, result) in results.into_iter().enumerate() {
            let receipt = result.unwrap_or_else(|e| panic!("{kind:?} {more} {n}: {e}"));
            wanted.push(contents[n].hex());
            let back = fetch(&world.dms, &receipt.document, None).await.unwrap();
            assert_eq!(back.0, contents[n].hex(), "{kind:?} {more} {n}");
            assert_eq!(ask(&world.dms, FOLDER, "letter.pdf", n as u128).await.unwrap(), Found::Yes(receipt));
        }
        wanted.sort();
        assert_eq!(hashes(&world.held()), wanted, "{kind:?} {more}");
    }
}

/// A status where nothing has a name yet, and on the call that gives the name.
#[tokio::test(flavor = "multi_thread")]
async fn statuses_have_their_cause_and_nothing_gets_a_name_by_a_refusal() {
    let world = Dav::new(Kind::Apache).await;
    send(&world.dms, FOLDER, "first.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let before = world.held();
    let table = [
        (400, Cause::Rejected, Cause::Rejected),
        (401, Cause::LoginNeeded, Cause::LoginNeeded),
        (403, Cause::NoRight, Cause::NoRight),
        (404, Cause::TargetNotFound, Cause::TargetNotFound),
        (405, Cause::Unsupported, Cause::Unsupported),
        (409, Cause::TargetNotFound, Cause::TargetNotFound),
        (413, Cause::TooLarge, Cause::TooLarge),
        (415, Cause::WrongType, Cause::WrongType),
        (423, Cause::Locked, Cause::Locked),
        (429, Cause::Throttled, Cause::Throttled),
        (500, Cause::ServerFault, Cause::AnswerLost),
        (501, Cause::Unsupported, Cause::Unsupported),
        (502, Cause::ServerFault, Cause::AnswerLost),
        (503, Cause::ServerFault, Cause::AnswerLost),
        (507, Cause::DmsFull, Cause::DmsFull),
        (302, Cause::Redirected, Cause::Redirected),
    ];
    for (n, (status, sending, naming)) in table.into_iter().enumerate() {
        let n = 100 + n as u128;
        for (which, wanted) in [(Which::Content, sending), (Which::Naming, naming)] {
            world.proxy.heal();
            // A folder that is locked as a whole refuses every name.
            for nth in 1..=3 {
                world.proxy.harm(which, nth, Harm::Answer(status, vec![]));
            }
            let error = send(&world.dms, FOLDER, "letter.pdf", n, &Made::new(10, 1)).await.0.unwrap_err();
            assert_eq!(error.trouble().cause, wanted, "{status} {which:?}: {error}");
            assert_eq!(error.trouble().status, Some(status), "{status} {which:?}: {error}");
            let fresh = DmsError::from_trouble(error.trouble().clone());
            assert_eq!(std::mem::discriminant(&fresh), std::mem::discriminant(&error), "{status} {which:?}");
            world.proxy.heal();
            assert_eq!(
                ask(&world.dms, FOLDER, "letter.pdf", n).await.unwrap(),
                Found::No,
                "{status} {which:?}"
            );
            assert_eq!(world.held(), before, "{status} {which:?}");
        }
    }
    let wait = |seconds: &str| vec![("retry-after", seconds.to_owned())];
    world.proxy.harm(Which::Content, 1, Harm::Answer(503, wait("1")));
    let error = send(&world.dms, FOLDER, "letter.pdf", 200, &Made::new(10, 1)).await.0.unwrap_err();
    let told = matches!(error, DmsError::Throttled { until: Some(RetryAfter::Seconds(1)), .. });
    assert!(told, "{error:?}");
    // A fault after the deed is what it is: the probe finds the document.
    world.proxy.heal();
    world.proxy.harm(Which::Naming, 1, Harm::DoThenAnswer(502));
    let error = send(&world.dms, FOLDER, "letter.pdf", 201, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::UnknownOutcome(_)), "{error:?}");
    assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 201).await.unwrap(), Found::Yes(_)));
    // So is an answer that breaks off in its head.
    world.proxy.heal();
    world.proxy.harm(Which::Naming, 1, Harm::CutAnswer(9));
    let error = send(&world.dms, FOLDER, "other.pdf", 202, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::UnknownOutcome(_)), "{error:?}");
    assert!(matches!(ask(&world.dms, FOLDER, "other.pdf", 202).await.unwrap(), Found::Yes(_)));
    assert_eq!(world.held().len(), before.len() + 2);
}

fn multistatus(inside: &str) -> Harm {
    let text = format!(
        "<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>/x</D:href><D:propstat><D:prop>{inside}\
         </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
    );
    Harm::Say(207, "application/xml", text)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_listings_are_not_believed_blindly() {
    let world = Dav::new(Kind::Rclone).await;
    let bomb = "<!DOCTYPE m [<!ENTITY a \"aaaaaaaaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><D:multistatus xmlns:D=\"DAV:\">&b;</D:multistatus>";
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let table = [
        (Harm::Say(207, "application/xml", bomb.to_owned()), Cause::ServerFault),
        (
            Harm::Say(207, "application/xml", "<D:multistatus xmlns:D=\"DAV:\">".to_owned()),
            Cause::ServerFault,
        ),
        (Harm::Say(207, "application/xml", String::new()), Cause::ServerFault),
        (Harm::Say(200, "text/html", html.to_owned()), Cause::LoginPage),
        (Harm::Say(200, "application/json", "{}".to_owned()), Cause::ServerFault),
        (Harm::Answer(302, vec![("location", "https://elsewhere.example/".to_owned())]), Cause::Redirected),
        (Harm::Answer(301, vec![("location", "/login".to_owned())]), Cause::Redirected),
        (Harm::CutAnswer(300), Cause::Interrupted),
    ];
    for (harm, wanted) in table {
        world.proxy.heal();
        world.proxy.harm(Which::Method("PROPFIND"), 1, harm.clone());
        let error = world.dms.container(&actor(), "", FOLDER).await.unwrap_err();
        assert_eq!(error.trouble().cause, wanted, "{harm:?}: {error}");
    }
    // The same host with another slash is followed, for what changes nothing.
    world.proxy.heal();
    let there = vec![("location", "/Harrow%20v%20Teal/Correspondence".to_owned())];
    world.proxy.harm(Which::Method("PROPFIND"), 1, Harm::Answer(301, there));
    assert_eq!(world.dms.container(&actor(), "", FOLDER).await.unwrap().name, "Correspondence");
    // A full server is asked before anything is sent.
    world.proxy.heal();
    let full = "<D:resourcetype><D:collection/></D:resourcetype><D:quota-available-bytes>999</D:quota-available-bytes>";
    world.proxy.harm(Which::Method("PROPFIND"), 1, multistatus(full));
    let (result, sent) = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(1_000, 1)).await;
    assert_eq!((result.unwrap_err().trouble().cause, sent), (Cause::DmsFull, 0));
    assert_eq!((world.proxy.count("PUT"), world.proxy.count("MKCOL")), (0, 0));
    assert_eq!(world.held(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_overwrites_is_noticed_before_it_can() {
    let world = Dav::new(Kind::Apache).await;
    world.proxy.harm(Which::Method("MOVE"), 1, Harm::DoThenAnswer(204));
    let error = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::Misconfigured(_)), "{error:?}");
    assert_eq!(world.held(), []);
    // What a server refuses in its trouble says nothing about what it keeps.
    let world = Dav::new(Kind::Apache).await;
    for status in [500, 503, 429] {
        world.proxy.heal();
        world.proxy.harm(Which::Method("PROPPATCH"), 1, Harm::Answer(status, vec![]));
        send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
    }
    world.proxy.heal();
    send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    assert!(world.proxy.count("PROPPATCH") >= 2, "tried out, and then used: {:?}", world.proxy.requests());
    assert_eq!(
        world.files(&format!("{FOLDER}/.postroom")).iter().filter(|it| it.contains(".json")).count(),
        0
    );
    let property = Dav::with(Kind::Rclone, "mark = \"property\"").await;
    let error = send(&property.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
    assert!(matches!(error, DmsError::Misconfigured(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_document_is_left_alone() {
    for (kind, by) in [(Kind::Apache, Some("m.patel")), (Kind::Rclone, None)] {
        let world = Dav::with(kind, "versions = \"copies\"").await;
        let (old, new) = (Made::new(10, 1), Made::new(20, 2));
        let document = send(&world.dms, FOLDER, "letter.pdf", 1, &old).await.0.unwrap().document;
        world.server.lock(&document, "m.patel").await;
        let results = [
            send_onto(&world.dms, FOLDER, &document, "letter.pdf", 2, &new).await.0.map(drop),
            world.dms.delete_document(&actor(), "", &document).await,
            world.dms.rename(&actor(), "", &document, "other.pdf").await.map(drop),
        ];
        for result in results {
            let error = result.unwrap_err();
            assert!(
                matches!(&error, DmsError::Locked { by: told, .. } if told.as_deref() == by),
                "{kind:?}: {error:?}"
            );
        }
        assert_eq!(hashes(&world.held()), [old.hex()], "{kind:?}");
        assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::Yes(_)), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_found_under_another_name_or_twice_is_told() {
    let world = Dav::new(Kind::Apache).await;
    let receipt = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let to = |name: &str| format!("http://{}/Harrow%20v%20Teal/Correspondence/{name}", world.server.address);
    let (status, _) =
        world.server.ask("MOVE", &receipt.document, &[("destination", &to("by-hand.pdf"))], "").await;
    assert_eq!(status, 201);
    let found = ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap();
    let Found::Yes(moved) = found else { panic!("{found:?}") };
    assert_eq!(moved.document, format!("{FOLDER}/by-hand.pdf"));
    world.server.ask("COPY", &moved.document, &[("destination", &to("copy.pdf"))], "").await;
    let found = ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap();
    assert!(matches!(&found, Found::Several(all) if all.len() == 2), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_what_a_server_can_do_and_writes_only_when_asked() {
    for (kind, marks) in [(Kind::Apache, "properties are kept"), (Kind::Rclone, "no properties are kept")] {
        let world = Dav::new(kind).await;
        let before = world.files("");
        let findings = world.dms.doctor().await;
        let subjects: Vec<_> = findings.iter().map(|finding| (finding.subject, finding.level)).collect();
        let good = [("server", Level::Good), ("workspaces", Level::Good), ("room", Level::Good)];
        assert_eq!(subjects[0], ("address", Level::Warning), "a password over http");
        assert_eq!(subjects[1..], good, "{kind:?}");
        assert_eq!(world.files(""), before, "{kind:?}");
        let tried = world.dms.try_writing("Harrow").await;
        assert_eq!(tried.level, Level::Good, "{kind:?} {tried:?}");
        assert!(tried.detail.contains(marks), "{kind:?} {tried:?}");
        assert_eq!(world.files(""), before, "{kind:?}: it leaves nothing behind");
        let mut settings: Settings = world::settings(world.proxy.address, "");
        settings.auth =
            toml::from_str("kind = \"basic\"\nusername = \"postroom\"\npassword = \"wrong\"").unwrap();
        let wrong = WebDav::new("dav-test", settings, std::sync::Arc::clone(&world.clock) as _).unwrap();
        let error = wrong.whoami().await.unwrap_err();
        assert!(matches!(error, DmsError::NeedsLogin(_)), "{kind:?} {error:?}");
        assert!(wrong.doctor().await.iter().any(|finding| finding.level == Level::Bad), "{kind:?}");
        assert_eq!(world.dms.whoami().await.unwrap().id, USER);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_renewed_in_its_file_is_read_again() {
    let world = Dav::new(Kind::Apache).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "old\n").unwrap();
    let mut settings = world::settings(world.proxy.address, "");
    let text = format!("kind = \"bearer\"\ntoken_file = {file:?}");
    settings.auth = toml::from_str(&text).unwrap();
    let dms = WebDav::new("dav-test", settings, std::sync::Arc::clone(&world.clock) as _).unwrap();
    std::fs::write(&file, "new\n").unwrap();
    world.proxy.harm(Which::Method("OPTIONS"), 1, Harm::Answer(401, vec![]));
    world.proxy.harm(Which::Method("OPTIONS"), 2, Harm::Answer(200, vec![("dav", "1, 2".to_owned())]));
    // Apache wants a password, so the token helps no further than the proxy.
    let error = dms.whoami().await.unwrap_err();
    assert!(matches!(error, DmsError::NeedsLogin(_)), "{error:?}");
    let sent: Vec<String> = world.proxy.sign_ins();
    let wanted = ["authorization: Bearer old", "authorization: Bearer new", "authorization: Bearer new"];
    assert_eq!(sent, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_may_lie_deeper_and_fields_are_remembered_for_a_while() {
    let more = "workspaces = \"Matters/Open ones\"\nfields_cache_seconds = 300\nlink = \"https://files.example/{path}\"";
    let world = Dav::with(Kind::Rclone, more).await;
    let home = world.server.root.join("Matters/Open ones/Ä & B/.postroom");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("workspace.json"), r#"{"client":"1","closed":false,"number":7}"#).unwrap();
    world.server.hand_over();
    let query = |client: &str| WorkspaceQuery::Fields(vec![("client".to_owned(), client.to_owned())]);
    let found = world.dms.find_workspaces(&actor(), "", &query("1"), 5).await.unwrap();
    assert_eq!(found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["Ä & B"]);
    assert_eq!(found[0].fields["number"], "7");
    let content = Made::new(10, 1);
    let receipt = send(&world.dms, "Ä & B", "100 % sure.pdf", 1, &content).await.0.unwrap();
    assert_eq!(receipt.link.as_deref(), Some("https://files.example/%C3%84%20&%20B/100%20%25%20sure.pdf"));
    assert_eq!(fetch(&world.dms, &receipt.document, None).await.unwrap().0, content.hash().to_string());
    // What changed is read anew before a workspace counts as found.
    std::fs::write(home.join("workspace.json"), r#"{"client":"2"}"#).unwrap();
    world.server.hand_over();
    assert_eq!(world.dms.find_workspaces(&actor(), "", &query("1"), 5).await.unwrap(), []);
    assert_eq!(world.dms.find_workspaces(&actor(), "", &query("2"), 5).await.unwrap(), []);
    world.clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(world.dms.find_workspaces(&actor(), "", &query("2"), 5).await.unwrap().len(), 1);
    // One whose profile cannot be understood is never guessed about.
    std::fs::write(home.join("workspace.json"), r#"{"client":["2"]}"#).unwrap();
    world.server.hand_over();
    let error = send(&world.dms, "Ä & B", "x.pdf", 2, &content).await.0.unwrap_err();
    assert_eq!(error.trouble().cause, Cause::Rejected, "{error}");
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let address = "127.0.0.1:1".parse().unwrap();
    for (more, key) in [
        ("workspaces = \"a/../b\"", "workspaces"),
        ("page = 0", "page"),
        ("longest_name = 250", "longest_name"),
        ("lock_seconds = 0", "lock_seconds"),
        ("largest_listing_bytes = 10", "largest_listing_bytes"),
        ("link = \"https://x.example/\"", "link"),
    ] {
        postroom_outbound::install_crypto();
        let clock = std::sync::Arc::new(postroom_domain::testing::ManualClock::at("2026-11-23T09:00:00Z"));
        let made = WebDav::new("dav-test", world::settings(address, more), clock as _);
        let Err(SetupError::Value { key: named, .. }) = made.map(drop) else { panic!("{more}") };
        assert_eq!(named, key);
    }
    assert!(
        toml::from_str::<Settings>("base_url = \"http://x/\"\nmarks = \"auto\"").is_err(),
        "unknown keys"
    );
}
