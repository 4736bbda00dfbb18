//! The audit: what happened, and that nobody changed it since.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_api::event::HappeningView;
use postroom_domain::audit::{self, Anchor};
use postroom_domain::event::{Event, Happening, Security, Subject};
use postroom_domain::person::{Credential, Permission, Scope};
use serde::Deserialize;

use super::{Fields, Form, Visit, show, signed_in};
use crate::fault::Answer;

/// Events on one page.
const PAGE: usize = 50;
/// Events read at once.
const READ: u64 = 500;
/// Events looked at for one page at most: then it ends, with the way on.
const LOOKED_AT: u64 = 10_000;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.route("/admin/audit", web::get().to(history)).route("/admin/audit/verify", web::post().to(verify));
}

#[derive(Deserialize, Default)]
struct Asked {
    #[serde(default)]
    what: String,
    #[serde(default)]
    who: String,
    before: Option<u64>,
}

async fn history(request: HttpRequest, asked: web::Query<Asked>) -> Answer {
    let visit = signed_in!(&request);
    shown(&visit, StatusCode::OK, &asked, context! {}).await
}

async fn shown(visit: &Visit, status: StatusCode, asked: &Asked, more: Value) -> Answer {
    visit.needs(Permission::ReadAudit)?;
    let (events, next) = events(visit, asked).await?;
    let rows: Vec<Value> = events.iter().map(row).collect();
    let kinds: Vec<Value> =
        Security::ALL.iter().map(|it| context! { name => it.name(), text => it.words() }).collect();
    let next = next.map(|before| {
        let (what, who) = (show::encoded(&asked.what), show::encoded(&asked.who));
        format!("/admin/audit?what={what}&who={who}&before={before}")
    });
    let about = context! {
        events => rows, kinds, next, what => asked.what.as_str(), who => asked.who.as_str(), exports => visit.by().sites.all,
    };
    visit.page_as(status, "audit.html", "Audit", merge_maps([more, about]))
}

/// The latest events that fit and may be seen, newest first, and where to go on.
async fn events(visit: &Visit, asked: &Asked) -> Answer<(Vec<Event>, Option<u64>)> {
    let store = &visit.app.store;
    let last = store.wait_beyond(0, Duration::ZERO).await;
    let mut before = asked.before.unwrap_or(u64::MAX).min(last.saturating_add(1));
    let enough = before.saturating_sub(LOOKED_AT);
    let scope = visit.by().sites.scope();
    let mut found = Vec::new();
    while before > 1 && before > enough {
        let from = before.saturating_sub(READ).max(1);
        let limit = usize::try_from(before - from).unwrap_or(usize::MAX);
        let mut page = store.events_after(from - 1, limit).await?;
        page.retain(|it| it.seq < before);
        for event in page.into_iter().rev().filter(|it| fits(it, asked, &scope)) {
            if found.len() == PAGE {
                let next = found.last().map(|it: &Event| it.seq);
                return Ok((found, next));
            }
            found.push(event);
        }
        before = from;
    }
    Ok((found, (before > 1).then_some(before)))
}

fn fits(event: &Event, asked: &Asked, scope: &Scope) -> bool {
    let event = &event.event;
    // What belongs to no site is for those who see all.
    let seen = event.site.as_ref().map_or(scope.is_all(), |site| scope.has(site));
    let what = match &event.happening {
        Happening::Security { what } => asked.what.is_empty() || what.name() == asked.what,
        _ => asked.what.is_empty(),
    };
    let who = asked.who.trim().to_lowercase();
    let named = |name: &str| name.to_lowercase().contains(&who);
    seen && what && (named(&event.actor.principal) || event.actor.on_behalf_of.as_deref().is_some_and(named))
}

fn row(event: &Event) -> Value {
    let Event { seq, event } = event;
    let what = match &event.happening {
        Happening::Intake { to, .. } => format!("intake: {to}"),
        Happening::Filing { to, .. } => format!("filing: {to}"),
        Happening::Edited => "edited".to_owned(),
        Happening::Noted => "note".to_owned(),
        Happening::Taken { from: None } => "taken to work on".to_owned(),
        Happening::Taken { from: Some(from) } => format!("taken over from {from}"),
        Happening::GivenBack => "given back".to_owned(),
        Happening::WorkItemSaved => "work item saved".to_owned(),
        Happening::Paused => "paused".to_owned(),
        Happening::Resumed => "resumed".to_owned(),
        Happening::Started { .. } => "Postroom started".to_owned(),
        Happening::Stopped => "Postroom stopped".to_owned(),
        Happening::Alert => "alert".to_owned(),
        Happening::Bulk { .. } => HappeningView::from(&event.happening).words,
        Happening::Security { what } => what.words().to_owned(),
    };
    let about = match &event.subject {
        Subject::Intake(id) => format!("intake {id}"),
        Subject::Filing(id) => format!("filing {id}"),
        Subject::WorkItem(id) => format!("work item {id}"),
        Subject::Door(name) => name.clone(),
        Subject::System => "Postroom".to_owned(),
        Subject::Person(id) => format!("person {id}"),
        Subject::Session(id) => format!("session {id}"),
        Subject::Token(id) => format!("token {id}"),
        Subject::Link(id) => format!("link {id}"),
        Subject::Service(name) => format!("service {name}"),
        Subject::Bulk(id) => format!("set of filings {id}"),
    };
    let actor = &event.actor;
    let mut who = actor.principal.clone();
    if let Some(other) = &actor.on_behalf_of {
        who = format!("{who} for {other}");
    }
    match actor.credential {
        Some(Credential::Own) => who.push_str(", with their own account"),
        Some(Credential::System) => who.push_str(", with the system account"),
        None => {}
    }
    context! { seq, at => show::time(event.at), who, what, about, note => event.note.as_str() }
}

async fn verify(request: HttpRequest, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ReadAudit)?;
    let fields = Fields::checked(&request, sent)?;
    let typed = fields.get("known").trim();
    let known: Option<Anchor> = match (typed.is_empty(), typed.parse()) {
        (true, _) => None,
        (false, Ok(anchor)) => Some(anchor),
        (false, Err(error)) => {
            let more = context! { error => format!("{error}."), field => "known", known => typed };
            return shown(&visit, StatusCode::BAD_REQUEST, &Asked::default(), more).await;
        }
    };
    let found = audit::verify(visit.app.store.as_ref(), known).await?;
    let (title, text) = match found.fault {
        None => (
            "The history is whole",
            format!("{} events were looked at; each fits the one before it.", found.checked),
        ),
        Some(fault) => (
            "The history was tampered with",
            format!("{fault}. Up to event {} everything fits.", found.head.seq),
        ),
    };
    let verdict = context! { good => found.fault.is_none(), title, text, head => found.head.to_string() };
    shown(&visit, StatusCode::OK, &Asked::default(), context! { verdict, known => typed }).await
}
