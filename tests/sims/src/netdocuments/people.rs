//! Users, groups, cabinets and who is in them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::access::{Caller, in_cabinet, name_of, sees};
use super::model::{Attribute, Cabinet, Group, Rights};
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::switches::{AttributeKeys, Person, Switches};
use crate::common::core::{Call, Core, World};
use crate::common::params::Params;

fn user(world: &World<NetDocuments>, person: &Person) -> Value {
    let cabinet = world.vendor.tenant.cabinets.first().map(|it| it.id.clone());
    json!({
        "id": person.id, "displayName": person.name, "email": person.email, "organization": "Firm LLP",
        "isRepositoryMember": !person.external, "primaryCabinet": cabinet, "sortLookupBy": "key",
        "external": person.external,
    })
}

/// `GET /v1/User/info` and `GET /v1/User/{id}/info`.
pub(super) fn info(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    if caller.id.is_empty() {
        return Ok(Reply::data("user", json!({})));
    }
    let person = match route.ids.first() {
        Some(id) => world.find(id).ok_or_else(|| Fail::missing("user", call.switches))?,
        None => caller,
    };
    Ok(Reply::data("user", user(&world, person)))
}

fn cabinet_json(world: &World<NetDocuments>, cabinet: &Cabinet) -> Value {
    let tenant = &world.vendor.tenant;
    let mut body = json!({
        "id": cabinet.id, "name": cabinet.name, "repositoryId": tenant.repository,
        "repositoryName": tenant.repository_name, "wsAttrNum": cabinet.ws_attr,
        "isCollaborationSpacesEnabled": "true",
    });
    if cabinet.ws_org_attr != 0 {
        body["wsOrgAttrNum"] = json!(cabinet.ws_org_attr);
    }
    body
}

/// `GET /v1/User/cabinets`.
pub(super) fn cabinets(core: &Core<NetDocuments>, call: &Call<'_, NetDocuments>, caller: &Caller) -> Reply {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let mine = tenant.cabinets.iter().filter(|it| sees(in_cabinet(tenant, caller, &it.id)));
    let all: Value = mine.map(|it| cabinet_json(&world, it)).collect();
    let json = call.request.wants_json();
    Reply::data("cabinets", if json { all } else { json!({ "cabinet": all }) })
}

fn visible<'w>(
    world: &'w World<NetDocuments>,
    caller: &Caller,
    id: &str,
    switches: &Switches,
) -> Result<&'w Cabinet> {
    let tenant = &world.vendor.tenant;
    let found = tenant.cabinet(id).filter(|it| sees(in_cabinet(tenant, caller, &it.id)));
    found.ok_or_else(|| Fail::missing("cabinet", switches))
}

/// `GET /v1/Cabinet/{NG}/info`.
pub(super) fn cabinet(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let found = visible(&world, caller, route.id(0), call.switches)?;
    Ok(Reply::data("cabinet", cabinet_json(&world, found)))
}

fn attribute(it: &Attribute, keys: AttributeKeys) -> Value {
    match keys {
        AttributeKeys::Id => json!({
            "id": it.number, "name": it.name, "type": "text", "required": it.required, "lookup": it.lookup,
            "parentAttrNum": it.parent,
        }),
        AttributeKeys::AttrNum => json!({
            "attrNum": it.number, "description": it.name, "isRequired": it.required, "isLookup": it.lookup,
            "parentAttrNum": it.parent.unwrap_or(0),
        }),
        AttributeKeys::Number => json!({
            "number": it.number.to_string(), "name": it.name, "required": it.required.to_string(),
            "lookup": it.lookup.to_string(), "parentAttrNum": it.parent.map(|it| it.to_string()),
        }),
    }
}

/// `GET /v1/Cabinet/{NG}/customAttributes`.
pub(super) fn attributes(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let found = visible(&world, caller, route.id(0), call.switches)?;
    let keys = call.switches.attribute_keys;
    Ok(Reply::data("attributes", found.attributes.iter().map(|it| attribute(it, keys)).collect()))
}

/// `GET /v1/Cabinet/{NG}/membership`.
pub(super) fn membership(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let found = visible(&world, caller, route.id(0), call.switches)?;
    let entries = found.members.iter().map(|(principal, r)| {
        json!({
            "principal": principal, "name": name_of(&world, principal), "view": r.view, "edit": r.edit,
            "share": r.share, "administer": r.administer, "noAccess": r.no_access, "cabDefault": false,
        })
    });
    Ok(Reply::data("membership", entries.collect()))
}

