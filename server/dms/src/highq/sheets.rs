//! Profiles of documents. HighQ keeps them as records of an iSheet, the site's metadata sheet; an upload makes the record by itself,
//! and its columns are set after.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use postroom_outbound::Method;
use serde_json::{Value, json};

use super::seat::{Body, Seat};
use super::wire::{self, Item};
use super::{errors, ids};

/// A metadata sheet.
pub(super) struct Sheet {
    pub(super) id: u64,
    pub(super) view: Option<u64>,
    pub(super) columns: Vec<Column>,
}

/// What a column takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `value`.
    Text,
    /// `choices.choice[].id`, by label.
    Choice(Vec<(String, String)>),
    /// `date`, in a format of its own.
    Date(&'static str),
    /// `linkdisplayname` and `linkdisplayurl`.
    Link,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A record's columns, ready to be sent.
pub(super) type Columns = Vec<Value>;

/// As a help page states it for single-line text.
const LONGEST_TEXT: usize = 255;

/// The formats that HighQ offers for dates, as patterns.
fn pattern(format: &str) -> Option<&'static str> {
    match format.trim().to_uppercase().as_str() {
        "DD MMM YYYY" => Some("%d %b %Y"),
        "DD/MM/YYYY" => Some("%d/%m/%Y"),
        "MM/DD/YYYY" => Some("%m/%d/%Y"),
        "DD.MM.YYYY" => Some("%d.%m.%Y"),
        _ => None,
    }
}

impl Column {
    fn of(item: &Item) -> Option<Self> {
        let id = item.text("columnid").or_else(|| item.text("columnID"))?;
        let name = item.text("name").or_else(|| item.text("title"))?;
        let detail = item.inner("columnspecificdetail").unwrap_or_default();
        let choices = detail.inner("choices").map(|it| it.entries("choice")).unwrap_or_default();
        let choices: Vec<_> =
            choices.iter().filter_map(|it| Some((it.text("id")?, it.text("label")?))).collect();
        let kind = item.text("type").unwrap_or_default().to_lowercase();
        let kind = if !choices.is_empty() {
            Kind::Choice(choices)
        } else if let Some(format) = detail.text("dateformat") {
            Kind::Date(pattern(&format)?)
        } else if kind.contains("link") && !kind.contains("file") {
            Kind::Link
        } else {
            Kind::Text
        };
        Some(Self { id, name, kind })
    }

    /// A value as the column takes it. Dates are given as 2026-11-23.
    fn raw(&self, value: &str) -> Result<Value, DmsError> {
        let wrong = |what: &str| errors::rejected(&self.name, format!("{}: {value:?} {what}", self.name));
        Ok(match &self.kind {
            Kind::Text if value.chars().count() > LONGEST_TEXT => {
                return Err(wrong("is longer than 255 characters"));
            }
            Kind::Text => json!({ "value": value }),
            Kind::Choice(_) if value.is_empty() => json!({ "choices": {} }),
            Kind::Choice(choices) => {
                let found = choices.iter().find(|(_, label)| label == value);
                let (id, _) = found.ok_or_else(|| wrong("is none of its choices"))?;
                json!({ "choices": { "choice": [{ "id": id }] } })
            }
            Kind::Date(_) if value.is_empty() => json!({ "date": "" }),
            Kind::Date(pattern) => {
                let date: Date = value.parse().map_err(|_| wrong("is no date such as 2026-11-23"))?;
                json!({ "date": date.strftime(pattern).to_string() })
            }
            Kind::Link => json!({ "linkdisplayname": value, "linkdisplayurl": value }),
        })
    }

    /// What a record holds, as it would be given.
    fn shown(&self, raw: &Item) -> Option<String> {
        match &self.kind {
            Kind::Text => raw.text("value"),
            Kind::Link => raw.text("linkdisplayurl"),
            Kind::Date(pattern) => {
                let text = raw.text("date")?;
                Some(Date::strptime(pattern, &text).map_or(text, |date| date.to_string()))
            }
            Kind::Choice(choices) => {
                let chosen = raw.inner("choices").map(|it| it.entries("choice")).unwrap_or_default();
                let label = |it: &Item| {
                    let id = it.text("id")?;
                    choices.iter().find(|(own, _)| *own == id).map(|(_, label)| label.clone())
                };
                let labels: Vec<String> = chosen.iter().filter_map(label).collect();
                Some(labels.join("; ")).filter(|it| !it.is_empty())
            }
        }
    }
}

