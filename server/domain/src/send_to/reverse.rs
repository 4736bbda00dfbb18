//! From a workspace back to work items. Repositories say how a work item names its workspace; read backwards, the workspace's fields say
//! which work item that may be. What is found so is only a candidate: it counts when its own plan leads to this very workspace.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::dms::Container;
use crate::ids::ServiceName;
use crate::plan;
use crate::repository::{Repository, ResolverConfig};
use crate::target::WorkspaceQuery;
use crate::work_item::WorkItem;

/// What a workspace's fields say, by the resolvers of its DMS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The reference of a work item.
    pub reference: Option<String>,
    /// The client's number.
    pub client: Option<String>,
    /// The client's name.
    pub client_name: Option<String>,
    /// Fields of the firm's own.
    pub attributes: BTreeMap<String, String>,
    /// A repository finds its workspaces by their titles, so the title may hold the reference.
    pub title: Option<String>,
}

/// A field that holds exactly one value of a work item.
enum Path<'a> {
    Reference,
    Client,
    ClientName,
    Attribute(&'a str),
}

fn path(text: &str) -> Option<Path<'_>> {
    let text = text.strip_prefix("workitem.")?;
    let text = text.strip_prefix("roles.").unwrap_or(text);
    match text {
        "reference" => Some(Path::Reference),
        "client.reference" => Some(Path::Client),
        "client.name" => Some(Path::ClientName),
        _ => text.strip_prefix("attributes.").filter(|name| !name.contains('.')).map(Path::Attribute),
    }
}

fn field<'c>(workspace: &'c Container, name: &str) -> Option<&'c str> {
    let mut fields = workspace.fields.iter();
    let (_, value) = fields.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

/// Reads a workspace by the resolvers of its DMS.
pub fn told<'r>(
    service: &ServiceName,
    repositories: impl IntoIterator<Item = &'r Repository>,
    workspace: &Container,
) -> Told {
    let mut told = Told::default();
    for repository in repositories.into_iter().filter(|it| it.service == *service) {
        let fields = match &repository.resolver {
            ResolverConfig::Search(fields) => fields,
            ResolverConfig::Default(_) => {
                told.title = Some(workspace.name.trim().to_owned()).filter(|title| !title.is_empty());
                continue;
            }
            ResolverConfig::Pinned(_) | ResolverConfig::Origin => continue,
        };
        for (name, template) in fields {
            let (Some(of), Some(value)) = (template.only_path(), field(workspace, name)) else { continue };
            let value = value.to_owned();
            match path(&of) {
                Some(Path::Reference) => drop(told.reference.get_or_insert(value)),
                Some(Path::Client) => drop(told.client.get_or_insert(value)),
                Some(Path::ClientName) => drop(told.client_name.get_or_insert(value)),
                Some(Path::Attribute(name)) => drop(told.attributes.entry(name.to_owned()).or_insert(value)),
                None => {}
            }
        }
    }
    told
}

