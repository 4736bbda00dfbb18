//! Tasks, as far as clients of the API use them.

use serde_json::json;

use super::body::text;
use super::desk::{Desk, Outcome};
use super::model::Task;
use super::sites;

/// `GET tasks/lists?siteid=`: each site has one list, whose id is the site's.
pub(super) fn lists(desk: &Desk<'_>) -> Outcome {
    let site = sites::of_parameter(desk)?;
    let count = desk.tenant.tasks.iter().filter(|task| task.list == site).count();
    let list = json!({ "listid": desk.number(site), "name": "Tasks", "count": desk.number(count as u64) });
    desk.show("lists", &json!({ "list": [list] }))
}

/// `GET tasks/status?siteid=`.
pub(super) fn status(desk: &Desk<'_>) -> Outcome {
    sites::of_parameter(desk)?;
    let status = [(1, "Not started"), (2, "Done")];
    let status = status.map(|(id, name)| json!({ "statusid": desk.number(id), "name": name }));
    desk.show("statuses", &json!({ "status": status }))
}

/// `POST tasks?tasklistid=`.
pub(super) fn create(desk: &mut Desk<'_>) -> Outcome {
    let list = desk.numeric("tasklistid").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    desk.site(list)?;
    let body = desk.body()?;
    if text(&body["title"]).is_empty() || body["priority"]["priorityid"].is_null() {
        return Err(desk.refuse(400, 411, "title and priority are required"));
    }
    let id = desk.tenant.id();
    let title = text(&body["title"]);
    desk.tenant.tasks.push(Task { list, body });
    let last = desk.tenant.tasks.last().map(|task| task.body["priority"].clone());
    desk.show("task", &json!({ "taskid": desk.number(id), "title": title, "priority": last }))
}
