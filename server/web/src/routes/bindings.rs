//! The workspaces that are remembered for a work item: seen, chosen by a person, and forgotten.

use actix_web::{HttpResponse, delete, get, put, web};
use postroom_api::problem::Problem;
use postroom_api::resolve::{BindBody, BindingView, Bindings};
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::ids::{RepositoryName, WorkItemId};
use postroom_domain::person::Actor;
use postroom_domain::store::Binding;
use postroom_domain::work_item::WorkItem;

use super::asked::Named;
use super::work_items::seen;
use crate::app::Shared;
use crate::auth::{Allowed, Decide, SeeAll};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// The longest id of a workspace, in bytes.
const LONGEST: usize = 512;

/// The workspaces that are remembered for a work item.
#[utoipa::path(tag = "work items", operation_id = "list_bindings", security(("token" = [])),
    params(("id" = String, Path, description = "The work item's id.")), responses(
    (status = 200, description = "One for each repository that has one.", body = Bindings),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/work-items/{id}/bindings")]
pub(crate) async fn list_bindings(
    caller: Allowed<SeeAll>,
    Named(id): Named<WorkItemId>,
    app: web::Data<Shared>,
) -> Answer {
    seen(&app, &caller, id).await?;
    let mut items = Vec::new();
    for repository in &app.reception.rules.repositories {
        let binding = app.store.binding(id, &repository.name).await?;
        items.extend(binding.as_ref().map(BindingView::from));
    }
    Ok(HttpResponse::Ok().json(Bindings { items }))
}

/// A person says which workspace it is. A search does not replace it.
#[utoipa::path(tag = "work items", operation_id = "set_binding", security(("token" = [])), request_body = BindBody,
    params(("id" = String, Path, description = "The work item's id."),
        ("repository" = String, Path, description = "The repository's name.")), responses(
    (status = 200, description = "What is remembered now.", body = BindingView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/work-items/{id}/bindings/{repository}")]
pub(crate) async fn set_binding(
    caller: Allowed<Decide>,
    path: web::Path<(String, String)>,
    Json(body): Json<BindBody>,
    app: web::Data<Shared>,
) -> Answer {
    let (item, repository) = named(&app, &caller, path.into_inner()).await?;
    let workspace = body.workspace.trim();
    if workspace.is_empty() || workspace.len() > LONGEST || workspace.chars().any(char::is_control) {
        return Err(Fault::value("workspace", "is not an id of a workspace"));
    }
    if body.reason.trim().is_empty() {
        return Err(Fault::value("reason", "must not be blank for this"));
    }
    let actor = caller.actor();
    let binding = Binding {
        work_item: item.id,
        repository: repository.clone(),
        workspace: workspace.to_owned(),
        chosen_by: Some(actor.principal.clone()),
        at: app.clock.now(),
    };
    let note = format!("{workspace} in the repository {repository}: {}", body.reason.trim());
    let told = told(&app, &item, actor, Security::WorkspaceChosen, note);
    app.store.bind(item.id, &repository, Some(binding.clone()), Some(told)).await?;
    app.control.wake();
    Ok(HttpResponse::Ok().json(BindingView::from(&binding)))
}

/// What was remembered is forgotten: the next filing searches anew. Nothing happens when nothing was remembered.
#[utoipa::path(tag = "work items", operation_id = "clear_binding", security(("token" = [])),
    params(("id" = String, Path, description = "The work item's id."),
        ("repository" = String, Path, description = "The repository's name.")), responses(
    (status = 204, description = "Nothing is remembered."),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[delete("/api/v1/work-items/{id}/bindings/{repository}")]
pub(crate) async fn clear_binding(
    caller: Allowed<Decide>,
    path: web::Path<(String, String)>,
    app: web::Data<Shared>,
) -> Answer {
    let (item, repository) = named(&app, &caller, path.into_inner()).await?;
    if let Some(binding) = app.store.binding(item.id, &repository).await? {
        let note = format!("{} in the repository {repository}", binding.workspace);
        let told = told(&app, &item, caller.actor(), Security::WorkspaceForgotten, note);
        app.store.bind(item.id, &repository, None, Some(told)).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// The work item and the repository of an address.
async fn named(
    app: &Shared,
    caller: &Allowed<Decide>,
    (id, repository): (String, String),
) -> Answer<(WorkItem, RepositoryName)> {
    let id: WorkItemId = id.parse().map_err(|_| Fault::not_found(format_args!("work item {id}")))?;
    let item = seen(app, caller, id).await?;
    let known = app.reception.rules.repositories.iter().find(|it| it.name.as_str() == repository);
    let known = known.ok_or_else(|| Fault::not_found(format_args!("repository {repository}")))?;
    Ok((item, known.name.clone()))
}

fn told(app: &Shared, item: &WorkItem, actor: Actor, what: Security, note: String) -> NewEvent {
    NewEvent {
        at: app.clock.now(),
        site: Some(item.site.clone()),
        subject: Subject::WorkItem(item.id),
        happening: Happening::Security { what },
        actor,
        note,
    }
}