/// Whether a work item's documents would go to this workspace by this repository. Unlike in a search, a field that the DMS did not tell
/// speaks against it here: nobody asked the DMS for that value.
pub fn leads_to(repository: &Repository, item: &WorkItem, workspace: &Container, zone: &TimeZone) -> bool {
    let Ok(target) = plan::target(repository, item, zone) else { return false };
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    match &target.workspace {
        WorkspaceQuery::Fields(fields) => {
            let equal = |(name, wanted): &(String, String)| {
                field(workspace, name).is_some_and(|value| same(value, wanted))
            };
            !fields.is_empty() && fields.iter().all(equal)
        }
        WorkspaceQuery::Title(title) => same(title, &workspace.name),
        // A place that is the same for every work item says nothing of one; an origin is found by itself.
        WorkspaceQuery::Pinned(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_list::BlockList;
    use crate::ids::WorkItemId;
    use crate::repository::{Area, DuplicateRule};
    use crate::target::{SaveMode, WhenAmbiguous};
    use crate::work_item::Client;

    fn repository(mode: &str, config: &str) -> Repository {
        Repository {
            name: "matters".parse().unwrap(),
            area: Area::MatterDocuments,
            work_type: None,
            service: "dms".parse().unwrap(),
            library: String::new(),
            resolver: ResolverConfig::parse(mode, config).unwrap(),
            folder: Vec::new(),
            create_folders: false,
            profile: BTreeMap::new(),
            when_ambiguous: WhenAmbiguous::Ask,
            create_workspace: false,
            required: None,
            blocked: BlockList::default(),
            save_mode: SaveMode::Copy,
            duplicate: DuplicateRule::Skip,
        }
    }

    fn item() -> WorkItem {
        WorkItem {
            id: WorkItemId::from_u128(1),
            reference: "10442-0007".into(),
            title: "Harrow v Teal".into(),
            work_type: "matter".into(),
            site: "main".parse().unwrap(),
            open: true,
            phase: String::new(),
            client: Client { reference: "10442".into(), name: "Harrow, Ltd".into() },
            attributes: BTreeMap::from([("matter".into(), "0007".into())]),
            participants: Vec::new(),
            origin: None,
            zone: String::new(),
            version: 1,
            changed: "2026-11-27T09:00:00Z".parse().unwrap(),
        }
    }

    fn workspace(name: &str, fields: &[(&str, &str)]) -> Container {
        Container {
            id: "ACTIVE!1".into(),
            name: name.into(),
            open: true,
            fields: fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Container::default()
        }
    }

    #[test]
    fn resolvers_are_read_backwards() {
        type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], Told);
        let fields: &[(&str, &str)] = &[("Custom1", " 10442 "), ("custom2", "0007"), ("custom3", "")];
        let client = Some("10442".to_owned());
        let matter = BTreeMap::from([("matter".to_owned(), "0007".to_owned())]);
        let table: Vec<Case<'_>> = vec![
            (
                "search",
                "custom1=[workitem.client.reference], custom2=[workitem.attributes.matter]",
                fields,
                Told { client: client.clone(), attributes: matter.clone(), ..Told::default() },
            ),
            (
                "search",
                "custom1=[workitem.roles.client.reference|trim], custom2=[workitem.reference]",
                fields,
                Told { client, reference: Some("0007".into()), ..Told::default() },
            ),
            // A value that is made of more than one tag, or changed on the way, cannot be read back.
            (
                "search",
                "custom1=[workitem.client.reference]-x, custom2=[workitem.reference|upper]",
                fields,
                Told::default(),
            ),
            (
                "search",
                "custom3=[workitem.reference], custom9=[workitem.client.name]",
                fields,
                Told::default(),
            ),
            (
                "default",
                "[workitem.reference] [workitem.title]",
                fields,
                Told { title: Some("A title".into()), ..Told::default() },
            ),
            ("origin", "", fields, Told::default()),
            ("pinned", "ACTIVE!1", fields, Told::default()),
        ];
        for (mode, config, fields, wanted) in table {
            let repositories = [repository(mode, config)];
            let found = told(&"dms".parse().unwrap(), &repositories, &workspace("A title", fields));
            assert_eq!(found, wanted, "{mode} {config}");
            let elsewhere = told(&"other".parse().unwrap(), &repositories, &workspace("A title", fields));
            assert_eq!(elsewhere, Told::default(), "another DMS's resolvers say nothing");
        }
    }

    #[test]
    fn only_what_leads_here_counts() {
        let search = "custom1=[workitem.client.reference], custom2=[workitem.attributes.matter]";
        let exact: &[(&str, &str)] = &[("custom1", "10442"), ("custom2", "0007")];
        let table: &[(&str, &str, &str, &[(&str, &str)], bool)] = &[
            ("search", search, "", exact, true),
            ("search", search, "", &[("CUSTOM1", " 10442"), ("custom2", "0007"), ("custom3", "x")], true),
            ("search", search, "", &[("custom1", "10442")], false),
            ("search", search, "", &[("custom1", "10442"), ("custom2", "")], false),
            ("search", search, "", &[("custom1", "10442"), ("custom2", "0008")], false),
            ("search", "custom1=[workitem.attributes.none]", "", exact, false),
            ("default", "[workitem.reference] [workitem.title]", "10442-0007 harrow V teal", &[], true),
            ("default", "[workitem.reference] [workitem.title]", "10442-0007 Harrow v Teal 2", &[], false),
            ("pinned", "ACTIVE!1", "", exact, false),
            ("origin", "", "", exact, false),
        ];
        for (mode, config, name, fields, wanted) in table {
            let found =
                leads_to(&repository(mode, config), &item(), &workspace(name, fields), &TimeZone::UTC);
            assert_eq!(found, *wanted, "{mode} {config} {name} {fields:?}");
        }
        let closed = WorkItem { open: false, ..item() };
        assert!(
            leads_to(&repository("search", search), &closed, &workspace("", exact), &TimeZone::UTC),
            "closed ones are told too"
        );
    }
}
