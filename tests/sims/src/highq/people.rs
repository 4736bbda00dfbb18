//! Users, organisations and groups.

use serde_json::{Value, json};

use super::body::{list, text};
use super::desk::{Desk, Outcome};
use super::model::{Level, Organisation, Progress};
use super::switches::Person;
use crate::common::answer::Answer;

/// `GET organisations?domain=&searchTxt=`.
pub(super) fn organisations(desk: &Desk<'_>) -> Outcome {
    let domain = desk.param("domain").map(str::to_lowercase);
    let words = desk.param("searchTxt").map(str::to_lowercase);
    let fits = |it: &&Organisation| {
        domain.as_ref().is_none_or(|wanted| it.domains.iter().any(|own| own.eq_ignore_ascii_case(wanted)))
            && words.as_ref().is_none_or(|part| it.name.to_lowercase().contains(part))
    };
    let found = desk.tenant.organisations.iter().filter(fits);
    let found = found.map(|it| json!({ "orgid": desk.number(it.id), "name": it.name, "status": "active" }));
    desk.show("organisations", &json!({ "organisation": found.collect::<Vec<_>>() }))
}

fn administrators_only(desk: &Desk<'_>) -> Result<(), Answer> {
    if desk.person(&desk.who).is_some_and(|it| it.admin) { Ok(()) } else { Err(desk.denied()) }
}

/// `POST organisations`.
pub(super) fn create_organisation(desk: &mut Desk<'_>) -> Outcome {
    administrators_only(desk)?;
    let name = text(&desk.body()?["name"]);
    if name.is_empty() || desk.tenant.organisations.iter().any(|it| it.name == name) {
        return Err(desk.refuse(400, 409, "The name is empty or taken"));
    }
    let id = desk.tenant.id();
    desk.tenant.organisations.push(Organisation { id, name, domains: Vec::new() });
    desk.show("organisation", &json!({ "orgid": desk.number(id) }))
}

/// `POST domains?orgid=`.
pub(super) fn create_domain(desk: &mut Desk<'_>) -> Outcome {
    administrators_only(desk)?;
    let domain = text(&desk.body()?["url"]).to_lowercase();
    let id = desk.numeric("orgid").and_then(|n| u64::try_from(n).ok());
    let found = desk.tenant.organisations.iter_mut().find(|it| Some(it.id) == id);
    match found {
        Some(organisation) => organisation.domains.push(domain),
        None => return Err(desk.missing("Organisation")),
    }
    desk.show("domain", &json!({ "status": "active" }))
}

/// `GET sites/{id}/users`.
pub(super) fn in_site(desk: &Desk<'_>, site: u64) -> Outcome {
    if !desk.call.switches.list_users {
        return Err(desk.missing("Resource"));
    }
    desk.site(site)?;
    let there = |it: &&Person| desk.tenant.members.contains(&(site, it.id.clone()));
    let shown = desk.people.iter().filter(there).map(|it| {
        let mut shown = desk.shown_person(&it.id);
        shown["status"] = json!(if it.disabled { "Archived" } else { "Active" });
        shown
    });
    desk.show("users", &json!({ "user": shown.collect::<Vec<_>>() }))
}

/// `POST sites/{id}/users?sendinvitation=`: XML only; 200 whatever became of each.
pub(super) fn add(desk: &mut Desk<'_>, site: u64) -> Outcome {
    let sent = desk.xml()?;
    if desk.site_level(desk.site(site)?) < Level::Update {
        return Err(desk.denied());
    }
    let invite = desk.param("sendinvitation") != Some("false");
    let users: Vec<Value> = list(&sent["user"]).into_iter().cloned().collect();
    if users.is_empty() {
        return Err(desk.refuse(400, 410, "No user is named"));
    }
    let several = users.len() > 1 || desk.call.switches.always_progressive;
    let results: Vec<Value> =
        users.iter().enumerate().map(|(at, user)| add_one(desk, site, at + 1, user, invite)).collect();
    if !several {
        return desk.show("users", &json!({ "user": results }));
    }
    let key = format!("zJ5_{}_{}", desk.call.now, desk.tenant.progress.len());
    let polls_left = desk.call.switches.progress_polls;
    desk.tenant.progress.insert(key.clone(), Progress { polls_left, users: results });
    let body = json!({ "progressivekey": key, "progressivekeystatus": "INPROGRESS" });
    desk.show("progressivekeyresponse", &body)
}

