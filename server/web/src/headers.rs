//! The headers that bound what a browser does with an answer.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Pages: everything from this server, nothing inline, in no frame. Chromium holds `form-action` to redirects too: a form that ends
/// at a provider is answered with a page that goes on there, or is a link.
pub(crate) const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The page at the end of the add-in's dialog: Office's script, and the hosts that may frame it.
pub(crate) const DIALOG: &str = "default-src 'none'; script-src 'self' https://appsforoffice.microsoft.com; \
     style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'self' https://outlook.office.com https://outlook.office365.com";

/// The add-in's panes: as the dialog's page, framed by whom the settings name. They hand nothing in by forms.
pub(crate) fn pane(frame_hosts: &[String]) -> String {
    const OFFICE: &str = "https://appsforoffice.microsoft.com";
    let hosts = frame_hosts.join(" ");
    format!(
        "default-src 'none'; script-src 'self' {OFFICE}; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self' {OFFICE}; form-action 'none'; base-uri 'none'; frame-ancestors {}",
        format!("'self' {hosts}").trim_end()
    )
}

/// Everything else is no page.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// Sets what is missing; a handler's own word stands. `https` is whether browsers reach the server encrypted.
pub(crate) fn bound(headers: &mut HeaderMap, https: bool) {
    let page = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.starts_with("text/html"));
    let mut missing = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    missing(header::CONTENT_SECURITY_POLICY, if page { PAGE } else { DATA });
    missing(header::REFERRER_POLICY, "no-referrer");
    missing(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    missing(header::CACHE_CONTROL, "no-store");
    if https {
        missing(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_get_theirs_and_a_handlers_word_stands() {
        let table = [
            (Some("text/html; charset=utf-8"), None, PAGE),
            (Some("text/html"), Some(DIALOG), DIALOG),
            (Some("application/json"), None, DATA),
            (None, None, DATA),
        ];
        for (media_type, own, wanted) in table {
            for https in [false, true] {
                let mut headers = HeaderMap::new();
                for (name, value) in
                    [(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, own)]
                {
                    if let Some(value) = value {
                        headers.insert(name, HeaderValue::from_static(value));
                    }
                }
                bound(&mut headers, https);
                assert_eq!(headers.get(header::CONTENT_SECURITY_POLICY).unwrap(), wanted);
                assert_eq!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), https);
                assert_eq!(headers.get(header::REFERRER_POLICY).unwrap(), "no-referrer");
            }
        }
        let panes = [pane(&[]), pane(&["https://a.example".to_owned(), "https://*.b.example".to_owned()])];
        assert!(panes[0].ends_with("; frame-ancestors 'self'"), "{}", panes[0]);
        assert!(
            panes[1].ends_with("; frame-ancestors 'self' https://a.example https://*.b.example"),
            "{}",
            panes[1]
        );
        for policy in [PAGE, DIALOG, DATA, &panes[0], &panes[1]] {
            assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
            assert!(!policy.contains("  "), "{policy}");
        }
    }
}
