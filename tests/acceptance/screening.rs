//! Malware at every door, before a real clamd: it is set aside and never reaches a DMS, its neighbours are filed, and while the scanner is
//! away everything waits.

use std::time::Duration;

use postroom_tests::process::run;
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::MATTER;
use postroom_tests::{Api, Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::clamd::{Clamd, SIGNATURE, eicar};
use crate::document;
use crate::post::{CLIENT, Post, hash};

/// An intake by its id, once it is in one of these states.
async fn in_state(op: &Api, id: &str, states: &[&str]) -> Value {
    let path = format!("/api/v1/intakes/{id}");
    let what = format!("intake {id} is {}", states.join(" or "));
    until(&what, Duration::from_mins(1), || async {
        let intake = op.ok(&path).await;
        states.iter().any(|state| intake["state"] == *state).then_some(intake)
    })
    .await
}

/// Hands a file in; the answer is durable, and says that nothing is planned yet.
async fn hand_in(op: &Api, name: &str, bytes: &[u8]) -> String {
    let answer = op.upload(&Upload::to(MATTER).file(name, bytes)).await.expect(202).body;
    assert_eq!(
        (&answer["intake"]["state"], &answer["filings"]),
        (&json!("stored"), &json!([])),
        "{answer:#}"
    );
    answer["intake"]["id"].as_str().unwrap().to_owned()
}

fn hashes(world: &World) -> Vec<String> {
    let mut all: Vec<String> = world.deposits().into_iter().map(|it| it.hash).collect();
    all.sort();
    all
}

async fn release(op: &Api, id: &str, reason: &str) -> postroom_tests::Answer {
    let path = format!("/api/v1/intakes/{id}");
    let version = op.ok(&path).await["version"].as_u64();
    op.call(Method::POST, &format!("{path}/release"), &json!({"reason": reason}), version).await
}

#[tokio::test]
async fn malware_by_upload_and_hot_folder_is_set_aside_and_its_neighbours_are_filed() {
    let clamd = Clamd::started().await;
    let settings = clamd.settings("required", "largest_bytes = 100000");
    let mut world =
        World::new("screening").with_folder_dms().with_hot_folder().with_settings(&settings).start().await;
    let op = world.op();
    let good = hand_in(&op, "good.pdf", &document(1)).await;
    let bad = hand_in(&op, "bad.pdf", &eicar()).await;
    let large = hand_in(&op, "large.pdf", &[document(2), vec![b'%'; 200_000]].concat()).await;
    // The same key again is told of the same intake, whatever has become of it.
    let keyed = Upload::to(MATTER).file("keyed.pdf", document(3)).key("once");
    let first = op.upload(&keyed).await.expect(202).body["intake"]["id"].clone();
    in_state(&op, first.as_str().unwrap(), &["split", "settled"]).await;
    let again = op.upload(&keyed).await.expect(202).body;
    assert_eq!((&again["intake"]["id"], &again["again"]), (&first, &json!(true)));
    assert_eq!(again["filings"].as_array().unwrap().len(), 1, "{again:#}");
    // Scans.
    let place = world.settings.hot().join(MATTER);
    std::fs::create_dir_all(&place).unwrap();
    let scan = document(4);
    std::fs::write(place.join("scan.pdf"), &scan).unwrap();
    std::fs::write(place.join("infected.txt"), eicar()).unwrap();

    let told = in_state(&op, &bad, &["quarantined"]).await;
    assert_eq!(told["needs"]["code"], "malware", "{told:#}");
    assert!(told["needs"]["text"].to_string().contains(SIGNATURE), "{told:#}");
    assert_eq!(in_state(&op, &large, &["quarantined"]).await["needs"]["code"], "not_scanned");
    in_state(&op, &good, &["settled"]).await;
    let scans = until("both scans are decided over", PATIENCE, || async {
        let page = op.ok("/api/v1/intakes?source=scans").await;
        let all = page["items"].as_array()?.clone();
        let decided =
            all.iter().all(|it| ["quarantined", "settled"].iter().any(|state| it["state"] == *state));
        (all.len() == 2 && decided).then_some(all)
    })
    .await;
    let set_aside: Vec<&Value> = scans.iter().filter(|it| it["state"] == "quarantined").collect();
    assert_eq!(set_aside.len(), 1, "{scans:#?}");
    assert_eq!(set_aside[0]["needs"]["code"], "malware");
    let mut wanted: Vec<String> = [document(1), document(3), scan].iter().map(|bytes| hash(bytes)).collect();
    wanted.sort();
    assert_eq!(hashes(&world), wanted);

    // A person vouches for them, with a reason.
    assert_eq!(release(&op, &bad, " ").await.status, 400);
    release(&op, &bad, "the test file of our own").await.expect(200);
    release(&op, &large, "a scan of 300 pages, looked at").await.expect(200);
    for id in [&bad, &large] {
        let filed = in_state(&op, id, &["settled"]).await;
        assert!(filed["trace"].to_string().contains("released it from quarantine"), "{filed:#}");
    }
    assert!(hashes(&world).contains(&hash(&eicar())));
    let metrics = world.api("admin").get("/metrics").await.text();
    for line in
        ["postroom_screened_total{verdict=\"infected\"}", "postroom_screened_total{verdict=\"clean\"}"]
    {
        assert!(metrics.contains(line), "{metrics}");
    }
    world.stop().await;
}

/// `winmail.dat` with one attached file (MS-OXTNEF 2.1.3).
fn winmail(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut all = [0x223e_9f78_u32.to_le_bytes().as_slice(), &1_u16.to_le_bytes()].concat();
    let mut add = |level: u8, id: u32, data: &[u8]| {
        all.push(level);
        all.extend(id.to_le_bytes());
        all.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        all.extend_from_slice(data);
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        all.extend(sum.to_le_bytes());
    };
    add(1, 0x0008_9006, &0x0001_0000_u32.to_le_bytes());
    add(2, 0x0006_9002, &[1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    add(2, 0x0001_8010, &[name.as_bytes(), b"\0"].concat());
    add(2, 0x0006_800f, bytes);
    all
}

/// A letter with an attachment, encoded.
fn letter(id: &str, tag: &str, name: &str, media_type: &str, bytes: &[u8]) -> String {
    format!(
        "From: Ada Harrow <{CLIENT}>\nTo: post@firm.example\nSubject: {id} {tag}\nMessage-ID: <{id}@client.example>\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\n{id}\n--b\nContent-Type: {media_type}\n\
         Content-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}\n--b--\n",
        base64(bytes)
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for (number, three) in bytes.chunks(3).enumerate() {
        if number > 0 && number % 19 == 0 {
            coded.push('\n');
        }
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize] as char;
            coded.push(if place > three.len() { '=' } else { digit });
        }
    }
    coded
}

#[tokio::test]
async fn malware_in_letters_is_set_aside_however_it_is_wrapped_and_a_release_has_them_read() {
    let clamd = Clamd::started().await;
    let mut post = Post::with("screening-letters", &clamd.settings("on", "")).await;
    let tag = post.matter("20101-0001").await;
    let plain = letter("clean", &tag, "plan.pdf", "application/pdf", &document(1));
    let attached = letter("attached", &tag, "plan.pdf", "application/pdf", &eicar());
    let wrapped = winmail("plan.pdf", &eicar());
    let wrapped = letter("wrapped", &tag, "winmail.dat", "application/ms-tnef", &wrapped);
    let mut sent = Vec::new();
    for text in [&attached, &plain, &wrapped] {
        sent.push(post.send(CLIENT, "post@firm.example", text).await);
    }
    let intakes = post.intakes(3).await;
    let (clean, bad): (Vec<&Value>, Vec<&Value>) =
        intakes.iter().partition(|it| it["state"] != "quarantined");
    assert_eq!((clean.len(), bad.len()), (1, 2), "{intakes:#?}");
    for intake in &bad {
        assert_eq!(intake["needs"]["code"], "malware", "{intake:#}");
    }
    let mut held: Vec<String> = post.held().await.into_iter().map(|it| it.1).collect();
    held.sort();
    let mut wanted = vec![hash(&sent[1]), hash(&document(1))];
    wanted.sort();
    assert_eq!(held, wanted);
    // Released, a letter is read and matched as any other: nobody says where it belongs.
    let op = post.op();
    for intake in &bad {
        let id = intake["id"].as_str().unwrap();
        release(&op, id, "the security team's exercise").await.expect(200);
        let filed = in_state(&op, id, &["settled"]).await;
        assert_eq!(filed["work_item_given"], "20101-0001", "{filed:#}");
    }
    let held: Vec<String> = post.held().await.into_iter().map(|it| it.1).collect();
    assert!(
        held.contains(&hash(&sent[0])) && held.contains(&hash(&sent[2])) && held.contains(&hash(&eicar()))
    );
    post.world.stop().await;
}

#[tokio::test]
async fn while_the_scanner_is_away_everything_waits_through_a_kill_and_then_goes_on() {
    let mut clamd = Clamd::started().await;
    let settings = clamd.settings("on", "largest_bytes = 100000\nconnect_seconds = 2");
    let mut world = World::new("screening-away").with_folder_dms().with_settings(&settings).start().await;
    let op = world.op();
    let large = [document(9), vec![b'%'; 200_000]].concat();
    let over = hand_in(&op, "large.pdf", &large).await;
    let filed = in_state(&op, &over, &["settled"]).await;
    assert!(
        filed["trace"].to_string().contains("was not scanned, which does not mean that it is clean"),
        "{filed:#}"
    );
    let bad = hand_in(&op, "bad.pdf", &eicar()).await;
    in_state(&op, &bad, &["quarantined"]).await;

    clamd.stop().await;
    let mut waiting = Vec::new();
    for number in 0..6 {
        waiting.push(hand_in(&op, "a.pdf", &document(number)).await);
    }
    let told = until("operators are told", PATIENCE, || async {
        let summary = op.ok("/api/v1/summary").await;
        let upload = summary["sources"].as_array()?.iter().find(|it| it["name"] == "upload")?.clone();
        upload.to_string().contains("the malware scanner does not answer since").then_some(summary)
    })
    .await;
    assert_eq!(told["intakes"]["stored"], 6, "{told:#}");
    // What a person vouches for does not wait for it.
    release(&op, &bad, "the test file of our own").await.expect(200);
    in_state(&op, &bad, &["settled"]).await;
    world.kill().await;
    world.start().await;
    until("operators are told after a kill, too", PATIENCE, || async {
        let summary = world.op().ok("/api/v1/summary").await;
        summary["sources"].to_string().contains("the malware scanner does not answer since").then_some(())
    })
    .await;
    let config = world.config().display().to_string();
    let said = run("postroom", &["doctor", "--config", &config]).await;
    assert!(!said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    for id in &waiting {
        let intake = world.op().ok(&format!("/api/v1/intakes/{id}")).await;
        assert_eq!((&intake["state"], &intake["filings"]), (&json!("stored"), &json!(0)), "{intake:#}");
    }

    clamd.start().await;
    let op = world.op();
    for id in &waiting {
        let filed = in_state(&op, id, &["settled"]).await;
        assert!(filed["trace"].to_string().contains("the malware scanner found nothing in it"), "{filed:#}");
    }
    let mut wanted: Vec<String> = (0..6).map(|number| hash(&document(number))).collect();
    wanted.extend([hash(&eicar()), hash(&large)]);
    wanted.sort();
    assert_eq!(hashes(&world), wanted);
    let said = run("postroom", &["doctor", "--config", &config]).await;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    for wanted in [SIGNATURE, "names no published signatures", "100000 bytes"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    world.stop().await;
}

/// A ZIP file with one stored file (APPNOTE 4.3).
fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let crc = bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let fields = [
        b"\x14\0\0\0\0\0\0\0\0\0".as_slice(),
        &(!crc).to_le_bytes(),
        &size,
        &size,
        &u16::try_from(name.len()).unwrap().to_le_bytes(),
    ]
    .concat();
    let body = [b"PK\x03\x04".as_slice(), &fields, &[0; 2], name.as_bytes(), bytes].concat();
    let list = [b"PK\x01\x02\x14\x03".as_slice(), &fields, &[0; 16], name.as_bytes()].concat();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &length(&list), &length(&body), &[0; 2]].concat();
    [body, list, end].concat()
}

#[tokio::test]
async fn archives_are_looked_into_where_the_firm_wants_it_and_filed_as_they_are() {
    let clamd = Clamd::started().await;
    let settings = clamd.settings("on", "[screening.archives]\nopen = true\n");
    // A repository of its own, which takes no programs.
    let blocking = "\n[[repositories]]\nname = \"strict\"\narea = \"instructions\"\nservice = \"files\"\nresolver = \"default\"\n\
                    resolver_config = \"[workitem.reference]\"\nblocked_extensions = [\"exe\"]\n";
    let settings = format!("{settings}{blocking}");
    let mut world = World::new("screening-zip").with_folder_dms().with_settings(&settings).start().await;
    let op = world.op();
    let (good, bad) = (zip("letter.txt", b"plain"), zip("letter.txt", &eicar()));
    let program = zip("setup.exe", b"plain words");
    let filed = in_state(&op, &hand_in(&op, "good.zip", &good).await, &["settled"]).await;
    assert!(filed["trace"].to_string().contains("1 file(s) lie in it"), "{filed:#}");
    let told = in_state(&op, &hand_in(&op, "bad.zip", &bad).await, &["quarantined"]).await;
    assert_eq!(told["needs"]["code"], "malware");
    let told = in_state(&op, &hand_in(&op, "cut.zip", &good[..good.len() - 5]).await, &["quarantined"]).await;
    assert_eq!(told["needs"]["code"], "not_scanned", "{told:#}");
    let upload = Upload::to(MATTER).file("tools.zip", program).file("note.txt", b"a note".as_slice());
    let answer = op.upload(&upload.meta("area", "instructions")).await.expect(202).body;
    let split = in_state(&op, answer["intake"]["id"].as_str().unwrap(), &["split"]).await;
    assert!(split["trace"].to_string().contains("setup.exe"), "{split:#}");
    until("the neighbour is filed", PATIENCE, || async { (hashes(&world).len() == 2).then_some(()) }).await;
    let mut wanted = vec![hash(&good), hash(b"a note")];
    wanted.sort();
    assert_eq!(hashes(&world), wanted);
    world.stop().await;
}
