//! A DMS that is a folder: documents are plain files under `root/workspace/folder/…`, and what a DMS knows besides lies
//! hidden beside them. For demonstrations, for tests of the rooms above, and for firms whose matters are a file share.
//!
//! Ids are paths below the root. What a person does to the files by hand is respected: nothing is ever overwritten.
//! Several processes may file into the same root. A new version keeps the old content below `.postroom/versions`; what is deleted goes
//! to `.postroom/trash`.
//!
//! ```toml
//! root = "/srv/matters"            # one folder per workspace
//! read_back = true                 # compare each document before it gets its name
//! largest_bytes = 2147483648       # optional
//! page = 500                       # folders per page of a listing
//! ```
//!
//! A workspace's fields lie in `<workspace>/.postroom/workspace.json`: `{"client": "10442", "matter": "0007", "closed": false}`.

mod commit;
mod dir;
mod doctor;
mod documents;
mod fault;
mod relocate;
mod replace;
mod sidecar;
#[cfg(test)]
mod tests;
mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, Document, Found, Page, Probe,
    Receipt, Thing, Trouble, Upload,
};
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use self::commit::Seam;
use self::dir::Dir;
use self::relocate::Steps;
use crate::doctor::Finding;
use crate::share::ids;
use crate::{Connector, names};

/// Settings of a folder DMS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the workspaces lie.
    pub root: PathBuf,
    /// Whether each document is read back and compared before it gets its name.
    #[serde(default = "yes")]
    pub read_back: bool,
    /// The largest document in bytes; none means as large as the disk takes.
    #[serde(default)]
    pub largest_bytes: Option<u64>,
    /// How many folders a page of a listing has.
    #[serde(default = "page")]
    pub page: usize,
}

const fn yes() -> bool {
    true
}

const fn page() -> usize {
    500
}

impl Settings {
    /// The usual settings for a root.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), read_back: true, largest_bytes: None, page: page() }
    }
}

/// The longest name a document gets here, in bytes: room for a number, and for the sidecar's ending.
const LONGEST_NAME: usize = 200;
/// Bytes per read of a download.
const CHUNK: usize = 128 * 1024;

/// The connector.
pub struct Folder {
    settings: Settings,
    seam: Option<Seam>,
}

impl Folder {
    /// A connector for a root, which need not be reachable yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, seam: None }
    }

    #[cfg(test)]
    fn ending_at(settings: Settings, seam: Seam) -> Self {
        Self { settings, seam: Some(seam) }
    }

    async fn relocated(&self, document: &str, to: &str, name: &str, numbered: bool) -> DmsResult<Document> {
        let (document, to, name) = (document.to_owned(), to.to_owned(), name.to_owned());
        let mut steps = Steps { seam: self.seam.clone(), step: 0 };
        self.on_root(move |root| relocate::relocate(root, &document, &to, &name, numbered, &mut steps)).await
    }

    /// Runs blocking work on the root; a root that is not there is a DMS that cannot be reached.
    async fn on_root<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Dir) -> DmsResult<T> + Send + 'static,
    ) -> DmsResult<T> {
        let path = self.settings.root.clone();
        let done = tokio::task::spawn_blocking(move || work(&open_root(&path)?)).await;
        done.unwrap_or_else(|e| Err(stopped(&e)))
    }
}

impl Connector for Folder {
    fn doctor(&self) -> Fut<'_, Vec<Finding>> {
        Box::pin(async {
            let root = self.settings.root.clone();
            let checks = tokio::task::spawn_blocking(move || doctor::check(&root)).await;
            checks.unwrap_or_else(|e| {
                vec![Finding::bad("folder", e.to_string(), "Report this: a check stopped.")]
            })
        })
    }
}

