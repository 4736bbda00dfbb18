//! What a firm may choose about the documents of an e-mail.

use serde::{Deserialize, Serialize};

use super::names;
use crate::mail::Carried;
use crate::mistake::{Mistake, Mistakes};

/// Whether attachments are filed apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachments {
    /// Those that `only`, `except`, `smallest` and `largest` let through.
    #[default]
    All,
    /// None: they are in the message.
    None,
}

/// What becomes of messages within a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Messages {
    /// They stay in it.
    Leave,
    /// Each is filed as it is.
    #[default]
    File,
    /// Each is filed, and what it carries is treated like what the outer one carries.
    Expand,
}

/// How an e-mail is split into documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSettings {
    /// The message's own name, without `.eml`: text with `{date}`, `{time}`, `{from}` and `{subject}`.
    pub name: String,
    /// Attachments.
    pub attachments: Attachments,
    /// Only these kinds: an extension (`pdf`), a media type (`application/pdf`) or all of one sort (`image/*`). Empty means every kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Not these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// In bytes.
    pub smallest: u64,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<u64>,
    /// Whether pictures that the text shows are filed apart too. Other documents that a mail program shows inside the text always are.
    pub inline: bool,
    /// Messages within.
    pub messages: Messages,
    /// How deep messages within messages are taken apart.
    pub deepest: u32,
}

impl Default for SplitSettings {
    fn default() -> Self {
        Self {
            name: "{subject}".to_owned(),
            attachments: Attachments::All,
            only: Vec::new(),
            except: Vec::new(),
            smallest: 0,
            largest: None,
            inline: false,
            messages: Messages::File,
            deepest: 10,
        }
    }
}

const MOST_KINDS: usize = 200;
const DEEPEST: u32 = 10;

impl SplitSettings {
    /// What is wrong with them; `at` is the key they stand at.
    pub fn check(&self, at: &str) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        if let Some(problem) = names::mistake(&self.name) {
            mistakes.add(format!("{at}.name"), problem);
        }
        for (list, kinds) in [("only", &self.only), ("except", &self.except)] {
            mistakes.at_most(&format!("{at}.{list}"), kinds.len(), MOST_KINDS);
            for (i, kind) in kinds.iter().enumerate().filter(|(_, kind)| !is_well_formed(kind)) {
                let problem = format!(
                    "\"{kind}\" is neither an extension (pdf) nor a media type (application/pdf, image/*)"
                );
                mistakes.add(format!("{at}.{list}[{}]", i + 1), problem);
            }
        }
        if self.largest.is_some_and(|largest| largest < self.smallest) {
            mistakes.add(format!("{at}.largest"), "is less than smallest, so nothing is filed apart");
        }
        if !(1..=DEEPEST).contains(&self.deepest) {
            mistakes.add(
                format!("{at}.deepest"),
                format!("is {}, and 1 to {DEEPEST} are possible", self.deepest),
            );
        }
        mistakes.0
    }
}

fn is_well_formed(kind: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.'))
    };
    match kind.split_once('/') {
        Some((sort, kind)) => word(sort) && (kind == "*" || word(kind)),
        None => word(kind.trim_start_matches('.')) && !kind.trim_start_matches('.').contains('.'),
    }
}

/// Whether a document is of a kind, by the end of its name or by its media type.
pub(super) fn is_kind(kind: &str, carried: &Carried) -> bool {
    let kind = kind.to_lowercase();
    let media_type = carried.media_type.to_lowercase();
    match kind.split_once('/') {
        Some((sort, "*")) => media_type.split('/').next() == Some(sort),
        Some(_) => media_type == kind,
        None => {
            let name = carried.name.to_lowercase();
            let name = name.trim_end_matches(['.', ' ']);
            name.rsplit_once('.').is_some_and(|(_, extension)| extension == kind.trim_start_matches('.'))
        }
    }
}
