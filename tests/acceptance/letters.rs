//! Letters by SMTP, handed over by a client of its own (swaks): from the door over reading and matching into the DMS.

use reqwest::Method;
use serde_json::{Value, json};

use crate::post::{CLIENT, Post, STRANGER, hash, letter};

#[tokio::test]
async fn a_letter_finds_its_matter_by_tag_and_its_answers_by_their_thread() {
    let mut post = Post::new("letters").await;
    let tag = post.matter("20001-0001").await;
    let with_plan = format!(
        "From: Ada Harrow <{CLIENT}>\nTo: post@firm.example\nSubject: The plan {tag}\nMessage-ID: <plan@client.example>\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nHere it is.\n--b\nContent-Type: application/pdf\n\
         Content-Disposition: attachment; filename=\"boundary plan.pdf\"\nContent-Transfer-Encoding: base64\n\n\
         JVBERi0xLjcKJSBhIHBsYW4KJSVFT0YK\n--b--\n"
    );
    let first = post.send(CLIENT, "post@firm.example", &with_plan).await;
    let answer = letter("answer", CLIENT, "Re: The plan", "In-Reply-To: <plan@client.example>\n");
    post.intakes(1).await;
    let second = post.send(CLIENT, "post@firm.example", &answer).await;
    let intakes = post.intakes(2).await;
    let held = post.held().await;
    let wanted =
        [("Re The plan.eml", hash(&second)), ("boundary plan.pdf", hash(b"%PDF-1.7\n% a plan\n%%EOF\n"))];
    for (name, hash) in wanted {
        assert!(held.iter().any(|it| it.1 == hash), "{name}: {held:#?}");
    }
    assert!(held.iter().any(|it| it.1 == hash(&first)), "the letter as it came: {held:#?}");
    assert_eq!(held.len(), 3, "{held:#?}");
    // Why, in words.
    let trace = |intake: &Value| intake["trace"].to_string();
    let detail = |n: usize| format!("/api/v1/intakes/{}", intakes[n]["id"].as_str().unwrap());
    let (newest, oldest) = (post.op().ok(&detail(0)).await, post.op().ok(&detail(1)).await);
    assert!(trace(&oldest).contains("tag") && trace(&newest).contains("thread"), "{oldest:#}\n{newest:#}");
    assert_eq!(oldest["sender"], format!("Ada Harrow <{CLIENT}>"));
    // The original is given back as it came.
    let original = post.op().get(&format!("{}/original", detail(1))).await;
    assert_eq!(hash(original.bytes.as_ref()), hash(&first));
    post.world.stop().await;
}

#[tokio::test]
async fn a_tag_in_a_strangers_letter_is_a_question_and_a_person_answers_it() {
    let mut post = Post::new("letters-stranger").await;
    let tag = post.matter("20002-0001").await;
    let strange = letter("strange", STRANGER, &format!("Fwd: {tag}"), "");
    let bytes = post.send(STRANGER, "post@firm.example", &strange).await;
    let intakes = post.intakes(1).await;
    assert_eq!(
        (&intakes[0]["state"], &intakes[0]["needs"]["code"]),
        (&json!("needs_person"), &json!("to_confirm"))
    );
    assert_eq!(post.held().await, []);
    let id = intakes[0]["id"].as_str().unwrap().to_owned();
    let detail = post.op().ok(&format!("/api/v1/intakes/{id}")).await;
    let suggested = &detail["suggestions"][0];
    assert_eq!(
        (&suggested["reference"], &suggested["open"]),
        (&json!("20002-0001"), &json!(true)),
        "{detail:#}"
    );
    assert!(suggested["reasons"].to_string().contains("tag"), "{suggested:#}");
    assert_eq!(detail["letter"]["envelope_to"], json!(["post@firm.example"]));
    let assign = json!({"work_item": "20002-0001", "reason": "it is about the case"});
    let path = format!("/api/v1/intakes/{id}/assign");
    post.op().call(Method::POST, &path, &assign, intakes[0]["version"].as_u64()).await.expect(200);
    let held = post.held().await;
    assert_eq!(held.iter().map(|it| it.1.as_str()).collect::<Vec<_>>(), [hash(&bytes)]);
    // From now on the stranger is none in this thread.
    let more = letter("more", STRANGER, "more of it", "References: <strange@client.example>\n");
    let more = post.send(STRANGER, "post@firm.example", &more).await;
    let intakes = post.intakes(2).await;
    assert_eq!(intakes[0]["needs"], Value::Null, "{:#}", intakes[0]);
    assert!(post.held().await.iter().any(|it| it.1 == hash(&more)));
    // Something else of theirs goes to nobody by itself, but what a person decided is remembered.
    post.send(STRANGER, "post@firm.example", &letter("other", STRANGER, "an invoice", "")).await;
    let intakes = post.intakes(3).await;
    assert_eq!(intakes[0]["needs"]["code"], "no_rule_matched", "{:#}", intakes[0]);
    let detail = post.op().ok(&format!("/api/v1/intakes/{}", intakes[0]["id"].as_str().unwrap())).await;
    let suggested = &detail["suggestions"][0];
    assert_eq!(suggested["reference"], "20002-0001", "{detail:#}");
    assert!(suggested["reasons"].to_string().contains("mail from"), "{suggested:#}");
    post.world.stop().await;
}

