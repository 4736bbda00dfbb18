//! The add-in's pages in Outlook and Word, and the help around them.
//!
//! Invariants of these pages:
//! - none but the administrators' help knows who asks: a pane stands in another site's frame, where cookies do not come, and signs in
//!   by a token of its own;
//! - nothing about anybody stands in them, so they are the same for everybody who asks in the same language;
//! - they may be framed by the hosts of the settings, and by nobody else.

use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Compress;
use actix_web::{HttpRequest, HttpResponse, web};
use minijinja::context;
use postroom_domain::person::Permission;

use super::{app, assets, signed_in, templates};
use crate::fault::{Answer, Fault};
use crate::headers;
use crate::texts::Language;

/// The handler of the event of sending, where classic Outlook loads it from.
const HANDLER: &str = "/addin/launchevent.js";

/// What a pane loads besides its own first script: told to the browser at once, so that it need not find out one by one.
const MODULES: [&str; 8] = ["frame", "host", "session", "server", "jobs", "view", "places", "activity"];

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let page = |path: &str| web::resource(path.to_owned()).wrap(Compress::default());
    config
        .service(page("/addin/outlook").route(web::get().to(outlook)))
        .service(page("/addin/word").route(web::get().to(word)))
        .service(page("/addin/commands").route(web::get().to(commands)))
        .service(page("/addin/help").route(web::get().to(help)))
        .service(page("/addin/texts/{language}.json").route(web::get().to(texts)))
        .route(HANDLER, web::get().to(handler))
        .route("/.well-known/microsoft-officeaddins-allowed.json", web::get().to(allowed))
        .route("/admin/addin", web::get().to(administrators));
}

async fn outlook(request: HttpRequest) -> Answer {
    pane(&request, "outlook", &["cards", "letter", "several", "compose", "home"])
}

async fn word(request: HttpRequest) -> Answer {
    pane(&request, "word", &["cards", "letter"])
}

/// What the scripts of a pane say.
const SAID: [&str; 2] = ["addin.", "common."];

fn pane(request: &HttpRequest, entry: &'static str, more: &[&'static str]) -> Answer {
    let language = Language::of(request, request.query_string());
    let texts = language.below(&SAID);
    let modules: Vec<&'static str> = MODULES.iter().chain(more).copied().collect();
    let about = context! { lang => language.tag(), texts, entry, modules };
    framed(request, "addin.html", about)
}

/// A page for a frame.
fn framed(request: &HttpRequest, template: &str, about: minijinja::Value) -> Answer {
    let app = app(request)?;
    let mut page = templates::alone(&app, template, about)?;
    let policy = HeaderValue::from_str(&headers::pane(&app.frame_hosts))
        .map_err(|_| Fault::internal("server.frame_hosts is no header"))?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    page.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
    Ok(page)
}

/// Where the handler of the event of sending runs in Outlook on the web, the new Outlook and on a Mac.
async fn commands(request: HttpRequest) -> Answer {
    framed(&request, "addin_commands.html", context! { handler => HANDLER })
}

async fn handler(request: HttpRequest) -> Answer {
    assets::file(&request, "addin/launchevent.js")
}

/// Lets classic Outlook's runtime, which has no page, load the handler with our origin.
async fn allowed(request: HttpRequest) -> Answer {
    let app = app(&request)?;
    let address = format!("{}{HANDLER}", app.identity.public_url().trim_end_matches('/'));
    Ok(HttpResponse::Ok().json(serde_json::json!({ "allowed": [address] })))
}

/// The texts of a pane in another language than its page came in: Office's own wins over the browser's.
async fn texts(language: web::Path<String>) -> Answer {
    let language = Language::ALL.into_iter().find(|it| it.tag() == language.as_str());
    let language = language.ok_or_else(|| Fault::not_found("such language"))?;
    Ok(HttpResponse::Ok().json(language.below(&SAID)))
}

async fn help(request: HttpRequest) -> Answer {
    let language = Language::of(&request, request.query_string());
    let others: Vec<&str> = Language::ALL.iter().filter(|it| **it != language).map(|it| it.tag()).collect();
    framed(&request, "addin_help.html", context! { lang => language.tag(), t => language.texts(), others })
}

async fn administrators(request: HttpRequest) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::Administer)?;
    let language = Language::of(&request, request.query_string());
    let url = visit.app.identity.public_url().trim_end_matches('/');
    let about = context! { lang => language.tag(), t => language.texts(), url };
    visit.page("addin_admin.html", language.text("help.admin_title"), about)
}
