//! Workspaces and folders: finding, listing, creating.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use postroom_domain::dms::{Container, DmsError, DmsResult, Page};
use postroom_domain::target::WorkspaceQuery;
use postroom_outbound::Method;
use serde_json::{Map, Value, json};
use tracing::warn;

use super::settings::{Paging, SearchForm, Settings};
use super::wire::{Envelope, Item};
use super::{Imanage, errors, ids};

/// What an id of a container stands for; the id itself does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Workspace,
    Tab,
    Folder,
    /// A saved search, which holds no documents of its own.
    Search,
}

/// Remembers kinds, so that one call is enough for a container seen before. Forgetting costs a call, no more.
#[derive(Default)]
pub(super) struct Kinds(Mutex<HashMap<String, Kind>>);

/// So many are remembered before all are forgotten.
const MOST_KINDS: usize = 50_000;
/// Most pages of a search. What matches exactly is usually on the first.
const MOST_SEARCH_PAGES: usize = 20;

impl Kinds {
    pub(super) fn of(&self, id: &str) -> Option<Kind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    fn learn(&self, id: &str, kind: Kind) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() >= MOST_KINDS {
            kinds.clear();
        }
        kinds.insert(id.to_owned(), kind);
    }
}

/// The next offset of a listing, or `None` at its end. A short page does not prove the end: servers cap pages as they like.
pub(super) fn next_offset(offset: u64, on_page: usize, total: Option<u64>) -> Option<u64> {
    let next = offset + on_page as u64;
    (on_page > 0 && total.is_none_or(|total| next < total)).then_some(next)
}

impl Imanage {
    fn container_of(&self, item: &Item, fallback: Kind) -> Option<Container> {
        let id = item.text("id").filter(|id| ids::container(id).is_ok())?;
        let kind = match item.text("folder_type").as_deref() {
            Some("tab") => Kind::Tab,
            Some("regular") => Kind::Folder,
            Some("search") => Kind::Search,
            _ => fallback,
        };
        self.kinds.learn(&id, kind);
        let sign = &self.settings.closed_field;
        let closed = item.text(&sign.field).is_some_and(|value| value.eq_ignore_ascii_case(&sign.value));
        let wanted = |key: &str| {
            (key.starts_with("custom") && !key.ends_with("_description"))
                || matches!(
                    key,
                    "class" | "subclass" | "owner" | "description" | "workspace_id" | "workspace_name"
                )
        };
        let fields: BTreeMap<_, _> =
            item.fields().filter(|(k, _)| wanted(k)).map(|(k, v)| (k.to_owned(), v)).collect();
        Some(Container {
            name: item.text("name").unwrap_or_default(),
            open: !closed && kind != Kind::Search,
            id,
            fields,
        })
    }

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
                let mut fields =
                    vec!["id", "name", "database", "description", "owner", "class", "subclass", "wstype"];
                fields.extend(filters.iter().map(|(k, _)| *k));
                fields.push(&self.settings.closed_field.field);
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

    /// A container by its id. Of a kind that is not known yet, the kinds in question are tried in turn.
    pub(super) async fn by_id(&self, id: &str, kinds: &[Kind]) -> DmsResult<Container> {
        let parsed = ids::container(id)?;
        let tenant = self.tenant().await?;
        let mut missing = None;
        for kind in kinds {
            let (kind_path, what) = match kind {
                Kind::Workspace => ("workspaces", "workspace"),
                Kind::Tab | Kind::Folder | Kind::Search => ("folders", "folder"),
            };
            let url = tenant.url(&["libraries", parsed.library, kind_path, id], &[]);
            let reply = self.ask("container", Method::GET, url, None).await?;
            if reply.is_success() {
                let item = reply.json::<Envelope>()?.object();
                let found = item.and_then(|item| self.container_of(&item, *kind));
                return found.ok_or_else(|| reply.unreadable("the container has no id").into());
            }
            let error = errors::shape(
                &reply,
                &format!("reading {what} {id} (absent, or not visible)"),
                &self.settings,
            );
            match error {
                DmsError::NotFound(_) => missing = Some(error),
                other => return Err(other),
            }
        }
        Err(missing.unwrap_or_else(|| errors::rejected("container", format!("{id} is of no known kind"))))
    }

