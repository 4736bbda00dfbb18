//! Documents that get another name or place, are copied, changed or deleted. Nothing is overwritten; what tells of a document is at its
//! new place before the document is, so its mark finds it at every instant.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Document, Trouble};
use postroom_domain::ids::FilingId;

use super::commit::Seam;
use super::dir::{Dir, Kind};
use super::documents::tell;
use super::sidecar::{self, Ledger, Pointer, Sidecar, load, of};
use super::{descend, fault, ids, workspace};
use crate::names;

/// So many names are tried where a name is taken.
const MOST_NAMES: u32 = 10_000;
/// Documents that were deleted, each in a folder of its own.
const TRASH: &str = "trash";

/// Where a test ends the process; see [`Seam`].
pub(super) struct Steps {
    pub(super) seam: Option<Seam>,
    pub(super) step: u32,
}

impl Steps {
    fn next(&mut self) -> io::Result<()> {
        self.step += 1;
        match &self.seam {
            Some(seam) if seam(self.step) => Err(io::Error::other("ended here")),
            _ => Ok(()),
        }
    }
}

/// A container with our files in it.
struct Shelf<'a> {
    id: &'a str,
    dir: Dir,
    ledger: Ledger,
}

impl<'a> Shelf<'a> {
    fn open(root: &Dir, id: &'a str) -> DmsResult<Self> {
        let dir = descend(root, id)?.ok_or_else(|| fault::missing(&format!("{id:?}")))?;
        let ledger = Ledger::make(&dir).map_err(|e| fault::error(&format!("opening {id:?}"), &e))?;
        Ok(Self { id, dir, ledger })
    }

    fn versions(&self, document: &str) -> io::Result<Dir> {
        self.ledger.home.ensure("versions")?.ensure(document)
    }

    /// Whether a name is free for a document: neither a file nor older versions of another document have it.
    fn is_free(&self, name: &str) -> io::Result<bool> {
        Ok(self.dir.kind(name)?.is_none() && self.ledger.versions(name)?.is_none())
    }

    /// Removes what an attempt before left of the document whose sidecar this is, if it did not get here.
    fn clear_own(&self, name: &str, own: Option<&Sidecar>) -> io::Result<()> {
        let (Some(own), None) = (own, self.dir.kind(name)?) else { return Ok(()) };
        match load::<Sidecar>(&self.ledger.home, &of(name))? {
            Some(left) if left.mark == own.mark => self.forget(name, None),
            _ => Ok(()),
        }
    }

    /// Removes what told of a document that is not here any more.
    fn forget(&self, document: &str, filing: Option<FilingId>) -> io::Result<()> {
        self.ledger.home.remove(&of(document))?;
        if let Some(versions) = self.ledger.versions(document)? {
            for name in versions.names()? {
                versions.remove(&name)?;
            }
            self.ledger.home.sub("versions")?.remove_folder(document)?;
        }
        if let Some(filing) = filing {
            self.ledger.marks.remove(&filing.to_string())?;
            self.ledger.marks.flush()?;
        }
        self.ledger.home.flush()
    }

    /// Puts a small file of ours at its place, over an older one.
    fn put<T: serde::Serialize>(&self, value: &T, dir: &Dir, name: &str) -> io::Result<()> {
        let aside = format!("{}.{}.json", std::process::id(), super::commit::count());
        sidecar::write(&self.ledger.tmp, &aside, value)?;
        self.ledger.tmp.replace(&aside, dir, name)?;
        dir.flush()
    }
}

/// Both locks, always taken in one order, so that two who go opposite ways do not wait for each other for ever.
fn locks(a: &Shelf<'_>, b: &Shelf<'_>) -> io::Result<Vec<File>> {
    let (first, second) = if a.id <= b.id { (a, b) } else { (b, a) };
    let mut locks = vec![first.ledger.home.lock("lock")?];
    if a.id != b.id {
        locks.push(second.ledger.home.lock("lock")?);
    }
    Ok(locks)
}

/// The filing that a sidecar's mark names.
fn filing(sidecar: Option<&Sidecar>) -> Option<FilingId> {
    sidecar?.mark.strip_prefix("postroom:")?.parse().ok()
}

