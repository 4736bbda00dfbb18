//! Coming in: the sign-in page, passwords, one-time links, leaving.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use minijinja::{Value, context};
use postroom_domain::desk::{Browser, NotLetIn, own_path};
use postroom_domain::link::Offer;
use postroom_domain::people::Person;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Fields, Form, agent, app, dialog, go, show, templates, visitor, with_cookie, with_session};
use crate::app::Shared;
use crate::auth::{may_try, tried};
use crate::fault::{Answer, Fault};
use crate::{cookies, csrf};

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/auth/sign-in", web::get().to(sign_in))
        .route("/auth/password", web::post().to(password))
        .route("/auth/sign-out", web::post().to(sign_out))
        .route("/auth/invitation/{secret}", web::get().to(invitation))
        .route("/auth/invitation/{secret}", web::post().to(accept));
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    then: String,
}

async fn sign_in(request: HttpRequest, asked: web::Query<Asked>) -> Answer {
    let then = own_path(&asked.then);
    if visitor(&request).await?.is_some() {
        return Ok(go(&then));
    }
    form(&request, StatusCode::OK, &Entering { then: &then, ..Entering::default() })
}

/// What the sign-in page is shown with.
#[derive(Default)]
pub(super) struct Entering<'a> {
    pub(super) then: &'a str,
    pub(super) dialog: bool,
    pub(super) email: &'a str,
    pub(super) error: Option<&'a str>,
}

/// The sign-in page. Its forms are tied to the browser by a cookie, which it gets with it.
pub(super) fn form(request: &HttpRequest, status: StatusCode, entering: &Entering<'_>) -> Answer {
    let app = app(request)?;
    let (token, cookie) = code(&app, request);
    let Entering { then, dialog, email, error } = *entering;
    let dialog_part = if dialog { "&dialog=yes" } else { "" };
    let visible = app.identity.services().iter().filter(|it| it.sign_in == Offer::Visible);
    let providers: Vec<Value> = visible
        .map(|it| {
            let path = format!("/auth/{}?then={}{dialog_part}", it.name, show::encoded(then));
            context! { path, title => it.title.as_str() }
        })
        .collect();
    let about = context! { narrow => true, form_token => token, providers, then, dialog, email, error };
    let answer = templates::page(&app, status, "sign_in.html", "Sign in", None, about)?;
    given(answer, cookie)
}

/// A form's code for a browser that may have no secret yet, and the secret that it is then given.
fn code(app: &Shared, request: &HttpRequest) -> (String, Option<secrecy::SecretString>) {
    let has = |name| cookies::read(request, name).is_some();
    if has(cookies::SESSION) || has(cookies::FLOW) {
        return (csrf::form_token(app, request), None);
    }
    let secret = app.identity.people.browser_secret();
    (csrf::form_token_of(app, &secret), Some(secret))
}

fn given(answer: HttpResponse, secret: Option<secrecy::SecretString>) -> Answer {
    match secret {
        Some(secret) => with_cookie(answer, cookies::set(cookies::FLOW, &secret, None)),
        None => Ok(answer),
    }
}

async fn password(request: HttpRequest, sent: Form) -> Answer {
    let app = app(&request)?;
    let fields = Fields::checked(&request, sent)?;
    may_try(&app, &request)?;
    let then = own_path(fields.get("then"));
    let wants_token = fields.get("dialog") == "yes";
    let session = cookies::read(&request, cookies::SESSION);
    let browser =
        Browser { agent: agent(&request), session: session.as_ref().map(ExposeSecret::expose_secret) };
    let people = &app.identity.people;
    match people.sign_in_with_password(fields.get("email"), fields.secret("password"), browser).await {
        Ok(new) if wants_token => with_session(dialog::hand_back(&app, &new.person).await?, &new.secret),
        Ok(new) => with_session(go(&then), &new.secret),
        Err(NotLetIn::Store(error)) => Err(error.into()),
        Err(why) => {
            tried(&app, &request);
            let words = why.words();
            let email = fields.get("email");
            let entering = Entering { then: &then, dialog: wants_token, email, error: Some(&words) };
            form(&request, refused(&why), &entering)
        }
    }
}

/// The status of a page that tells why somebody was not let in.
pub(super) fn refused(why: &NotLetIn) -> StatusCode {
    if !why.is_fault() {
        return StatusCode::FORBIDDEN;
    }
    tracing::error!(error = %why, "nobody can come in this way");
    StatusCode::SERVICE_UNAVAILABLE
}

async fn sign_out(request: HttpRequest, sent: Form) -> Answer {
    Fields::checked(&request, sent)?;
    let app = app(&request)?;
    if let Some(secret) = cookies::read(&request, cookies::SESSION) {
        app.identity.people.sign_out(secret.expose_secret()).await?;
    }
    with_cookie(go("/auth/sign-in"), cookies::clear(cookies::SESSION))
}

async fn invitation(request: HttpRequest, secret: web::Path<String>) -> Answer {
    let app = app(&request)?;
    may_try(&app, &request)?;
    if let Some(person) = app.identity.people.invited(&secret).await? {
        return invite(&request, &secret, &person, None);
    }
    tried(&app, &request);
    not_let_in(&app, &NotLetIn::LinkUsed)
}

/// The page of a one-time link; with a mistake, that is the field and what is wrong with it.
fn invite(request: &HttpRequest, secret: &str, person: &Person, mistake: Option<(&str, &str)>) -> Answer {
    let app = app(request)?;
    let (token, cookie) = code(&app, request);
    let action = format!("/auth/invitation/{}", show::encoded(secret));
    let about = context! {
        narrow => true, form_token => token, action, name => person.display_name.as_str(),
        email => person.email.as_str(), field => mistake.map(|it| it.0), error => mistake.map(|it| it.1),
    };
    let status = if mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    given(templates::page(&app, status, "invitation.html", "Set your password", None, about)?, cookie)
}

async fn accept(request: HttpRequest, secret: web::Path<String>, sent: Form) -> Answer {
    let app = app(&request)?;
    let fields = Fields::checked(&request, sent)?;
    may_try(&app, &request)?;
    let people = &app.identity.people;
    let Some(person) = people.invited(&secret).await? else {
        tried(&app, &request);
        return not_let_in(&app, &NotLetIn::LinkUsed);
    };
    if fields.get("password") != fields.get("again") {
        let mistake = ("again", "The two are not the same. Type the password anew.");
        return invite(&request, &secret, &person, Some(mistake));
    }
    let session = cookies::read(&request, cookies::SESSION);
    let browser =
        Browser { agent: agent(&request), session: session.as_ref().map(ExposeSecret::expose_secret) };
    match people.accept_invitation(&secret, fields.secret("password"), browser).await {
        Ok(new) => with_session(go("/"), &new.secret),
        Err(NotLetIn::Objection(why)) => invite(&request, &secret, &person, Some(("password", &why))),
        Err(NotLetIn::Store(error)) => Err(error.into()),
        Err(why) => {
            tried(&app, &request);
            not_let_in(&app, &why)
        }
    }
}

/// The page for who was not let in, with the way on.
pub(super) fn not_let_in(app: &Shared, why: &NotLetIn) -> Answer {
    if let NotLetIn::Store(error) = why {
        return Err(Fault::from(error.clone()));
    }
    let about = context! {
        narrow => true, error => why.words(), back_path => "/auth/sign-in", back_text => "To the sign-in",
    };
    templates::page(app, refused(why), "message.html", "You are not signed in", None, about)
}
