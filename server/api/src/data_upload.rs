//! Tables of data: rows of a file that become work items.

use jiff::Timestamp;
use postroom_domain::data_upload::{Counts, DataState, DataUpload, Mapping, Pass, RowResult, Verdict};
use postroom_domain::ids::{DataUploadId, SiteName, WorkItemId};
use serde::{Deserialize, Serialize};

/// How many rows had which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountsView {
    /// Work items made, or that would be.
    pub created: u64,
    /// Work items changed, or that would be.
    pub updated: u64,
    /// Rows that change nothing.
    pub unchanged: u64,
    /// Rows that cannot be loaded.
    pub rejected: u64,
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        let Counts { created, updated, unchanged, rejected } = counts;
        Self { created, updated, unchanged, rejected }
    }
}

/// One way through the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassView {
    /// When it began.
    pub began: Timestamp,
    /// When it ended; null while it goes on, or was stopped.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// Rows that are done.
    pub rows: u64,
    /// How many had which result.
    pub counts: CountsView,
}

impl From<&Pass> for PassView {
    fn from(pass: &Pass) -> Self {
        Self { began: pass.began, ended: pass.ended, rows: pass.rows(), counts: pass.counts().into() }
    }
}

/// A table that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataUploadView {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub id: DataUploadId,
    /// The site of work items that name none.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub site: SiteName,
    /// Who handed it in.
    pub owner: String,
    /// The file's name.
    pub file_name: String,
    /// The file's length in bytes.
    pub size: u64,
    /// What the file is: `CSV, UTF-8, semicolons`.
    pub format: String,
    /// The mapping by which it is read.
    pub mapping: String,
    /// `staged`, `checking`, `checked`, `loading`, `loaded`, `stopped` or `failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "checked"))]
    pub state: DataState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// How many rows there are; null until somebody has been through all.
    #[serde(default)]
    pub rows: Option<u64>,
    /// The last dry run.
    #[serde(default)]
    pub check: Option<PassView>,
    /// The last run.
    #[serde(default)]
    pub load: Option<PassView>,
    /// When it was handed in.
    pub created: Timestamp,
}

impl From<&DataUpload> for DataUploadView {
    fn from(upload: &DataUpload) -> Self {
        Self {
            id: upload.id,
            site: upload.site.clone(),
            owner: upload.owner.clone(),
            file_name: upload.file_name.clone(),
            size: upload.file.size,
            format: upload.format.clone(),
            mapping: upload.mapping.name.clone(),
            state: upload.state,
            problem: upload.problem.clone(),
            rows: upload.total(),
            check: upload.check.as_ref().map(PassView::from),
            load: upload.load.as_ref().map(PassView::from),
            created: upload.created,
        }
    }
}

/// The result of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowView {
    /// Its number as a spreadsheet counts: the header is 1.
    pub row: u64,
    /// `created`, `updated`, `unchanged` or `rejected`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "rejected"))]
    pub result: Verdict,
    /// The reference it names.
    #[serde(default)]
    pub reference: String,
    /// The work item; null where there is none, as after a dry run for one that would be made.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Uuid))]
    pub work_item: Option<WorkItemId>,
    /// The fields that changed, or would.
    #[serde(default)]
    pub changed: Vec<String>,
    /// The column that it was rejected for.
    #[serde(default)]
    pub column: String,
    /// Why it was rejected.
    #[serde(default)]
    pub reason: String,
}

impl RowView {
    /// A result; after a dry run what would be made has no id.
    pub fn of(result: RowResult, dry: bool) -> Self {
        let made = result.result == Verdict::Created;
        Self {
            row: result.row,
            result: result.result,
            reference: result.reference,
            work_item: result.work_item.filter(|_| !(dry && made)),
            changed: result.changed,
            column: result.column,
            reason: result.reason,
        }
    }
}

/// The address's parameters of `GET /data-uploads`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct DataUploadList {
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The address's parameters of `GET /data-uploads/{id}/rows`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct RowList {
    /// Only rows with this result: `created`, `updated`, `unchanged` or `rejected`; all when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The address's parameters of `GET /data-uploads/export`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct ExportList {
    /// The name of a mapping of the settings.
    pub mapping: String,
}

/// The part `mapping` of `POST /data-uploads`: the name of a mapping of the settings, or one of the caller's own as JSON.
pub fn read_mapping(text: &str) -> Result<Wanted, Box<crate::problem::Problem>> {
    let text = text.trim();
    if text.starts_with('{') {
        return crate::body::parse::<Mapping>(text.as_bytes()).map(Wanted::Own);
    }
    Ok(Wanted::Named(text.to_owned()))
}

/// Which mapping is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// One of the settings.
    Named(String),
    /// The caller's own.
    Own(Mapping),
}
