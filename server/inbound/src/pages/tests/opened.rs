//! Batches on their way through the house: taken in, opened by the reader, and each part where it belongs or with a person.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postroom_domain::ids::{BlobHash, IdMint, IntakeId, WorkItemId};
use postroom_domain::intake::{Document, Intake, IntakeState};
use postroom_domain::letter::Envelope;
use postroom_domain::luggage::{Luggage, LuggageSecret, LuggageSettings};
use postroom_domain::mailroom::Mailroom;
use postroom_domain::person::Actor;
use postroom_domain::plan::Rules;
use postroom_domain::reception::letters::Delivery;
use postroom_domain::reception::{Arrival, Reception};
use postroom_domain::repository::{Area, DuplicateRule, Repository, ResolverConfig};
use postroom_domain::sheets::{NoPicture, Sheet as Printed, Sheets as _};
use postroom_domain::split;
use postroom_domain::spool::Spool as _;
use postroom_domain::store::{Accepted, IdempotencyKey, Store};
use postroom_domain::target::{SaveMode, WhenAmbiguous};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::work_item::{Client, WorkItem};
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};

use super::files::{pdf_of_pictures, tiff_fax};
use super::sheets::{Kind, Sheet, code_128, sheet};
use super::{Dice, key};
use crate::pages::{
    BehindSeparator, BlankPages, Cover, CoverKey, Gray, Kinds, PageDesk, PageLimits, Scan, SplitRules,
    payload,
};
use crate::reader::{self, BatchOptions, BatchRules, ReaderOptions};

const DOTS: u32 = 150;

/// A page of a batch.
#[derive(Debug, Clone, Copy)]
enum Page {
    /// Something that was written.
    Text,
    Blank,
    /// A cover sheet for this reference.
    Cover(&'static str),
    /// One of the site `paris`.
    OfParis(&'static str),
    /// One that was printed by another Postroom.
    Foreign(&'static str),
    Patch,
    /// A cover sheet with two of them on it.
    Two(&'static str, &'static str),
    /// A code that nobody can read.
    Torn,
}

fn text_of(site: &str, reference: &str, key: &CoverKey) -> String {
    payload(&Cover { site: site.to_owned(), reference: reference.to_owned() }, key).unwrap()
}

fn page(page: Page, dice: &mut Dice) -> Gray {
    let with_code = |text: String, dice: &mut Dice| {
        let mut sheet = Sheet::blank(DOTS);
        sheet.qr(&text, (30.0, 30.0), 40.0);
        sheet.text((20.0, 120.0), 8, dice);
        sheet.done()
    };
    match page {
        Page::Text => {
            let mut sheet = Sheet::blank(DOTS);
            sheet.text((20.0, 40.0), 12, dice);
            sheet.done()
        }
        Page::Blank => Sheet::blank(DOTS).done(),
        Page::Cover(reference) => with_code(text_of("main", reference, &key()), dice),
        Page::OfParis(reference) => with_code(text_of("paris", reference, &key()), dice),
        Page::Foreign(reference) => with_code(text_of("main", reference, &CoverKey::new([1; 32])), dice),
        Page::Patch => sheet(Kind::PatchT, "-", DOTS, dice).done(),
        Page::Two(one, other) => {
            let mut sheet = Sheet::blank(DOTS);
            sheet.qr(&text_of("main", one, &key()), (20.0, 20.0), 40.0);
            sheet.bars(&code_128(&text_of("main", other, &key())), (20.0, 90.0), 0.42, 18.0);
            sheet.done()
        }
        Page::Torn => {
            let mut sheet = sheet(Kind::Qr, "M-1", DOTS, dice);
            super::damage::ruin(&mut sheet);
            sheet.done()
        }
    }
}

struct World {
    _data: tempfile::TempDir,
    spool: FileSpool,
    store: Arc<MemoryStore>,
    mailroom: Arc<Mailroom>,
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let spool = FileSpool::open(data.path(), &options, clock.clone()).unwrap();
        let store = Arc::new(MemoryStore::new());
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            mint: Arc::new(IdMint::after(1_000)),
            rules: Arc::new(Rules {
                repositories: vec![repository()],
                areas: BTreeMap::from([("scans".parse().unwrap(), Area::Scanning)]),
                ..Rules::default()
            }),
            accounts: Arc::new(postroom_domain::link::SystemOnly),
            spool: Arc::new(spool.clone()),
            opens_all: false,
            allocator: None,
        });
        let luggage = Luggage::new(LuggageSecret::new([3; 32]), &LuggageSettings::default());
        let mailroom = Arc::new(Mailroom {
            reception,
            luggage,
            matching: None,
            split: split::Rules::new(split::SplitSettings::default()).unwrap(),
            zone: jiff::tz::TimeZone::UTC,
        });
        let world = Self { _data: data, spool, store, mailroom };
        for (number, reference, open) in
            [(1, "M-1", true), (2, "M-2", true), (3, "M-3", true), (4, "M-4", false)]
        {
            let item = work_item(number, reference, open);
            let at = "2026-11-23T09:00:00Z".parse().unwrap();
            world.store.save_work_item(item, Vec::new(), &Actor::person("ann"), at).await.unwrap();
        }
        world
    }

