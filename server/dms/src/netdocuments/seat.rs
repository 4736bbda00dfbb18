//! One account at NetDocuments, with all that was learned with it, and how it calls.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Account, DmsResult, Library};
use postroom_domain::time::Clock;
use postroom_outbound::{Call, Method, Outbound, Reply};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::attributes::Definitions;
use super::errors;
use super::marks::Marks;
use super::places::Kinds;
use super::settings::Settings;
use super::wire::{self, Item, entries};
use crate::account::{Token, Tokens};

/// A cabinet as the account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cabinet {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) repository: String,
    /// Attributes that define workspaces, the upper one first.
    pub(super) workspace: Vec<u32>,
}

/// Who the account is, and what it sees.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) account: Account,
    pub(super) cabinets: Vec<Cabinet>,
}

/// One account.
pub(super) struct Seat {
    pub(super) name: String,
    pub(super) settings: Arc<Settings>,
    pub(super) http: Outbound,
    pub(super) web: Url,
    pub(super) tokens: Tokens,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) kinds: Kinds,
    pub(super) marks: Marks,
    pub(super) definitions: Mutex<HashMap<String, (Duration, Arc<Definitions>)>>,
    home: Mutex<Option<Arc<Home>>>,
}

/// What a call carries.
#[derive(Clone, Copy)]
pub(super) enum Body<'b> {
    None,
    Json(&'b Value),
    Form(&'b [(&'b str, &'b str)]),
    /// A multipart form without a document.
    Fields(&'b [(&'static str, String)]),
}

