//! Who may see and change what: hidden objects answer 404, visible but not writable ones 403 (an inferred split).

use super::error::{ApiError, Result};
use super::ids;
use super::model::{Access, Container, Kind};
use super::state::State;
use super::switches::Switches;

/// The user behind a token, and the application that holds it.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) user: String,
    pub(super) app: String,
}

impl State {
    pub(super) fn access(&self, caller: &Caller, workspace: u64) -> Access {
        let Some(container) = self.containers.get(&workspace) else { return Access::NoAccess };
        let Some(user) = self.users.get(&caller.user) else { return Access::NoAccess };
        if let Some(access) = container.rights.get(&caller.user) {
            return *access;
        }
        if user.is_admin {
            return Access::FullAccess;
        }
        // an internal user sees public workspaces, an external one needs an entry
        if user.is_external { Access::NoAccess } else { container.everyone }
    }

    pub(super) fn can_see(&self, caller: &Caller, workspace: u64) -> bool {
        self.access(caller, workspace) > Access::NoAccess
    }

    /// The container an id of the path names, if the caller may see it.
    pub(super) fn container(&self, caller: &Caller, library: Option<usize>, id: &str) -> Result<&Container> {
        let id = ids::parse(id)
            .filter(|id| id.version.is_none())
            .ok_or_else(|| ApiError::invalid("id", "Bad id"))?;
        let of_id = self.library(id.library).ok_or_else(ApiError::no_record)?;
        if library.is_some_and(|l| l != of_id) {
            return Err(ApiError::no_record());
        }
        self.containers
            .get(&id.number)
            .filter(|c| c.library == of_id && self.can_see(caller, c.workspace))
            .ok_or_else(ApiError::no_record)
    }

    pub(super) fn workspace(&self, caller: &Caller, library: Option<usize>, id: &str) -> Result<&Container> {
        let found = self.container(caller, library, id)?;
        if found.kind == Kind::Workspace { Ok(found) } else { Err(ApiError::no_record()) }
    }

    pub(super) fn folder(&self, caller: &Caller, library: Option<usize>, id: &str) -> Result<&Container> {
        let found = self.container(caller, library, id)?;
        if found.kind == Kind::Workspace { Err(ApiError::no_record()) } else { Ok(found) }
    }

    /// Position of a document and the version meant, if the caller may see it.
    pub(super) fn document(&self, caller: &Caller, library: Option<usize>, id: &str) -> Result<(usize, u32)> {
        let id = ids::parse(id).ok_or_else(|| ApiError::invalid("id", "Bad id"))?;
        let of_id = self.library(id.library).ok_or_else(ApiError::no_record)?;
        let at = self.doc_position(id.number).ok_or_else(ApiError::no_record)?;
        let doc = &self.docs[at];
        if doc.library != of_id || library.is_some_and(|l| l != of_id) || !self.can_see(caller, doc.workspace)
        {
            return Err(ApiError::no_record());
        }
        let version = match id.version {
            Some(number) => doc.version(number),
            None => doc.latest(),
        };
        version.map(|v| (at, v.number)).ok_or_else(ApiError::no_record)
    }

    /// Whether the caller may change something in the workspace.
    pub(super) fn writable(&self, caller: &Caller, workspace: u64, switches: &Switches) -> Result<()> {
        let refuse = |why: &str| Err(ApiError::new(switches.not_writable_status, "NRC_ACCESS_DENIED", why));
        if self.access(caller, workspace) < Access::ReadWrite {
            return refuse("Insufficient access rights");
        }
        if self.containers.get(&workspace).is_some_and(|c| c.closed) {
            return refuse("The workspace is closed");
        }
        Ok(())
    }

    /// Whether documents may be filed into the folder.
    pub(super) fn can_file(&self, caller: &Caller, folder: &Container, switches: &Switches) -> Result<()> {
        self.writable(caller, folder.workspace, switches)?;
        match folder.kind {
            Kind::Folder => Ok(()),
            Kind::Tab if switches.file_into_tab => Ok(()),
            Kind::Tab | Kind::SearchFolder | Kind::Workspace => {
                Err(ApiError::invalid("folder_id", "Documents cannot be added to this container"))
            }
        }
    }

    /// Whether somebody else holds the document.
    pub(super) fn unlocked(&self, caller: &Caller, at: usize, switches: &Switches) -> Result<()> {
        match &self.docs[at].lock {
            Some(lock) if lock.user != caller.user => {
                Err(ApiError::new(switches.locked_status, "NRC_LOCKED", format!("In use by {}", lock.user)))
            }
            _ => Ok(()),
        }
    }
}
