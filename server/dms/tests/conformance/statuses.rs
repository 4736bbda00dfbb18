//! What a server's statuses and broken connections come down to, with the document sent and not sent.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::cause::{Cause, Sent, Symptom, classify};
use postroom_domain::dms::{Dms, DmsError, Found, RetryAfter};
use postroom_domain::target::WorkspaceQuery;
use postroom_sims::imanage::{Action, BodyKind, Fire, Rule};

use crate::content::Made;
use crate::world::{FOLDER, Simulated, World, actor, ask, send};

fn answer(status: u16, headers: &[(&str, &str)], body: Option<BodyKind>) -> Action {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
    Action::Status { status, headers, body }
}

/// Whether the shape of an error is the one of its cause.
fn shape_fits(error: &DmsError) -> bool {
    let fresh = DmsError::from_trouble(error.trouble().clone());
    std::mem::discriminant(&fresh) == std::mem::discriminant(error)
}

const STATUSES: [u16; 38] = [
    300, 302, 307, 308, 400, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 418, 422,
    423, 425, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 520, 524, 527, 599, 499,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_status_has_its_cause_once_the_document_was_sent_and_when_there_was_none() {
    let world = Simulated::new();
    world.dms.whoami().await.unwrap();
    let query = WorkspaceQuery::Title("Harrow v Teal".into());
    for (n, status) in STATUSES.into_iter().enumerate() {
        for body in [BodyKind::Full, BodyKind::Message, BodyKind::Html, BodyKind::Empty] {
            let wanted = classify(Symptom::Status(status), Sent::Fully);
            world.control.clear_faults();
            world.fault("upload", answer(status, &[], Some(body)));
            let (result, sent) = send(&world.dms, FOLDER, "letter.pdf", n as u128, &Made::new(1000, 1)).await;
            let error = result.unwrap_err();
            assert_eq!((error.trouble().cause, sent), (wanted, 1000), "{status} {body:?}: {error}");
            assert_eq!(error.trouble().status, Some(status), "{status} {body:?}");
            assert!(shape_fits(&error), "{status} {body:?}: {error:?}");

            let wanted = classify(Symptom::Status(status), Sent::Nothing);
            world.fault("search_workspaces", answer(status, &[], Some(body)));
            match world.dms.find_workspaces(&actor(), "", &query, 5).await {
                Ok(found) => {
                    assert!(status == 404 && found.is_empty() && body != BodyKind::Html, "{status} {body:?}");
                }
                Err(error) => {
                    assert_eq!(error.trouble().cause, wanted, "{status} {body:?}: {error}");
                    assert!(shape_fits(&error), "{status} {body:?}: {error:?}");
                }
            }
        }
    }
    assert_eq!(world.held(), []);
    assert_eq!(world.calls("upload"), STATUSES.len() as u64 * 4, "an upload is never repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_says_how_long() {
    let until = |text: &str| Some(RetryAfter::At(text.parse().unwrap()));
    for (header, wanted) in [
        (Some("17"), Some(RetryAfter::Seconds(17))),
        (Some("0"), Some(RetryAfter::Seconds(0))),
        (Some("1000000000"), Some(RetryAfter::Seconds(1_000_000_000))),
        (Some("Mon, 23 Nov 2026 09:05:00 GMT"), until("2026-11-23T09:05:00Z")),
        (Some("in a while"), None),
        (None, None),
    ] {
        let world = Simulated::new();
        let headers: Vec<_> = header.map(|value| ("Retry-After", value)).into_iter().collect();
        world.fault("upload", answer(429, &headers, None));
        let error = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
        assert!(
            matches!(&error, DmsError::Throttled { until, .. } if *until == wanted),
            "{header:?}: {error:?}"
        );
        // Each with an account that has not been told to wait yet.
        let world = Simulated::new();
        world.fault("folder_documents", answer(429, &headers, None));
        let error = ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap_err();
        assert!(
            matches!(&error, DmsError::Throttled { until, .. } if *until == wanted),
            "{header:?}: {error:?}"
        );
    }
}

/// An account that was told to wait sends nothing before; what the DMS holds and hears does not change meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_told_to_wait_sends_nothing() {
    let world = Simulated::new();
    world.fault("upload", answer(429, &[("Retry-After", "600")], None));
    send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap_err();
    world.control.clear_faults();
    let heard = world.calls("upload");
    let (sent, left) = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await;
    let error = sent.unwrap_err();
    assert!(
        matches!(error, DmsError::Throttled { until: Some(RetryAfter::Seconds(590..=600)), .. }),
        "{error:?}"
    );
    assert_eq!((left, world.calls("upload"), world.held()), (0, heard, vec![]));
    // Another account at the same server does not wait.
    let other = world.another("");
    send(&other, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_unknown_and_the_probe_finds_exactly_one() {
    let lost = [
        Action::LoseAnswer {},
        Action::CutAnswer { after: 10 },
        Action::CommitThenStatus { status: 502, headers: BTreeMap::new(), body: Some(BodyKind::Html) },
        Action::CommitThenStatus { status: 504, headers: BTreeMap::new(), body: None },
        Action::CommitThenStatus { status: 200, headers: BTreeMap::new(), body: Some(BodyKind::Empty) },
        Action::CommitThenStatus { status: 202, headers: BTreeMap::new(), body: Some(BodyKind::Message) },
        Action::WrongId {},
    ];
    // WrongId can only be noticed by reading back.
    let world = Simulated::with("read_back = true");
    send(&world.dms, FOLDER, "other.pdf", 99, &Made::new(5, 1)).await.0.unwrap();
    for (n, action) in lost.into_iter().enumerate() {
        world.control.clear_faults();
        world.fault("upload", action.clone());
        let content = Made::new(70_000, 9);
        let (result, sent) = send(&world.dms, FOLDER, "letter.pdf", n as u128, &content).await;
        let error = result.expect_err("a lost answer");
        assert!(matches!(error, DmsError::UnknownOutcome(_)), "{action:?}: {error:?}");
        assert_eq!((error.trouble().cause, sent), (Cause::AnswerLost, 70_000), "{action:?}");
        let Found::Yes(found) = ask(&world.dms, FOLDER, "letter.pdf", n as u128).await.unwrap() else {
            panic!("{action:?}: not found");
        };
        let held: Vec<_> = world.held().into_iter().filter(|held| held.id == found.document).collect();
        assert_eq!(held.len(), 1, "{action:?}");
        assert_eq!(
            (held[0].size, &held[0].blake3, found.size),
            (70_000, &content.hex(), Some(70_000)),
            "{action:?}"
        );
    }
    assert_eq!(world.held().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_another_size_is_told() {
    let world = Simulated::new();
    for (n, action) in [
        Action::WrongSize { delta: 1 },
        Action::WrongSize { delta: -1 },
        Action::Truncate { bytes: 10 },
        Action::Truncate { bytes: 0 },
    ]
    .into_iter()
    .enumerate()
    {
        world.control.clear_faults();
        world.fault("upload", action.clone());
        let error =
            send(&world.dms, FOLDER, "letter.pdf", n as u128, &Made::new(1000, 1)).await.0.unwrap_err();
        assert!(matches!(error, DmsError::UnknownOutcome(_)), "{action:?}: {error:?}");
        assert_eq!(error.trouble().cause, Cause::WrongCopy, "{action:?}");
        // The probe tells the size, so that the wrong copy is not taken for the document.
        let Found::Yes(found) = ask(&world.dms, FOLDER, "letter.pdf", n as u128).await.unwrap() else {
            panic!()
        };
        assert_ne!(found.size, Some(1000), "{action:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_before_the_end_leaves_nothing_and_is_interrupted() {
    let size = 32 << 20;
    for (n, action) in [
        Action::Close {},
        Action::ResetAfterRead { bytes: 0 },
        Action::ResetAfterRead { bytes: 1 },
        Action::ResetAfterRead { bytes: size / 2 },
    ]
    .into_iter()
    .enumerate()
    {
        let world = Simulated::new();
        world.dms.whoami().await.unwrap();
        world.fault("upload", action.clone());
        let (result, sent) = send(&world.dms, FOLDER, "large.pdf", n as u128, &Made::new(size, 1)).await;
        let error = result.unwrap_err();
        assert!(sent < size, "{action:?}: {sent}");
        assert!(matches!(error, DmsError::Unavailable(_)), "{action:?}: {error:?}");
        assert_eq!(error.trouble().cause, Cause::Interrupted, "{action:?}: {error}");
        assert_eq!(world.held(), [], "{action:?}");
        world.control.clear_faults();
        assert_eq!(ask(&world.dms, FOLDER, "large.pdf", n as u128).await.unwrap(), Found::No, "{action:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_while_sending_is_the_refusal_not_a_broken_connection() {
    // The limit is noticed early; the server reads on a little and answers.
    let world = Simulated::with("largest_bytes = 100000000");
    world.control.update_switches(|switches| switches.max_upload_bytes = Some(1000));
    let (result, _) = send(&world.dms, FOLDER, "large.pdf", 1, &Made::new(4 << 20, 1)).await;
    let error = result.unwrap_err();
    assert!(matches!(error, DmsError::TooLarge { limit: Some(100_000_000), .. }), "{error:?}");
    // What the settings know is too large is not even sent.
    let small = world.another("largest_bytes = 1000");
    let before = world.calls("upload");
    let (result, sent) = send(&small, FOLDER, "large.pdf", 2, &Made::new(1001, 1)).await;
    assert!(matches!(result, Err(DmsError::TooLarge { limit: Some(1000), .. })), "{result:?}");
    assert_eq!((sent, world.calls("upload")), (0, before));
    assert_eq!(world.held(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_left_in_time() {
    let world = Simulated::new();
    world.dms.whoami().await.unwrap();
    for (n, action) in [Action::Hang {}, Action::Delay { ms: 15_000 }].into_iter().enumerate() {
        world.control.clear_faults();
        world.fault("upload", action.clone());
        world.fault("search_workspaces", action.clone());
        let begun = std::time::Instant::now();
        let error =
            send(&world.dms, FOLDER, "letter.pdf", n as u128, &Made::new(1000, 1)).await.0.unwrap_err();
        assert_eq!(error.trouble().cause, Cause::AnswerLost, "{action:?}: {error}");
        let query = WorkspaceQuery::Title("Harrow v Teal".into());
        let error = world.dms.find_workspaces(&actor(), "", &query, 5).await.unwrap_err();
        assert_eq!(error.trouble().cause, Cause::Interrupted, "{action:?}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(12), "{action:?}: {:?}", begun.elapsed());
    }
    world.control.release();
}

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_and_redirects_are_the_administrators() {
    let world = Simulated::new();
    world.dms.whoami().await.unwrap();
    for (action, cause) in [
        (answer(200, &[], Some(BodyKind::Html)), Cause::LoginPage),
        (
            answer(307, &[("Location", "https://elsewhere.example/")], Some(BodyKind::Empty)),
            Cause::Redirected,
        ),
        (answer(302, &[("Location", "/login")], Some(BodyKind::Html)), Cause::Redirected),
    ] {
        world.control.clear_faults();
        world.fault("upload", action.clone());
        let error = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(1000, 1)).await.0.unwrap_err();
        assert!(matches!(error, DmsError::Misconfigured(_)), "{action:?}: {error:?}");
        assert_eq!(error.trouble().cause, cause, "{action:?}");
    }
    assert_eq!(world.held(), []);
    // A web page instead of a document is told from a document that is a web page.
    world.control.clear_faults();
    let receipt = send(&world.dms, FOLDER, "letter.pdf", 2, &Made::new(1000, 1)).await.0.unwrap();
    world.fault("download", answer(200, &[], Some(BodyKind::Html)));
    let error = world.dms.download(&actor(), "", &receipt.document, None).await.map(drop).unwrap_err();
    assert_eq!(error.trouble().cause, Cause::LoginPage, "{error}");
    let page = send(&world.dms, FOLDER, "page.html", 3, &Made::new(1000, 1)).await.0.unwrap();
    assert!(world.dms.download(&actor(), "", &page.document, None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_come_and_go_do_not_stay_in_the_connector() {
    let world = Simulated::new();
    let faults = [answer(503, &[], None), Action::Close {}, Action::CutAnswer { after: 3 }];
    for operation in ["discovery", "token", "upload"] {
        for action in &faults {
            let (fresh, n) = (world.another(""), u128::from(world.calls("upload")) + 1000);
            world.control.clear_faults();
            world.control.add_fault(Rule::on(operation, action.clone()).fire(Fire::First(1)));
            let first = send(&fresh, FOLDER, "letter.pdf", n, &Made::new(100, 1)).await.0;
            assert!(first.is_err(), "{operation} {action:?}");
            if operation != "upload" {
                assert!(matches!(first, Err(DmsError::Unavailable(_))), "{operation} {action:?}: {first:?}");
            }
            let second = send(&fresh, FOLDER, "letter.pdf", n + 1, &Made::new(100, 1)).await.0;
            assert!(second.is_ok(), "{operation} {action:?}: {second:?}");
        }
    }
}
