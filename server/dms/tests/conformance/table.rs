//! What the suite found, as a table of cases and connectors.
//!
//! With `POSTROOM_CONFORMANCE_TABLE` set, each case writes a line to `target/conformance/{dms}.{case}.jsonl`; afterwards
//! `cargo nextest run -p postroom-dms --test conformance --run-ignored only the_table` makes `target/conformance/table.md` of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::World;

/// How a case ended. One that fails panics instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All as it must be.
    Held,
    /// Does not apply: this capability is off.
    Off(&'static str),
    /// Does not apply, or cannot be brought about in this world.
    NotHere(&'static str),
    /// The DMS itself is not on this machine.
    Absent,
}

impl Outcome {
    fn text(self) -> String {
        match self {
            Self::Held => "ok".to_owned(),
            Self::Off(flag) => format!("n.a. ({flag} off)"),
            Self::NotHere(why) => format!("n.a. ({why})"),
            Self::Absent => "not run".to_owned(),
        }
    }
}

/// Writes down how a case ended, also when it fails.
pub(crate) struct Record {
    dms: &'static str,
    case: &'static str,
    outcome: Option<Outcome>,
}

impl Record {
    pub(crate) fn new(dms: &'static str, case: &'static str, world: Option<&dyn World>) -> Self {
        if let Some(world) = world {
            let flags: BTreeMap<&str, bool> = world.dms().capabilities().flags().into_iter().collect();
            write(dms, "capabilities", &json!({ "dms": dms, "flags": flags }));
        }
        Self { dms, case, outcome: None }
    }

    pub(crate) fn settle(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let outcome = self.outcome.map_or_else(|| "FAILED".to_owned(), Outcome::text);
        write(self.dms, self.case, &json!({ "dms": self.dms, "case": self.case, "outcome": outcome }));
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("conformance")
}

fn write(dms: &str, case: &str, line: &Value) {
    if std::env::var_os("POSTROOM_CONFORMANCE_TABLE").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(folder().join(format!("{dms}.{case}.jsonl")), format!("{line}\n")).unwrap();
    }
}

/// The lines as Markdown: capabilities first, then the cases.
fn render(lines: &[Value]) -> String {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let dmses: BTreeSet<String> = lines.iter().map(|line| text(line, "dms")).collect();
    let (mut flags, mut cases) = (BTreeMap::new(), BTreeMap::new());
    for line in lines {
        for (flag, on) in line["flags"].as_object().into_iter().flatten() {
            let on = if on.as_bool() == Some(true) { "yes" } else { "no" };
            flags.entry(flag.clone()).or_insert_with(BTreeMap::new).insert(text(line, "dms"), on.to_owned());
        }
        if line["case"].is_string() {
            let row = cases.entry(text(line, "case").replace('_', " ")).or_insert_with(BTreeMap::new);
            row.insert(text(line, "dms"), text(line, "outcome"));
        }
    }
    let mut out = String::new();
    for (title, rows) in [("Capability", &flags), ("Case", &cases)] {
        let heads = dmses.iter().fold(String::new(), |line, dms| line + " " + dms + " |");
        let rule = "---|".repeat(dmses.len());
        let _ = write!(out, "| {title} |{heads}\n|---|{rule}\n");
        for (name, row) in rows {
            let cells = dmses.iter().map(|dms| row.get(dms).map_or("not run", String::as_str));
            let _ = writeln!(
                out,
                "| {name} |{}",
                cells.fold(String::new(), |line, cell| line + " " + cell + " |")
            );
        }
        out.push('\n');
    }
    out
}

#[test]
#[ignore = "made of what the other cases wrote down"]
fn the_table() {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let text = std::fs::read_to_string(path).unwrap();
            lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
    }
    assert!(!lines.is_empty(), "run the suite with POSTROOM_CONFORMANCE_TABLE set before");
    std::fs::write(folder().join("table.md"), render(&lines)).unwrap();
}

#[test]
fn a_table_shows_every_case_of_every_dms() {
    let lines = [
        json!({"dms": "folder", "case": "names_are_safe", "outcome": "ok"}),
        json!({"dms": "imanage", "case": "versions_stay", "outcome": "n.a. (versions off)"}),
        json!({"dms": "imanage", "flags": {"probe": true, "versions": false}}),
    ];
    let wanted = "| Capability | folder | imanage |\n|---|---|---|\n| probe | not run | yes |\n| versions | not run | no |\n\n\
                  | Case | folder | imanage |\n|---|---|---|\n| names are safe | ok | not run |\n\
                  | versions stay | not run | n.a. (versions off) |\n\n";
    assert_eq!(render(&lines), wanted);
}
