//! What a person decides about a filing: `POST /filings/{id}/retry` and its sisters, each with `If-Match`.

use std::collections::BTreeMap;

use postroom_domain::decide::{Decision, Edit, Wish};
use postroom_domain::dms::Receipt;
use postroom_domain::filing::State;
use postroom_domain::ids::ServiceName;
use postroom_domain::target::{Target, WhenAmbiguous, WorkspaceQuery};
use serde::{Deserialize, Serialize};

use crate::filing::FilingItem;

/// A decision about one filing, by the last part of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Another try.
    Retry,
    /// Out of automatic work.
    Hold,
    /// Back into automatic work.
    Release,
    /// The end.
    Cancel,
    /// Another target or name.
    Edit,
    /// The document was found in the DMS.
    Link,
    /// A duplicate is filed although the same content is there.
    FileAnyway,
}

impl DecisionKind {
    /// All decisions.
    pub const ALL: [Self; 7] =
        [Self::Retry, Self::Hold, Self::Release, Self::Cancel, Self::Edit, Self::Link, Self::FileAnyway];

    /// The last part of its address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::Edit => "edit",
            Self::Link => "link",
            Self::FileAnyway => "file-anyway",
        }
    }

    /// Why a filing in this state cannot have this decision; none when it can.
    pub const fn refusal(self, state: State) -> Option<&'static str> {
        let wish = match self {
            Self::Retry => Wish::Retry,
            Self::Hold => Wish::Hold,
            Self::Release => Wish::Release,
            Self::Cancel => Wish::Cancel,
            Self::Edit => Wish::Edit,
            Self::Link => Wish::Link,
            Self::FileAnyway => Wish::FileAnyway,
        };
        wish.refusal(state)
    }
}

impl std::fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Body of `/retry`. An empty body means an empty reason.
///
/// For an `undecided` filing it sends the document again, accepting the risk of a second copy; for a `duplicate` one it
/// files it although the same content is there, and needs a reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RetryBody {
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl RetryBody {
    /// What it means for a filing in this state.
    pub const fn decision(state: State) -> Decision {
        match state {
            State::Duplicate => Decision::FileAnyway,
            _ => Decision::Retry,
        }
    }
}

/// Body of `/hold`. An empty body means an empty reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldBody {
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Body of `/release`. An empty body means an empty reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Body of `/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    /// Why; must not be blank.
    pub reason: String,
}

/// Body of `/link`: the document that is the filing's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// Why; must not be blank.
    pub reason: String,
    /// The document's id in the DMS.
    pub document: String,
    /// Its version, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The workspace or folder it lies in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// Where a person can open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl LinkBody {
    /// The receipt that the machine takes. Size and hash are not known: a person found it.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            document: self.document.clone(),
            version: self.version.clone(),
            container: self.container.clone(),
            size: None,
            hash: None,
            link: self.link.clone(),
        }
    }
}

/// How the workspace is found: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum WorkspaceBody {
    /// The workspace whose title equals this.
    Title(String),
    /// The workspace on which every field equals its value.
    Fields(BTreeMap<String, String>),
    /// The workspace with this id.
    Id(String),
}

impl From<&WorkspaceBody> for WorkspaceQuery {
    fn from(body: &WorkspaceBody) -> Self {
        match body {
            WorkspaceBody::Title(title) => Self::Title(title.clone()),
            WorkspaceBody::Fields(fields) => {
                Self::Fields(fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            WorkspaceBody::Id(id) => Self::Pinned(id.clone()),
        }
    }
}

/// Body of `/edit`: what is absent stays as it is. The filing is tried again at once, unless it is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    /// Why; must not be blank.
    pub reason: String,
    /// Another destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub service: Option<ServiceName>,
    /// Another library, cabinet or site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Another workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceBody>,
    /// Other folders, from the workspace downwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Vec<String>>,
    /// Whether missing folders are created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_folders: Option<bool>,
    /// Profile attributes to set; an empty value takes one away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profile: BTreeMap<String, String>,
    /// Another file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

impl EditBody {
    /// Whether it changes anything.
    pub fn is_empty(&self) -> bool {
        let Self { reason: _, service, library, workspace, folder, create_folders, profile, file_name } =
            self;
        service.is_none()
            && library.is_none()
            && workspace.is_none()
            && folder.is_none()
            && create_folders.is_none()
            && profile.is_empty()
            && file_name.is_none()
    }

    /// The decision over a filing whose target is `before`. A target that comes out the same is not an edit of it.
    pub fn decision(&self, before: &Target) -> Decision {
        let target = self.target(before);
        Decision::Edit(Edit {
            target: (target != *before).then_some(target),
            file_name: self.file_name.clone(),
        })
    }

    /// The target after the edit. A person who names a workspace means exactly that one.
    pub fn target(&self, before: &Target) -> Target {
        let mut target = before.clone();
        if let Some(service) = &self.service {
            target.service = service.clone();
        }
        if let Some(library) = &self.library {
            target.library.clone_from(library);
        }
        if let Some(workspace) = &self.workspace {
            target.workspace = workspace.into();
            target.when_ambiguous = WhenAmbiguous::Ask;
        }
        if let Some(folder) = &self.folder {
            target.folder.clone_from(folder);
        }
        if let Some(create) = self.create_folders {
            target.create_folders = create;
        }
        for (name, value) in &self.profile {
            if value.is_empty() {
                target.profile.remove(name);
            } else {
                target.profile.insert(name.clone(), value.clone());
            }
        }
        target
    }
}

/// The answer to a decision: the filing as it is now, with its new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decided {
    /// The filing.
    pub filing: FilingItem,
}

/// The `ETag` of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The version in an `If-Match` header; none when it is not one of ours. Weak tags are refused, as RFC 9110 says.
pub fn if_match(header: &str) -> Option<u64> {
    header.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use postroom_domain::backoff::RetryPolicy;
    use postroom_domain::filing::Progress;
    use postroom_domain::machine::{Context, Event, step};

    use super::*;

    /// What clients grey out is exactly what the machine refuses.
    #[test]
    fn refusals_are_those_of_the_machine() {
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        let policy = RetryPolicy::default();
        let receipt = Receipt {
            document: "d".into(),
            version: None,
            container: "c".into(),
            size: None,
            hash: None,
            link: None,
        };
        for state in State::ALL {
            let progress = Progress { state, ..Progress::new(now) };
            let allowed =
                |event| step(&progress, event, Context { now, chance: 0.5, policy: &policy }).is_ok();
            for (kind, event) in [
                (
                    DecisionKind::Retry,
                    if state == State::Duplicate { Event::FileAnyway } else { Event::Retry },
                ),
                (DecisionKind::Hold, Event::Hold),
                (DecisionKind::Release, Event::Release),
                (DecisionKind::Cancel, Event::Cancel),
                (DecisionKind::Link, Event::Link(receipt.clone())),
                (DecisionKind::FileAnyway, Event::FileAnyway),
            ] {
                assert_eq!(kind.refusal(state).is_none(), allowed(event), "{kind} in {state}");
            }
        }
    }

    #[test]
    fn only_strong_tags_of_ours_are_versions() {
        for (header, version) in [
            ("\"7\"", Some(7)),
            (" \"7\" ", Some(7)),
            ("7", None),
            ("W/\"7\"", None),
            ("*", None),
            ("\"x\"", None),
            ("\"", None),
        ] {
            assert_eq!(if_match(header), version, "{header}");
        }
        assert_eq!(if_match(&etag(42)), Some(42));
    }
}
