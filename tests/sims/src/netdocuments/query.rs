//! The query language of the search bar: `=3({Correspondence}) =1002({M-17}) =11( ndfld )`, `AND`, `OR`, `NOT`, words.

use crate::common::wildcard::wildcard;

/// What a document or container is searched by.
pub(super) struct Facts<'a> {
    pub(super) name: &'a str,
    pub(super) extension: &'a str,
    pub(super) created_by: &'a str,
    /// Values of profile attributes with their meaning, by number.
    pub(super) values: &'a dyn Fn(u32) -> Option<String>,
    /// All values and meanings in one text.
    pub(super) all: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Field { code: u32, any: Vec<Wanted> },
    Word(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Exactly(String),
    Words(Vec<String>),
}

/// A query: any of several lists of terms, of which all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query(Vec<Vec<(bool, Term)>>);

/// Reads a query; none if it cannot be read.
pub(super) fn parse(text: &str) -> Option<Query> {
    let (mut any, mut all, mut wanted) = (Vec::new(), Vec::new(), true);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(field) = rest.strip_prefix('=') {
            let (code, tail) = field.split_once('(')?;
            let end = close(tail)?;
            let code = code.trim().parse().ok()?;
            all.push((std::mem::replace(&mut wanted, true), Term::Field { code, any: wishes(&tail[..end]) }));
            rest = tail[end + 1..].trim_start();
            continue;
        }
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        match &rest[..end] {
            "AND" => {}
            "NOT" => wanted = false,
            "OR" => any.push(std::mem::take(&mut all)),
            word if word.contains(['(', ')', '{', '}']) => return None,
            word => all.push((std::mem::replace(&mut wanted, true), Term::Word(word.to_lowercase()))),
        }
        rest = rest[end..].trim_start();
    }
    any.push(all);
    Some(Query(any))
}

/// Where the bracket closes; braces keep what is in them.
fn close(text: &str) -> Option<usize> {
    let mut inside = false;
    for (at, c) in text.char_indices() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            ')' if !inside => return Some(at),
            _ => {}
        }
    }
    None
}

fn wishes(text: &str) -> Vec<Wanted> {
    let alternatives = text.split(" OR ").map(str::trim).filter(|it| !it.is_empty());
    alternatives
        .map(|it| match it.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(exact) => Wanted::Exactly(exact.to_lowercase()),
            None => Wanted::Words(words(it)),
        })
        .collect()
}

fn words(text: &str) -> Vec<String> {
    let part = |c: char| !c.is_alphanumeric() && c != '*';
    text.to_lowercase().split(part).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

fn fits(wanted: &Wanted, value: &str) -> bool {
    match wanted {
        Wanted::Exactly(exact) => value.to_lowercase() == *exact,
        Wanted::Words(all) => {
            let there = words(value);
            !all.is_empty() && all.iter().all(|word| there.iter().any(|it| wildcard(word, it)))
        }
    }
}

impl Query {
    pub(super) fn matches(&self, facts: &Facts<'_>) -> bool {
        self.0
            .iter()
            .any(|all| !all.is_empty() && all.iter().all(|(wanted, term)| term.matches(facts) == *wanted))
    }
}

impl Term {
    fn matches(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Word(word) => fits(&Wanted::Words(words(word)), &format!("{} {}", facts.name, facts.all)),
            Self::Field { code, any } => {
                let value = match code {
                    3 => Some(facts.name.to_owned()),
                    6 => Some(facts.created_by.to_owned()),
                    11 => Some(facts.extension.to_owned()),
                    1000.. => (facts.values)(code - 1000),
                    _ => None,
                };
                value.is_some_and(|value| any.iter().any(|wanted| fits(wanted, &value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_language_as_far_as_it_is_known() {
        let values = |number: u32| (number == 2).then(|| "M-17".to_owned());
        let facts = Facts {
            name: "Correspondence in",
            extension: "ndfld",
            created_by: "Ada Byron",
            values: &values,
            all: "M-17 Harrow v Teal",
        };
        for (query, found) in [
            ("=3({Correspondence in}) =1002({M-17}) =11( ndfld )", true),
            ("=3({Correspondence})", false),
            ("=3(Correspondence)", true),
            ("=3(Corr*) =11( ndws OR ndfld )", true),
            ("=11( ndws )", false),
            ("=3(correspondence) NOT =11( msg OR ndsq )", true),
            ("NOT =11( ndfld )", false),
            ("harrow =11(ndfld)", true),
            ("=11(msg) OR teal", true),
            ("=1002({M-1})", false),
            ("=1003({M-17})", false),
            ("", false),
        ] {
            assert_eq!(parse(query).unwrap().matches(&facts), found, "{query}");
        }
        for wrong in ["=3(x", "=x(y)", "a(b", "=3"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