impl Seat {
    /// The metadata sheet of a site, if it has one; asked for once.
    async fn sheet(&self, site: u64) -> DmsResult<Option<Arc<Sheet>>> {
        let mut known = self.sheets.lock().await;
        if let Some(sheet) = known.get(&site) {
            return Ok(sheet.clone());
        }
        let found = self.find_sheet(site).await?.map(Arc::new);
        known.insert(site, found.clone());
        Ok(found)
    }

    async fn find_sheet(&self, site: u64) -> DmsResult<Option<Sheet>> {
        let settings = &self.settings.metadata;
        let mut view = settings.view;
        let mut id = settings.sheet;
        if id.is_none() || view.is_none() {
            let told = self.site(site).await?.item;
            let metadata = told.number("sitemetadatasheetid").filter(|n| *n != 0);
            id = id.or(metadata);
            view = view.or_else(|| told.number("documentMetadataViewId").filter(|n| *n != 0));
        }
        if id.is_none() {
            let list = self.sheets_of(site, "documentmetadata").await?;
            id = list.iter().find_map(|it| it.number("id"));
        }
        match id {
            Some(id) => self.sheet_by_id(id, view).await.map(Some),
            None => Ok(None),
        }
    }

    /// The sheets of a site that are of a kind.
    pub(super) async fn sheets_of(&self, site: u64, kind: &str) -> DmsResult<Vec<Item>> {
        let version = self.settings.versions.isheets;
        let url = self.url(version, &["isheets", "admin"], &[("siteid", &site.to_string())]);
        let list = self.get("isheets", url, &format!("listing iSheets of site {site}")).await?;
        let ours = |it: &Item| it.text("type").is_some_and(|told| told.eq_ignore_ascii_case(kind));
        Ok(list.entries("isheet").into_iter().filter(ours).collect())
    }

    /// A sheet with its columns. Where no view is named the first one counts.
    pub(super) async fn sheet_by_id(&self, id: u64, mut view: Option<u64>) -> DmsResult<Sheet> {
        let version = self.settings.versions.isheets;
        if view.is_none() {
            let url = self.url(version, &["isheets", "admin", &id.to_string(), "views"], &[]);
            let views = self.get("isheet_views", url, &format!("listing views of iSheet {id}")).await?;
            view = views.entries("isheetview").iter().find_map(|it| it.number("viewid"));
        }
        let shown = view.map(|view| view.to_string());
        let query: Vec<(&str, &str)> = shown.iter().map(|view| ("sheetviewid", view.as_str())).collect();
        let url = self.url(version, &["isheets", "admin", &id.to_string(), "columns"], &query);
        let columns = self.get("isheet_columns", url, &format!("listing columns of iSheet {id}")).await?;
        Ok(Sheet { id, view, columns: columns.entries("column").iter().filter_map(Column::of).collect() })
    }

    /// The columns that a profile sets, checked before a document is sent; none where there is nothing to set.
    pub(super) async fn profile(
        &self,
        site: u64,
        fields: &BTreeMap<String, String>,
    ) -> DmsResult<Option<Columns>> {
        let Some(first) = fields.keys().next() else { return Ok(None) };
        if !self.settings.metadata.on {
            let message = format!("{first:?} cannot be set: documents have no profile here (metadata.on)");
            return Err(errors::rejected(first, message));
        }
        let sheet = self.sheet(site).await?;
        let sheet = sheet.ok_or_else(|| {
            errors::rejected(first, format!("{first:?} cannot be set: site {site} has no metadata iSheet"))
        })?;
        let mut columns = Vec::new();
        for (name, value) in fields {
            let column = sheet.columns.iter().find(|it| it.name == *name);
            let column = column.ok_or_else(|| {
                errors::rejected(name, format!("{name:?} is no column of iSheet {}", sheet.id))
            })?;
            columns.push(json!({ "attributecolumnid": column.id, "rawdata": column.raw(value)? }));
        }
        Ok(Some(columns))
    }