#[tokio::test]
async fn a_person_gives_a_letter_to_two_matters_and_its_answers_belong_to_both() {
    let mut post = Post::new("letters-two").await;
    post.matter("20005-0001").await;
    post.matter("20006-0001").await;
    let first = post.send(CLIENT, "post@firm.example", &letter("both", CLIENT, "Both cases", "")).await;
    let intakes = post.intakes(1).await;
    let path = format!("/api/v1/intakes/{}/assign", intakes[0]["id"].as_str().unwrap());
    let version = intakes[0]["version"].as_u64();
    // One that does not work leaves everything as it was.
    let wrong = json!({"work_item": "20005-0001", "also": ["no-such"]});
    let refused = post.op().call(Method::POST, &path, &wrong, version).await.expect(400);
    assert!(refused.text().contains("no-such"), "{}", refused.text());
    let both = json!({"work_item": "20005-0001", "also": ["20006-0001", "20005-0001"]});
    let assigned = post.op().call(Method::POST, &path, &both, version).await.expect(200).body;
    assert_eq!(assigned["also_in"].as_array().unwrap().len(), 1, "each once: {assigned:#}");
    post.world.quiet(std::time::Duration::from_mins(1)).await;
    let held = post.world.deposits();
    let mut places: Vec<&str> = held.iter().map(|it| it.place.split('/').next().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(places, ["20005-0001", "20006-0001"], "{held:#?}");
    assert!(held.iter().all(|it| it.hash == hash(&first)));
    let answer = letter("answer", CLIENT, "Re: Both cases", "In-Reply-To: <both@client.example>\n");
    post.send(CLIENT, "post@firm.example", &answer).await;
    let intakes = post.intakes(2).await;
    assert_eq!(intakes[0]["needs"]["code"], "several_work_items", "{:#}", intakes[0]);
    post.world.stop().await;
}

#[tokio::test]
async fn what_came_before_is_not_filed_again_and_what_cannot_be_read_stops_nobody() {
    let mut post = Post::new("letters-again").await;
    let tag = post.matter("20003-0001").await;
    let plain = letter("once", CLIENT, &format!("Once {tag}"), "");
    let bytes = post.send(CLIENT, "post@firm.example", &plain).await;
    post.intakes(1).await;
    // The answer was lost, and the same is sent once more; and the same by way of another server, into another mailbox.
    post.send(CLIENT, "post@firm.example", &plain).await;
    let relayed =
        format!("Received: from relay.example by mx.firm.example; Fri, 27 Nov 2026 09:00:02 +0000\n{plain}");
    post.send(CLIENT, "copies@firm.example", &relayed).await;
    // A letter within a letter, ten thousand times.
    let mut deep = format!("From: {STRANGER}\nSubject: deep\nMIME-Version: 1.0\n");
    for _ in 0..10_000 {
        deep.push_str("Content-Type: message/rfc822\n\n");
    }
    post.send(STRANGER, "post@firm.example", &deep).await;
    let last = letter("last", CLIENT, &format!("After it {tag}"), "");
    let last = post.send(CLIENT, "post@firm.example", &last).await;
    let intakes = post.intakes(4).await;
    let states: Vec<&str> = intakes.iter().rev().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(intakes.len(), 4, "{states:?}");
    let held: Vec<String> = post.held().await.into_iter().map(|it| it.1).collect();
    let mut wanted = vec![hash(&bytes), hash(&last)];
    wanted.sort();
    let mut sorted = held.clone();
    sorted.sort();
    assert_eq!(sorted, wanted);
    let again = post.op().filings("state:duplicate").await;
    assert_eq!(again.len(), 1, "{again:#?}");
    let quarantined: Vec<&Value> = intakes.iter().filter(|it| it["state"] == "quarantined").collect();
    assert_eq!(quarantined.len(), 1, "{states:?}");
    assert_eq!(quarantined[0]["needs"]["code"], "too_deep");
    post.world.stop().await;
}

#[tokio::test]
async fn a_letter_that_was_acknowledged_survives_a_kill() {
    let mut post = Post::new("letters-kill").await;
    let tag = post.matter("20004-0001").await;
    let mut wanted = Vec::new();
    for number in 0..12 {
        let text = letter(&format!("kill-{number}"), CLIENT, &format!("Number {number} {tag}"), "");
        wanted.push(hash(&post.send(CLIENT, "post@firm.example", &text).await));
        if number % 4 == 3 {
            post.world.kill().await;
            post.world.start().await;
        }
    }
    post.intakes(12).await;
    let mut held: Vec<String> = post.held().await.into_iter().map(|it| it.1).collect();
    held.sort();
    wanted.sort();
    assert_eq!(held, wanted);
    post.world.stop().await;
}
