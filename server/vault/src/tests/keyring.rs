//! The keyring and what it is made of.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use secrecy::ExposeSecret as _;

use super::*;
use crate::{KeyringError, PassphraseError, PrivateKeyError, generate_identity, generate_passphrase};

#[test]
fn a_passphrase_has_more_than_a_hundred_characters() {
    let cases = [
        ("a".repeat(100), Err(PassphraseError::TooShort(100))),
        ("a".repeat(101), Ok(())),
        // Characters, not bytes; and a line end is none.
        ("é".repeat(100), Err(PassphraseError::TooShort(100))),
        ("é".repeat(101), Ok(())),
        (format!("{}\r\n", "a".repeat(100)), Err(PassphraseError::TooShort(100))),
        (String::new(), Err(PassphraseError::TooShort(0))),
        ("a".repeat(65 << 10), Err(PassphraseError::TooLong)),
    ];
    for (text, wanted) in cases {
        let told = text.len();
        assert_eq!(Passphrase::new(&text.into()).map(|_| ()), wanted, "{told} bytes");
    }
}

#[test]
fn a_line_end_behind_the_passphrase_changes_nothing() {
    let bytes = keyring().bytes().to_vec();
    let text = format!("{}\r\n", "a".repeat(101));
    assert!(Keyring::open(&bytes, &Passphrase::new(&text.into()).unwrap(), &private_key(1)).is_ok());
}

#[test]
fn private_keys_are_read_from_pem() {
    let key = |label| pem(label, 1).expose_secret().to_owned();
    let cut = "-----BEGIN PRIVATE KEY-----\nAAAA\n".to_owned();
    let certificate = key("CERTIFICATE");
    let cases = [
        (key("PRIVATE KEY"), None),
        (key("EC PRIVATE KEY"), None),
        (key("RSA PRIVATE KEY"), None),
        (format!("{certificate}{}", key("PRIVATE KEY")), None),
        (certificate, Some(PrivateKeyError::None)),
        (key("ENCRYPTED PRIVATE KEY"), Some(PrivateKeyError::Encrypted)),
        (format!("{}{}", key("PRIVATE KEY"), key("EC PRIVATE KEY")), Some(PrivateKeyError::Many(2))),
        (String::new(), Some(PrivateKeyError::NotPem)),
        ("\u{30}\u{82}binary".to_owned(), Some(PrivateKeyError::NotPem)),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(),
            Some(PrivateKeyError::Damaged("3 bytes are too few".to_owned())),
        ),
    ];
    for (text, wanted) in cases {
        let answer = PrivateKey::from_pem(&text.clone().into());
        assert_eq!(answer.err(), wanted, "{text}");
    }
    assert!(matches!(
        PrivateKey::from_pem(&cut.into()),
        Err(PrivateKeyError::Damaged(_) | PrivateKeyError::None)
    ));
    // The form of the text does not matter, the bytes do.
    let unix = key("PRIVATE KEY");
    let windows = format!("notes in front\r\n{}", unix.replace('\n', "\r\n"));
    assert_eq!(PrivateKey::from_pem(&windows.into()).unwrap().fingerprint(), private_key(1).fingerprint());
    assert_ne!(private_key(2).fingerprint(), private_key(1).fingerprint());
}