    async fn take_in(&self, name: &str, bytes: Vec<u8>, given: Option<&str>) -> IntakeId {
        let mut draft = self.spool.draft().await.unwrap();
        draft.write(Bytes::from(bytes)).await.unwrap();
        let blob = draft.seal().await.unwrap();
        let arrival = Arrival {
            site: "main".parse().unwrap(),
            source: "scans".parse().unwrap(),
            submitted_by: "hot-folder".to_owned(),
            subject: String::new(),
            sender: "scans".to_owned(),
            note: String::new(),
            work_item: given.map(str::to_owned),
            area: Some("scanning".to_owned()),
            documents: vec![Document {
                file_name: name.to_owned(),
                media_type: "application/pdf".to_owned(),
                blob,
            }],
            key: None,
            forced: false,
            batch: true,
            save_mode: None,
            document_key: String::new(),
            remarks: Vec::new(),
        };
        match self.mailroom.reception.accept(arrival, &Actor::system("hot-folder", None)).await.unwrap() {
            Accepted::Fresh(intake, filings) => {
                assert_eq!((intake.state, filings.len()), (IntakeState::Stored, 0), "it is opened first");
                intake.id
            }
            Accepted::Again(id) => id,
        }
    }

    /// What became of an intake after the reader has opened it.
    async fn opened(&self, id: IntakeId, rules: BatchRules) -> Intake {
        let rules = BTreeMap::from([("scans".parse().unwrap(), rules)]);
        let batches = Some(BatchOptions { key: key(), rules });
        let options = ReaderOptions { batches, largest: 100 << 20, ..ReaderOptions::default() };
        let reader = reader::start(options, self.mailroom.clone(), Arc::new(self.spool.clone()));
        let mut seen = 0;
        let intake = loop {
            let intake = self.store.intake(id).await.unwrap().unwrap();
            if intake.state != IntakeState::Stored {
                break intake;
            }
            seen = self.store.wait_beyond(seen, Duration::from_millis(200)).await;
        };
        reader.stop().await;
        intake
    }

    async fn bytes(&self, document: &Document) -> Vec<u8> {
        let content = self.spool.content(document.blob).await.unwrap();
        let chunks: Vec<Bytes> =
            futures_util::TryStreamExt::try_collect(content.open().await.unwrap()).await.unwrap();
        chunks.concat()
    }

    /// Each part: its name, how many pages it has, and its work item or the code of why a person is asked.
    async fn parts(&self, batch: &Intake) -> Vec<(String, usize, String)> {
        let mut parts = Vec::new();
        for id in &batch.sections {
            let part = self.store.intake(*id).await.unwrap().unwrap();
            assert_eq!((part.part_of, part.documents.len(), &part.site), (Some(batch.id), 1, &batch.site));
            let document = &part.documents[0];
            let scan = Scan::open(Arc::new(self.bytes(document).await), PageLimits::default()).unwrap();
            let filings = self.store.intake_filings(*id).await.unwrap();
            let whose = match (&part.needs, part.work_item) {
                (None, Some(_)) => {
                    assert_eq!((part.state, filings.len()), (IntakeState::Split, 1));
                    assert_eq!(filings[0].request.reference, part.work_item_given);
                    part.work_item_given.clone()
                }
                (Some(needs), _) => {
                    assert_eq!((part.state, filings.len()), (IntakeState::NeedsPerson, 0));
                    needs.code.clone()
                }
                (None, None) => panic!("{part:#?}"),
            };
            parts.push((document.file_name.clone(), scan.pages(), whose));
        }
        parts
    }
}