fn split(document: &str) -> DmsResult<(&str, &str)> {
    ids::parse(document)?;
    document.rsplit_once('/').ok_or_else(|| fault::missing(&format!("{document:?}")))
}

/// A container that takes documents.
pub(super) fn must_be_open(root: &Dir, id: &str) -> DmsResult<()> {
    if workspace::container(root, &ids::parse(id)?)?.open {
        return Ok(());
    }
    let detail = format!("the workspace of {id:?} is closed");
    Err(DmsError::from_trouble(Trouble::new(Cause::TargetClosed, detail)))
}

fn taken(name: &str, container: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::Conflict, format!("{name:?} is in {container:?} already")))
}

/// Gives a document another name, or another place under its name or a numbered one; blocks.
pub(super) fn relocate(
    root: &Dir,
    document: &str,
    to: &str,
    wanted: &str,
    numbered: bool,
    steps: &mut Steps,
) -> DmsResult<Document> {
    let (container, name) = split(document)?;
    must_be_open(root, to)?;
    let missing = || fault::missing(&format!("{document:?}"));
    if descend(root, container)?.is_none_or(|dir| !matches!(dir.kind(name), Ok(Some(Kind::File)))) {
        return Err(missing());
    }
    let (from, to) = (Shelf::open(root, container)?, Shelf::open(root, to)?);
    let failed = |e: io::Error| fault::error(&format!("moving {document:?} to {:?}", to.id), &e);
    let _locks = locks(&from, &to).map_err(failed)?;
    if from.dir.kind(name).map_err(failed)? != Some(Kind::File) {
        return Err(missing());
    }
    let own = load::<Sidecar>(&from.ledger.home, &of(name)).map_err(failed)?;
    for n in 1..=if numbered { MOST_NAMES } else { 1 } {
        let new = names::numbered(wanted, n);
        to.clear_own(&new, own.as_ref()).map_err(failed)?;
        if !to.is_free(&new).map_err(failed)? {
            continue;
        }
        match go(&from, name, &to, &new, steps) {
            Ok(()) => return tell(&to.dir, Some(&to.ledger), to.id, &new),
            // Somebody put a file there by hand in this very moment.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => to.forget(&new, None).map_err(failed)?,
            Err(e) => return Err(failed(e)),
        }
    }
    Err(taken(wanted, to.id))
}

fn go(from: &Shelf<'_>, name: &str, to: &Shelf<'_>, new: &str, steps: &mut Steps) -> io::Result<()> {
    let own = load::<Sidecar>(&from.ledger.home, &of(name))?;
    let filing = filing(own.as_ref());
    steps.next()?;
    match &own {
        Some(sidecar) => to.put(sidecar, &to.ledger.home, &of(new))?,
        None => to.ledger.home.remove(&of(new))?,
    }
    steps.next()?;
    if let Some(versions) = from.ledger.versions(name)? {
        let there = to.versions(new)?;
        for version in versions.names()? {
            let spare = format!("{}.{}.old", std::process::id(), super::commit::count());
            versions.keep(&version, &there, &version, (&to.ledger.tmp, &spare))?;
            steps.next()?;
        }
        there.flush()?;
    }
    if let Some(filing) = filing {
        let was = (from.id == to.id).then(|| name.to_owned());
        to.put(&Pointer { document: new.to_owned(), was }, &to.ledger.marks, &filing.to_string())?;
    }
    steps.next()?;
    from.dir.give(name, &to.dir, new)?;
    steps.next()?;
    to.dir.flush()?;
    from.dir.flush()?;
    steps.next()?;
    if let Some(filing) = filing {
        to.put(&Pointer::to(new), &to.ledger.marks, &filing.to_string())?;
    }
    steps.next()?;
    from.forget(name, filing.filter(|_| from.id != to.id))
}

