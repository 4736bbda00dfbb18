//! What the programs of the sign-in simulators share: arguments, the line they say, the wait.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value};

use crate::common::core::Serve;
use crate::common::options::Options;
use crate::common::sim::{self, SimHandle};

/// A simulated server.
#[derive(Debug, Parser)]
struct Args {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Address it is known by, such as `http://localhost:4100`; by default its own.
    #[arg(long)]
    public_url: Option<String>,
    /// Server threads.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Switches that differ from the default, as a JSON object.
    #[arg(long)]
    switches: Option<String>,
    /// Print one line of JSON with `url`, `control` and what else a client needs.
    #[arg(long)]
    json: bool,
}

/// Run a simulator until it ends. `more` tells what its line says besides `url` and `control`.
#[expect(private_bounds, reason = "only this crate makes simulators")]
pub fn run<V: Serve>(name: &str, more: impl Fn(&SimHandle<V>) -> Vec<(&'static str, String)>) -> ExitCode {
    match serve(&Args::parse(), more) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nowhere else to say it
            let _ = writeln!(std::io::stderr(), "{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve<V: Serve>(
    args: &Args,
    more: impl Fn(&SimHandle<V>) -> Vec<(&'static str, String)>,
) -> std::io::Result<()> {
    let mut options = Options::<V>::sample();
    options.port = args.port;
    options.workers = args.workers;
    options.public_url = args.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    let sim = sim::start(options)?;
    if let Some(switches) = &args.switches {
        let patch = serde_json::from_str(switches)?;
        sim.control().patch_switches(&patch)?;
    }
    let mut facts = vec![("url", sim.url().to_owned()), ("control", sim.control_url().to_owned())];
    facts.extend(more(&sim));
    let mut out = std::io::stdout().lock();
    if args.json {
        let line: Map<String, Value> =
            facts.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))).collect();
        writeln!(out, "{}", Value::Object(line))?;
    } else {
        for (key, value) in facts {
            writeln!(out, "{key}: {value}")?;
        }
    }
    out.flush()?;
    drop(out);
    sim.wait()
}