fn repository() -> Repository {
    Repository {
        name: "scans".parse().unwrap(),
        area: Area::Scanning,
        work_type: None,
        service: "files".parse().unwrap(),
        library: String::new(),
        resolver: ResolverConfig::parse("default", "[workitem.reference]").unwrap(),
        folder: Vec::new(),
        create_folders: true,
        profile: BTreeMap::new(),
        when_ambiguous: WhenAmbiguous::Ask,
        create_workspace: false,
        required: None,
        blocked: postroom_domain::block_list::BlockList::default(),
        save_mode: SaveMode::Copy,
        duplicate: DuplicateRule::Skip,
    }
}

fn work_item(number: u128, reference: &str, open: bool) -> WorkItem {
    WorkItem {
        id: WorkItemId::from_u128(number),
        reference: reference.to_owned(),
        title: "A matter".to_owned(),
        work_type: "matter".to_owned(),
        site: "main".parse().unwrap(),
        open,
        phase: String::new(),
        client: Client::default(),
        attributes: BTreeMap::new(),
        participants: Vec::new(),
        origin: None,
        zone: String::new(),
        version: 1,
        changed: "2026-11-23T09:00:00Z".parse().unwrap(),
    }
}

use Page::{Blank, Cover as For, Foreign, OfParis, Patch, Text, Torn, Two};

