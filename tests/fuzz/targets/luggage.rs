//! Luggage tags in a text that people and mail programs have handled: what is found is one of ours by its check characters, a tag that is
//! put into any text without brackets is found, and no header is believed without its proof.

#![no_main]

use postroom_domain::ids::WorkItemId;
use postroom_domain::luggage::{Luggage, LuggageSecret, LuggageSettings};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let luggage = Luggage::new(LuggageSecret::new([7; 32]), &LuggageSettings::default());
    let found = luggage.find(text);
    for key in &found.keys {
        assert_eq!(luggage.find(&luggage.tag(*key)).keys, [*key]);
    }
    assert!(found.keys.len() <= 16 && found.wrong.len() <= 16);
    let item = WorkItemId::from_u128(42);
    let key = luggage.key_for(item, 0);
    let around: String = text.chars().filter(|c| !"[]()<>{}［］".contains(*c)).take(1000).collect();
    assert!(luggage.find(&format!("{around} {} {around}", luggage.tag(key))).keys.contains(&key));
    if let Ok(proven) = luggage.read_header(text) {
        assert_eq!(luggage.header(proven), text.trim(), "only what we wrote is believed");
    }
});
