//! `resolve`: where documents of a work item would go, step by step. Nothing is made or filed.

use std::fmt::Write as _;
use std::process::ExitCode;

use postroom_api::resolve::{ResolveAnswer, ResolveBody, Verdict};

use super::connection::{connect, explained};
use super::{plain, print};
use crate::cli::ResolveArgs;

/// Runs the subcommand. It ends with a failure when documents would not be filed.
pub(super) async fn run(args: ResolveArgs) -> anyhow::Result<ExitCode> {
    let client = connect(&args.server)?;
    let body = ResolveBody {
        work_item: args.work_item,
        area: args.area,
        repository: args.repository,
        person: args.person,
        file_names: args.file_name,
    };
    let answer = client.resolve(&body).await.map_err(|error| explained(error.into(), &args.server))?;
    let text =
        if args.server.json { format!("{}\n", serde_json::to_string(&answer)?) } else { words(&answer) };
    print(&text)?;
    Ok(if answer.verdict == Verdict::Files { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(answer: &ResolveAnswer) -> String {
    let mut text = String::new();
    if let Some(repository) = &answer.repository {
        let by = repository.work_type.as_ref().map_or_else(
            || "serves every work type".to_owned(),
            |work_type| format!("of the work type {work_type}"),
        );
        line(&mut text, "repository", &format!("{} at {} ({by})", repository.name, repository.destination));
        let resolver = &repository.resolver;
        line(&mut text, "resolver", &format!("{} {}", resolver.mode, resolver.template.join(", ")));
        line(&mut text, "filled in", &resolver.filled.join(", "));
        for (field, value) in &repository.profile {
            line(&mut text, "profile", &format!("{field} = {value}"));
        }
        line(&mut text, "save mode", repository.save_mode.as_str());
    }
    if let Some(account) = &answer.account {
        line(&mut text, "account", account);
    }
    if let Some(remembered) = &answer.remembered {
        let holds = if remembered.used { "used" } else { "does not hold any more" };
        let by = remembered.chosen_by.as_ref().map(|by| format!(", chosen by {by}")).unwrap_or_default();
        line(&mut text, "remembered", &format!("{}{by}: {holds}", remembered.workspace));
    }
    if let (Some(found), Some(exact)) = (answer.found, answer.exact) {
        line(&mut text, "found", &format!("{found}, {exact} of them exactly"));
    }
    for found in &answer.matches {
        let closed = if found.open { "" } else { ", closed" };
        let exact = if found.exact { "" } else { ", not what was looked for" };
        line(&mut text, "", &format!("{} ({}){exact}{closed}", found.name, found.id));
    }
    match &answer.workspace {
        Some(workspace) => line(&mut text, "workspace", &format!("{} ({})", workspace.name, workspace.id)),
        None if answer.would_create => line(&mut text, "workspace", "would be made"),
        None => {}
    }
    for folder in &answer.folders {
        let id =
            folder.id.as_deref().unwrap_or(if folder.would_create { "would be made" } else { "missing" });
        line(&mut text, "folder", &format!("{} ({id})", folder.name));
    }
    for file in &answer.withheld {
        line(&mut text, "withheld", &format!("{}: {}", file.file_name, file.reason));
    }
    text.push('\n');
    for step in &answer.trace {
        let _ = writeln!(text, "  {}", plain(step));
    }
    let verdict = match answer.verdict {
        Verdict::Files => "Documents would be filed there.".to_owned(),
        Verdict::Stops => {
            let why = answer.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default();
            format!("Documents would not be filed. {why}")
        }
        Verdict::NeedsPerson => {
            let why = answer.needs.as_ref().map(|needs| needs.text.clone()).unwrap_or_default();
            format!("Documents would wait for a person: {why}.")
        }
    };
    let _ = writeln!(text, "\n{}", plain(&verdict));
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<11} {}", plain(value));
}
