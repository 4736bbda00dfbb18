//! What a document really is, held against what its sender says.

/// Kinds of content that many formats are made of: what is in them does not contradict the name of such a format.
const CONTAINERS: [(&str, &[&str]); 4] = [
    (
        "application/zip",
        &["zip", "docx", "docm", "xlsx", "xlsm", "pptx", "odt", "ods", "odp", "epub", "jar", "vsdx", "kmz"],
    ),
    (
        "application/x-ole-storage",
        &["doc", "xls", "ppt", "msg", "mpp", "vsd", "pub", "msi", "dot", "xlt", "oft"],
    ),
    ("image/tiff", &["tif", "tiff"]),
    ("image/jpeg", &["jpg", "jpeg", "jpe", "jfif"]),
];

/// The media type to keep, and a remark where the sender's word and the content disagree.
pub(super) fn look(file_name: &str, told: &str, head: &[u8]) -> (String, Option<String>) {
    let essence = told.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let Some(found) = infer::get(head) else { return (told.to_owned(), None) };
    let (media_type, extension) = (found.mime_type(), found.extension());
    let named = file_name.rsplit_once('.').map_or("", |(_, end)| end).trim().to_lowercase();
    let unsaid = essence.is_empty() || essence == "application/octet-stream";
    let type_fits = unsaid || agrees(&essence, media_type);
    let name_fits =
        named.is_empty() || named == extension || is_made_of(&named, media_type) || !is_known(&named);
    if type_fits && name_fits {
        return (if unsaid { media_type.to_owned() } else { told.to_owned() }, None);
    }
    let said =
        if type_fits { format!("its name ends with .{named}") } else { format!("it was sent as {essence}") };
    let remark =
        format!("\"{file_name}\": the content is that of a .{extension} file ({media_type}), though {said}");
    (media_type.to_owned(), Some(remark))
}

/// Whether two media types may be said of the same content.
fn agrees(told: &str, found: &str) -> bool {
    let kind = |text: &str| text.split('/').next().unwrap_or("").to_owned();
    told == found
        || (kind(told) == kind(found)
            && matches!(kind(told).as_str(), "image" | "audio" | "video" | "text" | "font"))
        || (kind(told) == "text" && matches!(found, "application/rtf" | "application/xml" | "text/xml"))
        || (told == "text/rtf" && found == "application/rtf")
        || (matches!(found, "application/zip" | "application/x-ole-storage") && is_office(told))
        || (is_office(told) && is_office(found))
        || (told == "application/x-zip-compressed" && found == "application/zip")
}

fn is_office(media_type: &str) -> bool {
    ["application/vnd.", "application/ms", "application/x-ms", "application/epub", "application/java-archive"]
        .iter()
        .any(|front| media_type.starts_with(front))
}

fn is_made_of(extension: &str, media_type: &str) -> bool {
    CONTAINERS.iter().any(|(container, extensions)| {
        (*container == media_type || is_office(media_type) && is_office_extension(extensions, extension))
            && extensions.contains(&extension)
    })
}

fn is_office_extension(extensions: &[&str], extension: &str) -> bool {
    extensions.contains(&extension) && (extensions.contains(&"docx") || extensions.contains(&"doc"))
}

/// Whether the extension promises something at all: most of the world's do not.
fn is_known(extension: &str) -> bool {
    let plain = [
        "pdf", "png", "gif", "bmp", "rtf", "txt", "csv", "eml", "htm", "html", "xml", "exe", "dll", "mp4",
        "mp3",
    ];
    plain.contains(&extension) || CONTAINERS.iter().any(|(_, extensions)| extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_held_against_what_is_there() {
        let pdf = b"%PDF-1.7\n".as_slice();
        let exe = &[b"MZ".as_slice(), &[0; 200]].concat();
        let zip = b"PK\x03\x04\x14\0\0\0".as_slice();
        let png = b"\x89PNG\r\n\x1a\n".as_slice();
        // Name, what is said, content, what is kept, whether it is remarked.
        let table: &[(&str, &str, &[u8], &str, bool)] = &[
            ("a.pdf", "application/pdf", pdf, "application/pdf", false),
            ("a.pdf", "application/octet-stream", pdf, "application/pdf", false),
            ("a", "application/pdf; x=y", pdf, "application/pdf; x=y", false),
            ("a.pdf", "application/pdf", exe, "application/vnd.microsoft.portable-executable", true),
            ("a.pdf", "", exe, "application/vnd.microsoft.portable-executable", true),
            (
                "a.docx",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                zip,
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                false,
            ),
            ("a.zip", "application/x-zip-compressed", zip, "application/x-zip-compressed", false),
            ("a.pdf", "application/pdf", zip, "application/zip", true),
            ("a.jpg", "image/jpeg", png, "image/png", true),
            ("a.png", "image/jpeg", png, "image/jpeg", false),
            ("minutes.2024", "application/pdf", pdf, "application/pdf", false),
            ("a.txt", "text/plain", b"plain words", "text/plain", false),
            ("a.pdf", "application/pdf", b"no pdf at all", "application/pdf", false),
            ("", "", b"", "", false),
        ];
        for (name, told, head, kept, remarked) in table {
            let (found, remark) = look(name, told, head);
            assert_eq!((found.as_str(), remark.is_some()), (*kept, *remarked), "{name} {told}: {remark:?}");
        }
    }
}
