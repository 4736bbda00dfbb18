//! Sites: HighQ's workspaces. It has no search by client and matter, so all sites are read once and kept as an index, which is read
//! again when it is old or does not know what is asked for. What it finds is asked again before it is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::dms::{
    Container, ContainerKind, DmsError, DmsResult, Library, LookupQuery, LookupRow, Page, Shelf,
};
use postroom_domain::target::WorkspaceQuery;
use tracing::{debug, info};

use super::seat::Seat;
use super::wire::Item;
use super::{errors, ids};

/// A site, as an answer tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Site {
    pub(super) id: u64,
    pub(super) name: String,
    /// As HighQ writes it; empty where it does not tell.
    pub(super) status: String,
    pub(super) item: Item,
}

/// All sites that the account sees.
pub(super) struct Index {
    sites: Vec<Site>,
    read_at: Duration,
}

/// Fields that are not kept with a container: they are objects, say nothing, or change with each visit.
const NOT_KEPT: [&str; 4] = ["size", "lastaccesseddate", "link", "sitehttplink"];

impl Seat {
    fn site_from(&self, item: Item) -> Option<Site> {
        let id = item.number("id").or_else(|| item.number("siteid"))?;
        if let Some(root) = item.number("sitefolderID").or_else(|| item.number("sitefolderid")) {
            self.places.learn_root(id, root);
        }
        let name = item.text("sitename").or_else(|| item.text("name")).unwrap_or_default();
        Some(Site { id, name, status: item.text("status").unwrap_or_default(), item })
    }

    /// Whether documents may be put in. A state that is not told is found out when something is filed.
    pub(super) fn is_open(&self, site: &Site) -> bool {
        let same = |open: &String| open.eq_ignore_ascii_case(&site.status);
        site.status.is_empty() || self.settings.open_statuses.iter().any(same)
    }

    pub(super) fn workspace(&self, site: &Site) -> Container {
        let kept = |key: &str| !NOT_KEPT.contains(&key);
        let id = ids::site_id(site.id);
        Container {
            name: site.name.clone(),
            open: self.is_open(site),
            kind: ContainerKind::Workspace,
            parent: None,
            workspace: Some(id.clone()),
            fields: site.item.fields().filter(|(k, _)| kept(k)).map(|(k, v)| (k.to_owned(), v)).collect(),
            id,
        }
    }

    /// A site, asked for now.
    pub(super) async fn site(&self, id: u64) -> DmsResult<Site> {
        let url = self.url(self.settings.versions.sites, &["sites", &id.to_string()], &[]);
        let item = self.get("site", url, &format!("reading site {id} (absent, or not visible)")).await?;
        let item = if item.has("sitename") { item } else { item.entries("site").pop().unwrap_or(item) };
        let site = self.site_from(item).filter(|site| site.id == id);
        site.ok_or_else(|| errors::missing(format!("the answer about site {id} is about something else")))
    }

    /// One list of sites.
    pub(super) async fn list_sites(&self, query: &[(&str, &str)], doing: &str) -> DmsResult<Vec<Site>> {
        let url = self.url(self.settings.versions.sites, &["sites"], query);
        let item = self.get("sites", url, doing).await?;
        Ok(item.entries("site").into_iter().filter_map(|item| self.site_from(item)).collect())
    }

    /// All sites; read again if what is known is older than `age`.
    async fn index(&self, age: Duration) -> DmsResult<Arc<Index>> {
        let mut known = self.index.lock().await;
        if let Some(index) = &*known
            && self.clock.monotonic().saturating_sub(index.read_at) < age
        {
            return Ok(Arc::clone(index));
        }
        // What changes while it is being read may be missing, so its age counts from before.
        let read_at = self.clock.monotonic();
        let mut sites: BTreeMap<u64, Site> = BTreeMap::new();
        for (n, status) in self.settings.index_statuses.iter().enumerate() {
            let mut query = vec![("filterby", "all")];
            if !status.is_empty() {
                query.push(("status", status));
            }
            match self.list_sites(&query, "reading all sites").await {
                Ok(list) => sites.extend(list.into_iter().map(|site| (site.id, site))),
                Err(error) if n > 0 && may_be_left_out(&error) => {
                    debug!(dms.service = %self.name, highq.status = %status, error = %error,
                        "HighQ does not list sites of a state.");
                }
                Err(error) => return Err(error),
            }
        }
        info!(dms.service = %self.name, highq.sites = sites.len(), "Read HighQ's sites.");
        let index = Arc::new(Index { sites: sites.into_values().collect(), read_at });
        *known = Some(Arc::clone(&index));
        Ok(index)
    }

