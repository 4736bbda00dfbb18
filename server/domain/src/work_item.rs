//! One matter, instruction or service request that Postroom knows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ServiceName, SiteName, WorkItemId};

/// The client of a work item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The firm's number for it.
    pub reference: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// Somebody who takes part in a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The part: `client`, `fee-earner`, `opponent`, …
    pub role: String,
    /// The name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The firm's number, where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
}

/// The place in a DMS that a work item was started from: its later documents are filed back there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The linked service.
    pub service: ServiceName,
    /// Library, cabinet or site; empty where the DMS has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// The id of the folder or workspace: it stays the same when that is moved or renamed.
    pub container: String,
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    /// Its id.
    pub id: WorkItemId,
    /// The firm's reference: unique within the site, without case.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Its place in the tree of work types, from the top: `matter/litigation`.
    pub work_type: String,
    /// The site it belongs to.
    pub site: SiteName,
    /// Whether documents may still be filed to it.
    pub open: bool,
    /// Its phase.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Its client.
    #[serde(default)]
    pub client: Client,
    /// The firm's own fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// Where it was started from, where that was a place in a DMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The time zone of its dates by its IANA name, such as `Europe/London`; the firm's where it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was last changed.
    pub changed: Timestamp,
}

/// The longest reference, title or type, in bytes.
const LONGEST: usize = 512;

/// What makes a work item impossible: the field, and why.
pub fn check(item: &WorkItem) -> Result<(), (String, String)> {
    let wrong = |field: &str, why: &str| Err((field.to_owned(), why.to_owned()));
    for (field, text) in
        [("reference", &item.reference), ("title", &item.title), ("work_type", &item.work_type)]
    {
        if text.trim().is_empty() {
            return wrong(field, "must not be blank");
        }
        check_text(field, text)?;
    }
    // A reference that reads as an id would be looked up as one.
    if item.reference.parse::<WorkItemId>().is_ok() {
        return wrong("reference", "looks like an id");
    }
    if item.work_type.split('/').any(|part| part.trim().is_empty()) {
        return wrong("work_type", "has an empty part; write matter/litigation");
    }
    if !item.zone.is_empty() && jiff::tz::TimeZone::get(&item.zone).is_err() {
        return wrong("zone", &format!("\"{}\" is not a time zone such as Europe/London", item.zone));
    }
    Ok(())
}

fn check_text(field: &str, text: &str) -> Result<(), (String, String)> {
    if text.len() > LONGEST {
        return Err((field.to_owned(), format!("is longer than {LONGEST} bytes")));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        let why = "begins or ends with a space, or holds a control character";
        return Err((field.to_owned(), why.to_owned()));
    }
    Ok(())
}

/// What a table may say of a work item beyond what [`check`] looks at: texts of a line each, and addresses that are some.
pub fn check_loaded(item: &WorkItem) -> Result<(), (String, String)> {
    check(item)?;
    check_text("phase", &item.phase)?;
    check_text("client.reference", &item.client.reference)?;
    check_text("client.name", &item.client.name)?;
    for (name, value) in &item.attributes {
        check_text(&format!("attributes.{name}"), value)?;
    }
    for one in &item.participants {
        let field = |part: &str| format!("participants.{}.{part}", one.role);
        check_text(&field("name"), &one.name)?;
        check_text(&field("reference"), &one.reference)?;
        check_text(&field("email"), &one.email)?;
        let address =
            one.email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        if !one.email.is_empty() && (!address || one.email.contains(char::is_whitespace)) {
            return Err((field("email"), "is no address".to_owned()));
        }
    }
    Ok(())
}
