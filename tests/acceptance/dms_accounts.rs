//! Accounts of persons in the DMSs, found by their e-mail or made: by the real binary, for each kind of DMS. Where a DMS cannot, that is
//! told in plain words, and nobody is asked in vain.

use postroom_sims::imanage::{Action, Fire, Rule};
use postroom_tests::browser::command;
use postroom_tests::dms;
use postroom_tests::process::run;
use postroom_tests::wait::{self, PATIENCE};
use postroom_tests::world::sample;
use postroom_tests::{Builder, World};
use serde_json::Value;

/// An account as a simulator holds it.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    id: String,
    email: String,
    external: bool,
}

/// What a connector can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Can {
    /// Find accounts, and make them.
    Make,
    /// Find them only.
    Find,
    /// Neither.
    Nothing,
}

/// A kind of DMS as it is set up, and what it is asked in these tests.
struct Kind {
    destination: &'static str,
    world: fn(&'static str) -> Builder,
    /// What its connector can: that it cannot is tested as well.
    can: Can,
    /// Everything that it holds.
    held: fn(&World) -> Vec<Held>,
    /// An account that is there from the beginning: its e-mail and id.
    there: (&'static str, &'static str),
    /// Locks that account, where the DMS tells of it.
    lock: Option<fn(&World)>,
    /// The next account is made, and nobody is told.
    lose_answer: fn(&World),
}

/// An iManage that makes users, which is set on both sides, with an administrator as the system account.
fn imanage_makes(name: &'static str) -> Builder {
    let mut options = sample();
    options.switches.create_users = true;
    let system = options.seed.users.iter_mut().find(|it| it.id == "POSTROOM").unwrap();
    system.is_admin = true;
    World::new(name).with_imanage(options).with_imanage_settings("probe_lag_seconds = 1\ncreate_users = true")
}

fn imanage_holds(world: &World) -> Vec<Held> {
    let held = |it: postroom_sims::imanage::User| Held {
        id: it.id,
        email: it.email.to_lowercase(),
        external: it.is_external,
    };
    world.sim("dms").control().users().into_iter().map(held).collect()
}

fn imanage_locks(world: &World) {
    assert!(world.sim("dms").control().update_user("MPATEL", |it| it.allow_logon = false));
}

fn imanage_loses(world: &World) {
    world.fault(Rule::on("create_user", Action::LoseAnswer {}).fire(Fire::First(1)));
}

const KINDS: &[Kind] = &[
    Kind {
        destination: "dms",
        world: imanage_makes,
        can: Can::Make,
        held: imanage_holds,
        there: ("m.patel@firm.example", "MPATEL"),
        lock: Some(imanage_locks),
        lose_answer: imanage_loses,
    },
    Kind {
        destination: "dms",
        world: |name| World::new(name).with_dms(dms::Netdocuments::start(9)),
        can: Can::Make,
        held: |world| {
            let held = |it: dms::Account| Held { id: it.id, email: it.email, external: it.external };
            world.dms().accounts().into_iter().map(held).collect()
        },
        there: ("m.patel@firm.example", "DUCOT-MPATEL"),
        lock: None,
        lose_answer: |world| world.dms().lose_new_account(),
    },
    Kind {
        destination: "dms",
        world: |name| World::new(name).with_imanage(sample()),
        can: Can::Find,
        held: imanage_holds,
        there: ("m.patel@firm.example", "MPATEL"),
        lock: Some(imanage_locks),
        lose_answer: imanage_loses,
    },
    Kind {
        destination: "files",
        world: |name| World::new(name).with_folder_dms(),
        can: Can::Nothing,
        held: |_| Vec::new(),
        there: ("", ""),
        lock: None,
        lose_answer: |_| {},
    },
];

/// Writes the settings with a section about accounts at the destination.
fn set(world: &World, kind: &Kind, lines: &str) {
    let text = world.settings.text();
    let at = text.find(&format!("[[destinations]]\nname = \"{}\"", kind.destination)).unwrap();
    let section = at + text[at..].find("\n[destinations.").unwrap();
    let text = format!("{}\n[destinations.accounts]\n{lines}{}", &text[..section], &text[section..]);
    std::fs::write(world.config(), text).unwrap();
}

async fn add(world: &World, email: &str, name: &str) {
    command(world, &["person", "add", email, "--name", name, "--no-link"]).await;
}

/// The person's account at the destination, as `person show` tells it.
async fn account(world: &World, kind: &Kind, email: &str) -> Value {
    let shown = command(world, &["person", "show", email]).await;
    let all = shown[0]["accounts"].as_array().unwrap();
    all.iter().find(|it| it["service"] == kind.destination).unwrap().clone()
}

async fn until(world: &World, kind: &Kind, email: &str, states: &[&str]) -> Value {
    wait::until(&format!("{email} is {states:?}"), PATIENCE, || async {
        let account = account(world, kind, email).await;
        states.iter().any(|state| account["state"] == *state).then_some(account)
    })
    .await
}

/// Asks for an account by hand: whether the command succeeded, and what it said.
async fn ask(world: &World, kind: &Kind, email: &str) -> (bool, String) {
    let config = world.config().display().to_string();
    let asked = ["person", "account", email, "--service", kind.destination, "--config", &config];
    let output = run("postroom", &asked).await;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}

async fn doctor(world: &World) -> String {
    let output = run("postroom", &["doctor", "--config", &world.config().display().to_string()]).await;
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn audit(world: &World, file: &str) -> String {
    let file = world.root().join(file);
    command(world, &["audit", "export", "--output", &file.display().to_string()]).await;
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn accounts_are_made_once_where_the_dms_can() {
    for kind in KINDS.iter().filter(|it| it.can == Can::Make) {
        makes(kind).await;
    }
}

async fn makes(kind: &Kind) {
    let mut world = (kind.world)("dms-accounts").build();
    set(&world, kind, "create = \"automatic\"\nexternal_domains = [\"client.example\"]\n");
    world.start().await;
    let with = |world: &World, email: &str| {
        (kind.held)(world).into_iter().filter(|it| it.email == email).collect::<Vec<_>>()
    };
    let before = (kind.held)(&world).len();
    if let Some(lock) = kind.lock {
        lock(&world);
    }

    // By itself, as soon as a person may come in; one who is there is found and left as they are.
    add(&world, "new.person@firm.example", "New Person").await;
    add(&world, "carl@client.example", "Carl Client").await;
    add(&world, kind.there.0, "Known Already").await;
    for (email, state, external) in
        [("new.person@firm.example", "made", false), ("carl@client.example", "made", true)]
    {
        let told = until(&world, kind, email, &["made", "found", "refused", "not_available"]).await;
        let held = with(&world, email);
        assert_eq!(held.len(), 1, "{told:#}");
        assert_eq!(
            (&told["state"], &told["account"]),
            (&state.into(), &held[0].id.clone().into()),
            "{told:#}"
        );
        assert_eq!((held[0].external, &told["external"]), (external, &external.into()), "{told:#}");
    }
    let found = until(&world, kind, kind.there.0, &["found", "made"]).await;
    assert_eq!((&found["state"], &found["account"]), (&"found".into(), &kind.there.1.into()), "{found:#}");
    let locked = kind.lock.is_some();
    assert_eq!(found["usable"], !locked, "{found:#}");
    assert_eq!(found["text"].as_str().unwrap().contains("locked"), locked, "{found:#}");
    assert_eq!((kind.held)(&world).len(), before + 2);

    // The answer is lost, and the process is killed as soon as the account is there.
    for (email, kill) in [("lost@firm.example", false), ("killed@firm.example", true)] {
        (kind.lose_answer)(&world);
        add(&world, email, "Lost Answer").await;
        wait::until("the account is there", PATIENCE, || async {
            (!with(&world, email).is_empty()).then_some(())
        })
        .await;
        if kill {
            world.kill().await;
            world.start().await;
        }
        let told = until(&world, kind, email, &["made", "found", "refused"]).await;
        assert_eq!(told["state"], "found", "{told:#}");
        assert_eq!(with(&world, email).len(), 1);
    }
    let (good, said) = ask(&world, kind, "new.person@firm.example").await;
    assert!(good && said.contains("it was made"), "{said}");
    let said = doctor(&world).await;
    assert!(said.contains("accounts of persons: made automatically, if there is none"), "{said}");
    let audit = audit(&world, "audit.jsonl").await;
    for (what, email) in [
        ("dms_account_made", "new.person@firm.example"),
        ("dms_account_made", "carl@client.example"),
        ("dms_account_found", kind.there.0),
        ("dms_account_found", "lost@firm.example"),
        ("dms_account_found", "killed@firm.example"),
    ] {
        let told: Vec<_> = audit.lines().filter(|line| line.contains(what) && line.contains(email)).collect();
        assert_eq!(told.len(), 1, "{what} {email}: {told:#?}");
        assert!(told[0].contains("\"credential\":\"system\""), "{told:#?}");
    }
    assert_eq!((kind.held)(&world).len(), before + 4);
    world.stop().await;

    // On request only: nobody is given one by themself.
    set(&world, kind, "create = \"on_request\"\n");
    world.start().await;
    add(&world, "asked@firm.example", "Asked For").await;
    let (good, said) = ask(&world, kind, "asked@firm.example").await;
    assert!(good && said.contains("it was made"), "{said}");
    assert_eq!((kind.held)(&world).len(), before + 5);
    world.stop().await;
}

/// Who is there is found; for whom nobody is there, that reads so, and the report warns.
#[tokio::test]
async fn accounts_are_found_where_the_dms_makes_none() {
    for kind in KINDS.iter().filter(|it| it.can == Can::Find) {
        let mut world = (kind.world)("found-accounts").build();
        set(&world, kind, "create = \"automatic\"\n");
        world.start().await;
        let before = (kind.held)(&world).len();
        add(&world, kind.there.0, "Known Already").await;
        add(&world, "new.person@firm.example", "New Person").await;
        let found = until(&world, kind, kind.there.0, &["found", "made", "refused"]).await;
        assert_eq!(
            (&found["state"], &found["account"]),
            (&"found".into(), &kind.there.1.into()),
            "{found:#}"
        );
        let told =
            until(&world, kind, "new.person@firm.example", &["not_available", "made", "refused"]).await;
        assert_eq!(told["state"], "not_available", "{told:#}");
        let (good, said) = ask(&world, kind, "new.person@firm.example").await;
        assert!(!good && said.contains("not available here"), "{said}");
        let said = doctor(&world).await;
        assert!(said.contains("found by e-mail automatically; making them is not available here"), "{said}");
        assert_eq!((kind.held)(&world).len(), before);
        world.stop().await;
    }
}

#[tokio::test]
async fn where_the_dms_cannot_it_reads_not_available_here() {
    for kind in KINDS.iter().filter(|it| it.can == Can::Nothing) {
        let mut world = (kind.world)("no-accounts").build();
        set(&world, kind, "create = \"automatic\"\n");
        world.start().await;
        let before = (kind.held)(&world).len();
        add(&world, "new.person@firm.example", "New Person").await;
        let told = account(&world, kind, "new.person@firm.example").await;
        assert_eq!((&told["state"], &told["create"]), (&"none".into(), &"automatic".into()), "{told:#}");
        let (good, said) = ask(&world, kind, "new.person@firm.example").await;
        assert!(!good && said.contains("not available here"), "{said}");
        let said = doctor(&world).await;
        let line = "accounts of persons: made automatically, but it will not work: not available here";
        assert!(said.contains(line), "{said}");
        assert_eq!((kind.held)(&world).len(), before);
        assert!(!audit(&world, "audit.jsonl").await.contains("dms_account"));
        world.stop().await;
    }
}

/// Nothing is said of accounts in the settings: none is made, for nobody, and the report takes no offence.
#[tokio::test]
async fn nothing_is_made_unless_it_is_set() {
    for kind in KINDS {
        let mut world = (kind.world)("never-accounts").build();
        world.start().await;
        let before = (kind.held)(&world).len();
        add(&world, "new.person@firm.example", "New Person").await;
        let (good, said) = ask(&world, kind, "new.person@firm.example").await;
        assert!(!good && said.contains("the settings say so"), "{said}");
        assert!(doctor(&world).await.contains("accounts of persons: never made from here"));
        assert_eq!((kind.held)(&world).len(), before);
        world.stop().await;
    }
}

/// HighQ makes accounts by the domain of the e-mail: its organisation is who they belong to, and where no organisation has the domain a
/// person decides.
#[tokio::test]
async fn accounts_at_highq_are_made_by_the_domain_of_the_e_mail() {
    let kind = Kind {
        destination: "dms",
        world: |name| World::new(name).with_dms(dms::Highq::start(10)),
        can: Can::Make,
        held: |world| {
            let held = |it: dms::Account| Held { id: it.id, email: it.email, external: it.external };
            world.dms().accounts().into_iter().map(held).collect()
        },
        there: ("", ""),
        lock: None,
        lose_answer: |world| world.dms().lose_new_account(),
    };
    let mut world = (kind.world)("highq-accounts").build();
    set(&world, &kind, "create = \"automatic\"\nexternal_domains = [\"client.example\"]\n");
    world.start().await;
    let before = (kind.held)(&world).len();
    for (email, state) in [
        ("new.person@firm.example", "made"),
        ("new.client@client.example", "made"),
        ("stranger@nobody.example", "refused"),
    ] {
        add(&world, email, "New Person").await;
        let told = until(&world, &kind, email, &["made", "found", "refused", "not_available"]).await;
        let held: Vec<_> = (kind.held)(&world).into_iter().filter(|it| it.email == email).collect();
        assert_eq!(told["state"], state, "{told:#}");
        assert_eq!(held.len(), usize::from(state == "made"), "{told:#}");
    }
    (kind.lose_answer)(&world);
    add(&world, "lost@firm.example", "Lost Answer").await;
    let told = until(&world, &kind, "lost@firm.example", &["made", "found", "refused"]).await;
    assert!(["made", "found"].contains(&told["state"].as_str().unwrap()), "{told:#}");
    assert_eq!((kind.held)(&world).len(), before + 3);
    world.stop().await;
}
