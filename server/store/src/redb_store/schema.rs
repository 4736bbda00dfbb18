//! The tables. Keys are fixed numbers of bytes in big-endian order, values our own versioned encodings, so that no library's
//! notion of a tuple stands in the file.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

use super::Stop;

/// The version of everything in the file. A greater one is another Postroom's.
///
/// 1: without hashes of events, records, and work items by site. 2: with them. 3: with linked documents. 4: with
/// intakes that were divided.
pub(super) const VERSION: u64 = 4;

/// Rows of `meta`.
pub(super) mod meta {
    /// The schema's version.
    pub(in crate::redb_store) const SCHEMA: &str = "schema";
    /// Counts the proofs that the store takes writes.
    pub(in crate::redb_store) const PROOF: &str = "proof";
    /// The greatest id of a removed record, where it was the greatest of all: its first half and its second.
    pub(in crate::redb_store) const REMOVED: [&str; 2] = ["removed, first half", "removed, second half"];
}

type Bytes = &'static [u8];
type Fixed<const N: usize> = &'static [u8; N];

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty;)*) => {
        mod definition {
            #![allow(clippy::wildcard_imports, reason = "the table's types")]
            use super::*;
            $(pub(super) const fn $name() -> TableDefinition<'static, $key, $value> {
                TableDefinition::new(stringify!($name))
            })*
        }

        /// The tables in a write transaction, each opened when it is first needed.
        pub(super) struct Tables<'t> {
            transaction: &'t WriteTransaction,
            $($name: Option<Table<'t, $key, $value>>,)*
        }

        impl<'t> Tables<'t> {
            pub(super) const fn new(transaction: &'t WriteTransaction) -> Self {
                Self { transaction, $($name: None,)* }
            }

            /// Makes every table, so that readers find them.
            pub(super) fn make_all(&mut self) -> Result<(), Stop> {
                $(self.$name()?;)*
                Ok(())
            }

            $($(#[$doc])*
            pub(super) fn $name(&mut self) -> Result<&mut Table<'t, $key, $value>, Stop> {
                if self.$name.is_none() {
                    self.$name = Some(self.transaction.open_table(definition::$name())?);
                }
                self.$name.as_mut().ok_or_else(|| Stop::Broken("a table was not opened".to_owned()))
            })*
        }

        /// The tables in a read transaction.
        pub(super) struct Shelf(pub(super) ReadTransaction);

        impl Shelf {
            $($(#[$doc])*
            pub(super) fn $name(&self) -> Result<ReadOnlyTable<$key, $value>, Stop> {
                Ok(self.0.open_table(definition::$name())?)
            })*

            /// Rows per table.
            pub(super) fn lengths(&self) -> Result<Vec<(&'static str, u64)>, Stop> {
                Ok(vec![$((stringify!($name), self.$name()?.len()?),)*])
            }

            /// Hands every row of every table to another store, `portion` rows to a transaction.
            pub(super) fn copy_to(&self, target: &redb::Database, portion: usize) -> Result<u64, Stop> {
                use redb::ReadableTable;
                let mut copied = 0;
                let transaction = target.begin_write()?;
                Tables::new(&transaction).make_all()?;
                transaction.commit()?;
                $({
                    let source = self.$name()?;
                    let mut rows = source.iter()?.peekable();
                    while rows.peek().is_some() {
                        let transaction = target.begin_write()?;
                        {
                            let mut table = transaction.open_table(definition::$name())?;
                            for row in rows.by_ref().take(portion) {
                                let (key, value) = row?;
                                table.insert(key.value(), value.value())?;
                                copied += 1;
                            }
                        }
                        transaction.commit()?;
                    }
                })*
                Ok(copied)
            }
        }
    };
}

tables! {
    /// Small facts about the file.
    meta: &'static str => u64;
    /// (kind, number) → name: sites, services and sources stand in heads and keys by number.
    names: Fixed<3> => &'static str;

    /// Filing → head: the one record that every change rewrites.
    heads: Fixed<16> => Bytes;
    /// Filing → request as JSON: written once, and by a person's edit.
    bodies: Fixed<16> => Bytes;
    /// Filing → what else its progress holds, as JSON; only when there is something.
    details: Fixed<16> => Bytes;
    /// (filing, generation) → attempt as JSON.
    attempts: Fixed<20> => Bytes;
    /// (site, destination, state, filing).
    by_state: Fixed<21> => ();
    /// (cause, site, destination, settled, filing) of every filing with trouble.
    by_cause: Fixed<22> => ();
    /// (hash of the submitter, filing).
    by_submitter: Fixed<24> => ();
    /// (hash of the lower-cased reference, filing).
    by_reference: Fixed<24> => ();
    /// (hash of what all saves of a linked document have in common, filing).
    linked: Fixed<24> => ();
    /// (half of the content's hash, kind, hash of the target, record).
    by_content: Fixed<41> => ();
    /// (destination, lane, source, due, filing) of what the scheduler goes round.
    ready: Fixed<31> => ();
    /// (site, source, filing) of what is under way: the first is the oldest.
    under_way: Fixed<20> => ();

    /// Intake → head.
    intake_heads: Fixed<16> => Bytes;
    /// Intake → the rest as JSON.
    intake_bodies: Fixed<16> => Bytes;
    /// (intake, filing).
    intake_filings: Fixed<32> => ();
    /// (site, state, intake).
    intakes_by_state: Fixed<19> => ();
    /// (site, source, intake).
    intakes_by_source: Fixed<20> => ();
    /// (hash of the submitter, intake).
    intakes_by_submitter: Fixed<24> => ();
    /// Idempotency key → fingerprint and intake.
    keys: &'static str => Fixed<48>;

    /// Number → event as JSON.
    events: u64 => Bytes;
    /// Number → the hash that ties the event to all before it.
    event_hashes: u64 => Fixed<32>;
    /// (kind of subject, subject, number).
    events_about: Fixed<25> => ();

    /// Work item → JSON.
    work_items: Fixed<16> => Bytes;
    /// Work item → what it is searched by.
    work_lines: Fixed<16> => Bytes;
    /// Site and lower-cased reference → work item.
    work_references: &'static str => Fixed<16>;
    /// (site, work item).
    work_by_site: Fixed<18> => ();
    /// Work item and repository → JSON.
    bindings: Bytes => Bytes;
    /// Door → JSON.
    pauses: &'static str => Bytes;

    /// (kind, record) → version, keys, groups, body.
    records: Fixed<17> => Bytes;
    /// Kind and key → record.
    record_keys: Bytes => Fixed<16>;
    /// (kind, length of the group, group, record).
    record_groups: Bytes => ();

    /// (site, destination, source) → filings by state.
    count_filings: Fixed<6> => Fixed<80>;
    /// (cause, site, destination) → open filings, how many need a person, when last met.
    count_causes: Fixed<5> => Fixed<26>;
    /// (destination, lane, source) → entries.
    count_queues: Fixed<5> => u64;
    /// Site → intakes by state.
    count_intakes: Fixed<2> => Fixed<48>;
}
