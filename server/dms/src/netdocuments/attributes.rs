//! Profile attributes: what a cabinet defines, and what must be filled in before a document is sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::dms::{DmsError, DmsResult, Upload};
use postroom_outbound::Method;
use serde_json::{Value, json};
use tracing::debug;

use super::errors;
use super::seat::{Body, Cabinet, Seat};
use super::wire::{self, Item, entries};

/// One attribute of a cabinet. The keys of its definition are not documented, so several are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) lookup: bool,
    pub(super) parent: Option<u32>,
}

/// The attributes of a cabinet; none where it does not tell them.
pub(super) type Definitions = Vec<Definition>;

fn definition(item: &Item) -> Option<Definition> {
    let number = ["attrNum", "id", "number"].iter().find_map(|key| item.number(key))?;
    let flag = |keys: [&str; 2]| keys.iter().find_map(|key| item.flag(key)).unwrap_or(false);
    Some(Definition {
        number: u32::try_from(number).ok()?,
        name: item.any(&["name", "description"]).unwrap_or_else(|| number.to_string()),
        required: flag(["required", "isRequired"]),
        lookup: flag(["lookup", "isLookup"]),
        parent: item.number("parentAttrNum").and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0),
    })
}

impl Seat {
    /// The attributes of a cabinet, remembered for a while. A cabinet that does not tell them has none.
    pub(super) async fn definitions(&self, cabinet: &str) -> DmsResult<Arc<Definitions>> {
        let mut known = self.definitions.lock().await;
        let now = self.clock.monotonic();
        let life = Duration::from_secs(self.settings.definitions_seconds);
        if let Some((at, found)) = known.get(cabinet)
            && now.saturating_sub(*at) < life
        {
            return Ok(Arc::clone(found));
        }
        let url = self.url(&["v1", "Cabinet", cabinet, "customAttributes"], &[])?;
        let reply = self.ask("custom_attributes", Method::GET, url, Body::None).await?;
        let found: Definitions = match reply.status {
            200..=299 => entries(wire::value(&reply)?).iter().filter_map(definition).collect(),
            400 | 403 | 404 | 405 | 501 => {
                debug!(dms.service = %self.name, http.status = reply.status,
                    "NetDocuments does not tell which attributes the cabinet has.");
                Definitions::new()
            }
            _ => {
                return Err(errors::shape(
                    &reply,
                    &format!("reading the attributes of {cabinet}"),
                    &self.settings,
                ));
            }
        };
        let found = Arc::new(found);
        known.insert(cabinet.to_owned(), (now, Arc::clone(&found)));
        Ok(found)
    }

    /// The number of a field of a target.
    pub(super) fn numbered(&self, field: &str) -> DmsResult<u32> {
        let number = self.settings.number(field);
        number.ok_or_else(|| {
            let text = format!(
                "{field:?} is neither the number of a profile attribute nor a name that the settings give one"
            );
            errors::rejected(field, text)
        })
    }

    /// A key as lookup tables can hold it.
    pub(super) fn key(&self, field: &str, value: &str) -> DmsResult<String> {
        let refuse = |why: &str| Err(errors::rejected(field, format!("{field}: {why}")));
        if value.is_empty() || matches!(value, "." | "..") {
            return refuse("an empty value, or one of dots alone, is no key");
        }
        if value.contains(char::is_control) {
            return refuse("a key holds no line ends or the like");
        }
        if value.contains('/') && self.settings.slash_in_keys.is_empty() {
            return refuse("a key cannot hold a slash, and the settings name nothing to stand for it");
        }
        Ok(value.replace('/', &self.settings.slash_in_keys))
    }

    /// Values by the names that the settings give, or by number.
    pub(super) fn fields(&self, values: &BTreeMap<u32, String>) -> BTreeMap<String, String> {
        values.iter().map(|(number, value)| (self.settings.field(*number), value.clone())).collect()
    }

