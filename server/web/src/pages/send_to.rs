//! Coming from a DMS: documents to send, or a folder to start from. One window of any size, without scripts.
//!
//! What the DMS sends, by a link or by a form from its own pages, may come from anywhere and is not believed: the ids in it are taken out,
//! and the browser is sent to a page whose address holds nothing but them. That page is opened with the session, makes a ticket, and goes
//! on to it.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_domain::desk::Errand;
use postroom_domain::filing::State;
use postroom_domain::handed::{self, Purpose, Recognised};
use postroom_domain::ids::{ServiceName, TicketId};
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::link::Refusal;
use postroom_domain::person::Permission;
use postroom_domain::places::PlacesError;
use postroom_domain::send_to::{Because, Choice, Matching, Seen, SeenPlace, SeenThing, SendError};
use postroom_domain::ticket::{NewTicket, Order};
use postroom_domain::work_item::WorkItem;

use super::{Fields, Form, Visit, app, go, journey, part, signed_in, templates};
use crate::auth::session_holder;
use crate::fault::{Answer, Fault};
use crate::headers;
use crate::routes::tickets;
use crate::texts::Language;

/// The largest body that a DMS hands over, in bytes.
const LARGEST: usize = 64 << 10;
/// The longest text that is typed.
const LONGEST: usize = 200;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(LARGEST))
        .route("/send-to/{service}", web::get().to(documents))
        .route("/send-to/{service}", web::post().to(documents_by_form))
        .route("/launch/{service}", web::get().to(folder))
        .route("/launch/{service}", web::post().to(folder_by_form))
        .route("/launch/{service}/{tail:.*}", web::get().to(folder))
        .route("/launch/{service}/{tail:.*}", web::post().to(folder_by_form))
        .route("/tickets/{id}", web::get().to(show))
        .route("/tickets/{id}", web::post().to(send))
        .route("/tickets/{id}/link", web::post().to(link));
}

async fn documents(request: HttpRequest) -> Answer {
    come(&request, Purpose::SendTo).await
}

async fn folder(request: HttpRequest) -> Answer {
    come(&request, Purpose::Launch).await
}

async fn documents_by_form(request: HttpRequest, body: web::Bytes) -> Answer {
    redirected(&request, Purpose::SendTo, &body)
}

async fn folder_by_form(request: HttpRequest, body: web::Bytes) -> Answer {
    redirected(&request, Purpose::Launch, &body)
}

/// What came, taken apart.
struct Came {
    service: ServiceName,
    found: Recognised,
}

fn pairs(text: &str) -> Vec<(String, String)> {
    web::Query::<Vec<(String, String)>>::from_query(text).map(web::Query::into_inner).unwrap_or_default()
}

