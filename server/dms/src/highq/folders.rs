//! Containers by id, folders in them, and new folders.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Page, Trouble};
use postroom_outbound::Method;

use super::ids::{self, Place};
use super::seat::{Body, Seat};
use super::wire::{self, Element, Item};
use super::{errors, rights};

/// What HighQ tells of a folder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FolderInfo {
    pub(super) id: u64,
    pub(super) site: u64,
    pub(super) parent: Option<u64>,
    pub(super) name: String,
    pub(super) smart: bool,
    pub(super) item: Item,
}

/// The longest name that is sent. What HighQ takes is not documented.
const LONGEST_FOLDER_NAME: usize = 200;

impl Seat {
    /// A folder, asked for now.
    pub(super) async fn folder_info(&self, id: u64) -> DmsResult<FolderInfo> {
        let url = self.url(self.settings.versions.folders, &["folders", &id.to_string()], &[]);
        let doing = format!("reading folder {id} (absent, or not visible)");
        let item = self.get("folder", url, &doing).await?.unwrapped("folder");
        if item.text("location").as_deref() == Some("Deleted Items") {
            return Err(errors::missing(format!("folder {id} is in the recycle bin")));
        }
        let site = item.number("siteid").or_else(|| item.number("siteID"));
        let (Some(_), Some(site)) = (item.number("id").filter(|it| *it == id), site) else {
            return Err(errors::missing(format!("the answer about folder {id} is about something else")));
        };
        self.places.learn_folder(id, site);
        Ok(FolderInfo {
            id,
            site,
            parent: item.number("parentFolderID").filter(|above| *above != 0),
            name: item.text("name").unwrap_or_default(),
            smart: self.is_smart(&item),
            item,
        })
    }

    /// Whether a listed folder is a saved filter. How HighQ says so is not documented.
    fn is_smart(&self, item: &Item) -> bool {
        let yes = |text: String| {
            let text = text.to_lowercase();
            text.contains("smart") || text == "true" || text == "1"
        };
        self.settings.smart_fields.iter().any(|field| item.text(field).is_some_and(yes))
    }

    fn folder_container(&self, info: &FolderInfo, open: bool) -> Container {
        let wanted = ["description", "location", "permission", "accessInherited", "createddate"];
        let fields = info.item.fields().filter(|(key, _)| wanted.contains(key));
        let mut fields: std::collections::BTreeMap<_, _> =
            fields.map(|(key, value)| (key.to_owned(), value)).collect();
        if let Some(dms) = info.item.inner("dms") {
            fields.extend(dms.fields().map(|(key, value)| (key.to_owned(), value)));
        }
        Container {
            id: ids::folder_id(info.id),
            name: info.name.clone(),
            open: open && !info.smart,
            kind: if info.smart { ContainerKind::Search } else { ContainerKind::Folder },
            parent: info.parent.map(|above| self.named(info.site, above)),
            workspace: Some(ids::site_id(info.site)),
            fields,
        }
    }

    /// The id of the container behind a folder: a root is its site.
    fn named(&self, site: u64, folder: u64) -> String {
        if self.places.root_of(site) == Some(folder) { ids::site_id(site) } else { ids::folder_id(folder) }
    }

    /// A container by its id.
    pub(super) async fn container(&self, id: &str) -> DmsResult<Container> {
        match ids::place(id)? {
            Place::Site(site) => Ok(self.workspace(&self.site(site).await?)),
            Place::Folder(folder) => {
                let info = self.folder_info(folder).await?;
                let site = self.site(info.site).await?;
                Ok(self.folder_container(&info, self.is_open(&site)))
            }
        }
    }

    /// Folders in a container, one page; smart folders keep nothing of their own and are left out.
    pub(super) async fn children(&self, container: &str, page: Option<&str>) -> DmsResult<Page<Container>> {
        let place = ids::place(container)?;
        let folder = self.folder_of(place).await?;
        let offset = page.and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let (items, next) = self.listed(folder, offset).await?;
        let site = self.site_of(folder).await?;
        let mut found = Vec::new();
        for item in items {
            let Some(id) = item.number("id") else { continue };
            self.places.learn_folder(id, site);
            let info = FolderInfo {
                id,
                site,
                parent: Some(folder),
                name: item.text("name").unwrap_or_default(),
                smart: self.is_smart(&item),
                item,
            };
            if !info.smart {
                found.push(self.folder_container(&info, true));
            }
        }
        Ok(Page { items: found, next: next.map(|at| at.to_string()) })
    }

