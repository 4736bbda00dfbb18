//! A decision over all that match a filter: frozen, shown, asked about, run, and followed to its end.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use postroom_api::bulk::{BulkAction, BulkBody, BulkState, BulkView, COUNTED, RunBody};
use postroom_api::client::Client;

use super::{line, not_done, progress, summary};
use crate::cli::DecideArgs;
use crate::commands::lines;

/// How often is looked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// The exit status of who left with Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Decides over all that match the filter. Ends with a failure when one was not done.
pub(in crate::commands) async fn decide(
    client: &Client,
    action: BulkAction,
    filter: &str,
    args: &DecideArgs,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let set = client.freeze(&BulkBody { action, q: Some(filter.to_owned()), ids: Vec::new() }).await?;
    lines(std::slice::from_ref(&set), json, |set| line(set) + &summary(set))?;
    if set.total == 0 || args.set.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if set.will == 0 {
        bail!("it can be done to none of them");
    }
    if action.needs_reason() && args.reason.trim().is_empty() {
        bail!("a reason is needed for this: --reason \"…\"");
    }
    if !(args.set.yes || asked(&set)?) {
        tell("Nothing was done.\n")?;
        return Ok(ExitCode::FAILURE);
    }
    let body = RunBody { reason: args.reason.clone(), pace: args.set.pace, count: Some(set.will) };
    let told = client.run_bulk(set.id, &body).await?;
    tell(&format!("It begins in a moment. To take it back: postroom bulk undo {}\n", set.id))?;
    follow(client, told, json).await
}

/// Says something to a person: beside the output, which may be read by a program.
fn tell(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stderr().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Asks the person. Who is asked about many types their number, so that nobody does by habit what they did not read.
fn asked(set: &BulkView) -> anyhow::Result<bool> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        bail!(
            "nobody can be asked here, so nothing was done\nhint: --yes runs it without asking, --dry-run only looks"
        );
    }
    let typed = if set.will > COUNTED { set.will.to_string() } else { "y".to_owned() };
    let way = if set.will > COUNTED { "type their number to go on" } else { "y to go on" };
    tell(&format!("Are {} filings to be {}? ({way}) ", set.will, set.action.done()))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case(&typed))
}

/// Tells how far it is until it is over. Who leaves does not stop it.
async fn follow(client: &Client, mut set: BulkView, json: bool) -> anyhow::Result<ExitCode> {
    let leaving = crate::signals::stop_wanted();
    tokio::pin!(leaving);
    let mut shown = 0;
    while !set.state.is_over() {
        tokio::select! {
            _ = &mut leaving => {
                tell(&format!("It goes on without you. To stop it: postroom bulk stop {}\n", set.id))?;
                return Ok(ExitCode::from(INTERRUPTED));
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        set = client.bulk(set.id).await?;
        if set.version != shown && !set.state.is_over() {
            shown = set.version;
            lines(std::slice::from_ref(&set), json, progress)?;
        }
    }
    lines(std::slice::from_ref(&set), json, progress)?;
    not_done(client, &set, json).await?;
    let good = set.state == BulkState::Done && set.done == set.total;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
