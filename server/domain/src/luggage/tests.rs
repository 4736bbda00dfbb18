use proptest::prelude::*;

use super::*;

fn luggage() -> Luggage {
    Luggage::new(LuggageSecret::new([7; 32]), &LuggageSettings::default())
}

fn item(number: u128) -> WorkItemId {
    WorkItemId::from_u128(number)
}

/// The tag of one work item, cut into prefix, key and check characters.
fn parts() -> (LuggageKey, String, String) {
    let luggage = luggage();
    let key = luggage.key_for(item(1), 0);
    (key, key.to_string(), luggage.check(key))
}

#[test]
fn a_tag_is_found_whatever_happened_to_it() {
    let luggage = luggage();
    let (key, k, c) = parts();
    assert_eq!(luggage.tag(key), format!("[PR-{k}-{c}]"));
    let small = format!("[pr-{k}-{c}]").to_lowercase();
    for text in [
        luggage.tag(key),
        small.clone(),
        format!("Re: AW: FW: {small} Lease of Unit 4"),
        format!("Lease{small}Unit"),
        format!("[EXTERN] [PR-{k}-{c}]"),
        format!("[PR-{}\r\n {}-{c}]", &k[..3], &k[3..]),
        format!("[ PR - {k} - {c} ]"),
        format!("[\u{200b}P\u{ad}R-{k}-{c}\u{feff}]"),
        format!("[PR\u{2013}{k}\u{2014}{c}]"),
        format!("(PR-{k}-{c})"),
        format!("［ＰＲ－{k}－{c}］"),
        format!("[РR-{k}-{c}]"),
        format!("[[PR-{k}-{c}]]"),
        format!("[PR-{k}- [PR-{k}-{c}] [PR-"),
        format!("[PR-{k}-{c}] and again [PR-{k}-{c}]"),
        format!("[PR-{}-{c}]", k.replace('0', "O").replace('1', "l")),
    ] {
        assert_eq!(luggage.find(&text), Found { keys: vec![key], wrong: Vec::new() }, "{text:?}");
    }
}

#[test]
fn what_is_no_tag_is_not_found() {
    let luggage = luggage();
    let (_, k, c) = parts();
    for text in [
        String::new(),
        format!("PR-{k}-{c}"),
        format!("[PR-{k}-{c}"),
        format!("[PR-{k}{c}]"),
        format!("[PR-{k}]"),
        format!("[PR-{k}-{c}-1]"),
        format!("[PR-{k}1-{c}]"),
        format!("[XX-{k}-{c}]"),
        format!("[PR-{k}-{c}{}]", " ".repeat(80)),
        format!("[PR-{}-{c}]", "é".repeat(6)),
        format!("{}[PR-{k}-{c}]", " ".repeat(256 * 1024)),
    ] {
        assert_eq!(luggage.find(&text), Found::default(), "{:?}", text.trim_start());
    }
}

#[test]
fn all_tags_are_read_and_wrong_checks_are_told() {
    let luggage = luggage();
    let (one, k, c) = parts();
    let two = luggage.key_for(item(2), 0);
    let other = if c == "00" { "11" } else { "00" };
    let text = format!("{} {} [PR-{k}-{other}]", luggage.tag(two), luggage.tag(one));
    let found = luggage.find(&text);
    assert_eq!(found.keys, [two, one]);
    assert_eq!(found.wrong, [format!("[PR-{k}-{other}]")]);
    let many: String = (0..100).map(|n| luggage.tag(luggage.key_for(item(n), 0))).collect();
    assert_eq!(luggage.find(&many).keys.len(), 16);
}

#[test]
fn former_prefixes_are_read_and_the_new_one_is_written() {
    let settings = LuggageSettings { prefix: "hp".into(), former_prefixes: vec!["PR".into()] };
    let new = Luggage::new(LuggageSecret::new([7; 32]), &settings);
    let (key, ..) = parts();
    assert!(new.tag(key).starts_with("[HP-"));
    assert_eq!(new.find(&luggage().tag(key)).keys, [key]);
    assert_eq!(luggage().find(&new.tag(key)), Found::default());
}

