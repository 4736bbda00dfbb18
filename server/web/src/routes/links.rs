//! Linked services and links. Linking itself begins in a browser, at `/links/{service}`.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, delete, get, post, web};
use postroom_api::decision::etag;
use postroom_api::link::{LinkList, LinkView, Links, ServiceView, Services};
use postroom_api::problem::Problem;
use postroom_domain::ids::LinkId;
use postroom_domain::person::Permission;
use postroom_domain::store::Pause;

use super::asked::{Asked, Named, Seen};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault};

/// The services that one may link an account of; all for those who look after links.
#[utoipa::path(tag = "links", operation_id = "list_services", security(("token" = [])), responses(
    (status = 200, description = "The services.", body = Services),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/services")]
pub(crate) async fn list_services(caller: Allowed<File>, app: web::Data<Shared>) -> Answer {
    let all = caller.may(Permission::ManageLinks);
    let views = app.identity.services().iter().filter_map(|service| {
        let asked = service.asked_of(&caller.principal().teams);
        (all || asked.is_some()).then(|| ServiceView::of(service, asked))
    });
    Ok(HttpResponse::Ok().json(Services { items: views.collect() }))
}

/// A link that ends within this is one that operators have to know of.
const SOON: Duration = Duration::from_hours(14 * 24);

/// The pauses that hold.
async fn pauses(app: &Shared) -> Answer<Vec<Pause>> {
    let (mut pauses, now) = (app.store.pauses().await?, app.clock.now());
    pauses.retain(|pause| pause.until.is_none_or(|until| until > now));
    Ok(pauses)
}

/// One's own links; with `all` everybody's that one looks after. Who watches without looking after them sees the system accounts, and
/// what is broken, paused or ends within two weeks.
#[utoipa::path(tag = "links", operation_id = "list_links", security(("token" = [])), params(LinkList), responses(
    (status = 200, description = "The links, without tokens.", body = Links),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/links")]
pub(crate) async fn list_links(
    caller: Allowed<File>,
    Asked(asked): Asked<LinkList>,
    app: web::Data<Shared>,
) -> Answer {
    let (people, by) = (&app.identity.people, caller.principal());
    let pauses = pauses(&app).await?;
    let mut links = Vec::new();
    if asked.all {
        let manages = caller.may(Permission::ManageLinks);
        if !(manages || caller.may(Permission::SeeAll)) {
            return Err(Fault::forbidden(&by.roles, Permission::ManageLinks));
        }
        let stopped: BTreeSet<String> = pauses.iter().map(|pause| pause.door.clone()).collect();
        for service in app.identity.services() {
            links.extend(if manages {
                people.links_at(by, &service.name).await?
            } else {
                people.watched_links(by, &service.name, SOON, &stopped).await?
            });
        }
    } else {
        links = people.own_links(by).await?;
    }
    Ok(HttpResponse::Ok()
        .json(Links { items: links.iter().map(|link| LinkView::of(link, &pauses)).collect() }))
}

/// Removes a link: what is filed for its owner waits until there is another one.
#[utoipa::path(tag = "links", operation_id = "remove_link", security(("token" = [])),
    params(("id" = String, Path, description = "The link's id.")), responses(
    (status = 204, description = "It is removed, and its tokens with it."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/links/{id}")]
pub(crate) async fn remove_link(
    caller: Allowed<File>,
    Named(id): Named<LinkId>,
    app: web::Data<Shared>,
) -> Answer {
    app.identity.people.unlink(caller.principal(), id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Says that the linked account is the right one although its e-mail is another.
#[utoipa::path(tag = "links", operation_id = "confirm_link", security(("token" = [])),
    params(("id" = String, Path, description = "The link's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The link as it is now.", body = LinkView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/links/{id}/confirm")]
pub(crate) async fn confirm_link(
    caller: Allowed<File>,
    Named(id): Named<LinkId>,
    Seen(version): Seen,
    app: web::Data<Shared>,
) -> Answer {
    let (people, by) = (&app.identity.people, caller.principal());
    let version = match version {
        Some(version) => version,
        None => people.link_seen(by, id).await?.version,
    };
    let link = people.confirm_link(by, id, version).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, etag(link.version)))
        .json(LinkView::of(&link, &pauses(&app).await?)))
}
