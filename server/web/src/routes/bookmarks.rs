//! The work items that a person has at hand: those they marked, and those they filed to lately.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, delete, put, web};
use postroom_api::letter::WorkItemBrief;
use postroom_api::problem::{Code, Problem};
use postroom_domain::bookmarks::{Bookmark, Bookmarks};
use postroom_domain::ids::WorkItemId;
use postroom_domain::own;
use postroom_domain::query::{FilingQuery, Window};

use super::asked::Named;
use super::letters::items_of;
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault};

/// So many of a person's newest filings are looked through for the work items they went to.
const LOOKED_THROUGH: usize = 200;
/// So many recent work items are shown of those.
const MOST_RECENT: usize = 10;
/// The work items that the caller marked.
pub(super) async fn bookmarked(app: &Shared, caller: &Allowed<File>) -> Answer<Vec<WorkItemBrief>> {
    let list: Bookmarks = match caller.principal().person {
        Some(person) => own::of(&*app.store, person).await?,
        None => return Ok(Vec::new()),
    };
    let ids = list.items.into_iter().map(|Bookmark(id)| id).collect::<Vec<_>>();
    let items = items_of(app, caller, ids).await?;
    Ok(items.iter().map(|item| WorkItemBrief::of(item, true)).collect())
}

/// The open work items that the caller filed to lately.
pub(super) async fn recent(
    app: &Shared,
    caller: &Allowed<File>,
    marked: &[WorkItemBrief],
) -> Answer<Vec<WorkItemBrief>> {
    let principal = caller.principal();
    let query = FilingQuery {
        sites: principal.sites.scope(),
        submitted_by: Some(principal.name.clone()),
        terms: Vec::new(),
    };
    let window = Window { before: None, limit: LOOKED_THROUGH };
    let filings = app.store.list_filings(&query, window, app.clock.now()).await?;
    let mut ids: Vec<WorkItemId> = Vec::new();
    for id in filings.items.iter().filter_map(|filing| filing.request.work_item) {
        if !ids.contains(&id) && ids.len() < MOST_RECENT {
            ids.push(id);
        }
    }
    let marked: BTreeSet<WorkItemId> = marked.iter().map(|it| it.work_item).collect();
    let items = items_of(app, caller, ids).await?;
    Ok(items
        .iter()
        .filter(|item| item.open)
        .map(|item| WorkItemBrief::of(item, marked.contains(&item.id)))
        .collect())
}

async fn change(app: &Shared, caller: &Allowed<File>, id: WorkItemId, keep: bool) -> Answer {
    if keep {
        super::work_items::seen(app, caller, id).await?;
    }
    let person = caller.principal().person;
    let person = person.ok_or_else(|| Fault::new(Code::Forbidden, "Only persons have bookmarks."))?;
    let marked = Bookmark(id);
    own::change(&*app.store, person, |list| {
        if keep { list.with(marked) } else { Ok(list.without(|it| *it == marked)) }
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Puts a work item on one's list of bookmarks. Doing it twice is doing it once.
#[utoipa::path(tag = "letters", operation_id = "add_bookmark", security(("token" = [])),
    params(("id" = String, Path, description = "The work item's id.")), responses(
    (status = 204, description = "It is on the list."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/work-items/{id}/bookmark")]
pub(crate) async fn add_bookmark(
    caller: Allowed<File>,
    Named(id): Named<WorkItemId>,
    app: web::Data<Shared>,
) -> Answer {
    change(&app, &caller, id, true).await
}

/// Takes a work item off one's list of bookmarks, whether it was on it or not.
#[utoipa::path(tag = "letters", operation_id = "remove_bookmark", security(("token" = [])),
    params(("id" = String, Path, description = "The work item's id.")), responses(
    (status = 204, description = "It is not on the list."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/work-items/{id}/bookmark")]
pub(crate) async fn remove_bookmark(
    caller: Allowed<File>,
    Named(id): Named<WorkItemId>,
    app: web::Data<Shared>,
) -> Answer {
    change(&app, &caller, id, false).await
}
