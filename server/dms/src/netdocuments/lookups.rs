//! Lookup tables: values to choose from, and whether a workspace is closed.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, DmsResult, LookupQuery, LookupRow, Page};
use postroom_outbound::Method;
use serde_json::json;
use tracing::debug;

use super::errors;
use super::seat::{Body, Cabinet, Seat};
use super::wire::{self, Item, entries};

fn row(item: &Item) -> Option<LookupRow> {
    Some(LookupRow {
        key: item.text("key")?,
        description: item.text("description").unwrap_or_default(),
        open: item.flag("closed") != Some(true),
    })
}

impl Seat {
    /// The path of a row.
    fn row_path<'p>(
        cabinet: &'p Cabinet,
        number: &'p str,
        parent: Option<&'p str>,
        key: &'p str,
    ) -> Vec<&'p str> {
        let mut path = vec!["v1", "attributes", cabinet.repository.as_str(), number];
        path.extend(parent);
        path.push(key);
        path
    }

    /// One row; `None` when it is not there, in any of the ways that may be said.
    pub(super) async fn row(
        &self,
        cabinet: &Cabinet,
        number: u32,
        parent: Option<&str>,
        key: &str,
    ) -> DmsResult<Option<LookupRow>> {
        let number = number.to_string();
        let url = self.url(&Self::row_path(cabinet, &number, parent, key), &[])?;
        let reply = self.ask("lookup", Method::GET, url, Body::None).await?;
        if errors::is_nothing_found(&reply, &self.settings) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(errors::shape(
                &reply,
                &format!("reading row {key} of attribute {number}"),
                &self.settings,
            ));
        }
        // The table may answer a child's parent with all of its rows.
        let same = |it: &LookupRow| it.key.to_lowercase() == key.to_lowercase();
        Ok(entries(wire::value(&reply)?).iter().filter_map(row).find(same))
    }

    /// Creates a row that is not there. The description of one that is there stays.
    pub(super) async fn make_row(
        &self,
        cabinet: &Cabinet,
        number: u32,
        parent: Option<&str>,
        key: &str,
        description: &str,
    ) -> DmsResult<()> {
        let number = number.to_string();
        let url = self.url(&Self::row_path(cabinet, &number, parent, key), &[])?;
        let body = json!({ "description": description });
        let reply = self.ask("put_lookup", Method::PUT, url, Body::Json(&body)).await?;
        if reply.is_success() {
            return Ok(());
        }
        Err(errors::shape(&reply, &format!("creating row {key} of attribute {number}"), &self.settings))
    }

    /// Values of a field, page by page.
    pub(super) async fn values(
        &self,
        library: &str,
        query: LookupQuery<'_>,
        page: Option<&str>,
    ) -> DmsResult<Page<LookupRow>> {
        let cabinet = self.cabinet(library).await?;
        let number = self.numbered(query.field)?.to_string();
        let skip: usize = match page {
            None => 0,
            Some(page) => page
                .parse()
                .map_err(|_| errors::rejected("page", format!("{page:?} is not a page of a listing")))?,
        };
        let parent = query.parent.map(|it| self.key(query.field, it)).transpose()?;
        let mut path = vec!["v1", "attributes", cabinet.repository.as_str(), number.as_str()];
        path.extend(parent.as_deref());
        let (top, from) = (self.settings.page.to_string(), skip.to_string());
        let text: String = query.text.chars().filter(|c| !c.is_control()).collect();
        let filter = format!("substringof('{}',keyfirst)", text.trim().replace('\'', "''"));
        let mut pairs = vec![("$top", top.as_str()), ("$skip", &from), ("$orderby", "key")];
        if !text.trim().is_empty() {
            pairs.push(("$filter", &filter));
        }
        let url = self.url(&path, &pairs)?;
        let reply = self.ask("lookup", Method::GET, url, Body::None).await?;
        if errors::is_nothing_found(&reply, &self.settings) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        if !reply.is_success() {
            return Err(errors::shape(
                &reply,
                &format!("listing values of attribute {number}"),
                &self.settings,
            ));
        }
        let items: Vec<LookupRow> = entries(wire::value(&reply)?).iter().filter_map(row).collect();
        let next = (items.len() >= self.settings.page).then(|| (skip + items.len()).to_string());
        Ok(Page { items, next })
    }

    /// The container with its state: closed where a row of its workspace attributes is.
    pub(super) async fn with_state(&self, library: &str, mut found: Container) -> DmsResult<Container> {
        if !self.settings.closed_by_lookup || !found.open {
            return Ok(found);
        }
        let library = found.fields.get("cabinet").map_or(library, String::as_str).to_owned();
        let Ok(cabinet) = self.cabinet(&library).await else { return Ok(found) };
        let mut parent: Option<String> = None;
        for number in &cabinet.workspace {
            let Some(key) = found.fields.get(&self.settings.field(*number)).cloned() else { break };
            match self.row(&cabinet, *number, parent.as_deref(), &key).await {
                Ok(Some(row)) if !row.open => {
                    found.open = false;
                    break;
                }
                Ok(_) => {}
                // Somebody who may not read the table still may file; a closed workspace then shows by the refusal.
                Err(error) if error.trouble().cause == Cause::NoRight => {
                    debug!(dms.service = %self.name, "NetDocuments does not show this account the lookup table.");
                    break;
                }
                Err(error) => return Err(error),
            }
            parent = Some(key);
        }
        Ok(found)
    }
}
