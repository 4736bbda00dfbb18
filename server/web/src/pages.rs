//! The pages that people see: rendered here, whole, without need of scripts. Only the end of the add-in's dialog needs one, because
//! Office hands tokens back in no other way; handing documents in is better with one, and goes without.
//!
//! Invariants of these pages:
//! - what is shown goes through templates that escape it;
//! - what changes something is a form sent by POST with a code ([`csrf::check_form`]);
//! - whoever may not see a page gets the answer of a page that is not there;
//! - secrets are shown in the answer to the form that made them, and nowhere else.

use std::str::FromStr;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, ResponseError, dev, web};
use minijinja::{Value, context};
use postroom_domain::desk::SignedIn;
use postroom_domain::person::{Permission, Principal};
use secrecy::SecretString;

use crate::app::Shared;
use crate::auth::Visitor;
use crate::fault::{Answer, Fault};
use crate::{cookies, csrf, request};

mod account;
mod addin;
mod admin;
mod assets;
mod audit;
mod data_uploads;
mod dialog;
mod dms_accounts;
mod entrance;
mod home;
mod journey;
mod links;
mod send_to;
mod sent;
mod show;
mod templates;
mod upload;

/// Registers every page. Comes after the routes: what they do not take is looked for here.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let pages = web::scope("")
        .wrap(from_fn(for_people))
        .configure(assets::configure)
        .configure(addin::configure)
        .configure(home::configure)
        .configure(upload::configure)
        .configure(data_uploads::configure)
        .configure(dialog::configure)
        .configure(entrance::configure)
        .configure(links::configure)
        .configure(account::configure)
        .configure(admin::configure)
        .configure(dms_accounts::configure)
        .configure(audit::configure)
        .configure(send_to::configure)
        .configure(journey::configure);
    config.service(pages);
}

/// Errors as pages for those who asked for a page.
async fn for_people<B: MessageBody + 'static>(
    asked: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let page = asked
        .headers()
        .get(header::ACCEPT)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.contains("text/html"));
    if !page || asked.path().starts_with("/api/") {
        return next.call(asked).await.map(ServiceResponse::map_into_boxed_body);
    }
    // No clone of the request is kept here: the router, which comes next, needs it for itself alone. Handlers' errors are answers.
    let answer = next.call(asked).await?.map_into_boxed_body();
    let Some(fault) = answer.response().error().map(request::fault_of) else { return Ok(answer) };
    let (http, _) = answer.into_parts();
    let page = apology(&http, &fault);
    Ok(ServiceResponse::new(http, page))
}

