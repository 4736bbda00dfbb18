//! The folder DMS in a temporary folder.

use std::path::Path;

use postroom_dms::folder::{self, Folder};
use postroom_domain::dms::Dms;

use crate::world::{Held, Traits, World};

/// A fresh one.
#[expect(clippy::unnecessary_wraps, reason = "other DMSs may be missing on a machine")]
pub(crate) fn world() -> Option<Box<dyn World>> {
    Some(Box::new(OnDisk::new()))
}

/// The folder DMS in a temporary folder.
pub(crate) struct OnDisk {
    root: tempfile::TempDir,
    dms: Folder,
}

impl OnDisk {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let workspace = |name: &str, json: &str| {
            let home = root.path().join(name).join(".postroom");
            std::fs::create_dir_all(&home).unwrap();
            std::fs::create_dir_all(root.path().join(name).join("Correspondence")).unwrap();
            std::fs::write(home.join("workspace.json"), json).unwrap();
        };
        workspace("Harrow v Teal", r#"{"custom1":"10442","custom2":"0007"}"#);
        workspace("Harrow", r#"{"custom1":"10442","custom2":"0099"}"#);
        workspace("Harrow share purchase 2019", r#"{"custom1":"10442","custom2":"0003","closed":true}"#);
        let dms = Folder::new(folder::Settings { page: 100, ..folder::Settings::at(root.path()) });
        Self { root, dms }
    }
}

/// The documents below a folder, and their older versions as the connectors to plain files keep them.
pub(crate) fn walk(root: &Path, dir: &Path, held: &mut Vec<Held>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == ".postroom"
            && let Ok(versions) = std::fs::read_dir(entry.path().join("versions"))
        {
            versions.for_each(|document| older(root, &document.unwrap().path(), held));
        }
        if name.starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            walk(root, &entry.path(), held);
        } else {
            held.push(one(root, &entry.path(), name));
        }
    }
}

fn older(root: &Path, dir: &Path, held: &mut Vec<Held>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().parse::<u32>().is_ok() {
            held.push(one(root, &path, dir.file_name().unwrap().to_str().unwrap().to_owned()));
        }
    }
}

fn one(root: &Path, path: &Path, name: String) -> Held {
    let bytes = std::fs::read(path).unwrap();
    Held {
        id: path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
        name,
        size: bytes.len() as u64,
        blake3: blake3::hash(&bytes).to_hex().to_string(),
    }
}

impl World for OnDisk {
    fn dms(&self) -> &dyn Dms {
        &self.dms
    }
    fn traits(&self) -> Traits {
        Traits { unique_folders: true, equal_titles: false, stores_twice: false, rights: false }
    }
    fn folder(&self) -> String {
        "Harrow v Teal/Correspondence".to_owned()
    }
    fn closed_folder(&self) -> String {
        "Harrow share purchase 2019/Correspondence".to_owned()
    }
    fn missing_folder(&self) -> String {
        "Harrow v Teal/Nowhere".to_owned()
    }
    fn forbid(&self) {}
    fn held(&self) -> Vec<Held> {
        let mut held = Vec::new();
        walk(self.root.path(), self.root.path(), &mut held);
        held
    }
    fn with_folders(&self, count: usize) -> String {
        for n in 0..count {
            std::fs::create_dir_all(self.root.path().join(format!("Large/folder-{n:04}"))).unwrap();
        }
        "Large".to_owned()
    }
    fn other_folder(&self) -> Option<String> {
        std::fs::create_dir_all(self.root.path().join("Harrow v Teal/Scans")).unwrap();
        Some("Harrow v Teal/Scans".to_owned())
    }
    fn with_documents(&self, count: usize) -> Option<String> {
        let folder = self.root.path().join("Many");
        std::fs::create_dir_all(&folder).unwrap();
        for n in 0..count {
            std::fs::write(folder.join(format!("document-{n:04}.txt")), "x").unwrap();
        }
        Some("Many".to_owned())
    }
    fn profile_change(&self) -> Option<(&'static str, &'static str)> {
        Some(("custom1", "10443"))
    }
    fn vanish_folder(&self) -> bool {
        std::fs::remove_dir_all(self.root.path().join(self.folder())).is_ok()
    }
    fn close_workspace(&self) -> bool {
        let profile = self.root.path().join("Harrow v Teal/.postroom/workspace.json");
        std::fs::write(profile, r#"{"custom1":"10442","custom2":"0007","closed":true}"#).is_ok()
    }
}
