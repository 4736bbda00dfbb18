//! Links to Postroom in columns of metadata sheets. HighQ's menus cannot be added to and its static links know nothing of the folder or
//! file that they stand at; but a site may keep a record of each folder and file, and a column of that may hold a link of its own.

use postroom_domain::Fut;
use postroom_domain::dms::{DmsResult, Page};
use postroom_domain::link_columns::{LinkColumn, LinkColumns, LinkRecord, ShownLink, Subject, Wish};
use serde_json::json;

use super::HighQ;
use super::seat::Seat;
use super::sheets::{Column, Kind, Sheet};
use super::wire::Item;
use super::{errors, ids};

/// How HighQ calls sheets about a subject.
const fn kind_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Folder => "foldermetadata",
        Subject::Document => "documentmetadata",
    }
}

/// The columns of a title; equal ones are not kept from being made.
fn named<'s>(sheet: &'s Sheet, title: &'s str) -> impl Iterator<Item = &'s Column> {
    sheet.columns.iter().filter(move |it| it.name.trim() == title.trim())
}

/// The column of a sheet that is wished for.
fn column_in(sheet: &Sheet, wish: &Wish) -> DmsResult<LinkColumn> {
    let missing = |what: &str, title: &str| {
        errors::rejected(what, format!("iSheet {} has no column {title:?}", sheet.id))
    };
    let mut of_title = named(sheet, &wish.column).peekable();
    if of_title.peek().is_none() {
        return Err(missing("column", &wish.column));
    }
    let column = of_title.find(|it| it.kind == Kind::Link).ok_or_else(|| {
        let text = format!("column {:?} of iSheet {} holds no hyperlinks", wish.column, sheet.id);
        errors::rejected("column", text)
    })?;
    let ids = match wish.ids.as_str() {
        "" => None,
        title => {
            Some(named(sheet, title).next().ok_or_else(|| missing("folder_id_column", title))?.id.clone())
        }
    };
    Ok(LinkColumn {
        subject: wish.subject,
        list: sheet.id.to_string(),
        column: column.id.clone(),
        ids,
        view: sheet.view.map(|view| view.to_string()),
    })
}

/// A record, as far as it matters here.
fn record_in(column: &LinkColumn, item: &Item) -> Option<LinkRecord> {
    let id = item.text("itemid").filter(|id| id.bytes().all(|b| b.is_ascii_digit()))?;
    let entries = item.entries("column");
    let of = |id: &String| entries.iter().find(|it| it.text("attributecolumnid").as_ref() == Some(id));
    let raw = |id: &String| of(id).and_then(|it| it.inner("rawdata").or_else(|| it.inner("displaydata")));
    let link = raw(&column.column).map(|raw| ShownLink {
        text: raw.text("linkdisplayname").unwrap_or_default(),
        url: raw.text("linkdisplayurl").unwrap_or_default(),
    });
    let about = column.ids.as_ref().and_then(raw).and_then(|raw| raw.text("value"));
    Some(LinkRecord { id, link: link.filter(|it| !it.url.is_empty()), about })
}

impl Seat {
    async fn link_column(&self, site: &str, wish: &Wish) -> DmsResult<LinkColumn> {
        let site = ids::library(site)?;
        let kind = kind_of(wish.subject);
        let sheets = self.sheets_of(site, kind).await?;
        let title = |it: &Item| it.text("title").or_else(|| it.text("name")).unwrap_or_default();
        let fits = |it: &&Item| wish.list.is_empty() || title(it).trim() == wish.list.trim();
        let Some(found) = sheets.iter().find(fits).and_then(|it| it.number("id")) else {
            let called =
                if wish.list.is_empty() { String::new() } else { format!(" called {:?}", wish.list) };
            return Err(errors::rejected(
                "sheet",
                format!("site {site} has no iSheet of kind {kind}{called}"),
            ));
        };
        column_in(&self.sheet_by_id(found, None).await?, wish)
    }

