//! Names that say something else than the content: a program under the name of a letter, an extension in front of the one that counts.

use crate::block_list::{self, extensions, is_program, kind_of};
use crate::screening::shown;

/// Extensions that a system starts, or hands to something that does.
const RUNS: [&str; 32] = [
    "app", "bat", "chm", "cmd", "com", "cpl", "dll", "exe", "gadget", "hta", "inf", "jar", "js", "jse",
    "lnk", "mjs", "msc", "msi", "msp", "pif", "ps1", "psm1", "py", "reg", "scf", "scr", "sh", "url", "vb",
    "vbe", "vbs", "wsf",
];
/// Extensions that people take for documents.
const DOCUMENTS: [&str; 24] = [
    "bmp", "csv", "doc", "docm", "docx", "eml", "gif", "htm", "html", "jpeg", "jpg", "msg", "odt", "pdf",
    "png", "ppt", "pptx", "rtf", "tif", "tiff", "txt", "xls", "xlsm", "xlsx",
];
/// What is a ZIP file inside.
const ZIPPED: &[&str] = &[
    "zip", "docx", "docm", "dotx", "xlsx", "xlsm", "xltx", "pptx", "pptm", "potx", "odt", "ods", "odp",
    "odg", "ott", "epub", "jar", "apk", "xps", "vsdx", "kmz",
];

/// What is odd about a document's name beside its first bytes ([`block_list::HEAD`] are enough), as a line for its trace.
pub fn oddity(file_name: &str, head: &[u8]) -> Option<String> {
    let mut named = extensions(file_name);
    let last = named.next();
    let name = shown(file_name);
    if let Some(kind) = certain(head).filter(|kind| misleads(last.as_deref(), kind)) {
        return Some(format!("\"{name}\" is a .{kind} file by its content, whatever its name says"));
    }
    let last = last.filter(|last| RUNS.contains(&last.as_str()))?;
    let posed = named.find(|inner| DOCUMENTS.contains(&inner.as_str()))?;
    Some(format!("\"{name}\" has two extensions: it looks like .{posed} and is opened as .{last}"))
}

/// What content is for certain. An old compound file may be anything of Office's, marked text anything at all, and a PDF begins with its
/// mark.
fn certain(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"\xd0\xcf\x11\xe0") {
        return None;
    }
    kind_of(head).filter(|kind| match *kind {
        "html" | "xml" | "crt" | "der" | "pem" => false,
        "pdf" => head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start().starts_with(b"%PDF-"),
        _ => true,
    })
}

/// Whether an extension promises another kind. Of extensions that nobody here knows only programs are told.
fn misleads(extension: Option<&str>, kind: &str) -> bool {
    let Some(extension) = extension else { return is_program(kind) };
    if block_list::alike(extension, kind) {
        return false;
    }
    match extension {
        "pdf" | "png" | "gif" | "bmp" | "jpg" | "jpeg" | "jpe" | "jfif" | "tif" | "tiff" | "webp"
        | "heic" => !(extension == "jfif" && kind == "jpg"),
        // Word opens rich text under its own name, and programs export so.
        "doc" | "dot" => kind != "rtf",
        "xls" | "ppt" | "msg" | "txt" | "csv" | "htm" | "html" | "eml" | "rtf" | "ics" | "json" | "vcf" => {
            true
        }
        _ if ZIPPED.contains(&extension) => !ZIPPED.contains(&kind),
        _ => is_program(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mislead_are_told_and_others_are_not() {
        let pe = [b"MZ".as_slice(), &[0; 200]].concat();
        let zip = b"PK\x03\x04\x14\0\0\0\0\0".as_slice();
        let (pdf, jpg, png) =
            (b"%PDF-1.7\n".as_slice(), b"\xff\xd8\xff\xe0".as_slice(), b"\x89PNG\r\n\x1a\n".as_slice());
        let (rtf, text, ole) =
            (b"{\\rtf1 x}".as_slice(), b"plain words".as_slice(), b"\xd0\xcf\x11\xe0".as_slice());
        let of = |kind: &str| format!("is a .{kind} file by its content");
        let two = |a: &str, b: &str| format!("looks like .{a} and is opened as .{b}");
        let table: &[(&str, &[u8], Option<String>)] = &[
            ("letter.pdf", pdf, None),
            ("letter.PDF", pdf, None),
            ("letter.pdf", text, None),
            ("letter.pdf", &pe, Some(of("exe"))),
            ("letter.pdf", jpg, Some(of("jpg"))),
            ("letter.pdf", zip, Some(of("zip"))),
            ("letter.txt", &pe, Some(of("exe"))),
            ("letter.txt", pdf, Some(of("pdf"))),
            ("photo.jpeg", jpg, None),
            ("photo.jfif", jpg, None),
            ("photo.png", jpg, Some(of("jpg"))),
            ("photo.png", png, None),
            ("contract.docx", zip, None),
            ("contract.odt", zip, None),
            ("contract.docx", pdf, Some(of("pdf"))),
            ("contract.doc", rtf, None),
            ("contract.doc", ole, None),
            ("contract.doc", pdf, Some(of("pdf"))),
            ("setup.exe", &pe, None),
            ("setup.dll", &pe, None),
            ("setup", &pe, Some(of("exe"))),
            ("setup.q7", &pe, Some(of("exe"))),
            ("plan.q7", png, None),
            ("plan", png, None),
            ("run.txt", b"#!/bin/sh\n", Some(of("sh"))),
            ("invoice.pdf.exe", text, Some(two("pdf", "exe"))),
            ("invoice.pdf.js. ", text, Some(two("pdf", "js"))),
            ("invoice.docx.v2.LNK", text, Some(two("docx", "lnk"))),
            ("invoice.exe.pdf", text, None),
            ("contract.docx.pdf", pdf, None),
            ("v1.2.exe", &pe, None),
            ("", text, None),
        ];
        for (name, head, wanted) in table {
            let told = oddity(name, head);
            let right = match (&told, wanted) {
                (Some(told), Some(wanted)) => told.contains(wanted.as_str()),
                (told, wanted) => told.is_none() && wanted.is_none(),
            };
            assert!(right, "{name:?}: {told:?}, wanted {wanted:?}");
        }
        let hostile = format!("a\u{202e}{}.pdf", "x".repeat(500));
        assert!(oddity(&hostile, &pe).unwrap().chars().count() < 220);
    }
}
