//! Finding workspaces. iManage's search is by words and ignores case; what counts as a match is decided here.

use std::collections::BTreeSet;

use postroom_domain::dms::{Container, DmsError, DmsResult};
use postroom_domain::target::WorkspaceQuery;
use postroom_outbound::Method;
use serde_json::{Map, Value, json};
use tracing::warn;

use super::places::{Kind, next_offset};
use super::settings::{Paging, SearchForm};
use super::wire::{Envelope, Item};
use super::{Seat, errors};

/// Most pages of a search. What matches exactly is usually on the first.
const MOST_SEARCH_PAGES: usize = 20;

/// What is asked for of each workspace in the POST form.
const KNOWN_PROFILE_FIELDS: [&str; 10] =
    ["id", "name", "database", "description", "owner", "class", "subclass", "wstype", "custom1", "custom2"];

impl Seat {
    /// Workspaces that match exactly, at most `limit`.
    pub(super) async fn search(
        &self,
        library: &str,
        query: &WorkspaceQuery,
        limit: usize,
    ) -> DmsResult<Vec<Container>> {
        let filters = match query {
            WorkspaceQuery::Pinned(id) => {
                return match self.by_id(id, &[Kind::Workspace]).await {
                    Ok(found) => Ok(vec![found]),
                    Err(DmsError::NotFound(_)) => Ok(Vec::new()),
                    Err(e) => Err(e),
                };
            }
            WorkspaceQuery::Title(title) => vec![("name", title.replace('"', " "))],
            WorkspaceQuery::Fields(fields) => filters(fields)?,
        };
        let library = self.library(library).await?;
        let mut found: Vec<Container> = Vec::new();
        let mut place = Place::Start;
        for _ in 0..MOST_SEARCH_PAGES {
            let Some(mut page) = self.search_page(&library, &filters, &place).await? else { break };
            let total = page.total();
            let cursor = page.cursor().map(str::to_owned);
            let items = page.items();
            let count = items.len();
            for item in items {
                if !self.matches(&item, query) {
                    continue;
                }
                if let Some(container) = self.container_of(&item, Kind::Workspace)
                    && !found.iter().any(|known| known.id == container.id)
                {
                    found.push(container);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            match place.after(self.settings.paging, self.settings.workspace_search, count, total, cursor) {
                Some(next) => place = next,
                None => return Ok(found),
            }
        }
        if !matches!(place, Place::Start) {
            warn!(dms.service = %self.name, imanage.pages = MOST_SEARCH_PAGES,
                "A workspace search has more pages than are read; exact matches further on are not seen.");
        }
        Ok(found)
    }

    /// One page of a search; `None` when iManage says by 404 that there is nothing.
    async fn search_page(
        &self,
        library: &str,
        filters: &[(&str, String)],
        place: &Place,
    ) -> DmsResult<Option<Envelope>> {
        let tenant = self.tenant().await?;
        let limit = self.settings.page.to_string();
        let reply = match self.settings.workspace_search {
            SearchForm::Get => {
                let mut query: Vec<(&str, &str)> = filters.iter().map(|(k, v)| (*k, v.as_str())).collect();
                query.push(("limit", &limit));
                let offset;
                match self.settings.paging {
                    Paging::StandardCursor => query.push(("paging_mode", "standard_cursor")),
                    Paging::Standard => query.extend([("paging_mode", "standard"), ("total", "true")]),
                }
                match place {
                    Place::Start => {}
                    Place::Cursor(cursor) => query.push(("cursor", cursor)),
                    Place::Offset(n) => {
                        offset = n.to_string();
                        query.push(("offset", &offset));
                    }
                }
                let url = tenant.url(&["libraries", library, "workspaces"], &query);
                self.ask("search_workspaces", Method::GET, url, None).await?
            }
            SearchForm::Post => {
                let mut all: Map<String, Value> =
                    filters.iter().map(|(k, v)| ((*k).to_owned(), Value::from(v.as_str()))).collect();
                all.insert("libraries".to_owned(), Value::from(library));
                let mut fields = BTreeSet::from(KNOWN_PROFILE_FIELDS);
                fields.extend(filters.iter().map(|(k, _)| *k));
                // A server may refuse a field it does not know, so only real profile fields are asked for.
                let sign = self.settings.closed_field.field.as_str();
                fields.extend(sign.starts_with("custom").then_some(sign));
                let body = json!({
                    "limit": self.settings.page, "profile_fields": { "workspace": fields }, "filters": all,
                });
                let url = tenant.url(&["libraries", library, "workspaces", "search"], &[]);
                self.ask("search_workspaces", Method::POST, url, Some(&body)).await?
            }
        };
        if errors::is_nothing_found(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(errors::shape(
                &reply,
                &format!("searching workspaces of library {library}"),
                &self.settings,
            ));
        }
        Ok(Some(reply.json()?))
    }

    /// The search is fuzzy; what counts is compared here.
    fn matches(&self, item: &Item, query: &WorkspaceQuery) -> bool {
        if item.text("wstype").is_some_and(|kind| kind != "workspace") {
            return false;
        }
        match query {
            WorkspaceQuery::Title(title) => item.text("name").as_deref() == Some(title),
            WorkspaceQuery::Pinned(id) => item.text("id").as_deref() == Some(id),
            WorkspaceQuery::Fields(fields) => fields.iter().all(|(field, wanted)| {
                item.text(field)
                    .is_some_and(|value| equal(&value, wanted, field, self.settings.fields_match_case))
            }),
        }
    }

    /// The library of a call: the target's, or the one of the settings, or the account's preferred one.
    pub(super) async fn library(&self, given: &str) -> DmsResult<String> {
        for library in [given, self.settings.library.as_str()] {
            if !library.is_empty() {
                return Ok(library.to_owned());
            }
        }
        let preferred = self.tenant().await?.preferred_library.clone();
        preferred.ok_or_else(|| {
            errors::rejected("library", "the target names no library, and the settings have none".to_owned())
        })
    }
}

/// Where a search goes on.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Start,
    Cursor(String),
    Offset(u64),
}

impl Place {
    fn after(
        &self,
        paging: Paging,
        form: SearchForm,
        count: usize,
        total: Option<u64>,
        cursor: Option<String>,
    ) -> Option<Self> {
        // The POST form has no known paging: its one page is all there is.
        if form == SearchForm::Post || count == 0 {
            return None;
        }
        match paging {
            Paging::StandardCursor => {
                let next = Self::Cursor(cursor?);
                (next != *self).then_some(next)
            }
            Paging::Standard => {
                let offset = if let Self::Offset(n) = self { *n } else { 0 };
                next_offset(offset, count, total).map(Self::Offset)
            }
        }
    }
}

/// The parameters of a search by fields.
fn filters(fields: &[(String, String)]) -> DmsResult<Vec<(&str, String)>> {
    if fields.is_empty() {
        return Err(errors::rejected("workspace", "the search for a workspace names no field".to_owned()));
    }
    let known = |field: &str| {
        let number = field.strip_prefix("custom").and_then(|n| n.parse::<u8>().ok());
        number.is_some_and(|n| (1..=31).contains(&n))
            || matches!(field, "name" | "description" | "owner" | "subclass" | "class")
    };
    let mut filters = Vec::with_capacity(fields.len());
    for (field, value) in fields {
        if !known(field) {
            return Err(errors::rejected(field, format!("workspaces cannot be searched by {field:?}")));
        }
        if value.is_empty() {
            // iManage leaves an empty parameter out of account, so it would match every workspace.
            return Err(errors::rejected(
                field,
                format!("the search for a workspace has no value for {field}"),
            ));
        }
        filters.push((field.as_str(), value.clone()));
    }
    Ok(filters)
}

/// Whether a field has the wanted value: numbers by value, flags and look-ups without regard to case unless told.
fn equal(value: &str, wanted: &str, field: &str, match_case: bool) -> bool {
    let number = field.strip_prefix("custom").and_then(|n| n.parse::<u8>().ok());
    match number {
        Some(17..=20) => match (value.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b).is_eq(),
            _ => value == wanted,
        },
        Some(25..=28) => value.eq_ignore_ascii_case(wanted),
        _ if match_case || matches!(field, "name" | "description") => value == wanted,
        _ => value.to_lowercase() == wanted.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_ends_on_a_missing_or_repeated_cursor_and_on_an_empty_page() {
        let at = |cursor: &str| Place::Cursor(cursor.into());
        let after = |place: &Place, count, cursor: Option<&str>| {
            place.after(Paging::StandardCursor, SearchForm::Get, count, None, cursor.map(str::to_owned))
        };
        assert_eq!(after(&Place::Start, 5, Some("a")), Some(at("a")));
        assert_eq!(after(&at("a"), 5, Some("b")), Some(at("b")));
        assert_eq!(after(&at("a"), 5, Some("a")), None);
        assert_eq!(after(&at("a"), 5, None), None);
        assert_eq!(after(&at("a"), 0, Some("b")), None);
        assert_eq!(
            Place::Start.after(Paging::Standard, SearchForm::Get, 5, Some(6), None),
            Some(Place::Offset(5))
        );
        assert_eq!(Place::Start.after(Paging::Standard, SearchForm::Post, 5, Some(6), None), None);
    }

    #[test]
    fn fields_are_compared_by_their_kind() {
        for (value, wanted, field, same) in [
            ("10442", "10442", "custom1", true),
            ("ab", "AB", "custom1", true),
            ("ab", "AB", "name", false),
            ("7.0", "7", "custom17", true),
            ("7.0", "7", "custom13", false),
            ("true", "TRUE", "custom25", true),
            ("10442", "1044", "custom1", false),
        ] {
            assert_eq!(equal(value, wanted, field, false), same, "{field}: {value} {wanted}");
        }
        assert!(!equal("ab", "AB", "custom1", true));
        assert!(filters(&[("custom1".into(), String::new())]).is_err());
        assert!(filters(&[("libraries".into(), "X".into())]).is_err());
    }
}
