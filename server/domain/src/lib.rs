//! What Postroom is about, as values and pure functions: ids, intakes, filings and their machines, the
//! classification of failures, targets in a document management system (DMS), and the traits by which the other
//! rooms meet ([`store::Store`], [`spool::Spool`], [`dms::Dms`], [`time::Clock`]).
//!
//! Nothing here reads a clock, draws a random number, opens a file or a socket, or knows which runtime polls its
//! futures. What a function needs, it is handed.

pub mod allocation;
pub mod audit;
pub mod backoff;
pub mod block_list;
pub mod bookmarks;
pub mod bulk;
pub mod capability;
pub mod cause;
pub mod choice;
pub mod control;
pub mod data_upload;
pub mod decide;
pub mod desk;
pub mod dms;
pub mod dms_account;
pub mod event;
pub mod filing;
pub mod handed;
pub mod ids;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod letter;
pub mod link;
pub mod link_columns;
pub mod linked;
pub mod lists;
pub mod luggage;
pub mod machine;
pub mod mail;
pub mod mailbox;
pub mod mailroom;
pub mod matching;
pub mod media_type;
pub mod mistake;
pub mod own;
pub mod people;
pub mod person;
pub mod places;
pub mod plain;
pub mod plan;
pub mod preview;
pub mod query;
pub mod ranking;
pub mod real_type;
pub mod reception;
pub mod record;
pub mod recovery;
pub mod remark;
pub mod repository;
pub mod resolve;
pub mod scan_folder;
pub mod screening;
pub mod sealing;
pub mod send_to;
pub mod sending;
pub mod sheets;
pub mod sign_in;
pub mod split;
pub mod spool;
pub mod store;
pub mod tag;
pub mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod ticket;
pub mod time;
pub mod uploads;
pub mod views;
pub mod work_item;

use std::future::Future;
use std::pin::Pin;

/// A boxed future, so that the traits of this room can be used as `dyn`.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
