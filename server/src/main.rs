//! Postroom: the post room of a law firm. The binary reads the settings, introduces the rooms to each other, and waits for signals.

mod bulks;
mod cli;
mod commands;
mod connectors;
#[cfg(feature = "demo")]
mod demo;
mod diagnosis;
mod dms_accounts;
mod foundation;
mod house;
mod housekeeping;
mod keyring;
mod logging;
mod mail_doors;
mod sealing;
mod settings;
mod signals;
mod system;
mod tokens;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    postroom_outbound::install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return commands::complain(&anyhow::anyhow!("cannot start: {error}")),
    };
    match runtime.block_on(commands::run(cli.command)) {
        Ok(code) => code,
        Err(error) => commands::complain(&error),
    }
}
