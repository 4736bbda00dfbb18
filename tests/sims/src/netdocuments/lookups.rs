//! Lookup tables: clients, matters and what else profiles choose from.

use serde_json::{Value, json};

use super::model::{Row, Tenant};
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::switches::{MissingRow, OneRow, Switches};
use crate::common::core::{Call, Core};

fn row_json(row: &Row) -> Value {
    json!({
        "key": row.key, "description": row.description, "parent": row.parent, "closed": row.closed,
        "hold": row.hold, "defaulting": "", "access": "",
    })
}

/// The attribute's number, and the attribute its rows depend on.
fn numbers(tenant: &Tenant, route: &Route, switches: &Switches) -> Result<(u32, Option<u32>)> {
    if !tenant.repository.eq_ignore_ascii_case(route.id(0)) {
        return Err(Fail::missing("repository", switches));
    }
    let number = route.id(1).parse().map_err(|_| Fail::parameter("attribute", "is not a number"))?;
    let all = tenant.cabinets.iter().flat_map(|it| &it.attributes);
    let found = all.filter(|it| it.lookup).find(|it| it.number == number);
    found.map(|it| (number, it.parent)).ok_or_else(|| Fail::missing("attribute", switches))
}

/// A filter of the forms in use: `substringof('abc',keyfirst)`.
fn matches(filter: Option<&str>, row: &Row) -> Result<bool> {
    let Some(filter) = filter else { return Ok(true) };
    let inner = filter.strip_prefix("substringof('").and_then(|it| it.strip_suffix("',keyfirst)"));
    let word = inner.ok_or_else(|| Fail::parameter("$filter", "is not understood"))?;
    let word = word.replace("''", "'").to_lowercase();
    Ok(row.key.to_lowercase().contains(&word) || row.description.to_lowercase().contains(&word))
}

fn list(call: &Call<'_, NetDocuments>, rows: Vec<&Row>) -> Result<Reply> {
    let query = &call.request.query;
    let number = |name: &str| query.number(name).map_err(|_| Fail::parameter(name, "is not a number"));
    let (skip, top) = (number("$skip")?.unwrap_or(0), number("$top")?.unwrap_or(usize::MAX));
    let mut found = Vec::new();
    for row in rows {
        if matches(query.get("$filter"), row)? {
            found.push(row);
        }
    }
    if query.get("$orderby") == Some("key") {
        found.sort_by(|a, b| a.key.cmp(&b.key));
    }
    let page: Value = found.into_iter().skip(skip).take(top).map(row_json).collect();
    Ok(Reply::data("lookup", json!({ "rows": page })))
}

/// `GET /v1/attributes/{CA}/{n}`, `…/{key}`, `…/{parentKey}/{childKey}`.
pub(super) fn get(core: &Core<NetDocuments>, call: &Call<'_, NetDocuments>, route: &Route) -> Result<Reply> {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let (number, above) = numbers(tenant, route, call.switches)?;
    let rows = || tenant.rows.iter().filter(move |row| row.attribute == number);
    let (parent, key) = match (route.ids.len(), above) {
        (2, _) => return list(call, rows().collect()),
        (3, Some(_)) => {
            let parent = route.id(2).to_lowercase();
            return list(call, rows().filter(|row| row.parent.to_lowercase() == parent).collect());
        }
        (3, None) => ("", route.id(2)),
        _ => (route.id(2), route.id(3)),
    };
    match tenant.row(number, parent, key) {
        Some(row) => Ok(Reply::data(
            "lookup",
            match call.switches.one_row {
                OneRow::Rows => json!({ "rows": [row_json(row)] }),
                OneRow::Object => row_json(row),
            },
        )),
        None => match call.switches.missing_row {
            MissingRow::NotFound => Err(Fail::missing("row", call.switches)),
            MissingRow::NoRows => Ok(Reply::data("lookup", json!({ "rows": [] }))),
            MissingRow::EmptyObject => Ok(Reply::data("lookup", json!({}))),
        },
    }
}

/// `GET /v1/attributes/{CA}/all/{childN}`.
pub(super) fn pairs(core: &Core<NetDocuments>, route: &Route) -> Result<Reply> {
    let world = core.world();
    let number: u32 = route.id(1).parse().map_err(|_| Fail::parameter("attribute", "is not a number"))?;
    let rows = world.vendor.tenant.rows.iter().filter(|row| row.attribute == number);
    Ok(Reply::data("lookup", json!({ "rows": rows.map(row_json).collect::<Value>() })))
}

fn place(route: &Route, above: Option<u32>) -> Result<(&str, &str)> {
    match (route.ids.len(), above) {
        (3, None) => Ok(("", route.id(2))),
        (4, Some(_)) => Ok((route.id(2), route.id(3))),
        _ => Err(Fail::parameter("key", "does not fit the attribute")),
    }
}

/// `PUT`: creates or updates.
pub(super) fn put(core: &Core<NetDocuments>, call: &Call<'_, NetDocuments>, route: &Route) -> Result<Reply> {
    let body: Value =
        serde_json::from_slice(&call.request.body).map_err(|_| Fail::parameter("body", "is not JSON"))?;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let (attribute, above) = numbers(tenant, route, call.switches)?;
    let (parent, key) = place(route, above)?;
    if key.is_empty() || key.contains('/') {
        return Err(Fail::parameter("key", "is empty or holds a slash"));
    }
    if above.is_some_and(|above| tenant.row(above, "", parent).is_none()) {
        return Err(Fail::new(400, "The parent key is not there"));
    }
    let known = tenant.row(attribute, parent, key).cloned();
    let mut row = known.unwrap_or_else(|| Row {
        attribute,
        parent: parent.to_owned(),
        key: key.to_owned(),
        ..Row::default()
    });
    if let Some(description) = body.get("description").and_then(Value::as_str) {
        description.clone_into(&mut row.description);
    }
    for (name, flag) in [("closed", &mut row.closed), ("hold", &mut row.hold)] {
        if let Some(on) = body.get(name).and_then(Value::as_bool) {
            *flag = on;
        }
    }
    tenant.put_row(row);
    Ok(Reply::data("result", json!({ "count": 1 })))
}

/// `DELETE`.
pub(super) fn delete(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let (attribute, above) = numbers(tenant, route, call.switches)?;
    let (parent, key) = place(route, above)?;
    let (parent, key) = (parent.to_owned(), key.to_owned());
    if tenant.remove_row(attribute, &parent, &key) {
        Ok(Reply::Empty)
    } else {
        Err(Fail::missing("row", call.switches))
    }
}
