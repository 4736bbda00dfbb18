//! The doors through which documents come in by themselves, and the links in a DMS through which people do ([`link_columns`]). Each one takes bytes into the spool, hands them to the
//! [reception](postroom_domain::reception), and lets go of its source only after the filings are through.

mod checked;
pub mod graph;
pub mod hot_folder;
pub mod imap;
pub mod link_columns;
pub mod message;
#[cfg(feature = "pages")]
pub mod pages;
pub mod preview;
pub mod reader;
pub mod scan_folder;
pub mod screen;
pub mod smtp;
pub mod tables;

pub use checked::Checked;
pub use hot_folder::{HotFolder, HotFolderHandle, HotFolderOptions, HotFolderStatus};
pub use preview::PreviewDesk;
pub use tables::FileTables;
