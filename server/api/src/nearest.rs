//! What a misspelt word was probably meant to be.

/// The candidate that is closest to `word`, if any is close enough to be worth suggesting.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: String = word.chars().take(40).flat_map(char::to_lowercase).collect();
    if word.is_empty() {
        return None;
    }
    let allowed = 1 + word.chars().count() / 4;
    candidates
        .into_iter()
        .map(|candidate| {
            let begins = word.chars().count() >= 2 && candidate.starts_with(&word);
            (if begins { 0 } else { strsim::osa_distance(&word, candidate) }, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_suggested_and_far_ones_not() {
        let words = ["state", "dest", "cause", "age", "from", "intake", "id", "ref", "by"];
        for (given, wanted) in [
            ("stat", Some("state")),
            ("sttae", Some("state")),
            ("STATE", Some("state")),
            ("des", Some("dest")),
            ("destination", None),
            ("casue", Some("cause")),
            ("", None),
            ("zzzzzz", None),
            ("form", Some("from")),
        ] {
            assert_eq!(nearest(given, words), wanted, "{given}");
        }
    }
}
