//! One way through the rows of a table.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use postroom_domain::data_upload::{
    Batch, Bound, Counts, DataState, DataUpload, Row, RowResult, Table, TableError, UnderWay, bind,
    read_results, write_results,
};
use postroom_domain::ids::DataUploadId;
use postroom_domain::record::{self, Commit, Kept as _};
use postroom_domain::spool::{Blob, SpoolError};
use postroom_domain::store::StoreError;
use tokio_util::sync::CancellationToken;

use super::LoadParts;

/// Why a table is left alone.
pub(super) enum Halt {
    /// Somebody stopped it, or the process stops.
    Stopped,
    /// The file is no good: it fails, with the reason.
    Unfit(String),
    /// Not the table's fault: it goes on later.
    Later(String),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            // Somebody changed the record: it is looked at anew.
            StoreError::Conflict { .. } => Self::Stopped,
            other => Self::Later(other.to_string()),
        }
    }
}

impl From<SpoolError> for Halt {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Missing(_) | SpoolError::Damaged(_) => Self::Unfit(error.to_string()),
            other => Self::Later(other.to_string()),
        }
    }
}

impl From<TableError> for Halt {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Unfit(why) => Self::Unfit(why),
            TableError::Spool(why) => Self::Later(why),
        }
    }
}

/// Which row a reference was first met in. A short hash of it is kept, so that a million rows are some megabytes.
#[derive(Default)]
pub(super) struct Met(HashMap<u64, u64>);

impl Met {
    /// The row that had the same reference before this one.
    pub(super) fn before(&mut self, site: &str, reference: &str, row: u64) -> Option<u64> {
        let hash = blake3::hash(format!("{site}/{}", reference.to_lowercase()).as_bytes());
        let key = u64::from_be_bytes(*hash.as_bytes().first_chunk().unwrap_or(&[0; 8]));
        let first = *self.0.entry(key).or_insert(row);
        (first != row).then_some(first)
    }
}

/// Works on one table.
pub(super) struct Worker {
    pub(super) parts: LoadParts,
    pub(super) stop: CancellationToken,
}

