//! What can go wrong on purpose, and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::switches::{ErrorBody, RetryAfter, Throttle};
use crate::common::faults;
pub use crate::common::faults::{Fire, Pattern};

/// A scripted fault; operations are named as in the statistics, such as `upload`, `search_workspaces`, `token`.
pub type Rule = faults::Rule<Action>;

/// Body of an error answer made by a fault; the default is the server's switch.
pub type BodyKind = ErrorBody;

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Answer at once, without doing the work.
    Status {
        /// HTTP status.
        status: u16,
        /// Headers such as `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Kind of body.
        #[serde(default)]
        body: Option<BodyKind>,
    },
    /// Wait before anything else.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Close the connection before the body is read; the client gets no status.
    Close {},
    /// Read so many bytes of the body, then reset the connection.
    ResetAfterRead {
        /// Bytes.
        bytes: u64,
    },
    /// Send head and so many bytes of the answer's body, then close.
    CutAnswer {
        /// Bytes.
        after: u64,
    },
    /// Do the work, then close without an answer.
    LoseAnswer {},
    /// Do the work, then answer with this status.
    CommitThenStatus {
        /// HTTP status, such as 502.
        status: u16,
        /// Headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Kind of body.
        #[serde(default)]
        body: Option<BodyKind>,
    },
    /// 429 when calls come faster than the bucket refills.
    Throttle {
        /// Calls refilled per second.
        per_second: f64,
        /// Calls that may come at once.
        burst: f64,
        /// Form of the header.
        retry_after: RetryAfter,
    },
    /// Wait until released through control.
    Hang {},
    /// Let all access tokens expire; refresh tokens stay.
    ExpireTokens {},
    /// Forget all access and refresh tokens.
    RevokeTokens {},
    /// Answer a token request of grant `refresh_token` with `invalid_grant`.
    RefuseRefresh {},
    /// Close a workspace.
    CloseWorkspace {
        /// Number.
        workspace: u64,
    },
    /// Open a workspace again.
    OpenWorkspace {
        /// Number.
        workspace: u64,
    },
    /// Move a folder.
    MoveFolder {
        /// Number.
        folder: u64,
        /// Number of the new parent.
        to: u64,
    },
    /// Rename a folder or workspace.
    RenameFolder {
        /// Number.
        folder: u64,
        /// New name.
        name: String,
    },
    /// Remove a folder with all below it, as an administrator would. Its documents are gone with it.
    RemoveFolder {
        /// Number.
        folder: u64,
    },
    /// Let a user lock a document.
    LockDocument {
        /// Document number; the one in the path if none.
        #[serde(default)]
        document: Option<u64>,
        /// User id.
        user: String,
    },
    /// Answer an upload with the id of another document.
    WrongId {},
    /// Keep only the first bytes of an upload.
    Truncate {
        /// Bytes kept.
        bytes: u64,
    },
    /// Report a size that differs from what is stored.
    WrongSize {
        /// Added to the size.
        delta: i64,
    },
}

impl Action {
    /// The bucket of a throttle.
    pub(super) fn throttle(&self) -> Option<Throttle> {
        match *self {
            Self::Throttle { per_second, burst, retry_after } => {
                Some(Throttle { per_second, burst, retry_after })
            }
            _ => None,
        }
    }

    /// Whether it changes the tenant rather than one answer.
    pub(super) fn changes_state(&self) -> bool {
        matches!(
            self,
            Self::ExpireTokens {}
                | Self::RevokeTokens {}
                | Self::CloseWorkspace { .. }
                | Self::OpenWorkspace { .. }
                | Self::MoveFolder { .. }
                | Self::RenameFolder { .. }
                | Self::RemoveFolder { .. }
                | Self::LockDocument { .. }
        )
    }
}
