//! Short secrets.

use std::time::Duration;

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;
use crate::{Place, VaultError};

const HERE: Place<'static> = Place { table: "link", id: "12", field: "access" };
const NOW: Duration = Duration::from_millis(7);

fn seal(vault: &Vault, secret: &str) -> String {
    vault.seal(HERE, &secret.into(), NOW).unwrap()
}

#[test]
fn a_secret_opens_at_its_place_and_nowhere_else() {
    let vault = vault();
    let sealed = seal(&vault, "token");
    assert_eq!(vault.open(HERE, &sealed).unwrap().expose_secret(), "token");
    assert_ne!(sealed, seal(&vault, "token"), "a nonce of its own each time");
    assert_eq!(Vault::key_of(&sealed), Some(1));
    // The last three read the same as the right place when their parts are put together.
    let elsewhere = [
        ("flow", "12", "access"),
        ("link", "13", "access"),
        ("link", "12", "refresh"),
        ("link", "1", "2access"),
        ("link1", "2", "access"),
        ("", "link12", "access"),
    ];
    for (table, id, field) in elsewhere {
        let answer = vault.open(Place { table, id, field }, &sealed);
        assert_eq!(answer.unwrap_err(), VaultError::DoesNotOpen, "{table}/{id}/{field}");
    }
}

#[test]
fn every_changed_or_missing_sign_is_noticed() {
    let vault = vault();
    let sealed = seal(&vault, "short");
    for at in 0..sealed.len() {
        for other in [b'A', b'B', b'.', b'1', b'~'] {
            let mut bytes = sealed.clone().into_bytes();
            if bytes[at] == other {
                continue;
            }
            bytes[at] = other;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(vault.open(HERE, &changed).is_err(), "sign {at} became {}: {changed}", char::from(other));
        }
        assert!(vault.open(HERE, &sealed[..at]).is_err(), "cut at {at}");
    }
    assert!(vault.open(HERE, &format!("{sealed}AAAA")).is_err());
}

#[test]
fn only_sealed_texts_name_a_key() {
    let cases = [
        ("s1.1.AAAA", Some(1)),
        ("s1.4294967295.AAAA", Some(u32::MAX)),
        ("s1.4294967296.AAAA", None),
        ("s1.01.AAAA", None),
        ("s1.+1.AAAA", None),
        ("s1.1", None),
        ("s2.1.AAAA", None),
        ("s1.-1.AAAA", None),
        ("eyJhbGciOiJub25lIn0.e30.", None),
        ("", None),
    ];
    for (text, key) in cases {
        assert_eq!(Vault::key_of(text), key, "{text}");
    }
}

#[test]
fn a_key_that_is_gone_is_named() {
    let dice = Dice::new(3);
    let first = keyring();
    let vault = Vault::new(&first, dice.clone());
    let sealed = seal(&vault, "token");
    let second = first.with_new_data_key("2026-11-25", dice.as_ref()).unwrap();
    vault.replace(&second);
    assert_eq!((vault.current(), vault.last_sealed(1), vault.last_sealed(2)), (2, Some(NOW), None));
    assert_eq!(vault.open(HERE, &sealed).unwrap().expose_secret(), "token");
    assert_eq!(Vault::key_of(&seal(&vault, "token")), Some(2));
    vault.replace(&second.without(1, dice.as_ref()).unwrap().unwrap());
    assert_eq!(vault.open(HERE, &sealed).unwrap_err(), VaultError::UnknownKey(1));
    // The number in front is bound too: another key's number makes no other key fit.
    let body = sealed.rsplit('.').next().unwrap();
    assert_eq!(vault.open(HERE, &format!("s1.2.{body}")).unwrap_err(), VaultError::DoesNotOpen);
}

#[test]
fn nothing_is_sealed_without_chance() {
    let vault = Vault::new(&keyring(), Arc::new(Dry));
    assert!(matches!(vault.seal(HERE, &"token".into(), NOW), Err(VaultError::NoChance(_))));
    assert!(matches!(vault.begin_content(), Err(VaultError::NoChance(_))));
}

#[test]
fn codes_outlive_every_rotation_and_keep_purposes_apart() {
    let dice = Dice::new(3);
    let first = keyring();
    let vault = Vault::new(&first, dice.clone());
    let code = vault.code("form", "session");
    for (purpose, text) in [("form", "sessio"), ("forms", "ession"), ("formsession", ""), ("", "formsession")]
    {
        assert_ne!(vault.code(purpose, text), code, "{purpose} {text}");
    }
    let second =
        first.with_new_data_key("", dice.as_ref()).unwrap().without(1, dice.as_ref()).unwrap().unwrap();
    vault.replace(&second.with_master(&passphrase("b"), &private_key(2), CHEAP, dice.as_ref()).unwrap());
    assert_eq!(vault.code("form", "session"), code);
}

#[test]
fn nothing_secret_is_shown() {
    let (keyring, vault) = (keyring(), vault());
    let shown = format!("{keyring:?} {vault:?} {:?} {:?}", passphrase("pass"), private_key(1));
    assert!(!shown.contains("pass".repeat(2).as_str()), "{shown}");
    assert!(shown.len() < 600 && shown.contains("Vault(data key 1)"), "{shown}");
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens(secret in ".*", table in ".*", id in ".*", field in ".*") {
        let (vault, place) = (vault(), Place { table: &table, id: &id, field: &field });
        let sealed = vault.seal(place, &secret.as_str().into(), NOW).unwrap();
        let opened = vault.open(place, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), secret.as_str());
        prop_assert!(secret.len() < 8 || !sealed.contains(&secret));
    }

    #[test]
    fn nothing_else_opens(text in "(s1\\.1\\.)?[A-Za-z0-9_-]{0,80}") {
        prop_assert!(vault().open(HERE, &text).is_err());
    }
}

/// What sealing costs here: `cargo test -p postroom-vault -- --ignored --nocapture speed`.
#[test]
#[ignore = "prints figures; run it on the machine in question"]
fn speed_of_secrets_and_content() {
    let vault = vault();
    let token = "t".repeat(1500);
    let begun = std::time::Instant::now();
    let count = 20_000_u32;
    for _ in 0..count {
        let sealed = vault.seal(HERE, &token.as_str().into(), NOW).unwrap();
        assert_eq!(vault.open(HERE, &sealed).unwrap().expose_secret().len(), token.len());
    }
    println!(
        "{:.0} times sealed and opened in a second (1 500 signs)",
        f64::from(count) / begun.elapsed().as_secs_f64()
    );
    for segments in [1_u32, 4096] {
        let (header, mut sealer) = vault.begin_content().unwrap();
        let mut opener = vault.open_content(&header).unwrap();
        let (mut sealing, mut opening) = (Duration::ZERO, Duration::ZERO);
        for number in 1..=segments {
            let mut segment = vec![7; crate::SEGMENT_LEN];
            let begun = std::time::Instant::now();
            sealer.seal(&mut segment, number == segments).unwrap();
            sealing += begun.elapsed();
            let begun = std::time::Instant::now();
            opener.open(&mut segment, number == segments).unwrap();
            opening += begun.elapsed();
        }
        let rate = |took: Duration| f64::from(segments) / 16.0 / took.as_secs_f64();
        println!(
            "{segments} segments: sealed at {:.0} MiB/s, opened at {:.0} MiB/s",
            rate(sealing),
            rate(opening)
        );
    }
}
