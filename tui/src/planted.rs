//! Planted data for tests.

use postroom_api::cause::{CauseLine, CauseView, Causes, Technical};
use postroom_api::event::{ActorView, EventView, HappeningView, SubjectView};
use postroom_api::filing::{AttemptView, FilingDetail, FilingItem, ReceiptView, TargetView};
use postroom_api::pause::PauseView;
use postroom_api::summary::{
    BreakerView, DestinationLine, DoorState, FilingCounts, IntakeCounts, Right, SourceLine, Summary, You,
};
use postroom_api::{BlobHash, FilingId, Fixer, IntakeId, Owner, Role, SaveMode, State, Why};

/// The time on all planted screens.
pub(crate) const NOW: &str = "2026-11-23T14:03:00Z";

fn at(text: &str) -> jiff::Timestamp {
    format!("2026-11-23T{text}Z").parse().unwrap()
}

/// A filing with this number, waiting for its first try.
pub(crate) fn filing(number: u128) -> FilingItem {
    FilingItem {
        id: FilingId::from_u128(number),
        intake: IntakeId::from_u128(number),
        site: "london".parse().unwrap(),
        version: 1,
        state: State::Waiting,
        owner: Owner::Scheduler,
        why: Some(Why::FirstTry),
        due: Some(at("14:03:12")),
        next_step: "Is filed when its turn comes.".into(),
        cause: None,
        tries: 0,
        destination: "dms-eu".parse().unwrap(),
        target: "\"Harrow v Teal\" / Correspondence".into(),
        source: "mail-litigation".parse().unwrap(),
        work_item: None,
        reference: "M-1042".into(),
        sender: "ann@harrow.example".into(),
        subject: format!("Share purchase agreement {number}"),
        file_name: "spa.docx".into(),
        media_type: "application/pdf".into(),
        size: 51_200,
        hash: BlobHash::new([7; 32]),
        received: at("12:03:00"),
        submitted_by: "ann".into(),
        receipt: None,
        duplicate_of: None,
        save_mode: SaveMode::default(),
        released: None,
        taken_by: None,
    }
}

pub(crate) fn no_right() -> CauseView {
    CauseView {
        code: "no_right".into(),
        short: "no right on the workspace or folder".into(),
        sentence:
            "The account may not write there. Ask the DMS team to give it the right, or file elsewhere."
                .into(),
        fixer: Fixer::DmsTeam,
        hint: String::new(),
        technical: Technical {
            status: Some(403),
            request_id: Some("7f31-99".into()),
            detail: "POST folders/EU!22/documents: 403 Forbidden".into(),
        },
    }
}

pub(crate) fn failed(number: u128) -> FilingItem {
    FilingItem {
        state: State::Failed,
        owner: Owner::Person,
        version: 4,
        why: None,
        due: None,
        cause: Some(no_right()),
        tries: 2,
        next_step: "Nothing until you put the cause right and retry, or cancel it.".into(),
        ..filing(number)
    }
}

/// One filing in each state and some with hostile texts, newest first.
pub(crate) fn filings() -> Vec<FilingItem> {
    let mut all = vec![
        FilingItem {
            subject: "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}gnp.exe\u{200b} 件名がとても長い件名がとても長い件名がとても長い".into(),
            sender: "évil\u{9b}31m@example.com".into(),
            ..failed(30)
        },
        FilingItem { subject: "A".repeat(10_000), received: at("14:02:55"), ..filing(29) },
        FilingItem { subject: String::new(), file_name: "scan-0007.pdf".into(), source: "scanner3".parse().unwrap(), received: at("14:01:00"), ..filing(28) },
        FilingItem {
            state: State::Blocked,
            cause: Some(CauseView {
                code: "login_needed".into(),
                short: "the account must sign in again".into(),
                ..no_right()
            }),
            destination: "dms-us".parse().unwrap(),
            due: None,
            ..filing(27)
        },
        FilingItem { state: State::Running, owner: Owner::Worker, due: None, tries: 1, ..filing(26) },
        FilingItem { state: State::Checking, owner: Owner::Worker, tries: 1, ..filing(25) },
        FilingItem { state: State::Undecided, owner: Owner::Person, due: None, tries: 1, ..filing(24) },
        FilingItem { state: State::Held, owner: Owner::Person, due: None, ..filing(23) },
        FilingItem {
            state: State::Filed,
            owner: Owner::Nobody,
            due: None,
            why: None,
            next_step: "Nothing: it is in the DMS.".into(),
            tries: 1,
            receipt: Some(ReceiptView {
                document: "EU!4711.1".into(),
                version: Some("1".into()),
                container: "EU!22".into(),
                link: Some("https://dms.example/EU!4711.1".into()),
            }),
            ..filing(22)
        },
        FilingItem {
            state: State::Duplicate,
            owner: Owner::Nobody,
            due: None,
            duplicate_of: Some(FilingId::from_u128(22)),
            ..filing(21)
        },
        FilingItem { state: State::Cancelled, owner: Owner::Nobody, due: None, ..filing(20) },
        FilingItem {
            why: Some(Why::BackOff),
            cause: Some(CauseView { code: "server_fault".into(), short: "the DMS has a fault".into(), ..no_right() }),
            due: Some(at("14:05:00")),
            tries: 3,
            ..filing(19)
        },
    ];
    all.extend((1..=18).rev().map(failed));
    all
}

