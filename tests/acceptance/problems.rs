//! Ten problems, each understood from the console's screen alone in the smallest terminal that is promised: what is wrong, who can
//! put it right, and what happens next. `POSTROOM_SHOTS` names a folder that the screens are written to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use postroom_sims::imanage::{Action, Fire, Pattern, Rule};
use postroom_tests::browser::{Browser, imanage_service};
use postroom_tests::console::Console;
use postroom_tests::kernel::SmallDisk;
use postroom_tests::process::free_port;
use postroom_tests::settings::token;
use postroom_tests::wait::until;
use postroom_tests::world::{MATTER, MATTERS, sample};
use postroom_tests::{Api, Chance, Upload, World};
use serde_json::Value;

use crate::clamd::{Clamd, eicar};
use crate::console::{CLOSED, command};
use crate::document;
use crate::post::{CLIENT, Post, STRANGER, letter};
use crate::scans::{Picture, pdf, printed};

const PATIENCE: Duration = Duration::from_secs(40);
/// How long a screen may take to say what it has to.
const SOON: Duration = Duration::from_secs(12);
/// What no list and no page shows.
const INSIDE: &str = "the price that nobody may know";

/// What a clerk who has never seen the problem does, and has to read.
struct Problem {
    name: &'static str,
    /// The key of the screen that Home sends them to.
    screen: &'static str,
    /// What the row is known by.
    row: &'static str,
    /// The cause in plain words, and who can put it right.
    says: &'static [&'static str],
    /// What happens next, on every screen below the first.
    next: &'static str,
}

/// The screens of a clerk, and what was missing on them.
struct Clerk {
    console: Console,
    seen: usize,
    missing: String,
}

impl Clerk {
    fn at(world: &World) -> Self {
        let console = Console::start(&command(world, "operator"), 80, 24);
        Self { console, seen: 0, missing: String::new() }
    }

