//! The conditions of a document search.

use super::dispatch::Call;
use super::error::{ApiError, Result};
use super::ids;
use super::matching;
use super::model::{Document, Version};
use super::state::State;
use crate::common::params::Params;

/// A search, taken from a query string or from JSON filters.
pub(super) struct DocQuery<'a> {
    params: &'a Params,
    cursor_mode: bool,
    container: Option<u64>,
    /// Versions newer than this are not in the index yet.
    indexed_before: i64,
}

impl<'a> DocQuery<'a> {
    pub(super) fn new(params: &'a Params, cursor_mode: bool, call: &Call<'_>) -> Result<Self> {
        let container = match params.get("container_id") {
            None => None,
            Some(text) => {
                Some(ids::parse(text).ok_or_else(|| ApiError::invalid("container_id", "Bad id"))?.number)
            }
        };
        let indexed_before = call.now - i64::from(call.switches.index_delay_ms);
        Ok(Self { params, cursor_mode, container, indexed_before })
    }

    /// A parameter, unless cursor mode ignores it: `comments` and `anywhere` do not count there.
    fn get(&self, name: &str) -> Option<&'a str> {
        if self.cursor_mode && matches!(name, "comments" | "comment" | "anywhere") {
            return None;
        }
        self.params.get(name)
    }

    fn comments(&self) -> Option<&'a str> {
        self.get("comments").or_else(|| self.get("comment"))
    }

    /// Positions that may match, in order; the narrowest index wins.
    pub(super) fn candidates(&self, state: &State) -> Vec<usize> {
        if let Some(number) = self.get("document_number").and_then(|n| n.parse().ok()) {
            return state.doc_position(number).into_iter().collect();
        }
        if let Some(value) = self.get(&state.mark_field) {
            return state.marks.candidates(value);
        }
        if let Some(comments) = self.comments() {
            return state.comments.candidates(comments);
        }
        let Some(container) = self.container else { return (0..state.docs.len()).collect() };
        let folders =
            if self.params.flag("include_subtree") { state.subtree(container) } else { vec![container] };
        let mut found: Vec<usize> = folders
            .iter()
            .filter_map(|n| state.containers.get(n))
            .flat_map(|c| c.docs.iter().copied())
            .collect();
        if folders.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// Whether a version matches every condition. Unknown parameters are ignored.
    pub(super) fn matches(&self, state: &State, doc: &Document, v: &Version) -> bool {
        v.edited <= self.indexed_before
            && self.place(state, doc)
            && self.kind(doc, v)
            && self.text(v)
            && self.numbers(doc, v)
            && self.customs(v)
            && self.dates(v)
    }

    fn place(&self, state: &State, doc: &Document) -> bool {
        let Some(container) = self.container else { return true };
        if self.params.flag("include_subtree") {
            doc.folders.iter().any(|f| state.is_within(*f, container))
        } else {
            doc.folders.contains(&container)
        }
    }

    fn kind(&self, doc: &Document, v: &Version) -> bool {
        let flag = |name: &str| self.params.get(name).map(|_| self.params.flag(name));
        let latest = !self.params.flag("latest") || doc.latest().is_some_and(|l| l.number == v.number);
        latest
            && !(self.params.flag("email_only") && v.email.is_none())
            && !(self.params.flag("exclude_emails") && v.email.is_some())
            && flag("in_use").is_none_or(|wanted| wanted == doc.lock.is_some())
            && flag("checked_out").is_none_or(|w| w == doc.lock.as_ref().is_some_and(|l| l.checked_out))
            && self
                .get("in_use_by")
                .is_none_or(|u| doc.lock.as_ref().is_some_and(|l| l.user.eq_ignore_ascii_case(u)))
    }

    fn text(&self, v: &Version) -> bool {
        let name = self.get("name").is_none_or(|name| {
            // cursor mode wants the whole name, standard mode also matches parts
            if self.cursor_mode {
                v.name.eq_ignore_ascii_case(name)
            } else {
                matching::words_with_wildcard(name, &v.name)
            }
        });
        let same = |key: &str, value: &str| self.get(key).is_none_or(|want| matching::wildcard(want, value));
        let listed = |key: &str, value: &str| {
            self.get(key).is_none_or(|want| want.split(',').any(|w| w.trim().eq_ignore_ascii_case(value)))
        };
        let subject = self.get("subject").is_none_or(|subject| {
            v.email.as_ref().is_some_and(|e| matching::words_with_wildcard(subject, &e.subject))
        });
        let anywhere = self
            .get("anywhere")
            .is_none_or(|q| matching::whole_words(q, &v.name) || matching::whole_words(q, &v.comment));
        name && subject
            && anywhere
            && self.comments().is_none_or(|c| matching::whole_words(c, &v.comment))
            && same("author", &v.author)
            && same("operator", &v.operator)
            && same("last_user", &v.operator)
            && same("extension", &v.extension)
            && listed("type", &v.type_id)
            && listed("class", &v.class)
    }

    fn numbers(&self, doc: &Document, v: &Version) -> bool {
        self.get("document_number").is_none_or(|e| matching::number(e, doc.number))
            && self.get("document_version").is_none_or(|e| matching::number(e, u64::from(v.number)))
    }

    fn customs(&self, v: &Version) -> bool {
        self.params.iter().filter(|(key, _)| is_custom(key)).all(|(field, want)| {
            let have = v.customs.get(field).map_or("", String::as_str);
            match field {
                "custom17" | "custom18" | "custom19" | "custom20" => {
                    have.parse().is_ok_and(|n| matching::number(want, n))
                }
                _ => have.eq_ignore_ascii_case(want),
            }
        })
    }

    fn dates(&self, v: &Version) -> bool {
        let sent = v.email.as_ref().and_then(|e| millis(&e.sent_date));
        let received = v.email.as_ref().and_then(|e| millis(&e.received_date));
        let fields = [
            ("create_date", Some(v.created)),
            ("edit_date", Some(v.edited)),
            ("sent_date", sent),
            ("received_date", received),
        ];
        fields.into_iter().all(|(name, at)| {
            let from = self.params.get(&format!("{name}_from")).and_then(millis);
            let to = self.params.get(&format!("{name}_to")).and_then(millis);
            from.is_none_or(|f| at.is_some_and(|a| a >= f)) && to.is_none_or(|t| at.is_some_and(|a| a <= t))
        })
    }
}

/// `custom1` to `custom31`.
pub(super) fn is_custom(key: &str) -> bool {
    key.strip_prefix("custom").and_then(|n| n.parse::<u8>().ok()).is_some_and(|n| (1..=31).contains(&n))
}

/// A date, or a date and time, in milliseconds.
pub(super) fn millis(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| format!("{text}T00:00:00Z").parse::<jiff::Timestamp>().ok())
        .map(jiff::Timestamp::as_millisecond)
}