/// `POST /v1/Cabinet/{NG}/membership`.
pub(super) fn change_membership(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
) -> Result<Reply> {
    let form = &call.request.form;
    let mut world = core.world();
    let id = form.get("id").ok_or_else(|| Fail::parameter("id", "is missing"))?.to_owned();
    if world.find(&id).is_none() && !world.vendor.tenant.groups.iter().any(|group| group.id == id) {
        return Err(Fail::missing("user", call.switches));
    }
    let cabinets = &mut world.vendor.tenant.cabinets;
    let cabinet = cabinets.iter_mut().find(|it| it.id.eq_ignore_ascii_case(route.id(0)));
    let cabinet = cabinet.ok_or_else(|| Fail::missing("cabinet", call.switches))?;
    match form.get("action") {
        Some("add") => {
            let rights = Rights {
                view: form.flag("view"),
                edit: form.flag("edit"),
                share: form.flag("share"),
                administer: form.flag("administer"),
                no_access: form.flag("noAccess"),
            };
            cabinet.members.insert(id, rights);
        }
        Some("remove") => drop(cabinet.members.remove(&id)),
        _ => return Err(Fail::parameter("action", "is neither add nor remove")),
    }
    Ok(Reply::Empty)
}

/// `GET /v2/Cabinet/{NG}/groups`, with capitals.
pub(super) fn cabinet_groups(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let found = visible(&world, caller, route.id(0), call.switches)?;
    let groups = world.vendor.tenant.groups.iter().filter(|it| found.members.contains_key(&it.id));
    let entry =
        |it: &Group| json!({ "Id": it.id, "Name": it.name, "External": it.external, "Hidden": false });
    Ok(Reply::data("groups", groups.map(entry).collect()))
}

fn own_repository(world: &World<NetDocuments>, id: &str, caller: &Caller, switches: &Switches) -> Result<()> {
    let own = world.vendor.tenant.repository.eq_ignore_ascii_case(id) && !caller.id.is_empty();
    if own { Ok(()) } else { Err(Fail::missing("repository", switches)) }
}

/// `GET /v1/Repository/{CA}/info`.
pub(super) fn repository(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    own_repository(&world, route.id(0), caller, call.switches)?;
    let tenant = &world.vendor.tenant;
    Ok(Reply::data("repository", json!({ "id": tenant.repository, "name": tenant.repository_name })))
}

/// `GET /v1/Repository/{CA}/users`.
pub(super) fn users(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    own_repository(&world, route.id(0), caller, call.switches)?;
    let entries = world.people.iter().filter(|person| !person.disabled).map(|person| {
        json!({
            "displayName": person.name, "email": person.email, "external": person.external, "id": person.id,
            "lastLogin": super::render::date(call.now), "registered": true,
        })
    });
    Ok(Reply::data("users", entries.collect()))
}

/// `POST /v1/User`, once its parts were read.
pub(super) fn create(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    fields: &Params,
) -> Result<Reply> {
    let mut world = core.world();
    let want =
        |name: &str| fields.get(name).map(str::to_owned).ok_or_else(|| Fail::parameter(name, "is missing"));
    let (email, username) = (want("email")?, want("username")?);
    let name = format!("{} {}", want("displayFirstName")?, want("displayLastName")?);
    let repository = want("repository")?;
    if !world.vendor.tenant.repository.eq_ignore_ascii_case(&repository) {
        return Err(Fail::missing("repository", call.switches));
    }
    if world.find(&email).is_some() || world.find(&username).is_some() {
        return Err(Fail::new(400, "A user with this name is there already"));
    }
    let id = format!("DUCOT-N{:07}", world.people.len());
    let person = Person {
        id: id.clone(),
        name: name.clone(),
        email: email.clone(),
        external: fields.flag("external"),
        ..Person::default()
    };
    let external = person.external;
    world.people.push(person);
    let body = json!({ "displayName": name, "email": email, "id": id, "external": external });
    Ok(Reply::data("user", body))
}

