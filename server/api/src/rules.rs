//! Rules of matching tried without consequences: what would change, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::ids::{IntakeId, SiteName, SourceName, WorkItemId};
use postroom_domain::intake::IntakeState;
use postroom_domain::matching::{Decision, MatchingSettings, Verdict};
use serde::{Deserialize, Serialize};

/// The most letters that one request looks at.
pub const MOST_LETTERS: usize = 500;

/// Body of `POST /rules/dry-run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DryRunBody {
    /// The rules to try, as they stand under `[mail.matching]`. Without them the rules in force are asked, which tells of a letter that
    /// is held out what would become of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub rules: Option<MatchingSettings>,
    /// Letters that are held out. Without any, letters that are here are looked at, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub letters: Vec<GivenLetter>,
    /// The site of the letters that are held out; one's own when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub site: Option<SiteName>,
    /// Only letters of this mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub source: Option<SourceName>,
    /// Only letters that arrived since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub since: Option<Timestamp>,
    /// How many letters are looked at, 1 to 500; 200 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Show also the letters for which nothing would change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// A letter that is held out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GivenLetter {
    /// What the answer calls it: its file name.
    pub name: String,
    /// The bytes (`.eml`), in Base64 with padding.
    pub content: String,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunAnswer {
    /// How many letters were looked at.
    pub looked_at: u32,
    /// Of these, how many changes of each kind: `refiled`, `filed_now`, `asked_now`, `asked_otherwise`, `other_rule`,
    /// `other_suggestions`, `same`.
    pub counts: BTreeMap<String, u32>,
    /// How many would lie elsewhere, or be filed without anybody asked.
    pub grave: u32,
    /// Letters for which something would change; all that were looked at where that was asked for.
    pub items: Vec<DryRunItem>,
    /// Letters that could not be read, and why.
    pub unread: Vec<UnreadLetter>,
    /// Pass this as `cursor` to go on with older letters; null at the end.
    pub next: Option<String>,
}

/// One letter, decided over twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunItem {
    /// The intake; none for a letter that was held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub intake: Option<IntakeId>,
    /// The file name, or else the subject.
    pub name: String,
    /// Who wrote it.
    #[serde(default)]
    pub from: String,
    /// When it arrived.
    pub received: Timestamp,
    /// How the two decisions differ.
    pub change: String,
    /// Whether documents would lie elsewhere, or be filed without anybody asked.
    pub grave: bool,
    /// By the rules in force.
    pub before: DecisionView,
    /// By the rules that were tried.
    pub after: DecisionView,
    /// What became of it in truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<WasView>,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WasView {
    /// Its state.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: IntakeState,
    /// The reference of the work item that it belongs to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item: Option<String>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionView {
    /// `file`, `suggest` or `person`.
    pub verdict: String,
    /// The work item, for `file` and `suggest`: its reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item: Option<String>,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why a person is asked, for `person`: the stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The work items that would be suggested, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// Every rule with what it found, doubts, verdict, suggestions: one line each.
    pub trace: Vec<String>,
}

impl DecisionView {
    /// A decision; `name` tells how people call a work item.
    pub fn of(decision: &Decision, name: impl Fn(WorkItemId) -> String) -> Self {
        let (verdict, work_item, rule, code) = match &decision.verdict {
            Verdict::File { work_item, rule } => ("file", Some(*work_item), Some(rule.to_string()), None),
            Verdict::Suggest { work_item, rule, .. } => {
                ("suggest", Some(*work_item), Some(rule.to_string()), None)
            }
            Verdict::Person { code, .. } => ("person", None, None, Some(code.clone())),
        };
        Self {
            verdict: verdict.to_owned(),
            work_item: work_item.map(&name),
            rule,
            code,
            suggestions: decision.suggestions.iter().map(|it| name(it.work_item)).collect(),
            trace: decision.trace.clone(),
        }
    }
}

/// A letter that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnreadLetter {
    /// The intake; none for a letter that was held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub intake: Option<IntakeId>,
    /// The file name, or else the subject.
    pub name: String,
    /// Why, in plain words.
    pub why: String,
}