    async fn link_records(&self, column: &LinkColumn, page: Option<&str>) -> DmsResult<Page<LinkRecord>> {
        let offset = page.and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let (limit, from) = (self.settings.page.to_string(), offset.to_string());
        let mut query = vec![("limit", limit.as_str()), ("offset", from.as_str())];
        query.extend(column.view.iter().map(|view| ("sheetviewid", view.as_str())));
        let path = ["isheet", &column.list, "items"];
        let url = self.url(self.settings.versions.isheets, &path, &query);
        let doing = format!("listing records of iSheet {}", column.list);
        let answer = self.get("items", url, &doing).await?.unwrapped("isheet");
        let items = answer.inner("data").map(|data| data.entries("item")).unwrap_or_default();
        let next = offset + items.len();
        let more = match answer.number("totalrecordcount") {
            Some(total) => (next as u64) < total,
            None => !(self.settings.short_page_ends && items.len() < self.settings.page),
        };
        Ok(Page {
            next: (more && !items.is_empty()).then(|| next.to_string()),
            items: items.iter().filter_map(|item| record_in(column, item)).collect(),
        })
    }

    async fn link_record(&self, column: &LinkColumn, record: &str) -> DmsResult<LinkRecord> {
        let path = ["isheet", &column.list, "items", record];
        let url = self.url(self.settings.versions.isheets, &path, &[]);
        let doing = format!("reading record {record} of iSheet {}", column.list);
        let answer = self.get("item", url, &doing).await?.unwrapped("isheet");
        let items = answer.inner("data").map(|data| data.entries("item")).unwrap_or_default();
        let found = items.iter().filter_map(|item| record_in(column, item)).find(|it| it.id == record);
        found.ok_or_else(|| errors::missing(format!("{doing}: the answer is about something else")))
    }

    async fn record_of(&self, subject: Subject, thing: &str) -> DmsResult<String> {
        // Ids of folders and files are numbers of the same form.
        let number = ids::file(thing)?;
        if subject == Subject::Document {
            return self.record_id(number).await;
        }
        let path = self.settings.folder_record.replace("{folder}", &number.to_string());
        let path: Vec<&str> = path.split('/').collect();
        let url = self.url(self.settings.versions.folders, &path, &[]);
        self.record_at(url, &format!("folder {number}")).await
    }

    async fn write_link(&self, column: &LinkColumn, record: &str, link: &ShownLink) -> DmsResult<()> {
        let raw = json!({ "linkdisplayname": link.text, "linkdisplayurl": link.url });
        let columns = vec![json!({ "attributecolumnid": column.column, "rawdata": raw })];
        let doing = format!("writing a link into record {record} of iSheet {}", column.list);
        self.put_record(&column.list, record, &columns, &doing).await
    }
}

impl LinkColumns for HighQ {
    fn column<'a>(&'a self, site: &'a str, wish: &'a Wish) -> Fut<'a, DmsResult<LinkColumn>> {
        Box::pin(async move { self.seats.system().link_column(site, wish).await })
    }

    fn records<'a>(
        &'a self,
        column: &'a LinkColumn,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LinkRecord>>> {
        Box::pin(async move { self.seats.system().link_records(column, page).await })
    }

    fn record<'a>(&'a self, column: &'a LinkColumn, record: &'a str) -> Fut<'a, DmsResult<LinkRecord>> {
        Box::pin(async move { self.seats.system().link_record(column, record).await })
    }

    fn record_of<'a>(&'a self, column: &'a LinkColumn, thing: &'a str) -> Fut<'a, DmsResult<String>> {
        Box::pin(async move { self.seats.system().record_of(column.subject, thing).await })
    }

    fn write<'a>(
        &'a self,
        column: &'a LinkColumn,
        record: &'a str,
        link: &'a ShownLink,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move { self.seats.system().write_link(column, record, link).await })
    }
}
