//! Finds tags in a text that people and mail programs have handled.

use super::alphabet::{closes, folded, is_blank, is_dash, opens, value};
use super::{CHECK, KEY, Luggage, LuggageKey};

/// No more of a text is read: RFC 5322 knows no longer line, and a body is quoted from its end.
const LONGEST_TEXT: usize = 256 * 1024;
/// From its opening to its closing bracket, blanks and what cannot be seen included.
const LONGEST_TAG: usize = 64;
/// Of the parts between the hyphens, in bytes; a prefix has no more than 8.
const LONGEST_PART: usize = 8;
/// More different tags than this are not told apart: two are a person's matter already.
const MOST: usize = 16;

/// The tags of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The keys of those whose check characters fit, each once, in the order of the text.
    pub keys: Vec<LuggageKey>,
    /// What looks like a tag of ours and is none, as it would be written: somebody mistyped it or made it up.
    pub wrong: Vec<String>,
}

impl Luggage {
    /// All tags of a text. Case, blanks, folded lines and look-alike characters make no difference; check characters that do not fit do.
    pub fn find(&self, text: &str) -> Found {
        let mut found = Found::default();
        let end = text.floor_char_boundary(LONGEST_TEXT);
        let text = &text[..end];
        for (at, _) in text.char_indices().filter(|(_, c)| opens(*c)) {
            let Some((prefix, key, check)) = self.shape(&text[at..]) else { continue };
            if self.check(key) == check {
                if found.keys.len() < MOST && !found.keys.contains(&key) {
                    found.keys.push(key);
                }
            } else {
                let written = format!("[{prefix}-{key}-{check}]");
                if found.wrong.len() < MOST && !found.wrong.contains(&written) {
                    found.wrong.push(written);
                }
            }
        }
        found
    }

    /// Reads what has the shape of a tag from its opening bracket on: prefix, key, check characters.
    fn shape(&self, text: &str) -> Option<(&str, LuggageKey, String)> {
        let inside = text.chars().take(LONGEST_TAG).skip(1).filter(|c| !is_blank(*c));
        let (mut parts, mut closed) = (vec![String::new()], false);
        for c in inside {
            closed = closes(c);
            if closed {
                break;
            }
            match parts.last_mut() {
                // What can be no tag any more is left at once: a text may be nothing but brackets.
                _ if opens(c) => return None,
                Some(part) if part.len() > LONGEST_PART => return None,
                Some(_) if is_dash(c) => parts.push(String::new()),
                Some(part) => part.push(folded(c)),
                None => {}
            }
        }
        let [prefix, key, check] = parts.as_slice() else { return None };
        let prefix = self.prefixes.iter().find(|own| own.chars().map(folded).eq(prefix.chars()))?;
        let values = |text: &str| text.chars().map(value).collect::<Option<Vec<u8>>>();
        let (key, value_of_check) = (values(key)?, values(check)?);
        let whole = closed && key.len() == KEY && value_of_check.len() == CHECK;
        whole.then(|| (prefix.as_str(), LuggageKey::from_values(&key), check.clone()))
    }
}
