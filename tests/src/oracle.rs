//! The oracle of every fault: what was acknowledged, what the API says and what the DMS really holds must be the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::Answer;
use crate::folder::Deposit;

/// An upload that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The intake.
    pub intake: String,
    /// Its filings with the hash of what each carries.
    pub filings: Vec<(String, String)>,
    /// Whether an earlier request with the same key had made it.
    pub again: bool,
}

impl Accepted {
    /// From the answer to an upload.
    pub fn of(answer: &Answer) -> Self {
        let body = &answer.body;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            intake: text(&body["intake"]["id"]),
            filings: body["filings"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|filing| (text(&filing["id"]), text(&filing["hash"])))
                .collect(),
            again: body["again"].as_bool().unwrap_or_default(),
        }
    }

    /// The only filing.
    #[track_caller]
    pub fn filing(&self) -> &str {
        assert_eq!(self.filings.len(), 1, "{self:?}");
        &self.filings[0].0
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Filings that were acknowledged.
    pub accepted: usize,
    /// Of these, in the DMS exactly once with the right bytes.
    pub filed: usize,
    /// Acknowledged and neither in the DMS nor with a person.
    pub lost: Vec<String>,
    /// In the DMS more than once.
    pub duplicates: Vec<String>,
    /// In the DMS with other bytes.
    pub damaged: Vec<String>,
    /// In the DMS without ever having been handed in, or without a mark.
    pub strangers: Vec<String>,
    /// Where the API and the DMS disagree.
    pub disagree: Vec<String>,
    /// Visible with a person (failed, held, undecided).
    pub with_person: Vec<String>,
}

impl Verdict {
    /// Nothing lost, nothing doubled, nothing wrong.
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty()
            && self.duplicates.is_empty()
            && self.damaged.is_empty()
            && self.strangers.is_empty()
            && self.disagree.is_empty()
    }
}

/// Compares. `handed_in` are the hashes of everything that was ever sent, acknowledged or not: what a crash left durable but
/// unacknowledged may be in the DMS too.
pub fn compare(
    accepted: &[Accepted],
    filings: &[Value],
    deposits: &[Deposit],
    handed_in: &BTreeSet<String>,
) -> Verdict {
    let mut verdict = Verdict::default();
    let states: BTreeMap<&str, &Value> =
        filings.iter().filter_map(|filing| Some((filing["id"].as_str()?, filing))).collect();
    let mut by_mark: BTreeMap<&str, Vec<&Deposit>> = BTreeMap::new();
    for deposit in deposits {
        by_mark.entry(&deposit.mark).or_default().push(deposit);
    }
    let wanted: BTreeMap<String, &str> = accepted
        .iter()
        .flat_map(|accepted| &accepted.filings)
        .map(|(id, hash)| (id.clone(), hash.as_str()))
        .collect();
    verdict.accepted = wanted.len();

    for (id, hash) in &wanted {
        let mark = format!("postroom:{id}");
        let there = by_mark.get(mark.as_str()).map_or(&[][..], Vec::as_slice);
        let state = states.get(id.as_str()).and_then(|filing| filing["state"].as_str()).unwrap_or("missing");
        match (there, state) {
            ([one], "filed") if one.hash == *hash => verdict.filed += 1,
            ([one], _) if one.hash != *hash => verdict.damaged.push(format!("{id}: {one:?}")),
            // A duplicate is settled without a document of its own.
            ([], "duplicate" | "cancelled") => {}
            ([], "failed" | "held" | "undecided") | ([_], "failed" | "undecided") => {
                verdict.with_person.push(id.clone());
            }
            ([], _) => verdict.lost.push(format!("{id} is {state}")),
            ([_], _) => verdict.disagree.push(format!("{id} is in the DMS, the API says {state}")),
            (several, _) => verdict.duplicates.push(format!("{id}: {several:?}")),
        }
    }
    for (mark, there) in &by_mark {
        let id = mark.strip_prefix("postroom:").unwrap_or_default();
        if wanted.contains_key(id) {
            continue;
        }
        // Durable but never acknowledged: the normal result of a crash. It must be known, sent by us, and there once.
        let known = states.get(id).is_some_and(|filing| filing["state"] == "filed");
        if there.len() > 1 && !id.is_empty() {
            verdict.duplicates.push(format!("{mark}: {there:?}"));
        } else if !known || !there.iter().all(|one| handed_in.contains(&one.hash)) {
            verdict.strangers.push(format!("{mark}: {there:?}"));
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn world(marks: &[(&str, &str)], states: &[(&str, &str)]) -> Verdict {
        let accepted = vec![Accepted {
            intake: "i".into(),
            filings: vec![("a".into(), "h1".into()), ("b".into(), "h2".into())],
            again: false,
        }];
        let filings: Vec<Value> =
            states.iter().map(|(id, state)| json!({"id": id, "state": state})).collect();
        let deposits: Vec<Deposit> = marks
            .iter()
            .map(|(mark, hash)| Deposit {
                mark: (*mark).into(),
                hash: (*hash).into(),
                place: String::new(),
                name: String::new(),
            })
            .collect();
        compare(&accepted, &filings, &deposits, &BTreeSet::from(["h1".into(), "h2".into(), "h3".into()]))
    }

    /// Which list of the verdict is not empty.
    #[test]
    fn the_oracle_sees_what_is_wrong() {
        let both = [("a", "filed"), ("b", "filed")];
        let (a, b) = (("postroom:a", "h1"), ("postroom:b", "h2"));
        assert!(world(&[a, b], &both).is_clean());
        assert_eq!(world(&[a, b], &both).filed, 2);
        assert_eq!(world(&[a], &both).lost.len(), 1);
        assert_eq!(world(&[a, b, b], &both).duplicates.len(), 1);
        assert_eq!(world(&[a, ("postroom:b", "h1")], &both).damaged.len(), 1);
        assert_eq!(world(&[a, b, ("", "h1")], &both).strangers.len(), 1);
        assert_eq!(world(&[a, b, ("postroom:c", "h3")], &both).strangers.len(), 1);
        assert!(world(&[a, b, ("postroom:c", "h3")], &[both[0], both[1], ("c", "filed")]).is_clean());
        assert_eq!(world(&[a, b], &[("a", "filed"), ("b", "waiting")]).disagree.len(), 1);
        assert_eq!(world(&[a], &[("a", "filed"), ("b", "failed")]).with_person.len(), 1);
        assert_eq!(world(&[a], &[("a", "filed")]).lost.len(), 1);
    }
}
