//! Which settings changed since the last start, for the audit: the keys, never their values.
//!
//! What is kept of a value is a code that only this installation can compute, so that nobody who has the file finds a short secret by
//! trying.

use std::collections::BTreeMap;

use postroom_domain::ids::BlobHash;
use postroom_domain::sealing::Seals;
use secrecy::{ExposeSecret as _, SecretString};
use toml::{Table, Value};

/// What is set: each key with its value.
#[derive(Default)]
pub(crate) struct Seen(Vec<(String, SecretString)>);

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

/// What was set at a start: each key with its value's code.
pub(crate) type Remembered = BTreeMap<String, String>;

impl Seen {
    /// Of a settings text that was read already.
    pub(super) fn of(text: &str) -> Self {
        let mut seen = Vec::new();
        if let Ok(table) = text.parse::<Table>() {
            walk(String::new(), &Value::Table(table), &mut seen);
        }
        Self(seen)
    }

    /// As it is kept until the next start.
    pub(crate) fn remembered(&self, seals: &dyn Seals) -> Remembered {
        let code = |key: &str, value: &SecretString| {
            BlobHash::new(seals.code("settings", &format!("{key}={}", value.expose_secret()))).to_string()
        };
        self.0.iter().map(|(key, value)| (key.clone(), code(key, value))).collect()
    }

    /// The keys that are set otherwise than the last time, set anew, or not set any more.
    pub(crate) fn changes(before: &Remembered, now: &Remembered) -> Vec<String> {
        let keys: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
        keys.into_iter().filter(|key| before.get(*key) != now.get(*key)).cloned().collect()
    }
}

/// Entries of lists go by their name where they have one: a new one in front does not change all behind it.
fn walk(key: String, value: &Value, seen: &mut Vec<(String, SecretString)>) {
    match value {
        Value::Table(table) => {
            for (step, below) in table {
                let key = if key.is_empty() { step.clone() } else { format!("{key}.{step}") };
                walk(key, below, seen);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_table) => {
            for (number, item) in items.iter().enumerate() {
                let name = ["name", "domain", "team"].iter().find_map(|it| item.get(it)?.as_str());
                let step = name.map_or_else(|| number.to_string(), str::to_owned);
                walk(format!("{key}[{step}]"), item, seen);
            }
        }
        other => seen.push((key, SecretString::from(other.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_and_values_are_not() {
        let seen = |text: &str| -> Remembered {
            Seen::of(text).0.iter().map(|(k, v)| (k.clone(), v.expose_secret().to_owned())).collect()
        };
        let before = seen("[server]\nworkers = 2\n[[tokens]]\nname = \"a\"\nsha256 = \"1\"\n");
        let after = seen(
            "[server]\nworkers = 3\n[[tokens]]\nname = \"b\"\nsha256 = \"2\"\n[[tokens]]\nname = \"a\"\nsha256 = \"1\"\n",
        );
        assert_eq!(Seen::changes(&before, &after), ["server.workers", "tokens[b].name", "tokens[b].sha256"]);
        assert!(Seen::changes(&before, &before).is_empty());
        let shown = format!("{:?}", Seen::of("[vault]\npassphrase = \"open sesame\"\n"));
        assert_eq!(shown, "[\"vault.passphrase\"]");
    }
}
