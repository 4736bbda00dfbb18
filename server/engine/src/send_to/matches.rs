//! Which work items belong to a place: those started from it, and those whose own plan leads to it.

use std::collections::BTreeMap;

use postroom_domain::dms::Container;
use postroom_domain::ids::{ServiceName, WorkItemId};
use postroom_domain::mailroom::Entry;
use postroom_domain::person::Principal;
use postroom_domain::query::Window;
use postroom_domain::record;
use postroom_domain::send_to::{Because, Collection, Matching, SendResult, Told, leads_to, started_from};
use postroom_domain::store::StoreResult;
use postroom_domain::work_item::WorkItem;

use super::SendToDesk;
use super::gather::Around;

/// So many are shown.
const SHOWN: usize = 5;
/// So many of one place are looked at.
const OF_ONE_PLACE: usize = 50;
/// Of one client so many pages of work items are looked through.
const MOST_PAGES: usize = 10;
/// Work items on a page.
const PAGE: usize = 100;
/// Words of a title that are tried as a reference.
const MOST_WORDS: usize = 8;
/// Of so many candidates it is looked up where their documents went before.
const MOST_BINDINGS: usize = 200;
/// Hits of a search that are shown.
const MOST_FOUND: usize = 10;

type Candidates = BTreeMap<WorkItemId, WorkItem>;

impl SendToDesk {
    /// The work items that belong to a place, and what is told of it with what they add.
    pub(super) async fn matching(
        &self,
        by: &Principal,
        service: &ServiceName,
        around: &Around,
        told: Told,
    ) -> SendResult<(Vec<Matching>, Told)> {
        let mut matches = BTreeMap::new();
        for place in [&around.folder, &around.workspace].into_iter().flatten() {
            for item in self.started_from(by, service, place).await? {
                matches.insert(item.id, Matching { item, because: Because::Origin });
            }
        }
        let mut told = told;
        if let Some(workspace) = &around.workspace {
            let candidates = self.candidates(by, &told).await?;
            if told.client_name.is_none() {
                let same = |it: &&WorkItem| Some(&it.client.reference) == told.client.as_ref();
                let name = candidates.values().filter(same).map(|it| it.client.name.trim());
                told.client_name = name.rev().find(|name| !name.is_empty()).map(str::to_owned);
            }
            let mut looked_up = 0;
            for (id, item) in candidates {
                if let Some(because) = self.because(service, &item, workspace, &mut looked_up).await? {
                    matches.entry(id).or_insert(Matching { item, because });
                }
            }
        }
        let mut matches: Vec<Matching> = matches.into_values().collect();
        matches.sort_by_key(|it| (!it.item.open, it.because, std::cmp::Reverse(it.item.id)));
        matches.truncate(SHOWN);
        Ok((matches, told))
    }

    async fn started_from(
        &self,
        by: &Principal,
        service: &ServiceName,
        place: &Container,
    ) -> StoreResult<Vec<WorkItem>> {
        let store = &self.reception().store;
        let group = started_from(service, &place.id);
        let entries: Vec<Entry> = record::page(&**store, Some(&group), None, OF_ONE_PLACE).await?;
        let mut items = Vec::new();
        for entry in entries.iter().filter(|entry| by.sites.has(&entry.site)) {
            items.extend(store.work_item(entry.work_item).await?);
        }
        Ok(items)
    }

