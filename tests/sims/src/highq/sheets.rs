//! iSheets: definitions under `isheets`, records under `isheet`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::body::{list as entries, text};
use super::desk::{Desk, Outcome};
use super::model::{Column, ColumnKind, Level, Sheet};
use super::sites;
use crate::common::answer::Answer;

/// `GET isheets?siteid=` and `GET isheets/admin?siteid=`.
pub(super) fn list(desk: &Desk<'_>, admin: bool) -> Outcome {
    let site = sites::of_parameter(desk)?;
    let sheets = desk.tenant.sheets.values().filter(|it| it.site == site).map(|it| {
        if admin {
            json!({ "id": desk.number(it.id), "title": it.title, "type": it.kind })
        } else {
            json!({ "id": desk.number(it.id), "name": it.title })
        }
    });
    desk.show("isheets", &json!({ "isheet": sheets.collect::<Vec<_>>() }))
}

fn sheet<'a>(desk: &'a Desk<'_>, id: u64) -> Result<&'a Sheet, Answer> {
    let sheet = desk.tenant.sheets.get(&id).ok_or_else(|| desk.missing("iSheet"))?;
    desk.site(sheet.site).map(|_| sheet)
}

/// `GET isheets/{id}/columns` and `GET isheets/admin/{id}/columns`.
pub(super) fn columns(desk: &Desk<'_>, id: u64, admin: bool) -> Outcome {
    let sheet = sheet(desk, id)?;
    let columns = sheet.columns.iter().map(|it| {
        if admin {
            admin_column(it)
        } else {
            json!({ "columnID": it.id.to_string(), "title": it.title, "type": kind(it) })
        }
    });
    desk.show("columns", &json!({ "column": columns.collect::<Vec<_>>() }))
}

fn kind(column: &Column) -> &'static str {
    match column.kind {
        ColumnKind::Text => "Single line text",
        ColumnKind::Number => "Number",
        ColumnKind::Choice => "Choice",
        ColumnKind::Date => "Date and time",
        ColumnKind::Link => "Hyperlink",
    }
}

fn admin_column(column: &Column) -> Value {
    let choices = column.choices.iter().map(|(id, label)| json!({ "id": id.to_string(), "label": label }));
    json!({
        "columnid": column.id.to_string(), "name": column.title, "editpermission": "1", "type": kind(column),
        "columnspecificdetail": {
            "choices": { "choice": choices.collect::<Vec<_>>() }, "dateformat": column.date_format,
        },
    })
}

/// `GET isheets/admin/{id}/views`.
pub(super) fn views(desk: &Desk<'_>, id: u64) -> Outcome {
    let view = sheet(desk, id)?.view.to_string();
    desk.show("isheetviews", &json!({ "isheetview": [{ "viewid": view, "title": "All" }] }))
}

/// `GET files/{id}/isheetRecordID`.
pub(super) fn record_id(desk: &Desk<'_>, file: u64) -> Outcome {
    let record = desk.file(file)?.record.ok_or_else(|| desk.missing("Record"))?;
    desk.show("isheetrecord", &json!({ "isheetRecordID": record.to_string() }))
}

fn shown(id: u64, record: &BTreeMap<u64, Value>) -> Value {
    let columns = record.iter();
    let columns =
        columns.map(|(column, raw)| json!({ "attributecolumnid": column.to_string(), "rawdata": raw }));
    json!({ "itemid": id.to_string(), "column": columns.collect::<Vec<_>>() })
}

fn answer(desk: &Desk<'_>, sheet: &Sheet, total: usize, items: &[Value]) -> Outcome {
    let head = sheet.columns.iter().enumerate().map(|(at, it)| {
        json!({ "columnid": it.id.to_string(), "columnvalue": it.title, "sequence": (at + 1).to_string() })
    });
    let body = json!({ "isheet": {
        "totalrecordcount": total.to_string(), "recordcount": items.len().to_string(),
        "head": { "headcolumn": head.collect::<Vec<_>>() }, "data": { "item": items },
    }});
    if desk.call.request.wants_json() { desk.show("", &body) } else { desk.show("isheet", &body["isheet"]) }
}

