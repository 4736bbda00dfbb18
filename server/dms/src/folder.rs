//! A DMS that is a folder: documents are plain files under `root/workspace/folder/…`, and what a DMS knows besides lies
//! hidden beside them. For demonstrations, for tests of the rooms above, and for firms whose matters are a file share.
//!
//! Ids are paths below the root. What a person does to the files by hand is respected: nothing is ever overwritten.
//! Several processes may file into the same root.

mod commit;
mod dir;
mod fault;
mod ids;
mod sidecar;
#[cfg(test)]
mod tests;
mod workspace;

use std::io;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use futures_util::StreamExt;
use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, Found, Page, Probe, Receipt,
    Trouble, Upload,
};
use postroom_domain::ids::BlobHash;
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use self::commit::{Job, Piece, Seam, Stop};
use self::dir::Dir;
use self::sidecar::{Ledger, Sidecar};
use crate::doctor::Finding;
use crate::names;

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
/// Pieces of a document between the reader and the disk.
const PIECES_UNDERWAY: usize = 4;
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

    /// Live checks: the root, the right to write into it, and renames that replace nothing.
    pub async fn doctor(&self) -> Vec<Finding> {
        let root = self.settings.root.clone();
        let checks = tokio::task::spawn_blocking(move || doctor(&root)).await;
        checks
            .unwrap_or_else(|e| vec![Finding::bad("folder", e.to_string(), "Report this: a check stopped.")])
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

    fn link(&self, document: &str) -> Option<String> {
        let path = std::path::absolute(self.settings.root.join(document)).ok()?;
        url::Url::from_file_path(path).ok().map(String::from)
    }

    fn receipt(&self, container: &str, document: &str, size: u64, hash: Option<BlobHash>) -> Receipt {
        let document = format!("{container}/{document}");
        let link = self.link(&document);
        Receipt { document, version: None, container: container.to_owned(), size: Some(size), hash, link }
    }

    async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        no_library(upload.library)?;
        let names: Vec<String> = ids::parse(upload.container)?.into_iter().map(str::to_owned).collect();
        let (size, hash) = (upload.content.size(), upload.content.hash());
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let trouble =
                Trouble::new(Cause::TooLarge, format!("{size} bytes where the settings allow {limit}"));
            return Err(DmsError::TooLarge { limit: Some(limit), trouble });
        }
        let place = names.clone();
        self.on_root(move |root| {
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            let found = workspace::container(root, &place)?;
            if found.open {
                return Ok(());
            }
            let detail = format!("workspace {:?} is closed", place[0]);
            Err(DmsError::from_trouble(Trouble::new(Cause::TargetClosed, detail)))
        })
        .await?;
        let mut stream = upload.content.open().await.map_err(|e| damaged(&e.to_string()))?;
        let job = Job {
            root: self.settings.root.clone(),
            container: names,
            filing: upload.mark.filing(),
            name: self.safe_name(upload.name),
            sidecar: Sidecar {
                version: 1,
                mark: upload.mark.to_string(),
                size,
                hash,
                media_type: upload.media_type.to_owned(),
                received: upload.received,
                actor: upload.actor.clone(),
                sent_as: upload.name.to_owned(),
                profile: upload.profile.clone(),
            },
            read_back: self.settings.read_back,
            seam: self.seam.clone(),
        };
        let (pieces, mut taken) = mpsc::channel(PIECES_UNDERWAY);
        let writer = tokio::task::spawn_blocking(move || job.run(&mut taken));
        let mut trouble = None;
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(bytes) => {
                    let length = bytes.len() as u64;
                    if pieces.send(Piece::Bytes(bytes)).await.is_err() {
                        break; // the writer has stopped and tells why below
                    }
                    upload.gauge.add(length);
                }
                Err(e) => {
                    trouble = Some(damaged(&e.to_string()));
                    break;
                }
            }
        }
        if trouble.is_none() {
            let _ = pieces.send(Piece::End).await;
        }
        // Without the end, the closed channel makes the writer give up: half a document never gets a name.
        drop(pieces);
        let done = writer.await.map_err(|e| stopped(&e))?;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        match done {
            Ok(stored) => {
                Ok(self.receipt(upload.container, &stored.document, stored.size, Some(stored.hash)))
            }
            Err(stop) => Err(self.shape(&upload, stop)),
        }
    }

    fn shape(&self, upload: &Upload<'_>, stop: Stop) -> DmsError {
        let place = upload.container;
        match stop {
            Stop::OtherBytes => damaged("the bytes that were read are not those of the content's hash"),
            Stop::BadDisk => DmsError::from_trouble(Trouble::new(
                Cause::ServerFault,
                format!("the disk under {place:?} gave back other bytes than were written"),
            )),
            Stop::Here { document, size } => {
                let detail = format!("this filing's document is in {place:?} already, as {document:?}");
                DmsError::Conflict {
                    existing: Some(self.receipt(place, &document, size, Some(upload.content.hash()))),
                    trouble: Trouble::new(Cause::Conflict, detail),
                }
            }
            Stop::Before { doing, error } => fault::error(&format!("{doing} in {place:?}"), &error),
            Stop::After { error } => DmsError::from_trouble(Trouble::new(
                Cause::AnswerLost,
                format!(
                    "the document has its name in {place:?}, but the folder could not be flushed: {error}"
                ),
            )),
            Stop::Abandoned | Stop::Killed => DmsError::from_trouble(Trouble::new(
                Cause::Interrupted,
                format!("the document was not written whole into {place:?}"),
            )),
        }
    }

    async fn look(&self, probe: Probe<'_>) -> DmsResult<Found> {
        no_library(probe.library)?;
        let container = probe.container.to_owned();
        let filing = probe.mark.filing();
        let found = self
            .on_root(move |root| {
                let failed = |e: io::Error| fault::error(&format!("looking for a mark in {container:?}"), &e);
                let Some(dir) = descend(root, &container)? else { return Ok(None) };
                let Some(ledger) = Ledger::open(&dir).map_err(failed)? else { return Ok(None) };
                // A document being named this very moment is waited for.
                let _lock = ledger.home.lock("lock").map_err(failed)?;
                let Some((document, _)) = ledger.find(filing).map_err(failed)? else { return Ok(None) };
                let mut file = match dir.read(&document) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                    other => other.map_err(failed)?,
                };
                let (size, hash) = commit::hash(&mut file).map_err(failed)?;
                Ok(Some((document, size, hash)))
            })
            .await?;
        Ok(match found {
            Some((document, size, hash)) => {
                Found::Yes(self.receipt(probe.container, &document, size, Some(hash)))
            }
            None => Found::No,
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
            versions: false,
            largest: self.settings.largest_bytes,
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
    ) -> Fut<'a, DmsResult<ByteStream>> {
        let document = document.to_owned();
        Box::pin(async move {
            no_library(library)?;
            let file = self
                .on_root(move |root| {
                    ids::parse(&document)?;
                    let missing = || fault::missing(&format!("{document:?}"));
                    let (container, name) = document.rsplit_once('/').ok_or_else(missing)?;
                    let dir = descend(root, container)?.ok_or_else(missing)?;
                    dir.read(name).map_err(|e| match e.kind() {
                        io::ErrorKind::NotFound => missing(),
                        _ => fault::error(&format!("opening {document:?}"), &e),
                    })
                })
                .await?;
            Ok(chunks(tokio::fs::File::from_std(file)))
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
        fields: std::collections::BTreeMap::new(),
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

fn damaged(detail: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::StoreDamage, detail))
}

/// The blocking work panicked or the process is ending; what it had done is not known.
fn stopped(error: &tokio::task::JoinError) -> DmsError {
    DmsError::from_trouble(Trouble::new(
        Cause::AnswerLost,
        format!("the work on the folder stopped: {error}"),
    ))
}

fn doctor(root: &Path) -> Vec<Finding> {
    let shown = root.display();
    let dir = match Dir::root(root) {
        Ok(dir) => dir,
        Err(e) => {
            let advice =
                "Create the folder, or mount the share, and give Postroom's user the right to enter it.";
            return vec![Finding::bad("root", format!("{shown}: {e}"), advice)];
        }
    };
    let mut findings = vec![Finding::good("root", format!("{shown} can be opened"))];
    let test = format!(".postroom-doctor.{}", std::process::id());
    let other = format!("{test}.2");
    let tried = (|| {
        dir.create(&test)?.sync_all()?;
        dir.create(&other)?;
        match dir.give(&test, &dir, &other) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => dir.flush(),
            Err(e) => Err(e),
            Ok(()) => Err(io::Error::other("a rename replaced a file although it was told not to")),
        }
    })();
    let _ = dir.remove(&test);
    let _ = dir.remove(&other);
    findings.push(match tried {
        Ok(()) => Finding::good("writing", format!("{shown} takes files, and renames replace nothing")),
        Err(e) => Finding::bad(
            "writing",
            format!("{shown}: {e}"),
            "Give Postroom's user the right to write, and use a file system with hard links or RENAME_NOREPLACE.",
        ),
    });
    match workspace::folders(&dir) {
        Ok(names) if names.is_empty() => findings.push(Finding::warning(
            "workspaces",
            "there is none",
            "Create a folder per matter; its name is the workspace's title.",
        )),
        Ok(names) => findings.push(Finding::good("workspaces", format!("{} found", names.len()))),
        Err(e) => {
            findings.push(Finding::bad("workspaces", e.to_string(), "Check the rights on the folders."));
        }
    }
    findings
}
