//! Persons, tokens, the audit and the report of what will not work, from the command line of the machine.

use std::os::unix::fs::PermissionsExt as _;

use postroom_sims::openid;
use postroom_tests::browser::{Browser, PASSWORD, command, imanage_service, openid_service, try_command};
use postroom_tests::process::run;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Api, Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::document;

#[tokio::test]
async fn the_first_administrator_and_everybody_after() {
    let mut world = World::new("first-admin").with_folder_dms().build();
    let nobody = try_command(&world, &["person", "list"]).await.unwrap_err();
    assert!(nobody.contains("no server runs") && nobody.contains("postroom serve"), "{nobody}");
    world.start().await;
    let socket = world.data().join("postroom.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);

    let mut boss = Browser::of_new(&world, "Boss@Firm.Example", &["--admin", "--name", "The boss"]).await;
    let me = boss.call(Method::GET, "/api/v1/me", &Value::Null).await.expect(200).body;
    assert_eq!(me["you"]["name"], "boss@firm.example");
    assert_eq!((&me["you"]["roles"], &me["you"]["all_sites"]), (&json!(["admin"]), &json!(true)));

    let again = try_command(&world, &["person", "add", "boss@firm.example"]).await.unwrap_err();
    assert!(again.contains("postroom person invite"), "{again}");
    let bad = try_command(&world, &["person", "add", "x@y.example", "--role", "operater"]).await.unwrap_err();
    assert!(bad.contains("operater") && bad.contains("operator"), "{bad}");
    let leeds = ["person", "add", "l.eeds@firm.example", "--role", "operator", "--site", "leeds"];
    let added = command(&world, &[&leeds[..], &["--team", "litigation", "--no-link"]].concat()).await;
    assert_eq!(added[0]["sites"], json!({"home": "leeds"}));
    let listed = command(&world, &["person", "list", "eeds"]).await;
    assert_eq!(listed.len(), 1);
    // A second link takes the first one's place.
    let link = |lines: &[Value]| lines[0]["invitation"]["url"].as_str().unwrap().to_owned();
    let first = link(&command(&world, &["person", "invite", "l.eeds@firm.example"]).await);
    let second = link(&command(&world, &["person", "invite", "l.eeds@firm.example"]).await);
    let mut lee = Browser::new(&world.url());
    assert!(lee.get(&first).await.text.contains("does not work"), "the first link still works");
    lee.accept(&second, PASSWORD).await;
    // What belongs to another site does not exist for her, and she is told no more.
    let accepted = world.deposit(Upload::to("nobody").file("a.pdf", document(1))).await;
    let path = format!("/api/v1/intakes/{}", accepted.intake);
    assert_eq!(lee.call(Method::GET, &path, &Value::Null).await.status, 404);
    let seen = lee.call(Method::GET, "/api/v1/summary", &Value::Null).await.expect(200).body;
    assert_eq!(seen["intakes"]["needs_person"], 0, "{seen:#}");
    // Disabled: the session ends at once; active again: she may come in.
    command(&world, &["person", "set", "l.eeds@firm.example", "--status", "disabled"]).await;
    assert_eq!(lee.call(Method::GET, "/api/v1/me", &Value::Null).await.status, 401);
    command(&world, &["person", "set", "l.eeds@firm.example", "--status", "active"]).await;
    lee.sign_in("l.eeds@firm.example", PASSWORD).await;
    // The last who may administer stays.
    let last =
        try_command(&world, &["person", "set", "boss@firm.example", "--role", "user"]).await.unwrap_err();
    assert!(last.contains("administer"), "{last}");
    // Wrong passwords lock; nobody learns that, and an administrator ends it.
    let mut guesser = Browser::new(&world.url());
    let mut words = std::collections::BTreeSet::new();
    for guess in 0..7 {
        let page = guesser.get("/auth/sign-in").await;
        let email = if guess == 6 { "who.is@firm.example" } else { "l.eeds@firm.example" };
        let form = [("email", email), ("password", "not this one either")];
        let told = guesser.submit(&page, "/auth/password", &form).await.expect(403);
        words.insert(told.between("class=\"error\"", "</div>").unwrap_or_else(|| told.text.clone()));
    }
    assert_eq!(words.len(), 1, "answers tell persons from nobody, or locked from wrong: {words:#?}");
    let locked = command(&world, &["person", "show", "l.eeds@firm.example"]).await;
    assert!(locked[0]["locked_until"].is_string(), "{locked:#?}");
    command(&world, &["person", "unlock", "l.eeds@firm.example"]).await;
    let mut lee = Browser::new(&world.url());
    lee.sign_in("l.eeds@firm.example", PASSWORD).await;
}

#[tokio::test]
async fn programs_have_tokens_that_end_and_are_revoked() {
    let world = World::new("program-tokens").with_folder_dms().start().await;
    let new = ["token", "new", "--name", "scanner room", "--role", "operator", "--days", "7"];
    let made = command(&world, &[&new[..], &["--scope", "file"]].concat()).await;
    let api = Api::new(&world.url(), made[0]["secret"].as_str().unwrap());
    let accepted =
        Accepted::of(&api.upload(&Upload::to(MATTER).file("a.pdf", document(1))).await.expect(202));
    world.in_state(accepted.filing(), &["filed"]).await;
    // Its scope is less than its role.
    let pause = api.post("/api/v1/sources/upload/pause", &json!({"reason": "x"})).await;
    assert_eq!(pause.status, 403, "{}", pause.text());
    let listed = command(&world, &["token", "list"]).await;
    assert_eq!((&listed[0]["name"], listed[0]["used"].is_string()), (&json!("scanner room"), true));
    assert!(listed[0].get("secret").is_none());
    command(&world, &["token", "revoke", listed[0]["id"].as_str().unwrap()]).await;
    assert_eq!(api.get("/api/v1/summary").await.status, 401);
    assert!(command(&world, &["token", "list"]).await.is_empty());
    // A stopped server's socket is gone, and the message says what to do.
    let mut world = world;
    world.stop().await;
    assert!(!world.data().join("postroom.sock").exists());
    assert!(try_command(&world, &["token", "list"]).await.unwrap_err().contains("postroom serve"));
}

#[tokio::test]
async fn the_audit_is_verified_and_exported() {
    let mut world = World::new("audit").with_folder_dms().start().await;
    command(&world, &["person", "add", "a.b@firm.example", "--name", "=1+1", "--no-link"]).await;
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    let verified = command(&world, &["audit", "verify"]).await.remove(0);
    assert_eq!(verified["intact"], true);
    let head = verified["head"].as_str().unwrap().to_owned();
    let file = world.root().join("audit.jsonl").display().to_string();
    command(&world, &["audit", "export", "--output", &file]).await;
    let twice = try_command(&world, &["audit", "export", "--output", &file]).await;
    assert!(twice.is_err(), "an export was written over");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() as u64 > verified["checked"].as_u64().unwrap());
    let alone = command(&world, &["audit", "verify", "--file", &file, "--known", &head]).await.remove(0);
    assert_eq!(alone["intact"], true, "{alone:#}");
    // Changed, taken out, reordered: each is found.
    let all: Vec<&str> = text.lines().collect();
    let changed = text.replacen("local administrator", "local administratrix", 1);
    let without = [&all[..3], &all[4..]].concat().join("\n");
    let mut swapped = all.clone();
    swapped.swap(2, 3);
    for (what, text) in [("changed", changed), ("without", without), ("swapped", swapped.join("\n"))] {
        let bad = world.root().join(what).display().to_string();
        std::fs::write(&bad, text).unwrap();
        let output = run("postroom", &["audit", "verify", "--file", &bad]).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && said.contains("tampered"), "{what}: {said}");
    }
    let csv = world.root().join("audit.csv").display().to_string();
    command(&world, &["audit", "export", "--format", "csv", "--output", &csv]).await;
    let csv = std::fs::read_to_string(csv).unwrap();
    let formulas =
        csv.split(['\n', ',']).filter(|cell| cell.trim_start_matches('"').starts_with(['=', '@', '+']));
    assert_eq!(formulas.collect::<Vec<_>>(), Vec::<&str>::new());
    // A stopped server's folder is verified too, and a cut end is found by what is known from before.
    world.stop().await;
    let data = world.data().display().to_string();
    let output = run("postroom", &["audit", "verify", "--data", &data, "--known", &head]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let wrong = format!("{}:{}", head.split(':').next().unwrap(), "0".repeat(64));
    let output = run("postroom", &["audit", "verify", "--data", &data, "--known", &wrong]).await;
    assert!(!output.status.success(), "another history was taken for this one");
    // A change of settings is told by its keys.
    world.settings.limits = "documents_per_intake = 77".to_owned();
    world.write_settings();
    world.start().await;
    let told = world.api("admin").ok("/api/v1/audit?kind=settings_changed").await;
    assert_eq!(told["items"].as_array().unwrap().len(), 0, "what belongs to no site is for who sees all");
    let out = world.root().join("later.jsonl").display().to_string();
    command(&world, &["audit", "export", "--output", &out]).await;
    let text = std::fs::read_to_string(out).unwrap();
    let line = text.lines().find(|line| line.contains("settings_changed")).expect("the change of settings");
    assert!(line.contains("limits.documents_per_intake") && !line.contains("77\""), "{line}");
}

