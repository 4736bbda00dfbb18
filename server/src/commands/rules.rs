//! `rules test`: what other rules of matching would do with letters. Nothing is filed or changed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use base64ct::{Base64, Encoding as _};
use postroom_api::client::Client;
use postroom_api::rules::{DecisionView, DryRunAnswer, DryRunBody, DryRunItem, GivenLetter, MOST_LETTERS};
use postroom_domain::matching::MatchingSettings;

use super::connection::{connect, explained};
use super::{plain, print, when};
use crate::cli::{RulesArgs, RulesCommand, TestRulesArgs};

/// Letters that are held out together, so that one request stays small.
const TOGETHER: usize = 20;
/// The same, in bytes.
const TOGETHER_BYTES: u64 = 16 << 20;

/// Runs the subcommand. It ends with a failure when a letter would lie elsewhere, or be filed without anybody asked.
pub(super) async fn run(args: RulesArgs) -> anyhow::Result<ExitCode> {
    let RulesCommand::Test(test) = &args.command;
    let rules = match (&test.rules, test.letters.is_empty()) {
        (Some(path), _) => Some(rules_of(path)?),
        (None, true) if args.server.server.is_none() => Some(rules_of(&args.server.config)?),
        (None, true) => {
            anyhow::bail!("--rules is missing: which rules are to be tried on that server's letters?")
        }
        (None, false) => None,
    };
    let compared = rules.is_some();
    let client = connect(&args.server)?;
    let told = |error: anyhow::Error| explained(error, &args.server);
    let answer = if test.letters.is_empty() {
        of_the_house(&client, test, rules).await.map_err(told)?
    } else {
        held_out(&client, test, rules.as_ref()).await.map_err(told)?
    };
    let text = if args.server.json { json(&answer)? } else { words(&answer, test.trace, compared) };
    print(&text)?;
    Ok(if answer.grave == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rules from settings, or from a file that has nothing else.
fn rules_of(path: &Path) -> anyhow::Result<MatchingSettings> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: toml::Table = text.parse().with_context(|| path.display().to_string())?;
    let within = table.get("mail").and_then(|mail| mail.get("matching")).cloned();
    let settings = table.contains_key("data") || table.contains_key("mail");
    let rules = match within {
        Some(rules) => rules,
        None if settings => anyhow::bail!("{} has no [mail.matching]", path.display()),
        None => toml::Value::Table(table),
    };
    rules.try_into().with_context(|| format!("{}: the rules", path.display()))
}

/// Letters that the server has, a portion at a time.
async fn of_the_house(
    client: &Client,
    args: &TestRulesArgs,
    rules: Option<MatchingSettings>,
) -> anyhow::Result<DryRunAnswer> {
    let mut body = DryRunBody {
        rules,
        source: args.source.clone(),
        since: args.since,
        all: args.all,
        ..DryRunBody::default()
    };
    let mut whole = DryRunAnswer::default();
    let mut left = args.last;
    while left > 0 {
        body.limit = Some(left.min(MOST_LETTERS).min(100));
        let part = client.try_rules(&body).await?;
        left = left.saturating_sub(part.looked_at as usize + part.unread.len());
        body.cursor.clone_from(&part.next);
        let more = part.next.is_some();
        gather(&mut whole, part);
        if !more {
            break;
        }
    }
    Ok(whole)
}

/// Letters from files.
async fn held_out(
    client: &Client,
    args: &TestRulesArgs,
    rules: Option<&MatchingSettings>,
) -> anyhow::Result<DryRunAnswer> {
    let mut whole = DryRunAnswer::default();
    let (mut letters, mut bytes) = (Vec::new(), 0);
    let mut files = args.letters.iter().peekable();
    while let Some(path) = files.next() {
        let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        bytes += content.len() as u64;
        letters
            .push(GivenLetter { name: path.display().to_string(), content: Base64::encode_string(&content) });
        if letters.len() == TOGETHER || bytes > TOGETHER_BYTES || files.peek().is_none() {
            let body = DryRunBody {
                rules: rules.cloned(),
                letters: std::mem::take(&mut letters),
                site: args.site.clone(),
                all: args.all,
                ..DryRunBody::default()
            };
            bytes = 0;
            gather(&mut whole, client.try_rules(&body).await?);
        }
    }
    Ok(whole)
}

fn gather(whole: &mut DryRunAnswer, part: DryRunAnswer) {
    whole.looked_at += part.looked_at;
    whole.grave += part.grave;
    for (change, count) in part.counts {
        *whole.counts.entry(change).or_default() += count;
    }
    whole.items.extend(part.items);
    whole.unread.extend(part.unread);
}

/// One object a line: the letters, those that could not be read, and the sums.
fn json(answer: &DryRunAnswer) -> anyhow::Result<String> {
    let mut text = String::new();
    for item in &answer.items {
        let _ = writeln!(text, "{}", serde_json::to_string(item)?);
    }
    for unread in &answer.unread {
        let _ = writeln!(text, "{}", serde_json::to_string(unread)?);
    }
    let sums =
        serde_json::json!({"looked_at": answer.looked_at, "counts": answer.counts, "grave": answer.grave});
    let _ = writeln!(text, "{sums}");
    Ok(text)
}

/// `compared` tells whether there were other rules at all: without them nothing can be "unchanged".
fn words(answer: &DryRunAnswer, trace: bool, compared: bool) -> String {
    let mut text = String::new();
    for item in &answer.items {
        about(&mut text, item, trace);
    }
    for unread in &answer.unread {
        let _ = writeln!(text, "{}\n  not read: {}\n", plain(&unread.name), plain(&unread.why));
    }
    if !compared {
        return text;
    }
    let counts: Vec<String> =
        answer.counts.iter().map(|(change, count)| format!("{count} {}", in_words(change))).collect();
    let letters = if answer.looked_at == 1 { "letter" } else { "letters" };
    let counts = if counts.is_empty() { "none to look at".to_owned() } else { counts.join(", ") };
    let _ = writeln!(text, "{} {letters}: {counts}.", answer.looked_at);
    if answer.grave > 0 {
        let _ = writeln!(
            text,
            "{} would lie elsewhere, or be filed without anybody asked: look at them first.",
            answer.grave
        );
    }
    text
}

fn about(text: &mut String, item: &DryRunItem, trace: bool) {
    let name = if item.name.is_empty() { "(no subject)" } else { &item.name };
    let _ = writeln!(text, "{}", plain(name));
    let which = item.intake.map(|id| format!(", intake {id}")).unwrap_or_default();
    let _ = writeln!(text, "  from {}, {}{which}", plain(&item.from), when(item.received));
    let _ = writeln!(text, "  now     {}", decision(&item.before));
    if item.change != "same" {
        let mark = if item.grave { "  <- look at this one" } else { "" };
        let _ = writeln!(text, "  then    {}{mark}", decision(&item.after));
    }
    if let Some(was) = &item.was {
        let place = was.work_item.as_deref().map(|item| format!(", in {}", plain(item))).unwrap_or_default();
        let _ = writeln!(text, "  in fact {}{place}", was.state);
    }
    if trace {
        for line in &item.after.trace {
            let _ = writeln!(text, "    {}", plain(line));
        }
    }
    text.push('\n');
}

fn decision(view: &DecisionView) -> String {
    let item = view.work_item.as_deref().map(plain).unwrap_or_default();
    let rule = view.rule.as_deref().unwrap_or("");
    let suggested = match view.suggestions.as_slice() {
        [] => String::new(),
        some => format!("; suggested: {}", plain(&some.join(", "))),
    };
    match view.verdict.as_str() {
        "file" => format!("filed in {item} ({rule})"),
        "suggest" => format!("a person confirms {item} ({rule})"),
        _ => format!("a person decides ({}){suggested}", view.code.as_deref().unwrap_or("")),
    }
}

fn in_words(change: &str) -> &str {
    match change {
        "refiled" => "filed elsewhere",
        "filed_now" => "filed without a person",
        "asked_now" => "asked of a person",
        "asked_otherwise" => "asked for another reason",
        "other_rule" => "filed by another rule",
        "other_suggestions" => "with other suggestions",
        "same" => "unchanged",
        other => other,
    }
}
