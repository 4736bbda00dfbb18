//! What a person sets for themself: colours, times, columns, mouse, keys. Kept in a file, which they may write by hand too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::theme::Kind;
use crate::when::Times;

/// A person's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The colours.
    pub(crate) theme: Kind,
    /// How times are shown.
    pub(crate) times: Times,
    /// The other columns of lists.
    pub(crate) wide: bool,
    /// Whether the mouse is taken. Off, the terminal selects text by it as anywhere else; with Shift it does so in any case.
    pub(crate) mouse: bool,
    /// Other keys for commands: `retry = ["F6"]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) keys: BTreeMap<String, Vec<String>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            theme: Kind::default(),
            times: Times::default(),
            wide: false,
            mouse: true,
            keys: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Where it is kept unless something else is said: in the person's folder for settings.
    pub(crate) fn usual_place() -> Option<PathBuf> {
        let folder = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
        let base = folder("XDG_CONFIG_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".config")))
            .or_else(|| folder("APPDATA"))?;
        Some(base.join("postroom").join("console.toml"))
    }

    /// Reads it; one that does not exist is one with nothing in it.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("the console's settings {} cannot be read", path.display()));
            }
        };
        toml::from_str(&text).with_context(|| format!("the console's settings {} are wrong", path.display()))
    }

    /// Keeps it. Written aside and put in place, so that it is never half a file.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self).context("the settings cannot be written as TOML")?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let aside = path.with_extension("toml.new");
        std::fs::write(&aside, text)?;
        std::fs::rename(&aside, path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were_kept_and_mistakes_are_named() {
        let folder = std::env::temp_dir().join(format!("postroom-console-{}", std::process::id()));
        let path = folder.join("console.toml");
        assert_eq!(Config::read(&path).unwrap(), Config::default());
        let config = Config {
            theme: Kind::Light,
            times: Times::Absolute,
            mouse: false,
            keys: [("retry".to_owned(), vec!["F6".to_owned()])].into(),
            ..Config::default()
        };
        config.write(&path).unwrap();
        assert_eq!(Config::read(&path).unwrap(), config);
        std::fs::write(&path, "theme = \"pink\"").unwrap();
        let error = format!("{:#}", Config::read(&path).unwrap_err());
        assert!(error.contains("console.toml") && error.contains("pink"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
