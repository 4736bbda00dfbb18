//! `POST /resolve`: where documents of a work item would go, step by step. Nothing is made, remembered or filed.

use actix_web::{HttpResponse, post, web};
use postroom_api::intake::NeedsView;
use postroom_api::problem::Problem;
use postroom_api::resolve::{RepositoryView, ResolveAnswer, ResolveBody, ResolverView};
use postroom_domain::cause::Cause;
use postroom_domain::dms::Trouble;
use postroom_domain::person::Permission;
use postroom_domain::plan::{Plan, Rules, Served};
use postroom_domain::repository::Area;
use postroom_domain::resolve::{Look, LookAt};
use postroom_domain::work_item::WorkItem;

use crate::app::Shared;
use crate::auth::{Allowed, SeeAll};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// Where documents of a work item would go.
#[utoipa::path(tag = "work items", operation_id = "resolve", security(("token" = [])), request_body = ResolveBody, responses(
    (status = 200, description = "Every step with its answer.", body = ResolveAnswer),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/resolve")]
pub(crate) async fn resolve(
    caller: Allowed<SeeAll>,
    Json(body): Json<ResolveBody>,
    app: web::Data<Shared>,
) -> Answer {
    let area = if body.area.is_empty() { Area::MatterDocuments.as_str() } else { &body.area };
    if let Err(why) = area.parse::<Area>() {
        return Err(Fault::value("area", why));
    }
    if let Some(name) = &body.repository
        && !app.reception.rules.repositories.iter().any(|repository| repository.name == *name)
    {
        return Err(Fault::value("repository", format!("there is no repository \"{name}\"")));
    }
    let item = found(&app, &caller, &body.work_item).await?;
    let rules = &app.reception.rules;
    let documents = body.file_names.len().max(1);
    let planned = rules.plan_in(&item.reference, Some(&item), area, body.repository.as_ref(), documents);
    let plan = planned.plan.as_ref().ok();
    let repository = served(rules, &item, area, &body).map(|served| view(served, plan));
    let needs = planned.plan.as_ref().err().map(NeedsView::from);
    let mut answer = ResolveAnswer::planned(repository, needs, planned.trace);
    if let Some(plan) = plan {
        let person = body.person.clone().unwrap_or_else(|| caller.principal().name.clone());
        let at = LookAt { target: plan.target.clone(), work_item: Some(item.id), person };
        let look = app.control.look(at).await.unwrap_or_else(|| nowhere(plan));
        answer = answer.looked(&look, caller.may(Permission::Decide)).held_against(plan, &body.file_names);
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// The work item that is meant, where the caller may see it: by id in any of their sites, by reference in their own first.
pub(super) async fn found<P>(app: &Shared, caller: &Allowed<P>, given: &str) -> Answer<WorkItem> {
    if given.trim().is_empty() {
        return Err(Fault::value("work_item", "must not be blank"));
    }
    let sites = &caller.principal().sites;
    let found = match given.parse() {
        Ok(id) => app.store.work_item(id).await?,
        Err(_) => {
            let mut found = None;
            for site in std::iter::once(&sites.home).chain(&sites.also) {
                found = app.store.work_item_by_reference(site, given).await?;
                if found.is_some() {
                    break;
                }
            }
            found
        }
    };
    let found = found.filter(|item| sites.has(&item.site));
    found.ok_or_else(|| Fault::not_found(format_args!("work item \"{given}\"")))
}

fn served<'a>(rules: &'a Rules, item: &WorkItem, area: &str, body: &ResolveBody) -> Option<Served<'a>> {
    match &body.repository {
        None => rules.served(area.parse().ok()?, &item.work_type),
        Some(name) => {
            let repository = rules.repositories.iter().find(|repository| repository.name == *name)?;
            Some(Served { repository, by: repository.work_type.as_deref() })
        }
    }
}

fn view(served: Served<'_>, plan: Option<&Plan>) -> RepositoryView {
    let repository = served.repository;
    RepositoryView {
        name: repository.name.clone(),
        work_type: served.by.map(str::to_owned),
        destination: repository.service.clone(),
        library: plan.map_or_else(|| repository.library.clone(), |plan| plan.target.library.clone()),
        resolver: ResolverView::of(repository, plan.map(|plan| &plan.target.workspace)),
        save_mode: repository.save_mode,
        profile: plan.map(|plan| plan.target.profile.clone()).unwrap_or_default(),
    }
}

/// What is told of a destination that nobody files at.
fn nowhere(plan: &Plan) -> Look {
    let detail = format!("nothing runs that files at {}", plan.target.service);
    let trouble = Trouble::new(Cause::Misconfigured, detail.clone());
    Look { trouble: Some(trouble), trace: vec![detail], ..Look::default() }
}
