//! Outlook's files, behind the signature of a compound file.

#![no_main]

libfuzzer_sys::fuzz_target!(|rest: &[u8]| postroom_fuzz::check_behind(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", rest));
