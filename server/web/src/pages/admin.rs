//! Persons as administrators look after them, and the report of what will not work.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_domain::capability::{Finding, Level};
use postroom_domain::cause::Fixer;
use postroom_domain::desk::{DeskError, NewPerson, PersonChange};
use postroom_domain::ids::PersonId;
use postroom_domain::people::{Person, Status};
use postroom_domain::person::{Permission, Sites};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::account::mistake;
use super::{Fields, Form, Visit, go, part, show, signed_in};
use crate::fault::Answer;

/// Persons on one page.
const PAGE: usize = 50;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/admin/persons", web::get().to(persons))
        .route("/admin/persons", web::post().to(add))
        .route("/admin/persons/{id}", web::get().to(person))
        .route("/admin/persons/{id}", web::post().to(change))
        .route("/admin/persons/{id}/invitation", web::post().to(invite))
        .route("/admin/persons/{id}/unlock", web::post().to(unlock))
        .route("/admin/persons/{id}/sessions/{session}/end", web::post().to(end_session))
        .route("/admin/persons/{id}/tokens/{token}/revoke", web::post().to(revoke_token))
        .route("/admin/capabilities", web::get().to(capabilities))
        .route("/admin/capabilities", web::post().to(capabilities_now));
}

#[derive(Deserialize, Default)]
struct Asked {
    #[serde(default)]
    text: String,
    #[serde(default)]
    after: String,
}

async fn persons(request: HttpRequest, asked: web::Query<Asked>) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    let new = context! { status => "active", site => visit.by().sites.home.as_str(), role_list => ["user"] };
    list(&visit, StatusCode::OK, &asked, context! { it => new }).await
}

async fn list(visit: &Visit, status: StatusCode, asked: &Asked, more: Value) -> Answer {
    let after = if asked.after.is_empty() { None } else { Some(part::<PersonId>(&asked.after)?) };
    let (found, next) = visit.people().persons(visit.by(), &asked.text, after, PAGE).await?;
    let persons: Vec<Value> = found.iter().map(row).collect();
    let next = next.map(|id| format!("/admin/persons?text={}&after={id}", show::encoded(&asked.text)));
    let about = context! { persons, next, text => asked.text.as_str(), role_names => role_names(visit) };
    visit.page_as(status, "persons.html", "Persons", merge_maps([more, about]))
}

fn role_names(visit: &Visit) -> Vec<Value> {
    visit.people().roles.names().map(|it| it.as_str().into()).collect()
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Pending => "pending",
        Status::Disabled => "disabled",
    }
}

fn row(person: &Person) -> Value {
    let identities: Vec<Value> = person
        .identities
        .iter()
        .map(|it| context! { service => it.service.as_str(), email => it.email.as_str(), subject => it.subject.as_str() })
        .collect();
    context! {
        id => person.id.to_string(), version => person.version, name => person.name.as_str(),
        display => person.display_name.as_str(),
        email => person.email.as_str(), status => word(person.status), roles => show::list(&person.roles),
        role_list => person.roles.iter().map(|it| it.as_str().into()).collect::<Vec<Value>>(),
        site => person.sites.home.as_str(), also => show::list(&person.sites.also), all => person.sites.all,
        teams => show::list(&person.teams), last => person.last_sign_in.map_or_else(|| "never".to_owned(), show::time),
        password => if person.password.is_some() { "set" } else { "none" }, locked => person.refusals.until.is_some(),
        identities,
    }
}

/// What was typed, shown again beside the mistake.
fn typed(fields: &Fields) -> Value {
    context! {
        email => fields.get("email"), display => fields.get("display_name"), status => fields.get("status"),
        role_list => fields.all("roles").map(Value::from).collect::<Vec<_>>(), site => fields.get("site"), also => fields.get("also"),
        all => fields.get("all_sites") == "yes", teams => fields.get("teams"),
    }
}

