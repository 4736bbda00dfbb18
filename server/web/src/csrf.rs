//! That a request which changes something was meant by the person whose cookie came along.
//!
//! Two independent proofs: the browser says where the request comes from ([`same_origin`], for every unsafe method with a cookie, and
//! for the forms before a sign-in), and the form carries a code that only this server computes for this browser ([`form_token`]).

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use postroom_api::problem::Code;
use postroom_domain::people::SecretHash;
use secrecy::ExposeSecret as _;

use crate::app::Shared;
use crate::cookies;
use crate::fault::Fault;

/// The name of the field that forms carry their code in.
pub(crate) const FIELD: &str = "form_token";

/// Whether the browser says that a page of ours made the request. What tells nothing of where it comes from is not believed; requests
/// that only read need not tell.
pub(crate) fn same_origin(app: &Shared, request: &HttpRequest) -> Result<(), Fault> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap_or("?"));
    let ours = match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => text(header::ORIGIN.as_str()) == Some(app.identity.origin()),
    };
    if ours {
        return Ok(());
    }
    Err(Fault::new(Code::Forbidden, "The request does not come from a page of this server.")
        .hint("Programs send a bearer token instead of a cookie."))
}

/// The code for the forms of a page that this browser is given.
pub(crate) fn form_token(app: &Shared, request: &HttpRequest) -> String {
    token_for(app, &binding(request))
}

/// The code for forms of a browser that is being given its first secret in the same answer.
pub(crate) fn form_token_of(app: &Shared, flow: &secrecy::SecretString) -> String {
    token_for(app, &format!("flow {}", SecretHash::of(flow.expose_secret()).0))
}

/// Whether a form came from where it says, with the code that this browser was given.
pub(crate) fn check_form(app: &Shared, request: &HttpRequest, given: &str) -> Result<(), Fault> {
    same_origin(app, request)?;
    // Hashes are compared, so that the time it takes tells nothing of the code.
    if SecretHash::of(given) == SecretHash::of(&form_token(app, request)) {
        return Ok(());
    }
    Err(Fault::new(Code::Forbidden, "The form is too old, or was made for another browser.")
        .hint("Go back, load the page anew and send it again."))
}

/// What a code is bound to: the session; before one, the browser's secret; without either it belongs to nobody.
fn binding(request: &HttpRequest) -> String {
    let of = |name| cookies::read(request, name).map(|it| SecretHash::of(it.expose_secret()).0);
    match (of(cookies::SESSION), of(cookies::FLOW)) {
        (Some(session), _) => format!("session {session}"),
        (None, Some(flow)) => format!("flow {flow}"),
        (None, None) => "nobody".to_owned(),
    }
}

fn token_for(app: &Shared, binding: &str) -> String {
    let code = app.identity.people.seals.code("form", binding);
    postroom_domain::ids::BlobHash::new(code).to_string()
}
