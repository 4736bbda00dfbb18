//! Overrides from the environment: `POSTROOM__SERVER__LISTEN=0.0.0.0:8440` sets `server.listen`; a number in between names an entry of
//! a list, from 0: `POSTROOM__DESTINATIONS__0__CONCURRENCY=8`.

use toml::{Table, Value};

use super::SettingsError;
use super::report;

const PREFIX: &str = "POSTROOM__";

/// The settings with the overrides in them, as text; `None` when there are none.
pub(super) fn apply(
    name: &str,
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Option<String>, SettingsError> {
    let mut overrides: Vec<(String, String)> =
        environment.filter(|(key, _)| key.starts_with(PREFIX)).collect();
    if overrides.is_empty() {
        return Ok(None);
    }
    overrides.sort();
    let mut table: Table =
        text.parse().map_err(|error| SettingsError::Syntax(report::explain(name, text, &error)))?;
    for (key, value) in overrides {
        let path: Vec<String> = key[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
        let mut root = Value::Table(std::mem::take(&mut table));
        set(&mut root, &path, parse(&value)).map_err(|problem| SettingsError::Override { key, problem })?;
        if let Value::Table(back) = root {
            table = back;
        }
    }
    toml::to_string(&table)
        .map(Some)
        .map_err(|error| SettingsError::Override { key: PREFIX.to_owned(), problem: error.to_string() })
}

/// A number, a truth value, or else a text.
fn parse(value: &str) -> Value {
    let number = value.parse::<i64>().map(Value::Integer).ok();
    let truth = value.parse::<bool>().map(Value::Boolean).ok();
    number.or(truth).unwrap_or_else(|| Value::String(value.to_owned()))
}

fn set(at: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else {
        *at = value;
        return Ok(());
    };
    match at {
        Value::Table(table) => {
            let next = table.entry(step.clone()).or_insert_with(|| Value::Table(Table::new()));
            set(next, rest, value)
        }
        Value::Array(items) => {
            let count = items.len();
            let item = step.parse::<usize>().ok().and_then(|index| items.get_mut(index));
            let item =
                item.ok_or_else(|| format!("\"{step}\" is not an entry of a list of {count} (from 0)"))?;
            set(item, rest, value)
        }
        _ => Err(format!("\"{step}\" lies below something that is not a section")),
    }
}