/// Finds ids in everything that a request holds.
fn taken(request: &HttpRequest, body: &[u8]) -> Answer<Came> {
    let app = app(request)?;
    let given = request.match_info().query("service");
    let (service, vendor) = tickets::service(&app, given).ok_or_else(|| Fault::not_found("such page"))?;
    let mut parameters = pairs(request.query_string());
    parameters.retain(|(name, _)| name != "lang");
    let tail = request.match_info().query("tail").trim_matches('/');
    if !tail.is_empty() {
        parameters.push(("folder".to_owned(), tail.to_owned()));
    }
    let form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"));
    let text = String::from_utf8_lossy(body);
    if form {
        parameters.extend(pairs(&text));
    } else if !text.trim().is_empty() {
        // Whatever it is, ids in it have their shape.
        parameters.push(("body".to_owned(), text.into_owned()));
    }
    let found = handed::recognise(vendor, parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    tickets::tell_strangers(&service, &found.strangers);
    Ok(Came { service, found })
}

/// A form from a DMS's pages: no cookie is looked at, and nothing happens but that the browser goes to the page of the ids.
fn redirected(request: &HttpRequest, purpose: Purpose, body: &[u8]) -> Answer {
    let Came { service, found } = taken(request, body)?;
    let more = found.more;
    let things = found.wanted(purpose);
    if things.is_empty() {
        return nothing(request, purpose);
    }
    Ok(go(&address(request, purpose, &service, &things, more)))
}

/// The page's own address. What was left out is told, too.
fn address(
    request: &HttpRequest,
    purpose: Purpose,
    service: &ServiceName,
    things: &[handed::Handed],
    more: bool,
) -> String {
    let mut address = handed::address(purpose, service.as_str(), things);
    let asked = pairs(request.query_string());
    if more || asked.iter().any(|(name, _)| name == "more") {
        address.push_str("&more=yes");
    }
    if let Some(language) =
        asked.iter().find(|(name, _)| name == "lang").and_then(|it| Language::of_tag(&it.1))
    {
        address.push_str("&lang=");
        address.push_str(language.tag());
    }
    address
}

async fn come(request: &HttpRequest, purpose: Purpose) -> Answer {
    let Came { service, found } = taken(request, &[])?;
    let more = found.more;
    let things = found.wanted(purpose);
    if things.is_empty() {
        return nothing(request, purpose);
    }
    let address = address(request, purpose, &service, &things, more);
    if is_framed(request) {
        return framed(request, &address);
    }
    let Ok(visit) = Visit::of(request).await? else {
        // Back here with the ids, and nothing else of what came.
        return Ok(go(&format!("/auth/sign-in?then={}", super::show::encoded(&address))));
    };
    visit.needs(Permission::File)?;
    let new = NewTicket { service, purpose, things };
    let ticket = visit.app.send_to.begin(visit.by(), &session_holder(&visit.who), new).await?;
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let kept: Vec<String> = pairs(query)
        .into_iter()
        .filter(|(name, _)| name == "lang" || name == "more")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok(go(&format!("/tickets/{}{query}", ticket.id)))
}

/// Whether a page of somebody else's shows it in a frame: then no cookie comes along, and nobody may be made to click.
fn is_framed(request: &HttpRequest) -> bool {
    let fetched = request.headers().get("sec-fetch-dest").and_then(|it| it.to_str().ok()).unwrap_or_default();
    matches!(fetched, "iframe" | "frame" | "embed" | "object")
}

/// What every page here is shown with: its language, and texts.
fn said(request: &HttpRequest) -> (Language, Value) {
    let language = Language::of(request, request.query_string());
    let texts: std::collections::BTreeMap<&str, &str> = language
        .below(&["send."])
        .into_iter()
        .map(|(key, text)| (key.trim_start_matches("send."), text))
        .collect();
    (language, context! { lang => language.tag(), t => texts })
}

/// A text with values in it.
fn filled(language: Language, key: &str, values: &[(&str, &str)]) -> String {
    // One pass, so that a value that looks like a place for another one stays text.
    let (mut text, mut rest) = (String::new(), language.text(key));
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else { break };
        text.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    text + rest
}

/// In a frame there is only the way out of it.
fn framed(request: &HttpRequest, address: &str) -> Answer {
    let app = app(request)?;
    let (language, texts) = said(request);
    let about = merge_maps([context! { address }, texts]);
    let title = language.text("send.title");
    let mut page = templates::page(&app, StatusCode::OK, "send_frame.html", title, None, about)?;
    let ancestors = if app.frames.is_empty() { "'none'".to_owned() } else { app.frames.join(" ") };
    let policy = headers::PAGE.replace("frame-ancestors 'none'", &format!("frame-ancestors {ancestors}"));
    let policy = HeaderValue::from_str(&policy).map_err(|_| Fault::internal("a policy cannot be written"))?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

/// There was no id in it.
fn nothing(request: &HttpRequest, purpose: Purpose) -> Answer {
    let app = app(request)?;
    let (language, texts) = said(request);
    let key = match purpose {
        Purpose::SendTo => "send.no_documents",
        Purpose::Launch => "send.no_folder",
    };
    let about = merge_maps([context! { error => language.text(key) }, texts]);
    let title = language.text("send.did_not_work");
    templates::page(&app, StatusCode::BAD_REQUEST, "send_problem.html", title, None, about)
}

async fn show(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::File)?;
    let id: TicketId = part(&id)?;
    let asked = pairs(request.query_string());
    let get = |name: &str| asked.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let holder = session_holder(&visit.who);
    match visit.app.send_to.ticket(visit.by(), &holder, id).await {
        Ok(ticket) => {
            if let Some(order) = ticket.order.filter(|order| order.done) {
                return done(&visit, &order).await;
            }
        }
        Err(error) => return problem(&visit, id, error),
    }
    let words: String = get("search").chars().take(LONGEST).collect();
    let typed =
        Typed { words: &words, chosen: get("to"), title: "", more: get("more") == "yes", error: None };
    shown(&visit, id, &typed).await
}

/// What somebody has typed or chosen so far.
struct Typed<'a> {
    words: &'a str,
    chosen: &'a str,
    title: &'a str,
    more: bool,
    error: Option<&'a str>,
}

