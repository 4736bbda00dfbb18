//! The filter language: what is read prints as the same filter, and every mistake has a place within the text.

#![no_main]

use postroom_api::filter::parse;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(filter) => {
            let printed = filter.to_string();
            assert_eq!(parse(&printed).as_ref(), Ok(&filter), "{printed}");
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            let length = text.chars().count();
            for mistake in mistakes {
                assert!(mistake.position + mistake.length <= length.max(1), "{mistake:?} in {length} characters");
                assert!(!mistake.message.is_empty());
            }
        }
    }
});