fn bad(field: &'static str, message: &(impl ToString + ?Sized)) -> DeskError {
    DeskError::Bad { field, message: message.to_string() }
}

/// Names with commas between them.
fn names<T: std::str::FromStr<Err: ToString>, C: FromIterator<T>>(
    field: &'static str,
    text: &str,
) -> Result<C, DeskError> {
    let texts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    texts.map(|it| it.parse().map_err(|error: T::Err| bad(field, &error))).collect()
}

fn new_person(fields: &Fields) -> Result<NewPerson, DeskError> {
    let also: BTreeSet<_> = names("also", fields.get("also"))?;
    let home = fields.get("site").trim().parse().map_err(|error| bad("site", &error))?;
    let roles: Result<_, _> =
        fields.all("roles").map(|it| it.parse().map_err(|error| bad("roles", &error))).collect();
    let status = match fields.get("status") {
        "active" => Status::Active,
        "pending" => Status::Pending,
        "disabled" => Status::Disabled,
        _ => return Err(bad("status", "is none of active, pending and disabled")),
    };
    Ok(NewPerson {
        email: fields.get("email").to_owned(),
        display_name: fields.get("display_name").to_owned(),
        roles: roles?,
        sites: Sites { home, also, all: fields.get("all_sites") == "yes" },
        teams: names("teams", fields.get("teams"))?,
        status,
    })
}

async fn add(request: HttpRequest, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    let fields = Fields::checked(&request, sent)?;
    let added = match new_person(&fields) {
        Ok(new) => visit.people().add_person(visit.by(), new).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(person) => Ok(go(&format!("/admin/persons/{}", person.id))),
        Err(error) => {
            let (error, field) = mistake(error)?;
            let more = context! { it => typed(&fields), error, field };
            list(&visit, StatusCode::BAD_REQUEST, &Asked::default(), more).await
        }
    }
}

async fn person(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    one(&visit, part(&id)?, StatusCode::OK, context! {}).await
}

pub(super) async fn one(visit: &Visit, id: PersonId, status: StatusCode, more: Value) -> Answer {
    let people = visit.people();
    let person = people.person(visit.by(), id).await?;
    // Somebody who may do more is shown, and not ruled over.
    let sessions = people.sessions_of(visit.by(), &person).await;
    let tokens = people.tokens_of(visit.by(), &person).await;
    let manageable = sessions.is_ok();
    let here = visit.who.session.id;
    let about = context! {
        it => row(&person), role_names => role_names(visit), front => format!("/admin/persons/{id}"), manageable,
        session_list => show::sessions(&unless_beyond(sessions)?, Some(here)),
        token_list => show::tokens(&unless_beyond(tokens)?),
        account_list => super::dms_accounts::rows(visit, id).await?,
    };
    visit.page_as(status, "person.html", &person.display_name, merge_maps([more, about]))
}

fn unless_beyond<T>(answer: Result<Vec<T>, DeskError>) -> Answer<Vec<T>> {
    match answer {
        Err(DeskError::Beyond(_)) => Ok(Vec::new()),
        other => Ok(other?),
    }
}

async fn change(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    let fields = Fields::checked(&request, sent)?;
    let id: PersonId = part(&id)?;
    let version: Option<u64> = fields.get("version").parse().ok();
    let changed = match change_of(&fields) {
        Ok(change) => visit.people().change_person(visit.by(), id, version, change).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(_) => one(&visit, id, StatusCode::OK, context! { notice => "Saved." }).await,
        Err(error) => {
            let (error, field) = mistake(error)?;
            one(&visit, id, StatusCode::BAD_REQUEST, context! { error, field }).await
        }
    }
}

fn change_of(fields: &Fields) -> Result<PersonChange, DeskError> {
    let wanted = new_person(fields)?;
    let forget: Result<_, _> =
        fields.all("forget").map(|it| it.parse().map_err(|error| bad("forget", &error))).collect();
    Ok(PersonChange {
        email: Some(wanted.email),
        display_name: Some(wanted.display_name),
        status: Some(wanted.status),
        roles: Some(wanted.roles),
        sites: Some(wanted.sites),
        teams: Some(wanted.teams),
        forget: forget?,
    })
}