impl Worker {
    /// Until it is through, stopped, or fails.
    pub(super) async fn work(&self, id: DataUploadId) {
        match self.through(id).await {
            Ok(()) => {}
            Err(Halt::Stopped) => {
                tracing::info!(data_upload.id = %id, "A table of data was stopped between two portions.");
            }
            Err(Halt::Later(why)) => {
                tracing::warn!(data_upload.id = %id, why, "A table of data cannot go on now; it is tried again.");
                // Whoever looks for work finds it at once: not in a hurry.
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(Duration::from_secs(5)) => {}
                }
            }
            Err(Halt::Unfit(why)) => self.fail(id, why).await,
        }
    }

    async fn fail(&self, id: DataUploadId, why: String) {
        tracing::warn!(data_upload.id = %id, why, "A table of data cannot be read any further.");
        let Ok(Some(mut upload)) = self.read(id).await else { return };
        if upload.state.is_working() {
            upload.state = DataState::Failed;
            upload.problem = why;
            // What else happens to the record meanwhile wins.
            let _lost = self.write(&mut upload).await;
        }
    }

    async fn read(&self, id: DataUploadId) -> Result<Option<DataUpload>, StoreError> {
        record::by_id(&*self.parts.mailroom.reception.store, id.as_u128()).await
    }

    /// Writes the record as the next version.
    async fn write(&self, upload: &mut DataUpload) -> Result<(), StoreError> {
        upload.version += 1;
        let commit = Commit { writes: vec![upload.put()?], events: Vec::new() };
        self.parts.mailroom.reception.store.commit(commit).await
    }

    async fn through(&self, id: DataUploadId) -> Result<(), Halt> {
        let Some(mut upload) = self.read(id).await? else { return Ok(()) };
        let Some(pass) = upload.working() else { return Ok(()) };
        let done = pass.rows();
        let content = self.parts.mailroom.reception.spool.content(upload.file).await?;
        let mut table = self.parts.tables.open(content, &upload.mapping.sheet).await?;
        let bound = bind(table.header(), &upload.mapping).map_err(|missing| {
            let names: Vec<String> = missing.into_iter().map(|it| format!("\"{}\"", it.column)).collect();
            Halt::Unfit(format!("the table has no single column {}", names.join(", ")))
        })?;
        let mut met = Met::default();
        self.skip(&upload, &bound, table.as_mut(), &mut met, done).await?;
        loop {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            let rows = table.next(self.parts.portion).await?;
            if rows.is_empty() {
                return self.end(upload).await;
            }
            self.portion(&mut upload, &bound, &rows, &mut met).await?;
        }
    }

    /// Passes the rows that are done, and remembers their references.
    async fn skip(
        &self,
        upload: &DataUpload,
        bound: &Bound,
        table: &mut dyn Table,
        met: &mut Met,
        done: u64,
    ) -> Result<(), Halt> {
        let mut left = usize::try_from(done).unwrap_or(usize::MAX);
        while left > 0 {
            let rows = table.next(left.min(self.parts.portion)).await?;
            if rows.is_empty() {
                return Err(Halt::Unfit("the table has fewer rows than were done".to_owned()));
            }
            left -= rows.len();
            for row in &rows {
                if let Ok((site, reference)) = bound.names(row, &upload.site, &upload.sites) {
                    met.before(site.as_str(), &reference, row.number);
                }
            }
        }
        Ok(())
    }

    async fn portion(
        &self,
        upload: &mut DataUpload,
        bound: &Bound,
        rows: &[Row],
        met: &mut Met,
    ) -> Result<(), Halt> {
        let (loading, begun) = (upload.state == DataState::Loading, self.now());
        let (before, since) = self.cut_off(upload).await?;
        let planned = self.plan(upload, bound, rows, met, &before, since).await?;
        let results = if loading {
            if before.is_empty() {
                let plan: Vec<RowResult> = planned.iter().map(|one| RowResult::of(&one.planned)).collect();
                let under_way = UnderWay { plan: self.keep(&plan).await?, since: begun };
                let Some(pass) = upload.working() else { return Err(Halt::Stopped) };
                pass.under_way = Some(under_way);
                self.write(upload).await?;
            }
            self.save(upload, bound, planned).await?
        } else {
            planned.into_iter().map(|one| RowResult::of(&one.planned)).collect()
        };
        let batch = Batch {
            rows: rows.len() as u64,
            counts: Counts::of(&results),
            results: self.keep(&results).await?,
        };
        let Some(pass) = upload.working() else { return Err(Halt::Stopped) };
        pass.under_way = None;
        pass.batches.push(batch);
        self.write(upload).await?;
        Ok(())
    }

    /// The plan of a portion that was cut off, by rows; empty where none was.
    async fn cut_off(
        &self,
        upload: &mut DataUpload,
    ) -> Result<(HashMap<u64, RowResult>, Option<jiff::Timestamp>), Halt> {
        let Some(UnderWay { plan, since }) = upload.working().and_then(|pass| pass.under_way) else {
            return Ok((HashMap::new(), None));
        };
        let content = self.parts.mailroom.reception.spool.content(plan).await?;
        let damaged =
            |error: &dyn std::fmt::Display| Halt::Unfit(format!("the plan of a portion is damaged: {error}"));
        let mut stream = content.open().await.map_err(|error| damaged(&error))?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece.map_err(|error| damaged(&error))?);
        }
        let results = read_results(&bytes).map_err(|error| damaged(&error))?;
        Ok((results.into_iter().map(|result| (result.row, result)).collect(), Some(since)))
    }

    async fn keep(&self, results: &[RowResult]) -> Result<Blob, Halt> {
        let bytes = write_results(results).map_err(|error| Halt::Later(error.to_string()))?;
        let mut draft = self.parts.mailroom.reception.spool.draft().await?;
        draft.write(Bytes::from(bytes)).await?;
        Ok(draft.seal().await?)
    }

    async fn end(&self, mut upload: DataUpload) -> Result<(), Halt> {
        let now = self.now();
        if let Some(pass) = upload.working() {
            pass.ended = Some(now);
        }
        let state = if upload.state == DataState::Loading { DataState::Loaded } else { DataState::Checked };
        upload.state = state;
        self.write(&mut upload).await?;
        let counts = upload.pass().map(postroom_domain::data_upload::Pass::counts).unwrap_or_default();
        tracing::info!(
            data_upload.id = %upload.id, data_upload.state = %state, data_upload.created = counts.created,
            data_upload.updated = counts.updated, data_upload.unchanged = counts.unchanged,
            data_upload.rejected = counts.rejected, "A table of data is through."
        );
        Ok(())
    }

    pub(super) fn now(&self) -> jiff::Timestamp {
        self.parts.mailroom.reception.clock.now()
    }
}
