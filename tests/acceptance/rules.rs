//! Rules over letters: who looks after them, and what other rules would do with them.

use postroom_tests::process::run;
use reqwest::Method;
use serde_json::{Value, json};

use crate::post::{CLIENT, Post, STRANGER, letter};

async fn decide(post: &Post, intake: &Value, decision: &str, body: &Value) -> postroom_tests::Answer {
    let path = format!("/api/v1/intakes/{}/{decision}", intake["id"].as_str().unwrap());
    post.op().call(Method::POST, &path, body, intake["version"].as_u64()).await
}

/// Who has an intake, as a line.
fn has(intake: &Value) -> String {
    let it = &intake["allocated"];
    let by = if it["by_hand"] == true { " by hand" } else { "" };
    format!("{}{}{by}", it["person"].as_str().unwrap_or(""), it["team"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn letters_are_given_to_people_and_people_give_them_on() {
    let rules = r#"
[allocation]
default = "post-room"
mailboxes = { copies = "copyists" }
[[allocation.rules]]
name = "the supervisor has what is theirs"
to = "supervisor"
all = [{ field = "work_type", is = ["matter"] }]
[[allocation.rules]]
name = "what comes by post is shared out"
to = { least_busy = "readers" }
all = [{ field = "source", is = ["post"] }]
"#;
    let mut post = Post::with("allocation", rules).await;
    let config = post.world.config().display().to_string();
    for name in ["ann", "bob", "sue"] {
        let email = format!("{name}@firm.example");
        let team = if name == "sue" { "partners" } else { "readers" };
        let arguments =
            ["person", "--config", &config, "add", &email, "--role", "operator", "--team", team, "--no-link"];
        let added = run("postroom", &arguments).await;
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
    std::fs::create_dir_all(post.dms().join("30001-0001")).unwrap();
    let matter = json!({
        "reference": "30001-0001", "title": "Harrow v Teal", "work_type": "matter", "open": true,
        "participants": [
            {"role": "client", "name": "Ada Harrow", "email": CLIENT},
            {"role": "supervisor", "name": "Sue", "email": "sue@firm.example"},
        ],
    });
    let made = post.op().post("/api/v1/work-items", &matter).await.expect(201).body;
    let tag = made["luggage_tag"].as_str().unwrap().to_owned();

    // Two that nobody knows a matter for are shared out among the readers, one by the other mailbox goes to its team, and one that
    // is filed by its tag is the supervisor's.
    for (number, to) in
        ["post@firm.example", "post@firm.example", "copies@firm.example"].into_iter().enumerate()
    {
        post.send(STRANGER, to, &letter(&format!("s{number}"), STRANGER, "an offer", "")).await;
        post.intakes(number + 1).await;
    }
    post.send(CLIENT, "post@firm.example", &letter("c", CLIENT, &format!("The plan {tag}"), "")).await;
    let all = post.intakes(4).await;
    let who: Vec<String> = all.iter().rev().map(has).collect();
    let (ann, bob, sue) = ("ann@firm.example", "bob@firm.example", "sue@firm.example");
    assert!(who[..2] == [ann, bob] || who[..2] == [bob, ann], "{who:?}");
    assert_eq!(who[2..], ["copyists", sue]);

    // A person assigns the first: now the matter is known, and with it the supervisor.
    let first = &all[3];
    decide(&post, first, "assign", &json!({"work_item": "30001-0001", "reason": "it is about it"}))
        .await
        .expect(200);
    let first = post.op().intake(first["id"].as_str().unwrap()).await;
    assert_eq!(has(&first), sue);
    assert!(
        first["trace"].to_string().contains("sue@firm.example is the supervisor of 30001-0001"),
        "{first:#}"
    );

    // What a person gave to somebody stays there, also when the matter is found late.
    let second = &all[2];
    decide(&post, second, "give", &json!({"person": "ANN@firm.example", "reason": "knows them"}))
        .await
        .expect(200);
    let second = post.op().intake(second["id"].as_str().unwrap()).await;
    assert_eq!(has(&second), format!("{ann} by hand"));
    decide(&post, &second, "assign", &json!({"work_item": "30001-0001"})).await.expect(200);
    let second = post.op().intake(second["id"].as_str().unwrap()).await;
    assert_eq!(has(&second), format!("{ann} by hand"));
    assert!(second["events"].to_string().contains("knows them"), "{second:#}");

    // Nobody that there is not, and not two at once.
    let third = &all[1];
    for (body, field) in [
        (json!({"person": "nobody@firm.example"}), "nobody@firm.example"),
        (json!({"person": ann, "team": "readers"}), "either"),
        (json!({}), "either"),
    ] {
        let answer = decide(&post, third, "give", &body).await.expect(400);
        assert!(answer.text().contains(field), "{}", answer.text());
    }
    let listed = async |who: &str| {
        let page = post.op().ok(&format!("/api/v1/intakes?allocated={who}")).await;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((listed("team:copyists").await, listed(ann).await, listed(sue).await), (1, 1, 2));
    post.world.quiet(std::time::Duration::from_mins(1)).await;
    // Settled is settled.
    let settled = post.op().intake(all[0]["id"].as_str().unwrap()).await;
    assert_eq!(decide(&post, &settled, "give", &json!({"team": "readers"})).await.status, 409);
    post.world.stop().await;
}

#[tokio::test]
async fn other_rules_are_tried_on_letters_that_are_here_and_on_files() {
    let mut post = Post::new("dry-run").await;
    let tag = post.matter("30002-0001").await;
    post.matter("30003-0001").await;
    // By its tag; by a reference that the rules in force do not look for; by nothing.
    post.send(CLIENT, "post@firm.example", &letter("tagged", CLIENT, &format!("The plan {tag}"), "")).await;
    post.intakes(1).await;
    post.send(CLIENT, "post@firm.example", &letter("named", CLIENT, "Our ref 30003-0001", "")).await;
    post.send(STRANGER, "post@firm.example", &letter("spam", STRANGER, "an offer", "")).await;
    post.intakes(3).await;
    let before = post.op().ok("/api/v1/summary").await["filings"].clone();
    let rules = json!({
        "own_domains": ["firm.example"],
        "luggage": {"prefix": "XX"},
        "patterns": [{"name": "ours", "regex": "our ref (?<reference>[0-9]{5}-[0-9]{4})"}],
    });
    let answer = post.op().post("/api/v1/rules/dry-run", &json!({"rules": rules})).await.expect(200).body;
    assert_eq!(
        (&answer["looked_at"], &answer["counts"], &answer["grave"], &answer["next"]),
        (&json!(3), &json!({"filed_now": 1, "asked_now": 1, "same": 1}), &json!(1), &Value::Null),
        "{answer:#}"
    );
    let rows: Vec<[&str; 4]> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let text = |value: &Value| -> &'static str { value.as_str().unwrap_or("").to_owned().leak() };
            [
                text(&it["name"]),
                text(&it["change"]),
                text(&it["before"]["verdict"]),
                text(&it["after"]["verdict"]),
            ]
        })
        .collect();
    let plan = format!("The plan {tag}");
    assert_eq!(
        rows,
        [["Our ref 30003-0001", "filed_now", "person", "file"], [&plan, "asked_now", "file", "person"]]
    );
    let named = &answer["items"][0];
    assert_eq!(
        (&named["after"]["work_item"], &named["after"]["rule"]),
        (&json!("30003-0001"), &json!("reference"))
    );
    assert_eq!(named["was"], json!({"state": "needs_person"}));
    assert!(named["after"]["trace"].to_string().contains("30003-0001"), "{named:#}");
    // One after the other, by a cursor, the same; and all of them where that is asked for.
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let body = json!({"rules": rules, "limit": 1, "cursor": cursor, "all": true});
        let part = post.op().post("/api/v1/rules/dry-run", &body).await.expect(200).body;
        seen.extend(
            part["items"].as_array().unwrap().iter().map(|it| it["change"].as_str().unwrap().to_owned()),
        );
        cursor = part["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["same", "filed_now", "asked_now"]);
    // Rules that cannot be are told with each mistake.
    let wrong = json!({"rules": {"own_domains": [], "patterns": [{"name": "x", "regex": "("}]}});
    let problem = post.op().post("/api/v1/rules/dry-run", &wrong).await.expect(400);
    let fields: Vec<&str> =
        problem.body["errors"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["rules.own_domains", "rules.patterns[1].regex"], "{}", problem.text());

    // The command: rules from a file, on what is here, and on a letter held out.
    let config = post.world.config().display().to_string();
    let file = post.world.root().join("rules.toml");
    std::fs::write(
        &file,
        "own_domains = [\"firm.example\"]\n[[patterns]]\nname = \"ours\"\n\
         regex = \"our ref (?<reference>[0-9]{5}-[0-9]{4})\"\n",
    )
    .unwrap();
    let eml = post.world.root().join("held-out.eml");
    std::fs::write(&eml, letter("held-out", CLIENT, "Our ref 30002-0001", "").replace('\n', "\r\n")).unwrap();
    let (file, eml) = (file.display().to_string(), eml.display().to_string());
    let test = async |arguments: &[&str]| {
        let output =
            run("postroom", &[&["rules", "--config", &config, "test"][..], arguments].concat()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let (good, told) = test(&["--rules", &file]).await;
    assert!(!good && told.contains("3 letters: 1 filed without a person, 2 unchanged."), "{told}");
    assert!(told.contains("filed in 30003-0001 (reference)  <- look at this one"), "{told}");
    // The settings as they stand in the file are the rules in force.
    let (good, told) = test(&[]).await;
    assert!(good && told.contains("3 letters: 3 unchanged."), "{told}");
    let (good, told) = test(&["--trace", &eml]).await;
    assert!(
        good && told.contains("a person decides (no_rule_matched)") && told.contains("reference:"),
        "{told}"
    );
    let (good, told) = test(&["--rules", &file, &eml]).await;
    assert!(!good && told.contains("then    filed in 30002-0001 (reference)"), "{told}");
    let (good, told) = test(&["--rules", &eml]).await;
    assert!(!good && told.contains("held-out.eml"), "{told}");
    // Nothing came of all this.
    assert_eq!(post.op().ok("/api/v1/summary").await["filings"], before);
    post.world.stop().await;
}
