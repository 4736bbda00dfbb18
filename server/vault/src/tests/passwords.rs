//! Passwords.

use secrecy::SecretString;

use super::*;
use crate::{Hasher, PasswordError, objection};

fn hasher() -> Hasher {
    Hasher::new(CHEAP_HASH, Dice::new(1).as_ref()).unwrap()
}

fn secret(text: &str) -> SecretString {
    text.into()
}

#[test]
fn the_right_password_matches_and_nothing_else() {
    let (hasher, dice) = (hasher(), Dice::new(2));
    let hash = hasher.hash(&secret("a quiet harbour"), dice.as_ref()).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    assert_ne!(hash, hasher.hash(&secret("a quiet harbour"), dice.as_ref()).unwrap());
    assert!(hasher.matches(&secret("a quiet harbour"), Some(&hash)));
    let cases = [
        ("a quiet harbou", Some(hash.as_str())),
        ("A quiet harbour", Some(&hash)),
        ("", Some(&hash)),
        ("a quiet harbour", None),
        ("a quiet harbour", Some("")),
        ("a quiet harbour", Some("a quiet harbour")),
        ("a quiet harbour", Some(&hash[..hash.len() - 8])),
        // Made elsewhere, at a cost that would take the machine; and nothing that Argon2 made.
        ("a quiet harbour", Some("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("a quiet harbour", Some("$2b$12$abcdefghijklmnopqrstuv")),
    ];
    for (password, hash) in cases {
        assert!(!hasher.matches(&secret(password), hash), "{password} {hash:?}");
    }
}

#[test]
fn hashes_of_another_cost_still_match() {
    let dice = Dice::new(2);
    let older = Hasher::new(HashCost { memory_kib: 16, passes: 2, lanes: 1 }, dice.as_ref()).unwrap();
    let hash = older.hash(&secret("a quiet harbour"), dice.as_ref()).unwrap();
    assert!(hasher().matches(&secret("a quiet harbour"), Some(&hash)));
    // Of another program, with two lanes and another variant.
    let theirs = "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";
    assert!(!hasher().matches(&secret("a quiet harbour"), Some(theirs)));
    assert!(hasher().matches(
        &secret("password"),
        Some("$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA")
    ));
}

#[test]
fn a_password_beyond_the_limit_is_neither_hashed_nor_matched() {
    let (hasher, dice) = (hasher(), Dice::new(2));
    let most = "ab".repeat(512);
    let hash = hasher.hash(&secret(&most), dice.as_ref()).unwrap();
    assert!(hasher.matches(&secret(&most), Some(&hash)));
    let more = format!("{most}c");
    assert_eq!(hasher.hash(&secret(&more), dice.as_ref()), Err(PasswordError::TooLong));
    assert!(!hasher.matches(&secret(&more), Some(&hash)), "it is not cut to fit");
    assert!(hasher.hash(&secret("a quiet harbour"), &Dry).is_err());
}

#[test]
fn objections() {
    let ann = "Ann Archer ann.archer@harrow.example";
    let cases = [
        // password, person, the word in the objection
        ("short", ann, Some("at least 12")),
        ("elevensigns", ann, Some("at least 12")),
        ("élevenßigns", ann, Some("at least 12")),
        ("twelve signs", ann, None),
        ("correct horse battery staple nine", ann, None),
        ("correct horse battery staple", ann, Some("first")),
        ("ann.archer@harrow.example", ann, Some("name")),
        ("Ann.Archer2026", ann, Some("name")),
        ("archerarcher12", ann, Some("name")),
        ("Ann Archer likes tea", ann, None),
        ("passwordpassword", ann, Some("first")),
        ("Password12345", ann, Some("first")),
        ("P@ssw0rd-2026!", ann, Some("first")),
        ("Postroom 2026!", ann, Some("first")),
        ("qwertyuiop12", ann, Some("first")),
        ("aaaaaaaaaaaaaaaa", ann, Some("first")),
        ("abababababab", ann, Some("first")),
        ("abcdefghijklmnop", ann, Some("first")),
        ("zyxwvutsrqponml", ann, Some("first")),
        ("a quiet harbour", "", None),
    ];
    for (password, person, wanted) in cases {
        let answer = objection(&secret(password), person);
        let fits = match (&answer, wanted) {
            (None, None) => true,
            (Some(text), Some(word)) => text.contains(word) && !text.contains(password),
            _ => false,
        };
        assert!(fits, "{password}: {answer:?}");
    }
    assert!(objection(&secret(&"long words ".repeat(100)), ann).is_some());
}

/// Not a check of speed: both answers take the same kind of work, which an empty branch would not.
#[test]
fn nobody_costs_as_much_as_somebody() {
    let cost = HashCost { memory_kib: 4096, passes: 3, lanes: 1 };
    let dice = Dice::new(2);
    let hasher = Hasher::new(cost, dice.as_ref()).unwrap();
    let hash = hasher.hash(&secret("a quiet harbour"), dice.as_ref()).unwrap();
    let best = |hash: Option<&str>| {
        (0..7)
            .map(|_| {
                let begun = std::time::Instant::now();
                assert!(!hasher.matches(&secret("another harbour"), hash));
                begun.elapsed()
            })
            .min()
            .unwrap()
    };
    let (somebody, nobody) = (best(Some(&hash)), best(None));
    assert!(nobody * 2 > somebody && somebody * 2 > nobody, "somebody {somebody:?}, nobody {nobody:?}");
}

/// What the costs take here: `cargo test -p postroom-vault -- --ignored --nocapture cost`.
#[test]
#[ignore = "prints a table; run it on the machine in question"]
fn cost_of_a_sign_in() {
    for (memory_mib, passes) in
        [(19, 2), (19, 4), (46, 1), (46, 2), (64, 1), (64, 2), (64, 3), (64, 4), (128, 2), (128, 3), (256, 3)]
    {
        let cost = HashCost { memory_kib: memory_mib << 10, passes, lanes: 1 };
        let hasher = Hasher::new(cost, Dice::new(1).as_ref()).unwrap();
        let mut times: Vec<_> = (0..7)
            .map(|_| {
                let begun = std::time::Instant::now();
                assert!(!hasher.matches(&secret("a quiet harbour"), None));
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!("{memory_mib:>4} MiB, {passes} passes: least {:>7.1?}, middle {:>7.1?}", times[0], times[3]);
    }
}