/// The page of an error. The way back is the start page, which sends strangers to the sign-in.
fn apology(request: &HttpRequest, fault: &Fault) -> HttpResponse {
    let plain = fault.error_response();
    if plain.status().is_server_error() {
        tracing::error!(error = fault.for_log().unwrap_or("-"), "a page could not be shown");
    }
    let problem = fault.problem();
    let seconds = plain.headers().get(header::RETRY_AFTER).and_then(|it| it.to_str().ok());
    let (title, error, hint) = match plain.status() {
        StatusCode::NOT_FOUND => {
            ("There is no such page", "It does not exist, or you may not see it.", String::new())
        }
        status => ("That did not work", problem.detail.as_str(), advice(status, &problem.hint, seconds)),
    };
    let Some(app) = request.app_data::<web::Data<Shared>>() else { return plain };
    let about = context! { narrow => true, back_path => "/", back_text => "To the start page", error, hint };
    let mut page = templates::page(app, plain.status(), "message.html", title, None, about)
        .unwrap_or_else(|fault| fault.error_response());
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = plain.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

/// What to do, for people: a problem's own hint speaks of headers where programs read it.
fn advice(status: StatusCode, hint: &str, seconds: Option<&str>) -> String {
    match (status, seconds) {
        (_, Some(seconds)) => format!("Try again in {seconds} seconds."),
        (StatusCode::PRECONDITION_FAILED, _) => {
            "Go back, load the page anew, and look whether you still want this.".to_owned()
        }
        _ if status.is_server_error() => {
            "Try again. If it goes on, tell an administrator what you did, and when.".to_owned()
        }
        _ => hint.to_owned(),
    }
}

/// A page that only who is signed in sees; strangers are sent to the sign-in, and come back here.
pub(super) struct Visit {
    app: web::Data<Shared>,
    request: HttpRequest,
    who: SignedIn,
}

impl Visit {
    /// Looks who asks. `Err` is the way to the sign-in, or an error.
    async fn of(request: &HttpRequest) -> Answer<Result<Self, HttpResponse>> {
        let app = app(request)?;
        let visitor = visitor(request).await?;
        Ok(match visitor {
            Some(who) => Ok(Self { app, request: request.clone(), who }),
            None => Err(go(&format!("/auth/sign-in?then={}", show::encoded(&way_back(request))))),
        })
    }

    fn by(&self) -> &Principal {
        &self.who.principal
    }

    fn people(&self) -> &postroom_domain::desk::People {
        &self.app.identity.people
    }

    /// Who may not sees that there is no such page.
    fn needs(&self, permission: Permission) -> Answer<()> {
        if self.by().may(permission) { Ok(()) } else { Err(Fault::not_found("such page")) }
    }

    fn form_token(&self) -> String {
        csrf::form_token(&self.app, &self.request)
    }

    fn page(&self, template: &str, title: &str, about: Value) -> Answer {
        self.page_as(StatusCode::OK, template, title, about)
    }

    fn page_as(&self, status: StatusCode, template: &str, title: &str, about: Value) -> Answer {
        let token = self.form_token();
        let frame = templates::Frame { who: &self.who, form_token: &token, path: self.request.path() };
        templates::page(&self.app, status, template, title, Some(&frame), about)
    }
}

/// Where to come back to after the sign-in: pages, and not the addresses that forms are sent to.
fn way_back(request: &HttpRequest) -> String {
    if request.method() != actix_web::http::Method::GET {
        return "/".to_owned();
    }
    request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Runs a page for who is signed in.
macro_rules! signed_in {
    ($request:expr) => {
        match $crate::pages::Visit::of($request).await? {
            Ok(visit) => visit,
            Err(elsewhere) => return Ok(elsewhere),
        }
    };
}
use signed_in;

fn app(request: &HttpRequest) -> Answer<web::Data<Shared>> {
    request.app_data::<web::Data<Shared>>().cloned().ok_or_else(|| Fault::internal("no app data"))
}

async fn visitor(request: &HttpRequest) -> Answer<Option<SignedIn>> {
    Ok(Visitor::from_request(request, &mut dev::Payload::None).await?.0)
}

/// A form's fields, in their order.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Takes a form, if it is one of ours.
    fn checked(request: &HttpRequest, form: web::Form<Vec<(String, String)>>) -> Answer<Self> {
        let fields = Self(form.into_inner());
        csrf::check_form(app(request)?.get_ref(), request, fields.get(csrf::FIELD))?;
        Ok(fields)
    }

    /// The first one with a name; empty when there is none.
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn secret(&self, name: &str) -> SecretString {
        SecretString::from(self.get(name))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        // Passwords are wiped with the rest.
        for (_, value) in &mut self.0 {
            drop(SecretString::from(std::mem::take(value)));
        }
    }
}

type Form = web::Form<Vec<(String, String)>>;

/// Part of an address. What is no such part is no page.
fn part<T: FromStr>(text: &str) -> Answer<T> {
    text.parse().map_err(|_| Fault::not_found("such page"))
}

/// Sends the browser to a page by GET.
fn go(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// With a cookie.
fn with_cookie(mut answer: HttpResponse, cookie: Option<HeaderValue>) -> Answer {
    let cookie = cookie.ok_or_else(|| Fault::internal("a cookie cannot be written"))?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// The answer with which a session begins: its cookie is set, the one before it goes.
fn with_session(answer: HttpResponse, secret: &SecretString) -> Answer {
    let answer = with_cookie(answer, cookies::set(cookies::SESSION, secret, None))?;
    with_cookie(answer, cookies::clear(cookies::FLOW))
}

/// The browser as it calls itself.
fn agent(request: &HttpRequest) -> &str {
    request.headers().get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or("a browser")
}
