//! Texts from outside that become part of records and addresses.

/// The longest e-mail, in bytes: what SMTP allows (RFC 5321, 4.5.3.1).
const EMAIL: usize = 254;
/// The longest path to go to after a sign-in, in bytes.
const PATH: usize = 1024;

/// An e-mail in the form in which it is kept: trimmed, lower case. None when it is no address: exactly one `@`, something before it,
/// a domain after it, no blanks or control characters.
pub fn email_of(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.split_once('@')?;
    let strange = |c: char| c.is_whitespace() || c.is_control() || "@<>()[],;:\\\"".contains(c);
    let good = !local.is_empty()
        && text.len() <= EMAIL
        && !local.contains(strange)
        && super::domains::is_domain(domain);
    good.then_some(text)
}

/// Where to go after a sign-in, if it is a path of ours; the start page otherwise. A browser takes `//host`, `/\host` and a scheme as
/// another server, and drops tabs and line ends before it looks, so nothing of that kind is let through, also not percent-encoded.
pub fn own_path(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let encoded = ["%2f%2f", "%5c", "%00", "%09", "%0a", "%0d"];
    let good = text.len() <= PATH
        && text.starts_with('/')
        && !text.contains("//")
        && !text.contains('\\')
        && text.bytes().all(|b| (0x21..0x7f).contains(&b))
        && !lower.starts_with("/%2f")
        && !encoded.iter().any(|it| lower.contains(it));
    if good { text.to_owned() } else { "/".to_owned() }
}

/// A text cut to so many characters, without control characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}
