//! The records of the fake tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Custom fields of a container or document: field name (`custom1`) to alias or value.
pub(super) type Customs = BTreeMap<String, String>;

/// What a user may do in a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The workspace answers 404.
    NoAccess,
    /// Visible; changes answer 403.
    Read,
    /// May file.
    ReadWrite,
    /// May also change security.
    #[default]
    FullAccess,
}

impl Access {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoAccess => "no_access",
            Self::Read => "read",
            Self::ReadWrite => "read_write",
            Self::FullAccess => "full_access",
        }
    }
}

/// A user of the tenant.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the vendor's user record")]
pub struct User {
    /// Short upper-case id.
    pub id: String,
    /// Display name.
    pub full_name: String,
    /// Mail address.
    pub email: String,
    /// Password of a virtual user; `None` means single sign-on only.
    #[serde(skip_serializing)]
    pub password: Option<String>,
    /// Whether the user may sign in at all.
    pub allow_logon: bool,
    /// Whether the user is external to the firm.
    pub is_external: bool,
    /// Administrator.
    pub is_admin: bool,
    /// Locked after failed passwords.
    pub is_locked: bool,
    /// Failed passwords since the last good one.
    pub failed_logins: u32,
    /// Office.
    pub location: String,
    /// Name of the preferred library.
    pub preferred_library: String,
}

/// A registered application.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) enabled: bool,
    /// The user behind `client_credentials`.
    pub(super) service_user: Option<String>,
}

/// A library.
#[derive(Clone, Debug)]
pub(super) struct Library {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) classes: Vec<Class>,
    /// Lookup aliases by field, parent alias and alias, the latter two in lower case.
    pub(super) lookups: BTreeMap<(String, String, String), Alias>,
}

/// A document class.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) required: Vec<String>,
}

/// An entry of a custom lookup.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) parent: Option<String>,
    pub(super) enabled: bool,
}

/// Kinds of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Workspace,
    Tab,
    Folder,
    /// A saved search; nothing can be filed into it.
    SearchFolder,
}

/// A workspace, tab or folder.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) number: u64,
    pub(super) library: usize,
    pub(super) kind: Kind,
    pub(super) parent: Option<u64>,
    /// Number of the workspace (its own, for a workspace).
    pub(super) workspace: u64,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) owner: String,
    pub(super) email: Option<String>,
    pub(super) class: Option<String>,
    pub(super) subclass: Option<String>,
    pub(super) default_security: String,
    pub(super) customs: Customs,
    /// Workspaces only: nothing may be changed any more.
    pub(super) closed: bool,
    /// Workspaces only: what users without an entry of their own may do.
    pub(super) everyone: Access,
    /// Workspaces only: rights by user id.
    pub(super) rights: BTreeMap<String, Access>,
    /// Child containers in order of creation.
    pub(super) children: Vec<u64>,
    /// Documents filed here, by position in the document table.
    pub(super) docs: Vec<usize>,
    pub(super) created: i64,
    pub(super) edited: i64,
}

/// What was kept of an uploaded file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) size: u64,
    pub(super) sha256: String,
    pub(super) blake3: String,
    /// `None` when the file was larger than the limit.
    pub(super) bytes: Option<Bytes>,
}

/// A document: versions that share a number.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) number: u64,
    pub(super) library: usize,
    pub(super) workspace: u64,
    pub(super) folders: Vec<u64>,
    pub(super) versions: Vec<Version>,
    pub(super) lock: Option<Lock>,
    pub(super) history: Vec<Event>,
}

impl Document {
    /// The newest version that is not deleted.
    pub(super) fn latest(&self) -> Option<&Version> {
        self.versions.iter().rev().find(|v| !v.deleted)
    }

    pub(super) fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|v| v.number == number && !v.deleted)
    }

    pub(super) fn version_mut(&mut self, number: u32) -> Option<&mut Version> {
        self.versions.iter_mut().find(|v| v.number == number && !v.deleted)
    }
}

/// One version.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) extension: String,
    pub(super) type_id: String,
    pub(super) class: String,
    pub(super) subclass: Option<String>,
    pub(super) author: String,
    pub(super) operator: String,
    pub(super) comment: String,
    pub(super) default_security: String,
    pub(super) customs: Customs,
    pub(super) email: Option<Box<EmailFields>>,
    /// Size the server reports; differs from what is stored only by a fault.
    pub(super) size: u64,
    pub(super) stored: Arc<Stored>,
    pub(super) created: i64,
    pub(super) edited: i64,
    /// As sent by the client.
    pub(super) file_create_date: Option<String>,
    pub(super) file_edit_date: Option<String>,
    pub(super) deleted: bool,
}

/// The extra fields of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EmailFields {
    pub(super) subject: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) cc: String,
    pub(super) sent_date: String,
    pub(super) received_date: String,
    pub(super) message_id: String,
}

/// Who holds a document.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) user: String,
    pub(super) comment: String,
    pub(super) due_date: Option<String>,
    pub(super) checked_out: bool,
    pub(super) at: i64,
}

/// A line of a document's history.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) activity: &'static str,
    pub(super) code: u32,
    pub(super) version: u32,
    pub(super) user: String,
    pub(super) app: String,
    pub(super) comments: String,
    pub(super) at: i64,
}