    /// Looks at the screen until it says all of it, line breaks aside, and keeps it.
    async fn reads(&mut self, name: &str, texts: &[&str]) {
        let begin = Instant::now();
        let (screen, missing) = loop {
            let screen = self.console.screen();
            let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
            let missing: Vec<&str> = texts.iter().filter(|text| !words.contains(**text)).copied().collect();
            if missing.is_empty() || begin.elapsed() > SOON {
                break (screen, missing);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        self.seen += 1;
        if let Some(folder) = std::env::var_os("POSTROOM_SHOTS") {
            let folder = PathBuf::from(folder).join("problems");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{:02}-{name}.txt", self.seen)), &screen).unwrap();
        }
        let secret = [INSIDE, "pr_test_", &token("operator")];
        assert!(!secret.iter().any(|it| screen.contains(it)), "{name} shows what it must not:\n{screen}");
        if !missing.is_empty() {
            let _ = writeln!(self.missing, "── {name} does not say {missing:?}:\n{screen}");
        }
    }

    /// Puts the cursor on the row that holds a text.
    async fn finds(&self, row: &str) {
        self.console.shows(row).await;
        self.console.press(&["g"]);
        let (begin, mut tries) = (Instant::now(), 0);
        let at = |screen: &str| screen.lines().any(|line| line.contains('▸') && line.contains(row));
        while !at(&self.console.screen()) {
            assert!(begin.elapsed() < SOON, "no row {row:?}:\n{}", self.console.screen());
            // A screen that lags behind the keys is gone through from its top once more.
            tries += 1;
            self.console.press(&[if tries % 16 == 0 { "g" } else { "Down" }]);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn understands(&mut self, problem: &Problem) {
        let all = [problem.says, &[problem.next]].concat();
        self.console.press(&["1"]);
        self.console.shows("SOURCES").await;
        self.console.press(&[problem.screen]);
        self.finds(problem.row).await;
        if problem.screen == "6" {
            self.reads(&format!("{}-group", problem.name), problem.says).await;
            self.console.press(&["Enter"]);
            self.console.shows("Filings: ").await;
        }
        self.reads(&format!("{}-list", problem.name), &all).await;
        self.console.press(&["Enter"]);
        self.console.until("shows the page", |screen| screen.contains("Who   ")).await;
        self.reads(problem.name, &all).await;
    }

    fn understood_everything(&self) {
        assert!(self.missing.is_empty(), "\n{}", self.missing);
    }
}

/// Waits until an arrival needs a person because of this.
async fn arrival(op: &Api, code: &str) {
    until(code, PATIENCE, || async {
        let page = op.ok("/api/v1/intakes?limit=100").await;
        page["items"].as_array()?.iter().find(|it| it["needs"]["code"] == code).cloned()
    })
    .await;
}

/// The house in which nearly everything goes wrong.
struct House {
    post: Post,
}

impl House {
    async fn new() -> Self {
        let port = free_port(0x5350);
        let nobody = format!("http://127.0.0.1:{}", free_port(0x5351));
        let mut world = World::new("problems")
            .with_imanage(sample())
            .with_imanage_at(&nobody)
            .with_folder_dms()
            .with_settings(&Post::settings(port))
            .build();
        let batches = world.root().join("batches");
        std::fs::create_dir_all(&batches).unwrap();
        let _ = write!(
            world.settings.more,
            "\n[[hot_folders]]\nname = \"batches\"\npath = \"{}\"\nsettle_seconds = 1\nscan_millis = 200\nbatches = true\n\
             [hot_folders.pages]\nseparators = [\"qr\", \"code128\", \"code39\"]\n{}",
            batches.display(),
            imanage_service("dms", &world.sim("dms").url()),
        );
        world.write_settings();
        world.start().await;
        world.create_matters().await;
        Self { post: Post::over(world, port) }
    }

    fn world(&self) -> &World {
        &self.post.world
    }

    fn op(&self) -> Api {
        self.world().op()
    }

    async fn hand_in(&self, upload: Upload) {
        self.op().upload(&upload).await.expect(202);
    }

    /// Waits until a filing is found by a filter.
    async fn filing(&self, filter: &str) {
        until(filter, PATIENCE, || async { self.op().filings(filter).await.pop() }).await;
    }

    async fn arrival(&self, code: &str) {
        arrival(&self.op(), code).await;
    }

    async fn close_and_wall(&self) {
        let subject = "Bundle \u{202e}for \u{200b}completion";
        self.hand_in(Upload::to(CLOSED.0).meta("subject", subject).file("bundle.pdf", document(1))).await;
        let refused = Action::Status { status: 403, headers: BTreeMap::new(), body: None };
        self.world().fault(Rule {
            id: 0,
            when: Pattern { op: Some("upload".into()), method: None, path: Some("*3662*".into()) },
            fire: Fire::Always,
            limit: None,
            seed: None,
            action: refused,
        });
        self.hand_in(Upload::to("10442-0012").file("lease.pdf", document(2))).await;
        self.filing("cause:target_closed").await;
        self.filing("cause:no_right").await;
    }

    async fn duplicate(&self) {
        self.hand_in(Upload::to(MATTER).file("letter.pdf", document(3))).await;
        self.filing("state:filed").await;
        self.hand_in(Upload::to(MATTER).file("the same letter.pdf", document(3))).await;
        self.filing("state:duplicate").await;
    }

    /// A person links an account, and the DMS lets them in no more.
    async fn revoke(&self) {
        let mut mina = Browser::of_new_person(self.world(), "m.patel@firm.example").await;
        mina.link("dms", "m.patel@firm.example").await;
        let api = mina.api().await;
        let control = self.world().sim("dms").control();
        assert!(control.update_user("MPATEL", |it| it.allow_logon = false));
        api.upload(&Upload::to(MATTER).file("advice.pdf", document(4))).await.expect(202);
        self.filing("state:blocked dest:dms").await;
    }

    async fn dms_down(&self) {
        for number in 10..16 {
            let upload = Upload::to(MATTER).meta("area", "instructions");
            self.hand_in(upload.file(&format!("instruction-{number}.pdf"), document(number))).await;
        }
        until("the breaker is open", PATIENCE, || async {
            let summary = self.op().ok("/api/v1/summary").await;
            let doors = summary["destinations"].as_array()?.clone();
            doors.into_iter().find(|it| it["name"] == "dms2" && it["state"] == "open")
        })
        .await;
    }

    async fn letters(&mut self) {
        let tag = self.post.matter("20002-0001").await;
        let strange = letter("strange", STRANGER, &format!("Fwd: {tag}"), "");
        self.post.send(STRANGER, "post@firm.example", &format!("{strange}{INSIDE}\n")).await;
        let unknown = letter("unknown", CLIENT, "A question of ours", "");
        self.post.send(CLIENT, "post@firm.example", &unknown).await;
        let mut deep = format!("From: {STRANGER}\nSubject: Deep water\nMIME-Version: 1.0\n");
        for _ in 0..10_000 {
            deep.push_str("Content-Type: message/rfc822\n\n");
        }
        self.post.send(STRANGER, "post@firm.example", &deep).await;
        self.arrival("to_confirm").await;
        self.arrival("too_deep").await;
    }

    async fn torn_sheet(&self) {
        let sheets = printed(self.world(), &[MATTERS[0].0, MATTERS[1].0]).await;
        let mut chance = Chance::new(7);
        let mut text = || Picture::text(&mut chance);
        let batch = pdf(&[sheets[0].clone(), text(), sheets[1].clone().torn(), text()]);
        std::fs::write(self.world().root().join("batches/monday.pdf"), batch).unwrap();
        self.arrival("unread_code").await;
    }
}

const HERE: &str = "you, here";
const UNTIL_THEN: &str = "othing until a person decides; it is kept.";

const PROBLEMS: &[Problem] = &[
    Problem {
        name: "closed-workspace",
        screen: "6",
        row: "the workspace is closed",
        says: &["The workspace does not take documents any more. File elsewhere, or have it opened.", HERE],
        next: "Nothing until you put the cause right and retry, or cancel it.",
    },
    Problem {
        name: "no-right",
        screen: "6",
        row: "no right on the workspace",
        says: &["The account may not write there. Ask the DMS team", "the team that runs the DMS"],
        next: "Nothing until you put the cause right and retry, or cancel it.",
    },
    Problem {
        name: "revoked-token",
        screen: "6",
        row: "the link to the DMS is broken",
        says: &["Its filings wait until its owner links it again", "the person whose account it is"],
        next: "Goes on by itself when the account works again.",
    },
    Problem {
        name: "dms-down",
        screen: "6",
        row: "the DMS cannot be reached",
        says: &["No connection to the DMS could be made", "the team that runs the DMS"],
        next: "by itself",
    },
    Problem {
        name: "unreadable-cover-sheet",
        screen: "7",
        row: "batches",
        says: &["something like a barcode is there and cannot be read", "e gives it a work item", HERE],
        next: UNTIL_THEN,
    },
    Problem {
        name: "poison-mail",
        screen: "7",
        row: "message.eml",
        says: &["It was not opened: more than", "lie within each other", "e files it unopened", HERE],
        next: UNTIL_THEN,
    },
    Problem {
        name: "unknown-matter",
        screen: "7",
        row: "Fwd: ",
        says: &["it may belong to", "the sender is unknown to the work item", "e gives it a work item", HERE],
        next: UNTIL_THEN,
    },
    Problem {
        name: "duplicate",
        screen: "5",
        row: "the same letter.pdf",
        says: &["the same document is there already", "D files it a second time"],
        next: "Nothing: the same document is there already.",
    },
];

const MALWARE: Problem = Problem {
    name: "malware",
    screen: "7",
    row: "invoice.pdf",
    says: &["Malware was found in", "X closes it; H releases it if you vouch for it", HERE],
    next: UNTIL_THEN,
};

/// Eight of them in one house; no token and nothing of what is inside is shown on any of the screens.
#[tokio::test]
async fn a_clerk_understands_each_problem_from_the_screen_alone() {
    let mut house = House::new().await;
    house.close_and_wall().await;
    house.duplicate().await;
    house.letters().await;
    house.torn_sheet().await;
    house.dms_down().await;
    house.revoke().await;
    let mut clerk = Clerk::at(house.world());
    clerk.console.shows("SOURCES").await;
    // Home says that something is wrong, and where.
    let wrong =
        ["2 failed", "arrivals need a person", "1 destination is shut", "blocked", "DOWN", "1 duplicate"];
    clerk.reads("home", &wrong).await;
    for problem in PROBLEMS {
        clerk.understands(problem).await;
    }
    clerk.console.press(&["8"]);
    clerk.console.shows("ACCOUNTS").await;
    clerk.console.press(&["Tab"]);
    clerk.reads("accounts", &["m.patel@firm.example", "broken"]).await;
    clerk.console.press(&["5"]);
    clerk.reads("subjects-are-cleaned", &["Bundle for comp"]).await;
    clerk.understood_everything();
}

/// The others: malware is set aside, and the server's disk has too little room for anything new.
#[tokio::test]
async fn a_clerk_sees_malware_and_that_the_disk_is_too_full() {
    let scanner = Clamd::started().await;
    let mut world = World::new("problems-disk")
        .with_imanage(sample())
        .with_settings(&scanner.settings("required", ""))
        .with_reserve(8 << 20)
        .build();
    let disk = SmallDisk::over(&world.data(), "64m");
    world.prefix = disk.prefix();
    world.start().await;
    world.create_matters().await;
    world.op().upload(&Upload::to(MATTER).file("invoice.pdf", eicar())).await.expect(202);
    arrival(&world.op(), "malware").await;
    let mut clerk = Clerk::at(&world);
    clerk.console.shows("SOURCES").await;
    clerk.reads("home-malware", &["1 arrival needs a person"]).await;
    clerk.understands(&MALWARE).await;
    clerk.console.press(&["1"]);
    disk.fill(6 << 20);
    let refused = Upload::to(MATTER).file("a.pdf", document(1));
    until("the door closes", PATIENCE, || async {
        (world.op().upload(&refused).await.status == 503).then_some(())
    })
    .await;
    let says = [
        "sources are shut",
        "FULL",
        "nothing is taken in: the server's disk has too little room",
        "Postroom's administrator frees some",
        "then it goes on by itself",
    ];
    clerk.reads("full-disk", &says).await;
    clerk.understood_everything();
    disk.free();
    let opened = |summary: &Value| summary["sources"].as_array().is_some_and(|all| all[0]["state"] == "ok");
    until("the door opens", PATIENCE, || async {
        opened(&world.op().ok("/api/v1/summary").await).then_some(())
    })
    .await;
    clerk.console.until("says so", |screen| !screen.contains("FULL")).await;
}
