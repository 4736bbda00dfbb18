//! The profile of a workspace, kept in `.postroom/workspace.json`.
//!
//! The file is one flat object. `closed` (true or false) tells whether the workspace still takes documents; every other
//! key is a field by which repositories can find the workspace. No file means an open workspace without fields.

use std::collections::BTreeMap;

use serde_json::Value;

/// The name of the file.
pub(crate) const FILE: &str = "workspace.json";

/// What a workspace says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Whether it takes documents.
    pub(crate) open: bool,
    /// Its fields.
    pub(crate) fields: BTreeMap<String, String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { open: true, fields: BTreeMap::new() }
    }
}

impl Profile {
    /// Reads the values of the file. The error names what cannot be understood: a workspace is never guessed about.
    pub(crate) fn read(values: BTreeMap<String, Value>) -> Result<Self, String> {
        let mut profile = Self::default();
        for (key, value) in values {
            match value {
                Value::Bool(closed) if key == "closed" => profile.open = !closed,
                Value::String(text) => drop(profile.fields.insert(key, text)),
                Value::Bool(_) | Value::Number(_) => drop(profile.fields.insert(key, value.to_string())),
                _ => return Err(format!("{FILE}: \"{key}\" is neither text, number nor true or false")),
            }
        }
        Ok(profile)
    }

    /// Reads the file's text.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let values = serde_json::from_slice(text).map_err(|e| format!("{FILE}: {e}"))?;
        Self::read(values)
    }
}
