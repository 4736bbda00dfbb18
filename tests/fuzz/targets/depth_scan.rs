//! The walk through a message's tree: levels and parts stay within their limits.

#![no_main]

use postroom_inbound::message::{Limits, Refused, measure};

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let limits = Limits { levels: 6, parts: 40, ..Limits::default() };
    match measure(raw, &limits) {
        Ok(measured) => assert!(measured.levels <= limits.levels && measured.parts <= limits.parts),
        Err(why) => assert_eq!(why, Refused::TooDeep(limits.levels)),
    }
});