    /// The profile of a new document, as numbers and values. What the workspace gives is compared and left out: to set it again is
    /// an error at NetDocuments, and another value than the workspace's is a misfiling.
    pub(super) async fn profile(&self, upload: &Upload<'_>) -> DmsResult<Value> {
        let mark = self.settings.mark();
        let mut values = BTreeMap::new();
        for (field, value) in upload.profile {
            let number = self.numbered(field)?;
            if Some(number) == mark {
                return Err(errors::rejected(field, format!("{field} holds Postroom's mark")));
            }
            values.insert(number, value.clone());
        }
        let cabinet = match self.cabinet(upload.library).await {
            Ok(cabinet) => Some(cabinet),
            // Without a cabinet nothing is known of its attributes; the server decides.
            Err(DmsError::Rejected { .. }) => None,
            Err(error) => return Err(error),
        };
        if let Some(cabinet) = &cabinet {
            self.settle(upload, cabinet, &mut values).await?;
        }
        if let Some(mark) = mark {
            values.insert(mark, upload.mark.to_string());
        }
        Ok(values.into_iter().map(|(id, value)| json!({ "id": id, "value": value })).collect())
    }

    async fn settle(
        &self,
        upload: &Upload<'_>,
        cabinet: &Cabinet,
        values: &mut BTreeMap<u32, String>,
    ) -> DmsResult<()> {
        let required: Vec<Definition> = if self.settings.check_required && !self.settings.partial_profiling {
            let all = self.definitions(&cabinet.id).await?;
            all.iter().filter(|it| it.required && !cabinet.workspace.contains(&it.number)).cloned().collect()
        } else {
            Vec::new()
        };
        let mark = self.settings.mark();
        let given = |it: &Definition| {
            Some(it.number) == mark || values.get(&it.number).is_some_and(|value| !value.is_empty())
        };
        let open: Vec<&Definition> = required.iter().filter(|it| !given(it)).collect();
        let of_workspace = values.keys().any(|number| cabinet.workspace.contains(number));
        if open.is_empty() && !of_workspace {
            return Ok(());
        }
        let place = self.info_of(upload.container).await?.1.custom().unwrap_or_default();
        if let Some(missing) = open.iter().find(|it| place.get(&it.number).is_none_or(String::is_empty)) {
            let field = self.settings.field(missing.number);
            let text = format!("the cabinet wants {} ({field}) filled in for every document", missing.name);
            return Err(errors::rejected(&field, text));
        }
        for number in &cabinet.workspace {
            let (Some(wanted), Some(there)) = (values.get(number), place.get(number)) else { continue };
            if !self.same_key(wanted, there) {
                let field = self.settings.field(*number);
                let text = format!("the target says {field} = {wanted:?}, but the place has {there:?}");
                return Err(errors::rejected(&field, text));
            }
            values.remove(number);
        }
        Ok(())
    }

    /// Whether two keys are one.
    pub(super) fn same_key(&self, wanted: &str, there: &str) -> bool {
        let wanted = wanted.replace('/', &self.settings.slash_in_keys);
        if self.settings.fields_match_case {
            wanted == there
        } else {
            wanted.to_lowercase() == there.to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_read_under_all_keys_in_use() {
        let wanted =
            Definition { number: 2, name: "Matter".into(), required: true, lookup: true, parent: Some(1) };
        for value in [
            json!({ "id": 2, "name": "Matter", "required": true, "lookup": true, "parentAttrNum": 1 }),
            json!({ "attrNum": "2", "description": "Matter", "isRequired": "true", "isLookup": "true", "parentAttrNum": "1" }),
            json!({ "number": 2, "name": "Matter", "required": 1, "lookup": "yes", "parentAttrNum": 1 }),
        ] {
            assert_eq!(definition(&Item::of(value.clone()).unwrap()), Some(wanted.clone()), "{value}");
        }
        assert_eq!(definition(&Item::of(json!({ "name": "x" })).unwrap()), None);
    }
}
