//! What the instance holds at first.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Column, ColumnKind, Folder, Level, Organisation, Sheet, Site, SiteStatus, Tenant};

/// Site of "Harrow v Teal".
pub const HARROW: u64 = 101;
/// Its folder for letters.
pub const CORRESPONDENCE: u64 = 1011;
/// A smart folder beside it.
pub const SMART: u64 = 1013;

/// 14 March 2024.
const MADE: i64 = 1_710_374_400_000;

/// Id, name, client, matter, state, restricted.
const SITES: [(u64, &str, &str, &str, SiteStatus, bool); 8] = [
    (12, "Project Falcon", "C-100", "M-17", SiteStatus::Active, false),
    (HARROW, "Harrow v Teal", "10442", "0007", SiteStatus::Active, false),
    (102, "Harrow", "10442", "0099", SiteStatus::Active, false),
    (103, "Harrow share purchase 2019", "10442", "0003", SiteStatus::Archived, false),
    (104, "General advice", "10442", "0100", SiteStatus::Active, false),
    (105, "General advice", "20001", "0001", SiteStatus::Active, false),
    (106, "Sealed bid", "10443", "0001", SiteStatus::Active, true),
    (107, "Knowledge", "", "", SiteStatus::ReadOnly, false),
];

fn folder(id: u64, site: u64, parent: Option<u64>, name: &str) -> Folder {
    Folder {
        id,
        site,
        parent,
        name: name.to_owned(),
        inherited: true,
        user: "1807".to_owned(),
        created: MADE,
        ..Folder::default()
    }
}

/// Ids of all but the service account.
fn everybody() -> BTreeSet<String> {
    (1802..=1807).map(|id: u32| id.to_string()).collect()
}

/// The sample instance. The root folder of site 101 is 1010, its folders are 1011 and on.
pub(super) fn tenant() -> Tenant {
    let mut tenant = Tenant { next: 20_000, ..Tenant::default() };
    for (id, name, client, matter, status, restricted) in SITES {
        let root = if id == 12 { 345 } else { id * 10 };
        let site = Site {
            id,
            name: name.to_owned(),
            client: client.to_owned(),
            matter: matter.to_owned(),
            status,
            root,
            restricted,
            everyone: Level::Update,
            rights: BTreeMap::from([("1807".to_owned(), Level::Admin)]),
            recent_of: if id == 12 { everybody() } else { BTreeSet::new() },
            favourite_of: BTreeSet::new(),
            created: MADE,
        };
        tenant.sites.insert(id, site);
        tenant.put_folder(folder(root, id, None, name));
        tenant.put_folder(folder(root + 1, id, Some(root), "Correspondence"));
    }
    tenant.put_folder(folder(1012, HARROW, Some(1010), "Pleadings"));
    tenant.put_folder(Folder { smart: true, ..folder(SMART, HARROW, Some(1010), "All letters") });
    tenant.sheets.insert(71, sheet());
    tenant.organisations = vec![
        Organisation { id: 43, name: "The firm".into(), domains: vec!["firm.example".into()] },
        Organisation { id: 44, name: "Client Ltd".into(), domains: vec!["client.example".into()] },
    ];
    tenant.members.insert((HARROW, "1801".to_owned()));
    tenant.members.insert((HARROW, "1802".to_owned()));
    tenant.groups.push("Everybody".to_owned());
    tenant
}

fn sheet() -> Sheet {
    let column = |id, title: &str, kind| Column { id, title: title.to_owned(), kind, ..Column::default() };
    Sheet {
        id: 71,
        site: HARROW,
        title: "Documents".to_owned(),
        kind: "documentmetadata".to_owned(),
        view: 7101,
        columns: vec![
            column(201, "Reference", ColumnKind::Text),
            column(202, "Pages", ColumnKind::Number),
            Column {
                choices: vec![(1, "Letter".to_owned()), (2, "Contract".to_owned())],
                ..column(203, "Kind", ColumnKind::Choice)
            },
            Column { date_format: "DD/MM/YYYY".to_owned(), ..column(204, "Received", ColumnKind::Date) },
            column(205, "Send to", ColumnKind::Link),
        ],
        records: BTreeMap::new(),
    }
}
