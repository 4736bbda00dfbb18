//! What a firm may choose about its tags.

use serde::{Deserialize, Serialize};

use crate::mistake::{Mistake, Mistakes};

/// How tags look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LuggageSettings {
    /// What stands in front: 2 to 8 letters and digits.
    pub prefix: String,
    /// Prefixes of earlier times: still read, not written any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_prefixes: Vec<String>,
}

impl Default for LuggageSettings {
    fn default() -> Self {
        Self { prefix: "PR".to_owned(), former_prefixes: Vec::new() }
    }
}

impl LuggageSettings {
    /// What is wrong with them; `at` is the key they stand at.
    pub fn check(&self, at: &str) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        let former = self.former_prefixes.iter().enumerate();
        let former = former.map(|(i, prefix)| (format!("{at}.former_prefixes[{}]", i + 1), prefix));
        for (key, prefix) in std::iter::once((format!("{at}.prefix"), &self.prefix)).chain(former) {
            if !(2..=8).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_alphanumeric()) {
                mistakes.add(key, format!("\"{prefix}\" is not 2 to 8 letters and digits"));
            }
        }
        mistakes.at_most(&format!("{at}.former_prefixes"), self.former_prefixes.len(), 8);
        mistakes.0
    }
}