    /// The kind of a container, asked for when it is not remembered.
    async fn kind(&self, id: &str) -> DmsResult<Kind> {
        if let Some(kind) = self.kinds.of(id) {
            return Ok(kind);
        }
        self.by_id(id, &[Kind::Folder, Kind::Workspace]).await?;
        Ok(self.kinds.of(id).unwrap_or(Kind::Folder))
    }

    /// One page of the folders directly in a container.
    pub(super) async fn children(&self, container: &str, page: Option<&str>) -> DmsResult<Page<Container>> {
        let parsed = ids::container(container)?;
        let kind_path = if self.kind(container).await? == Kind::Workspace { "workspaces" } else { "folders" };
        let offset = match page {
            None => 0,
            Some(page) => page
                .parse::<u64>()
                .map_err(|_| errors::rejected("page", format!("{page:?} is not a page of a listing")))?,
        };
        let (limit, from) = (self.settings.page.to_string(), offset.to_string());
        let query = [("limit", limit.as_str()), ("offset", &from), ("total", "true")];
        let url = self
            .tenant()
            .await?
            .url(&["libraries", parsed.library, kind_path, container, "children"], &query);
        let reply = self.ask("children", Method::GET, url, None).await?;
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("listing folders of {container}"), &self.settings));
        }
        let mut envelope: Envelope = reply.json()?;
        let total = envelope.total();
        let items = envelope.items();
        let next = next_offset(offset, items.len(), total).map(|next| next.to_string());
        let folders = items.iter().filter(|item| item.is_folder());
        // Saved searches look like folders but hold nothing.
        let folders = folders.filter_map(|item| self.container_of(item, Kind::Folder)).filter(|c| c.open);
        Ok(Page { items: folders.collect(), next })
    }

    /// Creates a folder in a workspace, tab or folder.
    pub(super) async fn make_folder(&self, parent: &str, name: &str) -> DmsResult<Container> {
        let parsed = ids::container(parent)?;
        if name.trim().is_empty()
            || name.chars().count() > LONGEST_FOLDER_NAME
            || name.contains(char::is_control)
        {
            let message = format!(
                "{name:?} cannot be the name of a folder: it is empty, too long or holds control characters"
            );
            return Err(errors::rejected("folder", message));
        }
        let path = match self.kind(parent).await? {
            Kind::Workspace => ["libraries", parsed.library, "workspaces", parent, "folders"],
            _ => ["libraries", parsed.library, "folders", parent, "subfolders"],
        };
        let mut body = json!({ "name": name });
        if let Some(security) = &self.settings.default_security {
            body["default_security"] = Value::from(security.as_str());
        }
        let url = self.tenant().await?.url(&path, &[]);
        let reply = self.ask("create_folder", Method::POST, url, Some(&body)).await?;
        if !reply.is_success() {
            return Err(errors::shape(
                &reply,
                &format!("creating folder {name:?} in {parent}"),
                &self.settings,
            ));
        }
        let item = reply.json::<Envelope>()?.object();
        let found = item.and_then(|item| self.container_of(&item, Kind::Folder));
        let mut found = found.ok_or_else(|| DmsError::from(reply.unreadable("the new folder has no id")))?;
        if found.name.is_empty() {
            name.clone_into(&mut found.name);
        }
        Ok(found)
    }
}

/// As iManage's own connector states it.
const LONGEST_FOLDER_NAME: usize = 254;

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

/// The library of a call: the target's, or the one of the settings, or the account's preferred one.
impl Imanage {
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

/// Which class a document gets, if the settings say one.
pub(super) fn class(settings: &Settings, is_email: bool) -> Option<&str> {
    let email = settings.email_class.as_deref().filter(|_| is_email);
    email.or(settings.class.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_end_when_the_count_says_so_or_a_page_is_empty() {
        assert_eq!(next_offset(0, 50, Some(120)), Some(50));
        assert_eq!(next_offset(100, 20, Some(120)), None);
        assert_eq!(next_offset(0, 10, None), Some(10), "a short page does not prove the end");
        assert_eq!(next_offset(10, 0, None), None);
        assert_eq!(next_offset(10, 0, Some(100)), None, "nothing more comes although more was promised");
    }

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
