//! One line per fault test, for the table of outcomes.

use std::io::Write as _;

/// Prints the outcome and, where `POSTROOM_OUTCOMES` names a file, adds it there: `F6  fsync EIO once  …`.
pub fn outcome(fault: &str, what: &str, result: &str) {
    let line = format!("{fault:<5} {what:<44} {result}");
    println!("{line}");
    if let Ok(path) = std::env::var("POSTROOM_OUTCOMES") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        if let Err(e) = written {
            println!("cannot write {path}: {e}");
        }
    }
}

/// A number from the environment, for the sizes of long tests.
pub fn sized(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")),
        Err(_) => default,
    }
}
