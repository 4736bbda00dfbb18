//! The stores: one suite that each of them passes, the redb store beside the memory store over random histories with crashes, disks
//! that fail and forget, files that are not what they should be.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says where")]

mod chain;
mod conformance;
mod crash;
mod disk;
mod divisions;
mod files;
mod model;
mod paging;
mod records;
mod start;
mod world;
