//! The rules as a firm writes them.

use serde::{Deserialize, Serialize};

use super::pattern::{Pattern, Place};
use crate::luggage::LuggageSettings;
use crate::mistake::{Mistake, Mistakes};

const MOST_PATTERNS: usize = 32;
const MOST_DOMAINS: usize = 500;

/// How inbound mail is matched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchingSettings {
    /// The firm's own e-mail domains: who has an address there is an insider.
    pub own_domains: Vec<String>,
    /// The addresses of the mailboxes that are read, with their aliases. They stand on everything that arrives, so they count as nobody.
    pub own_mailboxes: Vec<String>,
    /// How luggage tags look.
    pub luggage: LuggageSettings,
    /// Patterns for the firm's references.
    pub patterns: Vec<PatternSettings>,
}

/// A pattern for references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternSettings {
    /// What the trace calls it.
    pub name: String,
    /// A regular expression, compared without case. What its group `reference` holds is looked up: `our ref:? *(?<reference>M-[0-9]{5})`.
    pub regex: String,
    /// The reference, where it is put together from several groups: `{client}-{matter}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where it is looked for; everywhere when nothing is said.
    #[serde(default = "everywhere")]
    pub places: Vec<Place>,
    /// Texts in which it must find something, tried when the settings are loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

fn everywhere() -> Vec<Place> {
    Place::ALL.into()
}

impl MatchingSettings {
    /// What is wrong with them; `at` is the key they stand at.
    pub fn check(&self, at: &str) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        if self.own_domains.is_empty() {
            mistakes.add(
                format!("{at}.own_domains"),
                "names no domain: what colleagues pass on among themselves could not be told from a client's mail",
            );
        }
        for (i, domain) in self.own_domains.iter().enumerate() {
            if domain.is_empty() || domain.contains(['@', '*', ' ', '/']) || domain.starts_with('.') {
                let problem = format!("\"{domain}\" is not a domain such as firm.example");
                mistakes.add(format!("{at}.own_domains[{}]", i + 1), problem);
            }
        }
        for (i, address) in self.own_mailboxes.iter().enumerate() {
            let whole = address.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !domain.contains('@')
            });
            if !whole || address.contains(char::is_whitespace) {
                let problem = format!("\"{address}\" is not an address such as post@firm.example");
                mistakes.add(format!("{at}.own_mailboxes[{}]", i + 1), problem);
            }
        }
        mistakes.at_most(&format!("{at}.own_domains"), self.own_domains.len(), MOST_DOMAINS);
        mistakes.at_most(&format!("{at}.own_mailboxes"), self.own_mailboxes.len(), MOST_DOMAINS);
        mistakes.at_most(&format!("{at}.patterns"), self.patterns.len(), MOST_PATTERNS);
        mistakes.0.extend(self.luggage.check(&format!("{at}.luggage")));
        for (i, pattern) in self.patterns.iter().enumerate().take(MOST_PATTERNS) {
            let at = format!("{at}.patterns[{}]", i + 1);
            if self.patterns[..i].iter().any(|other| other.name == pattern.name) {
                mistakes.add(format!("{at}.name"), format!("\"{}\" stands twice", pattern.name));
            }
            pattern.check(&at, &mut mistakes);
        }
        mistakes.0
    }
}

impl PatternSettings {
    fn check(&self, at: &str, mistakes: &mut Mistakes) {
        if self.name.trim().is_empty() {
            mistakes.add(format!("{at}.name"), "is empty");
        }
        if self.places.is_empty() {
            mistakes.add(format!("{at}.places"), "names no place to look in");
        }
        match Pattern::new(self) {
            Err((key, problem)) => mistakes.add(format!("{at}.{key}"), problem),
            Ok(pattern) => {
                for (i, example) in self.examples.iter().enumerate() {
                    if pattern.in_text(example).0.is_empty() {
                        let problem = format!("the pattern finds no reference in \"{example}\"");
                        mistakes.add(format!("{at}.examples[{}]", i + 1), problem);
                    }
                }
            }
        }
    }
}