pub(crate) fn detail(item: FilingItem) -> FilingDetail {
    let event = |seq, time: &str, words: &str, name: &str, note: &str| EventView {
        seq,
        at: at(time),
        site: None,
        subject: SubjectView { kind: "filing".into(), id: item.id.to_string() },
        happening: HappeningView { kind: "filing".into(), words: words.into(), ..HappeningView::default() },
        actor: ActorView { name: name.into(), on_behalf_of: None, credential: None },
        note: note.into(),
    };
    let attempt = |number, start: &str, end: &str| AttemptView {
        number,
        started: at(start),
        ended: Some(at(end)),
        outcome: "failed".into(),
        cause: Some(no_right()),
        bytes_sent: 51_200,
        probed: false,
    };
    FilingDetail {
        place: TargetView {
            service: "dms-eu".parse().unwrap(),
            repository: Some("matters".into()),
            library: "EU".into(),
            workspace: "\"Harrow v Teal\"".into(),
            folder: vec!["Correspondence".into()],
            profile: [
                ("custom1".to_owned(), "HARROW".to_owned()),
                ("custom2".to_owned(), "M-1042".to_owned()),
            ]
            .into(),
        },
        attempts: vec![attempt(1, "12:03:01.200", "12:03:02.050"), attempt(2, "12:03:17", "12:03:17.400")],
        events: vec![
            event(11, "12:03:00", "planned, waiting", "hot-folder", ""),
            event(12, "12:03:01", "waiting → running", "engine", ""),
            event(13, "12:03:02", "running → waiting: no right on the workspace or folder", "engine", ""),
            event(
                15,
                "12:03:17",
                "running → failed: no right on the workspace or folder",
                "engine",
                "told \u{1b}[31mthe DMS team",
            ),
        ],
        remarks: postroom_api::remark::Remarks::default(),
        item,
    }
}

pub(crate) fn you(role: Role) -> You {
    let permissions = match role {
        Role::User => vec![Right::File],
        Role::Support => vec![Right::File, Right::SeeAll, Right::Decide],
        Role::Operator | Role::Admin => {
            vec![Right::File, Right::SeeAll, Right::Decide, Right::Pause, Right::EditWorkItems]
        }
    };
    let site = "london".parse().unwrap();
    You {
        name: "ann".into(),
        roles: vec![role.name()],
        site,
        also_sites: Vec::new(),
        all_sites: false,
        permissions,
    }
}

pub(crate) fn summary() -> Summary {
    let source = |name: &str, filings, last_hour, oldest_seconds| SourceLine {
        name: name.parse().unwrap(),
        kind: "mailbox".into(),
        filings,
        last_hour,
        oldest_seconds,
        state: DoorState::Ok,
        note: String::new(),
        pause: None,
    };
    let destination = |name: &str, filings, oldest_seconds| DestinationLine {
        name: name.parse().unwrap(),
        kind: "imanage".into(),
        filings,
        oldest_seconds,
        state: DoorState::Ok,
        note: String::new(),
        pause: None,
        breaker: BreakerView { state: "closed".into(), ..BreakerView::default() },
        limit: 8,
        in_flight: 4,
    };
    let counts = |waiting, running, failed, filed| FilingCounts {
        waiting,
        running,
        failed,
        filed,
        ..FilingCounts::default()
    };
    Summary {
        you: you(Role::Operator),
        name: "Postroom".into(),
        version: "0.1.0".into(),
        now: NOW.parse().unwrap(),
        filings: FilingCounts {
            waiting: 824,
            blocked: 12,
            running: 4,
            checking: 1,
            undecided: 3,
            held: 2,
            failed: 42,
            filed: 1_042_117,
            duplicate: 9,
            cancelled: 1,
        },
        intakes: IntakeCounts { settled: 1000, needs_person: 7, split: 12, ..IntakeCounts::default() },
        oldest_seconds: Some(2_460),
        sources: vec![
            source("mail-litigation", counts(12, 4, 3, 500), Some(41), Some(120)),
            SourceLine {
                state: DoorState::Paused,
                note: "by ann: scanner is being repaired".into(),
                pause: Some(PauseView {
                    by: "ann".into(),
                    reason: "scanner is being repaired".into(),
                    since: at("13:00:00"),
                    until: None,
                }),
                ..source("scanner3", counts(812, 0, 39, 90), Some(0), Some(2_460))
            },
            source("upload", counts(0, 0, 0, 1_041_527), None, None),
        ],
        destinations: vec![
            destination("dms-eu", counts(12, 4, 39, 900_000), Some(540)),
            DestinationLine {
                state: DoorState::Open,
                note: "the DMS cannot be reached".into(),
                breaker: BreakerView {
                    state: "open".into(),
                    since: Some(at("13:22:00")),
                    retry_at: Some(at("14:03:40")),
                    cause: Some(CauseView {
                        code: "unreachable".into(),
                        short: "the DMS cannot be reached".into(),
                        ..no_right()
                    }),
                },
                in_flight: 0,
                ..destination("dms-us", counts(812, 0, 3, 142_117), Some(2_460))
            },
        ],
        last_event: 99,
    }
}

pub(crate) fn causes() -> Causes {
    let line = |cause: CauseView, destination: &str, count, need_person| CauseLine {
        filter: format!("cause:{} dest:{destination} -state:cancelled", cause.code),
        cause,
        destination: destination.parse().unwrap(),
        count,
        need_person,
        first: at("09:12:00"),
        last: at("13:58:00"),
    };
    Causes {
        items: vec![
            line(
                CauseView {
                    code: "unreachable".into(),
                    short: "the DMS cannot be reached".into(),
                    fixer: Fixer::DmsTeam,
                    ..no_right()
                },
                "dms-us",
                812,
                0,
            ),
            line(no_right(), "dms-eu", 38, 38),
            line(
                CauseView {
                    code: "target_closed".into(),
                    short: "the workspace is closed".into(),
                    fixer: Fixer::Operator,
                    ..no_right()
                },
                "dms-eu",
                4,
                4,
            ),
        ],
        next: None,
    }
}
