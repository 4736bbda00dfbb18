//! Which place an arrival goes to: the repository for its area and work type, with every tag filled in. A pure function; what it
//! cannot decide goes to a person, with the reason.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::block_list::BlockList;
use crate::ids::{RepositoryName, SourceName};
use crate::intake::NeedsPerson;
use crate::repository::{Area, DuplicateRule, Repository, ResolverConfig};
use crate::tag::escape::folder_name;
use crate::tag::{TagError, TagErrorKind, Use};
use crate::target::{Target, WorkspaceQuery};
use crate::work_item::WorkItem;

/// The firm's repositories and the doors' usual areas.
#[derive(Debug, Clone)]
pub struct Rules {
    /// In the order of the settings.
    pub repositories: Vec<Repository>,
    /// The area of a door whose arrivals do not name one.
    pub areas: BTreeMap<SourceName, Area>,
    /// The time zone of work items that name none.
    pub zone: TimeZone,
}

impl Default for Rules {
    fn default() -> Self {
        Self { repositories: Vec::new(), areas: BTreeMap::new(), zone: TimeZone::UTC }
    }
}

/// The place for an arrival's documents, and what the repository says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where they go.
    pub target: Target,
    /// Kinds of files that are not filed there.
    pub blocked: BlockList,
    /// What happens to content that is there already.
    pub duplicate: DuplicateRule,
}

/// A plan, or why there is none, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Result<Plan, NeedsPerson>,
    /// One line per step, for the rule trace.
    pub trace: Vec<String>,
}

/// The repository that serves, and which work type of the tree gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The work type it stands at; none for one that serves all.
    pub by: Option<&'a str>,
}

impl Rules {
    /// The area of a door whose arrivals do not name one.
    pub fn usual_area(&self, source: &SourceName) -> &'static str {
        self.areas.get(source).copied().unwrap_or(Area::MatterDocuments).as_str()
    }

    /// Plans the place for `documents` documents of the work item that was named as `given`.
    pub fn plan(&self, given: &str, item: Option<&WorkItem>, area: &str, documents: usize) -> Planned {
        self.plan_in(given, item, area, None, documents)
    }

    /// The same, with a repository chosen by its name instead of by the work type.
    pub fn plan_in(
        &self,
        given: &str,
        item: Option<&WorkItem>,
        area: &str,
        repository: Option<&RepositoryName>,
        documents: usize,
    ) -> Planned {
        let mut trace = Vec::new();
        let plan = self.decide(given, item, area, repository, documents, &mut trace);
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
        chosen: Option<&RepositoryName>,
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
        let Served { repository, by } = match chosen {
            Some(name) => {
                let found = self.repositories.iter().find(|repository| repository.name == *name);
                let repository = found
                    .ok_or_else(|| needs("no_repository", format!("there is no repository \"{name}\"")))?;
                Served { repository, by: repository.work_type.as_deref() }
            }
            None => self.served(area, &item.work_type).ok_or_else(|| {
                let text = format!("no repository serves {area} of work type {}", item.work_type);
                needs("no_repository", text)
            })?,
        };
        let whose = match by {
            Some(by) if by == item.work_type => String::new(),
            Some(by) => format!(", from the work type {by}"),
            None => ", which serves every work type".to_owned(),
        };
        trace.push(format!("the repository {} serves {area} of {}{whose}", repository.name, item.work_type));
        let target = target(repository, item, &self.zone)?;
        trace.push(format!("{documents} document(s) go to {} at {}", target.in_words(), target.service));
        Ok(Plan { target, blocked: repository.blocked.clone(), duplicate: repository.duplicate })
    }

    /// The repository of the nearest ancestor work type that has one for the area; one without a work type serves all.
    pub fn repository(&self, area: Area, work_type: &str) -> Option<&Repository> {
        self.served(area, work_type).map(|served| served.repository)
    }

    /// The same, with the work type that gave it.
    pub fn served(&self, area: Area, work_type: &str) -> Option<Served<'_>> {
        let mut path = Some(work_type);
        while let Some(at) = path {
            let found = self
                .repositories
                .iter()
                .find(|repository| repository.area == area && repository.work_type.as_deref() == Some(at));
            if let Some(repository) = found {
                return Some(Served { repository, by: repository.work_type.as_deref() });
            }
            path = at.rsplit_once('/').map(|(above, _)| above);
        }
        let mut general = self.repositories.iter();
        let found = general.find(|repository| repository.area == area && repository.work_type.is_none());
        found.map(|repository| Served { repository, by: None })
    }
}

