//! From a target to the one workspace that it means: what follows from a remembered workspace and from what a search found. Pure
//! functions; whoever asks the DMS calls them, when documents are filed and when somebody only wants to know.
//!
//! A place is never guessed. No match, more than one, and one that merely has the same title as a workspace that went away are given to
//! a person.

use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::cause::Cause;
use crate::dms::{Container, ContainerKind, DmsError, Trouble};
use crate::ids::WorkItemId;
use crate::store::Binding;
use crate::target::{Target, WhenAmbiguous, WorkspaceQuery};

/// What looking for a remembered workspace by its id brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It is there.
    There(Container),
    /// It is not there any more (404), or hidden from this account (403): why, in words.
    Gone(String),
}

/// Why there is no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What it comes down to.
    pub cause: Cause,
    /// In words: what was looked for, and what was found.
    pub detail: String,
}

impl Stop {
    fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, detail: detail.into() }
    }
}

impl From<Stop> for DmsError {
    fn from(stop: Stop) -> Self {
        Self::from_trouble(Trouble::new(stop.cause, stop.detail))
    }
}

/// What follows from a remembered workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// It is used.
    Use(Container),
    /// The workspace is searched.
    Search {
        /// The id that was remembered and does not hold any more.
        stale: Option<String>,
    },
    /// A person decides.
    Stop(Stop),
}

/// What follows from a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This one.
    Use(Container),
    /// There is none, and one is made.
    Create,
    /// A person decides, or it is asked again later.
    Stop(Stop),
}

/// Decides over a remembered workspace. A person's choice is not replaced by a search: the search was why they had to choose.
pub fn by_binding(binding: Option<&Binding>, looked: Option<Looked>, trace: &mut Vec<String>) -> Bound {
    let (Some(binding), Some(looked)) = (binding, looked) else {
        trace.push("no workspace is remembered for the work item".to_owned());
        return Bound::Search { stale: None };
    };
    let id = &binding.workspace;
    let by = binding.chosen_by.as_ref().map_or_else(String::new, |person| format!(", chosen by {person}"));
    match (looked, &binding.chosen_by) {
        (Looked::There(container), _) => match usable(container) {
            Ok(container) => {
                trace.push(format!("the remembered workspace {} ({id}){by} is used", container.name));
                Bound::Use(container)
            }
            Err(stop) => {
                trace.push(format!("the remembered workspace {id}{by} cannot be used: {}", stop.detail));
                Bound::Stop(stop)
            }
        },
        (Looked::Gone(why), Some(person)) => {
            let detail = format!("the workspace {id} that {person} chose is not there any more: {why}");
            trace.push(detail.clone());
            Bound::Stop(Stop::new(Cause::TargetNotFound, detail))
        }
        (Looked::Gone(why), None) => {
            trace.push(format!(
                "the remembered workspace {id} is not there any more: {why}; it is searched again"
            ));
            Bound::Search { stale: Some(id.clone()) }
        }
    }
}

/// Whether a workspace is what was looked for. DMSs search by words, beginnings, or late copies; connectors compare already, and what
/// they tell of a workspace is compared once more here.
pub fn is_exact(query: &WorkspaceQuery, container: &Container) -> bool {
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    match query {
        WorkspaceQuery::Title(title) => same(title, &container.name),
        WorkspaceQuery::Pinned(id) => *id == container.id,
        // A field that the answer did not tell cannot speak against it.
        WorkspaceQuery::Fields(fields) => fields.iter().all(|(field, wanted)| {
            let mut told = container.fields.iter();
            let told = told.find(|(name, _)| name.eq_ignore_ascii_case(field));
            told.is_none_or(|(_, value)| same(value, wanted))
        }),
    }
}

/// Decides over what a search found. `stale` is a remembered workspace that is gone; `creates` is whether the DMS makes workspaces.
pub fn by_search(
    target: &Target,
    found: Vec<Container>,
    stale: Option<&str>,
    creates: bool,
    trace: &mut Vec<String>,
) -> Chosen {
    let words = in_words(target);
    let number = found.len();
    let mut exact: Vec<Container> =
        found.into_iter().filter(|container| is_exact(&target.workspace, container)).collect();
    trace.push(format!("the DMS found {number} for {words}, {} of them exactly", exact.len()));
    let chosen = match exact.len() {
        0 => none(target, stale, creates, &words),
        1 => one(target, exact.swap_remove(0), stale),
        _ if target.when_ambiguous == WhenAmbiguous::FirstMatch => open(exact.swap_remove(0)),
        _ => {
            let names: Vec<String> = exact.iter().map(|c| format!("{} ({})", c.name, c.id)).collect();
            let detail = format!("several workspaces match {words}: {}", names.join(", "));
            Chosen::Stop(Stop::new(Cause::TargetAmbiguous, detail))
        }
    };
    trace.push(match &chosen {
        Chosen::Use(container) => format!("the workspace is {} ({})", container.name, container.id),
        Chosen::Create => format!("the workspace for {words} is made"),
        Chosen::Stop(stop) => stop.detail.clone(),
    });
    chosen
}