#[test]
fn another_secret_makes_other_tags() {
    let other = Luggage::new(LuggageSecret::new([8; 32]), &LuggageSettings::default());
    let fitting = (0..4096).filter(|n| {
        let key = luggage().key_for(item(*n), 0);
        luggage().check(key) == other.check(key)
    });
    assert!(fitting.count() < 20, "about 4 are expected");
    assert_ne!(luggage().key_for(item(1), 0), other.key_for(item(1), 0));
    assert_ne!(luggage().key_for(item(1), 0), luggage().key_for(item(1), 1));
    assert_eq!(format!("{:?}", LuggageSecret::new([7; 32])), "LuggageSecret(…)");
}

#[test]
fn keys_are_read_as_they_are_written() {
    for (text, wanted) in [
        ("000000", Some("000000")),
        ("zzzzzz", Some("ZZZZZZ")),
        ("OIL123", Some("011123")),
        ("12345", None),
        ("1234567", None),
        ("12 456", None),
    ] {
        let read = text.parse::<LuggageKey>().ok().map(|key| key.to_string());
        assert_eq!(read.as_deref(), wanted, "{text}");
    }
    let key: LuggageKey = serde_json::from_str("\"7K2M9X\"").unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), "\"7K2M9X\"");
}

#[test]
fn the_header_proves_who_wrote_it() {
    let luggage = luggage();
    let other = Luggage::new(LuggageSecret::new([8; 32]), &LuggageSettings::default());
    let good = luggage.header(item(5));
    let stolen = good.replace(&item(5).to_string(), &item(6).to_string());
    for (text, wanted) in [
        (good.clone(), Ok(item(5))),
        (format!("  {}  ", good.to_uppercase()), Ok(item(5))),
        (stolen, Err(HeaderError::NotOurs)),
        (other.header(item(5)), Err(HeaderError::NotOurs)),
        (format!("{};", item(5)), Err(HeaderError::NotOurs)),
        (item(5).to_string(), Err(HeaderError::Malformed)),
        ("M-1; abc".to_owned(), Err(HeaderError::Malformed)),
        (String::new(), Err(HeaderError::Malformed)),
    ] {
        assert_eq!(luggage.read_header(&text), wanted, "{text}");
    }
}

#[test]
fn prefixes_are_checked() {
    let check =
        |prefix: &str| LuggageSettings { prefix: prefix.into(), ..LuggageSettings::default() }.check("l");
    for good in ["PR", "hp24", "ABCDEFGH"] {
        assert_eq!(check(good), [], "{good}");
    }
    for bad in ["", "P", "P R", "P-R", "ABCDEFGHI", "ÄÖ"] {
        assert_eq!(check(bad)[0].key, "l.prefix", "{bad}");
    }
    let former =
        LuggageSettings { former_prefixes: vec!["OK".into(), "-".into()], ..LuggageSettings::default() };
    assert_eq!(former.check("l")[0].key, "l.former_prefixes[2]");
}

proptest! {
    #[test]
    fn a_tag_is_found_again_in_any_text(number: u128, before in "\\PC{0,60}", after in "\\PC{0,60}") {
        let luggage = luggage();
        let key = luggage.key_for(item(number), 0);
        let found = luggage.find(&format!("{before}{}{after}", luggage.tag(key)));
        prop_assert!(found.keys.contains(&key));
    }

    #[test]
    fn any_text_is_read_without_harm(text in "[\\[\\](){}PR\\-0-9A-Zü \u{200b}]{0,300}") {
        let found = luggage().find(&text);
        prop_assert!(found.keys.len() <= 16 && found.wrong.len() <= 16);
    }
}

/// Of all that has the shape of a tag, one in 1,024 fits by chance; a text without that shape never does.
#[test]
fn what_was_made_up_fits_as_rarely_as_chance_has_it() {
    let entropy = crate::testing::SeededEntropy::new(11);
    let luggage = luggage();
    let tries = 40_000;
    let fitting = (0..tries).filter(|_| {
        let number = entropy.next();
        let made_up: String =
            (0..8).map(|at| SYMBOLS[usize::try_from((number >> (at * BITS)) % 32).unwrap_or(0)]).collect();
        !luggage.find(&format!("[PR-{}-{}]", &made_up[..6], &made_up[6..])).keys.is_empty()
    });
    let fitting = fitting.count();
    assert!((10..80).contains(&fitting), "{fitting} of {tries}, and 39 are expected");
}
