//! Lists that people choose from: libraries, documents of a folder, an account's own lists of workspaces, values of fields.

use std::collections::BTreeSet;

use postroom_domain::dms::{Container, DmsResult, Document, Library, LookupQuery, LookupRow, Page, Shelf};
use postroom_outbound::{Method, Reply};
use url::Url;

use super::places::{Kind, next_offset, offset_of};
use super::profile::document;
use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};

/// Most pages of an account's own list. It is a person's list, not an archive.
const MOST_SHELF_PAGES: usize = 10;

impl Seat {
    /// The libraries of the tenant that the account sees. No paging of this list is documented.
    pub(super) async fn all_libraries(&self) -> DmsResult<Page<Library>> {
        let url = self.tenant().await?.url(&["libraries"], &[]);
        let (items, _) = self.list("libraries", url, "listing libraries").await?;
        let library = |item: &Item| {
            let id = item.text("id")?;
            let name = item.text("display_name").filter(|name| !name.is_empty());
            let fields = ["type", "is_hidden"].iter();
            let fields = fields.filter_map(|key| Some(((*key).to_owned(), item.text(key)?)));
            Some(Library { name: name.unwrap_or_else(|| id.clone()), fields: fields.collect(), id })
        };
        Ok(Page { items: items.iter().filter_map(library).collect(), next: None })
    }

    /// One page of the documents in a folder, each told of by its newest version.
    pub(super) async fn documents_in(&self, folder: &str, page: Option<&str>) -> DmsResult<Page<Document>> {
        let parsed = ids::container(folder)?;
        let offset = offset_of(page)?;
        if matches!(self.kind(folder).await?, Kind::Workspace | Kind::Search) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let path = ["libraries", parsed.library, "folders", folder, "documents"];
        let url = self.page_of(&path, &[], offset).await?;
        let reply = self.ask("list_documents", Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            // "No record" may mean an empty folder or a vanished one.
            self.by_id(folder, &[Kind::Folder]).await?;
            return Ok(Page { items: Vec::new(), next: None });
        }
        let (items, next) = self.items(&reply, offset, &format!("listing documents of {folder}"))?;
        let told = items.iter().filter(|item| item.text("id").is_some_and(|id| ids::document(&id).is_ok()));
        let told = told.map(|item| Document { container: Some(folder.to_owned()), ..document(item) });
        Ok(Page { items: told.collect(), next })
    }

    /// The account's own list of workspaces.
    pub(super) async fn shelf_of(&self, library: &str, shelf: Shelf) -> DmsResult<Vec<Container>> {
        let library = self.library(library).await?;
        let (path, doing): (&[&str], _) = match shelf {
            Shelf::Recent => (&["recent-workspaces"], "listing recent workspaces"),
            Shelf::Favourites => (&["my-favorites", "children"], "listing favourites"),
        };
        let path = [&["libraries", library.as_str()], path].concat();
        let (mut found, mut seen, mut offset) = (Vec::<Container>::new(), BTreeSet::new(), 0);
        for _ in 0..MOST_SHELF_PAGES {
            let url = self.page_of(&path, &[], offset).await?;
            let reply = self.ask("shelf", Method::GET, url, None).await?;
            if errors::is_nothing_found(&reply) {
                return Ok(found);
            }
            let (items, next) = self.items(&reply, offset, doing)?;
            let before = seen.len();
            seen.extend(items.iter().filter_map(|item| item.text("id")));
            // Favourites hold folders and documents as well.
            for item in items.iter().filter(|it| it.text("wstype").is_none_or(|kind| kind == "workspace")) {
                if let Some(container) = self.container_of(item, Kind::Workspace)
                    && !found.iter().any(|known| known.id == container.id)
                {
                    found.push(container);
                }
            }
            match next {
                // A server that leaves the offset out of account would tell the same again and again.
                Some(next) if seen.len() > before => offset = offset_of(Some(&next))?,
                _ => break,
            }
        }
        Ok(found)
    }

