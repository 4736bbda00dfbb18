//! A mailbox on a real server (Dovecot), read by IMAP: from there into the DMS, once, through kills, and tidied up afterwards.

#[path = "../../server/inbound/tests/imap/dovecot.rs"]
#[expect(
    dead_code,
    clippy::print_stderr,
    reason = "the suite of the mailboxes asks more of it, and shows its log"
)]
mod dovecot;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use postroom_tests::World;
use postroom_tests::folder::deposits;
use postroom_tests::outcome::sized;
use postroom_tests::process::{peak, processor_time};
use postroom_tests::wait::until;
use serde_json::{Value, json};

use self::dovecot::{Dovecot, PASSWORD, USER};

const CLIENT: &str = "a.harrow@client.example";

fn letter(number: u64, tag: &str) -> Vec<u8> {
    format!(
        "From: Ada Harrow <{CLIENT}>\r\nTo: {USER}\r\nSubject: Number {number} {tag}\r\nMessage-ID: <{number}@client.example>\r\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Letter number {number}.\r\n"
    )
    .into_bytes()
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A world that reads a mailbox, and the tag of a matter in it.
async fn world(server: &Dovecot) -> (World, String) {
    let sections = format!(
        "\n[[imap]]\nname = \"clerks\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\nuser = \"{USER}\"\n\
         password = {PASSWORD:?}\naddresses = [\"{USER}\"]\nafter = \"move\"\nafter_folder = \"Filed\"\npoll_seconds = 2\n\
         area = \"matter_documents\"\n[mail.matching]\nown_domains = [\"firm.example\"]\n",
        server.port
    );
    let world = World::new("mailboxes").with_folder_dms().with_settings(&sections).start().await;
    std::fs::create_dir_all(world.settings.dms().join("20009-0001")).unwrap();
    let body = json!({
        "reference": "20009-0001", "title": "Harrow v Teal", "work_type": "matter", "open": true,
        "participants": [{"role": "client", "name": "Ada Harrow", "email": CLIENT}],
    });
    let made = world.op().post("/api/v1/work-items", &body).await.expect(201).body;
    let tag = made["luggage_tag"].as_str().unwrap().to_owned();
    (world, tag)
}

fn held(world: &World) -> Vec<String> {
    deposits(&world.settings.dms()).into_iter().map(|it| it.hash).collect()
}

/// The mailbox as operators see it.
async fn clerks(world: &World) -> Value {
    let summary = world.op().ok("/api/v1/summary").await;
    let found = summary["sources"].as_array().unwrap().iter().find(|it| it["name"] == "clerks").cloned();
    found.unwrap_or_else(|| panic!("{summary:#}"))
}

/// How many: `POSTROOM_LETTERS`. Killed every so many milliseconds: `POSTROOM_KILL_EVERY`; twice in the middle where it is 0.
#[tokio::test]
async fn a_mailbox_is_emptied_into_the_dms_once_through_kills() {
    let server = Dovecot::start(None);
    let (mut world, tag) = world(&server).await;
    let count = sized("POSTROOM_LETTERS", 60);
    let every = Duration::from_millis(sized("POSTROOM_KILL_EVERY", 0));
    let wanted: BTreeSet<String> = (0..count)
        .map(|number| {
            let bytes = letter(number, &tag);
            server.drop_in("", &format!("{number}.host"), &bytes);
            hash(&bytes)
        })
        .collect();
    let begin = Instant::now();
    let kills = if every.is_zero() {
        twice_in_the_middle(&mut world, usize::try_from(count).unwrap()).await
    } else {
        again_and_again(&mut world, usize::try_from(count).unwrap(), every).await
    };
    until("all of it is filed", Duration::from_mins(20), || async {
        (held(&world).len() as u64 >= count).then_some(())
    })
    .await;
    let took = begin.elapsed();
    world.quiet(Duration::from_mins(5)).await;
    let held = held(&world);
    let different: BTreeSet<String> = held.iter().cloned().collect();
    assert_eq!(held.len(), different.len(), "something was filed twice");
    assert_eq!(different, wanted);
    until("what is through was moved", Duration::from_mins(5), || async {
        (server.messages("").is_empty() && server.messages("Filed").len() as u64 == count).then_some(())
    })
    .await;
    postroom_tests::outcome(
        "F23",
        &format!("{count} letters in a mailbox of Dovecot, {kills} kills"),
        &format!("{} filed once in {took:.1?}, lost 0, duplicates 0, all moved afterwards", held.len()),
    );
    world.stop().await;
}

async fn twice_in_the_middle(world: &mut World, count: usize) -> u32 {
    for part in [4, 2] {
        until("some of it is filed", Duration::from_mins(10), || async {
            (held(world).len() >= count / part).then_some(())
        })
        .await;
        world.kill().await;
        world.start().await;
    }
    2
}

async fn again_and_again(world: &mut World, count: usize, every: Duration) -> u32 {
    let mut kills = 0;
    while held(world).len() < count {
        // What is measured: the time between two kills is the test's subject, and no event ends it.
        tokio::time::sleep(every).await;
        world.kill().await;
        world.start().await;
        kills += 1;
    }
    kills
}

/// By hand: `POSTROOM_LETTERS=5000`, with `POSTROOM_BIN` naming a release build. No kill: what a full mailbox costs.
#[tokio::test]
#[ignore = "measured by hand"]
async fn what_a_full_mailbox_costs() {
    let server = Dovecot::start(None);
    let (mut world, tag) = world(&server).await;
    let count = sized("POSTROOM_LETTERS", 5000);
    let pid = world.server().pid();
    let (begin, before) = (Instant::now(), processor_time(pid));
    for number in 0..count {
        server.drop_in("", &format!("{number}.host"), &letter(number, &tag));
    }
    let dropped = begin.elapsed();
    until("all of it is filed", Duration::from_mins(20), || async {
        (held(&world).len() as u64 >= count).then_some(())
    })
    .await;
    let took = begin.elapsed();
    println!(
        "{count} letters: {took:.1?} to the last one filed ({dropped:.1?} of it to put them there), {:.0} a second, {:.1?} of \
         processor time, {:.0} MiB at most",
        f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64(),
        processor_time(pid).saturating_sub(before),
        f64::from(u32::try_from(peak(pid) >> 10).unwrap()) / 1024.0
    );
    world.stop().await;
}

#[tokio::test]
async fn a_letter_that_comes_while_news_is_waited_for_is_filed_at_once() {
    let server = Dovecot::start(None);
    let (mut world, tag) = world(&server).await;
    let mut slowest = Duration::ZERO;
    for number in 0..5 {
        let bytes = letter(number, &tag);
        let begin = Instant::now();
        server.drop_in("", &format!("{number}.host"), &bytes);
        until("it is filed", Duration::from_secs(30), || async {
            held(&world).contains(&hash(&bytes)).then_some(())
        })
        .await;
        slowest = slowest.max(begin.elapsed());
    }
    assert_eq!(clerks(&world).await["state"], "ok");
    // A server that is away is told of, and waited for.
    let mut server = server;
    server.halt();
    until("the operator is told", Duration::from_secs(30), || async {
        let clerks = clerks(&world).await;
        (clerks["state"] != "ok" && !clerks["note"].as_str().unwrap_or_default().is_empty()).then_some(())
    })
    .await;
    server.resume();
    let bytes = letter(99, &tag);
    server.drop_in("", "99.host", &bytes);
    until("it is filed after the server came back", Duration::from_mins(1), || async {
        held(&world).contains(&hash(&bytes)).then_some(())
    })
    .await;
    println!("slowest from delivery to filed: {slowest:.2?}");
    world.stop().await;
}
