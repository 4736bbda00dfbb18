//! The fake iManage Work server as a program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use postroom_sims::imanage::{Options, Seed, Sim};

/// A fake iManage Work server with a sample firm.
#[derive(Parser)]
#[command(name = "sim-imanage")]
struct Args {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// JSON seed to start with instead of the sample firm.
    #[arg(long)]
    state_file: Option<PathBuf>,
    /// Server threads.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Keep files up to this many bytes for download.
    #[arg(long, default_value_t = 1 << 20)]
    keep_bytes: u64,
    /// Print one line of JSON with `url` and `control`.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nowhere else to say it
            let _ = writeln!(std::io::stderr(), "sim-imanage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> std::io::Result<()> {
    let mut options = Options::sample();
    options.port = args.port;
    options.workers = args.workers;
    options.keep_bytes = args.keep_bytes;
    if let Some(path) = args.state_file {
        options.seed = serde_json::from_slice::<Seed>(&std::fs::read(path)?)?;
    }
    let sim = Sim::start(options)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let line = serde_json::json!({ "url": sim.url(), "control": sim.control_url() });
        writeln!(out, "{line}")?;
    } else {
        writeln!(out, "Simulated iManage Work at {}, control at {}", sim.url(), sim.control_url())?;
    }
    out.flush()?;
    drop(out);
    sim.wait()
}
