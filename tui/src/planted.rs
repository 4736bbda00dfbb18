//! Planted data for tests.

use postroom_api::ages::{AgeLine, Ages};
use postroom_api::bulk::{BulkAction, BulkItem, BulkOutcome, BulkState, BulkView, CountLine, Pace};
use postroom_api::cause::{CauseLine, CauseView, Causes, Technical};
use postroom_api::data_upload::{CountsView, DataUploadView, PassView};
use postroom_api::event::{ActorView, EventView, HappeningView, SubjectView};
use postroom_api::filing::{AttemptView, FilingDetail, FilingItem, ReceiptView, TargetView};
use postroom_api::intake::{
    AllocatedView, DocumentView, IntakeDetail, IntakeItem, NeedsView, SuggestionView,
};
use postroom_api::link::LinkView;
use postroom_api::pause::PauseView;
use postroom_api::preview::{Preview, PreviewPart};
use postroom_api::remark::{NoteView, Remarks};
use postroom_api::summary::{
    BreakerView, DestinationLine, DoorState, FilingCounts, IntakeCounts, Right, SourceLine, Summary, You,
};
use postroom_api::view::ViewItem;
use postroom_api::{
    BlobHash, BulkId, DataState, DataUploadId, FilingId, Fixer, IntakeId, IntakeState, LinkId, Owner,
    PersonId, Role, SaveMode, State, Why, WorkItemId,
};

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
        kind: match name {
            "upload" => "upload".into(),
            "scanner3" => "hot folder".into(),
            _ => "mailbox".into(),
        },
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

/// An arrival with this number, which needs a person.
pub(crate) fn arrival(number: u128) -> IntakeItem {
    IntakeItem {
        id: IntakeId::from_u128(number),
        site: "london".parse().unwrap(),
        version: 2,
        state: IntakeState::NeedsPerson,
        source: "mail-litigation".parse().unwrap(),
        received: at("13:40:00"),
        submitted_by: "mailbox".into(),
        subject: format!("RE: completion statement {number}"),
        sender: "ann@harrow.example".into(),
        work_item_given: String::new(),
        work_item: None,
        also_in: Vec::new(),
        area: "inbound_email".into(),
        documents: vec![DocumentView {
            file_name: "message.eml".into(),
            media_type: "message/rfc822".into(),
            size: 18_300,
            hash: BlobHash::new([9; 32]),
        }],
        part_of: None,
        parts: 0,
        needs: Some(NeedsView {
            code: "no_work_item".into(),
            text: "No rule found the matter that it belongs to.".into(),
        }),
        allocated: None,
        filings: 0,
        open_filings: 0,
    }
}

/// Arrivals in each state and some with hostile texts, newest first.
pub(crate) fn arrivals() -> Vec<IntakeItem> {
    let given = |person: &str| {
        Some(AllocatedView { person: Some(person.into()), team: None, by_hand: true, since: at("13:50:00") })
    };
    vec![
        IntakeItem {
            subject: "\u{1b}[2J\u{202e}gnp.exe 件名がとても長い件名がとても長い件名".into(),
            state: IntakeState::Quarantined,
            needs: Some(NeedsView {
                code: "malware".into(),
                text: "The scanner found Eicar-Test-Signature in invoice.zip.".into(),
            }),
            ..arrival(9)
        },
        IntakeItem { allocated: given("ben"), ..arrival(8) },
        IntakeItem {
            source: "scanner3".parse().unwrap(),
            subject: String::new(),
            sender: String::new(),
            needs: Some(NeedsView {
                code: "unreadable_sheet".into(),
                text: "The cover sheet on page 3 cannot be read.".into(),
            }),
            documents: vec![DocumentView {
                file_name: "scan-0008.pdf".into(),
                media_type: "application/pdf".into(),
                size: 2_400_000,
                hash: BlobHash::new([8; 32]),
            }],
            ..arrival(7)
        },
        IntakeItem { state: IntakeState::Stored, needs: None, ..arrival(6) },
        IntakeItem { state: IntakeState::Split, needs: None, filings: 3, open_filings: 1, ..arrival(5) },
        IntakeItem {
            state: IntakeState::Split,
            needs: None,
            parts: 4,
            filings: 4,
            open_filings: 2,
            ..arrival(4)
        },
        IntakeItem { state: IntakeState::Settled, needs: None, filings: 2, ..arrival(3) },
        IntakeItem { state: IntakeState::Dismissed, needs: None, ..arrival(2) },
        arrival(1),
    ]
}

pub(crate) fn arrival_detail(item: IntakeItem) -> IntakeDetail {
    let suggestion = |number, reference: &str, title: &str, reason: &str, open| SuggestionView {
        work_item: WorkItemId::from_u128(number),
        reference: reference.into(),
        title: title.into(),
        open,
        score: 10,
        reasons: vec![reason.into()],
    };
    IntakeDetail {
        note: String::new(),
        trace: vec![
            "thread: no letter of this thread was filed before".into(),
            "luggage tag: none in the subject".into(),
            "reference M-1042 in the body: two open work items have it".into(),
        ],
        letter: None,
        sections: Vec::new(),
        suggestions: vec![
            suggestion(
                1,
                "M-1042",
                "Harrow v Teal",
                "the sender is a participant; 14 letters of theirs are there",
                true,
            ),
            suggestion(2, "M-0990", "Harrow lease", "the sender is a participant", false),
        ],
        filing_items: if item.filings > 0 { vec![failed(18), filing(17)] } else { Vec::new() },
        events: detail(filing(1)).events,
        remarks: Remarks {
            taken_by: None,
            taken: None,
            notes: vec![NoteView {
                at: at("13:55:00"),
                by: "ben".into(),
                text: "asked \u{1b}[31mthe partner".into(),
            }],
        },
        item,
    }
}