    /// One page of the folders in a folder, and where the next one begins.
    async fn listed(&self, folder: u64, offset: usize) -> DmsResult<(Vec<Item>, Option<usize>)> {
        let (limit, from) = (self.settings.page.to_string(), offset.to_string());
        let query = [("limit", limit.as_str()), ("offset", &from), ("orderby", "asc"), ("ordertype", "name")];
        let path = ["folders", &folder.to_string(), "items"];
        let url = self.url(self.settings.versions.folders, &path, &query);
        let items = self.get("folders", url, &format!("listing folders of folder {folder}")).await?;
        let items = items.entries("folder");
        let ends = items.is_empty() || (self.settings.short_page_ends && items.len() < self.settings.page);
        let next = (!ends).then_some(offset + items.len());
        Ok((items, next))
    }

    /// Makes a folder. Whether HighQ refuses a second one of a name is not documented, so it is looked for before.
    pub(super) async fn make_folder(&self, parent: &str, name: &str) -> DmsResult<Container> {
        let place = ids::place(parent)?;
        if name.trim().is_empty()
            || name.chars().count() > LONGEST_FOLDER_NAME
            || name.contains(char::is_control)
        {
            let message = format!(
                "{name:?} cannot be the name of a folder: it is empty, too long or holds control characters"
            );
            return Err(errors::rejected("folder", message));
        }
        let above = self.folder_of(place).await?;
        let _alone = self.making.lock().await;
        let mut offset = Some(0);
        while let Some(from) = offset {
            let (items, next) = self.listed(above, from).await?;
            if items.iter().any(|item| item.text("name").as_deref() == Some(name)) {
                let detail = format!("folder {above} has a folder {name:?} already");
                let trouble = Trouble::new(Cause::Conflict, detail);
                return Err(DmsError::Conflict { existing: None, trouble });
            }
            offset = next;
        }
        let inherited = if self.settings.folders_inherit { "1" } else { "0" };
        let keys = Element::new().with("dmsdatabasename", &self.settings.database_name);
        let body = Element::new().with("name", name).with("accessInherited", inherited).inside("dms", &keys);
        let query = [("parentfolderid", above.to_string())];
        let query: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let url = self.url(self.settings.versions.folders, &["folders"], &query);
        let reply = self.ask("create_folder", Method::POST, url, Body::Xml(body.document("folder"))).await?;
        if !reply.is_success() {
            let error = self.refusal(&reply, &format!("creating folder {name:?} in {parent}"));
            return Err(self.explained(error, above).await);
        }
        let item = wire::read(&reply)?.unwrapped("folder");
        let id = item.number("id").or_else(|| item.number("folderid"));
        let id = id.ok_or_else(|| DmsError::from(reply.unreadable("the new folder has no id")))?;
        let site = self.site_of(above).await?;
        self.places.learn_folder(id, site);
        let info = FolderInfo { id, site, parent: Some(above), name: name.to_owned(), smart: false, item };
        Ok(self.folder_container(&info, true))
    }

    /// What a refusal (403) at a folder really means: HighQ says "access denied" to many things. Only questions are asked.
    pub(super) async fn explained(&self, error: DmsError, folder: u64) -> DmsError {
        if !matches!(error, DmsError::Forbidden(_)) {
            return error;
        }
        let with = |cause: Cause, more: &str| {
            let mut trouble = error.trouble().clone();
            trouble.cause = cause;
            trouble.detail = format!("{}: {more}", trouble.detail);
            trouble
        };
        let Ok(info) = self.folder_info(folder).await else { return error };
        if info.smart {
            let more = "it is a smart folder, which keeps no documents; choose another one";
            return DmsError::from_trouble(with(Cause::Rejected, more));
        }
        let Ok(site) = self.site(info.site).await else { return error };
        if !self.is_open(&site) {
            let more = format!("site {} is {}", site.id, site.status);
            return DmsError::from_trouble(with(Cause::TargetClosed, &more));
        }
        if let Ok(true) = self.is_restricted(&site).await {
            // The shape says that settings are wrong; the cause stays this filing's own, as other sites work.
            let more = format!(
                "site {} ({}) serves no documents to the API, as it asks for a password, a second factor, terms or DRM; take that off in the site's settings, or file elsewhere",
                site.id, site.name
            );
            return DmsError::Misconfigured(with(Cause::NoRight, &more));
        }
        if rights::judge(&info.item, &self.settings) == postroom_domain::link::Rights::Allowed {
            let more =
                "though its permissions allow it; it may be a smart folder, or the site may be restricted";
            return DmsError::Forbidden(with(Cause::NoRight, more));
        }
        error
    }
}