    /// Work items that may be meant, of which each is verified afterwards.
    async fn candidates(&self, by: &Principal, told: &Told) -> StoreResult<Candidates> {
        let mut found = Candidates::new();
        let words: Vec<&str> = told.title.iter().flat_map(|title| title.split_whitespace()).collect();
        let references =
            told.reference.iter().map(String::as_str).chain(words.iter().copied().take(MOST_WORDS));
        for reference in references {
            for site in by.sites.also.iter().chain([&by.sites.home]) {
                let item = self.reception().store.work_item_by_reference(site, reference).await?;
                found.extend(item.map(|item| (item.id, item)));
            }
        }
        if by.sites.all
            && let Some(reference) = &told.reference
        {
            self.listed(by, reference, &mut found).await?;
        }
        if told.reference.is_none()
            && let Some(client) = &told.client
        {
            self.listed(by, client, &mut found).await?;
        }
        if let Some(title) = &told.title {
            // What a title begins with may be a number that the work item's own title does not have.
            for from in 0..words.len().min(3) {
                let rest = title.splitn(from + 1, char::is_whitespace).last().unwrap_or_default().trim();
                if rest.len() > 2 {
                    self.listed(by, rest, &mut found).await?;
                }
            }
        }
        Ok(found)
    }

    async fn listed(&self, by: &Principal, text: &str, found: &mut Candidates) -> StoreResult<()> {
        let scope = by.sites.scope();
        let mut before = None;
        for _ in 0..MOST_PAGES {
            let window = Window { before, limit: PAGE };
            let page = self.reception().store.list_work_items(&scope, text, window).await?;
            found.extend(page.items.into_iter().map(|item| (item.id, item)));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Why a work item belongs to a workspace, if it does: its own repositories lead there, and nothing that is remembered leads elsewhere.
    async fn because(
        &self,
        service: &ServiceName,
        item: &WorkItem,
        workspace: &Container,
        looked_up: &mut usize,
    ) -> StoreResult<Option<Because>> {
        let reception = self.reception();
        let rules = &reception.rules;
        let serve = rules.repositories.iter().filter(|repository| {
            let served = rules.repository(repository.area, &item.work_type);
            repository.service == *service && served.is_some_and(|it| it.name == repository.name)
        });
        let mut because = None;
        for repository in serve {
            let leads = leads_to(repository, item, workspace, &rules.zone);
            if !leads && *looked_up >= MOST_BINDINGS {
                continue;
            }
            *looked_up += 1;
            match reception.store.binding(item.id, &repository.name).await? {
                Some(binding) if binding.workspace == workspace.id => return Ok(Some(Because::Remembered)),
                None if leads => because = Some(Because::Fields),
                Some(_) | None => {}
            }
        }
        Ok(because)
    }

    /// Open work items by words, for a person who looks for another one.
    pub(super) async fn searched(&self, by: &Principal, words: &str) -> StoreResult<Vec<WorkItem>> {
        let words = words.trim();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let window = Window { before: None, limit: PAGE };
        let page = self.reception().store.list_work_items(&by.sites.scope(), words, window).await?;
        Ok(page.items.into_iter().filter(|item| item.open).take(MOST_FOUND).collect())
    }

    /// The collections that a person may add to, as far as their work items are there and open.
    pub(super) async fn open_collections(&self, by: &Principal) -> StoreResult<Vec<Collection>> {
        let mut open = Vec::new();
        for collection in self.0.collections.iter().filter(|it| it.is_for(by)) {
            if self.visible(by, &collection.work_item).await?.is_some_and(|item| item.open) {
                open.push(collection.clone());
            }
        }
        Ok(open)
    }

    /// A work item by its id or reference, if the person sees it.
    pub(super) async fn visible(&self, by: &Principal, given: &str) -> StoreResult<Option<WorkItem>> {
        let reception = self.reception();
        if let Ok(id) = given.parse() {
            return Ok(reception.store.work_item(id).await?.filter(|item| by.sites.has(&item.site)));
        }
        for site in [&by.sites.home].into_iter().chain(&by.sites.also) {
            if let Some(item) = reception.store.work_item_by_reference(site, given).await? {
                return Ok(Some(item));
            }
        }
        if !by.sites.all {
            return Ok(None);
        }
        let mut found = Candidates::new();
        self.listed(by, given, &mut found).await?;
        Ok(found.into_values().find(|item| item.reference.eq_ignore_ascii_case(given)))
    }
}
