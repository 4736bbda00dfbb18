//! Workspaces and folders: collections, with what `.postroom/workspace.json` says about a workspace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use percent_encoding::percent_decode_str;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Page, Trouble};
use postroom_domain::target::WorkspaceQuery;

use super::multistatus::Entry;
use super::wire::{Depth, Names};
use super::{WebDav, errors};
use crate::share::ids::{self, HIDDEN};
use crate::share::profile::{FILE, Profile};

/// Profiles of workspaces that are read at once.
const AT_ONCE: usize = 8;

/// A resource directly in a collection.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) entry: Entry,
}

/// A listing whose pages are being read: the server gives all of it at once, and once is enough.
#[derive(Debug)]
pub(super) struct Listing {
    collection: String,
    read: Duration,
    children: Arc<Vec<Child>>,
}

/// For so long a listing's further pages come from one answer.
const LISTING_LASTS: Duration = Duration::from_mins(1);
/// So many listings are kept for that.
const MOST_LISTINGS: usize = 4;

/// The children of the collection that was asked for, sorted by name. Names that cannot stand in an id are left out, save our own.
pub(super) fn children(entries: Vec<Entry>, asked: &[String]) -> Vec<Child> {
    // Behind a proxy that changes paths the server names itself otherwise; then the shortest path is what was asked for.
    let itself = if entries.iter().any(|entry| entry.path == asked) {
        asked.to_vec()
    } else {
        entries.iter().map(|entry| &entry.path).min_by_key(|path| path.len()).cloned().unwrap_or_default()
    };
    let mut children: Vec<Child> = entries
        .into_iter()
        .filter(|entry| entry.path.len() == itself.len() + 1 && entry.path.starts_with(&itself))
        .filter(|entry| entry.status.is_none_or(|status| status < 300))
        .filter_map(|entry| Some(Child { name: entry.path.last()?.clone(), entry }))
        .filter(|child| !child.name.contains(['/', '\0']))
        .collect();
    children.sort_by(|a, b| a.name.cmp(&b.name));
    children.dedup_by(|a, b| a.name == b.name);
    children
}

/// A part of a sorted listing; the page's name is the last name of the one before.
pub(super) fn paged<T>(
    items: Vec<T>,
    size: usize,
    after: Option<&str>,
    name: impl Fn(&T) -> &str,
) -> Page<T> {
    let from = after.map_or(0, |after| items.partition_point(|item| name(item) <= after));
    let more = items.len() > from + size;
    let items: Vec<T> = items.into_iter().skip(from).take(size).collect();
    let next = items.last().filter(|_| more).map(|item| name(item).to_owned());
    Page { items, next }
}

/// A folder as the contract tells it.
pub(super) fn folder(parent: &str, name: &str, open: bool) -> Container {
    Container {
        id: format!("{parent}/{name}"),
        name: name.to_owned(),
        open,
        parent: Some(parent.to_owned()),
        workspace: parent.split('/').next().map(str::to_owned),
        ..Container::default()
    }
}

