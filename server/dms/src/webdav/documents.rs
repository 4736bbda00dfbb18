//! Documents that are there: read, listed, renamed, moved, copied, deleted.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{ByteStream, DmsError, DmsResult, Document, Page, Trouble};
use postroom_domain::ids::FilingId;
use tracing::warn;

use super::home::Home;
use super::multistatus::Entry;
use super::place::{Child, paged};
use super::settings::Versions;
use super::turn::Turn;
use super::wire::{Names, Over, done};
use super::{WebDav, errors};
use crate::names;
use crate::share::ids;
use crate::share::sidecar::{Pointer, Sidecar, of};

/// So many names are tried for a document that moves to where its name is taken.
const MOST_NAMES: u32 = 100;

/// The filing of a mark's text.
fn filing(mark: &str) -> Option<FilingId> {
    mark.strip_prefix("postroom:")?.parse().ok()
}

fn is_web_document(name: &str) -> bool {
    let extension = names::split(name).1.to_lowercase();
    ["html", "htm", "xhtml", "mht"].contains(&extension.as_str())
}

impl WebDav {
    /// A document as the server tells of it.
    pub(super) async fn there(&self, names: &Names<'_>) -> DmsResult<Entry> {
        let entry = self.entry(names, false).await?.filter(|entry| !entry.props.collection);
        entry.ok_or_else(|| errors::missing(&format!("{:?}", names.join("/"))))
    }

    fn document_of(home: &Home<'_>, name: &str, entry: &Entry, fields: BTreeMap<String, String>) -> Document {
        let locked = entry.props.locks.first();
        Document {
            id: home.id_of(name),
            version: None,
            name: name.to_owned(),
            size: entry.props.size,
            container: Some(home.id.to_owned()),
            workspace: home.id.split('/').next().map(str::to_owned),
            changed: entry.props.changed,
            locked_by: locked.map(|lock| lock.owner.clone().unwrap_or_else(|| "somebody".to_owned())),
            fields,
        }
    }