fn add_one(desk: &mut Desk<'_>, site: u64, index: usize, user: &Value, invite: bool) -> Value {
    let email = text(&user["email"]).to_lowercase();
    let result = |id: &str, status: &str, code: u16, message: &str| {
        json!({ "index": index.to_string(), "userid": id, "email": email, "status": status,
                "statuscode": code.to_string(), "message": message })
    };
    if !email.contains('@') {
        return result("", "Failed", 400, "The e-mail is not valid");
    }
    let known = desk.people.iter().find(|it| it.email == email).map(|it| it.id.clone());
    let id = if let Some(id) = known {
        id
    } else {
        let organisation = text(&user["orgid"]).parse().ok();
        let organisation = desk.tenant.organisations.iter().find(|it| Some(it.id) == organisation);
        let domain = email.split_once('@').map(|it| it.1.to_owned()).unwrap_or_default();
        if text(&user["firstname"]).is_empty() {
            return result("", "Failed", 400, "firstname is required");
        }
        match organisation {
            None => return result("", "Failed", 404, "The organisation is not known"),
            Some(it) if !it.domains.contains(&domain) => {
                return result("", "Failed", 400, "The domain is not the organisation's");
            }
            Some(_) => {}
        }
        let id = desk.tenant.id().to_string();
        let name = format!("{} {}", text(&user["firstname"]), text(&user["lastname"])).trim().to_owned();
        desk.people.push(Person { id: id.clone(), name, email: email.clone(), ..Person::default() });
        id
    };
    if !desk.tenant.members.insert((site, id.clone())) {
        return result(&id, "Success", desk.call.switches.present_code, "User is in the site already");
    }
    if invite {
        desk.tenant.invited.push(email.clone());
    }
    result(&id, "Success", 201, "User added successfully")
}

/// `POST progressivekeystatus/{key}`.
pub(super) fn progress(desk: &mut Desk<'_>, key: &str) -> Outcome {
    let Some(progress) = desk.tenant.progress.get_mut(key) else { return Err(desk.missing("Key")) };
    let going_on = progress.polls_left > 0;
    progress.polls_left = progress.polls_left.saturating_sub(1);
    let users = if going_on { Vec::new() } else { progress.users.clone() };
    let status = if going_on { "INPROGRESS" } else { "COMPLETED" };
    let body = json!({
        "progressivekey": key, "progressivekeystatus": status, "users": { "user": users },
    });
    desk.show("progressivekeyresponse", &body)
}

/// `PUT sites/{id}/users/email`: XML only.
pub(super) fn write_to(desk: &Desk<'_>, site: u64) -> Outcome {
    let sent = desk.xml()?;
    desk.site(site)?;
    let subject = text(&sent["emailsubject"]);
    let code = if subject.is_empty() { "400" } else { "200" };
    desk.show("transactions", &json!({ "transaction": [{ "reason": subject, "statuscode": code }] }))
}

/// `GET groups` and `POST groups`.
pub(super) fn groups(desk: &mut Desk<'_>, create: bool) -> Outcome {
    if create {
        administrators_only(desk)?;
        let name = text(&desk.body()?["name"]);
        desk.tenant.groups.push(name);
    } else if desk.param("basicusergroup").is_some_and(|it| it != "true" && it != "false") {
        return Err(desk.refuse(400, 463, "basicusergroup is not valid"));
    }
    let groups = desk.tenant.groups.iter().enumerate();
    let groups = groups.map(|(at, name)| json!({ "id": (at + 1).to_string(), "name": name }));
    desk.show("groups", &json!({ "group": groups.collect::<Vec<_>>() }))
}
