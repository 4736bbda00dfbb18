//! That a request which changes something was meant by the person whose cookie came along.
//!
//! Two independent proofs: the browser says where the request comes from ([`same_origin`], for every unsafe method with a cookie, and
//! for the forms before a sign-in), and the form carries a code that only this server computes for this browser ([`form_token`]).

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use postroom_api::problem::Code;
use postroom_domain::ids::BlobHash;
use postroom_domain::people::SecretHash;
use postroom_domain::sealing::Seals;
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::Shared;
use crate::cookies;
use crate::fault::Fault;

/// The name of the field that forms carry their code in.
pub(crate) const FIELD: &str = "form_token";

/// Whether the browser says that a page of ours made the request. What tells nothing of where it comes from is not believed; requests
/// that only read need not tell.
pub(crate) fn same_origin(app: &Shared, request: &HttpRequest) -> Result<(), Fault> {
    if is_from(request, app.identity.origin()) {
        return Ok(());
    }
    Err(Fault::new(Code::Forbidden, "The request does not come from a page of this server.")
        .hint("Programs send a bearer token instead of a cookie."))
}

fn is_from(request: &HttpRequest, origin: &str) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => text(header::ORIGIN.as_str()) == Some(origin),
    }
}

/// The code for the forms of a page that this browser is given.
pub(crate) fn form_token(app: &Shared, request: &HttpRequest) -> String {
    token_for(app.identity.people.seals.as_ref(), &binding(request))
}

/// The code for forms of a browser that is being given its first secret ([`cookies::FLOW`]) in the same answer.
pub(crate) fn form_token_of(app: &Shared, flow: &SecretString) -> String {
    token_for(app.identity.people.seals.as_ref(), &bound_to("flow", flow))
}

/// Whether a form came from where it says, with the code that this browser was given.
pub(crate) fn check_form(app: &Shared, request: &HttpRequest, given: &str) -> Result<(), Fault> {
    same_origin(app, request)?;
    if fits(app.identity.people.seals.as_ref(), request, given) {
        return Ok(());
    }
    Err(Fault::new(Code::Forbidden, "The form is too old, or was made for another browser.")
        .hint("Go back, load the page anew and send it again."))
}

/// Hashes are compared, so that the time it takes tells nothing of the code.
fn fits(seals: &dyn Seals, request: &HttpRequest, given: &str) -> bool {
    SecretHash::of(given) == SecretHash::of(&token_for(seals, &binding(request)))
}

/// What a code is bound to: the session; before one, the browser's secret; without either it belongs to nobody.
fn binding(request: &HttpRequest) -> String {
    let of = |name, what| cookies::read(request, name).map(|it| bound_to(what, &it));
    let session = of(cookies::SESSION, "session");
    session.or_else(|| of(cookies::FLOW, "flow")).unwrap_or_else(|| "nobody".to_owned())
}

fn bound_to(what: &str, secret: &SecretString) -> String {
    format!("{what} {}", SecretHash::of(secret.expose_secret()).0)
}

fn token_for(seals: &dyn Seals, binding: &str) -> String {
    BlobHash::new(seals.code("form", binding)).to_string()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use postroom_domain::link::{Place, Sealed};
    use postroom_domain::sealing::SealError;

    use super::*;

    struct Codes;

    impl Seals for Codes {
        fn seal(&self, _: Place<'_>, _: &SecretString) -> Result<Sealed, SealError> {
            Err(SealError::Vault("not here".to_owned()))
        }
        fn open(&self, _: Place<'_>, _: &Sealed) -> Result<SecretString, SealError> {
            Err(SealError::DoesNotOpen)
        }
        fn key_of(&self, _: &Sealed) -> Option<u32> {
            None
        }
        fn current_key(&self) -> u32 {
            1
        }
        fn code(&self, purpose: &str, text: &str) -> [u8; 32] {
            let hash: BlobHash = SecretHash::of(&format!("{purpose} {text}")).0.parse().unwrap();
            *hash.as_bytes()
        }
    }

    #[test]
    fn only_a_page_of_ours_changes_something() {
        type Case<'a> = (Method, &'a [(&'a str, &'a str)], bool);
        let ours = "https://postroom.example:8443";
        let table: [Case<'_>; 14] = [
            (Method::GET, &[], true),
            (Method::HEAD, &[("sec-fetch-site", "cross-site")], true),
            (Method::POST, &[], false),
            (Method::POST, &[("sec-fetch-site", "same-origin")], true),
            (Method::POST, &[("sec-fetch-site", "same-site")], false),
            (Method::POST, &[("sec-fetch-site", "cross-site")], false),
            (Method::POST, &[("sec-fetch-site", "none")], false),
            (Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", ours)], false),
            (Method::POST, &[("origin", ours)], true),
            (Method::DELETE, &[("origin", "https://postroom.example")], false),
            (Method::PUT, &[("origin", "http://postroom.example:8443")], false),
            (Method::POST, &[("origin", "https://postroom.example:8443.evil.example")], false),
            (Method::POST, &[("origin", "null")], false),
            (Method::PATCH, &[("referer", "https://postroom.example:8443/links")], false),
        ];
        for (method, headers, wanted) in table {
            let request = TestRequest::default().method(method.clone());
            let request = headers.iter().fold(request, |request, it| request.insert_header(*it));
            assert_eq!(is_from(&request.to_http_request(), ours), wanted, "{method} {headers:?}");
        }
    }

    /// Each browser, and each session of it, has a code of its own.
    #[test]
    fn a_code_fits_the_browser_that_it_was_given_to() {
        let cookies =
            |text: String| TestRequest::default().insert_header((header::COOKIE, text)).to_http_request();
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let browsers = [
            cookies(format!("__Host-postroom={a}")),
            cookies(format!("__Host-postroom={b}")),
            cookies(format!("__Host-flow={a}")),
            cookies(format!("__Host-flow={b}")),
            TestRequest::default().to_http_request(),
        ];
        let codes: Vec<_> = browsers.iter().map(|it| token_for(&Codes, &binding(it))).collect();
        for (at, browser) in browsers.iter().enumerate() {
            for (from, code) in codes.iter().enumerate() {
                assert_eq!(fits(&Codes, browser, code), at == from, "{at} {from}");
            }
            assert!(!fits(&Codes, browser, "") && !fits(&Codes, browser, &codes[at][1..]));
        }
        // Who signed in while a sign-in was under way in another tab is bound by the session.
        assert!(fits(&Codes, &cookies(format!("__Host-flow={b}; __Host-postroom={a}")), &codes[0]));
        let first = SecretString::from(b);
        assert_eq!(token_for(&Codes, &bound_to("flow", &first)), codes[3]);
    }
}