/// `GET isheet/{id}/items`.
pub(super) fn items(desk: &Desk<'_>, id: u64) -> Outcome {
    let sheet = sheet(desk, id)?;
    let (offset, limit) = desk.window(100);
    let page = sheet.records.iter().skip(offset).take(limit);
    let page: Vec<Value> = page.map(|(id, record)| shown(*id, record)).collect();
    answer(desk, sheet, sheet.records.len(), &page)
}

/// `GET isheet/{id}/items/{item}`.
pub(super) fn item(desk: &Desk<'_>, id: u64, item: u64) -> Outcome {
    let sheet = sheet(desk, id)?;
    let record = sheet.records.get(&item).ok_or_else(|| desk.missing("Record"))?;
    answer(desk, sheet, 1, &[shown(item, record)])
}

/// `PUT isheet/{id}/items/{item}` and `POST isheet/{id}/items`.
pub(super) fn put(desk: &mut Desk<'_>, id: u64, item: Option<u64>) -> Outcome {
    let site = sheet(desk, id)?.site;
    if desk.site_level(desk.site(site)?) < Level::Update {
        return Err(desk.denied());
    }
    let sent = desk.body()?;
    let mut changed = Vec::new();
    for entry in entries(&sent["data"]["item"]) {
        let known = &sheet(desk, id)?.columns;
        let mut values = BTreeMap::new();
        for column in entries(&entry["column"]) {
            let number = text(&column["attributecolumnid"]).parse().unwrap_or(0);
            let known = known.iter().find(|it| it.id == number);
            let known = known.ok_or_else(|| desk.refuse(400, 407, "The column is not known"))?;
            if !is_valid(known, &column["rawdata"]) {
                let summary = format!("The value of {} is not valid", known.title);
                return Err(desk.refuse(400, 408, &summary));
            }
            values.insert(number, column["rawdata"].clone());
        }
        changed.push((item, values));
    }
    let Some(sheet) = desk.tenant.sheets.get_mut(&id) else { return Err(desk.missing("iSheet")) };
    let (mut ids, mut told) = (Vec::new(), Vec::new());
    for (item, values) in changed {
        let number = item.unwrap_or_else(|| sheet.records.keys().last().copied().unwrap_or(0) + 1);
        if item.is_some() && !sheet.records.contains_key(&number) {
            return Err(desk.missing("Record"));
        }
        told.push((number, values.keys().map(ToString::to_string).collect::<Vec<_>>()));
        sheet.records.entry(number).or_default().extend(values);
        ids.push(json!({ "itemid": number.to_string() }));
    }
    for (number, columns) in told {
        let operation = if item.is_some() { "EDIT_ITEM" } else { "ADD_ITEM" };
        let what = json!({
            "moduleAlias": "SITE_MODULE_ISHEET", "operation": operation, "contentID": number,
            "isheetID": id, "columnIds": columns,
        });
        desk.tenant.tell(site, &what);
    }
    desk.show("isheet", &json!({ "data": { "item": ids } }))
}

/// Whether raw data has the form of its column's kind.
fn is_valid(column: &Column, raw: &Value) -> bool {
    match column.kind {
        ColumnKind::Text => text(&raw["value"]).chars().count() <= 255,
        ColumnKind::Number => {
            let value = text(&raw["value"]);
            value.is_empty() || value.parse::<f64>().is_ok()
        }
        ColumnKind::Choice => entries(&raw["choices"]["choice"])
            .iter()
            .all(|it| column.choices.iter().any(|(id, _)| text(&it["id"]) == id.to_string())),
        ColumnKind::Date => {
            let date = text(&raw["date"]);
            let form = match column.date_format.as_str() {
                "DD MMM YYYY" => "%d %b %Y",
                "DD/MM/YYYY" => "%d/%m/%Y",
                "MM/DD/YYYY" => "%m/%d/%Y",
                _ => "%d.%m.%Y",
            };
            date.is_empty() || jiff::civil::Date::strptime(form, &date).is_ok()
        }
        ColumnKind::Link => raw.get("linkdisplayurl").is_some(),
    }
}
