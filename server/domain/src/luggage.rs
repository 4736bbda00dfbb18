//! Luggage tags: `[PR-7K2M9X-4Q]` in an e-mail's subject ties the answers to a work item.
//!
//! The six characters in the middle are the work item's [`LuggageKey`]: 30 bits that a keyed hash of its id gives. They say nothing about
//! the work item and nothing about its neighbours. Two ids may hash to the same key (in a house of 100,000 work items a few pairs do), so
//! the key is kept with the work item under a unique key of the store: [`Luggage::key_for`] proposes one after the other, and the first
//! that nobody else has is taken. So a tag names exactly one work item, by a lookup.
//!
//! The two characters at the end are a keyed code over the key. Who makes a tag up has to guess a key that is in use and its code, which
//! is one try in 10 million even where 100,000 work items have tags. A tag that somebody has *seen* can be copied, of course: that is why
//! a tag alone decides nothing where the sender is a stranger to the work item (see [`crate::matching`]).
//!
//! Our own header (`X-Postroom-Work-Item`) has a proof of 128 bits under the same secret.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::WorkItemId;

mod alphabet;
mod header;
mod read;
mod settings;

pub use header::HeaderError;
pub use read::Found;
pub use settings::LuggageSettings;

use alphabet::{BITS, SYMBOLS};

/// The secret of this installation's tags. It must stay the same as long as answers to tagged mail may come:
/// [`crate::sealing::Seals::code`] gives one that no rotation changes.
#[derive(Clone, PartialEq, Eq)]
pub struct LuggageSecret([u8; 32]);

impl LuggageSecret {
    /// The purpose that [`crate::sealing::Seals::code`] is asked with.
    pub const PURPOSE: &'static str = "luggage tags";

    /// Wraps a secret of 32 bytes.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// A code over some bytes; `purpose` keeps the codes of one use from fitting another.
    fn code(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(bytes);
        *hasher.finalize().as_bytes()
    }
}

impl fmt::Debug for LuggageSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LuggageSecret(…)")
    }
}

/// What a tag names a work item by: six characters of Crockford's base 32, kept with the work item and unique in the house.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LuggageKey(u32);

/// Characters of a key, and of its check.
const KEY: usize = 6;
const CHECK: usize = 2;

impl LuggageKey {
    /// How many there are.
    pub const NUMBER: u32 = 1 << (BITS * KEY);

    fn from_values(values: &[u8]) -> Self {
        Self(values.iter().fold(0, |number, value| (number << BITS) | u32::from(*value)))
    }
}

impl fmt::Display for LuggageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        alphabet::write(f, self.0, KEY)
    }
}

impl fmt::Debug for LuggageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LuggageKey({self})")
    }
}

/// A text that is no luggage key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a luggage key is six of 0-9 and A-Z without I, L, O and U")]
pub struct NoLuggageKey;

impl FromStr for LuggageKey {
    type Err = NoLuggageKey;
    fn from_str(text: &str) -> Result<Self, NoLuggageKey> {
        let values: Option<Vec<u8>> = text.chars().take(KEY + 1).map(alphabet::value).collect();
        values
            .filter(|values| values.len() == KEY)
            .map(|values| Self::from_values(&values))
            .ok_or(NoLuggageKey)
    }
}

impl TryFrom<String> for LuggageKey {
    type Error = NoLuggageKey;
    fn try_from(text: String) -> Result<Self, NoLuggageKey> {
        text.parse()
    }
}

impl From<LuggageKey> for String {
    fn from(key: LuggageKey) -> String {
        key.to_string()
    }
}

/// Makes tags and reads them.
#[derive(Debug, Clone)]
pub struct Luggage {
    secret: LuggageSecret,
    /// The first is written, all are read.
    prefixes: Vec<String>,
}

impl Luggage {
    /// Tags under a secret, with a prefix that [`LuggageSettings::check`] has nothing against.
    pub fn new(secret: LuggageSecret, settings: &LuggageSettings) -> Self {
        let all = std::iter::once(&settings.prefix).chain(&settings.former_prefixes);
        Self { secret, prefixes: all.map(|prefix| prefix.to_uppercase()).collect() }
    }

    /// The same tags in another look.
    #[must_use]
    pub fn with(&self, settings: &LuggageSettings) -> Self {
        Self::new(self.secret.clone(), settings)
    }

    /// A key for a work item. The first proposal is number 0; the next is asked for when another work item has this one already.
    pub fn key_for(&self, item: WorkItemId, proposal: u32) -> LuggageKey {
        let told = [item.as_u128().to_be_bytes().as_slice(), &proposal.to_be_bytes()].concat();
        let [a, b, c, d, ..] = self.secret.code("key", &told);
        LuggageKey(u32::from_be_bytes([a, b, c, d]) % LuggageKey::NUMBER)
    }

    /// The tag that goes into a subject.
    pub fn tag(&self, key: LuggageKey) -> String {
        let prefix = self.prefixes.first().map_or("", String::as_str);
        format!("[{prefix}-{key}-{}]", self.check(key))
    }

    /// The check characters of a key. They do not depend on the prefix, so that tags outlive its change.
    fn check(&self, key: LuggageKey) -> String {
        let [a, b, ..] = self.secret.code("check", &key.0.to_be_bytes());
        let code = u16::from_be_bytes([a, b]);
        [code >> BITS, code].map(|part| SYMBOLS[usize::from(part) % SYMBOLS.len()]).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
