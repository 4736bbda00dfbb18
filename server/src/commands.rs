//! The subcommands, each in its own file.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use postroom_domain::time::Clock;

use crate::cli::{Command, ServeArgs};
use crate::house::House;
use crate::settings::Settings;
use crate::system::SystemClock;
use crate::{foundation, logging, signals};

mod addin;
mod audit;
pub(crate) mod bulk;
mod connection;
mod cover_sheets;
mod data;
mod desk;
mod discover;
mod doctor;
mod doors;
mod filings;
mod intakes;
mod keys;
mod links;
mod one_filing;
mod person;
mod places;
mod resolve;
mod rules;
mod tables;
mod token;
mod views;

/// Runs a command.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => crate::demo::run(args).await,
        Command::Serve(args) => serve(args).await,
        Command::CheckConfig(args) => {
            let settings = Settings::load(&args.config, std::env::vars())?;
            // What only a connector, a service or the vault knows to be wrong: addresses, secrets that cannot be read.
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            foundation::checked(&settings, &clock)?;
            foundation::check_credentials(&settings)?;
            print(&format!(
                "{} is in order: {} destination(s), {} repositories, {} hot folder(s), {} service(s), {} list(s), {} token(s).\n",
                args.config.display(),
                settings.destinations.len(),
                settings.repositories.len(),
                settings.hot_folders.len(),
                settings.services.len(),
                settings.lists.len(),
                settings.tokens.len(),
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(args) => doctor::run(&args).await,
        Command::Person(args) => person::run(args).await,
        Command::Token(args) => token::run(args).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Links(args) => links::run(args).await,
        Command::Discover(args) => discover::run(args).await,
        Command::Places(args) => places::run(args).await,
        Command::Backup(args) => data::backup(&args).await,
        Command::Restore(args) => data::restore(&args).await,
        Command::Verify(args) => data::verify(&args).await,
        Command::Filings(args) => filings::run(args).await,
        Command::Intakes(args) => intakes::run(args).await,
        Command::Doors(args) => doors::run(args).await,
        Command::Views(args) => views::run(args).await,
        Command::Bulk(args) => bulk::run(args).await,
        Command::CoverSheets(args) => cover_sheets::run(args).await,
        Command::Resolve(args) => resolve::run(args).await,
        Command::Rules(args) => rules::run(args).await,
        Command::Data(args) => tables::run(args).await,
        Command::Addin(command) => addin::run(&command),
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.config.config, std::env::vars())?;
    logging::start(&settings.log)?;
    let data = settings.data.dir.clone();
    let house = House::start(settings).await?;
    let wanted = signals::stop_wanted();
    if args.json {
        print(&format!("{}\n", serde_json::json!({ "url": house.url(), "data": data })))?;
    }
    house.until_stopped(wanted).await
}

/// Writes to standard output, where a closed pipe is an error and not a panic.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Shows things: as JSON, one object a line, or each as `shown` has it.
pub(crate) fn lines<T: serde::Serialize>(
    items: &[T],
    json: bool,
    shown: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    for item in items {
        print(&if json { serde_json::to_string(item)? + "\n" } else { shown(item) })?;
    }
    Ok(())
}

/// A text without what could steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    postroom_domain::plain::line(text)
}

/// A time, to the minute.
pub(crate) fn when(at: jiff::Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// Tells why the program ends.
pub(crate) fn complain(error: &anyhow::Error) -> ExitCode {
    // Nowhere is left to report that standard error is closed.
    let _ = writeln!(std::io::stderr(), "postroom: {}", told(error));
    ExitCode::FAILURE
}

/// An error with what led to it, each said once: many of them name their cause in their own text.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        known if known.contains(&cause) => text,
        known => format!("{known}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow!("the disk is full").context("keyring.json: the disk is full");
        assert_eq!(super::told(&error), "keyring.json: the disk is full");
        let error = anyhow!("the disk is full").context("cannot write keyring.json");
        assert_eq!(super::told(&error), "cannot write keyring.json: the disk is full");
    }
}