/// The batch, the work item that it was handed in for, and its parts: name, pages, and whose or why a person is asked.
type Case = (&'static str, &'static [Page], Option<&'static str>, Parts);
/// Name, pages, and whose or why a person is asked.
type Parts = &'static [(&'static str, usize, &'static str)];

const CASES: &[Case] = &[
    (
        "three matters",
        &[For("M-1"), Text, Text, For("M-2"), Text, For("M-3"), Text, Text],
        None,
        &[("scan p2-3.pdf", 2, "M-1"), ("scan p5.pdf", 1, "M-2"), ("scan p7-8.pdf", 2, "M-3")],
    ),
    (
        "backs of sheets, double separators and one on the last page make no documents",
        &[For("M-1"), Blank, Text, Patch, Patch, Blank, Text, Patch],
        None,
        &[("scan p3.pdf", 1, "M-1"), ("scan p7.pdf", 1, "M-1")],
    ),
    (
        "pages before the first sheet",
        &[Text, For("M-1"), Text],
        None,
        &[("scan p1.pdf", 1, "no_cover_sheet"), ("scan p3.pdf", 1, "M-1")],
    ),
    (
        "a sheet that cannot be read hides whose the pages behind it are, until the next",
        &[For("M-1"), Text, Torn, Text, Patch, Text, For("M-2"), Text],
        None,
        &[
            ("scan p2.pdf", 1, "M-1"),
            ("scan p3-4.pdf", 2, "unread_code"),
            ("scan p6.pdf", 1, "unread_code"),
            ("scan p8.pdf", 1, "M-2"),
        ],
    ),
    (
        "two work items on one sheet",
        &[For("M-3"), Text, Two("M-1", "M-2"), Text],
        None,
        &[("scan p2.pdf", 1, "M-3"), ("scan p3-4.pdf", 2, "contradiction")],
    ),
    (
        "unknown, of another site, of another Postroom, closed",
        &[For("M-9"), Text, OfParis("M-1"), Text, Foreign("M-1"), Text, For("M-4"), Text],
        None,
        &[
            ("scan p1-2.pdf", 2, "unknown_work_item"),
            ("scan p3-4.pdf", 2, "unknown_work_item"),
            ("scan p5-6.pdf", 2, "doubtful_sheet"),
            ("scan p8.pdf", 1, "closed_work_item"),
        ],
    ),
    (
        "a sheet with nothing behind it between others",
        &[For("M-1"), For("M-2"), Text],
        None,
        &[("scan p1.pdf", 1, "nothing_behind"), ("scan p3.pdf", 1, "M-2")],
    ),
    (
        "sheets behind their documents are seen by the last one",
        &[Text, For("M-1"), Text, For("M-2")],
        None,
        &[
            ("scan p1.pdf", 1, "no_cover_sheet"),
            ("scan p3.pdf", 1, "sheets_behind"),
            ("scan p4.pdf", 1, "nothing_behind"),
        ],
    ),
    (
        "what is named for one and has a sheet for another",
        &[Text, Patch, Text, For("M-2"), Text],
        Some("M-1"),
        &[("scan p1.pdf", 1, "M-1"), ("scan p3.pdf", 1, "M-1"), ("scan p5.pdf", 1, "contradiction")],
    ),
];

#[tokio::test]
async fn parts_go_where_their_sheets_say_and_nowhere_else() {
    for (name, pages, given, wanted) in CASES {
        let world = World::new().await;
        let mut dice = Dice::new(5);
        let bytes = pdf_of_pictures(&pages.iter().map(|it| page(*it, &mut dice)).collect::<Vec<_>>());
        let id = world.take_in("scan.pdf", bytes.clone(), *given).await;
        let batch = world.opened(id, BatchRules::default()).await;
        let parts = world.parts(&batch).await;
        let parts: Vec<(&str, usize, &str)> =
            parts.iter().map(|(name, pages, whose)| (name.as_str(), *pages, whose.as_str())).collect();
        assert_eq!(parts, *wanted, "{name}: {:#?}", batch.trace);
        assert_eq!(batch.state, IntakeState::Split, "{name}");
        assert_eq!(usize::try_from(batch.open_filings).unwrap(), wanted.len(), "{name}");
        assert_eq!(world.bytes(&batch.documents[0]).await, bytes, "{name}: the original is as it came");
    }
}

/// A batch that is not divided, and what became of it.
#[tokio::test]
async fn what_cannot_be_divided_stays_whole_with_the_reason() {
    let mut dice = Dice::new(6);
    let mut pdf =
        |pages: &[Page]| pdf_of_pictures(&pages.iter().map(|it| page(*it, &mut dice)).collect::<Vec<_>>());
    let plain = pdf(&[Text, Text]);
    let blank = pdf(&[Blank, Patch, Blank]);
    let sheets = pdf(&[For("M-1"), Text, For("M-2"), Text]);
    let signed =
        [sheets.clone(), b"\n99 0 obj\n<< /Type /Sig /ByteRange [0 1 2 3] >>\nendobj\n".to_vec()].concat();
    let few =
        BatchRules { limits: PageLimits { pages: 3, ..PageLimits::default() }, ..BatchRules::default() };
    let small = BatchRules { largest: 100, ..BatchRules::default() };
    let hurried = BatchRules { patience: Duration::ZERO, ..BatchRules::default() };
    let usual = BatchRules::default();
    let cases: [(&str, Vec<u8>, Option<&str>, BatchRules, Result<&str, &str>); 11] = [
        ("no sheets at all", plain.clone(), None, usual, Err("no_work_item")),
        ("no sheets at all, named", plain, Some("M-1"), usual, Ok("M-1")),
        ("nothing but paper", blank, Some("M-1"), usual, Err("nothing_in_it")),
        ("too many pages", sheets.clone(), None, few, Err("not_divided")),
        ("too many pages, named", sheets.clone(), Some("M-1"), few, Ok("M-1")),
        ("too large", sheets.clone(), None, small, Err("not_divided")),
        ("too slow", sheets.clone(), None, hurried, Err("not_divided")),
        ("no scan", b"PK\x03\x04 and more".to_vec(), None, usual, Err("not_divided")),
        ("broken", sheets[..sheets.len() / 3].to_vec(), None, usual, Err("not_divided")),
        ("broken, named", b"%PDF-1.7\nnothing".to_vec(), Some("M-2"), usual, Ok("M-2")),
        ("signed, named, with sheets in it", signed, Some("M-1"), usual, Err("not_divided")),
    ];
    for (name, bytes, given, rules, wanted) in cases {
        let world = World::new().await;
        let id = world.take_in("scan.pdf", bytes.clone(), given).await;
        let batch = world.opened(id, rules).await;
        let filings = world.store.intake_filings(id).await.unwrap();
        assert_eq!(batch.sections, [], "{name}");
        match wanted {
            Ok(reference) => {
                assert_eq!((batch.state, filings.len()), (IntakeState::Split, 1), "{name}: {batch:#?}");
                assert_eq!(filings[0].request.reference, reference, "{name}");
                assert_eq!(filings[0].request.blob, batch.documents[0].blob, "{name}: as it came");
            }
            Err(code) => {
                let needs = batch.needs.as_ref().unwrap_or_else(|| panic!("{name}: {batch:#?}"));
                assert_eq!((needs.code.as_str(), filings.len()), (code, 0), "{name}: {needs:?}");
            }
        }
        assert_eq!(world.bytes(&batch.documents[0]).await, bytes, "{name}");
    }
}

#[tokio::test]
async fn the_rules_of_a_source_are_heeded() {
    let pages = [For("M-1"), Text, Blank, Patch, Text, Blank];
    let mut dice = Dice::new(7);
    let pictures: Vec<Gray> = pages.iter().map(|it| page(*it, &mut dice)).collect();
    let rules = |split: SplitRules, kinds: Kinds| BatchRules { kinds, split, ..BatchRules::default() };
    let usual = SplitRules::default();
    let no_patch = Kinds { patch_t: false, ..Kinds::default() };
    let nobody = SplitRules { behind_separator: BehindSeparator::Nobody, ..usual };
    let no_blanks = SplitRules { blanks: BlankPages::Drop, ..usual };
    let cases: [(&str, BatchRules, Parts); 4] = [
        (
            "as usual",
            rules(usual, Kinds::default()),
            &[("scan p2-3.tif", 2, "M-1"), ("scan p5-6.tif", 2, "M-1")],
        ),
        (
            "no blanks",
            rules(no_blanks, Kinds::default()),
            &[("scan p2.tif", 1, "M-1"), ("scan p5.tif", 1, "M-1")],
        ),
        ("no patch codes", rules(usual, no_patch), &[("scan p2-6.tif", 5, "M-1")]),
        (
            "nobody's",
            rules(nobody, Kinds::default()),
            &[("scan p2-3.tif", 2, "M-1"), ("scan p5-6.tif", 2, "no_cover_sheet")],
        ),
    ];
    for (name, rules, wanted) in cases {
        let world = World::new().await;
        let id = world.take_in("scan.tif", tiff_fax(&pictures, 4), None).await;
        let batch = world.opened(id, rules).await;
        let parts = world.parts(&batch).await;
        let parts: Vec<(&str, usize, &str)> =
            parts.iter().map(|(name, pages, whose)| (name.as_str(), *pages, whose.as_str())).collect();
        assert_eq!(parts, wanted, "{name}: {:#?}", batch.trace);
    }
}

/// A scanner sends its batch by e-mail; a letter without cover sheets stays a letter.
#[tokio::test]
async fn letters_of_scanners_are_divided_too() {
    let mut dice = Dice::new(9);
    let mut pdf =
        |pages: &[Page]| pdf_of_pictures(&pages.iter().map(|it| page(*it, &mut dice)).collect::<Vec<_>>());
    let batch = pdf(&[For("M-1"), Text, For("M-2"), Text]);
    let plain = pdf(&[Text]);
    for (scan, wanted) in [(batch, 3), (plain, 0)] {
        let world = World::new().await;
        let coded = <base64ct::Base64 as base64ct::Encoding>::encode_string(&scan);
        let letter = format!(
            "From: scanner@firm.example\r\nSubject: Scan\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nA scan.\r\n\
             --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"scan.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{coded}\r\n--b\r\nContent-Type: text/csv\r\n\
             Content-Disposition: attachment; filename=\"list.csv\"\r\n\r\na,b\r\n--b--\r\n"
        );
        let mut draft = world.spool.draft().await.unwrap();
        draft.write(Bytes::from(letter.clone())).await.unwrap();
        let delivery = Delivery {
            site: "main".parse().unwrap(),
            source: "scans".parse().unwrap(),
            submitted_by: "smtp".to_owned(),
            envelope: Envelope::default(),
            blob: draft.seal().await.unwrap(),
            key: IdempotencyKey { key: "smtp/1".to_owned(), fingerprint: BlobHash::new([1; 32]) },
            records: Vec::new(),
        };
        let delivered = world.mailroom.reception.deliver(delivery, &Actor::system("smtp", None)).await;
        let Accepted::Fresh(intake, _) = delivered.unwrap() else { panic!("it is new") };
        let opened = world.opened(intake.id, BatchRules::default()).await;
        assert_eq!(opened.sections.len(), wanted, "{:#?}", opened.trace);
        if wanted == 0 {
            assert_eq!(
                (opened.subject.as_str(), opened.needs.unwrap().code.as_str()),
                ("Scan", "no_rule_matched")
            );
            continue;
        }
        let mut whose = Vec::new();
        for id in &opened.sections {
            let part = world.store.intake(*id).await.unwrap().unwrap();
            let needs = part.needs.map(|needs| needs.code).unwrap_or_default();
            whose.push((part.documents[0].file_name.clone(), part.work_item_given, needs));
        }
        let wanted =
            [("scan p2.pdf", "M-1", ""), ("scan p4.pdf", "M-2", ""), ("list.csv", "", "no_work_item")];
        assert_eq!(
            whose,
            wanted.map(|(name, item, needs)| (name.to_owned(), item.to_owned(), needs.to_owned()))
        );
        assert_eq!(world.bytes(&opened.documents[0]).await, letter.as_bytes(), "the letter is as it came");
    }
}

#[tokio::test]
async fn a_person_is_shown_the_page() {
    let world = World::new().await;
    let mut dice = Dice::new(8);
    let pages = [For("M-1"), Text, Torn].map(|it| page(it, &mut dice));
    let id = world.take_in("scan.pdf", pdf_of_pictures(&pages), None).await;
    let batch = world.opened(id, BatchRules::default()).await;
    let desk = PageDesk::new(Arc::new(world.spool.clone()), key(), PageLimits::default());
    let doubtful = world.store.intake(batch.sections[1]).await.unwrap().unwrap();
    let png = desk.picture(doubtful.documents[0].blob, 1).await.unwrap();
    // The first page of the doubtful part is the sheet; the same one is the third page of the batch.
    assert_eq!(png, desk.picture(batch.documents[0].blob, 3).await.unwrap());
    let again = Scan::open(Arc::new(png), PageLimits::default()).unwrap().page(0).unwrap();
    let before = pages[2].width().max(pages[2].height());
    assert_eq!(again.width().max(again.height()), before);
    for wrong in [0, 2] {
        let answer = desk.picture(doubtful.documents[0].blob, wrong).await;
        assert!(matches!(answer, Err(NoPicture::NoSuchPage(_))), "{wrong}: {answer:?}");
    }
    // What was printed here is read here.
    let sheets = [
        Printed::Cover {
            site: "main".to_owned(),
            reference: "M-2".to_owned(),
            client: "Baker & Sons".to_owned(),
            title: "Sale of the mill".to_owned(),
        },
        Printed::Separator,
    ];
    let pdf = desk.print(&sheets).unwrap();
    let scan = Scan::open(Arc::new(pdf), PageLimits::default()).unwrap();
    let marks = crate::pages::examine_all(&scan, &key(), crate::pages::MarkRules::default(), || true);
    let cover = Cover { site: "main".to_owned(), reference: "M-2".to_owned() };
    assert_eq!((marks.len(), &marks[0].covers, marks[0].separator), (2, &[cover].into(), false));
    assert!(marks[1].separator && marks[1].covers.is_empty() && !marks[1].unread_code, "{:?}", marks[1]);
    // One kind of code is enough.
    for kinds in [Kinds { patch_t: false, ..Kinds::default() }, Kinds { code_128: false, ..Kinds::default() }]
    {
        let rules = crate::pages::MarkRules { kinds, ..crate::pages::MarkRules::default() };
        let marks = crate::pages::examine_all(&scan, &key(), rules, || true);
        assert!(marks[1].separator && !marks[0].covers.is_empty(), "{kinds:?}: {marks:?}");
    }
    let long = Printed::Cover {
        site: "main".to_owned(),
        reference: "X".repeat(300),
        client: String::new(),
        title: String::new(),
    };
    let refused = desk.print(&[Printed::Separator, long]).unwrap_err();
    assert!(refused.to_string().contains("too long"), "{refused}");
}
