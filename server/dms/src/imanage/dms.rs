//! The contract, each call at the seat of its account.

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, DmsUser, Document, Found,
    Library, LookupQuery, LookupRow, Made, NewUser, Page, Probe, Receipt, Shelf, Thing, Trouble, Upload,
};
use postroom_domain::link::Rights;
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;

use super::places::Kind;
use super::{Imanage, profile};
use crate::account::below;
use crate::names;

impl Dms for Imanage {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: true,
            probe_lag_seconds: self.settings.probe_lag_seconds,
            search_by_fields: true,
            files_in_workspace: false,
            create_folders: true,
            versions: true,
            largest: self.settings.largest_bytes,
            rights: self.settings.person_rights,
            persons: true,
            create_workspaces: self.settings.create_workspaces,
            libraries: true,
            search_workspaces: true,
            recent: true,
            favourites: true,
            lookups: true,
            list_documents: true,
            set_profile: true,
            rename: true,
            move_documents: true,
            copy_documents: self.settings.copy_path.is_some(),
            delete_documents: true,
            find_users: true,
            create_users: self.settings.create_users,
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move {
            let tenant = Arc::new(self.seats.system().discover().await?);
            let account = tenant.account.clone();
            *self.seats.system().tenant.lock().await = Some(tenant);
            if account.id == "unknown" {
                let detail = "the server does not tell who is signed in";
                return Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)));
            }
            Ok(account)
        })
    }

    fn find_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move { self.seat(actor).await?.search(library, query, limit).await })
    }

    fn container<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            let seat = self.seat(actor).await?;
            match seat.kinds.of(id) {
                Some(kind) => seat.by_id(id, &[kind]).await,
                None => seat.by_id(id, &[Kind::Workspace, Kind::Folder]).await,
            }
        })
    }

    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move { self.seat(actor).await?.children(container, page).await })
    }

    fn create_folder<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move { self.seat(actor).await?.make_folder(parent, name).await })
    }

    fn safe_name(&self, name: &str) -> String {
        names::safe(name, self.settings.longest_name)
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(async move { self.seat(upload.actor).await?.put(upload).await })
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(async move { self.seat(probe.actor).await?.look(probe).await })
    }

    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move { self.seat(actor).await?.fetch_document(document, version).await })
    }

    fn document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            let (_, newest) = self.seat(actor).await?.newest(document).await?;
            Ok(profile::document(&newest))
        })
    }

    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let base = self.http.base();
        match thing {
            Thing::Document(id) => Some(
                self.settings.link.replace("{base}", base.as_str().trim_end_matches('/')).replace("{id}", id),
            ),
            Thing::Workspace(id) => Some(below(base, &format!("work/link/w/{id}")).to_string()),
            Thing::Folder(id) => Some(below(base, &format!("work/link/f/{id}")).to_string()),
        }
    }

    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        Box::pin(async move { self.seat(actor).await?.rights_of(library, container, person).await })
    }

    fn libraries<'a>(
        &'a self,
        actor: &'a Actor,
        _page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Library>>> {
        Box::pin(async move { self.seat(actor).await?.all_libraries().await })
    }

    fn search_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        text: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move { self.seat(actor).await?.by_words(library, text, page).await })
    }

    fn shelf<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        shelf: Shelf,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move { self.seat(actor).await?.shelf_of(library, shelf).await })
    }

    fn lookup<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: LookupQuery<'a>,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LookupRow>>> {
        Box::pin(async move { self.seat(actor).await?.values(library, query, page).await })
    }

    fn create_workspace<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        fields: &'a [(String, String)],
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move { self.seat(actor).await?.make_workspace(library, fields).await })
    }

    fn documents<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move { self.seat(actor).await?.documents_in(container, page).await })
    }

    fn set_profile<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move { self.seat(actor).await?.set_profile(document, fields).await })
    }

    fn rename<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.rename(document, name).await })
    }

    fn move_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        from: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.move_to(actor, document, from, to).await })
    }

    fn copy_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move { self.seat(actor).await?.copy_to(actor, document, to).await })
    }

    fn delete_document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move { self.seat(actor).await?.delete(document).await })
    }

    fn find_users<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        text: &'a str,
    ) -> Fut<'a, DmsResult<Vec<DmsUser>>> {
        Box::pin(async move { self.seat(actor).await?.users(text).await })
    }

    fn create_user<'a>(&'a self, actor: &'a Actor, user: NewUser<'a>) -> Fut<'a, DmsResult<Made>> {
        Box::pin(async move { self.seat(actor).await?.make_user(user).await })
    }
}
