//! Patterns with `*`.

/// Whole field, letters ignored, `*` allowed anywhere.
pub(crate) fn wildcard(pattern: &str, field: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let field = field.to_lowercase();
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == field };
    let Some(mut tail) = field.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match tail.find(part) {
            Some(at) => tail = &tail[at + part.len()..],
            None => return false,
        }
    }
    tail.ends_with(last)
}