#[tokio::test]
async fn the_doctor_names_what_fails_and_who_mends_it() {
    let firm = openid::Sim::start(openid::Options::sample()).unwrap();
    let mut world = World::new("report").with_imanage(sample()).with_hot_folder().build();
    let imanage = world.sim("dms").url();
    let linked = imanage_service("dms", &imanage).replace("system_account = \"destination\"\n", "");
    world.settings.more = openid_service("firm", &firm.issuer()) + &linked;
    let text = world.settings.text();
    let from = text.find("[destinations.imanage.auth]").unwrap();
    let to = from + text[from..].find("\n\n").unwrap();
    let link = "[destinations.imanage.auth]\ngrant = \"link\"";
    let linking = [&text[..from], link, &text[to..]].concat();
    std::fs::write(world.config(), &linking).unwrap();
    let config = world.config().display().to_string();
    let doctor = async || {
        let output = run("postroom", &["doctor", "--config", &config]).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), said + &String::from_utf8_lossy(&output.stderr))
    };
    // Before the first start: nothing is made, and it is told that nobody can file without a person.
    let (good, said) = doctor().await;
    assert!(!good && !world.data().exists(), "{said}");
    for words in [
        "redirect address",
        "/auth/callback/firm",
        "filing without a person",
        "no system account is linked",
        "(Postroom's administrator)",
        "nobody yet who may sign in",
    ] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    world.start().await;
    world.create_matters().await;
    // The running server is asked; a link without a refresh token, and a clock that is wrong.
    world
        .sim("dms")
        .control()
        .update_switches(|it| it.refresh_tokens = postroom_sims::imanage::RefreshTokens::Absent);
    let mut boss = Browser::of_new(&world, "boss@firm.example", &["--admin"]).await;
    boss.link_system("dms", "POSTROOM").await;
    firm.control().advance(10 * 60 * 1000);
    let (good, said) = doctor().await;
    assert!(!good, "{said}");
    for words in
        ["The running server", "refresh token", "allow refresh tokens", "seconds apart", "time server"]
    {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    firm.control().advance(-10 * 60 * 1000);
    // Mended: everything works, and a scan goes through with the linked system account.
    world
        .sim("dms")
        .control()
        .update_switches(|it| it.refresh_tokens = postroom_sims::imanage::RefreshTokens::On);
    boss.link_system("dms", "POSTROOM").await;
    let (good, said) = doctor().await;
    assert!(good, "{said}");
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    assert_eq!(world.sim("dms").control().ledger()[0].user, "POSTROOM");
}
