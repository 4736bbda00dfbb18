//! Work items as rows, by the same mapping: what is unloaded and loaded again changes nothing.

use super::mapping::{Field, Mapping, Part};
use crate::work_item::WorkItem;

/// The headings of a mapping.
pub fn header(mapping: &Mapping) -> Vec<String> {
    mapping.columns.iter().map(|column| column.column.clone()).collect()
}

/// A work item as a row. Where values stand for others, the one is written that stands for what is there.
pub fn line(mapping: &Mapping, item: &WorkItem) -> Vec<String> {
    let text = |column: &super::Column| {
        let is = cell(item, &column.field);
        let stands = column.values.iter().find(|(_, meant)| **meant == is).map(|(value, _)| value.clone());
        stands.unwrap_or(is)
    };
    mapping.columns.iter().map(text).collect()
}

/// A field as text.
pub fn cell(item: &WorkItem, field: &Field) -> String {
    match field {
        Field::Reference => item.reference.clone(),
        Field::Title => item.title.clone(),
        Field::WorkType => item.work_type.clone(),
        Field::Site => item.site.to_string(),
        Field::Phase => item.phase.clone(),
        Field::Open => if item.open { "yes" } else { "no" }.to_owned(),
        Field::ClientReference => item.client.reference.clone(),
        Field::ClientName => item.client.name.clone(),
        Field::Zone => item.zone.clone(),
        Field::Attribute(name) => item.attributes.get(name).cloned().unwrap_or_default(),
        Field::Participant(role, part) => {
            let one = item.participants.iter().find(|one| one.role == *role);
            one.map(|one| match part {
                Part::Name => one.name.clone(),
                Part::Reference => one.reference.clone(),
                Part::Email => one.email.clone(),
            })
            .unwrap_or_default()
        }
    }
}