    /// The id of a file's record.
    pub(super) async fn record_id(&self, file: u64) -> DmsResult<String> {
        let path = ["files", &file.to_string(), "isheetRecordID"];
        let url = self.url(self.settings.versions.files, &path, &[]);
        self.record_at(url, &format!("file {file}")).await
    }

    /// The id of a record, as an address tells it.
    pub(super) async fn record_at(&self, url: url::Url, whose: &str) -> DmsResult<String> {
        let item = self.get("record_id", url, &format!("asking for the record of {whose}")).await?;
        let keys = ["isheetRecordID", "isheetrecordid", "itemid", "recordid", "id"];
        let told = keys.iter().find_map(|key| item.anywhere(key)).or_else(|| item.bare());
        let told = told.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) && id != "0");
        told.ok_or_else(|| errors::missing(format!("{whose} has no record in a metadata iSheet")))
    }

    /// Sets columns of a file's record.
    pub(super) async fn write_record(&self, site: u64, file: u64, columns: &Columns) -> DmsResult<()> {
        let Some(sheet) = self.sheet(site).await? else { return Ok(()) };
        let record = self.record_id(file).await?;
        let doing = format!("setting the record of file {file}");
        self.put_record(&sheet.id.to_string(), &record, columns, &doing).await
    }

    /// Sets columns of a record; those that are not named stay.
    pub(super) async fn put_record(
        &self,
        sheet: &str,
        record: &str,
        columns: &Columns,
        doing: &str,
    ) -> DmsResult<()> {
        let body = json!({ "data": { "item": [{ "itemid": record, "column": columns }] } });
        let url = self.url(self.settings.versions.isheets, &["isheet", sheet, "items", record], &[]);
        let reply = self.ask("put_item", Method::PUT, url, Body::Json(&body)).await?;
        if reply.is_success() {
            wire::read(&reply)?;
            return Ok(());
        }
        Err(self.refusal(&reply, doing))
    }

    /// A file's record, by the titles of its columns. A file without one has none.
    pub(super) async fn record(&self, file: u64) -> DmsResult<BTreeMap<String, String>> {
        let folder = self.file(file).await?.number("folderid");
        let Some(folder) = folder else { return Ok(BTreeMap::new()) };
        let site = self.site_of(folder).await?;
        let Some(sheet) = self.sheet(site).await? else { return Ok(BTreeMap::new()) };
        let record = match self.record_id(file).await {
            Ok(record) => record,
            Err(DmsError::NotFound(_)) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let path = ["isheet", &sheet.id.to_string(), "items", &record];
        let url = self.url(self.settings.versions.isheets, &path, &[]);
        let item = self.get("item", url, &format!("reading the record of file {file}")).await?;
        let item = item.unwrapped("isheet");
        let Some(item) = item.inner("data").and_then(|data| data.entries("item").pop()) else {
            return Ok(BTreeMap::new());
        };
        let mut fields = BTreeMap::new();
        for entry in item.entries("column") {
            let id = entry.text("attributecolumnid");
            let column = sheet.columns.iter().find(|it| Some(&it.id) == id.as_ref());
            if let (Some(column), Some(raw)) = (column, entry.inner("rawdata"))
                && let Some(text) = column.shown(&raw)
            {
                fields.insert(column.name.clone(), text);
            }
        }
        Ok(fields)
    }

    /// Changes fields of a document's profile.
    pub(super) async fn set_profile(
        &self,
        document: &str,
        fields: &BTreeMap<String, String>,
    ) -> DmsResult<()> {
        let file = ids::file(document)?;
        if !self.settings.metadata.on {
            let detail = "documents have no profile here (metadata.on)";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail)));
        }
        let folder = self.file(file).await?.number("folderid");
        let folder =
            folder.ok_or_else(|| errors::missing(format!("file {file} does not tell its folder")))?;
        let site = self.site_of(folder).await?;
        match self.profile(site, fields).await? {
            Some(columns) => self.write_record(site, file, &columns).await,
            None => Ok(()),
        }
    }
}