impl WebDav {
    /// The decoded path of a resource, as answers tell it.
    pub(super) fn decoded(&self, names: &Names<'_>) -> Vec<String> {
        let url = self.wire.url(names);
        let segments = url.path().split('/').filter(|name| !name.is_empty());
        segments.map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned()).collect()
    }

    /// What is directly in a collection, our own files included; none when it is not there.
    pub(super) async fn inside(&self, names: &Names<'_>) -> DmsResult<Option<Vec<Child>>> {
        let entries = self.wire.list(self.wire.collection(names), Depth::Children).await?;
        Ok(entries.map(|entries| children(entries, &self.decoded(names))))
    }

    /// What is directly in a container, for a page of a listing. The first page reads it.
    pub(super) async fn listing(&self, id: &str, page: Option<&str>) -> DmsResult<Arc<Vec<Child>>> {
        let now = self.clock.monotonic();
        if page.is_some() {
            let known = self.listings.lock().await;
            let fresh = |it: &&Listing| it.collection == id && now.saturating_sub(it.read) < LISTING_LASTS;
            if let Some(listing) = known.iter().find(fresh) {
                return Ok(Arc::clone(&listing.children));
            }
        }
        let missing = || errors::missing(&format!("{id:?}"));
        let names = ids::parse(id)?;
        self.entry(&names, true).await?.filter(|entry| entry.props.collection).ok_or_else(missing)?;
        let children = Arc::new(self.inside(&names).await?.ok_or_else(missing)?);
        let mut known = self.listings.lock().await;
        known.retain(|it| it.collection != id && now.saturating_sub(it.read) < LISTING_LASTS);
        if children.len() > self.settings.page {
            if known.len() == MOST_LISTINGS {
                known.remove(0);
            }
            known.push(Listing { collection: id.to_owned(), read: now, children: Arc::clone(&children) });
        }
        Ok(children)
    }

    /// One resource; none when it is not there.
    pub(super) async fn entry(&self, names: &Names<'_>, collection: bool) -> DmsResult<Option<Entry>> {
        let url = if collection { self.wire.collection(names) } else { self.wire.url(names) };
        let Some(entries) = self.wire.list(url, Depth::Itself).await? else { return Ok(None) };
        let Some(entry) = entries.into_iter().next() else { return Ok(None) };
        match entry.status {
            Some(404 | 410) => Ok(None),
            Some(status) if status >= 300 => {
                Err(errors::by_status(status, &format!("looking at {:?}", names.join("/"))))
            }
            _ => Ok(Some(entry)),
        }
    }

    /// What a workspace says about itself.
    pub(super) async fn profile_of(&self, workspace: &str) -> DmsResult<Profile> {
        let text = self.wire.file(&[workspace, HIDDEN, FILE]).await?;
        let profile = text
            .filter(|text| !text.is_empty())
            .map_or_else(|| Ok(Profile::default()), |t| Profile::parse(&t));
        profile.map_err(|why| {
            let detail = format!("the profile of workspace {workspace:?} cannot be read: {why}");
            DmsError::from_trouble(Trouble::new(Cause::Rejected, detail))
        })
    }

    /// A container, with the room that its collection has left.
    pub(super) async fn place(&self, id: &str) -> DmsResult<(Container, Option<u64>)> {
        let names = ids::parse(id)?;
        let missing = || errors::missing(&format!("{id:?}"));
        let entry =
            self.entry(&names, true).await?.filter(|entry| entry.props.collection).ok_or_else(missing)?;
        let profile = self.profile_of(names[0]).await?;
        let is_workspace = names.len() == 1;
        let container = Container {
            id: id.to_owned(),
            name: names[names.len() - 1].to_owned(),
            open: profile.open,
            kind: if is_workspace { ContainerKind::Workspace } else { ContainerKind::Folder },
            parent: (!is_workspace).then(|| names[..names.len() - 1].join("/")),
            workspace: Some(names[0].to_owned()),
            fields: if is_workspace { profile.fields } else { BTreeMap::new() },
        };
        Ok((container, entry.props.available))
    }

    /// A container that takes documents.
    pub(super) async fn open_place(&self, id: &str) -> DmsResult<(Container, Option<u64>)> {
        let found = self.place(id).await?;
        if found.0.open {
            return Ok(found);
        }
        let detail = format!("workspace {:?} is closed", found.0.workspace.unwrap_or_default());
        Err(DmsError::from_trouble(Trouble::new(Cause::TargetClosed, detail)))
    }

    /// The names of all workspaces.
    pub(super) async fn workspaces(&self) -> DmsResult<Vec<String>> {
        let all =
            self.inside(&[]).await?.ok_or_else(|| errors::missing("the collection of the workspaces"))?;
        let collections = all.into_iter().filter(|it| it.entry.props.collection && ids::is_plain(&it.name));
        Ok(collections.map(|child| child.name).collect())
    }

    /// Workspaces that match exactly.
    pub(super) async fn find(&self, query: &WorkspaceQuery, limit: usize) -> DmsResult<Vec<Container>> {
        match query {
            WorkspaceQuery::Title(name) | WorkspaceQuery::Pinned(name) if ids::is_plain(name) => {
                let found = match self.place(name).await {
                    Err(DmsError::NotFound(_)) => return Ok(Vec::new()),
                    other => other?.0,
                };
                // A server that does not tell upper from lower case finds what nobody asked for.
                let exact = self.workspaces().await?.contains(name);
                Ok(if exact && limit > 0 { vec![found] } else { Vec::new() })
            }
            // A title with a slash cannot be a collection's name, so nothing has it.
            WorkspaceQuery::Title(_) | WorkspaceQuery::Pinned(_) => Ok(Vec::new()),
            WorkspaceQuery::Fields(wanted) if wanted.is_empty() => Ok(Vec::new()),
            WorkspaceQuery::Fields(wanted) => {
                let matches = |fields: &BTreeMap<String, String>| {
                    wanted.iter().all(|(key, value)| fields.get(key) == Some(value))
                };
                let mut found = Vec::new();
                for (name, remembered) in self.all_profiles().await? {
                    if found.len() == limit {
                        break;
                    }
                    if !matches(&remembered.fields) {
                        continue;
                    }
                    match self.place(&name).await {
                        Ok((workspace, _)) if matches(&workspace.fields) => found.push(workspace),
                        Ok(_) | Err(DmsError::NotFound(_)) => {}
                        Err(e) => return Err(e),
                    }
                }
                Ok(found)
            }
        }
    }

    /// Every workspace's profile, remembered for a while: there is one call per workspace in it.
    async fn all_profiles(&self) -> DmsResult<Vec<(String, Profile)>> {
        let names = self.workspaces().await?;
        let (now, keep) = (self.clock.monotonic(), Duration::from_secs(self.settings.fields_cache_seconds));
        let mut known = self.profiles.lock().await;
        known.retain(|name, (read, _)| now.saturating_sub(*read) < keep && names.binary_search(name).is_ok());
        let missing = names.iter().filter(|name| !known.contains_key(*name)).cloned();
        let reads: Vec<_> = missing.map(|name| self.named_profile(name)).collect();
        let read: Vec<(String, Profile)> =
            futures_util::stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        known.extend(read.into_iter().map(|(name, profile)| (name, (now, profile))));
        Ok(names.into_iter().filter_map(|name| Some((name.clone(), known.get(&name)?.1.clone()))).collect())
    }

    async fn named_profile(&self, name: String) -> DmsResult<(String, Profile)> {
        let profile = self.profile_of(&name).await?;
        Ok((name, profile))
    }

    /// Workspaces of which the name or a field holds every word.
    pub(super) async fn search(&self, text: &str, page: Option<&str>) -> DmsResult<Page<Container>> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let holds = |name: &str, profile: &Profile| {
            let all = std::iter::once(name).chain(profile.fields.values().map(String::as_str));
            let all = all.collect::<Vec<_>>().join("\n").to_lowercase();
            words.iter().all(|word| all.contains(word))
        };
        let found = self.all_profiles().await?.into_iter().filter(|(name, profile)| holds(name, profile));
        let containers = found.map(|(name, profile)| Container {
            id: name.clone(),
            workspace: Some(name.clone()),
            name,
            open: profile.open,
            kind: ContainerKind::Workspace,
            fields: profile.fields,
            parent: None,
        });
        Ok(paged(containers.collect(), self.settings.page, page, |it| &it.name))
    }

    /// The folders in a container, page by page.
    pub(super) async fn folders_in(&self, id: &str, page: Option<&str>) -> DmsResult<Page<Container>> {
        let (parent, _) = self.place(id).await?;
        let all = self.listing(id, page).await?;
        let folders = all.iter().filter(|it| it.entry.props.collection && ids::is_plain(&it.name));
        let folders = folders.map(|child| folder(id, &child.name, parent.open)).collect();
        Ok(paged(folders, self.settings.page, page, |it: &Container| &it.name))
    }

    /// Makes a folder. Some servers say so of one that is there already, so that is asked first.
    pub(super) async fn make_folder(&self, parent: &str, name: &str) -> DmsResult<Container> {
        let safe = crate::names::safe(name, self.settings.longest_name);
        if safe != name {
            let message = format!("{name:?} cannot be the name of a folder; {safe:?} could");
            return Err(errors::rejected("folder", message));
        }
        let (found, _) = self.open_place(parent).await?;
        let mut names = ids::parse(parent)?;
        names.push(name);
        let _turn = self.turn(parent).lock().await;
        let taken = || errors::taken(&format!("{name:?} in {parent:?}"));
        if self.entry(&names, false).await?.is_some() {
            return Err(taken());
        }
        let reply = self.wire.make(&names).await?;
        if reply.status == 405 {
            return Err(taken());
        }
        super::wire::done(&reply, &format!("creating folder {name:?} in {parent:?}"))?;
        Ok(folder(parent, name, found.open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        Entry { path: path.split('/').map(str::to_owned).collect(), ..Entry::default() }
    }

    #[test]
    fn children_are_those_directly_below_whatever_the_server_calls_itself() {
        let names = |paths: &[&str], asked: &str| -> Vec<String> {
            let asked: Vec<String> = asked.split('/').map(str::to_owned).collect();
            children(paths.iter().map(|path| entry(path)).collect(), &asked)
                .into_iter()
                .map(|c| c.name)
                .collect()
        };
        assert_eq!(names(&["dav/c", "dav/c/b", "dav/c/a", "dav/c/a/x", "dav/d"], "dav/c"), ["a", "b"]);
        assert_eq!(names(&["inner/c/b", "inner/c", "inner/c/a"], "outer/dav/c"), ["a", "b"]);
        assert_eq!(names(&["dav/c", "dav/c/b", "dav/c/b"], "dav/c"), ["b"]);
        assert_eq!(names(&[], "dav/c"), Vec::<String>::new());
    }

    #[test]
    fn pages_have_no_gaps_and_no_repeats_when_names_come_and_go() {
        let items = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let page = |text: &str, after| paged(items(text), 2, after, |item: &String| item.as_str());
        assert_eq!(page("a b c", None), Page { items: items("a b"), next: Some("b".into()) });
        assert_eq!(page("a b c", Some("b")), Page { items: items("c"), next: None });
        assert_eq!(page("a c d e", Some("b")), Page { items: items("c d"), next: Some("d".into()) });
        assert_eq!(page("a b", Some("b")), Page { items: vec![], next: None });
        assert_eq!(page("a b", None), Page { items: items("a b"), next: None });
    }
}
