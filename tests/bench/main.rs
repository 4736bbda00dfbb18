//! The figures of "Speed and memory", as ratios within one run, one JSON line each. Nothing is asserted about time: the exit is
//! non-zero only when something failed. `--quick` takes smaller sizes and says so; names of figures as arguments run only
//! those.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a measuring program: what fails ends it, figures are printed, and rates are rounded for people"
)]

mod accept;
mod backlog;
mod console;
mod file;
mod large;
mod raw;
mod sim;
mod tape;
mod vault;

use std::process::Command;

use serde_json::{Value, json};

/// How large the figures are taken.
pub(crate) struct Sizes {
    pub(crate) quick: bool,
    /// Seconds that a rate is measured for.
    pub(crate) seconds: u64,
    /// Filings of the large backlog.
    pub(crate) backlog: u64,
    /// Bytes of the large document.
    pub(crate) large: u64,
    /// Filings of one drain.
    pub(crate) drain: u64,
    /// Measurements per latency.
    pub(crate) samples: usize,
}

/// Prints a figure: its value with the unit, what it is measured against, the aim and whether it is met.
pub(crate) fn figure(
    sizes: &Sizes,
    name: &str,
    (value, unit): (f64, &str),
    ratio_to: &str,
    (aim, met): (&str, bool),
    more: Value,
) {
    let rounded = (value * 1000.0).round() / 1000.0;
    let mut line = json!({
        "figure": name, "value": rounded, "unit": unit, "ratio_to": ratio_to, "aim": aim,
        // Aims are for optimised programs.
        "met": (!cfg!(debug_assertions)).then_some(met), "optimised": !cfg!(debug_assertions), "quick": sizes.quick,
    });
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    println!("{line}");
}

/// An example of another crate, from the same build as this program: a build of its own would begin anew, with other features.
pub(crate) fn example(name: &str) -> Command {
    let path = std::env::current_exe().unwrap().with_file_name("examples").join(name);
    assert!(path.exists(), "{} is missing; `tests/run bench` builds it", path.display());
    Command::new(path)
}

/// The value below which 99 of 100 lie.
pub(crate) fn p99(mut times: Vec<std::time::Duration>) -> std::time::Duration {
    times.sort_unstable();
    times[(times.len() * 99 / 100).min(times.len() - 1)]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let sizes = if quick {
        Sizes { quick, seconds: 3, backlog: 100_000, large: 256 << 20, drain: 1_000, samples: 400 }
    } else {
        Sizes { quick, seconds: 10, backlog: 1_000_000, large: 2 << 30, drain: 4_000, samples: 2_000 }
    };
    let wanted: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with("--")).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.contains(&name);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if runs("vault") {
        vault::run(&sizes);
    }
    runtime.block_on(async {
        if runs("accept") {
            accept::run(&sizes).await;
        }
        if runs("file") {
            file::run(&sizes).await;
        }
        if runs("large") {
            large::run(&sizes).await;
        }
        if runs("backlog") {
            backlog::run(&sizes).await;
        }
    });
}
