//! The text matching rules of searches, as the published API notes state them.

pub(super) use crate::common::wildcard::wildcard;

/// The words of a text, in lower case.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase)
}

/// Whole words: every word of the query occurs in the field; a quoted query must occur as a phrase. No wildcard.
///
/// This is why a search for "Harrow" also finds "Harrow v Teal": a client that wants equality must compare.
pub(super) fn whole_words(query: &str, field: &str) -> bool {
    let have: Vec<String> = words(field).collect();
    let trimmed = query.trim();
    let want: Vec<String> = words(trimmed).collect();
    if want.is_empty() {
        return false;
    }
    if trimmed.len() > 1 && trimmed.starts_with('"') && trimmed.ends_with('"') {
        return have.windows(want.len()).any(|window| window == want.as_slice());
    }
    want.iter().all(|word| have.contains(word))
}

/// Document names: whole words where a word may hold `*`.
pub(super) fn words_with_wildcard(query: &str, field: &str) -> bool {
    if !query.contains('*') {
        return whole_words(query, field);
    }
    let have: Vec<&str> = field.split_whitespace().collect();
    wildcard(query, field) || query.split_whitespace().all(|word| have.iter().any(|h| wildcard(word, h)))
}

/// `5`, `5,7`, `<=7`, `>=4`, `<7`, `>4` or `2-5`.
pub(super) fn number(expression: &str, value: u64) -> bool {
    let e = expression.trim();
    if let Some(n) = e.strip_prefix("<=") {
        return n.trim().parse().is_ok_and(|n: u64| value <= n);
    }
    if let Some(n) = e.strip_prefix(">=") {
        return n.trim().parse().is_ok_and(|n: u64| value >= n);
    }
    if let Some(n) = e.strip_prefix('<') {
        return n.trim().parse().is_ok_and(|n: u64| value < n);
    }
    if let Some(n) = e.strip_prefix('>') {
        return n.trim().parse().is_ok_and(|n: u64| value > n);
    }
    if let Some((low, high)) = e.split_once('-') {
        let range = (low.trim().parse::<u64>(), high.trim().parse::<u64>());
        return matches!(range, (Ok(low), Ok(high)) if (low..=high).contains(&value));
    }
    e.split(',').any(|n| n.trim().parse() == Ok(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_by_word_not_by_equality() {
        assert!(whole_words("harrow", "Harrow v Teal"));
        assert!(whole_words("teal harrow", "Harrow v Teal"));
        assert!(whole_words("\"harrow v teal\"", "Harrow v Teal (2)"));
        assert!(!whole_words("\"teal harrow\"", "Harrow v Teal"));
        assert!(!whole_words("harr", "Harrow v Teal"));
        assert!(!whole_words("harr*", "Harrow v Teal"));
    }

    #[test]
    fn stars_match_at_either_end_and_inside() {
        for (pattern, hit) in [
            ("em*", true),
            ("*ails", true),
            ("*mai*", true),
            ("emails", true),
            ("e*s", true),
            ("mail", false),
            ("e*x", false),
        ] {
            assert_eq!(wildcard(pattern, "Emails"), hit, "{pattern}");
        }
    }

    #[test]
    fn numbers_take_lists_comparisons_and_ranges() {
        for (expression, hit) in
            [("5", true), ("4,5", true), ("<=5", true), (">5", false), ("2-5", true), ("x", false)]
        {
            assert_eq!(number(expression, 5), hit, "{expression}");
        }
    }
}
