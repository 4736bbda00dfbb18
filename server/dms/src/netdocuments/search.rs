//! Finding workspaces. NetDocuments' search is by words and ignores case; what counts as a match is decided here, by the workspace's
//! own info.

use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Page, Shelf};
use postroom_domain::target::WorkspaceQuery;
use postroom_outbound::Method;
use tracing::warn;

use super::errors;
use super::places::Kind;
use super::seat::{Body, Seat};
use super::wire::{self, Item, entries};

/// Most pages of a search. What matches exactly is usually on the first.
const MOST_SEARCH_PAGES: usize = 20;
/// Most workspaces of a shelf that are read.
const MOST_ON_SHELF: usize = 50;

/// A text as words of the query language, in which brackets, braces, stars and words in capitals mean something.
fn words(text: &str) -> String {
    let part = |c: char| !c.is_alphanumeric() && !"-_.&'".contains(c);
    let words = text.split(part).filter(|it| it.contains(char::is_alphanumeric));
    let words =
        words.map(|it| if matches!(it, "AND" | "OR" | "NOT") { it.to_lowercase() } else { it.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

/// A term that a field equals a text, as far as the query language can say it. `None` for a text without words.
pub(super) fn term(code: u32, text: &str) -> Option<String> {
    if text.contains(['{', '}', '(', ')', '*', '?', '"']) {
        let words = words(text);
        return (!words.is_empty()).then(|| format!("={code}({words})"));
    }
    (!words(text).is_empty()).then(|| format!("={code}({{{text}}})"))
}

impl Seat {
    fn only_workspaces(&self) -> String {
        format!("={}( ndws )", self.settings.codes.extension)
    }

    /// Workspaces that match exactly, at most `limit`.
    pub(super) async fn find(
        &self,
        library: &str,
        query: &WorkspaceQuery,
        limit: usize,
    ) -> DmsResult<Vec<Container>> {
        let terms = match query {
            WorkspaceQuery::Pinned(id) => {
                return match self.by_id(library, id).await {
                    Ok(found) if found.kind == ContainerKind::Workspace => Ok(vec![found]),
                    Ok(_) | Err(DmsError::NotFound(_)) => Ok(Vec::new()),
                    Err(e) => Err(e),
                };
            }
            WorkspaceQuery::Title(title) => vec![term(self.settings.codes.name, title)],
            WorkspaceQuery::Fields(fields) => self.terms(fields)?,
        };
        // A title of signs alone cannot be searched for.
        let Some(terms) = terms.into_iter().collect::<Option<Vec<String>>>() else { return Ok(Vec::new()) };
        let asked = format!("{} {}", terms.join(" "), self.only_workspaces());
        let mut found: Vec<Container> = Vec::new();
        let mut page = None;
        for _ in 0..MOST_SEARCH_PAGES {
            let (items, next) = self.searched(library, &asked, page.as_deref()).await?;
            for item in items {
                if let Some(container) = self.exact(library, &item, query).await?
                    && !found.iter().any(|known| known.id == container.id)
                {
                    found.push(container);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            match next {
                Some(next) if Some(&next) != page.as_ref() => page = Some(next),
                _ => return Ok(found),
            }
        }
        warn!(dms.service = %self.name, netdocuments.pages = MOST_SEARCH_PAGES,
            "A workspace search has more pages than are read; exact matches further on are not seen.");
        Ok(found)
    }

    fn terms(&self, fields: &[(String, String)]) -> DmsResult<Vec<Option<String>>> {
        if fields.is_empty() {
            return Err(errors::rejected(
                "workspace",
                "the search for a workspace names no field".to_owned(),
            ));
        }
        let mut terms = Vec::with_capacity(fields.len());
        for (field, value) in fields {
            let (number, key) = (self.numbered(field)?, self.key(field, value)?);
            terms.push(term(self.settings.codes.attribute + number, &key));
        }
        Ok(terms)
    }

    /// A hit that matches exactly, with its own info and state.
    async fn exact(
        &self,
        library: &str,
        item: &Item,
        query: &WorkspaceQuery,
    ) -> DmsResult<Option<Container>> {
        let standard = item.standard();
        let Some(id) = standard.id() else { return Ok(None) };
        let other = |kind: String| Kind::of(&kind).is_some_and(|kind| kind != Kind::Workspace);
        if standard.any(&["extension", "type"]).is_some_and(other) {
            return Ok(None);
        }
        if let (WorkspaceQuery::Title(title), Some(name)) = (query, standard.text("name"))
            && name != *title
        {
            return Ok(None);
        }
        let found = match self.by_id(library, &id).await {
            Ok(found) => found,
            // The index may still show what is gone.
            Err(DmsError::NotFound(_)) => return Ok(None),
            Err(e) => return Err(e),
        };
        let same = match query {
            WorkspaceQuery::Title(title) => found.name == *title,
            WorkspaceQuery::Pinned(id) => found.id == *id,
            WorkspaceQuery::Fields(fields) => fields.iter().all(|(field, wanted)| {
                let name = self.settings.number(field).map(|number| self.settings.field(number));
                let there = name.and_then(|name| found.fields.get(&name));
                there.is_some_and(|there| self.same_key(wanted, there))
            }),
        };
        Ok((same && found.kind == ContainerKind::Workspace).then_some(found))
    }

    /// One page of a search of a cabinet.
    pub(super) async fn searched(
        &self,
        library: &str,
        asked: &str,
        page: Option<&str>,
    ) -> DmsResult<(Vec<Item>, Option<String>)> {
        let cabinet = self.cabinet(library).await?;
        let top = self.settings.page.min(500).to_string();
        let query = [("q", asked), ("$top", top.as_str()), ("$select", "standardAttributes")];
        let url = self.page_url(&["v1", "Search", &cabinet.id], &query, page)?;
        let reply = self.ask("search", Method::GET, url, Body::None).await?;
        if reply.status == 404 && errors::is_nothing_found(&reply, &self.settings) {
            return Ok((Vec::new(), None));
        }
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("searching cabinet {}", cabinet.id), &self.settings));
        }
        let value = wire::value(&reply)?;
        let next = wire::next(&value);
        Ok((entries(value), next))
    }

    /// Workspaces by words, for a person who chooses. Whether each is open is not asked.
    pub(super) async fn by_words(
        &self,
        library: &str,
        text: &str,
        page: Option<&str>,
    ) -> DmsResult<Page<Container>> {
        let words = words(text);
        if words.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let asked = format!("{words} {}", self.only_workspaces());
        let (items, next) = self.searched(library, &asked, page).await?;
        let found = items.iter().filter_map(|item| self.container_of(item, Kind::Workspace));
        let found = found.filter(|it| it.kind == ContainerKind::Workspace).collect();
        Ok(Page { items: found, next: next.filter(|next| Some(next.as_str()) != page) })
    }

    /// The account's own list of workspaces, of the cabinet in question as far as that is told.
    pub(super) async fn on_shelf(&self, library: &str, shelf: Shelf) -> DmsResult<Vec<Container>> {
        let path = match shelf {
            Shelf::Recent => "wsRecent",
            Shelf::Favourites => "wsFav",
        };
        let url = self.url(&["v1", "User", path], &[])?;
        let items = entries(self.value("shelf", url, "reading the account's list of workspaces").await?);
        let mut found = Vec::new();
        for item in items.iter().take(MOST_ON_SHELF) {
            let container = self.container_of(item, Kind::Workspace).filter(|it| !it.name.is_empty());
            match (container, item.standard().id()) {
                (Some(container), _) => found.push(container),
                (None, Some(id)) => match self.by_id(library, &id).await {
                    Ok(container) => found.push(container),
                    Err(DmsError::NotFound(_) | DmsError::Forbidden(_)) => {}
                    Err(e) => return Err(e),
                },
                (None, None) => {}
            }
        }
        let elsewhere = |it: &Container| {
            let there = it.fields.get("cabinet");
            !library.is_empty() && there.is_some_and(|there| !there.eq_ignore_ascii_case(library))
        };
        found.retain(|it| it.kind == ContainerKind::Workspace && !elsewhere(it));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_terms_that_mean_only_themselves() {
        for (text, wanted) in [
            ("Harrow v Teal", Some("=3({Harrow v Teal})")),
            ("a (b) {c}", Some("=3(a b c)")),
            ("x) OR =3(y", Some("=3(x or 3 y)")),
            ("*", None),
            ("\"Harrow v Teal\"", Some("=3(Harrow v Teal)")),
            ("", None),
            ("//", None),
        ] {
            assert_eq!(term(3, text).as_deref(), wanted, "{text}");
        }
        assert_eq!(words("' or 1=1 NOT * x"), "or 1 1 not x");
    }
}
