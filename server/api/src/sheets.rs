//! Cover sheets to print.

use serde::{Deserialize, Serialize};

/// Body of `POST /cover-sheets`. The answer is a PDF.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SheetsBody {
    /// The work items: references, or ids; a sheet for each.
    #[serde(default)]
    pub work_items: Vec<String>,
    /// How many separators follow them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub separators: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}
