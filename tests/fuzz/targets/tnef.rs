//! `winmail.dat`, behind its signature.

#![no_main]

libfuzzer_sys::fuzz_target!(|rest: &[u8]| postroom_fuzz::check_behind(b"\x78\x9f\x3e\x22\x01\0", rest));