fn none(target: &Target, stale: Option<&str>, creates: bool, words: &str) -> Chosen {
    let detail = match (stale, target.create_workspace, &target.workspace) {
        // It may only be hidden from this account: a second one would split the matter.
        (Some(id), true, _) => {
            format!("no workspace matches {words}; {id} was remembered, so none is made in its place")
        }
        (None, true, WorkspaceQuery::Fields(_)) if creates => return Chosen::Create,
        (None, true, _) => format!("no workspace matches {words}, and this DMS does not make workspaces"),
        (_, false, _) => format!("no workspace matches {words}"),
    };
    Chosen::Stop(Stop::new(Cause::TargetNotFound, detail))
}

fn one(target: &Target, found: Container, stale: Option<&str>) -> Chosen {
    let namesake = stale.filter(|id| *id != found.id && matches!(target.workspace, WorkspaceQuery::Title(_)));
    let Some(id) = namesake else { return open(found) };
    let detail = format!(
        "the remembered workspace {id} is not there any more, and {} ({}) has only the title in common with it: a person must say whether it is the one",
        found.name, found.id
    );
    Chosen::Stop(Stop::new(Cause::TargetAmbiguous, detail))
}

fn open(container: Container) -> Chosen {
    usable(container).map_or_else(Chosen::Stop, Chosen::Use)
}

/// A container that takes documents.
pub fn usable(container: Container) -> Result<Container, Stop> {
    let (name, id) = (&container.name, &container.id);
    if container.kind == ContainerKind::Search {
        let detail = format!("{name} ({id}) is a saved search: it keeps no documents of its own");
        return Err(Stop::new(Cause::Rejected, detail));
    }
    if !container.open {
        return Err(Stop::new(Cause::TargetClosed, format!("{name} ({id}) is closed to new documents")));
    }
    Ok(container)
}

/// The workspace of a target in words, without its folders.
pub fn in_words(target: &Target) -> String {
    Target { folder: Vec::new(), ..target.clone() }.in_words()
}

/// What a look at a place brought. Nothing was made and nothing remembered for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Whose account looked; none when nobody's may.
    pub account: Option<String>,
    /// The workspace that was remembered, and whether it is used.
    pub remembered: Option<Remembered>,
    /// What a search found, where it was needed.
    pub found: Option<Vec<Match>>,
    /// The workspace that documents would go to.
    pub workspace: Option<Match>,
    /// It would be made first.
    pub would_create: bool,
    /// The folders from the workspace downwards.
    pub folders: Vec<FolderLook>,
    /// Why documents would not be filed, where they would not.
    pub trouble: Option<Trouble>,
    /// One line per step.
    pub trace: Vec<String>,
}

/// A remembered workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Its id.
    pub workspace: String,
    /// Who chose it, where a person did.
    pub chosen_by: Option<String>,
    /// Whether it still holds.
    pub holds: bool,
}

/// A workspace that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it takes documents.
    pub open: bool,
    /// Whether it is exactly what was looked for.
    pub exact: bool,
}

impl Match {
    /// How a container matches.
    pub fn of(query: &WorkspaceQuery, container: &Container) -> Self {
        Self {
            id: container.id.clone(),
            name: container.name.clone(),
            open: container.open,
            exact: is_exact(query, container),
        }
    }
}

/// A folder on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderLook {
    /// Its name.
    pub name: String,
    /// Its id, where it is there.
    pub id: Option<String>,
    /// Whether it would be made.
    pub would_create: bool,
}

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct LookAt {
    /// The place.
    pub target: Target,
    /// The work item whose remembered workspace counts.
    pub work_item: Option<WorkItemId>,
    /// Whose right it is looked with, as names go in the audit.
    pub person: String,
}

/// Who can look at a place in a DMS without filing anything there.
pub trait Looks: Send + Sync {
    /// Looks; none where there is no such destination.
    fn look(&self, at: LookAt) -> Fut<'_, Option<Look>>;
}

#[cfg(test)]
mod tests;