async fn shown(visit: &Visit, id: TicketId, typed: &Typed<'_>) -> Answer {
    let seen = match visit.app.send_to.look(visit.by(), &session_holder(&visit.who), id, typed.words).await {
        Ok(seen) => seen,
        Err(error) => return problem(visit, id, error),
    };
    let (language, texts) = said(&visit.request);
    let launch = seen.ticket.purpose == Purpose::Launch;
    let sendable = seen.documents().count();
    if !launch && sendable == 0 {
        return problem(visit, id, SendError::NothingToSend);
    }
    if launch && seen.folder.is_none() {
        return problem(visit, id, SendError::Places(PlacesError::NotFound));
    }
    let options = options(&seen, typed, language);
    let title = match (launch, sendable) {
        (true, _) => language.text("send.launch_title").to_owned(),
        (false, 1) => language.text("send.title").to_owned(),
        (false, number) => filled(language, "send.title_many", &[("number", &number.to_string())]),
    };
    let about = context! {
        id => id.to_string(), launch, things => things(&seen, language), hidden => hidden(&seen, language),
        place => place_line(&seen), folder_link => seen.folder.as_ref().and_then(|it| it.link.clone()),
        closed => launch && [&seen.folder, &seen.workspace].into_iter().flatten().any(|it| !it.open), several => seen.several_workspaces,
        client => client_line(&seen), matter => matter_line(&seen, launch), more => typed.more, words => typed.words,
        found_none => !typed.words.trim().is_empty() && seen.found.is_empty(), new_title => usual_title(&seen, typed),
        error => typed.error, nothing_open => options.nothing, matches => options.matches, found => options.found,
        workflows => options.workflows, collections => options.collections, closed_ones => options.closed,
        form_token => visit.form_token(), who => visit.who.person.email.as_str(),
    };
    let status = if typed.error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    templates::page(&visit.app, status, "send_to.html", &title, None, merge_maps([about, texts]))
}

/// What can be chosen, with one of it chosen already where that is plain.
struct Options {
    matches: Vec<Value>,
    found: Vec<Value>,
    workflows: Vec<Value>,
    collections: Vec<Value>,
    closed: Vec<String>,
    /// There is nothing to choose.
    nothing: bool,
}

fn options(seen: &Seen, typed: &Typed<'_>, language: Language) -> Options {
    let launch = seen.ticket.purpose == Purpose::Launch;
    let open: Vec<&Matching> = seen.matches.iter().filter(|it| it.item.open).collect();
    let chosen = if !typed.chosen.is_empty() {
        typed.chosen.to_owned()
    } else if launch {
        match seen.workflows.as_slice() {
            [only] => format!("workflow/{}", only.name),
            _ => String::new(),
        }
    } else {
        match (open.as_slice(), seen.found.as_slice()) {
            (_, [first, ..]) => format!("item/{}", first.id),
            ([only], []) => format!("item/{}", only.item.id),
            _ => String::new(),
        }
    };
    let option = |value: String, text: &str, help: String| {
        context! { checked => value == chosen, value, text, help }
    };
    let item = |item: &WorkItem, help: String| option(format!("item/{}", item.id), &line(item), help);
    let because = |it: &Matching| {
        let key = match it.because {
            Because::Origin => "send.because_origin",
            Because::Remembered => "send.because_remembered",
            Because::Fields => "send.because_fields",
        };
        language.text(key).to_owned()
    };
    let known = |it: &&WorkItem| !open.iter().any(|other| other.item.id == it.id);
    let (matches, found, collections) = if launch {
        (Vec::new(), Vec::new(), Vec::new())
    } else {
        (
            open.iter().map(|it| item(&it.item, because(it))).collect(),
            seen.found.iter().filter(known).map(|it| item(it, it.client.name.clone())).collect(),
            seen.collections
                .iter()
                .map(|it| option(format!("collection/{}", it.name), &it.title, String::new()))
                .collect::<Vec<_>>(),
        )
    };
    let workflow = |it: &postroom_domain::send_to::Workflow| {
        option(format!("workflow/{}", it.name), &it.title, String::new())
    };
    let workflows: Vec<Value> = seen.workflows.iter().map(workflow).collect();
    // On a folder's page nothing is sent: it is told what was started there before.
    let told =
        seen.matches.iter().filter(|it| if launch { it.because == Because::Origin } else { !it.item.open });
    Options {
        nothing: workflows.is_empty() && launch,
        closed: told.map(|it| line(&it.item)).collect(),
        matches,
        found,
        workflows,
        collections,
    }
}

fn line(item: &WorkItem) -> String {
    format!("{} {}", item.reference, item.title)
}

fn things(seen: &Seen, language: Language) -> Vec<Value> {
    let row = |thing: &SeenThing| match thing {
        SeenThing::Document { document, link } => {
            let version =
                document.version.as_deref().map(|it| filled(language, "send.version", &[("version", it)]));
            Some(context! { name => document.name.as_str(), version, link => link.as_deref() })
        }
        _ => None,
    };
    seen.things.iter().filter_map(row).collect()
}