impl Dms for Folder {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: true,
            probe_lag_seconds: 0,
            search_by_fields: true,
            files_in_workspace: true,
            create_folders: true,
            versions: true,
            largest: self.settings.largest_bytes,
            search_workspaces: true,
            list_documents: true,
            set_profile: true,
            rename: true,
            move_documents: true,
            copy_documents: true,
            delete_documents: true,
            ..Capabilities::default()
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move {
            self.on_root(|_| Ok(())).await?;
            Ok(Account {
                id: "folder".to_owned(),
                name: self.settings.root.display().to_string(),
                dms_version: None,
            })
        })
    }

    fn find_workspaces<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        let query = query.clone();
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| workspace::find(root, &query, limit)).await
        })
    }

    fn container<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        let id = id.to_owned();
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| workspace::container(root, &ids::parse(&id)?)).await
        })
    }

    fn folders<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        let (container, after, size) =
            (container.to_owned(), page.map(str::to_owned), self.settings.page.max(1));
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| {
                let parent = workspace::container(root, &ids::parse(&container)?)?;
                let dir =
                    descend(root, &container)?.ok_or_else(|| fault::missing(&format!("{container:?}")))?;
                let names = workspace::folders(&dir)
                    .map_err(|e| fault::error(&format!("listing {container:?}"), &e))?;
                let from = after.map_or(0, |after| names.partition_point(|name| *name <= after));
                let to = names.len().min(from + size);
                let next = (to < names.len()).then(|| names[to - 1].clone());
                let items = names[from..to].iter().map(|name| below(&parent, name)).collect();
                Ok(Page { items, next })
            })
            .await
        })
    }

    fn create_folder<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        let (parent, name) = (parent.to_owned(), name.to_owned());
        Box::pin(async move {
            no_library(library)?;
            if self.safe_name(&name) != name {
                let message =
                    format!("{name:?} cannot be the name of a folder; {:?} could", self.safe_name(&name));
                let trouble = Trouble::new(Cause::Rejected, message.clone());
                return Err(DmsError::Rejected { field: Some("folder".to_owned()), message, trouble });
            }
            self.on_root(move |root| {
                let found = workspace::container(root, &ids::parse(&parent)?)?;
                if !found.open {
                    let detail = format!("workspace of {parent:?} is closed");
                    return Err(DmsError::from_trouble(Trouble::new(Cause::TargetClosed, detail)));
                }
                let dir = descend(root, &parent)?.ok_or_else(|| fault::missing(&format!("{parent:?}")))?;
                match dir.make(&name) {
                    Ok(()) => Ok(below(&found, &name)),
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(DmsError::from_trouble(
                        Trouble::new(Cause::Conflict, format!("{name:?} is in {parent:?} already")),
                    )),
                    Err(e) => Err(fault::error(&format!("creating folder {name:?} in {parent:?}"), &e)),
                }
            })
            .await
        })
    }

    fn safe_name(&self, name: &str) -> String {
        let name = names::safe(name, LONGEST_NAME);
        // A document "workspace" would have its sidecar where the workspace's own profile lies.
        if name.eq_ignore_ascii_case("workspace") { name + "_" } else { name }
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(self.put(upload))
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(self.look(probe))
    }

    fn download<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move {
            no_library(library)?;
            let file = self.opened(document.to_owned(), version.map(str::to_owned)).await?;
            Ok(chunks(tokio::fs::File::from_std(file)))
        })
    }

    fn document<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            self.profile(document.to_owned()).await
        })
    }

    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let (Thing::Document(id) | Thing::Workspace(id) | Thing::Folder(id)) = thing;
        self.link(id)
    }

    fn search_workspaces<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        text: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        let (text, after, size) = (text.to_owned(), page.map(str::to_owned), self.settings.page.max(1));
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| workspace::search(root, &text, after.as_deref(), size)).await
        })
    }

    fn documents<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move {
            no_library(library)?;
            self.listed(container.to_owned(), page.map(str::to_owned)).await
        })
    }

    fn set_profile<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        let (document, fields) = (document.to_owned(), fields.clone());
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| relocate::change(root, &document, &fields)).await
        })
    }

    fn rename<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            let safe = self.safe_name(name);
            if safe != name {
                let message = format!("{name:?} cannot be a document's name; {safe:?} could");
                let trouble = Trouble::new(Cause::Rejected, message.clone());
                return Err(DmsError::Rejected { field: Some("name".to_owned()), message, trouble });
            }
            let missing = || fault::missing(&format!("{document:?}"));
            let (container, old) = document.rsplit_once('/').ok_or_else(missing)?;
            if old == name {
                return self.profile(document.to_owned()).await;
            }
            self.relocated(document, container, name, false).await
        })
    }

    fn move_document<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        from: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            no_library(library)?;
            let missing = || fault::missing(&format!("{document:?} in {from:?}"));
            let (container, name) = document.rsplit_once('/').ok_or_else(missing)?;
            if container != from {
                return Err(missing());
            }
            if container == to {
                return self.profile(document.to_owned()).await;
            }
            self.relocated(document, to, name, true).await
        })
    }

    fn copy_document<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        let (document, to) = (document.to_owned(), to.to_owned());
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| relocate::copy(root, &document, &to)).await
        })
    }

    fn delete_document<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<()>> {
        let document = document.to_owned();
        Box::pin(async move {
            no_library(library)?;
            self.on_root(move |root| relocate::delete(root, &document)).await
        })
    }
}

/// A file as a stream, never more than one chunk in memory.
fn chunks(file: tokio::fs::File) -> ByteStream {
    Box::pin(futures_util::stream::try_unfold(file, |mut file| async move {
        let mut buffer = BytesMut::with_capacity(CHUNK);
        let n = file.read_buf(&mut buffer).await?;
        Ok((n > 0).then(|| (buffer.freeze(), file)))
    }))
}

fn open_root(path: &Path) -> DmsResult<Dir> {
    Dir::root(path).map_err(|e| {
        let cause = match e.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Cause::Unreachable,
            _ => fault::cause(&e),
        };
        DmsError::from_trouble(Trouble::new(cause, format!("opening the root {}: {e}", path.display())))
    })
}

/// Opens a container; `None` when it is not there.
fn descend(root: &Dir, id: &str) -> DmsResult<Option<Dir>> {
    let mut dir: Option<Dir> = None;
    for name in ids::parse(id)? {
        match dir.as_ref().unwrap_or(root).sub(name) {
            Ok(next) => dir = Some(next),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(fault::error(&format!("opening {id:?}"), &e)),
        }
    }
    Ok(dir)
}

fn below(parent: &Container, name: &str) -> Container {
    Container {
        id: format!("{}/{name}", parent.id),
        name: name.to_owned(),
        open: parent.open,
        parent: Some(parent.id.clone()),
        workspace: parent.id.split('/').next().map(str::to_owned),
        ..Container::default()
    }
}

fn no_library(library: &str) -> DmsResult<()> {
    if library.is_empty() {
        return Ok(());
    }
    let message = format!("this DMS has no libraries, so {library:?} cannot be one");
    let trouble = Trouble::new(Cause::Rejected, message.clone());
    Err(DmsError::Rejected { field: Some("library".to_owned()), message, trouble })
}

/// The blocking work panicked or the process is ending; what it had done is not known.
fn stopped(error: &tokio::task::JoinError) -> DmsError {
    DmsError::from_trouble(Trouble::new(
        Cause::AnswerLost,
        format!("the work on the folder stopped: {error}"),
    ))
}
