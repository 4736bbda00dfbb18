//! What receiving servers found out about the sender's domain (RFC 8601). Anybody can write such a field, so only the first one by a
//! server that we trust counts; it stands above those that came with the message.

use mail_parser::HeaderName;
use postroom_domain::mail::Dmarc;

use super::Trusted;
use super::fields::Fields;

/// Reads it from the fields.
pub(super) fn found(fields: &Fields<'_>, trusted: &Trusted) -> Dmarc {
    let results = fields.texts(&HeaderName::AuthenticationResults);
    let mut told = results.filter_map(|value| result(&value, trusted));
    told.next().unwrap_or_default()
}

/// What one field says; none where it is not by a server that we trust.
fn result(value: &str, trusted: &Trusted) -> Option<Dmarc> {
    let bare = bare(value);
    let mut statements = bare.split(';');
    let first = statements.next().unwrap_or_default();
    let by = first.split_whitespace().next().unwrap_or_default();
    let unnamed = by.contains('=') && trusted.unnamed;
    if !unnamed && !trusted.servers.iter().any(|server| server.eq_ignore_ascii_case(by)) {
        return None;
    }
    let mut answer = Dmarc::Unknown;
    for statement in unnamed.then_some(first).into_iter().chain(statements) {
        let Some((method, rest)) = statement.split_once('=') else { continue };
        let method = method.trim().split('/').next().unwrap_or_default().trim_end();
        if !method.eq_ignore_ascii_case("dmarc") {
            continue;
        }
        match rest.split_whitespace().next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "pass" if answer == Dmarc::Unknown => answer = Dmarc::Pass,
            "fail" => answer = Dmarc::Fail,
            _ => {}
        }
    }
    Some(answer)
}

/// Without comments and without what stands in quotes: both may hold a sender's own words.
fn bare(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let (mut comments, mut quoted, mut escaped) = (0_usize, false, false);
    for letter in value.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted || comments > 0 => escaped = true,
            '"' if comments == 0 => quoted = !quoted,
            _ if quoted => {}
            '(' => comments += 1,
            ')' if comments > 0 => comments -= 1,
            _ if comments > 0 => {}
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_a_trusted_server_counts() {
        let named = Trusted { servers: vec!["mx.firm.example".to_owned()], unnamed: false };
        let unnamed = Trusted { servers: Vec::new(), unnamed: true };
        for (value, trusted, wanted) in [
            ("mx.firm.example; dmarc=pass header.from=x.example", &named, Some(Dmarc::Pass)),
            ("MX.Firm.Example 1; spf=fail; dmarc=pass", &named, Some(Dmarc::Pass)),
            (
                "mx.firm.example; spf=pass; dmarc = fail (p=reject) header.from=x.example",
                &named,
                Some(Dmarc::Fail),
            ),
            ("mx.firm.example; dmarc/1=pass", &named, Some(Dmarc::Pass)),
            ("mx.firm.example; dmarc=none", &named, Some(Dmarc::Unknown)),
            ("mx.firm.example; dmarc=pass; dmarc=fail", &named, Some(Dmarc::Fail)),
            ("mx.firm.example; none", &named, Some(Dmarc::Unknown)),
            ("mx.firm.example.evil.example; dmarc=pass", &named, None),
            ("evil.example; dmarc=pass", &named, None),
            ("", &named, None),
            // A sender's own words, in quotes and in comments.
            (
                "mx.firm.example; spf=fail smtp.mailfrom=\"a; dmarc=pass\"@evil.example",
                &named,
                Some(Dmarc::Unknown),
            ),
            ("mx.firm.example; spf=fail (a (b\\) ; dmarc=pass); dmarc=fail", &named, Some(Dmarc::Unknown)),
            (
                "spf=pass (1.2.3.4) smtp.mailfrom=x; dkim=pass;dmarc=pass action=none",
                &unnamed,
                Some(Dmarc::Pass),
            ),
            ("dmarc=fail action=none", &unnamed, Some(Dmarc::Fail)),
            ("dmarc=pass action=none", &named, None),
            ("other.example; dmarc=pass", &unnamed, None),
        ] {
            assert_eq!(result(value, trusted), wanted, "{value}");
        }
    }
}