/// What cannot be sent, each with why.
fn hidden(seen: &Seen, language: Language) -> Vec<String> {
    let row = |thing: &SeenThing| match thing {
        SeenThing::Hidden { id } => Some(filled(language, "send.hidden", &[("id", id)])),
        SeenThing::Trouble { id, .. } => Some(filled(language, "send.trouble", &[("id", id)])),
        SeenThing::Container(place) if seen.ticket.purpose == Purpose::SendTo => {
            Some(filled(language, "send.no_document", &[("name", &place.name)]))
        }
        SeenThing::Document { document, .. } if seen.ticket.purpose == Purpose::Launch => {
            Some(filled(language, "send.no_container", &[("name", &document.name)]))
        }
        SeenThing::Document { .. } | SeenThing::Container(_) => None,
    };
    seen.things.iter().filter_map(row).collect()
}

fn place_line(seen: &Seen) -> Option<String> {
    let names = |place: &Option<SeenPlace>| place.as_ref().map(|it| it.name.clone());
    let (workspace, folder) = (names(&seen.workspace), names(&seen.folder));
    match (workspace, folder) {
        (Some(workspace), Some(folder))
            if seen.workspace.as_ref().map(|it| &it.id) != seen.folder.as_ref().map(|it| &it.id) =>
        {
            Some(format!("{workspace} / {folder}"))
        }
        (Some(one), _) | (None, Some(one)) => Some(one),
        (None, None) => None,
    }
}

fn client_line(seen: &Seen) -> Option<String> {
    let first = seen.matches.first().map(|it| &it.item.client);
    let number = seen.told.client.as_deref().or(first.map(|it| it.reference.as_str()));
    let name = seen.told.client_name.as_deref().or(first.map(|it| it.name.as_str()));
    let parts: Vec<&str> = [number, name].into_iter().flatten().filter(|it| !it.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The matter, where it does not stand among the choices.
fn matter_line(seen: &Seen, launch: bool) -> Option<String> {
    if !launch && seen.matches.iter().any(|it| it.item.open) {
        return None;
    }
    let mut matters = seen.matches.iter().filter(|it| it.because != Because::Origin);
    let values: Vec<&str> = seen.told.attributes.values().map(String::as_str).collect();
    let told = seen.told.reference.clone().or_else(|| matters.next().map(|it| line(&it.item)));
    told.or_else(|| (!values.is_empty()).then(|| values.join(" ")))
}

fn usual_title(seen: &Seen, typed: &Typed<'_>) -> String {
    if !typed.title.is_empty() {
        return typed.title.to_owned();
    }
    let document =
        seen.documents().next().map(|it| it.name.rsplit_once('.').map_or(it.name.as_str(), |(stem, _)| stem));
    let title = document.or(seen.folder.as_ref().map(|it| it.name.as_str())).unwrap_or_default();
    title.chars().filter(|c| !c.is_control()).take(150).collect()
}

async fn send(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::File)?;
    let fields = Fields::checked(&request, sent)?;
    let id: TicketId = part(&id)?;
    let (to, title) = (fields.get("to"), fields.get("title"));
    let title: String = title.chars().take(LONGEST).collect();
    let language = Language::of(&request, request.query_string());
    let typed = |error| Typed { words: fields.get("search"), chosen: to, title: &title, more: false, error };
    let choice = match to.split_once('/') {
        Some(("item", item)) => Choice::WorkItem(item.to_owned()),
        Some(("workflow", name)) => Choice::Workflow { name: name.to_owned(), title: title.clone() },
        Some(("collection", name)) => Choice::Collection(name.to_owned()),
        _ => return shown(&visit, id, &typed(Some(language.text("send.choose")))).await,
    };
    match visit.app.send_to.send(visit.by(), &session_holder(&visit.who), id, choice).await {
        Ok(_) => {
            visit.app.control.wake();
            Ok(go(&format!("/tickets/{id}?lang={}", language.tag())))
        }
        Err(SendError::Choose(_)) => {
            shown(&visit, id, &typed(Some(language.text("send.choose_another")))).await
        }
        Err(error) => problem(&visit, id, error),
    }
}

/// What became of it.
async fn done(visit: &Visit, order: &Order) -> Answer {
    let (language, texts) = said(&visit.request);
    let app = &visit.app;
    let intake = match order.intake {
        Some(id) => app.store.intake(id).await?,
        None => None,
    };
    let filings = match order.intake {
        Some(id) => app.store.intake_filings(id).await?,
        None => Vec::new(),
    };
    let rows: Vec<Value> = filings
        .iter()
        .map(|it| {
            let receipt = it.progress.receipt.as_ref();
            context! {
                name => it.request.file_name.as_str(), state => language.text(state_key(it.progress.state)),
                bad => it.progress.state == State::Failed, link => receipt.and_then(|it| it.link.clone()),
            }
        })
        .collect();
    let waits = intake.as_ref().filter(|_| rows.is_empty()).map(|it| waiting(it, language));
    let settled = intake.as_ref().is_none_or(|it| it.state == IntakeState::Settled);
    let title = language.text(if order.workflow.is_some() { "send.started" } else { "send.sent" });
    let about = context! {
        reference => order.reference.as_str(), item_title => order.title.as_str(), rows, waits, settled,
        started => order.workflow.is_some(), id => visit.request.match_info().query("id"),
        who => visit.who.person.email.as_str(),
    };
    templates::page(app, StatusCode::OK, "send_done.html", title, None, merge_maps([about, texts]))
}

fn waiting(intake: &Intake, language: Language) -> String {
    let key = if intake.needs.is_some() { "send.state_person" } else { "send.state_on_its_way" };
    language.text(key).to_owned()
}

const fn state_key(state: State) -> &'static str {
    match state {
        State::Filed => "send.state_filed",
        State::Duplicate => "send.state_duplicate",
        State::Failed => "send.state_failed",
        State::Cancelled => "send.state_cancelled",
        State::Blocked => "send.state_blocked",
        _ => "send.state_on_its_way",
    }
}

