//! Texts with tags: one that is read is the same when it is read again, and filling it in ends with a text or a reason, never with a value
//! that does more than stand where it is put.

#![no_main]

use jiff::tz::TimeZone;
use postroom_domain::tag::{Template, Use, split_outside_tags};
use postroom_fuzz::matter;

libfuzzer_sys::fuzz_target!(|text: &str| {
    for separator in [',', '/', '='] {
        let parts = split_outside_tags(text, separator);
        assert_eq!(parts.join(&separator.to_string()), text, "nothing is lost or made up");
    }
    let Ok(template) = text.parse::<Template>() else { return };
    assert_eq!(template.source().parse::<Template>().as_ref(), Ok(&template));
    let _ = template.mistakes();
    let item = matter();
    for for_use in Use::ALL {
        let Ok(filled) = template.fill(&item, for_use, &TimeZone::UTC) else { continue };
        if template.is_fixed() {
            let literal = text.replace("[[", "[");
            assert_eq!(filled, literal);
        }
    }
});
