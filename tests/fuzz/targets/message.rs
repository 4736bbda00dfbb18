//! E-mails as they travel.

#![no_main]

libfuzzer_sys::fuzz_target!(|raw: &[u8]| postroom_fuzz::check(raw));
