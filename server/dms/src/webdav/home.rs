//! Where things lie in one container, and our own small files there.

use postroom_domain::dms::{DmsResult, Receipt};
use postroom_domain::ids::BlobHash;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::settings::Versions;
use super::wire::Names;
use super::{WebDav, errors};
use crate::share::ids::{self, HIDDEN};
use crate::share::sidecar::{self, Sidecar};

/// A container and what is ours in it.
#[derive(Debug, Clone)]
pub(super) struct Home<'a> {
    /// Its id.
    pub(super) id: &'a str,
    names: Vec<&'a str>,
}

impl<'a> Home<'a> {
    /// A container by its id.
    pub(super) fn of(id: &'a str) -> DmsResult<Self> {
        Ok(Self { id, names: ids::parse(id)? })
    }

    /// The container of a document, and the document's name.
    pub(super) fn around(document: &'a str) -> DmsResult<(Self, &'a str)> {
        ids::parse(document)?;
        let (id, name) =
            document.rsplit_once('/').ok_or_else(|| errors::missing(&format!("{document:?}")))?;
        Ok((Self::of(id)?, name))
    }

    /// The container itself.
    pub(super) fn itself(&self) -> &Names<'a> {
        &self.names
    }

    /// A document in it.
    pub(super) fn document<'b>(&self, name: &'b str) -> Vec<&'b str>
    where
        'a: 'b,
    {
        self.names.iter().copied().chain([name]).collect()
    }

    /// Something of ours in it.
    pub(super) fn ours<'b>(&self, path: &[&'b str]) -> Vec<&'b str>
    where
        'a: 'b,
    {
        self.names.iter().copied().chain([HIDDEN]).chain(path.iter().copied()).collect()
    }

    /// An id of something in it.
    pub(super) fn id_of(&self, name: &str) -> String {
        format!("{}/{name}", self.id)
    }
}

impl WebDav {
    /// Reads one of our own files. What a crash may have left of one (nothing, or a part) says nothing.
    pub(super) async fn load<T: DeserializeOwned>(&self, names: &Names<'_>) -> DmsResult<Option<T>> {
        Ok(self.wire.file(names).await?.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    /// Writes one of our own files.
    pub(super) async fn save<T: Serialize>(&self, names: &Names<'_>, value: &T) -> DmsResult<()> {
        let text = serde_json::to_vec(value).map_err(|e| errors::rejected("profile", e.to_string()))?;
        self.wire.write(names, &text).await
    }

    /// The sidecar of a document, where it has one as a file.
    pub(super) async fn sidecar(&self, home: &Home<'_>, name: &str) -> DmsResult<Option<Sidecar>> {
        self.load(&home.ours(&[&sidecar::of(name)])).await
    }

    /// Makes collections of ours, from the uppermost downwards. Those that are there already are as good as made.
    pub(super) async fn ensure(&self, home: &Home<'_>, path: &[&str]) -> DmsResult<()> {
        let reply = self.wire.make(&home.ours(path)).await?;
        match reply.status {
            200 | 201 | 204 | 405 => return Ok(()),
            404 | 409 => {}
            423 if self.entry(&home.ours(path), true).await?.is_some() => return Ok(()),
            _ => return Err(errors::shape(&reply, &format!("making {:?} in {:?}", path.join("/"), home.id))),
        }
        if self.entry(home.itself(), true).await?.is_none() {
            return Err(errors::missing(&format!("{:?}", home.id)));
        }
        let _turn = self.making.lock().await;
        // The last one tells later callers that all are there.
        let all: Vec<Vec<&str>> = [vec![], vec!["marks"], vec!["tmp"]]
            .into_iter()
            .chain((1..=path.len()).map(|n| path[..n].to_vec()))
            .collect();
        for part in all {
            let reply = self.wire.make(&home.ours(&part)).await?;
            if !matches!(reply.status, 200 | 201 | 204 | 405)
                && self.entry(&home.ours(&part), true).await?.is_none()
            {
                let doing = format!("making {:?} in {:?}", part.join("/"), home.id);
                return Err(errors::shape(&reply, &doing));
            }
        }
        Ok(())
    }

    /// The numbers of a document's older versions, in order.
    pub(super) async fn numbers(&self, home: &Home<'_>, name: &str) -> DmsResult<Vec<u32>> {
        let all = self.inside(&home.ours(&["versions", name])).await?.unwrap_or_default();
        let mut numbers: Vec<u32> = all.iter().filter_map(|child| child.name.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The version that a document has now, where documents have versions.
    pub(super) async fn current(&self, home: &Home<'_>, name: &str) -> DmsResult<Option<u32>> {
        if self.settings.versions == Versions::None {
            return Ok(None);
        }
        Ok(Some(self.numbers(home, name).await?.last().map_or(1, |newest| newest + 1)))
    }

    /// What is told of a document that is there.
    pub(super) fn receipt(
        &self,
        home: &Home<'_>,
        name: &str,
        version: Option<u32>,
        size: Option<u64>,
        hash: Option<BlobHash>,
    ) -> Receipt {
        let document = home.id_of(name);
        let link = self.link(&document);
        let version = version.map(|version| version.to_string());
        Receipt { document, version, container: home.id.to_owned(), size, hash, link }
    }
}