pub(crate) fn ages() -> Ages {
    let line = |name: &str, counts: [u64; 7], more| AgeLine {
        destination: name.parse().unwrap(),
        total: counts.iter().sum(),
        counts: counts.to_vec(),
        more,
    };
    Ages {
        columns: postroom_api::ages::BOUNDS.into_iter().map(Some).chain([None]).collect(),
        items: vec![
            line("dms-eu", [8, 3, 5, 0, 39, 0, 0], false),
            line("dms-us", [0, 12, 800, 3, 0, 0, 1], true),
        ],
    }
}

pub(crate) fn links() -> Vec<LinkView> {
    let link = |number, person: Option<u128>, who: &str| LinkView {
        id: LinkId::from_u128(number),
        version: 1,
        service: "dms-eu".parse().unwrap(),
        person: person.map(PersonId::from_u128),
        made_by: who.into(),
        account: who.to_uppercase(),
        account_email: format!("{who}@firm.example"),
        state: "active".into(),
        reason: None,
        broken_since: None,
        linked: at("08:00:00"),
        renewed: at("13:00:00"),
        ends: None,
        pause: None,
    };
    vec![
        link(1, None, "ann"),
        LinkView { ends: Some("2026-11-25T09:00:00Z".parse().unwrap()), ..link(2, Some(2), "ben") },
        LinkView {
            state: "broken".into(),
            reason: Some("the service takes its refresh token no more (invalid_grant)".into()),
            broken_since: Some(at("12:30:00")),
            ..link(3, Some(3), "cleo")
        },
        LinkView {
            pause: Some(PauseView {
                by: "ann".into(),
                reason: "the DMS team asks for a rest".into(),
                since: at("12:50:00"),
                until: Some("2026-11-23T18:00:00Z".parse().unwrap()),
            }),
            ..link(4, Some(4), "dora")
        },
    ]
}

pub(crate) fn tables() -> Vec<DataUploadView> {
    let pass = |rows, created, rejected| PassView {
        began: at("11:00:00"),
        ended: Some(at("11:00:09")),
        rows,
        counts: CountsView { created, updated: 0, unchanged: rows - created - rejected, rejected },
    };
    let table = |number, name: &str| DataUploadView {
        id: DataUploadId::from_u128(number),
        site: "london".parse().unwrap(),
        owner: "ann".into(),
        file_name: name.into(),
        size: 120_000,
        format: "csv".into(),
        mapping: "matters".into(),
        state: DataState::Loaded,
        problem: String::new(),
        rows: Some(1200),
        check: None,
        load: Some(pass(1200, 1190, 0)),
        created: at("11:00:00"),
    };
    vec![
        DataUploadView { load: Some(pass(1200, 1100, 7)), ..table(2, "matters-2.csv") },
        table(1, "matters.csv"),
    ]
}

pub(crate) fn views() -> Vec<ViewItem> {
    vec![
        ViewItem {
            name: "US failures".into(),
            screen: "filings".into(),
            q: "state:failed dest:dms-us".into(),
        },
        ViewItem { name: "my scans".into(), screen: "scanning".into(), q: "for:me".into() },
    ]
}

pub(crate) fn preview() -> Preview {
    Preview {
        document: arrival(1).documents.remove(0),
        kind: "mail".into(),
        head: vec![("From".into(), "ann@harrow.example".into()), ("Subject".into(), "RE: completion".into())],
        text: "Dear Ben,\n\nplease find the statement enclosed.\u{1b}[31m\n".into(),
        more: true,
        parts: vec![PreviewPart {
            file_name: "statement.pdf".into(),
            media_type: "application/pdf".into(),
            size: 51_200,
        }],
        pages: None,
        why_not: String::new(),
    }
}

/// A set that was frozen: 36 of 38 can be retried.
pub(crate) fn bulk(action: BulkAction, total: u64) -> BulkView {
    let line = |name: &str, words: &str, count| CountLine { name: name.into(), words: words.into(), count };
    BulkView {
        id: BulkId::from_u128(77),
        version: 1,
        action,
        state: BulkState::Frozen,
        scope: format!("all {total} that match cause:no_right dest:dms-eu -state:cancelled"),
        q: Some("cause:no_right dest:dms-eu -state:cancelled".into()),
        by: "ann".into(),
        created: at("14:03:00"),
        reason: String::new(),
        pace: Pace::Limit,
        told: None,
        begins: None,
        ended: None,
        total,
        will: total - 2,
        will_not: vec![line("running", "it is being worked on right now", 2)],
        by_state: vec![line("failed", "", total - 2), line("running", "", 2)],
        by_destination: vec![line("dms-eu", "", total)],
        by_cause: vec![line("no_right", "no right on the workspace or folder", total)],
        done: 0,
        skipped: 0,
        failed: 0,
        waiting: total,
    }
}

pub(crate) fn losers() -> Vec<BulkItem> {
    let item = |number: u128, why: &str| BulkItem {
        id: FilingId::from_u128(number),
        version: 4,
        state: State::Failed,
        destination: "dms-eu".parse().unwrap(),
        name: format!("Share purchase agreement {number}"),
        outcome: BulkOutcome::Skipped,
        why: why.into(),
    };
    vec![item(18, "it changed meanwhile: it is filed now"), item(17, "it is being worked on right now")]
}