async fn invite(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    Fields::checked(&request, sent)?;
    let id: PersonId = part(&id)?;
    match visit.people().invite(visit.by(), id).await {
        Ok(made) => {
            let ends = show::time(made.invitation.expires);
            let more = context! { secret => made.url.expose_secret(), secret_ends => ends };
            one(&visit, id, StatusCode::OK, more).await
        }
        Err(error) => {
            let (error, field) = mistake(error)?;
            one(&visit, id, StatusCode::BAD_REQUEST, context! { error, field }).await
        }
    }
}

async fn unlock(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    Fields::checked(&request, sent)?;
    let person = visit.people().unlock(visit.by(), part(&id)?).await?;
    one(&visit, person.id, StatusCode::OK, context! { notice => "Unlocked." }).await
}

async fn end_session(request: HttpRequest, ids: web::Path<(String, String)>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    Fields::checked(&request, sent)?;
    visit.people().end_session(visit.by(), part(&ids.1)?).await?;
    one(&visit, part(&ids.0)?, StatusCode::OK, context! { notice => "The session is ended." }).await
}

async fn revoke_token(request: HttpRequest, ids: web::Path<(String, String)>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManagePersons)?;
    Fields::checked(&request, sent)?;
    visit.people().revoke_token(visit.by(), part(&ids.1)?).await?;
    one(&visit, part(&ids.0)?, StatusCode::OK, context! { notice => "The token is revoked." }).await
}

async fn capabilities(request: HttpRequest) -> Answer {
    let visit = signed_in!(&request);
    report(&visit, false).await
}

async fn capabilities_now(request: HttpRequest, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    report(&visit, true).await
}

async fn report(visit: &Visit, live: bool) -> Answer {
    visit.needs(Permission::Administer)?;
    let diagnosis = visit.app.identity.diagnosis.as_ref();
    let mut findings = match diagnosis {
        Some(diagnosis) => diagnosis.findings(live).await,
        None => Vec::new(),
    };
    findings.sort_by_key(|it| std::cmp::Reverse(it.level));
    let count = |level| findings.iter().filter(|it| it.level == level).count();
    let summary = match (count(Level::Bad), count(Level::Warning)) {
        _ if diagnosis.is_none() => {
            "This server looks at nothing by itself; run “postroom doctor”.".to_owned()
        }
        (0, 0) => "Everything that was looked at works.".to_owned(),
        (0, warned) => format!("Nothing is broken. Works now, but not for ever or not for all: {warned}."),
        (bad, 0) => format!("Does not work: {bad}."),
        (bad, warned) => {
            format!("Does not work: {bad}. Works now, but not for ever or not for all: {warned}.")
        }
    };
    let rows: Vec<Value> = findings.iter().map(finding).collect();
    let about = context! { findings => rows, summary, live, can_ask => diagnosis.is_some() };
    visit.page("capabilities.html", "What works, and what does not", about)
}

fn finding(it: &Finding) -> Value {
    let (level, level_text) = match it.level {
        Level::Good => ("good", "Works"),
        Level::Warning => ("warning", "Works now, but not for ever or not for all"),
        Level::Bad => ("bad", "Does not work"),
    };
    let fixer = match it.fixer {
        Fixer::Nobody => "nobody needs to: time mends it",
        Fixer::DmsTeam => "the team that runs the document system",
        Fixer::Administrator => "Postroom's administrator",
        Fixer::Operator => "the operator at the console",
        Fixer::AccountOwner => "the person whose account it is",
    };
    context! {
        about => it.about.as_str(), subject => it.subject.as_str(), detail => it.detail.as_str(),
        advice => it.advice.as_str(), level, level_text, fixer,
    }
}