    fn usual_age(&self) -> Duration {
        Duration::from_secs(self.settings.index_seconds)
    }

    fn young(&self) -> Duration {
        Duration::from_secs(self.settings.index_miss_seconds)
    }

    /// Workspaces that match exactly.
    pub(super) async fn find(
        &self,
        library: &str,
        query: &WorkspaceQuery,
        limit: usize,
    ) -> DmsResult<Vec<Container>> {
        let only = if library.is_empty() { None } else { Some(ids::library(library)?) };
        let mut found = match query {
            WorkspaceQuery::Title(title) => self.by_title(title).await?,
            WorkspaceQuery::Fields(fields) => self.by_fields(fields, only, limit).await?,
            WorkspaceQuery::Pinned(id) => match ids::library(id) {
                Ok(id) => match self.site(id).await {
                    Ok(site) => vec![site],
                    Err(DmsError::NotFound(_)) => Vec::new(),
                    Err(error) => return Err(error),
                },
                Err(_) => Vec::new(),
            },
        };
        found.retain(|site| only.is_none_or(|only| site.id == only));
        found.truncate(limit);
        Ok(found.iter().map(|site| self.workspace(site)).collect())
    }

    /// `name` finds what contains it, so each is compared again.
    async fn by_title(&self, title: &str) -> DmsResult<Vec<Site>> {
        if title.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut found: BTreeMap<u64, Site> = BTreeMap::new();
        for (n, status) in self.settings.index_statuses.iter().enumerate() {
            let mut query = vec![("filterby", "all"), ("name", title)];
            if !status.is_empty() {
                query.push(("status", status));
            }
            match self.list_sites(&query, "searching sites by name").await {
                Ok(list) => {
                    found.extend(list.into_iter().filter(|it| it.name == title).map(|it| (it.id, it)));
                }
                Err(error) if n > 0 && may_be_left_out(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found.into_values().collect())
    }

    async fn by_fields(
        &self,
        fields: &[(String, String)],
        only: Option<u64>,
        limit: usize,
    ) -> DmsResult<Vec<Site>> {
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let fits = |site: &Site| {
            only.is_none_or(|only| site.id == only)
                && fields.iter().all(|(key, value)| site.item.text(key).as_deref() == Some(value))
        };
        let mut age = self.usual_age();
        loop {
            let index = self.index(age).await?;
            let old = self.clock.monotonic().saturating_sub(index.read_at) >= self.young();
            let mut found: Vec<Site> =
                index.sites.iter().filter(|site| fits(site)).take(limit).cloned().collect();
            if old {
                // The index tells what was; a site may have been closed, renumbered or taken away since.
                let mut fresh = Vec::new();
                for site in found {
                    match self.site(site.id).await {
                        Ok(site) if fits(&site) => fresh.push(site),
                        Ok(_) | Err(DmsError::NotFound(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                found = fresh;
            }
            if !found.is_empty() || !old {
                return Ok(found);
            }
            age = self.young();
        }
    }

    /// The sites as libraries, page by page.
    pub(super) async fn libraries(&self, page: Option<&str>) -> DmsResult<Page<Library>> {
        let index = self.index(self.usual_age()).await?;
        let (sites, next) = piece(&index.sites, page, self.settings.page);
        let library = |site: &Site| Library {
            id: site.id.to_string(),
            name: site.name.clone(),
            fields: self.workspace(site).fields,
        };
        Ok(Page { items: sites.iter().map(library).collect(), next })
    }

    /// Sites whose name, client or matter holds words.
    pub(super) async fn search(
        &self,
        library: &str,
        text: &str,
        page: Option<&str>,
    ) -> DmsResult<Page<Container>> {
        let only = if library.is_empty() { None } else { Some(ids::library(library)?) };
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let fits = |site: &&Site| {
            let hay = ["clientno", "matterno", "sitedescription"]
                .map(|key| site.item.text(key).unwrap_or_default());
            let hay = format!("{} {}", site.name, hay.join(" ")).to_lowercase();
            only.is_none_or(|only| site.id == only) && words.iter().all(|word| hay.contains(word.as_str()))
        };
        // Somebody who searches wants what was made a minute ago too.
        let index = self.index(self.young()).await?;
        let found: Vec<&Site> = index.sites.iter().filter(fits).collect();
        let (sites, next) = piece(&found, page, self.settings.page);
        Ok(Page { items: sites.iter().map(|site| self.workspace(site)).collect(), next })
    }

    pub(super) async fn shelf(&self, library: &str, shelf: Shelf) -> DmsResult<Vec<Container>> {
        let only = if library.is_empty() { None } else { Some(ids::library(library)?) };
        let by = match shelf {
            Shelf::Recent => "recent",
            Shelf::Favourites => "favourite",
        };
        let sites =
            self.list_sites(&[("filterby", by), ("returncount", "100")], "reading a list of sites").await?;
        let sites = sites.iter().filter(|site| only.is_none_or(|only| site.id == only));
        Ok(sites.map(|site| self.workspace(site)).collect())
    }

    /// Values that sites have in a field, such as the matters of a client.
    pub(super) async fn values(
        &self,
        query: LookupQuery<'_>,
        page: Option<&str>,
    ) -> DmsResult<Page<LookupRow>> {
        let key = match query.field {
            "clientno" | "matterno" => query.field,
            other => {
                let message = format!("{other:?} has no list of values here; clientno and matterno have");
                return Err(errors::rejected(other, message));
            }
        };
        let index = self.index(self.young()).await?;
        let text = query.text.to_lowercase();
        let mut rows: BTreeMap<String, (BTreeSet<&str>, bool)> = BTreeMap::new();
        for site in &index.sites {
            let Some(value) = site.item.text(key) else { continue };
            let above = query.parent.is_none_or(|it| site.item.text("clientno").as_deref() == Some(it));
            let hit = value.to_lowercase().contains(&text) || site.name.to_lowercase().contains(&text);
            if above && hit {
                let row = rows.entry(value).or_default();
                row.0.insert(&site.name);
                row.1 |= self.is_open(site);
            }
        }
        let rows = rows.into_iter().map(|(key, (names, open))| {
            // A client has many sites; their names describe none of them.
            let description = if names.len() == 1 { names.into_iter().collect() } else { String::new() };
            LookupRow { key, description, open }
        });
        let rows: Vec<LookupRow> = rows.collect();
        let (items, next) = piece(&rows, page, self.settings.page);
        Ok(Page { items: items.to_vec(), next })
    }

    /// Whether a site keeps its documents from the API: it has a password, a second factor, terms to accept or DRM. Such a site is
    /// left out of what HighQ tells its own drive, and in what it tells others.
    pub(super) async fn is_restricted(&self, site: &Site) -> DmsResult<bool> {
        let query = [("filterby", "all"), ("name", site.name.as_str())];
        let all = self.list_sites(&query, "looking for a restricted site").await?;
        if !all.iter().any(|it| it.id == site.id) {
            return Ok(false);
        }
        let drive = [query[0], query[1], ("callFrom", "HIGHQDRIVE")];
        let served = self.list_sites(&drive, "looking for a restricted site").await?;
        Ok(!served.iter().any(|it| it.id == site.id))
    }
}

/// Whether a refusal only says that sites of a state are not shown to this account, or that the state is not known.
fn may_be_left_out(error: &DmsError) -> bool {
    matches!(error.trouble().status, Some(400 | 403 | 404 | 422))
}

/// One piece of a list that is known whole, and where it goes on.
fn piece<'a, T>(all: &'a [T], page: Option<&str>, size: usize) -> (&'a [T], Option<String>) {
    let from = page.and_then(|text| text.parse().ok()).unwrap_or(0_usize).min(all.len());
    let to = from.saturating_add(size).min(all.len());
    (&all[from..to], (to < all.len()).then(|| to.to_string()))
}
