//! What travels between Postroom's server and its clients: one struct per JSON body of `/api/v1`, the problem body, the
//! filter language, and (feature `client`) a typed client.
//!
//! Answers are read tolerantly, so that an older console understands a newer server; request bodies refuse fields they do
//! not know, so that a misspelt one is never ignored. Times are RFC 3339 in UTC. Nothing here knows about actix, a store or
//! a terminal.

pub mod account;
pub mod ages;
pub mod audit;
pub mod body;
pub mod bulk;
pub mod capability;
pub mod cause;
#[cfg(feature = "client")]
pub mod client;
pub mod data_upload;
pub mod decision;
pub mod dms_account;
pub mod event;
pub mod filing;
pub mod filter;
pub mod health;
pub mod intake;
pub mod keys;
pub mod letter;
pub mod link;
pub mod list;
pub mod nearest;
pub mod notification;
pub mod page;
pub mod pause;
pub mod person;
pub mod place;
pub mod preview;
pub mod problem;
pub mod remark;
pub mod resolve;
pub mod rules;
pub mod secret;
pub mod sheets;
pub mod summary;
pub mod ticket;
pub mod view;
pub mod work_item;

// The words of the domain that stand in the wire structs, so that clients need no second crate.
pub use postroom_domain::cause::Fixer;
pub use postroom_domain::data_upload::DataState;
pub use postroom_domain::filing::{Owner, State, Why};
pub use postroom_domain::ids::{
    BlobHash, BulkId, DataUploadId, FilingId, IntakeId, LinkId, PersonId, RoleName, ServiceName, SessionId,
    SiteName, SourceName, TeamName, TokenId, WorkItemId,
};
pub use postroom_domain::intake::IntakeState;
pub use postroom_domain::people::Status;
pub use postroom_domain::person::{Permission, Role, Sites};
pub use postroom_domain::target::SaveMode;
