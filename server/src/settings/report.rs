//! How mistakes in the settings read.

use std::path::PathBuf;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings {}: {error}\nhint: name the file with --config", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The text is not what it should be; the place is in the message.
    #[error("{0}")]
    Syntax(String),
    /// An override from the environment does not fit.
    #[error("{key}: {problem}")]
    Override {
        /// The variable.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// Well-formed but wrong, one line each.
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

/// A parser's complaint with file, line and column, the line itself, and the key that was meant.
pub(super) fn explain(name: &str, text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let message = error.message().trim();
    let near = meant(message);
    // What stands behind a key that nobody knows says nothing of the mistake, and may be a secret under a mistyped name.
    let shown =
        if message.starts_with("unknown field") { without_value(shown, column) } else { shown.to_owned() };
    format!("{name}:{line}:{column}: {message}{near}\n  | {shown}")
}

/// A line up to the value of the key that begins at a column.
fn without_value(line: &str, column: usize) -> String {
    let at = line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at);
    match line[at..].find('=') {
        Some(sign) => format!("{}= …", &line[..at + sign]),
        None => line.to_owned(),
    }
}

/// From serde's "unknown field `x`, expected one of `a`, `b`": the nearest of them.
fn meant(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    match names.next() {
        Some(given) if message.starts_with("unknown ") => nearest(given, names),
        _ => String::new(),
    }
}

/// ` (did you mean "x"?)` for the name that is nearest, if one is near at all.
pub(super) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = postroom_api::nearest::nearest(given, known);
    near.map(|name| format!(" (did you mean \"{name}\"?)")).unwrap_or_default()
}