    /// Values of a field, below the value it depends on.
    pub(super) async fn values(
        &self,
        library: &str,
        query: LookupQuery<'_>,
        page: Option<&str>,
    ) -> DmsResult<Page<LookupRow>> {
        let library = self.library(library).await?;
        let offset = offset_of(page)?;
        if !is_lookup(query.field) {
            let message = format!("{:?} has no list of values", query.field);
            return Err(errors::rejected(query.field, message));
        }
        let mut more = Vec::new();
        if !query.text.is_empty() {
            more.push((self.settings.lookup_parameter.as_str(), query.text));
        }
        more.extend(query.parent.map(|parent| ("parent_alias", parent)));
        let path = ["libraries", library.as_str(), "customs", query.field, "search"];
        let url = self.page_of(&path, &more, offset).await?;
        let reply = self.ask("lookup", Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let (items, next) = self.items(&reply, offset, &format!("listing values of {}", query.field))?;
        Ok(Page { items: items.iter().filter_map(|item| row(item, &query)).collect(), next })
    }

    /// The address of a page of a list.
    async fn page_of(&self, path: &[&str], more: &[(&str, &str)], offset: u64) -> DmsResult<Url> {
        let (limit, from) = (self.settings.page.to_string(), offset.to_string());
        let mut query = more.to_vec();
        query.extend([("limit", limit.as_str()), ("offset", &from), ("total", "true")]);
        Ok(self.tenant().await?.url(path, &query))
    }

    /// A whole list, with its count where the server tells.
    pub(super) async fn list(
        &self,
        operation: &'static str,
        url: Url,
        doing: &str,
    ) -> DmsResult<(Vec<Item>, Option<String>)> {
        let reply = self.ask(operation, Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            return Ok((Vec::new(), None));
        }
        self.items(&reply, 0, doing)
    }

    /// The entries of a page, and where the list goes on.
    fn items(&self, reply: &Reply, offset: u64, doing: &str) -> DmsResult<(Vec<Item>, Option<String>)> {
        if !reply.is_success() {
            return Err(errors::shape(reply, doing, &self.settings));
        }
        let mut envelope: Envelope = reply.json()?;
        let total = envelope.total();
        let items = envelope.items();
        let next = next_offset(offset, items.len(), total).map(|next| next.to_string());
        Ok((items, next))
    }
}

/// Whether a field takes one of a list of values: `custom1` to `custom12`, `custom29` and `custom30`.
fn is_lookup(field: &str) -> bool {
    let number = field.strip_prefix("custom").and_then(|n| n.parse::<u8>().ok());
    number.is_some_and(|n| matches!(n, 1..=12 | 29 | 30)) && !field.contains('+')
}

/// A value as the list tells it, where it is one that was asked for: the names of the parameters are not certain, and a server leaves
/// those it does not know out of account.
fn row(item: &Item, query: &LookupQuery<'_>) -> Option<LookupRow> {
    let row = LookupRow {
        key: item.text("id").or_else(|| item.text("alias"))?,
        description: item.text("description").unwrap_or_default(),
        open: item.text("enabled").is_none_or(|enabled| enabled == "true"),
    };
    let parent = item.inner("parent", "id").or_else(|| item.text("parent"));
    if let (Some(wanted), Some(parent)) = (query.parent, parent)
        && !parent.eq_ignore_ascii_case(wanted)
    {
        return None;
    }
    let text = query.text.trim_matches('*').to_lowercase();
    let holds = |value: &str| value.to_lowercase().contains(&text);
    (holds(&row.key) || holds(&row.description)).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_when_it_is_what_was_asked_for() {
        let items = |text: &str| serde_json::from_str::<Envelope>(text).unwrap().items();
        let item =
            &items(r#"{"data":[{"id":"0007","description":"Harrow v Teal","parent":{"id":"10442"}}]}"#)[0];
        for (text, parent, kept) in [
            ("", None, true),
            ("harrow", Some("10442"), true),
            ("000", Some("10442"), true),
            ("harrow", Some("10517"), false),
            ("lease", None, false),
        ] {
            let query = LookupQuery { field: "custom2", parent, text };
            assert_eq!(row(item, &query).is_some(), kept, "{text} {parent:?}");
        }
        let closed = &items(r#"{"data":[{"alias":"X","enabled":false}]}"#)[0];
        let found = row(closed, &LookupQuery { field: "custom1", parent: None, text: "x" }).unwrap();
        assert_eq!((found.key.as_str(), found.open), ("X", false));
        for (field, has) in [("custom1", true), ("custom12", true), ("custom30", true), ("custom13", false)] {
            assert_eq!(is_lookup(field), has, "{field}");
        }
        assert!(!is_lookup("name") && !is_lookup("custom+1"));
    }
}
