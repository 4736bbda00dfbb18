//! The sample firm, as the other simulators know it: one cabinet, three clients and their matters.

use std::collections::BTreeMap;

use super::model::{Attribute, Cabinet, Group, Kind, Rights, Row};
use super::seed::{Seed, SeedFolder, SeedWorkspace};

/// The sample cabinet.
pub const CABINET: &str = "NG-1A2B3C4D";
/// Attribute that may hold any text: where Postroom keeps its mark in the sample.
pub const FREE_ATTRIBUTE: u32 = 9;

/// Clients: key and name. One name holds a comma.
const CLIENTS: [(&str, &str); 3] =
    [("10442", "Harrow Ltd"), ("10517", "Teal, Brook & Sons"), ("10630", "Okafor Holdings plc")];

/// Matters: number, client, matter, name, closed. "General advice" exists twice, under different clients.
const MATTERS: [(u64, &str, &str, &str, bool); 8] = [
    (3650, "10442", "0007", "Harrow v Teal", false),
    (3660, "10442", "0012", "Lease of 14 Mill Lane", false),
    (3670, "10442", "0003", "Harrow share purchase 2019", true),
    (3680, "10517", "0001", "Boundary dispute, Brook Farm", false),
    (3690, "10517", "0002", "General advice", false),
    (3700, "10630", "0001", "General advice", false),
    (3710, "10630", "0004", "Project Larch", false),
    (3720, "10630", "0009", "Okafor v Harrow", false),
];

/// A matter that has a row and no workspace yet.
const COMING: (&str, &str, &str) = ("10517", "0033", "Tenancy of the mill");

/// Numbers are fixed: Correspondence is the workspace's plus 2, Emails plus 3, Scans plus 4, a filter plus 5 and a
/// saved search plus 6.
pub(super) fn seed() -> Seed {
    let attribute = |number: u32, name: &str, lookup: bool, parent: Option<u32>| Attribute {
        number,
        name: name.into(),
        required: false,
        lookup,
        parent,
    };
    let cabinet = Cabinet {
        id: CABINET.into(),
        name: "Client Files".into(),
        ws_attr: 2,
        ws_org_attr: 1,
        attributes: vec![
            attribute(1, "Client", true, None),
            attribute(2, "Matter", true, Some(1)),
            attribute(3, "Document Type", true, None),
            attribute(4, "Author", false, None),
            attribute(FREE_ATTRIBUTE, "Postroom", false, None),
        ],
        members: BTreeMap::new(),
    };
    let row = |attribute: u32, parent: &str, key: &str, description: &str, closed: bool| Row {
        attribute,
        parent: parent.into(),
        key: key.into(),
        description: description.into(),
        closed,
        hold: false,
    };
    let mut rows: Vec<Row> = CLIENTS.iter().map(|(key, name)| row(1, "", key, name, false)).collect();
    rows.extend(MATTERS.iter().map(|(_, client, key, name, closed)| row(2, client, key, name, *closed)));
    rows.push(row(2, COMING.0, COMING.1, COMING.2, false));
    rows.push(row(3, "", "LTR", "Letter", false));
    rows.push(row(3, "", "MEMO", "Memorandum", false));
    let group = Group {
        id: "UG-55T4S3R2".into(),
        name: "Litigation".into(),
        external: false,
        members: ["DUCOT-TCHEN".to_owned()].into(),
    };
    Seed {
        cabinets: vec![cabinet],
        rows,
        groups: vec![group],
        workspaces: MATTERS.iter().map(workspace).collect(),
        documents: Vec::new(),
    }
}

fn workspace(&(number, client, matter, name, _): &(u64, &str, &str, &str, bool)) -> SeedWorkspace {
    let folder = |offset: u64, name: &str, kind: Kind| SeedFolder {
        number: Some(number + offset),
        name: name.into(),
        kind,
        ..SeedFolder::default()
    };
    let rights: Vec<(&str, Rights)> = match number {
        // Project Larch is behind a wall
        3710 => {
            vec![
                ("DUCOT-MPATEL", Rights::EDIT),
                ("DUCOT-POSTROOM", Rights::NONE),
                ("DUCOT-JREED", Rights::NONE),
                ("UG-55T4S3R2", Rights::NONE),
            ]
        }
        _ => vec![("DUCOT-TCHEN", Rights::VIEW)],
    };
    SeedWorkspace {
        number: Some(number),
        cabinet: CABINET.into(),
        name: name.into(),
        attributes: BTreeMap::from([(1, client.to_owned()), (2, matter.to_owned())]),
        rights: rights.into_iter().map(|(id, rights)| (id.to_owned(), rights)).collect(),
        read_only: false,
        folders: vec![
            folder(2, "Correspondence", Kind::Folder),
            folder(3, "Emails", Kind::Folder),
            folder(4, "Scans", Kind::Folder),
            folder(5, "All documents", Kind::Filter),
            folder(6, "Recent documents", Kind::SavedSearch),
        ],
    }
}
