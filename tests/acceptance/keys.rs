//! The vault's keys with the real binary: what is wrong with them is told before anything is touched, and they change while it runs.

use std::collections::BTreeMap;
use std::path::Path;

use postroom_tests::browser::{Browser, command, imanage_service, try_command};
use postroom_tests::process::run;
use postroom_tests::settings::{PASSPHRASE, PRIVATE_KEY};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Upload, World};

use crate::backups::files;
use crate::document;

/// Every file of a data folder with its bytes.
fn picture(data: &Path) -> BTreeMap<String, Vec<u8>> {
    files(data)
        .into_iter()
        .filter(|path| !path.ends_with("postroom.sock"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

async fn refused(world: &World) -> String {
    let output =
        run("postroom", &["serve", "--config", &world.config().display().to_string(), "--json"]).await;
    assert!(!output.status.success() && output.stdout.is_empty(), "it started");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A new pair of passphrase and private key; the settings' lines for it.
async fn pair(world: &World, name: &str) -> (String, String) {
    let folder = world.root().join(name);
    let output = run("postroom", &["keys", "init", "--to", &folder.display().to_string()]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("[vault]") && said.contains("passphrase_file"), "{said}");
    let file = |name: &str| folder.join(name).display().to_string();
    (file("postroom-passphrase"), file("postroom-key.pem"))
}

#[tokio::test]
async fn what_is_wrong_with_the_keys_is_told_before_anything_is_touched() {
    let mut world = World::new("wrong-keys").with_folder_dms().start().await;
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.stop().await;
    let before = picture(&world.data());
    let keyring = world.data().join("keyring.json");
    let (good_keyring, made) = (std::fs::read(&keyring).unwrap(), world.data().join("keyring.made"));
    let (other_passphrase, other_key) = pair(&world, "other").await;
    let (other_passphrase, other_key) =
        (std::fs::read_to_string(other_passphrase).unwrap(), std::fs::read_to_string(other_key).unwrap());
    let certificate = std::fs::read_to_string(world.root().join("other/postroom-cert.pem")).unwrap();
    let short = "x".repeat(100);
    // Passphrase, private key, and what the message holds.
    let table: &[(&str, &str, &[&str])] = &[
        (&other_passphrase, PRIVATE_KEY, &["passphrase", "keyring.json"]),
        (PASSPHRASE, &other_key, &["private key", "keyring.json"]),
        (&other_passphrase, &other_key, &["passphrase", "keyring.json"]),
        (&short, PRIVATE_KEY, &["vault.passphrase", "100"]),
        ("", PRIVATE_KEY, &["vault.passphrase"]),
        (PASSPHRASE, "no key at all", &["vault.private_key"]),
        (PASSPHRASE, &certificate, &["vault.private_key"]),
        (PASSPHRASE, &PRIVATE_KEY[..90], &["vault.private_key"]),
    ];
    let (passphrase_file, key_file) = (world.settings.passphrase(), world.settings.private_key());
    let mut seen = Vec::new();
    for (passphrase, key, wanted) in table {
        std::fs::write(&passphrase_file, passphrase).unwrap();
        std::fs::write(&key_file, key).unwrap();
        let said = refused(&world).await;
        for word in *wanted {
            assert!(said.contains(word), "{word:?} is not in: {said}");
        }
        for secret in [*passphrase, PASSPHRASE, other_passphrase.trim()] {
            assert!(secret.len() < 20 || !said.contains(secret), "a passphrase was shown: {said}");
        }
        seen.push(said);
        assert!(picture(&world.data()) == before, "the data folder was touched");
    }
    world.settings.write_secrets().unwrap();
    // The section itself, and the file.
    let text = world.settings.text();
    for (from, to, wanted) in [
        ("[vault]", "[vauld]", "did you mean"),
        ("passphrase_file", "passphrase_fiel", "passphrase_fiel"),
        ("private-key.pem", "nowhere.pem", "nowhere.pem"),
    ] {
        std::fs::write(world.config(), text.replacen(from, to, 1)).unwrap();
        let said = refused(&world).await;
        assert!(said.contains(wanted), "{wanted:?} is not in: {said}");
    }
    let start = text.find("[vault]").unwrap();
    let end = start + text[start..].find("\n\n").map_or(text.len() - start, |at| at + 2);
    std::fs::write(world.config(), [&text[..start], &text[end..]].concat()).unwrap();
    let said = refused(&world).await;
    assert!(said.contains("[vault]") && said.contains("postroom keys init"), "{said}");
    world.write_settings();
    // A keyring that was cut, changed, taken away, or brought from another installation.
    let other = World::new("wrong-keys-other").with_folder_dms().start().await;
    let strange = std::fs::read(other.data().join("keyring.json")).unwrap();
    drop(other);
    let mut changed = good_keyring.clone();
    let at = changed.len() / 2;
    changed[at] ^= 1;
    for (what, bytes) in [
        ("cut", Some(good_keyring[..good_keyring.len() - 20].to_vec())),
        ("changed", Some(changed)),
        ("empty", Some(Vec::new())),
        ("gone", None),
    ] {
        match bytes {
            Some(bytes) => std::fs::write(&keyring, bytes).unwrap(),
            None => std::fs::remove_file(&keyring).unwrap(),
        }
        let said = refused(&world).await;
        assert!(said.contains("keyring.json"), "{what}: {said}");
        assert!(made.exists(), "{what}");
    }
    std::fs::write(&keyring, &good_keyring).unwrap();
    assert!(picture(&world.data()) == before, "the data folder was touched");
    // One from elsewhere with the same secrets opens, but nothing here does: told by the document, which is left alone.
    std::fs::write(&keyring, strange).unwrap();
    let (data, config) = (world.data().display().to_string(), world.config().display().to_string());
    let output = run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains(&accepted.filings[0].1), "{said}");
    std::fs::write(&keyring, good_keyring).unwrap();
    world.start().await;
    world.assert_exactly_once(&[accepted]).await;
}

#[tokio::test]
async fn keys_change_while_it_runs() {
    let mut world = World::new("rotate").with_imanage(sample()).build();
    world.settings.more = imanage_service("dms", &world.sim("dms").url());
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let mut mina = Browser::of_new_person(&world, "m.patel@firm.example").await;
    mina.link("dms", "m.patel@firm.example").await;
    let api = mina.api().await;
    let mut all: Vec<Accepted> = Vec::new();
    let mut texts = Vec::new();
    for number in 0..20 {
        let text = [document(number), vec![b'x'; 90_000 * usize::try_from(number).unwrap() / 10]].concat();
        let upload = Upload::to(MATTER).file("a.pdf", text.clone());
        all.push(Accepted::of(&api.upload(&upload).await.expect(202)));
        world.handed_in.extend(upload.hashes());
        texts.push(text);
    }
    world.all_filed(&all).await;
    let begun = command(&world, &["keys", "status"]).await.remove(0);
    assert_eq!((&begun["current"], begun["retiring"].as_array().unwrap().len()), (&1.into(), 0));

    // A new master: in force at once, for the next start.
    let (passphrase, key) = pair(&world, "second").await;
    let master =
        command(&world, &["keys", "rotate", "--passphrase-file", &passphrase, "--private-key-file", &key])
            .await;
    let master = master.last().unwrap()["master"].clone();
    assert_ne!(master, begun["master"]);
    // A new data key: everything is sealed anew, and the old one goes.
    let rotated =
        tokio::time::timeout(PATIENCE * 3, try_command(&world, &["keys", "rotate", "--data", "--no-wait"]));
    rotated.await.unwrap().unwrap();
    let busy = try_command(&world, &["keys", "rotate", "--data", "--no-wait"]).await;
    assert!(busy.is_err_and(|said| said.contains("being changed already")), "two at once");
    until("the old key is gone", PATIENCE * 3, || async {
        let status = command(&world, &["keys", "status"]).await.remove(0);
        (status["current"] == 2 && status["retiring"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;
    for (accepted, text) in all.iter().zip(&texts) {
        let original = api.get(&format!("/api/v1/intakes/{}/original", accepted.intake)).await.expect(200);
        assert!(original.bytes == *text, "a document is another one now");
    }
    let spool = files(&world.data().join("spool"));
    assert!(spool.len() >= 20, "{spool:?}");
    world.stop().await;

    // The old pair is told from the new one.
    let said = refused(&world).await;
    assert!(said.contains("passphrase") && said.contains(master.as_str().unwrap()), "{said}");
    std::fs::copy(passphrase, world.settings.passphrase()).unwrap();
    std::fs::copy(key, world.settings.private_key()).unwrap();
    let (data, config) = (world.data().display().to_string(), world.config().display().to_string());
    let output = run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    world.start().await;
    // The link's tokens open with the new keys.
    let upload = Upload::to(MATTER).file("after.pdf", document(99));
    let last = Accepted::of(&api.upload(&upload).await.expect(202));
    world.handed_in.extend(upload.hashes());
    all.push(last);
    world.all_filed(&all).await;
    let ledger = world.sim("dms").control().ledger();
    assert!(ledger.iter().all(|it| it.user == "MPATEL"), "{ledger:#?}");
    world.assert_exactly_once(&all).await;
    let file = world.root().join("audit.jsonl");
    command(&world, &["audit", "export", "--output", &file.display().to_string()]).await;
    let told = std::fs::read_to_string(file).unwrap();
    for words in ["a new master key begins", "data key 1 is used by nothing any more and goes"] {
        assert!(told.contains(words), "{words:?} is not in the audit");
    }
}
