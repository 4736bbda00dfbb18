//! What a misspelt word was probably meant to be.

/// The candidate that is closest to `word`, if any is close enough to be worth suggesting.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(40).flat_map(char::to_lowercase).collect();
    if word.is_empty() {
        return None;
    }
    let allowed = 1 + word.len() / 4;
    candidates
        .into_iter()
        .map(|candidate| {
            let letters: Vec<char> = candidate.chars().collect();
            let begins = word.len() >= 2 && letters.starts_with(&word);
            (if begins { 0 } else { distance(&word, &letters) }, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
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
