//! Sites: lists and one by one.

use serde_json::{Value, json};

use super::desk::{Desk, Outcome};
use super::model::{Level, Site, SiteStatus};
use super::render::day;
use crate::common::answer::Answer;

/// `GET sites`.
pub(super) fn list(desk: &Desk<'_>) -> Outcome {
    let by = desk.param("filterby").unwrap_or("recent");
    if !["recent", "favourite", "category", "all"].contains(&by) {
        return Err(desk.refuse(400, 400, "filterby is not valid"));
    }
    let status = desk.param("status").map(str::to_lowercase);
    let name = desk.param("name").map(str::to_lowercase);
    let drive = desk.param("callFrom") == Some("HIGHQDRIVE");
    let fits = |site: &&Site| {
        let state = match status.as_deref() {
            Some(wanted) => site.status.shown().eq_ignore_ascii_case(wanted),
            None => desk.call.switches.all_statuses || site.status == SiteStatus::Active,
        };
        state
            && desk.site_level(site) > Level::None
            && (by != "recent" || site.recent_of.contains(&desk.who))
            && (by != "favourite" || site.favourite_of.contains(&desk.who))
            && !(drive && site.restricted)
            && name.as_ref().is_none_or(|part| site.name.to_lowercase().contains(part))
    };
    let mut found: Vec<&Site> = desk.tenant.sites.values().filter(fits).collect();
    if name.is_some() {
        found.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let count = match by {
        "all" => usize::MAX,
        _ => desk.numeric("returncount").and_then(|n| usize::try_from(n).ok()).unwrap_or(20),
    };
    let shown: Vec<Value> = found.into_iter().take(count).map(|site| shown(desk, site)).collect();
    desk.show("sites", &json!({ "site": shown }))
}

/// `GET sites/{id}`.
pub(super) fn one(desk: &Desk<'_>, id: u64) -> Outcome {
    let site = desk.site(id)?;
    desk.show("site", &shown(desk, site))
}

fn shown(desk: &Desk<'_>, site: &Site) -> Value {
    let sheet = desk.tenant.sheets.values().find(|it| it.site == site.id && it.kind == "documentmetadata");
    let level = desk.site_level(site);
    let permission = match level {
        Level::None | Level::View => "VIEW",
        Level::Update => "UPDATE",
        Level::Admin => "ADMIN",
    };
    let flag = |on: bool| json!({ "@enable": if on { "1" } else { "0" } });
    json!({
        "id": desk.number(site.id), "sitename": site.name,
        "role": if level == Level::Admin { "SITE_ADMIN" } else { "" },
        "sitefolderID": desk.number(site.root), "sitefolderpermission": permission,
        "categories": { "category": [{ "id": "1", "name": "None" }] },
        "module": { "document": flag(true), "task": flag(true), "isheet": flag(sheet.is_some()) },
        "clientno": site.client, "matterno": site.matter, "status": site.status.shown(),
        "createddate": day(site.created), "size": "49.34MB",
        "file": { "permissionlevel": "SITE_AND_FOLDERS" },
        "sitemetadatasheetid": sheet.map(|it| desk.number(it.id)),
        "documentMetadataViewId": sheet.map(|it| desk.number(it.view)),
        // whoever asks: this is not who one is
        "siteowner": { "userid": "1807", "firstname": "Work", "lastname": "Admin", "email": "w.admin@firm.example" },
    })
}

/// The site of a parameter.
pub(super) fn of_parameter(desk: &Desk<'_>) -> Result<u64, Answer> {
    let id = desk.numeric("siteid").and_then(|n| u64::try_from(n).ok());
    desk.site(id.unwrap_or(0)).map(|site| site.id)
}