fn needs(code: &str, text: impl Into<String>) -> NeedsPerson {
    NeedsPerson { code: code.to_owned(), text: text.into() }
}

/// A tag that gives no value, as a person reads it.
fn unresolved(repository: &Repository, error: &TagError) -> NeedsPerson {
    let code = match error.kind {
        TagErrorKind::Empty => "empty_tag",
        TagErrorKind::Unknown => "unknown_tag",
        TagErrorKind::Many => "many_values",
    };
    needs(code, format!("the repository {} cannot be resolved: {error}", repository.name))
}

/// The target of a work item in a repository, with every tag filled in. An empty or unknown tag is an error: a query with an
/// empty value would match a stranger's workspace. `zone` is that of work items that name none.
pub fn target(repository: &Repository, item: &WorkItem, zone: &TimeZone) -> Result<Target, NeedsPerson> {
    let (workspace, library) = workspace(repository, item, zone)?;
    let folder: Result<Vec<String>, TagError> = repository
        .folder
        .iter()
        .map(|name| name.fill(item, Use::FolderName, zone).map(|name| folder_name(&name)))
        .collect();
    Ok(Target {
        service: repository.service.clone(),
        repository: Some(repository.name.clone()),
        library,
        workspace,
        folder: folder.map_err(|error| unresolved(repository, &error))?,
        create_folders: repository.create_folders,
        when_ambiguous: repository.when_ambiguous,
        profile: profile(repository, item, zone)?,
        create_workspace: repository.create_workspace,
        save_mode: repository.save_mode,
    })
}

/// What is looked for, and the library it is looked for in.
fn workspace(
    repository: &Repository,
    item: &WorkItem,
    zone: &TimeZone,
) -> Result<(WorkspaceQuery, String), NeedsPerson> {
    let query = match &repository.resolver {
        ResolverConfig::Default(title) => title.fill(item, Use::Resolver, zone).map(WorkspaceQuery::Title),
        ResolverConfig::Search(fields) => {
            let filled: Result<Vec<_>, TagError> = fields
                .iter()
                .map(|(field, value)| Ok((field.clone(), value.fill(item, Use::Resolver, zone)?)))
                .collect();
            filled.map(WorkspaceQuery::Fields)
        }
        ResolverConfig::Pinned(id) => Ok(WorkspaceQuery::Pinned(id.clone())),
        ResolverConfig::Origin => {
            let origin = item.origin.as_ref().ok_or_else(|| {
                let text = format!(
                    "the repository {} files where the work item was started from, and {} was not started from a place in a DMS",
                    repository.name, item.reference
                );
                needs("no_origin", text)
            })?;
            if origin.service != repository.service {
                let text = format!(
                    "the work item {} was started from a place at {}, and the repository {} files at {}",
                    item.reference, origin.service, repository.name, repository.service
                );
                return Err(needs("origin_elsewhere", text));
            }
            return Ok((WorkspaceQuery::Pinned(origin.container.clone()), origin.library.clone()));
        }
    };
    let query = query.map_err(|error| unresolved(repository, &error))?;
    Ok((query, repository.library.clone()))
}

/// The profile. What is required and has no value is named, all of it at once, before anything is sent; what is not required is left out
/// when it has none.
fn profile(
    repository: &Repository,
    item: &WorkItem,
    zone: &TimeZone,
) -> Result<BTreeMap<String, String>, NeedsPerson> {
    let (mut profile, mut missing) = (BTreeMap::new(), Vec::new());
    for (field, value) in &repository.profile {
        match value.fill(item, Use::Profile, zone) {
            // Its default may be an empty text, unless the settings ask for a value by name.
            Ok(text)
                if text.trim().is_empty() && repository.required.is_some() && repository.requires(field) =>
            {
                missing.push(format!("{field} (is empty)"));
            }
            Ok(text) => {
                profile.insert(field.clone(), text);
            }
            Err(error) if error.kind == TagErrorKind::Empty && repository.requires(field) => {
                missing.push(format!("{field} ({error})"));
            }
            Err(error) if error.kind == TagErrorKind::Empty => {}
            Err(error) => return Err(unresolved(repository, &error)),
        }
    }
    if missing.is_empty() {
        return Ok(profile);
    }
    let text = format!(
        "the repository {} requires profile attributes that have no value: {}",
        repository.name,
        missing.join(", ")
    );
    Err(needs("profile_missing", text))
}

#[cfg(test)]
mod tests;