    /// The sidecar of a document, as a property or as a file.
    async fn sidecar_of(&self, home: &Home<'_>, name: &str, entry: &Entry) -> DmsResult<Option<Sidecar>> {
        match entry.props.sidecar.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
            Some(sidecar) => Ok(Some(sidecar)),
            None => self.sidecar(home, name).await,
        }
    }

    pub(super) async fn profile(&self, document: &str) -> DmsResult<Document> {
        let (home, name) = Home::around(document)?;
        let entry = self.there(&home.document(name)).await?;
        let sidecar = self.sidecar_of(&home, name, &entry).await?;
        let fields = sidecar.map(|sidecar| sidecar.profile).unwrap_or_default();
        let version = self.current(&home, name).await?.map(|version| version.to_string());
        Ok(Document { version, ..Self::document_of(&home, name, &entry, fields) })
    }

    /// The documents in a container. Their fields are told as far as the listing has them.
    pub(super) async fn documents_in(&self, id: &str, page: Option<&str>) -> DmsResult<Page<Document>> {
        let home = Home::of(id)?;
        let all = self.listing(id, page).await?;
        let documents = all.iter().filter(|it| !it.entry.props.collection && ids::is_plain(&it.name));
        let documents = documents.map(|child| {
            let sidecar = child.entry.props.sidecar.as_deref();
            let sidecar = sidecar.and_then(|text| serde_json::from_str::<Sidecar>(text).ok());
            Self::document_of(
                &home,
                &child.name,
                &child.entry,
                sidecar.map(|it| it.profile).unwrap_or_default(),
            )
        });
        Ok(paged(documents.collect(), self.settings.page, page, |it| &it.name))
    }

    /// The bytes of a document. Its size is asked first, and what ends before it is an error.
    pub(super) async fn fetch(&self, document: &str, version: Option<&str>) -> DmsResult<ByteStream> {
        let (home, name) = Home::around(document)?;
        let names: Vec<&str> = match version {
            None => home.document(name),
            Some(_) if self.settings.versions == Versions::None => {
                let detail = "documents have no versions here";
                return Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, detail)));
            }
            Some(version) => {
                let number = version.parse::<u32>().ok().filter(|number| number.to_string() == version);
                let number =
                    number.ok_or_else(|| errors::missing(&format!("version {version:?} of {document:?}")))?;
                if self.current(&home, name).await? == Some(number) {
                    home.document(name)
                } else {
                    home.ours(&["versions", name, version])
                }
            }
        };
        let entry = self.there(&names).await?;
        let doing = format!("downloading {document:?}");
        let answer = self.wire.content(&names).await?;
        if answer.status() != 200 {
            return Err(errors::shape(&answer.read().await?, &doing));
        }
        if answer.says_html() && !is_web_document(name) {
            let detail = format!("{doing}: a web page instead of the document");
            return Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, detail));
        }
        Ok(match entry.props.size.or(answer.length()) {
            Some(size) => whole(answer.stream(), size),
            None => answer.stream(),
        })
    }

    /// Gives a document another name in its folder, which nothing may have.
    pub(super) async fn rename_to(&self, document: &str, name: &str) -> DmsResult<Document> {
        let safe = self.safe(name);
        if safe != name {
            return Err(errors::rejected(
                "name",
                format!("{name:?} cannot be a document's name; {safe:?} could"),
            ));
        }
        let (home, old) = Home::around(document)?;
        self.open_place(home.id).await?;
        if old == name {
            return self.profile(document).await;
        }
        self.relocate(&home, old, &home, name, 1).await
    }

    /// Moves a document to another folder, with a number where its name is taken there.
    pub(super) async fn move_to(&self, document: &str, from: &str, to: &str) -> DmsResult<Document> {
        let (home, name) = Home::around(document)?;
        if home.id != from {
            return Err(errors::missing(&format!("{document:?} in {from:?}")));
        }
        self.open_place(to).await?;
        let target = Home::of(to)?;
        if home.id == target.id {
            return self.profile(document).await;
        }
        self.relocate(&home, name, &target, name, MOST_NAMES).await
    }

    /// Moves a document with all that belongs to it. First what tells of it is at its new place too, then the document goes, and last
    /// what told of it at the old place.
    async fn relocate(
        &self,
        home: &Home<'_>,
        name: &str,
        to: &Home<'_>,
        wanted: &str,
        most: u32,
    ) -> DmsResult<Document> {
        let mut turn = self.take_turn(to, Some(home)).await?;
        let result = self.relocate_in_turn((home, name), (to, wanted), most, &mut turn).await;
        self.end_turn(turn).await;
        result
    }

    async fn relocate_in_turn(
        &self,
        (home, name): (&Home<'_>, &str),
        (to, wanted): (&Home<'_>, &str),
        most: u32,
        turn: &mut Turn<'_>,
    ) -> DmsResult<Document> {
        let entry = self.there(&home.document(name)).await?;
        let sidecar = self.sidecar(home, name).await?;
        let mark = entry.props.mark.clone().or_else(|| Some(sidecar.as_ref()?.mark.clone()));
        let filing = mark.as_deref().and_then(filing).map(|filing| filing.to_string());
        let versions = self.entry(&home.ours(&["versions", name]), true).await?.is_some();
        if filing.is_some() || sidecar.is_some() {
            self.ensure(to, &["tmp"]).await?;
        }
        if versions {
            self.ensure(to, &["versions"]).await?;
        }
        let doing = format!("moving {:?} to {:?}", home.id_of(name), to.id);
        for n in 1..=most {
            let new = names::numbered(wanted, n);
            let (old_file, new_file) = (of(name), of(&new));
            let (old_file, new_file) = (home.ours(&[&old_file]), to.ours(&[&new_file]));
            let (old_versions, new_versions) = (home.ours(&["versions", name]), to.ours(&["versions", &new]));
            if self.entry(&to.document(&new), false).await?.is_some() {
                continue;
            }
            self.clear_own(to, &new, sidecar.as_ref(), &old_versions).await?;
            if sidecar.is_some() && !self.copied(&old_file, &new_file, &doing).await? {
                continue;
            }
            if versions && !self.copied(&old_versions, &new_versions, &doing).await? {
                if sidecar.is_some() {
                    self.wire.remove(&new_file, false).await?;
                }
                continue;
            }
            if let Some(filing) = &filing {
                let was = (home.id == to.id).then(|| name.to_owned());
                let pointer = Pointer { document: new.clone(), was };
                self.save(&to.ours(&["marks", filing]), &pointer).await?;
            }
            self.keep_turn(turn).await?;
            let reply = self
                .wire
                .transfer("move", &home.document(name), &to.document(&new), Over::Nothing, None)
                .await;
            let reply = reply.map_err(errors::unanswered)?;
            if matches!(reply.status, 201 | 204) {
                if let Some(filing) = &filing {
                    self.save(&to.ours(&["marks", filing]), &Pointer::to(&new)).await?;
                }
                self.tidy(home, name, filing.as_deref().filter(|_| home.id != to.id)).await;
                return self.profile(&to.id_of(&new)).await;
            }
            if !matches!(reply.status, 200..=299 | 500..=599) {
                // Nothing moved, so nothing at the new place tells of it.
                self.tidy(to, &new, filing.as_deref().filter(|_| home.id != to.id)).await;
            }
            match reply.status {
                412 => {}
                423 => return Err(self.locked(&home.document(name), &doing).await),
                207 => return Err(errors::inner(&reply, &doing)),
                _ => return Err(errors::naming(&reply, &doing)),
            }
        }
        Err(errors::taken(&format!("{wanted:?} in {:?}", to.id)))
    }

    /// Removes what an attempt before left of this document under a name that it did not get.
    async fn clear_own(
        &self,
        to: &Home<'_>,
        new: &str,
        own: Option<&Sidecar>,
        versions: &Names<'_>,
    ) -> DmsResult<()> {
        let left = self.sidecar(to, new).await?;
        let ours = match (own, &left) {
            (Some(own), Some(left)) => own.mark == left.mark,
            (None, None) => {
                let left = self.inside(&to.ours(&["versions", new])).await?.unwrap_or_default();
                let own = self.inside(versions).await?.unwrap_or_default();
                let known = |it: &Child| {
                    own.iter()
                        .any(|own| (&own.name, &own.entry.props.mark) == (&it.name, &it.entry.props.mark))
                };
                !left.is_empty() && left.iter().all(known)
            }
            _ => false,
        };
        if ours {
            self.tidy(to, new, None).await;
        }
        Ok(())
    }

    /// Copies over nothing. Whether that worked: the place may be taken.
    async fn copied(&self, from: &Names<'_>, to: &Names<'_>, doing: &str) -> DmsResult<bool> {
        let reply = self.wire.transfer("copy", from, to, Over::Nothing, None).await?;
        if matches!(reply.status, 412 | 423) {
            return Ok(false);
        }
        done(&reply, doing).map(|()| true)
    }

    /// Removes what told of a document that is not there any more. What stays is noticed by nobody.
    async fn tidy(&self, home: &Home<'_>, name: &str, filing: Option<&str>) {
        let file = of(name);
        let mut removed = vec![self.wire.remove(&home.ours(&[&file]), false).await];
        removed.push(self.wire.remove(&home.ours(&["versions", name]), true).await);
        if let Some(filing) = filing {
            removed.push(self.wire.remove(&home.ours(&["marks", filing]), false).await);
        }
        for error in removed.into_iter().filter_map(Result::err) {
            warn!(dms.service = %self.name, %error, "Something of ours stayed behind where a document was.");
        }
    }

    /// Copies a document's newest version, with its mark and profile.
    pub(super) async fn copy_to(&self, document: &str, to: &str) -> DmsResult<Document> {
        let (home, name) = Home::around(document)?;
        self.open_place(to).await?;
        let target = Home::of(to)?;
        self.there(&home.document(name)).await?;
        let sidecar = self.sidecar(&home, name).await?;
        if sidecar.is_some() {
            self.ensure(&target, &["tmp"]).await?;
        }
        let mut turn = self.take_turn(&target, None).await?;
        let result = self.copy_in_turn((&home, name), &target, sidecar.is_some(), &mut turn).await;
        self.end_turn(turn).await;
        result
    }

    async fn copy_in_turn(
        &self,
        (home, name): (&Home<'_>, &str),
        target: &Home<'_>,
        sidecar: bool,
        turn: &mut Turn<'_>,
    ) -> DmsResult<Document> {
        let doing = format!("copying {:?} to {:?}", home.id_of(name), target.id);
        for n in 1..=MOST_NAMES {
            let new = names::numbered(name, n);
            let file = of(&new);
            let file = target.ours(&[&file]);
            if self.entry(&target.document(&new), false).await?.is_some() {
                continue;
            }
            if sidecar && !self.copied(&home.ours(&[&of(name)]), &file, &doing).await? {
                continue;
            }
            self.keep_turn(turn).await?;
            let reply = self
                .wire
                .transfer("copy", &home.document(name), &target.document(&new), Over::Nothing, None)
                .await;
            let reply = reply.map_err(errors::unanswered)?;
            match reply.status {
                201 | 204 => return self.profile(&target.id_of(&new)).await,
                412 | 423 if sidecar => self.wire.remove(&file, false).await?,
                412 | 423 => {}
                207 => return Err(errors::inner(&reply, &doing)),
                _ => return Err(errors::naming(&reply, &doing)),
            }
        }
        Err(errors::taken(&format!("{name:?} in {:?}", target.id)))
    }

    /// Deletes a document, and then all that told of it.
    pub(super) async fn delete(&self, document: &str) -> DmsResult<()> {
        let (home, name) = Home::around(document)?;
        let names = home.document(name);
        let _turn = self.turn(home.id).lock().await;
        let entry = self.there(&names).await?;
        let sidecar = self.sidecar_of(&home, name, &entry).await?;
        let doing = format!("deleting {document:?}");
        let method = postroom_outbound::Method::DELETE;
        let reply = self.wire.ask("delete", method, self.wire.url(&names), &[], None).await?;
        match reply.status {
            404 | 410 => return Err(errors::missing(&format!("{document:?}"))),
            423 => return Err(self.locked(&names, &doing).await),
            _ => done(&reply, &doing)?,
        }
        let mark = entry.props.mark.clone().or_else(|| Some(sidecar?.mark));
        let filing = mark.as_deref().and_then(filing).map(|filing| filing.to_string());
        self.tidy(&home, name, filing.as_deref()).await;
        Ok(())
    }

    /// Changes fields of a document's profile.
    pub(super) async fn change(&self, document: &str, fields: &BTreeMap<String, String>) -> DmsResult<()> {
        let (home, name) = Home::around(document)?;
        self.open_place(home.id).await?;
        let names = home.document(name);
        let _turn = self.turn(home.id).lock().await;
        let entry = self.there(&names).await?;
        let Some(mut sidecar) = self.sidecar_of(&home, name, &entry).await? else {
            let message = format!("{document:?} was not filed by Postroom, so it has no profile here");
            return Err(errors::rejected("document", message));
        };
        sidecar.profile.extend(fields.iter().map(|(key, value)| (key.clone(), value.clone())));
        if entry.props.sidecar.is_none() {
            return self.save(&home.ours(&[&of(name)]), &sidecar).await;
        }
        let text = serde_json::to_string(&sidecar).map_err(|e| errors::rejected("profile", e.to_string()))?;
        if self.wire.set(&names, &[("sidecar", &text)], None).await? {
            return Ok(());
        }
        let detail = format!("the server does not take the profile of {document:?} any more");
        Err(DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail)))
    }
}

/// A stream that must have so many bytes.
fn whole(stream: ByteStream, size: u64) -> ByteStream {
    Box::pin(futures_util::stream::unfold(Some((stream, 0)), move |state| async move {
        let (mut stream, given): (ByteStream, u64) = state?;
        let wrong = |given: u64| {
            let text = format!("the document has {size} bytes, {given} came");
            Some((Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, text)), None))
        };
        match stream.next().await {
            Some(Ok(bytes)) => {
                let given = given + bytes.len() as u64;
                if given > size { wrong(given) } else { Some((Ok(bytes), Some((stream, given)))) }
            }
            Some(Err(e)) => Some((Err(e), None)),
            None if given < size => wrong(given),
            None => None,
        }
    }))
}
