//! What a path tells: the work item, the type, the name as it can be shown.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What could be the reference of a work item, most telling first: the folder it lies in, then the beginning of its name up to
/// the first space or underscore, then the whole name without its extension.
pub(crate) fn references(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut parts = path.components();
    if let (Some(first), Some(_)) = (parts.next(), parts.next())
        && let Some(folder) = first.as_os_str().to_str()
    {
        found.push(folder.to_owned());
    }
    if let Some(name) = path.file_name().and_then(OsStr::to_str) {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let beginning = stem.split([' ', '_']).next().unwrap_or(stem);
        found.extend([beginning, stem].into_iter().filter(|text| !text.is_empty()).map(str::to_owned));
    }
    found.dedup();
    found
}

/// The file's name as it can be shown and filed, and a note when it is not the name as it was.
pub(super) fn file_name(path: &Path) -> (String, String) {
    let name = path.file_name().unwrap_or_default();
    match name.to_str() {
        Some(text) => (text.to_owned(), String::new()),
        None => (
            name.to_string_lossy().into_owned(),
            format!("The file's name is not UTF-8; its bytes are \"{}\".", name.as_bytes().escape_ascii()),
        ),
    }
}

/// Media type by extension; the content is looked at elsewhere.
pub(crate) fn media_type(path: &Path) -> &'static str {
    postroom_domain::media_type::of_name(path.file_name().and_then(OsStr::to_str).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_by_folder_then_by_name() {
        let cases: [(&str, &[&str]); 8] = [
            ("M-1042/letter.pdf", &["M-1042", "letter"]),
            ("M-1042/2026/letter of claim.pdf", &["M-1042", "letter", "letter of claim"]),
            ("M-1042_letter.pdf", &["M-1042", "M-1042_letter"]),
            ("M-1042__letter.pdf", &["M-1042", "M-1042__letter"]),
            ("M-1042 letter.pdf", &["M-1042", "M-1042 letter"]),
            ("M-1042.pdf", &["M-1042"]),
            ("_x.pdf", &["_x"]),
            ("M-1042", &["M-1042"]),
        ];
        for (path, wanted) in cases {
            assert_eq!(references(Path::new(path)), wanted, "{path}");
        }
        assert!(references(Path::new(OsStr::from_bytes(b"\xff\xfe.pdf"))).is_empty());
    }

    #[test]
    fn names_that_cannot_be_shown_are_noted() {
        let (name, note) = file_name(Path::new(OsStr::from_bytes(b"a/Stra\xdfe.pdf")));
        assert_eq!((name.as_str(), note.contains("Stra\\xdfe.pdf")), ("Stra\u{fffd}e.pdf", true));
        assert_eq!(file_name(Path::new("a/ b. ")), (" b. ".to_owned(), String::new()));
    }
}
