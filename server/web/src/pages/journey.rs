//! To a provider and back.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use minijinja::context;
use postroom_domain::desk::{Begun, Browser, CameBack, Errand, NotLetIn, Return, SettingOut};
use postroom_domain::ids::ServiceName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Visit, agent, app, dialog, entrance, go, part, templates, visitor, with_cookie, with_session};
use crate::auth::{may_try, tried};
use crate::cookies;
use crate::fault::Answer;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/auth/callback/{service}", web::get().to(come_back))
        .route("/auth/{service}", web::get().to(begin));
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    then: String,
    #[serde(default)]
    dialog: String,
}

async fn begin(request: HttpRequest, service: web::Path<String>, asked: web::Query<Asked>) -> Answer {
    let app = app(&request)?;
    let service: ServiceName = part(&service)?;
    may_try(&app, &request)?;
    tried(&app, &request);
    let kept = cookies::read(&request, cookies::FLOW);
    let dialog = asked.dialog == "yes";
    let browser_secret = kept.as_ref().map(ExposeSecret::expose_secret);
    let out = SettingOut { then: &asked.then, dialog, small: dialog, hint: None, browser_secret };
    match app.identity.people.begin(&service, Errand::SignIn, out).await {
        Ok(begun) => leaving(go(&begun.location), &begun),
        Err(why) => entrance::not_let_in(&app, &why),
    }
}

/// The browser takes its secret along.
fn leaving(answer: HttpResponse, begun: &Begun) -> Answer {
    with_cookie(answer, cookies::set(cookies::FLOW, &begun.browser_secret, None))
}

/// Begins to link. The answer is a page that goes on to the service: browsers hold the answer to a form to our own addresses.
pub(super) async fn begin_link(
    visit: &Visit,
    service: &ServiceName,
    errand: Errand<'_>,
    then: &str,
) -> Answer {
    let kept = cookies::read(&visit.request, cookies::FLOW);
    let browser_secret = kept.as_ref().map(ExposeSecret::expose_secret);
    let out =
        SettingOut { then, hint: Some(&visit.who.person.email), browser_secret, ..SettingOut::default() };
    match visit.people().begin(service, errand, out).await {
        Ok(begun) => {
            let title = visit.people().service(service).map_or("the service", |it| it.title.as_str());
            let about = context! { narrow => true, location => begun.location.as_str(), service => title };
            leaving(visit.page("goes_on.html", &format!("Going to {title}"), about)?, &begun)
        }
        Err(NotLetIn::NotOffered(_)) => Err(crate::fault::Fault::not_found("such service")),
        Err(why) => not_linked(visit, &why, then),
    }
}

fn not_linked(visit: &Visit, why: &NotLetIn, then: &str) -> Answer {
    let about =
        context! { narrow => true, error => why.words(), back_path => then, back_text => "To the accounts" };
    visit.page_as(entrance::refused(why), "message.html", "The account was not linked", about)
}

#[derive(Deserialize)]
struct Brought {
    #[serde(default)]
    state: String,
    code: Option<SecretString>,
    #[serde(default)]
    error: String,
}

async fn come_back(request: HttpRequest, service: web::Path<String>, brought: web::Query<Brought>) -> Answer {
    let app = app(&request)?;
    let service: ServiceName = part(&service)?;
    may_try(&app, &request)?;
    let who = visitor(&request).await?;
    let session = cookies::read(&request, cookies::SESSION);
    let kept = cookies::read(&request, cookies::FLOW);
    let back = Return {
        state: &brought.state,
        code: brought.code.as_ref().filter(|_| brought.error.is_empty()).ok_or(brought.error.as_str()),
        browser_secret: kept.as_ref().map(ExposeSecret::expose_secret),
        browser: Browser {
            agent: agent(&request),
            session: session.as_ref().map(ExposeSecret::expose_secret),
        },
        signed_in: who.as_ref(),
    };
    match app.identity.people.come_back(&service, back).await {
        Ok(CameBack::SignedIn { session, dialog: true, .. }) => {
            with_session(dialog::hand_back(&app, &session.person).await?, &session.secret)
        }
        Ok(CameBack::SignedIn { session, then, .. }) => with_session(go(&then), &session.secret),
        Ok(CameBack::Linked { link, ask: true, .. }) => Ok(go(&format!("/links/confirm/{}", link.id))),
        Ok(CameBack::Linked { link, then, .. }) => Ok(go(&format!("{then}?linked={}", link.id))),
        Err(why) => {
            tried(&app, &request);
            if who.is_some() {
                let about = context! {
                    narrow => true, error => why.words(), back_path => "/", back_text => "To the start page",
                };
                let status: StatusCode = entrance::refused(&why);
                return templates::page(&app, status, "message.html", "That did not work", None, about);
            }
            entrance::not_let_in(&app, &why)
        }
    }
}
