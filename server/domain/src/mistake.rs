//! What is wrong in settings that are well-formed, with the key that it stands at.

use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key, as a person finds it in the file: `matching.patterns[2].regex`. Lists count from 1.
    pub key: String,
    /// What is wrong, in plain words.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

/// Mistakes as they are gathered while settings are checked: all of them, so that a person mends the file once.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(pub(crate) Vec<Mistake>);

impl Mistakes {
    pub(crate) fn add(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Mistake { key: key.into(), problem: problem.into() });
    }

    /// A list must not be longer than what is read of it.
    pub(crate) fn at_most(&mut self, key: &str, number: usize, most: usize) {
        if number > most {
            self.add(key, format!("has {number} entries, and {most} are the most"));
        }
    }
}
