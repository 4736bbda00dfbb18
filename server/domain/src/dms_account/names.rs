//! Given name and family name of a person, of whom Postroom knows only how they are called.

/// A name in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Given names; never empty.
    pub given: String,
    /// The family name; empty where there is only one word.
    pub family: String,
}

/// Splits how somebody is called into given and family name:
/// - what stands in brackets at the end is left out: `Mary Harrow (London)`;
/// - before a comma stands the family name: `Harrow, Mary`;
/// - otherwise the last word is the family name, with the words in small letters before it: `Anna van der Berg`;
/// - a single word is the given name;
/// - an e-mail, or nothing, is split at the dots, lines and hyphens before its `@`: `mary.harrow@…`.
pub fn split_name(display: &str, email: &str) -> Name {
    let shown = without_brackets(display);
    if shown.is_empty() || shown.contains('@') {
        let source = if shown.is_empty() { email } else { shown };
        return of_email(source);
    }
    match shown.split_once(',') {
        Some((family, given)) if !family.trim().is_empty() && !given.trim().is_empty() => {
            Name { given: spaced(given), family: spaced(family) }
        }
        _ => of_words(shown.trim_matches(',')),
    }
}

fn without_brackets(display: &str) -> &str {
    let trimmed = display.trim();
    match trimmed.strip_suffix(')').and_then(|rest| rest.rfind('(')) {
        Some(at) if !trimmed[..at].trim().is_empty() => trimmed[..at].trim(),
        _ => trimmed,
    }
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of_words(text: &str) -> Name {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() < 2 {
        return Name { given: words.concat(), family: String::new() };
    }
    let small = |word: &&&str| word.chars().next().is_some_and(char::is_lowercase);
    // The first word is a given name, however it is written.
    let particles = words[1..words.len() - 1].iter().rev().take_while(small).count();
    let (given, family) = words.split_at(words.len() - 1 - particles);
    Name { given: given.join(" "), family: family.join(" ") }
}

fn of_email(email: &str) -> Name {
    let local = email.split('@').next().unwrap_or_default();
    let words: Vec<String> =
        local.split(['.', '_', '-', '+']).filter(|word| !word.is_empty()).map(capital).collect();
    match words.split_last() {
        Some((family, given)) if !given.is_empty() => Name { given: given.join(" "), family: family.clone() },
        Some((only, _)) => Name { given: only.clone(), family: String::new() },
        None => Name { given: email.to_owned(), family: String::new() },
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