/// Sets out to link the person's account, and comes back to the ticket.
async fn link(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    let id: TicketId = part(&id)?;
    let ticket = visit.app.send_to.ticket(visit.by(), &session_holder(&visit.who), id).await?;
    journey::begin_link(&visit, &ticket.service, Errand::Link(&visit.who), &format!("/tickets/{id}")).await
}

/// Why it does not go on, with what the person can do.
fn problem(visit: &Visit, id: TicketId, error: SendError) -> Answer {
    let (language, texts) = said(&visit.request);
    let mut linkable = false;
    let (status, key) = match &error {
        SendError::Store(_) | SendError::Spool(_) => return Err(error.into()),
        SendError::NoTicket => (StatusCode::NOT_FOUND, "send.no_ticket"),
        SendError::NoIds => (StatusCode::BAD_REQUEST, "send.no_documents"),
        SendError::NotAPerson => (StatusCode::FORBIDDEN, "send.not_person"),
        SendError::NothingToSend | SendError::Places(PlacesError::NotFound) => {
            (StatusCode::NOT_FOUND, "send.nothing_readable")
        }
        SendError::Choose(_) => (StatusCode::BAD_REQUEST, "send.choose_another"),
        SendError::Paused(_) => (StatusCode::SERVICE_UNAVAILABLE, "send.paused"),
        SendError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "send.too_large"),
        SendError::Gone(_) => (StatusCode::NOT_FOUND, "send.gone"),
        SendError::Places(PlacesError::Refused(refusal)) => match refusal {
            Refusal::NoSystemAccount | Refusal::SystemLinkBroken => (StatusCode::CONFLICT, "send.no_account"),
            Refusal::Denied => (StatusCode::NOT_FOUND, "send.nothing_readable"),
            Refusal::LinkBroken | Refusal::LinkRequired | Refusal::LinkNeeded | Refusal::Unsure => {
                linkable = true;
                (StatusCode::CONFLICT, "send.link_needed")
            }
        },
        SendError::Places(PlacesError::Busy { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "send.busy"),
        SendError::Places(PlacesError::Slow) => (StatusCode::GATEWAY_TIMEOUT, "send.slow"),
        SendError::Places(_) => (StatusCode::BAD_GATEWAY, "send.failed"),
    };
    if status.is_server_error() {
        tracing::warn!(ticket.id = %id, %error, "What a DMS handed over could not be shown or sent.");
    }
    let over = matches!(error, SendError::NoTicket | SendError::NoIds | SendError::NotAPerson);
    let about = context! {
        error => language.text(key), id => id.to_string(), over, linkable, title_link => linkable,
        form_token => visit.form_token(), who => visit.who.person.email.as_str(),
    };
    let title = language.text(if linkable { "send.link_title" } else { "send.did_not_work" });
    templates::page(&visit.app, status, "send_problem.html", title, None, merge_maps([about, texts]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_a_value() {
        let text = filled(Language::English, "send.hidden", &[("id", "{id}<b>{x}")]);
        assert!(text.contains("{id}<b>{x}"), "{text}");
    }
}
