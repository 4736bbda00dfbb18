//! Workspaces for a person who chooses: searched by words, as fuzzy as iManage is; and made where there is none.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, DmsError, DmsResult, Page, Trouble};
use postroom_domain::target::WorkspaceQuery;
use postroom_outbound::Method;
use serde_json::{Map, Value};

use super::places::{Kind, next_offset, offset_of};
use super::settings::{Paging, WordSearch};
use super::wire::Envelope;
use super::{Seat, errors};

/// What a cursor begins with when it is handed out as a page, so that nobody takes one form of paging for the other.
const CURSOR: &str = "cursor:";

impl Seat {
    /// One page of the workspaces that words find.
    pub(super) async fn by_words(
        &self,
        library: &str,
        text: &str,
        page: Option<&str>,
    ) -> DmsResult<Page<Container>> {
        let library = self.library(library).await?;
        // A star is a wildcard and a quote begins a phrase; a person who types one means the letter.
        let plain: String = text.chars().map(|c| if matches!(c, '*' | '"') { ' ' } else { c }).collect();
        let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let (key, value) = match self.settings.word_search {
            WordSearch::NameOrDescription => ("name_or_description", format!("*{words}*")),
            WordSearch::FileTarget => ("file_target", words),
            WordSearch::Anywhere => ("anywhere", words),
        };
        let (limit, offset, mode);
        let mut query = vec![(key, value.as_str())];
        limit = self.settings.page.to_string();
        query.push(("limit", &limit));
        // Cursors leave the full text out of account.
        let by_cursor = self.settings.paging == Paging::StandardCursor
            && self.settings.word_search != WordSearch::Anywhere;
        mode = if by_cursor { "standard_cursor" } else { "standard" };
        query.push(("paging_mode", mode));
        let cursor = page.and_then(|page| page.strip_prefix(CURSOR));
        let from = if cursor.is_some() { 0 } else { offset_of(page)? };
        if let Some(cursor) = cursor {
            query.push(("cursor", cursor));
        } else if !by_cursor {
            offset = from.to_string();
            query.extend([("offset", offset.as_str()), ("total", "true")]);
        }
        let url = self.tenant().await?.url(&["libraries", &library, "workspaces"], &query);
        let reply = self.ask("search_workspaces", Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        if !reply.is_success() {
            let doing = format!("searching workspaces of library {library}");
            return Err(errors::shape(&reply, &doing, &self.settings));
        }
        let mut envelope: Envelope = reply.json()?;
        let next =
            envelope.cursor().filter(|next| cursor != Some(*next)).map(|next| format!("{CURSOR}{next}"));
        let total = envelope.total();
        let items = envelope.items();
        let next = if by_cursor {
            next.filter(|_| !items.is_empty())
        } else {
            next_offset(from, items.len(), total).map(|next| next.to_string())
        };
        let found = items.iter().filter(|it| it.text("wstype").is_none_or(|kind| kind == "workspace"));
        Ok(Page { items: found.filter_map(|item| self.container_of(item, Kind::Workspace)).collect(), next })
    }

    /// The workspace that the fields name, made if there is none. iManage makes a second one when asked twice at once: whoever
    /// switches this on takes that upon themselves.
    pub(super) async fn make_workspace(
        &self,
        library: &str,
        fields: &[(String, String)],
    ) -> DmsResult<Container> {
        if !self.settings.create_workspaces {
            let detail = "making workspaces is not available here: create_workspaces is not set";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail)));
        }
        let keys: Vec<(String, String)> =
            fields.iter().filter(|(field, _)| field.starts_with("custom")).cloned().collect();
        let name = fields.iter().find(|(field, _)| field == "name").map(|(_, name)| name.trim());
        let query = match (keys.is_empty(), name) {
            (false, _) => WorkspaceQuery::Fields(keys),
            (true, Some(name)) => WorkspaceQuery::Title(name.to_owned()),
            (true, None) => {
                let message = "a new workspace needs custom fields or a name to be known by".to_owned();
                return Err(errors::rejected("workspace", message));
            }
        };
        let mut found = self.search(library, &query, 2).await?;
        match found.len() {
            0 => {}
            1 => return Ok(found.remove(0)),
            _ => {
                let detail = "more than one workspace has these fields";
                return Err(DmsError::from_trouble(Trouble::new(Cause::TargetAmbiguous, detail)));
            }
        }
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(errors::rejected("name", "a new workspace needs a name".to_owned()));
        };
        let library = self.library(library).await?;
        let mut body: Map<String, Value> =
            fields.iter().map(|(field, value)| (field.clone(), Value::from(value.as_str()))).collect();
        body.insert("name".to_owned(), Value::from(name));
        if let Some(security) = &self.settings.default_security {
            body.entry("default_security").or_insert_with(|| Value::from(security.as_str()));
        }
        let url = self.tenant().await?.url(&["libraries", &library, "workspaces"], &[]);
        let reply = self.ask("create_workspace", Method::POST, url, Some(&Value::Object(body))).await?;
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("making workspace {name:?}"), &self.settings));
        }
        let item = reply.json::<Envelope>()?.object();
        let made = item.and_then(|item| self.container_of(&item, Kind::Workspace));
        made.ok_or_else(|| reply.unreadable("the new workspace has no id").into())
    }
}
