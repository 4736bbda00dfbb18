//! Cookies: two, both of secrets that only the server knows the meaning of.
//!
//! The prefix `__Host-` makes browsers hold them to `Secure`, to this very host and to `Path=/`, so that no other host of the domain
//! can set one. `Lax` lets the session come along when a link elsewhere is followed, and the other one when a provider sends the
//! browser back; requests that change something are checked besides ([`crate::csrf`]).

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{COOKIE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

/// The session's secret.
pub(crate) const SESSION: &str = "__Host-postroom";
/// The secret that ties a sign-in under way, and the forms before it, to the browser.
pub(crate) const FLOW: &str = "__Host-flow";

/// The value of a cookie that has the form of our secrets: 64 hexadecimal digits. Everything else counts as none.
pub(crate) fn read(request: &HttpRequest, name: &str) -> Option<SecretString> {
    let all = request.headers().get_all(COOKIE).filter_map(|it| it.to_str().ok());
    let pairs = all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = values.next()?;
    let good = value.len() == 64 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    good.then(|| SecretString::from(value))
}

/// The header that sets a cookie. Without a life it ends with the browser.
pub(crate) fn set(name: &str, secret: &SecretString, life: Option<Duration>) -> Option<HeaderValue> {
    let age = life.map(|it| format!("; Max-Age={}", it.as_secs())).unwrap_or_default();
    header(format!("{name}={}; Path=/; Secure; HttpOnly; SameSite=Lax{age}", secret.expose_secret()))
}

/// The header that takes a cookie away.
pub(crate) fn clear(name: &str) -> Option<HeaderValue> {
    header(format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

/// Marked as sensitive, so that no `Debug` of an answer shows it.
fn header(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn only_whole_secrets_are_read_and_the_first_one_counts() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let table: Vec<(String, Option<&str>)> = vec![
            (format!("__Host-postroom={a}"), Some(&a)),
            (format!("x=y; __Host-postroom={a}; z"), Some(&a)),
            (format!("__Host-postroom={a}; __Host-postroom={b}"), Some(&a)),
            (format!("__host-postroom={a}"), None),
            (format!("__Host-postroom={}", "A".repeat(64)), None),
            (format!("__Host-postroom={}", &a[1..]), None),
            ("__Host-postroom=".to_owned(), None),
            ("__Host-postroom".to_owned(), None),
        ];
        for (header, wanted) in table {
            let request = TestRequest::default().insert_header((COOKIE, header.clone())).to_http_request();
            let found = read(&request, SESSION);
            assert_eq!(found.as_ref().map(ExposeSecret::expose_secret), wanted, "{header}");
        }
    }

    #[test]
    fn cookies_are_of_this_host_and_not_for_scripts() {
        let secret = SecretString::from("a".repeat(64));
        let set = set(FLOW, &secret, Some(Duration::from_mins(15))).unwrap();
        let wanted =
            format!("__Host-flow={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=900", "a".repeat(64));
        assert_eq!(set.to_str().unwrap(), wanted);
        assert!(!format!("{set:?}").contains("aaaa"));
        assert!(clear(SESSION).unwrap().to_str().unwrap().ends_with("Max-Age=0"));
    }
}
