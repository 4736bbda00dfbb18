//! `doctor`: tries every connection of the settings and tells what will not work, and who can mend it.

use std::process::ExitCode;
use std::sync::Arc;

use postroom_dms::doctor::{Finding, Level};
use postroom_dms::folder::Folder;
use postroom_dms::imanage::Imanage;
use postroom_domain::time::Clock;

use super::print;
use crate::cli::ConfigArgs;
use crate::settings::Settings;
use crate::system::SystemClock;

/// Runs all checks; ends with a failure when one found something bad.
pub(super) async fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.config, std::env::vars())?;
    print(&format!("{}: the settings are in order.\n", args.config.display()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut bad = false;
    for destination in &settings.destinations {
        let it = destination.get_ref();
        let findings = match (&it.folder, &it.imanage) {
            (Some(folder), _) => Folder::new(folder.clone()).doctor().await,
            (_, Some(imanage)) => match Imanage::new(it.name.as_str(), imanage.clone(), clock.clone()) {
                Ok(connector) => connector.doctor().await,
                Err(error) => vec![Finding::bad("settings", error.to_string(), "Correct the settings.")],
            },
            (None, None) => Vec::new(),
        };
        print(&format!("\n{}\n", it.name))?;
        for finding in findings {
            bad |= finding.level == Level::Bad;
            print(&describe(&finding))?;
        }
    }
    for folder in &settings.hot_folders {
        let it = folder.get_ref();
        print(&format!("\n{}\n", it.name))?;
        let finding = hot_folder(&it.path);
        bad |= finding.level == Level::Bad;
        print(&describe(&finding))?;
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn describe(finding: &Finding) -> String {
    let sign = match finding.level {
        Level::Good => "ok  ",
        Level::Warning => "warn",
        Level::Bad => "BAD ",
    };
    let advice =
        if finding.advice.is_empty() { String::new() } else { format!("\n         → {}", finding.advice) };
    format!("  {sign}  {}: {}{advice}\n", finding.subject, finding.detail)
}

/// Whether the folder is there and files can be claimed in it by renaming.
fn hot_folder(path: &std::path::Path) -> Finding {
    if !path.is_dir() {
        let detail = format!("{} is not there", path.display());
        return Finding::bad("folder", detail, "Make the folder, or mount the share that it lies on.");
    }
    match tempfile::Builder::new().prefix(".postroom-doctor-").tempfile_in(path) {
        Ok(_) => Finding::good("folder", format!("{} can be written", path.display())),
        Err(error) => Finding::bad(
            "folder",
            format!("{} cannot be written: {error}", path.display()),
            "Files are claimed by renaming them: give Postroom's user the right to write there.",
        ),
    }
}