#[test]
fn what_keys_init_makes_fits() {
    let identity = generate_identity("Postroom", (2026, 11, 31)).unwrap();
    assert!(identity.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    let key = PrivateKey::from_pem(&identity.private_key).unwrap();
    let other =
        PrivateKey::from_pem(&generate_identity("Postroom", (2026, 1, 1)).unwrap().private_key).unwrap();
    assert_ne!(key.fingerprint(), other.fingerprint());
    assert!(!format!("{identity:?}").contains("PRIVATE KEY"));
    for day in [(2026, 0, 1), (2026, 13, 1), (2026, 1, 0), (2026, 1, 32), (-4, 1, 1)] {
        assert!(generate_identity("Postroom", day).is_err(), "{day:?}");
    }

    let text = generate_passphrase(Dice::new(1).as_ref()).unwrap();
    assert_eq!(text.expose_secret().len(), 143);
    assert_ne!(text.expose_secret(), generate_passphrase(Dice::new(2).as_ref()).unwrap().expose_secret());
    assert!(generate_passphrase(&Dry).is_err());
    let keyring =
        Keyring::create(&Passphrase::new(&text).unwrap(), &key, CHEAP, "", Dice::new(3).as_ref()).unwrap();
    assert!(Keyring::open(keyring.bytes(), &Passphrase::new(&text).unwrap(), &key).is_ok());
}

#[test]
fn which_half_is_wrong_is_told() {
    let keyring = keyring();
    let (master, wanted) = (keyring.summary().master, private_key(1).fingerprint());
    let given = private_key(2).fingerprint();
    let open =
        |phrase, key| Keyring::open(keyring.bytes(), &passphrase(phrase), &private_key(key)).map(|_| ());
    assert_eq!(open("a", 1), Ok(()));
    assert_eq!(open("b", 1), Err(KeyringError::WrongPassphrase { master: master.clone() }));
    let (m, w, g) = (master.clone(), wanted.clone(), given.clone());
    assert_eq!(open("a", 2), Err(KeyringError::WrongKey { master: m, wanted: w, given: g }));
    assert_eq!(open("b", 2), Err(KeyringError::WrongBoth { master, wanted, given }));
}

/// The short check of the passphrase fits one wrong passphrase in 65 536; what comes behind it does not.
#[test]
fn a_passphrase_that_passes_the_short_check_is_still_wrong() {
    let ours = keyring();
    let wrong = Keyring::create(&passphrase("b"), &private_key(1), CHEAP, "", Dice::new(1).as_ref()).unwrap();
    let check = |bytes: &[u8]| {
        let file: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        file["master"]["passphrase_check"].as_str().unwrap().to_owned()
    };
    let text = String::from_utf8(ours.bytes().to_vec()).unwrap();
    let text = text.replace(&check(ours.bytes()), &check(wrong.bytes()));
    let answer = Keyring::open(text.as_bytes(), &passphrase("b"), &private_key(1)).map(|_| ());
    assert_eq!(answer, Err(KeyringError::WrongPassphrase { master: ours.summary().master }));
}

#[test]
fn every_change_of_the_file_is_noticed() {
    let dice = Dice::new(9);
    let keyring = keyring().with_new_data_key("2026-11-25", dice.as_ref()).unwrap();
    let text = String::from_utf8(keyring.bytes().to_vec()).unwrap();
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'2' { b'1' } else { b'2' };
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        if value(&changed) == value(&text) {
            continue;
        }
        let answer = Keyring::open(changed.as_bytes(), &passphrase("a"), &private_key(1));
        assert!(answer.is_err(), "byte {at} in {changed}");
    }
    // A whole older file is not noticed here: who may write the folder may put a backup back.
    for cut in [0, 1, text.len() / 2, text.len() - 3] {
        assert!(matches!(
            Keyring::open(&text.as_bytes()[..cut], &passphrase("a"), &private_key(1)),
            Err(KeyringError::Damaged(_))
        ));
    }
    let newer = text.replace("\"format\": 1", "\"format\": 2");
    assert_eq!(Keyring::peek(newer.as_bytes()), Err(KeyringError::Newer(2)));
}

#[test]
fn a_cost_that_would_take_the_machine_is_refused() {
    let text = String::from_utf8(keyring().bytes().to_vec()).unwrap();
    for (from, to) in
        [("\"memory_kib\": 8", "\"memory_kib\": 4294967295"), ("\"passes\": 1", "\"passes\": 1000000")]
    {
        let answer = Keyring::open(text.replace(from, to).as_bytes(), &passphrase("a"), &private_key(1));
        assert!(matches!(answer, Err(KeyringError::Damaged(_))), "{to}");
    }
}

#[test]
fn rotations_keep_what_they_must() {
    let dice = Dice::new(9);
    let first = keyring();
    let second = first.with_new_data_key("2026-11-25", dice.as_ref()).unwrap();
    assert_eq!((second.current(), second.retiring()), (2, vec![1]));
    let third = second.with_master(&passphrase("b"), &private_key(2), CHEAP, dice.as_ref()).unwrap();
    assert_ne!(third.summary().master, second.summary().master);
    assert!(Keyring::open(third.bytes(), &passphrase("a"), &private_key(1)).is_err());
    let opened = Keyring::open(third.bytes(), &passphrase("b"), &private_key(2)).unwrap();
    assert_eq!(opened.summary(), third.summary());
    for (number, key) in first.data_keys() {
        assert_eq!(opened.data_keys()[number].expose(), key.expose());
    }
    assert_eq!(opened.data_keys()[&2].expose(), second.data_keys()[&2].expose());
    assert_eq!(opened.derivation().expose(), first.derivation().expose());
    // The present key does not go, nor one that is not there; numbers are never used twice.
    assert!(opened.without(2, dice.as_ref()).unwrap().is_none());
    assert!(opened.without(7, dice.as_ref()).unwrap().is_none());
    let alone = opened.without(1, dice.as_ref()).unwrap().unwrap();
    assert_eq!((alone.current(), alone.retiring()), (2, vec![]));
    assert_eq!(alone.with_new_data_key("", dice.as_ref()).unwrap().current(), 3);
    assert!(Keyring::open(alone.bytes(), &passphrase("b"), &private_key(2)).is_ok());
}

#[test]
fn the_file_shows_no_key() {
    let keyring = keyring();
    let text = String::from_utf8(keyring.bytes().to_vec()).unwrap();
    for key in keyring.data_keys().values().chain([keyring.derivation()]) {
        assert!(!text.contains(&Base64UrlUnpadded::encode_string(key.expose())));
    }
    assert!(!text.contains(&"a".repeat(20)));
}
