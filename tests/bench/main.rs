//! Measures, and prints one JSON line per figure: speed as ratios within this run, memory in MiB, answers in milliseconds. Asserts nothing
//! about time; ends with a failure only when something did not work.
//!
//! `bench [--quick] [FIGURE…]`, figures: accept latency filing backlog memory. `--quick` takes smaller amounts, and says so in each line.

#![expect(
    clippy::expect_used,
    reason = "a bench whose preparations fail has nothing to measure: it ends and says where"
)]

use std::process::ExitCode;

mod accept;
mod backlog;
mod figure;
mod filing;
mod memory;
mod plain;
mod raw;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Smaller amounts.
    pub(crate) quick: bool,
    /// Seconds per round of what is measured by time.
    pub(crate) seconds: u64,
    /// Rounds; the median counts.
    pub(crate) rounds: usize,
    /// Filings in the large backlog.
    pub(crate) backlog: u64,
    /// Size of the large document.
    pub(crate) large: u64,
    /// Documents filed per round.
    pub(crate) filings: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut quick = false;
    let mut wanted: Vec<String> = Vec::new();
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--quick" => quick = true,
            "accept" | "latency" | "filing" | "backlog" | "memory" => wanted.push(word),
            other => {
                figure::complain(&format!(
                    "\"{other}\" is not a figure (accept, latency, filing, backlog, memory)"
                ));
                return ExitCode::from(2);
            }
        }
    }
    let scale = if quick {
        Scale { quick, seconds: 2, rounds: 3, backlog: 100_000, large: 256 << 20, filings: 1500 }
    } else {
        Scale { quick, seconds: 4, rounds: 5, backlog: 1_000_000, large: 2 << 30, filings: 5000 }
    };
    let all = wanted.is_empty();
    let wants = |name: &str| all || wanted.iter().any(|one| one == name);
    if wants("accept") {
        accept::rate(scale).await;
    }
    if wants("latency") {
        accept::latency(scale).await;
    }
    if wants("filing") {
        filing::rate(scale).await;
    }
    if wants("memory") {
        memory::large_document(scale).await;
    }
    if wants("backlog") {
        backlog::all(scale).await;
    }
    ExitCode::SUCCESS
}
