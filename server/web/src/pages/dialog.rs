//! The add-in's dialog: signs in at top level, where cookies work, and hands a bearer token to the add-in that opened it.
//!
//! The message is one JSON text, which `Office.context.ui.messageParent` takes to a parent on this server's own origin:
//! `{"kind": "postroom-token", "version": 1, "token": "pr_…", "expires": "…", "person": "…"}`. A token is made in the answer to a
//! sign-in that began here, or to a form; opening the address alone makes none.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use minijinja::context;
use postroom_domain::people::Person;
use secrecy::ExposeSecret as _;

use super::{Fields, Form, Visit, entrance, signed_in, templates};
use crate::app::Shared;
use crate::fault::Answer;
use crate::headers;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.route("/auth/dialog", web::get().to(begin)).route("/auth/dialog", web::post().to(go_on));
}

async fn begin(request: HttpRequest) -> Answer {
    if let Ok(visit) = Visit::of(&request).await? {
        return visit.page("dialog.html", "Sign in to the add-in", context! { narrow => true });
    }
    let entering = entrance::Entering { then: "/auth/dialog", dialog: true, ..Default::default() };
    entrance::form(&request, StatusCode::OK, &entering)
}

async fn go_on(request: HttpRequest, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    hand_back(&visit.app, &visit.who.person).await
}

/// The page that hands a new token to the add-in.
pub(super) async fn hand_back(app: &Shared, person: &Person) -> Answer<HttpResponse> {
    let made = app.identity.people.dialog_token(person).await?;
    let message = serde_json::json!({
        "kind": "postroom-token", "version": 1, "token": made.secret.expose_secret(),
        "expires": made.token.expires.to_string(), "person": person.name,
    });
    let about = context! { narrow => true, message => message.to_string(), origin => app.identity.origin() };
    let mut page = templates::page(app, StatusCode::OK, "hand_back.html", "Signed in", None, about)?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(headers::DIALOG));
    Ok(page)
}