/// `POST /v1/Repository/{CA}/members`.
pub(super) fn change_repository(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let mut world = core.world();
    own_repository(&world, route.id(0), caller, call.switches)?;
    let member = call.request.form.get("member").ok_or_else(|| Fail::parameter("member", "is missing"))?;
    let id =
        world.find(member).map(|it| it.id.clone()).ok_or_else(|| Fail::missing("user", call.switches))?;
    let add = match call.request.form.get("action") {
        Some("add") => true,
        Some("remove") => false,
        _ => return Err(Fail::parameter("action", "is neither add nor remove")),
    };
    if let Some(person) = world.people.iter_mut().find(|it| it.id == id) {
        person.disabled = !add;
    }
    Ok(Reply::Empty)
}

fn group_json(group: &Group) -> Value {
    json!({ "id": group.id, "name": group.name, "external": group.external, "hidden": false })
}

/// `GET /v1/Repository/{CA}/groups`.
pub(super) fn groups(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    own_repository(&world, route.id(0), caller, call.switches)?;
    Ok(Reply::data("groups", world.vendor.tenant.groups.iter().map(group_json).collect()))
}

/// `POST /v1/Repository/{CA}/group`.
pub(super) fn create_group(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let mut world = core.world();
    own_repository(&world, route.id(0), caller, call.switches)?;
    let form = &call.request.form;
    let name = form.get("name").ok_or_else(|| Fail::parameter("name", "is missing"))?.to_owned();
    let groups = &mut world.vendor.tenant.groups;
    let id = format!("UG-N{:07}", groups.len());
    let group = Group { id, name, external: form.flag("external"), ..Group::default() };
    let body = group_json(&group);
    groups.push(group);
    Ok(Reply::data("group", body))
}

/// `DELETE /v1/Repository/{CA}/group/{UG}`.
pub(super) fn delete_group(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
) -> Result<Reply> {
    let groups = &mut core.world().vendor.tenant.groups;
    let before = groups.len();
    groups.retain(|group| !group.id.eq_ignore_ascii_case(route.id(1)));
    if groups.len() == before { Err(Fail::missing("group", call.switches)) } else { Ok(Reply::Empty) }
}

/// `GET /v1/Group/{UG}/info` and `/members`.
pub(super) fn group(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
) -> Result<Reply> {
    let world = core.world();
    let group = world.vendor.tenant.groups.iter().find(|it| it.id.eq_ignore_ascii_case(route.id(0)));
    let group = group.ok_or_else(|| Fail::missing("group", call.switches))?;
    if route.op == "group" {
        return Ok(Reply::data("group", group_json(group)));
    }
    let member = |id: &String| json!({ "displayName": name_of(&world, id), "id": id });
    Ok(Reply::data("members", group.members.iter().map(member).collect()))
}

/// `POST /v1/Group/{UG}/members`.
pub(super) fn change_group(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
) -> Result<Reply> {
    let mut world = core.world();
    let form = &call.request.form;
    let member = form.get("member").ok_or_else(|| Fail::parameter("member", "is missing"))?;
    let id =
        world.find(member).map(|it| it.id.clone()).ok_or_else(|| Fail::missing("user", call.switches))?;
    let groups = &mut world.vendor.tenant.groups;
    let group = groups.iter_mut().find(|it| it.id.eq_ignore_ascii_case(route.id(0)));
    let group = group.ok_or_else(|| Fail::missing("group", call.switches))?;
    match form.get("action") {
        Some("add") => drop(group.members.insert(id)),
        Some("remove") => drop(group.members.remove(&id)),
        _ => return Err(Fail::parameter("action", "is neither add nor remove")),
    }
    Ok(Reply::Empty)
}

/// `GET /v1/Repository/{CA}/log`, which begins with a byte order mark.
pub(super) fn log(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    own_repository(&world, route.id(0), caller, call.switches)?;
    let lines = world.vendor.tenant.activity.iter().map(|it| {
        let at = jiff::Timestamp::from_millisecond(it.at).unwrap_or_default();
        let person = world.find(&it.user);
        json!({ "activity": {
            "date": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(), "name": it.name, "host": "127.0.0.1",
            "user": {
                "id": it.user, "name": name_of(&world, &it.user), "guid": it.user,
                "email": person.map(|it| it.email.clone()),
            },
            "source": { "name": "API" },
            "storageObject": { "docId": it.document, "name": it.title },
        } })
    });
    let body = format!("\u{feff}{}", lines.collect::<Value>());
    Ok(Reply::Raw("application/json", Bytes::from(body)))
}
