//! The words of a subject that may say which work item is meant.

use std::collections::BTreeSet;

/// No more words of a subject count.
const MOST: usize = 10;
/// In characters: shorter ones are in every subject, longer ones are encoded rubbish.
const SHORTEST: usize = 4;
const LONGEST: usize = 40;

/// Words that stand in subjects whatever they are about, in the languages that mail programs and lawyers use most.
const EMPTY: &[&str] = &[
    "about",
    "again",
    "anbei",
    "antwort",
    "attached",
    "betreff",
    "bitte",
    "copy",
    "dear",
    "document",
    "documents",
    "draft",
    "email",
    "extern",
    "external",
    "final",
    "forward",
    "from",
    "have",
    "hello",
    "here",
    "letter",
    "mail",
    "message",
    "oder",
    "please",
    "reminder",
    "reply",
    "sent",
    "signed",
    "that",
    "this",
    "undeliverable",
    "unser",
    "update",
    "updated",
    "urgent",
    "version",
    "will",
    "with",
    "your",
    "über",
];

/// The words of a subject that count, each once, in small letters.
pub(super) fn of_subject(subject: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let words = subject.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words
        .filter(|word| (SHORTEST..=LONGEST).contains(&word.chars().count()))
        .filter(|word| EMPTY.binary_search(&word.as_str()).is_err())
        .filter(|word| seen.insert(word.clone()))
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_cut_into_words_that_say_something() {
        assert!(EMPTY.is_sorted(), "it is searched by halves");
        for (subject, wanted) in [
            ("Re: FW: Lease of Unit 4, Harrow Road", vec!["lease", "unit", "harrow", "road"]),
            ("Please find attached your letter", vec!["find"]),
            ("LEASE lease Lease", vec!["lease"]),
            ("Claim 2026/00417", vec!["claim", "2026", "00417"]),
            ("Über Müller-Straße", vec!["müller", "straße"]),
            ("", vec![]),
        ] {
            assert_eq!(of_subject(subject), wanted, "{subject}");
        }
        assert_eq!(of_subject(&"x".repeat(1000)), Vec::<String>::new());
    }
}
