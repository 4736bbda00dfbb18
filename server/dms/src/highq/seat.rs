//! One account at the instance: how it asks, and what was learned with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult};
use postroom_domain::time::Clock;
use postroom_outbound::{Call, Method, Outbound, Reply};
use serde_json::Value;
use url::Url;

use super::errors;
use super::ids::Place;
use super::settings::{Format, Settings};
use super::sites::Index;
use super::wire::{self, Item};
use crate::account::{Token, Tokens};

/// Where things lie, so that addresses for people can be made without asking. Forgetting costs a call, or an address.
#[derive(Default)]
pub(super) struct Places(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Site of a folder.
    folders: HashMap<u64, u64>,
    /// Root folder of a site.
    roots: HashMap<u64, u64>,
    /// Site and folder of a file.
    files: HashMap<u64, (u64, u64)>,
}

/// So many are remembered of each before all are forgotten.
const MOST: usize = 50_000;

fn learn<V>(map: &mut HashMap<u64, V>, key: u64, value: V) {
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(key, value);
}

impl Places {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn site_of(&self, folder: u64) -> Option<u64> {
        self.known().folders.get(&folder).copied()
    }

    pub(super) fn root_of(&self, site: u64) -> Option<u64> {
        self.known().roots.get(&site).copied()
    }

    pub(super) fn of_file(&self, file: u64) -> Option<(u64, u64)> {
        self.known().files.get(&file).copied()
    }

    pub(super) fn learn_folder(&self, folder: u64, site: u64) {
        learn(&mut self.known().folders, folder, site);
    }

    pub(super) fn learn_root(&self, site: u64, root: u64) {
        let mut known = self.known();
        learn(&mut known.roots, site, root);
        learn(&mut known.folders, root, site);
    }

    pub(super) fn learn_file(&self, file: u64, site: u64, folder: u64) {
        learn(&mut self.known().files, file, (site, folder));
    }

    pub(super) fn forget_file(&self, file: u64) {
        self.known().files.remove(&file);
    }
}

/// The body of a call that carries no document.
pub(super) enum Body<'a> {
    None,
    Json(&'a Value),
    Xml(String),
}

/// One account.
pub(super) struct Seat {
    pub(super) name: String,
    pub(super) settings: Arc<Settings>,
    pub(super) http: Outbound,
    pub(super) tokens: Tokens,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) places: Arc<Places>,
    /// All sites, as they were read last.
    pub(super) index: tokio::sync::Mutex<Option<Arc<Index>>>,
    /// Folders are made one after the other, so that none is made twice.
    pub(super) making: tokio::sync::Mutex<()>,
    /// Names that are being sent into a folder, where names are numbered.
    pub(super) sending: Mutex<std::collections::HashSet<(u64, String)>>,
    /// Columns of metadata sheets.
    pub(super) sheets: tokio::sync::Mutex<HashMap<u64, Option<Arc<super::sheets::Sheet>>>>,
}

impl Seat {
    /// An address of the API. Segments are encoded, so an id or name cannot lead elsewhere.
    pub(super) fn url(&self, version: u32, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.http.base().clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", &version.to_string()]).extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub(super) fn sign<'c>(&self, call: Call<'c>, token: &Token) -> Call<'c> {
        let accept = match self.settings.format {
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        };
        call.header("accept", accept).bearer(&token.value)
    }

    /// Asks something that carries no document; a token that has run out is renewed once.
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
            let call = self.http.call(operation, method.clone(), url.clone());
            let mut call = self.sign(call, &token);
            match &body {
                Body::None => {}
                Body::Json(value) => call = call.json(value),
                Body::Xml(text) => call = call.text("application/xml", text.as_str()),
            }
            let reply = call.fetch().await?;
            if reply.status == self.settings.expired_status && !renewed {
                renewed = true;
                token = self.tokens.renew(&self.http, &token).await?;
                continue;
            }
            if reply.is_success() {
                self.tokens.proves(&token);
            }
            return Ok(reply);
        }
    }

    /// Asks for something and reads it. `doing` is what a refusal is told with.
    pub(super) async fn get(&self, operation: &'static str, url: Url, doing: &str) -> DmsResult<Item> {
        let reply = self.ask(operation, Method::GET, url, Body::None).await?;
        if reply.is_success() { Ok(wire::read(&reply)?) } else { Err(self.refusal(&reply, doing)) }
    }

    /// A refusal as an error; a token that is not accepted even when it is fresh is the account's trouble whatever its status.
    pub(super) fn refusal(&self, reply: &Reply, doing: &str) -> DmsError {
        let error = errors::shape(reply, doing, &self.settings);
        if reply.status == self.settings.expired_status {
            let mut trouble = error.trouble().clone();
            trouble.cause = Cause::LoginNeeded;
            return DmsError::from_trouble(trouble);
        }
        error
    }

    /// The folder behind a container: itself, or the root of a site.
    pub(super) async fn folder_of(&self, place: Place) -> DmsResult<u64> {
        match place {
            Place::Folder(folder) => Ok(folder),
            Place::Site(site) => {
                if let Some(root) = self.places.root_of(site) {
                    return Ok(root);
                }
                self.site(site).await?;
                let detail = format!("site {site} does not tell its root folder (sitefolderID)");
                self.places.root_of(site).ok_or_else(|| errors::missing(detail))
            }
        }
    }

    /// The site of a folder.
    pub(super) async fn site_of(&self, folder: u64) -> DmsResult<u64> {
        match self.places.site_of(folder) {
            Some(site) => Ok(site),
            None => self.folder_info(folder).await.map(|info| info.site),
        }
    }
}
