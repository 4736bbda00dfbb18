//! The subcommands, each in its own file.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use postroom_domain::time::Clock;

use crate::cli::{Command, ServeArgs, TokenCommand};
use crate::house::House;
use crate::settings::Settings;
use crate::system::{SystemClock, SystemEntropy};
use crate::{logging, signals, tokens};

mod data;
mod doctor;
mod filings;

/// Runs a command.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => crate::demo::run(args).await,
        Command::Serve(args) => serve(args).await,
        Command::CheckConfig(args) => {
            let settings = Settings::load(&args.config, std::env::vars())?;
            // What only a connector knows to be wrong: addresses, secrets that cannot be read.
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            crate::house::destinations(&settings, &clock)?;
            print(&format!(
                "{} is in order: {} destination(s), {} repositories, {} hot folder(s), {} token(s).\n",
                args.config.display(),
                settings.destinations.len(),
                settings.repositories.len(),
                settings.hot_folders.len(),
                settings.tokens.len(),
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(args) => doctor::run(&args).await,
        Command::Token(TokenCommand::New { role, name }) => {
            let token = tokens::mint(&SystemEntropy);
            print(&format!(
                "{token}\n\n# Add this to the settings and restart; the token itself is not kept anywhere.\n\
                 [[tokens]]\nname = {name:?}\nrole = \"{role}\"\nsha256 = \"{}\"\n",
                tokens::digest_hex(&token)
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Backup(args) => data::backup(&args).await,
        Command::Restore(args) => data::restore(&args).await,
        Command::Verify(args) => data::verify(&args).await,
        Command::Filings(args) => filings::run(args).await,
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.config.config, std::env::vars())?;
    logging::start(&settings.log)?;
    let data = settings.data.dir.clone();
    let house = House::start(settings).await?;
    if args.json {
        print(&format!("{}\n", serde_json::json!({ "url": house.url(), "data": data })))?;
    }
    house.until_stopped(signals::stop_wanted()).await
}

/// Writes to standard output, where a closed pipe is an error and not a panic.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Tells why the program ends.
pub(crate) fn complain(error: &anyhow::Error) -> ExitCode {
    // Nowhere is left to report that standard error is closed.
    let _ = writeln!(std::io::stderr(), "postroom: {error:#}");
    ExitCode::FAILURE
}
