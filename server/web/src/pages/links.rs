//! Linked accounts: one's own, and as an administrator the system accounts and everybody's.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use minijinja::value::merge_maps;
use minijinja::{Value, context};
use postroom_domain::desk::{DeskError, Errand};
use postroom_domain::ids::{LinkId, ServiceName};
use postroom_domain::link::{Link, LinkState, LinkedService};
use postroom_domain::person::Permission;
use serde::Deserialize;

use super::{Fields, Form, Visit, go, journey, part, show, signed_in};
use crate::fault::{Answer, Fault};

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/links", web::get().to(own))
        .route("/links/confirm/{id}", web::get().to(ask))
        .route("/links/confirm/{id}", web::post().to(confirm))
        .route("/links/remove/{id}", web::get().to(ask_to_remove))
        .route("/links/remove/{id}", web::post().to(remove))
        .route("/links/{service}", web::post().to(begin))
        .route("/admin/links", web::get().to(everybodys))
        .route("/admin/links/{service}", web::post().to(begin_system));
}

#[derive(Deserialize)]
struct Told {
    linked: Option<String>,
    removed: Option<String>,
}

/// What was done just before, as far as it is to be seen.
fn notice<'a>(told: &Told, mut links: impl Iterator<Item = &'a Link>) -> Option<String> {
    if told.removed.is_some() {
        return Some("The account is not linked any more.".to_owned());
    }
    let id: LinkId = told.linked.as_deref()?.parse().ok()?;
    let link = links.find(|it| it.id == id && it.state == LinkState::Active)?;
    Some(format!("The account {} is linked.", show::account(link)))
}

async fn own(request: HttpRequest, told: web::Query<Told>) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::File)?;
    let links = visit.people().own_links(visit.by()).await?;
    let row = |service: &LinkedService| {
        let link = links.iter().find(|it| it.service == service.name);
        let required = service.asked_of(&visit.who.person.teams);
        // A link from before is shown, so that it can be removed, also when it is not offered any more.
        if required.is_none() && link.is_none() {
            return None;
        }
        let works = link.is_some_and(|it| it.state == LinkState::Active);
        let required = required == Some(true);
        let attention = !works && (required || link.is_some());
        let of_service =
            context! { name => service.name.as_str(), title => service.title.as_str(), required, attention };
        Some(merge_maps([of_service, show::link(link)]))
    };
    let services: Vec<Value> = visit.people().services.iter().filter_map(row).collect();
    let about = context! { services, notice => notice(&told, links.iter()) };
    visit.page("links.html", "Your linked accounts", about)
}

async fn begin(request: HttpRequest, service: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    let service: ServiceName = part(&service)?;
    journey::begin_link(&visit, &service, Errand::Link(&visit.who), "/links").await
}

async fn begin_system(request: HttpRequest, service: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManageLinks)?;
    Fields::checked(&request, sent)?;
    let service: ServiceName = part(&service)?;
    journey::begin_link(&visit, &service, Errand::LinkSystem(&visit.who), "/admin/links").await
}

async fn seen(visit: &Visit, id: &str) -> Answer<Link> {
    Ok(visit.people().link_seen(visit.by(), part(id)?).await?)
}

fn title_of(visit: &Visit, link: &Link) -> String {
    visit.people().service(&link.service).map_or_else(|| link.service.to_string(), |it| it.title.clone())
}

/// The list that a link stands in for who looks at it.
fn list_of(visit: &Visit, link: &Link) -> &'static str {
    if link.person == visit.by().person && link.person.is_some() { "/links" } else { "/admin/links" }
}

fn about(visit: &Visit, link: &Link) -> Value {
    context! {
        narrow => true, id => link.id.to_string(), service => title_of(visit, link), account => show::account(link),
        account_email => (show::account(link) != link.account.email).then_some(&link.account.email),
        own_email => visit.who.person.email.as_str(), system => link.person.is_none(), owner => link.made_by.as_str(),
        own => link.person.is_some() && link.person == visit.by().person, version => link.version,
        back => list_of(visit, link),
    }
}

async fn ask(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = signed_in!(&request);
    let link = seen(&visit, &id).await?;
    if link.person.is_some() && link.person != visit.by().person {
        return Err(Fault::not_found("such link"));
    }
    if link.state != LinkState::Unconfirmed {
        return Ok(go(list_of(&visit, &link)));
    }
    visit.page("confirm.html", "Is this the right account?", about(&visit, &link))
}

async fn confirm(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    let fields = Fields::checked(&request, sent)?;
    let id: LinkId = part(&id)?;
    let version = fields.get("version").parse().map_err(|_| Fault::value("version", "is no number"))?;
    let link = match visit.people().confirm_link(visit.by(), id, version).await {
        Err(DeskError::Beyond(_)) => return Err(Fault::not_found("such link")),
        other => other?,
    };
    Ok(go(&format!("{}?linked={}", list_of(&visit, &link), link.id)))
}

async fn ask_to_remove(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = signed_in!(&request);
    let link = seen(&visit, &id).await?;
    visit.page("remove.html", "Unlink the account?", about(&visit, &link))
}

async fn remove(request: HttpRequest, id: web::Path<String>, sent: Form) -> Answer {
    let visit = signed_in!(&request);
    Fields::checked(&request, sent)?;
    let link = seen(&visit, &id).await?;
    visit.people().unlink(visit.by(), link.id).await?;
    Ok(go(&format!("{}?removed=yes", list_of(&visit, &link))))
}

async fn everybodys(request: HttpRequest, told: web::Query<Told>) -> Answer {
    let visit = signed_in!(&request);
    visit.needs(Permission::ManageLinks)?;
    let people = visit.people();
    let mut by_service = BTreeMap::new();
    for service in people.services.iter().filter(|it| it.links) {
        by_service.insert(&service.name, people.links_at(visit.by(), &service.name).await?);
    }
    let row = |service: &LinkedService| {
        let links = by_service.get(&service.name)?;
        let system = links.iter().find(|it| it.person.is_none());
        let persons: Vec<Value> =
            links.iter().filter(|it| it.person.is_some()).map(|it| show::link(Some(it))).collect();
        let attention = system.is_none_or(|it| it.state != LinkState::Active);
        let system = show::link(system);
        Some(
            context! { name => service.name.as_str(), title => service.title.as_str(), attention, system, persons },
        )
    };
    let services: Vec<Value> = people.services.iter().filter_map(row).collect();
    let notice = notice(&told, by_service.values().flatten());
    visit.page("admin_links.html", "Services and system accounts", context! { services, notice })
}
