//! A new version of a document, so that at every instant the old or the new content is whole under the document's name, and each is
//! found by its own mark.
//!
//! The order, under the folder's lock: the old sidecar and the old content get their place among the versions; the new sidecar is put
//! there too, with the mark's pointer; then the new content takes the document's name in one step, and last the sidecar beside the
//! document follows. In between only the content tells which version the document is, so a probe compares it with the sidecar.

use std::io;

use super::commit::{Job, Stop, Stored, at, write_aside};
use super::dir::{Dir, Kind};
use super::sidecar::{Ledger, Pointer, Sidecar, load, newest, of};

/// The names that one replacement works with.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    /// The new content, aside.
    pub(super) mine: &'a str,
    /// A sidecar, aside; the new one lies there at first.
    pub(super) aside: &'a str,
    /// The document.
    pub(super) document: &'a str,
}

impl Job {
    pub(super) fn replace(
        &self,
        folder: &Dir,
        ledger: &Ledger,
        names: Names<'_>,
        step: &mut u32,
    ) -> Result<Stored, Stop> {
        let Names { mine, aside, document } = names;
        if folder.kind(document).map_err(at("looking for the document"))? != Some(Kind::File) {
            return Err(Stop::Before {
                doing: "looking for the document",
                error: io::ErrorKind::NotFound.into(),
            });
        }
        // The sidecar waits there; it is written anew where it is needed.
        ledger.tmp.remove(aside).map_err(at("clearing the profile"))?;
        self.seam(step)?;
        let number = self.keep(folder, ledger, names, step)?;
        let next = number + 1;
        let versions = ledger.home.ensure("versions").and_then(|all| all.ensure(document));
        let versions = versions.map_err(at("opening the versions"))?;
        self.seam(step)?;
        write_aside(ledger, aside, &self.sidecar)?;
        ledger.tmp.replace(aside, &versions, &of(&next.to_string())).map_err(at("placing the sidecar"))?;
        versions.flush().map_err(at("flushing the versions"))?;
        self.seam(step)?;
        write_aside(ledger, aside, &Pointer::to(document))?;
        ledger.tmp.replace(aside, &ledger.marks, &self.filing.to_string()).map_err(at("placing the mark"))?;
        ledger.marks.flush().map_err(at("flushing the mark"))?;
        self.seam(step)?;
        write_aside(ledger, aside, &self.sidecar)?;
        self.seam(step)?;
        ledger.tmp.replace(mine, folder, document).map_err(at("replacing the document"))?;
        self.seam(step)?;
        folder.flush().map_err(|error| Stop::After { error })?;
        self.seam(step)?;
        ledger.tmp.replace(aside, &ledger.home, &of(document)).map_err(|error| Stop::After { error })?;
        self.seam(step)?;
        ledger.home.flush().map_err(|error| Stop::After { error })?;
        self.seam(step)?;
        let document = document.to_owned();
        Ok(Stored { document, version: next, size: self.sidecar.size, hash: self.sidecar.hash })
    }

    /// Keeps the present content as an older version. Its number is told.
    fn keep(&self, folder: &Dir, ledger: &Ledger, names: Names<'_>, step: &mut u32) -> Result<u32, Stop> {
        let Names { mine, aside, document } = names;
        let versions = ledger.home.ensure("versions").and_then(|all| all.ensure(document));
        let versions = versions.map_err(at("opening the versions"))?;
        let newest = newest(&versions).map_err(at("counting versions"))?;
        // An attempt before may have come this far.
        let kept = newest > 0
            && folder.is_same(document, &versions, &newest.to_string()).map_err(at("comparing versions"))?;
        let number = if kept { newest } else { newest + 1 };
        let file = of(&number.to_string());
        // First the sidecar: one that an attempt before left here told of a content that never came.
        let old = load::<Sidecar>(&ledger.home, &of(document)).map_err(at("reading the old sidecar"))?;
        match old {
            Some(old) => {
                write_aside(ledger, aside, &old)?;
                ledger.tmp.replace(aside, &versions, &file).map_err(at("keeping the old sidecar"))?;
            }
            None => versions.remove(&file).map_err(at("keeping no sidecar"))?,
        }
        self.seam(step)?;
        if !kept {
            let spare = format!("{mine}.old");
            folder
                .keep(document, &versions, &number.to_string(), (&ledger.tmp, &spare))
                .map_err(at("keeping the old content"))?;
        }
        self.seam(step)?;
        versions.flush().map_err(at("flushing the versions"))?;
        Ok(number)
    }
}
