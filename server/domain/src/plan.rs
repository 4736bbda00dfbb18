//! Which place an arrival goes to: the repository for its area and work type, with every tag filled in. A pure function; what it
//! cannot decide goes to a person, with the reason.

use std::collections::BTreeMap;

use crate::ids::SourceName;
use crate::intake::NeedsPerson;
use crate::repository::{Area, Repository, ResolverConfig};
use crate::tag::{TagError, TagErrorKind};
use crate::target::{Target, WorkspaceQuery};
use crate::work_item::WorkItem;

/// The firm's repositories and the doors' usual areas.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// In the order of the settings.
    pub repositories: Vec<Repository>,
    /// The area of a door whose arrivals do not name one.
    pub areas: BTreeMap<SourceName, Area>,
}

/// The place for an arrival's documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where they go.
    pub target: Target,
}

/// A plan, or why there is none, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Result<Plan, NeedsPerson>,
    /// One line per step, for the rule trace.
    pub trace: Vec<String>,
}

impl Rules {
    /// The area of a door whose arrivals do not name one.
    pub fn usual_area(&self, source: &SourceName) -> &'static str {
        self.areas.get(source).copied().unwrap_or(Area::MatterDocuments).as_str()
    }

    /// Plans the place for `documents` documents of the work item that was named as `given`.
    pub fn plan(&self, given: &str, item: Option<&WorkItem>, area: &str, documents: usize) -> Planned {
        let mut trace = Vec::new();
        let plan = self.decide(given, item, area, documents, &mut trace);
        if let Err(needs) = &plan {
            trace.push(format!("a person decides: {}", needs.text));
        }
        Planned { plan, trace }
    }

    fn decide(
        &self,
        given: &str,
        item: Option<&WorkItem>,
        area: &str,
        documents: usize,
        trace: &mut Vec<String>,
    ) -> Result<Plan, NeedsPerson> {
        if given.is_empty() {
            return Err(needs("no_work_item", "no work item was named"));
        }
        let item =
            item.ok_or_else(|| needs("unknown_work_item", format!("there is no work item \"{given}\"")))?;
        trace.push(format!("\"{given}\" is the work item {} ({})", item.reference, item.title));
        if !item.open {
            return Err(needs("closed_work_item", format!("the work item {} is closed", item.reference)));
        }
        let area: Area = area.parse().map_err(|text: String| needs("unknown_area", text))?;
        let repository = self.repository(area, &item.work_type).ok_or_else(|| {
            let text = format!("no repository serves {area} of work type {}", item.work_type);
            needs("no_repository", text)
        })?;
        trace.push(format!("the repository {} serves {area} of {}", repository.name, item.work_type));
        let target = target(repository, item).map_err(|error| {
            let code = match error.kind {
                TagErrorKind::Empty => "empty_tag",
                TagErrorKind::Unknown => "unknown_tag",
                TagErrorKind::Many => "many_values",
            };
            needs(code, format!("the repository {} cannot be resolved: {error}", repository.name))
        })?;
        trace.push(format!("{documents} document(s) go to {} at {}", target.in_words(), target.service));
        Ok(Plan { target })
    }

    /// The repository of the nearest ancestor work type that has one for the area; one without a work type serves all.
    pub fn repository(&self, area: Area, work_type: &str) -> Option<&Repository> {
        let mut path = Some(work_type);
        while let Some(at) = path {
            let found = self
                .repositories
                .iter()
                .find(|repository| repository.area == area && repository.work_type.as_deref() == Some(at));
            if found.is_some() {
                return found;
            }
            path = at.rsplit_once('/').map(|(above, _)| above);
        }
        self.repositories.iter().find(|repository| repository.area == area && repository.work_type.is_none())
    }
}

fn needs(code: &str, text: impl Into<String>) -> NeedsPerson {
    NeedsPerson { code: code.to_owned(), text: text.into() }
}

/// The target of a work item in a repository, with every tag filled in. An empty or unknown tag is an error: a query with an
/// empty value would match a stranger's workspace.
pub fn target(repository: &Repository, item: &WorkItem) -> Result<Target, TagError> {
    let workspace = match &repository.resolver {
        ResolverConfig::Default(title) => WorkspaceQuery::Title(title.fill(item)?),
        ResolverConfig::Search(fields) => {
            let filled: Result<Vec<_>, TagError> =
                fields.iter().map(|(field, value)| Ok((field.clone(), value.fill(item)?))).collect();
            WorkspaceQuery::Fields(filled?)
        }
        ResolverConfig::Pinned(id) => WorkspaceQuery::Pinned(id.clone()),
    };
    let folder: Result<Vec<String>, TagError> = repository
        .folder
        .iter()
        .map(|name| name.fill(item).map(|name| crate::repository::folder_name(&name)))
        .collect();
    let profile: Result<BTreeMap<String, String>, TagError> =
        repository.profile.iter().map(|(field, value)| Ok((field.clone(), value.fill(item)?))).collect();
    Ok(Target {
        service: repository.service.clone(),
        repository: Some(repository.name.clone()),
        library: repository.library.clone(),
        workspace,
        folder: folder?,
        create_folders: repository.create_folders,
        when_ambiguous: repository.when_ambiguous,
        profile: profile?,
    })
}

#[cfg(test)]
mod tests;