/// A path's segment with everything encoded that could mean something.
fn encoded(segment: &str) -> String {
    segment.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

impl Seat {
    pub(super) fn new(
        name: &str,
        settings: &Arc<Settings>,
        http: &Outbound,
        web: &Url,
        clock: &Arc<dyn Clock>,
        tokens: Tokens,
    ) -> Self {
        Self {
            name: name.to_owned(),
            settings: Arc::clone(settings),
            http: http.for_account(tokens.account()),
            web: web.clone(),
            tokens,
            clock: Arc::clone(clock),
            kinds: Kinds::default(),
            marks: Marks::default(),
            definitions: Mutex::default(),
            home: Mutex::new(None),
        }
    }

    /// An address of the API. Segments are encoded, so an id or key cannot lead elsewhere; `.` and `..` are none.
    pub(super) fn url(&self, segments: &[&str], query: &[(&str, &str)]) -> DmsResult<Url> {
        if let Some(bad) = segments.iter().find(|it| matches!(**it, "" | "." | "..")) {
            return Err(errors::trouble(Cause::TargetNotFound, format!("{bad:?} names nothing")));
        }
        let path: Vec<String> = segments.iter().map(|it| encoded(it)).collect();
        let mut url = crate::account::below(self.http.base(), &path.join("/"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The same address with the query of a further page.
    pub(super) fn page_url(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        page: Option<&str>,
    ) -> DmsResult<Url> {
        let mut url = self.url(segments, query)?;
        if let Some(page) = page {
            if page.len() > 4_000 || page.contains(['#', '\r', '\n']) {
                return Err(errors::rejected("page", "that is not a page of a listing".to_owned()));
            }
            url.set_query(Some(page));
        }
        Ok(url)
    }

    pub(super) fn sign<'c>(call: Call<'c>, token: &Token) -> Call<'c> {
        call.bearer(&token.value)
    }

    /// Asks something that carries no document; a sign-in that has ended is renewed once.
    pub(super) async fn ask(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        body: Body<'_>,
    ) -> DmsResult<Reply> {
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            let call =
                self.http.call(operation, method.clone(), url.clone()).header("accept", "application/json");
            let call = Self::sign(call, &token);
            let call = match body {
                Body::None => call,
                Body::Json(value) => call.json(value),
                Body::Form(fields) => call.form(fields),
                Body::Fields(fields) => call.fields(plain_fields(fields), None),
            };
            let reply = call.fetch().await?;
            if reply.status == 401 && !renewed {
                renewed = true;
                token = self.tokens.renew(&self.http, &token).await?;
                continue;
            }
            if reply.status == 401 && !self.tokens.is_proven(&token) && !self.tokens.is_persons() {
                return Err(self.foreign(&reply));
            }
            if reply.is_success() {
                self.tokens.proves(&token);
            }
            return Ok(reply);
        }
    }

    /// A token that was just granted is not accepted: that is not its age.
    pub(super) fn foreign(&self, reply: &Reply) -> postroom_domain::dms::DmsError {
        let host = self.http.base().host_str().unwrap_or_default();
        let said = errors::said(reply).message.unwrap_or_default();
        let detail = format!(
            "{host} does not accept a token that was just granted ({said}): is the application registered in this region, \
             and the repository's region the one of the settings?"
        );
        errors::trouble(Cause::Misconfigured, detail)
    }

    /// Asks and wants a success, as one value.
    pub(super) async fn value(&self, operation: &'static str, url: Url, doing: &str) -> DmsResult<Value> {
        let reply = self.ask(operation, Method::GET, url, Body::None).await?;
        if !reply.is_success() {
            return Err(errors::shape(&reply, doing, &self.settings));
        }
        wire::value(&reply)
    }

    /// Who the account is and which cabinets it sees, asked for once; the first callers wait for one answer.
    pub(super) async fn home(&self) -> DmsResult<Arc<Home>> {
        let mut known = self.home.lock().await;
        if let Some(home) = &*known {
            return Ok(Arc::clone(home));
        }
        let home = Arc::new(self.look_around().await?);
        *known = Some(Arc::clone(&home));
        Ok(home)
    }

    /// The same, asked for anew.
    pub(super) async fn arrive(&self) -> DmsResult<Arc<Home>> {
        let home = Arc::new(self.look_around().await?);
        *self.home.lock().await = Some(Arc::clone(&home));
        Ok(home)
    }

    async fn look_around(&self) -> DmsResult<Home> {
        let url = self.url(&["v1", "User", "info"], &[])?;
        let who = Item::of(self.value("who", url, "asking who the account is").await?).unwrap_or_default();
        let url = self.url(&["v1", "User", "cabinets"], &[])?;
        let list = entries(self.value("cabinets", url, "listing the account's cabinets").await?);
        let cabinets: Vec<Cabinet> = list.iter().filter_map(cabinet).collect();
        let id = who.any(&["id", "email"]);
        if cabinets.is_empty() || id.is_none() {
            if self.tokens.is_persons() {
                return Err(errors::trouble(Cause::NoRight, "the person's account sees no cabinet"));
            }
            let detail = "the sign-in works, but sees no cabinet: the repository's administrator has not mapped the \
                application to the service account (Admin, Users and groups, Service accounts), or has given it no cabinet";
            return Err(errors::trouble(Cause::Misconfigured, detail));
        }
        let id = id.unwrap_or_default();
        let name = who.any(&["displayName", "name", "email"]).unwrap_or_else(|| id.clone());
        Ok(Home { account: Account { id, name, dms_version: None }, cabinets })
    }

    /// The cabinet of a call: the target's, or that of the settings, or the only one there is.
    pub(super) async fn cabinet(&self, given: &str) -> DmsResult<Cabinet> {
        let home = self.home().await?;
        let wanted = [given, self.settings.cabinet.as_str()].into_iter().find(|it| !it.is_empty());
        let found = match wanted {
            Some(id) => home.cabinets.iter().find(|it| it.id.eq_ignore_ascii_case(id)),
            None if home.cabinets.len() == 1 => home.cabinets.first(),
            None => {
                let text = "the target names no cabinet, and the settings have none".to_owned();
                return Err(errors::rejected("library", text));
            }
        };
        let mut found = found.cloned().ok_or_else(|| {
            let shown: String = wanted.unwrap_or_default().chars().take(60).collect();
            errors::trouble(
                Cause::TargetNotFound,
                format!("{} does not see cabinet {shown:?}", home.account.id),
            )
        })?;
        if !self.settings.workspace_attributes.is_empty() {
            let own = self.settings.workspace_attributes.iter();
            found.workspace = own.filter_map(|it| self.settings.number(it)).collect();
        }
        Ok(found)
    }

    /// The cabinets as libraries.
    pub(super) async fn libraries(&self) -> DmsResult<Vec<Library>> {
        let home = self.arrive().await?;
        let library = |it: &Cabinet| {
            let keys = it.workspace.iter().map(|number| self.settings.field(*number)).collect::<Vec<_>>();
            let fields = [("repository", it.repository.clone()), ("workspace_attributes", keys.join(", "))];
            let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
            Library {
                id: it.id.clone(),
                name: it.name.clone(),
                fields: fields.map(|(key, value)| (key.to_owned(), value)).collect(),
            }
        };
        Ok(home.cabinets.iter().map(library).collect())
    }

    /// Where a person opens something.
    pub(super) fn link(&self, id: &str) -> String {
        link(&self.settings, &self.web, id)
    }
}

/// Where a person opens something.
pub(super) fn link(settings: &Settings, web: &Url, id: &str) -> String {
    let text =
        settings.link.replace("{web}", web.as_str().trim_end_matches('/')).replace("{id}", &encoded(id));
    Url::parse(&text).map_or(text, |url| url.to_string())
}

pub(super) fn plain_fields(fields: &[(&'static str, String)]) -> Vec<postroom_outbound::Field> {
    let field = |(name, value): &(&'static str, String)| postroom_outbound::Field {
        name,
        value: value.clone(),
        is_json: *name == "profile",
    };
    fields.iter().map(field).collect()
}

fn cabinet(item: &Item) -> Option<Cabinet> {
    let number = |key: &str| item.number(key).and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0);
    let id = item.text("id")?;
    Some(Cabinet {
        name: item.text("name").unwrap_or_else(|| id.clone()),
        repository: item.any(&["repositoryId", "repository"]).unwrap_or_default(),
        workspace: [number("wsOrgAttrNum"), number("wsAttrNum")].into_iter().flatten().collect(),
        id,
    })
}
