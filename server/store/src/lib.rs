//! What Postroom keeps, behind the traits of the domain: [`RedbStore`] in one file by a single writer thread, [`MemoryStore`] in
//! plain maps as the model it is compared with.
//!
//! Nothing here decides anything: the machines of the domain do, and a store writes what they decided, whole or not at all.

mod memory;
mod news;
mod redb_store;
mod rules;
pub mod spool;

pub use memory::MemoryStore;
pub use redb_store::{
    Offline, OpenError, OpenOptions, OpenReport, RedbStore, RepairProgress, restore, verify, verify_with,
};
pub use spool::{FileSpool, OpenSpoolError, SpoolOptions, SweepError, sweep};
