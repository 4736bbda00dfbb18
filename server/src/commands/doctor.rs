//! `doctor`: tries every connection of the settings and tells what will not work, why, and who can mend it. A running server is asked,
//! because it holds the links' tokens; without one the same is computed here.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use postroom_api::capability::{CapabilityList, FindingView};
use postroom_api::client::Client;
use postroom_domain::capability::{Diagnosis as _, Level};
use postroom_domain::cause::Fixer;

use super::{connection, print};
use crate::cli::ConfigArgs;
use crate::foundation::{Foundation, check_credentials};
use crate::house::diagnosis;
use crate::settings::Settings;

/// Every connection is looked at in turn, each with its own time-outs.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs all checks; ends with a failure when one found something bad.
pub(super) async fn run(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.config, std::env::vars())?;
    print(&format!("{}: the settings are in order.\n", args.config.display()))?;
    let findings = match connection::listens(&settings.socket()).await {
        Some(server) => {
            print("The running server looks at its connections.\n")?;
            ask(&server).await?
        }
        None => look(&settings).await?,
    };
    let mut about = String::new();
    for finding in &findings {
        if finding.about != about {
            print(&format!("\n{}\n", finding.about))?;
            about.clone_from(&finding.about);
        }
        print(&describe(finding))?;
    }
    let bad = findings.iter().filter(|it| it.level == Level::Bad).count();
    let warned = findings.iter().filter(|it| it.level == Level::Warning).count();
    print(&match (bad, warned) {
        (0, 0) => "\nEverything that was looked at works.\n".to_owned(),
        _ => format!("\n{bad} thing(s) will not work; {warned} work now, but not for ever or not for all.\n"),
    })?;
    Ok(if bad > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn ask(server: &Client) -> anyhow::Result<Vec<FindingView>> {
    let report = server.capabilities(&CapabilityList { live: true });
    Ok(tokio::time::timeout(PATIENCE, report).await??.items)
}

/// Without a server. The data folder is opened where there is one, and never made.
async fn look(settings: &Settings) -> anyhow::Result<Vec<FindingView>> {
    check_credentials(settings)?;
    let there = settings.data.dir.join("store.redb").is_file();
    let (foundation, _cellar) = if there {
        let (foundation, cellar) = Foundation::lay(settings).await?;
        (foundation, Some(cellar))
    } else {
        (Foundation::lay_in_the_air(settings).await?, None)
    };
    let url = settings.server.public_url_planned();
    let people = crate::house::people(settings, &foundation, &url, foundation.store.clone())?;
    let doctor = diagnosis(settings, &foundation, people, Arc::new(settings.rules()), &url)?;
    let findings = doctor.findings(true).await;
    foundation.store.close().await?;
    Ok(findings.into_iter().map(FindingView::from).collect())
}

fn describe(finding: &FindingView) -> String {
    let sign = match finding.level {
        Level::Good => "ok  ",
        Level::Warning => "warn",
        Level::Bad => "BAD ",
    };
    let who = match finding.fixer {
        Fixer::Nobody => "",
        Fixer::DmsTeam => " (the team that runs the service)",
        Fixer::Administrator => " (Postroom's administrator)",
        Fixer::Operator => " (the operator)",
        Fixer::AccountOwner => " (whose account it is)",
    };
    let advice = if finding.advice.is_empty() {
        String::new()
    } else {
        format!("\n         → {}{who}", finding.advice)
    };
    format!("  {sign}  {}: {}{advice}\n", finding.subject, finding.detail)
}
