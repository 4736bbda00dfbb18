//! What a folder DMS holds, read from its files and not through Postroom.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One document in a DMS, whichever kind it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deposit {
    /// The mark it carries.
    pub mark: String,
    /// BLAKE3 of the bytes that are there.
    pub hash: String,
    /// Where: a path, or a folder's id.
    pub place: String,
    /// The name it has there.
    pub name: String,
}

/// Every document below the root. A document without a sidecar has an empty mark: something put it there by half.
pub fn deposits(root: &Path) -> Vec<Deposit> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("an entry of the folder DMS").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let sidecar = folder.join(".postroom").join(format!("{name}.json"));
            let sidecar: Value = std::fs::read(&sidecar)
                .ok()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .unwrap_or(Value::Null);
            let bytes = std::fs::read(&path).expect("a document of the folder DMS");
            found.push(Deposit {
                mark: sidecar["mark"].as_str().unwrap_or_default().to_owned(),
                hash: blake3::hash(&bytes).to_hex().to_string(),
                place: folder.strip_prefix(root).unwrap_or(&folder).display().to_string(),
                name,
            });
        }
    }
    found.sort();
    found
}