/// Copies a document as it is now, with its mark and profile; blocks.
pub(super) fn copy(root: &Dir, document: &str, to: &str) -> DmsResult<Document> {
    let (container, name) = split(document)?;
    must_be_open(root, to)?;
    let from = descend(root, container)?.ok_or_else(|| fault::missing(&format!("{document:?}")))?;
    let to = Shelf::open(root, to)?;
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => fault::missing(&format!("{document:?}")),
        _ => fault::error(&format!("copying {document:?} to {:?}", to.id), &e),
    };
    let _lock = to.ledger.home.lock("lock").map_err(failed)?;
    let sidecar = match Ledger::open(&from).map_err(failed)? {
        Some(ledger) => load::<Sidecar>(&ledger.home, &of(name)).map_err(failed)?,
        None => None,
    };
    for n in 1..=MOST_NAMES {
        let new = names::numbered(name, n);
        if !to.is_free(&new).map_err(failed)? {
            continue;
        }
        if let Some(sidecar) = &sidecar {
            to.put(sidecar, &to.ledger.home, &of(&new)).map_err(failed)?;
        }
        let spare = format!("{}.{}.copy", std::process::id(), super::commit::count());
        match from.duplicate(name, &to.dir, &new, (&to.ledger.tmp, &spare)) {
            Ok(()) => {
                to.dir.flush().map_err(failed)?;
                return tell(&to.dir, Some(&to.ledger), to.id, &new);
            }
            Err(e) => {
                to.ledger.home.remove(&of(&new)).map_err(failed)?;
                if e.kind() != io::ErrorKind::AlreadyExists {
                    return Err(failed(e));
                }
            }
        }
    }
    Err(taken(name, to.id))
}

/// Moves a document with its versions and profile into the trash of its container; blocks.
pub(super) fn delete(root: &Dir, document: &str) -> DmsResult<()> {
    let (container, name) = split(document)?;
    let missing = || fault::missing(&format!("{document:?}"));
    if descend(root, container)?.is_none_or(|dir| !matches!(dir.kind(name), Ok(Some(Kind::File)))) {
        return Err(missing());
    }
    let shelf = Shelf::open(root, container)?;
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => missing(),
        _ => fault::error(&format!("deleting {document:?}"), &e),
    };
    let _lock = shelf.ledger.home.lock("lock").map_err(failed)?;
    let sidecar = load::<Sidecar>(&shelf.ledger.home, &of(name)).map_err(failed)?;
    let trash = shelf.ledger.home.ensure(TRASH).map_err(failed)?;
    let mut n = 0;
    let grave = loop {
        n += 1;
        let folder = names::numbered(name, n);
        match trash.make(&folder) {
            Ok(()) => break trash.sub(&folder).map_err(failed)?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && n < MOST_NAMES => {}
            Err(e) => return Err(failed(e)),
        }
    };
    shelf.dir.give(name, &grave, name).map_err(failed)?;
    grave.flush().map_err(failed)?;
    shelf.dir.flush().map_err(failed)?;
    if let Some(sidecar) = &sidecar {
        shelf.put(sidecar, &grave, &of(name)).map_err(failed)?;
    }
    if shelf.ledger.versions(name).map_err(failed)?.is_some() {
        let all = shelf.ledger.home.sub("versions").map_err(failed)?;
        all.replace(name, &grave, "versions").map_err(failed)?;
    }
    shelf.forget(name, filing(sidecar.as_ref())).map_err(failed)
}

/// Changes fields of a document's profile; blocks.
pub(super) fn change(root: &Dir, document: &str, fields: &BTreeMap<String, String>) -> DmsResult<()> {
    let (container, name) = split(document)?;
    must_be_open(root, container)?;
    let missing = || fault::missing(&format!("{document:?}"));
    let dir = descend(root, container)?.ok_or_else(missing)?;
    let failed = |e: io::Error| fault::error(&format!("changing the profile of {document:?}"), &e);
    if dir.kind(name).map_err(failed)? != Some(Kind::File) {
        return Err(missing());
    }
    let shelf = Shelf::open(root, container)?;
    let _lock = shelf.ledger.home.lock("lock").map_err(failed)?;
    let Some(mut sidecar) = load::<Sidecar>(&shelf.ledger.home, &of(name)).map_err(failed)? else {
        let message = format!("{document:?} was not filed by Postroom, so it has no profile here");
        let trouble = Trouble::new(Cause::Rejected, message.clone());
        return Err(DmsError::Rejected { field: Some("document".to_owned()), message, trouble });
    };
    sidecar.profile.extend(fields.iter().map(|(key, value)| (key.clone(), value.clone())));
    shelf.put(&sidecar, &shelf.ledger.home, &of(name)).map_err(failed)
}
